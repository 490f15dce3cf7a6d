/*
 * Requests, driven by epoll, so that a step costs what has happened and not
 * what is under way: plain ones by fetch_plain.c, all others over libcurl's
 * multi interface, which is loaded when the first of them comes.  Redirects are
 * followed by hand, so that credentials and headers never reach another origin.
 */
#include "net/fetch.h"

#include <sys/epoll.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/fetch_impl.h"

#define MAX_HELD ((size_t)512 << 20) /* bytes of bodies under way */
#define MAX_BODY ((size_t)256 << 20)
#define MAX_REDIRECTS 10
#define MAX_KEPT ((size_t)32 << 20) /* bytes in the buffers of idle jobs */
#define WARM 4                      /* idle jobs that keep them */
#define EVENTS 64

struct fetch *
fetch_new(const struct clock *clock, const char *user_agent,
    const char *const *connect_to, size_t nconnect_to)
{
	struct fetch *f = mem_zero(1, sizeof(*f));

	f->clock = clock;
	f->user_agent = mem_cstr(str_of(user_agent));
	f->connect_to =
	    mem_zero(nconnect_to ? nconnect_to : 1, sizeof(*f->connect_to));
	for (; f->nconnect_to < nconnect_to; f->nconnect_to++)
		f->connect_to[f->nconnect_to] =
		    mem_cstr(str_of(connect_to[f->nconnect_to]));
	TAILQ_INIT(&f->jobs);
	TAILQ_INIT(&f->waiting);
	TAILQ_INIT(&f->plains);
	TAILQ_INIT(&f->queued);
	TAILQ_INIT(&f->idles);
	map_init(&f->places);
	f->ep = -1;
	f->max_held = MAX_HELD;
	return f;
}

int64_t
fetch_now(const struct fetch *f)
{
	return f->clock->mono(f->clock->arg);
}

static bool
has_epoll(struct fetch *f)
{
	if (f->ep == -1)
		f->ep = epoll_create1(EPOLL_CLOEXEC);
	return f->ep != -1;
}

int
fetch_watch(struct fetch *f, int fd, short events)
{
	struct epoll_event ev = { .events = (uint32_t)events };

	ev.data.u64 = FETCH_WATCHED | f->nwatched;
	if (!has_epoll(f) || epoll_ctl(f->ep, EPOLL_CTL_ADD, fd, &ev) == -1)
		return -1;
	f->watched = mem_grow(
	    f->watched, &f->watched_cap, f->nwatched + 1, sizeof(*f->watched));
	f->watched[f->nwatched++] = (struct pollfd){ .fd = fd };
	return 0;
}

short
fetch_watched(const struct fetch *f, int fd)
{
	for (size_t i = 0; i < f->nwatched; i++)
		if (f->watched[i].fd == fd)
			return f->watched[i].revents;
	return 0;
}

static struct fetch_job *
job_new(struct fetch *f)
{
	struct fetch_job *j, old = { .fetch = f };

	if (f->nidle == 0) {
		j = mem_zero(1, sizeof(*j));
	} else {
		j = f->idle[--f->nidle];
		f->kept -= j->body.cap;
		old.easy = j->easy;
		old.set = j->set;
		old.z = j->z;
		old.z_ready = j->z_ready;
		old.arena = j->arena;
		old.body = j->body;
	}
	*j = old;
	return j;
}

static void
job_free(struct fetch_job *j)
{
	if (j->easy != NULL)
		j->fetch->curl.easy_cleanup(j->easy);
	fetch_body_fini(j);
	arena_fini(&j->arena);
	free(j);
}

static void
job_done(struct fetch_job *j)
{
	struct fetch *f = j->fetch;

	fetch_body_drop(j);
	if (f->nidle == FETCH_IDLE) {
		job_free(j);
		return;
	}
	if (f->nidle >= WARM || j->body.cap > MAX_KEPT - f->kept)
		fetch_body_fini(j);
	arena_reset(&j->arena);
	f->kept += j->body.cap;
	f->idle[f->nidle++] = j;
}

/* Take a job out of where it is: over libcurl, without it, or at no work. */
static void
stop(struct fetch_job *j, struct fetch_jobs *list)
{
	struct fetch *f = j->fetch;

	if (j->plain != NULL || j->queued) {
		fetch_plain_cancel(j);
		return;
	}
	TAILQ_REMOVE(list, j, entry);
	if (list == &f->jobs)
		f->curl.multi_remove(j->multi->curl, j->easy);
}

static void
all_lists(struct fetch *f, struct fetch_jobs *lists[4])
{
	lists[0] = &f->jobs;
	lists[1] = &f->waiting;
	lists[2] = &f->plains;
	lists[3] = &f->queued;
}

void
fetch_cancel(struct fetch *f, const void *arg)
{
	struct fetch_jobs *lists[4];
	struct fetch_job *j, *next;

	all_lists(f, lists);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (j = TAILQ_FIRST(lists[i]); j != NULL; j = next) {
			next = TAILQ_NEXT(j, entry);
			if (j->q.arg != arg)
				continue;
			stop(j, lists[i]);
			f->pending--;
			job_done(j);
		}
}

void
fetch_free(struct fetch *f)
{
	struct fetch_jobs *lists[4];
	struct fetch_job *j, *next;

	if (f == NULL)
		return;
	all_lists(f, lists);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (j = TAILQ_FIRST(lists[i]); j != NULL; j = next) {
			next = TAILQ_NEXT(j, entry);
			stop(j, lists[i]);
			job_free(j);
		}
	while (f->nidle > 0)
		job_free(f->idle[--f->nidle]);
	fetch_tokens_free(f);
	fetch_plain_fini(f);
	fetch_gzip_fini(f);
	if (f->multis != NULL) {
		fetch_multi_fini(f);
		f->curl.global_cleanup();
	}
	if (f->ep != -1)
		(void)close(f->ep);
	for (size_t i = 0; i < f->nconnect_to; i++)
		free(f->connect_to[i]);
	free(f->connect_to);
	free(f->user_agent);
	free(f->watched);
	free(f->polls);
	free(f);
}

size_t
fetch_pending(const struct fetch *f)
{
	return f->pending;
}

/* What libcurl needs to be there before a request goes over it. */
static int
load(struct fetch_job *j, struct error *e)
{
	struct fetch *f = j->fetch;

	if (f->multis == NULL) {
		if (fetch_curl_load(&f->curl, e) == -1)
			return -1;
		fetch_multi_load(f);
	}
	if (j->easy == NULL)
		j->easy = f->curl.easy_init();
	j->multi = fetch_multi_of(f, str_of(j->url));
	if (j->easy == NULL || j->multi == NULL)
		return error_set(e, "cannot start the request");
	return 0;
}

int
fetch_start(struct fetch_job *j, struct error *e)
{
	struct fetch *f = j->fetch;

	if (load(j, e) == -1 || fetch_setup(j, e) == -1)
		return -1;
	if (f->curl.multi_add(j->multi->curl, j->easy) != CURLM_OK)
		return error_set(e, "cannot start the request");
	TAILQ_INSERT_TAIL(&f->jobs, j, entry);
	return 0;
}

/* The same, when it may need a token before. */
static int
begin(struct fetch_job *j, struct error *e)
{
	const struct auth *a = j->q.auth;
	int r = 1;

	if (fetch_plain_can(j) && !j->over)
		return fetch_plain_start(j, e);
	if (load(j, e) == -1)
		return -1;
	if (a != NULL && a->oauth2.token_url.n && !j->foreign)
		r = fetch_token(j, e);
	return r == 1 ? fetch_start(j, e) : r;
}

/*
 * unix:PATH:/URL-PATH or unix:PATH:URL: the socket, and what is asked of it.
 */
static const char *
split_unix(struct fetch_job *j, str url)
{
	str path = str_skip(url, 5);
	size_t http = str_find(path, STR(":http://"));
	size_t https = str_find(path, STR(":https://"));
	size_t n = http < https ? http : https;
	size_t slash = str_find(path, STR(":/"));
	bool whole = n < slash;

	if (!whole)
		n = slash;
	j->sock = arena_cstr(&j->arena, str_take(path, n));
	path = str_skip(path, n + 1);
	if (whole)
		return arena_cstr(&j->arena, path);
	return arena_cstr(&j->arena,
	    arena_printf(&j->arena, "http://localhost%.*s", STR_ARG(path)));
}

int
fetch_add(struct fetch *f, const struct fetch_request *q, struct error *e)
{
	struct fetch_job *j;

	if (!fetch_safe(q->url))
		return error_set(e, "invalid URL");
	if (!has_epoll(f))
		return error_errno(e, "epoll");
	j = job_new(f);
	j->q = *q;
	j->method = q->method;
	j->max_body = q->max_body ? q->max_body : MAX_BODY;
	j->start = fetch_now(f);
	j->deadline = q->timeout ? j->start + q->timeout * 1000000 : 0;
	if (str_starts(q->url, STR("unix:")))
		j->url = split_unix(j, q->url);
	else
		j->url = arena_cstr(&j->arena, q->url);
	if (begin(j, e) == -1) {
		job_done(j);
		return -1;
	}
	f->pending++;
	return 0;
}

void
fetch_over(struct fetch_job *j)
{
	struct fetch_answer a = { 0 };
	struct error e;

	fetch_body_drop(j);
	j->over = true;
	if (begin(j, &e) != -1)
		return;
	a.error = e.msg;
	a.took = fetch_now(j->fetch) - j->start;
	fetch_end(j, &a);
}

static bool
is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 ||
	    status == 307 || status == 308;
}

/* Does to stand for whom from stood for?  TLS may be begun on the way. */
static bool
same_origin(const struct fetch_url *from, const struct fetch_url *to)
{
	if (strcasecmp(from->host, to->host) != 0)
		return false;
	if (strcmp(from->scheme, to->scheme) == 0)
		return from->port == to->port;
	return from->port == 80 && to->port == 443 &&
	    strcmp(to->scheme, "https") == 0;
}

/*
 * Go on to where a redirect leads, as Go's client does: 307 and 308 repeat the
 * request, the others make it a GET.  1 if it was a redirect; on -1 the job
 * stands in no list.
 */
static int
redirect(struct fetch_job *j, long status, struct error *e)
{
	struct fetch *f = j->fetch;
	struct fetch_url u;
	char *to = NULL;

	if (j->sock != NULL || !is_redirect(status) ||
	    (j->q.auth != NULL && !j->q.auth->follow_redirects))
		return 0;
	f->curl.getinfo(j->easy, CURLINFO_REDIRECT_URL, &to);
	if (to == NULL)
		return 0;
	to = arena_cstr(&j->arena, str_of(to));
	f->curl.multi_remove(j->multi->curl, j->easy);
	TAILQ_REMOVE(&f->jobs, j, entry);
	if (j->redirects++ == MAX_REDIRECTS)
		return error_set(
		    e, "stopped after %d redirects", MAX_REDIRECTS);
	if (j->first.host == NULL && fetch_url(j, j->url, &j->first, e) == -1)
		return -1;
	if (fetch_url(j, to, &u, e) == -1)
		return error_add(e, "redirect");
	/* once away, it never comes back to its credentials */
	j->foreign |= !same_origin(&j->first, &u);
	/* nor back from TLS with them */
	j->first.scheme = u.scheme;
	j->first.port = u.port;
	j->url = to;
	if (status != 307 && status != 308 && strcmp(j->method, "HEAD") != 0)
		j->method = "GET";
	fetch_body_drop(j);
	return fetch_start(j, e) == -1 ? -1 : 1;
}

/* A 401 with a token of ours: once more with a new one. */
static int
retry(struct fetch_job *j, long status, struct error *e)
{
	if (status != 401 || j->token == NULL || j->foreign || j->retried)
		return 0;
	j->retried = true;
	fetch_token_refused(j);
	j->fetch->curl.multi_remove(j->multi->curl, j->easy);
	TAILQ_REMOVE(&j->fetch->jobs, j, entry);
	fetch_body_drop(j);
	return begin(j, e) == -1 ? -1 : 1;
}

static const char *
describe(struct fetch_job *j, CURLcode code)
{
	long os = 0;
	char *after;

	if (fetch_body_fault(j) != NULL)
		return fetch_body_fault(j);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return "context deadline exceeded";
	if (j->why[0] == '\0')
		return j->fetch->curl.strerror(code);
	/* libcurl says after how many ms, which differs, but not why. */
	j->fetch->curl.getinfo(j->easy, CURLINFO_OS_ERRNO, &os);
	after = strstr(j->why, " after ");
	if (code == CURLE_COULDNT_CONNECT && os != 0 && after != NULL)
		(void)snprintf(after, sizeof(j->why) - (size_t)(after - j->why),
		    ": %s", strerror((int)os));
	return j->why;
}

void
fetch_end(struct fetch_job *j, const struct fetch_answer *a)
{
	j->fetch->pending--;
	j->fetch->ended++;
	j->q.done(j->q.arg, a);
	job_done(j);
}

static void
finish(struct fetch_job *j, CURLcode code)
{
	struct fetch *f = j->fetch;
	struct fetch_answer a = { 0 };
	struct error e;
	long status = 0;
	char *type = NULL;
	int rc = 0;

	f->curl.getinfo(j->easy, CURLINFO_RESPONSE_CODE, &status);
	f->curl.getinfo(j->easy, CURLINFO_CONTENT_TYPE, &type);
	a.content_type = type ? arena_dup(&j->arena, str_of(type)) : STR_NONE;
	if (code == CURLE_OK && (rc = redirect(j, status, &e)) == 0)
		rc = retry(j, status, &e);
	if (rc == 1)
		return;
	if (rc == -1) {
		a.error = e.msg;
	} else {
		f->curl.multi_remove(j->multi->curl, j->easy);
		TAILQ_REMOVE(&f->jobs, j, entry);
		if (code != CURLE_OK || !fetch_body_whole(j, (int)status))
			a.error = describe(j, code);
	}
	a.timed_out = code == CURLE_OPERATION_TIMEDOUT;
	a.too_large = j->fault == FETCH_TOO_LARGE;
	a.status = (int)status;
	a.body = fetch_body(j);
	a.took = fetch_now(f) - j->start;
	fetch_end(j, &a);
}

/* Those that are over; returns how many there were. */
static int
collect(struct fetch_multi *o)
{
	struct fetch *f = o->fetch;
	int done = 0;
	CURLMsg *m;
	int n;

	while ((m = f->curl.multi_info(o->curl, &n)) != NULL) {
		CURLcode code = m->data.result;
		char *p = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		f->curl.getinfo(m->easy_handle, CURLINFO_PRIVATE, &p);
		finish((struct fetch_job *)(void *)p, code);
		done++;
	}
	return done;
}

/* Those whose time is over before there was a token. */
static void
expire(struct fetch *f)
{
	struct fetch_answer late = {
		.error = "oauth2: cannot fetch token: context deadline "
			 "exceeded",
		.timed_out = true,
	};
	int64_t now = TAILQ_EMPTY(&f->waiting) ? 0 : fetch_now(f);
	struct fetch_job *j, *next;
	struct fetch_jobs list;

	/* their callbacks may change the list that is waiting */
	TAILQ_INIT(&list);
	for (j = TAILQ_FIRST(&f->waiting); j != NULL; j = next) {
		next = TAILQ_NEXT(j, entry);
		if (j->deadline == 0 || j->deadline > now)
			continue;
		TAILQ_REMOVE(&f->waiting, j, entry);
		TAILQ_INSERT_TAIL(&list, j, entry);
	}
	for (j = TAILQ_FIRST(&list); j != NULL; j = next) {
		next = TAILQ_NEXT(j, entry);
		late.took = now - j->start;
		fetch_end(j, &late);
	}
}

/* Let libcurl go on; how many requests are over then, or -1. */
static int
act(struct fetch_multi *m, curl_socket_t fd, int mask)
{
	int n;

	if (m->fetch->curl.multi_action(m->curl, fd, mask, &n) != CURLM_OK)
		return -1;
	return collect(m);
}

/* What its timers want; how many requests are over then, or -1. */
static int
do_due(struct fetch *f)
{
	int64_t now = fetch_now(f);
	int done = 0, n;

	for (size_t i = 0; i < f->nused; i++) {
		struct fetch_multi *m = f->used[i];

		if (m->due == -1 || m->due > now)
			continue;
		m->due = -1;
		if ((n = act(m, CURL_SOCKET_TIMEOUT, 0)) == -1)
			return -1;
		done += n;
	}
	return done;
}

/* The ms to wait, of timeout, until libcurl or a deadline wants us. */
static int
wait_time(const struct fetch *f, int timeout)
{
	const struct fetch_job *j;
	int64_t due = fetch_multi_due(f), ms;

	if (f->plain_due != 0 && (due == -1 || f->plain_due < due))
		due = f->plain_due;

	for (j = TAILQ_FIRST(&f->waiting); j; j = TAILQ_NEXT(j, entry))
		if (j->deadline && (due == -1 || j->deadline < due))
			due = j->deadline;
	if (due == -1)
		return timeout;
	/* rounded up: a wake before its time would be for nothing */
	ms = (due - fetch_now(f) + 999999) / 1000000;
	ms = ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : ms;
	return timeout < 0 || ms < timeout ? (int)ms : timeout;
}

/* Wait for libcurl's sockets and the caller's; returns the former's events. */
static int
wait_for(struct fetch *f, struct pollfd *fds, size_t nfds, int timeout,
    struct epoll_event *ev)
{
	if (nfds == 0)
		return epoll_wait(f->ep, ev, EVENTS, timeout);
	f->polls =
	    mem_grow(f->polls, &f->polls_cap, nfds + 1, sizeof(*f->polls));
	f->polls[0] = (struct pollfd){ .fd = f->ep, .events = POLLIN };
	memcpy(f->polls + 1, fds, nfds * sizeof(*fds));
	if (poll(f->polls, nfds + 1, timeout) == -1) {
		for (size_t i = 0; i < nfds; i++)
			fds[i].revents = 0;
		return 0;
	}
	for (size_t i = 0; i < nfds; i++)
		fds[i].revents = f->polls[i + 1].revents;
	return f->polls[0].revents ? epoll_wait(f->ep, ev, EVENTS, 0) : 0;
}

static int
do_event(struct fetch *f, const struct epoll_event *ev)
{
	int mask = 0;

	if (ev->data.u64 >= FETCH_PLAIN) {
		fetch_plain_event(
		    f, (int)(ev->data.u64 & UINT32_MAX), ev->events);
		return 0;
	}
	if (ev->data.u64 >= FETCH_WATCHED) {
		f->watched[ev->data.u64 & UINT32_MAX].revents =
		    (short)ev->events;
		return 0;
	}
	if (ev->events & (EPOLLIN | EPOLLHUP))
		mask |= CURL_CSELECT_IN;
	if (ev->events & EPOLLOUT)
		mask |= CURL_CSELECT_OUT;
	if (ev->events & EPOLLERR)
		mask |= CURL_CSELECT_ERR;
	return act(&f->multis[ev->data.u64 >> 32],
	    (curl_socket_t)(ev->data.u64 & UINT32_MAX), mask);
}

int
fetch_step(struct fetch *f, struct pollfd *fds, size_t nfds, int timeout,
    struct error *e)
{
	struct epoll_event ev[EVENTS];
	size_t ended = f->ended;
	int n, done;

	for (size_t i = 0; i < f->nwatched; i++)
		f->watched[i].revents = 0;
	if (f->pending == 0 && nfds == 0 && timeout < 0)
		return 0;
	if (f->ep == -1) {
		if (poll(fds, nfds, timeout) == -1)
			for (size_t i = 0; i < nfds; i++)
				fds[i].revents = 0;
		return 0;
	}
	/*
	 * What was added since the last step is sent before the wait, of which
	 * there is none when that has ended something.
	 */
	fetch_plain_step(f);
	if ((done = do_due(f)) == -1)
		return error_set(e, "libcurl failed");
	if (done > 0 || f->ended != ended)
		timeout = 0;
	n = wait_for(f, fds, nfds, wait_time(f, timeout), ev);
	for (int i = 0; i < n; i++)
		if (do_event(f, &ev[i]) == -1)
			return error_set(e, "libcurl failed");
	if (do_due(f) == -1)
		return error_set(e, "libcurl failed");
	fetch_plain_step(f);
	expire(f);
	return 0;
}
