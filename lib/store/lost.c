/*
 * What a day's batches lose when its log of series is cut, by a power failure
 * say: a batch that has such a series is not shown as long as the log is short,
 * and is marked before the log grows over where it was cut.  What is appended
 * again is then new.
 */
#include "store/writer.h"

#include <unistd.h>

/* Does any of these ids lie at or behind the end of the log? */
static bool
beyond(const uint32_t *id, uint32_t n, uint64_t end)
{
	for (uint32_t i = 0; i < n; i++)
		if ((uint64_t)id[i] * 8 >= end)
			return true;
	return false;
}

static bool
comments_beyond(const struct store_slot *p, const uint8_t *frame, uint64_t end)
{
	struct store_comment c;
	size_t at = 0;
	str text;

	while (store_seg_comment(p, frame, &at, &c, &text))
		if (beyond(&c.id, 1, end))
			return true;
	return false;
}

/*
 * Damaged frames are another matter; and a batch that has lost its labels has
 * its samples still.
 */
static bool
frame_beyond(
    const struct store_seg *g, const struct store_slot *p, uint64_t end)
{
	const void *frame = store_seg_frame(g, p);
	const uint32_t *ids;
	struct store_xview x;
	uint32_t n;

	switch (p->type) {
	case STORE_FRAME_V:
	case STORE_FRAME_T:
		ids = store_seg_layout(g, p->ref, &n);
		return ids != NULL && beyond(ids, n, end);
	case STORE_FRAME_X:
		return frame != NULL && store_seg_x(p, frame, &x) &&
		    beyond(x.id, x.nser, end);
	case STORE_FRAME_C:
		return frame != NULL && comments_beyond(p, frame, end);
	default:
		return false;
	}
}

/* Is the batch that slot i ends one that loses something? */
static bool
loses(const struct store_seg *g, uint32_t i, uint64_t end)
{
	const struct store_slot *p = store_seg_slot(g, i);
	uint32_t from;

	/* Ids of a batch lie before where the log ended then. */
	if (p == NULL || (uint64_t)p->log * 8 <= end)
		return false;
	from = store_seg_batch(g, i);
	if (from == STORE_NO_SLOT)
		return false;
	for (; from <= i; from++)
		if (frame_beyond(g, store_seg_slot(g, from), end))
			return true;
	return false;
}

static int
mark(const struct store *s, const struct store_wday *d,
    const struct store_seg *g, struct error *e)
{
	struct store_seg w = { .no = 0 };
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < g->n; i++) {
		if (!loses(g, i, d->dict.log.end))
			continue;
		if (w.no == 0 &&
		    store_seg_open(
			&w, s->fd, d->ymd, g->no, s->boot, true, e) != 1)
			return -1;
		rc = store_seg_lose(&w, i, e);
	}
	if (w.no == 0)
		return rc;
	if (rc == 0 && fdatasync(w.v.fd) == -1)
		rc = error_errno(e, "%s: fdatasync", w.v.name);
	store_seg_close(&w);
	return rc;
}

int
store_wday_lose(struct store *s, struct store_wday *d, struct error *e)
{
	if (store_day_use(s, &d->old, e) == -1)
		return -1;
	for (size_t i = 0; i < d->old.n; i++)
		if (d->old.seg[i]->sealed == NULL &&
		    mark(s, d, d->old.seg[i], e) == -1)
			return -1;
	return 0;
}
