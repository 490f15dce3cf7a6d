/*
 * Evaluation, private to promql/: a series at a time over the whole grid of
 * steps.  A vector is never a list in memory: it is pushed, row by row, into
 * a sink.  A row is one series with a dense column of one value a step; where
 * it has none stands the staleness marker, which no stored sample that counts
 * can be.  A row, its labels and its column are valid until the sink returns;
 * the sink may change the column.
 */
#ifndef PROMQL_EVAL_H
#define PROMQL_EVAL_H

#include <math.h>

#include "base/map.h"
#include "base/num.h"
#include "promql/ast.h"
#include "promql/func.h"

/* The steps: from, from + step, ..., n of them. */
struct grid {
	int64_t from, step;
	size_t n;
};

struct row {
	struct labels ls;
	bool drop; /* its name goes when the query ends */
	double *v;
	const struct histogram **h; /* beside v, see below; or NULL */
};

/*
 * Native histograms: where a row has h, h[i] is NULL or the value at step i,
 * and v[i] is then 0 (there is a value).  Where v[i] is absent, h[i] says
 * nothing.  A histogram in a row is not changed and lives until the query
 * ends, so rows share it.
 */

struct sink {
	int (*row)(void *self, struct row *r);
	void *self;
};

struct notes {
	struct map seen;
	str *v[2]; /* warnings, infos */
	size_t n[2], cap[2];
};

struct eval {
	const struct source *src;
	str text;
	struct grid query; /* the outermost grid */
	int64_t range;     /* of the query, in ms */
	int64_t lookback, subquery_step;
	bool late_names, start_times;
	size_t samples, max_samples, max_series;
	const struct promql_watch *watch;
	int64_t deadline, look; /* look: how many samples until the next one */
	enum promql_failure failure;
	struct ledger *ledger; /* NULL: nobody asked what it costs */
	struct twins *twins;   /* NULL: nothing is said twice */
	struct notes notes;
	const struct node *asked;  /* a selector of which little is wanted: */
	struct source_query hints; /* this */
	struct arena *out;         /* what the result refers to */
	struct arena *a;           /* freed when the query ends */
	struct error *e;
};

/* Is there no value at this step?  Hot everywhere, hence inline. */
static inline bool
absent(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return bits == NUM_STALE_BITS;
}

/* A column of n steps, in the query's arena. */
double *promql_column(struct eval *ev, size_t n);
void promql_clear(double *v, size_t n);
/* At how many of n steps is there a value? */
size_t promql_present(const double *v, size_t n);

/* A column of no histograms. */
const struct histogram **promql_histograms(struct eval *ev, size_t n);

/* The histogram of a row at a step that has a value, or NULL. */
static inline const struct histogram *
histogram_at(const struct row *r, size_t i)
{
	return r->h != NULL ? r->h[i] : NULL;
}

/* Take histograms out of a row of n steps; were there any? */
bool promql_floats(struct row *r, size_t n);

/* A sink that does so before it hands rows on. */
struct strip {
	const struct sink *out;
	size_t steps;
};
struct sink promql_strip(struct strip *s, const struct sink *out, size_t steps);

/* "{count:2, sum:3, (1,2]:2}", the text that count_values gives. */
void promql_histogram_text(
    struct buf *b, const struct histogram *h, struct arena *a);

/* How many samples a histogram counts as. */
size_t promql_histogram_size(const struct histogram *h);

/* Hand a row on, unless it has no value at any step. */
int promql_emit(const struct sink *out, struct row *r, size_t n);

/* Count n samples held against the limit; -1 and the message beyond it. */
int promql_count(struct eval *ev, size_t n);

/* watch.c: time limit and interruption; what nodes cost */
void promql_watch_begin(struct eval *ev, const struct promql_opts *o);
int promql_look(struct eval *ev);

/* About n samples were worked on: -1 when the query is to end. */
static inline int
promql_tick(struct eval *ev, size_t n)
{
	return (ev->look -= (int64_t)n) < 0 ? promql_look(ev) : 0;
}

void promql_costs_begin(
    struct eval *ev, const struct node *root, struct promql_costs *c);
void promql_costs_end(struct eval *ev);
/* From now on time is this node's; whose it was.  Only with a ledger. */
struct promql_cost *promql_charge(struct eval *ev, struct promql_cost *to);
struct promql_cost *promql_cost_of(struct eval *ev, const struct node *n);
/* A series was read. */
void promql_cost_read(struct eval *ev, size_t samples);

/* A sink that charges what is behind it to the node above. */
struct meter {
	struct eval *ev;
	struct promql_cost *cost, *above;
	const struct sink *out;
	size_t steps;
};
int promql_metered_row(void *meter, struct row *r);

int promql_vector(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out);
int promql_scalar(
    struct eval *ev, const struct node *n, const struct grid *g, double *out);
/* Scalars of arguments first.. of a call, one column each. */
int promql_scalars(struct eval *ev, const struct node *call,
    const struct grid *g, size_t first, double **cols);

/*
 * Take the name (and __type__, __unit__) off, at once or when the query ends;
 * b is scratch for the labels.
 */
struct label_room {
	struct label *v;
	size_t cap;
};
void promql_drop_name(struct eval *ev, struct row *r, struct label_room *b);
/* The labels without name, type and unit. */
struct labels promql_nameless(
    struct eval *ev, struct labels ls, struct label_room *b);
/* Can no two series of n differ in their names alone? */
bool promql_one_name(const struct node *n);

/*
 * Rows kept: copies of what was pushed into them.  With merge, rows of the
 * same labels become one, and are an error where both have a value.
 */
struct rows {
	struct eval *ev;
	struct row *v;
	size_t n, cap, steps;
	bool merge;
	const char *clash; /* what to say, NULL for the usual */
	struct map index;
	struct buf key;
};

void promql_rows_init(struct rows *r, struct eval *ev, size_t steps);
void promql_rows_fini(struct rows *r);
int promql_rows_add(void *rows, struct row *r);
/* All of them into a sink, in order. */
int promql_rows_emit(struct rows *r, const struct sink *out);
/* Evaluate n into r. */
int promql_rows_of(struct rows *r, const struct node *n, const struct grid *g);

/*
 * Rows on their way into out that lose their names: unless none can become
 * the same as another (apart), they are kept until all are there.  init gives
 * the sink to push into; fini passes what was kept on, if rc is 0, and returns
 * the rc of both.
 */
struct unite {
	struct rows rows;
	struct sink keep;
	const struct sink *out;
};
const struct sink *promql_unite_init(struct unite *u, struct eval *ev,
    size_t steps, bool apart, const struct sink *out);
int promql_unite_fini(struct unite *u, int rc);

/* share.c: one for x alone, if it says something twice; else NULL. */
struct promql_share *promql_share_own(const struct promql_expr *x,
    const struct source *src, const struct promql_opts *o);

/*
 * twin.c: vector() for n, unless its rows are there already.  begin says if
 * selectors may be read twice all the same.
 */
bool promql_twins_begin(struct eval *ev, const struct node *root);
void promql_twins_end(struct eval *ev);
/* The same with those of a share, which are kept in it. */
void promql_twins_expect(struct promql_share *s, const struct promql_expr *x);
void promql_twins_share(
    struct eval *ev, struct promql_share *s, const struct node *root);
void promql_twins_fini(struct promql_share *s);
int promql_once(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out,
    int (*vector)(struct eval *ev, const struct node *n, const struct grid *g,
	const struct sink *out));

/* selector.c */

/* A column of samples without staleness markers, times rising. */
struct column {
	const int64_t *t;
	const double *v;
	const struct histogram *const *h; /* NULL: none in it */
	const int64_t *start;             /* as in source_series */
	size_t n;
};

/* Does sample i count anew, by its start time? */
static inline bool
restarted(const int64_t *start, const int64_t *t, size_t i)
{
	if (start == NULL || start[i] == 0 || start[i] >= t[i] ||
	    start[i] < t[i - 1])
		return false;
	/* where the last one ended: unless that did not know its own start */
	return start[i] > t[i - 1] ||
	    (start[i - 1] != 0 && start[i - 1] < t[i - 1]);
}

/*
 * What a window function sees: samples lo <= i < hi of the column lie in
 * (from, to]; those around them are there for who needs them.
 */
struct window {
	const int64_t *t;
	const double *v;
	size_t lo, hi, total;
	int64_t from, to;     /* the range's bounds, offset applied */
	int64_t now;          /* the evaluation time */
	const int64_t *start; /* as in struct column */
	const size_t *resets; /* i with v[i] < v[i - 1] or restarted, rising */
	size_t nresets;       /* those below hi; see first_reset */
	size_t first_reset;   /* the first with i > lo */
	int64_t oldest, newest; /* lookback before from, and after to */
	enum word extend;
};

/*
 * What a function that knows histograms sees: those of the window (lo <= i <
 * hi, as above), and the window's floats apart.  What it makes lies in a.
 */
struct mixed_window {
	struct window f;
	const int64_t *t;
	const struct histogram *const *h;
	const int64_t *start;
	size_t lo, hi, total;
	struct eval *ev;
	const struct node *range; /* what notes are about */
	struct labels ls;
	struct arena *a;
};

/* What of the samples is the value; of times and starts h says which have h. */
enum select { SELECT_VALUES, SELECT_TIMES, SELECT_STARTS };
int promql_select(struct eval *ev, const struct node *n, const struct grid *g,
    enum select what, const struct sink *out);
/*
 * Each series of a range selector or subquery (n) with its samples over all
 * windows of the grid, into each().
 */
int promql_raw(struct eval *ev, const struct node *n, const struct grid *g,
    int (*each)(void *self, struct row *r, const struct column *c), void *self);
/* Beside what promql_raw does: times of windows, as window.c needs them. */
struct place {
	bool pinned; /* @ holds it still */
	int64_t at, offset, range;
};
int promql_feed(struct eval *ev, const struct node *n, const struct grid *g,
    struct place *p,
    int (*each)(void *self, struct row *r, const struct column *c), void *self);

/* a + b, saturating, so that hostile times cannot wrap; hot, too. */
static inline int64_t
plus(int64_t a, int64_t b)
{
	int64_t r;

	if (__builtin_add_overflow(a, b, &r))
		return b > 0 ? INT64_MAX : INT64_MIN;
	return r;
}

/* The time of step i, and what is looked at from it: its right edge. */
static inline int64_t
step_time(const struct grid *g, size_t i)
{
	return g->from + (int64_t)i * g->step;
}

static inline int64_t
edge(const struct place *p, const struct grid *g, size_t i)
{
	return plus(p->pinned ? p->at : step_time(g, i), -p->offset);
}

int promql_windows(struct eval *ev, const struct node *call,
    const struct grid *g, const struct sink *out);

/*
 * The factor that makes a change over n samples from t0 to t1, the first of
 * them with this value, one over the whole window.  begun, if not 0, is when
 * the first was nothing, which the change has in it.
 */
double promql_extrapolate(const struct window *w, size_t n, int64_t t0,
    int64_t t1, double first, double change, bool counter, int64_t begun);
/* The start of the first sample in a window that saw it; 0: it did not. */
int64_t promql_begun(
    const struct window *w, const int64_t *start, int64_t first);

/* The change of floats over a window; rate: by second. */
bool promql_change(
    const struct window *w, bool counter, bool rate, double *out);

/*
 * extended.c: this part of the way from a to b; NULL if one has custom
 * buckets.  fell: a counter was reset between them, and began at nothing; on
 * top of a, if above.
 */
struct histogram *promql_between(const struct histogram *a,
    const struct histogram *b, double part, bool fell, bool above,
    struct arena *arena);
/* rate and its kin over x[5m] anchored or smoothed. */
bool promql_extended(const struct mixed_window *w, bool counter, bool rate,
    double *out, struct histogram **h);

/* Notes on what is not a counter (a gauge), and on kinds of buckets. */
bool promql_one_kind(const struct mixed_window *w, size_t lo, size_t hi,
    const struct histogram *prev, bool counter, int32_t *schema);
/* The change over the histograms lo to hi, as a gauge; NULL if none. */
struct histogram *promql_histogram_change(
    const struct mixed_window *w, size_t lo, size_t hi, bool counter);
void promql_note_both(const struct mixed_window *w);

/* fn_mixed.c: window functions where there are histograms. */
bool promql_mixed_sum(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h);
bool promql_mixed_avg(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h);
bool promql_mixed_count(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h);
bool promql_mixed_present(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h);
bool promql_mixed_first(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h);
bool promql_mixed_last(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h);
bool promql_mixed_ts_first(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h);
bool promql_mixed_ts_last(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h);
bool promql_mixed_changes(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h);
bool promql_mixed_resets(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h);
bool promql_mixed_rate(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h);
bool promql_mixed_increase(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h);
bool promql_mixed_delta(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h);
bool promql_mixed_irate(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h);
bool promql_mixed_idelta(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h);

/* native.c: functions of a native histogram; notes are about at. */
double promql_native_quantile(struct eval *ev, const struct node *at,
    struct labels ls, double q, const struct histogram *h);
double promql_native_fraction(struct eval *ev, const struct node *at,
    struct labels ls, double lower, double upper, const struct histogram *h);
double promql_native_variance(const struct histogram *h, struct arena *a);

/* binary.c, aggregate.c */
int promql_binary(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out);
/* op on two present values; false: a comparison that does not hold. */
bool promql_operate(enum word op, double a, double b, double *out);
int promql_aggregate(struct eval *ev, const struct node *n,
    const struct grid *g, const struct sink *out);

/*
 * A sum or mean of histograms as it grows (histogram.c).  add gives -1 where
 * exponential and custom buckets meet.
 */
struct tally {
	struct histogram *sum, *c;
	double n;
	bool running; /* the sum would overflow: a running mean */
	bool resets[2];
	unsigned met;
};
int promql_tally(
    struct tally *t, const struct histogram *h, bool mean, struct arena *a);
struct histogram *promql_tally_end(struct tally *t, bool mean);
/* Notes of what was met on the way. */
void promql_tally_notes(
    struct eval *ev, const struct node *at, const struct tally *t);
void promql_note_mix(struct eval *ev, const struct node *at, str metric);

/* Neumaier's compensated sum: add v to *sum, whose lost part is *c. */
void promql_sum(double v, double *sum, double *c);
/* The q-quantile of n values, which are sorted by it; NaN is smallest. */
double promql_quantile(double q, double *v, size_t n);
double promql_quantile_sorted(double q, const double *v, size_t n);

/* fn_time.c: seconds as the clocks in z (NULL: UTC) show them. */
struct date_zone;
double promql_local(double v, const struct date_zone *z);

/* note.c */
enum note_kind { NOTE_WARNING, NOTE_INFO };

/* Once each; at is what it is about. */
void promql_note(struct eval *ev, enum note_kind kind, const struct node *at,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void promql_note_quantile(struct eval *ev, const struct node *at, double q);
void promql_notes_fini(struct notes *n);

/* An error at run time; returns -1. */
int promql_fail(struct eval *ev, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The functions, a table a family; each ends with a row without a name. */
extern const struct func promql_fn_rate[], promql_fn_over_time[],
    promql_fn_math[], promql_fn_label[], promql_fn_time[],
    promql_fn_histogram[], promql_fn_info[], promql_fn_vector[];

#endif
