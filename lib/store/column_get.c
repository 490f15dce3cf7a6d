/*
 * Columns are read block by block: a block's numbers are unpacked, summed up
 * and made into values while they lie in the nearest cache, and go where they
 * are wanted.  Of some rows only, what stands before them is summed up but not
 * made into values, and what stands behind is not looked at.
 */
#include "store/column.h"

#include <string.h>

#include "base/varint.h"
#include "store/column_form.h"
#include "store/format.h"
#include "store/lanes.h"
#include "store/pack.h"

/* A column while it is read: each step moves p on, or says no. */
struct reader {
	const uint8_t *p;
	size_t len;
	bool bad;
};

/* Rows first..to of n, and where they go: one of the two. */
struct rows {
	size_t n, first, to;
	double *v;
	int64_t *d;
};

static uint64_t
varint(struct reader *r)
{
	uint64_t x = 0;
	size_t k;

	if (r->len > 0 && r->p[0] < 0x80) {
		r->len--;
		return *r->p++;
	}
	k = varint_get(r->p, r->len, &x);
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

/* n numbers at most 128; d NULL: pass over them. */
static void
block(struct reader *r, uint64_t *d, size_t n)
{
	size_t k = store_pack_block(r->p, r->len, d, n);

	r->bad |= k == 0;
	r->p += k;
	r->len -= k;
}

/* Numbers of rows from at on have been found: n of d. */
static void
give(
    const struct rows *w, unsigned head, size_t at, const uint64_t *d, size_t n)
{
	size_t from = at < w->first ? w->first : at;
	size_t to = at + n < w->to ? at + n : w->to;

	if (from >= to)
		return;
	d += from - at;
	n = to - from;
	if (w->d != NULL)
		memcpy(w->d + (from - w->first), d, n * sizeof(*d));
	else if ((head & 3) == RAW)
		store_lanes_doubles(w->v + (from - w->first), d, n);
	else
		store_lanes_decimals(
		    w->v + (from - w->first), d, n, head >> 2 & 15);
}

/* The numbers of level form: each for itself, so blocks may be passed over. */
static void
get_level(struct reader *r, const struct rows *w, unsigned head, unsigned shift,
    bool whole)
{
	uint64_t first = (uint64_t)store_unzigzag(varint(r));
	uint64_t d[STORE_PACK_BLOCK];
	size_t end = whole ? w->n : w->to, m;

	for (size_t at = 0; at < end && !r->bad; at += m) {
		m = w->n - at < STORE_PACK_BLOCK ? w->n - at : STORE_PACK_BLOCK;
		if (at + m <= w->first || at >= w->to) {
			block(r, NULL, m);
			continue;
		}
		block(r, d, m);
		if (r->bad)
			return;
		store_lanes_level(d, m, first, shift);
		give(w, head, at, d, m);
	}
}

/* Of the forms that are steps. */
static void
get_steps(struct reader *r, const struct rows *w, unsigned head, unsigned shift,
    bool whole)
{
	enum form f = head >> 6;
	uint64_t x[2], second, d[STORE_PACK_BLOCK];
	size_t at = f == TWICE ? 2 : 1, end = whole ? w->n : w->to, m;

	x[0] = (uint64_t)store_unzigzag(varint(r));
	second = (uint64_t)store_unzigzag(varint(r));
	if (r->bad || w->n <= at) {
		r->bad = true;
		return;
	}
	x[1] = x[0] + second;
	give(w, head, 0, x, at);
	x[0] = x[at - 1];
	for (; at < end; at += m) {
		m = w->n - at < STORE_PACK_BLOCK ? w->n - at : STORE_PACK_BLOCK;
		block(r, at >= w->to ? NULL : d, m);
		if (r->bad)
			return;
		if (at >= w->to)
			continue;
		if (f == RISE) {
			x[0] = store_lanes_rise(d, m, x[0], second, shift);
		} else if (f == CENTRE) {
			x[0] = store_lanes_zigzag(d, m, x[0], second, shift);
		} else {
			second = store_lanes_zigzag(d, m, second, 0, shift);
			x[0] = store_lanes_rise(d, m, x[0], 0, 0);
		}
		give(w, head, at, d, m);
	}
}

/* The numbers behind the exceptions; whole: to the end of their bytes. */
static void
get_numbers(struct reader *r, const struct rows *w, unsigned head,
    unsigned shift, bool whole)
{
	if (head >> 6 == LEVEL)
		get_level(r, w, head, shift, whole);
	else
		get_steps(r, w, head, shift, whole);
}

/* Distances in units of the last place, added to what is there. */
static void
get_ulps(struct reader *r, const struct rows *w, bool whole)
{
	uint64_t d[STORE_PACK_BLOCK];
	size_t end = whole ? w->n : w->to, m;

	for (size_t at = 0; at < end && !r->bad; at += m) {
		m = w->n - at < STORE_PACK_BLOCK ? w->n - at : STORE_PACK_BLOCK;
		block(r, d, m);
		for (size_t i = 0; i < m && !r->bad; i++) {
			double *v = w->v + (at + i - w->first);

			if (at + i < w->first || at + i >= w->to)
				continue;
			*v = store_unordered(
			    (int64_t)((uint64_t)store_ordered(*v) +
				(uint64_t)store_unzigzag(d[i])));
		}
	}
}

/* Where the exceptions are is known to be right. */
static void
put_exceptions(struct reader r, const struct rows *w)
{
	size_t m = (size_t)varint(&r) + 1, at = 0;

	for (size_t i = 0; i < m; i++, at++) {
		double x;

		at += (size_t)varint(&r);
		x = word(&r);
		if (at >= w->first && at < w->to)
			w->v[at - w->first] = x;
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
fill(const struct rows *w, double x)
{
	for (size_t i = 0; i < w->to - w->first; i++)
		w->v[i] = x;
}

static void
get_constant(struct reader *r, const struct rows *w, unsigned e)
{
	fill(w,
	    e == CONST_RAW
		? word(r)
		: (double)store_unzigzag(varint(r)) / store_lanes_power[e]);
}

static void
get_values(struct reader *r, const struct rows *w, unsigned head, bool whole)
{
	unsigned shift = byte(r);
	struct reader odd = *r;

	if (shift & EXCEPTIONS)
		pass_exceptions(r, w->n);
	if (shift >= 2 * EXCEPTIONS)
		r->bad = true;
	if (r->bad)
		return;
	/* Behind the numbers there is more. */
	get_numbers(r, w, head, shift & 63, whole || (head & 3) == ULP);
	if ((head & 3) == ULP && !r->bad)
		get_ulps(r, w, whole);
	if ((shift & EXCEPTIONS) && !r->bad)
		put_exceptions(odd, w);
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

/*
 * The runs, and of the values in them those that lie in the rows that are
 * wanted; run is cut to what lies in there.
 */
static bool
get_runs(struct reader *r, const struct rows *w, uint16_t *run, size_t *nrun,
    struct rows *dense)
{
	uint64_t n = varint(r);
	size_t sum = 0;

	*dense = (struct rows){ .v = w->v };
	if (r->bad || n > STORE_COLUMN_MAX + 1)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint64_t x = varint(r);
		size_t from, to;

		if (r->bad || x > w->n - sum)
			return false;
		from = sum > w->first ? sum : w->first;
		sum += (size_t)x;
		to = sum < w->to ? sum : w->to;
		run[i] = to > from ? (uint16_t)(to - from) : 0;
		if (i % 2 != 0)
			continue;
		dense->n += (size_t)x;
		dense->to += run[i];
		if (sum <= w->first)
			dense->first += (size_t)x;
		else if (from > sum - (size_t)x)
			dense->first += from - (sum - (size_t)x);
	}
	dense->to += dense->first;
	*nrun = (size_t)n;
	return sum == w->n && dense->n > 0;
}

static void get_column(struct reader *r, const struct rows *w, bool whole);

static void
get_holes(struct reader *r, const struct rows *w, bool whole)
{
	uint16_t run[STORE_COLUMN_MAX + 1];
	struct rows dense;
	size_t nrun;

	/* Values without holes, or a hostile file would have us recur. */
	if (!get_runs(r, w, run, &nrun, &dense) || r->len == 0 ||
	    store_column_holes(r->p)) {
		r->bad = true;
		return;
	}
	get_column(r, &dense, whole);
	if (!r->bad)
		spread(
		    w->v, w->to - w->first, dense.to - dense.first, run, nrun);
}

static void
get_column(struct reader *r, const struct rows *w, bool whole)
{
	unsigned head = byte(r);

	if (r->bad)
		return;
	if ((head & 3) != CONSTANT)
		get_values(r, w, head, whole);
	else if (head >> 6 == HOLES)
		get_holes(r, w, whole);
	else if (head >> 6 == NOTHING)
		fill(w, num_from_bits(STORE_ABSENT));
	else
		get_constant(r, w, head >> 2 & 15);
}

bool
store_column_holes(const uint8_t *p)
{
	unsigned form = p[0] >> 6;

	return (p[0] & 3) == CONSTANT && form != 0;
}

bool
store_column_numbers(const uint8_t *p, size_t len)
{
	if (len < 2)
		return false;
	if ((p[0] & 3) == CONSTANT)
		return p[0] >> 6 == 0 && (p[0] >> 2 & 15) != CONST_RAW;
	return (p[0] & 3) == DECIMAL && (p[1] & EXCEPTIONS) == 0;
}

size_t
store_column_get(const uint8_t *p, size_t len, double *v, size_t n)
{
	struct reader r = { p, len, n == 0 || n > STORE_COLUMN_MAX };

	if (!r.bad)
		get_column(&r, &(struct rows){ n, 0, n, v, NULL }, true);
	return r.bad ? 0 : len - r.len;
}

bool
store_column_rows(
    const uint8_t *p, size_t len, double *v, size_t n, size_t first, size_t m)
{
	struct reader r = { p, len,
		n == 0 || n > STORE_COLUMN_MAX || first >= n || m == 0 ||
		    m > n - first };

	if (!r.bad)
		get_column(
		    &r, &(struct rows){ n, first, first + m, v, NULL }, false);
	return !r.bad;
}

size_t
store_column_get_ints(const uint8_t *p, size_t len, int64_t *v, size_t n)
{
	struct reader r = { p, len, false };
	unsigned head = byte(&r), shift = byte(&r);

	if (r.bad || n == 0 || n > STORE_COLUMN_MAX || (head & 0x3f) != RAW ||
	    shift >= 64)
		return 0;
	get_numbers(&r, &(struct rows){ n, 0, n, NULL, v }, head, shift, true);
	return r.bad ? 0 : len - r.len;
}
