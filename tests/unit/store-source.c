/*
 * The store as a source, held against series in memory that got the same
 * batches: many sources, late samples, several days, more than one batch of
 * reading.  Covers dir.c, layout.c, query.c, read.c and
 * seen.c.
 */
#include "check.h"
#include "store-help.h"

#include "metric/series.h"

#define T0 INT64_C(1637582400000)
#define DAY INT64_C(86400000)

static uint32_t
roll(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* A random round: some series, some late, some ended, some with own times. */
static void
round_of(struct buf *b, uint32_t *seed, int source, int64_t t)
{
	uint32_t kind = roll(seed) % 10;
	uint32_t n = roll(seed) % 4 == 0 ? 3 : 20;

	if (kind == 0)
		t -= roll(seed) % 100000;
	buf_printf(b, "# BATCH {src=\"%d\"} %lld\n", source, (long long)t);
	for (uint32_t i = 0; i < n; i++) {
		if (roll(seed) % 16 == 0)
			continue;
		buf_printf(
		    b, "m%u{src=\"%d\"} %u", i, source, roll(seed) % 100);
		if (kind == 1 && i % 3 == 0)
			buf_printf(
			    b, " %lld", (long long)(t - roll(seed) % 50000));
		buf_byte(b, '\n');
	}
	if (kind == 2)
		buf_printf(b, "# STALE * %lld\n", (long long)t);
	buf_z(b, "# EOF\n");
}

static void
apply(struct store *s, struct series_set *set, const char *text)
{
	struct batch_reader *r = batch_new(EXPO_MF, 0, false, NULL, NULL);
	struct store_opts o = { 0 };
	struct store_counts n = { 0 };
	struct error e;
	struct batch b;

	batch_feed(r, str_of(text));
	batch_end(r);
	while (batch_next(r, &b) == 1) {
		series_apply(set, &b);
		if (store_append(s, &b, &o, &n, NULL, &e) == -1)
			errx(1, "%s", e.msg);
	}
	batch_free(r);
}

/* Do two sources answer a query alike? */
static bool
alike(struct source a, struct source b, const struct source_query *q)
{
	struct error e;
	struct source_cursor *x = source_open(&a, q, &e);
	struct source_cursor *y = source_open(&b, q, &e);
	struct source_series s, t;
	bool same = x != NULL && y != NULL;

	while (same) {
		int k = source_next(&a, x, &s, &e);

		same = source_next(&b, y, &t, &e) == k;
		if (k != 1 || !same)
			break;
		same = label_eq(s.labels, t.labels) &&
		    (q->labels_only || s.n == t.n) &&
		    (q->labels_only || s.n == 0 ||
			(memcmp(s.t, t.t, s.n * sizeof(*s.t)) == 0 &&
			    memcmp(s.v, t.v, s.n * sizeof(*s.v)) == 0));
	}
	source_close(&a, x);
	source_close(&b, y);
	return same;
}

static void
compare(const char *path, struct series_set *set, uint32_t *seed)
{
	struct store *s = help_open(path, STORE_READ);
	struct source a = store_source(s), b = series_source(set);
	struct match m[2], eq[2];
	struct error e;
	int bad = 0;

	CHECK(match_init(&m[0], MATCH_RE, LABEL_NAME, STR("m1.*"), &e) == 0);
	CHECK(match_init(&m[1], MATCH_NE, STR("src"), STR("2"), &e) == 0);
	CHECK(match_init(&eq[0], MATCH_EQ, LABEL_NAME, STR("m1"), &e) == 0);
	eq[1] = m[1];
	for (int i = 0; i < 90; i++) {
		struct source_query q = {
			.m = i % 3 == 2 ? eq : m,
			.nm = roll(seed) % 3,
			.from = T0 + roll(seed) % (3 * DAY),
			.labels_only = i % 4 == 3,
		};

		q.to = q.from + roll(seed) % (2 * DAY);
		if (i == 0) {
			q.from = INT64_MIN;
			q.to = INT64_MAX;
		}
		bad += !alike(a, b, &q);
	}
	CHECK(bad == 0);
	match_fini(&m[0]);
	match_fini(&m[1]);
	match_fini(&eq[0]);
	store_close(s);
}

static void
at_random(void)
{
	struct series_set *set = series_new();
	struct store *s = help_open("rnd", STORE_WRITE);
	struct buf b = { NULL, 0, 0 };
	uint32_t seed = 7;

	for (int i = 0; i < 400; i++) {
		buf_reset(&b);
		for (int k = 0; k < 4; k++)
			round_of(&b, &seed, k, T0 + i * INT64_C(601000) + k);
		apply(s, set, buf_cstr(&b));
		/* A process that knows nothing goes on just so. */
		if (i % 50 == 49) {
			store_close(s);
			s = help_open("rnd", STORE_WRITE);
		}
	}
	store_close(s);
	compare("rnd", set, &seed);
	series_free(set);
	buf_fini(&b);
}

static void
again(void)
{
	struct buf one = help_select("rnd"), two;

	help_append("rnd2", buf_cstr(&one));
	two = help_select("rnd2");
	CHECK(one.n > 100000 && str_eq(buf_str(&one), buf_str(&two)));
	buf_fini(&one);
	buf_fini(&two);
}

/* Two cursors at once, with commits between them. */
static void
at_once(void)
{
	struct store *w = help_open("two", STORE_WRITE);
	struct store *r;
	struct source src;
	struct source_query q = { .from = INT64_MIN, .to = INT64_MAX };
	struct source_series a, b;
	struct source_cursor *x, *y;
	struct error e;

	help_put(w, "a 1 1637582400000\nb 1 1637582400000\n", NULL);
	r = help_open("two", STORE_READ);
	src = store_source(r);
	x = source_open(&src, &q, &e);
	CHECK(source_next(&src, x, &a, &e) == 1 && a.n == 1);
	help_put(w, "a 2 1637582401000\nc 1 1637582400000\n", NULL);
	y = source_open(&src, &q, &e);
	CHECK(source_next(&src, y, &b, &e) == 1 && b.n == 2);
	CHECK(a.n == 1 && a.v[0] == 1);
	CHECK(source_next(&src, x, &a, &e) == 1);
	CHECK_STR(a.labels.v[0].value, "b");
	CHECK(source_next(&src, x, &a, &e) == 0);
	CHECK(source_next(&src, y, &b, &e) == 1);
	CHECK(source_next(&src, y, &b, &e) == 1);
	CHECK(source_next(&src, y, &b, &e) == 0);
	source_close(&src, x);
	source_close(&src, y);
	store_close(r);
	store_close(w);
}

/* Floats and native histograms of one series, in time order. */
static void
histograms(void)
{
	static const char text[] =
	    "# BATCH {job=\"a\"} 1637582400000\n"
	    "# HIST h{a=\"b\"} {count:2,sum:3.5,schema:0,zero_threshold:0,"
	    "zero_count:0,positive_spans:[0:2],positive_buckets:[1,1]} "
	    "1637582400000\n"
	    "f 1 1637582400000\n# EOF\n"
	    "# BATCH {job=\"a\"} 1637582401000\n"
	    "h{a=\"b\"} 7 1637582401000\n"
	    "# EOF\n"
	    "# BATCH {job=\"a\"} 1637582402000\n"
	    "# STALE h{a=\"b\"} 1637582402000\n"
	    "# EOF\n";
	struct source_query q = { .to = INT64_MAX };
	struct source_series one;
	struct source_cursor *c;
	struct source src;
	struct store *r;
	struct error e;

	help_append("hi", text);
	r = help_open("hi", STORE_READ);
	src = store_source(r);
	for (int i = 0; i < 2; i++) {
		q.histograms = i == 1;
		c = source_open(&src, &q, &e);
		CHECK(source_next(&src, c, &one, &e) == 1);
		CHECK_STR(label_find(one.labels, LABEL_NAME), "f");
		CHECK(source_next(&src, c, &one, &e) == 1);
		CHECK(one.n == (i == 1 ? 3 : 2));
		CHECK(one.v[one.n - 2] == 7 && num_is_stale(one.v[one.n - 1]));
		if (i == 1) {
			CHECK(one.h != NULL && one.h[0] != NULL);
			CHECK(one.v[0] == 3.5 && one.h[0]->count == 2);
			CHECK(one.h[1] == NULL && one.h[2] == NULL);
		}
		CHECK(source_next(&src, c, &one, &e) == 0);
		source_close(&src, c);
	}
	q.labels_only = true;
	c = source_open(&src, &q, &e);
	CHECK(source_next(&src, c, &one, &e) == 1);
	CHECK(source_next(&src, c, &one, &e) == 1);
	source_close(&src, c);
	store_close(r);
}

/* A name asked for again and again, while series of it come. */
static void
names(void)
{
	struct store *w = help_open("na", STORE_WRITE);
	struct store *r = NULL;
	struct buf b = { NULL, 0, 0 };
	struct match m;
	struct error e;
	int bad = 0;

	CHECK(match_init(&m, MATCH_EQ, LABEL_NAME, STR("a"), &e) == 0);
	for (int i = 0; i < 50; i++) {
		struct source_query q = { .m = &m, .nm = 1, .to = INT64_MAX };
		struct source src;
		struct source_series one;
		struct source_cursor *c;
		int n = 0;

		buf_reset(&b);
		buf_printf(&b,
		    "a{n=\"%d\"} 1 1637582400000\n"
		    "aa{n=\"%d\"} 1 1637582400000\n",
		    i, i);
		help_put(w, buf_cstr(&b), NULL);
		if (r == NULL)
			r = help_open("na", STORE_READ);
		src = store_source(r);
		c = source_open(&src, &q, &e);
		while (source_next(&src, c, &one, &e) == 1)
			n++;
		source_close(&src, c);
		bad += n != i + 1;
	}
	CHECK(bad == 0);
	match_fini(&m);
	buf_fini(&b);
	store_close(r);
	store_close(w);
}

static size_t told;

static void
each(void *arg, str metric, str type, str help, str unit)
{
	(void)arg;
	told++;
	CHECK_STR(metric, "m");
	CHECK_STR(type, "counter");
	CHECK_STR(help, "New \\ help.");
	CHECK(unit.n == 0);
}

static void
metadata(void)
{
	struct store *s = help_open("md", STORE_WRITE);
	struct source src = store_source(s);
	struct error e;

	help_put(s,
	    "# BATCH {job=\"a\"} 1637582400000\n# HELP m Old.\n"
	    "# TYPE m counter\nm 1\n# EOF\n",
	    NULL);
	help_put(s,
	    "# BATCH {job=\"a\"} 1637582401000\n# HELP m New \\\\ help.\n"
	    "m 1\n# EOF\n",
	    NULL);
	CHECK(src.ops->metadata(src.self, each, NULL, &e) == 0);
	CHECK(told == 1);
	store_close(s);
	CHECK(help_is(help_range("md", 1637582401000, INT64_MAX, NULL, 0),
	    "# BATCH {job=\"a\"} 1637582401000\n# HELP m New \\\\ help.\n"
	    "# TYPE m counter\nm 1 1637582401000\n# EOF\n"));
}

/* How many samples there are of a series, or -1. */
static int
samples(const struct source *src, const char *name, int64_t to)
{
	struct match m;
	struct source_query q = { .m = &m, .nm = 1, .to = to };
	struct source_series x;
	struct source_cursor *c;
	struct error e;
	int n = 0;

	if (match_init(&m, MATCH_EQ, LABEL_NAME, str_of(name), &e) == -1)
		errx(1, "%s", e.msg);
	c = source_open(src, &q, &e);
	if (c == NULL)
		return -1;
	while (source_next(src, c, &x, &e) == 1)
		n += (int)x.n;
	source_close(src, c);
	match_fini(&m);
	return n;
}

/* Between hold and release nothing new is seen: samples, series, segments. */
static void
hold(void)
{
	struct store *w = help_open("hold", STORE_WRITE), *s;
	struct source src;

	help_put(w, "# BATCH {} 1637582400000\na 1\nb 1\n# EOF\n", NULL);
	s = help_open("hold", STORE_READ);
	src = store_source(s);
	source_hold(&src, true);
	CHECK(samples(&src, "a", INT64_MAX) == 1);
	help_put(w, "# BATCH {} 1637582401000\na 1\nb 1\nc 1\n# EOF\n", NULL);
	/* a hold in a hold is the same one */
	source_hold(&src, true);
	CHECK(samples(&src, "b", INT64_MAX) == 1);
	source_hold(&src, false);
	CHECK(samples(&src, "c", INT64_MAX) == 0);
	store_close(w);
	w = help_open("hold", STORE_WRITE);
	help_put(w, "# BATCH {} 1637582402000\na 1\nb 1\n# EOF\n", NULL);
	/* a day nobody looked at */
	help_put(w, "# BATCH {} 1637668800000\nb 1\n# EOF\n", NULL);
	CHECK(samples(&src, "b", INT64_MAX) == 1);
	source_hold(&src, false);
	CHECK(samples(&src, "b", INT64_MAX) == 4);
	CHECK(samples(&src, "c", INT64_MAX) == 1);
	source_hold(&src, true);
	CHECK(samples(&src, "a", INT64_MAX) == 3);
	source_hold(&src, false);
	store_close(w);
	store_close(s);
}

int
main(void)
{
	help_begin();
	at_random();
	again();
	at_once();
	histograms();
	names();
	metadata();
	hold();
	help_end();
	return done();
}
