/*
 * What the tests of the store share: a directory of their own, text in, text
 * out.
 */
#ifndef STORE_HELP_H
#define STORE_HELP_H

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"
#include "metric/batch.h"
#include "store/store.h"

static char help_dir[64];

/* A fresh directory to work in, removed by help_end(). */
static inline void
help_begin(void)
{
	strcpy(help_dir, "/tmp/mf-store-test.XXXXXX");
	if (mkdtemp(help_dir) == NULL || chdir(help_dir) == -1)
		err(1, "%s", help_dir);
}

static inline void
help_run(const char *cmd)
{
	if (system(cmd) != 0)
		errx(1, "%s", cmd);
}

static inline void
help_end(void)
{
	char cmd[96];

	if (chdir("/") == -1)
		err(1, "/");
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", help_dir);
	help_run(cmd);
}

static inline struct store *
help_open(const char *path, enum store_mode mode)
{
	struct error e;
	struct store *s = store_open(path, mode, &e);

	if (s == NULL)
		errx(1, "%s", e.msg);
	return s;
}

/* Append text to an open store; what it counted. */
static inline struct store_counts
help_put(struct store *s, const char *text, const struct store_opts *o)
{
	struct batch_reader *r =
	    batch_new(EXPO_MF, 1600000000000, false, NULL, NULL);
	static const struct store_opts none;
	struct store_counts n = { 0 };
	struct error e;
	struct batch b;

	batch_feed(r, str_of(text));
	batch_end(r);
	while (batch_next(r, &b) == 1)
		if (store_append(s, &b, o != NULL ? o : &none, &n, NULL, &e) ==
		    -1)
			errx(1, "%s", e.msg);
	batch_free(r);
	return n;
}

/* The same by a process that does nothing else. */
static inline struct store_counts
help_append(const char *path, const char *text)
{
	struct store *s = help_open(path, STORE_WRITE);
	struct store_counts n = help_put(s, text, NULL);

	store_close(s);
	return n;
}

static inline int
help_add(void *arg, str text)
{
	buf_add(arg, text);
	return 0;
}

/* All of a store, or a range of it; the buffer is the caller's. */
static inline struct buf
help_range(const char *path, int64_t from, int64_t to, const struct match *m,
    size_t nm)
{
	struct store *s = help_open(path, STORE_READ);
	struct buf b = { NULL, 0, 0 };
	struct error e;

	if (store_select(s, m, nm, from, to, help_add, &b, &e) == -1)
		errx(1, "%s", e.msg);
	store_close(s);
	return b;
}

static inline struct buf
help_select(const char *path)
{
	return help_range(path, INT64_MIN, INT64_MAX, NULL, 0);
}

/* By series, as "labels t v t v\n" lines. */
static inline struct buf
help_source(const char *path, int64_t from, int64_t to, bool labels_only)
{
	struct store *s = help_open(path, STORE_READ);
	struct source src = store_source(s);
	struct source_query q = {
		.from = from,
		.to = to,
		.labels_only = labels_only,
	};
	struct buf b = { NULL, 0, 0 };
	struct source_series o;
	struct error e;
	struct source_cursor *c = source_open(&src, &q, &e);
	int r = -1;

	while (c != NULL && (r = source_next(&src, c, &o, &e)) == 1) {
		label_print(&b, o.labels);
		for (size_t i = 0; i < o.n; i++) {
			buf_printf(&b, " %lld ", (long long)o.t[i]);
			if (num_is_stale(o.v[i]))
				buf_z(&b, "stale");
			else
				num_print(&b, o.v[i]);
		}
		buf_byte(&b, '\n');
	}
	if (r != 0)
		errx(1, "%s", e.msg);
	source_close(&src, c);
	store_close(s);
	return b;
}

static inline bool
help_is(struct buf b, const char *want)
{
	bool same = str_eq(buf_str(&b), str_of(want));

	if (!same)
		printf("# got:\n%.*s# want:\n%s", STR_ARG(buf_str(&b)), want);
	buf_fini(&b);
	return same;
}

#endif
