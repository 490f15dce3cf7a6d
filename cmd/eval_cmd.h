/*
 * What the files of mf-eval share: the options as given, and the three things
 * the tool can be told to do.
 */
#ifndef EVAL_CMD_H
#define EVAL_CMD_H

#include "answer.h"
#include "input.h"
#include "rule/rule.h"
#include "store/store.h"
#include "tool.h"

/* The end of 9999: a stream's clock does not go further. */
#define EVAL_LAST_TIME INT64_C(253402300799999)

struct eval_options {
	struct input_opts in;
	const char *config;       /* -c FILE[:KEY] */
	struct opt_list rules;    /* -r FILE[:KEY] */
	const char *const *exprs; /* operands */
	size_t nexprs;
	const char *start, *end; /* -s, -e; NULL */
	int64_t step;            /* --step, ms; 0: by the range */
	const char *external_url;
	const char *zone;               /* --tz; NULL: UTC */
	const struct answer_form *form; /* NULL: by what stdout is */
	struct opt_list defines;        /* -D NAME=EXPR */
	struct promql_macro *macros;    /* of them: eval_define() */
	size_t nmacros;
	struct arena arena;             /* what the options point at */
	int64_t every;                  /* -i, ms; 0: once */
	size_t max_samples, max_series; /* of a query; 0: the default, none */
	int64_t timeout;                /* of a query, ms; 0: the default */
	int64_t resend_delay, lookback; /* ms; 0: the default */
	bool once, dry_run, write, exit_status, explain;
};

/* Expressions: their answers, once or every -i. */
int eval_expr(const struct eval_options *o);

/* Rule files at work. */
int eval_rules(const struct eval_options *o);

/* check: are rule files and configurations sound? */
int eval_check(const struct eval_options *o);

/*
 * Add a file (NULL: the standard input) to b; what is longer is an error.  -1
 * and the message: b is freed.
 */
int eval_read(const char *file, struct buf *b, size_t max, struct error *e);

/* -D: names into o->macros; exits 2 if one is wrong. */
void eval_define(struct eval_options *o);

/*
 * An expression of the command line as messages call it, until the next call;
 * a long one is cut.
 */
const char *eval_name(const char *expr);

/* Put the names in and parse. */
struct promql_expr *eval_parse(const struct eval_options *o, str text,
    unsigned features, struct arena *a, struct error *e);

/* fmt and parse: expressions as text. */
int eval_fmt(const struct eval_options *o);
int eval_parse_tree(const struct eval_options *o);

/* explain: what the expressions cost, instead of their answers. */
int eval_explain(const struct eval_options *o);
void eval_put_costs(const struct eval_options *o, struct buf *out,
    const struct answer *a, const struct promql_costs *c);

/* test: do the evaluations of files of the test language come out? */
int eval_test(const struct eval_options *o);

/* Rule files of -c and -r as a set, with what of the configuration it needs. */
struct promconf;
struct eval_config {
	struct promconf *prom; /* NULL without -c */
	struct rule_set *set;
	size_t files, faults;
};

/* -1: the configuration itself can't be read; faults are told one by one. */
int eval_config_load(struct eval_config *c, const struct eval_options *o,
    bool keep_results, struct error *e);
void eval_config_free(struct eval_config *c);

/*
 * Batches into DIR/store: -w.  A store that is not there is made by the first
 * batch, or by eval_writer_begin().
 */
struct eval_writer {
	const char *dir;     /* NULL: nothing is written */
	struct store *store; /* NULL: not yet */
	bool failed;         /* something was not written */
};
void eval_writer_open(struct eval_writer *w, const struct eval_options *o);
void eval_writer_begin(struct eval_writer *w);
void eval_write(struct eval_writer *w, str batch);
void eval_writer_close(struct eval_writer *w);

#endif
