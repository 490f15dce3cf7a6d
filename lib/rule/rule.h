/*
 * Recording and alerting rules, as Prometheus has them.  Three parts:
 *
 *	struct rule_set		what rule files say: never changes
 *	struct rule_engine	a set at work: what its groups know
 *	rule_step()		(set, state, samples, now) -> (lines, new state)
 *
 * Groups run on slots: a slot is a multiple of the group's interval plus a
 * phase that comes from the hash of its file and name, as upstream; the time
 * of an evaluation is its slot, whenever it is done.  The state is mf text.
 */
#ifndef RULE_RULE_H
#define RULE_RULE_H

#include "base/conf.h"
#include "metric/relabel.h"
#include "metric/source.h"

/* What holds for all rules; copied, but for alert_relabel. */
struct rule_opts {
	int64_t interval;     /* of groups without one, ms; 0: 1 m */
	int64_t query_offset; /* of groups without one, ms */
	int64_t resend_delay; /* ms; 0: 1 m */
	struct labels external_labels;
	/* applied to alerts behind the external labels; borrowed, or NULL */
	const struct relabels *alert_relabel;
	str external_url;  /* without one alerts have no generatorURL */
	unsigned features; /* of expressions: enum promql_feature */
	bool legacy_names; /* metric_name_validation_scheme: legacy */
	/*
	 * Results do not come back through the source (nobody stores them), so
	 * the engine keeps as much of them as its rules look back.
	 */
	bool keep_results;
};

struct rule_set;

struct rule_set *rule_set_new(const struct rule_opts *o);
void rule_set_free(struct rule_set *s);

/*
 * Add the groups of a rule file; path is its rule_file label.  Each fault is
 * told to report as "file:line:col: ..." and counted; what is returned is how
 * many there were.  The tree is not needed afterwards.
 */
size_t rule_add(struct rule_set *s, str path, const struct conf *c,
    void (*report)(void *arg, const char *msg), void *arg);

/* Rules, and groups, of all files so far. */
size_t rule_count(const struct rule_set *s);
size_t rule_groups(const struct rule_set *s);

/*
 * How far back from an evaluation its samples may lie, in ms: how much of a
 * stream must be kept.  False if an @ makes that unbounded.
 */
bool rule_reach(const struct rule_set *s, int64_t *back);

struct rule_engine;

/* An engine whose slots begin at or after start; the set must outlive it. */
struct rule_engine *rule_new(const struct rule_set *s, int64_t start);
void rule_free(struct rule_engine *r);

/*
 * The state as mf text, and back, also into an engine of a changed set: what
 * a rule of the same file, group, name and labels knew, it knows again.
 * Alerts whose rule is gone are resolved by the next rule_step().
 */
void rule_save(const struct rule_engine *r, struct buf *out);
int rule_load(struct rule_engine *r, str text, struct error *e);

/*
 * Has anything changed since rule_saved() was told that a rule_save() has
 * reached the disk, or since rule_load()?
 */
bool rule_changed(const struct rule_engine *r);
void rule_saved(struct rule_engine *r);

/* The next slot of any group; INT64_MAX if there is none. */
int64_t rule_next(const struct rule_engine *r);

enum rule_mode {
	RULE_EACH,   /* every slot that is due: replayed time */
	RULE_LATEST, /* of each group the latest: slots that were missed are
			not made up for */
};

/* Where results go. */
struct rule_sink {
	/* A group's batch, whole: to be stored, then printed. */
	void (*batch)(void *arg, str text);
	/* What went wrong with a rule: `file: group "g", rule 1, "x": ...`. */
	void (*report)(void *arg, const char *msg);
	void *arg;
};

/*
 * Evaluate the slots that are due at or before now, in order of time; a rule
 * sees the results of those before it in its group.  Returns how many groups'
 * rounds there were.
 */
size_t rule_step(struct rule_engine *r, const struct source *src, int64_t now,
    enum rule_mode mode, const struct rule_sink *sink);

#endif
