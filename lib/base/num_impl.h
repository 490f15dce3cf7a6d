/*
 * The insides of num, shared by num*.c and nobody else: the powers of ten that
 * both reading and printing multiply by.
 */
#ifndef BASE_NUM_IMPL_H
#define BASE_NUM_IMPL_H

#include <locale.h>
#include <stdint.h>

#define NUM_TWO53 9007199254740992.0
#define NUM_POW_MIN (-342)
#define NUM_POW_MAX 324

/* The highest 128 bits of a power of ten, rounded up; see num_pow.c. */
struct num_pow {
	uint64_t hi, lo;
};
extern const struct num_pow num_pow[NUM_POW_MAX - NUM_POW_MIN + 1];

/* The "C" locale, whatever the thread's is; nothing is allocated. */
locale_t num_c_locale(void);

#endif
