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

/*
 * By a process that has just begun, in pieces of step bytes: 1 if all of it was
 * taken.  What comes back for the long way is in back, if that is given.
 */
static int
pieces(const char *path, const char *text, size_t step, struct store_counts *n,
    struct buf *back)
{
	struct store *s = help_open(path, STORE_WRITE);
	struct store_opts o = { .sync = false };
	struct buf b = { NULL, 0, 0 };
	str t, all = str_of(text);
	size_t lines = 0, given = 0;
	struct error e;
	int r = 2;

	for (size_t at = 0; r == 2 && at < all.n;) {
		at = at + step < all.n ? at + step : all.n;
		t = str_skip(str_take(all, at), given);
		r = store_text_take(s, &t, &o, n, &lines, &b, &e);
		given = at - t.n;
	}
	CHECK(r != 1 || b.n == 0);
	if (r == 2 && store_text_back(s, &b, &e) == 0)
		r = 0;
	for (size_t i = 0; r == 1 && i < given; i++)
		lines -= all.p[i] == '\n';
	CHECK(lines == 0);
	buf_add(&b, str_skip(all, given));
	if (back != NULL)
		buf_add(back, buf_str(&b));
	buf_fini(&b);
	store_close(s);
	return r == 1 && given < all.n ? 0 : r;
}

static int
quick(const char *path, const char *text, struct store_counts *n)
{
	return pieces(path, text, str_of(text).n + 1, n, NULL);
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

/* Taken in any pieces; what comes behind its end is left. */
static void
in_pieces(void)
{
	static const char *const text = LINES("1637582415000", "1.5", "NaN");
	struct store_counts n = { 0 };
	struct buf back = { NULL, 0, 0 };
	int bad = 0;

	for (size_t step = 1; step <= str_of(text).n; step += 7) {
		help_run("rm -rf p");
		help_append("p", first);
		bad += pieces("p", text, step, &n, NULL) != 1;
	}
	CHECK(bad == 0);
	CHECK(pieces("p", LINES("1637582430000", "1", "2") "c 1\n", 999, &n,
		  &back) == 0);
	CHECK(help_is(back, "c 1\n"));
}

/* What is begun and then another page comes to the same end. */
static void
given_back(void)
{
	static const char *const text[] = {
		/* another value, series, line, end; none at all; no newer */
		LINES("1637582415000", "1.5", "x"),
		LINES("1637582415000", "-0", "NaN"),
		"# BATCH {job=\"j\"} 1637582415000\n# HELP a Help.\n"
		"# TYPE a gauge\na{job=\"j\",x=\"1\"} 0.1\nc 1\n# EOF\n",
		"# BATCH {job=\"j\"} 1637582415000\n# HELP a Help.\n"
		"# TYPE a gauge\na{job=\"j\",x=\"1\"} 1e-9\nb{job=\"j\"} 8\n"
		"c 1\n# EOF\n",
		"# BATCH {job=\"j\"} 1637582415000\n# HELP a New.\n"
		"# TYPE a gauge\na{job=\"j\",x=\"1\"} 0.1\n# EOF\n",
		"# BATCH {job=\"j\"} 1637582415000\n# HELP a Help.\n"
		"# TYPE a gauge\na{job=\"j\",x=\"1\"} 1\nb{job=\"j\"} 2\n",
		LINES("1637582400000", "9", "2"),
	};
	struct store_counts n = { 0 };
	int bad = 0;

	for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++) {
		struct buf want;

		help_run("rm -rf w");
		help_append("w", first);
		help_append("w", text[i]);
		want = help_select("w");
		for (size_t step = 1; step <= 200; step += 9) {
			struct buf back = { NULL, 0, 0 };
			struct buf got;

			help_run("rm -rf p");
			help_append("p", first);
			if (pieces("p", text[i], step, &n, &back) == 0)
				help_append("p", buf_cstr(&back));
			else
				bad += i != 1;
			got = help_select("p");
			bad += !str_eq(buf_str(&got), buf_str(&want)) && i != 1;
			buf_fini(&got);
			buf_fini(&back);
		}
		buf_fini(&want);
	}
	CHECK(bad == 0);
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
	in_pieces();
	given_back();
	damaged();
	help_end();
	return done();
}
