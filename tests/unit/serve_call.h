/*
 * A request to a struct serve without a network: what the tests of serve/
 * share.
 */
#include <stdlib.h>

#include "check.h"
#include "net/httpd_request.h"
#include "serve/context.h"

static int64_t test_time; /* ns, of the clock below */

static int64_t
test_mono(void *arg)
{
	(void)arg;
	return test_time += 1000000;
}

static const struct clock test_clock = { .mono = test_mono };
static struct arena test_arena;
static struct httpd_answer answer;

/* The outcome is in answer, until the next call. */
static int
call_with(struct serve *s, const char *method, const char *target,
    const struct httpd_param *headers, size_t nheaders, str body)
{
	struct httpd_request q = { .method = str_of(method),
		.headers = headers,
		.nheaders = nheaders,
		.body = body,
		.peer = STR("127.0.0.1"),
		.arena = &test_arena };
	const char *why;

	buf_fini(&answer.body);
	arena_reset(&test_arena);
	answer = (struct httpd_answer){ .status = 200 };
	if (httpd_parse(&q, str_of(target), &why) != 0)
		return -1;
	serve_handle(s, INT64_C(1637582400000), &q, &answer);
	return answer.status;
}

static int __attribute__((unused)) get(struct serve *s, const char *target)
{
	struct httpd_param host = { STR("Host"), STR("h:1") };

	return call_with(s, "GET", target, &host, 1, STR_NONE);
}

static bool __attribute__((unused)) has(const char *text)
{
	str b = buf_str(&answer.body);

	if (str_find(b, str_of(text)) < b.n)
		return true;
	printf("# no '%s' in: %.*s\n", text, STR_ARG(b));
	return false;
}

static bool __attribute__((unused)) lacks(const char *text)
{
	str b = buf_str(&answer.body);

	return str_find(b, str_of(text)) == b.n;
}

/* A header of the answer. */
static str __attribute__((unused)) header(const char *name)
{
	for (size_t i = 0; i < answer.nheaders; i++)
		if (str_eq(answer.headers[i].name, str_of(name)))
			return answer.headers[i].value;
	return STR_NONE;
}

static void
call_done(void)
{
	buf_fini(&answer.body);
	arena_fini(&test_arena);
}
