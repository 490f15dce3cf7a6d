/*
 * A segment: frames, and the table of slots that makes them count.  A batch is
 * a run of slots, the last flagged STORE_LAST and written last; a reader that
 * walks batches sees each whole or not at all.
 */
#ifndef STORE_SEG_H
#define STORE_SEG_H

#include "store/damage.h"
#include "store/format.h"
#include "store/view.h"

struct store_sealed;

struct store_seg {
	struct store_view v;
	struct store_damage *damage; /* where to note it; may be NULL */
	struct store_sealed *sealed; /* it is a part (store/sealed.h) */
	uint32_t first;              /* it stands for first..no; mostly no */
	uint32_t no;
	uint32_t cap;
	uint32_t high; /* newest sample of the day before it */
	bool now;      /* of this boot: slots have no gaps, and it may grow */
	uint32_t n;    /* slots that are there */
	/*
	 * What readers found of the frame of each slot, for the next one: which
	 * of its blocks are sound, or that all of eight and more are.
	 */
	uint8_t *checked; /* NULL: not looked at */
};

/*
 * 1; 0 when it is not there or not (yet) a segment, which is passed over; -1.
 */
int store_seg_open(struct store_seg *s, int dirfd, uint32_t day, uint32_t no,
    const uint8_t boot[16], bool write, struct error *e);
void store_seg_close(struct store_seg *s);

/* Is it said that nothing more is written to it? */
bool store_seg_closed(const struct store_seg *s);

/* Say so; the caller has the store's lock and opened it to write. */
int store_seg_shut(struct store_seg *s, struct error *e);

/* Say that the batch that slot i ends counts no more; the same. */
int store_seg_lose(const struct store_seg *s, uint32_t i, struct error *e);

/* Take note of what has been committed since. */
int store_seg_stat(struct store_seg *s, struct error *e);

/* Make segment no of a day; appears at once and whole. */
int store_seg_make(int dirfd, uint32_t day, uint32_t no, const uint8_t boot[16],
    uint32_t high, struct error *e);

/* Let the names of a day's files reach the disk. */
int store_seg_sync_names(int dirfd, uint32_t day, struct error *e);

/* Slot i if it is sound and its frame lies inside the file, else NULL. */
const struct store_slot *store_seg_slot(const struct store_seg *s, uint32_t i);

/* Is slot i one that was never written? */
bool store_seg_free(const struct store_seg *s, uint32_t i);

/* Whose frame slot i is, unchecked: to look before paying for the CRC. */
uint32_t store_seg_source(const struct store_seg *s, uint32_t i);

/*
 * The batch whose last slot is i: its first slot; or STORE_NO_SLOT if i does
 * not end one, or the batch is not sound.
 */
uint32_t store_seg_batch(const struct store_seg *s, uint32_t i);

/*
 * From slot i on, the next frame of samples that may have some from lo to hi
 * (ms of day) and is of a sound batch, whose last slot goes to *last; or
 * STORE_NO_SLOT.
 */
uint32_t store_seg_next(const struct store_seg *s, uint32_t i, uint32_t lo,
    uint32_t hi, uint32_t *last);

/* The day's newest sample up to the end of the segment, ms; -1: none. */
int64_t store_seg_high(const struct store_seg *s);

/* The earliest time of a batch, as far as slots can be believed unchecked. */
int64_t store_seg_earliest(const struct store_seg *s);

/* The length of the log that the last sound slot speaks of, / 8. */
uint32_t store_seg_log(const struct store_seg *s);

/* A frame's bytes, all its CRCs checked; NULL if one is wrong. */
const void *store_seg_frame(
    const struct store_seg *s, const struct store_slot *slot);

/*
 * A frame to be read here and there: its CRCs are checked as they are needed,
 * block by block; ok[block] (0 at first) remembers which were good.
 */
const uint8_t *store_seg_bytes(
    const struct store_seg *s, const struct store_slot *slot);
bool store_seg_block(const struct store_seg *s, const struct store_slot *slot,
    size_t from, size_t n, uint8_t *ok);

/* The ids of a row's layout, CRCs checked; *n gets their number. */
const uint32_t *store_seg_layout(
    const struct store_seg *s, uint32_t ref, uint32_t *n);

/*
 * Is every frame of a segment sound, and every slot of a part?  What is not is
 * left as it is, for check to tell of.
 */
bool store_seg_sound(const struct store_seg *g);

/* Is a V or T frame as long as cols columns are? */
bool store_seg_row(const struct store_slot *slot, uint32_t cols);

/* Where the next frame goes. */
uint64_t store_seg_end(const struct store_seg *s);

/* Bytes a frame of len takes, with its CRCs. */
uint64_t store_seg_space(uint64_t len);

/*
 * The parts of an X frame, checked to lie in its len bytes and to be in order;
 * false if not.  order is NULL when samples came in the order they lie.
 */
struct store_xview {
	uint32_t nser, n;
	const uint64_t *v;
	const uint32_t *id, *end, *t, *order;
};
bool store_seg_x(
    const struct store_slot *slot, const void *frame, struct store_xview *x);

/* The next comment of a C frame, *at being 0 at first; false at its end. */
bool store_seg_comment(const struct store_slot *slot, const uint8_t *frame,
    size_t *at, struct store_comment *c, str *text);

#endif
