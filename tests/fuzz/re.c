/*
 * re: any pattern is compiled or refused, and what a shortcut or a table
 * answers is what the machine answers, which an unanchored pattern runs on.
 */
#include <stdlib.h>

#include "base/re.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	str in = { (const char *)data, n }, pattern;
	struct re *re, *whole;
	struct buf b = { 0 };

	if (n > 2000)
		return 0;
	pattern = str_cut(&in, '\0');
	re = re_new(pattern, 0, NULL);
	whole = re_new(pattern, RE_ANCHORED, NULL);
	if ((re == NULL) != (whole == NULL))
		abort();
	if (re != NULL) {
		size_t *cap = calloc(re_groups(re), 2 * sizeof(*cap));
		bool found = cap != NULL && re_find(re, in, 0, cap);
		struct re *slow;

		if (found != re_match(re, in))
			abort();
		(void)re_replace(re, &b, in, STR("<$1>"), 1 << 20);
		buf_reset(&b);
		buf_z(&b, "^(?s:");
		buf_add(&b, pattern);
		buf_z(&b, ")$");
		slow = re_new(buf_str(&b), 0, NULL);
		if (slow != NULL && re_match(slow, in) != re_match(whole, in))
			abort();
		re_free(slow);
		free(cap);
	}
	re_free(re);
	re_free(whole);
	buf_fini(&b);
	return 0;
}
