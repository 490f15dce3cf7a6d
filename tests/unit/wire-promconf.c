/*
 * wire/promconf: what a prometheus.yml may say, rule and scrape files.  Covers
 * promconf_*.c.
 */
#include "check.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "wire/promconf.h"

static char dir[] = "/tmp/wire-promconf.XXXXXX";

static const char *
env(const char *name)
{
	return strcmp(name, "REGION") == 0 ? "kansai"
	    : strcmp(name, "EMPTY") == 0   ? ""
					   : NULL;
}

static const char *
path_of(const char *name)
{
	static char path[4][256];
	static int i;

	i = (i + 1) % 4;
	(void)snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

static void
put(const char *name, const char *text)
{
	struct error e;

	CHECK(file_replace(path_of(name), str_of(text), 0644, &e) == 0);
}

static struct promconf *
load(const char *text, struct error *e)
{
	struct conf_opts o = { .env = env };

	put("p.yml", text);
	return promconf_load(path_of("p.yml"), &o, e);
}

/* Loading fails, the message ends so (and begins with the file). */
static bool
refuses(const char *text, const char *msg)
{
	struct error e = { "" };
	struct promconf *p = load(text, &e);
	char want[512];

	promconf_free(p);
	(void)snprintf(want, sizeof(want), "%s:%s", path_of("p.yml"), msg);
	if (p == NULL && strcmp(e.msg, want) == 0)
		return true;
	printf("# got: %s\n", e.msg);
	return false;
}

static void
defaults(void)
{
	struct error e;
	struct promconf *p = load("", &e);

	CHECK(p != NULL);
	CHECK(p->global.scrape_interval == 60000 &&
	    p->global.scrape_timeout == 10000 &&
	    p->global.evaluation_interval == 60000);
	CHECK(p->external_labels.n == 0 && p->nscrape_configs == 0 &&
	    p->nalertmanagers == 0 && p->alert_relabel.n == 0);
	promconf_free(p);
	promconf_free(NULL);
	p = load("global: {scrape_interval: 5s}", &e);
	CHECK(p != NULL && p->global.scrape_timeout == 5000);
	promconf_free(p);
}

static void
whole(void)
{
	struct error e;
	struct promconf *p =
	    load("global:\n"
		 "  scrape_interval: 15s\n"
		 "  evaluation_interval: 30s\n"
		 "  body_size_limit: 15MB\n"
		 "  external_labels:\n"
		 "    b: x-${REGION}-$REGION.$$-${NONE}$NONE$\n"
		 "    a: '1'\n"
		 "runtime: {gogc: 42}\n"
		 "storage: {tsdb: {retention: {time: 1d}}}\n"
		 "tracing: {endpoint: 'x:1'}\n"
		 "otlp: {promote_resource_attributes: [a]}\n"
		 "remote_write: [{url: http://x/, basic_auth: {username: u}}]\n"
		 "remote_read: [{url: http://x/, read_recent: true}]\n"
		 "alerting:\n"
		 "  alert_relabel_configs: [{action: drop, regex: x}]\n"
		 "  alertmanagers:\n"
		 "  - static_configs: [{targets: ['localhost:9093']}]\n"
		 "scrape_configs:\n"
		 "- job_name: one\n"
		 "- {job_name: two, static_configs: []}\n",
		&e);

	CHECK(p != NULL);
	CHECK(p->global.scrape_interval == 15000 &&
	    p->global.scrape_timeout == 10000 &&
	    p->global.evaluation_interval == 30000 &&
	    p->global.body_size_limit == 15 << 20);
	CHECK(p->external_labels.n == 2);
	CHECK_STR(p->external_labels.v[0].name, "a");
	CHECK_STR(p->external_labels.v[1].value, "x-kansai-kansai.$-$");
	CHECK(p->nwarnings == 2);
	CHECK(str_ends(p->warnings[0],
	    STR(":6:8: external label \"b\": $NONE is not set")));
	CHECK(p->nalertmanagers == 1 && p->alert_relabel.n == 1);
	CHECK(p->nscrape_configs == 2);
	promconf_free(p);
}

static void
refused(void)
{
	CHECK(refuses("a: 1\n", "1:1: unknown key \"a\""));
	CHECK(refuses("global: {scrape_interval: 5s, scrape_timeout: 6s}\n",
	    "1:9: global scrape timeout greater than scrape interval"));
	CHECK(refuses("global: {nope: 5s}\n", "1:10: unknown key \"nope\""));
	CHECK(refuses("global: {sample_limit: -1}\n",
	    "1:24: sample_limit must not be negative"));
	CHECK(refuses("global: {keep_dropped_targets: lots}\n",
	    "1:32: cannot unmarshal `lots` into an integer"));
	CHECK(refuses("global: {scrape_native_histograms: 1}\n",
	    "1:36: cannot unmarshal `1` into a boolean"));
	CHECK(refuses("global: {metric_name_validation_scheme: x}\n",
	    "1:41: unrecognized ValidationScheme: \"x\""));
	CHECK(refuses("global: {metric_name_escaping_scheme: x}\n",
	    "1:39: unknown global name escaping method specified, must be one "
	    "of 'allow-utf-8', 'underscores', 'dots', or 'values', got \"x\""));
	CHECK(refuses("global: {scrape_protocols: []}\n",
	    "1:28: scrape_protocols cannot be empty for global config"));
	CHECK(refuses("global: {scrape_protocols: [PrometheusProto, "
		      "PrometheusProto]}\n",
	    "1:46: duplicated protocol in scrape_protocols, got "
	    "PrometheusProto twice for global config"));
	CHECK(refuses("global: {scrape_protocols: [prometheusproto]}\n",
	    "1:29: scrape_protocols: unknown scrape protocol prometheusproto, "
	    "supported: [OpenMetricsText0.0.1 OpenMetricsText1.0.0 "
	    "PrometheusProto PrometheusText0.0.4 PrometheusText1.0.0] for "
	    "global config"));
	CHECK(refuses("global: {external_labels: {a: !!binary /w==}}\n",
	    "1:31: \"\\xff\" is not a valid label value"));
	CHECK(refuses("global: {external_labels: {'': a}}\n",
	    "1:28: \"\" is not a valid label name"));
	CHECK(refuses("global: {external_labels: [a]}\n",
	    "1:27: external_labels: expected a map"));
	CHECK(refuses("storage: {x: 1}\n", "1:11: unknown key \"x\""));
	CHECK(refuses("tracing: 1\n", "1:10: tracing: expected a map"));
	CHECK(refuses("remote_write: [{name: a}]\n",
	    "1:16: url for remote_write is empty"));
	CHECK(refuses("remote_read: [~]\n",
	    "1:15: empty or null remote read config section"));
	CHECK(refuses("alerting: {alert_relabel_configs: [~]}\n",
	    "1:36: empty or null alert relabeling rule"));
	CHECK(refuses("scrape_configs: [{}]\n", "1:18: job_name is empty"));
	CHECK(refuses("scrape_configs: [~]\n",
	    "1:18: empty or null scrape config section"));
	CHECK(refuses(
	    "scrape_configs: {}\n", "1:17: scrape_configs: expected a list"));
	CHECK(refuses("scrape_configs: [{job_name: a}, {job_name: a}]\n",
	    "1:44: found multiple scrape configs with job name \"a\""));
	CHECK(refuses("rule_files: ['a*b/c*']\n",
	    "1:14: invalid rule file path \"a*b/c*\""));
	CHECK(refuses(
	    "rule_files: ['*/a']\n", "1:14: invalid rule file path \"*/a\""));
}

static void
sections(void)
{
	CHECK(refuses("storage: {tsdb: {chunk_encoding: {floats: XOR}}}\n",
	    "1:43: expected chunk encoding of floats to be xor or xor2, but "
	    "got \"XOR\""));
	CHECK(refuses("storage: {tsdb: {retention: {percentage: 101}}}\n",
	    "1:42: retention percentage must be between 0 and 100"));
	CHECK(refuses("storage: {tsdb: {retention: {time: -1h}}}\n",
	    "1:36: not a valid duration string: \"-1h\""));
	CHECK(refuses(
	    "tracing: {timeout: 1s}\n", "1:10: tracing endpoint must be set"));
	CHECK(refuses("tracing: {endpoint: a, headers: {Authorization: x}}\n",
	    "1:34: custom authorization header configuration is not yet "
	    "supported"));
	CHECK(refuses("otlp: {translation_strategy: x}\n",
	    "1:30: unsupported OTLP translation strategy \"x\""));
	CHECK(refuses("otlp: {promote_resource_attributes: [a, ' a']}\n",
	    "1:41: duplicated promoted OTel resource attribute \"a\""));
	CHECK(refuses("global: {metric_name_validation_scheme: legacy}\n"
		      "otlp: {translation_strategy: NoTranslation}\n",
	    "2:30: OTLP translation strategy \"NoTranslation\" is not allowed "
	    "when UTF8 is disabled"));
	CHECK(refuses("remote_write: [{url: a, queue_config: {max_shards: "
		      "0}}]\n",
	    "1:39: min_shards and max_shards must be greater than 0"));
	CHECK(refuses("remote_write: [{url: a, name: x}, {url: b, name: x}]\n",
	    "1:50: found multiple remote write configs with job name \"x\""));
	CHECK(refuses("remote_write: [{url: a, write_relabel_configs: [~]}]\n",
	    "1:49: empty or null relabeling rule in remote write config"));
	CHECK(refuses("alerting: {alertmanagers: [{relabel_configs: [~]}]}\n",
	    "1:47: empty or null Alertmanager target relabeling rule"));
}

/* Sections that are checked and not used, key by key. */
static void
remotes(void)
{
	CHECK(refuses("runtime: {gogc: x}\n",
	    "1:17: cannot unmarshal `x` into an integer"));
	CHECK(refuses("storage: {exemplars: {max_exemplars: 1.5}}\n",
	    "1:38: cannot unmarshal `1.5` into an integer"));
	CHECK(refuses("storage: {tsdb: {out_of_order_time_window: 1}}\n",
	    "1:44: not a valid duration string: \"1\""));
	CHECK(refuses("tracing: {endpoint: a, client_type: udp}\n",
	    "1:37: expected tracing client type to be http or grpc, but got "
	    "\"udp\""));
	CHECK(refuses("tracing: {endpoint: a, compression: zip}\n",
	    "1:37: invalid compression type, valid options: gzip, but got "
	    "\"zip\""));
	CHECK(refuses("tracing: {endpoint: a, tls_config: {nope: 1}}\n",
	    "1:37: unknown key \"nope\""));
	CHECK(refuses("remote_write: [{url: a, headers: {Authorization: b}}]\n",
	    "1:35: authorization header must be changed via the basic_auth, "
	    "authorization, oauth2, sigv4, azuread or google_iam parameter"));
	CHECK(refuses("remote_write: [{url: a, headers: {HOST: b}}]\n",
	    "1:35: HOST is a reserved header. It must not be changed"));
	CHECK(refuses("remote_write: [{url: a, protobuf_message: b}]\n",
	    "1:43: invalid protobuf_message value: supported are "
	    "prometheus.WriteRequest, io.prometheus.write.v2.Request, but got "
	    "\"b\""));
	CHECK(refuses("remote_write: [{url: a, sigv4: {access_key: b}}]\n",
	    "1:32: must provide a AWS SigV4 Access key and Secret Key if "
	    "credentials are specified in the SigV4 config"));
	CHECK(refuses("remote_write: [{url: a, sigv4: {}, google_iam: {}}]\n",
	    "1:16: at most one of basic_auth, authorization, oauth2, sigv4, "
	    "azuread or google_iam must be configured"));
	CHECK(refuses("remote_write: [{url: a, metadata_config: {send: 3}}]\n",
	    "1:49: cannot unmarshal `3` into a boolean"));
	CHECK(refuses("remote_write: [{url: a, write_relabel_configs: "
		      "[{regex: a}]}]\n",
	    "1:49: relabel configuration for replace action requires "
	    "'target_label' value"));
	CHECK(refuses("remote_read: [{url: a, required_matchers: [b]}]\n",
	    "1:43: required_matchers: expected a map"));
	CHECK(refuses("remote_read: [{url: a, chunked_read_limit: -1}]\n",
	    "1:44: chunked_read_limit must not be negative"));
	CHECK(refuses("remote_read: [{url: a, queue_config: {}}]\n",
	    "1:24: unknown key \"queue_config\""));
}

static void
alertmanagers(void)
{
	struct error e;
	struct promconf *p;

	CHECK(refuses("alerting: {alertmanagers: [{api_version: v1}]}\n",
	    "1:42: expected Alertmanager api version to be one of [v2], but "
	    "got \"v1\""));
	CHECK(refuses("alerting: {alertmanagers: [{schema: http}]}\n",
	    "1:29: unknown key \"schema\""));
	CHECK(refuses("alerting: {alertmanagers: [{timeout: 5}]}\n",
	    "1:38: not a valid duration string: \"5\""));
	CHECK(refuses("alerting: {alertmanagers: [{static_configs: "
		      "[{targets: ['http://a']}]}]}\n",
	    "1:57: \"http://a\" is not a valid hostname"));
	CHECK(refuses("alerting: {alertmanagers: [{static_configs: [~]}]}\n",
	    "1:46: empty or null section in static_configs"));
	CHECK(refuses("alerting: {alertmanagers: [{sigv4: {}, basic_auth: "
		      "{username: u}}]}\n",
	    "1:29: at most one of basic_auth, authorization, oauth2, & sigv4 "
	    "must be configured"));
	CHECK(refuses("alerting: {alertmanagers: [{alert_relabel_configs: "
		      "[{action: x}]}]}\n",
	    "1:62: unknown relabel action \"x\""));
	CHECK(refuses("alerting: {alertmanagers: [{nope_sd_configs: []}]}\n",
	    "1:29: unknown key \"nope_sd_configs\""));
	p = load("global: {metric_name_validation_scheme: legacy}\n"
		 "alerting:\n"
		 "  alertmanagers:\n"
		 "  - scheme: https\n"
		 "    path_prefix: /am\n"
		 "    timeout: 1s\n"
		 "    api_version: v2\n"
		 "    consul_sd_configs: [{server: a}]\n"
		 "    static_configs: [{targets: ['a/b'], labels: {c: 1}}]\n"
		 "    relabel_configs: [{action: labeldrop, regex: c}]\n",
	    &e);
	CHECK(p != NULL && p->nalertmanagers == 1);
	promconf_free(p);
	CHECK(refuses("global: {metric_name_validation_scheme: legacy}\n"
		      "alerting: {alert_relabel_configs: "
		      "[{target_label: a.b}]}\n",
	    "2:51: \"a.b\" is invalid 'target_label' for replace action"));
}

static void
files(void)
{
	struct error e;
	const struct promconf_rule_file *r = NULL;
	const struct conf_node *const *v;
	struct promconf *p;
	size_t n = 0;

	put("b.rules", "groups: []\n");
	put("a.rules", "groups: []\n");
	put("s.yml", "scrape_configs: [{job_name: three}]\n");
	put("t.yml", "scrape_configs: [{job_name: one}]\n");
	p = load("rule_files: ['*.rules', a.rules, 'no*.yml']\n"
		 "scrape_configs: [{job_name: one}]\n"
		 "scrape_config_files: [s.yml]\n",
	    &e);
	CHECK(p != NULL && promconf_rules(p, &r, &n, &e) == 0 && n == 3);
	CHECK(str_eq(r[0].path, str_of(path_of("a.rules"))));
	CHECK(str_eq(r[1].path, str_of(path_of("b.rules"))));
	CHECK(str_eq(r[2].path, r[0].path) && conf_root(r[2].conf)->n == 1);
	CHECK(promconf_scrapes(p, &v, &n, &e) == 0 && n == 2);
	CHECK_STR(conf_find(v[1], "job_name")->value, "three");
	promconf_free(p);
	p = load("rule_files: [none.rules]\n", &e);
	CHECK(promconf_rules(p, &r, &n, &e) == -1);
	CHECK(strstr(e.msg,
		  "p.yml:1:14: \"none.rules\" does not point to an "
		  "existing file") != NULL);
	promconf_free(p);
	p = load("scrape_configs: [{job_name: one}]\n"
		 "scrape_config_files: [t.yml]\n",
	    &e);
	CHECK(promconf_scrapes(p, &v, &n, &e) == -1);
	CHECK(strstr(e.msg, "t.yml:1:29: found multiple") != NULL);
	promconf_free(p);
}

static void
manifest(void)
{
	struct conf_opts o = { .env = env };
	const struct promconf_rule_file *r = NULL;
	struct error e;
	struct promconf *p;
	size_t n = 0;
	char path[300];

	put("m.yaml",
	    "apiVersion: v1\nkind: ConfigMap\ndata:\n"
	    "  p.yml: |\n"
	    "    global: {external_labels: {a: \"${REGION}\"}}\n"
	    "    rule_files: [/etc/prometheus/*.rules, /etc/p/z.txt]\n"
	    "  bad.yml: |\n"
	    "    global: {external_labels: {a: \"${NONE}\"}}\n"
	    "  y.rules: 'groups: []'\n"
	    "  x.rules: 'groups: []'\n"
	    "  z.txt: 'groups: []'\n");
	(void)snprintf(path, sizeof(path), "%s:p.yml", path_of("m.yaml"));
	p = promconf_load(path, &o, &e);
	CHECK(p != NULL);
	CHECK_STR(p->external_labels.v[0].value, "kansai");
	CHECK(promconf_rules(p, &r, &n, &e) == 0 && n == 3);
	CHECK_STR(r[0].path, "/etc/prometheus/x.rules");
	CHECK_STR(r[2].path, "/etc/p/z.txt");
	promconf_free(p);
	(void)snprintf(path, sizeof(path), "%s:bad.yml", path_of("m.yaml"));
	CHECK(promconf_load(path, &o, &e) == NULL);
	CHECK(strstr(e.msg, "m.yaml:8:35: nothing fills '${NONE}'") != NULL);
	CHECK(promconf_load(path_of("m.yaml"), &o, &e) == NULL);
	CHECK(strstr(e.msg, "say which of its keys is meant") != NULL);
}

int
main(void)
{
	static const char *const made[] = { "p.yml", "a.rules", "b.rules",
		"s.yml", "t.yml", "m.yaml" };

	if (mkdtemp(dir) == NULL)
		return 1;
	defaults();
	whole();
	refused();
	sections();
	remotes();
	alertmanagers();
	files();
	manifest();
	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++)
		(void)unlink(path_of(made[i]));
	(void)rmdir(dir);
	return done();
}
