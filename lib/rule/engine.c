/*
 * The engine: which groups are due, their rounds in order of time, and what
 * stands in a round's batch.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "rule/rule_impl.h"

/* What a template's query() may look back, whatever the expressions do. */
#define LOOKBACK INT64_C(300000)

struct rule_engine *
rule_new(const struct rule_set *s, int64_t start)
{
	struct rule_engine *r = mem_zero(1, sizeof(*r));

	r->set = s;
	r->start = start;
	r->groups = mem_zero(s->n + 1, sizeof(*r->groups));
	for (size_t i = 0; i < s->n; i++) {
		r->groups[i].last = RULE_NEVER;
		r->groups[i].rules =
		    mem_zero(s->groups[i].n + 1, sizeof(*r->groups[i].rules));
	}
	r->fresh = series_new();
	if (!rule_reach(s, &r->back))
		r->back = INT64_MAX;
	else if (r->back < LOOKBACK)
		r->back = LOOKBACK;
	r->tmpl = rule_tmpl_new();
	return r;
}

void
rule_state_free(struct rule_state *s)
{
	arena_fini(&s->arena);
}

void
rule_free(struct rule_engine *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->set->n; i++) {
		for (size_t k = 0; k < r->set->groups[i].n; k++)
			rule_state_free(&r->groups[i].rules[k]);
		free(r->groups[i].rules);
	}
	for (size_t i = 0; i < r->norphans; i++)
		rule_state_free(&r->orphans[i].state);
	free(r->groups);
	free(r->orphans);
	arena_fini(&r->arena);
	series_free(r->fresh);
	rule_tmpl_free(r->tmpl);
	free(r);
}

bool
rule_changed(const struct rule_engine *r)
{
	return r->changed;
}

void
rule_saved(struct rule_engine *r)
{
	r->changed = false;
}

static int64_t
slot_before(const struct rule_group *g, int64_t t)
{
	int64_t rest = (t - g->phase) % g->interval;

	return t - (rest < 0 ? rest + g->interval : rest);
}

static int64_t
slot_after(const struct rule_group *g, int64_t t)
{
	int64_t slot = slot_before(g, t);

	return slot < t ? slot + g->interval : slot;
}

/* The slot a group is evaluated at next. */
static int64_t
next_slot(const struct rule_engine *r, size_t i)
{
	const struct rule_group *g = &r->set->groups[i];
	int64_t last = r->groups[i].last, slot;

	slot = slot_after(g, r->start);
	if (last != RULE_NEVER && last >= slot)
		slot = slot_after(g, last + 1);
	return slot;
}

int64_t
rule_next(const struct rule_engine *r)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < r->set->n; i++) {
		int64_t slot = next_slot(r, i);

		if (slot < least)
			least = slot;
	}
	return least;
}

void
rule_tell(const struct rule_round *r, const char *msg)
{
	struct error e;

	error_set(&e, "%.*s: group \"%.*s\", rule %zu, \"%.*s\": %s",
	    STR_ARG(r->group->file), STR_ARG(r->group->name),
	    (size_t)(r->rule - r->group->rules) + 1, STR_ARG(r->rule->name),
	    msg);
	if (r->sink->report != NULL)
		r->sink->report(r->sink->arg, e.msg);
}

/* old as it is, in next: what a failed evaluation leaves. */
static void
copy_state(const struct rule_state *old, struct rule_state *next)
{
	struct arena *a = &next->arena;

	next->alerts = arena_array(a, old->n, struct rule_alert);
	next->n = old->n;
	for (size_t i = 0; i < old->n; i++) {
		next->alerts[i] = old->alerts[i];
		next->alerts[i].labels = label_dup(a, old->alerts[i].labels);
		next->alerts[i].annotations =
		    label_dup(a, old->alerts[i].annotations);
	}
	next->series = arena_array(a, old->nseries, struct rule_output);
	next->nseries = old->nseries;
	for (size_t i = 0; i < old->nseries; i++) {
		next->series[i].labels = label_dup(a, old->series[i].labels);
		next->series[i].v = old->series[i].v;
	}
}

static void
run_rule(struct rule_round *r, struct rule_state *state)
{
	struct rule_state next = { 0 };
	struct error e = { "" };
	size_t mark = r->out->n;
	int rc;

	if (r->rule->alerting)
		rc = rule_alert(r, state, &next, &e);
	else
		rc = rule_record(r, state, &next, &e);
	if (rc == -1) {
		r->out->n = mark;
		rule_state_free(&next);
		next = (struct rule_state){ 0 };
		copy_state(state, &next);
		next.error = arena_dup(&next.arena, str_of(e.msg));
		rule_tell(r, e.msg);
	}
	rule_state_free(state);
	*state = next;
}

static void
put_orphans(struct rule_engine *r, size_t at, struct buf *out, int64_t t)
{
	size_t n = 0;

	for (size_t i = 0; i < r->norphans; i++) {
		if (r->orphans[i].at != at) {
			r->orphans[n++] = r->orphans[i];
			continue;
		}
		rule_put_orphan(r, out, &r->orphans[i], t);
		rule_state_free(&r->orphans[i].state);
		r->changed = true;
	}
	r->norphans = n;
}

static void
put_metadata(struct rule_engine *r, size_t i, struct buf *out)
{
	const struct rule_group *g = &r->set->groups[i];
	bool alerting = false;

	for (size_t k = 0; k < g->n; k++)
		alerting = alerting || g->rules[k].alerting;
	if (!alerting || r->groups[i].announced)
		return;
	expo_put_help(
	    out, STR("ALERTS"), STR("Alerts that are pending or firing."));
	expo_put_type(out, STR("ALERTS"), STR("gauge"));
	expo_put_help(out, STR("ALERTS_FOR_STATE"),
	    STR("Since when an alert is active, in seconds since 1970."));
	expo_put_type(out, STR("ALERTS_FOR_STATE"), STR("gauge"));
	r->groups[i].announced = true;
}

static void
put_head(struct buf *out, str file, str group, int64_t t)
{
	struct label v[] = { { STR("rule_file"), file },
		{ STR("rule_group"), group } };

	expo_put_batch(out, (struct labels){ v, 2 }, t, NULL, 0);
}

/* Results stay where later rounds find them, or are with the store now. */
static void
settle(struct rule_engine *r, int64_t t)
{
	if (!r->set->opts.keep_results) {
		if (series_count(r->fresh) == 0)
			return;
		series_free(r->fresh);
		r->fresh = series_new();
	} else if (r->back != INT64_MAX) {
		series_drop(r->fresh, t - r->back);
	}
}

/* A group's round at a slot. */
static void
run_group(struct rule_engine *r, size_t i, const struct source *src,
    int64_t slot, const struct rule_sink *sink)
{
	const struct rule_group *g = &r->set->groups[i];
	struct rule_group_state *state = &r->groups[i];
	struct source fresh = series_source(r->fresh), both;
	struct promql_share *share = promql_share_new(src, 0);
	struct source base = promql_share_source(share);
	struct rule_overlay overlay = { &base, &fresh, &r->set->names };
	struct arena arena = { 0 };
	struct buf out = { 0 };
	struct rule_round round = { .engine = r,
		.group = g,
		.src = &both,
		.share = share,
		.slot = slot,
		.t = slot - g->query_offset,
		.previous = state->last,
		.arena = &arena,
		.out = &out,
		.sink = sink };

	struct promql_opts opts = { .from = round.t, .to = round.t };

	both = rule_overlay_source(&overlay);
	for (size_t k = 0; k < g->n; k++)
		promql_share_expect(share, g->rules[k].expr, &opts);
	put_head(&out, g->file, g->name, slot);
	put_metadata(r, i, &out);
	source_hold(src, true);
	for (size_t k = 0; k < g->n; k++) {
		round.rule = &g->rules[k];
		run_rule(&round, &state->rules[k]);
		arena_reset(&arena);
	}
	source_hold(src, false);
	promql_share_free(share);
	put_orphans(r, i, &out, slot);
	expo_put_eof(&out);
	state->last = slot;
	r->changed = true;
	sink->batch(sink->arg, buf_str(&out));
	settle(r, slot);
	buf_fini(&out);
	arena_fini(&arena);
}

/* Orphans whose group is gone too: a batch of their own, at now. */
static void
run_orphans(struct rule_engine *r, int64_t now, const struct rule_sink *sink)
{
	while (r->norphans > 0) {
		struct rule_orphan *o = NULL;
		struct buf out = { 0 };
		str file, group;
		size_t n = 0;

		for (size_t i = 0; i < r->norphans && o == NULL; i++)
			if (r->orphans[i].at == SIZE_MAX)
				o = &r->orphans[i];
		if (o == NULL)
			return;
		file = o->file;
		group = o->group;
		put_head(&out, file, group, now);
		for (size_t i = 0; i < r->norphans; i++) {
			o = &r->orphans[i];
			if (o->at == SIZE_MAX && str_eq(o->file, file) &&
			    str_eq(o->group, group)) {
				rule_put_orphan(r, &out, o, now);
				rule_state_free(&o->state);
			} else {
				r->orphans[n++] = *o;
			}
		}
		r->norphans = n;
		r->changed = true;
		expo_put_eof(&out);
		sink->batch(sink->arg, buf_str(&out));
		buf_fini(&out);
	}
}

size_t
rule_step(struct rule_engine *r, const struct source *src, int64_t now,
    enum rule_mode mode, const struct rule_sink *sink)
{
	size_t rounds = 0;

	for (;;) {
		size_t first = SIZE_MAX;
		int64_t least = INT64_MAX;

		for (size_t i = 0; i < r->set->n; i++) {
			int64_t slot = next_slot(r, i);

			if (slot > now)
				continue;
			if (mode == RULE_LATEST)
				slot = slot_before(&r->set->groups[i], now);
			if (first == SIZE_MAX || slot < least) {
				first = i;
				least = slot;
			}
		}
		if (first == SIZE_MAX)
			break;
		run_group(r, first, src, least, sink);
		rounds++;
	}
	run_orphans(r, now, sink);
	return rounds;
}
