/*
 * Frames that are no rows over a layout at one time (T, X and C), as they lie
 * in a block of a sealed part: as they were, or their values and times as
 * columns.  A byte tells which:
 *
 *	0	the frame as it was, 7 zeros before it
 *	1	X: varints nser, n; ids, samples of each series; times, values
 *	2	X: the same, but times, values series by series
 *	3	T: values, times
 *
 * Arrays are columns (store/column.h) of 1024 numbers and what is left; the
 * order of an X frame stands at the end.
 */
#ifndef STORE_LOOSE_H
#define STORE_LOOSE_H

#include "base/buf.h"
#include "store/format.h"

/* Add a frame. */
void store_loose_put(
    struct buf *b, const struct store_slot *slot, const void *frame);

/*
 * The frame that begins at p, aligned to 8 within len bytes; NULL if it is
 * none, or not of the slot's length.  It lies in p or in b.
 */
const void *store_loose_get(
    const uint8_t *p, size_t len, const struct store_slot *slot, struct buf *b);

#endif
