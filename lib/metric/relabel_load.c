/*
 * Relabelling rules out of a configuration.  What is refused, and in which
 * words, is upstream's; so is that a key without a value is the empty text
 * and not the default.
 */
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#include "base/mem.h"
#include "base/quote.h"
#include "metric/relabel_rule.h"

static const char *const actions[RELABEL_ACTIONS] = {
	[RELABEL_REPLACE] = "replace",
	[RELABEL_KEEP] = "keep",
	[RELABEL_DROP] = "drop",
	[RELABEL_KEEPEQUAL] = "keepequal",
	[RELABEL_DROPEQUAL] = "dropequal",
	[RELABEL_HASHMOD] = "hashmod",
	[RELABEL_LABELMAP] = "labelmap",
	[RELABEL_LABELDROP] = "labeldrop",
	[RELABEL_LABELKEEP] = "labelkeep",
	[RELABEL_LOWERCASE] = "lowercase",
	[RELABEL_UPPERCASE] = "uppercase",
};

#define BIT(a) (1U << RELABEL_##a)
#define EQUALS (BIT(KEEPEQUAL) | BIT(DROPEQUAL))
#define CASES (BIT(LOWERCASE) | BIT(UPPERCASE))
#define NAMES (BIT(LABELDROP) | BIT(LABELKEEP))

/* The rule as its keys have it; NULL: the key is not there. */
struct keys {
	const struct conf_node *source_labels, *separator, *regex, *modulus;
	const struct conf_node *target_label, *replacement, *action;
};

const char *
relabel_rule_action(enum relabel_action action)
{
	return actions[action];
}

bool
relabel_rule_name(const struct relabel *r, str name)
{
	if (r->legacy)
		return label_name_valid(name);
	return name.n > 0 && str_utf8(name);
}

static bool
word_byte(char c)
{
	return c == '_' || (c >= '0' && c <= '9') ||
	    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* A name in which $1, $name and ${name} may stand for letters. */
static bool
template_valid(const struct relabel *r, str s)
{
	size_t i = 0, from;
	bool brace;

	if (!r->legacy)
		return s.n > 0 && str_utf8(s);
	if (s.n == 0 || (s.p[0] >= '0' && s.p[0] <= '9'))
		return false;
	while (i < s.n) {
		if (s.p[i] != '$') {
			if (!word_byte(s.p[i++]))
				return false;
			continue;
		}
		brace = i + 1 < s.n && s.p[i + 1] == '{';
		from = i += brace ? 2 : 1;
		while (i < s.n && word_byte(s.p[i]))
			i++;
		if (i == from || (brace && (i == s.n || s.p[i++] != '}')))
			return false;
	}
	return true;
}

static bool
has_var(str s)
{
	return str_chr(s, '$') < s.n;
}

static int
read_keys(const struct conf_node *n, struct keys *k, struct error *e)
{
	const struct {
		const char *name;
		const struct conf_node **at;
	} known[] = {
		{ "source_labels", &k->source_labels },
		{ "separator", &k->separator },
		{ "regex", &k->regex },
		{ "modulus", &k->modulus },
		{ "target_label", &k->target_label },
		{ "replacement", &k->replacement },
		{ "action", &k->action },
	};
	size_t j;

	for (size_t i = 0; i < n->n; i++) {
		for (j = 0; j < sizeof(known) / sizeof(*known); j++)
			if (str_eq(n->v[i]->key, str_of(known[j].name)))
				break;
		if (j == sizeof(known) / sizeof(*known))
			return conf_error_key(n->v[i], e,
			    "unknown key \"%.*s\"", STR_ARG(n->v[i]->key));
		*known[j].at = n->v[i];
	}
	return 0;
}

static int
read_source(struct relabel *r, const struct conf_node *n, struct error *e)
{
	struct buf b = { 0 };
	str s;

	if (n == NULL || n->kind == CONF_NULL)
		return 0;
	if (n->kind != CONF_LIST)
		return conf_error(n, e, "source_labels: expected a list");
	r->source = mem_zero(n->n + 1, sizeof(*r->source));
	for (size_t i = 0; i < n->n; i++) {
		if (conf_str(n->v[i], &s, e) == -1)
			return -1;
		/* Any scheme may read a label that only another may set. */
		if (s.n == 0 || !str_utf8(s)) {
			quote_add(&b, s);
			(void)conf_error(n->v[i], e,
			    "%s is not a valid label name", buf_cstr(&b));
			buf_fini(&b);
			return -1;
		}
		r->source[r->nsource++] = s;
	}
	return 0;
}

static int
read_action(struct relabel *r, const struct conf_node *n, struct error *e)
{
	struct buf b = { 0 };
	str s;

	if (n == NULL)
		return 0;
	if (n->kind == CONF_NULL)
		return conf_error(n, e, "relabel action cannot be empty");
	if (conf_str(n, &s, e) == -1)
		return -1;
	for (int i = 0; i < RELABEL_ACTIONS; i++)
		if (str_eq_fold(s, str_of(actions[i]))) {
			r->action = (enum relabel_action)i;
			return 0;
		}
	quote_add(&b, s);
	(void)conf_error(n, e, "unknown relabel action %s", buf_cstr(&b));
	buf_fini(&b);
	return -1;
}

/* All 64 bits may be used. */
static bool
whole_number(str s, uint64_t *v)
{
	uint64_t n = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9' ||
		    __builtin_mul_overflow(n, 10U, &n) ||
		    __builtin_add_overflow(n, (unsigned)(s.p[i] - '0'), &n))
			return false;
	*v = n;
	return true;
}

/* As upstream's YAML, a number with a fraction is cut. */
static int
read_modulus(struct relabel *r, const struct conf_node *n, struct error *e)
{
	double v;

	if (n == NULL || n->kind == CONF_NULL ||
	    (n->kind == CONF_SCALAR && !n->quoted &&
		whole_number(n->value, &r->modulus)))
		return 0;
	if (conf_float(n, &v, e) == -1)
		return -1;
	if (!(v >= 0 && v < 0x1p64))
		return conf_error(
		    n, e, "modulus must be a number from 0 to 2^64 - 1");
	r->modulus = (uint64_t)v;
	return 0;
}

/*
 * Upstream puts the text between "^(?s:" and ")$" and compiles that: so does
 * this where the text is no regex of its own, like "a)|(b", and then every
 * match counts that it has.
 */
static int
read_regex(struct relabel *r, const struct conf_node *n, struct error *e)
{
	str s = STR("(.*)");
	struct error why;
	struct buf b = { 0 };

	if (n != NULL && conf_str(n, &s, e) == -1)
		return -1;
	r->any = str_eq(s, STR("(.*)"));
	if ((r->re = re_new(s, RE_ANCHORED, &why)) != NULL)
		return 0;
	buf_z(&b, "^(?s:");
	buf_add(&b, s);
	buf_z(&b, ")$");
	r->re = re_new(buf_str(&b), 0, NULL);
	buf_fini(&b);
	return r->re != NULL ? 0 : conf_error(n, e, "%s", why.msg);
}

static int
bad_name(const struct relabel *r, const struct conf_node *n, const char *key,
    str value, struct error *e)
{
	struct buf b = { 0 };

	quote_add(&b, value);
	(void)conf_error(n, e, "%s is invalid '%s' for %s action", buf_cstr(&b),
	    key, actions[r->action]);
	buf_fini(&b);
	return -1;
}

/* The target label: needed, and a name. */
static int
check_target(const struct relabel *r, const struct keys *k, struct error *e)
{
	unsigned is = 1U << r->action;
	bool ok;

	if ((is & (BIT(REPLACE) | BIT(HASHMOD) | EQUALS | CASES)) == 0)
		return 0;
	if (r->target.n == 0)
		return conf_error(r->node, e,
		    "relabel configuration for %s action requires "
		    "'target_label' value",
		    actions[r->action]);
	ok = r->action == RELABEL_REPLACE && r->target_var
	    ? template_valid(r, r->target)
	    : relabel_rule_name(r, r->target);
	return ok ? 0
		  : bad_name(r, k->target_label, "target_label", r->target, e);
}

static int
check(const struct relabel *r, const struct keys *k, struct error *e)
{
	unsigned is = 1U << r->action;
	bool separator = !str_eq(r->separator, STR(";"));
	bool replacement = !str_eq(r->replacement, STR("$1"));
	bool source =
	    k->source_labels != NULL && k->source_labels->kind != CONF_NULL;

	if (r->modulus == 0 && r->action == RELABEL_HASHMOD)
		return conf_error(r->node, e,
		    "relabel configuration for hashmod requires non-zero "
		    "modulus");
	if (check_target(r, k, e) == -1)
		return -1;
	if ((is & (EQUALS | CASES)) != 0 && replacement)
		return conf_error_key(k->replacement, e,
		    "'replacement' can not be set for %s action",
		    actions[r->action]);
	if (r->action == RELABEL_LABELMAP && !template_valid(r, r->replacement))
		return bad_name(
		    r, k->replacement, "replacement", r->replacement, e);
	if ((is & EQUALS) != 0 &&
	    (k->regex != NULL || r->modulus != 0 || separator))
		return conf_error(r->node, e,
		    "%s action requires only 'source_labels' and "
		    "`target_label`, and no other fields",
		    actions[r->action]);
	if ((is & NAMES) != 0 &&
	    (source || r->target.n > 0 || r->modulus != 0 || separator ||
		replacement))
		return conf_error(r->node, e,
		    "%s action requires only 'regex', and no other fields",
		    actions[r->action]);
	return 0;
}

static int
rule(struct relabel *r, const struct conf_node *n, struct error *e)
{
	struct keys k = { 0 };

	if (read_keys(n, &k, e) == -1 || read_action(r, k.action, e) == -1 ||
	    read_source(r, k.source_labels, e) == -1 ||
	    (k.separator != NULL &&
		conf_str(k.separator, &r->separator, e) == -1) ||
	    (k.target_label != NULL &&
		conf_str(k.target_label, &r->target, e) == -1) ||
	    (k.replacement != NULL &&
		conf_str(k.replacement, &r->replacement, e) == -1) ||
	    read_modulus(r, k.modulus, e) == -1 ||
	    read_regex(r, k.regex, e) == -1)
		return -1;
	r->target_var = has_var(r->target);
	r->replacement_var = has_var(r->replacement);
	r->copies = str_eq(r->replacement, STR("$1")) ||
	    str_eq(r->replacement, STR("${1}"));
	/* A shortcut for replace alone: other templates are to be filled in. */
	if (r->action == RELABEL_REPLACE &&
	    (r->target_var || (r->replacement_var && !r->copies)))
		r->any = false;
	return check(r, &k, e);
}

static void
rule_free(struct relabel *r)
{
	re_free(r->re);
	free(r->source);
	free(r);
}

void
relabel_free(struct relabels *r)
{
	for (size_t i = 0; i < r->n; i++)
		rule_free(r->v[i]);
	free(r->v);
	*r = (struct relabels){ 0 };
}

/* What upstream calls the rules of a list. */
static const char *
kind(const char *key)
{
	static const char *const kinds[][2] = {
		{ "relabel_configs", "target relabeling rule" },
		{ "metric_relabel_configs", "metric relabeling rule" },
		{ "alert_relabel_configs", "alert relabeling rule" },
		{ "write_relabel_configs",
		    "relabeling rule in remote write config" },
		{ "alertmanagers: relabel_configs",
		    "Alertmanager target relabeling rule" },
		{ "alertmanagers: alert_relabel_configs",
		    "Alertmanager alert relabeling rule" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(key, kinds[i][0]) == 0)
			return kinds[i][1];
	return "relabeling rule";
}

int
relabel_load(struct relabels *r, const struct conf_node *list, const char *key,
    bool legacy, struct error *e)
{
	*r = (struct relabels){ 0 };
	if (list == NULL || list->kind == CONF_NULL)
		return 0;
	if (list->kind != CONF_LIST)
		return conf_error(list, e, "%s: expected a list", key);
	r->v = mem_zero(list->n + 1, sizeof(struct relabel *));
	for (size_t i = 0; i < list->n; i++) {
		const struct conf_node *n = list->v[i];
		struct relabel *new;
		int rc;

		if (n->kind == CONF_NULL)
			rc = conf_error(n, e, "empty or null %s", kind(key));
		else if (n->kind != CONF_MAP)
			rc = conf_error(n, e, "%s: expected a map", key);
		else
			rc = 0;
		if (rc == 0) {
			new = mem_zero(1, sizeof(*new));
			*new = (struct relabel){ .separator = STR(";"),
				.replacement = STR("$1"),
				.legacy = legacy,
				.node = n };
			r->v[r->n++] = new;
			rc = rule(new, n, e);
		}
		if (rc == -1) {
			relabel_free(r);
			return -1;
		}
	}
	return 0;
}

static bool
plain(str s)
{
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!word_byte(s.p[i]) && s.p[i] != '.' && s.p[i] != '$' &&
		    s.p[i] != '/' && s.p[i] != '-')
			return false;
	return s.p[0] != '-';
}

static void
flow(struct buf *b, const struct conf_node *n)
{
	bool map = n->kind == CONF_MAP;

	if (n->kind == CONF_NULL) {
		buf_z(b, "null");
	} else if (n->kind == CONF_SCALAR) {
		if (plain(n->value) && !n->quoted)
			buf_add(b, n->value);
		else
			quote_add(b, n->value);
	} else {
		buf_byte(b, map ? '{' : '[');
		for (size_t i = 0; i < n->n; i++) {
			buf_z(b, i > 0 ? ", " : "");
			if (map) {
				buf_add(b, n->v[i]->key);
				buf_z(b, ": ");
			}
			flow(b, n->v[i]);
		}
		buf_byte(b, map ? '}' : ']');
	}
}

str
relabel_rule_text(const struct relabel *r, struct arena *a)
{
	struct buf b = { 0 };
	str s;

	flow(&b, r->node);
	s = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return s;
}
