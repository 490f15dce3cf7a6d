/*
 * All windows of one series, for functions that need not see each on its own
 * (slide.c).  Private to promql/.  Lives in the query's arena.
 */
#ifndef PROMQL_SLIDE_H
#define PROMQL_SLIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct column;
struct eval;
struct grid;
struct place;

struct slides {
	struct eval *ev;
	const struct place *p;
	const struct grid *g;
	/* Samples lo[i] <= k < hi[i] are in the window of step i. */
	size_t *lo, *hi, steps;
	size_t work, most; /* the windows' sizes: together, the largest */
	int64_t *t;        /* a copy of the times they are of */
	size_t total, tcap;
	bool fresh; /* not those of the series before */
	const double *v;
	const size_t *resets; /* as in struct window, of the whole series */
	size_t nresets;
	double *room[5]; /* scratch, kept from series to series */
	size_t cap[5];
	size_t *place, placecap;
};

/* The windows of a column; the steps never change. */
void promql_slides_set(struct slides *s, const struct place *p,
    const struct grid *g, const struct column *c);

/*
 * A function at every step; args holds a column for each scalar argument.
 * False: not for this series, see to each window.
 */
typedef bool promql_slide(
    struct slides *s, const double *const *args, double *out);
promql_slide promql_slide_rate, promql_slide_increase, promql_slide_delta;
promql_slide promql_slide_changes, promql_slide_resets;
promql_slide promql_slide_min, promql_slide_max;
promql_slide promql_slide_sum, promql_slide_avg, promql_slide_quantile;

#endif
