/*
 * Lines of mf text and of pages in text 0.0.4 and 1.0.0: samples, and comments
 * by a table.  Lenient as Prometheus's parser is (model/textparse): blanks
 * anywhere between tokens, comments of any form, TYPE where it likes.
 */
#include "metric/expo_reader.h"

#include "base/mem.h"
#include "base/num.h"
#include "metric/histogram.h"

/* A time in ms, if there is one; without, the item keeps its default. */
static int
time_opt(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	struct scan *s = &r->scan;
	const char *from;
	str word;

	(void)scan_blanks(s);
	from = s->p;
	word = scan_word(s);
	if (word.n == 0)
		return 0;
	if (word.p[0] == '+' || (word.p[0] == '-' && r->form != EXPO_MF) ||
	    num_parse_int(word, &item->t) == -1)
		return scan_fail(s, from, e, "bad timestamp '%.*s'",
		    (int)(word.n > 64 ? 64 : word.n), word.p);
	item->has_t = true;
	return 0;
}

static int
time_must(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	if (time_opt(r, item, e) == -1)
		return -1;
	if (!item->has_t)
		return scan_fail(&r->scan, NULL, e, "expected a time in ms");
	return 0;
}

/* The name "_" of mf text stands for none (DESIGN 2). */
static void
drop_no_name(struct expo_reader *r)
{
	struct scan *s = &r->scan;

	for (size_t i = 0; i < s->n; i++) {
		if (!str_eq(s->v[i].name, LABEL_NAME))
			continue;
		if (!str_eq(s->v[i].value, STR("_")))
			return;
		s->n--;
		memmove(s->v + i, s->v + i + 1, (s->n - i) * sizeof(*s->v));
		return;
	}
}

static int
series(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	const char *from;
	int rc;

	(void)scan_blanks(&r->scan);
	from = r->scan.p;
	/* other braces may follow */
	r->scan.tight = true;
	rc = scan_series(&r->scan, e);
	r->scan.tight = false;
	if (rc == -1)
		return -1;
	item->series = str_from(from, r->scan.p);
	drop_no_name(r);
	item->labels = expo_labels(r);
	return 0;
}

static int
set(struct expo_reader *r, struct labels *out, struct error *e)
{
	(void)scan_blanks(&r->scan);
	if (scan_set(&r->scan, e) == -1)
		return -1;
	*out = expo_labels(r);
	return 0;
}

int
expo_text_rest(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	(void)scan_blanks(&r->scan);
	if (expo_value(r, &item->v, e) == -1 || time_opt(r, item, e) == -1)
		return -1;
	return expo_end_of_line(r, e);
}

static int
sample(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	struct scan *s = &r->scan;
	const char *from = s->p;

	if (scan_series(s, e) == -1)
		return -1;
	item->kind = EXPO_SAMPLE;
	item->series = str_from(from, s->p);
	if (r->form == EXPO_MF)
		drop_no_name(r);
	else if (!s->named)
		return scan_fail(s, from, e, "metric name not set");
	else
		expo_normalise(r);
	if (expo_text_rest(r, item, e) == -1)
		return -1;
	expo_learn(r, item);
	return 1;
}

/* key=value ... up to the end of the line. */
static int
keys(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	struct scan *s = &r->scan;
	struct expo_key k, *v;
	const char *from;

	r->nkeys = 0;
	while (scan_blanks(s) && s->p < s->end) {
		from = s->p;
		k = (struct expo_key){ .name = STR_NONE };
		while (s->p < s->end && *s->p != '=' && *s->p != ' ' &&
		    *s->p != '\t')
			s->p++;
		k.name = str_from(from, s->p);
		if (k.name.n == 0 || s->p >= s->end || *s->p != '=')
			return scan_fail(s, from, e, "expected key=value");
		s->p++;
		k.quoted = s->p < s->end && *s->p == '"';
		if (!k.quoted)
			k.value = scan_word(s);
		else if (scan_quoted(s, &k.value, e) == -1)
			return -1;
		if (!str_utf8(k.name) || !str_utf8(k.value))
			return scan_fail(s, from, e, "invalid UTF-8 in a key");
		r->keys = mem_grow(
		    r->keys, &r->keycap, r->nkeys + 1, sizeof(*r->keys));
		r->keys[r->nkeys++] = k;
	}
	item->nkeys = r->nkeys;
	if (r->nkeys == 0)
		return 0;
	v = arena_array(expo_arena(r), r->nkeys, struct expo_key);
	memcpy(v, r->keys, r->nkeys * sizeof(*v));
	item->keys = v;
	return 0;
}

static int
name(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	(void)scan_blanks(&r->scan);
	return scan_name(&r->scan, &item->name, e);
}

static int
help(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	struct scan *s = &r->scan;

	if (name(r, item, e) == -1)
		return -1;
	/* a page's parser takes any byte for it (model/textparse) */
	if (r->form == EXPO_MF && s->p < s->end && *s->p != ' ' &&
	    *s->p != '\t')
		return scan_fail(s, NULL, e, "expected a blank after the name");
	if (s->p < s->end)
		s->p++;
	return expo_help_text(r, &item->text, e) == -1 ? -1 : 1;
}

/* name and one word, which must be one of those listed (NULL: any). */
static int
word(struct expo_reader *r, struct expo_item *item, const char *const *list,
    struct error *e)
{
	struct scan *s = &r->scan;
	const char *from;

	if (name(r, item, e) == -1)
		return -1;
	if (r->form == EXPO_PAGE && list != NULL) {
		/* exactly: one byte between, and nothing behind */
		s->p += s->p < s->end;
		from = s->p;
		item->text = str_from(s->p, s->end);
		s->p = s->end;
	} else {
		(void)scan_blanks(s);
		from = s->p;
		item->text = scan_word(s);
	}
	if (item->text.n == 0)
		return scan_fail(s, from, e, "expected a word after the name");
	if (!str_utf8(item->text))
		return scan_fail(s, from, e, "invalid UTF-8");
	if (expo_end_of_line(r, e) == -1)
		return -1;
	for (; list != NULL && *list != NULL; list++)
		if (str_eq(item->text, str_of(*list)))
			return 1;
	if (list == NULL)
		return 1;
	return scan_fail(s, from, e, "bad type '%.*s'",
	    (int)(item->text.n > 64 ? 64 : item->text.n), item->text.p);
}

static int
type(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	static const char *const types[] = { "counter", "gauge", "histogram",
		"summary", "untyped", NULL };

	if (word(r, item, types, e) == -1)
		return -1;
	if (r->form == EXPO_PAGE)
		r->type = str_eq(item->text, STR("histogram"))
		    ? EXPO_T_HISTOGRAM
		    : str_eq(item->text, STR("summary")) ? EXPO_T_SUMMARY
							 : EXPO_T_OTHER;
	return 1;
}

static int
kind(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	static const char *const kinds[] = { "info", "stateset", "unknown",
		"gaugehistogram", NULL };

	return word(r, item, kinds, e);
}

static int
unit(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	int k = word(r, item, NULL, e);

	/* in text 0.0.4 it is a comment like any other: never an error */
	return k == -1 && r->form == EXPO_PAGE ? 0 : k;
}

static int
batch(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	struct scan *s = &r->scan;
	const char *from;

	(void)scan_blanks(s);
	from = s->p;
	if (set(r, &item->labels, e) == -1)
		return -1;
	item->series = str_from(from, s->p);
	if (time_must(r, item, e) == -1 || keys(r, item, e) == -1)
		return -1;
	r->t = item->t;
	expo_pass(r, item->series);
	return 1;
}

static int
eof(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	(void)item;
	if (expo_end_of_line(r, e) == -1)
		return -1;
	r->t = r->default_t;
	expo_pass(r, STR_NONE);
	return 1;
}

static int
stale(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	struct scan *s = &r->scan;

	(void)scan_blanks(s);
	if (s->p < s->end && *s->p == '*') {
		s->p++;
		item->all = true;
		if (s->p < s->end && *s->p != ' ' && *s->p != '\t')
			return scan_fail(s, NULL, e, "expected a time");
	} else if (series(r, item, e) == -1)
		return -1;
	item->v = num_stale();
	if (time_opt(r, item, e) == -1 || expo_end_of_line(r, e) == -1)
		return -1;
	return 1;
}

/* The body of a HIST line, brought to its one form. */
static int
hist_body(struct expo_reader *r, str *text, struct error *e)
{
	struct arena *a = expo_arena(r);
	struct buf b = { 0 };
	struct histogram h;
	size_t at = 0;

	if (histogram_parse(&h, *text, a, &at, e) == -1) {
		r->scan.bad = text->p + at;
		return -1;
	}
	histogram_print(&b, &h);
	if (!str_eq(buf_str(&b), *text))
		*text = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return 0;
}

static int
hist(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	struct scan *s = &r->scan;
	const char *from;

	if (series(r, item, e) == -1)
		return -1;
	(void)scan_blanks(s);
	from = s->p;
	if (s->p >= s->end || *s->p != '{')
		return scan_fail(s, NULL, e, "expected '{' of a histogram");
	while (s->p < s->end && *s->p != '}')
		s->p++;
	if (s->p >= s->end)
		return scan_fail(s, from, e, "histogram without '}'");
	s->p++;
	item->text = str_from(from, s->p);
	if (hist_body(r, &item->text, e) == -1 || time_opt(r, item, e) == -1 ||
	    expo_end_of_line(r, e) == -1)
		return -1;
	return 1;
}

static int
exemplar(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	if (series(r, item, e) == -1 || set(r, &item->extra, e) == -1)
		return -1;
	(void)scan_blanks(&r->scan);
	if (expo_value(r, &item->v, e) == -1 || time_opt(r, item, e) == -1 ||
	    expo_end_of_line(r, e) == -1)
		return -1;
	return 1;
}

static int
start(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	int64_t t = item->t;

	if (series(r, item, e) == -1 || time_must(r, item, e) == -1)
		return -1;
	item->start = item->t;
	item->t = t;
	item->has_t = false;
	if (time_opt(r, item, e) == -1 || expo_end_of_line(r, e) == -1)
		return -1;
	return 1;
}

static int
alert(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	if (set(r, &item->labels, e) == -1 || set(r, &item->extra, e) == -1 ||
	    time_must(r, item, e) == -1 || keys(r, item, e) == -1)
		return -1;
	return 1;
}

static int
string(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	(void)scan_blanks(&r->scan);
	if (scan_quoted(&r->scan, &item->text, e) == -1 ||
	    time_opt(r, item, e) == -1 || expo_end_of_line(r, e) == -1)
		return -1;
	return 1;
}

static const struct {
	str word;
	enum expo_kind kind;
	bool page; /* believed on a page, too */
	int (*read)(struct expo_reader *, struct expo_item *, struct error *);
} comments[] = {
	{ STR_INIT("HELP"), EXPO_HELP, true, help },
	{ STR_INIT("TYPE"), EXPO_TYPE, true, type },
	{ STR_INIT("UNIT"), EXPO_UNIT, true, unit },
	{ STR_INIT("KIND"), EXPO_KIND, false, kind },
	{ STR_INIT("BATCH"), EXPO_BATCH, false, batch },
	{ STR_INIT("EOF"), EXPO_EOF, false, eof },
	{ STR_INIT("STALE"), EXPO_STALE, false, stale },
	{ STR_INIT("HIST"), EXPO_HIST, false, hist },
	{ STR_INIT("EXEMPLAR"), EXPO_EXEMPLAR, false, exemplar },
	{ STR_INIT("START"), EXPO_START, false, start },
	{ STR_INIT("ALERT"), EXPO_ALERT, false, alert },
	{ STR_INIT("STRING"), EXPO_STRING, false, string },
};

/* A comment that none of these words begins is nobody's business. */
static int
comment(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	struct scan *s = &r->scan;
	str first;

	s->p++;
	if (!scan_blanks(s))
		return 0;
	first = scan_word(s);
	for (size_t i = 0; i < sizeof(comments) / sizeof(*comments); i++) {
		if (!str_eq(first, comments[i].word))
			continue;
		if (r->form == EXPO_PAGE && !comments[i].page)
			return 0;
		if (s->p >= s->end && comments[i].kind != EXPO_EOF &&
		    r->form == EXPO_PAGE)
			return 0;
		if (comments[i].kind == EXPO_UNIT)
			s->more = NULL;
		item->kind = comments[i].kind;
		return comments[i].read(r, item, e);
	}
	return 0;
}

int
expo_text_line(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	struct scan *s = &r->scan;

	(void)scan_blanks(s);
	if (s->p >= s->end)
		return 0;
	return *s->p == '#' ? comment(r, item, e) : sample(r, item, e);
}
