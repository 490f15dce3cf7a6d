/*
 * wire/promapi: answers in memory, data source files, requests that fail.
 * Covers promapi_load.c and promapi_histogram.c.
 */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

#include "base/file.h"
#include "base/num.h"
#include "wire/promapi.h"

static struct arena a;
static struct error e;
static char path[] = "/tmp/mf-promapi-XXXXXX";

/* The answer as "type t string|series t:v t:v;...|warning;...". */
static str
parse(const char *body)
{
	static const char *const types[] = { "scalar", "string", "vector",
		"matrix" };
	static struct buf b;
	struct promapi_answer x;

	buf_reset(&b);
	if (promapi_parse(str_of(body), &a, &x, &e) == -1) {
		buf_printf(&b, "! %s", e.msg);
		return buf_str(&b);
	}
	buf_printf(&b, "%s %.*s|", types[x.type], STR_ARG(x.string));
	for (size_t i = 0; i < x.n; i++) {
		label_print(&b, x.v[i].labels);
		for (size_t k = 0; k < x.v[i].n; k++) {
			buf_printf(&b, " %lld:", (long long)x.v[i].t[k]);
			if (x.v[i].h != NULL && x.v[i].h[k] != NULL)
				histogram_print(&b, x.v[i].h[k]);
			else
				num_print(&b, x.v[i].v[k]);
		}
		buf_byte(&b, ';');
	}
	buf_byte(&b, '|');
	for (size_t i = 0; i < x.nwarnings; i++)
		buf_printf(&b, "%.*s;", STR_ARG(x.warnings[i]));
	return buf_str(&b);
}

#define OK(data) "{\"status\":\"success\",\"data\":" data "}"

static void
answers(void)
{
	CHECK_STR(parse(OK("{\"resultType\":\"scalar\",\"result\":"
			   "[1637582400.123,\"1e3\"]}")),
	    "scalar |_ 1637582400123:1000;|");
	CHECK_STR(parse(OK("{\"resultType\":\"string\",\"result\":"
			   "[1,\"a\\n\"]}")),
	    "string a\n||");
	CHECK_STR(parse(OK("{\"resultType\":\"vector\",\"result\":["
			   "{\"metric\":{\"z\":\"1\",\"__name__\":\"up\"},"
			   "\"value\":[1.5,\"NaN\"]},"
			   "{\"metric\":{},\"value\":[2,\"-Inf\"]}]}")),
	    "vector |up{z=\"1\"} 1500:NaN;_ 2000:-Inf;|");
	CHECK_STR(parse(OK("{\"resultType\":\"vector\",\"result\":[]}")),
	    "vector ||");
	CHECK_STR(
	    parse("{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\","
		  "\"result\":[{\"metric\":{\"a\":\"b\"},"
		  "\"values\":[[1,\"1\"],[2,\"2\"]]},"
		  "{\"metric\":{},\"values\":[]}]},"
		  "\"warnings\":[\"w1\"],\"infos\":[\"i1\"]}"),
	    "matrix |_{a=\"b\"} 1000:1 2000:2;_;|w1;i1;");
}

/* A vector of one histogram with these buckets. */
static str
buckets(const char *list)
{
	static struct buf b;

	buf_reset(&b);
	buf_printf(&b,
	    OK("{\"resultType\":\"vector\",\"result\":[{\"metric\":{},"
	       "\"histogram\":[1,{\"count\":\"4\",\"sum\":\"5\",%s}]}]}"),
	    list);
	return parse(buf_cstr(&b));
}

static void
histograms(void)
{
	/* schema 0, both sides and zero; one of schema 1 */
	CHECK_STR(buckets("\"buckets\":[[1,\"-4\",\"-2\",\"1\"],"
			  "[3,\"-0.5\",\"0.5\",\"1\"],"
			  "[0,\"1\",\"2\",\"1\"],[0,\"2\",\"4\",\"1\"]]"),
	    "vector |_ 1000:{count:4.0,sum:5,schema:0,zero_threshold:0.5,"
	    "zero_count:1,negative_spans:[2:1],negative_buckets:[1],"
	    "positive_spans:[1:2],positive_buckets:[1,1]};|");
	CHECK_STR(buckets("\"buckets\":[[0,\"1\",\"1.414213562373095\","
			  "\"4\"]]"),
	    "vector |_ 1000:{count:4.0,sum:5,schema:1,positive_spans:[1:1],"
	    "positive_buckets:[4]};|");
	/* (2,4] of schema 0 is half of one of schema -1 */
	CHECK_STR(buckets("\"buckets\":[[0,\"2\",\"4\",\"4\"]]"),
	    "vector |_ 1000:{count:4.0,sum:5,schema:0,positive_spans:[2:1],"
	    "positive_buckets:[4]};|");
	/* bounds of their own, with a gap */
	CHECK_STR(buckets("\"buckets\":[[3,\"-Inf\",\"5\",\"1\"],"
			  "[0,\"7\",\"10\",\"2\"],"
			  "[0,\"10\",\"+Inf\",\"1\"]]"),
	    "vector |_ 1000:{count:4.0,sum:5,schema:-53,"
	    "positive_spans:[0:1,1:2],positive_buckets:[1,2,1],"
	    "custom_values:[5,7,10]};|");
	CHECK_STR(
	    buckets("\"x\":1"), "vector |_ 1000:{count:4.0,sum:5,schema:0};|");
	CHECK_STR(buckets("\"buckets\":[[0,\"2\",\"1\",\"1\"]]"),
	    "! answer: a bad histogram bucket");
	CHECK_STR(buckets("\"buckets\":7"), "! answer: a bad histogram");
	/* among floats, by time */
	CHECK_STR(parse(OK("{\"resultType\":\"matrix\",\"result\":["
			   "{\"metric\":{},\"values\":[[1,\"1\"],[3,\"3\"]],"
			   "\"histograms\":[[2,{\"count\":\"0\",\"sum\":"
			   "\"0\"}]]}]}")),
	    "matrix |_ 1000:1 2000:{count:0.0,sum:0,schema:0} 3000:3;|");
	CHECK_STR(parse(OK("{\"resultType\":\"matrix\",\"result\":["
			   "{\"metric\":{},\"values\":[[1,\"1\"]],"
			   "\"histograms\":[[1,{\"count\":\"0\",\"sum\":"
			   "\"0\"}]]}]}")),
	    "! answer: times do not rise");
}

static void
faults(void)
{
	CHECK_STR(parse("{\"status\":\"error\",\"errorType\":\"bad_data\","
			"\"error\":\"1:3: parse error\"}"),
	    "! bad_data: 1:3: parse error");
	CHECK(str_starts(parse("<html>"), STR("! answer: 1:")));
	CHECK(str_starts(parse(""), STR("! answer: ")));
	CHECK_STR(parse("{}"), "! answer: not of the Prometheus API");
	CHECK_STR(parse("[]"), "! answer: not of the Prometheus API");
	CHECK_STR(parse(OK("5")), "! answer: no result of a known type");
	CHECK_STR(parse(OK("{\"resultType\":\"cube\",\"result\":[]}")),
	    "! answer: no result of a known type");
	CHECK_STR(parse(OK("{\"resultType\":\"scalar\",\"result\":[1]}")),
	    "! answer: a sample is not [time, \"value\"]");
	CHECK_STR(parse(OK("{\"resultType\":\"scalar\",\"result\":[1,2]}")),
	    "! answer: a sample is not [time, \"value\"]");
	CHECK_STR(
	    parse(OK("{\"resultType\":\"scalar\",\"result\":[1e99,\"2\"]}")),
	    "! answer: a sample is not [time, \"value\"]");
	CHECK_STR(parse(OK("{\"resultType\":\"scalar\",\"result\":[1,\"x\"]}")),
	    "! answer: bad value 'x'");
	CHECK_STR(parse(OK("{\"resultType\":\"vector\",\"result\":[5]}")),
	    "! answer: a series has no metric");
	CHECK_STR(parse(OK("{\"resultType\":\"vector\",\"result\":["
			   "{\"metric\":{\"a\":1},\"value\":[1,\"1\"]}]}")),
	    "! answer: a label is no string");
	CHECK_STR(parse(OK("{\"resultType\":\"vector\",\"result\":["
			   "{\"metric\":{}}]}")),
	    "! answer: a series has no values");
	CHECK_STR(parse(OK("{\"resultType\":\"matrix\",\"result\":["
			   "{\"metric\":{},\"values\":[[2,\"1\"],[1,\"1\"]]}]"
			   "}")),
	    "! answer: times do not rise");
}

static int
load(const char *text, const char *name, struct promapi_server *s)
{
	struct conf_opts o = { 0 };

	CHECK(file_replace(path, str_of(text), 0600, &e) == 0);
	e.msg[0] = '\0';
	return promapi_load(path, name, &o, &a, s, &e);
}

#define MANIFEST(more)                                                         \
	"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: grafana-config\n" \
	"data:\n" more "  prometheus-datasource.yaml: |\n"                     \
	"    apiVersion: 1\n    datasources:\n      - name: Prometheus\n"      \
	"        type: prometheus\n        url: http://localhost:9090\n"       \
	"        isDefault: true\n"

static void
files(void)
{
	static const char two[] =
	    "apiVersion: 1\ndatasources:\n"
	    "- {name: Logs, type: loki, url: 'http://l', isDefault: true}\n"
	    "- {name: A, type: prometheus, uid: ua, url: 'https://a/x/'}\n"
	    "- name: B\n  type: prometheus\n  url: http://b:1\n"
	    "  basicAuth: true\n  basicAuthUser: me\n"
	    "  jsonData: {httpMethod: GET, timeInterval: 15s, queryTimeout: "
	    "60s,\n    httpHeaderName1: X-Org, customQueryParameters: "
	    "a=b, tlsSkipVerify: true, cacheLevel: Low}\n"
	    "  secureJsonData: {basicAuthPassword: pw, httpHeaderValue1: "
	    "'7'}\n";
	struct promapi_server s;
	char key[256];

	CHECK(promapi_load("http://x:9090", NULL, NULL, &a, &s, &e) == 0);
	CHECK_STR(s.url, "http://x:9090");
	CHECK(load(MANIFEST(""), NULL, &s) == 0);
	CHECK_STR(s.url, "http://localhost:9090");
	CHECK_STR(s.name, "Prometheus");
	CHECK(!s.get && s.nheaders == 0 && s.auth.follow_redirects);
	CHECK(load(MANIFEST("  other: x\n"), NULL, &s) == -1);
	CHECK(strstr(e.msg, "2 keys") != NULL);
	(void)snprintf(key, sizeof(key), "%s:prometheus-datasource.yaml", path);
	CHECK(promapi_load(key, NULL, NULL, &a, &s, &e) == 0);
	CHECK_STR(s.url, "http://localhost:9090");

	CHECK(load(two, NULL, &s) == -1);
	CHECK(strstr(e.msg, "2 data sources") != NULL);
	CHECK(load(two, "ua", &s) == 0);
	CHECK_STR(s.name, "A");
	CHECK(load(two, "B", &s) == 0 && s.get && s.interval == 15000);
	CHECK(s.timeout == 60000 && s.nheaders == 1);
	CHECK_STR(s.headers[0].name, "X-Org");
	CHECK_STR(s.headers[0].value, "7");
	CHECK_STR(s.auth.username, "me");
	CHECK_STR(s.auth.password, "pw");
	CHECK_STR(s.params, "a=b");
	CHECK(s.auth.tls.insecure_skip_verify);
	CHECK(load(two, "Logs", &s) == -1 && strstr(e.msg, ":3:") != NULL);
	CHECK(strstr(e.msg, "loki") != NULL);
	CHECK(load(two, "C", &s) == -1 && strstr(e.msg, "called C") != NULL);
	CHECK(load("a: 1\n", NULL, &s) == -1);
	CHECK(load("datasources: [5]\n", NULL, &s) == -1);
	CHECK(load("datasources: [{type: prometheus}]\n", NULL, &s) == -1);
	CHECK(strstr(e.msg, "url") != NULL && strstr(e.msg, ":1:") != NULL);
	CHECK(load("datasources: [{type: prometheus, url: 'http://x', "
		   "jsonData: {httpMethod: PUT}}]\n",
		  NULL, &s) == -1);
	CHECK(load("datasources: []\n", NULL, &s) == -1);
	CHECK(promapi_load("/nowhere/x", NULL, NULL, &a, &s, &e) == -1);
	CHECK(strstr(e.msg, "/nowhere/x") != NULL);
}

static int64_t
mono(void *arg)
{
	(void)arg;
	return 0;
}

static uint64_t
number(void *arg)
{
	(void)arg;
	return 4;
}

static void
refused(void)
{
	struct clock clock = { .mono = mono, .random = number };
	struct fetch *f = fetch_new(&clock, "mf-test", NULL, 0);
	struct promapi_server s;
	struct promapi_answer x;

	CHECK(promapi_load("http://u:secret@127.0.0.1:1/p", NULL, NULL, &a, &s,
		  &e) == 0);
	CHECK(promapi_query(f, &s, STR("up"), 0, 1500, 0, &a, &x, &e) == -1);
	CHECK(strstr(e.msg, "http://127.0.0.1:1/p: ") != NULL);
	CHECK(strstr(e.msg, "secret") == NULL);
	fetch_free(f);
}

int
main(void)
{
	int fd = mkstemp(path);

	if (fd == -1)
		return 1;
	(void)close(fd);
	answers();
	histograms();
	faults();
	files();
	refused();
	(void)unlink(path);
	arena_fini(&a);
	return done();
}
