/*
 * Functions of time: the evaluation's own, the samples', and the calendar (in
 * UTC, as upstream, or in the zone that is named: hour(v, "Europe/Berlin")).
 */
#include "promql/eval.h"

#include "base/date.h"

static int
fn_time(
    struct eval *ev, const struct node *call, const struct grid *g, double *out)
{
	(void)ev;
	(void)call;
	for (size_t i = 0; i < g->n; i++)
		out[i] = (double)(g->from + (int64_t)i * g->step) / 1000;
	return 0;
}

static int
constant(const struct grid *g, double *out, int64_t ms)
{
	for (size_t i = 0; i < g->n; i++)
		out[i] = (double)ms / 1000;
	return 0;
}

static int
fn_start(
    struct eval *ev, const struct node *call, const struct grid *g, double *out)
{
	(void)call;
	return constant(g, out, ev->query.from);
}

static int
fn_end(
    struct eval *ev, const struct node *call, const struct grid *g, double *out)
{
	(void)call;
	return constant(g, out, ev->query.from + ev->range);
}

static int
fn_step(
    struct eval *ev, const struct node *call, const struct grid *g, double *out)
{
	(void)call;
	return constant(g, out, ev->query.step);
}

static int
fn_range(
    struct eval *ev, const struct node *call, const struct grid *g, double *out)
{
	(void)call;
	return constant(g, out, ev->range);
}

/*
 * Right before a selector it is the sample's time, else the evaluation's.
 */
struct stamp {
	struct eval *ev;
	const struct grid *g;
	const struct sink *out;
	bool own; /* the column holds the samples' times already */
	struct label_room room;
};

static int
stamp_row(void *self, struct row *r)
{
	struct stamp *s = self;

	for (size_t i = 0; i < s->g->n && !s->own; i++)
		if (!absent(r->v[i]))
			r->v[i] =
			    (double)(s->g->from + (int64_t)i * s->g->step) /
			    1000;
	r->h = NULL;
	promql_drop_name(s->ev, r, &s->room);
	return promql_emit(s->out, r, s->g->n);
}

static int
fn_timestamp(struct eval *ev, const struct node *call, const struct grid *g,
    const struct sink *out)
{
	const struct node *arg = promql_inner(call->arg[0]);
	struct stamp s = { .ev = ev, .g = g, .own = arg->kind == N_VECTOR };
	struct sink in = { stamp_row, &s };
	struct unite u;

	s.out = promql_unite_init(
	    &u, ev, g->n, ev->late_names || promql_one_name(arg), out);
	return promql_unite_fini(&u,
	    s.own ? promql_select(ev, arg, g, SELECT_TIMES, &in)
		  : promql_vector(ev, arg, g, &in));
}

/* Of samples alone: what an expression makes of them has no start. */
static int
fn_start_timestamp(struct eval *ev, const struct node *call,
    const struct grid *g, const struct sink *out)
{
	const struct node *arg = promql_inner(call->arg[0]);
	struct stamp s = { .ev = ev, .g = g, .own = true };
	struct sink in = { stamp_row, &s };
	struct unite u;

	if (arg->kind != N_VECTOR)
		return 0;
	s.out = promql_unite_init(
	    &u, ev, g->n, ev->late_names || promql_one_name(arg), out);
	return promql_unite_fini(
	    &u, promql_select(ev, arg, g, SELECT_STARTS, &in));
}

/*
 * The calendar.  Seconds beyond what a date can hold give NaN.
 */

static bool
civil(double v, struct date *d)
{
	if (!(fabs(v) < 6e13))
		return false;
	date_of((int64_t)trunc(v) * 1000, NULL, d);
	return true;
}

double
promql_local(double v, const struct date_zone *z)
{
	struct date d;

	if (z == NULL || !(fabs(v) < 6e13))
		return v;
	date_of((int64_t)trunc(v) * 1000, z, &d);
	return v + d.offset;
}

#define CALENDAR(name, number)                                                 \
	static double name(double v, const double *args)                       \
	{                                                                      \
		struct date d;                                                 \
                                                                               \
		(void)args;                                                    \
		return civil(v, &d) ? (number) : num_nan();                    \
	}

CALENDAR(fn_minute, d.minute)
CALENDAR(fn_hour, d.hour)
CALENDAR(fn_day_of_month, d.day)
CALENDAR(fn_day_of_week, d.weekday)
CALENDAR(fn_day_of_year, d.yday + 1)
CALENDAR(fn_month, d.month)
CALENDAR(fn_year, d.year)

static double
fn_days_in_month(double v, const double *args)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	struct date d;
	bool leap;

	(void)args;
	if (!civil(v, &d))
		return num_nan();
	leap = d.year % 4 == 0 && (d.year % 100 != 0 || d.year % 400 == 0);
	return days[d.month - 1] + (d.month == 2 && leap);
}

const struct func promql_fn_time[] = {
	{ "day_of_month", "v", 1, PROMQL_VECTOR, FUNC_ZONE,
	    .map = fn_day_of_month },
	{ "day_of_week", "v", 1, PROMQL_VECTOR, FUNC_ZONE,
	    .map = fn_day_of_week },
	{ "day_of_year", "v", 1, PROMQL_VECTOR, FUNC_ZONE,
	    .map = fn_day_of_year },
	{ "days_in_month", "v", 1, PROMQL_VECTOR, FUNC_ZONE,
	    .map = fn_days_in_month },
	{ "end", "", 0, PROMQL_SCALAR, 0, .scalar = fn_end },
	{ "hour", "v", 1, PROMQL_VECTOR, FUNC_ZONE, .map = fn_hour },
	{ "minute", "v", 1, PROMQL_VECTOR, FUNC_ZONE, .map = fn_minute },
	{ "month", "v", 1, PROMQL_VECTOR, FUNC_ZONE, .map = fn_month },
	{ "range", "", 0, PROMQL_SCALAR, 0, .scalar = fn_range },
	{ "start", "", 0, PROMQL_SCALAR, 0, .scalar = fn_start },
	{ "start_timestamp", "v", 0, PROMQL_VECTOR, FUNC_TIME,
	    .vector = fn_start_timestamp },
	{ "step", "", 0, PROMQL_SCALAR, 0, .scalar = fn_step },
	{ "time", "", 0, PROMQL_SCALAR, FUNC_TIME, .scalar = fn_time },
	{ "timestamp", "v", 0, PROMQL_VECTOR, 0, .vector = fn_timestamp },
	{ "year", "v", 1, PROMQL_VECTOR, FUNC_ZONE, .map = fn_year },
	{ .name = NULL },
};
