/*
 * http_config of Prometheus and Alertmanager files: credentials, TLS, proxy,
 * redirects, headers.  One schema for scrapes, deliveries and queries.
 */
#ifndef NET_AUTH_H
#define NET_AUTH_H

#include "base/arena.h"
#include "base/conf.h"

struct auth {
	str username, password, password_file;	/* basic_auth */
	str type, credentials, credentials_file; /* authorization */
	str ca_file, cert_file, key_file, server_name;
	bool insecure_skip_verify;
	str proxy_url;
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
