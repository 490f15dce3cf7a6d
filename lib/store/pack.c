#include "store/pack.h"

#include <string.h>

#include "base/varint.h"
#include "store/lanes.h"

#define PATCHED 0x80
#define PATCHES 256 /* that a byte can tell */
#define WIDE 57 /* wider than this is taken as 64: one load has 57 for sure */

/*
 * What patches cost, when over[w] numbers are wider than w: their places, and
 * for what is above w, 7 bits a byte.
 */
static size_t
patch_bytes(const uint8_t over[64], unsigned w, unsigned top)
{
	size_t n = 1 + (size_t)over[w];

	for (; w < top; w += 7)
		n += over[w];
	return n;
}

/*
 * The width that costs the fewest bytes, patches counted; the bytes go to
 * *cost, and how many patches there will be to *patches.
 */
static unsigned
best(const uint64_t *v, size_t n, size_t *cost, size_t *patches)
{
	uint8_t over[64];
	unsigned top = store_lanes_over(v, n, over), best;

	best = top > WIDE ? 64 : top;
	*cost = 1 + (n * best + 7) / 8;
	*patches = 0;
	/* From the widest down: one bit less makes patches of some. */
	for (unsigned w = top; w-- > 0;) {
		unsigned real = w > WIDE ? 64 : w;
		size_t c;

		if ((size_t)over[w] * 2 >= *cost)
			break; /* there will only be more */
		c = 1 + (n * real + 7) / 8 + patch_bytes(over, w, top);
		if (c < *cost) {
			*cost = c;
			*patches = over[w];
			best = real;
		}
	}
	return best;
}

size_t
store_pack_cost(const uint64_t *v, size_t n)
{
	size_t sum = 0, c, patches;

	for (size_t i = 0; i < n; i += STORE_PACK_BLOCK) {
		size_t m = n - i < STORE_PACK_BLOCK ? n - i : STORE_PACK_BLOCK;

		(void)best(v + i, m, &c, &patches);
		sum += c;
	}
	return sum;
}

/* A word that fills; p has room for one more. */
struct word {
	char *p;
	uint64_t v;
	unsigned have;
};

/* x has w bits, 64 at most. */
static void
put_word(struct word *b, uint64_t x, unsigned w)
{
	b->v |= x << b->have;
	if (b->have + w < 64) {
		b->have += w;
		return;
	}
	memcpy(b->p, &b->v, 8);
	b->p += 8;
	b->v = b->have == 0 ? 0 : x >> (64 - b->have);
	b->have = b->have + w - 64;
}

static void
put_bits(struct buf *b, const uint64_t *v, size_t n, unsigned w)
{
	uint64_t mask = w == 64 ? UINT64_MAX : (UINT64_C(1) << w) - 1;
	size_t bytes = (n * w + 7) / 8, i = 0;
	struct word to = { buf_reserve(b, bytes + 8), 0, 0 };

	/* Four at a time where they fit: the word waits for one, not four. */
	for (; w <= 16 && i + 4 <= n; i += 4)
		put_word(&to,
		    (v[i] & mask) | (v[i + 1] & mask) << w |
			(v[i + 2] & mask) << 2 * w | (v[i + 3] & mask) << 3 * w,
		    4 * w);
	for (; i < n; i++)
		put_word(&to, v[i] & mask, w);
	memcpy(to.p, &to.v, 8);
	b->n += bytes;
}

static void
put_block(struct buf *b, const uint64_t *v, size_t n)
{
	size_t cost, patches;
	unsigned w = best(v, n, &cost, &patches);

	buf_byte(b, (char)(w | (patches > 0 ? PATCHED : 0)));
	if (patches > 0) {
		buf_byte(b, (char)(patches - 1));
		for (size_t i = 0; i < n; i++)
			if (v[i] >> w != 0) {
				buf_byte(b, (char)i);
				varint_put(b, v[i] >> w);
			}
	}
	if (w > 0)
		put_bits(b, v, n, w);
}

void
store_pack_put(struct buf *b, const uint64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i += STORE_PACK_BLOCK)
		put_block(b, v + i,
		    n - i < STORE_PACK_BLOCK ? n - i : STORE_PACK_BLOCK);
}

struct patch {
	uint64_t high;
	uint8_t place;
};

/* The list of patches begins at *at; their number, or -1. */
static int
get_patches(
    const uint8_t *p, size_t len, size_t n, size_t *at, struct patch v[PATCHES])
{
	int patches = p[1] + 1;
	size_t k;

	for (int i = 0; i < patches; i++) {
		if (len - *at < 2 || p[*at] >= n)
			return -1;
		v[i].place = p[*at];
		v[i].high = p[*at + 1];
		k = v[i].high < 0x80
		    ? 1
		    : varint_get(p + *at + 1, len - *at - 1, &v[i].high);
		if (k == 0)
			return -1;
		*at += 1 + k;
	}
	return patches;
}

size_t
store_pack_block(const uint8_t *p, size_t len, uint64_t *v, size_t n)
{
	struct patch patch[PATCHES]; /* not to be cleared */
	size_t at = 1, bytes;
	int patches = 0;
	unsigned w;

	if (len == 0)
		return 0;
	w = p[0] & 0x7f;
	if (w > 64 || (w > WIDE && w < 64))
		return 0;
	if (p[0] & PATCHED) {
		if (len < 2 || w == 64)
			return 0;
		at = 2;
		patches = get_patches(p, len, n, &at, patch);
		if (patches == -1)
			return 0;
	}
	bytes = (n * w + 7) / 8;
	if (bytes > len - at)
		return 0;
	if (v == NULL)
		return at + bytes;
	if (w == 0)
		memset(v, 0, n * sizeof(*v));
	else if (w == 64)
		memcpy(v, p + at, bytes);
	else
		store_lanes_bits(p + at, len - at, v, n, w);
	for (int i = 0; i < patches; i++)
		v[patch[i].place] |= patch[i].high << w;
	return at + bytes;
}

size_t
store_pack_get(const uint8_t *p, size_t len, uint64_t *v, size_t n)
{
	size_t at = 0, k;

	for (size_t i = 0; i < n; i += STORE_PACK_BLOCK) {
		k = store_pack_block(p + at, len - at, v + i,
		    n - i < STORE_PACK_BLOCK ? n - i : STORE_PACK_BLOCK);
		if (k == 0)
			return 0;
		at += k;
	}
	return at;
}
