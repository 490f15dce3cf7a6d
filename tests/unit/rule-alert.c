/*
 * rule/alert, rule/state: the life of an alert, on slots, across restarts.
 * Covers state.c.
 */
#include "rule-world.h"

#define MIN INT64_C(60000)
#define HEAD "groups:\n- name: g\n  rules:\n"
#define FOR1M HEAD "  - alert: Down\n    expr: up == 0\n    for: 1m\n"

static struct rule_opts opts = { .keep_results = true,
	.external_labels = { NULL, 0 } };

/* The first slot at or after 30 minutes, which every test begins with. */
static int64_t
first_slot(struct world *w)
{
	struct rule_engine *r = rule_new(w->set, 30 * MIN);
	int64_t t = rule_next(r);

	rule_free(r);
	return t;
}

static bool
line(const struct world *w, int64_t t, const char *labels, const char *rest)
{
	struct buf b = { 0 };
	bool ok;

	buf_printf(&b, "\n# ALERT %s {} %lld %s\n", labels, (long long)t, rest);
	ok = world_has(&w->out, buf_cstr(&b));
	buf_fini(&b);
	return ok;
}

static size_t
alerts(const struct world *w)
{
	str s = buf_str(&w->out);
	size_t n = 0, i;

	while ((i = str_find(s, STR("# ALERT "))) < s.n) {
		n++;
		s = str_skip(s, i + 1);
	}
	return n;
}

static const char *
keys(int64_t active, int64_t starts, int64_t ends, const char *state)
{
	static char text[200];

	if (starts == 0)
		snprintf(text, sizeof(text), "state=%s activeAt=%lld value=0",
		    state, (long long)active);
	else
		snprintf(text, sizeof(text),
		    "state=%s activeAt=%lld startsAt=%lld endsAt=%lld value=0",
		    state, (long long)active, (long long)starts,
		    (long long)ends);
	return text;
}

#define DOWN "{alertname=\"Down\",job=\"a\"}"

static void
life(void)
{
	struct world w;
	int64_t t;

	world_init(&w, FOR1M, &opts);
	t = first_slot(&w);
	CHECK(t >= 30 * MIN && t < 31 * MIN);
	rule_free(w.engine);
	w.engine = rule_new(w.set, t);
	CHECK(rule_next(w.engine) == t);
	world_add(&w, "up{job=\"a\"}", t - 1000, 0);
	world_add(&w, "up{job=\"b\"}", t - 1000, 1);
	world_step(&w, t - 1, RULE_EACH);
	CHECK(w.out.n == 0);
	world_step(&w, t, RULE_EACH);
	CHECK(line(&w, t, DOWN, keys(t, 0, 0, "pending")));
	CHECK(world_has(&w.out, "# TYPE ALERTS gauge\n"));
	CHECK(world_has(&w.out,
	    "ALERTS{alertname=\"Down\",alertstate=\"pending\",job=\"a\"} 1 "));
	CHECK(world_has(
	    &w.out, "ALERTS_FOR_STATE{alertname=\"Down\",job=\"a\"} "));
	/* A round of one slot is not repeated. */
	world_step(&w, t + MIN - 1, RULE_EACH);
	CHECK(w.out.n == 0);
	world_step(&w, t + MIN, RULE_EACH);
	CHECK(line(&w, t + MIN, DOWN, keys(t, t + MIN, t + 5 * MIN, "firing")));
	CHECK(world_has(&w.out,
	    "# STALE ALERTS{alertname=\"Down\","
	    "alertstate=\"pending\",job=\"a\"} "));
	CHECK(str_find(buf_str(&w.out), STR("# TYPE")) == w.out.n);
	/* Gone: resolved, told for 15 minutes, then forgotten. */
	world_add(&w, "up{job=\"a\"}", t + MIN + 1, 1);
	for (int i = 2; i < 20; i++) {
		world_add(&w, "up{job=\"a\"}", t + i * MIN - 1, 1);
		world_step(&w, t + i * MIN, RULE_EACH);
		if (i == 2)
			CHECK(world_has(
			    &w.out, "# STALE ALERTS_FOR_STATE{alertname="));
		if (i <= 17)
			CHECK(line(&w, t + i * MIN, DOWN,
			    keys(t, t + MIN, t + 2 * MIN, "resolved")));
		else
			CHECK(alerts(&w) == 0);
	}
	CHECK(w.told.n == 0);
	world_fini(&w);
}

static void
pending_goes_silently(void)
{
	struct world w;
	int64_t t;

	world_init(&w, FOR1M, &opts);
	t = first_slot(&w);
	world_add(&w, "up{job=\"a\"}", t - 1, 0);
	world_step(&w, t, RULE_LATEST);
	CHECK(alerts(&w) == 1);
	world_add(&w, "up{job=\"a\"}", t + 1, 1);
	world_step(&w, t + MIN, RULE_LATEST);
	CHECK(alerts(&w) == 0);
	CHECK(world_has(&w.out, "# STALE ALERTS{"));
	world_fini(&w);
}

/* While firing it is told every resend delay, not every slot. */
static void
resend(void)
{
	struct rule_opts o = { .keep_results = true, .resend_delay = 2 * MIN };
	struct world w;
	int64_t t;

	world_init(&w, HEAD "  - alert: A\n    expr: vector(0)\n", &o);
	t = first_slot(&w);
	for (int i = 0; i < 6; i++) {
		world_step(&w, t + i * MIN, RULE_LATEST);
		CHECK(alerts(&w) == (i % 2 == 0));
	}
	world_fini(&w);
	/* Changed annotations are news. */
	world_init(&w,
	    HEAD "  - alert: A\n    expr: time()\n    annotations:\n"
		 "      v: '{{ $value }}'\n",
	    &o);
	t = first_slot(&w);
	for (int i = 0; i < 3; i++) {
		world_step(&w, t + i * MIN, RULE_LATEST);
		CHECK(alerts(&w) == 1);
	}
	world_fini(&w);
}

static void
keep_firing(void)
{
	struct world w;
	int64_t t;

	world_init(&w,
	    HEAD "  - alert: Down\n    expr: up == 0\n"
		 "    keep_firing_for: 2m\n",
	    &opts);
	t = first_slot(&w);
	world_add(&w, "up{job=\"a\"}", t - 1, 0);
	world_step(&w, t, RULE_LATEST);
	CHECK(line(&w, t, DOWN, keys(t, t, t + 4 * MIN, "firing")));
	for (int i = 1; i <= 3; i++) {
		world_add(&w, "up{job=\"a\"}", t + i * MIN - 1, 1);
		world_step(&w, t + i * MIN, RULE_LATEST);
		CHECK(world_has(
		    &w.out, i < 3 ? "state=firing" : "state=resolved"));
	}
	world_fini(&w);
}

static void
restart(void)
{
	struct world w;
	struct buf a = { 0 }, b = { 0 };
	struct error e;
	int64_t t;

	world_init(&w, FOR1M, &opts);
	t = first_slot(&w);
	world_add(&w, "up{job=\"a\"}", t - 1, 0);
	world_step(&w, t, RULE_LATEST);
	/* What is saved loads as what it was. */
	rule_save(w.engine, &a);
	CHECK(rule_load(w.engine, buf_str(&a), &e) == 0);
	CHECK(!rule_changed(w.engine));
	rule_save(w.engine, &b);
	CHECK(str_eq(buf_str(&a), buf_str(&b)));
	world_restart(&w, FOR1M, &opts, t);
	CHECK(w.told.n == 0);
	world_step(&w, t, RULE_LATEST);
	CHECK(w.out.n == 0); /* that slot was done */
	world_step(&w, t + MIN, RULE_LATEST);
	CHECK(line(&w, t + MIN, DOWN, keys(t, t + MIN, t + 5 * MIN, "firing")));
	/* The rule is gone: resolved, once. */
	world_restart(&w, "groups:\n- name: g\n", &opts, t);
	world_step(&w, t + MIN + 1, RULE_LATEST);
	CHECK(w.out.n == 0);
	rule_save(w.engine, &a); /* and not forgotten until its slot */
	world_step(&w, t + 2 * MIN, RULE_LATEST);
	CHECK(line(
	    &w, t + 2 * MIN, DOWN, keys(t, t + MIN, t + 2 * MIN, "resolved")));
	CHECK(world_has(&w.out, "# STALE ALERTS{"));
	world_step(&w, t + 3 * MIN, RULE_LATEST);
	CHECK(alerts(&w) == 0);
	world_restart(&w, "groups:\n- name: g\n", &opts, t);
	world_step(&w, t + 3 * MIN, RULE_LATEST);
	CHECK(w.out.n == 0);
	world_fini(&w);
	buf_fini(&a);
	buf_fini(&b);
}

static void
group_gone(void)
{
	struct world w;
	int64_t t;

	world_init(&w, HEAD "  - alert: Down\n    expr: up == 0\n", &opts);
	t = first_slot(&w);
	world_add(&w, "up{job=\"a\"}", t - 1, 0);
	world_step(&w, t, RULE_LATEST);
	world_restart(&w, "groups: []\n", &opts, t);
	world_step(&w, t + 5, RULE_LATEST);
	CHECK(line(&w, t + 5, DOWN, keys(t, t, t + 5, "resolved")));
	world_step(&w, t + MIN, RULE_LATEST);
	CHECK(w.out.n == 0);
	world_fini(&w);
}

/* After an hour without an evaluation a pending alert is a new one. */
static void
outage(void)
{
	struct world w;
	int64_t t;

	world_init(&w, FOR1M, &opts);
	t = first_slot(&w);
	world_add(&w, "up{job=\"a\"}", t - 1, 0);
	world_step(&w, t, RULE_LATEST);
	world_add(&w, "up{job=\"a\"}", t + 90 * MIN - 1, 0);
	world_step(&w, t + 90 * MIN, RULE_LATEST);
	CHECK(world_has(&w.out, "state=pending"));
	world_fini(&w);
}

static void
broken_state(void)
{
	static const char *const bad[] = { "", "nonsense\n",
		"# BATCH {rule_file=\"r.yml\",rule_group=\"g\"} 5 kind=alert "
		"name=\"Down\" labels=\"{}\"\n# ALERT {a=\"b\"} {} 5 "
		"state=firing\n# ALERT {a=\"b\"} {} 5 state=odd activeAt=1\n",
		"# BATCH {rule_file=\"r.yml\",rule_group=\"g\"} 5 kind=alert "
		"name=\"Down\" labels=\"{}\"\n# ALERT {a=\"b\"} {} 5 "
		"state=firing activeAt=x startsAt=1\n# EOF\n",
		"# BATCH {rule_file=\"r.yml\",rule_group=\"g\"} "
		"9223372036854775807 kind=alert name=\"Down\" "
		"labels=\"{}\"\n# EOF\n",
		"# BATCH {rule_file=\"r.yml\",rule_group=\"g\"} 5 kind=alert "
		"name=\"Down\" labels=\"{}\"\n# ALERT {a=\"b\"} {} 5 "
		"state=resolved activeAt=1 startsAt=-9223372036854775807 "
		"endsAt=-9223372036854775807\n# EOF\n" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct world w;
		struct error e;

		world_init(&w, FOR1M, &opts);
		(void)rule_load(w.engine, str_of(bad[i]), &e);
		world_step(&w, 90 * MIN, RULE_LATEST);
		CHECK(alerts(&w) == 0);
		world_fini(&w);
	}
}

static void
identity(void)
{
	static const struct label ext[] = { { STR_INIT("job"),
						STR_INIT("ext") },
		{ STR_INIT("site"), STR_INIT("x") } };
	struct rule_opts o = { .keep_results = true,
		.external_labels = { ext, 2 },
		.external_url = STR("http://p:9090") };
	struct world w;
	int64_t t;

	world_init(&w,
	    HEAD "  - alert: Down\n    expr: up == 0\n"
		 "    labels: { job: '', sev: '{{ $labels.job }}-x' }\n",
	    &o);
	t = first_slot(&w);
	world_add(&w, "up{job=\"a\"}", t - 1, 0);
	world_step(&w, t, RULE_LATEST);
	CHECK(world_has(&w.out,
	    "# ALERT {alertname=\"Down\",job=\"ext\","
	    "sev=\"a-x\",site=\"x\"} "));
	CHECK(world_has(&w.out,
	    "generatorURL=\"http://p:9090/graph?"
	    "g0.expr=up+%3D%3D+0&g0.tab=1\"\n"));
	CHECK(world_has(&w.out,
	    "ALERTS{alertname=\"Down\","
	    "alertstate=\"firing\",sev=\"a-x\"} 1 "));
	world_fini(&w);
	/* Two results that become one alert are an error, and nothing else. */
	world_init(&w,
	    HEAD "  - alert: Down\n    expr: up == 0\n    labels: { job: x }\n",
	    &opts);
	t = first_slot(&w);
	world_add(&w, "up{job=\"a\"}", t - 1, 0);
	world_add(&w, "up{job=\"b\"}", t - 1, 0);
	world_step(&w, t, RULE_LATEST);
	CHECK(alerts(&w) == 0);
	CHECK(world_has(&w.told,
	    "r.yml: group \"g\", rule 1, \"Down\": vector contains metrics "
	    "with the same labelset after applying alert labels\n"));
	world_fini(&w);
}

/*
 * Alerts are relabelled behind the external labels, as they are printed: what
 * the rule knows of them, and its series, stay.
 */
static void
relabelled(void)
{
	static const struct label ext[] = { { STR_INIT("replica"),
						STR_INIT("b") },
		{ STR_INIT("site"), STR_INIT("x") } };
	struct conf *c = conf_parse(
	    STR("[{source_labels: [job, site], regex: 'a;x', action: drop},\n"
		"{action: labeldrop, regex: replica},\n"
		"{source_labels: [job], regex: c, target_label: alertname,\n"
		" replacement: Out},\n"
		"{source_labels: [job], regex: e, target_label: none,\n"
		" replacement: y},\n"
		"{source_labels: [none], regex: '', action: keep}]"),
	    "f", NULL, NULL);
	struct relabels rules = { 0 };
	struct rule_opts o = { .keep_results = true,
		.external_labels = { ext, 2 },
		.alert_relabel = &rules };
	struct world w;
	int64_t t;

	CHECK(relabel_load(&rules, conf_root(c), "alert_relabel_configs", false,
		  NULL) == 0);
	world_init(&w, HEAD "  - alert: Down\n    expr: up == 0\n", &o);
	t = first_slot(&w);
	world_add(&w, "up{job=\"a\"}", t - 1, 0);
	world_add(&w, "up{job=\"b\"}", t - 1, 0);
	world_add(&w, "up{job=\"c\"}", t - 1, 0);
	world_add(&w, "up{job=\"e\"}", t - 1, 0);
	world_step(&w, t, RULE_LATEST);
	CHECK(alerts(&w) == 2);
	CHECK(world_has(
	    &w.out, "# ALERT {alertname=\"Down\",job=\"b\",site=\"x\"} {} "));
	CHECK(world_has(
	    &w.out, "# ALERT {alertname=\"Out\",job=\"c\",site=\"x\"} {} "));
	for (const char *j = "abce"; *j != '\0'; j++) {
		char line[80];

		(void)snprintf(line, sizeof(line),
		    "ALERTS{alertname=\"Down\",alertstate=\"firing\","
		    "job=\"%c\"} 1 ",
		    *j);
		CHECK(world_has(&w.out, line));
	}
	world_fini(&w);
	relabel_free(&rules);
	conf_free(c);
	/* No label is left. */
	c = conf_parse(
	    STR("[{action: labelkeep, regex: ''}]"), "f", NULL, NULL);
	CHECK(relabel_load(&rules, conf_root(c), "alert_relabel_configs", false,
		  NULL) == 0);
	world_init(&w, HEAD "  - alert: Down\n    expr: up == 0\n", &o);
	t = first_slot(&w);
	world_add(&w, "up{job=\"a\"}", t - 1, 0);
	world_step(&w, t, RULE_LATEST);
	CHECK(alerts(&w) == 0);
	world_fini(&w);
	relabel_free(&rules);
	conf_free(c);
}

static void
limit(void)
{
	struct world w;
	int64_t t;

	world_init(&w,
	    "groups:\n- name: g\n  limit: 1\n  rules:\n"
	    "  - alert: Down\n    expr: up == 0\n",
	    &opts);
	t = first_slot(&w);
	world_add(&w, "up{job=\"a\"}", t - 1, 0);
	world_step(&w, t, RULE_LATEST);
	CHECK(alerts(&w) == 1);
	world_add(&w, "up{job=\"b\"}", t, 0);
	world_step(&w, t + MIN, RULE_LATEST);
	CHECK(alerts(&w) == 0);
	CHECK(world_has(&w.told, "exceeded limit of 1 with 2 alerts"));
	CHECK(world_has(&w.out, "# STALE ALERTS{"));
	world_fini(&w);
}

int
main(void)
{
	life();
	pending_goes_silently();
	resend();
	keep_firing();
	restart();
	group_gone();
	outage();
	broken_state();
	identity();
	relabelled();
	limit();
	return done();
}
