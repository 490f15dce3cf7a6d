/*
 * The step: alerts go in at their times, what comes out is written down as "t
 * receiver/integration status n reason" and compared.  Covers alert.c, group.c,
 * inhibit.c, receiver.c, recv_*.c, sentlog.c, silence.c and state.c.
 */
#include "notify/notify.h"
#include "base/arena.h"
#include "check.h"

#include <stdlib.h>

struct world {
	struct notify_config *c;
	struct notify *n;
	struct buf out;
	int64_t now;
	int status;         /* what receivers answer */
	const char *answer; /* and their body */
	bool bodies;        /* write bodies too */
};

static void
report(void *arg, const char *msg)
{
	struct world *w = arg;

	buf_printf(&w->out, "%s\n", msg);
}

static struct notify_config *
config(const char *text)
{
	struct notify_config *c = NULL;
	struct error e = { "" };
	struct conf *tree = conf_parse(str_of(text), "am.yml", NULL, &e);

	if (tree != NULL)
		c = notify_config_new(tree, &e);
	if (c == NULL)
		printf("# %s\n", e.msg);
	return c;
}

static void
open_world(struct world *w, const char *text)
{
	*w = (struct world){ .status = 200, .answer = "ok" };
	w->c = config(text);
	w->n = notify_new(w->c, "http://am/", NULL, report, w);
}

static void
close_world(struct world *w)
{
	notify_free(w->n);
	notify_config_free(w->c);
	buf_fini(&w->out);
}

static void
write_down(struct world *w, const struct notify_delivery *d)
{
	buf_printf(&w->out, "%lld %.*s/%.*s %s %zu %.*s\n", (long long)w->now,
	    STR_ARG(d->receiver), STR_ARG(d->integration),
	    d->status == NOTIFY_FIRING ? "firing" : "resolved", d->nalerts,
	    STR_ARG(d->reason));
	if (w->bodies)
		buf_printf(&w->out, "%.*s", STR_ARG(d->body));
}

/* Everything up to t, each thing at its own time. */
static void
run(struct world *w, int64_t t)
{
	const struct notify_delivery *d;
	struct error e;

	while (notify_wake(w->n) <= t) {
		int64_t wake = notify_wake(w->n);

		w->now = wake > w->now ? wake : w->now;
		notify_step(w->n, w->now);
		while ((d = notify_next(w->n, w->now)) != NULL) {
			struct notify_answer a = { NULL, w->status,
				STR("text/plain"), str_of(w->answer) };

			write_down(w, d);
			notify_answer(w->n, d->id, &a, w->now, &e);
		}
	}
	w->now = t;
}

/* alert{alertname=name,i=i} from starts to ends, told at now. */
static void
tell(struct world *w, int64_t now, const char *name, const char *i,
    int64_t starts, int64_t ends)
{
	struct label v[] = { { STR("alertname"), str_of(name) },
		{ STR("i"), str_of(i) } };
	struct label s[] = { { STR("summary"), STR("it <is>") } };
	struct notify_alert a = { .labels = { v, 2 },
		.annotations = { s, 1 },
		.starts = starts,
		.ends = ends };

	if (now > w->now) /* what is told at one time is one batch */
		run(w, now);
	notify_alert(w->n, &a, now, NULL);
}

static bool
was(struct world *w, const char *want)
{
	bool ok = str_eq(buf_str(&w->out), str_of(want));

	if (!ok)
		printf("# got\n%s# want\n%s", buf_cstr(&w->out), want);
	buf_reset(&w->out);
	return ok;
}

#define HOOK "receivers: [{name: r, webhook_configs: [{url: 'http://x/'}]}]\n"
#define FAST                                                                   \
	"route: {receiver: r, group_by: [alertname], group_wait: 10s, "        \
	"group_interval: 60s, repeat_interval: 150s}\n"

#define S INT64_C(1000)

static void
test_life(void)
{
	struct world w;

	open_world(&w, FAST HOOK);
	tell(&w, 100 * S, "A", "1", 100 * S, 1000 * S);
	tell(&w, 105 * S, "A", "2", 105 * S, 1000 * S);
	CHECK(was(&w, ""));
	CHECK(notify_wake(w.n) == 110 * S);
	run(&w, 169 * S);
	CHECK(was(&w, "110000 r/webhook[0] firing 2 first notification\n"));
	tell(&w, 169 * S, "A", "3", 169 * S, 1000 * S);
	tell(&w, 169 * S, "A", "2", 105 * S, 168 * S);
	run(&w, 170 * S);
	CHECK(was(&w, "170000 r/webhook[0] firing 3 new alerts added\n"));
	tell(&w, 200 * S, "A", "1", 100 * S, 199 * S);
	run(&w, 230 * S);
	CHECK(was(&w, "230000 r/webhook[0] firing 2 some alerts resolved\n"));
	/* A repeat happens at a tick: 230 + 150 = 380 is between 350 and 410.
	 */
	run(&w, 409 * S);
	CHECK(was(&w, ""));
	run(&w, 410 * S);
	CHECK(
	    was(&w, "410000 r/webhook[0] firing 1 repeat interval elapsed\n"));
	run(&w, 999 * S);
	CHECK(was(&w,
	    "590000 r/webhook[0] firing 1 repeat interval elapsed\n"
	    "770000 r/webhook[0] firing 1 repeat interval elapsed\n"
	    "950000 r/webhook[0] firing 1 repeat interval elapsed\n"));
	/* Nobody renews it: it ends by itself, and its group with it. */
	run(&w, 2000 * S);
	CHECK(was(&w, "1010000 r/webhook[0] resolved 1 all alerts resolved\n"));
	CHECK(notify_wake(w.n) == NOTIFY_NEVER);
	/* Fires again: a new group, so group_wait again. */
	tell(&w, 2000 * S, "A", "1", 2000 * S, 3000 * S);
	run(&w, 2010 * S);
	CHECK(was(&w, "2010000 r/webhook[0] firing 1 first notification\n"));
	close_world(&w);
}

static void
test_edges(void)
{
	struct notify_alert none = { .starts = 1 };
	struct world w;
	struct error e;

	/* Resolved inside group_wait, alone: nothing. */
	open_world(&w, FAST HOOK);
	tell(&w, 100 * S, "A", "1", 100 * S, 1000 * S);
	tell(&w, 105 * S, "A", "1", 100 * S, 104 * S);
	run(&w, 500 * S);
	CHECK(was(&w, ""));
	CHECK(notify_wake(w.n) == NOTIFY_NEVER);
	/* An old alert does not wait, and takes its whole batch with it. */
	tell(&w, 500 * S, "B", "1", 400 * S, 1000 * S);
	tell(&w, 500 * S, "B", "2", 500 * S, 1000 * S);
	CHECK(notify_wake(w.n) == 500 * S);
	run(&w, 501 * S);
	CHECK(was(&w, "500000 r/webhook[0] firing 2 first notification\n"));
	CHECK(notify_alert(w.n, &none, 1, &e) == -1);
	CHECK_STR(str_of(e.msg), "at least one label pair required");
	close_world(&w);

	/* Without times: from now, for resolve_timeout, and again from then. */
	open_world(&w, "global: {resolve_timeout: 100s}\n" FAST HOOK);
	tell(&w, 100 * S, "A", "1", 0, 0);
	tell(&w, 150 * S, "A", "1", 0, 0);
	run(&w, 400 * S);
	CHECK(was(&w,
	    "110000 r/webhook[0] firing 1 first notification\n"
	    "290000 r/webhook[0] resolved 1 all alerts resolved\n"));
	close_world(&w);
}

static void
test_failures(void)
{
	struct world w;

	/* Retried at 0, 0.5, 0.75, ... s until the flush's time is over. */
	open_world(&w,
	    "route: {receiver: r, group_wait: 1s, group_interval: 5s}\n" HOOK);
	w.status = 503;
	tell(&w, 100 * S, "A", "1", 100 * S, 1000 * S);
	run(&w, 110 * S);
	w.status = 200;
	run(&w, 120 * S);
	CHECK(was(&w,
	    "101000 r/webhook[0] firing 1 first notification\n"
	    "101500 r/webhook[0] firing 1 first notification\n"
	    "102250 r/webhook[0] firing 1 first notification\n"
	    "103375 r/webhook[0] firing 1 first notification\n"
	    "105062 r/webhook[0] firing 1 first notification\n"
	    "107593 r/webhook[0] firing 1 first notification\n"
	    "receiver r, webhook[0]: given up after 6 attempts: unexpected "
	    "status code 503\n"
	    "111000 r/webhook[0] firing 1 first notification\n"));
	/* What is refused is not retried but sent again at the next tick. */
	w.status = 404;
	tell(&w, 120 * S, "A", "2", 120 * S, 1000 * S);
	run(&w, 122 * S);
	w.status = 200;
	run(&w, 127 * S);
	CHECK(was(&w,
	    "121000 r/webhook[0] firing 2 new alerts added\n"
	    "126000 r/webhook[0] firing 2 new alerts added\n"));
	close_world(&w);

	/* Slack must say ok. */
	open_world(&w,
	    "route: {receiver: r, group_wait: 1s, group_interval: 5s}\n"
	    "receivers: [{name: r, slack_configs: [{api_url: 'http://x/'}]}]");
	w.answer = "no_text";
	tell(&w, 100 * S, "A", "1", 100 * S, 1000 * S);
	run(&w, 102 * S);
	w.answer = "ok\n";
	run(&w, 120 * S);
	CHECK(was(&w,
	    "101000 r/slack[0] firing 1 first notification\n"
	    "106000 r/slack[0] firing 1 first notification\n"));
	close_world(&w);
}

/* send_resolved false: nothing is said of the end, but it is known. */
static void
test_send_resolved(void)
{
	struct world w;

	open_world(&w,
	    FAST "receivers: [{name: r, webhook_configs: [{url: 'http://x/', "
		 "send_resolved: false}, {url: 'http://y/'}]}]\n");
	tell(&w, 100 * S, "A", "1", 100 * S, 1000 * S);
	tell(&w, 100 * S, "A", "2", 100 * S, 1000 * S);
	run(&w, 115 * S);
	CHECK(was(&w,
	    "110000 r/webhook[0] firing 2 first notification\n"
	    "110000 r/webhook[1] firing 2 first notification\n"));
	tell(&w, 115 * S, "A", "1", 100 * S, 114 * S);
	run(&w, 171 * S);
	CHECK(was(&w, "170000 r/webhook[1] firing 2 some alerts resolved\n"));
	tell(&w, 171 * S, "A", "2", 100 * S, 171 * S);
	run(&w, 231 * S);
	CHECK(was(&w, "230000 r/webhook[1] resolved 1 all alerts resolved\n"));
	tell(&w, 300 * S, "A", "2", 300 * S, 1000 * S);
	run(&w, 310 * S);
	CHECK(was(&w,
	    "310000 r/webhook[0] firing 1 first notification\n"
	    "310000 r/webhook[1] firing 1 first notification\n"));
	close_world(&w);
}

static void
test_suppression(void)
{
	struct world w;
	struct buf b = { 0 };

	open_world(&w,
	    FAST HOOK "inhibit_rules: [{source_matchers: [alertname=S], "
		      "target_matchers: [alertname=A], equal: [i]}]\n");
	tell(&w, 100 * S, "S", "1", 100 * S, 150 * S);
	tell(&w, 100 * S, "A", "1", 100 * S, 1000 * S);
	tell(&w, 100 * S, "A", "2", 100 * S, 1000 * S);
	run(&w, 111 * S);
	CHECK(was(&w,
	    "110000 r/webhook[0] firing 1 first notification\n"
	    "110000 r/webhook[0] firing 1 first notification\n"));
	notify_list(w.n, 111 * S, &b);
	CHECK(strstr(buf_cstr(&b),
		  "alertname=\"A\",i=\"1\"} {summary=\"it "
		  "<is>\"} 111000 state=firing "
		  "startsAt=100000 endsAt=1000000 "
		  "generatorURL=\"\" inhibited=1\n") != NULL);
	run(&w, 171 * S);
	CHECK(was(&w,
	    "170000 r/webhook[0] firing 2 new alerts added\n"
	    "170000 r/webhook[0] resolved 1 all alerts resolved\n"));
	close_world(&w);

	open_world(&w, FAST HOOK);
	CHECK(notify_load_silences(w.n,
		  STR("# SILENCE {id=\"a\"} 1 matchers=\"alertname=\\\"A\\\"\" "
		      "startsAt=0 endsAt=150000\n"
		      "nonsense\n"
		      "# SILENCE {id=\"a\"} 2 matchers=\"i=~\\\"1|2\\\"\" "
		      "startsAt=0 endsAt=120000\n")) == 1);
	tell(&w, 100 * S, "A", "1", 100 * S, 1000 * S);
	tell(&w, 100 * S, "B", "3", 100 * S, 1000 * S);
	run(&w, 111 * S);
	CHECK(was(&w, "110000 r/webhook[0] firing 1 first notification\n"));
	run(&w, 171 * S);
	CHECK(was(&w, "170000 r/webhook[0] firing 1 first notification\n"));
	buf_fini(&b);
	close_world(&w);
}

static void
test_muted(void)
{
	struct world w;

	/* 1970-01-01 is a Thursday; 02:00 to 03:00 is 7200 to 10800 s. */
	open_world(&w,
	    "route: {receiver: r, routes: [{group_wait: 10s, "
	    "group_interval: 60s, mute_time_intervals: [m]}]}\n" HOOK
	    "time_intervals: [{name: m, time_intervals: [{weekdays: "
	    "[thursday], times: [{start_time: '02:00', end_time: "
	    "'03:00'}]}]}]");
	tell(&w, 7200 * S, "A", "1", 7200 * S, 90000 * S);
	run(&w, 10799 * S);
	CHECK(was(&w, ""));
	run(&w, 10860 * S);
	CHECK(was(&w, "10810000 r/webhook[0] firing 1 first notification\n"));
	close_world(&w);
}

/* The whole of a Slack body and of a webhook's. */
static void
test_bodies(void)
{
	struct world w;

	open_world(&w,
	    "global: {slack_api_url: 'http://x/'}\n"
	    "route: {receiver: s, group_wait: 1s}\n"
	    "receivers:\n"
	    "- name: s\n"
	    "  slack_configs:\n"
	    "  - channel: '#c'\n"
	    "    text: '{{ range .Alerts }}{{ .Annotations.summary }};{{ end "
	    "}}'\n"
	    "  webhook_configs: [{url: 'http://{{ .Status }}/', max_alerts: "
	    "1}]\n");
	w.bodies = true;
	tell(&w, 100 * S, "A", "2", 100 * S, 1000 * S);
	tell(&w, 100 * S, "A", "1", 100 * S, 1000 * S);
	run(&w, 102 * S);
	CHECK(was(&w,
	    "101000 s/slack[0] firing 2 first notification\n"
	    "{\"channel\":\"#c\",\"username\":\"Alertmanager\",\"attachments\":"
	    "[{\"title\":\"[FIRING:2]  (A)\",\"title_link\":"
	    "\"http://am/#/alerts?receiver=s\",\"text\":"
	    "\"it \\u003cis\\u003e;it \\u003cis\\u003e;\",\"fallback\":"
	    "\"[FIRING:2]  (A) | http://am/#/alerts?receiver=s\","
	    "\"callback_id\":\"\",\"footer\":\"\",\"color\":\"danger\","
	    "\"mrkdwn_in\":[\"fallback\",\"pretext\",\"text\"]}]}\n"
	    "101000 s/webhook[0] firing 2 first notification\n"
	    "{\"receiver\":\"s\",\"status\":\"firing\",\"alerts\":[{\"status\":"
	    "\"firing\",\"labels\":{\"alertname\":\"A\",\"i\":\"1\"},"
	    "\"annotations\":{\"summary\":\"it \\u003cis\\u003e\"},"
	    "\"startsAt\":\"1970-01-01T00:01:40Z\",\"endsAt\":"
	    "\"0001-01-01T00:00:00Z\",\"generatorURL\":\"\",\"fingerprint\":"
	    "\"caaaffbd9ccf039f\"}],\"notification_reason\":"
	    "\"first notification\",\"groupLabels\":{},\"commonLabels\":"
	    "{\"alertname\":\"A\",\"i\":\"1\"},\"commonAnnotations\":"
	    "{\"summary\":\"it \\u003cis\\u003e\"},\"externalURL\":"
	    "\"http://am\",\"version\":\"4\",\"groupKey\":\"{}:{}\","
	    "\"truncatedAlerts\":1}\n"));
	close_world(&w);
}

/* A template that fails costs a Slack field, and a webhook its tick. */
static void
test_bad_templates(void)
{
	struct world w;

	open_world(&w,
	    "route: {receiver: s, group_wait: 1s, group_interval: 5s}\n"
	    "receivers:\n"
	    "- name: s\n"
	    "  slack_configs: [{api_url: 'http://x/', title: '{{ .Nope }}',"
	    " text: t, username: '', color: '', mrkdwn_in: []}]\n"
	    "  webhook_configs: [{url: 'http://x/{{ .Nope }}'}]\n");
	w.bodies = true;
	tell(&w, 100 * S, "A", "1", 100 * S, 1000 * S);
	run(&w, 102 * S);
	CHECK(was(&w,
	    "receiver s, slack[0]: template: :1:3: executing \"\" at <.Nope>: "
	    "can't evaluate field Nope in type template.Data\n"
	    "receiver s, webhook[0]: template: :1:12: executing \"\" at "
	    "<.Nope>: can't evaluate field Nope in type template.Data\n"
	    "101000 s/slack[0] firing 1 first notification\n"
	    "{\"attachments\":[{\"title\":\"[FIRING:1]  (A 1)\",\"title_link\":"
	    "\"http://am/#/alerts?receiver=s\",\"text\":\"t\",\"fallback\":"
	    "\"[FIRING:1]  (A 1) | http://am/#/alerts?receiver=s\","
	    "\"callback_id\":\"\",\"footer\":\"\"}]}\n"));
	close_world(&w);
}

/* State goes through its lines and means the same after. */
static void
test_state(void)
{
	struct buf alerts = { 0 }, log = { 0 }, again = { 0 };
	struct world w, v;

	open_world(&w, FAST HOOK);
	tell(&w, 100 * S, "A \"q\"", "1", 100 * S, 1000 * S);
	tell(&w, 105 * S, "B", "1", 105 * S, 1000 * S);
	run(&w, 111 * S);
	CHECK(was(&w, "110000 r/webhook[0] firing 1 first notification\n"));
	notify_dump_alerts(w.n, &alerts);
	buf_add(&log, buf_str(&notify_journal(w.n)->log));

	open_world(&v, FAST HOOK);
	buf_z(&alerts, "# ALERT {cut");
	CHECK(notify_load_log(v.n, buf_str(&log), 111 * S) == 0);
	CHECK(notify_load_alerts(v.n, buf_str(&alerts)) == 1);
	notify_trim_log(buf_str(&log), 111 * S, &again);
	CHECK(str_eq(buf_str(&log), buf_str(&again)));
	buf_reset(&again);
	notify_trim_log(buf_str(&log), 111 * S + NOTIFY_RETENTION, &again);
	CHECK(again.n == 0);
	/* B's group_wait goes on; A is not told again. */
	CHECK(notify_wake(v.n) == 115 * S);
	run(&v, 230 * S);
	CHECK(was(&v, "115000 r/webhook[0] firing 1 first notification\n"));
	/* The journal says the same as the dump. */
	buf_reset(&alerts);
	buf_add(&alerts, buf_str(&notify_journal(w.n)->alerts));
	close_world(&v);
	open_world(&v, FAST HOOK);
	CHECK(notify_load_alerts(v.n, buf_str(&alerts)) == 0);
	CHECK(notify_load_log(
		  v.n, buf_str(&notify_journal(w.n)->log), 111 * S) == 0);
	CHECK(notify_wake(v.n) == 115 * S);
	run(&v, 230 * S);
	CHECK(was(&v, "115000 r/webhook[0] firing 1 first notification\n"));
	close_world(&v);
	close_world(&w);
	buf_fini(&alerts);
	buf_fini(&log);
	buf_fini(&again);
}

/* Another configuration: groups anew, nothing is told twice. */
static void
test_configure(void)
{
	struct notify_config *c, *old;
	struct world w;

	open_world(&w, FAST HOOK);
	tell(&w, 100 * S, "A", "1", 100 * S, 1000 * S);
	run(&w, 120 * S);
	CHECK(was(&w, "110000 r/webhook[0] firing 1 first notification\n"));
	c = config("route: {receiver: r, group_by: [alertname], group_wait: "
		   "10s, group_interval: 30s}\n"
		   "receivers: [{name: r, webhook_configs: [{url: 'http://x/'},"
		   " {url: 'http://y/'}]}]\n");
	old = w.c;
	notify_configure(w.n, c, 120 * S);
	w.c = c;
	notify_config_free(old);
	run(&w, 400 * S);
	CHECK(was(&w, "170000 r/webhook[1] firing 1 first notification\n"));
	close_world(&w);
}

int
main(void)
{
	test_life();
	test_edges();
	test_failures();
	test_send_resolved();
	test_suppression();
	test_muted();
	test_bodies();
	test_bad_templates();
	test_state();
	test_configure();
	return done();
}
