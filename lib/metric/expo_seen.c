/*
 * What a reader remembers of the pages it has read.  A target's page has the
 * same series in the same order, time after time: the bytes that begin a line
 * are compared with those that stood there before, and their labels need not
 * be parsed again.  Equality of the bytes makes it exact.
 *
 * A first pass takes nothing down, since many sources are read only once; the
 * second one does.  In a dump a series that follows itself, or the first one
 * coming again, says as much as a second pass.
 *
 * It is bounded: a source that churns is forgotten when most of what is known
 * of it is gone from its page, a source when it has not come for long, all
 * when too much is held; and that only where a pass begins and no item of the
 * one before is in use.
 */
#include "metric/expo_reader.h"

#include <stdlib.h>

#include "base/mem.h"

#define MEMORY ((size_t)256 << 20)
#define AHEAD 4 /* series looked at behind the expected one */

void
expo_seen_init(struct expo_memory *m)
{
	*m = (struct expo_memory){ .max = MEMORY, .sweep_at = 512 };
	m->plain = mem_zero(1, sizeof(*m->plain));
	expo_seen_open(m, STR_NONE);
}

/* Forget the series, keep the source. */
static void
forget(struct expo_memory *m, struct expo_source *s)
{
	m->bytes -= s->bytes;
	arena_fini(&s->keys);
	arena_fini(&s->labels);
	map_fini(&s->by_key);
	*s = (struct expo_source){ .passes = 1, .used = s->used };
}

static void
free_key(str key)
{
	union {
		const char *in;
		void *out;
	} p = { .in = key.p };

	free(p.out);
}

static void
remove_source(struct expo_memory *m, struct map_slot *slot)
{
	struct expo_source *s = slot->v.p;
	str key = slot->key;

	forget(m, s);
	m->bytes -= sizeof(*s) + key.n;
	free(s);
	(void)map_del(&m->sources, key);
	free_key(key);
}

/* Forget what all sources hold, and the sources but the one in use. */
static void
forget_all(struct expo_memory *m)
{
	struct map_slot *slot;

	for (slot = NULL; (slot = map_next(&m->sources, slot)) != NULL;) {
		if (slot->v.p == m->now)
			forget(m, m->now);
		else
			remove_source(m, slot);
	}
	forget(m, m->plain);
}

/*
 * Targets come and go: from time to time, which is after two rounds of all that
 * there are (a batch is two passes), those that did not come since the last
 * time are dropped.
 */
static void
sweep(struct expo_memory *m)
{
	struct map_slot *slot;
	const struct expo_source *s;

	for (slot = NULL; (slot = map_next(&m->sources, slot)) != NULL;) {
		s = slot->v.p;
		if (s != m->now && s->used <= m->swept)
			remove_source(m, slot);
	}
	m->swept = m->passes;
	m->sweep_at = m->passes + 4 * m->sources.n + 512;
}

void
expo_seen_fini(struct expo_memory *m)
{
	m->now = m->plain;
	forget_all(m);
	map_fini(&m->sources);
	free(m->plain);
}

void
expo_seen_open(struct expo_memory *m, str labels)
{
	struct map_slot *slot;
	struct expo_source *s = m->plain;
	bool fresh = false;
	char *key;

	if (labels.n > 0) {
		slot = map_add(&m->sources, labels, &fresh);
		if (fresh) {
			key = mem_alloc(labels.n);
			memcpy(key, labels.p, labels.n);
			slot->key = (str){ key, labels.n };
			slot->v.p = mem_zero(1, sizeof(*s));
			/* a source costs even if no series of it is kept */
			m->bytes += sizeof(*s) + labels.n;
		}
		s = slot->v.p;
	}
	s->used = ++m->passes;
	s->churned = s->n > 2 * s->lines + 1024;
	/* a pass nothing was read in does not count */
	s->passes += s->lines > 0 || s->passes == 0;
	s->at = NULL;
	s->next = s->first;
	s->lines = 0;
	m->now = s;
}

void
expo_seen_tidy(struct expo_memory *m)
{
	if (m->bytes > m->max)
		forget_all(m);
	else if (m->now->churned)
		forget(m, m->now);
	m->now->churned = false;
	if (m->passes >= m->sweep_at)
		sweep(m);
}

/* One blank and a value must follow: "a {b="c"} 1" is not the series a. */
static bool
matches(
    const struct expo_seen *k, const char *line, size_t n, unsigned char type)
{
	size_t len = k->len;

	return len + 1 < n && line[len] == ' ' && line[len + 1] > ' ' &&
	    line[len + 1] != '{' && k->type == type &&
	    memcmp(line, k->key, len) == 0;
}

struct expo_seen *
expo_seen_guess(
    struct expo_memory *m, const char *line, size_t n, unsigned char type)
{
	struct expo_source *s = m->now;
	struct expo_seen *k = s->next;

	for (int i = 0; k != NULL && i < AHEAD; i++, k = k->next)
		if (matches(k, line, n, type))
			goto hit;
	/* a dump series by series has the same one many times */
	if ((k = s->at) != NULL && matches(k, line, n, type))
		goto hit;
	if (s->next == NULL && (k = s->first) != NULL &&
	    matches(k, line, n, type)) {
		/* a dump in time order begins again */
		s->passes++;
		goto hit;
	}
	return NULL;
hit:
	s->at = k;
	s->next = k->next;
	s->lines++;
	return k;
}

static void
make_map(struct expo_source *s)
{
	struct map_slot *slot;
	bool fresh;

	for (struct expo_seen *k = s->first; k != NULL; k = k->next) {
		slot = map_add(&s->by_key, (str){ k->key, k->len }, &fresh);
		if (fresh)
			slot->v.p = k;
	}
}

/* s in the copy of key, if it stands in key; else a copy of its own. */
static str
moved(struct arena *a, str s, str key, const char *copy)
{
	if (s.p >= key.p && s.p + s.n <= key.p + key.n)
		return (str){ copy + (s.p - key.p), s.n };
	return arena_dup(a, s);
}

/* Keys and labels lie apart: a hit reads the keys alone, one by one. */
static struct expo_seen *
make(struct expo_source *s, str key, struct labels ls, unsigned char type)
{
	struct expo_seen *k = arena_alloc(&s->keys, sizeof(*k) + key.n);
	struct label *v = arena_alloc(&s->labels, ls.n * sizeof(*v));

	*k = (struct expo_seen){ .v = v,
		.n = (uint32_t)ls.n,
		.len = (uint32_t)key.n,
		.type = type };
	memcpy(k->key, key.p, key.n);
	for (size_t i = 0; i < ls.n; i++) {
		v[i].name = str_eq(ls.v[i].name, LABEL_NAME)
		    ? LABEL_NAME
		    : moved(&s->labels, ls.v[i].name, key, k->key);
		v[i].value = moved(&s->labels, ls.v[i].value, key, k->key);
	}
	return k;
}

/* Does a line of a first pass show that series come again here? */
static bool
repeats(struct expo_memory *m, struct expo_source *s, str key)
{
	bool again = str_eq(m->before, key);

	m->before = key;
	if (s != m->plain)
		return again;
	if (s->head.p == NULL)
		s->head = arena_dup(&s->keys, key);
	else if (str_eq(s->head, key) && !again) {
		s->passes++;
		return true;
	}
	return again;
}

/* A series that was met in a pass before, at another place. */
static struct expo_seen *
find(struct expo_source *s, str key)
{
	struct map_slot *slot;

	if (s->first == NULL || s->passes == s->born)
		return NULL;
	if (s->by_key.n == 0)
		make_map(s);
	slot = map_find(&s->by_key, key);
	return slot == NULL ? NULL : slot->v.p;
}

struct expo_seen *
expo_seen_learn(
    struct expo_memory *m, str key, struct labels ls, unsigned char type)
{
	struct expo_source *s = m->now;
	struct map_slot *slot;
	struct expo_seen *k;
	size_t bytes = sizeof(*k) + key.n + ls.n * sizeof(struct label) + 32;

	s->lines++;
	if (s->passes == 1 && !repeats(m, s, key))
		return NULL;
	k = find(s, key);
	if (k != NULL && k->type == type) {
		s->at = k;
		s->next = k->next;
		return k;
	}
	if (m->bytes > m->max || key.n > UINT32_MAX || ls.n > UINT32_MAX)
		return NULL;
	k = make(s, key, ls, type);
	m->bytes += bytes;
	s->bytes += bytes;
	s->n++;
	if (s->first == NULL)
		s->born = s->passes;
	if (s->at != NULL) {
		k->next = s->at->next;
		s->at->next = k;
	} else {
		k->next = s->first;
		s->first = k;
	}
	s->at = k;
	s->next = k->next;
	if (s->by_key.n > 0) {
		slot = map_add(&s->by_key, (str){ k->key, k->len }, NULL);
		slot->v.p = k;
	}
	return k;
}
