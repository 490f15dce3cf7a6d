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
};

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
	bool late_names;
	size_t samples, max_samples;
	struct notes notes;
	struct arena *out; /* what the result refers to */
	struct arena *a;   /* freed when the query ends */
	struct error *e;
};

/* Is there no value at this step?  Hot everywhere, hence inline. */
static inline bool
absent(double v)
{
	return isnan(v) && num_is_stale(v);
}

/* A column of n steps, in the query's arena. */
double *promql_column(struct eval *ev, size_t n);
void promql_clear(double *v, size_t n);

/* Hand a row on, unless it has no value at any step. */
int promql_emit(const struct sink *out, struct row *r, size_t n);

/* Count n samples held against the limit; -1 and the message beyond it. */
int promql_count(struct eval *ev, size_t n);

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

/* selector.c */

/* A column of samples without staleness markers, times rising. */
struct column {
	const int64_t *t;
	const double *v;
	size_t n;
};

/*
 * What a window function sees: samples lo <= i < hi of the column lie in
 * (from, to]; those around them are there for who needs them.
 */
struct window {
	const int64_t *t;
	const double *v;
	size_t lo, hi, total;
	int64_t from, to;       /* the range's bounds, offset applied */
	int64_t now;            /* the evaluation time */
	const size_t *resets;   /* i with v[i] < v[i - 1], rising */
	size_t nresets;         /* those below hi; see first_reset */
	size_t first_reset;     /* the first with i > lo */
	int64_t oldest, newest; /* lookback before from, and after to */
	enum word extend;
};

int promql_select(struct eval *ev, const struct node *n, const struct grid *g,
    bool times, const struct sink *out);
/*
 * Each series of a range selector or subquery (n) with its samples over all
 * windows of the grid, into each().
 */
int promql_raw(struct eval *ev, const struct node *n, const struct grid *g,
    int (*each)(void *self, struct row *r, const struct column *c), void *self);
int promql_windows(struct eval *ev, const struct node *call,
    const struct grid *g, const struct sink *out);

/* binary.c, aggregate.c */
int promql_binary(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out);
/* op on two present values; false: a comparison that does not hold. */
bool promql_operate(enum word op, double a, double b, double *out);
int promql_aggregate(struct eval *ev, const struct node *n,
    const struct grid *g, const struct sink *out);

/* Neumaier's compensated sum: add v to *sum, whose lost part is *c. */
void promql_sum(double v, double *sum, double *c);
/* The q-quantile of n values, which are sorted by it; NaN is smallest. */
double promql_quantile(double q, double *v, size_t n);

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
