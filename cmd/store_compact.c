/*
 * mf-store compact and delete.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dur.h"
#include "base/mem.h"
#include "opt.h"
#include "promql/promql.h"
#include "store_cmd.h"
#include "tool.h"

/* Progress on a terminal is seen so often at most, ms. */
#define OFTEN 200

struct bar {
	bool on, shown;
	int64_t last;
};

static int64_t
mono(void)
{
	const struct clock *c = tool_clock();

	return c->mono(c->arg) / 1000000;
}

static void
clear(struct bar *b)
{
	if (b->shown)
		fputs("\r\033[K", stderr);
	b->shown = false;
}

static void
step(void *arg, uint32_t day, uint64_t done, uint64_t of)
{
	struct bar *b = arg;
	int64_t now = mono();

	if (!b->on || of == 0 || now - b->last < OFTEN)
		return;
	b->last = now;
	b->shown = true;
	fprintf(stderr, "\r%08u: %3.0f %% of %.1f M samples\033[K",
	    (unsigned)day, 100.0 * (double)done / (double)of, (double)of / 1e6);
}

static void
report(void *arg, const char *msg)
{
	clear(arg);
	tool_warn("%s", msg);
}

/* Bytes, with a unit of 1024, as Prometheus has them. */
static uint64_t
size_of(const char *text)
{
	static const char units[] = "BKMGTPE";
	char *end;
	double v;
	const char *u;

	errno = 0;
	v = strtod(text, &end);
	u = *end == '\0' ? units : strchr(units, *end);
	if (end == text || errno != 0 || !(v > 0) || u == NULL)
		tool_die(TOOL_USAGE, "--max-size: bad size '%s'", text);
	for (const char *p = units; p < u; p++)
		v *= 1024;
	if (*end != '\0' && *end != 'B' && end[1] == 'i')
		end++;
	if (*end != '\0' && *end != 'B' && end[1] != '\0')
		end++;
	if ((*end != '\0' && (end[1] != '\0' || v < 1)) || v >= 0x1p63)
		tool_die(TOOL_USAGE, "--max-size: bad size '%s'", text);
	return (uint64_t)v;
}

/* "15d" is the age of everything, "{...}=90d" that of what matches. */
static void
keeps(struct store_compact *c, const struct opt_list *l, struct arena *a)
{
	size_t cap = 0;
	struct error e;

	for (size_t i = 0; i < l->n; i++) {
		const char *eq = strrchr(l->v[i], '=');
		struct match *m;
		size_t nm;

		if (eq == NULL) {
			c->keep = tool_dur("--keep", l->v[i]);
			continue;
		}
		if (promql_parse_matchers(
			str_from(l->v[i], eq), a, &m, &nm, &e) == -1)
			tool_die(TOOL_USAGE, "--keep '%s': %s", l->v[i], e.msg);
		c->rule = arena_grow(
		    a, c->rule, &cap, c->nrule + 1, sizeof(*c->rule));
		c->rule[c->nrule++] =
		    (struct store_keep){ m, nm, tool_dur("--keep", eq + 1) };
	}
}

/* Wait; false: it is time to stop. */
static bool
rest(int64_t ms)
{
	struct pollfd p = { .fd = tool_wake_fd(), .events = POLLIN };
	int64_t until = mono() + ms;

	while (!tool_stopping()) {
		int64_t left = until - mono();

		if (left <= 0)
			return true;
		(void)poll(&p, 1, left < 3600000 ? (int)left : 3600000);
	}
	return false;
}

static int
round_of(struct store *s, struct store_compact *c)
{
	struct error e;
	struct bar *b = c->arg;

	c->now = tool_now();
	c->samples = c->parts = c->indexes = c->removed = c->failed = 0;
	b->last = 0;
	if (store_compact(s, c, &e) == -1) {
		clear(b);
		tool_warn("%s", e.msg);
		return TOOL_FAILED;
	}
	clear(b);
	if (tool_verbose > 0)
		tool_note("%zu samples sealed, %zu parts made, "
			  "%zu indexes made, %zu days removed",
		    c->samples, c->parts, c->indexes, c->removed);
	return c->failed > 0 ? TOOL_FAILED : TOOL_OK;
}

int
store_cmd_compact(int argc, char **argv)
{
	struct bar bar = { .on = isatty(STDERR_FILENO) };
	struct store_compact c = { .step = step, .report = report };
	struct opt_list list = { NULL, 0, 0 };
	const char *dir = NULL, *size = NULL;
	struct arena a = { NULL, NULL, NULL };
	int64_t every = 0;
	struct store *s;
	int rc;
	const struct opt rows[] = {
		{ 'd', "dir", .text = &dir },
		{ 'i', "interval", .span = &every },
		{ 0, "keep", .list = &list },
		{ 0, "max-size", .text = &size },
		{ 0, "seal", .flag = &c.seal },
		{ .name = NULL },
	};

	opt_read(argc, argv, rows, OPT_NOW, store_cmd_usage);
	opt_operands(argc, argv);
	if (optind < argc)
		tool_usage(store_cmd_usage);
	bar.on = bar.on && tool_verbose >= 0;
	c.arg = &bar;
	keeps(&c, &list, &a);
	if (size != NULL)
		c.max_size = size_of(size);
	/* What is not there is not made. */
	store_close(store_cmd_store(dir, STORE_READ));
	s = store_cmd_store(dir, STORE_WRITE);
	if (every > 0)
		tool_signals();
	do
		rc = round_of(s, &c);
	while (every > 0 && rest(every));
	store_close(s);
	for (size_t i = 0; i < c.nrule; i++)
		for (size_t k = 0; k < c.rule[i].nm; k++)
			match_fini((struct match *)(uintptr_t)&c.rule[i].m[k]);
	arena_fini(&a);
	opt_list_fini(&list);
	return every > 0 ? TOOL_OK : rc;
}

int
store_cmd_delete(int argc, char **argv)
{
	struct bar bar = { .on = isatty(STDERR_FILENO) };
	struct store_compact c = { .step = step, .report = report };
	struct store_cmd_read r = { .s = NULL };
	struct error e;

	store_cmd_open(&r, argc, argv, 0);
	if (r.expr == NULL || r.nm == 0)
		tool_die(TOOL_USAGE, "delete needs a selector");
	store_close(r.s);
	r.s = store_cmd_store(r.dir, STORE_WRITE);
	bar.on = bar.on && tool_verbose >= 0;
	c.arg = &bar;
	c.now = tool_now();
	if (store_delete(r.s, r.m, r.nm, r.from, r.to, &c, &e) == -1) {
		clear(&bar);
		tool_die(TOOL_FAILED, "%s", e.msg);
	}
	clear(&bar);
	if (tool_verbose > 0)
		tool_note("%zu days made anew", c.parts);
	(void)store_cmd_close(&r);
	return c.failed > 0 ? TOOL_FAILED : TOOL_OK;
}
