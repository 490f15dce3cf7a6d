/*
 * Files: whole reads, atomic replacement, locks, directories, and whole lines
 * from a descriptor.  Paths are C strings; messages name the path.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/* Add the whole of a file (or of fd) to b.  Missing: -1 with errno ENOENT. */
int file_read(const char *path, struct buf *b, struct error *e);
int file_read_fd(int fd, const char *name, struct buf *b, struct error *e);

/* Write all of s; partial writes and EINTR are gone on with. */
int file_write_fd(int fd, const char *name, str s, struct error *e);

/*
 * Replace path by s: written beside it, fsync'd, renamed, and the directory
 * synced.  A reader sees the old text or the new, never part of one.
 */
int file_replace(const char *path, str s, mode_t mode, struct error *e);

/* Make path and what is missing above it, mode 0777 less umask. */
int file_mkdir(const char *path, struct error *e);

/*
 * Lock path (made if missing) for this process; the descriptor holds it until
 * it is closed or the process ends.  With wait false a lock held elsewhere is
 * -1 and the message "PATH: held by process PID", as written there by its
 * owner.  The pid is written into the file.
 */
int file_lock(const char *path, bool wait, struct error *e);

/*
 * Whole lines from a descriptor in blocks as large as they come: file_lines()
 * reads once (blocking as the descriptor does) and hands out all complete
 * lines that are there, ends included; at end of input also a last line
 * without its end.  1 with *out set (valid until the next call), 0 at end of
 * input, 2 if it would block or no line is complete yet, -1 on error or when a
 * line is longer than max.
 */
struct file_lines {
	int fd;
	size_t max; /* longest line, bytes; 0: 64 MiB */
	struct buf buf;
	size_t done; /* bytes of buf handed out */
	bool eof;
};

void file_lines_init(struct file_lines *l, int fd);
void file_lines_fini(struct file_lines *l);
int file_lines_next(struct file_lines *l, str *out, struct error *e);

#endif
