/*
 * The rules stand in a table, each a function over one family; what they need
 * to know of its samples is taken down as they come.
 */
#include "metric/lint.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"

enum type { COUNTER, GAUGE, SUMMARY, UNTYPED, HISTOGRAM };

struct family {
	str name;
	enum type type;
	bool typed, help;
	size_t series;
	/* in how many metrics: a histogram or summary is one, all in all */
	size_t le, quantile, camel;
	struct map seen; /* the label sets of those two */
};

struct lint {
	struct arena a;
	struct map by_name;
	struct family **v;
	size_t n, cap;
	struct buf key;
	struct lint_problem *problems;
	size_t nproblems, problems_cap;
	struct lint_family *families;
};

struct lint *
lint_new(void)
{
	return mem_zero(1, sizeof(struct lint));
}

void
lint_free(struct lint *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->n; i++)
		map_fini(&l->v[i]->seen);
	map_fini(&l->by_name);
	arena_fini(&l->a);
	buf_fini(&l->key);
	free(l->v);
	free(l->problems);
	free(l->families);
	free(l);
}

static struct family *
find(struct lint *l, str name)
{
	struct map_slot *slot = map_find(&l->by_name, name);

	return slot == NULL ? NULL : slot->v.p;
}

static struct family *
find_or_make(struct lint *l, str name)
{
	struct family *f = find(l, name);

	if (f != NULL)
		return f;
	f = arena_new(&l->a, struct family);
	f->name = arena_dup(&l->a, name);
	f->type = UNTYPED;
	map_add(&l->by_name, f->name, NULL)->v.p = f;
	l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(struct family *));
	l->v[l->n++] = f;
	return f;
}

/* The family that a sample, or metadata, of this name belongs to. */
static struct family *
family_of(struct lint *l, str name)
{
	static const struct {
		str suffix;
		bool summary;
	} parts[] = {
		{ STR_INIT("_count"), true },
		{ STR_INIT("_sum"), true },
		{ STR_INIT("_bucket"), false },
	};
	struct family *f = find(l, name);

	if (f != NULL)
		return f;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (!str_ends(name, parts[i].suffix))
			continue;
		f = find(l, str_take(name, name.n - parts[i].suffix.n));
		if (f != NULL &&
		    (f->type == HISTOGRAM ||
			(f->type == SUMMARY && parts[i].summary)))
			return f;
	}
	return find_or_make(l, name);
}

static bool
is_camel(str s)
{
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i - 1] >= 'a' && s.p[i - 1] <= 'z' && s.p[i] >= 'A' &&
		    s.p[i] <= 'Z')
			return true;
	return false;
}

/* The label that tells the series of a summary or histogram apart. */
static str
own_label(const struct family *f)
{
	return f->type == HISTOGRAM ? STR("le")
	    : f->type == SUMMARY    ? STR("quantile")
				    : STR_NONE;
}

/* Is it the first series with these labels, its own and the name aside? */
static bool
is_first(struct lint *l, struct family *f, struct labels ls)
{
	bool fresh;
	struct map_slot *slot;

	buf_reset(&l->key);
	for (size_t i = 0; i < ls.n; i++) {
		if (str_eq(ls.v[i].name, LABEL_NAME) ||
		    str_eq(ls.v[i].name, own_label(f)))
			continue;
		buf_add(&l->key, ls.v[i].name);
		buf_byte(&l->key, '\0');
		buf_add(&l->key, ls.v[i].value);
		buf_byte(&l->key, '\0');
	}
	slot = map_add(&f->seen, buf_str(&l->key), &fresh);
	if (fresh)
		slot->key = arena_dup(&l->a, buf_str(&l->key));
	return fresh;
}

static int
sample(struct lint *l, struct labels ls, struct error *e)
{
	struct family *f = family_of(l, label_find(ls, LABEL_NAME));
	str own = label_find(ls, own_label(f));
	double v;

	if (own.n > 0 && num_parse(own, &v) == -1)
		return error_set(e, "label %.*s is no number: \"%.*s\"",
		    STR_ARG(own_label(f)), STR_ARG(str_take(own, 64)));
	f->typed = true;
	f->series++;
	if (own_label(f).n > 0 && !is_first(l, f, ls))
		return 0;
	for (size_t i = 0; i < ls.n; i++) {
		str name = ls.v[i].name;

		if (str_eq(name, LABEL_NAME) || str_eq(name, own_label(f)))
			continue;
		f->le += str_eq(name, STR("le"));
		f->quantile += str_eq(name, STR("quantile"));
		f->camel += is_camel(name);
	}
	return 0;
}

int
lint_item(struct lint *l, const struct expo_item *it, struct error *e)
{
	static const char *const types[] = { [COUNTER] = "counter",
		[GAUGE] = "gauge",
		[SUMMARY] = "summary",
		[UNTYPED] = "untyped",
		[HISTOGRAM] = "histogram" };
	struct family *f;

	if (it->kind == EXPO_SAMPLE)
		return sample(l, it->labels, e);
	if (it->kind != EXPO_HELP && it->kind != EXPO_TYPE)
		return 0;
	f = family_of(l, it->name);
	if (it->kind == EXPO_HELP) {
		if (str_trim(it->text).n == 0)
			return 0;
		if (f->help)
			return error_set(
			    e, "second HELP line of %.*s", STR_ARG(f->name));
		f->help = true;
		return 0;
	}
	if (f->typed)
		return error_set(e,
		    "second TYPE line of %.*s, or one behind its samples",
		    STR_ARG(f->name));
	f->typed = true;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (str_eq(it->text, str_of(types[i])))
			f->type = (enum type)i;
	return 0;
}

static void
problem(struct lint *l, const struct family *f, const char *text)
{
	l->problems = mem_grow(l->problems, &l->problems_cap, l->nproblems + 1,
	    sizeof(*l->problems));
	l->problems[l->nproblems++] =
	    (struct lint_problem){ f->name, str_of(text) };
}

static void
help(struct lint *l, const struct family *f)
{
	if (!f->help)
		problem(l, f, "no help text");
}

static const char *const prefixes[] = { "pico", "nano", "micro", "milli",
	"centi", "deci", "deca", "hecto", "kilo", "kibi", "mega", "mibi",
	"giga", "gibi", "tera", "tebi", "peta", "pebi" };

static const struct {
	const char *name, *base;
} units[] = {
	{ "amperes", "amperes" },
	{ "bytes", "bytes" },
	{ "celsius", "celsius" },
	{ "grams", "grams" },
	{ "joules", "joules" },
	{ "kelvin", "kelvin" },
	{ "meters", "meters" },
	{ "metres", "metres" },
	{ "seconds", "seconds" },
	{ "volts", "volts" },
	{ "minutes", "seconds" },
	{ "hours", "seconds" },
	{ "days", "seconds" },
	{ "weeks", "seconds" },
	{ "kelvins", "kelvin" },
	{ "fahrenheit", "celsius" },
	{ "rankine", "celsius" },
	{ "inches", "meters" },
	{ "yards", "meters" },
	{ "miles", "meters" },
	{ "bits", "bytes" },
	{ "calories", "joules" },
	{ "pounds", "grams" },
	{ "ounces", "grams" },
};

/* The base unit of a word that is a unit, or NULL. */
static const char *
base_unit(str word)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		str unit = str_of(units[i].name);
		str prefix = str_take(word, word.n - unit.n);

		if (!str_ends(word, unit))
			continue;
		if (prefix.n == 0)
			return units[i].base;
		for (size_t k = 0; k < sizeof(prefixes) / sizeof(*prefixes);
		     k++)
			if (str_eq(prefix, str_of(prefixes[k])))
				return units[i].base;
	}
	return NULL;
}

/* The first word of the name that is a unit should be a base unit. */
static void
unit(struct lint *l, const struct family *f)
{
	str rest = f->name;

	while (rest.p != NULL) {
		str word = str_cut(&rest, '_');
		const char *base = base_unit(word);

		if (base == NULL)
			continue;
		if (!str_eq(word, str_of(base)))
			problem(l, f,
			    arena_printf(&l->a,
				"use base unit \"%s\" instead of \"%.*s\"",
				base, STR_ARG(word))
				.p);
		return;
	}
}

static void
counter(struct lint *l, const struct family *f)
{
	bool total = str_ends(f->name, STR("_total"));

	if (f->type == COUNTER && !total)
		problem(l, f, "counter metrics should have \"_total\" suffix");
	else if (f->type != COUNTER && f->type != UNTYPED && total)
		problem(l, f,
		    "non-counter metrics should not have \"_total\" suffix");
}

static void
reserved(struct lint *l, const struct family *f)
{
	bool histogram = f->type == HISTOGRAM, summary = f->type == SUMMARY;

	if (f->type == UNTYPED)
		return;
	if (!histogram && str_ends(f->name, STR("_bucket")))
		problem(l, f,
		    "non-histogram metrics should not have \"_bucket\" suffix");
	if (!histogram && !summary && str_ends(f->name, STR("_count")))
		problem(l, f,
		    "non-histogram and non-summary metrics should not have "
		    "\"_count\" suffix");
	if (!histogram && !summary && str_ends(f->name, STR("_sum")))
		problem(l, f,
		    "non-histogram and non-summary metrics should not have "
		    "\"_sum\" suffix");
	for (size_t i = 0; i < f->le; i++)
		problem(
		    l, f, "non-histogram metrics should not have \"le\" label");
	for (size_t i = 0; i < f->quantile; i++)
		problem(l, f,
		    "non-summary metrics should not have \"quantile\" label");
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Is word one of those that '_' sets apart in name, but the first? */
static bool
has_word(str name, const char *word)
{
	size_t n = strlen(word), k;

	for (size_t i = 0; i + n < name.n; i++) {
		if (name.p[i] != '_' ||
		    (i + 1 + n < name.n && name.p[i + 1 + n] != '_'))
			continue;
		for (k = 0; k < n && lower(name.p[i + 1 + k]) == word[k]; k++)
			;
		if (k == n)
			return true;
	}
	return false;
}

static void
type_in_name(struct lint *l, const struct family *f)
{
	static const char *const words[] = { "counter", "gauge", "summary",
		"histogram", "gauge_histogram" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (has_word(f->name, words[i]))
			problem(l, f,
			    arena_printf(&l->a,
				"metric name should not include type '%s'",
				words[i])
				.p);
}

static void
colons(struct lint *l, const struct family *f)
{
	if (str_chr(f->name, ':') < f->name.n)
		problem(l, f, "metric names should not contain ':'");
}

static void
camel(struct lint *l, const struct family *f)
{
	if (is_camel(f->name))
		problem(l, f,
		    "metric names should be written in 'snake_case' not "
		    "'camelCase'");
	for (size_t i = 0; i < f->camel; i++)
		problem(l, f,
		    "label names should be written in 'snake_case' not "
		    "'camelCase'");
}

static void
abbreviations(struct lint *l, const struct family *f)
{
	static const char *const words[] = { "s", "ms", "us", "ns", "sec", "b",
		"kb", "mb", "gb", "tb", "pb", "m", "h", "d" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (has_word(f->name, words[i]))
			problem(l, f,
			    "metric names should not contain abbreviated "
			    "units");
}

static void (*const rules[])(struct lint *, const struct family *) = {
	help,
	unit,
	counter,
	reserved,
	type_in_name,
	colons,
	camel,
	abbreviations,
};

static int
by_metric(const void *a, const void *b)
{
	const struct lint_problem *x = a, *y = b;
	int c = str_cmp(x->metric, y->metric);

	return c != 0 ? c : str_cmp(x->text, y->text);
}

const struct lint_problem *
lint_problems(struct lint *l, size_t *n)
{
	l->nproblems = 0;
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < sizeof(rules) / sizeof(*rules); k++)
			if (l->v[i]->series > 0)
				rules[k](l, l->v[i]);
	if (l->nproblems > 0)
		qsort(
		    l->problems, l->nproblems, sizeof(*l->problems), by_metric);
	*n = l->nproblems;
	return l->problems;
}

static int
by_series(const void *a, const void *b)
{
	const struct lint_family *x = a, *y = b;

	if (x->series != y->series)
		return x->series < y->series ? 1 : -1;
	return str_cmp(x->name, y->name);
}

const struct lint_family *
lint_families(struct lint *l, size_t *n)
{
	size_t k = 0;

	free(l->families);
	l->families = mem_zero(l->n + 1, sizeof(*l->families));
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i]->series > 0)
			l->families[k++] = (struct lint_family){ l->v[i]->name,
				l->v[i]->series };
	qsort(l->families, k, sizeof(*l->families), by_series);
	*n = k;
	return l->families;
}
