/*
 * A region of memory for one unit of work: a scrape, a query, a configuration,
 * a notification.  What is allocated in it lives until arena_reset() or
 * arena_fini(); nothing is freed by itself.  A function that takes a struct
 * arena * returns something that lives there.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena_block;

/* All zero is an empty arena. */
struct arena {
	struct arena_block *blocks;
	char *at, *end;
};

void arena_init(struct arena *a);
void arena_fini(struct arena *a);

/* Forget everything, keep the largest block for the next unit of work. */
void arena_reset(struct arena *a);

/* n bytes, aligned for any object, not cleared. */
void *arena_alloc(struct arena *a, size_t n);

/* n objects of size bytes, cleared; the product is checked. */
void *arena_zero(struct arena *a, size_t n, size_t size);

/*
 * As mem_grow, in an arena: the old block of *cap objects is copied, not
 * freed.
 */
void *arena_grow(struct arena *a, void *p, size_t *cap, size_t n, size_t size);

/* A copy of s, with a NUL behind it that is not counted. */
str arena_dup(struct arena *a, str s);
char *arena_cstr(struct arena *a, str s);

str arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* One cleared object of a type; an array of n. */
#define arena_new(a, type) ((type *)arena_zero((a), 1, sizeof(type)))
#define arena_array(a, n, type) ((type *)arena_zero((a), (n), sizeof(type)))

#endif
