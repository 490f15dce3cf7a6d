/*
 * Where mf-eval and mf-plot read samples (DESIGN 3): a stream (a file or
 * stdin), a store, or a remote engine, chosen by the same options in the same
 * order, and asked the same way.
 */
#ifndef INPUT_H
#define INPUT_H

#include "metric/series.h"
#include "opt.h"
#include "promql/promql.h"

struct input_opts {
	const char *in;         /* --in FILE; "-" is stdin */
	bool replay;            /* --replay: time comes from the stream */
	const char *url;        /* -u URL or FILE[:KEY] of a datasource */
	const char *datasource; /* --datasource NAME, or NULL */
	const char *dir;        /* -d DIR as given, or NULL */
	int form;               /* --input: 0 mf, 1 om */
	bool strict;            /* the first bad line ends it */
	struct opt_list connect;
	unsigned features; /* --enable-feature: enum promql_feature */
};

/* The options that say so, into a table of the caller's. */
#define INPUT_ROWS 10
void input_rows(struct opt rows[static INPUT_ROWS], struct input_opts *o);

/*
 * Those to parse an expression with: all of them for a remote engine, which
 * refuses what it does not want itself.
 */
unsigned input_features(const struct input_opts *o);

enum input_kind { INPUT_STREAM, INPUT_STORE, INPUT_REMOTE };

struct input;

/*
 * Open what the options say: --in or --replay; else -u; else -d; else stdin if
 * it is a pipe or a file; else the default directory's store.  A store is
 * opened at the first question, a remote engine is asked then.  Says what is
 * wrong and exits if it can't be.
 */
struct input *input_open(const struct input_opts *o);
void input_close(struct input *in);

enum input_kind input_kind(const struct input *in);

/* The store's directory: DIR/store of an INPUT_STORE. */
const char *input_store(const struct input *in);

/*
 * A stream: input_read() reads once, blocking as the descriptor does, and
 * input_next() gives the batches that are complete: 1, or 0 when there is none
 * (yet).  After the end (input_read() false) input_next() gives what is left.
 * Bad lines are said as they are met, and counted; a store that is damaged,
 * too.
 */
int input_fd(const struct input *in);
bool input_read(struct input *in);
int input_next(struct input *in, struct batch *b);
size_t input_bad(struct input *in);

/* Read a stream to its end into a set, keeping what is not before from. */
void input_all(struct input *in, struct series_set *set, int64_t from);

/*
 * Where samples come from, for an INPUT_STORE; the set, for a stream.  -1 with
 * the message if the store can't be opened.
 */
int input_source(struct input *in, struct series_set *set, struct source *src,
    struct error *e);

/*
 * The n expressions that are asked next are about the same samples: what
 * several of them select is read once, until this is called again.
 */
void input_share(struct input *in, struct promql_expr *const *x, size_t n);

/*
 * Ask: an expression that has been parsed, at o->to or over o->from to o->to.
 * A remote engine gets its text.  The answer lives in a.
 */
int input_ask(struct input *in, struct series_set *set,
    const struct promql_expr *x, const struct promql_opts *o, struct arena *a,
    struct promql_result *r, struct error *e);

#endif
