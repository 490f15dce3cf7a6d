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
#include "scrape/mutate.h"
#include "scrape/native.h"
#include "scrape/nhcb.h"
#include "scrape/report.h"

#define EXEMPLAR_MAX 128 /* characters of its labels; upstream drops longer */

/*
 * Marks: of a series its number, from 1, and above it an enum memory_way, or
 * that rules drop it; of metadata its family's number, and above it the turn
 * in which the line was what had been said of it.
 */
#define DROPPED SIZE_MAX
#define WAY 60
#define TURN 32
#define NUMBER(mark, bits) (((mark) & (((size_t)1 << (bits)) - 1)) - 1)

#define PIECE MEMORY_SLACK     /* bytes of a line that are copied at once */
#define ROOM 256               /* for what a line has beside its series */
#define FUTURE INT64_C(600000) /* samples later than this are not believed */

struct round {
	struct scrape_memory *m;
	struct memory_source *s;
	const struct scrape_target *t;
	struct scrape_result *r;
	int64_t now;
	bool describe;  /* all metadata is printed */
	bool in_place;  /* and where it stands on the page */
	bool read;      /* of the page, at least a part */
	char stamp[32]; /* " NOW\n", behind most samples */
	size_t stamp_len;
	size_t opened; /* bytes of the BATCH line that begins the body */
	struct expo_reader *rd;
	struct nhcb *nhcb; /* or NULL */
	size_t last;       /* the series of the last sample, for its exemplar */
	bool have_last;
	bool honor_timestamps;
	size_t limit;    /* sample_limit */
	size_t admitted; /* samples that count for sample_limit */
	size_t room;     /* for new series, with keep_known */
	bool counted;    /* room is known */
	str lines;       /* that the reader was given */
};

/* The round has a sample of this metric. */
static void
note_metric(struct round *x, str metric)
{
	struct map_slot *slot;
	bool fresh;

	slot = map_add(&x->m->named, metric, &fresh);
	if (fresh)
		slot->key = arena_dup(&x->m->a, metric);
}

/*
 * The series of an item by its labels, found or made: 1 and its number, 0 if it
 * is dropped by rules, -1 if it fails the scrape.
 */
static int
find_series(
    struct round *x, const struct expo_item *it, size_t *i, struct error *e)
{
	struct buf *b = &x->m->scratch;
	struct label_set set;
	int rc = mutate_sample(x->t, it, &set, &x->m->tmp, e);

	if (rc == 1) {
		buf_reset(b);
		label_print(b, label_view(&set));
		*i = (size_t)(memory_series(x->s, buf_str(b)) - x->s->v);
		if (x->in_place)
			note_metric(
			    x, label_find(label_view(&set), LABEL_NAME));
	}
	label_fini(&set);
	arena_reset(&x->m->tmp);
	return rc;
}

/* The same, of one that has no mark yet, which is told for the next round. */
static int
new_series(
    struct round *x, const struct expo_item *it, size_t *i, struct error *e)
{
	int rc = find_series(x, it, i, e);

	if (rc >= 0 && it->mark != NULL)
		*it->mark = rc == 0 ? DROPPED : *i + 1;
	return rc;
}

/*
 * Is there room under sample_limit?  If not the round fails, but to count goes
 * on; or with keep_known new series are left out, so that those that were there
 * have their place.
 */
static bool
room(struct round *x, const struct memory_series *v)
{
	size_t known = 0;

	x->admitted++;
	if (!x->t->keep_known)
		return x->admitted <= x->limit;
	if (v->known == x->s->good || v->seen == x->s->round)
		return true;
	if (!x->counted) {
		for (size_t i = 0; i < x->s->n; i++)
			known += x->s->v[i].known == x->s->good;
		x->room = x->limit > known ? x->limit - known : 0;
		x->counted = true;
	}
	if (x->room > 0) {
		x->room--;
		return true;
	}
	x->r->keep = true;
	return false;
}

/*
 * Most texts are short: copies of known length need no call, and no branches
 * for what can't be foreseen.  PIECE bytes more than s has are read and
 * written, which have to be there.
 */
static inline char *
put(char *o, str s)
{
	size_t i = 0;

	do
		memcpy(o + i, s.p + i, PIECE);
	while ((i += PIECE) < s.n);
	return o + s.n;
}

/* May so much be read behind s, a part of in? */
static inline bool
has_piece(str s, str in)
{
	size_t at = (size_t)((uintptr_t)s.p - (uintptr_t)in.p);

	return in.n >= s.n + PIECE && at <= in.n - s.n - PIECE;
}

/*
 * A line of the page, its series or that and its value, at o, with the source's
 * middle in it.
 */
static inline char *
put_line(char *o, const struct memory_source *s, size_t cut, str line,
    size_t series, enum memory_way way)
{
	size_t at = way == MEMORY_BRACES ? series
	    : way == MEMORY_BEHIND       ? cut - 1
					 : cut;

	o = put(o, str_take(line, at));
	*o = way == MEMORY_BRACES ? '{' : ',';
	o += way != MEMORY_BEFORE;
	o = put(o, s->middle);
	*o = way == MEMORY_BRACES ? '}' : ',';
	o += way != MEMORY_BEHIND;
	return put(o, str_skip(line, at));
}

/*
 * A line for a sample: the series as it was printed, the value, the time.  Of
 * most it is the line of the page.
 */
static void
put_sample(struct round *x, const struct memory_series *v,
    const struct expo_item *it, enum memory_way way)
{
	struct buf *b = &x->m->body;
	/* Of a histogram that was made here there is no line. */
	bool there = it->series.p != NULL;
	bool next = there && it->text.p == it->series.p + it->series.n + 1;
	str line = { it->series.p, it->series.n + (next ? 1 + it->text.n : 0) };
	bool page = there && v->cut != 0 && way != MEMORY_UNKNOWN &&
	    way != MEMORY_KEPT && has_piece(line, x->lines);
	/* on the page there is less of it than will be printed */
	size_t need =
	    (page ? it->series.n : v->len) + x->s->middle.n + it->text.n + ROOM;
	char *o;

	if (b->cap - b->n <= need)
		(void)buf_reserve(b, need);
	if (it->kind == EXPO_HIST)
		buf_add(b, expo_word(EXPO_HIST));
	o = b->p + b->n;
	if (page)
		o = put_line(o, x->s, v->cut, line, it->series.n, way);
	else
		o += memory_copy(o, x->s, v);
	if (!page || !next)
		*o++ = ' ';
	b->n = (size_t)(o - b->p);
	if (it->text.n == 0)
		num_print(b, it->v);
	else if (!page || !next)
		buf_add(b, it->text);
	if (v->stamped) {
		buf_printf(b, " %lld\n", (long long)it->t);
		return;
	}
	/* A copy of known length is cheaper than one of the right length. */
	memcpy(b->p + b->n, x->stamp, sizeof(x->stamp));
	b->n += x->stamp_len;
}

static int
sample(struct round *x, const struct expo_item *it, struct error *e)
{
	bool stamped = it->has_t && x->honor_timestamps;
	enum memory_way way = MEMORY_UNKNOWN;
	struct memory_series *v;
	size_t i = 0;
	int rc;

	x->r->scraped++;
	x->have_last = false;
	if (it->mark != NULL && *it->mark != 0) {
		if (*it->mark == DROPPED)
			return 0;
		i = NUMBER(*it->mark, WAY);
		way = (enum memory_way)(*it->mark >> WAY);
	} else if ((rc = new_series(x, it, &i, e)) <= 0) {
		return rc;
	}
	x->r->kept++;
	v = &x->s->v[i];
	if (way == MEMORY_UNKNOWN && v->cut != 0 && it->mark != NULL) {
		way = memory_way(v, it->series);
		*it->mark = (i + 1) | (size_t)way << WAY;
	}
	if (v->seen == x->s->round && !stamped)
		return 0; /* the same series again: the first one counts */
	if (x->limit > 0 && !room(x, v))
		return 0;
	if (stamped && it->t > x->now + FUTURE)
		return 0;
	v->seen = x->s->round;
	v->stamped = stamped;
	put_sample(x, v, it, way);
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
	const struct memory_series *v = &x->s->v[x->last];
	int64_t *t0;

	if (!x->have_last)
		return;
	t0 = memory_start(x->s, x->last);
	if (*t0 == it->start && !x->describe)
		return;
	*t0 = it->start;
	buf_add(&x->m->body, expo_word(EXPO_START));
	memory_put(&x->m->body, x->s, v);
	buf_printf(&x->m->body, " %lld %lld\n", (long long)it->start,
	    (long long)(v->stamped ? it->t : x->now));
}

static void
exemplar(struct round *x, const struct expo_item *it)
{
	const struct memory_series *v;
	struct buf *b = &x->m->body;
	size_t n = 0;

	for (size_t i = 0; i < it->extra.n && n <= EXEMPLAR_MAX; i++)
		n += str_runes(it->extra.v[i].name) +
		    str_runes(it->extra.v[i].value);
	if (!x->have_last || n > EXEMPLAR_MAX)
		return;
	v = &x->s->v[x->last];
	buf_add(b, expo_word(EXPO_EXEMPLAR));
	memory_put(b, x->s, v);
	buf_byte(b, ' ');
	label_print_set(b, it->extra);
	buf_byte(b, ' ');
	num_print(b, it->v);
	if (it->has_t)
		buf_printf(b, " %lld", (long long)it->t);
	buf_byte(b, '\n');
}

/* Has this round a sample of the family already? */
static bool
begun(struct round *x, str name)
{
	static const char *const suffixes[] = { "", "_bucket", "_count",
		"_sum" };
	struct buf *b = &x->m->scratch;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		buf_reset(b);
		buf_add(b, name);
		buf_z(b, suffixes[i]);
		if (map_find(&x->m->named, buf_str(b)) != NULL)
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
	struct memory_source *s = x->s;
	size_t mark = it->mark == NULL ? 0 : *it->mark;
	struct memory_family *f;
	uint64_t text;
	bool same;

	if (mark != 0 && !x->describe && mark >> TURN == s->turn)
		return;
	f = mark == 0 ? memory_family(s, it->name)
		      : &s->families[NUMBER(mark, TURN)];
	text = str_hash(it->text);
	same = f->said[k] != 0 && f->text[k] == text;
	if (!same && f->said[k] != 0 && f->said[k] != s->round)
		s->turn++;
	if (it->mark != NULL)
		*it->mark = ((size_t)(f - s->families) + 1) |
		    (same || f->said[k] != s->round ? (size_t)s->turn << TURN
						    : 0);
	if (f->said[k] == s->round || (same && !x->describe))
		return;
	f->text[k] = text;
	f->said[k] = s->round;
	expo_put_item(
	    x->in_place && !begun(x, it->name) ? &x->m->body : &x->m->head, it);
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
	int k, rc;

	expo_feed(x->rd, lines);
	x->lines = lines;
	while ((k = expo_next(x->rd, &it, e)) == 1) {
		if (x->nhcb != NULL)
			rc = nhcb_item(x->nhcb, &it, e);
		else if (it.kind == EXPO_SAMPLE)
			rc = sample(x, &it, e);
		else
			rc = item(x, &it, e);
		/* in protobuf there are no lines */
		if (rc == -1 && x->rd != x->s->proto)
			error_add(e, "line %zu", it.line);
		if (rc == -1)
			return -1;
	}
	return k;
}

/* The whole page, whatever its form. */
static int
page(struct round *x, const struct scrape_answer *a, enum expo_form form,
    struct error *e)
{
	const struct scrape_target *t = x->t;
	int rc;

	/* Conversion wants the labels of all samples, others their marks. */
	if (x->s->lean == t->convert_to_nhcb)
		memory_readers_free(x->s);
	x->s->lean = !t->convert_to_nhcb;
	/* A reader that remembers names no metrics: see find_series(). */
	x->in_place = x->describe && !memory_has_reader(x->s, form);
	x->rd = memory_reader(x->s, form);
	x->read = true;
	expo_set_time(x->rd, x->now);
	if (t->convert_to_nhcb)
		x->nhcb = nhcb_new(t->always_classic, item, x);
	rc = form == EXPO_MF ? native_page(a->body, t, feed, x, e)
			     : feed(x, a->body, e);
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
	if (x->limit > 0 && !x->t->keep_known && x->admitted > x->limit)
		return error_set(e, "sample limit exceeded");
	return 0;
}

static void
put_stale(const struct round *x, const struct memory_series *v, struct buf *b)
{
	buf_add(b, expo_word(EXPO_STALE));
	memory_put(b, x->s, v);
	buf_add(b, (str){ x->stamp, x->stamp_len });
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

		if (v->seen == s->round && known && was && !v->stamped &&
		    !v->own) {
			v->known = s->round; /* as nearly all */
			continue;
		}
		if (!was && !known && v->seen != s->round)
			continue;
		v->live = v->seen == s->round && (!v->stamped || track);
		s->nlive = s->nlive + v->live - was;
		if (was && !v->live) {
			x->r->stale++;
			put_stale(x, v, stale);
		}
		if (v->seen == s->round) {
			bool turned = v->own != v->stamped;

			x->r->added += !known;
			v->own = v->stamped;
			if (!known || v->live != was || turned)
				memory_log_series(came, s, v, x->now);
			v->known = s->round;
		} else {
			put_stale(x, v, went);
		}
	}
	s->good = s->round;
}

/*
 * The page is bad: everything that lived has ended; what is known stays.  Those
 * with times of their own are not among those that "*" speaks of.
 */
static void
unsettle(struct round *x, struct buf *stale, struct buf *went)
{
	struct memory_source *s = x->s;

	/* What this page said of them was not printed: own is what was. */
	memory_readers_free(s);
	if (s->nlive > 0)
		expo_put_stale_all(went, x->now);
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].live && s->v[i].own)
			put_stale(x, &s->v[i], stale);
		s->v[i].live = false;
	}
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
put_round(struct round *x, const struct report *rep, str stale,
    struct scrape_text *out)
{
	struct expo_key error = { STR_INIT("error"), STR_NONE, true };
	struct buf *b = &out->out;

	error.value = str_of(x->r->error);
	if (x->r->up && x->m->head.n == 0 && b->n == 0) {
		/* Most rounds: nothing goes between, so nothing is copied. */
		struct buf empty = *b;

		*b = x->m->body;
		x->m->body = empty;
	} else {
		expo_put_batch(
		    b, x->s->labels, x->now, &error, x->r->up ? 0 : 1);
		if (x->r->up) {
			buf_add(b, buf_str(&x->m->head));
			buf_add(b, str_skip(buf_str(&x->m->body), x->opened));
		}
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
	struct round x = { .m = m,
		.s = s,
		.t = t,
		.r = r,
		.now = now,
		.honor_timestamps = t->job->honor_timestamps,
		.limit = (size_t)t->job->sample_limit };
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
	expo_put_batch(&m->body, s->labels, now, NULL, 0);
	x.opened = m->body.n;
	r->up = read_answer(&x, a, &e) == 0;
	if (a->too_large)
		rep.size = -1;
	else if (a->error == NULL && a->status == 200)
		rep.size = (double)a->body.n;
	if (r->up) {
		settle(&x, &stale, &came, &went);
	} else {
		(void)strlcpy(r->error, e.msg, sizeof(r->error));
		clean(r->error);
		unsettle(&x, &stale, &went);
	}
	put_round(&x, &rep, buf_str(&stale), out);
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
	map_reset(&m->named);
	arena_reset(&m->a);
	buf_fini(&stale);
	buf_fini(&came);
	buf_fini(&went);
}
