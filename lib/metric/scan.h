/*
 * Reads the pieces of one line of exposition text: names, label sets, quoted
 * strings.  Below expo (lines of a stream) and label (a series by itself), so
 * that there is one opinion on what a series looks like.
 *
 * Strs that come out point into the line where they can, else (escapes) into
 * the arena.  After an error bad says where in the line it was noticed.
 *
 * Prometheus takes line ends in the strings of text.  Where a line ends in a
 * string and more was set behind scan_line(), the string goes on over the next
 * lines, and end is where the last of them ends.
 */
#ifndef METRIC_SCAN_H
#define METRIC_SCAN_H

#include "metric/label.h"

struct scan {
	const char *p, *end; /* what is left of the line */
	const char *more;    /* so far strings may go on over lines, or NULL */
	const char *bad;     /* after an error: the place */
	struct arena *a;     /* for what had to be unescaped */
	bool used;           /* something was put into a */
	bool strict;         /* OpenMetrics: no blanks, commas are a must */
	bool tight;          /* no blank between a name and its braces */
	bool named;          /* a name stood before or bare in the braces */
	struct label *v;     /* labels of the series last read, sorted */
	size_t n, cap;
};

/* What a byte may be; all the tests of names go by this table. */
enum scan_class {
	SCAN_START = 1, /* may begin a label's name */
	SCAN_CONT = 2,  /* may stand in it */
	SCAN_COLON = 4, /* may stand in a metric's name only */
	SCAN_STOP = 8,  /* ends or complicates a quoted string */
};
extern const unsigned char scan_class[256];

void scan_init(struct scan *s, struct arena *a, bool strict);
void scan_fini(struct scan *s);
void scan_line(struct scan *s, str line);

/* error_set with the place taken down; at NULL is where reading stands. */
int scan_fail(struct scan *s, const char *at, struct error *e, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

#ifdef __clang_analyzer__ /* as in base/error.h */
#define scan_fail(...) (scan_fail(__VA_ARGS__), -1)
#endif

/* Pass over blanks and tabs; true if there was one. */
bool scan_blanks(struct scan *s);

/* The rest up to a blank, tab or the end of line; passes over it. */
str scan_word(struct scan *s);

/* A metric's name, bare or quoted. */
int scan_name(struct scan *s, str *out, struct error *e);

/* A quoted string, at its first quote. */
int scan_quoted(struct scan *s, str *out, struct error *e);

/*
 * name{...}, name, or {...} into v, sorted by name, without empty values; the
 * name is its label __name__.  Twice the same name is an error.
 */
int scan_series(struct scan *s, struct error *e);

/* {...} into v. */
int scan_set(struct scan *s, struct error *e);

/* What v holds, as an array in a; the strs are not copied. */
struct labels scan_take(const struct scan *s, struct arena *a);

#endif
