/*
 * What mf-eval reads of configurations: rule files named by prometheus.yml and
 * by -r, under the global settings they inherit.
 */
#include "eval_cmd.h"

#include "wire/promconf.h"

static void
report(void *arg, const char *msg)
{
	(void)arg;
	tool_warn("%s", msg);
}

/* Rule files of -c: their labels are the paths as they are named there. */
static int
add_named(struct eval_config *c, struct error *e)
{
	const struct promconf_rule_file *v;
	size_t n;

	if (promconf_rules(c->prom, &v, &n, e) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		c->faults +=
		    rule_add(c->set, v[i].path, v[i].conf, report, NULL);
	c->files += n;
	return 0;
}

static int
add_given(struct eval_config *c, const struct eval_options *o, struct error *e)
{
	for (size_t i = 0; i < o->rules.n; i++) {
		struct conf *conf =
		    conf_load(o->rules.v[i], tool_conf_opts(), e);

		if (conf == NULL)
			return -1;
		c->faults +=
		    rule_add(c->set, str_of(o->rules.v[i]), conf, report, NULL);
		conf_free(conf);
		c->files++;
	}
	return 0;
}

int
eval_config_load(struct eval_config *c, const struct eval_options *o,
    bool keep_results, struct error *e)
{
	struct rule_opts r = { .resend_delay = o->resend_delay,
		.keep_results = keep_results,
		.features = o->in.features };

	*c = (struct eval_config){ 0 };
	if (o->external_url != NULL)
		r.external_url = str_of(o->external_url);
	while (r.external_url.n > 0 &&
	    r.external_url.p[r.external_url.n - 1] == '/')
		r.external_url.n--;
	if (o->config != NULL) {
		c->prom = promconf_load(o->config, tool_conf_opts(), e);
		if (c->prom == NULL)
			return -1;
		for (size_t i = 0; i < c->prom->nwarnings; i++)
			tool_warn("%.*s", STR_ARG(c->prom->warnings[i]));
		r.interval = c->prom->global.evaluation_interval;
		r.query_offset = c->prom->global.rule_query_offset;
		r.external_labels = c->prom->external_labels;
		r.alert_relabel = &c->prom->alert_relabel;
		r.legacy_names =
		    str_eq(c->prom->global.metric_name_validation_scheme,
			STR("legacy"));
	}
	c->set = rule_set_new(&r);
	if ((c->prom != NULL && add_named(c, e) == -1) ||
	    add_given(c, o, e) == -1) {
		eval_config_free(c);
		return -1;
	}
	return 0;
}

void
eval_config_free(struct eval_config *c)
{
	rule_set_free(c->set);
	if (c->prom != NULL)
		promconf_free(c->prom);
	*c = (struct eval_config){ 0 };
}
