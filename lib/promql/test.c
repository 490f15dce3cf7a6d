/*
 * The test language of PromQL: lines of load, clear and eval, each with the
 * block of lines behind it up to a blank one.  Here are the file and its
 * commands; series, expectations, runs and comparisons are in test_*.c.
 */
#include "promql/test.h"

#include <ctype.h>
#include <stdarg.h>

#include "base/dur.h"

bool
promql_test_line(struct test_reader *t, str *line)
{
	if (t->text.n == 0)
		return false;
	t->now = str_cut(&t->text, '\n');
	t->line++;
	*line = str_trim(t->now);
	t->at = line->p;
	if (line->n > 0 && line->p[0] == '#')
		*line = str_take(*line, 0);
	return true;
}

str
promql_test_word(str *s)
{
	size_t n = 0;
	str w;

	*s = str_trim(*s);
	while (n < s->n && !isspace((unsigned char)s->p[n]))
		n++;
	w = str_take(*s, n);
	*s = str_trim(str_skip(*s, n));
	return w;
}

int
promql_test_bad(struct test_reader *t, str at, const char *fmt, ...)
{
	va_list ap;

	t->at = at.p;
	va_start(ap, fmt);
	(void)error_vset(&t->e, fmt, ap);
	va_end(ap);
	return -1;
}

int
promql_test_time(struct test_reader *t, str *s, int64_t *ms)
{
	str w = promql_test_word(s);

	if (dur_parse_signed(w, ms, &t->e) == 0)
		return 0;
	t->at = w.p;
	return -1;
}

static void
clear(struct test_reader *t)
{
	series_free(t->set);
	t->set = series_new();
}

/* Tell what t->e says of where the reader is. */
static void
fault(struct promql_test *p, const struct test_reader *t)
{
	size_t col = 1;

	if (t->at >= t->now.p && t->at <= t->now.p + t->now.n)
		col = (size_t)(t->at - t->now.p) + 1;
	p->faults++;
	p->fault(p->arg, t->line, col, t->e.msg);
}

/* What is left of a block that has a fault. */
static void
pass_over(struct test_reader *t)
{
	str s;

	while (promql_test_line(t, &s) && s.n > 0)
		;
}

static int
load(struct test_reader *t, str word, str rest)
{
	bool nhcb = str_eq(word, STR("load_with_nhcb"));
	int64_t step;
	str at = rest;

	if (!nhcb && !str_eq(word, STR("load")))
		return promql_test_bad(
		    t, word, "unknown command '%.*s'", STR_ARG(word));
	if (promql_test_time(t, &rest, &step) == -1)
		return -1;
	if (step <= 0 || rest.n > 0)
		return promql_test_bad(
		    t, at, "load takes one duration greater than 0");
	if (step > TEST_STEP_MAX)
		return promql_test_bad(t, at, "the step is too long");
	return promql_test_load(t, step, nhcb);
}

/* An eval and its lines; a comment ends them as a blank one does. */
static int
eval(struct promql_test *p, struct test_reader *t, str line)
{
	struct test_eval ev = { .line = t->line, .head = line };
	struct buf why = { 0 };
	int rc = promql_test_command(t, &ev, line);
	bool ok;
	str s;

	while (rc == 0 && promql_test_line(t, &s) && s.n > 0)
		rc = promql_test_body(t, &ev, s);
	if (rc == 0)
		rc = promql_test_sound(t, &ev);
	if (rc == 0) {
		ok = promql_test_run(t, &ev, &why);
		if (ok)
			p->passed++;
		else
			p->failed++;
		if (p->each != NULL)
			p->each(p->arg, ev.line, ev.head, ok, buf_str(&why));
	}
	promql_test_eval_fini(&ev);
	buf_fini(&why);
	return rc;
}

static int
command(struct promql_test *p, struct test_reader *t, str line)
{
	str rest = line, w = promql_test_word(&rest);

	if (str_eq(w, STR("clear")) && rest.n == 0) {
		clear(t);
		return 0;
	}
	if (str_starts(w, STR("load")))
		return load(t, w, rest);
	if (str_starts(w, STR("eval")))
		return eval(p, t, line);
	return promql_test_bad(t, w, "unknown command '%.*s'", STR_ARG(w));
}

void
promql_test(struct promql_test *p, str text)
{
	struct test_reader t = { .text = text };
	str line;

	arena_init(&t.a);
	clear(&t);
	while (promql_test_line(&t, &line))
		if (line.n > 0 && command(p, &t, line) == -1) {
			fault(p, &t);
			if (str_trim(t.now).n > 0 && t.now.p[0] != '#')
				pass_over(&t);
		}
	series_free(t.set);
	arena_fini(&t.a);
}
