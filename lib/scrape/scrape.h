/*
 * Scraping without a network or a clock: which targets a configuration names,
 * what to ask each of them, and what one answer becomes as a batch of text.
 *
 *	struct scrape_set *set = scrape_load(conf, seed, &e);
 *	struct scrape_memory *m = scrape_memory_new();
 *	for each set->v[i], when due, with the answer to its url:
 *		scrape_round(m, set->v[i], &answer, now, false, &text, &r);
 *
 * A set is a configuration's targets; it borrows from the promconf.  A memory
 * knows what each target showed last (by its labels, so it outlives a set);
 * it can be written down as a log of mf text and read back, so that a series
 * which ends is told even by a process that never saw it.
 */
#ifndef SCRAPE_SCRAPE_H
#define SCRAPE_SCRAPE_H

#include "metric/label.h"
#include "net/auth.h"
#include "wire/promconf.h"

/* One scrape_config, with what it inherits from global. */
struct scrape_job {
	str name;
	str metrics_path, scheme;
	int64_t interval, timeout; /* ms */
	bool honor_labels, honor_timestamps, track_timestamps_staleness;
	bool enable_compression, extra_metrics, legacy_names;
	bool operand; /* named on the command line, not by a file */
	int64_t body_size_limit, sample_limit, target_limit; /* 0: none */
	int64_t label_limit, label_name_limit, label_value_limit;
	str fallback_protocol; /* "" or a name such as PrometheusText0.0.4 */
	str accept;            /* the header */
	const struct conf_node *params;
	struct auth auth;
	size_t ntargets;
};

struct scrape_target {
	struct labels labels; /* what its samples carry */
	struct labels all;    /* those beginning with "__" too */
	str text;             /* labels printed: its identity */
	const struct scrape_job *job;
	str url; /* http:, https:, unix:SOCKET:/PATH, file:, exec: */
	int64_t interval, timeout; /* ms */
	int64_t offset;            /* due at every k * interval + offset */
};

struct scrape_set {
	struct scrape_target **v;
	size_t n;
	str *warnings; /* "file:line:col: ..." */
	size_t nwarnings;
};

/*
 * The targets of a configuration.  NULL and "file:line:col: ..." for what is
 * wrong, or is right but not done by mf yet.  seed spreads machines that
 * scrape the same targets.  p must outlive the set.
 */
struct scrape_set *scrape_load(
    struct promconf *p, uint64_t seed, struct error *e);

/* A set of operands alone: it owns what scrape_add() puts into it. */
struct scrape_set *scrape_new(void);
void scrape_free(struct scrape_set *s);

/*
 * Add an operand: an http or https URL, HOST:PORT, unix:SOCKET[:/PATH],
 * file:PATH or exec:COMMAND, with job="mf-scrape".  An URL without a path means
 * /metrics.
 */
int scrape_add(
    struct scrape_set *s, str operand, int64_t interval, struct error *e);

/* Make every target of the set due each interval ms (-i). */
void scrape_set_interval(struct scrape_set *s, int64_t interval);

/* The first time at or after from (ms) at which a target is due. */
int64_t scrape_due(const struct scrape_target *t, int64_t from);

/* What came back. */
struct scrape_answer {
	const char *error; /* why nothing came, or NULL */
	int status;
	str content_type, body;
	int64_t took; /* ns */
};

/* What became of it. */
struct scrape_result {
	bool up;
	char error[ERROR_MAX]; /* empty if up */
	size_t scraped, kept, added, stale;
};

struct scrape_memory;

struct scrape_memory *scrape_memory_new(void);
void scrape_memory_free(struct scrape_memory *m);

/*
 * The texts of a round.  before is to be appended to the log before out is
 * printed, after behind it: killed in between, a series is remembered that
 * nobody saw, or told as ended twice, and never forgotten.
 */
struct scrape_text {
	struct buf out, before, after;
};

/*
 * One round of one target: the batch is added to x->out.  Metadata is in it if
 * it is this memory's first batch of the target, or has changed, or meta is
 * set.
 */
void scrape_round(struct scrape_memory *m, const struct scrape_target *t,
    const struct scrape_answer *a, int64_t now, bool meta,
    struct scrape_text *x, struct scrape_result *r);

/*
 * Targets the memory knows and the set does not have (operands are left
 * alone): a batch that ends all their series is added to x->out, and they are
 * forgotten.  Returns how many there were.
 */
size_t scrape_gone(struct scrape_memory *m, const struct scrape_set *s,
    int64_t now, struct scrape_text *x);

/* The jobs have changed: what they made of pages is made anew. */
void scrape_reload(struct scrape_memory *m);

/*
 * Read a log; a batch it ends in the middle of is passed over.  Returns the
 * bytes up to the last whole batch: what may be appended to.
 */
size_t scrape_memory_load(struct scrape_memory *m, str log);

/* The shortest log that says the same. */
void scrape_memory_save(struct scrape_memory *m, struct buf *log);

#endif
