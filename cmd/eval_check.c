/*
 * mf-eval check: a verdict and a count for each rule file or configuration,
 * every fault with its place.
 */
#include <stdio.h>

#include "eval_cmd.h"

static bool
check(const struct eval_options *o, const char *name)
{
	struct eval_config c;
	struct error e;
	bool ok;

	if (eval_config_load(&c, o, false, &e) == -1) {
		tool_warn("%s", e.msg);
		(void)printf("%s: FAILED\n", name);
		return false;
	}
	ok = c.faults == 0;
	if (ok && tool_verbose >= 0)
		(void)printf("%s: SUCCESS: %zu rules in %zu groups found\n",
		    name, rule_count(c.set), rule_groups(c.set));
	else if (!ok)
		(void)printf("%s: FAILED: %zu fault%s\n", name, c.faults,
		    c.faults == 1 ? "" : "s");
	eval_config_free(&c);
	return ok;
}

/* Operands and -r are rule files, -c is prometheus.yml with those it names. */
int
eval_check(const struct eval_options *o)
{
	struct eval_options one = *o;
	bool ok = true;

	if (o->config == NULL && o->rules.n == 0 && o->nexprs == 0)
		tool_die(TOOL_USAGE, "check: no file given");
	one.rules.n = 0;
	if (o->config != NULL)
		ok = check(&one, o->config);
	one.config = NULL;
	for (size_t i = 0; i < o->rules.n + o->nexprs; i++) {
		const char *file =
		    i < o->rules.n ? o->rules.v[i] : o->exprs[i - o->rules.n];

		one.rules = (struct opt_list){ &file, 1, 1 };
		ok = check(&one, file) && ok;
	}
	return ok ? TOOL_OK : TOOL_USAGE;
}
