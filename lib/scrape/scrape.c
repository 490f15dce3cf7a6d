/*
 * One round of one target.  The page is read into a body of its own, so that a
 * page which breaks off or lies in its last line leaves nothing behind: then
 * the batch says why, up is 0, and all series of the round before end.
 *
 * A series known from the round before costs no hashing and no labels: the
 * reader's mark is its number, and its line begins with the bytes kept.
 */
#include "scrape/scrape.h"

#include <stdio.h>

#include "base/num.h"
#include "scrape/answer.h"
#include "scrape/memory.h"
#include "scrape/native.h"
#include "scrape/nhcb.h"
#include "scrape/report.h"

#define EXEMPLAR_MAX 128 /* characters of its labels; upstream drops longer */
#define FUTURE INT64_C(600000) /* samples later than this are not believed */

struct round {
	struct scrape_memory *m;
	struct memory_source *s;
	const struct scrape_target *t;
	struct scrape_result *r;
	int64_t now;
	bool describe;  /* all metadata is printed */
	bool read;      /* of the page, at least a part */
	char stamp[24]; /* " NOW\n", behind most samples */
	size_t stamp_len;
	struct expo_reader *rd;
	struct nhcb *nhcb; /* or NULL */
	size_t last;       /* the series of the last sample, for its exemplar */
	bool have_last;
};

/*
 * A scraped label that a target label takes the place of is kept under
 * another name: exported_ before it, as often as it takes.
 */
static void
move_label(struct round *x, struct label_set *set, str name, str value)
{
	do
		name = arena_printf(&x->m->a, "exported_%.*s", STR_ARG(name));
	while (label_get(set, name).n > 0);
	label_set(set, name, value);
}

/* The labels a sample gets: its own and the target's. */
static void
mutate(struct round *x, struct label_set *set, struct labels own)
{
	struct labels target = x->t->labels;
	size_t n = 0, len = 0;

	label_init(set, own);
	for (size_t i = 0; i < target.n; i++) {
		bool has = label_find(own, target.v[i].name).n > 0;

		if (has && x->t->job->honor_labels)
			continue;
		label_set(set, target.v[i].name, target.v[i].value);
		n += has;
	}
	/* Conflicts, the shortest name first. */
	for (len = 1; n > 0; len++)
		for (size_t i = 0; i < target.n; i++) {
			str name = target.v[i].name;
			str value = label_find(own, name);

			if (name.n != len || value.n == 0)
				continue;
			move_label(x, set, name, value);
			n--;
		}
}

static int
check_labels(const struct round *x, struct labels ls, struct error *e)
{
	const struct scrape_job *j = x->t->job;
	str metric = str_take(label_find(ls, LABEL_NAME), 50);

	if (metric.n == 0)
		return error_set(e, "a sample has no name");
	if (j->legacy_names && !label_metric_valid(label_find(ls, LABEL_NAME)))
		return error_set(e, "invalid metric name or label names: %.*s",
		    STR_ARG(metric));
	if (j->label_limit > 0 && ls.n > (size_t)j->label_limit)
		return error_set(e,
		    "label_limit exceeded (metric: %.*s, number of labels: "
		    "%zu, limit: %lld)",
		    STR_ARG(metric), ls.n, (long long)j->label_limit);
	for (size_t i = 0; i < ls.n; i++) {
		str name = ls.v[i].name, value = ls.v[i].value;

		if (j->label_name_limit > 0 &&
		    name.n > (size_t)j->label_name_limit)
			return error_set(e,
			    "label_name_length_limit exceeded (metric: %.*s, "
			    "label name: %.*s, length: %zu, limit: %lld)",
			    STR_ARG(metric), STR_ARG(str_take(name, 50)),
			    name.n, (long long)j->label_name_limit);
		if (j->label_value_limit > 0 &&
		    value.n > (size_t)j->label_value_limit)
			return error_set(e,
			    "label_value_length_limit exceeded (metric: %.*s, "
			    "label name: %.*s, value: \"%.*s\", length: %zu, "
			    "limit: %lld)",
			    STR_ARG(metric), STR_ARG(str_take(name, 50)),
			    STR_ARG(str_take(value, 50)), value.n,
			    (long long)j->label_value_limit);
	}
	return 0;
}

/* Find or make the series of an item by its labels: *i is its number. */
static int
find_series(
    struct round *x, const struct expo_item *it, size_t *i, struct error *e)
{
	struct label_set set;
	struct memory_series *v;
	int rc;

	mutate(x, &set, it->labels);
	rc = check_labels(x, label_view(&set), e);
	if (rc == 0) {
		buf_reset(&x->m->scratch);
		label_print(&x->m->scratch, label_view(&set));
		v = memory_series(x->s, buf_str(&x->m->scratch));
		*i = (size_t)(v - x->s->v);
		memory_family(x->s, label_find(label_view(&set), LABEL_NAME))
		    ->named = x->s->round;
	}
	label_fini(&set);
	return rc;
}

static int
sample(struct round *x, const struct expo_item *it, struct error *e)
{
	const struct scrape_job *j = x->t->job;
	bool stamped = it->has_t && j->honor_timestamps;
	struct buf *b = &x->m->body;
	struct memory_series *v;
	size_t i = 0;

	x->r->scraped++;
	x->have_last = false;
	if (it->mark != NULL && *it->mark > 0) {
		i = *it->mark - 1;
	} else {
		if (find_series(x, it, &i, e) == -1)
			return -1;
		if (it->mark != NULL)
			*it->mark = i + 1;
	}
	x->r->kept++;
	if (j->sample_limit > 0 && x->r->kept > (size_t)j->sample_limit)
		return 0; /* only counted: the round has failed */
	v = &x->s->v[i];
	if (v->seen == x->s->round && !stamped && !v->stamped)
		return 0; /* the same series again: the first one counts */
	if (stamped && it->t > x->now + FUTURE)
		return 0;
	v->seen = x->s->round;
	v->stamped = stamped;
	if (it->kind == EXPO_HIST)
		buf_z(b, "# HIST ");
	buf_add(b, v->text);
	buf_byte(b, ' ');
	if (it->kind == EXPO_HIST)
		buf_add(b, it->text);
	else
		num_print(b, it->v);
	if (stamped)
		buf_printf(b, " %lld\n", (long long)it->t);
	else
		buf_add(b, (str){ x->stamp, x->stamp_len });
	x->last = i;
	x->have_last = true;
	return 0;
}

/* A sample as any other, within the limits of histograms. */
static int
histogram(struct round *x, const struct expo_item *from, struct error *e)
{
	struct expo_item it = *from;

	if (native_limit(x->t->job, &it.text, &x->m->a, e) == -1)
		return -1;
	return sample(x, &it, e);
}

/* What the sample before it counts from, when that is news. */
static void
start(struct round *x, const struct expo_item *it)
{
	struct memory_series *v = &x->s->v[x->last];

	if (!x->have_last || (v->start == it->start && !x->describe))
		return;
	v->start = it->start;
	buf_printf(&x->m->body, "# START %.*s %lld %lld\n", STR_ARG(v->text),
	    (long long)it->start, (long long)(v->stamped ? it->t : x->now));
}

/* Characters; more than EXEMPLAR_MAX need not be counted. */
static size_t
runes(str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n <= EXEMPLAR_MAX; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void
exemplar(struct round *x, const struct expo_item *it)
{
	struct label_set set;
	size_t n = 0;

	for (size_t i = 0; i < it->extra.n && n <= EXEMPLAR_MAX; i++)
		n += runes(it->extra.v[i].name) + runes(it->extra.v[i].value);
	if (!x->have_last || n > EXEMPLAR_MAX)
		return;
	mutate(x, &set, it->labels);
	expo_put_exemplar(
	    &x->m->body, label_view(&set), it->extra, it->v, it->has_t, it->t);
	label_fini(&set);
}

/* Has this round a sample of the family already? */
static bool
begun(struct round *x, str name)
{
	static const char *const suffixes[] = { "", "_bucket", "_count",
		"_sum" };
	struct buf *b = &x->m->scratch;
	struct map_slot *slot;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		buf_reset(b);
		buf_add(b, name);
		buf_z(b, suffixes[i]);
		slot = map_find(&x->s->by_family, buf_str(b));
		if (slot != NULL &&
		    x->s->families[slot->v.i].named == x->s->round)
			return true;
	}
	return false;
}

/*
 * HELP, TYPE, UNIT, KIND: when they are new or changed.  They go before the
 * samples of their family: where they stand on the page, or, if that is too
 * late or it is not known whether it is, in front of all.
 */
static void
metadata(struct round *x, const struct expo_item *it)
{
	enum memory_meta k = it->kind == EXPO_HELP ? MEMORY_HELP
	    : it->kind == EXPO_TYPE                ? MEMORY_TYPE
	    : it->kind == EXPO_UNIT                ? MEMORY_UNIT
						   : MEMORY_KIND;
	struct memory_family *f = memory_family(x->s, it->name);
	bool changed = f->said[k] == 0 || !str_eq(f->text[k], it->text);

	if (f->said[k] == x->s->round || (!changed && !x->describe))
		return;
	if (changed)
		f->text[k] = arena_dup(&x->s->a, it->text);
	f->said[k] = x->s->round;
	expo_put_item(
	    x->describe && !begun(x, it->name) ? &x->m->body : &x->m->head, it);
}

static int
item(void *arg, const struct expo_item *it, struct error *e)
{
	struct round *x = arg;

	switch (it->kind) {
	case EXPO_SAMPLE:
		return sample(x, it, e);
	case EXPO_HELP:
	case EXPO_TYPE:
	case EXPO_UNIT:
	case EXPO_KIND:
		metadata(x, it);
		return 0;
	case EXPO_EXEMPLAR:
		exemplar(x, it);
		return 0;
	case EXPO_HIST:
		return histogram(x, it, e);
	case EXPO_START:
		start(x, it);
		return 0;
	case EXPO_STALE:
	case EXPO_ALERT:
	case EXPO_STRING:
	case EXPO_BATCH:
	case EXPO_EOF:
		return 0;
	}
	return 0;
}

static int
feed(void *arg, str lines, struct error *e)
{
	struct round *x = arg;
	struct expo_item it;
	int k;

	expo_feed(x->rd, lines);
	while ((k = expo_next(x->rd, &it, e)) == 1)
		if ((x->nhcb ? nhcb_item(x->nhcb, &it, e) : item(x, &it, e)) ==
		    -1) {
			/* in protobuf there are none */
			return x->rd == x->s->proto
			    ? -1
			    : error_add(e, "line %zu", it.line);
		}
	return k;
}

/* A page of text; a last line need not have its end. */
static int
lines(struct round *x, str body, struct error *e)
{
	struct buf *b = &x->m->scratch;
	size_t n = body.n;
	str last;

	while (n > 0 && body.p[n - 1] != '\n')
		n--;
	if (feed(x, str_take(body, n), e) == -1)
		return -1;
	if (n == body.n)
		return 0;
	buf_reset(b);
	buf_add(b, str_skip(body, n));
	buf_byte(b, '\n');
	last = arena_dup(&x->m->a, buf_str(b));
	return feed(x, last, e);
}

/* The whole page, whatever its form. */
static int
page(struct round *x, const struct scrape_answer *a, enum expo_form form,
    struct error *e)
{
	const struct scrape_job *j = x->t->job;
	int rc;

	x->rd = memory_reader(x->s, form);
	x->read = true;
	expo_set_time(x->rd, x->now);
	if (j->convert_to_nhcb)
		x->nhcb = nhcb_new(j->always_classic, item, x);
	rc = form == EXPO_MF ? native_page(a->body, j, feed, x, e)
			     : lines(x, a->body, e);
	/* An empty answer is an empty page, in either form. */
	if (rc == 0 && form == EXPO_OM && a->body.n > 0)
		rc = expo_end(x->rd, e);
	if (rc == 0 && x->nhcb != NULL)
		rc = nhcb_end(x->nhcb, e);
	nhcb_free(x->nhcb);
	x->nhcb = NULL;
	return rc;
}

static int
read_answer(struct round *x, const struct scrape_answer *a, struct error *e)
{
	const struct scrape_job *j = x->t->job;
	enum expo_form form;

	if (x->t->error.n > 0)
		return error_set(e, "%.*s", STR_ARG(x->t->error));
	if (answer_form(a, j, &form, e) == -1 || page(x, a, form, e) == -1)
		return -1;
	if (j->sample_limit > 0 && x->r->kept > (size_t)j->sample_limit)
		return error_set(e, "sample limit exceeded");
	return 0;
}

/*
 * The page is good: which series are new to the readers of the log, which are
 * gone?  STALE lines are added to out, and the log's lines to its texts.
 */
static void
settle(struct round *x, struct buf *stale, struct buf *came, struct buf *went)
{
	bool track = x->t->job->track_timestamps_staleness;
	struct memory_source *s = x->s;

	for (size_t i = 0; i < s->n; i++) {
		struct memory_series *v = &s->v[i];
		bool known = v->known == s->good, was = v->live;

		if (!was && !known && v->seen != s->round)
			continue;
		v->live = v->seen == s->round && (!v->stamped || track);
		s->nlive = s->nlive + v->live - was;
		if (was && !v->live) {
			x->r->stale++;
			buf_z(stale, "# STALE ");
			buf_add(stale, v->text);
			buf_add(stale, (str){ x->stamp, x->stamp_len });
		}
		if (v->seen == s->round) {
			x->r->added += !known;
			if (!known || v->live != was)
				memory_log_series(came, v, x->now);
			v->known = s->round;
		} else {
			buf_z(went, "# STALE ");
			buf_add(went, v->text);
			buf_add(went, (str){ x->stamp, x->stamp_len });
		}
	}
	s->good = s->round;
}

/* The page is bad: everything that lived has ended; what is known stays. */
static void
unsettle(struct round *x, struct buf *went)
{
	struct memory_source *s = x->s;

	memory_readers_free(s);
	if (s->nlive > 0)
		expo_put_stale_all(went, x->now);
	for (size_t i = 0; i < s->n; i++)
		s->v[i].live = false;
	x->r->stale = s->nlive;
	s->nlive = 0;
}

/* Bytes of a page or of the network as text that may stand in a line. */
static void
clean(char *z)
{
	str s = str_of(z);
	bool utf8 = str_utf8(s);

	for (; *z != '\0'; z++)
		if ((unsigned char)*z < ' ' || *z == 0x7f ||
		    (!utf8 && (unsigned char)*z >= 0x80))
			*z = '?';
}

static void
put(struct round *x, const struct report *rep, str stale,
    struct scrape_text *out)
{
	struct expo_key error = { STR_INIT("error"), STR_NONE, true };
	struct buf *b = &out->out;

	error.value = str_of(x->r->error);
	expo_put_batch(b, x->s->labels, x->now, &error, x->r->up ? 0 : 1);
	if (x->r->up) {
		buf_add(b, buf_str(&x->m->head));
		buf_add(b, buf_str(&x->m->body));
	}
	if (!x->s->reported)
		report_metadata(b, x->s, rep);
	report_samples(b, rep, x->now);
	buf_add(b, stale);
	/* Somebody may know of a batch that this memory does not. */
	if (!x->r->up || x->s->fresh)
		expo_put_stale_all(b, x->now);
	expo_put_eof(b);
}

void
scrape_round(struct scrape_memory *m, const struct scrape_target *t,
    const struct scrape_answer *a, int64_t now, bool meta,
    struct scrape_text *out, struct scrape_result *r)
{
	struct memory_source *s = memory_source(m, t->text, t->labels);
	struct round x = { .m = m, .s = s, .t = t, .r = r, .now = now };
	struct report rep = { .t = t, .r = r, .took = a->took };
	struct buf stale = { 0 }, came = { 0 }, went = { 0 };
	struct error e = { "" };

	*r = (struct scrape_result){ 0 };
	s->round++;
	s->t = now;
	s->operand = t->job->operand;
	x.describe = meta || !s->described;
	s->reported = s->reported && !meta;
	x.stamp_len = (size_t)snprintf(
	    x.stamp, sizeof(x.stamp), " %lld\n", (long long)now);
	buf_reset(&m->head);
	buf_reset(&m->body);
	r->up = read_answer(&x, a, &e) == 0;
	rep.size = a->error != NULL ? 0 : (double)a->body.n;
	if (r->up) {
		settle(&x, &stale, &came, &went);
	} else {
		(void)strlcpy(r->error, e.msg, sizeof(r->error));
		clean(r->error);
		unsettle(&x, &went);
	}
	put(&x, &rep, buf_str(&stale), out);
	s->reported = true;
	/* What a bad page said was not printed: say it next time. */
	s->described = r->up || (s->described && !x.read);
	if (came.n > 0 || !s->logged)
		memory_log(&out->before, s, now, buf_str(&came));
	if (went.n > 0)
		memory_log(&out->after, s, now, buf_str(&went));
	s->logged = true;
	s->fresh = false;
	memory_tidy(s);
	arena_reset(&m->a);
	buf_fini(&stale);
	buf_fini(&came);
	buf_fini(&went);
}
