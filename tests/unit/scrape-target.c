/*
 * scrape/target: what a configuration or an operand names.  Covers job.c.
 */
#include "check.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "scrape/scrape.h"

static char dir[] = "/tmp/scrape-target.XXXXXX";
static char path[64];

static struct promconf *conf;

static struct scrape_set *
load(const char *text, struct error *e)
{
	promconf_free(conf);
	CHECK(file_replace(path, str_of(text), 0644, e) == 0);
	conf = promconf_load(path, NULL, e);
	return conf == NULL ? NULL : scrape_load(conf, 7, e);
}

/* One job "j" with these keys is refused with a message that ends so. */
static bool
refuses(const char *keys, const char *msg)
{
	struct buf b = { 0 };
	struct error e = { "" };
	struct scrape_set *s;
	bool ok;

	buf_printf(&b, "scrape_configs:\n- job_name: j\n  %s\n", keys);
	s = load(buf_cstr(&b), &e);
	ok = s == NULL && str_ends(str_of(e.msg), str_of(msg)) &&
	    str_starts(str_of(e.msg), str_of(path));
	if (!ok)
		printf("# got: %s\n", s == NULL ? e.msg : "no error");
	scrape_free(s);
	buf_fini(&b);
	return ok;
}

static void
whole(void)
{
	struct error e = { "" };
	struct scrape_set *s =
	    load("global:\n"
		 "  scrape_interval: 30s\n"
		 "  sample_limit: 9\n"
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
		 "  scrape_protocols: [PrometheusProto, PrometheusText0.0.4]\n"
		 "  static_configs:\n"
		 "  - targets: ['h:1']\n"
		 "    labels: {__metrics_path__: /x, __param_q: v, job: own,\n"
		 "      __scrape_interval__: 3s, __scrape_timeout__: 1s,\n"
		 "      instance: me}\n"
		 "- job_name: none\n",
		&e);
	const struct scrape_target *t;

	if (s == NULL)
		printf("# %s\n", e.msg);
	CHECK(s != NULL && s->n == 3);
	t = s->v[0];
	CHECK_STR(t->text, "{env=\"prod\",instance=\"h:1\",job=\"one\"}");
	CHECK_STR(t->url, "https://h:1/m%20x%3F?a=%2F&b=1+2&b=x%26y");
	CHECK(t->interval == 30000 && t->timeout == 5000);
	CHECK(t->offset >= 0 && t->offset < 30000);
	CHECK(t->offset != s->v[1]->offset);
	CHECK(t->job->sample_limit == 9 && t->job->ntargets == 2);
	CHECK_STR(t->job->auth.username, "u");
	CHECK_STR(label_find(t->all, STR("__scrape_interval__")), "30s");
	CHECK_STR(t->job->accept,
	    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;"
	    "q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
	    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
	    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2");
	t = s->v[2];
	CHECK_STR(t->text, "{instance=\"me\",job=\"own\"}");
	CHECK_STR(t->url, "http://h:1/x?q=v");
	CHECK(t->interval == 3000 && t->timeout == 1000);
	CHECK(t->job->sample_limit == 0);
	CHECK_STR(t->job->accept, "text/plain;version=0.0.4;q=0.6,*/*;q=0.5");
	scrape_set_interval(s, 500);
	CHECK(t->interval == 500 && t->timeout == 500 && t->offset < 500);
	scrape_free(s);
}

static void
twice(void)
{
	struct error e;
	struct scrape_set *s =
	    load("scrape_configs:\n"
		 "- job_name: a\n"
		 "  static_configs:\n"
		 "  - {targets: ['h:1'], labels: {instance: x}}\n"
		 "  - {targets: ['h:2'], labels: {instance: x}}\n",
		&e);

	CHECK(s != NULL && s->n == 1 && s->nwarnings == 1);
	CHECK(str_ends(s->warnings[0],
	    STR(":5:16: two targets have the labels {instance=\"x\",job=\"a\"}"
		"; only http://h:1/metrics is scraped")));
	scrape_free(s);
}

static void
refused(void)
{
	CHECK(refuses("nope: 1", ":3:3: unknown key \"nope\""));
	CHECK(refuses("scrape_interval: 15",
	    ":3:20: not a valid duration string: \"15\""));
	CHECK(refuses("scrape_timeout: 2m",
	    ":2:3: scrape timeout greater than scrape interval for scrape "
	    "config with job name \"j\""));
	CHECK(refuses("scheme: ftp", ":3:11: unsupported scheme \"ftp\""));
	CHECK(refuses("body_size_limit: 100",
	    ":3:20: cannot unmarshal `100` into a size (10MB, 512KB)"));
	CHECK(
	    refuses("sample_limit: -1", ":2:3: a limit must not be negative"));
	CHECK(refuses("static_configs: [~]",
	    ":3:20: empty or null section in static_configs"));
	CHECK(refuses("static_configs: [{target: ['a']}]",
	    ":3:21: unknown key \"target\""));
	CHECK(refuses("static_configs: [{targets: ['http://a/']}]",
	    ":3:31: \"http://a/\" is not a valid hostname"));
	CHECK(refuses("static_configs: [{targets: [['a']]}]",
	    ":3:31: a target must be HOST:PORT"));
	CHECK(refuses("static_configs: [{targets: ['a'], labels: {__scheme__: "
		      "x}}]",
	    ":3:31: unsupported scheme \"x\""));
	CHECK(refuses("static_configs: [{targets: ['a'], labels: "
		      "{__scrape_interval__: x}}]",
	    ":3:31: label __scrape_interval__: not a valid duration string: "
	    "\"x\""));
	CHECK(refuses(
	    "params: {a: b}", ":3:15: params: expected a list of values"));
	CHECK(refuses(
	    "scrape_protocols: [x]", ":3:22: unknown scrape protocol \"x\""));
	CHECK(refuses("scrape_protocols: [PrometheusText0.0.4, "
		      "PrometheusText0.0.4]",
	    ":3:43: duplicated scrape protocol \"PrometheusText0.0.4\""));
	CHECK(refuses("fallback_scrape_protocol: x",
	    ":3:29: invalid fallback_scrape_protocol \"x\""));
	CHECK(refuses("relabel_configs: [{}]",
	    ":3:3: relabel_configs is not done by mf-scrape yet"));
	CHECK(refuses("consul_sd_configs: [{}]",
	    ":3:3: consul_sd_configs is not done by mf-scrape yet"));
	CHECK(refuses("native_histogram_bucket_limit: 5",
	    ":3:3: native_histogram_bucket_limit is not done by mf-scrape "
	    "yet"));
	CHECK(refuses("basic_auth: {user: a}", "unknown key \"user\""));
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
	twice();
	refused();
	operands();
	due();
	promconf_free(conf);
	(void)unlink(path);
	(void)rmdir(dir);
	return done();
}
