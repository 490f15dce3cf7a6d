/*
 * The insides of promproto, shared by promproto*.c and nobody else.
 */
#ifndef WIRE_PROMPROTO_IMPL_H
#define WIRE_PROMPROTO_IMPL_H

#include "wire/promproto.h"

/* As the message has them. */
enum promproto_type {
	PROMPROTO_COUNTER,
	PROMPROTO_GAUGE,
	PROMPROTO_SUMMARY,
	PROMPROTO_UNTYPED,
	PROMPROTO_HISTOGRAM,
	PROMPROTO_GAUGE_HISTOGRAM,
};

struct promproto {
	str page; /* what is left of it */
	unsigned how;
	size_t made; /* bytes of text so far */
	struct arena a;

	/* the family being read */
	str name, help, unit;
	uint64_t type;
	struct pb metrics;     /* its fields, looked through for metrics */
	bool described, plain; /* plain: a name that needs no quotes */

	/* the metric being read */
	struct buf labels; /* a="b",c="d" */
	struct buf series; /* the one that lines are put of */
	struct buf *out;
	size_t max; /* the length out may come to */
	int64_t t, start;
	bool has_start;
};

/* Fields: each is held against its type.  0, -1. */
int promproto_number(const struct pb_field *f, double *v, struct error *e);
int promproto_whole(const struct pb_field *f, double *v, struct error *e);
int promproto_start_time(
    struct promproto *p, const struct pb_field *f, struct error *e);

/*
 * The series that lines are put of next: the family's name with a suffix, and a
 * label more if it has a name.
 */
void promproto_series(
    struct promproto *p, const char *suffix, const char *name, double value);

/* Its sample, and what its counting began with, if that was said. */
int promproto_sample(struct promproto *p, double v, struct error *e);
int promproto_start(struct promproto *p, struct error *e);

/*
 * An Exemplar of it.  One with too many labels is left out, as is one without
 * a time if it must have one.
 */
int promproto_exemplar(struct promproto *p, const struct pb_field *from,
    bool timed, struct error *e);

/* " t" if there is one, and the line's end. */
int promproto_end(struct promproto *p, bool has_t, int64_t t, struct error *e);

/* promproto_hist.c: all lines of these two. */
int promproto_summary(struct promproto *p, str bytes, struct error *e);
int promproto_histogram(struct promproto *p, str bytes, struct error *e);

#endif
