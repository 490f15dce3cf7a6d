/*
 * Where samples come from, as a small vtable: "series for these matchers in
 * this range, and their samples as columns".  store/ makes one from a
 * directory, metric/series from text in memory, wire/ from a remote engine;
 * promql/, rule/ and serve/ know only this.  It is the knot that keeps the
 * folders of layer 4 apart; cmd/ ties it.
 */
#ifndef METRIC_SOURCE_H
#define METRIC_SOURCE_H

#include "metric/histogram.h"
#include "metric/match.h"

/*
 * One series of an answer.  Times rise strictly; v[i] may be the staleness
 * marker (num_is_stale).  t and v hold n samples with from <= t <= to, and are
 * NULL when only labels were asked for.  Where h is not NULL, h[i] is the
 * native histogram at t[i], v[i] its sum, or NULL and v[i] is a float.
 */
struct source_series {
	struct labels labels;
	const int64_t *t;
	const double *v;
	const struct histogram *const *h;
	/* Since when the sample counts, ms, 0: unknown; NULL: none known. */
	const int64_t *start;
	size_t n;
};

struct source_query {
	const struct match *m; /* ANDed; nm 0: every series */
	size_t nm;
	int64_t from, to; /* ms, both inclusive */
	bool labels_only; /* series that have a sample in the range */
	bool histograms;  /* native ones too; without it only floats */
	bool starts;      /* start times too */
	/*
	 * What will not be looked at, so that a source need not care: samples
	 * but the newest of each series (a staleness marker, if it is one);
	 * values, but whether they are staleness markers; labels but the
	 * nlabels of few_labels; the order of series.
	 */
	bool last;
	bool any_value;
	bool few_labels;
	const str *labels; /* unlike the rest until close */
	size_t nlabels;
	bool unordered;
};

struct source_cursor; /* the maker's own */

struct source_ops {
	/*
	 * Begin an answer; NULL and the message on error.  The query is only
	 * borrowed until open returns.
	 */
	struct source_cursor *(*open)(
	    void *self, const struct source_query *q, struct error *e);
	/*
	 * The next series in label order: 1, 0 at the end, -1 on error.  It is
	 * valid until the next call.
	 */
	int (*next)(
	    struct source_cursor *c, struct source_series *s, struct error *e);
	void (*close)(struct source_cursor *c);
	/*
	 * Metadata of a metric family, for the API; may be NULL.  Called for
	 * each (metric, type, help, unit) that is known.
	 */
	int (*metadata)(void *self,
	    void (*each)(void *arg, str metric, str type, str help, str unit),
	    void *arg, struct error *e);
	/*
	 * on: what is opened from now on sees one state, whoever writes
	 * meanwhile, until as many calls with off.  NULL: it is always so.
	 */
	void (*hold)(void *self, bool on);
};

struct source {
	const struct source_ops *ops;
	void *self;
};

/* The calls, through the table. */
struct source_cursor *source_open(
    const struct source *s, const struct source_query *q, struct error *e);
int source_next(const struct source *s, struct source_cursor *c,
    struct source_series *out, struct error *e);
void source_close(const struct source *s, struct source_cursor *c);
void source_hold(const struct source *s, bool on);

#endif
