/*
 * Tokens of oauth2: of client credentials (RFC 6749), or of an assertion that
 * we sign (RFC 7523).  A token is known by all that it was asked with, secrets
 * too, so jobs that say the same share it, a reload keeps it, and a secret file
 * that has changed asks for another.  It is asked for once, however many
 * requests wait for it.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/url.h"
#include "net/fetch_impl.h"
#include "net/jwt.h"

#define MAX_ANSWER ((size_t)1 << 20)
#define MAX_TOKENS 256    /* of those nobody waits for */
#define EARLY 10000000000 /* ns before its end a token is not sent */
#define TIMEOUT_MS INT64_C(30000)

struct fetch_token {
	struct fetch_token *next;
	struct fetch *fetch;
	struct buf key;
	struct buf value; /* "Bearer ..." */
	int64_t expires;  /* ns; 0: never */
	unsigned turn;    /* how many values there were */
	bool valid, asking;
	bool telling; /* those that waited */
	bool in_body; /* the server wants id and secret there */
	/* of the request under way: */
	struct arena arena;
	struct auth auth;
	str id, secret;
};

static void
token_free(struct fetch_token *t)
{
	buf_fini(&t->key);
	buf_fini(&t->value);
	arena_fini(&t->arena);
	free(t);
}

void
fetch_tokens_free(struct fetch *f)
{
	struct fetch_token *t;

	while ((t = f->tokens) != NULL) {
		f->tokens = t->next;
		token_free(t);
	}
}

static void
key_add(struct buf *b, str s)
{
	buf_printf(b, "%zu:", s.n);
	buf_add(b, s);
}

static void
key_nodes(struct buf *b, const struct conf_node *n)
{
	buf_printf(b, "%zu;", n ? n->n : 0);
	for (size_t i = 0; n != NULL && i < n->n; i++) {
		key_add(b, n->v[i]->key);
		key_add(b, n->v[i]->value);
	}
}

static void
make_key(struct buf *b, const struct auth_oauth2 *o, str secret)
{
	const struct auth_tls *t = &o->tls;
	const str v[] = { o->token_url, o->client_id, secret, t->ca, t->ca_file,
		t->cert, t->cert_file, t->key, t->key_file, t->server_name,
		t->min_version, t->max_version, o->proxy.url, o->proxy.no_proxy,
		o->jwt.key_id, o->jwt.algorithm, o->jwt.issuer,
		o->jwt.audience };

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		key_add(b, v[i]);
	buf_printf(b, "%d%d%d", t->insecure_skip_verify,
	    o->proxy.from_environment, o->jwt_bearer);
	key_nodes(b, o->scopes);
	key_nodes(b, o->endpoint_params);
	if (o->jwt.claims != NULL)
		jwt_claims(b, o->jwt.claims);
}

/* The first of a list that is about t. */
static struct fetch_job *
first(const struct fetch_jobs *list, const struct fetch_token *t)
{
	struct fetch_job *j = TAILQ_FIRST(list);

	while (j != NULL && j->token != t)
		j = TAILQ_NEXT(j, entry);
	return j;
}

static bool
in_use(const struct fetch *f, const struct fetch_token *t)
{
	return t->asking || t->telling || first(&f->jobs, t) != NULL ||
	    first(&f->waiting, t) != NULL;
}

/* Secrets that change leave tokens behind: the last of the list. */
static void
prune(struct fetch *f)
{
	struct fetch_token **at = &f->tokens, *t;
	size_t n = 0;

	while ((t = *at) != NULL) {
		if (++n < MAX_TOKENS || in_use(f, t)) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		token_free(t);
	}
}

/* The list is kept in the order of use, the last used in front. */
static struct fetch_token *
find(struct fetch *f, const struct auth_oauth2 *o, str secret)
{
	struct fetch_token **at = &f->tokens, *t;
	struct buf key = { 0 };

	make_key(&key, o, secret);
	while ((t = *at) != NULL && !str_eq(buf_str(&t->key), buf_str(&key)))
		at = &t->next;
	if (t != NULL) {
		*at = t->next;
		buf_fini(&key);
	} else {
		prune(f);
		t = mem_zero(1, sizeof(*t));
		t->fetch = f;
		t->key = key;
	}
	t->next = f->tokens;
	f->tokens = t;
	return t;
}

static void
param(struct buf *b, str name, str value)
{
	if (b->n > 0)
		buf_byte(b, '&');
	url_escape(b, name, "", true);
	buf_byte(b, '=');
	url_escape(b, value, "", true);
}

static str
taken(struct fetch_token *t, struct buf *b)
{
	str s = arena_dup(&t->arena, buf_str(b));

	buf_fini(b);
	return s;
}

static str
make_scope(struct fetch_token *t, const struct conf_node *s)
{
	struct buf b = { 0 };

	for (size_t i = 0; s != NULL && i < s->n; i++) {
		if (i > 0)
			buf_byte(&b, ' ');
		buf_add(&b, s->v[i]->value);
	}
	return taken(t, &b);
}

static str
make_body(struct fetch_token *t, const struct auth_oauth2 *o, str assertion)
{
	const struct conf_node *p = o->endpoint_params;
	str scope = make_scope(t, o->scopes);
	struct buf b = { 0 };

	if (p == NULL || conf_find(p, "grant_type") == NULL)
		param(&b, STR("grant_type"),
		    o->jwt_bearer ? STR(AUTH_JWT_BEARER)
				  : STR("client_credentials"));
	if (o->jwt_bearer)
		param(&b, STR("assertion"), assertion);
	else if (scope.n > 0)
		param(&b, STR("scope"), scope);
	for (size_t i = 0; p != NULL && i < p->n; i++)
		param(&b, p->v[i]->key, p->v[i]->value);
	if (t->in_body) {
		param(&b, STR("client_id"), t->id);
		if (t->secret.n > 0)
			param(&b, STR("client_secret"), t->secret);
	}
	return taken(t, &b);
}

/* The name of one assertion: a random UUID, version 4. */
static str
make_id(struct fetch_token *t, const struct clock *c)
{
	uint64_t v[2];

	for (int i = 0; i < 2; i++)
		v[i] = c->random(c->arg);
	return arena_printf(&t->arena,
	    "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-%04" PRIx64
	    "-%012" PRIx64,
	    v[0] >> 32, v[0] >> 16 & 0xffff, v[0] & 0xfff,
	    (v[1] >> 48 & 0x3fff) | 0x8000, v[1] & UINT64_C(0xffffffffffff));
}

/* Signed anew for each time a token is asked for; t->secret is the key. */
static int
make_assertion(struct fetch_token *t, const struct auth_oauth2 *o, str *out,
    struct error *e)
{
	const struct clock *c = t->fetch->clock;
	struct buf b = { 0 };
	struct jwt j = {
		.algorithm = o->jwt.algorithm,
		.key_id = o->jwt.key_id,
		.scope = make_scope(t, o->scopes),
		.issuer = o->jwt.issuer.n ? o->jwt.issuer : o->client_id,
		.subject = o->client_id,
		.audience = o->jwt.audience.n ? o->jwt.audience : o->token_url,
		.claims = o->jwt.claims,
	};

	if (c->wall == NULL || c->random == NULL)
		return error_set(e, "there is no clock to sign with");
	j.now = c->wall(c->arg);
	j.id = make_id(t, c);
	if (jwt_print(&b, &j, t->secret, e) == -1)
		return error_add(e, "client_certificate_key");
	*out = taken(t, &b);
	return 0;
}

static str
escaped(struct arena *a, str s)
{
	struct buf b = { 0 };
	str r;

	url_escape(&b, s, "", true);
	r = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return r;
}

static void answered(void *arg, const struct fetch_answer *a);

/*
 * Ask for a token as j would have it.  What j's configuration says is borrowed
 * no longer than by j itself: this request follows no redirect, and libcurl
 * has its own copies of the rest.
 */
static int
ask(struct fetch_token *t, struct fetch_job *j, str secret, struct error *e)
{
	const struct auth_oauth2 *o = &j->q.auth->oauth2;
	static const struct fetch_header h = {
		STR_INIT("Content-Type"),
		STR_INIT("application/x-www-form-urlencoded"),
	};
	struct fetch_request q = { .method = "POST",
		.headers = &h,
		.nheaders = 1,
		.timeout = j->q.timeout ? j->q.timeout : TIMEOUT_MS,
		.max_body = MAX_ANSWER,
		.auth = &t->auth,
		.done = answered,
		.arg = t };
	struct arena old = t->arena;
	str assertion = STR_NONE;

	/* secret may be a copy in the old one */
	arena_init(&t->arena);
	t->id = arena_dup(&t->arena, o->client_id);
	t->secret = arena_dup(&t->arena, secret);
	arena_fini(&old);
	auth_init(&t->auth);
	t->auth.conf = j->q.auth->conf;
	t->auth.tls = o->tls;
	t->auth.proxy = o->proxy;
	t->auth.enable_http2 = j->q.auth->enable_http2;
	t->auth.follow_redirects = false;
	if (o->jwt_bearer) {
		if (make_assertion(t, o, &assertion, e) == -1)
			return error_add(e, "oauth2: cannot fetch token");
	} else if (!t->in_body) {
		t->auth.basic = true;
		t->auth.username = escaped(&t->arena, t->id);
		t->auth.password = escaped(&t->arena, t->secret);
	}
	q.url = arena_dup(&t->arena, o->token_url);
	q.body = make_body(t, o, assertion);
	t->asking = true;
	if (fetch_add(t->fetch, &q, e) == 0)
		return 0;
	t->asking = false;
	return error_add(e, "oauth2: cannot fetch token");
}

int
fetch_token(struct fetch_job *j, struct error *e)
{
	const struct auth_oauth2 *o = &j->q.auth->oauth2;
	const struct auth_jwt *w = o->jwt_bearer ? &o->jwt : NULL;
	struct fetch_token *t;
	str secret;

	if (fetch_secret(j, j->q.auth->conf, w ? w->key : o->client_secret,
		w ? w->key_file : o->client_secret_file,
		w ? "oauth2: client_certificate_key" : "oauth2: client_secret",
		&secret, e) == -1)
		return -1;
	t = find(j->fetch, o, secret);
	j->token = t;
	if (t->valid &&
	    (t->expires == 0 || fetch_now(j->fetch) < t->expires - EARLY))
		return 1;
	if (!t->asking && ask(t, j, secret, e) == -1)
		return -1;
	TAILQ_INSERT_TAIL(&j->fetch->waiting, j, entry);
	return 0;
}

void
fetch_token_header(struct fetch_job *j)
{
	j->token_turn = j->token->turn;
	fetch_header(j, STR("Authorization"), buf_str(&j->token->value));
}

void
fetch_token_refused(const struct fetch_job *j)
{
	if (j->token->turn == j->token_turn)
		j->token->valid = false;
}

/* A parameter of a form. */
static str
form_find(struct arena *a, str form, const char *name)
{
	while (form.p != NULL) {
		str value = str_cut(&form, '&');
		str key = str_cut(&value, '=');
		struct buf b = { 0 };
		str r;

		if (!str_eq(key, str_of(name)))
			continue;
		url_unescape(&b, value, true);
		r = arena_dup(a, buf_str(&b));
		buf_fini(&b);
		return r;
	}
	return STR_NONE;
}

static bool
is_form(str type)
{
	type = str_trim(str_take(type, str_chr(type, ';')));
	return str_eq_fold(type, STR("application/x-www-form-urlencoded")) ||
	    str_eq_fold(type, STR("text/plain"));
}

/* What an answer says: the token, its type, how long, or why not. */
struct said {
	str token, type, error;
	double seconds;
};

static int
read_answer(struct arena *a, const struct fetch_answer *fa, struct said *s,
    struct error *e)
{
	const struct json_value *o, *v;
	str seconds;

	*s = (struct said){ .seconds = 0 };
	if (is_form(fa->content_type)) {
		s->token = form_find(a, fa->body, "access_token");
		s->type = form_find(a, fa->body, "token_type");
		s->error = form_find(a, fa->body, "error");
		seconds = form_find(a, fa->body, "expires_in");
	} else {
		/* the message would quote what may be the token */
		o = json_parse(a, fa->body, NULL);
		if (o == NULL || o->kind != JSON_OBJECT)
			return error_set(e, "the answer is no JSON object");
		s->token = json_find_str(o, "access_token");
		s->type = json_find_str(o, "token_type");
		s->error = json_find_str(o, "error");
		seconds = json_find_str(o, "expires_in");
		v = json_find(o, "expires_in");
		if (v != NULL && v->kind == JSON_NUMBER)
			s->seconds = v->number;
	}
	if (seconds.n > 0 && num_parse(seconds, &s->seconds) == -1)
		s->seconds = 0;
	return 0;
}

/* A code of RFC 6749: another text might repeat a secret. */
static const char *
known_error(str s)
{
	static const char *const t[] = { "invalid_request", "invalid_client",
		"invalid_grant", "unauthorized_client",
		"unsupported_grant_type", "invalid_scope", "access_denied",
		"server_error", "temporarily_unavailable" };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (str_eq(s, str_of(t[i])))
			return t[i];
	return NULL;
}

/* Take the token out of an answer. */
static int
take(struct fetch_token *t, const struct fetch_answer *a, struct error *e)
{
	struct arena tmp = { 0 };
	struct said s = { .seconds = 0 };
	const char *code;
	int rc = -1;

	if (a->error != NULL)
		return error_set(e, "%s", a->error);
	if (read_answer(&tmp, a, &s, e) == -1 && a->status == 200)
		goto out;
	code = known_error(s.error);
	if (a->status < 200 || a->status > 299) {
		error_set(e, "server returned HTTP status %d%s%s", a->status,
		    code ? ": " : "", code ? code : "");
		goto out;
	}
	if (s.token.n == 0 || !fetch_safe(s.token) || !fetch_safe(s.type)) {
		error_set(
		    e, "%s", code ? code : "the answer has no access_token");
		goto out;
	}
	if (s.type.n == 0 || str_eq_fold(s.type, STR("bearer")))
		s.type = STR("Bearer");
	buf_reset(&t->value);
	buf_printf(&t->value, "%.*s %.*s", STR_ARG(s.type), STR_ARG(s.token));
	t->expires = s.seconds > 0 && s.seconds < 1e9
	    ? fetch_now(t->fetch) + (int64_t)(s.seconds * 1e9)
	    : 0;
	t->valid = true;
	t->turn++;
	rc = 0;
out:
	arena_fini(&tmp);
	return rc;
}

/* Those that wait for t; from f->waiting to list. */
static void
take_waiting(struct fetch_token *t, struct fetch_jobs *list)
{
	struct fetch_job *j, *next;

	TAILQ_INIT(list);
	for (j = TAILQ_FIRST(&t->fetch->waiting); j != NULL; j = next) {
		next = TAILQ_NEXT(j, entry);
		if (j->token != t)
			continue;
		TAILQ_REMOVE(&t->fetch->waiting, j, entry);
		TAILQ_INSERT_TAIL(list, j, entry);
	}
}

/* The other way to say the secret, if that may be what was wrong. */
static bool
ask_otherwise(struct fetch_token *t, const struct fetch_answer *a)
{
	struct fetch_job *j = first(&t->fetch->waiting, t);
	struct error e;

	if (a->error != NULL || t->in_body || t->turn > 0 || j == NULL ||
	    j->q.auth->oauth2.jwt_bearer)
		return false;
	t->in_body = true;
	if (ask(t, j, t->secret, &e) == 0)
		return true;
	t->in_body = false;
	return false;
}

static void
answered(void *arg, const struct fetch_answer *a)
{
	struct fetch_token *t = arg;
	struct fetch_answer failed = { 0 };
	struct fetch_jobs list;
	struct fetch_job *j, *next;
	struct error why, e;
	int rc;

	t->asking = false;
	rc = take(t, a, &why);
	if (rc == -1 && ask_otherwise(t, a))
		return;
	if (rc == -1) {
		if (t->turn == 0)
			t->in_body = false;
		error_add(&why, "oauth2: cannot fetch token");
	}
	take_waiting(t, &list);
	t->telling = true;
	for (j = TAILQ_FIRST(&list); j != NULL; j = next) {
		next = TAILQ_NEXT(j, entry);
		failed.error = why.msg;
		if (rc == 0 && fetch_start(j, &e) == 0)
			continue;
		if (rc == 0)
			failed.error = e.msg;
		failed.timed_out = rc == -1 && a->timed_out;
		failed.took = fetch_now(t->fetch) - j->start;
		fetch_end(j, &failed);
	}
	t->telling = false;
}
