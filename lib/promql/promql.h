/*
 * PromQL 3.x: text to tree, tree to text, and evaluation over a struct source.
 *
 *	x = promql_parse(text, &arena, &e);
 *	promql_eval(x, &source, &opts, &arena, &result, &e);
 *
 * An expression and a result live in the arena they were made in; regexes of
 * matchers are freed by promql_free().  Nothing here reads a clock.
 * Grammar and semantics: prometheus.io/docs/prometheus/latest/querying.
 */
#ifndef PROMQL_PROMQL_H
#define PROMQL_PROMQL_H

#include "metric/source.h"

struct promql_expr;

enum promql_type {
	PROMQL_SCALAR,
	PROMQL_STRING,
	PROMQL_VECTOR,
	PROMQL_MATRIX,
};

/*
 * What upstream refuses, or does another way, unless --enable-feature names
 * it.
 */
enum promql_feature {
	PROMQL_FUNCTIONS = 1,    /* promql-experimental-functions */
	PROMQL_EXTENDED = 2,     /* promql-extended-range-selectors */
	PROMQL_FILL = 4,         /* promql-binop-fill-modifiers */
	PROMQL_LATE_NAMES = 8,   /* promql-delayed-name-removal */
	PROMQL_START_TIMES = 16, /* use-start-timestamps */
	PROMQL_EVERYTHING = 31,
};

/* "name,name" as upstream calls them, added to *features. */
int promql_features(str names, unsigned *features, struct error *e);

/*
 * Parse and check; errors are "line:col: parse error: ..." as upstream's.
 * An expression is evaluated with the features it was parsed with.
 */
struct promql_expr *promql_parse_with(
    str text, unsigned features, struct arena *a, struct error *e);
/* With none of them, as a default Prometheus does. */
struct promql_expr *promql_parse(str text, struct arena *a, struct error *e);
void promql_free(struct promql_expr *x);

enum promql_type promql_type(const struct promql_expr *x);
const char *promql_type_text(enum promql_type t);

/*
 * Add text to out with names put in: a name stands for its expression where an
 * operand may stand.  What does not parse is copied as it is from there on.
 */
struct promql_macro {
	str name, text;
};
int promql_expand(struct buf *out, str text, const struct promql_macro *m,
    size_t n, unsigned features, struct error *e);

/* The canonical text on one line (as upstream's String()). */
void promql_print(struct buf *b, const struct promql_expr *x);

/*
 * The same for people (as its Pretty()): what has more than 100 bytes is split
 * into indented lines.
 */
void promql_print_pretty(struct buf *b, const struct promql_expr *x);

/* The tree as a JSON value, as the API's parse_query gives it. */
struct json_writer;
void promql_print_tree(struct json_writer *w, const struct promql_expr *x);

/*
 * How far back from an evaluation time samples may be needed, in ms (ranges,
 * offsets, lookback, subqueries), and how far ahead (negative offsets); false
 * if an absolute @ time makes that unbounded.  How mf-eval sizes its window.
 */
bool promql_reach(const struct promql_expr *x, int64_t lookback, int64_t *back,
    int64_t *ahead);

/* How old a sample may be, in ms, if nothing else is said. */
#define PROMQL_LOOKBACK 300000

/* The API's limit of a range query: points of one series, less one. */
#define PROMQL_MAX_STEPS 11000

/*
 * What one node of the tree did (mf-eval explain).  A node stands before its
 * parts, in the order they are written; depth tells whose part it is.
 */
struct promql_cost {
	const char *kind; /* "vector selector", "aggregation", "call", ... */
	const char *name; /* of the operator or function, or "" */
	str text;         /* as it is written */
	unsigned depth;   /* 0: the whole */
	bool fixed;       /* the same at every step: evaluated at one */
	size_t runs;      /* how often it was evaluated; 0: not on its own */
	size_t reused;    /* how often another's rows were taken for it */
	size_t read;      /* series that the source gave, a selector's */
	size_t samples;   /* in them */
	size_t series, points; /* that it made */
	int64_t ns;            /* its own time, without its parts' */
};

struct promql_costs {
	struct promql_cost *v;
	size_t n;
};

/*
 * How the caller watches a query.  now is a monotonic clock in ns: without it
 * there is no timeout and costs have no times.  stop is asked every few
 * thousand samples: true ends the query with "query was canceled ...".
 */
struct promql_watch {
	int64_t (*now)(void *arg);
	bool (*stop)(void *arg);
	void *arg;
};

struct promql_share;
struct promql_opts {
	int64_t from, to, step; /* ms; step 0 (from == to): instant */
	int64_t lookback;       /* 0: 5 m */
	int64_t subquery_step;  /* 0: 1 m, global.evaluation_interval */
	size_t max_samples;     /* 0: 50,000,000 */
	size_t max_steps;       /* 0: PROMQL_MAX_STEPS */
	size_t max_series;      /* a selector's; 0: no limit */
	int64_t timeout;        /* ms; 0: 2 m; see struct promql_watch */
	const struct promql_watch *watch; /* NULL: nobody does */
	struct promql_costs *costs;       /* filled in the result's arena */
	/* Parts that were expected in it are evaluated once; or NULL. */
	struct promql_share *share;
};

/*
 * n points of one series; an instant answer has one.  Where h is not NULL,
 * h[i] is the native histogram at t[i] and v[i] is 0, or NULL and v[i] it is.
 */
struct promql_series {
	struct labels labels;
	const int64_t *t;
	const double *v;
	const struct histogram *const *h;
	size_t n;
};

/*
 * Why there is no result, where it matters: the API has codes for it.  REFUSED
 * is a fault of the expression: a length of time that is none with this step
 * and range, or what an engine elsewhere can't parse.
 */
enum promql_failure {
	PROMQL_EXECUTION,
	PROMQL_TIMEOUT,
	PROMQL_CANCELED,
	PROMQL_REFUSED,
};

struct promql_result {
	enum promql_failure failure;
	enum promql_type type; /* a range query gives PROMQL_MATRIX */
	const struct promql_series *v;
	size_t n;
	str string;    /* PROMQL_STRING */
	double scalar; /* PROMQL_SCALAR of an instant query */
	int64_t t;     /* of a scalar or string */
	const str *warnings, *infos;
	size_t nwarnings, ninfos;
};

/*
 * A source for expressions that are evaluated one after the other over
 * samples that do not change meanwhile: what several of them select (the same
 * matchers and times that overlap, or three matchers that differ in a value)
 * is read once and kept, up to max samples in all (0: 4 million).  Expect
 * every expression first, with what it will be asked with, then ask; with it
 * among the options parts that they have in common are evaluated once, too.
 * What base is must outlive it, and so must the expressions.  An expression
 * alone sees to its own.
 */
struct promql_share *promql_share_new(const struct source *base, size_t max);
void promql_share_free(struct promql_share *s);
void promql_share_expect(struct promql_share *s, const struct promql_expr *x,
    const struct promql_opts *o);
struct source promql_share_source(struct promql_share *s);

/* May it select a metric with one of the names? */
struct map;
bool promql_touches(const struct promql_expr *x, const struct map *names);

int promql_eval(const struct promql_expr *x, const struct source *src,
    const struct promql_opts *o, struct arena *a, struct promql_result *r,
    struct error *e);

/*
 * A result as the API's data, {"resultType":...,"result":...}, of at most
 * limit series (0: all of them).  full, if not NULL, is called between series
 * when the buffer has grown large, and may take the bytes out of it.
 */
struct json_writer;
void promql_json(struct json_writer *w, const struct promql_result *r,
    size_t limit, void (*full)(void *arg, struct buf *b), void *arg);

/*
 * Does the order of an instant answer mean something (sort, topk), so that it
 * is not the order of labels?
 */
bool promql_ordered(const struct promql_expr *x);

/* Does a series selector appear in it (so that a source is needed)? */
bool promql_selects(const struct promql_expr *x);

/*
 * Parse a series selector alone ("up{job=\"x\"}", as match[] and --match take
 * it) into matchers, in a; their regexes are freed with match_fini().
 */
int promql_parse_matchers(
    str text, struct arena *a, struct match **m, size_t *n, struct error *e);

/*
 * A file of the test language: load, clear, eval and what is expected of it.
 * Each instant evaluation is run as it stands, with @ on its selectors at
 * other times, and as the middle of a range.  All of the language is enabled;
 * the engine is set up as upstream's tests have it.
 */
struct promql_test {
	/*
	 * An evaluation: the line and text of its eval, and why it failed:
	 * lines, the last of them a diff of what was expected (-) and what
	 * came (+).  May be NULL.
	 */
	void (*each)(void *arg, size_t line, str head, bool ok, str why);
	/* What is not in the language; its block is passed over. */
	void (*fault)(void *arg, size_t line, size_t col, const char *msg);
	void *arg;
	size_t passed, failed, faults; /* counted up */
};
void promql_test(struct promql_test *t, str text);

#endif
