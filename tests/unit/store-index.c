/*
 * The index of a day: it says what the log said, matchers find in it what they
 * find among label sets, a log goes on where it ends, and damage is seen.
 * Covers index_make.c and names.c.
 */
#include "check.h"
#include "store-help.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "store/dict.h"
#include "store/names.h"

#define N 3000
#define DAY 20211122

static const uint8_t boot[16] = "this boot";
static uint32_t ids[N + 1];

/* Series i: several metrics, labels that some lack, names before __name__. */
static struct labels
make(int i, struct label v[8], char text[8][32])
{
	size_t n = 0;

	memset(v, 0, 8 * sizeof(*v));
	if (i % 7 == 0) {
		snprintf(text[0], 32, "zone%d", i % 5);
		v[n++] = (struct label){ STR("Zone"), str_of(text[0]) };
	}
	snprintf(text[1], 32, "m%d_total", i % 11);
	v[n++] = (struct label){ LABEL_NAME, str_of(text[1]) };
	if (i % 3 != 0) {
		snprintf(text[2], 32, "%d", i);
		v[n++] = (struct label){ STR("id"), str_of(text[2]) };
	}
	snprintf(text[3], 32, "10.0.0.%d:9100", i % 40);
	v[n++] = (struct label){ STR("instance"), str_of(text[3]) };
	if (i % 2 == 0)
		v[n++] = (struct label){ STR("job"), STR("node") };
	snprintf(text[4], 32, "%c\303\244%d", 'a' + i % 26, i);
	v[n++] = (struct label){ STR("pod"), str_of(text[4]) };
	return (struct labels){ v, n };
}

static void
open_dict(struct store_dict *d, int fd, bool write)
{
	struct error e;

	if (store_dict_open(d, fd, DAY, boot, write, &e) != 1)
		errx(1, "%s", e.msg);
	if (write && store_dict_sync(d, &e) == -1)
		errx(1, "%s", e.msg);
}

static uint32_t
add(struct store_dict *d, int i)
{
	struct label v[8];
	char text[8][32];
	struct buf b = { NULL, 0, 0 };
	uint32_t id;

	label_key(&b, make(i, v, text));
	id = store_dict_add(d, STORE_REC_SERIES, buf_str(&b));
	buf_fini(&b);
	return id;
}

/* How many of the first n series are not what they were. */
static int
wrong(const struct store_dict *d, int n)
{
	struct label v[8], w[STORE_LABELS_MAX];
	char text[8][32];
	struct labels ls;
	int bad = 0;

	for (int i = 0; i < n; i++) {
		struct labels want = make(i, v, text);

		bad +=
		    !store_dict_labels(d, ids[i], STORE_REC_SERIES, w, &ls) ||
		    !label_eq(ls, want);
	}
	return bad;
}

/* Labels that are given out for id and that it never had. */
static int
lies(const struct store_dict *d)
{
	struct label v[8], w[STORE_LABELS_MAX];
	char text[8][32];
	struct labels ls;
	int bad = 0;

	for (int i = 0; i < N; i += 17) {
		struct labels want = make(i, v, text);

		bad += store_dict_labels(d, ids[i], STORE_REC_SERIES, w, &ls) &&
		    !label_eq(ls, want);
	}
	return bad;
}

struct seen {
	bool id[1 << 20];
	size_t n;
	bool sorted;
	struct arena a;
	struct labels last;
};

static int
see(void *arg, uint32_t id, enum store_rec_kind kind, struct labels ls)
{
	struct seen *s = arg;

	s->sorted = s->sorted && kind == STORE_REC_SERIES &&
	    (s->n == 0 || label_cmp(s->last, ls) < 0);
	s->last = label_dup(&s->a, ls);
	s->id[id] = true;
	s->n++;
	return 0;
}

static void
matchers(const struct store_dict *d)
{
	static const struct {
		enum match_op op[2];
		const char *text[4];
	} q[] = {
		{ { MATCH_EQ, MATCH_EQ },
		    { "__name__", "m3_total", "instance", "10.0.0.5:9100" } },
		{ { MATCH_EQ, MATCH_NE }, { "job", "node", "Zone", "" } },
		{ { MATCH_EQ, MATCH_NE },
		    { "__name__", "m7_total", "Zone", "zone2" } },
		{ { MATCH_RE, MATCH_NRE },
		    { "pod", "[a-c]\303\244.*", "instance", ".*5:9100" } },
		{ { MATCH_RE, MATCH_EQ },
		    { "__name__", "m[13].*", "job", "" } },
		{ { MATCH_NRE, MATCH_RE }, { "id", ".+", "nothing", ".*" } },
		{ { MATCH_EQ, MATCH_EQ }, { "nothing", "x", "job", "node" } },
		{ { MATCH_EQ, MATCH_NE }, { "job", "none", "pod", "" } },
		{ { MATCH_NE, MATCH_EQ },
		    { "__name__", "m1_total", "id", "" } },
		{ { MATCH_EQ, MATCH_RE }, { "__name__", "", "pod", ".*" } },
		{ { MATCH_EQ, MATCH_RE }, { "Zone", "", "job", "|node" } },
	};
	struct label v[8];
	char text[8][32];
	struct error e;

	for (size_t k = 0; k < sizeof(q) / sizeof(*q); k++) {
		struct seen *s = calloc(1, sizeof(*s));
		struct match m[2];
		size_t want = 0;
		int bad = 0;

		s->sorted = true;
		for (int i = 0; i < 2; i++)
			CHECK(match_init(&m[i], q[k].op[i],
				  str_of(q[k].text[2 * i]),
				  str_of(q[k].text[2 * i + 1]), &e) == 0);
		CHECK(store_index_match(d->index, m, 2, see, s) == 0);
		for (int i = 0; i < N; i++) {
			bool is = match_all(m, 2, make(i, v, text));

			want += is;
			bad += s->id[ids[i]] != is;
		}
		CHECK(bad == 0 && s->n == want);
		/* The last one asks for no label that sorts before the name. */
		CHECK(s->sorted || k + 1 < sizeof(q) / sizeof(*q));
		match_fini(&m[0]);
		match_fini(&m[1]);
		arena_fini(&s->a);
		free(s);
	}
}

static void
round_trip(int fd)
{
	struct label v[STORE_LABELS_MAX];
	struct store_dict d, r;
	struct labels ls;
	struct error e;
	struct stat st;
	uint32_t src;

	open_dict(&d, fd, true);
	src = store_dict_add(&d, STORE_REC_SOURCE, STR("instance\0a\0"));
	for (int i = 0; i < N; i++)
		ids[i] = add(&d, i);
	CHECK(store_dict_commit(&d, &e) == 0);
	open_dict(&r, fd, false);
	CHECK(r.index == NULL && wrong(&r, N) == 0);
	CHECK(store_index_make(&r, fd, &e) == 0);
	/* Seen by one that was there before; the log has all of it still. */
	CHECK(store_dict_stat(&r, &e) == 1 && r.index != NULL);
	CHECK(store_index_end(r.index) == r.log.end);
	CHECK(store_dict_tail(&r) == r.log.end);
	CHECK(store_index_count(r.index, STORE_REC_SERIES) == N);
	CHECK(store_index_count(r.index, STORE_REC_SOURCE) == 1);
	CHECK(store_dict_stat(&r, &e) == 0);
	CHECK(wrong(&r, N) == 0);
	CHECK(stat("20211122/index", &st) == 0 && st.st_size < N * 15);
	/* Without the log. */
	help_run("rm -f 20211122/series.log 20211122/series.hash");
	CHECK(store_dict_stat(&r, &e) == 1);
	store_dict_bury(&r);
	CHECK(r.log.end == store_index_end(r.index));
	CHECK(wrong(&r, N) == 0);
	CHECK(store_dict_labels(&r, src, STORE_REC_SOURCE, v, &ls) &&
	    ls.n == 1 && str_eq(ls.v[0].value, STR("a")));
	CHECK(!store_dict_labels(&r, src, STORE_REC_SERIES, v, &ls));
	CHECK(!store_dict_labels(&r, ids[0], STORE_REC_SOURCE, v, &ls));
	CHECK(!store_dict_labels(&r, ids[0] + 1, STORE_REC_SERIES, v, &ls));
	CHECK(store_index_damage(r.index) == 0);
	matchers(&r);
	store_dict_close(&r);
	store_dict_close(&d);
}

/* A log goes on behind an index, and comes into the next one. */
static void
tail(int fd)
{
	const struct store_name *found;
	struct store_names names = { .n = 0 };
	struct store_dict d, r, s;
	struct error e;
	uint64_t end;
	int bad = 0;

	open_dict(&r, fd, false);
	end = r.log.end;
	CHECK(access("20211122/series.log", F_OK) == -1);
	open_dict(&d, fd, true);
	for (int i = 0; i < N; i += 7)
		bad += add(&d, i) != ids[i];
	CHECK(bad == 0);
	ids[N] = add(&d, N);
	CHECK((uint64_t)ids[N] * 8 == end);
	CHECK(store_dict_commit(&d, &e) == 0);
	CHECK(store_dict_stat(&r, &e) == 1 && wrong(&r, N + 1) == 0);
	found = store_names_find(&names, &r, STR("m8_total"));
	CHECK(found != NULL && found->n == 1 && found->id[0] == ids[N]);
	store_names_fini(&names);
	/* An index of all; the log stays, and goes on where it did. */
	CHECK(store_index_make(&r, fd, &e) == 0);
	CHECK(store_dict_stat(&r, &e) == 1 && wrong(&r, N + 1) == 0);
	CHECK(store_index_count(r.index, STORE_REC_SERIES) == N + 1);
	help_run("rm 20211122/series.hash");
	CHECK(store_dict_sync(&d, &e) == 0);
	CHECK(add(&d, 5) == ids[5] && add(&d, N) == ids[N]);
	store_dict_close(&d);
	/* A wrong base would make other ids of what is there. */
	help_run("cp 20211122/series.log log && printf '\\300' | "
		 "dd of=20211122/series.log bs=1 seek=12 conv=notrunc "
		 "2>/dev/null");
	open_dict(&s, fd, false);
	CHECK(s.log.damaged && s.log.v.p == NULL && s.index != NULL);
	store_dict_close(&s);
	open_dict(&s, fd, true);
	CHECK(s.log.aside && s.log.end == store_index_end(s.index));
	store_dict_close(&s);
	help_run("rm -f 20211122/series.log.damaged; "
		 "mv log 20211122/series.log");
	store_dict_close(&r);
	open_dict(&r, fd, false);
	CHECK(wrong(&r, N + 1) == 0);
	store_dict_close(&r);
}

/* Any byte may change, and the file end anywhere: nothing lies. */
static void
damage(int fd)
{
	struct store_index *x;
	struct store_dict r;
	struct error e;
	struct stat st;
	int f = open("20211122/index", O_RDWR);
	size_t unseen = 0;
	int bad = 0;

	if (f == -1 || fstat(f, &st) == -1)
		err(1, "index");
	help_run("rm -f 20211122/series.log 20211122/series.hash");
	for (off_t i = 0; i < st.st_size; i += i < 2048 ? 1 : 61) {
		char c, y;

		if (pread(f, &c, 1, i) != 1)
			err(1, "index");
		y = (char)(c ^ (1 << i % 8));
		if (pwrite(f, &y, 1, i) != 1)
			err(1, "index");
		if (store_dict_open(&r, fd, DAY, boot, false, &e) == 1) {
			bad += lies(&r);
			unseen += store_index_damage(r.index) == 0;
			store_dict_close(&r);
		}
		if (pwrite(f, &c, 1, i) != 1)
			err(1, "index");
	}
	CHECK(bad == 0);
	CHECK(unseen == 0);
	for (off_t n = st.st_size - 1; n > 0; n -= n > 200 ? n / 10 : 7) {
		CHECK(ftruncate(f, n) == 0);
		CHECK(store_index_open(&x, fd, DAY, &e) == 2);
	}
	close(f);
}

int
main(void)
{
	int fd;

	help_begin();
	help_run("mkdir 20211122");
	fd = open(".", O_RDONLY | O_DIRECTORY);
	round_trip(fd);
	tail(fd);
	damage(fd);
	close(fd);
	help_end();
	return done();
}
