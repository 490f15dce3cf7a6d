/*
 * Percent-encoding.
 */
#include "base/url.h"

static bool
plain(char c, const char *also)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') ||
	    (c != '\0' && (strchr("-_.~", c) != NULL || strchr(also, c)));
}

void
url_escape(struct buf *b, str s, const char *also, bool plus)
{
	for (size_t i = 0; i < s.n; i++)
		if (plain(s.p[i], also))
			buf_byte(b, s.p[i]);
		else if (s.p[i] == ' ' && plus)
			buf_byte(b, '+');
		else
			buf_printf(b, "%%%02X", (unsigned char)s.p[i]);
}

size_t
url_unescape(struct buf *b, str s, bool plus)
{
	for (size_t i = 0; i < s.n; i++) {
		int hi, lo;

		if (s.p[i] == '+' && plus) {
			buf_byte(b, ' ');
			continue;
		}
		if (s.p[i] != '%') {
			buf_byte(b, s.p[i]);
			continue;
		}
		if (i + 2 >= s.n || (hi = str_hex(s.p[i + 1])) == -1 ||
		    (lo = str_hex(s.p[i + 2])) == -1)
			return i;
		buf_byte(b, (char)(hi << 4 | lo));
		i += 2;
	}
	return s.n;
}
