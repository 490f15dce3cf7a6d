/*
 * Questions to the tree of a pattern: how high and how large it is, by Go's
 * count, whether it can be empty, and where it can begin.
 */
#include "base/re_impl.h"

/* Is it text and nothing else, which Go keeps in one node? */
static bool
textual(const struct re_node *x)
{
	return x->height == 1 &&
	    (x->kind == RE_CHAR || x->fold || x->kind == RE_CAT);
}

/*
 * The height and the size of a node whose children are complete, as Go has
 * them: texts side by side are one node, a choice of characters is a class,
 * and what is of the same kind as what is around it melts into that.
 */
static void
measure_many(struct re_node *n)
{
	bool flat = true;

	n->size = n->kind == RE_ALT ? (int64_t)n->n - 1 : 0;
	for (size_t i = 0; i < n->n; i++) {
		const struct re_node *x = n->v[i];
		int h = x->kind == n->kind ? x->height : x->height + 1;

		n->size += x->size;
		if (n->height < h)
			n->height = h;
		if (n->kind == RE_CAT)
			flat = flat && textual(x) && x->fold == n->v[0]->fold;
		else
			flat = flat && x->height == 1 && x->kind != RE_CAT;
	}
	if (flat)
		n->height = 1;
}

static void
measure_repeat(struct re_node *n)
{
	int64_t body = n->v[0]->size;

	n->height = n->v[0]->height + 1;
	if (n->max != -1)
		n->size = n->max * body + n->max - n->min;
	else
		n->size = n->min == 0 ? 2 + body : 1 + n->min * body;
	if (n->size < 1)
		n->size = 1;
}

void
re_node_measure(struct re_node *n)
{
	if (n->kind == RE_REPEAT) {
		measure_repeat(n);
	} else if (n->kind == RE_GROUP) {
		n->height = n->v[0]->height + 1;
		n->size = n->v[0]->size + 2;
	} else {
		measure_many(n);
	}
}

bool
re_node_fits(const struct re_node *x, int n)
{
	if (x->kind == RE_REPEAT && x->max == 0)
		return true;
	if (x->kind == RE_REPEAT && !(x->min <= 1 && x->max <= 1)) {
		int m = x->max < 0 ? x->min : x->max;

		if (m > n)
			return false;
		if (m > 0)
			n /= m;
	}
	for (size_t i = 0; i < x->n; i++)
		if (!re_node_fits(x->v[i], n))
			return false;
	return true;
}

bool
re_node_nullable(const struct re_node *x)
{
	bool all = true, any = false;

	switch (x->kind) {
	case RE_CHAR:
	case RE_CLASS:
	case RE_ANY:
	case RE_ANY_NL:
		return false;
	case RE_EMPTY:
	case RE_LINE_START:
	case RE_LINE_END:
	case RE_TEXT_START:
	case RE_TEXT_END:
	case RE_WORD:
	case RE_NOT_WORD:
		return true;
	case RE_REPEAT:
		if (x->min == 0)
			return true;
		break;
	case RE_GROUP:
	case RE_CAT:
	case RE_ALT:
		break;
	}
	for (size_t i = 0; i < x->n; i++) {
		bool b = re_node_nullable(x->v[i]);

		all = all && b;
		any = any || b;
	}
	return x->kind == RE_ALT ? any : all;
}

bool
re_node_anchored(const struct re_node *x)
{
	if (x->kind == RE_TEXT_START)
		return true;
	if ((x->kind == RE_CAT && x->n > 0) || x->kind == RE_GROUP)
		return re_node_anchored(x->v[0]);
	return false;
}
