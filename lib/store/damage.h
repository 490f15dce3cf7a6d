/*
 * Which files of a store could not be read whole.  Readers leave out what is
 * damaged and go on; what they come upon is noted here, each file once, for
 * who has a stderr to tell of it.
 */
#ifndef STORE_DAMAGE_H
#define STORE_DAMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define STORE_DAMAGE_FILES 32 /* beyond it nothing new is noted */

struct store_damage {
	char name[STORE_DAMAGE_FILES][32]; /* in the store */
	size_t n;
	size_t told;
	/* Some bytes that a writer may be at just now: the next look tells. */
	struct store_suspect {
		char name[32]; /* empty: none */
		int dirfd;
		uint64_t off;
		size_t n;
		uint8_t bytes[64];
	} suspect;
};

/* d may be NULL: nobody wants to know. */
void store_damage_note(struct store_damage *d, const char *name);

/*
 * The n bytes (64 at most) at off, as they were seen, are no good: a file that
 * is written to will have others there the next moment, or it is damaged.
 */
void store_damage_suspect(struct store_damage *d, int dirfd, const char *name,
    uint64_t off, const void *bytes, size_t n);

/* Call a file NAME.damaged, or NAME.damaged1 if there is one; to gets it. */
int store_set_aside(int dirfd, const char *name, char to[64], struct error *e);

/* That name, as long as nobody takes it. */
void store_aside_name(int dirfd, const char *name, char to[64]);

#endif
