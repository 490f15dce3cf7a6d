/*
 * Expressions of the command line, evaluated over a range by whatever the
 * input is: samples of a stream, a store, a remote engine.
 */
#ifndef PLOT_ASK_H
#define PLOT_ASK_H

#include "input.h"
#include "plot_gather.h"
#include "tool.h"

struct ask;

/* Parse n expressions and w's marks; NULL and the message on error. */
struct ask *ask_new(
    const char *const *exprs, size_t n, const struct view *w, struct error *e);
void ask_free(struct ask *q);

/* How long before the chart's begin samples are needed, in ms. */
int64_t ask_reach(const struct ask *q);

/*
 * Evaluate all over the range that w says (by default: of the stream's
 * samples, or the last hour), at a step for dots points (or --step), into p;
 * TOOL_OK, or the exit status that the message is for.
 */
enum tool_exit ask_plot(struct ask *q, struct input *in, struct series_set *set,
    const struct view *w, int dots, struct arena *a, struct plot *p,
    struct error *e);

/* Exits 2 if the chart ends before it begins, by what was given. */
void view_check(const struct view *w);

#endif
