/*
 * The unit table.  Every unit has a ladder of prefixes; a value (or the
 * largest tick of an axis) stands on the highest rung that is not above it.
 * The ids and the sense of the ladders are those of Grafana's value formats;
 * names of Prometheus's UNIT metadata are taken as well.
 */
#include "plot/unit.h"

#include <math.h>
#include <string.h>

#include "base/num.h"
#include "plot/plot.h"

struct rung {
	double factor;
	const char *name;
};

/* Where the rung's name stands. */
enum glue {
	GLUE_RUNG,   /* number, rung: 1.20k */
	GLUE_SPACE,  /* number, blank, rung, suffix: 1.20 kB/s */
	GLUE_BEHIND, /* number, rung, blank, suffix: 1.20K req/s */
};

struct ladder {
	const struct rung *v;
	size_t n;
	enum plot_round round;
	enum glue glue;
	bool counts;
};

struct unit {
	const char *id;
	const struct ladder *ladder;
	double base; /* one of it, in the ladder's rung 1 */
	const char *prefix, *suffix;
};

static const struct rung one[] = { { 1, "" } };
static const struct rung plain[] = { { 1, "" }, { 1e3, "k" }, { 1e6, "M" },
	{ 1e9, "G" }, { 1e12, "T" }, { 1e15, "P" }, { 1e18, "E" } };
static const struct rung words[] = { { 1, "" }, { 1e3, " K" }, { 1e6, " Mil" },
	{ 1e9, " Bil" }, { 1e12, " Tri" }, { 1e15, " Quadr" },
	{ 1e18, " Quint" } };
static const struct rung many[] = { { 1, "" }, { 1e3, "K" }, { 1e6, "M" },
	{ 1e9, "B" }, { 1e12, "T" } };
static const struct rung si[] = { { 1e-12, "p" }, { 1e-9, "n" }, { 1e-6, "µ" },
	{ 1e-3, "m" }, { 1, "" }, { 1e3, "k" }, { 1e6, "M" }, { 1e9, "G" },
	{ 1e12, "T" }, { 1e15, "P" }, { 1e18, "E" } };
static const struct rung iec[] = { { 1, "" }, { 0x1p10, "Ki" },
	{ 0x1p20, "Mi" }, { 0x1p30, "Gi" }, { 0x1p40, "Ti" }, { 0x1p50, "Pi" },
	{ 0x1p60, "Ei" } };
static const struct rung clock[] = { { 1e-9, "ns" }, { 1e-6, "µs" },
	{ 1e-3, "ms" }, { 1, "s" }, { 60, "min" }, { 3600, "h" },
	{ 86400, "d" }, { 31556900, "y" } };

#define RUNGS(v) (v), sizeof(v) / sizeof((v)[0])
static const struct ladder l_none = { RUNGS(one), PLOT_ROUND_DECIMAL, GLUE_RUNG,
	true };
static const struct ladder l_plain = { RUNGS(plain), PLOT_ROUND_DECIMAL,
	GLUE_RUNG, true };
static const struct ladder l_words = { RUNGS(words), PLOT_ROUND_DECIMAL,
	GLUE_RUNG, true };
static const struct ladder l_one = { RUNGS(one), PLOT_ROUND_DECIMAL, GLUE_RUNG,
	false };
static const struct ladder l_many = { RUNGS(many), PLOT_ROUND_DECIMAL,
	GLUE_BEHIND, false };
static const struct ladder l_si = { RUNGS(si), PLOT_ROUND_DECIMAL, GLUE_SPACE,
	false };
static const struct ladder l_whole = { RUNGS(plain), PLOT_ROUND_DECIMAL,
	GLUE_SPACE, false };
static const struct ladder l_iec = { RUNGS(iec), PLOT_ROUND_BINARY, GLUE_SPACE,
	false };
static const struct ladder l_clock = { RUNGS(clock), PLOT_ROUND_TIME,
	GLUE_SPACE, false };

static const struct unit units[] = {
	{ "", &l_plain, 1, "", "" },
	{ "none", &l_none, 1, "", "" },
	{ "short", &l_words, 1, "", "" },
	{ "sishort", &l_plain, 1, "", "" },
	{ "percent", &l_one, 1, "", "%" },
	{ "percentunit", &l_one, 100, "", "%" },
	{ "humidity", &l_one, 1, "", " %H" },
	{ "dB", &l_one, 1, "", " dB" },
	{ "dBm", &l_one, 1, "", " dBm" },
	{ "ppm", &l_one, 1, "", " ppm" },

	{ "bytes", &l_iec, 1, "", "B" },
	{ "decbytes", &l_whole, 1, "", "B" },
	{ "bits", &l_iec, 1, "", "b" },
	{ "decbits", &l_whole, 1, "", "b" },
	{ "kbytes", &l_iec, 0x1p10, "", "B" },
	{ "mbytes", &l_iec, 0x1p20, "", "B" },
	{ "gbytes", &l_iec, 0x1p30, "", "B" },
	{ "deckbytes", &l_whole, 1e3, "", "B" },
	{ "decmbytes", &l_whole, 1e6, "", "B" },
	{ "decgbytes", &l_whole, 1e9, "", "B" },
	{ "Bps", &l_whole, 1, "", "B/s" },
	{ "binBps", &l_iec, 1, "", "B/s" },
	{ "bps", &l_whole, 1, "", "b/s" },
	{ "binbps", &l_iec, 1, "", "b/s" },
	{ "KBs", &l_whole, 1e3, "", "B/s" },
	{ "MBs", &l_whole, 1e6, "", "B/s" },
	{ "Kbits", &l_whole, 1e3, "", "b/s" },
	{ "Mbits", &l_whole, 1e6, "", "b/s" },
	{ "pps", &l_whole, 1, "", "p/s" },

	{ "ns", &l_clock, 1e-9, "", "" },
	{ "µs", &l_clock, 1e-6, "", "" },
	{ "us", &l_clock, 1e-6, "", "" },
	{ "ms", &l_clock, 1e-3, "", "" },
	{ "s", &l_clock, 1, "", "" },
	{ "m", &l_clock, 60, "", "" },
	{ "h", &l_clock, 3600, "", "" },
	{ "d", &l_clock, 86400, "", "" },

	{ "ops", &l_many, 1, "", "ops/s" },
	{ "reqps", &l_many, 1, "", "req/s" },
	{ "rps", &l_many, 1, "", "rd/s" },
	{ "wps", &l_many, 1, "", "wr/s" },
	{ "iops", &l_many, 1, "", "io/s" },
	{ "cps", &l_many, 1, "", "c/s" },
	{ "eps", &l_many, 1, "", "evt/s" },
	{ "mps", &l_many, 1, "", "msg/s" },
	{ "recps", &l_many, 1, "", "rec/s" },
	{ "rowsps", &l_many, 1, "", "rows/s" },
	{ "opm", &l_many, 1, "", "ops/min" },
	{ "reqpm", &l_many, 1, "", "req/min" },

	{ "hertz", &l_si, 1, "", "Hz" },
	{ "volt", &l_si, 1, "", "V" },
	{ "amp", &l_si, 1, "", "A" },
	{ "watt", &l_si, 1, "", "W" },
	{ "joule", &l_si, 1, "", "J" },
	{ "watth", &l_si, 1, "", "Wh" },
	{ "lengthm", &l_si, 1, "", "m" },
	{ "massg", &l_si, 1, "", "g" },
	{ "pressurepa", &l_si, 1, "", "Pa" },
	{ "celsius", &l_one, 1, "", " °C" },
	{ "fahrenheit", &l_one, 1, "", " °F" },
	{ "kelvin", &l_one, 1, "", " K" },
	{ "velocityms", &l_one, 1, "", " m/s" },
	{ "velocitykmh", &l_one, 1, "", " km/h" },
	{ "rotrpm", &l_one, 1, "", " rpm" },
	{ "currencyUSD", &l_many, 1, "$", "" },
	{ "currencyEUR", &l_many, 1, "€", "" },
	{ "currencyGBP", &l_many, 1, "£", "" },
	{ "currencyJPY", &l_many, 1, "¥", "" },

	/* Prometheus's base units, as "# UNIT" lines say them. */
	{ "seconds", &l_clock, 1, "", "" },
	{ "ratio", &l_one, 100, "", "%" },
	{ "volts", &l_si, 1, "", "V" },
	{ "amperes", &l_si, 1, "", "A" },
	{ "watts", &l_si, 1, "", "W" },
	{ "joules", &l_si, 1, "", "J" },
	{ "meters", &l_si, 1, "", "m" },
	{ "grams", &l_si, 1, "", "g" },
};

/* A unit found; what "suffix:" and the like bring along is the caller's. */
struct found {
	const struct ladder *ladder;
	double base;
	str prefix, suffix;
};

static bool
find(str id, struct found *f)
{
	*f = (struct found){ &l_plain, 1, STR_NONE, STR_NONE };
	if (str_starts(id, STR("prefix:"))) {
		f->prefix = str_skip(id, 7);
		return true;
	}
	if (str_starts(id, STR("suffix:")) || str_starts(id, STR("count:"))) {
		f->ladder = &l_many;
		f->suffix = str_skip(id, id.p[0] == 's' ? 7 : 6);
		return true;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		const struct unit *u = &units[i];

		if (str_eq(id, str_of(u->id))) {
			*f = (struct found){ u->ladder, u->base,
				str_of(u->prefix), str_of(u->suffix) };
			return true;
		}
	}
	return false;
}

bool
plot_unit_valid(str unit)
{
	struct found f;

	return find(unit, &f);
}

enum plot_round
plot_unit_round(str unit, double *base)
{
	struct found f;

	(void)find(unit, &f);
	*base = f.base;
	return f.ladder->round;
}

bool
plot_unit_counts(str unit)
{
	struct found f;

	(void)find(unit, &f);
	return f.ladder->counts;
}

/* Add what fits of s to to, whole code points only. */
static void
join(char *to, size_t size, str s)
{
	size_t at = strlen(to), n = size - 1 - at;

	if (n > s.n)
		n = s.n;
	while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	if (n > 0)
		memcpy(to + at, s.p, n);
	to[at + n] = '\0';
}

static void
set_form(struct plot_form *f, const struct found *u, const struct rung *r)
{
	enum glue glue = u->ladder->glue;

	*f = (struct plot_form){ .mul = u->base / r->factor };
	join(f->prefix, sizeof(f->prefix), u->prefix);
	if (glue == GLUE_SPACE)
		join(f->suffix, sizeof(f->suffix), STR(" "));
	join(f->suffix, sizeof(f->suffix), str_of(r->name));
	if (glue == GLUE_BEHIND && u->suffix.n > 0)
		join(f->suffix, sizeof(f->suffix), STR(" "));
	join(f->suffix, sizeof(f->suffix), u->suffix);
}

/* The highest rung not above x; x is in the ladder's own measure. */
static size_t
rung_of(const struct ladder *l, double x, double least)
{
	size_t i = l->n - 1, unit = 0;

	while (unit < l->n - 1 && l->v[unit].factor < 1)
		unit++;
	if (!(x > 0))
		return unit;
	while (i > 0 && x < l->v[i].factor * (l->v[i].factor > 1 ? least : 1))
		i--;
	return i;
}

/* i, or the rung of 1 for what no prefix makes readable. */
static size_t
in_reach(const struct ladder *l, double x, size_t i)
{
	return x / l->v[i].factor < 1e6 || i + 1 < l->n ? i : rung_of(l, 0, 1);
}

/* x to three significant digits. */
static double
round3(double x)
{
	double p;

	if (x == 0 || !isfinite(x))
		return x;
	p = pow(10, 2 - floor(log10(fabs(x))));
	return isfinite(p) && p > 0 ? round(x * p) / p : x;
}

/* Three significant digits; an integer as it is. */
static void
number(struct buf *b, double x)
{
	double a = fabs(x), r = round3(a);
	int d;

	if (a >= 1e15 || (a > 0 && a < 1e-4)) {
		num_format(b, x, 'g', 3);
		return;
	}
	if (a == floor(a)) {
		num_format(b, x == 0 ? 0 : x, 'f', 0);
		return;
	}
	d = 2 - (int)floor(log10(r));
	num_format(b, x, 'f', d > 0 ? d : 0);
}

void
plot_value(struct buf *b, double v, str unit)
{
	struct found u;
	struct plot_form f;
	size_t i;
	double x;

	if (isnan(v)) {
		buf_z(b, "NaN");
		return;
	}
	if (isinf(v)) {
		buf_z(b, v > 0 ? "∞" : "-∞");
		return;
	}
	(void)find(unit, &u);
	x = fabs(v) * u.base;
	i = rung_of(u.ladder, x, 1);
	/* 999.9 rounds to the next rung's 1.00. */
	if (i + 1 < u.ladder->n &&
	    round3(x / u.ladder->v[i].factor) * u.ladder->v[i].factor >=
		u.ladder->v[i + 1].factor)
		i++;
	i = in_reach(u.ladder, x, i);
	set_form(&f, &u, &u.ladder->v[i]);
	if (v < 0)
		buf_byte(b, '-');
	buf_z(b, f.prefix);
	number(b, x / u.ladder->v[i].factor);
	buf_z(b, f.suffix);
}

/* Decimals that say x exactly, as far as a tick has to; -1: more than max. */
static int
decimals(double x, int max)
{
	for (int d = 0; d <= max; d++) {
		if (fabs(x - round(x)) <= 1e-6 * fabs(x))
			return d;
		x *= 10;
	}
	return -1;
}

void
plot_form_axis(struct plot_form *f, str unit, double lo, double hi, double step)
{
	struct found u;
	double x;
	size_t i, at;
	int d, most;

	(void)find(unit, &u);
	x = fmax(fabs(lo), fabs(hi)) * u.base;
	most = u.ladder->round == PLOT_ROUND_BINARY ? 3 : 2;
	at = rung_of(u.ladder, x * (1 + 1e-9),
	    u.ladder->round == PLOT_ROUND_TIME ? 2 : 1);
	/*
	 * Too fine a step for this prefix: 1.0002 s is better 1000.2 ms.  On
	 * the last rung a number may be as long as it must.
	 */
	for (i = at + 1; i-- > 0;) {
		double m = u.base / u.ladder->v[i].factor;

		if ((d = decimals(step * m, most)) >= 0)
			break;
	}
	if (i == SIZE_MAX) {
		i = 0;
		d = decimals(step * u.base / u.ladder->v[0].factor, 6);
	}
	i = in_reach(u.ladder, x, i);
	set_form(f, &u, &u.ladder->v[i]);
	f->decimals = x / u.ladder->v[i].factor < 1e15 ? d : -1;
}

void
plot_form_print(struct buf *b, const struct plot_form *f, double v)
{
	double x = v * f->mul;

	if (v == 0) {
		buf_byte(b, '0');
		return;
	}
	if (x < 0)
		buf_byte(b, '-');
	buf_z(b, f->prefix);
	if (f->decimals < 0)
		num_format(b, fabs(x), 'g', 3);
	else
		num_format(b, fabs(x), 'f', f->decimals);
	buf_z(b, f->suffix);
}
