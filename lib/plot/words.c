/*
 * Times in words are never finer than they need to be: seconds stand only
 * where the step or the range has them.
 */
#include "plot/words.h"

#include <math.h>

#include "base/dur.h"
#include "plot/width.h"

static bool
same_day(const struct date *a, const struct date *b)
{
	return a->year == b->year && a->yday == b->yday;
}

static const char *
clock_layout(int64_t a, int64_t b)
{
	return a % 60000 != 0 || b % 60000 != 0 ? "15:04:05" : "15:04";
}

static void
put(struct buf *b, const struct plot_chart *c, int64_t t, const char *layout)
{
	date_format(b, t, c->p->zone, str_of(layout));
}

/* detail 3: all; 2: no step; 1: no year; 0: no date. */
static void
range(struct buf *b, const struct plot_chart *c, int detail)
{
	const char *clock = clock_layout(c->from, c->to);
	struct date d, e;

	date_of(c->from, c->p->zone, &d);
	date_of(c->to, c->p->zone, &e);
	if (detail > 0) {
		put(b, c, c->from, detail > 1 ? "2006-01-02 " : "Jan 2 ");
		put(b, c, c->from, clock);
		buf_z(b, same_day(&d, &e) ? "–" : " – ");
		if (!same_day(&d, &e))
			put(b, c, c->to,
			    detail == 1            ? "Jan 2 "
				: d.year == e.year ? "01-02 "
						   : "2006-01-02 ");
	} else {
		put(b, c, c->from, clock);
		buf_z(b, "–");
	}
	put(b, c, c->to, clock);
	buf_byte(b, ' ');
	if (c->p->zone_name.n > 0)
		buf_add(b, c->p->zone_name);
	else
		buf_z(b, e.abbr);
	if (detail > 2 && c->p->step > 0) {
		buf_z(b, " · step ");
		dur_print(b, c->p->step);
	}
}

str
plot_words_range(const struct plot_chart *c, struct arena *a, int w)
{
	struct buf b = { 0 };
	str s = STR_NONE;

	for (int detail = 3; detail >= 0 && s.n == 0; detail--) {
		buf_reset(&b);
		range(&b, c, detail);
		if (plot_width(buf_str(&b)) <= w)
			s = arena_dup(a, buf_str(&b));
	}
	buf_fini(&b);
	return s;
}

void
plot_words_span(
    struct buf *b, const struct plot_chart *c, int64_t from, int64_t to)
{
	const char *clock = clock_layout(from, to);
	struct date d, e, first;

	date_of(from, c->p->zone, &d);
	date_of(to, c->p->zone, &e);
	date_of(c->from, c->p->zone, &first);
	if (!same_day(&first, &d))
		put(b, c, from, "Jan 2 ");
	put(b, c, from, clock);
	if (from == to)
		return;
	buf_z(b, "–");
	if (!same_day(&d, &e))
		put(b, c, to, "Jan 2 ");
	else if (d.hour == e.hour && clock[5] != '\0') {
		put(b, c, to, "04:05");
		return;
	}
	put(b, c, to, clock);
}

static void
over(struct buf *b, const struct plot_chart *c, const struct plot_line *l)
{
	buf_z(b, c->below ? "under " : "over ");
	buf_z(b, l->reached == PLOT_CRIT ? "crit " : "warn ");
	plot_words_span(b, c, l->over_from, l->over_to);
	if (l->times > 1)
		buf_printf(b, " (1 of %zu)", l->times);
	buf_z(b, c->below ? ", low " : ", peak ");
	plot_value(b, l->peak, c->p->unit);
}

static void
missing(struct buf *b, const struct plot_chart *c, const struct plot_line *l)
{
	if (l->n == 0) {
		buf_z(b, "no data");
	} else if (l->gaps > 0) {
		buf_z(b, "no data ");
		plot_words_span(b, c, l->gap_from, l->gap_to);
		if (l->gaps > 1)
			buf_printf(b, " (1 of %zu)", l->gaps);
	}
	if (l->n > 0 && l->ended) {
		buf_z(b, l->gaps > 0 ? ", ends " : "ends ");
		plot_words_span(b, c, l->last_t, l->last_t);
	}
	if (l->infinite > 0)
		buf_printf(
		    b, "%s%zu infinite", b->n > 0 ? ", " : "", l->infinite);
}

const struct plot_note *
plot_words_notes(const struct plot_chart *c, struct arena *a, size_t *n)
{
	struct plot_note *v = arena_array(a, 2 * c->n, struct plot_note);
	struct buf b = { 0 };

	*n = 0;
	for (int level = PLOT_CRIT; level >= PLOT_FINE; level--)
		for (size_t i = 0; i < c->n; i++) {
			const struct plot_line *l = &c->v[i];

			buf_reset(&b);
			if (level == PLOT_FINE)
				missing(&b, c, l);
			else if ((int)l->reached == level)
				over(&b, c, l);
			if (b.n > 0)
				v[(*n)++] =
				    (struct plot_note){ (enum plot_level)level,
					    i, arena_dup(a, buf_str(&b)) };
		}
	buf_fini(&b);
	return v;
}
