/*
 * A growing string: every printer of the house writes into one.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

void
buf_init(struct buf *b)
{
	*b = (struct buf){ 0 };
}

void
buf_fini(struct buf *b)
{
	free(b->p);
	buf_init(b);
}

void
buf_reset(struct buf *b)
{
	b->n = 0;
}

char *
buf_reserve(struct buf *b, size_t n)
{
	if (b->cap - b->n <= n)
		b->p = mem_grow(b->p, &b->cap, b->n + n + 1, 1);
	return b->p + b->n;
}

void
buf_add(struct buf *b, str s)
{
	if (s.n == 0)
		return;
	memcpy(buf_reserve(b, s.n), s.p, s.n);
	b->n += s.n;
}

void
buf_byte(struct buf *b, char c)
{
	*buf_reserve(b, 1) = c;
	b->n++;
}

void
buf_z(struct buf *b, const char *z)
{
	buf_add(b, str_of(z));
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	(void)buf_reserve(b, (size_t)n);
	va_start(ap, fmt);
	(void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	if (n < b->n)
		memmove(b->p, b->p + n, b->n - n);
	b->n = n < b->n ? b->n - n : 0;
}

str
buf_str(const struct buf *b)
{
	return (str){ b->p, b->n };
}

const char *
buf_cstr(struct buf *b)
{
	*buf_reserve(b, 0) = '\0';
	return b->p;
}
