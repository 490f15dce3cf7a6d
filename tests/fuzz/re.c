/*
 * re: any pattern is compiled or refused, whole or not alike; comparing bytes
 * and the deterministic machine answer what the threads of the program answer,
 * also the second time and after other subjects; captures are the threads' and
 * lie in the subject; an unanchored ^(?s:re)$ is the same as an anchored re.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/re.h"
#include "base/re_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
agree(const struct re *re, str s)
{
	bool slow = re_exec(re, s, 0, NULL, 0);
	int k;

	for (int i = 0; i < 2; i++) {
		must(re_match(re, s) == slow);
		k = re->dfa == NULL ? -1 : re_dfa_match(re, s);
		must(k == -1 || k == slow);
	}
}

/* The subject, and its parts, so that states meet what they were not for. */
static void
agree_all(const struct re *re, str s)
{
	agree(re, s);
	agree(re, str_take(s, s.n / 2));
	agree(re, str_skip(s, s.n / 2));
	agree(re, str_take(s, s.n - (s.n > 0)));
	agree(re, str_skip(s, 1));
	agree(re, STR(""));
	agree(re, s);
}

static void
captures(const struct re *re, str s)
{
	size_t n = re_groups(re), *cap = mem_zero(n, 4 * sizeof(*cap));
	int finds = 0;

	must(re_find(re, s, 0, cap) == re_match(re, s));
	for (size_t from = 0;
	     from <= s.n && finds < 16 && re_find(re, s, from, cap); finds++) {
		must(re_exec(re, s, from, cap + 2 * n, 2 * n));
		must(memcmp(cap, cap + 2 * n, 2 * n * sizeof(*cap)) == 0);
		must(cap[0] >= from && cap[0] <= cap[1] && cap[1] <= s.n);
		for (size_t i = 1; i < n; i++)
			must(cap[2 * i] == RE_NOWHERE ||
			    (cap[2 * i] >= cap[0] &&
				cap[2 * i] <= cap[2 * i + 1] &&
				cap[2 * i + 1] <= cap[1]));
		from = cap[1] > from ? cap[1] : from + 1;
	}
	free(cap);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	str in = { (const char *)data, n }, pattern;
	struct re *part, *whole, *slow;
	struct buf b = { 0 };

	if (n > 2000)
		return 0;
	pattern = str_cut(&in, '\0');
	if (in.n == 0)
		in = STR("");
	part = re_new(pattern, 0, NULL);
	whole = re_new(pattern, RE_ANCHORED, NULL);
	must((part == NULL) == (whole == NULL));
	/* what is only slow is no fault; base-re.c has large ones */
	if (part != NULL && part->n * (in.n + 1) < 1 << 17) {
		agree_all(part, in);
		agree_all(whole, in);
		captures(part, in);
		captures(whole, in);
		(void)re_replace(part, &b, in, STR("<$1>"), 1 << 20);
		buf_reset(&b);
		buf_z(&b, "^(?s:");
		buf_add(&b, pattern);
		buf_z(&b, ")$");
		slow = re_new(buf_str(&b), 0, NULL);
		must(slow == NULL || re_match(slow, in) == re_match(whole, in));
		re_free(slow);
	}
	re_free(part);
	re_free(whole);
	buf_fini(&b);
	return 0;
}
