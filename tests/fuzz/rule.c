/*
 * rule: any text as a rule file is refused or can be evaluated; any text as a
 * state is taken or left; what was saved loads again.
 */
#include <stdlib.h>

#include "metric/series.h"
#include "rule/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char some_rules[] =
    "groups:\n- name: g\n  rules:\n  - record: r\n    expr: vector(1)\n"
    "  - alert: A\n    expr: r or up\n    for: 1m\n    keep_firing_for: 1m\n"
    "    annotations: {s: '{{ $labels }} {{ $value }}'}\n";

static void
nothing(void *arg, str text)
{
	(void)arg;
	(void)text;
}

static void
evaluate(str rules, str state)
{
	struct rule_opts o = { .keep_results = true };
	struct rule_set *set = rule_set_new(&o);
	struct conf *c = conf_parse(rules, "r.yml", NULL, NULL);
	struct series_set *series = series_new();
	struct source src = series_source(series);
	struct rule_sink sink = { .batch = nothing };
	struct rule_engine *r;
	struct buf saved = { 0 };
	struct error e;

	if (c != NULL && rule_add(set, STR("r.yml"), c, NULL, NULL) == 0) {
		r = rule_new(set, 0);
		if (state.n > 0)
			(void)rule_load(r, state, &e);
		for (int64_t t = 3600000; t <= 3900000; t += 60000)
			(void)rule_step(r, &src, t, RULE_LATEST, &sink);
		rule_save(r, &saved);
		if (rule_load(r, buf_str(&saved), &e) == -1)
			abort();
		rule_free(r);
	}
	buf_fini(&saved);
	series_free(series);
	conf_free(c);
	rule_set_free(set);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	str in = { (const char *)data, n };

	if (n == 0 || n > 20000)
		return 0;
	if (data[0] == '#')
		evaluate(str_of(some_rules), in);
	else
		evaluate(in, STR_NONE);
	return 0;
}
