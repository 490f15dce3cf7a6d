/*
 * mf-eval explain: what a query did, a line for each part of it: how often it
 * was evaluated, what it read, what it made and the time of its own.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "base/json.h"
#include "eval_cmd.h"

/* Of a part's text so much is shown. */
#define TEXT_SHOWN 48

/* Milliseconds with three digits: the parts of a query are short. */
static void
put_ms(struct buf *out, int64_t ns)
{
	buf_printf(
	    out, "%9" PRId64 ".%03d", ns / 1000000, (int)(ns / 1000 % 1000));
}

/* Text that may be of several lines, with a byte between them. */
static void
put_lines(struct buf *out, str text, char between)
{
	tool_show(out, str_cut(&text, '\n'));
	while (text.p != NULL) {
		buf_byte(out, between);
		tool_show(out, str_cut(&text, '\n'));
	}
}

/* What a part is, and the beginning of its text, on one line. */
static void
put_part(struct buf *out, const struct promql_cost *c)
{
	str text = str_take(c->text, TEXT_SHOWN);

	for (unsigned i = 0; i < c->depth; i++)
		buf_z(out, "  ");
	buf_z(out, c->kind);
	if (c->name[0] != '\0')
		buf_printf(out, " %s", c->name);
	if (c->fixed)
		buf_z(out, ", once");
	if (c->reused == 1)
		buf_z(out, ", taken");
	else if (c->reused > 1)
		buf_printf(out, ", taken %zu times", c->reused);
	else if (c->runs == 0)
		buf_z(out, ", not evaluated");
	buf_z(out, ": ");
	/* not half a character */
	while (text.n > 0 && text.n < c->text.n &&
	    ((unsigned char)c->text.p[text.n] & 0xc0) == 0x80)
		text.n--;
	put_lines(out, text, ' ');
	if (text.n < c->text.n)
		buf_z(out, "...");
	buf_byte(out, '\n');
}

static void
put_plan(struct buf *out, const struct answer *a, const struct promql_costs *c)
{
	struct promql_cost all = { .ns = 0 };
	unsigned taken = UINT_MAX; /* depth of a part that was */

	if (!a->head)
		buf_byte(out, '\n');
	put_lines(out, a->expr, '\n');
	buf_byte(out, '\n');
	buf_z(out,
	    "  runs     read  samples   series   points      time/ms  "
	    "part\n");
	for (size_t i = 0; i < c->n; i++) {
		const struct promql_cost *p = &c->v[i];

		/* Nothing is to be told of the parts of what was taken. */
		if (p->depth > taken)
			continue;
		taken =
		    p->reused > 0 && p->reused == p->runs ? p->depth : UINT_MAX;
		buf_printf(out, "%6zu %8zu %8zu %8zu %8zu", p->runs, p->read,
		    p->samples, p->series, p->points);
		put_ms(out, p->ns);
		buf_z(out, "  ");
		put_part(out, p);
		all.read += p->read;
		all.samples += p->samples;
		all.ns += p->ns;
	}
	for (size_t i = 0; i < a->r->n; i++)
		all.points += a->r->v[i].n;
	buf_printf(out, "%6s %8zu %8zu %8zu %8zu", "", all.read, all.samples,
	    a->r->n, all.points);
	put_ms(out, all.ns);
	buf_z(out, "  in all\n");
}

static void
put_count(struct json_writer *w, const char *key, size_t n)
{
	json_key(w, str_of(key));
	json_int(w, (int64_t)n);
}

static void
put_json_part(struct json_writer *w, const struct promql_cost *c)
{
	json_open(w, '{');
	put_count(w, "depth", c->depth);
	json_key(w, STR("kind"));
	json_str(w, str_of(c->kind));
	json_key(w, STR("name"));
	json_str(w, str_of(c->name));
	json_key(w, STR("text"));
	json_str(w, c->text);
	json_key(w, STR("fixed"));
	json_bool(w, c->fixed);
	put_count(w, "runs", c->runs);
	put_count(w, "reused", c->reused);
	put_count(w, "read", c->read);
	put_count(w, "samples", c->samples);
	put_count(w, "series", c->series);
	put_count(w, "points", c->points);
	put_count(w, "ns", (size_t)c->ns);
	json_close(w, '}');
}

static void
put_json(struct buf *out, const struct answer *a, const struct promql_costs *c)
{
	struct json_writer w;

	json_init(&w, out, false);
	json_open(&w, '{');
	json_key(&w, STR("expr"));
	json_str(&w, a->expr);
	json_key(&w, STR("parts"));
	json_open(&w, '[');
	for (size_t i = 0; i < c->n; i++)
		put_json_part(&w, &c->v[i]);
	json_close(&w, ']');
	put_count(&w, "series", a->r->n);
	json_close(&w, '}');
	buf_byte(out, '\n');
}

void
eval_put_costs(const struct eval_options *o, struct buf *out,
    const struct answer *a, const struct promql_costs *c)
{
	if (o->form != NULL && o->form == answer_form("json"))
		put_json(out, a, c);
	else
		put_plan(out, a, c);
}

int
eval_explain(const struct eval_options *o)
{
	struct eval_options x = *o;

	if (o->nexprs == 0)
		tool_die(TOOL_USAGE, "explain: no expression given");
	if (o->in.url != NULL)
		tool_die(TOOL_USAGE,
		    "explain: what an engine elsewhere does is not known");
	if (o->form != NULL && o->form != answer_form("json") &&
	    o->form != answer_form("table"))
		tool_die(TOOL_USAGE, "-o: explain prints a table or json");
	x.explain = true;
	return eval_expr(&x);
}
