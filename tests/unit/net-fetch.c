/*
 * Requests against a small server of our own, in a child process; also
 * fetch_curl.c, fetch_body.c, fetch_multi.c and fetch_setup.c.
 */
#include "net/fetch.h"

#include <sys/un.h>
#include <zlib.h>

#include "base/file.h"
#include "fetchtest.h"
#include "net/fetch_impl.h"

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

/* n bytes that do not get much shorter. */
static void
make_noise(char *p, size_t n)
{
	uint32_t x = 7;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (char)('0' + (x >> 24) % 64);
	}
}

static void
noise(int fd, size_t n)
{
	char *in = malloc(n), *out = malloc(2 * n);
	z_stream z = { .next_in = (Bytef *)in,
		.avail_in = (uInt)n,
		.next_out = (Bytef *)out,
		.avail_out = (uInt)(2 * n) };

	make_noise(in, n);
	deflateInit2(&z, 6, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY);
	deflate(&z, Z_FINISH);
	answer(fd, "200 OK\r\nContent-Encoding: gzip", out, z.total_out);
	deflateEnd(&z);
	free(in);
	free(out);
}

/* "one" and "two" as a member each; but only so many bytes of it. */
static void
members(int fd, size_t n)
{
	static const char *const t[] = { "one", "two" };
	char out[256];
	z_stream z = { .avail_out = sizeof(out), .next_out = (Bytef *)out };

	deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY);
	for (int i = 0; i < 2; i++) {
		z.next_in = (Bytef *)(uintptr_t)t[i];
		z.avail_in = 3;
		deflate(&z, Z_FINISH);
		deflateReset(&z);
	}
	/* 23 bytes each */
	if (n == 99)
		memcpy(out + 46, "junk", 4);
	answer(fd, "200 OK\r\nContent-Encoding: gzip", out, n == 99 ? 50 : n);
}

/* One header of n bytes. */
static void
large_head(int fd, size_t n)
{
	static const char begin[] = "HTTP/1.1 200 OK\r\nX-Large: ";
	static const char end[] = "\r\nContent-Length: 2\r\n\r\nok";
	char *x = malloc(n);

	memset(x, 'x', n);
	send_all(fd, begin, sizeof(begin) - 1);
	send_all(fd, x, n);
	send_all(fd, end, sizeof(end) - 1);
	free(x);
}

/* Answers with the process, which is one a connection. */
static void
stay(int fd)
{
	char b[128];
	int n = snprintf(b, sizeof(b),
	    "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n%8d", getpid());

	send_all(fd, b, (size_t)n);
}

static void
serve_one(int fd)
{
	char b[8192], *path;
	size_t n = read_request(fd, b, sizeof(b));

	if (n == 0 || (path = strchr(b, ' ')) == NULL)
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
	else if (strncmp(path, "/there", 6) == 0)
		redirect_to(fd, "307", ports[1], "/back");
	else if (strncmp(path, "/over", 5) == 0)
		redirect_to(fd, "307", ports[1], "/on");
	else if (strncmp(path, "/on", 3) == 0)
		redirect_to(fd, "307", ports[1], "/echo");
	else if (strncmp(path, "/back", 5) == 0)
		redirect_to(fd, "307", ports[0], "/echo");
	else if (strncmp(path, "/members", 8) == 0)
		members(fd, (size_t)atoi(path + 8));
	else if (strncmp(path, "/noise", 6) == 0)
		noise(fd, (size_t)atoi(path + 6));
	else if (strncmp(path, "/notgzip", 8) == 0)
		answer(fd, "200 OK\r\nContent-Encoding: gzip", "abc", 3);
	else if (strncmp(path, "/br", 3) == 0)
		answer(fd, "200 OK\r\nContent-Encoding: br", "abc", 3);
	else if (strncmp(path, "/head", 5) == 0)
		large_head(fd, (size_t)atoi(path + 5));
	else if (strncmp(path, "/stay", 5) == 0)
		for (; n > 0 && strstr(b, " /stay") != NULL;
		     n = read_request(fd, b, sizeof(b)))
			stay(fd);
	else if (strncmp(path, "/loop", 5) == 0)
		redirect_to(fd, "302", ports[0], "/loop");
	else if (strncmp(path, "/file", 5) == 0)
		answer(fd, "302 Found\r\nLocation: file:///etc/passwd", "", 0);
	else
		answer(fd, "404 Not Found", "no", 2);
	_exit(0);
}

/* Large bodies are taken as long as all together are not too much. */
static void
test_held(struct fetch *f)
{
	size_t max = f->max_held;
	struct got g = { 0 };

	f->max_held = (size_t)20 << 20;
	get(f, (struct fetch_request){ .url = url("/bomb") }, &g);
	CHECK(g.failed && !g.too_large);
	CHECK(strstr(g.error, "held by the bodies of other answers") != NULL);
	/* a small one suffers nothing from the others */
	f->max_held = 0;
	get(f, (struct fetch_request){ .url = url("/echo") }, &g);
	CHECK(!g.failed && f->held == 0);
	/* what is over is held no longer */
	f->max_held = (size_t)65 << 20;
	for (int i = 0; i < 2; i++) {
		get(f, (struct fetch_request){ .url = url("/bomb") }, &g);
		CHECK(!g.failed && g.body.n == (size_t)64 << 20);
		CHECK(f->held == 0);
	}
	f->max_held = max;
	buf_fini(&g.body);
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
		.timeout = 3000,
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
	CHECK(g.done && !g.failed && !h.done);
	CHECK(fetch_all(f) && h.failed && h.timed_out);
	CHECK(mono(NULL) - t < 30000000000);
	get(f, (struct fetch_request){ .url = url("/half") }, &g);
	CHECK(g.failed && !g.timed_out);
	get(f,
	    (struct fetch_request){ .url = url("/bomb"), .max_body = 1 << 20 },
	    &g);
	CHECK(g.failed && g.body.n <= 1 << 20);
	CHECK(strstr(g.error, "limit of 1048576 bytes") != NULL);
	CHECK(g.too_large);
	get(f, (struct fetch_request){ .url = url("/head65536") }, &g);
	CHECK(!g.failed && g.status == 200 && !g.too_large);
	get(f, (struct fetch_request){ .url = url("/head400000") }, &g);
	CHECK(g.failed && !g.too_large);
	get(f, (struct fetch_request){ .url = url("/echo") }, &g);
	CHECK(!g.failed && g.status == 200);
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
	/* nor when another origin sends it back, or on to itself */
	q.url = url("/there");
	get(f, q, &g);
	CHECK(g.status == 200 && has(&g, "POST /echo"));
	CHECK(!has(&g, "tok") && !has(&g, "s3") && has(&g, "text/x"));
	q.url = url("/over");
	get(f, q, &g);
	CHECK(g.status == 200 && has(&g, "POST /echo"));
	CHECK(!has(&g, "tok") && !has(&g, "s3") && has(&g, "text/x"));
	q.url = url("/away");
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
write_file(const char *path, const char *text)
{
	struct error e;

	if (file_replace(path, str_of(text), 0600, &e) == -1)
		exit(1);
}

/* Files are read by each request, and the messages name them alone. */
static void
test_secrets(struct fetch *f, const char *dir)
{
	struct got g = { 0 };
	struct fetch_request q = { .url = url("/echo") };
	struct auth a;
	char path[128];

	snprintf(path, sizeof(path), "%s/token", dir);
	auth_init(&a);
	a.type = STR("Token");
	a.credentials_file = str_of(path);
	q.auth = &a;
	write_file(path, "from-file\n");
	get(f, q, &g);
	CHECK(has(&g, "Authorization: Token from-file\r\n"));
	write_file(path, "changed");
	get(f, q, &g);
	CHECK(has(&g, "Authorization: Token changed\r\n"));
	write_file(path, "s3cret\r\nX-Evil: 1");
	get(f, q, &g);
	CHECK(g.failed && strstr(g.error, "control character") != NULL);
	CHECK(strstr(g.error, "s3cret") == NULL);
	write_file(path, "");
	get(f, q, &g);
	CHECK(has(&g, "Authorization: Token\r\n"));
	a.credentials_file = STR("/nonexistent");
	get(f, q, &g);
	CHECK(g.failed && strstr(g.error, "authorization: ") != NULL);
	CHECK(strstr(g.error, "/nonexistent") != NULL);
	a.credentials_file = a.type = STR_NONE;
	a.basic = true;
	write_file(path, "me\n");
	a.username_file = str_of(path);
	a.password = STR(" p ");
	get(f, q, &g);
	CHECK(has(&g, "Authorization: Basic bWU6IHAg\r\n"));
	a.username_file = a.password = STR_NONE;
	get(f, q, &g);
	CHECK(has(&g, "Authorization: Basic Og==\r\n"));
	a.basic = false;
	get(f, q, &g);
	CHECK(!has(&g, "Authorization"));
	a.tls.ca_file = str_of(path);
	write_file(path, "");
	get(f, q, &g);
	CHECK(strcmp(g.error, "tls_config: ca: empty") == 0);
	unlink(path);
	buf_fini(&g.body);
}

/* http_headers go beside the request's own, and not to another origin. */
static void
test_headers(struct fetch *f, const char *dir)
{
	static const char text[] =
	    "http_headers:\n"
	    "  X-Many: {values: [v1, ''], secrets: [v2], files: [header]}\n"
	    "  Accept: {values: [text/more]}\n";
	struct fetch_header own = { STR("Accept"), STR("text/own") };
	struct conf_opts o = { 0 };
	struct got g = { 0 };
	struct fetch_request q = {
		.url = url("/same"), .headers = &own, .nheaders = 1
	};
	struct conf *conf;
	struct error e;
	struct auth a;
	char name[128], path[128];

	snprintf(name, sizeof(name), "%s/conf.yml", dir);
	snprintf(path, sizeof(path), "%s/header", dir);
	write_file(path, "v3\n");
	conf = conf_parse(str_of(text), name, &o, &e);
	auth_init(&a);
	CHECK(conf != NULL && auth_load(&a, conf_root(conf), false, &e) == 0);
	q.auth = &a;
	get(f, q, &g);
	CHECK(has(&g, "X-Many: v1\r\nX-Many:\r\nX-Many: v2\r\nX-Many: v3\r\n"));
	CHECK(has(&g, "Accept: text/own\r\n"));
	CHECK(has(&g, "Accept: text/more\r\n"));
	q.url = url("/away");
	get(f, q, &g);
	CHECK(g.status == 200 && has(&g, "Accept: text/own\r\n"));
	CHECK(!has(&g, "X-Many") && !has(&g, "text/more"));
	unlink(path);
	get(f, q, &g);
	CHECK(g.failed && strstr(g.error, "http_headers: ") != NULL);
	conf_free(conf);
	buf_fini(&g.body);
}

/* Requests one after another share a connection. */
static void
test_reuse(struct fetch *f)
{
	struct got g = { 0 }, h = { 0 };

	get(f, (struct fetch_request){ .url = url("/stay") }, &g);
	for (int i = 0; i < 3; i++) {
		get(f, (struct fetch_request){ .url = url("/stay") }, &h);
		CHECK(!h.failed && str_eq(buf_str(&g.body), buf_str(&h.body)));
	}
	buf_fini(&g.body);
	buf_fini(&h.body);
}

/* One that is there at once, in pieces, and too long to be kept as it comes. */
static void
test_noise(struct fetch *f)
{
	static const int sizes[] = { 100, 60000, 70000, 200000, 100 };
	const struct auth curl = { .basic = true, .username = STR("u") };
	struct got g = { 0 };
	char path[32];
	char *want = malloc(200000);

	make_noise(want, 200000);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size_t n = (size_t)sizes[i];

		(void)snprintf(path, sizeof(path), "/noise%zu", n);
		for (size_t more = 0; more < 4; more++) {
			get(f,
			    (struct fetch_request){ .url = url(path),
				.max_body = n + more % 2,
				.auth = more < 2 ? NULL : &curl },
			    &g);
			CHECK(g.failed == (more % 2 == 0) &&
			    g.too_large == g.failed);
			CHECK(g.failed ||
			    str_eq(buf_str(&g.body), (str){ want, n }));
		}
	}
	free(want);
	buf_fini(&g.body);
}

static void
test_gzip(struct fetch *f)
{
	static const struct {
		const char *path, *body, *error;
	} t[] = {
		{ "/members46", "onetwo", "" },
		{ "/members23", "one", "" },
		{ "/members0", "", "ends too early" },
		{ "/members22", "", "ends too early" },
		{ "/members12", "", "ends too early" },
		{ "/members45", "", "ends too early" },
		{ "/members99", "", "no gzip stream" },
		{ "/notgzip", "", "" },
		{ "/br", "abc", "" },
		{ "/members46", "onetwo", "" },
	};
	struct got g = { 0 };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		bool bad = t[i].error[0] || strcmp(t[i].path, "/notgzip") == 0;

		get(f,
		    (struct fetch_request){
			.url = url(t[i].path), .no_compression = i % 2 },
		    &g);
		CHECK(g.failed == bad && strstr(g.error, t[i].error) != NULL);
		CHECK(bad || str_eq(buf_str(&g.body), str_of(t[i].body)));
		CHECK(!g.too_large);
	}
	get(f,
	    (struct fetch_request){ .url = url("/members46"), .max_body = 6 },
	    &g);
	CHECK(g.failed && g.too_large);
	get(f,
	    (struct fetch_request){ .url = url("/members46"), .max_body = 7 },
	    &g);
	CHECK(!g.failed);
	get(f, (struct fetch_request){ .url = url("/br"), .max_body = 3 }, &g);
	CHECK(g.failed && g.too_large);
	get(f, (struct fetch_request){ .url = url("/br"), .max_body = 4 }, &g);
	CHECK(!g.failed);
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
		.timeout = 60000,
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
	CHECK(mono(NULL) - t < 30000000000);
	close(fds[0]);
	close(fds[1]); /* the request is dropped by fetch_free() */
}

/* Descriptors that are watched for good, beside others and alone. */
static void
test_watched(void)
{
	struct fetch *f = fetch_new(&clock_real, "mf/test", NULL, 0);
	struct pollfd p = { .events = POLLIN };
	int a[2], b[2], file = fileno(tmpfile());

	CHECK(pipe(a) == 0 && pipe(b) == 0);
	CHECK(fetch_watch(f, a[0], POLLIN) == 0);
	CHECK(fetch_watch(f, b[1], 0) == 0);
	CHECK(fetch_watch(f, file, POLLIN) == -1);
	CHECK(fetch_step(f, NULL, 0, 1, NULL) == 0);
	CHECK(fetch_watched(f, a[0]) == 0 && fetch_watched(f, b[1]) == 0);
	CHECK(write(a[1], "x", 1) == 1);
	CHECK(fetch_step(f, NULL, 0, 5000, NULL) == 0);
	CHECK(fetch_watched(f, a[0]) == POLLIN && fetch_watched(f, b[1]) == 0);
	p.fd = b[0];
	CHECK(fetch_step(f, &p, 1, 5000, NULL) == 0);
	CHECK(fetch_watched(f, a[0]) == POLLIN && p.revents == 0);
	CHECK(fetch_watched(f, file) == 0);
	close(b[0]);
	CHECK(read(a[0], &p, 1) == 1);
	CHECK(fetch_step(f, NULL, 0, 5000, NULL) == 0);
	CHECK(fetch_watched(f, a[0]) == 0 && fetch_watched(f, b[1]) & POLLERR);
	fetch_free(f);
	close(a[0]);
	close(a[1]);
	close(b[1]);
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
	pid = serve(fds, 3, serve_one);
	f = fetch_new(&clock_real, "mf/test", NULL, 0);
	CHECK(fetch_pending(f) == 0 && fetch_step(f, NULL, 0, 0, NULL) == 0);
	test_held(f);
	test_plain(f);
	test_failures(f);
	test_redirects(f);
	test_secrets(f, dir);
	test_headers(f, dir);
	test_reuse(f);
	test_gzip(f);
	test_noise(f);
	test_connect_to();
	snprintf(target, sizeof(target), "unix:%s:/echo?a=b", un.sun_path);
	get(f, (struct fetch_request){ .url = str_of(target) }, &g);
	CHECK(g.status == 200 && has(&g, "GET /echo?a=b "));
	buf_fini(&g.body);
	test_fds(f);
	test_watched();
	fetch_free(f);
	serve_end(pid);
	unlink(un.sun_path);
	rmdir(dir);
	return done();
}
