/*
 * http_config of Prometheus and Alertmanager files: credentials, TLS, proxy,
 * redirects, headers.  One schema for scrapes, deliveries and queries.
 *
 * Everything is borrowed from the configuration it was read from, which also
 * says what a relative path is relative to; it must outlive the struct.  Files
 * are named here and read by each request.
 */
#ifndef NET_AUTH_H
#define NET_AUTH_H

#include "base/arena.h"
#include "base/conf.h"

#define AUTH_JWT_BEARER "urn:ietf:params:oauth:grant-type:jwt-bearer"

struct auth_tls {
	str ca, cert, key; /* PEM */
	str ca_file, cert_file, key_file, server_name;
	str min_version, max_version; /* TLS10 ... TLS13 */
	bool insecure_skip_verify;
};

struct auth_proxy {
	str url, no_proxy;
	bool from_environment; /* HTTP_PROXY, HTTPS_PROXY, NO_PROXY */
	const struct conf_node *connect_header; /* a map of lists, or NULL */
};

/* What a token of RFC 7523 is asked with: what net/jwt signs. */
struct auth_jwt {
	str key, key_file, key_id, algorithm, issuer, audience;
	const struct conf_node *claims; /* a map, or NULL */
};

/* Client credentials, for a token that is asked of token_url. */
struct auth_oauth2 {
	str client_id, client_secret, client_secret_file, token_url;
	bool jwt_bearer; /* the grant is: and this is used, not the secret */
	struct auth_jwt jwt;
	const struct conf_node *scopes, *endpoint_params; /* or NULL */
	struct auth_tls tls;
	struct auth_proxy proxy;
};

struct auth {
	const struct conf *conf; /* whose *_file paths; NULL: the process's */
	bool basic;              /* basic_auth is there */
	str username, username_file;
	str password, password_file;
	str type, credentials, credentials_file; /* authorization */
	struct auth_oauth2 oauth2; /* there if it has a token_url */
	struct auth_tls tls;
	struct auth_proxy proxy;
	const struct conf_node *headers; /* http_headers, or NULL */
	bool follow_redirects, enable_http2;
};

/* Defaults: follow_redirects and enable_http2 on, the rest empty. */
void auth_init(struct auth *a);

/*
 * Read the keys of an http_config from a map.  keys that are not of an
 * http_config are left alone when inline_map is set (scrape_config has them
 * inline), else they are errors.
 */
int auth_load(struct auth *a, const struct conf_node *map, bool inline_map,
    struct error *e);

/* Is key one of http_config's? */
bool auth_key(str key);

/*
 * What keeps text from being a URL, in the words of Go's net/url without the
 * URL, which may hold a password; or NULL.
 */
const char *auth_url_fault(str url);

/*
 * Is host (as in a URL, brackets of IPv6 left out) one that no_proxy says is
 * asked directly?  A comma separated list of names (with what is below them;
 * ".x": only what is below), addresses, CIDR ranges, each with :PORT or
 * without, or "*".  As upstream, with such a list in force "localhost" and
 * loopback addresses are never asked through a proxy.
 */
bool auth_direct(str no_proxy, str host, int port);

#endif
