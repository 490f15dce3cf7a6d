/*
 * Native histograms on their way through the tree: columns of them beside the
 * floats, and sums that keep what rounding takes.
 */
#include "promql/eval.h"

const struct histogram **
promql_histograms(struct eval *ev, size_t n)
{
	return arena_zero(ev->a, n > 0 ? n : 1, sizeof(struct histogram *));
}

bool
promql_floats(struct row *r, size_t n)
{
	bool any = false;

	if (r->h == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!absent(r->v[i]) && r->h[i] != NULL) {
			r->v[i] = num_stale();
			any = true;
		}
	r->h = NULL;
	return any;
}

static int
strip_row(void *self, struct row *r)
{
	struct strip *s = self;

	(void)promql_floats(r, s->steps);
	return promql_emit(s->out, r, s->steps);
}

struct sink
promql_strip(struct strip *s, const struct sink *out, size_t steps)
{
	*s = (struct strip){ out, steps };
	return (struct sink){ strip_row, s };
}

size_t
promql_histogram_size(const struct histogram *h)
{
	size_t n = h->negative.nspans + h->negative.n + h->positive.nspans +
	    h->positive.n + h->ncustom;

	/* as upstream: its bytes in the size of a float sample */
	return (sizeof(*h) + 8 * n) / 16;
}

static void
put(struct buf *b, const char *before, double v)
{
	buf_z(b, before);
	num_format(b, v, 'g', -1);
}

void
promql_histogram_text(struct buf *b, const struct histogram *h, struct arena *a)
{
	struct histogram_bucket *v;
	size_t n;

	v = histogram_list(h, a, &n);
	put(b, "{count:", h->count);
	put(b, ", sum:", h->sum);
	for (size_t i = 0; i < n; i++) {
		if (v[i].count == 0)
			continue;
		put(b, v[i].lower_in ? ", [" : ", (", v[i].lower);
		put(b, ",", v[i].upper);
		put(b, v[i].upper_in ? "]:" : "):", v[i].count);
	}
	buf_byte(b, '}');
}

/*
 * Sums and means.
 */

/* The sum of t and h in t's place; NULL where that would overflow. */
static int
grow(struct tally *t, const struct histogram *h, bool careful, bool *full,
    struct arena *a)
{
	struct histogram *sum = t->sum, *c = t->c;

	if (careful) {
		sum = histogram_copy(sum, a);
		c = histogram_copy(c, a);
	}
	if (histogram_add(sum, c, h, 1, a, &t->met) == -1)
		return -1;
	*full = careful && histogram_overflows(sum);
	if (!*full) {
		t->sum = sum;
		t->c = c;
	}
	return 0;
}

/* Could adding h to the sum give an infinity that neither has? */
static bool
near_overflow(const struct tally *t, const struct histogram *h)
{
	const double big = 8e307;

	return fabs(t->sum->count) > big || fabs(t->sum->sum) > big ||
	    fabs(t->sum->zero_count) > big || fabs(h->count) > big ||
	    fabs(h->sum) > big || fabs(h->zero_count) > big ||
	    t->sum->count < 0 || h->count < 0 || isnan(h->count);
}

int
promql_tally(
    struct tally *t, const struct histogram *h, bool mean, struct arena *a)
{
	struct histogram *part;
	bool full = false;
	double q;

	if (h->hint == HISTOGRAM_RESET || h->hint == HISTOGRAM_NOT_RESET)
		t->resets[h->hint == HISTOGRAM_RESET] = true;
	if (t->n++ == 0) {
		t->sum = histogram_copy(h, a);
		t->c = histogram_zero(h, a);
		return 0;
	}
	if (!t->running) {
		if (grow(t, h, mean && near_overflow(t, h), &full, a) == -1)
			return -1;
		if (!full)
			return 0;
		t->running = true;
		histogram_divide(t->sum, t->n - 1);
		histogram_divide(t->c, t->n - 1);
	}
	q = (t->n - 1) / t->n;
	histogram_scale(t->sum, q);
	histogram_scale(t->c, q);
	part = histogram_copy(h, a);
	histogram_divide(part, t->n);
	return histogram_add(t->sum, t->c, part, 1, a, &t->met);
}

struct histogram *
promql_tally_end(struct tally *t, bool mean)
{
	if (mean && !t->running && t->n > 1) {
		histogram_divide(t->sum, t->n);
		histogram_divide(t->c, t->n);
	}
	if (t->n > 1)
		histogram_settle(t->sum, t->c);
	return t->sum;
}

void
promql_tally_notes(
    struct eval *ev, const struct node *at, const struct tally *t)
{
	if (t->resets[0] && t->resets[1])
		promql_note(ev, NOTE_WARNING, at,
		    "conflicting counter resets during histogram aggregation");
	if (t->met & HISTOGRAM_RECONCILED)
		promql_note(ev, NOTE_INFO, at,
		    "mismatched custom buckets were reconciled during "
		    "aggregation");
}

void
promql_note_mix(struct eval *ev, const struct node *at, str metric)
{
	promql_note(ev, NOTE_WARNING, at,
	    "vector contains a mix of histograms with exponential and custom "
	    "buckets schemas for metric name \"%.*s\"",
	    STR_ARG(metric));
}
