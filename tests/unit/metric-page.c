/* metric/page. */
#include "check.h"

#include "metric/page.h"

static struct buf out;

static void
feed(struct page *p, struct batch_reader *r, const char *text)
{
	struct batch b;

	batch_feed(r, str_of(text));
	while (batch_next(r, &b) == 1)
		page_apply(p, &b);
}

static str
print(struct page *p, bool times)
{
	buf_reset(&out);
	page_print(p, &out, times);
	return buf_str(&out);
}

int
main(void)
{
	struct page *p = page_new();
	struct batch_reader *r = batch_new(EXPO_MF, 0, false, NULL, NULL);

	CHECK_STR(print(p, true), "");
	feed(p, r,
	    "# BATCH {i=\"1\"} 10\n# HELP h A \\\\ h\n# TYPE h histogram\n"
	    "# TYPE c counter\n# HELP gone x\n# TYPE gone gauge\n# UNIT c u\n"
	    "h_sum{i=\"1\"} 5\nh_count{i=\"1\"} "
	    "2\nh_bucket{i=\"1\",le=\"10.0\"} "
	    "1\nh_bucket{i=\"1\",le=\"+Inf\"} 2\nh_bucket{i=\"1\",le=\"2.5\"} "
	    "1\n"
	    "c{i=\"1\"} 1\ngone{i=\"1\"} 1\nh_sumx 1\n_{i=\"1\"} 1\n# EOF\n"
	    "# BATCH {i=\"2\"} 11\n# TYPE c counter\nc{i=\"2\"} 7\n"
	    "h_bucket{i=\"2\",le=\"+Inf\"} 9\n# EOF\n");
	feed(p, r,
	    "# BATCH {i=\"1\"} 20\n# STALE *\nc{i=\"1\"} 2\nc{i=\"1\"} 1 5\n"
	    "h_bucket{i=\"1\",le=\"10.0\"} 1\nh_bucket{i=\"1\",le=\"+Inf\"} 2\n"
	    "h_bucket{i=\"1\",le=\"2.5\"} 1\nh_sum{i=\"1\"} 5\nh_sumx 1\n"
	    "h_count{i=\"1\"} 2\n# STALE h_sumx 20\n# STALE c{i=\"1\"} 19\n"
	    "# EOF\n");
	CHECK_STR(print(p, false),
	    "# TYPE c counter\n# UNIT c u\nc{i=\"1\"} 2\nc{i=\"2\"} 7\n"
	    "# HELP h A \\\\ h\n# TYPE h histogram\n"
	    "h_bucket{i=\"1\",le=\"2.5\"} 1\nh_bucket{i=\"1\",le=\"10.0\"} 1\n"
	    "h_bucket{i=\"1\",le=\"+Inf\"} 2\nh_bucket{i=\"2\",le=\"+Inf\"} 9\n"
	    "h_count{i=\"1\"} 2\nh_sum{i=\"1\"} 5\n");
	feed(p, r, "# BATCH {i=\"1\"} 30\n# STALE *\n# EOF\n");
	CHECK_STR(print(p, true),
	    "# TYPE c counter\n# UNIT c u\nc{i=\"2\"} 7 11\n"
	    "# HELP h A \\\\ h\n# TYPE h histogram\n"
	    "h_bucket{i=\"2\",le=\"+Inf\"} 9 11\n");
	/* series come back, in other places */
	feed(p, r, "# BATCH {i=\"3\"} 40\nx 1\ny 2\n# EOF\n");
	feed(p, r, "# BATCH {i=\"1\"} 40\nc{i=\"1\"} 4\n# EOF\n");
	feed(p, r, "# BATCH {i=\"1\"} 50\nc{i=\"1\"} 5\n# STALE *\n# EOF\n");
	batch_free(r);
	page_free(p);
	page_free(NULL);
	buf_fini(&out);
	return done();
}
