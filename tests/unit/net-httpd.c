/*
 * The server's guards, one by one, against a client that writes whatever bytes
 * it likes.  Server and client share this process: wait_answer() steps both.
 */
#include "net/httpd.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "check.h"

static int64_t
mono(void *arg)
{
	struct timespec ts;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static const struct clock clock_real = { .mono = mono };
static int calls; /* of the handler */
static int other; /* a client that writes while /slow is handled */

static void
handle(void *arg, const struct httpd_request *q, struct httpd_answer *a)
{
	str head = httpd_header(q, "x-test");

	(void)arg;
	calls++;
	a->content_type = "text/plain";
	if (str_eq(q->path, STR("/big"))) {
		a->gzip = true;
		for (int i = 0; i < 20000; i++)
			buf_z(&a->body, "big data ");
		return;
	}
	if (str_eq(q->path, STR("/slow"))) {
		usleep(400000);
		dprintf(other, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
		return;
	}
	if (str_eq(q->path, STR("/empty"))) {
		a->status = 204;
		return;
	}
	buf_printf(&a->body, "%.*s %.*s|%.*s|%.*s|%.*s|%.*s\n",
	    STR_ARG(q->method), STR_ARG(q->path), STR_ARG(q->query),
	    STR_ARG(head), STR_ARG(q->peer), STR_ARG(q->body));
	a->headers[a->nheaders++] =
	    (struct httpd_param){ STR("X-Mine"), STR("1") };
}

static int
dial(const struct httpd *h)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	const char *port = strrchr(httpd_address(h), ':') + 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_port = htons((uint16_t)atoi(port));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == -1)
		return -1;
	return fd;
}

static void
step(struct httpd *h, int fd, int ms)
{
	struct pollfd p[2] = { { .fd = httpd_fd(h), .events = POLLIN },
		{ .fd = fd, .events = POLLIN } };
	int wait = httpd_timeout(h);
	struct error e;

	if (wait == -1 || wait > ms)
		wait = ms;
	poll(p, fd == -1 ? 1 : 2, wait);
	CHECK(httpd_step(h, &e) == 0);
}

/* Is what was read a whole answer with a Content-Length? */
static bool
complete(struct buf *b)
{
	const char *s = buf_cstr(b), *end = strstr(s, "\r\n\r\n");
	const char *len = strstr(s, "Content-Length: ");

	return end != NULL && len != NULL &&
	    b->n >= (size_t)(end + 4 - s) + strtoul(len + 16, NULL, 10);
}

/* Read one answer, or to the end of the connection; true if it was closed. */
static bool
wait_answer(struct httpd *h, int fd, struct buf *b, int ms)
{
	int64_t end = mono(NULL) + ms * INT64_C(1000000);

	buf_reset(b);
	while (mono(NULL) < end && !complete(b)) {
		ssize_t n;

		step(h, fd, 20);
		n = recv(fd, buf_reserve(b, 65536), 65536, MSG_DONTWAIT);
		if (n > 0)
			b->n += (size_t)n;
		if (n == 0)
			return true;
	}
	/* Does the server close after it? */
	for (int i = 0; i < 3; i++) {
		char c;

		step(h, fd, 5);
		if (recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) == 0)
			return true;
	}
	return false;
}

static int
status(const struct buf *b)
{
	return b->n > 12 ? atoi(b->p + 9) : 0;
}

static bool
has(struct buf *b, const char *s)
{
	return strstr(buf_cstr(b), s) != NULL;
}

static void
test_good(struct httpd *h)
{
	struct buf b = { 0 };
	int fd = dial(h);
	const char *q = "GET /a%20b?x=%20 HTTP/1.1\r\nHost: h\r\n"
			"X-Test: v\r\n\r\n";

	for (int i = 0; i < 2; i++) { /* kept alive */
		CHECK(write(fd, q, strlen(q)) > 0);
		CHECK(!wait_answer(h, fd, &b, 1000) && status(&b) == 200);
		CHECK(has(&b, "\r\n\r\nGET /a b|x=%20|v|127.0.0.1|\n"));
		CHECK(has(&b, "X-Mine: 1\r\n"));
		CHECK(has(&b, "Content-Type: text/plain\r\n"));
	}
	q = "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab\ncd";
	CHECK(write(fd, q, strlen(q)) > 0);
	CHECK(!wait_answer(h, fd, &b, 1000) && has(&b, "POST /p||"));
	CHECK(has(&b, "|ab\ncd\n"));
	q = "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n";
	CHECK(write(fd, q, strlen(q)) > 0);
	CHECK(!wait_answer(h, fd, &b, 1000) && has(&b, "|abcde\n"));
	q = "GET /empty HTTP/1.1\r\nHost: h\r\n\r\n";
	CHECK(write(fd, q, strlen(q)) > 0);
	CHECK(!wait_answer(h, fd, &b, 300) && status(&b) == 204);
	q = "HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
	CHECK(write(fd, q, strlen(q)) > 0);
	CHECK(wait_answer(h, fd, &b, 300) && status(&b) == 200);
	CHECK(has(&b, "Content-Length: 20\r\n") && !has(&b, "GET /x"));
	close(fd);
	fd = dial(h);
	q = "GET / HTTP/1.0\r\n\r\n"; /* no Host is needed there */
	CHECK(write(fd, q, strlen(q)) > 0);
	CHECK(wait_answer(h, fd, &b, 1000) && status(&b) == 200);
	close(fd);
	buf_fini(&b);
}

/* Requests that are refused, each on a connection of its own. */
static void
test_refused(struct httpd *h)
{
#define HEAD "POST /x HTTP/1.1\r\nHost: h\r\n"
	static const struct {
		const char *what, *text;
		int status;
	} t[] = {
		{ "two lengths",
		    HEAD "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
		    400 },
		{ "the same length twice",
		    HEAD "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
		    400 },
		{ "length and coding",
		    HEAD "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"
			 "\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
		    400 },
		{ "coding and length",
		    HEAD "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"
			 "\r\n0\r\n\r\n",
		    400 },
		{ "strange coding",
		    HEAD "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501 },
		{ "signed length", HEAD "Content-Length: +3\r\n\r\nabc", 400 },
		{ "length list", HEAD "Content-Length: 3, 3\r\n\r\nabc", 400 },
		{ "length with letters", HEAD "Content-Length: 3x\r\n\r\nabc",
		    400 },
		{ "huge length",
		    HEAD "Content-Length: 99999999999999999999\r\n\r\n", 413 },
		{ "too large a length", HEAD "Content-Length: 70000\r\n\r\n",
		    413 },
		{ "control byte", HEAD "X-A: a\x01z\r\n\r\n", 400 },
		{ "delete", HEAD "X-A: a\x7fz\r\n\r\n", 400 },
		{ "blank in a name", HEAD "X A: b\r\n\r\n", 400 },
		{ "blank before the colon", HEAD "X-A : b\r\n\r\n", 400 },
		{ "two hosts", HEAD "Host: h\r\n\r\n", 400 },
		{ "no host", "GET / HTTP/1.1\r\n\r\n", 400 },
		{ "NUL in the path", "GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n",
		    400 },
		{ "bad escape", "GET /%g0 HTTP/1.1\r\nHost: h\r\n\r\n", 400 },
		{ "bad escape in a form",
		    HEAD "Content-Type: application/x-www-form-urlencoded\r\n"
			 "Content-Length: 4\r\n\r\na=%q",
		    400 },
		{ "no path", "GET x HTTP/1.1\r\nHost: h\r\n\r\n", 400 },
		{ "chunks in 1.0",
		    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "0\r\n\r\n",
		    400 },
	};
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int fd = dial(h), before = calls;
		bool closed;

		CHECK(write(fd, t[i].text, strlen(t[i].text)) > 0);
		closed = wait_answer(h, fd, &b, 3000);
		CHECK(status(&b) == t[i].status && closed && calls == before);
		if (status(&b) != t[i].status || !closed || calls != before)
			printf("# %s: %d closed %d\n%s\n", t[i].what,
			    status(&b), closed, buf_cstr(&b));
		close(fd);
	}
	buf_fini(&b);
}

static void
send_head(int fd, size_t headers, size_t size)
{
	struct buf b = { 0 };

	buf_z(&b, "GET / HTTP/1.1\r\nHost: h\r\n");
	for (size_t i = 0; i < headers; i++) {
		buf_printf(&b, "X-%zu: ", i);
		for (size_t j = 0; j < size; j++)
			buf_byte(&b, 'v');
		buf_z(&b, "\r\n");
	}
	buf_z(&b, "\r\n");
	CHECK(send(fd, b.p, b.n, MSG_NOSIGNAL) > 0);
	buf_fini(&b);
}

static void
test_caps(struct httpd *h)
{
	static char chunk[65536];
	struct buf b = { 0 };
	int fd = dial(h);

	send_head(fd, 1, 3000);
	wait_answer(h, fd, &b, 3000);
	CHECK(status(&b) == 200);
	send_head(fd, 1, 5000);
	CHECK(wait_answer(h, fd, &b, 3000) && status(&b) == 431);
	close(fd);
	fd = dial(h);
	send_head(fd, 1, 60000);
	wait_answer(h, fd, &b, 3000);
	CHECK(status(&b) == 431);
	close(fd);
	fd = dial(h);
	send_head(fd, 101, 1);
	CHECK(wait_answer(h, fd, &b, 3000) && status(&b) == 431);
	close(fd);
	/* A body in chunks says its size only as it comes. */
	fd = dial(h);
	memset(chunk, 'c', sizeof(chunk));
	CHECK(dprintf(fd, HEAD "Transfer-Encoding: chunked\r\n\r\n") > 0);
	for (int i = 0; i < 3; i++) {
		CHECK(dprintf(fd, "6000\r\n") > 0);
		CHECK(send(fd, chunk, 0x6000, MSG_NOSIGNAL) == 0x6000);
		CHECK(dprintf(fd, "\r\n") > 0);
		step(h, -1, 10);
	}
	CHECK(dprintf(fd, "0\r\n\r\n") > 0);
	CHECK(wait_answer(h, fd, &b, 3000) && status(&b) == 413);
	close(fd);
	buf_fini(&b);
}

/* A byte now and then; how long (ms) until the server has had enough. */
static int64_t
drip(struct httpd *h, const char *start, const char *bytes)
{
	int64_t t = mono(NULL);
	int fd = dial(h);
	ssize_t n;
	char c;

	CHECK(write(fd, start, strlen(start)) >= 0);
	for (int i = 0; i < 200; i++) {
		step(h, -1, 20);
		usleep(10000);
		/* Unread bytes make it a reset. */
		n = recv(fd, &c, 1, MSG_DONTWAIT);
		if (n == 0 || (n == -1 && errno != EAGAIN))
			break;
		send(fd, bytes + (size_t)i % strlen(bytes), 1, MSG_NOSIGNAL);
	}
	close(fd);
	return (mono(NULL) - t) / 1000000;
}

static void
test_deadlines(struct httpd *h)
{
	struct buf b = { 0 };
	const char *q = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
	int64_t t;
	int fd;

	t = drip(h, "", "GET"); /* the request line never ends */
	CHECK(t >= 250 && t < 30000);
	t = drip(h, "GET / HTTP/1.1\r\n", "X-A: b\r\n");
	CHECK(t >= 250 && t < 30000);
	t = drip(h, HEAD "Content-Length: 1000\r\n\r\n", "b");
	CHECK(t >= 350 && t < 30000);
	t = drip(h, HEAD "Transfer-Encoding: chunked\r\n\r\n", "1\r\nb\r\n");
	CHECK(t >= 350 && t < 30000);
	/* Between two requests, idle. */
	fd = dial(h);
	t = mono(NULL); /* before: who is held up must not count less */
	CHECK(write(fd, q, strlen(q)) > 0);
	wait_answer(h, fd, &b, 3000);
	CHECK(wait_answer(h, fd, &b, 5000) && b.n == 0);
	t = (mono(NULL) - t) / 1000000;
	CHECK(t >= 300 && t < 30000);
	close(fd);
	/* An answer that nobody fetches. */
	fd = dial(h);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){ 4096 }, sizeof(int));
	q = "GET /big HTTP/1.1\r\nHost: h\r\n\r\n";
	for (int i = 0; i < 40; i++)
		CHECK(write(fd, q, strlen(q)) > 0);
	t = mono(NULL);
	while (httpd_pending(h) == 0 && mono(NULL) - t < 20000000000)
		step(h, -1, 20);
	while (httpd_pending(h) > 0 && mono(NULL) - t < 30000000000)
		step(h, -1, 20);
	t = (mono(NULL) - t) / 1000000;
	CHECK(t >= 400 && t < 30000);
	close(fd);
	buf_fini(&b);
}

/*
 * What libmicrohttpd 0.9 does not show: a NUL cuts a value, a folded line is
 * added to the name before it, a bare LF ends a line.  The size and place of
 * what it shows give them away.
 */
static void
test_hidden(struct httpd *h)
{
	static const struct {
		const char *text;
		size_t n;
	} t[] = {
#define HIDDEN(s) { s, sizeof(s) - 1 }
		HIDDEN(HEAD "X-Test: a\0b\r\n\r\n"),
		HIDDEN(HEAD "X-Test: a\0b\r\nX-B: c\r\n\r\n"),
		HIDDEN(HEAD "X-Test: a\r\n b\r\n\r\n"),
		HIDDEN(HEAD "X-Test: a\r\n b\r\nX-B: c\r\n\r\n"),
		HIDDEN(HEAD "Content-Length: 1\r\n 2\r\nX-B: c\r\n\r\nab"),
		HIDDEN(HEAD "Transfer-Encoding:\r\n chunked\r\n\r\n"),
		HIDDEN(HEAD "X-A:a\r\nX-B:b\r\nX-C:c\r\nX-D: d\r\n e\r\n\r\n"),
		HIDDEN(HEAD "X-Test: a\nX-B: c\r\n\r\n"),
		HIDDEN(HEAD "X-Test: a\n\r\n"),
		HIDDEN(HEAD "X-Test: a\r\n\n"),
		HIDDEN("GET / HTTP/1.1\nHost: h\r\n\r\n"),
	};
	static const char loose[] =
	    HEAD "X-A:b\r\nX-B:\r\nX-C: \r\nX-Test: \t v \t\r\n\r\n";
	struct buf b = { 0 };
	int fd, before = calls;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		fd = dial(h);
		CHECK(write(fd, t[i].text, t[i].n) > 0);
		CHECK(wait_answer(h, fd, &b, 3000) && status(&b) == 400);
		if (status(&b) != 400)
			printf("# %zu: %s\n", i, buf_cstr(&b));
		close(fd);
	}
	CHECK(calls == before);
	fd = dial(h);
	CHECK(write(fd, loose, sizeof(loose) - 1) > 0);
	CHECK(!wait_answer(h, fd, &b, 3000) && status(&b) == 200);
	CHECK(has(&b, "|v"));
	close(fd);
	buf_fini(&b);
}

/* What a handler takes is not held against those who wait. */
static void
test_slow_handler(struct httpd *h)
{
	struct buf b = { 0 };
	int fd = dial(h);

	other = dial(h);
	for (int i = 0; i < 3; i++)
		step(h, -1, 5);
	CHECK(dprintf(fd, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n") > 0);
	wait_answer(h, fd, &b, 3000);
	CHECK(status(&b) == 200);
	wait_answer(h, other, &b, 3000);
	CHECK(status(&b) == 200);
	close(fd);
	close(other);
	buf_fini(&b);
}

static void
test_gzip(struct httpd *h)
{
	const char *q = "GET /big HTTP/1.1\r\nHost: h\r\n"
			"Accept-Encoding: gzip\r\n\r\n";
	static char out[200000];
	z_stream z = { .next_out = (Bytef *)out, .avail_out = sizeof(out) };
	struct buf b = { 0 };
	int fd = dial(h);
	const char *body;

	CHECK(write(fd, q, strlen(q)) > 0);
	wait_answer(h, fd, &b, 3000);
	CHECK(has(&b, "Content-Encoding: gzip\r\n") && b.n < 20000);
	CHECK((body = strstr(buf_cstr(&b), "\r\n\r\n")) != NULL);
	inflateInit2(&z, 31);
	z.next_in = (Bytef *)(uintptr_t)(body + 4);
	z.avail_in = (uInt)(b.p + b.n - body - 4);
	CHECK(inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == 180000);
	inflateEnd(&z);
	q = "GET /big HTTP/1.1\r\nHost: h\r\n\r\n";
	CHECK(write(fd, q, strlen(q)) > 0);
	wait_answer(h, fd, &b, 3000);
	CHECK(!has(&b, "gzip") && b.n > 180000);
	close(fd);
	buf_fini(&b);
}

static void
test_connections(struct httpd *h, size_t max)
{
	struct buf b = { 0 };
	int fds[16];
	const char *q = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

	for (size_t i = 0; i < max + 2; i++)
		fds[i] = dial(h);
	for (int i = 0; i < 10; i++)
		step(h, -1, 5);
	CHECK(httpd_pending(h) <= max);
	for (size_t i = 0; i < max + 2; i++)
		close(fds[i]);
	for (int i = 0; i < 10 && httpd_pending(h) > 0; i++)
		step(h, -1, 5);
	fds[0] = dial(h); /* and it goes on */
	CHECK(write(fds[0], q, strlen(q)) > 0);
	wait_answer(h, fds[0], &b, 1500);
	CHECK(status(&b) == 200);
	close(fds[0]);
	buf_fini(&b);
}

static void
leave_socket(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strlcpy(un.sun_path, path, sizeof(un.sun_path));
	CHECK(bind(fd, (struct sockaddr *)&un, sizeof(un)) == 0);
	CHECK(listen(fd, 1) == 0);
	close(fd);
}

static void
test_addresses(const struct httpd_limits *l)
{
	char path[] = "/tmp/net-httpd.XXXXXX", addr[64];
	struct httpd *h, *g;
	struct error e;

	h = httpd_open("127.0.0.1:0", l, NULL, &clock_real, handle, NULL, &e);
	CHECK(h != NULL);
	g = httpd_open(
	    httpd_address(h), l, NULL, &clock_real, handle, NULL, &e);
	CHECK(g == NULL && strstr(e.msg, "Address already in use") != NULL);
	CHECK(strstr(e.msg, httpd_address(h)) != NULL);
	httpd_close(h);
	h = httpd_open(":0", l, NULL, &clock_real, handle, NULL, &e);
	CHECK(h != NULL && dial(h) != -1);
	httpd_close(h);
	CHECK(
	    httpd_open("8081", l, NULL, &clock_real, handle, NULL, &e) == NULL);
	CHECK(httpd_open(":70000", l, NULL, &clock_real, handle, NULL, &e) ==
	    NULL);
	CHECK(httpd_open("::1:80", l, NULL, &clock_real, handle, NULL, &e) ==
	    NULL);
	CHECK(httpd_open("192.0.2.1:0", l, NULL, &clock_real, handle, NULL,
		  &e) == NULL);
	close(mkstemp(path));
	unlink(path);
	snprintf(addr, sizeof(addr), "unix:%s", path);
	h = httpd_open(addr, l, NULL, &clock_real, handle, NULL, &e);
	CHECK(h != NULL && strcmp(httpd_address(h), addr) == 0);
	CHECK(httpd_open(addr, l, NULL, &clock_real, handle, NULL, &e) == NULL);
	CHECK(strstr(e.msg, "in use") != NULL);
	httpd_close(h);
	CHECK(access(path, F_OK) == -1);
	/* What a killed server left behind is in nobody's way. */
	leave_socket(path);
	h = httpd_open(addr, l, NULL, &clock_real, handle, NULL, &e);
	CHECK(h != NULL);
	if (h != NULL) {
		struct sockaddr_un un = { .sun_family = AF_UNIX };
		const char *q = "GET /u HTTP/1.1\r\nHost: h\r\n\r\n";
		struct buf b = { 0 };
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		strcpy(un.sun_path, path);
		CHECK(connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0);
		CHECK(write(fd, q, strlen(q)) > 0);
		wait_answer(h, fd, &b, 3000);
		CHECK(has(&b, "GET /u|||unix|"));
		close(fd);
		buf_fini(&b);
	}
	httpd_close(h);
	CHECK(access(path, F_OK) == -1);
}

/* What is at work is finished, nothing new is taken. */
static void
test_drain(const struct httpd_limits *l)
{
	struct error e;
	struct buf b = { 0 };
	struct httpd *h =
	    httpd_open("127.0.0.1:0", l, NULL, &clock_real, handle, NULL, &e);
	const char *q = HEAD "Content-Length: 4\r\n\r\nab";
	int fd = dial(h), idle = dial(h);
	char c;

	CHECK(write(fd, q, strlen(q)) > 0);
	for (int i = 0; i < 5; i++)
		step(h, -1, 5);
	CHECK(httpd_pending(h) == 2);
	httpd_drain(h);
	for (int i = 0; i < 5; i++)
		step(h, -1, 5);
	CHECK(httpd_pending(h) == 1 && recv(idle, &c, 1, 0) == 0);
	CHECK(dial(h) == -1);
	CHECK(write(fd, "cd", 2) == 2);
	CHECK(wait_answer(h, fd, &b, 3000) && has(&b, "|abcd\n"));
	CHECK(has(&b, "Connection: close"));
	for (int i = 0; i < 5 && httpd_pending(h) > 0; i++)
		step(h, -1, 5);
	CHECK(httpd_pending(h) == 0);
	httpd_close(h);
	close(fd);
	close(idle);
	buf_fini(&b);
}

int
main(void)
{
	struct httpd_limits l = { .max_head = 4096,
		.max_body = 65536,
		.max_connections = 8,
		.head_deadline = 300,
		.body_deadline = 400,
		.answer_deadline = 500,
		.idle = 350 };
	struct error e;
	struct httpd *h =
	    httpd_open("127.0.0.1:0", &l, NULL, &clock_real, handle, NULL, &e);

	CHECK(h != NULL && httpd_pending(h) == 0);
	if (h == NULL)
		return done();
	test_good(h);
	test_refused(h);
	test_caps(h);
	test_deadlines(h);
	test_hidden(h);
	test_slow_handler(h);
	test_gzip(h);
	test_connections(h, l.max_connections);
	httpd_close(h);
	test_addresses(&l);
	test_drain(&l);
	return done();
}
