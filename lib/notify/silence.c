/*
 * Silences: lines "# SILENCE {id="..",createdBy="..",comment=".."} t
 * matchers="a=\"b\"" startsAt=t endsAt=t", of which the last with an id holds.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "notify/impl.h"

const struct silence *
notify_silenced(const struct notify *n, struct labels ls, int64_t now)
{
	for (size_t i = 0; i < n->nsilences; i++) {
		const struct silence *s = n->silences[i];

		if (now >= s->starts && now < s->ends &&
		    match_all(s->matchers.v, s->matchers.n, ls))
			return s;
	}
	return NULL;
}

void
notify_silence_free(struct silence *s)
{
	notify_matchers_fini(&s->matchers);
	arena_fini(&s->arena);
	free(s);
}

static struct silence *
load(str line)
{
	struct silence *s = mem_zero(1, sizeof(*s));
	struct record r;

	arena_init(&s->arena);
	if (notify_record_parse(&s->arena, line, &r, NULL) == 0 &&
	    str_eq(r.word, STR("SILENCE")) &&
	    notify_record_int(&r, "startsAt", &s->starts) == 0 &&
	    notify_record_int(&r, "endsAt", &s->ends) == 0 &&
	    notify_matchers_parse(&s->arena, notify_record_key(&r, "matchers"),
		&s->matchers, NULL) == 0 &&
	    s->matchers.n > 0) {
		s->id = label_find(r.a, STR("id"));
		s->creator = label_find(r.a, STR("createdBy"));
		s->comment = label_find(r.a, STR("comment"));
		if (s->id.n > 0)
			return s;
	}
	notify_silence_free(s);
	return NULL;
}

static void
add(struct notify *n, struct silence *s)
{
	for (size_t i = 0; i < n->nsilences; i++)
		if (str_eq(n->silences[i]->id, s->id)) {
			notify_silence_free(n->silences[i]);
			n->silences[i] = s;
			return;
		}
	n->silences = mem_grow(n->silences, &n->silences_cap, n->nsilences + 1,
	    sizeof(*n->silences));
	n->silences[n->nsilences++] = s;
}

size_t
notify_load_silences(struct notify *n, str lines)
{
	size_t bad = 0;

	while (lines.p != NULL) {
		str line = str_trim(str_cut(&lines, '\n'));
		struct silence *s;

		if (line.n == 0)
			continue;
		if ((s = load(line)) != NULL)
			add(n, s);
		else
			bad++;
	}
	return bad;
}
