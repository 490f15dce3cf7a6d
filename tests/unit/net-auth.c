/* net/auth: http_config, right and wrong. */
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
	CHECK(a.follow_redirects && a.enable_http2 && a.username.n == 0);
	CHECK(load(&a,
		  "basic_auth: {username: u, password: p}\n"
		  "tls_config: {ca_file: ca.pem, server_name: s,\n"
		  "  insecure_skip_verify: true, min_version: TLS12}\n"
		  "follow_redirects: false\nproxy_url: http://p:1\n",
		  false, &e) == 0);
	CHECK_STR(a.username, "u");
	CHECK_STR(a.password, "p");
	CHECK_STR(a.ca_file, "ca.pem");
	CHECK_STR(a.server_name, "s");
	CHECK_STR(a.min_version, "TLS12");
	CHECK_STR(a.proxy_url, "http://p:1");
	CHECK(a.insecure_skip_verify && !a.follow_redirects);
	CHECK(a.conf == conf);
	CHECK(load(&a, "authorization: {credentials: x}", false, &e) == 0);
	CHECK_STR(a.type, "Bearer");
	CHECK_STR(a.credentials, "x");
	CHECK(load(&a, "bearer_token_file: tok", false, &e) == 0);
	CHECK_STR(a.type, "Bearer");
	CHECK_STR(a.credentials_file, "tok");
	CHECK(load(&a, "job_name: x\nbasic_auth:\n", true, &e) == 0);
	CHECK(load(&a, "oauth2:\n", false, &e) == 0);
	CHECK(auth_key(STR("tls_config")) && !auth_key(STR("job_name")));
}

static void
test_bad(void)
{
	static const struct {
		const char *text, *error;
	} t[] = {
		{ "job_name: x", "t.yml:1:1: unknown key \"job_name\"" },
		{ "- x", "t.yml:1:1: expected a map" },
		{ "basic_auth: {user: u}", "t.yml:1:14: " },
		{ "basic_auth: {password: p, password_file: q}",
		    "at most one of basic_auth password" },
		{ "basic_auth: {username: p, username_file: q}",
		    "at most one of basic_auth username" },
		{ "basic_auth: {username: u}\nbearer_token: t",
		    "at most one of basic_auth, oauth2 and authorization" },
		{ "authorization: {type: Basic}",
		    "cannot be set to \"basic\"" },
		{ "authorization: {credentials: a, credentials_file: b}",
		    "at most one of authorization" },
		{ "authorization: {credentials: a}\nbearer_token: t",
		    "not compatible" },
		{ "bearer_token: a\nbearer_token_file: t",
		    "at most one of bearer_token" },
		{ "follow_redirects: 7", "t.yml:1:19: " },
		{ "\n\noauth2: {client_id: x}",
		    "t.yml:3:9: oauth2 is not supported" },
		{ "proxy_from_environment: true", "not supported" },
		{ "tls_config: {min_version: SSL3}", "unknown TLS version" },
		{ "tls_config: {cert_file: a}", "client certificate" },
		{ "tls_config: {ca_file: a, ca: b}", "at most one of ca" },
	};
	struct auth a;
	struct error e;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		CHECK(load(&a, t[i].text, false, &e) == -1);
		CHECK(strstr(e.msg, t[i].error) != NULL);
		if (strstr(e.msg, t[i].error) == NULL)
			printf("# %s: %s\n", t[i].text, e.msg);
	}
}

int
main(void)
{
	test_good();
	test_bad();
	conf_free(conf);
	return done();
}
