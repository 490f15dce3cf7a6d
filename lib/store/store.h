/*
 * The store: a directory of days that short processes share without a server
 * (DESIGN 5; the bytes are described in store/format.h).  Any number of
 * writers, each locked only while it commits; readers take no lock and see a
 * batch whole or not at all.  kill -9 at any instruction loses nothing that
 * store_append() has returned from.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "metric/batch.h"
#include "metric/source.h"

struct store;

/* Times below this look like seconds: 1973 in ms, 5138 in s. */
#define STORE_T_SECONDS INT64_C(100000000000)

enum store_mode {
	STORE_READ,  /* the directory must be a store */
	STORE_WRITE, /* made if missing or empty; other directories refused */
};

/* path is the store's own directory: DIR/store. */
struct store *store_open(
    const char *path, enum store_mode mode, struct error *e);
void store_close(struct store *s);

/*
 * What is damaged is left out of what is read: the next file of which that is
 * so and that was not yet told, or NULL.  The name is good as long as the store
 * is open.
 */
const char *store_damaged(struct store *s);

/*
 * What a store does not take.  Bit i of set says that v[i] holds, ms or a
 * number; STORE_UNLIMITED lifts what the store has.  Limits of series and
 * labels are for series that are new to their day.
 */
enum store_limit {
	STORE_LIMIT_WINDOW, /* behind the newest sample of the store */
	STORE_LIMIT_AGE,    /* before now */
	STORE_LIMIT_FUTURE, /* after now */
	STORE_LIMIT_SERIES, /* of a day */
	STORE_LIMIT_LABELS, /* of a series, the name not counted */
	STORE_LIMIT_LENGTH, /* bytes of a label's name, or of its value */
};
#define STORE_LIMITS 6
#define STORE_UNLIMITED INT64_MAX
struct store_limits {
	unsigned set;
	int64_t v[STORE_LIMITS];
};

/* "ooo-window" and so on, as in the file; and is it a time? */
const char *store_limit_name(enum store_limit i);
bool store_limit_is_time(enum store_limit i);

/* Set limit i from text: a duration or a number, or "none". */
int store_limits_parse(
    struct store_limits *l, enum store_limit i, str text, struct error *e);

/* What the store keeps for all who write to it; saving adds to that. */
int store_limits_load(struct store *s, struct store_limits *l, struct error *e);
int store_limits_save(
    struct store *s, const struct store_limits *add, struct error *e);
void store_limits_print(struct buf *b, const struct store_limits *l);

struct store_opts {
	bool sync;     /* fsync before store_append() returns */
	bool any_time; /* take times that look like seconds */
	bool replace;  /* same time and other value: the new one wins */
	int64_t now;   /* ms; 0: nothing is too old or too new */
	struct store_limits limits; /* beside or instead of the store's */
};

/* What came of a batch: added up over calls. */
struct store_counts {
	size_t samples, stale, duplicates, conflicts;
	size_t refused;            /* these three, and what cannot be kept */
	size_t late, aged, beyond; /* window; age, future; series, labels */
};

/*
 * Commit a batch as a whole (per UTC day).  Samples, STALE lines (also "*"),
 * HIST, EXEMPLAR, START and metadata are kept; ALERT and STRING passed over.
 * Samples without a name, with times before 10^11, or beyond a limit are
 * refused and counted; the first one is told in why, LINE:1: first (may be
 * NULL; msg[0] must be 0 at first), and the rest is committed.  The same time
 * and bits again is a duplicate and nothing; the same time with other bits is a
 * conflict, and the first wins (unless replace).  0, or -1 and nothing of the
 * day that failed, and of those after it, is to be seen.
 */
int store_append(struct store *s, const struct batch *b,
    const struct store_opts *o, struct store_counts *n, struct error *why,
    struct error *e);

/*
 * The short way for a process that has just begun, and a batch that is still
 * text, "# BATCH" to "# EOF": *text may be any piece of it, and moves past what
 * is done with; what is left must come again in front of the next piece.
 * 1: it was just like its source's batch before but for the values, and is
 * stored; *lines is how many there were.
 * 2: so far it is; there must be more.
 * 0: it must go through store_append(): what back gets now, if anything, which
 * has a line for each that was passed over, then the rest.
 * -1: an error.
 * It is tried for the first batch of each source.  While one is not complete,
 * nothing else may be appended; store_text_back() gives it up.
 */
int store_text_take(struct store *s, str *text, const struct store_opts *o,
    struct store_counts *n, size_t *lines, struct buf *back, struct error *e);
int store_text_back(struct store *s, struct buf *back, struct error *e);

/*
 * A source over the store, valid as long as it is open; each source_open() sees
 * what is committed by then, and those between source_hold() what was when the
 * first of them looked at the day.
 */
struct source store_source(struct store *s);

/*
 * The batches of a range (ms, both inclusive) in time order, with the samples
 * of series that match, in the order they came; each is printed as mf text and
 * given to out, which stops the walk with -1.  nm 0: every series.  Metadata
 * stands before the first sample of its metric and job.
 */
int store_select(struct store *s, const struct match *m, size_t nm,
    int64_t from, int64_t to, int (*out)(void *arg, str text), void *arg,
    struct error *e);

/*
 * The same by series, in label order: one batch with the label expr, at the
 * time to.
 */
struct store_range {
	const struct match *m;
	size_t nm;
	int64_t from, to;
	str expr;
};
int store_select_series(struct store *s, const struct store_range *r,
    int (*out)(void *arg, str text), void *arg, struct error *e);

/*
 * The metadata that is kept, a batch at the time t for each job, metrics in
 * order.  Matchers see the metric as the name, and the job.
 */
int store_metadata(struct store *s, const struct match *m, size_t nm, int64_t t,
    int (*out)(void *arg, str text), void *arg, struct error *e);

/* Sizes, for info; bytes are those the disk gives. */
struct store_info {
	size_t days, segments, parts, batches, series, samples, bytes;
	int64_t from, to; /* first and last sample; both 0 if there is none */
};
int store_info(struct store *s, struct store_info *i, struct error *e);

/*
 * What takes the room: metrics, labels, pairs of them, and days.  It looks at
 * all that is there; memory goes with the number of series.  Metrics, labels
 * and pairs come with the most series (of a label: values) first.
 */
struct store_usage {
	struct store_usage_metric {
		str name;
		size_t series, samples, bytes; /* of values and histograms */
	} * metrics;
	struct store_usage_pair {
		str name, value; /* of a label alone: no value */
		size_t n;        /* series; of a label alone: values */
	} * pairs, *labels;
	struct store_usage_day {
		int64_t t;
		size_t series, fresh, gone; /* against the day before */
		size_t samples, bytes;
	} * days;
	size_t nmetrics, npairs, nlabels, ndays;
	struct arena a; /* the strings */
};
int store_usage(struct store *s, struct store_usage *u, struct error *e);
void store_usage_fini(struct store_usage *u);

/*
 * Look after a store: segments that nothing is written to any more become
 * parts, small parts one, what is too old goes, and what crashes have left.
 * Writers and readers go on meanwhile.
 */
struct store_keep {
	const struct match *m; /* of the series meant */
	size_t nm;
	int64_t dur; /* ms */
};
struct store_compact {
	int64_t now;
	bool seal;               /* the open segment too */
	int64_t keep;            /* age of what no rule means; 0: for ever */
	struct store_keep *rule; /* the first that means a series holds */
	size_t nrule;
	uint64_t max_size; /* bytes of the whole store; 0: any */
	/* Called now and then, and with what could not be done; may be NULL. */
	void (*step)(void *arg, uint32_t day, uint64_t done, uint64_t of);
	void (*report)(void *arg, const char *msg);
	void *arg;
	/* What was done: */
	size_t samples; /* read and written */
	size_t parts;   /* made */
	size_t indexes; /* of labels; made */
	size_t removed; /* days */
	size_t failed;  /* times report was called */
};
int store_compact(struct store *s, struct store_compact *c, struct error *e);

/*
 * Take the samples of series that match out of a range (ms, both inclusive).
 * The days concerned are made anew, each at once.
 */
int store_delete(struct store *s, const struct match *m, size_t nm,
    int64_t from, int64_t to, struct store_compact *c, struct error *e);

/* Verify every checksum; each problem is told to report.  0, 1: problems. */
int store_check(struct store *s, void (*report)(void *arg, const char *msg),
    void *arg, struct error *e);

/*
 * Take damaged files out of the way of compaction and deletion: what can be
 * read of them is written anew, and they stay beside it as NAME.damaged.  What
 * is done is told to report; what is lost store_check() has told before.
 */
int store_repair(struct store *s, void (*report)(void *arg, const char *msg),
    void *arg, struct error *e);

#endif
