/*
 * What the options name, loaded: for the loop and for the subcommands.
 */
#include <sys/stat.h>

#include <poll.h>
#include <unistd.h>

#include "scrape_cmd.h"

#define FDS 64 /* of discoveries, polled at a time */

static int
load_operands(
    struct scrape_plan *p, const struct scrape_options *o, struct error *e)
{
	p->set = scrape_new();
	for (size_t i = 0; i < o->noperands; i++)
		if (scrape_add(p->set, str_of(o->operands[i]),
			o->every ? o->every : 60000, e) == -1)
			return -1;
	return 0;
}

static int
load_config(
    struct scrape_plan *p, const struct scrape_options *o, struct error *e)
{
	char host[256] = "";
	struct stat st;

	if (stat(o->config, &st) == 0 && S_ISDIR(st.st_mode))
		p->conf = promconf_load_dir(o->config, tool_conf_opts(), e);
	else
		p->conf = promconf_load(o->config, tool_conf_opts(), e);
	if (p->conf == NULL)
		return -1;
	p->jobs = scrape_load(p->conf, e);
	if (p->jobs == NULL)
		return -1;
	(void)gethostname(host, sizeof(host) - 1);
	p->spread.seed = scrape_seed(str_of(host), p->conf->external_labels);
	for (size_t i = 0; o->keep_known && i < p->jobs->njobs; i++)
		p->jobs->jobs[i]->keep_known = true;
	return 0;
}

int
scrape_plan_load(
    struct scrape_plan *p, const struct scrape_options *o, struct error *e)
{
	int rc;

	*p = (struct scrape_plan){ .spread = { .interval = o->every,
				       .shard = o->shard,
				       .shards = o->shards } };
	rc = o->config == NULL ? load_operands(p, o, e) : load_config(p, o, e);
	if (rc == -1)
		scrape_plan_free(p);
	return rc;
}

void
scrape_plan_free(struct scrape_plan *p)
{
	scrape_free(p->set);
	scrape_config_free(p->jobs);
	promconf_free(p->conf);
	*p = (struct scrape_plan){ 0 };
}

void
scrape_plan_warn(const struct scrape_plan *p)
{
	for (size_t i = 0; p->conf != NULL && i < p->conf->nwarnings; i++)
		tool_warn("%.*s", STR_ARG(p->conf->warnings[i]));
	for (size_t i = 0; p->jobs != NULL && i < p->jobs->nwarnings; i++)
		tool_warn("%.*s", STR_ARG(p->jobs->warnings[i]));
}

struct fetch *
scrape_plan_fetch(const struct scrape_options *o)
{
	return fetch_new(
	    tool_clock(), "mf-scrape/" VERSION, o->connect.v, o->connect.n);
}

int64_t
scrape_plan_patience(const struct scrape_plan *p)
{
	int64_t most = 0;

	for (size_t i = 0; p->jobs != NULL && i < p->jobs->njobs; i++)
		if (p->jobs->jobs[i]->timeout > most)
			most = p->jobs->jobs[i]->timeout;
	return most;
}

static void
wait_for(struct scrape_sd *sd, struct fetch *fetch, int64_t max)
{
	struct pollfd p[FDS];
	int64_t ms = scrape_sd_step(sd);
	size_t n = scrape_sd_fds(sd, p, FDS);
	struct error e;

	if (scrape_sd_ready(sd))
		return;
	if (scrape_sd_changed(sd)) /* or it would be told again and again */
		return;
	ms = ms < 0 || ms > max ? max : ms;
	if (fetch_step(fetch, p, n, ms > 1000 ? 1000 : (int)ms, &e) == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
}

/* Until all discoveries have answered, or as long as we wait for any. */
static void
wait_for_all(
    const struct scrape_plan *p, struct scrape_sd *sd, struct fetch *fetch)
{
	const struct clock *c = tool_clock();
	int64_t patience = scrape_plan_patience(p);
	int64_t end = c->mono(c->arg) / 1000000 + patience, left = patience;

	do {
		wait_for(sd, fetch, left);
		left = end - c->mono(c->arg) / 1000000;
		if (left <= 0)
			scrape_sd_expire(sd, patience);
	} while (!scrape_sd_ready(sd));
}

struct scrape_set *
scrape_plan_find(const struct scrape_plan *p, const struct scrape_options *o,
    void (*fault)(void *arg, str job, str what), void *arg)
{
	struct fetch *fetch = scrape_plan_fetch(o);
	struct scrape_set *set;
	struct scrape_sd *sd;
	struct error e;
	str job, what;

	sd = scrape_sd_new(p->jobs, fetch, tool_clock(), o->dns_server, &e);
	if (sd == NULL)
		tool_die(TOOL_USAGE, "%s", e.msg);
	wait_for_all(p, sd, fetch);
	for (size_t i = 0; scrape_sd_fault(sd, i, &job, &what); i++)
		fault(arg, job, what);
	set = scrape_targets(p->jobs, sd, &p->spread);
	scrape_sd_free(sd);
	fetch_free(fetch);
	return set;
}
