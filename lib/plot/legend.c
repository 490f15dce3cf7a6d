/*
 * Columns are as wide as their widest value; names get what is left.
 */
#include "plot/legend.h"

#include "plot/width.h"
#include "plot/words.h"

#define NAME 4 /* what stands before names, " A ", and a blank behind */
#define FIGURES 4

struct column {
	const char *head;
	int w;
};

struct table {
	struct column v[FIGURES + 1];
	int n, w;
	int name; /* cells of names */
};

uint32_t
plot_mark_of(size_t i, bool ascii)
{
	static const char *const marks = "*o#x@%&=";
	char c;

	if (ascii && i < 8)
		return (uint32_t)marks[i];
	c = plot_letter(ascii ? i - 8 : i);
	return c != 0 ? (uint32_t)c : ascii ? '?' : 0xb7;
}

static void
figure(
    struct buf *b, const struct plot_chart *c, const struct plot_line *l, int k)
{
	const double v[FIGURES] = { l->last, l->min, l->avg, l->max };

	buf_reset(b);
	if (k == FIGURES)
		buf_printf(b, "%zu", l->gaps);
	else if (l->n == 0)
		buf_byte(b, '-');
	else
		plot_value(b, v[k], c->p->unit);
}

static void
measure(struct table *t, const struct plot_chart *c)
{
	static const char *const heads[] = { "last", "min", "avg", "max",
		"gaps" };
	struct buf b = { 0 };
	bool marked = false; /* behind some last value */

	*t = (struct table){ .n = FIGURES };
	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i].gaps > 0)
			t->n = FIGURES + 1;
		marked = marked || c->v[i].now != PLOT_FINE;
	}
	for (int k = 0; k < t->n; k++) {
		t->v[k] = (struct column){ heads[k], 4 };
		for (size_t i = 0; i < c->n; i++) {
			figure(&b, c, &c->v[i], k);
			if (plot_width(buf_str(&b)) > t->v[k].w)
				t->v[k].w = plot_width(buf_str(&b));
		}
		t->v[k].w += k == 1 && marked ? 5 : 3;
		t->w += t->v[k].w;
	}
	for (size_t i = 0; i < c->n; i++)
		if (plot_width(c->v[i].name) > t->name)
			t->name = plot_width(c->v[i].name);
	buf_fini(&b);
}

int
plot_legend_rows(const struct plot_chart *c, int w, int max)
{
	struct table t;
	int rows;

	if (c->drawn == 0)
		return 0;
	if (c->n == 1)
		return 1;
	measure(&t, c);
	if (w - t.w - NAME < (t.name < 8 ? t.name : 8))
		return 0;
	rows = c->n + 1 < (size_t)max ? (int)c->n + 1 : max;
	return rows < 2 ? 0 : rows;
}

static int
pen_of(size_t i)
{
	return PLOT_PEN_SERIES + (int)(i % PLOT_PALETTE);
}

static int
pen_at(enum plot_level level)
{
	return level == PLOT_CRIT ? PLOT_PEN_CRIT
	    : level == PLOT_WARN  ? PLOT_PEN_WARN
				  : PLOT_PEN_NONE;
}

static int
put_level(struct plot_grid *g, int x, int y, enum plot_level level)
{
	if (level == PLOT_FINE)
		return x;
	return plot_grid_text(
	    g, x, y, level == PLOT_CRIT ? STR("✖") : STR("▲"), pen_at(level));
}

static void
right(struct plot_grid *g, int x, int y, str s, int pen)
{
	if (g->ascii)
		s = plot_plain(g->a, s);
	(void)plot_grid_text(g, x - plot_width(s), y, s, pen);
}

static void
row(struct plot_grid *g, const struct plot_chart *c, const struct table *t,
    size_t i, int y)
{
	const struct plot_line *l = &c->v[i];
	struct buf b = { 0 };
	int x;

	plot_grid_put(g, 1, y, plot_mark_of(i, g->ascii), pen_of(i));
	x = NAME - 1 + t->name;
	(void)plot_grid_text(g, NAME - 1, y,
	    plot_cut(g->a, l->name, t->name, g->ascii), PLOT_PEN_NONE);
	for (int k = 0; k < t->n; k++) {
		figure(&b, c, l, k);
		x += t->v[k].w;
		if (k == FIGURES && l->gaps == 0)
			break;
		right(g, x, y, buf_str(&b),
		    k == 0 ? pen_at(l->now) : PLOT_PEN_NONE);
		if (k == 0)
			(void)put_level(g, x + 1, y, l->now);
	}
	buf_fini(&b);
}

/* The figures of the only series, and its name if the title has not said it. */
static void
single(struct plot_grid *g, const struct plot_chart *c, int y)
{
	static const char *const heads[] = { "last ", "min ", "avg ", "max " };
	const struct plot_line *l = &c->v[0];
	struct buf b = { 0 };
	int x = 1;

	if (l->n == 0)
		return;
	for (int k = 0; k < FIGURES; k++) {
		figure(&b, c, l, k);
		if (x + (int)strlen(heads[k]) + plot_width(buf_str(&b)) > g->w)
			break;
		x = plot_grid_text(g, x, y, str_of(heads[k]), PLOT_PEN_DIM);
		x = plot_grid_text(g, x, y, buf_str(&b),
		    k == 0 ? pen_at(l->now) : PLOT_PEN_NONE);
		if (k == 0 && l->now != PLOT_FINE)
			x = put_level(g, x + 1, y, l->now);
		x += 3;
	}
	buf_reset(&b);
	buf_printf(&b, "%zu gap%s", l->gaps, l->gaps > 1 ? "s" : "");
	if (l->gaps > 0 && x + (int)b.n <= g->w)
		x = plot_grid_text(g, x, y, buf_str(&b), PLOT_PEN_NONE) + 3;
	if (!c->title_is_name && g->w - x >= 8)
		(void)plot_grid_text(g, x, y,
		    plot_cut(g->a, l->name, g->w - x, g->ascii), PLOT_PEN_DIM);
	buf_fini(&b);
}

void
plot_legend_table(
    struct plot_grid *g, const struct plot_chart *c, int y, int rows)
{
	struct table t;
	size_t listed = (size_t)rows - 1;
	bool *in;
	int x;

	if (c->n == 1) {
		single(g, c, y);
		return;
	}
	measure(&t, c);
	if (t.name > g->w - t.w - NAME)
		t.name = g->w - t.w - NAME;
	x = NAME - 1 + t.name;
	for (int k = 0; k < t.n; k++) {
		x += t.v[k].w;
		right(g, x, y, str_of(t.v[k].head), PLOT_PEN_DIM);
	}
	if (listed < c->n)
		listed--;
	in = plot_chart_pick(c, listed, g->a);
	for (size_t i = 0; i < c->n; i++)
		if (in[i])
			row(g, c, &t, i, ++y);
	if (listed < c->n)
		(void)plot_grid_text(g, NAME - 1, y + 1,
		    arena_printf(g->a, "+%zu more", c->n - listed),
		    PLOT_PEN_DIM);
}

/* What a series says of itself in one line, by how much room there is. */
enum brief {
	BRIEF_ALL,
	BRIEF_NAME,
	BRIEF_VALUE,
};

static str
brief(const struct plot_grid *g, const struct plot_chart *c, size_t i,
    enum brief how)
{
	struct buf b = { 0 };
	str name = plot_cut(g->a, c->v[i].name, g->w / 3, g->ascii), s;

	figure(&b, c, &c->v[i], 0);
	if (how == BRIEF_NAME)
		s = name;
	else if (how == BRIEF_VALUE)
		s = arena_dup(g->a, buf_str(&b));
	else
		s = arena_printf(
		    g->a, "%.*s %.*s", STR_ARG(name), STR_ARG(buf_str(&b)));
	buf_fini(&b);
	return s;
}

/* Cells of one: the mark, a blank, its words, the level. */
static int
brief_width(const struct plot_grid *g, const struct plot_chart *c, size_t i,
    enum brief how)
{
	return 2 + plot_width(brief(g, c, i, how)) +
	    (c->v[i].now != PLOT_FINE ? 2 : 0);
}

/* The most that all series can say; the names, if nothing fits. */
static enum brief
brief_for(const struct plot_grid *g, const struct plot_chart *c)
{
	for (int how = BRIEF_ALL; how <= BRIEF_VALUE; how++) {
		int x = -3;

		for (size_t i = 0; i < c->n && x <= g->w; i++)
			x += 3 + brief_width(g, c, i, (enum brief)how);
		if (x <= g->w)
			return (enum brief)how;
	}
	return g->w >= 60 ? BRIEF_ALL : BRIEF_NAME;
}

void
plot_legend_line(struct plot_grid *g, const struct plot_chart *c, int y)
{
	enum brief how;
	int x = 0;

	if (c->n == 1) {
		single(g, c, y);
		return;
	}
	how = brief_for(g, c);
	for (size_t i = 0; i < c->n; i++) {
		const struct plot_line *l = &c->v[i];
		int more = i + 1 < c->n ? 11 : 0;

		/* The last ones may take the room kept for "+N more". */
		for (size_t k = i + 1, w = 0; k < c->n && more > 0; k++) {
			w += 3 + (size_t)brief_width(g, c, k, how);
			if (w > 11)
				break;
			if (k + 1 == c->n)
				more = (int)w;
		}
		if (x + brief_width(g, c, i, how) + more > g->w) {
			(void)plot_grid_text(g, x, y,
			    arena_printf(g->a, "+%zu more", c->n - i),
			    PLOT_PEN_DIM);
			break;
		}
		plot_grid_put(g, x, y, plot_mark_of(i, g->ascii), pen_of(i));
		x = plot_grid_text(
		    g, x + 2, y, brief(g, c, i, how), PLOT_PEN_NONE);
		if (l->now != PLOT_FINE)
			x = put_level(g, x + 1, y, l->now);
		x += 3;
	}
}

bool
plot_legend_notes(const struct plot_chart *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].reached != PLOT_FINE || c->v[i].gaps > 0 ||
		    c->v[i].ended || c->v[i].infinite > 0 ||
		    (c->v[i].n == 0 && c->drawn > 0))
			return true;
	return false;
}

/* Whose note it is: the letter, or in ASCII the name. */
static str
whose(const struct plot_grid *g, const struct plot_chart *c, size_t i)
{
	char letter = plot_letter(i);

	if (c->n == 1)
		return STR_NONE;
	if (g->ascii || letter == 0)
		return arena_printf(g->a, "%.*s ",
		    STR_ARG(plot_cut(g->a, c->v[i].name, 24, g->ascii)));
	return arena_printf(g->a, "%c ", letter);
}

void
plot_legend_note(struct plot_grid *g, const struct plot_chart *c, int y)
{
	size_t n;
	const struct plot_note *v = plot_words_notes(c, g->a, &n);
	int x = 1;

	for (size_t i = 0; i < n; i++) {
		str text = arena_printf(g->a, "%.*s%.*s",
		    STR_ARG(whose(g, c, v[i].line)), STR_ARG(v[i].text));
		int w = plot_width(text) + (v[i].level != PLOT_FINE ? 2 : 0);
		int more = i + 1 < n ? 10 : 0;

		if (i > 0 && x + 3 + w + more > g->w) {
			(void)plot_grid_text(g, x, y,
			    arena_printf(g->a, " · +%zu more", n - i),
			    PLOT_PEN_DIM);
			return;
		}
		if (i > 0)
			x = plot_grid_text(g, x, y, STR(" · "), PLOT_PEN_DIM);
		x = put_level(g, x, y, v[i].level);
		x += v[i].level != PLOT_FINE;
		x = plot_grid_text(g, x, y,
		    plot_cut(g->a, text, g->w - x, g->ascii), PLOT_PEN_NONE);
	}
}
