#include "store/limits.h"

#include "check.h"
#include "store-help.h"

static void
parsing(void)
{
	struct store_limits l = { .set = 0 };
	struct buf b = { NULL, 0, 0 };
	struct error e;

	CHECK(
	    store_limits_parse(&l, STORE_LIMIT_WINDOW, STR("1h30m"), &e) == 0);
	CHECK(store_limits_parse(&l, STORE_LIMIT_SERIES, STR("12"), &e) == 0);
	CHECK(store_limits_parse(&l, STORE_LIMIT_AGE, STR("none"), &e) == 0);
	CHECK(l.v[STORE_LIMIT_WINDOW] == 5400000);
	CHECK(l.v[STORE_LIMIT_AGE] == STORE_UNLIMITED);
	store_limits_print(&b, &l);
	CHECK_STR(buf_str(&b), "ooo-window 1h30m\nmax-series 12\n");
	CHECK(store_limits_parse(&l, STORE_LIMIT_WINDOW, STR("1"), &e) == -1);
	CHECK(store_limits_parse(&l, STORE_LIMIT_SERIES, STR("-1"), &e) == -1);
	CHECK(store_limits_parse(&l, STORE_LIMIT_SERIES, STR(""), &e) == -1);
	CHECK(store_limits_parse(&l, STORE_LIMIT_SERIES, STR("1h"), &e) == -1);
	CHECK(l.v[STORE_LIMIT_SERIES] == 12);
	for (unsigned i = 0; i < STORE_LIMITS; i++)
		CHECK(store_limit_name(i) != NULL);
	CHECK(store_limit_is_time(STORE_LIMIT_FUTURE));
	CHECK(!store_limit_is_time(STORE_LIMIT_LENGTH));
	buf_fini(&b);
}

/* What is given goes before what the file says, which may change. */
static void
precedence(void)
{
	struct store *s = help_open("store", STORE_WRITE);
	struct store_limits l = { .set = 0 }, given = { .set = 0 };
	struct error e;

	CHECK(store_limits_load(s, &l, &e) == 0 && l.set == 0);
	CHECK(store_limits_parse(&l, STORE_LIMIT_SERIES, STR("7"), &e) == 0);
	CHECK(store_limits_parse(&l, STORE_LIMIT_AGE, STR("1d"), &e) == 0);
	CHECK(store_limits_save(s, &l, &e) == 0);
	CHECK(
	    store_limits_parse(&given, STORE_LIMIT_AGE, STR("none"), &e) == 0);
	CHECK(
	    store_limits_parse(&given, STORE_LIMIT_LABELS, STR("3"), &e) == 0);
	CHECK(store_limits_use(s, &given, &l, &e) == 0);
	CHECK(l.set == (1U << STORE_LIMIT_SERIES | 1U << STORE_LIMIT_LABELS));
	CHECK(l.v[STORE_LIMIT_SERIES] == 7);
	help_run("echo '# by hand' >store/limits");
	CHECK(store_limits_load(s, &l, &e) == 0 && l.set == 0);
	help_run("echo max-cows 7 >store/limits");
	CHECK(store_limits_load(s, &l, &e) == -1);
	CHECK_STR(str_of(e.msg), "limits:1: no limit 'max-cows'");
	/* It stays an error, and nothing is stored meanwhile. */
	CHECK(store_limits_use(s, &given, &l, &e) == -1);
	help_run("head -c 5000 /dev/zero >store/limits");
	CHECK(store_limits_load(s, &l, &e) == -1);
	help_run("rm store/limits");
	CHECK(store_limits_load(s, &l, &e) == 0 && l.set == 0);
	store_close(s);
}

static void
counting(void)
{
	struct store *s = help_open("counts", STORE_WRITE);
	struct store_opts o = { .now = 1600000100000 };
	struct store_counts n;
	struct error e;

	CHECK(store_limits_parse(
		  &o.limits, STORE_LIMIT_WINDOW, STR("10s"), &e) == 0);
	CHECK(
	    store_limits_parse(&o.limits, STORE_LIMIT_AGE, STR("1m"), &e) == 0);
	CHECK(store_limits_parse(&o.limits, STORE_LIMIT_SERIES, STR("2"), &e) ==
	    0);
	n = help_put(s,
	    "a 1 1600000090000\n"
	    "a 1 1600000080000\n"
	    "a 1 1600000079999\n"
	    "b 1 1600000095000\n"
	    "c 1 1600000095000\n"
	    "c 1 1600000096000\n",
	    &o);
	CHECK(n.samples == 3 && n.refused == 3);
	CHECK(n.late == 1 && n.beyond == 2 && n.aged == 0);
	n = help_put(s, "a 1 1600000030000\n", &o);
	CHECK(n.refused == 1 && n.late == 1);
	o.limits.set &= ~(1U << STORE_LIMIT_WINDOW);
	n = help_put(s, "a 1 1600000030000\na 1 1600000050000\n", &o);
	CHECK(n.refused == 1 && n.aged == 1 && n.samples == 1);
	store_close(s);
}

int
main(void)
{
	help_begin();
	parsing();
	precedence();
	counting();
	help_end();
	return done();
}
