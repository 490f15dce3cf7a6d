/*
 * A source that remembers.  What is asked of it goes to another source; if
 * it is of a selector that was said more than once, the answer is kept as it
 * passes, and given again to whoever asks the same.  Series that were scraped
 * together keep one column of times.
 */
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "promql/eval.h"

#define MAX_SAMPLES ((size_t)4 << 20)

/* A series' labels take as much room as this many samples, or so. */
#define LABELS 16

/* An answer: not begun, being made, complete, or too large to be kept. */
enum state { EMPTY, MAKING, COMPLETE, GIVEN_UP };

struct answer {
	enum state state;
	struct source_series *v;
	size_t n, cap, samples;
	struct arena a;
};

struct promql_share {
	const struct source *base;
	struct map said;    /* matchers: how often */
	struct map answers; /* matchers and times: a struct answer */
	size_t samples, max;
	struct arena a; /* keys and answers */
};

struct source_cursor {
	struct promql_share *share;
	struct source_cursor *base; /* NULL: from the answer */
	struct answer *answer;      /* that is made or given */
	size_t at;
};

struct promql_share *
promql_share_new(const struct source *base, size_t max)
{
	struct promql_share *s = mem_zero(1, sizeof(*s));

	s->base = base;
	s->max = max > 0 ? max : MAX_SAMPLES;
	return s;
}

void
promql_share_free(struct promql_share *s)
{
	struct map_slot *m = NULL;

	if (s == NULL)
		return;
	while ((m = map_next(&s->answers, m)) != NULL) {
		struct answer *answer = m->v.p;

		arena_fini(&answer->a);
	}
	map_fini(&s->said);
	map_fini(&s->answers);
	arena_fini(&s->a);
	free(s);
}

static void
put(struct buf *b, const void *p, size_t n)
{
	buf_add(b, (str){ p, n });
}

/* Matchers as bytes, none of which can be another's. */
static void
put_matchers(struct buf *b, const struct match *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		put(b, &m[i].op, sizeof(m[i].op));
		put(b, &m[i].name.n, sizeof(m[i].name.n));
		buf_add(b, m[i].name);
		put(b, &m[i].value.n, sizeof(m[i].value.n));
		buf_add(b, m[i].value);
	}
}

static bool
twice(const struct promql_share *s)
{
	struct map_slot *m = NULL;

	while ((m = map_next(&s->said, m)) != NULL)
		if (m->v.i > 1)
			return true;
	return false;
}

void
promql_share_expect(struct promql_share *s, const struct promql_expr *x)
{
	struct buf key = { 0 };

	for (const struct node *n = x->selectors; n != NULL;
	     n = n->next_selector) {
		struct map_slot *m;
		bool fresh;

		buf_reset(&key);
		put_matchers(&key, n->m, n->nm);
		m = map_add(&s->said, buf_str(&key), &fresh);
		if (fresh)
			m->key = arena_dup(&s->a, m->key);
		m->v.i++;
	}
	buf_fini(&key);
}

/*
 * Opening.
 */

/* The place of an answer; NULL if nobody else will want it. */
static struct answer *
find(struct promql_share *s, const struct source_query *q)
{
	struct buf key = { 0 };
	struct answer *answer = NULL;
	struct map_slot *m;
	bool fresh;

	put_matchers(&key, q->m, q->nm);
	m = map_find(&s->said, buf_str(&key));
	if (m != NULL && m->v.i > 1 && !q->labels_only) {
		put(&key, &q->from, sizeof(q->from));
		put(&key, &q->to, sizeof(q->to));
		buf_byte(&key, q->histograms ? 'h' : '-');
		buf_byte(&key, q->starts ? 's' : '-');
		buf_byte(&key, q->last ? 'l' : '-');
		m = map_add(&s->answers, buf_str(&key), &fresh);
		if (fresh) {
			m->key = arena_dup(&s->a, m->key);
			m->v.p = arena_new(&s->a, struct answer);
		}
		answer = m->v.p;
	}
	buf_fini(&key);
	return answer;
}

static struct source_cursor *
share_open(void *self, const struct source_query *q, struct error *e)
{
	struct promql_share *s = self;
	struct answer *answer = find(s, q);
	struct source_cursor *c = mem_zero(1, sizeof(*c));

	c->share = s;
	if (answer != NULL && answer->state == COMPLETE) {
		c->answer = answer;
		return c;
	}
	c->base = source_open(s->base, q, e);
	if (c->base == NULL) {
		free(c);
		return NULL;
	}
	if (answer != NULL && answer->state == EMPTY) {
		c->answer = answer;
		answer->state = MAKING;
	}
	return c;
}

/*
 * Reading.
 */

static void
give_up(struct source_cursor *c)
{
	struct answer *answer = c->answer;

	c->share->samples -= answer->samples;
	arena_fini(&answer->a);
	*answer = (struct answer){ .state = GIVEN_UP };
	c->answer = NULL;
}

static void *
copy(struct arena *a, const void *p, size_t n)
{
	return n > 0 ? memcpy(arena_alloc(a, n), p, n) : NULL;
}

/* A copy of a series for the answer, unless that grows too large. */
static void
keep(struct source_cursor *c, const struct source_series *s)
{
	struct answer *answer = c->answer;
	struct source_series *k, *last;
	const struct histogram **h;
	struct arena *a = &answer->a;

	answer->samples += s->n + LABELS;
	c->share->samples += s->n + LABELS;
	if (c->share->samples > c->share->max) {
		give_up(c);
		return;
	}
	answer->v =
	    arena_grow(a, answer->v, &answer->cap, answer->n + 1, sizeof(*k));
	last = answer->n > 0 ? &answer->v[answer->n - 1] : NULL;
	k = &answer->v[answer->n++];
	*k = (struct source_series){ .labels = label_dup(a, s->labels),
		.n = s->n };
	if (last != NULL && last->n == s->n &&
	    memcmp(last->t, s->t, s->n * sizeof(*s->t)) == 0)
		k->t = last->t;
	else
		k->t = copy(a, s->t, s->n * sizeof(*s->t));
	k->v = copy(a, s->v, s->n * sizeof(*s->v));
	if (s->start != NULL)
		k->start = copy(a, s->start, s->n * sizeof(*s->start));
	if (s->h == NULL)
		return;
	h = arena_array(a, s->n, const struct histogram *);
	for (size_t i = 0; i < s->n; i++)
		if (s->h[i] != NULL)
			h[i] = histogram_copy(s->h[i], a);
	k->h = h;
}

static int
share_next(struct source_cursor *c, struct source_series *s, struct error *e)
{
	int rc;

	if (c->base == NULL) {
		if (c->at == c->answer->n)
			return 0;
		*s = c->answer->v[c->at++];
		return 1;
	}
	rc = source_next(c->share->base, c->base, s, e);
	if (c->answer == NULL)
		return rc;
	if (rc == 1)
		keep(c, s);
	else if (rc == 0)
		c->answer->state = COMPLETE;
	else
		give_up(c);
	if (rc == 0)
		c->answer = NULL;
	return rc;
}

static void
share_close(struct source_cursor *c)
{
	if (c == NULL)
		return;
	if (c->base != NULL) {
		if (c->answer != NULL)
			give_up(c);
		source_close(c->share->base, c->base);
	}
	free(c);
}

static int
share_metadata(void *self,
    void (*each)(void *arg, str metric, str type, str help, str unit),
    void *arg, struct error *e)
{
	const struct source *base = ((struct promql_share *)self)->base;

	return base->ops->metadata != NULL
	    ? base->ops->metadata(base->self, each, arg, e)
	    : 0;
}

static void
share_hold(void *self, bool on)
{
	source_hold(((struct promql_share *)self)->base, on);
}

static const struct source_ops ops = {
	.open = share_open,
	.next = share_next,
	.close = share_close,
	.metadata = share_metadata,
	.hold = share_hold,
};

struct source
promql_share_source(struct promql_share *s)
{
	return (struct source){ &ops, s };
}

struct promql_share *
promql_share_own(const struct promql_expr *x, const struct source *src)
{
	struct promql_share *s;

	if (x->selectors == NULL || x->selectors->next_selector == NULL ||
	    src->ops == &ops)
		return NULL;
	s = promql_share_new(src, 0);
	promql_share_expect(s, x);
	if (twice(s))
		return s;
	promql_share_free(s);
	return NULL;
}
