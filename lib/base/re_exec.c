/*
 * The machine: threads of the program advance together over the subject, one
 * code point at a time, each place at most once, in order of preference
 * (Pike).  So the time is linear in the subject whatever the pattern.  A byte
 * that is not UTF-8 counts as U+FFFD, as in Go.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/re_impl.h"

/* Places with a thread, in order; sparse says where a place is in dense. */
struct threads {
	uint32_t *dense;
	uint32_t n;
	size_t *caps; /* ncap for each in dense */
};

/* Pending work of follow(): a place to go to, or a capture to put back. */
struct pending {
	uint32_t pc;
	size_t slot, old; /* slot RE_NOWHERE: go to pc */
};

struct machine {
	const struct re *re;
	str s;
	size_t ncap;
	uint32_t *sparse;
	struct threads now, next;
	struct pending *stack;
	size_t *cap; /* of the thread being followed */
	void *memory;
};

static bool
in_set(const struct re_set *set, uint32_t r)
{
	size_t lo = 0, hi = set->n;

	if (r < 128)
		return (set->ascii[r / 64] >> (r % 64) & 1) != 0;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r > set->v[mid].hi)
			lo = mid + 1;
		else if (r < set->v[mid].lo)
			hi = mid;
		else
			return true;
	}
	return false;
}

static bool
word_at(str s, size_t i)
{
	char c;

	if (i >= s.n)
		return false;
	c = s.p[i];
	return (c >= '0' && c <= '9') || c == '_' ||
	    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

bool
re_holds(str s, size_t at, uint32_t kind)
{
	bool word = word_at(s, at) != (at > 0 && word_at(s, at - 1));

	switch (kind) {
	case RE_LINE_START:
		return at == 0 || s.p[at - 1] == '\n';
	case RE_LINE_END:
		return at == s.n || s.p[at] == '\n';
	case RE_TEXT_START:
		return at == 0;
	case RE_TEXT_END:
		return at == s.n;
	case RE_WORD:
		return word;
	}
	return !word;
}

/* One block for everything: small programs take it from the stack. */
static void
machine_init(struct machine *m, const struct re *re, str s, size_t ncap,
    void *small, size_t small_size)
{
	size_t n = re->n, caps = n * ncap;
	size_t need = (2 * caps + ncap) * sizeof(size_t) +
	    (2 * n + 2) * sizeof(struct pending) + 3 * n * sizeof(uint32_t);
	char *p;

	*m = (struct machine){ .re = re, .s = s, .ncap = ncap };
	if (need > small_size)
		m->memory = mem_alloc(need);
	p = m->memory != NULL ? m->memory : small;
	m->stack = (struct pending *)(void *)p;
	p += (2 * n + 2) * sizeof(struct pending);
	m->now.caps = (size_t *)(void *)p;
	m->next.caps = m->now.caps + caps;
	m->cap = m->next.caps + caps;
	p += (2 * caps + ncap) * sizeof(size_t);
	m->now.dense = (uint32_t *)(void *)p;
	m->next.dense = m->now.dense + n;
	m->sparse = m->next.dense + n;
	memset(m->sparse, 0, n * sizeof(uint32_t));
}

static bool
has(const struct machine *m, const struct threads *t, uint32_t pc)
{
	uint32_t i = m->sparse[pc];

	return i < t->n && t->dense[i] == pc;
}

static void
put(struct machine *m, struct threads *t, uint32_t pc)
{
	m->sparse[pc] = t->n;
	t->dense[t->n++] = pc;
}

/*
 * Add a thread at pc, and all that are reached without reading on, to t: in
 * order of preference, each place once.
 */
static void
follow(struct machine *m, struct threads *t, uint32_t pc, size_t at)
{
	size_t depth = 0;

	m->stack[depth++] = (struct pending){ pc, RE_NOWHERE, 0 };
	while (depth > 0) {
		struct pending top = m->stack[--depth];
		const struct re_inst *in;

		if (top.slot != RE_NOWHERE) {
			m->cap[top.slot] = top.old;
			continue;
		}
		pc = top.pc;
	again:
		if (has(m, t, pc))
			continue;
		put(m, t, pc);
		in = &m->re->prog[pc];
		switch (in->op) {
		case RE_OP_JUMP:
			pc = in->x;
			goto again;
		case RE_OP_SPLIT:
			m->stack[depth++] =
			    (struct pending){ in->y, RE_NOWHERE, 0 };
			pc = in->x;
			goto again;
		case RE_OP_SAVE:
			if (in->x < m->ncap) {
				m->stack[depth++] =
				    (struct pending){ 0, in->x, m->cap[in->x] };
				m->cap[in->x] = at;
			}
			pc++;
			goto again;
		case RE_OP_ASSERT:
			if (!re_holds(m->s, at, in->x))
				continue;
			pc++;
			goto again;
		case RE_OP_CHAR:
		case RE_OP_SET:
		case RE_OP_ANY:
		case RE_OP_ANY_NL:
		case RE_OP_MATCH:
			if (m->ncap > 0)
				memcpy(t->caps + (t->n - 1) * m->ncap, m->cap,
				    m->ncap * sizeof(size_t));
			continue;
		}
	}
}

bool
re_consumes(enum re_op op)
{
	switch (op) {
	case RE_OP_CHAR:
	case RE_OP_SET:
	case RE_OP_ANY:
	case RE_OP_ANY_NL:
		return true;
	case RE_OP_SPLIT:
	case RE_OP_JUMP:
	case RE_OP_SAVE:
	case RE_OP_ASSERT:
	case RE_OP_MATCH:
		break;
	}
	return false;
}

bool
re_takes(const struct re *re, const struct re_inst *in, uint32_t r)
{
	if (r == RE_END)
		return false;
	if (in->op == RE_OP_CHAR)
		return in->x == r;
	if (in->op == RE_OP_SET)
		return in_set(&re->tree.sets[in->x], r);
	if (in->op == RE_OP_ANY)
		return r != '\n';
	return in->op == RE_OP_ANY_NL;
}

/* One code point: the threads of now that take it go on in next. */
static bool
step(struct machine *m, uint32_t r, size_t after, size_t *cap)
{
	bool matched = false;

	m->next.n = 0;
	for (uint32_t i = 0; i < m->now.n; i++) {
		const struct re_inst *in = &m->re->prog[m->now.dense[i]];
		const size_t *caps = m->now.caps + i * m->ncap;

		if (in->op == RE_OP_MATCH) {
			if (m->ncap > 0)
				memcpy(cap, caps, m->ncap * sizeof(size_t));
			matched = true;
			break; /* those behind are less preferred */
		}
		if (!re_takes(m->re, in, r))
			continue;
		if (m->ncap > 0)
			memcpy(m->cap, caps, m->ncap * sizeof(size_t));
		follow(m, &m->next, m->now.dense[i] + 1, after);
	}
	return matched;
}

bool
re_exec(const struct re *re, str s, size_t from, size_t *cap, size_t ncap)
{
	size_t small[1024];
	struct machine m;
	bool matched = false;
	size_t at = from;

	machine_init(&m, re, s, ncap, small, sizeof(small));
	for (;;) {
		size_t len = 0;
		uint32_t r = RE_END;
		struct threads t;

		if (!matched && (at == 0 || !re->anchored)) {
			for (size_t i = 0; i < ncap; i++)
				m.cap[i] = RE_NOWHERE;
			follow(&m, &m.now, 0, at);
		}
		if (m.now.n == 0 && (matched || re->anchored))
			break;
		if (at < s.n)
			r = str_rune(str_skip(s, at), &len);
		if (step(&m, r, at + len, cap)) {
			matched = true;
			if (ncap == 0)
				break;
		}
		if (r == RE_END)
			break;
		at += len;
		t = m.now;
		m.now = m.next;
		m.next = t;
	}
	free(m.memory);
	return matched;
}
