/*
 * The scanner: template text to tokens.  The whole text is scanned at once,
 * so that the parser can look ahead as far as it likes; a fault becomes the
 * last token and is reported when the parser comes to it, as in Go.
 */
#include "base/quote.h"
#include "tmpl/node.h"

struct scan {
	struct arena *a;
	str text;
	size_t pos, start;
	int line, start_line;
	int parens;
	struct tmpl_token *v;
	size_t n, cap;
};

static const struct {
	const char *word;
	enum tmpl_item type;
} keywords[] = {
	{ "nil", ITEM_NIL },
	{ "block", ITEM_BLOCK },
	{ "break", ITEM_BREAK },
	{ "continue", ITEM_CONTINUE },
	{ "define", ITEM_DEFINE },
	{ "else", ITEM_ELSE },
	{ "end", ITEM_END },
	{ "if", ITEM_IF },
	{ "range", ITEM_RANGE },
	{ "template", ITEM_TEMPLATE },
	{ "with", ITEM_WITH },
};

static void
emit_val(struct scan *s, enum tmpl_item type, str val)
{
	s->v = arena_grow(s->a, s->v, &s->cap, s->n + 1, sizeof(*s->v));
	s->v[s->n++] =
	    (struct tmpl_token){ type, s->start_line, s->start, val };
	for (; s->start < s->pos; s->start++)
		s->start_line += s->text.p[s->start] == '\n';
}

static void
emit(struct scan *s, enum tmpl_item type)
{
	emit_val(s, type, (str){ s->text.p + s->start, s->pos - s->start });
}

static void
ignore(struct scan *s)
{
	for (; s->start < s->pos; s->start++)
		s->start_line += s->text.p[s->start] == '\n';
}

static bool
fail(struct scan *s, const char *msg)
{
	emit_val(s, ITEM_ERROR, str_of(msg));
	return false;
}

static bool
fail_rune(struct scan *s, const char *what, size_t at)
{
	size_t len = 0;
	uint32_t r = at < s->text.n ? str_rune(str_skip(s->text, at), &len) : 0;
	str shown = { s->text.p + at, len };

	if (quote_printable(r))
		shown = arena_printf(s->a, "%s U+%04X '%.*s'", what,
		    (unsigned)r, STR_ARG(shown));
	else
		shown = arena_printf(s->a, "%s U+%04X", what, (unsigned)r);
	emit_val(s, ITEM_ERROR, shown);
	return false;
}

static bool
space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The byte n places on, or NUL at the end. */
static char
peek(const struct scan *s, size_t n)
{
	return s->pos + n < s->text.n ? s->text.p[s->pos + n] : '\0';
}

static bool
looking_at(const struct scan *s, size_t n, const char *z)
{
	return str_starts(str_skip(s->text, s->pos + n), str_of(z));
}

/* Letters and digits of any script; other UTF-8 counts as a letter here. */
static size_t
word_rune(const struct scan *s, size_t at)
{
	unsigned char c;
	size_t len;
	uint32_t r;

	if (at >= s->text.n)
		return 0;
	c = (unsigned char)s->text.p[at];
	if (c < 0x80)
		return c == '_' || (c >= '0' && c <= '9') ||
		    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
	r = str_rune(str_skip(s->text, at), &len);
	if (r == 0xfffd || r < 0xaa || r == 0xd7 || r == 0xf7 ||
	    (r >= 0x2000 && r < 0x2071) || !quote_printable(r))
		return 0;
	return len;
}

/* May a field, variable or identifier end here? */
static bool
at_end_of_word(const struct scan *s)
{
	char c = peek(s, 0);

	return s->pos >= s->text.n || space(c) ||
	    (c != '\0' && strchr(".,|:)(", c) != NULL) ||
	    looking_at(s, 0, "}}");
}

/* Is "}}" or " -}}" (from its '-') n places on?  Which? */
static bool
right_delim(const struct scan *s, size_t n, bool *trim)
{
	*trim = space(peek(s, n)) && looking_at(s, n + 1, "-}}");
	return *trim || looking_at(s, n, "}}");
}

static void
skip_space(struct scan *s)
{
	while (s->pos < s->text.n && space(s->text.p[s->pos]))
		s->pos++;
}

static bool
comment(struct scan *s)
{
	size_t end = str_find(str_skip(s->text, s->pos), STR("*/"));
	bool trim;

	if (s->pos + end >= s->text.n)
		return fail(s, "unclosed comment");
	s->pos += end + 2;
	if (!right_delim(s, 0, &trim))
		return fail(s, "comment ends before closing delimiter");
	s->pos += trim ? 4 : 2;
	if (trim)
		skip_space(s);
	ignore(s);
	return true;
}

static bool
quote(struct scan *s, char end, const char *unterminated)
{
	for (;;) {
		char c = peek(s, 0);

		if (c == '\\' && peek(s, 1) != '\n' && s->pos + 1 < s->text.n) {
			s->pos += 2;
			continue;
		}
		if (s->pos >= s->text.n || c == '\n' || c == '\\')
			return fail(s, unterminated);
		s->pos++;
		if (c == end)
			return true;
	}
}

static void
digits(struct scan *s, const char *set)
{
	while (peek(s, 0) != '\0' && strchr(set, peek(s, 0)) != NULL)
		s->pos++;
}

static bool
number_syntax(struct scan *s)
{
	const char *set = "0123456789_";
	char exponent = 'e';

	if (peek(s, 0) == '+' || peek(s, 0) == '-')
		s->pos++;
	if (peek(s, 0) == '0') {
		s->pos++;
		switch (peek(s, 0) | 0x20) {
		case 'x':
			set = "0123456789abcdefABCDEF_";
			exponent = 'p';
			s->pos++;
			break;
		case 'o':
			set = "01234567_";
			exponent = '\0';
			s->pos++;
			break;
		case 'b':
			set = "01_";
			exponent = '\0';
			s->pos++;
			break;
		}
	}
	digits(s, set);
	if (peek(s, 0) == '.') {
		s->pos++;
		digits(s, set);
	}
	if (exponent != '\0' && (peek(s, 0) | 0x20) == exponent) {
		s->pos++;
		if (peek(s, 0) == '+' || peek(s, 0) == '-')
			s->pos++;
		digits(s, "0123456789_");
	}
	if (peek(s, 0) == 'i')
		s->pos++;
	if (word_rune(s, s->pos) > 0) {
		s->pos++;
		return false;
	}
	return true;
}

static bool
number(struct scan *s)
{
	bool good = number_syntax(s);

	/* 1+2i: no blanks, and it must end in i. */
	if (good && (peek(s, 0) == '+' || peek(s, 0) == '-'))
		good = number_syntax(s) && s->text.p[s->pos - 1] == 'i';
	if (!good) {
		struct buf b = { 0 };
		str msg;

		buf_z(&b, "bad number syntax: ");
		quote_add(&b, (str){ s->text.p + s->start, s->pos - s->start });
		msg = arena_dup(s->a, buf_str(&b));
		buf_fini(&b);
		emit_val(s, ITEM_ERROR, msg);
		return false;
	}
	emit(s, ITEM_NUMBER);
	return true;
}

static bool
word(struct scan *s)
{
	size_t n;
	str w;

	while ((n = word_rune(s, s->pos)) > 0)
		s->pos += n;
	if (!at_end_of_word(s))
		return fail_rune(s, "bad character", s->pos);
	w = (str){ s->text.p + s->start, s->pos - s->start };
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (str_eq(w, str_of(keywords[i].word))) {
			emit(s, keywords[i].type);
			return true;
		}
	if (str_eq(w, STR("true")) || str_eq(w, STR("false")))
		emit(s, ITEM_BOOL);
	else
		emit(s, ITEM_IDENT);
	return true;
}

/* After a '.' or '$' that has been passed. */
static bool
field_or_var(struct scan *s, enum tmpl_item type)
{
	size_t n;

	if (at_end_of_word(s)) {
		emit(s, type == ITEM_FIELD ? ITEM_DOT : type);
		return true;
	}
	while ((n = word_rune(s, s->pos)) > 0)
		s->pos += n;
	if (!at_end_of_word(s))
		return fail_rune(s, "bad character", s->pos);
	emit(s, type);
	return true;
}

static bool
raw_string(struct scan *s)
{
	size_t end = str_chr(str_skip(s->text, s->pos), '`');

	if (s->pos + end >= s->text.n)
		return fail(s, "unterminated raw quoted string");
	s->pos += end + 1;
	emit(s, ITEM_RAW);
	return true;
}

static bool
quoted(struct scan *s, enum tmpl_item type, char end, const char *msg)
{
	if (!quote(s, end, msg))
		return false;
	emit(s, type);
	return true;
}

static bool
paren(struct scan *s, char c)
{
	s->parens += c == '(' ? 1 : -1;
	if (s->parens < 0)
		return fail(s, "unexpected right paren");
	emit(s, c == '(' ? ITEM_OPEN : ITEM_CLOSE);
	return true;
}

static bool
one_char(struct scan *s, enum tmpl_item type)
{
	emit(s, type);
	return true;
}

/* One token of an action, whose first byte is c. */
static bool
action_token(struct scan *s, char c)
{
	if ((c >= '0' && c <= '9') || c == '+' || c == '-' ||
	    (c == '.' && peek(s, 1) >= '0' && peek(s, 1) <= '9'))
		return number(s);
	if (word_rune(s, s->pos) > 0)
		return word(s);
	s->pos++;
	switch (c) {
	case '=':
		return one_char(s, ITEM_ASSIGN);
	case ':':
		if (peek(s, 0) != '=')
			return fail(s, "expected :=");
		s->pos++;
		return one_char(s, ITEM_DECLARE);
	case '|':
		return one_char(s, ITEM_PIPE);
	case '"':
		return quoted(
		    s, ITEM_STRING, '"', "unterminated quoted string");
	case '\'':
		return quoted(
		    s, ITEM_CHARCONST, '\'', "unterminated character constant");
	case '`':
		return raw_string(s);
	case '$':
		return field_or_var(s, ITEM_VAR);
	case '.':
		return field_or_var(s, ITEM_FIELD);
	case '(':
	case ')':
		return paren(s, c);
	}
	if (c > ' ' && c < 0x7f)
		return one_char(s, ITEM_CHAR);
	return fail_rune(s, "unrecognized character in action:", s->pos - 1);
}

/* What stands between "{{" (passed) and "}}" (passed at the end). */
static bool
action(struct scan *s)
{
	bool trim;

	s->parens = 0;
	for (;;) {
		if (right_delim(s, 0, &trim)) {
			if (s->parens > 0)
				return fail(s, "unclosed left paren");
			if (trim) {
				s->pos += 2;
				ignore(s);
			}
			s->pos += 2;
			emit(s, ITEM_RIGHT);
			if (trim) {
				skip_space(s);
				ignore(s);
			}
			return true;
		}
		if (s->pos >= s->text.n)
			return fail(s, "unclosed action");
		if (space(peek(s, 0))) {
			while (space(peek(s, 0)) && !right_delim(s, 0, &trim))
				s->pos++;
			emit(s, ITEM_SPACE);
		} else if (!action_token(s, peek(s, 0)))
			return false;
	}
}

/* The text before the next action, and its "{{" or comment. */
static bool
text(struct scan *s)
{
	size_t n = str_find(str_skip(s->text, s->pos), STR("{{"));
	size_t end = s->pos + n, left = end;
	bool trim;

	trim = end + 3 < s->text.n && s->text.p[end + 2] == '-' &&
	    space(s->text.p[end + 3]);
	if (trim)
		while (end > s->pos && space(s->text.p[end - 1]))
			end--;
	if (end > s->pos) {
		s->pos = end;
		emit(s, ITEM_TEXT);
	}
	s->pos = left;
	ignore(s);
	if (left >= s->text.n)
		return false;
	s->pos += 2;
	if (str_starts(str_skip(s->text, s->pos + (trim ? 2 : 0)), STR("/*"))) {
		s->pos += trim ? 2 : 0;
		ignore(s);
		return comment(s);
	}
	emit(s, ITEM_LEFT);
	if (trim) {
		s->pos += 2;
		ignore(s);
	}
	return action(s);
}

struct tmpl_token *
tmpl_scan(struct arena *a, str source, size_t *n)
{
	struct scan s = { .a = a, .text = source, .line = 1, .start_line = 1 };

	while (text(&s))
		continue;
	if (s.n == 0 || s.v[s.n - 1].type != ITEM_ERROR)
		emit_val(&s, ITEM_EOF, STR_NONE);
	*n = s.n;
	return s.v;
}
