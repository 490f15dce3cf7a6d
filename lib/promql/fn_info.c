/*
 * info(v, {matchers}): every series of v with the data labels of the info
 * series (target_info, if no name is asked for) that has the same instance
 * and job.  Where several series of one info metric fit, the newest sample
 * wins; where two info metrics differ about a label, it is an error.
 */
#include "promql/eval.h"

#define NONE SIZE_MAX

/* An info series: the time of its sample at each step. */
struct source_row {
	struct row row;
	size_t metric; /* rows with the same metric number compete */
	size_t next;   /* of those with the same identity */
};

struct info {
	struct eval *ev;
	const struct node *call;
	size_t steps;
	const struct match *m; /* as the user wrote them */
	size_t nm;
	bool required; /* a matcher refuses what is not there */
	bool named;    /* a label is asked for by name */
	struct source_row *v;
	size_t n, cap;
	struct map identities; /* instance and job to the first row */
	struct map metrics;    /* name and identity to a number */
	struct buf key;
	struct rows rows;
	size_t *choice;     /* by metric number, at one step */
	size_t *chosen;     /* ... at the steps that run holds */
	double *run, *rest; /* columns being made */
	const struct histogram **runh, **resth;
	bool running;
};

static bool
identifies(str name)
{
	return str_eq(name, STR("instance")) || str_eq(name, STR("job"));
}

/* instance and job in info->key; false if there is neither. */
static bool
identity(struct info *f, struct labels ls)
{
	str instance = label_find(ls, STR("instance"));
	str job = label_find(ls, STR("job"));

	buf_reset(&f->key);
	buf_add(&f->key, instance);
	buf_byte(&f->key, '\0');
	buf_add(&f->key, job);
	return instance.n > 0 || job.n > 0;
}

/* A number for what info->key has become, counted up. */
static size_t
number(struct info *f, struct map *map, size_t fresh_value)
{
	struct map_slot *slot;
	bool fresh;

	slot = map_add(map, buf_str(&f->key), &fresh);
	if (fresh) {
		slot->key = arena_dup(f->ev->a, slot->key);
		slot->v.i = fresh_value;
	}
	return slot->v.i;
}

static int
fail_histogram(struct info *f, struct labels ls)
{
	struct buf b = { 0 };
	int rc;

	promql_print_labels(&b, ls);
	rc = promql_fail(f->ev,
	    "this should be an info metric, with float samples: %s",
	    buf_cstr(&b));
	buf_fini(&b);
	return rc;
}

/* Take in an info series, its column holding times. */
static int
info_row(void *self, struct row *r)
{
	struct info *f = self;
	struct arena *a = f->ev->a;
	struct source_row *s;
	size_t first;

	if (promql_floats(r, f->steps))
		return fail_histogram(f, r->ls);
	if (!identity(f, r->ls))
		return 0;
	f->v = arena_grow(a, f->v, &f->cap, f->n + 1, sizeof(*f->v));
	s = &f->v[f->n];
	first = number(f, &f->identities, f->n);
	s->next = NONE;
	if (first != f->n) {
		s->next = f->v[first].next;
		f->v[first].next = f->n;
	}
	buf_byte(&f->key, '\0');
	buf_add(&f->key, label_find(r->ls, LABEL_NAME));
	s->metric = number(f, &f->metrics, f->metrics.n);
	s->row.ls = label_dup(a, r->ls);
	s->row.v = promql_column(f->ev, f->steps);
	memcpy(s->row.v, r->v, f->steps * sizeof(double));
	f->n++;
	return 0;
}

/* The data labels of one info series into set; -1 if set says otherwise. */
static int
add_labels(struct info *f, struct label_set *set, struct labels base,
    struct labels from)
{
	for (size_t i = 0; i < from.n; i++) {
		str name = from.v[i].name, had;
		bool wanted = !f->named;

		for (size_t k = 0; k < f->nm; k++)
			wanted |= str_eq(f->m[k].name, name);
		if (!wanted || identifies(name) || str_eq(name, LABEL_NAME) ||
		    label_find(base, name).n > 0)
			continue;
		had = label_get(set, name);
		if (had.n > 0 && !str_eq(had, from.v[i].value))
			return promql_fail(f->ev,
			    "conflicting label \"%.*s\" in info series",
			    STR_ARG(name));
		label_set(set, name, from.v[i].value);
	}
	return 0;
}

/* f->choice: the newest row of each metric at a step; false if there is none.
 */
static bool
choose(struct info *f, size_t first, size_t step)
{
	bool any = false;

	for (size_t i = first; i != NONE; i = f->v[i].next)
		f->choice[f->v[i].metric] = NONE;
	for (size_t i = first; i != NONE; i = f->v[i].next) {
		size_t *c = &f->choice[f->v[i].metric];

		if (absent(f->v[i].row.v[step]))
			continue;
		any = true;
		if (*c == NONE || f->v[*c].row.v[step] < f->v[i].row.v[step])
			*c = i;
	}
	return any;
}

/* Pass on what f->run holds of r, with the labels of what was chosen. */
static int
flush(struct info *f, const struct row *r, size_t first)
{
	struct label_set set;
	struct row out = { .drop = r->drop, .v = f->run };
	int rc = 0;

	out.h = r->h != NULL ? f->runh : NULL;

	if (!f->running)
		return 0;
	f->running = false;
	label_init(&set, r->ls);
	for (size_t i = first; i != NONE && rc == 0; i = f->v[i].next)
		if (f->chosen[f->v[i].metric] == i)
			rc = add_labels(f, &set, r->ls, f->v[i].row.ls);
	out.ls = label_view(&set);
	if (rc == 0)
		rc = promql_rows_add(&f->rows, &out);
	label_fini(&set);
	promql_clear(f->run, f->steps);
	return rc;
}

/* Is the choice at this step the one of the steps before? */
static bool
same_choice(const struct info *f, size_t first)
{
	for (size_t i = first; i != NONE; i = f->v[i].next)
		if (f->choice[f->v[i].metric] != f->chosen[f->v[i].metric])
			return false;
	return true;
}

/* The value of r at one step, beside those with the same choice. */
static int
enrich_step(struct info *f, const struct row *r, size_t first, size_t step)
{
	if (f->running && !same_choice(f, first) && flush(f, r, first) == -1)
		return -1;
	for (size_t i = first; i != NONE; i = f->v[i].next)
		f->chosen[f->v[i].metric] = f->choice[f->v[i].metric];
	f->running = true;
	f->run[step] = r->v[step];
	f->runh[step] = histogram_at(r, step);
	return 0;
}

/* Is r itself one of the info series that were asked for? */
static bool
is_info(const struct info *f, struct labels ls)
{
	str name = label_find(ls, LABEL_NAME);
	bool positive = false, asked = false;

	for (size_t i = 0; i < f->nm; i++) {
		if (!str_eq(f->m[i].name, LABEL_NAME))
			continue;
		asked = true;
		positive |= f->m[i].op == MATCH_EQ || f->m[i].op == MATCH_RE;
		if (!match_value(&f->m[i], name))
			return false;
	}
	return asked ? positive : str_eq(name, STR("target_info"));
}

static int
base_row(void *self, struct row *r)
{
	struct info *f = self;
	struct row plain = { r->ls, r->drop, f->rest,
		r->h != NULL ? f->resth : NULL };
	struct sink keep = { promql_rows_add, &f->rows };
	struct map_slot *slot = NULL;

	if (is_info(f, r->ls))
		return promql_rows_add(&f->rows, r);
	if (identity(f, r->ls))
		slot = map_find(&f->identities, buf_str(&f->key));
	promql_clear(f->rest, f->steps);
	promql_clear(f->run, f->steps);
	for (size_t i = 0; i < f->steps; i++) {
		if (absent(r->v[i]))
			continue;
		if (slot != NULL && choose(f, slot->v.i, i)) {
			if (enrich_step(f, r, slot->v.i, i) == -1)
				return -1;
		} else if (!f->required) {
			f->rest[i] = r->v[i];
			f->resth[i] = histogram_at(r, i);
		}
	}
	if (slot != NULL && flush(f, r, slot->v.i) == -1)
		return -1;
	return promql_emit(&keep, &plain, f->steps);
}

/*
 * Where the samples of v come from: @ and offsets of its first selector and of
 * the subqueries round it, as one modifier for the info series.
 */
static bool
place(struct eval *ev, const struct node *n, struct modifier *m, int *rc)
{
	int64_t offset;

	if (n->kind == N_VECTOR || n->kind == N_SUBQUERY) {
		if (promql_span(&n->mod.offset, ev->query.step, ev->range,
			&offset, ev->e) == -1) {
			*rc = -1;
			return true;
		}
		if (n->mod.at != AT_NONE) {
			m->at = n->mod.at;
			m->at_ms = n->mod.at_ms;
			m->offset.ms = 0;
		}
		m->offset.ms += offset;
		m->offset.set = true;
		if (n->kind == N_VECTOR)
			return true;
	}
	for (size_t i = 0; i < n->narg; i++)
		if (place(ev, n->arg[i], m, rc))
			return true;
	return (n->sub != NULL && place(ev, n->sub, m, rc)) ||
	    (n->rhs != NULL && place(ev, n->rhs, m, rc));
}

/* The selector of the info series: the user's matchers, and one for the name.
 */
static int
info_selector(
    struct info *f, struct node *sel, struct match *extra, struct error *e)
{
	struct match *m = arena_array(f->ev->a, f->nm + 1, struct match);
	bool positive = false, asked = false;
	int rc = 0;

	for (size_t i = 0; i < f->nm; i++) {
		m[i] = f->m[i];
		if (!str_eq(m[i].name, LABEL_NAME)) {
			f->named = true;
			f->required |= !match_value(&m[i], STR_NONE);
			continue;
		}
		asked = true;
		positive |= m[i].op == MATCH_EQ || m[i].op == MATCH_RE;
	}
	if (!asked)
		rc = match_init(
		    extra, MATCH_EQ, LABEL_NAME, STR("target_info"), e);
	else if (!positive)
		rc = match_init(extra, MATCH_RE, LABEL_NAME, STR(".+_info"), e);
	m[f->nm] = *extra;
	memset(sel, 0, sizeof(*sel));
	sel->kind = N_VECTOR;
	sel->type = PROMQL_VECTOR;
	sel->at = f->call->at;
	sel->m = m;
	sel->nm = f->nm + (extra->name.n > 0);
	place(f->ev, f->call->arg[0], &sel->mod, &rc);
	return rc;
}

static int
fn_info(struct eval *ev, const struct node *call, const struct grid *g,
    const struct sink *out)
{
	struct info f = { .ev = ev, .call = call, .steps = g->n };
	struct sink infos = { info_row, &f }, base = { base_row, &f };
	struct match extra = { .name = { NULL, 0 } };
	struct node sel;
	int rc;

	if (call->narg > 1) {
		f.m = call->arg[1]->m;
		f.nm = call->arg[1]->nm;
	}
	promql_rows_init(&f.rows, ev, g->n);
	f.rows.merge = true;
	rc = info_selector(&f, &sel, &extra, ev->e);
	if (rc == 0)
		rc = promql_select(ev, &sel, g, SELECT_TIMES, &infos);
	f.choice = arena_array(ev->a, f.metrics.n, size_t);
	f.chosen = arena_array(ev->a, f.metrics.n, size_t);
	f.run = promql_column(ev, g->n);
	f.rest = promql_column(ev, g->n);
	f.runh = promql_histograms(ev, g->n);
	f.resth = promql_histograms(ev, g->n);
	if (rc == 0)
		rc = promql_vector(ev, call->arg[0], g, &base);
	if (rc == 0)
		rc = promql_rows_emit(&f.rows, out);
	promql_rows_fini(&f.rows);
	map_fini(&f.identities);
	map_fini(&f.metrics);
	buf_fini(&f.key);
	match_fini(&extra);
	return rc;
}

const struct func promql_fn_info[] = {
	{ "info", "vv", 1, PROMQL_VECTOR, FUNC_KEEP_NAME | FUNC_TIME,
	    .vector = fn_info },
	{ .name = NULL },
};
