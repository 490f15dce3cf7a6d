/*
 * base/conf: trees and their errors, placeholders, manifests.  Covers conf_*.c.
 */
#include "check.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/file.h"

static char dir[] = "/tmp/base-conf.XXXXXX";

static const char *
env(const char *name)
{
	return strcmp(name, "HOME_TOWN") == 0 ? "Kyoto"
	    : strcmp(name, "PORT") == 0       ? "9090"
					      : NULL;
}

static struct conf *
parse(const char *text, struct error *e)
{
	return conf_parse(str_of(text), "f.yml", NULL, e);
}

/* Does text fail with just this message? */
static bool
fails_with(const char *text, const char *msg)
{
	struct error e = { "" };
	struct conf *c = parse(text, &e);

	conf_free(c);
	if (c == NULL && strcmp(e.msg, msg) == 0)
		return true;
	printf("# got: %s\n", e.msg);
	return false;
}

static void
tree(void)
{
	struct error e;
	struct conf *c = parse("a: 1\nb:\n  - x\n  - 'y': ~\nc: \"1\"\n", &e);
	const struct conf_node *r = conf_root(c), *n;

	CHECK(r->kind == CONF_MAP && r->n == 3);
	CHECK_STR(r->v[0]->key, "a");
	CHECK_STR(r->v[0]->value, "1");
	CHECK(r->v[0]->line == 1 && r->v[0]->col == 4 && !r->v[0]->quoted);
	n = conf_find(r, "b");
	CHECK(n->kind == CONF_LIST && n->n == 2 && n->line == 3 &&
	    n->key_line == 2 && n->key_col == 1);
	CHECK(conf_find(n->v[1], "y")->kind == CONF_NULL);
	CHECK(conf_find(n->v[1], "y")->value.n == 0);
	CHECK(conf_find(n->v[0], "y") == NULL && conf_find(r, "z") == NULL);
	CHECK(conf_find(r, "c")->quoted);
	CHECK_STR(conf_name(c), "f.yml");
	CHECK(conf_key(c).n == 0 && !conf_is_manifest(c));
	conf_free(c);
	c = parse("!!binary '/w=='", &e);
	CHECK_STR(conf_root(c)->value, "\xff");
	conf_free(c);
	CHECK(fails_with("!!binary x",
	    "f.yml:1:1: !!binary value contains invalid base64 data"));
	c = parse("", &e);
	CHECK(c != NULL && conf_root(c)->kind == CONF_NULL);
	conf_free(c);
	c = parse("a: 1\n---\na: 2\n---\n}", &e);
	CHECK(c != NULL && conf_root(c)->n == 1);
	conf_free(c);
	conf_free(NULL);
}

static void
anchors(void)
{
	struct error e;
	struct conf *c = parse("base: &b {x: 1, y: 2}\n"
			       "more: &m\n  z: 5\n"
			       "one:\n  <<: *b\n  y: 3\n"
			       "two:\n  <<: [*m, *b]\n  w: *b\n"
			       "three: {<<: {q: 1}, <<: *m}\n",
	    &e);
	const struct conf_node *r, *n;

	CHECK(c != NULL);
	r = conf_root(c);
	n = conf_find(r, "one");
	CHECK(n->n == 2);
	CHECK_STR(conf_find(n, "x")->value, "1");
	CHECK_STR(conf_find(n, "y")->value, "3");
	CHECK_STR(conf_find(conf_find(r, "base"), "y")->value, "2");
	n = conf_find(r, "two");
	CHECK(n->n == 4 && conf_find(conf_find(n, "w"), "x") != NULL);
	CHECK_STR(conf_find(n, "w")->key, "w");
	CHECK(conf_find(r, "three")->n == 2);
	conf_free(c);
	CHECK(
	    fails_with("a: *x\n", "f.yml:1:4: unknown anchor 'x' referenced"));
	CHECK(fails_with(
	    "a: &x [*x]\n", "f.yml:1:8: anchor 'x' value contains itself"));
	CHECK(fails_with("<<: 3\n",
	    "f.yml:1:5: map merge requires map or sequence of maps as the "
	    "value"));
}

static void
bombs(void)
{
	struct buf b = { 0 };
	struct error e;

	buf_z(&b, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 12; i++) {
		buf_printf(&b, "a%d: &a%d [", i, i);
		for (int j = 0; j < 9; j++)
			buf_printf(&b, "*a%d,", i - 1);
		buf_z(&b, "]\n");
	}
	CHECK(conf_parse(buf_str(&b), "bomb", NULL, &e) == NULL);
	CHECK(strstr(e.msg, "document contains excessive aliasing") != NULL);
	buf_reset(&b);
	for (int i = 0; i < 5000; i++)
		buf_byte(&b, '[');
	CHECK(conf_parse(buf_str(&b), "deep", NULL, &e) == NULL);
	CHECK(strcmp(e.msg, "deep:1:101: nested more than 100 deep") == 0);
	buf_reset(&b);
	buf_z(&b, "a0: &a0 x\n");
	for (int i = 1; i < 200; i++)
		buf_printf(&b, "a%d: &a%d [*a%d]\n", i, i, i - 1);
	CHECK(conf_parse(buf_str(&b), "deep", NULL, &e) == NULL);
	CHECK(strstr(e.msg, "nested more than 100 deep") != NULL);
	buf_fini(&b);
}

static void
syntax(void)
{
	CHECK(fails_with(
	    "a: 1\nb: 2\na: 3\n", "f.yml:3:1: key \"a\" already set in map"));
	CHECK(fails_with("a: [\n",
	    "f.yml:2:1: did not find expected node "
	    "content"));
	CHECK(fails_with("a: 1\n\tb: 2\n",
	    "f.yml:2:1: found a tab character that violates indentation"));
	CHECK(fails_with("? [a]\n: 1\n", "f.yml:1:3: a key must be a scalar"));
	CHECK(fails_with(
	    "a: 1\nb: \xff\n", "f.yml:2:4: invalid leading UTF-8 octet"));
}

struct all {
	str s;
	bool b;
	int64_t i, d, g, z;
	double f;
	const struct conf_node *n;
};

static const struct conf_field fields[] = {
	{ "s", CONF_T_STR, offsetof(struct all, s), true },
	{ "b", CONF_T_BOOL, offsetof(struct all, b), false },
	{ "i", CONF_T_INT, offsetof(struct all, i), false },
	{ "d", CONF_T_DUR, offsetof(struct all, d), false },
	{ "g", CONF_T_GODUR, offsetof(struct all, g), false },
	{ "z", CONF_T_SIZE, offsetof(struct all, z), false },
	{ "f", CONF_T_FLOAT, offsetof(struct all, f), false },
	{ "n", CONF_T_NODE, offsetof(struct all, n), false },
};

static int
read_all(const char *text, struct all *x, struct error *e)
{
	struct conf *c = parse(text, e);
	int r = c == NULL ? -1
			  : conf_read(conf_root(c), fields,
				sizeof(fields) / sizeof(*fields), x, e);

	conf_free(c);
	return r;
}

static void
getters(void)
{
	struct all x = { .i = 7 };
	struct error e;

	CHECK(read_all("s: a\nb: on\ni: ~\nd: 1h30m\ng: 1.5s\nz: 10MB\n"
		       "f: 2\nn: [1]\n",
		  &x, &e) == 0);
	CHECK(x.b && x.i == 7 && x.d == 5400000 && x.g == 1500);
	CHECK(x.z == 10 << 20 && x.f == 2 && x.n != NULL);
	CHECK(read_all("s: ''\nb: No\ni: 1e3\nd: '0'\nz: 1KiB\nf: -.inf\n", &x,
		  &e) == 0);
	CHECK(!x.b && x.i == 1000 && x.d == 0 && x.z == 1024 && x.f < 0);
	CHECK(read_all("s: true\n", &x, &e) == 0);
}

/* What go-yaml takes for a whole number. */
static void
integers(void)
{
	static const struct {
		const char *text;
		int64_t v;
	} rows[] = { { "0", 0 }, { "-7", -7 }, { "+5", 5 },
		{ "1_000_000", 1000000 }, { "0x1F", 31 }, { "010", 8 },
		{ "0o17", 15 }, { "-0b11", -3 }, { "089", 89 }, { "00", 0 },
		{ "9223372036854775807", INT64_MAX }, { "2.5e3", 2500 } };
	static const char *const bad[] = { "0x", "0b2", "1 000", "_1", "12a",
		"9223372036854775808", "-", "0xg", "1e" };
	char text[64];
	struct error e;
	struct all x;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		x = (struct all){ .i = 99 };
		snprintf(text, sizeof(text), "s: a\ni: %s\n", rows[i].text);
		CHECK(read_all(text, &x, &e) == 0 && x.i == rows[i].v);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), "s: a\ni: %s\n", bad[i]);
		CHECK(read_all(text, &x, &e) == -1);
	}
}

/* Reading text into all fields fails with this message. */
static bool
refuses(const char *text, const char *msg)
{
	struct all x = { 0 };
	struct error e = { "" };

	if (read_all(text, &x, &e) == -1 && strcmp(e.msg, msg) == 0)
		return true;
	printf("# got: %s\n", e.msg);
	return false;
}

static void
strict(void)
{
	CHECK(refuses("i: 1\n", "f.yml:1:1: \"s\" is missing"));
	CHECK(refuses("s: a\nx: 1\n", "f.yml:2:1: unknown key \"x\""));
	CHECK(refuses("[]\n", "f.yml:1:1: cannot unmarshal a list into a map"));
	CHECK(refuses(
	    "s: []\n", "f.yml:1:4: cannot unmarshal a list into a string"));
	CHECK(refuses("b: maybe\n",
	    "f.yml:1:4: cannot unmarshal `maybe` into a boolean"));
	CHECK(refuses("b: 'true'\n",
	    "f.yml:1:4: cannot unmarshal the string `true` into a boolean"));
	CHECK(refuses(
	    "i: 1.5\n", "f.yml:1:4: cannot unmarshal `1.5` into an integer"));
	CHECK(refuses(
	    "d: 15\n", "f.yml:1:4: not a valid duration string: \"15\""));
	CHECK(refuses("z: 10\n",
	    "f.yml:1:4: cannot unmarshal `10` into a size (10MB, 512KB)"));
	CHECK(refuses("z: 9999999EB\n",
	    "f.yml:1:4: cannot unmarshal "
	    "`9999999EB` into a size: it is too "
	    "large"));
	CHECK(refuses("z: B\n",
	    "f.yml:1:4: cannot unmarshal `B` into a size (10MB, 512KB)"));
	CHECK(refuses("f: x\n",
	    "f.yml:1:4: cannot unmarshal `x` into a "
	    "number"));
}

static void
placeholders(void)
{
	static const char *const set[] = { "a b=1", "__severity__=page",
		"x=${PORT}", "empty=" };
	struct conf_opts o = { set, 4, true, env };
	struct conf_opts only = { set, 4, false, env };
	struct error e;
	struct conf *c;
	const struct conf_node *r;

	c = conf_parse(STR("a: ${HOME_TOWN}:${ PORT }\n"
			   "b: '${ a b }'\nc: __severity__\n"
			   "d: {replacement: '${1}${y}', '${HOME_TOWN}': 1}\n"
			   "e: '{{ .X }} ${y} ${a b}'\nf: $1 ${1} ${}\n"
			   "g: ${x}\nh: '[${empty}]'\n__severity__: 1\n"
			   "groups: [{expr: '${name}'}]\n"),
	    "f", &o, &e);
	CHECK(c != NULL);
	r = conf_root(c);
	CHECK_STR(conf_find(r, "a")->value, "Kyoto:9090");
	CHECK_STR(conf_find(r, "b")->value, "1");
	CHECK_STR(conf_find(r, "c")->value, "page");
	CHECK_STR(conf_find(r, "d")->v[0]->value, "${1}${y}");
	CHECK_STR(conf_find(r, "d")->v[1]->key, "Kyoto");
	CHECK_STR(conf_find(r, "e")->value, "{{ .X }} ${y} 1");
	CHECK_STR(conf_find(r, "f")->value, "$1 ${1} ${}");
	CHECK_STR(conf_find(r, "g")->value, "${PORT}");
	CHECK_STR(conf_find(r, "h")->value, "[]");
	CHECK(conf_find(r, "__severity__") != NULL);
	conf_free(c);
	CHECK(conf_parse(STR("a: 1\nb: x${NOPE}\n"), "f", &o, &e) == NULL);
	CHECK_STR(str_of(e.msg),
	    "f:2:4: nothing fills '${NOPE}': use --set "
	    "'NOPE=VALUE' or the environment");
	CHECK(conf_parse(STR("a: ${PORT}\n"), "f", &only, &e) == NULL);
	c = parse("a: ${PORT}\n", &e);
	CHECK_STR(conf_find(conf_root(c), "a")->value, "${PORT}");
	conf_free(c);
}

static const char manifest[] = "apiVersion: v1\n"
			       "kind: ConfigMap\n"
			       "data:\n"
			       "  # the program's\n"
			       "  prometheus.yaml: |\n"
			       "\n"
			       "    a: 1\n"
			       "    b: {c: '${PORT}'}\n"
			       "  rules.yaml: |-\n"
			       "      groups:\n"
			       "      - x: __severity__\n"
			       "  quoted.yaml: \"a: 1\\nb: 2\\n\"\n"
			       "  bad.yaml: \"a: 1\\na: 2\\n\"\n"
			       "  dup.yaml: |\n"
			       "    a: 1\n"
			       "    a: 2\n"
			       "---\n"
			       "apiVersion: v1\n"
			       "kind: Secret\n"
			       "data:\n"
			       "  am.yaml: ${the text}\n"
			       "  username: YWRtaW4=\n"
			       "  broken: YWRt!\n"
			       "stringData:\n"
			       "  plain: '${PORT}'\n";

/* "route: {receiver: '${通知先 の名}'}\n" */
#define AM                                                                     \
	"the "                                                                 \
	"text=cm91dGU6IHtyZWNlaXZlcjogJyR7IOmAmuefpeWFiCDjga7lkI0gfSd9Cg=="

#define NAME "\xe9\x80\x9a\xe7\x9f\xa5\xe5\x85\x88 \xe3\x81\xae\xe5\x90\x8d"

static struct conf *
open_key(const char *path, struct error *e)
{
	/* the name is in UTF-8: two words */
	static const char *const set[] = { AM, NAME "=#alerts",
		"__severity__=page" };
	struct conf_opts o = { set, 3, false, env };
	char full[256];

	(void)snprintf(full, sizeof(full), "%s/%s", dir, path);
	return conf_load(full, &o, e);
}

static void
manifests(void)
{
	struct error e;
	struct conf *c = open_key("m.yaml:prometheus.yaml", &e), *d;
	const struct conf_node *b;
	const str *keys;
	struct buf text = { 0 };
	char want[256];
	size_t n;

	CHECK(c != NULL);
	b = conf_find(conf_root(c), "b");
	CHECK_STR(conf_find(b, "c")->value, "9090");
	CHECK(b->line == 8 && b->col == 8);
	conf_error(b, &e, "no");
	(void)snprintf(want, sizeof(want), "%s/m.yaml:8:8: no", dir);
	CHECK(strcmp(e.msg, want) == 0);
	CHECK_STR(conf_key(c), "prometheus.yaml");
	CHECK(conf_keys(c, &keys, &n, &e) == 0 && n == 9);
	CHECK_STR(keys[1], "rules.yaml");

	d = conf_load_from(c, STR("/etc/prometheus/rules.yaml"), &e);
	CHECK(d != NULL);
	b = conf_find(conf_find(conf_root(d), "groups")->v[0], "x");
	CHECK_STR(b->value, "page");
	CHECK(b->line == 11 && b->col == 12);
	CHECK_STR(conf_key(d), "rules.yaml");
	conf_free(d);
	d = conf_load_from(c, STR("other.yml"), &e);
	CHECK(d != NULL && conf_root(d)->n == 1);
	conf_free(d);
	CHECK(conf_load_from(c, STR("none.yml"), &e) == NULL);
	CHECK(conf_read_from(c, STR("username"), &text, &e) == 0);
	CHECK_STR(buf_str(&text), "admin");
	buf_fini(&text);
	conf_free(c);
}

static void
secrets(void)
{
	struct error e;
	struct conf *c = open_key("m.yaml:am.yaml", &e);
	struct buf text = { 0 };
	char want[256];

	CHECK(c != NULL);
	CHECK_STR(
	    conf_find(conf_find(conf_root(c), "route"), "receiver")->value,
	    "#alerts");
	conf_error(conf_root(c)->v[0], &e, "no");
	(void)snprintf(
	    want, sizeof(want), "%s/m.yaml:21:12: am.yaml:1:8: no", dir);
	CHECK(strcmp(e.msg, want) == 0);
	CHECK(conf_read_from(c, STR("/x/plain"), &text, &e) == 0);
	CHECK_STR(buf_str(&text), "9090");
	buf_fini(&text);
	conf_free(c);
	CHECK(open_key("m.yaml:broken", &e) == NULL);
	CHECK(strstr(e.msg, "m.yaml:23:11: illegal base64 data") != NULL);
	CHECK(open_key("m.yaml:none", &e) == NULL);
	CHECK(strstr(e.msg, "has the key 'none'") != NULL);
	CHECK(open_key("m.yaml:bad.yaml", &e) == NULL);
	CHECK(strstr(e.msg, "m.yaml:13:13: bad.yaml:2:1: key \"a\"") != NULL);
	CHECK(open_key("m.yaml:dup.yaml", &e) == NULL);
	CHECK(strstr(e.msg, "m.yaml:16:5: key \"a\"") != NULL);
	CHECK(open_key("none.yaml", &e) == NULL);
	c = open_key("m.yaml", &e);
	CHECK(c != NULL && conf_is_manifest(c));
	CHECK(conf_read_from(c, STR("username"), &text, &e) == 0);
	CHECK_STR(buf_str(&text), "admin");
	buf_fini(&text);
	conf_free(c);
}

static void
same(void)
{
	static const struct {
		const char *a, *b;
		bool same;
	} t[] = {
		{ "{a: [1, {b: c}], d: }", "a:\n- 1\n- b: c\nd: # x\n", true },
		{ "{a: 1, b: 2}", "{b: 2, a: 1}", false },
		{ "{a: 1}", "{a: '1'}", false },
		{ "{a: 1}", "{a: 2}", false },
		{ "{a: 1}", "{b: 1}", false },
		{ "[1]", "[1, 2]", false },
		{ "[[1]]", "[1]", false },
	};
	struct conf_opts o = { 0 };
	struct error e;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct conf *a = conf_parse(str_of(t[i].a), "a", &o, &e);
		struct conf *b = conf_parse(str_of(t[i].b), "b", &o, &e);

		CHECK(conf_same(conf_root(a), conf_root(b)) == t[i].same);
		conf_free(a);
		conf_free(b);
	}
}

int
main(void)
{
	struct error e;
	char path[256];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/m.yaml", dir);
	CHECK(file_replace(path, str_of(manifest), 0644, &e) == 0);
	(void)snprintf(path, sizeof(path), "%s/other.yml", dir);
	CHECK(file_replace(path, STR("a: 1\n"), 0644, &e) == 0);
	tree();
	anchors();
	bombs();
	syntax();
	getters();
	integers();
	strict();
	placeholders();
	manifests();
	same();
	secrets();
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/m.yaml", dir);
	(void)unlink(path);
	(void)rmdir(dir);
	return done();
}
