/*
 * What the tests of discovery share: a configuration of one job made from the
 * text of its scrape_config, a clock that a test sets, and groups as text.
 */
#include <stdlib.h>

#include "scrape/sd.h"

struct sd_test {
	struct conf *conf;
	struct scrape_job job;
	struct scrape_job *jobs[1];
	struct scrape_config config;
	struct scrape_sd *sd;
	int64_t now; /* ms */
	struct clock clock;
	struct buf text;
};

static int64_t
test_mono(void *arg)
{
	return ((struct sd_test *)arg)->now * 1000000;
}

/* Check and open; false with the message in e. */
static bool
test_open(struct sd_test *t, const char *text, const char *name,
    struct fetch *fetch, const char *dns, struct error *e)
{
	*t = (struct sd_test){ .now = 1000 };
	t->clock = (struct clock){ .mono = test_mono, .arg = t };
	t->conf = conf_parse(str_of(text), name, NULL, e);
	if (t->conf == NULL)
		return false;
	t->job =
	    (struct scrape_job){ .name = STR("j"), .node = conf_root(t->conf) };
	t->jobs[0] = &t->job;
	t->config = (struct scrape_config){ .jobs = t->jobs, .njobs = 1 };
	if (sd_check(&t->job, e) == -1)
		return false;
	t->sd = scrape_sd_new(&t->config, fetch, &t->clock, dns, e);
	return t->sd != NULL;
}

static void
test_close(struct sd_test *t)
{
	scrape_sd_free(t->sd);
	conf_free(t->conf);
	buf_fini(&t->text);
}

/* "source {labels}: {target} {target}\n" for each group. */
static inline str
test_groups(struct sd_test *t)
{
	const struct sd_group *const *v;
	size_t n = sd_groups(t->sd, &t->job, &v);

	buf_reset(&t->text);
	for (size_t i = 0; i < n; i++) {
		buf_add(&t->text, v[i]->source);
		buf_byte(&t->text, ' ');
		label_print_set(&t->text, v[i]->labels);
		buf_byte(&t->text, ':');
		for (size_t k = 0; k < v[i]->ntargets; k++) {
			buf_byte(&t->text, ' ');
			label_print_set(&t->text, v[i]->targets[k]);
		}
		buf_byte(&t->text, '\n');
	}
	return buf_str(&t->text);
}

/* The error that is left to tell, or "". */
static inline str
test_error(struct sd_test *t, struct error *e)
{
	return scrape_sd_error(t->sd, e) ? str_of(e->msg) : STR("");
}
