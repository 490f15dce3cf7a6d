/*
 * What a writer keeps between batches: the days it writes to, where each
 * source's last batch lies, and which id a line's series had.  All of it can
 * be found again in the files, which is what a cold process does.
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "store/dir.h"
#include "store/ids.h"
#include "store/limits.h"

/* A day that is written to. */
struct store_wday {
	uint32_t ymd;
	int64_t start;
	uint32_t tag;  /* of ids in the marks of expo's reader */
	uint64_t used; /* when last, to close the one not used for longest */
	struct store_dict dict;
	struct store_seg seg; /* the open segment; no 0: none yet */
	uint32_t last;        /* highest number a segment has had */
	int64_t high;         /* the same of samples, when that one is sealed */
	uint32_t log;         /* and the length of the log then, / 8 */
	uint64_t synced_log;  /* -S: what has reached the disk */
	uint32_t synced_seg;
	struct store_day old; /* all segments, to look for what is there */
	/* For a limit of series: how many the log has, up to where, and more */
	size_t series, fresh;
	uint64_t counted;
};

/* Where a source stands, in the day it was last written to. */
struct store_wsource {
	str key; /* its labels, label_key() */
	uint32_t ymd;
	uint32_t id;          /* of its record; 0 with an empty key */
	uint32_t seg;         /* its last batch: segment (or part), slots */
	uint32_t first, last; /* STORE_NO_SLOT: has none yet */
	uint32_t layout;      /* slot of it in that segment */
	uint32_t *ids;
	size_t n, cap;
	struct store_ids cols; /* id to column, made when it is needed */
	bool high_known;
	uint32_t high;      /* its newest sample of the day */
	uint32_t sparse;    /* samples of its last batch, if that was an X */
	uint32_t seen;      /* slots of the segment that were looked at */
	bool tried, learnt; /* its cache: once a process */
};

/* A part is told from the segment of the same number: its slots are others. */
#define STORE_WSOURCE_PART (UINT32_C(1) << 31)

#define STORE_WDAYS 16

struct store_item {
	uint64_t bits;
	uint32_t id;
	uint32_t ms;    /* of day */
	uint32_t order; /* place in the batch */
	uint32_t at;    /* index in batch.v */
	uint32_t col;   /* in the source's layout, or STORE_IDS_NONE */
};

struct store_writer {
	struct store_wday *days[STORE_WDAYS];
	uint64_t clock;
	struct map sources; /* key to struct store_wsource */
	uint32_t failures;  /* makes the tags of days anew */
	struct buf key, text;
	struct arena arena; /* of a batch */
	struct store_ids ids;
	struct buf frames;
	struct store_text *text_way; /* or NULL */
};

/* The day's files, locked by us, as they are now; NULL on error. */
struct store_wday *store_wday_use(
    struct store *s, uint32_t ymd, int64_t start, struct error *e);

/* Give up a day after an error: it is opened anew when it is needed. */
void store_wday_drop(struct store *s, struct store_wday *d);

/* Room for nslots and that many bytes in d->seg; a new segment if need be. */
int store_wday_room(struct store *s, struct store_wday *d, size_t nslots,
    uint64_t bytes, struct error *e);

/*
 * The log has been cut, and ends before ids that were given out: batches that
 * speak of those count no more, lest they come back without them when the log
 * has grown again.
 */
int store_wday_lose(struct store *s, struct store_wday *d, struct error *e);

/* The day's newest sample, ms of day; -1 if there is none. */
int64_t store_wday_high(const struct store_wday *d);

/* The store's newest sample; INT64_MIN if there is none. */
int store_newest(struct store *s, int64_t *t, struct error *e);

/* A batch's source, by its labels; and brought to where it stands in d. */
struct store_wsource *store_wsource_find(struct store *s, struct labels ls);
int store_wsource_use(struct store *s, struct store_wsource *src,
    struct store_wday *d, struct error *e);

/*
 * The ids, in d, of the series that had a sample at the time of the source's
 * previous batch, in the arena of the batch.  Looks into the day before when
 * there is none in d yet; then ids are made in d.
 */
int store_wsource_prev(struct store *s, struct store_wsource *src,
    struct store_wday *d, uint32_t **ids, size_t *n, struct error *e);

/* The column of id in the layout; the layout is now these ids. */
uint32_t store_wsource_col(struct store_wsource *src, uint32_t id);
void store_wsource_layout(
    struct store_wsource *src, const uint32_t *ids, uint32_t n);

/*
 * The id of an item's series, found or made; 0: it cannot be kept, and if that
 * is for a limit, beyond says which.
 */
uint32_t store_series_id(struct store *s, struct store_wday *d,
    const struct expo_item *it, const struct store_limits *l,
    const char **beyond);

/*
 * Leave out of v (sorted by id, ms) what the day has: the same bits are
 * duplicates; other bits conflicts, left out too unless replace is set.
 * Samples of source src after its newest are not looked for.
 */
int store_known(struct store *s, struct store_wsource *src,
    struct store_wday *d, struct store_item *v, size_t *n, bool replace,
    struct store_counts *c, struct error *e);

/*
 * The same of comments, which are a C frame in b: those that are there go.  A
 * histogram is a conflict if the day has another one at that time.
 */
int store_known_comments(struct store *s, const struct store_wsource *src,
    struct store_wday *d, struct buf *b, bool replace, struct store_counts *n,
    struct error *e);

/* The newest sample of those that may be like the source's; -1: none. */
int64_t store_wsource_high(
    const struct store_wsource *src, const struct store_wday *d);

/* Sort by id, time, order. */
void store_items_sort(struct store_item *v, size_t n);

/* Write a day's part of a batch and make it count. */
struct store_part {
	int64_t t;
	const uint64_t *row;  /* made already, instead of v; n are present */
	struct store_item *v; /* in the order of the batch */
	size_t n;
	bool sorted;           /* v rises by column of the layout */
	bool unique;           /* no series twice */
	const uint32_t *stale; /* ids that end at stale_ms */
	size_t nstale;
	uint32_t stale_ms;
	str comments;
	uint32_t cmin, cmax; /* their times */
	bool replace, sync;
};
int store_part_write(struct store *s, struct store_wsource *src,
    struct store_wday *d, const struct store_part *p, struct error *e);

void store_text_free(struct store_text *x);

/* Write the cache of a source from a batch of samples at its time. */
void store_text_learn(struct store *s, struct store_wsource *src,
    const struct store_wday *d, const struct batch *b,
    const struct store_item *v, size_t n);

#endif
