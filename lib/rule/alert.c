/*
 * Alerting rules.  An alert is what a result of the expression becomes: at
 * first pending, firing once it has been there for `for`, resolved when it has
 * gone, and then told for a quarter of an hour more.  A pending one that goes
 * is forgotten.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/num.h"
#include "base/url.h"
#include "metric/expo.h"
#include "rule/rule_impl.h"

const char *
rule_state_text(enum rule_alert_state s)
{
	switch (s) {
	case RULE_INACTIVE:
		return "resolved";
	case RULE_PENDING:
		return "pending";
	case RULE_FIRING:
		return "firing";
	}
	return "";
}

/* The result's labels without its name, the rule's expanded, alertname. */
static struct labels
alert_labels(const struct rule_round *r, const struct promql_series *s)
{
	const struct rule *rule = r->rule;
	struct label_set set;
	struct labels out;

	label_init(&set, s->labels);
	label_unset(&set, LABEL_NAME);
	for (size_t i = 0; i < rule->labels.n; i++)
		label_set(&set, rule->labels.v[i].name,
		    rule_expand(
			r, rule->labels.v[i].value, s->labels, s->v[0]));
	label_set(&set, STR("alertname"), rule->name);
	out = label_done(&set, r->arena);
	label_fini(&set);
	return out;
}

static struct labels
alert_annotations(const struct rule_round *r, const struct promql_series *s)
{
	const struct rule *rule = r->rule;
	struct label_set set = { 0 };
	struct labels out;

	for (size_t i = 0; i < rule->annotations.n; i++)
		label_set(&set, rule->annotations.v[i].name,
		    rule_expand(
			r, rule->annotations.v[i].value, s->labels, s->v[0]));
	out = label_done(&set, r->arena);
	label_fini(&set);
	return out;
}

/* What a result makes of the alert that was there before, or not. */
static struct rule_alert
seen(const struct rule_round *r, const struct rule_alert *was)
{
	bool known = was != NULL && was->state != RULE_INACTIVE;
	struct rule_alert a = { .state = RULE_PENDING,
		.active = r->slot,
		.fired = RULE_NEVER,
		.resolved = RULE_NEVER,
		.keep_since = RULE_NEVER,
		.sent = RULE_NEVER };

	/* Nobody knows whether it was there while nobody looked. */
	if (known && was->state == RULE_PENDING && r->previous != RULE_NEVER &&
	    r->slot - r->previous > RULE_OUTAGE + r->group->interval)
		known = false;
	if (known) {
		a = *was;
		a.keep_since = RULE_NEVER;
	}
	if (r->slot - a.active < r->rule->hold) {
		a.state = RULE_PENDING;
		a.fired = RULE_NEVER;
	} else if (a.state != RULE_FIRING) {
		a.state = RULE_FIRING;
		a.fired = r->slot;
	}
	return a;
}

/* What becomes of an alert without a result; false: it is forgotten. */
static bool
missed(const struct rule_round *r, struct rule_alert *a)
{
	if (a->state == RULE_PENDING)
		return false;
	if (a->state == RULE_INACTIVE)
		return r->slot - a->resolved <= RULE_RETENTION;
	if (r->rule->keep > 0) {
		if (a->keep_since == RULE_NEVER)
			a->keep_since = r->slot;
		if (r->slot - a->keep_since < r->rule->keep)
			return true;
	}
	a->state = RULE_INACTIVE;
	a->resolved = r->slot;
	return true;
}

/* Add to next what a is now; was is what it has been, or NULL. */
static void
add(struct rule_state *next, size_t *cap, struct rule_alert a,
    const struct rule_alert *was)
{
	a.changed = was == NULL || was->changed || was->state != a.state ||
	    was->active != a.active ||
	    !label_eq(was->annotations, a.annotations);
	a.labels = label_dup(&next->arena, a.labels);
	a.annotations = label_dup(&next->arena, a.annotations);
	next->alerts = arena_grow(&next->arena, next->alerts, cap, next->n + 1,
	    sizeof(*next->alerts));
	next->alerts[next->n++] = a;
}

static int
by_labels(const void *a, const void *b)
{
	const struct rule_alert *x = a, *y = b;

	return label_cmp(x->labels, y->labels);
}

/* The next state: first what the results make, then what they left out. */
static int
advance(const struct rule_round *r, const struct promql_series *v, size_t n,
    const struct rule_state *old, struct rule_state *next, struct error *e)
{
	struct map was = { 0 }, now = { 0 };
	struct map_slot *slot;
	size_t cap = 0;
	int rc = 0;

	for (size_t i = 0; i < old->n; i++)
		map_add(&was, rule_key(r->arena, old->alerts[i].labels), NULL)
		    ->v.i = i;
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct labels ls = alert_labels(r, &v[i]);
		const struct rule_alert *before = NULL;
		struct rule_alert a;
		str key = rule_key(r->arena, ls);
		bool fresh;

		(void)map_add(&now, key, &fresh);
		if (!fresh) {
			rc = error_set(e,
			    "vector contains metrics with the same labelset "
			    "after applying alert labels");
			break;
		}
		if ((slot = map_find(&was, key)) != NULL)
			before = &old->alerts[slot->v.i];
		a = seen(r, before);
		a.labels = ls;
		a.annotations = alert_annotations(r, &v[i]);
		a.value = v[i].v[0];
		add(next, &cap, a, before);
	}
	for (size_t i = 0; i < old->n && rc == 0; i++) {
		struct rule_alert a = old->alerts[i];

		if (map_find(&now, rule_key(r->arena, a.labels)) == NULL &&
		    missed(r, &a))
			add(next, &cap, a, &old->alerts[i]);
	}
	map_fini(&was);
	map_fini(&now);
	if (next->n > 1)
		qsort(next->alerts, next->n, sizeof(*next->alerts), by_labels);
	return rc;
}

/* ALERTS{...,alertstate="firing"} and ALERTS_FOR_STATE{...}. */
static void
put_samples(const struct rule_round *r, struct rule_state *next, size_t *cap,
    const struct rule_alert *a)
{
	int64_t since = a->active / 1000; /* whole seconds, as upstream */
	struct label_set set;

	if (a->state == RULE_INACTIVE)
		return;
	label_init(&set, a->labels);
	label_set(&set, LABEL_NAME, STR("ALERTS"));
	label_set(&set, STR("alertstate"), str_of(rule_state_text(a->state)));
	rule_put(r, next, cap, label_done(&set, r->arena), 1, NULL);
	label_fini(&set);
	label_init(&set, a->labels);
	label_set(&set, LABEL_NAME, STR("ALERTS_FOR_STATE"));
	rule_put(r, next, cap, label_done(&set, r->arena), (double)since, NULL);
	label_fini(&set);
}

static bool
to_be_sent(const struct rule_round *r, const struct rule_alert *a)
{
	if (a->changed || a->sent == RULE_NEVER)
		return true;
	return a->state != RULE_PENDING &&
	    r->slot - a->sent >= r->engine->set->opts.resend_delay;
}

/* Until when an alert is firing if nothing more is heard of it. */
static int64_t
ends_at(const struct rule_round *r, const struct rule_alert *a)
{
	int64_t d = r->group->interval;

	if (a->state == RULE_INACTIVE)
		return a->resolved;
	if (d < r->engine->set->opts.resend_delay)
		d = r->engine->set->opts.resend_delay;
	if (r->previous != RULE_NEVER && d < r->slot - r->previous)
		d = r->slot - r->previous;
	return r->slot + 4 * d;
}

int
rule_alert(const struct rule_round *r, const struct rule_state *old,
    struct rule_state *next, struct error *e)
{
	const struct rule_opts *o = &r->engine->set->opts;
	const struct promql_series *v;
	size_t n, active = 0, cap = 0;

	if (rule_query(r, &v, &n, e) == -1 ||
	    advance(r, v, n, old, next, e) == -1)
		return -1;
	for (size_t i = 0; i < next->n; i++)
		active += next->alerts[i].state != RULE_INACTIVE;
	if (r->group->limit > 0 && active > (uint64_t)r->group->limit) {
		next->n = 0; /* as upstream: its alerts are cleared */
		rule_put_stale(r, old, next);
		error_set(e, "exceeded limit of %" PRId64 " with %zu alerts",
		    r->group->limit, active);
		next->error = arena_dup(&next->arena, str_of(e->msg));
		rule_tell(r, e->msg);
		return 0;
	}
	for (size_t i = 0; i < next->n; i++)
		put_samples(r, next, &cap, &next->alerts[i]);
	rule_put_stale(r, old, next);
	for (size_t i = 0; i < next->n; i++) {
		struct rule_alert *a = &next->alerts[i];

		if (!to_be_sent(r, a))
			continue;
		rule_put_alert(
		    o, r->out, a, r->slot, ends_at(r, a), r->rule->text);
		a->sent = r->slot;
		a->changed = false;
	}
	return 0;
}

void
rule_put_alert(const struct rule_opts *o, struct buf *out,
    const struct rule_alert *a, int64_t t, int64_t ends, str expr)
{
	struct expo_key keys[6];
	struct arena arena = { 0 };
	struct label_set set;
	struct buf value = { 0 }, url = { 0 };
	char active[24], fired[24], end[24];
	size_t n = 0;

	snprintf(active, sizeof(active), "%" PRId64, a->active);
	snprintf(fired, sizeof(fired), "%" PRId64, a->fired);
	snprintf(end, sizeof(end), "%" PRId64, ends);
	num_print(&value, a->value);
	keys[n++] = (struct expo_key){ STR("state"),
		str_of(rule_state_text(a->state)), false };
	keys[n++] = (struct expo_key){ STR("activeAt"), str_of(active), false };
	if (a->state != RULE_PENDING) {
		keys[n++] =
		    (struct expo_key){ STR("startsAt"), str_of(fired), false };
		keys[n++] =
		    (struct expo_key){ STR("endsAt"), str_of(end), false };
	}
	keys[n++] = (struct expo_key){ STR("value"), buf_str(&value), false };
	if (o->external_url.n > 0) {
		buf_add(&url, o->external_url);
		buf_z(&url, "/graph?g0.expr=");
		url_escape(&url, expr, "", true);
		buf_z(&url, "&g0.tab=1");
		keys[n++] = (struct expo_key){ STR("generatorURL"),
			buf_str(&url), true };
	}
	label_init(&set, a->labels);
	for (size_t i = 0; i < o->external_labels.n; i++)
		if (label_get(&set, o->external_labels.v[i].name).n == 0)
			label_set(&set, o->external_labels.v[i].name,
			    o->external_labels.v[i].value);
	/* One that no label is left of is none to an Alertmanager either. */
	if ((o->alert_relabel == NULL ||
		relabel_apply(o->alert_relabel, &set, &arena)) &&
	    set.n > 0)
		expo_put_alert(
		    out, label_view(&set), a->annotations, t, keys, n);
	label_fini(&set);
	arena_fini(&arena);
	buf_fini(&value);
	buf_fini(&url);
}
