/*
 * What the files of rule/ share.  A rule's state is never changed in place:
 * each evaluation makes the next one in an arena of its own, and the old one
 * is freed as a whole.
 */
#ifndef RULE_RULE_IMPL_H
#define RULE_RULE_IMPL_H

#include "base/map.h"
#include "metric/series.h"
#include "promql/promql.h"
#include "rule/rule.h"

struct rule_tmpl;

#define RULE_NEVER INT64_MIN
#define RULE_RETENTION INT64_C(900000) /* a resolved alert is told for 15 m */
#define RULE_OUTAGE INT64_C(3600000)   /* longer, and `for` starts anew */

struct rule {
	bool alerting;
	str name;
	str text; /* of the expression, canonical */
	struct promql_expr *expr;
	int64_t hold, keep;   /* for, keep_firing_for */
	struct labels labels; /* the group's and its own, not expanded */
	struct labels annotations;
};

struct rule_group {
	str file, name;
	int64_t interval, query_offset, phase;
	int64_t limit;
	struct rule *rules;
	size_t n;
};

struct rule_set {
	struct arena arena;
	struct map names; /* of what the rules write */
	struct rule_opts opts;
	struct rule_group *groups;
	size_t n, cap;
};

enum rule_alert_state { RULE_INACTIVE, RULE_PENDING, RULE_FIRING };

struct rule_alert {
	struct labels labels, annotations;
	enum rule_alert_state state; /* inactive: resolved */
	double value;
	int64_t active, fired, resolved, keep_since, sent; /* RULE_NEVER */
	bool changed; /* state or annotations, since it was printed */
};

/* What a rule knows after an evaluation. */
struct rule_state {
	struct arena arena;
	struct rule_alert *alerts; /* in label order */
	size_t n;
	struct rule_output {
		struct labels labels;
		double v;
	} * series; /* what it wrote last */
	size_t nseries;
	str error; /* empty: it went well */
};

struct rule_group_state {
	int64_t last;   /* slot evaluated last, or RULE_NEVER */
	bool announced; /* metadata was printed by this process */
	struct rule_state *rules;
};

/* The state of a rule that is not there any more. */
struct rule_orphan {
	str file, group;
	str kind, name, labels, expr; /* as in the state's BATCH line */
	int64_t t;
	size_t at; /* index of its group in the set, or SIZE_MAX */
	struct rule_state state;
};

struct rule_engine {
	const struct rule_set *set;
	int64_t start;
	struct rule_group_state *groups;
	struct arena arena; /* names of orphans */
	struct rule_orphan *orphans;
	size_t norphans, orphans_cap;
	struct series_set *fresh; /* results not in the source */
	int64_t back;             /* how far they are kept */
	struct rule_tmpl *tmpl;
	bool changed;
};

/* One evaluation of one rule. */
struct rule_round {
	struct rule_engine *engine;
	const struct rule_group *group;
	const struct rule *rule;
	const struct source *src;   /* with the results of rules before */
	struct promql_share *share; /* of the group's expressions */
	int64_t slot, t;            /* t: slot - query_offset */
	int64_t previous;    /* slot of the group's last round, or RULE_NEVER */
	struct arena *arena; /* for this evaluation */
	struct buf *out;
	const struct rule_sink *sink;
};

/* Tell the sink what is wrong with the round's rule. */
void rule_tell(const struct rule_round *r, const char *msg);

/*
 * Evaluate: old -> next (all zero at first).  -1 and the message when it can't
 * be done; next then is a copy of old with the error.
 */
int rule_record(const struct rule_round *r, const struct rule_state *old,
    struct rule_state *next, struct error *e);
int rule_alert(const struct rule_round *r, const struct rule_state *old,
    struct rule_state *next, struct error *e);

/* label_key() in an arena. */
str rule_key(struct arena *a, struct labels ls);

/* The result of a rule's expression as (labels, value). */
int rule_query(const struct rule_round *r, const struct promql_series **v,
    size_t *n, struct error *e);

/* A sample of the round: printed, kept for later rules, remembered in next. */
void rule_put(const struct rule_round *r, struct rule_state *next, size_t *cap,
    struct labels ls, double v, const struct histogram *h);

/* STALE lines for what old wrote and next did not. */
void rule_put_stale(const struct rule_round *r, const struct rule_state *old,
    const struct rule_state *next);

/* Resolve and forget what an orphan knows: lines of a batch at t. */
void rule_put_orphan(const struct rule_engine *r, struct buf *out,
    const struct rule_orphan *o, int64_t t);

/* An "# ALERT" line; expr is what its generatorURL shows. */
void rule_put_alert(const struct rule_opts *o, struct buf *out,
    const struct rule_alert *a, int64_t t, int64_t ends, str expr);

const char *rule_state_text(enum rule_alert_state s);

/* Expand a template for one result; on failure the text says so. */
str rule_expand(
    const struct rule_round *r, str text, struct labels labels, double value);

/* Templates with Prometheus's functions: see expand.h. */
struct rule_tmpl *rule_tmpl_new(void);
void rule_tmpl_free(struct rule_tmpl *t);

/* Does the text of a rule of that name parse as a template? */
int rule_check_template(
    struct rule_tmpl *t, str name, str text, struct error *e);

/*
 * Both sources as one; of two samples at one time the base's is taken.  All
 * three must outlive what reads from it.
 */
struct rule_overlay {
	const struct source *base, *fresh;
	const struct map *names; /* of all metrics fresh can have */
};
struct source rule_overlay_source(struct rule_overlay *o);

void rule_state_free(struct rule_state *s);

#endif
