/*
 * Open addressing over a multiplicative hash: ids are offsets, so their low
 * bits are as good as any once they have been spread.
 */
#include "store/ids.h"

#include <stdlib.h>

#include "base/mem.h"

static size_t
place(const struct store_ids *m, uint32_t id)
{
	return (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (m->cap - 1);
}

void
store_ids_fini(struct store_ids *m)
{
	free(m->slot);
	m->slot = NULL;
	m->n = m->cap = 0;
}

void
store_ids_reset(struct store_ids *m, size_t n)
{
	size_t cap = 64;

	while (cap < n + n / 2)
		cap *= 2;
	free(m->slot);
	m->slot = mem_zero(cap, sizeof(*m->slot));
	m->cap = cap;
	m->n = 0;
}

uint32_t
store_ids_find(const struct store_ids *m, uint32_t id)
{
	if (m->n == 0)
		return STORE_IDS_NONE;
	for (size_t i = place(m, id); m->slot[i].id != 0;
	     i = (i + 1) & (m->cap - 1))
		if (m->slot[i].id == id)
			return m->slot[i].v;
	return STORE_IDS_NONE;
}

static void
grow(struct store_ids *m)
{
	struct store_ids old = *m;

	m->slot = NULL;
	store_ids_reset(m, old.cap + 1);
	for (size_t i = 0; i < old.cap; i++)
		if (old.slot[i].id != 0)
			store_ids_add(m, old.slot[i].id, old.slot[i].v);
	free(old.slot);
}

uint32_t
store_ids_add(struct store_ids *m, uint32_t id, uint32_t v)
{
	size_t i;

	if (m->n * 3 >= m->cap * 2)
		grow(m);
	for (i = place(m, id); m->slot[i].id != 0; i = (i + 1) & (m->cap - 1))
		if (m->slot[i].id == id)
			return m->slot[i].v;
	m->slot[i].id = id;
	m->slot[i].v = v;
	m->n++;
	return v;
}
