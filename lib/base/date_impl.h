/*
 * What date.c and date_zone.c share: one local time type of a zone.
 */
#ifndef BASE_DATE_IMPL_H
#define BASE_DATE_IMPL_H

#include "base/date.h"

struct date_zone_type {
	int offset; /* seconds east of UTC */
	char abbr[8];
};

/* What holds in z at s seconds since 1970; UTC if z is NULL. */
struct date_zone_type date_zone_at(const struct date_zone *z, int64_t s);

/* Days from 1970-01-01 to a civil date; the month is 1 to 12. */
int64_t date_days(int64_t year, int month, int day);

#endif
