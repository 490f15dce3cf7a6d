/*
 * --tz: the zone of the machine, or one by name.
 */
#include "zone.h"

#include <stdlib.h>
#include <string.h>

#include "tool.h"

bool
zone_is_local(const char *name)
{
	return strcmp(name, "local") == 0 || strcmp(name, "Local") == 0;
}

struct date_zone *
zone_of(const char *name)
{
	const char *tz = getenv("TZ");
	struct date_zone *z;
	struct error e;

	if (zone_is_local(name)) {
		/* A machine without one is in UTC. */
		tz = tz != NULL && tz[0] == ':' ? tz + 1 : tz;
		return date_zone_load(
		    tz != NULL && tz[0] != '\0' ? tz : "Local", NULL, NULL);
	}
	z = date_zone_load(name, NULL, &e);
	if (z == NULL && strcmp(name, "UTC") != 0)
		tool_die(TOOL_USAGE, "--tz: %s", e.msg);
	return z;
}
