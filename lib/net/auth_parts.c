/*
 * tls_config, oauth2, http_headers and the proxy keys: what stands inside an
 * http_config.  tests/unit/net-auth.c has their cases.
 */
#include <ctype.h>
#include <stddef.h>

#include "net/auth_impl.h"
#include "net/jwt.h"

#define LEN(t) (sizeof(t) / sizeof((t)[0]))

static const struct conf_field tls_fields[] = {
	{ "ca", CONF_T_STR, offsetof(struct auth_tls, ca), false },
	{ "cert", CONF_T_STR, offsetof(struct auth_tls, cert), false },
	{ "key", CONF_T_STR, offsetof(struct auth_tls, key), false },
	{ "ca_file", CONF_T_STR, offsetof(struct auth_tls, ca_file), false },
	{ "cert_file", CONF_T_STR, offsetof(struct auth_tls, cert_file),
	    false },
	{ "key_file", CONF_T_STR, offsetof(struct auth_tls, key_file), false },
	{ "server_name", CONF_T_STR, offsetof(struct auth_tls, server_name),
	    false },
	{ "insecure_skip_verify", CONF_T_BOOL,
	    offsetof(struct auth_tls, insecure_skip_verify), false },
	{ "min_version", CONF_T_STR, offsetof(struct auth_tls, min_version),
	    false },
	{ "max_version", CONF_T_STR, offsetof(struct auth_tls, max_version),
	    false },
};

/* What oauth2 is read into. */
struct oauth2 {
	struct auth_oauth2 o;
	const struct conf_node *tls_config;
	struct auth_proxy proxy;
	str grant_type;
};

#define OAUTH2(member) offsetof(struct oauth2, o.member)
static const struct conf_field oauth2_fields[] = {
	{ "client_id", CONF_T_STR, OAUTH2(client_id), false },
	{ "client_secret", CONF_T_STR, OAUTH2(client_secret), false },
	{ "client_secret_file", CONF_T_STR, OAUTH2(client_secret_file), false },
	{ "client_certificate_key", CONF_T_STR, OAUTH2(jwt.key), false },
	{ "client_certificate_key_file", CONF_T_STR, OAUTH2(jwt.key_file),
	    false },
	{ "client_certificate_key_id", CONF_T_STR, OAUTH2(jwt.key_id), false },
	{ "signature_algorithm", CONF_T_STR, OAUTH2(jwt.algorithm), false },
	{ "grant_type", CONF_T_STR, offsetof(struct oauth2, grant_type),
	    false },
	{ "iss", CONF_T_STR, OAUTH2(jwt.issuer), false },
	{ "audience", CONF_T_STR, OAUTH2(jwt.audience), false },
	{ "claims", CONF_T_NODE, OAUTH2(jwt.claims), false },
	{ "scopes", CONF_T_NODE, OAUTH2(scopes), false },
	{ "token_url", CONF_T_STR, OAUTH2(token_url), false },
	{ "endpoint_params", CONF_T_NODE, OAUTH2(endpoint_params), false },
	{ "tls_config", CONF_T_NODE, offsetof(struct oauth2, tls_config),
	    false },
	AUTH_PROXY_FIELDS(struct oauth2),
};

/* 0 if it is none, else it grows with the version. */
static int
version(str s)
{
	static const char *const t[] = { "TLS10", "TLS11", "TLS12", "TLS13" };

	for (size_t i = 0; i < LEN(t); i++)
		if (str_eq(s, str_of(t[i])))
			return (int)i + 1;
	return 0;
}

static int
check_versions(
    const struct auth_tls *t, const struct conf_node *n, struct error *e)
{
	str bad = version(t->min_version) ? t->max_version : t->min_version;

	if ((t->min_version.n && !version(t->min_version)) ||
	    (t->max_version.n && !version(t->max_version)))
		return conf_error(
		    n, e, "unknown TLS version: %.*s", STR_ARG(bad));
	if (t->min_version.n && t->max_version.n &&
	    version(t->max_version) < version(t->min_version))
		return conf_error(n, e,
		    "tls_config.max_version must be greater than or equal to "
		    "tls_config.min_version if both are specified");
	return 0;
}

int
auth_load_tls(struct auth_tls *t, const struct conf_node *n, struct error *e)
{
	if (conf_read(n, tls_fields, LEN(tls_fields), t, e) == -1)
		return -1;
	if (t->ca.n && t->ca_file.n)
		return conf_error(
		    n, e, "at most one of ca & ca_file must be configured");
	if (t->cert.n && t->cert_file.n)
		return conf_error(
		    n, e, "at most one of cert & cert_file must be configured");
	if (t->key.n && t->key_file.n)
		return conf_error(
		    n, e, "at most one of key & key_file must be configured");
	if ((t->cert.n || t->cert_file.n) && !t->key.n && !t->key_file.n)
		return conf_error(n, e,
		    "exactly one of key or key_file must be configured when a "
		    "client certificate is configured");
	if ((t->key.n || t->key_file.n) && !t->cert.n && !t->cert_file.n)
		return conf_error(n, e,
		    "exactly one of cert or cert_file must be configured when "
		    "a client key is configured");
	return check_versions(t, n, e);
}

/* A list of scalars; what names it in the message. */
static int
check_list(const struct conf_node *n, const char *what, struct error *e)
{
	str s;

	if (n->kind == CONF_NULL)
		return 0;
	if (n->kind != CONF_LIST)
		return conf_error(n, e, "%s: expected a list", what);
	for (size_t i = 0; i < n->n; i++)
		if (conf_str(n->v[i], &s, e) == -1)
			return -1;
	return 0;
}

/* A map of scalars. */
static int
check_map(const struct conf_node *n, const char *what, struct error *e)
{
	str s;

	if (n == NULL || n->kind == CONF_NULL)
		return 0;
	if (n->kind != CONF_MAP)
		return conf_error(n, e, "%s: expected a map", what);
	for (size_t i = 0; i < n->n; i++)
		if (conf_str(n->v[i], &s, e) == -1)
			return -1;
	return 0;
}

/* The other grant; a key that is none is told when it is to sign. */
static int
check_jwt(struct auth_jwt *x, const struct conf_node *n, struct error *e)
{
	if (x->key.n && x->key_file.n)
		return conf_error(n, e,
		    "at most one of oauth2 client_certificate_key & "
		    "client_certificate_key_file must be configured");
	if (x->algorithm.n && !jwt_algorithm(x->algorithm))
		return conf_error(n, e,
		    "oauth2 signature_algorithm must be RS256, RS384 or "
		    "RS512");
	if (x->claims != NULL && x->claims->kind == CONF_NULL)
		x->claims = NULL;
	if (x->claims != NULL && x->claims->kind != CONF_MAP)
		return conf_error(x->claims, e, "claims: expected a map");
	return 0;
}

static int
check_grant(
    struct auth_oauth2 *o, str type, const struct conf_node *n, struct error *e)
{
	o->jwt_bearer = str_eq(type, STR(AUTH_JWT_BEARER));
	if (o->jwt_bearer)
		return check_jwt(&o->jwt, n, e);
	if (type.n && !str_eq(type, STR("client_credentials")))
		return conf_error(n, e,
		    "oauth2 grant_type must be client_credentials or "
		    "\"" AUTH_JWT_BEARER "\"");
	if (o->client_secret.n && o->client_secret_file.n)
		return conf_error(n, e,
		    "at most one of oauth2 client_secret & "
		    "client_secret_file must be configured");
	return 0;
}

int
auth_load_oauth2(
    struct auth_oauth2 *o, const struct conf_node *n, struct error *e)
{
	struct oauth2 x = { 0 };

	if (conf_read(n, oauth2_fields, LEN(oauth2_fields), &x, e) == -1)
		return -1;
	*o = x.o;
	o->proxy = x.proxy;
	if (x.tls_config != NULL &&
	    auth_load_tls(&o->tls, x.tls_config, e) == -1)
		return -1;
	if (o->client_id.n == 0)
		return conf_error(n, e, "oauth2 client_id must be configured");
	if (o->token_url.n == 0)
		return conf_error(n, e, "oauth2 token_url must be configured");
	if (check_grant(o, x.grant_type, n, e) == -1 ||
	    (o->scopes && check_list(o->scopes, "scopes", e) == -1) ||
	    check_map(o->endpoint_params, "endpoint_params", e) == -1)
		return -1;
	return auth_check_proxy(&o->proxy, n, e);
}

/* Those that a request sets itself, or a library on the way. */
static bool
reserved(str name)
{
	static const char *const t[] = { "Authorization", "Host",
		"Content-Encoding", "Content-Length", "Content-Type",
		"User-Agent", "Connection", "Keep-Alive", "Proxy-Authenticate",
		"Proxy-Authorization", "Www-Authenticate", "Accept-Encoding",
		"X-Prometheus-Remote-Write-Version",
		"X-Prometheus-Remote-Read-Version",
		"X-Prometheus-Scrape-Timeout-Seconds", "X-Amz-Date",
		"X-Amz-Security-Token", "X-Amz-Content-Sha256" };

	for (size_t i = 0; i < LEN(t); i++)
		if (str_eq_fold(name, str_of(t[i])))
			return true;
	return false;
}

/* A token of RFC 9110. */
static bool
is_token(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') &&
		    (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
			return false;
	}
	return s.n > 0;
}

static int
check_header(const struct conf_node *n, struct error *e)
{
	static const struct conf_field f[] = {
		{ "values", CONF_T_NODE, 0, false },
		{ "secrets", CONF_T_NODE, sizeof(n), false },
		{ "files", CONF_T_NODE, 2 * sizeof(n), false },
	};
	const struct conf_node *v[3] = { 0 };

	if (reserved(n->key))
		return conf_error_key(n, e,
		    "setting header \"%.*s\" is not allowed", STR_ARG(n->key));
	if (!is_token(n->key))
		return conf_error_key(n, e, "invalid header name");
	if (n->kind == CONF_NULL)
		return 0;
	if (conf_read(n, f, LEN(f), v, e) == -1)
		return -1;
	for (size_t i = 0; i < LEN(v); i++)
		if (v[i] != NULL && check_list(v[i], f[i].name, e) == -1)
			return -1;
	return 0;
}

int
auth_check_headers(const struct conf_node *n, struct error *e)
{
	if (n->kind != CONF_MAP)
		return conf_error(n, e, "http_headers: expected a map");
	for (size_t i = 0; i < n->n; i++)
		if (check_header(n->v[i], e) == -1)
			return -1;
	return 0;
}

static int
check_connect_header(const struct conf_node *n, struct error *e)
{
	if (n->kind != CONF_MAP)
		return conf_error(n, e, "proxy_connect_header: expected a map");
	for (size_t i = 0; i < n->n; i++) {
		if (!is_token(n->v[i]->key))
			return conf_error_key(
			    n->v[i], e, "invalid header name");
		if (check_list(n->v[i], "proxy_connect_header", e) == -1)
			return -1;
	}
	return 0;
}

/* Of what is between "//" and the path. */
static const char *
authority_fault(str s)
{
	size_t at = s.n, colon;

	while (at > 0 && s.p[at - 1] != '@')
		at--;
	s = str_skip(s, at);
	if (memchr(s.p, ' ', s.n) != NULL)
		return "invalid character \" \" in host name";
	if (s.n > 0 && s.p[0] == '[') {
		colon = str_chr(s, ']');
		if (colon == s.n)
			return "missing ']' in host";
		s = str_skip(s, colon + 1);
		if (s.n > 0 && s.p[0] != ':')
			return "invalid port after host";
	}
	for (s = str_skip(s, str_chr(s, ':') + 1); s.n > 0; s = str_skip(s, 1))
		if (!isdigit((unsigned char)s.p[0]))
			return "invalid port after host";
	return NULL;
}

const char *
auth_url_fault(str url)
{
	str first = str_take(url, str_chr(url, '#'));
	bool query = false; /* in which nothing is looked at */
	size_t n = 0;

	for (size_t i = 0; i < url.n; i++) {
		if ((unsigned char)url.p[i] < ' ' || url.p[i] == 0x7f)
			return "invalid control character in URL";
		query |= url.p[i] == '?';
		if (url.p[i] == '%' && !query &&
		    (url.n - i < 3 || !isxdigit((unsigned char)url.p[i + 1]) ||
			!isxdigit((unsigned char)url.p[i + 2])))
			return "invalid URL escape";
	}
	first = str_take(first, str_chr(first, '?'));
	first = str_take(first, str_chr(first, '/'));
	n = str_chr(first, ':');
	if (n == 0 && first.n > 0)
		return "missing protocol scheme";
	if (n < first.n && !isalpha((unsigned char)first.p[0]))
		return "first path segment in URL cannot contain colon";
	n = n < first.n ? n + 1 : 0;
	url = str_skip(url, n);
	if (!str_starts(url, STR("//")))
		return NULL;
	url = str_skip(url, 2);
	for (n = 0; n < url.n && strchr("/?#", url.p[n]) == NULL;)
		n++;
	return authority_fault(str_take(url, n));
}

int
auth_check_proxy(
    const struct auth_proxy *p, const struct conf_node *n, struct error *e)
{
	const struct conf_node *h = p->connect_header;
	const char *fault = auth_url_fault(p->url);

	if (fault != NULL)
		return conf_error(
		    conf_find(n, "proxy_url"), e, "proxy_url: %s", fault);
	if (h != NULL && check_connect_header(h, e) == -1)
		return -1;
	if (h != NULL && h->n > 0 && !p->from_environment && p->url.n == 0)
		return conf_error(n, e,
		    "if proxy_connect_header is configured, proxy_url or "
		    "proxy_from_environment must also be configured");
	if (p->from_environment && p->url.n)
		return conf_error(n, e,
		    "if proxy_from_environment is configured, proxy_url must "
		    "not be configured");
	if (p->from_environment && p->no_proxy.n)
		return conf_error(n, e,
		    "if proxy_from_environment is configured, no_proxy must "
		    "not be configured");
	if (p->no_proxy.n && p->url.n == 0)
		return conf_error(n, e,
		    "if no_proxy is configured, proxy_url must also be "
		    "configured");
	return 0;
}
