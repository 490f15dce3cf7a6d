/*
 * rule/overlay: what is stored and what was just computed, as one source.
 */
#include "check.h"
#include "metric/series.h"
#include "rule/rule_impl.h"

/* A series of both halves: times, values and start times, known or not. */
static void
test_both(void)
{
	struct series_set *base = series_new(), *fresh = series_new();
	struct source b = series_source(base), f = series_source(fresh), both;
	struct map names = { 0 };
	struct rule_overlay overlay = { &b, &f, &names };
	struct label x[] = { { LABEL_NAME, STR("x") } };
	struct source_query q = { .from = 0, .to = 9000, .starts = true };
	struct source_cursor *c;
	struct source_series s;
	struct labels ls = { x, 1 };
	struct error e;

	series_add(base, ls, 1000, 1);
	series_start(base, ls, 1000, 500);
	series_add(base, ls, 3000, 3);
	series_add(fresh, ls, 2000, 2);
	series_add(fresh, ls, 3000, 9);
	map_add(&names, STR("x"), NULL);
	both = rule_overlay_source(&overlay);
	c = source_open(&both, &q, &e);
	CHECK(c != NULL && source_next(&both, c, &s, &e) == 1);
	CHECK(s.n == 3 && s.t[0] == 1000 && s.t[1] == 2000 && s.t[2] == 3000);
	CHECK(s.v[0] == 1 && s.v[1] == 2 && s.v[2] == 3);
	CHECK(s.start != NULL && s.start[0] == 500 && s.start[1] == 0);
	CHECK(source_next(&both, c, &s, &e) == 0);
	source_close(&both, c);
	map_fini(&names);
	series_free(base);
	series_free(fresh);
}

int
main(void)
{
	test_both();
	return done();
}
