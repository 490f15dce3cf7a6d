/*
 * Files of the test language: whatever they say, each evaluation passes, or
 * fails with a reason, or is a fault.
 */
#include <stdlib.h>

#include "promql/promql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	size_t ok, failed, faults;
};

static void
each(void *arg, size_t line, str head, bool ok, str why)
{
	struct seen *s = arg;

	if (line == 0 || head.n == 0 || ok != (why.n == 0))
		abort();
	if (!ok && why.p[why.n - 1] != '\n')
		abort();
	s->ok += ok;
	s->failed += !ok;
}

static void
fault(void *arg, size_t line, size_t col, const char *msg)
{
	struct seen *s = arg;

	if (line == 0 || col == 0 || *msg == '\0')
		abort();
	s->faults++;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen s = { 0 };
	struct promql_test t = { .each = each, .fault = fault, .arg = &s };

	promql_test(&t, (str){ (const char *)data, size });
	if (t.passed != s.ok || t.failed != s.failed || t.faults != s.faults)
		abort();
	return 0;
}
