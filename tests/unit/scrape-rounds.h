/*
 * Rounds of one target made by hand, for tests of what becomes of its pages:
 * job="j" is its one label.
 */
#include "scrape/scrape.h"

#define T0 INT64_C(1637582400000)

static struct scrape_job job;
static struct label target_labels[] = { { STR_INIT("job"), STR_INIT("j") } };
static struct scrape_target target = { .labels = { target_labels, 1 },
	.text = STR_INIT("{job=\"j\"}"),
	.job = &job };

/* The samples and comments of a round, without job and time and the report. */
static bool
gives(struct scrape_memory *m, const char *type, str page, const char *want)
{
	struct scrape_answer a = {
		.status = 200, .content_type = str_of(type), .body = page
	};
	struct scrape_text x = { { 0 }, { 0 }, { 0 } };
	struct scrape_result r;
	struct buf b = { 0 };
	str rest;
	bool same;

	scrape_round(m, &target, &a, T0, false, &x, &r);
	rest = buf_str(&x.out);
	while (rest.n > 0) {
		str line = str_cut(&rest, '\n');
		size_t at;

		if (str_find(line, STR("scrape_")) < line.n ||
		    str_starts(line, STR("up{")) ||
		    str_starts(line, STR("# HELP")) ||
		    str_starts(line, STR("# TYPE")) ||
		    str_starts(line, STR("# BATCH")) ||
		    str_starts(line, STR("# STALE *")) ||
		    str_starts(line, STR("# EOF")))
			continue;
		at = str_find(line, STR("job=\"j\""));
		if (str_starts(line, STR("# KIND")))
			at = line.n;
		buf_add(&b, str_take(line, at));
		line = str_skip(line, at + 7);
		if (str_ends(line, STR(" 1637582400000")))
			line.n -= 14;
		buf_add(&b, line);
		buf_byte(&b, '\n');
	}
	if (!r.up)
		buf_printf(&b, "! %s\n", r.error);
	same = str_eq(buf_str(&b), str_of(want));
	if (!same)
		printf("# got\n%.*s# want\n%s", STR_ARG(buf_str(&b)), want);
	buf_fini(&b);
	buf_fini(&x.out);
	buf_fini(&x.before);
	buf_fini(&x.after);
	return same;
}
