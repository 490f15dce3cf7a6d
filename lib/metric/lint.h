/*
 * Is a page good style?  The rules of Prometheus's promlint, as "promtool check
 * metrics" of 2.42 has them, held against what a reader says of a page.  A page
 * that a scrape would take may still be refused here, as there: metadata that
 * comes twice, or too late.
 */
#ifndef METRIC_LINT_H
#define METRIC_LINT_H

#include "metric/expo.h"

struct lint;

struct lint_problem {
	str metric; /* the family's name */
	str text;
};

/* How many series a family has. */
struct lint_family {
	str name;
	size_t series;
};

struct lint *lint_new(void);
void lint_free(struct lint *l);

/* An item of the page; -1 for what is refused, without the place. */
int lint_item(struct lint *l, const struct expo_item *it, struct error *e);

/*
 * What was found, sorted by metric and text; lives as long as l.  Families
 * without a sample do not count.
 */
const struct lint_problem *lint_problems(struct lint *l, size_t *n);

/* The families, those of most series first, then by name. */
const struct lint_family *lint_families(struct lint *l, size_t *n);

#endif
