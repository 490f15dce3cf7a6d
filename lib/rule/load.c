/*
 * Rule files: strict as upstream's rulefmt, and every fault told, each with
 * its place.  Expressions and templates are parsed here, so that what loads
 * can be evaluated.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "rule/rule_impl.h"

struct loader {
	struct rule_set *set;
	struct rule_tmpl *tmpl;
	str path;
	void (*report)(void *arg, const char *msg);
	void *arg;
	size_t faults;
	/* where in the file: for messages */
	str group, rule;
	size_t index; /* of the rule, from 1 */
};

/* What a group and a rule may say. */
struct group_text {
	str name;
	int64_t interval, query_offset, limit;
	const struct conf_node *labels, *rules;
};

struct rule_text {
	str record, alert, expr;
	int64_t hold, keep;
	const struct conf_node *labels, *annotations;
};

#define GROUP(key, type, member)                                               \
	{                                                                      \
		key, type, offsetof(struct group_text, member), false          \
	}
#define RULE(key, type, member)                                                \
	{                                                                      \
		key, type, offsetof(struct rule_text, member), false           \
	}

static const struct conf_field group_fields[] = {
	GROUP("name", CONF_T_STR, name),
	GROUP("interval", CONF_T_DUR, interval),
	GROUP("query_offset", CONF_T_DUR, query_offset),
	GROUP("limit", CONF_T_INT, limit),
	GROUP("labels", CONF_T_NODE, labels),
	GROUP("rules", CONF_T_NODE, rules),
};

static const struct conf_field rule_fields[] = {
	RULE("record", CONF_T_STR, record),
	RULE("alert", CONF_T_STR, alert),
	RULE("expr", CONF_T_STR, expr),
	RULE("for", CONF_T_DUR, hold),
	RULE("keep_firing_for", CONF_T_DUR, keep),
	RULE("labels", CONF_T_NODE, labels),
	RULE("annotations", CONF_T_NODE, annotations),
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void
told(struct loader *l, const struct error *e)
{
	l->faults++;
	if (l->report != NULL)
		l->report(l->arg, e->msg);
}

/* A fault at a node, with the group and rule it is in. */
static void __attribute__((format(printf, 3, 4)))
fault(struct loader *l, const struct conf_node *at, const char *fmt, ...)
{
	struct error why = { "" }, e = { "" };
	char msg[ERROR_MAX / 2];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	error_set(&why, "%s", msg);
	if (l->index > 0)
		error_add(
		    &why, "rule %zu, \"%.*s\"", l->index, STR_ARG(l->rule));
	if (l->group.n > 0)
		error_add(&why, "group \"%.*s\"", STR_ARG(l->group));
	(void)conf_error(at, &e, "%s", why.msg);
	told(l, &e);
}

static bool
is_null(const struct conf_node *n)
{
	return n == NULL || n->kind == CONF_NULL;
}

/*
 * Pairs as a rule file has them.  Not a label set: an empty value stands for
 * itself, it takes the label away from a result.
 */
struct pairs {
	struct label *v;
	size_t n, cap;
};

static void
set_pair(struct loader *l, struct pairs *p, str name, str value)
{
	struct arena *a = &l->set->arena;
	size_t i = 0;

	while (i < p->n && !str_eq(p->v[i].name, name))
		i++;
	if (i == p->n) {
		p->v = arena_grow(a, p->v, &p->cap, p->n + 1, sizeof(*p->v));
		p->v[p->n++].name = arena_dup(a, name);
	}
	p->v[i].value = arena_dup(a, value);
}

/* A map of names to strings added to p; what is wrong is told. */
static void
read_pairs(struct loader *l, const struct conf_node *map, const char *what,
    struct pairs *p)
{
	struct error e;

	if (is_null(map))
		return;
	if (map->kind != CONF_MAP) {
		fault(l, map, "%ss must be a map", what);
		return;
	}
	for (size_t i = 0; i < map->n; i++) {
		const struct conf_node *n = map->v[i];
		bool label = what[0] == 'l';
		str value;

		if (n->key.n == 0 || !str_utf8(n->key) ||
		    (l->set->opts.legacy_names && !label_name_valid(n->key)) ||
		    (label && str_eq(n->key, LABEL_NAME)))
			fault(l, n, "invalid %s name: %.*s", what,
			    STR_ARG(n->key));
		else if (conf_str(n, &value, &e) == -1)
			told(l, &e);
		else if (!str_utf8(value))
			fault(l, n, "invalid %s value: %.*s", what,
			    STR_ARG(value));
		else
			set_pair(l, p, n->key, value);
	}
}

static void
check_templates(struct loader *l, const struct conf_node *map, const char *what)
{
	struct error e;

	for (size_t i = 0; map != NULL && i < map->n; i++)
		if (map->v[i]->kind == CONF_SCALAR &&
		    rule_check_template(
			l->tmpl, l->rule, map->v[i]->value, &e) == -1)
			fault(l, map->v[i], "%s \"%.*s\": %s", what,
			    STR_ARG(map->v[i]->key), e.msg);
}

/* The checks of one kind of rule. */
static void
check_kind(
    struct loader *l, const struct conf_node *n, const struct rule_text *t)
{
	static const char *const alert_only[] = { "for", "keep_firing_for",
		"annotations" };

	if (t->alert.n > 0) {
		check_templates(l, t->labels, "label");
		check_templates(l, t->annotations, "annotation");
		return;
	}
	for (size_t i = 0; i < N(alert_only); i++)
		if (!is_null(conf_find(n, alert_only[i])))
			fault(l, conf_find(n, alert_only[i]),
			    "invalid field '%s' in recording rule",
			    alert_only[i]);
	if (!str_utf8(t->record) ||
	    (l->set->opts.legacy_names && !label_metric_valid(t->record)))
		fault(l, conf_find(n, "record"),
		    "invalid recording rule name: %.*s", STR_ARG(t->record));
	else if (str_chr(t->record, '{') < t->record.n ||
	    str_chr(t->record, '}') < t->record.n)
		fault(l, conf_find(n, "record"),
		    "braces present in the recording rule name; should it be "
		    "in expr?: %.*s",
		    STR_ARG(t->record));
}

static void
read_expr(struct loader *l, const struct conf_node *n,
    const struct rule_text *t, struct rule *r)
{
	struct arena *a = &l->set->arena;
	const struct conf_node *at = conf_find(n, "expr");
	struct buf b = { 0 };
	struct error e;

	if (t->expr.n == 0) {
		fault(
		    l, at != NULL ? at : n, "field 'expr' must be set in rule");
		return;
	}
	r->expr = promql_parse_with(
	    arena_dup(a, t->expr), l->set->opts.features, a, &e);
	if (r->expr == NULL) {
		fault(l, at, "could not parse expression: %s", e.msg);
		return;
	}
	promql_print(&b, r->expr);
	r->text = arena_dup(a, buf_str(&b));
	buf_fini(&b);
}

static void
read_rule(struct loader *l, const struct conf_node *n,
    const struct pairs *group_labels, struct rule *r)
{
	struct arena *a = &l->set->arena;
	struct rule_text t = { 0 };
	struct pairs labels = { 0 }, notes = { 0 };
	struct error e;

	l->rule = STR_NONE;
	if (n->kind != CONF_MAP) {
		fault(l, n, "a rule must be a map");
		return;
	}
	if (conf_read(n, rule_fields, N(rule_fields), &t, &e) == -1) {
		told(l, &e);
		return;
	}
	l->rule = t.alert.n > 0 ? t.alert : t.record;
	r->alerting = t.alert.n > 0;
	r->name = arena_dup(a, l->rule);
	if (!r->alerting)
		(void)map_add(&l->set->names, r->name, NULL);
	r->hold = t.hold;
	r->keep = t.keep;
	if (t.record.n > 0 && t.alert.n > 0)
		fault(l, n, "only one of 'record' and 'alert' must be set");
	else if (l->rule.n == 0)
		fault(l, n, "one of 'record' or 'alert' must be set");
	else
		check_kind(l, n, &t);
	read_expr(l, n, &t, r);
	for (size_t i = 0; i < group_labels->n; i++)
		set_pair(l, &labels, group_labels->v[i].name,
		    group_labels->v[i].value);
	read_pairs(l, t.labels, "label", &labels);
	read_pairs(l, t.annotations, "annotation", &notes);
	r->labels = (struct labels){ labels.v, labels.n };
	r->annotations = (struct labels){ notes.v, notes.n };
}

static bool
repeated(const struct loader *l, str name)
{
	for (size_t i = 0; i < l->set->n; i++)
		if (str_eq(l->set->groups[i].file, l->path) &&
		    str_eq(l->set->groups[i].name, name))
			return true;
	return false;
}

/* Where in its interval a group's slots lie: the same on every machine. */
static int64_t
phase_of(const struct rule_group *g)
{
	struct buf b = { 0 };
	uint64_t h;

	buf_add(&b, g->file);
	buf_byte(&b, '\0');
	buf_add(&b, g->name);
	h = str_hash(buf_str(&b));
	buf_fini(&b);
	return (int64_t)(h % (uint64_t)g->interval);
}

static void
read_rules(struct loader *l, const struct group_text *t,
    const struct pairs *labels, struct rule_group *g)
{
	if (is_null(t->rules))
		return;
	if (t->rules->kind != CONF_LIST) {
		fault(l, t->rules, "rules must be a list");
		return;
	}
	g->rules = arena_array(&l->set->arena, t->rules->n, struct rule);
	for (size_t i = 0; i < t->rules->n; i++) {
		l->index = i + 1;
		read_rule(l, t->rules->v[i], labels, &g->rules[g->n++]);
	}
	l->index = 0;
}

static void
read_group(struct loader *l, const struct conf_node *n)
{
	struct rule_set *s = l->set;
	const struct rule_opts *o = &s->opts;
	struct group_text t = { .query_offset = o->query_offset };
	struct pairs labels = { 0 };
	struct rule_group g = { 0 };
	struct error e;

	l->group = STR_NONE;
	if (n->kind != CONF_MAP) {
		fault(l, n, "a group must be a map");
		return;
	}
	if (conf_read(n, group_fields, N(group_fields), &t, &e) == -1) {
		told(l, &e);
		return;
	}
	if (t.name.n == 0)
		fault(l, n, "Groupname must not be empty");
	if (repeated(l, t.name))
		fault(l, conf_find(n, "name"),
		    "groupname: \"%.*s\" is repeated in the same file",
		    STR_ARG(t.name));
	l->group = t.name;
	if (t.limit < 0)
		fault(l, conf_find(n, "limit"), "limit must not be negative");
	g.file = l->path;
	g.name = arena_dup(&s->arena, t.name);
	g.interval = t.interval > 0 ? t.interval : o->interval;
	g.query_offset = t.query_offset;
	g.limit = t.limit;
	g.phase = phase_of(&g);
	read_pairs(l, t.labels, "label", &labels);
	read_rules(l, &t, &labels, &g);
	s->groups = mem_grow(s->groups, &s->cap, s->n + 1, sizeof(*s->groups));
	s->groups[s->n++] = g;
}

size_t
rule_add(struct rule_set *s, str path, const struct conf *c,
    void (*report)(void *arg, const char *msg), void *arg)
{
	static const struct conf_field fields[] = {
		{ "groups", CONF_T_NODE, 0, false },
	};
	struct loader l = { .set = s, .report = report, .arg = arg };
	const struct conf_node *root = conf_root(c), *groups = NULL;
	struct error e;

	l.path = arena_dup(&s->arena, path);
	l.tmpl = rule_tmpl_new();
	if (root->kind == CONF_NULL)
		groups = NULL; /* an empty file has no rules */
	else if (root->kind != CONF_MAP)
		fault(&l, root, "a rule file must be a map");
	else if (conf_read(root, fields, N(fields), &groups, &e) == -1)
		told(&l, &e);
	else if (!is_null(groups) && groups->kind != CONF_LIST)
		fault(&l, groups, "groups must be a list");
	else if (!is_null(groups))
		for (size_t i = 0; i < groups->n; i++)
			read_group(&l, groups->v[i]);
	rule_tmpl_free(l.tmpl);
	return l.faults;
}

struct rule_set *
rule_set_new(const struct rule_opts *o)
{
	struct rule_set *s = mem_zero(1, sizeof(*s));

	s->opts = *o;
	(void)map_add(&s->names, STR("ALERTS"), NULL);
	(void)map_add(&s->names, STR("ALERTS_FOR_STATE"), NULL);
	if (s->opts.interval <= 0)
		s->opts.interval = 60000;
	if (s->opts.resend_delay <= 0)
		s->opts.resend_delay = 60000;
	s->opts.external_labels = label_dup(&s->arena, o->external_labels);
	s->opts.external_url = arena_dup(&s->arena, o->external_url);
	return s;
}

void
rule_set_free(struct rule_set *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < s->groups[i].n; k++)
			promql_free(s->groups[i].rules[k].expr);
	free(s->groups);
	map_fini(&s->names);
	arena_fini(&s->arena);
	free(s);
}

size_t
rule_count(const struct rule_set *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->groups[i].n;
	return n;
}

size_t
rule_groups(const struct rule_set *s)
{
	return s->n;
}

/* A template's query() is not seen here: it has at least the lookback. */
bool
rule_reach(const struct rule_set *s, int64_t *back)
{
	bool bounded = true;

	*back = 0;
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < s->groups[i].n; k++) {
			int64_t b = 0, ahead = 0;

			if (s->groups[i].rules[k].expr == NULL ||
			    !promql_reach(
				s->groups[i].rules[k].expr, 0, &b, &ahead)) {
				bounded = false;
				continue;
			}
			b += s->groups[i].query_offset;
			if (b > *back)
				*back = b;
		}
	return bounded;
}
