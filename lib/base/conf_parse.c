/*
 * libyaml's events to a tree.  Aliases share their anchor's children, so what
 * an alias bomb would cost is known before anybody walks it: each anchor
 * remembers how many nodes it stands for and how high it is.
 */
#include <stdlib.h>

#include "base/conf_tree.h"
#include "base/map.h"
#include "base/mem.h"

/* Nodes an alias-heavy document may expand to; and how many for each real. */
#define MOST_NODES 1000000
#define MOST_RATIO 10

struct anchor {
	const struct conf_node *node;
	size_t weight; /* nodes in it, aliases followed */
	int height;
	bool open; /* not complete: an alias to it would be a circle */
};

/* A list or map that is not complete. */
struct frame {
	struct conf_node *node;
	struct anchor *anchor; /* or NULL */
	struct map seen;       /* keys of a map */
	size_t cap, weight;
	int height;
	str key; /* the key the next value stands under */
	int key_line, key_col;
	bool have_key, no_env;
	bool merge;                      /* the key is "<<" */
	const struct conf_node **merges; /* values of "<<" */
	size_t nmerges, merges_cap;
};

struct builder {
	struct conf_tree *t;
	struct conf *c;
	struct frame frames[CONF_TREE_DEPTH];
	int n;
	struct map anchors;
	size_t nodes; /* really in the text */
	const struct conf_node *root;
};

void
conf_tree_open(struct conf_tree *t, struct conf *c, str text, bool expand)
{
	*t = (struct conf_tree){ .c = c, .text = text, .expand = expand };
	if (!yaml_parser_initialize(&t->y))
		abort();
	yaml_parser_set_input_string(
	    &t->y, (const unsigned char *)(text.n ? text.p : ""), text.n);
}

void
conf_tree_close(struct conf_tree *t)
{
	yaml_parser_delete(&t->y);
}

int
conf_tree_at(const struct conf *c, int line, int col, struct error *e)
{
	if (c->at_line > 0) {
		error_add(e, "%.*s:%d:%d", STR_ARG(c->key), line, col);
		line = c->at_line;
		col = c->at_col;
	}
	return error_add(e, "%.*s:%d:%d", STR_ARG(c->name), line, col);
}

static int
line_of(const struct conf *c, yaml_mark_t m)
{
	return (int)m.line + 1 + c->add_line;
}

static int
col_of(const struct conf *c, yaml_mark_t m)
{
	return (int)m.column + 1 + c->add_col;
}

static int
fail_at(const struct builder *b, yaml_mark_t m, struct error *e)
{
	return conf_tree_at(b->c, line_of(b->c, m), col_of(b->c, m), e);
}

/* libyaml's own complaint; of bytes it gives only an offset. */
static int
syntax(struct builder *b, struct error *e)
{
	yaml_parser_t *y = &b->t->y;
	yaml_mark_t m = y->problem_mark;

	if (y->error == YAML_READER_ERROR) {
		m.line = m.column = 0;
		for (size_t i = 0; i < y->problem_offset && i < b->t->text.n;
		     i++) {
			m.column++;
			if (b->t->text.p[i] == '\n') {
				m.line++;
				m.column = 0;
			}
		}
	}
	error_set(e, "%s", y->problem != NULL ? y->problem : "bad YAML");
	return fail_at(b, m, e);
}

static struct conf_node *
node_new(struct builder *b, enum conf_kind kind, yaml_mark_t m)
{
	struct conf_node *n = arena_new(&b->c->a, struct conf_node);

	n->kind = kind;
	n->line = line_of(b->c, m);
	n->col = col_of(b->c, m);
	n->conf = b->c;
	b->nodes++;
	return n;
}

/* Under these the text has a $ of its own: --env leaves it alone. */
static bool
no_env(const struct frame *f, int depth)
{
	static const str anywhere[] = {
		STR_INIT("external_labels"),
		STR_INIT("replacement"),
		STR_INIT("target_label"),
	};
	static const str top[] = { STR_INIT("groups"), STR_INIT("tests") };

	for (size_t i = 0; i < sizeof(anywhere) / sizeof(*anywhere); i++)
		if (str_eq(f->key, anywhere[i]))
			return true;
	for (size_t i = 0; depth == 1 && i < sizeof(top) / sizeof(*top); i++)
		if (str_eq(f->key, top[i]))
			return true;
	return f->no_env;
}

static bool
null_text(str s)
{
	return s.n == 0 || str_eq(s, STR("~")) || str_eq(s, STR("null")) ||
	    str_eq(s, STR("Null")) || str_eq(s, STR("NULL"));
}

/* What a !!binary scalar stands for. */
static int
binary(struct builder *b, struct conf_node *n, yaml_mark_t at, struct error *e)
{
	struct buf raw = { 0 };
	int rc = conf_unbase64(n->value, &raw);

	n->quoted = true;
	if (rc == 0) {
		n->value = arena_dup(&b->c->a, buf_str(&raw));
	} else {
		error_set(e, "!!binary value contains invalid base64 data");
		fail_at(b, at, e);
	}
	buf_fini(&raw);
	return rc;
}

/* Make a scalar of an event. */
static int
scalar(struct builder *b, const yaml_event_t *ev, bool is_key,
    struct conf_node **out, struct error *e)
{
	const char *tag = (const char *)ev->data.scalar.tag;
	bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	str s = { (const char *)ev->data.scalar.value, ev->data.scalar.length };
	struct conf_node *n = node_new(b, CONF_SCALAR, ev->start_mark);
	bool env = true;

	*out = n;
	n->quoted = !plain ||
	    (tag != NULL &&
		(strcmp(tag, "!") == 0 || strcmp(tag, YAML_STR_TAG) == 0));
	n->value = arena_dup(&b->c->a, s);
	if (tag != NULL && strcmp(tag, "tag:yaml.org,2002:binary") == 0)
		return binary(b, n, ev->start_mark, e);
	if (is_key)
		env = !b->frames[b->n - 1].no_env;
	else if (b->n > 0)
		env = !no_env(&b->frames[b->n - 1], b->n);
	if (!is_key && !n->quoted && null_text(s)) {
		n->kind = CONF_NULL;
		n->value = STR("");
		return 0;
	}
	if (b->t->expand &&
	    conf_expand(b->c, n->value, env, !is_key, &n->value, e) == -1)
		return fail_at(b, ev->start_mark, e);
	return 0;
}

static struct anchor *
anchor_new(
    struct builder *b, const yaml_char_t *name, const struct conf_node *n)
{
	struct anchor *a;
	struct map_slot *s;

	if (name == NULL)
		return NULL;
	a = arena_new(&b->c->a, struct anchor);
	a->node = n;
	a->weight = 1;
	s = map_add(
	    &b->anchors, arena_dup(&b->c->a, str_of((const char *)name)), NULL);
	s->v.p = a;
	return a;
}

/* A key of a map: unique, a scalar. */
static int
add_key(
    struct builder *b, struct frame *f, const yaml_event_t *ev, struct error *e)
{
	struct conf_node *n;
	bool fresh;

	if (ev->type != YAML_SCALAR_EVENT) {
		error_set(e, "a key must be a scalar");
		return fail_at(b, ev->start_mark, e);
	}
	if (scalar(b, ev, true, &n, e) == -1)
		return -1;
	(void)anchor_new(b, ev->data.scalar.anchor, n);
	f->key = n->value;
	f->key_line = n->line;
	f->key_col = n->col;
	f->have_key = true;
	f->merge = !n->quoted && str_eq(n->value, STR("<<"));
	if (!f->merge) {
		(void)map_add(&f->seen, f->key, &fresh);
		if (!fresh) {
			error_set(e, "key \"%.*s\" already set in map",
			    STR_ARG(f->key));
			return fail_at(b, ev->start_mark, e);
		}
	}
	return 0;
}

/* Put a copy of n under a key into a list or map. */
static void
append(struct builder *b, struct frame *f, const struct conf_node *n, str key,
    int key_line, int key_col)
{
	struct conf_node *m = arena_new(&b->c->a, struct conf_node);

	*m = *n;
	m->key = key;
	m->key_line = key_line;
	m->key_col = key_col;
	f->node->v = arena_grow(
	    &b->c->a, f->node->v, &f->cap, f->node->n + 1, sizeof(*f->node->v));
	f->node->v[f->node->n++] = m;
}

/* A complete value: into what is open, or it is the document. */
static int
add_value(struct builder *b, const struct conf_node *n, size_t weight,
    int height, yaml_mark_t at, struct error *e)
{
	struct frame *f;

	if (b->n == 0) {
		b->root = n;
		return 0;
	}
	f = &b->frames[b->n - 1];
	f->weight += weight;
	if (f->weight > MOST_NODES && f->weight / MOST_RATIO > b->nodes) {
		error_set(e, "document contains excessive aliasing");
		return fail_at(b, at, e);
	}
	if (height + 1 > f->height)
		f->height = height + 1;
	if (b->n + height >= CONF_TREE_DEPTH) {
		error_set(e, "nested more than %d deep", CONF_TREE_DEPTH);
		return fail_at(b, at, e);
	}
	if (f->merge) {
		f->merges = arena_grow(&b->c->a, f->merges, &f->merges_cap,
		    f->nmerges + 1, sizeof(*f->merges));
		f->merges[f->nmerges++] = n;
	} else {
		append(b, f, n, f->key, f->key_line, f->key_col);
	}
	f->have_key = f->merge = false;
	f->key = STR_NONE;
	f->key_line = f->key_col = 0;
	return 0;
}

static int
open_node(struct builder *b, const yaml_event_t *ev, enum conf_kind kind,
    const yaml_char_t *anchor, struct error *e)
{
	struct frame *f;
	bool quiet = b->n > 0 && no_env(&b->frames[b->n - 1], b->n);

	if (b->n == CONF_TREE_DEPTH) {
		error_set(e, "nested more than %d deep", CONF_TREE_DEPTH);
		return fail_at(b, ev->start_mark, e);
	}
	f = &b->frames[b->n++];
	*f = (struct frame){ .no_env = quiet, .weight = 1 };
	f->node = node_new(b, kind, ev->start_mark);
	f->anchor = anchor_new(b, anchor, f->node);
	if (f->anchor != NULL)
		f->anchor->open = true;
	return 0;
}

/* The keys of one map under "<<" that are not there yet. */
static int
merge_map(struct builder *b, struct frame *f, const struct conf_node *m,
    struct error *e)
{
	bool fresh;

	if (m->kind != CONF_MAP) {
		error_set(e,
		    "map merge requires map or sequence of maps as the"
		    " value");
		return conf_tree_at(b->c, m->line, m->col, e);
	}
	for (size_t i = 0; i < m->n; i++) {
		const struct conf_node *n = m->v[i];

		(void)map_add(&f->seen, n->key, &fresh);
		if (fresh)
			append(b, f, n, n->key, n->key_line, n->key_col);
	}
	return 0;
}

static int
merge(struct builder *b, struct frame *f, struct error *e)
{
	for (size_t i = 0; i < f->nmerges; i++) {
		const struct conf_node *m = f->merges[i];

		if (m->kind != CONF_LIST) {
			if (merge_map(b, f, m, e) == -1)
				return -1;
			continue;
		}
		for (size_t j = 0; j < m->n; j++)
			if (merge_map(b, f, m->v[j], e) == -1)
				return -1;
	}
	return 0;
}

static int
close_node(struct builder *b, const yaml_event_t *ev, struct error *e)
{
	struct frame *f = &b->frames[b->n - 1];
	const struct conf_node *n = f->node;
	size_t weight = f->weight;
	int height = f->height;

	if (merge(b, f, e) == -1)
		return -1;
	if (f->anchor != NULL) {
		f->anchor->open = false;
		f->anchor->weight = weight;
		f->anchor->height = height;
	}
	map_fini(&f->seen);
	b->n--;
	return add_value(b, n, weight, height, ev->start_mark, e);
}

static int
alias(struct builder *b, const yaml_event_t *ev, struct error *e)
{
	str name = str_of((const char *)ev->data.alias.anchor);
	struct map_slot *s = map_find(&b->anchors, name);
	const struct anchor *a = s == NULL ? NULL : s->v.p;

	if (a == NULL)
		error_set(e, "unknown anchor '%.*s' referenced", STR_ARG(name));
	else if (a->open)
		error_set(
		    e, "anchor '%.*s' value contains itself", STR_ARG(name));
	else
		return add_value(
		    b, a->node, a->weight, a->height, ev->start_mark, e);
	return fail_at(b, ev->start_mark, e);
}

/* One event of a document. */
static int
event(struct builder *b, const yaml_event_t *ev, struct error *e)
{
	struct frame *f = b->n > 0 ? &b->frames[b->n - 1] : NULL;
	struct conf_node *n;

	if (ev->type == YAML_SEQUENCE_END_EVENT ||
	    ev->type == YAML_MAPPING_END_EVENT)
		return close_node(b, ev, e);
	if (f != NULL && f->node->kind == CONF_MAP && !f->have_key)
		return add_key(b, f, ev, e);
	if (ev->type == YAML_SEQUENCE_START_EVENT)
		return open_node(
		    b, ev, CONF_LIST, ev->data.sequence_start.anchor, e);
	if (ev->type == YAML_MAPPING_START_EVENT)
		return open_node(
		    b, ev, CONF_MAP, ev->data.mapping_start.anchor, e);
	if (ev->type == YAML_ALIAS_EVENT)
		return alias(b, ev, e);
	if (scalar(b, ev, false, &n, e) == -1)
		return -1;
	(void)anchor_new(b, ev->data.scalar.anchor, n);
	return add_value(b, n, 1, 0, ev->start_mark, e);
}

int
conf_tree_next(
    struct conf_tree *t, const struct conf_node **root, struct error *e)
{
	struct builder *b = mem_zero(1, sizeof(*b));
	yaml_event_type_t type = YAML_NO_EVENT;
	yaml_event_t ev;
	int rc = 0;

	b->t = t;
	b->c = t->c;
	while (rc == 0 && type != YAML_DOCUMENT_END_EVENT &&
	    type != YAML_STREAM_END_EVENT) {
		if (!yaml_parser_parse(&t->y, &ev)) {
			rc = syntax(b, e);
			break;
		}
		type = ev.type;
		if (type == YAML_SCALAR_EVENT || type == YAML_ALIAS_EVENT ||
		    type == YAML_SEQUENCE_START_EVENT ||
		    type == YAML_SEQUENCE_END_EVENT ||
		    type == YAML_MAPPING_START_EVENT ||
		    type == YAML_MAPPING_END_EVENT)
			rc = event(b, &ev, e);
		yaml_event_delete(&ev);
	}
	if (rc == 0 && type == YAML_DOCUMENT_END_EVENT) {
		*root = b->root;
		rc = 1;
	}
	while (b->n > 0)
		map_fini(&b->frames[--b->n].seen);
	map_fini(&b->anchors);
	free(b);
	return rc;
}
