/*
 * Percent-encoding of what stands in a URL or a form (RFC 3986; Go's net/url).
 */
#ifndef BASE_URL_H
#define BASE_URL_H

#include "base/buf.h"
#include "base/str.h"

/*
 * Add s to b; letters, digits, "-_.~" and the bytes of also stay as they are,
 * all others are %XX; with plus a blank is '+' (as in forms and Go's
 * QueryEscape).
 */
void url_escape(struct buf *b, str s, const char *also, bool plus);

/*
 * Add what s stands for to b; with plus '+' is a blank.  Returns s.n, or where
 * in s a '%' is that no two hex digits follow (b then has what is before it).
 */
size_t url_unescape(struct buf *b, str s, bool plus);

#endif
