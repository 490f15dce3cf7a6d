/*
 * metric/expo by data: every tests/data/expo/NAME.{mf,page,om} is read in that
 * form, twice by one reader (the second time by remembered keys), and once more
 * in pieces; each line's item printed as the stream has it, or "! " and the
 * message, must be NAME.EXT.out.  Covers expo_*.c and scan.c.
 */
#include <glob.h>
#include <malloc.h>
#include <stdlib.h>

#include "check.h"

#include "base/file.h"
#include "base/num.h"
#include "metric/expo_reader.h"

static void
drain(struct expo_reader *r, struct buf *b)
{
	struct expo_item i;
	struct error e;
	int k;

	while ((k = expo_next(r, &i, &e)) != 0) {
		if (k == 1)
			expo_put_item(b, &i);
		else
			buf_printf(b, "! %s\n", e.msg);
	}
}

static void
read_all(struct expo_reader *r, str in, size_t piece, struct buf *b)
{
	struct error e;
	size_t n;
	const char *nl;

	while (in.n > 0) {
		n = piece < in.n ? piece : in.n;
		nl = memchr(in.p + n - 1, '\n', in.n - n + 1);
		n = nl == NULL ? in.n : (size_t)(nl + 1 - in.p);
		expo_feed(r, str_take(in, n));
		drain(r, b);
		in = str_skip(in, n);
	}
	if (expo_end(r, &e) == -1)
		buf_printf(b, "! %s\n", e.msg);
}

static bool
same(const char *path, const char *how, str got, str want)
{
	if (str_eq(got, want))
		return true;
	printf("# %s, %s:\n# got\n%.*s# want\n%.*s", path, how, STR_ARG(got),
	    STR_ARG(want));
	return false;
}

static void
file(const char *path)
{
	const char *dot = strrchr(path, '.');
	enum expo_form form = strcmp(dot, ".om") == 0 ? EXPO_OM
	    : strcmp(dot, ".mf") == 0                 ? EXPO_MF
						      : EXPO_PAGE;
	struct expo_reader *r = expo_new(form, 1000);
	struct buf in = { 0 }, want = { 0 }, got = { 0 };
	struct error e;
	char out[512];

	(void)snprintf(out, sizeof(out), "%s.out", path);
	CHECK(file_read(path, &in, &e) == 0);
	CHECK(file_read(out, &want, &e) == 0);
	read_all(r, buf_str(&in), in.n, &got);
	CHECK(same(path, "first", buf_str(&got), buf_str(&want)));
	for (int pass = 0; pass < 3; pass++) {
		expo_rewind(r);
		buf_reset(&got);
		read_all(r, buf_str(&in), pass == 2 ? 1 : in.n, &got);
		CHECK(same(path, "again", buf_str(&got), buf_str(&want)));
	}
	expo_free(r);
	buf_fini(&in);
	buf_fini(&want);
	buf_fini(&got);
}

/* What is printed reads back as it was. */
static void
round_trip(void)
{
	struct expo_reader *r = expo_new(EXPO_MF, 0);
	struct buf in = { 0 }, a = { 0 }, b = { 0 };
	struct error e;

	CHECK(file_read("tests/data/expo/all.mf", &in, &e) == 0);
	expo_feed(r, buf_str(&in));
	drain(r, &a);
	expo_feed(r, buf_str(&a));
	drain(r, &b);
	CHECK(a.n > 0 && str_eq(buf_str(&a), buf_str(&b)));
	expo_free(r);
	buf_fini(&in);
	buf_fini(&a);
	buf_fini(&b);
}

/* Read text; the labels of each sample printed behind its mark's number. */
static void
marks(struct expo_reader *r, const char *text, struct buf *b, size_t *next)
{
	struct expo_item i;

	expo_feed(r, str_of(text));
	while (expo_next(r, &i, NULL) == 1) {
		if (i.kind != EXPO_SAMPLE)
			continue;
		if (i.mark == NULL) {
			buf_z(b, "- ");
			continue;
		}
		if (*i.mark == 0)
			*i.mark = ++*next;
		label_print(b, i.labels);
		buf_printf(b, "=%zu ", *i.mark);
	}
}

/* The marks of the remembered series of the plain source, in order. */
static str
order(const struct expo_reader *r)
{
	static struct buf b;
	size_t n = 0;

	buf_reset(&b);
	for (const struct expo_seen *k = r->memory.plain->first; k != NULL;
	     k = k->next, n++)
		buf_printf(&b, "%zu ", k->mark);
	CHECK(n == r->memory.plain->n);
	return buf_str(&b);
}

static void
remembered(void)
{
	struct expo_reader *r = expo_new(EXPO_PAGE, 0);
	struct buf b = { 0 };
	size_t n = 0;

	/* nothing is taken down in a first pass */
	for (int i = 0; i < 2; i++) {
		expo_rewind(r);
		marks(r, "a 1\nb{x=\"1\"} 2\nb{x=\"2\"} 3\nc 1\nd 1\n", &b, &n);
	}
	CHECK_STR(
	    buf_str(&b), "- - - - - a=1 b{x=\"1\"}=2 b{x=\"2\"}=3 c=4 d=5 ");
	/* one gone, one new, one of another number's form, two swapped */
	buf_reset(&b);
	expo_rewind(r);
	marks(r, "a 1e300\nb{x=\"2\"} 7 99\nn 1\nd NaN\nc 0x\nc 1\na 4\n", &b,
	    &n);
	CHECK_STR(buf_str(&b), "a=1 b{x=\"2\"}=3 n=6 d=5 ");
	buf_reset(&b);
	expo_rewind(r);
	marks(r, "c 1\na 1\nd 5\nn 5\n", &b, &n);
	CHECK_STR(buf_str(&b), "c=4 a=1 d=5 n=6 ");
	CHECK_STR(order(r), "1 2 3 6 4 5 ");
	/* a new one in front, one in the middle and one at the end */
	buf_reset(&b);
	expo_rewind(r);
	marks(r, "f 1\na 1\ng 1\nb{x=\"1\"} 1\nd 1\nh 1\n", &b, &n);
	CHECK_STR(order(r), "7 1 8 2 3 6 4 5 9 ");
	expo_free(r);

	/* every batch's labels have a memory of their own */
	r = expo_new(EXPO_MF, 0);
	n = 0;
	buf_reset(&b);
	for (int i = 0; i < 3; i++)
		marks(r,
		    "# BATCH {i=\"1\"} 1\na 1\nb 1\n# EOF\n"
		    "# BATCH {i=\"2\"} 1\na 1\nb 1\n# EOF\n",
		    &b, &n);
	CHECK_STR(buf_str(&b), "- - - - a=1 b=2 a=3 b=4 a=1 b=2 a=3 b=4 ");
	/* a dump in time order, and one by series */
	buf_reset(&b);
	marks(r, "x 1 1\ny 1 1\nx 2 2\ny 2 2\ny 3 3\ny 4 4\n", &b, &n);
	CHECK_STR(buf_str(&b), "- - x=5 y=6 y=6 y=6 ");
	expo_free(r);
	r = expo_new(EXPO_MF, 0);
	n = 0;
	buf_reset(&b);
	marks(r, "x 1 1\nx 2 2\nx 3 3\ny 1 1\ny 2 2\nx 4 4\nx 5 5\n", &b, &n);
	CHECK_STR(buf_str(&b), "- x=1 x=1 - y=2 x=1 x=1 ");
	expo_free(r);
	buf_fini(&b);
}

/* Metadata that stands where it stood is the same item, with a mark. */
static void
metadata_again(void)
{
	static const char *const pages[] = {
		("# HELP h Of \\ it.\n# TYPE h histogram\nh_bucket{le=\"1\"} "
		 "1\n"
		 "# HELP g Of g.\n#  TYPE  g gauge\ng{le=\"1\"} 1\n# x\n"
		 "#\tTYPE g gauge\ng{le=\"1\"} 2\n"),
		/* a TYPE has gone, a text is another one */
		("# HELP h Of h.\nh_bucket{le=\"1\"} 1\n# HELP g Of g.\n"
		 "#  TYPE  g gauge\ng{le=\"1\"} 1\n"),
		"# TYPE h histogram\n# HELP g Of g.\ng{le=\"1\"} 1\n",
	};
	static const int order[] = { 0, 0, 0, 1, 1, 0, 2, 0, 2, 2 };
	struct expo_reader *known = expo_new(EXPO_PAGE, 0), *r;
	struct expo_item i;
	struct buf a = { 0 }, b = { 0 };
	size_t marks = 0;

	for (size_t k = 0; k < sizeof(order) / sizeof(*order); k++) {
		buf_reset(&a);
		buf_reset(&b);
		r = expo_new(EXPO_PAGE, 0);
		expo_feed(r, str_of(pages[order[k]]));
		while (expo_next(r, &i, NULL) == 1)
			expo_put_item(&a, &i);
		expo_free(r);
		expo_rewind(known);
		expo_feed(known, str_of(pages[order[k]]));
		while (expo_next(known, &i, NULL) == 1) {
			expo_put_item(&b, &i);
			marks += i.mark != NULL && i.kind != EXPO_SAMPLE;
		}
		CHECK(str_eq(buf_str(&a), buf_str(&b)));
	}
	CHECK(marks > 20);
	expo_free(known);
	buf_fini(&a);
	buf_fini(&b);
}

/* Many series that differ in a digit or two, in an order not expected. */
static void
alike(void)
{
	struct expo_reader *r = expo_new(EXPO_PAGE, 0);
	const size_t n = 20000;
	struct expo_item i;
	struct buf b = { 0 }, got = { 0 }, want = { 0 };
	size_t bad = 0, seen = 0;

	for (size_t pass = 0; pass < 4; pass++) {
		buf_reset(&b);
		for (size_t k = 0; k < n; k++) {
			size_t id = (k * (pass < 2 ? 1 : 7919 * pass)) % n;

			buf_printf(&b, "m{a=\"%03zu\",b=\"%03zu\"} %zu\n",
			    id / 200, id % 200, id);
		}
		expo_rewind(r);
		expo_feed(r, buf_str(&b));
		while (expo_next(r, &i, NULL) == 1) {
			size_t id = (size_t)i.v;

			buf_reset(&want);
			buf_printf(&want, "m{a=\"%03zu\",b=\"%03zu\"}",
			    id / 200, id % 200);
			buf_reset(&got);
			label_print(&got, i.labels);
			bad += !str_eq(buf_str(&got), buf_str(&want));
			seen += i.mark != NULL;
			if (i.mark != NULL && *i.mark == 0)
				*i.mark = id + 1;
			bad += i.mark != NULL && *i.mark != id + 1;
		}
	}
	CHECK(bad == 0 && seen == 3 * n);
	expo_free(r);
	buf_fini(&b);
	buf_fini(&got);
	buf_fini(&want);
}

/* Without labels for those that the consumer has marked. */
static void
lean(void)
{
	struct expo_reader *r = expo_new(EXPO_PAGE, 0);
	const str page = STR("a{x=\"1\"} 1\nb{x=\"\\\\\"} 2\nc 3 9\nd x\n");
	struct expo_item i;
	struct error e;
	size_t n, bad = 0, labels = 0;
	int rc;

	expo_lean(r);
	for (int pass = 0; pass < 5; pass++) {
		expo_rewind(r);
		expo_feed(r, page);
		for (n = 0; (rc = expo_next(r, &i, &e)) != 0;) {
			if (rc == -1) {
				bad++;
				continue;
			}
			n++;
			labels += i.labels.n;
			CHECK(i.v == (double)n && i.has_t == (n == 3));
			if (i.mark == NULL)
				continue;
			CHECK(*i.mark == 0 || i.labels.n == 0);
			CHECK(*i.mark != 0 || i.labels.n == (n < 3 ? 2 : 1));
			/* the second waits a pass */
			if (n != 2 || pass > 1)
				*i.mark = n;
			CHECK(*i.mark == (n != 2 || pass > 1 ? n : 0));
		}
	}
	/* passes 0 and 1 give all five, pass 2 the second's again */
	CHECK(bad == 5 && labels == 5 + 5 + 2);
	CHECK(r->memory.plain->labels.blocks == NULL);
	expo_free(r);
}

/* Values as they stand, where they are what would be printed. */
static void
verbatim(void)
{
	struct expo_reader *r = expo_new(EXPO_PAGE, 0);
	const str page = STR("a 17\nb 0.25 9\nc 1e3\nd NaN\ne 2.50\nf 1.5 x\n"
			     "g{h=\"i\"} -0\n");
	static const char *const text[] = { "17", "0.25", "", "", "", "-0" };
	struct expo_item i;
	struct error e;
	size_t n, bad = 0;
	int rc;

	expo_lean(r);
	expo_verbatim(r);
	for (int pass = 0; pass < 4; pass++) {
		expo_rewind(r);
		expo_feed(r, page);
		for (n = 0; (rc = expo_next(r, &i, &e)) != 0; n += rc == 1) {
			if (rc == -1) {
				bad++;
				continue;
			}
			CHECK(str_eq(i.text, str_of(pass > 1 ? text[n] : "")));
			CHECK(i.text.n > 0 || n != 2 || i.v == 1000);
			CHECK(i.text.n > 0 || n != 4 || i.v == 2.5);
			CHECK(n != 3 || num_bits(i.v) == NUM_NAN_BITS);
			CHECK(i.has_t == (n == 1));
			if (i.mark != NULL)
				*i.mark = 1;
		}
		CHECK(n == 6);
	}
	CHECK(bad == 4);
	expo_free(r);
}

/* A target whose series change all the time is forgotten in the end. */
static void
churn(void)
{
	struct expo_reader *r = expo_new(EXPO_PAGE, 0);
	struct buf b = { 0 };
	struct expo_item i;
	size_t n = 0;

	for (int pass = 0; pass < 50; pass++) {
		buf_reset(&b);
		for (int k = 0; k < 200; k++)
			buf_printf(&b, "m{pod=\"%d-%d\"} %d\n", pass, k, k);
		expo_rewind(r);
		expo_feed(r, buf_str(&b));
		while (expo_next(r, &i, NULL) == 1)
			n += i.v >= 0 && i.labels.n == 2;
	}
	CHECK(n == 50 * 200);
	CHECK(r->memory.plain->n > 200 && r->memory.plain->n < 2000);
	expo_free(r);
	buf_fini(&b);
}

/* Too much held: all is forgotten where a pass begins, and learnt again. */
static void
bounded(void)
{
	struct expo_reader *r = expo_new(EXPO_MF, 0);
	struct buf b = { 0 };
	struct expo_item i;
	size_t marks = 0, sum = 0, most = 0;

	r->memory.max = 20000;
	for (int round = 0; round < 40; round++) {
		buf_reset(&b);
		for (int t = 0; t < 5; t++) {
			buf_printf(&b, "# BATCH {i=\"%d\"} 1\n", t);
			for (int k = 0; k < 20 + round; k++)
				buf_printf(&b, "m{a=\"\\\\%d\"} %d\n", k, k);
			buf_z(&b, "# EOF\nplain 1\n");
		}
		expo_feed(r, buf_str(&b));
		while (expo_next(r, &i, NULL) == 1) {
			if (i.kind != EXPO_SAMPLE)
				continue;
			marks += i.mark != NULL;
			sum += i.labels.n;
		}
		most = r->memory.bytes > most ? r->memory.bytes : most;
	}
	CHECK(sum == 5 * (2 * (20 * 40 + 39 * 20) + 40));
	CHECK(marks > 1000 && most < 40000);

	/* sources that never come again go, too */
	marks = 0;
	for (int t = 0; t < 2000; t++) {
		buf_reset(&b);
		buf_printf(&b, "# BATCH {once=\"%d\"} 1\na 1\n# EOF\n", t);
		expo_feed(r, buf_str(&b));
		while (expo_next(r, &i, NULL) == 1)
			marks += i.mark != NULL;
	}
	CHECK(marks == 0 && r->memory.sources.n < 200);
	CHECK(r->memory.bytes < 40000);
	expo_free(r);

	/* even with room; those that do come again stay */
	r = expo_new(EXPO_MF, 0);
	for (int t = 0; t < 10000; t++) {
		buf_reset(&b);
		buf_printf(&b,
		    "# BATCH {once=\"%d\"} 1\na 1\n# EOF\n"
		    "# BATCH {often=\"%d\"} 1\nb 1\n# EOF\n",
		    t, t % 50);
		expo_feed(r, buf_str(&b));
		while (expo_next(r, &i, NULL) == 1)
			marks += i.mark != NULL;
	}
	CHECK(marks == 10000 - 50 && r->memory.sources.n < 3000);
	CHECK(r->memory.bytes < 1000000);
	expo_free(r);
	buf_fini(&b);
}

static void
times(void)
{
	struct expo_reader *r = expo_new(EXPO_MF, 5);
	struct expo_item i;

	expo_feed(r, STR("a 1\n# BATCH {} 9 k=v q=\"x y\"\na 1\n# EOF\na 1"));
	CHECK(expo_next(r, &i, NULL) == 1 && i.t == 5 && !i.has_t);
	expo_set_time(r, 6);
	CHECK(expo_next(r, &i, NULL) == 1 && i.kind == EXPO_BATCH);
	CHECK_STR(expo_key(&i, STR("k")), "v");
	CHECK_STR(expo_key(&i, STR("q")), "x y");
	CHECK_STR(expo_key(&i, STR("none")), "");
	expo_set_time(r, 7);
	CHECK(expo_next(r, &i, NULL) == 1 && i.t == 9);
	CHECK(expo_next(r, &i, NULL) == 1 && i.kind == EXPO_EOF);
	CHECK(expo_next(r, &i, NULL) == 1 && i.t == 7 && i.line == 5);
	CHECK(expo_next(r, &i, NULL) == 0);
	expo_free(r);
	expo_free(NULL);
}

/* What one line needed is given back at the next. */
static void
steady(void)
{
	struct expo_reader *r = expo_new(EXPO_PAGE, 0);
	struct expo_item i;
	struct buf b = { 0 };
	size_t before = 0, n = 0;

	for (int k = 0; k < 3000; k++) {
		buf_reset(&b);
		buf_printf(&b, "# HELP m \\\\ %d\nm{a=\"\\\\%d", k, k);
		for (int j = 0; j < 1000; j++)
			buf_byte(&b, 'x');
		buf_z(&b, "\"} 1\n");
		expo_feed(r, buf_str(&b));
		while (expo_next(r, &i, NULL) == 1)
			n++;
		if (k == 100)
			before = mallinfo2().uordblks + mallinfo2().hblkhd;
	}
	CHECK(n == 6000);
	CHECK(mallinfo2().uordblks + mallinfo2().hblkhd < before + 100000);
	expo_free(r);
	buf_fini(&b);
}

/* A new page knows nothing of the types of the one before. */
static void
rewound(void)
{
	struct expo_reader *r = expo_new(EXPO_PAGE, 0);
	struct buf b = { 0 };

	expo_feed(r, STR("# TYPE h histogram\nh_bucket{le=\"1\"} 1\n"));
	drain(r, &b);
	expo_rewind(r);
	expo_feed(r, STR("h_bucket{le=\"1\"} 1\nx y\n"));
	drain(r, &b);
	CHECK_STR(buf_str(&b),
	    "# TYPE h histogram\nh_bucket{le=\"1.0\"} 1 0\n"
	    "h_bucket{le=\"1\"} 1 0\n! 2:3: bad value 'y'\n");
	expo_free(r);
	buf_fini(&b);
}

/* The short way to a number is the long one, bit for bit. */
static void
numbers(void)
{
	static const char *const text[] = { "0", "-0", "1", "1.5", "123456789",
		"999999999999999", "9999999999999999", "0.1", "-.5", "5.",
		"1.637582400123e+09", "1e22", "1e-22", "1e23", "123.456e-5",
		"1.7976931348623157e+308", "5e-324", "1e05", "1e5", "12e+22",
		"0.000001", "100000000000000000000", "1e+10" };
	struct expo_reader *r = expo_new(EXPO_PAGE, 0);
	struct expo_item i;
	struct buf b = { 0 };
	double want;

	for (size_t k = 0; k < sizeof(text) / sizeof(*text); k++) {
		buf_reset(&b);
		buf_printf(&b, "m %s\n", text[k]);
		for (int pass = 0; pass < 2; pass++) {
			expo_rewind(r);
			expo_feed(r, buf_str(&b));
			CHECK(expo_next(r, &i, NULL) == 1 &&
			    num_parse(str_of(text[k]), &want) == 0 &&
			    num_bits(want) == num_bits(i.v));
		}
	}
	expo_free(r);
	buf_fini(&b);
}

static void
writer(void)
{
	struct buf b = { 0 };
	struct label v[] = { { LABEL_NAME, STR("m") },
		{ STR("a"), STR("x\"\\\n") } };
	struct labels ls = { v, 2 };
	struct expo_key k[] = { { STR("state"), STR("firing"), false },
		{ STR("error"), STR("a b"), false } };

	expo_put_sample(&b, ls, num_stale(), 5);
	expo_put_sample_now(&b, ls, num_stale());
	expo_put_sample_now(&b, ls, 1);
	expo_put_batch(&b, (struct labels){ v + 1, 1 }, 7, k, 2);
	expo_put_help(&b, STR("my.m"), STR("a\\b\nc"));
	expo_put_help(&b, STR("m"), STR(""));
	CHECK_STR(buf_str(&b),
	    "# STALE m{a=\"x\\\"\\\\\\n\"} 5\n"
	    "# STALE m{a=\"x\\\"\\\\\\n\"}\n"
	    "m{a=\"x\\\"\\\\\\n\"} 1\n"
	    "# BATCH {a=\"x\\\"\\\\\\n\"} 7 state=firing error=\"a b\"\n"
	    "# HELP \"my.m\" a\\\\b\\nc\n"
	    "# HELP m\n");
	buf_fini(&b);
}

int
main(void)
{
	glob_t g = { 0 };

	CHECK(glob("tests/data/expo/*.[mpo][fam]*", 0, NULL, &g) == 0);
	for (size_t i = 0; i < g.gl_pathc; i++)
		if (!str_ends(str_of(g.gl_pathv[i]), STR(".out")))
			file(g.gl_pathv[i]);
	globfree(&g);
	round_trip();
	remembered();
	metadata_again();
	alike();
	lean();
	verbatim();
	churn();
	bounded();
	times();
	steady();
	rewound();
	numbers();
	writer();
	return done();
}
