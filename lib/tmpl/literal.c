/* Literals: strings, characters and numbers as Go's strconv reads them. */
#include <math.h>

#include "base/num.h"
#include "base/quote.h"
#include "tmpl/node.h"

int
tmpl_unquote(struct arena *a, str source, str *out, struct error *e)
{
	str s = { source.p + 1, source.n - 2 };
	size_t n = 0;
	char *p;

	if (source.p[0] != '`')
		return quote_read(a, s, '"', out) == 0
		    ? 0
		    : error_set(e, "invalid syntax");
	p = arena_alloc(a, s.n + 1); /* raw; Go drops carriage returns */
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\r')
			p[n++] = s.p[i];
	*out = (str){ p, n };
	return 0;
}

static int
character(str source, int64_t *out, struct error *e)
{
	str s = { source.p + 1, source.n - 2 };
	char bytes[4];
	size_t len = 0;
	uint32_t r = 0;
	bool numeric;

	if (s.n > 0 && s.p[0] == '\\') {
		numeric = s.n > 1 &&
		    (s.p[1] == 'x' || (s.p[1] >= '0' && s.p[1] <= '7'));
		s = str_skip(s, 1);
		if (!quote_escape(&s, '\'', bytes, &len))
			return error_set(e, "invalid syntax");
		r = numeric ? (unsigned char)bytes[0]
			    : str_rune((str){ bytes, len }, &len);
	} else if (s.n > 0) {
		r = str_rune(s, &len);
		s = str_skip(s, len);
	} else
		return error_set(e, "invalid syntax");
	if (s.n > 0)
		return error_set(
		    e, "malformed character constant: %.*s", STR_ARG(source));
	*out = r;
	return 0;
}

enum int_syntax { INT_BAD, INT_OK, INT_RANGE };

/* Underscores only between digits, or between the prefix and a digit. */
static bool
underscores(str s, bool prefixed)
{
	bool digit_before = prefixed;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '_')
			digit_before = true;
		else if (!digit_before || i + 1 == s.n || s.p[i + 1] == '_')
			return false;
	}
	return true;
}

/* An integer with Go's prefixes, any sign taken off before. */
static enum int_syntax
integer(str s, bool neg, int64_t *out)
{
	uint64_t v = 0, max = neg ? UINT64_C(1) << 63 : INT64_MAX;
	int base = 10;
	bool prefixed = false;

	if (s.n > 1 && s.p[0] == '0') {
		char c = s.p[1] | 0x20;

		base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
		s = str_skip(s, c == 'x' || c == 'o' || c == 'b' ? 2 : 1);
		prefixed = true;
	}
	if (s.n == 0 || !underscores(s, prefixed))
		return INT_BAD;
	for (size_t i = 0; i < s.n; i++) {
		int d = str_hex(s.p[i]);

		if (s.p[i] == '_')
			continue;
		if (d == -1 || d >= base)
			return INT_BAD;
		if (v > (max - (uint64_t)d) / (uint64_t)base)
			return INT_RANGE;
		v = v * (uint64_t)base + (uint64_t)d;
	}
	*out = neg ? (int64_t)(0 - v) : (int64_t)v;
	return INT_OK;
}

/* 0x1.8p3, with a sign or not; the exponent must be there. */
static bool
hex_real(str s, double *out)
{
	bool neg = s.p[0] == '-', point = false;
	int64_t exponent, scale = 0;
	size_t digits = 0;
	double v = 0;

	s = str_skip(s, (neg || s.p[0] == '+' ? 1 : 0) + (size_t)2);
	for (; s.n > 0 && (str_hex(s.p[0]) != -1 || s.p[0] == '.');
	     s = str_skip(s, 1)) {
		if (s.p[0] == '.') {
			if (point)
				return false;
			point = true;
			continue;
		}
		v = v * 16 + str_hex(s.p[0]);
		scale -= point ? 4 : 0;
		digits++;
	}
	if (digits == 0 || s.n < 2 || (s.p[0] | 0x20) != 'p' ||
	    num_parse_int(str_skip(s, 1), &exponent) == -1 ||
	    exponent < -5000 || exponent > 5000)
		return false;
	v = ldexp(v, (int)(exponent + scale));
	*out = neg ? -v : v;
	return isfinite(v);
}

/* A float, hexadecimal ones too, whose underscores are taken out first. */
static bool
real(str s, double *out)
{
	char z[128];
	size_t n = 0;

	if (!underscores(s, false))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '_') {
			if (n + 1 == sizeof(z))
				return false;
			z[n++] = s.p[i];
		}
	z[n] = '\0';
	if (strpbrk(z, "xX") == NULL)
		return num_parse((str){ z, n }, out) == 0;
	return hex_real((str){ z, n }, out);
}

static void
complex_print(const void *self, struct buf *b)
{
	buf_add(b, *(const str *)self);
}

static bool
imaginary(struct arena *a, str s, struct tmpl_value *v)
{
	static const struct tmpl_type type = { .type = "complex128",
		.print = complex_print };
	str *text = arena_new(a, str);
	size_t cut = 0;
	double re = 0, im;
	struct buf b = { 0 };

	for (size_t i = 1; i < s.n; i++)
		if ((s.p[i] == '+' || s.p[i] == '-') &&
		    (s.p[i - 1] | 0x20) != 'e')
			cut = i;
	if ((cut > 0 && !real(str_take(s, cut), &re)) ||
	    !real((str){ s.p + cut, s.n - cut - 1 }, &im))
		return false;
	buf_byte(&b, '(');
	num_format(&b, re, 'g', -1);
	if (!signbit(im))
		buf_byte(&b, '+');
	num_format(&b, im, 'g', -1);
	buf_z(&b, "i)");
	*text = arena_dup(a, buf_str(&b));
	*v = tmpl_object(a, &type, text);
	buf_fini(&b);
	return true;
}

static int
number(struct arena *a, struct tmpl_node *n, struct error *e)
{
	str s = n->text;
	bool neg = s.p[0] == '-';
	bool hex = str_find(s, STR("0x")) < s.n || str_find(s, STR("0X")) < s.n;
	bool point;

	point = str_chr(s, '.') < s.n || str_chr(s, 'p') < s.n ||
	    str_chr(s, 'P') < s.n ||
	    (!hex && (str_chr(s, 'e') < s.n || str_chr(s, 'E') < s.n));
	if (s.p[s.n - 1] == 'i' && imaginary(a, s, &n->value))
		return 0;
	n->value = tmpl_int(0);
	if (!point)
		switch (integer(
		    str_skip(s, neg || s.p[0] == '+'), neg, &n->value.i)) {
		case INT_OK:
			n->number = (double)n->value.i;
			n->fits_float = true;
			return 0;
		case INT_RANGE:
			return error_set(
			    e, "integer overflow: \"%.*s\"", STR_ARG(s));
		case INT_BAD:
			break;
		}
	if (!real(s, &n->number))
		return error_set(
		    e, "illegal number syntax: \"%.*s\"", STR_ARG(s));
	if (!point)
		return error_set(e, "integer overflow: \"%.*s\"", STR_ARG(s));
	n->fits_float = true;
	n->value = tmpl_float(n->number);
	return 0;
}

int
tmpl_literal(struct arena *a, const struct tmpl_token *t, struct tmpl_node *n,
    struct error *e)
{
	if (t->type == ITEM_BOOL) {
		n->value = tmpl_bool(str_eq(t->val, STR("true")));
		return 0;
	}
	if (t->type == ITEM_STRING || t->type == ITEM_RAW) {
		n->value = tmpl_string(STR_NONE);
		return tmpl_unquote(a, t->val, &n->value.s, e);
	}
	if (t->type == ITEM_CHARCONST) {
		n->value = tmpl_int(0);
		return character(t->val, &n->value.i, e);
	}
	return number(a, n, e);
}
