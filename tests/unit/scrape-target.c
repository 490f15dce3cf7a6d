/*
 * scrape/target: what a configuration or an operand names.  Covers job.c,
 * set.c and explain.c.
 */
#include "check.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "scrape/target.h"

static char dir[] = "/tmp/scrape-target.XXXXXX";
static char path[64];

static struct promconf *conf;
static struct scrape_config *config;

static int64_t
mono(void *arg)
{
	return *(const int64_t *)arg;
}

static int64_t ns = INT64_C(1000000000);
static const struct clock clock_of = { .mono = mono, .arg = &ns };

static struct scrape_config *
load(const char *text, struct error *e)
{
	scrape_config_free(config);
	config = NULL;
	promconf_free(conf);
	CHECK(file_replace(path, str_of(text), 0644, e) == 0);
	conf = promconf_load(path, NULL, e);
	if (conf != NULL)
		config = scrape_load(conf, e);
	return config;
}

static struct scrape_set *
targets(const char *text, const struct scrape_spread *spread)
{
	struct error e = { "" };
	struct scrape_config *c = load(text, &e);
	struct scrape_set *set;
	struct scrape_sd *sd;

	if (c == NULL)
		printf("# %s\n", e.msg);
	CHECK(c != NULL);
	sd = scrape_sd_new(c, NULL, &clock_of, NULL, &e);
	CHECK(sd != NULL);
	(void)scrape_sd_step(sd);
	set = scrape_targets(c, sd, spread);
	scrape_sd_free(sd);
	return set;
}

/* One job "j" with these keys is refused with a message that ends so. */
static bool
refuses(const char *keys, const char *msg)
{
	struct buf b = { 0 };
	struct error e = { "" };
	struct scrape_config *c;
	bool ok;

	buf_printf(&b, "scrape_configs:\n- job_name: j\n  %s\n", keys);
	c = load(buf_cstr(&b), &e);
	ok = c == NULL && str_ends(str_of(e.msg), str_of(msg)) &&
	    str_starts(str_of(e.msg), str_of(path));
	if (!ok)
		printf("# got: %s\n", c != NULL ? "no error" : e.msg);
	buf_fini(&b);
	return ok;
}

static void
whole(void)
{
	struct scrape_spread spread = { .seed = 7 };
	struct scrape_set *s = targets(
	    "global:\n"
	    "  scrape_interval: 30s\n"
	    "  sample_limit: 9\n"
	    "  label_limit: 8\n"
	    "  scrape_failure_log_file: g.log\n"
	    "scrape_configs:\n"
	    "- job_name: one\n"
	    "  scrape_timeout: 5s\n"
	    "  metrics_path: /m x?\n"
	    "  scheme: https\n"
	    "  params: {b: ['1 2', 'x&y'], a: ['/'], e: []}\n"
	    "  basic_auth: {username: u, password: p}\n"
	    "  keep_dropped_targets: 5\n"
	    "  relabel_configs: []\n"
	    "  static_configs:\n"
	    "  - targets: ['h:1', 'h:2', 'h:1']\n"
	    "    labels: {env: prod, empty: ''}\n"
	    "- job_name: two\n"
	    "  scrape_interval: 5s\n"
	    "  sample_limit: 0\n"
	    "  label_limit: 3\n"
	    "  scrape_failure_log_file: /j.log\n"
	    "  scrape_protocols: [PrometheusProto, PrometheusText0.0.4]\n"
	    "  static_configs:\n"
	    "  - targets: ['h:1']\n"
	    "    labels: {__metrics_path__: x, __param_q: v, job: own,\n"
	    "      __scrape_interval__: 3s, __scrape_timeout__: 1s,\n"
	    "      instance: me}\n"
	    "- job_name: none\n",
	    &spread);
	const struct scrape_target *t;
	struct buf b = { 0 };

	CHECK(s->n == 3 && s->nwarnings == 0 && s->ndropped_all == 0);
	t = s->v[0];
	CHECK_STR(t->text, "{env=\"prod\",instance=\"h:1\",job=\"one\"}");
	CHECK_STR(t->url, "https://h:1/m%20x%3F?a=%2F&b=1+2&b=x%26y");
	CHECK(t->interval == 30000 && t->timeout == 5000);
	CHECK(t->offset >= 0 && t->offset < 30000);
	CHECK(t->offset != s->v[1]->offset);
	CHECK(t->job->sample_limit == 9 && t->job->label_limit == 8);
	CHECK_STR(t->job->auth.username, "u");
	CHECK_STR(label_find(t->all, STR("__scrape_interval__")), "30s");
	CHECK_STR(t->job->accept,
	    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;"
	    "q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
	    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
	    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2");
	buf_printf(&b, "%s/g.log", dir);
	CHECK(str_eq(t->job->failure_log_file, buf_str(&b)));
	buf_fini(&b);
	buf_reset(&b);
	label_print_set(&b, t->discovered);
	CHECK_STR(buf_str(&b),
	    "{__address__=\"h:1\","
	    "__always_scrape_classic_histograms__=\"false\","
	    "__convert_classic_histograms_to_nhcb__=\"false\","
	    "__metrics_path__=\"/m x?\",__param_a=\"/\",__param_b=\"1 2\","
	    "__scheme__=\"https\",__scrape_interval__=\"30s\","
	    "__scrape_native_histograms__=\"false\","
	    "__scrape_timeout__=\"5s\",env=\"prod\",job=\"one\"}");
	buf_fini(&b);
	t = s->v[2];
	CHECK_STR(t->text, "{instance=\"me\",job=\"own\"}");
	CHECK_STR(t->url, "http://h:1/x?q=v");
	CHECK(t->interval == 3000 && t->timeout == 1000);
	CHECK(t->job->sample_limit == 9 && t->job->label_limit == 3);
	CHECK_STR(t->job->failure_log_file, "/j.log");
	CHECK_STR(t->job->accept,
	    "application/vnd.google.protobuf;"
	    "proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
	    "text/plain;version=0.0.4;q=0.5,*/*;q=0.4");
	scrape_free(s);
}

static void
schemes(void)
{
	static const struct {
		const char *global, *job, *accept;
	} t[] = {
		{ "scrape_native_histograms: true", "",
		    "application/vnd.google.protobuf;"
		    "proto=io.prometheus.client.MetricFamily;"
		    "encoding=delimited;q=0.6,"
		    "application/openmetrics-text;version=1.0.0;"
		    "escaping=allow-utf-8;q=0.5,"
		    "application/openmetrics-text;version=0.0.1;q=0.4,"
		    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
		    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1" },
		{ "scrape_protocols: [PrometheusText1.0.0]",
		    "scrape_native_histograms: true",
		    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,"
		    "*/*;q=0.5" },
		{ "scrape_protocols: [PrometheusText1.0.0]",
		    "metric_name_validation_scheme: legacy",
		    "text/plain;version=1.0.0;escaping=underscores;q=0.6,"
		    "*/*;q=0.5" },
		{ "metric_name_validation_scheme: legacy, "
		  "metric_name_escaping_scheme: dots",
		    "scrape_protocols: [PrometheusText1.0.0]",
		    "text/plain;version=1.0.0;escaping=dots;q=0.6,*/*;q=0.5" },
		{ "metric_name_escaping_scheme: dots",
		    "metric_name_validation_scheme: utf8, "
		    "scrape_protocols: [PrometheusText1.0.0]",
		    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,"
		    "*/*;q=0.5" },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct buf b = { 0 };
		struct error e;
		const struct scrape_config *c;

		buf_printf(&b,
		    "global: {%s}\nscrape_configs:\n- {job_name: j, %s}\n",
		    t[i].global, t[i].job);
		c = load(buf_cstr(&b), &e);
		CHECK(c != NULL && c->njobs == 1 &&
		    str_eq(c->jobs[0]->accept, str_of(t[i].accept)));
		buf_fini(&b);
	}
}

static void
twice(void)
{
	struct scrape_spread spread = { 0 };
	struct scrape_set *s =
	    targets("scrape_configs:\n"
		    "- job_name: a\n"
		    "  static_configs:\n"
		    "  - {targets: ['h:1'], labels: {instance: x}}\n"
		    "  - {targets: ['h:2', 'h:1'], labels: {instance: x}}\n",
		&spread);

	CHECK(s->n == 1 && s->nwarnings == 1 && s->ndropped == 1);
	CHECK_STR(s->dropped[0].error,
	    "two targets have the labels {instance=\"x\",job=\"a\"}; only "
	    "http://h:1/metrics is scraped");
	scrape_free(s);
}

/* What relabelling may make of a target of job j, and what is said of it. */
static void
relabelled(void)
{
	static const struct {
		const char *rule, *url, *error;
	} t[] = {
		{ "target_label: __address__, replacement: 'k:2'",
		    "http://k:2/metrics?a=1&b=2&b=3", NULL },
		{ "target_label: __param_b, replacement: '&'",
		    "http://h:1/metrics?a=1&b=%26&b=3", NULL },
		{ "target_label: __param_aa, replacement: z",
		    "http://h:1/metrics?a=1&aa=z&b=2&b=3", NULL },
		{ "target_label: __param_z, replacement: z",
		    "http://h:1/metrics?a=1&b=2&b=3&z=z", NULL },
		{ "regex: __param_.*, action: labeldrop",
		    "http://h:1/metrics?a=1&b=2&b=3", NULL },
		{ "target_label: __metrics_path__, replacement: m",
		    "http://h:1/m?a=1&b=2&b=3", NULL },
		{ "target_label: __unix_socket__, replacement: /s",
		    "unix:/s:http://h:1/metrics?a=1&b=2&b=3", NULL },
		{ "target_label: __address__, replacement: 'exec:9100'",
		    "http://exec:9100/metrics?a=1&b=2&b=3", NULL },
		{ "target_label: __address__, replacement: 'exec:uname -a'",
		    "exec:uname -a", NULL },
		{ "target_label: __address__, replacement: 'file:/x'",
		    "file:/x", NULL },
		{ "target_label: __address__, replacement: 'unix:/x'",
		    "unix:/x:/metrics?a=1&b=2&b=3", NULL },
		{ "target_label: __address__, replacement: 'unix:/x:/y'",
		    "unix:/x:/y", NULL },
		{ "action: drop", NULL, "" },
		{ "target_label: __address__, replacement: ''", NULL,
		    "no address" },
		{ "target_label: __address__, replacement: 'http://x'", NULL,
		    "\"http://x\" is not a valid hostname" },
		{ "target_label: __scrape_interval__, replacement: x", NULL,
		    "error parsing scrape interval: not a valid duration "
		    "string: \"x\"" },
		{ "target_label: __scrape_interval__, replacement: 0s", NULL,
		    "scrape interval cannot be 0" },
		{ "target_label: __scrape_timeout__, replacement: ''", NULL,
		    "error parsing scrape timeout: empty duration string" },
		{ "target_label: __scrape_timeout__, replacement: '0'", NULL,
		    "scrape timeout cannot be 0" },
		{ "target_label: __scrape_interval__, replacement: 1s", NULL,
		    "scrape timeout cannot be greater than scrape interval "
		    "(\"10s\" > \"1s\")" },
		{ "target_label: __scrape_native_histograms__, "
		  "replacement: maybe",
		    NULL,
		    "label __scrape_native_histograms__ must be true or "
		    "false, not \"maybe\"" },
	};
	struct scrape_spread spread = { 0 };

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct buf b = { 0 };
		struct scrape_set *s;
		bool ok;

		buf_printf(&b,
		    "scrape_configs:\n- job_name: j\n"
		    "  params: {b: ['2', '3'], a: ['1']}\n"
		    "  static_configs: [{targets: ['h:1'],\n"
		    "    labels: {__meta_x: y}}]\n"
		    "  relabel_configs: [{%s}]\n",
		    t[i].rule);
		s = targets(buf_cstr(&b), &spread);
		if (t[i].url != NULL)
			ok = s->n == 1 && s->ndropped_all == 0 &&
			    str_eq(s->v[0]->url, str_of(t[i].url)) &&
			    label_find(s->v[0]->all, STR("__meta_x")).n == 0;
		else
			ok = s->n == 0 && s->ndropped_all == 1 &&
			    s->ndropped == 1 &&
			    str_eq(s->dropped[0].error, str_of(t[i].error));
		if (!ok)
			printf("# %s\n# %.*s\n", t[i].rule,
			    STR_ARG(s->n ? s->v[0]->url : s->dropped[0].error));
		CHECK(ok);
		scrape_free(s);
		buf_fini(&b);
	}
}

static void
flags(void)
{
	struct scrape_spread spread = { 0 };
	struct scrape_set *s =
	    targets("scrape_configs:\n- job_name: j\n"
		    "  scrape_native_histograms: true\n"
		    "  static_configs:\n"
		    "  - targets: ['h:1']\n"
		    "    labels: {__scrape_native_histograms__: 'false',\n"
		    "      __mf_keep_known__: 'true'}\n"
		    "  - targets: ['h:2', 'h?3', 'h 4']\n"
		    "- {job_name: k, scheme: ftp, target_limit: 1,\n"
		    "   static_configs: [{targets: ['h:1']}]}\n"
		    "- {job_name: l, target_limit: 1,\n"
		    "   static_configs: [{targets: ['h:1', 'h:2', 'h:1']}]}\n"
		    "- {job_name: m, keep_dropped_targets: 1,\n"
		    "   relabel_configs: [{action: drop}],\n"
		    "   static_configs: [{targets: ['h:1', 'h:2', 'h:1']}]}\n",
		&spread);

	CHECK(!s->v[0]->native_histograms && s->v[0]->keep_known);
	CHECK(s->v[1]->native_histograms && !s->v[1]->keep_known);
	CHECK_STR(s->v[2]->error, "invalid character in host name \"h?3\"");
	CHECK_STR(s->v[3]->error, "invalid character in host name \"h 4\"");
	CHECK_STR(s->v[4]->error, "unsupported protocol scheme \"ftp\"");
	CHECK(s->n == 7 && config->nwarnings == 1);
	for (size_t i = 5; i < 7; i++)
		CHECK_STR(s->v[i]->error,
		    "target_limit exceeded (number of targets: 2, limit: 1)");
	CHECK(s->ndropped == 1 && s->ndropped_all == 3);
	scrape_free(s);
}

/* Shares of all targets, which nobody has twice and nobody leaves out. */
static void
shards(void)
{
	const char *text =
	    "scrape_configs:\n- job_name: j\n"
	    "  static_configs: [{targets: ['a:1', 'b:1', 'c:1',\n"
	    "    'd:1', 'e:1', 'f:1', 'g:1', 'h:1', 'i:1']}]\n";
	struct scrape_spread spread = { .shards = 3 };
	size_t n = 0;

	for (spread.shard = 0; spread.shard < 3; spread.shard++) {
		struct scrape_set *s = targets(text, &spread), *same;
		struct buf b = { 0 };

		n += s->n;
		CHECK(s->n > 0 && s->n < 9);
		/* The same as a Prometheus would do it by relabelling. */
		buf_printf(&b,
		    "%s  relabel_configs:\n"
		    "  - {source_labels: [__address__], action: hashmod,\n"
		    "     modulus: 3, target_label: __tmp}\n"
		    "  - {source_labels: [__tmp], regex: '%u', action: keep}\n"
		    "  - {regex: __tmp, action: labeldrop}\n",
		    text, spread.shard);
		same = targets(
		    buf_cstr(&b), &(struct scrape_spread){ .interval = 500 });
		CHECK(same->n == s->n);
		for (size_t i = 0; i < s->n && i < same->n; i++)
			CHECK(str_eq(s->v[i]->text, same->v[i]->text));
		CHECK(same->v[0]->interval == 500);
		CHECK(same->v[0]->timeout == 500);
		CHECK(same->v[0]->offset < 500);
		scrape_free(same);
		scrape_free(s);
		buf_fini(&b);
	}
	CHECK(n == 9);
}

/*
 * The phase of upstream's arithmetic, worked out apart from this code:
 * FNV-1a of "host{}" and of the digits and URL of h:1's target.
 */
static void
offsets(void)
{
	struct label env = { STR_INIT("env"), STR_INIT("a\"b") };
	struct labels external = { &env, 1 };
	struct labels none = { NULL, 0 };

	CHECK(scrape_seed(STR("host"), none) == UINT64_C(7376517357773210419));
	CHECK(scrape_seed(STR("host"), external) ==
	    UINT64_C(10567522214942174112));
	CHECK(scrape_seed(STR("tsoh"), none) != UINT64_C(7376517357773210419));
}

/* Many targets begin together, and all of them not. */
static void
together(void)
{
	static const struct {
		int64_t interval, step;
	} t[] = { { 15000, 250 }, { 30000, 500 }, { 3600000, 1000 },
		{ 1000, 10 }, { 100, 1 }, { 10, 1 } };
	struct scrape_spread spread = { .seed = 1 };
	struct scrape_set *s;
	struct buf b = { 0 };

	buf_z(&b,
	    "scrape_configs:\n"
	    "- job_name: j\n"
	    "  static_configs:\n"
	    "  - targets:\n");
	for (int i = 0; i < 600; i++)
		buf_printf(&b, "    - h%d:1\n", i);
	for (size_t k = 0; k < sizeof(t) / sizeof(*t); k++) {
		int64_t n = t[k].interval / t[k].step, slots[4096] = { 0 };
		size_t wrong = 0, most = 0;

		spread.interval = t[k].interval;
		s = targets(buf_cstr(&b), &spread);
		CHECK(s->n == 600);
		for (size_t i = 0; i < s->n; i++) {
			int64_t at = s->v[i]->offset;

			wrong += at < 0 || at >= t[k].interval ||
			    at % t[k].step != 0;
			if (++slots[at / t[k].step % 4096] > (int64_t)most)
				most++;
		}
		CHECK(wrong == 0);
		CHECK(n > 100 || (int64_t)most * n < 600 * 4);
		scrape_free(s);
	}
	buf_fini(&b);
}

static void
refused(void)
{
	CHECK(refuses("nope: 1", ":3:3: unknown key \"nope\""));
	CHECK(refuses(
	    "nope_sd_configs: []", ":3:3: unknown key \"nope_sd_configs\""));
	CHECK(refuses("scrape_interval: 15",
	    ":3:20: not a valid duration string: \"15\""));
	CHECK(refuses("scrape_timeout: 2m",
	    ":2:3: scrape timeout greater than scrape interval for scrape "
	    "config with job name \"j\""));
	CHECK(refuses("body_size_limit: 100",
	    ":3:20: cannot unmarshal `100` into a size (10MB, 512KB)"));
	CHECK(
	    refuses("sample_limit: -1", ":2:3: a limit must not be negative"));
	CHECK(refuses("native_histogram_bucket_limit: -5",
	    ":2:3: a limit must not be negative"));
	CHECK(refuses("static_configs: [~]",
	    ":3:20: empty or null section in static_configs"));
	CHECK(refuses("static_configs: [{target: ['a']}]",
	    ":3:21: unknown key \"target\""));
	CHECK(refuses("static_configs: [{targets: ['http://a/']}]",
	    ":3:31: \"http://a/\" is not a valid hostname"));
	CHECK(refuses("static_configs: [{targets: [['a']]}]",
	    ":3:31: a target must be HOST:PORT"));
	CHECK(refuses(
	    "params: {a: b}", ":3:15: params: expected a list of values"));
	CHECK(refuses("scrape_protocols: [x]",
	    ":3:22: scrape_protocols: unknown scrape protocol x, supported: "
	    "[OpenMetricsText0.0.1 OpenMetricsText1.0.0 PrometheusProto "
	    "PrometheusText0.0.4 PrometheusText1.0.0] for scrape config with "
	    "job name \"j\""));
	CHECK(refuses("scrape_protocols: []",
	    ":3:21: scrape_protocols cannot be empty for scrape config with "
	    "job name \"j\""));
	CHECK(refuses("scrape_protocols: [PrometheusText0.0.4, "
		      "PrometheusText0.0.4]",
	    ":3:43: duplicated protocol in scrape_protocols, got "
	    "PrometheusText0.0.4 twice for scrape config with job name "
	    "\"j\""));
	CHECK(refuses("fallback_scrape_protocol: x",
	    ":3:29: invalid fallback_scrape_protocol for scrape config with "
	    "job name \"j\": unknown scrape protocol x, supported: "
	    "[OpenMetricsText0.0.1 OpenMetricsText1.0.0 PrometheusProto "
	    "PrometheusText0.0.4 PrometheusText1.0.0]"));
	CHECK(refuses("metric_name_validation_scheme: x",
	    ":2:3: unknown scrape config name validation method specified, "
	    "must be either '', 'legacy' or 'utf8', got x"));
	CHECK(refuses("metric_name_escaping_scheme: x",
	    ":2:3: unknown scrape config name escaping method specified, must "
	    "be one of 'allow-utf-8', 'underscores', 'dots', or 'values', got "
	    "\"x\""));
	CHECK(refuses("metric_name_validation_scheme: legacy\n"
		      "  metric_name_escaping_scheme: allow-utf-8",
	    ":2:3: utf8 metric names requested but validation scheme is not "
	    "set to UTF8"));
	CHECK(refuses("relabel_configs: [{action: nope}]", "\"nope\""));
	CHECK(refuses("scrape_native_histograms: 7", ""));
	CHECK(refuses("basic_auth: {user: a}", "unknown key \"user\""));
}

/* What is told to a person, and no more. */
static void
explained(void)
{
	struct scrape_spread spread = { 0 };
	struct scrape_set *s =
	    targets("scrape_configs:\n- job_name: j\n"
		    "  static_configs: [{targets: ['h:1'],\n"
		    "    labels: {__meta_x: y, a: b, d: '1'}}]\n"
		    "  relabel_configs:\n"
		    "  - {source_labels: [__meta_x], target_label: a}\n"
		    "  - {source_labels: [a], regex: q, target_label: b}\n"
		    "  - {source_labels: [a], target_label: c}\n"
		    "  - {regex: d, action: labeldrop}\n"
		    "- job_name: k\n"
		    "  static_configs: [{targets: ['h:1']}]\n"
		    "  relabel_configs:\n"
		    "  - {source_labels: [job], regex: k, action: drop}\n"
		    "- job_name: l\n"
		    "  static_configs: [{targets: ['h:1']}]\n"
		    "  relabel_configs:\n"
		    "  - {target_label: __address__, replacement: ''}\n",
		&spread);
	struct buf b = { 0 };
	size_t at;

	CHECK(s->n == 1 && s->ndropped == 2);
	scrape_explain(&b, s->v[0]->job, s->v[0]->discovered, true);
	CHECK(str_starts(buf_str(&b),
	    STR("discovered by job j:\n      __address__=\"h:1\"\n")));
	at = str_find(buf_str(&b), STR("rule 1: "));
	CHECK_STR(str_skip(buf_str(&b), at),
	    "rule 1: {source_labels: [__meta_x], target_label: a}\n"
	    "    \"y\": matches\n"
	    "    ~ a=\"b\" -> \"y\"\n"
	    "rule 2: {source_labels: [a], regex: q, target_label: b}\n"
	    "    \"y\": does not match\n"
	    "rule 3: {source_labels: [a], target_label: c}\n"
	    "    \"y\": matches\n"
	    "    + c=\"y\"\n"
	    "rule 4: {regex: d, action: labeldrop}\n"
	    "    some names match\n"
	    "    - d=\"1\"\n"
	    "target: {a=\"y\",c=\"y\",instance=\"h:1\",job=\"j\"}\n"
	    "    http://h:1/metrics\n"
	    "    every 1m, timeout 10s\n");
	buf_reset(&b);
	scrape_explain(&b, s->dropped[0].job, s->dropped[0].discovered, true);
	CHECK(str_ends(buf_str(&b),
	    STR("    \"k\": matches, so the target is dropped\n"
		"dropped by rule 1 of 1\n")));
	buf_reset(&b);
	scrape_explain(&b, s->dropped[1].job, s->dropped[1].discovered, true);
	CHECK(str_ends(buf_str(&b), STR("left out: no address\n")));
	buf_fini(&b);
	scrape_free(s);
}

/* What a stranger says is not run, whatever a rule makes of it. */
static void
remote(void)
{
	static const char *const rules[] = {
		"target_label: __address__, replacement: 'exec:id'",
		"target_label: __address__, replacement: 'unix:/x'",
		"target_label: __address__, replacement: 'file:/x'",
		"target_label: __unix_socket__, replacement: /x",
	};
	struct label address = { STR_INIT("__address__"), STR_INIT("h:1") };
	struct labels own = { &address, 1 }, none = { NULL, 0 }, all;

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		struct arena a = { 0 };
		struct buf b = { 0 };
		struct scrape_target t;
		struct error e;

		buf_printf(&b,
		    "scrape_configs:\n- job_name: j\n"
		    "  relabel_configs: [{%s}]\n",
		    rules[i]);
		CHECK(load(buf_cstr(&b), &e) != NULL);
		all = target_discovered(&a, config->jobs[0], own, none);
		CHECK(target_make(&t, config->jobs[0], all, false, &a, NULL,
			  NULL, &e) == TARGET_BAD);
		CHECK_STR(str_of(e.msg),
		    "exec:, file:, unix: and __unix_socket__ are not taken "
		    "from a discovery over the network");
		CHECK(target_make(&t, config->jobs[0], all, true, &a, NULL,
			  NULL, &e) == TARGET_MADE);
		arena_fini(&a);
		buf_fini(&b);
	}
}

static void
operands(void)
{
	static const struct {
		const char *arg, *instance, *url;
	} t[] = {
		{ "localhost:1", "localhost:1", "http://localhost:1/metrics" },
		{ "http://h:2", "h:2", "http://h:2/metrics" },
		{ "https://h/x?y=1", "h", "https://h/x?y=1" },
		{ "http://h:3?y=1", "h:3", "http://h:3/metrics?y=1" },
		{ "http://u:p@h:4/", "h:4", "http://u:p@h:4/" },
		{ "unix:/run/x", "unix:/run/x", "unix:/run/x:/metrics" },
		{ "unix:/run/y:/m", "unix:/run/y", "unix:/run/y:/m" },
		{ "file:a/b.om", "file:a/b.om", "file:a/b.om" },
		{ "exec:echo a:b", "exec:echo a:b", "exec:echo a:b" },
	};
	static const char *const bad[] = { "", "ftp://x/", "http://",
		"file:", "exec:", "http:///x" };
	struct scrape_set *s = scrape_new();
	struct error e;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		CHECK(scrape_add(s, str_of(t[i].arg), 1000, &e) == 0);
		CHECK(str_eq(s->v[i]->url, str_of(t[i].url)));
		CHECK(str_eq(label_find(s->v[i]->labels, STR("instance")),
		    str_of(t[i].instance)));
		CHECK(s->v[i]->timeout == 1000 && s->v[i]->job->operand);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(scrape_add(s, str_of(bad[i]), 1000, &e) == -1);
	scrape_free(s);
	scrape_free(NULL);
}

static void
due(void)
{
	struct scrape_target t = { .interval = 1000, .offset = 300 };

	CHECK(scrape_due(&t, 0) == 300);
	CHECK(scrape_due(&t, 300) == 300);
	CHECK(scrape_due(&t, 301) == 1300);
	CHECK(scrape_due(&t, -900) == -700);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/p.yml", dir);
	whole();
	schemes();
	twice();
	relabelled();
	flags();
	shards();
	offsets();
	together();
	refused();
	explained();
	remote();
	operands();
	due();
	scrape_config_free(config);
	promconf_free(conf);
	(void)unlink(path);
	(void)rmdir(dir);
	return done();
}
