/* base/map. */
#include <stdlib.h>

#include "check.h"

#include "base/map.h"

#define N 20000

int
main(void)
{
	struct map m = { 0 };
	struct map_slot *s;
	static char key[N][16];
	bool fresh, good = true;
	size_t n = 0;

	CHECK(map_find(&m, STR("x")) == NULL && !map_del(&m, STR("x")));
	CHECK(map_next(&m, NULL) == NULL);
	for (size_t i = 0; i < N; i++) {
		(void)snprintf(key[i], sizeof(key[i]), "k%zu", i);
		s = map_add(&m, str_of(key[i]), &fresh);
		good = good && fresh && s->v.i == 0;
		s->v.i = i;
	}
	for (size_t i = 0; i < N; i++) {
		s = map_find(&m, str_of(key[i]));
		good = good && s != NULL && s->v.i == i;
	}
	CHECK(good && m.n == N);
	s = map_add(&m, str_of(key[7]), &fresh);
	CHECK(!fresh && s->v.i == 7);

	/* delete every second while walking */
	for (s = NULL; (s = map_next(&m, s)) != NULL;)
		if (s->v.i % 2 == 0)
			good = good && map_del(&m, s->key);
	CHECK(good && m.n == N / 2);
	for (size_t i = 0; i < N; i++)
		good = good &&
		    (map_find(&m, str_of(key[i])) != NULL) == (i % 2 == 1);
	CHECK(good);

	/* churn: deleted slots are swept, the table does not grow for ever */
	n = m.cap;
	for (size_t round = 0; round < 50; round++) {
		for (size_t i = 0; i < N; i += 2)
			map_add(&m, str_of(key[i]), NULL)->v.i = i;
		for (size_t i = 0; i < N; i += 2)
			good = good && map_del(&m, str_of(key[i]));
	}
	CHECK(good && m.n == N / 2 && m.cap <= 2 * n);
	CHECK(map_find(&m, STR("none")) == NULL);
	map_reset(&m);
	CHECK(m.n == 0 && map_find(&m, str_of(key[1])) == NULL);
	CHECK(map_add(&m, STR_NONE, NULL) == map_find(&m, STR("")));
	map_fini(&m);
	return done();
}
