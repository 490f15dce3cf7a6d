/*
 * A counted, borrowed view of bytes: the one typedef of the house, a value as
 * an int is.  It never owns what it points at; who does, and until when, is
 * said by whoever hands it out.  It need not end in a NUL and may hold any
 * byte.  The empty string has n == 0, whatever p is.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct str {
	const char *p;
	size_t n;
} str;

/* A literal as a str; a static initialiser; printf's "%.*s". */
#define STR(lit) ((str){ "" lit, sizeof(lit) - 1 })
#define STR_INIT(lit)                                                          \
	{                                                                      \
		"" lit, sizeof(lit) - 1                                        \
	}
#define STR_ARG(s) (int)(s).n, (s).p
#define STR_NONE ((str){ NULL, 0 })

static inline str
str_of(const char *z)
{
	return (str){ z, strlen(z) };
}

static inline str
str_from(const char *p, const char *end)
{
	return (str){ p, (size_t)(end - p) };
}

static inline bool
str_eq(str a, str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* The same, whatever the case of ASCII letters. */
bool str_eq_fold(str a, str b);

/* Bytewise order, a prefix before what it begins; <0, 0, >0. */
static inline int
str_cmp(str a, str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static inline bool
str_starts(str s, str prefix)
{
	return s.n >= prefix.n &&
	    (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool
str_ends(str s, str suffix)
{
	return s.n >= suffix.n &&
	    (suffix.n == 0 ||
		memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* Without the first n bytes (all of them, if there are fewer). */
static inline str
str_skip(str s, size_t n)
{
	if (n > s.n)
		n = s.n;
	return (str){ s.n ? s.p + n : s.p, s.n - n };
}

/* The first n bytes (all, if there are fewer). */
static inline str
str_take(str s, size_t n)
{
	return (str){ s.p, n < s.n ? n : s.n };
}

/* The value of a hex digit of either case, or -1. */
static inline int
str_hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0'
	    : c >= 'a' && c <= 'f'  ? c - 'a' + 10
	    : c >= 'A' && c <= 'F'  ? c - 'A' + 10
				    : -1;
}

/* Where byte c is first, or s.n. */
static inline size_t
str_chr(str s, char c)
{
	const char *q = s.n ? memchr(s.p, c, s.n) : NULL;

	return q ? (size_t)(q - s.p) : s.n;
}

/* Where sub is first, or s.n when it is not in s. */
size_t str_find(str s, str sub);

/* Without blanks, tabs and line ends at both ends. */
str str_trim(str s);

/*
 * Cut s at the first byte c: the part before it is returned, *s becomes the
 * part after it.  Without a c the whole of s is returned and *s is empty with
 * p NULL, so "while (s.p != NULL)" walks every field, empty ones too.
 */
str str_cut(str *s, char c);

/* Is s well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms)? */
bool str_utf8(str s);

/*
 * The code point at the start of s; *len gets its bytes.  A byte that is not
 * UTF-8 gives U+FFFD with length 1, as Go's range over a string does.  s must
 * not be empty.
 */
uint32_t str_rune(str s, size_t *len);

/* How many code points s has, if it is UTF-8. */
size_t str_runes(str s);

/* Write code point r (<= 0x10ffff) as UTF-8 to out; returns 1 to 4. */
size_t str_encode(uint32_t r, char out[4]);

/* 64-bit hash of the bytes (XXH3, seed 0): the same on every machine. */
uint64_t str_hash(str s);

#endif
