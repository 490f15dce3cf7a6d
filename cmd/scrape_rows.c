/*
 * Targets as rows: out of a set, out of the state file, as JSON.
 */
#include "scrape_rows.h"

#include "base/date.h"
#include "base/dur.h"
#include "base/map.h"
#include "base/num.h"
#include "metric/batch.h"

void
scrape_rows_fini(struct scrape_rows *r)
{
	arena_fini(&r->a);
	*r = (struct scrape_rows){ 0 };
}

struct scrape_row *
scrape_rows_add(struct scrape_rows *r)
{
	r->v = arena_grow(&r->a, r->v, &r->cap, r->n + 1, sizeof(*r->v));
	r->v[r->n] = (struct scrape_row){ 0 };
	return &r->v[r->n++];
}

const char *
scrape_rows_health(const struct scrape_row *r)
{
	switch (r->kind) {
	case SCRAPE_ROW_ACTIVE:
		break;
	case SCRAPE_ROW_DROPPED:
		return "dropped";
	case SCRAPE_ROW_DISCOVERY:
		return "failing";
	}
	if (r->at == 0)
		return "unknown";
	return r->error.n > 0 ? "down" : "up";
}

static str
key(const struct batch *b, const char *name)
{
	for (size_t i = 0; i < b->nkeys; i++)
		if (str_eq(b->keys[i].name, str_of(name)))
			return b->keys[i].value;
	return STR_NONE;
}

static int64_t
number(const struct batch *b, const char *name)
{
	int64_t v;

	return num_parse_int(key(b, name), &v) == 0 ? v : 0;
}

static void
read_batch(struct scrape_rows *r, const struct batch *b)
{
	struct scrape_row *row = scrape_rows_add(r);
	struct labels ls = label_dup(&r->a, b->labels);
	str state = key(b, "state");
	struct error e;

	row->error = arena_dup(&r->a, key(b, "error"));
	if (str_eq(state, STR("discovery"))) {
		row->kind = SCRAPE_ROW_DISCOVERY;
		row->pool = label_find(ls, STR("job"));
		return;
	}
	if (str_eq(state, STR("dropped"))) {
		row->kind = SCRAPE_ROW_DROPPED;
		row->pool = arena_dup(&r->a, key(b, "job"));
		row->discovered = ls;
		return;
	}
	row->labels = ls;
	if (label_parse(key(b, "discovered"), &r->a, &row->discovered, &e) ==
	    -1)
		row->discovered = (struct labels){ NULL, 0 };
	row->pool = label_find(row->discovered, STR("job"));
	if (row->pool.n == 0)
		row->pool = label_find(ls, STR("job"));
	row->url = arena_dup(&r->a, key(b, "url"));
	row->interval = number(b, "interval");
	row->timeout = number(b, "timeout");
	row->at = b->t;
	row->took = number(b, "took");
	row->samples = number(b, "samples");
}

static void
report(void *arg, const char *msg)
{
	tool_fault(arg, msg);
}

bool
scrape_rows_state(struct scrape_rows *r, const char *name, str text)
{
	char *copy = arena_cstr(&r->a, str_of(name));
	struct batch_reader *reader =
	    batch_new(EXPO_MF, 0, false, report, copy);
	struct batch b;
	bool whole;

	batch_feed(reader, text);
	batch_end(reader);
	while (batch_next(reader, &b) == 1)
		if (b.opened)
			read_batch(r, &b);
	whole = batch_bad(reader) == 0;
	batch_free(reader);
	return whole;
}

/* A target is known again by its labels and its URL. */
static str
identity(struct arena *a, struct labels ls, str url)
{
	struct buf b = { 0 };
	str s;

	label_key(&b, ls);
	buf_byte(&b, '\0');
	buf_add(&b, url);
	s = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return s;
}

static void
add_active(struct scrape_rows *r, const struct scrape_target *t,
    const struct scrape_row *last)
{
	struct scrape_row *row = scrape_rows_add(r);

	row->pool = arena_dup(&r->a, t->job->name);
	row->labels = label_dup(&r->a, t->labels);
	row->discovered = label_dup(&r->a, t->discovered);
	row->url = arena_dup(&r->a, t->url);
	row->interval = t->interval;
	row->timeout = t->timeout;
	row->error = arena_dup(&r->a, t->error);
	if (last == NULL)
		return;
	row->at = last->at;
	row->took = last->took;
	row->samples = last->samples;
	if (row->error.n == 0)
		row->error = arena_dup(&r->a, last->error);
}

void
scrape_rows_set(struct scrape_rows *r, const struct scrape_set *set,
    const struct scrape_rows *state)
{
	struct arena a = { 0 };
	struct map last = { 0 };

	for (size_t i = 0; i < state->n; i++)
		if (state->v[i].kind == SCRAPE_ROW_ACTIVE)
			map_add(&last,
			    identity(&a, state->v[i].labels, state->v[i].url),
			    NULL)
			    ->v.p = &state->v[i];
	for (size_t i = 0; i < set->n; i++) {
		const struct scrape_target *t = set->v[i];
		struct map_slot *s =
		    map_find(&last, identity(&a, t->labels, t->url));

		add_active(r, t, s != NULL ? s->v.p : NULL);
	}
	for (size_t i = 0; i < set->ndropped; i++) {
		const struct scrape_dropped *d = &set->dropped[i];
		struct scrape_row *row = scrape_rows_add(r);

		row->kind = SCRAPE_ROW_DROPPED;
		row->pool = arena_dup(&r->a, d->job->name);
		row->discovered = label_dup(&r->a, d->discovered);
		row->error = arena_dup(&r->a, d->error);
	}
	map_fini(&last);
	arena_fini(&a);
}

static void
put_text(struct json_writer *w, const char *name, str value)
{
	json_key(w, str_of(name));
	json_str(w, value);
}

static void
put_dur(struct json_writer *w, const char *name, int64_t ms)
{
	struct buf b = { 0 };

	dur_print(&b, ms);
	put_text(w, name, buf_str(&b));
	buf_fini(&b);
}

/* What is said of targets that are scraped alone. */
static void
put_active(struct json_writer *w, const struct scrape_row *r)
{
	struct buf b = { 0 };

	put_text(w, "scrapeUrl", r->url);
	put_text(w, "lastError", r->error);
	if (r->at != 0)
		date_print_ms(&b, r->at);
	else
		buf_z(&b, "0001-01-01T00:00:00Z"); /* Go's zero time */
	put_text(w, "lastScrape", buf_str(&b));
	json_key(w, STR("lastScrapeDuration"));
	json_num(w, (double)r->took / 1000);
	put_text(w, "health", str_of(scrape_rows_health(r)));
	put_dur(w, "scrapeInterval", r->interval);
	put_dur(w, "scrapeTimeout", r->timeout);
	json_key(w, STR("samples"));
	json_int(w, r->samples);
	buf_fini(&b);
}

void
scrape_rows_json(const struct scrape_rows *rows, struct buf *b)
{
	static const char *const states[] = { "active", "dropped",
		"discovery" };

	for (size_t i = 0; i < rows->n; i++) {
		const struct scrape_row *r = &rows->v[i];
		struct json_writer w;

		json_init(&w, b, false);
		json_open(&w, '{');
		put_text(&w, "state", str_of(states[r->kind]));
		if (r->kind != SCRAPE_ROW_DISCOVERY) {
			json_key(&w, STR("discoveredLabels"));
			label_json(&w, r->discovered);
		}
		if (r->kind == SCRAPE_ROW_ACTIVE) {
			json_key(&w, STR("labels"));
			label_json(&w, r->labels);
		}
		put_text(&w, "scrapePool", r->pool);
		if (r->kind == SCRAPE_ROW_ACTIVE)
			put_active(&w, r);
		else if (r->error.n > 0)
			put_text(&w, "lastError", r->error);
		json_close(&w, '}');
		buf_byte(b, '\n');
	}
}
