/*
 * Damage of parts: a flipped bit anywhere is found by check, and readers live
 * with it and print nothing that was not written; a part that is cut short is
 * passed over, for the segments it was made of if they are still there.
 * Covers sealed.c.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "check.h"
#include "store-help.h"

#include "store/column.h"
#include "store/format.h"

#define PART "s/20211122/000001-000001.part"
#define T0 INT64_C(1637582400000)

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

	if (store_check(s, ignore, &n, &e) == -1)
		errx(1, "%s", e.msg);
	store_close(s);
	return n;
}

/* Every kind of frame; loose ones large and small. */
static void
make(void)
{
	struct store *s = help_open("s", STORE_WRITE);
	struct store_compact c = { .now = T0, .seal = true };
	struct buf b = { NULL, 0, 0 };
	struct error e;

	for (int i = 0; i < 40; i++) {
		long long t = T0 + i * 15000;

		buf_printf(&b, "# BATCH {job=\"j\"} %lld%s\n", t,
		    i == 7 ? " error=\"x\"" : "");
		for (int k = 0; k < (i % 11 == 10 ? 2 : 20); k++) {
			buf_printf(&b, "m%d{a=\"b\"} %d.%d", k, i * k, k);
			if (i % 9 == 3)
				buf_printf(&b, " %lld", t - k);
			buf_byte(&b, '\n');
		}
		if (i % 7 == 1)
			buf_printf(&b,
			    "# EXEMPLAR m1{a=\"b\"} {id=\"%d\"} 2 %lld\n", i,
			    t);
		buf_z(&b, "# EOF\n");
	}
	for (int k = 0; k < 200; k++)
		buf_printf(&b, "d%d %d %lld\n", k / 50, k * 7,
		    (long long)T0 + k * 1000);
	help_put(s, buf_cstr(&b), NULL);
	buf_fini(&b);
	help_run("rm -rf raw; cp -r s raw");
	if (store_compact(s, &c, &e) == -1)
		errx(1, "%s", e.msg);
	store_close(s);
}

static struct buf all;

/* Only lines that were written, but for labels of batches. */
static bool
ours(void)
{
	struct buf b = help_select("s");
	str text = buf_str(&b), want = buf_str(&all);
	bool is = true;

	while (text.n > 0 && is) {
		str l = str_cut(&text, '\n');
		/* In order too: what is found is passed. */
		size_t at =
		    str_starts(l, STR("# BATCH {")) ? 0 : str_find(want, l);

		is = at < want.n;
		if (!is)
			printf("# not ours: %.*s\n", STR_ARG(l));
	}
	buf_fini(&b);
	b = help_source("s", INT64_MIN, INT64_MAX, false);
	buf_fini(&b);
	b = help_source("s", T0 + 30000, T0 + 90000, true);
	buf_fini(&b);
	return is;
}

static void
flips(void)
{
	int fd = open(PART, O_RDWR), bad = 0, unseen = 0;
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		err(1, PART);
	for (off_t n = 0; n < st.st_size; n++) {
		unsigned char c, x;

		if (pread(fd, &c, 1, n) != 1)
			err(1, PART);
		x = c ^ (unsigned char)(1 << n % 8);
		if (pwrite(fd, &x, 1, n) != 1)
			err(1, PART);
		bad += !ours();
		unseen += problems() == 0;
		if (pwrite(fd, &c, 1, n) != 1)
			err(1, PART);
	}
	close(fd);
	printf("# of %lld flips %d unseen\n", (long long)st.st_size, unseen);
	CHECK(bad == 0);
	CHECK(unseen < 8); /* what fills up to the directory */
	CHECK(problems() == 0);
}

static void
cuts(void)
{
	static const char line[] = "# BATCH {job=\"j\"} 1637586000000\n"
				   "m1{a=\"b\"} 1 1637586000000\n# EOF\n";
	struct stat st;
	int bad = 0;

	if (stat(PART, &st) == -1)
		err(1, PART);
	help_run("cp " PART " whole");
	for (off_t n = st.st_size - 1; n >= 0; n -= n > 200 ? 17 : 1) {
		if (truncate(PART, n) == -1)
			err(1, PART);
		bad += !ours() || problems() == 0;
	}
	CHECK(bad == 0);
	/* A writer goes on behind it, with the next number. */
	help_append("s", line);
	CHECK(access("s/20211122/000002.seg", F_OK) == 0);
	help_run("cp whole " PART);
	{
		struct buf b = help_select("s");

		CHECK(str_ends(buf_str(&b), str_of(line)) && b.n > all.n);
		buf_fini(&b);
	}
	help_run("rm s/20211122/000002.seg");
	/* Its segment is still there: nothing is lost. */
	help_run(
	    "cp raw/20211122/000001.seg s/20211122/; truncate -s 999 " PART);
	{
		struct buf b = help_select("s");

		CHECK(str_eq(buf_str(&b), buf_str(&all)));
		buf_fini(&b);
	}
	help_run("rm s/20211122/000001.seg; cp whole " PART);
	/* One that is of another day, or has another name. */
	help_run("cp whole s/20211122/000003-000003.part");
	CHECK(problems() == 2); /* not a part; 2 is missing */
	CHECK(ours());
	help_run("rm s/20211122/000003-000003.part; "
		 "ln -s nothing s/20211122/000002.seg");
	CHECK(ours());
	help_run("rm s/20211122/000002.seg");
}

/* Absent values, in every arrangement, come back. */
static void
holes(void)
{
	double v[STORE_COLUMN_MAX], out[STORE_COLUMN_MAX];
	struct buf b = { NULL, 0, 0 };
	uint32_t seed = 3;
	int bad = 0;
	size_t half = 0;

	for (int i = 0; i < 400; i++) {
		size_t n = 1 + (size_t)i * 7 % STORE_COLUMN_MAX;
		int often = i % 5;

		for (size_t k = 0; k < n; k++) {
			seed = seed * 1664525 + 1013904223;
			v[k] = (double)(k * 3);
			if (often == 4 ? k > n / 2
				       : (seed >> 16) % 5 < (unsigned)often)
				v[k] = num_from_bits(STORE_ABSENT);
		}
		buf_reset(&b);
		store_column_put(&b, v, n);
		if (often == 4 && n > 1000)
			half = b.n;
		bad += store_column_get((const uint8_t *)b.p, b.n, out, n) !=
			b.n ||
		    memcmp(v, out, n * sizeof(*v)) != 0;
		for (size_t k = 0; k < b.n && b.n < 100; k++)
			bad += store_column_get(
				   (const uint8_t *)b.p, k, out, n) > k;
	}
	CHECK(bad == 0);
	/* Absent in one half: some bytes, not a patch for each. */
	CHECK(half > 0 && half < 40);
	buf_fini(&b);
}

int
main(void)
{
	help_begin();
	make();
	all = help_select("s");
	CHECK(problems() == 0);
	flips();
	cuts();
	holes();
	buf_fini(&all);
	help_end();
	return done();
}
