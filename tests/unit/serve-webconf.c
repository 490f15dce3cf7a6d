/* Who may ask: the pages' user, a web-config file's users, headers, TLS. */
#include "serve_call.h"

#include <crypt.h>
#include <sys/stat.h>
#include <unistd.h>

#include "metric/series.h"

static struct series_set *set;
static struct source source;
static char dir[] = "/tmp/serve-webconf.XXXXXX";

static const struct source *
get_source(void *arg, struct error *e)
{
	(void)arg;
	(void)e;
	return &source;
}

static struct serve *
fresh(void)
{
	return serve_new(&(struct serve_opts){
	    .clock = &test_clock, .version = "0", .source = get_source });
}

static const char *
put(const char *name, const char *text)
{
	static char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((f = fopen(path, "w")) == NULL)
		exit(1);
	fputs(text, f);
	fclose(f);
	return path;
}

static int
ask(struct serve *s, const char *target, const char *credentials)
{
	struct httpd_param h = { STR("authorization"),
		credentials ? str_of(credentials) : STR_NONE };

	return call_with(s, "GET", target, &h, 1, STR_NONE);
}

static void
check_pages(struct serve *s)
{
	static const char *const bad[] = { "Basic", "Basic ",
		"Basic YWRtaW4=", "Basic YWRtaW46YWRtaW5h",
		"Basic YWRtaW46YWRtaQ==", "Basic YWRtaW5hOmFkbWlu",
		"Basic OmFkbWlu", "Basic YWRtaW46", "Bearer YWRtaW46YWRtaW4=",
		"Basic YWRtaW46YWRt!W4=", "Basic Og==" };

	CHECK(ask(s, "/graph", NULL) == 401);
	CHECK_STR(header("WWW-Authenticate"),
	    "Basic realm=\"mf\", charset=\"UTF-8\"");
	CHECK(ask(s, "/", NULL) == 401);
	CHECK(ask(s, "/metrics", NULL) == 200);
	CHECK(ask(s, "/-/ready", NULL) == 200);
	CHECK(ask(s, "/-/healthy", NULL) == 200);
	CHECK(ask(s, "/api/v1/labels", NULL) == 200);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(ask(s, "/graph", bad[i]) == 401);
	CHECK(ask(s, "/graph", "Basic YWRtaW46YWRtaW4=") == 200);
	CHECK(ask(s, "/graph", "basic YWRtaW46YWRtaW4") == 200);
	CHECK(ask(s, "/", "Basic YWRtaW46YWRtaW4=") == 302);
}

static void
test_users(void)
{
	static const char *const bad[] = { "a: b\n",
		"kind: ConfigMap\napiVersion: v1\ndata: {username: a}\n",
		"apiVersion: v1\nkind: Secret\ndata: {username: YWRtaW4=}\n",
		"apiVersion: v1\nkind: Secret\n"
		"data: {username: YWRtaW4=, password: \"\"}\n",
		"apiVersion: v1\nkind: Secret\n"
		"data: {username: YWRtaW4=, password: \"!!\"}\n" };
	struct conf_opts o = { 0 };
	struct serve *s = fresh();
	struct error e;

	CHECK(serve_users(s,
		  put("secret.yaml",
		      "apiVersion: v1\nkind: Secret\nmetadata:\n"
		      "  name: grafana-secret\ntype: Opaque\ndata:\n"
		      "  username: YWRtaW4=\n  password: YWRtaW4=\n"),
		  &o, &e) == 0);
	check_pages(s);
	serve_free(s);
	/* As a directory, which is how a Secret is mounted. */
	s = fresh();
	put("username", "admin");
	put("password", "admin\n");
	CHECK(serve_users(s, dir, &o, &e) == 0);
	check_pages(s);
	serve_free(s);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		s = fresh();
		CHECK(serve_users(s, put("bad.yaml", bad[i]), &o, &e) == -1);
		CHECK(strstr(e.msg, "bad.yaml") != NULL);
		serve_free(s);
	}
	s = fresh();
	CHECK(serve_users(s, "/nonexistent", &o, &e) == -1);
	serve_free(s);
}

/* bcrypt of "secret", at the least cost there is; made by main(). */
static char hash[128];

static void
test_web_users(void)
{
	struct conf_opts o = { 0 };
	struct serve *s = fresh();
	char text[512];
	struct error e;
	int busy = 0, i;

	snprintf(text, sizeof(text),
	    "basic_auth_users:\n  joe: %s\n"
	    "http_server_config:\n  http2: true\n  headers:\n"
	    "    X-Frame-Options: deny\n",
	    hash);
	CHECK(serve_webconf(s, put("web.yml", text), &o, &e) == 0);
	CHECK(serve_tls(s) == NULL);
	CHECK(ask(s, "/metrics", NULL) == 401);
	CHECK_STR(header("X-Frame-Options"), "deny");
	CHECK(ask(s, "/-/healthy", NULL) == 401);
	CHECK(ask(s, "/api/v1/labels", NULL) == 401);
	CHECK(ask(s, "/nothing", NULL) == 401);
	CHECK(ask(s, "/metrics", "Basic am9lOnNlY3JldA==") == 200);
	CHECK(ask(s, "/metrics", "Basic am9lOnNlY3JlVA==") == 401);
	CHECK(ask(s, "/metrics", "Basic am9zOnNlY3JldA==") == 401);
	/* A flood of guesses is rationed, who is known goes on. */
	for (i = 0; i < 60 && busy == 0; i++) {
		snprintf(text, sizeof(text), "Basic %02dZlOnNlY3JldA==", i);
		busy = ask(s, "/metrics", text) == 503;
	}
	CHECK(busy && i < 20);
	CHECK_STR(header("Retry-After"), "1");
	CHECK(ask(s, "/metrics", "Basic am9lOnNlY3JldA==") == 200);
	test_time += INT64_C(2000000000);
	CHECK(ask(s, "/metrics", "Basic enplOnNlY3JldA==") == 401);
	/* The pages' own user does for the pages. */
	CHECK(serve_users(s,
		  put("secret.yaml",
		      "apiVersion: v1\nkind: Secret\ndata:\n"
		      "  username: YWRtaW4=\n  password: YWRtaW4=\n"),
		  &o, &e) == 0);
	CHECK(ask(s, "/graph", "Basic YWRtaW46YWRtaW4=") == 200);
	CHECK(ask(s, "/graph", "Basic am9lOnNlY3JldA==") == 200);
	CHECK(ask(s, "/metrics", "Basic YWRtaW46YWRtaW4=") != 200);
	serve_free(s);
}

static void
test_config(void)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{ "users: {}", "web.yml:1:1: unknown key" },
		{ "basic_auth_users: {a: b}", "not a bcrypt hash" },
		{ "basic_auth_users: [a]", "expected a map" },
		{ "http_server_config: {headers: {Foo: x}}",
		    "header 'Foo' can not be configured" },
		{ "http_server_config: {headers: {X-Frame-Options: "
		  "\"a\\r\\nb\"}}",
		    "control character" },
		{ "tls_server_config: {cert_file: a}", "one of key" },
		{ "tls_server_config: {key_file: a}", "one of cert" },
		{ "tls_server_config: {cert_file: nocert, key_file: nokey}",
		    "nocert" },
		{ "tls_server_config: {cert: a, key: b, client_auth_type: "
		  "RequireAnyClientCert}",
		    "not supported" },
		{ "tls_server_config: {cert: a, key: b, client_ca_file: c}",
		    "not supported" },
		{ "tls_server_config: {cert: a, key: b, min_version: X}",
		    "unknown TLS version" },
		{ "tls_server_config: {cert: a, key: b, min_version: TLS13, "
		  "max_version: TLS12}",
		    "above" },
		{ "rate_limit: {interval: 1s}", "not supported" },
	};
	struct conf_opts o = { 0 };
	struct serve *s;
	struct error e;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		s = fresh();
		CHECK(serve_webconf(s, put("web.yml", bad[i].text), &o, &e) ==
		    -1);
		CHECK(strstr(e.msg, bad[i].error) != NULL);
		if (strstr(e.msg, bad[i].error) == NULL)
			printf("# %s: %s\n", bad[i].text, e.msg);
		serve_free(s);
	}
	s = fresh();
	put("c.pem", "CERT\n");
	put("k.pem", "KEY\n");
	CHECK(serve_webconf(s,
		  put("web.yml",
		      "tls_server_config: {cert_file: c.pem, key_file: k.pem, "
		      "min_version: TLS12, max_version: TLS12}\n"),
		  &o, &e) == 0);
	CHECK(serve_tls(s) != NULL);
	if (serve_tls(s) != NULL) {
		CHECK_STR(serve_tls(s)->cert, "CERT\n");
		CHECK_STR(serve_tls(s)->key, "KEY\n");
		CHECK(strcmp(serve_tls(s)->priorities,
			  "NORMAL:-VERS-ALL:+VERS-TLS1.2") == 0);
	}
	serve_free(s);
	s = fresh();
	CHECK(serve_webconf(s, put("web.yml", ""), &o, &e) == 0);
	CHECK(ask(s, "/metrics", NULL) == 200);
	serve_free(s);
}

int
main(void)
{
	static const char *const files[] = { "secret.yaml", "username",
		"password", "bad.yaml", "web.yml", "c.pem", "k.pem" };
	struct crypt_data data = { 0 };
	char path[128];

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(hash, sizeof(hash), "%s",
	    crypt_r("secret", "$2b$04$abcdefghijklmnopqrstuu", &data));
	set = series_new();
	source = series_source(set);
	test_users();
	test_web_users();
	test_config();
	series_free(set);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
	call_done();
	return done();
}
