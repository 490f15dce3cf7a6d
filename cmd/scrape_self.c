/*
 * --self: the process as one of its targets.  What it tells is a page like any
 * other, and goes the way of every page, so its rounds have up, metadata and
 * staleness too.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/process.h"
#include "scrape_flow.h"

#define EVERY INT64_C(60000) /* ms, without -i */

/* A slot, with all that a set and a configuration keep for another. */
struct own {
	struct slot slot; /* first: it is freed as one */
	struct scrape_target t;
	struct scrape_set *like; /* of one operand, for its job */
	struct arena a;
};

/* The path from the root of what there is; else as it was given. */
static str
whole_path(struct arena *a, const char *path)
{
	char *z = realpath(path, NULL);
	str s = arena_dup(a, str_of(z != NULL ? z : path));

	free(z);
	return s;
}

/*
 * Two of us on one machine are two instances, and the same ones after a
 * restart: they differ in their state, which has one owner, or in the
 * configuration where none is kept; and in the shard.
 */
static void
put_labels(struct own *w, const struct flow *f)
{
	const struct scrape_options *o = f->o;
	struct label_set ls = { 0 };
	char host[256] = "";

	(void)gethostname(host, sizeof(host) - 1);
	if (f->state.dir != NULL)
		label_set(&ls, STR("dir"), whole_path(&w->a, f->state.dir));
	else if (o->config != NULL)
		label_set(&ls, STR("config"), whole_path(&w->a, o->config));
	label_set(&ls, STR("instance"), str_of(host));
	label_set(&ls, STR("job"), STR("mf-scrape"));
	if (o->shards > 0)
		label_set(&ls, STR("shard"),
		    arena_printf(&w->a, "%u", (unsigned)o->shard));
	w->t.labels = label_done(&ls, &w->a);
	label_fini(&ls);
}

struct slot *
slot_self(struct flow *f)
{
	struct buf b = { 0 };
	struct own *w;
	struct error e;

	if (!f->o->self)
		return NULL;
	w = mem_zero(1, sizeof(*w));
	w->like = scrape_new();
	if (scrape_add(w->like, STR("file:self"),
		f->o->every > 0 ? f->o->every : EVERY, &e) == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
	w->t = *w->like->v[0];
	w->t.url = STR("self");
	put_labels(w, f);
	label_print_set(&b, w->t.labels);
	w->t.text = arena_dup(&w->a, buf_str(&b));
	buf_fini(&b);
	w->slot.f = f;
	w->slot.t = &w->t;
	return &w->slot;
}

void
slot_self_free(struct slot *s)
{
	struct own *w = (struct own *)s;

	if (w == NULL)
		return;
	scrape_free(w->like);
	arena_fini(&w->a);
	slot_free(s);
}

/* A family with one sample; the name of a counter ends in _total. */
static void
put(struct buf *b, const char *name, const char *help, double v)
{
	str n = str_of(name);

	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n%s ", name, help, name,
	    str_ends(n, STR("_total")) ? "counter" : "gauge", name);
	num_print(b, v);
	buf_byte(b, '\n');
}

static void
put_process(struct buf *b)
{
	struct process_metric v[PROCESS_METRICS];
	size_t n = process_read(v);

	for (size_t i = 0; i < n; i++)
		put(b, v[i].name, v[i].help, v[i].value);
}

static void
put_targets(const struct flow *f, struct buf *b)
{
	size_t up = 0, down = 0, unknown = 0, leaving = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct slot *s = f->v[i];

		leaving += s->gone;
		unknown += !s->gone && s->status.at == 0;
		down += !s->gone && s->status.at != 0 && s->was_down;
		up += !s->gone && s->status.at != 0 && !s->was_down;
	}
	buf_printf(b,
	    "# HELP mf_scrape_targets Targets by the state of their last "
	    "round.\n"
	    "# TYPE mf_scrape_targets gauge\n"
	    "mf_scrape_targets{state=\"up\"} %zu\n"
	    "mf_scrape_targets{state=\"down\"} %zu\n"
	    "mf_scrape_targets{state=\"unknown\"} %zu\n"
	    "mf_scrape_targets{state=\"leaving\"} %zu\n"
	    "mf_scrape_targets{state=\"dropped\"} %zu\n",
	    up, down, unknown, leaving, f->set->set->ndropped_all);
}

void
flow_page(const struct flow *f, struct buf *b)
{
	const struct flow_counts *n = &f->sum;
	size_t failing = 0;
	str job, what;

	put_process(b);
	put_targets(f, b);
	put(b, "mf_scrape_requests", "Requests and commands under way.",
	    (double)f->under_way);
	put(b, "mf_scrape_rounds_total", "Rounds done.", (double)n->rounds);
	put(b, "mf_scrape_rounds_failed_total", "Rounds that were not up.",
	    (double)n->failed);
	put(b, "mf_scrape_rounds_skipped_total",
	    "Rounds left out: the one before was under way, or the reader of "
	    "the output too slow.",
	    (double)n->skipped);
	put(b, "mf_scrape_samples_total", "Samples of pages printed.",
	    (double)n->samples);
	put(b, "mf_scrape_series_ended_total",
	    "Series that ended while their target went on.", (double)n->stale);
	put(b, "mf_scrape_fetched_bytes_total", "Bytes of pages, decoded.",
	    (double)n->fetched);
	put(b, "mf_scrape_printed_bytes_total", "Bytes of output.",
	    (double)n->printed);
	put(b, "mf_scrape_waiting_bytes",
	    "Bytes of output that its reader has not taken yet.",
	    (double)scrape_out_waiting(&f->out));
	put(b, "mf_scrape_targets_gone_total",
	    "Targets that left the configuration, and whose series were ended.",
	    (double)n->gone);
	put(b, "mf_scrape_target_updates_total",
	    "Sets of targets made from news of a discovery or a reload.",
	    (double)n->updates);
	while (f->sd != NULL && scrape_sd_fault(f->sd, failing, &job, &what))
		failing++;
	put(b, "mf_scrape_discoveries_failing",
	    "Discoveries that go on with their last good answer, or none.",
	    (double)failing);
	put(b, "mf_scrape_discovery_failures_total", "Discoveries that failed.",
	    (double)n->sd_failures);
	put(b, "mf_scrape_config_reloads_total", "Reloads that succeeded.",
	    (double)n->reloads);
	put(b, "mf_scrape_config_reload_failures_total",
	    "Reloads of a configuration that was wrong.",
	    (double)n->bad_reloads);
	put(b, "mf_scrape_config_last_reload_successful",
	    "Whether the last reload succeeded.", n->reload_ok);
	put(b, "mf_scrape_config_last_reload_success_timestamp_seconds",
	    "When the configuration in force was loaded.",
	    (double)n->reloaded / 1e3);
}
