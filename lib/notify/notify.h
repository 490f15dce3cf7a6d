/*
 * Alertmanager's job as a pure step (DESIGN 1.2): alerts, answers and a time
 * go in; deliveries and the time to wake next come out.  There is no clock, no
 * network and no file in here; whoever calls sends the deliveries, tells how
 * it went, and keeps what notify_journal() gives.
 *
 *	notify_alert(n, &a, now);              for every alert of a batch, then
 *	notify_step(n, now);                   whenever now >= notify_wake(n)
 *	while ((d = notify_next(n, now)))      send it; later
 *		notify_answer(n, d->id, &answer, now, &e);
 *
 * Routing, grouping, timers, deduplication and bodies are Alertmanager's
 * (reference/alertmanager.md 2), but the whole of a batch goes in before a
 * flush, and timers survive a restart.
 */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "metric/label.h"
#include "net/auth.h"

#define NOTIFY_NEVER INT64_MAX
#define NOTIFY_RETENTION (INT64_C(120) * 3600 * 1000)

/* alertmanager.yml. */
struct notify_config;

/*
 * Read the tree; *c belongs to the configuration from then on, also when this
 * fails: NULL and "file:line:col: ..." worded as upstream words it.
 */
struct notify_config *notify_config_new(struct conf *c, struct error *e);
void notify_config_free(struct notify_config *c);

/* How many receivers there are, and how many integrations one of them has. */
size_t notify_config_receivers(const struct notify_config *c);
size_t notify_config_integrations(const struct notify_config *c, size_t i);

/* The routing tree as indented text; the receivers labels lead to. */
void notify_config_routes(const struct notify_config *c, struct buf *b);
void notify_config_match(
    const struct notify_config *c, struct labels ls, struct buf *b);

struct notify_alert {
	struct labels labels, annotations;
	str generator_url;
	int64_t starts, ends; /* 0: not given */
	bool timeout; /* ends is a guess, which a later alert may shorten */
};

enum notify_state { NOTIFY_FIRING, NOTIFY_RESOLVED };

/* One request, rendered.  Valid until its final answer. */
struct notify_delivery {
	uint64_t id;
	int64_t t; /* of the flush it belongs to */
	str receiver, integration, group_key, reason;
	enum notify_state status;
	size_t nalerts;
	str url, authorization; /* authorization: a header's value, or empty */
	str body;
	const struct auth *auth;
	int64_t timeout; /* ms from now */
	int attempt;     /* from 1 */
};

struct notify_answer {
	const char *error; /* NULL: there is an answer */
	int status;
	str content_type, body;
};

enum notify_outcome { NOTIFY_SENT, NOTIFY_RETRY, NOTIFY_FAILED };

struct notify;

/*
 * clock gives the jitter of retries and may be NULL (none).  report, which may
 * be NULL, is told of templates that fail.  The configuration stays the
 * caller's and must live as long as it is in use.
 */
struct notify *notify_new(const struct notify_config *c,
    const char *external_url, const struct clock *clock,
    void (*report)(void *arg, const char *msg), void *arg);
void notify_free(struct notify *n);

/*
 * Take another configuration: groups are made anew, timers and log stay.
 * notify_pending() must be 0.
 */
void notify_configure(
    struct notify *n, const struct notify_config *c, int64_t now);

/* -1 if it has no labels. */
int notify_alert(struct notify *n, const struct notify_alert *a, int64_t now,
    struct error *e);

/* When notify_step() has something to do next, or NOTIFY_NEVER. */
int64_t notify_wake(const struct notify *n);

/* Everything due at or before now happens, once, at now. */
void notify_step(struct notify *n, int64_t now);

/* A delivery to begin, or NULL. */
const struct notify_delivery *notify_next(struct notify *n, int64_t now);

/* Deliveries begun and not answered, or waiting for a retry. */
size_t notify_pending(const struct notify *n);

/*
 * How a delivery went.  After NOTIFY_RETRY it comes again from notify_next();
 * e says what was wrong, naming receiver and integration but no URL.
 */
enum notify_outcome notify_answer(struct notify *n, uint64_t id,
    const struct notify_answer *a, int64_t now, struct error *e);

/*
 * What waits for a retry is given up and reported; with all also what has been
 * begun and not answered.  Its group tells of it again at its next turn.
 */
void notify_give_up(struct notify *n, bool all);

/*
 * State as lines of mf text.  What has changed is added to these buffers; the
 * caller appends them to its files and resets them.  *_load() reads such lines
 * again (bad ones are counted and left out).  notify_dump_alerts() writes all
 * that counts; notify_trim_log() keeps of a log's lines those younger than the
 * retention, which are its history too.
 */
struct notify_journal {
	struct buf alerts; /* ALERT, GONE and GROUP lines */
	struct buf log;    /* SENT lines */
};

struct notify_journal *notify_journal(struct notify *n);
size_t notify_load_alerts(struct notify *n, str lines);
size_t notify_load_log(struct notify *n, str lines, int64_t now);
void notify_dump_alerts(const struct notify *n, struct buf *b);
void notify_trim_log(str lines, int64_t now, struct buf *b);

/* Silences replace each other by id; all that were known are kept. */
size_t notify_load_silences(struct notify *n, str lines);

/* Alerts as lines: state, by which silence or alert suppressed. */
void notify_list(struct notify *n, int64_t now, struct buf *b);

/*
 * Rendering by hand: text, with the templates of the configuration, over a
 * notification as Alertmanager's JSON has it (webhook body); added to out.
 * 0, or -1 with the template's fault, or -2 with the JSON's.
 */
int notify_render(const struct notify_config *c, str json, str text,
    int64_t now, struct buf *out, struct error *e);

#endif
