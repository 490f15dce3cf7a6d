/*
 * A part: segments that nothing is written to any more, sealed.  It is opened
 * as a struct store_seg (store/seg.h) and reads as one, with slots and frames
 * made as they are asked for: what walks batches need not know.  What wants
 * columns takes them from its stripes.
 *
 * Slots, frames and layouts in memory belong to the part; slots and frames are
 * forgotten when others have been asked for, not before the third other one.
 */
#ifndef STORE_SEALED_H
#define STORE_SEALED_H

#include "base/buf.h"
#include "store/seg.h"

/* Which it is: "20261122/000001-000016.part". */
void store_sealed_name(
    char out[32], uint32_t day, uint32_t first, uint32_t last);

/*
 * Open a part as s: 1; 0 if it is not there or not sound, which is passed
 * over; -1.
 */
int store_sealed_open(struct store_seg *s, int dirfd, uint32_t day,
    uint32_t first, uint32_t last, struct error *e);

/* Note in d what of it turns out to be damaged. */
void store_sealed_watch(
    struct store_sealed *x, struct store_damage *d, const char *name);

/* What is made for readers goes; store_seg_close() does it too. */
void store_sealed_free(struct store_sealed *x);

/* Let go of slots and frames that are held; pointers to them are void. */
void store_sealed_forget(struct store_sealed *x);

const struct store_sealed_head *store_sealed_head(const struct store_sealed *x);

/*
 * Slot i.  Of a page that is damaged it is made of what the stripes say, each
 * row a batch of its own, or NULL if it is no row.
 */
const struct store_slot *store_sealed_slot(struct store_sealed *x, uint32_t i);

/* The first slot from i on, of a page that has times from lo to hi. */
uint32_t store_sealed_skip(
    struct store_sealed *x, uint32_t i, uint32_t lo, uint32_t hi);

/*
 * The pages' slots, each whole batches: the first slot of page k; the number
 * of slots from k = npages on.  And the earliest batch in page k.
 */
uint32_t store_sealed_page(const struct store_sealed *x, uint32_t k);
int64_t store_sealed_earliest(const struct store_sealed *x, uint32_t k);

/* Is page k as it was written; are all? */
bool store_sealed_page_sound(struct store_sealed *x, uint32_t k);
bool store_sealed_sound(struct store_sealed *x);

/*
 * Note damage of pages that have times from lo to hi, for who reads stripes
 * alone and does not come upon it.
 */
void store_sealed_look(struct store_sealed *x, uint32_t lo, uint32_t hi);

/* The n slots from first on, made of the stripes; type 0: it is none's row. */
void store_sealed_rows(
    struct store_sealed *x, uint32_t first, uint32_t n, struct store_slot *v);

/*
 * A slot's frame; NULL if it is damaged.  Columns of a row that are damaged
 * are absent.
 */
const void *store_sealed_frame(
    struct store_sealed *x, const struct store_slot *p);

/* The ids of layout k, as long as the part is open; NULL: damaged. */
const uint32_t *store_sealed_layout(
    struct store_sealed *x, uint32_t k, uint32_t *n);

/* The least and the greatest of them. */
void store_sealed_bounds(
    const struct store_sealed *x, uint32_t k, uint32_t *min, uint32_t *max);

/* The last slot of the last batch of a source, or STORE_NO_SLOT. */
uint32_t store_sealed_last(const struct store_sealed *x, uint32_t source);

const struct store_stripe *store_sealed_stripe(
    const struct store_sealed *x, uint32_t k);

const struct store_sealed_other *store_sealed_other(
    const struct store_sealed *x, uint32_t k);

/* A stripe that is being read.  All zero at first; used again as it is. */
struct store_cols {
	const struct store_sealed *x;
	const struct store_stripe *stripe;
	uint32_t n;                      /* columns */
	int64_t t[STORE_SEALED_ROWS];    /* ms of day, of each row */
	int64_t slot[STORE_SEALED_ROWS]; /* its slot */
	const uint8_t *p;                /* the first column */
	const uint8_t *crc;              /* of groups */
	uint32_t *at;                    /* n + 1: where each column begins */
	size_t cap;
	uint8_t *sound; /* of each group: 0 not checked, 1 no, 2 yes */
	size_t soundcap;
	bool open;    /* this is the stripe, of the part with this directory: */
	uint32_t dir; /* its CRC */
};

/* False if it is damaged.  The stripe that is open already is not read again.
 */
bool store_cols_open(
    struct store_cols *c, struct store_sealed *x, uint32_t stripe);
void store_cols_fini(struct store_cols *c);

/* May rows be absent in column col? */
bool store_cols_holes(const struct store_cols *c, uint32_t col);

/* Is it sound, and has it surely a number in each row? */
bool store_cols_numbers(struct store_cols *c, uint32_t col);

/* The values of column col, one a row; false if they are damaged. */
bool store_cols_get(struct store_cols *c, uint32_t col, double *v);

/* The same of rows first to first + n - 1 only. */
bool store_cols_rows(
    struct store_cols *c, uint32_t col, uint32_t first, uint32_t n, double *v);

/* A page's slots, n of them, as bytes; off is as store_sealed_off() says. */
void store_sealed_page_put(
    struct buf *b, const struct store_slot *v, uint32_t n);

/* Back; but for V the bytes of a frame, which its layout tells. */
bool store_sealed_page_get(
    const uint8_t *p, size_t len, struct store_slot *v, uint32_t n);

/* Slot.off of a sealed slot: stripe and row; or block and place in it. */
uint64_t store_sealed_off(uint32_t where, uint32_t at);

#endif
