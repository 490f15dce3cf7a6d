/*
 * mf-scrape check-metrics: is a page good style, and can it be read at all?
 * The findings are the output; the exit statuses are promtool's.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "metric/expo.h"
#include "metric/lint.h"
#include "scrape_cmd.h"

/* The page to the linter; false: it is none, which has been said. */
static bool
read_page(struct lint *l, const char *name, str page)
{
	struct expo_reader *r = expo_new(EXPO_PAGE, 0);
	struct expo_item it;
	struct error e;
	size_t lines = 0;
	int k;

	expo_feed(r, page);
	while ((k = expo_next(r, &it, &e)) == 1) {
		if (lint_item(l, &it, &e) == -1) {
			error_add(&e, "%zu:1", it.line);
			k = -1;
			break;
		}
		lines = it.line;
		/* as with the last line's end, below */
		if (str_chr(it.raw, '\n') < it.raw.n) {
			k = error_set(&e,
			    "%zu:1: a line end in a string is not escaped",
			    lines);
			break;
		}
	}
	/* a scrape takes it, a parser of files does not */
	if (k == 0 && page.n > 0 && page.p[page.n - 1] != '\n') {
		error_set(&e, "%zu:1: the last line has no end", lines);
		k = -1;
	}
	if (k == -1)
		tool_warn("%s:%s", name, e.msg);
	expo_free(r);
	return k == 0;
}

/* Metric, cardinality, percentage: columns four blanks apart. */
static void
table(struct lint *l)
{
	size_t n, total = 0, width = strlen("Metric");
	const struct lint_family *v = lint_families(l, &n);

	for (size_t i = 0; i < n; i++) {
		total += v[i].series;
		width = v[i].name.n > width ? v[i].name.n : width;
	}
	(void)printf(
	    "%-*s    Cardinality    Percentage    \n", (int)width, "Metric");
	for (size_t i = 0; i < n; i++) {
		char percent[32];

		(void)snprintf(percent, sizeof(percent), "%.2f%%",
		    100.0 * (double)v[i].series / (double)total);
		(void)printf("%-*.*s    %-11zu    %-10s    \n", (int)width,
		    STR_ARG(v[i].name), v[i].series, percent);
	}
	(void)printf("%-*s    %-11zu    %-10s    \n", (int)width, "Total",
	    total, "100%");
}

int
scrape_lint(const struct scrape_options *o)
{
	const char *name = o->noperands == 1 ? o->operands[0] : "-";
	const struct lint_problem *v;
	struct lint *l = lint_new();
	struct buf page = { 0 };
	struct error e;
	int status = TOOL_FAILED, rc;
	size_t n;

	if (o->noperands > 1 || o->config != NULL)
		tool_die(TOOL_USAGE, "check-metrics: give one page, or none");
	if (strcmp(name, "-") == 0) {
		name = "stdin";
		rc = file_read_fd(STDIN_FILENO, name, &page, &e);
	} else
		rc = file_read(name, &page, &e);
	if (rc == -1)
		tool_warn("%s", e.msg);
	else if (read_page(l, name, buf_str(&page))) {
		v = lint_problems(l, &n);
		for (size_t i = 0; i < n; i++)
			(void)printf("%.*s %.*s\n", STR_ARG(v[i].metric),
			    STR_ARG(v[i].text));
		status = n > 0 ? TOOL_ANSWER : TOOL_OK;
		if (n == 0 && o->extended)
			table(l);
	}
	lint_free(l);
	buf_fini(&page);
	return status;
}
