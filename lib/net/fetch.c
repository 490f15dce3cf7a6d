/*
 * Requests over libcurl's multi interface.  Three things are done here and not
 * left to libcurl: decoded bytes are counted as they arrive (its own limit
 * does not stop a gzip bomb); redirects are followed by hand, so that
 * credentials and headers never reach another origin; and the library is
 * loaded when the first request is made, typed by its own headers.
 */
#include "net/fetch.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/file.h"
#include "base/mem.h"

#define MAX_BODY ((size_t)256 << 20)
#define MAX_REDIRECTS 10
#define MAX_IDLE_HANDLES 64
#define MAX_CONNECTIONS 512L

struct curl {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_global_cleanup) *global_cleanup;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_easy_reset) *easy_reset;
	__typeof__(curl_easy_setopt) *setopt;
	__typeof__(curl_easy_getinfo) *getinfo;
	__typeof__(curl_easy_strerror) *strerror;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free;
	__typeof__(curl_url) *url;
	__typeof__(curl_url_cleanup) *url_cleanup;
	__typeof__(curl_url_set) *url_set;
	__typeof__(curl_url_get) *url_get;
	__typeof__(curl_free) *free;
	__typeof__(curl_multi_init) *multi_init;
	__typeof__(curl_multi_cleanup) *multi_cleanup;
	__typeof__(curl_multi_setopt) *multi_setopt;
	__typeof__(curl_multi_add_handle) *multi_add;
	__typeof__(curl_multi_remove_handle) *multi_remove;
	__typeof__(curl_multi_perform) *multi_perform;
	__typeof__(curl_multi_poll) *multi_poll;
	__typeof__(curl_multi_info_read) *multi_info;
};

#define SYM(member, name)                                                      \
	{                                                                      \
#name, offsetof(struct curl, member)                           \
	}
static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	SYM(global_init, curl_global_init),
	SYM(global_cleanup, curl_global_cleanup),
	SYM(easy_init, curl_easy_init),
	SYM(easy_cleanup, curl_easy_cleanup),
	SYM(easy_reset, curl_easy_reset),
	SYM(setopt, curl_easy_setopt),
	SYM(getinfo, curl_easy_getinfo),
	SYM(strerror, curl_easy_strerror),
	SYM(slist_append, curl_slist_append),
	SYM(slist_free, curl_slist_free_all),
	SYM(url, curl_url),
	SYM(url_cleanup, curl_url_cleanup),
	SYM(url_set, curl_url_set),
	SYM(url_get, curl_url_get),
	SYM(free, curl_free),
	SYM(multi_init, curl_multi_init),
	SYM(multi_cleanup, curl_multi_cleanup),
	SYM(multi_setopt, curl_multi_setopt),
	SYM(multi_add, curl_multi_add_handle),
	SYM(multi_remove, curl_multi_remove_handle),
	SYM(multi_perform, curl_multi_perform),
	SYM(multi_poll, curl_multi_poll),
	SYM(multi_info, curl_multi_info_read),
};

/* A request under way.  Its strings live in its arena. */
struct job {
	TAILQ_ENTRY(job) entry;
	struct fetch *fetch;
	struct fetch_request q;
	CURL *easy;
	struct arena arena;
	struct curl_slist *headers, *connect_to;
	struct buf body;
	size_t max_body;
	bool too_large;
	int redirects;
	int64_t start, deadline; /* ns; deadline 0: none */
	const char *method;      /* changes to GET by a redirect */
	const char *origin;      /* scheme://host:port credentials are for */
	bool foreign;            /* redirected to another origin */
	const char *sock;        /* of unix:PATH */
	char why[CURL_ERROR_SIZE];
};

struct fetch {
	const struct clock *clock;
	char *user_agent;
	char **connect_to;
	size_t nconnect_to;
	struct curl curl;
	CURLM *multi; /* NULL until the first request */
	TAILQ_HEAD(jobs, job) jobs;
	size_t pending;
	CURL *idle[MAX_IDLE_HANDLES];
	size_t nidle;
};

static char *
copy(const char *z)
{
	size_t n = strlen(z) + 1;

	return memcpy(mem_alloc(n), z, n);
}

struct fetch *
fetch_new(const struct clock *clock, const char *user_agent,
    const char *const *connect_to, size_t nconnect_to)
{
	struct fetch *f = mem_zero(1, sizeof(*f));

	f->clock = clock;
	f->user_agent = copy(user_agent);
	f->connect_to =
	    mem_zero(nconnect_to ? nconnect_to : 1, sizeof(*f->connect_to));
	for (; f->nconnect_to < nconnect_to; f->nconnect_to++)
		f->connect_to[f->nconnect_to] =
		    copy(connect_to[f->nconnect_to]);
	TAILQ_INIT(&f->jobs);
	return f;
}

static void
job_free(struct job *j)
{
	struct fetch *f = j->fetch;

	if (j->easy != NULL && f->nidle < MAX_IDLE_HANDLES)
		f->idle[f->nidle++] = j->easy;
	else if (j->easy != NULL)
		f->curl.easy_cleanup(j->easy);
	f->curl.slist_free(j->headers);
	f->curl.slist_free(j->connect_to);
	buf_fini(&j->body);
	arena_fini(&j->arena);
	free(j);
}

void
fetch_free(struct fetch *f)
{
	struct job *j;

	if (f == NULL)
		return;
	while ((j = TAILQ_FIRST(&f->jobs)) != NULL) {
		TAILQ_REMOVE(&f->jobs, j, entry);
		f->curl.multi_remove(f->multi, j->easy);
		job_free(j);
	}
	while (f->nidle > 0)
		f->curl.easy_cleanup(f->idle[--f->nidle]);
	if (f->multi != NULL) {
		f->curl.multi_cleanup(f->multi);
		f->curl.global_cleanup();
	}
	for (size_t i = 0; i < f->nconnect_to; i++)
		free(f->connect_to[i]);
	free(f->connect_to);
	free(f->user_agent);
	free(f);
}

size_t
fetch_pending(const struct fetch *f)
{
	return f->pending;
}

/* Never unloaded: its TLS library has handlers for the end of the process. */
static int
load_curl(struct fetch *f, struct error *e)
{
	void *lib = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	if (lib == NULL)
		return error_set(e, "cannot load libcurl: %s", dlerror());
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *fn = dlsym(lib, symbols[i].name);

		if (fn == NULL)
			return error_set(
			    e, "cannot load libcurl: no %s", symbols[i].name);
		memcpy((char *)&f->curl + symbols[i].offset, &fn, sizeof(fn));
	}
	if (f->curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    (f->multi = f->curl.multi_init()) == NULL)
		return error_set(e, "cannot start libcurl");
	f->curl.multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, MAX_CONNECTIONS);
	return 0;
}

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct job *j = arg;

	if (size * n >= j->max_body - j->body.n) {
		j->too_large = true;
		return 0;
	}
	buf_add(&j->body, (str){ p, size * n });
	return size * n;
}

/* A secret from its file, or as given; blanks at its ends do not count. */
static int
secret(struct job *j, const struct auth *a, str value, str path,
    const char **out, struct error *e)
{
	struct buf b = { 0 };
	int rc;

	if (path.n == 0) {
		*out = arena_cstr(&j->arena, value);
		return 0;
	}
	if (a->conf != NULL)
		rc = conf_read_from(a->conf, path, &b, e);
	else
		rc = file_read(arena_cstr(&j->arena, path), &b, e);
	*out = arena_cstr(&j->arena, str_trim(buf_str(&b)));
	buf_fini(&b);
	return rc;
}

static bool
header_safe(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\t')
			return false;
	return true;
}

static void
add_header(struct job *j, const char *line)
{
	j->headers = j->fetch->curl.slist_append(j->headers, line);
}

/* May a redirect take this header to another origin?  It holds no secret. */
static bool
header_public(str name)
{
	static const char *const t[] = { "Accept", "Content-Type",
		"Content-Encoding", "X-Prometheus-Scrape-Timeout-Seconds" };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (name.n == strlen(t[i]) &&
		    strncasecmp(name.p, t[i], name.n) == 0)
			return true;
	return false;
}

static int
put_headers(struct job *j, struct error *e)
{
	const struct fetch_request *q = &j->q;
	bool type = false;

	j->fetch->curl.slist_free(j->headers);
	j->headers = NULL;
	add_header(j, "Expect:");
	for (size_t i = 0; i < q->nheaders; i++) {
		const struct fetch_header *h = &q->headers[i];

		if (j->foreign && !header_public(h->name))
			continue;
		if (h->name.n == 0 || !header_safe(h->name) ||
		    !header_safe(h->value) || str_chr(h->name, ':') < h->name.n)
			return error_set(
			    e, "invalid header '%.*s'", STR_ARG(h->name));
		type |= h->name.n == 12 &&
		    strncasecmp(h->name.p, "Content-Type", 12) == 0;
		add_header(j,
		    arena_cstr(&j->arena,
			h->value.n ? arena_printf(&j->arena, "%.*s: %.*s",
					 STR_ARG(h->name), STR_ARG(h->value))
				   : arena_printf(&j->arena, "%.*s;",
					 STR_ARG(h->name))));
	}
	if (!type)
		add_header(j, "Content-Type:");
	return 0;
}

static int
put_credentials(struct job *j, const struct auth *a, struct error *e)
{
	struct curl *c = &j->fetch->curl;
	const char *user, *password, *token;

	if (a->username.n || a->username_file.n || a->password.n ||
	    a->password_file.n) {
		if (secret(j, a, a->username, a->username_file, &user, e) ==
			-1 ||
		    secret(j, a, a->password, a->password_file, &password, e) ==
			-1)
			return error_add(e, "basic_auth");
		c->setopt(j->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		c->setopt(j->easy, CURLOPT_USERNAME, user);
		c->setopt(j->easy, CURLOPT_PASSWORD, password);
	} else if (a->credentials.n || a->credentials_file.n) {
		if (secret(j, a, a->credentials, a->credentials_file, &token,
			e) == -1)
			return error_add(e, "authorization");
		if (!header_safe(str_of(token)) || !header_safe(a->type))
			return error_set(e,
			    "authorization: the credentials "
			    "hold a control character");
		add_header(j,
		    arena_cstr(&j->arena,
			arena_printf(&j->arena, "Authorization: %.*s %s",
			    STR_ARG(a->type), token)));
	}
	return 0;
}

static int
put_blob(struct job *j, const struct auth *a, CURLoption option, str pem,
    str path, struct error *e)
{
	const char *text;

	if (pem.n == 0 && path.n == 0)
		return 0;
	if (secret(j, a, pem, path, &text, e) == -1)
		return error_add(e, "tls_config");
	j->fetch->curl.setopt(j->easy, option,
	    &(struct curl_blob){ .data = (void *)(uintptr_t)text,
		.len = strlen(text),
		.flags = CURL_BLOB_COPY });
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

/* What holds for every origin, and for the one the request was made for. */
static int
put_auth(struct job *j, const struct auth *a, struct error *e)
{
	struct curl *c = &j->fetch->curl;

	if (a == NULL)
		return 0;
	if (!a->enable_http2)
		c->setopt(
		    j->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	if (a->proxy_url.n)
		c->setopt(j->easy, CURLOPT_PROXY,
		    arena_cstr(&j->arena, a->proxy_url));
	if (a->no_proxy.n)
		c->setopt(j->easy, CURLOPT_NOPROXY,
		    arena_cstr(&j->arena, a->no_proxy));
	if (a->insecure_skip_verify) {
		c->setopt(j->easy, CURLOPT_SSL_VERIFYPEER, 0L);
		c->setopt(j->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (a->min_version.n || a->max_version.n)
		c->setopt(j->easy, CURLOPT_SSLVERSION,
		    tls_version(a->min_version, false) |
			tls_version(a->max_version, true));
	if (put_blob(j, a, CURLOPT_CAINFO_BLOB, a->ca, a->ca_file, e) == -1)
		return -1;
	if (j->foreign)
		return 0;
	if (put_blob(j, a, CURLOPT_SSLCERT_BLOB, a->cert, a->cert_file, e) ==
		-1 ||
	    put_blob(j, a, CURLOPT_SSLKEY_BLOB, a->key, a->key_file, e) == -1)
		return -1;
	return put_credentials(j, a, e);
}

static void
put_method(struct job *j)
{
	struct curl *c = &j->fetch->curl;
	bool get = strcmp(j->method, "GET") == 0;

	if (strcmp(j->method, "HEAD") == 0) {
		c->setopt(j->easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (get && j->q.body.n == 0) {
		c->setopt(j->easy, CURLOPT_HTTPGET, 1L);
		return;
	}
	if (get && j->redirects > 0) { /* a POST that became a GET */
		c->setopt(j->easy, CURLOPT_HTTPGET, 1L);
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
url_part(struct job *j, CURLU *u, CURLUPart part, unsigned flags)
{
	struct curl *c = &j->fetch->curl;
	const char *copied = NULL;
	char *p;

	if (c->url_get(u, part, &p, flags) == CURLUE_OK) {
		copied = arena_cstr(&j->arena, str_of(p));
		c->free(p);
	}
	return copied;
}

/*
 * tls_config's server_name: libcurl takes the name it asks for and verifies
 * from the URL, so the URL gets it, CONNECT_TO leads to the real host, and the
 * Host header says what it said before.
 */
static const char *
rename_server(struct job *j, CURLU *u, const char *host, const char *port)
{
	const char *name = arena_cstr(&j->arena, j->q.auth->server_name);
	struct curl *c = &j->fetch->curl;
	str to = arena_printf(&j->arena, "%s:%s:%s:%s", name, port, host, port);

	for (size_t i = 0; i < j->fetch->nconnect_to; i++) {
		const char *t = j->fetch->connect_to[i];
		str from = arena_printf(&j->arena, "%s:%s:", host, port);

		if (str_starts(str_of(t), from))
			to = arena_printf(
			    &j->arena, "%s:%s:%s", name, port, t + from.n);
	}
	j->connect_to = c->slist_append(NULL, arena_cstr(&j->arena, to));
	c->setopt(j->easy, CURLOPT_CONNECT_TO, j->connect_to);
	add_header(j,
	    arena_cstr(
		&j->arena, arena_printf(&j->arena, "Host: %s:%s", host, port)));
	c->url_set(u, CURLUPART_HOST, name, 0);
	return url_part(j, u, CURLUPART_URL, 0);
}

static int
put_url(struct job *j, const char *text, struct error *e)
{
	struct curl *c = &j->fetch->curl;
	CURLU *u = c->url();
	const char *scheme, *host, *port, *url = text;
	int rc = -1;

	if (c->url_set(u, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) !=
	    CURLUE_OK) {
		error_set(e, "invalid URL");
		goto out;
	}
	scheme = url_part(j, u, CURLUPART_SCHEME, 0);
	host = url_part(j, u, CURLUPART_HOST, 0);
	port = url_part(j, u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	if (scheme == NULL || host == NULL || port == NULL ||
	    (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)) {
		error_set(e, "unsupported scheme '%s': must be http or https",
		    scheme ? scheme : "");
		goto out;
	}
	text = arena_cstr(&j->arena,
	    arena_printf(&j->arena, "%s://%s:%s", scheme, host, port));
	if (j->origin == NULL)
		j->origin = text;
	j->foreign |= strcmp(j->origin, text) != 0;
	if (put_headers(j, e) == -1 || put_auth(j, j->q.auth, e) == -1)
		goto out;
	if (j->q.auth != NULL && j->q.auth->server_name.n && !j->foreign &&
	    strcmp(scheme, "https") == 0)
		url = rename_server(j, u, host, port);
	c->setopt(j->easy, CURLOPT_URL, url);
	c->setopt(j->easy, CURLOPT_HTTPHEADER, j->headers);
	rc = 0;
out:
	c->url_cleanup(u);
	return rc;
}

static void
put_connect_to(struct job *j)
{
	struct fetch *f = j->fetch;

	f->curl.slist_free(j->connect_to);
	j->connect_to = NULL;
	for (size_t i = 0; i < f->nconnect_to; i++)
		j->connect_to =
		    f->curl.slist_append(j->connect_to, f->connect_to[i]);
	f->curl.setopt(j->easy, CURLOPT_CONNECT_TO, j->connect_to);
}

/* Bring the handle up for one hop and start it. */
static int
start(struct job *j, const char *url, struct error *e)
{
	struct fetch *f = j->fetch;
	struct curl *c = &f->curl;

	c->easy_reset(j->easy);
	c->setopt(j->easy, CURLOPT_PRIVATE, j);
	c->setopt(j->easy, CURLOPT_NOSIGNAL, 1L);
	c->setopt(j->easy, CURLOPT_QUICK_EXIT, 1L); /* of the resolver */
	c->setopt(j->easy, CURLOPT_ERRORBUFFER, j->why);
	c->setopt(j->easy, CURLOPT_USERAGENT, f->user_agent);
	c->setopt(j->easy, CURLOPT_WRITEFUNCTION, on_body);
	c->setopt(j->easy, CURLOPT_WRITEDATA, j);
	c->setopt(j->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	c->setopt(j->easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	c->setopt(j->easy, CURLOPT_PROXY, "");
	c->setopt(j->easy, CURLOPT_TCP_NODELAY, 1L);
	c->setopt(j->easy, CURLOPT_ACCEPT_ENCODING,
	    j->q.no_compression ? "identity" : "gzip");
	if (j->sock != NULL)
		c->setopt(j->easy, CURLOPT_UNIX_SOCKET_PATH, j->sock);
	if (j->deadline) {
		int64_t left =
		    (j->deadline - f->clock->mono(f->clock->arg)) / 1000000;

		c->setopt(
		    j->easy, CURLOPT_TIMEOUT_MS, (long)(left > 0 ? left : 1));
	}
	put_method(j);
	put_connect_to(j);
	if (put_url(j, url, e) == -1)
		return -1;
	if (c->multi_add(f->multi, j->easy) != CURLM_OK)
		return error_set(e, "cannot start the request");
	return 0;
}

/* unix:PATH:/URL-PATH: the socket, and what is asked of it. */
static const char *
split_unix(struct job *j, str url)
{
	str path = str_skip(url, 5);
	size_t n = str_find(path, STR(":/"));

	j->sock = arena_cstr(&j->arena, str_take(path, n));
	path = str_skip(path, n + 1);
	return arena_cstr(&j->arena,
	    arena_printf(&j->arena, "http://localhost%.*s", STR_ARG(path)));
}

int
fetch_add(struct fetch *f, const struct fetch_request *q, struct error *e)
{
	const char *url;
	struct job *j;

	if (f->multi == NULL && load_curl(f, e) == -1)
		return -1;
	j = mem_zero(1, sizeof(*j));
	j->fetch = f;
	j->q = *q;
	j->method = q->method;
	j->max_body = q->max_body ? q->max_body : MAX_BODY;
	j->start = f->clock->mono(f->clock->arg);
	j->deadline = q->timeout ? j->start + q->timeout * 1000000 : 0;
	j->easy = f->nidle ? f->idle[--f->nidle] : f->curl.easy_init();
	if (memchr(q->url.p, '\0', q->url.n) != NULL || !header_safe(q->url)) {
		error_set(e, "invalid URL");
		goto fail;
	}
	if (str_starts(q->url, STR("unix:")))
		url = split_unix(j, q->url);
	else
		url = arena_cstr(&j->arena, q->url);
	if (start(j, url, e) == -1)
		goto fail;
	TAILQ_INSERT_TAIL(&f->jobs, j, entry);
	f->pending++;
	return 0;
fail:
	job_free(j);
	return -1;
}

/*
 * Go on to where a redirect leads, as Go's client does: 307 and 308 repeat the
 * request, the others make it a GET.  1 if it was a redirect.
 */
static int
redirect(struct job *j, long status, struct error *e)
{
	char *to = NULL;
	const char *url;

	if (j->sock != NULL ||
	    (j->q.auth != NULL && !j->q.auth->follow_redirects) ||
	    (status != 301 && status != 302 && status != 303 && status != 307 &&
		status != 308))
		return 0;
	j->fetch->curl.getinfo(j->easy, CURLINFO_REDIRECT_URL, &to);
	if (to == NULL)
		return 0;
	if (j->redirects++ == MAX_REDIRECTS)
		return error_set(
		    e, "stopped after %d redirects", MAX_REDIRECTS);
	url = arena_cstr(&j->arena, str_of(to));
	if (status != 307 && status != 308 && strcmp(j->method, "HEAD") != 0)
		j->method = "GET";
	buf_reset(&j->body);
	j->fetch->curl.multi_remove(j->fetch->multi, j->easy);
	return start(j, url, e) == -1 ? -1 : 1;
}

static const char *
describe(struct job *j, CURLcode code)
{
	if (j->too_large)
		return arena_cstr(&j->arena,
		    arena_printf(&j->arena,
			"the body is larger than the limit of %zu bytes",
			j->max_body));
	if (code == CURLE_OPERATION_TIMEDOUT)
		return "context deadline exceeded";
	if (j->why[0] != '\0')
		return j->why;
	return j->fetch->curl.strerror(code);
}

static void
finish(struct job *j, CURLcode code)
{
	struct fetch *f = j->fetch;
	struct fetch_answer a = { 0 };
	struct error e;
	long status = 0;
	char *type = NULL;
	int rc = 0;

	f->curl.getinfo(j->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK && (rc = redirect(j, status, &e)) == 1)
		return;
	f->curl.getinfo(j->easy, CURLINFO_CONTENT_TYPE, &type);
	if (rc == -1)
		a.error = e.msg;
	else if (code != CURLE_OK)
		a.error = describe(j, code);
	a.timed_out = code == CURLE_OPERATION_TIMEDOUT;
	a.too_large = j->too_large;
	a.status = (int)status;
	a.content_type = type ? arena_dup(&j->arena, str_of(type)) : STR_NONE;
	a.body = buf_str(&j->body);
	a.took = f->clock->mono(f->clock->arg) - j->start;
	f->curl.multi_remove(f->multi, j->easy);
	TAILQ_REMOVE(&f->jobs, j, entry);
	f->pending--;
	j->q.done(j->q.arg, &a);
	job_free(j);
}

static void
wait_for(struct fetch *f, struct pollfd *fds, size_t nfds, int timeout)
{
	struct curl_waitfd *w = mem_zero(nfds ? nfds : 1, sizeof(*w));

	for (size_t i = 0; i < nfds; i++) {
		w[i].fd = fds[i].fd;
		if (fds[i].events & POLLIN)
			w[i].events |= CURL_WAIT_POLLIN;
		if (fds[i].events & POLLOUT)
			w[i].events |= CURL_WAIT_POLLOUT;
	}
	f->curl.multi_poll(
	    f->multi, w, (unsigned)nfds, timeout < 0 ? INT_MAX : timeout, NULL);
	/* libcurl passes no POLLHUP on: a second look costs nothing. */
	if (nfds > 0)
		poll(fds, nfds, 0);
	free(w);
}

int
fetch_step(struct fetch *f, struct pollfd *fds, size_t nfds, int timeout,
    struct error *e)
{
	CURLMsg *m;
	int n;

	if (f->pending == 0) {
		if ((nfds > 0 || timeout > 0) && poll(fds, nfds, timeout) == -1)
			for (size_t i = 0; i < nfds; i++)
				fds[i].revents = 0;
		return 0;
	}
	wait_for(f, fds, nfds, timeout);
	if (f->curl.multi_perform(f->multi, &n) != CURLM_OK)
		return error_set(e, "libcurl failed");
	while ((m = f->curl.multi_info(f->multi, &n)) != NULL) {
		CURLcode code = m->data.result;
		char *p = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		f->curl.getinfo(m->easy_handle, CURLINFO_PRIVATE, &p);
		finish((struct job *)(void *)p, code);
	}
	return 0;
}
