/*
 * Regular expressions in Go's syntax (regexp/syntax 1.22 with Perl's flags,
 * Unicode 15), in time linear in the subject: nothing backtracks, so a hostile
 * pattern costs no more than any other of its size.
 *
 * What Go refuses is refused with its words.  Beyond that, "expression nests
 * too deeply" is said of groups more than 1000 deep that only group, and
 * "expression too large" of a program of more than 2^20 instructions (Go stops
 * at 3.3 million), of 2^20 ranges of characters, and of 2^23 instructions
 * times bounds of groups.  So a pattern takes 30 MiB at most (while it is
 * compiled 120 bytes for each of its own, too), and 1 MiB more for states that
 * are made while subjects come and forgotten when they are too many; finding
 * captures takes 200 MiB at most.  Usual patterns take some kilobytes.
 *
 * A subject should be UTF-8; of any other a byte that does not belong counts
 * as U+FFFD, as in Go.
 *
 * Any number of threads may use one const struct re at a time: the states
 * belong to one call, which takes them without waiting, and calls that find
 * them taken do without, slower.  Threads that match much have a struct re
 * each.
 */
#ifndef BASE_RE_H
#define BASE_RE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

struct re;

enum re_flags {
	RE_ANCHORED = 1, /* the whole subject, as ^(?s:...)$: matchers */
};

/* Compile; NULL and Go's wording of the fault if it is not one. */
struct re *re_new(str pattern, unsigned flags, struct error *e);
void re_free(struct re *re);

/* Does it match (anywhere, or as a whole if RE_ANCHORED)? */
bool re_match(const struct re *re, str subject);

/* Groups, the whole match included: 1 and up. */
size_t re_groups(const struct re *re);

/*
 * The leftmost-first match at or after from, with captures: cap[2i], cap[2i+1]
 * are the bounds of group i, or (size_t)-1.  cap has 2 * re_groups() places.
 */
bool re_find(const struct re *re, str subject, size_t from, size_t *cap);

/* Add tmpl to b with $1, ${1}, ${name} and $$ filled in, as Go's Expand. */
void re_expand(const struct re *re, struct buf *b, str tmpl, str subject,
    const size_t *cap);

/*
 * Add subject to b, every match replaced by the expansion of repl, as Go's
 * ReplaceAllString.  -1 as soon as more than max bytes have been added.
 */
int re_replace(
    const struct re *re, struct buf *b, str subject, str repl, size_t max);

/* Go's regexp.QuoteMeta. */
void re_quote(struct buf *b, str s);

#endif
