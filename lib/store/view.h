/*
 * A growing file, mapped for reading: the map is made larger than the file, so
 * that what is appended to it is seen after store_view_stat(), mostly without
 * mapping anew.  Bytes before size may be read; pointers into the map stay
 * good until store_view_close(), since outgrown maps are kept until then.
 * Readers keep no descriptor, so that a store of many days needs none.
 */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include "base/error.h"
#include "base/str.h"

#define STORE_VIEW_OLD 16 /* maps at least double: enough for 64 GiB */

struct store_view {
	int dirfd;     /* the store's, borrowed */
	int fd;        /* a writer's; else -1 */
	char name[32]; /* in the store: "20261122/series.log" */
	const uint8_t *p;
	size_t size;
	size_t mapped;
	uint64_t ino;
	unsigned nold;
	struct {
		const uint8_t *p;
		size_t n;
	} old[STORE_VIEW_OLD];
};

/* 1, 0 if there is no such file and make is false, -1 on error. */
int store_view_open(struct store_view *v, int dirfd, const char *name,
    bool write, bool make, struct error *e);
void store_view_close(struct store_view *v);

/*
 * Take note of the file's size now.  0, or -1; a file that has gone meanwhile
 * is left as it was.
 */
int store_view_stat(struct store_view *v, struct error *e);

/* Is the file still there under its name, and the same? */
bool store_view_current(const struct store_view *v);

/* Write n bytes at off, whole.  0 or -1; size is not touched. */
int store_view_write(const struct store_view *v, const void *p, size_t n,
    uint64_t off, struct error *e);

#endif
