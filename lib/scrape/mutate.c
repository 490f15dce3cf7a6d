/*
 * From the labels on a page to those of a series: the target's are put on, with
 * or without honor, metric_relabel_configs make of it what they will, and the
 * result is held against the limits.  It is done once for each series, not for
 * each sample.
 */
#include "scrape/mutate.h"

#define EXPORTED "exported_"

/* The end of a quoted string that begins at i, behind its quote. */
static size_t
skip_quoted(str s, size_t i)
{
	for (i++; i < s.n && s.p[i] != '"'; i++)
		i += s.p[i] == '\\';
	return i + 1;
}

static bool
in_name(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') || c == '_';
}

/*
 * Has the line this label with an empty value?  Sets do not hold it, but it
 * says that the series is to be without: a Pushgateway writes instance="".
 */
static bool
emptied(str line, str name)
{
	size_t i = str_chr(line, '{'), from = 0, to = 0;

	while (i < line.n && line.p[i] != '}') {
		size_t at = i;

		if (line.p[i] == '"') {
			i = skip_quoted(line, i);
			from = at + 1;
			to = i - 1;
		} else if (in_name(line.p[i])) {
			while (i < line.n && in_name(line.p[i]))
				i++;
			from = at;
			to = i;
		} else if (line.p[i++] == '=') {
			while (i < line.n && line.p[i] != '"')
				i++;
			at = i;
			i = skip_quoted(line, i);
			if (i == at + 2 && i <= line.n &&
			    str_eq(str_from(line.p + from, line.p + to), name))
				return true;
		}
	}
	return false;
}

/*
 * A scraped label that a target label takes the place of is kept under
 * another name: exported_ before it, as often as it takes.
 */
static void
move_label(struct label_set *set, struct arena *a, str name, str value)
{
	do
		name = arena_printf(a, EXPORTED "%.*s", STR_ARG(name));
	while (label_get(set, name).n > 0);
	label_set(set, name, value);
}

/* The target's labels take the place of the page's, shortest names first. */
static void
target_wins(struct label_set *set, struct labels own, struct labels target,
    struct arena *a)
{
	size_t n = 0;

	for (size_t i = 0; i < target.n; i++) {
		n += label_find(own, target.v[i].name).n > 0;
		label_set(set, target.v[i].name, target.v[i].value);
	}
	for (size_t len = 1; n > 0; len++)
		for (size_t i = 0; i < target.n; i++) {
			str name = target.v[i].name;
			str value = label_find(own, name);

			if (name.n != len || value.n == 0)
				continue;
			move_label(set, a, name, value);
			n--;
		}
}

static void
page_wins(
    struct label_set *set, const struct expo_item *it, struct labels target)
{
	for (size_t i = 0; i < target.n; i++) {
		str name = target.v[i].name;

		if (label_find(it->labels, name).n == 0 &&
		    !emptied(it->series, name))
			label_set(set, name, target.v[i].value);
	}
}

static bool
legacy(struct labels ls)
{
	for (size_t i = 0; i < ls.n; i++)
		if (str_eq(ls.v[i].name, LABEL_NAME)
			? !label_metric_valid(ls.v[i].value)
			: !label_name_valid(ls.v[i].name))
			return false;
	return true;
}

static int
check_lengths(const struct scrape_job *j, str metric, const struct label *l,
    struct error *e)
{
	str name = str_take(l->name, 50);

	if (j->label_name_limit > 0 && l->name.n > (size_t)j->label_name_limit)
		return error_set(e,
		    "label_name_length_limit exceeded (metric: %.*s, label "
		    "name: %.*s, length: %zu, limit: %lld)",
		    STR_ARG(metric), STR_ARG(name), l->name.n,
		    (long long)j->label_name_limit);
	if (j->label_value_limit > 0 &&
	    l->value.n > (size_t)j->label_value_limit)
		return error_set(e,
		    "label_value_length_limit exceeded (metric: %.*s, label "
		    "name: %.*s, value: \"%.*s\", length: %zu, limit: %lld)",
		    STR_ARG(metric), STR_ARG(name),
		    STR_ARG(str_take(l->value, 50)), l->value.n,
		    (long long)j->label_value_limit);
	return 0;
}

static int
check(const struct scrape_job *j, struct labels ls, struct error *e)
{
	str metric = str_take(label_find(ls, LABEL_NAME), 50);

	if (metric.n == 0)
		return error_set(e, "missing metric name (__name__ label)");
	if (j->legacy_names && !legacy(ls))
		return error_set(e, "invalid metric name or label names: %.*s",
		    STR_ARG(metric));
	if (j->label_limit > 0 && ls.n > (size_t)j->label_limit)
		return error_set(e,
		    "label_limit exceeded (metric: %.*s, number of labels: "
		    "%zu, limit: %lld)",
		    STR_ARG(metric), ls.n, (long long)j->label_limit);
	if (j->label_name_limit == 0 && j->label_value_limit == 0)
		return 0;
	for (size_t i = 0; i < ls.n; i++)
		if (check_lengths(j, metric, &ls.v[i], e) == -1)
			return -1;
	return 0;
}

int
mutate_sample(const struct scrape_target *t, const struct expo_item *it,
    struct label_set *set, struct arena *a, struct error *e)
{
	const struct scrape_job *j = t->job;

	label_init(set, it->labels);
	if (j->honor_labels)
		page_wins(set, it, t->labels);
	else
		target_wins(set, it->labels, t->labels, a);
	if (j->metric_relabel.n > 0 &&
	    (!relabel_apply(&j->metric_relabel, set, a) || set->n == 0))
		return 0;
	return check(j, label_view(set), e) == -1 ? -1 : 1;
}
