/* base/quote: Go's strconv, both ways. */
#include "base/quote.h"

#include "check.h"

static struct buf b;

static str
quoted(str s, bool ascii)
{
	buf_reset(&b);
	if (ascii)
		quote_add_ascii(&b, s);
	else
		quote_add(&b, s);
	return buf_str(&b);
}

static void
writing(void)
{
	CHECK_STR(quoted(STR_NONE, false), "\"\"");
	CHECK_STR(quoted(STR("plain 'text'"), false), "\"plain 'text'\"");
	CHECK_STR(quoted(STR("\a\b\f\n\r\t\v\\\""), false),
	    "\"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\"");
	CHECK_STR(quoted((str){ "a\0b", 3 }, false), "\"a\\x00b\"");
	CHECK_STR(quoted(STR("\x01\x7f\xff\xef\xbf\xbd"), false),
	    "\"\\x01\\x7f\\xff\xef\xbf\xbd\"");
	/* U+00A0, U+00AD, U+200B, U+2028, U+E000, U+E0001 */
	CHECK_STR(quoted(STR("\xc2\xa0\xc2\xad\xe2\x80\x8b\xe2\x80\xa8"
			     "\xee\x80\x80\xf3\xa0\x80\x81"),
		      false),
	    "\"\\u00a0\\u00ad\\u200b\\u2028\\ue000\\U000e0001\"");
	CHECK_STR(quoted(STR("\xc3\xa9\xf0\x9f\x98\x80"), false),
	    "\"\xc3\xa9\xf0\x9f\x98\x80\"");
	CHECK_STR(quoted(STR("\xc3\xa9\xf0\x9f\x98\x80"), true),
	    "\"\\u00e9\\U0001f600\"");
	buf_reset(&b);
	quote_rune(&b, '\'', '\'', false);
	quote_rune(&b, '"', '\'', false);
	CHECK_STR(buf_str(&b), "\\'\"");
}

static void
printables(void)
{
	/* a space, letters, a mark, a symbol; unassigned, private, too large */
	CHECK(quote_printable(' ') && quote_printable('~'));
	CHECK(quote_printable(0xe9) && quote_printable(0x4e00));
	CHECK(quote_printable(0x301) && quote_printable(0x1f600));
	CHECK(!quote_printable(0x1f) && !quote_printable(0x7f));
	CHECK(!quote_printable(0x85) && !quote_printable(0xa0));
	CHECK(!quote_printable(0x378) && !quote_printable(0x3000));
	CHECK(!quote_printable(0xd800) && !quote_printable(0xfeff));
	CHECK(!quote_printable(0x10fffd) && !quote_printable(0x110000));
}

static bool
reads(const char *in, char quote, str want)
{
	struct arena a = { 0 };
	str out;
	bool ok =
	    quote_read(&a, str_of(in), quote, &out) == 0 && str_eq(out, want);

	arena_fini(&a);
	return ok;
}

static bool
refused(const char *in)
{
	struct arena a = { 0 };
	str out;
	bool ok = quote_read(&a, str_of(in), '"', &out) == -1;

	arena_fini(&a);
	return ok;
}

static void
reading(void)
{
	CHECK(reads("", '"', STR_NONE));
	CHECK(reads("a'b\\\"", '"', STR("a'b\"")));
	CHECK(reads("a\\'b\"", '\'', STR("a'b\"")));
	CHECK(reads("\\a\\b\\f\\n\\r\\t\\v\\\\", '"', STR("\a\b\f\n\r\t\v\\")));
	CHECK(reads("\\x41\\101\\u00e9\\U0001F600\\xff", '"',
	    STR("AA\xc3\xa9\xf0\x9f\x98\x80\xff")));
	CHECK(reads("\\000", '"', (str){ "", 1 }));
	CHECK(refused("\\") && refused("\\'") && refused("\\q"));
	CHECK(refused("\\x4") && refused("\\xg0") && refused("\\X41"));
	CHECK(refused("\\18") && refused("\\400") && refused("\\8"));
	CHECK(refused("\\ud800") && refused("\\U00110000"));
	CHECK(refused("\\u12"));
}

/* What was quoted reads back the same. */
static void
both_ways(void)
{
	char all[256];
	struct arena a = { 0 };
	str out = STR_NONE, q;

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	for (int ascii = 0; ascii < 2; ascii++) {
		q = quoted((str){ all, sizeof(all) }, ascii);
		CHECK(
		    quote_read(&a, (str){ q.p + 1, q.n - 2 }, '"', &out) == 0);
		CHECK(str_eq(out, (str){ all, sizeof(all) }));
	}
	arena_fini(&a);
}

int
main(void)
{
	writing();
	printables();
	reading();
	both_ways();
	buf_fini(&b);
	return done();
}
