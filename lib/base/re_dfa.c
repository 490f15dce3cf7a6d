/*
 * A deterministic machine for anchored patterns that are small: one table
 * look-up a character instead of threads.  It is made whole when the pattern
 * is compiled and never changes, so that threads can share it; a pattern that
 * would need more than the limits below has none and runs as it is.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/re_impl.h"

#define MAX_INSTS 256
#define MAX_STATES 128
#define MAX_CLASSES 64
#define MAX_CUTS 2048
#define MAX_WORK 100000 /* instructions followed while it is made */

/* Places of the program as bits. */
struct places {
	uint64_t bits[MAX_INSTS / 64];
};

/* A character above ASCII is of the class of the first run that ends at it. */
struct run {
	uint32_t hi;
	uint8_t class;
};

struct re_dfa {
	uint8_t next[MAX_STATES][MAX_CLASSES]; /* 0: no way on */
	bool accept[MAX_STATES];
	bool rest[MAX_STATES]; /* accepts, whatever comes */
	bool empty;            /* matches the empty subject */
	uint8_t ascii[128];
	struct run *runs;
	size_t nruns;
};

struct maker {
	const struct re *re;
	struct re_dfa *d;
	struct places states[MAX_STATES];
	size_t nstates, nclasses, work;
	struct places takers[MAX_CLASSES]; /* what takes a class */
	bool full;
};

static bool
has(const struct places *p, size_t pc)
{
	return (p->bits[pc / 64] >> (pc % 64) & 1) != 0;
}

static void
set(struct places *p, size_t pc)
{
	p->bits[pc / 64] |= UINT64_C(1) << (pc % 64);
}

/*
 * Add what is reached from pc without reading on.  An end of text stays a
 * place unless the subject ends here.  True if that is a match.
 */
static bool
follow(struct maker *m, struct places *out, size_t pc, bool start, bool end)
{
	uint32_t stack[MAX_INSTS + 1];
	size_t depth = 0;
	bool match = false;

	stack[depth++] = (uint32_t)pc;
	while (depth > 0) {
		const struct re_inst *in;
		uint32_t at = stack[--depth];

		if (has(out, at))
			continue;
		set(out, at);
		m->work++;
		in = &m->re->prog[at];
		switch (in->op) {
		case RE_OP_JUMP:
			stack[depth++] = in->x;
			break;
		case RE_OP_SPLIT:
			/* a place that is there already may wait twice */
			if (depth + 2 > MAX_INSTS)
				m->full = true;
			else {
				stack[depth++] = in->y;
				stack[depth++] = in->x;
			}
			break;
		case RE_OP_SAVE:
			stack[depth++] = at + 1;
			break;
		case RE_OP_ASSERT:
			if (in->x == RE_TEXT_START ? start : end)
				stack[depth++] = at + 1;
			break;
		case RE_OP_MATCH:
			match = true;
			break;
		case RE_OP_CHAR:
		case RE_OP_SET:
		case RE_OP_ANY:
		case RE_OP_ANY_NL:
			break;
		}
	}
	return match;
}

/* Only what reads on, or waits for the end, tells one state from another. */
static struct places
reduced(const struct maker *m, const struct places *p)
{
	struct places out = { { 0 } };

	for (size_t pc = 0; pc < m->re->n; pc++) {
		enum re_op op = m->re->prog[pc].op;

		if (has(p, pc) &&
		    (re_consumes(op) ||
			(op == RE_OP_ASSERT &&
			    m->re->prog[pc].x == RE_TEXT_END)))
			set(&out, pc);
	}
	return out;
}

/* The number of a state, made if it is new; 0 is the one without places. */
static uint8_t
state_of(struct maker *m, const struct places *all)
{
	struct places p = reduced(m, all), end = { { 0 } };
	size_t s = 0;

	while (s < m->nstates && memcmp(&m->states[s], &p, sizeof(p)) != 0)
		s++;
	if (s < m->nstates)
		return (uint8_t)s;
	if (s == MAX_STATES) {
		m->full = true;
		return 0;
	}
	m->states[m->nstates++] = p;
	for (size_t pc = 0; pc < m->re->n; pc++)
		if (has(&p, pc) && m->re->prog[pc].op == RE_OP_ASSERT &&
		    follow(m, &end, pc, false, true))
			m->d->accept[s] = true;
	return (uint8_t)s;
}

static int
by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * Where the answer of an instruction may change from one character to the
 * next: the begins of ranges, and what is behind their ends, in order.
 */
static size_t
cuts(const struct re *re, uint32_t *v)
{
	size_t n = 0, k = 0;

	v[n++] = 0;
	v[n++] = 128;
	for (size_t pc = 0; pc < re->n; pc++) {
		const struct re_inst *in = &re->prog[pc];
		struct re_range one = { in->x, in->x };
		const struct re_range *r = &one;
		size_t len = 1;

		if (in->op == RE_OP_ANY)
			one = (struct re_range){ '\n', '\n' };
		else if (in->op == RE_OP_SET) {
			r = re->tree.sets[in->x].v;
			len = re->tree.sets[in->x].n;
		} else if (in->op != RE_OP_CHAR)
			continue;
		if (n + 2 * len > MAX_CUTS)
			return 0;
		for (size_t i = 0; i < len; i++) {
			v[n++] = r[i].lo;
			v[n++] = r[i].hi + 1;
		}
	}
	qsort(v, n, sizeof(*v), by_number);
	for (size_t i = 0; i < n; i++)
		if (v[i] <= RE_MAX_RUNE && (k == 0 || v[i] != v[k - 1]))
			v[k++] = v[i];
	return k;
}

/* Which instructions take a character. */
static struct places
takers(const struct re *re, uint32_t r)
{
	struct places p = { { 0 } };

	for (size_t pc = 0; pc < re->n; pc++)
		if (re_takes(re, &re->prog[pc], r))
			set(&p, pc);
	return p;
}

/* Characters that the same instructions take are one class. */
static bool
make_classes(struct maker *m)
{
	uint32_t v[MAX_CUTS];
	size_t n = cuts(m->re, v);

	if (n == 0)
		return false;
	m->d->runs = mem_zero(n, sizeof(*m->d->runs));
	for (size_t i = 0; i < n; i++) {
		uint32_t hi = i + 1 < n ? v[i + 1] - 1 : RE_MAX_RUNE;
		struct places p = takers(m->re, v[i]);
		size_t c = 0;

		m->work += m->re->n / 4;
		while (c < m->nclasses &&
		    memcmp(&m->takers[c], &p, sizeof(p)) != 0)
			c++;
		if (c == MAX_CLASSES || m->work > MAX_WORK)
			return false;
		if (c == m->nclasses)
			m->takers[m->nclasses++] = p;
		if (v[i] >= 128)
			m->d->runs[m->d->nruns++] =
			    (struct run){ hi, (uint8_t)c };
		for (uint32_t r = v[i]; r <= hi && r < 128; r++)
			m->d->ascii[r] = (uint8_t)c;
	}
	return true;
}

/* Where the places that take a character of class c lead. */
static struct places
advance(struct maker *m, const struct places *from, size_t c)
{
	struct places to = { { 0 } };

	for (size_t w = 0; w < MAX_INSTS / 64; w++) {
		uint64_t bits = from->bits[w] & m->takers[c].bits[w];

		for (; bits != 0; bits &= bits - 1)
			(void)follow(m, &to,
			    w * 64 + (size_t)__builtin_ctzll(bits) + 1, false,
			    false);
	}
	return to;
}

static bool
make_states(struct maker *m)
{
	struct places none = { { 0 } }, first = { { 0 } }, all = { { 0 } };

	(void)state_of(m, &none);
	(void)follow(m, &first, 0, true, false);
	m->d->empty = follow(m, &all, 0, true, true);
	if (state_of(m, &first) == 0)
		return false; /* matches the empty subject at most */
	for (size_t s = 1; s < m->nstates; s++) {
		bool same = m->d->accept[s];

		for (size_t c = 0; c < m->nclasses; c++) {
			struct places p = advance(m, &m->states[s], c);

			m->d->next[s][c] = state_of(m, &p);
			same = same && m->d->next[s][c] == s;
			if (m->full || m->work > MAX_WORK)
				return false;
		}
		m->d->rest[s] = same;
	}
	return true;
}

void
re_dfa_make(struct re *re)
{
	struct maker *m;

	if (re->n > MAX_INSTS)
		return;
	for (size_t pc = 0; pc < re->n; pc++)
		if (re->prog[pc].op == RE_OP_ASSERT &&
		    re->prog[pc].x != RE_TEXT_START &&
		    re->prog[pc].x != RE_TEXT_END)
			return;
	m = mem_zero(1, sizeof(*m));
	m->re = re;
	m->d = mem_zero(1, sizeof(*m->d));
	if (make_classes(m) && make_states(m))
		re->dfa = m->d;
	else
		re_dfa_free(m->d);
	free(m);
}

void
re_dfa_free(struct re_dfa *d)
{
	if (d == NULL)
		return;
	free(d->runs);
	free(d);
}

static uint8_t
class_of(const struct re_dfa *d, uint32_t r)
{
	size_t lo = 0, hi = d->nruns - 1;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (d->runs[mid].hi < r)
			lo = mid + 1;
		else
			hi = mid;
	}
	return d->runs[lo].class;
}

bool
re_dfa_match(const struct re_dfa *d, str s)
{
	uint8_t state = 1;
	size_t i = 0, len;

	if (s.n == 0)
		return d->empty;
	while (i < s.n && !d->rest[state]) {
		unsigned char c = (unsigned char)s.p[i];
		uint8_t class;

		if (c < 128) {
			class = d->ascii[c];
			i++;
		} else {
			class = class_of(d, str_rune(str_skip(s, i), &len));
			i += len;
		}
		state = d->next[state][class];
		if (state == 0)
			return false;
	}
	return d->accept[state];
}
