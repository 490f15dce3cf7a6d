/* Numbers that are as short as they are small. */
#include "base/varint.h"

size_t
varint_bytes(uint8_t v[VARINT_MAX], uint64_t x)
{
	size_t n = 0;

	for (; x >= 0x80; x >>= 7)
		v[n++] = (uint8_t)(x | 0x80);
	v[n++] = (uint8_t)x;
	return n;
}

void
varint_put(struct buf *b, uint64_t x)
{
	for (; x >= 0x80; x >>= 7)
		buf_byte(b, (char)(x | 0x80));
	buf_byte(b, (char)x);
}

size_t
varint_get(const uint8_t *p, size_t len, uint64_t *x)
{
	uint64_t r = 0;

	for (size_t i = 0; i < len && i < VARINT_MAX; i++) {
		/* the last byte has room for one bit */
		if (i == VARINT_MAX - 1 && p[i] > 1)
			return 0;
		r |= (uint64_t)(p[i] & 0x7f) << (7 * i);
		if (p[i] < 0x80) {
			*x = r;
			return i + 1;
		}
	}
	return 0;
}

uint64_t
varint_fold(int64_t x)
{
	uint64_t u = (uint64_t)x << 1;

	return x < 0 ? ~u : u;
}

int64_t
varint_unfold(uint64_t x)
{
	return (int64_t)(x >> 1) ^ -(int64_t)(x & 1);
}
