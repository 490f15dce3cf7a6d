/*
 * What libcurl is told about one hop of a request.  Most requests differ in
 * their URL and headers alone, so a handle keeps what was set before, and is
 * wiped only when it was told more than that.  tests/unit/net-fetch.c looks at
 * what arrives.
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "net/fetch_impl.h"

/*
 * A larger buffer is fewer reads; but it belongs to each handle, and from
 * 128 KiB on malloc would map and unmap it for every request.
 */
#define BUFFER_SIZE 102400L
#define MAX_IDLE_S 300L /* a connection is not used again after that */

bool
fetch_safe(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') ||
		    s.p[i] == 0x7f)
			return false;
	return true;
}

static void
add_line(struct fetch_job *j, str line)
{
	struct curl_slist *l = arena_new(&j->arena, struct curl_slist);

	l->data = arena_cstr(&j->arena, line);
	*j->tail = l;
	j->tail = &l->next;
}

/* As libcurl wants it: one that is empty ends with ";". */
void
fetch_header(struct fetch_job *j, str name, str value)
{
	str glue = value.n ? STR(": ") : STR(";");
	char *line = arena_alloc(&j->arena, name.n + glue.n + value.n), *p;

	p = mempcpy(line, name.p, name.n);
	p = mempcpy(p, glue.p, glue.n);
	if (value.n > 0)
		p = mempcpy(p, value.p, value.n);
	add_line(j, str_from(line, p));
}

int
fetch_secret(struct fetch_job *j, const struct conf *conf, str value, str path,
    const char *what, str *out, struct error *e)
{
	struct buf b = { 0 };
	int rc = 0;

	if (path.n == 0)
		*out = arena_dup(&j->arena, value);
	else if (conf != NULL)
		rc = conf_read_from(conf, path, &b, e);
	else
		rc = file_read(arena_cstr(&j->arena, path), &b, e);
	if (path.n)
		*out = arena_dup(&j->arena, str_trim(buf_str(&b)));
	buf_fini(&b);
	if (rc == -1)
		return error_add(e, "%s", what);
	if (out->n > 0 && memchr(out->p, '\0', out->n) != NULL)
		return error_set(e, "%s: holds a NUL byte", what);
	return 0;
}

/* The same for what goes into one line. */
static int
line_secret(struct fetch_job *j, str value, str path, const char *what,
    str *out, struct error *e)
{
	if (fetch_secret(j, j->q.auth->conf, value, path, what, out, e) == -1)
		return -1;
	if (!fetch_safe(*out))
		return error_set(e, "%s: holds a control character", what);
	return 0;
}

/* May a redirect take this header to another origin?  It holds no secret. */
static bool
is_public(str name)
{
	static const char *const t[] = { "Accept", "Content-Type",
		"Content-Encoding", "X-Prometheus-Scrape-Timeout-Seconds" };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (str_eq_fold(name, str_of(t[i])))
			return true;
	return false;
}

static int
put_headers(struct fetch_job *j, struct error *e)
{
	const struct fetch_request *q = &j->q;
	bool type = false;

	add_line(j, STR("Expect:"));
	/* without CURLOPT_ACCEPT_ENCODING, libcurl leaves the body as it is */
	add_line(j,
	    q->no_compression ? STR("Accept-Encoding: identity")
			      : STR("Accept-Encoding: gzip"));
	for (size_t i = 0; i < q->nheaders; i++) {
		const struct fetch_header *h = &q->headers[i];

		if (j->foreign && !is_public(h->name))
			continue;
		if (h->name.n == 0 || !fetch_safe(h->name) ||
		    !fetch_safe(h->value) || str_chr(h->name, ':') < h->name.n)
			return error_set(
			    e, "invalid header '%.*s'", STR_ARG(h->name));
		type |= str_eq_fold(h->name, STR("Content-Type"));
		fetch_header(j, h->name, h->value);
	}
	/* libcurl would say that of every body it sends */
	if (!type && (q->body.n > 0 || strcmp(j->method, "GET") != 0))
		add_line(j, STR("Content-Type:"));
	return 0;
}

/* http_headers: beside what the request itself sends. */
static int
put_http_headers(struct fetch_job *j, struct error *e)
{
	static const char *const parts[] = { "values", "secrets", "files" };
	const struct conf_node *map = j->q.auth->headers;

	for (size_t i = 0; map != NULL && i < map->n; i++)
		for (size_t p = 0; p < 3; p++) {
			const struct conf_node *h = map->v[i], *list;

			list = conf_find(h, parts[p]);
			for (size_t k = 0; list != NULL && k < list->n; k++) {
				str s = list->v[k]->value, none = STR_NONE;

				if (line_secret(j, p < 2 ? s : none,
					p < 2 ? none : s, "http_headers", &s,
					e) == -1)
					return -1;
				fetch_header(j, h->key, s);
			}
		}
	return 0;
}

static int
put_credentials(struct fetch_job *j, const struct auth *a, struct error *e)
{
	struct fetch_curl *c = &j->fetch->curl;
	str user, password, token;

	if (put_http_headers(j, e) == -1)
		return -1;
	if (a->basic) {
		if (fetch_secret(j, a->conf, a->username, a->username_file,
			"basic_auth", &user, e) == -1 ||
		    fetch_secret(j, a->conf, a->password, a->password_file,
			"basic_auth", &password, e) == -1)
			return -1;
		j->set = false;
		c->setopt(j->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		c->setopt(j->easy, CURLOPT_USERNAME,
		    user.n ? arena_cstr(&j->arena, user) : "");
		c->setopt(j->easy, CURLOPT_PASSWORD,
		    password.n ? arena_cstr(&j->arena, password) : "");
	} else if (a->type.n) {
		if (line_secret(j, a->credentials, a->credentials_file,
			"authorization", &token, e) == -1)
			return -1;
		if (!fetch_safe(a->type))
			return error_set(
			    e, "authorization: type holds a control character");
		fetch_header(j, STR("Authorization"),
		    arena_printf(&j->arena, "%.*s%s%.*s", STR_ARG(a->type),
			token.n ? " " : "", STR_ARG(token)));
	}
	return 0;
}

/* A PEM text for the target, and the same for a proxy that speaks TLS. */
static int
put_pem(struct fetch_job *j, CURLoption option, CURLoption proxy, str pem,
    str path, const char *what, struct error *e)
{
	const struct conf *conf = j->q.auth->conf;
	struct curl_blob b = { .flags = CURL_BLOB_COPY };
	str text;

	if (pem.n == 0 && path.n == 0)
		return 0;
	if (fetch_secret(j, conf, pem, path, what, &text, e) == -1)
		return -1;
	if (text.n == 0)
		return error_set(e, "%s: empty", what);
	j->set = false;
	b.data = (void *)(uintptr_t)text.p;
	b.len = text.n;
	j->fetch->curl.setopt(j->easy, option, &b);
	j->fetch->curl.setopt(j->easy, proxy, &b);
	return 0;
}

static long
tls_version(str s, bool max)
{
	static const struct {
		str name;
		long min, max;
	} t[] = {
		{ STR_INIT("TLS10"), CURL_SSLVERSION_TLSv1_0,
		    CURL_SSLVERSION_MAX_TLSv1_0 },
		{ STR_INIT("TLS11"), CURL_SSLVERSION_TLSv1_1,
		    CURL_SSLVERSION_MAX_TLSv1_1 },
		{ STR_INIT("TLS12"), CURL_SSLVERSION_TLSv1_2,
		    CURL_SSLVERSION_MAX_TLSv1_2 },
		{ STR_INIT("TLS13"), CURL_SSLVERSION_TLSv1_3,
		    CURL_SSLVERSION_MAX_TLSv1_3 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (str_eq(s, t[i].name))
			return max ? t[i].max : t[i].min;
	return max ? 0 : CURL_SSLVERSION_TLSv1_2;
}

static void
put_versions(struct fetch_job *j, const struct auth_tls *t)
{
	struct fetch_curl *c = &j->fetch->curl;
	long v;

	if (t->min_version.n == 0 && t->max_version.n == 0)
		return;
	v = tls_version(t->min_version, false) |
	    tls_version(t->max_version, true);
	c->setopt(j->easy, CURLOPT_SSLVERSION, v);
	c->setopt(j->easy, CURLOPT_PROXY_SSLVERSION, v);
	/* Debian's OpenSSL does these only when told that twice. */
	if (str_eq(t->min_version, STR("TLS10")) ||
	    str_eq(t->min_version, STR("TLS11")))
		c->setopt(
		    j->easy, CURLOPT_SSL_CIPHER_LIST, "DEFAULT@SECLEVEL=0");
	j->set = false;
}

/* The roots that are trusted hold for every hop, a certificate of ours not. */
static int
put_tls(struct fetch_job *j, const struct auth_tls *t, struct error *e)
{
	struct fetch_curl *c = &j->fetch->curl;

	if (t->insecure_skip_verify) {
		j->set = false;
		c->setopt(j->easy, CURLOPT_SSL_VERIFYPEER, 0L);
		c->setopt(j->easy, CURLOPT_SSL_VERIFYHOST, 0L);
		c->setopt(j->easy, CURLOPT_PROXY_SSL_VERIFYPEER, 0L);
		c->setopt(j->easy, CURLOPT_PROXY_SSL_VERIFYHOST, 0L);
	}
	put_versions(j, t);
	if (put_pem(j, CURLOPT_CAINFO_BLOB, CURLOPT_PROXY_CAINFO_BLOB, t->ca,
		t->ca_file, "tls_config: ca", e) == -1)
		return -1;
	if (t->ca.n || t->ca_file.n) {
		/* nor the system's directory of them beside it */
		c->setopt(j->easy, CURLOPT_CAPATH, NULL);
		c->setopt(j->easy, CURLOPT_PROXY_CAPATH, NULL);
	}
	if (j->foreign)
		return 0;
	if (put_pem(j, CURLOPT_SSLCERT_BLOB, CURLOPT_PROXY_SSLCERT_BLOB,
		t->cert, t->cert_file, "tls_config: cert", e) == -1)
		return -1;
	return put_pem(j, CURLOPT_SSLKEY_BLOB, CURLOPT_PROXY_SSLKEY_BLOB,
	    t->key, t->key_file, "tls_config: key", e);
}

/* What holds for every origin, and for the one the request was made for. */
static int
put_auth(struct fetch_job *j, const struct auth *a, struct error *e)
{
	struct fetch_curl *c = &j->fetch->curl;

	if (a == NULL)
		return 0;
	if (!a->enable_http2) {
		j->set = false;
		c->setopt(
		    j->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	}
	if (fetch_proxy(j, &a->proxy, e) == -1)
		return -1;
	return put_tls(j, &a->tls, e);
}

int
fetch_lines(struct fetch_job *j, struct error *e)
{
	j->headers = NULL;
	j->tail = &j->headers;
	if (put_headers(j, e) == -1)
		return -1;
	return j->q.auth == NULL || j->foreign
	    ? 0
	    : put_credentials(j, j->q.auth, e);
}

static void
put_method(struct fetch_job *j)
{
	struct fetch_curl *c = &j->fetch->curl;
	bool get = strcmp(j->method, "GET") == 0;

	/* a GET with a body, but not a POST that became a GET */
	if (get && (j->q.body.n == 0 || j->redirects > 0))
		return;
	j->set = false;
	if (strcmp(j->method, "HEAD") == 0) {
		c->setopt(j->easy, CURLOPT_NOBODY, 1L);
		return;
	}
	c->setopt(j->easy, CURLOPT_POST, 1L);
	c->setopt(j->easy, CURLOPT_POSTFIELDS, j->q.body.n ? j->q.body.p : "");
	c->setopt(
	    j->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)j->q.body.n);
	if (strcmp(j->method, "POST") != 0)
		c->setopt(j->easy, CURLOPT_CUSTOMREQUEST, j->method);
}

/* One part of a URL, in the arena; NULL if it has none. */
static const char *
url_part(struct fetch_job *j, CURLU *u, CURLUPart part, unsigned flags)
{
	struct fetch_curl *c = &j->fetch->curl;
	const char *copied = NULL;
	char *p;

	if (c->url_get(u, part, &p, flags) == CURLUE_OK) {
		copied = arena_cstr(&j->arena, str_of(p));
		c->free(p);
	}
	return copied;
}

int
fetch_url(
    struct fetch_job *j, const char *url, struct fetch_url *u, struct error *e)
{
	struct fetch_curl *c = &j->fetch->curl;
	CURLU *p = c->url();
	const char *port = NULL;
	CURLUcode rc;

	rc = c->url_set(p, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
	if (rc == CURLUE_OK) {
		u->scheme = url_part(j, p, CURLUPART_SCHEME, 0);
		u->host = url_part(j, p, CURLUPART_HOST, 0);
		port = url_part(j, p, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	} else {
		u->scheme = NULL;
	}
	c->url_cleanup(p);
	if (rc != CURLUE_OK)
		return error_set(e, "invalid URL: %s", c->url_strerror(rc));
	if (u->scheme == NULL)
		return error_set(e, "invalid URL");
	if (strcmp(u->scheme, "http") != 0 && strcmp(u->scheme, "https") != 0)
		return error_set(e, "unsupported scheme '%s'", u->scheme);
	if (u->host == NULL || port == NULL)
		return error_set(e, "invalid URL");
	u->port = (int)strtol(port, NULL, 10);
	return 0;
}

/* Behind the host of a URL; NULL if there is anything odd about it. */
static const char *
host_end(const char *host)
{
	size_t n = strspn(host, "0123456789abcdefABCDEF:.[");
	struct in6_addr a;
	char z[64];

	if (host[0] == '[') {
		if (n > sizeof(z) || host[n] != ']')
			return NULL;
		memcpy(z, host + 1, n - 1);
		z[n - 1] = '\0';
		return inet_pton(AF_INET6, z, &a) == 1 ? host + n + 1 : NULL;
	}
	if ((host[0] < 'a' || host[0] > 'z') &&
	    (host[0] < '0' || host[0] > '9'))
		return NULL;
	return host + strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-");
}

/* Those of targets are; only the others are taken apart by libcurl's parser. */
bool
fetch_simple(const char *url)
{
	size_t digits;

	if (strncmp(url, "http://", 7) == 0)
		url += 7;
	else if (strncmp(url, "https://", 8) == 0)
		url += 8;
	else
		return false;
	url = host_end(url);
	if (url == NULL)
		return false;
	if (*url == ':') {
		digits = strspn(url + 1, "0123456789");
		if (digits == 0 || digits > 5 ||
		    strtol(url + 1, NULL, 10) > 65535)
			return false;
		url += 1 + digits;
	}
	for (url += *url == '/'; *url != '\0'; url++)
		if (*url <= ' ' || *url >= 0x7f || *url == '\\')
			return false;
	return true;
}

/*
 * tls_config's server_name: libcurl takes the name it asks for and verifies
 * from the URL, so the URL gets it, CONNECT_TO leads to the real host, and the
 * Host header says what it said before.
 */
static int
rename_server(struct fetch_job *j, const struct fetch_url *u,
    struct curl_slist *to, const char **url, struct error *e)
{
	const char *name = arena_cstr(&j->arena, j->q.auth->tls.server_name);
	struct fetch_curl *c = &j->fetch->curl;
	CURLU *p = c->url();
	str from = arena_printf(&j->arena, "%s:%d:", u->host, u->port);
	str line = arena_printf(
	    &j->arena, "%s:%d:%s:%d", name, u->port, u->host, u->port);
	bool good;

	for (size_t i = 0; i < j->fetch->nconnect_to; i++) {
		const char *t = j->fetch->connect_to[i];

		if (str_starts(str_of(t), from))
			line = arena_printf(
			    &j->arena, "%s:%d:%s", name, u->port, t + from.n);
	}
	to->data = arena_cstr(&j->arena, line);
	c->setopt(j->easy, CURLOPT_CONNECT_TO, to);
	fetch_header(
	    j, STR("Host"), arena_printf(&j->arena, "%s:%d", u->host, u->port));
	good = c->url_set(p, CURLUPART_URL, *url, 0) == CURLUE_OK &&
	    c->url_set(p, CURLUPART_HOST, name, 0) == CURLUE_OK;
	*url = url_part(j, p, CURLUPART_URL, 0);
	c->url_cleanup(p);
	j->set = false;
	return good && *url != NULL
	    ? 0
	    : error_set(e, "tls_config: server_name: '%s' is no name", name);
}

static int
put_url(struct fetch_job *j, struct error *e)
{
	struct fetch_curl *c = &j->fetch->curl;
	const struct auth *a = j->q.auth;
	bool rename = a != NULL && a->tls.server_name.n > 0 && !j->foreign;
	const char *url = j->url;
	struct fetch_url u;

	if (rename || !fetch_simple(url)) {
		if (fetch_url(j, url, &u, e) == -1)
			return -1;
		if (rename && strcmp(u.scheme, "https") == 0 &&
		    rename_server(j, &u,
			arena_new(&j->arena, struct curl_slist), &url, e) == -1)
			return -1;
	}
	c->setopt(j->easy, CURLOPT_URL, url);
	return 0;
}

static void
put_connect_to(struct fetch_job *j)
{
	struct fetch *f = j->fetch;
	struct curl_slist *list = NULL, **tail = &list;

	for (size_t i = 0; i < f->nconnect_to; i++) {
		*tail = arena_new(&j->arena, struct curl_slist);
		(*tail)->data = f->connect_to[i];
		tail = &(*tail)->next;
	}
	if (list != NULL) {
		j->fetch->curl.setopt(j->easy, CURLOPT_CONNECT_TO, list);
		j->set = false; /* the list lives as long as the request */
	}
}

/* What is the same for every request. */
static void
put_base(struct fetch_job *j)
{
	struct fetch_curl *c = &j->fetch->curl;

	c->easy_reset(j->easy);
	c->setopt(j->easy, CURLOPT_PRIVATE, j);
	c->setopt(j->easy, CURLOPT_NOSIGNAL, 1L);
	c->setopt(j->easy, CURLOPT_QUICK_EXIT, 1L); /* of the resolver */
	c->setopt(j->easy, CURLOPT_ERRORBUFFER, j->why);
	c->setopt(j->easy, CURLOPT_USERAGENT, j->fetch->user_agent);
	c->setopt(j->easy, CURLOPT_WRITEFUNCTION, fetch_body_add);
	c->setopt(j->easy, CURLOPT_WRITEDATA, j);
	c->setopt(j->easy, CURLOPT_HEADERFUNCTION, fetch_body_head);
	c->setopt(j->easy, CURLOPT_HEADERDATA, j);
	c->setopt(j->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	c->setopt(j->easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	c->setopt(j->easy, CURLOPT_PROXY, "");
	c->setopt(j->easy, CURLOPT_TCP_NODELAY, 1L);
	c->setopt(j->easy, CURLOPT_BUFFERSIZE, BUFFER_SIZE);
	c->setopt(j->easy, CURLOPT_MAXAGE_CONN, MAX_IDLE_S);
	/*
	 * Connections are kept, names need not be; and each transfer looks
	 * over all that are, a fleet's too.
	 */
	c->setopt(j->easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	c->setopt(j->easy, CURLOPT_HTTPGET, 1L);
	j->set = true;
}

int
fetch_setup(struct fetch_job *j, struct error *e)
{
	struct fetch *f = j->fetch;
	struct fetch_curl *c = &f->curl;

	if (!j->set)
		put_base(j);
	j->why[0] = '\0';
	if (j->sock != NULL) {
		c->setopt(j->easy, CURLOPT_UNIX_SOCKET_PATH, j->sock);
		j->set = false;
	}
	put_method(j);
	put_connect_to(j);
	if (fetch_lines(j, e) == -1 || put_url(j, e) == -1 ||
	    put_auth(j, j->q.auth, e) == -1) {
		j->set = false;
		return -1;
	}
	if (j->token != NULL && !j->foreign)
		fetch_token_header(j);
	c->setopt(j->easy, CURLOPT_HTTPHEADER, j->headers);
	if (j->deadline) {
		int64_t left = (j->deadline - fetch_now(f)) / 1000000;

		c->setopt(
		    j->easy, CURLOPT_TIMEOUT_MS, (long)(left > 0 ? left : 1));
	} else {
		c->setopt(j->easy, CURLOPT_TIMEOUT_MS, 0L);
	}
	return 0;
}
