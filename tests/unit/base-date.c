/*
 * base/date: calendar, zones, times in and Go layouts out.  Covers date_zone.c.
 */
#include "base/date.h"

#include <stdlib.h>
#include <unistd.h>

#include "check.h"

#define T0 INT64_C(1637582400000) /* 2021-11-22T12:00:00Z */

static bool
prints(int64_t t, const char *want)
{
	struct buf b = { 0 };
	bool ok;

	date_print(&b, t);
	ok = str_eq(buf_str(&b), str_of(want));
	if (!ok)
		printf("# %s, not %s\n", buf_cstr(&b), want);
	buf_fini(&b);
	return ok;
}

static bool
formats(
    int64_t t, const struct date_zone *z, const char *layout, const char *want)
{
	struct buf b = { 0 };
	bool ok;

	date_format(&b, t, z, str_of(layout));
	ok = str_eq(buf_str(&b), str_of(want));
	if (!ok)
		printf("# %s, not %s\n", buf_cstr(&b), want);
	buf_fini(&b);
	return ok;
}

static void
calendar(void)
{
	struct date d;
	size_t bad = 0;
	struct buf b = { 0 };

	CHECK(prints(0, "1970-01-01T00:00:00Z"));
	CHECK(prints(T0, "2021-11-22T12:00:00Z"));
	CHECK(prints(T0 + 120, "2021-11-22T12:00:00.12Z"));
	CHECK(prints(-1, "1969-12-31T23:59:59.999Z"));
	CHECK(prints(INT64_C(951782400000), "2000-02-29T00:00:00Z"));
	CHECK(prints(INT64_C(-62135596800000), "0001-01-01T00:00:00Z"));
	date_print_ms(&b, T0);
	CHECK_STR(buf_str(&b), "2021-11-22T12:00:00.000Z");
	buf_fini(&b);
	date_of(T0, NULL, &d);
	CHECK(d.weekday == 1 && d.yday == 325);
	for (int64_t t = -62135596800000; t < 4102444800000;
	     t += 86399999 * 7) {
		date_of(t, NULL, &d);
		bad += date_to(&d, NULL) != t;
	}
	CHECK(bad == 0);
	d = (struct date){ .year = 2021, .month = 14, .day = 0, .hour = 24 };
	CHECK(prints(date_to(&d, NULL), "2022-02-01T00:00:00Z"));
	date_of(INT64_MAX, NULL, &d);
	CHECK(d.year == 292278994);
}

static void
zones(void)
{
	struct error e = { "" };
	struct date_zone *z = date_zone_load("Europe/Berlin", NULL, &e);
	struct date d;
	size_t bad = 0;

	CHECK(date_zone_load("../etc/passwd", NULL, &e) == NULL);
	CHECK(date_zone_load("/etc/localtime", NULL, &e) == NULL);
	CHECK(date_zone_load("", NULL, &e) == NULL);
	CHECK(date_zone_load("No/Where", NULL, &e) == NULL);
	CHECK(strcmp(e.msg, "unknown time zone No/Where") == 0);
	CHECK(date_zone_load("Europe", NULL, &e) == NULL);
	if (z == NULL) { /* no tzdata on this machine */
		printf("# no zones here\n");
		return;
	}
	date_of(T0, z, &d);
	CHECK(d.hour == 13 && d.offset == 3600 && strcmp(d.abbr, "CET") == 0);
	date_of(T0 - 150 * DATE_DAY, z, &d);
	CHECK(d.hour == 14 && strcmp(d.abbr, "CEST") == 0);
	/* Behind the table the footer's rule holds: 2061-07-01, 2061-12-01. */
	date_of(INT64_C(2887272000000), z, &d);
	CHECK(d.hour == 14 && strcmp(d.abbr, "CEST") == 0);
	date_of(INT64_C(2900491200000), z, &d);
	CHECK(d.hour == 13 && strcmp(d.abbr, "CET") == 0);
	/* Its last Sundays of March and October, to the second. */
	date_of(INT64_C(2879110799000), z, &d);
	CHECK(d.month == 3 && d.day == 27 && d.hour == 1 && d.offset == 3600);
	date_of(INT64_C(2879110800000), z, &d);
	CHECK(d.hour == 3 && d.offset == 7200);
	date_of(INT64_MIN, z, &d);
	date_of(INT64_MAX, z, &d);
	for (int64_t t = 0; t < 4102444800000; t += 3600000 * 13) {
		date_of(t, z, &d);
		bad += date_to(&d, z) != t && d.month != 10;
	}
	CHECK(bad == 0);
	/* A local time that is skipped moves on, as in Go. */
	d = (struct date){
		.year = 2021, .month = 3, .day = 28, .hour = 2, .minute = 30
	};
	CHECK(prints(date_to(&d, z), "2021-03-28T01:30:00Z"));
	/* One that comes twice is what Go takes it for. */
	d = (struct date){
		.year = 2021, .month = 10, .day = 31, .hour = 2, .minute = 30
	};
	CHECK(prints(date_to(&d, z), "2021-10-31T01:30:00Z"));
	CHECK(formats(
	    T0, z, "02 Jan 06 15:04 MST -07:00", "22 Nov 21 13:00 CET +01:00"));
	date_zone_free(z);
}

/* Every cut of a zone file is refused or read, never overrun. */
static void
broken_zone(void)
{
	char dir[] = "/tmp/mf-dateXXXXXX", path[64], data[2048];
	FILE *f = fopen("/usr/share/zoneinfo/Europe/Berlin", "r");
	size_t n = f == NULL ? 0 : fread(data, 1, sizeof(data), f);

	if (f != NULL)
		fclose(f);
	if (mkdtemp(dir) == NULL)
		return;
	snprintf(path, sizeof(path), "%s/Z", dir);
	for (size_t i = 1; i < n; i += 7) {
		struct date_zone *z;
		struct date d;

		f = fopen(path, "w");
		fwrite(data, 1, i, f);
		fclose(f);
		z = date_zone_load("Z", dir, NULL);
		if (z != NULL)
			date_of(T0, z, &d);
		date_zone_free(z);
	}
	f = fopen(path, "w");
	fputs("TZif is not this", f);
	fclose(f);
	CHECK(date_zone_load("Z", dir, NULL) == NULL);
	unlink(path);
	rmdir(dir);
}

static int64_t
at(const char *z)
{
	int64_t t = 0;

	return date_parse(str_of(z), T0, NULL, &t, NULL) == 0 ? t : INT64_MIN;
}

static void
parsing(void)
{
	int64_t t;
	int32_t ns;

	CHECK(at("now") == T0 && at("today") == T0 - DATE_DAY / 2);
	CHECK(at("yesterday") == T0 - DATE_DAY / 2 - DATE_DAY);
	CHECK(at("-1h") == T0 - 3600000 && at("+1m") == T0 + 60000);
	CHECK(at("-2d12h") == T0 - 60 * INT64_C(3600000));
	CHECK(at("0") == 0 && at("1637582400.5") == T0 + 500);
	CHECK(at("-5") == -5000);
	CHECK(at("2021-11-22T12:00:00Z") == T0);
	CHECK(at("2021-11-22T13:00:00.25+01:00") == T0 + 250);
	CHECK(at("2024-02-29T00:00:00Z") == INT64_C(1709164800000));
	CHECK(at("2021-02-29T00:00:00Z") == INT64_MIN);
	CHECK(at("2021-11-22T24:00:00Z") == INT64_MIN);
	CHECK(at("2021-11-22T12:00:00") == INT64_MIN);
	CHECK(at("2021-11-22T12:00:00.Z") == INT64_MIN);
	CHECK(at("2021-11-22") == T0 - DATE_DAY / 2 && at("") == INT64_MIN);
	CHECK(at("2021-02-29") == INT64_MIN && at("2021-13-01") == INT64_MIN);
	CHECK(at("2021-11-2") == INT64_MIN && at("2021/11/22") == INT64_MIN);
	CHECK(at("2021-11-22T") == INT64_MIN);
	CHECK(at("NaN") == INT64_MIN && at("1e99") == INT64_MIN);
	CHECK(at("tomorrow") == INT64_MIN && at("-") == INT64_MIN);
	CHECK(date_parse_rfc3339(
		  STR("2021-11-22T12:00:00.123456789Z"), &t, &ns, NULL) == 0 &&
	    t == T0 + 123 && ns == 456789);
}

static void
layouts(void)
{
	int64_t t = T0 - 3 * 3600000 - 54 * 60000 + 7007; /* 08:06:07.007 */

	CHECK(formats(
	    t, NULL, "2006-01-02 15:04:05 MST", "2021-11-22 08:06:07 UTC"));
	CHECK(formats(t, NULL, "Mon Monday Jan January",
	    "Mon Monday Nov "
	    "November"));
	CHECK(formats(t, NULL, "1/2/06 3:4:5 PM pm", "11/22/21 8:6:7 AM am"));
	CHECK(formats(t, NULL, "05.000 05.999 05,000000",
	    "07.007 07.007 "
	    "07,007000"));
	CHECK(formats(t - 7, NULL, "05.999999|05.000", "07|07.000"));
	CHECK(
	    formats(t, NULL, "Z07:00 -0700 Z0700 -07 Z07", "Z +0000 Z +00 Z"));
	CHECK(formats(0, NULL, "_2 002 __2 _2006", " 1 001   1 _1970"));
	CHECK(formats(t, NULL, "Month Janet 03", "Month Janet 08"));
	CHECK(formats(t, NULL, "", ""));
}

int
main(void)
{
	calendar();
	zones();
	broken_zone();
	parsing();
	layouts();
	return done();
}
