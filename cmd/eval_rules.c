/*
 * mf-eval with rules.  Two kinds of time: the clock (a store is asked when a
 * slot comes; over a stream the first batch behind a slot, or a little later
 * the clock, makes it due), and the stream's own in replay, where the clock is
 * never asked.  Results are stored, then printed, then the state is saved: who
 * is killed in between says something twice, never not at all.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "eval_cmd.h"

/* How long after a slot a live stream's batches may still be on their way. */
#define GRACE INT64_C(10000)

/* A jump of a replayed clock that is a mistake, not a pause. */
#define JUMP (INT64_C(366) * 86400 * 1000)

struct work {
	const struct eval_options *o;
	struct eval_config config;
	struct rule_engine *engine;
	struct input *in;
	struct series_set *set; /* of a stream */
	struct eval_writer writer;
	struct rule_sink sink;
	bool keep;         /* results come back through no source */
	bool blocked;      /* the store can't be opened: nothing is evaluated */
	int64_t forgotten; /* when samples were last dropped */
	int status;
};

static void
put_batch(void *arg, str text)
{
	struct work *w = arg;

	eval_write(&w->writer, text);
	tool_write(text);
}

static void
report(void *arg, const char *msg)
{
	struct work *w = arg;

	tool_warn("%s", msg);
	w->status = TOOL_FAILED;
}

static const char *
state_path(const struct work *w)
{
	return tool_path(tool_dir(w->o->in.dir), "rules", "state");
}

static void
save(struct work *w)
{
	struct buf text = { 0 };
	struct error e;

	if (w->o->dry_run || !rule_changed(w->engine))
		return;
	rule_save(w->engine, &text);
	if (file_replace(state_path(w), buf_str(&text), 0666, &e) == -1) {
		tool_warn("%s", e.msg);
		w->status = TOOL_FAILED;
	} else {
		rule_saved(w->engine);
	}
	buf_fini(&text);
}

/* What the last run knew; a broken state is said, what can be read counts. */
static void
load(struct work *w)
{
	struct buf text = { 0 };
	struct error e;

	if (w->o->dry_run)
		return;
	if (file_read(state_path(w), &text, &e) == -1) {
		if (errno != ENOENT)
			tool_die(TOOL_FAILED, "%s", e.msg);
	} else if (rule_load(w->engine, buf_str(&text), &e) == -1) {
		tool_warn("%s:%s", state_path(w), e.msg);
	}
	buf_fini(&text);
}

/*
 * Without its store a rule is not evaluated: that nothing can be read must
 * not look as if nothing were there.
 */
static void
step(struct work *w, int64_t now, enum rule_mode mode)
{
	struct source src = series_source(w->set);
	bool due = rule_next(w->engine) <= now;
	struct error e;

	if (due && input_source(w->in, w->set, &src, &e) == -1) {
		if (!w->blocked)
			tool_warn("%s", e.msg);
		w->blocked = true;
		return;
	}
	w->blocked = false;
	(void)rule_step(w->engine, &src, now, mode, &w->sink);
	save(w);
}

static bool
load_config(struct work *w, struct error *e)
{
	struct eval_config c;

	if (eval_config_load(&c, w->o, w->keep, e) == -1)
		return false;
	if (c.faults > 0) {
		error_set(e, "%zu fault%s in rule files", c.faults,
		    c.faults == 1 ? "" : "s");
		eval_config_free(&c);
		return false;
	}
	w->config = c;
	return true;
}

/* SIGHUP: the rules anew, the state kept; a bad file leaves all as it was. */
static void
reload(struct work *w)
{
	struct eval_config old = w->config;
	struct buf state = { 0 };
	struct error e;

	if (!load_config(w, &e)) {
		w->config = old;
		tool_warn("%s", e.msg);
		tool_warn("the rules stay as they were");
		return;
	}
	rule_save(w->engine, &state);
	rule_free(w->engine);
	eval_config_free(&old);
	w->engine = rule_new(w->config.set, tool_now());
	if (rule_load(w->engine, buf_str(&state), &e) == -1)
		tool_warn("%s", e.msg);
	buf_fini(&state);
	tool_note("%zu rules loaded", rule_count(w->config.set));
}

/* How far back samples are needed; false: all of them. */
static bool
reach(const struct work *w, int64_t *back)
{
	if (!rule_reach(w->config.set, back))
		return false;
	if (*back < 300000)
		*back = 300000; /* for the queries of templates */
	return true;
}

/* Forget what no rule needs any more; not at every batch, it costs. */
static void
forget(struct work *w, int64_t newest)
{
	int64_t back, next = rule_next(w->engine);

	if (!reach(w, &back))
		return;
	if (next < newest)
		newest = next;
	if (newest - w->forgotten < back / 8)
		return;
	series_drop(w->set, newest - back);
	w->forgotten = newest;
}

/* Apply a stream's batches that are there; slots before them come first. */
static void
apply(struct work *w, int64_t *newest, int64_t end, enum rule_mode mode)
{
	struct batch b;

	while (input_next(w->in, &b) == 1) {
		if (b.t > EVAL_LAST_TIME || b.t < 0) {
			report(w, "a batch's time is out of range");
			continue;
		}
		if (b.t > end)
			continue;
		if (*newest == INT64_MIN && mode == RULE_EACH) {
			int64_t start = b.t;

			if (w->o->start != NULL)
				start = tool_time("-s", w->o->start);
			w->engine =
			    rule_new(w->config.set, start > b.t ? start : b.t);
			load(w);
		}
		if (b.t > *newest) {
			bool jump =
			    *newest != INT64_MIN && b.t - *newest > JUMP;

			if (jump)
				tool_warn("the time of the input jumps by "
					  "more than a year");
			if (*newest != INT64_MIN || mode == RULE_LATEST)
				step(w, b.t - 1, jump ? RULE_LATEST : mode);
			*newest = b.t;
		}
		series_apply(w->set, &b);
		forget(w, *newest);
	}
}

static void
replay(struct work *w)
{
	int64_t newest = INT64_MIN, end = INT64_MAX;
	bool more;

	if (w->o->end != NULL)
		end = tool_time("-e", w->o->end);
	do {
		more = input_read(w->in);
		apply(w, &newest, end, RULE_EACH);
	} while (more);
	if (newest == INT64_MIN && end == INT64_MAX)
		return; /* no batch, no time */
	if (newest == INT64_MIN) {
		w->engine = rule_new(w->config.set, end);
		load(w);
	}
	step(w, end != INT64_MAX ? end : newest, RULE_EACH);
}

/* -1: what is there, and the latest slot of each group. */
static void
once(struct work *w)
{
	int64_t back;

	if (input_kind(w->in) == INPUT_STREAM)
		input_all(w->in, w->set,
		    reach(w, &back) ? tool_now() - back : INT64_MIN);
	step(w, tool_now(), RULE_LATEST);
}

static void
live(struct work *w)
{
	bool stream = input_kind(w->in) == INPUT_STREAM, more = true;
	int64_t newest = INT64_MIN;

	tool_signals();
	while (more && !tool_stopping()) {
		int64_t now = tool_now() - (stream ? GRACE : 0);
		int64_t next, left;
		struct pollfd p[2] = { { tool_wake_fd(), POLLIN, 0 },
			{ stream ? input_fd(w->in) : -1, POLLIN, 0 } };

		if (tool_reloading())
			reload(w);
		/* A slot that is due, or alerts whose rule is gone. */
		step(w, now, RULE_LATEST);
		next = rule_next(w->engine);
		left = next > now ? next - now : 0;
		if (left > 60000)
			left = 60000;
		if (w->blocked)
			left = 1000;
		if (left > 0 && poll(p, 2, (int)left) == -1 && errno != EINTR)
			tool_die(TOOL_FAILED, "poll failed");
		if (p[1].revents == 0)
			continue;
		more = input_read(w->in);
		apply(w, &newest, INT64_MAX, RULE_LATEST);
	}
	if (!tool_stopping())
		step(w, tool_now(), RULE_LATEST);
}

int
eval_rules(const struct eval_options *o)
{
	struct work w = { .o = o, .set = series_new() };
	bool is_replay = o->in.replay;
	struct source src;
	struct error e;

	w.sink = (struct rule_sink){ put_batch, report, &w };
	if (tool_now_fixed() && !o->once && !is_replay)
		tool_die(TOOL_USAGE, "--now with rules needs -1 or --replay");
	if (o->in.url != NULL)
		tool_die(TOOL_USAGE,
		    "-u is for expressions: rules need "
		    "samples, an engine has answers");
	w.in = input_open(&o->in);
	w.keep = input_kind(w.in) == INPUT_STREAM || !o->write || o->dry_run;
	if (!load_config(&w, &e))
		tool_die(TOOL_USAGE, "%s", e.msg);
	/* Without a store there is nothing to do once, and nothing is made. */
	if (o->once && !o->write && input_source(w.in, w.set, &src, &e) == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
	if (!o->dry_run)
		tool_own(tool_dir(o->in.dir), "rules");
	eval_writer_open(&w.writer, o);
	eval_writer_begin(&w.writer);
	if (!is_replay) {
		w.engine = rule_new(
		    w.config.set, o->once ? INT64_MIN / 2 : tool_now());
		load(&w);
	}
	if (is_replay)
		replay(&w);
	else if (o->once)
		once(&w);
	else
		live(&w);
	if (input_bad(w.in) > 0 || w.writer.failed)
		w.status = TOOL_FAILED;
	rule_free(w.engine);
	eval_config_free(&w.config);
	input_close(w.in);
	series_free(w.set);
	eval_writer_close(&w.writer);
	return w.status;
}
