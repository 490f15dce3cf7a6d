/*
 * The limits of a store: the text file "limits" in its directory, a name and a
 * value a line, which writers look at with every batch.
 */
#ifndef STORE_LIMITS_H
#define STORE_LIMITS_H

#include "store/dir.h"

/*
 * What holds for a batch: what is given, and else what the store has.  A file
 * that cannot be read is an error: a limit must not vanish unseen.
 */
int store_limits_use(struct store *s, const struct store_limits *given,
    struct store_limits *out, struct error *e);

#endif
