/*
 * The parts of the test language, private to promql/: what promql_test() of
 * promql.h runs.  A file is read line by line; all that is read from it lives
 * in the tester's arena until its end.  A function that finds a fault sets
 * the message and, in the tester, where in the line it is.
 */
#ifndef PROMQL_TEST_H
#define PROMQL_TEST_H

#include "base/num.h"
#include "metric/series.h"
#include "promql/ast.h"

/* A marker that is loaded, as against a place where nothing is. */
#define TEST_MARKER (NUM_STALE_BITS | 8)

/* Of values: as many as a file may hold, twice, are still times in ms. */
#define TEST_STEP_MAX INT64_C(460000000000)

/* A histogram of a test; hinted: its hint was written, so it counts. */
struct test_hist {
	struct histogram h;
	bool hinted;
};

/* One expected or loaded series; values stand on the steps. */
struct test_series {
	struct labels ls;
	double *v;            /* the staleness marker: none */
	struct test_hist **h; /* beside v; where set, it is the value */
	size_t n, cap;
	int64_t *start; /* nstarts, from the samples' times; INT64_MAX: none */
	size_t nstarts;
};

enum test_want {
	TEST_FAIL,
	TEST_WARN,
	TEST_INFO,
	TEST_NO_WARN,
	TEST_NO_INFO,
	TEST_WANTS
};

/* What an annotation or a failure must say; neither: anything. */
struct test_text {
	enum test_want kind;
	str msg, regex;
	struct re *re;
};

/* One eval command and what is expected of it. */
struct test_eval {
	size_t line;
	str head, expr;
	bool range, ordered, scalar, wants[TEST_WANTS];
	int64_t from, to, step;
	struct test_series *v;
	size_t n, cap;
	struct test_text *texts;
	size_t ntexts, textcap;
	double number;
	bool has_string, has_matrix;
	str string;
	int64_t mfrom, mto, mstep;
};

struct test_reader {
	str text; /* what is left of the file */
	size_t line;
	str now;        /* the line read last, with its blanks */
	const char *at; /* in it, where a fault is */
	size_t values;  /* loaded and expected so far */
	struct series_set *set;
	struct arena a;
	struct error e;
};

/* The next line without blanks at its ends; a comment is an empty one. */
bool promql_test_line(struct test_reader *t, str *line);
/* The first word of s, which moves behind it and the blanks there. */
str promql_test_word(str *s);
/* A duration with a sign as the first word of s; -1: it is none. */
int promql_test_time(struct test_reader *t, str *s, int64_t *ms);
/* Set the message; the fault is where s is.  Returns -1. */
int promql_test_bad(struct test_reader *t, str at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* test_series.c: `series value value ...` */
int promql_test_series(struct test_reader *t, str line, struct test_series *s);
/* The lines behind a load, to the next blank one, into the set. */
int promql_test_load(struct test_reader *t, int64_t step, bool nhcb);

/* test_hist.c: a "{{...}}" at the start of s, which moves behind it. */
int promql_test_hist(struct test_reader *t, str *s, struct test_hist **out);
/* As it is written in a test. */
void promql_test_print_hist(
    struct buf *b, const struct histogram *h, struct arena *a);
/* x and sign times y, as "+{{...}}" counts on; NULL: they do not go. */
struct test_hist *promql_test_hist_add(const struct test_hist *x,
    const struct test_hist *y, double sign, struct arena *a);
bool promql_test_hist_equal(
    const struct test_hist *want, const struct histogram *got, struct arena *a);
/* The same value, to a millionth. */
bool promql_test_equal(double a, double b);

/* Cumulative buckets, sorted here, to a histogram; NULL if they fall. */
struct test_bound {
	double le, count;
};
struct histogram *promql_test_nhcb(struct test_bound *b, size_t n, double count,
    bool has_count, double sum, struct arena *a);

/* test_expect.c: an eval's line, a line of its body, and the whole at last. */
int promql_test_command(struct test_reader *t, struct test_eval *ev, str line);
int promql_test_body(struct test_reader *t, struct test_eval *ev, str line);
int promql_test_sound(struct test_reader *t, struct test_eval *ev);
void promql_test_eval_fini(struct test_eval *ev);
bool promql_test_says(const struct test_text *x, str s);

/*
 * test_compare.c: is r what is expected?  If not, why gets lines that say what
 * is wrong, the last of them a diff, and false comes back.
 */
bool promql_test_compare(const struct test_eval *ev,
    const struct promql_result *r, struct arena *a, struct buf *why);

/* test_run.c: run it, and again in its other forms. */
bool promql_test_run(
    struct test_reader *t, const struct test_eval *ev, struct buf *why);

#endif
