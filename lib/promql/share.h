/*
 * What the two halves of a share know, private to promql/: share_plan.c finds
 * out what is worth reading once, share.c is the source that does so.
 *
 * A wish is what selectors with the same matchers want of a stretch of time; a
 * read is what is asked of the source for it: a wish that several have, or a
 * family of wishes that differ in the value of one label alone.
 */
#ifndef PROMQL_SHARE_H
#define PROMQL_SHARE_H

#include "base/map.h"
#include "promql/ast.h"

enum share_state { SHARE_EMPTY, SHARE_MAKING, SHARE_COMPLETE, SHARE_GIVEN_UP };

struct share_read {
	enum share_state state;
	int64_t from, to;
	bool last; /* only the newest sample of a series is wanted */
	/* A family: the place of the matcher and the values; else n is 0. */
	size_t place, n;
	str *value;
	/* What is kept: series, and of a family those of each member. */
	struct source_series *v;
	size_t nv, cap, samples;
	bool histograms, starts; /* asked for */
	size_t *of, *first;      /* of[first[i]] up to first[i + 1] */
	struct arena a;
	struct share_read *next;
};

struct share_wish {
	int64_t from, to;
	bool last;
	size_t said;
	struct share_read *read; /* NULL: nobody else wants it */
	size_t member;           /* of the read's family */
	struct share_wish *next;
};

/* Selectors with the same matchers. */
struct share_selector {
	struct match *m; /* without regexes */
	size_t nm;
	struct share_wish *wishes; /* that do not overlap */
	struct share_selector *next;
};

struct promql_share {
	const struct source *base;
	struct map selectors; /* by their matchers as bytes */
	struct share_selector *all;
	struct share_read *reads;
	bool planned;
	/* twin.c: parts of expressions by their text, and by their node */
	struct map texts, nodes;
	struct twin *twins;
	size_t samples, max;
	struct arena a; /* all of the above */
};

/* Matchers as bytes, none of which can be another's. */
void promql_share_key(struct buf *b, const struct match *m, size_t n);

/* Wishes into reads; is there any? */
bool promql_share_plan(struct promql_share *s);

#endif
