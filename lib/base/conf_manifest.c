/*
 * Kubernetes manifests as configuration: the text under a key of a ConfigMap
 * or a Secret, and where its lines stand in the file.  A block scalar keeps
 * its lines; of base64 and of quoted text only the beginning is known.
 */
#include "base/conf_tree.h"

bool
conf_manifest_is(const struct conf_node *root)
{
	const struct conf_node *kind = conf_find(root, "kind");
	const struct conf_node *api = conf_find(root, "apiVersion");

	return kind != NULL && kind->kind == CONF_SCALAR && api != NULL &&
	    api->kind == CONF_SCALAR;
}

static int
sextet(char c)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c == '\0' ? NULL : strchr(set, c);

	return p == NULL ? -1 : (int)(p - set);
}

int
conf_unbase64(str s, struct buf *out)
{
	uint32_t acc = 0;
	size_t n = 0, pad = 0;

	for (size_t i = 0; i < s.n; i++) {
		int v = sextet(s.p[i]);

		if (s.p[i] == '\n' || s.p[i] == '\r' || s.p[i] == ' ')
			continue;
		if (s.p[i] == '=')
			pad++;
		else if (v == -1 || pad > 0)
			return -1;
		acc = acc << 6 | (uint32_t)(v == -1 ? 0 : v);
		if (++n % 4 != 0)
			continue;
		if (pad > 2)
			return -1;
		buf_byte(out, (char)(acc >> 16 & 0xff));
		if (pad < 2)
			buf_byte(out, (char)(acc >> 8 & 0xff));
		if (pad < 1)
			buf_byte(out, (char)(acc & 0xff));
	}
	return n % 4 == 0 ? 0 : -1;
}

static size_t
indent(str line)
{
	size_t i = 0;

	while (i < line.n && line.p[i] == ' ')
		i++;
	return i;
}

/* The first line of s that is not blank, from line *i on. */
static str
solid(str s, int *i)
{
	str line = STR_NONE;

	for (; s.p != NULL; (*i)++) {
		line = str_cut(&s, '\n');
		if (str_trim(line).n > 0)
			break;
	}
	return line;
}

/*
 * Where a block scalar's lines are: the line after its "|", and as far right
 * as its first line of text has been moved.  Anything else has its own lines.
 */
static void
place(const struct conf *c, const struct conf_node *n, struct conf_manifest *m)
{
	str rest = c->manifest, line, own;
	int i = 0, j = 0;

	for (int k = 1; k < n->line && rest.p != NULL; k++)
		(void)str_cut(&rest, '\n');
	line = str_skip(str_cut(&rest, '\n'), (size_t)n->col - 1);
	if (n->quoted && line.n > 0 && line.p[0] == '|') {
		line = solid(rest, &i);
		own = solid(m->text, &j);
		if (i == j && indent(line) >= indent(own)) {
			m->add_line = n->line;
			m->add_col = (int)(indent(line) - indent(own));
			return;
		}
	}
	m->at_line = n->line;
	m->at_col = n->col;
}

/* The value of a key: as it stands, or out of base64. */
static int
take(struct conf *c, const struct conf_node *n, bool base64,
    struct conf_manifest *m, struct error *e)
{
	struct buf b = { 0 };
	str s = n->value;

	if (n->kind != CONF_SCALAR && n->kind != CONF_NULL) {
		error_set(
		    e, "the value of '%.*s' must be text", STR_ARG(n->key));
		return conf_tree_at(c, n->line, n->col, e);
	}
	*m = (struct conf_manifest){ .text = s.p ? s : STR("") };
	if (!base64) {
		place(c, n, m);
		return 1;
	}
	if (conf_expand(c, s, true, true, &s, e) == -1)
		return conf_tree_at(c, n->line, n->col, e);
	if (conf_unbase64(s, &b) == -1) {
		buf_fini(&b);
		error_set(e, "illegal base64 data in '%.*s'", STR_ARG(n->key));
		return conf_tree_at(c, n->line, n->col, e);
	}
	m->text = arena_dup(&c->a, buf_str(&b));
	m->at_line = n->line;
	m->at_col = n->col;
	buf_fini(&b);
	return 1;
}

/* The sections of an object that hold text; those of a Secret first. */
static const struct section {
	const char *kind, *name;
	bool base64;
} sections[] = {
	{ "Secret", "stringData", false },
	{ "Secret", "data", true },
	{ "ConfigMap", "data", false },
	{ "ConfigMap", "binaryData", true },
};

#define NSECTIONS (sizeof(sections) / sizeof(*sections))

static bool
is_kind(const struct conf_node *object, const char *kind)
{
	const struct conf_node *k = conf_find(object, "kind");

	return k != NULL && str_eq(k->value, str_of(kind));
}

static int
find_in(struct conf *c, const struct conf_node *object, str key,
    struct conf_manifest *m, struct error *e)
{
	const struct conf_node *items = conf_find(object, "items");
	int r = 0;

	for (size_t i = 0; i < NSECTIONS; i++) {
		const struct conf_node *data =
		    conf_find(object, sections[i].name);

		if (data == NULL || !is_kind(object, sections[i].kind))
			continue;
		for (size_t j = 0; j < data->n; j++)
			if (str_eq(data->v[j]->key, key) &&
			    data->kind == CONF_MAP)
				return take(
				    c, data->v[j], sections[i].base64, m, e);
	}
	if (items == NULL || !is_kind(object, "List"))
		return 0;
	for (size_t i = 0; i < items->n && r == 0; i++)
		r = find_in(c, items->v[i], key, m, e);
	return r;
}

int
conf_manifest_find(
    struct conf *c, str key, struct conf_manifest *m, struct error *e)
{
	const struct conf_node *root;
	/* The file's own positions hold here, whatever c's text is. */
	struct conf file = *c;
	struct conf_tree t;
	int r, found = 0;

	file.add_line = file.add_col = file.at_line = file.at_col = 0;
	conf_tree_open(&t, &file, c->manifest, false);
	while (found == 0 && (r = conf_tree_next(&t, &root, e)) != 0)
		found = r == -1 ? -1 : find_in(&file, root, key, m, e);
	conf_tree_close(&t);
	c->a = file.a;
	return found;
}

static void
keys_in(struct conf *c, const struct conf_node *object, str **v, size_t *n,
    size_t *cap)
{
	const struct conf_node *items = conf_find(object, "items");

	for (size_t i = 0; i < NSECTIONS; i++) {
		const struct conf_node *data =
		    conf_find(object, sections[i].name);

		if (data == NULL || data->kind != CONF_MAP ||
		    !is_kind(object, sections[i].kind))
			continue;
		for (size_t j = 0; j < data->n; j++) {
			*v = arena_grow(&c->a, *v, cap, *n + 1, sizeof(**v));
			(*v)[(*n)++] = data->v[j]->key;
		}
	}
	for (size_t i = 0;
	     items != NULL && is_kind(object, "List") && i < items->n; i++)
		keys_in(c, items->v[i], v, n, cap);
}

int
conf_keys(struct conf *c, const str **v, size_t *n, struct error *e)
{
	const struct conf_node *root;
	struct conf file = *c;
	struct conf_tree t;
	size_t cap = 0;
	str *keys = NULL;
	int r;

	*n = 0;
	file.add_line = file.add_col = file.at_line = file.at_col = 0;
	conf_tree_open(&t, &file, c->manifest, false);
	while ((r = conf_tree_next(&t, &root, e)) == 1)
		keys_in(&file, root, &keys, n, &cap);
	conf_tree_close(&t);
	c->a = file.a;
	*v = keys;
	return r;
}
