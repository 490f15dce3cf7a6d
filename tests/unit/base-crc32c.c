/*
 * CRC32C against its published check values, and blocks against the whole.
 */
#include "check.h"

#include <stdlib.h>

#include "base/crc32c.h"

static void
values(void)
{
	uint8_t b[32];

	CHECK(crc32c(0, "123456789", 9) == 0xe3069283);
	CHECK(crc32c(0, "", 0) == 0);
	/* RFC 3720, B.4 */
	memset(b, 0, sizeof(b));
	CHECK(crc32c(0, b, sizeof(b)) == 0x8a9136aa);
	memset(b, 0xff, sizeof(b));
	CHECK(crc32c(0, b, sizeof(b)) == 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		b[i] = i;
	CHECK(crc32c(0, b, sizeof(b)) == 0x46dd794e);
	CHECK(crc32c(crc32c(0, b, 13), b + 13, 19) == 0x46dd794e);
}

/* Of all lengths, against a bit at a time. */
static void
lengths(void)
{
	uint8_t b[2000];
	uint32_t crc = UINT32_MAX;
	int bad = 0;

	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)(i * i * i >> 5);
	for (size_t n = 0; n < sizeof(b); n++) {
		bad += crc32c(0, b, n) != ~crc;
		bad +=
		    crc32c(crc32c(0, b, n / 3), b + n / 3, n - n / 3) != ~crc;
		crc ^= b[n];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	CHECK(bad == 0);
}

static void
blocks(void)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 12288, 12289,
		24576, 29000 };
	uint8_t *p = malloc(29000);
	uint32_t out[8];
	int bad = 0;

	for (size_t i = 0; i < 29000; i++)
		p[i] = (uint8_t)(i * i >> 3);
	for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
		size_t n = sizes[k], b = 0;

		crc32c_blocks(p, n, out);
		for (size_t at = 0; at < n; at += CRC32C_BLOCK, b++) {
			size_t m =
			    n - at < CRC32C_BLOCK ? n - at : CRC32C_BLOCK;

			bad += out[b] != crc32c(0, p + at, m);
		}
	}
	CHECK(bad == 0);
	free(p);
}

int
main(void)
{
	values();
	lengths();
	blocks();
	return done();
}
