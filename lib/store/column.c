/*
 * Columns are made here, and read in column_get.c.
 */
#include "store/column.h"

#include <string.h>

#include "base/varint.h"
#include "store/column_form.h"
#include "store/format.h"
#include "store/lanes.h"
#include "store/pack.h"

#define NEAR 16 /* units in the last place: ULP pays */

/* A column while it is made. */
struct column {
	const double *v;
	size_t n;
	unsigned e;
	int64_t d[STORE_COLUMN_MAX];
	uint64_t r[STORE_COLUMN_MAX];   /* ULP: distances, zigzag */
	uint16_t odd[STORE_COLUMN_MAX]; /* exceptions */
	size_t nodd;
};

static void
except(struct column *c, size_t i)
{
	c->odd[c->nodd++] = (uint16_t)i;
	c->d[i] = i > 0 ? c->d[i - 1] : 0;
}

/* The least e that fits all but a sixteenth, and the numbers; false: none. */
static bool
decimal(struct column *c)
{
	size_t most = c->n / 16 + 1, bad = 0;

	c->e = 0;
	c->nodd = 0;
	for (size_t i = 0; i < c->n; i++) {
		unsigned e = c->e + 1;

		i += store_lanes_exact(c->d + i, c->v + i, c->n - i, c->e);
		if (i == c->n)
			break;
		while (e <= E_MAX &&
		    store_lanes_exact(c->d + i, c->v + i, 1, e) == 0)
			e++;
		if (e <= E_MAX)
			c->e = e;
		else if (++bad > most)
			return false;
	}
	if (c->e == 0 && bad == 0)
		return true;
	for (size_t i = 0; i < c->n; i++) {
		i += store_lanes_exact(c->d + i, c->v + i, c->n - i, c->e);
		if (i < c->n)
			except(c, i);
	}
	return c->nodd <= most;
}

/* How far v is from its decimal, in units of the last place. */
static bool
distance(double v, unsigned e, int64_t *d, int64_t *r)
{
	if (!store_lanes_scale(d, v, e))
		return false;
	*r = (int64_t)((uint64_t)store_ordered(v) -
	    (uint64_t)store_ordered((double)*d / store_lanes_power[e]));
	return true;
}

/* The same for values that are near a decimal. */
static bool
near(struct column *c)
{
	size_t step = c->n / 16 + (c->n < 16), seen, hits;
	int64_t d, r;

	for (c->e = 0; c->e <= E_MAX; c->e++) {
		seen = hits = 0;
		for (size_t i = 0; i < c->n; i += step, seen++)
			hits += distance(c->v[i], c->e, &d, &r) && r >= -NEAR &&
			    r <= NEAR;
		if (hits * 16 >= seen * 15)
			break;
	}
	if (c->e > E_MAX)
		return false;
	c->nodd = 0;
	for (size_t i = 0; i < c->n; i++) {
		r = 0;
		if (!distance(c->v[i], c->e, &c->d[i], &r) ||
		    r > INT64_C(1) << 32 || r < -(INT64_C(1) << 32)) {
			except(c, i);
			r = 0;
		}
		c->r[i] = store_zigzag(r);
	}
	return c->nodd <= c->n / 16 + 1;
}

static void
raw(struct column *c)
{
	c->e = 0;
	c->nodd = 0;
	for (size_t i = 0; i < c->n; i++)
		c->d[i] = store_ordered(c->v[i]);
}

/* Residuals in one form. */
struct residuals {
	uint64_t v[STORE_COLUMN_MAX];
	size_t n;
	int64_t first, second;
	unsigned shift;
};

/* Zeros that all of them end in. */
static unsigned
zeros(uint64_t all)
{
	return all == 0 ? 0 : (unsigned)__builtin_ctzll(all);
}

/* About the median: of 31 numbers taken evenly. */
static int64_t
middle(const int64_t *v, size_t n)
{
	int64_t s[31] = { 0 };
	size_t m = n < 31 ? n : 31;

	for (size_t i = 0; i < m; i++) {
		int64_t x = v[i * n / m];
		size_t k = i;

		for (; k > 0 && s[k - 1] > x; k--)
			s[k] = s[k - 1];
		s[k] = x;
	}
	return s[m / 2];
}

/* The zeros that all end in, away; all is the bits that any has. */
static unsigned
shift_out(int64_t *x, size_t n, uint64_t all)
{
	unsigned shift = zeros(all);

	for (size_t i = 0; shift > 0 && i < n; i++)
		x[i] >>= shift;
	return shift;
}

static void
level(struct residuals *r, const int64_t *d, size_t n)
{
	r->second = 0;
	r->shift = zeros(store_lanes_above(r->v, d, n, &r->first));
	for (size_t i = 0; r->shift > 0 && i < n; i++)
		r->v[i] >>= r->shift;
	r->n = n;
}

/* What residuals are made of. */
struct deltas {
	int64_t v[STORE_COLUMN_MAX];
	size_t n;
	unsigned shift;
};

static void
residuals(struct residuals *r, enum form f, const struct deltas *d)
{
	r->n = d->n;
	r->shift = d->shift;
	if (f == RISE) {
		(void)store_lanes_above(r->v, d->v, d->n, &r->second);
		return;
	}
	if (f == CENTRE)
		r->second = middle(d->v, d->n);
	store_lanes_fold(r->v, d->v, d->n, f == CENTRE ? r->second : 0);
}

/* Of n numbers the form that costs least, into one of two, *out. */
static enum form
choose(
    struct residuals two[2], struct residuals **out, const int64_t *d, size_t n)
{
	struct residuals *r = &two[0], *try = &two[1], *was;
	struct deltas x, y; /* theirs, and of these theirs */
	enum form best = LEVEL;
	int64_t second;
	uint64_t all;
	size_t least, c;

	level(r, d, n);
	*out = r;
	if (n < 3)
		return best;
	least = store_pack_cost(r->v, r->n);
	x.n = n - 1;
	all = store_lanes_deltas(x.v, d, x.n);
	y.n = n - 2;
	y.shift = shift_out(y.v, y.n, store_lanes_deltas(y.v, x.v, y.n));
	second = x.v[0];
	x.shift = shift_out(x.v, x.n, all);
	for (enum form f = CENTRE; f < FORMS; f++) {
		try->first = d[0];
		try->second = second;
		residuals(try, f, f == TWICE ? &y : &x);
		c = store_pack_cost(try->v, try->n) + 1;
		if (c < least) {
			least = c;
			best = f;
			was = r;
			r = try;
			try = was;
		}
	}
	*out = r;
	return best;
}

static void
put_word(struct buf *b, double v)
{
	uint64_t x = num_bits(v);

	buf_add(b, (str){ (const char *)&x, sizeof(x) });
}

static void
put_numbers(struct buf *b, enum kind kind, const struct column *c)
{
	struct residuals two[2], *r;
	enum form f = choose(two, &r, c->d, c->n);
	size_t next = 0;

	buf_byte(b, (char)(kind | c->e << 2 | f << 6));
	buf_byte(b, (char)(r->shift | (c->nodd > 0 ? EXCEPTIONS : 0)));
	if (c->nodd > 0)
		varint_put(b, c->nodd - 1);
	for (size_t i = 0; i < c->nodd; i++) {
		varint_put(b, c->odd[i] - next);
		put_word(b, c->v[c->odd[i]]);
		next = c->odd[i] + (size_t)1;
	}
	varint_put(b, store_zigzag(r->first));
	if (f != LEVEL)
		varint_put(b, store_zigzag(r->second));
	store_pack_put(b, r->v, r->n);
	if (kind == ULP)
		store_pack_put(b, c->r, c->n);
}

static void
put_constant(struct buf *b, double v)
{
	unsigned e = 0;
	int64_t d;

	while (e < CONST_RAW && store_lanes_exact(&d, &v, 1, e) == 0)
		e++;
	/* Seven bytes of varint and more are no better than the value. */
	if (e < CONST_RAW && d < INT64_C(1) << 48 && d > -(INT64_C(1) << 48)) {
		buf_byte(b, (char)(CONSTANT | e << 2));
		varint_put(b, store_zigzag(d));
		return;
	}
	buf_byte(b, CONSTANT | CONST_RAW << 2);
	put_word(b, v);
}

/* Those that are there, in a row, and how long the runs are. */
static size_t
runs(const double *v, size_t n, double *dense, uint16_t *run, size_t *nrun)
{
	bool there = true;
	size_t m = 0;

	*nrun = 1;
	run[0] = 0;
	for (size_t i = 0; i < n; i++) {
		if ((num_bits(v[i]) != STORE_ABSENT) != there) {
			there = !there;
			run[(*nrun)++] = 0;
		}
		run[*nrun - 1]++;
		if (there)
			dense[m++] = v[i];
	}
	return m;
}

static void
put_holes(struct buf *b, const double *v, size_t n)
{
	double dense[STORE_COLUMN_MAX];
	uint16_t run[STORE_COLUMN_MAX + 1];
	size_t nrun, m = runs(v, n, dense, run, &nrun);

	if (m == 0) {
		buf_byte(b, (char)(CONSTANT | NOTHING << 6));
		return;
	}
	buf_byte(b, CONSTANT | HOLES << 6);
	varint_put(b, nrun);
	for (size_t i = 0; i < nrun; i++)
		varint_put(b, run[i]);
	store_column_put(b, dense, m);
}

void
store_column_put(struct buf *b, const double *v, size_t n)
{
	struct column c; /* large, and not to be cleared */
	size_t at = b->n, i = 1, first;
	bool holes = false;

	for (size_t k = 0; k < n; k++)
		holes |= num_bits(v[k]) == STORE_ABSENT;
	if (holes) {
		put_holes(b, v, n);
		return;
	}
	while (i < n && num_bits(v[i]) == num_bits(v[0]))
		i++;
	if (i == n) {
		put_constant(b, v[0]);
		return;
	}
	c.v = v;
	c.n = n;
	if (decimal(&c)) {
		put_numbers(b, DECIMAL, &c);
		return;
	}
	if (near(&c)) {
		put_numbers(b, ULP, &c);
		first = b->n - at;
		raw(&c);
		put_numbers(b, RAW, &c);
		if (b->n - at - first < first) {
			memmove(
			    b->p + at, b->p + at + first, b->n - at - first);
			first = b->n - at - first;
		}
		b->n = at + first;
		return;
	}
	raw(&c);
	put_numbers(b, RAW, &c);
}

void
store_column_put_ints(struct buf *b, const int64_t *v, size_t n)
{
	struct column c;

	c.v = NULL;
	c.n = n;
	c.e = 0;
	c.nodd = 0;
	memcpy(c.d, v, n * sizeof(*v));
	put_numbers(b, RAW, &c);
}
