/*
 * The functions of the language: name, signature and what computes them.  A
 * new function is one row and one C function in the file of its family
 * (fn_*.c), each of which has a table.
 */
#ifndef PROMQL_FUNC_H
#define PROMQL_FUNC_H

#include "promql/ast.h"

struct eval;
struct grid;
struct sink;
struct window;
struct mixed_window;
struct histogram;
struct slides;

enum func_flags {
	FUNC_TIME = 1,      /* depends on the evaluation time: never fixed */
	FUNC_KEEP_NAME = 2, /* leaves the metric's name alone */
	FUNC_COUNTER = 4,   /* wants a counter: says so if the name denies it */
	FUNC_ANCHORED = 8,  /* takes x[5m] anchored */
	FUNC_SMOOTHED = 16, /* takes x[5m] smoothed */
	FUNC_RESETS = 32,   /* reads the window's resets */
	FUNC_ZONE = 64,     /* takes a time zone behind its vector: ours */
};

#define FUNC_ARGS 16

/*
 * args is a letter an argument: v instant vector, m range vector, s scalar,
 * t string.  variadic: how often more the last one may stand, which then may
 * also be left out; -1: any number of times.
 */
struct func {
	const char *name;
	const char *args;
	int variadic;
	enum promql_type type;
	unsigned flags;
	/* One of these; none: parsed, but not evaluated yet. */
	double (*map)(double v, const double *args);
	bool (*window)(const struct window *w, const double *args, double *out);
	/* Beside window: every window of a series of floats (slide.h). */
	bool (*slide)(struct slides *s, const double *const *args, double *out);
	/*
	 * Beside window: what to do where there are histograms; the value is
	 * *h, or *out where that stays NULL.  Without it they are passed over.
	 */
	bool (*mixed)(const struct mixed_window *w, const double *args,
	    double *out, struct histogram **h);
	/* Beside window: looks at its scalar arguments, n steps of each. */
	int (*check)(
	    struct eval *ev, const struct node *call, double **cols, size_t n);
	int (*scalar)(struct eval *ev, const struct node *call,
	    const struct grid *g, double *out);
	int (*vector)(struct eval *ev, const struct node *call,
	    const struct grid *g, const struct sink *out);
};

/* By name, case-sensitive; NULL if there is none. */
const struct func *promql_func(str name);

/* May it be used with these features? */
bool promql_func_enabled(const struct func *f, unsigned features);

#endif
