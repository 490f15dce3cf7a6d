/*
 * The Prometheus HTTP API's common parts: its envelope, its errors, and the
 * parameters that all of its endpoints take.
 */
#ifndef SERVE_API_H
#define SERVE_API_H

#include "base/json.h"
#include "serve/context.h"

/* {"status":"error",...}; type as upstream's: bad_data, execution, ... */
void api_fail(struct exchange *x, int status, const char *type, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

/* {"status":"success","data": ... and the end of it. */
void api_begin(struct exchange *x, struct json_writer *w);
void api_end(struct json_writer *w, const str *warnings, size_t nwarnings,
    const str *infos, size_t ninfos);

/*
 * A time or duration parameter; absent, it leaves *t alone.  -1: answered
 * with the error.
 */
int api_time_param(struct exchange *x, const char *name, int64_t *t);
int api_dur_param(struct exchange *x, const char *name, int64_t *ms);

/* limit; 0: none. */
int api_limit(struct exchange *x, size_t *limit);

/* The samples, or NULL, answered. */
const struct source *api_source(struct exchange *x);

/* The endpoints. */
void api_query(struct exchange *x);
void api_query_range(struct exchange *x);
void api_label_names(struct exchange *x);
void api_label_values(struct exchange *x);
void api_series(struct exchange *x);
void api_metadata(struct exchange *x);

#endif
