/*
 * The bytes of a store, as mf-store(5) tells them; private to the folder.
 * Everything is little-endian and aligned to its size.
 *
 *	store/format		"mf-store 1": this directory is ours
 *	store/lock		flock(2)ed by a writer while it commits
 *	store/meta.log		metadata: records, as series.log has them
 *	store/cache/X		what a source's last page looked like; derived
 *	store/20261122/		one UTC day
 *	    series.log		label sets; a series' id is its offset / 8
 *	    series.hash		finds them by hash; derived
 *	    index		the same label sets as columns
 *	    000001.seg		frames; the highest number is written to
 *	    000001-000016.part	what those segments said, sealed: columns
 *
 * Files only grow.  A frame counts when its slot is there, and a batch when
 * the slot flagged STORE_LAST is: that one is written last.
 */
#ifndef STORE_FORMAT_H
#define STORE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crc32c.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
    "the files are little-endian and used as they lie");

#define STORE_FORMAT "mf-store 1\n"
#define STORE_VERSION 1
#define STORE_LOG_MAGIC "mfseries"
#define STORE_HASH_MAGIC "mfserhsh"
#define STORE_META_MAGIC "mfmeta\0\0"
#define STORE_SEG_MAGIC "mfsegmnt"
#define STORE_CACHE_MAGIC "mflayout"

/* A column that has no sample in a row. */
#define STORE_ABSENT UINT64_C(0x7ff0000000000003)

/* The head of series.log and meta.log. */
struct store_log_head {
	char magic[8];
	uint16_t version;
	uint16_t check; /* of base: low bits of its CRC; 0 if it is 0 */
	uint32_t base;  /* what stands before it in an index, / 8 */
};

/*
 * A record: this, size bytes, zeros up to a multiple of 8.  The CRC is that of
 * the head with crc 0 and of the bytes.
 */
struct store_rec {
	uint32_t size; /* low 24 bits; the high 8: enum store_rec_kind */
	uint32_t crc;
	uint64_t hash; /* XXH3 of the bytes */
};

#define STORE_REC_MAX 0xffffff

enum store_rec_kind {
	STORE_REC_SERIES, /* "name\0value\0...", sorted by name */
	STORE_REC_SOURCE, /* the same: the labels of a batch */
	STORE_REC_META,   /* "job\0metric\0KIND\0text" */
};

/* The head of series.hash; cap pairs follow. */
struct store_hash_head {
	char magic[8];
	uint32_t version;
	uint32_t zero;
	uint8_t boot[16]; /* after a boot it is not believed */
	uint64_t cap;     /* a power of two */
	uint64_t n;
	uint64_t done;  /* bytes of series.log that are in it */
	uint64_t check; /* of cap and done */
};

struct store_hash_pair {
	uint64_t hash;
	uint32_t id;    /* 0: free */
	uint32_t check; /* of both; 0 when free */
};

/* The head of a segment fills one page. */
#define STORE_SEG_HEAD 4096
#define STORE_SEG_SLOTS 65536
#define STORE_SEG_BYTES (UINT64_C(1) << 30)

struct store_seg_head {
	char magic[8];
	uint32_t version;
	uint32_t cap; /* slots */
	uint8_t boot[16];
	uint32_t day; /* 20261122 */
	uint32_t no;
	uint32_t high; /* newest sample of the day before it, ms of day */
	uint32_t crc;  /* of all before it */
	/* Not covered by the CRC, since it is set later: */
	uint32_t closed; /* nothing more is written to it */
};

/*
 * An index: this; blocks of symbols, then columns, without gaps; then the
 * directory, zstd if that is less: of blocks, tables and columns as many as are
 * told here.
 */
#define STORE_INDEX_MAGIC "mfindex\0"
#define STORE_INDEX_BLOCK 16384 /* bytes of symbols, or one symbol */
#define STORE_INDEX_RATIO 16384 /* unpacked to packed ones, at most */

struct store_index_head {
	char magic[8];
	uint32_t version;
	uint32_t day;
	uint64_t end; /* bytes of series.log that are in it */
	uint64_t dir; /* offset of the directory, which ends the file */
	uint32_t dirlen, dirraw; /* bytes of it here, and unpacked */
	uint32_t nsymbols;
	uint32_t nblocks, ntables, ncolumns;
	uint32_t dircrc; /* of the directory as it lies here */
	uint32_t crc;    /* of all before it */
};

_Static_assert(sizeof(struct store_index_head) == 64, "no holes");

/* The next n symbols, rising, each ended by a NUL; zstd if that is less. */
struct store_index_block {
	uint32_t len, raw; /* bytes here, and unpacked */
	uint32_t n;
	uint32_t crc;
};

/* Rows of one kind and name, rising by both; the next n columns are its. */
struct store_index_table {
	uint32_t kind; /* enum store_rec_kind */
	uint32_t name; /* symbol of __name__; 0: has none */
	uint32_t rows;
	uint32_t n;
};

/*
 * A number for each row, an id or a symbol, as packed zigzag differences to the
 * one before; zstd if that is less.
 */
struct store_index_column {
	uint32_t len, raw;
	uint32_t label; /* symbol; rising in a table; 0: ids, the first */
	uint32_t crc;
};

enum store_frame {
	STORE_FRAME_I = 1, /* layout: u32 id[n] */
	STORE_FRAME_V,     /* row: f64 v[n], all at the batch's time */
	STORE_FRAME_T,     /* row with times: f64 v[n]; u32 t[n] */
	STORE_FRAME_X,     /* any: struct store_x and what follows it */
	STORE_FRAME_C,     /* comments: struct store_comment, each with text */
};

enum store_slot_flag {
	STORE_LAST = 1,    /* the batch is complete */
	STORE_ORDER = 2,   /* X: u32 order[n] stands at the end */
	STORE_REPLACE = 4, /* its samples win over earlier ones */
	STORE_LOST = 8,    /* with LAST: it has series whose labels are lost */
};

#define STORE_NO_SLOT UINT32_MAX
#define STORE_BATCH_SLOTS 16 /* at most */

struct store_slot {
	uint64_t off;        /* of the frame in the file */
	int64_t t;           /* of the batch */
	uint32_t len;        /* bytes of the frame, without its CRCs */
	uint32_t n;          /* samples in it */
	uint32_t ref;        /* slot of the layout in use, or STORE_NO_SLOT */
	uint32_t source;     /* id of the source's record; 0: none */
	uint32_t tmin, tmax; /* of its samples, ms of day */
	uint32_t high;       /* newest sample of the day so far, ms of day */
	uint32_t shigh;      /* the same of this source in this segment */
	uint8_t type;
	uint8_t flags;
	uint16_t back; /* slots of the same batch before this one */
	uint32_t fcrc; /* of the frame's CRCs */
	uint32_t log;  /* length of series.log then, / 8: no id is used twice */
	uint32_t crc;  /* of the slot before it */
};

_Static_assert(sizeof(struct store_slot) == 64, "a slot is a cache line");

/*
 * X: v[n] f64; id[nser], end[nser] u32; t[n] u32, ms of day; order[n] u32 if
 * flagged.  Series by series (id rising), in time order; series k's samples
 * are end[k-1]..end[k].  order[i] is sample i's place in the batch as it came.
 */
struct store_x {
	uint32_t nser, n;
};

/*
 * C: what follows the series in a comment line, kept as text; zeros up to a
 * multiple of 8.
 */
struct store_comment {
	uint32_t id;
	uint32_t t;    /* ms of day */
	uint32_t kind; /* enum store_comment_kind */
	uint32_t len;
};

enum store_comment_kind {
	STORE_COMMENT_KEYS = 1, /* of the BATCH line; id is 0 */
	STORE_COMMENT_HIST,
	STORE_COMMENT_EXEMPLAR,
	STORE_COMMENT_START,
};

/*
 * A file of cache/: this; the source's key, zeros up to a multiple of 8; n
 * lines.
 */
struct store_cache_head {
	char magic[8];
	uint32_t version;
	uint32_t crc; /* of all behind it */
	uint32_t day;
	uint32_t seg, layout; /* the layout's segment and slot */
	uint32_t cols;        /* of the layout */
	uint32_t n;
	uint32_t key; /* its bytes */
};

struct store_cache_line {
	uint64_t hash; /* of the series as it stands, or of the whole line */
	uint32_t len;
	uint32_t col; /* of the layout; all ones: a line of metadata */
};

/*
 * A part: this, then stripes, layouts, pages and blocks as they came to be
 * written, then the directory: of each kind as many as are told here, in the
 * order of the numbers, without gaps.
 */
#define STORE_SEALED_MAGIC "mfsealed"
#define STORE_SEALED_PAGE 1024                 /* slots of a page, at most */
#define STORE_SEALED_ROWS 1024                 /* rows of a stripe, at most */
#define STORE_SEALED_CELLS ((uint64_t)4 << 20) /* and rows x columns */
#define STORE_SEALED_GROUP 16                  /* columns under one CRC */
#define STORE_SEALED_BLOCK 65536

struct store_sealed_head {
	char magic[8];
	uint32_t version;
	uint32_t day;
	uint32_t first, last; /* the segments it stands for */
	uint32_t slots, batches;
	uint32_t high;       /* newest sample of the day to its end; or ones */
	uint32_t log;        /* as in the last slot */
	uint32_t tmin, tmax; /* of its samples, ms of day */
	uint64_t samples;
	uint64_t dropped; /* what retention took out, as a hash; 0: nothing */
	uint64_t dir;     /* offset of the directory */
	uint32_t nstripes, nlayouts, npages, nblocks, nsources, nothers;
	uint32_t dircrc; /* of the directory */
	uint32_t crc;    /* of all before it */
};

_Static_assert(sizeof(struct store_sealed_head) == 104, "no holes");

/*
 * Rows of a source over a layout.  In front: their slots, their times (ms of
 * day), as columns of integers; the bytes of each column, packed; a u32 CRC of
 * each group of columns.  Then the columns.
 */
struct store_stripe {
	uint64_t off;
	uint32_t len;
	uint32_t front; /* bytes in front of the columns */
	uint32_t layout;
	uint32_t source;
	uint32_t rows;
	uint32_t flags; /* STORE_REPLACE, of all rows */
	uint32_t tmin, tmax;
	uint32_t first, last; /* slots */
	uint32_t crc;         /* of the front */
	uint32_t zero;
};

/* Ids: the first, then differences, zigzag, packed. */
struct store_sealed_layout {
	uint64_t off;
	uint32_t len;
	uint32_t n;
	uint32_t min, max; /* of the ids: whose it is not, need not look */
	uint32_t crc;
	uint32_t zero;
};

/* Slots of whole batches, as columns of integers (store/sealed.c). */
struct store_sealed_page {
	uint64_t off;
	int64_t t; /* of the earliest batch */
	uint32_t len;
	uint32_t first, n;   /* slots */
	uint32_t tmin, tmax; /* of their samples */
	uint32_t crc;
};

/* T, X and C frames (store/loose.h), each padded to 8; zstd if that is less. */
struct store_sealed_block {
	uint64_t off;
	uint32_t len, raw; /* bytes here, and unpacked */
	uint32_t crc;
	uint32_t timed; /* not 0: T rows of a layout (store/timed.h) */
};

/* A slot that is no V, so that a query need not look for it. */
struct store_sealed_other {
	uint32_t slot, type;
	uint32_t tmin, tmax;
};

/* Rising by source. */
struct store_sealed_source {
	uint32_t source;
	uint32_t last; /* the last slot of its last batch */
};

/*
 * Behind each frame stand the CRC32Cs of its blocks of CRC32C_BLOCK bytes;
 * zeros up to 8.
 */

#endif
