/*
 * Any bytes as an HTTP answer, in pieces: never past its end, and a whole body
 * only once.  The first byte says how long the pieces are.
 */
#include <stdlib.h>

#include "net/fetch_plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fetch f = { 0 };
	struct fetch_plain p = { .fetch = &f, .state = HEAD };
	struct fetch_job j = {
		.fetch = &f, .plain = &p, .max_body = (size_t)1 << 16
	};
	size_t piece, at = 1, n;
	const char *wrong = NULL;
	int rc = 0;

	if (size == 0)
		return 0;
	piece = data[0] == 0 ? size : data[0];
	arena_init(&j.arena);
	p.job = &j;
	for (; at < size && rc == 0; at += n) {
		char *copy;

		n = size - at < piece ? size - at : piece;
		copy = malloc(n);
		memcpy(copy, data + at, n);
		rc = fetch_answer(&p, (str){ copy, n }, &wrong);
		free(copy);
	}
	if (j.body.n > j.max_body || (rc == 1 && p.state != BODY))
		abort();
	if (rc == -1 && wrong == NULL && fetch_body_fault(&j) == NULL &&
	    p.status != 101)
		abort();
	fetch_body_fini(&j);
	arena_fini(&j.arena);
	buf_fini(&p.head);
	return 0;
}
