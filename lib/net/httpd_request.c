/*
 * The guards that libmicrohttpd lacks, and the parsing of targets and forms.
 * Whatever two servers in a row could read differently is refused: such a
 * difference is how requests are smuggled.
 */
#include "net/httpd_request.h"

#include "base/num.h"
#include "base/url.h"

static bool
name_is(str s, const char *name)
{
	return str_eq_fold(s, str_of(name));
}

str
httpd_header(const struct httpd_request *q, const char *name)
{
	for (size_t i = 0; i < q->nheaders; i++)
		if (name_is(q->headers[i].name, name))
			return q->headers[i].value;
	return STR_NONE;
}

str
httpd_param(const struct httpd_request *q, const char *name)
{
	for (size_t i = 0; i < q->nparams; i++)
		if (str_eq(q->params[i].name, str_of(name)))
			return q->params[i].value;
	return STR_NONE;
}

/* tchar of RFC 9110. */
static bool
is_token(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c >= 0x7f ||
		    strchr("\"(),/:;<=>?@[\\]{}", c) != NULL)
			return false;
	}
	return s.n > 0;
}

static bool
has_control(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

static bool
all_digits(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0 && s.n <= 18;
}

static int
refuse(int status, const char **why, const char *text)
{
	*why = text;
	return status;
}

/* The body's length as declared; 0 if there is none, -1 if chunked. */
static int64_t
declared(const struct httpd_request *q)
{
	str s = httpd_header(q, "Content-Length");
	int64_t n = 0;

	if (httpd_header(q, "Transfer-Encoding").n)
		return -1;
	for (size_t i = 0; i < s.n && i < 18; i++)
		n = n * 10 + (s.p[i] - '0');
	return n;
}

static int
check_lengths(const struct httpd_request *q, size_t lengths, size_t codings,
    bool http10, const struct httpd_limits *l, const char **why)
{
	if (lengths > 1)
		return refuse(400, why, "more than one Content-Length");
	if (lengths > 0 && codings > 0)
		return refuse(
		    400, why, "Content-Length together with Transfer-Encoding");
	if (codings > 1 || (codings == 1 && http10))
		return refuse(400, why, "bad Transfer-Encoding");
	if (codings == 1 &&
	    !name_is(httpd_header(q, "Transfer-Encoding"), "chunked"))
		return refuse(501, why, "unknown Transfer-Encoding");
	if (lengths == 1 && !all_digits(httpd_header(q, "Content-Length")))
		return refuse(400, why, "bad Content-Length");
	if (declared(q) > (int64_t)l->max_body)
		return refuse(413, why, "the body is too large");
	return 0;
}

int
httpd_check(const struct httpd_request *q, str version, size_t size,
    const struct httpd_limits *l, const char **why)
{
	size_t lengths = 0, codings = 0, hosts = 0;
	bool http10 = str_eq(version, STR("HTTP/1.0"));

	if (size > l->max_head || q->nheaders > HTTPD_MAX_HEADERS)
		return refuse(431, why, "the head is too large");
	if (!http10 && !str_eq(version, STR("HTTP/1.1")))
		return refuse(505, why, "unknown HTTP version");
	if (!is_token(q->method))
		return refuse(400, why, "bad method");
	for (size_t i = 0; i < q->nheaders; i++) {
		const struct httpd_param *h = &q->headers[i];

		if (!is_token(h->name))
			return refuse(400, why, "bad header name");
		if (has_control(h->value))
			return refuse(
			    400, why, "control character in a header");
		lengths += name_is(h->name, "Content-Length");
		codings += name_is(h->name, "Transfer-Encoding");
		hosts += name_is(h->name, "Host");
	}
	if (hosts > 1)
		return refuse(400, why, "more than one Host");
	if (hosts == 0 && !http10)
		return refuse(400, why, "no Host");
	return check_lengths(q, lengths, codings, http10, l, why);
}

/* Percent escapes, and '+' if plus; false if one is malformed. */
static bool
decode(struct arena *a, str s, bool plus, str *out)
{
	struct buf b = { 0 };
	bool good = url_unescape(&b, s, plus) == s.n;

	if (good)
		*out = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return good;
}

static int
add_params(struct httpd_request *q, str text, struct httpd_param **v,
    size_t *cap, const char **why)
{
	while (text.p != NULL) {
		str value = str_cut(&text, '&');
		bool empty = value.n == 0;
		str name = str_cut(&value, '=');
		struct httpd_param *p;

		if (empty)
			continue;
		if (q->nparams == HTTPD_MAX_PARAMS)
			return refuse(400, why, "too many parameters");
		*v = arena_grow(q->arena, *v, cap, q->nparams + 1, sizeof(**v));
		p = &(*v)[q->nparams++];
		if (!decode(q->arena, name, true, &p->name) ||
		    !decode(q->arena, value, true, &p->value))
			return refuse(400, why, "invalid URL escape");
	}
	return 0;
}

static bool
is_form(const struct httpd_request *q)
{
	str type = httpd_header(q, "Content-Type");

	return name_is(
	    str_trim(str_cut(&type, ';')), "application/x-www-form-urlencoded");
}

int
httpd_parse(struct httpd_request *q, str target, const char **why)
{
	struct httpd_param *v = NULL;
	size_t cap = 0;
	str path = target;
	int rc = 0;

	for (size_t i = 0; i < target.n; i++)
		if ((unsigned char)target.p[i] <= ' ' || target.p[i] == 0x7f)
			return refuse(400, why, "bad request target");
	/* The absolute form, which proxies are sent. */
	if (str_starts(path, STR("http://")) ||
	    str_starts(path, STR("https://"))) {
		path = str_skip(path, str_find(path, STR("//")) + 2);
		path = str_skip(path, str_chr(path, '/'));
		if (path.n == 0)
			path = STR("/");
	}
	path = str_take(path, str_chr(path, '#'));
	q->query = path;
	path = str_cut(&q->query, '?');
	if (!str_starts(path, STR("/")) && !str_eq(path, STR("*")))
		return refuse(400, why, "bad request target");
	if (!decode(q->arena, path, false, &q->path))
		return refuse(400, why, "invalid URL escape");
	if (has_control(q->path))
		return refuse(400, why, "control character in the path");
	if (q->body.n && is_form(q))
		rc = add_params(q, q->body, &v, &cap, why);
	if (rc == 0)
		rc = add_params(q, q->query, &v, &cap, why);
	q->params = v;
	return rc;
}

bool
httpd_takes_gzip(const struct httpd_request *q)
{
	str list = httpd_header(q, "Accept-Encoding");
	double v;

	while (list.p != NULL) {
		str weight = str_cut(&list, ',');
		str coding = str_trim(str_cut(&weight, ';'));

		if (!name_is(coding, "gzip"))
			continue;
		str_cut(&weight, '=');
		return weight.p == NULL ||
		    (num_parse(str_trim(weight), &v) == 0 && v > 0);
	}
	return false;
}
