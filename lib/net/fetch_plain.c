/*
 * GET over plain HTTP/1.1, without libcurl: what a fleet is scraped by.  For
 * such a request libcurl takes as long as all the rest of a scrape, some
 * 9 MiB, and 4 ms to load; so it is left to what needs it: TLS, proxies,
 * credentials, redirects, other methods.
 *
 * A connection serves one request at a time and is kept for the next to the
 * same place.  The body goes through fetch_body.c, as libcurl's does, with the
 * same limits.  (RFC 9112)
 */
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/un.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/fetch_plain.h"

#define SCRATCH ((size_t)128 << 10) /* read at once */
#define LONG ((size_t)1 << 20)      /* and of a long body */
#define SPARE 128                   /* descriptors for all else */
#define MAX_IDLE (INT64_C(300) * 1000000000)

/* Where a URL leads: host and port, or a socket's path. */
static str
place_of(struct fetch_job *j, char *host, size_t size, int *port)
{
	const char *p = j->url + 7, *end = p + strcspn(p, ":/?#");
	bool six = *p == '[';
	str name, from, to;

	if (six)
		end = strchr(++p, ']');
	name = str_take(str_from(p, end), size - 1);
	*(char *)mempcpy(host, name.p, name.n) = '\0';
	end += six;
	*port = *end == ':' ? (int)strtol(end + 1, NULL, 10) : 80;
	if (j->sock != NULL)
		return arena_printf(&j->arena, "unix:%s", j->sock);
	/* Mostly it stands there as it is. */
	if (*end == ':' && j->fetch->nconnect_to == 0)
		return str_from(j->url + 7, end + strcspn(end, "/?#"));
	from = arena_printf(&j->arena, "%s:%d:", host, *port);
	for (size_t i = 0; !six && i < j->fetch->nconnect_to; i++) {
		to = str_of(j->fetch->connect_to[i]);
		if (!str_starts(to, from))
			continue;
		to = str_skip(to, from.n);
		(void)snprintf(host, size, "%.*s", (int)str_chr(to, ':'), to.p);
		to = str_skip(to, str_chr(to, ':') + 1);
		*port = (int)strtol(arena_cstr(&j->arena, to), NULL, 10);
	}
	return arena_printf(&j->arena, six ? "[%s]:%d" : "%s:%d", host, *port);
}

/* Is there more to a configuration than lines of the head? */
static bool
is_plain(const struct auth *a)
{
	const str more[] = { a->oauth2.token_url, a->proxy.url, a->tls.ca,
		a->tls.ca_file, a->tls.cert, a->tls.cert_file, a->tls.key,
		a->tls.key_file };

	/* Files of TLS are read although nobody needs them: faults are told. */
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (more[i].n > 0)
			return false;
	return !a->basic && !a->proxy.from_environment;
}

bool
fetch_plain_can(const struct fetch_job *j)
{
	if (strncmp(j->url, "http://", 7) != 0 || !fetch_simple(j->url) ||
	    strcmp(j->method, "GET") != 0 || j->q.body.n > 0)
		return false;
	/* An address in brackets as the place to connect to instead. */
	for (size_t i = 0; i < j->fetch->nconnect_to; i++)
		if (strchr(j->fetch->connect_to[i], '[') != NULL)
			return false;
	return j->q.auth == NULL || is_plain(j->q.auth);
}

/* The request: the lines that libcurl would be given, and its own. */
static void
write_request(struct fetch_plain *p)
{
	struct fetch_job *j = p->job;
	str url = str_skip(str_of(j->url), 7);
	str host = str_take(url, strcspn(url.p, "/?#"));
	str path = str_skip(url, host.n);

	path = str_take(path, str_chr(path, '#'));
	if (str_ends(host, STR(":80")))
		host.n -= 3;
	buf_reset(&p->out);
	p->sent = 0;
	buf_z(&p->out, "GET ");
	if (path.n == 0 || path.p[0] != '/')
		buf_byte(&p->out, '/');
	buf_add(&p->out, path);
	buf_z(&p->out, " HTTP/1.1\r\nHost: ");
	buf_add(&p->out, host);
	buf_z(&p->out, "\r\nUser-Agent: ");
	buf_z(&p->out, j->fetch->user_agent);
	buf_z(&p->out, "\r\n");
	for (const struct curl_slist *l = j->headers; l; l = l->next) {
		str s = str_of(l->data);

		if (str_ends(s, STR(":")))
			continue; /* libcurl is told to leave it out */
		if (str_ends(s, STR(";")) && str_chr(s, ':') == s.n) {
			buf_add(&p->out, str_take(s, s.n - 1));
			buf_byte(&p->out, ':');
		} else {
			buf_add(&p->out, s);
		}
		buf_z(&p->out, "\r\n");
	}
	buf_z(&p->out, "\r\n");
}

static void
watch(struct fetch_plain *p, int fd, int op, uint32_t events)
{
	struct epoll_event ev = { .events = events };
	struct fetch *f = p->fetch;

	ev.data.u64 = FETCH_PLAIN | (uint32_t)fd;
	(void)epoll_ctl(f->ep, op, fd, &ev);
	if (op == EPOLL_CTL_MOD)
		return;
	if ((size_t)fd >= f->nplain) {
		size_t n = f->nplain;

		f->plain = mem_grow(f->plain, &f->nplain, (size_t)fd + 1,
		    sizeof(struct fetch_plain *));
		memset(f->plain + n, 0,
		    (f->nplain - n) * sizeof(struct fetch_plain *));
	}
	f->plain[fd] = op == EPOLL_CTL_DEL ? NULL : p;
}

static void
close_fd(struct fetch_plain *p)
{
	if (p->lookup != NULL) {
		watch(p, fetch_lookup_fd(p->lookup), EPOLL_CTL_DEL, 0);
		fetch_lookup_drop(p->lookup);
		p->lookup = NULL;
	}
	if (p->fd != -1) {
		watch(p, p->fd, EPOLL_CTL_DEL, 0);
		(void)close(p->fd);
		p->fd = -1;
	}
}

static void
plain_free(struct fetch_plain *p)
{
	close_fd(p);
	p->fetch->nplains--;
	buf_fini(&p->out);
	buf_fini(&p->head);
	free((char *)(uintptr_t)p->key.p);
	free(p);
}

/* An idle connection, taken out of the queue, can't be found any more. */
static void
unplace(struct fetch_plain *p)
{
	struct fetch *f = p->fetch;
	struct map_slot *m = map_find(&f->places, p->key);
	struct fetch_plain **at, *first = m->v.p;

	for (at = &first; *at != p; at = &(*at)->next)
		;
	*at = p->next;
	m->v.p = first;
	/* The key lies in a connection, which may be the one that goes. */
	if (first == NULL)
		(void)map_del(&f->places, p->key);
	else
		m->key = first->key;
}

static void
keep(struct fetch_plain *p)
{
	struct fetch *f = p->fetch;
	struct map_slot *m;
	bool fresh;

	p->job = NULL;
	p->state = IDLE;
	p->since = fetch_now(f);
	p->served = true;
	buf_fini(&p->head);
	buf_fini(&p->out);
	m = map_add(&f->places, p->key, &fresh);
	p->next = fresh ? NULL : m->v.p;
	m->key = p->key;
	m->v.p = p;
	TAILQ_INSERT_TAIL(&f->idles, p, entry);
}

/* The job is over or goes elsewhere; what becomes of its connection? */
static void
leave(struct fetch_plain *p, bool good)
{
	struct fetch *f = p->fetch;
	struct fetch_job *j = p->job;

	j->plain = NULL;
	TAILQ_REMOVE(&f->plains, j, entry);
	if (good && p->keep)
		keep(p);
	else
		plain_free(p);
}

/* why may be NULL */
static void
fail(struct fetch_plain *p, const char *why)
{
	struct fetch_job *j = p->job;
	struct fetch *f = p->fetch;
	struct fetch_answer a = { .error = fetch_body_fault(j),
		.too_large = j->fault == FETCH_TOO_LARGE,
		.status = p->status,
		.took = fetch_now(f) - j->start };

	if (a.error == NULL)
		a.error = arena_cstr(&j->arena,
		    str_of(why != NULL ? why : "the answer is malformed"));
	leave(p, false);
	fetch_end(j, &a);
}

static void
succeed(struct fetch_plain *p)
{
	struct fetch_job *j = p->job;
	struct fetch *f = p->fetch;
	struct fetch_answer a = { .status = p->status,
		.content_type = p->type,
		.took = fetch_now(f) - j->start };

	if (!fetch_body_whole(j, p->status)) {
		fail(p, "the body is damaged");
		return;
	}
	if (p->location.n > 0 &&
	    (j->q.auth == NULL || j->q.auth->follow_redirects) &&
	    j->sock == NULL) {
		leave(p, true);
		fetch_over(j);
	} else {
		a.body = fetch_body(j);
		leave(p, true);
		fetch_end(j, &a);
	}
}

static void connect_next(struct fetch_plain *p, const char *why);

/* The other side has gone before it answered. */
static void
gone(struct fetch_plain *p, const char *why)
{
	/* An idle connection may have been closed while we wrote to it. */
	if (p->served && p->head.n == 0 && p->state <= HEAD) {
		close_fd(p);
		p->served = false;
		p->at = 0;
		p->sent = 0;
		connect_next(p, why);
		return;
	}
	fail(p, why);
}

/* Send what is left; false when p may be gone. */
static bool
send_on(struct fetch_plain *p)
{
	while (p->sent < p->out.n) {
		ssize_t n = send(p->fd, p->out.p + p->sent, p->out.n - p->sent,
		    MSG_NOSIGNAL);

		if (n >= 0) {
			p->sent += (size_t)n;
		} else if (errno == EAGAIN) {
			p->state = SENDING;
			watch(p, p->fd, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
			return true;
		} else if (errno != EINTR) {
			gone(p, "Send failure: the connection was closed");
			return false;
		}
	}
	if (p->state != HEAD)
		watch(p, p->fd, EPOLL_CTL_MOD, EPOLLIN);
	p->state = HEAD;
	return true;
}

static int
open_socket(const struct fetch_plain *p)
{
	const struct fetch_address *a = &p->address[p->at];
	int family = p->job->sock != NULL ? AF_UNIX : a->u.any.sa_family;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd != -1 && family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* 0 or errno; EINPROGRESS is said by epoll. */
static int
connect_to(const struct fetch_plain *p)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const struct fetch_address *a = &p->address[p->at];
	int rc;

	if (p->job->sock == NULL) {
		rc = connect(p->fd, &a->u.any, a->n);
	} else {
		if (strlen(p->job->sock) >= sizeof(un.sun_path))
			return ENAMETOOLONG;
		(void)memcpy(un.sun_path, p->job->sock, strlen(p->job->sock));
		rc = connect(p->fd, (const struct sockaddr *)(const void *)&un,
		    sizeof(un));
	}
	return rc == 0 ? 0 : errno;
}

/* To the next address that there is; why: what went wrong before. */
static void
connect_next(struct fetch_plain *p, const char *why)
{
	struct fetch_job *j = p->job;
	int rc;

	for (; p->at < p->naddress; p->at++) {
		p->fd = open_socket(p);
		if (p->fd == -1) {
			fail(p, strerror(errno));
			return;
		}
		watch(p, p->fd, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
		p->state = CONNECTING;
		rc = connect_to(p);
		if (rc == 0)
			(void)send_on(p);
		if (rc == 0 || rc == EINPROGRESS)
			return;
		close_fd(p);
		why = arena_cstr(&j->arena,
		    arena_printf(&j->arena, "Failed to connect to %.*s: %s",
			STR_ARG(p->key), strerror(rc)));
	}
	fail(p, why);
}

static void
resolved(struct fetch_plain *p)
{
	struct error e;

	p->naddress = fetch_lookup_take(p->lookup, p->address, &e);
	p->at = 0;
	watch(p, fetch_lookup_fd(p->lookup), EPOLL_CTL_DEL, 0);
	fetch_lookup_drop(p->lookup);
	p->lookup = NULL;
	connect_next(p, p->naddress == -1 ? e.msg : "");
}

/* Nothing has come in, not even the end. */
static bool
is_quiet(const struct fetch_plain *p)
{
	char c;

	return recv(p->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == -1 &&
	    errno == EAGAIN;
}

/* A connection for the job: an idle one to there, or a new one. */
static struct fetch_plain *
find(struct fetch_job *j, str key)
{
	struct fetch *f = j->fetch;
	struct map_slot *m = map_find(&f->places, key);
	struct fetch_plain *p = m == NULL ? NULL : m->v.p;
	char *text;

	if (p != NULL) {
		TAILQ_REMOVE(&f->idles, p, entry);
		unplace(p);
		if (fetch_now(f) - p->since < MAX_IDLE && is_quiet(p))
			return p;
		plain_free(p);
	}
	p = mem_zero(1, sizeof(*p));
	text = mem_alloc(key.n + 1);
	memcpy(text, key.p, key.n);
	p->fetch = f;
	p->fd = -1;
	p->key = (str){ text, key.n };
	f->nplains++;
	return p;
}

/* Begin on a connection of its own; callbacks may be called from here. */
static void
begin(struct fetch_job *j)
{
	struct fetch *f = j->fetch;
	struct fetch_plain *p;
	struct error e;
	char host[256];
	int port;
	str key = place_of(j, host, sizeof(host), &port);

	p = find(j, key);
	j->plain = p;
	p->job = j;
	p->keep = false;
	p->status = 0;
	p->type = p->location = STR_NONE;
	TAILQ_INSERT_TAIL(&f->plains, j, entry);
	write_request(p);
	if (p->served) {
		p->state = HEAD;
		(void)send_on(p);
		return;
	}
	p->naddress = 1;
	if (j->sock != NULL || fetch_number(host, port, &p->address[0])) {
		connect_next(p, "");
		return;
	}
	p->state = RESOLVING;
	p->lookup = fetch_lookup(host, port, &e);
	if (p->lookup == NULL)
		fail(p, e.msg);
	else
		watch(p, fetch_lookup_fd(p->lookup), EPOLL_CTL_ADD, EPOLLIN);
}

/* May another connection be opened?  An idle one makes room for it. */
static bool
room(struct fetch *f, struct fetch_job *j)
{
	struct fetch_plain *p = TAILQ_FIRST(&f->idles);
	char host[256];
	int port;

	if (f->nplains < f->max_plains)
		return true;
	if (p == NULL)
		return false;
	if (map_find(&f->places, place_of(j, host, sizeof(host), &port)) !=
	    NULL)
		return true;
	TAILQ_REMOVE(&f->idles, p, entry);
	unplace(p);
	plain_free(p);
	return true;
}

/* Those that are queued now: a callback may queue more. */
static void
start_queued(struct fetch *f)
{
	const struct fetch_job *last = TAILQ_LAST(&f->queued, fetch_jobs);
	struct fetch_job *j;
	bool end = last == NULL;

	while (!end && (j = TAILQ_FIRST(&f->queued)) != NULL && room(f, j)) {
		end = j == last;
		TAILQ_REMOVE(&f->queued, j, entry);
		j->queued = false;
		begin(j);
	}
}

int
fetch_plain_start(struct fetch_job *j, struct error *e)
{
	struct fetch *f = j->fetch;

	if (f->scratch == NULL) {
		f->scratch = mem_alloc(SCRATCH);
		f->max_plains = (size_t)fetch_descriptors() - SPARE;
	}
	if (fetch_lines(j, e) == -1)
		return -1;
	if (j->deadline != 0 &&
	    (f->plain_due == 0 || j->deadline < f->plain_due))
		f->plain_due = j->deadline;
	/* Begun in the next step, so that no callback comes before that. */
	TAILQ_INSERT_TAIL(&f->queued, j, entry);
	j->queued = true;
	return 0;
}

static void
end_of_input(struct fetch_plain *p)
{
	struct fetch_job *j = p->job;

	if (p->state == BODY && p->framing == BY_END) {
		succeed(p);
		return;
	}
	if (p->state == BODY && p->framing == BY_LENGTH)
		fail(p,
		    arena_cstr(&j->arena,
			arena_printf(&j->arena,
			    "transfer closed with %llu bytes remaining to read",
			    (unsigned long long)p->left)));
	else if (p->state == BODY)
		fail(p, "transfer closed with outstanding read data remaining");
	else
		gone(p,
		    p->head.n > 0 ? "the answer ends in its head"
				  : "Empty reply from server");
}

/* Nothing was read: its end, an error, or there is nothing yet. */
static void
no_more(struct fetch_plain *p, ssize_t n)
{
	if (n == 0)
		end_of_input(p);
	else if (errno != EAGAIN)
		gone(p,
		    errno == ECONNRESET
			? "Recv failure: Connection reset by peer"
			: "Recv failure");
}

static ssize_t
read_some(const struct fetch_plain *p, char *to, size_t n)
{
	ssize_t got;

	do
		got = recv(p->fd, to, n, 0);
	while (got == -1 && errno == EINTR);
	return got;
}

/* The rest of a long body goes to where it stays. */
static void
receive_body(struct fetch_plain *p, char *to, size_t n)
{
	ssize_t got = read_some(p, to, n);

	if (got <= 0) {
		no_more(p, got);
		return;
	}
	p->left -= (uint64_t)got;
	if (!fetch_body_got(p->job, (size_t)got))
		fail(p, NULL);
	else if (p->left == 0)
		succeed(p);
}

/* Once: what is left is told by epoll again, after the others had a turn. */
static void
receive(struct fetch_plain *p)
{
	struct fetch *f = p->fetch;
	const char *wrong = NULL;
	size_t n = p->left < LONG ? (size_t)p->left : LONG;
	char *to = NULL;
	ssize_t got;
	int rc;

	if (p->state == BODY && p->framing == BY_LENGTH)
		to = fetch_body_room(p->job, &n);
	if (to != NULL) {
		receive_body(p, to, n);
		return;
	}
	got = read_some(p, f->scratch, SCRATCH);
	if (got <= 0) {
		no_more(p, got);
		return;
	}
	rc = fetch_answer(p, (str){ f->scratch, (size_t)got }, &wrong);
	if (rc == 1)
		succeed(p);
	else if (rc == -1)
		fail(p, wrong);
}

static void
connected(struct fetch_plain *p)
{
	struct fetch_job *j = p->job;
	socklen_t n = sizeof(int);
	int rc = 0;

	(void)getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &rc, &n);
	if (rc == 0) {
		p->state = SENDING;
		(void)send_on(p);
		return;
	}
	close_fd(p);
	p->at++;
	connect_next(p,
	    arena_cstr(&j->arena,
		arena_printf(&j->arena, "Failed to connect to %.*s: %s",
		    STR_ARG(p->key), strerror(rc))));
}

void
fetch_plain_event(struct fetch *f, int fd, uint32_t events)
{
	struct fetch_plain *p = (size_t)fd < f->nplain ? f->plain[fd] : NULL;

	if (p == NULL)
		return;
	if (p->state == RESOLVING) {
		resolved(p);
	} else if (p->state == IDLE) {
		/* It was closed, or says what nobody asked for. */
		TAILQ_REMOVE(&f->idles, p, entry);
		unplace(p);
		plain_free(p);
	} else if (p->state == CONNECTING) {
		if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
			connected(p);
	} else if (p->sent < p->out.n && (events & EPOLLOUT)) {
		(void)send_on(p);
	} else {
		receive(p);
	}
}

static void
late(struct fetch_job *j)
{
	struct fetch_answer a = { .error = "context deadline exceeded",
		.timed_out = true,
		.took = fetch_now(j->fetch) - j->start };

	if (j->plain != NULL) {
		leave(j->plain, false);
	} else {
		TAILQ_REMOVE(&j->fetch->queued, j, entry);
		j->queued = false;
	}
	fetch_end(j, &a);
}

/* Of a list the first whose time is over; the least deadline of the others. */
static struct fetch_job *
first_late(const struct fetch_jobs *list, int64_t now, int64_t *due)
{
	struct fetch_job *j;

	for (j = TAILQ_FIRST(list); j != NULL; j = TAILQ_NEXT(j, entry)) {
		if (j->deadline == 0)
			continue;
		if (j->deadline <= now)
			return j;
		if (*due == 0 || j->deadline < *due)
			*due = j->deadline;
	}
	return NULL;
}

void
fetch_plain_step(struct fetch *f)
{
	int64_t now = f->plain_due == 0 ? 0 : fetch_now(f);
	struct fetch_job *j;

	while (f->plain_due != 0 && f->plain_due <= now) {
		f->plain_due = 0;
		if ((j = first_late(&f->plains, now, &f->plain_due)) != NULL ||
		    (j = first_late(&f->queued, now, &f->plain_due)) != NULL) {
			f->plain_due = now;
			late(j);
		}
	}
	start_queued(f);
}

void
fetch_plain_cancel(struct fetch_job *j)
{
	if (j->plain != NULL)
		leave(j->plain, false);
	else
		TAILQ_REMOVE(&j->fetch->queued, j, entry);
	j->queued = false;
}

void
fetch_plain_fini(struct fetch *f)
{
	struct fetch_plain *p, *next;

	for (p = TAILQ_FIRST(&f->idles); p != NULL; p = next) {
		next = TAILQ_NEXT(p, entry);
		plain_free(p);
	}
	map_fini(&f->places);
	free(f->plain);
	free(f->scratch);
}
