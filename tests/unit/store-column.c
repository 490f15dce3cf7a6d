/*
 * The codec of columns (column.c, column_get.c), and pack.c, lanes.c and
 * lanes_put.c under it: what goes in comes out, bit for bit, in few bytes where
 * the values allow it; and bytes that are no column are refused without being
 * read past.  All of it with what the processor has, and again without.
 */
#include <sys/wait.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "check.h"
#include "store/column.h"
#include "store/pack.h"

#define N 240

static uint64_t state = 88172645463325252u;

static uint64_t
draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

/* Do some of the rows of a column alone come back? */
static bool
some(const uint8_t *p, size_t size, const double *v, size_t n)
{
	double out[STORE_COLUMN_MAX];
	bool same = true;

	for (int k = 0; k < 6; k++) {
		size_t first = draw() % n, m = 1 + draw() % (n - first);

		if (k == 0)
			first = n - 1;
		if (k < 2)
			m = 1;
		same = same && store_column_rows(p, size, out, n, first, m) &&
		    memcmp(out, v + first, m * sizeof(*v)) == 0;
	}
	return same && !store_column_rows(p, size, out, n, n, 1) &&
	    !store_column_rows(p, size, out, n, 0, n + 1) &&
	    !store_column_rows(p, size, out, n, 0, 0);
}

/* Bytes of v as a column, or 0 if it does not come back. */
static size_t
trip(const double *v, size_t n)
{
	struct buf b = { 0 };
	double out[STORE_COLUMN_MAX];
	uint8_t *exactly;
	size_t took, size;

	store_column_put(&b, v, n);
	size = b.n;
	/* In a block of its own, so that a byte too many is seen. */
	exactly = malloc(size);
	memcpy(exactly, b.p, size);
	took = store_column_get(exactly, size, out, n);
	if (!some(exactly, size, v, n))
		took = 0;
	free(exactly);
	buf_fini(&b);
	return took == size && memcmp(out, v, n * sizeof(*v)) == 0 ? size : 0;
}

enum shape {
	SAME,
	COUNTER,
	GAUGE,
	CENTS,
	TICKS, /* a count times 0.001, as exporters do */
	NOISE,
	PAGES, /* multiples of 4096 */
	RESET,
	WIDE,
	SHAPES,
};

static void
shape(double *v, size_t n, enum shape s)
{
	double x = 1000;

	for (size_t i = 0; i < n; i++) {
		uint64_t r = draw();

		switch (s) {
		case SAME:
			v[i] = 17;
			continue;
		case COUNTER:
			x += (double)(r % 7);
			break;
		case GAUGE:
			x += (double)(r % 21) - 10;
			break;
		case CENTS:
			v[i] = (double)(r % 100000) / 100;
			continue;
		case TICKS:
			x += (double)(r % 9);
			v[i] = x * 0.001;
			continue;
		case NOISE:
			v[i] = num_from_bits(r >> 2);
			continue;
		case PAGES:
			x += (double)(r % 3) - 1;
			v[i] = x * 4096;
			continue;
		case RESET:
			x = r % 40 == 0 ? 0 : x + (double)(r % 5);
			break;
		case WIDE:
			v[i] = (double)(int64_t)r;
			continue;
		case SHAPES:
			break;
		}
		v[i] = x;
	}
}

static void
test_shapes(void)
{
	/* most bytes of N values of each */
	static const size_t most[SHAPES] = { [SAME] = 2,
		[COUNTER] = N * 3 / 8 + 16,
		[GAUGE] = N * 5 / 8 + 16,
		[CENTS] = N * 17 / 8 + 16,
		[TICKS] = N * 9 / 8 + 16,
		[NOISE] = N * 8 + 24,
		[PAGES] = N * 2 / 8 + 16,
		[RESET] = N * 4 / 8 + 40,
		[WIDE] = N * 8 + 24 };
	double v[STORE_COLUMN_MAX];

	for (enum shape s = SAME; s < SHAPES; s++) {
		size_t got;

		shape(v, N, s);
		got = trip(v, N);
		CHECK(got > 0 && got <= most[s]);
		for (size_t n = 1; n < 300; n++) {
			shape(v, n, s);
			CHECK(trip(v, n) > 0);
		}
		shape(v, STORE_COLUMN_MAX, s);
		CHECK(trip(v, STORE_COLUMN_MAX) > 0);
	}
}

/* Values that no number stands for, anywhere among others. */
static void
test_odd(void)
{
	static const uint64_t odd[] = { 0x7ff0000000000002, 0x7ff8000000000001,
		0x7ff0000000000000, 0xfff0000000000000, 0x8000000000000000, 1,
		0x7fefffffffffffff, 0xffffffffffffffff };
	double v[STORE_COLUMN_MAX];

	for (size_t k = 0; k < sizeof(odd) / sizeof(*odd); k++)
		for (enum shape s = SAME; s < SHAPES; s++) {
			shape(v, N, s);
			v[0] = num_from_bits(odd[k]);
			CHECK(trip(v, N) > 0);
			v[N - 1] = v[77] = v[78] = v[0];
			CHECK(trip(v, N) > 0);
			for (size_t i = 0; i < N; i += 1 + i % 3)
				v[i] = num_from_bits(odd[(i + k) & 7]);
			CHECK(trip(v, N) > 0);
			CHECK(trip(v, 1) > 0);
			CHECK(trip(v, 2) > 0);
		}
}

/* One odd value costs its own bytes, not the others' packing. */
static void
test_exception(void)
{
	double v[N];
	size_t without, with;

	shape(v, N, COUNTER);
	without = trip(v, N);
	v[100] = num_from_bits(0x7ff0000000000002);
	with = trip(v, N);
	CHECK(with > without && with < without + 24);
}

static void
test_ints(void)
{
	static const int64_t jitter[] = { 0, 1, -1, 2, 0, 0, -2, 1 };
	int64_t t[STORE_COLUMN_MAX], out[STORE_COLUMN_MAX];
	struct buf b = { 0 };

	for (size_t i = 0; i < STORE_COLUMN_MAX; i++)
		t[i] = 1637582400000 + (int64_t)i * 15000;
	store_column_put_ints(&b, t, STORE_COLUMN_MAX);
	CHECK(b.n < 40);
	CHECK(store_column_get_ints(
		  (uint8_t *)b.p, b.n, out, STORE_COLUMN_MAX) == b.n);
	CHECK(memcmp(t, out, sizeof(t)) == 0);
	for (size_t i = 0; i < STORE_COLUMN_MAX; i++)
		t[i] += jitter[draw() & 7];
	for (size_t n = 1; n <= STORE_COLUMN_MAX; n = n * 2 + 1) {
		buf_reset(&b);
		store_column_put_ints(&b, t, n);
		CHECK(
		    store_column_get_ints((uint8_t *)b.p, b.n, out, n) == b.n);
		CHECK(memcmp(t, out, n * sizeof(*t)) == 0);
	}
	t[0] = INT64_MIN;
	t[1] = INT64_MAX;
	t[2] = INT64_MIN;
	t[3] = 0;
	buf_reset(&b);
	store_column_put_ints(&b, t, 4);
	CHECK(store_column_get_ints((uint8_t *)b.p, b.n, out, 4) == b.n);
	CHECK(memcmp(t, out, 4 * sizeof(*t)) == 0);
	buf_fini(&b);
}

/* Cut anywhere, with any byte changed: refused, or some values; no more. */
static void
test_broken(void)
{
	double v[STORE_COLUMN_MAX], out[STORE_COLUMN_MAX];
	struct buf b = { 0 };
	uint8_t *p;

	for (enum shape s = SAME; s < SHAPES; s++) {
		shape(v, N, s);
		v[9] = num_from_bits(0x7ff0000000000002);
		buf_reset(&b);
		store_column_put(&b, v, N);
		for (size_t len = 0; len < b.n; len++) {
			p = malloc(len + 1);
			memcpy(p, b.p, len);
			CHECK(store_column_get(p, len, out, N) == 0);
			free(p);
		}
		for (size_t k = 0; k < 200; k++) {
			size_t i = draw() % b.n, len;
			char was = b.p[i];

			b.p[i] = (char)draw();
			p = malloc(b.n);
			memcpy(p, b.p, b.n);
			len = store_column_get(p, b.n, out, N);
			CHECK(len <= b.n);
			if (len > 0) {
				CHECK(some(p, len, out, N));
			}
			free(p);
			b.p[i] = was;
		}
		CHECK(store_column_get((uint8_t *)b.p, b.n, out, 0) == 0);
		CHECK(store_column_get(
			  (uint8_t *)b.p, b.n, out, STORE_COLUMN_MAX + 1) == 0);
	}
	buf_fini(&b);
}

static void
test_pack(void)
{
	uint64_t v[300], out[300];
	struct buf b = { 0 };

	for (unsigned w = 0; w <= 64; w++)
		for (size_t n = 1; n < 300; n += 43) {
			for (size_t i = 0; i < n; i++)
				v[i] = w == 0 ? 0 : draw() >> (64 - w);
			v[n / 2] = draw() >> (draw() & 63);
			buf_reset(&b);
			store_pack_put(&b, v, n);
			CHECK(b.n <= store_pack_cost(v, n));
			CHECK(
			    store_pack_get((uint8_t *)b.p, b.n, out, n) == b.n);
			CHECK(memcmp(v, out, n * sizeof(*v)) == 0);
		}
	buf_fini(&b);
}

/* This program again, where the C library says that there is no AVX2. */
static void
test_plain(const char *self)
{
	int status = -1;
	pid_t pid;

	if (getenv("GLIBC_TUNABLES") != NULL)
		return;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		setenv("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2", 1);
		if (freopen("/dev/null", "w", stdout) != NULL)
			execl(self, self, (char *)NULL);
		_exit(127);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

int
main(int argc, char **argv)
{
	(void)argc;
	test_shapes();
	test_odd();
	test_exception();
	test_ints();
	test_broken();
	test_pack();
	test_plain(argv[0]);
	return done();
}
