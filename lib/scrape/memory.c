/*
 * What is remembered of the targets, and the log it is written down in: a
 * stream as every other, in which a batch tells the series that came (as
 * samples) and those that ended (as STALE).  Reading it in order gives the
 * memory; a last batch that was cut off is as if it had not been.
 */
#include "scrape/memory.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "metric/batch.h"

#define FEW 1000 /* series that may be forgotten ones */
#define MANY 8   /* one in so many was looked for: that was a beginning */

struct scrape_memory *
scrape_memory_new(void)
{
	return mem_zero(1, sizeof(struct scrape_memory));
}

void
memory_readers_free(struct memory_source *s)
{
	expo_free(s->page);
	expo_free(s->om);
	expo_free(s->proto);
	s->page = s->om = s->proto = NULL;
}

static void
source_free(struct memory_source *s)
{
	memory_readers_free(s);
	map_fini(&s->by_text);
	map_fini(&s->by_family);
	free(s->v);
	free(s->starts);
	free(s->packed);
	free(s->families);
	arena_fini(&s->a);
	arena_fini(&s->words);
	free(s->name);
	free(s);
}

void
scrape_memory_free(struct scrape_memory *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->n; i++)
		source_free(m->v[i]);
	free(m->v);
	map_fini(&m->by_text);
	map_fini(&m->named);
	buf_fini(&m->head);
	buf_fini(&m->body);
	buf_fini(&m->scratch);
	arena_fini(&m->a);
	arena_fini(&m->tmp);
	free(m);
}

static str
put(char **at, str s)
{
	str copy = { *at, s.n };

	if (s.n > 0)
		*at = mempcpy(*at, s.p, s.n);
	return copy;
}

/*
 * What stands in most series of a target: instance="...", and job="..." if it
 * is next.  In a series a label of its own may come between any other two.
 */
static str
middle(str text, struct labels ls)
{
	struct labels two = { ls.v, 0 };
	struct buf b = { 0 };
	size_t from;
	str part;

	for (size_t i = 0; i < ls.n; i++)
		if (str_eq(ls.v[i].name, STR("instance"))) {
			two = (struct labels){ ls.v + i, 1 };
			if (i + 1 < ls.n &&
			    str_eq(ls.v[i + 1].name, STR("job")))
				two.n = 2;
		}
	label_print_set(&b, two);
	part = str_skip(str_take(buf_str(&b), b.n - 1), 1);
	from = str_find(text, part);
	part = part.n == 0 || from == text.n ? STR_NONE
					     : (str){ text.p + from, part.n };
	buf_fini(&b);
	return part;
}

/* Its name in one piece: there are many targets. */
static void
own(struct memory_source *s, str text, struct labels ls)
{
	size_t n = text.n;
	struct label *v;
	char *at;

	for (size_t i = 0; i < ls.n; i++)
		n += sizeof(*v) + ls.v[i].name.n + ls.v[i].value.n;
	s->name = mem_zero(n + MEMORY_SLACK, 1);
	v = (struct label *)(void *)s->name;
	at = s->name + ls.n * sizeof(*v);
	for (size_t i = 0; i < ls.n; i++) {
		v[i].name = put(&at, ls.v[i].name);
		v[i].value = put(&at, ls.v[i].value);
	}
	s->labels = (struct labels){ v, ls.n };
	s->text = put(&at, text);
	s->middle = middle(s->text, s->labels);
}

struct memory_source *
memory_source(struct scrape_memory *m, str text, struct labels ls)
{
	struct map_slot *slot;
	struct memory_source *s;
	bool fresh;

	slot = map_add(&m->by_text, text, &fresh);
	if (!fresh)
		return slot->v.p;
	s = mem_zero(1, sizeof(*s));
	own(s, text, ls);
	s->round = s->good = s->turn = 1;
	s->fresh = true;
	slot->key = s->text;
	slot->v.p = s;
	m->v =
	    mem_grow(m->v, &m->cap, m->n + 1, sizeof(struct memory_source *));
	m->v[m->n++] = s;
	return s;
}

enum memory_way
memory_way(const struct memory_series *x, str page)
{
	const char *t = x->text, *p = page.p;
	size_t cut = x->cut, n = page.n;

	if (cut == 0)
		return MEMORY_UNKNOWN;
	if (cut == n + 1 && x->len == n + 2 && memcmp(t, p, n) == 0 &&
	    t[n] == '{' && t[n + 1] == '}')
		return MEMORY_BRACES;
	if (x->len != n + 1 || cut > n)
		return MEMORY_KEPT;
	if (t[cut] == ',' && memcmp(t, p, cut) == 0 &&
	    memcmp(t + cut + 1, p + cut, n - cut) == 0)
		return MEMORY_BEFORE;
	if (t[cut - 1] == ',' && memcmp(t, p, cut - 1) == 0 &&
	    memcmp(t + cut, p + cut - 1, n - (cut - 1)) == 0)
		return MEMORY_BEHIND;
	return MEMORY_KEPT;
}

size_t
memory_copy(
    char *p, const struct memory_source *s, const struct memory_series *x)
{
	size_t cut = x->cut;

	if (cut == 0) {
		memcpy(p, x->text, x->len);
		return x->len;
	}
	memcpy(p, x->text, cut);
	memcpy(p + cut, s->middle.p, s->middle.n);
	memcpy(p + cut + s->middle.n, x->text + cut, x->len - cut);
	return x->len + s->middle.n;
}

void
memory_put(
    struct buf *b, const struct memory_source *s, const struct memory_series *x)
{
	b->n += memory_copy(buf_reserve(b, x->len + s->middle.n), s, x);
}

/* With its middle again. */
static void
restore(struct memory_source *s, struct memory_series *x)
{
	size_t n = x->len + s->middle.n;
	char *p;

	if (x->cut == 0)
		return;
	p = arena_alloc(&s->a, n);
	memory_copy(p, s, x);
	x->text = p;
	x->len = (uint32_t)n;
	x->cut = 0;
}

/* The map was let go: make it anew. */
static void
index_series(struct memory_source *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct memory_series *x = &s->v[i];

		restore(s, x);
		map_add(&s->by_text, (str){ x->text, x->len }, NULL)->v.i = i;
	}
}

struct memory_series *
memory_series(struct memory_source *s, str text)
{
	struct map_slot *slot;
	bool fresh;

	if (s->by_text.n == 0 && s->n > 0)
		index_series(s);
	s->looked++;
	slot = map_add(&s->by_text, text, &fresh);
	if (fresh) {
		slot->key = arena_dup(&s->a, text);
		slot->v.i = s->n;
		s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof(*s->v));
		s->v[s->n++] = (struct memory_series){ .text = slot->key.p,
			.len = (uint32_t)text.n };
	}
	return &s->v[slot->v.i];
}

static void
index_families(struct memory_source *s)
{
	for (size_t i = 0; i < s->nfamilies; i++)
		map_add(&s->by_family, s->families[i].name, NULL)->v.i = i;
}

struct memory_family *
memory_family(struct memory_source *s, str name)
{
	struct map_slot *slot;
	bool fresh;

	if (s->by_family.n == 0)
		index_families(s);
	s->looked++;
	slot = map_add(&s->by_family, name, &fresh);
	if (fresh) {
		slot->key = arena_dup(&s->words, name);
		slot->v.i = s->nfamilies;
		s->families = mem_grow(s->families, &s->families_cap,
		    s->nfamilies + 1, sizeof(*s->families));
		s->families[s->nfamilies++] =
		    (struct memory_family){ .name = slot->key };
	}
	return &s->families[slot->v.i];
}

bool
memory_has_reader(const struct memory_source *s, enum expo_form form)
{
	return (form == EXPO_OM          ? s->om
		       : form == EXPO_MF ? s->proto
					 : s->page) != NULL;
}

struct expo_reader *
memory_reader(struct memory_source *s, enum expo_form form)
{
	struct expo_reader **r = form == EXPO_OM ? &s->om
	    : form == EXPO_MF                    ? &s->proto
						 : &s->page;

	if (*r != NULL) {
		expo_rewind(*r);
		return *r;
	}
	*r = expo_new(form, 0);
	if (s->lean) {
		expo_lean(*r);
		expo_verbatim(*r);
	}
	return *r;
}

int64_t *
memory_start(struct memory_source *s, size_t i)
{
	size_t had = s->nstarts;

	if (i >= had) {
		s->starts =
		    mem_grow(s->starts, &s->nstarts, s->n, sizeof(*s->starts));
		memset(s->starts + had, 0,
		    (s->nstarts - had) * sizeof(*s->starts));
	}
	return &s->starts[i];
}

/*
 * A target whose series change all the time would fill the memory with those
 * that were.  What is not in use any more is dropped by making everything
 * anew; the reader's marks, numbers of series here, go with it.
 */
static void
drop_old(struct memory_source *s)
{
	struct memory_series *old = s->v;
	char *packed = s->packed;
	size_t n = s->n;
	struct arena a;

	for (size_t i = 0; i < n; i++)
		restore(s, &old[i]);
	a = s->a;
	memory_readers_free(s);
	map_fini(&s->by_text);
	map_fini(&s->by_family);
	s->a = (struct arena){ 0 };
	s->packed = NULL;
	s->v = NULL;
	s->n = s->cap = 0;
	for (size_t i = 0; i < n; i++)
		if (old[i].known == s->good || old[i].live) {
			struct memory_series *x =
			    memory_series(s, (str){ old[i].text, old[i].len });
			const char *text = x->text;

			*x = old[i];
			x->text = text;
		}
	free(old);
	free(packed);
	arena_fini(&a);
	free(s->starts);
	s->starts = NULL;
	s->nstarts = 0;
	/* Metadata is said again: simpler than to carry it over. */
	arena_fini(&s->words);
	free(s->families);
	s->families = NULL;
	s->nfamilies = s->families_cap = 0;
	s->described = false;
}

/* v of n objects moved to where nothing is left over. */
static void *
fit(void *v, size_t n, size_t size, size_t *cap)
{
	void *p = mem_alloc((n + 1) * size);

	if (n > 0)
		memcpy(p, v, n * size);
	free(v);
	*cap = n + 1;
	return p;
}

/* Where a series has its source's middle, or 0 if it has not, or too late. */
static uint16_t
find_middle(const struct memory_source *s, const struct memory_series *x)
{
	str text = { x->text, x->len };
	size_t at = s->middle.n == 0 ? 0 : str_find(text, s->middle);

	return at < text.n && at <= UINT16_MAX ? (uint16_t)at : 0;
}

/* The text of a series to *at, without its middle if that is found at cut. */
static void
pack(const struct memory_source *s, struct memory_series *x, uint16_t cut,
    char **at)
{
	str text = { x->text, x->len };

	x->text = *at;
	if (cut == 0) {
		(void)put(at, text);
		return;
	}
	(void)put(at, str_take(text, cut));
	(void)put(at, str_skip(text, cut + s->middle.n));
	x->len -= (uint32_t)s->middle.n;
	x->cut = cut;
}

/*
 * The texts of series move together, and the maps go: a thousand targets are
 * mostly at rest, and when all are new there should not be a thousand maps.
 * Where a few series come each round they stay until one in which none did.
 */
static void
rest(struct memory_source *s)
{
	uint16_t *cuts = mem_alloc((s->n + 1) * sizeof(*cuts));
	size_t n = 0;
	char *p, *at;

	map_fini(&s->by_text);
	map_fini(&s->by_family);
	for (size_t i = 0; i < s->n; i++) {
		const struct memory_series *x = &s->v[i];

		cuts[i] = x->cut == 0 ? find_middle(s, x) : 0;
		n += x->len - (cuts[i] != 0 ? s->middle.n : 0);
	}
	at = p = mem_alloc(n + 1);
	for (size_t i = 0; i < s->n; i++)
		pack(s, &s->v[i], cuts[i], &at);
	free(cuts);
	free(s->packed);
	s->packed = p;
	arena_fini(&s->a);
	s->v = fit(s->v, s->n, sizeof(*s->v), &s->cap);
	s->families = fit(
	    s->families, s->nfamilies, sizeof(*s->families), &s->families_cap);
}

void
memory_tidy(struct memory_source *s)
{
	size_t kept = 0;

	for (size_t i = 0; s->n > FEW && i < s->n; i++)
		kept += s->v[i].known == s->good || s->v[i].live;
	if (s->n > 2 * kept + FEW)
		drop_old(s);
	else if (s->by_text.n + s->by_family.n > 0 &&
	    (s->looked == 0 || s->looked > s->n / MANY))
		rest(s);
	s->looked = 0;
}

void
scrape_reload(struct scrape_memory *m)
{
	for (size_t i = 0; i < m->n; i++)
		memory_readers_free(m->v[i]);
}

void
memory_log_series(struct buf *b, const struct memory_source *s,
    const struct memory_series *x, int64_t t)
{
	memory_put(b, s, x);
	buf_add(b, x->own && x->live ? STR(" 2 ") : STR(" 1 "));
	num_print_int(b, x->own ? 0 : t);
	buf_byte(b, '\n');
}

void
memory_log(struct buf *b, const struct memory_source *s, int64_t t, str body)
{
	static const struct expo_key operand = { STR_INIT("from"),
		STR_INIT("operand"), false };

	expo_put_batch(b, s->labels, t, &operand, s->operand ? 1 : 0);
	buf_add(b, body);
	expo_put_eof(b);
}

/* Series that have ended: of one, or of all. */
static void
ended(struct memory_source *s, struct memory_series *x, bool forget)
{
	s->nlive -= x->live;
	x->live = false;
	if (forget)
		x->known = 0;
}

/* A batch of the log. */
static void
replay(struct scrape_memory *m, const struct batch *b, struct buf *text)
{
	struct memory_source *s;

	buf_reset(text);
	label_print_set(text, b->labels);
	s = memory_source(m, buf_str(text), b->labels);
	s->logged = true;
	s->fresh = false;
	s->t = b->t;
	for (size_t i = 0; i < b->nkeys; i++)
		if (str_eq(b->keys[i].name, STR("from")))
			s->operand = str_eq(b->keys[i].value, STR("operand"));
	for (size_t i = 0; i < b->n; i++) {
		const struct expo_item *it = &b->v[i];
		struct memory_series *x;

		if (it->kind == EXPO_STALE && it->all)
			for (size_t j = 0; j < s->n; j++)
				ended(s, &s->v[j], false);
		if (it->all ||
		    (it->kind != EXPO_STALE && it->kind != EXPO_SAMPLE))
			continue;
		buf_reset(text);
		label_print(text, it->labels);
		x = memory_series(s, buf_str(text));
		ended(s, x, it->kind == EXPO_STALE);
		if (it->kind == EXPO_STALE)
			continue;
		x->known = s->good;
		x->own = it->t != b->t;
		x->live = !x->own || it->v > 1;
		s->nlive += x->live;
	}
}

/* A target that is gone: the log says so by a key, and forgets it. */
static bool
is_gone(const struct batch *b)
{
	for (size_t i = 0; i < b->nkeys; i++)
		if (str_eq(b->keys[i].name, STR("gone")))
			return true;
	return false;
}

static void
forget(struct scrape_memory *m, str text)
{
	struct map_slot *slot = map_find(&m->by_text, text);
	struct memory_source *s;

	if (slot == NULL)
		return;
	s = slot->v.p;
	(void)map_del(&m->by_text, text);
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i] == s) {
			m->v[i] = m->v[--m->n];
			break;
		}
	source_free(s);
}

/* Where the last whole batch ends. */
static size_t
whole(str log)
{
	const str eof = STR("\n# EOF\n");
	const char *p = log.p + log.n;

	for (size_t left = log.n; left >= eof.n; left--, p--)
		if (memcmp(p - eof.n, eof.p, eof.n) == 0)
			return left;
	return 0;
}

size_t
scrape_memory_load(struct scrape_memory *m, str log)
{
	size_t n = whole(log);
	struct batch_reader *r = batch_new(EXPO_MF, 0, false, NULL, NULL);
	struct buf text = { 0 };
	struct batch b;

	batch_feed(r, str_take(log, n));
	batch_end(r);
	while (batch_next(r, &b) == 1) {
		if (!b.opened)
			continue;
		replay(m, &b, &text);
		if (!is_gone(&b))
			continue;
		buf_reset(&text);
		label_print_set(&text, b.labels);
		forget(m, buf_str(&text));
	}
	batch_free(r);
	buf_fini(&text);
	return n;
}

void
scrape_memory_save(struct scrape_memory *m, struct buf *log)
{
	struct buf body = { 0 };

	for (size_t i = 0; i < m->n; i++) {
		struct memory_source *s = m->v[i];
		size_t ended_n = 0;

		buf_reset(&body);
		for (size_t j = 0; j < s->n; j++) {
			const struct memory_series *x = &s->v[j];

			if (!x->live && x->known != s->good)
				continue;
			memory_log_series(&body, s, x, s->t);
			ended_n += !x->live && !x->own;
		}
		/* After a failed round nothing lives, but all is known. */
		memory_log(log, s, s->t, buf_str(&body));
		s->logged = true;
		if (ended_n == 0)
			continue;
		buf_reset(&body);
		expo_put_stale_all(&body, s->t);
		memory_log(log, s, s->t, buf_str(&body));
	}
	buf_fini(&body);
}

size_t
scrape_gone(struct scrape_memory *m, const struct scrape_set *set, int64_t now,
    struct scrape_text *x)
{
	static const struct expo_key key = { STR_INIT("gone"), STR_INIT("1"),
		false };
	struct map here = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++)
		(void)map_add(&here, set->v[i]->text, NULL);
	for (size_t i = m->n; i-- > 0;) {
		struct memory_source *s = m->v[i];

		if (s->operand || map_find(&here, s->text) != NULL)
			continue;
		expo_put_batch(&x->out, s->labels, now, NULL, 0);
		expo_put_stale_all(&x->out, now);
		expo_put_eof(&x->out);
		expo_put_batch(&x->after, s->labels, now, &key, 1);
		expo_put_eof(&x->after);
		forget(m, s->text);
		n++;
	}
	map_fini(&here);
	return n;
}
