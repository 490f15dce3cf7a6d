/*
 * The tree of a pattern to the program of the machines.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/re_impl.h"

struct compiler {
	struct re *re;
	bool full; /* the limit was reached */
};

static uint32_t
emit(struct compiler *c, enum re_op op, uint32_t x)
{
	struct re *re = c->re;

	if (re->n == RE_MAX_PROG) {
		c->full = true;
		return 0;
	}
	re->prog = mem_grow(re->prog, &re->cap, re->n + 1, sizeof(*re->prog));
	re->prog[re->n] = (struct re_inst){ .op = op, .x = x };
	return (uint32_t)re->n++;
}

static uint32_t
here(const struct compiler *c)
{
	return (uint32_t)c->re->n;
}

/* A split at pc: to in if that is preferred, else past it to out. */
static void
set_split(struct compiler *c, uint32_t pc, bool lazy, uint32_t in, uint32_t out)
{
	c->re->prog[pc].x = lazy ? out : in;
	c->re->prog[pc].y = lazy ? in : out;
}

static void compile(struct compiler *c, const struct re_node *x);

/* x+: the body, then back to it or on. */
static void
compile_plus(struct compiler *c, const struct re_node *x, bool lazy)
{
	uint32_t body = here(c), split;

	compile(c, x);
	split = emit(c, RE_OP_SPLIT, 0);
	set_split(c, split, lazy, body, here(c));
}

/*
 * x*: of a body that may be empty it is (x+)?, which gives the same priorities
 * as Go's machine.
 */
static void
compile_star(struct compiler *c, const struct re_node *x, bool lazy)
{
	uint32_t split = emit(c, RE_OP_SPLIT, 0);

	if (re_node_nullable(x)) {
		compile_plus(c, x, lazy);
	} else {
		compile(c, x);
		emit(c, RE_OP_JUMP, split);
	}
	if (!c->full)
		set_split(c, split, lazy, split + 1, here(c));
}

static void
compile_repeat(struct compiler *c, const struct re_node *x)
{
	const struct re_node *body = x->v[0];
	int i = 0;

	if (x->max == -1) {
		for (i = 0; i < x->min - 1 && !c->full; i++)
			compile(c, body);
		if (x->min == 0)
			compile_star(c, body, x->lazy);
		else
			compile_plus(c, body, x->lazy);
		return;
	}
	for (; i < x->min && !c->full; i++)
		compile(c, body);
	if (i < x->max && !c->full) {
		/* Nested, (x(x(x)?)?)?: every way out leads to one end. */
		size_t n = (size_t)(x->max - x->min);
		uint32_t *splits = mem_zero(n, sizeof(*splits));

		for (size_t k = 0; k < n && !c->full; k++) {
			splits[k] = emit(c, RE_OP_SPLIT, 0);
			compile(c, body);
		}
		for (size_t k = 0; k < n && !c->full; k++)
			set_split(
			    c, splits[k], x->lazy, splits[k] + 1, here(c));
		free(splits);
	}
}

static void
compile_alt(struct compiler *c, const struct re_node *x)
{
	uint32_t *jumps = mem_zero(x->n, sizeof(*jumps));

	for (size_t i = 0; i < x->n && !c->full; i++) {
		uint32_t split = 0;

		if (i + 1 < x->n)
			split = emit(c, RE_OP_SPLIT, 0);
		compile(c, x->v[i]);
		jumps[i] = emit(c, RE_OP_JUMP, 0);
		if (i + 1 < x->n && !c->full)
			set_split(c, split, false, split + 1, here(c));
	}
	for (size_t i = 0; i < x->n && !c->full; i++)
		c->re->prog[jumps[i]].x = here(c);
	free(jumps);
}

static void
compile(struct compiler *c, const struct re_node *x)
{
	if (c->full)
		return;
	switch (x->kind) {
	case RE_EMPTY:
		break;
	case RE_CHAR:
		emit(c, RE_OP_CHAR, x->rune);
		break;
	case RE_CLASS:
		emit(c, RE_OP_SET, (uint32_t)x->class);
		break;
	case RE_ANY:
		emit(c, RE_OP_ANY, 0);
		break;
	case RE_ANY_NL:
		emit(c, RE_OP_ANY_NL, 0);
		break;
	case RE_LINE_START:
	case RE_LINE_END:
	case RE_TEXT_START:
	case RE_TEXT_END:
	case RE_WORD:
	case RE_NOT_WORD:
		emit(c, RE_OP_ASSERT, (uint32_t)x->kind);
		break;
	case RE_GROUP:
		emit(c, RE_OP_SAVE, (uint32_t)(2 * x->group));
		compile(c, x->v[0]);
		emit(c, RE_OP_SAVE, (uint32_t)(2 * x->group + 1));
		break;
	case RE_REPEAT:
		compile_repeat(c, x);
		break;
	case RE_CAT:
		for (size_t i = 0; i < x->n; i++)
			compile(c, x->v[i]);
		break;
	case RE_ALT:
		compile_alt(c, x);
		break;
	}
}

int
re_compile(struct re *re, struct error *e)
{
	struct compiler c = { .re = re };
	bool whole = (re->flags & RE_ANCHORED) != 0;

	if (whole)
		emit(&c, RE_OP_ASSERT, RE_TEXT_START);
	emit(&c, RE_OP_SAVE, 0);
	compile(&c, re->tree.root);
	emit(&c, RE_OP_SAVE, 1);
	if (whole)
		emit(&c, RE_OP_ASSERT, RE_TEXT_END);
	emit(&c, RE_OP_MATCH, 0);
	if (c.full || re->n * 2 * re->tree.ngroups > RE_MAX_CAPS)
		return error_set(e,
		    "error parsing regexp: expression too large: `%.*s`",
		    STR_ARG(re->tree.pattern));
	re->anchored = whole || re_node_anchored(re->tree.root);
	return 0;
}
