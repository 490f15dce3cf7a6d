/*
 * Linear probing, at most 3/4 full, deleted slots swept when it grows.
 */
#include "base/map.h"

#include <stdlib.h>

#include "base/mem.h"

#define FREE 0
#define GONE 1

void
map_init(struct map *m)
{
	*m = (struct map){ 0 };
}

void
map_fini(struct map *m)
{
	free(m->slots);
	map_init(m);
}

void
map_reset(struct map *m)
{
	if (m->cap > 0)
		memset(m->slots, 0, m->cap * sizeof(*m->slots));
	m->n = m->used = 0;
}

static uint64_t
hash(str key)
{
	uint64_t h = str_hash(key);

	return h <= GONE ? h + 2 : h;
}

struct map_slot *
map_find(const struct map *m, str key)
{
	uint64_t h = hash(key);
	size_t i;

	if (m->n == 0)
		return NULL;
	for (i = h & (m->cap - 1); m->slots[i].hash != FREE;
	     i = (i + 1) & (m->cap - 1))
		if (m->slots[i].hash == h && str_eq(m->slots[i].key, key))
			return &m->slots[i];
	return NULL;
}

static void
rehash(struct map *m)
{
	size_t cap = 16, j;
	struct map_slot *v;

	while (cap * 3 / 4 <= m->n * 3 / 2)
		cap *= 2;
	v = mem_zero(cap, sizeof(*v));
	for (size_t i = 0; i < m->cap; i++) {
		if (m->slots[i].hash <= GONE)
			continue;
		j = m->slots[i].hash & (cap - 1);
		while (v[j].hash != FREE)
			j = (j + 1) & (cap - 1);
		v[j] = m->slots[i];
	}
	free(m->slots);
	m->slots = v;
	m->cap = cap;
	m->used = m->n;
}

struct map_slot *
map_add(struct map *m, str key, bool *fresh)
{
	uint64_t h = hash(key);
	struct map_slot *s = map_find(m, key);
	size_t i;

	if (fresh != NULL)
		*fresh = s == NULL;
	if (s != NULL)
		return s;
	if (m->used + 1 > m->cap * 3 / 4)
		rehash(m);
	for (i = h & (m->cap - 1); m->slots[i].hash > GONE;
	     i = (i + 1) & (m->cap - 1))
		;
	if (m->slots[i].hash == FREE)
		m->used++;
	m->n++;
	m->slots[i] = (struct map_slot){ .hash = h, .key = key };
	return &m->slots[i];
}

bool
map_del(struct map *m, str key)
{
	struct map_slot *s = map_find(m, key);

	if (s == NULL)
		return false;
	*s = (struct map_slot){ .hash = GONE };
	m->n--;
	return true;
}

struct map_slot *
map_next(const struct map *m, struct map_slot *at)
{
	size_t i = at == NULL ? 0 : (size_t)(at - m->slots) + 1;

	for (; i < m->cap; i++)
		if (m->slots[i].hash > GONE)
			return &m->slots[i];
	return NULL;
}
