/*
 * /api/v1/query and query_range: parse, evaluate, print.  Points are written
 * straight into the body, since an answer may have a million of them.
 */
#include "base/num.h"
#include "serve/api.h"

/* As upstream writes the times of samples: seconds, three digits of ms. */
static void
put_time(struct buf *b, int64_t t)
{
	uint64_t abs = t < 0 ? -(uint64_t)t : (uint64_t)t;
	unsigned ms = (unsigned)(abs % 1000);

	if (t < 0)
		buf_byte(b, '-');
	num_print_int(b, (int64_t)(abs / 1000));
	if (ms > 0) {
		buf_byte(b, '.');
		buf_byte(b, (char)('0' + ms / 100));
		buf_byte(b, (char)('0' + ms / 10 % 10));
		buf_byte(b, (char)('0' + ms % 10));
	}
}

static void
put_point(struct buf *b, int64_t t, double v)
{
	double abs = fabs(v);
	char fmt = abs != 0 && (abs < 1e-6 || abs >= 1e21) ? 'e' : 'f';

	buf_byte(b, '[');
	put_time(b, t);
	buf_add(b, STR(",\""));
	if (fmt == 'f' && v == rint(v) && abs < 9007199254740992.0)
		num_print(b, v);
	else
		num_format(b, v, fmt, -1);
	buf_add(b, STR("\"]"));
}

static bool
is_histogram(const struct promql_series *s, size_t i)
{
	return s->h != NULL && s->h[i] != NULL;
}

/* The floats of a series, or its histograms, if there are any. */
static void
put_points(struct json_writer *w, const struct promql_series *s, str key,
    bool range, bool histograms)
{
	const char *before = range ? "[" : "";
	bool any = false;

	for (size_t i = 0; i < s->n; i++) {
		if (is_histogram(s, i) != histograms)
			continue;
		if (!any)
			json_key(w, key);
		any = true;
		buf_z(w->out, before);
		before = ",";
		if (!histograms) {
			put_point(w->out, s->t[i], s->v[i]);
			continue;
		}
		buf_byte(w->out, '[');
		put_time(w->out, s->t[i]);
		buf_byte(w->out, ',');
		histogram_json(w->out, s->h[i]);
		buf_byte(w->out, ']');
	}
	if (any && range)
		buf_byte(w->out, ']');
	if (any)
		w->pending = true;
}

static void
put_series(struct json_writer *w, const struct promql_series *s, bool range)
{
	json_open(w, '{');
	json_key(w, STR("metric"));
	label_json(w, s->labels);
	put_points(w, s, range ? STR("values") : STR("value"), range, false);
	if (s->h != NULL)
		put_points(w, s, range ? STR("histograms") : STR("histogram"),
		    range, true);
	json_close(w, '}');
}

/* [ts,"text"], ts as a plain number. */
static void
put_single(struct json_writer *w, int64_t t, str text)
{
	json_open(w, '[');
	json_num(w, (double)t / 1000);
	json_str(w, text);
	json_close(w, ']');
}

static void
put_result(struct json_writer *w, const struct promql_result *r, size_t limit)
{
	size_t n = limit && limit < r->n ? limit : r->n;
	struct buf b = { 0 };

	json_open(w, '{');
	json_key(w, STR("resultType"));
	json_str(w, str_of(promql_type_text(r->type)));
	json_key(w, STR("result"));
	switch (r->type) {
	case PROMQL_SCALAR:
		num_format(&b, r->scalar, 'f', -1);
		put_single(w, r->t, buf_str(&b));
		break;
	case PROMQL_STRING:
		put_single(w, r->t, r->string);
		break;
	case PROMQL_VECTOR:
	case PROMQL_MATRIX:
		json_open(w, '[');
		for (size_t i = 0; i < n; i++)
			put_series(w, &r->v[i], r->type == PROMQL_MATRIX);
		json_close(w, ']');
		break;
	}
	json_close(w, '}');
	buf_fini(&b);
}

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
	put_result(&w, r, limit);
	api_end(&w, warnings, n, r->infos, r->ninfos);
}

/* Evaluate the parameter query under o and answer. */
static void
evaluate(struct exchange *x, const struct promql_opts *o, size_t limit)
{
	static const struct source none;
	struct arena *a = x->q->arena;
	const struct source *src = &none;
	struct promql_result r = { 0 };
	struct promql_expr *p;
	struct error e;

	p = promql_parse_with(
	    httpd_param(x->q, "query"), x->s->o.features, a, &e);
	if (p == NULL) {
		/* Upstream names the parameter for instant queries only. */
		api_fail(x, 400, "bad_data", "%s%s",
		    o->step > 0 ? "" : "invalid parameter \"query\": ", e.msg);
		return;
	}
	if (o->step > 0 && promql_type(p) != PROMQL_SCALAR &&
	    promql_type(p) != PROMQL_VECTOR)
		api_fail(x, 400, "bad_data",
		    "invalid expression type \"%s\" for range query, must be "
		    "Scalar or instant Vector",
		    promql_type(p) == PROMQL_MATRIX ? "range vector"
						    : "string");
	else if (promql_selects(p) && (src = api_source(x)) == NULL)
		; /* answered */
	else if (promql_eval(p, src, o, a, &r, &e) == -1)
		api_fail(x, 422, "execution", "%s", e.msg);
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
	    api_dur_param(x, "lookback_delta", &o.lookback) == -1)
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
	    api_dur_param(x, "lookback_delta", &o.lookback) == -1)
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
