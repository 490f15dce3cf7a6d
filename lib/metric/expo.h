/*
 * The stream of mf-format(5), read and written: exposition text plus the
 * comment lines that carry what text cannot say (DESIGN 2).  One reader serves
 * every tool.
 *
 * The reader is fed blocks of whole lines and hands out one item a line:
 *
 *	expo_feed(r, lines);
 *	while ((k = expo_next(r, &item, &e)) != 0)
 *		if (k == -1)
 *			warnx("%s", e.msg);	("3:14: ...", then go on)
 *
 * An item and all it points at are valid until the next expo_next().  What its
 * kind is not said to have below is not set.
 */
#ifndef METRIC_EXPO_H
#define METRIC_EXPO_H

#include "metric/label.h"

enum expo_kind {
	EXPO_SAMPLE,
	EXPO_STALE,    /* labels, t; all set: "*" */
	EXPO_HIST,     /* labels, text ({count:...}, checked), t */
	EXPO_EXEMPLAR, /* labels, extra (its labels), v, t if has_t */
	EXPO_START,    /* labels, start, t */
	EXPO_ALERT,    /* labels, extra (annotations), t, keys */
	EXPO_STRING,   /* text, t */
	EXPO_HELP,     /* name, text */
	EXPO_TYPE,     /* name, text */
	EXPO_UNIT,     /* name, text */
	EXPO_KIND,     /* name, text (info|stateset|unknown|gaugehistogram) */
	EXPO_BATCH,    /* labels, t, keys */
	EXPO_EOF,
};

/* key=value behind a BATCH or an ALERT, in order; quotes are taken off. */
struct expo_key {
	str name, value;
	bool quoted;
};

struct expo_item {
	enum expo_kind kind;
	size_t line;          /* of the input, from 1 */
	str raw;              /* the whole line without its end */
	str series;           /* sample: the bytes of name{...} as they stand */
	struct labels labels; /* with __name__; the name "_" has been dropped */
	struct labels extra;
	str name;
	str text; /* unescaped */
	double v;
	int64_t t;
	int64_t start;
	bool has_t; /* a sample's own time; else t is the default */
	bool all;
	const struct expo_key *keys;
	size_t nkeys;
	size_t *mark; /* of a sample or metadata, or NULL; see below */
};

/*
 * A reader remembers the series of the pass before (of each batch's labels, of
 * each page), so that a series that stands where it stood costs a comparison
 * and a number.  mark points at a word that belongs to the remembered series
 * and is 0 at first: its consumer may put a number of its own there (an id,
 * say) and finds it again in the next pass, without hashing.  The same mark
 * always means the same labels; the same labels may have several marks, and
 * two consumers of one reader share it: check what it says, as series.c does.
 * Where it is NULL the series is not remembered (yet).  On a page HELP, TYPE,
 * UNIT and KIND have marks, too: the same mark means the same line.
 */

enum expo_form {
	EXPO_MF,   /* mf text: comments are believed, times in ms */
	EXPO_PAGE, /* a fetched page, text 0.0.4: comments but HELP and TYPE
		      are dropped, le and quantile are normalised */
	EXPO_OM,   /* OpenMetrics 1.0, strict; comments dropped as in PAGE */
};

struct expo_reader;

/*
 * default_t is the time of a sample without one outside of any batch; inside
 * a batch it is the batch's.
 */
struct expo_reader *expo_new(enum expo_form form, int64_t default_t);

/*
 * The consumer sets the marks, and does without the labels of a sample whose
 * mark says what it is: they are not kept, and such items have none.  It
 * costs some 40 bytes a series then, not 250.
 */
void expo_lean(struct expo_reader *r);

/*
 * The consumer prints values and does not reckon with them: a sample of a
 * remembered series whose value stands there as num_print() prints it has that
 * as its text, and no v.
 */
void expo_verbatim(struct expo_reader *r);
void expo_free(struct expo_reader *r);

/* Lines to read next; borrowed until expo_next() has returned 0. */
void expo_feed(struct expo_reader *r, str lines);

/*
 * 1 with *item set, 0 when what was fed is used up, -1 on a bad line, which is
 * skipped: "line:col: what is wrong".
 */
int expo_next(struct expo_reader *r, struct expo_item *item, struct error *e);

/* For EXPO_OM: was "# EOF" seen (call at end of input; -1 if it must be)? */
int expo_end(struct expo_reader *r, struct error *e);

/*
 * A new page begins (the next scrape of a target): lines count from 1 again,
 * what TYPE said is forgotten, the series remembered are expected again.  A
 * stream with batches needs no call.
 */
void expo_rewind(struct expo_reader *r);

/* The time for what follows outside of batches. */
void expo_set_time(struct expo_reader *r, int64_t t);

/* A key's value in an item, or the empty string. */
str expo_key(const struct expo_item *item, str name);

/*
 * What a line of a kind begins with, "# STALE " and the like (empty for a
 * sample), for who has the rest of it as text.
 */
str expo_word(enum expo_kind kind);

/* The writer: each adds one whole line to b. */
void expo_put_batch(struct buf *b, struct labels ls, int64_t t,
    const struct expo_key *keys, size_t n);
void expo_put_eof(struct buf *b);
/* A sample that is the staleness marker is written as a STALE line. */
void expo_put_sample(struct buf *b, struct labels ls, double v, int64_t t);
/* The same without a time, for a page. */
void expo_put_sample_now(struct buf *b, struct labels ls, double v);
void expo_put_stale(struct buf *b, struct labels ls, int64_t t);
void expo_put_stale_all(struct buf *b, int64_t t);
void expo_put_start(struct buf *b, struct labels ls, int64_t t0, int64_t t);
void expo_put_string(struct buf *b, str text, int64_t t);
void expo_put_help(struct buf *b, str name, str text);
void expo_put_type(struct buf *b, str name, str type);
void expo_put_unit(struct buf *b, str name, str unit);
void expo_put_kind(struct buf *b, str name, str kind);
void expo_put_hist(struct buf *b, struct labels ls, str text, int64_t t);

/* With t if has_t. */
void expo_put_exemplar(struct buf *b, struct labels ls, struct labels extra,
    double v, bool has_t, int64_t t);
void expo_put_alert(struct buf *b, struct labels ls, struct labels annotations,
    int64_t t, const struct expo_key *keys, size_t n);

/* Any item as its line: what a filter that passes items on prints. */
void expo_put_item(struct buf *b, const struct expo_item *item);

#endif
