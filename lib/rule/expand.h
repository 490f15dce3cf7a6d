/*
 * Templates of rules: what expand.c and funcs.c share.
 */
#ifndef RULE_EXPAND_H
#define RULE_EXPAND_H

#include "rule/rule_impl.h"
#include "tmpl/tmpl.h"

#define RULE_TMPL_COMMON 8

/* The functions of a rule's templates, and an empty set that knows them. */
struct rule_tmpl {
	struct tmpl_func common[RULE_TMPL_COMMON];
	const struct tmpl_func *tables[2];
	struct tmpl *set;
};

/* What tmpl_user() gives to a function. */
struct rule_user {
	const struct rule_round *round;
};

extern const struct tmpl_func rule_funcs[];

/* A map[string]string in a; the strings are borrowed. */
struct tmpl_value rule_label_map(struct arena *a, struct labels ls);

#endif
