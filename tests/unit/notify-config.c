/*
 * The configuration: what is refused and where, matchers as text, routes and
 * keys, time intervals, the kinds of receivers.  Covers defaults.c, interval.c,
 * matcher.c and route.c.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "check.h"
#include "notify/impl.h"

/* What loading the text says: "" if nothing. */
static bool
says(const char *text, const char *want)
{
	struct notify_config *c = NULL;
	struct error e = { "" };
	struct conf *tree = conf_parse(str_of(text), "am", NULL, &e);
	bool ok;

	if (tree != NULL)
		c = notify_config_new(tree, &e);
	ok = c != NULL ? *want == '\0' : strcmp(e.msg, want) == 0;
	if (!ok)
		printf("# %s: %s\n", text, c != NULL ? "taken" : e.msg);
	notify_config_free(c);
	return ok;
}

#define OK "\nroute: {receiver: a}\nreceivers: [{name: a}]\n"

static void
test_top(void)
{
	CHECK(says("", "am:1:1: no route provided in config"));
	CHECK(says(OK, ""));
	CHECK(says("global:" OK, ""));
	CHECK(says("global: {smtp_from: a, opsgenie_api_key: k}" OK, ""));
	CHECK(says("global: {resolve_timeout: x}" OK,
	    "am:1:27: not a valid duration string: \"x\""));
	CHECK(
	    says("global: {wechat_api_secret: a, wechat_api_secret_file: b}" OK,
		"am:1:32: at most one of wechat_api_secret & "
		"wechat_api_secret_file must be configured"));
	CHECK(says("global: {slack_api_url: 'gopher://x'}" OK,
	    "am:1:25: unsupported scheme \"gopher\" for URL"));
	CHECK(says("global: {slack_api_url: 'http:///x'}" OK,
	    "am:1:25: missing host for URL"));
	CHECK(says("global: {slack_api_url: '<secret>'}" OK, ""));
	CHECK(says("templates: [nowhere/*.tmpl]" OK, ""));
	CHECK(says(
	    "templates: x" OK, "am:1:12: templates must be a list of paths"));
	CHECK(says("event_recorder: {}" OK,
	    "am:1:1: event_recorder is not supported: notify/log is the "
	    "record"));
}

static void
test_routes(void)
{
	CHECK(says("receivers: [{name: a}]", "am:1:1: no routes provided"));
	CHECK(says("route: {receiver: a, group_by: [x, x]}\nreceivers: [{name: "
		   "a}]",
	    "am:1:36: duplicated label \"x\" in group_by"));
	CHECK(says("route: {receiver: a, group_by: [x, ...]}\nreceivers: "
		   "[{name: a}]",
	    "am:1:32: cannot have wildcard group_by (`...`) and other labels "
	    "at the same time"));
	CHECK(says("route: {receiver: a, repeat_interval: 0s}\nreceivers: "
		   "[{name: a}]",
	    "am:1:39: repeat_interval cannot be zero"));
	CHECK(says("route: {receiver: a, continue: true}\nreceivers: [{name: "
		   "a}]",
	    "am:1:32: cannot have continue in root route"));
	CHECK(says("route: {receiver: a, match: {a: b}}\nreceivers: [{name: "
		   "a}]",
	    "am:1:29: root route must not have any matchers"));
	CHECK(says("route: {receiver: a, routes: [{matchers: x=y}]}\n"
		   "receivers: [{name: a}]",
	    "am:1:42: matchers must be a list of strings"));
	CHECK(says("route: {receiver: a, routes: [{matchers: [x]}]}\n"
		   "receivers: [{name: a}]",
	    "am:1:43: bad matcher format: x"));
	CHECK(says("route: {receiver: a, routes: [{match_re: {a: '('}}]}\n"
		   "receivers: [{name: a}]",
	    "am:1:46: error parsing regexp: missing closing ): "
	    "`^(?:()$`"));
}

static void
test_receivers(void)
{
	CHECK(says("route: {receiver: a}\nreceivers: [{name: a, "
		   "webhook_configs: [null]}]",
	    "am:2:41: missing webhook config"));
	CHECK(says("route: {receiver: a}\nreceivers: [{name: a, email_configs: "
		   "[{to: x}]}]",
	    "am:2:23: receivers of kind email are not supported yet"));
	CHECK(says("route: {receiver: a}\nreceivers: [{name: a, email_configs: "
		   "}]",
	    ""));
	CHECK(says("route: {receiver: a}\nreceivers: [{name: a, "
		   "webhook_configs: [{url: 'http://x', timeout: 1.5s, "
		   "max_alerts: 2, http_config: {basic_auth: {username: u, "
		   "password: p}}}]}]",
	    ""));
	CHECK(says("route: {receiver: a}\nreceivers: [{name: a, "
		   "webhook_configs: [{url: 'http://x', url_file: y}]}]",
	    "am:2:41: at most one of url & url_file must be configured"));
	CHECK(says("route: {receiver: a}\nreceivers: [{name: a, "
		   "webhook_configs: [{url: 'http://x', payload: {'{{ x': 1}}]"
		   "}]",
	    "am:2:77: template: :1: function \"x\" not defined"));
	CHECK(says("route: {receiver: a}\nreceivers: [{name: a, slack_configs: "
		   "[{api_url: 'http://x', update_message: true}]}]",
	    "am:2:77: update_message is not supported yet"));
	CHECK(says("route: {receiver: a}\nreceivers: [{name: a, slack_configs: "
		   "[{api_url: 'http://x', fields: [{title: t}]}]}]",
	    "am:2:70: missing value in Slack field configuration"));
	CHECK(says("route: {receiver: a}\nreceivers: [{name: a, slack_configs: "
		   "[{app_token: t, api_url: 'http://x'}]}]",
	    "am:2:39: at most one of app_token/app_token_file & "
	    "api_url/api_url_file must be configured"));
}

static void
test_intervals(void)
{
	static const struct {
		const char *spec, *want;
	} bad[] = {
		{ "times: [{start_time: '9:00', end_time: '10:00'}]",
		    "couldn't parse timestamp 9:00, invalid format" },
		{ "times: [{start_time: '10:00', end_time: '10:00'}]",
		    "start time cannot be equal or greater than end time" },
		{ "weekdays: [mon]", "mon is not a valid weekday" },
		{ "weekdays: ['friday:monday']",
		    "start day cannot be before end day" },
		{ "days_of_month: ['0']",
		    "0 is not a valid day of the month: out of range" },
		{ "days_of_month: ['-1:5']",
		    "end day must be negative if start day is negative" },
		{ "days_of_month: ['10:5']",
		    "end day 5 is always before start day 10" },
		{ "months: ['december:january']",
		    "end month january is before start month december" },
		{ "years: ['2022:2020']",
		    "end year 2020 is before start year 2022" },
		{ "location: 'No/Where'", "unknown time zone No/Where" },
	};
	struct arena a;

	arena_init(&a);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error e = { "" };
		str text = arena_printf(&a,
		    "time_intervals: [{name: t, time_intervals: [{%s}]}]" OK,
		    bad[i].spec);
		struct conf *c = conf_parse(text, "am", NULL, &e);

		CHECK(c != NULL && notify_config_new(c, &e) == NULL);
		if (strstr(e.msg, bad[i].want) == NULL)
			printf("# %s\n", e.msg);
		CHECK(strstr(e.msg, bad[i].want) != NULL);
	}
	CHECK(says("time_intervals: [{name: t}, {name: t}]" OK,
	    "am:1:29: time interval \"t\" is not unique"));
	CHECK(says("time_intervals: [{time_intervals: []}]" OK,
	    "am:1:18: missing name in time interval"));
	arena_fini(&a);
}

/* Is the time (RFC 3339) inside the interval of this spec? */
static bool
inside(const char *spec, const char *time)
{
	struct arena a;
	struct error e;
	struct interval *iv = NULL;
	struct conf *c;
	int64_t t = 0;
	bool yes = false;

	arena_init(&a);
	c = conf_parse(
	    arena_printf(&a, "name: n\ntime_intervals: [{%s}]\n", spec), "x",
	    NULL, &e);
	if (c != NULL)
		iv = notify_interval_load(&a, conf_root(c), &e);
	if (iv == NULL || date_parse_rfc3339(str_of(time), &t, NULL, &e) == -1)
		printf("# %s\n", e.msg);
	else
		yes = notify_interval_has(iv, t);
	if (iv != NULL)
		notify_interval_fini(iv);
	conf_free(c);
	arena_fini(&a);
	return yes;
}

static void
test_inside(void)
{
	const char *office =
	    "times: [{start_time: '09:00', end_time: '17:00'}],"
	    " weekdays: ['Monday:friday']";
	const char *late = "times: [{start_time: '22:00', end_time: '24:00'}]";

	CHECK(inside(office, "2024-01-02T09:00:00Z"));
	CHECK(inside(office, "2024-01-02T16:59:59Z"));
	CHECK(!inside(office, "2024-01-02T17:00:00Z"));
	CHECK(!inside(office, "2024-01-06T12:00:00Z"));
	CHECK(inside(late, "2024-01-06T23:59:59Z"));
	CHECK(!inside(late, "2024-01-07T00:00:00Z"));
	CHECK(inside("days_of_month: ['-1']", "2024-02-29T12:00:00Z"));
	CHECK(!inside("days_of_month: ['-1']", "2023-02-27T12:00:00Z"));
	CHECK(inside("days_of_month: ['30:31']", "2024-01-31T12:00:00Z"));
	CHECK(!inside("days_of_month: ['30:31']", "2024-02-29T12:00:00Z"));
	CHECK(inside("days_of_month: ['-31:-1']", "2024-02-01T12:00:00Z"));
	CHECK(inside("months: ['2', may], years: ['2020:2024']",
	    "2024-05-01T12:00:00Z"));
	CHECK(!inside("months: ['2', may], years: ['2020:2024']",
	    "2025-05-01T12:00:00Z"));
	/* Summer time: 09:00 in Berlin is 07:00 UTC in July, 08:00 in winter.
	 */
	CHECK(inside("times: [{start_time: '09:00', end_time: '10:00'}], "
		     "location: Europe/Berlin",
	    "2024-07-01T07:30:00Z"));
	CHECK(!inside("times: [{start_time: '09:00', end_time: '10:00'}], "
		      "location: Europe/Berlin",
	    "2024-01-01T07:30:00Z"));
	CHECK(inside("", "2024-01-01T00:00:00Z"));
}

/* A text's matchers as they print, or "!" if they are none. */
static bool
reads(const char *text, const char *want)
{
	struct matchers m = { 0 };
	struct buf b = { 0 };
	struct arena a;
	struct error e;
	bool ok;

	arena_init(&a);
	if (notify_matchers_parse(&a, str_of(text), &m, &e) == -1)
		buf_byte(&b, '!');
	else
		notify_matchers_print(&b, &m);
	ok = str_eq(buf_str(&b), str_of(want));
	if (!ok)
		printf("# %s: %s\n", text, buf_cstr(&b));
	notify_matchers_fini(&m);
	buf_fini(&b);
	arena_fini(&a);
	return ok;
}

static void
test_matchers(void)
{
	CHECK(reads("a=b", "{a=\"b\"}"));
	CHECK(reads("{a=\"b\", c!~\"d|e\",}", "{a=\"b\",c!~\"d|e\"}"));
	CHECK(reads(" a =~ x.* , b != ", "{a=~\"x.*\",b!=\"\"}"));
	CHECK(reads("foo=bar baz", "{foo=\"bar baz\"}"));
	CHECK(reads("foo=~\\d+", "{foo=~\"\\\\d+\"}"));
	CHECK(reads("a=\"x\\ny\\\"z\\\\\"", "{a=\"x\\ny\\\"z\\\\\"}"));
	CHECK(reads("foo=\"a\\tb\"", "{foo=\"a\\\\tb\"}"));
	CHECK(reads("my.label=x", "{my.label=\"x\"}"));
	CHECK(reads("\"a b\"=\"c\\td\"", "{\"a b\"=\"c\\td\"}"));
	CHECK(reads("Προμηθεύς=é", "{Προμηθεύς=\"é\"}"));
	CHECK(reads("{}", "{}"));
	CHECK(reads("", "{}"));
	CHECK(reads("x", "!"));
	CHECK(reads("=x", "!"));
	CHECK(reads("a=\"x", "!"));
	CHECK(reads("a=x\"y", "!"));
	CHECK(reads("a=~(", "!"));
	CHECK(reads("\"a\"=\"b\"}", "!"));
}

static void
test_keys(void)
{
	struct label v[] = { { STR("b"), STR("C:\t\"x\"é") },
		{ STR("m"), STR("1") }, { STR("z"), STR("2") } };
	struct labels ls = { v, 3 }, group;
	struct notify_config *c;
	struct routes found = { 0 };
	struct buf b = { 0 };
	struct arena a;
	struct error e;

	arena_init(&a);
	c = notify_config_new(
	    conf_parse(STR("route:\n"
			   "  receiver: r\n"
			   "  routes:\n"
			   "  - matchers: [z=\"2\", m=~\"1|\\\\d\"]\n"
			   "    group_by: [z, nope, b]\n"
			   "    match_re: {b: 'C.*'}\n"
			   "    continue: true\n"
			   "    routes: [{matchers: [m=9]}]\n"
			   "  - group_by: ['...']\n"
			   "receivers: [{name: r}]\n"),
		"am", NULL, &e),
	    &e);
	CHECK(c != NULL);
	notify_routes_match(c->route, ls, &found);
	CHECK(found.n == 2);
	group = notify_group_labels(&a, found.v[0], ls);
	notify_group_key(&b, found.v[0], group);
	CHECK_STR(buf_str(&b),
	    "{}/{b=~\"^(?:C.*)$\",m=~\"1|\\\\d\",z=\"2\"}:"
	    "{b=\"C:\\t\\\"x\\\"é\", z=\"2\"}");
	buf_reset(&b);
	group = notify_group_labels(&a, found.v[1], ls);
	CHECK(group.n == 3);
	notify_config_match(c, ls, &b);
	CHECK_STR(buf_str(&b), "r\nr\n");
	free(found.v);
	buf_fini(&b);
	notify_config_free(c);
	arena_fini(&a);
}

static void
test_decide(void)
{
	uint64_t one[] = { 1 }, both[] = { 1, 2 };
	struct sent s = { .t = 100, .firing = one, .nfiring = 1 };

	CHECK(notify_decide(NULL, NULL, 0, one, 1, true, 50, 100) == NULL);
	CHECK(strcmp(notify_decide(NULL, one, 1, NULL, 0, true, 50, 100),
		  "first notification") == 0);
	CHECK(strcmp(notify_decide(&s, both, 2, NULL, 0, true, 50, 100),
		  "new alerts added") == 0);
	CHECK(notify_decide(&s, one, 1, NULL, 0, true, 50, 149) == NULL);
	CHECK(strcmp(notify_decide(&s, one, 1, NULL, 0, true, 50, 150),
		  "repeat interval elapsed") == 0);
	CHECK(strcmp(notify_decide(&s, NULL, 0, one, 1, false, 50, 100),
		  "all alerts resolved") == 0);
	CHECK(strcmp(notify_decide(&s, one, 1, both + 1, 1, true, 50, 100),
		  "some alerts resolved") == 0);
	CHECK(notify_decide(&s, one, 1, both + 1, 1, false, 50, 100) == NULL);
	s.nfiring = 0;
	CHECK(strcmp(notify_decide(&s, one, 1, NULL, 0, true, 50, 100),
		  "first notification") == 0);
	CHECK(notify_decide(&s, NULL, 0, NULL, 0, true, 50, 900) == NULL);
}

static void
test_cut(void)
{
	struct arena a;

	arena_init(&a);
	CHECK_STR(notify_cut_runes(&a, STR("aéü"), 3), "aéü");
	CHECK_STR(notify_cut_runes(&a, STR("aéüx"), 3), "aé…");
	CHECK_STR(notify_cut_runes(&a, STR(""), 3), "");
	arena_fini(&a);
}

int
main(void)
{
	test_top();
	test_routes();
	test_receivers();
	test_intervals();
	test_inside();
	test_matchers();
	test_keys();
	test_decide();
	test_cut();
	return done();
}
