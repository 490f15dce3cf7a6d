/*
 * The reader: hands out lines as items.  The way taken by nearly every line of
 * a flow that runs is take(): the series is one that was expected, and what
 * is left of the line is a plain number.  All else goes to expo_text.c or
 * expo_om.c, line by line.
 */
#include "metric/expo_reader.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"

#define FAR 768 /* bytes, of which a fetch from memory takes the time */

struct expo_reader *
expo_new(enum expo_form form, int64_t default_t)
{
	struct expo_reader *r = mem_zero(1, sizeof(*r));

	r->form = form;
	r->default_t = r->t = default_t;
	scan_init(&r->scan, &r->scratch, form == EXPO_OM);
	expo_seen_init(&r->memory);
	if (form == EXPO_OM)
		r->om = expo_om_new();
	return r;
}

void
expo_free(struct expo_reader *r)
{
	if (r == NULL)
		return;
	scan_fini(&r->scan);
	arena_fini(&r->scratch);
	expo_seen_fini(&r->memory);
	expo_om_free(r->om);
	free(r->keys);
	free(r);
}

void
expo_keep(struct expo_reader *r, struct arena *a)
{
	r->keep = a;
	r->scan.a = a;
}

void
expo_lean(struct expo_reader *r)
{
	r->memory.lean = true;
}

void
expo_verbatim(struct expo_reader *r)
{
	r->verbatim = true;
}

struct arena *
expo_arena(struct expo_reader *r)
{
	r->scan.used = true;
	return r->scan.a;
}

void
expo_feed(struct expo_reader *r, str lines)
{
	const char *nl = lines.n ? memrchr(lines.p, '\n', lines.n) : NULL;

	r->in = lines;
	r->memory.before = STR_NONE;
	r->safe = nl == NULL ? lines.p : nl + 1;
}

void
expo_pass(struct expo_reader *r, str labels)
{
	expo_seen_open(&r->memory, labels);
	/* with keep it is batch that knows when */
	if (r->keep == NULL)
		expo_seen_tidy(&r->memory);
}

void
expo_rewind(struct expo_reader *r)
{
	r->line = 0;
	r->type = EXPO_T_NONE;
	r->t = r->default_t;
	expo_pass(r, STR_NONE);
	if (r->om != NULL)
		expo_om_reset(r->om);
}

void
expo_set_time(struct expo_reader *r, int64_t t)
{
	/* a batch has a time of its own */
	if (r->memory.now == r->memory.plain)
		r->t = t;
	r->default_t = t;
}

static inline uint64_t
word(const char *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

static inline uint64_t
fold(uint64_t a, uint64_t b)
{
	unsigned __int128 x = (unsigned __int128)a * b;

	return (uint64_t)x ^ (uint64_t)(x >> 64);
}

/*
 * A hash that is made for bytes of a line's length, in two lanes of folded
 * products (the idea of wyhash); no table.  By itself it needs no memory, amid
 * other code the compilers find no registers for it.  It never leaves the
 * process.
 */
static __attribute__((noinline)) uint64_t
hash(const char *p, size_t n)
{
	uint64_t a = UINT64_C(0x9e3779b97f4a7c15) ^ n;
	uint64_t b = UINT64_C(0xbf58476d1ce4e5b9), x = 0, y = 0;
	const char *end = p + n;

	if (n < 16) {
		if (n >= 8) {
			x = word(p);
			y = word(end - 8);
		} else {
			for (; p < end; p++)
				x = x << 8 | (unsigned char)*p;
		}
		return fold(fold(x ^ a, y ^ b) ^ a, b);
	}
	for (; end - p > 32; p += 32) {
		a = fold(
		    word(p) ^ a, word(p + 8) ^ UINT64_C(0xa0761d6478bd642f));
		b = fold(word(p + 16) ^ b,
		    word(p + 24) ^ UINT64_C(0xe7037ed1a0b428db));
	}
	if (end - p > 16)
		a = fold(
		    word(p) ^ a, word(p + 8) ^ UINT64_C(0x589965cc75374cc3));
	b = fold(
	    word(end - 16) ^ b, word(end - 8) ^ UINT64_C(0x8ebc6af09c88c6e3));
	return fold(a ^ UINT64_C(0x1d8e4e27c47d124f), b);
}

/*
 * May the line be this one?  One blank and a value must follow a series:
 * "a {b="c"} 1" is not the series a.
 */
uint64_t
expo_hash(const char *p, size_t n)
{
	return hash(p, n);
}

static inline bool
fits(const char *line, size_t n, unsigned char type, const struct expo_seen *k)
{
	size_t len = k->len;

	if (k->kind != EXPO_SAMPLE)
		return len < n && *line == '#' && line[len] == '\n';
	return len + 1 < n && *line != '#' && line[len] == ' ' &&
	    line[len + 1] > ' ' && line[len + 1] != '{' && k->type == type;
}

bool
expo_fits(
    const char *line, size_t n, unsigned char type, const struct expo_seen *k)
{
	return fits(line, n, type, k);
}

/* " 1637582400000\n" at p, or the line end: its place; NULL: something else */
static const char *
plain_time(const char *p, struct expo_item *item)
{
	const char *from;
	uint64_t t = 0;

	if (*p == '\n')
		return p;
	if (*p != ' ')
		return NULL;
	for (from = ++p; *p >= '0' && *p <= '9'; p++)
		t = t * 10 + (unsigned char)*p - (unsigned)'0';
	if (*p != '\n' || p == from || p - from > 18)
		return NULL;
	item->t = (int64_t)t;
	item->has_t = true;
	return p;
}

/*
 * Member by member: the compilers make a slow loop of a memset here, and of
 * "a = b = ..." a load that has to wait for two stores.
 */
static void
clear(struct expo_item *item, size_t line, int64_t t)
{
	item->kind = EXPO_SAMPLE;
	item->line = line;
	item->raw = STR_NONE;
	item->series = STR_NONE;
	item->labels = (struct labels){ NULL, 0 };
	item->extra = (struct labels){ NULL, 0 };
	item->name = STR_NONE;
	item->text = STR_NONE;
	item->v = 0;
	item->t = t;
	item->start = 0;
	item->has_t = false;
	item->all = false;
	item->keys = NULL;
	item->nkeys = 0;
	item->mark = NULL;
}

static str
cut_line(struct expo_reader *r)
{
	size_t n = str_chr(r->in, '\n');
	str line = str_take(r->in, n);

	r->in = str_skip(r->in, n + 1);
	r->line++;
	return line;
}

/* A comment that was expected: it says what it said. */
static int
take_comment(struct expo_reader *r, struct expo_item *item, struct expo_seen *k)
{
	const char *p = r->in.p;

	clear(item, ++r->line, r->t);
	item->kind = (enum expo_kind)k->kind;
	item->raw = (str){ p, k->len };
	item->name = (str){ p + k->more[0].at.name, k->n };
	item->text = str_from(p + k->more[0].at.text, p + k->len);
	item->mark = &k->mark;
	if (k->kind == EXPO_TYPE)
		r->type = k->type;
	r->in.n -= k->len + (size_t)1;
	r->in.p = p + k->len + 1;
	return 1;
}

/*
 * NaN and infinities, which summaries without observations and other gauges
 * have: their place behind, or NULL.
 */
static __attribute__((noinline)) const char *
word_value(const struct expo_reader *r, const char *p, double *v)
{
	str word = str_from(p, r->safe);

	word = str_take(word, str_chr(word, '\n'));
	word = str_take(word, str_chr(word, ' '));
	return num_parse(word, v) == -1 ? NULL : word.p + word.n;
}

/* The value at p: its place behind, or NULL. */
static inline const char *
value(const struct expo_reader *r, const char *p, struct expo_item *item)
{
	const char *q;

	item->text = STR_NONE;
	/* more than half of the values of pages are one digit */
	if (p[0] >= '0' && p[0] <= '9' && p[1] == '\n') {
		if (r->verbatim)
			item->text = (str){ p, 1 };
		item->v = p[0] - '0';
		return p + 1;
	}
	if (r->verbatim && (q = num_scan_printed(p, r->safe)) != NULL &&
	    (*q == '\n' || *q == ' ')) {
		item->text = str_from(p, q);
		return q;
	}
	q = num_scan(p, r->safe, &item->v);
	return q != NULL ? q : word_value(r, p, &item->v);
}

/*
 * A sample of the series k, which the line begins with, if value and time are
 * plain.  Only what a sample has is set: it is done for every line.
 */
static inline __attribute__((always_inline)) bool
take_sample(struct expo_reader *r, struct expo_item *item, struct expo_seen *k)
{
	const char *p = r->in.p, *q;

	item->t = r->t;
	item->has_t = false;
	q = value(r, p + k->len + 1, item);
	if (q != NULL && *q != '\n' && r->om == NULL)
		q = plain_time(q, item);
	if (q == NULL || *q != '\n')
		return false;
	item->kind = EXPO_SAMPLE;
	item->line = ++r->line;
	item->raw = str_from(p, q);
	item->series = (str){ p, k->len };
	item->labels = (struct labels){ NULL, 0 };
	if (!r->memory.lean)
		item->labels = (struct labels){ k->more[0].v, k->n };
	item->mark = &k->mark;
	r->in.n -= (size_t)(q + 1 - p);
	r->in.p = q + 1;
	return true;
}

/*
 * The line that is expected, if it is a sample's.  What fits() asks besides,
 * the hash and a value that is plain say, too.
 */
static inline __attribute__((always_inline)) bool
expected(struct expo_reader *r, struct expo_item *item)
{
	struct expo_source *s = r->memory.now;
	struct expo_seen *k = s->next;
	const char *p = r->in.p;

	/* they mostly stand in a row, and are seldom in a cache */
	__builtin_prefetch((const void *)((uintptr_t)k + FAR));
	if (k == NULL || k->kind != EXPO_SAMPLE || k->type != r->type ||
	    r->safe - p <= (ptrdiff_t)k->len + 1 || p[k->len] != ' ' ||
	    (r->memory.lean && k->mark == 0) || hash(p, k->len) != k->hash ||
	    !take_sample(r, item, k))
		return false;
	s->at = k;
	s->next = k->next;
	s->lines++;
	return true;
}

/*
 * A line that was seen before: an item without parsing its labels.  1, 0 if it
 * is no such line, -1.
 */
static int
take(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	const char *p = r->in.p;
	struct expo_seen *k;

	if (p >= r->safe || (r->om != NULL && !expo_om_quiet(r->om)))
		return 0;
	k = expo_seen_other(&r->memory, p, (size_t)(r->safe - p), r->type);
	if (k == NULL)
		return 0;
	if (k->kind != EXPO_SAMPLE)
		return take_comment(r, item, k);
	if (r->memory.lean && k->mark == 0)
		return 0;
	if (take_sample(r, item, k))
		return 1;
	clear(item, r->line + 1, r->t);
	item->series = (str){ p, k->len };
	if (!r->memory.lean)
		item->labels = (struct labels){ k->more[0].v, k->n };
	item->mark = &k->mark;
	item->raw = cut_line(r);
	scan_line(&r->scan, item->raw);
	r->scan.p += k->len;
	if (r->om == NULL)
		return expo_text_rest(r, item, e) == -1 ? -1 : 1;
	if (expo_om_rest(r, item, e) == -1)
		return -1;
	return expo_om_pop(r->om, item);
}

/* Has the line become longer, since a string went on behind its end? */
static bool
stretched(const struct expo_reader *r, const struct expo_item *item)
{
	return r->scan.end > item->raw.p + item->raw.n;
}

/* All the lines that it is now have been read. */
static void
pass_over(struct expo_reader *r, struct expo_item *item)
{
	const char *p = item->raw.p + item->raw.n, *end = r->scan.end;

	for (; p != NULL && p < end; r->line++)
		p = memchr(p + 1, '\n', (size_t)(end - p - 1));
	r->in = str_skip(r->in, (size_t)(end - r->in.p) + 1);
	item->raw.n = (size_t)(end - item->raw.p);
}

/* The next line, whatever it is: 1, 0 (no item), -1. */
static int
parse(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	struct expo_seen *k = NULL;
	int rc;

	clear(item, 0, r->t);
	item->raw = cut_line(r);
	item->line = r->line;
	scan_line(&r->scan, item->raw);
	if (r->om != NULL)
		return expo_om_line(r, item, e);
	if (r->form == EXPO_PAGE)
		r->scan.more = r->in.p + r->in.n;
	rc = expo_text_line(r, item, e);
	if (rc >= 0 && stretched(r, item))
		pass_over(r, item);
	else if (rc == 1 &&
	    (item->kind == EXPO_HELP || item->kind == EXPO_TYPE ||
		item->kind == EXPO_UNIT || item->kind == EXPO_KIND))
		k = expo_seen_learn_comment(&r->memory, item,
		    item->kind == EXPO_TYPE ? r->type : EXPO_T_NONE);
	if (k != NULL)
		item->mark = &k->mark;
	return rc;
}

/* Add to e where it was noticed, and pass over all of it: -1. */
static int
place(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	const char *from = item->raw.p, *bad = r->scan.bad, *nl;
	size_t line = r->line;

	while (stretched(r, item) && bad > from &&
	    (nl = memchr(from, '\n', (size_t)(bad - from))) != NULL) {
		from = nl + 1;
		line++;
	}
	if (stretched(r, item))
		pass_over(r, item);
	return error_add(e, "%zu:%zu", line, (size_t)(bad - from) + 1);
}

/* A line that is not the one expected, or of OpenMetrics. */
static __attribute__((noinline)) int
next_other(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	int k;

	if (r->om != NULL && expo_om_pop(r->om, item))
		return 1;
	if (r->scan.used && r->keep == NULL) {
		arena_reset(&r->scratch);
		r->scan.used = false;
	}
	while (r->in.n > 0) {
		if (r->om != NULL && expo_om_quiet(r->om) && expected(r, item))
			return 1;
		k = take(r, item, e);
		if (k == 0)
			k = parse(r, item, e);
		if (k == -1)
			return place(r, item, e);
		if (k == 1)
			return 1;
	}
	return 0;
}

int
expo_next(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	/* scratch may wait: nothing is put into it here */
	if (r->om == NULL && expected(r, item))
		return 1;
	return next_other(r, item, e);
}

int
expo_end(struct expo_reader *r, struct error *e)
{
	if (r->om == NULL)
		return 0;
	if (!expo_om_ended(r->om))
		return error_set(e, "data does not end with # EOF");
	return 0;
}

str
expo_key(const struct expo_item *item, str name)
{
	for (size_t i = 0; i < item->nkeys; i++)
		if (str_eq(item->keys[i].name, name))
			return item->keys[i].value;
	return STR_NONE;
}

void
expo_learn(struct expo_reader *r, struct expo_item *item)
{
	struct scan *s = &r->scan;
	struct labels ls = { s->v, s->n };
	struct expo_seen *k = NULL;

	if (!stretched(r, item))
		k = expo_seen_learn(&r->memory, item->series, ls, r->type);
	if (k != NULL)
		item->mark = &k->mark;
	if (k != NULL && !r->memory.lean)
		item->labels = (struct labels){ k->more[0].v, k->n };
	else if (r->keep == NULL && r->om == NULL)
		item->labels = ls; /* nothing is scanned behind it */
	else
		item->labels = expo_labels(r);
}

int
expo_value(struct expo_reader *r, double *v, struct error *e)
{
	struct scan *s = &r->scan;
	const char *from = s->p, *end;
	str word;

	end = num_scan(from, s->end, v);
	if (end != NULL && (end == s->end || *end == ' ')) {
		s->p = end;
		return 0;
	}
	word = scan_word(s);
	if (word.n == 0)
		return scan_fail(s, from, e, "expected a value");
	if (num_parse(word, v) == -1)
		return scan_fail(s, from, e, "bad value '%.*s'",
		    (int)(word.n > 64 ? 64 : word.n), word.p);
	if (isnan(*v))
		*v = num_nan();
	return 0;
}

int
expo_end_of_line(struct expo_reader *r, struct error *e)
{
	struct scan *s = &r->scan;

	if (!s->strict)
		(void)scan_blanks(s);
	if (s->p < s->end)
		return scan_fail(s, NULL, e, "text after the end: '%.*s'",
		    (int)(s->end - s->p > 64 ? 64 : s->end - s->p), s->p);
	return 0;
}

struct labels
expo_labels(struct expo_reader *r)
{
	return scan_take(&r->scan, expo_arena(r));
}

/* As OpenMetrics has it. */
static str
float_label(struct arena *a, double f)
{
	struct buf b = { 0 };
	str s;

	num_print_om(&b, f);
	s = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return s;
}

/*
 * le of a histogram and quantile of a summary in OpenMetrics form, as
 * Prometheus 3 has them.  It goes by the last TYPE line alone, as there.
 */
void
expo_normalise(struct expo_reader *r)
{
	str want = r->type == EXPO_T_HISTOGRAM ? STR("le") : STR("quantile");
	struct label *l;
	double f;

	if (r->type != EXPO_T_HISTOGRAM && r->type != EXPO_T_SUMMARY)
		return;
	for (size_t i = 0; i < r->scan.n; i++) {
		l = &r->scan.v[i];
		if (str_eq(l->name, want) && num_parse(l->value, &f) == 0)
			l->value = float_label(expo_arena(r), f);
	}
}

int
expo_help_text(struct expo_reader *r, str *out, struct error *e)
{
	struct scan *s = &r->scan;
	str text = str_from(s->p, s->end);
	char *w, *o;
	size_t i;

	s->p = s->end;
	if (!str_utf8(text))
		return scan_fail(s, text.p, e, "invalid UTF-8 in a help text");
	if (str_chr(text, '\\') == text.n) {
		*out = text;
		return 0;
	}
	w = o = arena_alloc(expo_arena(r), text.n);
	for (i = 0; i < text.n; i++) {
		char c = text.p[i];
		char next = i + 1 < text.n ? text.p[i + 1] : '\0';

		if (c == '\\' && next == 'n') {
			*w++ = '\n';
			i++;
		} else if (c == '\\' &&
		    (next == '\\' || (s->strict && next == '"'))) {
			*w++ = next;
			i++;
		} else
			*w++ = c;
	}
	*out = str_from(o, w);
	return 0;
}
