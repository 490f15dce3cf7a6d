/*
 * Scraping without a network or a clock: which targets a configuration names,
 * what to ask each of them, and what one answer becomes as a batch of text.
 *
 *	struct scrape_config *c = scrape_load(conf, &e);
 *	struct scrape_sd *sd = scrape_sd_new(c, fetch, clock, NULL, &e);
 *	scrape_sd_step(sd), until scrape_sd_changed(sd), then
 *	struct scrape_set *set = scrape_targets(c, sd, &spread);
 *	struct scrape_memory *m = scrape_memory_new();
 *	for each set->v[i], when due, with the answer to its url:
 *		scrape_round(m, set->v[i], &answer, now, false, &text, &r);
 *
 * A config is the jobs of a promconf, and borrows from it.  A set is the
 * targets they have at one moment: it never changes, the next one is made
 * anew; it borrows from the config alone.  A memory knows what each target
 * showed last (by its labels, so it outlives a set); it can be written down as
 * a log of mf text and read back, so that a series which ends is told even by a
 * process that never saw it.
 */
#ifndef SCRAPE_SCRAPE_H
#define SCRAPE_SCRAPE_H

#include <poll.h>

#include "metric/label.h"
#include "metric/relabel.h"
#include "net/auth.h"
#include "net/fetch.h"
#include "wire/promconf.h"

/* One scrape_config, with what it inherits from global. */
struct scrape_job {
	str name;
	str metrics_path, scheme;
	int64_t interval, timeout; /* ms */
	bool honor_labels, honor_timestamps, track_timestamps_staleness;
	bool enable_compression, extra_metrics, legacy_names;
	bool native_histograms, convert_to_nhcb, always_classic;
	bool operand;    /* named on the command line, not by a file */
	bool keep_known; /* past sample_limit drop new series, not the round */
	int64_t body_size_limit, sample_limit, target_limit; /* 0: none */
	int64_t label_limit, label_name_limit, label_value_limit;
	int64_t keep_dropped_targets;
	int64_t histogram_bucket_limit; /* native_histogram_bucket_limit */
	double histogram_min_factor;    /* native_histogram_min_bucket_factor */
	str fallback_protocol; /* "" or a name such as PrometheusText0.0.4 */
	str accept;            /* the header */
	str failure_log_file;  /* "" or a path, made to that of the file */
	struct relabels relabel, metric_relabel;
	const struct conf_node *params;
	const struct conf_node *node; /* the scrape_config; NULL: operands */
	struct auth auth;
};

struct scrape_target {
	struct labels labels;     /* what its samples carry */
	struct labels all;        /* those beginning with "__" too */
	struct labels discovered; /* before relabelling */
	str text;                 /* labels printed: its identity */
	const struct scrape_job *job;
	str url; /* http:, https:, unix:SOCKET:/PATH, file:, exec: */
	int64_t interval, timeout; /* ms */
	int64_t offset;            /* due at every k * interval + offset */
	bool native_histograms, convert_to_nhcb, always_classic, keep_known;
	bool local; /* of a group that is (sd.h) */
	str error;  /* not empty: every round fails with it (target_limit) */
};

/* A target that is not scraped: error is empty if relabelling dropped it. */
struct scrape_dropped {
	struct labels discovered;
	const struct scrape_job *job;
	bool local;
	str error;
};

struct scrape_set {
	struct scrape_target **v;
	size_t n;
	struct scrape_dropped *dropped; /* as many as keep_dropped_targets */
	size_t ndropped;
	size_t ndropped_all; /* how many there were, without other shards' */
	str *warnings;       /* "..." */
	size_t nwarnings;
};

struct scrape_config {
	struct scrape_job **jobs;
	size_t njobs;
	str *warnings; /* "file:line:col: ..." */
	size_t nwarnings;
};

/*
 * The jobs of a configuration.  NULL and "file:line:col: ..." for what is
 * wrong, or is right but not done by mf.  p must outlive it.
 */
struct scrape_config *scrape_load(struct promconf *p, struct error *e);
void scrape_config_free(struct scrape_config *c);

/*
 * The discoveries of all jobs (sd.h).  dns_server is HOST:PORT or NULL for
 * those of resolv.conf.  fetch and clock are borrowed.
 */
struct scrape_sd;

struct scrape_sd *scrape_sd_new(const struct scrape_config *c,
    struct fetch *fetch, const struct clock *clock, const char *dns_server,
    struct error *e);
void scrape_sd_free(struct scrape_sd *sd);

/*
 * A reload: what old knows goes over to those discoveries of sd, which is new,
 * that are configured as they were.  Of old nothing is asked any more; free
 * it.  It may be NULL.
 */
void scrape_sd_inherit(struct scrape_sd *sd, struct scrape_sd *old);

/*
 * Do what is due; requests to HTTP go on inside fetch_step().  Returns the ms
 * after which to call again, -1: nothing is ever due (static alone).
 */
int64_t scrape_sd_step(struct scrape_sd *sd);

/* Descriptors to poll (events set), at most max; when ready: step. */
size_t scrape_sd_fds(const struct scrape_sd *sd, struct pollfd *p, size_t max);

/*
 * Is there news to make a set from?  What is known without waiting is told at
 * once, what a discovery says first 100 ms after it came, and later news are
 * batched: 5 s after the last were told.  Clears it.
 */
bool scrape_sd_changed(struct scrape_sd *sd);

/* Has every discovery answered, well or not, at least once (for -1)? */
bool scrape_sd_ready(const struct scrape_sd *sd);

/*
 * Wait no longer for those that have not: they fail with "no answer within"
 * that many ms, until they have one.
 */
void scrape_sd_expire(struct scrape_sd *sd, int64_t ms);

/*
 * The next error of a discovery that has not been told yet, or false:
 * "job: file:line:col: what".  Say it once.
 */
bool scrape_sd_error(struct scrape_sd *sd, struct error *e);

/*
 * The i-th fault there is now, told or not, and whose; false past the last
 * one.  Valid until the next step.
 */
bool scrape_sd_fault(const struct scrape_sd *sd, size_t i, str *job, str *what);

/* How the targets are spread over time and over processes. */
struct scrape_spread {
	uint64_t seed;          /* of the offsets; see scrape_seed() */
	uint32_t shard, shards; /* --shard I/N: keep those of shard; 0: all */
	int64_t interval;       /* -i: for all targets, or 0 */
};

/* Upstream's seed: of the host's full name and the external labels. */
uint64_t scrape_seed(str host, struct labels external);

/* The targets that sd knows now; never fails: what is wrong is dropped. */
struct scrape_set *scrape_targets(const struct scrape_config *c,
    const struct scrape_sd *sd, const struct scrape_spread *s);

/*
 * How one discovered label set (a target's or a dropped one's) becomes a
 * target, told in lines as "mf-scrape targets --explain" prints them: into b.
 */
void scrape_explain(struct buf *b, const struct scrape_job *j,
    struct labels discovered, bool local);

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

/* The first time at or after from (ms) at which a target is due. */
int64_t scrape_due(const struct scrape_target *t, int64_t from);

/* What came back. */
struct scrape_answer {
	const char *error; /* why nothing came, or NULL */
	bool too_large;    /* it is that body_size_limit was reached */
	int status;
	str content_type, body;
	int64_t took; /* ns */
};

/* What became of it. */
struct scrape_result {
	bool up;
	char error[ERROR_MAX]; /* empty if up */
	bool keep;             /* series over sample_limit were left out */
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
