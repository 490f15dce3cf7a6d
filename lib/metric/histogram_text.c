/*
 * Native histograms as text, the body of a HIST line.  Keys may come in any
 * order and without those that are 0; printing gives them the one order, and
 * leaves out what is empty.
 */
#include "metric/histogram.h"

#include <math.h>

#include "base/mem.h"
#include "base/num.h"

struct text {
	const char *from, *p, *end;
	struct arena *a;
	struct histogram *h;
	unsigned seen; /* bits of keys */
	bool point;    /* a count was not written as an integer */
};

static const char *const hints[] = { "unknown", "reset", "not_reset", "gauge" };

/* Pass over c, if it is next. */
static bool
eat(struct text *x, char c)
{
	if (x->p >= x->end || *x->p != c)
		return false;
	x->p++;
	return true;
}

/* What stands up to the next byte of punctuation. */
static str
token(struct text *x)
{
	const char *from = x->p;

	while (x->p < x->end && strchr(",:[]{}", *x->p) == NULL)
		x->p++;
	return str_from(from, x->p);
}

static int
number(struct text *x, double *v, struct error *e)
{
	str word = token(x);

	if (num_parse(word, v) == 0) {
		if (isnan(*v))
			*v = num_nan();
		return 0;
	}
	x->p = word.p;
	return error_set(e, "bad number '%.*s' in a histogram",
	    (int)(word.n > 64 ? 64 : word.n), word.p);
}

static int
count(struct text *x, double *v, struct error *e)
{
	const char *from = x->p;

	if (number(x, v, e) == -1)
		return -1;
	for (; from < x->p; from++)
		x->point |= *from < '0' || *from > '9';
	return 0;
}

static int
integer(struct text *x, int64_t min, int64_t max, int64_t *v, struct error *e)
{
	str word = token(x);

	if (num_parse_int(word, v) == 0 && *v >= min && *v <= max)
		return 0;
	x->p = word.p;
	return error_set(e, "bad integer '%.*s' in a histogram",
	    (int)(word.n > 64 ? 64 : word.n), word.p);
}

/* [a,b,...] of numbers; each is one more than there was. */
static int
numbers(struct text *x, double **v, size_t *n, bool counts, struct error *e)
{
	double *list = NULL;
	size_t cap = 0;

	*n = 0;
	if (!eat(x, '['))
		return error_set(e, "expected '[' in a histogram");
	while (!eat(x, ']')) {
		if (*n > 0 && !eat(x, ','))
			return error_set(
			    e, "expected ',' or ']' in a histogram");
		list = arena_grow(x->a, list, &cap, *n + 1, sizeof(*list));
		if ((counts ? count : number)(x, &list[*n], e) == -1)
			return -1;
		++*n;
	}
	*v = list;
	return 0;
}

/* [offset:length,...] */
static int
spans(struct text *x, struct histogram_side *s, struct error *e)
{
	struct histogram_span *list = NULL;
	int64_t offset, length;
	size_t cap = 0;

	s->nspans = 0;
	if (!eat(x, '['))
		return error_set(e, "expected '[' in a histogram");
	while (!eat(x, ']')) {
		if (s->nspans > 0 && !eat(x, ','))
			return error_set(
			    e, "expected ',' or ']' in a histogram");
		if (integer(x, INT32_MIN, INT32_MAX, &offset, e) == -1)
			return -1;
		if (!eat(x, ':'))
			return error_set(e, "expected ':' in a span");
		if (integer(x, 0, UINT32_MAX, &length, e) == -1)
			return -1;
		list =
		    arena_grow(x->a, list, &cap, s->nspans + 1, sizeof(*list));
		list[s->nspans++] = (struct histogram_span){ (int32_t)offset,
			(uint32_t)length };
	}
	s->spans = list;
	return 0;
}

static int
read_count(struct text *x, struct error *e)
{
	return count(x, &x->h->count, e);
}

static int
read_sum(struct text *x, struct error *e)
{
	return number(x, &x->h->sum, e);
}

static int
read_schema(struct text *x, struct error *e)
{
	int64_t v;

	if (integer(x, INT32_MIN, INT32_MAX, &v, e) == -1)
		return -1;
	x->h->schema = (int32_t)v;
	return 0;
}

static int
read_threshold(struct text *x, struct error *e)
{
	if (number(x, &x->h->zero_threshold, e) == -1)
		return -1;
	x->h->zero_threshold += 0.0; /* not -0 */
	return 0;
}

static int
read_zero(struct text *x, struct error *e)
{
	if (count(x, &x->h->zero_count, e) == -1)
		return -1;
	x->h->zero_count += 0.0;
	return 0;
}

static int
read_nspans(struct text *x, struct error *e)
{
	return spans(x, &x->h->negative, e);
}

static int
read_nbuckets(struct text *x, struct error *e)
{
	struct histogram_side *s = &x->h->negative;

	return numbers(x, &s->v, &s->n, true, e);
}

static int
read_pspans(struct text *x, struct error *e)
{
	return spans(x, &x->h->positive, e);
}

static int
read_pbuckets(struct text *x, struct error *e)
{
	struct histogram_side *s = &x->h->positive;

	return numbers(x, &s->v, &s->n, true, e);
}

static int
read_custom(struct text *x, struct error *e)
{
	return numbers(x, &x->h->custom, &x->h->ncustom, false, e);
}

static int
read_hint(struct text *x, struct error *e)
{
	str word = token(x);

	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (str_eq(word, str_of(hints[i]))) {
			x->h->hint = (enum histogram_hint)i;
			return 0;
		}
	x->p = word.p;
	return error_set(e, "bad hint '%.*s' in a histogram",
	    (int)(word.n > 64 ? 64 : word.n), word.p);
}

static const struct {
	str name;
	bool must;
	int (*read)(struct text *, struct error *);
} keys[] = {
	{ STR_INIT("count"), true, read_count },
	{ STR_INIT("sum"), true, read_sum },
	{ STR_INIT("schema"), true, read_schema },
	{ STR_INIT("zero_threshold"), false, read_threshold },
	{ STR_INIT("zero_count"), false, read_zero },
	{ STR_INIT("negative_spans"), false, read_nspans },
	{ STR_INIT("negative_buckets"), false, read_nbuckets },
	{ STR_INIT("positive_spans"), false, read_pspans },
	{ STR_INIT("positive_buckets"), false, read_pbuckets },
	{ STR_INIT("custom_values"), false, read_custom },
	{ STR_INIT("hint"), false, read_hint },
};

/* A value of a key that nobody knows: a word or a list. */
static int
unknown(struct text *x, struct error *e)
{
	if (!eat(x, '[')) {
		(void)token(x);
		return 0;
	}
	while (x->p < x->end && *x->p != ']' && *x->p != '}')
		x->p++;
	return eat(x, ']') ? 0 : error_set(e, "a list without ']'");
}

static int
pair(struct text *x, struct error *e)
{
	const char *from = x->p;
	str name = token(x);

	if (name.n == 0 || !eat(x, ':')) {
		x->p = from;
		return error_set(e, "expected key:value in a histogram");
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (!str_eq(name, keys[i].name))
			continue;
		if (x->seen & 1u << i) {
			x->p = from;
			return error_set(
			    e, "%.*s twice in a histogram", STR_ARG(name));
		}
		x->seen |= 1u << i;
		return keys[i].read(x, e);
	}
	return unknown(x, e);
}

static int
body(struct text *x, struct error *e)
{
	size_t n = 0;

	if (!eat(x, '{'))
		return error_set(e, "expected '{' of a histogram");
	while (!eat(x, '}')) {
		if (x->p >= x->end)
			return error_set(e, "histogram without '}'");
		if (n++ > 0 && !eat(x, ','))
			return error_set(
			    e, "expected ',' or '}' in a histogram");
		if (pair(x, e) == -1)
			return -1;
	}
	if (x->p < x->end)
		return error_set(e, "text behind a histogram");
	x->p = x->from;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (keys[i].must && !(x->seen & 1u << i))
			return error_set(
			    e, "histogram without %.*s", STR_ARG(keys[i].name));
	x->h->whole = !x->point;
	x->h->count += 0.0; /* not -0, which prints otherwise */
	return histogram_check(x->h, e);
}

int
histogram_parse(
    struct histogram *h, str s, struct arena *a, size_t *at, struct error *e)
{
	struct text x = { .from = s.p, .p = s.p, .end = s.p + s.n, .a = a };
	struct histogram made = { 0 };
	int rc;

	x.h = &made;
	rc = body(&x, e);
	if (rc == -1 && at != NULL)
		*at = (size_t)(x.p - x.from);
	*h = made;
	return rc;
}

static void
put_key(struct buf *b, const char *name)
{
	buf_z(b, name);
	buf_byte(b, ':');
}

/* A count that says by itself whether it is an integer, or needs not. */
static void
put_count(struct buf *b, double v, bool whole)
{
	if (whole)
		buf_printf(b, "%.0f", v);
	else
		num_print(b, v);
}

static void
put_side(
    struct buf *b, const char *name, const struct histogram_side *s, bool whole)
{
	if (s->nspans == 0)
		return;
	buf_printf(b, ",%s_spans:[", name);
	for (size_t i = 0; i < s->nspans; i++)
		buf_printf(b, "%s%d:%u", i > 0 ? "," : "",
		    (int)s->spans[i].offset, (unsigned)s->spans[i].length);
	buf_printf(b, "],%s_buckets:[", name);
	for (size_t i = 0; i < s->n; i++) {
		if (i > 0)
			buf_byte(b, ',');
		put_count(b, s->v[i], whole);
	}
	buf_byte(b, ']');
}

void
histogram_print(struct buf *b, const struct histogram *h)
{
	put_key(b, "{count");
	/* this one has a point, so that the others need none */
	if (h->whole)
		put_count(b, h->count, true);
	else
		num_print_om(b, h->count);
	put_key(b, ",sum");
	num_print(b, h->sum);
	put_key(b, ",schema");
	num_print_int(b, h->schema);
	if (h->zero_threshold != 0 || h->zero_count != 0) {
		put_key(b, ",zero_threshold");
		num_print(b, h->zero_threshold);
		put_key(b, ",zero_count");
		put_count(b, h->zero_count, h->whole);
	}
	put_side(b, "negative", &h->negative, h->whole);
	put_side(b, "positive", &h->positive, h->whole);
	if (h->ncustom > 0) {
		put_key(b, ",custom_values");
		for (size_t i = 0; i < h->ncustom; i++) {
			buf_byte(b, i == 0 ? '[' : ',');
			num_print(b, h->custom[i]);
		}
		buf_byte(b, ']');
	}
	if (h->hint != HISTOGRAM_UNKNOWN) {
		put_key(b, ",hint");
		buf_z(b, hints[h->hint]);
	}
	buf_byte(b, '}');
}

/* A number as the API writes it: 'f', but very small and large ones 'e'. */
static void
put_number(struct buf *b, double v)
{
	double abs = fabs(v);

	buf_byte(b, '"');
	num_format(
	    b, v, abs != 0 && (abs < 1e-6 || abs >= 1e21) ? 'e' : 'f', -1);
	buf_byte(b, '"');
}

void
histogram_json(struct buf *b, const struct histogram *h)
{
	struct arena a = { 0 };
	struct histogram_bucket *v;
	const char *before = ",\"buckets\":[[";
	size_t n;

	buf_z(b, "{\"count\":");
	put_number(b, h->count);
	buf_z(b, ",\"sum\":");
	put_number(b, h->sum);
	v = histogram_list(h, &a, &n);
	for (size_t i = 0; i < n; i++) {
		/* Upstream's list has no zero bucket that is negative. */
		if (v[i].count == 0 ||
		    (v[i].lower_in && v[i].upper_in && !(v[i].count > 0)))
			continue;
		buf_z(b, before);
		/* 0: (a,b], 1: [a,b), 2: (a,b), 3: [a,b] */
		num_print_int(b,
		    v[i].lower_in ? (v[i].upper_in ? 3 : 1)
				  : (v[i].upper_in ? 0 : 2));
		buf_byte(b, ',');
		put_number(b, v[i].lower);
		buf_byte(b, ',');
		put_number(b, v[i].upper);
		buf_byte(b, ',');
		put_number(b, v[i].count);
		buf_byte(b, ']');
		before = ",[";
	}
	if (before[1] == '[')
		buf_byte(b, ']');
	buf_byte(b, '}');
	arena_fini(&a);
}
