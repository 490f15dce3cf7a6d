/*
 * How fast a page is read: one nobody has seen, and the same series again
 * with other values, as every scrape but the first is.  Prints exposition
 * text.  "lean" is a reader that keeps no labels, "cached" a page of the size
 * of one target's.  The best of several passes is taken, as machines are
 * shared.  With operands, files, it reads those: the first one unseen, all of
 * them in turn.
 */
#include <err.h>
#include <malloc.h>
#include <stdio.h>

#include "base/file.h"
#include "metric/expo.h"
#include "page.h"

#define PASSES 15

/* The time to read the page n times, in s; adds up what was read. */
static double
read_page(struct expo_reader *r, const struct buf *b, double (*now)(void),
    double *sum)
{
	struct expo_item i;
	double from = now();

	expo_feed(r, buf_str(b));
	while (expo_next(r, &i, NULL) == 1) {
		if (i.kind == EXPO_SAMPLE)
			*sum += i.v + (double)i.labels.n;
		if (i.mark != NULL && *i.mark == 0)
			*i.mark = 1;
	}
	return now() - from;
}

static double
unseen(const struct buf *b, double *sum)
{
	struct expo_reader *r;
	double best = 1e9, t;

	for (int i = 0; i < PASSES; i++) {
		r = expo_new(EXPO_PAGE, 0);
		t = read_page(r, b, page_seconds, sum);
		best = t < best ? t : best;
		expo_free(r);
	}
	return best;
}

/* Two pages of the same series in turn; the bytes the reader holds then. */
static double
repeat(const struct buf *b, bool lean, int passes, double *sum, size_t *held)
{
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	struct expo_reader *r = expo_new(EXPO_PAGE, 0);
	double best = 1e9, t;

	if (lean)
		expo_lean(r);
	for (int i = 0; i < passes; i++) {
		expo_rewind(r);
		t = read_page(r, &b[i % 2], page_wall, sum);
		if (i > 1 && t < best)
			best = t;
	}
	*held = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	expo_free(r);
	return best;
}

static size_t
count(const struct buf *b)
{
	struct expo_reader *r = expo_new(EXPO_PAGE, 0);
	struct expo_item i;
	size_t n = 0;

	expo_feed(r, buf_str(b));
	while (expo_next(r, &i, NULL) == 1)
		n += i.kind == EXPO_SAMPLE;
	expo_free(r);
	return n;
}

static void
row(const char *name, const char *what, double v)
{
	printf("mf_bench_%s{bench=\"expo_parse\",case=\"%s\"} %.4g\n", name,
	    what, v);
}

int
main(int argc, char **argv)
{
	struct buf large[2] = { { 0 } }, small[2] = { { 0 } }, *b = large;
	size_t series, held, held_lean, ignored;
	double sum = 0, first, again, again_lean, cached, large_n;
	struct error e;

	for (int i = 0; i < 2; i++) {
		page_make(&large[i], PAGE_LARGE, (uint64_t)i);
		page_make(&small[i], PAGE_SMALL, (uint64_t)i);
		if (argc < 2)
			continue;
		buf_reset(&large[i]);
		if (file_read(argv[i % (argc - 1) + 1], &large[i], &e) == -1)
			errx(1, "%s", e.msg);
	}
	series = count(&b[0]);
	large_n = (double)series;
	first = unseen(&b[0], &sum);
	again = repeat(b, false, PASSES, &sum, &held);
	again_lean = repeat(b, true, PASSES, &sum, &held_lean);
	cached = repeat(small, false, 4000, &sum, &ignored);
	printf("# HELP mf_bench_bytes_per_second Speed of a part.\n"
	       "# TYPE mf_bench_bytes_per_second gauge\n");
	row("bytes_per_second", "repeat", (double)b[0].n / again);
	row("bytes_per_second", "lean", (double)b[0].n / again_lean);
	row("bytes_per_second", "unseen", (double)b[0].n / first);
	printf("# HELP mf_bench_seconds_per_series Time for one sample.\n"
	       "# TYPE mf_bench_seconds_per_series gauge\n");
	row("seconds_per_series", "cached", cached / PAGE_SMALL);
	row("seconds_per_series", "repeat", again / large_n);
	row("seconds_per_series", "lean", again_lean / large_n);
	row("seconds_per_series", "unseen", first / large_n);
	printf("# HELP mf_bench_bytes_per_series What is held of one series.\n"
	       "# TYPE mf_bench_bytes_per_series gauge\n");
	row("bytes_per_series", "repeat", (double)held / large_n);
	row("bytes_per_series", "lean", (double)held_lean / large_n);
	fprintf(stderr, "expo_parse: %zu bytes, %zu series, sum %g\n", b[0].n,
	    series, sum);
	for (int i = 0; i < 2; i++) {
		buf_fini(&large[i]);
		buf_fini(&small[i]);
	}
	return 0;
}
