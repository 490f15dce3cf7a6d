/*
 * metric/histogram under libFuzzer: text that is one prints as one that reads
 * back the same, and merged or compacted it is still one, with as much in it.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "metric/histogram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static double
sum(const struct histogram *h)
{
	double v = 0;

	for (size_t i = 0; i < h->negative.n; i++)
		v += h->negative.v[i];
	for (size_t i = 0; i < h->positive.n; i++)
		v += h->positive.v[i];
	return v;
}

static void
must(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct histogram h, back;
	struct arena a = { 0 };
	struct buf b = { 0 }, again = { 0 };
	struct error e;
	double all;
	size_t at = 0;

	if (histogram_parse(
		&h, (str){ (const char *)data, size }, &a, &at, &e) == -1) {
		must(at <= size);
		arena_fini(&a);
		return 0;
	}
	histogram_print(&b, &h);
	must(histogram_parse(&back, buf_str(&b), &a, NULL, &e) == 0);
	must(histogram_eq(&h, &back));
	histogram_print(&again, &back);
	must(str_eq(buf_str(&b), buf_str(&again)));
	all = sum(&h);
	histogram_compact(&h, &a);
	must(histogram_check(&h, &e) == 0);
	must(isnan(all) || !h.whole || sum(&h) == all);
	for (int32_t s = h.schema - 1; histogram_reduce(&h, s, &a) == 0; s--) {
		must(histogram_check(&h, &e) == 0);
		must(isnan(all) || !h.whole || sum(&h) == all);
		(void)histogram_bound(&h, (int64_t)h.positive.nspans);
	}
	arena_fini(&a);
	buf_fini(&b);
	buf_fini(&again);
	return 0;
}
