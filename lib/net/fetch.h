/*
 * HTTP requests, many at once.  A GET over plain HTTP is done here; all that
 * needs TLS, a proxy, credentials other than a header, or a redirect goes over
 * libcurl's multi interface.  libcurl costs milliseconds at start and 9 MiB, so
 * libcurl.so.4 is loaded on first use, here and nowhere else.  One struct fetch
 * serves a process; requests are added, and finish in any order through their
 * callback, inside fetch_step().
 */
#ifndef NET_FETCH_H
#define NET_FETCH_H

#include <poll.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "net/auth.h"

struct fetch;

/*
 * connect_to: "HOST:PORT:HOST:PORT" of --connect-to, as curl's; copied.
 * user_agent as it goes on the wire.
 */
struct fetch *fetch_new(const struct clock *clock, const char *user_agent,
    const char *const *connect_to, size_t nconnect_to);
void fetch_free(struct fetch *f);

struct fetch_header {
	str name, value;
};

/* The outcome; valid inside the callback only. */
struct fetch_answer {
	const char *error; /* NULL: there is an answer */
	bool timed_out;
	bool too_large; /* max_body was reached */
	int status;
	str content_type;
	str body;
	int64_t took; /* ns, from fetch_add to the end */
};

/*
 * What to do; everything is borrowed until the callback has been called.  The
 * url is http or https, "unix:SOCKET:/PATH", or "unix:SOCKET:URL", which asks
 * for the URL over the socket.  Redirects are followed (not from a socket, nor
 * with auth's follow_redirects off) to http and https only; to another origin
 * (but for https on port 443 of a host asked on port 80) go neither credentials
 * nor headers that may hold any.  A gzip body is uncompressed, others are not.
 */
struct fetch_request {
	const char *method; /* "GET", "POST", ... */
	str url;
	const struct fetch_header *headers;
	size_t nheaders;
	str body;
	int64_t timeout;         /* ms, for all of it; 0: none */
	size_t max_body;         /* decoded; reaching it fails; 0: 256 MiB */
	bool no_compression;     /* Accept-Encoding: identity */
	const struct auth *auth; /* NULL: none; TLS, proxy, redirects too */
	void (*done)(void *arg, const struct fetch_answer *a);
	void *arg;
};

/* Begin a request; -1 if it is not even one (a bad URL). */
int fetch_add(struct fetch *f, const struct fetch_request *q, struct error *e);

/*
 * Drop every request whose arg it is; its callback is not called, and what it
 * borrowed is free.  Not to be called from a callback.
 */
void fetch_cancel(struct fetch *f, const void *arg);

/* Requests that have not finished. */
size_t fetch_pending(const struct fetch *f);

/*
 * Have every step wait for events (as poll's) of fd, too, until the end: who
 * always waits for the same few is spared to give them each time.  -1: for
 * such a descriptor that can't be.  And what happened to fd in the last step.
 */
int fetch_watch(struct fetch *f, int fd, short events);
short fetch_watched(const struct fetch *f, int fd);

/*
 * Wait for the network at most timeout ms (-1: for ever), or for fds (the
 * caller's own, may be NULL), and do what is due; callbacks are called from
 * here.
 */
int fetch_step(struct fetch *f, struct pollfd *fds, size_t nfds, int timeout,
    struct error *e);

#endif
