/*
 * mf-scrape check: is a configuration one that mf-scrape can do?  What stands
 * in files is read, nobody on the network is asked.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "scrape_cmd.h"

struct counts {
	size_t targets, dropped, faults, warnings;
	size_t asking; /* jobs whose targets the network knows */
};

static bool
asks_network(const struct scrape_job *j)
{
	static const char *const keys[] = { "http_sd_configs",
		"dns_sd_configs" };
	const struct conf_node *n;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if ((n = conf_find(j->node, keys[i])) != NULL && n->n > 0)
			return true;
	return false;
}

/* Can the file be read that a node of the configuration names? */
static bool
is_there(const struct conf_node *n, struct error *e)
{
	struct buf b = { 0 };
	bool there = conf_read_from(n->conf, n->value, &b, e) == 0;

	buf_fini(&b);
	return there;
}

/*
 * Files of targets may come later, so one that is not there is no error; but
 * it may be a wrong name, of which no round would say a word.
 */
static void
look_for_targets(const struct conf_node *n, struct counts *c)
{
	struct error e;

	if (n->value.n == 0 || memchr(n->value.p, '*', n->value.n) != NULL)
		return;
	if (is_there(n, &e) || errno != ENOENT)
		return;
	(void)conf_error(n, &e, "%.*s does not exist (yet)", STR_ARG(n->value));
	tool_warn("%s", e.msg);
	c->warnings++;
}

/* What follows may be called as it likes, and names no files. */
static bool
is_free(str key)
{
	static const char *const keys[] = { "static_configs", "relabel_configs",
		"metric_relabel_configs", "params", "scrape_failure_log_file" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (str_eq(key, str_of(keys[i])))
			return true;
	return false;
}

/*
 * Secrets and certificates are read by each request, so that a round would be
 * the first to miss one.  Their keys end in _file; headers have files.
 */
static void
look_for_files(
    const struct conf_node *n, str in, bool targets, struct counts *c)
{
	struct error e, at;

	if (is_free(n->key))
		return;
	in = n->key.n > 0 ? n->key : in;
	targets = targets || str_eq(n->key, STR("file_sd_configs"));
	for (size_t i = 0; i < n->n; i++)
		look_for_files(n->v[i], in, targets, c);
	if (n->kind != CONF_SCALAR || n->value.n == 0)
		return;
	if (targets && str_eq(in, STR("files"))) {
		look_for_targets(n, c);
	} else if (str_ends(in, STR("_file")) || str_eq(in, STR("files"))) {
		if (is_there(n, &e))
			return;
		(void)conf_error(n, &at, "%.*s: %s", STR_ARG(in), e.msg);
		tool_warn("%s", at.msg);
		c->faults++;
	}
}

/*
 * Count what jobs find.  Discoveries that ask nobody are stepped once, which
 * is all that static ones and files need; of the others the static ones are
 * known without.
 */
static void
find(const struct scrape_plan *p, const struct scrape_options *o,
    const struct scrape_config *jobs, bool step, struct counts *c)
{
	struct fetch *fetch = scrape_plan_fetch(o);
	struct scrape_set *set;
	struct scrape_sd *sd;
	struct error e;

	sd = scrape_sd_new(jobs, fetch, tool_clock(), o->dns_server, &e);
	if (sd == NULL)
		tool_die(TOOL_USAGE, "%s", e.msg);
	if (step)
		(void)scrape_sd_step(sd);
	while (scrape_sd_error(sd, &e)) {
		tool_warn("%s", e.msg);
		c->faults++;
	}
	set = scrape_targets(jobs, sd, &p->spread);
	for (size_t i = 0; i < set->nwarnings; i++)
		tool_warn("%.*s", STR_ARG(set->warnings[i]));
	c->faults += set->nwarnings;
	c->targets += set->n;
	c->dropped += set->ndropped_all - set->nwarnings;
	scrape_free(set);
	scrape_sd_free(sd);
	fetch_free(fetch);
}

static void
count(const struct scrape_plan *p, const struct scrape_options *o,
    struct counts *c)
{
	size_t n = p->jobs->njobs;
	struct scrape_config local = { 0 }, remote = { 0 };

	local.jobs = mem_zero(n + 1, sizeof(*local.jobs));
	remote.jobs = mem_zero(n + 1, sizeof(*remote.jobs));
	for (size_t i = 0; i < n; i++) {
		struct scrape_config *to =
		    asks_network(p->jobs->jobs[i]) ? &remote : &local;

		to->jobs[to->njobs++] = p->jobs->jobs[i];
	}
	c->asking = remote.njobs;
	find(p, o, &local, true, c);
	find(p, o, &remote, false, c);
	free(local.jobs);
	free(remote.jobs);
}

static void
tell(const struct scrape_plan *p, const struct scrape_options *o,
    const struct counts *c)
{
	size_t warnings = c->warnings + p->conf->nwarnings + p->jobs->nwarnings;

	(void)printf("%s: %s, %zu job%s, %zu target%s", o->config,
	    c->faults == 0 ? "ok" : "FAILED", p->jobs->njobs,
	    p->jobs->njobs == 1 ? "" : "s", c->targets,
	    c->targets == 1 ? "" : "s");
	if (c->asking > 0)
		(void)printf(" and those that %zu job%s over the network",
		    c->asking, c->asking == 1 ? " finds" : "s find");
	if (c->dropped > 0)
		(void)printf(", %zu dropped", c->dropped);
	if (warnings > 0)
		(void)printf(
		    ", %zu warning%s", warnings, warnings == 1 ? "" : "s");
	if (c->faults > 0)
		(void)printf(
		    ", %zu error%s", c->faults, c->faults == 1 ? "" : "s");
	(void)putchar('\n');
}

int
scrape_check(const struct scrape_options *o)
{
	struct counts c = { 0 };
	struct scrape_plan p;
	struct error e;

	if (o->config == NULL)
		tool_die(TOOL_USAGE, "check: give one configuration");
	if (scrape_plan_load(&p, o, &e) == -1)
		tool_die(TOOL_USAGE, "%s", e.msg);
	scrape_plan_warn(&p);
	for (size_t i = 0; i < p.jobs->njobs; i++)
		look_for_files(p.jobs->jobs[i]->node, STR_NONE, false, &c);
	count(&p, o, &c);
	if (tool_verbose >= 0)
		tell(&p, o, &c);
	scrape_plan_free(&p);
	return c.faults > 0 ? TOOL_FAILED : TOOL_OK;
}
