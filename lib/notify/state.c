/*
 * State as lines in the manner of the stream: "# WORD {labels} [{labels}] t
 * key=value ...".  ALERT lines are those of mf-format(5) with three keys more;
 * GONE ends an alert, GROUP says when a group is due.
 */
#include "notify/impl.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"

/* The label set at the start of *s, quotes minded; -1 if there is none. */
static int
take_set(struct arena *a, str *s, struct labels *out, struct error *e)
{
	bool quoted = false;
	size_t n;

	for (n = 0; n < s->n; n++) {
		if (s->p[n] == '\\' && quoted)
			n++;
		else if (s->p[n] == '"')
			quoted = !quoted;
		else if (s->p[n] == '}' && !quoted)
			break;
	}
	if (n >= s->n || label_parse(str_take(*s, n + 1), a, out, e) == -1)
		return error_set(e, "bad label set");
	*s = str_trim(str_skip(*s, n + 1));
	return 0;
}

static int
take_value(struct arena *a, str *s, str *out, struct error *e)
{
	size_t n;

	if (s->n == 0 || s->p[0] != '"') {
		*out = str_cut(s, ' ');
		return 0;
	}
	for (n = 1; n < s->n && s->p[n] != '"'; n++)
		if (s->p[n] == '\\')
			n++;
	if (n >= s->n || tmpl_unquote(a, str_take(*s, n + 1), out, e) == -1)
		return error_set(e, "bad quoted value");
	*s = str_skip(*s, n + 1);
	return 0;
}

int
notify_record_parse(
    struct arena *a, str line, struct record *r, struct error *e)
{
	size_t cap = 0;

	memset(r, 0, sizeof(*r));
	if (!str_starts(line, STR("# ")))
		return error_set(e, "not a state line");
	line = arena_dup(a, str_trim(str_skip(line, 2)));
	r->word = str_cut(&line, ' ');
	if (line.n == 0 || line.p[0] != '{' ||
	    take_set(a, &line, &r->a, e) == -1)
		return error_set(e, "bad label set");
	if (line.n > 0 && line.p[0] == '{' &&
	    take_set(a, &line, &r->b, e) == -1)
		return -1;
	if (num_parse_int(str_cut(&line, ' '), &r->t) == -1)
		return error_set(e, "bad time");
	for (line = str_trim(line); line.n > 0; line = str_trim(line)) {
		struct label *k;

		r->keys = arena_grow(
		    a, r->keys, &cap, r->nkeys + 1, sizeof(*r->keys));
		k = &r->keys[r->nkeys++];
		k->name = str_cut(&line, '=');
		if (line.p == NULL || take_value(a, &line, &k->value, e) == -1)
			return error_set(e, "bad key");
	}
	return 0;
}

str
notify_record_key(const struct record *r, const char *name)
{
	for (size_t i = 0; i < r->nkeys; i++)
		if (str_eq(r->keys[i].name, str_of(name)))
			return r->keys[i].value;
	return STR_NONE;
}

int
notify_record_int(const struct record *r, const char *name, int64_t *out)
{
	return num_parse_int(notify_record_key(r, name), out);
}

void
notify_put_alert(struct buf *b, const struct content *c, int64_t now)
{
	buf_z(b, "# ALERT ");
	label_print_set(b, c->labels);
	buf_byte(b, ' ');
	label_print_set(b, c->annotations);
	buf_printf(b,
	    " %" PRId64 " state=%s startsAt=%" PRId64 " endsAt=%" PRId64
	    " generatorURL=",
	    now, c->ends <= now ? "resolved" : "firing", c->starts, c->ends);
	label_print_value(b, c->generator_url);
	buf_z(b, c->timeout ? " timeout=1\n" : "\n");
}

void
notify_put_gone(struct buf *b, const struct content *c, int64_t now)
{
	buf_z(b, "# GONE ");
	label_print_set(b, c->labels);
	buf_printf(b, " %" PRId64 "\n", now);
}

static void
put_timer(struct buf *b, str key, str receiver, int64_t due)
{
	struct label v[] = { { STR("group_key"), key },
		{ STR("receiver"), receiver } };

	buf_z(b, "# GROUP ");
	label_print_set(b, (struct labels){ v, 2 });
	buf_printf(b, " %" PRId64 "\n", due);
}

void
notify_put_group(struct buf *b, const struct group *g)
{
	put_timer(b, g->key, g->route->receiver->name, g->due);
}

static void
load_timer(struct notify *n, const struct record *r)
{
	struct buf b = { 0 };
	struct map_slot *m;
	int64_t *due;
	bool fresh;

	notify_sent_key(&b, label_find(r->a, STR("group_key")),
	    label_find(r->a, STR("receiver")), STR_NONE);
	m = map_add(&n->timers, buf_str(&b), &fresh);
	if (fresh) {
		due = mem_alloc(sizeof(*due) + b.n);
		memcpy(due + 1, b.p, b.n);
		m->key = (str){ (const char *)(due + 1), b.n };
		m->v.p = due;
	}
	*(int64_t *)m->v.p = r->t;
	buf_fini(&b);
}

/* The latest line of each alert, in the order the alerts came first. */
struct latest {
	struct map index;
	struct arena keys;
	str *v;
	size_t n, cap;
};

static void
keep_latest(struct latest *l, struct labels ls, str line)
{
	struct buf b = { 0 };
	struct map_slot *m;
	bool fresh;

	label_key(&b, ls);
	m = map_add(&l->index, buf_str(&b), &fresh);
	if (fresh) {
		m->key = arena_dup(&l->keys, buf_str(&b));
		l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
		m->v.i = l->n++;
	}
	l->v[m->v.i] = line;
	buf_fini(&b);
}

static int
load_alert(struct notify *n, const struct record *r)
{
	struct notify_alert x = { .labels = r->a, .annotations = r->b };

	if (!str_eq(r->word, STR("ALERT")))
		return 0;
	if (notify_record_int(r, "startsAt", &x.starts) == -1 ||
	    notify_record_int(r, "endsAt", &x.ends) == -1)
		return -1;
	x.generator_url = notify_record_key(r, "generatorURL");
	x.timeout = notify_record_key(r, "timeout").n > 0;
	return notify_alert(n, &x, r->t, NULL);
}

static void
forget_timers(struct notify *n)
{
	for (struct map_slot *m = map_next(&n->timers, NULL); m != NULL;
	     m = map_next(&n->timers, m))
		free(m->v.p);
	map_reset(&n->timers);
}

size_t
notify_load_alerts(struct notify *n, str lines)
{
	struct latest l = { .n = 0 };
	struct arena a;
	struct record r;
	size_t bad = 0;

	arena_init(&a);
	arena_init(&l.keys);
	while (lines.p != NULL) {
		str line = str_trim(str_cut(&lines, '\n'));

		if (line.n == 0)
			continue;
		if (notify_record_parse(&a, line, &r, NULL) == -1)
			bad++;
		else if (str_eq(r.word, STR("GROUP")))
			load_timer(n, &r);
		else if (str_eq(r.word, STR("ALERT")) ||
		    str_eq(r.word, STR("GONE")))
			keep_latest(&l, r.a, line);
		else
			bad++;
		arena_reset(&a);
	}
	for (size_t i = 0; i < l.n; i++) {
		if (notify_record_parse(&a, l.v[i], &r, NULL) == -1 ||
		    load_alert(n, &r) == -1)
			bad++;
		arena_reset(&a);
		buf_reset(&n->journal.alerts);
	}
	forget_timers(n);
	free(l.v);
	map_fini(&l.index);
	arena_fini(&l.keys);
	arena_fini(&a);
	return bad;
}

static int
cmp_hash(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static uint64_t *
hashes(str s, size_t *n)
{
	uint64_t *v = NULL;
	size_t cap = 0;

	*n = 0;
	while (s.n >= 16) {
		char z[17];

		memcpy(z, s.p, 16);
		z[16] = '\0';
		v = mem_grow(v, &cap, *n + 1, sizeof(*v));
		v[(*n)++] = strtoull(z, NULL, 16);
		s = str_skip(s, 17);
	}
	if (*n > 1)
		qsort(v, *n, sizeof(*v), cmp_hash);
	return v;
}

/* The reasons are a closed set, so that an entry can point at its own. */
static str
reason(str s)
{
	static const str known[] = { STR_INIT("first notification"),
		STR_INIT("new alerts added"), STR_INIT("all alerts resolved"),
		STR_INIT("some alerts resolved"),
		STR_INIT("repeat interval elapsed") };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (str_eq(s, known[i]))
			return known[i];
	return STR_NONE;
}

static void
load_sent(struct notify *n, const struct record *r)
{
	struct map_slot *m;
	struct sent *s;
	bool fresh;

	s = notify_sent_new(label_find(r->a, STR("group_key")),
	    label_find(r->a, STR("receiver")),
	    label_find(r->a, STR("integration")));
	s->t = r->t;
	s->reason = reason(notify_record_key(r, "reason"));
	s->firing = hashes(notify_record_key(r, "firing"), &s->nfiring);
	s->resolved = hashes(notify_record_key(r, "resolved"), &s->nresolved);
	if (notify_record_int(r, "expires", &s->expires) == -1)
		s->expires = r->t + NOTIFY_RETENTION;
	m = map_add(&n->sent, s->key, &fresh);
	if (!fresh)
		notify_sent_free(m->v.p);
	m->key = s->key;
	m->v.p = s;
}

size_t
notify_load_log(struct notify *n, str lines, int64_t now)
{
	struct arena a;
	size_t bad = 0;

	arena_init(&a);
	while (lines.p != NULL) {
		str line = str_trim(str_cut(&lines, '\n'));
		struct record r;

		if (line.n == 0)
			continue;
		if (notify_record_parse(&a, line, &r, NULL) == 0 &&
		    str_eq(r.word, STR("SENT")))
			load_sent(n, &r);
		else
			bad++;
		arena_reset(&a);
	}
	notify_sent_sweep(&n->sent, now);
	arena_fini(&a);
	return bad;
}

void
notify_dump_alerts(const struct notify *n, struct buf *b)
{
	for (size_t i = 0; i < n->ngroups; i++)
		notify_put_group(b, n->groups[i]);
	for (struct map_slot *m = map_next(&n->alerts, NULL); m != NULL;
	     m = map_next(&n->alerts, m)) {
		const struct content *c = ((struct alert *)m->v.p)->c;

		notify_put_alert(b, c, c->updated);
	}
}

void
notify_trim_log(str lines, int64_t now, struct buf *b)
{
	struct arena a;

	arena_init(&a);
	while (lines.p != NULL) {
		str line = str_trim(str_cut(&lines, '\n'));
		int64_t expires = 0;
		struct record r;

		if (notify_record_parse(&a, line, &r, NULL) == 0 &&
		    (r.t > now - NOTIFY_RETENTION ||
			(notify_record_int(&r, "expires", &expires) == 0 &&
			    expires > now))) {
			buf_add(b, line);
			buf_byte(b, '\n');
		}
		arena_reset(&a);
	}
	arena_fini(&a);
}
