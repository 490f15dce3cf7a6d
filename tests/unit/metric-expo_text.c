/*
 * metric/expo by corners: tests/data/expo/NAME.cases hold a small page each, by
 * name, and what must come of it; see the head of text.cases.  A page is read
 * three times by one reader, so that what it remembers is in play.
 * Covers expo_text.c and expo_om.c.
 */
#include "check.h"

#include "base/file.h"
#include "base/num.h"
#include "metric/expo.h"

/* %XX is a byte. */
static void
add_bytes(struct buf *b, str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '%' && i + 2 < s.n && str_hex(s.p[i + 1]) >= 0 &&
		    str_hex(s.p[i + 2]) >= 0) {
			buf_byte(b,
			    (char)(str_hex(s.p[i + 1]) * 16 +
				str_hex(s.p[i + 2])));
			i += 2;
		} else
			buf_byte(b, s.p[i]);
}

static void
read_page(struct expo_reader *r, str page, struct buf *out)
{
	struct expo_item it;
	struct error e;
	int k;

	buf_reset(out);
	expo_feed(r, page);
	while ((k = expo_next(r, &it, &e)) != 0) {
		if (k == 1)
			expo_put_item(out, &it);
		else
			buf_printf(out, "! %s\n", e.msg);
	}
	if (expo_end(r, &e) == -1)
		buf_printf(out, "! %s\n", e.msg);
}

static void
one(enum expo_form form, str name, str page, str want)
{
	struct expo_reader *r = expo_new(form, 1000);
	struct buf in = { 0 }, out = { 0 }, b = { 0 };

	add_bytes(&in, page);
	if (str_ends(buf_str(&in), STR("%-\n")))
		in.n -= 3;
	add_bytes(&b, want);
	for (int i = 0; i < 3; i++) {
		bool ok;

		expo_rewind(r);
		read_page(r, buf_str(&in), &out);
		ok = str_eq(buf_str(&out), buf_str(&b));
		CHECK(ok);
		if (!ok)
			printf("# %.*s\n# got\n%.*s# want\n%.*s", STR_ARG(name),
			    STR_ARG(buf_str(&out)), STR_ARG(want));
	}
	expo_free(r);
	buf_fini(&in);
	buf_fini(&out);
	buf_fini(&b);
}

static void
file(const char *path, enum expo_form form, size_t least)
{
	struct buf b = { 0 };
	struct error e;
	str rest, name;
	size_t n = 0;

	CHECK(file_read(path, &b, &e) == 0);
	rest = buf_str(&b);
	rest = str_skip(rest, str_find(rest, STR("\n== ")) + 1);
	while (str_starts(rest, STR("== "))) {
		size_t mid, end;

		rest = str_skip(rest, 3);
		name = str_cut(&rest, '\n');
		mid = str_starts(rest, STR("=>\n"))
		    ? 0
		    : str_find(rest, STR("\n=>\n")) + 1;
		end = str_find(str_skip(rest, mid), STR("\n== ")) + 1;
		one(form, name, str_take(rest, mid),
		    str_skip(str_take(rest, mid + end), mid + 3));
		rest = str_skip(rest, mid + end);
		n++;
	}
	CHECK(n >= least);
	buf_fini(&b);
}

/* The marker and NaN by their bits, through reader and writer. */
static void
bits(void)
{
	struct expo_reader *r = expo_new(EXPO_MF, 1);
	struct expo_item it;
	struct buf b = { 0 };

	expo_feed(r, STR("a NaN\na nan\n# STALE a 5\n"));
	for (int i = 0; i < 3; i++) {
		CHECK(expo_next(r, &it, NULL) == 1);
		CHECK(
		    num_bits(it.v) == (i < 2 ? NUM_NAN_BITS : NUM_STALE_BITS));
		expo_put_sample(&b, it.labels, it.v, it.t);
	}
	CHECK_STR(buf_str(&b), "a NaN 1\na NaN 1\n# STALE a 5\n");
	expo_free(r);
	buf_fini(&b);
}

int
main(void)
{
	bits();
	file("tests/data/expo/text.cases", EXPO_PAGE, 80);
	file("tests/data/expo/om.cases", EXPO_OM, 60);
	return done();
}
