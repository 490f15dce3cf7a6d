/*
 * Native histograms of a page, before they are samples of a round.
 */
#include "scrape/native.h"

#include <math.h>

#include "metric/histogram.h"
#include "wire/promproto.h"

#define PIECE ((size_t)1 << 16) /* bytes of text that a reader gets at once */

int
native_page(str page, const struct scrape_target *t,
    int (*feed)(void *arg, str lines, struct error *e), void *arg,
    struct error *e)
{
	unsigned how = (t->native_histograms ? PROMPROTO_NATIVE : 0) |
	    (t->always_classic ? PROMPROTO_CLASSIC : 0);
	struct promproto *p = promproto_new(page, how);
	struct buf b = { 0 };
	int k, rc = 0;

	do {
		k = promproto_next(p, &b, e);
		if (k == 0 || b.n >= PIECE) {
			rc = feed(arg, buf_str(&b), e);
			buf_reset(&b);
		}
	} while (k == 1 && rc == 0);
	promproto_free(p);
	buf_fini(&b);
	return k == -1 ? -1 : rc;
}

/* The finest schema whose buckets grow by at least factor, as upstream. */
static int32_t
finest(double factor)
{
	double schema;

	if (!(factor > 1))
		return HISTOGRAM_MAX;
	schema = floor(-log2(log2(factor)));
	return schema >= HISTOGRAM_MAX ? HISTOGRAM_MAX
	    : schema <= HISTOGRAM_MIN  ? HISTOGRAM_MIN
				       : (int32_t)schema;
}

int
native_limit(
    const struct scrape_job *j, str *text, struct arena *a, struct error *e)
{
	int32_t schema = finest(j->histogram_min_factor);
	int64_t limit = j->histogram_bucket_limit;
	struct histogram h;
	struct buf b = { 0 };

	if (schema == HISTOGRAM_MAX && limit <= 0)
		return 0;
	if (histogram_parse(&h, *text, a, NULL, e) == -1)
		return -1;
	if (h.schema != HISTOGRAM_CUSTOM && h.schema > schema)
		(void)histogram_reduce(&h, schema, a);
	while (limit > 0 && histogram_buckets(&h) > (size_t)limit)
		if (histogram_reduce(&h, h.schema - 1, a) == -1)
			return error_set(e, "histogram bucket limit exceeded");
	histogram_print(&b, &h);
	*text = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return 0;
}
