/*
 * Sealed parts say what the segments said, bit for bit: random stores of every
 * kind of frame, one of them compacted again and again while both are written
 * to alike.  Covers loose.c, sealed_page.c.
 */
#include "check.h"
#include "store-help.h"

#define T0 INT64_C(1637582400000)
#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

static uint32_t seed = 11;

static uint32_t
roll(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void
value(struct buf *b)
{
	switch (roll(8)) {
	case 0:
		buf_printf(b, "%u.%02u", roll(1000), roll(100));
		break;
	case 1:
		buf_printf(b, "%.17g", (double)roll(100000) * 0.001);
		break;
	case 2:
		buf_z(b, roll(2) ? "NaN" : "+Inf");
		break;
	default:
		buf_printf(b, "%u", roll(100000));
	}
}

static void
histogram(struct buf *b, int src, int64_t t)
{
	buf_printf(b,
	    "# HIST h{src=\"%d\"} {count:%u,sum:%u.5,schema:0,"
	    "zero_threshold:0,zero_count:0,positive_spans:[0:2],"
	    "positive_buckets:[%u,1]} %lld\n",
	    src, roll(100) + 1, roll(9), roll(100), (long long)t);
}

/* A round: whole, of few series, late, with own times, with comments. */
static void
round_of(struct buf *b, int src, int64_t t, uint32_t width)
{
	uint32_t kind = roll(12), n = roll(6) == 0 ? 3 : width;

	if (kind == 0)
		t -= roll(900000);
	buf_printf(b, "# BATCH {job=\"j\",src=\"%d\"} %lld%s\n", src,
	    (long long)t, kind == 3 ? " error=\"x\"" : "");
	for (uint32_t i = 0; i < n; i++) {
		if (roll(16) == 0)
			continue;
		/* Some series are of two sources. */
		buf_printf(b, "m%u{src=\"%d\"} ", i, i == 7 ? 0 : src);
		value(b);
		if (kind == 1 && i % 3 == 0)
			buf_printf(b, " %lld", (long long)(t - roll(50000)));
		buf_byte(b, '\n');
		if (kind == 4 && i % 8 == 0)
			buf_printf(b,
			    "# EXEMPLAR m%u{src=\"%d\"} {id=\"%u\"} 1 %lld\n",
			    i, i == 7 ? 0 : src, roll(1000), (long long)t);
	}
	if (kind == 2)
		buf_printf(b, "# STALE * %lld\n", (long long)t);
	if (roll(3) == 0)
		histogram(b, src, t);
	buf_z(b, "# EOF\n");
}

/* Many samples of a series at once, as an import brings them. */
static void
dump(struct buf *b, int64_t t, uint32_t n)
{
	for (uint32_t i = 0; i < 5; i++)
		for (uint32_t k = 0; k < n; k++) {
			buf_printf(b, "d%u{x=\"%u\"} ", i, i);
			value(b);
			buf_printf(
			    b, " %lld\n", (long long)(t + k * INT64_C(1000)));
		}
}

static void
report(void *arg, const char *msg)
{
	printf("# %s\n", msg);
	++*(size_t *)arg;
}

static struct store_compact
compact(const char *path, int64_t now, bool seal)
{
	struct store *s = help_open(path, STORE_WRITE);
	struct store_compact c = { .now = now, .seal = seal };
	size_t bad = 0;
	struct error e;

	c.report = report;
	c.arg = &bad;
	if (store_compact(s, &c, &e) == -1)
		errx(1, "%s", e.msg);
	CHECK(bad == 0);
	store_close(s);
	return c;
}

static bool
same(struct buf a, struct buf b)
{
	bool is = str_eq(buf_str(&a), buf_str(&b));

	for (size_t i = 0; !is && i < a.n && i < b.n; i++)
		if (a.p[i] != b.p[i]) {
			size_t k = i < 300 ? i : 300;

			printf("# at %zu: %.*s\n# but\n# %.*s\n", i,
			    (int)k + 200, a.p + i - k, (int)k + 200,
			    b.p + i - k);
			break;
		}
	buf_fini(&a);
	buf_fini(&b);
	return is;
}

/*
 * What of an answer is printed: all, each series' newest sample, or its time
 * and whether it is one, of one label.  And whether the store was told.
 */
enum part { ALL, NEWEST, LITTLE, TOLD_NEWEST, TOLD_LITTLE };

/* The source with histograms: their counts beside the bits of the values. */
static struct buf
sources(const char *path, int64_t from, int64_t to, const struct match *m,
    size_t nm, enum part part)
{
	struct store *s = help_open(path, STORE_READ);
	struct source src = store_source(s);
	str src_label = STR("src");
	struct source_query q = {
		.m = m,
		.nm = nm,
		.from = from,
		.to = to,
		.histograms = true,
		.last = part >= TOLD_NEWEST,
		.any_value = part == TOLD_LITTLE,
		.few_labels = part == TOLD_LITTLE,
		.labels = &src_label,
		.nlabels = 1,
	};
	bool little = part == LITTLE || part == TOLD_LITTLE;
	struct buf b = { NULL, 0, 0 };
	struct source_series o;
	struct error e;
	struct source_cursor *c = source_open(&src, &q, &e);

	while (c != NULL && source_next(&src, c, &o, &e) == 1) {
		if (little)
			buf_add(&b, label_find(o.labels, src_label));
		else
			label_print(&b, o.labels);
		for (size_t i = o.n - 1; little && i < o.n; i++)
			buf_printf(&b, " %lld:%d", (long long)o.t[i],
			    num_is_stale(o.v[i]));
		for (size_t i = part == ALL ? 0 : o.n - 1; !little && i < o.n;
		     i++)
			buf_printf(&b, " %lld:%llx:%g", (long long)o.t[i],
			    (unsigned long long)num_bits(o.v[i]),
			    o.h != NULL && o.h[i] != NULL ? o.h[i]->count : -1);
		buf_byte(&b, '\n');
	}
	source_close(&src, c);
	store_close(s);
	return b;
}

static size_t
problems(const char *path)
{
	struct store *s = help_open(path, STORE_READ);
	struct error e;
	size_t n = 0;

	CHECK(store_check(s, report, &n, &e) == (n > 0));
	store_close(s);
	return n;
}

static void
compare(const char *a, const char *b)
{
	struct match m[2];
	struct error e;
	int bad = 0;

	CHECK(same(help_select(a), help_select(b)));
	CHECK(same(sources(a, INT64_MIN, INT64_MAX, NULL, 0, ALL),
	    sources(b, INT64_MIN, INT64_MAX, NULL, 0, ALL)));
	CHECK(problems(b) == 0);
	if (match_init(&m[0], MATCH_RE, LABEL_NAME, STR("m1.*|h|d[34]"), &e) ==
		-1 ||
	    match_init(&m[1], MATCH_NE, STR("src"), STR("2"), &e) == -1)
		errx(1, "%s", e.msg);
	for (int i = 0; i < 24; i++) {
		int64_t from = T0 - DAY / 2 + roll(2 * DAY);
		int64_t to = from + (i % 2 ? roll(HOUR) : roll(DAY));
		size_t nm = roll(3);

		bad += !same(help_range(a, from, to, m, nm),
		    help_range(b, from, to, m, nm));
		bad += !same(sources(a, from, to, m, nm, ALL),
		    sources(b, from, to, m, nm, ALL));
		for (enum part k = NEWEST; k <= LITTLE; k++) {
			enum part told =
			    k == NEWEST ? TOLD_NEWEST : TOLD_LITTLE;

			bad += !same(sources(a, from, to, m, nm, told),
			    sources(a, from, to, m, nm, k));
			bad += !same(sources(b, from, to, m, nm, told),
			    sources(a, from, to, m, nm, k));
		}
		bad += !same(help_source(a, from, to, true),
		    help_source(b, from, to, true));
	}
	CHECK(bad == 0);
	match_fini(&m[0]);
	match_fini(&m[1]);
}

static void
same_info(const char *a, const char *b)
{
	struct store_info i, j;
	struct store *s = help_open(a, STORE_READ);
	struct error e;

	CHECK(store_info(s, &i, &e) == 0);
	store_close(s);
	s = help_open(b, STORE_READ);
	CHECK(store_info(s, &j, &e) == 0);
	store_close(s);
	CHECK(i.samples == j.samples && i.batches == j.batches);
	CHECK(i.series == j.series && i.from == j.from && i.to == j.to);
}

/* The same text into both, by processes that stay or are new. */
static void
put_both(struct store *v[2], const char *text, const struct store_opts *o)
{
	struct store_counts a = help_put(v[0], text, o);
	struct store_counts b = help_put(v[1], text, o);

	if (memcmp(&a, &b, sizeof(a)) != 0) {
		printf("# %zu %zu %zu, but %zu %zu %zu\n", a.samples,
		    a.duplicates, a.conflicts, b.samples, b.duplicates,
		    b.conflicts);
		CHECK(memcmp(&a, &b, sizeof(a)) == 0);
	}
}

static void
at_random(void)
{
	struct store *v[2] = { help_open("a", STORE_WRITE),
		help_open("b", STORE_WRITE) };
	struct buf b = { NULL, 0, 0 }, old = { NULL, 0, 0 };
	struct store_opts replace = { .replace = true };
	int64_t t = T0;

	for (int i = 0; i < 420; i++) {
		t = T0 + i * INT64_C(300000); /* a day and a half */
		buf_reset(&b);
		for (int k = 0; k < 4; k++)
			round_of(&b, k, t + k * 10, k == 3 ? 70 : 20);
		if (i % 60 == 20)
			dump(&b, t - 2 * HOUR, 3 + roll(2500));
		put_both(v, buf_cstr(&b), i % 37 == 5 ? &replace : NULL);
		/* What is there already, or is another now. */
		if (i % 40 == 30)
			put_both(v, buf_cstr(&old), NULL);
		if (i % 90 == 31)
			put_both(v, buf_cstr(&old), &replace);
		if (i % 40 == 10) {
			buf_reset(&old);
			buf_add(&old, buf_str(&b));
		}
		if (i % 23 == 22)
			compact("b", t, roll(2) == 0);
		if (i % 50 == 49) {
			for (int k = 0; k < 2; k++)
				store_close(v[k]);
			v[0] = help_open("a", STORE_WRITE);
			v[1] = help_open("b", STORE_WRITE);
		}
		if (i % 105 == 104)
			compare("a", "b");
	}
	store_close(v[0]);
	store_close(v[1]);
	compact("b", t, true);
	compare("a", "b");
	same_info("a", "b");
	/* Over: one part a day, and nothing more to do. */
	CHECK(compact("b", t + 3 * DAY, false).parts <= 2);
	compare("a", "b");
	CHECK(compact("b", t + 3 * DAY, false).parts == 0);
	help_run("test $(ls b/2021112?/*.part | wc -l) = 2");
	help_run("! ls b/2021112?/*.seg b/2021112?/*.tmp 2>/dev/null");
	/* What is selected can be appended elsewhere. */
	buf_fini(&old);
	old = help_select("b");
	help_append("c", buf_cstr(&old));
	buf_fini(&old);
	old = help_select("c");
	compact("c", t, true);
	CHECK(same(old, help_select("c")));
	buf_fini(&b);
}

int
main(void)
{
	help_begin();
	at_random();
	help_end();
	return done();
}
