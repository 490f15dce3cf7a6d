/*
 * What readers come upon is told once for each file; what a writer is at just
 * now is no damage.
 */
#include <fcntl.h>

#include "check.h"
#include "store-help.h"

#include "store/damage.h"
#include "store/format.h"

#define SEG "20211122/000001.seg"

static void
put(const char *path, off_t at, const void *p, size_t n)
{
	int fd = open(path, O_RDWR);

	if (fd == -1 || pwrite(fd, p, n, at) != (ssize_t)n)
		err(1, "%s", path);
	close(fd);
}

static void
flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	unsigned char c;

	if (fd == -1 || pread(fd, &c, 1, at) != 1)
		err(1, "%s", path);
	c ^= 4;
	close(fd);
	put(path, at, &c, 1);
}

/* Read all of it, this way or that; the one file that was told of. */
static bool
told(bool batches, const char *want)
{
	struct store *s = help_open("s", STORE_READ);
	struct source src = store_source(s);
	struct source_query q = { .from = INT64_MIN, .to = INT64_MAX };
	struct source_cursor *c;
	struct source_series o;
	struct error e;
	struct buf b = { NULL, 0, 0 };
	const char *name;
	bool ok;

	for (int i = 0; i < 2; i++) {
		if (batches) {
			CHECK(store_select(s, NULL, 0, INT64_MIN, INT64_MAX,
				  help_add, &b, &e) == 0);
		} else {
			c = source_open(&src, &q, &e);
			while (source_next(&src, c, &o, &e) == 1)
				;
			source_close(&src, c);
		}
	}
	buf_fini(&b);
	name = store_damaged(s);
	ok = name == NULL ? want == NULL
			  : want != NULL && strcmp(name, want) == 0;
	if (!ok)
		printf("# told: %s\n", name == NULL ? "nothing" : name);
	ok = ok && store_damaged(s) == NULL;
	store_close(s);
	return ok;
}

static void
compact(void)
{
	struct store *s = help_open("s", STORE_WRITE);
	struct store_compact c = { .now = 1637582500000, .seal = true };
	struct error e;

	CHECK(store_compact(s, &c, &e) == 0 && c.failed == 0);
	store_close(s);
}

static void
files(void)
{
	static const off_t places[] = { 0, 30, 4096, 4096 + 16, 4096 + 63,
		4096 + 64, 4096 + 64 + 48, 4096 + 65536 * 64 + 8,
		4096 + 65536 * 64 + 24 };

	for (int k = 0; k < 3; k++) {
		char batch[160];

		snprintf(batch, sizeof(batch),
		    "# BATCH {job=\"j\"} 163758240%d000\n"
		    "a %d 163758240%d000\nbb 2 163758240%d000\n# EOF\n",
		    k, k, k, k);
		help_append("s", batch);
	}
	CHECK(told(true, NULL));
	CHECK(told(false, NULL));
	help_run("cp -r s base");
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		help_run("rm -rf s; cp -r base s");
		flip("s/" SEG, places[i]);
		CHECK(told(true, SEG));
		help_run("rm -rf s; cp -r base s");
		flip("s/" SEG, places[i]);
		CHECK(told(false, SEG));
	}
	help_run("rm -rf s; cp -r base s");
	compact();
	CHECK(told(true, NULL));
	flip("s/20211122/000001-000001.part", 110);
	CHECK(told(true, "20211122/000001-000001.part"));
	CHECK(told(false, "20211122/000001-000001.part"));
}

static void
suspects(void)
{
	struct store *s = help_open("base", STORE_READ);
	struct store_damage d = { .n = 0 };
	int dir = open("base", O_RDONLY | O_DIRECTORY);
	uint8_t was[8], now[8] = { 1, 2, 3 };
	int fd = openat(dir, SEG, O_RDWR);

	CHECK(fd != -1 && pread(fd, was, sizeof(was), 4096) == sizeof(was));
	store_damage_suspect(&d, dir, SEG, 4096, now, sizeof(now));
	/* It is settled when there is another one. */
	store_damage_suspect(&d, dir, SEG, 4096, was, sizeof(was));
	CHECK(d.n == 0);
	store_damage_suspect(&d, dir, "gone", 4096, was, sizeof(was));
	CHECK(d.n == 1 && strcmp(d.name[0], SEG) == 0);
	store_damage_suspect(&d, dir, SEG, 0, was, sizeof(was));
	CHECK(d.n == 1);
	for (int i = 0; i < 2 * STORE_DAMAGE_FILES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%d.seg", i);
		store_damage_note(&d, name);
	}
	CHECK(d.n == STORE_DAMAGE_FILES);
	store_damage_note(NULL, "x");
	close(fd);
	close(dir);
	store_close(s);
}

int
main(void)
{
	help_begin();
	files();
	suspects();
	help_end();
	return done();
}
