/*
 * -D NAME=EXPR: names for expressions.  A later definition sees those before
 * it, and takes the place of one of the same name.
 */
#include <stdio.h>
#include <string.h>

#include "eval_cmd.h"

#define NAME_SHOWN 200

const char *
eval_name(const char *expr)
{
	static char name[NAME_SHOWN + 8];

	(void)snprintf(name, sizeof(name), "'%.*s%s'", NAME_SHOWN, expr,
	    strlen(expr) > NAME_SHOWN ? "..." : "");
	return name;
}

struct promql_expr *
eval_parse(const struct eval_options *o, str text, unsigned features,
    struct arena *a, struct error *e)
{
	struct promql_expr *x = NULL;
	struct buf b = { 0 };

	if (o->nmacros == 0)
		return promql_parse_with(text, features, a, e);
	if (promql_expand(&b, text, o->macros, o->nmacros, features, e) == 0)
		x = promql_parse_with(buf_str(&b), features, a, e);
	/* Positions are those of what was parsed. */
	if (x == NULL && !str_eq(buf_str(&b), text))
		(void)error_add(e, "as '%.200s'", buf_cstr(&b));
	buf_fini(&b);
	return x;
}

void
eval_define(struct eval_options *o)
{
	unsigned features = input_features(&o->in);
	struct error e;

	o->macros = arena_array(&o->arena, o->defines.n, struct promql_macro);
	for (size_t i = 0; i < o->defines.n; i++) {
		struct promql_macro *m = &o->macros[i];
		str s = str_of(o->defines.v[i]);
		struct promql_expr *x;
		struct buf b = { 0 };

		m->name = str_trim(str_cut(&s, '='));
		if (s.p == NULL || !label_name_valid(m->name))
			tool_die(TOOL_USAGE, "-D: '%s' is not NAME=EXPR",
			    o->defines.v[i]);
		s = str_trim(s);
		if (promql_expand(&b, s, o->macros, i, features, &e) == -1)
			tool_die(
			    TOOL_USAGE, "-D %.*s: %s", STR_ARG(m->name), e.msg);
		m->text = arena_dup(&o->arena, buf_str(&b));
		buf_fini(&b);
		x = promql_parse_with(m->text, features, &o->arena, &e);
		if (x == NULL)
			tool_die(TOOL_USAGE, "-D %.*s: '%.*s': %s",
			    STR_ARG(m->name), STR_ARG(m->text), e.msg);
		promql_free(x);
		o->nmacros = i + 1;
	}
}
