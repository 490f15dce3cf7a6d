/*
 * One target: its labels put together in upstream's order, relabelled and
 * checked, and the URL they make.  Labels beginning with "__" say how to scrape
 * and are not put on samples.
 *
 * An address may be a command, a file or a socket of this machine, but only if
 * it was written on this machine: who answers a discovery over the network must
 * not choose what runs here, not even through relabelling.
 */
#include "scrape/target.h"

#include <stdio.h>

#include "base/dur.h"
#include "base/quote.h"
#include "base/url.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define ADDRESS STR("__address__")
#define SOCKET STR("__unix_socket__")
#define PARAM STR("__param_")
#define NATIVE STR("__scrape_native_histograms__")
#define NHCB STR("__convert_classic_histograms_to_nhcb__")
#define CLASSIC STR("__always_scrape_classic_histograms__")
#define KEEP STR("__mf_keep_known__")

static str
print(struct arena *a, struct labels ls)
{
	struct buf b = { 0 };
	str s;

	label_print_set(&b, ls);
	s = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return s;
}

static void
param(struct buf *b, bool *first, str key, str value)
{
	buf_byte(b, *first ? '?' : '&');
	*first = false;
	url_escape(b, key, "", true);
	buf_byte(b, '=');
	url_escape(b, value, "", true);
}

/* The next of params by name that is not before key, or NULL. */
static const struct conf_node *
next_param(const struct conf_node *params, str key, bool after)
{
	const struct conf_node *best = NULL;

	for (size_t i = 0; params != NULL && i < params->n; i++) {
		const struct conf_node *n = params->v[i];
		int c = str_cmp(n->key, key);

		if (n->n == 0 || c < 0 || (c == 0 && after))
			continue;
		if (best == NULL || str_cmp(n->key, best->key) < 0)
			best = n;
	}
	return best;
}

/*
 * params and the __param_ labels, by name.  A label takes the place of the
 * first value of its parameter; without one that stays as it is written.
 */
static void
query(struct buf *b, const struct scrape_job *j, struct labels all)
{
	const struct conf_node *n = next_param(j->params, STR_NONE, false);
	bool first = true;
	size_t i = 0;

	for (;;) {
		str key = STR_NONE;
		int c;

		while (i < all.n && !str_starts(all.v[i].name, PARAM))
			i++;
		if (i == all.n && n == NULL)
			return;
		if (i < all.n)
			key = str_skip(all.v[i].name, PARAM.n);
		c = i == all.n ? 1 : n == NULL ? -1 : str_cmp(key, n->key);
		if (c <= 0)
			param(b, &first, key, all.v[i++].value);
		if (c < 0)
			continue;
		for (size_t k = c == 0; k < n->n; k++)
			param(b, &first, n->key, n->v[k]->value);
		n = next_param(j->params, n->key, true);
	}
}

/* A host called exec may have a port: exec:9100. */
static bool
is_port(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0 && s.n <= 5;
}

bool
target_is_local(str address)
{
	return str_starts(address, STR("file:/")) ||
	    str_starts(address, STR("unix:/")) ||
	    (str_starts(address, STR("exec:")) &&
		!is_port(str_skip(address, 5)));
}

static void
path_query(struct buf *b, const struct scrape_job *j, struct labels all)
{
	str path = label_find(all, STR("__metrics_path__"));

	if (!str_starts(path, STR("/")))
		buf_byte(b, '/');
	url_escape(b, path, "/$&+,:;=@", false);
	query(b, j, all);
}

/*
 * Where the page is.  A socket is asked for the job's path, unless the address
 * has its own; its label goes before the whole URL.
 */
static str
make_url(struct arena *a, const struct scrape_job *j, struct labels all)
{
	str address = label_find(all, ADDRESS);
	str socket = label_find(all, SOCKET);
	struct buf b = { 0 };
	str url, rest;

	if (target_is_local(address)) {
		buf_add(&b, address);
		rest = str_skip(address, 5);
		if (address.p[0] == 'u' &&
		    str_find(rest, STR(":/")) == rest.n) {
			buf_byte(&b, ':');
			path_query(&b, j, all);
		}
	} else {
		if (socket.n > 0)
			buf_printf(&b, "unix:%.*s:", STR_ARG(socket));
		buf_add(&b, label_find(all, STR("__scheme__")));
		buf_z(&b, "://");
		buf_add(&b, address);
		path_query(&b, j, all);
	}
	url = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return url;
}

void
target_name(struct scrape_target *t, struct arena *a)
{
	struct label_set set = { 0 };

	for (size_t i = 0; i < t->all.n; i++)
		if (!str_starts(t->all.v[i].name, STR("__")))
			label_set(&set, t->all.v[i].name, t->all.v[i].value);
	t->labels = label_done(&set, a);
	t->text = print(a, t->labels);
	label_fini(&set);
}

static void
set_default(struct label_set *set, str name, str value)
{
	if (label_get(set, name).n == 0)
		label_set(set, name, value);
}

static void
set_bool(struct label_set *set, str name, bool value)
{
	set_default(set, name, value ? STR("true") : STR("false"));
}

static str
dur_text(struct arena *a, int64_t ms)
{
	struct buf b = { 0 };
	str s;

	dur_print(&b, ms);
	s = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return s;
}

struct labels
target_discovered(struct arena *a, const struct scrape_job *j,
    struct labels own, struct labels group)
{
	struct label_set set = { 0 };
	struct labels all;

	for (size_t i = 0; i < group.n; i++)
		label_set(&set, group.v[i].name, group.v[i].value);
	for (size_t i = 0; i < own.n; i++)
		label_set(&set, own.v[i].name, own.v[i].value);
	set_default(&set, STR("job"), j->name);
	set_default(&set, STR("__scrape_interval__"), dur_text(a, j->interval));
	set_default(&set, STR("__scrape_timeout__"), dur_text(a, j->timeout));
	set_default(&set, STR("__metrics_path__"), j->metrics_path);
	set_default(&set, STR("__scheme__"), j->scheme);
	set_bool(&set, NATIVE, j->native_histograms);
	set_bool(&set, NHCB, j->convert_to_nhcb);
	set_bool(&set, CLASSIC, j->always_classic);
	for (size_t i = 0; j->params != NULL && i < j->params->n; i++)
		if (j->params->v[i]->n > 0)
			set_default(&set,
			    arena_printf(a, "__param_%.*s",
				STR_ARG(j->params->v[i]->key)),
			    j->params->v[i]->v[0]->value);
	all = label_done(&set, a);
	label_fini(&set);
	return all;
}

/* A duration that relabelling may have made anything of. */
static int
dur_label(str text, const char *what, int64_t *ms, struct error *e)
{
	struct error why;

	if (dur_parse(text, ms, &why) == -1)
		return error_set(
		    e, "error parsing scrape %s: %s", what, why.msg);
	if (*ms == 0)
		return error_set(e, "scrape %s cannot be 0", what);
	return 0;
}

/* One that says yes or no; dflt if there is none. */
static int
bool_label(struct labels all, str name, bool dflt, bool *out, struct error *e)
{
	str v = label_find(all, name);

	*out = v.n == 0 ? dflt : str_eq(v, STR("true"));
	if (v.n == 0 || *out || str_eq(v, STR("false")))
		return 0;
	return error_set(e, "label %.*s must be true or false, not \"%.*s\"",
	    STR_ARG(name), STR_ARG(str_take(v, 50)));
}

static int
check_address(struct labels all, bool local, struct error *e)
{
	str address = label_find(all, ADDRESS);

	if (address.n == 0)
		return error_set(e, "no address");
	if (target_is_local(address) || label_find(all, SOCKET).n > 0) {
		if (local)
			return 0;
		return error_set(e,
		    "exec:, file:, unix: and __unix_socket__ are not taken "
		    "from a discovery over the network");
	}
	if (str_chr(address, '/') < address.n)
		return error_set(e, "\"%.*s\" is not a valid hostname",
		    STR_ARG(str_take(address, 200)));
	return 0;
}

/* What a relabelled set must be; t gets what its labels say. */
static int
check(struct scrape_target *t, struct labels all, bool local, struct error *e)
{
	const struct scrape_job *j = t->job;
	str interval = label_find(all, STR("__scrape_interval__"));
	str timeout = label_find(all, STR("__scrape_timeout__"));

	if (check_address(all, local, e) == -1 ||
	    dur_label(interval, "interval", &t->interval, e) == -1 ||
	    dur_label(timeout, "timeout", &t->timeout, e) == -1)
		return -1;
	if (t->timeout > t->interval)
		return error_set(e,
		    "scrape timeout cannot be greater than scrape interval "
		    "(\"%.*s\" > \"%.*s\")",
		    STR_ARG(timeout), STR_ARG(interval));
	for (size_t i = 0; i < all.n; i++)
		if (!str_starts(all.v[i].name, STR("__meta_")) &&
		    !str_utf8(all.v[i].value))
			return error_set(e, "invalid label value for \"%.*s\"",
			    STR_ARG(str_take(all.v[i].name, 200)));
	if (bool_label(all, NATIVE, j->native_histograms, &t->native_histograms,
		e) == -1 ||
	    bool_label(all, NHCB, j->convert_to_nhcb, &t->convert_to_nhcb, e) ==
		-1 ||
	    bool_label(
		all, CLASSIC, j->always_classic, &t->always_classic, e) == -1 ||
	    bool_label(all, KEEP, j->keep_known, &t->keep_known, e) == -1)
		return -1;
	return 0;
}

/* Why no request can be made of the labels, though they are right. */
static str
no_request(struct arena *a, struct labels all)
{
	str scheme = label_find(all, STR("__scheme__"));
	str address = label_find(all, ADDRESS);

	if (target_is_local(address))
		return STR_NONE;
	if (!str_eq(scheme, STR("http")) && !str_eq(scheme, STR("https")))
		return arena_printf(
		    a, "unsupported protocol scheme \"%.*s\"", STR_ARG(scheme));
	for (size_t i = 0; i < address.n; i++)
		if ((unsigned char)address.p[i] <= ' ' ||
		    strchr("?#@\\<>\"\x7f", address.p[i]) != NULL)
			return arena_printf(a,
			    "invalid character in host name \"%.*s\"",
			    STR_ARG(address));
	return STR_NONE;
}

enum target_fate
target_make(struct scrape_target *t, const struct scrape_job *j,
    struct labels discovered, bool local, struct arena *a,
    void (*step)(void *arg, const struct relabel_step *s), void *arg,
    struct error *e)
{
	enum target_fate fate = TARGET_DROPPED;
	struct label_set set = { 0 };
	struct labels all;
	bool kept;

	*t = (struct scrape_target){
		.job = j, .discovered = discovered, .local = local
	};
	label_init(&set, discovered);
	kept = step == NULL ? relabel_apply(&j->relabel, &set, a)
			    : relabel_explain(&j->relabel, &set, a, step, arg);
	if (!kept)
		goto out;
	fate = TARGET_BAD;
	if (check(t, label_view(&set), local, e) == -1)
		goto out;
	all = label_done(&set, a);
	for (size_t i = 0; i < all.n; i++)
		if (str_starts(all.v[i].name, STR("__meta_")))
			label_unset(&set, all.v[i].name);
	set_default(&set, STR("instance"), label_find(all, ADDRESS));
	t->all = label_done(&set, a);
	target_name(t, a);
	t->url = make_url(a, j, t->all);
	t->error = no_request(a, t->all);
	fate = TARGET_MADE;
out:
	label_fini(&set);
	return fate;
}

static uint64_t
fnv(uint64_t h, str s)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
	return h;
}

#define FNV_START UINT64_C(14695981039346656037)

/* Upstream's hash of a label set, by which its targets are spread. */
static uint64_t
hash(struct labels ls)
{
	struct buf b = { 0 };
	uint64_t h;

	for (size_t i = 0; i < ls.n; i++) {
		buf_add(&b, ls.v[i].name);
		buf_byte(&b, '\xff');
		buf_add(&b, ls.v[i].value);
		buf_byte(&b, '\xff');
	}
	h = XXH64(b.p != NULL ? b.p : "", b.n, 0);
	buf_fini(&b);
	return h;
}

/*
 * Targets that are due within a 60th of their interval begin together: of a
 * thousand some sixteen, for which the kernel takes half as long as when each
 * has its wake-up.  All steps divide a second, so jobs of several intervals
 * meet.
 */
static int64_t
step_of(int64_t interval)
{
	static const int64_t steps[] = { 1000, 500, 250, 200, 125, 100, 50, 25,
		20, 10, 5, 2 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (steps[i] <= interval / 60)
			return steps[i];
	return 1;
}

int64_t
target_offset(const struct scrape_target *t, uint64_t seed)
{
	uint64_t ns = (uint64_t)t->interval * 1000000, h;
	int64_t ms;
	char digits[24];
	int n;

	n = snprintf(digits, sizeof(digits), "%016llu",
	    (unsigned long long)hash(t->all));
	h = fnv(FNV_START, (str){ digits, (size_t)n });
	h = fnv(h, t->url) ^ seed;
	ms = (int64_t)(h % ns / 1000000);
	return ms - ms % step_of(t->interval);
}

uint64_t
scrape_seed(str host, struct labels external)
{
	struct buf b = { 0 };
	uint64_t h;

	buf_add(&b, host);
	buf_byte(&b, '{');
	for (size_t i = 0; i < external.n; i++) {
		if (i > 0)
			buf_z(&b, ", ");
		if (label_name_valid(external.v[i].name))
			buf_add(&b, external.v[i].name);
		else
			quote_add(&b, external.v[i].name);
		buf_byte(&b, '=');
		quote_add(&b, external.v[i].value);
	}
	buf_byte(&b, '}');
	h = fnv(FNV_START, buf_str(&b));
	buf_fini(&b);
	return h;
}

/* Where an operand's page is, and the name of its instance. */
int
target_operand(struct arena *a, str s, str *url, str *instance, struct error *e)
{
	str rest = s;
	size_t n;

	if (s.n == 0 || memchr(s.p, '\0', s.n) != NULL || !str_utf8(s))
		return error_set(e, "an operand must be a URL");
	if (str_starts(s, STR("file:")) || str_starts(s, STR("unix:")) ||
	    str_starts(s, STR("exec:"))) {
		rest = str_skip(s, 5);
		if (rest.n == 0)
			return error_set(e, "'%.*s': what?", STR_ARG(s));
		*url = *instance = arena_dup(a, s);
		n = str_find(rest, STR(":/"));
		if (s.p[0] == 'u') {
			*instance = str_take(*instance, n + 5);
			if (n == rest.n)
				*url = arena_printf(
				    a, "%.*s:/metrics", STR_ARG(s));
		}
		return 0;
	}
	n = str_find(s, STR("://"));
	if (n == s.n) {
		s = arena_printf(a, "http://%.*s", STR_ARG(s));
		n = 4;
	} else if (!str_eq(str_take(s, n), STR("http")) &&
	    !str_eq(str_take(s, n), STR("https"))) {
		return error_set(e, "'%.*s': unsupported scheme", STR_ARG(s));
	}
	rest = str_skip(s, n + 3);
	n = 0;
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	*instance = arena_dup(a, str_take(rest, n));
	rest = *instance;
	while (rest.p != NULL) /* without user and password */
		*instance = str_cut(&rest, '@');
	if (instance->n == 0)
		return error_set(e, "'%.*s': no host", STR_ARG(s));
	rest = str_skip(s, str_find(s, STR("://")) + 3 + n);
	*url = rest.n > 0 && rest.p[0] == '/'
	    ? arena_dup(a, s)
	    : arena_printf(a, "%.*s/metrics%.*s", (int)(s.n - rest.n), s.p,
		  STR_ARG(rest));
	return 0;
}
