/*
 * How a target came to be, or not: what was discovered, what each rule of
 * relabel_configs made of it, and what is left, for a person to read.
 */
#include "base/dur.h"
#include "base/quote.h"
#include "scrape/target.h"

#define INDENT "    "

struct telling {
	struct buf *b;
	size_t rules; /* told */
};

static void
label(struct buf *b, const char *mark, const struct label *l)
{
	buf_printf(b, INDENT "%s", mark);
	if (label_name_valid(l->name))
		buf_add(b, l->name);
	else
		quote_add(b, l->name);
	buf_byte(b, '=');
	quote_add(b, l->value);
}

/* Both are sorted by name: + what came, - what went, ~ what is another. */
static void
difference(struct buf *b, struct labels old, struct labels new)
{
	size_t i = 0, j = 0;

	while (i < old.n || j < new.n) {
		int c = i == old.n ? 1
		    : j == new.n   ? -1
				   : str_cmp(old.v[i].name, new.v[j].name);

		if (c == 0 && str_eq(old.v[i].value, new.v[j].value)) {
			i++;
			j++;
			continue;
		}
		if (c < 0) {
			label(b, "- ", &old.v[i++]);
		} else if (c > 0) {
			label(b, "+ ", &new.v[j++]);
		} else {
			label(b, "~ ", &old.v[i++]);
			buf_z(b, " -> ");
			quote_add(b, new.v[j++].value);
		}
		buf_byte(b, '\n');
	}
}

static void
step(void *arg, const struct relabel_step *s)
{
	struct telling *x = arg;
	bool by_name = strncmp(s->action, "label", 5) == 0;

	x->rules++;
	buf_printf(x->b, "rule %zu: %.*s\n", s->i + 1, STR_ARG(s->rule));
	buf_z(x->b, INDENT);
	if (!by_name) {
		quote_add(x->b, s->value);
		buf_z(x->b, s->matched ? ": matches" : ": does not match");
	} else {
		buf_z(
		    x->b, s->matched ? "some names match" : "no name matches");
	}
	if (!s->kept) {
		buf_z(x->b, ", so the target is dropped\n");
		return;
	}
	buf_byte(x->b, '\n');
	difference(x->b, s->before, s->after);
}

static void
duration(struct buf *b, const char *what, int64_t ms)
{
	buf_z(b, what);
	dur_print(b, ms);
}

/* As it is, but not with characters that a terminal acts on. */
static void
safe(struct buf *b, str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f) {
			quote_add(b, s);
			return;
		}
	buf_add(b, s);
}

static void
made(struct buf *b, const struct scrape_target *t)
{
	buf_z(b, "target: ");
	safe(b, t->text);
	buf_z(b, "\n" INDENT);
	safe(b, t->url);
	buf_byte(b, '\n');
	duration(b, INDENT "every ", t->interval);
	duration(b, ", timeout ", t->timeout);
	buf_byte(b, '\n');
	if (t->error.n > 0) {
		buf_z(b, INDENT "every scrape fails: ");
		safe(b, t->error);
		buf_byte(b, '\n');
	}
}

void
scrape_explain(struct buf *b, const struct scrape_job *j,
    struct labels discovered, bool local)
{
	struct telling x = { .b = b };
	struct arena a = { 0 };
	struct scrape_target t;
	struct error e;

	buf_z(b, "discovered by job ");
	safe(b, j->name);
	buf_z(b, ":\n");
	for (size_t i = 0; i < discovered.n; i++) {
		label(b, "  ", &discovered.v[i]);
		buf_byte(b, '\n');
	}
	switch (target_make(&t, j, discovered, local, &a, step, &x, &e)) {
	case TARGET_MADE:
		made(b, &t);
		break;
	case TARGET_DROPPED:
		buf_printf(
		    b, "dropped by rule %zu of %zu\n", x.rules, j->relabel.n);
		break;
	case TARGET_BAD:
		buf_z(b, "left out: ");
		safe(b, str_of(e.msg));
		buf_byte(b, '\n');
		break;
	}
	arena_fini(&a);
}
