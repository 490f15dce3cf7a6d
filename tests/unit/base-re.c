/*
 * base/re:  Go's verdicts, Go's words, Go's matches, and no explosion.  Covers
 * re_*.c.
 */
#include "base/re.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/re_impl.h"
#include "check.h"

static bool
match(const char *p, const char *s, unsigned flags)
{
	struct error e = { "" };
	struct re *re = re_new(str_of(p), flags, &e);
	bool r;

	if (re == NULL) {
		printf("# %s: %s\n", p, e.msg);
		return false;
	}
	r = re_match(re, str_of(s));
	re_free(re);
	return r;
}

static bool
whole(const char *p, const char *s)
{
	return match(p, s, RE_ANCHORED);
}

static bool
part(const char *p, const char *s)
{
	return match(p, s, 0);
}

static bool
refused(const char *p, const char *want)
{
	struct error e = { "" };
	struct re *re = re_new(str_of(p), 0, &e);
	bool ok = re == NULL &&
	    strncmp(e.msg, "error parsing regexp: ", 22) == 0 &&
	    strcmp(e.msg + 22, want) == 0;

	if (!ok)
		printf("# %s: %s\n", p, e.msg);
	re_free(re);
	return ok;
}

static void
shortcuts(void)
{
	CHECK(whole("prod", "prod") && !whole("prod", "prod1"));
	CHECK(whole("", "") && !whole("", "a"));
	CHECK(whole("a|b|c|d|e|f|g|hh|ii|j|", "ii") &&
	    whole("a|b|c|d|e|f|g|hh|ii|j|", "") &&
	    !whole("a|b|c|d|e|f|g|hh|ii|j|", "h"));
	CHECK(whole("200|404|502", "404") && !whole("200|404|502", "4040"));
	CHECK(whole("a|", "") && whole("a|", "a"));
	CHECK(whole("prod-.*", "prod-") && whole("prod-.*", "prod-\nx"));
	CHECK(whole(".*:9100", "a:9100:9100") && !whole(".*:9100", "a:91000"));
	CHECK(whole(".*error.*", "an error!") && !whole(".*error.*", "erro"));
	CHECK(whole("a.+b", "axb") && !whole("a.+b", "ab"));
	CHECK(whole("a.*b.*c", "abbbcc") && !whole("a.*b.*c", "acb"));
	CHECK(whole(".*", "") && whole(".+", "x") && !whole(".+", ""));
	CHECK(whole(".*.+", "\xc3\xa9") && !whole(".+.+", "\xc3\xa9"));
	CHECK(whole("(prod)", "prod") && whole("(?:a)(b)", "ab"));
	CHECK(!whole("a.*a", "a"));
	CHECK(part("b", "abc") && !part("^b", "abc"));
}

/* Patterns that are small enough for a table, and those that are not. */
static void
tables(void)
{
	CHECK(whole("a[0-9]+b|c", "a12b") && !whole("a[0-9]+b|c", "ab"));
	CHECK(whole("a[0-9]+b|c", "c") && !whole("a[0-9]+b|c", ""));
	CHECK(whole("(a|b)*", "") && whole("(a|b)*", "abba"));
	CHECK(whole("[\\p{L}\\d/]+", "/a\xc3\xa9\xce\xb1/9"));
	CHECK(!whole("[\\p{L}\\d/]+", "/a\xe2\x82\xac"));
	CHECK(whole("[^a]+", "b\xff\xf0\x9f\x98\x80"));
	CHECK(whole("(a$|b)", "a") && !whole("a$b?x|a(b$)", "abx"));
	CHECK(whole("^(^a|b)c$", "ac") && !whole("a^b|c+", "ab"));
	CHECK(whole("x?$", "") && whole("^$", "") && !whole("^$", "x"));
	CHECK(whole("(?i)[a-c]x.*", "BX\ny") && !whole("(?i)[a-c]x.*", "dx"));
	CHECK(whole("\\w+\\b.+", "ab cd")); /* \\b: no table */
	CHECK(whole("[ab]*a[ab]{14}", "babababababababababa"));
	CHECK(!whole("[ab]*a[ab]{14}", "bbbbbbbbbbbbbbbbbbbb"));
	CHECK(whole("(?-s:a.b[0-9])", "axb1") &&
	    !whole("(?-s:a.b[0-9])", "a\nb1"));
}

static void
syntax(void)
{
	CHECK(part("a$", "a") && !part("a$", "a\n") && part("(?m)a$", "a\n"));
	CHECK(!part("a.b", "a\nb") && part("(?s)a.b", "a\nb"));
	CHECK(part("\\bfoo\\b", "a foo b") && !part("\\bfoo\\b", "afoo"));
	CHECK(whole("\\pL+", "a\xc3\xa9\xce\xb1") && !whole("\\pL", "1"));
	CHECK(whole("\\p{Greek}", "\xce\xb1") && whole("\\P{^Lu}", "A"));
	CHECK(whole("(?i)k", "\xe2\x84\xaa") && whole("(?i)\\w", "\xc5\xbf"));
	CHECK(whole("[[:^alpha:]]", "1") && whole("[\\d-z]", "-"));
	CHECK(whole("[]a]", "]") && whole("[^a]", "\n"));
	CHECK(whole("\\x41\\x{e9}\\101",
	    "A\xc3\xa9"
	    "A"));
	CHECK(whole("\\Qa.b\\E+", "a.bb") && whole("a{,2}", "a{,2}"));
	CHECK(whole("a{2,3}", "aaa") && !whole("a{2,3}", "aaaa"));
	CHECK(whole("(?P<x>a)(?<y>b)", "ab"));
	CHECK(whole("\\s", " ") && !whole("\\s", "\v"));
	CHECK(whole("[[:space:]]", "\v"));
	CHECK(whole("^*", "") && whole("(|a)*", "aa"));
	CHECK(whole(".", "\xff")); /* a bad byte is one character */
}

static void
refusals(void)
{
	char deep[4001], big[16];

	CHECK(refused("a**", "invalid nested repetition operator: `**`"));
	CHECK(refused("a*+", "invalid nested repetition operator: `*+`"));
	CHECK(refused("*", "missing argument to repetition operator: `*`"));
	CHECK(refused("(a", "missing closing ): `(a`"));
	CHECK(refused("a)", "unexpected ): `a)`"));
	CHECK(refused("[a", "missing closing ]: `[a`"));
	CHECK(refused("[b-a]", "invalid character class range: `b-a`"));
	CHECK(refused("\\1", "invalid escape sequence: `\\1`"));
	CHECK(refused("a\\", "trailing backslash at end of expression: ``"));
	CHECK(refused("(?=a)", "invalid or unsupported Perl syntax: `(?=`"));
	CHECK(refused("a{1001}", "invalid repeat count: `{1001}`"));
	CHECK(refused("(a{100}){100}", "invalid repeat count: `{100}`"));
	CHECK(refused("a{2,1}", "invalid repeat count: `{2,1}`"));
	CHECK(refused(
	    "\\p{Klingon}", "invalid character class range: `\\p{Klingon}`"));
	CHECK(refused("(?P<a-b>x)", "invalid named capture: `(?P<a-b>`"));
	CHECK(refused("\xff", "invalid UTF-8: `\xff`"));
	memset(deep, '(', 2000);
	memset(deep + 2000, ')', 2000);
	deep[4000] = '\0';
	CHECK(re_new(str_of(deep), 0, NULL) == NULL);
	/* An operator may stand behind "(?i)", but not without end. */
	for (size_t i = 0; i < 4000; i += 5)
		memcpy(deep + i, "*(?i)", 5);
	deep[0] = 'a';
	CHECK(refused("a*(?i)**", "invalid nested repetition operator: `**`"));
	re_free(re_new(str_of(deep), 0, NULL));
	snprintf(big, sizeof(big), "%s", "(?:a{1000}){1}");
	CHECK(whole(big, "a") == false);
}

static bool
finds(const char *p, const char *s, const char *want)
{
	struct re *re = re_new(str_of(p), 0, NULL);
	size_t cap[20];
	struct buf b = { 0 };
	bool ok;

	if (re_find(re, str_of(s), 0, cap))
		for (size_t i = 0; i < 2 * re_groups(re); i++)
			buf_printf(&b, "%zd ", (ssize_t)cap[i]);
	ok = str_eq(buf_str(&b), str_of(want));
	if (!ok)
		printf("# %s: %s\n", p, buf_cstr(&b));
	buf_fini(&b);
	re_free(re);
	return ok;
}

static bool
replaces(const char *p, const char *s, const char *repl, const char *want)
{
	struct re *re = re_new(str_of(p), 0, NULL);
	struct buf b = { 0 };
	bool ok;

	ok = re_replace(re, &b, str_of(s), str_of(repl), SIZE_MAX) == 0 &&
	    str_eq(buf_str(&b), str_of(want));
	if (!ok)
		printf("# %s: %s\n", p, buf_cstr(&b));
	buf_fini(&b);
	re_free(re);
	return ok;
}

static void
captures(void)
{
	struct buf b = { 0 };

	CHECK(finds("(a)(b)?", "xac", "1 2 1 2 -1 -1 "));
	CHECK(finds("a|ab", "ab", "0 1 "));
	CHECK(finds("(a*?)(b+)", "aabb", "0 4 0 2 2 4 "));
	CHECK(finds("(?U)a+", "aaa", "0 1 "));
	CHECK(finds("(a+)+", "aaa", "0 3 0 3 "));
	CHECK(finds("z", "abc", ""));
	CHECK(replaces("(.*):(.*)", "host:80", "$2-$1", "80-host"));
	CHECK(replaces("a*", "baac", "x", "xbxcx"));
	CHECK(replaces("(?P<n>b)", "abc", "[${n}$$$1x$n]", "a[b$b]c"));
	CHECK(replaces("b", "abc", "$", "a$c") &&
	    replaces("b", "abc", "${", "a${c"));
	CHECK(replaces("(b)", "abc", "$01$9", "ac"));
	CHECK(replaces("\\b", "a b", "|", "|a| |b|"));
	re_quote(&b, STR("a.b*[c]"));
	CHECK_STR(buf_str(&b), "a\\.b\\*\\[c\\]");
	buf_fini(&b);
}

/* Patterns that take a backtracking engine past the end of the world. */
static void
hostile(void)
{
	char s[5001];
	struct error e;

	memset(s, 'a', 5000);
	s[4999] = '!';
	s[5000] = '\0';
	CHECK(!whole("(a+)+", s));
	CHECK(!whole("(?:a|aa)+", s));
	CHECK(!whole("(a*)*(a*)*(a*)*", s));
	CHECK(part("(x+x+)+y|!", s));
	s[60] = '\0';
	CHECK(whole("(a?){60}a{60}", s));
	/* A program past the limit is refused, not built. */
	{
		struct buf b = { 0 };

		for (int i = 0; i < 1200; i++)
			buf_z(&b, "a{1000}");
		CHECK(re_new(buf_str(&b), 0, &e) == NULL);
		CHECK(strstr(e.msg, "expression too large") != NULL);
		buf_fini(&b);
	}
}

static void
bounded(void)
{
	struct re *re = re_new(STR("a"), 0, NULL);
	struct buf b = { 0 };

	buf_z(&b, "12345");
	CHECK(re_replace(re, &b, STR("aaa"), STR("xyz"), 9) == 0);
	CHECK_STR(buf_str(&b), "12345xyzxyzxyz");
	CHECK(re_replace(re, &b, STR("aaa"), STR("xyz"), 8) == -1);
	CHECK(re_replace(re, &b, STR("bbb"), STR(""), 2) == -1);
	buf_fini(&b);
	re_free(re);
}

/* The numbers of states and of classes grow past every bound there is. */
static void
forgetting(void)
{
	struct re *re = re_new(STR("[ab]*a[ab]{14}"), RE_ANCHORED, NULL);
	size_t wrong = 0, undecided = 0, decided = 0;
	unsigned seed = 3;
	char s[400];

	for (unsigned i = 0; i < 1200; i++) {
		for (size_t k = 0; k < sizeof(s); k++) {
			seed = seed * 1664525u + 1013904223u;
			s[k] = (seed >> 20 & 1) != 0 ? 'a' : 'b';
		}
		/* Seen again and again, its states are of use. */
		for (unsigned k = 0; k < (i < 500 ? 15 : 1); k++) {
			str v = { s, sizeof(s) - i % 7 };
			int d = re_dfa_match(re, v);

			undecided += d == -1;
			decided += d != -1;
			wrong += d != -1 && d != re_exec(re, v, 0, NULL, 0);
		}
	}
	printf("# %zu decided, %zu left to the threads\n", decided, undecided);
	CHECK(wrong == 0 && decided > 1000 && undecided > 100);
	re_free(re);
	re = re_new(STR("[a-c\xce\xb1]+|[d-g\xce\xb2]+|[h\xce\xb3]+x|"
			"[\xce\xb4\xce\xb1]+y|\\w+\\b[\xce\xb2-\xce\xb6]"),
	    RE_ANCHORED, NULL);
	wrong = 0;
	for (unsigned i = 0; i < 20000; i++) {
		str v = { s, 0 };

		while (v.n < 6) {
			seed = seed * 1664525u + 1013904223u;
			if ((seed >> 20 & 3) == 0)
				s[v.n++] = (char)('a' + (seed >> 22) % 26);
			else
				v.n += str_encode(
				    0x3b1 + (seed >> 22) % 7, s + v.n);
		}
		wrong += re_dfa_match(re, v) != re_exec(re, v, 0, NULL, 0);
	}
	CHECK(wrong == 0);
	re_free(re);
}

/* Subjects of random letters from a set: do the machines agree? */
static bool
agrees(str pattern, const char *const *letters, size_t n)
{
	struct re *re = re_new(pattern, RE_ANCHORED, NULL);
	size_t cap[2][256], wrong = 0;
	struct buf b = { 0 };
	unsigned seed = 5;

	if (re == NULL || re_groups(re) > 128)
		return false;
	for (unsigned i = 0; i < 4000; i++) {
		bool want;
		int k;

		buf_reset(&b);
		for (unsigned len = i % 9 + (i % 100 ? 0 : 200); len > 0;
		     len--) {
			seed = seed * 1664525u + 1013904223u;
			buf_z(&b, letters[(seed >> 12) % n]);
		}
		want = re_exec(re, buf_str(&b), 0, cap[0], 2 * re_groups(re));
		k = re->dfa == NULL ? -1 : re_dfa_match(re, buf_str(&b));
		wrong += k != -1 && k != want;
		wrong += re_find(re, buf_str(&b), 0, cap[1]) != want;
		wrong +=
		    want && memcmp(cap[0], cap[1], 16 * re_groups(re)) != 0;
	}
	buf_fini(&b);
	re_free(re);
	return wrong == 0;
}

/* Patterns with more of something than the machines have room for. */
static void
corners(void)
{
	static const char *const ab[] = { "a", "b", "a", "b", "c" };
	char text[300][5];
	const char *v[300];
	struct buf b = { 0 };

	memset(text, 0, sizeof(text));
	for (uint32_t i = 0; i < 300; i++) {
		(void)str_encode(i < 127 ? i + 1 : 0x4e00 + i, text[i]);
		v[i] = text[i];
	}
	CHECK(agrees(STR("(a((b)))(.*)(b)a"), ab, 4));
	CHECK(agrees(STR("((a)(.+?))"), ab, 4) && agrees(STR("(.*)"), ab, 5));
	CHECK(agrees(STR("(a)((b))"), ab, 4) && agrees(STR("(.)*b"), ab, 4));
	CHECK(
	    agrees(STR("()(.*)()b"), ab, 4) && agrees(STR("(.*)(.*)"), ab, 5));
	CHECK(agrees(STR("((a|b)*)(c?)"), ab, 4));
	CHECK(agrees(STR("(a*)((?:a?b?){200})c?"), ab, 4));
	CHECK(agrees(STR("((a|b)*)(c?)"), ab, 5));
	CHECK(agrees(STR("(?:a|b|aa|bb|ab|ba|c|cc|aaa|bbb|ccc)"), ab, 5));
	/* classes beyond ASCII that are met one after the other */
	for (uint32_t i = 0; i < 50; i++)
		buf_printf(&b, "%s[\\x{%x}-\\x{%x}]+[a-f]*", i > 0 ? "|" : "",
		    0x4e00 + 130 + i, 0x4e00 + 190 + i);
	CHECK(agrees(buf_str(&b), v + 100, 200));
	/* and more classes than there may be */
	for (uint32_t i = 1; i < 128; i++)
		buf_printf(&b, "|\\x%02x+", i);
	for (uint32_t i = 0; i < 13; i++)
		buf_printf(&b, "|[\\x{%x}-\\x{%x}]{2}", 0x4e00 + 240 + 4 * i,
		    0x4e00 + 250 + 4 * i);
	CHECK(agrees(buf_str(&b), v, 300));
	/* more sets beyond ASCII than are told apart */
	buf_reset(&b);
	for (uint32_t i = 0; i < 80; i++)
		buf_printf(
		    &b, "%s\\x{%x}+a?", i > 0 ? "|" : "", 0x4e00 + 130 + i);
	CHECK(agrees(buf_str(&b), v + 90, 210));
	/* a size that only Go's count finds */
	buf_reset(&b);
	for (int i = 0; i < 3400; i++)
		buf_z(&b, "a{1000}");
	CHECK(re_new(buf_str(&b), 0, NULL) == NULL);
	buf_fini(&b);
}

struct shared {
	const struct re *re;
	size_t wrong;
};

static void *
use(void *arg)
{
	struct shared *sh = arg;

	for (unsigned i = 0; i < 20000; i++) {
		char s[32];
		int n = snprintf(s, sizeof(s), "node-%u:%u", i % 977, i % 11);

		sh->wrong += re_match(sh->re, (str){ s, (size_t)n }) !=
		    (i % 11 < 5 && i % 977 % 2 == 1);
	}
	return NULL;
}

static void
threads(void)
{
	struct re *re =
	    re_new(STR("node-[0-9]*[13579]:[0-4]"), RE_ANCHORED, NULL);
	struct shared sh[4];
	pthread_t t[4];
	size_t wrong = 0;

	for (size_t i = 0; i < 4; i++) {
		sh[i] = (struct shared){ re, 0 };
		CHECK(pthread_create(&t[i], NULL, use, &sh[i]) == 0);
	}
	for (size_t i = 0; i < 4; i++) {
		(void)pthread_join(t[i], NULL);
		wrong += sh[i].wrong;
	}
	CHECK(wrong == 0);
	re_free(re);
}

int
main(void)
{
	shortcuts();
	tables();
	syntax();
	refusals();
	captures();
	hostile();
	bounded();
	forgetting();
	corners();
	threads();
	return done();
}
