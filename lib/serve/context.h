/*
 * The inside of a struct serve, for the files of this folder.
 */
#ifndef SERVE_CONTEXT_H
#define SERVE_CONTEXT_H

#include "base/map.h"
#include "metric/page.h"
#include "serve/serve.h"

struct app;     /* app.c */
struct expose;  /* expose.c */
struct webconf; /* webconf.c */

/* Counts of one handler's answers by status: mf_serve_http_requests_total. */
struct traffic {
	const char *handler;
	int status;
	uint64_t count;
	double seconds;
};

struct serve {
	struct serve_opts o;
	str prefix; /* of external_url, without '/' at its end */
	struct app *app;
	struct expose *expose;
	struct webconf *webconf;
	struct traffic *traffic;
	size_t ntraffic, traffic_cap;
	bool draining;
};

/* One request being answered. */
struct exchange {
	struct serve *s;
	int64_t now;
	const struct httpd_request *q;
	struct httpd_answer *a;
	str path; /* without the prefix */
};

/* Answers that many give: a line of text; a redirect; more headers. */
void exchange_text(struct exchange *x, int status, const char *text);
void exchange_header(struct exchange *x, const char *name, str value);

/* app.c: is the path one of the application's?  Then it is answered. */
struct app *app_new(const struct clock *clock);
void app_free(struct app *a);
bool app_active(const struct app *a);
bool app_handle(struct app *a, struct exchange *x);
void app_print(struct app *a, struct buf *b);

/* A path that nothing answers: 404, counted by the middleware. */
void app_missing(struct app *a, struct exchange *x);

/* expose.c: /metrics. */
struct expose *expose_new(void);
void expose_free(struct expose *x);
void expose_handle(struct exchange *x);

/* A family's HELP and TYPE, and one sample of it; labels without the name. */
void expose_family(
    struct buf *b, const char *name, const char *type, const char *help);
void expose_value(struct buf *b, const char *name, const struct label *v,
    size_t n, double value);

/* api.c: /api/v1/... */
void api_handle(struct exchange *x);

/*
 * Times and durations as the API takes them; a parameter that is absent takes
 * the default.  -1 and the message without the parameter's name.
 */
int api_time(str s, int64_t *t, struct error *e);
int api_dur(str s, int64_t *ms, struct error *e);

/* web.c: /graph. */
void web_handle(struct exchange *x);

/* webconf.c: may this request go on?  If not, it has been answered. */
struct webconf *webconf_new(const struct clock *clock);
void webconf_free(struct webconf *w);
bool webconf_allows(struct webconf *w, struct exchange *x, bool page);
void webconf_headers(const struct webconf *w, struct exchange *x);

#endif
