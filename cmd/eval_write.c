/*
 * mf-eval -w: results go into the store before they are printed.  A store that
 * fails is said, and does not keep alerts from being printed.
 */
#include <string.h>
#include <unistd.h>

#include "eval_cmd.h"

void
eval_writer_open(struct eval_writer *w, const struct eval_options *o)
{
	*w = (struct eval_writer){ 0 };
	if (!o->write || o->dry_run)
		return;
	w->dir = tool_dir(o->in.dir);
	/* What is there is looked at now: say what is wrong before we ask. */
	if (access(tool_path(w->dir, "store", ""), F_OK) == 0)
		eval_writer_begin(w);
	else if (access(w->dir, F_OK) == 0)
		tool_use(w->dir);
}

void
eval_writer_begin(struct eval_writer *w)
{
	struct error e;

	if (w->dir == NULL || w->store != NULL)
		return;
	tool_use(w->dir);
	w->store = store_open(tool_path(w->dir, "store", ""), STORE_WRITE, &e);
	if (w->store == NULL)
		tool_die(TOOL_FAILED, "%s", e.msg);
}

void
eval_write(struct eval_writer *w, str text)
{
	struct store_opts opts = { .now = tool_now() };
	struct store_counts n = { 0 };
	struct error why = { "" }, e = { "" };
	struct batch_reader *in;
	struct batch b;

	if (w->dir == NULL)
		return;
	eval_writer_begin(w);
	in = batch_new(EXPO_MF, tool_now(), false, NULL, NULL);
	batch_feed(in, text);
	batch_end(in);
	while (batch_next(in, &b) == 1)
		if (store_append(w->store, &b, &opts, &n, &why, &e) == -1) {
			tool_warn("%s", e.msg);
			w->failed = true;
		}
	batch_free(in);
	if (n.refused > 0) {
		/* The place is one in our own output. */
		const char *what = strchr(why.msg, ' ');

		tool_warn("%zu sample%s not stored:%s", n.refused,
		    n.refused == 1 ? "" : "s", what == NULL ? "" : what);
		w->failed = true;
	}
}

void
eval_writer_close(struct eval_writer *w)
{
	if (w->store != NULL)
		store_close(w->store);
	w->store = NULL;
}
