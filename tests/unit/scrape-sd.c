/*
 * Discovery as a whole, static_configs (sd_static.c) and what is wrong with a
 * configuration.
 */
#include "check.h"
#include "sd_test.h"

static void
statics(void)
{
	struct sd_test t;
	struct error e;
	struct pollfd p[4];
	const struct sd_group *const *v;

	CHECK(test_open(&t,
	    "static_configs:\n"
	    "- targets: [a:1, 'b:2']\n  labels: {x: y, __z__: '1'}\n"
	    "- targets: ['exec:/bin/x -a', 'unix:/run/x:/m']\n"
	    "- labels: {}\n",
	    "p.yml", NULL, NULL, &e));
	CHECK(scrape_sd_ready(t.sd));
	CHECK(scrape_sd_changed(t.sd));
	CHECK(!scrape_sd_changed(t.sd));
	CHECK(scrape_sd_step(t.sd) == -1);
	CHECK(!scrape_sd_changed(t.sd));
	CHECK(scrape_sd_fds(t.sd, p, 4) == 0);
	CHECK_STR(test_groups(&t),
	    "0 {__z__=\"1\",x=\"y\"}: {__address__=\"a:1\"} "
	    "{__address__=\"b:2\"}\n"
	    "1 {}: {__address__=\"exec:/bin/x -a\"} "
	    "{__address__=\"unix:/run/x:/m\"}\n"
	    "2 {}:\n");
	CHECK(sd_groups(t.sd, &t.job, &v) == 3 && v[0]->local);
	CHECK_STR(test_error(&t, &e), "");
	test_close(&t);
}

/* A job without any, or without a node (operands), is changed at once too. */
static void
nothing(void)
{
	struct sd_test t;
	struct error e;
	const struct sd_group *const *v;
	struct scrape_job other = { .name = STR("o") };

	CHECK(test_open(&t, "job_name: j\nconsul_sd_configs: []\n", "p.yml",
	    NULL, NULL, &e));
	CHECK(scrape_sd_ready(t.sd) && scrape_sd_changed(t.sd));
	CHECK(sd_groups(t.sd, &t.job, &v) == 0);
	CHECK(sd_groups(t.sd, &other, &v) == 0);
	test_close(&t);
	CHECK(sd_check(&other, &e) == 0);
}

static void
refused(const char *text, const char *want)
{
	struct sd_test t;
	struct error e = { "" };

	CHECK(!test_open(&t, text, "p.yml", NULL, NULL, &e));
	if (strcmp(e.msg, want) != 0)
		printf("# got  %s\n# want %s\n", e.msg, want);
	CHECK(strcmp(e.msg, want) == 0);
	test_close(&t);
}

static void
errors(void)
{
	refused("static_configs:\n- targets: [[bad]]\n",
	    "p.yml:2:13: a target must be HOST:PORT");
	refused("static_configs: x\n",
	    "p.yml:1:17: static_configs: expected a list");
	refused("static_configs:\n-\n",
	    "p.yml:2:2: empty or null section in static_configs");
	refused("static_configs:\n- targets: ['']\n",
	    "p.yml:2:13: a target must be HOST:PORT");
	refused("static_configs:\n- targets: [[a]]\n",
	    "p.yml:2:13: a target must be HOST:PORT");
	refused("static_configs:\n- targets: a:1\n",
	    "p.yml:2:12: targets: expected a list");
	refused("static_configs:\n- labels: [a]\n",
	    "p.yml:2:11: labels: expected a map");
	refused("static_configs:\n- labels: {'': a}\n",
	    "p.yml:2:12: \"\" is not a valid label");
	refused("static_configs:\n- target: []\n",
	    "p.yml:2:3: unknown key \"target\"");
	refused("consul_sd_configs:\n- server: a\n",
	    "p.yml:1:1: consul_sd_configs: this discovery is not part of mf "
	    "(it has static, file, http and dns)");
	refused("file_sd_configs:\n- files: [a.json]\n-\n",
	    "p.yml:3:2: empty or null section in file_sd_configs");
}

static void
keys(void)
{
	CHECK(sd_key(STR("static_configs")));
	CHECK(sd_key(STR("file_sd_configs")));
	CHECK(sd_key(STR("stackit_sd_configs")));
	CHECK(!sd_key(STR("consult_sd_configs")));
	CHECK(!sd_key(STR("_sd_configs")));
	CHECK(!sd_key(STR("consul")));
}

int
main(void)
{
	statics();
	nothing();
	errors();
	keys();
	return done();
}
