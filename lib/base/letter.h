/*
 * Upper and lower case, one code point for one, as Go's strings.ToUpper and
 * ToLower have it (Unicode 14, the simple mappings; no locale has a say).
 */
#ifndef BASE_LETTER_H
#define BASE_LETTER_H

#include "base/buf.h"

uint32_t letter_upper(uint32_t r);
uint32_t letter_lower(uint32_t r);

/* Add s in the other case; a byte that is not UTF-8 becomes U+FFFD. */
void letter_upper_add(struct buf *b, str s);
void letter_lower_add(struct buf *b, str s);

#endif
