/*
 * Metadata: HELP, TYPE, UNIT and KIND of each metric, per job; the last one
 * said holds.  A log for the whole store, in memory as a map.
 */
#ifndef STORE_META_H
#define STORE_META_H

#include "base/arena.h"
#include "base/map.h"
#include "store/log.h"

enum store_meta_kind {
	STORE_META_HELP,
	STORE_META_TYPE,
	STORE_META_UNIT,
	STORE_META_KIND,
};
#define STORE_META_KINDS 4

struct store_meta {
	bool open;
	struct store_log log;
	uint64_t done;    /* bytes of the log that are in the map */
	struct map last;  /* "job\0metric\0KIND" to the record's offset */
	struct buf fresh; /* a writer's: records not yet written */
	struct buf key;
};

/* Open if need be, and see what is new.  No file is no metadata. */
int store_meta_load(
    struct store_meta *m, int dirfd, bool write, struct error *e);
void store_meta_close(struct store_meta *m);

/* The text, valid until the store is closed; p is NULL if there is none. */
str store_meta_find(
    struct store_meta *m, str job, str metric, enum store_meta_kind kind);

/* What is known of each metric of each job. */
void store_meta_each(struct store_meta *m,
    void (*each)(void *arg, str metric, str type, str help, str unit),
    void *arg);

/* Call each for every metric of every job, in this order; it stops with -1. */
int store_meta_walk(struct store_meta *m,
    int (*each)(void *arg, str job, str metric), void *arg);

/* Add the lines of one metric of one job. */
void store_meta_lines(struct store_meta *m, struct buf *b, str job, str metric);

/* A writer: note what is new or another; then write it. */
void store_meta_put(struct store_meta *m, str job, str metric,
    enum store_meta_kind kind, str text);
int store_meta_commit(struct store_meta *m, bool sync, struct error *e);

/*
 * Add the lines of a series' family that are known, by the series' name, its
 * own and that of the family it belongs to (foo of foo_bucket).
 */
void store_meta_print(struct store_meta *m, struct buf *b, str job, str name,
    struct map *seen, struct arena *a);

#endif
