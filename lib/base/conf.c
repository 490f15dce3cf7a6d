/*
 * Configuration text: where it comes from, and the strict getters.
 */
#include "base/conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/conf_tree.h"
#include "base/dur.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"

static const struct conf_node nothing = {
	.kind = CONF_NULL, .line = 1, .col = 1
};

static struct conf *
conf_new(str name, const struct conf_opts *o)
{
	struct conf *c = mem_zero(1, sizeof(*c));
	const char **set;

	c->name = arena_dup(&c->a, name);
	if (o != NULL) {
		c->o = *o;
		set = arena_array(&c->a, o->nset, const char *);
		for (size_t i = 0; i < o->nset; i++)
			set[i] = arena_cstr(&c->a, str_of(o->set[i]));
		c->o.set = set;
	}
	return c;
}

void
conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	arena_fini(&c->a);
	free(c);
}

/* Read text into c's root. */
static int
tree(struct conf *c, str text, bool expand, struct error *e)
{
	const struct conf_node *root = NULL;
	struct conf_node *none;
	struct conf_tree t;
	int r;

	conf_tree_open(&t, c, text, expand);
	r = conf_tree_next(&t, &root, e);
	conf_tree_close(&t);
	if (root == NULL) {
		none = arena_new(&c->a, struct conf_node);
		*none = nothing;
		none->line += c->add_line;
		none->conf = c;
		root = none;
	}
	c->root = root;
	return r == -1 ? -1 : 0;
}

/* The text of a file that is no manifest's key. */
static int
load_plain(struct conf *c, str text, struct error *e)
{
	if (tree(c, text, false, e) == -1)
		return -1;
	if (conf_manifest_is(c->root)) {
		c->manifest = arena_dup(&c->a, text);
		return 0;
	}
	return conf_expand_on(c) ? tree(c, text, true, e) : 0;
}

/* The text under a key: 1, or 0 if c's manifest has no such key. */
static int
load_key(struct conf *c, str key, struct conf_manifest *m, struct error *e)
{
	int r = conf_manifest_find(c, key, m, e);

	if (r != 1)
		return r;
	c->key = arena_dup(&c->a, key);
	c->add_line = m->add_line;
	c->add_col = m->add_col;
	c->at_line = m->at_line;
	c->at_col = m->at_col;
	return 1;
}

static int
read_path(const char *path, struct buf *b, struct error *e)
{
	if (strcmp(path, "-") == 0)
		return file_read_fd(STDIN_FILENO, "stdin", b, e);
	return file_read(path, b, e);
}

/* FILE[:KEY]: a file of the whole name comes first. */
static str
split(const char *path, str *key)
{
	str file = str_of(path);
	const char *colon = strrchr(path, ':');

	*key = STR_NONE;
	if (colon == NULL || colon == path || colon[1] == '\0' ||
	    strchr(colon, '/') != NULL || access(path, F_OK) == 0)
		return file;
	*key = str_of(colon + 1);
	return str_from(path, colon);
}

static int
load(struct conf *c, const char *file, str key, struct error *e)
{
	struct conf_manifest m;
	struct buf b = { 0 };
	int r = -1;

	if (read_path(file, &b, e) == -1)
		goto out;
	if (key.n == 0) {
		r = load_plain(c, buf_str(&b), e);
		goto out;
	}
	c->manifest = b.n > 0 ? arena_dup(&c->a, buf_str(&b)) : STR("");
	r = load_key(c, key, &m, e);
	if (r == 0)
		r = error_set(e,
		    "%s: no ConfigMap or Secret in it has the key '%.*s'", file,
		    STR_ARG(key));
	if (r == 1)
		r = tree(c, m.text, true, e);
out:
	buf_fini(&b);
	return r;
}

struct conf *
conf_load(const char *path, const struct conf_opts *o, struct error *e)
{
	str key, file = split(path, &key);
	bool in = str_eq(file, STR("-"));
	struct conf *c = conf_new(in ? STR("stdin") : file, o);

	if (load(c, arena_cstr(&c->a, file), key, e) == 0)
		return c;
	conf_free(c);
	return NULL;
}

struct conf *
conf_parse(
    str text, const char *name, const struct conf_opts *o, struct error *e)
{
	struct conf *c = conf_new(str_of(name), o);

	if (load_plain(c, text, e) == 0)
		return c;
	conf_free(c);
	return NULL;
}

const struct conf_node *
conf_root(const struct conf *c)
{
	return c->root;
}

str
conf_name(const struct conf *c)
{
	return c->name;
}

str
conf_key(const struct conf *c)
{
	return c->key;
}

bool
conf_is_manifest(const struct conf *c)
{
	return c->manifest.p != NULL && c->key.n == 0;
}

static str
last_part(str path)
{
	str part = path;

	while (path.p != NULL)
		part = str_cut(&path, '/');
	return part;
}

/* A conf for what c names by path; *r 1: a key of c's manifest, in m. */
static struct conf *
follow(const struct conf *c, str path, struct conf_manifest *m, int *r,
    struct error *e)
{
	struct conf *d;
	size_t dir = c->name.n - last_part(c->name).n;

	*r = 0;
	if (c->manifest.p != NULL) {
		d = conf_new(c->name, &c->o);
		d->manifest = arena_dup(&d->a, c->manifest);
		*r = load_key(d, last_part(path), m, e);
		if (*r != 0)
			return d;
		conf_free(d);
	}
	if (path.n > 0 && path.p[0] == '/')
		dir = 0;
	d = conf_new(STR(""), &c->o);
	d->name =
	    arena_printf(&d->a, "%.*s%.*s", (int)dir, c->name.p, STR_ARG(path));
	return d;
}

struct conf *
conf_load_from(const struct conf *c, str path, struct error *e)
{
	struct conf_manifest m;
	int r;
	struct conf *d = follow(c, path, &m, &r, e);

	if (r == 1)
		r = tree(d, m.text, true, e);
	else if (r == 0)
		r = load(d, arena_cstr(&d->a, d->name), STR_NONE, e);
	if (r == 0)
		return d;
	conf_free(d);
	return NULL;
}

int
conf_read_from(const struct conf *c, str path, struct buf *out, struct error *e)
{
	struct conf_manifest m;
	int r;
	struct conf *d = follow(c, path, &m, &r, e);
	str s;

	if (r == 0) {
		r = file_read(arena_cstr(&d->a, d->name), out, e);
	} else if (r == 1) {
		r = conf_expand(d, m.text, true, true, &s, e);
		if (r == -1)
			conf_tree_at(d, 1 + d->add_line, 1 + d->add_col, e);
		else
			buf_add(out, s);
	}
	conf_free(d);
	return r;
}

bool
conf_same(const struct conf_node *a, const struct conf_node *b)
{
	if (a->kind != b->kind || a->n != b->n || a->quoted != b->quoted ||
	    !str_eq(a->key, b->key) || !str_eq(a->value, b->value))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!conf_same(a->v[i], b->v[i]))
			return false;
	return true;
}

const struct conf_node *
conf_find(const struct conf_node *map, const char *key)
{
	if (map == NULL || map->kind != CONF_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (str_eq(map->v[i]->key, str_of(key)))
			return map->v[i];
	return NULL;
}

int
conf_error(const struct conf_node *n, struct error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)error_vset(e, fmt, ap);
	va_end(ap);
	return conf_tree_at(n->conf, n->line, n->col, e);
}

int
conf_error_key(const struct conf_node *n, struct error *e, const char *fmt, ...)
{
	bool at = n->key_line > 0;
	va_list ap;

	va_start(ap, fmt);
	(void)error_vset(e, fmt, ap);
	va_end(ap);
	return conf_tree_at(
	    n->conf, at ? n->key_line : n->line, at ? n->key_col : n->col, e);
}

static const char *
kind_name(const struct conf_node *n)
{
	static const char *const names[] = { "nothing", "a scalar", "a list",
		"a map" };

	return names[n->kind];
}

static int
wrong(const struct conf_node *n, const char *type, struct error *e)
{
	int most = n->value.n > 200 ? 200 : (int)n->value.n;

	if (n->kind != CONF_SCALAR)
		return conf_error(
		    n, e, "cannot unmarshal %s into %s", kind_name(n), type);
	return conf_error(n, e, "cannot unmarshal %s`%.*s` into %s",
	    n->quoted ? "the string " : "", most, n->value.p, type);
}

int
conf_str(const struct conf_node *n, str *out, struct error *e)
{
	if (n->kind != CONF_SCALAR && n->kind != CONF_NULL)
		return wrong(n, "a string", e);
	*out = n->value;
	return 0;
}

int
conf_bool(const struct conf_node *n, bool *out, struct error *e)
{
	static const char *const yes[] = { "true", "True", "TRUE", "yes", "Yes",
		"YES", "on", "On", "ON", "y", "Y" };
	static const char *const no[] = { "false", "False", "FALSE", "no", "No",
		"NO", "off", "Off", "OFF", "n", "N" };

	if (n->kind == CONF_SCALAR && !n->quoted)
		for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
			bool on = str_eq(n->value, str_of(yes[i]));

			if (on || str_eq(n->value, str_of(no[i]))) {
				*out = on;
				return 0;
			}
		}
	return wrong(n, "a boolean", e);
}

/* As go-yaml has them: 1_000, 0x1f, 0b11, 0o17, and 017 is the same. */
static int
whole(str s, int64_t *out)
{
	static const struct {
		char prefix[3];
		int base;
	} bases[] = { { "0x", 16 }, { "0b", 2 }, { "0o", 8 }, { "0", 8 },
		{ "", 10 } };
	char digits[80], *w = digits;
	size_t i = 0, k = 0;
	char *end;

	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'))
		*w++ = s.p[i++];
	s = str_skip(s, i);
	if (s.n == 0 || s.n > sizeof(digits) - 2 || s.p[0] < '0' ||
	    s.p[0] > '9')
		return -1;
	while (!str_eq_fold(
	    str_take(s, strlen(bases[k].prefix)), str_of(bases[k].prefix)))
		k++;
	for (i = k < 3 ? 2 : 0; i < s.n; i++)
		if (isalnum((unsigned char)s.p[i]))
			*w++ = s.p[i];
		else if (s.p[i] != '_')
			return -1;
	*w = '\0';
	errno = 0;
	*out = strtoll(digits, &end, bases[k].base);
	return *end != '\0' || end == digits || errno != 0 ? -1 : 0;
}

int
conf_int(const struct conf_node *n, int64_t *out, struct error *e)
{
	double v;

	if (n->kind != CONF_SCALAR || n->quoted)
		return wrong(n, "an integer", e);
	if (whole(n->value, out) == 0)
		return 0;
	if (num_parse(n->value, &v) == -1 || !(fabs(v) < 0x1p53) ||
	    v != trunc(v))
		return wrong(n, "an integer", e);
	*out = (int64_t)v;
	return 0;
}

int
conf_float(const struct conf_node *n, double *out, struct error *e)
{
	str s = n->value;

	if (n->kind != CONF_SCALAR || n->quoted)
		return wrong(n, "a number", e);
	if (str_eq(s, STR(".nan")) || str_eq(s, STR(".NaN")))
		*out = num_nan();
	else if (str_eq(s, STR(".inf")) || str_eq(s, STR("+.inf")))
		*out = (double)INFINITY;
	else if (str_eq(s, STR("-.inf")))
		*out = (double)-INFINITY;
	else if (num_parse(s, out) == -1)
		return wrong(n, "a number", e);
	return 0;
}

int
conf_dur(const struct conf_node *n, int64_t *ms, struct error *e)
{
	struct error why;

	if (n->kind != CONF_SCALAR)
		return wrong(n, "a duration", e);
	if (dur_parse(n->value, ms, &why) == -1)
		return conf_error(n, e, "%s", why.msg);
	return 0;
}

int
conf_godur(const struct conf_node *n, int64_t *ms, struct error *e)
{
	struct error why;
	int64_t ns;

	if (n->kind != CONF_SCALAR)
		return wrong(n, "a duration", e);
	if (dur_parse_go(n->value, &ns, &why) == -1)
		return conf_error(n, e, "%s", why.msg);
	*ms = ns / 1000000;
	return 0;
}

/* A number and a unit, all of base 2: 10MB and 10MiB are the same. */
int
conf_size(const struct conf_node *n, int64_t *bytes, struct error *e)
{
	static const char units[] = "KMGTPE";
	const char *u;
	str s = n->value;
	double v;

	if (n->kind != CONF_SCALAR)
		return wrong(n, "a size", e);
	if (str_eq(s, STR("0"))) {
		*bytes = 0;
		return 0;
	}
	if (!str_ends(s, STR("B")))
		return wrong(n, "a size (10MB, 512KB)", e);
	s.n--;
	if (s.n > 1 && s.p[s.n - 1] == 'i')
		s.n--;
	u = s.n > 1 ? strchr(units, s.p[s.n - 1]) : NULL;
	if (u != NULL && *u != '\0')
		s.n--;
	else
		u = NULL;
	if (s.n == 0 || s.p[0] < '0' || s.p[0] > '9' || num_parse(s, &v) == -1)
		return wrong(n, "a size (10MB, 512KB)", e);
	v = ldexp(v, u == NULL ? 0 : 10 * (int)(u - units + 1));
	if (!(v < 0x1p63))
		return wrong(n, "a size: it is too large", e);
	*bytes = (int64_t)v;
	return 0;
}

static int
read_field(const struct conf_node *n, const struct conf_field *f, void *out,
    struct error *e)
{
	void *at = (char *)out + f->offset;

	switch (f->type) {
	case CONF_T_STR:
		return conf_str(n, at, e);
	case CONF_T_BOOL:
		return conf_bool(n, at, e);
	case CONF_T_INT:
		return conf_int(n, at, e);
	case CONF_T_FLOAT:
		return conf_float(n, at, e);
	case CONF_T_DUR:
		return conf_dur(n, at, e);
	case CONF_T_GODUR:
		return conf_godur(n, at, e);
	case CONF_T_SIZE:
		return conf_size(n, at, e);
	case CONF_T_NODE:
		memcpy(at, &n, sizeof(n));
		break;
	}
	return 0;
}

/* A whole manifest where one of its keys was meant is the usual slip. */
static const char *
manifest_hint(str key)
{
	return str_eq(key, STR("apiVersion"))
	    ? " (for a key of a manifest give FILE:KEY)"
	    : "";
}

int
conf_read(const struct conf_node *map, const struct conf_field *f, size_t nf,
    void *out, struct error *e)
{
	size_t i, j;

	if (map->kind != CONF_MAP && map->kind != CONF_NULL)
		return wrong(map, "a map", e);
	for (i = 0; i < map->n; i++) {
		const struct conf_node *n = map->v[i];

		for (j = 0; j < nf; j++)
			if (str_eq(n->key, str_of(f[j].name)))
				break;
		if (j == nf)
			return conf_error_key(n, e, "unknown key \"%.*s\"%s",
			    STR_ARG(n->key), manifest_hint(n->key));
		if (n->kind != CONF_NULL && read_field(n, &f[j], out, e) == -1)
			return -1;
	}
	for (j = 0; j < nf; j++) {
		const struct conf_node *n = conf_find(map, f[j].name);

		if (f[j].required && (n == NULL || n->kind == CONF_NULL))
			return conf_error(
			    map, e, "\"%s\" is missing", f[j].name);
	}
	return 0;
}
