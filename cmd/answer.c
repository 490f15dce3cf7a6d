/*
 * Forms of an answer: a row of the table and a function each.
 */
#include "answer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/json.h"
#include "base/num.h"
#include "metric/expo.h"
#include "tool.h"

/* Rows are written when they are so many bytes. */
#define FLUSH 65536

struct answer_form {
	const char *name;
	void (*put)(struct buf *out, const struct answer *a);
};

bool
answer_empty(const struct promql_result *r)
{
	return (r->type == PROMQL_VECTOR || r->type == PROMQL_MATRIX) &&
	    r->n == 0;
}

static const struct histogram *
histogram_of(const struct promql_series *s, size_t i)
{
	return s->h != NULL ? s->h[i] : NULL;
}

/* A sample or a HIST line. */
static void
put_sample(struct buf *out, const struct promql_series *s, size_t i)
{
	const struct histogram *h = histogram_of(s, i);
	struct buf text = { 0 };

	if (h == NULL) {
		expo_put_sample(out, s->labels, s->v[i], s->t[i]);
		return;
	}
	histogram_print(&text, h);
	expo_put_hist(out, s->labels, buf_str(&text), s->t[i]);
	buf_fini(&text);
}

static void
put_stream(struct buf *out, const struct answer *a)
{
	const struct promql_opts *o = a->o;
	const struct promql_result *r = a->r;
	struct label who[] = { { STR("expr"), a->expr } };
	struct expo_key keys[3] = { { STR("from"), STR_NONE, false },
		{ STR("to"), STR_NONE, false },
		{ STR("step"), STR_NONE, false } };
	const int64_t times[] = { o->from, o->to, o->step };
	char text[3][24];

	for (size_t i = 0; i < 3; i++) {
		snprintf(text[i], sizeof(text[i]), "%" PRId64, times[i]);
		keys[i].value = str_of(text[i]);
	}
	expo_put_batch(
	    out, (struct labels){ who, 1 }, o->to, keys, o->step > 0 ? 3 : 0);
	if (r->type == PROMQL_SCALAR)
		expo_put_sample(
		    out, (struct labels){ NULL, 0 }, r->scalar, r->t);
	else if (r->type == PROMQL_STRING)
		expo_put_string(out, r->string, r->t);
	else
		for (size_t i = 0; i < r->n; i++)
			for (size_t k = 0; k < r->v[i].n; k++)
				put_sample(out, &r->v[i], k);
	expo_put_eof(out);
}

static void
put_strings(struct json_writer *w, const char *key, const str *v, size_t n)
{
	if (n == 0)
		return;
	json_key(w, str_of(key));
	json_open(w, '[');
	w->html = true; /* as upstream does but in labels */
	for (size_t i = 0; i < n; i++)
		json_str(w, v[i]);
	w->html = false;
	json_close(w, ']');
}

static void
flush(void *arg, struct buf *b)
{
	(void)arg;
	tool_write(buf_str(b));
	buf_reset(b);
}

static void
put_json(struct buf *out, const struct answer *a)
{
	const struct promql_result *r = a->r;
	struct json_writer w;

	json_init(&w, out, false);
	json_open(&w, '{');
	json_key(&w, STR("status"));
	json_str(&w, STR("success"));
	json_key(&w, STR("data"));
	promql_json(&w, r, 0, flush, NULL);
	put_strings(&w, "warnings", r->warnings, r->nwarnings);
	put_strings(&w, "infos", r->infos, r->ninfos);
	json_close(&w, '}');
	buf_byte(out, '\n');
}

/*
 * Forms of a line a sample.
 */

bool
answer_next(struct answer_rows *x, struct answer_row *row)
{
	const struct promql_result *r = x->r;

	*row = (struct answer_row){ .t = r->t, .v = r->scalar };
	if (r->type == PROMQL_SCALAR || r->type == PROMQL_STRING) {
		if (r->type == PROMQL_STRING)
			row->text = &r->string;
		return x->i++ == 0;
	}
	while (x->i < r->n && x->k == r->v[x->i].n) {
		x->i++;
		x->k = 0;
	}
	if (x->i == r->n)
		return false;
	row->labels = r->v[x->i].labels;
	row->t = r->v[x->i].t[x->k];
	row->v = r->v[x->i].v[x->k];
	row->h = histogram_of(&r->v[x->i], x->k);
	x->k++;
	return true;
}

void
answer_put_time(struct buf *out, int64_t t, const struct date_zone *z)
{
	if (z == NULL)
		date_print(out, t);
	else
		date_format(out, t, z, STR("2006-01-02T15:04:05.999Z07:00"));
}

void
answer_put_value(struct buf *out, const struct answer_row *row)
{
	if (row->text != NULL)
		buf_add(out, *row->text);
	else if (row->h != NULL)
		histogram_print(out, row->h);
	else
		num_print(out, row->v);
}

/* A number, but JSON has none that is not finite. */
static void
put_json_value(struct json_writer *w, const struct answer_row *row)
{
	struct buf b = { 0 };

	if (row->h != NULL) {
		json_key(w, STR("histogram"));
		histogram_json(&b, row->h);
		json_raw(w, buf_str(&b));
	} else {
		json_key(w, row->text != NULL ? STR("string") : STR("value"));
		answer_put_value(&b, row);
		if (row->text == NULL && isfinite(row->v))
			json_raw(w, buf_str(&b));
		else
			json_str(w, buf_str(&b));
	}
	buf_fini(&b);
}

static void
put_ndjson(struct buf *out, const struct answer *a)
{
	struct answer_rows x = { .r = a->r };
	struct answer_row row;

	while (answer_next(&x, &row)) {
		struct json_writer w;

		json_init(&w, out, false);
		json_open(&w, '{');
		json_key(&w, STR("expr"));
		json_str(&w, a->expr);
		json_key(&w, STR("metric"));
		label_json(&w, row.labels);
		json_key(&w, STR("t"));
		json_int(&w, row.t);
		put_json_value(&w, &row);
		json_close(&w, '}');
		buf_byte(out, '\n');
		if (out->n > FLUSH)
			flush(NULL, out);
	}
}

/* A cell: RFC 4180's quotes, or escapes where tabs separate. */
static void
put_cell(struct buf *out, str s, char sep)
{
	bool quote = sep == ',' &&
	    (str_chr(s, ',') < s.n || str_chr(s, '"') < s.n ||
		str_chr(s, '\n') < s.n || str_chr(s, '\r') < s.n);

	if (quote)
		buf_byte(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (quote && c == '"')
			buf_z(out, "\"\"");
		else if (sep == '\t' && c == '\t')
			buf_z(out, "\\t");
		else if (sep == '\t' && c == '\n')
			buf_z(out, "\\n");
		else if (sep == '\t' && c == '\\')
			buf_z(out, "\\\\");
		else
			buf_byte(out, c);
	}
	if (quote)
		buf_byte(out, '"');
}

/* One row a sample: of which expression, if there are several; when, what. */
static void
put_rows(struct buf *out, const struct answer *a, char sep)
{
	struct answer_rows x = { .r = a->r };
	struct answer_row row;
	struct buf cell = { 0 };

	if (a->head && a->several)
		buf_printf(out, "expr%c", sep);
	if (a->head)
		buf_printf(out, "time%cseries%cvalue\n", sep, sep);
	while (answer_next(&x, &row)) {
		if (a->several) {
			put_cell(out, a->expr, sep);
			buf_byte(out, sep);
		}
		answer_put_time(out, row.t, a->zone);
		buf_byte(out, sep);
		buf_reset(&cell);
		if (row.text == NULL)
			label_print_metric(&cell, row.labels);
		put_cell(out, buf_str(&cell), sep);
		buf_byte(out, sep);
		buf_reset(&cell);
		answer_put_value(&cell, &row);
		put_cell(out, buf_str(&cell), sep);
		buf_byte(out, '\n');
		if (out->n > FLUSH)
			flush(NULL, out);
	}
	buf_fini(&cell);
}

static void
put_csv(struct buf *out, const struct answer *a)
{
	put_rows(out, a, ',');
}

static void
put_tsv(struct buf *out, const struct answer *a)
{
	put_rows(out, a, '\t');
}

static const struct answer_form forms[] = {
	{ "stream", put_stream },
	{ "table", answer_put_table },
	{ "json", put_json },
	{ "ndjson", put_ndjson },
	{ "csv", put_csv },
	{ "tsv", put_tsv },
};

const struct answer_form *
answer_form(const char *name)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(name, forms[i].name) == 0)
			return &forms[i];
	return strcmp(name, "text") == 0 ? &forms[0] : NULL;
}

void
answer_put(const struct answer_form *f, struct buf *out, const struct answer *a)
{
	f->put(out, a);
}
