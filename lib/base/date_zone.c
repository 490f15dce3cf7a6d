/*
 * Time zones from TZif files (RFC 8536): the table of transitions, and behind
 * its last one the rule in the footer (a POSIX TZ string).  Read by ourselves,
 * because tzset(3) knows one zone a process.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/date_impl.h"
#include "base/file.h"
#include "base/mem.h"

/* When a POSIX rule changes: Mm.w.d, Jn or n, and the second of that day. */
struct change {
	char kind; /* 'M', 'J' or '0' */
	int month, week, day;
	int second;
};

/* Where a year is still a number to reckon with, in seconds. */
#define RULE_MAX INT64_C(9000000000000000)

struct date_zone {
	int64_t *at;
	unsigned char *index; /* into types, one for each at */
	size_t n;
	struct date_zone_type *types;
	size_t ntypes;
	/* The footer: what holds after the last transition. */
	bool has_rule, has_dst;
	struct date_zone_type std, dst;
	struct change start, end;
};

static int64_t
be(const char *p, size_t n)
{
	uint64_t v = (p[0] & 0x80) != 0 ? ~UINT64_C(0) : 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)p[i];
	return (int64_t)v;
}

/* "<+03>" or "CET" into abbr. */
static bool
rule_name(str *s, char abbr[8])
{
	bool angle = s->n > 0 && s->p[0] == '<';
	size_t i = angle, len = 0;

	for (; i < s->n; i++) {
		char c = s->p[i];
		bool alpha = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		bool digit = c >= '0' && c <= '9';

		if (!alpha && !(angle && (digit || c == '+' || c == '-')))
			break;
		if (len == 7)
			return false;
		abbr[len++] = c;
	}
	abbr[len] = '\0';
	if (angle && (i == s->n || s->p[i++] != '>'))
		return false;
	*s = str_skip(*s, i);
	return len >= 3;
}

static bool
rule_int(str *s, int max, int *v)
{
	size_t i = 0;

	*v = 0;
	for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
		*v = *v * 10 + (s->p[i] - '0');
		if (*v > max)
			return false;
	}
	*s = str_skip(*s, i);
	return i > 0;
}

static bool
rule_skip(str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_skip(*s, 1);
	return true;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool
rule_time(str *s, int *v)
{
	int h, m = 0, sec = 0;
	bool neg = rule_skip(s, '-');

	if (!neg)
		(void)rule_skip(s, '+');
	if (!rule_int(s, 167, &h) ||
	    (rule_skip(s, ':') && !rule_int(s, 59, &m)) ||
	    (rule_skip(s, ':') && !rule_int(s, 59, &sec)))
		return false;
	*v = (h * 3600 + m * 60 + sec) * (neg ? -1 : 1);
	return true;
}

static bool
rule_change(str *s, struct change *c)
{
	c->second = 7200;
	if (!rule_skip(s, ','))
		return false;
	if (rule_skip(s, 'M')) {
		c->kind = 'M';
		if (!rule_int(s, 12, &c->month) || c->month == 0 ||
		    !rule_skip(s, '.') || !rule_int(s, 5, &c->week) ||
		    c->week == 0 || !rule_skip(s, '.') ||
		    !rule_int(s, 6, &c->day))
			return false;
	} else {
		c->kind = rule_skip(s, 'J') ? 'J' : '0';
		if (!rule_int(s, 365, &c->day) ||
		    (c->kind == 'J' && c->day == 0))
			return false;
	}
	return !rule_skip(s, '/') || rule_time(s, &c->second);
}

/* std offset [dst [offset] ,start,end]: POSIX counts west as positive. */
static bool
rule_parse(struct date_zone *z, str s)
{
	int west;

	if (!rule_name(&s, z->std.abbr) || !rule_time(&s, &west))
		return false;
	z->std.offset = -west;
	z->has_rule = true;
	if (s.n == 0)
		return true;
	if (!rule_name(&s, z->dst.abbr))
		return false;
	z->dst.offset = z->std.offset + 3600;
	if (s.n > 0 && s.p[0] != ',') {
		if (!rule_time(&s, &west))
			return false;
		z->dst.offset = -west;
	}
	z->has_dst = true;
	return rule_change(&s, &z->start) && rule_change(&s, &z->end) &&
	    s.n == 0;
}

/* The moment of a change in a year, in seconds of the local time before it. */
static int64_t
change_at(const struct change *c, int64_t year)
{
	int64_t day, first = date_days(year, 1, 1);
	bool leap = date_days(year + 1, 1, 1) - first == 366;

	if (c->kind == 'M') {
		int64_t next = date_days(c->month == 12 ? year + 1 : year,
		    c->month == 12 ? 1 : c->month + 1, 1);

		day = date_days(year, c->month, 1);
		day += (c->day - (day + 4) % 7 + 14) % 7 +
		    (int64_t)(c->week - 1) * 7;
		if (day >= next)
			day -= 7;
	} else if (c->kind == 'J') {
		day = first + c->day - 1 + (leap && c->day >= 60);
	} else {
		day = first + c->day;
	}
	return day * 86400 + c->second;
}

static struct date_zone_type
rule_at(const struct date_zone *z, int64_t s)
{
	struct date d;
	int64_t start, end;
	bool dst;

	if (!z->has_dst || s > RULE_MAX || s < -RULE_MAX)
		return z->std;
	date_of((s + z->std.offset) * 1000, NULL, &d);
	start = change_at(&z->start, d.year) - z->std.offset;
	end = change_at(&z->end, d.year) - z->dst.offset;
	dst = start < end ? s >= start && s < end : s >= start || s < end;
	return dst ? z->dst : z->std;
}

struct date_zone_type
date_zone_at(const struct date_zone *z, int64_t s)
{
	size_t lo = 0, hi;

	if (z == NULL)
		return (struct date_zone_type){ 0, "UTC" };
	hi = z->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (z->at[mid] <= s)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == z->n && z->has_rule)
		return rule_at(z, s);
	return z->types[lo == 0 ? 0 : z->index[lo - 1]];
}

/* The counts of a TZif header. */
struct counts {
	size_t isut, isstd, leap, time, type, chars;
};

static bool
header(str s, struct counts *c)
{
	size_t *out[] = { &c->isut, &c->isstd, &c->leap, &c->time, &c->type,
		&c->chars };

	if (s.n < 44 || !str_starts(s, STR("TZif")))
		return false;
	for (size_t i = 0; i < 6; i++) {
		int64_t v = be(s.p + 20 + 4 * i, 4);

		if (v < 0 || v > 100000)
			return false;
		*out[i] = (size_t)v;
	}
	return c->type > 0 && c->type <= 256;
}

static size_t
body_size(const struct counts *c, size_t width)
{
	return c->time * (width + 1) + c->type * 6 + c->chars +
	    c->leap * (width + 4) + c->isstd + c->isut;
}

static bool
zone_types(struct date_zone *z, const struct counts *c, const char *p)
{
	const char *chars = p + c->type * 6;

	z->ntypes = c->type;
	z->types = mem_zero(c->type, sizeof(*z->types));
	for (size_t i = 0; i < c->type; i++, p += 6) {
		size_t at = (unsigned char)p[5], len;
		int64_t offset = be(p, 4);

		if (at >= c->chars || offset < -100000 || offset > 100000)
			return false;
		len = strnlen(chars + at, c->chars - at);
		if (len >= sizeof(z->types[i].abbr))
			len = sizeof(z->types[i].abbr) - 1;
		memcpy(z->types[i].abbr, chars + at, len);
		z->types[i].offset = (int)offset;
	}
	for (size_t i = 0; i < z->n; i++)
		if (z->index[i] >= z->ntypes)
			return false;
	return true;
}

/* The block of 64-bit times behind that of 32-bit ones, and the footer. */
static bool
zone_parse(struct date_zone *z, str s)
{
	struct counts c;
	size_t size;
	const char *p;

	if (!header(s, &c) || s.p[4] < '2')
		return false;
	size = 44 + body_size(&c, 4);
	if (s.n < size || !header(str_skip(s, size), &c))
		return false;
	s = str_skip(s, size + 44);
	if (s.n < body_size(&c, 8))
		return false;
	p = s.p;
	z->n = c.time;
	z->at = mem_zero(c.time + 1, sizeof(*z->at));
	z->index = mem_zero(c.time + 1, 1);
	for (size_t i = 0; i < c.time; i++, p += 8) {
		z->at[i] = be(p, 8);
		if (i > 0 && z->at[i] <= z->at[i - 1])
			return false;
	}
	if (c.time > 0)
		memcpy(z->index, p, c.time);
	if (!zone_types(z, &c, p + c.time))
		return false;
	s = str_trim(str_skip(s, body_size(&c, 8)));
	return s.n == 0 || rule_parse(z, s);
}

/* The file of a name into text; a machine without zones has UTC all the same.
 */
static int
zone_read(const char *name, const char *dir, struct buf *text, struct error *e)
{
	struct buf path = { 0 };
	int rc;

	if (*name == '\0' || *name == '/' || strstr(name, "..") != NULL)
		return error_set(e, "bad time zone \"%s\"", name);
	if (strcmp(name, "Local") == 0)
		buf_z(&path, "/etc/localtime");
	else
		buf_printf(&path, "%s/%s",
		    dir != NULL ? dir : "/usr/share/zoneinfo", name);
	rc = file_read(buf_cstr(&path), text, e);
	if (rc == -1 && errno == ENOENT) {
		bool utc =
		    strcmp(name, "UTC") == 0 || strcmp(name, "Local") == 0;

		rc = utc ? 0 : error_set(e, "unknown time zone %s", name);
	} else if (rc == -1 && errno == EISDIR) {
		error_set(e, "unknown time zone %s", name);
	}
	buf_fini(&path);
	return rc;
}

struct date_zone *
date_zone_load(const char *name, const char *dir, struct error *e)
{
	struct date_zone *z = NULL;
	struct buf text = { 0 };

	if (zone_read(name, dir, &text, e) == 0) {
		z = mem_zero(1, sizeof(*z));
		if (text.n == 0) {
			(void)rule_parse(z, STR("UTC0"));
		} else if (!zone_parse(z, buf_str(&text))) {
			error_set(e, "%s: not a time zone file", name);
			date_zone_free(z);
			z = NULL;
		}
	}
	buf_fini(&text);
	return z;
}

void
date_zone_free(struct date_zone *z)
{
	if (z == NULL)
		return;
	free(z->at);
	free(z->index);
	free(z->types);
	free(z);
}
