/*
 * Rows whose samples have times of their own (T frames), many of one source
 * and layout together, as a block of a sealed part has them: transposed, so
 * that a column of values and one of times stand for each series.
 *
 * On the way in rows gather in groups, one for each source and layout; a group
 * becomes a block when it is full, or when all hold too much.  On the way out
 * a block is made into frames as they were.
 *
 *	varint	columns, rows
 *	then for each column: values; times, each less that of the same row in
 *	the column before (store/column.h)
 */
#ifndef STORE_TIMED_H
#define STORE_TIMED_H

#include "base/map.h"
#include "store/column.h"
#include "store/format.h"

struct store_timed {
	uint32_t (*reserve)(void *arg);
	void (*put)(void *arg, uint32_t no, str packed, bool timed);
	void *arg;
	struct map groups;
	size_t held; /* bytes */
	struct buf packed;
};

/*
 * The caller gives a block its number, and takes its bytes when it is full;
 * timed is true.
 */
void store_timed_init(struct store_timed *x, uint32_t (*reserve)(void *arg),
    void (*put)(void *arg, uint32_t no, str packed, bool timed), void *arg);

/* Is the slot's frame one that goes into a group? */
bool store_timed_takes(const struct store_slot *p);

/* Add a row: where it will be, as store_sealed_off() says. */
uint64_t store_timed_add(
    struct store_timed *x, const struct store_slot *p, const void *frame);

/* Let all that is held become blocks. */
void store_timed_flush(struct store_timed *x);

void store_timed_fini(struct store_timed *x);

/* The frames of a block; false if it is none. */
bool store_timed_get(const uint8_t *p, size_t len, struct buf *out);

#endif
