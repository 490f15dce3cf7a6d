/* Target groups read from text. */
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
	is("null", true, "");
	is("[{}]", true, "/f:0 {__meta_x=\"/f\"}");
	is("[{\"targets\":[\"a:1\",\"\"],\"labels\":{\"b\":\"c\"}},"
	   "\t{\"Labels\":{\"__meta_x\":\"mine\"}}]",
	    true,
	    "/f:0 {__meta_x=\"/f\",b=\"c\"} {__address__=\"a:1\"} {}"
	    "|/f:1 {__meta_x=\"/f\"}");
	is("[{\"targets\":null,\"labels\":null}]", true,
	    "/f:0 {__meta_x=\"/f\"}");
	is("{}", true, "f: expected a list of target groups");
	is("[null]", true, "f: group 0: nil target group item found");
	is("[{},1]", true, "f: group 1: expected an object");
	is("[{\"target\":[]}]", true, "f: group 0: unknown key \"target\"");
	is("[{\"targets\":\"a\"}]", true,
	    "f: group 0: targets: expected a list");
	is("[{\"targets\":[\"a\",1]}]", true,
	    "f: group 0: targets: [1]: expected a string");
	is("[{\"labels\":[]}]", true, "f: group 0: labels: expected an object");
	is("[{\"labels\":{\"a\":1}}]", true,
	    "f: group 0: labels: \"a\": expected a string");
	is("[{\"labels\":{\"\":\"a\"}}]", true,
	    "f: group 0: labels: \"\" is not a valid label name");
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
	yaml();
	cut();
	return done();
}
