/*
 * Series in memory.  A series has a number for life (a place in the array);
 * the mark that a reader keeps beside a remembered series is a hint at it,
 * checked by comparing the labels, so that a sample of a stream that repeats
 * is found without hashing.
 */
#include "metric/series_set.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"

struct series_set *
series_new(void)
{
	struct series_set *s = mem_zero(1, sizeof(*s));

	s->rounds = rounds_new();
	return s;
}

/* Let the histograms of samples from..to go. */
static void
forget(struct series_one *o, size_t from, size_t to)
{
	for (size_t i = from; i < to && o->h != NULL; i++) {
		free(o->h[i]);
		o->h[i] = NULL;
	}
}

static void
fini(struct series_one *o)
{
	forget(o, o->off, o->off + o->n);
	free(o->h);
	free(o->start);
	free(o->block);
	free(o->t);
	free(o->v);
	*o = (struct series_one){ 0 };
}

void
series_free(struct series_set *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		fini(&s->v[i]);
	free(s->v);
	free(s->spare);
	free(s->order);
	map_fini(&s->by_key);
	map_fini(&s->meta);
	arena_fini(&s->meta_arena);
	buf_fini(&s->key);
	arena_fini(&s->hist);
	rounds_free(s->rounds);
	free(s);
}

/* A string of the key; one with a NUL differs from it and stands apart. */
static str
part(const char **key, char **apart, str s)
{
	str r = { *key, s.n };

	*key += s.n + 1;
	if (s.n == 0 || memcmp(r.p, s.p, s.n) == 0)
		return r;
	memcpy(*apart, s.p, s.n);
	r.p = *apart;
	*apart += s.n;
	return r;
}

/* Labels and key of a new series, in one block that it owns. */
static void
adopt(struct series_one *o, struct labels ls, str key)
{
	bool nul = key.n > 0 && memchr(key.p, 0xff, key.n) != NULL;
	struct label *v = mem_alloc(ls.n * sizeof(*v) + key.n * (nul ? 2 : 1));
	char *p = (char *)(v + ls.n), *apart = p + key.n;
	const char *at = p;

	if (key.n > 0)
		memcpy(p, key.p, key.n);
	for (size_t i = 0; i < ls.n; i++) {
		v[i].name = part(&at, &apart, ls.v[i].name);
		v[i].value = part(&at, &apart, ls.v[i].value);
	}
	o->block = v;
	o->key = (str){ p, key.n };
	o->labels = (struct labels){ v, ls.n };
}

/* The number of a series, made if it is not there. */
static size_t
find(struct series_set *s, struct labels ls)
{
	struct map_slot *slot;
	bool fresh;
	size_t id;

	buf_reset(&s->key);
	label_key(&s->key, ls);
	slot = map_add(&s->by_key, buf_str(&s->key), &fresh);
	if (!fresh)
		return slot->v.i;
	if (s->spares > 0)
		id = s->spare[--s->spares];
	else {
		if (s->n == s->cap)
			s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof(*s->v));
		id = s->n++;
		s->v[id] = (struct series_one){ 0 };
	}
	adopt(&s->v[id], ls, buf_str(&s->key));
	s->v[id].live = true;
	slot->key = s->v[id].key;
	slot->v.i = id;
	s->count++;
	s->sorted = false;
	return id;
}

static size_t
find_marked(struct series_set *s, const struct expo_item *i)
{
	size_t id;

	if (i->mark == NULL)
		return find(s, i->labels);
	id = *i->mark - 1;
	if (*i->mark != 0 && id < s->n && s->v[id].live &&
	    label_eq(s->v[id].labels, i->labels))
		return id;
	id = find(s, i->labels);
	*i->mark = id + 1;
	return id;
}

size_t
series_lower(const struct series_one *o, int64_t t)
{
	size_t lo = o->off, hi = o->off + o->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (o->t[mid] < t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Room for one more behind what is there. */
static void
room(struct series_one *o)
{
	size_t end = o->off + o->n, cap;

	if (end < o->cap)
		return;
	if (o->off > o->n) {
		memmove(o->t, o->t + o->off, o->n * sizeof(*o->t));
		memmove(o->v, o->v + o->off, o->n * sizeof(*o->v));
		if (o->h != NULL)
			memmove(o->h, o->h + o->off, o->n * sizeof(*o->h));
		if (o->start != NULL)
			memmove(o->start, o->start + o->off,
			    o->n * sizeof(*o->start));
		o->off = 0;
		return;
	}
	/* All columns grow alike; the last one says how far. */
	cap = o->cap;
	o->t = mem_grow(o->t, &cap, end + 1, sizeof(*o->t));
	if (o->h != NULL) {
		cap = o->cap;
		o->h = mem_grow(o->h, &cap, end + 1, sizeof(*o->h));
	}
	if (o->start != NULL) {
		cap = o->cap;
		o->start = mem_grow(o->start, &cap, end + 1, sizeof(*o->start));
	}
	o->v = mem_grow(o->v, &o->cap, end + 1, sizeof(*o->v));
}

/* A place for a sample at t in *at; false if there is one at t. */
static bool
slot(struct series_one *o, int64_t t, size_t *at)
{
	size_t end = o->off + o->n, i = end;

	if (o->n > 0 && t <= o->t[end - 1]) {
		i = series_lower(o, t);
		if (o->t[i] == t)
			return false;
	}
	i -= o->off;
	room(o);
	end = o->off + o->n;
	i += o->off;
	memmove(o->t + i + 1, o->t + i, (end - i) * sizeof(*o->t));
	memmove(o->v + i + 1, o->v + i, (end - i) * sizeof(*o->v));
	if (o->h != NULL) {
		memmove(o->h + i + 1, o->h + i, (end - i) * sizeof(*o->h));
		o->h[i] = NULL;
		/* what came before it is another one now */
		if (i < end && o->h[i + 1] != NULL &&
		    o->h[i + 1]->hint != HISTOGRAM_GAUGE)
			o->h[i + 1]->hint = HISTOGRAM_UNKNOWN;
	}
	if (o->start != NULL) {
		memmove(o->start + i + 1, o->start + i,
		    (end - i) * sizeof(*o->start));
		o->start[i] = i > o->off ? o->start[i - 1] : 0;
	}
	o->t[i] = t;
	o->n++;
	*at = i;
	return true;
}

static int
put(struct series_one *o, int64_t t, double v)
{
	size_t i;

	if (!slot(o, t, &i))
		return 0;
	o->v[i] = v;
	return 1;
}

/* The last sample, a histogram, is compared with the one before it. */
static void
learn(struct series_one *o, size_t i)
{
	struct histogram *h = o->h[i];
	const struct histogram *before = i > o->off ? o->h[i - 1] : NULL;

	if (before != NULL && h->hint == HISTOGRAM_UNKNOWN &&
	    before->hint != HISTOGRAM_GAUGE && !histogram_fell(h, before))
		h->hint = HISTOGRAM_NOT_RESET;
}

static int
put_histogram(struct series_one *o, int64_t t, const struct histogram *h)
{
	size_t i;

	if (!slot(o, t, &i))
		return 0;
	if (o->h == NULL)
		o->h = mem_zero(o->cap, sizeof(*o->h));
	o->h[i] = histogram_new(h);
	o->v[i] = isnan(h->sum) ? num_nan() : h->sum;
	if (i + 1 == o->off + o->n)
		learn(o, i);
	return 1;
}

int
series_add(struct series_set *s, struct labels ls, int64_t t, double v)
{
	size_t id = find(s, ls); /* which may move s->v */

	return put(&s->v[id], t, v);
}

int
series_add_histogram(struct series_set *s, struct labels ls, int64_t t,
    const struct histogram *h)
{
	size_t id = find(s, ls);

	return put_histogram(&s->v[id], t, h);
}

void
series_start(struct series_set *s, struct labels ls, int64_t t, int64_t start)
{
	size_t id = find(s, ls), i, end;
	struct series_one *o = &s->v[id];
	int64_t old;

	i = series_lower(o, t);
	end = o->off + o->n;
	if (i == end || o->t[i] != t || (o->start == NULL && start == 0))
		return;
	if (o->start == NULL)
		o->start = mem_zero(o->cap, sizeof(*o->start));
	for (old = o->start[i]; i < end && o->start[i] == old; i++)
		o->start[i] = start;
}

/* The histogram of a HIST line, which has been checked. */
static void
apply_histogram(struct series_set *s, size_t id, const struct expo_item *i)
{
	struct histogram h;

	arena_reset(&s->hist);
	if (histogram_parse(&h, i->text, &s->hist, NULL, NULL) == 0)
		(void)put_histogram(&s->v[id], i->t, &h);
}

static void
describe(struct series_set *s, const struct expo_item *i)
{
	struct series_meta *m;
	struct map_slot *slot;
	bool fresh;
	str *field;

	slot = map_add(&s->meta, i->name, &fresh);
	if (fresh) {
		m = arena_new(&s->meta_arena, struct series_meta);
		slot->key = arena_dup(&s->meta_arena, i->name);
		slot->v.p = m;
	}
	m = slot->v.p;
	field = i->kind == EXPO_HELP ? &m->help
	    : i->kind == EXPO_UNIT   ? &m->unit
				     : &m->type;
	if (!str_eq(*field, i->text))
		*field = arena_dup(&s->meta_arena, i->text);
}

struct stale {
	struct series_set *s;
	int64_t t;
};

static void
end(void *arg, size_t id)
{
	struct stale *x = arg;

	(void)put(&x->s->v[id], x->t, num_stale());
}

void
series_apply(struct series_set *s, const struct batch *b)
{
	struct stale all = { s, b->t };
	const struct expo_item *i;
	bool star = false;
	size_t id;

	if (b->opened)
		rounds_begin(s->rounds, b->labels);
	for (size_t k = 0; k < b->n; k++) {
		i = &b->v[k];
		if (i->kind == EXPO_SAMPLE || i->kind == EXPO_HIST) {
			id = find_marked(s, i);
			if (i->kind == EXPO_HIST)
				apply_histogram(s, id, i);
			else
				(void)put(&s->v[id], i->t, i->v);
			if (b->opened)
				rounds_saw(s->rounds, id, i->t == b->t);
		} else if (i->kind == EXPO_STALE && i->all) {
			star = true;
			all.t = i->t;
		} else if (i->kind == EXPO_START)
			series_start(s, i->labels, i->t, i->start);
		else if (i->kind == EXPO_STALE)
			(void)series_add(s, i->labels, i->t, num_stale());
		else if (i->kind == EXPO_HELP || i->kind == EXPO_TYPE ||
		    i->kind == EXPO_UNIT)
			describe(s, i);
	}
	if (b->opened)
		rounds_end(s->rounds, star, end, &all);
}

static void
remove_one(struct series_set *s, size_t id)
{
	size_t cap = s->nspare;

	(void)map_del(&s->by_key, s->v[id].key);
	fini(&s->v[id]);
	s->spare = mem_grow(s->spare, &cap, s->spares + 1, sizeof(*s->spare));
	s->nspare = cap;
	s->spare[s->spares++] = id;
	rounds_forget(s->rounds, id);
	s->count--;
	s->sorted = false;
}

void
series_drop(struct series_set *s, int64_t t)
{
	struct series_one *o;
	size_t i;

	for (size_t id = 0; id < s->n; id++) {
		o = &s->v[id];
		if (!o->live)
			continue;
		i = series_lower(o, t);
		forget(o, o->off, i);
		o->n -= i - o->off;
		o->off = i;
		if (o->n == 0)
			remove_one(s, id);
	}
}

size_t
series_count(const struct series_set *s)
{
	return s->count;
}

bool
series_range(const struct series_set *s, int64_t *from, int64_t *to)
{
	const struct series_one *o;
	bool any = false;

	for (size_t id = 0; id < s->n; id++) {
		o = &s->v[id];
		if (o->n == 0)
			continue;
		if (!any || o->t[o->off] < *from)
			*from = o->t[o->off];
		if (!any || o->t[o->off + o->n - 1] > *to)
			*to = o->t[o->off + o->n - 1];
		any = true;
	}
	return any;
}
