/*
 * A token is three parts in base64url with dots between: its header, what it
 * says, and the signature of both.  tests/unit/net-jwt.c has openssl(1) verify
 * them.
 */
#include "net/jwt.h"

#include <dlfcn.h>
#include <math.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <openssl/pem.h>
#include <stddef.h>

#include "base/json.h"

#define LIFE_S 600

#define LEN(t) (sizeof(t) / sizeof((t)[0]))

/* The functions of libcrypto, typed by its headers. */
struct crypto {
	__typeof__(BIO_new_mem_buf) *bio;
	__typeof__(BIO_free) *bio_free;
	__typeof__(PEM_read_bio_PrivateKey) *read_key;
	__typeof__(EVP_PKEY_free) *key_free;
	__typeof__(EVP_PKEY_get_base_id) *key_kind;
	__typeof__(EVP_MD_CTX_new) *sign_new;
	__typeof__(EVP_MD_CTX_free) *sign_free;
	__typeof__(EVP_DigestSignInit) *sign_init;
	__typeof__(EVP_DigestSign) *sign;
	__typeof__(EVP_get_digestbyname) *digest;
	__typeof__(ERR_clear_error) *err_clear;
	__typeof__(ERR_peek_error) *err_first;
	__typeof__(ERR_reason_error_string) *err_reason;
};

#define SYM(member, name)                                                      \
	{                                                                      \
#name, offsetof(struct crypto, member)                         \
	}
static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	SYM(bio, BIO_new_mem_buf),
	SYM(bio_free, BIO_free),
	SYM(read_key, PEM_read_bio_PrivateKey),
	SYM(key_free, EVP_PKEY_free),
	SYM(key_kind, EVP_PKEY_get_base_id),
	SYM(sign_new, EVP_MD_CTX_new),
	SYM(sign_free, EVP_MD_CTX_free),
	SYM(sign_init, EVP_DigestSignInit),
	SYM(sign, EVP_DigestSign),
	SYM(digest, EVP_get_digestbyname),
	SYM(err_clear, ERR_clear_error),
	SYM(err_first, ERR_peek_error),
	SYM(err_reason, ERR_reason_error_string),
};

static const struct {
	const char *name, *digest;
} algorithms[] = {
	{ "RS256", "SHA256" },
	{ "RS384", "SHA384" },
	{ "RS512", "SHA512" },
};

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define LIBRARY "libcrypto.so." TEXT(OPENSSL_SHLIB_VERSION)

/* Never unloaded: it has handlers for the end of the process. */
static int
load(struct crypto *c, struct error *e)
{
	void *lib = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (lib == NULL)
		return error_set(e, "cannot load libcrypto: %s", dlerror());
	for (size_t i = 0; i < LEN(symbols); i++) {
		void *fn = dlsym(lib, symbols[i].name);

		if (fn == NULL)
			return error_set(
			    e, "cannot load libcrypto: no %s", symbols[i].name);
		memcpy((char *)c + symbols[i].offset, &fn, sizeof(fn));
	}
	return 0;
}

/* The digest an algorithm signs; NULL if there is no such algorithm. */
static const char *
digest_of(str s)
{
	for (size_t i = 0; i < LEN(algorithms); i++)
		if (str_eq(s, str_of(algorithms[i].name)))
			return algorithms[i].digest;
	return NULL;
}

bool
jwt_algorithm(str s)
{
	return digest_of(s) != NULL;
}

/* base64url of RFC 4648, without padding. */
static void
add_base64(struct buf *b, str s)
{
	static const char t[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char *p = (const unsigned char *)s.p;

	for (size_t i = 0; i < s.n; i += 3) {
		size_t left = s.n - i;
		unsigned v = (unsigned)p[i] << 16 |
		    (left > 1 ? (unsigned)p[i + 1] << 8 : 0) |
		    (left > 2 ? p[i + 2] : 0);

		for (size_t k = 0; k <= (left > 3 ? 3 : left); k++)
			buf_byte(b, t[v >> (18 - 6 * k) & 63]);
	}
}

/* Never asks at the terminal, as libcrypto's own would. */
static int
no_passphrase(char *buf, int size, int rwflag, void *asked)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	*(bool *)asked = true;
	return -1;
}

static EVP_PKEY *
read_key(const struct crypto *c, str pem, struct error *e)
{
	bool asked = false;
	BIO *bio = c->bio(pem.p, (int)pem.n);
	EVP_PKEY *key = NULL;

	if (bio != NULL)
		key = c->read_key(bio, NULL, no_passphrase, &asked);
	c->bio_free(bio);
	if (key == NULL) {
		error_set(e,
		    asked ? "the key has a passphrase"
			  : "not a private key in PEM");
		return NULL;
	}
	if (c->key_kind(key) != EVP_PKEY_RSA) {
		c->key_free(key);
		error_set(e, "not an RSA key");
		return NULL;
	}
	return key;
}

static int
sign(const struct crypto *c, EVP_PKEY *key, const char *digest, str text,
    struct buf *out, struct error *e)
{
	EVP_MD_CTX *ctx = c->sign_new();
	const EVP_MD *md = c->digest(digest);
	const unsigned char *p = (const unsigned char *)text.p;
	const char *why;
	size_t n = 0;
	int rc = -1;

	c->err_clear(); /* the first one says most */
	if (ctx == NULL || md == NULL ||
	    c->sign_init(ctx, NULL, md, NULL, key) != 1 ||
	    c->sign(ctx, NULL, &n, p, text.n) != 1)
		goto out;
	buf_reserve(out, n);
	if (c->sign(ctx, (unsigned char *)out->p, &n, p, text.n) != 1)
		goto out;
	out->n = n;
	rc = 0;
out:
	if (rc == -1) {
		why = c->err_reason(c->err_first());
		error_set(e, "cannot sign: %s", why ? why : "libcrypto failed");
	}
	c->sign_free(ctx);
	return rc;
}

/* A value of YAML; what JSON has no number for is a string. */
static void
add_value(struct json_writer *w, const struct conf_node *n)
{
	int64_t i;
	double d;
	bool b;

	switch (n->kind) {
	case CONF_NULL:
		json_nil(w);
		break;
	case CONF_SCALAR:
		if (conf_int(n, &i, NULL) == 0)
			json_int(w, i);
		else if (conf_float(n, &d, NULL) == 0 && isfinite(d))
			json_num(w, d);
		else if (conf_bool(n, &b, NULL) == 0)
			json_bool(w, b);
		else
			json_str(w, n->value);
		break;
	case CONF_LIST:
		json_open(w, '[');
		for (size_t k = 0; k < n->n; k++)
			add_value(w, n->v[k]);
		json_close(w, ']');
		break;
	case CONF_MAP:
		json_open(w, '{');
		for (size_t k = 0; k < n->n; k++) {
			json_key(w, n->v[k]->key);
			add_value(w, n->v[k]);
		}
		json_close(w, '}');
		break;
	}
}

void
jwt_claims(struct buf *b, const struct conf_node *map)
{
	struct json_writer w;

	json_init(&w, b, false);
	add_value(&w, map);
}

static bool
is_given(const struct jwt *j, const char *name)
{
	return j->claims != NULL && conf_find(j->claims, name) != NULL;
}

static void
add_claims(struct json_writer *w, const struct jwt *j)
{
	const struct {
		const char *name;
		str value;
	} t[] = { { "iss", j->issuer }, { "sub", j->subject },
		{ "aud", j->audience }, { "jti", j->id },
		{ "scope", j->scope } };

	json_open(w, '{');
	for (size_t i = 0; i < LEN(t); i++) {
		if (is_given(j, t[i].name) ||
		    (t[i].value.n == 0 && i == LEN(t) - 1))
			continue;
		json_key(w, str_of(t[i].name));
		json_str(w, t[i].value);
	}
	if (!is_given(j, "iat")) {
		json_key(w, STR("iat"));
		json_int(w, j->now / 1000);
	}
	if (!is_given(j, "exp")) {
		json_key(w, STR("exp"));
		json_int(w, j->now / 1000 + LIFE_S);
	}
	for (size_t i = 0; j->claims != NULL && i < j->claims->n; i++) {
		json_key(w, j->claims->v[i]->key);
		add_value(w, j->claims->v[i]);
	}
	json_close(w, '}');
}

/* "header.claims", which is what is signed. */
static void
add_unsigned(struct buf *b, const struct jwt *j, str algorithm)
{
	struct buf part = { 0 };
	struct json_writer w;

	json_init(&w, &part, false);
	json_open(&w, '{');
	json_key(&w, STR("alg"));
	json_str(&w, algorithm);
	if (j->key_id.n > 0) {
		json_key(&w, STR("kid"));
		json_str(&w, j->key_id);
	}
	json_key(&w, STR("typ"));
	json_str(&w, STR("JWT"));
	json_close(&w, '}');
	add_base64(b, buf_str(&part));
	buf_byte(b, '.');
	buf_reset(&part);
	json_init(&w, &part, false);
	add_claims(&w, j);
	add_base64(b, buf_str(&part));
	buf_fini(&part);
}

int
jwt_print(struct buf *b, const struct jwt *j, str pem, struct error *e)
{
	str algorithm = j->algorithm.n ? j->algorithm : STR("RS256");
	const char *digest = digest_of(algorithm);
	struct buf text = { 0 }, signature = { 0 };
	struct crypto c;
	EVP_PKEY *key;
	int rc = -1;

	if (digest == NULL)
		return error_set(
		    e, "no algorithm '%.*s'", STR_ARG(j->algorithm));
	if (pem.n == 0 || pem.n > (size_t)1 << 20)
		return error_set(e, "not a private key in PEM");
	if (load(&c, e) == -1)
		return -1;
	key = read_key(&c, pem, e);
	if (key == NULL)
		goto out;
	add_unsigned(&text, j, algorithm);
	if (sign(&c, key, digest, buf_str(&text), &signature, e) == -1)
		goto out;
	buf_add(b, buf_str(&text));
	buf_byte(b, '.');
	add_base64(b, buf_str(&signature));
	rc = 0;
out:
	c.key_free(key); /* takes NULL */
	c.err_clear();
	buf_fini(&text);
	buf_fini(&signature);
	return rc;
}
