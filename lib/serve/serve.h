/*
 * What mf-serve answers: pure handlers over a struct serve, from a struct
 * httpd_request to a struct httpd_answer.  Nothing here listens; cmd/mf-serve
 * joins it with net/httpd, and gives it what other folders know: a source of
 * samples, a callback that draws, one that prints.
 */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "base/conf.h"
#include "metric/batch.h"
#include "metric/source.h"
#include "net/httpd.h"
#include "promql/promql.h"

struct serve;

/* A graph for the page: the answer of a range query, to be added to svg. */
struct serve_graph {
	str title;
	const struct promql_result *result;
	int64_t from, to, step;
	int width, height;
};

struct serve_opts {
	const struct clock *clock;
	const char *version;
	str external_url; /* how users reach us, or empty; its path is a prefix
			     of every route */
	/*
	 * The samples behind the API, the page and this process's mf_serve_*
	 * metrics; NULL: none of them is served.  Called once a request; NULL
	 * and the message when they can't be had now.
	 */
	const struct source *(*source)(void *arg, struct error *e);
	unsigned features; /* of its queries: enum promql_feature */
	void (*draw)(void *arg, struct buf *svg, const struct serve_graph *g);
	void (*sink)(void *arg, str body); /* POST bodies; NULL: refused */
	void *arg;
};

/* The options are copied, what they point at is borrowed. */
struct serve *serve_new(const struct serve_opts *o);
void serve_free(struct serve *s);

/* Answer a request at time now; a httpd_handler but for that. */
void serve_handle(struct serve *s, int64_t now, const struct httpd_request *q,
    struct httpd_answer *a);

/* From now on /-/ready says that the end is near. */
void serve_drain(struct serve *s);

/*
 * The instrumented application: "/PATH=TEXT" answers TEXT and a newline, and
 * is measured as the echo framework's middleware does (echo_*).
 */
int serve_route(struct serve *s, const char *spec, struct error *e);

/*
 * "NAME=/PATH=HELP": a counter of the requests to a route.  The same NAME for
 * several routes counts them together (HELP is the first one's, and may be
 * left out then).  After the routes.
 */
int serve_counter(struct serve *s, const char *spec, struct error *e);

/* Put an exposition file on /metrics; it is read again when it changes. */
int serve_file(struct serve *s, const char *path, struct error *e);

/* Put a stream on /metrics; each of its batches, as it comes. */
void serve_stream(struct serve *s);
void serve_apply(struct serve *s, const struct batch *b);

/*
 * The one user of the pages, from a Kubernetes Secret's manifest with the keys
 * username and password, as Grafana's login has it; or from the directory a
 * Secret is mounted as.
 */
int serve_users(struct serve *s, const char *path, const struct conf_opts *o,
    struct error *e);

/* A web-config file: users of everything, TLS, headers of every answer. */
int serve_webconf(struct serve *s, const char *path, const struct conf_opts *o,
    struct error *e);

/* What the web-config file wants for TLS; NULL: none. */
const struct httpd_tls *serve_tls(const struct serve *s);

#endif
