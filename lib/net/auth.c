/*
 * The schema of http_config, in one table.  What upstream has and we cannot
 * do is refused with its position, never passed over: a request without its
 * credentials is worse than none.
 */
#include "net/auth.h"

#include <stddef.h>

#include "net/auth_impl.h"

/* What the top level of the map is read into. */
struct top {
	const struct conf_node *basic_auth, *authorization, *tls_config;
	const struct conf_node *oauth2, *http_headers;
	str bearer_token, bearer_token_file;
	struct auth_proxy proxy;
	bool follow_redirects, enable_http2;
};

static const struct conf_field top_fields[] = {
	{ "basic_auth", CONF_T_NODE, offsetof(struct top, basic_auth), false },
	{ "authorization", CONF_T_NODE, offsetof(struct top, authorization),
	    false },
	{ "oauth2", CONF_T_NODE, offsetof(struct top, oauth2), false },
	{ "tls_config", CONF_T_NODE, offsetof(struct top, tls_config), false },
	{ "http_headers", CONF_T_NODE, offsetof(struct top, http_headers),
	    false },
	{ "bearer_token", CONF_T_STR, offsetof(struct top, bearer_token),
	    false },
	{ "bearer_token_file", CONF_T_STR,
	    offsetof(struct top, bearer_token_file), false },
	{ "follow_redirects", CONF_T_BOOL,
	    offsetof(struct top, follow_redirects), false },
	{ "enable_http2", CONF_T_BOOL, offsetof(struct top, enable_http2),
	    false },
	AUTH_PROXY_FIELDS(struct top),
};

#define NTOP (sizeof(top_fields) / sizeof(top_fields[0]))

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

void
auth_init(struct auth *a)
{
	*a = (struct auth){ .follow_redirects = true, .enable_http2 = true };
}

static const struct conf_field *
find_key(str name)
{
	for (size_t i = 0; i < NTOP; i++)
		if (str_eq(name, str_of(top_fields[i].name)))
			return &top_fields[i];
	return NULL;
}

bool
auth_key(str key)
{
	return find_key(key) != NULL;
}

/* One key of the top level; one that is null leaves its member alone. */
static int
load_key(const struct conf_field *f, const struct conf_node *n, struct top *t,
    struct error *e)
{
	void *at = (char *)t + f->offset;

	if (n->kind == CONF_NULL)
		return 0;
	if (f->type == CONF_T_NODE) {
		memcpy(at, &n, sizeof(n));
		return 0;
	}
	return f->type == CONF_T_BOOL ? conf_bool(n, at, e)
				      : conf_str(n, at, e);
}

static int
load_basic(struct auth *a, const struct conf_node *n, struct error *e)
{
	if (conf_read(n, basic_fields,
		sizeof(basic_fields) / sizeof(basic_fields[0]), a, e) == -1)
		return -1;
	a->basic = true;
	if (a->username.n && a->username_file.n)
		return conf_error(n, e,
		    "at most one of basic_auth username & username_file must "
		    "be configured");
	if (a->password.n && a->password_file.n)
		return conf_error(n, e,
		    "at most one of basic_auth password & password_file must "
		    "be configured");
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
		    "at most one of authorization credentials & "
		    "credentials_file must be configured");
	a->type = str_trim(a->type);
	if (a->type.n == 0)
		a->type = STR("Bearer");
	if (str_eq_fold(a->type, STR("basic")))
		return conf_error(n, e,
		    "authorization type cannot be set to \"basic\", use "
		    "\"basic_auth\" instead");
	return 0;
}

/* At most one way to say who we are; in the words of upstream. */
static int
check_one(const struct top *t, const struct conf_node *map, struct error *e)
{
	bool bearer = t->bearer_token.n || t->bearer_token_file.n;

	if (t->bearer_token.n && t->bearer_token_file.n)
		return conf_error(map, e,
		    "at most one of bearer_token & bearer_token_file must be "
		    "configured");
	if ((t->basic_auth != NULL || t->oauth2 != NULL) && bearer)
		return conf_error(map, e,
		    "at most one of basic_auth, oauth2, bearer_token & "
		    "bearer_token_file must be configured");
	if (t->authorization != NULL && bearer)
		return conf_error(map, e,
		    "authorization is not compatible with bearer_token & "
		    "bearer_token_file");
	if ((t->basic_auth != NULL) + (t->oauth2 != NULL) +
		(t->authorization != NULL) >
	    1)
		return conf_error(map, e,
		    "at most one of basic_auth, oauth2 & authorization must "
		    "be configured");
	return 0;
}

static int
load_parts(struct auth *a, const struct top *t, const struct conf_node *map,
    struct error *e)
{
	if (t->tls_config != NULL &&
	    auth_load_tls(&a->tls, t->tls_config, e) == -1)
		return -1;
	if (check_one(t, map, e) == -1)
		return -1;
	if (t->basic_auth != NULL && load_basic(a, t->basic_auth, e) == -1)
		return -1;
	if (t->authorization != NULL &&
	    load_authorization(a, t->authorization, e) == -1)
		return -1;
	if (t->oauth2 != NULL &&
	    auth_load_oauth2(&a->oauth2, t->oauth2, e) == -1)
		return -1;
	if (t->bearer_token.n || t->bearer_token_file.n) {
		a->type = STR("Bearer");
		a->credentials = t->bearer_token;
		a->credentials_file = t->bearer_token_file;
	}
	if (auth_check_proxy(&a->proxy, map, e) == -1)
		return -1;
	return t->http_headers ? auth_check_headers(t->http_headers, e) : 0;
}

int
auth_load(struct auth *a, const struct conf_node *map, bool inline_map,
    struct error *e)
{
	struct top t = { .follow_redirects = a->follow_redirects,
		.enable_http2 = a->enable_http2 };

	if (map->kind == CONF_NULL)
		return 0;
	if (map->kind != CONF_MAP)
		return conf_error(map, e, "expected a map");
	a->conf = map->conf;
	for (size_t i = 0; i < map->n; i++) {
		const struct conf_node *n = map->v[i];
		const struct conf_field *f = find_key(n->key);

		if (f == NULL && inline_map)
			continue;
		if (f == NULL)
			return conf_error_key(
			    n, e, "unknown key \"%.*s\"", STR_ARG(n->key));
		if (load_key(f, n, &t, e) == -1)
			return -1;
	}
	a->follow_redirects = t.follow_redirects;
	a->enable_http2 = t.enable_http2;
	a->proxy = t.proxy;
	a->headers = t.http_headers;
	return load_parts(a, &t, map, e);
}
