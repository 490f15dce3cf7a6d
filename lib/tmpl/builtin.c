/* Go's own template functions: comparison, index, slice, len, print, html. */
#include "base/quote.h"
#include "base/url.h"
#include "tmpl/node.h"

static int
not_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	(void)n;
	(void)e;
	*out = tmpl_bool(!tmpl_truth(r, v[0]));
	return 0;
}

/* What can be compared by eq; and by lt, but for CMP_BOOL and CMP_OTHER. */
enum cmp { CMP_NONE, CMP_BOOL, CMP_INT, CMP_FLOAT, CMP_STRING, CMP_OTHER };

static enum cmp
cmp_kind(struct tmpl_value v)
{
	switch (v.kind) {
	case TMPL_NIL:
	case TMPL_MISSING:
		return CMP_NONE;
	case TMPL_BOOL:
		return CMP_BOOL;
	case TMPL_INT:
	case TMPL_DUR:
		return CMP_INT;
	case TMPL_FLOAT:
		return CMP_FLOAT;
	case TMPL_STRING:
		return CMP_STRING;
	case TMPL_LIST:
	case TMPL_MAP:
	case TMPL_OBJECT:
	case TMPL_TIME:
		break;
	}
	return CMP_OTHER;
}

static int
incompatible(struct tmpl_value a, struct tmpl_value b, struct error *e)
{
	return error_set(e, "incompatible types for comparison: %s and %s",
	    tmpl_type_name(a), tmpl_type_name(b));
}

/* Are two values of one kind equal?  -1 if such can't be compared. */
static int
equal(struct tmpl_value a, struct tmpl_value b, struct error *e)
{
	switch (cmp_kind(a)) {
	case CMP_NONE:
		return 1;
	case CMP_BOOL:
		return a.b == b.b;
	case CMP_INT:
		return a.i == b.i;
	case CMP_FLOAT:
		return a.f >= b.f && a.f <= b.f;
	case CMP_STRING:
		return str_eq(a.s, b.s);
	case CMP_OTHER:
		break;
	}
	if (a.kind == TMPL_TIME && b.kind == TMPL_TIME)
		return a.time.ms == b.time.ms && a.time.ns == b.time.ns;
	if (a.kind == TMPL_OBJECT && b.kind == TMPL_OBJECT &&
	    a.obj->type->elems == NULL && a.obj->type->print != NULL) {
		struct buf x = { 0 }, y = { 0 };
		int same;

		tmpl_print(&x, a);
		tmpl_print(&y, b);
		same = a.obj->type == b.obj->type &&
		    str_eq(buf_str(&x), buf_str(&y));
		buf_fini(&x);
		buf_fini(&y);
		return same;
	}
	return error_set(e, "non-comparable type %s", tmpl_type_name(b));
}

static int
eq_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	int rc = 0;

	(void)r;
	if (n < 2)
		return error_set(e, "missing argument for comparison");
	for (size_t i = 1; i < n && rc == 0; i++) {
		enum cmp a = cmp_kind(v[0]), b = cmp_kind(v[i]);

		if (a == b)
			rc = equal(v[0], v[i], e);
		else if (a != CMP_NONE && b != CMP_NONE)
			return incompatible(v[0], v[i], e);
	}
	if (rc == -1)
		return -1;
	*out = tmpl_bool(rc == 1);
	return 0;
}

static int
ne_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	if (eq_fn(r, v, n, out, e) == -1)
		return -1;
	out->b = !out->b;
	return 0;
}

/* lt, and the others by it: le is not gt. */
static int
less(struct tmpl_value a, struct tmpl_value b, bool or_equal,
    struct tmpl_value *out, struct error *e)
{
	enum cmp k = cmp_kind(a);
	int c = 0;

	if (k != CMP_INT && k != CMP_FLOAT && k != CMP_STRING)
		return error_set(e, "invalid type for comparison");
	if (cmp_kind(b) == CMP_NONE)
		return error_set(e, "invalid type for comparison");
	if (k != cmp_kind(b))
		return incompatible(a, b, e);
	if (k == CMP_FLOAT) {
		*out = tmpl_bool(or_equal ? a.f <= b.f : a.f < b.f);
		return 0;
	}
	if (k == CMP_INT)
		c = (a.i > b.i) - (a.i < b.i);
	else
		c = str_cmp(a.s, b.s);
	*out = tmpl_bool(or_equal ? c <= 0 : c < 0);
	return 0;
}

static int
lt_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	(void)r;
	(void)n;
	return less(v[0], v[1], false, out, e);
}

static int
le_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	(void)r;
	(void)n;
	return less(v[0], v[1], true, out, e);
}

static int
gt_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	if (le_fn(r, v, n, out, e) == -1)
		return -1;
	out->b = !out->b;
	return 0;
}

static int
ge_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	if (lt_fn(r, v, n, out, e) == -1)
		return -1;
	out->b = !out->b;
	return 0;
}

/* An index into something of n elements; cap allows n itself. */
static int
index_of(struct tmpl_value v, size_t n, size_t *out, struct error *e)
{
	if (v.kind == TMPL_NIL || v.kind == TMPL_MISSING)
		return error_set(e, "cannot index slice/array with nil");
	if (v.kind != TMPL_INT)
		return error_set(e, "cannot index slice/array with type %s",
		    tmpl_type_name(v));
	if (v.i < 0 || (uint64_t)v.i >= n)
		return error_set(e, "index out of range: %lld", (long long)v.i);
	*out = (size_t)v.i;
	return 0;
}

static int
index_map(struct tmpl_value m, struct tmpl_value key, struct tmpl_value *out,
    struct error *e)
{
	const struct tmpl_value *found;

	if (key.kind == TMPL_NIL || key.kind == TMPL_MISSING)
		return error_set(e, "value is nil; should be of type string");
	if (key.kind != TMPL_STRING)
		return error_set(e, "value has type %s; should be string",
		    tmpl_type_name(key));
	found = tmpl_find(m, key.s);
	*out = found != NULL ? *found
	    : str_ends(str_of(tmpl_type_name(m)), STR("]string"))
	    ? tmpl_string(STR_NONE)
	    : tmpl_nil();
	return 0;
}

static int
index_one(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value key,
    struct tmpl_value *out, struct error *e)
{
	struct tmpl_value in = tmpl_elems(r, v);
	size_t i;

	switch (in.kind) {
	case TMPL_STRING:
		if (index_of(key, in.s.n, &i, e) == -1)
			return -1;
		*out = tmpl_int((unsigned char)in.s.p[i]);
		return 0;
	case TMPL_LIST:
		if (index_of(key, in.list.n, &i, e) == -1)
			return -1;
		*out = in.list.v[i];
		return 0;
	case TMPL_MAP:
		return index_map(in, key, out, e);
	case TMPL_NIL:
	case TMPL_MISSING:
		return error_set(e, "index of nil pointer");
	case TMPL_BOOL:
	case TMPL_INT:
	case TMPL_FLOAT:
	case TMPL_OBJECT:
	case TMPL_TIME:
	case TMPL_DUR:
		break;
	}
	return error_set(e, "can't index item of type %s", tmpl_type_name(v));
}

static int
index_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	if (v[0].kind == TMPL_NIL)
		return error_set(e, "index of untyped nil");
	*out = v[0];
	for (size_t i = 1; i < n; i++)
		if (index_one(r, *out, v[i], out, e) == -1)
			return -1;
	return 0;
}

static int
slice_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	struct tmpl_value in = tmpl_elems(r, v[0]);
	size_t at[3], len;

	if (in.kind == TMPL_NIL)
		return error_set(e, "slice of untyped nil");
	if (n > 4)
		return error_set(e, "too many slice indexes: %zu", n - 1);
	if (in.kind == TMPL_STRING && n == 4)
		return error_set(e, "cannot 3-index slice a string");
	if (in.kind != TMPL_STRING && in.kind != TMPL_LIST)
		return error_set(
		    e, "can't slice item of type %s", tmpl_type_name(v[0]));
	len = in.kind == TMPL_STRING ? in.s.n : in.list.n;
	at[0] = 0;
	at[1] = at[2] = len;
	for (size_t i = 1; i < n; i++)
		if (index_of(v[i], len + 1, &at[i - 1], e) == -1)
			return -1;
	for (size_t i = 1; i < 3; i++)
		if (at[i - 1] > at[i])
			return error_set(e, "invalid slice index: %zu > %zu",
			    at[i - 1], at[i]);
	*out = in;
	if (in.kind == TMPL_STRING)
		out->s = str_skip(str_take(in.s, at[1]), at[0]);
	else {
		out->list.v += at[0];
		out->list.n = at[1] - at[0];
		out->list.type = tmpl_type_name(v[0]);
	}
	return 0;
}

static int
len_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	struct tmpl_value in = tmpl_elems(r, v[0]);

	(void)n;
	if (in.kind == TMPL_STRING)
		*out = tmpl_int((int64_t)in.s.n);
	else if (in.kind == TMPL_LIST)
		*out = tmpl_int((int64_t)in.list.n);
	else if (in.kind == TMPL_MAP)
		*out = tmpl_int((int64_t)in.map.n);
	else if (in.kind == TMPL_NIL)
		return error_set(e,
		    "reflect: call of reflect.Value.Type on "
		    "zero Value");
	else
		return error_set(e, "len of type %s", tmpl_type_name(v[0]));
	return 0;
}

/* There are no values that are functions. */
static int
call_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	const struct tmpl_node *at = r->at;
	struct buf b = { 0 };

	(void)n;
	(void)out;
	if (v[0].kind == TMPL_NIL)
		return error_set(e, "call of nil");
	if (at->type == NODE_COMMAND && at->n > 1)
		tmpl_node_print(&b, at->v[1]);
	error_set(e, "non-function %.*s of type %s", b.n > 200 ? 200 : (int)b.n,
	    b.n ? b.p : "", tmpl_type_name(v[0]));
	buf_fini(&b);
	return -1;
}

static int
keep(struct tmpl_run *r, struct buf *b, struct tmpl_value *out)
{
	*out = tmpl_string(arena_dup(r->arena, buf_str(b)));
	buf_fini(b);
	return 0;
}

static int
print_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	struct buf b = { 0 };

	(void)e;
	tmpl_sprint(&b, v, n);
	return keep(r, &b, out);
}

static int
println_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	struct buf b = { 0 };

	(void)e;
	tmpl_sprintln(&b, v, n);
	return keep(r, &b, out);
}

static int
printf_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	struct buf b = { 0 };
	int rc = tmpl_sprintf(r, &b, v[0].s, v + 1, n - 1, e);

	keep(r, &b, out);
	return rc;
}

/* The arguments as one string: itself if there is one, else Sprint's. */
static void
text_of(struct buf *b, const struct tmpl_value *v, size_t n)
{
	if (n == 1 && v[0].kind == TMPL_STRING)
		buf_add(b, v[0].s);
	else
		tmpl_sprint(b, v, n);
}

static int
escaped(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, void (*escape)(struct buf *b, str s))
{
	struct buf in = { 0 }, b = { 0 };

	text_of(&in, v, n);
	escape(&b, buf_str(&in));
	buf_fini(&in);
	return keep(r, &b, out);
}

static void
html_escape(struct buf *b, str s)
{
	for (size_t i = 0; i < s.n; i++)
		switch (s.p[i]) {
		case '"':
			buf_z(b, "&#34;");
			break;
		case '\'':
			buf_z(b, "&#39;");
			break;
		case '&':
			buf_z(b, "&amp;");
			break;
		case '<':
			buf_z(b, "&lt;");
			break;
		case '>':
			buf_z(b, "&gt;");
			break;
		case '\0':
			buf_z(b, "\xef\xbf\xbd");
			break;
		default:
			buf_byte(b, s.p[i]);
		}
}

static void
js_escape(struct buf *b, str s)
{
	size_t len;

	for (; s.n > 0; s = str_skip(s, len)) {
		uint32_t c = str_rune(s, &len);

		if (c == '\\' || c == '\'' || c == '"')
			buf_printf(b, "\\%c", (int)c);
		else if (c < 0x20 || c == '<' || c == '>' || c == '&' ||
		    c == '=')
			buf_printf(b, "\\u%04X", (unsigned)c);
		else if (c < 0x80 || quote_printable(c))
			buf_add(b, str_take(s, len));
		else
			buf_printf(b, "\\u%04X", (unsigned)c);
	}
}

static void
query_escape(struct buf *b, str s)
{
	url_escape(b, s, "", true);
}

static int
html_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	(void)e;
	return escaped(r, v, n, out, html_escape);
}

static int
js_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	(void)e;
	return escaped(r, v, n, out, js_escape);
}

static int
urlquery_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	(void)e;
	return escaped(r, v, n, out, query_escape);
}

const struct tmpl_func tmpl_builtins[] = {
	{ "and", 1, -1, NULL, NULL },
	{ "or", 1, -1, NULL, NULL },
	{ "not", 1, 1, not_fn, NULL },
	{ "eq", 1, -1, eq_fn, NULL },
	{ "ne", 2, 2, ne_fn, NULL },
	{ "lt", 2, 2, lt_fn, NULL },
	{ "le", 2, 2, le_fn, NULL },
	{ "gt", 2, 2, gt_fn, NULL },
	{ "ge", 2, 2, ge_fn, NULL },
	{ "index", 1, -1, index_fn, NULL },
	{ "slice", 1, -1, slice_fn, NULL },
	{ "len", 1, 1, len_fn, NULL },
	{ "call", 1, -1, call_fn, NULL },
	{ "print", 0, -1, print_fn, NULL },
	{ "println", 0, -1, println_fn, NULL },
	{ "printf", 1, -1, printf_fn, "sv*" },
	{ "html", 0, -1, html_fn, NULL },
	{ "js", 0, -1, js_fn, NULL },
	{ "urlquery", 0, -1, urlquery_fn, NULL },
	{ NULL, 0, 0, NULL, NULL },
};
