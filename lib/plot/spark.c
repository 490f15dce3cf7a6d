/*
 * Eighths of a block by height; the last value stands behind the line when
 * there is room for both.  Each cell shows the highest sample in it, so that a
 * spike is seen; a gap is a blank.
 */
#include "plot/spark.h"

#include <math.h>

#include "plot/downsample.h"
#include "plot/scale.h"
#include "plot/width.h"

static uint32_t
block(const struct plot_scale *s, double v, bool ascii)
{
	static const char *const marks = "_.-=+*%#";
	int i = (int)(plot_scale_at(s, v) * 7 + 0.5);

	return ascii ? (uint32_t)marks[i] : 0x2581 + (uint32_t)i;
}

/* From the lowest to the highest, and from zero where that is near. */
static void
extent(struct plot_scale *s, const struct plot_chart *c)
{
	bool zero = c->lo > 0 && (c->lo < 0.4 * c->hi || c->lo == c->hi);

	s->lo = zero ? 0 : fmax(c->lo, -PLOT_LIMIT);
	s->hi = c->hi > s->lo ? fmin(c->hi, PLOT_LIMIT) : s->lo + 1;
}

static double
top(const struct plot_m4 *m)
{
	double v = m->v[0];

	for (int i = 1; i < m->n; i++)
		v = fmax(v, m->v[i]);
	return v;
}

static void
line(struct plot_grid *g, const struct plot_chart *c, size_t i, int y, int w,
    const struct plot_scale *s)
{
	const struct plot_line *l = &c->v[i];
	struct plot_m4 *m = arena_array(g->a, (size_t)w, struct plot_m4);
	size_t n =
	    plot_m4(m, l->s->t, l->s->v, l->s->n, c->from, c->to, w, l->bridge);
	int pen = l->now == PLOT_CRIT ? PLOT_PEN_CRIT
	    : l->now == PLOT_WARN     ? PLOT_PEN_WARN
				      : PLOT_PEN_SERIES + (int)(i & 0xff);

	for (size_t k = 0; k < n; k++) {
		double b = top(&m[k]), a;
		int from = m[k].col;

		if (k > 0 && m[k].joined)
			from = m[k - 1].col + 1;
		a = k > 0 ? top(&m[k - 1]) : b;
		for (int x = from; x <= m[k].col; x++) {
			double v = b;

			if (x < m[k].col)
				v = a +
				    (b - a) * (x - from + 1) /
					(m[k].col - from + 1);
			plot_grid_put(g, x, y, block(s, v, g->ascii), pen);
		}
	}
}

void
plot_spark(struct plot_grid *g, const struct plot_chart *c)
{
	struct plot_scale s;
	struct buf b = { 0 };
	int y = 0, w = g->w, room = 0;

	if (c->drawn == 0) {
		(void)plot_grid_text(g, 0, 0, STR("no data"), PLOT_PEN_DIM);
		g->h = 1;
		return;
	}
	extent(&s, c);
	/* Values stand in one column if the line keeps four cells. */
	for (size_t i = 0; i < c->n && i < (size_t)g->h; i++) {
		buf_reset(&b);
		plot_value(&b, c->v[i].last, c->p->unit);
		if (c->v[i].n > 0 && plot_width(buf_str(&b)) > room)
			room = plot_width(buf_str(&b));
	}
	if (w - room - 1 >= 4)
		w -= room + 1;
	else
		room = 0;
	for (size_t i = 0; i < c->n && y < g->h; i++) {
		if (c->v[i].n == 0)
			continue;
		line(g, c, i, y, w, &s);
		buf_reset(&b);
		plot_value(&b, c->v[i].last, c->p->unit);
		if (room > 0)
			(void)plot_grid_text(g, g->w - plot_width(buf_str(&b)),
			    y, buf_str(&b), PLOT_PEN_NONE);
		y++;
	}
	g->h = y;
	buf_fini(&b);
}
