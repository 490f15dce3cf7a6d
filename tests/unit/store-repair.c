/*
 * A way out of damage: whatever is damaged, what can be read of it is there
 * after a repair, the store is sound, and compaction and deletion go on.
 * Covers log_bad.c, repair_log.c and sealed_rows.c, too.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "check.h"
#include "store-help.h"
#include "store/dir.h"
#include "store/sealed.h"

#define DAY "s/20211122/"
#define BATCHES 60
#define ROWS(n) ((size_t)40 * (n))

static void
note(void *arg, const char *msg)
{
	(void)msg;
	++*(size_t *)arg;
}

static void
show(void *arg, const char *msg)
{
	(void)arg;
	printf("# %s\n", msg);
}

/* Rows of 40 series, loose samples, comments; half of it sealed. */
static void
make(void)
{
	struct buf b = { NULL, 0, 0 };

	for (int k = 0; k < BATCHES; k++) {
		long long t = 1637582400000LL + k * 1000LL;

		buf_printf(&b, "# BATCH {job=\"j\"} %lld\n", t);
		for (int i = 0; i < 40; i++)
			buf_printf(&b, "m%d %d %lld\n", i, k * i, t);
		if (k % 7 == 3)
			buf_printf(
			    &b, "# EXEMPLAR m1 {id=\"%d\"} 1 %lld\n", k, t);
		buf_z(&b, "# EOF\n");
		if (k % 10 == 5)
			buf_printf(&b,
			    "# BATCH {job=\"k\"} %lld\nx 1 %lld\nx 2 %lld\n"
			    "# EOF\n",
			    t, t - 500, t);
	}
	help_run("rm -rf s base");
	help_append("s", buf_cstr(&b));
	buf_fini(&b);
	help_run("mv s base");
}

static size_t
compact(void)
{
	struct store *s = help_open("s", STORE_WRITE);
	struct store_compact c = {
		.now = 1637583000000, .seal = true, .report = show
	};
	struct error e;

	CHECK(store_compact(s, &c, &e) == 0);
	store_close(s);
	return c.failed;
}

static size_t
lines(const char *what)
{
	struct buf b = help_select("s");
	str text = buf_str(&b);
	size_t n = 0;

	while (text.n > 0)
		n += str_starts(str_cut(&text, '\n'), str_of(what));
	buf_fini(&b);
	return n;
}

/* Repair it: told; then sound, as many samples as before and least at least. */
static void
mended(size_t least)
{
	size_t before = lines("m"), n = 0, told = 0;
	struct store *s = help_open("s", STORE_WRITE);
	struct store_compact c = { .now = 1637583000000 };
	struct match m = { .op = MATCH_EQ,
		.name = STR_INIT("__name__"),
		.value = STR_INIT("m7") };
	struct error e = { "" };

	CHECK(store_check(s, note, &n, &e) == 1 && n > 0);
	CHECK(store_repair(s, note, &told, &e) == 0 && told > 0);
	if (e.msg[0] != '\0')
		printf("# %s\n", e.msg);
	CHECK(store_check(s, show, NULL, &e) == 0);
	told = 0;
	CHECK(store_repair(s, note, &told, &e) == 0 && told == 0);
	store_close(s);
	CHECK(lines("m") >= before && lines("m") >= least);
	CHECK(compact() == 0);
	CHECK(lines("m") >= before);
	help_append("s",
	    "# BATCH {job=\"j\"} 1637582700000\nm7 1 1637582700000\n"
	    "m8 1 1637582700000\n# EOF\n");
	s = help_open("s", STORE_WRITE);
	CHECK(store_delete(s, &m, 1, INT64_MIN, INT64_MAX, &c, &e) == 0);
	CHECK(store_check(s, show, NULL, &e) == 0);
	store_close(s);
	CHECK(lines("m7 ") == 0 && lines("m8 ") > 0);
}

static void
flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	unsigned char c;

	if (fd == -1 || pread(fd, &c, 1, at) != 1)
		err(1, "%s", path);
	c ^= 0x10;
	if (pwrite(fd, &c, 1, at) != 1)
		err(1, "%s", path);
	close(fd);
}

static off_t
size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

static void
segment(off_t at, size_t least)
{
	help_run("rm -rf s; cp -r base s");
	flip(DAY "000001.seg", at);
	mended(least);
	CHECK(size_of(DAY "000001.seg.damaged") > 0);
}

static void
part(off_t at, size_t least)
{
	off_t size;

	help_run("rm -rf s; cp -r base s");
	CHECK(compact() == 0);
	size = size_of(DAY "000001-000001.part");
	flip(DAY "000001-000001.part", at < 0 ? size + at : at);
	mended(least);
	CHECK(size_of(DAY "000001-000001.part.damaged") == size);
}

/* Rows are there without their slots; and a query says what is damaged. */
static void
slots(void)
{
	const struct store_sealed_head *h;
	struct store_sealed_page p;
	struct store_seg g;
	struct store *s;
	struct error e;
	uint32_t n = 0;

	help_run("rm -rf s; cp -r base s");
	CHECK(compact() == 0);
	s = help_open("s", STORE_READ);
	CHECK(store_sealed_open(&g, s->fd, 20211122, 1, 1, &e) == 1);
	h = store_sealed_head(g.sealed);
	memcpy(&p,
	    g.v.p + h->dir + h->nstripes * sizeof(struct store_stripe) +
		h->nlayouts * sizeof(struct store_sealed_layout),
	    sizeof(p));
	CHECK(h->npages == 1 && p.first == 0 && p.n == h->slots);
	flip(DAY "000001-000001.part", (off_t)p.off + 5);
	for (uint32_t i = 0; i < g.n; i++)
		if (store_seg_slot(&g, i) != NULL) {
			CHECK(store_seg_batch(&g, i) == i);
			CHECK(store_seg_frame(&g, store_seg_slot(&g, i)));
			n++;
		}
	CHECK(n == BATCHES);
	CHECK(!store_seg_sound(&g));
	store_seg_close(&g);
	CHECK(lines("m") == ROWS(BATCHES));
	store_close(s);
	mended(ROWS(BATCHES));
}

int
main(void)
{
	off_t size;

	help_begin();
	make();
	segment(16, 0);
	segment(4096 + 5 * 64, ROWS(BATCHES - 1));
	segment(4096 + 65536 * 64 + 1000, ROWS(BATCHES - 1));
	help_run("rm -rf s; cp -r base s; truncate -s 2000 " DAY "000001.seg");
	mended(0);
	help_run(
	    "rm -rf s; cp -r base s; truncate -s 4198800 " DAY "000001.seg");
	mended(0);
	/* Nothing can be read of a part whose head or directory is damaged. */
	part(30, 0);
	part(-20, 0);
	help_run("rm -rf s; cp -r base s");
	compact();
	slots();
	help_run("rm -rf s; cp -r base s");
	compact();
	/* Wherever else, one group of columns, of slots, of loose frames. */
	size = size_of(DAY "000001-000001.part");
	CHECK(size > 1000);
	for (off_t at = 104; at < size; at += size / 40)
		part(at, 0);
	/* Among other segments and parts, and with a number that is missing. */
	help_run("rm -rf s; cp -r base s");
	compact();
	help_append("s",
	    "# BATCH {job=\"j\"} 1637582600000\n"
	    "m7 1 1637582600000\n# EOF\n");
	help_run("mv s base2; for n in 3 4 5; do cp base2/20211122/000002.seg "
		 "base2/20211122/00000$n.seg; done");
	help_run("cp -r base2 s");
	mended(ROWS(BATCHES));
	help_run("rm -rf s; cp -r base2 s; rm " DAY "00000[34].seg");
	mended(ROWS(BATCHES));
	help_end();
	return done();
}
