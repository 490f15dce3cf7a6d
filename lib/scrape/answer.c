/*
 * What an answer says about itself: the status and the Content-Type.  As since
 * Prometheus 3, a page that does not say what it is is refused, unless the
 * configuration has a fallback.
 */
#include "scrape/answer.h"

#include <string.h>

static const struct reason {
	int status;
	const char *text;
} reasons[] = {
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 407, "Proxy Authentication Required" },
	{ 408, "Request Timeout" },
	{ 410, "Gone" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
};

static const char *
reason(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return NULL;
}

/* A token of RFC 2045 at the front of s, taken off. */
static str
token(str *s)
{
	size_t n = 0;
	str t;

	while (n < s->n && s->p[n] > ' ' && s->p[n] < 0x7f &&
	    strchr("()<>@,;:\\\"/[]?=", s->p[n]) == NULL)
		n++;
	t = str_take(*s, n);
	*s = str_skip(*s, n);
	return t;
}

/* A token or a quoted string, taken off with its quotes. */
static int
parameter_value(str *s, str *value)
{
	size_t n = 1;

	if (s->n == 0 || s->p[0] != '"') {
		*value = token(s);
		return value->n > 0 ? 0 : -1;
	}
	while (n < s->n && s->p[n] != '"')
		n += s->p[n] == '\\' && n + 1 < s->n ? 2 : 1;
	if (n >= s->n)
		return -1;
	*value = str_take(*s, n + 1);
	*s = str_skip(*s, n + 1);
	return 0;
}

/*
 * The parameters behind a media type, of which none is looked at: a type is
 * believed only if they are well-formed, as Go's mime package has it.
 */
static const char *
bad_parameters(str s)
{
	struct {
		str name, value;
	} seen[16];
	str name, value;
	size_t n = 0;

	for (s = str_trim(s); s.n > 0 && !str_eq(s, STR(";"));
	     s = str_trim(s)) {
		if (s.p[0] != ';')
			return "invalid media parameter";
		s = str_trim(str_skip(s, 1));
		name = token(&s);
		s = str_trim(s);
		if (name.n == 0 || s.n == 0 || s.p[0] != '=')
			return "invalid media parameter";
		s = str_trim(str_skip(s, 1));
		if (parameter_value(&s, &value) == -1)
			return "invalid media parameter";
		for (size_t i = 0; i < n; i++)
			if (str_eq_fold(seen[i].name, name) &&
			    !str_eq(seen[i].value, value))
				return "duplicate parameter name";
		if (n == sizeof(seen) / sizeof(*seen))
			return "too many parameters";
		seen[n].name = name;
		seen[n++].value = value;
	}
	return NULL;
}

/* By the media type alone, parameters left aside. */
static int
by_type(str type, enum expo_form *form)
{
	type = str_trim(str_take(type, str_chr(type, ';')));
	if (str_eq_fold(type, STR("application/openmetrics-text")))
		*form = EXPO_OM;
	else if (str_eq_fold(type, STR("text/plain")))
		*form = EXPO_PAGE;
	else if (str_eq_fold(type, STR("application/vnd.google.protobuf")))
		*form = EXPO_MF;
	else
		return -1;
	return 0;
}

int
answer_form(const struct scrape_answer *a, const struct scrape_job *j,
    enum expo_form *form, struct error *e)
{
	str type = str_trim(a->content_type);
	const char *why;

	if (a->too_large)
		return error_set(e, "body size limit exceeded");
	if (a->error != NULL)
		return error_set(e, "%s", a->error);
	if (a->status != 200) {
		why = reason(a->status);
		return error_set(e, "server returned HTTP status %d%s%s",
		    a->status, why ? " " : "", why ? why : "");
	}
	why = bad_parameters(str_skip(type, str_chr(type, ';')));
	if (why == NULL && by_type(type, form) == 0)
		return 0;
	if (j->fallback_protocol.n > 0) {
		*form = str_starts(j->fallback_protocol, STR("OpenMetrics"))
		    ? EXPO_OM
		    : str_eq(j->fallback_protocol, STR("PrometheusProto"))
		    ? EXPO_MF
		    : EXPO_PAGE;
		return 0;
	}
	if (type.n == 0)
		return error_set(e,
		    "non-compliant scrape target sending blank Content-Type "
		    "and no fallback_scrape_protocol specified for target");
	if (why != NULL)
		return error_set(e,
		    "cannot parse Content-Type \"%.*s\" and no "
		    "fallback_scrape_protocol for target: %s",
		    (int)(type.n < 150 ? type.n : 150), type.p, why);
	return error_set(e,
	    "received unsupported Content-Type \"%.*s\" and no "
	    "fallback_scrape_protocol specified for target",
	    (int)(type.n < 200 ? type.n : 200), type.p);
}
