/*
 * Placeholders in scalars (DESIGN 7, "Configuration text"): ${NAME} by --set,
 * then by the environment; and the bare NAME by --set.  One pass from left to
 * right: what has been filled in is not looked at again, so a value may hold
 * any text.
 */
#include "base/conf_tree.h"

bool
conf_expand_on(const struct conf *c)
{
	return c->o.nset > 0 || c->o.env_on || c->manifest.p != NULL;
}

/* A value of --set by name; p NULL if there is none. */
static str
set_find(const struct conf *c, str name)
{
	for (size_t i = 0; i < c->o.nset; i++) {
		str value = str_of(c->o.set[i]);
		str key = str_trim(str_cut(&value, '='));

		if (str_eq(key, name))
			return value.p != NULL ? value : STR("");
	}
	return STR_NONE;
}

/* The longest name of --set that s begins with; *value is set if n > 0. */
static size_t
bare_find(const struct conf *c, str s, str *value)
{
	size_t n = 0;

	for (size_t i = 0; i < c->o.nset; i++) {
		str v = str_of(c->o.set[i]);
		str key = str_trim(str_cut(&v, '='));

		if (key.n > n && str_starts(s, key)) {
			n = key.n;
			*value = v;
		}
	}
	return n;
}

static bool
number(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

/*
 * The length of the placeholder s begins with, 0 if it begins with none; its
 * text without blanks in *name.  Braces and dollars do not stand in a name, so
 * that "${{ .Value }}" of a template is none.
 */
static size_t
placeholder(str s, str *name)
{
	size_t i;

	if (!str_starts(s, STR("${")))
		return 0;
	for (i = 2; i < s.n && s.p[i] != '}'; i++)
		if (s.p[i] == '{' || s.p[i] == '$' || s.p[i] == '\n')
			return 0;
	if (i == s.n)
		return 0;
	*name = str_trim((str){ s.p + 2, i - 2 });
	return name->n == 0 || number(*name) ? 0 : i + 1;
}

static const char *
env_find(struct conf *c, str name)
{
	if (c->o.env == NULL || memchr(name.p, '\0', name.n) != NULL)
		return NULL;
	return c->o.env(arena_cstr(&c->a, name));
}

/* One placeholder's value into b; what nothing fills stays or is an error. */
static int
fill(struct conf *c, str name, str whole, bool env, struct buf *b,
    struct error *e)
{
	bool ask = c->o.env_on || c->manifest.p != NULL;
	str value = set_find(c, name);
	const char *z = NULL;

	if (value.p == NULL && env && ask && (z = env_find(c, name)) != NULL)
		value = str_of(z);
	if (value.p != NULL)
		buf_add(b, value);
	else if (!env)
		buf_add(b, whole);
	else
		return error_set(e,
		    "nothing fills '%.*s': use --set '%.*s=VALUE'%s",
		    STR_ARG(whole), STR_ARG(name),
		    ask ? " or the environment" : "");
	return 0;
}

int
conf_expand(
    struct conf *c, str s, bool env, bool bare, str *out, struct error *e)
{
	struct buf b = { 0 };
	str name, value = STR_NONE;
	size_t n;
	int rc = -1;

	*out = s;
	if (!conf_expand_on(c) ||
	    (str_find(s, STR("${")) == s.n && (!bare || c->o.nset == 0)))
		return 0;
	if (str_find(s, STR("{{")) < s.n)
		env = false;
	for (size_t i = 0; i < s.n; i += n) {
		str rest = str_skip(s, i);

		if ((n = placeholder(rest, &name)) > 0) {
			if (fill(c, name, str_take(rest, n), env, &b, e) == -1)
				goto out;
		} else if (bare && (n = bare_find(c, rest, &value)) > 0) {
			buf_add(&b, value);
		} else {
			buf_byte(&b, s.p[i]);
			n = 1;
		}
	}
	*out = arena_dup(&c->a, buf_str(&b));
	rc = 0;
out:
	buf_fini(&b);
	return rc;
}
