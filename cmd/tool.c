/*
 * The common frame of the six tools.  State here is per process and lives in
 * cmd/, never in lib.
 */
#include "tool.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "base/dur.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"

int tool_verbose;
const char *tool_name = "mf";

static bool journal;
static bool now_fixed;
static int64_t now_given;
static volatile sig_atomic_t stopping, reloading;
static bool progress_shown;
static size_t faults_untold;
static int wake[2] = { -1, -1 };

/*
 * Under systemd stderr is the journal's socket when JOURNAL_STREAM names its
 * device and inode (systemd.exec(5)); then a line carries its priority.
 */
static bool
is_journal(void)
{
	const char *e = getenv("JOURNAL_STREAM");
	struct stat st;
	char want[64];

	if (e == NULL || fstat(STDERR_FILENO, &st) == -1)
		return false;
	(void)snprintf(want, sizeof(want), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	return strcmp(e, want) == 0;
}

/*
 * A standard descriptor that was closed would be taken by the next file that is
 * opened: stdin becomes empty, stderr nothing, and stdout one that can't be
 * written, so that it is noticed.
 */
static void
fill_descriptors(void)
{
	while (fcntl(STDIN_FILENO, F_GETFD) == -1 ||
	    fcntl(STDOUT_FILENO, F_GETFD) == -1)
		if (open("/dev/null", O_RDONLY) == -1)
			return;
	if (fcntl(STDERR_FILENO, F_GETFD) == -1)
		(void)open("/dev/null", O_WRONLY);
}

void
tool_init(const char *name)
{
	tool_name = name;
	fill_descriptors();
	journal = is_journal();
	(void)signal(SIGPIPE, SIG_IGN);
}

/* The line of tool_progress() goes before anything else is said. */
static void
clear_progress(void)
{
	if (progress_shown)
		(void)fputs("\r\033[K", stderr);
	progress_shown = false;
}

void
tool_show(struct buf *b, str s)
{
	while (s.n > 0) {
		size_t n;
		uint32_t r = str_rune(s, &n);

		if (r == 0xfffd && n == 1)
			buf_printf(b, "\\x%02x", (unsigned char)*s.p);
		else if (r < ' ' || (r >= 0x7f && r <= 0x9f))
			buf_printf(b, "\\x%02x", (unsigned)r);
		else
			buf_add(b, str_take(s, n));
		s = str_skip(s, n);
	}
}

/* One write a message, so that the lines of a pipeline's tools do not mix. */
static __attribute__((format(printf, 2, 0))) void
say(int priority, const char *fmt, va_list ap)
{
	struct buf b = { 0 };
	char msg[4096];

	clear_progress();
	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	if (journal)
		buf_printf(&b, "<%d>", priority);
	else
		buf_printf(&b, "%s: ", tool_name);
	for (size_t i = 0; msg[i] != '\0'; i++)
		if (msg[i] == '\n' && msg[i + 1] != '\0')
			msg[i] = ' ';
	tool_show(&b, str_of(msg));
	buf_byte(&b, '\n');
	(void)file_write_fd(STDERR_FILENO, "stderr", buf_str(&b), NULL);
	buf_fini(&b);
}

void
tool_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(4, fmt, ap);
	va_end(ap);
}

void
tool_note(const char *fmt, ...)
{
	va_list ap;

	if (tool_verbose <= 0)
		return;
	va_start(ap, fmt);
	say(6, fmt, ap);
	va_end(ap);
}

void
tool_die(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(3, fmt, ap);
	va_end(ap);
	(void)fflush(stdout);
	/* Not exit(): what others hold is not at its end, only this is. */
	_exit(status);
}

void
tool_help(const char *usage)
{
	(void)fputs(usage, stdout);
	tool_done(TOOL_OK);
}

void
tool_usage(const char *usage)
{
	(void)fprintf(stderr, "%.*s\ntry '%s --help'\n",
	    (int)strcspn(usage, "\n"), usage, tool_name);
	_exit(TOOL_USAGE);
}

void
tool_version(void)
{
	(void)printf("%s %s\n", tool_name, VERSION);
	tool_done(TOOL_OK);
}

static void
tell_untold(void)
{
	size_t n = faults_untold;

	faults_untold = 0;
	if (n > 0)
		tool_warn("%zu more lines like these", n);
}

void
tool_done(int status)
{
	bool bad;

	clear_progress();
	tell_untold();
	bad = fflush(stdout) != 0 || ferror(stdout) != 0;
	if (bad && errno == EPIPE)
		exit(status);
	if (bad || (close(STDOUT_FILENO) == -1 && errno != EBADF)) {
		tool_warn("stdout: %s", strerror(errno));
		exit(status == TOOL_OK ? TOOL_FAILED : status);
	}
	exit(status);
}

void
tool_write(str s)
{
	struct error e;

	if (file_write_fd(STDOUT_FILENO, "stdout", s, &e) == 0)
		return;
	if (errno == EPIPE)
		exit(TOOL_OK);
	tool_die(TOOL_FAILED, "%s", e.msg);
}

void
tool_print(struct buf *b)
{
	tool_write(buf_str(b));
	buf_fini(b);
}

static int64_t
wall(void *arg)
{
	struct timespec ts;

	(void)arg;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
tool_now(void)
{
	return now_fixed ? now_given : wall(NULL);
}

void
tool_set_now(int64_t now)
{
	now_fixed = true;
	now_given = now;
}

bool
tool_now_fixed(void)
{
	return now_fixed;
}

static int64_t
mono(void *arg)
{
	struct timespec ts;

	(void)arg;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static uint64_t
entropy(void *arg)
{
	uint64_t v;

	(void)arg;
	arc4random_buf(&v, sizeof(v));
	return v;
}

void
tool_fault(const char *name, const char *msg)
{
	static int64_t begun;
	static unsigned told;
	int64_t now = mono(NULL);

	if (begun == 0 || now - begun > 1000000000) {
		tell_untold();
		begun = now;
		told = 0;
	}
	if (told++ < 20)
		tool_warn("%s:%s", name, msg);
	else
		faults_untold++;
}

void
tool_progress(const char *name, int fd)
{
	static int64_t next;
	int64_t now = mono(NULL);
	struct stat st;
	off_t at;

	if (next == 0)
		next = now + 1000000000;
	if (now < next || tool_verbose < 0)
		return;
	next = now + 200000000;
	if (!isatty(STDERR_FILENO) || fstat(fd, &st) == -1 ||
	    !S_ISREG(st.st_mode) || st.st_size == 0 ||
	    (at = lseek(fd, 0, SEEK_CUR)) == -1)
		return;
	(void)fprintf(stderr, "\r\033[K%s: %.40s: %.0f%% of %.1f MB", tool_name,
	    name, 100 * (double)at / (double)st.st_size,
	    (double)st.st_size / 1e6);
	progress_shown = true;
}

const struct clock *
tool_clock(void)
{
	static const struct clock clock = { mono, entropy, NULL, wall };

	return &clock;
}

int64_t
tool_time(const char *option, const char *text)
{
	struct error e;
	int64_t t;

	if (date_parse(str_of(text), tool_now(), NULL, &t, &e) == -1)
		tool_die(TOOL_USAGE, "%s: %s", option, e.msg);
	return t;
}

int64_t
tool_dur(const char *option, const char *text)
{
	struct error e;
	int64_t ms;

	if (dur_parse(str_of(text), &ms, &e) == -1)
		tool_die(TOOL_USAGE, "%s: %s", option, e.msg);
	return ms;
}

int64_t
tool_seconds(const char *option, const char *text)
{
	double v;

	if (num_parse(str_of(text), &v) == -1)
		v = (double)tool_dur(option, text) / 1000;
	if (!(v < 9.2e9))
		tool_die(TOOL_USAGE, "%s: duration out of range", option);
	if (v == 0)
		tool_die(TOOL_USAGE, "%s: must not be 0", option);
	if (v < 0.0005)
		tool_die(TOOL_USAGE, "%s: '%s' is less than a millisecond",
		    option, text);
	return (int64_t)(v * 1000 + 0.5);
}

const char *
tool_dir(const char *given)
{
	const char *s;

	if (given != NULL && *given == '\0')
		tool_die(TOOL_USAGE, "-d: the directory's name is empty");
	if (given != NULL)
		return given;
	if ((s = getenv("STATE_DIRECTORY")) != NULL && *s != '\0')
		return s;
	if ((s = getenv("MF_DIR")) != NULL && *s != '\0')
		return s;
	return "mf-data";
}

const char *
tool_path(const char *dir, const char *part, const char *name)
{
	static char *turn[4];
	static size_t at;
	struct buf b = { 0 };

	buf_printf(&b, "%s/%s%s%s", dir, part, *name ? "/" : "", name);
	(void)buf_cstr(&b);
	at = (at + 1) % 4;
	free(turn[at]);
	turn[at] = b.p;
	return turn[at];
}

/*
 * An mf directory is empty, or holds at least one of our parts; anything else
 * is somebody's and is not written into.
 */
void
tool_use(const char *dir)
{
	static const char *const parts[] = { "store", "scrape", "rules",
		"notify" };
	struct dirent *d;
	struct error e;
	bool any = false, ours = false;
	DIR *h = opendir(dir);

	if (h == NULL && errno == ENOENT) {
		if (file_mkdir(dir, &e) == -1)
			tool_die(TOOL_FAILED,
			    "%s (the mf directory: -d names another)", e.msg);
		return;
	}
	if (h == NULL)
		tool_die(TOOL_FAILED, "%s: %s", dir, strerror(errno));
	while ((d = readdir(h)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		any = true;
		for (size_t i = 0; i < 4; i++)
			if (strcmp(d->d_name, parts[i]) == 0)
				ours = true;
	}
	(void)closedir(h);
	if (any && !ours)
		tool_die(TOOL_FAILED,
		    "%s: not an mf directory (it is not empty and has no "
		    "store, scrape, rules or notify in it)",
		    dir);
}

void
tool_own(const char *dir, const char *part)
{
	struct error e;

	tool_use(dir);
	if (file_mkdir(tool_path(dir, part, ""), &e) == -1 ||
	    file_lock(tool_path(dir, part, "lock"), false, &e) == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
}

static const char *
environment(const char *name)
{
	return getenv(name);
}

static struct conf_opts conf_opts = { .env = environment };

struct conf_opts *
tool_conf_opts(void)
{
	return &conf_opts;
}

void
tool_conf_set(const char *name_value)
{
	static const char **v;
	static size_t cap;
	const char *eq = strchr(name_value, '=');

	if (eq == NULL || eq == name_value)
		tool_die(
		    TOOL_USAGE, "--set: '%s' is not NAME=VALUE", name_value);
	v = mem_grow(v, &cap, conf_opts.nset + 1, sizeof(*v));
	v[conf_opts.nset++] = name_value;
	conf_opts.set = v;
}

void
tool_conf_env(void)
{
	conf_opts.env_on = true;
}

static void
on_signal(int sig)
{
	int saved = errno;

	if (sig == SIGHUP)
		reloading = 1;
	else
		stopping = 1;
	(void)!write(wake[1], "", 1);
	errno = saved;
}

void
tool_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) == -1)
		tool_die(TOOL_FAILED, "pipe: %s", strerror(errno));
	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGHUP, &sa, NULL);
}

/* Empty the pipe, so that it wakes once for what has been seen. */
static void
drain(void)
{
	char c[64];

	while (wake[0] != -1 && read(wake[0], c, sizeof(c)) > 0)
		;
}

bool
tool_stopping(void)
{
	return stopping != 0;
}

bool
tool_reloading(void)
{
	if (!reloading)
		return false;
	reloading = 0;
	if (!stopping)
		drain();
	return true;
}

int
tool_wake_fd(void)
{
	return wake[0];
}
