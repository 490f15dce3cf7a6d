/*
 * The short way in: taken for a page like the last one, for nothing else, and
 * to the same end as the long way.
 */
#include "check.h"
#include "store-help.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define LINES(t, a, b)                                                         \
	"# BATCH {job=\"j\"} " t "\n# HELP a Help.\n# TYPE a gauge\n"          \
	"a{job=\"j\",x=\"1\"} " a " " t "\nb{job=\"j\"} " b " " t "\n# EOF\n"

static const char *const first = LINES("1637582400000", "1", "2");

/* By a process that has just begun: as store_append_text(). */
static int
quick(const char *path, const char *text, struct store_counts *n)
{
	struct store *s = help_open(path, STORE_WRITE);
	struct store_opts o = { .sync = false };
	struct error e;
	int r = store_append_text(s, str_of(text), &o, n, &e);

	store_close(s);
	return r;
}

static void
taken(void)
{
	static const char *const text[] = {
		LINES("1637582415000", "1.5", "NaN"),
		LINES("1637582430000", "-0", "+Inf"),
	};
	struct store_counts n = { 0 };
	struct buf all = { NULL, 0, 0 };
	static const char meta[] = "# HELP a Help.\n# TYPE a gauge\n";

	CHECK(quick("t", first, &n) == 0); /* no cache yet */
	help_append("t", first);
	CHECK(quick("t", text[0], &n) == 1 && n.samples == 2);
	CHECK(quick("t", text[1], &n) == 1 && n.samples == 4);
	buf_z(&all, first);
	for (int i = 0; i < 2; i++) {
		str s = str_of(text[i]);
		size_t at = str_find(s, str_of(meta));

		buf_add(&all, str_take(s, at));
		buf_add(&all, str_skip(s, at + sizeof(meta) - 1));
	}
	CHECK(help_is(help_select("t"), buf_cstr(&all)));
	/* Times may be left out; a process tries once. */
	CHECK(quick("t",
		  "# BATCH {job=\"j\"} 1637582445000\n# HELP a Help.\n"
		  "# TYPE a gauge\na{job=\"j\",x=\"1\"} 7\n"
		  "b{job=\"j\"} 8\n# EOF\n",
		  &n) == 1);
	buf_fini(&all);
}

static void
not_taken(void)
{
	static const char *const text[] = {
		/* the same time, an older one, another day, seconds */
		LINES("1637582445000", "1", "2"),
		LINES("1637582400001", "1", "2"),
		LINES("1637682500000", "1", "2"),
		LINES("1637582500", "1", "2"),
		/* keys, no labels, no time, not a batch */
		"# BATCH {job=\"j\"} 1637582500000 error=\"x\"\n# EOF\n",
		"# BATCH 1637582500000\n# EOF\n",
		"# BATCH {job=\"j\"}\n# EOF\n",
		"a 1 1637582500000\n",
		"# BATCH {job=\"j\"",
		"",
		/* fewer, more, other lines; a time of its own; bad numbers */
		"# BATCH {job=\"j\"} 1637582500000\n# EOF\n",
		"# BATCH {job=\"j\"} 1637582500000\n# HELP a Help.\n"
		"# TYPE a gauge\na{job=\"j\",x=\"1\"} 7\n# EOF\n",
		"# BATCH {job=\"j\"} 1637582500000\n# HELP a Help!\n"
		"# TYPE a gauge\na{job=\"j\",x=\"1\"} 7\nb{job=\"j\"} 8\n"
		"# EOF\n",
		LINES("1637582500000", "1", "2") "c 1\n",
		LINES("1637582500000", "1", "x"),
		LINES("1637582500000", "1", ""),
		LINES("1637582500000", "1 1637582500001", "2"),
		LINES("1637582500000", "1 ", "2"),
		"# BATCH {job=\"j\"} 1637582500000\n# HELP a Help.\n"
		"# TYPE a gauge\na{job=\"j\",x=\"2\"} 7\nb{job=\"j\"} 8\n"
		"# EOF\n",
		"# BATCH {job=\"k\"} 1637582500000\n# EOF\n",
	};
	struct buf before = help_select("t");
	struct store_counts n = { 0 };

	for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++)
		CHECK(quick("t", text[i], &n) == 0);
	CHECK(n.samples == 0);
	CHECK(help_is(help_select("t"), buf_cstr(&before)));
	buf_fini(&before);
}

/* The one file of t/cache. */
static int
open_cache(void)
{
	struct buf b = { NULL, 0, 0 };
	struct dirent *de;
	DIR *dir = opendir("t/cache");
	int fd = -1;

	while (dir != NULL && (de = readdir(dir)) != NULL)
		if (de->d_name[0] != '.') {
			buf_printf(&b, "t/cache/%s", de->d_name);
			fd = open(buf_cstr(&b), O_RDWR);
			break;
		}
	closedir(dir);
	buf_fini(&b);
	return fd;
}

/* A cache that is damaged or cut is not believed. */
static void
damaged(void)
{
	static const char *const text = LINES("1637582600000", "1", "2");
	struct store_counts n = { 0 };
	unsigned char c, x;
	struct stat st;
	int fd = open_cache(), bad = 0;

	CHECK(fd != -1 && fstat(fd, &st) == 0);
	for (off_t i = 0; i < st.st_size; i++) {
		if (pread(fd, &c, 1, i) != 1)
			err(1, "cache");
		x = c ^ (unsigned char)(1 << i % 8);
		if (pwrite(fd, &x, 1, i) != 1)
			err(1, "cache");
		bad += quick("t", text, &n) != 0;
		if (pwrite(fd, &c, 1, i) != 1)
			err(1, "cache");
	}
	CHECK(bad == 0);
	for (off_t i = st.st_size - 1; i >= 0; i--) {
		if (ftruncate(fd, i) == -1)
			err(1, "cache");
		bad += quick("t", text, &n) != 0;
	}
	close(fd);
	CHECK(bad == 0);
	/* The long way makes it anew. */
	help_append("t", text);
	CHECK(quick("t", LINES("1637582700000", "1", "2"), &n) == 1);
	/* A layout that is not the source's any more. */
	help_append("t", "# BATCH {job=\"j\"} 1637582800000\nz 1\n# EOF\n");
	CHECK(quick("t", LINES("1637582900000", "1", "2"), &n) == 0);
}

int
main(void)
{
	help_begin();
	taken();
	not_taken();
	damaged();
	help_end();
	return done();
}
