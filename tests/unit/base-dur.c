/* base/dur: both grammars, both ways. */
#include "base/dur.h"

#include "check.h"

static int64_t
ms(const char *z)
{
	int64_t v = 0;

	return dur_parse(str_of(z), &v, NULL) == 0 ? v : -1;
}

static int64_t
ns(const char *z)
{
	int64_t v = 0;

	return dur_parse_go(str_of(z), &v, NULL) == 0 ? v : INT64_MIN;
}

static bool
refuses(int (*parse)(str, int64_t *, struct error *), const char *z,
    const char *want)
{
	struct error e = { "" };
	int64_t v;

	if (parse(str_of(z), &v, &e) == -1 && strcmp(e.msg, want) == 0)
		return true;
	printf("# %s: %s\n", z, e.msg);
	return false;
}

static bool
prints(void (*print)(struct buf *, int64_t), int64_t v, const char *want)
{
	struct buf b = { 0 };
	bool ok;

	print(&b, v);
	ok = str_eq(buf_str(&b), str_of(want));
	if (!ok)
		printf("# %s, not %s\n", buf_cstr(&b), want);
	buf_fini(&b);
	return ok;
}

static void
prometheus(void)
{
	int64_t v;

	CHECK(ms("0") == 0 && ms("0s") == 0);
	CHECK(ms("1m") == 60000 && ms("1h30m") == 5400000);
	CHECK(ms("1y2w3d4h5m6s7ms") == 33019506007);
	CHECK(ms("250ms") == 250 && ms("001s") == 1000);
	CHECK(ms("292y") == INT64_C(292) * 365 * 86400000);
	CHECK(refuses(dur_parse, "", "empty duration string"));
	CHECK(refuses(dur_parse, "1", "not a valid duration string: \"1\""));
	CHECK(
	    refuses(dur_parse, "-1s", "not a valid duration string: \"-1s\""));
	CHECK(refuses(
	    dur_parse, "1m1h", "not a valid duration string: \"1m1h\""));
	CHECK(refuses(
	    dur_parse, "1m1m", "not a valid duration string: \"1m1m\""));
	CHECK(refuses(
	    dur_parse, "1.5h", "unknown unit \".\" in duration \"1.5h\""));
	CHECK(
	    refuses(dur_parse, "1x", "unknown unit \"x\" in duration \"1x\""));
	CHECK(refuses(
	    dur_parse, "1 m", "unknown unit \" m\" in duration \"1 m\""));
	CHECK(refuses(dur_parse, "300y", "duration out of range"));
	CHECK(refuses(dur_parse, "99999999999999999999s",
	    "not a valid duration string: \"99999999999999999999s\""));
	CHECK(dur_parse_signed(STR("-1h30m"), &v, NULL) == 0 && v == -5400000);
	CHECK(dur_parse_signed(STR("5s"), &v, NULL) == 0 && v == 5000);
	CHECK(dur_parse_signed(STR("--5s"), &v, NULL) == -1);
	CHECK(dur_parse_signed(STR("-"), &v, NULL) == -1);
	CHECK(
	    prints(dur_print, 0, "0s") && prints(dur_print, 5400000, "1h30m"));
	CHECK(prints(dur_print, 7 * 86400000, "1w"));
	CHECK(prints(dur_print, 90 * INT64_C(86400000), "90d"));
	CHECK(prints(dur_print, 33019506007, "382d4h5m6s7ms"));
	CHECK(prints(dur_print, 365 * INT64_C(86400000), "1y"));
	CHECK(prints(dur_print, -61001, "-1m1s1ms"));
	CHECK(prints(dur_print, INT64_MIN, "-106751991167d7h12m55s808ms"));
}

static void
go(void)
{
	CHECK(ns("0") == 0 && ns("1ns") == 1 && ns("1.5s") == 1500000000);
	CHECK(ns("1h30m0s") == INT64_C(5400000000000));
	CHECK(ns("-2m3.4s") == -INT64_C(123400000000));
	CHECK(ns("+5s") == INT64_C(5000000000));
	CHECK(ns("39h9m14.425s") == INT64_C(140954425000000));
	CHECK(ns(".5h") == INT64_C(1800000000000) && ns("1.s") == 1000000000);
	CHECK(ns("1us") == 1000 && ns("1\xc2\xb5s") == 1000);
	CHECK(ns("9223372036854775807ns") == INT64_MAX);
	CHECK(refuses(dur_parse_go, "", "time: invalid duration \"\""));
	CHECK(refuses(dur_parse_go, "-", "time: invalid duration \"-\""));
	CHECK(refuses(dur_parse_go, ".s", "time: invalid duration \".s\""));
	CHECK(
	    refuses(dur_parse_go, "3", "time: missing unit in duration \"3\""));
	CHECK(refuses(
	    dur_parse_go, "1d", "time: unknown unit \"d\" in duration \"1d\""));
	CHECK(refuses(dur_parse_go, "9223372036854775808ns",
	    "time: invalid duration \"9223372036854775808ns\""));
	CHECK(refuses(
	    dur_parse_go, "2562048h", "time: invalid duration \"2562048h\""));
	CHECK(prints(dur_print_go, 0, "0s") && prints(dur_print_go, 1, "1ns"));
	CHECK(prints(dur_print_go, 1100, "1.1\xc2\xb5s"));
	CHECK(prints(dur_print_go, 2200000, "2.2ms"));
	CHECK(prints(dur_print_go, INT64_C(90000000000), "1m30s"));
	CHECK(prints(dur_print_go, INT64_C(5400000000000), "1h30m0s"));
	CHECK(prints(dur_print_go, INT64_C(3605001000000), "1h0m5.001s"));
	CHECK(prints(dur_print_go, INT64_MIN, "-2562047h47m16.854775808s"));
}

int
main(void)
{
	prometheus();
	go();
	return done();
}
