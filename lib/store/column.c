#include "store/column.h"

#include <string.h>

#include "base/num.h"
#include "base/varint.h"
#include "store/format.h"
#include "store/pack.h"

/*
 * A column:
 *
 *	u8	kind (2 bits) | e (4 bits) | form (2 bits)
 *
 * and for a constant, with e 15, its 8 bytes, else a zigzag varint of d; for
 * the other kinds
 *
 *	u8	shift (6 bits) | 64 if exceptions follow
 *		exceptions - 1, then for each the number of values between the
 *		one before and it, and its 8 bytes (both numbers varints)
 *		first, zigzag varint: the least value (form 0) or the first
 *	 	second, zigzag varint: but for form 0
 *		residuals, packed
 *		with ULP, a distance for each value, zigzag, packed
 *
 * Values that are exceptions repeat the one before them in the numbers.
 *
 * A column with STORE_ABSENT in it has kind 0 and, as form, 1: the number of
 * runs, then their lengths (varints), of values and of absent ones by turns,
 * values first; then the values as a column; or 2: all are absent.
 */
enum kind {
	CONSTANT,
	DECIMAL,
	ULP,
	RAW, /* and integers */
};

#define CONST_RAW 15

/* Forms of a constant. */
#define HOLES 1
#define NOTHING 2

/* What residuals are; second is what they are counted from. */
enum form {
	LEVEL,  /* d - first, not negative */
	CENTRE, /* delta - second, zigzag */
	RISE,   /* delta - second, not negative */
	TWICE,  /* delta of delta, zigzag; second is the first delta */
	FORMS,
};

#define EXCEPTIONS 64
#define E_MAX 15
#define EXACT 9007199254740992.0 /* 2^53 */
#define NEAR 16                  /* units in the last place: ULP pays */

static const double power[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8,
	1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

/* A double's bits as an integer of the same order, and back. */
static int64_t
ordered(double v)
{
	int64_t x = (int64_t)num_bits(v);

	return x < 0 ? x ^ INT64_MAX : x;
}

static double
unordered(int64_t x)
{
	return num_from_bits((uint64_t)(x < 0 ? x ^ INT64_MAX : x));
}

/* d / 10^e, near v; false if there is none below 2^53. */
static bool
scale(double v, unsigned e, int64_t *d)
{
	double x = v * power[e];

	if (!(x < EXACT && x > -EXACT))
		return false;
	*d = (int64_t)(x < 0 ? x - 0.5 : x + 0.5);
	return true;
}

static bool
exact(double v, unsigned e, int64_t *d)
{
	return scale(v, e, d) && num_bits((double)*d / power[e]) == num_bits(v);
}

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
	for (size_t i = 0; i < c->n; i++) {
		unsigned e = c->e;

		while (e <= E_MAX && !exact(c->v[i], e, &c->d[i]))
			e++;
		if (e <= E_MAX)
			c->e = e;
		else if (++bad > most)
			return false;
	}
	c->nodd = 0;
	for (size_t i = 0; i < c->n; i++)
		if (!exact(c->v[i], c->e, &c->d[i]))
			except(c, i);
	return c->nodd <= most;
}

/* How far v is from its decimal, in units of the last place. */
static bool
distance(double v, unsigned e, int64_t *d, int64_t *r)
{
	if (!scale(v, e, d))
		return false;
	*r = (int64_t)((uint64_t)ordered(v) -
	    (uint64_t)ordered((double)*d / power[e]));
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
		c->d[i] = ordered(c->v[i]);
}

/* Residuals in one form. */
struct residuals {
	uint64_t v[STORE_COLUMN_MAX];
	size_t n;
	int64_t first, second;
	unsigned shift;
};

static int64_t
minus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t
plus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

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

static void
level(struct residuals *r, const int64_t *d, size_t n)
{
	uint64_t all = 0;

	r->first = d[0];
	r->second = 0;
	for (size_t i = 1; i < n; i++)
		if (d[i] < r->first)
			r->first = d[i];
	for (size_t i = 0; i < n; i++)
		all |= r->v[i] = (uint64_t)d[i] - (uint64_t)r->first;
	r->shift = zeros(all);
	for (size_t i = 0; i < n; i++)
		r->v[i] >>= r->shift;
	r->n = n;
}

/* Deltas without their common zeros are in x, n of them. */
static void
centre(struct residuals *r, const int64_t *x, size_t n)
{
	r->second = middle(x, n);
	for (size_t i = 0; i < n; i++)
		r->v[i] = store_zigzag(minus(x[i], r->second));
	r->n = n;
}

static void
rise(struct residuals *r, const int64_t *x, size_t n)
{
	r->second = x[0];
	for (size_t i = 1; i < n; i++)
		if (x[i] < r->second)
			r->second = x[i];
	for (size_t i = 0; i < n; i++)
		r->v[i] = (uint64_t)x[i] - (uint64_t)r->second;
	r->n = n;
}

/* d has 3 numbers at least. */
static void
twice(struct residuals *r, const int64_t *d, size_t n)
{
	uint64_t all = 0;
	int64_t last = r->second = minus(d[1], d[0]), now;

	r->first = d[0];
	for (size_t i = 2; i < n; i++, last = now) {
		now = minus(d[i], d[i - 1]);
		r->v[i - 2] = (uint64_t)minus(now, last);
		all |= r->v[i - 2];
	}
	r->n = n - 2;
	r->shift = zeros(all);
	for (size_t i = 0; i < r->n; i++)
		r->v[i] = store_zigzag((int64_t)r->v[i] >> r->shift);
}

/* Of n numbers the form that costs least, into one of two, *out. */
static enum form
choose(
    struct residuals two[2], struct residuals **out, const int64_t *d, size_t n)
{
	struct residuals *r = &two[0], *try = &two[1], *was;
	int64_t x[STORE_COLUMN_MAX];
	enum form best = LEVEL;
	uint64_t all = 0;
	size_t least, c;
	unsigned shift;

	level(r, d, n);
	*out = r;
	if (n < 3)
		return best;
	least = store_pack_cost(r->v, r->n);
	for (size_t i = 1; i < n; i++) {
		x[i - 1] = minus(d[i], d[i - 1]);
		all |= (uint64_t)x[i - 1];
	}
	shift = zeros(all);
	for (size_t i = 0; i < n - 1; i++)
		x[i] >>= shift;
	for (enum form f = CENTRE; f < FORMS; f++) {
		try->first = d[0];
		try->shift = shift;
		if (f == CENTRE)
			centre(try, x, n - 1);
		else if (f == RISE)
			rise(try, x, n - 1);
		else
			twice(try, d, n);
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

	while (e < CONST_RAW && !exact(v, e, &d))
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

bool
store_column_holes(const uint8_t *p)
{
	return (p[0] & 3) == CONSTANT && p[0] >> 6 != 0;
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

/* A column while it is read: each step moves p on, or says no. */
struct reader {
	const uint8_t *p;
	size_t len;
	bool bad;
};

static uint64_t
varint(struct reader *r)
{
	uint64_t x = 0;
	size_t k = varint_get(r->p, r->len, &x);

	r->bad |= k == 0;
	r->p += k;
	r->len -= k;
	return x;
}

static unsigned
byte(struct reader *r)
{
	if (r->len == 0) {
		r->bad = true;
		return 0;
	}
	r->len--;
	return *r->p++;
}

static double
word(struct reader *r)
{
	uint64_t x = 0;

	if (r->len < sizeof(x)) {
		r->bad = true;
		return 0;
	}
	memcpy(&x, r->p, sizeof(x));
	r->p += sizeof(x);
	r->len -= sizeof(x);
	return num_from_bits(x);
}

static void
unpack(struct reader *r, uint64_t *v, size_t n)
{
	size_t k = n == 0 || r->bad ? 0 : store_pack_get(r->p, r->len, v, n);

	r->bad |= k == 0 && n > 0;
	r->p += k;
	r->len -= k;
}

/* The numbers behind the exceptions. */
static void
get_numbers(
    struct reader *r, enum form f, unsigned shift, uint64_t *d, size_t n)
{
	uint64_t first = (uint64_t)store_unzigzag(varint(r)), second = 0;
	uint64_t tmp[STORE_COLUMN_MAX], x = first, delta;

	if (f == LEVEL) {
		unpack(r, d, n);
		for (size_t i = 0; i < n; i++)
			d[i] = first + (d[i] << shift);
		return;
	}
	second = (uint64_t)store_unzigzag(varint(r));
	d[0] = first;
	if (n < (f == TWICE ? 3 : 2)) {
		r->bad = true;
		return;
	}
	unpack(r, tmp, f == TWICE ? n - 2 : n - 1);
	if (r->bad)
		return;
	if (f == CENTRE) {
		for (size_t i = 1; i < n; i++) {
			delta = (uint64_t)store_unzigzag(tmp[i - 1]) + second;
			d[i] = x += delta << shift;
		}
	} else if (f == RISE) {
		for (size_t i = 1; i < n; i++)
			d[i] = x += (tmp[i - 1] + second) << shift;
	} else {
		delta = second;
		d[1] = x += delta;
		for (size_t i = 2; i < n; i++) {
			delta += (uint64_t)store_unzigzag(tmp[i - 2]) << shift;
			d[i] = x += delta;
		}
	}
}

static void
to_decimals(double *v, const uint64_t *d, size_t n, unsigned e)
{
	double p = power[e];

	if (e == 0)
		for (size_t i = 0; i < n; i++)
			v[i] = (double)(int64_t)d[i];
	else
		for (size_t i = 0; i < n; i++)
			v[i] = (double)(int64_t)d[i] / p;
}

/* Where the exceptions are; they are put into v when it is there. */
static void
exceptions(struct reader r, double *v, size_t n)
{
	size_t m = (size_t)varint(&r) + 1, at = 0;

	for (size_t i = 0; i < m; i++, at++) {
		at += (size_t)varint(&r);
		if (at >= n)
			return;
		v[at] = word(&r);
	}
}

static void
pass_exceptions(struct reader *r, size_t n)
{
	uint64_t m = varint(r), at = 0;

	if (m >= n)
		r->bad = true;
	for (uint64_t i = 0; !r->bad && i <= m; i++, at++) {
		uint64_t gap = varint(r);

		if (gap >= n || (at += gap) >= n)
			r->bad = true;
		(void)word(r);
	}
}

static void
get_constant(struct reader *r, unsigned e, double *v, size_t n)
{
	double x = e == CONST_RAW
	    ? word(r)
	    : (double)store_unzigzag(varint(r)) / power[e];

	for (size_t i = 0; i < n; i++)
		v[i] = x;
}

/* Spread m values from the end of v's n places down. */
static void
spread(double *v, size_t n, size_t m, const uint16_t *run, size_t nrun)
{
	while (nrun-- > 0)
		for (size_t k = run[nrun]; k > 0; k--)
			v[--n] = nrun % 2 == 0 ? v[--m]
					       : num_from_bits(STORE_ABSENT);
}

static size_t
get_holes(struct reader *r, double *v, size_t n)
{
	uint16_t run[STORE_COLUMN_MAX + 1];
	uint64_t nrun = varint(r), x;
	size_t m = 0, sum = 0, k = 0;

	if (r->bad || nrun > STORE_COLUMN_MAX + 1)
		return 0;
	for (uint64_t i = 0; i < nrun; i++) {
		x = varint(r);
		if (r->bad || x > n - sum)
			return 0;
		run[i] = (uint16_t)x;
		sum += (size_t)x;
		m += i % 2 == 0 ? (size_t)x : 0;
	}
	/* Values without holes, or a hostile file would have us recur. */
	if (sum == n && m > 0 && r->len > 0 &&
	    ((r->p[0] & 3) != CONSTANT || r->p[0] >> 6 == 0))
		k = store_column_get(r->p, r->len, v, m);
	if (k > 0)
		spread(v, n, m, run, (size_t)nrun);
	return k;
}

/* What is no list of numbers: one value, holes, nothing. */
static size_t
get_other(struct reader *r, unsigned head, double *v, size_t n)
{
	size_t len = r->len, k;

	if (head >> 6 == HOLES) {
		k = get_holes(r, v, n);
		return k == 0 ? 0 : len - r->len + k;
	}
	if (head >> 6 == NOTHING)
		for (size_t i = 0; i < n; i++)
			v[i] = num_from_bits(STORE_ABSENT);
	else
		get_constant(r, head >> 2 & 15, v, n);
	return len - r->len;
}

size_t
store_column_get(const uint8_t *p, size_t len, double *v, size_t n)
{
	struct reader r = { p, len, false }, odd;
	uint64_t d[STORE_COLUMN_MAX], ulp[STORE_COLUMN_MAX];
	unsigned head = byte(&r), shift, e = head >> 2 & 15;
	size_t k;

	if (n == 0 || n > STORE_COLUMN_MAX || r.bad)
		return 0;
	if ((head & 3) == CONSTANT) {
		k = get_other(&r, head, v, n);
		return r.bad || (k == 0 && head >> 6 == HOLES) ? 0 : 1 + k;
	}
	shift = byte(&r);
	odd = r;
	if (shift & EXCEPTIONS)
		pass_exceptions(&r, n);
	if (r.bad || shift >= 2 * EXCEPTIONS)
		return 0;
	get_numbers(&r, head >> 6, shift & 63, d, n);
	if ((head & 3) == ULP)
		unpack(&r, ulp, n);
	if (r.bad)
		return 0;
	if ((head & 3) == RAW)
		for (size_t i = 0; i < n; i++)
			v[i] = unordered((int64_t)d[i]);
	else
		to_decimals(v, d, n, e);
	if ((head & 3) == ULP)
		for (size_t i = 0; i < n; i++)
			v[i] = unordered(
			    plus(ordered(v[i]), store_unzigzag(ulp[i])));
	if (shift & EXCEPTIONS)
		exceptions(odd, v, n);
	return len - r.len;
}

size_t
store_column_get_ints(const uint8_t *p, size_t len, int64_t *v, size_t n)
{
	struct reader r = { p, len, false };
	unsigned head = byte(&r), shift = byte(&r);

	if (n == 0 || n > STORE_COLUMN_MAX || (head & 0x3f) != RAW ||
	    shift >= 64)
		return 0;
	get_numbers(&r, head >> 6, shift, (uint64_t *)v, n);
	return r.bad ? 0 : len - r.len;
}
