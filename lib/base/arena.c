/*
 * Blocks that double up to 1 MiB; objects are cut from the newest one.  A
 * request larger than a block gets a block of its own.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define ALIGN _Alignof(max_align_t)
#define FIRST ((size_t)4096)
#define LARGEST ((size_t)1 << 20)

struct arena_block {
	struct arena_block *next;
	size_t n;
	_Alignas(max_align_t) char data[];
};

void
arena_init(struct arena *a)
{
	*a = (struct arena){ 0 };
}

void
arena_fini(struct arena *a)
{
	struct arena_block *b, *next;

	for (b = a->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	arena_init(a);
}

void
arena_reset(struct arena *a)
{
	struct arena_block *b, *next, *keep = NULL;

	for (b = a->blocks; b != NULL; b = next) {
		next = b->next;
		if (b->n <= LARGEST && (keep == NULL || b->n > keep->n)) {
			free(keep);
			keep = b;
		} else {
			free(b);
		}
	}
	arena_init(a);
	if (keep != NULL) {
		keep->next = NULL;
		a->blocks = keep;
		a->at = keep->data;
		a->end = keep->data + keep->n;
	}
}

static void *
fresh(struct arena *a, size_t n)
{
	size_t size = a->blocks == NULL ? FIRST : a->blocks->n * 2;
	struct arena_block *b;

	if (size > LARGEST)
		size = LARGEST;
	if (n > size)
		size = n;
	b = mem_alloc(sizeof(*b) + size);
	b->n = size;
	if (n > LARGEST / 4 && a->blocks != NULL) {
		b->next = a->blocks->next;
		a->blocks->next = b;
		return b->data;
	}
	b->next = a->blocks;
	a->blocks = b;
	a->at = b->data + n;
	a->end = b->data + size;
	return b->data;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	char *p = a->at;

	if (n > SIZE_MAX - LARGEST)
		return mem_alloc(SIZE_MAX);
	n = (n + ALIGN - 1) & ~(ALIGN - 1);
	if (n == 0)
		n = ALIGN;
	if (p == NULL || n > (size_t)(a->end - p))
		return fresh(a, n);
	a->at = p + n;
	return p;
}

void *
arena_zero(struct arena *a, size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes))
		bytes = SIZE_MAX;
	p = arena_alloc(a, bytes);
	memset(p, 0, bytes);
	return p;
}

void *
arena_grow(struct arena *a, void *p, size_t *cap, size_t n, size_t size)
{
	size_t want = *cap < 8 ? 8 : *cap;
	void *q;

	if (n <= *cap)
		return p;
	while (want < n)
		want *= 2;
	q = arena_zero(a, want, size);
	if (*cap > 0)
		memcpy(q, p, *cap * size);
	*cap = want;
	return q;
}

char *
arena_cstr(struct arena *a, str s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

str
arena_dup(struct arena *a, str s)
{
	return (str){ arena_cstr(a, s), s.n };
}

str
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	int n;
	char *p;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return STR_NONE;
	p = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return (str){ p, (size_t)n };
}
