/*
 * Heap memory.  Out of memory ends the process here and nowhere else: no
 * caller tests an allocation.  Data files stay sound all the same, because
 * every write is an append with a checksum or an atomic rename.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/str.h"

/* n bytes, not cleared; free() gives them back. */
void *mem_alloc(size_t n);

/* n objects of size bytes, cleared; the product is checked. */
void *mem_zero(size_t n, size_t size);

/*
 * Make room for at least n objects of size bytes in p (NULL at first), whose
 * capacity is *cap; doubles, so that adding one at a time costs O(1).
 * Returns the block, which may have moved.
 */
void *mem_grow(void *p, size_t *cap, size_t n, size_t size);

/* A copy of s with a NUL behind it; free() gives it back. */
char *mem_cstr(str s);

#endif
