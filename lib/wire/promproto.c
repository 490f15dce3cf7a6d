/*
 * MetricFamily as mf text.  A family is looked through twice, once for what is
 * said of it, because fields may stand in any order, then metric by metric.
 * Which series there are, and in which order, is as Prometheus has it
 * (model/textparse): _count, _sum, then the buckets, with one of +Inf at the
 * end whether it was there or not.
 */
#include "wire/promproto.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "metric/expo.h"
#include "metric/histogram.h"

#define MANY ((size_t)1 << 20) /* buckets and spans; no client has nearly so   \
				*/
#define EXEMPLAR_MAX 128 /* characters of an exemplar's labels, as upstream */

enum type {
	COUNTER,
	GAUGE,
	SUMMARY,
	UNTYPED,
	HISTOGRAM,
	GAUGE_HISTOGRAM,
};

struct promproto {
	str page; /* what is left of it */
	unsigned how;
	size_t made; /* bytes of text so far */
	struct arena a;

	/* the family being read */
	str name, help, unit;
	uint64_t type;
	struct pb metrics; /* its fields, looked through for metrics */
	bool described;

	/* the metric being read */
	struct buf labels; /* a="b",c="d" */
	struct buf series; /* the one that lines are put of */
	struct buf *out;
	size_t max; /* the length out may come to */
	int64_t t, start;
	bool has_start;
};

/* The counts of a native histogram's side. */
struct counts {
	struct histogram_span *spans;
	double *v;
	size_t nspans, n, spans_cap, cap;
	int64_t last; /* what deltas have come to */
};

/* What is known of a Histogram or a Summary without its buckets. */
struct hist {
	double count, sum, count_float;
	double zero_threshold, zero_count, zero_float;
	int32_t schema;
	bool has_exemplars;
	struct counts deltas[2], floats[2]; /* negative, positive */
};

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

static int
start_time(struct promproto *p, const struct pb_field *f, struct error *e)
{
	if (pb_want(f, PB_BYTES, e) == -1 ||
	    timestamp(f->bytes, &p->start, e) == -1)
		return -1;
	p->has_start = true;
	return 0;
}

static int
number(const struct pb_field *f, double *v, struct error *e)
{
	if (pb_want(f, PB_FIXED64, e) == -1)
		return -1;
	*v = pb_double(f->v);
	return 0;
}

static int
whole(const struct pb_field *f, double *v, struct error *e)
{
	if (pb_want(f, PB_VARINT, e) == -1)
		return -1;
	*v = (double)f->v;
	return 0;
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
	if (l->name.n == 0 || !str_utf8(l->name))
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

/*
 * The series that is put next: the family's name with a suffix, and a label
 * more if it has a name.
 */
static void
series(struct promproto *p, const char *suffix, const char *name, double value)
{
	bool plain = label_metric_valid(p->name);
	struct buf *b = &p->series, full = { 0 };
	char sep = plain ? '{' : ',';

	buf_reset(b);
	buf_add(&full, p->name);
	buf_z(&full, suffix);
	if (plain)
		buf_add(b, buf_str(&full));
	else {
		buf_byte(b, '{');
		label_print_value(b, buf_str(&full));
	}
	buf_fini(&full);
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

/* " t" if there is one, and the line's end. */
static int
end(struct promproto *p, bool has_t, int64_t t, struct error *e)
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

/* The sample of the series, and what its counting began with. */
static int
sample(struct promproto *p, double v, struct error *e)
{
	buf_add(p->out, buf_str(&p->series));
	buf_byte(p->out, ' ');
	num_print(p->out, isnan(v) ? num_nan() : v);
	return end(p, p->t != 0, p->t, e);
}

static int
start(struct promproto *p, struct error *e)
{
	if (!p->has_start)
		return 0;
	buf_z(p->out, "# START ");
	buf_add(p->out, buf_str(&p->series));
	buf_byte(p->out, ' ');
	num_print_int(p->out, p->start);
	return end(p, p->t != 0, p->t, e);
}

/* How many characters; more than so many are not counted. */
static size_t
runes(str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n <= EXEMPLAR_MAX; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

/*
 * An Exemplar of the series.  One with too many labels is left out, as is one
 * without a time if it must have one.
 */
static int
exemplar(struct promproto *p, const struct pb_field *from, bool timed,
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
			length += runes(l.name) + runes(l.value);
			if (length <= EXEMPLAR_MAX)
				put_label(&labels, &l);
		} else if (f.number == 2)
			k = number(&f, &v, e);
		else if (f.number == 3) {
			k = pb_want(&f, PB_BYTES, e) == -1
			    ? -1
			    : timestamp(f.bytes, &t, e);
			has_t = true;
		}
	}
	if (k != -1 && length <= EXEMPLAR_MAX && (has_t || !timed)) {
		buf_z(p->out, "# EXEMPLAR ");
		buf_add(p->out, buf_str(&p->series));
		buf_z(p->out, " {");
		buf_add(p->out, buf_str(&labels));
		buf_z(p->out, "} ");
		num_print(p->out, isnan(v) ? num_nan() : v);
		k = end(p, has_t, t, e);
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
		if (f.number == 1 && number(&f, &v, e) == -1)
			return -1;
		if (p->type != COUNTER)
			continue;
		if (f.number == 2)
			ex = f;
		else if (f.number == 3 && start_time(p, &f, e) == -1)
			return -1;
	}
	series(p, "", NULL, 0);
	if (k == -1 || sample(p, v, e) == -1 || start(p, e) == -1)
		return -1;
	return ex.number == 0 ? 0 : exemplar(p, &ex, false, e);
}

/* A counter's sample under a suffix. */
static int
counted(struct promproto *p, const char *suffix, double v, struct error *e)
{
	series(p, suffix, NULL, 0);
	return sample(p, v, e) == -1 ? -1 : start(p, e);
}

/* Two numbers, 1 and 2: a Quantile. */
static int
quantile(struct promproto *p, const struct pb_field *from, struct error *e)
{
	struct pb m = pb_of(from->bytes);
	struct pb_field f;
	double q = 0, v = 0;
	int k = pb_want(from, PB_BYTES, e);

	while (k != -1 && (k = pb_next(&m, &f, e)) == 1)
		if (f.number == 1 || f.number == 2)
			k = number(&f, f.number == 1 ? &q : &v, e);
	if (k == -1)
		return -1;
	series(p, "", "quantile", q);
	return sample(p, v, e);
}

static int
summary(struct promproto *p, str bytes, struct error *e)
{
	struct pb m = pb_of(bytes);
	struct pb_field f;
	double count = 0, sum = 0;
	int k;

	while ((k = pb_next(&m, &f, e)) == 1)
		if ((f.number == 1 && whole(&f, &count, e) == -1) ||
		    (f.number == 2 && number(&f, &sum, e) == -1) ||
		    (f.number == 4 && start_time(p, &f, e) == -1))
			return -1;
	if (k == -1 || counted(p, "_count", count, e) == -1 ||
	    counted(p, "_sum", sum, e) == -1)
		return -1;
	m = pb_of(bytes);
	while ((k = pb_next(&m, &f, e)) == 1)
		if (f.number == 3 && quantile(p, &f, e) == -1)
			return -1;
	return k;
}

static int
span(struct promproto *p, struct counts *c, const struct pb_field *from,
    struct error *e)
{
	struct pb m = pb_of(from->bytes);
	struct pb_field f;
	struct histogram_span s = { 0, 0 };
	int k = pb_want(from, PB_BYTES, e);

	while (k != -1 && (k = pb_next(&m, &f, e)) == 1) {
		if (f.number > 2)
			continue;
		k = pb_want(&f, PB_VARINT, e);
		if (f.number == 1)
			s.offset = (int32_t)pb_zigzag((uint32_t)f.v);
		else
			s.length = (uint32_t)f.v;
	}
	if (k == -1)
		return -1;
	if (c->nspans == MANY)
		return error_set(e, "protobuf: too many spans");
	c->spans = arena_grow(
	    &p->a, c->spans, &c->spans_cap, c->nspans + 1, sizeof(*c->spans));
	c->spans[c->nspans++] = s;
	return 0;
}

static int
add_count(struct promproto *p, struct counts *c, double v, struct error *e)
{
	if (c->n == MANY)
		return error_set(e, "protobuf: too many buckets");
	c->v = arena_grow(&p->a, c->v, &c->cap, c->n + 1, sizeof(*c->v));
	c->v[c->n++] = v;
	return 0;
}

static int
add_delta(struct promproto *p, struct counts *c, uint64_t v, struct error *e)
{
	if (__builtin_add_overflow(c->last, pb_zigzag(v), &c->last))
		return error_set(e, "protobuf: a bucket out of range");
	return add_count(p, c, (double)c->last, e);
}

/* One number, or many of them packed. */
static int
deltas(struct promproto *p, struct counts *c, const struct pb_field *f,
    struct error *e)
{
	struct pb m = pb_of(f->bytes);
	uint64_t v;

	if (f->type == PB_VARINT)
		return add_delta(p, c, f->v, e);
	if (pb_want(f, PB_BYTES, e) == -1)
		return -1;
	while (m.in.n > 0)
		if (pb_varint(&m, &v, e) == -1 || add_delta(p, c, v, e) == -1)
			return -1;
	return 0;
}

static int
floats(struct promproto *p, struct counts *c, const struct pb_field *f,
    struct error *e)
{
	struct pb m = pb_of(f->bytes);
	uint64_t v;

	if (f->type == PB_FIXED64)
		return add_count(p, c, pb_double(f->v), e);
	if (pb_want(f, PB_BYTES, e) == -1)
		return -1;
	while (m.in.n > 0)
		if (pb_fixed64(&m, &v, e) == -1 ||
		    add_count(p, c, pb_double(v), e) == -1)
			return -1;
	return 0;
}

/* All of a Histogram but its buckets and exemplars. */
static int
hist_field(struct promproto *p, struct hist *h, const struct pb_field *f,
    struct error *e)
{
	switch (f->number) {
	case 1:
		return whole(f, &h->count, e);
	case 2:
		return number(f, &h->sum, e);
	case 4:
		return number(f, &h->count_float, e);
	case 5:
		h->schema = (int32_t)pb_zigzag((uint32_t)f->v);
		return pb_want(f, PB_VARINT, e);
	case 6:
		return number(f, &h->zero_threshold, e);
	case 7:
		return whole(f, &h->zero_count, e);
	case 8:
		return number(f, &h->zero_float, e);
	case 9:
	case 12:
		return span(p, &h->deltas[f->number == 12], f, e);
	case 10:
	case 13:
		return deltas(p, &h->deltas[f->number == 13], f, e);
	case 11:
	case 14:
		return floats(p, &h->floats[f->number == 14], f, e);
	case 15:
		return start_time(p, f, e);
	case 16:
		h->has_exemplars = true;
		return 0;
	}
	return 0;
}

/*
 * A Bucket of the classic form.  *last: it was that of +Inf.  With native it is
 * looked at for its exemplar alone, which then must have a time.
 */
static int
bucket(struct promproto *p, const struct pb_field *from, bool native,
    bool *last, struct error *e)
{
	struct pb m = pb_of(from->bytes);
	struct pb_field f, ex = { .number = 0 };
	double count = 0, bound = 0, count_float = 0;
	int k = pb_want(from, PB_BYTES, e);

	while (k != -1 && (k = pb_next(&m, &f, e)) == 1) {
		if (f.number == 1)
			k = whole(&f, &count, e);
		else if (f.number == 2)
			k = number(&f, &bound, e);
		else if (f.number == 3)
			ex = f;
		else if (f.number == 4)
			k = number(&f, &count_float, e);
	}
	if (k == -1)
		return -1;
	*last = isinf(bound) && bound > 0;
	if (!native) {
		series(p, "_bucket", "le", bound);
		count = count_float != 0 ? count_float : count;
		if (sample(p, count, e) == -1 || start(p, e) == -1)
			return -1;
	}
	return ex.number == 0 ? 0 : exemplar(p, &ex, native, e);
}

static int
classic(struct promproto *p, const struct hist *h, str bytes, struct error *e)
{
	struct pb m = pb_of(bytes);
	struct pb_field f;
	double count = h->count_float != 0 ? h->count_float : h->count;
	bool last = false;
	int k = 0;

	if (counted(p, "_count", count, e) == -1 ||
	    counted(p, "_sum", h->sum, e) == -1)
		return -1;
	while (!last && (k = pb_next(&m, &f, e)) == 1)
		if (f.number == 3 && bucket(p, &f, false, &last, e) == -1)
			return -1;
	if (last || k == -1)
		return last ? 0 : -1;
	series(p, "_bucket", "le", (double)INFINITY);
	return sample(p, count, e) == -1 ? -1 : start(p, e);
}

/* Of a native histogram: its own exemplars, or those of its buckets. */
static int
exemplars(struct promproto *p, bool own, str bytes, struct error *e)
{
	struct pb m = pb_of(bytes);
	struct pb_field f;
	bool last;
	int k;

	while ((k = pb_next(&m, &f, e)) == 1)
		if ((own && f.number == 16 && exemplar(p, &f, true, e) == -1) ||
		    (!own && f.number == 3 &&
			bucket(p, &f, true, &last, e) == -1))
			return -1;
	return k;
}

static void
side(struct histogram_side *s, const struct counts *spans,
    const struct counts *counts)
{
	s->spans = spans->spans;
	s->nspans = spans->nspans;
	s->v = counts->v;
	s->n = counts->n;
}

static int
native(struct promproto *p, const struct hist *from, str bytes, struct error *e)
{
	struct histogram h = { .schema = from->schema,
		.sum = isnan(from->sum) ? num_nan() : from->sum,
		.zero_threshold = from->zero_threshold };
	const struct counts *v;

	h.whole = !(from->count_float > 0 || from->zero_float > 0);
	h.count = h.whole ? from->count : from->count_float;
	h.zero_count = h.whole ? from->zero_count : from->zero_float;
	v = h.whole ? from->deltas : from->floats;
	side(&h.negative, &from->deltas[0], &v[0]);
	side(&h.positive, &from->deltas[1], &v[1]);
	if (p->type == GAUGE_HISTOGRAM)
		h.hint = HISTOGRAM_GAUGE;
	if (histogram_check(&h, e) == -1)
		return error_add(e, "native histogram");
	histogram_compact(&h, &p->a);
	if (h.schema > HISTOGRAM_MAX)
		(void)histogram_reduce(&h, HISTOGRAM_MAX, &p->a);
	series(p, "", NULL, 0);
	buf_z(p->out, "# HIST ");
	buf_add(p->out, buf_str(&p->series));
	buf_byte(p->out, ' ');
	histogram_print(p->out, &h);
	if (end(p, p->t != 0, p->t, e) == -1 || start(p, e) == -1)
		return -1;
	return exemplars(p, from->has_exemplars, bytes, e);
}

static int
histogram(struct promproto *p, str bytes, struct error *e)
{
	struct pb m = pb_of(bytes);
	struct pb_field f;
	struct hist h = { 0 };
	bool buckets = false, sparse;
	int k;

	while ((k = pb_next(&m, &f, e)) == 1) {
		if (hist_field(p, &h, &f, e) == -1)
			return -1;
		buckets |= f.number == 3;
	}
	if (k == -1)
		return -1;
	sparse = p->how & PROMPROTO_NATIVE &&
	    (h.deltas[0].nspans > 0 || h.deltas[1].nspans > 0 ||
		h.zero_threshold > 0 || h.zero_count > 0);
	if (sparse && native(p, &h, bytes, e) == -1)
		return -1;
	if (sparse && !(buckets && p->how & PROMPROTO_CLASSIC))
		return 0;
	return classic(p, &h, bytes, e);
}

/* The labels and the time of a Metric, and its part that the type means. */
static int
metric(struct promproto *p, str bytes, struct error *e)
{
	static const uint32_t part[] = { [COUNTER] = 3,
		[GAUGE] = 2,
		[SUMMARY] = 4,
		[UNTYPED] = 5,
		[HISTOGRAM] = 7,
		[GAUGE_HISTOGRAM] = 7 };
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
	if (p->type == SUMMARY)
		return summary(p, of, e);
	if (p->type == HISTOGRAM || p->type == GAUGE_HISTOGRAM)
		return histogram(p, of, e);
	return simple(p, of, e);
}

/* The unit must be the end of the name, in a counter that before _total. */
static int
check_unit(const struct promproto *p, struct error *e)
{
	str name = p->name, unit = p->unit, total = STR("_total");

	if (unit.n == 0)
		return 0;
	if (p->type == COUNTER && str_ends(name, total))
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
	str name = arena_printf(&p->a, "%.*s%s", STR_ARG(p->name), suffix);
	bool word = p->unit.n > 0;

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
	static const char *const types[] = { [COUNTER] = "counter",
		[GAUGE] = "gauge",
		[SUMMARY] = "summary",
		[UNTYPED] = "untyped",
		[HISTOGRAM] = "histogram" };
	static const char *const parts[] = { "", "_bucket", "_count", "_sum" };

	if (p->type != GAUGE_HISTOGRAM) {
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
	p->type = COUNTER;
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
	if (p->name.n == 0 || !str_utf8(p->name))
		return error_set(e, "invalid metric name '%.*s'",
		    STR_ARG(str_take(p->name, 100)));
	if (!str_utf8(p->help))
		return error_set(e, "invalid UTF-8 in a help text");
	if (p->type > GAUGE_HISTOGRAM)
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
		metadata(p, p->out);
		p->described = true;
	}
	return metric(p, f.bytes, e) == -1 ? -1 : 1;
}

int
promproto_next(struct promproto *p, struct buf *text, struct error *e)
{
	size_t from = text->n;
	str bytes;
	int k;

	p->out = text;
	p->max = from + (PROMPROTO_MAX - p->made);
	for (;;) {
		k = next_metric(p, e);
		if (k == 1)
			break;
		if (k == -1)
			return p->name.n == 0
			    ? -1
			    : error_add(e, "metric family %.*s",
				  STR_ARG(str_take(p->name, 100)));
		if (p->page.n == 0)
			return 0;
		p->metrics = pb_of(p->page);
		if (pb_bytes(&p->metrics, &bytes, e) == -1)
			return -1;
		p->page = p->metrics.in;
		if (family(p, bytes, e) == -1)
			return -1;
	}
	p->made += text->n - from;
	return 1;
}
