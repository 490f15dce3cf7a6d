/*
 * Names to ids.
 */
#include "store/names.h"

#include <stdlib.h>

#include "base/mem.h"
#include "metric/label.h"

void
store_names_fini(struct store_names *x)
{
	for (size_t i = 0; i < x->n; i++)
		free(x->v[i].id);
	free(x->v);
	map_fini(&x->by_name);
	x->v = NULL;
	x->n = x->cap = 0;
	x->done = 0;
	x->asked = 0;
}

static void
add(struct store_names *x, str name, uint32_t id)
{
	bool fresh;
	struct map_slot *m = map_add(&x->by_name, name, &fresh);
	struct store_name *v;

	if (fresh) {
		m->v.i = x->n;
		x->v = mem_grow(x->v, &x->cap, x->n + 1, sizeof(*x->v));
		x->v[x->n++] = (struct store_name){ NULL, 0, 0 };
	}
	v = &x->v[m->v.i];
	v->id = mem_grow(v->id, &v->cap, v->n + 1, sizeof(*v->id));
	v->id[v->n++] = id;
}

static void
extend(struct store_names *x, const struct store_dict *d)
{
	const struct store_log *l = &d->log;
	struct label v[STORE_LABELS_MAX];
	struct store_rec rec;
	struct labels ls;
	str bytes;

	if (x->done == 0)
		x->done = store_dict_tail(d);
	while (x->done < l->end && store_log_find(l, &x->done, &rec, &bytes)) {
		uint32_t id = (uint32_t)(x->done / 8);

		x->done = store_log_after(x->done, &rec);
		if (rec.size >> 24 == STORE_REC_SERIES &&
		    store_dict_split(bytes, v, &ls))
			add(x, label_find(ls, LABEL_NAME), id);
	}
}

const struct store_name *
store_names_find(struct store_names *x, const struct store_dict *d, str name)
{
	const struct map_slot *m;

	extend(x, d);
	m = map_find(&x->by_name, name);
	return m == NULL ? NULL : &x->v[m->v.i];
}
