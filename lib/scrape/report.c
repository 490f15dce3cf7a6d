/*
 * The report series: what upstream calls them, with the target's labels alone.
 * They are outside of every limit, and stand behind the page's samples.
 */
#include "scrape/report.h"

#include "base/num.h"

static double
up(const struct report *x)
{
	return x->r->up;
}

static double
duration(const struct report *x)
{
	return (double)x->took / 1e9;
}

static double
scraped(const struct report *x)
{
	return (double)x->r->scraped;
}

static double
kept(const struct report *x)
{
	return (double)x->r->kept;
}

static double
added(const struct report *x)
{
	return (double)x->r->added;
}

static double
timeout(const struct report *x)
{
	return (double)x->t->timeout / 1e3;
}

static double
limit(const struct report *x)
{
	return (double)x->t->job->sample_limit;
}

static double
size(const struct report *x)
{
	return x->size;
}

static const struct series {
	const char *name, *help;
	double (*value)(const struct report *);
	bool extra; /* with extra_scrape_metrics alone */
} series[] = {
	{ "up", "Whether the target answered with a page (1) or not (0)", up,
	    false },
	{ "scrape_duration_seconds", "Time it took to fetch the page", duration,
	    false },
	{ "scrape_samples_scraped", "Samples on the page", scraped, false },
	{ "scrape_samples_post_metric_relabeling",
	    "Samples left after metric relabelling", kept, false },
	{ "scrape_series_added", "Series that were not there the time before",
	    added, false },
	{ "scrape_timeout_seconds", "Time the target had to answer", timeout,
	    true },
	{ "scrape_sample_limit", "Samples the page may have, 0 for any number",
	    limit, true },
	{ "scrape_body_size_bytes",
	    "Size of the page, -1 if it was over the limit", size, true },
};

#define NSERIES (sizeof(series) / sizeof(*series))

void
report_metadata(struct buf *b, struct memory_source *s, const struct report *x)
{
	for (size_t i = 0; i < NSERIES; i++) {
		str name = str_of(series[i].name);
		struct memory_family *f;

		if (series[i].extra && !x->t->job->extra_metrics)
			continue;
		f = memory_family(s, name);
		if (f->said[MEMORY_HELP] != s->round || !x->r->up)
			expo_put_help(b, name, str_of(series[i].help));
		if (f->said[MEMORY_TYPE] != s->round || !x->r->up)
			expo_put_type(b, name, STR("gauge"));
	}
}

void
report_samples(struct buf *b, const struct report *x, int64_t t)
{
	for (size_t i = 0; i < NSERIES; i++) {
		if (series[i].extra && !x->t->job->extra_metrics)
			continue;
		/* A classic name before the printed set is the series. */
		buf_z(b, series[i].name);
		buf_add(b, x->t->text);
		buf_byte(b, ' ');
		num_print(b, series[i].value(x));
		buf_byte(b, ' ');
		num_print_int(b, t);
		buf_byte(b, '\n');
	}
}
