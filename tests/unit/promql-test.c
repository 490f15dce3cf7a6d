/*
 * The test language itself: what is no part of it is told with its place, and
 * what fails is told as a diff.  Covers test.c and test_*.c; that tests pass
 * is promql-eval.c's part.
 */
#include <stdio.h>

#include "base/buf.h"
#include "check.h"
#include "promql/promql.h"

static void
each(void *arg, size_t line, str head, bool ok, str why)
{
	(void)head;
	buf_printf(arg, "%zu %s\n", line, ok ? "ok" : "failed");
	buf_add(arg, why);
}

static void
fault(void *arg, size_t line, size_t col, const char *msg)
{
	buf_printf(arg, "%zu:%zu: %s\n", line, col, msg);
}

static void
expect(const char *text, const char *want)
{
	struct buf out = { 0 };
	struct promql_test t = { .each = each, .fault = fault, .arg = &out };

	promql_test(&t, str_of(text));
	if (!str_eq(buf_str(&out), str_of(want)))
		printf("# %s\n# gave: %s\n", text, buf_cstr(&out));
	CHECK(str_eq(buf_str(&out), str_of(want)));
	buf_fini(&out);
}

#define DATA "load 1m\n  x{i=\"0\"} 0+1x10\n  x{i=\"1\"} 5x10\n\n"

static void
test_faults(void)
{
	expect("", "");
	expect("# nothing\n\nclear\n", "");
	expect("launch 5m\n x 1\n\n", "1:1: unknown command 'launch'\n");
	expect("  load\n", "1:7: empty duration string\n");
	expect("load 5x\n x 1", "1:6: unknown unit \"x\" in duration \"5x\"\n");
	expect(
	    "load 0s\n x 1", "1:6: load takes one duration greater than 0\n");
	expect("load 1m 2m", "1:6: load takes one duration greater than 0\n");
	expect("load 500y\n x 1", "1:6: duration out of range\n");
	expect("load 100y\n x 1", "1:6: the step is too long\n");
	expect("load 1m\n x 1 2 z", "2:8: a value is wanted\n");
	expect("load 1m\n x 1x", "2:5: a count is wanted behind x\n");
	expect("load 1m\n x 1x99999999999999999999\n",
	    "2:5: a count is wanted behind x\n");
	expect("load 1m\n x 1x9999999999\n",
	    "2:5: more than 10000000 values in a file\n");
	expect("load 1m\n x 1+x3", "2:5: a number is wanted\n");
	expect("load 1m\n x 1y", "2:5: a blank is wanted\n");
	expect("load 1m\n x{ 1",
	    "2:2: series: 1:4: parse error: unexpected character inside "
	    "braces: '1'\n");
	expect("load 1m\n x{a!=\"b\"} 1", "2:2: labels take = alone\n");
	expect("load 1m\n x{a=\"b\" 1",
	    "2:2: series: 1:9: parse error: unexpected character inside "
	    "braces: '1'\n");
	expect("load 1m\n x@st -1m 0s\n x 1 2 3\n",
	    "3:2: 2 start times for 3 values\n");
	expect("load 1m\n x@st 1q", "2:7: a duration or _ is wanted\n");
	expect("load 1m\n x {{nope:1}}", "2:6: unknown part 'nope'\n");
	expect("load 1m\n x {{buckets:[1 b]}}",
	    "2:17: a number or ']' is wanted\n");
	expect("load 1m\n x {{schema:9}}", "2:4: schema 9 is none\n");
	expect("load 1m\n x {{schema:0", "2:4: '{{...}}' is wanted\n");
	expect("load 1m\n x {{counter_reset_hint:maybe}}",
	    "2:25: unknown counter_reset_hint 'maybe'\n");
	expect("load 1m\n x {{schema:-53 buckets:[1 2]}}",
	    "2:4: more buckets than custom_values have\n");
	expect("load 1m\n x {{schema:0}}+{{schema:-53}}x2",
	    "2:4: the two do not add up\n");
}

static void
test_eval_faults(void)
{
	expect("evaluate x", "1:1: unknown command 'evaluate'\n");
	expect("eval x", "1:6: instant or range is wanted\n");
	expect("eval instant at 5m\n", "1:19: an expression is wanted\n");
	expect("eval instant at never x\n",
	    "1:17: not a valid duration string: \"never\"\n");
	expect("eval range from 0 to 1m x", "1:25: 'step' is wanted\n");
	expect("eval range from 1m to 0 step 1m x",
	    "1:12: a range goes forward, with a step greater than 0\n");
	expect("eval range from 0 to 1y step 1s x",
	    "1:12: more than 11000 steps\n");
	expect("eval_ordered range from 0 to 1m step 1m x",
	    "1:1: the series of a range have no order\n");
	expect(
	    "eval instant at 0 x\n  expect luck\n\neval instant at 0 1\n 1\n",
	    "2:10: unknown expectation 'luck'\n4 ok\n");
	expect("eval instant at 0 x\n expect string a\"\"\n",
	    "2:16: a string is wanted\n");
	expect("eval instant at 0 x\n expect string \"a\" b\n",
	    "2:16: a string is wanted\n");
	expect("eval instant at 0 x\n expect fail text\n",
	    "2:14: msg:TEXT or regex:RE is wanted\n");
	expect("eval instant at 0 x\n expect warn regex:(\n",
	    "2:20: error parsing regexp: missing closing ): `(`\n");
	expect("eval instant at 0 x\n expect no_warn msg:a\n",
	    "2:17: none takes no text\n");
	expect("eval instant at 0 x\n x 1 2\n",
	    "2:4: an instant has one value a series\n");
	expect("eval instant at 0 x\n x 1\n x 2\n",
	    "3:2: the series is there already\n");
	expect("eval range from 0 to 1m step 1m x\n x 1 2 3\n",
	    "2:1: 3 values of a series for 2 steps\n");
	expect("eval range from 0 to 1m step 1m x\n 1\n",
	    "2:2: a range has no scalar\n");
	expect("eval instant at 0 x\n 1\n x 2\n",
	    "3:1: a scalar, a string or series are expected\n");
	expect("eval instant at 0 x\n expect fail\n x 2\n",
	    "3:1: what fails has no result and no notes\n");
	expect("eval instant at 0 x\n expect warn\n expect no_warn\n",
	    "3:1: notes are expected, or none\n");
}

static void
test_diffs(void)
{
	expect(DATA "eval instant at 5m x\n x{i=\"0\"} 5\n x{i=\"2\"} 5\n",
	    "5 failed\n"
	    "the result differs (- expected, + got):\n"
	    "  x{i=\"0\"} 5\n"
	    "+ x{i=\"1\"} 5\n"
	    "- x{i=\"2\"} 5\n");
	expect(DATA "eval instant at 5m sum(x)\n {} 1\n",
	    "5 failed\n"
	    "the result differs (- expected, + got):\n"
	    "- {} 1\n"
	    "+ {} 10\n");
	expect(DATA "eval_ordered instant at 1m sort(x)\n x{i=\"1\"} 5\n"
		    " x{i=\"0\"} 1\n",
	    "5 failed\n"
	    "the result differs (- expected, + got):\n"
	    "- x{i=\"1\"} 5\n"
	    "+ x{i=\"0\"} 1\n"
	    "- x{i=\"0\"} 1\n"
	    "+ x{i=\"1\"} 5\n");
	expect(DATA "eval range from 0 to 4m step 1m x\n"
		    " x{i=\"0\"} 0 1 _ 3 4\n x{i=\"1\"} 5x4\n",
	    "5 failed\n"
	    "the result differs (- expected, + got):\n"
	    "- x{i=\"0\"} 0 1 _ 3 4\n"
	    "+ x{i=\"0\"} 0 1 2 3 4  # differs first at 2m\n"
	    "  x{i=\"1\"} 5 5 5 5 5\n");
	expect("eval instant at 0 1+1\n 3\n",
	    "1 failed\n"
	    "the result differs (- expected, + got):\n"
	    "- scalar 3\n"
	    "+ scalar 2\n");
	expect("eval instant at 0 \"a\"\n expect string \"b\"\n",
	    "1 failed\n"
	    "the result differs (- expected, + got):\n"
	    "- string b\n"
	    "+ string a\n");
	expect("eval instant at 0 vector(1)\n 1\n",
	    "1 failed\n"
	    "the result differs (- expected, + got):\n"
	    "- scalar 1\n"
	    "+ vector of 1 series\n");
	expect("eval instant at 0 1\n x 1\n",
	    "1 failed\nseries were expected, not a scalar\n");
	expect(
	    "load 1m\n h {{schema:0 count:3 sum:4 buckets:[1 2]}}\n\n"
	    "eval instant at 0 h\n h {{schema:0 count:3 sum:5 buckets:[3]}}\n",
	    "4 failed\n"
	    "the result differs (- expected, + got):\n"
	    "- h {{schema:0 count:3 sum:5 buckets:[3]}}\n"
	    "+ h {{schema:0 count:3 sum:4 buckets:[1 2]}}\n");
}

static void
test_notes(void)
{
	expect("eval instant at 0 nope(\n",
	    "1 failed\n"
	    "failed: 1:1: parse error: unknown function with name \"nope\"\n");
	expect("eval instant at 0 1\n expect fail\n",
	    "1 failed\nwas expected to fail, and did not\n");
	expect("eval instant at 0 1 +\n expect fail msg:bad luck\n",
	    "1 failed\n"
	    "failed with another message:\n"
	    "- bad luck\n"
	    "+ 1:4: parse error: unexpected end of input\n");
	expect(DATA "eval instant at 1m quantile(2, x)\n expect no_warn\n"
		    " {} Inf\n",
	    "5 failed\n"
	    "no warning was expected:\n"
	    "+ PromQL warning: quantile value should be between 0 and 1, got "
	    "2 (1:10)\n");
	expect(DATA "eval instant at 1m quantile(2, x)\n"
		    " expect warn msg:cold\n {} Inf\n",
	    "5 failed\n"
	    "another warning (- expected, + got):\n"
	    "- cold\n"
	    "+ PromQL warning: quantile value should be between 0 and 1, got "
	    "2 (1:10)\n");
	expect(DATA "eval instant at 1m sum(x)\n expect info\n {} 6\n",
	    "5 failed\nno info came\n");
	expect(DATA "eval instant at 1m quantile(2, x)\n"
		    " expect warn regex:quantile.*2\n expect no_info\n"
		    " {} +Inf\n",
	    "5 ok\n");
}

/* Of much that differs the first is shown, and where it is. */
static void
test_long(void)
{
	struct buf b = { 0 }, out = { 0 };
	struct promql_test t = { .each = each, .fault = fault, .arg = &out };

	buf_z(&b, "load 1m\n");
	for (int i = 0; i < 30; i++)
		buf_printf(&b, " x{i=\"%02d\"} 0+1x99\n", i);
	buf_z(&b,
	    "\neval range from 0 to 99m step 1m x{i=\"00\"}\n"
	    " x{i=\"00\"} 0+1x49 7 51+1x48\n\n"
	    "eval instant at 0 x\n");
	promql_test(&t, buf_str(&b));
	CHECK(str_find(buf_str(&out),
		  STR("- x{i=\"00\"} ... 44 45 46 47 48 49 7 51 52 53 54 55 "
		      "...\n+ x{i=\"00\"} ... 44 45 46 47 48 49 50 51 52 53 "
		      "54 55 ...  # differs first at 50m\n")) < out.n);
	CHECK(str_ends(
	    buf_str(&out), STR("+ x{i=\"19\"} 0\n  ... and 10 series more\n")));
	buf_fini(&b);
	buf_fini(&out);
}

int
main(void)
{
	test_faults();
	test_eval_faults();
	test_diffs();
	test_notes();
	test_long();
	return done();
}
