/*
 * Native histograms in an engine's answer.  The API gives bounds, not schemas:
 * buckets whose bounds are a factor 2^2^-n apart at its powers are of schema
 * n; others, if all go up one by one, are taken as custom ones.
 */
#include "wire/promapi_impl.h"

#include <math.h>

#include "base/num.h"

struct bound {
	int rule;
	double lower, upper, count;
};

static int
number(const struct json_value *j, double *v)
{
	if (j == NULL || j->kind != JSON_STRING ||
	    num_parse(j->string, v) == -1)
		return -1;
	if (isnan(*v))
		*v = num_nan();
	return 0;
}

/* [rule, "lower", "upper", "count"], ... */
static int
bounds(const struct json_value *list, struct arena *a, struct bound **out,
    struct error *e)
{
	*out = arena_array(a, list->n, struct bound);
	for (size_t i = 0; i < list->n; i++) {
		const struct json_value *j = &list->v[i];
		struct bound *b = &(*out)[i];

		if (j->kind != JSON_ARRAY || j->n != 4 ||
		    j->v[0].kind != JSON_NUMBER || !j->v[0].is_int ||
		    number(&j->v[1], &b->lower) == -1 ||
		    number(&j->v[2], &b->upper) == -1 ||
		    number(&j->v[3], &b->count) == -1 ||
		    !(b->lower <= b->upper) ||
		    (i > 0 && !(b->lower >= b[-1].upper)))
			return error_set(e, "answer: a bad histogram bucket");
		b->rule = (int)j->v[0].integer;
	}
	return 0;
}

/*
 * The place of a bucket in a schema, INT64_MIN if it is not of it.  The first
 * one may begin later: where zero ends.
 */
static int64_t
place(int schema, double zero, double lower, double upper)
{
	double index = ldexp(log2(upper), schema), below, near;

	if (!(lower > 0) || isinf(upper))
		return INT64_MIN;
	near = rint(index);
	below = ldexp(log2(lower), schema);
	if (fabs(index - near) > 1e-4 || below < near - 1 - 1e-4 ||
	    (below > near - 1 + 1e-4 && lower != zero) || fabs(near) > 1e6)
		return INT64_MIN;
	return (int64_t)near;
}

/* Add a bucket with more than all before it. */
static void
put(struct histogram_side *s, int64_t *last, int64_t index, double count)
{
	int64_t gap = s->n == 0 ? index : index - *last - 1;

	if (s->n == 0 || gap > 0)
		s->spans[s->nspans++] =
		    (struct histogram_span){ (int32_t)gap, 1 };
	else
		s->spans[s->nspans - 1].length++;
	s->v[s->n++] = count;
	*last = index;
}

static void
room(struct histogram_side *s, size_t n, struct arena *a)
{
	s->spans = arena_array(a, n, struct histogram_span);
	s->v = arena_array(a, n, double);
	s->n = s->nspans = 0;
}

/* The buckets as those of a schema; false if they are not. */
static bool
exponential(struct histogram *h, int schema, const struct bound *b, size_t n,
    struct arena *a)
{
	int64_t last = 0, i;

	h->schema = schema;
	h->zero_count = h->zero_threshold = 0;
	room(&h->negative, n, a);
	room(&h->positive, n, a);
	for (size_t k = 0; k < n; k++)
		if (b[k].rule == 3 && b[k].lower == -b[k].upper) {
			h->zero_threshold = b[k].upper;
			h->zero_count = b[k].count;
		}
	for (size_t k = n; k-- > 0;) {
		if (!(b[k].upper < 0))
			continue;
		i = place(schema, h->zero_threshold, -b[k].upper, -b[k].lower);
		if (i == INT64_MIN || (h->negative.n > 0 && i <= last))
			return false;
		put(&h->negative, &last, i, b[k].count);
	}
	for (size_t k = 0; k < n; k++) {
		if (b[k].upper < 0 ||
		    (b[k].rule == 3 && b[k].lower == -b[k].upper))
			continue;
		i = place(schema, h->zero_threshold, b[k].lower, b[k].upper);
		if (i == INT64_MIN || (h->positive.n > 0 && i <= last))
			return false;
		put(&h->positive, &last, i, b[k].count);
	}
	return true;
}

/* The buckets by their own bounds. */
static void
custom(struct histogram *h, const struct bound *b, size_t n, struct arena *a)
{
	struct histogram_side *s = &h->positive;
	double *v = arena_array(a, 2 * n, double);
	int64_t last = 0;
	size_t k = 0;

	h->schema = HISTOGRAM_CUSTOM;
	h->zero_count = h->zero_threshold = 0;
	room(&h->negative, 0, a);
	room(s, n, a);
	for (size_t i = 0; i < n; i++) {
		if (!isinf(b[i].lower) && (k == 0 || v[k - 1] < b[i].lower))
			v[k++] = b[i].lower;
		put(s, &last, (int64_t)k, b[i].count);
		if (!isinf(b[i].upper) && (k == 0 || v[k - 1] < b[i].upper))
			v[k++] = b[i].upper;
	}
	h->custom = v;
	h->ncustom = k;
}

int
promapi_histogram(const struct json_value *j, struct arena *a,
    struct histogram *h, struct error *e)
{
	const struct json_value *list = json_find(j, "buckets");
	struct bound *b = NULL;
	size_t n = 0;

	*h = (struct histogram){ .hint = HISTOGRAM_UNKNOWN };
	if (number(json_find(j, "count"), &h->count) == -1 ||
	    number(json_find(j, "sum"), &h->sum) == -1 ||
	    (list != NULL && list->kind != JSON_ARRAY))
		return error_set(e, "answer: a bad histogram");
	if (list != NULL) {
		n = list->n;
		if (bounds(list, a, &b, e) == -1)
			return -1;
	}
	for (int k = 0; k <= HISTOGRAM_MAX - HISTOGRAM_MIN; k++)
		if (exponential(
			h, k <= HISTOGRAM_MAX ? k : HISTOGRAM_MAX - k, b, n, a))
			return 0;
	custom(h, b, n, a);
	return 0;
}
