/*
 * mf-store export: what the store has for others, as OpenMetrics on stdout or,
 * with --tsdb, as blocks of Prometheus.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/map.h"
#include "base/num.h"
#include "opt.h"
#include "store_cmd.h"
#include "tool.h"
#include "wire/block.h"

#define TWO_HOURS INT64_C(7200000)
#define DAY INT64_C(86400000)

struct export
{
	struct store_cmd_read r;
	const char *tsdb; /* --tsdb DIR, or NULL */
	bool by_day;
	struct source src;
	/* of OpenMetrics */
	struct map families; /* name to struct family */
	struct arena a;
	struct buf b;
	str family;  /* the one in hand, as the store names it */
	size_t left; /* native histograms that text cannot say */
};

struct family {
	str type, help, unit;
};

static void
remember(void *arg, str metric, str type, str help, str unit)
{
	struct export *x = arg;
	struct family *f = arena_new(&x->a, struct family);
	struct map_slot *m;
	bool fresh;

	f->type = arena_dup(&x->a, type);
	f->help = arena_dup(&x->a, help);
	f->unit = arena_dup(&x->a, unit);
	m = map_add(&x->families, arena_dup(&x->a, metric), &fresh);
	if (fresh)
		m->v.p = f;
}

/* The family of a series by its name: its own, or that of foo_bucket. */
static const struct family *
family_of(const struct export *x, str name, str *family)
{
	static const str parts[] = { STR_INIT(""), STR_INIT("_bucket"),
		STR_INIT("_count"), STR_INIT("_sum") };

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		const struct map_slot *m;
		const struct family *f;

		if (!str_ends(name, parts[i]))
			continue;
		*family = str_take(name, name.n - parts[i].n);
		m = map_find(&x->families, *family);
		f = m == NULL ? NULL : m->v.p;
		if (f != NULL &&
		    (i == 0 || str_eq(f->type, STR("histogram")) ||
			str_eq(f->type, STR("summary"))))
			return f;
	}
	*family = name;
	return NULL;
}

static void
describe(struct export *x, const char *word, str name, str text)
{
	if (text.n == 0)
		return;
	buf_printf(&x->b, "# %s %.*s ", word, STR_ARG(name));
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '\n') {
			buf_z(&x->b, "\\n");
			continue;
		}
		if (c == '\\' || c == '"')
			buf_byte(&x->b, '\\');
		buf_byte(&x->b, c);
	}
	buf_byte(&x->b, '\n');
}

/*
 * The head of a family that begins.  OpenMetrics calls a counter by its name
 * without _total, and knows none that has no such name.
 */
static void
head(struct export *x, str name)
{
	const struct family *f;
	str family, type, om;

	f = family_of(x, name, &family);
	if (x->family.n > 0 && str_eq(family, x->family))
		return;
	x->family = arena_dup(&x->a, family);
	if (f == NULL)
		return;
	om = family;
	type = f->type;
	if (str_eq(type, STR("untyped")))
		type = STR("unknown");
	if (str_eq(type, STR("counter"))) {
		if (str_ends(family, STR("_total")))
			om = str_take(family, family.n - 6);
		else
			type = STR("unknown");
	}
	describe(x, "HELP", om, f->help);
	describe(x, "TYPE", om, type);
	if (str_ends(om, f->unit))
		describe(x, "UNIT", om, f->unit);
}

static void
put_series(struct export *x, const struct source_series *s)
{
	struct buf text = { 0 };

	head(x, label_find(s->labels, LABEL_NAME));
	label_print(&text, s->labels);
	for (size_t i = 0; i < s->n; i++) {
		int64_t t = s->t[i];

		if (s->h != NULL && s->h[i] != NULL) {
			x->left++;
			continue;
		}
		/* The end of a series is not a sample to OpenMetrics. */
		if (num_is_stale(s->v[i]))
			continue;
		buf_add(&x->b, buf_str(&text));
		buf_byte(&x->b, ' ');
		num_print(&x->b, s->v[i]);
		buf_printf(&x->b, " %s%lld.%03d\n", t < 0 ? "-" : "",
		    (long long)(t < 0 ? -(t / 1000) : t / 1000),
		    (int)(t < 0 ? -(t % 1000) : t % 1000));
		if (x->b.n > (1 << 16))
			tool_print(&x->b);
	}
	buf_fini(&text);
}

static void
openmetrics(struct export *x)
{
	struct source_query q = { .m = x->r.m,
		.nm = x->r.nm,
		.from = x->r.from,
		.to = x->r.to,
		.histograms = true };
	struct source_series s;
	struct source_cursor *c;
	struct error e;
	int k;

	if (x->src.ops->metadata(x->src.self, remember, x, &e) == -1 ||
	    (c = source_open(&x->src, &q, &e)) == NULL)
		tool_die(TOOL_FAILED, "%s", e.msg);
	while ((k = source_next(&x->src, c, &s, &e)) == 1)
		put_series(x, &s);
	source_close(&x->src, c);
	if (k == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
	buf_z(&x->b, "# EOF\n");
	tool_print(&x->b);
	if (x->left > 0)
		tool_warn("%zu native histograms were left out: OpenMetrics "
			  "has no text for them",
		    x->left);
}

static int
put_block_series(
    struct block_writer *w, const struct source_series *s, struct error *e)
{
	if (block_series(w, s->labels, e) == -1)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		const struct histogram *h = s->h == NULL ? NULL : s->h[i];

		if ((h == NULL ? block_float(w, s->t[i], s->v[i], e)
			       : block_histogram(w, s->t[i], h, e)) == -1)
			return -1;
	}
	return 0;
}

/* One block of from <= t < to, if there is anything to put into it. */
static int
put_block(struct export *x, int64_t from, int64_t to, struct error *e)
{
	struct source_query q = { .m = x->r.m,
		.nm = x->r.nm,
		.from = from > x->r.from ? from : x->r.from,
		.to = to - 1 < x->r.to ? to - 1 : x->r.to,
		.histograms = true };
	const struct clock *clock = tool_clock();
	struct source_cursor *c = source_open(&x->src, &q, e);
	struct block_writer *w = NULL;
	struct block_stats st;
	struct source_series s;
	char ulid[BLOCK_ULID + 1];
	int k;

	if (c == NULL)
		return -1;
	while ((k = source_next(&x->src, c, &s, e)) == 1) {
		if (w == NULL) {
			block_ulid(ulid, tool_now(), clock->random(clock->arg),
			    clock->random(clock->arg));
			w = block_create(x->tsdb, ulid, from, to, e);
		}
		if (w == NULL || put_block_series(w, &s, e) == -1) {
			k = -1;
			break;
		}
	}
	source_close(&x->src, c);
	if (w == NULL)
		return k;
	if (k == -1) {
		block_abort(w);
		return -1;
	}
	if (block_finish(w, &st, e) == -1)
		return -1;
	tool_note("%s/%s: %llu series, %llu samples, %llu bytes", x->tsdb, ulid,
	    (unsigned long long)st.series, (unsigned long long)st.samples,
	    (unsigned long long)st.bytes);
	return 0;
}

static void
blocks(struct export *x)
{
	int64_t span = x->by_day ? DAY : TWO_HOURS, from, to;
	struct store_info i;
	struct error e;

	if (store_info(x->r.s, &i, &e) == -1 || file_mkdir(x->tsdb, &e) == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
	from = i.from > x->r.from ? i.from : x->r.from;
	to = i.to < x->r.to ? i.to : x->r.to;
	if (i.from > i.to)
		return;
	from -= (from % span + span) % span;
	for (; from <= to; from += span)
		if (put_block(x, from, from + span, &e) == -1)
			tool_die(TOOL_FAILED, "%s", e.msg);
}

int
store_cmd_export(int argc, char **argv)
{
	struct export x = { .tsdb = NULL };
	int rc;
	const struct opt more[] = {
		{ 0, "by-day", .flag = &x.by_day },
		{ 0, "tsdb", .text = &x.tsdb },
		{ .name = NULL },
	};

	store_cmd_open_more(&x.r, argc, argv, 0, more);
	x.src = store_source(x.r.s);
	arena_init(&x.a);
	map_init(&x.families);
	if (x.tsdb != NULL)
		blocks(&x);
	else
		openmetrics(&x);
	map_fini(&x.families);
	arena_fini(&x.a);
	buf_fini(&x.b);
	rc = store_cmd_close(&x.r);
	return x.left > 0 ? TOOL_FAILED : rc;
}
