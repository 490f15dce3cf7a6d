/*
 * What an eval command says: the query and its times, and in the lines behind
 * it what is expected: series, a scalar, a string, a failure, annotations.
 */
#include "promql/test.h"

#include "base/dur.h"

/* One of the words; where among them, or n. */
static size_t
word_of(str w, const char *const *words, size_t n)
{
	size_t i = 0;

	while (i < n && !str_eq(w, str_of(words[i])))
		i++;
	return i;
}

static int
wanted(struct test_reader *t, str *rest, const char *word)
{
	str w = promql_test_word(rest);

	if (str_eq(w, str_of(word)))
		return 0;
	return promql_test_bad(t, w, "'%s' is wanted", word);
}

/* from X to Y step Z */
static int
times(
    struct test_reader *t, str *rest, int64_t *from, int64_t *to, int64_t *step)
{
	str at = *rest;

	if (wanted(t, rest, "from") == -1 ||
	    promql_test_time(t, rest, from) == -1 ||
	    wanted(t, rest, "to") == -1 ||
	    promql_test_time(t, rest, to) == -1 ||
	    wanted(t, rest, "step") == -1 ||
	    promql_test_time(t, rest, step) == -1)
		return -1;
	if (*to < *from || *step <= 0)
		return promql_test_bad(
		    t, at, "a range goes forward, with a step greater than 0");
	if ((*to - *from) / *step > PROMQL_MAX_STEPS)
		return promql_test_bad(
		    t, at, "more than %d steps", PROMQL_MAX_STEPS);
	return 0;
}

int
promql_test_command(struct test_reader *t, struct test_eval *ev, str line)
{
	static const char *const names[] = { "eval_fail", "eval_warn",
		"eval_info", "eval_ordered", "eval" };
	str rest = line, w = promql_test_word(&rest), kind;
	size_t i = word_of(w, names, 5);

	if (i == 5)
		return promql_test_bad(
		    t, w, "unknown command '%.*s'", STR_ARG(w));
	if (i < 3)
		ev->wants[i] = true;
	ev->ordered = i == 3;
	kind = promql_test_word(&rest);
	ev->range = str_eq(kind, STR("range"));
	if (!ev->range && !str_eq(kind, STR("instant")))
		return promql_test_bad(t, kind, "instant or range is wanted");
	if (ev->range) {
		if (ev->ordered)
			return promql_test_bad(
			    t, w, "the series of a range have no order");
		if (times(t, &rest, &ev->from, &ev->to, &ev->step) == -1)
			return -1;
	} else if (str_starts(rest, STR("at "))) {
		(void)promql_test_word(&rest);
		if (promql_test_time(t, &rest, &ev->from) == -1)
			return -1;
		ev->to = ev->from;
	}
	if (rest.n == 0)
		return promql_test_bad(t, rest, "an expression is wanted");
	ev->expr = rest;
	return 0;
}

static int
text_add(struct test_reader *t, struct test_eval *ev, enum test_want kind,
    str msg, str regex)
{
	struct test_text x = { .kind = kind, .msg = msg, .regex = regex };
	struct error e;

	ev->wants[kind] = true;
	if (regex.n > 0) {
		x.re = re_new(regex, 0, &e);
		if (x.re == NULL)
			return promql_test_bad(t, regex, "%s", e.msg);
	}
	ev->texts = arena_grow(
	    &t->a, ev->texts, &ev->textcap, ev->ntexts + 1, sizeof(x));
	ev->texts[ev->ntexts++] = x;
	return 0;
}

static int
text_line(
    struct test_reader *t, struct test_eval *ev, enum test_want kind, str rest)
{
	bool msg = str_starts(rest, STR("msg:")),
	     regex = str_starts(rest, STR("regex:"));
	str s = str_trim(str_skip(rest, msg ? 4 : 6));

	if (rest.n == 0)
		return text_add(t, ev, kind, STR_NONE, STR_NONE);
	if ((!msg && !regex) || s.n == 0)
		return promql_test_bad(
		    t, rest, "msg:TEXT or regex:RE is wanted");
	if (kind == TEST_NO_WARN || kind == TEST_NO_INFO)
		return promql_test_bad(t, rest, "none takes no text");
	return text_add(t, ev, kind, msg ? s : STR_NONE, msg ? STR_NONE : s);
}

/* A string of the language, and nothing behind it. */
static int
string(struct test_reader *t, str s, str *out)
{
	struct token word;
	struct lex l;

	promql_lex_init(&l, s);
	promql_lex_next(&l, &word);
	if (word.kind != T_STRING || word.text.n != s.n)
		return promql_test_bad(t, s, "a string is wanted");
	t->at = s.p;
	return promql_unquote(s, &t->a, out, &t->e);
}

/* `expect ...` */
static int
expect(struct test_reader *t, struct test_eval *ev, str rest)
{
	static const char *const names[] = { "fail", "warn", "info", "no_warn",
		"no_info", "ordered", "string", "range" };
	str all = rest, w = promql_test_word(&rest);
	size_t i = word_of(w, names, 8);

	if (i < TEST_WANTS)
		return text_line(t, ev, (enum test_want)i, rest);
	if (i == 5 && rest.n == 0) {
		if (ev->range)
			return promql_test_bad(
			    t, all, "the series of a range have no order");
		ev->ordered = true;
		return 0;
	}
	if (i == 6) {
		ev->has_string = true;
		return string(t, rest, &ev->string);
	}
	if (i == 7 && !ev->range) {
		ev->has_matrix = true;
		if (wanted(t, &rest, "vector") == -1)
			return -1;
		return times(t, &rest, &ev->mfrom, &ev->mto, &ev->mstep);
	}
	return promql_test_bad(
	    t, all, "unknown expectation '%.*s'", STR_ARG(all));
}

int
promql_test_body(struct test_reader *t, struct test_eval *ev, str line)
{
	str rest = line, w = promql_test_word(&rest);
	struct test_series s;

	if (str_eq(w, STR("expect")))
		return expect(t, ev, rest);
	if (str_eq(w, STR("expected_fail_message")))
		return text_add(t, ev, TEST_FAIL, rest, STR_NONE);
	if (str_eq(w, STR("expected_fail_regexp")))
		return text_add(t, ev, TEST_FAIL, STR_NONE, rest);
	if (rest.n == 0 && num_parse(w, &ev->number) == 0) {
		if (ev->scalar || ev->range)
			return promql_test_bad(t, line,
			    ev->range ? "a range has no scalar"
				      : "there is a scalar already");
		ev->scalar = true;
		return 0;
	}
	if (promql_test_series(t, line, &s) == -1)
		return -1;
	for (size_t i = 0; i < ev->n; i++)
		if (label_eq(ev->v[i].ls, s.ls))
			return promql_test_bad(
			    t, line, "the series is there already");
	if (!ev->range && !ev->has_matrix && s.n != 1)
		return promql_test_bad(
		    t, rest, "an instant has one value a series");
	ev->v = arena_grow(&t->a, ev->v, &ev->cap, ev->n + 1, sizeof(s));
	ev->v[ev->n++] = s;
	return 0;
}

/* Do the parts go together?  Faults are those of the eval's own line. */
int
promql_test_sound(struct test_reader *t, struct test_eval *ev)
{
	const bool *w = ev->wants;
	bool noted =
	    w[TEST_WARN] || w[TEST_INFO] || w[TEST_NO_WARN] || w[TEST_NO_INFO];
	size_t steps = 1, kinds = 0;

	if (ev->range)
		steps = (size_t)((ev->to - ev->from) / ev->step) + 1;
	if (ev->has_matrix)
		steps = (size_t)((ev->mto - ev->mfrom) / ev->mstep) + 1;
	for (size_t i = 0; i < ev->n; i++)
		if (ev->v[i].n > steps)
			return promql_test_bad(t, ev->head,
			    "%zu values of a series for %zu steps", ev->v[i].n,
			    steps);
	kinds = (size_t)ev->scalar + ev->has_string + (ev->n > 0);
	if (kinds > 1)
		return promql_test_bad(
		    t, ev->head, "a scalar, a string or series are expected");
	if (w[TEST_FAIL] && (kinds > 0 || noted || ev->ordered))
		return promql_test_bad(
		    t, ev->head, "what fails has no result and no notes");
	if ((w[TEST_WARN] && w[TEST_NO_WARN]) ||
	    (w[TEST_INFO] && w[TEST_NO_INFO]))
		return promql_test_bad(
		    t, ev->head, "notes are expected, or none");
	return 0;
}

void
promql_test_eval_fini(struct test_eval *ev)
{
	for (size_t i = 0; i < ev->ntexts; i++)
		re_free(ev->texts[i].re);
}

bool
promql_test_says(const struct test_text *x, str s)
{
	if (x->msg.n > 0)
		return str_eq(x->msg, s);
	return x->re == NULL || re_match(x->re, s);
}
