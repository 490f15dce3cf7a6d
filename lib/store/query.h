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

/* A series on one day. */
struct store_hit {
	struct labels labels; /* into the day's log */
	uint32_t day;         /* index in the query's days */
	uint32_t id;
	uint32_t series; /* which of the query's */
};

/* A wanted column of a layout. */
struct store_want {
	uint32_t series, col;
};

/* A layout and its wanted columns; shared by segments that repeat it. */
struct store_plan {
	const struct store_layout *layout;
	uint32_t n;              /* columns */
	struct store_want *want; /* by series */
	size_t nwant;
};

/* The frames of a segment that lie over one layout, or its X or C frames. */
struct store_run {
	const struct store_plan *plan; /* NULL: X, or C */
	bool comments;                 /* C */
	bool sealed;                   /* a stripe of a part */
	uint32_t stripe;
	bool rising;    /* V frames alone, whose times rise */
	uint32_t high;  /* the last one's */
	uint32_t *slot; /* rising; NULL of a stripe */
	uint8_t *sound; /* which of them, or of their blocks, are checked */
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
	struct store_ids ids;    /* id to series */
	struct store_want *byid; /* series and id (as col), by id */
	size_t nids;
	struct store_qseg *seg;
	size_t nseg;
};

struct store_query {
	struct arena a;
	struct store_hit *hit; /* by labels, then day */
	size_t nhit, hitcap;
	uint32_t *first; /* of series k: hit[first[k]] .. hit[first[k + 1]] */
	uint64_t *most;  /* samples it can have, at most */
	size_t n;        /* series */
	struct store_qday *day;
	size_t nday;
	bool replace; /* some frames win over earlier ones */
	bool loose;   /* some are of frames that lie over no layout */
	bool ranks;   /* samples do not come in the order of commits */
	struct store_cols *cols; /* of the stripe that is looked at */
	bool wants_histograms;
	bool last; /* of a run only each series' newest sample is wanted */
	bool histograms; /* some samples are */
};

int store_query_init(struct store_query *q, struct store *s,
    const struct source_query *sq, struct error *e);
void store_query_fini(struct store_query *q);

/* have[k]: series k has a sample. */
void store_query_seen(struct store_query *q, bool *have);

#endif
