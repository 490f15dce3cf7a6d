/*
 * Who may ask: the users of a web-config file (bcrypt, for everything) and the
 * one user of the pages from a Secret's manifest; and what else a web-config
 * file says, TLS and headers.
 *
 * A bcrypt check costs some 50 ms of CPU on purpose, so verdicts are kept, and
 * new checks are rationed: a flood of wrong passwords gets 503s and does not
 * stop the rest.
 */
#include <sys/stat.h>

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "serve/context.h"

#define VERDICTS 64
#define TOKENS_MAX 8.0        /* checks at once */
#define TOKENS_PER_SECOND 4.0 /* and in the long run */
#define MAX_CREDENTIALS 1024
#define MAX_HEADERS 8

struct verdict {
	str credentials; /* on the heap */
	bool ok;
};

struct webconf {
	const struct clock *clock;
	struct arena arena;
	struct httpd_param *users; /* name, hash */
	size_t nusers;
	bool guarded; /* pages, by --users */
	str page_user, page_password;
	bool tls_on;
	struct httpd_tls tls;
	struct httpd_param headers[MAX_HEADERS];
	size_t nheaders;
	struct verdict verdicts[VERDICTS];
	size_t next[2]; /* of the bad, of the good */
	double tokens;
	int64_t filled; /* ns, when tokens were counted last */
};

/* tls_server_config; those in the second half must be absent. */
struct tls_conf {
	str cert, key, cert_file, key_file, client_auth_type;
	str min_version, max_version;
	bool prefer_server_cipher_suites;
	const struct conf_node *client_ca, *client_ca_file;
	const struct conf_node *client_allowed_sans, *cipher_suites,
	    *curve_preferences;
};

struct http_conf {
	bool http2;
	const struct conf_node *headers;
};

struct top_conf {
	const struct conf_node *tls, *http, *users, *rate_limit;
};

#define FIELD(name, type, st, member)                                          \
	{                                                                      \
		name, type, offsetof(struct st, member), false                 \
	}

static const struct conf_field top_fields[] = {
	FIELD("tls_server_config", CONF_T_NODE, top_conf, tls),
	FIELD("http_server_config", CONF_T_NODE, top_conf, http),
	FIELD("basic_auth_users", CONF_T_NODE, top_conf, users),
	FIELD("rate_limit", CONF_T_NODE, top_conf, rate_limit),
};

static const struct conf_field tls_fields[] = {
	FIELD("cert", CONF_T_STR, tls_conf, cert),
	FIELD("key", CONF_T_STR, tls_conf, key),
	FIELD("cert_file", CONF_T_STR, tls_conf, cert_file),
	FIELD("key_file", CONF_T_STR, tls_conf, key_file),
	FIELD("client_auth_type", CONF_T_STR, tls_conf, client_auth_type),
	FIELD("min_version", CONF_T_STR, tls_conf, min_version),
	FIELD("max_version", CONF_T_STR, tls_conf, max_version),
	FIELD("prefer_server_cipher_suites", CONF_T_BOOL, tls_conf,
	    prefer_server_cipher_suites),
	FIELD("client_ca", CONF_T_NODE, tls_conf, client_ca),
	FIELD("client_ca_file", CONF_T_NODE, tls_conf, client_ca_file),
	FIELD(
	    "client_allowed_sans", CONF_T_NODE, tls_conf, client_allowed_sans),
	FIELD("cipher_suites", CONF_T_NODE, tls_conf, cipher_suites),
	FIELD("curve_preferences", CONF_T_NODE, tls_conf, curve_preferences),
};

static const struct conf_field http_fields[] = {
	FIELD("http2", CONF_T_BOOL, http_conf, http2),
	FIELD("headers", CONF_T_NODE, http_conf, headers),
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct webconf *
webconf_new(const struct clock *clock)
{
	struct webconf *w = mem_zero(1, sizeof(*w));

	w->clock = clock;
	w->tokens = TOKENS_MAX;
	w->filled = clock->mono(clock->arg);
	return w;
}

/* What a str holds, before it is given back or forgotten. */
static void
wipe(str s)
{
	if (s.n > 0)
		explicit_bzero((void *)(uintptr_t)s.p, s.n);
}

void
webconf_free(struct webconf *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < VERDICTS; i++) {
		wipe(w->verdicts[i].credentials);
		free((void *)(uintptr_t)w->verdicts[i].credentials.p);
	}
	wipe(w->page_password);
	wipe(w->tls.key);
	arena_fini(&w->arena);
	free(w);
}

static int
read_key(struct webconf *w, struct conf *c, const char *key, str *out,
    struct error *e)
{
	struct buf b = { 0 };
	const str *keys;
	size_t n, i = 0;

	if (conf_keys(c, &keys, &n, e) == -1)
		return -1;
	while (i < n && !str_eq(keys[i], str_of(key)))
		i++;
	if (i == n)
		return error_set(e, "%.*s: there is no key '%s'",
		    STR_ARG(conf_name(c)), key);
	if (conf_read_from(c, str_of(key), &b, e) == -1) {
		buf_fini(&b);
		return -1;
	}
	/* "echo admin | base64" has a line's end nobody types. */
	*out = arena_dup(&w->arena, str_trim(buf_str(&b)));
	wipe(buf_str(&b));
	buf_fini(&b);
	return 0;
}

/* A Secret that is mounted is a directory with a file a key. */
static int
read_mounted(struct webconf *w, const char *dir, const char *key, str *out,
    struct error *e)
{
	struct buf b = { 0 };
	str path = arena_printf(&w->arena, "%s/%s", dir, key);
	int rc = file_read(arena_cstr(&w->arena, path), &b, e);

	if (rc == 0)
		*out = arena_dup(&w->arena, str_trim(buf_str(&b)));
	wipe(buf_str(&b));
	buf_fini(&b);
	return rc;
}

static int
load_secret(struct webconf *w, const char *path, const struct conf_opts *o,
    struct error *e)
{
	struct conf *c = conf_load(path, o, e);
	int rc = -1;

	if (c == NULL)
		return -1;
	if (!conf_is_manifest(c))
		error_set(e,
		    "%s: not a Secret's manifest with username and password",
		    path);
	else if (read_key(w, c, "username", &w->page_user, e) == 0 &&
	    read_key(w, c, "password", &w->page_password, e) == 0)
		rc = 0;
	conf_free(c);
	return rc;
}

int
serve_users(struct serve *s, const char *path, const struct conf_opts *o,
    struct error *e)
{
	struct webconf *w = s->webconf;
	struct stat st;
	int rc = 0;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		if (read_mounted(w, path, "username", &w->page_user, e) == -1 ||
		    read_mounted(w, path, "password", &w->page_password, e) ==
			-1)
			rc = -1;
	} else
		rc = load_secret(w, path, o, e);
	if (rc == 0 && (w->page_user.n == 0 || w->page_password.n == 0))
		rc =
		    error_set(e, "%s: the username or password is empty", path);
	w->guarded = true;
	return rc;
}

static int
load_users(struct webconf *w, const struct conf_node *n, struct error *e)
{
	if (n->kind != CONF_MAP)
		return conf_error(n, e, "expected a map of names to hashes");
	w->users = arena_array(&w->arena, n->n + 1, struct httpd_param);
	for (size_t i = 0; i < n->n; i++) {
		str hash;

		if (conf_str(n->v[i], &hash, e) == -1)
			return -1;
		if (hash.n != 60 || !str_starts(hash, STR("$2")) ||
		    strchr("aby", hash.p[2]) == NULL || hash.p[3] != '$')
			return conf_error(n->v[i], e,
			    "the password of '%.*s' is not a bcrypt hash",
			    STR_ARG(n->v[i]->key));
		w->users[w->nusers].name = arena_dup(&w->arena, n->v[i]->key);
		w->users[w->nusers++].value = arena_dup(&w->arena, hash);
	}
	return 0;
}

/* PEM text, from the file if there is one. */
static int
read_pem(struct webconf *w, const struct conf_node *n, str text, str path,
    str *out, struct error *e)
{
	struct buf b = { 0 };
	int rc = 0;

	if (text.n > 0)
		*out = arena_dup(&w->arena, text);
	else if ((rc = conf_read_from(n->conf, path, &b, e)) == 0)
		*out = arena_dup(&w->arena, buf_str(&b));
	wipe(buf_str(&b));
	buf_fini(&b);
	return rc;
}

/* The place of a version among names, or -1; absent is dflt. */
static int
version(str s, int dflt)
{
	static const char *const names[] = { "TLS10", "TLS11", "TLS12",
		"TLS13" };

	if (s.n == 0)
		return dflt;
	for (int i = 0; i < 4; i++)
		if (str_eq(s, str_of(names[i])))
			return i;
	return -1;
}

static int
load_versions(struct webconf *w, const struct tls_conf *t,
    const struct conf_node *n, struct error *e)
{
	int min = version(t->min_version, 2), max = version(t->max_version, 3);
	struct buf b = { 0 };

	if (min == -1 || max == -1)
		return conf_error(n, e, "unknown TLS version");
	if (min > max)
		return conf_error(n, e, "min_version is above max_version");
	buf_z(&b, "NORMAL:-VERS-ALL");
	for (int i = max; i >= min; i--)
		buf_printf(&b, ":+VERS-TLS1.%d", i);
	w->tls.priorities = arena_cstr(&w->arena, buf_str(&b));
	buf_fini(&b);
	return 0;
}

static int
load_tls(struct webconf *w, const struct conf_node *n, struct error *e)
{
	struct tls_conf t = { 0 };

	if (conf_read(n, tls_fields, COUNT(tls_fields), &t, e) == -1)
		return -1;
	if (t.client_ca != NULL || t.client_ca_file != NULL ||
	    t.client_allowed_sans != NULL ||
	    (t.client_auth_type.n &&
		!str_eq(t.client_auth_type, STR("NoClientCert"))))
		return conf_error(
		    n, e, "client certificates are not supported");
	if (t.cipher_suites != NULL || t.curve_preferences != NULL)
		return conf_error(n, e,
		    "cipher_suites and curve_preferences are not supported");
	if ((t.cert.n > 0) == (t.cert_file.n > 0))
		return conf_error(n, e, "one of cert and cert_file is needed");
	if ((t.key.n > 0) == (t.key_file.n > 0))
		return conf_error(n, e, "one of key and key_file is needed");
	if (load_versions(w, &t, n, e) == -1 ||
	    read_pem(w, n, t.cert, t.cert_file, &w->tls.cert, e) == -1 ||
	    read_pem(w, n, t.key, t.key_file, &w->tls.key, e) == -1)
		return -1;
	w->tls_on = true;
	return 0;
}

/* Upstream takes these headers and no others, nor do we. */
static int
load_headers(struct webconf *w, const struct conf_node *n, struct error *e)
{
	static const char *const allowed[] = { "Content-Security-Policy",
		"Strict-Transport-Security", "X-Content-Type-Options",
		"X-Frame-Options", "X-XSS-Protection" };

	if (n->kind != CONF_MAP)
		return conf_error(n, e, "expected a map of headers");
	for (size_t i = 0; i < n->n; i++) {
		size_t j = 0;
		str value;

		while (j < COUNT(allowed) &&
		    !str_eq(n->v[i]->key, str_of(allowed[j])))
			j++;
		if (j == COUNT(allowed))
			return conf_error_key(n->v[i], e,
			    "header '%.*s' can not be configured",
			    STR_ARG(n->v[i]->key));
		if (conf_str(n->v[i], &value, e) == -1)
			return -1;
		for (size_t k = 0; k < value.n; k++)
			if ((unsigned char)value.p[k] < ' ')
				return conf_error(n->v[i], e,
				    "control character in a header");
		w->headers[w->nheaders++] =
		    (struct httpd_param){ str_of(allowed[j]),
			    arena_dup(&w->arena, value) };
	}
	return 0;
}

static int
load(struct webconf *w, const struct conf_node *root, struct error *e)
{
	struct top_conf t = { 0 };
	struct http_conf h = { 0 };

	if (root->kind == CONF_NULL)
		return 0;
	if (conf_read(root, top_fields, COUNT(top_fields), &t, e) == -1)
		return -1;
	if (t.rate_limit != NULL)
		return conf_error(
		    t.rate_limit, e, "rate_limit is not supported");
	if (t.tls != NULL && load_tls(w, t.tls, e) == -1)
		return -1;
	if (t.http != NULL &&
	    conf_read(t.http, http_fields, COUNT(http_fields), &h, e) == -1)
		return -1;
	if (h.headers != NULL && load_headers(w, h.headers, e) == -1)
		return -1;
	return t.users == NULL ? 0 : load_users(w, t.users, e);
}

int
serve_webconf(struct serve *s, const char *path, const struct conf_opts *o,
    struct error *e)
{
	struct conf *c = conf_load(path, o, e);
	int rc;

	if (c == NULL)
		return -1;
	rc = load(s->webconf, conf_root(c), e);
	conf_free(c);
	return rc;
}

const struct httpd_tls *
serve_tls(const struct serve *s)
{
	return s->webconf->tls_on ? &s->webconf->tls : NULL;
}

void
webconf_headers(const struct webconf *w, struct exchange *x)
{
	for (size_t i = 0; i < w->nheaders; i++)
		exchange_header(x, w->headers[i].name.p, w->headers[i].value);
}

static int
sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* "Basic dTpw" to "u:p"; false if it is anything else. */
static bool
credentials(str header, struct arena *a, str *out)
{
	uint32_t bits = 0;
	size_t n = 0, have = 0;
	char *p;

	if (header.n < 6 || header.n > MAX_CREDENTIALS ||
	    strncasecmp(header.p, "Basic ", 6) != 0)
		return false;
	header = str_trim(str_skip(header, 6));
	while (str_ends(header, STR("=")))
		header.n--;
	p = arena_alloc(a, header.n + 1);
	for (size_t i = 0; i < header.n; i++) {
		int v = sextet(header.p[i]);

		if (v == -1)
			return false;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			p[n++] = (char)(bits >> have & 0xff);
		}
	}
	*out = (str){ p, n };
	return str_chr(*out, ':') < n;
}

/* Takes as long for every secret: the time says only how long given is. */
static bool
same(str secret, str given)
{
	size_t d = secret.n ^ given.n;

	for (size_t i = 0; i < given.n && secret.n > 0; i++)
		d |= (unsigned char)given.p[i] ^
		    (unsigned char)secret.p[i % secret.n];
	return d == 0;
}

static const struct verdict *
find_verdict(const struct webconf *w, str given)
{
	for (size_t i = 0; i < VERDICTS; i++)
		if (w->verdicts[i].credentials.n > 0 &&
		    same(w->verdicts[i].credentials, given))
			return &w->verdicts[i];
	return NULL;
}

static void
keep_verdict(struct webconf *w, str given, bool ok)
{
	/* Good ones have a half of their own: a flood does not evict them. */
	size_t at = w->next[ok]++ % (VERDICTS / 2) + (ok ? VERDICTS / 2 : 0);
	struct verdict *v = &w->verdicts[at];

	wipe(v->credentials);
	free((void *)(uintptr_t)v->credentials.p);
	v->credentials = (str){ mem_cstr(given), given.n };
	v->ok = ok;
}

/* An unknown name is checked too, so that the time does not tell. */
static bool
check_hash(const struct webconf *w, str given)
{
	struct crypt_data *data = mem_zero(1, sizeof(*data));
	str password = given, user = str_cut(&password, ':');
	const struct httpd_param *u = NULL;
	char text[MAX_CREDENTIALS + 1];
	const char *hash;
	bool ok;

	for (size_t i = 0; i < w->nusers; i++)
		if (str_eq(w->users[i].name, user))
			u = &w->users[i];
	snprintf(text, sizeof(text), "%.*s", STR_ARG(password));
	hash = crypt_r(text, (u ? u : &w->users[0])->value.p, data);
	ok = hash != NULL && u != NULL && same(u->value, str_of(hash)) &&
	    memchr(password.p, '\0', password.n) == NULL;
	explicit_bzero(text, sizeof(text));
	explicit_bzero(data, sizeof(*data));
	free(data);
	return ok;
}

/* 1 allowed, 0 not, -1: too many are asking. */
static int
check_users(struct webconf *w, str given)
{
	const struct verdict *v = find_verdict(w, given);
	int64_t now = w->clock->mono(w->clock->arg);
	bool ok;

	if (v != NULL)
		return v->ok;
	w->tokens += (double)(now - w->filled) / 1e9 * TOKENS_PER_SECOND;
	w->tokens = w->tokens < TOKENS_MAX ? w->tokens : TOKENS_MAX;
	w->filled = now;
	if (w->tokens < 1)
		return -1;
	w->tokens--;
	ok = check_hash(w, given);
	keep_verdict(w, given, ok);
	return ok;
}

static bool
check_page_user(const struct webconf *w, str given)
{
	str password = given, user = str_cut(&password, ':');

	bool ok = same(w->page_password, password);

	/* Both are compared, whatever the first says. */
	return same(w->page_user, user) && ok;
}

bool
webconf_allows(struct webconf *w, struct exchange *x, bool page)
{
	bool guarded = page && w->guarded;
	str given;
	int ok = 0;

	if (w->nusers == 0 && !guarded)
		return true;
	if (credentials(
		httpd_header(x->q, "Authorization"), x->q->arena, &given)) {
		if (guarded && check_page_user(w, given))
			ok = 1;
		else if (w->nusers > 0)
			ok = check_users(w, given);
		wipe(given);
	}
	if (ok == 1)
		return true;
	if (ok == -1) {
		exchange_text(x, 503, "Too many log-ins at once");
		exchange_header(x, "Retry-After", STR("1"));
		return false;
	}
	exchange_text(x, 401, "Unauthorized");
	exchange_header(x, "WWW-Authenticate",
	    STR("Basic realm=\"mf\", charset=\"UTF-8\""));
	return false;
}
