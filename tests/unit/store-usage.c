#include "base/num.h"
#include "check.h"
#include "store-help.h"

#define DAY INT64_C(86400000)
#define T0 INT64_C(1599955200000) /* 2020-09-13 */

/* Rounds of a source: a{i} for i below n and up; some absent, some loose. */
static void
put(const char *path, int64_t day, unsigned first, unsigned n)
{
	struct buf b = { NULL, 0, 0 };

	for (int64_t r = 0; r < 100; r++) {
		int64_t t = T0 + day * DAY + r * 15000;

		buf_printf(&b, "# BATCH {job=\"j\"} %lld\n", (long long)t);
		for (unsigned i = first; i < first + n; i++)
			buf_printf(&b, "a{i=\"%u\",all=\"x\"} %lld\n", i,
			    (long long)r);
		if (r % 4 == 0)
			buf_printf(
			    &b, "seldom{all=\"x\"} %g\n", (double)r * 1.37);
		buf_z(&b, "# EOF\n");
	}
	buf_printf(
	    &b, "late{all=\"x\"} 1 %lld\n", (long long)(T0 + day * DAY + 7));
	buf_printf(&b,
	    "# HIST h{} {count:1,sum:1,schema:0,zero_threshold:0,"
	    "zero_count:0,positive_spans:[0:1],positive_buckets:[1]} %lld\n",
	    (long long)(T0 + day * DAY + 8));
	help_append(path, buf_cstr(&b));
	buf_fini(&b);
}

static const struct store_usage_metric *
metric(const struct store_usage *u, const char *name)
{
	for (size_t i = 0; i < u->nmetrics; i++)
		if (str_eq(u->metrics[i].name, str_of(name)))
			return &u->metrics[i];
	errx(1, "no metric %s", name);
}

/* Of two days: 5 series, then 4 of which 2 are new. */
static void
counts(struct store *s, bool sealed)
{
	struct store_usage u;
	struct store_info i;
	struct error e;
	size_t bytes = 0, samples = 0;

	CHECK(store_info(s, &i, &e) == 0);
	CHECK(store_usage(s, &u, &e) == 0);
	CHECK(u.nmetrics == 4 && u.ndays == 2);
	CHECK_STR(u.metrics[0].name, "a");
	CHECK(u.metrics[0].series == 7 && u.metrics[0].samples == 900);
	CHECK(metric(&u, "seldom")->series == 1);
	CHECK(metric(&u, "seldom")->samples == 50);
	CHECK(metric(&u, "late")->samples == 2);
	CHECK(metric(&u, "h")->samples == 0 && metric(&u, "h")->bytes > 0);
	for (size_t k = 0; k < u.nmetrics; k++) {
		bytes += u.metrics[k].bytes;
		samples += u.metrics[k].samples;
	}
	CHECK(samples == i.samples);
	CHECK(bytes < i.bytes);
	/* Counting up packs to nothing; 8 bytes each in a segment. */
	CHECK(sealed ? u.metrics[0].bytes < 900 : u.metrics[0].bytes == 7200);
	CHECK(u.days[0].t == T0 && u.days[1].t == T0 + DAY);
	CHECK(u.days[0].series == 8 && u.days[0].fresh == 8);
	CHECK(u.days[0].gone == 0 && u.days[0].samples == 526);
	CHECK(u.days[1].series == 7 && u.days[1].fresh == 2);
	CHECK(u.days[1].gone == 3 && u.days[1].samples == 426);
	CHECK(u.nlabels == 2 && u.labels[0].n == 7);
	CHECK_STR(u.labels[0].name, "i");
	CHECK(u.npairs == 8 && u.pairs[0].n == 9);
	CHECK_STR(u.pairs[0].name, "all");
	CHECK_STR(u.pairs[0].value, "x");
	CHECK_STR(u.pairs[1].value, "0");
	store_usage_fini(&u);
	store_usage_fini(&u); /* once more is nothing */
}

int
main(void)
{
	struct store_compact c = { .now = T0 + DAY, .seal = true };
	struct store_usage u;
	struct store *s;
	struct error e;

	help_begin();
	put("store", 0, 0, 5);
	put("store", 1, 3, 4);
	s = help_open("store", STORE_WRITE);
	counts(s, false);
	CHECK(store_compact(s, &c, &e) == 0 && c.parts == 2);
	counts(s, true);
	store_close(s);
	s = help_open("store", STORE_READ);
	counts(s, true);
	store_close(s);
	s = help_open("empty", STORE_WRITE);
	CHECK(store_usage(s, &u, &e) == 0 && u.nmetrics == 0 && u.ndays == 0);
	store_usage_fini(&u);
	store_close(s);
	help_end();
	return done();
}
