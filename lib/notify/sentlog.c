/*
 * The log of what was sent: the decision whether something is due, in
 * upstream's order, and its lines.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "notify/impl.h"

static bool
subset(const uint64_t *a, size_t na, const uint64_t *b, size_t nb)
{
	size_t k = 0;

	for (size_t i = 0; i < na; i++) {
		while (k < nb && b[k] < a[i])
			k++;
		if (k == nb || b[k] != a[i])
			return false;
	}
	return true;
}

/*
 * The arrays are sorted.  Upstream compares the time of the repeat strictly,
 * so that a tick exactly one repeat later is decided by jitter; here such a
 * tick repeats.
 */
const char *
notify_decide(const struct sent *s, const uint64_t *firing, size_t nfiring,
    const uint64_t *resolved, size_t nresolved, bool send_resolved,
    int64_t repeat, int64_t now)
{
	if (s == NULL)
		return nfiring > 0 ? "first notification" : NULL;
	if (!subset(firing, nfiring, s->firing, s->nfiring))
		return s->nfiring == 0 ? "first notification"
				       : "new alerts added";
	if (nfiring == 0)
		return s->nfiring > 0 ? "all alerts resolved" : NULL;
	if (send_resolved &&
	    !subset(resolved, nresolved, s->resolved, s->nresolved))
		return "some alerts resolved";
	return s->t <= now - repeat ? "repeat interval elapsed" : NULL;
}

void
notify_sent_key(struct buf *b, str group_key, str receiver, str integration)
{
	buf_add(b, group_key);
	buf_byte(b, '\0');
	buf_add(b, receiver);
	buf_byte(b, '\0');
	buf_add(b, integration);
}

/* The three strings are one block behind the struct. */
struct sent *
notify_sent_new(str group_key, str receiver, str integration)
{
	struct sent *s = mem_zero(1, sizeof(*s));
	struct buf b = { 0 };

	notify_sent_key(&b, group_key, receiver, integration);
	s->key = buf_str(&b);
	s->group_key = str_take(s->key, group_key.n);
	s->receiver = str_take(str_skip(s->key, group_key.n + 1), receiver.n);
	s->integration = str_skip(s->key, group_key.n + receiver.n + 2);
	return s;
}

void
notify_sent_free(struct sent *s)
{
	union {
		const char *p;
		void *block;
	} key;

	if (s == NULL)
		return;
	key.p = s->key.p;
	free(key.block);
	free(s->firing);
	free(s->resolved);
	free(s);
}

void
notify_sent_sweep(struct map *sent, int64_t now)
{
	for (struct map_slot *m = map_next(sent, NULL); m != NULL;
	     m = map_next(sent, m)) {
		struct sent *s = m->v.p;

		if (s->expires <= now) {
			map_del(sent, s->key);
			notify_sent_free(s);
		}
	}
}

static void
put_hashes(struct buf *b, const char *name, const uint64_t *v, size_t n)
{
	buf_printf(b, " %s=\"", name);
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s%016" PRIx64, i > 0 ? "," : "", v[i]);
	buf_byte(b, '"');
}

void
notify_sent_put(struct buf *b, const struct sent *s)
{
	struct label v[] = { { STR("group_key"), s->group_key },
		{ STR("integration"), s->integration },
		{ STR("receiver"), s->receiver } };

	buf_z(b, "# SENT ");
	label_print_set(b, (struct labels){ v, 3 });
	buf_printf(b, " %" PRId64 " reason=", s->t);
	label_print_value(b, s->reason);
	put_hashes(b, "firing", s->firing, s->nfiring);
	put_hashes(b, "resolved", s->resolved, s->nresolved);
	buf_printf(b, " expires=%" PRId64 "\n", s->expires);
}
