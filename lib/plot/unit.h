/*
 * Units by Grafana's ids: how a value is scaled and what stands behind it.  A
 * form is one scaling and one precision, so that a whole axis can share it.
 * Private to plot/.
 */
#ifndef PLOT_UNIT_H
#define PLOT_UNIT_H

#include "base/buf.h"

/* Which numbers look round in a unit. */
enum plot_round {
	PLOT_ROUND_DECIMAL, /* 1 2 5 x 10^n */
	PLOT_ROUND_BINARY,  /* 1 2 4 ... 512 x 1024^n */
	PLOT_ROUND_TIME,    /* minutes, hours, days */
};

struct plot_form {
	double mul;      /* shown = value * mul */
	int decimals;    /* -1: three significant digits */
	char prefix[24]; /* before the number */
	char suffix[40]; /* behind it, with its blank if it has one */
};

/* How to round, and what one of the unit is in its base (ms: 0.001 s). */
enum plot_round plot_unit_round(str unit, double *base);

/* Is it a bare number, of which there may be no halves? */
bool plot_unit_counts(str unit);

/*
 * One form for the ticks lo, lo + step, ... hi: the largest tick chooses the
 * prefix, the step the decimals.
 */
void plot_form_axis(
    struct plot_form *f, str unit, double lo, double hi, double step);

/* A tick in its axis' form: zero is "0" without a unit. */
void plot_form_print(struct buf *b, const struct plot_form *f, double v);

#endif
