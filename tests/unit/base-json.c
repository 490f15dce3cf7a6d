/* base/json: the writer, and the strict reader. */
#include "check.h"

#include "base/json.h"

static void
writer(void)
{
	struct json_writer w;
	struct buf b = { 0 };

	json_init(&w, &b, false);
	json_open(&w, '{');
	json_key(&w, STR("a"));
	json_int(&w, -1);
	json_key(&w, STR("b"));
	json_open(&w, '[');
	json_str(&w, STR("x\"\\\n\t\b\x01<&>\xe2\x80\xa8"));
	json_bool(&w, true);
	json_bool(&w, false);
	json_nil(&w);
	json_open(&w, '{');
	json_close(&w, '}');
	json_raw(&w, STR("[1]"));
	json_close(&w, ']');
	json_key(&w, STR("c"));
	json_str(&w, STR("bad\xff"));
	json_close(&w, '}');
	CHECK_STR(buf_str(&b),
	    "{\"a\":-1,\"b\":[\"x\\\"\\\\\\n\\t\\b\\u0001<&>\xe2\x80\xa8\","
	    "true,false,null,{},[1]],\"c\":\"bad\\ufffd\"}");
	buf_reset(&b);
	json_init(&w, &b, true);
	json_str(&w, STR("<&>\xe2\x80\xa8\xe2\x80\xa9\xe3\x83\x86"));
	CHECK_STR(
	    buf_str(&b), "\"\\u003c\\u0026\\u003e\\u2028\\u2029\xe3\x83\x86\"");
	buf_fini(&b);
}

static void
numbers(void)
{
	static const struct {
		double v;
		const char *text;
	} t[] = {
		{ 0, "0" },
		{ 1, "1" },
		{ -1.5, "-1.5" },
		{ 1e20, "100000000000000000000" },
		{ 1e21, "1e+21" },
		{ 1e-6, "0.000001" },
		{ 1e-7, "1e-7" },
		{ 1.5e-10, "1.5e-10" },
		{ 1e-300, "1e-300" },
		{ 1637582400.5, "1637582400.5" },
	};
	struct json_writer w;
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		buf_reset(&b);
		json_init(&w, &b, false);
		json_num(&w, t[i].v);
		CHECK(str_eq(buf_str(&b), str_of(t[i].text)));
	}
	buf_fini(&b);
}

static void
reader(void)
{
	struct arena a = { 0 };
	struct error e;
	const struct json_value *v, *l;

	v = json_parse(&a,
	    STR(" {\"z\":1,\"a\":[1.5,\"t\\u0000\",true,null,{}],\"s\":\"x\"}"),
	    &e);
	CHECK(v != NULL && v->kind == JSON_OBJECT && v->n == 3);
	CHECK_STR(v->v[0].key, "z");
	CHECK(json_find(v, "z")->is_int && json_find(v, "z")->integer == 1);
	CHECK(json_find(v, "z")->number == 1);
	l = json_find(v, "a");
	CHECK(l->kind == JSON_ARRAY && l->n == 5);
	CHECK(l->v[0].kind == JSON_NUMBER && l->v[0].number == 1.5 &&
	    !l->v[0].is_int);
	CHECK_STR(l->v[1].string, "t\0");
	CHECK(l->v[2].kind == JSON_BOOL && l->v[2].boolean);
	CHECK(l->v[3].kind == JSON_NULL && l->v[4].kind == JSON_OBJECT);
	CHECK_STR(json_find_str(v, "s"), "x");
	CHECK(json_find_str(v, "z").n == 0 && json_find_str(NULL, "z").n == 0);
	CHECK(json_find(l, "z") == NULL);
	v = json_parse(&a, STR("123456789012345678901234567890"), &e);
	CHECK(v != NULL && v->kind == JSON_NUMBER && v->number > 1e29);
	v = json_parse(&a, STR("\"x\""), &e);
	CHECK(v != NULL && v->kind == JSON_STRING);
	arena_fini(&a);
}

static void
refused(void)
{
	static const str bad[] = {
		STR_INIT(""),
		STR_INIT("{"),
		STR_INIT("{\"a\":1}x"),
		STR_INIT("{\"a\":1,\"a\":2}"),
		STR_INIT("[1,]"),
		STR_INIT("nul"),
		STR_INIT("'a'"),
		STR_INIT("\"\xff\""),
		STR_INIT("01"),
		STR_INIT("1e999"),
		STR_INIT("NaN"),
	};
	struct arena a = { 0 };
	struct error e;
	struct buf deep = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(json_parse(&a, bad[i], &e) == NULL);
	CHECK(json_parse(&a, STR("{\n  \"a\": x}"), &e) == NULL);
	CHECK(strncmp(e.msg, "2:", 2) == 0);
	for (int i = 0; i < 100000; i++)
		buf_byte(&deep, '[');
	CHECK(json_parse(&a, buf_str(&deep), &e) == NULL);
	buf_fini(&deep);
	arena_fini(&a);
}

/* What is quoted eight bytes at a time, and what ends that, at each place. */
static void
places(void)
{
	struct buf b = { NULL, 0, 0 };
	int bad = 0;

	for (int c = 1; c < 256; c++)
		for (size_t at = 0; at < 20; at++) {
			char text[20], one = (char)c;
			struct json_writer w;
			size_t from, n;

			memset(text, 'a', sizeof(text));
			buf_reset(&b);
			json_init(&w, &b, true);
			json_str(&w, (str){ &one, 1 });
			from = b.n;
			text[at] = one;
			w.pending = false;
			json_str(&w, (str){ text, sizeof(text) });
			n = from - 2; /* without quotes */
			bad += b.n != from + 2 + sizeof(text) - 1 + n ||
			    memcmp(b.p + 1, b.p + from + 1 + at, n) != 0;
		}
	CHECK(bad == 0);
	buf_fini(&b);
}

int
main(void)
{
	writer();
	places();
	numbers();
	reader();
	refused();
	return done();
}
