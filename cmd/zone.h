/*
 * --tz of the tools: a zone by its name.
 */
#ifndef ZONE_H
#define ZONE_H

#include "base/date.h"

/*
 * The zone of a name as --tz takes it; "local" is $TZ, else /etc/localtime.
 * NULL is UTC.  Exits 2 if there is none such.
 */
struct date_zone *zone_of(const char *name);

/* Is it the machine's own, which has no name of its own? */
bool zone_is_local(const char *name);

#endif
