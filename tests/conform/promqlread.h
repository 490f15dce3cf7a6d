/*
 * Series of the test language, as load and expectations write them, into
 * samples in memory.  Part of promqltest.h.
 */
#ifndef PROMQLREAD_H
#define PROMQLREAD_H

#include <ctype.h>

#include "base/dur.h"
#include "metric/series.h"
#include "promql/promql.h"
#include "promqlhist.h"

/* A marker that is loaded, as against a place where nothing is. */
#define PT_MARKER (NUM_STALE_BITS | 8)

/* One expected or actual series; values stand on the steps. */
struct pt_series {
	struct labels ls;
	double *v;          /* the staleness marker: none */
	struct pt_hist **h; /* beside v; where set, it is the value */
	size_t n;
	int64_t *start; /* nstarts, from the samples' times; INT64_MAX: none */
	size_t nstarts;
};

struct pt {
	struct series_set *set;
	struct arena a; /* of the whole file */
	size_t passed, failed;
	void (*report)(void *arg, size_t line, bool ok, const char *why);
	void *arg;
};

static str
pt_word(str *s)
{
	size_t n = 0;
	str w;

	*s = str_trim(*s);
	while (n < s->n && !isspace((unsigned char)s->p[n]))
		n++;
	w = str_take(*s, n);
	*s = str_trim(str_skip(*s, n));
	return w;
}

static str
pt_next_line(str *text, size_t *line)
{
	str s = str_trim(str_cut(text, '\n'));

	++*line;
	return s.n > 0 && s.p[0] == '#' ? str_take(s, 0) : s;
}

/* The bytes of the series s begins with. */
static size_t
pt_series_length(str s)
{
	size_t n = 0;
	char quote = '\0';

	while (n < s.n && s.p[n] != '{' && !isspace((unsigned char)s.p[n]))
		n++;
	if (n == s.n || s.p[n] != '{')
		return n;
	for (; n < s.n; n++) {
		if (quote != '\0') {
			if (s.p[n] == '\\' && quote != '`')
				n++;
			else if (s.p[n] == quote)
				quote = '\0';
		} else if (strchr("\"'`", s.p[n]) != NULL)
			quote = s.p[n];
		else if (s.p[n] == '}')
			return n + 1;
	}
	return s.n;
}

static int
pt_labels(struct pt *t, str s, struct labels *ls, struct error *e)
{
	struct label_set set;
	struct match *m;
	size_t n;

	label_init(&set, (struct labels){ NULL, 0 });
	if (s.n < 2 || !str_eq(s, STR("{}"))) {
		if (promql_parse_matchers(s, &t->a, &m, &n, e) == -1)
			return -1;
		for (size_t i = 0; i < n; i++) {
			label_set(&set, m[i].name, m[i].value);
			match_fini(&m[i]);
		}
	}
	*ls = label_done(&set, &t->a);
	label_fini(&set);
	return 0;
}

/* A number at the start of s; how long it is, 0 if there is none. */
static size_t
pt_number(str s, double *v)
{
	size_t n = 0;

	if (n < s.n && (s.p[n] == '-' || s.p[n] == '+'))
		n++;
	if (str_starts(str_skip(s, n), STR("stale"))) {
		*v = num_from_bits(PT_MARKER);
		return n + 5;
	}
	while (n < s.n && isalpha((unsigned char)s.p[n]) && s.p[n] != 'x')
		n++;
	if (n > 1)
		return num_parse(str_take(s, n), v) == 0 ? n : 0;
	while (n < s.n && (isdigit((unsigned char)s.p[n]) || s.p[n] == '.'))
		n++;
	if (n < s.n && (s.p[n] == 'e' || s.p[n] == 'E')) {
		n++;
		if (n < s.n && (s.p[n] == '-' || s.p[n] == '+'))
			n++;
		while (n < s.n && isdigit((unsigned char)s.p[n]))
			n++;
	}
	return num_parse(str_take(s, n), v) == 0 ? n : 0;
}

static void
pt_push(
    struct pt *t, struct pt_series *s, size_t *cap, double v, struct pt_hist *h)
{
	size_t had = *cap;

	s->v = arena_grow(&t->a, s->v, cap, s->n + 1, sizeof(double));
	s->h = arena_grow(&t->a, s->h, &had, s->n + 1, sizeof(*s->h));
	s->h[s->n] = h;
	s->v[s->n++] = v;
}

static int
pt_repeat(str s, size_t *n, size_t *times)
{
	int64_t k;
	size_t i = *n;

	*times = 0;
	if (i >= s.n || s.p[i] != 'x')
		return 0;
	for (i++; i < s.n && isdigit((unsigned char)s.p[i]); i++)
		;
	if (num_parse_int(str_skip(str_take(s, i), *n + 1), &k) == -1)
		return -1;
	*times = (size_t)k;
	*n = i;
	return 0;
}

/* {{...}}, {{...}}xN, {{...}}+{{...}}xN */
static int
pt_histograms(struct pt *t, struct pt_series *s, size_t *cap, str *line)
{
	struct pt_hist *h, *more = NULL;
	double sign = str_starts(*line, STR("-")) ? -1 : 1;
	size_t n = 0, times;

	if (pt_hist_literal(line, &t->a, &h) == -1)
		return -1;
	if (line->n > 0 && (line->p[0] == '+' || line->p[0] == '-')) {
		sign = line->p[0] == '-' ? -1 : 1;
		*line = str_skip(*line, 1);
		if (pt_hist_literal(line, &t->a, &more) == -1)
			return -1;
	}
	if (pt_repeat(*line, &n, &times) == -1)
		return -1;
	*line = str_trim(str_skip(*line, n));
	for (size_t k = 0; k <= times; k++) {
		if (k > 0 && more != NULL)
			h = pt_hist_add(h, more, sign, &t->a);
		if (h == NULL)
			return -1;
		pt_push(t, s, cap, 0, h);
	}
	return 0;
}

/* One item of a sequence; s is what is left of the line. */
static int
pt_item(struct pt *t, struct pt_series *s, size_t *cap, str *line)
{
	double v = num_stale(), step = 0;
	size_t n, times, k;
	bool blank = line->p[0] == '_';

	if (str_starts(*line, STR("{{")))
		return pt_histograms(t, s, cap, line);
	n = blank ? 1 : pt_number(*line, &v);
	if (n == 0)
		return -1;
	if (!blank && n < line->n && (line->p[n] == '+' || line->p[n] == '-')) {
		k = pt_number(str_skip(*line, n), &step);
		if (k == 0)
			return -1;
		n += k;
	}
	if (pt_repeat(*line, &n, &times) == -1)
		return -1;
	if (n < line->n && !isspace((unsigned char)line->p[n]))
		return -1;
	if (blank && times > 0)
		times--;
	for (k = 0; k <= times; k++) {
		pt_push(t, s, cap, v, NULL);
		if (step != 0)
			v += step;
	}
	*line = str_trim(str_skip(*line, n));
	return 0;
}

/* `series value value ...` */
static int
pt_line(struct pt *t, str line, struct pt_series *s, struct error *e)
{
	size_t n = pt_series_length(line), cap = 0;

	memset(s, 0, sizeof(*s));
	if (pt_labels(t, str_take(line, n), &s->ls, e) == -1)
		return -1;
	line = str_trim(str_skip(line, n));
	while (line.n > 0)
		if (pt_item(t, s, &cap, &line) == -1)
			return error_set(
			    e, "bad value at '%.*s'", STR_ARG(line));
	return 0;
}

/* "-30s", "0", "+1m" at the start of s; how long it is, 0: none. */
static size_t
pt_offset(str s, int64_t *ms)
{
	bool plus = str_starts(s, STR("+"));
	size_t n = plus || str_starts(s, STR("-"));

	while (n < s.n && isalnum((unsigned char)s.p[n]) && s.p[n] != 'x')
		n++;
	return dur_parse_signed(str_skip(str_take(s, n), plus), ms, NULL) == 0
	    ? n
	    : 0;
}

/* Start times: "_", "_xN", "-1m", "-1mxN", "-1m+10sxN". */
static int
pt_starts(struct pt *t, struct pt_series *s, str line, struct error *e)
{
	size_t n, k, cap = 0, times;
	int64_t at, step;

	for (; line.n > 0; line = str_trim(line)) {
		bool blank = line.p[0] == '_';

		at = INT64_MAX;
		step = 0;
		n = blank ? 1 : pt_offset(line, &at);
		if (n == 0)
			return error_set(
			    e, "bad start time at '%.*s'", STR_ARG(line));
		if (!blank && n < line.n &&
		    (line.p[n] == '+' || line.p[n] == '-'))
			n += pt_offset(str_skip(line, n), &step);
		if (pt_repeat(line, &n, &times) == -1)
			return error_set(e, "bad repetition of start times");
		if (blank && times > 0)
			times--;
		line = str_skip(line, n);
		for (k = 0; k <= times; k++) {
			s->start = arena_grow(&t->a, s->start, &cap,
			    s->nstarts + 1, sizeof(*s->start));
			s->start[s->nstarts++] =
			    blank ? INT64_MAX : at + (int64_t)k * step;
		}
	}
	return 0;
}

/* One line of a load; a later line of the same series takes its place. */
static int
pt_load_line(struct pt *t, str line, struct pt_series **v, size_t *cap,
    size_t *n, struct error *e)
{
	struct pt_series s = { .n = 0 };
	size_t len = pt_series_length(line), i = 0;
	bool starts = str_ends(str_take(line, len), STR("@st"));

	if (starts || str_starts(str_skip(line, len), STR("@st"))) {
		if (pt_labels(t, str_take(line, starts ? len - 3 : len), &s.ls,
			e) == -1)
			return -1;
		line = str_trim(str_skip(line, starts ? len : len + 3));
		starts = true;
		if (pt_starts(t, &s, line, e) == -1)
			return -1;
	} else if (pt_line(t, line, &s, e) == -1)
		return -1;
	while (i < *n && !label_eq((*v)[i].ls, s.ls))
		i++;
	if (i == *n) {
		*v = arena_grow(&t->a, *v, cap, *n + 1, sizeof(s));
		++*n;
	} else if (!starts) {
		s.start = (*v)[i].start;
		s.nstarts = (*v)[i].nstarts;
	}
	(*v)[i] = s;
	return 0;
}

/*
 * What a histogram knows of resets is the business of what stores it, unless
 * it is a gauge.
 */
static void
pt_add(struct pt *t, struct labels ls, int64_t at, struct histogram *h)
{
	struct histogram plain = *h;

	if (plain.hint != HISTOGRAM_GAUGE)
		plain.hint = HISTOGRAM_UNKNOWN;
	(void)series_add_histogram(t->set, ls, at, &plain);
}

/* Of a part of a classic histogram: which, and the histogram's labels. */
static size_t
pt_part(struct pt *t, struct labels ls, struct labels *of)
{
	static const char *const ends[] = { "_bucket", "_count", "_sum" };
	str name = label_find(ls, LABEL_NAME);
	struct label_set set;
	size_t i = 0;

	while (i < 3 && !str_ends(name, str_of(ends[i])))
		i++;
	if (i == 3)
		return 3;
	label_init(&set, ls);
	label_unset(&set, STR("le"));
	label_set(&set, LABEL_NAME, str_take(name, name.n - strlen(ends[i])));
	*of = label_done(&set, &t->a);
	label_fini(&set);
	return i;
}

/* The histogram that series v[first] is the first part of, at each step. */
static void
pt_load_nhcb(struct pt *t, const struct pt_series *v, size_t n, size_t first,
    int64_t step)
{
	struct pt_bound *b = arena_array(&t->a, n, struct pt_bound);
	size_t *part = arena_array(&t->a, n, size_t), most = 0;
	struct labels of, other;

	if (pt_part(t, v[first].ls, &of) == 3)
		return;
	for (size_t i = 0; i < n; i++) {
		part[i] = pt_part(t, v[i].ls, &other);
		if (part[i] < 3 && !label_eq(of, other))
			part[i] = 3;
		if (part[i] < 3 && i < first)
			return;
		if (part[i] < 3 && v[i].n > most)
			most = v[i].n;
	}
	for (size_t k = 0; k < most; k++) {
		double count = 0, sum = 0;
		bool has_count = false, any = false;
		struct histogram *h;
		size_t nb = 0;

		for (size_t i = 0; i < n; i++) {
			if (part[i] == 3 || k >= v[i].n ||
			    num_is_stale(v[i].v[k]))
				continue;
			any = true;
			if (part[i] == 1)
				count = v[i].v[k];
			has_count |= part[i] == 1;
			if (part[i] == 2)
				sum = v[i].v[k];
			if (part[i] == 0 &&
			    num_parse(
				label_find(v[i].ls, STR("le")), &b[nb].le) == 0)
				b[nb++].count = v[i].v[k];
		}
		h = any ? pt_nhcb(b, nb, count, has_count, sum, &t->a) : NULL;
		if (h != NULL)
			pt_add(t, of, (int64_t)k * step, h);
	}
}

/* The lines behind a load, to the next blank one. */
static int
pt_load(struct pt *t, str *text, size_t *line, int64_t step, bool nhcb,
    struct error *e)
{
	struct pt_series *v = NULL;
	size_t n = 0, cap = 0;
	str s;
	int rc = 0;

	while (text->p != NULL && (s = pt_next_line(text, line)).n > 0)
		if (rc == 0)
			rc = pt_load_line(t, s, &v, &cap, &n, e);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < v[i].n; k++) {
			double x = v[i].v[k];
			int64_t at = (int64_t)k * step, start;

			if (num_is_stale(x))
				continue;
			if (num_bits(x) == PT_MARKER)
				x = num_stale();
			if (v[i].h[k] != NULL)
				pt_add(t, v[i].ls, at, &v[i].h[k]->h);
			else
				series_add(t->set, v[i].ls, at, x);
			start = k < v[i].nstarts ? v[i].start[k] : INT64_MAX;
			series_start(t->set, v[i].ls, at,
			    start == INT64_MAX ? 0 : at + start);
		}
	for (size_t i = 0; i < n && nhcb; i++)
		pt_load_nhcb(t, v, n, i, step);
	return rc;
}

#endif
