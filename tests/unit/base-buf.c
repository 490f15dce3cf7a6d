/* base/buf. */
#include "check.h"

#include "base/buf.h"

int
main(void)
{
	struct buf b = { 0 };
	bool good = true;

	CHECK(buf_str(&b).n == 0);
	CHECK(strcmp(buf_cstr(&b), "") == 0);
	buf_add(&b, STR_NONE);
	for (int i = 0; i < 10000; i++)
		buf_byte(&b, (char)i);
	for (int i = 0; i < 10000; i++)
		good = good && b.p[i] == (char)i;
	CHECK(good && b.n == 10000);
	buf_reset(&b);
	buf_z(&b, "ab");
	buf_add(&b, STR("c\0d"));
	buf_printf(&b, "%05d", 7);
	CHECK_STR(buf_str(&b), "abc\0d00007");
	CHECK(strlen(buf_cstr(&b) + 4) == 6);
	buf_drop(&b, 3);
	CHECK_STR(buf_str(&b), "\0d00007");
	buf_drop(&b, 0);
	buf_drop(&b, 99);
	CHECK(b.n == 0);
	memcpy(buf_reserve(&b, 5000), "xy", 2);
	b.n += 2;
	CHECK_STR(buf_str(&b), "xy");
	/* exactly what is there fits, and the NUL behind it */
	while (b.n < b.cap - 1)
		buf_byte(&b, 'z');
	CHECK(buf_cstr(&b)[b.n] == '\0');
	buf_fini(&b);
	CHECK(b.p == NULL && b.cap == 0);
	return done();
}
