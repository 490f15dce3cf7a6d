/*
 * Where monotonic time and randomness come from.  lib reads no clock: times
 * of data are arguments (int64_t milliseconds since 1970, named t, from, to,
 * now), and what a duration or a jitter needs comes through this table, which
 * cmd/ fills with the real ones and a test with its own.  The wall clock in it
 * is for what another machine holds against its own (the times in a signed
 * token), and never for data; --now does not move it.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
	int64_t (*mono)(void *arg); /* nanoseconds, never goes back */
	uint64_t (*random)(void *arg);
	void *arg;
	int64_t (*wall)(void *arg); /* ms since 1970; NULL: there is none */
};

#endif
