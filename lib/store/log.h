/*
 * A log of checksummed records (store/format.h): series.log, meta.log.  A torn
 * or damaged record is stepped over; whoever appends holds the store's lock
 * and writes behind the last good one.
 */
#ifndef STORE_LOG_H
#define STORE_LOG_H

#include "base/buf.h"
#include "store/damage.h"
#include "store/format.h"
#include "store/view.h"

struct store_log {
	struct store_view v;
	uint64_t base; /* offset - base is the place in the file */
	uint64_t end;  /* of the last good record, as far as was looked */
	struct store_damage *damage; /* where to note it; may be NULL */
	bool headless; /* its head is damaged; what follows is not */
	bool damaged;  /* nothing of it can be read */
	bool aside;    /* the same, and a writer has begun it anew */
};

/*
 * 1, 0 if it is not there (never with write, which makes it), -1 on error.
 * What is not a log is not there for a reader, and a writer sets it aside and
 * begins anew.  A log that is made goes on behind base bytes that are kept
 * elsewhere.  When only the head is damaged it is taken for one without a base.
 */
int store_log_open(struct store_log *l, int dirfd, const char *name,
    const char magic[8], bool write, uint64_t base, struct error *e);
void store_log_close(struct store_log *l);

/* Where the file ends, as an offset; and where the first record stands. */
uint64_t store_log_size(const struct store_log *l);
uint64_t store_log_first(const struct store_log *l);

/* The record at off: its bytes valid until the log is refreshed; or false. */
bool store_log_at(
    const struct store_log *l, uint64_t off, struct store_rec *rec, str *bytes);

/*
 * Are there only zeros from..to?  A writer that finds the log cut goes on
 * behind where it had been.
 */
bool store_log_free(const struct store_log *l, uint64_t from, uint64_t to);

/* The next good record at *off or behind it; *off moves to its own place. */
bool store_log_find(const struct store_log *l, uint64_t *off,
    struct store_rec *rec, str *bytes);

/* Where the record after the one at off begins. */
uint64_t store_log_after(uint64_t off, const struct store_rec *rec);

/*
 * The next stretch from *at on (0 at first) that is of no good record, and is
 * no zeros; *at moves behind it.
 */
struct store_log_bad {
	uint64_t from, to; /* SHORT: to < from */
	enum {
		STORE_LOG_BYTES, /* before a good record */
		STORE_LOG_SENSE, /* a record, but it makes no sense */
		STORE_LOG_TAIL,  /* at the end */
		STORE_LOG_SHORT, /* the last record's padding is not there */
	} what;
};
bool store_log_bad(
    const struct store_log *l, uint64_t *at, struct store_log_bad *b);

/*
 * For who has the lock: another file takes the log's place, in which they are
 * zeros; that one is what to gets.  How many there were, or -1.  fill may be
 * NULL, or writes into the new file what is known to have been there.
 */
typedef int store_log_fill(void *arg, const struct store_log *l,
    const struct store_log_bad *b, const struct store_view *v, struct error *e);
int store_log_clear(const struct store_log *l, store_log_fill *fill, void *arg,
    char to[64], struct error *e);

/* Let a log, if it is there, reach the disk. */
int store_log_sync(int dirfd, const char *name, struct error *e);

/* Add a record to what will be written at a log's end. */
void store_log_put(struct buf *b, enum store_rec_kind kind, str bytes);

/* Write what was put behind the end; with sync let it reach the disk. */
int store_log_write(
    struct store_log *l, str records, bool sync, struct error *e);

#endif
