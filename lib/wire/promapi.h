/*
 * A remote engine's Prometheus HTTP API, as a client: what -u URL of mf-eval
 * and mf-plot asks.  The expression is evaluated there.  A file of Grafana
 * datasources (provisioning) says where it is and how to log in.
 */
#ifndef WIRE_PROMAPI_H
#define WIRE_PROMAPI_H

#include "base/conf.h"
#include "metric/histogram.h"
#include "metric/label.h"
#include "net/fetch.h"

/* Where an engine is. */
struct promapi_server {
	str name; /* of the datasource, or empty */
	str url;
	struct auth auth;
	bool get;         /* jsonData.httpMethod: GET */
	int64_t timeout;  /* ms; 0: 2 m */
	int64_t interval; /* jsonData.timeInterval, the smallest step, ms */
	struct fetch_header headers[8]; /* httpHeaderName1..., custom */
	size_t nheaders;
	str params; /* jsonData.customQueryParameters: "a=b&c=d" */
};

/*
 * A server from "http://..." or from a Grafana datasource file FILE[:KEY]
 * (apiVersion 1): its default source of type prometheus, or the one of that
 * name or uid.  Of a manifest with one key that key is taken without saying.
 * What it holds lives in a.
 */
int promapi_load(const char *where, const char *datasource,
    const struct conf_opts *o, struct arena *a, struct promapi_server *s,
    struct error *e);

enum promapi_type {
	PROMAPI_SCALAR,
	PROMAPI_STRING,
	PROMAPI_VECTOR,
	PROMAPI_MATRIX,
};

struct promapi_series {
	struct labels labels;
	int64_t *t;
	double *v;
	const struct histogram **h; /* as in promql_series; NULL: none */
	size_t n;
};

struct promapi_answer {
	enum promapi_type type;
	struct promapi_series *v;
	size_t n;
	str string;
	int64_t t;
	const str *warnings;
	size_t nwarnings;
	bool refused; /* with -1: the expression or its times are wrong */
};

/*
 * Ask: step 0 is an instant query at to; times are ms.  The answer lives in a.
 * Errors of the engine come with its own words.  Waits until it is done.
 */
int promapi_query(struct fetch *f, const struct promapi_server *s, str expr,
    int64_t from, int64_t to, int64_t step, struct arena *a,
    struct promapi_answer *out, struct error *e);

/*
 * Read the JSON body of a query answer.  Native histograms come with bounds
 * alone; the schema is found from them.
 */
int promapi_parse(
    str body, struct arena *a, struct promapi_answer *out, struct error *e);

#endif
