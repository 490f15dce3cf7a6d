/* Target groups read from text, JSON (sd_json.c) and YAML; sd_build.c. */
#include "check.h"

#include "scrape/sd_impl.h"

/* The groups as text, or the error. */
static void
is(const char *text, bool json, const char *want)
{
	struct buf b = { 0 };
	struct error e;
	struct sd_part *p = sd_part_parse(
	    str_of(text), json, "f", STR("__meta_x"), STR("/f"), &e);

	for (size_t i = 0; p != NULL && i < p->n; i++) {
		buf_printf(
		    &b, "%s%.*s ", i ? "|" : "", STR_ARG(p->v[i].source));
		label_print_set(&b, p->v[i].labels);
		for (size_t k = 0; k < p->v[i].ntargets; k++) {
			buf_byte(&b, ' ');
			label_print_set(&b, p->v[i].targets[k]);
		}
	}
	if (p == NULL)
		buf_z(&b, e.msg);
	if (strcmp(buf_cstr(&b), want) != 0)
		printf("# got  %s\n# want %s\n", buf_cstr(&b), want);
	CHECK(strcmp(buf_cstr(&b), want) == 0);
	buf_fini(&b);
	sd_part_free(p);
}

static void
json(void)
{
	is("[]", true, "");
	is(" null\n", true, "");
	is("[{}]", true, "/f:0 {__meta_x=\"/f\"}");
	is("[{\"targets\":[\"a:1\",\"\",null],\"labels\":{\"b\":\"c\"}},"
	   "\t{\"Labels\":{\"__meta_x\":\"mine\",\"e\":\"\",\"n\":null}}]",
	    true,
	    "/f:0 {__meta_x=\"/f\",b=\"c\"} {__address__=\"a:1\"} {} {}"
	    "|/f:1 {__meta_x=\"/f\"}");
	is("[{\"targets\":null,\"labels\":null}]", true,
	    "/f:0 {__meta_x=\"/f\"}");
	/* of two the last counts */
	is("[{\"labels\":{\"z\":\"1\",\"a\":\"1\",\"z\":\"2\"},"
	   "\"targets\":[\"a\"],\"targets\":[\"b\"]}]",
	    true, "/f:0 {__meta_x=\"/f\",a=\"1\",z=\"2\"} {__address__=\"b\"}");
	is("[{\"targets\":[\"\\u0061\\t\\\"\\ud83d\\ude00\\/\"]}]", true,
	    "/f:0 {__meta_x=\"/f\"} "
	    "{__address__=\"a\t\\\"\xf0\x9f\x98\x80/\"}");
}

static void
bad_json(void)
{
	is("", true, "f:1:1: expected a list of target groups");
	is("{}", true, "f:1:1: expected a list of target groups");
	is("[]\n x", true, "f:2:2: text behind the list");
	is("[{}", true, "f:1:4: expected ',' or ']'");
	is("[{},]", true, "f:1:5: expected an object");
	is("[\n null]", true, "f:2:6: nil target group item found");
	is("[{},1]", true, "f:1:5: expected an object");
	is("[{\"target\":[]}]", true, "f:1:3: unknown key \"target\"");
	is("[{\"targets\" []}]", true, "f:1:13: expected ':'");
	is("[{\"targets\":\"a\"}]", true, "f:1:13: targets: expected a list");
	is("[{\"targets\":[\"a\",1]}]", true, "f:1:18: expected a string");
	is("[{\"targets\":[\"a\"}]", true, "f:1:17: expected ',' or ']'");
	is("[{\"labels\":[]}]", true, "f:1:12: labels: expected an object");
	is("[{\"labels\":{\"a\":1}}]", true, "f:1:17: expected a string");
	is("[{\"labels\":{\"\":\"a\"}}]", true,
	    "f:1:15: \"\" is not a valid label name");
	is("[{\"labels\":{\"a\":\"b\",}}]", true, "f:1:21: expected a string");
	is("[\"\\x\"]", true, "f:1:2: expected an object");
	is("[{\"\\x\":0}]", true, "f:1:6: invalid escape");
	is("[{\"\\u12\":0}]", true, "f:1:6: invalid escape");
	is("[{\"\\ud800\":0}]", true, "f:1:10: invalid surrogate pair");
	is("[{\"\\ud800\\u0041\":0}]", true, "f:1:16: invalid surrogate pair");
	is("[{\"\\u0000\":0}]", true, "f:1:10: NUL in a string");
	is("[{\"a\nb\":0}]", true, "f:1:5: a control character in a string");
	is("[{\"\xff\":0}]", true, "f:1:6: a string that is not UTF-8");
	is("[{\"a", true, "f:1:5: a string without an end");
}

/* More than a stranger may name. */
static void
many(void)
{
	struct buf b = { 0 };
	struct sd_part *p;
	struct error e;

	buf_z(&b, "[{\"labels\":{");
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "%s\"l%d\":\"v\"", i ? "," : "", i);
	buf_z(&b, "}}]");
	p = sd_part_parse(buf_str(&b), true, "f", STR("__m"), STR("v"), &e);
	CHECK(p != NULL && p->n == 1 && p->v[0].labels.n == 10001);
	sd_part_free(p);
	b.n -= 3;
	buf_z(&b, ",\"a\":\"b\"}}]");
	p = sd_part_parse(buf_str(&b), true, "f", STR("__m"), STR("v"), &e);
	CHECK(p == NULL);
	CHECK(strstr(e.msg, "more than 10000 labels") != NULL);
	buf_reset(&b);
	buf_byte(&b, '[');
	for (int i = 0; i < 500001; i++)
		buf_z(&b, "{},");
	p = sd_part_parse(buf_str(&b), true, "f", STR("__m"), STR("v"), &e);
	CHECK(p == NULL);
	CHECK_STR(
	    str_of(e.msg), "f:1:1500004: too many groups, targets and labels");
	buf_fini(&b);
}

static void
yaml(void)
{
	is("", false, "");
	is("- targets: [a:1, 2]\n  labels:\n    x: 1\n    e:\n- labels: {}\n",
	    false,
	    "/f:0 {__meta_x=\"/f\",x=\"1\"} {__address__=\"a:1\"} "
	    "{__address__=\"2\"}|/f:1 {__meta_x=\"/f\"}");
	is("[{\"targets\": [\"a\"]}]", false,
	    "/f:0 {__meta_x=\"/f\"} {__address__=\"a\"}");
	is("a: b\n", false, "f:1:1: expected a list of target groups");
	is("- targets: [a]\n-\n", false,
	    "f:2:2: empty or null section in a target file");
	is("- target: [a]\n", false, "f:1:3: unknown key \"target\"");
	is("- targets: {}\n", false, "f:1:12: targets: expected a list");
	is("- labels: {a: [b]}\n", false,
	    "f:1:15: cannot unmarshal a list into a string");
	/* not a configuration: nothing is filled in */
	is("- targets: ['${HOME}']\n", false,
	    "/f:0 {__meta_x=\"/f\"} {__address__=\"${HOME}\"}");
}

/* Where a text breaks off is said, and half a list is none. */
static void
cut(void)
{
	const str text =
	    STR("[{\"targets\":[\"a\"]},{\"labels\":{\"b\":\"c\"}}]");
	struct error e;
	struct sd_part *p;

	for (size_t n = 0; n < text.n; n++) {
		p = sd_part_parse(
		    str_take(text, n), true, "f", STR("__m"), STR("v"), &e);
		CHECK(p == NULL && strncmp(e.msg, "f:", 2) == 0);
	}
}

int
main(void)
{
	json();
	bad_json();
	many();
	yaml();
	cut();
	return done();
}
