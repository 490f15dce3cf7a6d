/*
 * mf-eval EXPR: answers, once, or every -i: over a store or an engine by the
 * clock, over a stream by the clock, or by the stream's own time in replay.
 */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/date.h"
#include "base/mem.h"
#include "eval_cmd.h"
#include "wire/promconf.h"
#include "zone.h"

struct asking {
	const struct eval_options *o;
	struct arena arena; /* of the expressions */
	struct promql_expr **x;
	struct input *in; /* NULL: no expression needs samples */
	struct series_set *set;
	struct eval_writer writer;
	int64_t subquery_step;
	const struct answer_form *form;
	struct date_zone *zone; /* --tz */
	int64_t back;           /* how far samples are needed; INT64_MAX */
	int status;
	bool headed, any;
};

static int64_t
when(const struct asking *a, const char *option, const char *text, int64_t now)
{
	struct error e;
	int64_t t;

	if (date_parse(str_of(text), now, a->zone, &t, &e) == -1)
		tool_die(TOOL_USAGE, "%s: %s", option, e.msg);
	return t;
}

/* What is asked when it is now: an instant, or a range with -s. */
static struct promql_opts
times(const struct asking *a, int64_t now)
{
	const struct eval_options *o = a->o;
	struct promql_opts p = { .lookback = o->lookback,
		.subquery_step = a->subquery_step,
		.max_samples = o->max_samples,
		.max_series = o->max_series,
		.timeout = o->timeout };
	int64_t range;

	p.to = o->end != NULL && !(o->in.replay && o->every > 0)
	    ? when(a, "-e", o->end, now)
	    : now;
	p.from = p.to;
	if (o->start == NULL)
		return p;
	p.from = when(a, "-s", o->start, now);
	if (p.from > p.to)
		tool_die(TOOL_USAGE, "-s: the start is after the end");
	if (__builtin_sub_overflow(p.to, p.from, &range))
		tool_die(TOOL_USAGE, "-s: too far from the end");
	p.step = o->step > 0 ? o->step : range / 250 / 1000 * 1000;
	if (p.step == 0)
		p.step = 1000;
	/* An engine has a limit of its own. */
	if (o->in.url == NULL && range / p.step > PROMQL_MAX_STEPS)
		tool_die(TOOL_USAGE,
		    "--step: more than %d points in the range: take a larger "
		    "one",
		    PROMQL_MAX_STEPS);
	return p;
}

static void
parse(struct asking *a)
{
	const struct eval_options *o = a->o;
	struct error e;

	a->x = mem_zero(o->nexprs + 1, sizeof(struct promql_expr *));
	for (size_t i = 0; i < o->nexprs; i++) {
		enum promql_type type;
		int64_t back = 0, ahead = 0;

		a->x[i] = eval_parse(o, str_of(o->exprs[i]),
		    input_features(&o->in), &a->arena, &e);
		if (a->x[i] == NULL)
			tool_die(TOOL_USAGE, "%s: %s", eval_name(o->exprs[i]),
			    e.msg);
		type = promql_type(a->x[i]);
		if (o->start != NULL && type != PROMQL_SCALAR &&
		    type != PROMQL_VECTOR)
			tool_die(TOOL_USAGE,
			    "%s: invalid expression type \"%s\" for range "
			    "query, must be Scalar or instant Vector",
			    eval_name(o->exprs[i]),
			    type == PROMQL_MATRIX ? "range vector" : "string");
		if (!promql_reach(a->x[i], o->lookback, &back, &ahead))
			a->back = INT64_MAX;
		else if (a->back < back)
			a->back = back;
	}
}

static bool
selects(const struct asking *a)
{
	for (size_t i = 0; i < a->o->nexprs; i++)
		if (promql_selects(a->x[i]))
			return true;
	return false;
}

static void
warn(const struct promql_result *r)
{
	for (size_t i = 0; i < r->nwarnings; i++)
		tool_warn("%.*s", STR_ARG(r->warnings[i]));
	for (size_t i = 0; i < r->ninfos; i++)
		tool_note("%.*s", STR_ARG(r->infos[i]));
}

static int
ask(struct asking *a, size_t i, const struct promql_opts *p,
    struct arena *arena, struct promql_result *r, struct error *e)
{
	struct source none = series_source(a->set);
	const struct clock *clock = tool_clock();
	struct promql_watch watch = { clock->mono, NULL, clock->arg };
	struct promql_opts watched = *p;

	if (a->in != NULL)
		return input_ask(a->in, a->set, a->x[i], p, arena, r, e);
	watched.watch = &watch;
	return promql_eval(a->x[i], &none, &watched, arena, r, e);
}

static bool
named(const struct promql_result *r)
{
	if (r->type != PROMQL_VECTOR && r->type != PROMQL_MATRIX)
		return false;
	for (size_t i = 0; i < r->n; i++)
		if (label_find(r->v[i].labels, LABEL_NAME).n > 0)
			return true;
	return false;
}

/* -w: a store is not made for what it would refuse. */
static void
store(struct asking *a, const struct answer *x)
{
	struct buf text = { 0 };

	if (a->writer.dir == NULL || a->o->explain || answer_empty(x->r))
		return;
	if (!named(x->r)) {
		tool_warn("%s: not stored: the answer has no name",
		    eval_name(x->expr.p));
		a->writer.failed = true;
		return;
	}
	answer_put(answer_form("stream"), &text, x);
	eval_write(&a->writer, buf_str(&text));
	buf_fini(&text);
}

/* Stored, then printed. */
static void
put(struct asking *a, const struct answer *x, const struct promql_costs *costs)
{
	struct buf out = { 0 };

	warn(x->r);
	a->any = a->any || !answer_empty(x->r);
	store(a, x);
	if (a->o->explain)
		eval_put_costs(a->o, &out, x, costs);
	else
		answer_put(a->form, &out, x);
	a->headed = true;
	tool_write(buf_str(&out));
	buf_fini(&out);
}

/* Every expression's answer as of now. */
static void
answer(struct asking *a, int64_t now)
{
	const struct eval_options *o = a->o;
	struct promql_opts p = times(a, now);
	struct promql_costs costs = { 0 };

	if (o->explain)
		p.costs = &costs;
	/* What -w writes may be what the next one asks for. */
	if (a->in != NULL && a->writer.dir == NULL)
		input_share(a->in, a->x, o->nexprs);
	for (size_t i = 0; i < o->nexprs; i++) {
		struct promql_result r = { 0 };
		struct arena arena = { 0 };
		struct answer x = { str_of(o->exprs[i]), &p, &r, a->zone,
			!a->headed, o->nexprs > 1 };
		struct error e;

		if (ask(a, i, &p, &arena, &r, &e) == 0) {
			put(a, &x, &costs);
		} else {
			tool_warn("%s: %s", eval_name(o->exprs[i]), e.msg);
			a->status = r.failure == PROMQL_REFUSED &&
				a->status != TOOL_FAILED
			    ? TOOL_USAGE
			    : TOOL_FAILED;
		}
		arena_fini(&arena);
	}
	if (a->in != NULL)
		input_share(a->in, NULL, 0);
}

static void
forget(struct asking *a, int64_t before)
{
	if (a->back != INT64_MAX && a->o->start == NULL)
		series_drop(a->set, before - a->back);
}

/* In replay -i has ticks, which come before the batches behind them. */
static void
replay(struct asking *a)
{
	const struct eval_options *o = a->o;
	int64_t newest = INT64_MIN, tick = INT64_MAX, end = INT64_MAX;
	struct batch b;
	size_t n = 0;
	bool more;

	if (o->end != NULL)
		end = tool_time("-e", o->end);
	do {
		more = input_read(a->in);
		while (input_next(a->in, &b) == 1) {
			if (b.t > EVAL_LAST_TIME || b.t < 0) {
				tool_warn("a batch's time is out of range");
				a->status = TOOL_FAILED;
				continue;
			}
			if (b.t > end)
				continue;
			if (newest == INT64_MIN && o->every > 0)
				tick = b.t + o->every - 1 -
				    (b.t + o->every - 1) % o->every;
			for (; tick < b.t; tick += o->every) {
				answer(a, tick);
				forget(a, tick);
			}
			series_apply(a->set, &b);
			if (b.t > newest)
				newest = b.t;
			if (++n % 256 == 0 && o->every == 0)
				forget(a, newest);
		}
	} while (more);
	if (newest == INT64_MIN)
		newest = tool_now();
	if (o->end != NULL)
		newest = end;
	for (; o->every > 0 && tick <= newest; tick += o->every)
		answer(a, tick);
	if (o->every == 0)
		answer(a, newest);
}

/* Wait for the stream or until t; false: the stream has ended, or stop. */
static bool
wait_until(struct asking *a, int64_t t, bool stream)
{
	struct pollfd p[2] = { { tool_wake_fd(), POLLIN, 0 },
		{ stream ? input_fd(a->in) : -1, POLLIN, 0 } };
	int64_t left = t - tool_now();
	struct batch b;
	bool more = true;

	if (left > 0)
		(void)poll(p, 2, left > 60000 ? 60000 : (int)left);
	if (stream && p[1].revents != 0) {
		more = input_read(a->in);
		while (input_next(a->in, &b) == 1)
			series_apply(a->set, &b);
	}
	(void)tool_reloading();
	return more && !tool_stopping();
}

static void
repeat(struct asking *a, bool stream)
{
	int64_t next = tool_now();
	bool more = true;

	tool_signals();
	if (stream)
		next += a->o->every;
	while (more) {
		if (tool_now() < next) {
			more = wait_until(a, next, stream);
			continue;
		}
		answer(a, tool_now());
		forget(a, tool_now());
		while (next <= tool_now())
			next += a->o->every;
	}
	if (stream && !tool_stopping())
		answer(a, tool_now());
}

static void
once(struct asking *a, bool stream)
{
	int64_t now = tool_now(), from = INT64_MIN;

	if (stream) {
		if (a->back != INT64_MAX)
			from = times(a, now).from - a->back;
		input_all(a->in, a->set, from);
	}
	answer(a, now);
}

int
eval_expr(const struct eval_options *o)
{
	struct asking a = { .o = o, .set = series_new(), .form = o->form };
	bool stream;
	struct error e;

	if (o->config != NULL) {
		struct promconf *c =
		    promconf_load(o->config, tool_conf_opts(), &e);

		if (c != NULL)
			a.subquery_step = c->global.evaluation_interval;
		else
			tool_die(TOOL_USAGE, "%s", e.msg);
		promconf_free(c);
	}
	if (a.form == NULL)
		a.form = answer_form(
		    isatty(STDOUT_FILENO) == 1 ? "table" : "stream");
	if (o->zone != NULL)
		a.zone = zone_of(o->zone);
	parse(&a);
	if (!o->in.replay)
		(void)times(&a, tool_now()); /* say it before we read */
	eval_writer_open(&a.writer, o);
	if (selects(&a) || o->in.url != NULL || o->in.replay)
		a.in = input_open(&o->in);
	stream = a.in != NULL && input_kind(a.in) == INPUT_STREAM;
	if (stream && o->in.replay)
		replay(&a);
	else if (o->every > 0)
		repeat(&a, stream);
	else
		once(&a, stream);
	if (a.status == TOOL_OK &&
	    ((a.in != NULL && input_bad(a.in) > 0) || a.writer.failed))
		a.status = TOOL_FAILED;
	if (a.status == TOOL_OK && o->exit_status && !a.any)
		a.status = TOOL_ANSWER;
	for (size_t i = 0; i < o->nexprs; i++)
		promql_free(a.x[i]);
	free(a.x);
	input_close(a.in);
	series_free(a.set);
	eval_writer_close(&a.writer);
	arena_fini(&a.arena);
	date_zone_free(a.zone);
	return a.status;
}
