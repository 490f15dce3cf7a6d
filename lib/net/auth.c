/*
 * The schema of http_config, in one table.  What upstream has and we do not do
 * yet (oauth2, proxies by environment, http_headers) is refused with its
 * position, never passed over: a request without its credentials is worse
 * than none.
 */
#include "net/auth.h"

#include <stddef.h>

/* What the top level of the map is read into. */
struct top {
	const struct conf_node *basic_auth, *authorization, *tls_config;
	const struct conf_node *oauth2, *http_headers, *proxy_connect_header;
	str bearer_token, bearer_token_file;
	bool proxy_from_environment;
};

enum where {
	AUTH,
	TOP,
	UNSUPPORTED,
};

struct key {
	const char *name;
	enum conf_type type;
	enum where where;
	size_t offset;
};

static const struct key keys[] = {
	{ "basic_auth", CONF_T_NODE, TOP, offsetof(struct top, basic_auth) },
	{ "authorization", CONF_T_NODE, TOP,
	    offsetof(struct top, authorization) },
	{ "tls_config", CONF_T_NODE, TOP, offsetof(struct top, tls_config) },
	{ "bearer_token", CONF_T_STR, TOP, offsetof(struct top, bearer_token) },
	{ "bearer_token_file", CONF_T_STR, TOP,
	    offsetof(struct top, bearer_token_file) },
	{ "proxy_from_environment", CONF_T_BOOL, TOP,
	    offsetof(struct top, proxy_from_environment) },
	{ "proxy_url", CONF_T_STR, AUTH, offsetof(struct auth, proxy_url) },
	{ "no_proxy", CONF_T_STR, AUTH, offsetof(struct auth, no_proxy) },
	{ "follow_redirects", CONF_T_BOOL, AUTH,
	    offsetof(struct auth, follow_redirects) },
	{ "enable_http2", CONF_T_BOOL, AUTH,
	    offsetof(struct auth, enable_http2) },
	{ "oauth2", CONF_T_NODE, UNSUPPORTED, offsetof(struct top, oauth2) },
	{ "http_headers", CONF_T_NODE, UNSUPPORTED,
	    offsetof(struct top, http_headers) },
	{ "proxy_connect_header", CONF_T_NODE, UNSUPPORTED,
	    offsetof(struct top, proxy_connect_header) },
};

#define NKEYS (sizeof(keys) / sizeof(keys[0]))

static const struct conf_field basic_fields[] = {
	{ "username", CONF_T_STR, offsetof(struct auth, username), false },
	{ "username_file", CONF_T_STR, offsetof(struct auth, username_file),
	    false },
	{ "password", CONF_T_STR, offsetof(struct auth, password), false },
	{ "password_file", CONF_T_STR, offsetof(struct auth, password_file),
	    false },
};

static const struct conf_field authorization_fields[] = {
	{ "type", CONF_T_STR, offsetof(struct auth, type), false },
	{ "credentials", CONF_T_STR, offsetof(struct auth, credentials),
	    false },
	{ "credentials_file", CONF_T_STR,
	    offsetof(struct auth, credentials_file), false },
};

static const struct conf_field tls_fields[] = {
	{ "ca", CONF_T_STR, offsetof(struct auth, ca), false },
	{ "cert", CONF_T_STR, offsetof(struct auth, cert), false },
	{ "key", CONF_T_STR, offsetof(struct auth, key), false },
	{ "ca_file", CONF_T_STR, offsetof(struct auth, ca_file), false },
	{ "cert_file", CONF_T_STR, offsetof(struct auth, cert_file), false },
	{ "key_file", CONF_T_STR, offsetof(struct auth, key_file), false },
	{ "server_name", CONF_T_STR, offsetof(struct auth, server_name),
	    false },
	{ "insecure_skip_verify", CONF_T_BOOL,
	    offsetof(struct auth, insecure_skip_verify), false },
	{ "min_version", CONF_T_STR, offsetof(struct auth, min_version),
	    false },
	{ "max_version", CONF_T_STR, offsetof(struct auth, max_version),
	    false },
};

void
auth_init(struct auth *a)
{
	*a = (struct auth){ .follow_redirects = true, .enable_http2 = true };
}

static const struct key *
find_key(str name)
{
	for (size_t i = 0; i < NKEYS; i++)
		if (str_eq(name, str_of(keys[i].name)))
			return &keys[i];
	return NULL;
}

bool
auth_key(str key)
{
	return find_key(key) != NULL;
}

static int
load_scalar(
    const struct key *k, const struct conf_node *n, void *base, struct error *e)
{
	void *at = (char *)base + k->offset;

	if (n->kind == CONF_NULL)
		return 0;
	if (k->type == CONF_T_NODE) {
		memcpy(at, &n, sizeof(n));
		return 0;
	}
	return k->type == CONF_T_BOOL ? conf_bool(n, at, e)
				      : conf_str(n, at, e);
}

static bool
version_valid(str s)
{
	return s.n == 0 || str_eq(s, STR("TLS10")) || str_eq(s, STR("TLS11")) ||
	    str_eq(s, STR("TLS12")) || str_eq(s, STR("TLS13"));
}

static int
load_tls(struct auth *a, const struct conf_node *n, struct error *e)
{
	if (conf_read(n, tls_fields, sizeof(tls_fields) / sizeof(tls_fields[0]),
		a, e) == -1)
		return -1;
	if ((a->ca.n && a->ca_file.n) || (a->cert.n && a->cert_file.n) ||
	    (a->key.n && a->key_file.n))
		return conf_error(n, e,
		    "at most one of ca and ca_file, cert and cert_file, "
		    "key and key_file must be configured");
	if ((a->cert.n || a->cert_file.n) != (a->key.n || a->key_file.n))
		return conf_error(n, e,
		    "exactly one of cert or cert_file and one of key or "
		    "key_file must be configured when a client certificate is "
		    "used");
	if (!version_valid(a->min_version) || !version_valid(a->max_version))
		return conf_error(n, e,
		    "unknown TLS version: must be TLS10, TLS11, TLS12 or "
		    "TLS13");
	return 0;
}

static int
load_basic(struct auth *a, const struct conf_node *n, struct error *e)
{
	if (conf_read(n, basic_fields,
		sizeof(basic_fields) / sizeof(basic_fields[0]), a, e) == -1)
		return -1;
	if (a->username.n && a->username_file.n)
		return conf_error(n, e,
		    "at most one of basic_auth username and username_file "
		    "must be configured");
	if (a->password.n && a->password_file.n)
		return conf_error(n, e,
		    "at most one of basic_auth password and password_file "
		    "must be configured");
	return 0;
}

static int
load_authorization(struct auth *a, const struct conf_node *n, struct error *e)
{
	if (conf_read(n, authorization_fields,
		sizeof(authorization_fields) / sizeof(authorization_fields[0]),
		a, e) == -1)
		return -1;
	if (a->credentials.n && a->credentials_file.n)
		return conf_error(n, e,
		    "at most one of authorization credentials and "
		    "credentials_file must be configured");
	a->type = str_trim(a->type);
	if (a->type.n == 0)
		a->type = STR("Bearer");
	if (a->type.n == 5 && strncasecmp(a->type.p, "basic", 5) == 0)
		return conf_error(n, e,
		    "authorization type cannot be set to \"basic\", use "
		    "\"basic_auth\" instead");
	return 0;
}

static int
load_bearer(struct auth *a, const struct top *t, const struct conf_node *n,
    struct error *e)
{
	if (t->bearer_token.n && t->bearer_token_file.n)
		return conf_error(n, e,
		    "at most one of bearer_token and bearer_token_file must "
		    "be configured");
	if (t->authorization != NULL)
		return conf_error(n, e,
		    "authorization is not compatible with bearer_token and "
		    "bearer_token_file");
	a->type = STR("Bearer");
	a->credentials = t->bearer_token;
	a->credentials_file = t->bearer_token_file;
	return 0;
}

static int
load_parts(struct auth *a, const struct top *t, const struct conf_node *map,
    struct error *e)
{
	if (t->tls_config != NULL && load_tls(a, t->tls_config, e) == -1)
		return -1;
	if (t->basic_auth != NULL && load_basic(a, t->basic_auth, e) == -1)
		return -1;
	if (t->authorization != NULL &&
	    load_authorization(a, t->authorization, e) == -1)
		return -1;
	if ((t->bearer_token.n || t->bearer_token_file.n) &&
	    load_bearer(a, t, map, e) == -1)
		return -1;
	if (t->basic_auth != NULL && a->type.n)
		return conf_error(map, e,
		    "at most one of basic_auth, oauth2 and authorization must "
		    "be configured");
	if (t->proxy_from_environment)
		return conf_error(map, e,
		    "proxy_from_environment is not supported: use proxy_url");
	return 0;
}

int
auth_load(struct auth *a, const struct conf_node *map, bool inline_map,
    struct error *e)
{
	struct top t = { 0 };

	if (map->kind == CONF_NULL)
		return 0;
	if (map->kind != CONF_MAP)
		return conf_error(map, e, "expected a map");
	a->conf = map->conf;
	for (size_t i = 0; i < map->n; i++) {
		const struct conf_node *n = map->v[i];
		const struct key *k = find_key(n->key);

		if (k == NULL && inline_map)
			continue;
		if (k == NULL)
			return conf_error_key(
			    n, e, "unknown key \"%.*s\"", STR_ARG(n->key));
		if (k->where == UNSUPPORTED && n->kind != CONF_NULL)
			return conf_error(n, e, "%s is not supported", k->name);
		if (load_scalar(k, n, k->where == AUTH ? (void *)a : &t, e) ==
		    -1)
			return -1;
	}
	return load_parts(a, &t, map, e);
}
