/*
 * Any bytes as two pages of a target, then as its log: what comes out is one
 * whole batch a round that the strict reader takes, whatever the page holds,
 * and the log says the same when it is written anew.
 */
#include <stddef.h>
#include <stdint.h>

#include "metric/batch.h"
#include "scrape/scrape.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
fault(void *arg, const char *msg)
{
	(void)arg;
	(void)msg;
	__builtin_trap();
}

/* Exactly one batch of the target, nothing bad in it. */
static void
check(str out, str labels)
{
	struct batch_reader *r = batch_new(EXPO_MF, 0, true, fault, NULL);
	struct buf b = { 0 };
	struct batch x;
	size_t n = 0;

	batch_feed(r, out);
	batch_end(r);
	for (; batch_next(r, &x) == 1; n++) {
		buf_reset(&b);
		label_print_set(&b, x.labels);
		if (!x.opened || !str_eq(buf_str(&b), labels))
			__builtin_trap();
	}
	if (n != 1)
		__builtin_trap();
	batch_free(r);
	buf_fini(&b);
}

/* The same samples, whatever is remembered? */
static void
compare(str a, str b)
{
	while (a.n > 0 && b.n > 0) {
		str x = str_cut(&a, '\n'), y;

		if (str_starts(x, STR("#")) || str_starts(x, STR("scrape_")))
			continue;
		do
			y = str_cut(&b, '\n');
		while (b.n > 0 &&
		    (str_starts(y, STR("#")) || str_starts(y, STR("scrape_"))));
		if (!str_eq(x, y))
			__builtin_trap();
	}
}

static void
one(struct scrape_memory *m, const struct scrape_target *t, str page,
    int64_t now, struct scrape_text *x)
{
	struct scrape_memory *fresh = scrape_memory_new();
	struct scrape_text once = { 0 };
	struct scrape_answer a = {
		.status = 200, .content_type = STR("text/plain"), .body = page
	};
	struct scrape_result r;

	if (str_starts(page, STR("O")))
		a.content_type = STR("application/openmetrics-text");
	if (str_starts(page, STR("P")))
		a.content_type = STR("application/vnd.google.protobuf");
	if (page.n > 0)
		a.body = str_skip(page, 1);
	buf_reset(&x->out);
	scrape_round(m, t, &a, now, false, x, &r);
	check(buf_str(&x->out), t->text);
	scrape_round(fresh, t, &a, now, true, &once, &r);
	compare(buf_str(&x->out), buf_str(&once.out));
	scrape_memory_free(fresh);
	buf_fini(&once.out);
	buf_fini(&once.before);
	buf_fini(&once.after);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct scrape_set *s = scrape_new();
	struct scrape_memory *m = scrape_memory_new(), *again;
	struct scrape_text x = { 0 };
	struct buf log = { 0 }, two = { 0 };
	str rest = { (const char *)p, n }, page;
	struct error e;

	(void)scrape_add(s, STR("h:1"), 1000, &e);
	/* Histograms in all ways, by the length. */
	s->v[0]->native_histograms = n % 2 == 1;
	s->v[0]->convert_to_nhcb = n % 3 == 1;
	s->v[0]->always_classic = n % 5 == 1;
	page = str_cut(&rest, '\xff');
	/* Again and again: what is at rest is kept otherwise. */
	for (int i = 0; i < 4; i++)
		one(m, s->v[0], page, 1637582400000 + i * 1000, &x);
	for (int i = 0; rest.p != NULL && i < 3; i++)
		one(m, s->v[0], rest, 1637582410000 + i * 1000, &x);
	if (rest.p != NULL)
		one(m, s->v[0], page, 1637582420000, &x);
	scrape_memory_save(m, &log);
	again = scrape_memory_new();
	if (scrape_memory_load(again, buf_str(&log)) != log.n)
		__builtin_trap();
	scrape_memory_save(again, &two);
	if (!str_eq(buf_str(&log), buf_str(&two)))
		__builtin_trap();
	scrape_memory_free(again);
	again = scrape_memory_new();
	(void)scrape_memory_load(again, (str){ (const char *)p, n });
	scrape_memory_free(again);
	buf_fini(&x.out);
	buf_fini(&x.before);
	buf_fini(&x.after);
	buf_fini(&log);
	buf_fini(&two);
	scrape_memory_free(m);
	scrape_free(s);
	return 0;
}
