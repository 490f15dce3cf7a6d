/*
 * How fast a matcher is: ns a label value, over 100 000 values of the kinds
 * labels have, and ns a subject for patterns that take others to the end of
 * the world.  And how long a pattern takes to compile, and that with its first
 * match, when nothing is made yet.  Prints exposition text; with -d the values,
 * one a line, for other engines to be measured on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/re.h"

#define VALUES 100000
#define PASSES 7

static const char *const usual[] = { "202|404|502", "prod-.*", ".*:9100",
	".*error.*", "(?i)PROD-us-.*", ".*-.*-.*-7.*",
	"/api/v[0-9]+/users/[^/]+/orders/(1|2|3)[0-9]*", "[\\p{L}\\d/]+" };

/* A value as labels have them: codes, addresses, pods, paths, messages. */
static void
value(struct buf *b, unsigned i, unsigned *seed)
{
	static const char *const codes[] = { "200", "202", "301", "404", "500",
		"502", "503" };
	static const char *const envs[] = { "prod", "dev", "staging", "Prod" };
	static const char *const zones[] = { "us-east-1", "eu-west-2",
		"us-west-1", "ap-south-7" };
	static const char *const texts[] = { "connection error: timeout",
		"context deadline exceeded", "no error", "Größe überschritten",
		"/héllo/wörld/42" };
	unsigned r = *seed = *seed * 1664525u + 1013904223u;

	r >>= 8;
	switch (i % 6) {
	case 0:
		buf_z(b, codes[r % 7]);
		break;
	case 1:
		buf_printf(b, "10.%u.%u.%u:%u", r % 4, r >> 4 & 255,
		    r >> 9 & 255, r % 3 != 0 ? 9100 : 8080);
		break;
	case 2:
		buf_printf(b, "%s-%s", envs[r % 4], zones[r >> 4 & 3]);
		break;
	case 3:
		buf_printf(b, "/api/v%u/users/%u/orders/%u", r % 3 + 1,
		    r >> 3 & 1023, r >> 5 & 8191);
		break;
	case 4:
		buf_printf(b, "%s-api-%u-%05x-%u", envs[r % 4], r >> 3 & 7,
		    r & 0xfffff, r % 10);
		break;
	default:
		buf_z(b, texts[r % 5]);
	}
}

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void
show(const char *name, const char *pattern, double ns)
{
	printf("mf_bench_%s{pattern=\"", name);
	for (const char *p = pattern; *p != '\0'; p++)
		printf(*p == '\\' ? "\\\\" : "%c", *p);
	printf("\"} %.1f\n", ns);
}

/* The best of some passes over the values, and of compiling. */
static void
bench(const char *pattern, const str *v, size_t n, size_t rounds)
{
	struct re *re = re_new(str_of(pattern), RE_ANCHORED, NULL);
	double best = 1e18, made = 1e18, cold = 1e18;
	volatile size_t hits = 0;

	if (re == NULL)
		abort();
	for (int pass = 0; pass < PASSES; pass++) {
		double t = now();
		size_t h = 0;

		for (size_t k = 0; k < rounds; k++)
			for (size_t i = 0; i < n; i++)
				h += re_match(re, v[i]);
		t = (now() - t) / (double)(n * rounds);
		best = t < best ? t : best;
		hits = h;
	}
	for (size_t pass = 0; pass < 100; pass++) {
		double t = now();

		re_free(re_new(str_of(pattern), RE_ANCHORED, NULL));
		t = now() - t;
		made = t < made ? t : made;
		re_free(re);
		t = now();
		re = re_new(str_of(pattern), RE_ANCHORED, NULL);
		hits = re_match(re, v[pass % n]);
		t = now() - t;
		cold = t < cold ? t : cold;
	}
	(void)hits;
	show("re_match_ns", pattern, best);
	show("re_compile_ns", pattern, made);
	show("re_first_match_ns", pattern, cold);
	re_free(re);
}

static void
hostile(void)
{
	char *s = malloc(5001);
	str v = { s, 21 }, many[1000];
	struct buf b = { 0 };
	unsigned seed = 7;

	if (s == NULL)
		abort();
	memset(s, 'a', 5000);
	s[20] = '!';
	bench("(a+)+", &v, 1, 10000);
	s[20] = 'a';
	s[5000] = '!';
	v.n = 5001;
	bench("(?:a|aa)+", &v, 1, 100);
	for (size_t i = 0; i < 100000; i++) {
		seed = seed * 1664525u + 1013904223u;
		buf_byte(&b, (seed >> 16 & 1) != 0 ? 'a' : 'b');
	}
	for (size_t i = 0; i < 1000; i++)
		many[i] = (str){ b.p + 100 * i, 100 };
	bench("[ab]*a[ab]{14}", many, 1000, 1);
	buf_fini(&b);
	free(s);
}

int
main(int argc, char **argv)
{
	static str v[VALUES];
	struct buf b = { 0 };
	unsigned seed = 1;
	size_t at = 0;

	for (unsigned i = 0; i < VALUES; i++) {
		value(&b, i, &seed);
		buf_byte(&b, '\n');
	}
	if (argc > 1 && strcmp(argv[1], "-d") == 0) {
		(void)fwrite(b.p, 1, b.n, stdout);
		return 0;
	}
	for (size_t i = 0; i < VALUES; i++) {
		size_t n = str_chr(str_skip(buf_str(&b), at), '\n');

		v[i] = (str){ b.p + at, n };
		at += n + 1;
	}
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		bench(usual[i], v, VALUES, 1);
	hostile();
	buf_fini(&b);
	return 0;
}
