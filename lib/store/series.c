/*
 * A range out of the store series by series, in label order: one batch, as a
 * range query answers.
 */
#include "metric/expo.h"
#include "metric/histogram.h"
#include "store/dir.h"

#include "base/num.h"

/* How much is gathered before it is handed on. */
#define CHUNK ((size_t)256 << 10)

struct writer {
	struct store *s;
	struct buf b, text;
	struct map told;
	struct arena keys;
	int (*out)(void *arg, str text);
	void *arg;
};

static int
flush(struct writer *w)
{
	int r = w->b.n > 0 ? w->out(w->arg, buf_str(&w->b)) : 0;

	buf_reset(&w->b);
	return r;
}

static int
one(struct writer *w, const struct source_series *s)
{
	store_meta_print(&w->s->meta, &w->b, label_find(s->labels, STR("job")),
	    label_find(s->labels, LABEL_NAME), &w->told, &w->keys);
	buf_reset(&w->text);
	label_print(&w->text, s->labels);
	buf_byte(&w->text, ' ');
	for (size_t i = 0; i < s->n; i++) {
		const struct histogram *h = s->h != NULL ? s->h[i] : NULL;
		bool stale = h == NULL && num_is_stale(s->v[i]);

		if (stale || h != NULL)
			buf_add(
			    &w->b, expo_word(stale ? EXPO_STALE : EXPO_HIST));
		buf_add(&w->b, buf_str(&w->text));
		if (h != NULL) {
			histogram_print(&w->b, h);
			buf_byte(&w->b, ' ');
		} else if (!stale) {
			num_print(&w->b, s->v[i]);
			buf_byte(&w->b, ' ');
		}
		num_print_int(&w->b, s->t[i]);
		buf_byte(&w->b, '\n');
		if (w->b.n >= CHUNK && flush(w) == -1)
			return -1;
	}
	return 0;
}

static void
head(struct writer *w, const struct store_range *r)
{
	const struct label expr = { STR("expr"), r->expr };
	struct buf from = { NULL, 0, 0 }, to = { NULL, 0, 0 };
	struct expo_key keys[2];

	num_print_int(&from, r->from);
	num_print_int(&to, r->to);
	keys[0] = (struct expo_key){ STR("from"), buf_str(&from), false };
	keys[1] = (struct expo_key){ STR("to"), buf_str(&to), false };
	expo_put_batch(&w->b, (struct labels){ &expr, 1 }, r->to, keys, 2);
	buf_fini(&from);
	buf_fini(&to);
}

static int
walk(struct writer *w, const struct store_range *r, struct error *e)
{
	struct source src = store_source(w->s);
	struct source_query q = {
		.m = r->m,
		.nm = r->nm,
		.from = r->from,
		.to = r->to,
		.histograms = true,
	};
	struct source_series s;
	struct source_cursor *c = source_open(&src, &q, e);
	int rc = -1, k = 0;

	if (c == NULL)
		return -1;
	if (store_meta_load(
		&w->s->meta, w->s->fd, w->s->mode == STORE_WRITE, e) == 0) {
		head(w, r);
		while ((k = source_next(&src, c, &s, e)) == 1)
			if (one(w, &s) == -1) {
				k = error_set(e, "stopped");
				break;
			}
		rc = k;
	}
	source_close(&src, c);
	if (rc == 0) {
		expo_put_eof(&w->b);
		rc = flush(w);
	}
	return rc;
}

int
store_select_series(struct store *s, const struct store_range *r,
    int (*out)(void *arg, str text), void *arg, struct error *e)
{
	struct writer w = { .s = s, .out = out, .arg = arg };
	int rc = walk(&w, r, e);

	buf_fini(&w.b);
	buf_fini(&w.text);
	map_fini(&w.told);
	arena_fini(&w.keys);
	return rc;
}
