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

enum store_mode {
	STORE_READ,  /* the directory must be a store */
	STORE_WRITE, /* it is made if missing */
};

/* path is the store's own directory: DIR/store. */
struct store *store_open(const char *path, enum store_mode mode,
    struct error *e);
void store_close(struct store *s);

struct store_opts {
	bool sync;    /* fsync before store_append() returns */
	bool any_time; /* take times that look like seconds */
	bool replace; /* same time and other value: the new one wins */
};

/* What came of a batch: added up over calls. */
struct store_counts {
	size_t samples, stale, duplicates, conflicts, refused;
};

/*
 * Commit a batch as a whole (per UTC day).  Samples, STALE lines (also "*")
 * and metadata are kept; ALERT and STRING passed over.  Samples without a name
 * or with times before 10^11 are refused, counted, and the first one told in
 * why (may be NULL); the rest is committed.  0, or -1 and nothing of this
 * batch is to be seen.
 */
int store_append(struct store *s, const struct batch *b,
    const struct store_opts *o, struct store_counts *n, struct error *why,
    struct error *e);

/* A source over the store, valid as long as it is open; sees new commits. */
struct source store_source(struct store *s);

/*
 * The batches of a range as they came, in time order, those of series that
 * match only; each is printed as mf text and given to out.  nm 0: every one.
 */
int store_select(struct store *s, const struct match *m, size_t nm,
    int64_t from, int64_t to, int (*out)(void *arg, str text), void *arg,
    struct error *e);

/* Sizes, for info. */
struct store_info {
	size_t days, segments, series, samples, bytes;
	int64_t from, to;
};
int store_info(struct store *s, struct store_info *i, struct error *e);

/* Verify every checksum; each problem is told to report.  0, 1: problems. */
int store_check(struct store *s, void (*report)(void *arg, const char *msg),
    void *arg, struct error *e);

#endif
