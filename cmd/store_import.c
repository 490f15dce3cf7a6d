/*
 * mf-store import: blocks of Prometheus's TSDB into the store.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "metric/expo.h"
#include "opt.h"
#include "store_cmd.h"
#include "tool.h"
#include "wire/block.h"

#define AT_ONCE ((size_t)65536) /* samples in one commit */

struct import {
	const char *dir;
	struct store_opts opts;
	struct store *s;
	struct store_counts n;
	struct error why;
	struct arena a; /* of a commit */
	struct labels ls;
	struct expo_item *v;
	size_t nv, cap;
	size_t series;
	int64_t newest;
	int status;
};

/* What was gathered, as a batch of the label via. */
static int
commit(struct import *x, struct error *e)
{
	static const struct label via = { STR_INIT("via"), STR_INIT("import") };
	struct batch b = { .opened = true,
		.labels = { &via, 1 },
		.t = x->newest,
		.v = x->v,
		.n = x->nv };
	int rc;

	if (x->nv == 0)
		return 0;
	rc = store_append(x->s, &b, &x->opts, &x->n, &x->why, e);
	x->nv = 0;
	arena_reset(&x->a);
	return rc;
}

struct take {
	struct import *x;
	struct labels ls; /* as the block has them */
	struct error e;
};

static int
sample(void *arg, int64_t t, double v, const struct histogram *h)
{
	struct take *k = arg;
	struct import *x = k->x;
	struct expo_item *it;
	struct buf b = { 0 };

	if (x->nv == AT_ONCE) {
		if (commit(x, &k->e) == -1)
			return -1;
		x->ls = label_dup(&x->a, k->ls);
	}
	x->v = mem_grow(x->v, &x->cap, x->nv + 1, sizeof(*x->v));
	it = &x->v[x->nv++];
	*it = (struct expo_item){ .kind = EXPO_SAMPLE,
		.labels = x->ls,
		.v = v,
		.t = t,
		.has_t = true };
	if (h != NULL) {
		it->kind = EXPO_HIST;
		histogram_print(&b, h);
		it->text = arena_dup(&x->a, buf_str(&b));
		buf_fini(&b);
	}
	if (x->nv == 1 || t > x->newest)
		x->newest = t;
	return 0;
}

static int
import_block(struct import *x, const char *path, struct error *e)
{
	struct block *b = block_open(path, e);
	struct take k = { .x = x };
	int r;

	if (b == NULL)
		return -1;
	while ((r = block_next(b, &k.ls, e)) == 1) {
		x->ls = label_dup(&x->a, k.ls);
		x->series++;
		k.e.msg[0] = '\0';
		e->msg[0] = '\0';
		if (block_samples(b, sample, &k, e) == -1) {
			if (k.e.msg[0] != '\0')
				*e = k.e;
			r = -1;
			break;
		}
	}
	if (r == 0)
		r = commit(x, e);
	block_close(b);
	return r;
}

static bool
is_block(const char *path)
{
	struct buf b = { 0 };
	bool yes;

	buf_printf(&b, "%s/meta.json", path);
	yes = access(buf_cstr(&b), F_OK) == 0;
	buf_fini(&b);
	return yes;
}

static int
not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void
import(struct import *x, const char *path)
{
	struct error e;

	tool_note("%s", path);
	if (import_block(x, path, &e) == -1) {
		tool_warn("%s", e.msg);
		x->status = TOOL_FAILED;
		/* What came before the fault was read whole: it stays. */
		if (commit(x, &e) == -1)
			tool_die(TOOL_FAILED, "%s", e.msg);
	}
}

/* A block, or a directory of them, in the order of their names. */
static void
import_path(struct import *x, const char *path)
{
	struct dirent **v;
	struct buf b = { 0 };
	size_t blocks = 0;
	int n;

	if (is_block(path)) {
		import(x, path);
		return;
	}
	n = scandir(path, &v, not_hidden, alphasort);
	if (n == -1) {
		tool_warn("%s: %s", path, strerror(errno));
		x->status = TOOL_FAILED;
		return;
	}
	for (int i = 0; i < n; i++) {
		buf_reset(&b);
		buf_printf(&b, "%s/%s", path, v[i]->d_name);
		if (strcmp(v[i]->d_name, "wal") == 0)
			tool_note("%s: not read; a snapshot has its samples "
				  "in a block",
			    buf_cstr(&b));
		if (is_block(buf_cstr(&b))) {
			blocks++;
			import(x, buf_cstr(&b));
		}
		free(v[i]);
	}
	free(v);
	buf_fini(&b);
	if (blocks == 0) {
		tool_warn("%s: no block, and no directory of blocks", path);
		x->status = TOOL_FAILED;
	}
}

int
store_cmd_import(int argc, char **argv)
{
	struct import x = { .dir = NULL };
	struct opt limits[STORE_LIMITS + 1];
	const struct opt rows[] = {
		{ 'd', "dir", .text = &x.dir },
		{ 'S', "sync", .flag = &x.opts.sync },
		{ 0, "any-time", .flag = &x.opts.any_time },
		{ 0, "replace", .flag = &x.opts.replace },
		{ .more = limits },
		{ .name = NULL },
	};

	store_cmd_limits_rows(limits, &x.opts.limits);
	opt_read(argc, argv, rows, 0, store_cmd_usage);
	opt_operands(argc, argv);
	x.opts.now = tool_now();
	if (optind == argc)
		tool_die(TOOL_USAGE, "import: no block given");
	for (int i = optind; i < argc; i++)
		if (access(argv[i], F_OK) == -1)
			tool_die(TOOL_FAILED, "%s: %m", argv[i]);
	x.s = store_cmd_store(x.dir, STORE_WRITE);
	arena_init(&x.a);
	for (int i = optind; i < argc; i++)
		import_path(&x, argv[i]);
	if (x.why.msg[0] != '\0') {
		tool_warn("%s", x.why.msg);
		x.status = TOOL_FAILED;
	}
	store_cmd_tell(&x.n, x.opts.replace);
	tool_note("%zu series, %zu samples, %zu already there", x.series,
	    x.n.samples, x.n.duplicates);
	arena_fini(&x.a);
	free(x.v);
	store_close(x.s);
	return x.status;
}
