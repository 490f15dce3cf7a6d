/*
 * Where monotonic time and randomness come from.  lib reads no clock: times
 * of data are arguments (int64_t milliseconds since 1970, named t, from, to,
 * now), and what a duration or a jitter needs comes through this table, which
 * cmd/ fills with the real ones and a test with its own.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
	int64_t (*mono)(void *arg); /* nanoseconds, never goes back */
	uint64_t (*random)(void *arg);
	void *arg;
};

#endif
