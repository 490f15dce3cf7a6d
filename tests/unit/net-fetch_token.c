/* net/fetch_token: oauth2 against a token server that keeps count. */
#include <sys/mman.h>

#include <stdio.h>

#include "fetchtest.h"
#include "jwt_test.h"

static const char *jwt_dir;
static struct shared {
	int tokens;       /* handed out */
	char asked[4096]; /* the last request for one */
} * shared;

/* a token, good for so many seconds; what is said of it in form */
static void
grant(int fd, const char *b, int seconds, bool form)
{
	char body[128];
	int n = ++shared->tokens;

	memcpy(shared->asked, b, strlen(b) + 1);
	snprintf(body, sizeof(body),
	    form ? "access_token=tok-%d&token_type=bearer&expires_in=%d"
		 : "{\"access_token\":\"tok-%d\",\"token_type\":\"bearer\","
		   "\"expires_in\":%d}",
	    n, seconds);
	answer(fd,
	    form ? "200 OK\r\nContent-Type: application/x-www-form-urlencoded"
		 : "200 OK\r\nContent-Type: application/json",
	    body, strlen(body));
}

static void
refuse(int fd, const char *status, const char *body)
{
	shared->tokens++;
	answer(fd, status, body, strlen(body));
}

/* A token for an assertion that the right key has signed. */
static void
grant_jwt(int fd, const char *b)
{
	const char *form = strstr(b, "\r\n\r\n");
	str token = str_of(form ? strstr(form, "&assertion=") + 11 : "");

	token = str_take(token, str_chr(token, '&'));
	signal(SIGCHLD, SIG_DFL); /* it waits for openssl */
	if (jwt_verify(jwt_dir, "good", "sha256", token))
		grant(fd, b, 3600, false);
	else
		refuse(fd, "400 Bad Request", "{\"error\":\"invalid_grant\"}");
}

static void
serve_token(int fd, const char *path, const char *b)
{
	if (strncmp(path, "/token-jwt", 10) == 0) {
		grant_jwt(fd, b);
		return;
	}
	if (strncmp(path, "/token-short", 12) == 0)
		grant(fd, b, 5, false);
	else if (strncmp(path, "/token-form", 11) == 0)
		grant(fd, b, 3600, true);
	else if (strncmp(path, "/token-body", 11) == 0 &&
	    strstr(b, "client_secret=s3+cret%26") == NULL)
		refuse(
		    fd, "401 Unauthorized", "{\"error\":\"invalid_client\"}");
	else if (strncmp(path, "/token-none", 11) == 0)
		refuse(fd, "200 OK", "{}");
	else if (strncmp(path, "/token-junk", 11) == 0)
		refuse(fd, "200 OK", "s3 cret& and junk");
	else if (strncmp(path, "/token-scope", 12) == 0)
		refuse(fd, "400 Bad Request", "{\"error\":\"invalid_scope\"}");
	else if (strncmp(path, "/token-echo", 11) == 0)
		refuse(fd, "403 Forbidden", "{\"error\":\"s3 cret& is bad\"}");
	else if (strncmp(path, "/token-evil", 11) == 0)
		refuse(fd, "200 OK", "{\"access_token\":\"a\\r\\nX: b\"}");
	else if (strncmp(path, "/token-away", 11) == 0)
		redirect_to(fd, "307", ports[1], "/token");
	else if (strncmp(path, "/token-hang", 11) == 0)
		pause();
	else
		grant(fd, b, 3600, false);
}

static void
serve_one(int fd)
{
	char b[4096], *path;
	size_t n = read_request(fd, b, sizeof(b));

	if (n == 0 || (path = strchr(b, ' ')) == NULL)
		_exit(0);
	path++;
	if (strncmp(path, "/token", 6) == 0)
		serve_token(fd, path, b);
	else if (strncmp(path, "/away", 5) == 0)
		redirect_to(fd, "302", ports[1], "/api");
	else if (strncmp(path, "/slow", 5) == 0 &&
	    strstr(b, "tok-1\r") != NULL) {
		usleep(200000);
		answer(fd, "401 Unauthorized", b, n);
	} else if (strncmp(path, "/never", 6) == 0 ||
	    (strncmp(path, "/old", 4) == 0 && strstr(b, "tok-1\r") != NULL))
		answer(fd, "401 Unauthorized", b, n);
	else
		answer(fd, "200 OK", b, n);
	_exit(0);
}

static void
use(struct auth *a, const char *path)
{
	auth_init(a);
	a->oauth2.client_id = STR("my id");
	a->oauth2.client_secret = STR("s3 cret&");
	a->oauth2.token_url = url(path);
	shared->tokens = 0;
	shared->asked[0] = '\0';
}

/* One token for all, until it ends or is refused. */
static void
test_good(struct fetch *f)
{
	struct got g = { 0 }, h = { 0 };
	struct auth a;
	struct fetch_request q = { .method = "GET",
		.url = url("/api"),
		.timeout = 40000,
		.auth = &a,
		.done = on_done,
		.arg = &g };
	struct error e;

	use(&a, "/token");
	CHECK(fetch_add(f, &q, &e) == 0);
	q.arg = &h;
	CHECK(fetch_add(f, &q, &e) == 0);
	CHECK(fetch_all(f) && shared->tokens == 1);
	CHECK(has(&g, "Authorization: Bearer tok-1\r\n"));
	CHECK(has(&h, "Authorization: Bearer tok-1\r\n"));
	get(f, q, &g);
	CHECK(has(&g, "Bearer tok-1\r\n") && shared->tokens == 1);
	CHECK(strncmp(shared->asked, "POST /token HTTP/1.1\r\n", 22) == 0);
	/* base64 of my+id:s3+cret%26, as RFC 6749 2.3.1 has it */
	CHECK(strstr(shared->asked,
		  "Authorization: Basic bXkraWQ6czMrY3JldCUyNg==\r\n") != NULL);
	CHECK(
	    strstr(shared->asked,
		"Content-Type: application/x-www-form-urlencoded\r\n") != NULL);
	CHECK(strstr(shared->asked, "\r\n\r\ngrant_type=client_credentials") !=
	    NULL);
	q.url = url("/away");
	get(f, q, &g);
	CHECK(g.status == 200 && !has(&g, "tok-"));
	q.url = url("/old");
	get(f, q, &g);
	CHECK(g.status == 200 && has(&g, "tok-2\r\n") && shared->tokens == 2);
	q.url = url("/never");
	get(f, q, &g);
	CHECK(!g.failed && g.status == 401 && shared->tokens == 3);
	a.oauth2.client_secret = STR("other");
	q.url = url("/api");
	get(f, q, &g);
	CHECK(has(&g, "tok-4\r\n"));
	use(&a, "/token-short");
	for (int i = 1; i < 3; i++) {
		get(f, q, &g);
		CHECK(!g.failed && shared->tokens == i);
	}
	use(&a, "/token-form");
	get(f, q, &g);
	get(f, q, &g);
	CHECK(has(&g, "Bearer tok-1\r\n") && shared->tokens == 1);
	buf_fini(&g.body);
	buf_fini(&h.body);
}

/* Two are refused the same token: the second does not throw away the new. */
static void
test_late(struct fetch *f)
{
	struct got g = { 0 }, h = { 0 };
	struct auth a;
	struct fetch_request q = { .method = "GET",
		.url = url("/slow"),
		.timeout = 40000,
		.auth = &a,
		.done = on_done,
		.arg = &g };
	struct error e;

	use(&a, "/token-late");
	CHECK(fetch_add(f, &q, &e) == 0);
	q.url = url("/old");
	q.arg = &h;
	CHECK(fetch_add(f, &q, &e) == 0);
	CHECK(fetch_all(f));
	CHECK(has(&g, "tok-2\r\n") && has(&h, "tok-2\r\n"));
	CHECK(shared->tokens == 2);
	buf_fini(&g.body);
	buf_fini(&h.body);
}

/* Secrets that change for long do not push out the tokens that are used. */
static void
test_rotated(struct fetch *f)
{
	struct got g = { 0 };
	struct auth a;
	struct fetch_request q = { .url = url("/api"), .auth = &a };
	char secret[32];

	use(&a, "/token-rotated");
	for (int i = 0; i < 260; i++) {
		(void)snprintf(secret, sizeof(secret), "secret-%d", i);
		a.oauth2.client_secret = str_of(secret);
		get(f, q, &g);
	}
	CHECK(!g.failed && shared->tokens == 260);
	for (int i = 0; i < 8; i++) {
		(void)snprintf(secret, sizeof(secret), "live-%d", i % 2);
		a.oauth2.client_secret = str_of(secret);
		get(f, q, &g);
	}
	CHECK(!g.failed && shared->tokens == 262);
	a.oauth2.client_secret = STR("secret-0");
	get(f, q, &g);
	CHECK(!g.failed && shared->tokens == 263);
	buf_fini(&g.body);
}

static void
test_params(struct fetch *f, const char *dir)
{
	static const char text[] =
	    "oauth2:\n  client_id: id\n  client_secret_file: secret\n"
	    "  token_url: x\n  scopes: [a b, c]\n"
	    "  endpoint_params: {audience: 'http://x/?y'}\n";
	char name[128], path[128];
	struct conf_opts o = { 0 };
	struct got g = { 0 };
	struct fetch_request q = { .url = url("/api") };
	struct conf *conf;
	struct auth a;
	struct error e;

	snprintf(name, sizeof(name), "%s/conf.yml", dir);
	snprintf(path, sizeof(path), "%s/secret", dir);
	conf = conf_parse(str_of(text), name, &o, &e);
	use(&a, "/token");
	CHECK(conf != NULL && auth_load(&a, conf_root(conf), false, &e) == 0);
	a.oauth2.token_url = url("/token");
	q.auth = &a;
	get(f, q, &g);
	CHECK(g.failed && shared->tokens == 0);
	CHECK(strstr(g.error, "oauth2: client_secret: ") != NULL);
	CHECK(file_replace(path, STR("one\n"), 0600, &e) == 0);
	get(f, q, &g);
	CHECK(has(&g, "tok-1\r\n"));
	CHECK(strstr(shared->asked,
		  "\r\n\r\ngrant_type=client_credentials&scope=a+b+c&"
		  "audience=http%3A%2F%2Fx%2F%3Fy") != NULL);
	get(f, q, &g);
	CHECK(shared->tokens == 1);
	CHECK(file_replace(path, STR("two\n"), 0600, &e) == 0);
	get(f, q, &g);
	CHECK(shared->tokens == 2 && has(&g, "tok-2\r\n"));
	unlink(path);
	conf_free(conf);
	buf_fini(&g.body);
}

/* A server that wants the secret in the body gets it there, ever after. */
static void
test_body(struct fetch *f)
{
	struct got g = { 0 };
	struct auth a;
	struct fetch_request q = { .url = url("/api"), .auth = &a };

	use(&a, "/token-body");
	get(f, q, &g);
	CHECK(has(&g, "tok-2\r\n"));
	CHECK(strstr(shared->asked,
		  "&client_id=my+id&client_secret=s3+cret%26") != NULL);
	CHECK(strstr(shared->asked, "Authorization") == NULL);
	q.url = url("/never");
	get(f, q, &g);
	CHECK(g.status == 401 && shared->tokens == 3);
	buf_fini(&g.body);
}

static void
test_bad(struct fetch *f)
{
	static const struct {
		const char *path, *error;
	} t[] = {
		{ "/token-none", "the answer has no access_token" },
		{ "/token-junk", "the answer is no JSON object" },
		{ "/token-scope",
		    "server returned HTTP status 400: invalid_scope" },
		{ "/token-echo", "server returned HTTP status 403" },
		{ "/token-evil", "the answer has no access_token" },
		{ "/token-away", "server returned HTTP status 307" },
		{ "/token-hang", "context deadline exceeded" },
	};
	struct got g = { 0 };
	struct auth a;
	struct fetch_request q = {
		.url = url("/api"), .auth = &a, .timeout = 300
	};
	char want[256];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		use(&a, t[i].path);
		get(f, q, &g);
		snprintf(want, sizeof(want), "oauth2: cannot fetch token: %s",
		    t[i].error);
		CHECK(g.failed && strcmp(g.error, want) == 0);
		if (strcmp(g.error, want) != 0)
			printf("# %s: %s\n", t[i].path, g.error);
	}
	CHECK(g.timed_out);
	use(&a, "/token");
	a.oauth2.token_url = STR("file:///etc/passwd");
	get(f, q, &g);
	CHECK(g.failed && strstr(g.error, "oauth2: cannot fetch") != NULL);
	a.oauth2.token_url = STR("http://127.0.0.1:1/");
	get(f, q, &g);
	CHECK(g.failed && strstr(g.error, "oauth2: cannot fetch") != NULL);
	/* dropped while waiting, by fetch_free() */
	use(&a, "/token-hang");
	q.method = "GET";
	q.done = on_done;
	q.arg = &g;
	CHECK(fetch_add(f, &q, &(struct error){ 0 }) == 0);
	buf_fini(&g.body);
}

static int64_t
wall(void *arg)
{
	(void)arg;
	return INT64_C(1700000000123);
}

static uint64_t
number(void *arg)
{
	return ++*(uint64_t *)arg;
}

/* The claims of the assertion that was sent last. */
static void
check_assertion(const char *claims, const char *behind)
{
	const char *p = strstr(shared->asked, "&assertion=");
	str token = str_of(p ? p + 11 : ""), rest;
	struct buf h = { 0 }, c = { 0 };

	rest = str_skip(token, str_chr(token, '&'));
	token = str_take(token, str_chr(token, '&'));
	CHECK(strstr(shared->asked,
		  "\r\n\r\ngrant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type"
		  "%3Ajwt-bearer&assertion=") != NULL);
	CHECK(strstr(shared->asked, "Authorization") == NULL);
	CHECK(str_eq(rest, str_of(behind)));
	CHECK(jwt_split(token, &h, &c));
	CHECK(strcmp(buf_cstr(&c), claims) == 0);
	if (strcmp(buf_cstr(&c), claims) != 0)
		printf("# %s\n", buf_cstr(&c));
	buf_fini(&h);
	buf_fini(&c);
}

/* Signed, granted; again after a refusal; and never by the wrong key. */
static void
test_jwt(const char *dir)
{
	static const char text[] =
	    "{oauth2: {client_id: id, token_url: x, scopes: [a, b],\n"
	    "  grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',\n"
	    "  client_certificate_key_file: good.pem, iss: me,\n"
	    "  endpoint_params: {p: q}, claims: {x: 1}}}";
	uint64_t n = 0;
	struct clock clock = {
		.mono = mono, .random = number, .wall = wall, .arg = &n
	};
	struct fetch *f = fetch_new(&clock, "mf/test", NULL, 0);
	struct fetch *none = fetch_new(&clock_real, "mf/test", NULL, 0);
	struct got g = { 0 };
	struct auth a;
	struct fetch_request q = { .url = url("/api"), .auth = &a };
	struct conf_opts o = { 0 };
	char name[128], want[512];
	struct conf *conf;
	struct error e;

	snprintf(name, sizeof(name), "%s/conf.yml", dir);
	conf = conf_parse(str_of(text), name, &o, &e);
	use(&a, "/token-jwt");
	CHECK(conf != NULL && auth_load(&a, conf_root(conf), false, &e) == 0);
	a.oauth2.token_url = url("/token-jwt");
	get(f, q, &g);
	CHECK(g.status == 200 && has(&g, "Authorization: Bearer tok-1\r\n"));
	snprintf(want, sizeof(want),
	    "{\"iss\":\"me\",\"sub\":\"id\",\"aud\":\"%.*s\",\"jti\":"
	    "\"00000000-0000-4001-8000-000000000002\",\"scope\":\"a b\","
	    "\"iat\":1700000000,\"exp\":1700000600,\"x\":1}",
	    STR_ARG(a.oauth2.token_url));
	check_assertion(want, "&p=q");
	q.url = url("/old");
	get(f, q, &g);
	CHECK(g.status == 200 && has(&g, "tok-2\r\n") && shared->tokens == 2);
	a.oauth2.jwt.issuer = STR_NONE;
	a.oauth2.jwt.audience = STR("them");
	a.oauth2.jwt.claims = a.oauth2.scopes = NULL;
	a.oauth2.endpoint_params = NULL;
	q.url = url("/api");
	get(f, q, &g);
	CHECK(has(&g, "tok-3\r\n"));
	check_assertion("{\"iss\":\"id\",\"sub\":\"id\",\"aud\":\"them\","
			"\"jti\":\"00000000-0000-4005-8000-000000000006\","
			"\"iat\":1700000000,\"exp\":1700000600}",
	    "");
	get(f, q, &g);
	CHECK(has(&g, "tok-3\r\n") && shared->tokens == 3);
	/* what is signed differently is another token */
	a.oauth2.jwt.key_id = STR("k");
	get(f, q, &g);
	CHECK(has(&g, "tok-4\r\n"));
	get(none, q, &g);
	CHECK(g.failed && strstr(g.error, "no clock to sign with") != NULL);
	a.oauth2.jwt.key_file = STR("bad.pem");
	get(f, q, &g);
	CHECK(g.failed && shared->tokens == 5);
	CHECK(strcmp(g.error,
		  "oauth2: cannot fetch token: server returned "
		  "HTTP status 400: invalid_grant") == 0);
	a.oauth2.jwt.key_file = STR("good.pub");
	get(f, q, &g);
	CHECK(g.failed && shared->tokens == 5);
	CHECK(strcmp(g.error,
		  "oauth2: cannot fetch token: "
		  "client_certificate_key: not a private key in "
		  "PEM") == 0);
	a.oauth2.jwt.key_file = STR("none.pem");
	get(f, q, &g);
	CHECK(g.failed && strstr(g.error, "none.pem: No such file") != NULL);
	conf_free(conf);
	buf_fini(&g.body);
	fetch_free(f);
	fetch_free(none);
}

int
main(void)
{
	char dir[] = "/tmp/net-fetch_token.XXXXXX";
	struct fetch *f;
	int fds[2];
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || mkdtemp(dir) == NULL)
		return 1;
	jwt_dir = dir;
	CHECK(jwt_key(
	    dir, "good", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"));
	CHECK(jwt_key(
	    dir, "bad", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"));
	fds[0] = listen_on(&ports[0]);
	fds[1] = listen_on(&ports[1]);
	pid = serve(fds, 2, serve_one);
	f = fetch_new(&clock_real, "mf/test", NULL, 0);
	test_good(f);
	test_late(f);
	test_rotated(f);
	test_params(f, dir);
	test_body(f);
	test_bad(f);
	test_jwt(dir);
	fetch_free(f);
	serve_end(pid);
	jwt_remove(dir);
	return done();
}
