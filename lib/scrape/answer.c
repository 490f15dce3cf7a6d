/*
 * What an answer says about itself: the status and the Content-Type.  As since
 * Prometheus 3, a page that does not say what it is is refused, unless the
 * configuration has a fallback.
 */
#include "scrape/answer.h"

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
	if (by_type(type, form) == 0)
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
	return error_set(e,
	    "received unsupported Content-Type \"%.*s\" and no "
	    "fallback_scrape_protocol specified for target",
	    (int)(type.n < 200 ? type.n : 200), type.p);
}
