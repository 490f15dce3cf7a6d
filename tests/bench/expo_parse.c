/*
 * How fast a page is read: one nobody has seen, and the same series again
 * with other values, as every scrape but the first is.  Prints exposition
 * text.  CPU time is taken, and the best of several passes, as machines are
 * shared.
 */
#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "metric/expo.h"

#define FAMILIES 500
#define SERIES 200 /* of each */
#define PASSES 15

/* A page of 100 k series; the values follow from seed. */
static void
page(struct buf *b, unsigned seed)
{
	static const char *const codes[] = { "200", "204", "301", "404",
		"500" };

	buf_reset(b);
	for (unsigned f = 0; f < FAMILIES; f++) {
		buf_printf(b,
		    "# HELP app_%u_requests_total Requests of kind %u.\n"
		    "# TYPE app_%u_requests_total counter\n",
		    f, f, f);
		for (unsigned i = 0; i < SERIES; i++) {
			seed = seed * 1664525u + 1013904223u;
			buf_printf(b,
			    "app_%u_requests_total{code=\"%s\",handler="
			    "\"/api/v1/%u\",method=\"get\"} ",
			    f, codes[i % 5], i / 5);
			switch (seed >> 28) {
			case 0:
				buf_printf(b, "%g\n", (double)seed * 1e3);
				break;
			case 1:
			case 2:
			case 3:
				buf_printf(b, "%u.%06u\n", seed % 1000,
				    (seed >> 8) % 1000000);
				break;
			default:
				buf_printf(b, "%u\n", seed >> (seed & 15));
			}
		}
	}
}

static double
seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The time to read the page, in s; adds up what was read. */
static double
read_page(struct expo_reader *r, const struct buf *b, double *sum)
{
	struct expo_item i;
	double from = seconds();

	expo_feed(r, buf_str(b));
	while (expo_next(r, &i, NULL) == 1)
		if (i.kind == EXPO_SAMPLE)
			*sum += i.v + (double)i.labels.n;
	return seconds() - from;
}

int
main(void)
{
	struct buf b[2] = { { 0 }, { 0 } };
	struct expo_reader *r;
	double unseen = 1e9, repeat = 1e9, t, sum = 0;

	page(&b[0], 1);
	page(&b[1], 2);
	for (int i = 0; i < PASSES; i++) {
		r = expo_new(EXPO_PAGE, 0);
		t = read_page(r, &b[i & 1], &sum);
		unseen = t < unseen ? t : unseen;
		expo_free(r);
	}
	r = expo_new(EXPO_PAGE, 0);
	for (int i = 0; i < PASSES; i++) {
		expo_rewind(r);
		t = read_page(r, &b[i & 1], &sum);
		if (i > 0 && t < repeat)
			repeat = t;
	}
	expo_free(r);
	printf(
	    "# HELP mf_bench_bytes_per_second Speed of a part.\n"
	    "# TYPE mf_bench_bytes_per_second gauge\n"
	    "mf_bench_bytes_per_second{bench=\"expo_parse\",case=\"repeat\"} "
	    "%.0f\n"
	    "mf_bench_bytes_per_second{bench=\"expo_parse\",case=\"unseen\"} "
	    "%.0f\n",
	    (double)b[1].n / repeat, (double)b[1].n / unseen);
	fprintf(stderr, "expo_parse: %zu bytes, %d series, sum %g\n", b[1].n,
	    FAMILIES * SERIES, sum);
	buf_fini(&b[0]);
	buf_fini(&b[1]);
	return 0;
}
