/*
 * A notification's data as JSON, as the webhook has it, both ways; and what
 * its alerts have in common, and their order.
 */
#include "notify/impl.h"

#include <inttypes.h>
#include <stdlib.h>

static void
put(struct json_writer *w, const char *key, str value)
{
	json_key(w, str_of(key));
	json_str(w, value);
}

static void
put_time(struct json_writer *w, const char *key, int64_t t)
{
	struct buf b = { 0 };

	date_print(&b, t);
	put(w, key, buf_str(&b));
	buf_fini(&b);
}

static void
put_labels(struct json_writer *w, const char *key, struct labels ls)
{
	json_key(w, str_of(key));
	label_json(w, ls);
}

void
notify_items_json(struct json_writer *w, const struct item *v, size_t n)
{
	char fp[17];

	for (size_t i = 0; i < n; i++) {
		json_open(w, '{');
		put(w, "status",
		    v[i].resolved ? STR("resolved") : STR("firing"));
		put_labels(w, "labels", v[i].labels);
		put_labels(w, "annotations", v[i].annotations);
		put_time(w, "startsAt", v[i].starts);
		if (v[i].ends != 0)
			put_time(w, "endsAt", v[i].ends);
		else
			put(w, "endsAt", STR("0001-01-01T00:00:00Z"));
		put(w, "generatorURL", v[i].generator_url);
		snprintf(fp, sizeof(fp), "%016" PRIx64, v[i].fingerprint);
		put(w, "fingerprint", str_of(fp));
		json_close(w, '}');
	}
}

void
notify_data_json(struct json_writer *w, const struct data *d)
{
	put(w, "receiver", d->receiver);
	put(w, "status", d->resolved ? STR("resolved") : STR("firing"));
	json_key(w, STR("alerts"));
	json_open(w, '[');
	notify_items_json(w, d->v, d->n);
	json_close(w, ']');
	if (d->reason.n > 0)
		put(w, "notification_reason", d->reason);
	put_labels(w, "groupLabels", d->group);
	put_labels(w, "commonLabels", d->common);
	put_labels(w, "commonAnnotations", d->annotations);
	put(w, "externalURL", d->external_url);
}

/* The labels of a that b has with the same values, into v. */
static size_t
common(struct label *v, size_t n, struct labels b)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (str_eq(label_find(b, v[i].name), v[i].value))
			v[kept++] = v[i];
	return kept;
}

static struct labels
common_of(struct arena *a, const struct data *d, bool annotations)
{
	struct labels first = { NULL, 0 };
	struct label *v;
	size_t n;

	if (d->n == 0)
		return first;
	first = annotations ? d->v[0].annotations : d->v[0].labels;
	v = arena_array(a, first.n, struct label);
	if (first.n > 0)
		memcpy(v, first.v, first.n * sizeof(*v));
	n = first.n;
	for (size_t i = 1; i < d->n; i++)
		n = common(
		    v, n, annotations ? d->v[i].annotations : d->v[i].labels);
	return (struct labels){ v, n };
}

void
notify_data_common(struct arena *a, struct data *d)
{
	d->common = common_of(a, d, false);
	d->annotations = common_of(a, d, true);
	d->resolved = true;
	for (size_t i = 0; i < d->n; i++)
		d->resolved = d->resolved && d->v[i].resolved;
}

/* -1, 1, or 0 when neither has the label or both have the same. */
static int
by_label(struct labels a, struct labels b, str name)
{
	str x = label_find(a, name), y = label_find(b, name);

	if (x.n == 0 || y.n == 0)
		return (x.n == 0) - (y.n == 0);
	return str_cmp(x, y);
}

/* Fewer labels first, then the first difference in the names' order. */
static int
by_all(struct labels a, struct labels b)
{
	size_t i = 0, k = 0;

	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	while (i < a.n && k < b.n) {
		int c = str_cmp(a.v[i].name, b.v[k].name);

		if (c != 0) /* the smaller name is missing in the other set */
			return c < 0 ? 1 : -1;
		c = str_cmp(a.v[i++].value, b.v[k++].value);
		if (c != 0)
			return c;
	}
	return 0;
}

int
notify_item_cmp(const void *x, const void *y)
{
	const struct item *a = x, *b = y;
	int c = by_label(a->labels, b->labels, STR("job"));

	if (c == 0)
		c = by_label(a->labels, b->labels, STR("instance"));
	return c != 0 ? c : by_all(a->labels, b->labels);
}

static int
parse_labels(struct arena *a, const struct json_value *v, struct labels *out,
    struct error *e)
{
	struct label_set s = { 0 };

	*out = (struct labels){ NULL, 0 };
	if (v == NULL || v->kind == JSON_NULL)
		return 0;
	if (v->kind != JSON_OBJECT)
		return error_set(e, "labels and annotations must be objects");
	for (size_t i = 0; i < v->n; i++) {
		if (v->v[i].kind != JSON_STRING) {
			label_fini(&s);
			return error_set(e,
			    "the value of \"%.*s\" must be a "
			    "string",
			    STR_ARG(v->v[i].key));
		}
		label_set(&s, v->v[i].key, v->v[i].string);
	}
	*out = label_done(&s, a);
	label_fini(&s);
	return 0;
}

static int
parse_item(struct arena *a, const struct json_value *v, struct item *it,
    struct error *e)
{
	str t = json_find_str(v, "startsAt"), u = json_find_str(v, "endsAt");
	str fp = json_find_str(v, "fingerprint");

	if (parse_labels(a, json_find(v, "labels"), &it->labels, e) == -1 ||
	    parse_labels(a, json_find(v, "annotations"), &it->annotations, e) ==
		-1)
		return -1;
	if (t.n > 0 && date_parse_rfc3339(t, &it->starts, NULL, e) == -1)
		return -1;
	if (u.n > 0 && !str_eq(u, STR("0001-01-01T00:00:00Z")) &&
	    date_parse_rfc3339(u, &it->ends, NULL, e) == -1)
		return -1;
	it->resolved = str_eq(json_find_str(v, "status"), STR("resolved"));
	it->generator_url = json_find_str(v, "generatorURL");
	it->fingerprint = fp.n > 0 ? strtoull(arena_cstr(a, fp), NULL, 16)
				   : label_fingerprint(it->labels);
	return 0;
}

const struct data *
notify_data_parse(struct arena *a, str json, struct error *e)
{
	const struct json_value *v = json_parse(a, json, e), *list;
	struct data *d = arena_new(a, struct data);
	struct item *items;

	if (v == NULL)
		return NULL;
	list = json_find(v, "alerts");
	if (v->kind != JSON_OBJECT ||
	    (list != NULL && list->kind != JSON_ARRAY)) {
		error_set(e, "not the data of a notification");
		return NULL;
	}
	d->n = list != NULL ? list->n : 0;
	items = arena_array(a, d->n, struct item);
	for (size_t i = 0; i < d->n; i++)
		if (parse_item(a, &list->v[i], &items[i], e) == -1)
			return NULL;
	d->v = items;
	notify_data_common(a, d);
	d->receiver = json_find_str(v, "receiver");
	d->resolved = str_eq(json_find_str(v, "status"), STR("resolved"));
	d->reason = json_find_str(v, "notification_reason");
	d->external_url = json_find_str(v, "externalURL");
	if (parse_labels(a, json_find(v, "groupLabels"), &d->group, e) == -1 ||
	    (json_find(v, "commonLabels") != NULL &&
		parse_labels(a, json_find(v, "commonLabels"), &d->common, e) ==
		    -1) ||
	    (json_find(v, "commonAnnotations") != NULL &&
		parse_labels(a, json_find(v, "commonAnnotations"),
		    &d->annotations, e) == -1))
		return NULL;
	return d;
}

int
notify_render(const struct notify_config *c, str json, str text, int64_t now,
    struct buf *out, struct error *e)
{
	const struct data *d;
	struct arena a;
	int rc = -2;

	arena_init(&a);
	tmpl_set_now(c->tmpl, now);
	if ((d = notify_data_parse(&a, json, e)) != NULL)
		rc = tmpl_text(c->tmpl, "", text, notify_data_value(&a, d), &a,
		    NULL, out, e);
	arena_fini(&a);
	return rc;
}
