/*
 * A log of series that was cut: batches that speak of what it had are not shown
 * then, nor when the log has grown again, nor out of a part; and they are taken
 * as new when they come again.
 */
#include "check.h"
#include "store-help.h"

#define LOG "s/20211122/series.log"

static const char one[] = "# BATCH {job=\"j\"} 1637582400000\n"
			  "a 1 1637582400000\nbb 2 1637582400000\n# EOF\n"
			  "# BATCH {job=\"m\"} 1637582400000\n"
			  "cc 2 1637582400000\n# EOF\n";
/* Of each kind of frame one, with a series that is lost. */
static const char row[] = "# BATCH {job=\"j\"} 1637582401000\n"
			  "a 3 1637582401000\nbb 4 1637582401000\n"
			  "new 5 1637582401000\n# EOF\n";
static const char timed[] = "# BATCH {job=\"j\"} 1637582402000\n"
			    "a 3 1637582401500\nbb 4 1637582402000\n"
			    "new 5 1637582402000\n# EOF\n";
static const char loose[] = "# BATCH {job=\"k\"} 1637582403000\n"
			    "a 3 1637582402500\na 4 1637582403000\n"
			    "new 5 1637582403000\n# EOF\n";
static const char comment[] = "# BATCH {job=\"j\"} 1637582404000\n"
			      "a 3 1637582404000\nbb 4 1637582404000\n"
			      "# EXEMPLAR new {id=\"1\"} 2 1637582404000\n"
			      "# EOF\n";
/* What has no series that is lost stays, whatever lies between. */
static const char after[] = "# BATCH {job=\"m\"} 1637582405000\n"
			    "a 6 1637582405000\nbb 7 1637582405000\n# EOF\n";
static const char later[] = "# BATCH {job=\"l\"} 1637582406000\n"
			    "other 8 1637582406000\na 9 1637582406000\n# EOF\n";
static const char *const lost[] = { row, timed, loose, comment };

static void
compact(void)
{
	struct store *s = help_open("s", STORE_WRITE);
	struct store_compact c = { .now = 1637582500000, .seal = true };
	struct error e;

	CHECK(store_compact(s, &c, &e) == 0 && c.failed == 0);
	store_close(s);
}

static void
told(void *arg, const char *msg)
{
	(void)arg;
	printf("# %s\n", msg);
}

static bool
sound(void)
{
	struct store *s = help_open("s", STORE_READ);
	struct error e;
	int r = store_check(s, told, NULL, &e);

	store_close(s);
	return r == 0;
}

static void
cut(bool sealed)
{
	struct buf all = { NULL, 0, 0 }, less = { NULL, 0, 0 };
	char cmd[128];

	help_run("rm -rf s");
	help_append("s", one);
	help_run("cp " LOG " short");
	buf_z(&less, one);
	buf_z(&all, one);
	for (size_t i = 0; i < sizeof(lost) / sizeof(*lost); i++) {
		help_append("s", lost[i]);
		buf_z(&all, lost[i]);
	}
	help_append("s", after);
	buf_z(&all, after);
	buf_z(&less, after);
	CHECK(help_is(help_select("s"), buf_cstr(&all)));
	snprintf(cmd, sizeof(cmd), "cp short " LOG "; rm -f %s",
	    "s/20211122/series.hash");
	help_run(cmd);
	CHECK(help_is(help_select("s"), buf_cstr(&less)));
	/* What is new makes the log longer than it ever was. */
	help_append("s", later);
	help_append("s", later);
	buf_z(&all, later);
	buf_z(&less, later);
	if (sealed)
		compact();
	CHECK(help_is(help_select("s"), buf_cstr(&less)));
	CHECK(
	    help_is(help_source("s", 1637582401000, 1637582404000, false), ""));
	if (sealed)
		CHECK(sound());
	for (size_t i = 0; i < sizeof(lost) / sizeof(*lost); i++)
		help_append("s", lost[i]);
	CHECK(help_is(help_select("s"), buf_cstr(&all)));
	if (!sealed)
		compact();
	CHECK(help_is(help_select("s"), buf_cstr(&all)));
	buf_fini(&all);
	buf_fini(&less);
}

int
main(void)
{
	help_begin();
	cut(false);
	cut(true);
	help_end();
	return done();
}
