/*
 * The client without libcurl (fetch_plain.c, fetch_answer.c, fetch_lookup.c):
 * answers as odd servers give
 * them, whole and a byte at a time; connections kept, lost and full.
 */
#include "net/fetch.h"

#include <dlfcn.h>

#include "fetchtest.h"

/* What a server sends, and what must be made of it. */
static const struct row {
	const char *name, *answer;
	const char *body;  /* NULL: it fails */
	const char *error; /* a part of it */
	int status;
} rows[] = {
	{ "length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc",
	    NULL, 200 },
	{ "end", "HTTP/1.1 200 OK\r\n\r\nabc", "abc", NULL, 200 },
	{ "bare line ends", "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", "abc",
	    NULL, 200 },
	{ "no reason", "HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc", "abc",
	    NULL, 200 },
	{ "old", "HTTP/1.0 200 OK\r\n\r\nabc", "abc", NULL, 200 },
	{ "empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", NULL,
	    200 },
	{ "empty, compressed",
	    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
	    "Content-Length: 0\r\n\r\n",
	    NULL, "ends too early", 200 },
	{ "no content, compressed",
	    "HTTP/1.1 204 OK\r\nContent-Encoding: gzip\r\n\r\n", "", NULL,
	    204 },
	{ "no content", "HTTP/1.1 204 No\r\n\r\n", "", NULL, 204 },
	{ "chunks",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "1\r\na\r\n00a;x=\"y\"\r\nbcdefghijk\r\n0\r\n\r\n",
	    "abcdefghijk", NULL, 200 },
	{ "chunks, trailer",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
	    "3\nabc\n0\r\nA: b\r\nC: d\r\n\r\n",
	    "abc", NULL, 200 },
	{ "chunks and a length",
	    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	    "abc", NULL, 200 },
	{ "continue",
	    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
	    "abc", NULL, 200 },
	{ "same length twice",
	    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\ncontent-length: 3\r\n\r\n"
	    "abc",
	    "abc", NULL, 200 },
	{ "not found", "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", "no",
	    NULL, 404 },
	{ "a place without a redirect",
	    "HTTP/1.1 200 OK\r\nLocation: /x\r\nContent-Length: 1\r\n\r\na",
	    "a", NULL, 200 },
	{ "more than it says",
	    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", "abc", NULL,
	    200 },
	{ "two lengths",
	    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n"
	    "abc",
	    NULL, "Content-Length", 0 },
	{ "no length", "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc", NULL,
	    "Content-Length", 0 },
	{ "a long length",
	    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
	    NULL, "Content-Length", 0 },
	{ "half", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", NULL,
	    "6 bytes remaining", 0 },
	{ "half a chunk",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
	    NULL, "outstanding", 0 },
	{ "no last chunk",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
	    NULL, "outstanding", 0 },
	{ "a chunk of nothing",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", NULL,
	    "size", 0 },
	{ "a wrong chunk",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", NULL,
	    "size", 0 },
	{ "a huge chunk",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "11111111111111111\r\n",
	    NULL, "size", 0 },
	{ "a chunk too long",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
	    NULL, "longer than it says", 0 },
	{ "another coding",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", NULL,
	    "Transfer-Encoding", 0 },
	{ "folded",
	    "HTTP/1.1 200 OK\r\nContent-Length:\r\n\t3\r\nA: b\r\n c\r\n"
	    "\r\nabc",
	    "abc", NULL, 200 },
	{ "folded at once", "HTTP/1.1 200 OK\r\n A: b\r\n\r\nabc", NULL,
	    "malformed header", 0 },
	{ "no colon", "HTTP/1.1 200 OK\r\nabc\r\n\r\nabc", NULL,
	    "malformed header", 0 },
	{ "control", "HTTP/1.1 200 OK\r\nA: b\001c\r\n\r\nabc", NULL,
	    "malformed header", 0 },
	{ "no status", "HTTP/1.1 2x0 OK\r\n\r\nabc", NULL, "not HTTP", 0 },
	{ "version 2", "HTTP/2 200\r\n\r\nabc", NULL, "not HTTP", 0 },
	{ "none at all", "abc\r\n\r\n", NULL, "not HTTP", 0 },
	{ "switch", "HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\nabc", NULL,
	    "malformed", 0 },
	{ "nothing", "", NULL, "Empty reply", 0 },
	{ "half a head", "HTTP/1.1 200 OK\r\nA: b", NULL, "ends in its head",
	    0 },
};

#define NROWS (sizeof(rows) / sizeof(rows[0]))

static void
say(int fd, const char *text, bool slowly)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i += slowly ? 1 : n) {
		send_all(fd, text + i, slowly ? 1 : n);
		if (slowly)
			poll(NULL, 0, 1);
	}
}

static void
serve_one(int fd)
{
	static const char kept[] =
	    "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n";
	char b[8192], pid[16], *path;
	unsigned served = 0;

	snprintf(pid, sizeof(pid), "%8d", getpid());
	while (read_request(fd, b, sizeof(b)) > 0 &&
	    (path = strchr(b, ' ')) != NULL) {
		size_t i = (size_t)strtoul(path + 2, NULL, 10);

		if (strncmp(path, " /keep", 6) == 0 ||
		    (strncmp(path, " /twice", 7) == 0 && served++ < 2)) {
			say(fd, kept, false);
			say(fd, pid, false);
			continue;
		}
		if (strncmp(path, " /echo", 6) == 0) {
			answer(fd, "200 OK", b, strlen(b));
			break;
		}
		if (strncmp(path, " /junk", 6) == 0) {
			say(fd, kept, false);
			say(fd, pid, false);
			say(fd, "junk", false);
			continue;
		}
		if (strncmp(path, " /trailer", 9) == 0) {
			say(fd,
			    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
			    "\r\n\r\n0\r\n",
			    false);
			for (;;)
				say(fd, "A: b\r\nCdefghijklmnopq: rst\r\n",
				    false);
		}
		if (strncmp(path, " /lines", 7) == 0)
			for (say(fd, "HTTP/1.1 200 OK\r\n", false);;)
				say(fd, "Cdefghijklmnopq: rst\r\n", false);
		if (i < NROWS)
			say(fd, rows[i].answer, strstr(path, "slow ") != NULL);
		break;
	}
	_exit(0);
}

static void
test_rows(struct fetch *f)
{
	struct got g = { 0 };
	char path[32];

	for (size_t i = 0; i < 2 * NROWS; i++) {
		const struct row *r = &rows[i / 2];
		bool good;

		/* what comes late would be the next answer's: skip it */
		if (i % 2 && strcmp(r->name, "more than it says") == 0)
			continue;

		snprintf(
		    path, sizeof(path), "/%zu%s", i / 2, i % 2 ? "slow" : "");
		get(f, (struct fetch_request){ .url = url(path) }, &g);
		good = r->body == NULL
		    ? g.failed && strstr(g.error, r->error) != NULL
		    : !g.failed && g.status == r->status &&
			str_eq(buf_str(&g.body), str_of(r->body));
		if (!good)
			printf("# %s: %d %s %.*s\n", r->name, g.status, g.error,
			    STR_ARG(buf_str(&g.body)));
		CHECK(good);
	}
	get(f, (struct fetch_request){ .url = url("/trailer") }, &g);
	CHECK(g.failed && strstr(g.error, "Too large") != NULL);
	get(f, (struct fetch_request){ .url = url("/lines") }, &g);
	CHECK(g.failed && strstr(g.error, "Too large") != NULL);
	buf_fini(&g.body);
}

/* One that closes where it was kept is asked anew; junk ends one. */
static void
test_kept(struct fetch *f)
{
	struct got g = { 0 };
	struct buf first = { 0 };

	get(f, (struct fetch_request){ .url = url("/twice") }, &g);
	buf_add(&first, buf_str(&g.body));
	get(f, (struct fetch_request){ .url = url("/twice") }, &g);
	CHECK(!g.failed && str_eq(buf_str(&first), buf_str(&g.body)));
	get(f, (struct fetch_request){ .url = url("/twice") }, &g);
	CHECK(!g.failed && !str_eq(buf_str(&first), buf_str(&g.body)));
	buf_reset(&first);
	get(f, (struct fetch_request){ .url = url("/junk") }, &g);
	buf_add(&first, buf_str(&g.body));
	poll(NULL, 0, 20);
	get(f, (struct fetch_request){ .url = url("/keep") }, &g);
	CHECK(!g.failed && !str_eq(buf_str(&first), buf_str(&g.body)));
	buf_fini(&g.body);
	buf_fini(&first);
}

static void
test_names(struct fetch *f)
{
	struct got g = { 0 };
	char b[64];

	snprintf(b, sizeof(b), "http://localhost:%d/keep", ports[0]);
	get(f, (struct fetch_request){ .url = str_of(b) }, &g);
	CHECK(!g.failed && g.status == 200);
	get(f,
	    (struct fetch_request){
		.url = STR("http://no.such.invalid/"), .timeout = 20000 },
	    &g);
	CHECK(g.failed && strstr(g.error, "resolve") != NULL);
	get(f, (struct fetch_request){ .url = STR("http://127.0.0.1:1/") }, &g);
	CHECK(g.failed && strstr(g.error, "127.0.0.1:1: Connection refused"));
	get(f, (struct fetch_request){ .url = STR("unix:/no/such/socket:/x") },
	    &g);
	CHECK(g.failed && strstr(g.error, "No such file") != NULL);
	buf_fini(&g.body);
}

/* What fails before it has begun is told at once, not when a wait is over. */
static void
test_at_once(struct fetch *f)
{
	struct got g = { 0 };
	struct fetch_request q = { .method = "GET",
		.url = STR("unix:/no/such/socket:/x"),
		.timeout = 40000,
		.done = on_done,
		.arg = &g };
	struct error e;
	time_t from = time(NULL);

	CHECK(fetch_add(f, &q, &e) == 0);
	CHECK(fetch_step(f, NULL, 0, 30000, &e) == 0);
	CHECK(g.done && g.failed && time(NULL) - from < 20);
	buf_fini(&g.body);
}

/* An IPv6 address in its brackets, as the Host header has it, too. */
static void
test_six(struct fetch *f)
{
	static const char *const odd[] = { "http://[::1", "http://[::1]x/",
		"http://[]/", "http://[::1]:99999/", "http://[1::2::3]/",
		"http://[127.0.0.1]/", "http://[::1]]:80/" };
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	socklen_t n = sizeof(a);
	struct got g = { 0 };
	char b[64], host[64];
	pid_t pid;

	if (fd == -1 || bind(fd, (struct sockaddr *)&a, n) == -1 ||
	    listen(fd, 8) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) == -1) {
		puts("# no IPv6 here");
		return;
	}
	pid = serve(&fd, 1, serve_one);
	snprintf(b, sizeof(b), "http://[::1]:%d/echo", ntohs(a.sin6_port));
	snprintf(
	    host, sizeof(host), "\r\nHost: [::1]:%d\r\n", ntohs(a.sin6_port));
	for (int i = 0; i < 2; i++) {
		get(f, (struct fetch_request){ .url = str_of(b) }, &g);
		CHECK(!g.failed && has(&g, host));
	}
	serve_end(pid);
	close(fd);
	/* the least of ports, on which nobody listens */
	get(f, (struct fetch_request){ .url = STR("http://[::1]:1/") }, &g);
	CHECK(g.failed && strstr(g.error, "Failed to connect to [::1]:"));
	CHECK(dlopen("libcurl.so.4", RTLD_NOW | RTLD_NOLOAD) == NULL);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		get(f, (struct fetch_request){ .url = str_of(odd[i]) }, &g);
		CHECK(g.failed);
	}
	buf_fini(&g.body);
}

/* Begun and given up in all states. */
static void
test_cancel(struct fetch *f)
{
	struct got g = { 0 };
	struct fetch_request q = { .method = "GET",
		.url = url("/keep"),
		.timeout = 40000,
		.done = on_done,
		.arg = &g };
	struct error e;

	for (int steps = 0; steps < 4; steps++) {
		g.done = false;
		CHECK(fetch_add(f, &q, &e) == 0);
		for (int i = 0; i < steps && !g.done; i++)
			(void)fetch_step(f, NULL, 0, 0, &e);
		fetch_cancel(f, &g);
		CHECK(fetch_pending(f) == 0);
	}
	/* And one that is under way when all ends. */
	CHECK(fetch_add(f, &q, &e) == 0);
	(void)fetch_step(f, NULL, 0, 0, &e);
	buf_fini(&g.body);
}

int
main(void)
{
	struct fetch *f;
	pid_t pid;
	int fd = listen_on(&ports[0]);

	pid = serve(&fd, 1, serve_one);
	f = fetch_new(&clock_real, "mf/test", NULL, 0);
	test_rows(f);
	test_kept(f);
	test_names(f);
	test_at_once(f);
	test_six(f);
	test_cancel(f);
	fetch_free(f);
	serve_end(pid);
	return done();
}
