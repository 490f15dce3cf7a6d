/*
 * OpenMetrics 1.0, strict: one blank between tokens, no empty lines, only the
 * comments of the format, "# EOF" at the end.  Metadata waits until its family
 * is known whole, because the name it goes by in text follows from TYPE
 * (counter foo -> foo_total; DESIGN 2, "Metadata"); so one line may give many
 * items, which stand in a queue.
 */
#include "metric/expo_reader.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"

/* How text calls an OpenMetrics type: the suffixes and the type of each. */
static const struct om_type {
	str name;
	str text;       /* the type text has */
	str suffix[3];  /* families it becomes; none: its own name */
	bool kind;      /* KIND says what text cannot */
	bool kind_base; /* of the name without a suffix */
	unsigned char le;
} types[] = {
	{ .name = STR_INIT("counter"),
	    .text = STR_INIT("counter"),
	    .suffix = { STR_INIT("_total") },
	    .le = EXPO_T_OTHER },
	{ .name = STR_INIT("gauge"),
	    .text = STR_INIT("gauge"),
	    .le = EXPO_T_OTHER },
	{ .name = STR_INIT("histogram"),
	    .text = STR_INIT("histogram"),
	    .le = EXPO_T_HISTOGRAM },
	{ .name = STR_INIT("summary"),
	    .text = STR_INIT("summary"),
	    .le = EXPO_T_SUMMARY },
	{ .name = STR_INIT("info"),
	    .text = STR_INIT("gauge"),
	    .suffix = { STR_INIT("_info") },
	    .kind = true,
	    .le = EXPO_T_OTHER },
	{ .name = STR_INIT("stateset"),
	    .text = STR_INIT("gauge"),
	    .kind = true,
	    .le = EXPO_T_OTHER },
	{ .name = STR_INIT("unknown"),
	    .text = STR_INIT("untyped"),
	    .kind = true,
	    .le = EXPO_T_OTHER },
	{ .name = STR_INIT("gaugehistogram"),
	    .text = STR_INIT("gauge"),
	    .suffix = { STR_INIT("_bucket"), STR_INIT("_gcount"),
		STR_INIT("_gsum") },
	    .kind = true,
	    .kind_base = true,
	    .le = EXPO_T_OTHER },
};

struct expo_om {
	struct arena a; /* of the family */
	str name, help, unit;
	const struct om_type *type;
	bool has_help, has_unit, has_type;
	bool waits;   /* there is metadata that has not come out */
	bool created; /* the TYPE of its _created has */
	bool ended;
	struct expo_item queue[16]; /* 10 of a gaugehistogram, 3 of a sample */
	size_t n, at;
};

struct expo_om *
expo_om_new(void)
{
	return mem_zero(1, sizeof(struct expo_om));
}

void
expo_om_free(struct expo_om *om)
{
	if (om == NULL)
		return;
	arena_fini(&om->a);
	free(om);
}

void
expo_om_reset(struct expo_om *om)
{
	arena_fini(&om->a);
	*om = (struct expo_om){ 0 };
}

bool
expo_om_pop(struct expo_om *om, struct expo_item *item)
{
	if (om->at == om->n)
		return false;
	*item = om->queue[om->at++];
	if (om->at == om->n)
		om->at = om->n = 0;
	return true;
}

bool
expo_om_ended(const struct expo_om *om)
{
	return om->ended;
}

bool
expo_om_quiet(const struct expo_om *om)
{
	return !om->waits && !om->ended;
}

static void
push(struct expo_om *om, struct expo_item item)
{
	if (om->n < sizeof(om->queue) / sizeof(*om->queue))
		om->queue[om->n++] = item;
}

/* The family's name with a suffix that it does not have yet. */
static str
suffixed(struct expo_reader *r, str suffix)
{
	struct expo_om *om = r->om;
	size_t n = om->name.n;
	char *c;

	if (suffix.n == 0 || str_ends(om->name, suffix))
		return arena_dup(expo_arena(r), om->name);
	/* not by printf: a name may have a NUL in it */
	c = arena_alloc(expo_arena(r), n + suffix.n);
	memcpy(c, om->name.p, n);
	memcpy(c + n, suffix.p, suffix.n);
	return (str){ c, n + suffix.n };
}

/* The metadata of one family of text. */
static void
describe(struct expo_reader *r, str name)
{
	struct expo_om *om = r->om;
	struct expo_item i = { .line = r->line, .name = name, .t = r->t };

	if (om->has_help) {
		i.kind = EXPO_HELP;
		i.text = arena_dup(expo_arena(r), om->help);
		push(om, i);
	}
	if (om->has_type && om->type != NULL) {
		i.kind = EXPO_TYPE;
		i.text = om->type->text;
		push(om, i);
	}
	if (om->has_unit && om->unit.n > 0) {
		i.kind = EXPO_UNIT;
		i.text = arena_dup(expo_arena(r), om->unit);
		push(om, i);
	}
}

/* All that is known of the family comes out. */
static void
flush(struct expo_reader *r)
{
	struct expo_om *om = r->om;
	struct expo_item i = { .kind = EXPO_KIND, .line = r->line, .t = r->t };
	size_t n = 0;
	str name;

	if (!om->waits)
		return;
	om->waits = false;
	do {
		name = suffixed(
		    r, om->type == NULL ? STR_NONE : om->type->suffix[n]);
		describe(r, name);
	} while (om->type != NULL && ++n < 3 && om->type->suffix[n].n > 0);
	if (om->has_type && om->type != NULL && om->type->kind) {
		i.name = om->type->kind_base ? suffixed(r, STR_NONE) : name;
		i.text = om->type->name;
		push(om, i);
	}
	om->has_help = om->has_unit = om->has_type = false;
}

/* Metadata of name comes: the family before it is done. */
static void
family(struct expo_reader *r, str name)
{
	struct expo_om *om = r->om;

	if (str_eq(om->name, name)) {
		om->waits = true;
		return;
	}
	flush(r);
	arena_reset(&om->a);
	om->name = arena_dup(&om->a, name);
	om->type = NULL;
	om->has_help = om->has_unit = om->has_type = om->created = false;
	om->waits = true;
}

static int
one_blank(struct expo_reader *r, const char *behind, struct error *e)
{
	struct scan *s = &r->scan;

	if (s->p >= s->end || *s->p != ' ')
		return scan_fail(
		    s, NULL, e, "expected one blank after %s", behind);
	s->p++;
	return 0;
}

static int
type(struct expo_reader *r, str name, str text, struct error *e)
{
	struct expo_om *om = r->om;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (!str_eq(text, types[i].name))
			continue;
		family(r, name);
		om->type = &types[i];
		om->has_type = true;
		r->type = types[i].le;
		return 0;
	}
	return scan_fail(&r->scan, text.p, e, "bad type '%.*s'",
	    (int)(text.n > 64 ? 64 : text.n), text.p);
}

static int
unit(struct expo_reader *r, str name, str text, struct error *e)
{
	struct expo_om *om = r->om;

	if (!str_utf8(text))
		return scan_fail(&r->scan, text.p, e, "invalid UTF-8");
	if (text.n > 0 &&
	    (name.n < text.n + 1 || !str_ends(name, text) ||
		name.p[name.n - text.n - 1] != '_'))
		return scan_fail(&r->scan, text.p, e,
		    "unit '%.*s' is not a suffix of the metric's name",
		    (int)(text.n > 64 ? 64 : text.n), text.p);
	family(r, name);
	om->unit = arena_dup(&om->a, text);
	om->has_unit = true;
	return 0;
}

/* "# " and what is behind it. */
static int
comment(struct expo_reader *r, struct error *e)
{
	struct scan *s = &r->scan;
	struct expo_om *om = r->om;
	const char *from;
	str word, name, text;

	s->p++;
	if (one_blank(r, "'#'", e) == -1)
		return -1;
	from = s->p;
	word = scan_word(s);
	if (str_eq(word, STR("EOF")) && s->p == s->end) {
		flush(r);
		om->ended = true;
		return 0;
	}
	if (!str_eq(word, STR("HELP")) && !str_eq(word, STR("TYPE")) &&
	    !str_eq(word, STR("UNIT")))
		return scan_fail(
		    s, from, e, "expected HELP, TYPE, UNIT or EOF");
	if (one_blank(r, "the keyword", e) == -1 ||
	    scan_name(s, &name, e) == -1 || one_blank(r, "the name", e) == -1)
		return -1;
	text = str_from(s->p, s->end);
	if (word.p[0] == 'T')
		return type(r, name, text, e);
	if (word.p[0] == 'U')
		return unit(r, name, text, e);
	if (expo_help_text(r, &text, e) == -1)
		return -1;
	family(r, name);
	om->help = arena_dup(&om->a, text);
	om->has_help = true;
	return 0;
}

/* Seconds, as a float, to ms (cut, as Prometheus does). */
static int
seconds(struct expo_reader *r, int64_t *t, struct error *e)
{
	const char *from = r->scan.p;
	double v;

	if (expo_value(r, &v, e) == -1)
		return -1;
	if (!(fabs(v) < 9.2e15))
		return scan_fail(&r->scan, from, e, "timestamp out of range");
	*t = (int64_t)(v * 1000);
	return 0;
}

static int
exemplar(struct expo_reader *r, const struct expo_item *sample, struct error *e)
{
	struct scan *s = &r->scan;
	struct expo_item x = *sample;
	const char *from;

	x.kind = EXPO_EXEMPLAR;
	x.has_t = false;
	x.mark = NULL;
	s->p++;
	if (one_blank(r, "'#'", e) == -1)
		return -1;
	from = s->p;
	if (scan_set(s, e) == -1)
		return -1;
	if (s->named)
		return scan_fail(s, from, e, "metric name in an exemplar");
	/* in a sample's label it may be, so says upstream's lexer */
	for (size_t i = 0; i < s->n; i++)
		if (str_chr(s->v[i].value, '\0') < s->v[i].value.n)
			return scan_fail(s, from, e, "NUL in an exemplar");
	x.extra = expo_labels(r);
	if (one_blank(r, "the labels", e) == -1 || expo_value(r, &x.v, e) == -1)
		return -1;
	if (s->p < s->end) {
		if (one_blank(r, "the value", e) == -1 ||
		    seconds(r, &x.t, e) == -1)
			return -1;
		x.has_t = true;
	}
	if (expo_end_of_line(r, e) == -1)
		return -1;
	push(r->om, x);
	return 0;
}

int
expo_om_rest(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	struct scan *s = &r->scan;
	struct expo_om *om = r->om;
	size_t n = om->n;

	if (one_blank(r, "the series", e) == -1 ||
	    expo_value(r, &item->v, e) == -1)
		return -1;
	if (s->p < s->end && one_blank(r, "the value", e) == -1)
		return -1;
	if (s->p < s->end && *s->p != '#') {
		if (seconds(r, &item->t, e) == -1)
			return -1;
		item->has_t = true;
		if (s->p < s->end && one_blank(r, "the time", e) == -1)
			return -1;
		if (s->p < s->end && *s->p != '#')
			return expo_end_of_line(r, e);
	}
	if (s->p == s->end && s->end[-1] == ' ')
		return scan_fail(s, s->end - 1, e, "blank at the line's end");
	push(om, *item);
	if (s->p < s->end && exemplar(r, item, e) == -1) {
		om->n = n;
		return -1;
	}
	return 0;
}

/*
 * foo_created of family foo is a gauge by itself in text; its TYPE comes with
 * the first one.  Such series are never remembered, or that would be passed
 * over.
 */
static bool
created(struct expo_reader *r, str name)
{
	struct expo_om *om = r->om;
	str suffix = STR("_created");

	if (!str_ends(name, suffix))
		return false;
	if (om->type == NULL || om->created || om->name.n == 0 ||
	    name.n != om->name.n + suffix.n || !str_starts(name, om->name))
		return true;
	om->created = true;
	push(om,
	    (struct expo_item){ .kind = EXPO_TYPE,
		.line = r->line,
		.t = r->t,
		.name = arena_dup(expo_arena(r), name),
		.text = STR("gauge") });
	return true;
}

static int
sample(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	struct scan *s = &r->scan;
	const char *from = s->p;
	str name;

	if (scan_series(s, e) == -1)
		return -1;
	if (!s->named)
		return scan_fail(s, from, e, "metric name not set");
	flush(r);
	item->series = str_from(from, s->p);
	expo_normalise(r);
	name = label_find((struct labels){ s->v, s->n }, LABEL_NAME);
	item->kind = EXPO_SAMPLE;
	if (created(r, name))
		item->labels = expo_labels(r);
	else
		expo_learn(r, item);
	return expo_om_rest(r, item, e);
}

int
expo_om_line(struct expo_reader *r, struct expo_item *item, struct error *e)
{
	struct scan *s = &r->scan;
	int k;

	if (r->om->ended)
		return scan_fail(s, NULL, e, "unexpected data after # EOF");
	if (s->p >= s->end)
		return scan_fail(s, NULL, e, "empty line");
	k = *s->p == '#' ? comment(r, e) : sample(r, item, e);
	if (k == -1)
		return -1;
	return expo_om_pop(r->om, item);
}
