/*
 * An HTTP server: libmicrohttpd behind one handler, with the guards it
 * lacks (DESIGN 7): two Content-Lengths, Content-Length with Transfer-Encoding,
 * control bytes (NUL too), folded lines, a bare LF, no Host or more than one
 * are refused; head, body and answer have absolute deadlines; headers, bodies
 * and connections are capped.
 *
 * Single-threaded: the caller polls httpd_fd() (or any fd of its own) and
 * calls httpd_step(); handlers run inside it.  What a handler is given is
 * valid until it returns.
 */
#ifndef NET_HTTPD_H
#define NET_HTTPD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

struct httpd_param {
	str name, value;
};

struct httpd_request {
	str method;      /* HEAD comes as GET */
	str path, query; /* path decoded; query as it stands */
	const struct httpd_param *headers, *params; /* form + query */
	size_t nheaders, nparams;
	str body;
	str peer;            /* address of the client */
	struct arena *arena; /* of this request */
};

/* Filled by a handler; starts as 200 with nothing. */
struct httpd_answer {
	int status;
	struct buf body; /* the handler adds to it */
	const char *content_type;
	struct httpd_param headers[16];
	size_t nheaders;
	bool gzip; /* may be compressed if the client takes it */
};

typedef void httpd_handler(
    void *arg, const struct httpd_request *q, struct httpd_answer *a);

/*
 * Bytes, counts and absolute times (ms): from a connection's or a request's
 * begin to the end of its head, of its body, of sending the answer; idle is
 * what may pass between two requests.  Whoever is late is cut off.
 */
struct httpd_limits {
	size_t max_head, max_body, max_connections;
	int64_t head_deadline, body_deadline, answer_deadline, idle;
};

#define HTTPD_LIMITS                                                           \
	((struct httpd_limits){                                                \
	    16384, (size_t)32 << 20, 512, 10000, 30000, 300000, 60000 })

/* PEM texts; copied. */
struct httpd_tls {
	str cert, key;
	const char *priorities; /* GnuTLS's; NULL: TLS 1.2 and 1.3 */
};

struct httpd;

/*
 * Listen on "HOST:PORT", ":PORT", "[::1]:PORT" or "unix:PATH"; port 0 takes a
 * free one.  NULL and the message (a port in use, ...) if it can't.  tls may
 * be NULL.
 */
struct httpd *httpd_open(const char *address, const struct httpd_limits *l,
    const struct httpd_tls *tls, const struct clock *clock, httpd_handler *fn,
    void *arg, struct error *e);

/* Stop taking connections; those at work are finished by httpd_step(). */
void httpd_drain(struct httpd *h);

/* Requests and connections not yet done. */
size_t httpd_pending(const struct httpd *h);

/* Close everything; NULL is taken. */
void httpd_close(struct httpd *h);

/* "127.0.0.1:8081": what was bound. */
const char *httpd_address(const struct httpd *h);

/* To poll for reading, and the longest time (ms, -1: any) until a step. */
int httpd_fd(const struct httpd *h);
int httpd_timeout(struct httpd *h);
int httpd_step(struct httpd *h, struct error *e);

/* A header of the request (any case), or a parameter; empty if absent. */
str httpd_header(const struct httpd_request *q, const char *name);
str httpd_param(const struct httpd_request *q, const char *name);

#endif
