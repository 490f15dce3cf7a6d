/*
 * Any bytes in what a store derives and may lose: series.hash and the caches
 * of pages.  Whatever they say, a writer stores what it is given, and a reader
 * has it.
 *
 * The input is patches, each a byte of place (which file, and the high bits of
 * the offset), one of offset, one of value; the checksum of a cache is made
 * right again.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "metric/batch.h"
#include "store/format.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char first[] = "# BATCH {job=\"a\"} 1637582400000\n"
			    "# TYPE a counter\n"
			    "a{x=\"1\"} 1 1637582400000\n"
			    "a{x=\"2\"} 2 1637582400000\n"
			    "bb 3 1637582400000\n# EOF\n";
static const char second[] = "# BATCH {job=\"a\"} 1637582401000\n"
			     "# TYPE a counter\n"
			     "a{x=\"1\"} 4 1637582401000\n"
			     "a{x=\"2\"} 5 1637582401000\n"
			     "bb 6 1637582401000\n# EOF\n";
static const char third[] = "# BATCH {job=\"a\"} 1637582402000\n"
			    "a{x=\"1\"} 7 1637582402000\n"
			    "new{x=\"2\"} 8 1637582402000\n"
			    "bb 9 1637582402000\n# EOF\n";

static int
collect(void *arg, str s)
{
	buf_add(arg, s);
	return 0;
}

/* The short way: 1 stored, 0 nothing has been done, -1. */
static int
quick(struct store *s, const char *text, const struct store_opts *o,
    struct store_counts *n)
{
	struct buf back = { 0 };
	struct error e;
	str t = str_of(text);
	size_t lines;
	int k = store_text_take(s, &t, o, n, &lines, &back, &e);

	/* What comes back is looked at in tests/unit/store-text.c. */
	if (k == 2)
		k = store_text_back(s, &back, &e);
	buf_fini(&back);
	return k;
}

static void
append(const char *dir, const char *text, bool as_text)
{
	struct batch_reader *r = batch_new(EXPO_MF, 0, false, NULL, NULL);
	struct store_opts o = { 0 };
	struct store_counts n = { 0 };
	struct error e;
	struct store *s = store_open(dir, STORE_WRITE, &e);
	struct batch b;
	int k = s == NULL ? -1 : as_text ? quick(s, text, &o, &n) : 0;

	batch_feed(r, str_of(text));
	batch_end(r);
	while (k == 0 && batch_next(r, &b) == 1)
		if (store_append(s, &b, &o, &n, NULL, &e) == -1)
			k = -1;
	if (k == -1)
		abort();
	batch_free(r);
	store_close(s);
}

/*
 * Every sample of these batches is there, and nothing else is.  A hash that has
 * forgotten a series lets it come twice, which queries bring together.
 */
static void
look(const char *dir, const char *const *want, size_t n)
{
	struct error e;
	struct store *s = store_open(dir, STORE_READ, &e);
	struct buf b = { 0 };
	str text, l;

	if (s == NULL ||
	    store_select(s, NULL, 0, INT64_MIN, INT64_MAX, collect, &b, &e) ==
		-1)
		abort();
	for (text = buf_str(&b); text.n > 0;) {
		bool known = false;

		l = str_cut(&text, '\n');
		for (size_t i = 0; i < n; i++)
			known = known ||
			    str_find(str_of(want[i]), l) < strlen(want[i]);
		if (!known)
			abort();
	}
	for (size_t i = 0; i < n; i++)
		for (text = str_of(want[i]); text.n > 0;) {
			l = str_cut(&text, '\n');
			if (l.p[0] != '#' && str_find(buf_str(&b), l) >= b.n)
				abort();
		}
	buf_fini(&b);
	store_close(s);
}

/* The one cache there is. */
static void
find_cache(const char *dir, char *out, size_t n)
{
	char path[96];
	DIR *d;
	const struct dirent *de;

	snprintf(path, sizeof(path), "%s/cache", dir);
	out[0] = '\0';
	d = opendir(path);
	while (d != NULL && (de = readdir(d)) != NULL)
		if (de->d_name[0] != '.')
			snprintf(out, n, "%s/%s", path, de->d_name);
	if (d != NULL)
		closedir(d);
}

/* The patches that are of file which (0 or 1). */
static void
patch(const char *path, const uint8_t *p, size_t n, unsigned which)
{
	const size_t behind = offsetof(struct store_cache_head, day);
	struct buf b = { 0 };
	struct error e;
	int fd;

	if (file_read(path, &b, &e) == -1 || b.n == 0)
		goto out;
	for (; n >= 3; p += 3, n -= 3)
		if ((p[0] & 1U) == which)
			b.p[((size_t)(p[0] >> 1) << 8 | p[1]) % b.n] =
			    (char)p[2];
	if (which == 1 && b.n > sizeof(struct store_cache_head)) {
		struct store_cache_head h;

		memcpy(&h, b.p, sizeof(h));
		h.crc = crc32c(0, b.p + behind, b.n - behind);
		memcpy(b.p, &h, sizeof(h));
	}
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd == -1 || write(fd, b.p, b.n) != (ssize_t)b.n)
		abort();
	close(fd);
out:
	buf_fini(&b);
}

/* A file, without the hole that a segment's free slots are. */
static void
copy(const char *from, const char *to, const char *name)
{
	const size_t slots = 4096 + 65536 * sizeof(struct store_slot);
	char path[128];
	struct buf b = { 0 };
	struct error e;
	size_t head;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", from, name);
	if (file_read(path, &b, &e) == -1)
		abort();
	head = b.n > slots ? 8192 : b.n;
	snprintf(path, sizeof(path), "%s/%s", to, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd == -1 || ftruncate(fd, (off_t)b.n) == -1 ||
	    pwrite(fd, b.p, head, 0) != (ssize_t)head ||
	    (b.n > slots &&
		pwrite(fd, b.p + slots, b.n - slots, (off_t)slots) !=
		    (ssize_t)(b.n - slots)))
		abort();
	close(fd);
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const all[] = { first, second, third };
	static const char *const files[] = { "format", "meta.log",
		"20211122/series.log", "20211122/series.hash",
		"20211122/000001.seg" };
	char dir[64], base[80], path[96], cache[96];
	struct stat st;

	snprintf(dir, sizeof(dir), "/dev/shm/mf-fuzz-side.%d", (int)getpid());
	snprintf(base, sizeof(base), "%s.base", dir);
	if (stat(base, &st) == -1) {
		append(base, first, false);
		append(base, second, false);
	}
	(void)mkdir(dir, 0700);
	snprintf(path, sizeof(path), "%s/20211122", dir);
	(void)mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/cache", dir);
	(void)mkdir(path, 0700);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		copy(base, dir, files[i]);
	find_cache(base, cache, sizeof(cache));
	copy(base, dir, cache + strlen(base) + 1);
	find_cache(dir, cache, sizeof(cache));
	snprintf(path, sizeof(path), "%s/20211122/series.hash", dir);
	patch(path, p, n, 0);
	patch(cache, p, n, 1);
	look(dir, all, 2);
	append(dir, second, true);
	append(dir, third, true);
	look(dir, all, 3);
	return 0;
}
