/*
 * One pass over the samples; a column's four are sorted by time as they come.
 */
#include "plot/downsample.h"

#include <math.h>

#include "plot/timeaxis.h"

/* The column being filled: indexes of its samples. */
struct column {
	size_t first, min, max, last;
};

static void
put(struct plot_m4 *m, const int64_t *t, const double *v, size_t i)
{
	if (m->n > 0 && m->t[m->n - 1] == t[i])
		return;
	m->t[m->n] = t[i];
	m->v[m->n++] = v[i];
}

static void
finish(struct plot_m4 *m, const struct column *c, const int64_t *t,
    const double *v)
{
	bool rise = c->min < c->max;

	put(m, t, v, c->first);
	put(m, t, v, rise ? c->min : c->max);
	put(m, t, v, rise ? c->max : c->min);
	put(m, t, v, c->last);
}

size_t
plot_m4(struct plot_m4 *out, const int64_t *t, const double *v, size_t n,
    int64_t from, int64_t to, int cols, int64_t bridge)
{
	struct column c = { 0 };
	size_t k = 0;
	bool broken = true; /* something is missing since the last sample */

	for (size_t i = 0; i < n; i++) {
		int col;

		if (t[i] < from || t[i] > to)
			continue;
		if (!isfinite(v[i])) {
			broken = true;
			continue;
		}
		col = plot_time_col(t[i], from, to, cols);
		if (k > 0 && t[i] - t[c.last] > bridge)
			broken = true;
		if (k == 0 || out[k - 1].col != col) {
			if (k > 0)
				finish(&out[k - 1], &c, t, v);
			out[k].col = col;
			out[k].n = 0;
			out[k++].joined = !broken;
			c = (struct column){ i, i, i, i };
		}
		if (v[i] < v[c.min])
			c.min = i;
		if (v[i] > v[c.max])
			c.max = i;
		c.last = i;
		broken = false;
	}
	if (k > 0)
		finish(&out[k - 1], &c, t, v);
	return k;
}
