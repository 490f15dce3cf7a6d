/* base/varint: every length, both ways, and what is none. */
#include "base/varint.h"

#include "check.h"

static void
test_both_ways(void)
{
	for (unsigned bits = 0; bits <= 64; bits++)
		for (int off = -1; off <= 1; off++) {
			uint64_t x = (bits < 64 ? UINT64_C(1) << bits : 0) +
			    (uint64_t)off;
			uint8_t v[VARINT_MAX];
			size_t n = varint_bytes(v, x);
			struct buf b = { 0 };
			uint64_t got = ~x;

			varint_put(&b, x);
			CHECK(b.n == n && memcmp(b.p, v, n) == 0);
			CHECK(varint_get(v, n, &got) == n && got == x);
			CHECK(varint_get(v, n - 1, &got) == 0);
			CHECK(varint_unfold(varint_fold((int64_t)x)) ==
			    (int64_t)x);
			buf_fini(&b);
		}
}

static void
test_bytes(void)
{
	static const struct {
		const char *bytes;
		size_t len, n;
		uint64_t x;
	} t[] = {
		{ "\0", 1, 1, 0 },
		{ "\x7f", 1, 1, 127 },
		{ "\x80\1", 2, 2, 128 },
		{ "\xac\2\5", 3, 2, 300 },
		{ "\x80\0", 2, 2, 0 }, /* longer than need be */
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 10, 10,
		    UINT64_MAX },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\2", 10, 0, 0 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 11, 0, 0 },
		{ "\x80", 1, 0, 0 },
		{ "", 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint64_t x = 0;

		CHECK(varint_get((const uint8_t *)t[i].bytes, t[i].len, &x) ==
		    t[i].n);
		CHECK(x == t[i].x);
	}
	CHECK(varint_fold(0) == 0 && varint_fold(-1) == 1);
	CHECK(varint_fold(1) == 2 && varint_fold(INT64_MIN) == UINT64_MAX);
}

int
main(void)
{
	test_both_ways();
	test_bytes();
	return done();
}
