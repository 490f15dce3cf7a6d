/*
 * Numbers as text.  Parsing is exact (correctly rounded) with a fast path for
 * what pages hold; printing is the shortest text that reads back the same.
 * The locale never matters.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

/*
 * Two NaNs are told apart by their bits (Prometheus model/value): the
 * staleness marker, and the NaN every other NaN is brought to when read.
 */
#define NUM_STALE_BITS UINT64_C(0x7ff0000000000002)
#define NUM_NAN_BITS UINT64_C(0x7ff8000000000001)

uint64_t num_bits(double v);
double num_from_bits(uint64_t bits);
double num_nan(void);
double num_stale(void);
bool num_is_stale(double v);

/*
 * A float as Prometheus text takes it: Go's strconv.ParseFloat without hex
 * digits and underscores; NaN, Inf, +Inf, -Inf, infinity in any case.  The
 * whole of s must be the number.  Too large a number fails, as in Go.
 */
int num_parse(str s, double *v);

/*
 * The decimal number that p begins with (no word such as NaN): the place
 * behind it, or NULL if there is none up to end or it is too large.
 */
const char *num_scan(const char *p, const char *end, double *v);

/*
 * The same of a number that num_print() would print as it stands there, seen
 * without making a double of it; NULL if it would not, or that is not clear.
 */
const char *num_scan_printed(const char *p, const char *end);

/* A decimal integer with optional sign; the whole of s; overflow fails. */
int num_parse_int(str s, int64_t *v);

/*
 * As the stream prints a value (DESIGN 2): strconv.FormatFloat(v,'g',-1,64),
 * but integers below 2^53 in plain digits; NaN, +Inf, -Inf, -0.
 */
void num_print(struct buf *b, double v);

/*
 * strconv.FormatFloat(v, fmt, prec, 64): fmt 'e', 'f' or 'g'; prec -1 is the
 * shortest that reads back the same.  Such a 'g' has an exponent X when X < -4
 * or X >= 6, however many digits there are (100000, 1e+06, 1.2345678e+07): Go
 * decides as if prec were 6, and so does its %v.
 */
void num_format(struct buf *b, double v, char fmt, int prec);

/*
 * As labels le and quantile have it in OpenMetrics: the shortest 'g', and a
 * whole number shows its point (1.0, 2.5, 1e+06, +Inf).
 */
void num_print_om(struct buf *b, double v);

void num_print_int(struct buf *b, int64_t v);

#endif
