/*
 * libmicrohttpd, polled from outside through its epoll descriptor.  Its own
 * time-outs are of inactivity, which a byte a second keeps away; so every
 * connection is noted when it begins, has a deadline for the phase it is in,
 * and its socket is shut down when that has passed.
 *
 * One decision to know: a request is refused in the first call of the access
 * handler, when the head is complete, and every refusal closes the connection.
 */
#include "net/httpd.h"

#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "net/httpd_request.h"
#include "net/listen.h"

#define GZIP_FROM 1024 /* smaller bodies are not worth it */
#define BODIES 4       /* max_body times this, for all requests together */
#define DRAIN_LAST_NS INT64_C(10000000000) /* for those at work */
#define DRAIN_NS 1000000000 /* for a request that is just arriving */

enum phase {
	PHASE_HEAD,
	PHASE_BODY,
	PHASE_ANSWER,
	PHASE_IDLE,
};

struct conn {
	TAILQ_ENTRY(conn) entry;
	struct httpd *httpd;
	int fd;
	enum phase phase;
	int64_t deadline; /* ns */
	bool shut;
	struct request *request;
};

struct request {
	struct conn *conn;
	struct arena arena;
	str target;
	struct buf body;
	struct httpd_request q;
	bool begun;
	int refused; /* status, when found out after the head */
	const char *why;
};

struct httpd {
	struct httpd_limits limits;
	const struct clock *clock;
	httpd_handler *fn;
	void *arg;
	struct MHD_Daemon *daemon;
	int fd;
	char name[LISTEN_NAME];
	TAILQ_HEAD(conns, conn) conns;
	size_t nconns;
	size_t body_bytes; /* held by all requests */
	int64_t busy;      /* ns in handlers in this step: nobody's fault */
	bool draining;
	bool in_place; /* the library leaves heads where it read them */
	char *cert, *key;
};

static int64_t
mono(const struct httpd *h)
{
	return h->clock->mono(h->clock->arg);
}

static void
set_phase(struct conn *c, enum phase phase)
{
	const struct httpd_limits *l = &c->httpd->limits;
	const int64_t ms[] = {
		[PHASE_HEAD] = l->head_deadline,
		[PHASE_BODY] = l->body_deadline,
		[PHASE_ANSWER] = l->answer_deadline,
		[PHASE_IDLE] = l->idle,
	};

	c->phase = phase;
	c->deadline = mono(c->httpd) + ms[phase] * 1000000;
}

static void
request_free(struct request *r)
{
	if (r == NULL)
		return;
	r->conn->httpd->body_bytes -= r->body.cap;
	r->conn->request = NULL;
	buf_fini(&r->body);
	arena_fini(&r->arena);
	free(r);
}

static struct conn *
conn_of(struct MHD_Connection *m)
{
	const union MHD_ConnectionInfo *i =
	    MHD_get_connection_info(m, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return i->socket_context;
}

static void
on_connection(void *arg, struct MHD_Connection *m, void **context,
    enum MHD_ConnectionNotificationCode code)
{
	struct httpd *h = arg;
	struct conn *c = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *i = MHD_get_connection_info(
		    m, MHD_CONNECTION_INFO_CONNECTION_FD);

		c = mem_zero(1, sizeof(*c));
		c->httpd = h;
		c->fd = i->connect_fd;
		set_phase(c, PHASE_HEAD);
		TAILQ_INSERT_TAIL(&h->conns, c, entry);
		h->nconns++;
		*context = c;
	} else if (c != NULL) {
		request_free(c->request);
		TAILQ_REMOVE(&h->conns, c, entry);
		h->nconns--;
		free(c);
		*context = NULL;
	}
}

/* The request line is there; what this returns is the handler's state. */
static void *
on_target(void *arg, const char *target, struct MHD_Connection *m)
{
	struct conn *c = conn_of(m);
	struct request *r;

	(void)arg;
	request_free(c->request);
	r = mem_zero(1, sizeof(*r));
	r->conn = c;
	r->target = arena_dup(&r->arena, str_of(target));
	r->q.arena = &r->arena;
	c->request = r;
	/* A first request's head is timed from the connection's begin. */
	if (c->phase == PHASE_IDLE)
		set_phase(c, PHASE_HEAD);
	return r;
}

static void
on_completed(void *arg, struct MHD_Connection *m, void **state,
    enum MHD_RequestTerminationCode code)
{
	struct conn *c = conn_of(m);

	(void)arg;
	(void)code;
	request_free(c->request);
	*state = NULL;
	set_phase(c, PHASE_IDLE);
}

/* The target is decoded by httpd_parse(), which sees its NULs. */
static size_t
on_unescape(void *arg, struct MHD_Connection *m, char *s)
{
	(void)arg;
	(void)m;
	return strlen(s);
}

static enum MHD_Result
on_header(
    void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct httpd_request *q = arg;
	struct httpd_param *v = (struct httpd_param *)(uintptr_t)q->headers;

	(void)kind;
	if (q->nheaders > HTTPD_MAX_HEADERS)
		return MHD_NO;
	v[q->nheaders].name = str_of(name);
	v[q->nheaders++].value = value ? str_of(value) : STR_NONE;
	return MHD_YES;
}

static str
peer_of(struct MHD_Connection *m, struct arena *a)
{
	const union MHD_ConnectionInfo *i =
	    MHD_get_connection_info(m, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *sa = i ? i->client_addr : NULL;
	char host[INET6_ADDRSTRLEN];
	const void *at = NULL;

	if (sa != NULL && sa->sa_family == AF_INET)
		at = &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
	else if (sa != NULL && sa->sa_family == AF_INET6)
		at =
		    &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
	if (at == NULL ||
	    inet_ntop(sa->sa_family, at, host, sizeof(host)) == NULL)
		return STR("unix");
	return arena_dup(a, str_of(host));
}

/*
 * The library gives header values as C strings, so that what follows a NUL is
 * lost; it takes a bare LF for a line's end, and reads a folded line wrongly:
 * its text is added to the name of the header before, which hides it.  But it
 * leaves names and values where they were read.  So if each follows the one
 * before as "name: value CR LF" says, and the head's size is that of all, then
 * nothing was lost.  True if so.
 */
static bool
nothing_lost(const struct httpd_request *q, const char *method,
    const char *version, size_t size)
{
	uintptr_t at = (uintptr_t)version + strlen(version);

	for (size_t i = 0; i < q->nheaders; i++) {
		uintptr_t name = (uintptr_t)q->headers[i].name.p;
		uintptr_t colon = name + q->headers[i].name.n;
		uintptr_t value = (uintptr_t)q->headers[i].value.p;

		/* Blanks before the value are skipped by the library. */
		if (name != at + 2 || value <= colon || value - colon > size)
			return false;
		at = value + q->headers[i].value.n;
	}
	return at + 4 == (uintptr_t)method + size;
}

/* The head is complete: 0, or the status to refuse it with. */
static int
check_head(struct request *r, struct MHD_Connection *m, const char *method,
    const char *version)
{
	struct httpd *h = r->conn->httpd;
	const union MHD_ConnectionInfo *i;
	size_t size;
	int status;

	r->q.method = arena_dup(&r->arena, str_of(method));
	r->q.headers =
	    arena_array(&r->arena, HTTPD_MAX_HEADERS + 1, struct httpd_param);
	MHD_get_connection_values(m, MHD_HEADER_KIND, on_header, &r->q);
	r->q.peer = peer_of(m, &r->arena);
	i = MHD_get_connection_info(m, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	size = i ? i->header_size : 0;
	status = httpd_check(&r->q, str_of(version), size, &h->limits, &r->why);
	if (status == 0 && h->in_place &&
	    !nothing_lost(&r->q, method, version, size)) {
		r->why = "malformed head";
		status = 400;
	}
	/* Before the body is read; a form in it is parsed later. */
	if (status == 0)
		status = httpd_parse(&r->q, r->target, &r->why);
	return status;
}

static enum MHD_Result
send_answer(struct MHD_Connection *m, struct request *r, struct httpd_answer *a,
    bool closing)
{
	struct MHD_Response *resp;
	enum MHD_Result rc;

	if (a->body.n == 0) {
		buf_fini(&a->body);
		resp = MHD_create_response_from_buffer(
		    0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
	} else
		resp = MHD_create_response_from_buffer(
		    a->body.n, a->body.p, MHD_RESPMEM_MUST_FREE);
	if (a->content_type != NULL)
		MHD_add_response_header(resp, "Content-Type", a->content_type);
	for (size_t i = 0; i < a->nheaders; i++)
		MHD_add_response_header(resp,
		    arena_cstr(&r->arena, a->headers[i].name),
		    arena_cstr(&r->arena, a->headers[i].value));
	if (closing || r->conn->httpd->draining)
		MHD_add_response_header(resp, "Connection", "close");
	set_phase(r->conn, PHASE_ANSWER);
	rc = MHD_queue_response(m, (unsigned)a->status, resp);
	MHD_destroy_response(resp);
	return rc;
}

static enum MHD_Result
send_refusal(struct MHD_Connection *m, struct request *r, int status)
{
	struct httpd_answer a = { .status = status,
		.content_type = "text/plain; charset=utf-8" };

	buf_printf(&a.body, "%s\n", r->why);
	return send_answer(m, r, &a, true);
}

static void
compress_body(struct httpd_answer *a)
{
	z_stream z = { 0 };
	struct buf out = { 0 };

	if (a->nheaders + 2 > sizeof(a->headers) / sizeof(a->headers[0]) ||
	    deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return;
	z.next_in = (Bytef *)a->body.p;
	z.avail_in = (uInt)a->body.n;
	buf_reserve(&out, deflateBound(&z, a->body.n));
	z.next_out = (Bytef *)out.p;
	z.avail_out = (uInt)out.cap;
	if (deflate(&z, Z_FINISH) == Z_STREAM_END) {
		out.n = z.total_out;
		buf_fini(&a->body);
		a->body = out;
		a->headers[a->nheaders++] =
		    (struct httpd_param){ STR("Content-Encoding"),
			    STR("gzip") };
		a->headers[a->nheaders++] =
		    (struct httpd_param){ STR("Vary"), STR("Accept-Encoding") };
	} else
		buf_fini(&out);
	deflateEnd(&z);
}

static enum MHD_Result
answer(struct MHD_Connection *m, struct request *r)
{
	struct httpd *h = r->conn->httpd;
	struct httpd_answer a = { .status = 200 };
	int64_t start;

	r->q.body = buf_str(&r->body);
	if (r->q.body.n > 0) {
		/* Again, with the form; the head's part cannot fail now. */
		r->q.params = NULL;
		r->q.nparams = 0;
		r->refused = httpd_parse(&r->q, r->target, &r->why);
		if (r->refused)
			return send_refusal(m, r, r->refused);
	}
	if (str_eq(r->q.method, STR("HEAD")))
		r->q.method = STR("GET");
	start = mono(h);
	h->fn(h->arg, &r->q, &a);
	h->busy += mono(h) - start;
	if (a.gzip && a.body.n >= GZIP_FROM && a.body.n < ((size_t)1 << 30) &&
	    httpd_takes_gzip(&r->q))
		compress_body(&a);
	return send_answer(m, r, &a, false);
}

/* A part of the body; what is too much is read and dropped, refused later. */
static void
take_body(struct request *r, str part)
{
	struct httpd *h = r->conn->httpd;
	size_t cap = r->body.cap;

	if (r->refused)
		return;
	if (part.n > h->limits.max_body - r->body.n) {
		r->refused = 413;
		r->why = "the body is too large";
	} else if (h->body_bytes + part.n > h->limits.max_body * BODIES) {
		r->refused = 503;
		r->why = "too many large bodies at once";
	}
	if (r->refused)
		buf_fini(&r->body);
	else
		buf_add(&r->body, part);
	h->body_bytes += r->body.cap - cap;
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *m, const char *url,
    const char *method, const char *version, const char *part, size_t *n,
    void **state)
{
	struct request *r = *state;

	(void)arg;
	(void)url;
	if (r == NULL)
		return MHD_NO;
	if (!r->begun) {
		int status = check_head(r, m, method, version);

		r->begun = true;
		if (status)
			return send_refusal(m, r, status);
		set_phase(r->conn, PHASE_BODY);
		return MHD_YES;
	}
	if (*n > 0) {
		take_body(r, (str){ part, *n });
		*n = 0;
		return MHD_YES;
	}
	return r->refused ? send_refusal(m, r, r->refused) : answer(m, r);
}

/* libmicrohttpd's own words go nowhere: what matters has a status. */
static void
on_log(void *arg, const char *fmt, va_list ap)
{
	(void)arg;
	(void)fmt;
	(void)ap;
}

static struct MHD_Daemon *
start(struct httpd *h, int fd, const struct httpd_tls *tls)
{
	struct MHD_OptionItem opts[8];
	size_t n = 0;
	unsigned flags = MHD_USE_EPOLL | MHD_USE_ERROR_LOG;

	if (tls != NULL) {
		flags |= MHD_USE_TLS;
		h->cert = mem_cstr(tls->cert);
		h->key = mem_cstr(tls->key);
		opts[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT,
			0, h->cert };
		opts[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY,
			0, h->key };
		opts[n++] =
		    (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0,
			    (void *)(uintptr_t)(tls->priorities
				    ? tls->priorities
				    : "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1") };
	}
	opts[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, h,
	    MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET,
	    fd, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)h->limits.max_connections,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, 2 * h->limits.max_head,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION,
	    on_connection, h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
	    MHD_OPTION_URI_LOG_CALLBACK, on_target, h,
	    MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, h, MHD_OPTION_ARRAY,
	    opts, MHD_OPTION_END);
}

struct httpd *
httpd_open(const char *address, const struct httpd_limits *l,
    const struct httpd_tls *tls, const struct clock *clock, httpd_handler *fn,
    void *arg, struct error *e)
{
	struct httpd *h = mem_zero(1, sizeof(*h));
	const union MHD_DaemonInfo *i;

	h->limits = *l;
	h->clock = clock;
	h->fn = fn;
	h->arg = arg;
	/* Later versions are strict themselves. */
	h->in_place = strncmp(MHD_get_version(), "0.9.", 4) == 0;
	TAILQ_INIT(&h->conns);
	if ((h->fd = listen_open(address, h->name, e)) == -1) {
		free(h);
		return NULL;
	}
	if ((h->daemon = start(h, h->fd, tls)) == NULL) {
		error_set(e, "cannot serve on %s%s", address,
		    tls ? ": bad certificate or key" : "");
		close(h->fd);
		httpd_close(h);
		return NULL;
	}
	i = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	h->fd = i->epoll_fd;
	return h;
}

static void
cut_off(struct conn *c)
{
	shutdown(c->fd, SHUT_RDWR);
	c->shut = true;
	/* Once more, should the library not have noticed. */
	c->deadline = mono(c->httpd) + DRAIN_NS;
}

void
httpd_drain(struct httpd *h)
{
	int64_t soon = mono(h) + DRAIN_NS, last = soon + DRAIN_LAST_NS;
	struct conn *c;
	MHD_socket fd;

	if (h->draining)
		return;
	h->draining = true;
	fd = MHD_quiesce_daemon(h->daemon);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
	if (strncmp(h->name, "unix:", 5) == 0)
		unlink(h->name + 5);
	TAILQ_FOREACH (c, &h->conns, entry) {
		int unread = 0;

		if (c->phase == PHASE_BODY || c->phase == PHASE_ANSWER) {
			if (c->deadline > last)
				c->deadline = last;
			continue;
		}
		ioctl(c->fd, FIONREAD, &unread);
		if (unread == 0 && c->request == NULL)
			cut_off(c);
		else if (c->deadline > soon)
			c->deadline = soon;
	}
}

size_t
httpd_pending(const struct httpd *h)
{
	return h->nconns;
}

void
httpd_close(struct httpd *h)
{
	if (h == NULL)
		return;
	if (h->daemon != NULL) {
		httpd_drain(h);
		MHD_stop_daemon(h->daemon);
	}
	free(h->cert);
	if (h->key != NULL)
		explicit_bzero(h->key, strlen(h->key));
	free(h->key);
	free(h);
}

const char *
httpd_address(const struct httpd *h)
{
	return h->name;
}

int
httpd_fd(const struct httpd *h)
{
	return h->fd;
}

int
httpd_timeout(struct httpd *h)
{
	MHD_UNSIGNED_LONG_LONG ms;
	int64_t first = INT64_MAX, left;
	const struct conn *c;

	TAILQ_FOREACH (c, &h->conns, entry)
		if (c->deadline < first)
			first = c->deadline;
	left = INT64_MAX;
	if (first != INT64_MAX) {
		left = (first - mono(h) + 999999) / 1000000;
		if (left < 0)
			left = 0;
	}
	if (MHD_get_timeout(h->daemon, &ms) == MHD_YES && (int64_t)ms < left)
		left = (int64_t)ms;
	if (left == INT64_MAX)
		return -1;
	return left > 3600000 ? 3600000 : (int)left;
}

int
httpd_step(struct httpd *h, struct error *e)
{
	int64_t t;
	struct conn *c;

	if (MHD_run(h->daemon) != MHD_YES)
		return error_set(e, "the HTTP server failed");
	t = mono(h);
	for (c = TAILQ_FIRST(&h->conns); c != NULL; c = TAILQ_NEXT(c, entry)) {
		c->deadline += h->busy;
		if (t >= c->deadline)
			cut_off(c);
	}
	h->busy = 0;
	return 0;
}
