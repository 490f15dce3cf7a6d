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
	    p->nalertmanagers == 0 && p->alert_relabel_configs == NULL);
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
	CHECK(p->nalertmanagers == 1 && p->alert_relabel_configs->n == 1);
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
	    "1:9: a limit must not be negative"));
	CHECK(refuses("global: {external_labels: {'': a}}\n",
	    "1:28: \"\" is not a valid label name"));
	CHECK(refuses("global: {external_labels: [a]}\n",
	    "1:27: external_labels: expected a map"));
	CHECK(refuses("storage: {x: 1}\n", "1:11: unknown key \"x\""));
	CHECK(refuses("tracing: 1\n", "1:10: tracing: expected a map"));
	CHECK(refuses("remote_write: [{name: a}]\n",
	    "1:16: url for remote_write is empty"));
	CHECK(refuses("remote_read: [~]\n", "1:15: empty or null remote_read"));
	CHECK(refuses("alerting: {alert_relabel_configs: [~]}\n",
	    "1:36: empty or null alert relabeling rule"));
	CHECK(refuses("scrape_configs: [{}]\n", "1:18: job_name is empty"));
	CHECK(refuses("scrape_configs: [~]\n",
	    "1:18: empty or null scrape config section"));
	CHECK(refuses(
	    "scrape_configs: {}\n", "1:17: scrape_configs: expected a list"));
	CHECK(refuses("scrape_configs: [{job_name: a}, {job_name: a}]\n",
	    "1:44: found multiple scrape configs with job name \"a\""));
	CHECK(refuses(
	    "rule_files: ['a*b*']\n", "1:14: invalid rule file path \"a*b*\""));
	CHECK(refuses(
	    "rule_files: ['*/a']\n", "1:14: invalid rule file path \"*/a\""));
}

static void
sections(void)
{
	CHECK(refuses("storage: {tsdb: {chunk_encoding: {floats: XOR}}}\n",
	    "1:43: unsupported floats \"XOR\""));
	CHECK(refuses("storage: {tsdb: {retention: {percentage: 101}}}\n",
	    "1:42: retention percentage must be between 0 and 100"));
	CHECK(refuses("storage: {tsdb: {retention: {time: -1h}}}\n",
	    "1:36: not a valid duration string: \"-1h\""));
	CHECK(refuses(
	    "tracing: {timeout: 1s}\n", "1:10: tracing endpoint must be set"));
	CHECK(refuses("tracing: {endpoint: a, headers: {Authorization: x}}\n",
	    "1:34: Authorization is a reserved header. It must not be "
	    "changed"));
	CHECK(refuses("otlp: {translation_strategy: x}\n",
	    "1:30: unsupported translation_strategy \"x\""));
	CHECK(refuses("otlp: {promote_resource_attributes: [a, ' a']}\n",
	    "1:41: duplicated resource attribute \"a\""));
	CHECK(refuses("global: {metric_name_validation_scheme: legacy}\n"
		      "otlp: {translation_strategy: NoTranslation}\n",
	    "2:30: OTLP translation strategy \"NoTranslation\" is not allowed "
	    "when UTF8 is disabled"));
	CHECK(refuses("remote_write: [{url: a, queue_config: {max_shards: "
		      "0}}]\n",
	    "1:39: min_shards and max_shards must be greater than 0"));
	CHECK(refuses("remote_write: [{url: a, name: x}, {url: b, name: x}]\n",
	    "1:50: found multiple remote_write configs with job name \"x\""));
	CHECK(refuses("remote_write: [{url: a, write_relabel_configs: [~]}]\n",
	    "1:49: empty or null relabeling rule"));
	CHECK(refuses("alerting: {alertmanagers: [{relabel_configs: [~]}]}\n",
	    "1:47: empty or null relabeling rule"));
	CHECK(refuses("global: {metric_name_validation_scheme: legacy, "
		      "metric_name_escaping_scheme: allow-utf-8}\n",
	    "1:9: metric_name_escaping_scheme cannot be 'allow-utf-8' when "
	    "metric_name_validation_scheme is 'legacy'"));
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
	files();
	manifest();
	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++)
		(void)unlink(path_of(made[i]));
	(void)rmdir(dir);
	return done();
}
