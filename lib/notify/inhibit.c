/*
 * Inhibition: a firing source silences targets that have the same values of
 * the labels in "equal" (a label that is missing is an empty one).  A target
 * that is a source itself needs one that is not also a target.  The sources
 * of all rules are gathered once for a step.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "notify/impl.h"

struct keys {
	const struct conf_node *name, *source, *source_match, *source_re,
	    *target, *target_match, *target_re, *equal;
};

#define KEY(name, member)                                                      \
	{                                                                      \
		name, CONF_T_NODE, offsetof(struct keys, member), false        \
	}

static const struct conf_field fields[] = {
	KEY("name", name),
	KEY("source_matchers", source),
	KEY("source_match", source_match),
	KEY("source_match_re", source_re),
	KEY("target_matchers", target),
	KEY("target_match", target_match),
	KEY("target_match_re", target_re),
	KEY("equal", equal),
};

static int
load_equal(struct arena *a, const struct conf_node *n, struct inhibit *out,
    struct error *e)
{
	if (n == NULL || n->kind == CONF_NULL)
		return 0;
	if (n->kind != CONF_LIST)
		return conf_error(n, e, "equal must be a list of labels");
	out->equal = arena_array(a, n->n, str);
	for (size_t i = 0; i < n->n; i++) {
		if (conf_str(n->v[i], &out->equal[i], e) == -1)
			return -1;
		if (out->equal[i].n == 0)
			return conf_error(n->v[i], e,
			    "invalid label name \"\" in equal list");
		out->nequal++;
	}
	return 0;
}

static int
load_one(struct notify_config *c, const struct conf_node *n,
    struct inhibit *out, struct error *e)
{
	struct arena *a = &c->arena;
	struct keys k = { 0 };
	str name;

	notify_config_own(c, &out->source);
	notify_config_own(c, &out->target);
	if (conf_read(n, fields, sizeof(fields) / sizeof(fields[0]), &k, e) ==
		-1 ||
	    (k.name != NULL && conf_str(k.name, &name, e) == -1) ||
	    notify_matchers_list(a, k.source, &out->source, e) == -1 ||
	    notify_matchers_map(a, k.source_match, false, &out->source, e) ==
		-1 ||
	    notify_matchers_map(a, k.source_re, true, &out->source, e) == -1 ||
	    notify_matchers_list(a, k.target, &out->target, e) == -1 ||
	    notify_matchers_map(a, k.target_match, false, &out->target, e) ==
		-1 ||
	    notify_matchers_map(a, k.target_re, true, &out->target, e) == -1)
		return -1;
	return load_equal(a, k.equal, out, e);
}

int
notify_inhibits_load(
    struct notify_config *c, const struct conf_node *n, struct error *e)
{
	if (n == NULL || n->kind == CONF_NULL)
		return 0;
	if (n->kind != CONF_LIST)
		return conf_error(n, e, "inhibit_rules must be a list");
	c->inhibits = arena_array(&c->arena, n->n, struct inhibit);
	for (; c->ninhibits < n->n; c->ninhibits++)
		if (load_one(c, n->v[c->ninhibits], &c->inhibits[c->ninhibits],
			e) == -1)
			return -1;
	return 0;
}

/* By rule and equal values: 1 there is a source, 2 one that is no target. */
struct inhibited {
	struct map map;
	struct arena arena;
};

static void
make_key(struct buf *b, const struct inhibit *rule, size_t i, struct labels ls)
{
	buf_reset(b);
	buf_printf(b, "%zu", i);
	for (size_t k = 0; k < rule->nequal; k++) {
		buf_byte(b, '\0');
		buf_add(b, label_find(ls, rule->equal[k]));
	}
}

struct inhibited *
notify_inhibited_new(const struct notify *n, int64_t now)
{
	const struct notify_config *c = n->config;
	struct inhibited *x = mem_zero(1, sizeof(*x));
	struct buf b = { 0 };

	arena_init(&x->arena);
	map_init(&x->map);
	for (struct map_slot *m = map_next(&n->alerts, NULL);
	     m != NULL && c->ninhibits > 0; m = map_next(&n->alerts, m)) {
		const struct content *a = ((struct alert *)m->v.p)->c;

		if (a->ends <= now)
			continue;
		for (size_t i = 0; i < c->ninhibits; i++) {
			const struct inhibit *r = &c->inhibits[i];
			struct map_slot *slot;
			bool fresh;

			if (!match_all(r->source.v, r->source.n, a->labels))
				continue;
			make_key(&b, r, i, a->labels);
			slot = map_add(&x->map, buf_str(&b), &fresh);
			if (fresh)
				slot->key = arena_dup(&x->arena, buf_str(&b));
			slot->v.i |= 1;
			if (!match_all(r->target.v, r->target.n, a->labels))
				slot->v.i |= 2;
		}
	}
	buf_fini(&b);
	return x;
}

bool
notify_inhibited(
    const struct inhibited *x, const struct notify *n, struct labels ls)
{
	const struct notify_config *c = n->config;
	struct buf b = { 0 };
	bool yes = false;

	for (size_t i = 0; i < c->ninhibits && !yes; i++) {
		const struct inhibit *r = &c->inhibits[i];
		struct map_slot *slot;

		if (!match_all(r->target.v, r->target.n, ls))
			continue;
		make_key(&b, r, i, ls);
		if ((slot = map_find(&x->map, buf_str(&b))) == NULL)
			continue;
		yes = match_all(r->source.v, r->source.n, ls)
		    ? (slot->v.i & 2) != 0
		    : true;
	}
	buf_fini(&b);
	return yes;
}

void
notify_inhibited_free(struct inhibited *x)
{
	if (x == NULL)
		return;
	map_fini(&x->map);
	arena_fini(&x->arena);
	free(x);
}
