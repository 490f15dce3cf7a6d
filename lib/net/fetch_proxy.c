/*
 * Through which proxy a request goes.  The choice is made here, not by
 * libcurl, whose no_proxy reads otherwise, and which would take one from the
 * environment although the configuration did not ask for it.
 */
#include <stdlib.h>

#include "net/fetch_impl.h"

static str
environment(const char *upper, const char *lower)
{
	const char *v = getenv(upper);

	if (v == NULL || *v == '\0')
		v = getenv(lower);
	return v ? str_of(v) : STR_NONE;
}

/* The proxy for a URL, and the list it does not hold for. */
static str
choose(const struct auth_proxy *p, const char *scheme, str *no_proxy)
{
	*no_proxy = p->no_proxy;
	if (!p->from_environment)
		return p->url;
	*no_proxy = environment("NO_PROXY", "no_proxy");
	/* localhost is asked directly even if that list is empty */
	if (no_proxy->n == 0)
		*no_proxy = STR(",");
	if (strcmp(scheme, "https") == 0)
		return environment("HTTPS_PROXY", "https_proxy");
	/* in a CGI that variable is a header of the request */
	if (getenv("REQUEST_METHOD") != NULL)
		return STR_NONE;
	return environment("HTTP_PROXY", "http_proxy");
}

/* libcurl's own message about one that is not would repeat it. */
static bool
is_url(struct fetch_job *j, str s)
{
	struct fetch_curl *c = &j->fetch->curl;
	CURLU *u = c->url();
	bool good = c->url_set(u, CURLUPART_URL, arena_cstr(&j->arena, s),
			CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;

	c->url_cleanup(u);
	return good;
}

/*
 * What libcurl is told: a scheme it knows; "socks5" resolves names at the
 * proxy, as upstream's does.  NULL if it is no proxy: the message does not
 * repeat it, as it may hold a password.
 */
static const char *
proxy_url(
    struct fetch_job *j, str proxy, const struct auth_proxy *p, struct error *e)
{
	static const char *const known[] = { "http", "https", "socks5h" };
	str scheme, rest;
	size_t n = str_find(proxy, STR("://"));

	if (n == proxy.n && p->from_environment)
		proxy = arena_printf(&j->arena, "http://%.*s", STR_ARG(proxy));
	n = str_find(proxy, STR("://"));
	scheme = str_take(proxy, n);
	rest = str_skip(proxy, n);
	if (n == proxy.n || !fetch_safe(proxy) || !is_url(j, proxy)) {
		error_set(e, "proxy_url: not the URL of a proxy");
		return NULL;
	}
	if (str_eq_fold(scheme, STR("socks5")))
		scheme = STR("socks5h");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (str_eq_fold(scheme, str_of(known[i])))
			return arena_cstr(&j->arena,
			    arena_printf(
				&j->arena, "%s%.*s", known[i], STR_ARG(rest)));
	error_set(e, "proxy_url: unsupported scheme '%.*s'",
	    (int)(scheme.n < 20 ? scheme.n : 20), scheme.p);
	return NULL;
}

/* Sent with CONNECT alone, as upstream does. */
static int
connect_header(
    struct fetch_job *j, const struct conf_node *map, struct error *e)
{
	struct curl_slist *own = j->headers, **tail = j->tail;
	struct curl_slist *list;

	j->headers = NULL;
	j->tail = &j->headers;
	for (size_t i = 0; i < map->n; i++)
		for (size_t k = 0; k < map->v[i]->n; k++) {
			str v = map->v[i]->v[k]->value;

			if (!fetch_safe(v))
				return error_set(e,
				    "proxy_connect_header: '%.*s' holds a "
				    "control character",
				    STR_ARG(map->v[i]->key));
			fetch_header(j, map->v[i]->key, v);
		}
	list = j->headers;
	j->headers = own;
	j->tail = own ? tail : &j->headers;
	j->fetch->curl.setopt(
	    j->easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	j->fetch->curl.setopt(j->easy, CURLOPT_PROXYHEADER, list);
	return 0;
}

int
fetch_proxy(struct fetch_job *j, const struct auth_proxy *p, struct error *e)
{
	struct fetch_curl *c = &j->fetch->curl;
	struct fetch_url u;
	const char *text;
	str proxy, no_proxy, host;

	if (j->sock != NULL || (p->url.n == 0 && !p->from_environment))
		return 0;
	if (fetch_url(j, j->url, &u, e) == -1)
		return -1;
	host = str_of(u.host);
	if (str_starts(host, STR("[")))
		host = str_take(str_skip(host, 1), host.n - 2);
	proxy = choose(p, u.scheme, &no_proxy);
	if (proxy.n == 0 || (no_proxy.n && auth_direct(no_proxy, host, u.port)))
		return 0;
	if ((text = proxy_url(j, proxy, p, e)) == NULL)
		return -1;
	j->set = false;
	c->setopt(j->easy, CURLOPT_PROXY, text);
	/* else libcurl reads the environment's */
	c->setopt(j->easy, CURLOPT_NOPROXY, "");
	if (p->connect_header != NULL && strcmp(u.scheme, "https") == 0)
		return connect_header(j, p->connect_header, e);
	return 0;
}
