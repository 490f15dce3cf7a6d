/*
 * What tools say of a store that is damaged.
 */
#ifndef DAMAGED_H
#define DAMAGED_H

#include "store/store.h"

/* Tell, once each, which files could not be read whole; were there any? */
bool damaged_tell(struct store *s);

/*
 * For a writer, whom only the files concern that it began anew; s may
 * be NULL.
 */
void damaged_aside(struct store *s);

#endif
