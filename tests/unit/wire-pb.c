/*
 * wire/pb: what is written reads back; what is cut, too long or of no type is
 * refused.
 */
#include "check.h"

#include <math.h>

#include "base/varint.h"
#include "wire/pb.h"

static void
numbers(void)
{
	static const uint64_t v[] = { 0, 1, 127, 128, 300, UINT32_MAX,
		UINT64_MAX >> 1, UINT64_MAX };
	struct buf b = { 0 };
	struct pb m;
	uint64_t got;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		buf_reset(&b);
		varint_put(&b, v[i]);
		m = pb_of(buf_str(&b));
		CHECK(pb_varint(&m, &got, NULL) == 0 && got == v[i]);
		CHECK(m.in.n == 0);
		for (size_t n = 0; n < b.n; n++) {
			m = pb_of(str_take(buf_str(&b), n));
			CHECK(pb_varint(&m, &got, NULL) == -1);
		}
	}
	CHECK(varint_unfold(0) == 0 && varint_unfold(1) == -1 &&
	    varint_unfold(2) == 1);
	CHECK(varint_unfold(UINT64_MAX) == INT64_MIN);
	CHECK(varint_unfold(UINT64_MAX - 1) == INT64_MAX);
	m = pb_of(STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));
	CHECK(pb_varint(&m, &got, NULL) == -1);
	m = pb_of(STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
	CHECK(pb_varint(&m, &got, NULL) == -1);
	/* more bytes than it needs */
	m = pb_of(STR("\x81\x80\x00"));
	CHECK(pb_varint(&m, &got, NULL) == 0 && got == 1);
	buf_fini(&b);
}

static void
fields(void)
{
	struct buf b = { 0 };
	struct pb_field f;
	struct pb m;

	pb_put_number(&b, 1, 150);
	pb_put_sint(&b, 2, -3);
	pb_put_sint(&b, 2, INT64_MIN);
	pb_put_double(&b, 3, -2.5);
	pb_put_bytes(&b, 536870911, STR("abc"));
	buf_add(&b, STR("\x2d\x01\x02\x03\x04"));
	m = pb_of(buf_str(&b));
	CHECK(pb_next(&m, &f, NULL) == 1 && f.number == 1 && f.v == 150);
	CHECK(f.type == PB_VARINT && pb_want(&f, PB_VARINT, NULL) == 0);
	CHECK(pb_want(&f, PB_BYTES, NULL) == -1);
	CHECK(pb_next(&m, &f, NULL) == 1 && varint_unfold(f.v) == -3);
	CHECK(pb_next(&m, &f, NULL) == 1 && varint_unfold(f.v) == INT64_MIN);
	CHECK(pb_next(&m, &f, NULL) == 1 && f.type == PB_FIXED64);
	CHECK(pb_double(f.v) == -2.5);
	CHECK(pb_next(&m, &f, NULL) == 1 && f.number == 536870911);
	CHECK_STR(f.bytes, "abc");
	CHECK(pb_next(&m, &f, NULL) == 1 && f.type == PB_FIXED32);
	CHECK(f.number == 5 && f.v == 0x04030201);
	CHECK(pb_next(&m, &f, NULL) == 0);
	buf_fini(&b);
}

static bool
says(str bytes, const char *want)
{
	struct pb m = pb_of(bytes);
	struct pb_field f;
	struct error e = { "" };
	int k;

	while ((k = pb_next(&m, &f, &e)) == 1)
		;
	if (k == 0 || strcmp(e.msg, want) != 0)
		printf("# %d %s\n", k, e.msg);
	return k == -1 && strcmp(e.msg, want) == 0;
}

static void
faults(void)
{
	CHECK(says(STR("\x00"), "protobuf: a field with a bad number"));
	CHECK(says(STR("\x80"), "protobuf: it ends in a number"));
	CHECK(says(STR("\x08"), "protobuf: it ends in a number"));
	CHECK(says(STR("\x09\x01\x02"), "protobuf: it ends in a number"));
	CHECK(says(STR("\x0d\x01\x02"), "protobuf: it ends in a number"));
	CHECK(says(STR("\x0a"), "protobuf: it ends in a number"));
	CHECK(says(STR("\x0a\x02\x41"),
	    "protobuf: 2 bytes are announced, 1 are left"));
	CHECK(says(STR("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	    "protobuf: 18446744073709551615 bytes are announced, 0 are left"));
	CHECK(says(STR("\x0b"), "protobuf: field 1 is of no known type"));
	CHECK(says(STR("\x0f"), "protobuf: field 1 is of no known type"));
	CHECK(says(STR("\x80\x80\x80\x80\x10\x00"),
	    "protobuf: a field with a bad number"));
}

int
main(void)
{
	numbers();
	fields();
	faults();
	return done();
}
