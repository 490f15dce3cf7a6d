/*
 * What a round of one target costs of a fleet: a thousand targets in turn, so
 * that what is remembered of one is in no cache any more when its next page
 * comes.  The page itself is, as one that has just been received.  Prints
 * exposition text; CPU time, the best of some rounds of all targets.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "page.h"
#include "scrape/scrape.h"

#define TARGETS 1000
#define PAGES 8
#define ROUNDS 14

/* A label that a target has, too, would be renamed: few pages have one. */
static void
make(struct buf *b, uint64_t seed)
{
	const str from = STR("instance"), to = STR("exporter");
	size_t i = 0;

	page_make(b, PAGE_SMALL, seed);
	while ((i += str_find(str_skip(buf_str(b), i), from)) < b->n)
		memcpy(b->p + i, to.p, to.n);
}

static struct scrape_set *
fleet(size_t n)
{
	struct scrape_set *set = scrape_new();
	struct error e;
	char name[32];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "host%zu:9100", i);
		if (scrape_add(set, str_of(name), 15000, &e) == -1)
			errx(1, "%s", e.msg);
	}
	return set;
}

/* All targets once; returns the seconds. */
static double
rounds(struct scrape_memory *m, const struct scrape_set *set,
    const struct buf *pages, int round, struct scrape_text *x)
{
	struct scrape_answer a = { .status = 200,
		.content_type = STR("text/plain; version=0.0.4") };
	struct scrape_result r;
	struct buf in = { 0 };
	double from, sum = 0;

	for (size_t i = 0; i < set->n; i++) {
		buf_reset(&in);
		buf_add(&in, buf_str(&pages[(i + (size_t)round) % PAGES]));
		a.body = buf_str(&in);
		from = page_seconds();
		scrape_round(m, set->v[i], &a,
		    INT64_C(1637582400000) + round * 15000, false, x, &r);
		sum += page_seconds() - from;
		buf_reset(&x->out);
		buf_reset(&x->before);
		buf_reset(&x->after);
		if (r.kept != PAGE_SMALL)
			errx(1, "%s", r.error);
	}
	buf_fini(&in);
	return sum;
}

static void
measure(const char *name, size_t targets, const struct buf *pages)
{
	struct scrape_set *set = fleet(targets);
	struct scrape_memory *m = scrape_memory_new();
	struct scrape_text x = { 0 };
	double best = 1e9, t;

	for (int i = 0; i < ROUNDS; i++) {
		t = rounds(m, set, pages, i, &x);
		if (i > 2 && t < best)
			best = t;
	}
	printf("mf_bench_seconds_per_series{bench=\"scrape_round\",case=\"%s\"}"
	       " %.4g\n",
	    name, best / (double)targets / PAGE_SMALL);
	scrape_memory_free(m);
	scrape_free(set);
	buf_fini(&x.out);
	buf_fini(&x.before);
	buf_fini(&x.after);
}

int
main(void)
{
	struct buf pages[PAGES] = { { 0 } };

	for (size_t i = 0; i < PAGES; i++)
		make(&pages[i], i);
	printf("# HELP mf_bench_seconds_per_series Time for one sample.\n"
	       "# TYPE mf_bench_seconds_per_series gauge\n");
	measure("fleet", TARGETS, pages);
	measure("cached", 2, pages);
	for (size_t i = 0; i < PAGES; i++)
		buf_fini(&pages[i]);
	return 0;
}
