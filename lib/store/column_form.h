/*
 * What a column looks like, for the two files that make and read it.
 */
#ifndef STORE_COLUMN_FORM_H
#define STORE_COLUMN_FORM_H

#include "base/num.h"

/*
 * A column:
 *
 *	u8	kind (2 bits) | e (4 bits) | form (2 bits)
 *
 * and for a constant, with e 15, its 8 bytes, else a zigzag varint of d; for
 * the other kinds
 *
 *	u8	shift (6 bits) | 64 if exceptions follow
 *		exceptions - 1, then for each the number of values between the
 *		one before and it, and its 8 bytes (both numbers varints)
 *		first, zigzag varint: the least value (form 0) or the first
 *	 	second, zigzag varint: but for form 0
 *		residuals, packed
 *		with ULP, a distance for each value, zigzag, packed
 *
 * Values that are exceptions repeat the one before them in the numbers.
 *
 * A column with STORE_ABSENT in it has kind 0 and, as form, 1: the number of
 * runs, then their lengths (varints), of values and of absent ones by turns,
 * values first; then the values as a column; or 2: all are absent.
 */
enum kind {
	CONSTANT,
	DECIMAL,
	ULP,
	RAW, /* and integers */
};

#define CONST_RAW 15

/* Forms of a constant. */
#define HOLES 1
#define NOTHING 2

/* What residuals are; second is what they are counted from. */
enum form {
	LEVEL,  /* d - first, not negative */
	CENTRE, /* delta - second, zigzag */
	RISE,   /* delta - second, not negative */
	TWICE,  /* delta of delta, zigzag; second is the first delta */
	FORMS,
};

#define EXCEPTIONS 64
#define E_MAX 15

#endif
