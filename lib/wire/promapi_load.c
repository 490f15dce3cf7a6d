/*
 * Where an engine is: a URL, or a data source of a Grafana provisioning file.
 * Grafana ignores keys it does not know there, and so do we.
 */
#include "wire/promapi.h"

#include <stdio.h>

/* The arena's copy of a member that may be absent. */
static int
text(const struct conf_node *map, const char *key, struct arena *a, str *out,
    struct error *e)
{
	const struct conf_node *n = conf_find(map, key);

	if (n == NULL)
		return 0;
	if (conf_str(n, out, e) == -1)
		return -1;
	*out = arena_dup(a, *out);
	return 0;
}

static int
flag(const struct conf_node *map, const char *key, bool *out, struct error *e)
{
	const struct conf_node *n = conf_find(map, key);

	return n == NULL ? 0 : conf_bool(n, out, e);
}

static int
duration(
    const struct conf_node *map, const char *key, int64_t *out, struct error *e)
{
	const struct conf_node *n = conf_find(map, key);

	if (n == NULL || n->kind == CONF_NULL ||
	    (n->kind == CONF_SCALAR && n->value.n == 0))
		return 0;
	return conf_dur(n, out, e);
}

/* httpHeaderName1 in jsonData, httpHeaderValue1 in secureJsonData, and on. */
static int
headers(const struct conf_node *open, const struct conf_node *secret,
    struct arena *a, struct promapi_server *s, struct error *e)
{
	size_t max = sizeof(s->headers) / sizeof(*s->headers);
	struct fetch_header h;
	char key[64];

	for (int i = 1;; i++) {
		(void)snprintf(key, sizeof(key), "httpHeaderName%d", i);
		if (conf_find(open, key) == NULL)
			return 0;
		if (s->nheaders == max)
			return conf_error(conf_find(open, key), e,
			    "more than %zu headers", max);
		h = (struct fetch_header){ .name = STR_NONE };
		if (text(open, key, a, &h.name, e) == -1)
			return -1;
		(void)snprintf(key, sizeof(key), "httpHeaderValue%d", i);
		if (text(secret, key, a, &h.value, e) == -1)
			return -1;
		if (h.name.n > 0)
			s->headers[s->nheaders++] = h;
	}
}

static int
method(const struct conf_node *open, struct promapi_server *s, struct error *e)
{
	const struct conf_node *n = conf_find(open, "httpMethod");
	str m;

	if (n == NULL)
		return 0;
	if (conf_str(n, &m, e) == -1)
		return -1;
	s->get = str_eq(m, STR("GET"));
	if (m.n > 0 && !s->get && !str_eq(m, STR("POST")))
		return conf_error(n, e, "httpMethod is GET or POST");
	return 0;
}

static int
tls(const struct conf_node *open, const struct conf_node *secret,
    struct arena *a, struct promapi_server *s, struct error *e)
{
	bool client = false, ca = false;

	if (flag(open, "tlsAuth", &client, e) == -1 ||
	    flag(open, "tlsAuthWithCACert", &ca, e) == -1 ||
	    flag(open, "tlsSkipVerify", &s->auth.tls.insecure_skip_verify, e) ==
		-1 ||
	    text(open, "serverName", a, &s->auth.tls.server_name, e) == -1)
		return -1;
	if (ca && text(secret, "tlsCACert", a, &s->auth.tls.ca, e) == -1)
		return -1;
	if (client &&
	    (text(secret, "tlsClientCert", a, &s->auth.tls.cert, e) == -1 ||
		text(secret, "tlsClientKey", a, &s->auth.tls.key, e) == -1))
		return -1;
	return 0;
}

static bool
is_url(str s)
{
	return str_starts(s, STR("http://")) ||
	    str_starts(s, STR("https://")) || str_starts(s, STR("unix:"));
}

static int
source(const struct conf_node *n, struct arena *a, struct promapi_server *s,
    struct error *e)
{
	const struct conf_node *open = conf_find(n, "jsonData");
	const struct conf_node *secret = conf_find(n, "secureJsonData");
	bool basic = false;

	if (text(n, "name", a, &s->name, e) == -1 ||
	    text(n, "url", a, &s->url, e) == -1 ||
	    flag(n, "basicAuth", &basic, e) == -1)
		return -1;
	s->auth.basic = basic;
	if (!is_url(s->url))
		return conf_error(conf_find(n, "url") ? conf_find(n, "url") : n,
		    e, "the data source needs an http or https url");
	if (basic &&
	    (text(n, "basicAuthUser", a, &s->auth.username, e) == -1 ||
		text(secret, "basicAuthPassword", a, &s->auth.password, e) ==
		    -1))
		return -1;
	if (method(open, s, e) == -1 ||
	    duration(open, "timeInterval", &s->interval, e) == -1 ||
	    duration(open, "queryTimeout", &s->timeout, e) == -1 ||
	    text(open, "customQueryParameters", a, &s->params, e) == -1 ||
	    headers(open, secret, a, s, e) == -1)
		return -1;
	return tls(open, secret, a, s, e);
}

/* Is it the source that is asked for, or could be the default one? */
static int
wanted(const struct conf_node *n, const char *name, bool *is, bool *first,
    struct error *e)
{
	const struct conf_node *x;
	str s = STR_NONE;

	*is = *first = false;
	if (n->kind != CONF_MAP)
		return conf_error(n, e, "a data source is a map");
	if (name != NULL) {
		for (int i = 0; i < 2 && !*is; i++) {
			x = conf_find(n, i == 0 ? "name" : "uid");
			if (x != NULL && conf_str(x, &s, e) == -1)
				return -1;
			*is = x != NULL && str_eq(s, str_of(name));
		}
		if (!*is)
			return 0;
	}
	x = conf_find(n, "type");
	if (x == NULL)
		return conf_error(n, e, "the data source has no type");
	if (conf_str(x, &s, e) == -1)
		return -1;
	if (!str_eq(s, STR("prometheus"))) {
		if (name != NULL)
			return conf_error(x, e,
			    "data source %s is of type %.*s, not prometheus",
			    name, STR_ARG(s));
		return 0;
	}
	*is = true;
	return flag(n, "isDefault", first, e);
}

static const struct conf_node *
choose(const struct conf *c, const char *name, struct error *e)
{
	const struct conf_node *root = conf_root(c), *list, *found = NULL;
	bool is, first;
	size_t n = 0;

	list = conf_find(root, "datasources");
	if (list == NULL || list->kind != CONF_LIST) {
		(void)conf_error(list == NULL ? root : list, e,
		    "no list of datasources: not a Grafana datasource file");
		return NULL;
	}
	for (size_t i = 0; i < list->n; i++) {
		if (wanted(list->v[i], name, &is, &first, e) == -1)
			return NULL;
		if (!is)
			continue;
		n++;
		if (found == NULL || first)
			found = list->v[i];
		if (first || name != NULL)
			return found;
	}
	if (n == 1)
		return found;
	if (name != NULL)
		(void)conf_error(list, e, "no data source is called %s", name);
	else if (n == 0)
		(void)conf_error(list, e, "no data source of type prometheus");
	else
		(void)conf_error(list, e,
		    "%zu data sources of type prometheus and none is the "
		    "default: name one",
		    n);
	return NULL;
}

/* A manifest without KEY that has one key means that one. */
static struct conf *
load(const char *where, const struct conf_opts *o, struct error *e)
{
	struct conf *c = conf_load(where, o, e), *inner;
	const str *keys;
	size_t n;
	struct buf path = { 0 };

	if (c == NULL || !conf_is_manifest(c))
		return c;
	if (conf_keys(c, &keys, &n, e) == -1) {
		conf_free(c);
		return NULL;
	}
	if (n != 1) {
		(void)error_set(e, "%s: a manifest with %zu keys: say %s:KEY",
		    where, n, where);
		conf_free(c);
		return NULL;
	}
	buf_printf(&path, "%s:%.*s", where, STR_ARG(keys[0]));
	inner = conf_load(buf_cstr(&path), o, e);
	buf_fini(&path);
	conf_free(c);
	return inner;
}

/* HOST:PORT is a slip for a URL, and no file and its key. */
static bool
looks_like_host(str s)
{
	str port = str_skip(s, str_chr(s, ':') + 1);

	return port.n > 0 && port.p[0] >= '0' && port.p[0] <= '9';
}

int
promapi_load(const char *where, const char *datasource,
    const struct conf_opts *o, struct arena *a, struct promapi_server *s,
    struct error *e)
{
	const struct conf_node *n;
	struct conf *c;
	int rc;

	*s = (struct promapi_server){ .name = STR_NONE };
	auth_init(&s->auth);
	if (is_url(str_of(where))) {
		s->url = arena_dup(a, str_of(where));
		return 0;
	}
	c = load(where, o, e);
	if (c == NULL && looks_like_host(str_of(where)))
		return error_set(
		    e, "%s: a URL begins with http:// or https://", where);
	if (c == NULL)
		return -1;
	n = choose(c, datasource, e);
	rc = n == NULL ? -1 : source(n, a, s, e);
	conf_free(c);
	return rc;
}
