/*
 * A page such as node_exporter's, for benchmarks: names, label sets and values
 * have the lengths and forms that its pages have (more than half of the
 * values are one digit, some have an exponent, one in a hundred has all 17
 * digits; within a family they are alike).  The same seed makes the same
 * values; names and forms do not depend on it.
 */
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/num.h"

#define PAGE_LARGE 100100 /* series, at 90 bytes a line */
#define PAGE_SMALL 700

static uint64_t
page_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* A value of one of the forms, by kind of 100. */
static void
page_value(struct buf *b, unsigned kind, uint64_t x)
{
	if (kind < 57)
		buf_byte(b, (char)('0' + (x % 8 == 0 ? x / 8 % 10 : x % 2)));
	else if (kind < 77)
		num_print_int(b, (int64_t)(x >> (24 + kind % 20 + x % 4)));
	else if (kind < 86) /* bytes, seconds since 1970: a counter */
		num_format(b, (double)(1000000 + (x >> 24)), 'e', -1);
	else if (kind < 92)
		num_format(b, (double)(x >> 40) / 1e10, 'g', -1);
	else if (kind < 99)
		num_format(b, (double)(x >> 36) / 1e4, 'f', -1);
	else
		num_format(b, (double)(x >> 3) / 0x1p53, 'g', -1);
}

static void
page_make(struct buf *b, unsigned series, uint64_t seed)
{
	static const char *const words[] = { "network_receive", "memory",
		"cpu_guest", "disk_io_time_weighted", "filesystem", "sockstat",
		"netstat_Tcp", "schedstat" };
	static const char *const units[] = { "bytes_total", "seconds_total",
		"errs_total", "info", "operations", "packets_total" };
	unsigned form = 0;
	uint64_t forms = 1, x;
	char name[80];

	buf_reset(b);
	seed = seed * 0x9e3779b97f4a7c15 + 1;
	for (unsigned i = 0; i < series; i++) {
		unsigned f = i / 20, k = i % 20;

		if (k == 0) {
			form = (unsigned)(page_random(&forms) % 100);
			(void)snprintf(name, sizeof(name), "node_%s_%u_%s",
			    words[f % 8], f, units[f % 6]);
			buf_printf(b,
			    "# HELP %s What is counted.\n# TYPE %s %s\n", name,
			    name, f % 3 ? "counter" : "gauge");
		}
		buf_z(b, name);
		if (f % 7 < 5)
			buf_printf(b,
			    "{device=\"vd%u\",instance=\"host-%03u:9100\"", k,
			    f % 143);
		if (f % 7 < 3)
			buf_printf(b, ",mode=\"mode-%u\"", k);
		if (f % 7 < 5)
			buf_byte(b, '}');
		else
			buf_printf(b, "{cpu=\"%u\"}", k);
		buf_byte(b, ' ');
		/* one in five is of another form */
		x = page_random(&seed);
		page_value(b, i % 5 ? form : i * 7 % 100, x >> 8);
		buf_byte(b, '\n');
	}
}

static inline double
page_clock(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* What was spent: for what takes so long that others are let in between. */
static inline double
page_seconds(void)
{
	return page_clock(CLOCK_THREAD_CPUTIME_ID);
}

/*
 * Of the wall, for the best of many short passes.  A thread's own clock is
 * corrected at times for what a machine of many guests takes away, and then a
 * single pass seems too short by half.
 */
static inline double
page_wall(void)
{
	return page_clock(CLOCK_MONOTONIC);
}
