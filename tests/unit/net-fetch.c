/* Requests against a small server of our own, in a child process. */
#include "net/fetch.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
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
static int ports[2];

static int
listen_on(int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&a, n) == -1 || listen(fd, 64) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) == -1)
		exit(1);
	*port = ntohs(a.sin_port);
	return fd;
}

static void
send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL);

		if (k <= 0)
			_exit(0);
		p += k;
		n -= (size_t)k;
	}
}

static void
answer(int fd, const char *head, const char *body, size_t n)
{
	char b[512];
	int k = snprintf(b, sizeof(b),
	    "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
	    head, n);

	send_all(fd, b, (size_t)k);
	send_all(fd, body, n);
}

/* 64 MB of zeros in some 64 KB. */
static void
bomb(int fd)
{
	static char zeros[1 << 20], out[1 << 18];
	z_stream z = { .next_out = (Bytef *)out, .avail_out = sizeof(out) };

	deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY);
	for (int i = 0; i < 64; i++) {
		z.next_in = (Bytef *)zeros;
		z.avail_in = sizeof(zeros);
		deflate(&z, i == 63 ? Z_FINISH : Z_NO_FLUSH);
	}
	answer(fd, "200 OK\r\nContent-Encoding: gzip", out, z.total_out);
}

static void
redirect_to(int fd, const char *code, int port, const char *path)
{
	char b[256];

	snprintf(b, sizeof(b), "%s Moved\r\nLocation: http://127.0.0.1:%d%s",
	    code, port, path);
	answer(fd, b, "gone", 4);
}

static void
serve_one(int fd)
{
	char b[8192];
	size_t n = 0;
	ssize_t k;
	char *path;

	while ((k = read(fd, b + n, sizeof(b) - 1 - n)) > 0) {
		n += (size_t)k;
		b[n] = '\0';
		if (strstr(b, "\r\n\r\n") != NULL)
			break;
	}
	if ((path = strchr(b, ' ')) == NULL)
		_exit(0);
	path++;
	if (strncmp(path, "/echo", 5) == 0)
		answer(fd, "200 OK\r\nContent-Type: text/plain", b, n);
	else if (strncmp(path, "/bomb", 5) == 0)
		bomb(fd);
	else if (strncmp(path, "/hang", 5) == 0)
		pause();
	else if (strncmp(path, "/half", 5) == 0)
		send_all(
		    fd, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx", 40);
	else if (strncmp(path, "/same", 5) == 0)
		redirect_to(fd, "302", ports[0], "/echo");
	else if (strncmp(path, "/away", 5) == 0)
		redirect_to(fd, "307", ports[1], "/echo");
	else if (strncmp(path, "/loop", 5) == 0)
		redirect_to(fd, "302", ports[0], "/loop");
	else if (strncmp(path, "/file", 5) == 0)
		answer(fd, "302 Found\r\nLocation: file:///etc/passwd", "", 0);
	else
		answer(fd, "404 Not Found", "no", 2);
	_exit(0);
}

/* One process a connection, on every socket given. */
static pid_t
serve(const int *fds, size_t n)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	signal(SIGCHLD, SIG_IGN);
	setpgid(0, 0);
	for (;;) {
		struct pollfd p[4];

		for (size_t i = 0; i < n; i++)
			p[i] =
			    (struct pollfd){ .fd = fds[i], .events = POLLIN };
		poll(p, n, -1);
		for (size_t i = 0; i < n; i++) {
			int c = p[i].revents ? accept(fds[i], NULL, NULL) : -1;

			if (c != -1 && fork() == 0)
				serve_one(c);
			if (c != -1)
				close(c);
		}
	}
}

struct got {
	bool done, failed, timed_out;
	int status;
	char error[512], type[64];
	struct buf body;
};

static void
on_done(void *arg, const struct fetch_answer *a)
{
	struct got *g = arg;

	g->done = true;
	g->failed = a->error != NULL;
	g->timed_out = a->timed_out;
	g->status = a->status;
	snprintf(g->error, sizeof(g->error), "%s", a->error ? a->error : "");
	snprintf(g->type, sizeof(g->type), "%.*s", STR_ARG(a->content_type));
	buf_reset(&g->body);
	buf_add(&g->body, a->body);
}

static str
url(const char *path)
{
	static char b[4][256];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(
	    b[turn], sizeof(b[turn]), "http://127.0.0.1:%d%s", ports[0], path);
	return str_of(b[turn]);
}

static bool
fetch_all(struct fetch *f)
{
	struct error e;

	for (int i = 0; fetch_pending(f) > 0 && i < 2000; i++)
		if (fetch_step(f, NULL, 0, 100, &e) == -1)
			return false;
	return fetch_pending(f) == 0;
}

static void
get(struct fetch *f, struct fetch_request q, struct got *g)
{
	struct error e;

	g->done = false;
	if (q.method == NULL)
		q.method = "GET";
	q.timeout = q.timeout ? q.timeout : 5000;
	q.done = on_done;
	q.arg = g;
	if (fetch_add(f, &q, &e) == -1)
		printf("# %s\n", e.msg);
	CHECK(fetch_all(f) && g->done);
}

static bool
has(const struct got *g, const char *s)
{
	str b = buf_str(&g->body);

	return str_find(b, str_of(s)) < b.n;
}

static void
test_plain(struct fetch *f)
{
	struct got g = { 0 };
	struct fetch_header h = { STR("X-One"), STR("1") };

	get(f,
	    (struct fetch_request){
		.url = url("/echo"), .headers = &h, .nheaders = 1 },
	    &g);
	CHECK(!g.failed && g.status == 200);
	CHECK(strcmp(g.type, "text/plain") == 0);
	CHECK(has(&g, "GET /echo HTTP/1.1\r\n"));
	CHECK(has(&g, "X-One: 1\r\n"));
	CHECK(has(&g, "User-Agent: mf/test\r\n"));
	CHECK(has(&g, "Accept-Encoding: gzip\r\n"));
	get(f,
	    (struct fetch_request){
		.url = url("/echo"), .no_compression = true },
	    &g);
	CHECK(!has(&g, "gzip"));
	get(f,
	    (struct fetch_request){
		.url = url("/echo"), .method = "POST", .body = STR("data") },
	    &g);
	CHECK(has(&g, "POST /echo") && has(&g, "Content-Length: 4\r\n"));
	CHECK(!has(&g, "Expect") && !has(&g, "Content-Type"));
	get(f,
	    (struct fetch_request){ .url = url("/echo"), .method = "DELETE" },
	    &g);
	CHECK(has(&g, "DELETE /echo"));
	get(f, (struct fetch_request){ .url = url("/nothing") }, &g);
	CHECK(!g.failed && g.status == 404);
	buf_fini(&g.body);
}

static void
test_failures(struct fetch *f)
{
	struct got g = { 0 }, h = { 0 };
	struct fetch_request q = { .method = "GET",
		.url = url("/hang"),
		.timeout = 300,
		.done = on_done,
		.arg = &h };
	struct error e;
	int64_t t = mono(NULL);

	/* One that hangs holds nobody up. */
	CHECK(fetch_add(f, &q, &e) == 0);
	q.url = url("/echo");
	q.arg = &g;
	CHECK(fetch_add(f, &q, &e) == 0);
	CHECK(fetch_pending(f) == 2);
	while (!g.done && fetch_step(f, NULL, 0, 50, &e) == 0)
		;
	CHECK(g.done && !h.done && mono(NULL) - t < 250000000);
	CHECK(fetch_all(f) && h.failed && h.timed_out);
	CHECK(mono(NULL) - t < 2000000000);
	get(f, (struct fetch_request){ .url = url("/half") }, &g);
	CHECK(g.failed && !g.timed_out);
	get(f,
	    (struct fetch_request){ .url = url("/bomb"), .max_body = 1 << 20 },
	    &g);
	CHECK(g.failed && g.body.n < 1 << 20);
	CHECK(strstr(g.error, "limit of 1048576 bytes") != NULL);
	get(f, (struct fetch_request){ .url = STR("http://127.0.0.1:1/") }, &g);
	CHECK(g.failed && g.error[0] != '\0');
	q.url = STR("file:///etc/passwd");
	CHECK(fetch_add(f, &q, &e) == -1);
	CHECK(strstr(e.msg, "scheme 'file'") != NULL);
	q.url = STR("http://a\r\nb/");
	CHECK(fetch_add(f, &q, &e) == -1);
	q.url = STR("http://[/");
	CHECK(fetch_add(f, &q, &e) == -1);
	q.url = url("/echo");
	q.headers = &(struct fetch_header){ STR("A"), STR("b\r\nC: d") };
	q.nheaders = 1;
	CHECK(fetch_add(f, &q, &e) == -1 && fetch_pending(f) == 0);
	buf_fini(&g.body);
	buf_fini(&h.body);
}

static void
test_redirects(struct fetch *f)
{
	struct got g = { 0 };
	struct fetch_header h[2] = { { STR("X-Secret"), STR("s3") },
		{ STR("Accept"), STR("text/x") } };
	struct fetch_request q = {
		.url = url("/same"), .headers = h, .nheaders = 2
	};
	struct auth a;

	auth_init(&a);
	a.type = STR("Bearer");
	a.credentials = STR("tok");
	q.auth = &a;
	get(f, q, &g);
	CHECK(g.status == 200 && has(&g, "X-Secret: s3"));
	CHECK(has(&g, "Authorization: Bearer tok\r\n") && !has(&g, "gone"));
	q.method = "POST";
	q.body = STR("b");
	get(f, q, &g);
	CHECK(has(&g, "GET /echo"));
	q.url = url("/away");
	get(f, q, &g);
	CHECK(g.status == 200 && has(&g, "POST /echo"));
	CHECK(!has(&g, "tok") && !has(&g, "s3") && has(&g, "text/x"));
	a.credentials = a.type = STR_NONE;
	a.basic = true;
	a.username = STR("u");
	a.password = STR("p");
	get(f, q, &g);
	CHECK(g.status == 200 && !has(&g, "Authorization"));
	q.url = url("/same");
	get(f, q, &g);
	CHECK(has(&g, "Authorization: Basic dTpw\r\n"));
	q.url = url("/file");
	get(f, q, &g);
	CHECK(g.failed && strstr(g.error, "scheme 'file'") != NULL);
	q.url = url("/loop");
	get(f, q, &g);
	CHECK(g.failed && strstr(g.error, "10 redirects") != NULL);
	a.follow_redirects = false;
	get(f, q, &g);
	CHECK(!g.failed && g.status == 302);
	buf_fini(&g.body);
}

static void
test_secrets(struct fetch *f, const char *dir)
{
	struct got g = { 0 };
	struct fetch_request q = {
		.method = "GET", .url = url("/echo"), .done = on_done, .arg = &g
	};
	struct auth a;
	struct error e;
	char path[128];
	FILE *fp;

	snprintf(path, sizeof(path), "%s/token", dir);
	if ((fp = fopen(path, "w")) == NULL)
		return;
	fputs("from-file\n", fp);
	fclose(fp);
	auth_init(&a);
	a.type = STR("Token");
	a.credentials_file = str_of(path);
	q.auth = &a;
	get(f, q, &g);
	CHECK(has(&g, "Authorization: Token from-file\r\n"));
	a.credentials_file = STR("/nonexistent");
	CHECK(fetch_add(f, &q, &e) == -1);
	CHECK(strstr(e.msg, "/nonexistent") != NULL);
	unlink(path);
	buf_fini(&g.body);
}

/* What is asked of one name may be led to another address. */
static void
test_connect_to(void)
{
	char map[64];
	const char *const maps[] = { map };
	struct got g = { 0 };
	struct fetch *f;

	snprintf(map, sizeof(map), "echo-service:80:127.0.0.1:%d", ports[0]);
	f = fetch_new(&clock_real, "mf/test", maps, 1);
	get(f, (struct fetch_request){ .url = STR("http://echo-service/echo") },
	    &g);
	CHECK(g.status == 200 && has(&g, "Host: echo-service\r\n"));
	fetch_free(f);
	buf_fini(&g.body);
}

static void
test_fds(struct fetch *f)
{
	struct got g = { 0 };
	struct fetch_request q = { .method = "GET",
		.url = url("/hang"),
		.timeout = 5000,
		.done = on_done,
		.arg = &g };
	struct pollfd p;
	struct error e;
	int fds[2];
	int64_t t = mono(NULL);

	CHECK(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
	p = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	CHECK(fetch_step(f, &p, 1, -1, &e) == 0 && p.revents == POLLIN);
	CHECK(fetch_add(f, &q, &e) == 0);
	for (int i = 0; i < 3; i++) {
		p.revents = 0;
		CHECK(fetch_step(f, &p, 1, -1, &e) == 0);
		CHECK(p.revents == POLLIN);
	}
	CHECK(mono(NULL) - t < 1000000000);
	close(fds[0]);
	close(fds[1]); /* the request is dropped by fetch_free() */
}

int
main(void)
{
	char dir[] = "/tmp/net-fetch.XXXXXX";
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char target[128];
	struct got g = { 0 };
	int fds[3];
	struct fetch *f;
	pid_t pid;

	if (mkdtemp(dir) == NULL)
		return 1;
	fds[0] = listen_on(&ports[0]);
	fds[1] = listen_on(&ports[1]);
	fds[2] = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/s", dir);
	if (bind(fds[2], (struct sockaddr *)&un, sizeof(un)) == -1 ||
	    listen(fds[2], 8) == -1)
		return 1;
	pid = serve(fds, 3);
	f = fetch_new(&clock_real, "mf/test", NULL, 0);
	CHECK(fetch_pending(f) == 0 && fetch_step(f, NULL, 0, 0, NULL) == 0);
	test_plain(f);
	test_failures(f);
	test_redirects(f);
	test_secrets(f, dir);
	test_connect_to();
	snprintf(target, sizeof(target), "unix:%s:/echo?a=b", un.sun_path);
	get(f, (struct fetch_request){ .url = str_of(target) }, &g);
	CHECK(g.status == 200 && has(&g, "GET /echo?a=b "));
	buf_fini(&g.body);
	test_fds(f);
	fetch_free(f);
	kill(-pid, SIGTERM);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	unlink(un.sun_path);
	rmdir(dir);
	return done();
}
