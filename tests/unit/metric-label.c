/*
 * metric/label and its text.  Covers label_print.c.
 */
#include "check.h"

#include "metric/label.h"

static struct arena a;
static struct buf b;

static struct labels
parse(const char *text)
{
	struct labels ls = { 0 };
	struct error e = { "" };

	if (label_parse(str_of(text), &a, &ls, &e) == -1)
		printf("# %s: %s\n", text, e.msg);
	return ls;
}

/* Read, then print as the stream does. */
static str
again(const char *text)
{
	buf_reset(&b);
	label_print(&b, parse(text));
	return buf_str(&b);
}

static const char *
wrong(const char *text)
{
	static struct error e;
	struct labels ls;

	if (label_parse(str_of(text), &a, &ls, &e) == 0)
		return "";
	return e.msg;
}

static void
texts(void)
{
	CHECK_STR(again("up"), "up");
	CHECK_STR(again("up{}"), "up");
	CHECK_STR(
	    again(" a:b { z = \"1\" , a=\"2\", } "), "a:b{a=\"2\",z=\"1\"}");
	CHECK_STR(again("m{a=\"1\" b=\"2\"}"), "m{a=\"1\",b=\"2\"}");
	CHECK_STR(again("m{A=\"1\",b=\"\"}"), "m{A=\"1\"}");
	CHECK_STR(again("{\"my.metric\",\"l 2\"=\"x\",a=\"b\"}"),
	    "{\"my.metric\",a=\"b\",\"l 2\"=\"x\"}");
	CHECK_STR(again("m{a=\"\\\\ \\\" \\n \\x\"}"),
	    "m{a=\"\\\\ \\\" \\n \\\\x\"}");
	CHECK_STR(again("{a=\"b\"}"), "_{a=\"b\"}");
	CHECK_STR(again("{}"), "_");
	CHECK_STR(again("{__name__=\"x\",b=\"1\"}"), "x{b=\"1\"}");
	CHECK_STR(again("m{e=\"}\",c=\"a # b\"}"), "m{c=\"a # b\",e=\"}\"}");
	buf_reset(&b);
	label_print_set(&b, parse("m{b=\"1\",A=\"2\"}"));
	CHECK_STR(buf_str(&b), "{A=\"2\",__name__=\"m\",b=\"1\"}");
	buf_reset(&b);
	label_print_set(&b, parse("{}"));
	CHECK_STR(buf_str(&b), "{}");
	buf_reset(&b);
	label_print_metric(&b, parse("m{b=\"1\",c=\"\t\xc3\xa9\"}"));
	CHECK_STR(buf_str(&b), "m{b=\"1\", c=\"\\t\xc3\xa9\"}");
	buf_reset(&b);
	label_print_metric(&b, parse("{\"m.m\",b=\"1\"}"));
	label_print_metric(&b, parse("{b=\"1\"}"));
	label_print_metric(&b, parse("{}"));
	label_print_metric(&b, parse("x"));
	CHECK_STR(buf_str(&b), "{\"m.m\", b=\"1\"}{b=\"1\"}{}x");
	buf_reset(&b);
	{
		struct json_writer w;

		json_init(&w, &b, false);
		label_json(&w, parse("m{a=\"\\\"\"}"));
	}
	CHECK_STR(buf_str(&b), "{\"__name__\":\"m\",\"a\":\"\\\"\"}");
}

static void
errors(void)
{
	CHECK(strcmp(wrong("m{a=\"1\",a=\"2\"}"),
		  "col 1: label name \"a\" is not unique") == 0);
	CHECK(strcmp(wrong("{\"a\",\"b\"}"),
		  "col 6: metric name already set") == 0);
	CHECK(strstr(wrong("m{a=\"1}"), "col 5: unterminated") != NULL);
	CHECK(strstr(wrong("m{a='1'}"), "col 5: ") != NULL);
	CHECK(strstr(wrong("m{,}"), "col 3: ") != NULL);
	CHECK(strstr(wrong("m{a=\"1\",,}"), "col 9: ") != NULL);
	CHECK(strstr(wrong("m{a"), "end of line") != NULL);
	CHECK(strstr(wrong("m{a=\"\xff\"}"), "UTF-8") != NULL);
	CHECK(strstr(wrong("m{a=\"\\\\\xff\"}"), "UTF-8") != NULL);
	CHECK(strstr(wrong("0m"), "col 1: ") != NULL);
	CHECK(strstr(wrong("m{0=\"1\"}"), "col 3: ") != NULL);
	CHECK(strstr(wrong("m x"), "col 3: text after") != NULL);
	CHECK(strstr(wrong("m{a=\"1\\"), "unterminated") != NULL);
	CHECK(strstr(wrong("m{a=\"1\\\""), "unterminated") != NULL);
	CHECK(strstr(wrong(""), "") != NULL);
	CHECK(strstr(wrong("{\"\"}"), "empty") != NULL);
}

static void
sets(void)
{
	struct label_set s;
	struct labels ls;

	label_init(&s, parse("m{b=\"1\",d=\"2\"}"));
	label_set(&s, STR("c"), STR("x"));
	label_set(&s, STR("a"), STR("y"));
	label_set(&s, STR("z"), STR("z"));
	label_set(&s, STR("b"), STR("9"));
	label_set(&s, STR("d"), STR(""));
	label_unset(&s, STR("nope"));
	CHECK_STR(label_get(&s, STR("c")), "x");
	CHECK_STR(label_get(&s, STR("d")), "");
	ls = label_done(&s, &a);
	label_fini(&s);
	buf_reset(&b);
	label_print(&b, ls);
	CHECK_STR(buf_str(&b), "m{a=\"y\",b=\"9\",c=\"x\",z=\"z\"}");
	CHECK_STR(label_find(ls, STR("z")), "z");
	CHECK(label_find(ls, STR("y")).n == 0);
}

static void
identity(void)
{
	struct labels x = parse("m{a=\"1\",b=\"2\"}"), y = parse("m{a=\"1\"}");
	struct label nul = { STR("a"), STR("1\0b\0002") };
	struct labels odd = { &nul, 1 };
	uint64_t h = label_hash(x);

	CHECK(label_cmp(x, y) > 0 && label_cmp(y, x) < 0);
	CHECK(label_eq(x, parse("m{b=\"2\",a=\"1\"}")) && !label_eq(x, y));
	buf_reset(&b);
	label_key(&b, x);
	CHECK_STR(buf_str(&b), "__name__\0m\0a\0001\0b\0002\0");
	CHECK(h == str_hash(buf_str(&b)) && h != label_hash(y));
	buf_reset(&b);
	label_key(&b, odd);
	CHECK_STR(buf_str(&b), "a\0001\377b\3772\0");
	nul.value = STR("0123456789012345678901234\0x\0");
	buf_reset(&b);
	label_key(&b, odd);
	CHECK_STR(buf_str(&b), "a\0000123456789012345678901234\377x\377\0");
	CHECK(label_hash(odd) == str_hash(buf_str(&b)));
	/* the offset basis of FNV-1a, 64 bits */
	CHECK(label_fingerprint((struct labels){ NULL, 0 }) ==
	    UINT64_C(0xcbf29ce484222325));
	/* as Alertmanager 0.33 gives it in a webhook's body */
	CHECK(label_fingerprint(parse("{alertname=\"T\",sev=\"w\"}")) ==
	    UINT64_C(0x3616d9cb82190faf));
}

static void
many(void)
{
	struct labels ls;

	buf_reset(&b);
	buf_z(&b, "m{");
	for (int i = 999; i >= 0; i--)
		buf_printf(&b, "l%03d=\"%d\",", i, i);
	buf_z(&b, "}");
	CHECK(label_parse(buf_str(&b), &a, &ls, NULL) == 0);
	CHECK(ls.n == 1001);
	CHECK_STR(ls.v[0].name, "__name__");
	CHECK_STR(ls.v[1].name, "l000");
	CHECK(label_hash(ls) != 0);
	CHECK(label_name_valid(STR("a_1")) && !label_name_valid(STR("a:b")));
	CHECK(label_metric_valid(STR("a:b")) && !label_metric_valid(STR("")));
	CHECK(!label_metric_valid(STR("1a")) && !label_name_valid(STR("\xc3")));
}

int
main(void)
{
	texts();
	errors();
	sets();
	identity();
	many();
	buf_fini(&b);
	arena_fini(&a);
	return done();
}
