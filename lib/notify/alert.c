/* Alerts: one block of memory each, and upstream's merge of what comes again.
 */
#include "base/mem.h"
#include "notify/impl.h"

static size_t
size_of(struct labels ls)
{
	size_t n = ls.n * sizeof(struct label);

	for (size_t i = 0; i < ls.n; i++)
		n += ls.v[i].name.n + ls.v[i].value.n;
	return n;
}

static str
copy(char **at, str s)
{
	str out = { *at, s.n };

	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return out;
}

static struct labels
copy_labels(struct label *v, char **at, struct labels ls)
{
	for (size_t i = 0; i < ls.n; i++) {
		v[i].name = copy(at, ls.v[i].name);
		v[i].value = copy(at, ls.v[i].value);
	}
	return (struct labels){ v, ls.n };
}

struct content *
notify_content_new(const struct notify_alert *a, int64_t now)
{
	struct content *c;
	struct label *v;
	char *at;

	c = mem_alloc(sizeof(*c) + size_of(a->labels) +
	    size_of(a->annotations) + a->generator_url.n);
	v = (struct label *)(void *)(c + 1);
	at = (char *)(v + a->labels.n + a->annotations.n);
	c->labels = copy_labels(v, &at, a->labels);
	c->annotations = copy_labels(v + a->labels.n, &at, a->annotations);
	c->generator_url = copy(&at, a->generator_url);
	c->starts = a->starts;
	c->ends = a->ends;
	c->timeout = a->timeout;
	c->updated = now;
	c->fingerprint = label_fingerprint(a->labels);
	return c;
}

/*
 * Only what overlaps is merged: then the earliest start holds; of two ends
 * that have passed the later one; and an end that was given, not guessed,
 * holds while it is the later one.
 */
void
notify_content_merge(
    const struct content *old, struct content *fresh, int64_t now)
{
	bool overlap = (fresh->ends > old->starts && fresh->ends < old->ends) ||
	    (fresh->starts > old->starts && fresh->starts < old->ends);

	if (!overlap)
		return;
	if (old->starts < fresh->starts)
		fresh->starts = old->starts;
	if (fresh->ends <= now) {
		if (old->ends <= now && old->ends > fresh->ends)
			fresh->ends = old->ends;
	} else if (old->ends > fresh->ends && !old->timeout)
		fresh->ends = old->ends;
}
