/*
 * alertmanager.yml: the top level, global, templates.  Strict as upstream is;
 * what is known there and not built here is refused by name, with its place.
 */
#include "notify/impl.h"

#include <glob.h>
#include <stdlib.h>

#include "base/mem.h"

#define FIELD(type, t, member)                                                 \
	{                                                                      \
#member, t, offsetof(type, member), false                      \
	}

static bool
given(const struct conf_node *n)
{
	return n != NULL && n->kind != CONF_NULL;
}

void
notify_config_own(struct notify_config *c, struct matchers *m)
{
	c->matchers = mem_grow(c->matchers, &c->matchers_cap, c->nmatchers + 1,
	    sizeof(*c->matchers));
	c->matchers[c->nmatchers++] = m;
}

/* All of global's keys; those of receivers not built yet are only named. */
struct globals {
	int64_t resolve_timeout;
	const struct conf_node *http_config;
	str slack_api_url, slack_api_url_file, slack_app_token,
	    slack_app_token_file, slack_app_url;
	const struct conf_node *unused;
};

static const char *const other_globals[] = { "smtp_from", "smtp_smarthost",
	"smtp_hello", "smtp_auth_username", "smtp_auth_password",
	"smtp_auth_password_file", "smtp_auth_identity", "smtp_auth_secret",
	"smtp_auth_secret_file", "smtp_require_tls", "smtp_tls_config",
	"smtp_force_implicit_tls", "pagerduty_url", "opsgenie_api_url",
	"opsgenie_api_key", "opsgenie_api_key_file", "victorops_api_url",
	"victorops_api_key", "victorops_api_key_file", "wechat_api_url",
	"wechat_api_secret", "wechat_api_secret_file", "wechat_api_corp_id",
	"telegram_api_url", "telegram_bot_token", "telegram_bot_token_file",
	"webex_api_url", "jira_api_url", "rocketchat_api_url",
	"rocketchat_token", "rocketchat_token_file", "rocketchat_token_id",
	"rocketchat_token_id_file", "mattermost_webhook_url",
	"mattermost_webhook_url_file" };

/* Of "x" and "x_file" only one may be there. */
static int
check_pairs(const struct conf_node *n, struct error *e)
{
	for (size_t i = 0; n->kind == CONF_MAP && i < n->n; i++) {
		str key = n->v[i]->key;
		char name[64];

		if (!str_ends(key, STR("_file")) || key.n >= sizeof(name) ||
		    !given(n->v[i]))
			continue;
		memcpy(name, key.p, key.n - 5);
		name[key.n - 5] = '\0';
		if (given(conf_find(n, name)))
			return conf_error_key(n->v[i], e,
			    "at most one of %s & %s_file must be configured",
			    name, name);
	}
	return 0;
}

int
notify_check_url(const struct conf_node *n, str url, struct error *e)
{
	str rest, scheme;
	size_t colon = str_chr(url, ':');

	scheme = str_take(url, colon < url.n ? colon : 0);
	if (str_eq(url, STR("<secret>")))
		return 0;
	if (str_find(url, STR("${")) < url.n)
		return conf_error(n, e,
		    "nothing fills '%.*s': use --set 'NAME=VALUE', or --env",
		    STR_ARG(url));
	if (!str_eq(scheme, STR("http")) && !str_eq(scheme, STR("https")))
		return conf_error(n, e, "unsupported scheme \"%.*s\" for URL",
		    STR_ARG(scheme));
	rest = str_skip(url, colon + 1);
	if (!str_starts(rest, STR("//")) || rest.n == 2 || rest.p[2] == '/' ||
	    rest.p[2] == '?')
		return conf_error(n, e, "missing host for URL");
	for (size_t i = 0; i < url.n; i++)
		if ((unsigned char)url.p[i] <= ' ' || url.p[i] == 0x7f)
			return conf_error(n, e, "invalid character in URL");
	return 0;
}

static int
check_slack(const struct conf_node *n, struct globals *g, struct error *e)
{
	const struct conf_node *u = conf_find(n, "slack_api_url");

	if (given(u) && notify_check_url(u, g->slack_api_url, e) == -1)
		return -1;
	u = conf_find(n, "slack_app_url");
	if (given(u) && notify_check_url(u, g->slack_app_url, e) == -1)
		return -1;
	if ((g->slack_app_token.n > 0 || g->slack_app_token_file.n > 0) &&
	    (g->slack_api_url.n > 0 || g->slack_api_url_file.n > 0))
		return conf_error(n, e,
		    "at most one of slack_app_token/slack_app_token_file & "
		    "slack_api_url/slack_api_url_file must be configured");
	return 0;
}

static int
load_global(struct notify_config *c, const struct conf_node *n, struct error *e)
{
	static const struct conf_field own[] = {
		FIELD(struct globals, CONF_T_DUR, resolve_timeout),
		FIELD(struct globals, CONF_T_NODE, http_config),
		FIELD(struct globals, CONF_T_STR, slack_api_url),
		FIELD(struct globals, CONF_T_STR, slack_api_url_file),
		FIELD(struct globals, CONF_T_STR, slack_app_token),
		FIELD(struct globals, CONF_T_STR, slack_app_token_file),
		FIELD(struct globals, CONF_T_STR, slack_app_url),
	};
	enum {
		OWN = sizeof(own) / sizeof(own[0]),
		OTHER = sizeof(other_globals) / sizeof(other_globals[0])
	};
	struct conf_field f[OWN + OTHER];
	struct globals g = { .resolve_timeout = 300000,
		.slack_app_url =
		    STR("https://slack.com/api/chat.postMessage") };

	memcpy(f, own, sizeof(own));
	for (size_t i = 0; i < OTHER; i++)
		f[OWN + i] = (struct conf_field){ other_globals[i], CONF_T_NODE,
			offsetof(struct globals, unused), false };
	auth_init(&c->auth);
	if (given(n) &&
	    (conf_read(n, f, OWN + OTHER, &g, e) == -1 ||
		check_pairs(n, e) == -1 || check_slack(n, &g, e) == -1))
		return -1;
	if (given(g.http_config) &&
	    auth_load(&c->auth, g.http_config, false, e) == -1)
		return -1;
	c->global = (struct global){ g.resolve_timeout, g.http_config,
		g.slack_api_url, g.slack_api_url_file, g.slack_app_token,
		g.slack_app_token_file, g.slack_app_url };
	return 0;
}

const struct auth *
notify_auth(struct notify_config *c, const struct conf_node *n, struct error *e)
{
	struct auth *a;

	if (!given(n))
		return &c->auth;
	a = arena_new(&c->arena, struct auth);
	auth_init(a);
	return auth_load(a, n, false, e) == -1 ? NULL : a;
}

int
notify_secret(const struct notify_config *c, str value, str file, str *out,
    struct arena *a, struct error *e)
{
	struct buf b = { 0 };
	int rc;

	*out = value;
	if (value.n > 0 || file.n == 0)
		return 0;
	rc = conf_read_from(c->conf, file, &b, e);
	*out = arena_dup(a, str_trim(buf_str(&b)));
	buf_fini(&b);
	return rc;
}

int
notify_check_text(const struct notify_config *c, const struct conf_node *n,
    str text, struct error *e)
{
	static const struct tmpl_func *const tables[] = { tmpl_funcs };
	struct tmpl *t;
	struct error why;
	int rc = 0;

	(void)c;
	if (str_find(text, STR("{{")) == text.n)
		return 0;
	t = tmpl_new(tables, 1);
	if (tmpl_parse(t, "", text, &why) == -1)
		rc = conf_error(n, e, "%s", why.msg);
	tmpl_free(t);
	return rc;
}

static int
parse_template_file(struct notify_config *c, const struct conf_node *n,
    str path, struct error *e)
{
	const char *z = arena_cstr(&c->arena, path);
	const char *base = strrchr(z, '/');
	struct buf b = { 0 };
	struct error why;
	int rc = -1;

	if (conf_read_from(c->conf, path, &b, &why) == -1)
		conf_error(n, e, "%s", why.msg);
	else if (tmpl_parse(c->tmpl, base != NULL ? base + 1 : z, buf_str(&b),
		     &why) == -1)
		conf_error(n, e, "%s", why.msg);
	else
		rc = 0;
	buf_fini(&b);
	return rc;
}

/* The path as a glob, relative to the configuration's directory. */
static int
parse_templates(struct notify_config *c, const struct conf_node *n, str path,
    struct error *e)
{
	str name = conf_name(c->conf), full = path;
	size_t dir = name.n;
	glob_t g;
	int rc = 0;

	if (conf_key(c->conf).n > 0) /* a manifest: another key of it */
		return parse_template_file(c, n, path, e);
	while (dir > 0 && name.p[dir - 1] != '/')
		dir--;
	if (path.n > 0 && path.p[0] != '/')
		full = arena_printf(
		    &c->arena, "%.*s%.*s", (int)dir, name.p, STR_ARG(path));
	if (glob(arena_cstr(&c->arena, full), 0, NULL, &g) != 0)
		return 0; /* nothing matches: fine upstream too */
	for (size_t i = 0; i < g.gl_pathc && rc == 0; i++) {
		str found = str_of(g.gl_pathv[i]);

		if (path.n > 0 && path.p[0] != '/')
			found = str_skip(found, dir);
		rc = parse_template_file(c, n, found, e);
	}
	globfree(&g);
	return rc;
}

static int
load_templates(
    struct notify_config *c, const struct conf_node *n, struct error *e)
{
	static const struct tmpl_func *const tables[] = { tmpl_funcs };
	str s;

	c->tmpl = tmpl_new(tables, 1);
	if (tmpl_parse(c->tmpl, "default.tmpl",
		str_of(notify_default_templates), e) == -1)
		return -1;
	if (!given(n))
		return 0;
	if (n->kind != CONF_LIST)
		return conf_error(n, e, "templates must be a list of paths");
	for (size_t i = 0; i < n->n; i++)
		if (conf_str(n->v[i], &s, e) == -1 ||
		    parse_templates(c, n->v[i], s, e) == -1)
			return -1;
	return 0;
}

static int
load_intervals(
    struct notify_config *c, const struct conf_node *n, struct error *e)
{
	size_t cap = c->nintervals;

	if (!given(n))
		return 0;
	if (n->kind != CONF_LIST)
		return conf_error(n, e, "time_intervals must be a list");
	for (size_t i = 0; i < n->n; i++) {
		struct interval *iv;

		iv = notify_interval_load(&c->arena, n->v[i], e);
		if (iv == NULL)
			return -1;
		c->intervals = arena_grow(&c->arena, c->intervals, &cap,
		    c->nintervals + 1, sizeof(*c->intervals));
		c->intervals[c->nintervals++] = iv;
		for (size_t k = 0; k + 1 < c->nintervals; k++)
			if (str_eq(notify_interval_name(c->intervals[k]),
				notify_interval_name(iv)))
				return conf_error(n->v[i], e,
				    "time interval \"%.*s\" is not unique",
				    STR_ARG(notify_interval_name(iv)));
	}
	return 0;
}

struct top {
	const struct conf_node *global, *templates, *route, *receivers,
	    *inhibit_rules, *time_intervals, *mute_time_intervals, *tracing,
	    *event_recorder;
};

static int
load(struct notify_config *c, struct error *e)
{
	static const struct conf_field f[] = {
		FIELD(struct top, CONF_T_NODE, global),
		FIELD(struct top, CONF_T_NODE, templates),
		FIELD(struct top, CONF_T_NODE, route),
		FIELD(struct top, CONF_T_NODE, receivers),
		FIELD(struct top, CONF_T_NODE, inhibit_rules),
		FIELD(struct top, CONF_T_NODE, time_intervals),
		FIELD(struct top, CONF_T_NODE, mute_time_intervals),
		FIELD(struct top, CONF_T_NODE, tracing),
		FIELD(struct top, CONF_T_NODE, event_recorder),
	};
	const struct conf_node *root = conf_root(c->conf);
	struct top t = { .global = NULL };

	if (root->kind == CONF_NULL)
		return conf_error(root, e, "no route provided in config");
	if (conf_read(root, f, sizeof(f) / sizeof(f[0]), &t, e) == -1)
		return -1;
	if (given(t.tracing))
		return conf_error_key(t.tracing, e, "tracing is not supported");
	if (given(t.event_recorder))
		return conf_error_key(t.event_recorder, e,
		    "event_recorder is not supported: notify/log is the "
		    "record");
	if (load_global(c, t.global, e) == -1 ||
	    load_templates(c, t.templates, e) == -1 ||
	    load_intervals(c, t.time_intervals, e) == -1 ||
	    load_intervals(c, t.mute_time_intervals, e) == -1 ||
	    notify_receivers_load(c, t.receivers, e) == -1 ||
	    notify_routes_load(c, t.route, e) == -1)
		return -1;
	return notify_inhibits_load(c, t.inhibit_rules, e);
}

struct notify_config *
notify_config_new(struct conf *tree, struct error *e)
{
	struct notify_config *c = mem_zero(1, sizeof(*c));

	arena_init(&c->arena);
	c->conf = tree;
	if (load(c, e) == 0)
		return c;
	notify_config_free(c);
	return NULL;
}

void
notify_config_free(struct notify_config *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->nmatchers; i++)
		notify_matchers_fini(c->matchers[i]);
	free(c->matchers);
	for (size_t i = 0; i < c->nintervals; i++)
		notify_interval_fini(c->intervals[i]);
	tmpl_free(c->tmpl);
	arena_fini(&c->arena);
	conf_free(c->conf);
	free(c);
}

size_t
notify_config_receivers(const struct notify_config *c)
{
	return c->nreceivers;
}

size_t
notify_config_integrations(const struct notify_config *c, size_t i)
{
	return c->receivers[i].n;
}
