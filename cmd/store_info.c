/*
 * mf-store info.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/json.h"
#include "base/num.h"
#include "store_cmd.h"
#include "tool.h"

#define TOP 10

struct info {
	struct store_cmd_read r;
	int form; /* place in forms */
	size_t top;
	struct store_info i;
	struct store_usage u;
	struct buf b;
};

static const char *const forms[] = { "table", "json", NULL };

static void
put_time(struct buf *b, const char *name, int64_t t)
{
	buf_printf(b, "%s ", name);
	date_print_ms(b, t);
	buf_byte(b, '\n');
}

static void
totals(struct info *x)
{
	const struct store_info *i = &x->i;

	buf_printf(&x->b,
	    "days %zu\nsegments %zu\nparts %zu\nbatches %zu\nseries %zu\n"
	    "samples %zu\nbytes %zu\n",
	    i->days, i->segments, i->parts, i->batches, i->series, i->samples,
	    i->bytes);
	if (i->samples > 0) {
		buf_printf(&x->b, "bytes_per_sample %.2f\n",
		    (double)i->bytes / (double)i->samples);
		put_time(&x->b, "from", i->from);
		put_time(&x->b, "to", i->to);
	}
}

static void
put_day(struct buf *b, int64_t t)
{
	struct buf day = { 0 };

	date_print_ms(&day, t);
	buf_add(b, str_take(buf_str(&day), 10));
	buf_fini(&day);
}

static size_t
rows(const struct info *x, size_t n)
{
	return n < x->top ? n : x->top;
}

static int
by_room(const void *a, const void *b)
{
	const struct store_usage_metric *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return str_cmp(x->name, y->name);
}

static void
metric_rows(struct info *x)
{
	for (size_t k = 0; k < rows(x, x->u.nmetrics); k++) {
		const struct store_usage_metric *m = &x->u.metrics[k];

		buf_printf(&x->b, "%10zu %12zu %12zu  %.*s\n", m->series,
		    m->samples, m->bytes, STR_ARG(m->name));
	}
}

/* Of the series' counts, which are in order already, and of the bytes. */
static void
metric_tables(struct info *x)
{
	static const char head[] =
	    "\n%s\n    series      samples        bytes  metric\n";

	buf_printf(&x->b, head, "METRICS WITH THE MOST SERIES");
	metric_rows(x);
	if (x->u.nmetrics > 0)
		qsort(x->u.metrics, x->u.nmetrics, sizeof(*x->u.metrics),
		    by_room);
	buf_printf(&x->b, head, "METRICS WITH THE MOST BYTES");
	metric_rows(x);
}

static void
tables(struct info *x)
{
	const struct store_usage *u = &x->u;
	size_t from = u->ndays - rows(x, u->ndays);

	buf_z(&x->b,
	    "\nDAYS\nday            series        new       gone      samples"
	    "        bytes\n");
	for (size_t k = from; k < u->ndays; k++) {
		const struct store_usage_day *d = &u->days[k];

		put_day(&x->b, d->t);
		buf_printf(&x->b, " %10zu %10zu %10zu %12zu %12zu\n", d->series,
		    d->fresh, d->gone, d->samples, d->bytes);
	}
	metric_tables(x);
	buf_z(&x->b, "\nLABELS WITH THE MOST VALUES\n    values  label\n");
	for (size_t k = 0; k < rows(x, u->nlabels); k++)
		buf_printf(&x->b, "%10zu  %.*s\n", u->labels[k].n,
		    STR_ARG(u->labels[k].name));
	buf_z(&x->b, "\nPAIRS WITH THE MOST SERIES\n    series  pair\n");
	for (size_t k = 0; k < rows(x, u->npairs); k++) {
		struct label l = { u->pairs[k].name, u->pairs[k].value };
		struct buf of = { 0 };

		label_print(&of, (struct labels){ &l, 1 }); /* _{a="b"} */
		buf_printf(&x->b, "%10zu  %.*s\n", u->pairs[k].n, (int)of.n - 3,
		    of.p + 2);
		buf_fini(&of);
	}
}

static void
json_count(struct json_writer *w, const char *key, size_t n)
{
	json_key(w, str_of(key));
	json_int(w, (int64_t)n);
}

static void
json_ms(struct json_writer *w, const char *key, int64_t t)
{
	json_key(w, str_of(key));
	json_int(w, t);
}

static void
json_text(struct json_writer *w, const char *key, str text)
{
	json_key(w, str_of(key));
	json_str(w, text);
}

static void
json_array(struct json_writer *w, const char *key)
{
	json_key(w, str_of(key));
	json_open(w, '[');
}

static void
json_days(struct json_writer *w, const struct info *x)
{
	json_array(w, "daily");
	for (size_t k = x->u.ndays - rows(x, x->u.ndays); k < x->u.ndays; k++) {
		const struct store_usage_day *d = &x->u.days[k];
		struct buf day = { 0 };

		put_day(&day, d->t);
		json_open(w, '{');
		json_text(w, "day", buf_str(&day));
		json_count(w, "series", d->series);
		json_count(w, "new", d->fresh);
		json_count(w, "gone", d->gone);
		json_count(w, "samples", d->samples);
		json_count(w, "bytes", d->bytes);
		json_close(w, '}');
		buf_fini(&day);
	}
	json_close(w, ']');
}

/* By series; and of those with the most bytes, which may be others. */
static void
json_metrics(struct json_writer *w, const struct info *x, const char *key)
{
	json_array(w, key);
	for (size_t k = 0; k < rows(x, x->u.nmetrics); k++) {
		const struct store_usage_metric *m = &x->u.metrics[k];

		json_open(w, '{');
		json_text(w, "name", m->name);
		json_count(w, "series", m->series);
		json_count(w, "samples", m->samples);
		json_count(w, "bytes", m->bytes);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
json_labels(struct json_writer *w, const struct info *x)
{
	json_array(w, "labels");
	for (size_t k = 0; k < rows(x, x->u.nlabels); k++) {
		json_open(w, '{');
		json_text(w, "name", x->u.labels[k].name);
		json_count(w, "values", x->u.labels[k].n);
		json_close(w, '}');
	}
	json_close(w, ']');
	json_array(w, "pairs");
	for (size_t k = 0; k < rows(x, x->u.npairs); k++) {
		json_open(w, '{');
		json_text(w, "name", x->u.pairs[k].name);
		json_text(w, "value", x->u.pairs[k].value);
		json_count(w, "series", x->u.pairs[k].n);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
as_json(struct info *x)
{
	const struct store_info *i = &x->i;
	struct json_writer w;

	json_init(&w, &x->b, false);
	json_open(&w, '{');
	json_count(&w, "days", i->days);
	json_count(&w, "segments", i->segments);
	json_count(&w, "parts", i->parts);
	json_count(&w, "batches", i->batches);
	json_count(&w, "series", i->series);
	json_count(&w, "samples", i->samples);
	json_count(&w, "bytes", i->bytes);
	if (i->samples > 0) {
		json_ms(&w, "from", i->from);
		json_ms(&w, "to", i->to);
	}
	if (x->top > 0) {
		json_days(&w, x);
		json_metrics(&w, x, "metrics");
		if (x->u.nmetrics > 0)
			qsort(x->u.metrics, x->u.nmetrics,
			    sizeof(*x->u.metrics), by_room);
		json_metrics(&w, x, "metrics_by_bytes");
		json_labels(&w, x);
	}
	json_close(&w, '}');
	buf_byte(&x->b, '\n');
}

static void
top(void *arg, const char *option, const char *text)
{
	int64_t n;

	if (num_parse_int(str_of(text), &n) == -1 || n < 0)
		tool_die(TOOL_USAGE, "%s: '%s' is not a number", option, text);
	*(size_t *)arg = (size_t)n;
}

int
store_cmd_info(int argc, char **argv)
{
	struct info x = { .top = TOP };
	const struct opt more[] = {
		{ 'o', "output", .word = &x.form, .words = forms },
		{ 0, "top", .call = top, .arg = &x.top },
		{ .name = NULL },
	};
	struct error e;

	store_cmd_open_more(&x.r, argc, argv, 0, more);
	if (x.r.expr != NULL)
		tool_usage(store_cmd_usage);
	if (store_info(x.r.s, &x.i, &e) == -1 ||
	    (x.top > 0 && store_usage(x.r.s, &x.u, &e) == -1))
		tool_die(TOOL_FAILED, "%s", e.msg);
	if (x.form == 0)
		totals(&x);
	if (x.form == 0 && x.top > 0 && x.i.days > 0)
		tables(&x);
	if (x.form == 1)
		as_json(&x);
	tool_print(&x.b);
	store_usage_fini(&x.u);
	return store_cmd_close(&x.r);
}
