/* metric/relabel.  Covers relabel_load.c. */
#include "check.h"

#include "metric/relabel.h"

/* Rules in flow text, a set, and what becomes of it; NULL: dropped. */
static const struct row {
	const char *rules, *in, *out;
	bool legacy;
} rows[] = {
	/* replace */
	{ "{target_label: b, replacement: x}", "{a=\"1\"}", "{a=\"1\",b=\"x\"}",
	    0 },
	{ "{source_labels: [a], target_label: b}", "{a=\"1\"}",
	    "{a=\"1\",b=\"1\"}", 0 },
	{ "{source_labels: [a], target_label: b, replacement: '${1}'}",
	    "{a=\"1\"}", "{a=\"1\",b=\"1\"}", 0 },
	{ "{source_labels: [a], target_label: b, replacement: '$0'}",
	    "{a=\"1\"}", "{a=\"1\",b=\"1\"}", 0 },
	{ "{source_labels: [none], target_label: b}", "{a=\"1\",b=\"2\"}",
	    "{a=\"1\"}", 0 },
	{ "{target_label: b, replacement: ''}", "{a=\"1\",b=\"2\"}",
	    "{a=\"1\"}", 0 },
	{ "{source_labels: [a], regex: 'f(.*)', target_label: b, "
	  "replacement: 'ch${1}-ch${1}'}",
	    "{a=\"foo\",b=\"bar\"}", "{a=\"foo\",b=\"choo-choo\"}", 0 },
	{ "{source_labels: [a], regex: 'o(.*)', target_label: b}",
	    "{a=\"foo\",b=\"bar\"}", "{a=\"foo\",b=\"bar\"}", 0 },
	{ "{source_labels: [a], regex: 'fo', target_label: b}", "{a=\"foo\"}",
	    "{a=\"foo\"}", 0 },
	{ "{source_labels: [a], regex: fo, target_label: b, replacement: x}",
	    "{a=\"foo\"}", "{a=\"foo\"}", 0 },
	{ "{source_labels: [a], regex: foo, target_label: b, replacement: x}",
	    "{a=\"foo\"}", "{a=\"foo\",b=\"x\"}", 0 },
	{ "{source_labels: [a], regex: foo|x, target_label: b, replacement: "
	  "''}",
	    "{a=\"x\",b=\"1\"}", "{a=\"x\"}", 0 },
	{ "{source_labels: [a, b], target_label: c}", "{a=\"1\",b=\"2\"}",
	    "{a=\"1\",b=\"2\",c=\"1;2\"}", 0 },
	{ "{source_labels: [b, x, a], separator: '--', target_label: c}",
	    "{a=\"1\",b=\"2\"}", "{a=\"1\",b=\"2\",c=\"2----1\"}", 0 },
	{ "{source_labels: [a, b], separator: '', target_label: c}",
	    "{a=\"1\",b=\"2\"}", "{a=\"1\",b=\"2\",c=\"12\"}", 0 },
	{ "{source_labels: [a, b], separator: null, target_label: c}",
	    "{a=\"1\",b=\"2\"}", "{a=\"1\",b=\"2\",c=\"12\"}", 0 },
	{ "{source_labels: [a, a], target_label: a}", "{a=\"1\"}",
	    "{a=\"1;1\"}", 0 },
	{ "{source_labels: [a, b], regex: '(.*);(.*)', target_label: '$1', "
	  "replacement: '$2'}",
	    "{a=\"k\",b=\"v\"}", "{a=\"k\",b=\"v\",k=\"v\"}", 0 },
	{ "{source_labels: [a], regex: '(?P<n>.)(.*)', "
	  "target_label: 'x_${n}', replacement: '${2}!$n$$'}",
	    "{a=\"abc\"}", "{a=\"abc\",x_a=\"bc!a$\"}", 0 },
	{ "{source_labels: [a], target_label: b, replacement: '$1x$2y${3}z'}",
	    "{a=\"q\"}", "{a=\"q\",b=\"z\"}", 0 },
	{ "{source_labels: [a], target_label: b, replacement: '$'}",
	    "{a=\"q\"}", "{a=\"q\",b=\"$\"}", 0 },
	{ "{source_labels: [a], target_label: b, replacement: 'x$1'}",
	    "{a=\"q\"}", "{a=\"q\",b=\"xq\"}", 0 },
	{ "{source_labels: [a], target_label: b, replacement: 'x$1'}",
	    "{c=\"q\"}", "{b=\"x\",c=\"q\"}", 0 },
	{ "{source_labels: [a], regex: 'a.b', target_label: b, "
	  "replacement: y}",
	    "{a=\"a\\nb\"}", "{a=\"a\\nb\",b=\"y\"}", 0 },
	{ "{source_labels: [a], target_label: b}", "{a=\"a\\nb\"}",
	    "{a=\"a\\nb\",b=\"a\\nb\"}", 0 },
	{ "{source_labels: [a], regex: '', target_label: b, replacement: e}",
	    "{c=\"1\"}", "{b=\"e\",c=\"1\"}", 0 },
	{ "{source_labels: [a], regex: '', target_label: b, replacement: e}",
	    "{a=\"1\"}", "{a=\"1\"}", 0 },
	{ "{source_labels: [a], regex: , target_label: b, replacement: e}",
	    "{a=\"1\"}", "{a=\"1\"}", 0 },
	{ "{source_labels: [__name__], regex: 'a|b', target_label: __name__, "
	  "replacement: c}",
	    "a{x=\"1\"}", "{__name__=\"c\",x=\"1\"}", 0 },
	{ "{source_labels: [a], regex: '(?i)FOO', target_label: b, "
	  "replacement: y}",
	    "{a=\"foo\"}", "{a=\"foo\",b=\"y\"}", 0 },
	{ "{source_labels: [a], regex: '([^:]+)(?::\\d+)?', target_label: b, "
	  "replacement: '$1:9100'}",
	    "{a=\"h:80\"}", "{a=\"h:80\",b=\"h:9100\"}", 0 },
	{ "{source_labels: ['a b'], target_label: 'c d'}", "{\"a b\"=\"1\"}",
	    "{\"a b\"=\"1\",\"c d\"=\"1\"}", 0 },
	{ "{source_labels: [a], target_label: '${1}'}", "{a=\"x.y\"}",
	    "{a=\"x.y\",\"x.y\"=\"x.y\"}", 0 },
	/* an invalid name that comes about leaves all as it was */
	{ "{source_labels: [a], target_label: '${1}'}", "{a=\"x.y\"}",
	    "{a=\"x.y\"}", 1 },
	{ "{source_labels: [a], regex: '(.)(.)', target_label: '${1}'}",
	    "{a=\"1x\"}", "{a=\"1x\"}", 1 },
	{ "{source_labels: [a], target_label: '$2', replacement: x}",
	    "{a=\"1\"}", "{a=\"1\"}", 0 },
	{ "{source_labels: [a], target_label: 'a${2}', replacement: x}",
	    "{a=\"1\"}", "{a=\"x\"}", 1 },
	/* keep, drop */
	{ "{source_labels: [a], regex: foo, action: keep}", "{a=\"foo\"}",
	    "{a=\"foo\"}", 0 },
	{ "{source_labels: [a], regex: fo, action: keep}", "{a=\"foo\"}", NULL,
	    0 },
	{ "{source_labels: [a], regex: foo, action: keep}", "{b=\"foo\"}", NULL,
	    0 },
	{ "{source_labels: [a], regex: 'f?', action: keep}", "{b=\"1\"}",
	    "{b=\"1\"}", 0 },
	{ "{source_labels: [a], action: keep}", "{b=\"1\"}", "{b=\"1\"}", 0 },
	{ "{regex: foo, action: keep}", "{a=\"foo\"}", NULL, 0 },
	{ "{source_labels: [a], regex: foo, action: DROP}", "{a=\"foo\"}", NULL,
	    0 },
	{ "{source_labels: [a], regex: 'oo', action: drop}", "{a=\"foo\"}",
	    "{a=\"foo\"}", 0 },
	{ "{source_labels: [a], action: drop}", "{b=\"1\"}", NULL, 0 },
	{ "{action: drop}, {target_label: x, replacement: y}", "{b=\"1\"}",
	    NULL, 0 },
	{ "{source_labels: [a], regex: '1|2', action: Keep}, "
	  "{target_label: x, replacement: y}",
	    "{a=\"2\"}", "{a=\"2\",x=\"y\"}", 0 },
	/* keepequal, dropequal */
	{ "{source_labels: [a], target_label: b, action: keepequal}",
	    "{a=\"1\",b=\"1\"}", "{a=\"1\",b=\"1\"}", 0 },
	{ "{source_labels: [a], target_label: b, action: keepequal}",
	    "{a=\"1\",b=\"2\"}", NULL, 0 },
	{ "{source_labels: [x], target_label: y, action: KeepEqual}",
	    "{a=\"1\",b=\"2\"}", "{a=\"1\",b=\"2\"}", 0 },
	{ "{source_labels: [a, b], target_label: c, action: dropequal}",
	    "{a=\"1\",b=\"2\",c=\"1;2\"}", NULL, 0 },
	{ "{source_labels: [a, b], target_label: c, action: dropequal}",
	    "{a=\"1\",b=\"2\",c=\"12\"}", "{a=\"1\",b=\"2\",c=\"12\"}", 0 },
	{ "{source_labels: [x], target_label: y, action: dropequal}",
	    "{a=\"1\"}", NULL, 0 },
	/* hashmod: printf x | md5sum, the last 16 digits, modulo */
	{ "{source_labels: [a], modulus: 1000, target_label: h, "
	  "action: hashmod}",
	    "{a=\"x\"}", "{a=\"x\",h=\"726\"}", 0 },
	{ "{source_labels: [a, b], modulus: 8, target_label: h, "
	  "action: hashmod}",
	    "{a=\"a\",b=\"b\"}", "{a=\"a\",b=\"b\",h=\"2\"}", 0 },
	{ "{modulus: 1000, target_label: h, action: HashMod}", "{a=\"1\"}",
	    "{a=\"1\",h=\"958\"}", 0 },
	{ "{source_labels: [a], modulus: 1, target_label: h, "
	  "action: hashmod}",
	    "{a=\"x\"}", "{a=\"x\",h=\"0\"}", 0 },
	{ "{source_labels: [a], modulus: 9007199254740993, target_label: h, "
	  "action: hashmod}",
	    "{a=\"localhost:9090\"}",
	    "{a=\"localhost:9090\",h=\"2706488967689020\"}", 0 },
	{ "{source_labels: [a], modulus: 18446744073709551615, "
	  "target_label: h, action: hashmod}",
	    "{a=\"x\"}", "{a=\"x\",h=\"17710500428000290726\"}", 0 },
	{ "{source_labels: [a], modulus: 10.9, target_label: h, "
	  "action: hashmod}",
	    "{a=\"x\"}", "{a=\"x\",h=\"6\"}", 0 },
	/* what is a regex only between ^(?s: and )$ */
	{ "{source_labels: [a], regex: 'x)|(y', action: keep}", "{a=\"x1\"}",
	    "{a=\"x1\"}", 0 },
	{ "{source_labels: [a], regex: 'x)|(y', action: keep}", "{a=\"y1\"}",
	    NULL, 0 },
	{ "{source_labels: [a], regex: 'x)(.', target_label: b}", "{a=\"xy\"}",
	    "{a=\"xy\",b=\"y\"}", 0 },
	{ "{regex: 'x)|(y', action: labelmap, replacement: 'z$1'}",
	    "{x1=\"1\"}", "{x1=\"1\",z1=\"1\"}", 0 },
	/* labelmap */
	{ "{regex: 'm_(.*)', action: labelmap}", "{m_a=\"1\",m_b=\"2\"}",
	    "{a=\"1\",b=\"2\",m_a=\"1\",m_b=\"2\"}", 0 },
	{ "{regex: 'm_(a|b)', replacement: 'x_${1}_y', action: labelmap}",
	    "{m_a=\"1\",m_c=\"2\"}", "{m_a=\"1\",m_c=\"2\",x_a_y=\"1\"}", 0 },
	{ "{regex: '._(.)', action: labelmap}", "{a_x=\"1\",b_x=\"2\"}",
	    "{a_x=\"1\",b_x=\"2\",x=\"2\"}", 0 },
	{ "{regex: 'm_(.*)', action: labelmap}", "{a=\"0\",m_a=\"1\"}",
	    "{a=\"1\",m_a=\"1\"}", 0 },
	{ "{regex: 'a', replacement: b, action: labelmap}",
	    "{a=\"1\",b=\"2\",c=\"3\"}", "{a=\"1\",b=\"1\",c=\"3\"}", 0 },
	{ "{regex: '(a)|(b)', replacement: '${2}${1}_', action: labelmap}",
	    "{a=\"1\",b=\"2\"}", "{a=\"1\",a_=\"1\",b=\"2\",b_=\"2\"}", 0 },
	{ "{regex: 'a(.*)', replacement: '$1', action: labelmap}", "{a=\"1\"}",
	    "{a=\"1\"}", 0 },
	{ "{action: labelmap}", "{a=\"1\"}", "{a=\"1\"}", 0 },
	/* what labelmap makes is not mapped again */
	{ "{regex: 'a(.*)', replacement: 'aa$1', action: labelmap}",
	    "{a=\"1\",aa=\"2\"}", "{a=\"1\",aa=\"1\",aaa=\"2\"}", 0 },
	/* labeldrop, labelkeep */
	{ "{regex: 'a|b.', action: labeldrop}",
	    "{a=\"1\",aa=\"2\",b=\"3\",bb=\"4\"}", "{aa=\"2\",b=\"3\"}", 0 },
	{ "{regex: 'a|b.', action: labelkeep}",
	    "{a=\"1\",aa=\"2\",b=\"3\",bb=\"4\"}", "{a=\"1\",bb=\"4\"}", 0 },
	{ "{action: labeldrop}", "{a=\"1\"}", "{}", 0 },
	{ "{action: labelkeep}", "{a=\"1\"}", "{a=\"1\"}", 0 },
	{ "{regex: x, action: labelkeep}", "{a=\"1\"}", "{}", 0 },
	{ "{regex: null, action: labelkeep}", "{a=\"1\"}", "{}", 0 },
	/* lowercase, uppercase */
	{ "{source_labels: [a], target_label: b, action: lowercase}",
	    "{a=\"FooÄ\"}", "{a=\"FooÄ\",b=\"fooä\"}", 0 },
	{ "{source_labels: [a, b], target_label: c, action: uppercase}",
	    "{a=\"x1\",b=\"ß\"}", "{a=\"x1\",b=\"ß\",c=\"X1;ß\"}", 0 },
	{ "{source_labels: [x], target_label: a, action: Uppercase}",
	    "{a=\"1\",b=\"2\"}", "{b=\"2\"}", 0 },
	/* one after another */
	{ "{source_labels: [a], target_label: b}, "
	  "{source_labels: [b], regex: '1', target_label: c, replacement: z}, "
	  "{regex: a, action: labeldrop}",
	    "{a=\"1\"}", "{b=\"1\",c=\"z\"}", 0 },
	{ "", "{a=\"1\"}", "{a=\"1\"}", 0 },
};

/* Rules that are refused, and the whole message. */
static const struct {
	const char *rules, *message;
	bool legacy;
} bad[] = {
	{ "{action: frob}", "f:1:11: unknown relabel action \"frob\"", 0 },
	{ "{action: ''}", "f:1:11: unknown relabel action \"\"", 0 },
	{ "{action: null}", "f:1:11: relabel action cannot be empty", 0 },
	{ "{action: [keep]}", "f:1:11: cannot unmarshal a list into a string",
	    0 },
	{ "{actoin: keep}", "f:1:3: unknown key \"actoin\"", 0 },
	{ "{regex: 'a(b', action: keep}",
	    "f:1:10: error parsing regexp: missing closing ): `a(b`", 0 },
	{ "{regex: 'a))(', action: keep}",
	    "f:1:10: error parsing regexp: unexpected ): `a))(`", 0 },
	{ "{regex: a}",
	    "f:1:2: relabel configuration for replace action requires "
	    "'target_label' value",
	    0 },
	{ "{source_labels: [a], action: Lowercase}",
	    "f:1:2: relabel configuration for lowercase action requires "
	    "'target_label' value",
	    0 },
	{ "{source_labels: [a], action: keepequal}",
	    "f:1:2: relabel configuration for keepequal action requires "
	    "'target_label' value",
	    0 },
	{ "{target_label: a, action: hashmod}",
	    "f:1:2: relabel configuration for hashmod requires non-zero "
	    "modulus",
	    0 },
	{ "{modulus: 4, action: hashmod}",
	    "f:1:2: relabel configuration for hashmod action requires "
	    "'target_label' value",
	    0 },
	{ "{modulus: -4, target_label: a, action: hashmod}",
	    "f:1:12: modulus must be a number from 0 to 2^64 - 1", 0 },
	{ "{modulus: many, target_label: a, action: hashmod}",
	    "f:1:12: cannot unmarshal `many` into a number", 0 },
	{ "{source_labels: a, target_label: b}",
	    "f:1:18: source_labels: expected a list", 0 },
	{ "{source_labels: ['']}", "f:1:19: \"\" is not a valid label name",
	    0 },
	{ "{source_labels: [a], target_label: a.b}",
	    "f:1:37: \"a.b\" is invalid 'target_label' for replace action", 1 },
	{ "{source_labels: [a], target_label: '1$1'}",
	    "f:1:37: \"1$1\" is invalid 'target_label' for replace action", 1 },
	{ "{source_labels: [a], target_label: 'a${1'}",
	    "f:1:37: \"a${1\" is invalid 'target_label' for replace action",
	    1 },
	{ "{source_labels: [a], target_label: 'a$'}",
	    "f:1:37: \"a$\" is invalid 'target_label' for replace action", 1 },
	{ "{source_labels: [a], target_label: '${}'}",
	    "f:1:37: \"${}\" is invalid 'target_label' for replace action", 1 },
	{ "{target_label: $a, modulus: 2, action: hashmod}",
	    "f:1:17: \"$a\" is invalid 'target_label' for hashmod action", 1 },
	{ "{target_label: a-b, action: uppercase}",
	    "f:1:17: \"a-b\" is invalid 'target_label' for uppercase action",
	    1 },
	{ "{target_label: a, replacement: b, action: uppercase}",
	    "f:1:20: 'replacement' can not be set for uppercase action", 0 },
	{ "{target_label: a, replacement: b, action: dropequal}",
	    "f:1:20: 'replacement' can not be set for dropequal action", 0 },
	{ "{target_label: a, regex: '(.*)', action: dropequal}",
	    "f:1:2: dropequal action requires only 'source_labels' and "
	    "`target_label`, and no other fields",
	    0 },
	{ "{target_label: a, separator: '', action: keepequal}",
	    "f:1:2: keepequal action requires only 'source_labels' and "
	    "`target_label`, and no other fields",
	    0 },
	{ "{replacement: '', action: labelmap}",
	    "f:1:16: \"\" is invalid 'replacement' for labelmap action", 0 },
	{ "{replacement: '-$1', action: labelmap}",
	    "f:1:16: \"-$1\" is invalid 'replacement' for labelmap action", 1 },
	{ "{source_labels: [], action: labeldrop}",
	    "f:1:2: labeldrop action requires only 'regex', and no other "
	    "fields",
	    0 },
	{ "{separator: ',', action: labelkeep}",
	    "f:1:2: labelkeep action requires only 'regex', and no other "
	    "fields",
	    0 },
	{ "{replacement: x, action: labelkeep}",
	    "f:1:2: labelkeep action requires only 'regex', and no other "
	    "fields",
	    0 },
	{ "null", "f:1:2: empty or null metric relabeling rule", 0 },
	{ "{target_label: a}, text",
	    "f:1:21: metric_relabel_configs: expected a map", 0 },
};

static int
load(struct conf **c, struct relabels *r, const char *rules, bool legacy,
    struct error *e)
{
	struct buf b = { 0 };
	int rc = -1;

	*r = (struct relabels){ 0 };
	buf_printf(&b, "[%s]", rules);
	*c = conf_parse(buf_str(&b), "f", NULL, e);
	if (*c != NULL)
		rc = relabel_load(
		    r, conf_root(*c), "metric_relabel_configs", legacy, e);
	buf_fini(&b);
	return rc;
}

struct told {
	struct buf b;
	size_t n;
};

static void
tell(void *arg, const struct relabel_step *s)
{
	struct told *t = arg;

	if (s->i != t->n++)
		buf_z(&t->b, "order! ");
	buf_printf(&t->b, "%s%s%s [%.*s] %.*s ", s->action,
	    s->matched ? "+" : "-", s->kept ? "" : " dropped",
	    STR_ARG(s->value), STR_ARG(s->rule));
	label_print_set(&t->b, s->before);
	label_print_set(&t->b, s->after);
	buf_byte(&t->b, '\n');
}

/* Both ways of applying give the same set and the same verdict. */
static bool
row(const struct row *w)
{
	struct arena a = { 0 };
	struct buf got = { 0 };
	struct label_set set, again;
	struct labels in;
	struct relabels r;
	struct told t = { 0 };
	struct conf *c;
	struct error e;
	bool ok = load(&c, &r, w->rules, w->legacy, &e) == 0 &&
	    label_parse(str_of(w->in), &a, &in, &e) == 0;

	if (ok) {
		label_init(&set, in);
		label_init(&again, in);
		if (relabel_apply(&r, &set, &a))
			label_print_set(&got, label_view(&set));
		else
			buf_z(&got, "dropped");
		ok = str_eq(
		    buf_str(&got), str_of(w->out != NULL ? w->out : "dropped"));
		if (relabel_explain(&r, &again, &a, tell, &t) !=
			(w->out != NULL) ||
		    !label_eq(label_view(&set), label_view(&again)))
			ok = false;
		label_fini(&set);
		label_fini(&again);
	} else
		buf_z(&got, e.msg);
	if (!ok)
		printf("# %s %s: %s\n", w->rules, w->in, buf_cstr(&got));
	buf_fini(&t.b);
	buf_fini(&got);
	relabel_free(&r);
	conf_free(c);
	arena_fini(&a);
	return ok;
}

static bool
refused(const char *rules, bool legacy, const char *message)
{
	struct relabels r;
	struct conf *c;
	struct error e = { "accepted" };
	bool ok = load(&c, &r, rules, legacy, &e) == -1 && r.n == 0 &&
	    r.v == NULL && strcmp(e.msg, message) == 0;

	if (!ok)
		printf("# %s: %s\n", rules, e.msg);
	relabel_free(&r);
	conf_free(c);
	return ok;
}

static void
explained(void)
{
	struct arena a = { 0 };
	struct label_set set;
	struct labels in;
	struct relabels r;
	struct told t = { 0 };
	struct conf *c;
	struct error e;

	CHECK(
	    load(&c, &r,
		"{source_labels: [a, b], regex: \"x;(.*)\", target_label: c}, "
		"{action: Keep, source_labels: [d], regex: '\\d+'}, "
		"{target_label: z, replacement: z}",
		false, &e) == 0);
	CHECK(label_parse(STR("{a=\"x\",b=\"y\"}"), &a, &in, &e) == 0);
	label_init(&set, in);
	CHECK(!relabel_explain(&r, &set, &a, tell, &t));
	CHECK_STR(buf_str(&t.b),
	    "replace+ [x;y] {source_labels: [a, b], regex: \"x;(.*)\", "
	    "target_label: c} {a=\"x\",b=\"y\"}{a=\"x\",b=\"y\",c=\"y\"}\n"
	    "keep- dropped [] {action: Keep, source_labels: [d], "
	    "regex: \"\\\\d+\"} {a=\"x\",b=\"y\",c=\"y\"}"
	    "{a=\"x\",b=\"y\",c=\"y\"}\n");
	CHECK_STR(label_get(&set, STR("c")), "y");
	label_fini(&set);
	buf_fini(&t.b);
	relabel_free(&r);
	conf_free(c);
	arena_fini(&a);
}

int
main(void)
{
	struct relabels r;
	struct error e;
	struct conf *c;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK(row(&rows[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(refused(bad[i].rules, bad[i].legacy, bad[i].message));
	explained();
	CHECK(relabel_load(&r, NULL, "x", false, &e) == 0 && r.n == 0);
	c = conf_parse(STR("a: 1"), "f", NULL, &e);
	CHECK(
	    relabel_load(&r, conf_root(c), "relabel_configs", false, &e) == -1);
	CHECK_STR(str_of(e.msg), "f:1:1: relabel_configs: expected a list");
	conf_free(c);
	return done();
}
