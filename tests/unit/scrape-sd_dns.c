/* dns_sd_configs against the bad server of dns_server.h. */
#include "check.h"
#include "dns_server.h"
#include "sd_test.h"

static bool
begin(struct sd_test *t, const char *text)
{
	struct error e;
	bool ok = test_open(t, text, "p.yml", NULL, server_at, &e);

	if (!ok)
		printf("# %s\n", e.msg);
	CHECK(ok);
	return ok;
}

/* Until nothing is under way. */
static void
settle(struct sd_test *t)
{
	struct pollfd p[16];

	(void)scrape_sd_step(t->sd);
	for (int i = 0; i < 1000 && scrape_sd_fds(t->sd, p, 16) > 0; i++) {
		serve();
		(void)scrape_sd_step(t->sd);
	}
	CHECK(scrape_sd_fds(t->sd, p, 16) == 0);
}

static void
is(const char *text, const char *want)
{
	struct sd_test t;
	struct error e;

	if (!begin(&t, text))
		return;
	CHECK(!scrape_sd_ready(t.sd) && !scrape_sd_changed(t.sd));
	settle(&t);
	CHECK(scrape_sd_ready(t.sd));
	CHECK_STR(test_error(&t, &e), "");
	(void)test_groups(&t);
	if (strcmp(buf_cstr(&t.text), want) != 0)
		printf("# got  %s\n# want %s\n", buf_cstr(&t.text), want);
	CHECK(strcmp(buf_cstr(&t.text), want) == 0);
	test_close(&t);
}

#define SD "dns_sd_configs:\n- names: "

static void
types(void)
{
	is(SD "[_s._tcp.test.]\n",
	    "_s._tcp.test. {}: {__address__=\"h1.test:8080\","
	    "__meta_dns_name=\"_s._tcp.test.\","
	    "__meta_dns_srv_record_port=\"8080\","
	    "__meta_dns_srv_record_target=\"h1.test.\"} "
	    "{__address__=\"h\\\\\\\".test:80\","
	    "__meta_dns_name=\"_s._tcp.test.\","
	    "__meta_dns_srv_record_port=\"80\","
	    "__meta_dns_srv_record_target=\"h\\\\\\\".test.\"}\n");
	is(SD "[six.test.]\n  type: aaaa\n  port: 9\n",
	    "six.test. {}: {__address__=\"10.0.0.1:9\","
	    "__meta_dns_name=\"six.test.\"} {__address__=\"[::1]:9\","
	    "__meta_dns_name=\"six.test.\"}\n");
	is(SD "[a.test.]\n  type: A\n  port: 80\n",
	    "a.test. {}: {__address__=\"10.0.0.255:80\","
	    "__meta_dns_name=\"a.test.\"} {__address__=\"127.0.0.1:80\","
	    "__meta_dns_name=\"a.test.\"}\n");
	is(SD "[mx.test., null.test.]\n  type: MX\n  port: 25\n",
	    "mx.test. {}: {__address__=\"m1.test:25\","
	    "__meta_dns_mx_record_target=\"m1.test.\","
	    "__meta_dns_name=\"mx.test.\"}\n");
	is(SD "[ns.test.]\n  type: NS\n  port: 53\n",
	    "ns.test. {}: {__address__=\"n1.test:53\","
	    "__meta_dns_name=\"ns.test.\","
	    "__meta_dns_ns_record_target=\"n1.test.\"}\n");
}

#define V(n) "{__address__=\"10.0.0." #n ":1\",__meta_dns_name=\"vary.test.\"}"

static void
life(void)
{
	const str both = STR("vary.test. {}: " V(1) " " V(2) "\n");
	struct sd_test t;
	struct error e;

	phase = 0;
	if (!begin(&t,
		SD "[vary.test., fail.test.]\n  type: A\n  port: 1\n"
		   "  refresh_interval: 10s\n"))
		return;
	settle(&t);
	CHECK(scrape_sd_ready(t.sd));
	CHECK_STR(test_error(&t, &e),
	    "j: could not resolve \"fail.test.\" (A): no server has an answer");
	CHECK_STR(test_error(&t, &e), "");
	CHECK(str_eq(test_groups(&t), both));
	t.now += 100;
	CHECK(scrape_sd_changed(t.sd));

	/* another order is no news, a server that fails keeps the last */
	phase = 1;
	buf_reset(&log_);
	t.now += 9899;
	settle(&t);
	CHECK(log_.n == 0);
	t.now += 1;
	settle(&t);
	CHECK(log_.n > 0);
	phase = 2;
	t.now += 10000;
	settle(&t);
	CHECK(str_eq(test_groups(&t), both));
	CHECK(!scrape_sd_changed(t.sd));
	CHECK_STR(test_error(&t, &e),
	    "j: could not resolve \"vary.test.\" (A): no server has an answer");
	/* that there is no such name any more empties it, well again */
	phase = 3;
	t.now += 10000;
	settle(&t);
	CHECK_STR(test_groups(&t), "");
	t.now += 100;
	CHECK(scrape_sd_changed(t.sd));
	CHECK_STR(test_error(&t, &e), "");
	phase = 0;
	t.now += 10000;
	settle(&t);
	CHECK(str_eq(test_groups(&t), both));
	phase = 4;
	t.now += 10000;
	settle(&t);
	CHECK_STR(test_groups(&t), "");
	test_close(&t);
}

/* Ended while a question is under way. */
static void
cut_off(void)
{
	struct sd_test t;

	if (!begin(&t, SD "[drop.test., a.test.]\n"))
		return;
	CHECK(scrape_sd_step(t.sd) > 0);
	serve();
	(void)scrape_sd_step(t.sd);
	CHECK(!scrape_sd_ready(t.sd));
	test_close(&t);
}

static void
refused(const char *text, const char *dns, const char *want)
{
	struct sd_test t;
	struct error e = { "" };

	CHECK(!test_open(&t, text, "p.yml", NULL, dns, &e));
	if (strcmp(e.msg, want) != 0)
		printf("# got  %s\n# want %s\n", e.msg, want);
	CHECK(strcmp(e.msg, want) == 0);
	test_close(&t);
}

static void
errors(void)
{
	refused(SD "[]\n", NULL,
	    "p.yml:2:3: DNS-SD config must contain at least one SRV record "
	    "name");
	refused(SD "a\n", NULL, "p.yml:2:10: names: expected a list");
	refused(SD "[a, '']\n", NULL, "p.yml:2:14: names: expected a name");
	refused(SD "[a]\n  type: TXT\n", NULL,
	    "p.yml:3:9: invalid DNS-SD records type TXT");
	refused(SD "[a]\n  type: A\n", NULL,
	    "p.yml:2:3: a port is required in DNS-SD configs for all record "
	    "types except SRV");
	refused(SD "[a]\n  type: A\n  port: 65536\n", NULL,
	    "p.yml:4:9: port must be 1 to 65535");
	refused(SD "[a]\n  refresh_interval: 0s\n", NULL,
	    "p.yml:3:21: refresh_interval must not be 0");
	refused(
	    SD "[a]\n  server: b\n", NULL, "p.yml:3:3: unknown key \"server\"");
	refused(SD "[a]\n", "dns:53",
	    "DNS server 'dns:53': expected ADDRESS or ADDRESS:PORT");
}

int
main(void)
{
	server_open();
	types();
	life();
	cut_off();
	errors();
	buf_fini(&log_);
	return done();
}
