/*
 * Compaction: what it removes and what not; and killed before any of its
 * system calls, it leaves a store that says the same.  Covers thin.c.
 */
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <signal.h>

#include "check.h"
#include "store-help.h"

#define T0 INT64_C(1637582400000) /* noon */
#define DAY INT64_C(86400000)

static void
report(void *arg, const char *msg)
{
	(void)arg;
	printf("# %s\n", msg);
}

static struct store_compact
compact_with(const char *path, struct store_compact c)
{
	struct store *s = help_open(path, STORE_WRITE);
	struct error e;

	c.report = report;
	if (store_compact(s, &c, &e) == -1)
		errx(1, "%s", e.msg);
	store_close(s);
	return c;
}

static struct store_compact
compact(const char *path, int64_t now, bool seal)
{
	return compact_with(
	    path, (struct store_compact){ .now = now, .seal = seal });
}

static size_t
problems(const char *path)
{
	struct store *s = help_open(path, STORE_READ);
	struct error e;
	size_t n = 0;

	n = (size_t)store_check(s, report, NULL, &e);
	store_close(s);
	return n;
}

static void
rounds(const char *path, int64_t t, int n)
{
	struct store *s = help_open(path, STORE_WRITE);
	struct buf b = { NULL, 0, 0 };

	for (int i = 0; i < n; i++, t += 15000)
		buf_printf(&b,
		    "# BATCH {job=\"a\"} %lld\nup{job=\"a\"} 1\nx{job=\"a\"} "
		    "%d.5\n%s# EOF\n"
		    "# BATCH {job=\"b\"} %lld\nup{job=\"b\"} 1\ny{job=\"b\"} "
		    "%d\n# EOF\n"
		    "# BATCH {job=\"c\"} %lld\nz{job=\"c\"} 7 %lld\n"
		    "w{job=\"c\"} 8 %lld\n# EXEMPLAR z{job=\"c\"} {i=\"1\"} 7 "
		    "%lld\n# EOF\n",
		    (long long)t, i, i == 3 ? "# STALE x{job=\"a\"}\n" : "",
		    (long long)t, i * 100, (long long)t, (long long)t - 500,
		    (long long)t - 700, (long long)t - 500);
	help_put(s, buf_cstr(&b), NULL);
	buf_fini(&b);
	store_close(s);
}

static bool
is(const char *cmd)
{
	return system(cmd) == 0;
}

/* When is what is open shut? */
static void
when(void)
{
	rounds("w", T0, 20);
	CHECK(compact("w", T0 + 20 * 60000, false).parts == 0);
	CHECK(compact("w", T0 + 40 * 60000, false).parts == 1);
	CHECK(is("ls w/20211122 | grep -qx 000001-000001.part"));
	CHECK(is("! test -e w/20211122/000001.seg"));
	/* A writer goes on behind it, from the number after. */
	rounds("w", T0 + 3600000, 20);
	CHECK(is("test -e w/20211122/000002.seg"));
	CHECK(compact("w", T0 + 3600000, false).parts == 0);
	CHECK(compact("w", T0 + 3600000, true).parts == 1);
	CHECK(is("ls w/20211122 | grep -qx 000001-000002.part"));
	CHECK(problems("w") == 0);
	CHECK(compact("w", T0 + 3600000, true).parts == 0);
	/* A day that is over needs no hash; a late sample makes it again. */
	CHECK(is("test -e w/20211122/series.hash"));
	compact("w", T0 + DAY, false);
	CHECK(is("! test -e w/20211122/series.hash"));
	rounds("w", T0 - 3600000, 2);
	CHECK(is("test -e w/20211122/000003.seg"));
	CHECK(compact("w", T0 + DAY, false).parts == 1);
	CHECK(problems("w") == 0);
	/* What was there when something died is swept away. */
	help_run("touch w/20211122/part.tmp; mkdir w/20200101.tmp; "
		 "touch w/20200101.tmp/x");
	compact("w", T0 + DAY, false);
	CHECK(is("! ls w/20211122/*.tmp w/20200101.tmp 2>/dev/null"));
}

static bool
has(const char *path, const char *text)
{
	struct buf b = help_select(path);
	bool there = str_find(buf_str(&b), str_of(text)) < b.n;

	buf_fini(&b);
	return there;
}

static void
retention(void)
{
	struct match m;
	struct error e;
	struct store_keep rule = { .m = &m, .nm = 1, .dur = 2 * DAY };
	struct store_compact c = { .keep = 5 * DAY, .rule = &rule, .nrule = 1 };

	if (match_init(&m, MATCH_EQ, STR("job"), STR("a"), &e) == -1)
		errx(1, "%s", e.msg);
	rounds("r", T0, 5);
	rounds("r", T0 + DAY, 5);
	rounds("r", T0 + 10 * DAY, 5);
	/* 2 days and a half after the first day's end, less of the second. */
	c.now = T0 + 2 * DAY + DAY / 2 + 3600000;
	compact_with("r", c);
	CHECK(!has("r", "x{job=\"a\"} 0.5 1637582400000"));
	CHECK(has("r", "# BATCH {job=\"b\"} 1637582400000"));
	CHECK(has("r", "x{job=\"a\"} 0.5 1637668800000"));
	CHECK(has("r", "# EXEMPLAR z{job=\"c\"}"));
	CHECK(problems("r") == 0);
	/* It is not done twice. */
	CHECK(compact_with("r", c).parts == 0);
	/* Longer than all others: the day stays for its sake. */
	rule.dur = 90 * DAY;
	c.now = T0 + 8 * DAY;
	compact_with("r", c);
	CHECK(has("r", "x{job=\"a\"} 0.5 1637668800000"));
	CHECK(!has("r", "y{job=\"b\"} 0 1637668800000"));
	CHECK(has("r", "y{job=\"b\"} 0 1638446400000"));
	CHECK(problems("r") == 0);
	/* The first day had nothing left of job a, and went. */
	CHECK(is("test -d r/20211123"));
	c.now = T0 + 200 * DAY;
	CHECK(compact_with("r", c).removed > 0);
	CHECK(is("! ls -d r/2021* 2>/dev/null"));
	/* By size: the newest day stays. */
	rounds("r", T0, 5);
	rounds("r", T0 + DAY, 5);
	rounds("r", T0 + 2 * DAY, 5);
	c = (struct store_compact){ .now = T0 + 3 * DAY, .max_size = 1 };
	CHECK(compact_with("r", c).removed == 2);
	CHECK(is("test \"$(ls -d r/2021*)\" = r/20211124"));
	match_fini(&m);
}

/* Lines of the text that do not have what. */
static struct buf
without(struct buf in, const char *what, const char *also)
{
	struct buf b = { NULL, 0, 0 };
	str text = buf_str(&in);

	while (text.n > 0) {
		str l = str_cut(&text, '\n');

		if (l.p[0] != '#' && str_find(l, str_of(what)) < l.n &&
		    str_find(l, str_of(also)) < l.n)
			continue;
		buf_add(&b, l);
		buf_byte(&b, '\n');
	}
	buf_fini(&in);
	return b;
}

static void
deletion(void)
{
	struct store_compact c = { .report = report };
	struct buf want, got;
	struct store *s;
	struct match m;
	struct error e;

	rounds("x", T0, 30);
	compact("x", T0, true);
	rounds("x", T0 + 30 * 15000, 10);
	want = without(help_select("x"), "up{", " ");
	/* One time of one more, in the middle. */
	want = without(want, "y{", " 1637582700000");
	s = help_open("x", STORE_WRITE);
	if (match_init(&m, MATCH_EQ, LABEL_NAME, STR("up"), &e) == -1)
		errx(1, "%s", e.msg);
	CHECK(store_delete(s, &m, 1, INT64_MIN, INT64_MAX, &c, &e) == 0);
	match_fini(&m);
	if (match_init(&m, MATCH_EQ, LABEL_NAME, STR("y"), &e) == -1)
		errx(1, "%s", e.msg);
	CHECK(store_delete(
		  s, &m, 1, T0 + 20 * 15000, T0 + 20 * 15000, &c, &e) == 0);
	match_fini(&m);
	store_close(s);
	got = help_select("x");
	/* The batch of y alone is not there without it. */
	CHECK(got.n < want.n && want.n - got.n < 64);
	CHECK(!has("x", "up{") && !has("x", "y{job=\"b\"} 2000 "));
	CHECK(has("x", "y{job=\"b\"} 1900 ") && has("x", "z{job=\"c\"} 7"));
	CHECK(problems("x") == 0);
	buf_fini(&want);
	buf_fini(&got);
}

/*
 * A child that compacts, killed when it is about to make its nth system call;
 * true if it came to its end before.
 */
static bool
killed_at(long n, bool *refused)
{
	pid_t pid;
	int st;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
			_exit(9);
		raise(SIGSTOP);
		compact("k", T0 + 2 * DAY, true);
		_exit(0);
	}
	if (pid == -1 || waitpid(pid, &st, 0) != pid)
		err(1, "fork");
	*refused = WIFEXITED(st);
	for (long i = 0; i < 2 * n && WIFSTOPPED(st); i++)
		if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == -1 ||
		    waitpid(pid, &st, 0) != pid)
			err(1, "ptrace");
	if (WIFEXITED(st))
		return true;
	kill(pid, SIGKILL);
	waitpid(pid, &st, 0);
	return false;
}

static void
kills(void)
{
	static const char late[] = "# BATCH {job=\"a\"} 1637589600000\n"
				   "up{job=\"a\"} 0 1637589600000\n# EOF\n";
	struct buf want;
	int bad = 0, died = 0;
	bool end = false, refused = false;

	rounds("k0", T0, 10);
	compact("k0", T0, true);
	rounds("k0", T0 + 3600000, 6);
	want = help_select("k0");
	for (long n = 1; !end && !refused; n++) {
		struct buf b;

		help_run("rm -rf k; cp -r k0 k");
		end = killed_at(n, &refused);
		died += !end;
		b = help_select("k");
		bad += !str_eq(buf_str(&b), buf_str(&want));
		buf_fini(&b);
		bad += problems("k") != 0;
		/* A writer, then another one that compacts to the end. */
		if (n % 5 == 0)
			help_append("k", late);
		if (n % 3 != 0)
			continue;
		compact("k", T0 + 2 * DAY, true);
		b = help_select("k");
		bad += !str_starts(buf_str(&b), buf_str(&want));
		buf_fini(&b);
		bad += problems("k") != 0;
		bad += !is("! ls k/2*/*.tmp k/2*/*.seg 2>/dev/null");
	}
	printf("# killed %d times%s\n", died,
	    refused ? ": ptrace is refused here" : "");
	CHECK(bad == 0);
	CHECK(refused || died > 20);
	buf_fini(&want);
}

/* Only one at a time; and one that reads keeps what it reads. */
static void
at_once(void)
{
	struct source_query q = { .from = INT64_MIN, .to = INT64_MAX };
	struct source_series one;
	struct source_cursor *c;
	struct store *r, *w;
	struct source src;
	struct error e;
	size_t n = 0;

	rounds("o", T0, 50);
	r = help_open("o", STORE_READ);
	src = store_source(r);
	c = source_open(&src, &q, &e);
	CHECK(source_next(&src, c, &one, &e) == 1);
	compact("o", T0, true);
	w = help_open("o", STORE_WRITE);
	help_put(w, "up{job=\"a\"} 1 1637596800000\n", NULL);
	compact("o", T0, true);
	while (source_next(&src, c, &one, &e) == 1)
		n += one.n;
	CHECK(n == 50 * 5);
	source_close(&src, c);
	/* The next one sees what there is now. */
	c = source_open(&src, &q, &e);
	n = 0;
	while (source_next(&src, c, &one, &e) == 1)
		n += one.n;
	CHECK(n == 50 * 6 + 1);
	source_close(&src, c);
	store_close(r);
	/* A writer that stays, through all of it. */
	help_put(w, "up{job=\"a\"} 1 1637596801000\n", NULL);
	compact("o", T0, true);
	help_put(w, "up{job=\"a\"} 1 1637596801000\n", NULL);
	help_put(w, "up{job=\"a\"} 1 1637596802000\n", NULL);
	store_close(w);
	CHECK(problems("o") == 0);
	CHECK(has("o", "1637596801000\n") && has("o", "1637596802000\n"));
}

int
main(void)
{
	help_begin();
	when();
	retention();
	deletion();
	kills();
	at_once();
	help_end();
	return done();
}
