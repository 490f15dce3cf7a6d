/*
 * How fast a store takes and gives: scrapes of 10 k series as batches, the same
 * samples as a dump, all samples back as columns and as text, from segments and
 * from a part.  Prints exposition text; per second of CPU time.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "metric/batch.h"
#include "store/store.h"

#define SERIES 10000
#define ROUNDS 240 /* an hour */
#define T0 INT64_C(1637582400000)

static double
seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void
result(const char *what, const char *which, double n, double s)
{
	printf("mf_bench_samples_per_second{bench=\"%s\",case=\"%s\"} %.0f\n",
	    what, which, n / s);
}

static void
rounds(struct buf *b, bool batches)
{
	unsigned seed = 1, *count = calloc(SERIES, sizeof(*count));

	if (count == NULL)
		err(1, NULL);
	for (int r = 0; r < ROUNDS; r++) {
		long long t = T0 + r * INT64_C(15000);

		if (batches)
			buf_printf(b, "# BATCH {job=\"bench\"} %lld\n", t);
		for (int i = 0; i < SERIES; i++) {
			seed = seed * 1664525u + 1013904223u;
			/* Counters, as most of a page is. */
			count[i] += seed >> 24 < 128 ? 0 : seed >> 26;
			buf_printf(b,
			    "app_%d_total{code=\"200\",handler=\"/api/%d\","
			    "instance=\"10.0.0.1:9100\",job=\"bench\"} %u "
			    "%lld\n",
			    i / 50, i % 50, count[i], t);
		}
		if (batches)
			buf_z(b, "# EOF\n");
	}
	free(count);
}

static void
append(const char *path, str text, const char *which)
{
	struct store_opts o = { .sync = false };
	struct store_counts n = { 0 };
	struct error e;
	double t = seconds();
	struct store *s = store_open(path, STORE_WRITE, &e);
	struct batch_reader *r = batch_new(EXPO_MF, 0, false, NULL, NULL);
	struct batch b;

	if (s == NULL)
		errx(1, "%s", e.msg);
	while (text.n > 0) {
		size_t k = text.n < 1 << 20 ? text.n : 1 << 20;

		while (text.p[k - 1] != '\n')
			k--;
		batch_feed(r, str_take(text, k));
		text = str_skip(text, k);
		if (text.n == 0)
			batch_end(r);
		while (batch_next(r, &b) == 1)
			if (store_append(s, &b, &o, &n, NULL, &e) == -1)
				errx(1, "%s", e.msg);
	}
	batch_free(r);
	store_close(s);
	if (n.samples != (size_t)SERIES * ROUNDS)
		errx(1, "%zu samples", n.samples);
	result("store_append", which, SERIES * ROUNDS, seconds() - t);
}

static int
swallow(void *arg, str text)
{
	*(size_t *)arg += text.n;
	return 0;
}

static void
compact(const char *path, const char *which)
{
	struct error e;
	double t = seconds();
	struct store *s = store_open(path, STORE_WRITE, &e);
	struct store_compact c = { .now = T0, .seal = true };

	if (s == NULL || store_compact(s, &c, &e) == -1)
		errx(1, "%s", e.msg);
	store_close(s);
	if (c.samples != (size_t)SERIES * ROUNDS)
		errx(1, "%zu samples", c.samples);
	result("store_compact", which, (double)c.samples, seconds() - t);
}

/* By a process that has the store open, the second time. */
static void
scan(const char *path, const char *which)
{
	struct source_query q = { .from = INT64_MIN, .to = INT64_MAX };
	struct source_series one;
	struct source_cursor *c;
	struct error e;
	double t = 0, sum = 0;
	struct store *s = store_open(path, STORE_READ, &e);
	struct source src;
	size_t n = 0;

	if (s == NULL)
		errx(1, "%s", e.msg);
	src = store_source(s);
	for (int i = 0; i < 2; i++) {
		c = source_open(&src, &q, &e);
		if (c == NULL)
			errx(1, "%s", e.msg);
		n = 0;
		t = seconds();
		while (source_next(&src, c, &one, &e) == 1) {
			n += one.n;
			sum += one.v[0];
		}
		t = seconds() - t;
		source_close(&src, c);
	}
	store_close(s);
	if (n != (size_t)SERIES * ROUNDS || sum < 0)
		errx(1, "%zu samples", n);
	result("store_scan", which, (double)n, t);
}

static void
print(const char *path, const char *which)
{
	struct error e;
	double t = seconds();
	struct store *s = store_open(path, STORE_READ, &e);
	size_t n = 0;

	if (s == NULL ||
	    store_select(s, NULL, 0, INT64_MIN, INT64_MAX, swallow, &n, &e) ==
		-1)
		errx(1, "%s", e.msg);
	store_close(s);
	result("store_select", which, SERIES * ROUNDS, seconds() - t);
}

int
main(void)
{
	char dir[] = "/tmp/mf-bench.XXXXXX", cmd[64];
	struct buf b = { NULL, 0, 0 };

	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		err(1, "%s", dir);
	puts("# TYPE mf_bench_samples_per_second gauge");
	rounds(&b, true);
	append("rows", buf_str(&b), "rows");
	buf_reset(&b);
	rounds(&b, false);
	append("dump", buf_str(&b), "dump");
	buf_fini(&b);
	scan("rows", "rows");
	scan("dump", "dump");
	print("rows", "rows");
	print("dump", "dump");
	compact("rows", "rows");
	compact("dump", "dump");
	scan("rows", "sealed_rows");
	scan("dump", "sealed_dump");
	print("rows", "sealed_rows");
	print("dump", "sealed_dump");
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return chdir("/") == -1 || system(cmd) != 0;
}
