/*
 * The store as a struct source: series one by one, from what is read of many.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "store/beaten.h"
#include "store/read.h"

struct source_cursor {
	struct store *s;
	struct store_read r;
	bool labels_only;
	bool *have; /* labels_only: series that have a sample */
	size_t at;  /* next series to hand out */
	struct label label[STORE_LABELS_MAX];
};

struct sample {
	int64_t t;
	uint64_t rank;
	double v;
	const struct histogram *h;
};

static int
by_time(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	if (x->t != y->t)
		return x->t < y->t ? -1 : 1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Strictly rising: sorted, and of one time the first that was committed. */
static size_t
merge(struct store_read *c, size_t series)
{
	size_t at = c->off[series], n = c->n[series];
	const struct histogram **h = c->h != NULL ? c->h + at : NULL;
	int64_t *t = store_read_times(c, series);
	double *v = c->v + at;
	struct sample *s;
	size_t k = 0;

	s = mem_alloc(n * sizeof(*s));
	for (size_t i = 0; i < n; i++) {
		uint64_t rank = c->rank != NULL ? c->rank[at + i] : i;
		bool wins = c->wins != NULL && c->wins[at + i];

		s[i] = (struct sample){ t[i], store_rank(rank, wins), v[i],
			h != NULL ? h[i] : NULL };
	}
	qsort(s, n, sizeof(*s), by_time);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || s[i].t != s[i - 1].t) {
			t[k] = s[i].t;
			if (h != NULL)
				h[k] = s[i].h;
			v[k++] = s[i].v;
		}
	free(s);
	return k;
}

static void
cursor_close(struct source_cursor *c)
{
	c->s->readers--;
	store_read_fini(&c->r);
	free(c->have);
	free(c);
}

static struct source_cursor *
cursor_open(void *self, const struct source_query *sq, struct error *e)
{
	struct source_cursor *c = mem_zero(1, sizeof(*c));
	struct store *s = self;

	c->s = s;
	s->readers++;
	c->labels_only = sq->labels_only;
	if (store_query_init(&c->r.q, s, sq, e) == -1) {
		error_add(e, "%s", s->path);
		cursor_close(c);
		return NULL;
	}
	if (c->labels_only) {
		c->have = mem_zero(c->r.q.n + 1, sizeof(*c->have));
		store_query_seen(&c->r.q, c->have);
	}
	return c;
}

static int
cursor_next(struct source_cursor *c, struct source_series *out, struct error *e)
{
	struct store_read *r = &c->r;

	(void)e;
	while (c->at < c->r.q.n) {
		size_t k = c->at;

		*out = (struct source_series){ .n = 0 };
		if (c->labels_only) {
			c->at++;
			if (c->have[k] &&
			    store_query_labels(
				&r->q, k, c->label, &out->labels))
				return 1;
			continue;
		}
		if (c->r.q.most[k] == 0) {
			c->at++;
			continue;
		}
		if (k >= r->to)
			store_read_some(r, k);
		c->at++;
		if (!store_query_labels(&r->q, k, c->label, &out->labels))
			continue;
		k -= r->from;
		out->n = r->mixed[k] ? merge(r, k) : r->n[k];
		out->t = r->same[k] != NULL ? r->same[k] : r->t + r->off[k];
		out->v = r->v + r->off[k];
		if (r->h != NULL)
			out->h = r->h + r->off[k];
		if (out->n > 0)
			return 1;
	}
	return 0;
}

static int
metadata(void *self,
    void (*each)(void *arg, str metric, str type, str help, str unit),
    void *arg, struct error *e)
{
	struct store *s = self;

	if (store_meta_load(&s->meta, s->fd, s->mode == STORE_WRITE, e) == -1)
		return error_add(e, "%s", s->path);
	store_meta_each(&s->meta, each, arg);
	return 0;
}

static void
hold(void *self, bool on)
{
	struct store *s = self;

	if (on && s->holds++ == 0)
		s->hold++;
	else if (!on)
		s->holds--;
}

static const struct source_ops ops = {
	.open = cursor_open,
	.next = cursor_next,
	.close = cursor_close,
	.metadata = metadata,
	.hold = hold,
};

struct source
store_source(struct store *s)
{
	return (struct source){ &ops, s };
}
