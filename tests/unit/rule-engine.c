/*
 * rule/engine, record: slots, order, results that later rules see.
 * Covers record.c.
 */
#include "rule-world.h"

#include "base/num.h"

#define MIN INT64_C(60000)
#define HEAD "groups:\n- name: g\n  rules:\n"

static int64_t
slot(struct world *w, int64_t from)
{
	rule_free(w->engine);
	w->engine = rule_new(w->set, from);
	return rule_next(w->engine);
}

static void
recording(bool keep)
{
	struct rule_opts o = { .keep_results = keep };
	struct world w;
	int64_t t;

	world_init(&w,
	    HEAD "  - record: job:up:sum\n    expr: sum by (job) (up)\n"
		 "    labels: { level: job, gone: '' }\n"
		 "  - record: up:sum\n    expr: sum(job:up:sum)\n"
		 "  - record: n\n    expr: 2 * 3\n",
	    &o);
	CHECK(w.faults == 0);
	t = slot(&w, 100 * MIN);
	world_add(&w, "up{job=\"a\",gone=\"x\"}", t, 1);
	world_add(&w, "up{job=\"b\"}", t, 2);
	world_add(&w, "up{job=\"b\"}", t + MIN, 3);
	world_step(&w, t, RULE_EACH);
	CHECK(world_has(
	    &w.out, "# BATCH {rule_file=\"r.yml\",rule_group=\"g\"} "));
	CHECK(world_has(&w.out, "\njob:up:sum{job=\"a\",level=\"job\"} 1 "));
	CHECK(world_has(&w.out, "\nup:sum 3 "));
	CHECK(world_has(&w.out, "\nn 6 "));
	CHECK(str_ends(buf_str(&w.out), STR("\n# EOF\n")));
	/* A series that is not there any more ends. */
	world_add(&w, "up{job=\"a\",gone=\"x\"}", t + MIN,
	    num_from_bits(NUM_STALE_BITS));
	world_step(&w, t + MIN, RULE_EACH);
	CHECK(
	    world_has(&w.out, "# STALE job:up:sum{job=\"a\",level=\"job\"} "));
	CHECK(world_has(&w.out, "\nup:sum 3 "));
	CHECK(w.told.n == 0);
	world_fini(&w);
}

/* Kept results are there in later rounds; those of a store come from it. */
static void
kept(void)
{
	static const char rules[] =
	    HEAD "  - record: tick\n    expr: time()\n"
		 "  - record: ticks\n    expr: count_over_time(tick[10m])\n";
	struct rule_opts o = { .keep_results = true };
	struct world w;
	int64_t t;

	for (int keep = 1; keep >= 0; keep--) {
		o.keep_results = keep != 0;
		world_init(&w, rules, &o);
		t = slot(&w, 100 * MIN);
		world_step(&w, t + 2 * MIN, RULE_EACH);
		CHECK(world_has(&w.out, keep ? "\nticks 3 " : "\nticks 1 "));
		world_fini(&w);
	}
}

static size_t
rounds(const struct world *w)
{
	str s = buf_str(&w->out);
	size_t n = 0, i;

	while ((i = str_find(s, STR("# BATCH "))) < s.n) {
		n++;
		s = str_skip(s, i + 1);
	}
	return n;
}

static void
slots(void)
{
	struct world w;
	int64_t t;

	world_init(&w,
	    "groups:\n- name: a\n  interval: 30s\n- name: b\n"
	    "  interval: 1m\n",
	    NULL);
	t = slot(&w, 100 * MIN);
	CHECK(t >= 100 * MIN && t < 100 * MIN + 30000);
	world_step(&w, 103 * MIN - 1, RULE_EACH);
	CHECK(rounds(&w) == 6 + 3);
	world_step(&w, 103 * MIN - 1, RULE_EACH);
	CHECK(rounds(&w) == 0);
	/* Missed slots are not made up for. */
	world_step(&w, 200 * MIN, RULE_LATEST);
	CHECK(rounds(&w) == 2);
	CHECK(rule_next(w.engine) > 200 * MIN);
	world_fini(&w);
	world_init(&w, "groups: []\n", NULL);
	CHECK(rule_next(w.engine) == INT64_MAX);
	world_fini(&w);
	/* The phase hangs on file and name, not on the start. */
	world_init(&w, "groups:\n- name: a\n", NULL);
	t = slot(&w, 100 * MIN);
	CHECK(slot(&w, 200 * MIN) == t + 100 * MIN);
	CHECK(slot(&w, -200 * MIN) == t - 300 * MIN);
	world_fini(&w);
}

static void
offset(void)
{
	struct world w;
	struct buf b = { 0 };
	int64_t t;

	world_init(&w,
	    "groups:\n- name: g\n  query_offset: 10s\n  rules:\n"
	    "  - record: x\n    expr: up\n",
	    NULL);
	t = slot(&w, 100 * MIN);
	world_add(&w, "up", t - 10000, 1);
	world_add(&w, "up", t - 5000, 2);
	world_step(&w, t, RULE_EACH);
	buf_printf(&b, "\nx 1 %lld\n", (long long)t - 10000);
	CHECK(world_has(&w.out, buf_cstr(&b)));
	buf_fini(&b);
	world_fini(&w);
}

/* A rule that fails says so; the others go on, its series are left alone. */
static void
failing(void)
{
	struct world w;
	int64_t t;

	world_init(&w,
	    HEAD "  - record: x\n    expr: up * on (job) up2\n"
		 "  - record: y\n    expr: '\"text\"'\n"
		 "  - record: z\n    expr: label_replace(up, \"job\", \"\", "
		 "\"\", \"\")\n"
		 "  - record: n\n    expr: 1\n",
	    NULL);
	t = slot(&w, 100 * MIN);
	world_add(&w, "up{job=\"a\",i=\"1\"}", t, 1);
	world_add(&w, "up{job=\"b\",i=\"1\"}", t, 1);
	world_add(&w, "up2{job=\"a\"}", t, 1);
	world_step(&w, t, RULE_EACH);
	CHECK(world_has(&w.out, "\nx{job=\"a\"} 1 "));
	CHECK(world_has(&w.out, "\nn 1 "));
	CHECK(world_has(&w.told,
	    "rule 2, \"y\": rule result is not a vector "
	    "or scalar\n"));
	world_add(&w, "up2{job=\"a\",i=\"2\"}", t + 1, 1);
	world_step(&w, t + MIN, RULE_EACH);
	CHECK(world_has(&w.told, "rule 1, \"x\": "));
	CHECK(str_find(buf_str(&w.out), STR("# STALE x")) == w.out.n);
	CHECK(world_has(&w.out, "\nn 1 "));
	world_fini(&w);
}

int
main(void)
{
	recording(true);
	recording(false);
	kept();
	slots();
	offset();
	failing();
	return done();
}
