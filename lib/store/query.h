/*
 * A query's plan: the series that match, in label order, and where in each
 * segment their samples lie.  Made in one pass over slots and layouts; source.c
 * then reads a bounded number of series at a time.
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include "metric/source.h"
#include "store/dir.h"
#include "store/ids.h"
#include "store/sealed.h"

/*
 * A series on one day.  Its labels are made when they are asked for, unless
 * series must be held against each other: then they are in the query's arena.
 */
struct store_hit {
	struct labels labels; /* v NULL: not made */
	str bytes; /* as the log has them; p NULL: in the index, at */
	uint32_t table, row;
	uint32_t day; /* index in the query's days */
	uint32_t id;
	uint32_t series; /* which of the query's */
};

/* A wanted column of a layout. */
struct store_want {
	uint32_t series, col;
};

/* Sort by column, or by series. */
void store_want_sort(struct store_want *v, size_t n, bool by_series);

/* A layout and its wanted columns; shared by segments that repeat it. */
struct store_plan {
	const struct store_layout *layout;
	uint32_t n;              /* columns */
	struct store_want *want; /* by column, or by series */
	bool by_series;
	size_t nwant;
};

/* The frames of a segment that lie over one layout, or its X or C frames. */
struct store_run {
	struct store_plan *plan; /* NULL: X, or C */
	bool comments;           /* C */
	bool sealed;             /* a stripe of a part */
	uint32_t stripe;
	bool rising;    /* V frames alone, whose times rise */
	uint32_t high;  /* the last one's */
	uint32_t *slot; /* rising; NULL of a stripe */
	size_t n, cap;
};

struct store_qseg {
	const struct store_seg *seg;
	struct store_run *run;
	size_t n, cap;
	bool mixed; /* a series is of several runs */
};

struct store_qday {
	struct store_day *d;
	uint32_t lo, hi;         /* ms of day, inclusive */
	struct store_ids ids;    /* id to series; empty until it is asked for */
	struct store_want *byid; /* series and id (as col), by id */
	size_t nids;
	struct store_qseg *seg;
	size_t nseg;
};

#define STORE_QUERY_COLS 128

struct store_query {
	struct arena a;
	struct store_hit *hit; /* by labels, then day */
	size_t nhit, hitcap;
	struct store_index_rows rows; /* from which labels are made */
	bool unordered;               /* never mind the order of series */
	uint32_t *first; /* of series k: hit[first[k]] .. hit[first[k + 1]] */
	uint64_t *most;  /* samples it can have, at most */
	size_t n;        /* series */
	struct store_qday *day;
	size_t nday;
	bool replace; /* some frames win over earlier ones */
	bool framed;  /* some are of frames, not of stripes */
	bool loose;   /* some are of frames that lie over no layout */
	bool ranks;   /* samples do not come in the order of commits */
	struct store_cols *cols[1 + STORE_QUERY_COLS]; /* those not kept: 0 */
	bool wants_histograms;
	bool any_value; /* never mind what numbers they are */
	bool last;      /* of a run only each series' newest sample is wanted */
	bool histograms; /* some samples are */
};

int store_query_init(struct store_query *q, struct store *s,
    const struct source_query *sq, struct error *e);
void store_query_fini(struct store_query *q);

/*
 * A stripe to read, until another one takes its place: of those that are to be
 * kept, many stay open.  NULL: it is damaged.
 */
struct store_cols *store_query_cols(
    struct store_query *q, struct store_sealed *x, uint32_t stripe, bool keep);

/* The series of a day's id, or STORE_IDS_NONE. */
uint32_t store_query_id(struct store_qday *d, uint32_t id);

/*
 * The labels of series k, those that are wanted, in v; false: they are damaged.
 */
bool store_query_labels(struct store_query *q, size_t k,
    struct label v[STORE_LABELS_MAX], struct labels *out);

/* have[k]: series k has a sample. */
void store_query_seen(struct store_query *q, bool *have);

#endif
