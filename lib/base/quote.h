/*
 * Text in quotes as Go's strconv writes and reads it: labels in messages and
 * expressions, %q and string literals of templates, matchers of alerts.  (The
 * stream's own escapes, fewer, are metric/label's.)
 */
#ifndef BASE_QUOTE_H
#define BASE_QUOTE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

/*
 * strconv.Quote: "..." with \a \b \f \n \r \t \v \\ \", \x01 for other control
 * characters and for bytes that are not UTF-8, \u200b or \U000e0001 for code
 * points that are not printable.  QuoteToASCII: \u for all beyond ASCII.
 */
void quote_add(struct buf *b, str s);
void quote_add_ascii(struct buf *b, str s);

/* One code point the same way, inside of the quotes given ('"' or '\''). */
void quote_rune(struct buf *b, uint32_t r, char quote, bool ascii);

/*
 * strconv.IsPrint: letters, marks, numbers, punctuation, symbols; of spaces
 * only ' '.  Unicode 13.
 */
bool quote_printable(uint32_t r);

/*
 * The escape that *s begins with (behind its backslash) as n bytes; *s is
 * skipped past it.  false if it is none; \' and \" only inside of such quotes.
 */
bool quote_escape(str *s, char quote, char out[4], size_t *n);

/* What is between quotes, its escapes read, in a; -1 if one is none. */
int quote_read(struct arena *a, str s, char quote, str *out);

#endif
