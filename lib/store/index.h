/*
 * A day's label sets as columns: sorted symbols, and for each metric a table
 * with a row for each series, of ids and of a symbol for each label.  It
 * stands for the first store_index_end() bytes of series.log, which a day that
 * is sealed does not need any more, and whose ids it keeps.  A matcher is a
 * predicate on a column: nothing is unpacked but what it asks for.
 *
 * Strings that are given out live as long as the index is open.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "metric/match.h"
#include "store/damage.h"
#include "store/format.h"
#include "store/view.h"

struct store_index;
struct store_dict;

/* 1; 0 if there is none; 2 if it is damaged, and not open; -1. */
int store_index_open(
    struct store_index **x, int dirfd, uint32_t day, struct error *e);
void store_index_close(struct store_index *x);

/* Note in d what of it turns out to be damaged. */
void store_index_watch(struct store_index *x, struct store_damage *d);

/* Is it still the one of its name? */
bool store_index_current(const struct store_index *x);

/* What of series.log is in it: its length, a multiple of 8. */
uint64_t store_index_end(const struct store_index *x);

/* How many label sets it has of a kind. */
size_t store_index_count(const struct store_index *x, enum store_rec_kind kind);

/* The labels of id, in v; false: it is not of that kind, or damaged. */
bool store_index_labels(struct store_index *x, uint32_t id,
    enum store_rec_kind kind, struct label *v, struct labels *out);

/*
 * Call each for the series that match, in label order but for names that sort
 * before __name__; nm 0: all.  What each is given is void when it returns, but
 * for the strings.  It returns -1 to stop.
 */
typedef int store_index_each(
    void *arg, uint32_t id, enum store_rec_kind kind, struct labels ls);
int store_index_match(struct store_index *x, const struct match *m, size_t nm,
    store_index_each *each, void *arg);

/*
 * The same without the labels, for who wants few of them or none: where they
 * are, for store_index_row().  Are all series in label order?
 */
typedef int store_index_each_row(
    void *arg, uint32_t id, uint32_t table, uint32_t row);
int store_index_match_rows(struct store_index *x, const struct match *m,
    size_t nm, store_index_each_row *each, void *arg);
bool store_index_ordered(struct store_index *x);

/*
 * The labels of rows, one after the other; those of one table together are
 * cheap.  Begin with all zero but what is wanted.
 */
struct store_index_rows {
	bool some; /* only those in names */
	const str *names;
	size_t nnames;
	/* The rest is the index's. */
	uint32_t table; /* + 1 */
	bool good;
	struct label name; /* __name__ */
	uint32_t *col;     /* the columns wanted */
	size_t n, cap;
	size_t turn; /* columns before this one come before __name__ */
	bool named;
};

/* False: they are damaged. */
bool store_index_row(struct store_index *x, struct store_index_rows *w,
    uint32_t table, uint32_t row, struct label *v, struct labels *out);
void store_index_rows_fini(struct store_index_rows *w);

/* All of it, of every kind. */
int store_index_walk(struct store_index *x, store_index_each *each, void *arg);

/* Tables and columns that cannot be read; bad symbols count as one each. */
size_t store_index_damage(struct store_index *x);

/*
 * Write the index of all that a day's dictionary has, and put it in the place
 * of the one before.  On return it is there and on the disk.
 */
int store_index_make(struct store_dict *d, int dirfd, struct error *e);

#endif
