/*
 * Annotations: warnings and infos that come with a result.  Each text is kept
 * once, with the place of what it is about, in upstream's words.
 */
#include "promql/eval.h"

#include <stdarg.h>
#include <stdio.h>

/* The counts are unbounded in hostile data (labels in texts); these are not. */
#define NOTES_MAX 1000

void
promql_note(struct eval *ev, enum note_kind kind, const struct node *at,
    const char *fmt, ...)
{
	struct notes *n = &ev->notes;
	char msg[1024], text[1100];
	unsigned line, col;
	va_list ap;
	str s;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	promql_position(ev->text, at->at, &line, &col);
	snprintf(text, sizeof(text), "PromQL %s: %s (%u:%u)",
	    kind == NOTE_WARNING ? "warning" : "info", msg, line, col);
	if (n->n[kind] >= NOTES_MAX || map_find(&n->seen, str_of(text)))
		return;
	s = arena_dup(ev->out, str_of(text));
	map_add(&n->seen, s, NULL);
	n->v[kind] = arena_grow(
	    ev->out, n->v[kind], &n->cap[kind], n->n[kind] + 1, sizeof(str));
	n->v[kind][n->n[kind]++] = s;
}

void
promql_note_quantile(struct eval *ev, const struct node *at, double q)
{
	struct buf b = { 0 };

	if (q >= 0 && q <= 1)
		return;
	num_format(&b, q, 'g', -1);
	promql_note(ev, NOTE_WARNING, at,
	    "quantile value should be between 0 and 1, got %s", buf_cstr(&b));
	buf_fini(&b);
}

void
promql_notes_fini(struct notes *n)
{
	map_fini(&n->seen);
}

int
promql_fail(struct eval *ev, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)error_vset(ev->e, fmt, ap);
	va_end(ap);
	return -1;
}
