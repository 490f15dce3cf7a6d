/*
 * MetricFamily as mf text.  A family is looked through twice, once for what is
 * said of it, because fields may stand in any order, then metric by metric.
 * What is checked is what Prometheus checks (model/textparse).
 */
#include "wire/promproto_impl.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "metric/expo.h"

#define EXEMPLAR_MAX 128 /* characters of the labels; upstream drops longer */

struct promproto *
promproto_new(str page, unsigned how)
{
	struct promproto *p = mem_zero(1, sizeof(*p));

	p->page = page;
	p->how = how;
	return p;
}

void
promproto_free(struct promproto *p)
{
	if (p == NULL)
		return;
	arena_fini(&p->a);
	buf_fini(&p->labels);
	buf_fini(&p->series);
	free(p);
}

/* seconds and nanos of a Timestamp as ms. */
static int
timestamp(str bytes, int64_t *t, struct error *e)
{
	struct pb m = pb_of(bytes);
	struct pb_field f;
	int64_t s = 0, ns = 0;
	int k;

	while ((k = pb_next(&m, &f, e)) == 1) {
		if (f.number > 2)
			continue;
		if (pb_want(&f, PB_VARINT, e) == -1)
			return -1;
		if (f.number == 1)
			s = (int64_t)f.v;
		else
			ns = (int32_t)(uint32_t)f.v;
	}
	if (k == -1)
		return -1;
	if (s > INT64_MAX / 1000 - 10000 || s < INT64_MIN / 1000 + 10000)
		return error_set(e, "protobuf: a time out of range");
	*t = s * 1000 + ns / 1000000;
	return 0;
}

int
promproto_start_time(
    struct promproto *p, const struct pb_field *f, struct error *e)
{
	if (pb_want(f, PB_BYTES, e) == -1 ||
	    timestamp(f->bytes, &p->start, e) == -1)
		return -1;
	p->has_start = true;
	return 0;
}

int
promproto_number(const struct pb_field *f, double *v, struct error *e)
{
	if (pb_want(f, PB_FIXED64, e) == -1)
		return -1;
	*v = pb_double(f->v);
	return 0;
}

int
promproto_whole(const struct pb_field *f, double *v, struct error *e)
{
	if (pb_want(f, PB_VARINT, e) == -1)
		return -1;
	*v = (double)f->v;
	return 0;
}

/* A NUL, which Prometheus takes here, is none of text's names. */
static bool
is_name(str s)
{
	return s.n > 0 && str_utf8(s) && str_chr(s, '\0') == s.n;
}

static int
label(const struct pb_field *from, struct label *l, struct error *e)
{
	struct pb m = pb_of(from->bytes);
	struct pb_field f;
	int k;

	*l = (struct label){ STR_NONE, STR_NONE };
	if (pb_want(from, PB_BYTES, e) == -1)
		return -1;
	while ((k = pb_next(&m, &f, e)) == 1) {
		if (f.number > 2)
			continue;
		if (pb_want(&f, PB_BYTES, e) == -1)
			return -1;
		*(f.number == 1 ? &l->name : &l->value) = f.bytes;
	}
	if (k == -1)
		return -1;
	if (!is_name(l->name))
		return error_set(e, "invalid label name '%.*s'",
		    STR_ARG(str_take(l->name, 100)));
	if (!str_utf8(l->value))
		return error_set(e, "invalid UTF-8 in the value of label %.*s",
		    STR_ARG(str_take(l->name, 100)));
	return 0;
}

/* name="value" behind what stands there. */
static void
put_label(struct buf *b, const struct label *l)
{
	if (b->n > 0)
		buf_byte(b, ',');
	if (label_name_valid(l->name))
		buf_add(b, l->name);
	else
		label_print_value(b, l->name);
	buf_byte(b, '=');
	label_print_value(b, l->value);
}

void
promproto_series(
    struct promproto *p, const char *suffix, const char *name, double value)
{
	bool plain = p->plain;
	struct buf *b = &p->series, full = { 0 };
	char sep = plain ? '{' : ',';

	buf_reset(b);
	if (plain) {
		buf_add(b, p->name);
		buf_z(b, suffix);
	} else {
		buf_add(&full, p->name);
		buf_z(&full, suffix);
		buf_byte(b, '{');
		label_print_value(b, buf_str(&full));
		buf_fini(&full);
	}
	if (p->labels.n > 0) {
		buf_byte(b, sep);
		buf_add(b, buf_str(&p->labels));
		sep = ',';
	}
	if (name != NULL) {
		buf_byte(b, sep);
		buf_z(b, name);
		buf_z(b, "=\"");
		num_print_om(b, value);
		buf_byte(b, '"');
		sep = ',';
	}
	if (sep == ',')
		buf_byte(b, '}');
}

int
promproto_end(struct promproto *p, bool has_t, int64_t t, struct error *e)
{
	if (has_t) {
		buf_byte(p->out, ' ');
		num_print_int(p->out, t);
	}
	buf_byte(p->out, '\n');
	if (p->out->n > p->max)
		return error_set(e, "protobuf: more than %zu MiB as text",
		    PROMPROTO_MAX >> 20);
	return 0;
}

int
promproto_sample(struct promproto *p, double v, struct error *e)
{
	buf_add(p->out, buf_str(&p->series));
	buf_byte(p->out, ' ');
	num_print(p->out, isnan(v) ? num_nan() : v);
	return promproto_end(p, p->t != 0, p->t, e);
}

int
promproto_start(struct promproto *p, struct error *e)
{
	if (!p->has_start)
		return 0;
	buf_add(p->out, expo_word(EXPO_START));
	buf_add(p->out, buf_str(&p->series));
	buf_byte(p->out, ' ');
	num_print_int(p->out, p->start);
	return promproto_end(p, p->t != 0, p->t, e);
}

int
promproto_exemplar(struct promproto *p, const struct pb_field *from, bool timed,
    struct error *e)
{
	struct pb m = pb_of(from->bytes);
	struct pb_field f;
	struct buf labels = { 0 };
	struct label l;
	double v = 0;
	int64_t t = 0;
	size_t length = 0;
	bool has_t = false;
	int k = pb_want(from, PB_BYTES, e);

	while (k != -1 && (k = pb_next(&m, &f, e)) == 1) {
		if (f.number == 1) {
			k = label(&f, &l, e);
			if (k == -1)
				break;
			length += str_runes(l.name) + str_runes(l.value);
			if (length <= EXEMPLAR_MAX)
				put_label(&labels, &l);
		} else if (f.number == 2)
			k = promproto_number(&f, &v, e);
		else if (f.number == 3) {
			k = pb_want(&f, PB_BYTES, e) == -1
			    ? -1
			    : timestamp(f.bytes, &t, e);
			has_t = true;
		}
	}
	if (k != -1 && length <= EXEMPLAR_MAX && (has_t || !timed)) {
		buf_add(p->out, expo_word(EXPO_EXEMPLAR));
		buf_add(p->out, buf_str(&p->series));
		buf_z(p->out, " {");
		buf_add(p->out, buf_str(&labels));
		buf_z(p->out, "} ");
		num_print(p->out, isnan(v) ? num_nan() : v);
		k = promproto_end(p, has_t, t, e);
	}
	buf_fini(&labels);
	return k;
}

/* A Counter, a Gauge or an Untyped. */
static int
simple(struct promproto *p, str bytes, struct error *e)
{
	struct pb m = pb_of(bytes);
	struct pb_field f, ex = { .number = 0 };
	double v = 0;
	int k;

	while ((k = pb_next(&m, &f, e)) == 1) {
		if (f.number == 1 && promproto_number(&f, &v, e) == -1)
			return -1;
		if (p->type != PROMPROTO_COUNTER)
			continue;
		if (f.number == 2)
			ex = f;
		else if (f.number == 3 && promproto_start_time(p, &f, e) == -1)
			return -1;
	}
	promproto_series(p, "", NULL, 0);
	if (k == -1 || promproto_sample(p, v, e) == -1 ||
	    promproto_start(p, e) == -1)
		return -1;
	return ex.number == 0 ? 0 : promproto_exemplar(p, &ex, false, e);
}

/* The labels and the time of a Metric, and its part that the type means. */
static int
metric(struct promproto *p, str bytes, struct error *e)
{
	static const uint32_t part[] = { [PROMPROTO_COUNTER] = 3,
		[PROMPROTO_GAUGE] = 2,
		[PROMPROTO_SUMMARY] = 4,
		[PROMPROTO_UNTYPED] = 5,
		[PROMPROTO_HISTOGRAM] = 7,
		[PROMPROTO_GAUGE_HISTOGRAM] = 7 };
	struct pb m = pb_of(bytes);
	struct pb_field f;
	struct label l;
	str of = STR_NONE;
	int k;

	buf_reset(&p->labels);
	p->t = 0;
	p->has_start = false;
	while ((k = pb_next(&m, &f, e)) == 1) {
		if (f.number == 1) {
			if (label(&f, &l, e) == -1)
				return -1;
			put_label(&p->labels, &l);
		} else if (f.number == part[p->type]) {
			if (pb_want(&f, PB_BYTES, e) == -1)
				return -1;
			of = f.bytes;
		} else if (f.number == 6) {
			if (pb_want(&f, PB_VARINT, e) == -1)
				return -1;
			p->t = (int64_t)f.v;
		}
	}
	if (k == -1)
		return -1;
	if (p->type == PROMPROTO_SUMMARY)
		return promproto_summary(p, of, e);
	if (p->type == PROMPROTO_HISTOGRAM ||
	    p->type == PROMPROTO_GAUGE_HISTOGRAM)
		return promproto_histogram(p, of, e);
	return simple(p, of, e);
}

/* The unit must be the end of the name, in a counter that before _total. */
static int
check_unit(const struct promproto *p, struct error *e)
{
	str name = p->name, unit = p->unit, total = STR("_total");

	if (unit.n == 0)
		return 0;
	if (p->type == PROMPROTO_COUNTER && str_ends(name, total))
		name.n -= total.n;
	if (str_ends(name, unit) && name.n > unit.n &&
	    name.p[name.n - unit.n - 1] == '_')
		return 0;
	return error_set(e, "unit '%.*s' is not a suffix of the metric's name",
	    STR_ARG(str_take(unit, 64)));
}

/* Metadata of the family, or of one of the names its series have. */
static void
describe(struct promproto *p, struct buf *b, const char *suffix, str type)
{
	str end = str_of(suffix);
	char *c = arena_alloc(&p->a, p->name.n + end.n);
	str name = { c, p->name.n + end.n };
	bool word = p->unit.n > 0;

	/* not by printf: a name may have a NUL in it */
	memcpy(c, p->name.p, p->name.n);
	memcpy(c + p->name.n, end.p, end.n);
	if (p->help.n > 0)
		expo_put_help(b, name, p->help);
	expo_put_type(b, name, type);
	/* it is not quoted, so what is no word is not told */
	for (size_t i = 0; i < p->unit.n; i++)
		word = word && (unsigned char)p->unit.p[i] > ' ';
	if (word)
		expo_put_unit(b, name, p->unit);
}

static void
metadata(struct promproto *p, struct buf *b)
{
	static const char *const types[] = { [PROMPROTO_COUNTER] = "counter",
		[PROMPROTO_GAUGE] = "gauge",
		[PROMPROTO_SUMMARY] = "summary",
		[PROMPROTO_UNTYPED] = "untyped",
		[PROMPROTO_HISTOGRAM] = "histogram" };
	static const char *const parts[] = { "", "_bucket", "_count", "_sum" };

	if (p->type != PROMPROTO_GAUGE_HISTOGRAM) {
		describe(p, b, "", str_of(types[p->type]));
		return;
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		describe(p, b, parts[i], STR("gauge"));
	expo_put_kind(b, p->name, STR("gaugehistogram"));
}

/* What is said of a family. */
static int
family(struct promproto *p, str bytes, struct error *e)
{
	struct pb m = pb_of(bytes);
	struct pb_field f;
	int k;

	p->name = p->help = p->unit = STR_NONE;
	p->type = PROMPROTO_COUNTER;
	p->metrics = m;
	p->described = false;
	while ((k = pb_next(&m, &f, e)) == 1) {
		if (f.number > 5)
			continue;
		if (pb_want(&f, f.number == 3 ? PB_VARINT : PB_BYTES, e) == -1)
			return -1;
		if (f.number == 1)
			p->name = f.bytes;
		else if (f.number == 2)
			p->help = f.bytes;
		else if (f.number == 3)
			p->type = f.v;
		else if (f.number == 5)
			p->unit = f.bytes;
	}
	return k;
}

/* It is looked at only if the family has a metric. */
static int
check_family(const struct promproto *p, struct error *e)
{
	if (!is_name(p->name))
		return error_set(e, "invalid metric name '%.*s'",
		    STR_ARG(str_take(p->name, 100)));
	if (!str_utf8(p->help))
		return error_set(e, "invalid UTF-8 in a help text");
	if (p->type > PROMPROTO_GAUGE_HISTOGRAM)
		return error_set(
		    e, "unknown metric type %llu", (unsigned long long)p->type);
	if (!str_utf8(p->unit))
		return error_set(e, "invalid UTF-8 in a unit");
	return check_unit(p, e);
}

/* The next metric of the family into out: 1, 0, -1. */
static int
next_metric(struct promproto *p, struct error *e)
{
	struct pb_field f;
	int k;

	while ((k = pb_next(&p->metrics, &f, e)) == 1 && f.number != 4)
		;
	if (k != 1)
		return k;
	arena_reset(&p->a);
	if (!p->described) {
		if (check_family(p, e) == -1)
			return -1;
		p->plain = label_metric_valid(p->name);
		metadata(p, p->out);
		p->described = true;
	}
	return metric(p, f.bytes, e) == -1 ? -1 : 1;
}

/* Say which family the error is in, if that is known. */
static int
fail(const struct promproto *p, struct error *e)
{
	if (p->name.n == 0)
		return -1;
	return error_add(
	    e, "metric family %.*s", STR_ARG(str_take(p->name, 100)));
}

int
promproto_next(struct promproto *p, struct buf *text, struct error *e)
{
	size_t from = text->n;
	str bytes;
	int k;

	p->out = text;
	p->max = from;
	if (p->made < PROMPROTO_MAX)
		p->max += PROMPROTO_MAX - p->made;
	for (;;) {
		k = next_metric(p, e);
		if (k == 1)
			break;
		if (k == -1)
			return fail(p, e);
		if (p->page.n == 0)
			return 0;
		p->metrics = pb_of(p->page);
		if (pb_bytes(&p->metrics, &bytes, e) == -1)
			return -1;
		p->page = p->metrics.in;
		if (family(p, bytes, e) == -1)
			return fail(p, e);
	}
	p->made += text->n - from;
	return 1;
}
