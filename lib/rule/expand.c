/*
 * Templates of labels and annotations: the data a rule's template sees, and
 * the expansion of one text.  Its functions are in funcs.c.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "rule/expand.h"

/* As upstream puts it before every text; on the text's own first line. */
#define PREFIX                                                                 \
	"{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}"         \
	"{{$externalURL := .ExternalURL}}{{$value := .Value}}"

struct tmpl_value
rule_label_map(struct arena *a, struct labels ls)
{
	struct tmpl_pair *v = arena_array(a, ls.n + 1, struct tmpl_pair);
	struct tmpl_value m = { .kind = TMPL_MAP };

	for (size_t i = 0; i < ls.n; i++)
		v[i] = (struct tmpl_pair){ ls.v[i].name,
			tmpl_string(ls.v[i].value) };
	m.map.v = v;
	m.map.n = ls.n;
	m.map.type = "map[string]string";
	return m;
}

/* The struct that is dot. */
struct dot {
	struct tmpl_value labels, external_labels, external_url, value;
};

static int
dot_field(struct tmpl_run *r, const void *self, str name,
    const struct tmpl_value *args, size_t nargs, struct tmpl_value *out,
    struct error *e)
{
	const struct dot *d = self;

	(void)r;
	(void)args;
	(void)nargs;
	(void)e;
	if (str_eq(name, STR("Labels")))
		*out = d->labels;
	else if (str_eq(name, STR("Value")))
		*out = d->value;
	else if (str_eq(name, STR("ExternalLabels")))
		*out = d->external_labels;
	else if (str_eq(name, STR("ExternalURL")))
		*out = d->external_url;
	else
		return 0;
	return 1;
}

static const struct tmpl_type dot_type = {
	.type = "struct { Labels map[string]string; ExternalLabels "
		"map[string]string; ExternalURL string; Value interface {} }",
	.field = dot_field,
};

static const char *
name_of(struct arena *a, str rule)
{
	return arena_cstr(a, arena_printf(a, "__alert_%.*s", STR_ARG(rule)));
}

static bool
is_template(str text)
{
	return str_find(text, STR("{{")) < text.n;
}

str
rule_expand(
    const struct rule_round *r, str text, struct labels labels, double value)
{
	const struct rule_opts *o = &r->engine->set->opts;
	struct arena *a = r->arena;
	struct buf source = { 0 }, out = { 0 };
	struct error e = { "" };
	struct dot *dot;
	struct rule_user user = { r };
	str res;

	if (!is_template(text))
		return text;
	dot = arena_new(a, struct dot);
	dot->labels = rule_label_map(a, labels);
	dot->external_labels = rule_label_map(a, o->external_labels);
	dot->external_url = tmpl_string(o->external_url);
	dot->value = tmpl_float(value);
	buf_z(&source, PREFIX);
	buf_add(&source, text);
	if (tmpl_text(r->engine->tmpl->set, name_of(a, r->rule->name),
		buf_str(&source), tmpl_object(a, &dot_type, dot), a, &user,
		&out, &e) == -1) {
		error_add(&e, "error executing template __alert_%.*s",
		    STR_ARG(r->rule->name));
		rule_tell(r, e.msg);
		res = arena_printf(a, "<error expanding template: %s>", e.msg);
	} else {
		res = arena_dup(a, buf_str(&out));
	}
	buf_fini(&source);
	buf_fini(&out);
	return res;
}

int
rule_check_template(struct rule_tmpl *t, str name, str text, struct error *e)
{
	struct arena a = { 0 };
	struct buf source = { 0 };
	int rc = 0;

	if (is_template(text)) {
		buf_z(&source, PREFIX);
		buf_add(&source, text);
		rc = tmpl_parse(t->set, name_of(&a, name), buf_str(&source), e);
	}
	buf_fini(&source);
	arena_fini(&a);
	return rc;
}

/* Those of the common functions that rules have, under the same names. */
static const char *const common[] = { "humanizeDuration", "match",
	"reReplaceAll", "safeHtml", "toLower", "toUpper" };

#define NCOMMON (sizeof(common) / sizeof(common[0]))

struct rule_tmpl *
rule_tmpl_new(void)
{
	struct rule_tmpl *t = mem_zero(1, sizeof(*t));
	size_t n = 0;

	_Static_assert(NCOMMON < RULE_TMPL_COMMON, "a row for the end");
	for (const struct tmpl_func *f = tmpl_funcs; f->name != NULL; f++)
		for (size_t i = 0; i < NCOMMON; i++)
			if (strcmp(f->name, common[i]) == 0)
				t->common[n++] = *f;
	t->tables[0] = t->common;
	t->tables[1] = rule_funcs;
	t->set = tmpl_new(t->tables, 2);
	return t;
}

void
rule_tmpl_free(struct rule_tmpl *t)
{
	if (t == NULL)
		return;
	tmpl_free(t->set);
	free(t);
}
