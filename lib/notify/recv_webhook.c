/*
 * Webhook: the whole notification as JSON, version 4; or a payload of one's
 * own, whose keys and leaves are templates and whose rendered leaves take the
 * type they read as in YAML.
 */
#include "base/json.h"
#include "notify/impl.h"

#include <stdlib.h>

#define MAX_DEPTH 32

struct webhook {
	str url, url_file;
	const struct conf_node *send_resolved, *http_config, *payload;
	int64_t max_alerts, timeout;
};

#define KEY(name, type, member)                                                \
	{                                                                      \
		name, type, offsetof(struct webhook, member), false            \
	}

static const struct conf_field fields[] = {
	KEY("send_resolved", CONF_T_NODE, send_resolved),
	KEY("http_config", CONF_T_NODE, http_config),
	KEY("url", CONF_T_STR, url),
	KEY("url_file", CONF_T_STR, url_file),
	KEY("max_alerts", CONF_T_INT, max_alerts),
	KEY("timeout", CONF_T_GODUR, timeout),
	KEY("payload", CONF_T_NODE, payload),
};

static bool
given(const struct conf_node *n)
{
	return n != NULL && n->kind != CONF_NULL;
}

static int
check_payload(const struct notify_config *c, const struct conf_node *n,
    int depth, struct error *e)
{
	if (depth > MAX_DEPTH)
		return conf_error(n, e, "payload is nested too deeply");
	if (n->kind == CONF_SCALAR)
		return notify_check_text(c, n, n->value, e);
	for (size_t i = 0; i < n->n; i++)
		if (notify_check_text(c, n->v[i], n->v[i]->key, e) == -1 ||
		    check_payload(c, n->v[i], depth + 1, e) == -1)
			return -1;
	return 0;
}

static int
load(struct notify_config *c, const struct conf_node *n, struct integration *in,
    struct error *e)
{
	struct webhook *w = arena_new(&c->arena, struct webhook);
	const struct conf_node *u = conf_find(n, "url");

	if (conf_read(n, fields, sizeof(fields) / sizeof(fields[0]), w, e) ==
	    -1)
		return -1;
	if (w->url.n == 0 && w->url_file.n == 0)
		return conf_error(
		    n, e, "one of url or url_file must be configured");
	if (w->url.n > 0 && w->url_file.n > 0)
		return conf_error(
		    n, e, "at most one of url & url_file must be configured");
	if (w->max_alerts < 0)
		return conf_error(conf_find(n, "max_alerts"), e,
		    "max_alerts must not be negative");
	if (w->url.n > 0 && str_find(w->url, STR("{{")) == w->url.n &&
	    notify_check_url(u, w->url, e) == -1)
		return -1;
	if ((given(u) && notify_check_text(c, u, w->url, e) == -1) ||
	    (given(w->payload) && check_payload(c, w->payload, 0, e) == -1) ||
	    (given(w->send_resolved) &&
		conf_bool(w->send_resolved, &in->send_resolved, e) == -1))
		return -1;
	in->timeout = w->timeout;
	in->config = w;
	in->auth = notify_auth(c, w->http_config, e);
	return in->auth != NULL ? 0 : -1;
}

static void put_node(struct json_writer *w, struct render *r,
    const struct conf_node *n, bool templates, int depth);

/* A plain scalar with the type it has in YAML. */
static void
put_scalar(struct json_writer *w, const struct conf_node *n)
{
	int64_t i;
	double d;
	bool b;

	if (n->quoted)
		json_str(w, n->value);
	else if (conf_int(n, &i, NULL) == 0)
		json_int(w, i);
	else if (conf_float(n, &d, NULL) == 0 && d - d == 0)
		json_num(w, d);
	else if (conf_bool(n, &b, NULL) == 0)
		json_bool(w, b);
	else
		json_str(w, n->value);
}

static void
put_rendered(struct json_writer *w, struct render *r, str text, int depth)
{
	struct conf *c = conf_parse(text, "payload", NULL, NULL);

	if (c == NULL || conf_root(c)->kind == CONF_NULL)
		json_str(w, text);
	else
		put_node(w, r, conf_root(c), false, depth);
	conf_free(c);
}

struct entry {
	str key;
	const struct conf_node *node;
};

static int
by_key(const void *a, const void *b)
{
	return str_cmp(
	    ((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

/* Sorted by key, as Go writes maps; members that are null are left out. */
static void
put_map(struct json_writer *w, struct render *r, const struct conf_node *n,
    bool templates, int depth)
{
	struct entry *v = arena_array(r->a, n->n, struct entry);

	for (size_t i = 0; i < n->n; i++)
		v[i] = (struct entry){ templates
			    ? notify_render_text(r, n->v[i]->key)
			    : n->v[i]->key,
			n->v[i] };
	if (n->n > 1)
		qsort(v, n->n, sizeof(*v), by_key);
	json_open(w, '{');
	for (size_t i = 0; i < n->n; i++) {
		if (v[i].node->kind == CONF_NULL ||
		    (i > 0 && str_eq(v[i].key, v[i - 1].key)))
			continue;
		json_key(w, v[i].key);
		put_node(w, r, v[i].node, templates, depth);
	}
	json_close(w, '}');
}

static void
put_node(struct json_writer *w, struct render *r, const struct conf_node *n,
    bool templates, int depth)
{
	if (depth > MAX_DEPTH || n->kind == CONF_NULL) {
		json_nil(w);
		return;
	}
	if (n->kind == CONF_MAP) {
		put_map(w, r, n, templates, depth + 1);
		return;
	}
	if (n->kind == CONF_SCALAR) {
		if (templates && n->quoted)
			put_rendered(
			    w, r, notify_render_text(r, n->value), depth + 1);
		else
			put_scalar(w, n);
		return;
	}
	json_open(w, '[');
	for (size_t i = 0; i < n->n; i++)
		put_node(w, r, n->v[i], templates, depth + 1);
	json_close(w, ']');
}

static void
put_standard(
    struct json_writer *w, const struct render *r, const struct data *d)
{
	json_open(w, '{');
	notify_data_json(w, d);
	json_key(w, STR("version"));
	json_str(w, STR("4"));
	json_key(w, STR("groupKey"));
	json_str(w, r->group_key);
	json_key(w, STR("truncatedAlerts"));
	json_int(w, (int64_t)(r->data->n - d->n));
	json_close(w, '}');
}

static int
render(
    struct render *r, const struct integration *in, struct notify_delivery *d)
{
	const struct webhook *w = in->config;
	struct data cut = *r->data;
	struct json_writer j;
	struct buf b = { 0 };
	str url;

	if (w->max_alerts > 0 && cut.n > (size_t)w->max_alerts) {
		cut.n = (size_t)w->max_alerts;
		notify_data_common(r->a, &cut);
		r->dot = notify_data_value(r->a, &cut);
	}
	if (notify_secret(r->config, w->url, w->url_file, &url, r->a, &r->e) ==
	    -1)
		return -1;
	d->url = notify_render_text(r, url);
	json_init(&j, &b, true);
	if (given(w->payload))
		put_node(&j, r, w->payload, true, 0);
	else
		put_standard(&j, r, &cut);
	buf_byte(&b, '\n');
	d->body = arena_dup(r->a, buf_str(&b));
	buf_fini(&b);
	return r->failed ? -1 : 0;
}

const struct kind notify_webhook = { "webhook_configs", "webhook", true, load,
	render, notify_judge_status };
