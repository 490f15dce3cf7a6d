/* base/file. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

#include "base/file.h"

static char dir[] = "/tmp/mf-file-XXXXXX";
static struct error e;

static const char *
path(const char *name)
{
	static char p[4][256];
	static int turn;
	char *q = p[turn++ & 3];

	(void)snprintf(q, sizeof(p[0]), "%s/%s", dir, name);
	return q;
}

static void
replace(void)
{
	struct buf b = { 0 };
	struct stat st;

	CHECK(file_replace(path("a"), STR("one\n"), 0600, &e) == 0);
	CHECK(file_replace(path("a"), STR("two\n"), 0644, &e) == 0);
	CHECK(file_read(path("a"), &b, &e) == 0);
	CHECK_STR(buf_str(&b), "two\n");
	CHECK(stat(path("a"), &st) == 0 && (st.st_mode & 0777) == 0644);
	CHECK(file_read(path("none"), &b, &e) == -1 && errno == ENOENT);
	CHECK(strstr(e.msg, "none: No such file") != NULL);
	CHECK(file_replace(path("no/b"), STR("x"), 0644, &e) == -1);
	/* nothing is left behind when the rename fails */
	CHECK(mkdir(path("d"), 0777) == 0);
	CHECK(file_replace(path("d"), STR("x"), 0644, &e) == -1);
	buf_reset(&b);
	CHECK(file_read("/proc/self/stat", &b, &e) == 0 && b.n > 0);
	CHECK(file_read(dir, &b, &e) == -1 && errno == EISDIR);
	buf_fini(&b);
}

static void
dirs(void)
{
	CHECK(file_mkdir(path("x/y/z"), &e) == 0);
	CHECK(file_mkdir(path("x/y/z/"), &e) == 0);
	CHECK(file_mkdir(path("a"), &e) == -1);
	CHECK(file_mkdir(path("a/b"), &e) == -1);
	CHECK(file_mkdir("", &e) == -1);
	CHECK(file_mkdir("/", &e) == 0);
}

static void
locks(void)
{
	int fd = file_lock(path("lock"), false, &e), status = 0;
	char want[64];
	pid_t pid;

	(void)snprintf(
	    want, sizeof(want), "held by process %ld", (long)getpid());
	CHECK(fd >= 0);
	(void)fflush(stdout);
	if ((pid = fork()) == 0)
		_exit(file_lock(path("lock"), false, &e) == -1 &&
			    strstr(e.msg, want) != NULL
			? 7
			: 8);
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
	(void)close(fd);
	CHECK((fd = file_lock(path("lock"), true, &e)) >= 0);
	(void)close(fd);
	CHECK(file_lock(path("no/lock"), false, &e) == -1);
}

static void
put(int fd, const char *s)
{
	CHECK(file_write_fd(fd, "pipe", str_of(s), &e) == 0);
}

static void
lines(void)
{
	struct file_lines l;
	int p[2];
	str s;

	CHECK(pipe2(p, O_NONBLOCK) == 0);
	file_lines_init(&l, p[0]);
	CHECK(file_lines_next(&l, &s, &e) == 2);
	put(p[1], "one\ntwo\nthr");
	CHECK(file_lines_next(&l, &s, &e) == 1);
	CHECK_STR(s, "one\ntwo\n");
	CHECK(file_lines_next(&l, &s, &e) == 2);
	put(p[1], "ee");
	CHECK(file_lines_next(&l, &s, &e) == 2);
	put(p[1], "\nend");
	CHECK(file_lines_next(&l, &s, &e) == 1);
	CHECK_STR(s, "three\n");
	(void)close(p[1]);
	CHECK(file_lines_next(&l, &s, &e) == 1);
	CHECK_STR(s, "end");
	CHECK(file_lines_next(&l, &s, &e) == 0);
	CHECK(file_lines_next(&l, &s, &e) == 0);
	(void)close(p[0]);
	file_lines_fini(&l);

	CHECK(pipe2(p, O_NONBLOCK) == 0);
	file_lines_init(&l, p[0]);
	l.max = 4;
	put(p[1], "abcdef");
	CHECK(file_lines_next(&l, &s, &e) == -1);
	CHECK(strstr(e.msg, "longer than 4 bytes") != NULL);
	(void)close(p[0]);
	(void)close(p[1]);
	file_lines_fini(&l);
}

static void
full(void)
{
	int fd = open("/dev/full", O_WRONLY);

	CHECK(file_write_fd(fd, "full", STR("x"), &e) == -1);
	CHECK(strstr(e.msg, "full: No space left") != NULL);
	(void)close(fd);
}

int
main(void)
{
	char cmd[64];

	if (mkdtemp(dir) == NULL)
		return 1;
	replace();
	dirs();
	locks();
	lines();
	full();
	/* no temporary file stays */
	(void)snprintf(cmd, sizeof(cmd), "ls %s | grep -q [.]", dir);
	CHECK(system(cmd) != 0);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	CHECK(system(cmd) == 0);
	return done();
}
