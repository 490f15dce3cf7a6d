/*
 * metric/lint: the problems of pages, a row each; tests/mf-scrape-lint.bats
 * holds more of them against promtool.
 */
#include "check.h"

#include "metric/lint.h"

static bool
finds(const char *page, const char *want)
{
	struct expo_reader *r = expo_new(EXPO_PAGE, 0);
	struct lint *l = lint_new();
	struct buf b = { 0 };
	struct expo_item it;
	struct error e = { "" };
	const struct lint_problem *v;
	size_t n;
	bool ok;

	expo_feed(r, str_of(page));
	while (expo_next(r, &it, &e) == 1)
		if (lint_item(l, &it, &e) == -1)
			buf_printf(&b, "! %s\n", e.msg);
	v = lint_problems(l, &n);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%.*s %.*s\n", STR_ARG(v[i].metric),
		    STR_ARG(v[i].text));
	ok = str_eq(buf_str(&b), str_of(want));
	if (!ok)
		printf("# got\n%.*s# want\n%s", STR_ARG(buf_str(&b)), want);
	buf_fini(&b);
	lint_free(l);
	expo_free(r);
	return ok;
}

#define HELP(name) "# HELP " name " h\n"

static void
problems(void)
{
	CHECK(finds("", ""));
	CHECK(finds(HELP("a") "a 1\n", ""));
	CHECK(finds(
	    "# HELP a  \nb 1\na 1\n", "a no help text\nb no help text\n"));
	/* without samples there is no family */
	CHECK(finds("# TYPE a_gauge gauge\n", ""));
	CHECK(finds(HELP("a") "# TYPE a counter\na 1\n",
	    "a counter metrics should have \"_total\" suffix\n"));
	CHECK(finds(HELP("a_total") "# TYPE a_total gauge\na_total 1\n",
	    "a_total non-counter metrics should not have \"_total\" "
	    "suffix\n"));
	CHECK(finds(HELP("a_total") "a_total 1\n", ""));
	CHECK(finds(HELP("x_kilobytes") "x_kilobytes 1\n",
	    "x_kilobytes use base unit \"bytes\" instead of \"kilobytes\"\n"));
	CHECK(
	    finds(HELP("thermometers_seconds") "thermometers_seconds 1\n", ""));
	CHECK(finds(HELP("h") "# TYPE h histogram\n"
			      "h_bucket{le=\"1\",aB=\"1\"} 1\n"
			      "h_count{aB=\"1\"} 1\nh_sum{aB=\"2\"} 1\n",
	    "h label names should be written in 'snake_case' not "
	    "'camelCase'\n"
	    "h label names should be written in 'snake_case' not "
	    "'camelCase'\n"));
	CHECK(finds(HELP("s") "# TYPE s summary\ns{quantile=\"1\"} 1\n"
			      "s_count 1\n",
	    ""));
	CHECK(finds(HELP("my_Gauge_x") "my_Gauge_x 1\n",
	    "my_Gauge_x metric name should not include type 'gauge'\n"));
	CHECK(finds(HELP("gauge") "gauge 1\n", ""));
	CHECK(finds(HELP("a_MB") "a_MB 1\n",
	    "a_MB metric names should not contain abbreviated units\n"));
}

static void
refused(void)
{
	CHECK(finds(HELP("a") HELP("a"), "! second HELP line of a\n"));
	CHECK(finds(HELP("a") "a 1\n# TYPE a gauge\n",
	    "! second TYPE line of a, or one behind its samples\n"));
	CHECK(finds(HELP("h") "# TYPE h histogram\nh_bucket{le=\"x\"} 1\n",
	    "! label le is no number: \"x\"\n"));
}

static void
series(void)
{
	struct expo_reader *r = expo_new(EXPO_PAGE, 0);
	struct lint *l = lint_new();
	const struct lint_family *v;
	struct expo_item it;
	struct error e;
	size_t n;

	expo_feed(r,
	    STR("# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\n"
		"h_count 1\n# TYPE none gauge\nz 1\na 1\n"));
	while (expo_next(r, &it, &e) == 1)
		CHECK(lint_item(l, &it, &e) == 0);
	v = lint_families(l, &n);
	CHECK(n == 3);
	CHECK(str_eq(v[0].name, STR("h")) && v[0].series == 3);
	CHECK(str_eq(v[1].name, STR("a")) && v[1].series == 1);
	CHECK(str_eq(v[2].name, STR("z")) && v[2].series == 1);
	lint_free(l);
	lint_free(NULL);
	expo_free(r);
}

int
main(void)
{
	problems();
	refused();
	series();
	return done();
}
