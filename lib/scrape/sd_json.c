/*
 * Target groups in JSON, read in one pass straight into groups: a list may
 * come from a stranger, and a tree of it would cost ten times its text and
 * seconds.  What a list may hold is bounded, in all, before it is kept.
 */
#include "scrape/sd_impl.h"

/* A group and a target weigh 8, a label 1. */
#define BUDGET 4000000
#define HEAVY 8
#define MAX_LABELS 10000 /* of a group */

struct reader {
	str s;
	size_t at;
	struct sd_build *b;
	struct arena *a; /* of its part */
	struct buf text; /* a string with escapes */
	size_t left;     /* of the budget */
};

/* "line:col: what" of where the reader is. */
static int
fail(const struct reader *r, struct error *e, const char *what)
{
	size_t line = 1, col = 1;

	for (size_t i = 0; i < r->at && i < r->s.n; i++) {
		col++;
		if (r->s.p[i] == '\n') {
			line++;
			col = 1;
		}
	}
	return error_set(e, "%zu:%zu: %s", line, col, what);
}

static int
spend(struct reader *r, size_t weight, struct error *e)
{
	if (weight > r->left)
		return fail(r, e, "too many groups, targets and labels");
	r->left -= weight;
	return 0;
}

/* The next byte that is no blank, or 0 at the end. */
static char
peek(struct reader *r)
{
	while (r->at < r->s.n && strchr(" \t\r\n", r->s.p[r->at]) != NULL &&
	    r->s.p[r->at] != '\0')
		r->at++;
	return r->at < r->s.n ? r->s.p[r->at] : '\0';
}

static bool
take(struct reader *r, char c)
{
	if (peek(r) != c)
		return false;
	r->at++;
	return true;
}

static bool
null(struct reader *r)
{
	if (peek(r) != 'n' || !str_starts(str_skip(r->s, r->at), STR("null")))
		return false;
	r->at += 4;
	return true;
}

/* Four hex digits at the reader, or -1. */
static int
hex4(struct reader *r)
{
	int v = 0, d;

	if (r->s.n - r->at < 4)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		if ((d = str_hex(r->s.p[r->at + i])) == -1)
			return -1;
		v = v << 4 | d;
	}
	r->at += 4;
	return v;
}

/* What follows a backslash and a 'u': a code point, of two halves maybe. */
static int
unicode(struct reader *r, struct error *e)
{
	char out[4];
	int v = hex4(r), low;

	if (v == -1)
		return fail(r, e, "invalid escape");
	if (v >= 0xd800 && v < 0xdc00 &&
	    str_starts(str_skip(r->s, r->at), STR("\\u"))) {
		r->at += 2;
		low = hex4(r);
		if (low < 0xdc00 || low > 0xdfff)
			return fail(r, e, "invalid surrogate pair");
		v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
	}
	if (v >= 0xd800 && v < 0xe000)
		return fail(r, e, "invalid surrogate pair");
	if (v == 0)
		return fail(r, e, "NUL in a string");
	buf_add(&r->text, (str){ out, str_encode((uint32_t)v, out) });
	return 0;
}

static int
escape(struct reader *r, struct error *e)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = r->at < r->s.n ? r->s.p[r->at++] : '\0';
	const char *z = c != '\0' ? strchr(from, c) : NULL;

	if (c == 'u')
		return unicode(r, e);
	if (z == NULL)
		return fail(r, e, "invalid escape");
	buf_byte(&r->text, to[z - from]);
	return 0;
}

/* A string, in the part's arena. */
static int
string(struct reader *r, str *out, struct error *e)
{
	size_t from;

	if (!take(r, '"'))
		return fail(r, e, "expected a string");
	buf_reset(&r->text);
	for (;;) {
		from = r->at;
		while (r->at < r->s.n && (unsigned char)r->s.p[r->at] >= ' ' &&
		    r->s.p[r->at] != '"' && r->s.p[r->at] != '\\')
			r->at++;
		*out = (str){ r->s.p + from, r->at - from };
		if (r->at == r->s.n)
			return fail(r, e, "a string without an end");
		if ((unsigned char)r->s.p[r->at] < ' ')
			return fail(r, e, "a control character in a string");
		if (r->s.p[r->at++] == '"')
			break;
		buf_add(&r->text, *out);
		if (escape(r, e) == -1)
			return -1;
	}
	if (r->text.n > 0) {
		buf_add(&r->text, *out);
		*out = buf_str(&r->text);
	}
	if (!str_utf8(*out))
		return fail(r, e, "a string that is not UTF-8");
	*out = arena_dup(r->a, *out);
	return 0;
}

/* A string, or null, which is an empty one. */
static int
text(struct reader *r, str *out, struct error *e)
{
	*out = STR("");
	return null(r) ? 0 : string(r, out, e);
}

/*
 * After an element: 1 if another follows, 0 if close ended the list; before
 * the first: the same, of an opened one.
 */
static int
more(struct reader *r, bool first, char close, struct error *e)
{
	if (take(r, close))
		return 0;
	if (first)
		return 1;
	if (!take(r, ','))
		return fail(r, e,
		    close == ']' ? "expected ',' or ']'"
				 : "expected ',' or '}'");
	return 1;
}

static int
targets(struct reader *r, struct error *e)
{
	bool first = true;
	str s;
	int m;

	r->b->ntargets = 0; /* of two lists the last counts */
	if (null(r))
		return 0;
	if (!take(r, '['))
		return fail(r, e, "targets: expected a list");
	while ((m = more(r, first, ']', e)) == 1) {
		if (spend(r, HEAVY, e) == -1 || text(r, &s, e) == -1)
			return -1;
		sd_build_target(r->b, s);
		first = false;
	}
	return m;
}

static int
labels(struct reader *r, struct error *e)
{
	bool first = true;
	str name, value;
	int m;

	if (null(r))
		return 0;
	if (!take(r, '{'))
		return fail(r, e, "labels: expected an object");
	while ((m = more(r, first, '}', e)) == 1) {
		if (r->b->nlabels == MAX_LABELS)
			return fail(r, e, "more than 10000 labels");
		if (spend(r, 1, e) == -1 || string(r, &name, e) == -1)
			return -1;
		if (name.n == 0)
			return fail(r, e, "\"\" is not a valid label name");
		if (!take(r, ':'))
			return fail(r, e, "expected ':'");
		if (text(r, &value, e) == -1)
			return -1;
		sd_build_label(r->b, name, value);
		first = false;
	}
	return m;
}

/* Go takes the keys of a struct in any case. */
static int
group(struct reader *r, struct error *e)
{
	bool first = true;
	int m, rc;
	str key;

	if (null(r))
		return fail(r, e, "nil target group item found");
	if (!take(r, '{'))
		return fail(r, e, "expected an object");
	sd_build_begin(r->b);
	while ((m = more(r, first, '}', e)) == 1) {
		size_t at;

		(void)peek(r);
		at = r->at;
		if (string(r, &key, e) == -1)
			return -1;
		if (!str_eq_fold(key, STR("targets")) &&
		    !str_eq_fold(key, STR("labels"))) {
			r->at = at;
			return fail(r, e,
			    arena_cstr(r->a,
				arena_printf(r->a, "unknown key \"%.*s\"",
				    STR_ARG(key))));
		}
		if (!take(r, ':'))
			return fail(r, e, "expected ':'");
		rc = str_eq_fold(key, STR("targets")) ? targets(r, e)
						      : labels(r, e);
		if (rc == -1)
			return -1;
		first = false;
	}
	if (m == 0 && spend(r, HEAVY, e) == -1)
		return -1;
	if (m == 0)
		(void)sd_build_end(r->b);
	return m;
}

static int
list(struct reader *r, struct error *e)
{
	bool first = true;
	int m;

	if (!null(r)) {
		if (!take(r, '['))
			return fail(r, e, "expected a list of target groups");
		while ((m = more(r, first, ']', e)) == 1) {
			if (group(r, e) == -1)
				return -1;
			first = false;
		}
		if (m == -1)
			return -1;
	}
	(void)peek(r);
	return r->at == r->s.n ? 0 : fail(r, e, "text behind the list");
}

int
sd_json(struct sd_build *b, str s, struct error *e)
{
	struct reader r = { .s = s, .b = b, .a = &b->p->a, .left = BUDGET };
	int rc = list(&r, e);

	buf_fini(&r.text);
	return rc;
}
