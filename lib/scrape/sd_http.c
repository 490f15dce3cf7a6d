/*
 * http_sd_configs: a URL that is asked for the list of target groups every
 * refresh_interval.  The server is a stranger: what it sends is bounded before
 * it is read, the whole list is taken or none of it, and its targets are
 * addresses on the network, never commands or files of this machine.
 */
#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "scrape/sd_impl.h"

#define MAX_BODY ((size_t)16 << 20)

struct http_sd {
	str url;
	int64_t interval;
	/* from here on of the running */
	struct arena a;
	struct auth auth;
	str shown; /* the URL without a password */
	struct fetch_header headers[2];
	int64_t asked;
};

static const struct conf_field fields[] = {
	{ "url", CONF_T_STR, offsetof(struct http_sd, url), false },
	{ "refresh_interval", CONF_T_DUR, offsetof(struct http_sd, interval),
	    false },
};

/* Where user and password are in a URL, and whether it has a host. */
static bool
authority(str url, str *user)
{
	size_t at = str_find(url, STR("://")) + 3, n = 0, last;
	str rest = str_skip(url, at);

	while (n < rest.n && strchr("/?#", rest.p[n]) == NULL)
		n++;
	rest = str_take(rest, n);
	last = rest.n;
	while (last > 0 && rest.p[last - 1] != '@')
		last--;
	*user = str_take(rest, last);
	rest = str_skip(rest, last);
	return rest.n > 0 && rest.p[0] != ':';
}

static int
check_url(const struct conf_node *n, str url, struct error *e)
{
	str scheme = str_take(url, str_find(url, STR("://"))), user;
	const char *fault = auth_url_fault(url);

	if (url.n == 0)
		return conf_error(n, e, "URL is missing");
	n = conf_find(n, "url");
	if (scheme.n == url.n ||
	    (!str_eq_fold(scheme, STR("http")) &&
		!str_eq_fold(scheme, STR("https"))))
		return conf_error(n, e, "URL scheme must be 'http' or 'https'");
	if (!authority(url, &user))
		return conf_error(n, e, "host is missing in URL");
	for (size_t i = 0; i < url.n; i++)
		if ((unsigned char)url.p[i] <= ' ' || url.p[i] == 0x7f)
			return conf_error(
			    n, e, "a blank or a control character in the URL");
	if (fault != NULL)
		return conf_error(n, e, "url: %s", fault);
	return 0;
}

static int
load(const struct conf_node *n, struct http_sd *s, struct error *e)
{
	*s = (struct http_sd){ .interval = 60000 };
	auth_init(&s->auth);
	for (size_t i = 0; i < n->n; i++) {
		struct conf_node one = *n;

		one.v = &n->v[i];
		one.n = 1;
		if (!auth_key(n->v[i]->key) &&
		    conf_read(&one, fields, 2, s, e) == -1)
			return -1;
	}
	if (auth_load(&s->auth, n, true, e) == -1 ||
	    check_url(n, s->url, e) == -1)
		return -1;
	if (s->interval <= 0)
		return conf_error(conf_find(n, "refresh_interval"), e,
		    "refresh_interval must not be 0");
	return 0;
}

static int
check(const struct conf_node *n, struct error *e)
{
	struct http_sd s;

	return load(n, &s, e);
}

/* application/json, and at most a charset, which is UTF-8. */
static bool
json_type(str type)
{
	static const str want = STR_INIT("application/json");
	static const str charset = STR_INIT("charset=");

	if (!str_eq_fold(str_take(type, want.n), want))
		return false;
	type = str_skip(type, want.n);
	if (type.n == 0)
		return true;
	if (type.p[0] != ';')
		return false;
	type = str_skip(type, 1);
	while (type.n > 0 && (type.p[0] == ' ' || type.p[0] == '\t'))
		type = str_skip(type, 1);
	if (!str_eq_fold(str_take(type, charset.n), charset))
		return false;
	type = str_skip(type, charset.n);
	if (type.n == 7 && type.p[0] == '"' && type.p[6] == '"')
		type = (str){ type.p + 1, 5 };
	return str_eq_fold(type, STR("utf-8"));
}

/* Why an answer is none, or 0. */
static int
refuse(const struct fetch_answer *a, struct error *e)
{
	if (a->error != NULL)
		return error_set(e, "%s", a->error);
	if (a->status != 200)
		return error_set(
		    e, "server returned HTTP status %d", a->status);
	if (!json_type(a->content_type))
		return error_set(e, "unsupported content type \"%.*s\"",
		    STR_ARG(a->content_type));
	return 0;
}

static void
answered(void *arg, const struct fetch_answer *a)
{
	struct sd_find *f = arg;
	struct http_sd *s = f->own;
	struct error e;

	f->due = s->asked + s->interval;
	if (refuse(a, &e) == -1) {
		error_add(&e, "%.*s", STR_ARG(s->shown));
		sd_source_lost(f->v[0], &e);
	} else {
		sd_source_text(
		    f, f->v[0], a->body, true, STR("__meta_url"), false);
	}
	f->ready = true;
}

static void
ask(struct sd_find *f, int64_t now)
{
	struct http_sd *s = f->own;
	struct fetch_request q = { .method = "GET",
		.url = s->url,
		.headers = s->headers,
		.nheaders = 2,
		.timeout = s->interval,
		.max_body = MAX_BODY,
		.auth = &s->auth,
		.done = answered,
		.arg = f };
	struct error e;

	s->asked = now;
	f->due = INT64_MAX;
	if (fetch_add(f->sd->fetch, &q, &e) == 0)
		return;
	error_add(&e, "%.*s", STR_ARG(s->shown));
	sd_source_lost(f->v[0], &e);
	f->ready = true;
	f->due = now + s->interval;
}

/* The URL as it may be shown: its password is not for everyone. */
static str
shown(struct arena *a, str url)
{
	str user, name;
	size_t at;

	(void)authority(url, &user);
	name = str_take(user, str_chr(user, ':'));
	if (name.n == user.n)
		return url;
	at = (size_t)(user.p - url.p);
	return arena_printf(a, "%.*s%.*s:xxxxx@%.*s",
	    STR_ARG(str_take(url, at)), STR_ARG(name),
	    STR_ARG(str_skip(url, at + user.n)));
}

static int
open_http(struct sd_find *f, struct error *e)
{
	struct http_sd *s = mem_zero(1, sizeof(*s));
	struct buf b = { 0 };

	f->own = s;
	if (load(f->node, s, e) == -1)
		return -1;
	s->shown = shown(&s->a, s->url);
	num_print(&b, (double)s->interval / 1000);
	s->headers[0] =
	    (struct fetch_header){ STR("Accept"), STR("application/json") };
	s->headers[1] =
	    (struct fetch_header){ STR("X-Prometheus-Refresh-Interval-Seconds"),
		    arena_dup(&s->a, buf_str(&b)) };
	buf_fini(&b);
	(void)sd_source_add(f, s->shown);
	return 0;
}

static void
close_http(struct sd_find *f)
{
	struct http_sd *s = f->own;

	if (f->sd->fetch != NULL)
		fetch_cancel(f->sd->fetch, f);
	arena_fini(&s->a);
	free(s);
}

const struct sd_kind sd_http = {
	.key = STR_INIT("http_sd_configs"),
	.check = check,
	.open = open_http,
	.close = close_http,
	.step = ask,
};
