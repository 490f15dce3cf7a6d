/* rule/load: what rule files may say, and where they are wrong. */
#include "rule-world.h"

static bool
loads(const char *text, size_t groups, size_t rules)
{
	struct world w;
	bool ok;

	world_init(&w, text, NULL);
	ok = w.faults == 0 && rule_groups(w.set) == groups &&
	    rule_count(w.set) == rules;
	if (!ok)
		printf("# %zu %zu %s\n", rule_groups(w.set), rule_count(w.set),
		    buf_cstr(&w.told));
	world_fini(&w);
	return ok;
}

static bool
refused(const char *text, const char *want)
{
	struct world w;
	bool ok;

	world_init(&w, text, NULL);
	ok = w.faults == 1 && str_eq(buf_str(&w.told), str_of(want));
	if (!ok)
		printf("# %zu faults: %s\n", w.faults, buf_cstr(&w.told));
	world_fini(&w);
	return ok;
}

static void
good(void)
{
	CHECK(loads("", 0, 0) && loads("groups: []\n", 0, 0));
	CHECK(loads("groups:\n- name: g\n", 1, 0));
	CHECK(loads("groups:\n"
		    "- name: g\n"
		    "  interval: 30s\n"
		    "  query_offset: 5s\n"
		    "  limit: 10\n"
		    "  labels: { team: a }\n"
		    "  rules:\n"
		    "  - record: a:b\n"
		    "    expr: 1\n"
		    "  - &x\n"
		    "    alert: X\n"
		    "    expr: up == 0\n"
		    "    for: 1m\n"
		    "    keep_firing_for: 5m\n"
		    "    labels: { severity: page, empty: '' }\n"
		    "    annotations: { summary: '{{ $labels.job }}' }\n"
		    "  - <<: *x\n"
		    "    alert: Y\n",
	    1, 3));
}

#define RULE "groups:\n- name: g\n  rules:\n  - "

static void
bad(void)
{
	CHECK(refused("- a\n", "r.yml:1:1: a rule file must be a map\n"));
	CHECK(refused("groups:\n- name: g\n- name: g\n",
	    "r.yml:3:9: groupname: \"g\" is repeated in the same file\n"));
	CHECK(refused("groups:\n- rules: []\n",
	    "r.yml:2:3: Groupname must not be empty\n"));
	CHECK(refused(RULE "expr: 1\n",
	    "r.yml:4:5: group \"g\": rule 1, \"\": one of 'record' or 'alert' "
	    "must be set\n"));
	CHECK(refused(RULE "record: a\n    alert: b\n    expr: 1\n",
	    "r.yml:4:5: group \"g\": rule 1, \"b\": only one of 'record' and "
	    "'alert' must be set\n"));
	CHECK(refused(RULE "record: a\n",
	    "r.yml:4:5: group \"g\": rule 1, \"a\": field 'expr' must be set "
	    "in rule\n"));
	CHECK(refused(RULE "record: a\n    expr: sum(\n",
	    "r.yml:5:11: group \"g\": rule 1, \"a\": could not parse "
	    "expression: 1:5: parse error: unclosed left parenthesis\n"));
	CHECK(refused(RULE "record: a\n    expr: 1\n    for: 1m\n",
	    "r.yml:6:10: group \"g\": rule 1, \"a\": invalid field 'for' in "
	    "recording rule\n"));
	CHECK(refused(RULE "record: a{b=\"c\"}\n    expr: 1\n",
	    "r.yml:4:13: group \"g\": rule 1, \"a{b=\"c\"}\": braces present "
	    "in the recording rule name; should it be in expr?: "
	    "a{b=\"c\"}\n"));
	CHECK(refused(RULE "record: a\n    expr: 1\n"
			   "    labels: { __name__: x }\n",
	    "r.yml:6:25: group \"g\": rule 1, \"a\": invalid label name: "
	    "__name__\n"));
	CHECK(refused(RULE "alert: a\n    expr: 1\n    annotation: {}\n",
	    "r.yml:6:5: unknown key \"annotation\"\n"));
	CHECK(refused(RULE "alert: a\n    expr: 1\n    for: 1x\n",
	    "r.yml:6:10: unknown unit \"x\" in duration \"1x\"\n"));
	CHECK(refused(RULE "alert: a\n    expr: 1\n    labels: [x]\n",
	    "r.yml:6:13: group \"g\": rule 1, \"a\": labels must be a map\n"));
	CHECK(refused("groups:\n- name: g\n  limit: -1\n",
	    "r.yml:3:10: group \"g\": limit must not be negative\n"));
}

/* Every fault of a file is told, not the first alone. */
static void
all_of_them(void)
{
	struct world w;

	world_init(&w,
	    RULE "alert: A\n    expr: )\n    annotations:\n"
		 "      s: '{{ nope }}'\n      t: '{{ if }}'\n"
		 "  - record: b\n    expr: '1 +'\n",
	    NULL);
	CHECK(w.faults == 4);
	CHECK(world_has(&w.told,
	    "r.yml:7:10: group \"g\": rule 1, \"A\": "
	    "annotation \"s\": template: __alert_A:1"));
	CHECK(world_has(&w.told, "function \"nope\" not defined"));
	CHECK(world_has(&w.told, "r.yml:10:11: group \"g\": rule 2, \"b\""));
	world_fini(&w);
}

static void
reach(void)
{
	struct world w;
	int64_t back = 0;

	world_init(&w,
	    "groups:\n- name: g\n  query_offset: 1m\n  rules:\n"
	    "  - record: a\n    expr: rate(b[1h] offset 1h)\n",
	    NULL);
	CHECK(rule_reach(w.set, &back));
	CHECK(back >= 7260000 && back < 7660000);
	world_fini(&w);
	world_init(&w, RULE "record: a\n    expr: b @ 0\n", NULL);
	CHECK(!rule_reach(w.set, &back));
	world_fini(&w);
}

/* Names beyond the classic ones are fine unless the old scheme is asked. */
static void
names(void)
{
	static const char rules[] = RULE "alert: a\n    expr: 1\n"
					 "    annotations: { in-s: x }\n";
	struct rule_opts o = { .legacy_names = true };
	struct world w;

	CHECK(loads(rules, 1, 1));
	world_init(&w, rules, &o);
	CHECK(w.faults == 1);
	CHECK(world_has(&w.told, "invalid annotation name: in-s\n"));
	world_fini(&w);
	world_init(&w, RULE "record: a.b\n    expr: 1\n", &o);
	CHECK(w.faults == 1);
	world_fini(&w);
}

int
main(void)
{
	names();
	good();
	bad();
	all_of_them();
	reach();
	return done();
}
