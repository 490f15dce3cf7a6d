/* base/letter. */
#include "check.h"

#include "base/letter.h"

static bool
is(const char *in, const char *upper, const char *lower)
{
	struct buf u = { 0 }, l = { 0 };
	bool ok;

	letter_upper_add(&u, str_of(in));
	letter_lower_add(&l, str_of(in));
	ok = str_eq(buf_str(&u), str_of(upper)) &&
	    str_eq(buf_str(&l), str_of(lower));
	if (!ok)
		printf("# %s: %s %s\n", in, buf_cstr(&u), buf_cstr(&l));
	buf_fini(&u);
	buf_fini(&l);
	return ok;
}

/*
 * FNV-1a over where every code point goes.  Held against Go 1.19 (Unicode 13),
 * which differs in what Unicode 14 added and in nothing else.
 */
static uint64_t
all(uint32_t (*fn)(uint32_t))
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (uint32_t r = 0; r <= 0x10ffff; r++) {
		uint32_t to = fn(r);

		for (int i = 0; i < 4; i++)
			h = (h ^ (to >> (8 * i) & 0xff)) *
			    UINT64_C(0x100000001b3);
	}
	return h;
}

int
main(void)
{
	CHECK(is("", "", ""));
	CHECK(is("aZ09_-\x7f", "AZ09_-\x7f", "az09_-\x7f"));
	CHECK(is("Straße", "STRAßE", "straße"));
	CHECK(is("ÄÖÜ äöü ÿ", "ÄÖÜ ÄÖÜ Ÿ", "äöü äöü ÿ"));
	CHECK(is("Жук Σςσ", "ЖУК ΣΣΣ", "жук σςσ"));
	CHECK(is("\xc4\xb0 \xc4\xb1", "\xc4\xb0 I", "i \xc4\xb1"));
	CHECK(is("\xc7\x85", "\xc7\x84", "\xc7\x86"));
	CHECK(is("\xe1\xbe\xb3", "\xe1\xbe\xbc", "\xe1\xbe\xb3"));
	CHECK(is("\xf0\x90\x90\x80", "\xf0\x90\x90\x80", "\xf0\x90\x90\xa8"));
	CHECK(is("a\xff", "A\xef\xbf\xbd", "a\xef\xbf\xbd"));
	CHECK(is("日本", "日本", "日本"));
	CHECK(all(letter_upper) == UINT64_C(0xa6fda396d24ec405));
	CHECK(all(letter_lower) == UINT64_C(0x6cf600dc2f3082c6));
	return done();
}
