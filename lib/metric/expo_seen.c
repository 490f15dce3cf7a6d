/*
 * What a reader remembers of the pages it has read.  A target's page has the
 * same series in the same order, time after time: the bytes that begin a line
 * are hashed, as many as stood there before, and when the hash is the same
 * their labels need not be parsed again; nor need HELP and TYPE.  By chance
 * 64 bits are never the same; by design, a page can mistake its own series.
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
#define FEW 32     /* lines that more room is made for */
#define MANY 16384 /* at most */
#define AHEAD 8    /* lines looked at, the expected one first */

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
	s->had = s->lines;
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

/* The line to be found, and the hash of as many bytes as was asked for last. */
struct line {
	const char *p;
	size_t n;
	unsigned char type;
	uint32_t len;
	uint64_t hash;
};

static bool
matches(struct line *x, const struct expo_seen *k)
{
	if (!expo_fits(x->p, x->n, x->type, k))
		return false;
	if (x->len != k->len) {
		x->len = k->len;
		x->hash = expo_hash(x->p, k->len);
	}
	return x->hash == k->hash;
}

/* A line that is not the one expected. */
static struct expo_seen *
guess_other(struct expo_source *s, struct line x)
{
	struct expo_seen *k = s->next;

	for (int i = 0; k != NULL && i < AHEAD; i++, k = k->next)
		if (matches(&x, k))
			return k;
	/* a dump series by series has the same one many times */
	if ((k = s->at) != NULL && matches(&x, k))
		return k;
	if (s->next == NULL && (k = s->first) != NULL && matches(&x, k)) {
		/* a dump in time order begins again */
		s->passes++;
		return k;
	}
	return NULL;
}

struct expo_seen *
expo_seen_other(
    struct expo_memory *m, const char *line, size_t n, unsigned char type)
{
	struct expo_source *s = m->now;
	struct expo_seen *k;

	if (s->first == NULL)
		return NULL;
	k = guess_other(s, (struct line){ line, n, type, 0, 0 });
	if (k == NULL)
		return NULL;
	s->at = k;
	s->next = k->next;
	s->lines++;
	return k;
}

static void
put_in_map(struct expo_source *s, struct expo_seen *k)
{
	struct map_slot *slot;
	bool fresh;

	slot = map_add(&s->by_key,
	    (str){ (const char *)&k->hash, sizeof(k->hash) }, &fresh);
	if (fresh)
		slot->v.p = k;
}

/* s in the copy of key, if it stands in key; else a copy of its own. */
static str
moved(struct arena *a, str s, str key, const char *copy)
{
	if (s.p >= key.p && s.p + s.n <= key.p + key.n)
		return (str){ copy + (s.p - key.p), s.n };
	return arena_dup(a, s);
}

/* The labels of a series, with strs of their own. */
static const struct label *
keep_labels(struct expo_source *s, str key, struct labels ls)
{
	struct label *v = arena_alloc(&s->labels, ls.n * sizeof(*v));
	const char *copy = arena_dup(&s->labels, key).p;

	for (size_t i = 0; i < ls.n; i++) {
		v[i].name = str_eq(ls.v[i].name, LABEL_NAME)
		    ? LABEL_NAME
		    : moved(&s->labels, ls.v[i].name, key, copy);
		v[i].value = moved(&s->labels, ls.v[i].value, key, copy);
	}
	return v;
}

/*
 * Room for a line: the first pass has counted how many there will be, and of
 * a thousand pages none should take twice what it needs.
 */
static struct expo_seen *
place(struct expo_source *s, size_t n)
{
	size_t want = s->first == NULL ? s->had + s->had / 8 : 0;
	void *p;

	n = (n + 7) & ~(size_t)7;
	if (s->room < n) {
		want = want < FEW ? FEW : want > MANY ? MANY : want;
		s->room = want * sizeof(struct expo_seen) + want / 4 * 8 + n;
		s->place = arena_alloc(&s->keys, s->room);
	}
	p = s->place;
	s->place += n;
	s->room -= n;
	return p;
}

/* A new line behind the one last met; NULL if it is too much. */
static struct expo_seen *
insert(struct expo_memory *m, const struct expo_seen *like, bool more,
    size_t bytes)
{
	struct expo_source *s = m->now;
	struct expo_seen *k;
	size_t n = sizeof(*k) + more * sizeof(*k->more);

	if (m->bytes > m->max)
		return NULL;
	k = place(s, n);
	*k = *like;
	m->bytes += n + bytes;
	s->bytes += n + bytes;
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
	if (s->by_key.n > 0)
		put_in_map(s, k);
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

/* A line like this one that was met in a pass before, at another place. */
static struct expo_seen *
find(struct expo_source *s, const struct expo_seen *like)
{
	struct map_slot *slot;
	struct expo_seen *k;

	if (s->first == NULL || s->passes == s->born)
		return NULL;
	if (s->by_key.n == 0)
		for (k = s->first; k != NULL; k = k->next)
			put_in_map(s, k);
	slot = map_find(
	    &s->by_key, (str){ (const char *)&like->hash, sizeof(like->hash) });
	if (slot == NULL)
		return NULL;
	k = slot->v.p;
	if (k->len != like->len || k->kind != like->kind ||
	    k->type != like->type)
		return NULL;
	s->at = k;
	s->next = k->next;
	return k;
}

struct expo_seen *
expo_seen_learn(
    struct expo_memory *m, str key, struct labels ls, unsigned char type)
{
	struct expo_source *s = m->now;
	struct expo_seen *k, like;

	s->lines++;
	if (s->passes == 1 && !repeats(m, s, key))
		return NULL;
	if (key.n > UINT32_MAX || ls.n > UINT16_MAX)
		return NULL;
	like = (struct expo_seen){ .hash = expo_hash(key.p, key.n),
		.len = (uint32_t)key.n,
		.n = (uint16_t)ls.n,
		.kind = EXPO_SAMPLE,
		.type = type };
	k = find(s, &like);
	if (k != NULL)
		return k;
	k = insert(m, &like, !m->lean,
	    m->lean ? 0 : key.n + ls.n * sizeof(struct label) + 32);
	if (k != NULL && !m->lean)
		k->more[0].v = keep_labels(s, key, ls);
	return k;
}

/* Only a line in which name and text stand as they are. */
struct expo_seen *
expo_seen_learn_comment(
    struct expo_memory *m, const struct expo_item *item, unsigned char type)
{
	struct expo_source *s = m->now;
	struct expo_seen *k, like;
	str line = item->raw, name = item->name, text = item->text;

	s->lines++;
	if (s->passes == 1 || line.n > UINT32_MAX || name.n > UINT16_MAX ||
	    name.p < line.p || name.p + name.n > line.p + line.n ||
	    text.p < line.p || text.p + text.n != line.p + line.n)
		return NULL;
	like = (struct expo_seen){ .hash = expo_hash(line.p, line.n),
		.len = (uint32_t)line.n,
		.n = (uint16_t)name.n,
		.kind = (unsigned char)item->kind,
		.type = type };
	k = find(s, &like);
	if (k != NULL)
		return k;
	k = insert(m, &like, true, 0);
	if (k == NULL)
		return NULL;
	k->more[0].at.name = (uint32_t)(name.p - line.p);
	k->more[0].at.text = (uint32_t)(text.p - line.p);
	return k;
}
