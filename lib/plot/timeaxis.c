/*
 * Steps below a day are walked in the zone's civil time and looked at again
 * through it after each one, so that days of 23 and 25 hours keep their ticks
 * on the hour.  Days, months and years are walked as dates.
 */
#include "plot/timeaxis.h"

#include <stdlib.h>

#include "plot/width.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

enum span {
	SPAN_MS,
	SPAN_DAY,
	SPAN_MONTH,
	SPAN_YEAR,
};

struct step {
	enum span span;
	int64_t n;
};

static const struct step steps[] = {
	{ SPAN_MS, 1 },
	{ SPAN_MS, 2 },
	{ SPAN_MS, 5 },
	{ SPAN_MS, 10 },
	{ SPAN_MS, 20 },
	{ SPAN_MS, 50 },
	{ SPAN_MS, 100 },
	{ SPAN_MS, 200 },
	{ SPAN_MS, 500 },
	{ SPAN_MS, 1 * SECOND },
	{ SPAN_MS, 2 * SECOND },
	{ SPAN_MS, 5 * SECOND },
	{ SPAN_MS, 10 * SECOND },
	{ SPAN_MS, 15 * SECOND },
	{ SPAN_MS, 30 * SECOND },
	{ SPAN_MS, 1 * MINUTE },
	{ SPAN_MS, 2 * MINUTE },
	{ SPAN_MS, 5 * MINUTE },
	{ SPAN_MS, 10 * MINUTE },
	{ SPAN_MS, 15 * MINUTE },
	{ SPAN_MS, 30 * MINUTE },
	{ SPAN_MS, 1 * HOUR },
	{ SPAN_MS, 2 * HOUR },
	{ SPAN_MS, 3 * HOUR },
	{ SPAN_MS, 4 * HOUR },
	{ SPAN_MS, 6 * HOUR },
	{ SPAN_MS, 12 * HOUR },
	{ SPAN_DAY, 1 },
	{ SPAN_DAY, 2 },
	{ SPAN_DAY, 7 },
	{ SPAN_MONTH, 1 },
	{ SPAN_MONTH, 3 },
	{ SPAN_MONTH, 6 },
	{ SPAN_YEAR, 1 },
	{ SPAN_YEAR, 2 },
	{ SPAN_YEAR, 5 },
	{ SPAN_YEAR, 10 },
	{ SPAN_YEAR, 20 },
	{ SPAN_YEAR, 50 },
	{ SPAN_YEAR, 100 },
	{ SPAN_YEAR, 1000 },
	{ SPAN_YEAR, 10000 },
	{ SPAN_YEAR, 100000 },
	{ SPAN_YEAR, 1000000 },
	{ SPAN_YEAR, 10000000 },
};

#define NSTEPS (sizeof(steps) / sizeof(steps[0]))

static double
length(const struct step *s)
{
	static const double ms[] = { 1, 864e5, 864e5 * 30.44, 864e5 * 365.25 };

	return (double)s->n * ms[s->span];
}

static const char *
layout(const struct step *s)
{
	switch (s->span) {
	case SPAN_MS:
		return s->n < SECOND ? "15:04:05.000"
		    : s->n < MINUTE  ? "15:04:05"
				     : "15:04";
	case SPAN_DAY:
		return "Jan 2";
	case SPAN_MONTH:
		return "Jan";
	case SPAN_YEAR:
		break;
	}
	return "2006";
}

/* What stands below, where it changes; years have nothing coarser. */
static const char *
layout_below(const struct step *s)
{
	return s->span == SPAN_YEAR ? NULL
	    : s->span == SPAN_MS    ? "Jan 2"
				    : "2006";
}

static int64_t
time_of_day(const struct date *d)
{
	return d->hour * HOUR + d->minute * MINUTE + d->second * SECOND + d->ms;
}

static int64_t
set_time(struct date *d, int64_t ms, const struct date_zone *z)
{
	d->hour = (int)(ms / HOUR);
	d->minute = (int)(ms / MINUTE % 60);
	d->second = (int)(ms / SECOND % 60);
	d->ms = (int)(ms % SECOND);
	return date_to(d, z);
}

/* Round down in the calendar, then go n steps on. */
static int64_t
walk(const struct step *s, int64_t t, int64_t n, const struct date_zone *z)
{
	struct date d;
	int64_t days;

	date_of(t, z, &d);
	if (s->span == SPAN_MS)
		return set_time(&d, (time_of_day(&d) / s->n + n) * s->n, z);
	switch (s->span) {
	case SPAN_DAY:
		/* Weeks begin on Monday; day 0, 1970-01-01, is a Thursday. */
		days = (t + d.offset * SECOND) / DATE_DAY + (s->n == 7 ? 3 : 0);
		d.day += (int)(n * s->n - days % s->n);
		break;
	case SPAN_MONTH:
		d.month += (int)(n * s->n - (d.month - 1) % s->n);
		d.day = 1;
		break;
	case SPAN_YEAR:
	case SPAN_MS:
		d.year += (int)(n * s->n - d.year % s->n);
		d.month = d.day = 1;
		break;
	}
	return set_time(&d, 0, z);
}

/*
 * The tick after t.  Up to an hour real time goes on through a change of the
 * clock (02:30 may come twice); longer steps go by the clock on the wall.
 */
static int64_t
after(const struct step *s, int64_t t, const struct date_zone *z)
{
	struct date d;
	int64_t u, over;

	if (s->span != SPAN_MS || s->n > HOUR) {
		u = walk(s, t, 1, z);
		return u > t ? u : t + (int64_t)length(s);
	}
	date_of(t + s->n, z, &d);
	over = time_of_day(&d) % s->n;
	return t + s->n + (over > 0 ? s->n - over : 0);
}

/* Not a tick: an hour that this day does not have. */
static bool
beside(const struct step *s, int64_t t, const struct date_zone *z)
{
	struct date d;

	if (s->span != SPAN_MS)
		return false;
	date_of(t, z, &d);
	return time_of_day(&d) % s->n != 0;
}

static const struct step *
choose(int64_t from, int64_t to, int cols)
{
	double cell = ((double)to - (double)from) / (cols > 1 ? cols - 1 : 1);
	size_t i = 0;

	while (i + 1 < NSTEPS) {
		const char *l = layout(&steps[i]);
		/* "Jan 2" stands for "Jan 22" too. */
		size_t w = strlen(l) + (l[0] == 'J' && l[3] == ' ');

		if (length(&steps[i]) >= cell * (double)(w + 6))
			break;
		i++;
	}
	return &steps[i];
}

static str
text(struct arena *a, int64_t t, const struct date_zone *z, const char *l)
{
	struct buf b = { 0 };
	str s;

	date_format(&b, t, z, str_of(l));
	s = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return s;
}

int
plot_time_col(int64_t t, int64_t from, int64_t to, int cols)
{
	double x = ((double)t - (double)from) / ((double)to - (double)from);

	x = x < 0 ? 0 : x > 1 ? 1 : x;
	return (int)(x * (cols - 1) + 0.5);
}

/* Do two neighbours stand closer than two blanks apart? */
static bool
touch(const struct plot_timeaxis *x, int64_t from, int64_t to, int cols)
{
	int end = -1000;

	for (size_t i = 0; i < x->n; i++) {
		int w = plot_width(x->v[i].label);
		int c = plot_time_col(x->v[i].t, from, to, cols) - w / 2;

		if (w == 0)
			continue;
		if (c < end + 2)
			return true;
		end = c + w;
	}
	return false;
}

void
plot_timeaxis(struct plot_timeaxis *x, struct arena *a, int64_t from,
    int64_t to, int cols, const struct date_zone *z)
{
	const struct step *s = choose(from, to, cols);
	const char *below = layout_below(s);
	size_t max = (size_t)cols + 4, changes = 0;
	str last = STR_NONE;
	int64_t t = walk(s, from, 0, z);

	*x = (struct plot_timeaxis){ arena_array(a, max, struct plot_tick), 0,
		false };
	for (size_t i = 0; i < 2 * max && x->n < max && t <= to; i++) {
		struct plot_tick *k = &x->v[x->n];

		if (t >= from && !beside(s, t, z)) {
			*k = (struct plot_tick){ t, text(a, t, z, layout(s)),
				STR_NONE };
			if (below != NULL)
				k->below = text(a, t, z, below);
			changes += x->n > 0 && !str_eq(k->below, last);
			last = k->below;
			x->n++;
		}
		t = after(s, t, z);
	}
	x->dates = changes > 0;
	for (size_t i = x->n; i-- > 0;)
		if (!x->dates ||
		    (i > 0 && str_eq(x->v[i].below, x->v[i - 1].below)))
			x->v[i].below = STR_NONE;
	for (size_t keep = 2; touch(x, from, to, cols) && keep < max; keep *= 2)
		for (size_t i = 0; i < x->n; i++)
			if (i % keep != 0)
				x->v[i].label = STR_NONE;
}
