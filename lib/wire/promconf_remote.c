/*
 * remote_write and remote_read of a prometheus.yml, held against what upstream
 * takes.
 */
#include <stddef.h>

#include "net/auth.h"
#include "wire/promconf_all.h"

#define N(v) (sizeof(v) / sizeof(*(v)))

int
promconf_all_headers(
    const struct conf_node *n, const char *authorization, struct error *e)
{
	static const char *const reserved[] = { "host", "content-encoding",
		"content-length", "content-type", "user-agent", "connection",
		"keep-alive", "proxy-authenticate", "proxy-authorization",
		"www-authenticate", "accept-encoding",
		"x-prometheus-remote-write-version",
		"x-prometheus-remote-read-version", "x-amz-date",
		"x-amz-security-token", "x-amz-content-sha256" };
	str value;

	if (!promconf_all_there(n))
		return 0;
	if (n->kind != CONF_MAP)
		return conf_error(n, e, "headers: expected a map");
	for (size_t i = 0; i < n->n; i++) {
		const struct conf_node *v = n->v[i];

		if (str_eq_fold(v->key, STR("authorization")))
			return conf_error_key(v, e, "%s", authorization);
		for (size_t j = 0; j < N(reserved); j++)
			if (str_eq_fold(v->key, str_of(reserved[j])))
				return conf_error_key(v, e,
				    "%.*s is a reserved header. It must not be "
				    "changed",
				    STR_ARG(v->key));
		if (conf_str(v, &value, e) == -1)
			return -1;
	}
	return 0;
}

size_t
promconf_all_credentials(const struct conf_node *n)
{
	return (size_t)promconf_all_there(conf_find(n, "basic_auth")) +
	    (size_t)promconf_all_there(conf_find(n, "authorization")) +
	    (size_t)promconf_all_there(conf_find(n, "oauth2"));
}

int
promconf_all_sigv4(const struct conf_node *n, struct error *e)
{
	struct sigv4 {
		str text, access, secret;
		bool fips;
	} s = { 0 };
	static const struct conf_field fields[] = {
		{ "region", CONF_T_STR, offsetof(struct sigv4, text), false },
		{ "profile", CONF_T_STR, offsetof(struct sigv4, text), false },
		{ "role_arn", CONF_T_STR, offsetof(struct sigv4, text), false },
		{ "external_id", CONF_T_STR, offsetof(struct sigv4, text),
		    false },
		{ "service_name", CONF_T_STR, offsetof(struct sigv4, text),
		    false },
		{ "access_key", CONF_T_STR, offsetof(struct sigv4, access),
		    false },
		{ "secret_key", CONF_T_STR, offsetof(struct sigv4, secret),
		    false },
		{ "use_fips_sts_endpoint", CONF_T_BOOL,
		    offsetof(struct sigv4, fips), false },
	};

	if (!promconf_all_there(n))
		return 0;
	if (conf_read(n, fields, N(fields), &s, e) == -1)
		return -1;
	if ((s.access.n == 0) != (s.secret.n == 0))
		return conf_error(n, e,
		    "must provide a AWS SigV4 Access key and Secret Key if "
		    "credentials are specified in the SigV4 config");
	return 0;
}

struct queue {
	int64_t capacity, min_shards, max_shards, max_samples;
	int64_t deadline, min_backoff, max_backoff, age;
	bool retry;
};

#define QUEUE(name, kind, member)                                              \
	{                                                                      \
		name, kind, offsetof(struct queue, member), false              \
	}

static int
queue_config(const struct conf_node *n, struct error *e)
{
	static const struct conf_field fields[] = {
		QUEUE("capacity", CONF_T_INT, capacity),
		QUEUE("min_shards", CONF_T_INT, min_shards),
		QUEUE("max_shards", CONF_T_INT, max_shards),
		QUEUE("max_samples_per_send", CONF_T_INT, max_samples),
		QUEUE("batch_send_deadline", CONF_T_DUR, deadline),
		QUEUE("min_backoff", CONF_T_DUR, min_backoff),
		QUEUE("max_backoff", CONF_T_DUR, max_backoff),
		QUEUE("sample_age_limit", CONF_T_DUR, age),
		QUEUE("retry_on_http_429", CONF_T_BOOL, retry),
	};
	struct queue q = {
		.min_shards = 1, .max_shards = 50, .max_samples = 2000
	};

	if (!promconf_all_there(n))
		return 0;
	if (conf_read(n, fields, N(fields), &q, e) == -1)
		return -1;
	if (q.max_shards <= 0 || q.min_shards <= 0)
		return conf_error(
		    n, e, "min_shards and max_shards must be greater than 0");
	if (q.min_shards > q.max_shards)
		return conf_error(
		    n, e, "min_shards must not be greater than max_shards");
	if (q.max_samples <= 0)
		return conf_error(
		    n, e, "max_samples_per_send must be greater than 0");
	return 0;
}

static int
metadata_config(const struct conf_node *n, struct error *e)
{
	struct metadata {
		bool send;
		int64_t interval, samples;
	} m = { 0 };
	static const struct conf_field fields[] = {
		{ "send", CONF_T_BOOL, offsetof(struct metadata, send), false },
		{ "send_interval", CONF_T_DUR,
		    offsetof(struct metadata, interval), false },
		{ "max_samples_per_send", CONF_T_INT,
		    offsetof(struct metadata, samples), false },
	};

	return promconf_all_there(n) ? conf_read(n, fields, N(fields), &m, e)
				     : 0;
}

struct remote {
	str url, name;
	int64_t timeout, read_limit;
	bool flag;
};

#define REMOTE(name, kind, member)                                             \
	{                                                                      \
		name, kind, offsetof(struct remote, member), false             \
	}

static const struct conf_field write_fields[] = {
	REMOTE("url", CONF_T_STR, url),
	REMOTE("name", CONF_T_STR, name),
	REMOTE("remote_timeout", CONF_T_DUR, timeout),
	REMOTE("send_exemplars", CONF_T_BOOL, flag),
	REMOTE("send_native_histograms", CONF_T_BOOL, flag),
	REMOTE("round_robin_dns", CONF_T_BOOL, flag),
};

static const struct conf_field read_fields[] = {
	REMOTE("url", CONF_T_STR, url),
	REMOTE("name", CONF_T_STR, name),
	REMOTE("remote_timeout", CONF_T_DUR, timeout),
	REMOTE("chunked_read_limit", CONF_T_INT, read_limit),
	REMOTE("read_recent", CONF_T_BOOL, flag),
	REMOTE("filter_external_labels", CONF_T_BOOL, flag),
};

static const char *const write_keys[] = { "url", "remote_timeout", "headers",
	"write_relabel_configs", "name", "send_exemplars",
	"send_native_histograms", "round_robin_dns", "queue_config",
	"metadata_config", "sigv4", "azuread", "google_iam", "protobuf_message",
	NULL };
static const char *const read_keys[] = { "url", "remote_timeout",
	"chunked_read_limit", "headers", "read_recent", "required_matchers",
	"name", "filter_external_labels", NULL };

/* What writing and reading have in common. */
static int
remote(
    const struct conf_node *n, bool write, struct map *names, struct error *e)
{
	const char *what = write ? "write" : "read";
	struct remote r = { 0 };
	struct auth auth;
	bool fresh = true;

	auth_init(&auth);
	if (promconf_all_keys(n, write ? write_keys : read_keys, auth_key, e) ==
		-1 ||
	    promconf_all_some(n, write ? write_fields : read_fields,
		write ? N(write_fields) : N(read_fields), &r, e) == -1)
		return -1;
	if (r.url.n == 0)
		return conf_error(n, e, "url for remote_%s is empty", what);
	if (r.read_limit < 0)
		return conf_error(conf_find(n, "chunked_read_limit"), e,
		    "chunked_read_limit must not be negative");
	if (r.name.n > 0)
		(void)map_add(names, r.name, &fresh);
	if (!fresh)
		return conf_error(conf_find(n, "name"), e,
		    "found multiple remote %s configs with job name \"%.*s\"",
		    what, STR_ARG(r.name));
	if (promconf_all_headers(conf_find(n, "headers"),
		"authorization header must be changed via the basic_auth, "
		"authorization, oauth2, sigv4, azuread or google_iam parameter",
		e) == -1)
		return -1;
	return auth_load(&auth, n, true, e);
}

/* One way to say who one is, of those that http_config has not. */
static int
cloud(const struct conf_node *n, struct error *e)
{
	static const char *const azure[] = { "cloud", "managed_identity",
		"oauth", "workload_identity", "sdk", "scope", NULL };
	static const char *const google[] = { "credentials_file", NULL };
	const struct conf_node *sigv4 = conf_find(n, "sigv4");
	const struct conf_node *azuread = conf_find(n, "azuread");
	const struct conf_node *iam = conf_find(n, "google_iam");

	if (promconf_all_credentials(n) + (size_t)promconf_all_there(sigv4) +
		(size_t)promconf_all_there(azuread) +
		(size_t)promconf_all_there(iam) >
	    1)
		return conf_error(n, e,
		    "at most one of basic_auth, authorization, oauth2, sigv4, "
		    "azuread or google_iam must be configured");
	if (promconf_all_sigv4(sigv4, e) == -1 ||
	    promconf_all_keys(azuread, azure, NULL, e) == -1 ||
	    promconf_all_keys(iam, google, NULL, e) == -1)
		return -1;
	return 0;
}

static int
remote_write(const struct conf_node *n, bool legacy, struct error *e)
{
	static const char *const messages[] = { "prometheus.WriteRequest",
		"io.prometheus.write.v2.Request", NULL };

	if (promconf_all_rules(conf_find(n, "write_relabel_configs"),
		"write_relabel_configs", legacy, e) == -1 ||
	    promconf_all_word(conf_find(n, "protobuf_message"), messages,
		"invalid protobuf_message value: supported are "
		"prometheus.WriteRequest, io.prometheus.write.v2.Request",
		e) == -1 ||
	    queue_config(conf_find(n, "queue_config"), e) == -1 ||
	    metadata_config(conf_find(n, "metadata_config"), e) == -1)
		return -1;
	return cloud(n, e);
}

static int
remote_read(const struct conf_node *n, struct error *e)
{
	const struct conf_node *m = conf_find(n, "required_matchers");
	str s;

	if (!promconf_all_there(m))
		return 0;
	if (m->kind != CONF_MAP)
		return conf_error(m, e, "required_matchers: expected a map");
	for (size_t i = 0; i < m->n; i++) {
		if (m->v[i]->key.n == 0 || !str_utf8(m->v[i]->key))
			return conf_error_key(m->v[i], e,
			    "\"%.*s\" is not a valid label name",
			    STR_ARG(m->v[i]->key));
		if (conf_str(m->v[i], &s, e) == -1)
			return -1;
	}
	return 0;
}

int
promconf_all_remotes(const struct conf_node *root, bool legacy, struct error *e)
{
	const struct conf_node *const *v;
	struct map names = { 0 };
	size_t n;
	int rc;

	rc = promconf_all_list(conf_find(root, "remote_write"), CONF_MAP,
	    "remote write config section", &v, &n, e);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = remote(v[i], true, &names, e);
		if (rc == 0)
			rc = remote_write(v[i], legacy, e);
	}
	map_reset(&names);
	if (rc == 0)
		rc = promconf_all_list(conf_find(root, "remote_read"), CONF_MAP,
		    "remote read config section", &v, &n, e);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = remote(v[i], false, &names, e);
		if (rc == 0)
			rc = remote_read(v[i], e);
	}
	map_fini(&names);
	return rc;
}
