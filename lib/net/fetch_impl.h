/*
 * What the files of net/fetch share: libcurl as it was loaded, a request under
 * way, and the tokens of oauth2.
 */
#ifndef NET_FETCH_IMPL_H
#define NET_FETCH_IMPL_H

#include <curl/curl.h>
#include <sys/queue.h>
#include <zlib.h>

#include "base/map.h"
#include "net/fetch.h"

/* fetch_curl.c: the functions of libcurl.so.4, typed by its headers. */
struct fetch_curl {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_global_cleanup) *global_cleanup;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_easy_reset) *easy_reset;
	__typeof__(curl_easy_setopt) *setopt;
	__typeof__(curl_easy_getinfo) *getinfo;
	__typeof__(curl_easy_strerror) *strerror;
	__typeof__(curl_easy_header) *header;
	__typeof__(curl_url) *url;
	__typeof__(curl_url_cleanup) *url_cleanup;
	__typeof__(curl_url_set) *url_set;
	__typeof__(curl_url_get) *url_get;
	__typeof__(curl_url_strerror) *url_strerror;
	__typeof__(curl_free) *free;
	__typeof__(curl_multi_init) *multi_init;
	__typeof__(curl_multi_cleanup) *multi_cleanup;
	__typeof__(curl_multi_setopt) *multi_setopt;
	__typeof__(curl_multi_add_handle) *multi_add;
	__typeof__(curl_multi_remove_handle) *multi_remove;
	__typeof__(curl_multi_socket_action) *multi_action;
	__typeof__(curl_multi_assign) *multi_assign;
	__typeof__(curl_multi_info_read) *multi_info;
};

/* Load it, and start it; it stays loaded to the end of the process. */
int fetch_curl_load(struct fetch_curl *c, struct error *e);

#define FETCH_MAX_HEAD                                                         \
	((size_t)300 << 10) /* bytes of a head; libcurl's own                  \
			     */

TAILQ_HEAD(fetch_jobs, fetch_job);

/* What is wrong with a body. */
enum fetch_fault {
	FETCH_SOUND,
	FETCH_TOO_LARGE,
	FETCH_CROWDED,
	FETCH_DAMAGED,
	FETCH_CUT,
	FETCH_LARGE_HEAD,
};

struct fetch_url {
	const char *scheme, *host; /* an IPv6 address in its brackets */
	int port;
};

/*
 * A request under way.  Its strings live in its arena.  When it is over it
 * goes to the idle ones with its handle and its buffers, for the next request.
 */
struct fetch_job {
	TAILQ_ENTRY(fetch_job) entry;
	struct fetch *fetch;
	struct fetch_request q;
	CURL *easy;                /* NULL until libcurl is needed */
	struct fetch_plain *plain; /* its connection without libcurl */
	bool queued;               /* for one */
	bool gzip;                 /* its answer says so */
	bool over;                 /* handed over to libcurl */
	struct fetch_multi *multi; /* by the host of its first hop */
	bool set; /* easy has the options of every request, and no others */
	struct arena arena;
	struct curl_slist *headers, **tail; /* in the arena */
	struct buf body;
	str whole; /* a body that is not in body */
	size_t max_body;
	enum fetch_fault fault;
	size_t head; /* bytes of headers, and of those behind the body */
	bool begun, compressed; /* the body */
	bool gathered;          /* it is not uncompressed yet */
	bool member_end;        /* of the gzip stream: it may end here */
	bool z_ready;
	z_stream z;
	int redirects;
	int64_t start, deadline;   /* ns; deadline 0: none */
	const char *method;        /* changes to GET by a redirect */
	const char *url;           /* of this hop */
	struct fetch_url first;    /* whom the credentials are for */
	bool foreign;              /* redirected to another origin */
	const char *sock;          /* of unix:PATH */
	struct fetch_token *token; /* waited for, or sent */
	unsigned token_turn;       /* which of its values was sent */
	bool retried;              /* with a new one, after a 401 */
	char why[CURL_ERROR_SIZE];
};

/* One of libcurl's multi handles, of some hosts (fetch_multi.c). */
struct fetch_multi {
	struct fetch *fetch;
	CURLM *curl; /* NULL until it is used */
	int64_t due; /* when it wants to be called, ns; -1: not */
};

/*
 * Of fetch_gzip.c: what is used of libdeflate.so.0, whose functions and status
 * (0: well) are fixed by that name.  Its header need not be there to build
 * this, nor the library to run it.
 */
struct fetch_gzip {
	struct buf page; /* the last one */
	void *decoder;   /* NULL: zlib does it */
	void (*free)(void *decoder);
	int (*decode)(void *decoder, const void *in, size_t n, void *out,
	    size_t room, size_t *used, size_t *got);
	z_stream z;
	bool z_ready;
};

#define FETCH_IDLE 64

struct fetch {
	const struct clock *clock;
	char *user_agent;
	char **connect_to;
	size_t nconnect_to;
	struct fetch_curl curl;
	struct fetch_multi *multis; /* NULL until the first request */
	size_t nmultis;
	struct fetch_multi **used; /* those that have a handle */
	size_t nused;
	int ep;                          /* epoll, for the sockets of all */
	struct fetch_jobs jobs, waiting; /* at work; for a token */
	/* of fetch_plain.c */
	struct fetch_jobs plains, queued; /* at work; for a connection */
	TAILQ_HEAD(fetch_plains, fetch_plain) idles;
	struct map places;          /* of idle connections */
	struct fetch_plain **plain; /* by descriptor */
	size_t nplain;
	size_t nplains, max_plains; /* connections */
	int64_t plain_due;          /* no deadline is before it; 0: none */
	char *scratch;
	struct fetch_gzip *gzip; /* NULL until it is used */
	size_t pending;
	size_t ended; /* requests, ever */
	struct fetch_job *idle[FETCH_IDLE];
	size_t nidle;
	size_t kept; /* bytes in the buffers of the idle */
	size_t held; /* bytes of bodies under way */
	size_t max_held;
	struct fetch_token *tokens;
	struct pollfd *watched; /* the caller's, for good */
	size_t nwatched, watched_cap;
	struct pollfd *polls;
	size_t polls_cap;
};

/* fetch_multi.c: the handles, the one for a URL, when the first is due. */
void fetch_multi_load(struct fetch *f);

/* How many descriptors we may have: 192 at least, 65,536 at most. */
long fetch_descriptors(void);
void fetch_multi_fini(struct fetch *f);
struct fetch_multi *fetch_multi_of(struct fetch *f, str url);
int64_t fetch_multi_due(const struct fetch *f);

/*
 * fetch_plain.c: may j go without libcurl?  Then it is begun by the next step;
 * -1: its headers can't be sent.  Its events have FETCH_PLAIN in them.
 */
#define FETCH_PLAIN ((uint64_t)UINT32_MAX << 32)
#define FETCH_WATCHED (FETCH_PLAIN - ((uint64_t)1 << 32))

bool fetch_plain_can(const struct fetch_job *j);
int fetch_plain_start(struct fetch_job *j, struct error *e);
void fetch_plain_event(struct fetch *f, int fd, uint32_t events);
void fetch_plain_step(struct fetch *f);
void fetch_plain_cancel(struct fetch_job *j);
void fetch_plain_fini(struct fetch *f);

/* fetch.c: libcurl is to go on with it after all, from the beginning. */
void fetch_over(struct fetch_job *j);

/* fetch.c: start the next hop of a job, which then is at work. */
int fetch_start(struct fetch_job *j, struct error *e);

/* Tell its caller, and keep what is left of it for another. */
void fetch_end(struct fetch_job *j, const struct fetch_answer *a);
int64_t fetch_now(const struct fetch *f);

/* fetch_body.c: libcurl's write functions; and for the other ends of a body. */
size_t fetch_body_add(char *p, size_t size, size_t n, void *job);
size_t fetch_body_head(char *p, size_t size, size_t n, void *job);
bool fetch_body_whole(struct fetch_job *j, int status);

/*
 * Where the next *n bytes at most of a body may be read to, once it has begun;
 * NULL: add them.  Then they are there; false as fetch_body_add() does less.
 */
char *fetch_body_room(struct fetch_job *j, size_t *n);
bool fetch_body_got(struct fetch_job *j, size_t n);

/*
 * All of a body is here until the job's end: false if it has to be added.  And
 * what there is of a body, when it is whole.
 */
bool fetch_body_all(struct fetch_job *j, str body);
str fetch_body(const struct fetch_job *j);
const char *fetch_body_fault(struct fetch_job *j);
void fetch_body_drop(struct fetch_job *j);
void fetch_body_fini(struct fetch_job *j);

/*
 * fetch_gzip.c: a whole gzip body of less than max bytes; *out is valid until
 * the next one.  False if it has to be seen to piece by piece.
 */
bool fetch_gzip(struct fetch *f, str in, size_t max, str *out);
void fetch_gzip_fini(struct fetch *f);

/* fetch_setup.c: bring the handle up for one hop to j->url. */
int fetch_setup(struct fetch_job *j, struct error *e);

/* The lines of its head that are ours, into j->headers. */
int fetch_lines(struct fetch_job *j, struct error *e);

/*
 * Is it surely a URL of http or https, with a host of small letters, digits,
 * dots and hyphens or an IPv6 address, and nothing odd in it?
 */
bool fetch_simple(const char *url);

/*
 * May s stand in a header or a URL?  A control character would end it, and
 * begin what somebody else wrote.
 */
bool fetch_safe(str s);

/* A line "name: value" to send. */
void fetch_header(struct fetch_job *j, str name, str value);

/*
 * A secret from its file, or as given; blanks at the ends of a file do not
 * count.  In j's arena; what names it in a message.
 */
int fetch_secret(struct fetch_job *j, const struct conf *conf, str value,
    str path, const char *what, str *out, struct error *e);

/* Take a URL apart, into j's arena; -1 if it is none, or not http or https. */
int fetch_url(
    struct fetch_job *j, const char *url, struct fetch_url *u, struct error *e);

/* fetch_proxy.c: the proxy of one hop, as the configuration has it. */
int fetch_proxy(
    struct fetch_job *j, const struct auth_proxy *p, struct error *e);

/*
 * fetch_token.c: the token that j is to send, in j->token.  1: it is there; 0:
 * it has been asked for, and j stands among the waiting until it comes or does
 * not; -1 and the message.
 */
int fetch_token(struct fetch_job *j, struct error *e);

/* Add its header; and after a 401: forget it, unless a newer one came. */
void fetch_token_header(struct fetch_job *j);
void fetch_token_refused(const struct fetch_job *j);

void fetch_tokens_free(struct fetch *f);

#endif
