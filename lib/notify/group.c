/*
 * Groups: alerts gathered by route and group labels, and their flush: what is
 * suppressed is left out, each integration decides for itself, bodies are
 * rendered.  A flush lasts until its last delivery has been answered; the
 * group's next one waits for it.
 */
#include "notify/impl.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/re.h"

/* The key of a group in the index: routes are told apart by address. */
static void
index_key(struct buf *b, const struct route *r, str key)
{
	buf_add(b, (str){ (const char *)&r, sizeof(r) });
	buf_add(b, key);
}

static struct group *
new_group(
    struct notify *n, const struct route *r, struct labels ls, int64_t now)
{
	struct group *g = mem_zero(1, sizeof(*g));
	struct buf b = { 0 };
	struct map_slot *m;

	arena_init(&g->arena);
	g->route = r;
	g->labels = label_dup(&g->arena, ls);
	notify_group_key(&b, r, g->labels);
	g->key = arena_dup(&g->arena, buf_str(&b));
	g->due = now + r->group_wait;
	buf_reset(&b);
	notify_sent_key(&b, g->key, r->receiver->name, STR_NONE);
	if ((m = map_find(&n->timers, buf_str(&b))) != NULL) {
		g->due = *(const int64_t *)m->v.p;
		g->flushed = true;
	}
	buf_reset(&b);
	index_key(&b, r, g->key);
	map_add(&n->group_index, arena_dup(&g->arena, buf_str(&b)), NULL)->v.p =
	    g;
	buf_fini(&b);
	n->groups = mem_grow(
	    n->groups, &n->groups_cap, n->ngroups + 1, sizeof(*n->groups));
	n->groups[n->ngroups++] = g;
	notify_put_group(&n->journal.alerts, g);
	return g;
}

static struct group *
find_group(
    struct notify *n, const struct route *r, struct labels ls, int64_t now)
{
	struct arena a;
	struct buf b = { 0 }, key = { 0 };
	struct labels group;
	struct map_slot *m;
	struct group *g;

	arena_init(&a);
	group = notify_group_labels(&a, r, ls);
	notify_group_key(&b, r, group);
	index_key(&key, r, buf_str(&b));
	m = map_find(&n->group_index, buf_str(&key));
	g = m != NULL ? m->v.p : new_group(n, r, group, now);
	buf_fini(&b);
	buf_fini(&key);
	arena_fini(&a);
	return g;
}

static bool
held(const struct alert *a, const struct group *g)
{
	for (size_t i = 0; i < a->ngroups; i++)
		if (a->groups[i] == g)
			return true;
	return false;
}

static void
join(struct alert *a, struct group *g)
{
	g->v = mem_grow(g->v, &g->cap, g->n + 1, sizeof(*g->v));
	g->v[g->n++] = (struct member){ a, 0 };
	a->groups = mem_grow(
	    a->groups, &a->cap, a->ngroups + 1, sizeof(struct group *));
	a->groups[a->ngroups++] = g;
}

/* The alert's side only. */
static void
leave(struct alert *a, const struct group *g)
{
	for (size_t i = 0; i < a->ngroups; i++)
		if (a->groups[i] == g) {
			a->groups[i] = a->groups[--a->ngroups];
			return;
		}
}

void
notify_group_add(struct notify *n, struct alert *a, int64_t now)
{
	struct routes found = { 0 };

	notify_routes_match(n->config->route, a->c->labels, &found);
	for (size_t i = 0; i < found.n; i++) {
		const struct route *r = found.v[i];
		struct group *g = find_group(n, r, a->c->labels, now);

		if (!held(a, g))
			join(a, g);
		/* The wait is over already for an alert that is old. */
		if (!g->flushed && a->c->starts + r->group_wait < now &&
		    g->due > now)
			g->due = now;
	}
	free(found.v);
}

void
notify_group_drop(struct notify *n, struct group *g)
{
	struct buf b = { 0 };

	index_key(&b, g->route, g->key);
	map_del(&n->group_index, buf_str(&b));
	buf_fini(&b);
	for (size_t i = 0; i < n->ngroups; i++)
		if (n->groups[i] == g) {
			memmove(&n->groups[i], &n->groups[i + 1],
			    (n->ngroups - i - 1) * sizeof(*n->groups));
			n->ngroups--;
			break;
		}
	free(g->v);
	arena_fini(&g->arena);
	free(g);
}

void
notify_alert_free(struct alert *a)
{
	free(a->c);
	free(a->groups);
	free(a);
}

/* Once no group holds a resolved alert, it is forgotten. */
void
notify_alert_release(struct notify *n, struct alert *a, int64_t now)
{
	if (a->ngroups > 0 || a->c->ends > now)
		return;
	notify_put_gone(&n->journal.alerts, a->c, now);
	map_del(&n->alerts, a->key);
	notify_alert_free(a);
}

void
notify_flushed(struct notify *n, struct group *g, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < g->n; i++) {
		struct member *m = &g->v[i];

		if (!g->failed && m->flushed == m->alert->version) {
			leave(m->alert, g);
			notify_alert_release(n, m->alert, now);
			continue;
		}
		m->flushed = 0;
		g->v[kept++] = *m;
	}
	g->n = kept;
	g->failed = false;
	if (g->n == 0)
		notify_group_drop(n, g);
}

static bool
muted(const struct route *r, int64_t now)
{
	bool active = r->nactive == 0;

	for (size_t i = 0; i < r->nmute; i++)
		if (notify_interval_has(r->mute[i], now))
			return true;
	for (size_t i = 0; i < r->nactive && !active; i++)
		active = notify_interval_has(r->active[i], now);
	return !active;
}

/* What of the group is to be told of, in the order of a body. */
static struct item *
snapshot(struct notify *n, struct group *g, struct arena *a, int64_t now,
    size_t *count)
{
	struct item *v = arena_array(a, g->n, struct item);
	bool mute = muted(g->route, now);

	*count = 0;
	for (size_t i = 0; i < g->n; i++) {
		const struct content *c = g->v[i].alert->c;
		bool resolved = c->ends <= now;

		g->v[i].flushed = resolved ? g->v[i].alert->version : 0;
		if (mute || notify_inhibited(n->inhibited, n, c->labels) ||
		    notify_silenced(n, c->labels, now) != NULL)
			continue;
		v[(*count)++] = (struct item){ resolved, c->labels,
			c->annotations, c->starts, resolved ? c->ends : 0,
			c->generator_url, c->fingerprint };
	}
	if (*count > 1)
		qsort(v, *count, sizeof(*v), notify_item_cmp);
	return v;
}

static int
cmp_hash(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static uint64_t *
hashes(const struct item *v, size_t n, bool resolved, size_t *count)
{
	uint64_t *out = mem_zero(n + 1, sizeof(*out));

	*count = 0;
	for (size_t i = 0; i < n; i++)
		if (v[i].resolved == resolved)
			out[(*count)++] = v[i].fingerprint;
	if (*count > 1)
		qsort(out, *count, sizeof(*out), cmp_hash);
	return out;
}

static struct sent *
last_sent(const struct notify *n, str key)
{
	struct map_slot *m = map_find(&n->sent, key);

	return m != NULL ? m->v.p : NULL;
}

/* The entry that is written once this flush has been sent; NULL: nothing due.
 */
static struct sent *
due(const struct notify *n, const struct group *g, const struct integration *in,
    const struct item *v, size_t count, int64_t now)
{
	struct sent *s = notify_sent_new(g->key, in->receiver->name, in->name);
	int64_t keep = 2 * g->route->repeat_interval;
	const struct sent *last = last_sent(n, s->key);
	const char *why;

	s->t = now;
	s->expires = now + (keep < NOTIFY_RETENTION ? keep : NOTIFY_RETENTION);
	s->firing = hashes(v, count, false, &s->nfiring);
	s->resolved = hashes(v, count, true, &s->nresolved);
	why = notify_decide(last, s->firing, s->nfiring, s->resolved,
	    s->nresolved, in->send_resolved, g->route->repeat_interval, now);
	if (why == NULL) {
		notify_sent_free(s);
		return NULL;
	}
	s->reason = str_of(why);
	return s;
}

static void
log_sent(struct notify *n, struct sent *s)
{
	struct map_slot *m;
	bool fresh;

	notify_sent_put(&n->journal.log, s);
	m = map_add(&n->sent, s->key, &fresh);
	if (!fresh)
		notify_sent_free(m->v.p);
	m->key = s->key;
	m->v.p = s;
}

static struct data *
make_data(struct notify *n, struct arena *a, const struct group *g,
    const struct integration *in, const struct item *v, size_t count,
    str reason)
{
	struct data *d = arena_new(a, struct data);
	struct item *mine = arena_array(a, count, struct item);
	struct buf b = { 0 };

	for (size_t i = 0; i < count; i++)
		if (in->send_resolved || !v[i].resolved)
			mine[d->n++] = v[i];
	d->v = mine;
	re_quote(&b, in->receiver->name);
	d->receiver = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	d->reason = reason;
	d->group = g->labels;
	d->external_url = n->external_url;
	notify_data_common(a, d);
	return d;
}

static void
report(struct notify *n, const struct integration *in, const struct error *e)
{
	struct error msg;

	error_set(&msg, "receiver %.*s, %.*s: %s", STR_ARG(in->receiver->name),
	    STR_ARG(in->name), e->msg);
	if (n->report != NULL)
		n->report(n->arg, msg.msg);
}

static void
free_flight(struct flight *f)
{
	arena_fini(&f->arena);
	notify_sent_free(f->sent);
	free(f);
}

/* Render for one integration; a failure leaves the group to the next tick. */
static void
launch(struct notify *n, struct group *g, const struct integration *in,
    const struct item *v, size_t count, struct sent *s, int64_t now)
{
	struct flight *f = mem_zero(1, sizeof(*f));
	struct render r = { .config = n->config, .a = &f->arena };
	struct data *d;
	int rc;

	arena_init(&f->arena);
	f->sent = s;
	d = make_data(n, &f->arena, g, in, v, count, s->reason);
	if (d->n == 0) { /* nothing to say, but it counts as said */
		f->sent = NULL;
		log_sent(n, s);
		free_flight(f);
		return;
	}
	r.data = d;
	r.group_key = g->key;
	r.dot = notify_data_value(&f->arena, d);
	tmpl_set_now(n->config->tmpl, now);
	rc = in->kind->render(&r, in, &f->d);
	if (rc == -1 || r.failed)
		report(n, in, &r.e);
	if (rc == -1) {
		g->failed = true;
		free_flight(f);
		return;
	}
	f->in = in;
	f->group = g;
	f->next = now;
	f->deadline = now +
	    (g->route->group_interval > 10000 ? g->route->group_interval
					      : 10000);
	f->d.id = ++n->id;
	f->d.t = now;
	f->d.receiver = in->receiver->name;
	f->d.integration = in->name;
	f->d.group_key = g->key;
	f->d.reason = s->reason;
	f->d.status = d->resolved ? NOTIFY_RESOLVED : NOTIFY_FIRING;
	f->d.nalerts = d->n;
	f->d.auth = in->auth;
	n->flights = mem_grow(
	    n->flights, &n->flights_cap, n->nflights + 1, sizeof(*n->flights));
	n->flights[n->nflights++] = f;
	g->pending++;
}

void
notify_flush(struct notify *n, struct group *g, int64_t now)
{
	const struct receiver *r = g->route->receiver;
	struct arena a;
	struct item *v;
	size_t count;

	arena_init(&a);
	g->due = now + g->route->group_interval;
	g->flushed = true;
	notify_put_group(&n->journal.alerts, g);
	v = snapshot(n, g, &a, now, &count);
	for (size_t i = 0; i < r->n && count > 0; i++) {
		struct sent *s = due(n, g, &r->v[i], v, count, now);

		if (s != NULL)
			launch(n, g, &r->v[i], v, count, s, now);
	}
	arena_fini(&a);
	if (g->pending == 0)
		notify_flushed(n, g, now);
}

/* An answered delivery leaves; the last one ends its group's flush. */
static void
finish(struct notify *n, size_t i, bool sent, int64_t now)
{
	struct flight *f = n->flights[i];
	struct group *g = f->group;

	n->nflights--;
	memmove(&n->flights[i], &n->flights[i + 1],
	    (n->nflights - i) * sizeof(struct flight *));
	if (i < n->ready)
		n->ready--;
	if (sent) {
		log_sent(n, f->sent);
		f->sent = NULL;
	} else
		g->failed = true;
	free_flight(f);
	if (--g->pending == 0)
		notify_flushed(n, g, now);
}

/* 500 ms, half as much again each time, up to a minute; half of it jitter. */
static int64_t
backoff(const struct notify *n, int attempt)
{
	double ms = 500;

	for (int i = 1; i < attempt && ms < 60000; i++)
		ms *= 1.5;
	ms = ms < 60000 ? ms : 60000;
	if (n->clock != NULL)
		ms *= 0.5 +
		    (double)(n->clock->random(n->clock->arg) >> 11) /
			9007199254740992.0;
	return (int64_t)ms;
}

const struct notify_delivery *
notify_next(struct notify *n, int64_t now)
{
	struct flight *f;
	size_t i;

	while (n->ready < n->nflights && n->flights[n->ready]->begun)
		n->ready++;
	for (i = n->ready; i < n->nflights; i++)
		if (!n->flights[i]->begun && n->flights[i]->next <= now)
			break;
	if (i == n->nflights)
		return NULL;
	f = n->flights[i];
	f->begun = true;
	f->d.attempt++;
	f->d.timeout = f->deadline > now + 1 ? f->deadline - now : 1;
	if (f->in->timeout > 0 && f->in->timeout < f->d.timeout)
		f->d.timeout = f->in->timeout;
	return &f->d;
}

size_t
notify_pending(const struct notify *n)
{
	return n->nflights;
}

/* Flights stand in order of their ids. */
static size_t
find_flight(const struct notify *n, uint64_t id)
{
	size_t lo = 0, hi = n->nflights;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (n->flights[mid]->d.id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n->nflights && n->flights[lo]->d.id == id ? lo
							      : n->nflights;
}

enum notify_outcome
notify_answer(struct notify *n, uint64_t id, const struct notify_answer *a,
    int64_t now, struct error *e)
{
	enum notify_outcome o;
	struct error why = { "" };
	struct flight *f;
	size_t i = find_flight(n, id);

	if (i == n->nflights) {
		error_set(e, "no such delivery");
		return NOTIFY_FAILED;
	}
	f = n->flights[i];
	o = f->in->kind->judge(a, &why);
	if (o != NOTIFY_SENT)
		error_set(e, "receiver %.*s, %.*s: attempt %d: %s",
		    STR_ARG(f->d.receiver), STR_ARG(f->d.integration),
		    f->d.attempt, why.msg);
	if (o == NOTIFY_RETRY) {
		f->why = arena_dup(&f->arena, str_of(why.msg));
		f->begun = false;
		if (i < n->ready)
			n->ready = i;
		f->next = now + backoff(n, f->d.attempt);
		if (f->next > f->deadline)
			f->next = f->deadline;
		if (now < f->deadline)
			return o;
		o = NOTIFY_FAILED;
	}
	finish(n, i, o == NOTIFY_SENT, now);
	return o;
}

static void
give_up(struct notify *n, size_t i, int64_t now)
{
	struct flight *f = n->flights[i];
	struct error e;

	error_set(&e, "given up after %d attempt%s: %.*s", f->d.attempt,
	    f->d.attempt == 1 ? "" : "s",
	    STR_ARG(f->begun ? STR("no answer yet") : f->why));
	report(n, f->in, &e);
	finish(n, i, false, now);
}

/* A flush lasts to its deadline when there is something to retry. */
void
notify_flights_expire(struct notify *n, int64_t now)
{
	for (size_t i = n->nflights; i-- > 0;)
		if (!n->flights[i]->begun && n->flights[i]->deadline <= now)
			give_up(n, i, now);
}

void
notify_give_up(struct notify *n, bool all)
{
	for (size_t i = n->nflights; i-- > 0;)
		if (all || !n->flights[i]->begun)
			give_up(n, i, n->flights[i]->next);
}

void
notify_flights_free(struct notify *n)
{
	for (size_t i = 0; i < n->nflights; i++)
		free_flight(n->flights[i]);
	free(n->flights);
}
