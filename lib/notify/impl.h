/*
 * Private to notify/: what a configuration becomes, and the state.  A
 * configuration lives in one arena beside its tree; state is plain heap.
 */
#ifndef NOTIFY_IMPL_H
#define NOTIFY_IMPL_H

#include "base/date.h"
#include "base/json.h"
#include "base/map.h"
#include "metric/match.h"
#include "notify/notify.h"
#include "tmpl/tmpl.h"

/* Matchers of one place; all must match. */
struct matchers {
	struct match *v;
	size_t n, cap;
};

/* Add the matchers of a text, in Alertmanager's "fallback" reading. */
int notify_matchers_parse(
    struct arena *a, str text, struct matchers *out, struct error *e);
int notify_matchers_add(struct arena *a, struct matchers *m, enum match_op op,
    str name, str value, struct error *e);
void notify_matchers_sort(struct matchers *m);
void notify_matchers_print(struct buf *b, const struct matchers *m);
void notify_matchers_fini(struct matchers *m);

/* A list of such texts, or the old match and match_re maps, of a node. */
int notify_matchers_list(struct arena *a, const struct conf_node *n,
    struct matchers *out, struct error *e);
int notify_matchers_map(struct arena *a, const struct conf_node *n, bool re,
    struct matchers *out, struct error *e);

struct interval;

/* One entry of time_intervals; NULL on error.  And: is t inside? */
struct interval *notify_interval_load(
    struct arena *a, const struct conf_node *n, struct error *e);
str notify_interval_name(const struct interval *iv);
bool notify_interval_has(const struct interval *iv, int64_t t);
void notify_interval_fini(struct interval *iv);

struct inhibit {
	struct matchers source, target;
	str *equal;
	size_t nequal;
};

int notify_inhibits_load(
    struct notify_config *c, const struct conf_node *n, struct error *e);

struct integration;
struct render;

/* A kind of receiver; load NULL: known and not built yet. */
struct kind {
	const char *key;  /* "slack_configs" */
	const char *name; /* "slack" */
	bool send_resolved;
	int (*load)(struct notify_config *c, const struct conf_node *n,
	    struct integration *in, struct error *e);
	int (*render)(struct render *r, const struct integration *in,
	    struct notify_delivery *d);
	enum notify_outcome (*judge)(
	    const struct notify_answer *a, struct error *e);
};

extern const struct kind notify_slack, notify_webhook;

struct receiver;

struct integration {
	const struct kind *kind;
	const struct receiver *receiver;
	str name; /* "slack[0]" */
	bool send_resolved;
	int64_t timeout;
	const struct auth *auth;
	const void *config; /* the kind's own */
};

struct receiver {
	str name;
	struct integration *v;
	size_t n;
};

struct route {
	const struct route *parent;
	struct route **v;
	size_t n;
	str receiver_name;
	const struct receiver *receiver;
	struct matchers matchers;
	bool cont, group_by_all;
	str *group_by;
	size_t ngroup_by;
	int64_t group_wait, group_interval, repeat_interval;
	const struct interval **mute, **active;
	size_t nmute, nactive;
	str key; /* {}/{a="b"} */
};

/* What of global the receivers here take their defaults from. */
struct global {
	int64_t resolve_timeout;
	const struct conf_node *http_config;
	str slack_api_url, slack_api_url_file;
	str slack_app_token, slack_app_token_file, slack_app_url;
};

struct notify_config {
	struct arena arena;
	struct conf *conf;
	struct global global;
	struct auth auth; /* global's http_config */
	struct tmpl *tmpl;
	struct route *route;
	struct receiver *receivers;
	size_t nreceivers;
	struct inhibit *inhibits;
	size_t ninhibits;
	struct interval **intervals;
	size_t nintervals;
	struct matchers **matchers; /* all, for their regexes */
	size_t nmatchers, matchers_cap;
};

/* The regexes of m end with the configuration. */
void notify_config_own(struct notify_config *c, struct matchers *m);

int notify_receivers_load(
    struct notify_config *c, const struct conf_node *n, struct error *e);
int notify_routes_load(
    struct notify_config *c, const struct conf_node *n, struct error *e);

/* The node's http_config, else global's, else the defaults. */
const struct auth *notify_auth(
    struct notify_config *c, const struct conf_node *n, struct error *e);

/* Does the template parse?  An error gives the node's position. */
int notify_check_text(const struct notify_config *c, const struct conf_node *n,
    str text, struct error *e);

/* A secret: given, or the trimmed text of a file read at each send. */
int notify_secret(const struct notify_config *c, str given, str file, str *out,
    struct arena *a, struct error *e);

/* An http or https URL with a host? */
int notify_check_url(const struct conf_node *n, str url, struct error *e);

/* The nodes of routes that labels lead to, depth first. */
struct routes {
	const struct route **v;
	size_t n, cap;
};
void notify_routes_match(
    const struct route *r, struct labels ls, struct routes *out);

/* The part of the labels that the route groups by; and the group's key. */
struct labels notify_group_labels(
    struct arena *a, const struct route *r, struct labels ls);
void notify_group_key(
    struct buf *b, const struct route *r, struct labels group);

/* An alert as it stands; one allocation. */
struct content {
	struct labels labels, annotations;
	str generator_url;
	int64_t starts, ends, updated;
	bool timeout;
	uint64_t fingerprint;
};

struct group;

struct alert {
	struct content *c;
	str key; /* of its labels, in the map */
	uint64_t version;
	struct group **groups; /* that hold it: mostly one */
	size_t ngroups, cap;
};

struct content *notify_content_new(const struct notify_alert *a, int64_t now);

/* Alertmanager's merge: what becomes of old when now fresh comes. */
void notify_content_merge(
    const struct content *old, struct content *fresh, int64_t now);

/* What a notification is about; the data of its templates. */
struct item {
	bool resolved;
	struct labels labels, annotations;
	int64_t starts, ends; /* ends is 0 while firing */
	str generator_url;
	uint64_t fingerprint;
};

struct data {
	str receiver; /* regexp-quoted */
	bool resolved;
	const struct item *v;
	size_t n;
	str reason;
	struct labels group, common, annotations;
	str external_url;
};

/* The order of a body: job, instance, then the labels. */
int notify_item_cmp(const void *a, const void *b);
void notify_data_common(struct arena *a, struct data *d);
struct tmpl_value notify_data_value(struct arena *a, const struct data *d);

/* Open the object and write its members; the caller closes it. */
void notify_data_json(struct json_writer *w, const struct data *d);
void notify_items_json(struct json_writer *w, const struct item *v, size_t n);
const struct data *notify_data_parse(
    struct arena *a, str json, struct error *e);

extern const char notify_default_templates[];

/* Rendering one delivery. */
struct render {
	const struct notify_config *config;
	struct arena *a;
	const struct data *data;
	str group_key;
	struct tmpl_value dot;
	struct error e; /* the first failure */
	bool failed;
};

/* The text with its templates executed; empty once something failed. */
str notify_render_text(struct render *r, str text);

/* At most n runes; a cut one ends in "...", as one rune. */
str notify_cut_runes(struct arena *a, str s, size_t n);

/* Retry or give up by status alone: 2xx is sent, 5xx is retried. */
enum notify_outcome notify_judge_status(
    const struct notify_answer *a, struct error *e);

/* What was sent for a group by an integration. */
struct sent {
	str key; /* group key, receiver and integration */
	str group_key, receiver, integration, reason;
	int64_t t, expires;
	uint64_t *firing, *resolved;
	size_t nfiring, nresolved;
};

/* Why a notification is due, or NULL: dedup's decision. */
const char *notify_decide(const struct sent *s, const uint64_t *firing,
    size_t nfiring, const uint64_t *resolved, size_t nresolved,
    bool send_resolved, int64_t repeat, int64_t now);
struct sent *notify_sent_new(str group_key, str receiver, str integration);
void notify_sent_free(struct sent *s);
void notify_sent_put(struct buf *b, const struct sent *s);
void notify_sent_sweep(struct map *sent, int64_t now);
void notify_sent_key(
    struct buf *b, str group_key, str receiver, str integration);

struct silence {
	str id;
	struct arena arena;
	struct matchers matchers;
	int64_t starts, ends;
	str creator, comment;
};

struct member {
	struct alert *alert;
	uint64_t flushed; /* its version in the flush under way */
};

struct group {
	const struct route *route;
	struct arena arena;
	struct labels labels;
	str key;
	struct member *v;
	size_t n, cap;
	int64_t due;
	bool flushed;   /* at least once */
	size_t pending; /* deliveries of the flush under way */
	bool failed;    /* one of them */
};

/* A delivery on its way. */
struct flight {
	struct notify_delivery d;
	struct arena arena;
	struct group *group;
	const struct integration *in;
	struct sent *sent; /* becomes the log's entry when it has been sent */
	int64_t next, deadline;
	bool begun;
	str why; /* the last attempt failed */
};

struct notify {
	const struct notify_config *config;
	str external_url;
	const struct clock *clock;
	void (*report)(void *, const char *);
	void *arg;
	struct map alerts; /* struct alert */
	struct map sent;   /* struct sent */
	struct map timers; /* of groups that were loaded: int64_t * */
	struct group **groups;
	size_t ngroups, groups_cap;
	struct map group_index; /* route and key: struct group */
	struct silence **silences;
	size_t nsilences, silences_cap;
	struct flight **flights; /* by id */
	size_t nflights, flights_cap;
	size_t ready; /* the flights before this one are begun */
	uint64_t id, version;
	int64_t swept; /* when expired entries of the log were dropped */
	struct inhibited *inhibited;
	struct notify_journal journal;
};

/* Groups. */
void notify_group_add(struct notify *n, struct alert *a, int64_t now);
void notify_group_drop(struct notify *n, struct group *g);
void notify_flush(struct notify *n, struct group *g, int64_t now);
void notify_flushed(struct notify *n, struct group *g, int64_t now);
void notify_flights_expire(struct notify *n, int64_t now);
void notify_flights_free(struct notify *n);
void notify_alert_free(struct alert *a);
void notify_alert_release(struct notify *n, struct alert *a, int64_t now);

/* Suppression: the silence or inhibiting alert, if there is one. */
const struct silence *notify_silenced(
    const struct notify *n, struct labels ls, int64_t now);
struct inhibited *notify_inhibited_new(const struct notify *n, int64_t now);
bool notify_inhibited(
    const struct inhibited *x, const struct notify *n, struct labels ls);
void notify_inhibited_free(struct inhibited *x);
void notify_silence_free(struct silence *s);

/* State lines. */
struct record {
	str word;
	struct labels a, b;
	int64_t t;
	struct label *keys;
	size_t nkeys;
};
int notify_record_parse(
    struct arena *a, str line, struct record *r, struct error *e);
str notify_record_key(const struct record *r, const char *name);
int notify_record_int(const struct record *r, const char *name, int64_t *out);
void notify_put_alert(struct buf *b, const struct content *c, int64_t now);
void notify_put_gone(struct buf *b, const struct content *c, int64_t now);
void notify_put_group(struct buf *b, const struct group *g);

#endif
