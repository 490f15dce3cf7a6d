/* The methods of Go's time.Time and time.Duration that templates use. */
#include "base/dur.h"
#include "tmpl/node.h"

#define ZERO_MS (INT64_C(-62135596800000)) /* 0001-01-01 */
#define NS INT64_C(1000000000)

/* A month or weekday: prints as its name. */
struct named {
	const char *name;
};

static void
named_print(const void *self, struct buf *b)
{
	buf_z(b, ((const struct named *)self)->name);
}

static const struct tmpl_type month_type = { .type = "time.Month",
	.print = named_print };
static const struct tmpl_type weekday_type = { .type = "time.Weekday",
	.print = named_print };

static const struct named months[] = { { "January" }, { "February" },
	{ "March" }, { "April" }, { "May" }, { "June" }, { "July" },
	{ "August" }, { "September" }, { "October" }, { "November" },
	{ "December" } };
static const struct named weekdays[] = { { "Sunday" }, { "Monday" },
	{ "Tuesday" }, { "Wednesday" }, { "Thursday" }, { "Friday" },
	{ "Saturday" } };

/* a - b in ns, held inside what a Duration can say. */
static int64_t
sub(struct tmpl_value a, struct tmpl_value b)
{
	int64_t ms, ns = (int64_t)a.time.ns - b.time.ns;

	if (__builtin_sub_overflow(a.time.ms, b.time.ms, &ms) ||
	    __builtin_mul_overflow(ms, INT64_C(1000000), &ms) ||
	    __builtin_add_overflow(ms, ns, &ns))
		return a.time.ms > b.time.ms ? INT64_MAX : INT64_MIN;
	return ns;
}

static struct tmpl_value
add(struct tmpl_value t, int64_t ns)
{
	int64_t rest = t.time.ns + ns % 1000000;

	t.time.ms += ns / 1000000;
	t.time.ms += rest < 0 ? -1 : rest / 1000000;
	t.time.ns = (int32_t)(rest < 0 ? rest + 1000000 : rest % 1000000);
	return t;
}

static int
format_fn(struct tmpl_run *r, struct tmpl_value v,
    const struct tmpl_value *args, struct tmpl_value *out)
{
	struct buf b = { 0 };

	date_format(&b, v.time.ms, v.time.zone, args[0].s);
	*out = tmpl_string(arena_dup(r->arena, buf_str(&b)));
	buf_fini(&b);
	return 0;
}

static int
string_fn(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value *out)
{
	struct buf b = { 0 };

	tmpl_print(&b, v);
	*out = tmpl_string(arena_dup(r->arena, buf_str(&b)));
	buf_fini(&b);
	return 0;
}

enum method {
	T_ADD,
	T_AFTER,
	T_BEFORE,
	T_DAY,
	T_EQUAL,
	T_FORMAT,
	T_HOUR,
	T_ISZERO,
	T_LOCAL,
	T_MINUTE,
	T_MONTH,
	T_SECOND,
	T_STRING,
	T_SUB,
	T_UNIX,
	T_UNIXMILLI,
	T_UTC,
	T_WEEKDAY,
	T_YEAR,
	T_YEARDAY,
	D_ABS,
	D_HOURS,
	D_MICROSECONDS,
	D_MILLISECONDS,
	D_MINUTES,
	D_NANOSECONDS,
	D_ROUND,
	D_SECONDS,
	D_STRING,
	D_TRUNCATE,
};

static const struct method_row {
	const char *name;
	enum tmpl_kind of;
	enum method method;
	const char *sig;
} methods[] = {
	{ "Add", TMPL_TIME, T_ADD, "d" },
	{ "After", TMPL_TIME, T_AFTER, "t" },
	{ "Before", TMPL_TIME, T_BEFORE, "t" },
	{ "Day", TMPL_TIME, T_DAY, "" },
	{ "Equal", TMPL_TIME, T_EQUAL, "t" },
	{ "Format", TMPL_TIME, T_FORMAT, "s" },
	{ "Hour", TMPL_TIME, T_HOUR, "" },
	{ "IsZero", TMPL_TIME, T_ISZERO, "" },
	{ "Local", TMPL_TIME, T_LOCAL, "" },
	{ "Minute", TMPL_TIME, T_MINUTE, "" },
	{ "Month", TMPL_TIME, T_MONTH, "" },
	{ "Second", TMPL_TIME, T_SECOND, "" },
	{ "String", TMPL_TIME, T_STRING, "" },
	{ "Sub", TMPL_TIME, T_SUB, "t" },
	{ "UTC", TMPL_TIME, T_UTC, "" },
	{ "Unix", TMPL_TIME, T_UNIX, "" },
	{ "UnixMilli", TMPL_TIME, T_UNIXMILLI, "" },
	{ "Weekday", TMPL_TIME, T_WEEKDAY, "" },
	{ "Year", TMPL_TIME, T_YEAR, "" },
	{ "YearDay", TMPL_TIME, T_YEARDAY, "" },
	{ "Abs", TMPL_DUR, D_ABS, "" },
	{ "Hours", TMPL_DUR, D_HOURS, "" },
	{ "Microseconds", TMPL_DUR, D_MICROSECONDS, "" },
	{ "Milliseconds", TMPL_DUR, D_MILLISECONDS, "" },
	{ "Minutes", TMPL_DUR, D_MINUTES, "" },
	{ "Nanoseconds", TMPL_DUR, D_NANOSECONDS, "" },
	{ "Round", TMPL_DUR, D_ROUND, "d" },
	{ "Seconds", TMPL_DUR, D_SECONDS, "" },
	{ "String", TMPL_DUR, D_STRING, "" },
	{ "Truncate", TMPL_DUR, D_TRUNCATE, "d" },
};

static const struct method_row *
find(struct tmpl_value v, str name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].of == v.kind &&
		    str_eq(str_of(methods[i].name), name))
			return &methods[i];
	return NULL;
}

const char *
tmpl_time_method(struct tmpl_value v, str name)
{
	const struct method_row *m = find(v, name);

	return m != NULL ? m->sig : NULL;
}

/* Durations are whole ns; d is rounded half away from zero, as Go does. */
static int64_t
round_to(int64_t d, int64_t m)
{
	int64_t rest, out;

	if (m <= 0)
		return d;
	rest = d % m;
	if (d < 0) {
		if (-rest + -rest < m && -rest <= INT64_MAX / 2)
			return d - rest;
		return __builtin_sub_overflow(d - rest, m, &out) ? INT64_MIN
								 : out;
	}
	if (rest <= INT64_MAX / 2 && rest + rest < m)
		return d - rest;
	return __builtin_add_overflow(d - rest, m, &out) ? INT64_MAX : out;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static void
date_part(struct tmpl_run *r, struct tmpl_value v, enum method m,
    struct tmpl_value *out)
{
	struct date d;

	date_of(v.time.ms, v.time.zone, &d);
	if (m == T_MONTH)
		*out = tmpl_object(r->arena, &month_type, &months[d.month - 1]);
	else if (m == T_WEEKDAY)
		*out =
		    tmpl_object(r->arena, &weekday_type, &weekdays[d.weekday]);
	else
		*out = tmpl_int(m == T_DAY ? d.day
			: m == T_HOUR      ? d.hour
			: m == T_MINUTE    ? d.minute
			: m == T_SECOND    ? d.second
			: m == T_YEARDAY   ? d.yday + 1
					   : d.year);
}

static int
time_method(struct tmpl_run *r, struct tmpl_value v, enum method m,
    const struct tmpl_value *args, struct tmpl_value *out, struct error *e)
{
	if (m == T_ADD)
		*out = add(v, args[0].i);
	else if (m == T_AFTER)
		*out = tmpl_bool(sub(v, args[0]) > 0);
	else if (m == T_BEFORE)
		*out = tmpl_bool(sub(v, args[0]) < 0);
	else if (m == T_EQUAL)
		*out = tmpl_bool(sub(v, args[0]) == 0);
	else if (m == T_FORMAT)
		return format_fn(r, v, args, out);
	else if (m == T_ISZERO)
		*out = tmpl_bool(v.time.ms == ZERO_MS && v.time.ns == 0);
	else if (m == T_LOCAL)
		out->time.zone = tmpl_zone(r, STR("Local"), e);
	else if (m == T_UTC)
		out->time.zone = NULL;
	else if (m == T_STRING)
		return string_fn(r, v, out);
	else if (m == T_SUB)
		*out = tmpl_dur(sub(v, args[0]));
	else if (m == T_UNIX)
		*out = tmpl_int(floor_div(v.time.ms, 1000));
	else if (m == T_UNIXMILLI)
		*out = tmpl_int(v.time.ms);
	else
		date_part(r, v, m, out);
	return 0;
}

/* Whole units and the rest, added as floats in Go's order. */
static struct tmpl_value
units(int64_t ns, int64_t unit)
{
	int64_t whole = ns / unit;

	return tmpl_float((double)whole + (double)(ns % unit) / (double)unit);
}

static int
dur_method(struct tmpl_run *r, struct tmpl_value v, enum method m,
    const struct tmpl_value *args, struct tmpl_value *out)
{
	if (m == D_ABS)
		*out = tmpl_dur(v.i == INT64_MIN ? INT64_MAX
			: v.i < 0                ? -v.i
						 : v.i);
	else if (m == D_HOURS)
		*out = units(v.i, 3600 * NS);
	else if (m == D_MINUTES)
		*out = units(v.i, 60 * NS);
	else if (m == D_SECONDS)
		*out = units(v.i, NS);
	else if (m == D_MILLISECONDS)
		*out = tmpl_int(v.i / 1000000);
	else if (m == D_MICROSECONDS)
		*out = tmpl_int(v.i / 1000);
	else if (m == D_NANOSECONDS)
		*out = tmpl_int(v.i);
	else if (m == D_ROUND)
		*out = tmpl_dur(round_to(v.i, args[0].i));
	else if (m == D_TRUNCATE)
		*out = tmpl_dur(args[0].i <= 0 ? v.i : v.i - v.i % args[0].i);
	else
		return string_fn(r, v, out);
	return 0;
}

int
tmpl_time_call(struct tmpl_run *r, struct tmpl_value v, str name,
    const struct tmpl_value *args, struct tmpl_value *out, struct error *e)
{
	enum method m = find(v, name)->method;

	*out = v;
	if (v.kind == TMPL_TIME)
		return time_method(r, v, m, args, out, e);
	return dur_method(r, v, m, args, out);
}
