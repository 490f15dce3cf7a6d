/*
 * The state and its step: alerts come in, groups fall due.  See notify.h for
 * how it is driven.
 */
#include "notify/impl.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

#define SWEEP (INT64_C(15) * 60 * 1000)

struct notify *
notify_new(const struct notify_config *c, const char *external_url,
    const struct clock *clock, void (*report)(void *, const char *), void *arg)
{
	struct notify *n = mem_zero(1, sizeof(*n));
	size_t len = strlen(external_url);
	char *url = mem_alloc(len + 1);

	memcpy(url, external_url, len + 1);
	while (len > 0 && url[len - 1] == '/')
		len--;
	n->external_url = (str){ url, len };
	n->config = c;
	n->clock = clock;
	n->report = report;
	n->arg = arg;
	map_init(&n->alerts);
	map_init(&n->sent);
	map_init(&n->timers);
	map_init(&n->group_index);
	buf_init(&n->journal.alerts);
	buf_init(&n->journal.log);
	return n;
}

void
notify_free(struct notify *n)
{
	union {
		const char *p;
		void *block;
	} url;

	if (n == NULL)
		return;
	notify_flights_free(n);
	while (n->ngroups > 0)
		notify_group_drop(n, n->groups[n->ngroups - 1]);
	for (struct map_slot *m = map_next(&n->alerts, NULL); m != NULL;
	     m = map_next(&n->alerts, m))
		notify_alert_free(m->v.p);
	for (struct map_slot *m = map_next(&n->sent, NULL); m != NULL;
	     m = map_next(&n->sent, m))
		notify_sent_free(m->v.p);
	for (size_t i = 0; i < n->nsilences; i++)
		notify_silence_free(n->silences[i]);
	free(n->silences);
	free(n->groups);
	map_fini(&n->alerts);
	map_fini(&n->sent);
	map_fini(&n->timers);
	map_fini(&n->group_index);
	buf_fini(&n->journal.alerts);
	buf_fini(&n->journal.log);
	url.p = n->external_url.p;
	free(url.block);
	free(n);
}

struct notify_journal *
notify_journal(struct notify *n)
{
	return &n->journal;
}

/* The alert with these labels, made if there is none yet. */
static struct alert *
find_alert(struct notify *n, struct labels ls)
{
	struct buf b = { 0 };
	struct map_slot *m;
	struct alert *a;
	bool fresh;

	label_key(&b, ls);
	m = map_add(&n->alerts, buf_str(&b), &fresh);
	if (fresh) {
		a = mem_alloc(sizeof(*a) + b.n);
		memset(a, 0, sizeof(*a));
		memcpy(a + 1, b.p, b.n);
		a->key = (str){ (const char *)(a + 1), b.n };
		m->key = a->key;
		m->v.p = a;
	}
	buf_fini(&b);
	return m->v.p;
}

int
notify_alert(struct notify *n, const struct notify_alert *given, int64_t now,
    struct error *e)
{
	struct notify_alert x = *given;
	struct content *c;
	struct alert *a;

	if (x.labels.n == 0)
		return error_set(e, "at least one label pair required");
	if (x.starts == 0)
		x.starts = x.ends != 0 ? x.ends : now;
	if (x.ends == 0) {
		x.ends = now + n->config->global.resolve_timeout;
		x.timeout = true;
	}
	if (x.ends < x.starts)
		return error_set(e, "start time must be before end time");
	a = find_alert(n, x.labels);
	c = notify_content_new(&x, now);
	if (a->c != NULL)
		notify_content_merge(a->c, c, now);
	free(a->c);
	a->c = c;
	a->version = ++n->version;
	notify_put_alert(&n->journal.alerts, c, now);
	notify_group_add(n, a, now);
	return 0;
}

int64_t
notify_wake(const struct notify *n)
{
	int64_t t = NOTIFY_NEVER;

	for (size_t i = 0; i < n->ngroups; i++)
		if (n->groups[i]->pending == 0 && n->groups[i]->due < t)
			t = n->groups[i]->due;
	for (size_t i = 0; i < n->nflights; i++)
		if (!n->flights[i]->begun && n->flights[i]->next < t)
			t = n->flights[i]->next;
	return t;
}

static int
by_due(const void *x, const void *y)
{
	const struct group *a = *(struct group *const *)x;
	const struct group *b = *(struct group *const *)y;

	if (a->due != b->due)
		return a->due < b->due ? -1 : 1;
	return str_cmp(a->key, b->key);
}

void
notify_step(struct notify *n, int64_t now)
{
	struct group **v = NULL;
	size_t count = 0, cap = 0;

	notify_flights_expire(n, now);
	for (size_t i = 0; i < n->ngroups; i++)
		if (n->groups[i]->pending == 0 && n->groups[i]->due <= now) {
			v = mem_grow(
			    v, &cap, count + 1, sizeof(struct group *));
			v[count++] = n->groups[i];
		}
	if (now >= n->swept + SWEEP) {
		notify_sent_sweep(&n->sent, now);
		n->swept = now;
	}
	if (count == 0)
		return;
	if (count > 1)
		qsort(v, count, sizeof(struct group *), by_due);
	n->inhibited = notify_inhibited_new(n, now);
	for (size_t i = 0; i < count; i++)
		notify_flush(n, v[i], now);
	notify_inhibited_free(n->inhibited);
	n->inhibited = NULL;
	free(v);
}

/* Remember when the groups are due, for those that are made anew. */
static void
keep_timers(struct notify *n, struct arena *a)
{
	for (size_t i = 0; i < n->ngroups; i++) {
		const struct group *g = n->groups[i];
		int64_t *due = arena_new(a, int64_t);
		struct buf b = { 0 };

		*due = g->due;
		notify_sent_key(&b, g->key, g->route->receiver->name, STR_NONE);
		map_add(&n->timers, arena_dup(a, buf_str(&b)), NULL)->v.p = due;
		buf_fini(&b);
	}
}

void
notify_configure(struct notify *n, const struct notify_config *c, int64_t now)
{
	struct arena a;

	assert(n->nflights == 0);
	arena_init(&a);
	keep_timers(n, &a);
	while (n->ngroups > 0)
		notify_group_drop(n, n->groups[n->ngroups - 1]);
	n->config = c;
	for (struct map_slot *m = map_next(&n->alerts, NULL); m != NULL;
	     m = map_next(&n->alerts, m)) {
		struct alert *x = m->v.p;

		x->ngroups = 0;
		notify_group_add(n, x, now);
	}
	map_reset(&n->timers);
	arena_fini(&a);
}

static int
by_labels(const void *x, const void *y)
{
	const struct alert *a = *(struct alert *const *)x;
	const struct alert *b = *(struct alert *const *)y;

	return label_cmp(a->c->labels, b->c->labels);
}

static void
list_one(struct notify *n, const struct inhibited *inhibited,
    const struct content *c, int64_t now, struct buf *b)
{
	const struct silence *s = notify_silenced(n, c->labels, now);

	notify_put_alert(b, c, now);
	b->n--; /* its line end */
	if (s != NULL) {
		buf_z(b, " silencedBy=");
		label_print_value(b, s->id);
	}
	if (notify_inhibited(inhibited, n, c->labels))
		buf_z(b, " inhibited=1");
	buf_byte(b, '\n');
}

void
notify_list(struct notify *n, int64_t now, struct buf *b)
{
	struct inhibited *inhibited = notify_inhibited_new(n, now);
	struct alert **v = mem_zero(n->alerts.n + 1, sizeof(struct alert *));
	size_t count = 0;

	for (struct map_slot *m = map_next(&n->alerts, NULL); m != NULL;
	     m = map_next(&n->alerts, m))
		v[count++] = m->v.p;
	if (count > 1)
		qsort(v, count, sizeof(struct alert *), by_labels);
	for (size_t i = 0; i < count; i++)
		list_one(n, inhibited, v[i]->c, now, b);
	free(v);
	notify_inhibited_free(inhibited);
}
