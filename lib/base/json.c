/*
 * JSON out byte for byte as Go writes it, since the bodies and answers we send
 * are compared with those of Go programs; and in through jansson, copied into
 * an arena so that nothing has to be released piece by piece.
 */
#include "base/json.h"

/* jansson's enum has names of ours: it gets others here. */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_NULL JANSSON_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_NULL

#include "base/num.h"

void
json_init(struct json_writer *w, struct buf *out, bool html)
{
	*w = (struct json_writer){ .out = out, .html = html };
}

static void
comma(struct json_writer *w)
{
	if (w->pending)
		buf_byte(w->out, ',');
	w->pending = true;
}

void
json_open(struct json_writer *w, char bracket)
{
	comma(w);
	buf_byte(w->out, bracket);
	w->pending = false;
}

void
json_close(struct json_writer *w, char bracket)
{
	buf_byte(w->out, bracket);
	w->pending = true;
}

/* What Go writes for a character that does not stand for itself; or NULL. */
static const char *
escape(unsigned char c, bool html, char hex[7])
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\b':
		return "\\b";
	case '\f':
		return "\\f";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	}
	if (c >= 0x20 && !(html && (c == '<' || c == '>' || c == '&')))
		return NULL;
	(void)snprintf(hex, 7, "\\u%04x", c);
	return hex;
}

/* In which bytes of a word, all below 0x80, is c?  Their top bits. */
static inline uint64_t
bytes_with(uint64_t x, unsigned char c)
{
	x ^= UINT64_C(0x0101010101010101) * c;
	return UINT64_C(0x8080808080808080) &
	    ~(x + UINT64_C(0x7f7f7f7f7f7f7f7f));
}

/* How many bytes from p on, by eights, surely stand for themselves. */
static size_t
plain(const char *p, size_t n)
{
	const uint64_t top = UINT64_C(0x8080808080808080);
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t x, low;

		memcpy(&x, p + i, sizeof(x));
		if (x & top)
			break;
		/* Below 0x20 the sum does not reach the top bit. */
		low = ~(x + UINT64_C(0x6060606060606060)) & top;
		if (low | bytes_with(x, '"') | bytes_with(x, '\\') |
		    bytes_with(x, '<') | bytes_with(x, '>') |
		    bytes_with(x, '&') | bytes_with(x, 0x7f))
			break;
	}
	return i;
}

static void
quoted(struct json_writer *w, str s)
{
	char hex[7];
	size_t from = 0, len;

	buf_byte(w->out, '"');
	for (size_t i = plain(s.p, s.n); i < s.n; i += len) {
		unsigned char c = (unsigned char)s.p[i];
		const char *z = NULL;
		uint32_t r;

		len = 1;
		if (c >= 0x80) {
			r = str_rune(str_skip(s, i), &len);
			if (r == 0xfffd && len == 1)
				z = "\\ufffd";
			else if (w->html && (r == 0x2028 || r == 0x2029))
				z = r == 0x2028 ? "\\u2028" : "\\u2029";
		} else {
			z = escape(c, w->html, hex);
		}
		if (z == NULL)
			continue;
		buf_add(w->out, (str){ s.p + from, i - from });
		buf_z(w->out, z);
		from = i + len;
	}
	buf_add(w->out, str_skip(s, from));
	buf_byte(w->out, '"');
}

void
json_key(struct json_writer *w, str key)
{
	comma(w);
	quoted(w, key);
	buf_byte(w->out, ':');
	w->pending = false;
}

void
json_str(struct json_writer *w, str s)
{
	comma(w);
	quoted(w, s);
}

void
json_int(struct json_writer *w, int64_t v)
{
	comma(w);
	num_print_int(w->out, v);
}

/* Go: exponents below 1e-6 and from 1e21 on, written without a leading 0. */
void
json_num(struct json_writer *w, double v)
{
	double a = fabs(v);
	struct buf *b = w->out;

	comma(w);
	if (!isfinite(v)) {
		buf_z(b, "null");
	} else if (a != 0 && (a < 1e-6 || a >= 1e21)) {
		num_format(b, v, 'e', -1);
		if (b->n >= 4 && memcmp(b->p + b->n - 4, "e-0", 3) == 0) {
			b->p[b->n - 2] = b->p[b->n - 1];
			b->n--;
		}
	} else {
		num_format(b, v, 'f', -1);
	}
}

void
json_bool(struct json_writer *w, bool v)
{
	comma(w);
	buf_z(w->out, v ? "true" : "false");
}

void
json_nil(struct json_writer *w)
{
	comma(w);
	buf_z(w->out, "null");
}

void
json_raw(struct json_writer *w, str json)
{
	comma(w);
	buf_add(w->out, json);
}

static void convert(struct arena *a, const json_t *j, struct json_value *v);

static void
convert_object(struct arena *a, const json_t *j, struct json_value *v)
{
	/* jansson's iterators want it writable, and do not write. */
	union {
		const json_t *r;
		json_t *w;
	} u = { .r = j };
	struct json_value *m;
	size_t i = 0;

	v->kind = JSON_OBJECT;
	v->n = json_object_size(j);
	m = arena_array(a, v->n, struct json_value);
	v->v = m;
	for (void *it = json_object_iter(u.w); it != NULL && i < v->n;
	     it = json_object_iter_next(u.w, it), i++) {
		convert(a, json_object_iter_value(it), &m[i]);
		m[i].key = arena_dup(a, str_of(json_object_iter_key(it)));
	}
}

static void
convert_array(struct arena *a, const json_t *j, struct json_value *v)
{
	struct json_value *m;

	v->kind = JSON_ARRAY;
	v->n = json_array_size(j);
	m = arena_array(a, v->n, struct json_value);
	v->v = m;
	for (size_t i = 0; i < v->n; i++)
		convert(a, json_array_get(j, i), &m[i]);
}

static void
convert_number(const json_t *j, struct json_value *v)
{
	v->kind = JSON_NUMBER;
	v->is_int = json_is_integer(j);
	v->number = json_number_value(j);
	if (v->is_int)
		v->integer = json_integer_value(j);
}

/* The depth is jansson's own limit, 2048. */
static void
convert(struct arena *a, const json_t *j, struct json_value *v)
{
	*v = (struct json_value){ .kind = JSON_NULL };
	switch (json_typeof(j)) {
	case JANSSON_OBJECT:
		convert_object(a, j, v);
		break;
	case JANSSON_ARRAY:
		convert_array(a, j, v);
		break;
	case JANSSON_STRING:
		v->kind = JSON_STRING;
		v->string = arena_dup(
		    a, (str){ json_string_value(j), json_string_length(j) });
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		convert_number(j, v);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		v->kind = JSON_BOOL;
		v->boolean = json_typeof(j) == JSON_TRUE;
		break;
	case JANSSON_NULL:
		break;
	}
}

const struct json_value *
json_parse(struct arena *a, str text, struct error *e)
{
	const size_t flags =
	    JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES;
	const char *p = text.n > 0 ? text.p : "";
	struct json_value *v;
	json_error_t je;
	json_t *j = json_loadb(p, text.n, flags, &je);

	/* An integer of more than 64 bits is a number all the same. */
	if (j == NULL && json_error_code(&je) == json_error_numeric_overflow)
		j = json_loadb(p, text.n, flags | JSON_DECODE_INT_AS_REAL, &je);
	if (j == NULL) {
		error_set(e, "%d:%d: %s", je.line > 0 ? je.line : 1,
		    je.column > 0 ? je.column : 1, je.text);
		return NULL;
	}
	v = arena_new(a, struct json_value);
	convert(a, j, v);
	json_decref(j);
	return v;
}

const struct json_value *
json_find(const struct json_value *o, const char *key)
{
	if (o == NULL || o->kind != JSON_OBJECT)
		return NULL;
	for (size_t i = 0; i < o->n; i++)
		if (str_eq(o->v[i].key, str_of(key)))
			return &o->v[i];
	return NULL;
}

str
json_find_str(const struct json_value *o, const char *key)
{
	const struct json_value *v = json_find(o, key);

	return v != NULL && v->kind == JSON_STRING ? v->string : STR("");
}
