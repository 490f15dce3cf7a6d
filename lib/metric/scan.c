/*
 * The scanner of series and label sets.  It is what an unseen page is read
 * with, so the plain case (bare names, values without escapes, sorted labels)
 * is one pass over the bytes and copies nothing.
 */
#include "metric/scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

const unsigned char scan_class[256] = {
	['a' ... 'z'] = SCAN_START | SCAN_CONT,
	['A' ... 'Z'] = SCAN_START | SCAN_CONT,
	['_'] = SCAN_START | SCAN_CONT,
	['0' ... '9'] = SCAN_CONT,
	[':'] = SCAN_COLON,
	['"'] = SCAN_STOP,
	['\\'] = SCAN_STOP,
	['\n'] = SCAN_STOP,
};

static unsigned
is(char c, unsigned mask)
{
	return scan_class[(unsigned char)c] & mask;
}

void
scan_init(struct scan *s, struct arena *a, bool strict)
{
	*s = (struct scan){ .a = a, .strict = strict };
}

void
scan_fini(struct scan *s)
{
	free(s->v);
	s->v = NULL;
	s->n = s->cap = 0;
}

void
scan_line(struct scan *s, str line)
{
	s->p = line.p != NULL ? line.p : "";
	s->end = s->p + line.n;
	s->bad = s->p;
	s->n = 0;
	s->named = false;
	s->more = NULL;
}

bool
scan_blanks(struct scan *s)
{
	const char *from = s->p;

	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t'))
		s->p++;
	return s->p > from;
}

str
scan_word(struct scan *s)
{
	const char *from = s->p;

	while (s->p < s->end && *s->p != ' ' && *s->p != '\t')
		s->p++;
	return str_from(from, s->p);
}

/* What stands here, for a message: a byte, or the end of the line. */
static int
unexpected(struct scan *s, const char *want, struct error *e)
{
	unsigned char c;

	if (s->p >= s->end)
		return scan_fail(
		    s, NULL, e, "unexpected end of line, %s", want);
	c = (unsigned char)*s->p;
	if (c < ' ' || c >= 0x7f)
		return scan_fail(
		    s, NULL, e, "unexpected byte 0x%02x, %s", c, want);
	return scan_fail(s, NULL, e, "unexpected '%c', %s", c, want);
}

/* The quote that ends a string behind the line, which is made to end there. */
static const char *
closing_quote(struct scan *s, const char *q)
{
	const char *nl;

	for (; q < s->more && *q != '"'; q++)
		if (*q == '\\' && (++q >= s->more || *q == '\n'))
			return s->end;
	if (q >= s->more)
		return s->end;
	nl = memchr(q, '\n', (size_t)(s->more - q));
	s->end = nl == NULL ? s->more : nl;
	return q;
}

/*
 * The bytes from from to the closing quote, some of them escaped: \\ \" \n are
 * taken off, another \x keeps both characters.
 */
static int
unescape(struct scan *s, const char *from, str *out, struct error *e)
{
	const char *q = s->p;
	char *w, *o;

	while (q < s->end && *q != '"')
		q += *q == '\\' && q + 1 < s->end ? 2 : 1;
	if (q >= s->end && s->more > s->end)
		q = closing_quote(s, from);
	if (q >= s->end)
		return scan_fail(s, from - 1, e, "unterminated string");
	s->used = true;
	w = o = arena_alloc(s->a, (size_t)(q - from));
	for (; from < q; from++) {
		if (*from != '\\') {
			*w++ = *from;
			continue;
		}
		from++;
		if (*from == 'n')
			*w++ = '\n';
		else if (*from == '"' || *from == '\\')
			*w++ = *from;
		else {
			*w++ = '\\';
			*w++ = *from;
		}
	}
	s->p = q + 1;
	*out = str_from(o, w);
	return 0;
}

int
scan_quoted(struct scan *s, str *out, struct error *e)
{
	const char *from, *p;
	unsigned char high = 0;

	if (s->p >= s->end || *s->p != '"')
		return unexpected(s, "expected a quoted string", e);
	from = p = s->p + 1;
	while (p < s->end && !is(*p, SCAN_STOP))
		high |= (unsigned char)*p++;
	if (p < s->end && *p == '"') {
		*out = str_from(from, p);
		s->p = p + 1;
		if (high < 0x80)
			return 0;
	} else {
		s->p = p;
		if (unescape(s, from, out, e) == -1)
			return -1;
	}
	if (!str_utf8(*out))
		return scan_fail(s, from, e, "invalid UTF-8 in a string");
	return 0;
}

int
scan_name(struct scan *s, str *out, struct error *e)
{
	const char *from = s->p;

	if (s->p < s->end && *s->p == '"') {
		if (scan_quoted(s, out, e) == -1)
			return -1;
		if (out->n == 0 || str_chr(*out, '\0') < out->n)
			return scan_fail(s, from, e,
			    out->n == 0 ? "empty metric name"
					: "NUL in a name");
		return 0;
	}
	if (s->p >= s->end || !is(*s->p, SCAN_START | SCAN_COLON))
		return unexpected(s, "expected a metric name", e);
	while (s->p < s->end && is(*s->p, SCAN_CONT | SCAN_COLON))
		s->p++;
	*out = str_from(from, s->p);
	return 0;
}

static void
add(struct scan *s, str name, str value)
{
	if (value.n == 0)
		return;
	if (s->n == s->cap)
		s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = (struct label){ name, value };
}

/* One name="value", or the metric's name as a bare quoted string. */
static int
pair(struct scan *s, struct error *e)
{
	const char *from = s->p;
	str name, value;
	bool quoted = s->p < s->end && *s->p == '"';

	if (quoted) {
		if (scan_quoted(s, &name, e) == -1)
			return -1;
		if (name.n == 0 || str_chr(name, '\0') < name.n)
			return scan_fail(s, from, e,
			    name.n == 0 ? "empty name" : "NUL in a name");
	} else {
		if (s->p >= s->end || !is(*s->p, SCAN_START))
			return unexpected(s, "expected a label name or '}'", e);
		while (s->p < s->end && is(*s->p, SCAN_CONT))
			s->p++;
		name = str_from(from, s->p);
	}
	if (!s->strict)
		(void)scan_blanks(s);
	if (s->p < s->end && *s->p == '=') {
		s->p++;
		if (!s->strict)
			(void)scan_blanks(s);
		if (scan_quoted(s, &value, e) == -1)
			return -1;
		add(s, name, value);
		return 0;
	}
	if (!quoted || (s->p < s->end && *s->p != ',' && *s->p != '}'))
		return unexpected(s, "expected '='", e);
	if (s->named)
		return scan_fail(s, from, e, "metric name already set");
	s->named = true;
	add(s, LABEL_NAME, name);
	return 0;
}

static int
braces(struct scan *s, struct error *e)
{
	bool comma;

	if (s->p >= s->end || *s->p != '{')
		return unexpected(s, "expected '{'", e);
	s->p++;
	if (!s->strict)
		(void)scan_blanks(s);
	while (s->p < s->end && *s->p != '}') {
		if (pair(s, e) == -1)
			return -1;
		if (!s->strict)
			(void)scan_blanks(s);
		comma = s->p < s->end && *s->p == ',';
		if (comma) {
			s->p++;
			if (!s->strict)
				(void)scan_blanks(s);
		} else if (s->strict && s->p < s->end && *s->p != '}')
			return unexpected(s, "expected ',' or '}'", e);
	}
	if (s->p >= s->end)
		return unexpected(s, "expected '}'", e);
	s->p++;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct label *x = a, *y = b;

	return str_cmp(x->name, y->name);
}

/* Sort, nearly always for nothing, and refuse a name given twice. */
static int
sort(struct scan *s, const char *from, struct error *e)
{
	struct label l;
	size_t i, j;
	int c;

	if (s->n > 64)
		qsort(s->v, s->n, sizeof(*s->v), by_name);
	for (i = 1; i < s->n; i++) {
		c = str_cmp(s->v[i - 1].name, s->v[i].name);
		if (c < 0)
			continue;
		l = s->v[i];
		for (j = i; j > 0 && c > 0; j--) {
			s->v[j] = s->v[j - 1];
			c = j > 1 ? str_cmp(s->v[j - 2].name, l.name) : -1;
		}
		if (c == 0)
			return scan_fail(s, from, e,
			    "label name \"%.*s\" is not unique",
			    STR_ARG(l.name));
		s->v[j] = l;
	}
	return 0;
}

int
scan_series(struct scan *s, struct error *e)
{
	const char *from = s->p;
	str name;

	s->n = 0;
	s->named = false;
	if (s->p < s->end && *s->p != '{') {
		if (*s->p == '"')
			return unexpected(
			    s, "a quoted name stands in braces", e);
		if (scan_name(s, &name, e) == -1)
			return -1;
		s->named = true;
		add(s, LABEL_NAME, name);
		if (!s->strict && !s->tight && s->p < s->end && *s->p != '{') {
			const char *here = s->p;

			/* "name {a=..." is one series, "name 1" is a value */
			(void)scan_blanks(s);
			if (s->p >= s->end || *s->p != '{')
				s->p = here;
		}
		if (s->p >= s->end || *s->p != '{')
			return 0;
	}
	if (braces(s, e) == -1)
		return -1;
	return sort(s, from, e);
}

int
scan_set(struct scan *s, struct error *e)
{
	const char *from = s->p;

	s->n = 0;
	s->named = false;
	if (braces(s, e) == -1)
		return -1;
	return sort(s, from, e);
}

struct labels
scan_take(const struct scan *s, struct arena *a)
{
	struct label *v;

	if (s->n == 0)
		return (struct labels){ NULL, 0 };
	v = arena_alloc(a, s->n * sizeof(*v));
	memcpy(v, s->v, s->n * sizeof(*v));
	return (struct labels){ v, s->n };
}

#ifdef __clang_analyzer__
#undef scan_fail
#endif

int
scan_fail(struct scan *s, const char *at, struct error *e, const char *fmt, ...)
{
	va_list ap;

	s->bad = at != NULL ? at : s->p;
	va_start(ap, fmt);
	(void)error_vset(e, fmt, ap);
	va_end(ap);
	return -1;
}
