/*
 * metric/expo under libFuzzer: the first byte chooses the form.  Whatever is
 * read must print as a line of mf text that reads back and prints the same,
 * and a second pass by remembered keys must give what the first one gave.
 */
#include <stdint.h>
#include <stdlib.h>

#include "metric/batch.h"
#include "metric/page.h"
#include "metric/series.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What in says, as mf text; what every item prints must read back. */
static void
read_all(struct expo_reader *r, str in, struct buf *out, bool check)
{
	struct expo_reader *back = expo_new(EXPO_MF, 7);
	struct expo_item i, k;
	struct error e = { "" };
	struct buf again = { 0 };
	size_t from;
	int rc;

	expo_feed(r, in);
	while ((rc = expo_next(r, &i, &e)) != 0) {
		if (rc == -1) {
			buf_printf(out, "! %s\n", e.msg);
			continue;
		}
		from = out->n;
		expo_put_item(out, &i);
		if (!check)
			continue;
		buf_reset(&again);
		expo_feed(back, str_skip(buf_str(out), from));
		if (expo_next(back, &k, &e) != 1)
			abort();
		expo_put_item(&again, &k);
		if (!str_eq(buf_str(&again), str_skip(buf_str(out), from)))
			abort();
	}
	(void)expo_end(r, &e);
	expo_free(back);
	buf_fini(&again);
}

static void
batches(enum expo_form form, str in)
{
	struct batch_reader *r = batch_new(form, 7, in.n % 2 == 1, NULL, NULL);
	struct series_set *s = series_new();
	struct page *p = page_new();
	struct buf out = { 0 };
	struct batch b;
	size_t half = in.n / 2;

	half += str_chr(str_skip(in, half), '\n') + 1;
	for (int pass = 0; pass < 2; pass++) {
		batch_feed(r, str_take(in, half));
		while (batch_next(r, &b) == 1) {
			series_apply(s, &b);
			page_apply(p, &b);
		}
		batch_feed(r, str_skip(in, half));
		batch_end(r);
		while (batch_next(r, &b) == 1) {
			series_apply(s, &b);
			page_apply(p, &b);
		}
	}
	page_print(p, &out, true);
	series_drop(s, 5);
	batch_free(r);
	series_free(s);
	page_free(p);
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum expo_form forms[] = { EXPO_MF, EXPO_PAGE, EXPO_OM };
	struct buf first = { 0 }, second = { 0 };
	struct expo_reader *r;
	enum expo_form form;
	str in;

	if (size == 0)
		return 0;
	form = forms[data[0] % 3];
	in = (str){ (const char *)data + 1, size - 1 };
	r = expo_new(form, 7);
	read_all(r, in, &first, true);
	for (int pass = 0; pass < 2; pass++) {
		expo_rewind(r);
		buf_reset(&second);
		read_all(r, in, &second, false);
		if (!str_eq(buf_str(&first), buf_str(&second)))
			abort();
	}
	expo_free(r);
	batches(form, in);
	buf_fini(&first);
	buf_fini(&second);
	return 0;
}
