/*
 * The writer: one line a call, in the one form DESIGN 2 gives each kind.
 */
#include "metric/expo.h"

#include "base/num.h"

str
expo_word(enum expo_kind kind)
{
	static const str words[] = {
		[EXPO_SAMPLE] = STR_INIT(""),
		[EXPO_STALE] = STR_INIT("# STALE "),
		[EXPO_HIST] = STR_INIT("# HIST "),
		[EXPO_EXEMPLAR] = STR_INIT("# EXEMPLAR "),
		[EXPO_START] = STR_INIT("# START "),
		[EXPO_ALERT] = STR_INIT("# ALERT "),
		[EXPO_STRING] = STR_INIT("# STRING "),
		[EXPO_HELP] = STR_INIT("# HELP "),
		[EXPO_TYPE] = STR_INIT("# TYPE "),
		[EXPO_UNIT] = STR_INIT("# UNIT "),
		[EXPO_KIND] = STR_INIT("# KIND "),
		[EXPO_BATCH] = STR_INIT("# BATCH "),
		[EXPO_EOF] = STR_INIT("# EOF"),
	};

	return words[kind];
}

static void
open(struct buf *b, enum expo_kind kind)
{
	buf_add(b, expo_word(kind));
}

/* " t" and the line's end. */
static void
close(struct buf *b, int64_t t)
{
	buf_byte(b, ' ');
	num_print_int(b, t);
	buf_byte(b, '\n');
}

static bool
needs_quotes(str s)
{
	if (s.n == 0)
		return true;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '"' ||
		    s.p[i] == '\\' || s.p[i] == '\177')
			return true;
	return false;
}

static void
put_keys(struct buf *b, const struct expo_key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_byte(b, ' ');
		buf_add(b, keys[i].name);
		buf_byte(b, '=');
		if (keys[i].quoted || needs_quotes(keys[i].value))
			label_print_value(b, keys[i].value);
		else
			buf_add(b, keys[i].value);
	}
}

static void
put_name(struct buf *b, str name)
{
	if (label_metric_valid(name))
		buf_add(b, name);
	else
		label_print_value(b, name);
}

void
expo_put_batch(struct buf *b, struct labels ls, int64_t t,
    const struct expo_key *keys, size_t n)
{
	open(b, EXPO_BATCH);
	label_print_set(b, ls);
	buf_byte(b, ' ');
	num_print_int(b, t);
	put_keys(b, keys, n);
	buf_byte(b, '\n');
}

void
expo_put_eof(struct buf *b)
{
	open(b, EXPO_EOF);
	buf_byte(b, '\n');
}

void
expo_put_sample(struct buf *b, struct labels ls, double v, int64_t t)
{
	if (num_is_stale(v)) {
		expo_put_stale(b, ls, t);
		return;
	}
	label_print(b, ls);
	buf_byte(b, ' ');
	num_print(b, v);
	close(b, t);
}

void
expo_put_sample_now(struct buf *b, struct labels ls, double v)
{
	if (num_is_stale(v)) {
		open(b, EXPO_STALE);
		label_print(b, ls);
		buf_byte(b, '\n');
		return;
	}
	label_print(b, ls);
	buf_byte(b, ' ');
	num_print(b, v);
	buf_byte(b, '\n');
}

void
expo_put_stale(struct buf *b, struct labels ls, int64_t t)
{
	open(b, EXPO_STALE);
	label_print(b, ls);
	close(b, t);
}

void
expo_put_stale_all(struct buf *b, int64_t t)
{
	open(b, EXPO_STALE);
	buf_byte(b, '*');
	close(b, t);
}

void
expo_put_start(struct buf *b, struct labels ls, int64_t t0, int64_t t)
{
	open(b, EXPO_START);
	label_print(b, ls);
	buf_byte(b, ' ');
	num_print_int(b, t0);
	close(b, t);
}

void
expo_put_string(struct buf *b, str text, int64_t t)
{
	open(b, EXPO_STRING);
	label_print_value(b, text);
	close(b, t);
}

void
expo_put_hist(struct buf *b, struct labels ls, str text, int64_t t)
{
	open(b, EXPO_HIST);
	label_print(b, ls);
	buf_byte(b, ' ');
	buf_add(b, text);
	close(b, t);
}

void
expo_put_exemplar(struct buf *b, struct labels ls, struct labels extra,
    double v, bool has_t, int64_t t)
{
	open(b, EXPO_EXEMPLAR);
	label_print(b, ls);
	buf_byte(b, ' ');
	label_print_set(b, extra);
	buf_byte(b, ' ');
	num_print(b, v);
	if (has_t)
		close(b, t);
	else
		buf_byte(b, '\n');
}

void
expo_put_help(struct buf *b, str name, str text)
{
	open(b, EXPO_HELP);
	put_name(b, name);
	if (text.n > 0)
		buf_byte(b, ' ');
	while (text.n > 0) {
		size_t n = 0;

		while (n < text.n && text.p[n] != '\\' && text.p[n] != '\n')
			n++;
		buf_add(b, str_take(text, n));
		if (n < text.n)
			buf_z(b, text.p[n] == '\n' ? "\\n" : "\\\\");
		text = str_skip(text, n + 1);
	}
	buf_byte(b, '\n');
}

static void
put_word(struct buf *b, enum expo_kind kind, str name, str text)
{
	open(b, kind);
	put_name(b, name);
	buf_byte(b, ' ');
	buf_add(b, text);
	buf_byte(b, '\n');
}

void
expo_put_type(struct buf *b, str name, str type)
{
	put_word(b, EXPO_TYPE, name, type);
}

void
expo_put_unit(struct buf *b, str name, str unit)
{
	put_word(b, EXPO_UNIT, name, unit);
}

void
expo_put_kind(struct buf *b, str name, str kind)
{
	put_word(b, EXPO_KIND, name, kind);
}

void
expo_put_alert(struct buf *b, struct labels ls, struct labels annotations,
    int64_t t, const struct expo_key *keys, size_t n)
{
	open(b, EXPO_ALERT);
	label_print_set(b, ls);
	buf_byte(b, ' ');
	label_print_set(b, annotations);
	buf_byte(b, ' ');
	num_print_int(b, t);
	put_keys(b, keys, n);
	buf_byte(b, '\n');
}

void
expo_put_item(struct buf *b, const struct expo_item *i)
{
	switch (i->kind) {
	case EXPO_SAMPLE:
		expo_put_sample(b, i->labels, i->v, i->t);
		break;
	case EXPO_STALE:
		if (i->all)
			expo_put_stale_all(b, i->t);
		else
			expo_put_stale(b, i->labels, i->t);
		break;
	case EXPO_HIST:
		expo_put_hist(b, i->labels, i->text, i->t);
		break;
	case EXPO_EXEMPLAR:
		expo_put_exemplar(b, i->labels, i->extra, i->v, i->has_t, i->t);
		break;
	case EXPO_START:
		expo_put_start(b, i->labels, i->start, i->t);
		break;
	case EXPO_ALERT:
		expo_put_alert(b, i->labels, i->extra, i->t, i->keys, i->nkeys);
		break;
	case EXPO_STRING:
		expo_put_string(b, i->text, i->t);
		break;
	case EXPO_HELP:
		expo_put_help(b, i->name, i->text);
		break;
	case EXPO_TYPE:
		expo_put_type(b, i->name, i->text);
		break;
	case EXPO_UNIT:
		expo_put_unit(b, i->name, i->text);
		break;
	case EXPO_KIND:
		expo_put_kind(b, i->name, i->text);
		break;
	case EXPO_BATCH:
		expo_put_batch(b, i->labels, i->t, i->keys, i->nkeys);
		break;
	case EXPO_EOF:
		expo_put_eof(b);
		break;
	}
}
