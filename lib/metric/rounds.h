/*
 * Which series "# STALE *" ends (DESIGN 2): those that the batch before with
 * the same labels had at its time and that this one has no sample of.  Series
 * are the caller's, by small numbers; it says what a batch holds, and is told
 * at its end what is gone.
 *
 *	rounds_begin(r, batch->labels);
 *	rounds_saw(r, id, t == batch->t);	(each sample)
 *	rounds_end(r, all, each, arg);		(all: there was a STALE *)
 */
#ifndef METRIC_ROUNDS_H
#define METRIC_ROUNDS_H

#include "metric/label.h"

struct rounds;

struct rounds *rounds_new(void);
void rounds_free(struct rounds *r);

void rounds_begin(struct rounds *r, struct labels batch);
void rounds_saw(struct rounds *r, size_t id, bool at_batch_time);

/* With all, each() is called for every series that is gone. */
void rounds_end(
    struct rounds *r, bool all, void (*each)(void *arg, size_t id), void *arg);

/* The caller uses id for another series from now on. */
void rounds_forget(struct rounds *r, size_t id);

#endif
