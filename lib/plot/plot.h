/*
 * Pictures of series: a chart is described once (struct plot) and drawn as
 * text or SVG.  The rules of good taste it follows are those of the reference
 * (round ticks, one unit an axis, honest gaps, M4 downsampling); nothing here
 * reads a clock, a terminal or the environment.
 */
#ifndef PLOT_PLOT_H
#define PLOT_PLOT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/error.h"
#include "metric/label.h"

struct plot_series {
	struct labels labels;
	const int64_t *t; /* ms, rising */
	const double *v;  /* NaN and the staleness marker are gaps */
	size_t n;
};

/* A vertical mark: one moment, or a span to until (0: none). */
struct plot_mark {
	int64_t t, until;
	str text;
};

struct plot {
	str title;
	const struct plot_series *v;
	size_t n;
	int64_t from, to, step; /* step 0: unknown, no bridging beyond median */
	str unit;               /* "bytes", "s", "percent", "short", ""... */
	double warn, crit;      /* NaN: none */
	const struct plot_mark *marks;
	size_t nmarks;
	const struct date_zone *zone; /* NULL: UTC */
	str zone_name;                /* as the header shows it */
};

enum plot_color {
	PLOT_MONO,
	PLOT_16,
	PLOT_256,
	PLOT_RGB,
};

struct plot_text_opts {
	int width, height; /* cells */
	bool ascii;        /* no UTF-8 */
	enum plot_color color;
};

/* Is this a unit we know? */
bool plot_unit_valid(str unit);

/* One value with its unit, three significant digits. */
void plot_value(struct buf *b, double v, str unit);

/* The chart as lines of text. */
void plot_text(
    struct buf *b, const struct plot *p, const struct plot_text_opts *o);

/* The chart as one <svg> element, width and height in pixels. */
void plot_svg(struct buf *b, const struct plot *p, int width, int height);

/* The same as a page of its own, with the chart as wide as the window. */
void plot_html(struct buf *b, const struct plot *p, int width, int height);

/* Is there no finite sample to draw? */
bool plot_empty(const struct plot *p);

/* Did the last value of any series reach crit or warn? 2, 1 or 0. */
int plot_crossed(const struct plot *p);

#endif
