/*
 * Files as every tool treats them.  What is replaced is replaced by rename,
 * so a kill at any instruction leaves the old text or the new one.
 */
#include "base/file.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK ((size_t)65536)
#define LINE_MAX_DEFAULT ((size_t)64 << 20)

/* Read at most n bytes to the end of b: bytes, 0 at the end, -1. */
static ssize_t
more(int fd, struct buf *b, size_t n)
{
	ssize_t r;

	do
		r = read(fd, buf_reserve(b, n), n);
	while (r == -1 && errno == EINTR);
	if (r > 0)
		b->n += (size_t)r;
	return r;
}

int
file_read_fd(int fd, const char *name, struct buf *b, struct error *e)
{
	struct stat st;
	size_t block = BLOCK;
	ssize_t r;

	/* One byte more than the size, so that the next read is the end. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		block = (size_t)st.st_size + 1;
	while ((r = more(fd, b, block)) > 0)
		if ((size_t)r < block)
			block = BLOCK;
	return r == 0 ? 0 : error_errno(e, "%s", name);
}

int
file_read(const char *path, struct buf *b, struct error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc, saved;

	if (fd == -1)
		return error_errno(e, "%s", path);
	rc = file_read_fd(fd, path, b, e);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return rc;
}

int
file_write_fd(int fd, const char *name, str s, struct error *e)
{
	ssize_t w;

	while (s.n > 0) {
		w = write(fd, s.p, s.n);
		if (w == -1 && errno == EINTR)
			continue;
		if (w == -1)
			return error_errno(e, "%s", name);
		s = str_skip(s, (size_t)w);
	}
	return 0;
}

/* The directory path stands in, as a C string in dir. */
static int
parent(const char *path, char *dir, size_t n, struct error *e)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 1 : (size_t)(slash - path);

	if (slash == path)
		len = 1;
	if (len >= n) {
		errno = ENAMETOOLONG;
		return error_errno(e, "%s", path);
	}
	memcpy(dir, slash == NULL ? "." : path, len);
	dir[len] = '\0';
	return 0;
}

static int
sync_dir(const char *path, struct error *e)
{
	char dir[PATH_MAX];
	int fd, rc = 0;

	if (parent(path, dir, sizeof(dir), e) == -1)
		return -1;
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return error_errno(e, "%s", dir);
	/* Some file systems cannot sync a directory; none of them loses it. */
	if (fsync(fd) == -1 && errno != EINVAL && errno != EROFS)
		rc = error_errno(e, "%s", dir);
	(void)close(fd);
	return rc;
}

int
file_replace(const char *path, str s, mode_t mode, struct error *e)
{
	char tmp[PATH_MAX];
	int fd, n, rc = -1;

	n = snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof(tmp)) {
		errno = ENAMETOOLONG;
		return error_errno(e, "%s", path);
	}
	if ((fd = mkostemp(tmp, O_CLOEXEC)) == -1)
		return error_errno(e, "%s", path);
	if (file_write_fd(fd, path, s, e) == -1)
		goto out;
	if (fchmod(fd, mode) == -1 || fsync(fd) == -1) {
		(void)error_errno(e, "%s", path);
		goto out;
	}
	if (rename(tmp, path) == -1) {
		(void)error_errno(e, "%s", path);
		goto out;
	}
	tmp[0] = '\0';
	rc = sync_dir(path, e);
out:
	(void)close(fd);
	if (tmp[0] != '\0')
		(void)unlink(tmp);
	return rc;
}

int
file_mkdir(const char *path, struct error *e)
{
	char part[PATH_MAX];
	struct stat st;
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(part)) {
		errno = n == 0 ? ENOENT : ENAMETOOLONG;
		return error_errno(e, "%s", path);
	}
	memcpy(part, path, n + 1);
	for (size_t i = 1; i <= n; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, 0777) == -1 && errno != EEXIST) {
			int why = errno;

			if (stat(part, &st) == -1) {
				errno = why;
				return error_errno(e, "%s", part);
			}
		}
		part[i] = path[i];
	}
	if (stat(path, &st) == -1)
		return error_errno(e, "%s", path);
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return error_errno(e, "%s", path);
	}
	return 0;
}

/* Is fd still the file that stands at path (nobody replaced it)? */
static bool
same(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int
held(int fd, const char *path, struct error *e)
{
	char pid[32];
	ssize_t n = pread(fd, pid, sizeof(pid), 0);
	size_t len = 0;

	while (n > 0 && len < (size_t)n && pid[len] >= '0' && pid[len] <= '9')
		len++;
	if (len == 0)
		return error_set(e, "%s: held by another process", path);
	return error_set(e, "%s: held by process %.*s", path, (int)len, pid);
}

int
file_lock(const char *path, bool wait, struct error *e)
{
	char pid[32];
	int fd, r, n;

	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
		if (fd == -1)
			return error_errno(e, "%s", path);
		do
			r = flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB));
		while (r == -1 && errno == EINTR);
		if (r == -1 && errno == EWOULDBLOCK)
			(void)held(fd, path, e);
		else if (r == -1)
			(void)error_errno(e, "%s", path);
		else if (same(fd, path))
			break;
		(void)close(fd);
		if (r == -1)
			return -1;
	}
	n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) == -1 || pwrite(fd, pid, (size_t)n, 0) != n) {
		(void)error_errno(e, "%s", path);
		(void)close(fd);
		return -1;
	}
	return fd;
}

void
file_lines_init(struct file_lines *l, int fd)
{
	*l = (struct file_lines){ .fd = fd };
}

void
file_lines_fini(struct file_lines *l)
{
	buf_fini(&l->buf);
	l->done = 0;
}

int
file_lines_next(struct file_lines *l, str *out, struct error *e)
{
	size_t max = l->max ? l->max : LINE_MAX_DEFAULT, old;
	const char *nl;
	ssize_t r;

	buf_drop(&l->buf, l->done);
	l->done = 0;
	*out = STR_NONE;
	if (!l->eof) {
		old = l->buf.n;
		r = more(l->fd, &l->buf, BLOCK);
		if (r == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 2;
		if (r == -1)
			return error_errno(e, "read");
		l->eof = r == 0;
		nl = r == 0 ? NULL : memrchr(l->buf.p + old, '\n', (size_t)r);
		if (nl != NULL)
			l->done = (size_t)(nl + 1 - l->buf.p);
		else if (l->buf.n > max)
			return error_set(e, "line longer than %zu bytes", max);
	}
	if (l->eof)
		l->done = l->buf.n;
	if (l->done == 0)
		return l->eof ? 0 : 2;
	*out = (str){ l->buf.p, l->done };
	return 1;
}
