/*
 * Recording rules, and what every rule does with its result: samples are
 * printed, kept for the rules behind it, and remembered, so that the next
 * evaluation can say which series have ended.
 */
#include <inttypes.h>

#include "base/map.h"
#include "base/num.h"
#include "metric/expo.h"
#include "rule/rule_impl.h"

int
rule_query(const struct rule_round *r, const struct promql_series **v,
    size_t *n, struct error *e)
{
	struct promql_opts o = { .from = r->t,
		.to = r->t,
		.subquery_step = r->engine->set->opts.interval,
		.share = r->share };
	struct promql_result res = { 0 };
	struct promql_series *one;
	double *value;

	/* What this round writes is not in it. */
	if (promql_touches(r->rule->expr, &r->engine->set->names))
		o.share = NULL;
	if (promql_eval(r->rule->expr, r->src, &o, r->arena, &res, e) == -1)
		return -1;
	for (size_t i = 0; i < res.nwarnings; i++) {
		struct error w;

		error_set(&w, "%.*s", STR_ARG(res.warnings[i]));
		rule_tell(r, w.msg);
	}
	switch (res.type) {
	case PROMQL_VECTOR:
		*v = res.v;
		*n = res.n;
		return 0;
	case PROMQL_SCALAR:
		one = arena_new(r->arena, struct promql_series);
		value = arena_new(r->arena, double);
		*value = res.scalar;
		one->v = value;
		one->n = 1;
		*v = one;
		*n = 1;
		return 0;
	case PROMQL_STRING:
	case PROMQL_MATRIX:
		break;
	}
	return error_set(e, "rule result is not a vector or scalar");
}

str
rule_key(struct arena *a, struct labels ls)
{
	struct buf b = { 0 };
	str key;

	label_key(&b, ls);
	key = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return key;
}

static void
put_histogram(
    const struct rule_round *r, struct labels ls, const struct histogram *h)
{
	struct buf text = { 0 };

	histogram_print(&text, h);
	expo_put_hist(r->out, ls, buf_str(&text), r->t);
	(void)series_add_histogram(r->engine->fresh, ls, r->t, h);
	buf_fini(&text);
}

void
rule_put(const struct rule_round *r, struct rule_state *next, size_t *cap,
    struct labels ls, double v, const struct histogram *h)
{
	if (h != NULL)
		put_histogram(r, ls, h);
	else {
		expo_put_sample(r->out, ls, v, r->t);
		(void)series_add(r->engine->fresh, ls, r->t, v);
	}
	next->series = arena_grow(&next->arena, next->series, cap,
	    next->nseries + 1, sizeof(*next->series));
	next->series[next->nseries++] =
	    (struct rule_output){ label_dup(&next->arena, ls), v };
}

void
rule_put_stale(const struct rule_round *r, const struct rule_state *old,
    const struct rule_state *next)
{
	struct map there = { 0 };

	for (size_t i = 0; i < next->nseries; i++)
		(void)map_add(
		    &there, rule_key(r->arena, next->series[i].labels), NULL);
	for (size_t i = 0; i < old->nseries; i++) {
		struct labels ls = old->series[i].labels;

		if (map_find(&there, rule_key(r->arena, ls)) != NULL)
			continue;
		expo_put_stale(r->out, ls, r->t);
		(void)series_add(r->engine->fresh, ls, r->t, num_stale());
	}
	map_fini(&there);
}

/* The labels of a result under the rule's name and labels. */
static struct labels
output_labels(const struct rule_round *r, struct labels in)
{
	const struct rule *rule = r->rule;
	struct label_set set;
	struct labels out;

	label_init(&set, in);
	label_set(&set, LABEL_NAME, rule->name);
	for (size_t i = 0; i < rule->labels.n; i++)
		label_set(
		    &set, rule->labels.v[i].name, rule->labels.v[i].value);
	out = label_done(&set, r->arena);
	label_fini(&set);
	return out;
}

int
rule_record(const struct rule_round *r, const struct rule_state *old,
    struct rule_state *next, struct error *e)
{
	const struct promql_series *v;
	struct labels *out;
	struct map seen = { 0 };
	size_t n, cap = 0;
	bool fresh = true;

	if (rule_query(r, &v, &n, e) == -1)
		return -1;
	if (r->group->limit > 0 && n > (uint64_t)r->group->limit)
		return error_set(e,
		    "exceeded limit of %" PRId64 " with %zu series",
		    r->group->limit, n);
	out = arena_array(r->arena, n, struct labels);
	for (size_t i = 0; i < n && fresh; i++) {
		out[i] = output_labels(r, v[i].labels);
		(void)map_add(&seen, rule_key(r->arena, out[i]), &fresh);
	}
	map_fini(&seen);
	if (!fresh)
		return error_set(e,
		    "vector contains metrics with the same "
		    "labelset after applying rule labels");
	for (size_t i = 0; i < n; i++)
		rule_put(r, next, &cap, out[i], v[i].v[0],
		    v[i].h != NULL ? v[i].h[0] : NULL);
	rule_put_stale(r, old, next);
	return 0;
}
