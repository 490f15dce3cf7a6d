/*
 * A growing string of bytes.  All zero is an empty one; buf_fini() frees it.
 * There is always room for a NUL behind the bytes, see buf_cstr().
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

struct buf {
	char *p;
	size_t n, cap;
};

void buf_init(struct buf *b);
void buf_fini(struct buf *b);

/* Empty it, keep the memory. */
void buf_reset(struct buf *b);

/* Room for n more bytes; returns where they go.  b->n is the caller's. */
char *buf_reserve(struct buf *b, size_t n);

void buf_add(struct buf *b, str s);
void buf_byte(struct buf *b, char c);
void buf_z(struct buf *b, const char *z);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Drop the first n bytes, move the rest to the front. */
void buf_drop(struct buf *b, size_t n);

/* What is in it, until the next change. */
str buf_str(const struct buf *b);

/* The same, ended by a NUL. */
const char *buf_cstr(struct buf *b);

#endif
