/*
 * Time intervals: minutes of the day, weekdays, days of the month, months,
 * years, in a zone.  The kinds of one entry must all hold, one of each kind's
 * ranges is enough, and one of the entries.
 */
#include "base/num.h"
#include "notify/impl.h"

struct span {
	int from, to;
};

struct spans {
	struct span *v;
	size_t n;
};

struct spec {
	struct spans times, weekdays, days, months, years;
	struct date_zone *zone;
};

struct interval {
	str name;
	struct spec *v;
	size_t n;
};

static const char *const weekdays[] = { "sunday", "monday", "tuesday",
	"wednesday", "thursday", "friday", "saturday" };
static const char *const months[] = { "january", "february", "march", "april",
	"may", "june", "july", "august", "september", "october", "november",
	"december" };

static bool
same_word(str s, const char *z)
{
	if (s.n != strlen(z))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] | 0x20 : s.p[i]) !=
		    z[i])
			return false;
	return true;
}

static bool
two_digits(str s, size_t at, int *out)
{
	if (s.p[at] < '0' || s.p[at] > '9' || s.p[at + 1] < '0' ||
	    s.p[at + 1] > '9')
		return false;
	*out = (s.p[at] - '0') * 10 + (s.p[at + 1] - '0');
	return true;
}

static int
clock_time(const struct conf_node *n, int *out, struct error *e)
{
	int hour, minute;
	str s;

	if (conf_str(n, &s, e) == -1)
		return -1;
	if (s.n != 5 || s.p[2] != ':' || !two_digits(s, 0, &hour) ||
	    !two_digits(s, 3, &minute) || minute > 59 || hour > 24 ||
	    (hour == 24 && minute > 0))
		return conf_error(n, e,
		    "couldn't parse timestamp %.*s, invalid format",
		    STR_ARG(s));
	*out = hour * 60 + minute;
	return 0;
}

static int
time_range(const struct conf_node *n, struct span *out, struct error *e)
{
	static const struct conf_field fields[] = {
		{ "start_time", CONF_T_NODE, 0, true },
		{ "end_time", CONF_T_NODE, sizeof(struct conf_node *), true },
	};
	const struct conf_node *v[2] = { NULL, NULL };

	if (conf_read(n, fields, 2, v, e) == -1 ||
	    clock_time(v[0], &out->from, e) == -1 ||
	    clock_time(v[1], &out->to, e) == -1)
		return -1;
	if (out->from >= out->to)
		return conf_error(n, e,
		    "start time cannot be equal or greater than end time");
	return 0;
}

/* "a:b" or "a"; the parts without blanks. */
static void
halves(str s, str *from, str *to)
{
	*from = str_trim(str_cut(&s, ':'));
	*to = s.p != NULL ? str_trim(s) : *from;
}

static int
weekday(const struct conf_node *n, str s, int *out, struct error *e)
{
	for (int i = 0; i < 7; i++)
		if (same_word(s, weekdays[i])) {
			*out = i;
			return 0;
		}
	return conf_error(n, e, "%.*s is not a valid weekday", STR_ARG(s));
}

static int
weekday_range(const struct conf_node *n, struct span *out, struct error *e)
{
	str s, from, to;

	if (conf_str(n, &s, e) == -1)
		return -1;
	halves(s, &from, &to);
	if (weekday(n, from, &out->from, e) == -1 ||
	    weekday(n, to, &out->to, e) == -1)
		return -1;
	if (out->from > out->to)
		return conf_error(n, e, "start day cannot be before end day");
	return 0;
}

static int
whole(const struct conf_node *n, str s, const char *what, int *out,
    struct error *e)
{
	int64_t v;

	if (num_parse_int(s, &v) == -1 || v < -100000 || v > 100000)
		return conf_error(
		    n, e, "%.*s is not a valid %s", STR_ARG(s), what);
	*out = (int)v;
	return 0;
}

static int
day_range(const struct conf_node *n, struct span *out, struct error *e)
{
	str s, from, to;

	if (conf_str(n, &s, e) == -1)
		return -1;
	halves(s, &from, &to);
	if (whole(n, from, "day of the month", &out->from, e) == -1 ||
	    whole(n, to, "day of the month", &out->to, e) == -1)
		return -1;
	if (out->from == 0 || out->from < -31 || out->from > 31)
		return conf_error(n, e,
		    "%d is not a valid day of the month: out of range",
		    out->from);
	if (out->to == 0 || out->to < -31 || out->to > 31)
		return conf_error(n, e,
		    "%d is not a valid day of the month: out of range",
		    out->to);
	if (out->from < 0 && out->to > 0)
		return conf_error(
		    n, e, "end day must be negative if start day is negative");
	if ((out->from < 0) == (out->to < 0) && out->from > out->to)
		return conf_error(n, e,
		    "end day %d is always before start day %d", out->to,
		    out->from);
	return 0;
}

static int
month(const struct conf_node *n, str s, int *out, struct error *e)
{
	for (int i = 0; i < 12; i++)
		if (same_word(s, months[i])) {
			*out = i + 1;
			return 0;
		}
	return whole(n, s, "month", out, e);
}

static int
month_range(const struct conf_node *n, struct span *out, struct error *e)
{
	str s, from, to;

	if (conf_str(n, &s, e) == -1)
		return -1;
	halves(s, &from, &to);
	if (month(n, from, &out->from, e) == -1 ||
	    month(n, to, &out->to, e) == -1)
		return -1;
	if (out->from > out->to)
		return conf_error(n, e,
		    "end month %.*s is before start month %.*s", STR_ARG(to),
		    STR_ARG(from));
	return 0;
}

static int
year_range(const struct conf_node *n, struct span *out, struct error *e)
{
	str s, from, to;

	if (conf_str(n, &s, e) == -1)
		return -1;
	halves(s, &from, &to);
	if (whole(n, from, "year", &out->from, e) == -1 ||
	    whole(n, to, "year", &out->to, e) == -1)
		return -1;
	if (out->from > out->to)
		return conf_error(n, e, "end year %d is before start year %d",
		    out->to, out->from);
	return 0;
}

static int
spans(struct arena *a, const struct conf_node *n,
    int (*one)(const struct conf_node *, struct span *, struct error *),
    struct spans *out, struct error *e)
{
	if (n == NULL || n->kind == CONF_NULL)
		return 0;
	if (n->kind != CONF_LIST)
		return conf_error(n, e, "must be a list");
	out->v = arena_array(a, n->n, struct span);
	for (; out->n < n->n; out->n++)
		if (one(n->v[out->n], &out->v[out->n], e) == -1)
			return -1;
	return 0;
}

static int
load_spec(struct arena *a, const struct conf_node *n, struct spec *out,
    struct error *e)
{
	static const char *const names[] = { "times", "weekdays",
		"days_of_month", "months", "years", "location" };
	const struct conf_node *v[6] = { NULL };
	struct conf_field f[6];
	str zone;

	for (size_t i = 0; i < 6; i++)
		f[i] = (struct conf_field){ names[i], CONF_T_NODE,
			i * sizeof(v[0]), false };
	if (conf_read(n, f, 6, v, e) == -1 ||
	    spans(a, v[0], time_range, &out->times, e) == -1 ||
	    spans(a, v[1], weekday_range, &out->weekdays, e) == -1 ||
	    spans(a, v[2], day_range, &out->days, e) == -1 ||
	    spans(a, v[3], month_range, &out->months, e) == -1 ||
	    spans(a, v[4], year_range, &out->years, e) == -1)
		return -1;
	if (v[5] == NULL || v[5]->kind == CONF_NULL)
		return 0;
	if (conf_str(v[5], &zone, e) == -1)
		return -1;
	if (zone.n == 0 || str_eq(zone, STR("UTC")))
		return 0;
	out->zone = date_zone_load(arena_cstr(a, zone), NULL, NULL);
	if (out->zone == NULL)
		return conf_error(
		    v[5], e, "unknown time zone %.*s", STR_ARG(zone));
	return 0;
}

struct interval_keys {
	str name;
	const struct conf_node *specs;
};

struct interval *
notify_interval_load(
    struct arena *a, const struct conf_node *n, struct error *e)
{
	struct interval *iv = arena_new(a, struct interval);
	struct interval_keys v = { .specs = NULL };
	static const struct conf_field f[] = {
		{ "name", CONF_T_STR, offsetof(struct interval_keys, name),
		    false },
		{ "time_intervals", CONF_T_NODE,
		    offsetof(struct interval_keys, specs), false },
	};

	if (conf_read(n, f, 2, &v, e) == -1)
		return NULL;
	iv->name = v.name;
	if (v.name.n == 0) {
		conf_error(n, e, "missing name in time interval");
		return NULL;
	}
	if (v.specs == NULL || v.specs->kind == CONF_NULL)
		return iv;
	if (v.specs->kind != CONF_LIST) {
		conf_error(v.specs, e, "must be a list");
		return NULL;
	}
	iv->v = arena_array(a, v.specs->n, struct spec);
	while (iv->n < v.specs->n) {
		struct spec *s = &iv->v[iv->n++];

		if (load_spec(a, v.specs->v[iv->n - 1], s, e) == -1) {
			notify_interval_fini(iv);
			return NULL;
		}
	}
	return iv;
}

str
notify_interval_name(const struct interval *iv)
{
	return iv->name;
}

static bool
inside(const struct spans *s, int v)
{
	if (s->n == 0)
		return true;
	for (size_t i = 0; i < s->n; i++)
		if (v >= s->v[i].from && v <= s->v[i].to)
			return true;
	return false;
}

static int
days_in(int year, int m)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[m - 1] + (m == 2 && leap);
}

/* Days from the end are negative; all are held inside the month. */
static bool
day_inside(const struct spans *s, const struct date *d)
{
	int last = days_in(d->year, d->month);

	for (size_t i = 0; i < s->n; i++) {
		int from = s->v[i].from, to = s->v[i].to;

		from = from < 0 ? last + from + 1 : from;
		to = to < 0 ? last + to + 1 : to;
		if (from > last)
			continue;
		if (d->day >= (from < 1 ? 1 : from) &&
		    d->day <= (to > last ? last : to))
			return true;
	}
	return s->n == 0;
}

static bool
time_inside(const struct spans *s, int minute)
{
	for (size_t i = 0; i < s->n; i++)
		if (minute >= s->v[i].from && minute < s->v[i].to)
			return true;
	return s->n == 0;
}

bool
notify_interval_has(const struct interval *iv, int64_t t)
{
	for (size_t i = 0; i < iv->n; i++) {
		const struct spec *s = &iv->v[i];
		struct date d;

		date_of(t, s->zone, &d);
		if (time_inside(&s->times, d.hour * 60 + d.minute) &&
		    inside(&s->weekdays, d.weekday) &&
		    day_inside(&s->days, &d) && inside(&s->months, d.month) &&
		    inside(&s->years, d.year))
			return true;
	}
	return false;
}

void
notify_interval_fini(struct interval *iv)
{
	for (size_t i = 0; i < iv->n; i++)
		date_zone_free(iv->v[i].zone);
	iv->n = 0;
}
