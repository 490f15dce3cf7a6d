/*
 * Label matchers: name, operator, value.  A label that a set does not have
 * matches as the empty string.  Regexes are anchored at both ends.
 */
#ifndef METRIC_MATCH_H
#define METRIC_MATCH_H

#include "base/re.h"
#include "metric/label.h"

enum match_op {
	MATCH_EQ,  /* =  */
	MATCH_NE,  /* != */
	MATCH_RE,  /* =~ */
	MATCH_NRE, /* !~ */
};

/*
 * name and value are borrowed (match_init copies nothing); the regex belongs
 * to the matcher.
 */
struct match {
	enum match_op op;
	str name, value;
	struct re *re; /* NULL for MATCH_EQ and MATCH_NE */
};

int match_init(
    struct match *m, enum match_op op, str name, str value, struct error *e);
void match_fini(struct match *m);

bool match_value(const struct match *m, str value);
bool match_labels(const struct match *m, struct labels ls);

/* All of n. */
bool match_all(const struct match *m, size_t n, struct labels ls);

/* name="value", as PromQL prints it. */
void match_print(struct buf *b, const struct match *m);

/* "=", "!=", "=~", "!~" */
const char *match_op_text(enum match_op op);

#endif
