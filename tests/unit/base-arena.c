/* base/arena. */
#include "check.h"

#include "base/arena.h"

int
main(void)
{
	struct arena a;
	char *p[200], *v = NULL;
	size_t cap = 0;
	bool good = true;

	arena_init(&a);
	/* many sizes, small and larger than any block, none overlapping */
	for (size_t i = 0; i < 200; i++) {
		size_t n = i % 50 == 49 ? (size_t)3 << 20 : i * 37;

		p[i] = arena_alloc(&a, n);
		good = good && (uintptr_t)p[i] % _Alignof(max_align_t) == 0;
		memset(p[i], (int)i, n);
	}
	for (size_t i = 1; i < 200; i++)
		good = good && p[i][0] == (char)i;
	CHECK(good);
	for (size_t i = 0; i < 1000; i++) {
		v = arena_grow(&a, v, &cap, i + 1, 1);
		v[i] = (char)i;
	}
	for (size_t i = 0; i < 1000; i++)
		good = good && v[i] == (char)i;
	CHECK(good && cap >= 1000);
	CHECK_STR(arena_dup(&a, STR("x\0y")), "x\0y");
	CHECK(strcmp(arena_cstr(&a, STR_NONE), "") == 0);
	CHECK_STR(arena_printf(&a, "%d-%s", 5, "x"), "5-x");
	CHECK(arena_array(&a, 3, long)[2] == 0);

	/* a reset keeps the largest block that is not huge, and it is usable */
	arena_reset(&a);
	CHECK(a.blocks != NULL);
	v = arena_alloc(&a, 100);
	CHECK(v != NULL && arena_alloc(&a, 0) != arena_alloc(&a, 0));
	arena_fini(&a);
	arena_reset(&a);
	CHECK(a.blocks == NULL && arena_new(&a, int) != NULL);
	arena_fini(&a);

	/* the first request may be larger than any block */
	v = arena_zero(&a, 5, (size_t)1 << 20);
	CHECK(v[(5 << 20) - 1] == 0 && arena_new(&a, int) != NULL);
	arena_reset(&a);
	CHECK(arena_new(&a, int) != NULL);
	arena_fini(&a);
	return done();
}
