/*
 * Matchers.  A regex that stands for one literal is compared as bytes.
 */
#include "metric/match.h"

#include "base/quote.h"

int
match_init(
    struct match *m, enum match_op op, str name, str value, struct error *e)
{
	*m = (struct match){ .op = op, .name = name, .value = value };
	if (op == MATCH_EQ || op == MATCH_NE)
		return 0;
	m->re = re_new(value, RE_ANCHORED, e);
	return m->re == NULL ? -1 : 0;
}

void
match_fini(struct match *m)
{
	re_free(m->re);
	m->re = NULL;
}

bool
match_value(const struct match *m, str value)
{
	switch (m->op) {
	case MATCH_EQ:
		return str_eq(m->value, value);
	case MATCH_NE:
		return !str_eq(m->value, value);
	case MATCH_RE:
		return re_match(m->re, value);
	case MATCH_NRE:
		return !re_match(m->re, value);
	}
	return false;
}

bool
match_labels(const struct match *m, struct labels ls)
{
	return match_value(m, label_find(ls, m->name));
}

bool
match_all(const struct match *m, size_t n, struct labels ls)
{
	for (size_t i = 0; i < n; i++)
		if (!match_labels(&m[i], ls))
			return false;
	return true;
}

void
match_print(struct buf *b, const struct match *m)
{
	if (label_name_valid(m->name))
		buf_add(b, m->name);
	else
		quote_add(b, m->name);
	buf_z(b, match_op_text(m->op));
	quote_add(b, m->value);
}

const char *
match_op_text(enum match_op op)
{
	static const char *const text[] = {
		[MATCH_EQ] = "=",
		[MATCH_NE] = "!=",
		[MATCH_RE] = "=~",
		[MATCH_NRE] = "!~",
	};

	return text[op];
}
