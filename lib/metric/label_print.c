/*
 * Label sets as text: as the stream writes them, and as PromQL and the API do.
 */
#include "metric/label.h"

#include "metric/scan.h"

/*
 * The stream's form is what every sample is written with: it goes into bytes
 * reserved once for a whole set, by a pointer.
 */
static char *
put(char *p, str s)
{
	memcpy(p, s.n ? s.p : "", s.n);
	return p + s.n;
}

static char *
put_quoted(char *p, str s)
{
	char c;

	*p++ = '"';
	for (size_t i = 0; i < s.n; i++) {
		c = s.p[i];
		if (scan_class[(unsigned char)c] & SCAN_STOP) {
			*p++ = '\\';
			c = c == '\n' ? 'n' : c;
		}
		*p++ = c;
	}
	*p++ = '"';
	return p;
}

/* name="value" */
static char *
put_pair(char *p, const struct label *l)
{
	if (label_name_valid(l->name))
		p = put(p, l->name);
	else
		p = put_quoted(p, l->name);
	*p++ = '=';
	return put_quoted(p, l->value);
}

/* Bytes that any form of the set fits in. */
static size_t
room(struct labels ls)
{
	size_t n = 3;

	for (size_t i = 0; i < ls.n; i++)
		n += 2 * (ls.v[i].name.n + ls.v[i].value.n) + 6;
	return n;
}

void
label_print_value(struct buf *b, str value)
{
	char *p = buf_reserve(b, 2 * value.n + 2);

	b->n += (size_t)(put_quoted(p, value) - p);
}

/* Would Go's strconv.Quote write it as it is (unicode.IsPrint, in short)? */
static bool
printable(uint32_t r)
{
	static const struct {
		uint32_t from, to;
	} not [] = {
		{ 0x00, 0x1f },
		{ 0x7f, 0xa0 },
		{ 0xad, 0xad },
		{ 0x600, 0x605 },
		{ 0x61c, 0x61c },
		{ 0x6dd, 0x6dd },
		{ 0x70f, 0x70f },
		{ 0x1680, 0x1680 },
		{ 0x180e, 0x180e },
		{ 0x2000, 0x200f },
		{ 0x2028, 0x202f },
		{ 0x205f, 0x206f },
		{ 0x3000, 0x3000 },
		{ 0xd800, 0xf8ff },
		{ 0xfeff, 0xfeff },
		{ 0xfff0, 0xfffb },
		{ 0xfffe, 0xffff },
		{ 0xe0000, 0x10ffff },
	};

	for (size_t i = 0; i < sizeof(not ) / sizeof(*not ); i++)
		if (r >= not [i].from && r <= not [i].to)
			return false;
	return true;
}

/* A code point the short escapes have no letter for. */
static void
quote_rune(struct buf *b, uint32_t r, bool valid, str bytes)
{
	static const char letter[] = "\a\b\f\n\r\t\v\\\"", as[] = "abfnrtv\\\"";
	const char *q = r != 0 && r < 0x80 ? strchr(letter, (int)r) : NULL;

	if (!valid)
		buf_printf(b, "\\x%02x", (unsigned char)bytes.p[0]);
	else if (q != NULL)
		buf_printf(b, "\\%c", as[q - letter]);
	else if (printable(r))
		buf_add(b, bytes);
	else if (r < ' ' || r == 0x7f)
		buf_printf(b, "\\x%02x", (unsigned)r);
	else
		buf_printf(b, r < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)r);
}

void
label_print_quote(struct buf *b, str s)
{
	size_t n;
	uint32_t r;

	buf_byte(b, '"');
	for (; s.n > 0; s = str_skip(s, n)) {
		r = str_rune(s, &n);
		if (r >= ' ' && r < 0x7f && r != '"' && r != '\\')
			buf_byte(b, (char)r);
		else
			quote_rune(b, r, r != 0xfffd || n > 1, str_take(s, n));
	}
	buf_byte(b, '"');
}

void
label_print(struct buf *b, struct labels ls)
{
	char *from = buf_reserve(b, room(ls)), *p = from;
	str name = label_find(ls, LABEL_NAME);
	bool bare = name.n == 0 || label_metric_valid(name);
	bool open = !bare;

	if (name.n == 0)
		*p++ = '_';
	else if (bare)
		p = put(p, name);
	else {
		*p++ = '{';
		p = put_quoted(p, name);
	}
	for (size_t i = 0; i < ls.n; i++) {
		if (str_eq(ls.v[i].name, LABEL_NAME))
			continue;
		*p++ = open ? ',' : '{';
		open = true;
		p = put_pair(p, &ls.v[i]);
	}
	if (open)
		*p++ = '}';
	b->n += (size_t)(p - from);
}

void
label_print_set(struct buf *b, struct labels ls)
{
	char *from = buf_reserve(b, room(ls)), *p = from;

	*p++ = '{';
	for (size_t i = 0; i < ls.n; i++) {
		if (i > 0)
			*p++ = ',';
		p = put_pair(p, &ls.v[i]);
	}
	*p++ = '}';
	b->n += (size_t)(p - from);
}

void
label_print_metric(struct buf *b, struct labels ls)
{
	str name = label_find(ls, LABEL_NAME);
	bool bare = label_metric_valid(name), any = false;

	if (bare)
		buf_add(b, name);
	if (bare && ls.n == 1)
		return;
	buf_byte(b, '{');
	if (!bare && name.n > 0) {
		label_print_quote(b, name);
		any = true;
	}
	for (size_t i = 0; i < ls.n; i++) {
		if (str_eq(ls.v[i].name, LABEL_NAME))
			continue;
		if (any)
			buf_add(b, STR(", "));
		any = true;
		if (label_name_valid(ls.v[i].name))
			buf_add(b, ls.v[i].name);
		else
			label_print_quote(b, ls.v[i].name);
		buf_byte(b, '=');
		label_print_quote(b, ls.v[i].value);
	}
	buf_byte(b, '}');
}
