/*
 * scrape/nhcb: pages with classic histograms, and the samples that come of them
 * with conversion on.  The rounds are real ones: what is dropped must not be
 * printed, and what goes must end.
 */
#include "check.h"

#include "scrape-rounds.h"

struct row {
	bool keep;
	const char *type, *page, *want;
};

#define TEXT "text/plain"
#define OM "application/openmetrics-text"
#define H                                                                      \
	"h_bucket{le=\"1\"} 1\nh_bucket{le=\"2.5\"} 3\nh_bucket{le=\"+Inf\"} " \
	"4\nh_sum 7.5\nh_count 4\n"
#define HIST                                                                   \
	"{count:4,sum:7.5,schema:-53,positive_spans:[0:3],"                    \
	"positive_buckets:[1,2,1],custom_values:[1,2.5]}\n"

static const struct row rows[] = {
	/* one, and something else behind */
	{ false, TEXT, "# TYPE h histogram\n" H "# TYPE g gauge\ng 1\n",
	    "# HIST h{} " HIST "g{} 1\n" },
	{ false, TEXT, "# TYPE h histogram\n" H "other 1\n",
	    "# HIST h{} " HIST "other{} 1\n" },
	/* kept */
	{ true, TEXT, "# TYPE h histogram\n" H,
	    "h_bucket{,le=\"1.0\"} 1\nh_bucket{,le=\"2.5\"} 3\n"
	    "h_bucket{,le=\"+Inf\"} 4\nh_sum{} 7.5\nh_count{} 4\n"
	    "# HIST h{} " HIST },
	/* no histogram by its type, or by its name */
	{ false, TEXT, "# TYPE h counter\nh_bucket{le=\"1\"} 1\nh_count 1\n",
	    "h_bucket{,le=\"1\"} 1\nh_count{} 1\n" },
	{ false, TEXT, "# TYPE x histogram\nh_count 1\nxh_sum 1\nx 1\n",
	    "h_count{} 1\nxh_sum{} 1\nx{} 1\n" },
	/* each set of labels by itself */
	{ false, TEXT,
	    "# TYPE h histogram\nh_bucket{a=\"1\",le=\"1\"} 1\n"
	    "h_count{a=\"1\"} 1\nh_bucket{a=\"2\",le=\"1\"} 2\n"
	    "h_count{a=\"2\"} 2\n",
	    "# HIST h{a=\"1\",} {count:1,sum:0,schema:-53,"
	    "positive_spans:[0:1],positive_buckets:[1],custom_values:[1]}\n"
	    "# HIST h{a=\"2\",} {count:2,sum:0,schema:-53,"
	    "positive_spans:[0:1],positive_buckets:[2],custom_values:[1]}\n" },
	/* without a count; without buckets; without +Inf */
	{ false, TEXT, "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_sum 1\n",
	    "# HIST h{} {count:2,sum:1,schema:-53,positive_spans:[0:1],"
	    "positive_buckets:[2],custom_values:[1]}\n" },
	{ false, TEXT, "# TYPE h histogram\nh_count 2\n",
	    "# HIST h{} {count:2,sum:0,schema:-53,positive_spans:[0:1],"
	    "positive_buckets:[2]}\n" },
	{ false, TEXT, "# TYPE h histogram\nh_sum 2\n", "" },
	{ false, TEXT, "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_count 5\n",
	    "# HIST h{} {count:5,sum:0,schema:-53,positive_spans:[0:2],"
	    "positive_buckets:[2,3],custom_values:[1]}\n" },
	/* in any order, twice the same bound, empty buckets */
	{ false, TEXT,
	    "# TYPE h histogram\nh_count 5\nh_bucket{le=\"+Inf\"} 5\n"
	    "h_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 1\n"
	    "h_bucket{le=\"1.0\"} 9\n",
	    "# HIST h{} {count:5,sum:0,schema:-53,positive_spans:[0:1,1:1],"
	    "positive_buckets:[1,4],custom_values:[1,2]}\n" },
	/* floats */
	{ false, TEXT,
	    "# TYPE h histogram\nh_bucket{le=\"1\"} 0.5\nh_count 2\n",
	    "# HIST h{} {count:2.0,sum:0,schema:-53,positive_spans:[0:2],"
	    "positive_buckets:[0.5,1.5],custom_values:[1]}\n" },
	/* no sense: not cumulative, another count, below 0, NaN */
	{ false, TEXT,
	    "# TYPE h histogram\nh_bucket{le=\"1\"} 2\n"
	    "h_bucket{le=\"2\"} 1\nh_count 2\nx 1\n",
	    "x{} 1\n" },
	{ false, TEXT,
	    "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_count 3\nx 1\n",
	    "x{} 1\n" },
	{ false, TEXT,
	    "# TYPE h histogram\nh_bucket{le=\"1\"} -1\nh_count 3\nx 1\n",
	    "x{} 1\n" },
	{ false, TEXT, "# TYPE h histogram\nh_count -3\nx 1\n", "x{} 1\n" },
	{ false, TEXT, "# TYPE h histogram\nh_count NaN\nx 1\n", "x{} 1\n" },
	/* a bucket that is none */
	{ false, TEXT, "# TYPE h histogram\nh_bucket{le=\"x\"} 1\nh_bucket 2\n",
	    "h_bucket{,le=\"x\"} 1\nh_bucket{} 2\n" },
	/* a time */
	{ false, TEXT, "# TYPE h histogram\nh_count 1 5\n",
	    "# HIST h{} {count:1,sum:0,schema:-53,positive_spans:[0:1],"
	    "positive_buckets:[1]} 5\n" },
	/* OpenMetrics: exemplars, _created between two */
	{ false, OM,
	    "# TYPE h histogram\n"
	    "h_bucket{a=\"1\",le=\"1.0\"} 1 # {t=\"x\"} 0.5 7\n"
	    "h_count{a=\"1\"} 1\nh_created{a=\"1\"} 3\n"
	    "h_bucket{a=\"2\",le=\"1.0\"} 1\nh_count{a=\"2\"} 1\n# EOF\n",
	    "# HIST h{a=\"1\",} {count:1,sum:0,schema:-53,"
	    "positive_spans:[0:1],positive_buckets:[1],custom_values:[1]}\n"
	    "# EXEMPLAR h{a=\"1\",} {t=\"x\"} 0.5 7000\n"
	    "h_created{a=\"1\",} 3\n"
	    "# HIST h{a=\"2\",} {count:1,sum:0,schema:-53,"
	    "positive_spans:[0:1],positive_buckets:[1],custom_values:[1]}\n" },
	/* the gauge one is no counter's histogram */
	{ false, OM,
	    "# TYPE h gaugehistogram\nh_bucket{le=\"1.0\"} 1\n"
	    "h_gcount 1\n# EOF\n",
	    "# KIND h gaugehistogram\nh_bucket{,le=\"1.0\"} 1\n"
	    "h_gcount{} 1\n" },
};

/* What was a histogram ends as one. */
static void
stale(void)
{
	struct scrape_memory *m = scrape_memory_new();

	target.always_classic = false;
	CHECK(
	    gives(m, TEXT, STR("# TYPE h histogram\n" H), "# HIST h{} " HIST));
	CHECK(
	    gives(m, TEXT, STR("# TYPE h histogram\n" H), "# HIST h{} " HIST));
	CHECK(gives(m, TEXT, STR("x 1\n"), "x{} 1\n# STALE h{}\n"));
	job.histogram_bucket_limit = 2;
	CHECK(gives(m, TEXT, STR("# TYPE h histogram\n" H),
	    "! histogram bucket limit exceeded\n"));
	job.histogram_bucket_limit = 3;
	CHECK(
	    gives(m, TEXT, STR("# TYPE h histogram\n" H), "# HIST h{} " HIST));
	job.histogram_bucket_limit = 0;
	scrape_memory_free(m);
}

int
main(void)
{
	target.convert_to_nhcb = job.honor_timestamps = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct scrape_memory *m = scrape_memory_new();

		target.always_classic = rows[i].keep;
		CHECK(
		    gives(m, rows[i].type, str_of(rows[i].page), rows[i].want));
		scrape_memory_free(m);
	}
	stale();
	return done();
}
