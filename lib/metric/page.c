/*
 * A page: the last sample of every series, grouped by family when printed.
 * What TYPE says decides which series make a family (a histogram's _bucket,
 * _sum and _count); a series nobody typed is a family by itself.
 */
#include "metric/page.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"
#include "metric/rounds.h"

struct one {
	struct labels labels;
	struct arena a; /* of the labels and the key */
	str key;
	str family; /* found when printing */
	double le;  /* of a bucket or a quantile, else -Inf */
	double v;
	int64_t t;
	bool live;
};

struct about {
	str type, help, unit;
};

struct page {
	struct one *v;
	size_t n, cap;
	size_t *spare;
	size_t spares, spare_cap;
	size_t count;
	struct map by_key;
	struct map about; /* by family */
	struct arena a;   /* of about */
	struct buf key;
	struct rounds *rounds;
};

struct page *
page_new(void)
{
	struct page *p = mem_zero(1, sizeof(*p));

	p->rounds = rounds_new();
	return p;
}

void
page_free(struct page *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++)
		arena_fini(&p->v[i].a);
	free(p->v);
	free(p->spare);
	map_fini(&p->by_key);
	map_fini(&p->about);
	arena_fini(&p->a);
	buf_fini(&p->key);
	rounds_free(p->rounds);
	free(p);
}

static size_t
find(struct page *p, struct labels ls, bool make)
{
	struct map_slot *slot;
	struct one *o;
	bool fresh;
	size_t id;

	buf_reset(&p->key);
	label_key(&p->key, ls);
	if (!make) {
		slot = map_find(&p->by_key, buf_str(&p->key));
		return slot == NULL ? SIZE_MAX : slot->v.i;
	}
	slot = map_add(&p->by_key, buf_str(&p->key), &fresh);
	if (!fresh)
		return slot->v.i;
	if (p->spares > 0)
		id = p->spare[--p->spares];
	else {
		if (p->n == p->cap)
			p->v = mem_grow(p->v, &p->cap, p->n + 1, sizeof(*p->v));
		id = p->n++;
	}
	o = &p->v[id];
	*o = (struct one){ .live = true, .t = INT64_MIN };
	o->labels = label_dup(&o->a, ls);
	o->key = arena_dup(&o->a, buf_str(&p->key));
	slot->key = o->key;
	slot->v.i = id;
	p->count++;
	return id;
}

static void
drop(void *arg, size_t id)
{
	struct page *p = arg;

	if (!p->v[id].live)
		return;
	(void)map_del(&p->by_key, p->v[id].key);
	arena_fini(&p->v[id].a);
	p->v[id].live = false;
	p->spare =
	    mem_grow(p->spare, &p->spare_cap, p->spares + 1, sizeof(*p->spare));
	p->spare[p->spares++] = id;
	rounds_forget(p->rounds, id);
	p->count--;
}

static size_t
sample(struct page *p, const struct expo_item *i)
{
	size_t id = SIZE_MAX;
	struct one *o;

	if (i->mark != NULL && *i->mark != 0 && *i->mark <= p->n)
		id = *i->mark - 1;
	if (id == SIZE_MAX || !p->v[id].live ||
	    !label_eq(p->v[id].labels, i->labels)) {
		id = find(p, i->labels, true);
		if (i->mark != NULL)
			*i->mark = id + 1;
	}
	o = &p->v[id];
	if (i->t >= o->t) {
		o->t = i->t;
		o->v = i->v;
	}
	return id;
}

static void
stale(struct page *p, const struct expo_item *i)
{
	size_t id = find(p, i->labels, false);

	if (id != SIZE_MAX && i->t >= p->v[id].t)
		drop(p, id);
}

static void
describe(struct page *p, const struct expo_item *i)
{
	struct map_slot *slot;
	struct about *x;
	bool fresh;
	str *field;

	slot = map_add(&p->about, i->name, &fresh);
	if (fresh) {
		slot->key = arena_dup(&p->a, i->name);
		slot->v.p = arena_new(&p->a, struct about);
	}
	x = slot->v.p;
	field = i->kind == EXPO_HELP ? &x->help
	    : i->kind == EXPO_UNIT   ? &x->unit
				     : &x->type;
	if (!str_eq(*field, i->text))
		*field = arena_dup(&p->a, i->text);
}

void
page_apply(struct page *p, const struct batch *b)
{
	const struct expo_item *i;
	bool star = false;
	size_t id;

	if (b->opened)
		rounds_begin(p->rounds, b->labels);
	for (size_t k = 0; k < b->n; k++) {
		i = &b->v[k];
		if (i->kind == EXPO_SAMPLE) {
			id = sample(p, i);
			if (b->opened)
				rounds_saw(p->rounds, id, i->t == b->t);
		} else if (i->kind == EXPO_STALE && i->all)
			star = true;
		else if (i->kind == EXPO_STALE)
			stale(p, i);
		else if (i->kind == EXPO_HELP || i->kind == EXPO_TYPE ||
		    i->kind == EXPO_UNIT)
			describe(p, i);
	}
	if (b->opened)
		rounds_end(p->rounds, star, drop, p);
}

/* The family that name with one of the suffixes off is, if typed as type. */
static str
typed(const struct page *p, str name, const char *suffix, const char *type)
{
	const struct about *x;
	struct map_slot *slot;

	if (!str_ends(name, str_of(suffix)))
		return STR_NONE;
	name.n -= strlen(suffix);
	slot = map_find(&p->about, name);
	if (slot == NULL)
		return STR_NONE;
	x = slot->v.p;
	return str_eq(x->type, str_of(type)) ? slot->key : STR_NONE;
}

/* The family of a series, and the number its bucket or quantile stands at. */
static void
classify(const struct page *p, struct one *o)
{
	static const struct {
		const char *suffix, *type;
	} parts[] = {
		{ "_bucket", "histogram" },
		{ "_sum", "histogram" },
		{ "_count", "histogram" },
		{ "_sum", "summary" },
		{ "_count", "summary" },
	};
	str name = label_find(o->labels, LABEL_NAME), family = STR_NONE, by;

	for (size_t i = 0; family.n == 0 && i < 5; i++)
		family = typed(p, name, parts[i].suffix, parts[i].type);
	o->family = family.n > 0 ? family : name;
	o->le = -INFINITY;
	by = label_find(o->labels, STR("le"));
	if (by.n == 0)
		by = label_find(o->labels, STR("quantile"));
	if (by.n > 0 && (num_parse(by, &o->le) == -1 || isnan(o->le)))
		o->le = -INFINITY;
}

/* Labels without the bound, so that the buckets of one histogram meet. */
static int
cmp_rest(struct labels a, struct labels b)
{
	size_t i = 0, k = 0;
	int c;

	for (;; i++, k++) {
		while (i < a.n &&
		    (str_eq(a.v[i].name, STR("le")) ||
			str_eq(a.v[i].name, STR("quantile"))))
			i++;
		while (k < b.n &&
		    (str_eq(b.v[k].name, STR("le")) ||
			str_eq(b.v[k].name, STR("quantile"))))
			k++;
		if (i >= a.n || k >= b.n)
			return (i < a.n) - (k < b.n);
		if ((c = str_cmp(a.v[i].name, b.v[k].name)) != 0)
			return c;
		if ((c = str_cmp(a.v[i].value, b.v[k].value)) != 0)
			return c;
	}
}

static int
by_family(const void *x, const void *y)
{
	const struct one *a = *(const struct one *const *)x;
	const struct one *b = *(const struct one *const *)y;
	int c = str_cmp(a->family, b->family);

	if (c == 0)
		c = cmp_rest(a->labels, b->labels);
	if (c == 0)
		c = (a->le > b->le) - (a->le < b->le);
	return c ? c : label_cmp(a->labels, b->labels);
}

static void
head(const struct page *p, str family, struct buf *b)
{
	struct map_slot *slot = map_find(&p->about, family);
	const struct about *x = slot == NULL ? NULL : slot->v.p;

	if (x == NULL)
		return;
	if (x->help.n > 0)
		expo_put_help(b, family, x->help);
	if (x->type.n > 0)
		expo_put_type(b, family, x->type);
	if (x->unit.n > 0)
		expo_put_unit(b, family, x->unit);
}

void
page_print(struct page *p, struct buf *b, bool times)
{
	struct one **v = mem_zero(p->count, sizeof(struct one *)), *o;
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		o = &p->v[i];
		/* a series without a name has no place on a page */
		if (!o->live || label_find(o->labels, LABEL_NAME).n == 0)
			continue;
		classify(p, o);
		v[n++] = o;
	}
	qsort(v, n, sizeof(struct one *), by_family);
	for (size_t i = 0; i < n; i++) {
		o = v[i];
		if (i == 0 || !str_eq(v[i - 1]->family, o->family))
			head(p, o->family, b);
		if (num_is_stale(o->v))
			continue;
		if (times)
			expo_put_sample(b, o->labels, o->v, o->t);
		else
			expo_put_sample_now(b, o->labels, o->v);
	}
	free(v);
}
