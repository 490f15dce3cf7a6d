/*
 * Numbers of 7 bits a byte, the lowest first, as protobuf, Go and our own files
 * have them; signed ones folded to zigzag (0, -1, 1, -2, ...) before.
 */
#ifndef BASE_VARINT_H
#define BASE_VARINT_H

#include <stdint.h>

#include "base/buf.h"

#define VARINT_MAX 10 /* bytes of one */

void varint_put(struct buf *b, uint64_t x);

/* Its bytes; how many there are. */
size_t varint_bytes(uint8_t v[VARINT_MAX], uint64_t x);

/*
 * The one at p, of len bytes at most: how many it has, or 0 if it does not end
 * there or has more than 64 bits.
 */
size_t varint_get(const uint8_t *p, size_t len, uint64_t *x);

uint64_t varint_fold(int64_t x);
int64_t varint_unfold(uint64_t x);

#endif
