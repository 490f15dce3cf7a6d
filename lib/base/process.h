/*
 * What the running process uses, as every Prometheus client tells it.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stddef.h>

/* A counter if the name ends in _total, else a gauge. */
struct process_metric {
	const char *name, *help;
	double value;
};

#define PROCESS_METRICS 9

/* All that can be read now; how many there are.  Names and helps are static. */
size_t process_read(struct process_metric v[PROCESS_METRICS]);

#endif
