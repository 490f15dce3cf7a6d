/*
 * Files that are mapped while they grow.
 */
#include "store/view.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What is mapped beyond the end of the file, at least. */
#define AHEAD ((size_t)1 << 20)

static int
map(struct store_view *v, int fd, const struct stat *st, struct error *e)
{
	size_t n = (size_t)st->st_size;
	size_t want = (2 * n + AHEAD) & ~(AHEAD - 1);
	void *p;

	if (v->p != NULL && v->nold == STORE_VIEW_OLD)
		return error_set(e, "%s: grows too large", v->name);
	p = mmap(NULL, want, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return error_errno(e, "%s: mmap", v->name);
	if (v->p != NULL) {
		v->old[v->nold].p = v->p;
		v->old[v->nold++].n = v->mapped;
	}
	v->p = p;
	v->mapped = want;
	v->size = n;
	v->ino = (uint64_t)st->st_ino;
	return 0;
}

static int
open_map(struct store_view *v, int flags, struct error *e)
{
	struct stat st;
	int fd =
	    openat(v->dirfd, v->name, flags | O_CLOEXEC | O_NONBLOCK, 0666);
	int rc = -1;

	if (fd == -1)
		return errno == ENOENT ? 0 : error_errno(e, "%s", v->name);
	if (fstat(fd, &st) == -1)
		error_errno(e, "%s", v->name);
	else if (!S_ISREG(st.st_mode))
		error_set(e, "%s: not a file", v->name);
	else if (v->p == NULL || (uint64_t)st.st_ino == v->ino)
		rc = map(v, fd, &st, e) == -1 ? -1 : 1;
	else
		rc = 0; /* another file by now; ours is as it was */
	if (rc == 1 && (flags & O_ACCMODE) == O_RDWR)
		v->fd = fd;
	else
		close(fd);
	return rc;
}

int
store_view_open(struct store_view *v, int dirfd, const char *name, bool write,
    bool make, struct error *e)
{
	memset(v, 0, sizeof(*v));
	v->dirfd = dirfd;
	v->fd = -1;
	strlcpy(v->name, name, sizeof(v->name));
	return open_map(
	    v, (write ? O_RDWR : O_RDONLY) | (make ? O_CREAT : 0), e);
}

static void
unmap(const uint8_t *p, size_t n)
{
	munmap((void *)(uintptr_t)p, n);
}

void
store_view_close(struct store_view *v)
{
	while (v->nold > 0) {
		v->nold--;
		unmap(v->old[v->nold].p, v->old[v->nold].n);
	}
	if (v->p != NULL) {
		unmap(v->p, v->mapped);
		if (v->fd != -1)
			close(v->fd);
	}
	v->fd = -1;
	v->p = NULL;
	v->size = v->mapped = 0;
}

int
store_view_stat(struct store_view *v, struct error *e)
{
	struct stat st;
	int r = v->fd != -1 ? fstat(v->fd, &st)
			    : fstatat(v->dirfd, v->name, &st, 0);

	if (r == -1)
		return errno == ENOENT ? 0 : error_errno(e, "%s", v->name);
	if ((uint64_t)st.st_ino != v->ino)
		return 0;
	if ((size_t)st.st_size <= v->mapped) {
		v->size = (size_t)st.st_size;
		return 0;
	}
	if (v->fd != -1)
		return map(v, v->fd, &st, e);
	return open_map(v, O_RDONLY, e) == -1 ? -1 : 0;
}

bool
store_view_current(const struct store_view *v)
{
	struct stat st;

	return fstatat(v->dirfd, v->name, &st, 0) == 0 &&
	    (uint64_t)st.st_ino == v->ino;
}

int
store_view_write(const struct store_view *v, const void *p, size_t n,
    uint64_t off, struct error *e)
{
	const char *q = p;

	while (n > 0) {
		ssize_t k = pwrite(v->fd, q, n, (off_t)off);

		if (k == -1 && errno == EINTR)
			continue;
		if (k == -1)
			return error_errno(e, "%s", v->name);
		q += k;
		off += (uint64_t)k;
		n -= (size_t)k;
	}
	return 0;
}
