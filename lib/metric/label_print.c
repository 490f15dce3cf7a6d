/*
 * Label sets as text: as the stream writes them, and as PromQL and the API do.
 */
#include "metric/label.h"

void
label_print_value(struct buf *b, str value)
{
	const char *p = value.p, *end, *from = p;
	char c;

	buf_byte(b, '"');
	for (end = p + value.n; value.n > 0 && p < end; p++) {
		c = *p;
		if (c != '\\' && c != '"' && c != '\n')
			continue;
		buf_add(b, str_from(from, p));
		buf_byte(b, '\\');
		buf_byte(b, c == '\n' ? 'n' : c);
		from = p + 1;
	}
	if (value.n > 0)
		buf_add(b, str_from(from, p));
	buf_byte(b, '"');
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

/* The labels but __name__, with a separator before each if any is set. */
static void
pairs(struct buf *b, struct labels ls, bool any, bool name, bool promql)
{
	const struct label *l;

	for (size_t i = 0; i < ls.n; i++) {
		l = &ls.v[i];
		if (!name && str_eq(l->name, LABEL_NAME))
			continue;
		if (any)
			buf_add(b, promql ? STR(", ") : STR(","));
		any = true;
		if (label_name_valid(l->name))
			buf_add(b, l->name);
		else if (promql)
			label_print_quote(b, l->name);
		else
			label_print_value(b, l->name);
		buf_byte(b, '=');
		if (promql)
			label_print_quote(b, l->value);
		else
			label_print_value(b, l->value);
	}
}

void
label_print(struct buf *b, struct labels ls)
{
	str name = label_find(ls, LABEL_NAME);
	size_t others = ls.n - (name.n > 0);

	if (name.n == 0)
		buf_byte(b, '_');
	else if (label_metric_valid(name))
		buf_add(b, name);
	else {
		buf_byte(b, '{');
		label_print_value(b, name);
		pairs(b, ls, true, false, false);
		buf_byte(b, '}');
		return;
	}
	if (others == 0)
		return;
	buf_byte(b, '{');
	pairs(b, ls, false, false, false);
	buf_byte(b, '}');
}

void
label_print_set(struct buf *b, struct labels ls)
{
	buf_byte(b, '{');
	pairs(b, ls, false, true, false);
	buf_byte(b, '}');
}

void
label_print_metric(struct buf *b, struct labels ls)
{
	str name = label_find(ls, LABEL_NAME);
	bool bare = label_metric_valid(name);

	if (bare)
		buf_add(b, name);
	if (bare && ls.n == 1)
		return;
	buf_byte(b, '{');
	if (!bare && name.n > 0)
		label_print_quote(b, name);
	pairs(b, ls, !bare && name.n > 0, false, true);
	buf_byte(b, '}');
}
