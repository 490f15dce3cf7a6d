/*
 * The store as it is open: what the files of the folder share.  Days are
 * opened when they are first asked for, and stay; what a cursor holds into
 * them is good as long as the store is open.
 */
#ifndef STORE_DIR_H
#define STORE_DIR_H

#include <sys/stat.h>

#include "base/date.h"
#include "store/damage.h"
#include "store/dict.h"
#include "store/layout.h"
#include "store/meta.h"
#include "store/names.h"
#include "store/seg.h"
#include "store/store.h"

/* A file of a day: a segment (first and last are one), or a part. */
struct store_span {
	uint32_t first, last;
	bool part;
};

/* A reader's view of a day. */
struct store_day {
	uint32_t ymd;  /* 20261122 */
	int64_t start; /* ms */
	bool open;
	uint64_t used; /* in which hold a cursor looked at it */
	struct store_dict dict;
	struct store_names names;
	struct store_layouts layouts;
	struct store_seg **seg; /* by number; segments and parts */
	size_t n;
	struct store_span *span; /* the files as they were listed */
	size_t nspan;
	struct store_seg **gone; /* what cursors may still be reading */
	size_t ngone, gonecap;
};

struct store_writer;

struct store {
	char *path;
	enum store_mode mode;
	int fd;
	int lock; /* a writer's */
	uint8_t boot[16];
	struct store_day **days; /* rising */
	size_t n;
	struct store_meta meta;
	struct store_writer *w;
	struct store_limits limits; /* of the file, as it was */
	struct stat limits_stat;
	size_t readers; /* cursors that are open */
	size_t holds;   /* how often it is held, see source_hold() */
	uint64_t hold;  /* which hold it is, and that the days are of */
	uint64_t listed;
	struct store_damage damage;
};

/* Times the store can hold: the years 1 to 9999. */
#define STORE_T_MIN INT64_C(-62135596800000)
#define STORE_T_MAX INT64_C(253402300799999)

/* The day of t, and its beginning. */
uint32_t store_ymd(int64_t t, int64_t *start);

int64_t store_day_start(uint32_t ymd);

/* Look which days there are now. */
int store_days(struct store *s, struct error *e);

/* Open a day, or see what is new in it. */
int store_day_use(struct store *s, struct store_day *d, struct error *e);

/* Let go of what is open in it. */
void store_day_close(struct store_day *d);

/* A day's files, by last, segments before parts; *v is the caller's to free. */
int store_day_list(const struct store *s, uint32_t ymd, struct store_span **v,
    size_t *n, struct error *e);

/* Leave those that no other stands for, by number; how many they are. */
size_t store_span_widest(struct store_span *v, size_t n);

/* Is a file open, or does one that is stand for it? */
bool store_span_open(const struct store_day *d, const struct store_span *x);

/* Where a file lies in the store. */
void store_span_name(char out[32], uint32_t ymd, const struct store_span *x);

/* How many problems a day's file has; each is told. */
size_t store_check_file(struct store *s, const struct store_day *d,
    const struct store_seg *g, void (*report)(void *arg, const char *msg),
    void *arg);

/* The directory of a day: "20261122". */
void store_day_name(char out[16], uint32_t ymd);

/* Call each for every name in a directory; each returns -1 to stop. */
int store_dir_names(int dirfd, const char *name,
    int (*each)(void *arg, const char *name), void *arg, struct error *e);

/* What the disk gives the files of a directory of the store. */
size_t store_dir_bytes(const struct store *s, const char *name);

/* Only one may make files anew: its lock, to be closed; or -1. */
int store_lock_compact(const struct store *s, struct error *e);

/* The store's lock, for a moment; a writer's. */
int store_lock(const struct store *s, struct error *e);
void store_unlock(const struct store *s);

/* The writer's own, made at the first append. */
void store_writer_free(struct store_writer *w);

#endif
