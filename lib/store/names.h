/*
 * A day's series by metric name, in memory, of what its index does not have:
 * made when a process asks a second time, so that many selectors (rules, a
 * dashboard) do not each read the whole log.  It grows as the log does.
 */
#ifndef STORE_NAMES_H
#define STORE_NAMES_H

#include "base/map.h"
#include "store/dict.h"

struct store_names {
	struct map by_name; /* keys lie in the log's map */
	struct store_name {
		uint32_t *id;
		size_t n, cap;
	} * v;
	size_t n, cap;
	uint64_t done;  /* bytes of the log that are in it */
	unsigned asked; /* how often */
};

void store_names_fini(struct store_names *x);

/* The ids of the series of that name, rising, up to the log's end. */
const struct store_name *store_names_find(
    struct store_names *x, const struct store_dict *d, str name);

#endif
