/*
 * What "mf-scrape targets" knows of each target, from a configuration and from
 * the state file of the running mf-scrape; and the forms it is printed in.
 */
#ifndef SCRAPE_ROWS_H
#define SCRAPE_ROWS_H

#include "scrape_cmd.h"

enum scrape_row_kind {
	SCRAPE_ROW_ACTIVE,
	SCRAPE_ROW_DROPPED,   /* by relabelling, or no target at all: error */
	SCRAPE_ROW_DISCOVERY, /* one that fails: pool and error alone */
};

/* All of it lives in the arena of its list. */
struct scrape_row {
	enum scrape_row_kind kind;
	str pool; /* the job's name */
	struct labels labels, discovered;
	str url, error;
	int64_t interval, timeout; /* ms */
	int64_t at, took;          /* of the last scrape, ms; at 0: none */
	int64_t samples;
};

struct scrape_rows {
	struct arena a;
	struct scrape_row *v;
	size_t n, cap;
};

void scrape_rows_fini(struct scrape_rows *r);
struct scrape_row *scrape_rows_add(struct scrape_rows *r);

/* Read the state file's text.  False: something in it was told as bad. */
bool scrape_rows_state(struct scrape_rows *r, const char *name, str text);

/* Add those of a set; how it went last with each is taken from state. */
void scrape_rows_set(struct scrape_rows *r, const struct scrape_set *set,
    const struct scrape_rows *state);

/* "up", "down", "unknown"; "dropped", "failing" for what is no target. */
const char *scrape_rows_health(const struct scrape_row *r);

/*
 * Aligned columns for people, and below each row what it was made from and
 * what is wrong, folded at width (0: not); brief leaves that out.
 */
void scrape_rows_table(const struct scrape_rows *r, struct buf *b, int64_t now,
    size_t width, bool brief);

/* An object a line, with the keys of Prometheus's /api/v1/targets. */
void scrape_rows_json(const struct scrape_rows *r, struct buf *b);

#endif
