/*
 * Whole batches out of a stream (DESIGN 2): what stands between "# BATCH" and
 * "# EOF", handed out only when it is complete.  Input without "# BATCH" (a
 * page, a dump) comes as batches without labels, every 4 MiB and at its end.
 * A batch that was opened and not closed is dropped and reported.  This is how
 * mf-store, mf-eval, mf-notify and mf-plot read.
 */
#ifndef METRIC_BATCH_H
#define METRIC_BATCH_H

#include "metric/expo.h"

struct batch {
	bool opened;          /* by a "# BATCH" line */
	struct labels labels; /* whose round it is */
	int64_t t;            /* unopened: its newest, or the default */
	const struct expo_key *keys;
	size_t nkeys;
	const struct expo_item *v; /* what is in it, in order; all samples'
				      labels with a mark live as the reader
				      remembers them, see expo.h */
	size_t n;
	size_t bad; /* lines that did not parse and are left out */
};

struct batch_reader;

/*
 * Problems of single lines and of unclosed batches are told to report (which
 * may be NULL) as "line:col: ..." and counted; strict drops the batch a bad
 * line is in.
 */
struct batch_reader *batch_new(enum expo_form form, int64_t default_t,
    bool strict, void (*report)(void *arg, const char *msg), void *arg);
void batch_free(struct batch_reader *r);

/* Whole lines; they are used up or copied by the time batch_next() gives 0. */
void batch_feed(struct batch_reader *r, str lines);

/* No more lines will come: what is complete is handed out, the rest dropped. */
void batch_end(struct batch_reader *r);

/* The time of samples without one, in input without batches. */
void batch_set_time(struct batch_reader *r, int64_t t);

/* n lines of the input went another way: later ones are counted behind them. */
void batch_skip(struct batch_reader *r, size_t n);

/* 1 with *b set, valid until the next call; 0: feed more (or the end). */
int batch_next(struct batch_reader *r, struct batch *b);

/* Lines that did not parse, and batches dropped, so far. */
size_t batch_bad(const struct batch_reader *r);

#endif
