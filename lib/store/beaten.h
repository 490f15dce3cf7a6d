/*
 * Which samples of a day do not count, since others of the same series and time
 * were appended with --replace.  A query finds out as it puts the samples of a
 * series in order; select prints batches as they came, so it asks about some of
 * them at a time: what they have is gathered, and what replaces any of it is
 * looked for in the whole day.  Nothing is done on a day without such frames.
 *
 * Of samples that replace nothing the first counts, but append keeps no second
 * one.
 */
#ifndef STORE_BEATEN_H
#define STORE_BEATEN_H

#include "store/dir.h"
#include "store/ids.h"

/* So many samples are asked about at a time, and those of one more batch. */
#define STORE_BEATEN_MAX ((size_t)256 << 10)

struct store_beaten {
	const struct store_day *d;
	bool any; /* frames of the day that replace */
	struct store_beaten_span {
		uint32_t lo, hi; /* their times; lo > hi: there are none */
	} * span;                /* of each segment */
	struct store_beaten_ask {
		uint64_t key;  /* id, ms of day */
		uint64_t best; /* least store_rank() of what replaces it */
	} * v;                 /* rising by key, once each */
	size_t n, cap;
	struct store_ids first; /* id to its first in v */
};

/*
 * The smallest of these is of the sample that counts, of those of one series
 * and time: turn is when it was committed, segment and slot.
 */
uint64_t store_rank(uint64_t turn, bool replaces);

/* Another day, and times of it.  All zero at first. */
void store_beaten_day(struct store_beaten *b, const struct store_day *d,
    uint32_t lo, uint32_t hi);
void store_beaten_fini(struct store_beaten *b);

/* Forget what was asked; ask about a frame; find out. */
void store_beaten_reset(struct store_beaten *b);
void store_beaten_add(struct store_beaten *b, const struct store_seg *g,
    const struct store_slot *p);
void store_beaten_find(struct store_beaten *b);

/* Does a sample of slot `slot` of segment number seg of the day not count? */
bool store_beaten(const struct store_beaten *b, uint32_t id, uint32_t ms,
    uint32_t seg, uint32_t slot, bool replaces);

#endif
