/*
 * Receivers: the table of kinds, their common loading, and what rendering and
 * judging answers have in common.  A recv_*.c only reads its own keys and
 * fills in a body.
 */
#include "notify/impl.h"

#define LATER(name, resolved)                                                  \
	{                                                                      \
		name "_configs", name, resolved, NULL, NULL, NULL              \
	}

static const struct kind later[] = {
	LATER("discord", true),
	LATER("email", false),
	LATER("incidentio", true),
	LATER("jira", true),
	LATER("mattermost", true),
	LATER("msteams", true),
	LATER("msteamsv2", true),
	LATER("opsgenie", true),
	LATER("pagerduty", true),
	LATER("pushover", true),
	LATER("rocketchat", false),
	LATER("sns", true),
	LATER("telegram", true),
	LATER("victorops", true),
	LATER("webex", true),
	LATER("wechat", false),
};

static const struct kind *const built[] = { &notify_slack, &notify_webhook };

static const struct kind *
kind_of(str key)
{
	for (size_t i = 0; i < sizeof(built) / sizeof(built[0]); i++)
		if (str_eq(key, str_of(built[i]->key)))
			return built[i];
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (str_eq(key, str_of(later[i].key)))
			return &later[i];
	return NULL;
}

static int
load_list(struct notify_config *c, const struct conf_node *n,
    const struct kind *kind, struct receiver *r, size_t *cap, struct error *e)
{
	if (n->kind == CONF_NULL)
		return 0;
	if (kind->load == NULL)
		return conf_error_key(n, e,
		    "receivers of kind %s are not supported yet", kind->name);
	if (n->kind != CONF_LIST)
		return conf_error(n, e, "%s must be a list", kind->key);
	for (size_t i = 0; i < n->n; i++) {
		struct integration *in;

		if (n->v[i]->kind == CONF_NULL)
			return conf_error(
			    n->v[i], e, "missing %s config", kind->name);
		r->v =
		    arena_grow(&c->arena, r->v, cap, r->n + 1, sizeof(*r->v));
		in = &r->v[r->n++];
		*in = (struct integration){ .kind = kind,
			.receiver = r,
			.send_resolved = kind->send_resolved };
		in->name = arena_printf(&c->arena, "%s[%zu]", kind->name, i);
		if (kind->load(c, n->v[i], in, e) == -1)
			return -1;
	}
	return 0;
}

static int
load_one(struct notify_config *c, const struct conf_node *n, struct receiver *r,
    struct error *e)
{
	const struct conf_node *name = conf_find(n, "name");
	size_t cap = 0;

	if (n->kind != CONF_MAP)
		return conf_error(n, e, "a receiver must be a map");
	if (name != NULL && conf_str(name, &r->name, e) == -1)
		return -1;
	for (size_t i = 0; i < n->n; i++) {
		const struct kind *kind = kind_of(n->v[i]->key);

		if (str_eq(n->v[i]->key, STR("name")))
			continue;
		if (str_eq(n->v[i]->key, STR("labels")))
			return conf_error_key(n->v[i], e,
			    "labels of a receiver are not supported yet");
		if (kind == NULL)
			return conf_error_key(n->v[i], e,
			    "unknown key \"%.*s\"", STR_ARG(n->v[i]->key));
		if (load_list(c, n->v[i], kind, r, &cap, e) == -1)
			return -1;
	}
	if (r->name.n == 0)
		return conf_error(n, e, "missing name in receiver");
	return 0;
}

int
notify_receivers_load(
    struct notify_config *c, const struct conf_node *n, struct error *e)
{
	if (n == NULL || n->kind == CONF_NULL)
		return 0;
	if (n->kind != CONF_LIST)
		return conf_error(n, e, "receivers must be a list");
	c->receivers = arena_array(&c->arena, n->n, struct receiver);
	for (size_t i = 0; i < n->n; i++) {
		if (load_one(c, n->v[i], &c->receivers[i], e) == -1)
			return -1;
		for (size_t k = 0; k < i; k++)
			if (str_eq(c->receivers[k].name, c->receivers[i].name))
				return conf_error(n->v[i], e,
				    "notification config name \"%.*s\" is not "
				    "unique",
				    STR_ARG(c->receivers[i].name));
		c->nreceivers++;
	}
	return 0;
}

str
notify_render_text(struct render *r, str text)
{
	struct buf b = { 0 };
	struct error e;
	str out;

	if (str_find(text, STR("{{")) == text.n)
		return text;
	if (tmpl_text(r->config->tmpl, "", text, r->dot, r->a, NULL, &b, &e) ==
	    -1) {
		if (!r->failed)
			r->e = e;
		r->failed = true;
	}
	out = arena_dup(r->a, buf_str(&b));
	buf_fini(&b);
	return out;
}

str
notify_cut_runes(struct arena *a, str s, size_t n)
{
	size_t at = 0, cut = 0, len;

	for (size_t i = 0; i < n; i++, at += len) {
		if (at >= s.n)
			return s;
		if (i == n - 1)
			cut = at;
		str_rune(str_skip(s, at), &len);
	}
	if (at >= s.n)
		return s;
	return arena_printf(a, "%.*s\xe2\x80\xa6", (int)cut, s.p);
}

enum notify_outcome
notify_judge_status(const struct notify_answer *a, struct error *e)
{
	if (a->error != NULL) {
		error_set(e, "%s", a->error);
		return NOTIFY_RETRY;
	}
	if (a->status / 100 == 2)
		return NOTIFY_SENT;
	error_set(e, "unexpected status code %d", a->status);
	return a->status / 100 == 5 ? NOTIFY_RETRY : NOTIFY_FAILED;
}
