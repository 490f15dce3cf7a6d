/*
 * The calendar, times as text in, and Go's layouts out.  Days are counted
 * with the civil calendar's own periods (400 years are 146097 days), so no
 * table and no libc time function is needed.
 */
#include "base/date.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/date_impl.h"
#include "base/dur.h"
#include "base/num.h"

#define SECOND INT64_C(1000)

static const char *const months[] = { "January", "February", "March", "April",
	"May", "June", "July", "August", "September", "October", "November",
	"December" };
static const char *const weekdays[] = { "Sunday", "Monday", "Tuesday",
	"Wednesday", "Thursday", "Friday", "Saturday" };

/* a / b rounded down, for b > 0. */
static int64_t
floored(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t
date_days(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = floored(y, 400);
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void
civil(int64_t days, struct date *out)
{
	int64_t era, doe, yoe, doy, mp;

	days += 719468;
	era = floored(days, 146097);
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	out->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	out->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	out->year = (int)(yoe + era * 400 + (out->month <= 2));
}

void
date_of(int64_t t, const struct date_zone *z, struct date *d)
{
	int64_t s = floored(t, SECOND), days, rest;
	struct date_zone_type local = date_zone_at(z, s);

	days = floored(s + local.offset, 86400);
	rest = s + local.offset - days * 86400;
	civil(days, d);
	d->hour = (int)(rest / 3600);
	d->minute = (int)(rest / 60 % 60);
	d->second = (int)(rest % 60);
	d->ms = (int)(t % SECOND + SECOND) % 1000;
	d->weekday = (int)(((days + 4) % 7 + 7) % 7);
	d->yday = (int)(days - date_days(d->year, 1, 1));
	d->offset = local.offset;
	memcpy(d->abbr, local.abbr, sizeof(d->abbr));
}

/*
 * As Go's time.Date finds the offset of a local time that is there twice or
 * not at all: what holds at the same time in UTC, corrected once.
 */
int64_t
date_to(const struct date *d, const struct date_zone *z)
{
	int64_t month = (int64_t)d->month - 1, s;
	int64_t year = d->year + floored(month, 12);

	month -= floored(month, 12) * 12;
	s = (date_days(year, (int)month + 1, 1) + d->day - 1) * 86400;
	s += (int64_t)d->hour * 3600 + (int64_t)d->minute * 60 + d->second;
	if (z != NULL)
		s -= date_zone_at(z, s - date_zone_at(z, s).offset).offset;
	return s * SECOND + d->ms;
}

static bool
digits(str s, size_t at, size_t n, int *v)
{
	int k = 0;

	if (s.n < at + n)
		return false;
	for (size_t i = at; i < at + n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		k = k * 10 + (s.p[i] - '0');
	}
	*v = k;
	return true;
}

/* The fraction at the start of *s, if there is one, in ns. */
static bool
fraction(str *s, int32_t *ns)
{
	int32_t unit = 100000000;
	size_t i = 1;

	*ns = 0;
	if (s->n == 0 || (s->p[0] != '.' && s->p[0] != ','))
		return true;
	for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
		*ns += unit * (s->p[i] - '0');
		unit /= 10;
	}
	*s = str_skip(*s, i);
	return i > 1;
}

/* "Z" or "+01:30" and nothing behind it, in seconds east. */
static bool
zone_suffix(str s, int *offset)
{
	int h, m;

	*offset = 0;
	if (s.n == 1 && (s.p[0] == 'Z' || s.p[0] == 'z'))
		return true;
	if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':' ||
	    !digits(s, 1, 2, &h) || !digits(s, 4, 2, &m) || h > 24 || m > 60)
		return false;
	*offset = (h * 60 + m) * 60 * (s.p[0] == '-' ? -1 : 1);
	return true;
}

static int
month_days(int y, int m)
{
	return (int)(date_days(m == 12 ? y + 1 : y, m == 12 ? 1 : m + 1, 1) -
	    date_days(y, m, 1));
}

/* The first ten bytes, of s that has as many. */
static bool
day_parts(str s, struct date *d)
{
	return digits(s, 0, 4, &d->year) && s.p[4] == '-' &&
	    digits(s, 5, 2, &d->month) && s.p[7] == '-' &&
	    digits(s, 8, 2, &d->day) && d->month >= 1 && d->month <= 12 &&
	    d->day >= 1 && d->day <= month_days(d->year, d->month);
}

static bool
civil_parts(str s, struct date *d)
{
	return day_parts(s, d) &&
	    (s.p[10] == 'T' || s.p[10] == 't' || s.p[10] == ' ') &&
	    digits(s, 11, 2, &d->hour) && s.p[13] == ':' &&
	    digits(s, 14, 2, &d->minute) && s.p[16] == ':' &&
	    digits(s, 17, 2, &d->second) && d->hour <= 23 && d->minute <= 59 &&
	    d->second <= 59;
}

int
date_parse_rfc3339(str s, int64_t *t, int32_t *ns, struct error *e)
{
	struct date d = { 0 };
	str rest = str_skip(s, 19);
	int32_t frac;
	int offset;

	if (s.n < 20 || !civil_parts(s, &d) || !fraction(&rest, &frac) ||
	    !zone_suffix(rest, &offset))
		return error_set(
		    e, "not an RFC 3339 time: \"%.*s\"", STR_ARG(s));
	*t = date_to(&d, NULL) - offset * SECOND + frac / 1000000;
	if (ns != NULL)
		*ns = frac % 1000000;
	return 0;
}

static int64_t
midnight(int64_t now, const struct date_zone *z, int days)
{
	struct date d;

	date_of(now, z, &d);
	d.day += days;
	d.hour = d.minute = d.second = d.ms = 0;
	return date_to(&d, z);
}

/* Whole milliseconds of a number of seconds, if they can be such. */
static bool
unix_seconds(str s, int64_t *t)
{
	double v;

	if (num_parse(s, &v) == -1 || !(fabs(v) < 9e15))
		return false;
	*t = (int64_t)llrint(v * 1000);
	return true;
}

int
date_parse(
    str s, int64_t now, const struct date_zone *z, int64_t *t, struct error *e)
{
	struct date d = { 0 };
	int64_t ms;

	if (str_eq(s, STR("now")))
		*t = now;
	else if (str_eq(s, STR("today")))
		*t = midnight(now, z, 0);
	else if (str_eq(s, STR("yesterday")))
		*t = midnight(now, z, -1);
	else if (unix_seconds(s, t))
		return 0;
	else if (s.n > 1 && (s.p[0] == '-' || s.p[0] == '+') &&
	    dur_parse(str_skip(s, 1), &ms, NULL) == 0)
		*t = s.p[0] == '-' ? now - ms : now + ms;
	else if (s.n == 10 && day_parts(s, &d))
		*t = date_to(&d, z);
	else if (date_parse_rfc3339(s, t, NULL, NULL) == -1)
		return error_set(e,
		    "bad time \"%.*s\": want RFC 3339 (2021-11-22T12:00:00Z), "
		    "a date, unix seconds, now, today, yesterday or -1h",
		    STR_ARG(s));
	return 0;
}

static void
print_civil(struct buf *b, const struct date *d)
{
	buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d", d->year, d->month,
	    d->day, d->hour, d->minute, d->second);
}

/* .ms cut to n digits; with trim without zeros at its end. */
static void
print_fraction(struct buf *b, char point, int ms, size_t n, bool trim)
{
	char text[16];
	size_t len = n;

	snprintf(text, sizeof(text), "%03d000000", ms);
	while (trim && len > 0 && text[len - 1] == '0')
		len--;
	if (len == 0)
		return;
	buf_byte(b, point);
	buf_add(b, (str){ text, len });
}

void
date_print(struct buf *b, int64_t t)
{
	struct date d;

	date_of(t, NULL, &d);
	print_civil(b, &d);
	print_fraction(b, '.', d.ms, 3, true);
	buf_byte(b, 'Z');
}

void
date_print_ms(struct buf *b, int64_t t)
{
	struct date d;

	date_of(t, NULL, &d);
	print_civil(b, &d);
	buf_printf(b, ".%03dZ", d.ms);
}

/* The words of a layout, a longer one before what it begins with. */
enum part {
	LONG_MONTH,
	MONTH,
	MONTH2,
	MONTH1,
	LONG_WEEKDAY,
	WEEKDAY,
	YDAY3,
	YDAY_PAD,
	DAY2,
	DAY_PAD,
	DAY1,
	HOUR24,
	HOUR12,
	HOUR1,
	MINUTE2,
	MINUTE1,
	SECOND2,
	SECOND1,
	YEAR4,
	YEAR2,
	UPPER_PM,
	LOWER_PM,
	ABBR,
	OFFSET,
};

static const struct layout_word {
	const char *text;
	enum part part;
} words[] = {
	{ "January", LONG_MONTH },
	{ "Jan", MONTH },
	{ "Monday", LONG_WEEKDAY },
	{ "Mon", WEEKDAY },
	{ "MST", ABBR },
	{ "002", YDAY3 },
	{ "01", MONTH2 },
	{ "02", DAY2 },
	{ "03", HOUR12 },
	{ "04", MINUTE2 },
	{ "05", SECOND2 },
	{ "06", YEAR2 },
	{ "15", HOUR24 },
	{ "1", MONTH1 },
	{ "2006", YEAR4 },
	{ "2", DAY1 },
	{ "__2", YDAY_PAD },
	{ "_2", DAY_PAD },
	{ "3", HOUR1 },
	{ "4", MINUTE1 },
	{ "5", SECOND1 },
	{ "PM", UPPER_PM },
	{ "pm", LOWER_PM },
	{ "-070000", OFFSET },
	{ "-07:00:00", OFFSET },
	{ "-0700", OFFSET },
	{ "-07:00", OFFSET },
	{ "-07", OFFSET },
	{ "Z070000", OFFSET },
	{ "Z07:00:00", OFFSET },
	{ "Z0700", OFFSET },
	{ "Z07:00", OFFSET },
	{ "Z07", OFFSET },
};

/* The form is the word itself: Z for UTC, colons, how many pairs of digits. */
static void
put_offset(struct buf *b, str form, int offset)
{
	int v = offset < 0 ? -offset : offset;
	const char *colon = str_chr(form, ':') < form.n ? ":" : "";

	if (form.p[0] == 'Z' && offset == 0) {
		buf_byte(b, 'Z');
		return;
	}
	buf_printf(b, "%c%02d", offset < 0 ? '-' : '+', v / 3600);
	if (form.n >= 5)
		buf_printf(b, "%s%02d", colon, v / 60 % 60);
	if (form.n >= 7)
		buf_printf(b, "%s%02d", colon, v % 60);
}

static void
put_part(struct buf *b, const struct date *d, enum part part, str form)
{
	int hour12 = d->hour % 12 == 0 ? 12 : d->hour % 12;

	switch (part) {
	case LONG_MONTH:
		buf_z(b, months[d->month - 1]);
		break;
	case MONTH:
		buf_printf(b, "%.3s", months[d->month - 1]);
		break;
	case MONTH2:
		buf_printf(b, "%02d", d->month);
		break;
	case MONTH1:
		buf_printf(b, "%d", d->month);
		break;
	case LONG_WEEKDAY:
		buf_z(b, weekdays[d->weekday]);
		break;
	case WEEKDAY:
		buf_printf(b, "%.3s", weekdays[d->weekday]);
		break;
	case YDAY3:
		buf_printf(b, "%03d", d->yday + 1);
		break;
	case YDAY_PAD:
		buf_printf(b, "%3d", d->yday + 1);
		break;
	case DAY2:
		buf_printf(b, "%02d", d->day);
		break;
	case DAY_PAD:
		buf_printf(b, "%2d", d->day);
		break;
	case DAY1:
		buf_printf(b, "%d", d->day);
		break;
	case HOUR24:
		buf_printf(b, "%02d", d->hour);
		break;
	case HOUR12:
		buf_printf(b, "%02d", hour12);
		break;
	case HOUR1:
		buf_printf(b, "%d", hour12);
		break;
	case MINUTE2:
		buf_printf(b, "%02d", d->minute);
		break;
	case MINUTE1:
		buf_printf(b, "%d", d->minute);
		break;
	case SECOND2:
		buf_printf(b, "%02d", d->second);
		break;
	case SECOND1:
		buf_printf(b, "%d", d->second);
		break;
	case YEAR4:
		buf_printf(b, "%04d", d->year);
		break;
	case YEAR2:
		buf_printf(b, "%02d", (d->year % 100 + 100) % 100);
		break;
	case UPPER_PM:
		buf_z(b, d->hour >= 12 ? "PM" : "AM");
		break;
	case LOWER_PM:
		buf_z(b, d->hour >= 12 ? "pm" : "am");
		break;
	case ABBR:
		buf_z(b, d->abbr);
		break;
	case OFFSET:
		put_offset(b, form, d->offset);
		break;
	}
}

/* ".000" or ",999": as many digits, zeros at the end cut for nines. */
static size_t
put_subsecond(struct buf *b, const struct date *d, str s)
{
	size_t n = 1;

	if (s.n < 2 || (s.p[0] != '.' && s.p[0] != ',') ||
	    (s.p[1] != '0' && s.p[1] != '9'))
		return 0;
	while (n < s.n && s.p[n] == s.p[1])
		n++;
	if (n > 10 || (n < s.n && s.p[n] >= '0' && s.p[n] <= '9'))
		return 0;
	print_fraction(b, s.p[0], d->ms, n - 1, s.p[1] == '9');
	return n;
}

static const struct layout_word *
find_word(str s)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const struct layout_word *w = &words[i];
		str text = str_of(w->text), rest = str_skip(s, text.n);

		if (!str_starts(s, text))
			continue;
		/* "Janet" and "Month" are only words. */
		if ((w->part == MONTH || w->part == WEEKDAY) && rest.n > 0 &&
		    rest.p[0] >= 'a' && rest.p[0] <= 'z')
			continue;
		/* "_2006" is an underscore before the year. */
		if (w->part == DAY_PAD && str_starts(rest, STR("006")))
			continue;
		return w;
	}
	return NULL;
}

void
date_format(struct buf *b, int64_t t, const struct date_zone *z, str layout)
{
	struct date d;

	date_of(t, z, &d);
	while (layout.n > 0) {
		const struct layout_word *w = find_word(layout);
		size_t n = 1;

		if (w != NULL) {
			n = strlen(w->text);
			put_part(b, &d, w->part, str_take(layout, n));
		} else if ((n = put_subsecond(b, &d, layout)) == 0) {
			buf_byte(b, layout.p[0]);
			n = 1;
		}
		layout = str_skip(layout, n);
	}
}
