/*
 * Integers packed in blocks of 128: a block is its width, a list of patches,
 * and the low bits of each number, least significant first.  The inner form of
 * column.h.
 *
 *	u8	width (0 to 64) | 128 if patches follow
 *	u8	patches - 1, then for each its place (u8) and a varint of what
 *		stands above width
 *	bits	n * width of them, in whole bytes
 */
#ifndef STORE_PACK_H
#define STORE_PACK_H

#include "base/buf.h"

#define STORE_PACK_BLOCK 128

/* Bytes store_pack_put() will add, or a little more. */
size_t store_pack_cost(const uint64_t *v, size_t n);

void store_pack_put(struct buf *b, const uint64_t *v, size_t n);

/* Returns the bytes read, or 0 if they are not n numbers. */
size_t store_pack_get(const uint8_t *p, size_t len, uint64_t *v, size_t n);

/* The same of one block, n at most STORE_PACK_BLOCK; v NULL: only pass it. */
size_t store_pack_block(const uint8_t *p, size_t len, uint64_t *v, size_t n);

/* As base/varint folds them; here, since it is done for each value. */
static inline uint64_t
store_zigzag(int64_t x)
{
	return ((uint64_t)x << 1) ^ (x < 0 ? UINT64_MAX : 0);
}

static inline int64_t
store_unzigzag(uint64_t x)
{
	return (int64_t)(x >> 1) ^ -(int64_t)(x & 1);
}

#endif
