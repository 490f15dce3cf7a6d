/*
 * One scrape_config into a struct scrape_job.  What Prometheus has and mf does
 * not do yet is an error that says so: a target scraped without its
 * relabelling would give other series than the user asked for.
 */
#include "scrape/job.h"

#include <stddef.h>

/* What of a section does not go straight into the job. */
struct section {
	struct scrape_job j;
	str escaping, validation;
	const struct conf_node *protocols, *statics;
	int64_t ignored_int;
};

#define KEY(name, kind, member)                                                \
	{                                                                      \
		name, kind, offsetof(struct section, member), false            \
	}

static const struct conf_field fields[] = {
	KEY("job_name", CONF_T_STR, j.name),
	KEY("metrics_path", CONF_T_STR, j.metrics_path),
	KEY("scheme", CONF_T_STR, j.scheme),
	KEY("scrape_interval", CONF_T_DUR, j.interval),
	KEY("scrape_timeout", CONF_T_DUR, j.timeout),
	KEY("honor_labels", CONF_T_BOOL, j.honor_labels),
	KEY("honor_timestamps", CONF_T_BOOL, j.honor_timestamps),
	KEY("track_timestamps_staleness", CONF_T_BOOL,
	    j.track_timestamps_staleness),
	KEY("enable_compression", CONF_T_BOOL, j.enable_compression),
	KEY("extra_scrape_metrics", CONF_T_BOOL, j.extra_metrics),
	KEY("body_size_limit", CONF_T_SIZE, j.body_size_limit),
	KEY("sample_limit", CONF_T_INT, j.sample_limit),
	KEY("target_limit", CONF_T_INT, j.target_limit),
	KEY("label_limit", CONF_T_INT, j.label_limit),
	KEY("label_name_length_limit", CONF_T_INT, j.label_name_limit),
	KEY("label_value_length_limit", CONF_T_INT, j.label_value_limit),
	KEY("fallback_scrape_protocol", CONF_T_STR, j.fallback_protocol),
	KEY("params", CONF_T_NODE, j.params),
	KEY("static_configs", CONF_T_NODE, statics),
	KEY("scrape_protocols", CONF_T_NODE, protocols),
	KEY("metric_name_escaping_scheme", CONF_T_STR, escaping),
	KEY("metric_name_validation_scheme", CONF_T_STR, validation),
	/* without relabelling there are no dropped targets to keep */
	KEY("keep_dropped_targets", CONF_T_INT, ignored_int),
};

#define NFIELDS (sizeof(fields) / sizeof(*fields))

/*
 * Keys of upstream's that mf does not do yet, as *_sd_configs; false, 0 and
 * empty are what it does anyway.
 */
static const char *const laters[] = {
	"relabel_configs",
	"metric_relabel_configs",
	"scrape_native_histograms",
	"convert_classic_histograms_to_nhcb",
	"always_scrape_classic_histograms",
	"native_histogram_bucket_limit",
	"native_histogram_min_bucket_factor",
	"scrape_failure_log_file",
};

/* The media types by upstream's names, in the order of its default list. */
static const struct protocol {
	const char *name, *type;
	bool escaping, by_default;
} protocols[] = {
	{ "OpenMetricsText1.0.0", "application/openmetrics-text;version=1.0.0",
	    true, true },
	{ "OpenMetricsText0.0.1", "application/openmetrics-text;version=0.0.1",
	    false, true },
	{ "PrometheusText1.0.0", "text/plain;version=1.0.0", true, true },
	{ "PrometheusText0.0.4", "text/plain;version=0.0.4", false, true },
	/* known, and not asked for: mf does not read it from targets yet */
	{ "PrometheusProto", NULL, false, false },
};

#define NPROTOCOLS (sizeof(protocols) / sizeof(*protocols))

static bool
off(const struct conf_node *n)
{
	return n->kind == CONF_NULL || (n->kind != CONF_SCALAR && n->n == 0) ||
	    (n->kind == CONF_SCALAR &&
		(n->value.n == 0 || str_eq(n->value, STR("false")) ||
		    str_eq(n->value, STR("0"))));
}

static int
not_yet(const struct conf_node *n, struct error *e)
{
	return conf_error_key(
	    n, e, "%.*s is not done by mf-scrape yet", STR_ARG(n->key));
}

/* 1: n is a key to be passed over here; 0: not; -1: it asks for too much. */
static int
passed_over(const struct conf_node *n, struct error *e)
{
	if (auth_key(n->key))
		return 1;
	if (str_ends(n->key, STR("_sd_configs")))
		return off(n) ? 1 : not_yet(n, e);
	for (size_t i = 0; i < sizeof(laters) / sizeof(*laters); i++)
		if (str_eq(n->key, str_of(laters[i])))
			return off(n) ? 1 : not_yet(n, e);
	return 0;
}

/* Read the keys of our own table, leaving out those of http_config. */
static int
read_section(const struct conf_node *n, struct section *s, struct error *e)
{
	for (size_t i = 0; i < n->n; i++) {
		struct conf_node one = { .kind = CONF_MAP,
			.conf = n->conf,
			.line = n->line,
			.col = n->col,
			.v = &n->v[i],
			.n = 1 };
		int r = passed_over(n->v[i], e);

		if (r == 0)
			r = conf_read(&one, fields, NFIELDS, s, e);
		if (r == -1)
			return -1;
	}
	return 0;
}

static const struct protocol *
protocol(str name)
{
	for (size_t i = 0; i < NPROTOCOLS; i++)
		if (str_eq(name, str_of(protocols[i].name)))
			return &protocols[i];
	return NULL;
}

/* q begins at one more than there are protocols, in tenths. */
static void
accept_one(struct buf *b, const struct protocol *p, str escaping, size_t *q)
{
	if (p->type == NULL)
		return;
	buf_z(b, p->type);
	if (p->escaping)
		buf_printf(b, ";escaping=%.*s", STR_ARG(escaping));
	buf_printf(b, ";q=0.%zu,", (*q)--);
}

static int
accept(struct arena *a, struct section *s, struct error *e)
{
	const struct conf_node *list = s->protocols;
	size_t q = NPROTOCOLS + 1, i, j;
	struct buf b = { 0 };
	int rc = -1;

	if (list != NULL && list->kind != CONF_LIST)
		return conf_error(list, e, "scrape_protocols: expected a list");
	for (i = 0; list == NULL && i < NPROTOCOLS; i++)
		if (protocols[i].by_default)
			accept_one(&b, &protocols[i], s->escaping, &q);
	for (i = 0; list != NULL && i < list->n; i++) {
		const struct protocol *p = protocol(list->v[i]->value);

		for (j = 0; j < i; j++)
			if (str_eq(list->v[i]->value, list->v[j]->value))
				break;
		if (p == NULL || j < i) {
			conf_error(list->v[i], e, "%s scrape protocol \"%.*s\"",
			    p == NULL ? "unknown" : "duplicated",
			    STR_ARG(list->v[i]->value));
			goto out;
		}
		accept_one(&b, p, s->escaping, &q);
	}
	if (b.n == 0) {
		conf_error(list, e,
		    "scrape_protocols: none that mf-scrape does yet is left");
		goto out;
	}
	buf_printf(&b, "*/*;q=0.%zu", q);
	s->j.accept = arena_dup(a, buf_str(&b));
	rc = 0;
out:
	buf_fini(&b);
	return rc;
}

/* Of the limits and names that were read. */
static int
check(const struct conf_node *n, struct section *s, struct error *e)
{
	struct scrape_job *j = &s->j;
	const int64_t limits[] = { j->body_size_limit, j->sample_limit,
		j->target_limit, j->label_limit, j->label_name_limit,
		j->label_value_limit };

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (limits[i] < 0)
			return conf_error(n, e, "a limit must not be negative");
	if (!str_eq(j->scheme, STR("http")) && !str_eq(j->scheme, STR("https")))
		return conf_error(conf_find(n, "scheme"), e,
		    "unsupported scheme \"%.*s\"", STR_ARG(j->scheme));
	if (j->interval <= 0)
		return conf_error(n, e, "scrape_interval must not be 0");
	if (j->timeout > j->interval)
		return conf_error(n, e,
		    "scrape timeout greater than scrape interval for scrape "
		    "config with job name \"%.*s\"",
		    STR_ARG(j->name));
	if (j->fallback_protocol.n > 0 &&
	    (protocol(j->fallback_protocol) == NULL ||
		protocol(j->fallback_protocol)->type == NULL))
		return conf_error(conf_find(n, "fallback_scrape_protocol"), e,
		    "invalid fallback_scrape_protocol \"%.*s\"",
		    STR_ARG(j->fallback_protocol));
	if (s->validation.n > 0 && !str_eq(s->validation, STR("utf8")) &&
	    !str_eq(s->validation, STR("legacy")))
		return conf_error(n, e,
		    "unknown name validation method \"%.*s\"",
		    STR_ARG(s->validation));
	if (j->legacy_names && str_eq(s->escaping, STR("allow-utf-8")))
		return conf_error(n, e,
		    "metric_name_escaping_scheme cannot be 'allow-utf-8' when "
		    "metric_name_validation_scheme is 'legacy'");
	return 0;
}

/* What global has set, if this section has not. */
static void
inherit(struct section *s, const struct promconf_global *g)
{
	*s = (struct section){ 0 };
	s->j.metrics_path = STR("/metrics");
	s->j.scheme = STR("http");
	s->j.honor_timestamps = s->j.enable_compression = true;
	s->j.interval = g->scrape_interval;
	s->j.timeout = -1;
	s->j.extra_metrics = g->extra_scrape_metrics;
	s->j.body_size_limit = g->body_size_limit;
	s->j.sample_limit = g->sample_limit;
	s->j.target_limit = g->target_limit;
	s->j.label_limit = g->label_limit;
	s->j.label_name_limit = g->label_name_length_limit;
	s->j.label_value_limit = g->label_value_length_limit;
	s->protocols = g->scrape_protocols;
	s->escaping = g->metric_name_escaping_scheme;
	s->validation = g->metric_name_validation_scheme;
	auth_init(&s->j.auth);
}

void
scrape_job_default(struct scrape_job *j, struct arena *a)
{
	struct promconf_global g = { .scrape_interval = 60000 };
	struct section s;

	inherit(&s, &g);
	s.escaping = STR("allow-utf-8");
	s.j.timeout = 10000;
	(void)accept(a, &s, NULL);
	*j = s.j;
}

int
scrape_job_load(struct scrape_job *j, const struct conf_node **statics,
    const struct conf_node *n, const struct promconf_global *g, struct arena *a,
    struct error *e)
{
	struct section s;

	inherit(&s, g);
	if (read_section(n, &s, e) == -1 ||
	    auth_load(&s.j.auth, n, true, e) == -1)
		return -1;
	if (s.j.interval == 0)
		s.j.interval = g->scrape_interval;
	if (s.j.timeout <= 0)
		s.j.timeout = g->scrape_timeout < s.j.interval
		    ? g->scrape_timeout
		    : s.j.interval;
	s.j.legacy_names = str_eq(s.validation, STR("legacy"));
	if (s.escaping.n == 0)
		s.escaping =
		    s.j.legacy_names ? STR("underscores") : STR("allow-utf-8");
	if (check(n, &s, e) == -1 || accept(a, &s, e) == -1)
		return -1;
	*j = s.j;
	*statics = s.statics;
	return 0;
}

int
scrape_job_global(const struct promconf *p, struct error *e)
{
	const struct conf_node *g = conf_find(conf_root(p->conf), "global");

	for (size_t i = 0; i < sizeof(laters) / sizeof(*laters); i++) {
		const struct conf_node *n = conf_find(g, laters[i]);

		if (n != NULL && !off(n))
			return not_yet(n, e);
	}
	return 0;
}
