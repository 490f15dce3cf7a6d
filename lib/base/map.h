/*
 * A hash table from a string of bytes to a pointer or a number.  The keys are
 * borrowed: the caller keeps them alive as long as they are in the map.  Open
 * addressing over XXH3; all zero is an empty map.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"

struct map_slot {
	uint64_t hash; /* 0: free, 1: deleted */
	str key;
	union map_value {
		void *p;
		size_t i;
	} v;
};

struct map {
	struct map_slot *slots;
	size_t n, used, cap; /* used counts the deleted too */
};

void map_init(struct map *m);
void map_fini(struct map *m);

/* Forget every key, keep the memory. */
void map_reset(struct map *m);

/* The slot of key, or NULL.  It moves at the next map_add(). */
struct map_slot *map_find(const struct map *m, str key);

/*
 * The slot of key, made (with a cleared value) when it was not there; *fresh,
 * if not NULL, says which.  A fresh slot's key may be replaced at once by a
 * longer-living copy of the same bytes.
 */
struct map_slot *map_add(struct map *m, str key, bool *fresh);

/* Remove key; false if it was not there. */
bool map_del(struct map *m, str key);

/* Walk: NULL starts, NULL ends; no order.  Deleting while walking is fine. */
struct map_slot *map_next(const struct map *m, struct map_slot *at);

#endif
