/*
 * Printing as Go's fmt does: %v of every value, Sprint, Sprintln, and Sprintf
 * with its flags, widths, argument indexes and its way of showing mistakes:
 * %!d(string=a), %!d(MISSING), %!(EXTRA int=2).
 */
#include "base/dur.h"
#include "base/num.h"
#include "base/quote.h"
#include "tmpl/node.h"

#define WIDTH_MAX 1000000 /* Go's own limit */

struct verb {
	bool plus, minus, sharp, space, zero;
	bool has_width, has_prec;
	int width, prec;
};

static size_t
runes(str s)
{
	size_t n = 0, len;

	for (; s.n > 0; s = str_skip(s, len), n++)
		str_rune(s, &len);
	return n;
}

/* s in its width; zeros go behind a sign. */
static void
pad(struct buf *b, const struct verb *f, str s)
{
	size_t have = runes(s), want = f->has_width ? (size_t)f->width : 0;
	size_t n = want > have ? want - have : 0;
	char fill = f->zero && !f->minus ? '0' : ' ';

	if (f->minus) {
		buf_add(b, s);
		fill = ' ';
	} else if (fill == '0' && s.n > 0 &&
	    (s.p[0] == '-' || s.p[0] == '+' || s.p[0] == ' ')) {
		buf_byte(b, s.p[0]);
		s = str_skip(s, 1);
	}
	memset(buf_reserve(b, n), fill, n);
	b->n += n;
	if (!f->minus)
		buf_add(b, s);
}

static void
put_int(struct buf *b, const struct verb *f, int64_t v, int base,
    const char *prefix, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	struct verb g = *f;
	struct buf s = { 0 };
	char z[64];
	size_t n = sizeof(z), min = 1;

	do
		z[--n] = digits[u % (uint64_t)base];
	while ((u /= (uint64_t)base) > 0);
	if (f->has_prec) {
		min = (size_t)f->prec;
		g.zero = false;
		if (min == 0 && v == 0)
			n = sizeof(z);
	}
	if (v < 0)
		buf_byte(&s, '-');
	else if (f->plus)
		buf_byte(&s, '+');
	else if (f->space)
		buf_byte(&s, ' ');
	if (f->sharp)
		buf_z(&s, prefix);
	for (size_t i = sizeof(z) - n; i < min; i++)
		buf_byte(&s, '0');
	buf_add(&s, (str){ z + n, sizeof(z) - n });
	pad(b, &g, buf_str(&s));
	buf_fini(&s);
}

static void
put_float(struct buf *b, const struct verb *f, double v, char verb)
{
	struct buf s = { 0 };
	char lower = (char)(verb | 0x20);
	int prec = f->has_prec             ? f->prec
	    : lower == 'e' || lower == 'f' ? 6
					   : -1;
	struct verb g = *f;

	if (f->plus && !signbit(v) && !isinf(v))
		buf_byte(&s, '+');
	else if (f->space && !signbit(v))
		buf_byte(&s, ' ');
	num_format(&s, v, lower == 'v' ? 'g' : lower, prec);
	if (verb == 'E' || verb == 'G')
		for (size_t i = 0; i < s.n; i++)
			if (s.p[i] == 'e')
				s.p[i] = 'E';
	if (isnan(v) || isinf(v))
		g.zero = false;
	pad(b, &g, buf_str(&s));
	buf_fini(&s);
}

static void
put_hex(struct buf *b, const struct verb *f, str s, bool upper)
{
	struct buf h = { 0 };

	if (f->has_prec)
		s = str_take(s, (size_t)f->prec);
	for (size_t i = 0; i < s.n; i++) {
		if (f->space && i > 0)
			buf_byte(&h, ' ');
		if (f->sharp && (i == 0 || f->space))
			buf_z(&h, upper ? "0X" : "0x");
		buf_printf(&h, upper ? "%02X" : "%02x", (unsigned char)s.p[i]);
	}
	pad(b, f, buf_str(&h));
	buf_fini(&h);
}

/* A string under s, v, q, x or X; false if the verb is another. */
static bool
put_string(struct buf *b, const struct verb *f, str s, char verb)
{
	struct buf q = { 0 };
	size_t n = 0, len;

	if (verb == 'x' || verb == 'X') {
		put_hex(b, f, s, verb == 'X');
		return true;
	}
	if (verb != 's' && verb != 'v' && verb != 'q')
		return false;
	if (f->has_prec) {
		for (int i = 0; i < f->prec && n < s.n; i++, n += len)
			str_rune(str_skip(s, n), &len);
		s = str_take(s, n);
	}
	if (verb != 'q' && !(verb == 'v' && f->sharp)) {
		pad(b, f, s);
		return true;
	}
	if (verb == 'q' && f->sharp && str_chr(s, '`') == s.n &&
	    str_chr(s, '\n') == s.n && str_utf8(s))
		buf_printf(&q, "`%.*s`", STR_ARG(s));
	else if (f->plus)
		quote_add_ascii(&q, s);
	else
		quote_add(&q, s);
	pad(b, f, buf_str(&q));
	buf_fini(&q);
	return true;
}

static void
put_rune(struct buf *b, const struct verb *f, int64_t v, char verb)
{
	uint32_t r = v < 0 || v > 0x10ffff ? 0xfffd : (uint32_t)v;
	struct verb g = *f;
	struct buf s = { 0 };
	char u[4];

	if (verb == 'c')
		buf_add(&s, (str){ u, str_encode(r, u) });
	else if (verb == 'q') {
		buf_byte(&s, '\'');
		quote_rune(&s, r, '\'', f->plus);
		buf_byte(&s, '\'');
	} else {
		buf_printf(&s, "U+%04llX", (unsigned long long)v);
		if (f->sharp && quote_printable(r)) {
			buf_z(&s, " '");
			buf_add(&s, (str){ u, str_encode(r, u) });
			buf_byte(&s, '\'');
		}
		g.zero = false;
	}
	pad(b, &g, buf_str(&s));
	buf_fini(&s);
}

static bool
put_integer(struct buf *b, const struct verb *f, int64_t v, char verb)
{
	switch (verb) {
	case 'v':
	case 'd':
		put_int(b, f, v, 10, "", false);
		return true;
	case 'b':
		put_int(b, f, v, 2, "0b", false);
		return true;
	case 'o':
		put_int(b, f, v, 8, "0", false);
		return true;
	case 'x':
	case 'X':
		put_int(b, f, v, 16, verb == 'x' ? "0x" : "0X", verb == 'X');
		return true;
	case 'c':
	case 'q':
	case 'U':
		put_rune(b, f, v, verb);
		return true;
	}
	return false;
}

static void put(
    struct buf *b, const struct verb *f, struct tmpl_value v, char verb);

static void
put_list(struct buf *b, const struct verb *f, struct tmpl_value v, char verb)
{
	buf_byte(b, '[');
	for (size_t i = 0; i < v.list.n && b->n < TMPL_MAX_WORK; i++) {
		if (i > 0)
			buf_byte(b, ' ');
		put(b, f, v.list.v[i], verb);
	}
	buf_byte(b, ']');
}

static void
put_map(struct buf *b, const struct verb *f, struct tmpl_value v, char verb)
{
	buf_z(b, "map[");
	for (size_t i = 0; i < v.map.n && b->n < TMPL_MAX_WORK; i++) {
		if (i > 0)
			buf_byte(b, ' ');
		put(b, f, tmpl_string(v.map.v[i].key), verb);
		buf_byte(b, ':');
		put(b, f, v.map.v[i].value, verb);
	}
	buf_byte(b, ']');
}

/* What a value's String() gives: times, durations, objects. */
static bool
stringer(struct buf *b, struct tmpl_value v)
{
	if (v.kind == TMPL_TIME)
		date_format(b, v.time.ms, v.time.zone,
		    STR("2006-01-02 15:04:05.999 -0700 MST"));
	else if (v.kind == TMPL_DUR)
		dur_print_go(b, v.i);
	else if (v.kind == TMPL_OBJECT && v.obj->type->print != NULL)
		v.obj->type->print(v.obj->self, b);
	else
		return false;
	return true;
}

static void
bad_verb(struct buf *b, const struct verb *f, struct tmpl_value v, char verb)
{
	buf_printf(b, "%%!%c(", verb);
	if (v.kind == TMPL_NIL || v.kind == TMPL_MISSING)
		buf_z(b, "<nil>");
	else {
		buf_printf(b, "%s=", tmpl_type_name(v));
		put(b, f, v, 'v');
	}
	buf_byte(b, ')');
}

static bool
put_kind(struct buf *b, const struct verb *f, struct tmpl_value v, char verb)
{
	switch (v.kind) {
	case TMPL_BOOL:
		if (verb != 't' && verb != 'v')
			return false;
		pad(b, f, v.b ? STR("true") : STR("false"));
		return true;
	case TMPL_INT:
	case TMPL_DUR:
		return put_integer(b, f, v.i, verb);
	case TMPL_FLOAT:
		if (strchr("eEfFgGv", verb) == NULL)
			return false;
		put_float(b, f, v.f, verb);
		return true;
	case TMPL_STRING:
		return put_string(b, f, v.s, verb);
	case TMPL_LIST:
		put_list(b, f, v, verb);
		return true;
	case TMPL_MAP:
		put_map(b, f, v, verb);
		return true;
	case TMPL_NIL:
	case TMPL_MISSING:
		if (verb != 'v')
			return false;
		pad(b, f, STR("<nil>"));
		return true;
	case TMPL_OBJECT:
	case TMPL_TIME:
		break;
	}
	return false;
}

static void
put(struct buf *b, const struct verb *f, struct tmpl_value v, char verb)
{
	struct buf s = { 0 };
	bool shown = false;

	if (verb == 'T') {
		put_string(b, f, str_of(tmpl_type_name(v)), 's');
		return;
	}
	if (strchr("svqxX", verb) != NULL && stringer(&s, v))
		shown = put_string(b, f, buf_str(&s), verb);
	buf_fini(&s);
	if (!shown && !put_kind(b, f, v, verb))
		bad_verb(b, f, v, verb);
}

void
tmpl_print(struct buf *b, struct tmpl_value v)
{
	static const struct verb plain;

	put(b, &plain, v, 'v');
}

void
tmpl_sprint(struct buf *b, const struct tmpl_value *v, size_t n)
{
	for (size_t i = 0; i < n && b->n < TMPL_MAX_WORK; i++) {
		if (i > 0 && v[i].kind != TMPL_STRING &&
		    v[i - 1].kind != TMPL_STRING)
			buf_byte(b, ' ');
		tmpl_print(b, v[i]);
	}
}

void
tmpl_sprintln(struct buf *b, const struct tmpl_value *v, size_t n)
{
	for (size_t i = 0; i < n && b->n < TMPL_MAX_WORK; i++) {
		if (i > 0)
			buf_byte(b, ' ');
		tmpl_print(b, v[i]);
	}
	buf_byte(b, '\n');
}

/* Sprintf's own state: which argument is next, were they taken in order. */
struct format {
	struct buf *b;
	str s;
	const struct tmpl_value *v;
	size_t n, next;
	bool reordered, good_index;
};

static bool
number(str *s, int *out)
{
	int v = 0;
	size_t i = 0;

	for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
		v = v * 10 + (s->p[i] - '0');
		if (v > WIDTH_MAX)
			return false;
	}
	*s = str_skip(*s, i);
	*out = v;
	return i > 0;
}

/* "[3]": the argument that is taken next. */
static bool
arg_index(struct format *f)
{
	str s = f->s;
	size_t close = str_chr(s, ']');
	int n = 0;

	if (s.n == 0 || s.p[0] != '[')
		return false;
	f->reordered = true;
	if (close == s.n) {
		f->good_index = false;
		f->s = str_skip(s, 1);
		return true;
	}
	f->s = str_skip(s, close + 1);
	s = str_take(str_skip(s, 1), close - 1);
	if (!number(&s, &n) || s.n > 0 || n < 1 || (size_t)n > f->n)
		f->good_index = false;
	else
		f->next = (size_t)n - 1;
	return true;
}

static bool
star(struct format *f, int *out)
{
	const struct tmpl_value *v;

	if (f->next >= f->n)
		return false;
	v = &f->v[f->next++];
	*out = v->kind == TMPL_INT && v->i >= -WIDTH_MAX && v->i <= WIDTH_MAX
	    ? (int)v->i
	    : WIDTH_MAX + 1;
	return *out <= WIDTH_MAX;
}

static void
flags(struct format *f, struct verb *v)
{
	for (; f->s.n > 0; f->s = str_skip(f->s, 1)) {
		switch (f->s.p[0]) {
		case '+':
			v->plus = true;
			continue;
		case '-':
			v->minus = true;
			continue;
		case '#':
			v->sharp = true;
			continue;
		case ' ':
			v->space = true;
			continue;
		case '0':
			v->zero = true;
			continue;
		}
		return;
	}
}

static void
width(struct format *f, struct verb *v, bool *after_index)
{
	if (f->s.n > 0 && f->s.p[0] == '*') {
		f->s = str_skip(f->s, 1);
		v->has_width = star(f, &v->width);
		if (!v->has_width)
			buf_z(f->b, "%!(BADWIDTH)");
		if (v->width < 0) {
			v->width = -v->width;
			v->minus = true;
			v->zero = false;
		}
		*after_index = false;
		return;
	}
	v->has_width = number(&f->s, &v->width);
	if (*after_index && v->has_width)
		f->good_index = false;
}

static void
precision(struct format *f, struct verb *v, bool *after_index)
{
	if (f->s.n == 0 || f->s.p[0] != '.')
		return;
	f->s = str_skip(f->s, 1);
	if (*after_index)
		f->good_index = false;
	*after_index = arg_index(f);
	if (f->s.n > 0 && f->s.p[0] == '*') {
		f->s = str_skip(f->s, 1);
		v->has_prec = star(f, &v->prec) && v->prec >= 0;
		if (!v->has_prec)
			buf_z(f->b, "%!(BADPREC)");
		*after_index = false;
		return;
	}
	v->has_prec = true;
	if (!number(&f->s, &v->prec))
		v->prec = 0;
}

/* One verb, whose '%' has been passed. */
static void
one(struct format *f)
{
	struct verb v = { 0 };
	bool after_index;
	uint32_t r;
	size_t len;
	char u[4];

	f->good_index = true;
	flags(f, &v);
	after_index = arg_index(f);
	width(f, &v, &after_index);
	precision(f, &v, &after_index);
	if (!after_index)
		arg_index(f);
	if (f->s.n == 0) {
		buf_z(f->b, "%!(NOVERB)");
		return;
	}
	r = str_rune(f->s, &len);
	f->s = str_skip(f->s, len);
	if (r == '%')
		buf_byte(f->b, '%');
	else if (!f->good_index || f->next >= f->n) {
		buf_z(f->b, "%!");
		buf_add(f->b, (str){ u, str_encode(r, u) });
		buf_z(f->b, f->good_index ? "(MISSING)" : "(BADINDEX)");
	} else
		put(f->b, &v, f->v[f->next++], r < 0x80 ? (char)r : '?');
}

int
tmpl_sprintf(struct tmpl_run *r, struct buf *b, str fmt,
    const struct tmpl_value *v, size_t n, struct error *e)
{
	struct format f = { .b = b, .s = fmt, .v = v, .n = n };
	size_t before = b->n;

	while (f.s.n > 0) {
		size_t cut = str_chr(f.s, '%');

		buf_add(b, str_take(f.s, cut));
		f.s = str_skip(f.s, cut);
		if (f.s.n == 0)
			break;
		f.s = str_skip(f.s, 1);
		one(&f);
		if (tmpl_charge(r, b->n - before, e) == -1)
			return -1;
		before = b->n;
	}
	if (!f.reordered && f.next < f.n) {
		buf_z(b, "%!(EXTRA ");
		for (size_t i = f.next; i < f.n; i++) {
			if (i > f.next)
				buf_z(b, ", ");
			if (v[i].kind == TMPL_NIL) {
				buf_z(b, "<nil>");
				continue;
			}
			buf_printf(b, "%s=", tmpl_type_name(v[i]));
			tmpl_print(b, v[i]);
		}
		buf_byte(b, ')');
	}
	return 0;
}
