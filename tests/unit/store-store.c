/*
 * What goes into a store and comes out: batches as they came, staleness,
 * duplicates, late samples, days.  Covers append.c, beaten.c, known.c, log.c,
 * meta.c, part.c, seg.c, select.c, series.c and writer.c.
 */
#include "check.h"
#include "store-help.h"

#define T "16375824"
#define HEAD "# BATCH {instance=\"a\",job=\"j\"} "

static void
round_trip(void)
{
	static const char text[] = HEAD T
	    "00000\n"
	    "# HELP a_total Help.\n"
	    "# TYPE a_total counter\n"
	    "a_total{instance=\"a\",job=\"j\"} 1 " T "00000\n"
	    "b{instance=\"a\",job=\"j\"} NaN " T "00000\n"
	    "up{instance=\"a\",job=\"j\"} 1 " T "00000\n"
	    "# EOF\n" HEAD T "15000\n"
	    "a_total{instance=\"a\",job=\"j\"} 2 " T "15000\n"
	    "up{instance=\"a\",job=\"j\"} -0 " T "15000\n"
	    "# EOF\n" HEAD T "30000 error=\"x \\\"y\\\"\"\n"
	    "# STALE a_total{instance=\"a\",job=\"j\"} " T "30000\n"
	    "up{instance=\"a\",job=\"j\"} 0 " T "30000\n"
	    "# EOF\n" HEAD T "45000\n"
	    "new{instance=\"a\",job=\"j\"} +Inf " T "44000\n"
	    "a_total{instance=\"a\",job=\"j\"} 1e+300 " T "45000\n"
	    "# EXEMPLAR a_total{instance=\"a\",job=\"j\"} {id=\"7\"} 1 " T
	    "45000\n"
	    "# START a_total{instance=\"a\",job=\"j\"} 5 " T "45000\n"
	    "# EOF\n";
	struct buf one;
	struct store_counts n = help_append("rt", text);

	CHECK(n.samples == 8 && n.stale == 1 && n.duplicates == 0 &&
	    n.conflicts == 0 && n.refused == 0);
	CHECK(help_is(help_select("rt"), text));
	one = help_select("rt");
	help_append("rt2", buf_cstr(&one));
	CHECK(help_is(help_select("rt2"), buf_cstr(&one)));
	buf_fini(&one);
	n = help_append("rt", text);
	CHECK(n.samples == 0 && n.stale == 0 && n.duplicates == 9);
	CHECK(help_is(help_select("rt"), text));
}

/* "# STALE *" needs to know the batch before, of this process or another. */
static void
staleness(void)
{
	static const char first[] = HEAD T "00000\na 1\nb 2\n# EOF\n";
	static const char second[] =
	    HEAD T "15000\nb 0\n# STALE * " T "15000\n# EOF\n";
	static const char third[] =
	    HEAD T "30000\nc 0\n# STALE * " T "30000\n# EOF\n";
	static const char want[] =
	    HEAD T "00000\na 1 " T "00000\nb 2 " T "00000\n# EOF\n" HEAD T
		   "15000\n# STALE a " T "15000\nb 0 " T "15000\n# EOF\n" HEAD T
		   "30000\nc 0 " T "30000\n# STALE b " T "30000\n# EOF\n";
	struct store *s = help_open("st1", STORE_WRITE);

	help_put(s, first, NULL);
	help_put(s, second, NULL);
	help_put(s, third, NULL);
	store_close(s);
	CHECK(help_is(help_select("st1"), want));
	help_append("st2", first);
	help_append("st2", second);
	help_append("st2", third);
	CHECK(help_is(help_select("st2"), want));
	/* Nothing before: nothing ends. */
	help_append("st3", second);
	CHECK(help_is(
	    help_select("st3"), HEAD T "15000\nb 0 " T "15000\n# EOF\n"));
	/* Series with times of their own are left alone. */
	help_append("st4",
	    HEAD T "00000\na 1 " T "00000\nb 2 1637582399000\n"
		   "# EOF\n");
	help_append("st4", HEAD T "15000\n# STALE * " T "15000\n# EOF\n");
	CHECK(help_is(help_source("st4", 0, INT64_MAX, false),
	    "a " T "00000 1 " T "15000 stale\nb 1637582399000 2\n"));
}

static void
over_midnight(void)
{
	static const char *const text[] = {
		HEAD "1637625599000\na 1\nb 2\n# EOF\n",
		HEAD "1637625601000\nb 3\n# STALE * 1637625601000\n# EOF\n",
	};
	static const char want[] = "a 1637625599000 1 1637625601000 stale\n"
				   "b 1637625599000 2 1637625601000 3\n";
	struct store *s = help_open("mn1", STORE_WRITE);

	help_put(s, text[0], NULL);
	help_put(s, text[1], NULL);
	store_close(s);
	CHECK(help_is(help_source("mn1", 0, INT64_MAX, false), want));
	help_append("mn2", text[0]);
	help_append("mn2", text[1]);
	CHECK(help_is(help_source("mn2", 0, INT64_MAX, false), want));
	CHECK(access("mn2/20211122/series.log", F_OK) == 0);
	CHECK(access("mn2/20211123/series.log", F_OK) == 0);
	CHECK(help_is(help_source("mn2", 1637625600000, INT64_MAX, false),
	    "a 1637625601000 stale\nb 1637625601000 3\n"));
	CHECK(help_is(
	    help_source("mn2", INT64_MIN, 1637625599999, true), "a\nb\n"));
}

/* Native histograms, with and without samples beside them; twice. */
static void
comments(void)
{
	static const char text[] =
	    "# BATCH {job=\"h\"} " T "00000\n"
	    "# HIST h{job=\"h\"} {count:3,sum:6,schema:0,zero_threshold:0.001,"
	    "zero_count:1,positive_spans:[0:2],positive_buckets:[1,1]} " T
	    "00000\n# EOF\n"
	    "# BATCH {job=\"h\"} " T "15000\nup{job=\"h\"} 1 " T
	    "15000\n# HIST h{job=\"h\"} {count:4,sum:6,schema:0,"
	    "zero_threshold:0.001,zero_count:2,positive_spans:[0:2],"
	    "positive_buckets:[1,1]} " T "15000\n# EOF\n";

	help_append("co", text);
	CHECK(help_is(help_select("co"), text));
	help_append("co", text);
	CHECK(help_is(help_select("co"), text));
}

/* Two writers that stay open: each sees what the other did. */
static void
two_writers(void)
{
	struct store *a = help_open("tw", STORE_WRITE);
	struct store *b = help_open("tw", STORE_WRITE);
	struct buf all = { NULL, 0, 0 }, one = { NULL, 0, 0 };
	struct store_counts n;
	int bad = 0;

	for (int i = 0; i < 60; i++) {
		buf_reset(&one);
		buf_printf(&one, HEAD "%lld\n", 1637582400000LL + i * 1000);
		/* New series again and again, so that the hash is replaced. */
		for (int k = 0; k < 20 + i / 2; k++)
			buf_printf(&one, "m%d{n=\"%d\"} %d %lld\n", k, i / 2, i,
			    1637582400000LL + i * 1000);
		buf_z(&one, "# EOF\n");
		buf_add(&all, buf_str(&one));
		n = help_put(i % 2 ? a : b, buf_cstr(&one), NULL);
		bad += n.samples != (size_t)(20 + i / 2);
		n = help_put(i % 2 ? b : a, buf_cstr(&one), NULL);
		bad += n.duplicates != (size_t)(20 + i / 2) || n.samples != 0;
	}
	CHECK(bad == 0);
	CHECK(help_is(help_select("tw"), buf_cstr(&all)));
	/* "# STALE *" means the batch before, whoever wrote it. */
	help_put(a, HEAD T "99000\nx 1\ny 1\n# EOF\n", NULL);
	n = help_put(b,
	    HEAD "1637582500000\nx 1\n# STALE * 1637582500000\n"
		 "# EOF\n",
	    NULL);
	CHECK(n.stale == 1 && n.samples == 1);
	store_close(a);
	store_close(b);
	buf_fini(&all);
	buf_fini(&one);
}

/* A day is taken away (retention) and a file lost while a writer is there. */
static void
taken_away(void)
{
	struct store *s = help_open("ta", STORE_WRITE);

	help_put(s, HEAD T "00000\na 1\n# EOF\n", NULL);
	help_run("rm -rf ta/20211122");
	help_put(s, HEAD T "15000\na 2\n# EOF\n", NULL);
	CHECK(help_is(
	    help_source("ta", 0, INT64_MAX, false), "a " T "15000 2\n"));
	help_run("rm ta/20211122/series.hash");
	help_put(s, HEAD T "30000\na 3\nb 1\n# EOF\n", NULL);
	CHECK(help_is(help_source("ta", 0, INT64_MAX, false),
	    "a " T "15000 2 " T "30000 3\nb " T "30000 1\n"));
	store_close(s);
}

static void
same_time(void)
{
	struct store_opts replace = { .replace = true };
	struct store_counts n;
	struct store *s = help_open("sm", STORE_WRITE);

	n = help_put(s, HEAD T "00000\na 1\na 1\na 2\nb 1\n# EOF\n", NULL);
	CHECK(n.samples == 2 && n.duplicates == 1 && n.conflicts == 1);
	n = help_put(s, HEAD T "00000\na 5\nb 1\nc 1\n# EOF\n", NULL);
	CHECK(n.samples == 1 && n.duplicates == 1 && n.conflicts == 1);
	/* Another source, the same series. */
	n = help_put(s, "a 6 " T "00000\nb 1 " T "00000\n", NULL);
	CHECK(n.samples == 0 && n.duplicates == 1 && n.conflicts == 1);
	CHECK(help_is(help_source("sm", 0, INT64_MAX, false),
	    "a " T "00000 1\nb " T "00000 1\nc " T "00000 1\n"));
	n = help_put(s, "a 7 " T "00000\nb 1 " T "00000\n", &replace);
	CHECK(n.samples == 1 && n.duplicates == 1 && n.conflicts == 1);
	n = help_put(s, HEAD T "00000\na 8\n# EOF\n", &replace);
	CHECK(n.samples == 1);
	n = help_put(s, HEAD T "00000\na 8\n# EOF\n", &replace);
	CHECK(n.samples == 0 && n.duplicates == 1);
	CHECK(help_is(help_source("sm", 0, INT64_MAX, false),
	    "a " T "00000 8\nb " T "00000 1\nc " T "00000 1\n"));
	store_close(s);
}

static void
out_of_order(void)
{
	struct store *s = help_open("oo", STORE_WRITE);

	help_put(s, HEAD T "30000\na 3\nb 30\n# EOF\n", NULL);
	help_put(s, HEAD T "00000\na 1\n# EOF\n", NULL);
	help_put(s, "a 2 " T "15000\nb 20 " T "15000\na 4 " T "45000\n", NULL);
	help_put(
	    s, HEAD T "60000\na 5 " T "59000\nb 50 " T "61000\n# EOF\n", NULL);
	store_close(s);
	CHECK(help_is(help_source("oo", 0, INT64_MAX, false),
	    "a " T "00000 1 " T "15000 2 " T "30000 3 " T "45000 4 " T
	    "59000 5\nb " T "15000 20 " T "30000 30 " T "61000 50\n"));
	CHECK(help_is(help_source("oo", 1637582415000, 1637582430000, false),
	    "a " T "15000 2 " T "30000 3\nb " T "15000 20 " T "30000 30\n"));
	CHECK(
	    help_is(help_source("oo", 1637582461000, INT64_MAX, true), "b\n"));
	CHECK(help_is(help_range("oo", 1637582415000, 1637582430000, NULL, 0),
	    HEAD T "30000\na 3 " T "30000\nb 30 " T
		   "30000\n# EOF\n# BATCH {} " T "45000\na 2 " T
		   "15000\nb 20 " T "15000\n# EOF\n"));
}

static void
refused(void)
{
	struct batch_reader *r = batch_new(EXPO_MF, 0, false, NULL, NULL);
	struct store *s = help_open("re", STORE_WRITE);
	struct store_counts n = { 0 };
	struct store_opts o = { 0 };
	struct error e, why = { "" };
	struct batch b;

	batch_feed(r,
	    STR("# BATCH {} " T "00000\n_ 1 " T "00000\n"
		"{a=\"b\"} 1\nx 1 1637582400\ny 1 " T "00000\n# EOF\n"));
	batch_end(r);
	CHECK(batch_next(r, &b) == 1);
	CHECK(store_append(s, &b, &o, &n, &why, &e) == 0);
	CHECK(n.refused == 3 && n.samples == 1);
	CHECK(strstr(why.msg, "without a name") != NULL);
	o.any_time = true;
	why.msg[0] = '\0';
	CHECK(store_append(s, &b, &o, &n, &why, &e) == 0);
	CHECK(n.samples == 2 && n.duplicates == 1);
	batch_free(r);
	store_close(s);
	CHECK(help_is(help_source("re", INT64_MIN, INT64_MAX, false),
	    "x 1637582400 1\ny " T "00000 1\n"));
}

static void
foreign(void)
{
	struct error e;

	help_run("mkdir foreign && echo hello >foreign/letter");
	CHECK(store_open("foreign", STORE_WRITE, &e) == NULL);
	CHECK(strstr(e.msg, "foreign: not a store") != NULL);
	CHECK(store_open("foreign", STORE_READ, &e) == NULL);
	CHECK(access("foreign/lock", F_OK) == -1);
	CHECK(store_open("nowhere", STORE_READ, &e) == NULL);
	CHECK(strstr(e.msg, "no store here") != NULL);
	help_run("mkdir later && echo 'mf-store 2' >later/format");
	CHECK(store_open("later", STORE_WRITE, &e) == NULL);
	CHECK(strstr(e.msg, "another version") != NULL);
	help_run("echo x >file");
	CHECK(store_open("file", STORE_READ, &e) == NULL);
	CHECK(store_open("file", STORE_WRITE, &e) == NULL);
}

/* Few of many series go loose; a source that has shrunk gets a new layout. */
static void
shrinking(void)
{
	struct buf b = { NULL, 0, 0 }, want = { NULL, 0, 0 };
	struct store_info i;
	struct store *s;
	struct error e;

	buf_z(&b, HEAD T "00000\n");
	for (int k = 0; k < 100; k++)
		buf_printf(&b, "m%02d 1 " T "00000\n", k);
	buf_z(&b, "# EOF\n");
	for (int k = 1; k <= 4; k++)
		buf_printf(&b,
		    HEAD T "%02d000\nm05 2 " T "%02d000\nm03 3 " T
			   "%02d000\n# EOF\n",
		    k, k, k);
	buf_z(&b, HEAD T "10000\n");
	for (int k = 0; k < 100; k++)
		buf_printf(&b, "m%02d 1 " T "10000\n", k);
	buf_z(&b, "# EOF\n");
	help_append("sh", buf_cstr(&b));
	buf_add(&want, buf_str(&b));
	CHECK(help_is(help_select("sh"), buf_cstr(&want)));
	s = help_open("sh", STORE_READ);
	CHECK(store_info(s, &i, &e) == 0 && i.series == 100 &&
	    i.samples == 208 && i.batches == 6 && i.segments == 1 &&
	    i.days == 1);
	store_close(s);
	buf_fini(&b);
	buf_fini(&want);
}

static void
matchers(void)
{
	struct match m[2];
	struct error e;

	help_append("ma",
	    HEAD T "00000\nup{a=\"x\"} 1\nup{a=\"y\"} 2\ndown 3\n"
		   "# EOF\n# BATCH {} " T "00001\ndown 4\n# EOF\n");
	CHECK(match_init(&m[0], MATCH_EQ, LABEL_NAME, STR("up"), &e) == 0);
	CHECK(match_init(&m[1], MATCH_RE, STR("a"), STR("y|z"), &e) == 0);
	CHECK(help_is(help_range("ma", 0, INT64_MAX, m, 2),
	    HEAD T "00000\nup{a=\"y\"} 2 " T "00000\n# EOF\n"));
	CHECK(help_is(help_range("ma", 0, INT64_MAX, m, 1),
	    HEAD T "00000\nup{a=\"x\"} 1 " T "00000\nup{a=\"y\"} 2 " T
		   "00000\n# EOF\n"));
	match_fini(&m[0]);
	match_fini(&m[1]);
}

int
main(void)
{
	help_begin();
	round_trip();
	staleness();
	over_midnight();
	comments();
	two_writers();
	taken_away();
	same_time();
	out_of_order();
	refused();
	foreign();
	shrinking();
	matchers();
	help_end();
	return done();
}
