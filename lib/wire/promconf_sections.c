/*
 * The sections of prometheus.yml that are checked and not used.
 */
#include "wire/promconf_sections.h"

#include <stddef.h>
#include <strings.h>

#include "base/map.h"
#include "net/auth.h"

#define NFIELDS(f) (sizeof(f) / sizeof(*(f)))

int
promconf_sections_keys(const struct conf_node *n, const char *const *names,
    bool http, struct error *e)
{
	size_t j;

	if (n == NULL || n->kind == CONF_NULL)
		return 0;
	if (n->kind != CONF_MAP)
		return conf_error(
		    n, e, "%.*s: expected a map", STR_ARG(n->key));
	for (size_t i = 0; i < n->n; i++) {
		str key = n->v[i]->key;

		for (j = 0; names[j] != NULL; j++)
			if (str_eq(key, str_of(names[j])))
				break;
		if (names[j] == NULL && !(http && auth_key(key)))
			return conf_error_key(
			    n->v[i], e, "unknown key \"%.*s\"", STR_ARG(key));
	}
	return 0;
}

int
promconf_sections_list(const struct conf_node *n, enum conf_kind kind,
    const char *what, const struct conf_node *const **v, size_t *len,
    struct error *e)
{
	*v = NULL;
	*len = 0;
	if (n == NULL || n->kind == CONF_NULL)
		return 0;
	if (n->kind != CONF_LIST)
		return conf_error(
		    n, e, "%.*s: expected a list", STR_ARG(n->key));
	for (size_t i = 0; i < n->n; i++)
		if (n->v[i]->kind == CONF_NULL)
			return conf_error(n->v[i], e, "empty or null %s", what);
		else if (n->v[i]->kind != kind)
			return conf_error(n->v[i], e, "%s: expected %s", what,
			    kind == CONF_MAP ? "a map" : "text");
	*v = n->v;
	*len = n->n;
	return 0;
}

/* Is n absent, or one of the words? */
static int
word(const struct conf_node *n, const char *const *words, struct error *e)
{
	if (n == NULL || n->kind == CONF_NULL)
		return 0;
	for (; *words != NULL; words++)
		if (n->kind == CONF_SCALAR && str_eq(n->value, str_of(*words)))
			return 0;
	return conf_error(n, e, "unsupported %.*s \"%.*s\"", STR_ARG(n->key),
	    STR_ARG(n->value));
}

/* Headers that upstream sets itself. */
static int
headers(const struct conf_node *n, struct error *e)
{
	static const char *const reserved[] = { "authorization", "host",
		"content-encoding", "content-length", "content-type",
		"user-agent", "connection", "keep-alive", "proxy-authenticate",
		"proxy-authorization", "www-authenticate", "accept-encoding",
		"x-prometheus-remote-write-version",
		"x-prometheus-remote-read-version",
		"x-prometheus-scrape-timeout-seconds", "x-amz-date",
		"x-amz-security-token", "x-amz-content-sha256" };

	if (n == NULL || n->kind == CONF_NULL)
		return 0;
	if (n->kind != CONF_MAP)
		return conf_error(n, e, "headers: expected a map");
	for (size_t i = 0; i < n->n; i++) {
		str key = n->v[i]->key;

		for (size_t j = 0; j < NFIELDS(reserved); j++)
			if (key.n == strlen(reserved[j]) &&
			    strncasecmp(key.p, reserved[j], key.n) == 0)
				return conf_error_key(n->v[i], e,
				    "%.*s is a reserved header. It must not be "
				    "changed",
				    STR_ARG(key));
	}
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

	if (n == NULL)
		return 0;
	if (conf_read(n, fields, NFIELDS(fields), &q, e) == -1)
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

/* One remote_write or remote_read. */
static int
remote(const struct conf_node *n, const char *const *keys, const char *what,
    struct map *names, struct error *e)
{
	const struct conf_node *url = conf_find(n, "url");
	const struct conf_node *name = conf_find(n, "name"), *const * v;
	struct auth auth;
	size_t len;
	bool fresh = true;

	auth_init(&auth);
	if (promconf_sections_keys(n, keys, true, e) == -1)
		return -1;
	if (url == NULL || url->kind != CONF_SCALAR || url->value.n == 0)
		return conf_error(n, e, "url for %s is empty", what);
	if (name != NULL && name->kind == CONF_SCALAR && name->value.n > 0)
		(void)map_add(names, name->value, &fresh);
	if (!fresh)
		return conf_error(name, e,
		    "found multiple %s configs with job name \"%.*s\"", what,
		    STR_ARG(name->value));
	if (headers(conf_find(n, "headers"), e) == -1 ||
	    queue_config(conf_find(n, "queue_config"), e) == -1)
		return -1;
	return promconf_sections_list(conf_find(n, "write_relabel_configs"),
	    CONF_MAP, "relabeling rule", &v, &len, e);
}

static int
remotes(const struct conf_node *n, const char *const *keys, const char *what,
    struct error *e)
{
	const struct conf_node *const *v;
	struct map names = { 0 };
	size_t len;
	int rc = promconf_sections_list(n, CONF_MAP, what, &v, &len, e);

	for (size_t i = 0; rc == 0 && i < len; i++)
		rc = remote(v[i], keys, what, &names, e);
	map_fini(&names);
	return rc;
}

struct retention {
	int64_t time, size;
	double percentage;
};

static int
retention(const struct conf_node *n, struct error *e)
{
	static const struct conf_field fields[] = {
		{ "time", CONF_T_DUR, offsetof(struct retention, time), false },
		{ "size", CONF_T_SIZE, offsetof(struct retention, size),
		    false },
		{ "percentage", CONF_T_FLOAT,
		    offsetof(struct retention, percentage), false },
	};
	struct retention r = { 0 };

	if (n == NULL)
		return 0;
	if (conf_read(n, fields, NFIELDS(fields), &r, e) == -1)
		return -1;
	if (!(r.percentage >= 0 && r.percentage <= 100))
		return conf_error(conf_find(n, "percentage"), e,
		    "retention percentage must be between 0 and 100");
	return 0;
}

static int
storage(const struct conf_node *n, struct error *e)
{
	static const char *const keys[] = { "tsdb", "exemplars", NULL };
	static const char *const exemplars[] = { "max_exemplars", NULL };
	static const char *const tsdb_keys[] = { "out_of_order_time_window",
		"stale_series_compaction_threshold", "chunk_encoding",
		"retention", NULL };
	static const char *const chunks[] = { "floats", NULL };
	static const char *const floats[] = { "xor", "xor2", NULL };
	const struct conf_node *tsdb = conf_find(n, "tsdb");
	const struct conf_node *chunk = conf_find(tsdb, "chunk_encoding");
	const struct conf_node *window =
	    conf_find(tsdb, "out_of_order_time_window");
	int64_t ms;

	if (promconf_sections_keys(n, keys, false, e) == -1 ||
	    promconf_sections_keys(
		conf_find(n, "exemplars"), exemplars, false, e) == -1 ||
	    promconf_sections_keys(tsdb, tsdb_keys, false, e) == -1 ||
	    promconf_sections_keys(chunk, chunks, false, e) == -1 ||
	    word(conf_find(chunk, "floats"), floats, e) == -1 ||
	    retention(conf_find(tsdb, "retention"), e) == -1)
		return -1;
	if (window != NULL && window->kind != CONF_NULL)
		return conf_dur(window, &ms, e);
	return 0;
}

static int
tracing(const struct conf_node *n, struct error *e)
{
	static const char *const keys[] = { "client_type", "endpoint",
		"sampling_fraction", "insecure", "tls_config", "headers",
		"compression", "timeout", NULL };
	static const char *const types[] = { "grpc", "http", NULL };
	static const char *const gzip[] = { "gzip", "", NULL };
	const struct conf_node *endpoint = conf_find(n, "endpoint");

	if (n == NULL || n->kind == CONF_NULL)
		return 0;
	if (promconf_sections_keys(n, keys, false, e) == -1 ||
	    word(conf_find(n, "client_type"), types, e) == -1 ||
	    word(conf_find(n, "compression"), gzip, e) == -1 ||
	    headers(conf_find(n, "headers"), e) == -1)
		return -1;
	if (endpoint == NULL || endpoint->value.n == 0)
		return conf_error(n, e, "tracing endpoint must be set");
	return 0;
}

/* Names of resource attributes: none empty, none twice. */
static int
attributes(const struct conf_node *n, struct error *e)
{
	const struct conf_node *const *v;
	struct map seen = { 0 };
	size_t len;
	bool fresh;
	int rc = promconf_sections_list(
	    n, CONF_SCALAR, "resource attribute", &v, &len, e);

	for (size_t i = 0; rc == 0 && i < len; i++) {
		str s = str_trim(v[i]->value);

		(void)map_add(&seen, s, &fresh);
		if (s.n == 0)
			rc = conf_error(v[i], e, "empty resource attribute");
		else if (!fresh)
			rc = conf_error(v[i], e,
			    "duplicated resource attribute \"%.*s\"",
			    STR_ARG(s));
	}
	map_fini(&seen);
	return rc;
}

static int
otlp(const struct conf_node *n, bool legacy, struct error *e)
{
	static const char *const keys[] = { "promote_resource_attributes",
		"promote_all_resource_attributes", "ignore_resource_attributes",
		"translation_strategy", "keep_identifying_resource_attributes",
		"convert_histograms_to_nhcb", "promote_scope_metadata",
		"label_name_underscore_sanitization",
		"label_name_preserve_multiple_underscores", NULL };
	static const char *const strategies[] = {
		"UnderscoreEscapingWithSuffixes",
		"UnderscoreEscapingWithoutSuffixes",
		"NoUTF8EscapingWithSuffixes", "NoTranslation", NULL
	};
	const struct conf_node *promote =
	    conf_find(n, "promote_resource_attributes");
	const struct conf_node *ignore =
	    conf_find(n, "ignore_resource_attributes");
	const struct conf_node *all =
	    conf_find(n, "promote_all_resource_attributes");
	const struct conf_node *how = conf_find(n, "translation_strategy");
	bool any = false;

	if (promconf_sections_keys(n, keys, false, e) == -1 ||
	    word(how, strategies, e) == -1 || attributes(promote, e) == -1 ||
	    attributes(ignore, e) == -1 ||
	    (all != NULL && conf_bool(all, &any, e) == -1))
		return -1;
	if (legacy && how != NULL && str_starts(how->value, STR("No")))
		return conf_error(how, e,
		    "OTLP translation strategy \"%.*s\" is not allowed when "
		    "UTF8 is disabled",
		    STR_ARG(how->value));
	if (any && promote != NULL && promote->n > 0)
		return conf_error(promote, e,
		    "'promote_all_resource_attributes' and "
		    "'promote_resource_attributes' cannot be configured "
		    "simultaneously");
	if (!any && ignore != NULL && ignore->n > 0)
		return conf_error(ignore, e,
		    "'ignore_resource_attributes' goes with "
		    "'promote_all_resource_attributes' only");
	return 0;
}

int
promconf_sections_check(
    const struct conf_node *root, bool legacy, struct error *e)
{
	static const char *const runtime[] = { "gogc", NULL };
	static const char *const writes[] = { "url", "remote_timeout",
		"headers", "write_relabel_configs", "name", "send_exemplars",
		"send_native_histograms", "round_robin_dns", "queue_config",
		"metadata_config", "sigv4", "azuread", "google_iam",
		"protobuf_message", NULL };
	static const char *const reads[] = { "url", "remote_timeout",
		"chunked_read_limit", "headers", "read_recent",
		"required_matchers", "name", "filter_external_labels", NULL };

	if (promconf_sections_keys(
		conf_find(root, "runtime"), runtime, false, e) == -1 ||
	    storage(conf_find(root, "storage"), e) == -1 ||
	    tracing(conf_find(root, "tracing"), e) == -1 ||
	    otlp(conf_find(root, "otlp"), legacy, e) == -1 ||
	    remotes(conf_find(root, "remote_write"), writes, "remote_write",
		e) == -1 ||
	    remotes(conf_find(root, "remote_read"), reads, "remote_read", e) ==
		-1)
		return -1;
	return 0;
}
