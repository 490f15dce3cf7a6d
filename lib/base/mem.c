/*
 * The one place where running out of memory is noticed, and the one place in
 * lib that prints and exits.
 */
#include "base/mem.h"

#include <err.h>
#include <stdint.h>
#include <stdlib.h>

void *
mem_alloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (p == NULL)
		err(1, "out of memory");
	return p;
}

void *
mem_zero(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (p == NULL)
		err(1, "out of memory");
	return p;
}

void *
mem_grow(void *p, size_t *cap, size_t n, size_t size)
{
	size_t want = *cap;

	if (n <= want)
		return p;
	while (want < n)
		want = want < 8 ? 8 : want > SIZE_MAX / 2 ? n : want * 2;
	if ((p = reallocarray(p, want, size)) == NULL)
		err(1, "out of memory");
	*cap = want;
	return p;
}

char *
mem_cstr(str s)
{
	char *p = mem_alloc(s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}
