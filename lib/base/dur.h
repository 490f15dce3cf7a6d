/*
 * Durations, in milliseconds.  Prometheus's text ("1h30m", units y w d h m s
 * ms in that order, each once; prometheus/common/model) and Go's ("1h30m0s",
 * "1.5s"; time.ParseDuration).
 */
#ifndef BASE_DUR_H
#define BASE_DUR_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/* Prometheus text to ms; "0" is taken.  Errors are worded as upstream's. */
int dur_parse(str s, int64_t *ms, struct error *e);

/* The same with a leading '-' allowed (PromQL offsets, relative times). */
int dur_parse_signed(str s, int64_t *ms, struct error *e);

/* As model.Duration.String(): "1h30m", "1d", "0s". */
void dur_print(struct buf *b, int64_t ms);

/* Go text to ns, and as time.Duration.String() prints ns: "1m30s", "1.5s". */
int dur_parse_go(str s, int64_t *ns, struct error *e);
void dur_print_go(struct buf *b, int64_t ns);

#endif
