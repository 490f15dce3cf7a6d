/*
 * The deterministic machine, made while it runs: a state is the set of places
 * the threads would be at, and one table look-up a character leads to the
 * next.  A step takes a whole character: ASCII by a table of classes, the
 * others by a small cache of their classes.  States are forgotten when they
 * have grown past a bound; a subject for which nearly every character makes
 * a new state is left to the threads, which are quicker then.
 *
 * The table belongs to one thread at a time, which takes it without waiting:
 * whoever finds it taken is told to ask the other machine.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/re_impl.h"

#define MAX_INSTS 20000
#define MAX_BYTES (1 << 20) /* of states, a pattern */
#define MAX_CLASSES 250
#define MAX_WIDE 64  /* instructions' sets beyond ASCII */
#define LEAST_USE 10 /* characters a state, or states are in vain */
#define PAUSE 256    /* matches left to the threads after that */
#define CACHE 512    /* classes of characters beyond ASCII */
#define SINK_WORK 64 /* places looked at to find a ".*" at the end */

/* What is known of the character before and behind a place. */
enum around {
	UNKNOWN,
	EDGE, /* the subject's start or end */
	NEWLINE,
	WORD,
	OTHER,
};

/* States by number; these three have no places. */
enum special {
	UNMADE,
	DEAD, /* no match any more */
	ALL,  /* a match, whatever comes */
	NSPECIAL,
};

struct state {
	uint32_t at, n; /* its places in pool */
	enum around before;
};

struct wide {
	uint32_t rune;
	uint8_t class;
};

struct re_dfa {
	bool ready, useless;
	unsigned pause;

	uint8_t ascii[128];
	size_t nclasses;            /* the end of the subject is class 0 */
	uint32_t rep[MAX_CLASSES];  /* a character of the class */
	uint64_t sign[MAX_CLASSES]; /* of those beyond ASCII: takers */
	size_t first_wide;
	uint32_t takers[MAX_WIDE]; /* places, one of each kind */
	size_t ntakers;
	struct wide *wide;

	bool *sink; /* by place: ".*" before the end of the whole */
	unsigned shift;
	uint32_t *next; /* by state << shift | class */
	size_t next_cap;
	struct state *states;
	size_t nstates, states_cap;
	uint32_t *pool;
	size_t npool, pool_cap;
	uint32_t *table; /* of states, by hash of places */
	size_t table_size;
	size_t eaten;      /* characters since states were forgotten */
	uint32_t prefixed; /* the state behind the prefix */

	/* A set of places being made. */
	uint32_t *list, *index, *stack, *spare;
	size_t nlist;

	atomic_flag taken;
};

struct re_dfa *
re_dfa_new(void)
{
	struct re_dfa *d = mem_zero(1, sizeof(*d));

	atomic_flag_clear(&d->taken);
	return d;
}

void
re_dfa_free(struct re_dfa *d)
{
	if (d == NULL)
		return;
	free(d->wide);
	free(d->sink);
	free(d->next);
	free(d->states);
	free(d->pool);
	free(d->table);
	free(d->list);
	free(d);
}

static enum around
around_of(uint32_t r)
{
	if (r == RE_END)
		return EDGE;
	if (r == '\n')
		return NEWLINE;
	return r == '_' || (r >= '0' && r <= '9') || (r >= 'A' && r <= 'Z') ||
		(r >= 'a' && r <= 'z')
	    ? WORD
	    : OTHER;
}

/* Does an assertion hold?  1, 0, or -1 if what comes decides. */
static int
holds(uint32_t kind, enum around before, enum around behind)
{
	switch (kind) {
	case RE_TEXT_START:
		return before == EDGE;
	case RE_LINE_START:
		return before == EDGE || before == NEWLINE;
	}
	if (behind == UNKNOWN)
		return -1;
	switch (kind) {
	case RE_TEXT_END:
		return behind == EDGE;
	case RE_LINE_END:
		return behind == EDGE || behind == NEWLINE;
	case RE_WORD:
		return (before == WORD) != (behind == WORD);
	}
	return (before == WORD) == (behind == WORD);
}

static bool
add(struct re_dfa *d, uint32_t pc)
{
	uint32_t i = d->index[pc];

	if (i < d->nlist && d->list[i] == pc)
		return false;
	d->index[pc] = (uint32_t)d->nlist;
	d->list[d->nlist++] = pc;
	return true;
}

/*
 * Add to the list what is reached from pc without reading on, waiting
 * assertions too.  True if that is a match.
 */
static bool
follow(const struct re *re, uint32_t pc, enum around before, enum around behind)
{
	struct re_dfa *d = re->dfa;
	bool match = false;
	size_t depth = 0;

	if (add(d, pc))
		d->stack[depth++] = pc;
	while (depth > 0) {
		const struct re_inst *in;

		pc = d->stack[--depth];
		in = &re->prog[pc];
		switch (in->op) {
		case RE_OP_JUMP:
			if (add(d, in->x))
				d->stack[depth++] = in->x;
			break;
		case RE_OP_SPLIT:
			if (add(d, in->y))
				d->stack[depth++] = in->y;
			if (add(d, in->x))
				d->stack[depth++] = in->x;
			break;
		case RE_OP_ASSERT:
			if (holds(in->x, before, behind) != 1)
				break;
			__attribute__((fallthrough));
		case RE_OP_SAVE:
			if (add(d, pc + 1))
				d->stack[depth++] = pc + 1;
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

/*
 * ".*" that only the end of the subject follows: whoever has taken a character
 * there is there again, and at a match if the subject ends.
 */
static bool
is_sink(const struct re *re, uint32_t pc)
{
	struct re_dfa *d = re->dfa;
	bool self = false, match = false;
	uint32_t p = pc + 1;

	if (re->prog[pc].op != RE_OP_ANY_NL)
		return false;
	d->nlist = 0;
	(void)add(d, p);
	for (size_t i = 0; i < d->nlist && i < SINK_WORK; i++) {
		const struct re_inst *in = &re->prog[p = d->list[i]];

		self = self || p == pc;
		match = match || in->op == RE_OP_MATCH;
		if (in->op == RE_OP_JUMP || in->op == RE_OP_SPLIT)
			(void)add(d, in->x);
		if (in->op == RE_OP_SPLIT)
			(void)add(d, in->y);
		if (in->op == RE_OP_SAVE ||
		    (in->op == RE_OP_ASSERT && in->x == RE_TEXT_END))
			(void)add(d, p + 1);
	}
	return self && match;
}

/* Part the ASCII classes by whether a character is among those of mask. */
static void
part_ascii(struct re_dfa *d, const uint64_t mask[2])
{
	size_t n = d->nclasses, hit[129] = { 0 }, all[129] = { 0 };
	uint8_t to[129];

	for (uint32_t r = 0; r < 128; r++) {
		all[d->ascii[r]]++;
		hit[d->ascii[r]] += mask[r / 64] >> (r % 64) & 1;
	}
	for (size_t c = 1; c < n; c++)
		to[c] = hit[c] == 0 || hit[c] == all[c]
		    ? (uint8_t)c
		    : (uint8_t)d->nclasses++;
	for (uint32_t r = 0; r < 128; r++)
		if ((mask[r / 64] >> (r % 64) & 1) != 0)
			d->ascii[r] = to[d->ascii[r]];
}

/* Does it read anything beyond ASCII? */
static bool
reads_wide(const struct re *re, const struct re_inst *in)
{
	const struct re_set *s;

	if (in->op == RE_OP_CHAR)
		return in->x >= 128;
	if (in->op != RE_OP_SET)
		return false; /* any: it tells none from another */
	s = &re->tree.sets[in->x];
	return s->n > 0 && s->v[s->n - 1].hi >= 128;
}

static bool
same_reader(
    const struct re *re, const struct re_inst *a, const struct re_inst *b)
{
	const struct re_set *x, *y;

	if (a->op != b->op || a->op != RE_OP_SET)
		return a->op == b->op && a->x == b->x;
	x = &re->tree.sets[a->x];
	y = &re->tree.sets[b->x];
	return x->n == y->n && memcmp(x->v, y->v, x->n * sizeof(*x->v)) == 0;
}

/* Keep a place to ask about characters beyond ASCII; false: too many. */
static bool
add_taker(const struct re *re, uint32_t pc)
{
	struct re_dfa *d = re->dfa;

	for (size_t i = 0; i < d->ntakers; i++)
		if (same_reader(re, &re->prog[d->takers[i]], &re->prog[pc]))
			return true;
	if (d->ntakers == MAX_WIDE)
		return false;
	d->takers[d->ntakers++] = pc;
	return true;
}

static void
set_bit(uint64_t mask[2], uint32_t r)
{
	mask[r / 64] |= UINT64_C(1) << (r % 64);
}

/*
 * The classes of characters; those beyond ASCII are made as they come.  What
 * is read as one character parts it from all others, which is done at the end
 * for all of them.
 */
static bool
make_classes(const struct re *re)
{
	static const uint64_t words[2] = { UINT64_C(0x03ff000000000000),
		UINT64_C(0x07fffffe87fffffe) };
	struct re_dfa *d = re->dfa;
	uint64_t single[2] = { 0 };
	uint32_t last = UINT32_MAX;
	bool asserts = false;

	d->nclasses = 2;
	memset(d->ascii, 1, sizeof(d->ascii));
	for (uint32_t pc = 0; pc < re->n; pc++) {
		const struct re_inst *in = &re->prog[pc];

		if (in->op == RE_OP_ASSERT)
			asserts = asserts || in->x < RE_TEXT_START ||
			    in->x > RE_TEXT_END;
		if (in->op == RE_OP_CHAR && in->x < 128)
			set_bit(single, in->x);
		else if (in->op == RE_OP_ANY)
			set_bit(single, '\n');
		else if (in->op == RE_OP_SET && in->x != last)
			part_ascii(d, re->tree.sets[last = in->x].ascii);
		if (reads_wide(re, in) && !add_taker(re, pc))
			return false;
	}
	if (asserts) {
		set_bit(single, '\n');
		part_ascii(d, words);
	}
	for (uint32_t r = 0; r < 128; r++) {
		uint64_t one[2] = { 0 };

		set_bit(one, r);
		if ((single[r / 64] >> (r % 64) & 1) != 0)
			part_ascii(d, one);
	}
	for (uint32_t r = 128; r-- > 0;)
		d->rep[d->ascii[r]] = r;
	d->rep[0] = RE_END;
	d->first_wide = d->nclasses;
	return true;
}

static void
forget(struct re_dfa *d)
{
	memset(d->table, 0, d->table_size * sizeof(*d->table));
	d->npool = d->eaten = 0;
	d->nstates = NSPECIAL;
	d->prefixed = UNMADE;
}

/* A row of the table for all classes; the rows there are lose their place. */
static void
set_shift(struct re_dfa *d)
{
	while ((size_t)1 << d->shift < d->nclasses)
		d->shift++;
}

static bool
make_ready(const struct re *re)
{
	struct re_dfa *d = re->dfa;

	d->ready = true;
	if (re->n > MAX_INSTS || !make_classes(re)) {
		d->useless = true;
		return false;
	}
	d->list = mem_alloc(4 * re->n * sizeof(*d->list));
	d->index = d->list + re->n;
	d->stack = d->index + re->n;
	d->spare = d->stack + re->n;
	memset(d->index, 0, re->n * sizeof(*d->index));
	d->sink = mem_zero(re->n, sizeof(*d->sink));
	for (uint32_t pc = 0; pc < re->n; pc++)
		d->sink[pc] = is_sink(re, pc);
	if (d->ntakers > 0)
		d->wide = mem_zero(CACHE, sizeof(*d->wide));
	d->table_size = 64;
	d->table = mem_zero(d->table_size, sizeof(*d->table));
	/* one more class, for the first character beyond ASCII */
	d->nclasses++;
	set_shift(d);
	d->nclasses--;
	forget(d);
	return true;
}

static size_t
bytes(const struct re_dfa *d)
{
	return (d->nstates << d->shift) * sizeof(*d->next) +
	    d->nstates * sizeof(*d->states) + d->npool * sizeof(*d->pool) +
	    d->table_size * sizeof(*d->table);
}

static int
by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Few places, nearly in order: the usual case. */
static void
sort(uint32_t *v, size_t n)
{
	if (n > 64) {
		qsort(v, n, sizeof(*v), by_number);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		uint32_t x = v[i];
		size_t k = i;

		for (; k > 0 && v[k - 1] > x; k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
}

static size_t
slot_of(const struct re_dfa *d, const uint32_t *v, size_t n, enum around before)
{
	size_t i = str_hash((str){ (const char *)v, n * sizeof(*v) }) + before;

	for (;; i++) {
		const struct state *s;
		uint32_t id;

		i &= d->table_size - 1;
		id = d->table[i];
		if (id == 0)
			return i;
		s = &d->states[id];
		if (s->n == n && s->before == before &&
		    (n == 0 || memcmp(d->pool + s->at, v, n * sizeof(*v)) == 0))
			return i;
	}
}

static void
grow_table(struct re_dfa *d)
{
	free(d->table);
	d->table_size *= 2;
	d->table = mem_zero(d->table_size, sizeof(*d->table));
	for (size_t id = NSPECIAL; id < d->nstates; id++) {
		const struct state *s = &d->states[id];

		d->table[slot_of(d, d->pool + s->at, s->n, s->before)] =
		    (uint32_t)id;
	}
}

/* The state of n places in order, made if it is new. */
static uint32_t
intern(struct re_dfa *d, const uint32_t *v, size_t n, enum around before)
{
	size_t slot = slot_of(d, v, n, before);
	uint32_t id = d->table[slot];

	if (id != 0)
		return id;
	id = (uint32_t)d->nstates;
	d->states = mem_grow(
	    d->states, &d->states_cap, d->nstates + 1, sizeof(*d->states));
	d->pool =
	    mem_grow(d->pool, &d->pool_cap, d->npool + n, sizeof(*d->pool));
	d->next = mem_grow(d->next, &d->next_cap, (d->nstates + 1) << d->shift,
	    sizeof(*d->next));
	memset(d->next + ((size_t)id << d->shift), 0,
	    sizeof(*d->next) << d->shift);
	if (n > 0)
		memcpy(d->pool + d->npool, v, n * sizeof(*v));
	d->states[id] =
	    (struct state){ (uint32_t)d->npool, (uint32_t)n, before };
	d->npool += n;
	d->table[slot] = id;
	d->nstates++;
	if (d->nstates * 2 > d->table_size)
		grow_table(d);
	return id;
}

/*
 * The list as a state: what reads on or waits for what comes tells one state
 * from another, and what came before only where something waits.
 */
static uint32_t
state_of(const struct re *re, enum around before, bool match)
{
	struct re_dfa *d = re->dfa;
	bool waits = false;
	size_t n = 0;

	if (match)
		return ALL;
	for (size_t i = 0; i < d->nlist; i++) {
		uint32_t pc = d->list[i];
		enum re_op op = re->prog[pc].op;

		if (op == RE_OP_ASSERT &&
		    holds(re->prog[pc].x, before, UNKNOWN) == -1)
			waits = true;
		else if (!re_consumes(op))
			continue;
		d->stack[n++] = pc;
	}
	if (n == 0 && re->anchored)
		return DEAD;
	sort(d->stack, n);
	return intern(d, d->stack, n, waits ? before : UNKNOWN);
}

static uint32_t
start_of(const struct re *re)
{
	struct re_dfa *d = re->dfa;

	d->nlist = 0;
	return state_of(re, EDGE, follow(re, 0, EDGE, UNKNOWN));
}

/* Where a state leads on a character of a class; 0: the subject's end. */
static uint32_t
step(const struct re *re, uint32_t id, size_t class)
{
	struct re_dfa *d = re->dfa;
	uint32_t r = d->rep[class];
	struct state s = d->states[id];
	enum around behind = around_of(r);
	size_t n = 0;
	bool match = false;

	d->nlist = 0;
	for (uint32_t i = 0; i < s.n; i++) {
		uint32_t pc = d->pool[s.at + i];

		if (re->prog[pc].op == RE_OP_ASSERT)
			match = follow(re, pc, s.before, behind) || match;
		else
			(void)add(d, pc);
	}
	if (match || r == RE_END)
		return match ? ALL : DEAD;
	for (size_t i = 0; i < d->nlist; i++) {
		if (d->sink[d->list[i]])
			return ALL;
		if (re_takes(re, &re->prog[d->list[i]], r))
			d->spare[n++] = d->list[i] + 1;
	}
	d->nlist = 0;
	for (size_t i = 0; i < n; i++)
		match = follow(re, d->spare[i], behind, UNKNOWN) || match;
	if (!re->anchored)
		match = follow(re, 0, behind, UNKNOWN) || match;
	return state_of(re, behind, match);
}

/* The class of a character beyond ASCII; 0: there are too many. */
static size_t
class_of(const struct re *re, uint32_t r)
{
	struct re_dfa *d = re->dfa;
	struct wide *w;
	uint64_t sign = 0;
	size_t c;

	if (d->ntakers > 0 && (w = &d->wide[r % CACHE])->rune == r)
		return w->class;
	for (size_t i = 0; i < d->ntakers; i++)
		if (re_takes(re, &re->prog[d->takers[i]], r))
			sign |= UINT64_C(1) << i;
	for (c = d->first_wide; c < d->nclasses; c++)
		if (d->sign[c] == sign)
			break;
	if (c == MAX_CLASSES)
		return 0;
	if (c == d->nclasses) {
		d->rep[c] = r;
		d->sign[c] = sign;
		d->nclasses++;
	}
	if (d->ntakers > 0)
		d->wide[r % CACHE] = (struct wide){ r, (uint8_t)c };
	return c;
}

/* Forget all states but one; its new number. */
static uint32_t
keep(struct re_dfa *d, uint32_t id)
{
	struct state s = d->states[id];

	if (s.n > 0)
		memcpy(d->spare, d->pool + s.at, s.n * sizeof(*d->spare));
	forget(d);
	return intern(d, d->spare, s.n, s.before);
}

/* The way on that is not made yet; UNMADE: the threads shall go on. */
static uint32_t
make_next(const struct re *re, uint32_t id, size_t class)
{
	struct re_dfa *d = re->dfa;
	uint32_t to;

	if (d->nclasses > (size_t)1 << d->shift) {
		set_shift(d);
		id = keep(d, id);
	}
	if (bytes(d) > MAX_BYTES && d->eaten < d->nstates * LEAST_USE) {
		d->pause = PAUSE;
		forget(d);
		return UNMADE;
	}
	if (bytes(d) > MAX_BYTES)
		id = keep(d, id);
	to = step(re, id, class);
	d->next[((size_t)id << d->shift) + class] = to;
	return to;
}

/* From state id over s to its end: ALL, DEAD, or UNMADE. */
static uint32_t
run(const struct re *re, uint32_t id, str s, bool whole)
{
	struct re_dfa *d = re->dfa;
	size_t i = 0, counted = 0, class, len;
	uint32_t to;

	while (i < s.n) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 128) {
			class = d->ascii[c];
			i++;
		} else {
			class = class_of(re, str_rune(str_skip(s, i), &len));
			if (class == 0)
				return UNMADE;
			i += len;
			if (class >= (size_t)1 << d->shift) {
				to = make_next(re, id, class);
				goto made;
			}
		}
		to = d->next[((size_t)id << d->shift) + class];
		if (to < NSPECIAL) {
			if (to == UNMADE) {
				d->eaten += i - counted;
				counted = i;
				to = make_next(re, id, class);
			}
		made:
			if (to < NSPECIAL)
				return to;
		}
		id = to;
	}
	d->eaten += i - counted;
	if (!whole)
		return id;
	to = d->next[(size_t)id << d->shift];
	return to != UNMADE ? to : make_next(re, id, 0);
}

static uint32_t
match(const struct re *re, str s)
{
	struct re_dfa *d = re->dfa;
	uint32_t id;

	if (d->useless || d->pause > 0) {
		d->pause -= d->pause > 0;
		return UNMADE;
	}
	if (!d->ready && !make_ready(re))
		return UNMADE;
	if (d->prefixed == UNMADE) {
		id = start_of(re);
		if (id >= NSPECIAL && re->prefix.n > 0)
			id = run(re, id, re->prefix, false);
		d->prefixed = id;
	}
	id = d->prefixed;
	return id < NSPECIAL ? id
			     : run(re, id, str_skip(s, re->prefix.n), true);
}

int
re_dfa_match(const struct re *re, str s)
{
	struct re_dfa *d = re->dfa;
	uint32_t id;

	if (!str_starts(s, re->prefix))
		return 0;
	if (atomic_flag_test_and_set_explicit(&d->taken, memory_order_acquire))
		return -1;
	id = match(re, s);
	atomic_flag_clear_explicit(&d->taken, memory_order_release);
	return id == UNMADE ? -1 : id == ALL;
}
