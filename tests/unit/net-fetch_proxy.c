/* net/fetch_proxy: which requests go where, seen by a proxy of our own. */
#include <sys/mman.h>

#include <stdio.h>

#include "fetchtest.h"

static char *tunnel; /* the last CONNECT */

static void
serve_one(int fd)
{
	char b[4096];
	size_t n = read_request(fd, b, sizeof(b));

	if (strncmp(b, "CONNECT ", 8) == 0) {
		memcpy(tunnel, b, n + 1);
		answer(fd, "403 Forbidden", "", 0);
	} else {
		answer(fd, "200 OK", b, n);
	}
	_exit(0);
}

static char proxy[64];

static struct conf *
load(struct auth *a, const char *fmt)
{
	char text[512];
	struct conf_opts o = { 0 };
	struct conf *c;
	struct error e;

	snprintf(text, sizeof(text), "proxy_url: http://%s\n%s", proxy, fmt);
	c = conf_parse(str_of(text), "t.yml", &o, &e);
	auth_init(a);
	CHECK(c != NULL && auth_load(a, conf_root(c), false, &e) == 0);
	return c;
}

static void
test_url(struct fetch *f)
{
	struct got g = { 0 };
	struct auth a;
	struct fetch_request q = { .url = STR("http://a.test:99/x"),
		.auth = &a };
	struct conf *c = load(&a, "proxy_connect_header: {X-C: [v1, v2]}");

	get(f, q, &g);
	CHECK(has(&g, "GET http://a.test:99/x HTTP/1.1\r\n"));
	CHECK(has(&g, "Proxy-Authorization: Basic dTpzM2NyZXQ=\r\n"));
	CHECK(!has(&g, "X-C"));
	q.url = STR("https://a.test/x");
	get(f, q, &g);
	CHECK(g.failed && strstr(g.error, "s3cret") == NULL);
	CHECK(strncmp(tunnel, "CONNECT a.test:443 HTTP/1.1\r\n", 29) == 0);
	CHECK(strstr(tunnel, "X-C: v1\r\nX-C: v2\r\n") != NULL);
	/* a proxy that is named is asked for local addresses too */
	q.url = url("/x");
	get(f, q, &g);
	CHECK(has(&g, "GET http://127.0.0.1"));
	conf_free(c);
	c = load(&a, "no_proxy: b.test");
	get(f, q, &g);
	CHECK(has(&g, "GET /x HTTP/1.1\r\n") && !has(&g, "Proxy-"));
	q.url = STR("http://a.test/x");
	get(f, q, &g);
	CHECK(has(&g, "GET http://a.test/x HTTP"));
	setenv("no_proxy", "a.test", 1);
	get(f, q, &g);
	CHECK(has(&g, "GET http://a.test/x HTTP"));
	unsetenv("no_proxy");
	conf_free(c);
	buf_fini(&g.body);
}

static void
test_bad(struct fetch *f)
{
	static const struct {
		const char *url, *error;
	} t[] = {
		{ "s3cret", "proxy_url: not the URL" },
		{ "ftp://u:s3cret@h:1", "proxy_url: unsupported scheme 'ftp'" },
		{ "http://u:s3cret\nx@h:1", "proxy_url: not the URL" },
		{ "http://u:s3cret@[::", "proxy_url: not the URL" },
		{ "http://u:s3cret@127.0.0.1:1", "" },
		{ "socks5://u:s3cret@127.0.0.1:1", "" },
		{ "https://u:s3cret@127.0.0.1:1", "" },
	};
	struct got g = { 0 };
	struct auth a;
	struct fetch_request q = { .url = STR("http://a.test/"), .auth = &a };

	auth_init(&a);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		a.proxy.url = str_of(t[i].url);
		get(f, q, &g);
		CHECK(g.failed && strstr(g.error, t[i].error) != NULL);
		CHECK(strstr(g.error, "s3cret") == NULL);
		if (strstr(g.error, "s3cret") != NULL)
			printf("# %s\n", g.error);
	}
	buf_fini(&g.body);
}

static void
test_environment(struct fetch *f)
{
	char text[128];
	struct got g = { 0 };
	struct auth a;
	struct fetch_request q = { .url = STR("http://a.test/x"), .auth = &a };

	snprintf(text, sizeof(text), "http://%s", proxy);
	setenv("http_proxy", text, 1);
	auth_init(&a);
	get(f, q, &g);
	CHECK(g.failed); /* the configuration does not ask for it */
	a.proxy.from_environment = true;
	get(f, q, &g);
	CHECK(has(&g, "GET http://a.test/x HTTP"));
	setenv("http_proxy", proxy, 1);
	get(f, q, &g);
	CHECK(has(&g, "GET http://a.test/x HTTP"));
	setenv("HTTP_PROXY", "http://127.0.0.1:1", 1);
	get(f, q, &g);
	CHECK(g.failed);
	unsetenv("HTTP_PROXY");
	setenv("NO_PROXY", "a.test", 1);
	get(f, q, &g);
	CHECK(g.failed);
	q.url = STR("http://b.test/x");
	get(f, q, &g);
	CHECK(has(&g, "GET http://b.test/x HTTP"));
	unsetenv("NO_PROXY");
	q.url = url("/local");
	get(f, q, &g);
	CHECK(has(&g, "GET /local HTTP"));
	setenv("https_proxy", text, 1);
	q.url = STR("https://c.test/x");
	get(f, q, &g);
	CHECK(strncmp(tunnel, "CONNECT c.test:443", 18) == 0);
	q.url = STR("http://b.test/x");
	setenv("REQUEST_METHOD", "GET", 1);
	get(f, q, &g);
	CHECK(g.failed);
	buf_fini(&g.body);
}

int
main(void)
{
	struct fetch *f;
	int fd;
	pid_t pid;

	tunnel = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tunnel == MAP_FAILED)
		return 1;
	fd = listen_on(&ports[0]);
	pid = serve(&fd, 1, serve_one);
	snprintf(proxy, sizeof(proxy), "u:s3cret@127.0.0.1:%d", ports[0]);
	f = fetch_new(&clock_real, "mf/test", NULL, 0);
	test_url(f);
	test_bad(f);
	test_environment(f);
	fetch_free(f);
	serve_end(pid);
	return done();
}
