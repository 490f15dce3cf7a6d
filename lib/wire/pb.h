/*
 * Protocol buffers, read field by field without a description of the message:
 * the reader of a message knows its numbers.  Nothing is copied; what a field
 * points at lies in the bytes given.
 *
 *	struct pb m = pb_of(bytes);
 *	while ((k = pb_next(&m, &f, e)) == 1)
 *		if (f.number == 2 && pb_want(&f, PB_BYTES, e) == 0) ...
 *
 * And the little that a writer of them needs.
 */
#ifndef WIRE_PB_H
#define WIRE_PB_H

#include "base/buf.h"
#include "base/error.h"

enum pb_type {
	PB_VARINT = 0,
	PB_FIXED64 = 1,
	PB_BYTES = 2, /* a string, a message, packed numbers */
	PB_FIXED32 = 5,
};

struct pb {
	str in; /* what is left */
};

struct pb_field {
	uint32_t number;
	enum pb_type type;
	uint64_t v; /* of the three that are numbers */
	str bytes;
};

struct pb pb_of(str bytes);

/* The next field: 1, 0 at the end, -1 for what is no message. */
int pb_next(struct pb *m, struct pb_field *f, struct error *e);

/* A number alone: of a packed list, or the length before a message. */
int pb_varint(struct pb *m, uint64_t *v, struct error *e);
int pb_fixed64(struct pb *m, uint64_t *v, struct error *e);

/* A length, and so many bytes behind it. */
int pb_bytes(struct pb *m, str *bytes, struct error *e);

/* Is the field of this type?  0, or -1 with the message. */
int pb_want(const struct pb_field *f, enum pb_type type, struct error *e);

/* What a number means: a double (sint64 and sint32: varint_unfold()). */
double pb_double(uint64_t v);

/* Write a field: its tag and what is behind it. */
void pb_put_number(struct buf *b, uint32_t number, uint64_t v);
void pb_put_sint(struct buf *b, uint32_t number, int64_t v);
void pb_put_double(struct buf *b, uint32_t number, double v);
void pb_put_bytes(struct buf *b, uint32_t number, str bytes);

#endif
