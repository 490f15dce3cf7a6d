/*
 * Durations.  Two grammars that look alike: Prometheus's has whole numbers,
 * days and years, each unit once and in order; Go's has fractions, any order,
 * and nothing longer than an hour.
 */
#include "base/dur.h"

#include <inttypes.h>

#define MS INT64_C(1)
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* time.Duration's reach, about 292 years, bounds both. */
#define MAX_MS (INT64_MAX / 1000000)

struct unit {
	const char *name;
	int64_t mult;
};

/* From the largest to the smallest: the order they must stand in. */
static const struct unit prom_units[] = {
	{ "y", 365 * DAY },
	{ "w", 7 * DAY },
	{ "d", DAY },
	{ "h", HOUR },
	{ "m", MINUTE },
	{ "s", SECOND },
	{ "ms", MS },
};

static const struct unit go_units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 },
	{ "\xce\xbcs", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60 * INT64_C(1000000000) },
	{ "h", 3600 * INT64_C(1000000000) },
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t
find_unit(const struct unit *u, size_t n, str name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_eq(name, str_of(u[i].name)))
			break;
	return i;
}

static int
not_valid(str whole, struct error *e)
{
	return error_set(
	    e, "not a valid duration string: \"%.*s\"", STR_ARG(whole));
}

/* The digits at the start of *s; -1 if there is none or they overflow. */
static int
take_int(str *s, int64_t *v)
{
	size_t i = 0;
	int64_t n = 0;

	for (; i < s->n && is_digit(s->p[i]); i++) {
		int64_t c = s->p[i] - '0';

		if (n > (INT64_MAX - c) / 10)
			return -1;
		n = n * 10 + c;
	}
	*s = str_skip(*s, i);
	*v = n;
	return i == 0 ? -1 : 0;
}

/* What is no digit (and not stop) at the start of *s. */
static str
take_word(str *s, char stop)
{
	size_t i = 0;
	str word;

	while (i < s->n && !is_digit(s->p[i]) && s->p[i] != stop)
		i++;
	word = str_take(*s, i);
	*s = str_skip(*s, i);
	return word;
}

int
dur_parse(str s, int64_t *ms, struct error *e)
{
	str whole = s;
	int64_t sum = 0, v;
	size_t next = 0;

	if (s.n == 0)
		return error_set(e, "empty duration string");
	if (str_eq(s, STR("0"))) {
		*ms = 0;
		return 0;
	}
	while (s.n > 0) {
		str word;
		size_t u;

		if (take_int(&s, &v) == -1)
			return not_valid(whole, e);
		word = take_word(&s, '\0');
		if (word.n == 0)
			return not_valid(whole, e);
		u = find_unit(prom_units, N(prom_units), word);
		if (u == N(prom_units))
			return error_set(e,
			    "unknown unit \"%.*s\" in duration \"%.*s\"",
			    STR_ARG(word), STR_ARG(whole));
		if (u < next)
			return not_valid(whole, e);
		next = u + 1;
		if (v > (MAX_MS - sum) / prom_units[u].mult)
			return error_set(e, "duration out of range");
		sum += v * prom_units[u].mult;
	}
	*ms = sum;
	return 0;
}

int
dur_parse_signed(str s, int64_t *ms, struct error *e)
{
	bool neg = s.n > 0 && s.p[0] == '-';

	if (dur_parse(str_skip(s, neg), ms, e) == -1)
		return -1;
	if (neg)
		*ms = -*ms;
	return 0;
}

/* Years and weeks only without a rest: 90d reads better than 12w6d. */
void
dur_print(struct buf *b, int64_t ms)
{
	uint64_t left = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;

	if (ms == 0) {
		buf_z(b, "0s");
		return;
	}
	if (ms < 0)
		buf_byte(b, '-');
	for (size_t i = 0; i < N(prom_units); i++) {
		uint64_t mult = (uint64_t)prom_units[i].mult;

		if (mult == 0 || left < mult || (i < 2 && left % mult != 0))
			continue;
		buf_printf(b, "%" PRIu64 "%s", left / mult, prom_units[i].name);
		left %= mult;
	}
}

static int
go_invalid(str whole, struct error *e)
{
	return error_set(e, "time: invalid duration \"%.*s\"", STR_ARG(whole));
}

/*
 * The digits behind the point as a fraction of mult, cut to whole ns; digits
 * beyond 18 are too small to count.
 */
static int64_t
take_frac(str *s, int64_t mult, size_t *digits)
{
	double f = 0, scale = 1;
	int64_t v = 0;
	size_t i = 0;

	for (; i < s->n && is_digit(s->p[i]); i++)
		if (i < 18) {
			v = v * 10 + (s->p[i] - '0');
			scale *= 10;
		}
	*digits = i;
	*s = str_skip(*s, i);
	f = (double)v * ((double)mult / scale);
	return (int64_t)f;
}

/* One "1.5h" off the front of *s, in ns, added to *sum. */
static int
go_term(str whole, str *s, int64_t *sum, struct error *e)
{
	str word, frac = STR_NONE;
	size_t u, digits = 0;
	int64_t v = 0, rest = 0;
	bool has_int = s->n > 0 && is_digit(s->p[0]);

	if (has_int && take_int(s, &v) == -1)
		return go_invalid(whole, e);
	if (s->n > 0 && s->p[0] == '.') {
		frac = str_skip(*s, 1);
		*s = frac;
		(void)take_frac(s, 1, &digits);
	}
	if (!has_int && digits == 0)
		return go_invalid(whole, e);
	word = take_word(s, '.');
	if (word.n == 0)
		return error_set(e, "time: missing unit in duration \"%.*s\"",
		    STR_ARG(whole));
	u = find_unit(go_units, N(go_units), word);
	if (u == N(go_units))
		return error_set(e,
		    "time: unknown unit \"%.*s\" in duration \"%.*s\"",
		    STR_ARG(word), STR_ARG(whole));
	if (digits > 0)
		rest = take_frac(&frac, go_units[u].mult, &digits);
	if (v > (INT64_MAX - rest - *sum) / go_units[u].mult)
		return go_invalid(whole, e);
	*sum += v * go_units[u].mult + rest;
	return 0;
}

int
dur_parse_go(str s, int64_t *ns, struct error *e)
{
	str whole = s;
	int64_t sum = 0;
	bool neg = false;

	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
		neg = s.p[0] == '-';
		s = str_skip(s, 1);
	}
	if (s.n == 0)
		return go_invalid(whole, e);
	if (!str_eq(s, STR("0")))
		while (s.n > 0)
			if (go_term(whole, &s, &sum, e) == -1)
				return -1;
	*ns = neg ? -sum : sum;
	return 0;
}

/* v / 10^digits without the zeros at its end. */
static void
put_fraction(struct buf *b, uint64_t v, int digits)
{
	uint64_t scale = 1, frac;

	for (int i = 0; i < digits; i++)
		scale *= 10;
	buf_printf(b, "%" PRIu64, v / scale);
	frac = v % scale;
	if (frac == 0)
		return;
	while (frac % 10 == 0) {
		frac /= 10;
		digits--;
	}
	buf_printf(b, ".%0*" PRIu64, digits, frac);
}

void
dur_print_go(struct buf *b, int64_t ns)
{
	uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	const uint64_t minute = 60 * UINT64_C(1000000000);

	if (ns < 0)
		buf_byte(b, '-');
	if (v == 0) {
		buf_z(b, "0s");
	} else if (v < 1000) {
		buf_printf(b, "%" PRIu64 "ns", v);
	} else if (v < 1000000) {
		put_fraction(b, v, 3);
		buf_z(b, "\xc2\xb5s");
	} else if (v < 1000000000) {
		put_fraction(b, v, 6);
		buf_z(b, "ms");
	} else {
		if (v >= 60 * minute)
			buf_printf(b, "%" PRIu64 "h", v / minute / 60);
		if (v >= minute)
			buf_printf(b, "%" PRIu64 "m", v / minute % 60);
		put_fraction(b, v % minute, 9);
		buf_byte(b, 's');
	}
}
