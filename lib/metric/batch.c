/*
 * Batches out of a stream.  Lines are copied as they are fed, so that items
 * can point into them until their batch is complete; labels of series that
 * the reader remembers are not copied at all.
 */
#include "metric/batch.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "metric/expo_reader.h"

#define COMMIT ((size_t)4 << 20) /* bytes of a batch that nobody opened */
#define IDLE ((size_t)4096)      /* items kept allocated between batches */

/* A block of lines as fed. */
struct chunk {
	struct chunk *next;
	size_t n;
	char text[];
};

struct batch_reader {
	struct expo_reader *expo;
	struct arena arena;         /* what items of the batch point at */
	struct arena head;          /* labels and keys of its BATCH line */
	struct chunk *first, *last; /* fed and not yet done with */
	struct chunk *reading;      /* the one expo has been fed, or NULL */
	struct expo_item *v;
	size_t n, cap, bytes, bad;
	struct batch batch;
	enum expo_form form;
	bool strict;
	bool open;   /* by a BATCH line */
	bool broken; /* strict, and a line of it was bad */
	bool given;  /* handed out at the last call */
	bool ended;
	bool again;  /* v[0] is the BATCH line that ended the one before */
	size_t line; /* of the BATCH line */
	int64_t t, newest;
	void (*report)(void *, const char *);
	void *arg;
	size_t dropped; /* all bad lines and batches so far */
};

static void
drop_chunks(struct batch_reader *r, const struct chunk *until)
{
	struct chunk *c;

	while ((c = r->first) != NULL && c != until) {
		r->first = c->next;
		free(c);
	}
	if (r->first == NULL)
		r->last = NULL;
}

/* Begin anew: nothing of the last batch is needed any more. */
static void
begin(struct batch_reader *r)
{
	if (r->arena.blocks != NULL)
		arena_reset(&r->arena);
	drop_chunks(r, r->reading);
	if (r->cap > IDLE && r->n < IDLE / 4) {
		free(r->v);
		r->v = NULL;
		r->cap = 0;
	}
	r->n = r->bytes = r->bad = 0;
	r->open = r->broken = r->given = false;
	r->newest = INT64_MIN;
	expo_seen_tidy(&r->expo->memory);
}

struct batch_reader *
batch_new(enum expo_form form, int64_t default_t, bool strict,
    void (*report)(void *arg, const char *msg), void *arg)
{
	struct batch_reader *r = mem_zero(1, sizeof(*r));

	r->expo = expo_new(form, default_t);
	expo_keep(r->expo, &r->arena);
	r->form = form;
	r->strict = strict;
	r->t = default_t;
	r->report = report;
	r->arg = arg;
	begin(r);
	return r;
}

void
batch_free(struct batch_reader *r)
{
	if (r == NULL)
		return;
	drop_chunks(r, NULL);
	expo_free(r->expo);
	arena_fini(&r->arena);
	arena_fini(&r->head);
	free(r->v);
	free(r);
}

void
batch_feed(struct batch_reader *r, str lines)
{
	struct chunk *c;

	if (lines.n == 0)
		return;
	c = mem_alloc(sizeof(*c) + lines.n);
	c->next = NULL;
	c->n = lines.n;
	memcpy(c->text, lines.p, lines.n);
	if (r->last != NULL)
		r->last->next = c;
	else
		r->first = c;
	r->last = c;
}

void
batch_end(struct batch_reader *r)
{
	r->ended = true;
}

void
batch_set_time(struct batch_reader *r, int64_t t)
{
	r->t = t;
	expo_set_time(r->expo, t);
}

void
batch_skip(struct batch_reader *r, size_t n)
{
	r->expo->line += n;
}

size_t
batch_bad(const struct batch_reader *r)
{
	return r->dropped;
}

static void
complain(struct batch_reader *r, const char *msg)
{
	r->dropped++;
	if (r->report != NULL)
		r->report(r->arg, msg);
}

/* A BATCH line: what it says outlives the lines before it. */
static void
open(struct batch_reader *r, const struct expo_item *i)
{
	struct expo_key *k;

	arena_reset(&r->head);
	r->batch = (struct batch){ .opened = true, .t = i->t };
	r->batch.labels = label_dup(&r->head, i->labels);
	k = arena_array(&r->head, i->nkeys, struct expo_key);
	for (size_t j = 0; j < i->nkeys; j++) {
		k[j].name = arena_dup(&r->head, i->keys[j].name);
		k[j].value = arena_dup(&r->head, i->keys[j].value);
		k[j].quoted = i->keys[j].quoted;
	}
	r->batch.keys = k;
	r->batch.nkeys = i->nkeys;
	r->line = i->line;
}

static int
give(struct batch_reader *r, struct batch *b)
{
	if (!r->open) {
		r->batch = (struct batch){ .t = r->t };
		if (r->newest > INT64_MIN)
			r->batch.t = r->newest;
	}
	r->batch.v = r->v;
	r->batch.n = r->n;
	r->batch.bad = r->bad;
	r->given = true;
	*b = r->batch;
	return 1;
}

static void
unclosed(struct batch_reader *r)
{
	char msg[96];

	(void)snprintf(msg, sizeof(msg),
	    "%zu:1: the batch opened here is not closed, dropped", r->line);
	complain(r, msg);
}

/* The next item in r->v[r->n], as expo_next(), over all chunks. */
static int
next_item(struct batch_reader *r, struct error *e)
{
	struct chunk *c;
	int k;

	for (;;) {
		if (r->n == r->cap)
			r->v = mem_grow(r->v, &r->cap, r->n + 1, sizeof(*r->v));
		if (r->reading != NULL) {
			k = expo_next(r->expo, &r->v[r->n], e);
			if (k != 0)
				return k;
		}
		c = r->reading == NULL ? r->first : r->reading->next;
		if (c == NULL)
			return 0;
		r->reading = c;
		expo_feed(r->expo, (str){ c->text, c->n });
	}
}

/* An item has been read: 1 when it makes the batch complete. */
static int
apply(struct batch_reader *r, struct batch *b)
{
	struct expo_item *i = &r->v[r->n];
	bool broken = r->broken;

	switch (i->kind) {
	case EXPO_BATCH:
		if (r->open)
			unclosed(r);
		else if (r->n > 0 && !broken) {
			r->again = true;
			return give(r, b);
		}
		open(r, i);
		begin(r);
		r->open = true;
		return 0;
	case EXPO_EOF:
		if (broken) {
			begin(r);
			return 0;
		}
		return r->open || r->n > 0 ? give(r, b) : 0;
	case EXPO_SAMPLE:
	case EXPO_STALE:
	case EXPO_HIST:
	case EXPO_EXEMPLAR:
	case EXPO_START:
	case EXPO_ALERT:
	case EXPO_STRING:
		if (i->has_t && i->t > r->newest)
			r->newest = i->t;
		break;
	case EXPO_HELP:
	case EXPO_TYPE:
	case EXPO_UNIT:
	case EXPO_KIND:
		break;
	}
	r->bytes += i->raw.n + 1;
	r->n++;
	if (r->open || r->bytes < COMMIT)
		return 0;
	if (!broken)
		return give(r, b);
	begin(r);
	r->broken = true;
	return 0;
}

static int
finish(struct batch_reader *r, struct batch *b)
{
	struct error e;

	if (!r->ended)
		return 0;
	r->ended = false;
	if (r->form == EXPO_OM && expo_end(r->expo, &e) == -1) {
		complain(r, e.msg);
		r->broken = r->broken || r->strict;
	}
	if (r->open)
		unclosed(r);
	else if (r->n > 0 && !r->broken)
		return give(r, b);
	begin(r);
	return 0;
}

int
batch_next(struct batch_reader *r, struct batch *b)
{
	struct expo_item head;
	struct error e;
	int k;

	if (r->given) {
		head = r->again ? r->v[r->n] : (struct expo_item){ 0 };
		if (r->again)
			open(r, &head);
		begin(r);
		r->open = r->again;
		r->again = false;
	}
	while ((k = next_item(r, &e)) != 0) {
		if (k == -1) {
			r->bad++;
			complain(r, e.msg);
			r->broken = r->broken || r->strict;
			continue;
		}
		if (apply(r, b) == 1)
			return 1;
	}
	if (r->n == 0)
		drop_chunks(r, r->reading);
	return finish(r, b);
}
