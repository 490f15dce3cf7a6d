/*
 * metric/series, its source, and metric/rounds.  Covers series_source.c and
 * source.c.
 */
#include "check.h"

#include "base/num.h"
#include "metric/series.h"

static struct buf out;

/* Series of an answer, "name{...} t:v t:v;" each. */
static str
ask(struct series_set *s, const struct match *m, size_t nm, int64_t from,
    int64_t to, bool only)
{
	struct source src = series_source(s);
	struct source_query q = {
		.m = m, .nm = nm, .from = from, .to = to, .labels_only = only
	};
	struct source_cursor *c = source_open(&src, &q, NULL);
	struct source_series x;

	buf_reset(&out);
	while (source_next(&src, c, &x, NULL) == 1) {
		label_print(&out, x.labels);
		for (size_t i = 0; x.t != NULL && i < x.n; i++) {
			buf_printf(&out, " %d:", (int)x.t[i]);
			if (num_is_stale(x.v[i]))
				buf_byte(&out, 'x');
			else
				num_print(&out, x.v[i]);
		}
		buf_byte(&out, ';');
	}
	source_close(&src, c);
	return buf_str(&out);
}

static str
all(struct series_set *s)
{
	return ask(s, NULL, 0, INT64_MIN, INT64_MAX, false);
}

static int
add(struct series_set *s, const char *series, int64_t t, double v)
{
	struct arena a = { 0 };
	struct labels ls;
	int r = -1;

	if (label_parse(str_of(series), &a, &ls, NULL) == 0)
		r = series_add(s, ls, t, v);
	arena_fini(&a);
	return r;
}

static void
samples(void)
{
	struct series_set *s = series_new();
	struct match m[2];
	int64_t from = 0, to = 0;

	CHECK(!series_range(s, &from, &to));
	CHECK_STR(all(s), "");
	CHECK(add(s, "m{a=\"2\"}", 5, 1) == 1);
	CHECK(add(s, "m{a=\"2\"}", 7, 2) == 1);
	CHECK(add(s, "m{a=\"2\"}", 6, 3) == 1);
	CHECK(add(s, "m{a=\"2\"}", 1, 4) == 1);
	CHECK(add(s, "m{a=\"2\"}", 6, 3) == 0);
	CHECK(add(s, "m{a=\"2\"}", 6, 9) == 0);
	CHECK(add(s, "m{a=\"1\"}", 6, num_nan()) == 1);
	CHECK(add(s, "m{A=\"1\"}", 6, 1) == 1);
	CHECK(add(s, "n", 9, 1) == 1);
	CHECK(add(s, "{}", 9, 1) == 1);
	CHECK_STR(all(s),
	    "_ 9:1;m{A=\"1\"} 6:1;m{a=\"1\"} 6:NaN;"
	    "m{a=\"2\"} 1:4 5:1 6:3 7:2;n 9:1;");
	CHECK(series_range(s, &from, &to) && from == 1 && to == 9);
	CHECK(match_init(&m[0], MATCH_EQ, LABEL_NAME, STR("m"), NULL) == 0);
	CHECK(match_init(&m[1], MATCH_RE, STR("a"), STR("1|2"), NULL) == 0);
	CHECK_STR(
	    ask(s, m, 2, 5, 6, false), "m{a=\"1\"} 6:NaN;m{a=\"2\"} 5:1 6:3;");
	CHECK_STR(ask(s, m, 1, 7, 7, true), "m{a=\"2\"};");
	CHECK_STR(ask(s, m + 1, 1, 0, 99, true), "m{a=\"1\"};m{a=\"2\"};");
	match_fini(&m[1]);
	series_drop(s, 6);
	CHECK(series_count(s) == 5);
	series_drop(s, 7);
	CHECK(series_count(s) == 3);
	CHECK_STR(all(s), "_ 9:1;m{a=\"2\"} 7:2;n 9:1;");
	CHECK(add(s, "z", 10, 1) == 1 && add(s, "y", 10, 1) == 1);
	CHECK_STR(all(s), "_ 9:1;m{a=\"2\"} 7:2;n 9:1;y 10:1;z 10:1;");
	series_free(s);
}

static void
count(void *arg, str metric, str type, str help, str unit)
{
	buf_printf(arg, "%.*s|%.*s|%.*s|%.*s;", STR_ARG(metric), STR_ARG(type),
	    STR_ARG(help), STR_ARG(unit));
}

static void
feed(struct series_set *s, struct batch_reader *r, const char *text)
{
	struct batch b;

	batch_feed(r, str_of(text));
	while (batch_next(r, &b) == 1)
		series_apply(s, &b);
}

static void
rounds(void)
{
	struct series_set *s = series_new();
	struct batch_reader *r = batch_new(EXPO_MF, 0, false, NULL, NULL);
	struct source src = series_source(s);

	feed(s, r,
	    "# BATCH {i=\"1\"} 10\n# STALE *\n# HELP a h\n# TYPE a gauge\n"
	    "# UNIT a u\na 1\nb 1\nown 1 7\nc 1\n# EOF\n");
	feed(s, r, "# BATCH {i=\"2\"} 15\nother 1\n# STALE * 15\n# EOF\n");
	feed(s, r, "# BATCH {i=\"1\"} 20\n# STALE * 20\nb 2\nc 2 19\n# EOF\n");
	CHECK_STR(
	    all(s), "a 10:1 20:x;b 10:1 20:2;c 10:1 19:2;other 15:1;own 7:1;");
	/* what is gone stays gone, and a line of its own ends one series */
	feed(s, r,
	    "# BATCH {i=\"1\"} 30\n# STALE *\n# STALE own 30\nb 3\n# EOF\n");
	CHECK_STR(all(s),
	    "a 10:1 20:x;b 10:1 20:2 30:3;c 10:1 19:2;other 15:1;"
	    "own 7:1 30:x;");
	/* dropped series, and others in their place */
	series_drop(s, 30);
	feed(s, r, "# BATCH {i=\"2\"} 40\nnew 1\nnewer 1\nnewest 1\n# EOF\n");
	feed(s, r, "# BATCH {i=\"1\"} 40\n# STALE *\n# EOF\n");
	feed(s, r, "# BATCH {i=\"2\"} 50\n# STALE *\nnew 2\n# EOF\n");
	CHECK_STR(all(s),
	    "b 30:3 40:x;new 40:1 50:2;newer 40:1 50:x;newest 40:1 50:x;"
	    "own 30:x;");
	/* nobody's batch: a star means nothing */
	feed(s, r,
	    "b 60 60\n# STALE * 70\n# EOF\nc 1 70\n# STALE * 80\n# EOF\n");
	CHECK_STR(all(s),
	    "b 30:3 40:x 60:60;c 70:1;new 40:1 50:2;newer 40:1 50:x;"
	    "newest 40:1 50:x;own 30:x;");
	buf_reset(&out);
	CHECK(src.ops->metadata(src.self, count, &out, NULL) == 0);
	CHECK_STR(buf_str(&out), "a|gauge|h|u;");
	batch_free(r);
	series_free(s);
}

/* Marks are hints: two sets fed by one reader do not mislead each other. */
static void
shared(void)
{
	struct series_set *x = series_new(), *y = series_new();
	struct batch_reader *r = batch_new(EXPO_MF, 0, false, NULL, NULL);
	static const char text[] =
	    "# BATCH {} 1\na 1\nb{x=\"\\\\\"} 2\n# EOF\n"
	    "# BATCH {} 2\na 1\nb{x=\"\\\\\"} 2\n# EOF\n";
	struct batch b;

	CHECK(add(y, "z", 0, 0) == 1);
	batch_feed(r, str_of(text));
	while (batch_next(r, &b) == 1) {
		series_apply(x, &b);
		series_apply(y, &b);
	}
	CHECK_STR(all(x), "a 1:1 2:1;b{x=\"\\\\\"} 1:2 2:2;");
	CHECK_STR(all(y), "a 1:1 2:1;b{x=\"\\\\\"} 1:2 2:2;z 0:0;");
	batch_free(r);
	series_free(x);
	series_free(y);
}

/* A NUL is a legal byte of a value. */
static void
nul(void)
{
	struct series_set *s = series_new();
	struct label v[2] = { { STR("a"), STR("x\0y") },
		{ STR("b"), STR("\0") } };
	struct labels ls = { v, 2 };

	CHECK(series_add(s, ls, 1, 1) == 1);
	CHECK(series_add(s, ls, 1, 1) == 0);
	CHECK(series_count(s) == 1);
	CHECK_STR(all(s), "_{a=\"x\0y\",b=\"\0\"} 1:1;");
	series_free(s);
}

/* The order holds whatever comes and goes, ids used again among them. */
static void
churn(void)
{
	struct series_set *s = series_new();
	struct source src = series_source(s);
	struct source_query q = {
		.from = INT64_MIN, .to = INT64_MAX, .labels_only = true
	};
	struct source_cursor *c;
	struct source_series x;
	char name[64], last[64];
	unsigned seed = 1;
	size_t n;
	bool good = true;

	for (int round = 0; round < 60; round++) {
		for (int i = 0; i < 40; i++) {
			seed = seed * 1664525u + 1013904223u;
			(void)snprintf(name, sizeof(name), "m%u{a=\"%u\"}",
			    seed >> 30, (seed >> 20) % 200);
			(void)add(s, name, round, 1);
		}
		if (round % 3 == 2)
			series_drop(s, round - 1);
		c = source_open(&src, &q, NULL);
		last[0] = '\0';
		for (n = 0; source_next(&src, c, &x, NULL) == 1; n++) {
			buf_reset(&out);
			label_print(&out, x.labels);
			good = good && strcmp(last, buf_cstr(&out)) < 0;
			(void)snprintf(
			    last, sizeof(last), "%s", buf_cstr(&out));
		}
		source_close(&src, c);
		good = good && n == series_count(s);
	}
	CHECK(good);
	series_free(s);
}

static void
window(void)
{
	struct series_set *s = series_new();
	int64_t from = 0, to = 0;

	for (int64_t t = 0; t < 5000; t++) {
		(void)add(s, "m", t, 1);
		if (t % 100 == 0)
			series_drop(s, t - 50);
	}
	CHECK(series_range(s, &from, &to) && from == 4850 && to == 4999);
	series_free(s);
}

static void
apply(struct series_set *s, const char *text)
{
	struct batch_reader *r = batch_new(EXPO_MF, 0, false, NULL, NULL);
	struct batch b;

	feed(s, r, text);
	batch_end(r);
	while (batch_next(r, &b) == 1)
		series_apply(s, &b);
	CHECK(batch_bad(r) == 0);
	batch_free(r);
}

/* What a source gives of everything: "series t:v,t:{...}^start;". */
static str
columns(struct series_set *s, bool histograms)
{
	struct source src = series_source(s);
	struct source_query q = { .from = INT64_MIN,
		.to = INT64_MAX,
		.histograms = histograms,
		.starts = true };
	struct source_cursor *c = source_open(&src, &q, NULL);
	struct source_series x;

	buf_reset(&out);
	while (source_next(&src, c, &x, NULL) == 1) {
		label_print(&out, x.labels);
		for (size_t i = 0; i < x.n; i++) {
			buf_printf(&out, " %lld:", (long long)x.t[i]);
			if (x.h != NULL && x.h[i] != NULL)
				histogram_print(&out, x.h[i]);
			else if (num_is_stale(x.v[i]))
				buf_z(&out, "stale");
			else
				num_print(&out, x.v[i]);
			if (x.start != NULL)
				buf_printf(
				    &out, "^%lld", (long long)x.start[i]);
		}
		buf_byte(&out, ';');
	}
	source_close(&src, c);
	return buf_str(&out);
}

#define H(n) "{count:" #n ".0,sum:1,schema:0}"
#define KNOWN(n) "{count:" #n ".0,sum:1,schema:0,hint:not_reset}"

static void
histograms(void)
{
	struct series_set *s = series_new();

	apply(s,
	    "# BATCH {job=\"a\"} 1\nm 5\n# HIST h " H(
		2) " 1\n# EOF\n"
		   "# BATCH {job=\"a\"} 2\n# HIST m " H(
		       2) " 2\n"
			  "# HIST h " H(3) " 2\n# EOF\n");
	CHECK_STR(
	    columns(s, true), "h 1:" H(2) " 2:" KNOWN(3) ";m 1:5 2:" H(2) ";");
	CHECK_STR(columns(s, false), "m 1:5;");
	/* the first wins, whatever it is; what comes between takes its word */
	apply(s,
	    "# BATCH {job=\"a\"} 4\nm 7 2\n# HIST m " H(
		9) " 1\n"
		   "# HIST h " H(1) " 4\n# HIST h " H(
		       9) " 3\n# STALE *\n# EOF\n");
	CHECK_STR(columns(s, true),
	    "h 1:" H(2) " 2:" KNOWN(3) " 3:" H(9) " 4:" H(1) ";m 1:5 2:" H(
		2) ";");
	apply(s, "# BATCH {job=\"a\"} 5\n# STALE * 5\n# EOF\n");
	series_drop(s, 3);
	CHECK_STR(columns(s, true), "h 3:" H(9) " 4:" H(1) " 5:stale;");
	series_drop(s, 9);
	CHECK(series_count(s) == 0);
	series_free(s);
}

static void
starts(void)
{
	struct series_set *s = series_new();

	apply(s,
	    "a 1 1\na 2 2\n# START a 7 2\na 3 3\na 4 5\n# START a 9 5\n"
	    "a 5 6\na 6 4\n# START a 1 99\nb 1 1\n# HIST b " H(
		1) " 2\n"
		   "# START b 8 2\n");
	CHECK_STR(columns(s, true),
	    "a 1:1^0 2:2^7 3:3^7 4:6^7 5:4^9 6:5^9;b 1:1^0 2:" H(1) "^8;");
	CHECK_STR(
	    columns(s, false), "a 1:1^0 2:2^7 3:3^7 4:6^7 5:4^9 6:5^9;b 1:1;");
	series_free(s);
}

int
main(void)
{
	histograms();
	starts();
	samples();
	rounds();
	shared();
	nul();
	churn();
	window();
	buf_fini(&out);
	return done();
}
