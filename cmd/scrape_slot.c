/*
 * Slots: which target is due when, whatever sets come and go.  They stand in a
 * binary heap by time, so that a wake-up costs what is due, not all there is.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "scrape_flow.h"

struct flow_conf *
flow_conf_new(struct scrape_plan plan)
{
	struct flow_conf *c = mem_zero(1, sizeof(*c));

	c->plan = plan;
	c->refs = 1;
	return c;
}

void
flow_conf_drop(struct flow_conf *c)
{
	if (c == NULL || --c->refs > 0)
		return;
	scrape_plan_free(&c->plan);
	free(c);
}

void
flow_set_drop(struct flow_set *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	scrape_free(s->set);
	flow_conf_drop(s->conf);
	free(s);
}

/* The heap: the parent of i is i / 2, the root is 1. */
static void
put(struct flow *f, size_t i, struct slot_due d)
{
	f->heap[i - 1] = d;
	d.slot->place = i;
}

static void
sift_up(struct flow *f, struct slot_due d)
{
	size_t i = d.slot->place;

	for (; i > 1 && f->heap[i / 2 - 1].due > d.due; i /= 2)
		put(f, i, f->heap[i / 2 - 1]);
	put(f, i, d);
}

static void
sift_down(struct flow *f, struct slot_due d)
{
	size_t i = d.slot->place, c;

	for (; (c = 2 * i) <= f->nheap; i = c) {
		if (c < f->nheap && f->heap[c].due < f->heap[c - 1].due)
			c++;
		if (f->heap[c - 1].due >= d.due)
			break;
		put(f, i, f->heap[c - 1]);
	}
	put(f, i, d);
}

void
slot_schedule(struct slot *s, int64_t due)
{
	struct flow *f = s->f;
	struct slot_due d = { due, s };

	s->due = due;
	if (s->place == 0) {
		f->heap = mem_grow(
		    f->heap, &f->heap_cap, f->nheap + 1, sizeof(*f->heap));
		put(f, ++f->nheap, d);
	}
	sift_up(f, d);
	sift_down(f, d);
}

static void
unschedule(struct slot *s)
{
	struct flow *f = s->f;
	struct slot_due last;

	if (s->place == 0)
		return;
	last = f->heap[--f->nheap];
	if (last.slot != s) {
		put(f, s->place, last);
		sift_up(f, last);
		sift_down(f, last);
	}
	s->place = 0;
}

struct slot *
slot_first(struct flow *f)
{
	return f->nheap > 0 ? f->heap[0].slot : NULL;
}

void
flow_reschedule(struct flow *f, int64_t now)
{
	for (size_t i = 0; i < f->n; i++) {
		struct slot *s = f->v[i];

		if (s->place > 0 && s->due > now + 2 * s->t->interval)
			slot_schedule(s, scrape_due(s->t, now));
	}
	if (f->self != NULL && f->self->due > now + f->self->t->interval)
		slot_schedule(f->self, now);
}

static str
key_of(struct buf *b, const struct scrape_target *t)
{
	buf_reset(b);
	buf_add(b, t->text);
	buf_byte(b, '\n');
	buf_add(b, t->url);
	return buf_str(b);
}

static struct slot *
slot_new(struct flow *f, struct scrape_target *t, int64_t now)
{
	struct slot *s = mem_zero(1, sizeof(*s));

	s->f = f;
	s->t = t;
	/* Operands and single rounds begin at once. */
	slot_schedule(
	    s, f->o->once || f->o->config == NULL ? now : scrape_due(t, now));
	return s;
}

void
slot_free(struct slot *s)
{
	if (s == NULL)
		return;
	unschedule(s);
	flow_set_drop(s->of);
	flow_set_drop(s->asked);
	buf_fini(&s->key);
	buf_fini(&s->error);
	buf_fini(&s->seconds);
	free(s);
}

void
flow_slots_free(struct flow *f)
{
	for (size_t i = 0; i < f->n; i++)
		slot_free(f->v[i]);
	free(f->v);
	free(f->heap);
	map_fini(&f->by_key);
}

/* The target has another schedule or is back: when is its next round? */
static void
move(struct slot *s, struct scrape_target *t, int64_t now)
{
	if (s->gone || t->interval != s->t->interval ||
	    t->offset != s->t->offset)
		slot_schedule(s, scrape_due(t, now));
	s->gone = false;
	s->t = t;
}

static void
hold(struct slot *s, struct flow_set *of)
{
	of->refs++;
	flow_set_drop(s->of);
	s->of = of;
}

/*
 * A target that has left has the time upstream gives it to come back: its next
 * round, another interval, and a tenth more.  Full seconds, so that many that
 * leave together go together.
 */
static void
leave(struct slot *s)
{
	int64_t end = s->due + s->t->interval + s->t->interval / 10;

	s->gone = true;
	slot_schedule(s, (end + 999) / 1000 * 1000);
}

void
flow_adopt(struct flow *f, struct scrape_set *set, bool keep, int64_t now)
{
	struct flow_set *of = mem_zero(1, sizeof(*of));
	struct slot **old = f->v;
	size_t nold = f->n;
	struct buf key = { 0 };

	of->set = set;
	of->conf = f->conf;
	of->conf->refs++;
	of->refs = 1;
	f->cap = nold + set->n;
	f->v = mem_zero(f->cap + 1, sizeof(struct slot *));
	f->n = 0;
	for (size_t i = 0; i < nold; i++)
		old[i]->met = false;
	for (size_t i = 0; i < set->n; i++) {
		struct map_slot *at =
		    map_add(&f->by_key, key_of(&key, set->v[i]), NULL);
		struct slot *s = at->v.p;

		if (s != NULL && s->met)
			continue; /* twice the same: the first is scraped */
		if (s == NULL) {
			s = at->v.p = slot_new(f, set->v[i], now);
			at->key = key_of(&s->key, set->v[i]);
		}
		move(s, set->v[i], now);
		hold(s, of);
		s->met = true;
		f->v[f->n++] = s;
	}
	for (size_t i = 0; i < nold; i++) {
		if (old[i]->met)
			continue;
		if (!keep && !old[i]->gone)
			leave(old[i]);
		f->v[f->n++] = old[i];
	}
	free(old);
	buf_fini(&key);
	flow_set_drop(f->set);
	f->set = of;
	f->changed = true;
}

/* Take out those that have left, and whose time to come back is over. */
static size_t
forget(struct flow *f, int64_t now)
{
	size_t n = 0, gone = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct slot *s = f->v[i];

		if (!s->gone || s->busy || s->due > now) {
			f->v[n++] = s;
			continue;
		}
		(void)map_del(&f->by_key, buf_str(&s->key));
		slot_free(s);
		gone++;
	}
	f->n = n;
	return gone;
}

void
flow_sweep(struct flow *f, int64_t now, bool orphans)
{
	struct scrape_set rest = { 0 };
	size_t gone = forget(f, now);

	if (f->o->config == NULL || (gone == 0 && !orphans))
		return;
	/* Those that may come back are no less there than those of the set. */
	rest.v = mem_zero(f->n + 1, sizeof(*rest.v));
	for (; rest.n < f->n; rest.n++)
		rest.v[rest.n] = f->v[rest.n]->t;
	f->sum.gone += scrape_gone(f->m, &rest, now, &f->x);
	free(rest.v);
	flow_print(f);
	f->changed = true;
}
