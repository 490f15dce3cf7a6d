/*
 * /api/v1/query and query_range: parse, evaluate, print.
 */
#include "serve/api.h"

static void
answer(struct exchange *x, const struct promql_result *r, size_t limit)
{
	str *warnings = arena_array(x->q->arena, r->nwarnings + 1, str);
	size_t n = r->nwarnings;
	struct json_writer w;

	if (n > 0)
		memcpy(warnings, r->warnings, n * sizeof(*warnings));
	if (limit && limit < r->n)
		warnings[n++] = STR("results truncated due to limit");
	api_begin(x, &w);
	promql_json(&w, r, limit, NULL, NULL);
	api_end(&w, warnings, n, r->infos, r->ninfos);
}

static void
fail(struct exchange *x, enum promql_failure why, const char *msg)
{
	switch (why) {
	case PROMQL_REFUSED:
		api_fail(
		    x, 400, "bad_data", "invalid parameter \"query\": %s", msg);
		break;
	case PROMQL_EXECUTION:
		api_fail(x, 422, "execution", "%s", msg);
		break;
	case PROMQL_TIMEOUT:
		api_fail(x, 503, "timeout", "%s", msg);
		break;
	case PROMQL_CANCELED:
		api_fail(x, 499, "canceled", "%s", msg);
		break;
	}
}

/* The engine's limit of time; a query may want a shorter one. */
#define TIMEOUT INT64_C(120000)

static int
timeout(struct exchange *x, struct promql_opts *o)
{
	if (api_dur_param(x, "timeout", &o->timeout) == -1)
		return -1;
	if (o->timeout <= 0 || o->timeout > TIMEOUT)
		o->timeout = TIMEOUT;
	return 0;
}

/* Evaluate the parameter query under o and answer. */
static void
evaluate(struct exchange *x, const struct promql_opts *asked, size_t limit)
{
	struct promql_opts o = *asked;
	const struct clock *clock = x->s->o.clock;
	struct promql_watch watch = { 0 };
	static const struct source none;
	struct arena *a = x->q->arena;
	const struct source *src = &none;
	struct promql_result r = { 0 };
	struct promql_expr *p;
	struct error e;

	p = promql_parse_with(
	    httpd_param(x->q, "query"), x->s->o.features, a, &e);
	if (clock != NULL) {
		watch = (struct promql_watch){ clock->mono, NULL, clock->arg };
		o.watch = &watch;
	}
	if (p == NULL) {
		/* Upstream names the parameter for instant queries only. */
		api_fail(x, 400, "bad_data", "%s%s",
		    o.step > 0 ? "" : "invalid parameter \"query\": ", e.msg);
		return;
	}
	if (o.step > 0 && promql_type(p) != PROMQL_SCALAR &&
	    promql_type(p) != PROMQL_VECTOR)
		api_fail(x, 400, "bad_data",
		    "invalid expression type \"%s\" for range query, must be "
		    "Scalar or instant Vector",
		    promql_type(p) == PROMQL_MATRIX ? "range vector"
						    : "string");
	else if (promql_selects(p) && (src = api_source(x)) == NULL)
		; /* answered */
	else if (promql_eval(p, src, &o, a, &r, &e) == -1)
		fail(x, r.failure, e.msg);
	else
		answer(x, &r, limit);
	promql_free(p);
}

void
api_query(struct exchange *x)
{
	struct promql_opts o = { .from = x->now };
	size_t limit = 0;

	if (api_limit(x, &limit) == -1 ||
	    api_time_param(x, "time", &o.from) == -1 ||
	    api_dur_param(x, "lookback_delta", &o.lookback) == -1 ||
	    timeout(x, &o) == -1)
		return;
	o.to = o.from;
	evaluate(x, &o, limit);
}

/* start and end must be there. */
static int
required_time(struct exchange *x, const char *name, int64_t *t)
{
	struct error e;

	if (api_time(httpd_param(x->q, name), t, &e) == 0)
		return 0;
	api_fail(
	    x, 400, "bad_data", "invalid parameter \"%s\": %s", name, e.msg);
	return -1;
}

void
api_query_range(struct exchange *x)
{
	struct promql_opts o = { 0 };
	size_t limit = 0;

	if (api_limit(x, &limit) == -1 ||
	    required_time(x, "start", &o.from) == -1 ||
	    required_time(x, "end", &o.to) == -1)
		return;
	if (o.to < o.from) {
		api_fail(x, 400, "bad_data",
		    "invalid parameter \"end\": end timestamp must not be "
		    "before start time");
		return;
	}
	if (httpd_param(x->q, "step").n == 0) {
		api_fail(x, 400, "bad_data",
		    "invalid parameter \"step\": cannot parse \"\" to a valid "
		    "duration");
		return;
	}
	if (api_dur_param(x, "step", &o.step) == -1 ||
	    api_dur_param(x, "lookback_delta", &o.lookback) == -1 ||
	    timeout(x, &o) == -1)
		return;
	if (o.step <= 0) {
		api_fail(x, 400, "bad_data",
		    "invalid parameter \"step\": zero or negative query "
		    "resolution step widths are not accepted. Try a positive "
		    "integer");
		return;
	}
	if ((o.to - o.from) / o.step > PROMQL_MAX_STEPS) {
		api_fail(x, 400, "bad_data",
		    "exceeded maximum resolution of 11,000 points per "
		    "timeseries. Try decreasing the query resolution "
		    "(?step=XX)");
		return;
	}
	/* opts.max_steps counts points, of which there is one more. */
	o.max_steps = PROMQL_MAX_STEPS + 1;
	evaluate(x, &o, limit);
}
