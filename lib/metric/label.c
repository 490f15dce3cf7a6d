/*
 * Label sets: order, identity, making, and their text.
 */
#include "metric/label.h"

#include <stdlib.h>

#include "base/mem.h"
#include "metric/scan.h"

str
label_find(struct labels ls, str name)
{
	for (size_t i = 0; i < ls.n; i++)
		if (str_eq(ls.v[i].name, name))
			return ls.v[i].value;
	return STR_NONE;
}

int
label_cmp(struct labels a, struct labels b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c;

	for (size_t i = 0; i < n; i++) {
		if ((c = str_cmp(a.v[i].name, b.v[i].name)) != 0)
			return c;
		if ((c = str_cmp(a.v[i].value, b.v[i].value)) != 0)
			return c;
	}
	return (a.n > b.n) - (a.n < b.n);
}

bool
label_eq(struct labels a, struct labels b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (!str_eq(a.v[i].name, b.v[i].name) ||
		    !str_eq(a.v[i].value, b.v[i].value))
			return false;
	return true;
}

/*
 * A NUL is legal in a value: 0xff, which UTF-8 never has, stands for it.  Most
 * parts are too short to be worth a call of the C library.
 */
static char *
key_part(char *p, str s)
{
	char *q = p;
	size_t i = 0;

	for (; i < s.n && i < 24; i++)
		p[i] = s.p[i] != '\0' ? s.p[i] : '\377';
	if (i < s.n) {
		memcpy(p + i, s.p + i, s.n - i);
		while ((q = memchr(q, '\0', s.n - (size_t)(q - p))) != NULL)
			*q++ = '\377';
	}
	p[s.n] = '\0';
	return p + s.n + 1;
}

static size_t
key_size(struct labels ls)
{
	size_t n = 0;

	for (size_t i = 0; i < ls.n; i++)
		n += ls.v[i].name.n + ls.v[i].value.n + 2;
	return n;
}

static void
key_make(char *p, struct labels ls)
{
	for (size_t i = 0; i < ls.n; i++) {
		p = key_part(p, ls.v[i].name);
		p = key_part(p, ls.v[i].value);
	}
}

void
label_key(struct buf *b, struct labels ls)
{
	size_t n = key_size(ls);

	key_make(buf_reserve(b, n), ls);
	b->n += n;
}

uint64_t
label_hash(struct labels ls)
{
	char small[512], *p = small;
	size_t n = key_size(ls);
	uint64_t h;

	if (n > sizeof(small))
		p = mem_alloc(n);
	key_make(p, ls);
	h = str_hash((str){ p, n });
	if (p != small)
		free(p);
	return h;
}

static uint64_t
fnv(uint64_t h, str s)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return (h ^ 0xff) * UINT64_C(0x100000001b3);
}

uint64_t
label_fingerprint(struct labels ls)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < ls.n; i++)
		h = fnv(fnv(h, ls.v[i].name), ls.v[i].value);
	return h;
}

struct labels
label_dup(struct arena *a, struct labels ls)
{
	struct label *v;

	if (ls.n == 0)
		return (struct labels){ NULL, 0 };
	v = arena_alloc(a, ls.n * sizeof(*v));
	for (size_t i = 0; i < ls.n; i++) {
		v[i].name = arena_dup(a, ls.v[i].name);
		v[i].value = arena_dup(a, ls.v[i].value);
	}
	return (struct labels){ v, ls.n };
}

void
label_init(struct label_set *s, struct labels from)
{
	*s = (struct label_set){ 0 };
	if (from.n == 0)
		return;
	s->v = mem_grow(NULL, &s->cap, from.n, sizeof(*s->v));
	memcpy(s->v, from.v, from.n * sizeof(*s->v));
	s->n = from.n;
}

void
label_fini(struct label_set *s)
{
	free(s->v);
	*s = (struct label_set){ 0 };
}

/* Where name is, or belongs. */
static size_t
place(const struct label_set *s, str name, bool *there)
{
	size_t lo = 0, hi = s->n, mid;
	int c;

	*there = false;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		c = str_cmp(s->v[mid].name, name);
		if (c == 0) {
			*there = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void
label_set(struct label_set *s, str name, str value)
{
	bool there;
	size_t i;

	if (value.n == 0) {
		label_unset(s, name);
		return;
	}
	i = place(s, name, &there);
	if (!there) {
		s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof(*s->v));
		memmove(s->v + i + 1, s->v + i, (s->n - i) * sizeof(*s->v));
		s->n++;
	}
	s->v[i] = (struct label){ name, value };
}

void
label_unset(struct label_set *s, str name)
{
	bool there;
	size_t i = place(s, name, &there);

	if (!there)
		return;
	s->n--;
	memmove(s->v + i, s->v + i + 1, (s->n - i) * sizeof(*s->v));
}

str
label_get(const struct label_set *s, str name)
{
	bool there;
	size_t i = place(s, name, &there);

	return there ? s->v[i].value : STR_NONE;
}

struct labels
label_done(const struct label_set *s, struct arena *a)
{
	return label_dup(a, label_view(s));
}

struct labels
label_view(const struct label_set *s)
{
	return (struct labels){ s->v, s->n };
}

static bool
valid(str name, unsigned first, unsigned rest)
{
	if (name.n == 0 || !(scan_class[(unsigned char)name.p[0]] & first))
		return false;
	for (size_t i = 1; i < name.n; i++)
		if (!(scan_class[(unsigned char)name.p[i]] & rest))
			return false;
	return true;
}

bool
label_name_valid(str name)
{
	return valid(name, SCAN_START, SCAN_CONT);
}

bool
label_metric_valid(str name)
{
	return valid(name, SCAN_START | SCAN_COLON, SCAN_CONT | SCAN_COLON);
}

int
label_parse(str s, struct arena *a, struct labels *out, struct error *e)
{
	struct scan c;
	int rc;

	scan_init(&c, a, false);
	scan_line(&c, s);
	(void)scan_blanks(&c);
	rc = scan_series(&c, e);
	if (rc == 0) {
		(void)scan_blanks(&c);
		if (c.p < c.end)
			rc = scan_fail(&c, NULL, e, "text after the series");
	}
	if (rc == 0)
		*out = label_dup(a, (struct labels){ c.v, c.n });
	else
		(void)error_add(e, "col %zu", (size_t)(c.bad - s.p) + 1);
	scan_fini(&c);
	return rc;
}
