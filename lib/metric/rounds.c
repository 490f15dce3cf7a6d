/*
 * For every source (the labels of a batch) the series its last batch had; for
 * every series the number of the batch it was last seen in.
 */
#include "metric/rounds.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

/* A series as a batch had it; life tells reused ids apart. */
struct member {
	size_t id;
	uint32_t life;
};

struct origin {
	struct member *v;
	size_t n, cap;
	str name; /* points at key */
	char key[];
};

struct state {
	uint64_t round; /* it was last seen in */
	uint32_t life;
};

struct rounds {
	struct map origins; /* by label_key of the batch */
	struct origin *now;
	struct member *v; /* of the batch being read */
	size_t n, cap;
	struct state *state; /* by id */
	size_t states;
	uint64_t round;
};

struct rounds *
rounds_new(void)
{
	return mem_zero(1, sizeof(struct rounds));
}

void
rounds_free(struct rounds *r)
{
	struct map_slot *s;
	struct origin *o;

	if (r == NULL)
		return;
	for (s = NULL; (s = map_next(&r->origins, s)) != NULL;) {
		o = s->v.p;
		free(o->v);
		free(o);
	}
	map_fini(&r->origins);
	free(r->v);
	free(r->state);
	free(r);
}

void
rounds_begin(struct rounds *r, struct labels batch)
{
	struct buf key = { 0 };
	struct map_slot *s;
	struct origin *o;
	bool fresh;

	label_key(&key, batch);
	s = map_add(&r->origins, buf_str(&key), &fresh);
	if (fresh) {
		o = mem_zero(1, sizeof(*o) + key.n);
		if (key.n > 0)
			memcpy(o->key, key.p, key.n);
		s->key = o->name = (str){ o->key, key.n };
		s->v.p = o;
	}
	r->now = s->v.p;
	r->round++;
	buf_fini(&key);
}

static struct state *
state(struct rounds *r, size_t id)
{
	size_t old = r->states;

	if (id >= old) {
		r->state =
		    mem_grow(r->state, &r->states, id + 1, sizeof(*r->state));
		memset(
		    r->state + old, 0, (r->states - old) * sizeof(*r->state));
	}
	return &r->state[id];
}

void
rounds_saw(struct rounds *r, size_t id, bool at_batch_time)
{
	struct state *s = state(r, id);

	s->round = r->round;
	if (!at_batch_time)
		return;
	if (r->n == r->cap)
		r->v = mem_grow(r->v, &r->cap, r->n + 1, sizeof(*r->v));
	r->v[r->n++] = (struct member){ id, s->life };
}

void
rounds_end(
    struct rounds *r, bool all, void (*each)(void *arg, size_t id), void *arg)
{
	struct origin *o = r->now;
	const struct state *s;
	struct member *v = o->v;
	size_t cap = o->cap;

	for (size_t i = 0; all && i < o->n; i++) {
		s = &r->state[v[i].id];
		if (s->life == v[i].life && s->round != r->round)
			each(arg, v[i].id);
	}
	/* what was read becomes what is known; the old array is read into */
	o->v = r->v;
	o->n = r->n;
	o->cap = r->cap;
	r->v = v;
	r->n = 0;
	r->cap = cap;
	r->now = NULL;
	/* nothing is as good as never met: targets come and go */
	if (o->n == 0) {
		(void)map_del(&r->origins, o->name);
		free(o->v);
		free(o);
	}
}

void
rounds_forget(struct rounds *r, size_t id)
{
	struct state *s = state(r, id);

	s->life++;
	s->round = 0;
}
