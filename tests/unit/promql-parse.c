/*
 * lex.c, parse*.c, check.c and print.c: tests/promql/parse.txt holds pairs of
 * lines, an expression and what it prints as or how it is refused.  What is
 * printed must read back as itself.  Covers parse_*.c
 * and feature.c.
 */
#include "base/file.h"
#include "check.h"
#include "promql/promql.h"

static void
parsed(str in, struct buf *out)
{
	struct promql_expr *x;
	struct arena a;
	struct error e;

	arena_init(&a);
	buf_reset(out);
	x = promql_parse_with(in, PROMQL_EVERYTHING, &a, &e);
	if (x == NULL)
		buf_z(out, e.msg);
	else
		promql_print(out, x);
	promql_free(x);
	arena_fini(&a);
}

static void
test_pair(str in, str want)
{
	struct buf out = { 0 }, again = { 0 };
	bool refused = str_find(want, STR(": parse error: ")) < want.n;

	parsed(in, &out);
	if (!str_eq(buf_str(&out), want))
		printf("# %.*s: %s\n", STR_ARG(in), buf_cstr(&out));
	CHECK(str_eq(buf_str(&out), want));
	if (!refused) {
		parsed(buf_str(&out), &again);
		CHECK(str_eq(buf_str(&out), buf_str(&again)));
	}
	buf_fini(&out);
	buf_fini(&again);
}

static void
test_file(void)
{
	struct buf b = { 0 };
	struct error e;
	str text, in;
	size_t n = 0;

	CHECK(file_read("tests/promql/parse.txt", &b, &e) == 0);
	text = buf_str(&b);
	while (text.n > 0) {
		in = str_cut(&text, '\n');
		if (in.n == 0)
			continue;
		test_pair(in, str_cut(&text, '\n'));
		n++;
	}
	CHECK(n > 150);
	buf_fini(&b);
}

static void
test_odd_input(void)
{
	static const char nul[] = "a\0b", bad[] = "{\"\xff\"}";
	struct buf out = { 0 }, deep = { 0 };

	parsed(STR(""), &out);
	CHECK_STR(
	    buf_str(&out), "1:1: parse error: no expression found in input");
	parsed(STR("  # nothing"), &out);
	CHECK_STR(
	    buf_str(&out), "1:1: parse error: no expression found in input");
	parsed(STR("a\n+ b +"), &out);
	CHECK_STR(buf_str(&out), "2:6: parse error: unexpected end of input");
	parsed(STR("sum(\n\tx # y\n)"), &out);
	CHECK_STR(buf_str(&out), "sum(x)");
	parsed((str){ nul, 3 }, &out);
	CHECK_STR(
	    buf_str(&out), "1:2: parse error: unexpected character: '\\x00'");
	parsed(str_of(bad), &out);
	CHECK_STR(buf_str(&out), "1:2: parse error: invalid UTF-8 rune");
	/* Whatever is nested is refused before the stack is used up. */
	for (int i = 0; i < 100000; i++)
		buf_byte(&deep, '(');
	parsed(buf_str(&deep), &out);
	CHECK(str_ends(buf_str(&out), STR("nested too deeply")));
	buf_reset(&deep);
	buf_z(&deep, "1");
	for (int i = 0; i < 100000; i++)
		buf_z(&deep, "+1");
	parsed(buf_str(&deep), &out);
	CHECK(str_ends(buf_str(&out), STR("nested too deeply")));
	buf_reset(&deep);
	for (int i = 0; i < 100000; i++)
		buf_byte(&deep, '-');
	parsed(buf_str(&deep), &out);
	CHECK(str_ends(buf_str(&out), STR("nested too deeply")));
	buf_reset(&deep);
	buf_z(&deep, "x[");
	for (int i = 0; i < 100000; i++)
		buf_z(&deep, "min_of(");
	parsed(buf_str(&deep), &out);
	CHECK(str_ends(buf_str(&out), STR("nested too deeply")));
	buf_fini(&deep);
	buf_fini(&out);
}

static void
reach(const char *expr, bool bounded, int64_t back, int64_t ahead)
{
	struct promql_expr *x;
	struct arena a;
	struct error e;
	int64_t b, f;

	arena_init(&a);
	x = promql_parse(str_of(expr), &a, &e);
	CHECK(x != NULL);
	if (x != NULL) {
		CHECK(promql_reach(x, 300000, &b, &f) == bounded);
		CHECK(!bounded || (b == back && f == ahead));
	}
	promql_free(x);
	arena_fini(&a);
}

static void
test_reach(void)
{
	reach("1 + time()", true, 0, 0);
	reach("up", true, 300000, 0);
	reach("rate(up[10m])", true, 900000, 0);
	reach("up offset 1h", true, 3900000, 0);
	reach("up offset -1h", true, 0, 3600000);
	reach("max_over_time(rate(up[5m])[1h:1m] offset 10m)", true,
	    300000 + 300000 + 3600000 + 600000, 0);
	reach("up + sum(up offset 1m)", true, 360000, 0);
	reach("up @ 5", false, 0, 0);
	reach("rate(up[step() * 2])", false, 0, 0);
}

static void
test_matchers(void)
{
	struct arena a;
	struct error e;
	struct match *m;
	size_t n;

	arena_init(&a);
	CHECK(promql_parse_matchers(
		  STR("up{job=\"x\",i!~\"a.*\"}"), &a, &m, &n, &e) == 0);
	CHECK(n == 3);
	CHECK(m[0].op == MATCH_EQ && m[1].op == MATCH_NRE);
	CHECK_STR(m[2].value, "up");
	for (size_t i = 0; i < n; i++)
		match_fini(&m[i]);
	CHECK(promql_parse_matchers(STR("rate(up[5m])"), &a, &m, &n, &e) == -1);
	CHECK(promql_parse_matchers(STR("up + 1"), &a, &m, &n, &e) == -1);
	CHECK(promql_parse_matchers(STR("{a=~\".*\"}"), &a, &m, &n, &e) == -1);
	CHECK(promql_parse_matchers(STR("up offset 5m"), &a, &m, &n, &e) == -1);
	arena_fini(&a);
}

static void
test_types(void)
{
	static const struct {
		const char *expr, *type;
		bool selects;
	} cases[] = {
		{ "1", "scalar", false },
		{ "\"a\"", "string", false },
		{ "vector(1)", "vector", false },
		{ "up", "vector", true },
		{ "up[5m]", "matrix", true },
		{ "1 + (2)", "scalar", false },
		{ "-up > bool 1", "vector", true },
		{ "time() + scalar(up)", "scalar", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct arena a;
		struct error e;
		struct promql_expr *x;

		arena_init(&a);
		x = promql_parse(str_of(cases[i].expr), &a, &e);
		CHECK(x != NULL);
		if (x != NULL) {
			CHECK(strcmp(promql_type_text(promql_type(x)),
				  cases[i].type) == 0);
			CHECK(promql_selects(x) == cases[i].selects);
		}
		promql_free(x);
		arena_fini(&a);
	}
}

/* What needs a feature says so without it, and is taken with it. */
static void
test_features(void)
{
	static const char aggregation[] = "1:5: parse error: limitk() is "
					  "experimental and must be enabled "
					  "with --enable-feature=promql-"
					  "experimental-functions";
	static const struct {
		const char *expr, *feature, *refusal;
	} cases[] = {
		{ "1 + info(x)", "promql-experimental-functions",
		    "1:5: parse error: function \"info\" is not enabled" },
		{ "sum(limitk(2, x))", "promql-experimental-functions",
		    aggregation },
		{ "rate(x[5m] smoothed)", "promql-extended-range-selectors",
		    "1:6: parse error: smoothed modifier is experimental and "
		    "not enabled" },
		{ "rate(x[5m] anchored)", " promql-extended-range-selectors",
		    "1:6: parse error: anchored modifier is experimental and "
		    "not enabled" },
		{ "a + fill(1) b", "promql-binop-fill-modifiers",
		    "1:5: parse error: binop fill modifiers are experimental "
		    "and not enabled" },
		{ "start_timestamp(x)",
		    "old-ui,promql-experimental-functions,use-start-timestamps",
		    "1:1: parse error: function \"start_timestamp\" is not "
		    "enabled" },
	};
	struct error e;
	unsigned f = 0;

	CHECK(promql_features(STR("st-storage,nope"), &f, &e) == -1);
	CHECK(strcmp(e.msg, "unknown feature 'nope'") == 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct promql_expr *x;
		struct arena a;

		f = 0;
		arena_init(&a);
		x = promql_parse(str_of(cases[i].expr), &a, &e);
		CHECK(x == NULL && strcmp(e.msg, cases[i].refusal) == 0);
		CHECK(promql_features(str_of(cases[i].feature), &f, &e) == 0);
		x = promql_parse_with(str_of(cases[i].expr), f, &a, &e);
		CHECK(x != NULL);
		promql_free(x);
		arena_fini(&a);
	}
}

int
main(void)
{
	test_file();
	test_features();
	test_odd_input();
	test_reach();
	test_matchers();
	test_types();
	return done();
}
