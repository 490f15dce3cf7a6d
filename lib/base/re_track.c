/*
 * Captures of short subjects: one way after the other is tried, the preferred
 * first, and no place of the program is entered twice at the same byte, which
 * bits remember.  So it is as linear as the threads of re_exec.c and has their
 * answer, but carries one set of captures instead of one for each thread.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/re_impl.h"

#define MAX_BITS 65536
#define FEW 64

/* To go on at pc and at, or to put back a capture. */
struct job {
	uint32_t pc, slot; /* slot UINT32_MAX: none */
	size_t at;
};

struct track {
	const struct re *re;
	str s;
	size_t from, *cap;
	uint64_t seen[MAX_BITS / 64];
	struct job few[FEW], *jobs, *more;
	size_t njobs, room;
};

static void
push(struct track *t, uint32_t pc, uint32_t slot, size_t at)
{
	if (t->njobs == t->room) {
		bool first = t->more == NULL;

		t->room = first ? 0 : t->room;
		t->more =
		    mem_grow(t->more, &t->room, t->njobs + 1, sizeof(*t->more));
		if (first)
			memcpy(t->more, t->few, sizeof(t->few));
		t->jobs = t->more;
	}
	t->jobs[t->njobs++] = (struct job){ pc, slot, at };
}

/* Was this place entered at this byte?  From now on it was. */
static bool
entered(struct track *t, uint32_t pc, size_t at)
{
	size_t bit = (at - t->from) * t->re->n + pc;
	uint64_t mask = UINT64_C(1) << (bit % 64), *word = &t->seen[bit / 64];
	bool was = (*word & mask) != 0;

	*word |= mask;
	return was;
}

/* Does an instruction take what is at a byte?  Its length, or 0. */
static size_t
take(const struct track *t, const struct re_inst *in, size_t at)
{
	unsigned char c;
	size_t len = 1;

	if (at == t->s.n)
		return 0;
	c = (unsigned char)t->s.p[at];
	if (c >= 128)
		return re_takes(t->re, in, str_rune(str_skip(t->s, at), &len))
		    ? len
		    : 0;
	if (in->op == RE_OP_CHAR)
		return in->x == c;
	return re_takes(t->re, in, c);
}

/* One job to its end; true at a match. */
static bool
follow(struct track *t, uint32_t pc, size_t at)
{
	while (!entered(t, pc, at)) {
		const struct re_inst *in = &t->re->prog[pc++];
		size_t len;

		switch (in->op) {
		case RE_OP_JUMP:
			pc = in->x;
			break;
		case RE_OP_SPLIT:
			push(t, in->y, UINT32_MAX, at);
			pc = in->x;
			break;
		case RE_OP_SAVE:
			push(t, 0, in->x, t->cap[in->x]);
			t->cap[in->x] = at;
			break;
		case RE_OP_ASSERT:
			if (!re_holds(t->s, at, in->x))
				return false;
			break;
		case RE_OP_MATCH:
			return true;
		case RE_OP_CHAR:
		case RE_OP_SET:
		case RE_OP_ANY:
		case RE_OP_ANY_NL:
			len = take(t, in, at);
			if (len == 0)
				return false;
			at += len;
			break;
		}
	}
	return false;
}

static bool
track_from(struct track *t, size_t at)
{
	if (follow(t, 0, at))
		return true;
	while (t->njobs > 0) {
		struct job j = t->jobs[--t->njobs];

		if (j.slot != UINT32_MAX)
			t->cap[j.slot] = j.at;
		else if (follow(t, j.pc, j.at))
			return true;
	}
	return false;
}

int
re_track(const struct re *re, str s, size_t from, size_t *cap)
{
	struct track t;
	size_t bits = re->n * (s.n - from + 1), len;
	int found = 0;

	if (re->n > MAX_BITS || bits > MAX_BITS)
		return -1;
	t.re = re;
	t.s = s;
	t.from = from;
	t.cap = cap;
	t.jobs = t.few;
	t.more = NULL;
	t.njobs = 0;
	t.room = FEW;
	memset(t.seen, 0, (bits + 63) / 64 * 8);
	for (size_t i = 0; i < 2 * re->tree.ngroups; i++)
		cap[i] = RE_NOWHERE;
	for (size_t at = from; found == 0 && at <= s.n; at += len) {
		len = 1;
		if (track_from(&t, at))
			found = 1;
		else if (re->anchored)
			break;
		else if (at < s.n)
			(void)str_rune(str_skip(s, at), &len);
	}
	free(t.more);
	return found;
}
