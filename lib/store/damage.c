/*
 * A few names, in the order they came (tests/unit/store-damage.c).
 */
#include "store/damage.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/dir.h"

void
store_damage_note(struct store_damage *d, const char *name)
{
	if (d == NULL || d->n == STORE_DAMAGE_FILES)
		return;
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->name[i], name) == 0)
			return;
	strlcpy(d->name[d->n++], name, sizeof(d->name[0]));
}

/* Is it still what it was? */
static void
settle(struct store_damage *d)
{
	struct store_suspect *x = &d->suspect;
	uint8_t now[sizeof(x->bytes)];
	int fd;

	if (x->name[0] == '\0')
		return;
	fd = openat(x->dirfd, x->name, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		if (pread(fd, now, x->n, (off_t)x->off) == (ssize_t)x->n &&
		    memcmp(now, x->bytes, x->n) == 0)
			store_damage_note(d, x->name);
		close(fd);
	}
	x->name[0] = '\0';
}

void
store_damage_suspect(struct store_damage *d, int dirfd, const char *name,
    uint64_t off, const void *bytes, size_t n)
{
	struct store_suspect *x;

	if (d == NULL)
		return;
	x = &d->suspect;
	if (strcmp(x->name, name) == 0 && x->off == off && x->n == n &&
	    memcmp(x->bytes, bytes, n) == 0)
		return;
	settle(d);
	strlcpy(x->name, name, sizeof(x->name));
	x->dirfd = dirfd;
	x->off = off;
	x->n = n;
	memcpy(x->bytes, bytes, n);
}

const char *
store_damaged(struct store *s)
{
	struct store_damage *d = &s->damage;

	settle(d);
	return d->told < d->n ? d->name[d->told++] : NULL;
}

void
store_aside_name(int dirfd, const char *name, char to[64])
{
	snprintf(to, 64, "%s.damaged", name);
	for (int i = 1; faccessat(dirfd, to, F_OK, 0) == 0 && i < 1000; i++)
		snprintf(to, 64, "%s.damaged%d", name, i);
}

int
store_set_aside(int dirfd, const char *name, char to[64], struct error *e)
{
	store_aside_name(dirfd, name, to);
	return renameat(dirfd, name, dirfd, to) == -1 ? error_errno(e, "%s", to)
						      : 0;
}
