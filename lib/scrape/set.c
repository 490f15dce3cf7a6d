/*
 * The set of targets at one moment: what every discovery of every job knows,
 * made into targets.  A batch is known by its labels, so of two targets with
 * the same labels the first is scraped and the other told of.
 */
#include <md5.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/quote.h"
#include "scrape/job.h"
#include "scrape/sd.h"
#include "scrape/target.h"

/* What scrape_targets() and scrape_new() make; callers see its first member. */
struct all {
	struct scrape_set pub;
	struct arena a;
	struct arena tmp; /* of one target being made */
	size_t cap, dropped_cap, warnings_cap;
	struct map by_text;
	const struct scrape_spread *spread;
	struct scrape_job *operands;
};

struct scrape_set *
scrape_new(void)
{
	struct all *s = mem_zero(1, sizeof(*s));

	return &s->pub;
}

void
scrape_free(struct scrape_set *pub)
{
	struct all *s = (struct all *)pub;

	if (s == NULL)
		return;
	map_fini(&s->by_text);
	arena_fini(&s->tmp);
	arena_fini(&s->a);
	free(s);
}

static void
add_warning(struct all *s, str text)
{
	s->pub.warnings = arena_grow(&s->a, s->pub.warnings, &s->warnings_cap,
	    s->pub.nwarnings + 1, sizeof(*s->pub.warnings));
	s->pub.warnings[s->pub.nwarnings++] = text;
}

/* A target that is not scraped; why is empty if relabelling dropped it. */
static void
drop(struct all *s, const struct scrape_target *t, const char *why)
{
	struct scrape_dropped *d;
	struct buf b = { 0 };

	s->pub.dropped = arena_grow(&s->a, s->pub.dropped, &s->dropped_cap,
	    s->pub.ndropped + 1, sizeof(*s->pub.dropped));
	d = &s->pub.dropped[s->pub.ndropped++];
	*d = (struct scrape_dropped){ .job = t->job,
		.local = t->local,
		.discovered = label_dup(&s->a, t->discovered),
		.error = arena_dup(&s->a, str_of(why)) };
	if (d->error.n == 0)
		return;
	quote_add(&b, label_find(t->discovered, STR("__address__")));
	add_warning(s,
	    arena_printf(&s->a, "job %.*s: target %.*s is left out: %.*s",
		STR_ARG(t->job->name), (int)b.n, b.p, STR_ARG(d->error)));
	buf_fini(&b);
}

static void
append(struct all *s, struct scrape_target *t)
{
	s->pub.v = arena_grow(&s->a, s->pub.v, &s->cap, s->pub.n + 1,
	    sizeof(struct scrape_target *));
	s->pub.v[s->pub.n++] = t;
}

/* Into the set, unless one with these labels is there: that one, or NULL. */
static const struct scrape_target *
add(struct all *s, const struct scrape_target *from)
{
	struct scrape_target *t;
	struct map_slot *slot;
	bool fresh;

	slot = map_add(&s->by_text, from->text, &fresh);
	if (!fresh)
		return slot->v.p;
	t = arena_new(&s->a, struct scrape_target);
	*t = *from;
	t->all = label_dup(&s->a, from->all);
	t->labels = label_dup(&s->a, from->labels);
	t->discovered = label_dup(&s->a, from->discovered);
	t->text = arena_dup(&s->a, from->text);
	t->url = arena_dup(&s->a, from->url);
	t->error = arena_dup(&s->a, from->error);
	slot->key = t->text;
	slot->v.p = t;
	append(s, t);
	return NULL;
}

/*
 * Is it of this process's share?  As action hashmod of __address__ counts, so
 * that it can be foretold.
 */
static bool
mine(const struct scrape_target *t, const struct scrape_spread *spread)
{
	str address = label_find(t->all, STR("__address__"));
	uint8_t sum[MD5_DIGEST_LENGTH];
	uint64_t h = 0;
	MD5_CTX md5;

	if (spread->shards == 0)
		return true;
	MD5Init(&md5);
	MD5Update(&md5, (const uint8_t *)address.p, address.n);
	MD5Final(sum, &md5);
	for (size_t i = 8; i < 16; i++)
		h = h << 8 | sum[i];
	return h % spread->shards == spread->shard;
}

static void
spread_out(struct scrape_target *t, const struct scrape_spread *spread)
{
	if (spread->interval > 0) {
		t->interval = spread->interval;
		if (t->timeout > t->interval)
			t->timeout = t->interval;
	}
	t->offset = target_offset(t, spread->seed);
}

static void
one(struct all *s, const struct scrape_job *j, struct labels discovered,
    bool local, size_t *dropped)
{
	const struct scrape_target *twin;
	struct scrape_target t;
	struct error e = { "" };

	switch (
	    target_make(&t, j, discovered, local, &s->tmp, NULL, NULL, &e)) {
	case TARGET_DROPPED:
		s->pub.ndropped_all++;
		if (j->keep_dropped_targets == 0 ||
		    *dropped < (size_t)j->keep_dropped_targets)
			drop(s, &t, "");
		(*dropped)++;
		return;
	case TARGET_BAD:
		s->pub.ndropped_all++;
		drop(s, &t, e.msg);
		return;
	case TARGET_MADE:
		break;
	}
	if (!mine(&t, s->spread))
		return;
	spread_out(&t, s->spread);
	twin = add(s, &t);
	/* Found twice by one job it is the same target. */
	if (twin == NULL ||
	    (twin->job == j && str_eq(twin->url, t.url) &&
		label_eq(twin->all, t.all)))
		return;
	error_set(&e, "two targets have the labels %.*s; only %.*s is scraped",
	    STR_ARG(str_take(t.text, 120)), STR_ARG(str_take(twin->url, 60)));
	s->pub.ndropped_all++;
	drop(s, &t, e.msg);
}

static void
one_job(struct all *s, const struct scrape_job *j, const struct scrape_sd *sd)
{
	const struct sd_group *const *v;
	size_t n = sd_groups(sd, j, &v), first = s->pub.n, dropped = 0, got;
	str error;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < v[i]->ntargets; k++) {
			one(s, j,
			    target_discovered(
				&s->tmp, j, v[i]->targets[k], v[i]->labels),
			    v[i]->local, &dropped);
			arena_reset(&s->tmp);
		}
	got = s->pub.n - first;
	if (j->target_limit == 0 || got <= (size_t)j->target_limit)
		return;
	error = arena_printf(&s->a,
	    "target_limit exceeded (number of targets: %zu, limit: %lld)", got,
	    (long long)j->target_limit);
	for (size_t i = first; i < s->pub.n; i++)
		s->pub.v[i]->error = error;
}

struct scrape_set *
scrape_targets(const struct scrape_config *c, const struct scrape_sd *sd,
    const struct scrape_spread *spread)
{
	struct scrape_set *pub = scrape_new();
	struct all *s = (struct all *)pub;

	s->spread = spread;
	for (size_t i = 0; i < c->njobs; i++)
		one_job(s, c->jobs[i], sd);
	s->spread = NULL;
	return pub;
}

int
scrape_add(struct scrape_set *pub, str arg, int64_t interval, struct error *e)
{
	struct all *s = (struct all *)pub;
	struct scrape_target t = { 0 };
	const struct scrape_target *twin;
	struct label_set set = { 0 };
	str instance;

	if (target_operand(&s->a, arg, &t.url, &instance, e) == -1)
		return -1;
	if (s->operands == NULL) {
		s->operands = arena_new(&s->a, struct scrape_job);
		scrape_job_default(s->operands, &s->a);
		s->operands->name = STR("mf-scrape");
		s->operands->operand = true;
	}
	label_set(&set, STR("__address__"), instance);
	label_set(&set, STR("instance"), instance);
	label_set(&set, STR("job"), s->operands->name);
	t.all = t.discovered = label_done(&set, &s->a);
	label_fini(&set);
	t.job = s->operands;
	t.local = true;
	t.interval = interval;
	t.timeout = interval < 10000 ? interval : 10000;
	target_name(&t, &s->a);
	t.offset = target_offset(&t, 0);
	twin = add(s, &t);
	if (twin == NULL || str_eq(twin->url, t.url))
		return 0;
	return error_set(e,
	    "two targets have the labels %.*s; only %.*s is scraped",
	    STR_ARG(t.text), STR_ARG(twin->url));
}

int64_t
scrape_due(const struct scrape_target *t, int64_t from)
{
	int64_t past = (from - t->offset) % t->interval;

	if (past < 0)
		past += t->interval;
	return past == 0 ? from : from - past + t->interval;
}
