/*
 * Functions of histograms.  A classic one is a set of series that differ in
 * "le" alone, with cumulative counts; rows are put together again by their
 * other labels and looked at step by step.  A native one with the same labels
 * at the same step stands in each other's way: neither counts.  What is done
 * with a native one's buckets is in native.c.
 */
#include "promql/eval.h"

#include <float.h>
#include <stdlib.h>

struct bucket {
	double le, count;
};

/* The rows of one histogram. */
struct family {
	struct labels ls; /* without le */
	bool drop;
	double *le;
	double **counts;
	size_t n, cap, ccap;
	const struct histogram **native; /* by step, or NULL */
};

struct families {
	struct eval *ev;
	const struct node *arg;
	size_t steps;
	struct map index;
	struct family *v;
	size_t n, cap;
	struct buf key;
	double *column;    /* of a result */
	struct bucket *at; /* the buckets at one step */
	size_t widest;     /* histogram, in buckets */
	struct label_room room;
};

static void
add_bucket(struct families *f, struct family *h, double le, const struct row *r)
{
	struct arena *a = f->ev->a;
	double *v = promql_column(f->ev, f->steps);

	memcpy(v, r->v, f->steps * sizeof(*v));
	h->le = arena_grow(a, h->le, &h->cap, h->n + 1, sizeof(double));
	h->counts =
	    arena_grow(a, h->counts, &h->ccap, h->n + 1, sizeof(double *));
	h->le[h->n] = le;
	h->counts[h->n++] = v;
	h->drop |= r->drop;
	if (h->n > f->widest)
		f->widest = h->n;
}

static struct family *
family_of(struct families *f, struct labels ls)
{
	struct arena *a = f->ev->a;
	struct map_slot *slot;
	bool fresh;

	buf_reset(&f->key);
	label_key(&f->key, ls);
	slot = map_add(&f->index, buf_str(&f->key), &fresh);
	if (fresh) {
		slot->key = arena_dup(a, slot->key);
		slot->v.i = f->n;
		f->v = arena_grow(a, f->v, &f->cap, f->n + 1, sizeof(*f->v));
		memset(&f->v[f->n], 0, sizeof(*f->v));
		f->v[f->n++].ls = label_dup(a, ls);
	}
	return &f->v[slot->v.i];
}

/* Put the native histograms of a row apart; are floats left? */
static bool
native_row(struct families *f, struct row *r)
{
	struct family *h = family_of(f, r->ls);

	h->drop |= r->drop;
	if (h->native == NULL)
		h->native = promql_histograms(f->ev, f->steps);
	for (size_t i = 0; i < f->steps; i++)
		if (!absent(r->v[i]) && r->h[i] != NULL)
			h->native[i] = r->h[i];
	(void)promql_floats(r, f->steps);
	for (size_t i = 0; i < f->steps; i++)
		if (!absent(r->v[i]))
			return true;
	return false;
}

static int
bucket_row(void *self, struct row *r)
{
	struct families *f = self;
	str le = label_find(r->ls, STR("le"));
	struct label_set set;
	double bound;

	if (r->h != NULL && !native_row(f, r))
		return 0;

	if (num_parse(le, &bound) == -1) {
		str name = label_find(r->ls, LABEL_NAME);

		promql_note(f->ev, NOTE_WARNING, f->arg,
		    "bucket label \"le\" is missing or has a malformed value "
		    "of \"%.*s\" for metric name \"%.*s\"",
		    STR_ARG(le), STR_ARG(name));
		return 0;
	}
	label_init(&set, r->ls);
	label_unset(&set, STR("le"));
	add_bucket(f, family_of(f, label_view(&set)), bound, r);
	label_fini(&set);
	return 0;
}

static int
le_cmp(const void *a, const void *b)
{
	const struct bucket *x = a, *y = b;

	return (x->le > y->le) - (x->le < y->le);
}

/* The buckets of h at a step, in order, equal bounds made one. */
static size_t
buckets(const struct family *h, size_t step, struct bucket *b)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < h->n; i++)
		if (!absent(h->counts[i][step]))
			b[n++] =
			    (struct bucket){ h->le[i], h->counts[i][step] };
	if (n == 0)
		return 0;
	qsort(b, n, sizeof(*b), le_cmp);
	for (size_t i = 1; i < n; i++)
		if (b[i].le == b[k].le)
			b[k].count += b[i].count;
		else
			b[++k] = b[i];
	return k + 1;
}

/* Do two counts differ by rounding alone? */
static bool
nearly(double a, double b)
{
	double sum = fabs(a) + fabs(b), diff = fabs(a - b);

	if (a == 0 || b == 0 || sum < DBL_MIN)
		return diff < 1e-12 * DBL_MIN;
	return diff / fmin(sum, DBL_MAX) < 1e-12;
}

/* Counts must not fall: true if any did by more than rounding. */
static bool
make_monotonic(struct bucket *b, size_t n)
{
	double prev = b[0].count;
	bool forced = false;

	for (size_t i = 1; i < n; i++) {
		if (b[i].count == prev)
			continue;
		if (nearly(prev, b[i].count)) {
			b[i].count = prev;
		} else if (b[i].count < prev) {
			b[i].count = prev;
			forced = true;
		} else
			prev = b[i].count;
	}
	return forced;
}

static double
quantile(double q, struct bucket *b, size_t n, bool *forced)
{
	double total, rank, low = 0, count;
	size_t i = 0;

	if (isnan(q))
		return num_nan();
	if (q < 0)
		return -INFINITY;
	if (q > 1)
		return INFINITY;
	if (n == 0 || !isinf(b[n - 1].le) || b[n - 1].le < 0)
		return num_nan();
	*forced = make_monotonic(b, n);
	total = b[n - 1].count;
	if (n < 2 || total == 0 || isnan(total))
		return num_nan();
	rank = q * total;
	while (i < n - 1 && !(b[i].count >= rank))
		i++;
	if (i == n - 1)
		return b[n - 2].le;
	if (i == 0 && b[0].le <= 0)
		return b[0].le;
	count = b[i].count;
	if (i > 0) {
		low = b[i - 1].le;
		count -= b[i - 1].count;
		rank -= b[i - 1].count;
	}
	return low + (b[i].le - low) * (rank / count);
}

/* How many observations are at most v, taken as spread evenly in a bucket. */
static double
rank_of(double v, const struct bucket *b, size_t n)
{
	double below = 0;

	for (size_t i = 0; i < n; i++) {
		double low = i > 0 ? b[i - 1].le : b[0].le <= 0 ? -INFINITY : 0;

		if (low >= v)
			return below;
		if (b[i].le > v) {
			if (isinf(low))
				return b[i].count;
			if (isinf(b[i].le))
				return below;
			return below +
			    (b[i].count - below) * (v - low) / (b[i].le - low);
		}
		below = b[i].count;
	}
	return n > 0 ? b[n - 1].count : 0;
}

static double
fraction(double lower, double upper, struct bucket *b, size_t n)
{
	double total;

	if (n == 0 || !isinf(b[n - 1].le) || b[n - 1].le < 0)
		return num_nan();
	total = b[n - 1].count;
	if (total == 0 || isnan(total) || isnan(lower) || isnan(upper))
		return num_nan();
	if (lower >= upper)
		return 0;
	return (fmin(rank_of(upper, b, n), total) -
		   fmin(rank_of(lower, b, n), total)) /
	    total;
}

static int
families_of(struct families *f, struct eval *ev, const struct node *arg,
    const struct grid *g)
{
	struct sink in = { bucket_row, f };

	memset(f, 0, sizeof(*f));
	f->ev = ev;
	f->arg = arg;
	f->steps = g->n;
	if (promql_vector(ev, arg, g, &in) == -1)
		return -1;
	f->column = promql_column(ev, g->n);
	f->at = arena_array(ev->a, f->widest, struct bucket);
	return 0;
}

static void
families_fini(struct families *f)
{
	map_fini(&f->index);
	buf_fini(&f->key);
}

static void
note_forced(struct eval *ev, const struct node *arg, struct labels ls)
{
	str name = label_find(ls, LABEL_NAME);

	promql_note(ev, NOTE_INFO, arg,
	    "input to histogram_quantile needed to be fixed for monotonicity "
	    "(see https://prometheus.io/docs/prometheus/latest/querying/"
	    "functions/#histogram_quantile) for metric name \"%.*s\"",
	    STR_ARG(name));
}

/* The native histogram at a step, *n classic buckets beside it. */
static const struct histogram *
native_at(struct families *f, const struct family *h, size_t step, size_t *n)
{
	const struct histogram *native =
	    h->native != NULL ? h->native[step] : NULL;
	str name = label_find(h->ls, LABEL_NAME);

	if (native == NULL || *n == 0)
		return native;
	*n = 0;
	promql_note(f->ev, NOTE_WARNING, f->arg,
	    "vector contains a mix of classic and native histograms%s%.*s%s",
	    name.n > 0 ? " for metric name \"" : "", STR_ARG(name),
	    name.n > 0 ? "\"" : "");
	return NULL;
}

/* The row of one histogram's quantiles, q one a step. */
static int
quantile_row(struct families *f, const struct family *h, const double *q,
    struct labels ls, struct rows *rows)
{
	struct eval *ev = f->ev;
	struct bucket *b = f->at;
	struct row r = { ls, h->drop, f->column, NULL };
	struct sink out = { promql_rows_add, rows };

	for (size_t i = 0; i < f->steps; i++) {
		bool forced = false;
		size_t n = buckets(h, i, b);
		const struct histogram *native = native_at(f, h, i, &n);

		r.v[i] = native != NULL
		    ? promql_native_quantile(ev, f->arg, h->ls, q[i], native)
		    : n == 0 ? num_stale()
			     : quantile(q[i], b, n, &forced);
		if (forced)
			note_forced(ev, f->arg, h->ls);
	}
	promql_drop_name(ev, &r, &f->room);
	return promql_emit(&out, &r, f->steps);
}

static int
fn_histogram_quantile(struct eval *ev, const struct node *call,
    const struct grid *g, const struct sink *out)
{
	double *q = promql_column(ev, g->n);
	struct families f = { 0 };
	struct rows rows;
	int rc;

	promql_rows_init(&rows, ev, g->n);
	rows.merge = true;
	rc = promql_scalar(ev, call->arg[0], g, q);
	if (rc == 0)
		rc = families_of(&f, ev, call->arg[1], g);
	for (size_t i = 0; i < g->n && rc == 0; i++)
		promql_note_quantile(ev, call->arg[0], q[i]);
	for (size_t i = 0; i < f.n && rc == 0; i++)
		rc = quantile_row(&f, &f.v[i], q, f.v[i].ls, &rows);
	if (rc == 0)
		rc = promql_rows_emit(&rows, out);
	promql_rows_fini(&rows);
	families_fini(&f);
	return rc;
}

/* One row a histogram and quantile, the quantile as a label. */
static int
quantiles_rows(
    struct families *f, const struct node *call, double **q, struct rows *rows)
{
	str name = promql_inner(call->arg[1])->text;

	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k + 2 < call->narg; k++) {
			struct label_set set;
			struct buf b = { 0 };
			int rc;

			num_print_om(&b, q[k][0]);
			label_init(&set, f->v[i].ls);
			label_set(&set, name, buf_str(&b));
			rc = quantile_row(
			    f, &f->v[i], q[k], label_view(&set), rows);
			label_fini(&set);
			buf_fini(&b);
			if (rc == -1)
				return -1;
		}
	return 0;
}

static int
fn_histogram_quantiles(struct eval *ev, const struct node *call,
    const struct grid *g, const struct sink *out)
{
	str name = promql_inner(call->arg[1])->text;
	double *q[FUNC_ARGS];
	struct families f = { 0 };
	struct rows rows;
	int rc;

	if (name.n == 0 || !str_utf8(name))
		return promql_fail(ev,
		    "invalid label name in "
		    "histogram_quantiles(): %.*s",
		    STR_ARG(name));
	promql_rows_init(&rows, ev, g->n);
	rows.merge = true;
	rc = promql_scalars(ev, call, g, 2, q);
	if (rc == 0)
		rc = families_of(&f, ev, call->arg[0], g);
	for (size_t k = 0; k + 2 < call->narg && rc == 0; k++)
		for (size_t i = 0; i < g->n; i++)
			promql_note_quantile(ev, call->arg[k + 2], q[k][i]);
	if (rc == 0)
		rc = quantiles_rows(&f, call, q, &rows);
	if (rc == 0)
		rc = promql_rows_emit(&rows, out);
	promql_rows_fini(&rows);
	families_fini(&f);
	return rc;
}

static int
fraction_row(struct families *f, const struct family *h, double **bounds,
    struct rows *rows)
{
	struct eval *ev = f->ev;
	struct bucket *b = f->at;
	struct row r = { h->ls, h->drop, f->column, NULL };
	struct sink out = { promql_rows_add, rows };

	for (size_t i = 0; i < f->steps; i++) {
		size_t n = buckets(h, i, b);
		const struct histogram *native = native_at(f, h, i, &n);

		r.v[i] = native != NULL
		    ? promql_native_fraction(
			  ev, f->arg, h->ls, bounds[0][i], bounds[1][i], native)
		    : n == 0 ? num_stale()
			     : fraction(bounds[0][i], bounds[1][i], b, n);
	}
	promql_drop_name(ev, &r, &f->room);
	return promql_emit(&out, &r, f->steps);
}

static int
fn_histogram_fraction(struct eval *ev, const struct node *call,
    const struct grid *g, const struct sink *out)
{
	double *bounds[2];
	struct families f = { 0 };
	struct rows rows;
	int rc = 0;

	promql_rows_init(&rows, ev, g->n);
	rows.merge = true;
	for (size_t i = 0; i < 2 && rc == 0; i++) {
		bounds[i] = promql_column(ev, g->n);
		rc = promql_scalar(ev, call->arg[i], g, bounds[i]);
	}
	if (rc == 0)
		rc = families_of(&f, ev, call->arg[2], g);
	for (size_t i = 0; i < f.n && rc == 0; i++)
		rc = fraction_row(&f, &f.v[i], bounds, &rows);
	if (rc == 0)
		rc = promql_rows_emit(&rows, out);
	promql_rows_fini(&rows);
	families_fini(&f);
	return rc;
}

/*
 * Of native histograms alone: floats are passed over.
 */

struct natives {
	struct eval *ev;
	const struct sink *out;
	size_t steps;
	double (*value)(const struct histogram *h, struct arena *a);
	struct arena scratch;
	struct label_room room;
};

static int
natives_row(void *self, struct row *r)
{
	struct natives *f = self;

	if (r->h == NULL)
		return 0;
	for (size_t i = 0; i < f->steps; i++) {
		if (absent(r->v[i]))
			continue;
		r->v[i] = r->h[i] != NULL ? f->value(r->h[i], &f->scratch)
					  : num_stale();
		arena_reset(&f->scratch);
	}
	r->h = NULL;
	promql_drop_name(f->ev, r, &f->room);
	return promql_emit(f->out, r, f->steps);
}

static int
natives(struct eval *ev, const struct node *call, const struct grid *g,
    const struct sink *out,
    double (*value)(const struct histogram *h, struct arena *a))
{
	struct natives f = { .ev = ev, .steps = g->n, .value = value };
	struct sink in = { natives_row, &f };
	struct unite u;
	int rc;

	arena_init(&f.scratch);
	f.out = promql_unite_init(
	    &u, ev, g->n, ev->late_names || promql_one_name(call->arg[0]), out);
	rc = promql_unite_fini(&u, promql_vector(ev, call->arg[0], g, &in));
	arena_fini(&f.scratch);
	return rc;
}

static double
count_of(const struct histogram *h, struct arena *a)
{
	(void)a;
	return h->count;
}

static double
sum_of(const struct histogram *h, struct arena *a)
{
	(void)a;
	return h->sum;
}

static double
mean_of(const struct histogram *h, struct arena *a)
{
	(void)a;
	return h->sum / h->count;
}

static double
stddev_of(const struct histogram *h, struct arena *a)
{
	return sqrt(promql_native_variance(h, a));
}

#define NATIVE(name, value)                                                    \
	static int name(struct eval *ev, const struct node *call,              \
	    const struct grid *g, const struct sink *out)                      \
	{                                                                      \
		return natives(ev, call, g, out, value);                       \
	}

NATIVE(fn_histogram_avg, mean_of)
NATIVE(fn_histogram_count, count_of)
NATIVE(fn_histogram_stddev, stddev_of)
NATIVE(fn_histogram_stdvar, promql_native_variance)
NATIVE(fn_histogram_sum, sum_of)

const struct func promql_fn_histogram[] = {
	{ "histogram_avg", "v", 0, PROMQL_VECTOR, 0,
	    .vector = fn_histogram_avg },
	{ "histogram_count", "v", 0, PROMQL_VECTOR, 0,
	    .vector = fn_histogram_count },
	{ "histogram_fraction", "ssv", 0, PROMQL_VECTOR, 0,
	    .vector = fn_histogram_fraction },
	{ "histogram_quantile", "sv", 0, PROMQL_VECTOR, 0,
	    .vector = fn_histogram_quantile },
	{ "histogram_quantiles", "vtss", 9, PROMQL_VECTOR, 0,
	    .vector = fn_histogram_quantiles },
	{ "histogram_stddev", "v", 0, PROMQL_VECTOR, 0,
	    .vector = fn_histogram_stddev },
	{ "histogram_stdvar", "v", 0, PROMQL_VECTOR, 0,
	    .vector = fn_histogram_stdvar },
	{ "histogram_sum", "v", 0, PROMQL_VECTOR, 0,
	    .vector = fn_histogram_sum },
	{ .name = NULL },
};
