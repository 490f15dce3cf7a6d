/*
 * Points in time as text, and the calendar.  A time is int64_t milliseconds
 * since 1970-01-01 UTC; zones are read from TZif files (RFC 8536), so that no
 * process-wide TZ is touched and two zones can be used at once.
 */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#define DATE_DAY INT64_C(86400000)

/* A civil time; month 1-12, day 1-31, weekday 0 = Sunday, yday 0-365. */
struct date {
	int year, month, day, hour, minute, second, ms;
	int weekday, yday;
	int offset;   /* seconds east of UTC */
	char abbr[8]; /* "UTC", "CEST" */
};

struct date_zone; /* NULL is UTC everywhere */

/*
 * Read a zone by name ("Europe/Berlin", "UTC", "Local"): from dir, or from
 * /usr/share/zoneinfo if dir is NULL.  "Local" reads /etc/localtime.  Names
 * with ".." or a leading '/' are refused.  date_zone_free() takes NULL.
 */
struct date_zone *date_zone_load(
    const char *name, const char *dir, struct error *e);
void date_zone_free(struct date_zone *z);

void date_of(int64_t t, const struct date_zone *z, struct date *d);

/* Civil time in a zone to ms; fields out of range carry over (hour 24). */
int64_t date_to(const struct date *d, const struct date_zone *z);

/*
 * A time of the command line: RFC 3339, unix seconds (0, 1637582400.5), now,
 * midnight in zone z (2021-11-22, today, yesterday), or relative to now (-1h,
 * -2d12h).
 */
int date_parse(
    str s, int64_t now, const struct date_zone *z, int64_t *t, struct error *e);

/* RFC 3339 only, with any fraction, to ms (cut) and, if ns is not NULL, ns. */
int date_parse_rfc3339(str s, int64_t *t, int32_t *ns, struct error *e);

/* 2021-11-22T12:00:00Z, a fraction only if there is one, zeros cut. */
void date_print(struct buf *b, int64_t t);

/* 2021-11-22T12:00:00.000Z: always three digits. */
void date_print_ms(struct buf *b, int64_t t);

/* Go's time.Format layouts ("2006-01-02 15:04:05 MST", ...). */
void date_format(
    struct buf *b, int64_t t, const struct date_zone *z, str layout);

#endif
