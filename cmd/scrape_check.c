/*
 * mf-scrape check: is a configuration one that mf-scrape can do?
 */
#include <stdio.h>

#include "scrape_cmd.h"

int
scrape_check(const struct scrape_options *o)
{
	struct scrape_plan p;
	struct error e;

	if (o->config == NULL)
		tool_die(TOOL_USAGE, "check: give one configuration");
	if (scrape_plan_load(&p, o, &e) == -1)
		tool_die(TOOL_USAGE, "%s", e.msg);
	scrape_plan_warn(&p);
	if (tool_verbose >= 0)
		(void)printf("%s: ok, %zu target%s\n", o->config, p.set->n,
		    p.set->n == 1 ? "" : "s");
	scrape_plan_free(&p);
	return TOOL_OK;
}
