/*
 * prometheus.yml as a whole: every top-level key is checked once, here, and
 * handed on.  What belongs to one tool alone (a scrape_config, a relabelling,
 * an Alertmanager) stays a node for that tool to read.
 *
 * All it points at lives until promconf_free().
 */
#ifndef WIRE_PROMCONF_H
#define WIRE_PROMCONF_H

#include "base/conf.h"
#include "metric/relabel.h"

/*
 * global, with Prometheus's defaults filled in; a scrape_config inherits what
 * it does not set itself.  Durations in ms; a limit of 0 is none.
 */
struct promconf_global {
	int64_t scrape_interval;     /* 1m */
	int64_t scrape_timeout;      /* min(10s, scrape_interval) */
	int64_t evaluation_interval; /* 1m */
	int64_t rule_query_offset;
	int64_t body_size_limit; /* bytes */
	int64_t sample_limit, target_limit;
	int64_t label_limit, label_name_length_limit, label_value_length_limit;
	int64_t keep_dropped_targets;
	str scrape_failure_log_file, query_log_file;
	str metric_name_validation_scheme;
	str metric_name_escaping_scheme;
	bool extra_scrape_metrics;
	/* the rest, as written or NULL */
	const struct conf_node *scrape_protocols, *scrape_native_histograms;
	const struct conf_node *convert_classic_histograms_to_nhcb;
	const struct conf_node *always_scrape_classic_histograms;
};

struct promconf_rule_file {
	str path; /* as upstream's rule_file label has it */
	struct conf *conf;
};

struct promconf {
	struct conf *conf; /* where it was read from */
	struct promconf_global global;
	/* with $NAME and ${NAME} of the environment filled in */
	struct labels external_labels;
	/* alerting; empty where the file has none */
	struct relabels alert_relabel;
	const struct conf_node *const *alertmanagers;
	size_t nalertmanagers;
	const struct conf_node *const *scrape_configs;
	size_t nscrape_configs;
	/* patterns of rule_files as written; see promconf_rules() */
	const struct conf_node *const *rule_patterns;
	size_t nrule_patterns;
	/* lines "FILE:LINE:COL: ..." of what works otherwise than it reads */
	const str *warnings;
	size_t nwarnings;
};

/*
 * Load FILE[:KEY].  NULL and "file:line:col: ..." if it can't be read, is not
 * a Prometheus configuration, or names an unset variable where that is one.
 * Rule files and scrape_config_files are not opened: see below.
 */
struct promconf *promconf_load(
    const char *path, const struct conf_opts *o, struct error *e);
void promconf_free(struct promconf *p);

/*
 * Load a directory (promconf_dir.c): of its files *.yml and *.yaml one holds,
 * prometheus.yml or else the first in bytewise order, and the scrape_configs of
 * the others are added to its own.  Hidden files are passed over; so are, with
 * a warning, those without scrape_configs.
 */
struct promconf *promconf_load_dir(
    const char *path, const struct conf_opts *o, struct error *e);

/* The scrape_configs of other are p's too, and p frees it. */
void promconf_join(struct promconf *p, struct promconf *other);

/* Add a warning. */
void promconf_warn(struct promconf *p, const char *text);

/*
 * Open what rule_files names, patterns in order, the files of one in bytewise
 * order: relative to the configuration's directory, or keys of its manifest.
 * A pattern without '*' must be there; one with '*' may match nothing.  The
 * first call loads, each later one gives the same.
 */
int promconf_rules(struct promconf *p, const struct promconf_rule_file **v,
    size_t *n, struct error *e);

/*
 * Is list, if it is there, a list of scrape_protocols?  whose ends the message:
 * "global config".
 */
int promconf_protocols(
    const struct conf_node *list, const char *whose, struct error *e);

/*
 * Every scrape_config: the file's own, then those of scrape_config_files.
 * job_name is there and unique among them; nothing else of them is checked.
 */
int promconf_scrapes(struct promconf *p, const struct conf_node *const **v,
    size_t *n, struct error *e);

#endif
