/*
 * Slack: one attachment, posted to a webhook, or with an application's token
 * to chat.postMessage.  "ok" or {"ok":true} is the only good answer.
 *
 * A text whose template fails is replaced by its default and reported: the
 * message leaves all the same (Alertmanager 0.33 sends it empty).
 */
#include "notify/impl.h"

enum text {
	CHANNEL,
	USERNAME,
	COLOR,
	TITLE,
	TITLE_LINK,
	PRETEXT,
	TEXT,
	MESSAGE_TEXT,
	FOOTER,
	FALLBACK,
	CALLBACK_ID,
	ICON_EMOJI,
	ICON_URL,
	IMAGE_URL,
	THUMB_URL,
	NTEXTS,
};

#define DEFAULT(name) STR_INIT("{{ template \"slack.default." name "\" . }}")

static const struct {
	const char *name;
	str value;
} texts[NTEXTS] = {
	[CHANNEL] = { "channel", { NULL, 0 } },
	[USERNAME] = { "username", DEFAULT("username") },
	[COLOR] = { "color",
	    STR_INIT("{{ if eq .Status \"firing\" }}danger{{ else }}good"
		     "{{ end }}") },
	[TITLE] = { "title", DEFAULT("title") },
	[TITLE_LINK] = { "title_link", DEFAULT("titlelink") },
	[PRETEXT] = { "pretext", DEFAULT("pretext") },
	[TEXT] = { "text", DEFAULT("text") },
	[MESSAGE_TEXT] = { "message_text", { NULL, 0 } },
	[FOOTER] = { "footer", DEFAULT("footer") },
	[FALLBACK] = { "fallback", DEFAULT("fallback") },
	[CALLBACK_ID] = { "callback_id", DEFAULT("callbackid") },
	[ICON_EMOJI] = { "icon_emoji", DEFAULT("iconemoji") },
	[ICON_URL] = { "icon_url", DEFAULT("iconurl") },
	[IMAGE_URL] = { "image_url", { NULL, 0 } },
	[THUMB_URL] = { "thumb_url", { NULL, 0 } },
};

struct field {
	str title, value;
	bool is_short;
};

struct action {
	str type, text, url, style, name, value;
	bool has_confirm;
	str title, question, ok, dismiss;
};

struct slack {
	str api_url, api_url_file, app_token, app_token_file, app_url;
	bool short_fields, link_names, update_message;
	const struct conf_node *send_resolved, *http_config, *mrkdwn, *fields,
	    *actions;
	int64_t timeout;
	str text[NTEXTS];
	const struct conf_node *text_node[NTEXTS];
	str *markdown;
	size_t nmarkdown;
	struct field *field;
	size_t nfield;
	struct action *action;
	size_t naction;
};

static bool
given(const struct conf_node *n)
{
	return n != NULL && n->kind != CONF_NULL;
}

static int
check_all(const struct notify_config *c, const struct conf_node *n,
    const str *v, size_t count, struct error *e)
{
	for (size_t i = 0; i < count; i++)
		if (notify_check_text(c, n, v[i], e) == -1)
			return -1;
	return 0;
}

static int
load_fields(struct notify_config *c, struct slack *s, struct error *e)
{
	const struct conf_node *n = s->fields;

	if (!given(n))
		return 0;
	if (n->kind != CONF_LIST)
		return conf_error(n, e, "fields must be a list");
	s->field = arena_array(&c->arena, n->n, struct field);
	for (size_t i = 0; i < n->n; i++) {
		struct field *f = &s->field[s->nfield++];
		static const struct conf_field keys[] = {
			{ "title", CONF_T_STR, offsetof(struct field, title),
			    false },
			{ "value", CONF_T_STR, offsetof(struct field, value),
			    false },
			{ "short", CONF_T_BOOL,
			    offsetof(struct field, is_short), false },
		};

		f->is_short = s->short_fields;
		if (conf_read(n->v[i], keys, 3, f, e) == -1)
			return -1;
		if (f->title.n == 0)
			return conf_error(n->v[i], e,
			    "missing title in Slack "
			    "field configuration");
		if (f->value.n == 0)
			return conf_error(n->v[i], e,
			    "missing value in Slack "
			    "field configuration");
		if (check_all(c, n->v[i], &f->title, 2, e) == -1)
			return -1;
	}
	return 0;
}

static int
load_confirm(struct notify_config *c, const struct conf_node *n,
    struct action *x, struct error *e)
{
	static const struct conf_field keys[] = {
		{ "title", CONF_T_STR, offsetof(struct action, title), false },
		{ "text", CONF_T_STR, offsetof(struct action, question),
		    false },
		{ "ok_text", CONF_T_STR, offsetof(struct action, ok), false },
		{ "dismiss_text", CONF_T_STR, offsetof(struct action, dismiss),
		    false },
	};

	if (conf_read(n, keys, 4, x, e) == -1)
		return -1;
	if (x->question.n == 0)
		return conf_error(
		    n, e, "missing text in Slack confirmation configuration");
	x->has_confirm = true;
	return check_all(c, n, &x->title, 4, e);
}

struct action_keys {
	struct action x;
	const struct conf_node *confirm;
};

static int
load_action(struct notify_config *c, const struct conf_node *n,
    struct action *x, struct error *e)
{
	struct action_keys v = { .confirm = NULL };
	static const struct conf_field keys[] = {
		{ "type", CONF_T_STR, offsetof(struct action, type), false },
		{ "text", CONF_T_STR, offsetof(struct action, text), false },
		{ "url", CONF_T_STR, offsetof(struct action, url), false },
		{ "style", CONF_T_STR, offsetof(struct action, style), false },
		{ "name", CONF_T_STR, offsetof(struct action, name), false },
		{ "value", CONF_T_STR, offsetof(struct action, value), false },
		{ "confirm", CONF_T_NODE, offsetof(struct action_keys, confirm),
		    false },
	};

	if (conf_read(n, keys, 7, &v, e) == -1)
		return -1;
	if (v.x.type.n == 0)
		return conf_error(
		    n, e, "missing type in Slack action configuration");
	if (v.x.text.n == 0)
		return conf_error(
		    n, e, "missing text in Slack action configuration");
	if (v.x.url.n == 0 && v.x.name.n == 0)
		return conf_error(
		    n, e, "missing name or url in Slack action configuration");
	if (v.x.url.n > 0)
		v.x.name = v.x.value = STR_NONE;
	else if (given(v.confirm) && load_confirm(c, v.confirm, &v.x, e) == -1)
		return -1;
	*x = v.x;
	return check_all(c, n, &x->type, 6, e);
}

static int
load_lists(struct notify_config *c, struct slack *s, struct error *e)
{
	static const str standard[] = { STR_INIT("fallback"),
		STR_INIT("pretext"), STR_INIT("text") };
	const struct conf_node *n = s->actions;

	if (load_fields(c, s, e) == -1)
		return -1;
	if (given(n)) {
		if (n->kind != CONF_LIST)
			return conf_error(n, e, "actions must be a list");
		s->action = arena_array(&c->arena, n->n, struct action);
		for (; s->naction < n->n; s->naction++)
			if (load_action(c, n->v[s->naction],
				&s->action[s->naction], e) == -1)
				return -1;
	}
	n = s->mrkdwn;
	s->nmarkdown = given(n) ? n->n : 3;
	s->markdown = arena_array(&c->arena, s->nmarkdown, str);
	for (size_t i = 0; i < s->nmarkdown; i++)
		if (!given(n))
			s->markdown[i] = standard[i];
		else if (conf_str(n->v[i], &s->markdown[i], e) == -1)
			return -1;
	return 0;
}

/* The URL and token that hold for this one, its own or global's. */
static int
load_address(struct notify_config *c, const struct conf_node *n,
    struct slack *s, struct error *e)
{
	const struct global *g = &c->global;
	const struct conf_node *u;

	if (s->api_url.n > 0 && s->api_url_file.n > 0)
		return conf_error(n, e,
		    "at most one of api_url & api_url_file "
		    "must be configured");
	if (s->app_token.n > 0 && s->app_token_file.n > 0)
		return conf_error(n, e,
		    "at most one of app_token & "
		    "app_token_file must be configured");
	if ((s->app_token.n > 0 || s->app_token_file.n > 0) &&
	    (s->api_url.n > 0 || s->api_url_file.n > 0))
		return conf_error(n, e,
		    "at most one of app_token/app_token_file & "
		    "api_url/api_url_file must be configured");
	if (s->api_url.n + s->api_url_file.n + s->app_token.n +
		s->app_token_file.n ==
	    0) {
		s->api_url = g->slack_api_url;
		s->api_url_file = g->slack_api_url_file;
		s->app_token = g->slack_app_token;
		s->app_token_file = g->slack_app_token_file;
	}
	if (s->app_url.n == 0)
		s->app_url = g->slack_app_url;
	if (s->api_url.n + s->api_url_file.n + s->app_token.n +
		s->app_token_file.n ==
	    0)
		return conf_error(n, e,
		    "no Slack API URL nor App token set "
		    "either inline or in a file");
	if (s->api_url.n + s->api_url_file.n == 0)
		s->api_url = s->app_url;
	if ((u = conf_find(n, "api_url")) != NULL && given(u) &&
	    notify_check_url(u, s->api_url, e) == -1)
		return -1;
	if ((u = conf_find(n, "app_url")) != NULL && given(u) &&
	    notify_check_url(u, s->app_url, e) == -1)
		return -1;
	return 0;
}

#define KEY(name, type, member)                                                \
	{                                                                      \
		name, type, offsetof(struct slack, member), false              \
	}

static const struct conf_field own[] = {
	KEY("send_resolved", CONF_T_NODE, send_resolved),
	KEY("http_config", CONF_T_NODE, http_config),
	KEY("api_url", CONF_T_STR, api_url),
	KEY("api_url_file", CONF_T_STR, api_url_file),
	KEY("app_token", CONF_T_STR, app_token),
	KEY("app_token_file", CONF_T_STR, app_token_file),
	KEY("app_url", CONF_T_STR, app_url),
	KEY("short_fields", CONF_T_BOOL, short_fields),
	KEY("link_names", CONF_T_BOOL, link_names),
	KEY("update_message", CONF_T_BOOL, update_message),
	KEY("mrkdwn_in", CONF_T_NODE, mrkdwn),
	KEY("fields", CONF_T_NODE, fields),
	KEY("actions", CONF_T_NODE, actions),
	KEY("timeout", CONF_T_GODUR, timeout),
};

static int
load(struct notify_config *c, const struct conf_node *n, struct integration *in,
    struct error *e)
{
	enum { OWN = sizeof(own) / sizeof(own[0]) };
	struct conf_field f[OWN + (size_t)NTEXTS];
	struct slack *s = arena_new(&c->arena, struct slack);

	memcpy(f, own, sizeof(own));
	for (size_t i = 0; i < NTEXTS; i++)
		f[OWN + i] = (struct conf_field){ texts[i].name, CONF_T_NODE,
			offsetof(struct slack, text_node) +
			    i * sizeof(s->text_node[0]),
			false };
	if (conf_read(n, f, OWN + NTEXTS, s, e) == -1)
		return -1;
	for (size_t i = 0; i < NTEXTS; i++) {
		s->text[i] = texts[i].value;
		if (given(s->text_node[i]) &&
		    (conf_str(s->text_node[i], &s->text[i], e) == -1 ||
			notify_check_text(c, s->text_node[i], s->text[i], e) ==
			    -1))
			return -1;
	}
	if (s->update_message)
		return conf_error(conf_find(n, "update_message"), e,
		    "update_message is not supported yet");
	if (load_address(c, n, s, e) == -1 || load_lists(c, s, e) == -1 ||
	    (given(s->send_resolved) &&
		conf_bool(s->send_resolved, &in->send_resolved, e) == -1))
		return -1;
	in->timeout = s->timeout;
	in->config = s;
	in->auth = notify_auth(c, s->http_config, e);
	return in->auth != NULL ? 0 : -1;
}

/* A text, or its default when its template fails. */
static str
text(struct render *r, const struct slack *s, enum text i)
{
	struct render mine = *r;
	str out;

	mine.failed = false;
	out = notify_render_text(&mine, s->text[i]);
	if (!mine.failed)
		return out;
	if (!r->failed)
		r->e = mine.e;
	r->failed = true;
	mine.failed = false;
	out = notify_render_text(&mine, texts[i].value);
	return mine.failed ? STR_NONE : out;
}

/* "key":"value", left out when it is empty. */
static void
put(struct json_writer *w, const char *key, str value)
{
	if (value.n == 0)
		return;
	json_key(w, str_of(key));
	json_str(w, value);
}

static void
put_always(struct json_writer *w, const char *key, str value)
{
	json_key(w, str_of(key));
	json_str(w, value);
}

static void
put_fields(struct json_writer *w, struct render *r, const struct slack *s)
{
	if (s->nfield == 0)
		return;
	json_key(w, STR("fields"));
	json_open(w, '[');
	for (size_t i = 0; i < s->nfield; i++) {
		json_open(w, '{');
		put(w, "title", notify_render_text(r, s->field[i].title));
		put(w, "value", notify_render_text(r, s->field[i].value));
		json_key(w, STR("short"));
		json_bool(w, s->field[i].is_short);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
put_actions(struct json_writer *w, struct render *r, const struct slack *s)
{
	if (s->naction == 0)
		return;
	json_key(w, STR("actions"));
	json_open(w, '[');
	for (size_t i = 0; i < s->naction; i++) {
		const struct action *x = &s->action[i];

		json_open(w, '{');
		put(w, "type", notify_render_text(r, x->type));
		put(w, "text", notify_render_text(r, x->text));
		put(w, "url", notify_render_text(r, x->url));
		put(w, "style", notify_render_text(r, x->style));
		put(w, "name", notify_render_text(r, x->name));
		put(w, "value", notify_render_text(r, x->value));
		if (x->has_confirm) {
			json_key(w, STR("confirm"));
			json_open(w, '{');
			put(w, "text", notify_render_text(r, x->question));
			put(w, "title", notify_render_text(r, x->title));
			put(w, "ok_text", notify_render_text(r, x->ok));
			put(w, "dismiss_text",
			    notify_render_text(r, x->dismiss));
			json_close(w, '}');
		}
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
put_attachment(struct json_writer *w, struct render *r, const struct slack *s)
{
	json_open(w, '{');
	put(w, "title", notify_cut_runes(r->a, text(r, s, TITLE), 1024));
	put(w, "title_link", text(r, s, TITLE_LINK));
	put(w, "pretext", text(r, s, PRETEXT));
	put_always(w, "text", text(r, s, TEXT));
	put_always(w, "fallback", text(r, s, FALLBACK));
	put_always(w, "callback_id", text(r, s, CALLBACK_ID));
	put_fields(w, r, s);
	put_actions(w, r, s);
	put(w, "image_url", text(r, s, IMAGE_URL));
	put(w, "thumb_url", text(r, s, THUMB_URL));
	put_always(w, "footer", text(r, s, FOOTER));
	put(w, "color", text(r, s, COLOR));
	if (s->nmarkdown > 0) {
		json_key(w, STR("mrkdwn_in"));
		json_open(w, '[');
		for (size_t i = 0; i < s->nmarkdown; i++)
			json_str(w, s->markdown[i]);
		json_close(w, ']');
	}
	json_close(w, '}');
}

static int
render(
    struct render *r, const struct integration *in, struct notify_delivery *d)
{
	const struct slack *s = in->config;
	struct json_writer w;
	struct buf b = { 0 };
	str token;

	if (notify_secret(r->config, s->api_url, s->api_url_file, &d->url, r->a,
		&r->e) == -1 ||
	    notify_secret(r->config, s->app_token, s->app_token_file, &token,
		r->a, &r->e) == -1)
		return -1;
	if (token.n > 0)
		d->authorization =
		    arena_printf(r->a, "Bearer %.*s", STR_ARG(token));
	json_init(&w, &b, true);
	json_open(&w, '{');
	put(&w, "channel", text(r, s, CHANNEL));
	put(&w, "username", text(r, s, USERNAME));
	put(&w, "icon_emoji", text(r, s, ICON_EMOJI));
	put(&w, "icon_url", text(r, s, ICON_URL));
	if (s->link_names) {
		json_key(&w, STR("link_names"));
		json_bool(&w, true);
	}
	put(&w, "text", text(r, s, MESSAGE_TEXT));
	json_key(&w, STR("attachments"));
	json_open(&w, '[');
	put_attachment(&w, r, s);
	json_close(&w, ']');
	json_close(&w, '}');
	buf_byte(&b, '\n');
	d->body = arena_dup(r->a, buf_str(&b));
	buf_fini(&b);
	return 0;
}

static enum notify_outcome
judge(const struct notify_answer *a, struct error *e)
{
	enum notify_outcome o = notify_judge_status(a, e);
	const struct json_value *v, *ok;
	struct arena arena;
	str why;

	if (o != NOTIFY_SENT)
		return o;
	if (!str_starts(a->content_type, STR("application/json"))) {
		if (str_eq(str_trim(a->body), STR("ok")))
			return NOTIFY_SENT;
		error_set(e, "received an error response from Slack: %.*s",
		    STR_ARG(str_take(str_trim(a->body), 100)));
		return NOTIFY_FAILED;
	}
	arena_init(&arena);
	v = json_parse(&arena, a->body, NULL);
	ok = json_find(v, "ok");
	if (ok == NULL || ok->kind != JSON_BOOL || !ok->boolean) {
		why = json_find_str(v, "error");
		error_set(e, "error response from Slack: %.*s",
		    STR_ARG(str_take(why, 100)));
		o = NOTIFY_FAILED;
	}
	arena_fini(&arena);
	return o;
}

const struct kind notify_slack = { "slack_configs", "slack", false, load,
	render, judge };
