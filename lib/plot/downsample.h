/*
 * M4 downsampling (Jugel et al. 2014): per column of dots the first, lowest,
 * highest and last sample, which draws the same pixels as all of them and
 * keeps every spike.  Private to plot/.
 */
#ifndef PLOT_DOWNSAMPLE_H
#define PLOT_DOWNSAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Up to four samples of one column in time order, none twice. */
struct plot_m4 {
	int col;
	int n;
	bool joined; /* connected to the column before: no gap between */
	int64_t t[4];
	double v[4];
};

/*
 * Samples of from <= t <= to over cols columns, into out, which has room for
 * cols or n, whichever is less.  What is not finite is a gap, and so is a time
 * between two samples longer than bridge (ms).  Returns how many columns have
 * ink.
 */
size_t plot_m4(struct plot_m4 *out, const int64_t *t, const double *v, size_t n,
    int64_t from, int64_t to, int cols, int64_t bridge);

#endif
