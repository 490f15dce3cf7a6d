/*
 * Aggregations.  Those that can add rows up do so as the rows come, into one
 * dense column a group, so memory is groups times steps whatever the number of
 * series.  Those that choose among series (topk, quantile, ...) keep the rows
 * of their argument and decide step by step.
 */
#include "promql/eval.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/quote.h"

struct group {
	struct labels ls;
	bool drop;
	double *v;    /* the sum, minimum, ...; the staleness marker: none */
	double *c;    /* the compensation of the sum */
	double *mean; /* stddev: the mean; avg: the incremental mean */
	double *count;
	struct tally *tally; /* of histograms, if there are any */
	const struct histogram **h;
	size_t *rows, n, cap; /* of what is kept, for topk and the like */
};

struct aggregation {
	struct eval *ev;
	const struct node *n;
	size_t steps;
	struct map index;
	struct group *groups;
	size_t ngroups, cap;
	struct rows kept;
	struct buf key;
	struct label *room;
	size_t roomcap;
	double *param;
	str label;    /* count_values */
	bool ignored; /* said that histograms were */
};

void
promql_sum(double v, double *sum, double *c)
{
	double t = *sum + v;

	if (isinf(t))
		*c = 0;
	else if (fabs(*sum) >= fabs(v))
		*c += (*sum - t) + v;
	else
		*c += (v - t) + *sum;
	*sum = t;
}

/* NaN before all numbers. */
static int
number_cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	if (isnan(x) || isnan(y))
		return isnan(y) - isnan(x);
	return (x > y) - (x < y);
}

double
promql_quantile(double q, double *v, size_t n)
{
	if (n > 1 && q >= 0 && q <= 1)
		qsort(v, n, sizeof(*v), number_cmp);
	return promql_quantile_sorted(q, v, n);
}

double
promql_quantile_sorted(double q, const double *v, size_t n)
{
	double rank, low, weight;
	size_t i, k;

	if (n == 0 || isnan(q))
		return num_nan();
	if (q < 0)
		return -INFINITY;
	if (q > 1)
		return INFINITY;
	rank = q * ((double)n - 1);
	low = floor(rank);
	i = (size_t)low;
	k = i + 1 < n ? i + 1 : n - 1;
	weight = rank - low;
	return v[i] * (1 - weight) + v[k] * weight;
}

/* Histograms go, with a note; what aggregates floats alone. */
static void
ignore_histograms(struct aggregation *ag, struct row *r)
{
	if (!promql_floats(r, ag->steps) || ag->ignored)
		return;
	ag->ignored = true;
	promql_note(ag->ev, NOTE_INFO, ag->n->sub,
	    "ignored histogram in %s aggregation", promql_word_text(ag->n->op));
}

/*
 * Groups.
 */

static bool
grouped_by(const struct node *n, str name)
{
	for (size_t i = 0; i < n->nby; i++)
		if (str_eq(n->by[i], name))
			return true;
	return false;
}

/* Does the group's label set have the label of this name? */
static bool
keeps(const struct node *n, str name)
{
	if (!n->without)
		return grouped_by(n, name);
	return !grouped_by(n, name) && !str_eq(name, LABEL_NAME) &&
	    !str_eq(name, STR("__type__")) && !str_eq(name, STR("__unit__"));
}

/* The labels of the group ls belongs to, in room. */
static struct labels
group_labels(struct aggregation *ag, struct labels ls)
{
	const struct node *n = ag->n;
	size_t k = 0;

	if (ls.n > ag->roomcap) {
		ag->roomcap = ls.n + 16;
		ag->room = arena_array(ag->ev->a, ag->roomcap, struct label);
	}
	for (size_t i = 0; i < ls.n && (n->without || n->nby > 0); i++)
		if (keeps(n, ls.v[i].name))
			ag->room[k++] = ls.v[i];
	return (struct labels){ ag->room, k };
}

/* The group with these labels, made if there is none yet. */
static struct group *
group_with(struct aggregation *ag, struct labels ls, bool *fresh)
{
	struct arena *a = ag->ev->a;
	struct map_slot *slot;
	struct group *g;

	buf_reset(&ag->key);
	label_key(&ag->key, ls);
	slot = map_add(&ag->index, buf_str(&ag->key), fresh);
	if (!*fresh)
		return &ag->groups[slot->v.i];
	slot->key = arena_dup(a, slot->key);
	slot->v.i = ag->ngroups;
	ag->groups = arena_grow(
	    a, ag->groups, &ag->cap, ag->ngroups + 1, sizeof(*ag->groups));
	g = &ag->groups[ag->ngroups++];
	memset(g, 0, sizeof(*g));
	g->ls = label_dup(a, ls);
	return g;
}

/*
 * Adding up.
 */

static void
group_columns(struct aggregation *ag, struct group *g)
{
	struct arena *a = ag->ev->a;
	enum word op = ag->n->op;

	g->v = promql_column(ag->ev, ag->steps);
	promql_clear(g->v, ag->steps);
	if (op == W_SUM || op == W_AVG)
		g->c = arena_array(a, ag->steps, double);
	if (op == W_AVG || op == W_STDDEV || op == W_STDVAR) {
		g->count = arena_array(a, ag->steps, double);
		g->mean = promql_column(ag->ev, ag->steps);
		promql_clear(g->mean, ag->steps);
	}
}

/*
 * avg sums as sum does until the sum would overflow, then goes on with a
 * running mean (g->mean present).
 */
static void
add_avg(struct group *g, size_t i, double v)
{
	double n = ++g->count[i], sum, c, q;

	if (absent(g->mean[i])) {
		if (n == 1) {
			g->v[i] = v;
			return;
		}
		sum = g->v[i];
		c = g->c[i];
		promql_sum(v, &sum, &c);
		if (!isinf(sum)) {
			g->v[i] = sum;
			g->c[i] = c;
			return;
		}
		g->mean[i] = g->v[i] / (n - 1);
		g->c[i] /= n - 1;
	}
	q = (n - 1) / n;
	sum = q * g->mean[i];
	c = q * g->c[i];
	promql_sum(v / n, &sum, &c);
	g->mean[i] = sum;
	g->c[i] = c;
}

static void
add_deviation(struct group *g, size_t i, double v)
{
	double n = ++g->count[i], delta;

	if (n == 1) {
		g->mean[i] = v;
		g->v[i] = isnan(v) || isinf(v) ? num_nan() : 0;
		return;
	}
	delta = v - g->mean[i];
	g->mean[i] += delta / n;
	g->v[i] += delta * (v - g->mean[i]);
}

static void
add(enum word op, struct group *g, size_t i, double v)
{
	bool first = absent(g->v[i]);

	if (op == W_SUM) {
		if (first)
			g->v[i] = v;
		else
			promql_sum(v, &g->v[i], &g->c[i]);
	} else if (op == W_AVG)
		add_avg(g, i, v);
	else if (op == W_MIN) {
		if (first || v < g->v[i] || isnan(g->v[i]))
			g->v[i] = v;
	} else if (op == W_MAX) {
		if (first || v > g->v[i] || isnan(g->v[i]))
			g->v[i] = v;
	} else if (op == W_COUNT)
		g->v[i] = first ? 1 : g->v[i] + 1;
	else if (op == W_GROUP)
		g->v[i] = 1;
	else
		add_deviation(g, i, v);
}

/* A row of floats into a group: what is common has a loop of its own. */
static void
add_floats(enum word op, struct group *g, const double *v, size_t n)
{
	double *sum = g->v, *c = g->c;

	for (size_t i = 0; i < n && op == W_SUM; i++) {
		if (absent(v[i]))
			continue;
		if (absent(sum[i]))
			sum[i] = v[i];
		else
			promql_sum(v[i], &sum[i], &c[i]);
	}
	for (size_t i = 0; i < n && op == W_COUNT; i++)
		if (!absent(v[i]))
			sum[i] = absent(sum[i]) ? 1 : sum[i] + 1;
	for (size_t i = 0; i < n && op != W_SUM && op != W_COUNT; i++)
		if (!absent(v[i]))
			add(op, g, i, v[i]);
}

static void
finish(enum word op, struct group *g, size_t i)
{
	if (absent(g->v[i]))
		return;
	if (op == W_SUM)
		g->v[i] += g->c[i];
	else if (op == W_AVG && !absent(g->mean[i]))
		g->v[i] = g->mean[i] + g->c[i];
	else if (op == W_AVG)
		g->v[i] = g->v[i] / g->count[i] + g->c[i] / g->count[i];
	else if (op == W_STDVAR)
		g->v[i] /= g->count[i];
	else if (op == W_STDDEV)
		g->v[i] = sqrt(g->v[i] / g->count[i]);
}

/* A mean or sum of exponential and custom buckets is none. */
#define INCOMPATIBLE NAN

/* As add(), of a row that has histograms. */
static void
add_mixed(struct aggregation *ag, struct group *g, const struct row *r)
{
	enum word op = ag->n->op;

	if (g->tally == NULL)
		g->tally = arena_array(ag->ev->a, ag->steps, struct tally);
	for (size_t i = 0; i < ag->steps; i++) {
		struct tally *t = &g->tally[i];

		if (absent(r->v[i]))
			continue;
		if (r->h[i] == NULL || op == W_COUNT || op == W_GROUP)
			add(op, g, i, r->v[i]);
		else if (!isnan(t->n) &&
		    promql_tally(t, r->h[i], op == W_AVG, ag->ev->a) == -1) {
			t->n = INCOMPATIBLE;
			promql_note_mix(
			    ag->ev, ag->n->sub, label_find(r->ls, LABEL_NAME));
		}
	}
}

/* The histograms of a group; where floats are among them, neither. */
static void
finish_mixed(struct aggregation *ag, struct group *g)
{
	for (size_t i = 0; i < ag->steps && g->tally != NULL; i++) {
		struct tally *t = &g->tally[i];

		if (t->n == 0)
			continue;
		promql_tally_notes(ag->ev, ag->n->sub, t);
		if (!absent(g->v[i])) {
			promql_note(ag->ev, NOTE_WARNING, ag->n->sub,
			    "encountered a mix of histograms and floats for "
			    "aggregation");
			g->v[i] = num_stale();
			continue;
		}
		if (isnan(t->n))
			continue;
		if (g->h == NULL)
			g->h = promql_histograms(ag->ev, ag->steps);
		g->h[i] = promql_tally_end(t, ag->n->op == W_AVG);
		g->v[i] = 0;
	}
}

static int
add_row(void *self, struct row *r)
{
	struct aggregation *ag = self;
	enum word op = ag->n->op;
	struct group *g;
	bool fresh;

	if (r->h != NULL && op != W_SUM && op != W_AVG && op != W_COUNT &&
	    op != W_GROUP)
		ignore_histograms(ag, r);
	g = group_with(ag, group_labels(ag, r->ls), &fresh);
	if (fresh)
		group_columns(ag, g);
	g->drop |= r->drop;
	if (r->h != NULL) {
		add_mixed(ag, g, r);
		return 0;
	}
	add_floats(op, g, r->v, ag->steps);
	return 0;
}

static int
emit_groups(struct aggregation *ag, const struct sink *out)
{
	for (size_t k = 0; k < ag->ngroups; k++) {
		struct group *g = &ag->groups[k];
		struct row r = { g->ls, g->drop, g->v, g->h };

		if (promql_emit(out, &r, ag->steps) == -1)
			return -1;
	}
	return 0;
}

static int
add_up(struct aggregation *ag, const struct grid *g, const struct sink *out)
{
	struct sink in = { add_row, ag };

	if (promql_vector(ag->ev, ag->n->sub, g, &in) == -1)
		return -1;
	for (size_t k = 0; k < ag->ngroups; k++) {
		for (size_t i = 0; i < ag->steps; i++)
			finish(ag->n->op, &ag->groups[k], i);
		finish_mixed(ag, &ag->groups[k]);
	}
	return emit_groups(ag, out);
}

/*
 * count_values: a group for each value, with the value as a label.
 */

static int
count_row(void *self, struct row *r)
{
	struct aggregation *ag = self;
	struct labels base = group_labels(ag, r->ls);
	struct buf text = { 0 };
	struct label_set set;
	struct group *g;
	bool fresh;

	label_init(&set, base);
	for (size_t i = 0; i < ag->steps; i++) {
		if (absent(r->v[i]))
			continue;
		buf_reset(&text);
		if (histogram_at(r, i) != NULL)
			promql_histogram_text(&text, r->h[i], ag->ev->a);
		else
			num_format(&text, r->v[i], 'f', -1);
		if (!ag->n->without || keeps(ag->n, ag->label))
			label_set(&set, ag->label, buf_str(&text));
		g = group_with(ag, label_view(&set), &fresh);
		if (fresh)
			group_columns(ag, g);
		g->drop |= r->drop;
		g->v[i] = absent(g->v[i]) ? 1 : g->v[i] + 1;
	}
	label_fini(&set);
	buf_fini(&text);
	return 0;
}

static int
count_values(
    struct aggregation *ag, const struct grid *g, const struct sink *out)
{
	struct sink in = { count_row, ag };

	ag->label = promql_inner(ag->n->arg[0])->text;
	if (ag->label.n == 0 || !str_utf8(ag->label)) {
		struct buf b = { 0 };
		int rc;

		quote_add(&b, ag->label);
		rc = promql_fail(ag->ev, "invalid label name %s", buf_cstr(&b));
		buf_fini(&b);
		return rc;
	}
	if (promql_vector(ag->ev, ag->n->sub, g, &in) == -1)
		return -1;
	return emit_groups(ag, out);
}

/*
 * Choosing.
 */

static int
keep_row(void *self, struct row *r)
{
	struct aggregation *ag = self;
	enum word op = ag->n->op;
	struct group *g;
	bool fresh;

	if (op != W_LIMITK && op != W_LIMIT_RATIO)
		ignore_histograms(ag, r);
	g = group_with(ag, group_labels(ag, r->ls), &fresh);
	g->drop |= r->drop;
	g->rows =
	    arena_grow(ag->ev->a, g->rows, &g->cap, g->n + 1, sizeof(*g->rows));
	g->rows[g->n++] = ag->kept.n;
	return promql_rows_add(&ag->kept, r);
}

static int
quantiles(struct aggregation *ag, const struct sink *out)
{
	double *v = promql_column(ag->ev, ag->kept.n);

	for (size_t i = 0; i < ag->steps; i++)
		promql_note_quantile(ag->ev, ag->n->arg[0], ag->param[i]);
	for (size_t k = 0; k < ag->ngroups; k++) {
		struct group *g = &ag->groups[k];

		group_columns(ag, g);
		for (size_t i = 0; i < ag->steps; i++) {
			size_t n = 0;

			if (promql_tick(ag->ev, g->n) == -1)
				return -1;
			for (size_t j = 0; j < g->n; j++) {
				double x = ag->kept.v[g->rows[j]].v[i];

				if (!absent(x))
					v[n++] = x;
			}
			if (n > 0)
				g->v[i] = promql_quantile(ag->param[i], v, n);
		}
	}
	return emit_groups(ag, out);
}

/* A candidate at one step; order is that of arrival. */
struct candidate {
	double v;
	size_t order, row;
};

static int
top_cmp(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (isnan(x->v) != isnan(y->v))
		return isnan(x->v) - isnan(y->v);
	if (x->v != y->v && !isnan(x->v))
		return x->v < y->v ? 1 : -1;
	return (x->order > y->order) - (x->order < y->order);
}

static int
bottom_cmp(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (isnan(x->v) != isnan(y->v))
		return isnan(x->v) - isnan(y->v);
	if (x->v != y->v && !isnan(x->v))
		return x->v < y->v ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* The best k of n to the front, in order: few of many are not all sorted. */
static void
best(struct candidate *c, size_t n, size_t k,
    int (*cmp)(const void *a, const void *b))
{
	if (k >= n / 4) {
		qsort(c, n, sizeof(*c), cmp);
		return;
	}
	qsort(c, k, sizeof(*c), cmp);
	for (size_t i = k; i < n; i++) {
		struct candidate x = c[i];
		size_t at = k - 1;

		if (cmp(&x, &c[at]) > 0)
			continue;
		for (; at > 0 && cmp(&x, &c[at - 1]) < 0; at--)
			c[at] = c[at - 1];
		c[at] = x;
	}
}

/* Series a ratio keeps are the same at every step: by hash of their labels. */
static bool
in_ratio(struct labels ls, double ratio)
{
	double at = (double)label_hash(ls) / 18446744073709551616.0;

	return ratio >= 0 ? at < ratio : at >= 1 + ratio;
}

/* How many of the group's candidates at step i stay, best first. */
static size_t
choose(struct aggregation *ag, const struct group *g, size_t i,
    struct candidate *c)
{
	enum word op = ag->n->op;
	double param = ag->param[i];
	size_t n = 0, k;

	for (size_t j = 0; j < g->n; j++) {
		const struct row *r = &ag->kept.v[g->rows[j]];

		if (absent(r->v[i]) ||
		    (op == W_LIMIT_RATIO && !in_ratio(r->ls, param)))
			continue;
		c[n] = (struct candidate){ r->v[i], n, g->rows[j] };
		n++;
	}
	if (op == W_LIMIT_RATIO)
		return n;
	if (param < 1)
		return 0;
	k = param < (double)n ? (size_t)param : n;
	if (op == W_TOPK)
		best(c, n, k, top_cmp);
	else if (op == W_BOTTOMK)
		best(c, n, k, bottom_cmp);
	return k;
}

static int
check_param(struct aggregation *ag, size_t i)
{
	double v = ag->param[i];
	bool ratio = ag->n->op == W_LIMIT_RATIO;
	struct buf b = { 0 };
	int rc = 0;

	if (isnan(v))
		return promql_fail(
		    ag->ev, "%s value is NaN", ratio ? "Ratio" : "Parameter");
	if (ratio && (v > 1 || v < -1)) {
		num_format(&b, v, 'g', -1);
		promql_note(ag->ev, NOTE_WARNING, ag->n->arg[0],
		    "ratio value should be between -1 and 1, got %s, capping "
		    "to %d",
		    buf_cstr(&b), v > 1 ? 1 : -1);
		ag->param[i] = v > 1 ? 1 : -1;
	} else if (!ratio &&
	    !(v > -9.223372036854776e18 && v < 9.223372036854776e18)) {
		num_format(&b, v, 'g', -1);
		rc = promql_fail(
		    ag->ev, "Scalar value %s overflows int64", buf_cstr(&b));
	}
	buf_fini(&b);
	return rc;
}

/*
 * The rows that were chosen at any step, without the others' values.  An
 * instant answer is in the order of choice, group by group.
 */
static int
chosen(struct aggregation *ag, const struct sink *out)
{
	struct candidate *c =
	    arena_array(ag->ev->a, ag->kept.n, struct candidate);
	bool *stays = arena_array(ag->ev->a, ag->kept.n * ag->steps, bool);

	for (size_t i = 0; i < ag->steps; i++)
		if (check_param(ag, i) == -1)
			return -1;
	for (size_t k = 0; k < ag->ngroups; k++)
		for (size_t i = 0; i < ag->steps; i++) {
			size_t n = choose(ag, &ag->groups[k], i, c);

			if (promql_tick(ag->ev, ag->groups[k].n) == -1)
				return -1;
			for (size_t j = 0; j < n; j++) {
				stays[c[j].row * ag->steps + i] = true;
				if (ag->steps == 1 &&
				    out->row(
					out->self, &ag->kept.v[c[j].row]) == -1)
					return -1;
			}
		}
	for (size_t j = 0; j < ag->kept.n && ag->steps > 1; j++) {
		struct row *r = &ag->kept.v[j];

		for (size_t i = 0; i < ag->steps; i++)
			if (!stays[j * ag->steps + i])
				r->v[i] = num_stale();
		if (promql_emit(out, r, ag->steps) == -1)
			return -1;
	}
	return 0;
}

/*
 * What is aggregated is a selector, or a function of its windows: the selector;
 * else NULL.  Nothing but the aggregation then looks at its labels, if its
 * series cannot become the same by losing their names.
 */
static const struct node *
selector(const struct node *n)
{
	n = promql_inner(n);
	if (n->kind == N_CALL && n->fn->window != NULL && promql_one_name(n)) {
		for (size_t i = 0; i < n->narg; i++) {
			const struct node *arg = promql_inner(n->arg[i]);

			if (arg->kind == N_MATRIX)
				return arg->sub;
		}
	}
	return n->kind == N_VECTOR ? n : NULL;
}

/*
 * Tell the selector below which labels count, and whether its order does: not
 * if all are counted into one group.
 */
static void
ask(struct aggregation *ag)
{
	struct eval *ev = ag->ev;
	const struct node *n = ag->n, *sel = selector(n->sub);
	/* notes are about names, and about types */
	static const str always[] = { { "__name__", 8 }, { "__type__", 8 } };
	bool counts = n->op == W_COUNT || n->op == W_GROUP;
	str *names;

	if (n->without || sel == NULL || ev->twins != NULL ||
	    (n->narg > 0 && n->op != W_QUANTILE))
		return;
	names = arena_array(ev->a, n->nby + 2, str);
	memcpy(names, always, sizeof(always));
	if (n->nby > 0)
		memcpy(names + 2, n->by, n->nby * sizeof(*names));
	ev->asked = sel;
	ev->hints = (struct source_query){
		.few_labels = true,
		.labels = names,
		.nlabels = n->nby + 2,
		.unordered = counts && n->nby == 0,
		.any_value = counts && sel == promql_inner(n->sub),
	};
}

static int
aggregate(struct aggregation *ag, const struct grid *g, const struct sink *out)
{
	struct sink in = { keep_row, ag };
	enum word op = ag->n->op;

	if (op == W_COUNT_VALUES)
		return count_values(ag, g, out);
	ask(ag);
	if (ag->n->narg == 0)
		return add_up(ag, g, out);
	ag->param = promql_column(ag->ev, g->n);
	if (promql_scalar(ag->ev, ag->n->arg[0], g, ag->param) == -1 ||
	    promql_vector(ag->ev, ag->n->sub, g, &in) == -1)
		return -1;
	return op == W_QUANTILE ? quantiles(ag, out) : chosen(ag, out);
}

int
promql_aggregate(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out)
{
	struct aggregation ag = { .ev = ev, .n = n, .steps = g->n };
	size_t held = ev->samples;
	int rc;

	promql_rows_init(&ag.kept, ev, g->n);
	rc = aggregate(&ag, g, out);
	/* What went in has been let go; what came out is at most this. */
	ev->samples = held;
	if (rc == 0)
		rc = promql_count(ev, ag.ngroups * g->n);
	promql_rows_fini(&ag.kept);
	map_fini(&ag.index);
	buf_fini(&ag.key);
	return rc;
}
