/*
 * The language: scan, parse, node, literal, exec and Go's own functions, each
 * as a template and what comes out, or the error.  Covers
 * builtin.c, literal.c, node.c, parse.c and scan.c.
 */
#include "base/arena.h"
#include "check.h"
#include "tmpl/tmpl.h"

struct point {
	int64_t x;
	const char *name;
};

static int
point_field(struct tmpl_run *r, const void *self, str name,
    const struct tmpl_value *args, size_t nargs, struct tmpl_value *out,
    struct error *e)
{
	const struct point *p = self;

	(void)r;
	(void)nargs;
	if (str_eq(name, STR("X")))
		*out = tmpl_int(p->x);
	else if (str_eq(name, STR("Name")))
		*out = tmpl_string(str_of(p->name));
	else if (str_eq(name, STR("Add")))
		*out = tmpl_int(p->x + args[0].i);
	else if (str_eq(name, STR("Fail")))
		return error_set(e, "out of order");
	else
		return 0;
	return 1;
}

static const char *
point_method(str name)
{
	if (str_eq(name, STR("Add")))
		return "i";
	return str_eq(name, STR("Fail")) ? "" : NULL;
}

static void
point_print(const void *self, struct buf *b)
{
	const struct point *p = self;

	buf_printf(b, "{%lld %s}", (long long)p->x, p->name);
}

static const struct tmpl_type point_type = {
	.type = "test.Point",
	.field = point_field,
	.method = point_method,
	.print = point_print,
};

struct world {
	struct arena a;
	struct tmpl *t;
	struct tmpl_value dot;
	struct tmpl_value points[2];
	struct tmpl_pair pairs[2];
	struct tmpl_pair root[4];
};

static const struct tmpl_func *const tables[] = { tmpl_funcs };

static void
world_init(struct world *w)
{
	static const struct point one = { 1, "one" }, two = { 2, "two" };

	arena_init(&w->a);
	w->t = tmpl_new(tables, 1);
	w->points[0] = tmpl_object(&w->a, &point_type, &one);
	w->points[1] = tmpl_object(&w->a, &point_type, &two);
	w->pairs[0] = (struct tmpl_pair){ STR("a"), tmpl_string(STR("A")) };
	w->pairs[1] = (struct tmpl_pair){ STR("b"), tmpl_string(STR("B")) };
	w->root[0] = (struct tmpl_pair){ STR("M"),
		{ .kind = TMPL_MAP,
		    .map = { w->pairs, 2, "map[string]string", 0 } } };
	w->root[1] = (struct tmpl_pair){ STR("P"), w->points[0] };
	w->root[2] = (struct tmpl_pair){ STR("Ps"), tmpl_list(w->points, 2) };
	w->root[3] = (struct tmpl_pair){ STR("S"), tmpl_string(STR("ess")) };
	w->dot = (struct tmpl_value){ .kind = TMPL_MAP,
		.map = { w->root, 4, NULL, 0 } };
}

static void
world_fini(struct world *w)
{
	tmpl_free(w->t);
	arena_fini(&w->a);
}

/* What the template gives, or "!" and its error. */
static bool
gives(const char *template, const char *want)
{
	struct world w;
	struct buf out = { 0 };
	struct error e;
	bool ok;

	world_init(&w);
	buf_z(&out, "kept|");
	if (tmpl_text(w.t, "", str_of(template), w.dot, &w.a, NULL, &out, &e) ==
	    -1) {
		ok = str_eq(buf_str(&out), STR("kept|"));
		buf_byte(&out, '!');
		buf_z(&out, e.msg);
	} else
		ok = true;
	buf_drop(&out, 5);
	if (!str_eq(buf_str(&out), str_of(want))) {
		printf("# %s\n#  got %s\n# want %s\n", template, buf_cstr(&out),
		    want);
		ok = false;
	}
	buf_fini(&out);
	world_fini(&w);
	return ok;
}

static void
test_literals(void)
{
	CHECK(gives("plain } text", "plain } text"));
	CHECK(gives("{{\"a\\tb\\u00e9\\x41\\101\\\"\"}}{{`r\\n`}}",
	    "a\tb\xc3\xa9"
	    "AA\"r\\n"));
	CHECK(gives("{{'a'}} {{'\\n'}} {{'\\''}} {{'\\xff'}}", "97 10 39 255"));
	CHECK(gives("{{1}} {{-2}} {{+3}} {{0x1F}} {{0o17}} {{0b11}} {{017}} "
		    "{{1_000}}",
	    "1 -2 3 31 15 3 15 1000"));
	CHECK(gives("{{1.5}} {{.5}} {{1e3}} {{1E-2}} {{0x1p4}} {{1e21}}",
	    "1.5 0.5 1000 0.01 16 1e+21"));
	CHECK(gives("{{2i}} {{1+2i}} {{1.5-2e1i}}", "(0+2i) (1+2i) (1.5-20i)"));
	CHECK(gives("{{true}}{{false}}", "truefalse"));
	CHECK(gives("{{08}}", "!template: :1: integer overflow: \"08\""));
	CHECK(gives("{{99999999999999999999}}",
	    "!template: :1: integer overflow: \"99999999999999999999\""));
	CHECK(gives("{{9223372036854775807}} {{-9223372036854775808}}",
	    "9223372036854775807 -9223372036854775808"));
	CHECK(gives("{{\"\\q\"}}", "!template: :1: invalid syntax"));
	CHECK(gives(
	    "{{'ab'}}", "!template: :1: malformed character constant: 'ab'"));
	CHECK(gives(
	    "{{1__0}}", "!template: :1: illegal number syntax: \"1__0\""));
	CHECK(gives("{{12ab}}", "!template: :1: bad number syntax: \"12a\""));
}

static void
test_text(void)
{
	CHECK(gives("a {{- 1 -}} b", "a1b"));
	CHECK(gives("a\n\t {{- /* c */ -}} \n b", "ab"));
	CHECK(gives("a {{/* c }} */}} b", "a  b"));
	CHECK(gives("{{\"}}\"}}", "}}"));
	CHECK(gives("x\n{{.S\n}}\n{{$}}",
	    "x\ness\nmap[M:map[a:A b:B] "
	    "P:{1 one} Ps:[{1 one} {2 two}] "
	    "S:ess]"));
	CHECK(gives("{{/* a", "!template: :1: unclosed comment"));
	CHECK(gives("{{/* a */ }}",
	    "!template: :1: comment ends before closing delimiter"));
	CHECK(gives("\n{{\"a", "!template: :2: unterminated quoted string"));
	CHECK(gives("{{`a", "!template: :1: unterminated raw quoted string"));
	CHECK(gives("{{'a", "!template: :1: unterminated character constant"));
	CHECK(gives("{{(1}}", "!template: :1: unclosed left paren"));
	CHECK(gives("{{1)}}", "!template: :1: unexpected right paren"));
	CHECK(gives("{{1 : 2}}", "!template: :1: expected :="));
	CHECK(gives("{{\x01}}",
	    "!template: :1: unrecognized character in action: U+0001"));
	CHECK(gives("{{.a-b}}", "!template: :1: bad character U+002D '-'"));
	CHECK(gives("{{1 ,}}", "!template: :1: unexpected \",\" in operand"));
	CHECK(gives("{{\n\n", "!template: :3: unclosed action started at :1"));
	CHECK(gives("{{", "!template: :1: unclosed action"));
}

static void
test_fields(void)
{
	CHECK(gives(
	    "{{.P.Name}} {{.P.X}} {{.P.Add 4}} {{5 | .P.Add}}", "one 1 5 6"));
	CHECK(gives("{{(index .Ps 1).Name}} {{(.P).X}}", "two 1"));
	CHECK(gives("[{{.M.nope}}] [{{.nope}}] {{.M.a}}", "[] [<no value>] A"));
	CHECK(gives("{{.P.Nope}}",
	    "!template: :1:4: executing \"\" at "
	    "<.P.Nope>: can't evaluate field Nope in "
	    "type test.Point"));
	CHECK(gives("{{.nope.x}}",
	    "!template: :1:7: executing \"\" at "
	    "<.nope.x>: nil pointer evaluating "
	    "interface {}.x"));
	CHECK(gives("a\nb{{.P.Name 1}}",
	    "!template: :2:5: executing \"\" at <.P.Name>: Name has arguments "
	    "but cannot be invoked as function"));
	CHECK(gives("{{.P.Add}}",
	    "!template: :1:4: executing \"\" at <.P.Add>: wrong number of args "
	    "for Add: want 1 got 0"));
	CHECK(gives("{{.P.Add \"x\"}}",
	    "!template: :1:9: executing \"\" at <\"x\">: expected integer; "
	    "found \"x\""));
	CHECK(gives("{{.P.Add .S}}",
	    "!template: :1:9: executing \"\" at <.S>: wrong type for value; "
	    "expected int; got string"));
	CHECK(gives("{{.P.Fail}}",
	    "!template: :1:4: executing \"\" at "
	    "<.P.Fail>: error calling Fail: out of "
	    "order"));
	CHECK(gives("{{nil}}",
	    "!template: :1:2: executing \"\" at <nil>: nil "
	    "is not a command"));
	CHECK(gives("{{1 2}}",
	    "!template: :1:2: executing \"\" at <1>: can't "
	    "give argument to non-function 1"));
	CHECK(gives("{{.M.a 1}}",
	    "!template: :1:4: executing \"\" at <.M.a>: a is not a method but "
	    "has arguments"));
}

static void
test_control(void)
{
	CHECK(gives(
	    "{{if .S}}y{{else}}n{{end}}{{if .M.x}}y{{else}}n{{end}}", "yn"));
	CHECK(gives(
	    "{{if 0}}a{{else if 0.0}}b{{else if \"\"}}c{{else}}d{{end}}", "d"));
	CHECK(gives("{{with .P}}{{.X}}{{end}}{{with .M.x}}a{{else with .S}}"
		    "{{.}}{{else}}b{{end}}",
	    "1ess"));
	CHECK(gives("{{range .Ps}}{{.X}}{{else}}none{{end}}", "12"));
	CHECK(gives(
	    "{{range $i, $p := .Ps}}{{$i}}{{$p.Name}} {{end}}", "0one 1two "));
	CHECK(gives("{{range $k, $v := .M}}{{$k}}={{$v}};{{end}}", "a=A;b=B;"));
	CHECK(gives(
	    "{{range 3}}{{.}}{{end}}{{range $i := 2}}{{$i}}{{end}}", "01201"));
	CHECK(gives("{{range 5}}{{if eq . 1}}{{continue}}{{end}}{{if eq . 3}}"
		    "{{break}}{{end}}{{.}}{{end}}",
	    "02"));
	CHECK(gives(
	    "{{$x := 1}}{{if 1}}{{$x = 2}}{{$y := 3}}{{end}}{{$x}}", "2"));
	CHECK(gives(
	    "{{$x := 0}}{{range $x = .Ps}}{{$x.X}}{{end}}{{$x.X}}", "122"));
	CHECK(gives("{{range 0}}{{else}}none{{end}}", "none"));
	CHECK(gives("{{range .S}}{{end}}",
	    "!template: :1:8: executing \"\" at "
	    "<.S>: range can't iterate over "
	    "ess"));
	CHECK(gives("{{range $a, $b := 3}}{{end}}",
	    "!template: :1:18: executing \"\" at <3>: can't use 3 to iterate "
	    "over more than one variable"));
	CHECK(gives("{{$y = 1}}",
	    "!template: :1:7: executing \"\" at <1>: "
	    "undefined variable: $y"));
	CHECK(gives("{{if 1}}", "!template: :1: unexpected EOF"));
	CHECK(gives("{{else}}", "!template: :1: unexpected {{else}}"));
	CHECK(gives("{{if 1}}{{else}}{{else}}{{end}}",
	    "!template: :1: expected end; found {{else}}"));
	CHECK(gives("{{break}}", "!template: :1: {{break}} outside {{range}}"));
	CHECK(gives("{{if 1}}{{define \"x\"}}{{end}}{{end}}",
	    "!template: :1: unexpected <define> in command"));
	CHECK(gives("{{if}}{{end}}", "!template: :1: missing value for if"));
	CHECK(gives("{{1 | 2}}",
	    "!template: :1: non executable command in "
	    "pipeline stage 2"));
	CHECK(gives("{{1 |}}", "1"));
}

static void
test_templates(void)
{
	CHECK(gives("{{define \"t\"}}<{{.}}>{{end}}{{template \"t\" .S}}"
		    "{{template \"t\"}}",
	    "<ess><<no value>>"));
	CHECK(gives("{{block \"b\" .P}}{{.X}}{{$.Name}}{{end}}", "1one"));
	CHECK(gives("{{template \"x\" .S}}",
	    "!template: :1:11: executing \"\" at <{{template \"x\" .S}}>: "
	    "template \"x\" not defined"));
	CHECK(gives("{{define \"t\"}}{{.P.Q}}{{end}}{{template \"t\" .}}",
	    "!template: :1:18: executing \"t\" at <.P.Q>: can't evaluate field "
	    "Q in type test.Point"));
	CHECK(gives("{{define \"t\"}}a{{end}}{{define \"t\"}}b{{end}}",
	    "!template: :1: template: multiple definition of template \"t\""));
	CHECK(gives("{{$x := 1}}{{define \"t\"}}{{$x}}{{end}}",
	    "!template: :1: undefined variable \"$x\""));
	CHECK(gives("{{define \"t\"}}{{template \"t\"}}{{end}}{{template "
		    "\"t\"}}",
	    "!template: :1:25: executing \"t\" at <{{template \"t\"}}>: "
	    "exceeded maximum template depth (500)"));
}

static void
test_builtins(void)
{
	CHECK(gives("{{or \"\" 0 \"z\" .nope.x}} {{and 1 0 .nope.x}} {{not 0}}",
	    "z 0 true"));
	CHECK(gives("{{0 | or 0}} {{and}}",
	    "!template: :1:15: executing \"\" at <and>: wrong number of args "
	    "for and: want at least 1 got 0"));
	CHECK(gives("{{eq 1 2 1}} {{ne 1 2}} {{lt 1 2}} {{le \"b\" \"a\"}} "
		    "{{gt 1.5 0.5}} {{ge 2 2}}",
	    "true true true false true true"));
	CHECK(gives("{{eq .M.x nil}} {{eq nil nil}}", "false true"));
	CHECK(gives("{{lt 1 1.0}}",
	    "!template: :1:2: executing \"\" at <lt 1 1.0>: error calling lt: "
	    "incompatible types for comparison: int and float64"));
	CHECK(gives("{{eq .M .M}}",
	    "!template: :1:2: executing \"\" at <eq .M .M>: error calling eq: "
	    "non-comparable type map[string]string"));
	CHECK(gives("{{index .Ps 0}} {{index .M \"a\"}} {{index \"abc\" 1}} "
		    "{{index . \"M\" \"b\"}}",
	    "{1 one} A 98 B"));
	CHECK(gives("{{index .Ps 2}}",
	    "!template: :1:2: executing \"\" at <index .Ps 2>: error calling "
	    "index: index out of range: 2"));
	CHECK(gives("{{index .M 1}}",
	    "!template: :1:2: executing \"\" at <index .M 1>: error calling "
	    "index: value has type int; should be string"));
	CHECK(gives("{{slice \"abcdef\" 1 3}} {{slice .Ps 1 | len}} "
		    "{{slice \"ab\" 2}}",
	    "bc 1 "));
	CHECK(gives("{{slice \"ab\" 2 1}}",
	    "!template: :1:2: executing \"\" at <slice \"ab\" 2 1>: error "
	    "calling slice: invalid slice index: 2 > 1"));
	CHECK(gives("{{len .M}}{{len .Ps}}{{len \"h\xc3\xa9\"}}", "223"));
	CHECK(gives("{{html \"<'&\\\">\"}} {{urlquery \"a b/\"}} {{js "
		    "\"'<\\n\"}}",
	    "&lt;&#39;&amp;&#34;&gt; a+b%2F \\'\\u003C\\u000A"));
	CHECK(gives("{{call .S}}",
	    "!template: :1:2: executing \"\" at <call .S>: error calling call: "
	    "non-function .S of type string"));
	CHECK(gives(
	    "{{nofunc}}", "!template: :1: function \"nofunc\" not defined"));
}

/* Templates that would not end, or would eat all memory, do neither. */
static void
test_hostile(void)
{
	struct buf b = { 0 };
	struct world w;
	struct buf out = { 0 };
	struct error e;

	world_init(&w);
	CHECK(tmpl_text(w.t, "", STR("{{range 1000000000}}{{end}}"), w.dot,
		  &w.a, NULL, &out, &e) == -1);
	CHECK(strstr(e.msg, "template takes more than") != NULL);
	CHECK(
	    tmpl_text(w.t, "",
		STR("{{$x := \"aa\"}}{{range 99}}{{$x = print $x $x}}{{end}}"),
		w.dot, &w.a, NULL, &out, &e) == -1);
	CHECK(strstr(e.msg, "template makes more than") != NULL);
	CHECK(tmpl_text(w.t, "",
		  STR("{{range 9999}}{{printf \"%900000d\" 1}}{{end}}"), w.dot,
		  &w.a, NULL, &out, &e) == -1);
	CHECK(out.n == 0);
	for (int i = 0; i < 10000; i++)
		buf_byte(&b, '(');
	buf_z(&b, "1");
	for (int i = 0; i < 10000; i++)
		buf_byte(&b, ')');
	buf_z(&out, "{{");
	buf_add(&out, buf_str(&b));
	buf_z(&out, "}}");
	buf_reset(&b);
	CHECK(
	    tmpl_text(w.t, "", buf_str(&out), w.dot, &w.a, NULL, &b, &e) == -1);
	buf_reset(&out);
	for (int i = 0; i < 10000; i++)
		buf_z(&out, "{{if 1}}");
	CHECK(
	    tmpl_text(w.t, "", buf_str(&out), w.dot, &w.a, NULL, &b, &e) == -1);
	/* Deep at run time: a template in blocks that calls itself. */
	buf_reset(&out);
	buf_z(&out, "{{define \"t\"}}");
	for (int i = 0; i < 90; i++)
		buf_z(&out, "{{if 1}}{{with 1}}");
	buf_z(&out, "{{template \"t\"}}");
	for (int i = 0; i < 180; i++)
		buf_z(&out, "{{end}}");
	buf_z(&out, "{{end}}{{template \"t\"}}");
	CHECK(
	    tmpl_text(w.t, "", buf_str(&out), w.dot, &w.a, NULL, &b, &e) == -1);
	CHECK(strstr(e.msg, "too deeply nested") != NULL);
	CHECK(
	    tmpl_text(w.t, "",
		STR("{{$x := 1}}{{range 100000}}{{$x = list $x}}{{end}}{{$x}}"),
		w.dot, &w.a, NULL, &b, &e) == -1);
	CHECK(strstr(e.msg, "lists are nested too deeply") != NULL);
	CHECK(tmpl_text(w.t, "",
		  STR("{{$x := 1}}{{range 20}}{{$x = list $x $x $x $x}}{{end}}"
		      "{{$x}}"),
		  w.dot, &w.a, NULL, &b, &e) == -1);
	CHECK(tmpl_text(w.t, "",
		  STR("{{$x := 1}}{{range 20}}{{$x = list $x $x $x $x}}{{end}}"
		      "{{$x | toJson}}"),
		  w.dot, &w.a, NULL, &b, &e) == -1);
	CHECK(tmpl_text(w.t, "",
		  STR("{{$x := printf \"%999999d\" 1}}{{range 3999999}}"
		      "{{if eq $x $x}}{{end}}{{end}}"),
		  w.dot, &w.a, NULL, &b, &e) == -1);
	CHECK(b.n == 0);
	buf_fini(&b);
	buf_fini(&out);
	world_fini(&w);
}

/* A later text replaces what an earlier one defined; an empty one doesn't. */
static void
test_sets(void)
{
	struct world w;
	struct buf out = { 0 };
	struct error e;

	world_init(&w);
	CHECK(tmpl_parse(w.t, "a.tmpl",
		  STR("{{define \"x\"}}1{{end}}{{define \"y\"}}2{{end}}"),
		  &e) == 0);
	CHECK(tmpl_parse(w.t, "b.tmpl",
		  STR("{{define \"x\"}}3{{end}}{{define \"y\"}} {{end}}"),
		  &e) == 0);
	CHECK(tmpl_parse(w.t, "c.tmpl", STR("\n{{bad}}"), &e) == -1);
	CHECK_STR(
	    str_of(e.msg), "template: c.tmpl:2: function \"bad\" not defined");
	CHECK(tmpl_text(w.t, "", STR("{{template \"x\"}}{{template \"y\"}}"),
		  w.dot, &w.a, NULL, &out, &e) == 0);
	CHECK_STR(buf_str(&out), "32");
	buf_reset(&out);
	CHECK(tmpl_text(w.t, "",
		  STR("{{define \"x\"}}over{{end}}{{template \"x\"}}"), w.dot,
		  &w.a, NULL, &out, &e) == 0);
	CHECK(tmpl_exec(w.t, "x", w.dot, &w.a, NULL, &out, &e) == 0);
	CHECK_STR(buf_str(&out), "over3");
	CHECK(tmpl_exec(w.t, "z", w.dot, &w.a, NULL, &out, &e) == -1);
	buf_fini(&out);
	world_fini(&w);
}

int
main(void)
{
	test_literals();
	test_text();
	test_fields();
	test_control();
	test_templates();
	test_builtins();
	test_hostile();
	test_sets();
	return done();
}
