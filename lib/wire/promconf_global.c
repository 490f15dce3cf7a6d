/*
 * The section global of a prometheus.yml.
 */
#include <stddef.h>
#include <string.h>

#include "base/quote.h"
#include "wire/promconf_all.h"

struct global {
	struct promconf_global g;
	const struct conf_node *external_labels;
};

#define GLOBAL(name, kind)                                                     \
	{                                                                      \
#name, kind, offsetof(struct global, g.name), false            \
	}

static const struct conf_field global_fields[] = {
	GLOBAL(scrape_interval, CONF_T_DUR),
	GLOBAL(scrape_timeout, CONF_T_DUR),
	GLOBAL(evaluation_interval, CONF_T_DUR),
	GLOBAL(rule_query_offset, CONF_T_DUR),
	GLOBAL(body_size_limit, CONF_T_SIZE),
	GLOBAL(sample_limit, CONF_T_INT),
	GLOBAL(target_limit, CONF_T_INT),
	GLOBAL(label_limit, CONF_T_INT),
	GLOBAL(label_name_length_limit, CONF_T_INT),
	GLOBAL(label_value_length_limit, CONF_T_INT),
	GLOBAL(keep_dropped_targets, CONF_T_INT),
	GLOBAL(scrape_failure_log_file, CONF_T_STR),
	GLOBAL(query_log_file, CONF_T_STR),
	GLOBAL(metric_name_validation_scheme, CONF_T_STR),
	GLOBAL(metric_name_escaping_scheme, CONF_T_STR),
	GLOBAL(extra_scrape_metrics, CONF_T_BOOL),
	GLOBAL(scrape_protocols, CONF_T_NODE),
	GLOBAL(scrape_native_histograms, CONF_T_NODE),
	GLOBAL(convert_classic_histograms_to_nhcb, CONF_T_NODE),
	GLOBAL(always_scrape_classic_histograms, CONF_T_NODE),
	{ "external_labels", CONF_T_NODE,
	    offsetof(struct global, external_labels), false },
};

/* The length of the name after a '$', as Go's os.Expand finds it. */
static size_t
shell_name(str s, str *name)
{
	size_t i = 0;

	*name = STR_NONE;
	if (s.n > 0 && s.p[0] == '{') {
		i = str_chr(s, '}');
		if (i == s.n)
			return 1;
		*name = (str){ s.p + 1, i - 1 };
		return i + 1;
	}
	if (s.n > 0 && s.p[0] != '_' && strchr("*#$@!?-0123456789", s.p[0])) {
		*name = str_take(s, 1);
		return 1;
	}
	while (i < s.n &&
	    (s.p[i] == '_' || (s.p[i] >= '0' && s.p[i] <= '9') ||
		((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z')))
		i++;
	*name = str_take(s, i);
	return i;
}

/* Add the value of one name; what is not set is empty, and told. */
static int
expand_name(struct promconf_all *p, const struct conf_node *n, str name,
    struct buf *b, struct error *e)
{
	const char *z = NULL;

	if (str_eq(name, STR("$"))) {
		buf_byte(b, '$');
		return 0;
	}
	if (p->o.env != NULL && memchr(name.p, '\0', name.n) == NULL)
		z = p->o.env(arena_cstr(&p->a, name));
	if (z != NULL && z[0] != '\0') {
		buf_z(b, z);
		return 0;
	}
	if (z == NULL && !(name.p[0] >= '0' && name.p[0] <= '9') &&
	    (p->o.env_on || conf_key(p->pub.conf).n > 0))
		return conf_error(n, e,
		    "nothing fills '${%.*s}': use --set '%.*s=VALUE' or the "
		    "environment",
		    STR_ARG(name), STR_ARG(name));
	conf_error(n, e, "external label \"%.*s\": $%.*s is not set",
	    STR_ARG(n->key), STR_ARG(name));
	promconf_warn(&p->pub, e->msg);
	return 0;
}

/* $NAME and ${NAME} in an external label, as os.Expand does it. */
static int
expand(struct promconf_all *p, const struct conf_node *n, str s, str *out,
    struct error *e)
{
	struct buf b = { 0 };
	int rc = 0;

	for (size_t i = 0; i < s.n && rc == 0; i++) {
		size_t w = 0;
		str name = STR_NONE;

		if (s.p[i] != '$' || i + 1 == s.n) {
			buf_byte(&b, s.p[i]);
			continue;
		}
		w = shell_name(str_skip(s, i + 1), &name);
		if (name.n > 0)
			rc = expand_name(p, n, name, &b, e);
		else if (w == 0)
			buf_byte(&b, '$');
		i += w;
	}
	*out = arena_dup(&p->a, buf_str(&b));
	buf_fini(&b);
	return rc;
}

static int
bad(const struct conf_node *n, bool key, str s, const char *what,
    struct error *e)
{
	struct buf b = { 0 };

	quote_add(&b, s);
	if (key)
		(void)conf_error_key(
		    n, e, "%s is not a valid label %s", buf_cstr(&b), what);
	else
		(void)conf_error(
		    n, e, "%s is not a valid label %s", buf_cstr(&b), what);
	buf_fini(&b);
	return -1;
}

static int
external_labels(
    struct promconf_all *p, const struct conf_node *map, struct error *e)
{
	bool legacy =
	    str_eq(p->pub.global.metric_name_validation_scheme, STR("legacy"));
	struct label_set set = { 0 };
	int rc = -1;
	str v;

	if (map == NULL || map->kind == CONF_NULL)
		return 0;
	if (map->kind != CONF_MAP)
		return conf_error(map, e, "external_labels: expected a map");
	for (size_t i = 0; i < map->n; i++) {
		const struct conf_node *n = map->v[i];

		if (n->key.n == 0 || !str_utf8(n->key) ||
		    (legacy && !label_name_valid(n->key))) {
			(void)bad(n, true, n->key, "name", e);
			goto out;
		}
		if (conf_str(n, &v, e) == -1 || expand(p, n, v, &v, e) == -1)
			goto out;
		if (!str_utf8(v)) {
			(void)bad(n, false, v, "value", e);
			goto out;
		}
		label_set(&set, n->key, v);
	}
	p->pub.external_labels = label_done(&set, &p->a);
	rc = 0;
out:
	label_fini(&set);
	return rc;
}

/* Upstream's names of the scrape protocols. */
static const char *const protocols[] = { "OpenMetricsText0.0.1",
	"OpenMetricsText1.0.0", "PrometheusProto", "PrometheusText0.0.4",
	"PrometheusText1.0.0", NULL };

static bool
one_of(str s, const char *const *names)
{
	for (; *names != NULL; names++)
		if (str_eq(s, str_of(*names)))
			return true;
	return false;
}

int
promconf_protocols(
    const struct conf_node *list, const char *whose, struct error *e)
{
	if (list == NULL || list->kind == CONF_NULL)
		return 0;
	if (list->kind != CONF_LIST)
		return conf_error(list, e, "scrape_protocols: expected a list");
	if (list->n == 0)
		return conf_error(
		    list, e, "scrape_protocols cannot be empty for %s", whose);
	for (size_t i = 0; i < list->n; i++) {
		str s;

		if (conf_str(list->v[i], &s, e) == -1)
			return -1;
		for (size_t j = 0; j < i; j++)
			if (str_eq(s, list->v[j]->value))
				return conf_error(list->v[i], e,
				    "duplicated protocol in scrape_protocols, "
				    "got %.*s twice for %s",
				    STR_ARG(s), whose);
		if (!one_of(s, protocols))
			return conf_error(list->v[i], e,
			    "scrape_protocols: unknown scrape protocol %.*s, "
			    "supported: [OpenMetricsText0.0.1 "
			    "OpenMetricsText1.0.0 PrometheusProto "
			    "PrometheusText0.0.4 PrometheusText1.0.0] for %s",
			    STR_ARG(s), whose);
	}
	return 0;
}

/* Flags that a job may inherit stay nodes; here they are held to be flags. */
static int
check_flags(const struct conf_node *n, struct error *e)
{
	static const char *const names[] = { "scrape_native_histograms",
		"convert_classic_histograms_to_nhcb",
		"always_scrape_classic_histograms" };
	const struct conf_node *v;
	bool b;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		v = conf_find(n, names[i]);
		if (v != NULL && v->kind != CONF_NULL &&
		    conf_bool(v, &b, e) == -1)
			return -1;
	}
	return 0;
}

static int
check_limits(
    const struct promconf_global *g, const struct conf_node *n, struct error *e)
{
	const struct {
		const char *name;
		int64_t v;
	} limits[] = { { "sample_limit", g->sample_limit },
		{ "target_limit", g->target_limit },
		{ "label_limit", g->label_limit },
		{ "label_name_length_limit", g->label_name_length_limit },
		{ "label_value_length_limit", g->label_value_length_limit },
		{ "keep_dropped_targets", g->keep_dropped_targets } };

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (limits[i].v < 0)
			return conf_error(conf_find(n, limits[i].name), e,
			    "%s must not be negative", limits[i].name);
	return 0;
}

static int
check(
    const struct promconf_global *g, const struct conf_node *n, struct error *e)
{
	static const char *const valid[] = { "", "utf8", "legacy", NULL };
	static const char *const escape[] = { "", "allow-utf-8", "underscores",
		"dots", "values", NULL };

	if (!one_of(g->metric_name_validation_scheme, valid))
		return conf_error(conf_find(n, "metric_name_validation_scheme"),
		    e, "unrecognized ValidationScheme: \"%.*s\"",
		    STR_ARG(g->metric_name_validation_scheme));
	if (g->scrape_timeout > g->scrape_interval)
		return conf_error(
		    n, e, "global scrape timeout greater than scrape interval");
	if (!one_of(g->metric_name_escaping_scheme, escape))
		return conf_error(conf_find(n, "metric_name_escaping_scheme"),
		    e,
		    "unknown global name escaping method specified, must be "
		    "one of 'allow-utf-8', 'underscores', 'dots', or "
		    "'values', got \"%.*s\"",
		    STR_ARG(g->metric_name_escaping_scheme));
	if (check_limits(g, n, e) == -1 || check_flags(n, e) == -1)
		return -1;
	return promconf_protocols(g->scrape_protocols, "global config", e);
}

int
promconf_all_global(
    struct promconf_all *p, const struct conf_node *n, struct error *e)
{
	struct global g = { 0 };
	struct promconf_global *q = &g.g;

	if (n != NULL &&
	    conf_read(n, global_fields,
		sizeof(global_fields) / sizeof(*global_fields), &g, e) == -1)
		return -1;
	if (q->scrape_interval == 0)
		q->scrape_interval = 60000;
	if (n != NULL && check(q, n, e) == -1)
		return -1;
	if (q->scrape_timeout == 0)
		q->scrape_timeout =
		    q->scrape_interval < 10000 ? q->scrape_interval : 10000;
	if (q->evaluation_interval == 0)
		q->evaluation_interval = 60000;
	p->pub.global = *q;
	return external_labels(p, g.external_labels, e);
}
