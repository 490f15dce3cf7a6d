/*
 * One scrape_config into a struct scrape_job.  A section is checked as upstream
 * checks it, in its words where they are known; what a section leaves out, or
 * sets to 0 or nothing, comes from global.
 */
#include "scrape/job.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "scrape/sd.h"
#include "scrape/target.h"
#include "wire/promproto.h"

/* What of a section does not go straight into the job. */
struct section {
	struct scrape_job j;
	str escaping, validation;
	const struct conf_node *protocols, *relabel, *metric_relabel;
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
	KEY("keep_dropped_targets", CONF_T_INT, j.keep_dropped_targets),
	KEY("native_histogram_bucket_limit", CONF_T_INT,
	    j.histogram_bucket_limit),
	KEY("native_histogram_min_bucket_factor", CONF_T_FLOAT,
	    j.histogram_min_factor),
	KEY("scrape_native_histograms", CONF_T_BOOL, j.native_histograms),
	KEY("convert_classic_histograms_to_nhcb", CONF_T_BOOL,
	    j.convert_to_nhcb),
	KEY("always_scrape_classic_histograms", CONF_T_BOOL, j.always_classic),
	KEY("fallback_scrape_protocol", CONF_T_STR, j.fallback_protocol),
	KEY("scrape_failure_log_file", CONF_T_STR, j.failure_log_file),
	KEY("metric_name_escaping_scheme", CONF_T_STR, escaping),
	KEY("metric_name_validation_scheme", CONF_T_STR, validation),
	KEY("scrape_protocols", CONF_T_NODE, protocols),
	KEY("params", CONF_T_NODE, j.params),
	KEY("relabel_configs", CONF_T_NODE, relabel),
	KEY("metric_relabel_configs", CONF_T_NODE, metric_relabel),
};

#define NFIELDS (sizeof(fields) / sizeof(*fields))

/*
 * The media types by upstream's names, in the order of its default list; the
 * first is in it for those who take native histograms alone.
 */
static const struct protocol {
	const char *name, *type;
	bool escaping;
} protocols[] = {
	{ "PrometheusProto", PROMPROTO_TYPE, false },
	{ "OpenMetricsText1.0.0", "application/openmetrics-text;version=1.0.0",
	    true },
	{ "OpenMetricsText0.0.1", "application/openmetrics-text;version=0.0.1",
	    false },
	{ "PrometheusText1.0.0", "text/plain;version=1.0.0", true },
	{ "PrometheusText0.0.4", "text/plain;version=0.0.4", false },
};

#define NPROTOCOLS (sizeof(protocols) / sizeof(*protocols))
#define SUPPORTED                                                              \
	"[OpenMetricsText0.0.1 OpenMetricsText1.0.0 PrometheusProto "          \
	"PrometheusText0.0.4 PrometheusText1.0.0]"

/* Is it read elsewhere: by auth_load(), or by sd_check() and its kind? */
static bool
passed_over(str key)
{
	return auth_key(key) || sd_key(key);
}

/* Read the keys of our own table. */
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

		if (!passed_over(n->v[i]->key) &&
		    conf_read(&one, fields, NFIELDS, s, e) == -1)
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
	buf_z(b, p->type);
	if (p->escaping)
		buf_printf(b, ";escaping=%.*s", STR_ARG(escaping));
	buf_printf(b, ";q=0.%zu,", (*q)--);
}

static int
check_protocols(const struct conf_node *list, str job, struct error *e)
{
	struct error whose; /* as long as a message may be */

	error_set(&whose, "scrape config with job name \"%.*s\"", STR_ARG(job));
	return promconf_protocols(list, whose.msg, e);
}

/* The header, from a list that is right. */
static void
accept(struct arena *a, struct section *s)
{
	const struct conf_node *list = s->protocols;
	size_t q = NPROTOCOLS + 1;
	struct buf b = { 0 };

	for (size_t i = s->j.native_histograms ? 0 : 1;
	     list == NULL && i < NPROTOCOLS; i++)
		accept_one(&b, &protocols[i], s->escaping, &q);
	for (size_t i = 0; list != NULL && i < list->n; i++)
		accept_one(&b, protocol(list->v[i]->value), s->escaping, &q);
	buf_printf(&b, "*/*;q=0.%zu", q);
	s->j.accept = arena_dup(a, buf_str(&b));
	buf_fini(&b);
}

static int
check_params(const struct conf_node *n, struct error *e)
{
	if (n == NULL || n->kind == CONF_NULL)
		return 0;
	if (n->kind != CONF_MAP)
		return conf_error(n, e, "params: expected a map");
	for (size_t i = 0; i < n->n; i++) {
		const struct conf_node *v = n->v[i];

		if (v->kind != CONF_LIST && v->kind != CONF_NULL)
			return conf_error(
			    v, e, "params: expected a list of values");
		for (size_t k = 0; k < v->n; k++)
			if (v->v[k]->kind != CONF_SCALAR)
				return conf_error(
				    v->v[k], e, "params: expected text");
	}
	return 0;
}

static int
check_limits(
    const struct conf_node *n, const struct scrape_job *j, struct error *e)
{
	const int64_t limits[] = { j->body_size_limit, j->sample_limit,
		j->target_limit, j->label_limit, j->label_name_limit,
		j->label_value_limit, j->keep_dropped_targets,
		j->histogram_bucket_limit };

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (limits[i] < 0)
			return conf_error(n, e, "a limit must not be negative");
	return 0;
}

/*
 * The schemes of names.  A section that sets its own validation does not
 * inherit how names are escaped.
 */
static int
name_schemes(struct section *s, const struct conf_node *n,
    const struct promconf_global *g, struct error *e)
{
	bool own = s->validation.n > 0;

	if (!own)
		s->validation = g->metric_name_validation_scheme;
	s->j.legacy_names = str_eq(s->validation, STR("legacy"));
	if (s->validation.n > 0 && !s->j.legacy_names &&
	    !str_eq(s->validation, STR("utf8")))
		return conf_error(n, e,
		    "unknown scrape config name validation method specified, "
		    "must be either '', 'legacy' or 'utf8', got %.*s",
		    STR_ARG(s->validation));
	if (s->escaping.n == 0 && !own)
		s->escaping = g->metric_name_escaping_scheme;
	if (s->escaping.n == 0)
		s->escaping =
		    s->j.legacy_names ? STR("underscores") : STR("allow-utf-8");
	if (str_eq(s->escaping, STR("allow-utf-8")))
		return !s->j.legacy_names
		    ? 0
		    : conf_error(n, e,
			  "utf8 metric names requested but validation scheme "
			  "is not set to UTF8");
	if (!str_eq(s->escaping, STR("underscores")) &&
	    !str_eq(s->escaping, STR("dots")) &&
	    !str_eq(s->escaping, STR("values")))
		return conf_error(n, e,
		    "unknown scrape config name escaping method specified, "
		    "must be one of 'allow-utf-8', 'underscores', 'dots', or "
		    "'values', got \"%.*s\"",
		    STR_ARG(s->escaping));
	return 0;
}

/* Of the limits and names that were read. */
static int
check(const struct conf_node *n, const struct section *s, struct error *e)
{
	const struct scrape_job *j = &s->j;

	if (check_limits(n, j, e) == -1 || check_params(j->params, e) == -1 ||
	    check_protocols(s->protocols, j->name, e) == -1)
		return -1;
	if (j->timeout > j->interval)
		return conf_error(n, e,
		    "scrape timeout greater than scrape interval for scrape "
		    "config with job name \"%.*s\"",
		    STR_ARG(j->name));
	if (j->fallback_protocol.n > 0 &&
	    protocol(j->fallback_protocol) == NULL)
		return conf_error(conf_find(n, "fallback_scrape_protocol"), e,
		    "invalid fallback_scrape_protocol for scrape config with "
		    "job name \"%.*s\": unknown scrape protocol %.*s, "
		    "supported: " SUPPORTED,
		    STR_ARG(j->name), STR_ARG(j->fallback_protocol));
	return 0;
}

/*
 * A URL among static_configs is a mistake, unless relabelling makes something
 * else of it.
 */
static int
check_addresses(const struct conf_node *n, struct error *e)
{
	const struct conf_node *groups = conf_find(n, "static_configs");

	for (size_t i = 0; groups != NULL && i < groups->n; i++) {
		const struct conf_node *v = conf_find(groups->v[i], "targets");

		for (size_t k = 0; v != NULL && k < v->n; k++) {
			str s = v->v[k]->value;

			if (str_chr(s, '/') < s.n && !target_is_local(s))
				return conf_error(v->v[k], e,
				    "\"%.*s\" is not a valid hostname",
				    STR_ARG(s));
		}
	}
	return 0;
}

/* A flag that global may have set. */
static int
flag(const struct conf_node *n, bool *b, struct error *e)
{
	return n == NULL || n->kind == CONF_NULL ? 0 : conf_bool(n, b, e);
}

/* The defaults that are not "what global says if this is 0". */
static int
defaults(struct section *s, const struct promconf_global *g, struct error *e)
{
	*s = (struct section){ 0 };
	s->j.metrics_path = STR("/metrics");
	s->j.scheme = STR("http");
	s->j.honor_timestamps = s->j.enable_compression = true;
	s->j.extra_metrics = g->extra_scrape_metrics;
	s->protocols = g->scrape_protocols;
	auth_init(&s->j.auth);
	if (flag(g->scrape_native_histograms, &s->j.native_histograms, e) ==
		-1 ||
	    flag(g->convert_classic_histograms_to_nhcb, &s->j.convert_to_nhcb,
		e) == -1 ||
	    flag(g->always_scrape_classic_histograms, &s->j.always_classic,
		e) == -1)
		return -1;
	return 0;
}

static void
inherit_int(int64_t *v, int64_t global)
{
	if (*v == 0)
		*v = global;
}

/* A path that is relative to where the file is that has it. */
static str
near(struct arena *a, const struct conf *c, str path)
{
	str name = conf_name(c);
	const char *slash;

	if (path.n == 0 || path.p[0] == '/')
		return path;
	slash = memrchr(name.p, '/', name.n);
	if (slash == NULL)
		return path;
	return arena_printf(
	    a, "%.*s/%.*s", (int)(slash - name.p), name.p, STR_ARG(path));
}

static void
inherit(struct scrape_job *j, const struct conf_node *n,
    const struct promconf *p, struct arena *a)
{
	const struct promconf_global *g = &p->global;

	inherit_int(&j->interval, g->scrape_interval);
	inherit_int(&j->timeout,
	    g->scrape_timeout < j->interval ? g->scrape_timeout : j->interval);
	inherit_int(&j->body_size_limit, g->body_size_limit);
	inherit_int(&j->sample_limit, g->sample_limit);
	inherit_int(&j->target_limit, g->target_limit);
	inherit_int(&j->label_limit, g->label_limit);
	inherit_int(&j->label_name_limit, g->label_name_length_limit);
	inherit_int(&j->label_value_limit, g->label_value_length_limit);
	inherit_int(&j->keep_dropped_targets, g->keep_dropped_targets);
	j->failure_log_file = j->failure_log_file.n > 0
	    ? near(a, n->conf, j->failure_log_file)
	    : near(a, p->conf, g->scrape_failure_log_file);
}

void
scrape_job_default(struct scrape_job *j, struct arena *a)
{
	struct promconf_global g = { 0 };
	struct section s;

	(void)defaults(&s, &g, NULL);
	s.escaping = STR("allow-utf-8");
	s.j.interval = 60000;
	s.j.timeout = 10000;
	accept(a, &s);
	*j = s.j;
}

static void
fini(struct scrape_job *j)
{
	relabel_free(&j->relabel);
	relabel_free(&j->metric_relabel);
}

static int
load(struct scrape_job *j, const struct conf_node *n, const struct promconf *p,
    struct arena *a, struct error *e)
{
	struct section s;

	if (defaults(&s, &p->global, e) == -1 || read_section(n, &s, e) == -1 ||
	    auth_load(&s.j.auth, n, true, e) == -1)
		return -1;
	inherit(&s.j, n, p, a);
	if (check(n, &s, e) == -1 || name_schemes(&s, n, &p->global, e) == -1)
		return -1;
	accept(a, &s);
	s.j.node = n;
	*j = s.j;
	if (relabel_load(&j->relabel, s.relabel, "relabel_configs",
		j->legacy_names, e) == -1 ||
	    relabel_load(&j->metric_relabel, s.metric_relabel,
		"metric_relabel_configs", j->legacy_names, e) == -1 ||
	    sd_check(j, e) == -1 ||
	    (j->relabel.n == 0 && check_addresses(n, e) == -1)) {
		fini(j);
		return -1;
	}
	return 0;
}

/* What scrape_load() makes; callers see its first member. */
struct all {
	struct scrape_config pub;
	struct arena a;
	size_t cap, warnings_cap;
};

static void
add_warning(struct all *c, const struct error *e)
{
	c->pub.warnings = arena_grow(&c->a, c->pub.warnings, &c->warnings_cap,
	    c->pub.nwarnings + 1, sizeof(*c->pub.warnings));
	c->pub.warnings[c->pub.nwarnings++] = arena_dup(&c->a, str_of(e->msg));
}

/* What is right and will not work: upstream says nothing of it. */
static void
doubts(struct all *c, const struct scrape_job *j)
{
	struct error e;

	if (!str_eq(j->scheme, STR("http")) &&
	    !str_eq(j->scheme, STR("https")) && j->relabel.n == 0) {
		conf_error(conf_find(j->node, "scheme"), &e,
		    "unsupported scheme \"%.*s\": no scrape will succeed",
		    STR_ARG(j->scheme));
		add_warning(c, &e);
	}
}

struct scrape_config *
scrape_load(struct promconf *p, struct error *e)
{
	struct all *c = mem_zero(1, sizeof(*c));
	const struct conf_node *const *v;
	size_t n;

	if (promconf_scrapes(p, &v, &n, e) == -1)
		goto fail;
	for (size_t i = 0; i < n; i++) {
		struct scrape_job *j = arena_new(&c->a, struct scrape_job);

		if (load(j, v[i], p, &c->a, e) == -1)
			goto fail;
		c->pub.jobs = arena_grow(&c->a, c->pub.jobs, &c->cap,
		    c->pub.njobs + 1, sizeof(struct scrape_job *));
		c->pub.jobs[c->pub.njobs++] = j;
		doubts(c, j);
	}
	return &c->pub;
fail:
	scrape_config_free(&c->pub);
	return NULL;
}

void
scrape_config_free(struct scrape_config *pub)
{
	struct all *c = (struct all *)pub;

	if (c == NULL)
		return;
	for (size_t i = 0; i < pub->njobs; i++)
		fini(pub->jobs[i]);
	arena_fini(&c->a);
	free(c);
}
