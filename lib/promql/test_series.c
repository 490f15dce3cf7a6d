/*
 * Series of the test language, as load and expectations write them: a name
 * with labels, then values, of which each may stand for many.
 */
#include "promql/test.h"

#include <ctype.h>

#include "base/dur.h"

/* What a file may hold: an x10000000000 of it would hold the machine. */
#define VALUES_MAX 10000000

/* The bytes of the series s begins with. */
static size_t
series_length(str s)
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
labels(struct test_reader *t, str s, struct labels *ls)
{
	struct label_set set;
	struct match *m = NULL;
	bool equal = true;
	size_t n = 0;

	if (!str_eq(s, STR("{}")) &&
	    promql_parse_matchers(s, &t->a, &m, &n, &t->e) == -1) {
		t->at = s.p;
		return error_add(&t->e, "series");
	}
	label_init(&set, (struct labels){ NULL, 0 });
	for (size_t i = 0; i < n; i++) {
		equal = equal && m[i].op == MATCH_EQ;
		label_set(&set, m[i].name, m[i].value);
		match_fini(&m[i]);
	}
	*ls = label_done(&set, &t->a);
	label_fini(&set);
	return equal ? 0 : promql_test_bad(t, s, "labels take = alone");
}

/* A number at the start of s; how long it is, 0 if there is none. */
static size_t
number(str s, double *v)
{
	size_t n = 0;

	if (n < s.n && (s.p[n] == '-' || s.p[n] == '+'))
		n++;
	if (str_starts(str_skip(s, n), STR("stale"))) {
		*v = num_from_bits(TEST_MARKER);
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

static int
room(struct test_reader *t, str at, size_t n)
{
	if (n > VALUES_MAX || t->values > VALUES_MAX - n)
		return promql_test_bad(
		    t, at, "more than %d values in a file", VALUES_MAX);
	t->values += n;
	return 0;
}

static void
push(
    struct test_reader *t, struct test_series *s, double v, struct test_hist *h)
{
	size_t had = s->cap;

	s->v = arena_grow(&t->a, s->v, &s->cap, s->n + 1, sizeof(double));
	s->h = arena_grow(&t->a, s->h, &had, s->n + 1, sizeof(*s->h));
	s->h[s->n] = h;
	s->v[s->n++] = v;
}

/* "x12" at *n of s, which moves behind it; without one *times is 0. */
static int
repeat(struct test_reader *t, str s, size_t *n, size_t *times)
{
	int64_t k;
	size_t i = *n;

	*times = 0;
	if (i >= s.n || s.p[i] != 'x')
		return 0;
	for (i++; i < s.n && isdigit((unsigned char)s.p[i]); i++)
		;
	if (num_parse_int(str_skip(str_take(s, i), *n + 1), &k) == -1)
		return promql_test_bad(
		    t, str_skip(s, *n), "a count is wanted behind x");
	if (room(t, str_skip(s, *n), (size_t)k) == -1)
		return -1;
	*times = (size_t)k;
	*n = i;
	return 0;
}

/* {{...}}, {{...}}xN, {{...}}+{{...}}xN */
static int
histograms(struct test_reader *t, struct test_series *s, str *line)
{
	struct test_hist *h, *more = NULL;
	str whole = *line;
	size_t n = 0, times;
	double sign = 1;

	if (promql_test_hist(t, line, &h) == -1)
		return -1;
	if (line->n > 0 && (line->p[0] == '+' || line->p[0] == '-')) {
		sign = line->p[0] == '-' ? -1 : 1;
		*line = str_skip(*line, 1);
		if (promql_test_hist(t, line, &more) == -1)
			return -1;
	}
	if (repeat(t, *line, &n, &times) == -1)
		return -1;
	*line = str_skip(*line, n);
	for (size_t k = 0; k <= times; k++) {
		if (k > 0 && more != NULL)
			h = promql_test_hist_add(h, more, sign, &t->a);
		if (h == NULL)
			return promql_test_bad(
			    t, whole, "the two do not add up");
		push(t, s, 0, h);
	}
	return 0;
}

/* Floats or blanks: 1, 1x4, 1+2x4, _, _x4 */
static int
floats(struct test_reader *t, struct test_series *s, str *line)
{
	double v = num_stale(), step = 0;
	bool blank = line->p[0] == '_';
	size_t n = blank ? 1 : number(*line, &v), times, k;

	if (n == 0)
		return promql_test_bad(t, *line, "a value is wanted");
	if (!blank && n < line->n && (line->p[n] == '+' || line->p[n] == '-')) {
		k = number(str_skip(*line, n), &step);
		if (k == 0)
			return promql_test_bad(
			    t, str_skip(*line, n), "a number is wanted");
		n += k;
	}
	if (repeat(t, *line, &n, &times) == -1)
		return -1;
	if (blank && times > 0)
		times--;
	for (k = 0; k <= times; k++) {
		push(t, s, v, NULL);
		if (step != 0)
			v += step;
	}
	*line = str_skip(*line, n);
	return 0;
}

int
promql_test_series(struct test_reader *t, str line, struct test_series *s)
{
	size_t n = series_length(line);

	*s = (struct test_series){ .n = 0 };
	if (labels(t, str_take(line, n), &s->ls) == -1)
		return -1;
	line = str_trim(str_skip(line, n));
	for (; line.n > 0; line = str_trim(line)) {
		if (room(t, line, 1) == -1)
			return -1;
		if ((str_starts(line, STR("{{")) ? histograms : floats)(
			t, s, &line) == -1)
			return -1;
		if (line.n > 0 && !isspace((unsigned char)line.p[0]))
			return promql_test_bad(t, line, "a blank is wanted");
	}
	return 0;
}

/*
 * Loading.
 */

/* "-30s", "0", "+1m" at the start of s; how long it is, 0: none. */
static size_t
offset(str s, int64_t *ms)
{
	bool plus = str_starts(s, STR("+"));
	size_t n = plus || str_starts(s, STR("-"));

	while (n < s.n && isalnum((unsigned char)s.p[n]) && s.p[n] != 'x')
		n++;
	return dur_parse_signed(str_skip(str_take(s, n), plus), ms, NULL) == 0
	    ? n
	    : 0;
}

/* One item of start times: "_", "_xN", "-1m", "-1mxN", "-1m+10sxN". */
static int
start(struct test_reader *t, struct test_series *s, size_t *cap, str *line)
{
	int64_t at = INT64_MAX, step = 0;
	bool blank = line->p[0] == '_';
	size_t n = blank ? 1 : offset(*line, &at), k, times;

	if (n == 0)
		return promql_test_bad(t, *line, "a duration or _ is wanted");
	if (!blank && n < line->n && (line->p[n] == '+' || line->p[n] == '-')) {
		k = offset(str_skip(*line, n), &step);
		if (k == 0)
			return promql_test_bad(
			    t, str_skip(*line, n), "a duration is wanted");
		n += k;
	}
	if (room(t, *line, 1) == -1 || repeat(t, *line, &n, &times) == -1)
		return -1;
	if (blank && times > 0)
		times--;
	if (step > TEST_STEP_MAX || step < -TEST_STEP_MAX)
		return promql_test_bad(t, *line, "the step is too long");
	for (k = 0; k <= times; k++, at += blank ? 0 : step) {
		s->start = arena_grow(
		    &t->a, s->start, cap, s->nstarts + 1, sizeof(*s->start));
		s->start[s->nstarts++] = at;
	}
	*line = str_skip(*line, n);
	return 0;
}

static int
starts(struct test_reader *t, struct test_series *s, str line)
{
	size_t cap = 0;

	for (; line.n > 0; line = str_trim(line)) {
		if (start(t, s, &cap, &line) == -1)
			return -1;
		if (line.n > 0 && !isspace((unsigned char)line.p[0]))
			return promql_test_bad(t, line, "a blank is wanted");
	}
	return 0;
}

/* What a load says, before it is in the set. */
struct loading {
	struct test_series *v;
	size_t n, cap;
};

/* One line of a load; a later line of the same series takes its place. */
static int
load_line(struct test_reader *t, struct loading *l, str line)
{
	struct test_series s = { .n = 0 };
	size_t len = series_length(line), i = 0;
	bool inside = str_ends(str_take(line, len), STR("@st")),
	     begun = inside || str_starts(str_skip(line, len), STR("@st"));

	if (begun) {
		if (labels(t, str_take(line, inside ? len - 3 : len), &s.ls) ==
		    -1)
			return -1;
		line = str_trim(str_skip(line, inside ? len : len + 3));
		if (starts(t, &s, line) == -1)
			return -1;
	} else if (promql_test_series(t, line, &s) == -1)
		return -1;
	while (i < l->n && !label_eq(l->v[i].ls, s.ls))
		i++;
	if (i == l->n) {
		l->v = arena_grow(&t->a, l->v, &l->cap, l->n + 1, sizeof(s));
		l->n++;
	} else if (!begun) {
		s.start = l->v[i].start;
		s.nstarts = l->v[i].nstarts;
	}
	if (!begun && s.nstarts > 0 && s.nstarts != s.n)
		return promql_test_bad(
		    t, line, "%zu start times for %zu values", s.nstarts, s.n);
	l->v[i] = s;
	return 0;
}

/*
 * What a histogram knows of resets is the business of what stores it, unless
 * it is a gauge.
 */
static void
add(struct test_reader *t, struct labels ls, int64_t at, struct histogram *h)
{
	struct histogram plain = *h;

	if (plain.hint != HISTOGRAM_GAUGE)
		plain.hint = HISTOGRAM_UNKNOWN;
	(void)series_add_histogram(t->set, ls, at, &plain);
}

enum part { PART_BUCKET, PART_COUNT, PART_SUM, PART_NONE };

/* Of a part of a classic histogram: which, and the histogram's labels. */
static enum part
part_of(struct test_reader *t, struct labels ls, struct labels *of)
{
	static const char *const ends[] = { "_bucket", "_count", "_sum" };
	str name = label_find(ls, LABEL_NAME);
	struct label_set set;
	size_t i = 0;

	while (i < 3 && !str_ends(name, str_of(ends[i])))
		i++;
	if (i == 3)
		return PART_NONE;
	label_init(&set, ls);
	label_unset(&set, STR("le"));
	label_set(&set, LABEL_NAME, str_take(name, name.n - strlen(ends[i])));
	*of = label_done(&set, &t->a);
	label_fini(&set);
	return (enum part)i;
}

/* A loaded series as a part of a classic histogram. */
struct classic {
	enum part part;
	struct labels of;
	bool first; /* of its histogram */
};

/* The histogram of the parts of step k; NULL: there are none, or they fall. */
static struct histogram *
nhcb_at(struct test_reader *t, const struct loading *l, const struct classic *c,
    const struct classic *first, size_t k, struct test_bound *b)
{
	double count = 0, sum = 0;
	bool has_count = false, any = false;
	size_t nb = 0;

	for (size_t i = (size_t)(first - c); i < l->n; i++) {
		const struct test_series *s = &l->v[i];

		if (c[i].part == PART_NONE || !label_eq(c[i].of, first->of) ||
		    k >= s->n || num_is_stale(s->v[k]))
			continue;
		any = true;
		if (c[i].part == PART_COUNT)
			count = s->v[k];
		has_count |= c[i].part == PART_COUNT;
		if (c[i].part == PART_SUM)
			sum = s->v[k];
		if (c[i].part == PART_BUCKET &&
		    num_parse(label_find(s->ls, STR("le")), &b[nb].le) == 0)
			b[nb++].count = s->v[k];
	}
	return any ? promql_test_nhcb(b, nb, count, has_count, sum, &t->a)
		   : NULL;
}

/* How many values the longest series has. */
static size_t
longest(const struct loading *l)
{
	size_t most = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].n > most)
			most = l->v[i].n;
	return most;
}

/* Classic histograms as native ones with custom buckets, at each step. */
static void
load_nhcb(struct test_reader *t, const struct loading *l, int64_t step)
{
	struct test_bound *b = arena_array(&t->a, l->n, struct test_bound);
	struct classic *c = arena_array(&t->a, l->n, struct classic);
	size_t most = longest(l);

	for (size_t i = 0; i < l->n; i++) {
		c[i].part = part_of(t, l->v[i].ls, &c[i].of);
		c[i].first = c[i].part != PART_NONE;
		for (size_t k = 0; k < i && c[i].first; k++)
			c[i].first = c[k].part == PART_NONE ||
			    !label_eq(c[k].of, c[i].of);
	}
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < most && c[i].first; k++) {
			struct histogram *h = nhcb_at(t, l, c, &c[i], k, b);

			if (h != NULL)
				add(t, c[i].of, (int64_t)k * step, h);
		}
}

static void
load_series(struct test_reader *t, const struct test_series *s, int64_t step)
{
	for (size_t k = 0; k < s->n; k++) {
		int64_t at = (int64_t)k * step, begun;
		double x = s->v[k];

		if (num_is_stale(x))
			continue;
		if (num_bits(x) == TEST_MARKER)
			x = num_stale();
		if (s->h[k] != NULL)
			add(t, s->ls, at, &s->h[k]->h);
		else
			(void)series_add(t->set, s->ls, at, x);
		begun = k < s->nstarts ? s->start[k] : INT64_MAX;
		series_start(
		    t->set, s->ls, at, begun == INT64_MAX ? 0 : at + begun);
	}
}

int
promql_test_load(struct test_reader *t, int64_t step, bool nhcb)
{
	struct loading l = { 0 };
	str s;

	while (promql_test_line(t, &s) && s.n > 0)
		if (load_line(t, &l, s) == -1)
			return -1;
	for (size_t i = 0; i < l.n; i++)
		load_series(t, &l.v[i], step);
	if (nhcb)
		load_nhcb(t, &l, step);
	return 0;
}
