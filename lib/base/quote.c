/*
 * Quoting and its reverse, by the rules of Go's strconv.
 */
#include "base/quote.h"

#include "base/re_impl.h"

bool
quote_printable(uint32_t r)
{
	const char *category;

	if (r < 0x80)
		return r >= ' ' && r < 0x7f;
	category = re_category_of(r);
	return category != NULL && category[0] != 'C' && category[0] != 'Z';
}

void
quote_rune(struct buf *b, uint32_t r, char quote, bool ascii)
{
	static const char from[] = "\a\b\f\n\r\t\v", to[] = "abfnrtv";
	const char *f = r > 0 && r < 0x80 ? strchr(from, (int)r) : NULL;
	char u[4];

	if (f != NULL)
		buf_printf(b, "\\%c", to[f - from]);
	else if (r == (uint32_t)quote || r == '\\')
		buf_printf(b, "\\%c", (char)r);
	else if (quote_printable(r) && (!ascii || r < 0x80))
		buf_add(b, (str){ u, str_encode(r, u) });
	else if (r < ' ' || r == 0x7f)
		buf_printf(b, "\\x%02x", (unsigned)r);
	else
		buf_printf(b, r > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned)r);
}

/* How many bytes of s need no thought. */
static size_t
plain(str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= ' ' && s.p[n] < 0x7f && s.p[n] != '"' &&
	    s.p[n] != '\\')
		n++;
	return n;
}

static void
add(struct buf *b, str s, bool ascii)
{
	size_t len;

	buf_byte(b, '"');
	while (s.n > 0) {
		uint32_t r;

		if ((len = plain(s)) > 0)
			buf_add(b, str_take(s, len));
		else if ((r = str_rune(s, &len)) == 0xfffd && len == 1)
			buf_printf(b, "\\x%02x", (unsigned char)s.p[0]);
		else
			quote_rune(b, r, '"', ascii);
		s = str_skip(s, len);
	}
	buf_byte(b, '"');
}

void
quote_add(struct buf *b, str s)
{
	add(b, s, false);
}

void
quote_add_ascii(struct buf *b, str s)
{
	add(b, s, true);
}

/* n digits of a base (8 or 16) at *s into *r. */
static bool
code(str *s, int n, int base, uint32_t *r)
{
	int d;

	*r = 0;
	for (; n > 0; n--) {
		if (s->n == 0 || (d = str_hex(s->p[0])) == -1 || d >= base)
			return false;
		*r = *r * (uint32_t)base + (uint32_t)d;
		*s = str_skip(*s, 1);
	}
	return true;
}

bool
quote_escape(str *s, char quote, char out[4], size_t *n)
{
	static const char from[] = "abfnrtv\\", to[] = "\a\b\f\n\r\t\v\\";
	char c = s->n ? s->p[0] : '\0';
	const char *f = c != '\0' ? strchr(from, c) : NULL;
	uint32_t r;

	*n = 1;
	if (f != NULL || (c == quote && c != '\0')) {
		out[0] = f != NULL ? to[f - from] : c;
		*s = str_skip(*s, 1);
		return true;
	}
	if (c >= '0' && c <= '7') {
		if (!code(s, 3, 8, &r) || r > 255)
			return false;
		out[0] = (char)r;
		return true;
	}
	*s = str_skip(*s, 1);
	if (c == 'x') {
		if (!code(s, 2, 16, &r))
			return false;
		out[0] = (char)r;
		return true;
	}
	if ((c != 'u' && c != 'U') || !code(s, c == 'u' ? 4 : 8, 16, &r) ||
	    r > 0x10ffff || (r >= 0xd800 && r < 0xe000))
		return false;
	*n = str_encode(r, out);
	return true;
}

int
quote_read(struct arena *a, str s, char quote, str *out)
{
	/* no escape is longer than what it is written as */
	char *p = arena_alloc(a, s.n + 4);
	size_t n = 0, len;

	while (s.n > 0) {
		if (s.p[0] != '\\') {
			p[n++] = s.p[0];
			s = str_skip(s, 1);
			continue;
		}
		s = str_skip(s, 1);
		if (!quote_escape(&s, quote, p + n, &len))
			return -1;
		n += len;
	}
	*out = (str){ p, n };
	return 0;
}
