/*
 * The calls of a source, through its table.
 */
#include "metric/source.h"

struct source_cursor *
source_open(
    const struct source *s, const struct source_query *q, struct error *e)
{
	return s->ops->open(s->self, q, e);
}

int
source_next(const struct source *s, struct source_cursor *c,
    struct source_series *out, struct error *e)
{
	return s->ops->next(c, out, e);
}

void
source_close(const struct source *s, struct source_cursor *c)
{
	if (c != NULL)
		s->ops->close(c);
}

void
source_hold(const struct source *s, bool on)
{
	if (s->ops != NULL && s->ops->hold != NULL)
		s->ops->hold(s->self, on);
}
