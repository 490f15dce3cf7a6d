/*
 * Which of a query's series have a sample in its range: frames are looked into
 * only until a series is seen.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "store/query.h"

struct see {
	struct store_query *q;
	bool *have; /* by series */
};

static void
seen_row(struct see *c, struct store_qday *d, const struct store_qseg *g,
    const struct store_run *run)
{
	size_t left = 0;
	struct store_want *w = mem_alloc((run->plan->nwant + 1) * sizeof(*w));

	for (size_t i = 0; i < run->plan->nwant; i++)
		if (!c->have[run->plan->want[i].series])
			w[left++] = run->plan->want[i];
	for (size_t i = run->n; i-- > 0 && left > 0;) {
		const struct store_slot *p =
		    store_seg_slot(g->seg, run->slot[i]);
		const uint64_t *v =
		    p == NULL ? NULL : store_seg_frame(g->seg, p);
		const uint32_t *t = NULL;
		size_t k = 0;

		if (v == NULL)
			continue;
		if (p->type == STORE_FRAME_T)
			t = (const uint32_t *)(v + run->plan->n);
		for (size_t j = 0; j < left; j++) {
			uint32_t col = w[j].col;

			if (v[col] != STORE_ABSENT &&
			    (t == NULL || (t[col] >= d->lo && t[col] <= d->hi)))
				c->have[w[j].series] = true;
			else
				w[k++] = w[j];
		}
		left = k;
	}
	free(w);
}

static void
seen_stripe(struct see *c, struct store_qday *d, const struct store_qseg *g,
    const struct store_run *run)
{
	const struct store_plan *p = run->plan;
	struct store_cols *x;
	double v[STORE_SEALED_ROWS];

	x = store_query_cols(c->q, g->seg->sealed, run->stripe, false);
	if (x == NULL)
		return;
	for (size_t i = 0; i < p->nwant; i++) {
		bool *have = &c->have[p->want[i].series];

		if (*have || !store_cols_get(x, p->want[i].col, v))
			continue;
		for (uint32_t r = 0; r < x->stripe->rows && !*have; r++)
			*have = num_bits(v[r]) != STORE_ABSENT &&
			    x->t[r] >= (int64_t)d->lo &&
			    x->t[r] <= (int64_t)d->hi;
	}
}

static void
seen_x(struct see *c, struct store_qday *d, const struct store_qseg *g,
    const struct store_run *run)
{
	for (size_t i = 0; i < run->n; i++) {
		const struct store_slot *p =
		    store_seg_slot(g->seg, run->slot[i]);
		const void *frame =
		    p == NULL ? NULL : store_seg_frame(g->seg, p);
		struct store_xview x;

		if (frame == NULL || !store_seg_x(p, frame, &x))
			continue;
		for (uint32_t k = 0, j = 0; k < x.nser; k++) {
			uint32_t s = store_query_id(d, x.id[k]);

			if (s == STORE_IDS_NONE || c->have[s]) {
				j = x.end[k];
				continue;
			}
			for (; j < x.end[k]; j++)
				if (x.t[j] >= d->lo && x.t[j] <= d->hi)
					c->have[s] = true;
		}
	}
}

static void
seen_comments(struct see *c, struct store_qday *d, const struct store_qseg *g,
    const struct store_run *run)
{
	for (size_t i = 0; i < run->n; i++) {
		const struct store_slot *p =
		    store_seg_slot(g->seg, run->slot[i]);
		const uint8_t *frame =
		    p == NULL ? NULL : store_seg_frame(g->seg, p);
		struct store_comment x;
		size_t at = 0;
		str text;

		while (frame != NULL &&
		    store_seg_comment(p, frame, &at, &x, &text)) {
			uint32_t s = x.kind != STORE_COMMENT_HIST
			    ? STORE_IDS_NONE
			    : store_query_id(d, x.id);

			if (s != STORE_IDS_NONE && x.t >= d->lo && x.t <= d->hi)
				c->have[s] = true;
		}
	}
}

void
store_query_seen(struct store_query *q, bool *have)
{
	struct see c = { q, have };

	for (size_t i = 0; i < q->nday; i++) {
		struct store_qday *d = &q->day[i];

		for (size_t k = 0; k < d->nseg; k++)
			for (size_t r = 0; r < d->seg[k].n; r++) {
				const struct store_run *run = &d->seg[k].run[r];

				if (run->sealed)
					seen_stripe(&c, d, &d->seg[k], run);
				else if (run->plan != NULL)
					seen_row(&c, d, &d->seg[k], run);
				else if (run->comments)
					seen_comments(&c, d, &d->seg[k], run);
				else
					seen_x(&c, d, &d->seg[k], run);
			}
	}
}
