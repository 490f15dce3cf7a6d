/*
 * The routing tree: loaded with what children inherit filled in, walked depth
 * first, printed.  A route's key is part of every identity upstream hands out
 * (PagerDuty's, mail threads'), so it is made byte for byte as there.
 */
#include <stdlib.h>

#include "base/dur.h"
#include "base/mem.h"
#include "base/quote.h"
#include "notify/impl.h"

#define MAX_DEPTH 64

struct keys {
	const struct conf_node *receiver, *group_by, *matchers, *match,
	    *match_re, *cont, *labels, *group_wait, *group_interval,
	    *repeat_interval, *mute, *active, *routes;
};

#define KEY(name, member)                                                      \
	{                                                                      \
		name, CONF_T_NODE, offsetof(struct keys, member), false        \
	}

static const struct conf_field fields[] = {
	KEY("receiver", receiver),
	KEY("group_by", group_by),
	KEY("matchers", matchers),
	KEY("match", match),
	KEY("match_re", match_re),
	KEY("continue", cont),
	KEY("labels", labels),
	KEY("group_wait", group_wait),
	KEY("group_interval", group_interval),
	KEY("repeat_interval", repeat_interval),
	KEY("mute_time_intervals", mute),
	KEY("active_time_intervals", active),
	KEY("routes", routes),
};

static bool
given(const struct conf_node *n)
{
	return n != NULL && n->kind != CONF_NULL;
}

static int
cmp_str(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

static int
load_group_by(struct arena *a, const struct conf_node *n, struct route *r,
    struct error *e)
{
	size_t dots = 0;

	if (n->kind != CONF_LIST)
		return conf_error(n, e, "group_by must be a list of strings");
	r->group_by_all = false;
	r->ngroup_by = 0;
	r->group_by = arena_array(a, n->n, str);
	for (size_t i = 0; i < n->n; i++) {
		str s;

		if (conf_str(n->v[i], &s, e) == -1)
			return -1;
		if (str_eq(s, STR("..."))) {
			dots++;
			continue;
		}
		if (s.n == 0)
			return conf_error(n->v[i], e,
			    "invalid label name \"\" in group_by list");
		for (size_t k = 0; k < r->ngroup_by; k++)
			if (str_eq(r->group_by[k], s))
				return conf_error(n->v[i], e,
				    "duplicated label \"%.*s\" in group_by",
				    STR_ARG(s));
		r->group_by[r->ngroup_by++] = s;
	}
	if (dots > 0 && r->ngroup_by > 0)
		return conf_error(n, e,
		    "cannot have wildcard group_by (`...`) "
		    "and other labels at the same time");
	r->group_by_all = dots > 0;
	if (r->ngroup_by > 1)
		qsort(r->group_by, r->ngroup_by, sizeof(str), cmp_str);
	return 0;
}

static int
load_dur(const struct conf_node *n, const char *name, bool zero, int64_t *out,
    struct error *e)
{
	if (!given(n))
		return 0;
	if (conf_dur(n, out, e) == -1)
		return -1;
	if (*out == 0 && !zero)
		return conf_error(n, e, "%s cannot be zero", name);
	return 0;
}

static int
load_intervals(struct notify_config *c, const struct conf_node *n,
    const struct interval ***v, size_t *count, struct error *e)
{
	if (!given(n))
		return 0;
	if (n->kind != CONF_LIST)
		return conf_error(n, e, "must be a list of names");
	*v = arena_array(&c->arena, n->n, const struct interval *);
	for (size_t i = 0; i < n->n; i++) {
		const struct interval *found = NULL;
		str s;

		if (conf_str(n->v[i], &s, e) == -1)
			return -1;
		for (size_t k = 0; k < c->nintervals; k++)
			if (str_eq(notify_interval_name(c->intervals[k]), s))
				found = c->intervals[k];
		if (found == NULL)
			return conf_error(n->v[i], e,
			    "undefined time interval \"%.*s\" used in route",
			    STR_ARG(s));
		(*v)[(*count)++] = found;
	}
	return 0;
}

/* What the root must not have and what it must. */
static int
check_root(const struct conf_node *n, const struct keys *k,
    const struct route *r, struct error *e)
{
	if (r->receiver_name.n == 0)
		return conf_error(
		    n, e, "root route must specify a default receiver");
	if (r->matchers.n > 0)
		return conf_error(given(k->matchers) ? k->matchers
			: given(k->match)            ? k->match
						     : k->match_re,
		    e, "root route must not have any matchers");
	if (r->nmute > 0)
		return conf_error(k->mute, e,
		    "root route must not have any mute time intervals");
	if (r->nactive > 0)
		return conf_error(k->active, e,
		    "root route must not have any active time intervals");
	if (r->cont)
		return conf_error(
		    k->cont, e, "cannot have continue in root route");
	return 0;
}

static int
find_receiver(struct notify_config *c, const struct conf_node *n,
    struct route *r, struct error *e)
{
	for (size_t i = 0; i < c->nreceivers; i++)
		if (str_eq(c->receivers[i].name, r->receiver_name))
			r->receiver = &c->receivers[i];
	if (r->receiver == NULL)
		return conf_error(n, e,
		    "undefined receiver \"%.*s\" used in route",
		    STR_ARG(r->receiver_name));
	return 0;
}

static void
make_key(struct arena *a, struct route *r)
{
	struct buf b = { 0 };

	if (r->parent != NULL) {
		buf_add(&b, r->parent->key);
		buf_byte(&b, '/');
	}
	notify_matchers_print(&b, &r->matchers);
	r->key = arena_dup(a, buf_str(&b));
	buf_fini(&b);
}

static int
load_matchers(
    struct arena *a, const struct keys *k, struct route *r, struct error *e)
{
	if (notify_matchers_list(a, k->matchers, &r->matchers, e) == -1 ||
	    notify_matchers_map(a, k->match, false, &r->matchers, e) == -1 ||
	    notify_matchers_map(a, k->match_re, true, &r->matchers, e) == -1)
		return -1;
	notify_matchers_sort(&r->matchers);
	return 0;
}

static struct route *load(struct notify_config *c, const struct conf_node *n,
    const struct route *parent, int depth, struct error *e);

static int
load_children(struct notify_config *c, const struct conf_node *n,
    struct route *r, int depth, struct error *e)
{
	if (!given(n))
		return 0;
	if (n->kind != CONF_LIST)
		return conf_error(n, e, "routes must be a list");
	r->v = arena_array(&c->arena, n->n, struct route *);
	for (size_t i = 0; i < n->n; i++) {
		struct route *child = load(c, n->v[i], r, depth + 1, e);

		if (child == NULL)
			return -1;
		r->v[r->n++] = child;
	}
	return 0;
}

/* What a child takes from its parent; matchers and intervals it does not. */
static void
inherit(struct route *r, const struct route *parent)
{
	if (parent == NULL) {
		r->group_wait = 30000;
		r->group_interval = 300000;
		r->repeat_interval = INT64_C(4) * 3600000;
		return;
	}
	r->parent = parent;
	r->receiver_name = parent->receiver_name;
	r->group_by = parent->group_by;
	r->ngroup_by = parent->ngroup_by;
	r->group_by_all = parent->group_by_all;
	r->group_wait = parent->group_wait;
	r->group_interval = parent->group_interval;
	r->repeat_interval = parent->repeat_interval;
}

static struct route *
load(struct notify_config *c, const struct conf_node *n,
    const struct route *parent, int depth, struct error *e)
{
	struct route *r = arena_new(&c->arena, struct route);
	struct keys k = { 0 };
	str name;

	inherit(r, parent);
	notify_config_own(c, &r->matchers);
	if (depth > MAX_DEPTH) {
		conf_error(n, e, "routes are nested too deeply");
		return NULL;
	}
	if (conf_read(n, fields, sizeof(fields) / sizeof(fields[0]), &k, e) ==
	    -1)
		return NULL;
	if (given(k.receiver)) {
		if (conf_str(k.receiver, &name, e) == -1)
			return NULL;
		if (name.n > 0)
			r->receiver_name = name;
	}
	if (given(k.labels)) {
		conf_error(k.labels, e,
		    "labels of a route are not supported "
		    "yet");
		return NULL;
	}
	if ((given(k.group_by) &&
		load_group_by(&c->arena, k.group_by, r, e) == -1) ||
	    (given(k.cont) && conf_bool(k.cont, &r->cont, e) == -1) ||
	    load_dur(k.group_wait, "group_wait", true, &r->group_wait, e) ==
		-1 ||
	    load_dur(k.group_interval, "group_interval", false,
		&r->group_interval, e) == -1 ||
	    load_dur(k.repeat_interval, "repeat_interval", false,
		&r->repeat_interval, e) == -1 ||
	    load_matchers(&c->arena, &k, r, e) == -1 ||
	    load_intervals(c, k.mute, &r->mute, &r->nmute, e) == -1 ||
	    load_intervals(c, k.active, &r->active, &r->nactive, e) == -1 ||
	    (parent == NULL && check_root(n, &k, r, e) == -1) ||
	    find_receiver(c, given(k.receiver) ? k.receiver : n, r, e) == -1)
		return NULL;
	make_key(&c->arena, r);
	return load_children(c, k.routes, r, depth, e) == -1 ? NULL : r;
}

int
notify_routes_load(
    struct notify_config *c, const struct conf_node *n, struct error *e)
{
	if (!given(n))
		return conf_error(conf_root(c->conf), e, "no routes provided");
	c->route = load(c, n, NULL, 0, e);
	return c->route != NULL ? 0 : -1;
}

static bool
walk(const struct route *r, struct labels ls, struct routes *out)
{
	size_t before = out->n;

	if (!match_all(r->matchers.v, r->matchers.n, ls))
		return false;
	for (size_t i = 0; i < r->n; i++)
		if (walk(r->v[i], ls, out) && !r->v[i]->cont)
			break;
	if (out->n == before) {
		out->v =
		    mem_grow(out->v, &out->cap, out->n + 1, sizeof(*out->v));
		out->v[out->n++] = r;
	}
	return true;
}

void
notify_routes_match(const struct route *r, struct labels ls, struct routes *out)
{
	walk(r, ls, out);
}

struct labels
notify_group_labels(struct arena *a, const struct route *r, struct labels ls)
{
	struct label *v = arena_array(a, ls.n, struct label);
	size_t n = 0;

	for (size_t i = 0; i < ls.n; i++)
		if (r->group_by_all ||
		    (r->ngroup_by > 0 &&
			bsearch(&ls.v[i].name, r->group_by, r->ngroup_by,
			    sizeof(str), cmp_str) != NULL))
			v[n++] = ls.v[i];
	return (struct labels){ v, n };
}

void
notify_group_key(struct buf *b, const struct route *r, struct labels group)
{
	buf_add(b, r->key);
	buf_z(b, ":{");
	for (size_t i = 0; i < group.n; i++) {
		if (i > 0)
			buf_z(b, ", ");
		buf_add(b, group.v[i].name);
		buf_byte(b, '=');
		quote_add(b, group.v[i].value);
	}
	buf_byte(b, '}');
}

static void
print_dur(struct buf *b, const char *name, int64_t ms)
{
	buf_printf(b, " %s=", name);
	dur_print(b, ms);
}

static void
print(const struct route *r, int depth, struct buf *b)
{
	buf_printf(b, "%*s", depth * 2, "");
	notify_matchers_print(b, &r->matchers);
	buf_printf(b, " receiver=%.*s group_by=[", STR_ARG(r->receiver->name));
	if (r->group_by_all)
		buf_z(b, "...");
	for (size_t i = 0; i < r->ngroup_by; i++)
		buf_printf(
		    b, "%s%.*s", i > 0 ? "," : "", STR_ARG(r->group_by[i]));
	buf_byte(b, ']');
	print_dur(b, "group_wait", r->group_wait);
	print_dur(b, "group_interval", r->group_interval);
	print_dur(b, "repeat_interval", r->repeat_interval);
	if (r->cont)
		buf_z(b, " continue");
	buf_byte(b, '\n');
	for (size_t i = 0; i < r->n; i++)
		print(r->v[i], depth + 1, b);
}

void
notify_config_routes(const struct notify_config *c, struct buf *b)
{
	print(c->route, 0, b);
}

void
notify_config_match(
    const struct notify_config *c, struct labels ls, struct buf *b)
{
	struct routes found = { 0 };

	notify_routes_match(c->route, ls, &found);
	for (size_t i = 0; i < found.n; i++) {
		buf_add(b, found.v[i]->receiver->name);
		buf_byte(b, '\n');
	}
	free(found.v);
}
