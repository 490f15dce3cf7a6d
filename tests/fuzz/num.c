/* num_parse: what it takes prints as text that reads back to the same bits. */
#include <stdlib.h>

#include "base/num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf b = { 0 };
	double v, w;
	int64_t i;

	(void)num_parse_int((str){ (const char *)data, n }, &i);
	if (num_parse((str){ (const char *)data, n }, &v) == -1)
		return 0;
	num_print(&b, v);
	if (num_parse(buf_str(&b), &w) == -1 || num_bits(v) != num_bits(w))
		abort();
	buf_fini(&b);
	return 0;
}
