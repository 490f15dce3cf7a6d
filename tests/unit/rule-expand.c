/*
 * rule/expand, rule/funcs: what Prometheus's templates give.  Covers funcs.c.
 */
#include "rule-world.h"

#define MIN INT64_C(60000)

static struct rule_opts opts;

/* The annotation that text becomes for up{job="a",instance="h:80"} 1234.5. */
static bool
gives(const char *text, const char *want)
{
	struct buf rules = { 0 }, line = { 0 };
	struct world w;
	int64_t t;
	bool ok;

	buf_printf(&rules,
	    "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up > 1\n"
	    "    annotations:\n      s: |-\n        x%s\n",
	    text);
	world_init(&w, buf_cstr(&rules), &opts);
	if (w.faults > 0) {
		printf("# %s: %s\n", text, buf_cstr(&w.told));
		return false;
	}
	t = rule_next(w.engine);
	world_add(&w, "up{job=\"a\",instance=\"h:80\"}", t, 1234.5);
	world_add(&w, "q{n=\"2\"}", t, 2);
	world_add(&w, "q{n=\"1\"}", t, 1);
	world_step(&w, t, RULE_EACH);
	buf_printf(&line, " {s=\"x%s\"} ", want);
	ok = world_has(&w.out, buf_cstr(&line));
	if (w.told.n > 0)
		printf("# %s\n", buf_cstr(&w.told));
	world_fini(&w);
	buf_fini(&rules);
	buf_fini(&line);
	return ok;
}

static void
data(void)
{
	CHECK(gives("", ""));
	CHECK(gives("{{ $labels.job }} {{ .Labels.instance }}", "a h:80"));
	CHECK(gives("{{ $value }} {{ .Value }}", "1234.5 1234.5"));
	CHECK(gives("{{ $labels.nope }}|", "|"));
	CHECK(gives("{{ $externalLabels.site }} {{ $externalURL }}",
	    "x http://p:9090/pre"));
	CHECK(gives("{{ range $k, $v := $labels }}{{ $k }}={{ $v }} {{ end }}",
	    "__name__=up instance=h:80 job=a "));
	CHECK(
	    gives("{{ if gt $value 1.0 }}big{{ else }}small{{ end }}", "big"));
}

static void
queries(void)
{
	CHECK(gives("{{ query \"q\" | len }}", "2"));
	CHECK(gives(
	    "{{ query \"q\" | sortByLabel \"n\" | first | value }}", "1"));
	CHECK(gives("{{ with query \"q\" }}{{ . | first | label \"n\" }}"
		    "{{ end }}",
	    "1"));
	CHECK(gives("{{ range query \"q > 1\" }}{{ .Labels.n }}={{ .Value }}"
		    "{{ end }}",
	    "2=2"));
	CHECK(gives("{{ query \"3\" | first | value }}", "3"));
	CHECK(gives("{{ query \"1\" | first | strvalue }}|", "|"));
	CHECK(gives("{{ query \"absent(up)\" | len }}", "0"));
}

static void
numbers(void)
{
	CHECK(gives("{{ humanize $value }}", "1.234k"));
	CHECK(gives("{{ humanize 0.00123 }}", "1.23m"));
	CHECK(gives("{{ humanize 0.0 }} {{ humanize 1.0 }}", "0 1"));
	CHECK(gives("{{ humanize \"1e21\" }}", "1Z"));
	CHECK(gives(
	    "{{ humanize1024 1048576.0 }} {{ humanize1024 1.0 }}", "1Mi 1"));
	CHECK(gives("{{ humanizePercentage 0.1234 }}", "12.34%"));
	CHECK(gives("{{ humanizeDuration 3661 }}", "1h 1m 1s"));
	CHECK(gives("{{ humanizeTimestamp 1435065584.128 }}",
	    "2015-06-23 13:19:44.128 +0000 UTC"));
	CHECK(gives("{{ humanizeTimestamp \"NaN\" }}", "NaN"));
	CHECK(gives("{{ (toTime 1435065584).Year }}", "2015"));
	CHECK(gives("{{ toDuration 90 }}", "1m30s"));
	CHECK(gives("{{ parseDuration \"1h2m\" }}", "3720"));
	CHECK(gives("{{ if gt now 0.0 }}y{{ end }}", "y"));
}

static void
texts(void)
{
	CHECK(gives("{{ title \"aa bB c\" }}", "Aa BB C"));
	CHECK(gives("{{ \"a\" | toUpper }}{{ \"B\" | toLower }}", "Ab"));
	CHECK(gives("{{ stripPort \"h:80\" }} {{ stripPort \"[::1]:80\" }} "
		    "{{ stripPort \"h\" }} {{ stripPort \"::1\" }}",
	    "h ::1 h ::1"));
	CHECK(gives("{{ stripDomain \"a.b.c:80\" }} "
		    "{{ stripDomain \"10.0.0.1:80\" }} {{ stripDomain \"a\" }}",
	    "a:80 10.0.0.1:80 a"));
	CHECK(gives("{{ match \"a+\" \"baa\" }}", "true"));
	CHECK(gives("{{ reReplaceAll \"(a)\" \"<$1>\" \"ba\" }}", "b<a>"));
	CHECK(gives("{{ urlQueryEscape \"a b&c\" }}", "a+b%26c"));
	CHECK(gives("{{ graphLink \"up\" }} {{ tableLink \"up\" }}",
	    "/graph?g0.expr=up&g0.tab=0 /graph?g0.expr=up&g0.tab=1"));
	CHECK(gives(
	    "{{ externalURL }} {{ pathPrefix }}", "http://p:9090/pre /pre"));
	CHECK(gives(
	    "{{ with args 1 \"b\" }}{{ .arg0 }}{{ .arg1 }}{{ end }}", "1b"));
	CHECK(gives("{{ define \"t\" }}<{{ . }}>{{ end }}"
		    "{{ template \"t\" 5 }}",
	    "<5>"));
}

/* What fails becomes a text that says so, and is told. */
static bool
says(const char *text, const char *why)
{
	struct buf rules = { 0 };
	struct world w;
	bool ok;

	buf_printf(&rules,
	    "groups:\n- name: g\n  rules:\n  - alert: A\n"
	    "    expr: vector(1)\n    annotations:\n      s: '%s'\n",
	    text);
	world_init(&w, buf_cstr(&rules), &opts);
	if (w.faults == 0)
		world_step(&w, rule_next(w.engine), RULE_EACH);
	ok = world_has(&w.told, why) &&
	    (w.faults > 0 ||
		world_has(&w.out,
		    "{s=\"<error expanding template: error "
		    "executing template __alert_A: "));
	world_fini(&w);
	buf_fini(&rules);
	return ok;
}

static void
told(void)
{
	CHECK(says("{{ query \"sum(\" | len }}",
	    "r.yml: group \"g\", rule 1, \"A\": error executing template "
	    "__alert_A: "));
	CHECK(says("{{ query \"absent(vector(1))\" | first }}",
	    "first() called on vector with no elements"));
	CHECK(says(
	    "{{ query `\"s\"` }}", "rule result is not a vector or scalar"));
	CHECK(says(
	    "{{ query \"up[5m]\" }}", "rule result is not a vector or scalar"));
	CHECK(says("{{ humanize \"x\" }}", "invalid syntax"));
	CHECK(says("{{ value 3 }}", "wrong type for value"));
	CHECK(says("{{ toDuration \"NaN\" }}", "cannot be represented"));
	CHECK(says("{{ .Nope }}", "can't evaluate field Nope in type "));
	CHECK(says("{{ $nope }}", "undefined variable"));
	CHECK(says("{{ join }}", "function \"join\" not defined"));
}

int
main(void)
{
	static const struct label ext[] = { { STR_INIT("site"),
	    STR_INIT("x") } };

	opts = (struct rule_opts){ .keep_results = true,
		.external_labels = { ext, 1 },
		.external_url = STR("http://p:9090/pre") };
	data();
	queries();
	numbers();
	texts();
	told();
	return done();
}
