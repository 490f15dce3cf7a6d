/*
 * Relabelling: the rules of relabel_configs, metric_relabel_configs,
 * alert_relabel_configs and write_relabel_configs, read from a configuration
 * and applied to a label set, as Prometheus does (its relabel package; what is
 * exact is in the configuration page of its documentation).
 */
#ifndef METRIC_RELABEL_H
#define METRIC_RELABEL_H

#include "base/conf.h"
#include "metric/label.h"

struct relabel; /* one rule */

struct relabels {
	struct relabel **v;
	size_t n;
};

/*
 * Read a list of rules; NULL or an empty node gives none.  key is the list's
 * name in messages.  With legacy a label name must be a classic one.  The rules
 * borrow from the configuration.
 */
int relabel_load(struct relabels *r, const struct conf_node *list,
    const char *key, bool legacy, struct error *e);
void relabel_free(struct relabels *r);

/*
 * Change the set in place; what the set points at lives in a.  False: it is
 * dropped (and the set is as it was at that step).
 */
bool relabel_apply(
    const struct relabels *r, struct label_set *set, struct arena *a);

/* A step of the same, told to whoever wants to know. */
struct relabel_step {
	size_t i;           /* the rule, from 0 */
	const char *action; /* its name */
	str rule;           /* it as one line of YAML flow text */
	str value;          /* what its source_labels gave */
	bool matched, kept; /* kept: not dropped here */
	struct labels before, after;
};

/* relabel_apply(), with each step told before the next one is taken. */
bool relabel_explain(const struct relabels *r, struct label_set *set,
    struct arena *a, void (*step)(void *arg, const struct relabel_step *s),
    void *arg);

#endif
