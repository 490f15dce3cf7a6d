/*
 * http_config of Prometheus and Alertmanager files: credentials, TLS, proxy,
 * redirects, headers.  One schema for scrapes, deliveries and queries.
 *
 * Everything is borrowed from the configuration it was read from, which also
 * says what a relative path is relative to; it must outlive the struct.
 */
#ifndef NET_AUTH_H
#define NET_AUTH_H

#include "base/arena.h"
#include "base/conf.h"

struct auth {
	const struct conf *conf; /* whose *_file paths; NULL: the process's */
	str username, username_file; /* basic_auth */
	str password, password_file;
	str type, credentials, credentials_file; /* authorization */
	str ca, cert, key;                       /* tls_config, PEM */
	str ca_file, cert_file, key_file, server_name;
	str min_version, max_version; /* TLS10 ... TLS13 */
	bool insecure_skip_verify;
	str proxy_url, no_proxy;
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

#endif
