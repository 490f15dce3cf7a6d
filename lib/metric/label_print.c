/*
 * Label sets as text: as the stream writes them, and as PromQL and the API do.
 */
#include "metric/label.h"

#include "base/quote.h"
#include "metric/scan.h"

/*
 * The stream's form is what every sample is written with: it goes into bytes
 * reserved once for a whole set, by a pointer.
 */
static char *
put(char *p, str s)
{
	memcpy(p, s.n ? s.p : "", s.n);
	return p + s.n;
}

static char *
put_quoted(char *p, str s)
{
	char c;

	*p++ = '"';
	for (size_t i = 0; i < s.n; i++) {
		c = s.p[i];
		if (scan_class[(unsigned char)c] & SCAN_STOP) {
			*p++ = '\\';
			c = c == '\n' ? 'n' : c;
		}
		*p++ = c;
	}
	*p++ = '"';
	return p;
}

/* name="value" */
static char *
put_pair(char *p, const struct label *l)
{
	if (label_name_valid(l->name))
		p = put(p, l->name);
	else
		p = put_quoted(p, l->name);
	*p++ = '=';
	return put_quoted(p, l->value);
}

/* Bytes that any form of the set fits in. */
static size_t
room(struct labels ls)
{
	size_t n = 3;

	for (size_t i = 0; i < ls.n; i++)
		n += 2 * (ls.v[i].name.n + ls.v[i].value.n) + 6;
	return n;
}

void
label_print_value(struct buf *b, str value)
{
	char *p = buf_reserve(b, 2 * value.n + 2);

	b->n += (size_t)(put_quoted(p, value) - p);
}

void
label_print(struct buf *b, struct labels ls)
{
	char *from = buf_reserve(b, room(ls)), *p = from;
	str name = label_find(ls, LABEL_NAME);
	bool bare = name.n == 0 || label_metric_valid(name);
	bool open = !bare;

	if (name.n == 0)
		*p++ = '_';
	else if (bare)
		p = put(p, name);
	else {
		*p++ = '{';
		p = put_quoted(p, name);
	}
	for (size_t i = 0; i < ls.n; i++) {
		if (str_eq(ls.v[i].name, LABEL_NAME))
			continue;
		*p++ = open ? ',' : '{';
		open = true;
		p = put_pair(p, &ls.v[i]);
	}
	if (open)
		*p++ = '}';
	b->n += (size_t)(p - from);
}

void
label_print_set(struct buf *b, struct labels ls)
{
	char *from = buf_reserve(b, room(ls)), *p = from;

	*p++ = '{';
	for (size_t i = 0; i < ls.n; i++) {
		if (i > 0)
			*p++ = ',';
		p = put_pair(p, &ls.v[i]);
	}
	*p++ = '}';
	b->n += (size_t)(p - from);
}

void
label_print_metric(struct buf *b, struct labels ls)
{
	str name = label_find(ls, LABEL_NAME);
	bool bare = label_metric_valid(name), any = false;

	if (bare)
		buf_add(b, name);
	if (bare && ls.n == 1)
		return;
	buf_byte(b, '{');
	if (!bare && name.n > 0) {
		quote_add(b, name);
		any = true;
	}
	for (size_t i = 0; i < ls.n; i++) {
		if (str_eq(ls.v[i].name, LABEL_NAME))
			continue;
		if (any)
			buf_add(b, STR(", "));
		any = true;
		if (label_name_valid(ls.v[i].name))
			buf_add(b, ls.v[i].name);
		else
			quote_add(b, ls.v[i].name);
		buf_byte(b, '=');
		quote_add(b, ls.v[i].value);
	}
	buf_byte(b, '}');
}

void
label_json(struct json_writer *w, struct labels ls)
{
	json_open(w, '{');
	for (size_t i = 0; i < ls.n; i++) {
		json_key(w, ls.v[i].name);
		json_str(w, ls.v[i].value);
	}
	json_close(w, '}');
}
