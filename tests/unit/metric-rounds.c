/* metric/rounds. */
#include "check.h"

#include "metric/rounds.h"

static struct buf out;

static void
each(void *arg, size_t id)
{
	(void)arg;
	buf_printf(&out, "%zu ", id);
}

/* A round of source, with ids as digits; "!" before one not at its time. */
static str
run(struct rounds *r, const char *source, const char *ids, bool all)
{
	struct label l = { STR("i"), str_of(source) };
	bool at = true;

	buf_reset(&out);
	rounds_begin(r, (struct labels){ &l, 1 });
	for (; *ids != '\0'; ids++) {
		if (*ids == '!') {
			at = false;
			continue;
		}
		rounds_saw(r, (size_t)(*ids - '0'), at);
		at = true;
	}
	rounds_end(r, all, each, NULL);
	return buf_str(&out);
}

int
main(void)
{
	struct rounds *r = rounds_new();

	CHECK_STR(run(r, "a", "123", true), "");
	CHECK_STR(run(r, "a", "2", false), "");
	CHECK_STR(run(r, "a", "", true), "2 ");
	CHECK_STR(run(r, "a", "", true), "");
	/* sources do not see each other's, times of their own are left alone */
	CHECK_STR(run(r, "a", "1!23", true), "");
	CHECK_STR(run(r, "b", "4", true), "");
	CHECK_STR(run(r, "a", "!1", true), "3 ");
	CHECK_STR(run(r, "a", "", true), "");
	/* 5 becomes another series: neither is it ended for what it was */
	CHECK_STR(run(r, "a", "56", true), "");
	rounds_forget(r, 5);
	CHECK_STR(run(r, "b", "5", true), "4 ");
	CHECK_STR(run(r, "a", "", true), "6 ");
	/* nor kept for it, even if it comes in the same round */
	CHECK_STR(run(r, "b", "", true), "5 ");
	/* a series in two sources: one of them has it */
	CHECK_STR(run(r, "a", "7", true), "");
	CHECK_STR(run(r, "b", "7", true), "");
	CHECK_STR(run(r, "a", "8", true), "7 ");
	rounds_free(r);
	rounds_free(NULL);
	buf_fini(&out);
	return done();
}
