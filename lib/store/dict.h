/*
 * The dictionary of a day: label sets to ids and back (series.log, and
 * series.hash beside it, which may be deleted at any time).  An id is the
 * record's offset / 8.  Readers need the log alone.
 */
#ifndef STORE_DICT_H
#define STORE_DICT_H

#include "base/arena.h"
#include "base/map.h"
#include "metric/label.h"
#include "store/log.h"

struct store_dict {
	struct store_log log;
	const uint8_t *boot; /* 16 bytes, borrowed */
	char day[12];        /* "20261122/" */
	/* The rest is a writer's. */
	int hash_fd;
	uint64_t hash_ino;
	struct store_hash_head *hash; /* mapped */
	size_t hash_size;
	struct buf fresh;     /* records not yet written */
	struct map fresh_ids; /* kind and key to id */
	struct arena fresh_keys;
};

/* 1, 0 if there is none (readers), -1 on error. */
int store_dict_open(struct store_dict *d, int dirfd, uint32_t day,
    const uint8_t boot[16], bool write, struct error *e);
void store_dict_close(struct store_dict *d);

/* A reader: see what is there now. */
int store_dict_stat(struct store_dict *d, struct error *e);

/* Is id within what is there of the log? */
bool store_dict_has(const struct store_dict *d, uint32_t id);

/*
 * The labels of id, or those of a record's bytes, as views into the log; v
 * holds them.  False if there is no such record, or too many labels.
 */
#define STORE_LABELS_MAX 128
bool store_dict_labels(const struct store_dict *d, uint32_t id,
    enum store_rec_kind kind, struct label v[STORE_LABELS_MAX],
    struct labels *out);
bool store_dict_split(
    str bytes, struct label v[STORE_LABELS_MAX], struct labels *out);

/*
 * A writer that has the lock: bring series.hash up to the log (it may be
 * missing, torn, or replaced by another).
 */
int store_dict_sync(struct store_dict *d, struct error *e);

/* The id of a key (label_key()) or 0. */
uint32_t store_dict_find(
    const struct store_dict *d, enum store_rec_kind kind, str key);

/*
 * A key that is not there is added, to be written by store_dict_commit().
 * Its id, or 0: too long, or too many.
 */
uint32_t store_dict_add(
    struct store_dict *d, enum store_rec_kind kind, str key);
int store_dict_commit(struct store_dict *d, struct error *e);

/* Forget what was added and not committed. */
void store_dict_abort(struct store_dict *d);

#endif
