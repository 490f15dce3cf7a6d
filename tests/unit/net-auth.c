/*
 * net/auth: http_config, right and wrong; auth_parts.c and auth_direct.c too.
 */
#include "net/auth.h"

#include "check.h"

static struct conf *conf;

static int
load(struct auth *a, const char *text, bool inline_map, struct error *e)
{
	struct conf_opts o = { 0 };

	conf_free(conf);
	auth_init(a);
	e->msg[0] = '\0';
	conf = conf_parse(str_of(text), "t.yml", &o, e);
	return conf == NULL ? -1 : auth_load(a, conf_root(conf), inline_map, e);
}

static void
test_good(void)
{
	struct auth a;
	struct error e;

	CHECK(load(&a, "", false, &e) == 0);
	CHECK(a.follow_redirects && a.enable_http2 && !a.basic);
	CHECK(a.oauth2.token_url.n == 0 && a.headers == NULL);
	CHECK(load(&a,
		  "basic_auth: {username: u, password: p}\n"
		  "tls_config: {ca_file: ca.pem, server_name: s,\n"
		  "  insecure_skip_verify: true, min_version: TLS12}\n"
		  "follow_redirects: false\nproxy_url: http://p:1\n"
		  "no_proxy: a,b\n",
		  false, &e) == 0);
	CHECK(a.basic);
	CHECK_STR(a.username, "u");
	CHECK_STR(a.password, "p");
	CHECK_STR(a.tls.ca_file, "ca.pem");
	CHECK_STR(a.tls.server_name, "s");
	CHECK_STR(a.tls.min_version, "TLS12");
	CHECK_STR(a.proxy.url, "http://p:1");
	CHECK_STR(a.proxy.no_proxy, "a,b");
	CHECK(a.tls.insecure_skip_verify && !a.follow_redirects);
	CHECK(a.enable_http2 && a.conf == conf);
	CHECK(load(&a, "basic_auth: {}", false, &e) == 0 && a.basic);
	CHECK(load(&a, "authorization: {credentials: x}", false, &e) == 0);
	CHECK_STR(a.type, "Bearer");
	CHECK_STR(a.credentials, "x");
	CHECK(load(&a, "authorization: {type: ' Key '}", false, &e) == 0);
	CHECK_STR(a.type, "Key");
	CHECK(load(&a, "bearer_token_file: tok", false, &e) == 0);
	CHECK_STR(a.type, "Bearer");
	CHECK_STR(a.credentials_file, "tok");
	CHECK(load(&a, "job_name: x\nbasic_auth:\n", true, &e) == 0);
	CHECK(!a.basic);
	CHECK(load(&a, "oauth2:\n", false, &e) == 0);
	CHECK(load(&a, "enable_http2: false", false, &e) == 0);
	CHECK(!a.enable_http2 && a.follow_redirects);
	CHECK(auth_key(STR("tls_config")) && auth_key(STR("no_proxy")));
	CHECK(!auth_key(STR("job_name")));
}

static void
test_oauth2(void)
{
	struct auth a;
	struct error e;

	CHECK(load(&a,
		  "oauth2:\n"
		  "  client_id: id\n  client_secret_file: s\n"
		  "  scopes: [a, b]\n  token_url: http://t/\n"
		  "  endpoint_params: {x: 1}\n"
		  "  tls_config: {cert: C, key_file: K, max_version: TLS13}\n"
		  "  proxy_from_environment: true\n"
		  "  proxy_connect_header: {X: [y]}\n"
		  "http_headers: {X-A: {values: [a], secrets: [b], files: [c]},"
		  " X-B: }\n",
		  false, &e) == 0);
	CHECK_STR(a.oauth2.client_id, "id");
	CHECK_STR(a.oauth2.client_secret_file, "s");
	CHECK_STR(a.oauth2.token_url, "http://t/");
	CHECK_STR(a.oauth2.tls.cert, "C");
	CHECK_STR(a.oauth2.tls.key_file, "K");
	CHECK_STR(a.oauth2.tls.max_version, "TLS13");
	CHECK(a.oauth2.scopes->n == 2 && a.oauth2.endpoint_params->n == 1);
	CHECK(a.oauth2.proxy.from_environment && !a.proxy.from_environment);
	CHECK(a.oauth2.proxy.connect_header->n == 1 && a.tls.cert.n == 0);
	CHECK(a.headers->n == 2 && a.type.n == 0);
}

#define OAUTH2(more) "oauth2: {client_id: i, token_url: u, " more "}"
#define JWT "grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer'"

static void
test_jwt(void)
{
	struct auth a;
	struct error e;

	CHECK(load(&a, OAUTH2("client_certificate_key: k"), false, &e) == 0);
	CHECK(!a.oauth2.jwt_bearer);
	CHECK(load(&a,
		  OAUTH2(JWT ", client_certificate_key_file: f, "
			     "client_certificate_key_id: n, iss: x, "
			     "signature_algorithm: RS512, audience: y, "
			     "claims: {a: [b]}"),
		  false, &e) == 0);
	CHECK(a.oauth2.jwt_bearer && a.oauth2.jwt.key.n == 0);
	CHECK_STR(a.oauth2.jwt.key_file, "f");
	CHECK_STR(a.oauth2.jwt.key_id, "n");
	CHECK_STR(a.oauth2.jwt.issuer, "x");
	CHECK_STR(a.oauth2.jwt.audience, "y");
	CHECK_STR(a.oauth2.jwt.algorithm, "RS512");
	CHECK(a.oauth2.jwt.claims->n == 1);
	CHECK(load(&a, OAUTH2(JWT ", claims: "), false, &e) == 0);
	CHECK(a.oauth2.jwt_bearer && a.oauth2.jwt.claims == NULL);
	CHECK_STR(a.oauth2.jwt.algorithm, "");
}

static const struct bad {
	const char *text, *error;
} bad[] = {
	{ "job_name: x", "t.yml:1:1: unknown key \"job_name\"" },
	{ "- x", "t.yml:1:1: expected a map" },
	{ "basic_auth: {user: u}", "t.yml:1:14: " },
	{ "basic_auth: {password: p, password_file: q}",
	    "at most one of basic_auth password & password_file" },
	{ "basic_auth: {username: p, username_file: q}",
	    "at most one of basic_auth username & username_file" },
	{ "basic_auth: {username: u}\nbearer_token: t",
	    "at most one of basic_auth, oauth2, bearer_token & "
	    "bearer_token_file must be configured" },
	{ OAUTH2("") "\nbearer_token: t",
	    "at most one of basic_auth, oauth2, bearer_token & " },
	{ "authorization: {credentials: x}\nbasic_auth: {}",
	    "at most one of basic_auth, oauth2 & authorization must be" },
	{ OAUTH2("") "\nbasic_auth: {}",
	    "at most one of basic_auth, oauth2 & authorization must be" },
	{ OAUTH2("") "\nauthorization: {}",
	    "at most one of basic_auth, oauth2 & authorization must be" },
	{ "authorization: {type: Basic}", "cannot be set to \"basic\"" },
	{ "authorization: {credentials: a, credentials_file: b}",
	    "at most one of authorization credentials & credentials_file" },
	{ "authorization: {credentials: a}\nbearer_token: t",
	    "authorization is not compatible with bearer_token & " },
	{ "bearer_token: a\nbearer_token_file: t",
	    "at most one of bearer_token & bearer_token_file must be" },
	{ "follow_redirects: 7", "t.yml:1:19: " },
	{ "\n\noauth2: {token_url: x}",
	    "t.yml:3:9: oauth2 client_id must be configured" },
	{ "oauth2: {client_id: x}", "oauth2 token_url must be configured" },
	{ OAUTH2("client_secret: s, client_secret_file: f"),
	    "at most one of oauth2 client_secret & client_secret_file" },
	{ OAUTH2("scopes: a"), "scopes: expected a list" },
	{ OAUTH2("endpoint_params: [a]"), "endpoint_params: expected a map" },
	{ OAUTH2("secret: a"), "unknown key \"secret\"" },
	{ OAUTH2("grant_type: password"),
	    "grant_type must be client_credentials" },
	{ OAUTH2("tls_config: {cert: x}"), "exactly one of key or key_file" },
	{ OAUTH2("no_proxy: x"), "if no_proxy is configured" },
	{ OAUTH2(JWT ", claims: [a]"), "claims: expected a map" },
	{ OAUTH2(JWT ", signature_algorithm: HS256"),
	    "signature_algorithm must be RS256, RS384 or RS512" },
	{ OAUTH2(JWT ", client_certificate_key: a, "
		     "client_certificate_key_file: b"),
	    "at most one of oauth2 client_certificate_key" },
	{ "tls_config: {min_version: SSL3}", "unknown TLS version: SSL3" },
	{ "tls_config: {min_version: TLS13, max_version: TLS12}",
	    "tls_config.max_version must be greater than or equal to " },
	{ "tls_config: {cert_file: a}",
	    "exactly one of key or key_file must be configured when a client "
	    "certificate is configured" },
	{ "tls_config: {key: a}",
	    "exactly one of cert or cert_file must be configured when a "
	    "client key is configured" },
	{ "tls_config: {ca_file: a, ca: b}",
	    "at most one of ca & ca_file must be configured" },
	{ "tls_config: {cert_file: a, cert: b}", "at most one of cert" },
	{ "tls_config: {key_file: a, key: b}", "at most one of key" },
	{ "tls_config: {verify: false}", "unknown key \"verify\"" },
	{ "no_proxy: x", "if no_proxy is configured, proxy_url must also" },
	{ "proxy_from_environment: true\nno_proxy: x",
	    "if proxy_from_environment is configured, no_proxy must not" },
	{ "proxy_from_environment: true\nproxy_url: http://x",
	    "if proxy_from_environment is configured, proxy_url must not" },
	{ "proxy_connect_header: {a: [b]}",
	    "if proxy_connect_header is configured, proxy_url or "
	    "proxy_from_environment must also be configured" },
	{ "proxy_url: http://x\nproxy_connect_header: {a: b}",
	    "expected a list" },
	{ "proxy_url: http://x\nproxy_connect_header: {'a b': [b]}",
	    "t.yml:2:24: invalid header name" },
	{ "proxy_url: ':80'",
	    "t.yml:1:12: proxy_url: missing protocol scheme" },
	{ "proxy_url: 10.0.0.1:80", "first path segment in URL cannot" },
	{ "proxy_url: http://u:s3@h:x", "proxy_url: invalid port after host" },
	{ "proxy_url: http://[::1]80", "invalid port after host" },
	{ "proxy_url: http://[::1", "missing ']' in host" },
	{ "proxy_url: http://a b", "invalid character \" \" in host name" },
	{ "proxy_url: http://u%zz@h", "invalid URL escape" },
	{ "proxy_url: \"http://a\\n\"", "invalid control character in URL" },
	{ "http_headers: [a]", "http_headers: expected a map" },
	{ "http_headers: {a: b}", "t.yml:1:19: " },
	{ "http_headers: {a: {values: b}}", "values: expected a list" },
	{ "http_headers: {a: {value: [b]}}", "unknown key \"value\"" },
	{ "http_headers: {\"a\\n\": {}}", "invalid header name" },
	{ "http_headers: {authorization: {values: [b]}}",
	    "setting header \"authorization\" is not allowed" },
	{ "http_headers: {X-Prometheus-Scrape-Timeout-Seconds: {}}",
	    "is not allowed" },
};

static void
test_bad(void)
{
	struct auth a;
	struct error e;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int rc = load(&a, bad[i].text, false, &e);

		CHECK(rc == -1 && strstr(e.msg, bad[i].error) != NULL);
		if (strstr(e.msg, bad[i].error) == NULL)
			printf("# %s: %s\n", bad[i].text, e.msg);
	}
}

/* URLs that Go's net/url takes. */
static void
test_urls(void)
{
	static const char *const good[] = { "", "http://h", "http://h:80/",
		"http://h:/x", "http://u:p%20:@h:1/?a=%zz", "socks5://[::1]:1",
		"h:80", "a/b:c", "http://[fe80::1%25e0]:80/a:b?c:d#e:f",
		"//h/x", "?a:b" };

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		CHECK(auth_url_fault(str_of(good[i])) == NULL);
		if (auth_url_fault(str_of(good[i])) != NULL)
			printf("# %s\n", good[i]);
	}
}

/* A secret that stands where it is wrong is not repeated. */
static void
test_secret(void)
{
	static const char *const t[] = {
		"basic_auth: {password: s3cret, password_file: f}",
		"basic_auth: {password: [s3cret]}",
		"authorization: {credentials: {x: s3cret}}",
		"bearer_token: s3cret\nbearer_token_file: f",
		OAUTH2("client_secret: s3cret, client_secret_file: f"),
		"http_headers: {a: {secrets: s3cret}}",
		"http_headers: {a: {secrets: [[s3cret]]}}",
		"tls_config: {key: s3cret}",
		"proxy_url: http://u:s3cret@h\nproxy_from_environment: true",
		"proxy_connect_header: {a: [s3cret]}",
	};
	struct auth a;
	struct error e;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		CHECK(load(&a, t[i], false, &e) == -1);
		CHECK(strstr(e.msg, "s3cret") == NULL);
	}
}

static void
test_direct(void)
{
	static const struct {
		const char *list, *host;
		int port;
		bool direct;
	} t[] = {
		{ "example.com", "example.com", 80, true },
		{ "example.com", "EXAMPLE.com", 80, true },
		{ "example.com", "a.example.com", 80, true },
		{ "example.com", "badexample.com", 80, false },
		{ ".example.com", "a.example.com", 80, true },
		{ ".example.com", "example.com", 80, false },
		{ "*.example.com", "a.example.com", 80, true },
		{ "*.example.com", "example.com", 80, false },
		{ "x, example.com", "example.com", 80, true },
		{ "example.com:81", "example.com", 80, false },
		{ "example.com:80", "example.com", 80, true },
		{ "*", "anything", 1, true },
		{ ",", "anything", 1, false },
		{ "10.0.0.0/8", "10.1.2.3", 80, true },
		{ "10.0.0.0/8", "11.1.2.3", 80, false },
		{ "10.0.0.0/9", "10.128.0.1", 80, false },
		{ "10.128.0.0/9", "10.129.0.1", 80, true },
		{ "10.0.0.0/33", "10.0.0.1", 80, false },
		{ "10.0.0.0/x", "10.0.0.1", 80, false },
		{ "0.0.0.0/0", "10.0.0.1", 80, true },
		{ "0.0.0.0/0", "fe80::1", 80, false },
		{ "10.0.0.1", "10.0.0.1", 80, true },
		{ "10.0.0.1:80", "10.0.0.1", 81, false },
		{ "10.0.0.1", "10.0.0.1.example.com", 80, false },
		{ "1", "10.0.0.1", 80, false },
		{ "fe80::/10", "fe80::1", 80, true },
		{ "fe80::1", "fe80::1", 80, true },
		{ "[fe80::1]:80", "fe80::1", 80, true },
		{ "[fe80::1]:81", "fe80::1", 80, false },
		{ "[fe80::1]", "fe80::1", 80, true },
		{ "x", "localhost", 80, true },
		{ "x", "127.9.9.9", 80, true },
		{ "x", "::1", 80, true },
		{ "x", "::ffff:127.0.0.1", 80, true },
		{ "x", "128.0.0.1", 80, false },
		{ ":80", "host", 80, false },
		{ "host:99999999999", "host", 80, false },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		bool r = auth_direct(
		    str_of(t[i].list), str_of(t[i].host), t[i].port);

		CHECK(r == t[i].direct);
		if (r != t[i].direct)
			printf("# %s %s\n", t[i].list, t[i].host);
	}
}

int
main(void)
{
	test_good();
	test_oauth2();
	test_jwt();
	test_bad();
	test_urls();
	test_secret();
	test_direct();
	conf_free(conf);
	return done();
}
