/* base/process: what this process uses, held against what it does. */
#include "base/process.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static double
value(const char *name)
{
	struct process_metric v[PROCESS_METRICS];
	size_t n = process_read(v);

	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].name, name) == 0)
			return v[i].help[0] != '\0' ? v[i].value : NAN;
	return NAN;
}

static void
test_descriptors(void)
{
	double before = value("process_open_fds");
	struct rlimit l;
	int fd = open("/dev/null", O_RDONLY);

	CHECK(before >= 3 && value("process_open_fds") == before + 1);
	close(fd);
	CHECK(value("process_open_fds") == before);
	CHECK(getrlimit(RLIMIT_NOFILE, &l) == 0);
	CHECK(value("process_max_fds") == (double)l.rlim_cur);
}

static void
test_times(void)
{
	double start = value("process_start_time_seconds");
	double spent = value("process_cpu_seconds_total");
	clock_t from = clock();

	CHECK(fabs((double)time(NULL) - start) < 3600);
	while (clock() - from < CLOCKS_PER_SEC / 20)
		;
	CHECK(value("process_cpu_seconds_total") > spent);
}

static void
test_memory(void)
{
	CHECK(value("process_resident_memory_bytes") > 100000);
	CHECK(value("process_virtual_memory_bytes") >=
	    value("process_resident_memory_bytes"));
	CHECK(value("process_virtual_memory_max_bytes") > 0);
}

int
main(void)
{
	struct process_metric v[PROCESS_METRICS];

	CHECK(process_read(v) >= 7);
	test_descriptors();
	test_times();
	test_memory();
	return done();
}
