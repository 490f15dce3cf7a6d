/*
 * Any bytes as relabelling rules and the set they are applied to: up to the
 * first NUL the rules, then the set as a series.  Applied and explained give
 * the same; what comes out is a sorted set without empty names or values.
 */
#include <stddef.h>
#include <stdint.h>

#include "metric/relabel.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
step(void *arg, const struct relabel_step *s)
{
	size_t *steps = arg;

	if (s->i != (*steps)++ || s->rule.n == 0)
		__builtin_trap();
}

static void
check(const struct relabels *r, struct labels in, struct arena *a)
{
	struct label_set one, two;
	struct labels ls;
	size_t steps = 0;

	label_init(&one, in);
	label_init(&two, in);
	if (relabel_apply(r, &one, a) !=
		relabel_explain(r, &two, a, step, &steps) ||
	    !label_eq(label_view(&one), label_view(&two)) || steps > r->n)
		__builtin_trap();
	ls = label_view(&one);
	for (size_t i = 0; i < ls.n; i++)
		if (ls.v[i].name.n == 0 || ls.v[i].value.n == 0 ||
		    (i > 0 && str_cmp(ls.v[i - 1].name, ls.v[i].name) >= 0))
			__builtin_trap();
	label_fini(&one);
	label_fini(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	str text = { (const char *)p, n }, rules = str_cut(&text, '\0');
	struct arena a = { 0 };
	struct relabels r;
	struct labels in;
	struct error e;
	struct conf *c = conf_parse(rules, "f", NULL, &e);

	for (int legacy = 0; c != NULL && legacy < 2; legacy++) {
		if (relabel_load(&r, conf_root(c), "relabel_configs",
			legacy != 0, &e) == -1)
			continue;
		if (label_parse(text.p == NULL ? STR("a{b=\"c\"}") : text, &a,
			&in, &e) == 0)
			check(&r, in, &a);
		relabel_free(&r);
	}
	conf_free(c);
	arena_fini(&a);
	return 0;
}
