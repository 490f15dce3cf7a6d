/*
 * A column of samples' values as few bytes, exactly: what sealed parts are
 * made of.
 *
 * Values become integers, the cheapest of: decimal (d / 10^e is the value, as
 * it is for whatever came from at most 15 digits of text; IEEE division of
 * exact operands rounds correctly, so it gives back each bit), decimal and a
 * second stream of the distance in units of the last place (values that an
 * exporter computed), or the ordered bits of the double.  Of the integers the
 * differences of order 0, 1 or 2 are taken, zeros that all end in are shifted
 * out, and what is left is packed in blocks of 128 with one width each; the
 * few that need more are patched.  Where a column has no sample (STORE_ABSENT)
 * is kept as lengths of runs, apart from the values.  (Decimals: P. Boncz et
 * al., "ALP", SIGMOD 2024; patched packing: M. Zukowski et al., "Super-scalar
 * RAM-CPU cache compression", ICDE 2006.)
 *
 * mf-store(5) has the bytes.
 */
#ifndef STORE_COLUMN_H
#define STORE_COLUMN_H

#include "base/buf.h"

#define STORE_COLUMN_MAX 1024 /* values in one */

/* Add a column of n values, 1 to STORE_COLUMN_MAX of them, to b. */
void store_column_put(struct buf *b, const double *v, size_t n);

/*
 * Read n values from the column that begins at p; at most len bytes are
 * touched.  Returns the bytes it took, or 0 if it is not a column of n values.
 */
size_t store_column_get(const uint8_t *p, size_t len, double *v, size_t n);

/*
 * Rows first to first + m - 1 alone of such a column go to v; what stands
 * behind them is not looked at.  False if it is none.
 */
bool store_column_rows(
    const uint8_t *p, size_t len, double *v, size_t n, size_t first, size_t m);

/* May the column that begins at p have STORE_ABSENT in it? */
bool store_column_holes(const uint8_t *p);

/*
 * Is it sure, without reading them, that all values of the column of len bytes
 * at p are numbers: neither absent nor staleness markers?
 */
bool store_column_numbers(const uint8_t *p, size_t len);

/* Columns of integers, of times for example: order and packing alone. */
void store_column_put_ints(struct buf *b, const int64_t *v, size_t n);
size_t store_column_get_ints(
    const uint8_t *p, size_t len, int64_t *v, size_t n);

#endif
