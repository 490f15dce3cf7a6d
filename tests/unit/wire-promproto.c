/*
 * wire/promproto: messages made here, field by field, and the text they become;
 * that text must read back as mf text.  Covers promproto.c, promproto_hist.c.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/varint.h"
#include "metric/expo.h"
#include "wire/promproto.h"

/* Messages under way: a stack, the last one is written to. */
static struct buf stack[8];
static int depth;
static struct buf page;

static struct buf *
top(void)
{
	return &stack[depth];
}

static void
open(void)
{
	buf_reset(&stack[++depth]);
}

static void
close(uint32_t number)
{
	depth--;
	pb_put_bytes(top(), number, buf_str(&stack[depth + 1]));
}

static void
text(uint32_t number, const char *s)
{
	pb_put_bytes(top(), number, str_of(s));
}

static void
label(const char *name, const char *value)
{
	open();
	text(1, name);
	text(2, value);
	close(1);
}

static void
family(const char *name, const char *help, uint64_t type)
{
	depth = 0;
	buf_reset(top());
	text(1, name);
	if (help != NULL)
		text(2, help);
	pb_put_number(top(), 3, type);
}

static void
end_family(void)
{
	varint_put(&page, stack[0].n);
	buf_add(&page, buf_str(&stack[0]));
}

static void
at(uint32_t number, int64_t s, int64_t ns)
{
	open();
	pb_put_number(top(), 1, (uint64_t)s);
	pb_put_number(top(), 2, (uint64_t)ns);
	close(number);
}

static void
exemplar(uint32_t number, const char *value, double v, int64_t t)
{
	open();
	label("trace_id", value);
	pb_put_double(top(), 2, v);
	if (t != 0)
		at(3, t, 500000000);
	close(number);
}

/* One metric of a value, in part (2 gauge, 3 counter, 5 untyped). */
static void
simple(const char *name, const char *value, uint32_t part, double v)
{
	open();
	if (name != NULL)
		label(name, value);
	open();
	pb_put_double(top(), 1, v);
	close(part);
	close(4);
}

static void
span(uint32_t number, int32_t offset, uint32_t length)
{
	open();
	pb_put_sint(top(), 1, offset);
	pb_put_number(top(), 2, length);
	close(number);
}

static void
bucket(uint64_t count, double le)
{
	open();
	pb_put_number(top(), 1, count);
	pb_put_double(top(), 2, le);
	close(3);
}

/* What page becomes; it is emptied. */
static bool
gives(unsigned how, const char *want)
{
	struct promproto *p = promproto_new(buf_str(&page), how);
	struct expo_reader *r = expo_new(EXPO_MF, 5);
	struct buf b = { 0 }, back = { 0 };
	struct expo_item it;
	struct error e = { "" };
	bool same;
	int k;

	while ((k = promproto_next(p, &b, &e)) == 1)
		;
	promproto_free(p);
	expo_feed(r, buf_str(&b));
	while (expo_next(r, &it, &e) == 1)
		expo_put_item(&back, &it);
	if (k == -1)
		buf_printf(&b, "! %s\n", e.msg);
	else
		CHECK(e.msg[0] == '\0');
	same = str_eq(buf_str(&b), str_of(want));
	if (!same)
		printf("# got\n%.*s# want\n%s", STR_ARG(buf_str(&b)), want);
	buf_reset(&page);
	buf_fini(&b);
	buf_fini(&back);
	expo_free(r);
	return same;
}

static void
types(void)
{
	family("a_total", "A \\ help\n# TYPE x gauge", 0);
	simple("l", "x\"y\\z\n# ALERT {} {} 1", 3, 5);
	open();
	label("l", "2");
	open();
	pb_put_double(top(), 1, 6);
	exemplar(2, "abc", 1.5, 1637582400);
	at(3, 1637580000, 999999999);
	close(3);
	pb_put_number(top(), 6, 1637582400123);
	close(4);
	end_family();
	family("g", NULL, 1);
	simple(NULL, NULL, 2, NAN);
	simple("my.label", "v", 2, -INFINITY);
	end_family();
	family("u.t", "h", 3);
	simple(NULL, NULL, 5, 1e300);
	simple("a", "", 5, 1);
	end_family();
	family("empty", "h", 1);
	end_family();
	CHECK(gives(0,
	    "# HELP a_total A \\\\ help\\n# TYPE x gauge\n"
	    "# TYPE a_total counter\n"
	    "a_total{l=\"x\\\"y\\\\z\\n# ALERT {} {} 1\"} 5\n"
	    "a_total{l=\"2\"} 6 1637582400123\n"
	    "# START a_total{l=\"2\"} 1637580000999 1637582400123\n"
	    "# EXEMPLAR a_total{l=\"2\"} {trace_id=\"abc\"} 1.5 "
	    "1637582400500\n"
	    "# TYPE g gauge\ng NaN\ng{\"my.label\"=\"v\"} -Inf\n"
	    "# HELP \"u.t\" h\n# TYPE \"u.t\" untyped\n"
	    "{\"u.t\"} 1e+300\n{\"u.t\",a=\"\"} 1\n"));
}

static void
summaries(void)
{
	family("s", NULL, 2);
	open();
	label("a", "b");
	open();
	pb_put_number(top(), 1, 10);
	pb_put_double(top(), 2, 2.5);
	for (int i = 0; i < 2; i++) {
		open();
		pb_put_double(top(), 1, i);
		pb_put_double(top(), 2, i + 0.5);
		close(3);
	}
	at(4, 5, 0);
	close(4);
	close(4);
	open(); /* a metric without its part */
	close(4);
	end_family();
	CHECK(gives(0,
	    "# TYPE s summary\n"
	    "s_count{a=\"b\"} 10\n# START s_count{a=\"b\"} 5000\n"
	    "s_sum{a=\"b\"} 2.5\n# START s_sum{a=\"b\"} 5000\n"
	    "s{a=\"b\",quantile=\"0.0\"} 0.5\n"
	    "s{a=\"b\",quantile=\"1.0\"} 1.5\n"
	    "s_count 0\ns_sum 0\n"));
}

/* A histogram in both forms. */
static void
both(uint64_t type, bool inf)
{
	family("h", NULL, type);
	open();
	open();
	pb_put_number(top(), 1, 3);
	pb_put_double(top(), 2, 4.5);
	bucket(1, 1);
	open();
	pb_put_number(top(), 1, 2);
	pb_put_double(top(), 2, 2);
	exemplar(3, "x", 1.5, 7);
	close(3);
	if (inf)
		bucket(3, INFINITY);
	pb_put_sint(top(), 5, 1);
	pb_put_double(top(), 6, 0.001);
	pb_put_number(top(), 7, 1);
	span(12, -1, 2);
	span(12, 2, 1);
	pb_put_sint(top(), 13, 1);
	pb_put_sint(top(), 13, -1);
	pb_put_sint(top(), 13, 1);
	close(7);
	close(4);
	end_family();
}

#define CLASSIC                                                                \
	"h_count 3\nh_sum 4.5\nh_bucket{le=\"1.0\"} 1\n"                       \
	"h_bucket{le=\"2.0\"} 2\n"                                             \
	"# EXEMPLAR h_bucket{le=\"2.0\"} {trace_id=\"x\"} 1.5 7500\n"          \
	"h_bucket{le=\"+Inf\"} 3\n"
#define NATIVE                                                                 \
	"# HIST h {count:3,sum:4.5,schema:1,zero_threshold:0.001,"             \
	"zero_count:1,positive_spans:[-1:1,3:1],positive_buckets:[1,1]"
#define OWN "# EXEMPLAR h {trace_id=\"x\"} 1.5 7500\n"
#define GAUGES                                                                 \
	"# TYPE h gauge\n# TYPE h_bucket gauge\n# TYPE h_count gauge\n"        \
	"# TYPE h_sum gauge\n# KIND h gaugehistogram\n"

static void
histograms(void)
{
	both(4, true);
	CHECK(gives(0, "# TYPE h histogram\n" CLASSIC));
	both(4, false);
	CHECK(gives(PROMPROTO_CLASSIC, "# TYPE h histogram\n" CLASSIC));
	both(4, true);
	CHECK(gives(PROMPROTO_NATIVE, "# TYPE h histogram\n" NATIVE "}\n" OWN));
	both(4, true);
	CHECK(gives(PROMPROTO_NATIVE | PROMPROTO_CLASSIC,
	    "# TYPE h histogram\n" NATIVE "}\n" OWN CLASSIC));
	both(5, true);
	CHECK(gives(0, GAUGES CLASSIC));
	both(5, true);
	CHECK(gives(PROMPROTO_NATIVE, GAUGES NATIVE ",hint:gauge}\n" OWN));
}

/* Floats, packed numbers, a schema too fine, exemplars of its own. */
static void
floats(void)
{
	struct buf packed = { 0 };

	for (int i = 0; i < 3; i++)
		buf_add(&packed, STR("\0\0\0\0\0\0\xf8\x3f")); /* 1.5 */
	family("f", NULL, 4);
	open();
	open();
	pb_put_double(top(), 4, 4.5);
	pb_put_double(top(), 2, NAN);
	pb_put_sint(top(), 5, 10);
	span(9, 1, 3);
	pb_put_bytes(top(), 11, buf_str(&packed));
	exemplar(16, "no time", 1, 0);
	exemplar(16, "time", 1, 9);
	at(15, 1, 0);
	close(7);
	close(4);
	open();
	label("i", "packed");
	open();
	pb_put_number(top(), 1, 5);
	span(12, 0, 3);
	pb_put_bytes(top(), 13, STR("\x02\x00\x04"));
	close(7);
	close(4);
	open(); /* no observation yet: a span says that it is native */
	label("i", "none");
	open();
	span(12, 0, 0);
	close(7);
	close(4);
	end_family();
	CHECK(gives(PROMPROTO_NATIVE,
	    "# TYPE f histogram\n"
	    "# HIST f {count:4.5,sum:NaN,schema:8,negative_spans:[1:1],"
	    "negative_buckets:[4.5]}\n# START f 1000\n"
	    "# EXEMPLAR f {trace_id=\"time\"} 1 9500\n"
	    "# HIST f{i=\"packed\"} {count:5,sum:0,schema:0,"
	    "positive_spans:[0:3],positive_buckets:[1,1,3]}\n"
	    "# HIST f{i=\"none\"} {count:0,sum:0,schema:0}\n"));
	buf_fini(&packed);
}

/* A unit is told if it is a word, and must end the name. */
static void
units(void)
{
	family("a_seconds_total", NULL, 0);
	text(5, "seconds");
	simple(NULL, NULL, 3, 1);
	end_family();
	family("b_x\n# STALE *", NULL, 1);
	text(5, "x\n# STALE *");
	simple(NULL, NULL, 2, 1);
	end_family();
	CHECK(gives(0,
	    "# TYPE a_seconds_total counter\n"
	    "# UNIT a_seconds_total seconds\na_seconds_total 1\n"
	    "# TYPE \"b_x\\n# STALE *\" gauge\n"
	    "{\"b_x\\n# STALE *\"} 1\n"));
	family("a", NULL, 1);
	text(5, "b");
	simple(NULL, NULL, 2, 1);
	end_family();
	CHECK(gives(0,
	    "! metric family a: unit 'b' is not a suffix of the metric's "
	    "name\n"));
}

/* Exemplars whose labels are too long are left out. */
static void
long_exemplar(void)
{
	char value[200];

	family("a_total", NULL, 0);
	for (int i = 120; i <= 121; i++) {
		memset(value, 'x', sizeof(value));
		value[i] = '\0';
		open();
		label("i", i == 120 ? "in" : "out");
		open();
		exemplar(2, value, 1, 0);
		close(3);
		close(4);
	}
	end_family();
	CHECK(gives(0,
	    "# TYPE a_total counter\na_total{i=\"in\"} 0\n"
	    "# EXEMPLAR a_total{i=\"in\"} {trace_id=\""
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "\"} 1\na_total{i=\"out\"} 0\n"));
}

/* The bits of the staleness marker from a target are a NaN like any other. */
static void
marker(void)
{
	family("a", NULL, 1);
	simple(NULL, NULL, 2, num_stale());
	end_family();
	CHECK(gives(0, "# TYPE a gauge\na NaN\n"));
}

static void
bad(const char *name, uint64_t type, const char *want)
{
	family(name, NULL, type);
	simple(NULL, NULL, 2, 1);
	end_family();
	CHECK(gives(0, want));
}

static void
faults(void)
{
	bad("", 1, "! invalid metric name ''\n");
	bad("\xff", 1, "! metric family \xff: invalid metric name '\xff'\n");
	bad("a", 6, "! metric family a: unknown metric type 6\n");
	family("a", "\xff", 1);
	simple(NULL, NULL, 2, 1);
	end_family();
	CHECK(gives(0, "! metric family a: invalid UTF-8 in a help text\n"));
	family("a", NULL, 1);
	simple("", "x", 2, 1);
	end_family();
	CHECK(gives(
	    0, "# TYPE a gauge\n! metric family a: invalid label name ''\n"));
	family("a", NULL, 1);
	simple("l", "\xff", 2, 1);
	end_family();
	CHECK(gives(0,
	    "# TYPE a gauge\n! metric family a: invalid UTF-8 in the value of "
	    "label l\n"));
	family("a", NULL, 1);
	pb_put_number(top(), 2, 1);
	end_family();
	CHECK(gives(
	    0, "! metric family a: protobuf: field 2 is of type 0, not 2\n"));
	family("h", NULL, 4);
	open();
	open();
	span(12, 0, 2);
	pb_put_sint(top(), 13, 1);
	close(7);
	close(4);
	end_family();
	CHECK(gives(PROMPROTO_NATIVE,
	    "# TYPE h histogram\n! metric family h: native histogram: "
	    "positive side: spans need 2 buckets, have 1\n"));
	buf_add(&page, STR("\x05\x0a"));
	CHECK(gives(0, "! protobuf: 5 bytes are announced, 1 are left\n"));
	buf_add(&page, STR("\x80"));
	CHECK(gives(0, "! protobuf: it ends in a number\n"));
	CHECK(gives(0, ""));
}

/* Cut anywhere, or with any byte changed, it ends, well or not. */
static void
torn(void)
{
	struct buf whole = { 0 }, b = { 0 };
	struct promproto *p;
	struct error e;
	size_t bad_ones = 0;

	both(5, true);
	buf_add(&whole, buf_str(&page));
	buf_reset(&page);
	for (size_t i = 0; i < 2 * whole.n; i++) {
		str s = str_take(buf_str(&whole), i);

		if (i >= whole.n) {
			whole.p[i - whole.n] ^= (char)0x55;
			s = buf_str(&whole);
		}
		buf_reset(&b);
		p = promproto_new(s, PROMPROTO_NATIVE | PROMPROTO_CLASSIC);
		for (int k = 1; k == 1;) {
			k = promproto_next(p, &b, &e);
			bad_ones += k == -1;
		}
		promproto_free(p);
		if (i >= whole.n)
			whole.p[i - whole.n] ^= (char)0x55;
	}
	CHECK(bad_ones >= whole.n - 1);
	buf_fini(&whole);
	buf_fini(&b);
}

/* A small page that would be a huge text is stopped. */
static void
swollen(void)
{
	struct buf name = { 0 }, b = { 0 };
	struct promproto *p;
	struct error e = { "" };
	size_t most = 0;
	int k;

	for (int i = 0; i < 1 << 20; i++)
		buf_byte(&name, 'x');
	depth = 0;
	buf_reset(top());
	pb_put_bytes(top(), 1, buf_str(&name));
	for (int i = 0; i < 400; i++)
		pb_put_bytes(top(), 4, STR_NONE);
	end_family();
	p = promproto_new(buf_str(&page), 0);
	while ((k = promproto_next(p, &b, &e)) == 1) {
		most = b.n > most ? b.n : most;
		buf_reset(&b);
	}
	CHECK(k == -1 && strstr(e.msg, "more than 256 MiB") != NULL);
	CHECK(most < 5 << 20);
	promproto_free(p);
	buf_fini(&name);
	buf_fini(&b);
}

/* More buckets than any histogram has. */
static void
crowded(void)
{
	struct buf list = { 0 }, h = { 0 }, m = { 0 }, b = { 0 };
	struct promproto *p;
	struct error e = { "" };

	for (int i = 0; i <= 1 << 20; i++)
		buf_byte(&list, '\0');
	pb_put_bytes(&h, 13, buf_str(&list));
	pb_put_bytes(&m, 7, buf_str(&h));
	depth = 0;
	buf_reset(&page);
	buf_reset(top());
	pb_put_bytes(top(), 1, STR("h"));
	pb_put_number(top(), 3, 4);
	pb_put_bytes(top(), 4, buf_str(&m));
	end_family();
	p = promproto_new(buf_str(&page), PROMPROTO_NATIVE);
	CHECK(promproto_next(p, &b, &e) == -1 &&
	    strstr(e.msg, "too many buckets") != NULL);
	promproto_free(p);
	buf_fini(&list);
	buf_fini(&h);
	buf_fini(&m);
	buf_fini(&b);
}

int
main(void)
{
	types();
	summaries();
	histograms();
	floats();
	units();
	long_exemplar();
	marker();
	faults();
	torn();
	swollen();
	crowded();
	for (size_t i = 0; i < sizeof(stack) / sizeof(*stack); i++)
		buf_fini(&stack[i]);
	buf_fini(&page);
	return done();
}
