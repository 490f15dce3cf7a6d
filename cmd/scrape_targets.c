/*
 * mf-scrape targets: what would be scraped, how often, and how it went last:
 * a line a target, in tabs.
 */
#include <errno.h>
#include <stdio.h>

#include "base/dur.h"
#include "base/file.h"
#include "metric/batch.h"
#include "scrape_cmd.h"

/* The last state of a target as "targets" has it, into state. */
static void
last(str text, const char *labels, struct buf *state)
{
	struct batch_reader *r = batch_new(EXPO_MF, 0, false, NULL, NULL);
	struct buf print = { 0 };
	struct batch b;

	buf_reset(state);
	batch_feed(r, text);
	batch_end(r);
	while (batch_next(r, &b) == 1) {
		const struct expo_key *error = NULL;

		buf_reset(&print);
		label_print_set(&print, b.labels);
		if (strcmp(buf_cstr(&print), labels) != 0 || b.t == 0)
			continue;
		for (size_t i = 0; i < b.nkeys; i++)
			if (str_eq(b.keys[i].name, STR("error")))
				error = &b.keys[i];
		buf_z(state, error == NULL ? "up" : "down: ");
		if (error != NULL)
			buf_add(state, error->value);
	}
	if (state->n == 0)
		buf_z(state, "unknown");
	batch_free(r);
	buf_fini(&print);
}

static void
show(const struct scrape_target *t, str states, struct buf *out)
{
	struct buf state = { 0 }, labels = { 0 };

	buf_add(&labels, t->text);
	last(states, buf_cstr(&labels), &state);
	buf_add(out, t->text);
	buf_byte(out, '\t');
	buf_add(out, t->url);
	buf_z(out, "\tevery ");
	dur_print(out, t->interval);
	buf_z(out, ", timeout ");
	dur_print(out, t->timeout);
	buf_byte(out, '\t');
	buf_add(out, buf_str(&state));
	if (tool_verbose > 0) {
		buf_byte(out, '\t');
		label_print_set(out, t->all);
	}
	buf_byte(out, '\n');
	buf_fini(&state);
	buf_fini(&labels);
}

int
scrape_targets(const struct scrape_options *o)
{
	const char *path = tool_path(tool_dir(o->dir), "scrape", "targets");
	struct buf states = { 0 }, out = { 0 };
	struct scrape_plan p;
	struct error e;

	if (scrape_plan_load(&p, o, &e) == -1)
		tool_die(TOOL_USAGE, "%s", e.msg);
	scrape_plan_warn(&p);
	if (file_read(path, &states, &e) == -1 && errno != ENOENT)
		tool_die(TOOL_FAILED, "%s", e.msg);
	for (size_t i = 0; i < p.set->n; i++)
		show(p.set->v[i], buf_str(&states), &out);
	tool_print(&out);
	buf_fini(&states);
	scrape_plan_free(&p);
	return TOOL_OK;
}
