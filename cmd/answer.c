/*
 * Forms of an answer: a row of the table and a function each.
 */
#include "answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/json.h"
#include "base/num.h"
#include "metric/expo.h"
#include "tool.h"

struct answer_form {
	const char *name;
	void (*put)(struct buf *out, str expr, const struct promql_opts *o,
	    const struct promql_result *r, bool head);
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
put_text(struct buf *out, str expr, const struct promql_opts *o,
    const struct promql_result *r, bool head)
{
	struct label who[] = { { STR("expr"), expr } };
	struct expo_key keys[3] = { { STR("from"), STR_NONE, false },
		{ STR("to"), STR_NONE, false },
		{ STR("step"), STR_NONE, false } };
	const int64_t times[] = { o->from, o->to, o->step };
	char text[3][24];

	(void)head;
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
	for (size_t i = 0; i < n; i++)
		json_str(w, v[i]);
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
put_json(struct buf *out, str expr, const struct promql_opts *o,
    const struct promql_result *r, bool head)
{
	struct json_writer w;

	(void)expr;
	(void)o;
	(void)head;
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

/* A cell of a table: RFC 4180's quotes, or escapes where tabs separate. */
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

static void
put_row(struct buf *out, int64_t t, struct labels ls, double v,
    const struct histogram *h, char sep)
{
	struct buf cell = { 0 };

	date_print(out, t);
	buf_byte(out, sep);
	label_print_metric(&cell, ls);
	put_cell(out, buf_str(&cell), sep);
	buf_byte(out, sep);
	buf_reset(&cell);
	if (h != NULL)
		histogram_print(&cell, h);
	else
		num_print(&cell, v);
	put_cell(out, buf_str(&cell), sep);
	buf_fini(&cell);
	buf_byte(out, '\n');
}

/* One row a sample: time, series, value. */
static void
put_table(struct buf *out, const struct promql_result *r, bool head, char sep)
{
	if (head)
		buf_printf(out, "time%cseries%cvalue\n", sep, sep);
	if (r->type == PROMQL_SCALAR) {
		put_row(out, r->t, (struct labels){ NULL, 0 }, r->scalar, NULL,
		    sep);
	} else if (r->type == PROMQL_STRING) {
		date_print(out, r->t);
		buf_printf(out, "%c%c", sep, sep);
		put_cell(out, r->string, sep);
		buf_byte(out, '\n');
	}
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; k < r->v[i].n; k++)
			put_row(out, r->v[i].t[k], r->v[i].labels, r->v[i].v[k],
			    histogram_of(&r->v[i], k), sep);
}

static void
put_csv(struct buf *out, str expr, const struct promql_opts *o,
    const struct promql_result *r, bool head)
{
	(void)expr;
	(void)o;
	put_table(out, r, head, ',');
}

static void
put_tsv(struct buf *out, str expr, const struct promql_opts *o,
    const struct promql_result *r, bool head)
{
	(void)expr;
	(void)o;
	put_table(out, r, head, '\t');
}

static const struct answer_form forms[] = {
	{ "text", put_text },
	{ "json", put_json },
	{ "csv", put_csv },
	{ "tsv", put_tsv },
};

const struct answer_form *
answer_form(const char *name)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(name, forms[i].name) == 0)
			return &forms[i];
	return NULL;
}

void
answer_put(const struct answer_form *f, struct buf *out, str expr,
    const struct promql_opts *o, const struct promql_result *r, bool head)
{
	f->put(out, expr, o, r, head);
}
