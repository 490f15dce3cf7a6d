/*
 * A chart as text.  First the page is divided (what does not fit is given up
 * in a fixed order: the table, the legend line, the grid, the time labels),
 * then drawn in the order of ink: grid, thresholds, marks, data, letters.
 */
#include <math.h>
#include <stdlib.h>

#include "plot/canvas.h"
#include "plot/chart.h"
#include "plot/downsample.h"
#include "plot/grid.h"
#include "plot/legend.h"
#include "plot/scale.h"
#include "plot/spark.h"
#include "plot/spread.h"
#include "plot/timeaxis.h"
#include "plot/width.h"
#include "plot/words.h"

/* Below this a chart is a sparkline. */
#define MIN_WIDTH 20
#define MIN_HEIGHT 5

/* Rows of plot that a legend table, a legend line and a grid must leave. */
#define TABLE_ROWS 8
#define LINE_ROWS 4
#define GRID_ROWS 4

/* Everything about one drawing. */
struct page {
	struct plot_grid g;
	struct plot_canvas ink;
	struct plot_m4 *m4; /* one a column of dots */
	const struct plot_chart *c;
	struct plot_scale y;
	struct plot_timeaxis x;
	str *labels; /* of the y ticks, from the bottom */
	int left;    /* column of the axis */
	int cols;    /* cells of the plot */
	int top;     /* row of the plot's first line */
	int table;   /* rows of the table, 0: none */
	bool line, note, dates, grid, times;
};

static str
tick_label(struct page *p, int i)
{
	struct buf b = { 0 };
	str s;

	plot_form_print(&b, &p->y.form, plot_scale_tick(&p->y, i));
	s = p->g.ascii ? plot_plain(p->g.a, buf_str(&b))
		       : arena_dup(p->g.a, buf_str(&b));
	buf_fini(&b);
	return s;
}

/* The y axis in at most rows rows, and what is left for the plot's width. */
static void
scale(struct page *p, int rows)
{
	const struct plot_chart *c = p->c;
	int letters = c->n > 1 && !p->g.ascii ? 2 : 0;

	plot_scale(&p->y, c->lo, c->hi, rows, true, c->p->unit, c->counts);
	p->labels = arena_array(p->g.a, (size_t)p->y.n + 1, str);
	p->left = 1;
	for (int i = 0; i <= p->y.n && c->drawn > 0; i++) {
		p->labels[i] = tick_label(p, i);
		if (plot_width(p->labels[i]) + 1 > p->left)
			p->left = plot_width(p->labels[i]) + 1;
	}
	if (p->left > p->g.w / 2)
		p->left = p->g.w / 2;
	p->cols = p->g.w - p->left - 1 - letters;
	plot_timeaxis(&p->x, p->g.a, c->from, c->to, p->cols, c->p->zone);
	if (p->cols < 2)
		p->cols = 2;
}

/* Rows left for the plot by what has been chosen so far. */
static int
rest(const struct page *p)
{
	return p->g.h - 1 - (p->times ? 2 : 1) - p->dates - p->note - p->line -
	    p->table;
}

static void
divide(struct page *p)
{
	int h = p->g.h;

	p->top = 1;
	p->times = p->g.w >= 30 &&
	    (p->c->drawn > 0 || p->c->p->from != 0 || p->c->p->to != 0);
	scale(p, h > 8 ? h - 6 : 3); /* only to learn whether dates change */
	p->dates = p->times && p->x.dates && h >= 8;
	p->note = h >= 12 && p->g.w >= 40 && plot_legend_notes(p->c);
	p->table = plot_legend_rows(p->c, p->g.w, h / 3 < 2 ? 2 : h / 3);
	if (p->table > 0 && rest(p) < TABLE_ROWS)
		p->table = 0;
	p->line = p->table == 0 && p->c->drawn > 0;
	if (p->line && rest(p) < LINE_ROWS)
		p->line = false;
	if (p->times && rest(p) < 3)
		p->times = p->dates = false;
	p->grid = rest(p) >= GRID_ROWS;
	scale(p, rest(p));
	if (p->dates != (p->times && p->x.dates && h >= 8)) {
		p->dates = !p->dates;
		scale(p, rest(p));
	}
	p->g.h -= rest(p) - p->y.rows;
}

/* The row of a value, in dots of the canvas. */
static int
dot_row(const struct page *p, double v)
{
	double y = (1 - plot_scale_at(&p->y, v)) * (p->y.rows - 1);

	return (int)(y * p->ink.dy + (p->ink.dy - 1) / 2.0 + 0.5);
}

static int
dot_col(const struct page *p, int64_t t)
{
	return plot_time_col(t, p->c->from, p->c->to, p->cols * p->ink.dx);
}

static int
screen_col(const struct page *p, int64_t t)
{
	return p->left + 1 + dot_col(p, t) / p->ink.dx;
}

static void
header(struct page *p)
{
	struct plot_grid *g = &p->g;
	const struct plot_chart *c = p->c;
	int w = plot_width(c->title), room = g->w - w - 2;
	str range = STR_NONE;

	if (c->drawn > 0 || c->p->from != 0 || c->p->to != 0)
		range = plot_words_range(
		    c, g->a, room > g->w / 3 ? room : g->w / 3);
	room = g->w - plot_width(range) - (range.n > 0 ? 2 : 0);
	(void)plot_grid_text(
	    g, 0, 0, plot_cut(g->a, c->title, room, g->ascii), PLOT_PEN_BOLD);
	(void)plot_grid_text(
	    g, g->w - plot_width(range), 0, range, PLOT_PEN_NONE);
}

/* The axes with their labels, and the dotted lines of the grid. */
static void
axes(struct page *p)
{
	struct plot_grid *g = &p->g;
	int per = (p->y.rows - 1) / p->y.n;
	bool a = g->ascii;

	for (int y = 0; y < p->y.rows; y++)
		plot_grid_put(
		    g, p->left, p->top + y, a ? '|' : 0x2502, PLOT_PEN_DIM);
	for (int i = 0; i <= p->y.n; i++) {
		int y = p->top + p->y.rows - 1 - i * per;

		(void)plot_grid_text(g, p->left - 1 - plot_width(p->labels[i]),
		    y, p->labels[i], PLOT_PEN_NONE);
		plot_grid_put(g, p->left, y, a ? '+' : 0x2524, PLOT_PEN_DIM);
		for (int x = 1; p->grid && x < p->cols; x += 2)
			plot_grid_put(g, p->left + 1 + x, y, a ? '.' : 0x2508,
			    PLOT_PEN_DIM);
	}
}

static void
time_axis(struct page *p)
{
	struct plot_grid *g = &p->g;
	int y = p->top + p->y.rows, end = 0, end_date = 0;
	bool a = g->ascii;

	plot_grid_put(g, p->left, y, a ? '+' : 0x2514, PLOT_PEN_DIM);
	for (int x = 0; x < p->cols; x++)
		plot_grid_put(
		    g, p->left + 1 + x, y, a ? '-' : 0x2500, PLOT_PEN_DIM);
	for (size_t i = 0; p->times && i < p->x.n; i++) {
		const struct plot_tick *k = &p->x.v[i];
		int w = plot_width(k->label), x = screen_col(p, k->t);
		int at = x - w / 2;

		plot_grid_put(g, x, y, a ? '+' : 0x2534, PLOT_PEN_DIM);
		if (at + w > g->w)
			at = g->w - w;
		if (at < 0)
			at = 0;
		if (k->label.n > 0 && (i == 0 || at > end))
			end = plot_grid_text(
			    g, at, y + 1, k->label, PLOT_PEN_NONE);
		if (at + plot_width(k->below) > g->w)
			at = g->w - plot_width(k->below);
		if (p->dates && k->below.n > 0 && (i == 0 || at > end_date))
			end_date = plot_grid_text(
			    g, at, y + 2, k->below, PLOT_PEN_NONE);
	}
}

static int
threshold_row(const struct page *p, double v)
{
	return p->top + dot_row(p, v) / p->ink.dy;
}

static bool
in_scale(const struct page *p, double v)
{
	return isfinite(v) && v >= p->y.lo && v <= p->y.hi;
}

static void
threshold(struct page *p, double v, int pen)
{
	if (!in_scale(p, v))
		return;
	for (int x = 0; x < p->cols; x++)
		plot_grid_put(&p->g, p->left + 1 + x, threshold_row(p, v),
		    !p->g.ascii      ? 0x254c
			: x % 3 != 2 ? '-'
				     : 0,
		    pen);
}

/*
 * Its words, at the right inside, where no data hides them: as far right as
 * there is room.  A threshold that is not in the picture is pointed at.
 */
static void
threshold_label(struct page *p, double v, const char *name, int pen)
{
	struct plot_grid *g = &p->g;
	struct buf b = { 0 };
	bool in = in_scale(p, v);
	str s;
	int y, w, x;

	if (!isfinite(v) || p->c->drawn == 0)
		return;
	buf_printf(&b, " %s ", name);
	plot_value(&b, v, p->c->p->unit);
	buf_z(&b, in ? " " : v > p->y.hi ? " ↑ " : " ↓ ");
	s = g->ascii ? plot_plain(g->a, buf_str(&b)) : buf_str(&b);
	w = plot_width(s);
	y = threshold_row(p, v);
	for (x = p->left + p->cols - w; x > p->left + 1; x--)
		if (plot_grid_free(g, x, y, w, in ? pen : PLOT_PEN_DIM)) {
			(void)plot_grid_text(g, x, y, s, pen);
			break;
		}
	buf_fini(&b);
}

static uint32_t
mark_rune(const struct page *p)
{
	return p->g.ascii ? ':' : 0x254e;
}

static void
mark_line(struct page *p, int64_t t)
{
	if (t < p->c->from || t > p->c->to)
		return;
	for (int y = 0; y < p->y.rows; y++)
		plot_grid_put(&p->g, screen_col(p, t), p->top + y, mark_rune(p),
		    PLOT_PEN_MARK);
}

/* May a mark's words stand here: on nothing, grid or another mark's line? */
static bool
mark_room(const struct page *p, int x, int y, int w)
{
	for (; w > 0; w--, x++) {
		const struct plot_cell *c;

		if (x <= p->left || x > p->left + p->cols)
			return false;
		c = &p->g.v[(size_t)y * (size_t)p->g.w + (size_t)x];
		if (c->tail ||
		    (c->rune != 0 && c->pen != PLOT_PEN_DIM &&
			c->rune != mark_rune(p)))
			return false;
	}
	return true;
}

/* Their words at the top; where two would meet the second goes further down. */
static void
mark_labels(struct page *p)
{
	struct plot_grid *g = &p->g;

	for (size_t i = 0; i < p->c->p->nmarks; i++) {
		const struct plot_mark *m = &p->c->p->marks[i];
		str s = arena_printf(g->a, "▾%.*s",
		    STR_ARG(plot_cut(g->a, m->text, g->w / 3, g->ascii)));
		int w = g->ascii ? plot_width(s) - 1 : plot_width(s);

		if (m->t < p->c->from || m->t > p->c->to || m->text.n == 0)
			continue;
		for (int y = 0; y < p->y.rows; y++) {
			int x = screen_col(p, m->t) + 1;

			if (x + w > p->left + 1 + p->cols)
				x -= w + 1;
			if (mark_room(p, x, p->top + y, w)) {
				(void)plot_grid_text(
				    g, x, p->top + y, s, PLOT_PEN_MARK);
				break;
			}
		}
	}
}

static void
draw_line(struct page *p, size_t i)
{
	const struct plot_line *l = &p->c->v[i];
	int cols = p->cols * p->ink.dx, x0 = 0, y0 = 0;
	uint16_t pen = (uint16_t)(i < 0xffff ? i + 1 : 0xffff);
	struct plot_m4 *m = p->m4;
	size_t n = plot_m4(m, l->s->t, l->s->v, l->s->n, p->c->from, p->c->to,
	    cols, l->bridge);

	for (size_t k = 0; k < n; k++)
		for (int j = 0; j < m[k].n; j++) {
			int y = dot_row(p, m[k].v[j]);

			if (j > 0 || m[k].joined)
				plot_canvas_line(
				    &p->ink, x0, y0, m[k].col, y, pen);
			else
				plot_canvas_dot(&p->ink, m[k].col, y, pen);
			x0 = m[k].col;
			y0 = y;
		}
}

/* Series in order, those beyond a threshold last: they lie on top. */
static void
draw_data(struct page *p)
{
	const struct plot_chart *c = p->c;
	struct plot_canvas *ink = &p->ink;

	for (int level = PLOT_FINE; level <= PLOT_CRIT; level++)
		for (size_t i = 0; i < c->n; i++)
			if (c->v[i].n > 0 && (int)c->v[i].reached == level)
				draw_line(p, i);
	for (int y = 0; y < ink->h; y++)
		for (int x = 0; x < ink->w; x++) {
			size_t at = (size_t)y * (size_t)ink->w + (size_t)x;
			size_t i = ink->pens[at] - (size_t)1;

			if (ink->pens[at] == 0)
				continue;
			plot_grid_put(&p->g, p->left + 1 + x, p->top + y,
			    p->g.ascii ? plot_mark_of(i, true)
				       : plot_canvas_rune(ink, x, y),
			    PLOT_PEN_SERIES + (int)(i % PLOT_PALETTE));
		}
}

/* A letter where each line ends; those that run to the edge share a column. */
static void
letters(struct page *p)
{
	const struct plot_chart *c = p->c;
	struct plot_place *v = arena_array(p->g.a, c->n, struct plot_place);
	int edge = p->left + 1 + p->cols, dy = p->ink.dy;
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct plot_line *l = &c->v[i];
		int dot, x;

		if (l->n == 0 || plot_letter(i) == 0)
			continue;
		dot = dot_row(p, l->last);
		x = screen_col(p, l->last_t) + 2;
		if (!l->ended || x >= edge)
			v[n++] = (struct plot_place){ i, dot, 0 };
		else if (plot_grid_free(
			     &p->g, x, p->top + dot / dy, 1, PLOT_PEN_DIM))
			plot_grid_put(&p->g, x, p->top + dot / dy,
			    (uint32_t)plot_letter(i), PLOT_PEN_DIM);
	}
	n = plot_spread(v, n, dy, p->y.rows * dy - 1, p->g.a);
	for (size_t i = 0; i < n; i++)
		if (abs(v[i].at - v[i].want) <= 3 * dy)
			plot_grid_put(&p->g, edge + 1, p->top + v[i].at / dy,
			    (uint32_t)plot_letter(v[i].what),
			    PLOT_PEN_SERIES + (int)(v[i].what % PLOT_PALETTE));
}

static void
draw(struct page *p)
{
	const struct plot *plot = p->c->p;
	int y;

	plot_canvas_init(&p->ink, p->g.a, p->cols, p->y.rows, p->g.ascii);
	p->m4 = arena_array(
	    p->g.a, (size_t)p->cols * (size_t)p->ink.dx, struct plot_m4);
	header(p);
	axes(p);
	time_axis(p);
	threshold(p, plot->warn, PLOT_PEN_WARN);
	threshold(p, plot->crit, PLOT_PEN_CRIT);
	for (size_t i = 0; i < plot->nmarks; i++) {
		mark_line(p, plot->marks[i].t);
		if (plot->marks[i].until < p->c->to &&
		    screen_col(p, plot->marks[i].until) >
			screen_col(p, plot->marks[i].t) + 2)
			mark_line(p, plot->marks[i].until);
	}
	draw_data(p);
	threshold_label(p, plot->warn, "warn", PLOT_PEN_WARN);
	threshold_label(p, plot->crit, "crit", PLOT_PEN_CRIT);
	mark_labels(p);
	if (p->c->n > 1 && !p->g.ascii)
		letters(p);
	if (p->c->drawn == 0)
		(void)plot_grid_text(&p->g, p->left + p->cols / 2 - 3,
		    p->top + p->y.rows / 2, STR(" no data "), PLOT_PEN_NONE);
	y = p->top + p->y.rows + (p->times ? 2 : 1) + p->dates;
	if (p->table > 0)
		plot_legend_table(&p->g, p->c, y, p->table);
	else if (p->line)
		plot_legend_line(&p->g, p->c, y);
	if (p->note)
		plot_legend_note(&p->g, p->c, y + p->table + p->line);
}

void
plot_text(
    struct buf *b, const struct plot *plot, const struct plot_text_opts *o)
{
	struct arena a = { 0 };
	struct plot_chart c;
	struct page p = { .c = &c };
	int w = o->width < 1 ? 1 : o->width > 2000 ? 2000 : o->width;
	int h = o->height < 1 ? 1 : o->height > 1000 ? 1000 : o->height;

	plot_chart(&c, plot, &a);
	plot_grid_init(&p.g, &a, w, h, o->ascii);
	if (w < MIN_WIDTH || h < MIN_HEIGHT) {
		plot_spark(&p.g, &c);
	} else {
		divide(&p);
		draw(&p);
	}
	plot_grid_print(b, &p.g, o->color);
	arena_fini(&a);
}
