/*
 * mf-store series, labels, values: what is in a range, without its samples.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "store_cmd.h"
#include "tool.h"

#define CHUNK ((size_t)64 << 10)

/* Call each for every series of the range, in label order. */
static void
walk(struct store_cmd_read *r, void (*each)(void *arg, struct labels ls),
    void *arg)
{
	struct source src = store_source(r->s);
	struct source_query q = {
		.m = r->m,
		.nm = r->nm,
		.from = r->from,
		.to = r->to,
		.labels_only = true,
		.histograms = true,
	};
	struct source_series s;
	struct error e;
	struct source_cursor *c = source_open(&src, &q, &e);
	int k = -1;

	if (c != NULL) {
		while ((k = source_next(&src, c, &s, &e)) == 1)
			each(arg, s.labels);
		source_close(&src, c);
	}
	if (k == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
}

struct lines {
	struct buf b;
	size_t n;
};

static void
print_series(void *arg, struct labels ls)
{
	struct lines *l = arg;

	label_print(&l->b, ls);
	buf_byte(&l->b, '\n');
	l->n++;
	if (l->b.n >= CHUNK) {
		tool_write(buf_str(&l->b));
		buf_reset(&l->b);
	}
}

static int
end(struct store_cmd_read *r, struct lines *l)
{
	bool none = l->n == 0;
	int rc;

	tool_print(&l->b);
	rc = store_cmd_close(r);
	return rc == TOOL_OK && r->exit_status && none ? TOOL_ANSWER : rc;
}

int
store_cmd_series(int argc, char **argv)
{
	struct store_cmd_read r = { .s = NULL };
	struct lines l = { .n = 0 };

	store_cmd_open(&r, argc, argv, 0);
	walk(&r, print_series, &l);
	return end(&r, &l);
}

/* A set of words, printed in order. */
struct words {
	str name; /* values of this label; p NULL: label names */
	struct map seen;
	struct arena a;
	str *v;
	size_t n, cap;
};

static void
add(struct words *w, str word)
{
	bool fresh;
	struct map_slot *m = map_add(&w->seen, word, &fresh);

	if (!fresh)
		return;
	m->key = arena_dup(&w->a, word);
	w->v = mem_grow(w->v, &w->cap, w->n + 1, sizeof(*w->v));
	w->v[w->n++] = m->key;
}

static void
add_names(void *arg, struct labels ls)
{
	for (size_t i = 0; i < ls.n; i++)
		add(arg, ls.v[i].name);
}

static void
add_value(void *arg, struct labels ls)
{
	struct words *w = arg;
	str v = label_find(ls, w->name);

	if (v.n > 0)
		add(w, v);
}

static int
by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

/* A value may hold any byte; a line end is printed as in a label. */
static void
print_word(struct buf *b, str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\n')
			buf_z(b, "\\n");
		else
			buf_byte(b, s.p[i]);
	buf_byte(b, '\n');
}

static int
print_words(struct store_cmd_read *r, struct words *w)
{
	struct lines l = { .n = w->n };

	if (w->n > 0)
		qsort(w->v, w->n, sizeof(*w->v), by_bytes);
	for (size_t i = 0; i < w->n; i++)
		print_word(&l.b, w->v[i]);
	free(w->v);
	map_fini(&w->seen);
	arena_fini(&w->a);
	return end(r, &l);
}

int
store_cmd_labels(int argc, char **argv)
{
	struct store_cmd_read r = { .s = NULL };
	struct words w = { .n = 0 };

	store_cmd_open(&r, argc, argv, 0);
	walk(&r, add_names, &w);
	return print_words(&r, &w);
}

int
store_cmd_values(int argc, char **argv)
{
	struct store_cmd_read r = { .s = NULL };
	struct words w = { .n = 0 };

	store_cmd_open(&r, argc, argv, 1);
	w.name = str_of(argv[optind]);
	walk(&r, add_value, &w);
	return print_words(&r, &w);
}
