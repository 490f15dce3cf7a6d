/*
 * A small table from series ids to numbers: which column, which matched
 * series.  Made for one batch or one query, then thrown away.
 */
#ifndef STORE_IDS_H
#define STORE_IDS_H

#include <stddef.h>
#include <stdint.h>

#define STORE_IDS_NONE UINT32_MAX

struct store_ids {
	struct store_ids_slot {
		uint32_t id; /* 0: free, so id 0 cannot be a key */
		uint32_t v;
	} * slot;
	size_t n, cap;
};

void store_ids_fini(struct store_ids *m);

/* Forget all, with room for n to come. */
void store_ids_reset(struct store_ids *m, size_t n);

/* The number of id, or STORE_IDS_NONE. */
uint32_t store_ids_find(const struct store_ids *m, uint32_t id);

/* Add id if it is not there yet; what it has (its own, if it was). */
uint32_t store_ids_add(struct store_ids *m, uint32_t id, uint32_t v);

#endif
