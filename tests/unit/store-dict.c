/*
 * The dictionary and what it stands on: growing files, logs, the table of ids.
 * Covers ids.c and view.c.
 */
#include "check.h"
#include "store-help.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "store/dict.h"
#include "store/ids.h"

static const uint8_t boot[16] = "this boot";
static const uint8_t next[16] = "next boot";

static str
key(struct buf *b, int i)
{
	buf_reset(b);
	buf_printf(b, "__name__%cm%d%cjob%cx%c", 0, i, 0, 0, 0);
	return buf_str(b);
}

static void
open_dict(struct store_dict *d, int fd, const uint8_t *b, bool write)
{
	struct error e;

	if (store_dict_open(d, fd, 20211122, b, write, &e) != 1)
		errx(1, "%s", e.msg);
	if (write && store_dict_sync(d, &e) == -1)
		errx(1, "%s", e.msg);
}

static void
dict(int fd)
{
	struct store_dict d, r;
	struct buf b = { NULL, 0, 0 };
	struct label v[STORE_LABELS_MAX];
	struct labels ls;
	uint32_t id[3000];
	struct error e;
	int bad = 0;

	open_dict(&d, fd, boot, true);
	CHECK(store_dict_find(&d, STORE_REC_SERIES, key(&b, 0)) == 0);
	for (int i = 0; i < 3000; i++) {
		id[i] = store_dict_add(&d, STORE_REC_SERIES, key(&b, i));
		bad += id[i] == 0;
		if (i % 100 == 99)
			bad += store_dict_commit(&d, &e) == -1;
	}
	CHECK(bad == 0);
	CHECK(store_dict_add(&d, STORE_REC_SERIES, key(&b, 7)) == id[7]);
	/* A source with the same labels is another thing. */
	CHECK(store_dict_find(&d, STORE_REC_SOURCE, key(&b, 7)) == 0);
	CHECK(store_dict_add(&d, STORE_REC_SOURCE, key(&b, 7)) != id[7]);
	store_dict_abort(&d);
	CHECK(store_dict_find(&d, STORE_REC_SOURCE, key(&b, 7)) == 0);
	open_dict(&r, fd, boot, false);
	for (int i = 0; i < 3000; i++)
		bad +=
		    !store_dict_labels(&r, id[i], STORE_REC_SERIES, v, &ls) ||
		    ls.n != 2 || !str_eq(ls.v[1].value, STR("x"));
	CHECK(bad == 0);
	CHECK(!store_dict_labels(&r, id[5] + 1, STORE_REC_SERIES, v, &ls));
	CHECK(!store_dict_labels(&r, 0, STORE_REC_SERIES, v, &ls));
	CHECK(!store_dict_labels(&r, UINT32_MAX, STORE_REC_SERIES, v, &ls));
	CHECK(
	    store_dict_has(&r, id[2999]) && !store_dict_has(&r, id[2999] + 8));
	store_dict_close(&r);
	store_dict_close(&d);
	/* Found again by another process, without the hash, after a boot. */
	open_dict(&d, fd, boot, true);
	CHECK(store_dict_find(&d, STORE_REC_SERIES, key(&b, 2999)) == id[2999]);
	help_run("rm 20211122/series.hash");
	CHECK(store_dict_sync(&d, &e) == 0);
	CHECK(store_dict_find(&d, STORE_REC_SERIES, key(&b, 11)) == id[11]);
	store_dict_close(&d);
	open_dict(&d, fd, next, true);
	CHECK(store_dict_find(&d, STORE_REC_SERIES, key(&b, 12)) == id[12]);
	store_dict_close(&d);
	buf_fini(&b);
}

/* What a killed writer leaves: records without pairs, a torn record. */
static void
redo(int fd)
{
	struct store_dict d, o;
	struct buf b = { NULL, 0, 0 };
	struct stat st;
	struct error e;
	uint32_t id;
	int log;

	open_dict(&d, fd, next, true);
	open_dict(&o, fd, next, true);
	id = store_dict_add(&d, STORE_REC_SERIES, key(&b, 5000));
	CHECK(store_log_write(&d.log, buf_str(&d.fresh), true, &e) == 0);
	store_dict_close(&d);
	log = open("20211122/series.log", O_WRONLY | O_APPEND);
	CHECK(write(log, "\20\0\0\0torn record", 15) == 15);
	CHECK(fstat(log, &st) == 0);
	close(log);
	CHECK(store_dict_sync(&o, &e) == 0);
	CHECK(store_dict_find(&o, STORE_REC_SERIES, key(&b, 5000)) == id);
	/* The torn one is written over. */
	id = store_dict_add(&o, STORE_REC_SERIES, key(&b, 5001));
	CHECK((uint64_t)id * 8 < (uint64_t)st.st_size);
	CHECK(store_dict_commit(&o, &e) == 0);
	CHECK(store_dict_find(&o, STORE_REC_SERIES, key(&b, 5001)) == id);
	store_dict_close(&o);
	buf_fini(&b);
}

/* A bit that flips in the hash does not give a series a second id. */
static void
flip(int fd)
{
	static const size_t bits[] = { 0, 63, 64, 77, 95, 96, 127 };
	struct store_dict d;
	struct buf b = { NULL, 0, 0 };
	uint32_t id[100];
	int bad = 0, n = 0;
	size_t size;

	open_dict(&d, fd, next, true);
	for (int i = 0; i < 100; i++)
		id[i] = store_dict_find(&d, STORE_REC_SERIES, key(&b, i));
	for (int i = 0; i < 100; i++)
		for (size_t k = 0; k < 7; k++) {
			struct store_hash_pair *p =
			    (struct store_hash_pair *)(uintptr_t)(d.hash + 1);

			for (; p->id != id[i]; p++)
				;
			((uint8_t *)p)[bits[k] / 8] ^=
			    (uint8_t)(1 << bits[k] % 8);
			bad += store_dict_add(
				   &d, STORE_REC_SERIES, key(&b, i)) != id[i];
			n++;
		}
	CHECK(bad == 0 && n == 700);
	/* All of one is gone but its check; the head tells of another place. */
	size = (size_t)d.hash->cap;
	for (size_t i = 0; i < size; i++)
		((struct store_hash_pair *)(uintptr_t)(d.hash + 1))[i].id = 0;
	CHECK(store_dict_add(&d, STORE_REC_SERIES, key(&b, 3)) == id[3]);
	d.hash->done -= 32;
	store_dict_close(&d);
	open_dict(&d, fd, next, true);
	CHECK(store_dict_add(&d, STORE_REC_SERIES, key(&b, 99)) == id[99]);
	CHECK(d.hash->done == d.log.end);
	store_dict_close(&d);
	buf_fini(&b);
}

static void
split(void)
{
	struct label v[STORE_LABELS_MAX];
	struct labels ls;
	struct buf b = { NULL, 0, 0 };

	CHECK(!store_dict_split(STR(""), v, &ls));
	CHECK(!store_dict_split(STR("a"), v, &ls));
	CHECK(!store_dict_split(STR("a\0"), v, &ls));
	CHECK(!store_dict_split(STR("a\0b"), v, &ls));
	CHECK(!store_dict_split(STR("\0b\0"), v, &ls));
	CHECK(store_dict_split(STR("a\0b\0"), v, &ls) && ls.n == 1);
	for (int i = 0; i < STORE_LABELS_MAX; i++)
		buf_printf(&b, "n%03d%cv%c", i, 0, 0);
	CHECK(
	    store_dict_split(buf_str(&b), v, &ls) && ls.n == STORE_LABELS_MAX);
	buf_printf(&b, "z%cv%c", 0, 0);
	CHECK(!store_dict_split(buf_str(&b), v, &ls));
	buf_fini(&b);
}

/* A view sees what is appended, and what it gave out stays good. */
static void
view(int fd)
{
	struct store_view w, r;
	struct error e;
	const uint8_t *p;
	char *big = calloc(1, 3 << 20);

	CHECK(store_view_open(&w, fd, "nothing", false, false, &e) == 0);
	CHECK(store_view_open(&w, fd, "grows", true, true, &e) == 1);
	CHECK(store_view_open(&r, fd, "grows", false, false, &e) == 1);
	CHECK(r.size == 0);
	CHECK(store_view_write(&w, "hello", 5, 0, &e) == 0);
	CHECK(store_view_stat(&r, &e) == 0 && r.size == 5);
	p = r.p;
	CHECK(memcmp(p, "hello", 5) == 0);
	CHECK(store_view_write(&w, big, 3 << 20, 5, &e) == 0);
	CHECK(store_view_stat(&r, &e) == 0 && r.size == (3 << 20) + 5);
	CHECK(memcmp(p, "hello", 5) == 0 && memcmp(r.p, "hello", 5) == 0);
	CHECK(store_view_current(&r));
	help_run("mv grows moved && echo other >grows");
	CHECK(!store_view_current(&r));
	CHECK(store_view_stat(&r, &e) == 0 && r.size == (3 << 20) + 5);
	store_view_close(&r);
	store_view_close(&w);
	CHECK(store_view_open(&w, fd, "20211122", false, false, &e) == -1);
	free(big);
}

static void
ids(void)
{
	struct store_ids m = { NULL, 0, 0 };
	int bad = 0;

	CHECK(store_ids_find(&m, 7) == STORE_IDS_NONE);
	store_ids_reset(&m, 1);
	for (uint32_t i = 1; i < 5000; i++)
		bad += store_ids_add(&m, i * 3, i) != i;
	for (uint32_t i = 1; i < 5000; i++)
		bad += store_ids_find(&m, i * 3) != i ||
		    store_ids_find(&m, i * 3 + 1) != STORE_IDS_NONE;
	CHECK(bad == 0);
	CHECK(store_ids_add(&m, 6, 77) == 2);
	store_ids_reset(&m, 10);
	CHECK(store_ids_find(&m, 6) == STORE_IDS_NONE);
	store_ids_fini(&m);
}

int
main(void)
{
	int fd;

	help_begin();
	help_run("mkdir 20211122");
	fd = open(".", O_RDONLY | O_DIRECTORY);
	dict(fd);
	redo(fd);
	flip(fd);
	split();
	view(fd);
	ids();
	close(fd);
	help_end();
	return done();
}
