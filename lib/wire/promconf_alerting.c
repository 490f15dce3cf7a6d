/*
 * The section alerting of a prometheus.yml.  Who an alert is sent to is found
 * and asked by mf-notify, which reads the entries; here they are held against
 * what upstream takes.
 */
#include <stddef.h>

#include "net/auth.h"
#include "wire/promconf_all.h"

/* Is it a discovery of upstream's? */
static bool
discovery(str key)
{
	static const char *const names[] = { "aws", "azure", "consul",
		"digitalocean", "dns", "docker", "dockerswarm", "ec2", "ecs",
		"elasticache", "eureka", "file", "gce", "hetzner", "http",
		"ionos", "kubernetes", "kuma", "lightsail", "linode",
		"marathon", "msk", "nerve", "nomad", "oci", "openstack",
		"outscale", "ovhcloud", "puppetdb", "rds", "scaleway",
		"serverset", "stackit", "triton", "uyuni", "vultr" };
	str name;

	if (str_eq(key, STR("static_configs")))
		return true;
	if (!str_ends(key, STR("_sd_configs")))
		return false;
	name = str_take(key, key.n - sizeof("_sd_configs") + 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (str_eq(name, str_of(names[i])))
			return true;
	return false;
}

static bool
inlined(str key)
{
	return auth_key(key) || discovery(key);
}

struct entry {
	str scheme, path_prefix;
	int64_t timeout;
};

/* One of static_configs; url: its targets may look like URLs. */
static int
group(const struct conf_node *n, bool url, struct error *e)
{
	static const char *const keys[] = { "targets", "labels", NULL };
	const struct conf_node *labels = conf_find(n, "labels");
	const struct conf_node *const *v;
	size_t len;
	str s;

	if (promconf_all_keys(n, keys, NULL, e) == -1 ||
	    promconf_all_list(conf_find(n, "targets"), CONF_SCALAR, "target",
		&v, &len, e) == -1)
		return -1;
	for (size_t i = 0; i < len; i++)
		if (!url && str_chr(v[i]->value, '/') < v[i]->value.n)
			return conf_error(v[i], e,
			    "\"%.*s\" is not a valid hostname",
			    STR_ARG(v[i]->value));
	if (!promconf_all_there(labels))
		return 0;
	if (labels->kind != CONF_MAP)
		return conf_error(labels, e, "labels: expected a map");
	for (size_t i = 0; i < labels->n; i++)
		if (conf_str(labels->v[i], &s, e) == -1)
			return -1;
	return 0;
}

static int
discoveries(const struct conf_node *n, bool url, struct error *e)
{
	const struct conf_node *const *v;
	size_t len;

	for (size_t i = 0; i < n->n; i++) {
		bool fixed = str_eq(n->v[i]->key, STR("static_configs"));

		if (!discovery(n->v[i]->key))
			continue;
		if (promconf_all_list(n->v[i], CONF_MAP,
			fixed ? "section in static_configs"
			      : "discovery section",
			&v, &len, e) == -1)
			return -1;
		for (size_t j = 0; fixed && j < len; j++)
			if (group(v[j], url, e) == -1)
				return -1;
	}
	return 0;
}

static int
check_entry(const struct conf_node *n, bool legacy, struct error *e)
{
	static const char *const keys[] = { "scheme", "path_prefix", "timeout",
		"api_version", "sigv4", "relabel_configs",
		"alert_relabel_configs", NULL };
	static const struct conf_field fields[] = {
		{ "scheme", CONF_T_STR, offsetof(struct entry, scheme), false },
		{ "path_prefix", CONF_T_STR,
		    offsetof(struct entry, path_prefix), false },
		{ "timeout", CONF_T_DUR, offsetof(struct entry, timeout),
		    false },
	};
	static const char *const versions[] = { "v2", NULL };
	const struct conf_node *relabel = conf_find(n, "relabel_configs");
	const struct conf_node *sigv4 = conf_find(n, "sigv4");
	struct entry x = { 0 };
	struct auth auth;

	auth_init(&auth);
	if (promconf_all_keys(n, keys, inlined, e) == -1 ||
	    promconf_all_some(
		n, fields, sizeof(fields) / sizeof(*fields), &x, e) == -1 ||
	    promconf_all_word(conf_find(n, "api_version"), versions,
		"expected Alertmanager api version to be one of [v2]",
		e) == -1 ||
	    auth_load(&auth, n, true, e) == -1 ||
	    promconf_all_sigv4(sigv4, e) == -1)
		return -1;
	if (promconf_all_there(sigv4) && promconf_all_credentials(n) > 0)
		return conf_error_key(sigv4, e,
		    "at most one of basic_auth, authorization, oauth2, & sigv4 "
		    "must be configured");
	if (promconf_all_rules(
		relabel, "alertmanagers: relabel_configs", legacy, e) == -1 ||
	    promconf_all_rules(conf_find(n, "alert_relabel_configs"),
		"alertmanagers: alert_relabel_configs", legacy, e) == -1)
		return -1;
	return discoveries(n, relabel != NULL && relabel->n > 0, e);
}

int
promconf_all_alerting(struct promconf_all *p, const struct conf_node *n,
    bool legacy, struct error *e)
{
	static const char *const keys[] = { "alert_relabel_configs",
		"alertmanagers", NULL };

	if (promconf_all_keys(n, keys, NULL, e) == -1 ||
	    relabel_load(&p->pub.alert_relabel,
		conf_find(n, "alert_relabel_configs"), "alert_relabel_configs",
		legacy, e) == -1 ||
	    promconf_all_list(conf_find(n, "alertmanagers"), CONF_MAP,
		"alertmanager config", &p->pub.alertmanagers,
		&p->pub.nalertmanagers, e) == -1)
		return -1;
	for (size_t i = 0; i < p->pub.nalertmanagers; i++)
		if (check_entry(p->pub.alertmanagers[i], legacy, e) == -1)
			return -1;
	return 0;
}
