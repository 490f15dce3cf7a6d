/* metric/match. */
#include "check.h"

#include "metric/match.h"

static bool
matches(
    enum match_op op, const char *name, const char *value, const char *series)
{
	struct arena a = { 0 };
	struct labels ls;
	struct match m;
	struct error e;
	bool r = false;

	if (match_init(&m, op, str_of(name), str_of(value), &e) == -1)
		printf("# %s\n", e.msg);
	else if (label_parse(str_of(series), &a, &ls, &e) == 0)
		r = match_labels(&m, ls) && match_all(&m, 1, ls);
	match_fini(&m);
	arena_fini(&a);
	return r;
}

int
main(void)
{
	struct match m;
	struct error e = { "" };
	struct buf b = { 0 };

	CHECK(matches(MATCH_EQ, "a", "1", "m{a=\"1\"}"));
	CHECK(!matches(MATCH_EQ, "a", "1", "m{a=\"12\"}"));
	CHECK(matches(MATCH_EQ, "b", "", "m{a=\"1\"}"));
	CHECK(matches(MATCH_NE, "b", "x", "m{a=\"1\"}"));
	CHECK(!matches(MATCH_NE, "b", "", "m{a=\"1\"}"));
	CHECK(matches(MATCH_EQ, "__name__", "m", "m{a=\"1\"}"));
	CHECK(matches(MATCH_RE, "a", "1|2.*", "m{a=\"23\"}"));
	CHECK(!matches(MATCH_RE, "a", "1|2", "m{a=\"23\"}"));
	CHECK(matches(MATCH_RE, "b", ".*", "m"));
	CHECK(!matches(MATCH_RE, "b", ".+", "m"));
	CHECK(matches(MATCH_NRE, "b", ".+", "m"));
	CHECK(!matches(MATCH_NRE, "a", "x", "m{a=\"x\"}"));
	CHECK(match_init(&m, MATCH_RE, STR("a"), STR("("), &e) == -1);
	CHECK(e.msg[0] != '\0');
	match_fini(&m);
	CHECK(match_init(&m, MATCH_NE, STR("a"), STR("x\"\t"), &e) == 0);
	match_print(&b, &m);
	CHECK_STR(buf_str(&b), "a!=\"x\\\"\\t\"");
	CHECK(match_all(NULL, 0, (struct labels){ NULL, 0 }));
	buf_fini(&b);
	return done();
}
