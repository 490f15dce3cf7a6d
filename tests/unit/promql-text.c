/*
 * Expressions as text in other ways than print.c's one line: its pretty form,
 * tree.c's JSON, and the names of macro.c.
 */
#include "base/json.h"
#include "check.h"
#include "promql/promql.h"

static void
is(str got, const char *want)
{
	if (!str_eq(got, str_of(want)))
		printf("# wanted %s\n# got %.*s\n", want, STR_ARG(got));
	CHECK(str_eq(got, str_of(want)));
}

static void
pretty(const char *expr, const char *want)
{
	struct buf b = { 0 }, again = { 0 };
	struct promql_expr *x, *y;
	struct arena a = { 0 };
	struct error e;

	x = promql_parse_with(str_of(expr), PROMQL_EVERYTHING, &a, &e);
	CHECK(x != NULL);
	promql_print_pretty(&b, x);
	is(buf_str(&b), want);
	y = promql_parse_with(buf_str(&b), PROMQL_EVERYTHING, &a, &e);
	CHECK(y != NULL);
	if (y != NULL)
		promql_print_pretty(&again, y);
	is(buf_str(&again), want);
	promql_free(x);
	promql_free(y);
	buf_fini(&b);
	buf_fini(&again);
	arena_fini(&a);
}

#define LONG "a_name_of_more_than_fifty_bytes_which_makes_long_lines_long"

static void
test_pretty(void)
{
	pretty("sum(x)by(a)", "sum by (a) (x)");
	pretty("{b=\"1\",a!=\"2\",__name__=\"x\"}",
	    "{__name__=\"x\",a!=\"2\",b=\"1\"}");
	pretty(LONG "+on(a)group_left(b)fill(0)" LONG,
	    "  " LONG "\n+ on (a) group_left (b) fill (0)\n  " LONG);
	pretty("topk(3," LONG "{a=\"a label value that is a long one, too\"})",
	    "topk(\n  3,\n  " LONG
	    "{a=\"a label value that is a long one, too\"}\n)");
	pretty("sum without(a)((" LONG ">bool " LONG "))",
	    "sum without (a) (\n  (\n      " LONG "\n    > bool\n      " LONG
	    "\n  )\n)");
	pretty("-rate(" LONG "{a=\"a label value that is a long one\"}[5m])",
	    "-rate(\n  " LONG
	    "{a=\"a label value that is a long one\"}[5m]\n)");
	pretty("(" LONG "+" LONG ")[1h:5m]offset 5m",
	    "(\n    " LONG "\n  +\n    " LONG "\n)[1h:5m] offset 5m");
	pretty("Inf^" LONG "{a=\"a label value that is a long one, too\"}",
	    "  Inf\n^\n  " LONG
	    "{a=\"a label value that is a long one, too\"}");
}

static void
tree(const char *expr, const char *want)
{
	struct buf b = { 0 };
	struct promql_expr *x;
	struct json_writer w;
	struct arena a = { 0 };
	struct error e;

	x = promql_parse_with(str_of(expr), PROMQL_EVERYTHING, &a, &e);
	CHECK(x != NULL);
	json_init(&w, &b, false);
	promql_print_tree(&w, x);
	is(buf_str(&b), want);
	promql_free(x);
	buf_fini(&b);
	arena_fini(&a);
}

#define ONE "{\"type\":\"numberLiteral\",\"val\":\"1\"}"

static void
test_tree(void)
{
	tree("(-Inf)",
	    "{\"expr\":{\"type\":\"numberLiteral\",\"val\":\"-Inf\"},"
	    "\"type\":\"parenExpr\"}");
	tree("\"a\\\"b\"", "{\"type\":\"stringLiteral\",\"val\":\"a\\\"b\"}");
	tree("+x{a!~\"b\"} offset -1m @ end()",
	    "{\"expr\":{\"anchored\":false,\"matchers\":[{\"name\":\"a\","
	    "\"type\":\"!~\",\"value\":\"b\"},{\"name\":\"__name__\",\"type\":"
	    "\"=\",\"value\":\"x\"}],\"name\":\"x\",\"offset\":-60000,"
	    "\"smoothed\":false,\"startOrEnd\":\"end\",\"timestamp\":null,"
	    "\"type\":\"vectorSelector\"},\"op\":\"+\",\"type\":"
	    "\"unaryExpr\"}");
	tree("{\"x\"}[step()] anchored @ 1.5",
	    "{\"anchored\":true,\"matchers\":[{\"name\":\"__name__\",\"type\":"
	    "\"=\",\"value\":\"x\"}],\"name\":\"\",\"offset\":0,\"range\":0,"
	    "\"smoothed\":false,\"startOrEnd\":null,\"timestamp\":1500,"
	    "\"type\":\"matrixSelector\"}");
	tree("vector(1) unless on(a) vector(1)",
	    "{\"bool\":false,\"lhs\":{\"args\":[" ONE
	    "],\"func\":{\"argTypes\":[\"scalar\"],\"name\":\"vector\","
	    "\"returnType\":\"vector\",\"variadic\":0},\"type\":\"call\"},"
	    "\"matching\":{\"card\":\"many-to-many\",\"fillValues\":{\"lhs\":"
	    "null,\"rhs\":null},\"include\":[],\"labels\":[\"a\"],\"on\":true},"
	    "\"op\":\"unless\",\"rhs\":{\"args\":[" ONE
	    "],\"func\":{\"argTypes\":[\"scalar\"],\"name\":\"vector\","
	    "\"returnType\":\"vector\",\"variadic\":0},\"type\":\"call\"},"
	    "\"type\":\"binaryExpr\"}");
	tree("1 > bool 1",
	    "{\"bool\":true,\"lhs\":" ONE ",\"matching\":null,\"op\":\">\","
	    "\"rhs\":" ONE ",\"type\":\"binaryExpr\"}");
	tree("count_values(\"v\", x)",
	    "{\"expr\":{\"anchored\":false,\"matchers\":[{\"name\":"
	    "\"__name__\",\"type\":\"=\",\"value\":\"x\"}],\"name\":\"x\","
	    "\"offset\":0,\"smoothed\":false,\"startOrEnd\":null,"
	    "\"timestamp\":null,\"type\":\"vectorSelector\"},\"grouping\":[],"
	    "\"op\":\"count_values\",\"param\":{\"type\":\"stringLiteral\","
	    "\"val\":\"v\"},\"type\":\"aggregation\",\"without\":false}");
	tree("vector(1)[5m:1m] @ start()",
	    "{\"expr\":{\"args\":[" ONE
	    "],\"func\":{\"argTypes\":[\"scalar\"],\"name\":\"vector\","
	    "\"returnType\":\"vector\",\"variadic\":0},\"type\":\"call\"},"
	    "\"offset\":0,\"range\":300000,\"startOrEnd\":\"start\",\"step\":"
	    "60000,\"timestamp\":null,\"type\":\"subquery\"}");
}

static void
expand(const char *text, const char *want)
{
	static const struct promql_macro m[] = {
		{ STR_INIT("a"), STR_INIT("x") },
		{ STR_INIT("a"), STR_INIT("x + y") },
		{ STR_INIT("s"), STR_INIT("x{a=\"a\"}") },
		{ STR_INIT("w"), STR_INIT("5m") },
		{ STR_INIT("neg"), STR_INIT("-1") },
		{ STR_INIT("f"), STR_INIT("rate(x[1m])") },
		{ STR_INIT("off"), STR_INIT("x offset 1m") },
	};
	struct buf b = { 0 };
	struct error e;

	CHECK(promql_expand(&b, str_of(text), m, 7, 0, &e) == 0);
	is(buf_str(&b), want);
	buf_fini(&b);
}

static void
test_macros(void)
{
	expand("", "");
	expand("a", "(x + y)");
	expand("2*a-a # a", "2*(x + y)-(x + y) # a");
	expand("sum by (a) (a)", "sum by (a) ((x + y))");
	expand("sum(a) without(w,a)", "sum((x + y)) without(w,a)");
	expand("b * on(a) group_left(s) f",
	    "b * on(a) group_left(s) "
	    "rate(x[1m])");
	expand("{a=\"a\",s!=\"w\"} and a{b=\"c\"}",
	    "{a=\"a\",s!=\"w\"} and a{b=\"c\"}");
	expand("rate(s[w]) + max_over_time(f[2*w:w] offset w)",
	    "rate(x{a=\"a\"}[5m]) + max_over_time(rate(x[1m])[2*5m:5m] offset "
	    "5m)");
	expand("a(1) + f(neg)", "a(1) + f((-1))");
	expand("\"a\" + 'a' + off", "\"a\" + 'a' + (x offset 1m)");
	expand("a ) a", "(x + y) ) a");
	expand("a[", "(x + y)[");
}

int
main(void)
{
	test_pretty();
	test_tree();
	test_macros();
	return done();
}
