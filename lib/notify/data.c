/*
 * What templates see: Data, Alerts, Alert, KV, Pairs, Pair, with the fields,
 * methods, printing and JSON of Alertmanager's types.
 */
#include "notify/impl.h"

#include <inttypes.h>
#include <stdlib.h>

#define ZERO_TIME (INT64_C(-62135596800000)) /* 0001-01-01T00:00:00Z */

static const struct tmpl_type kv_type, pairs_type, pair_type, alert_type,
    alerts_type, data_type;

/* A label set in the order of SortedPairs: alertname first. */
static struct label *
sorted(struct arena *a, struct labels ls)
{
	struct label *v = arena_array(a, ls.n, struct label);
	size_t n = 0;

	for (size_t i = 0; i < ls.n; i++)
		if (str_eq(ls.v[i].name, STR("alertname")))
			v[n++] = ls.v[i];
	for (size_t i = 0; i < ls.n; i++)
		if (!str_eq(ls.v[i].name, STR("alertname")))
			v[n++] = ls.v[i];
	return v;
}

static struct tmpl_value
strings(struct arena *a, struct labels ls, bool names)
{
	str *v = arena_array(a, ls.n, str);

	for (size_t i = 0; i < ls.n; i++)
		v[i] = names ? ls.v[i].name : ls.v[i].value;
	return tmpl_strings(a, v, ls.n);
}

static struct tmpl_value
wrap(struct arena *a, const struct tmpl_type *type, struct labels ls)
{
	struct labels *copy = arena_new(a, struct labels);

	*copy = ls;
	return tmpl_object(a, type, copy);
}

static void
print_pairs(struct buf *b, struct labels ls)
{
	for (size_t i = 0; i < ls.n; i++) {
		if (i > 0)
			buf_z(b, ", ");
		buf_add(b, ls.v[i].name);
		buf_byte(b, '=');
		buf_add(b, ls.v[i].value);
	}
}

/* KV */

static const char *
kv_method(str name)
{
	if (str_eq(name, STR("Remove")))
		return "S";
	return str_eq(name, STR("SortedPairs")) || str_eq(name, STR("Names")) ||
		str_eq(name, STR("Values")) || str_eq(name, STR("String"))
	    ? ""
	    : NULL;
}

static void
kv_print(const void *self, struct buf *b)
{
	const struct labels *ls = self;
	struct arena a = { 0 };

	arena_init(&a);
	print_pairs(b, (struct labels){ sorted(&a, *ls), ls->n });
	arena_fini(&a);
}

static struct labels
without(struct arena *a, struct labels ls, struct tmpl_value names)
{
	struct label *v = arena_array(a, ls.n, struct label);
	size_t n = 0;

	for (size_t i = 0; i < ls.n; i++) {
		bool drop = false;

		for (size_t k = 0; k < names.list.n && !drop; k++)
			drop = str_eq(names.list.v[k].s, ls.v[i].name);
		if (!drop)
			v[n++] = ls.v[i];
	}
	return (struct labels){ v, n };
}

static int
kv_field(struct tmpl_run *r, const void *self, str name,
    const struct tmpl_value *args, size_t nargs, struct tmpl_value *out,
    struct error *e)
{
	struct labels ls = *(const struct labels *)self;
	struct arena *a = tmpl_arena(r);
	struct buf b = { 0 };

	(void)nargs;
	(void)e;
	if (str_eq(name, STR("SortedPairs")))
		*out = wrap(
		    a, &pairs_type, (struct labels){ sorted(a, ls), ls.n });
	else if (str_eq(name, STR("Names")) || str_eq(name, STR("Values")))
		*out = strings(a, (struct labels){ sorted(a, ls), ls.n },
		    name.p[0] == 'N');
	else if (str_eq(name, STR("Remove")))
		*out = wrap(a, &kv_type, without(a, ls, args[0]));
	else if (str_eq(name, STR("String"))) {
		kv_print(self, &b);
		*out = tmpl_string(arena_dup(a, buf_str(&b)));
		buf_fini(&b);
	} else {
		for (size_t i = 0; i < ls.n; i++)
			if (str_eq(ls.v[i].name, name)) {
				*out = tmpl_string(ls.v[i].value);
				return 1;
			}
		return 0;
	}
	return 1;
}

static struct tmpl_value
kv_elems(struct tmpl_run *r, const void *self)
{
	const struct labels *ls = self;
	struct tmpl_pair *v;

	v = arena_array(tmpl_arena(r), ls->n, struct tmpl_pair);
	for (size_t i = 0; i < ls->n; i++)
		v[i] = (struct tmpl_pair){ ls->v[i].name,
			tmpl_string(ls->v[i].value) };
	return (struct tmpl_value){ .kind = TMPL_MAP,
		.map = { v, ls->n, "map[string]string", 0 } };
}

static void
kv_json(const void *self, struct json_writer *w)
{
	label_json(w, *(const struct labels *)self);
}

static const struct tmpl_type kv_type = {
	.type = "template.KV",
	.field = kv_field,
	.method = kv_method,
	.print = kv_print,
	.elems = kv_elems,
	.json = kv_json,
	.missing_zero = true,
};

/* Pairs and Pair */

static void
pairs_print(const void *self, struct buf *b)
{
	print_pairs(b, *(const struct labels *)self);
}

static const char *
pairs_method(str name)
{
	return str_eq(name, STR("Names")) || str_eq(name, STR("Values")) ||
		str_eq(name, STR("String"))
	    ? ""
	    : NULL;
}

static int
pairs_field(struct tmpl_run *r, const void *self, str name,
    const struct tmpl_value *args, size_t nargs, struct tmpl_value *out,
    struct error *e)
{
	struct labels ls = *(const struct labels *)self;
	struct arena *a = tmpl_arena(r);
	struct buf b = { 0 };

	(void)args;
	(void)nargs;
	(void)e;
	if (str_eq(name, STR("Names")) || str_eq(name, STR("Values")))
		*out = strings(a, ls, name.p[0] == 'N');
	else if (str_eq(name, STR("String"))) {
		print_pairs(&b, ls);
		*out = tmpl_string(arena_dup(a, buf_str(&b)));
		buf_fini(&b);
	} else
		return 0;
	return 1;
}

static struct tmpl_value
pairs_elems(struct tmpl_run *r, const void *self)
{
	const struct labels *ls = self;
	struct arena *a = tmpl_arena(r);
	struct tmpl_value *v = arena_array(a, ls->n, struct tmpl_value);

	for (size_t i = 0; i < ls->n; i++)
		v[i] = tmpl_object(a, &pair_type, &ls->v[i]);
	return tmpl_list(v, ls->n);
}

static void
pair_json(const void *self, struct json_writer *w)
{
	const struct label *l = self;

	json_open(w, '{');
	json_key(w, STR("Name"));
	json_str(w, l->name);
	json_key(w, STR("Value"));
	json_str(w, l->value);
	json_close(w, '}');
}

static void
pairs_json(const void *self, struct json_writer *w)
{
	const struct labels *ls = self;

	json_open(w, '[');
	for (size_t i = 0; i < ls->n; i++)
		pair_json(&ls->v[i], w);
	json_close(w, ']');
}

static int
pair_field(struct tmpl_run *r, const void *self, str name,
    const struct tmpl_value *args, size_t nargs, struct tmpl_value *out,
    struct error *e)
{
	const struct label *l = self;

	(void)r;
	(void)args;
	(void)nargs;
	(void)e;
	if (str_eq(name, STR("Name")))
		*out = tmpl_string(l->name);
	else if (str_eq(name, STR("Value")))
		*out = tmpl_string(l->value);
	else
		return 0;
	return 1;
}

static const char *
no_method(str name)
{
	(void)name;
	return NULL;
}

static void
pair_print(const void *self, struct buf *b)
{
	const struct label *l = self;

	buf_printf(b, "{%.*s %.*s}", STR_ARG(l->name), STR_ARG(l->value));
}

static const struct tmpl_type pairs_type = {
	.type = "template.Pairs",
	.field = pairs_field,
	.method = pairs_method,
	.print = pairs_print,
	.elems = pairs_elems,
	.json = pairs_json,
};

static const struct tmpl_type pair_type = {
	.type = "template.Pair",
	.field = pair_field,
	.method = no_method,
	.print = pair_print,
	.json = pair_json,
};

/* Alert and Alerts */

static str
status(bool resolved)
{
	return resolved ? STR("resolved") : STR("firing");
}

static str
fingerprint(struct arena *a, const struct item *it)
{
	return arena_printf(a, "%016" PRIx64, it->fingerprint);
}

static struct tmpl_value
ends(const struct item *it)
{
	return tmpl_time(it->ends != 0 ? it->ends : ZERO_TIME, 0);
}

static int
alert_field(struct tmpl_run *r, const void *self, str name,
    const struct tmpl_value *args, size_t nargs, struct tmpl_value *out,
    struct error *e)
{
	const struct item *it = self;
	struct arena *a = tmpl_arena(r);

	(void)args;
	(void)nargs;
	(void)e;
	if (str_eq(name, STR("Status")))
		*out = tmpl_string(status(it->resolved));
	else if (str_eq(name, STR("Labels")))
		*out = wrap(a, &kv_type, it->labels);
	else if (str_eq(name, STR("Annotations")))
		*out = wrap(a, &kv_type, it->annotations);
	else if (str_eq(name, STR("StartsAt")))
		*out = tmpl_time(it->starts, 0);
	else if (str_eq(name, STR("EndsAt")))
		*out = ends(it);
	else if (str_eq(name, STR("GeneratorURL")))
		*out = tmpl_string(it->generator_url);
	else if (str_eq(name, STR("Fingerprint")))
		*out = tmpl_string(fingerprint(a, it));
	else
		return 0;
	return 1;
}

static void
alert_print(const void *self, struct buf *b)
{
	const struct item *it = self;

	buf_printf(b, "{%s ", it->resolved ? "resolved" : "firing");
	kv_print(&it->labels, b);
	buf_byte(b, ' ');
	kv_print(&it->annotations, b);
	buf_byte(b, ' ');
	tmpl_print(b, tmpl_time(it->starts, 0));
	buf_byte(b, ' ');
	tmpl_print(b, ends(it));
	buf_printf(b, " %.*s %016" PRIx64 "}", STR_ARG(it->generator_url),
	    it->fingerprint);
}

static void
alert_json(const void *self, struct json_writer *w)
{
	notify_items_json(w, self, 1);
}

static const struct tmpl_type alert_type = {
	.type = "template.Alert",
	.field = alert_field,
	.method = no_method,
	.print = alert_print,
	.json = alert_json,
};

/* The alerts with this status (all if both) as a plain list. */
static struct tmpl_value
items(struct arena *a, const struct data *d, bool firing, bool resolved)
{
	struct tmpl_value *v = arena_array(a, d->n, struct tmpl_value);
	struct tmpl_value out;
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].resolved ? resolved : firing)
			v[n++] = tmpl_object(a, &alert_type, &d->v[i]);
	out = tmpl_list(v, n);
	out.list.type = "[]template.Alert";
	return out;
}

static const char *
alerts_method(str name)
{
	return str_eq(name, STR("Firing")) || str_eq(name, STR("Resolved"))
	    ? ""
	    : NULL;
}

static int
alerts_field(struct tmpl_run *r, const void *self, str name,
    const struct tmpl_value *args, size_t nargs, struct tmpl_value *out,
    struct error *e)
{
	(void)args;
	(void)nargs;
	(void)e;
	if (str_eq(name, STR("Firing")))
		*out = items(tmpl_arena(r), self, true, false);
	else if (str_eq(name, STR("Resolved")))
		*out = items(tmpl_arena(r), self, false, true);
	else
		return 0;
	return 1;
}

static struct tmpl_value
alerts_elems(struct tmpl_run *r, const void *self)
{
	return items(tmpl_arena(r), self, true, true);
}

static void
alerts_print(const void *self, struct buf *b)
{
	const struct data *d = self;

	buf_byte(b, '[');
	for (size_t i = 0; i < d->n; i++) {
		if (i > 0)
			buf_byte(b, ' ');
		alert_print(&d->v[i], b);
	}
	buf_byte(b, ']');
}

static void
alerts_json(const void *self, struct json_writer *w)
{
	const struct data *d = self;

	json_open(w, '[');
	notify_items_json(w, d->v, d->n);
	json_close(w, ']');
}

static const struct tmpl_type alerts_type = {
	.type = "template.Alerts",
	.field = alerts_field,
	.method = alerts_method,
	.print = alerts_print,
	.elems = alerts_elems,
	.json = alerts_json,
};

/* Data */

static int
data_field(struct tmpl_run *r, const void *self, str name,
    const struct tmpl_value *args, size_t nargs, struct tmpl_value *out,
    struct error *e)
{
	const struct data *d = self;
	struct arena *a = tmpl_arena(r);

	(void)args;
	(void)nargs;
	(void)e;
	if (str_eq(name, STR("Receiver")))
		*out = tmpl_string(d->receiver);
	else if (str_eq(name, STR("Status")))
		*out = tmpl_string(status(d->resolved));
	else if (str_eq(name, STR("Alerts")))
		*out = tmpl_object(a, &alerts_type, d);
	else if (str_eq(name, STR("NotificationReason")))
		*out = tmpl_string(d->reason);
	else if (str_eq(name, STR("GroupLabels")))
		*out = wrap(a, &kv_type, d->group);
	else if (str_eq(name, STR("CommonLabels")))
		*out = wrap(a, &kv_type, d->common);
	else if (str_eq(name, STR("CommonAnnotations")))
		*out = wrap(a, &kv_type, d->annotations);
	else if (str_eq(name, STR("ExternalURL")))
		*out = tmpl_string(d->external_url);
	else
		return 0;
	return 1;
}

static void
data_print(const void *self, struct buf *b)
{
	const struct data *d = self;

	buf_printf(b, "{%.*s %s ", STR_ARG(d->receiver),
	    d->resolved ? "resolved" : "firing");
	alerts_print(d, b);
	buf_printf(b, " %.*s ", STR_ARG(d->reason));
	kv_print(&d->group, b);
	buf_byte(b, ' ');
	kv_print(&d->common, b);
	buf_byte(b, ' ');
	kv_print(&d->annotations, b);
	buf_printf(b, " %.*s}", STR_ARG(d->external_url));
}

static void
data_json(const void *self, struct json_writer *w)
{
	json_open(w, '{');
	notify_data_json(w, self);
	json_close(w, '}');
}

static const struct tmpl_type data_type = {
	.type = "template.Data",
	.field = data_field,
	.method = no_method,
	.print = data_print,
	.json = data_json,
};

struct tmpl_value
notify_data_value(struct arena *a, const struct data *d)
{
	return tmpl_object(a, &data_type, d);
}
