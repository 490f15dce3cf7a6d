/*
 * The answer to a query as text: a batch of mf text, the Prometheus API's
 * JSON, CSV or TSV.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "base/buf.h"
#include "promql/promql.h"

/* By name of -o ("text", "json", "csv", "tsv"); NULL if there is none such. */
struct answer_form;
const struct answer_form *answer_form(const char *name);

/*
 * Add the answer to expr to out; o is how it was asked.  A form with a head
 * line prints it when head is true: before the first answer of a process.
 * Of a long one in JSON out may have the end alone: the rest is on stdout.
 */
void answer_put(const struct answer_form *f, struct buf *out, str expr,
    const struct promql_opts *o, const struct promql_result *r, bool head);

/* Is there nothing in it: no series? */
bool answer_empty(const struct promql_result *r);

#endif
