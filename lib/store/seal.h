/*
 * Making a part of segments that nothing is written to any more, and of parts:
 * it says what they said, in the same order, and takes their numbers' place.
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "store/dir.h"
#include "store/thin.h"

/*
 * Seal v[0]..v[n - 1], whose numbers follow each other; drop may be NULL.  On
 * return the part is there under its name and on the disk.  step is told how
 * many samples have been read since it was last called.
 */
int store_seal(const struct store *s, uint32_t day, struct store_seg *const *v,
    size_t n, const struct store_drop *drop,
    void (*step)(void *arg, size_t samples), void *arg, struct error *e);

#endif
