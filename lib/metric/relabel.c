/*
 * Relabelling: rules read from a configuration, and one rule after another
 * applied to a label set.  A rule that copies or sets a constant, and a regex
 * without captures, never asks the regex for more than it must: metrics are
 * relabelled by the hundred thousand.
 */
#include "metric/relabel.h"

#include <md5.h>

#include "base/letter.h"
#include "metric/relabel_rule.h"

/* What one step works with: the rule, its input, and what it found. */
struct step {
	const struct relabel *r;
	struct label_set *set;
	struct arena *a;
	str value; /* of the source labels, joined */
	bool matched;
};

static str
join(const struct relabel *r, const struct label_set *set, struct arena *a)
{
	size_t n = 0;
	char *p, *at;

	if (r->nsource == 0)
		return STR_NONE;
	if (r->nsource == 1)
		return label_get(set, r->source[0]);
	for (size_t i = 0; i < r->nsource; i++)
		n += label_get(set, r->source[i]).n + r->separator.n;
	at = p = arena_alloc(a, n + 1);
	for (size_t i = 0; i < r->nsource; i++) {
		str v = label_get(set, r->source[i]);

		if (i > 0 && r->separator.n > 0)
			at = mempcpy(at, r->separator.p, r->separator.n);
		if (v.n > 0)
			at = mempcpy(at, v.p, v.n);
	}
	return str_from(p, at);
}

/* A template with the captures of a match filled in, in a. */
static str
fill(struct step *x, str template, str subject, const size_t *cap)
{
	struct buf b = { 0 };
	str s;

	re_expand(x->r->re, &b, template, subject, cap);
	s = arena_dup(x->a, buf_str(&b));
	buf_fini(&b);
	return s;
}

static size_t *
captures(struct step *x)
{
	return arena_alloc(x->a, 2 * re_groups(x->r->re) * sizeof(size_t));
}

static bool
replace(struct step *x)
{
	const struct relabel *r = x->r;
	str target = r->target, value = r->replacement;
	size_t *cap;

	if (r->any) {
		x->matched = true;
		if (r->copies)
			value = x->value;
	} else if (!r->target_var && !r->replacement_var) {
		x->matched = re_match(r->re, x->value);
	} else {
		cap = captures(x);
		x->matched = re_find(r->re, x->value, 0, cap);
		if (!x->matched)
			return true;
		target = fill(x, r->target, x->value, cap);
		if (!relabel_rule_name(r, target))
			return true;
		value = fill(x, r->replacement, x->value, cap);
	}
	if (x->matched)
		label_set(x->set, target, value);
	return true;
}

static bool
keep(struct step *x)
{
	x->matched = x->r->any || re_match(x->r->re, x->value);
	return x->matched;
}

static bool
drop(struct step *x)
{
	return !keep(x);
}

static bool
keep_equal(struct step *x)
{
	x->matched = str_eq(label_get(x->set, x->r->target), x->value);
	return x->matched;
}

static bool
drop_equal(struct step *x)
{
	return !keep_equal(x);
}

/* The last eight bytes of the MD5, as upstream has always taken them. */
static bool
hashmod(struct step *x)
{
	unsigned char sum[MD5_DIGEST_LENGTH];
	uint64_t h = 0;
	MD5_CTX c;

	MD5Init(&c);
	MD5Update(&c, (const uint8_t *)x->value.p, x->value.n);
	MD5Final(sum, &c);
	for (size_t i = 8; i < sizeof(sum); i++)
		h = h << 8 | sum[i];
	x->matched = true;
	label_set(x->set, x->r->target,
	    arena_printf(
		x->a, "%llu", (unsigned long long)(h % x->r->modulus)));
	return true;
}

static bool
recase(struct step *x, void (*fn)(struct buf *, str))
{
	struct buf b = { 0 };

	fn(&b, x->value);
	x->matched = true;
	label_set(x->set, x->r->target, arena_dup(x->a, buf_str(&b)));
	buf_fini(&b);
	return true;
}

static bool
lowercase(struct step *x)
{
	return recase(x, letter_lower_add);
}

static bool
uppercase(struct step *x)
{
	return recase(x, letter_upper_add);
}

/*
 * The names as they were before; of two that become one, the later in order
 * wins.  A name that becomes nothing is left out: no stream could print it.
 */
static bool
labelmap(struct step *x)
{
	size_t n = x->set->n;
	struct label *was = arena_alloc(x->a, (n + 1) * sizeof(*was));
	struct buf b = { 0 };

	if (n > 0)
		memcpy(was, x->set->v, n * sizeof(*was));
	for (size_t i = 0; i < n; i++) {
		if (!re_match(x->r->re, was[i].name))
			continue;
		x->matched = true;
		buf_reset(&b);
		(void)re_replace(
		    x->r->re, &b, was[i].name, x->r->replacement, SIZE_MAX);
		if (b.n > 0)
			label_set(
			    x->set, arena_dup(x->a, buf_str(&b)), was[i].value);
	}
	buf_fini(&b);
	return true;
}

static void
filter(struct step *x, bool keep_matching)
{
	struct label_set *s = x->set;
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		bool m = re_match(x->r->re, s->v[i].name);

		x->matched = x->matched || m;
		if (m == keep_matching)
			s->v[n++] = s->v[i];
	}
	s->n = n;
}

static bool
labeldrop(struct step *x)
{
	filter(x, false);
	return true;
}

static bool
labelkeep(struct step *x)
{
	filter(x, true);
	return true;
}

static bool
run(struct step *x)
{
	static bool (*const fns[])(struct step *) = {
		[RELABEL_REPLACE] = replace,
		[RELABEL_KEEP] = keep,
		[RELABEL_DROP] = drop,
		[RELABEL_KEEPEQUAL] = keep_equal,
		[RELABEL_DROPEQUAL] = drop_equal,
		[RELABEL_HASHMOD] = hashmod,
		[RELABEL_LABELMAP] = labelmap,
		[RELABEL_LABELDROP] = labeldrop,
		[RELABEL_LABELKEEP] = labelkeep,
		[RELABEL_LOWERCASE] = lowercase,
		[RELABEL_UPPERCASE] = uppercase,
	};

	x->value = join(x->r, x->set, x->a);
	x->matched = false;
	return fns[x->r->action](x);
}

bool
relabel_apply(const struct relabels *r, struct label_set *set, struct arena *a)
{
	for (size_t i = 0; i < r->n; i++)
		if (!run(&(struct step){ .r = r->v[i], .set = set, .a = a }))
			return false;
	return true;
}

bool
relabel_explain(const struct relabels *r, struct label_set *set,
    struct arena *a, void (*step)(void *arg, const struct relabel_step *s),
    void *arg)
{
	for (size_t i = 0; i < r->n; i++) {
		struct step x = { .r = r->v[i], .set = set, .a = a };
		struct relabel_step s = { .i = i };

		s.action = relabel_rule_action(x.r->action);
		s.rule = relabel_rule_text(x.r, a);
		s.before = label_done(set, a);
		s.kept = run(&x);
		s.matched = x.matched;
		s.value = x.value;
		s.after = label_done(set, a);
		step(arg, &s);
		if (!s.kept)
			return false;
	}
	return true;
}
