/*
 * Inside of relabel: one rule as it was read.  Only relabel*.c include this.
 * Its texts are the configuration's.
 */
#ifndef METRIC_RELABEL_RULE_H
#define METRIC_RELABEL_RULE_H

#include "base/re.h"
#include "metric/relabel.h"

enum relabel_action {
	RELABEL_REPLACE,
	RELABEL_KEEP,
	RELABEL_DROP,
	RELABEL_KEEPEQUAL,
	RELABEL_DROPEQUAL,
	RELABEL_HASHMOD,
	RELABEL_LABELMAP,
	RELABEL_LABELDROP,
	RELABEL_LABELKEEP,
	RELABEL_LOWERCASE,
	RELABEL_UPPERCASE,
	RELABEL_ACTIONS
};

struct relabel {
	enum relabel_action action;
	str *source;
	size_t nsource;
	str separator, target, replacement;
	uint64_t modulus;
	struct re *re;
	bool any;    /* the regex is (.*): everything matches, value known */
	bool copies; /* and what is set is what matched */
	bool target_var, replacement_var; /* there is a $ in it */
	bool legacy;
	const struct conf_node *node;
};

const char *relabel_rule_action(enum relabel_action action);

/* May a label be called so? */
bool relabel_rule_name(const struct relabel *r, str name);

/* As one line of YAML, in a. */
str relabel_rule_text(const struct relabel *r, struct arena *a);

#endif
