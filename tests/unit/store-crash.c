/*
 * What a crash, a cut or a flipped bit may leave: a batch is there whole or not
 * at all, a reader never fails, and a writer goes on.  Covers check.c.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "check.h"
#include "store-help.h"

#include "store/format.h"

#define SEG "s/20211122/000001.seg"
#define LOG "s/20211122/series.log"
#define BATCHES 7

/* Every kind of frame: layouts, rows, rows with times, loose, comments. */
static const char *const batches[BATCHES] = {
	"# BATCH {job=\"j\"} 1637582400000\na{x=\"1\"} 1 1637582400000\n"
	"bb{x=\"1\"} 2 1637582400000\n# EOF\n",
	"# BATCH {job=\"j\"} 1637582401000\na{x=\"1\"} 3 1637582401000\n"
	"# STALE bb{x=\"1\"} 1637582401000\n# EOF\n",
	"# BATCH {job=\"j\"} 1637582402000 error=\"x\"\n"
	"a{x=\"1\"} 4 1637582401500\nbb{x=\"1\"} 5 1637582402000\n# EOF\n",
	"# BATCH {job=\"k\"} 1637582403000\nc{y=\"long\"} 1 1637582402000\n"
	"c{y=\"long\"} 2 1637582402500\nd 1 1637582403000\n# EOF\n",
	"# BATCH {} 1637582404000\nc{y=\"long\"} 2 1637582404000\n"
	"# EXEMPLAR c{y=\"long\"} {id=\"1\"} 2 1637582404000\n# EOF\n",
	"# BATCH {job=\"j\"} 1637582405000\nnew{z=\"2\"} 4 1637582405000\n"
	"a{x=\"1\"} 5 1637582405000\n# EOF\n",
	"# BATCH {job=\"k\"} 1637582406000\nc{y=\"long\"} 3 1637582406000\n"
	"c{y=\"long\"} 4 1637582405500\nd 5 1637582406000\n# EOF\n",
};

static void
make(void)
{
	help_run("rm -rf s");
	for (int i = 0; i < BATCHES; i++)
		help_append("s", batches[i]);
}

/* The text is some of the batches, each whole, in order: how many, or -1. */
static int
whole(str text)
{
	int n = 0;

	for (int i = 0; i < BATCHES; i++)
		if (str_starts(text, str_of(batches[i]))) {
			text = str_skip(text, strlen(batches[i]));
			n++;
		}
	return text.n == 0 ? n : -1;
}

/* Every line is one that was written; how many. */
static int
lines(str text)
{
	int n = 0;

	while (text.n > 0) {
		str l = str_cut(&text, '\n');
		/* A batch whose labels are damaged has none. */
		bool known = str_starts(l, STR("# BATCH {} "));

		for (int i = 0; i < BATCHES && !known; i++)
			known = str_find(str_of(batches[i]), l) <
			    strlen(batches[i]);
		if (!known)
			return -1;
		n++;
	}
	return n;
}

static int
look_lines(void)
{
	struct buf b = help_select("s");
	int n = lines(buf_str(&b));

	if (n == -1)
		printf("# not ours:\n%.*s\n", STR_ARG(buf_str(&b)));
	buf_fini(&b);
	return n;
}

static int
look(void)
{
	struct buf b = help_select("s");
	int n = whole(buf_str(&b));

	if (n == -1)
		printf("# not whole:\n%.*s\n", STR_ARG(buf_str(&b)));
	buf_fini(&b);
	b = help_source("s", INT64_MIN, INT64_MAX, false);
	buf_fini(&b);
	return n;
}

static off_t
size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

static void
ignore(void *arg, const char *msg)
{
	(void)msg;
	++*(size_t *)arg;
}

static size_t
problems(void)
{
	struct store *s = help_open("s", STORE_READ);
	struct error e;
	size_t n = 0;

	CHECK(store_check(s, ignore, &n, &e) == (n > 0));
	store_close(s);
	return n;
}

/* Cut a file shorter and shorter: never an error, never half a batch. */
static void
cut(const char *path, off_t hole, off_t after, int left)
{
	int bad = 0, last = BATCHES, more = 0;

	make();
	CHECK(look() == BATCHES);
	CHECK(problems() == 0);
	for (off_t n = size_of(path) - 1; n >= 0; n--) {
		int k;

		if (n < after && n > hole)
			n = hole;
		if (truncate(path, n) == -1)
			err(1, "%s", path);
		k = look();
		bad += k == -1;
		more += k > last;
		last = k;
	}
	CHECK(bad == 0);
	CHECK(more == 0);
	CHECK(last == left);
}

/* A writer after a cut: what was whole stays, what it adds is there. */
static void
go_on(const char *path, off_t hole, off_t after, off_t step,
    int (*count)(str text))
{
	static const char text[] = "# BATCH {job=\"j\"} 1637582407000\n"
				   "a{x=\"1\"} 9 1637582407000\n"
				   "fresh 1 1637582407000\n# EOF\n";
	off_t size;
	int bad = 0;

	make();
	size = size_of(path);
	for (off_t n = size - 1; n >= 0; n -= step) {
		struct buf b;
		int before;
		str all;

		if (n < after && n > hole)
			n = hole;
		make();
		if (truncate(path, n) == -1)
			err(1, "%s", path);
		b = help_select("s");
		before = count(buf_str(&b));
		buf_fini(&b);
		help_append("s", text);
		b = help_select("s");
		all = buf_str(&b);
		bad += !str_ends(all, str_of(text)) ||
		    count(str_take(all, all.n - sizeof(text) + 1)) < before;
		buf_fini(&b);
	}
	CHECK(bad == 0);
}

/* A flipped bit: readers live with it, check tells. */
static void
flip(const char *path, off_t hole, off_t after, int (*reader)(void))
{
	int fd, bad = 0;
	size_t unseen = 0;

	make();
	fd = open(path, O_RDWR);
	for (off_t n = 0; n < size_of(path); n++) {
		unsigned char c, x;

		if (n >= hole && n < after)
			n = after;
		if (n == 64 && after > 0)
			n = 4096; /* the rest of the head is zeros */
		if (pread(fd, &c, 1, n) != 1)
			err(1, "%s", path);
		x = c ^ (unsigned char)(1 << n % 8);
		if (pwrite(fd, &x, 1, n) != 1)
			err(1, "%s", path);
		bad += reader() == -1;
		unseen += problems() == 0;
		if (pwrite(fd, &c, 1, n) != 1)
			err(1, "%s", path);
	}
	close(fd);
	CHECK(bad == 0);
	/* What no checksum covers is padding: the head's, and up to 8. */
	CHECK(unseen < 128);
	printf("# %s: %zu flips unseen\n", path, unseen);
	CHECK(look() == BATCHES);
	CHECK(problems() == 0);
}

/* Make the segment one of another boot. */
static void
age(void)
{
	struct store_seg_head h;
	int fd = open(SEG, O_RDWR);

	if (fd == -1 || pread(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h))
		err(1, SEG);
	memcpy(h.boot, "another boot's  ", 16);
	h.crc = crc32c(0, &h, offsetof(struct store_seg_head, crc));
	if (pwrite(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h))
		err(1, SEG);
	close(fd);
}

/* A boot in between: a new segment, and all that was before. */
static void
other_boot(void)
{
	static const char zeros[64];
	off_t size;
	int fd;

	make();
	age();
	/* Another boot's id in the hash makes it unbelievable; so too here. */
	fd = open("s/20211122/series.hash", O_RDWR);
	CHECK(fd != -1 && pwrite(fd, "another boot's  ", 16, 16) == 16);
	close(fd);
	CHECK(look() == BATCHES);
	help_append("s", batches[0]);
	CHECK(access("s/20211122/000002.seg", F_OK) == -1);
	help_append("s",
	    "# BATCH {job=\"j\"} 1637582407000\n"
	    "a{x=\"1\"} 9 1637582407000\n# EOF\n");
	CHECK(access("s/20211122/000002.seg", F_OK) == 0);
	CHECK(problems() == 0);
	/* What the power cut took out of the middle is missing, no more. */
	make();
	age();
	fd = open(SEG, O_RDWR);
	CHECK(fd != -1 && pwrite(fd, zeros, 64, 4096 + 2 * 64) == 64);
	close(fd);
	CHECK(look() == BATCHES - 1);
	help_append("s", batches[1]);
	CHECK(access("s/20211122/000002.seg", F_OK) == 0);
	CHECK(look() == BATCHES);
	/* The log lost its end: its ids are not given out again. */
	make();
	age();
	size = size_of(LOG);
	if (truncate(LOG, 60) == -1)
		err(1, LOG);
	help_run("rm s/20211122/series.hash");
	help_append("s",
	    "# BATCH {job=\"z\"} 1637582407000\n"
	    "q 9 1637582407000\n# EOF\n");
	CHECK(help_is(help_source("s", 1637582406500, INT64_MAX, false),
	    "q 1637582407000 9\n"));
	CHECK(size_of(LOG) > size);
}

/* What is derived may go at any time. */
static void
derived(void)
{
	make();
	help_run("rm s/20211122/series.hash");
	CHECK(look() == BATCHES);
	help_append("s", batches[1]);
	CHECK(look() == BATCHES);
	help_run("rm -rf s/lock s/cache");
	help_append("s", batches[1]);
	CHECK(look() == BATCHES);
	CHECK(problems() == 0);
}

int
main(void)
{
	/* Slots end, and frames begin; what lies between was never written. */
	const off_t slots = 4096 + 12 * 64, frames = 4096 + 65536 * 64;

	help_begin();
	cut(SEG, slots, frames, 0);
	cut(LOG, 0, 0, 0);
	cut("s/meta.log", 0, 0, BATCHES);
	go_on(SEG, slots, frames, 37, whole);
	go_on(LOG, 0, 0, 7, lines);
	flip(SEG, slots, frames, look);
	flip(LOG, 0, 0, look_lines);
	other_boot();
	derived();
	help_end();
	return done();
}
