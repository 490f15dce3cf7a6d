/* What a reload leaves to discoveries, and how long a round waits for them. */
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "check.h"
#include "dns_server.h"
#include "sd_test.h"

/* Until nothing is under way. */
static void
settle(struct sd_test *t)
{
	struct pollfd p[16];

	(void)scrape_sd_step(t->sd);
	for (int i = 0; i < 1000 && t->sd != NULL; i++) {
		size_t n = scrape_sd_fds(t->sd, p, 16);

		/* the one of inotify is always there */
		if (n == 0 || (n == 1 && p[0].fd != udp && i > 20))
			break;
		serve();
		(void)scrape_sd_step(t->sd);
	}
}

static bool
begin(struct sd_test *t, const char *text, struct sd_test *old)
{
	struct error e = { "" };

	if (!test_open(t, text, "p.yml", NULL, server_at, &e))
		printf("# %s\n", e.msg);
	CHECK(t->sd != NULL);
	if (t->sd != NULL && old != NULL) {
		scrape_sd_inherit(t->sd, old->sd);
		test_close(old);
	}
	return t->sd != NULL;
}

#define V(n) "{__address__=\"10.0.0." #n ":1\",__meta_dns_name=\"vary.test.\"}"
#define BOTH "vary.test. {}: " V(1) " " V(2) "\n"
#define DNS(interval)                                                          \
	"dns_sd_configs:\n- names: [vary.test., fail.test.]\n  type: A\n"      \
	"  port: 1\n  refresh_interval: " interval "\n"

/* A server that fails at the first question of the new one. */
static void
names(void)
{
	struct sd_test a, b, c;
	struct error e;

	phase = 0;
	if (!begin(&a, DNS("10s"), NULL))
		return;
	settle(&a);
	CHECK_STR(test_groups(&a), BOTH);
	/* the rest of the job may change */
	if (!begin(&b, "metrics_path: /x\n" DNS("10s"), &a))
		return;
	CHECK(!scrape_sd_ready(b.sd));
	CHECK_STR(test_groups(&b), BOTH);
	phase = 2;
	settle(&b);
	CHECK(scrape_sd_ready(b.sd));
	CHECK_STR(test_groups(&b), BOTH);
	CHECK(test_error(&b, &e).n > 0);
	/* an answer that is the same is no news; another one is */
	phase = 0;
	(void)scrape_sd_changed(b.sd);
	b.now += 20000;
	settle(&b);
	CHECK_STR(test_groups(&b), BOTH);
	CHECK(!scrape_sd_changed(b.sd));
	phase = 4;
	b.now += 20000;
	settle(&b);
	CHECK_STR(test_groups(&b), "");
	phase = 0;
	b.now += 20000;
	settle(&b);
	CHECK_STR(test_groups(&b), BOTH);
	/* what is asked differently begins with nothing */
	if (!begin(&c, DNS("11s"), &b))
		return;
	CHECK_STR(test_groups(&c), "");
	scrape_sd_inherit(c.sd, NULL);
	test_close(&c);
}

static void
files(void)
{
	char dir[] = "/tmp/mf-inherit-XXXXXX", text[256], path[64];
	struct sd_test a, b;
	struct error e;

	CHECK(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/a.json", dir);
	(void)snprintf(text, sizeof(text),
	    "static_configs: [{targets: ['s:1']}]\n"
	    "file_sd_configs: [{files: ['%s/*.json']}]\n",
	    dir);
	CHECK(file_replace(path, STR("[{\"targets\":[\"f:1\"]}]"), 0644, &e) ==
	    0);
	if (!begin(&a, text, NULL))
		return;
	settle(&a);
	CHECK(str_find(test_groups(&a), STR("f:1")) < a.text.n);
	CHECK(file_replace(path, STR("[{"), 0644, &e) == 0);
	if (!begin(&b, text, &a))
		return;
	settle(&b);
	CHECK(str_find(test_groups(&b), STR("f:1")) < b.text.n);
	CHECK(str_find(test_groups(&b), STR("s:1")) < b.text.n);
	CHECK(test_error(&b, &e).n > 0);
	/* a file that is gone takes its targets with it, as ever */
	unlink(path);
	b.now += 400000;
	settle(&b);
	CHECK(str_find(test_groups(&b), STR("f:1")) == b.text.n);
	test_close(&b);
	rmdir(dir);
}

/* Nobody answers, and the time is over. */
static void
expire(void)
{
	struct sd_test t;
	struct error e;

	phase = 0;
	if (!begin(&t, DNS("10s"), NULL))
		return;
	(void)scrape_sd_step(t.sd);
	CHECK(!scrape_sd_ready(t.sd));
	scrape_sd_expire(t.sd, 2500);
	CHECK(scrape_sd_ready(t.sd));
	CHECK_STR(test_error(&t, &e), "j: vary.test.: no answer within 2.5s");
	CHECK_STR(test_error(&t, &e), "j: fail.test.: no answer within 2.5s");
	/* the answers come late, and are taken */
	settle(&t);
	CHECK_STR(test_groups(&t), BOTH);
	CHECK_STR(test_error(&t, &e),
	    "j: could not resolve \"fail.test.\" (A): no server has an answer");
	test_close(&t);
}

int
main(void)
{
	server_open();
	names();
	files();
	expire();
	buf_fini(&log_);
	return done();
}
