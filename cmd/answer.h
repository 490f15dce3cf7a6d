/*
 * The answer to a query as text: a batch of mf text, the Prometheus API's
 * JSON, a table for people, or lines of CSV, TSV or JSON.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "base/buf.h"
#include "base/date.h"
#include "promql/promql.h"

struct answer {
	str expr;
	const struct promql_opts *o; /* how it was asked */
	const struct promql_result *r;
	const struct date_zone *zone; /* of times for people; NULL: UTC */
	bool head;    /* nothing was printed before it: a head line is due */
	bool several; /* there are answers to other expressions, too */
};

/*
 * By name of -o ("stream" or "text", "table", "json", "ndjson", "csv", "tsv");
 * NULL if there is none such.
 */
struct answer_form;
const struct answer_form *answer_form(const char *name);

/*
 * Add an answer to out.  Of a long one out may have the end alone: the rest
 * is on stdout.
 */
void answer_put(
    const struct answer_form *f, struct buf *out, const struct answer *a);

/* Is there nothing in it: no series? */
bool answer_empty(const struct promql_result *r);

/*
 * For the forms of a line a sample: a result's values one by one.  A scalar
 * and a string are one row without labels.
 */
struct answer_rows {
	const struct promql_result *r;
	size_t i, k;
};
struct answer_row {
	struct labels labels;
	int64_t t;
	double v;
	const struct histogram *h; /* NULL: v is the value */
	const str *text;           /* of a string, else NULL */
};
bool answer_next(struct answer_rows *x, struct answer_row *row);
void answer_put_value(struct buf *out, const struct answer_row *row);
/* RFC 3339 in the zone. */
void answer_put_time(struct buf *out, int64_t t, const struct date_zone *z);

/* answer_table.c */
void answer_put_table(struct buf *out, const struct answer *a);

#endif
