/*
 * wire/pb and wire/promproto under libFuzzer: the first byte chooses what is
 * wanted of native histograms.  Whatever text comes of a page must be whole
 * lines of mf text; a line may fail only for what a series must not be (a
 * label twice, say), and none may be of a kind that is not made here.
 */
#include <stdint.h>
#include <stdlib.h>

#include "metric/expo.h"
#include "wire/promproto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct expo_reader *r, str lines)
{
	struct expo_item it;
	struct error e = { "" };
	size_t n = 0, items = 0;
	int k;

	for (str s = lines; s.n > 0; n++)
		(void)str_cut(&s, '\n');
	expo_feed(r, lines);
	while ((k = expo_next(r, &it, &e)) != 0) {
		items++;
		if (k == -1) {
			if (strstr(e.msg, "is not unique") == NULL)
				abort();
			continue;
		}
		if (it.kind == EXPO_BATCH || it.kind == EXPO_EOF ||
		    it.kind == EXPO_STALE || it.kind == EXPO_ALERT ||
		    it.kind == EXPO_STRING)
			abort();
	}
	if (items != n)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct expo_reader *r;
	struct promproto *p;
	struct buf b = { 0 };
	struct error e;

	if (size == 0)
		return 0;
	p = promproto_new(
	    (str){ (const char *)data + 1, size - 1 }, data[0] % 4);
	r = expo_new(EXPO_MF, 7);
	while (promproto_next(p, &b, &e) == 1) {
		check(r, buf_str(&b));
		buf_reset(&b);
	}
	promproto_free(p);
	expo_free(r);
	buf_fini(&b);
	return 0;
}
