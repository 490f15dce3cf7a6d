/*
 * num_parse: what it takes prints as text that reads back to the same bits;
 * num_scan_printed: what it takes prints as it stands there.
 */
#include <stdlib.h>

#include "base/num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf b = { 0 };
	double v, w;
	int64_t i;
	const char *p = (const char *)data, *end = num_scan_printed(p, p + n);

	if (end != NULL && num_parse(str_from(p, end), &v) == -1)
		abort();
	if (end != NULL) {
		num_print(&b, v);
		if (!str_eq(buf_str(&b), str_from(p, end)))
			abort();
		buf_reset(&b);
	}
	(void)num_parse_int((str){ (const char *)data, n }, &i);
	if (num_parse((str){ (const char *)data, n }, &v) == 0) {
		num_print(&b, v);
		if (num_parse(buf_str(&b), &w) == -1 ||
		    num_bits(v) != num_bits(w))
			abort();
	}
	buf_fini(&b);
	return 0;
}
