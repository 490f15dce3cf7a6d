/*
 * A chart as one <svg> element: no script, no font, nothing fetched.  Colours
 * are classes with a light and a dark form, chosen by the reader's
 * prefers-color-scheme; all text is text.  The figures at a moment are read by
 * pointing at it: transparent bands over the plot have them as <title>.
 */
#include <math.h>
#include <stdlib.h>

#include "plot/chart.h"
#include "plot/downsample.h"
#include "plot/grid.h"
#include "plot/scale.h"
#include "plot/spread.h"
#include "plot/svg.h"
#include "plot/timeaxis.h"
#include "plot/width.h"
#include "plot/words.h"

#define CELL 7.0    /* what a cell of text takes at 12 px, generously */
#define ROW 17.0    /* a line of text */
#define PAD 12.0    /* to the edge */
#define POINTS 5000 /* more than that is brought down by M4 */
#define FIGURES 4   /* columns of the legend, without that of gaps */
#define BANDS 8000  /* bytes of all the bands */

/*
 * A style element of an inline <svg> is the whole page's, so every rule is
 * bound to our class.
 */
static const char style[] =
    "<style>\n"
    ".mfp{font:12px system-ui,sans-serif}\n"
    ".mfp text{fill:#24292f;font-variant-numeric:tabular-nums}\n"
    ".mfp .b{fill:#fff}.mfp .h{font-weight:600;font-size:13px}\n"
    ".mfp .m{text-anchor:middle}.mfp .e{text-anchor:end}\n"
    ".mfp .d{fill:#59636e}.mfp path{fill:none}\n"
    ".mfp .g{stroke:#e3e7eb}.mfp .a{stroke:#8c959f}\n"
    ".mfp .s path{stroke:currentColor;stroke-width:1.5;"
    "stroke-linejoin:round}\n"
    ".mfp .s circle,.mfp .s text{fill:currentColor}\n"
    ".mfp .s text{font-weight:600}\n"
    ".mfp .t path{stroke:currentColor;stroke-dasharray:6 4}\n"
    ".mfp .t .k{stroke-dasharray:2 3}\n"
    ".mfp .t text{fill:currentColor}\n"
    ".mfp .v rect{fill:#000;fill-opacity:0}\n"
    ".mfp .v rect:hover{fill:#888;fill-opacity:.18}\n"
    ".mfp .w{color:#9a6700}.mfp .c{color:#c4162a}.mfp .k{color:#1b7c83}\n"
    ".mfp .s0{color:#3b7d23}.mfp .s1{color:#b07d00}\n"
    ".mfp .s2{color:#0f8799}.mfp .s3{color:#c4561a}\n"
    ".mfp .s4{color:#c4162a}.mfp .s5{color:#1f60c4}\n"
    ".mfp .s6{color:#9a36ab}.mfp .s7{color:#5a4a8f}\n"
    "@media(prefers-color-scheme:dark){\n"
    ".mfp text{fill:#d5d9de}.mfp .b{fill:#181b1f}.mfp .d{fill:#9aa4ae}\n"
    ".mfp .g{stroke:#2c3137}.mfp .a{stroke:#6b747d}\n"
    ".mfp .w{color:#eab839}.mfp .c{color:#ff6a5e}.mfp .k{color:#6ed0e0}\n"
    ".mfp .s0{color:#7eb26d}.mfp .s1{color:#eab839}\n"
    ".mfp .s2{color:#6ed0e0}.mfp .s3{color:#ef843c}\n"
    ".mfp .s4{color:#e24d42}.mfp .s5{color:#4a9be0}\n"
    ".mfp .s6{color:#d068c0}.mfp .s7{color:#a08fd0}\n"
    "}\n</style>\n";

struct sheet {
	struct buf *b;
	struct arena *a;
	const struct plot_chart *c;
	struct plot_scale y;
	struct plot_timeaxis x;
	double w, h;
	double left, right, top, bottom; /* of the plot */
	size_t rows;                     /* series in the legend */
	int figures;                     /* columns of the legend */
	bool note, head;
};

static double
at_x(const struct sheet *s, int64_t t)
{
	return s->left +
	    ((double)t - (double)s->c->from) /
	    ((double)s->c->to - (double)s->c->from) * (s->right - s->left);
}

static double
at_y(const struct sheet *s, double v)
{
	return s->bottom - plot_scale_at(&s->y, v) * (s->bottom - s->top);
}

static str
value(const struct sheet *s, double v)
{
	struct buf b = { 0 };
	str r;

	plot_value(&b, v, s->c->p->unit);
	r = arena_dup(s->a, buf_str(&b));
	buf_fini(&b);
	return r;
}

static str
tick_label(const struct sheet *s, int i)
{
	struct buf b = { 0 };
	str r;

	plot_form_print(&b, &s->y.form, plot_scale_tick(&s->y, i));
	r = arena_dup(s->a, buf_str(&b));
	buf_fini(&b);
	return r;
}

static bool
notes(const struct plot_chart *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].reached != PLOT_FINE || c->v[i].gaps > 0 ||
		    c->v[i].ended || c->v[i].infinite > 0)
			return true;
	return false;
}

/* Divide the height: the plot keeps 100 px before there is a legend. */
static void
divide(struct sheet *s)
{
	const struct plot_chart *c = s->c;
	double low;
	size_t most;
	int lines, label = 0;

	s->head = s->h >= 120;
	s->top = s->head ? 36 : 8;
	low = s->h - 26 - s->top;
	s->note = low >= 160 && s->w >= 300 && notes(c);
	low -= s->note ? ROW : 0;
	most = low > 140 && s->w >= 420
	    ? (size_t)((low - fmax(120, 0.6 * low)) / ROW)
	    : 0;
	most = most < 2 ? 0 : most - 1; /* one row is the table's head */
	s->rows = c->n < most ? c->n : most;
	low -= s->rows > 0 ? ((double)s->rows + (c->n > s->rows) + 1) * ROW : 0;
	lines = (int)(low / 16);
	plot_scale(&s->y, c->lo, c->hi, lines < 4 ? 4 : lines, false,
	    c->p->unit, c->counts);
	for (int i = 0; i <= s->y.n; i++)
		if (plot_width(tick_label(s, i)) > label)
			label = plot_width(tick_label(s, i));
	s->left = PAD + label * CELL + 4;
	s->right = s->w - PAD - (c->n > 1 ? 12 : 4);
	if (s->right < s->left + 10)
		s->right = s->left + 10;
	plot_timeaxis(&s->x, s->a, c->from, c->to,
	    (int)((s->right - s->left) / CELL), c->p->zone);
	s->bottom = s->top + low - (s->x.dates ? 14 : 0);
	if (s->bottom < s->top + 10)
		s->bottom = s->top + 10;
}

static void
header(struct sheet *s)
{
	const struct plot_chart *c = s->c;
	int cells = (int)((s->w - 2 * PAD) / CELL), w = plot_width(c->title);
	str range = STR_NONE;

	if (!s->head)
		return;
	if (c->drawn > 0 || c->p->from != 0 || c->p->to != 0)
		range = plot_words_range(c, s->a,
		    cells - w - 3 > cells / 3 ? cells - w - 3 : cells / 3);
	w = cells - (range.n > 0 ? plot_width(range) + 2 : 0);
	plot_svg_text(s->b, "h", PAD, 21, plot_cut(s->a, c->title, w, false));
	plot_svg_text(s->b, "e d", s->w - PAD, 21, range);
}

static void
axes(struct sheet *s)
{
	double end = -1e9;

	for (int i = 0; i <= s->y.n; i++) {
		double v = plot_scale_tick(&s->y, i);
		/* Half a pixel: a thin line fills whole ones. */
		double y = floor(at_y(s, v)) + 0.5;

		plot_svg_line(
		    s->b, i == 0 ? "a" : "g", s->left, y, s->right, y);
		plot_svg_text(
		    s->b, "e d", s->left - 6, y + 4, tick_label(s, i));
	}
	for (size_t i = 0; i < s->x.n; i++) {
		const struct plot_tick *k = &s->x.v[i];
		double x = floor(at_x(s, k->t)) + 0.5;
		double half = plot_width(k->label) * CELL / 2;
		double at = fmin(x, s->w - 2 - half);

		plot_svg_line(s->b, "a", x, s->bottom, x, s->bottom + 4);
		plot_svg_text(s->b, "m d", at, s->bottom + 17, k->label);
		half = plot_width(k->below) * CELL / 2;
		if (k->below.n == 0 || at - half < end)
			continue;
		plot_svg_text(s->b, "m d", at, s->bottom + 31, k->below);
		end = at + half + CELL;
	}
}

static void
threshold(struct sheet *s, double v, const char *class, const char *name)
{
	bool in = v >= s->y.lo && v <= s->y.hi, high = v > s->y.hi;
	double y = floor(at_y(s, v)) + 0.5;
	double text = y - 4 < s->top + 8 ? y + 13 : y - 4;

	if (!isfinite(v) || s->c->drawn == 0)
		return;
	if (high) /* not over the marks' words, nor that of warn */
		text +=
		    (s->c->p->nmarks > 0 ? 28 : 0) + (class[0] == 'c' ? 15 : 0);
	buf_printf(s->b, "<g class=\"t %s\">", class);
	if (in)
		plot_svg_line(s->b, class, s->left, y, s->right, y);
	plot_svg_text(s->b, "e", s->right - 4, text,
	    arena_printf(s->a, "%s %.*s%s", name, STR_ARG(value(s, v)),
		in         ? ""
		    : high ? " ↑"
			   : " ↓"));
	buf_z(s->b, "</g>\n");
}

static void
marks(struct sheet *s)
{
	const struct plot *p = s->c->p;
	double end[3] = { -1e9, -1e9, -1e9 };

	for (size_t i = 0; i < p->nmarks; i++) {
		const struct plot_mark *m = &p->marks[i];
		double x = floor(at_x(s, m->t)) + 0.5;
		double w = (plot_width(m->text) + 1) * CELL;
		int row = 0;

		if (m->t < s->c->from || m->t > s->c->to)
			continue;
		buf_z(s->b, "<g class=\"t k\">");
		plot_svg_line(s->b, "k", x, s->top, x, s->bottom);
		if (m->until < s->c->to && at_x(s, m->until) > x + 16)
			plot_svg_line(s->b, "k", at_x(s, m->until), s->top,
			    at_x(s, m->until), s->bottom);
		while (row < 2 && x < end[row])
			row++;
		plot_svg_text(s->b, x + w > s->right ? "e" : "",
		    x + w > s->right ? x - 4 : x + 4, s->top + 10 + row * 14,
		    m->text);
		end[row] = x + w;
		buf_z(s->b, "</g>\n");
	}
}

/* What pointing at a line says. */
static void
line_title(struct sheet *s, const struct plot_line *l)
{
	buf_z(s->b, "<title>");
	plot_svg_escape(s->b, l->name);
	plot_svg_escape(s->b,
	    arena_printf(s->a, "\nlast %.*s, min %.*s, avg %.*s, max %.*s",
		STR_ARG(value(s, l->last)), STR_ARG(value(s, l->min)),
		STR_ARG(value(s, l->avg)), STR_ARG(value(s, l->max))));
	buf_z(s->b, "</title>");
}

/* The samples of one line, as they are or brought down to cols columns. */
static void
line(struct sheet *s, size_t i, struct plot_m4 *m, int cols)
{
	const struct plot_line *l = &s->c->v[i];
	size_t n = plot_m4(m, l->s->t, l->s->v, l->s->n, s->c->from, s->c->to,
	    cols, l->bridge);
	struct plot_svg_path p = { .b = s->b };

	buf_printf(s->b, "<g class=\"s s%zu\">", i % PLOT_PALETTE);
	line_title(s, l);
	buf_z(s->b, "<path d=\"");
	for (size_t k = 0; k < n; k++)
		for (int j = 0; j < m[k].n; j++) {
			double x = at_x(s, m[k].t[j]), y = at_y(s, m[k].v[j]);

			if (j > 0 || m[k].joined)
				plot_svg_to(&p, x, y);
			else
				plot_svg_move(&p, x, y);
		}
	buf_z(s->b, "\"/>\n");
	for (size_t k = 0; k < n; k++)
		if (m[k].n == 1 && !m[k].joined &&
		    (k + 1 == n || !m[k + 1].joined)) {
			buf_z(s->b, "<circle r=\"2\" cx=\"");
			plot_svg_num(
			    s->b, (int)lround(at_x(s, m[k].t[0]) * 10));
			buf_z(s->b, "\" cy=\"");
			plot_svg_num(
			    s->b, (int)lround(at_y(s, m[k].v[0]) * 10));
			buf_z(s->b, "\"/>");
		}
	buf_z(s->b, "</g>\n");
}

static void
letter(struct sheet *s, size_t i, double x, double y)
{
	char c = plot_letter(i);

	if (c == 0)
		return;
	buf_printf(s->b, "<g class=\"s s%zu\">", i % PLOT_PALETTE);
	plot_svg_text(s->b, "", x, y, arena_printf(s->a, "%c", c));
	buf_z(s->b, "</g>\n");
}

/* A letter where each line ends, at the right edge none over another. */
static void
letters(struct sheet *s)
{
	struct plot_place *v = arena_array(s->a, s->c->n, struct plot_place);
	double top = s->top - 4;
	size_t n = 0;

	for (size_t i = 0; i < s->c->n && s->c->n > 1; i++)
		if (s->c->v[i].n > 0 && plot_letter(i) != 0 &&
		    at_x(s, s->c->v[i].last_t) > s->right - 8)
			v[n++] = (struct plot_place){ i,
				(int)(at_y(s, s->c->v[i].last) - top), 0 };
		else if (s->c->v[i].n > 0)
			letter(s, i, at_x(s, s->c->v[i].last_t) + 4,
			    at_y(s, s->c->v[i].last) + 4);
	n = plot_spread(v, n, 11, (int)(s->bottom - top) + 4, s->a);
	for (size_t i = 0; i < n; i++)
		if (abs(v[i].at - v[i].want) <= 40)
			letter(s, v[i].what, s->right + 4, top + v[i].at + 4);
}

static void
lines(struct sheet *s)
{
	struct plot_m4 *m;
	size_t total = 0, most = 0;
	int cols = (int)((s->right - s->left) * 10);

	for (size_t i = 0; i < s->c->n; i++) {
		total += s->c->v[i].n;
		if (s->c->v[i].n > most)
			most = s->c->v[i].n;
	}
	if (total > POINTS) {
		cols = (int)(POINTS / 4 / s->c->drawn);
		cols = cols < 40 ? 40 : cols;
	}
	m = arena_array(
	    s->a, most < (size_t)cols ? most : (size_t)cols, struct plot_m4);
	for (int level = PLOT_FINE; level <= PLOT_CRIT; level++)
		for (size_t i = 0; i < s->c->n; i++)
			if (s->c->v[i].n > 0 &&
			    (int)s->c->v[i].reached == level)
				line(s, i, m, cols);
}

/* The last sample from from to t, or NaN if none is near enough to t. */
static double
value_at(const struct plot_line *l, int64_t from, int64_t t, size_t *at)
{
	const struct plot_series *s = l->s;

	while (*at < s->n && s->t[*at] <= t)
		++*at;
	if (*at == 0 || s->t[*at - 1] < from || t - s->t[*at - 1] > l->bridge)
		return NAN;
	return s->v[*at - 1];
}

static void
band(struct sheet *s, int k, int n, size_t *at)
{
	const struct plot_chart *c = s->c;
	double x0 = s->left + (s->right - s->left) * k / n;
	double x1 = s->left + (s->right - s->left) * (k + 1) / n;
	int64_t t = c->from +
	    (int64_t)(((double)c->to - (double)c->from) * (k + 0.5) / n);

	if (c->p->step > 0)
		t -= (t - c->from) % c->p->step;
	buf_z(s->b, "<rect x=\"");
	plot_svg_num(s->b, (int)lround(x0 * 10));
	buf_z(s->b, "\" y=\"");
	plot_svg_num(s->b, (int)lround(s->top * 10));
	buf_z(s->b, "\" width=\"");
	plot_svg_num(s->b, (int)lround((x1 - x0) * 10));
	buf_z(s->b, "\" height=\"");
	plot_svg_num(s->b, (int)lround((s->bottom - s->top) * 10));
	buf_z(s->b, "\"><title>");
	plot_words_span(s->b, c, t, t);
	for (size_t i = 0; i < c->n; i++) {
		double v = value_at(&c->v[i], c->from, t, &at[i]);

		if (isnan(v))
			continue;
		buf_byte(s->b, '\n');
		if (c->n > 1 && plot_letter(i) != 0)
			buf_printf(s->b, "%c ", plot_letter(i));
		plot_svg_escape(s->b, value(s, v));
	}
	buf_z(s->b, "</title></rect>\n");
}

static void
bands(struct sheet *s)
{
	size_t *at = arena_array(s->a, s->c->n, size_t);
	int n = 80;

	if (s->c->drawn == 0 || s->c->n > 24)
		return;
	while (n > 20 && (size_t)n * (s->c->n * 13 + 70) > BANDS)
		n -= 5;
	buf_z(s->b, "<g class=\"v\">\n");
	for (int k = 0; k < n; k++)
		band(s, k, n, at);
	buf_z(s->b, "</g>\n");
}

/* Where column k of the figures ends. */
static double
figure_x(const struct sheet *s, int k)
{
	return s->w - PAD - (s->figures - 1 - k) * 80;
}

static void
legend_row(struct sheet *s, size_t i, double y)
{
	const struct plot_line *l = &s->c->v[i];
	const double v[FIGURES] = { l->last, l->min, l->avg, l->max };
	const char *class = l->now == PLOT_CRIT ? "t c" : "t w";
	char letter = plot_letter(i);
	int room = (int)((figure_x(s, 0) - 120) / CELL);

	buf_printf(s->b, "<g class=\"s s%zu\">", i % PLOT_PALETTE);
	plot_svg_text(s->b, "", PAD, y,
	    letter != 0 && s->c->n > 1 ? arena_printf(s->a, "%c", letter)
				       : STR("■"));
	buf_z(s->b, "</g>");
	plot_svg_text(
	    s->b, "", PAD + 16, y, plot_cut(s->a, l->name, room, false));
	for (int k = 0; k < FIGURES && l->n > 0; k++)
		plot_svg_text(s->b, "e", figure_x(s, k), y, value(s, v[k]));
	if (l->gaps > 0)
		plot_svg_text(s->b, "e", figure_x(s, FIGURES), y,
		    arena_printf(s->a, "%zu", l->gaps));
	if (l->now != PLOT_FINE) {
		buf_printf(s->b, "<g class=\"%s\">", class);
		plot_svg_text(s->b, "", figure_x(s, 0) + 5, y,
		    l->now == PLOT_CRIT ? STR("✖") : STR("▲"));
		buf_z(s->b, "</g>");
	}
}

static void
legend(struct sheet *s)
{
	static const char *const heads[] = { "last", "min", "avg", "max",
		"gaps" };
	double y = s->bottom + 26 + (s->x.dates ? 14 : 0) + 10;
	bool *in = plot_chart_pick(s->c, s->rows, s->a);

	s->figures = FIGURES;
	for (size_t i = 0; i < s->c->n; i++)
		if (s->c->v[i].gaps > 0)
			s->figures = FIGURES + 1;
	if (s->rows > 0) {
		for (int k = 0; k < s->figures; k++)
			plot_svg_text(
			    s->b, "e d", figure_x(s, k), y, str_of(heads[k]));
		for (size_t i = 0; i < s->c->n; i++)
			if (in[i])
				legend_row(s, i, y += ROW);
		if (s->rows < s->c->n)
			plot_svg_text(s->b, "d", PAD + 16, y += ROW,
			    arena_printf(s->a, "+%zu more", s->c->n - s->rows));
		y += ROW;
	}
	if (s->note) {
		size_t n;
		const struct plot_note *v = plot_words_notes(s->c, s->a, &n);
		str t = STR_NONE;

		for (size_t i = 0; i < n && i < 4; i++) {
			char l = plot_letter(v[i].line);

			t = arena_printf(s->a, "%.*s%s%s%.*s%.*s", STR_ARG(t),
			    i > 0 ? " · " : "",
			    v[i].level == PLOT_CRIT       ? "✖ "
				: v[i].level == PLOT_WARN ? "▲ "
							  : "",
			    l != 0 && s->c->n > 1 ? 2 : 0,
			    arena_printf(s->a, "%c ", l).p, STR_ARG(v[i].text));
		}
		plot_svg_text(s->b, "d", PAD, y,
		    plot_cut(s->a, t, (int)((s->w - 2 * PAD) / CELL), false));
	}
}

void
plot_svg(struct buf *b, const struct plot *p, int width, int height)
{
	struct arena a = { 0 };
	struct plot_chart c;
	struct sheet s = { .b = b, .a = &a, .c = &c };

	width = width < 60 ? 60 : width > 10000 ? 10000 : width;
	height = height < 40 ? 40 : height > 10000 ? 10000 : height;
	s.w = width;
	s.h = height;
	plot_chart(&c, p, &a);
	divide(&s);
	buf_printf(b,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"mfp\" "
	    "role=\"img\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
	    "aria-label=\"",
	    width, height, width, height);
	plot_svg_escape(b, c.title.n > 0 ? c.title : STR("chart"));
	buf_z(b, "\">\n");
	buf_z(b, style);
	buf_printf(b, "<rect class=\"b\" width=\"%d\" height=\"%d\"/>\n", width,
	    height);
	header(&s);
	axes(&s);
	threshold(&s, p->warn, "w", "warn");
	threshold(&s, p->crit, "c", "crit");
	marks(&s);
	lines(&s);
	letters(&s);
	bands(&s);
	legend(&s);
	if (c.drawn == 0)
		plot_svg_text(b, "m d", (s.left + s.right) / 2,
		    (s.top + s.bottom) / 2, STR("no data"));
	buf_z(b, "</svg>\n");
	arena_fini(&a);
}

void
plot_html(struct buf *b, const struct plot *p, int width, int height)
{
	struct arena a = { 0 };
	struct plot_chart c;

	plot_chart(&c, p, &a);
	buf_z(b,
	    "<!DOCTYPE html>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<style>body{margin:0}.mfp{display:block;width:100%;"
	    "height:auto}</style>\n<title>");
	plot_svg_escape(b, c.title.n > 0 ? c.title : STR("chart"));
	buf_z(b, "</title>\n");
	arena_fini(&a);
	plot_svg(b, p, width, height);
}
