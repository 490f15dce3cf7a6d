/*
 * The parts of str that are too long for its header.
 */
#include "base/str.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static unsigned char
lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

bool
str_eq_fold(str a, str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

size_t
str_find(str s, str sub)
{
	const char *q;

	if (sub.n == 0)
		return 0;
	if (s.n < sub.n)
		return s.n;
	q = memmem(s.p, s.n, sub.p, sub.n);
	return q ? (size_t)(q - s.p) : s.n;
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

str
str_trim(str s)
{
	while (s.n > 0 && blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

str
str_cut(str *s, char c)
{
	size_t i = str_chr(*s, c);
	str head = str_take(*s, i);

	*s = i < s->n ? str_skip(*s, i + 1) : STR_NONE;
	return head;
}

/* Length of the well-formed sequence at s, or 0. */
static size_t
sequence(str s, uint32_t *r)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (n == 1) {
		*r = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4 || s.n < n)
		return 0;
	*r = p[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*r = *r << 6 | (p[i] & 0x3fu);
	}
	if (*r < least[n] || *r > 0x10ffff || (*r >= 0xd800 && *r < 0xe000))
		return 0;
	return n;
}

bool
str_utf8(str s)
{
	uint64_t word;
	uint32_t r;
	size_t i = 0, n;

	while (i < s.n) {
		for (; i + 8 <= s.n; i += 8) {
			memcpy(&word, s.p + i, 8);
			if (word & 0x8080808080808080u)
				break;
		}
		if (i >= s.n)
			break;
		if ((n = sequence(str_skip(s, i), &r)) == 0)
			return false;
		i += n;
	}
	return true;
}

uint32_t
str_rune(str s, size_t *len)
{
	uint32_t r;

	*len = sequence(s, &r);
	if (*len == 0) {
		*len = 1;
		return 0xfffd;
	}
	return r;
}

size_t
str_runes(str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

size_t
str_encode(uint32_t r, char out[4])
{
	if (r < 0x80) {
		out[0] = (char)r;
		return 1;
	}
	if (r < 0x800) {
		out[0] = (char)(0xc0 | r >> 6);
		out[1] = (char)(0x80 | (r & 0x3f));
		return 2;
	}
	if (r < 0x10000) {
		out[0] = (char)(0xe0 | r >> 12);
		out[1] = (char)(0x80 | (r >> 6 & 0x3f));
		out[2] = (char)(0x80 | (r & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | r >> 18);
	out[1] = (char)(0x80 | (r >> 12 & 0x3f));
	out[2] = (char)(0x80 | (r >> 6 & 0x3f));
	out[3] = (char)(0x80 | (r & 0x3f));
	return 4;
}

uint64_t
str_hash(str s)
{
	return XXH3_64bits(s.n ? s.p : "", s.n);
}
