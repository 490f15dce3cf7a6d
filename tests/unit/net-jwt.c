/* net/jwt: what is signed, by which key, verified by openssl(1). */
#include "net/jwt.h"

#include <unistd.h>

#include "check.h"
#include "jwt_test.h"

static char dir[] = "/tmp/net-jwt.XXXXXX";

static void
read_pem(const char *name, struct buf *pem)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	buf_reset(pem);
	CHECK(file_read(path, pem, NULL) == 0);
}

static void
test_algorithms(str pem)
{
	static const struct {
		str name;
		const char *digest, *wrong, *header;
	} t[] = {
		{ STR_INIT(""), "sha256", "sha384",
		    "{\"alg\":\"RS256\",\"kid\":\"k\\\"1\",\"typ\":\"JWT\"}" },
		{ STR_INIT("RS256"), "sha256", "sha512",
		    "{\"alg\":\"RS256\",\"kid\":\"k\\\"1\",\"typ\":\"JWT\"}" },
		{ STR_INIT("RS384"), "sha384", "sha256",
		    "{\"alg\":\"RS384\",\"kid\":\"k\\\"1\",\"typ\":\"JWT\"}" },
		{ STR_INIT("RS512"), "sha512", "sha256",
		    "{\"alg\":\"RS512\",\"kid\":\"k\\\"1\",\"typ\":\"JWT\"}" },
	};
	struct jwt j = { .key_id = STR("k\"1"), .issuer = STR("i") };
	struct error e;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct buf b = { 0 }, header = { 0 }, claims = { 0 };

		j.algorithm = t[i].name;
		CHECK(jwt_print(&b, &j, pem, &e) == 0);
		CHECK(jwt_split(buf_str(&b), &header, &claims));
		CHECK(strcmp(buf_cstr(&header), t[i].header) == 0);
		CHECK(jwt_verify(dir, "one", t[i].digest, buf_str(&b)));
		CHECK(!jwt_verify(dir, "one", t[i].wrong, buf_str(&b)));
		CHECK(!jwt_verify(dir, "two", t[i].digest, buf_str(&b)));
		buf_fini(&b);
		buf_fini(&header);
		buf_fini(&claims);
	}
	CHECK(jwt_algorithm(STR("RS384")) && !jwt_algorithm(STR("")));
	CHECK(!jwt_algorithm(STR("HS256")) && !jwt_algorithm(STR("none")));
	j.algorithm = STR("none");
	CHECK(jwt_print(&(struct buf){ 0 }, &j, pem, &e) == -1);
	CHECK_STR(str_of(e.msg), "no algorithm 'none'");
}

/* Their text, with a configuration's in between. */
static void
test_claims(str pem)
{
	static const struct {
		const char *yaml, *claims;
	} t[] = {
		{ "{}",
		    "{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"a\",\"jti\":\"7\","
		    "\"iat\":1600000000,\"exp\":1600000600}" },
		{ "{aud: b, exp: 5, deep: {list: [1, 2.5, -3, yes, ~, 'yes', "
		  "'1', .inf, a\"b]}}",
		    "{\"iss\":\"i\",\"sub\":\"s\",\"jti\":\"7\","
		    "\"iat\":1600000000,\"aud\":\"b\",\"exp\":5,\"deep\":"
		    "{\"list\":[1,2.5,-3,true,null,\"yes\",\"1\",\".inf\","
		    "\"a\\\"b\"]}}" },
	};
	struct conf_opts o = { 0 };
	struct jwt j = { .issuer = STR("i"),
		.subject = STR("s"),
		.audience = STR("a"),
		.id = STR("7"),
		.now = INT64_C(1600000000999) };
	struct error e;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct conf *c = conf_parse(str_of(t[i].yaml), "t", &o, &e);
		struct buf b = { 0 }, header = { 0 }, claims = { 0 };

		j.claims = conf_root(c);
		CHECK(jwt_print(&b, &j, pem, &e) == 0);
		CHECK(jwt_split(buf_str(&b), &header, &claims));
		CHECK(strcmp(buf_cstr(&claims), t[i].claims) == 0);
		if (strcmp(buf_cstr(&claims), t[i].claims) != 0)
			printf("# %s\n", buf_cstr(&claims));
		CHECK_STR(
		    buf_str(&header), "{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
		buf_fini(&b);
		buf_fini(&header);
		buf_fini(&claims);
		conf_free(c);
	}
	{
		struct buf b = { 0 }, header = { 0 }, claims = { 0 };

		j = (struct jwt){ .scope = STR("x y") };
		CHECK(jwt_print(&b, &j, pem, &e) == 0);
		CHECK(jwt_split(buf_str(&b), &header, &claims));
		CHECK_STR(buf_str(&claims),
		    "{\"iss\":\"\",\"sub\":\"\",\"aud\":\"\",\"jti\":\"\","
		    "\"scope\":\"x y\",\"iat\":0,\"exp\":600}");
		buf_fini(&b);
		buf_fini(&header);
		buf_fini(&claims);
	}
}

/* Each is told without a word of the key. */
static void
test_bad_keys(void)
{
	static const struct {
		const char *file, *error;
	} t[] = {
		{ "one.pub", "not a private key in PEM" },
		{ "cut.pem", "not a private key in PEM" },
		{ "ec.pem", "not an RSA key" },
		{ "pss.pem", "not an RSA key" },
		{ "locked.pem", "the key has a passphrase" },
		{ "small.pem", "cannot sign: digest too big for rsa key" },
	};
	struct jwt j = { .algorithm = STR("RS512") };
	struct buf pem = { 0 }, out = { 0 };
	struct error e;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		read_pem(t[i].file, &pem);
		CHECK(jwt_print(&out, &j, buf_str(&pem), &e) == -1);
		CHECK(strcmp(e.msg, t[i].error) == 0);
		if (strcmp(e.msg, t[i].error) != 0)
			printf("# %s: %s\n", t[i].file, e.msg);
	}
	CHECK(jwt_print(&out, &j, STR_NONE, &e) == -1);
	CHECK_STR(str_of(e.msg), "not a private key in PEM");
	CHECK(jwt_print(&out, &j, STR("s3cret"), &e) == -1);
	CHECK(strstr(e.msg, "s3cret") == NULL && out.n == 0);
	/* the key of before 2003, and one behind other text */
	read_pem("old.pem", &pem);
	CHECK(jwt_print(&out, &j, buf_str(&pem), &e) == 0);
	CHECK(jwt_verify(dir, "one", "sha512", buf_str(&out)));
	buf_fini(&pem);
	buf_fini(&out);
}

static bool
make_keys(void)
{
	char cmd[1024];

	(void)snprintf(cmd, sizeof(cmd),
	    "cd %s && head -c 400 one.pem >cut.pem && { echo 'a key:' && "
	    "openssl pkey -in one.pem -traditional; } >old.pem && openssl pkey "
	    "-in one.pem -aes128 -passout pass:x -out locked.pem",
	    dir);
	return jwt_key(dir, "one",
		   "-algorithm RSA -pkeyopt rsa_keygen_bits:2048") &&
	    jwt_key(
		dir, "two", "-algorithm RSA -pkeyopt rsa_keygen_bits:1024") &&
	    jwt_key(
		dir, "small", "-algorithm RSA -pkeyopt rsa_keygen_bits:512") &&
	    jwt_key(dir, "pss",
		"-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:1024") &&
	    jwt_key(
		dir, "ec", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256") &&
	    system(cmd) == 0;
}

int
main(void)
{
	struct buf pem = { 0 };

	if (mkdtemp(dir) == NULL)
		return 1;
	CHECK(make_keys());
	read_pem("one.pem", &pem);
	test_algorithms(buf_str(&pem));
	test_claims(buf_str(&pem));
	test_bad_keys();
	buf_fini(&pem);
	jwt_remove(dir);
	return done();
}
