/*
 * The sections of prometheus.yml that are checked and not used: runtime,
 * storage, tracing, otlp.
 */
#include <stddef.h>

#include "net/auth.h"
#include "wire/promconf_all.h"

#define N(v) (sizeof(v) / sizeof(*(v)))

static int
runtime(const struct conf_node *n, struct error *e)
{
	static const struct conf_field fields[] = {
		{ "gogc", CONF_T_INT, 0, false },
	};
	int64_t gogc = 0;

	return promconf_all_there(n) ? conf_read(n, fields, 1, &gogc, e) : 0;
}

struct tsdb {
	int64_t time, size, max_exemplars;
	double percentage, threshold;
	const struct conf_node *chunks, *retention;
};

#define TSDB(name, kind, member)                                               \
	{                                                                      \
		name, kind, offsetof(struct tsdb, member), false               \
	}

static int
retention(const struct conf_node *n, struct error *e)
{
	static const struct conf_field fields[] = {
		TSDB("time", CONF_T_DUR, time),
		TSDB("size", CONF_T_SIZE, size),
		TSDB("percentage", CONF_T_FLOAT, percentage),
	};
	struct tsdb r = { 0 };

	if (!promconf_all_there(n))
		return 0;
	if (conf_read(n, fields, N(fields), &r, e) == -1)
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
	static const char *const chunk_keys[] = { "floats", NULL };
	static const char *const floats[] = { "xor", "xor2", NULL };
	static const struct conf_field tsdb_fields[] = {
		TSDB("out_of_order_time_window", CONF_T_DUR, time),
		TSDB("stale_series_compaction_threshold", CONF_T_FLOAT,
		    threshold),
		TSDB("chunk_encoding", CONF_T_NODE, chunks),
		TSDB("retention", CONF_T_NODE, retention),
	};
	static const struct conf_field exemplar_fields[] = {
		TSDB("max_exemplars", CONF_T_INT, max_exemplars),
	};
	const struct conf_node *tsdb = conf_find(n, "tsdb");
	const struct conf_node *exemplars = conf_find(n, "exemplars");
	struct tsdb t = { 0 };

	if (promconf_all_keys(n, keys, NULL, e) == -1 ||
	    (promconf_all_there(tsdb) &&
		conf_read(tsdb, tsdb_fields, N(tsdb_fields), &t, e) == -1) ||
	    (promconf_all_there(exemplars) &&
		conf_read(exemplars, exemplar_fields, 1, &t, e) == -1) ||
	    promconf_all_keys(t.chunks, chunk_keys, NULL, e) == -1 ||
	    promconf_all_word(conf_find(t.chunks, "floats"), floats,
		"expected chunk encoding of floats to be xor or xor2", e) == -1)
		return -1;
	return retention(t.retention, e);
}

struct tracing {
	str endpoint;
	int64_t timeout;
	double fraction;
	bool insecure;
};

static int
tracing(const struct conf_node *n, struct error *e)
{
	static const char *const keys[] = { "client_type", "endpoint",
		"sampling_fraction", "insecure", "tls_config", "headers",
		"compression", "timeout", NULL };
	static const struct conf_field fields[] = {
		{ "endpoint", CONF_T_STR, offsetof(struct tracing, endpoint),
		    false },
		{ "timeout", CONF_T_DUR, offsetof(struct tracing, timeout),
		    false },
		{ "sampling_fraction", CONF_T_FLOAT,
		    offsetof(struct tracing, fraction), false },
		{ "insecure", CONF_T_BOOL, offsetof(struct tracing, insecure),
		    false },
	};
	static const char *const types[] = { "grpc", "http", NULL };
	static const char *const gzip[] = { "gzip", "", NULL };
	struct tracing t = { 0 };
	struct auth auth;

	if (!promconf_all_there(n))
		return 0;
	auth_init(&auth);
	if (promconf_all_keys(n, keys, NULL, e) == -1 ||
	    promconf_all_some(n, fields, N(fields), &t, e) == -1 ||
	    promconf_all_word(conf_find(n, "client_type"), types,
		"expected tracing client type to be http or grpc", e) == -1 ||
	    promconf_all_headers(conf_find(n, "headers"),
		"custom authorization header configuration is not yet "
		"supported",
		e) == -1 ||
	    auth_load(&auth, n, true, e) == -1)
		return -1;
	if (t.endpoint.n == 0)
		return conf_error(n, e, "tracing endpoint must be set");
	return promconf_all_word(conf_find(n, "compression"), gzip,
	    "invalid compression type, valid options: gzip", e);
}

/* Names of resource attributes: none empty, none twice. */
static int
attributes(const struct conf_node *n, const char *how, struct error *e)
{
	const struct conf_node *const *v;
	struct map seen = { 0 };
	size_t len;
	bool fresh;
	int rc = promconf_all_list(
	    n, CONF_SCALAR, "resource attribute", &v, &len, e);

	for (size_t i = 0; rc == 0 && i < len; i++) {
		str s = str_trim(v[i]->value);

		(void)map_add(&seen, s, &fresh);
		if (s.n == 0)
			rc = conf_error(
			    v[i], e, "empty %s OTel resource attribute", how);
		else if (!fresh)
			rc = conf_error(v[i], e,
			    "duplicated %s OTel resource attribute \"%.*s\"",
			    how, STR_ARG(s));
	}
	map_fini(&seen);
	return rc;
}

struct otlp {
	bool all, flag;
	str strategy;
	const struct conf_node *promote, *ignore;
};

#define OTLP(name, kind, member)                                               \
	{                                                                      \
		name, kind, offsetof(struct otlp, member), false               \
	}

static const struct conf_field otlp_fields[] = {
	OTLP("promote_all_resource_attributes", CONF_T_BOOL, all),
	OTLP("promote_resource_attributes", CONF_T_NODE, promote),
	OTLP("ignore_resource_attributes", CONF_T_NODE, ignore),
	OTLP("translation_strategy", CONF_T_STR, strategy),
	OTLP("keep_identifying_resource_attributes", CONF_T_BOOL, flag),
	OTLP("convert_histograms_to_nhcb", CONF_T_BOOL, flag),
	OTLP("promote_scope_metadata", CONF_T_BOOL, flag),
	OTLP("label_name_underscore_sanitization", CONF_T_BOOL, flag),
	OTLP("label_name_preserve_multiple_underscores", CONF_T_BOOL, flag),
};

static int
strategy(const struct conf_node *n, str name, bool legacy, struct error *e)
{
	static const char *const known[] = { "",
		"UnderscoreEscapingWithSuffixes",
		"UnderscoreEscapingWithoutSuffixes",
		"NoUTF8EscapingWithSuffixes", "NoTranslation" };
	size_t i;

	for (i = 0; i < N(known); i++)
		if (str_eq(name, str_of(known[i])))
			break;
	n = conf_find(n, "translation_strategy");
	if (i == N(known))
		return conf_error(n, e,
		    "unsupported OTLP translation strategy \"%.*s\"",
		    STR_ARG(name));
	if (legacy && str_starts(name, STR("No")))
		return conf_error(n, e,
		    "OTLP translation strategy \"%.*s\" is not allowed when "
		    "UTF8 is disabled",
		    STR_ARG(name));
	return 0;
}

static int
otlp(const struct conf_node *n, bool legacy, struct error *e)
{
	struct otlp o = { 0 };

	if (!promconf_all_there(n))
		return 0;
	if (conf_read(n, otlp_fields, N(otlp_fields), &o, e) == -1)
		return -1;
	if (o.all && o.promote != NULL && o.promote->n > 0)
		return conf_error(o.promote, e,
		    "'promote_all_resource_attributes' and "
		    "'promote_resource_attributes' cannot be configured "
		    "simultaneously");
	if (!o.all && o.ignore != NULL && o.ignore->n > 0)
		return conf_error(o.ignore, e,
		    "'ignore_resource_attributes' cannot be configured unless "
		    "'promote_all_resource_attributes' is true");
	if (attributes(o.promote, "promoted", e) == -1 ||
	    attributes(o.ignore, "ignored", e) == -1)
		return -1;
	return strategy(n, o.strategy, legacy, e);
}

int
promconf_all_sections(
    const struct conf_node *root, bool legacy, struct error *e)
{
	if (runtime(conf_find(root, "runtime"), e) == -1 ||
	    storage(conf_find(root, "storage"), e) == -1 ||
	    tracing(conf_find(root, "tracing"), e) == -1)
		return -1;
	return otlp(conf_find(root, "otlp"), legacy, e);
}
