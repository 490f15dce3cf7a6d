/*
 * file_sd_configs: files that come, change, go bad and go, seen by inotify and
 * by polling.
 */
#include "check.h"
#include "sd_test.h"

#include <errno.h>
#include <ftw.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"

static char dir[] = "/tmp/mf-sd-XXXXXX";

/* A path below dir, until four calls later. */
static const char *
at(const char *name)
{
	static char b[4][256];
	static unsigned i;

	i = (i + 1) % 4;
	snprintf(b[i], sizeof(b[i]), "%s/%s", dir, name);
	return b[i];
}

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(at(name), "w");

	CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static int
rm(const char *path, const struct stat *st, int flag, struct FTW *w)
{
	(void)st;
	(void)flag;
	(void)w;
	return remove(path);
}

static void
clear(void)
{
	(void)nftw(dir, rm, 8, FTW_DEPTH | FTW_PHYS);
	CHECK(mkdir(dir, 0777) == 0);
}

static bool
start(struct sd_test *t, const char *text)
{
	struct error e;
	bool ok = test_open(t, text, at("p.yml"), NULL, NULL, &e);

	if (!ok)
		printf("# %s\n", e.msg);
	CHECK(ok);
	if (ok)
		(void)scrape_sd_step(t->sd);
	return ok;
}

/* The sources and their targets alone: the labels are of other tests. */
static bool
know(struct sd_test *t, const char *want)
{
	const struct sd_group *const *v;
	size_t n = sd_groups(t->sd, &t->job, &v);
	struct buf b = { 0 };
	bool same;

	for (size_t i = 0; i < n; i++) {
		buf_add(&b, str_skip(v[i]->source, strlen(dir) + 1));
		for (size_t k = 0; k < v[i]->ntargets; k++)
			buf_printf(
			    &b, " %.*s", STR_ARG(v[i]->targets[k].v[0].value));
		buf_byte(&b, '|');
	}
	same = strcmp(buf_cstr(&b), want) == 0;
	if (!same)
		printf("# got  %s\n# want %s\n", buf_cstr(&b), want);
	buf_fini(&b);
	return same;
}

static void
pass(struct sd_test *t, int64_t ms)
{
	t->now += ms;
	(void)scrape_sd_step(t->sd);
}

#define BOTH "file_sd_configs:\n- files: ['./*.json', t/**.yml]\n"

static void
life(void)
{
	struct sd_test t;
	struct error e;
	struct pollfd p[2];

	clear();
	put("a.json", "[{\"targets\":[\"a:1\"],\"labels\":{\"x\":\"y\"}}]");
	if (!start(&t, BOTH))
		return;
	CHECK(scrape_sd_ready(t.sd) && scrape_sd_changed(t.sd));
	CHECK(know(&t, "a.json:0 a:1|"));
	CHECK(scrape_sd_fds(t.sd, p, 2) == 1 && p[0].events == POLLIN);
	CHECK(scrape_sd_fds(t.sd, p, 0) == 0);

	/* a new file is there 500 ms after the last look, told 5 s later */
	put("b.json", "[{\"targets\":[\"b:1\"]}]");
	CHECK(poll(p, 1, 0) == 1);
	CHECK(scrape_sd_step(t.sd) == 500);
	CHECK(know(&t, "a.json:0 a:1|"));
	pass(&t, 500);
	CHECK(know(&t, "a.json:0 a:1|b.json:0 b:1|"));
	CHECK(poll(p, 1, 0) == 0);
	CHECK(!scrape_sd_changed(t.sd));
	t.now = 5999;
	CHECK(!scrape_sd_changed(t.sd));
	t.now = 6000;
	CHECK(scrape_sd_changed(t.sd));
	/* long after that, a change waits 50 and 100 ms */
	pass(&t, 20000);
	put("b.json", "[{\"targets\":[\"b:2\"]}]");
	CHECK(scrape_sd_step(t.sd) == 50);
	pass(&t, 50);
	CHECK(know(&t, "a.json:0 a:1|b.json:0 b:2|"));
	CHECK(!scrape_sd_changed(t.sd) && scrape_sd_step(t.sd) == 100);
	t.now += 100;
	CHECK(scrape_sd_changed(t.sd));

	/* the same again is no news; a bad one is told, and keeps the last */
	put("b.json", "[{\"targets\":[\"b:2\"]} ]");
	pass(&t, 9000);
	pass(&t, 50);
	CHECK(!scrape_sd_changed(t.sd) && scrape_sd_step(t.sd) > 200000);
	put("b.json", "[{\"targets\":[\"b:3\"]}\n");
	pass(&t, 0);
	pass(&t, 500);
	CHECK(know(&t, "a.json:0 a:1|b.json:0 b:2|"));
	CHECK(scrape_sd_error(t.sd, &e));
	CHECK(strstr(e.msg, "j: ") == e.msg && strstr(e.msg, "/b.json:2:"));
	CHECK_STR(test_error(&t, &e), "");
	pass(&t, 400000);
	CHECK_STR(test_error(&t, &e), "");
	put("b.json", "{}");
	pass(&t, 0);
	pass(&t, 500);
	CHECK(scrape_sd_error(t.sd, &e));
	CHECK(strstr(e.msg, "expected a list of target groups") != NULL);

	/* gone is gone, its error too; a directory may come later */
	CHECK(unlink(at("b.json")) == 0);
	pass(&t, 0);
	pass(&t, 500);
	CHECK(know(&t, "a.json:0 a:1|"));
	CHECK_STR(test_error(&t, &e), "");
	CHECK(mkdir(at("t"), 0777) == 0);
	pass(&t, 0);
	pass(&t, 500);
	put("t/.c.yml", "- targets: [c:1, c:2]\n- targets: [c:3]\n");
	pass(&t, 0);
	pass(&t, 500);
	CHECK(know(&t, "a.json:0 a:1|t/.c.yml:0 c:1 c:2|t/.c.yml:1 c:3|"));
	test_close(&t);
}

/* What can't be read is no target, and nothing waits for it. */
static void
strange(void)
{
	struct sd_test t;
	struct error e;

	clear();
	CHECK(mkfifo(at("a.json"), 0666) == 0);
	CHECK(symlink("none", at("b.json")) == 0);
	CHECK(mkdir(at("c.json"), 0777) == 0);
	if (!start(&t, BOTH))
		return;
	CHECK(scrape_sd_ready(t.sd));
	CHECK(know(&t, ""));
	CHECK(scrape_sd_error(t.sd, &e) &&
	    strstr(e.msg, "a.json: not a regular file") != NULL);
	CHECK(scrape_sd_error(t.sd, &e) && strstr(e.msg, "c.json") != NULL);
	CHECK(!scrape_sd_error(t.sd, &e));
	test_close(&t);
}

/* As Kubernetes mounts a ConfigMap: one rename changes all files. */
static void
swapped(void)
{
	struct sd_test t;

	clear();
	CHECK(mkdir(at("1"), 0777) == 0 && mkdir(at("2"), 0777) == 0);
	put("1/a.json", "[{\"targets\":[\"a:1\"]}]");
	put("2/a.json", "[{\"targets\":[\"a:2\"]}]");
	CHECK(symlink("1", at("..data")) == 0);
	CHECK(symlink("..data/a.json", at("a.json")) == 0);
	if (!start(&t, BOTH))
		return;
	CHECK(know(&t, "a.json:0 a:1|"));
	CHECK(symlink("2", at("..new")) == 0);
	CHECK(rename(at("..new"), at("..data")) == 0);
	pass(&t, 1000);
	pass(&t, 50);
	CHECK(know(&t, "a.json:0 a:2|"));
	test_close(&t);
}

/* The directory is replaced, with all that was watched. */
static void
replaced(void)
{
	struct sd_test t;

	clear();
	CHECK(mkdir(at("t"), 0777) == 0);
	put("t/a.yml", "- targets: [a:1]\n");
	if (!start(&t, BOTH))
		return;
	CHECK(know(&t, "t/a.yml:0 a:1|"));
	CHECK(rename(at("t"), at("old")) == 0);
	pass(&t, 1000);
	pass(&t, 50);
	CHECK(know(&t, ""));
	CHECK(mkdir(at("t"), 0777) == 0);
	pass(&t, 0);
	pass(&t, 500);
	put("t/a.yml", "- targets: [a:2]\n");
	pass(&t, 0);
	pass(&t, 500);
	CHECK(know(&t, "t/a.yml:0 a:2|"));
	test_close(&t);
}

/* A relative path, to a directory of the working one that is not there yet. */
static void
relative(void)
{
	struct sd_test t;
	struct error e;
	const struct sd_group *const *v;

	clear();
	CHECK(chdir(dir) == 0);
	CHECK(test_open(&t, "file_sd_configs:\n- files: [u/v.yml]\n", "p.yml",
	    NULL, NULL, &e));
	(void)scrape_sd_step(t.sd);
	CHECK(mkdir(at("u"), 0777) == 0);
	pass(&t, 0);
	pass(&t, 500);
	put("u/v.yml", "- targets: [a:1]\n");
	pass(&t, 0);
	pass(&t, 500);
	CHECK(sd_groups(t.sd, &t.job, &v) == 1);
	CHECK_STR(v[0]->source, "u/v.yml:0");
	test_close(&t);
	CHECK(chdir("/") == 0);
}

static void
labels(void)
{
	struct sd_test t;
	struct error e;
	struct buf want = { 0 };
	const struct sd_group *const *v;

	clear();
	put("a.json",
	    "[{\"targets\":[\"exec:true\"],\"labels\":{\"x\":\"y\"}}]");
	if (!start(&t, "file_sd_configs:\n- files: [.//a.json]\n"))
		return;
	buf_printf(&want,
	    "%s/a.json:0 {__meta_filepath=\"%s/a.json\",x=\"y\"}: "
	    "{__address__=\"exec:true\"}\n",
	    dir, dir);
	CHECK(str_eq(test_groups(&t), buf_str(&want)));
	CHECK(sd_groups(t.sd, &t.job, &v) == 1 && v[0]->local);
	CHECK_STR(test_error(&t, &e), "");
	buf_fini(&want);
	test_close(&t);
}

/* In a manifest a path may be a key of it; a file of that name does not count.
 */
static void
manifest(void)
{
	struct sd_test t = { .now = 1000 };
	struct error e;

	clear();
	put("cm.yml",
	    "apiVersion: v1\nkind: ConfigMap\ndata:\n"
	    "  p.yml: |\n    file_sd_configs:\n"
	    "    - files: [t/a.json, b.yml, none.yml]\n"
	    "  a.json: '[{\"targets\":[\"a:1\"]}]'\n"
	    "  b.yml: '- targets: [b:1]'\n");
	put("b.yml", "- targets: [b:2]\n");
	t.clock = (struct clock){ .mono = test_mono, .arg = &t };
	t.conf = conf_load(at("cm.yml:p.yml"), NULL, &e);
	CHECK(t.conf != NULL);
	if (t.conf == NULL)
		return;
	t.job =
	    (struct scrape_job){ .name = STR("j"), .node = conf_root(t.conf) };
	t.jobs[0] = &t.job;
	t.config = (struct scrape_config){ .jobs = t.jobs, .njobs = 1 };
	t.sd = scrape_sd_new(&t.config, NULL, &t.clock, NULL, &e);
	CHECK(t.sd != NULL);
	(void)scrape_sd_step(t.sd);
	CHECK(know(&t, "t/a.json:0 a:1|b.yml:0 b:1|"));
	pass(&t, 300000);
	CHECK(know(&t, "t/a.json:0 a:1|b.yml:0 b:1|"));
	test_close(&t);
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
	const char *const bad[] = { "a", "a.txt", "*/a.json", "a*b/c*.yml",
		"*.json/x", "''" };
	struct buf b = { 0 }, want = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		buf_reset(&b);
		buf_reset(&want);
		buf_printf(&b, "file_sd_configs:\n- files:\n  - %s\n", bad[i]);
		if (bad[i][0] == '*') /* an alias, were it not quoted */
			continue;
		buf_printf(&want,
		    "p.yml:3:5: path name \"%s\" is not valid for file "
		    "discovery",
		    bad[i][0] == '\'' ? "" : bad[i]);
		refused(buf_cstr(&b), buf_cstr(&want));
	}
	refused("file_sd_configs:\n- files: ['*/a.json']\n",
	    "p.yml:2:11: path name \"*/a.json\" is not valid for file "
	    "discovery");
	refused("file_sd_configs:\n- files: []\n",
	    "p.yml:2:3: file service discovery config must contain at least "
	    "one path name");
	refused("file_sd_configs:\n- refresh_interval: 1m\n",
	    "p.yml:2:3: file service discovery config must contain at least "
	    "one path name");
	refused("file_sd_configs:\n- files: [a.yml]\n  refresh_interval: 0\n",
	    "p.yml:3:21: refresh_interval must not be 0");
	refused("file_sd_configs:\n- files: a.yml\n",
	    "p.yml:2:10: files: expected a list");
	buf_fini(&b);
	buf_fini(&want);
}

/* The last test: from here on this process has no inotify. */
static bool
forbid_inotify(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_inotify_init1, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EMFILE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { sizeof(f) / sizeof(*f), f };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) == 0;
}

static void
polled(void)
{
	struct sd_test t;
	struct pollfd p[1];

	clear();
	if (!forbid_inotify()) {
		printf("# no seccomp here: polling alone is not tested\n");
		return;
	}
	if (!start(&t,
		"file_sd_configs:\n- files: ['*.json']\n"
		"  refresh_interval: 30s\n"))
		return;
	CHECK(scrape_sd_fds(t.sd, p, 1) == 0);
	CHECK(scrape_sd_step(t.sd) == 30000);
	put("a.json", "[{\"targets\":[\"a:1\"]}]");
	pass(&t, 29999);
	CHECK(know(&t, ""));
	pass(&t, 1);
	CHECK(know(&t, "a.json:0 a:1|"));
	test_close(&t);
}

/* A directory that can't be read keeps what was in it. */
static void
unreadable(void)
{
	struct sd_test t;
	struct error e;

	clear();
	CHECK(mkdir(at("t"), 0777) == 0);
	put("t/a.yml", "- targets: [a:1]\n");
	if (!start(&t, BOTH))
		return;
	CHECK(know(&t, "t/a.yml:0 a:1|"));
	CHECK(rename(at("t"), at("u")) == 0);
	CHECK(symlink("t", at("t")) == 0);
	pass(&t, 300000);
	CHECK(know(&t, "t/a.yml:0 a:1|"));
	CHECK(scrape_sd_error(t.sd, &e) && strstr(e.msg, "symbolic") != NULL);
	CHECK(!scrape_sd_error(t.sd, &e));
	/* nobody sees that the loop is gone but who looks again */
	CHECK(unlink(at("t")) == 0 && rename(at("u"), at("t")) == 0);
	put("t/b.yml", "- targets: [b:1]\n");
	pass(&t, 300000);
	CHECK(know(&t, "t/a.yml:0 a:1|t/b.yml:0 b:1|"));
	CHECK(!scrape_sd_error(t.sd, &e));
	/* gone with its files is another thing */
	CHECK(rename(at("t"), at("u")) == 0);
	pass(&t, 300000);
	CHECK(know(&t, ""));
	test_close(&t);
}

int
main(void)
{
	CHECK(mkdtemp(dir) != NULL);
	life();
	strange();
	swapped();
	replaced();
	relative();
	labels();
	manifest();
	errors();
	unreadable();
	polled();
	(void)nftw(dir, rm, 8, FTW_DEPTH | FTW_PHYS);
	return done();
}
