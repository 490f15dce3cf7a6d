/*
 * A result as the API's data.  There may be a million points, so they go
 * straight into the buffer: the time of a step is printed once for all series
 * that have it, and the reader may take what is done away as it grows.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "promql/promql.h"

/* Before this many bytes nobody is called. */
#define ENOUGH 65536

/* ",[1637582400," of each of n times; text k ends at end[k]. */
struct stamps {
	const int64_t *t;
	size_t n, cap;
	size_t *end;
	struct buf text;
};

/* As upstream writes the times of samples: seconds, three digits of ms. */
static void
put_time(struct buf *b, int64_t t)
{
	uint64_t abs = t < 0 ? -(uint64_t)t : (uint64_t)t;
	unsigned ms = (unsigned)(abs % 1000);

	if (t < 0)
		buf_byte(b, '-');
	num_print_int(b, (int64_t)(abs / 1000));
	if (ms > 0) {
		buf_byte(b, '.');
		buf_byte(b, (char)('0' + ms / 100));
		buf_byte(b, (char)('0' + ms / 10 % 10));
		buf_byte(b, (char)('0' + ms % 10));
	}
}

/* The texts of a series' times: the last one's, if it has the same. */
static void
stamp(struct stamps *x, const struct promql_series *s)
{
	if (x->n >= s->n && x->t == s->t)
		return;
	buf_reset(&x->text);
	x->end = mem_grow(x->end, &x->cap, s->n, sizeof(*x->end));
	for (size_t i = 0; i < s->n; i++) {
		buf_z(&x->text, ",[");
		put_time(&x->text, s->t[i]);
		buf_byte(&x->text, ',');
		x->end[i] = x->text.n;
	}
	x->t = s->t;
	x->n = s->n;
}

static void
put_stamp(struct buf *b, const struct stamps *x, size_t i, bool first)
{
	size_t from = (i > 0 ? x->end[i - 1] : 0) + first;

	buf_add(b, (str){ x->text.p + from, x->end[i] - from });
}

/* 'f', but very small and large ones 'e'; and the end of the sample. */
static void
put_value(struct buf *b, double v)
{
	double abs = fabs(v);
	bool far = abs != 0 && (abs < 1e-6 || abs >= 1e21);

	buf_byte(b, '"');
	if (!far && abs < 9007199254740992.0 && v == rint(v))
		num_print(b, v);
	else
		num_format(b, v, far ? 'e' : 'f', -1);
	buf_add(b, STR("\"]"));
}

static bool
is_histogram(const struct promql_series *s, size_t i)
{
	return s->h != NULL && s->h[i] != NULL;
}

/* The floats of a series, or its histograms, if there are any. */
static void
put_points(struct json_writer *w, const struct stamps *x,
    const struct promql_series *s, str key, bool matrix, bool histograms)
{
	bool any = false;

	for (size_t i = 0; i < s->n; i++) {
		if (is_histogram(s, i) != histograms)
			continue;
		if (!any)
			json_key(w, key);
		if (!any && matrix)
			buf_byte(w->out, '[');
		put_stamp(w->out, x, i, !any);
		any = true;
		if (histograms) {
			histogram_json(w->out, s->h[i]);
			buf_byte(w->out, ']');
		} else {
			put_value(w->out, s->v[i]);
		}
	}
	if (any && matrix)
		buf_byte(w->out, ']');
	if (any)
		w->pending = true;
}

static void
put_series(struct json_writer *w, struct stamps *x,
    const struct promql_series *s, bool matrix)
{
	stamp(x, s);
	json_open(w, '{');
	json_key(w, STR("metric"));
	label_json(w, s->labels);
	put_points(
	    w, x, s, matrix ? STR("values") : STR("value"), matrix, false);
	if (s->h != NULL)
		put_points(w, x, s,
		    matrix ? STR("histograms") : STR("histogram"), matrix,
		    true);
	json_close(w, '}');
}

/* [ts,"text"], ts as a plain number; upstream escapes < here, not in labels. */
static void
put_single(struct json_writer *w, int64_t t, str text)
{
	bool html = w->html;

	json_open(w, '[');
	json_num(w, (double)t / 1000);
	w->html = true;
	json_str(w, text);
	w->html = html;
	json_close(w, ']');
}

static void
put_vector(struct json_writer *w, const struct promql_result *r, size_t n,
    void (*full)(void *arg, struct buf *b), void *arg)
{
	struct stamps x = { 0 };

	json_open(w, '[');
	for (size_t i = 0; i < n; i++) {
		put_series(w, &x, &r->v[i], r->type == PROMQL_MATRIX);
		if (full != NULL && w->out->n >= ENOUGH)
			full(arg, w->out);
	}
	json_close(w, ']');
	free(x.end);
	buf_fini(&x.text);
}

void
promql_json(struct json_writer *w, const struct promql_result *r, size_t limit,
    void (*full)(void *arg, struct buf *b), void *arg)
{
	size_t n = limit > 0 && limit < r->n ? limit : r->n;
	struct buf b = { 0 };

	json_open(w, '{');
	json_key(w, STR("resultType"));
	json_str(w, str_of(promql_type_text(r->type)));
	json_key(w, STR("result"));
	switch (r->type) {
	case PROMQL_SCALAR:
		num_format(&b, r->scalar, 'f', -1);
		put_single(w, r->t, buf_str(&b));
		break;
	case PROMQL_STRING:
		put_single(w, r->t, r->string);
		break;
	case PROMQL_VECTOR:
	case PROMQL_MATRIX:
		put_vector(w, r, n, full, arg);
		break;
	}
	json_close(w, '}');
	buf_fini(&b);
}
