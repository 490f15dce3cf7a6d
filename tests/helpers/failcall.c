/*
 * A library to preload: the N-th call of a kind fails, and the last call that
 * was begun can be read after the process was killed.
 *
 *	FAILCALL=KIND:HOW:N	KIND is a call's name below, or "any"; HOW is
 *		EIO, ENOSPC, EMFILE, ENOMEM: it fails so, that one time;
 *		full: from then on, all that needs room fails with ENOSPC, the
 *		    N-th write writes half of it first;
 *		half: it writes or reads half, that one time;
 *		kill: the process is killed before it
 *	FAILCALL_MAP=FILE	of 256 bytes: "KIND NAME OFFSET SIZE hit\n"; "-"
 *		instead of "hit" as long as nothing was done
 *
 * Built with cc -shared -fPIC.  Standard input, output and error are left
 * alone: the tests read messages.
 */
#define _GNU_SOURCE
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAP 256
#define FILES 256

static const struct {
	const char *name;
	int err;
} hows[] = {
	{ "EIO", EIO },
	{ "ENOSPC", ENOSPC },
	{ "EMFILE", EMFILE },
	{ "ENOMEM", ENOMEM },
};

static char kind[32], how[32], names[FILES][32];
static long left; /* calls until it is done; 0: done */
static int full, half, done;
static char *map;
static int ready;

#define REAL(type, call) type real = (type)(uintptr_t)dlsym(RTLD_NEXT, call)

typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off_t);
typedef ssize_t (*write_fn)(int, const void *, size_t);
typedef ssize_t (*pread_fn)(int, void *, size_t, off_t);
typedef ssize_t (*read_fn)(int, void *, size_t);
typedef int (*fd_fn)(int);
typedef int (*open_fn)(const char *, int, ...);
typedef int (*openat_fn)(int, const char *, int, ...);
typedef int (*rename_fn)(const char *, const char *);
typedef int (*renameat_fn)(int, const char *, int, const char *);
typedef int (*ftruncate_fn)(int, off_t);
typedef int (*fallocate_fn)(int, off_t, off_t);
typedef int (*mkdirat_fn)(int, const char *, mode_t);
typedef int (*mkdir_fn)(const char *, mode_t);
typedef int (*unlinkat_fn)(int, const char *, int);
typedef int (*linkat_fn)(int, const char *, int, const char *, int);
typedef int (*flock_fn)(int, int);
typedef void *(*mmap_fn)(void *, size_t, int, int, int, off_t);

static void
begin(void)
{
	REAL(open_fn, "open");
	mmap_fn real_mmap = (mmap_fn)(uintptr_t)dlsym(RTLD_NEXT, "mmap");
	const char *spec = getenv("FAILCALL"), *file = getenv("FAILCALL_MAP");
	int fd;

	ready = 1;
	if (spec != NULL)
		(void)sscanf(spec, "%31[^:]:%31[^:]:%ld", kind, how, &left);
	fd = file == NULL ? -1 : real(file, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		return;
	map = real_mmap(NULL, MAP, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		map = NULL;
	(void)close(fd);
}

static const char *
base(const char *path)
{
	const char *p = strrchr(path, '/');

	return p == NULL || p[1] == '\0' ? path : p + 1;
}

static void
name(int fd, const char *path)
{
	if (fd >= 0 && fd < FILES)
		(void)snprintf(names[fd], sizeof(names[fd]), "%s", base(path));
}

static const char *
name_of(int fd)
{
	return fd >= 0 && fd < FILES && names[fd][0] != '\0' ? names[fd] : "?";
}

/* A call begins: what is to be done to it?  1: something; errno is set. */
static int
fails(const char *call, const char *file, long long off, size_t n)
{
	int hit = 0, err = 0;

	if (!ready)
		begin();
	if (left > 0 && (strcmp(kind, call) == 0 || strcmp(kind, "any") == 0))
		hit = --left == 0;
	done = done || hit;
	if (map != NULL)
		(void)snprintf(map, MAP, "%s %s %lld %zu %s\n", call,
		    file[0] == '\0' ? "?" : file, off, n, done ? "hit" : "-");
	if (!hit)
		return 0;
	if (strcmp(how, "kill") == 0)
		(void)kill(getpid(), SIGKILL);
	full = strcmp(how, "full") == 0;
	half = strcmp(how, "half") == 0;
	for (size_t i = 0; i < sizeof(hows) / sizeof(*hows); i++)
		if (strcmp(how, hows[i].name) == 0)
			err = hows[i].err;
	if (err != 0)
		errno = err;
	return err != 0;
}

/* Is the disk full? */
static int
no_room(void)
{
	if (full)
		errno = ENOSPC;
	return full;
}

/*
 * How much of n may be done this time.  No file system tears a write but at
 * the end of a page, so what is aligned to 64 (slots) is torn there.
 */
static size_t
some(size_t n, int was_full)
{
	int less = n > 1 && (half || (full && !was_full));

	half = 0;
	if (!less)
		return n;
	return n % 64 == 0 ? n / 128 * 64 : n / 2;
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t off)
{
	REAL(pwrite_fn, "pwrite");
	int was = full;

	if (fails("pwrite", name_of(fd), off, n) || (was && no_room()))
		return -1;
	return real(fd, p, some(n, was), off);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	REAL(write_fn, "write");
	int was = full;

	if (fd <= 2)
		return real(fd, p, n);
	if (fails("write", name_of(fd), 0, n) || (was && no_room()))
		return -1;
	return real(fd, p, some(n, was));
}

ssize_t
pread(int fd, void *p, size_t n, off_t off)
{
	REAL(pread_fn, "pread");

	if (fails("pread", name_of(fd), off, n))
		return -1;
	return real(fd, p, some(n, 1), off);
}

ssize_t
read(int fd, void *p, size_t n)
{
	REAL(read_fn, "read");

	if (fails("read", name_of(fd), 0, n))
		return -1;
	return real(fd, p, some(n, 1));
}

int
fsync(int fd)
{
	REAL(fd_fn, "fsync");

	return fails("fsync", name_of(fd), 0, 0) ? -1 : real(fd);
}

int
fdatasync(int fd)
{
	REAL(fd_fn, "fdatasync");

	return fails("fdatasync", name_of(fd), 0, 0) ? -1 : real(fd);
}

static mode_t
mode_of(int flags, va_list ap)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
}

int
open(const char *path, int flags, ...)
{
	REAL(open_fn, "open");
	va_list ap;
	mode_t mode;
	int fd;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	if (fails("open", base(path), 0, 0) ||
	    (flags & O_CREAT && access(path, F_OK) == -1 && no_room()))
		return -1;
	fd = real(path, flags, mode);
	name(fd, path);
	return fd;
}

int
openat(int dir, const char *path, int flags, ...)
{
	REAL(openat_fn, "openat");
	va_list ap;
	mode_t mode;
	int fd;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	if (fails("openat", base(path), 0, 0) ||
	    (flags & O_CREAT && faccessat(dir, path, F_OK, 0) == -1 &&
		no_room()))
		return -1;
	fd = real(dir, path, flags, mode);
	name(fd, path);
	return fd;
}

int
rename(const char *from, const char *to)
{
	REAL(rename_fn, "rename");

	return fails("rename", base(to), 0, 0) ? -1 : real(from, to);
}

int
renameat(int fd, const char *from, int tofd, const char *to)
{
	REAL(renameat_fn, "renameat");

	return fails("renameat", base(to), 0, 0) ? -1
						 : real(fd, from, tofd, to);
}

int
ftruncate(int fd, off_t n)
{
	REAL(ftruncate_fn, "ftruncate");

	return fails("ftruncate", name_of(fd), n, 0) ? -1 : real(fd, n);
}

int
posix_fallocate(int fd, off_t off, off_t n)
{
	REAL(fallocate_fn, "posix_fallocate");

	if (fails("posix_fallocate", name_of(fd), off, (size_t)n) || no_room())
		return errno;
	return real(fd, off, n);
}

int
mkdirat(int fd, const char *path, mode_t mode)
{
	REAL(mkdirat_fn, "mkdirat");

	if (fails("mkdirat", base(path), 0, 0) ||
	    (faccessat(fd, path, F_OK, 0) == -1 && no_room()))
		return -1;
	return real(fd, path, mode);
}

int
mkdir(const char *path, mode_t mode)
{
	REAL(mkdir_fn, "mkdir");

	if (fails("mkdir", base(path), 0, 0) ||
	    (access(path, F_OK) == -1 && no_room()))
		return -1;
	return real(path, mode);
}

int
unlinkat(int fd, const char *path, int flags)
{
	REAL(unlinkat_fn, "unlinkat");

	return fails("unlinkat", base(path), 0, 0) ? -1 : real(fd, path, flags);
}

int
linkat(int fd, const char *from, int tofd, const char *to, int flags)
{
	REAL(linkat_fn, "linkat");

	return fails("linkat", base(to), 0, 0)
	    ? -1
	    : real(fd, from, tofd, to, flags);
}

int
flock(int fd, int op)
{
	REAL(flock_fn, "flock");

	return fails("flock", op & LOCK_UN ? "unlock" : name_of(fd), 0, 0)
	    ? -1
	    : real(fd, op);
}

void *
mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
	REAL(mmap_fn, "mmap");

	if (fd != -1 && fails("mmap", name_of(fd), off, n))
		return MAP_FAILED;
	return real(at, n, prot, flags, fd, off);
}
