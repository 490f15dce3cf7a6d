/*
 * What upstream has behind --enable-feature.  A name it knows is taken even
 * where it changes nothing here, so that its command lines can be given as
 * they are.
 */
#include "promql/ast.h"

#include "promql/func.h"

static const struct {
	const char *name;
	unsigned feature;
} features[] = {
	{ "promql-experimental-functions", PROMQL_FUNCTIONS },
	{ "promql-extended-range-selectors", PROMQL_EXTENDED },
	{ "promql-binop-fill-modifiers", PROMQL_FILL },
	{ "promql-delayed-name-removal", PROMQL_LATE_NAMES },
	{ "use-start-timestamps", PROMQL_START_TIMES },
	/* always so, here or upstream, or no business of a query's */
	{ "auto-gomaxprocs", 0 },
	{ "auto-gomemlimit", 0 },
	{ "auto-reload-config", 0 },
	{ "concurrent-rule-eval", 0 },
	{ "created-timestamp-zero-ingestion", 0 },
	{ "delayed-compaction", 0 },
	{ "exemplar-storage", 0 },
	{ "expand-external-labels", 0 },
	{ "extra-scrape-metrics", 0 },
	{ "histograms-st-encoding", 0 },
	{ "memory-snapshot-on-shutdown", 0 },
	{ "metadata-wal-records", 0 },
	{ "native-histograms", 0 },
	{ "new-service-discovery-manager", 0 },
	{ "no-default-scrape-port", 0 },
	{ "old-ui", 0 },
	{ "otlp-deltatocumulative", 0 },
	{ "otlp-native-delta-ingestion", 0 },
	{ "otlp-write-receiver", 0 },
	{ "promql-at-modifier", 0 },
	{ "promql-duration-expr", 0 },
	{ "promql-negative-offset", 0 },
	{ "promql-per-step-stats", 0 },
	{ "remote-write-receiver", 0 },
	{ "search-api", 0 },
	{ "st-storage", 0 },
	{ "st-synthesis", 0 },
	{ "type-and-unit-labels", 0 },
	{ "use-uncached-io", 0 },
	{ "xor2-encoding", 0 },
};

int
promql_features(str names, unsigned *out, struct error *e)
{
	while (names.n > 0) {
		str name = str_trim(str_cut(&names, ','));
		size_t i = 0, n = sizeof(features) / sizeof(*features);

		while (i < n && !str_eq(name, str_of(features[i].name)))
			i++;
		if (i == n)
			return error_set(
			    e, "unknown feature '%.*s'", STR_ARG(name));
		*out |= features[i].feature;
	}
	return 0;
}

static const char *const experimental[] = { "double_exponential_smoothing",
	"end", "histogram_quantiles", "info", "mad_over_time", "max_of",
	"min_of", "range", "sort_by_label", "sort_by_label_desc", "start",
	"start_timestamp", "step", "ts_of_first_over_time",
	"ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time" };

bool
promql_func_enabled(const struct func *f, unsigned enabled)
{
	size_t n = sizeof(experimental) / sizeof(*experimental);
	unsigned need = PROMQL_FUNCTIONS;

	if (strcmp(f->name, "start_timestamp") == 0)
		need |= PROMQL_START_TIMES;
	if ((enabled & need) == need)
		return true;
	for (size_t i = 0; i < n; i++)
		if (strcmp(f->name, experimental[i]) == 0)
			return false;
	return true;
}
