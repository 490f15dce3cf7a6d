/*
 * mf-scrape targets: what is scraped and why, how often, and how it went last.
 * With a configuration its discoveries are asked once, and the state file only
 * adds how it went; without one the state file is all there is.
 */
#include <sys/ioctl.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "scrape_rows.h"

/* Cells of the terminal; 0, "do not fold", if it is none. */
static size_t
columns(void)
{
	const char *env = getenv("COLUMNS"), *bad = NULL;
	struct winsize w;
	long long n;

	if (isatty(STDOUT_FILENO) &&
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
		return w.ws_col;
	if (env != NULL) {
		n = strtonum(env, 20, 10000, &bad);
		if (bad == NULL)
			return (size_t)n;
	}
	return isatty(STDOUT_FILENO) ? 80 : 0;
}

/* False: it is not whole. */
static bool
read_state(struct scrape_rows *r, const struct scrape_options *o)
{
	const char *path = tool_path(tool_dir(o->dir), "scrape", "targets");
	bool alone = o->config == NULL && o->noperands == 0;
	struct buf text = { 0 };
	struct error e;
	bool whole;

	if (file_read(path, &text, &e) == -1) {
		if (errno != ENOENT)
			tool_die(TOOL_FAILED, "%s", e.msg);
		if (alone)
			tool_die(TOOL_FAILED,
			    "%s: no mf-scrape has written it; -c FILE says "
			    "what would be scraped",
			    path);
	}
	whole = scrape_rows_state(r, path, buf_str(&text));
	buf_fini(&text);
	return whole;
}

/* Each job's targets, then what it has dropped. */
static void
explain(const struct scrape_plan *p, const struct scrape_set *set)
{
	struct buf b = { 0 };
	size_t told = 0;

	for (size_t j = 0; j < p->jobs->njobs; j++) {
		const struct scrape_job *job = p->jobs->jobs[j];

		for (size_t i = 0; i < set->n; i++)
			if (set->v[i]->job == job) {
				buf_z(&b, told++ > 0 ? "\n" : "");
				scrape_explain(&b, job, set->v[i]->discovered,
				    set->v[i]->local);
			}
		for (size_t i = 0; i < set->ndropped; i++)
			if (set->dropped[i].job == job) {
				buf_z(&b, told++ > 0 ? "\n" : "");
				scrape_explain(&b, job,
				    set->dropped[i].discovered,
				    set->dropped[i].local);
			}
	}
	tool_print(&b);
}

static void
print(const struct scrape_rows *r, const struct scrape_options *o)
{
	struct buf b = { 0 };

	if (o->form == SCRAPE_JSON)
		scrape_rows_json(r, &b);
	else
		scrape_rows_table(
		    r, &b, tool_now(), columns(), tool_verbose < 0);
	tool_print(&b);
}

/* What there is to warn of in a set. */
static void
warn(const struct scrape_set *set)
{
	for (size_t i = 0; i < set->nwarnings; i++)
		tool_warn("%.*s", STR_ARG(set->warnings[i]));
	if (set->ndropped_all > set->ndropped)
		tool_warn("%zu more targets are dropped and not kept "
			  "(keep_dropped_targets)",
		    set->ndropped_all - set->ndropped);
}

/* A discovery that fails: told, and a row. */
static void
fault(void *arg, str job, str what)
{
	struct scrape_rows *r = arg;
	struct scrape_row *row = scrape_rows_add(r);

	row->kind = SCRAPE_ROW_DISCOVERY;
	row->pool = arena_dup(&r->a, job);
	row->error = arena_dup(&r->a, what);
	tool_warn("%.*s: %.*s", STR_ARG(job), STR_ARG(what));
}

/* What a configuration or operands name; false: a discovery failed. */
static bool
show_plan(const struct scrape_options *o, const struct scrape_rows *state)
{
	struct scrape_rows rows = { 0 }, faults = { 0 };
	struct scrape_plan p = { 0 };
	struct scrape_set *set;
	struct error e;
	bool ok;

	if (scrape_plan_load(&p, o, &e) == -1)
		tool_die(TOOL_USAGE, "%s", e.msg);
	scrape_plan_warn(&p);
	set = p.jobs != NULL ? scrape_plan_find(&p, o, fault, &faults) : p.set;
	warn(set);
	if (o->explain && p.jobs != NULL) {
		explain(&p, set);
	} else {
		scrape_rows_set(&rows, set, state);
		for (size_t i = 0; i < faults.n; i++)
			*scrape_rows_add(&rows) = faults.v[i];
		print(&rows, o);
	}
	ok = faults.n == 0;
	if (set != p.set)
		scrape_free(set);
	scrape_plan_free(&p);
	scrape_rows_fini(&rows);
	scrape_rows_fini(&faults);
	return ok;
}

int
scrape_show(const struct scrape_options *o)
{
	struct scrape_rows state = { 0 };
	bool ok = true;

	if (o->explain && o->config == NULL)
		tool_die(TOOL_USAGE, "--explain goes with -c FILE");
	if (o->explain && o->form == SCRAPE_JSON)
		tool_die(TOOL_USAGE, "--explain is text for people, not json");
	if (!o->explain)
		ok = read_state(&state, o);
	if (o->config != NULL || o->noperands > 0)
		ok = show_plan(o, &state) && ok;
	else
		print(&state, o);
	scrape_rows_fini(&state);
	return ok ? TOOL_OK : TOOL_FAILED;
}
