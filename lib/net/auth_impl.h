/* What the files of net/auth share. */
#ifndef NET_AUTH_IMPL_H
#define NET_AUTH_IMPL_H

#include "net/auth.h"

/* The parts of an http_config that are schemas of their own. */
int auth_load_tls(
    struct auth_tls *t, const struct conf_node *n, struct error *e);
int auth_load_oauth2(
    struct auth_oauth2 *o, const struct conf_node *n, struct error *e);

/* Refuse what of http_headers is not right. */
int auth_check_headers(const struct conf_node *n, struct error *e);

/* The same of the proxy keys; n is the map they stand in. */
int auth_check_proxy(
    const struct auth_proxy *p, const struct conf_node *n, struct error *e);

/* The keys that http_config and oauth2 both have inline. */
#define AUTH_PROXY_FIELDS(type)                                                \
	{ "proxy_url", CONF_T_STR, offsetof(type, proxy.url), false },         \
	    { "no_proxy", CONF_T_STR, offsetof(type, proxy.no_proxy), false }, \
	    { "proxy_from_environment", CONF_T_BOOL,                           \
		    offsetof(type, proxy.from_environment), false },           \
	{                                                                      \
		"proxy_connect_header", CONF_T_NODE,                           \
		    offsetof(type, proxy.connect_header), false                \
	}

#endif
