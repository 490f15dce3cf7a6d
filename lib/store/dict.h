/*
 * The dictionary of a day: label sets to ids and back.  They stand in
 * series.log, in an index (store/index.h) or in both: the index has the first
 * ones, the log those from its base on, and has none when the day is sealed.
 * An id is the record's offset / 8.  series.hash beside them is a writer's, and
 * may be deleted at any time.
 */
#ifndef STORE_DICT_H
#define STORE_DICT_H

#include "base/arena.h"
#include "base/map.h"
#include "metric/label.h"
#include "store/index.h"
#include "store/log.h"

struct store_dict {
	struct store_log log; /* end: that of all, also if there is no log */
	struct store_index *index; /* or NULL */
	bool index_damaged;
	int dirfd;
	struct store_dict_old { /* what was replaced: strings lie in it */
		struct store_log log;
		struct store_index *index;
	} * old;
	size_t nold, oldcap;
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

/*
 * A reader: see what is there now.  1 if other files have taken the place of
 * those before, which are kept until store_dict_bury().
 */
int store_dict_stat(struct store_dict *d, struct error *e);
void store_dict_bury(struct store_dict *d);

/* Where what the index does not have begins in the log. */
uint64_t store_dict_tail(const struct store_dict *d);

/* Call each for all label sets, of any kind; it returns -1 to stop. */
int store_dict_each(
    const struct store_dict *d, store_index_each *each, void *arg);

/* Is id within what is there of the log? */
bool store_dict_has(const struct store_dict *d, uint32_t id);

/*
 * The labels of id, or those of a record's bytes, as views into the files; v
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

/* The id of a key (label_key()) or 0.  A damaged hash is made anew. */
uint32_t store_dict_find(
    struct store_dict *d, enum store_rec_kind kind, str key);

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
