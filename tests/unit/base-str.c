/* base/str. */
#include "check.h"

#include "base/str.h"

static void
cuts(void)
{
	str s = STR("a,,b"), t;

	CHECK_STR(str_cut(&s, ','), "a");
	CHECK_STR(str_cut(&s, ','), "");
	CHECK_STR(str_cut(&s, ','), "b");
	CHECK(s.p == NULL && s.n == 0);
	s = STR("a,");
	CHECK_STR(str_cut(&s, ','), "a");
	CHECK(s.p != NULL && s.n == 0);
	CHECK_STR(str_cut(&s, ','), "");
	CHECK(s.p == NULL);
	t = STR_NONE;
	CHECK_STR(str_cut(&t, ','), "");
	CHECK_STR(str_trim(STR(" \t\r\n a b \n")), "a b");
	CHECK_STR(str_trim(STR("  ")), "");
	CHECK_STR(str_skip(STR("abc"), 2), "c");
	CHECK_STR(str_skip(STR("abc"), 9), "");
	CHECK_STR(str_take(STR("abc"), 9), "abc");
	CHECK(str_chr(STR("abc"), 'c') == 2 && str_chr(STR("abc"), 'x') == 3);
	CHECK(str_find(STR("abc"), STR("bc")) == 1);
	CHECK(str_find(STR("abc"), STR("cb")) == 3);
	CHECK(str_find(STR("abc"), STR("")) == 0);
	CHECK(str_find(STR_NONE, STR("a")) == 0);
	CHECK(str_starts(STR("abc"), STR("ab")) &&
	    str_ends(STR("abc"), STR("bc")));
	CHECK(!str_starts(STR("a"), STR("ab")) && str_ends(STR("a"), STR_NONE));
	CHECK(str_cmp(STR("a"), STR("ab")) < 0 &&
	    str_cmp(STR("b"), STR("ab")) > 0);
	CHECK(str_eq_fold(STR("aZ_9\xc3\xa9"), STR("Az_9\xc3\xa9")) &&
	    str_eq_fold(STR_NONE, STR("")));
	CHECK(!str_eq_fold(STR("a"), STR("ab")) &&
	    !str_eq_fold(STR("@["), STR("`{")) &&
	    !str_eq_fold(STR("\xc3\xa9"), STR("\xc3\x89")));
	CHECK(str_cmp(STR_NONE, STR("")) == 0 && str_eq(STR_NONE, STR("")));
	CHECK(str_cmp(STR("\xff"), STR("a")) > 0);
	CHECK(str_hash(STR_NONE) == str_hash(STR("")));
}

static void
utf8(void)
{
	static const struct {
		const char *s;
		bool ok;
	} t[] = { { "", true }, { "plain ascii, longer than eight", true },
		{ "\xc3\xa9", true }, { "\xe2\x82\xac", true },
		{ "\xf0\x9f\x98\x80", true }, { "\xf4\x8f\xbf\xbf", true },
		{ "\xed\x9f\xbf", true }, { "\xc0\x80", false },
		{ "\xc1\xbf", false }, { "\xe0\x80\xaf", false },
		{ "\xe0\x9f\xbf", false }, { "\xf0\x8f\xbf\xbf", false },
		{ "\xed\xa0\x80", false }, { "\xf4\x90\x80\x80", false },
		{ "\xf5\x80\x80\x80", false }, { "\x80", false },
		{ "\xff", false }, { "\xc3", false }, { "\xe2\x82", false },
		{ "\xf0\x9f\x98", false }, { "12345678\xc3(", false },
		{ "1234567\xc3\xa9"
		  "12345678\xe2\x82\xac",
		    true } };
	char out[4];
	size_t n;
	bool same = true;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		CHECK(str_utf8(str_of(t[i].s)) == t[i].ok);
	for (uint32_t r = 0; r <= 0x10ffff; r++) {
		if (r >= 0xd800 && r < 0xe000)
			continue;
		n = str_encode(r, out);
		same = same && str_utf8((str){ out, n }) &&
		    str_rune((str){ out, n }, &n) == r && n <= 4;
	}
	CHECK(same);
	CHECK(str_rune(STR("\xff"
			   "a"),
		  &n) == 0xfffd &&
	    n == 1);
	CHECK(str_rune(STR("\xe2\x82"), &n) == 0xfffd && n == 1);
	CHECK(str_runes(STR_NONE) == 0);
	CHECK(str_runes(STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"
			    "b")) == 5);
}

int
main(void)
{
	cuts();
	utf8();
	return done();
}
