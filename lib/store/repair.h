/*
 * What repair.c and repair_log.c share: a store under repair, with both locks,
 * and the day that is looked at.
 */
#ifndef STORE_REPAIR_H
#define STORE_REPAIR_H

#include "store/dir.h"

struct store_repairs {
	struct store *s;
	struct store_day *d;
	void (*report)(void *arg, const char *msg);
	void *arg;
	struct error *e;
};

__attribute__((format(printf, 3, 4))) void store_repairs_tell(
    const struct store_repairs *w, const char *name, const char *fmt, ...);

/* Metadata; and the labels of the day, which segments and parts speak of. */
int store_repair_meta(const struct store_repairs *w);
int store_repair_labels(const struct store_repairs *w);

/*
 * When nothing speaks of ids any more whose labels are lost: the log ends
 * behind them, so that they come to mean no others.
 */
int store_repair_spare(const struct store_repairs *w);

#endif
