/* base/url: percent-encoding, both ways. */
#include "base/url.h"

#include "check.h"

static struct buf b;

static str
escaped(str s, const char *also, bool plus)
{
	buf_reset(&b);
	url_escape(&b, s, also, plus);
	return buf_str(&b);
}

/* Where it is bad, and what it became in b. */
static size_t
unescaped(const char *z, bool plus)
{
	buf_reset(&b);
	return url_unescape(&b, str_of(z), plus);
}

int
main(void)
{
	char all[256];
	struct buf back = { 0 };

	CHECK_STR(escaped(STR_NONE, "", true), "");
	CHECK_STR(escaped(STR("azAZ09-_.~"), "", true), "azAZ09-_.~");
	CHECK_STR(escaped(STR("a b+c&d=e/f"), "", true), "a+b%2Bc%26d%3De%2Ff");
	CHECK_STR(escaped(STR("a b/c"), "/", false), "a%20b/c");
	CHECK_STR(escaped((str){ "\0\xff", 2 }, "/", false), "%00%FF");

	CHECK(unescaped("a+b%2B%2b", true) == 9);
	CHECK_STR(buf_str(&b), "a b++");
	CHECK(unescaped("a+b", false) == 3);
	CHECK_STR(buf_str(&b), "a+b");
	CHECK(unescaped("a%", true) == 1);
	CHECK(unescaped("a%4", true) == 1);
	CHECK(unescaped("ab%4g", true) == 2);
	CHECK(unescaped("%g4", true) == 0);

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	(void)escaped((str){ all, sizeof(all) }, "", true);
	CHECK(url_unescape(&back, buf_str(&b), true) == b.n);
	CHECK(str_eq(buf_str(&back), (str){ all, sizeof(all) }));
	buf_fini(&back);
	buf_fini(&b);
	return done();
}
