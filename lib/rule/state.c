/*
 * The state as mf text: a batch a rule, at the slot of its last evaluation,
 * with its alerts as ALERT lines (some keys more than on the stream) and what
 * it wrote last as samples.  So it can be read by eye, by grep and by mf-serve.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "metric/batch.h"
#include "rule/rule_impl.h"

#define LAST_TIME INT64_C(253402300800000) /* the year 10000 */

static struct expo_key
key_int(struct arena *a, const char *name, int64_t v)
{
	return (struct expo_key){ str_of(name), arena_printf(a, "%" PRId64, v),
		false };
}

static void
save_alert(
    struct arena *a, const struct rule_alert *x, int64_t t, struct buf *out)
{
	struct expo_key k[9];
	struct buf value = { 0 };
	size_t n = 0;

	num_print(&value, x->value);
	k[n++] = (struct expo_key){ STR("state"),
		str_of(rule_state_text(x->state)), false };
	k[n++] = key_int(a, "activeAt", x->active);
	if (x->fired != RULE_NEVER)
		k[n++] = key_int(a, "startsAt", x->fired);
	if (x->resolved != RULE_NEVER)
		k[n++] = key_int(a, "endsAt", x->resolved);
	k[n++] = (struct expo_key){ STR("value"), buf_str(&value), false };
	if (x->keep_since != RULE_NEVER)
		k[n++] = key_int(a, "keepFiringSince", x->keep_since);
	if (x->sent != RULE_NEVER)
		k[n++] = key_int(a, "sentAt", x->sent);
	if (x->changed)
		k[n++] = key_int(a, "changed", 1);
	expo_put_alert(out, x->labels, x->annotations, t, k, n);
	buf_fini(&value);
}

/* The rule's own labels as text: part of what it is known by. */
static str
labels_text(struct arena *a, const struct rule *r)
{
	struct buf b = { 0 };
	str s;

	label_print_set(&b, r->labels);
	s = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return s;
}

/* What a rule is known by, in its batch. */
struct head {
	str file, group, kind, name, labels, expr;
};

static void
save_state(const struct head *h, const struct rule_state *s, int64_t slot,
    int64_t t, struct buf *out)
{
	struct label v[] = { { STR("rule_file"), h->file },
		{ STR("rule_group"), h->group } };
	struct expo_key k[] = { { STR("kind"), h->kind, false },
		{ STR("name"), h->name, true },
		{ STR("labels"), h->labels, true },
		{ STR("expr"), h->expr, true },
		{ STR("error"), s->error, true } };
	struct arena a = { 0 };

	expo_put_batch(
	    out, (struct labels){ v, 2 }, slot, k, s->error.n > 0 ? 5 : 4);
	for (size_t i = 0; i < s->nseries; i++)
		expo_put_sample(out, s->series[i].labels, s->series[i].v, t);
	for (size_t i = 0; i < s->n; i++)
		save_alert(&a, &s->alerts[i], slot, out);
	expo_put_eof(out);
	arena_fini(&a);
}

static void
save_group(const struct rule_group *g, const struct rule_group_state *s,
    struct buf *out)
{
	struct head h = { .file = g->file, .group = g->name };
	struct rule_state none = { 0 };
	struct arena a = { 0 };

	if (s->last == RULE_NEVER)
		return;
	for (size_t k = 0; k < g->n; k++) {
		const struct rule *r = &g->rules[k];

		h.kind = r->alerting ? STR("alert") : STR("record");
		h.name = r->name;
		h.labels = labels_text(&a, r);
		h.expr = r->text;
		save_state(
		    &h, &s->rules[k], s->last, s->last - g->query_offset, out);
	}
	/* A group without rules has slots all the same. */
	h.kind = STR("group");
	if (g->n == 0)
		save_state(&h, &none, s->last, s->last, out);
	arena_fini(&a);
}

void
rule_save(const struct rule_engine *r, struct buf *out)
{
	for (size_t i = 0; i < r->set->n; i++)
		save_group(&r->set->groups[i], &r->groups[i], out);
	/* Nobody has resolved these yet: their group was not due. */
	for (size_t i = 0; i < r->norphans; i++) {
		const struct rule_orphan *o = &r->orphans[i];
		struct head h = { o->file, o->group, o->kind, o->name,
			o->labels, o->expr };

		save_state(&h, &o->state, o->t, o->t, out);
	}
}

/* What a batch of the state says. */
struct reading {
	struct rule_engine *engine;
	struct arena arena; /* of this batch's matching */
	bool *taken;        /* rules that have their state, of all groups */
};

static str
batch_key(const struct batch *b, const char *name)
{
	for (size_t i = 0; i < b->nkeys; i++)
		if (str_eq(b->keys[i].name, str_of(name)))
			return b->keys[i].value;
	return STR_NONE;
}

/* Times of the state are reckoned with: none that would overflow. */
static bool
time_sound(int64_t t)
{
	return t > -LAST_TIME && t < LAST_TIME;
}

static int64_t
item_int(const struct expo_item *x, const char *name)
{
	int64_t v;

	if (num_parse_int(expo_key(x, str_of(name)), &v) == -1 ||
	    !time_sound(v))
		return RULE_NEVER;
	return v;
}

static void
load_alert(const struct expo_item *x, struct rule_state *s, size_t *cap)
{
	static const enum rule_alert_state states[] = { RULE_INACTIVE,
		RULE_PENDING, RULE_FIRING };
	struct rule_alert a = { .active = item_int(x, "activeAt"),
		.fired = item_int(x, "startsAt"),
		.resolved = item_int(x, "endsAt"),
		.keep_since = item_int(x, "keepFiringSince"),
		.sent = item_int(x, "sentAt") };
	bool known = false;

	for (size_t i = 0; i < 3; i++)
		if (str_eq(expo_key(x, STR("state")),
			str_of(rule_state_text(states[i])))) {
			a.state = states[i];
			known = true;
		}
	/* A line edited into nonsense is no alert. */
	if (!known || a.active == RULE_NEVER ||
	    (a.state != RULE_PENDING && a.fired == RULE_NEVER) ||
	    (a.state == RULE_INACTIVE && a.resolved == RULE_NEVER))
		return;
	(void)num_parse(expo_key(x, STR("value")), &a.value);
	a.changed = expo_key(x, STR("changed")).n > 0;
	a.labels = label_dup(&s->arena, x->labels);
	a.annotations = label_dup(&s->arena, x->extra);
	s->alerts =
	    arena_grow(&s->arena, s->alerts, cap, s->n + 1, sizeof(*s->alerts));
	s->alerts[s->n++] = a;
}

static void
load_state(const struct batch *b, struct rule_state *s)
{
	size_t cap = 0, scap = 0;

	rule_state_free(s);
	*s = (struct rule_state){ 0 };
	s->error = arena_dup(&s->arena, batch_key(b, "error"));
	for (size_t i = 0; i < b->n; i++) {
		const struct expo_item *x = &b->v[i];

		if (x->kind == EXPO_ALERT)
			load_alert(x, s, &cap);
		if (x->kind != EXPO_SAMPLE)
			continue;
		s->series = arena_grow(&s->arena, s->series, &scap,
		    s->nseries + 1, sizeof(*s->series));
		s->series[s->nseries++] =
		    (struct rule_output){ label_dup(&s->arena, x->labels),
			    x->v };
	}
}

/* The group a batch is of, or SIZE_MAX. */
static size_t
find_group(const struct rule_engine *r, const struct batch *b)
{
	str file = label_find(b->labels, STR("rule_file"));
	str name = label_find(b->labels, STR("rule_group"));

	for (size_t i = 0; i < r->set->n; i++)
		if (str_eq(r->set->groups[i].file, file) &&
		    str_eq(r->set->groups[i].name, name))
			return i;
	return SIZE_MAX;
}

/* The first rule of the group that is it and has no state yet. */
static size_t
find_rule(struct reading *rd, size_t group, size_t base, const struct batch *b)
{
	const struct rule_group *g = &rd->engine->set->groups[group];
	bool alerting = str_eq(batch_key(b, "kind"), STR("alert"));

	for (size_t k = 0; k < g->n; k++)
		if (!rd->taken[base + k] && g->rules[k].alerting == alerting &&
		    str_eq(g->rules[k].name, batch_key(b, "name")) &&
		    str_eq(labels_text(&rd->arena, &g->rules[k]),
			batch_key(b, "labels")))
			return k;
	return SIZE_MAX;
}

static void
load_orphan(struct rule_engine *r, size_t group, const struct batch *b)
{
	struct arena *a = &r->arena;
	struct rule_orphan *o;

	r->orphans = mem_grow(
	    r->orphans, &r->orphans_cap, r->norphans + 1, sizeof(*r->orphans));
	o = &r->orphans[r->norphans++];
	*o = (struct rule_orphan){ .at = group, .t = b->t };
	o->file = arena_dup(a, label_find(b->labels, STR("rule_file")));
	o->group = arena_dup(a, label_find(b->labels, STR("rule_group")));
	o->kind = arena_dup(a, batch_key(b, "kind"));
	o->name = arena_dup(a, batch_key(b, "name"));
	o->labels = arena_dup(a, batch_key(b, "labels"));
	o->expr = arena_dup(a, batch_key(b, "expr"));
	load_state(b, &o->state);
}

static void
load_batch(struct reading *rd, const struct batch *b)
{
	struct rule_engine *r = rd->engine;
	size_t g = find_group(r, b), k = SIZE_MAX, base = 0;

	for (size_t i = 0; g != SIZE_MAX && i < g; i++)
		base += r->set->groups[i].n;
	if (g != SIZE_MAX) {
		r->groups[g].last = b->t;
		k = find_rule(rd, g, base, b);
	}
	if (k != SIZE_MAX) {
		rd->taken[base + k] = true;
		load_state(b, &r->groups[g].rules[k]);
		return;
	}
	if (!str_eq(batch_key(b, "kind"), STR("group")))
		load_orphan(r, g, b);
}

static void
first_fault(void *arg, const char *msg)
{
	struct error *e = arg;

	if (e->msg[0] == '\0')
		error_set(e, "%s", msg);
}

int
rule_load(struct rule_engine *r, str text, struct error *e)
{
	struct reading rd = { .engine = r };
	struct error why = { "" };
	struct batch_reader *in;
	struct batch b;
	int rc = 0;

	in = batch_new(EXPO_MF, 0, false, first_fault, &why);
	rd.taken = mem_zero(rule_count(r->set) + 1, sizeof(*rd.taken));
	batch_feed(in, text);
	batch_end(in);
	while (batch_next(in, &b) == 1)
		if (b.opened && time_sound(b.t))
			load_batch(&rd, &b);
	if (batch_bad(in) > 0)
		rc = error_set(e, "%s", why.msg);
	batch_free(in);
	arena_fini(&rd.arena);
	free(rd.taken);
	r->changed = false;
	return rc;
}

/* Its firing alerts are resolved, once; its series end. */
void
rule_put_orphan(const struct rule_engine *r, struct buf *out,
    const struct rule_orphan *o, int64_t t)
{
	for (size_t i = 0; i < o->state.nseries; i++)
		expo_put_stale(out, o->state.series[i].labels, t);
	for (size_t i = 0; i < o->state.n; i++) {
		struct rule_alert a = o->state.alerts[i];

		if (a.state != RULE_FIRING)
			continue;
		a.state = RULE_INACTIVE;
		a.resolved = t;
		rule_put_alert(&r->set->opts, out, &a, t, t, o->expr);
	}
}
