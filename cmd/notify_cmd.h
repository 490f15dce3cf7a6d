/*
 * mf-notify's parts: the options, the state's files, the sending, and what the
 * subcommands do.
 */
#ifndef NOTIFY_CMD_H
#define NOTIFY_CMD_H

#include <sys/queue.h>

#include "net/fetch.h"
#include "notify/notify.h"
#include "opt.h"
#include "tool.h"

#define NOTIFY_NO_END INT64_MIN

struct notify_options {
	const char *config; /* FILE[:KEY] */
	const char *dir;    /* as given, or NULL */
	const char *external_url;
	bool once, dry, replay, strict;
	int64_t end; /* -e: a replay runs on to it; NOTIFY_NO_END */
	struct opt_list connect;
	char **operands;
	size_t noperands;
};

/* The configuration that o->config names; exits 2 with what is wrong in it. */
struct notify_config *notify_cmd_config(const struct notify_options *o);

/*
 * DIR/notify/{alerts,log}: loaded and rewritten without what is gone, then
 * appended to.  With dry nothing is made or written, and it is read only from
 * a directory that was named.
 */
struct notify_files {
	const char *dir; /* NULL: there is none */
	bool off;        /* nothing is written */
	bool failed;     /* a write failed, and was said */
	int alerts, log;
	size_t size, compacted; /* of alerts */
	int64_t silences_at;    /* what the silences were read at: mtime, ns */
	int64_t silences_size;
};

void notify_files_open(struct notify_files *f, const struct notify_options *o,
    struct notify *n, int64_t now);
void notify_files_close(struct notify_files *f);

/* Append what the journal has; sync makes it durable. */
void notify_files_write(struct notify_files *f, struct notify *n, bool sync);

/* Read the silences again if their file has changed. */
void notify_files_silences(struct notify_files *f, struct notify *n);

/* Deliveries on their way through the network, or as lines on stdout. */
struct sending;
TAILQ_HEAD(sendings, sending);

struct notify_sender {
	const struct notify_options *o;
	struct notify *n;
	struct notify_files *files;
	struct fetch *fetch; /* made at the first delivery */
	struct sendings under_way;
	int64_t virtual_now; /* in a replay; 0: the real clock */
	size_t failed;
};

/* Begin all that may begin now. */
void notify_send(struct notify_sender *s);

/* Until all that were begun have been answered, but half a minute at most. */
void notify_send_finish(struct notify_sender *s);

/* Drop all requests that are under way; their deliveries stay unanswered. */
void notify_send_cancel(struct notify_sender *s);
int64_t notify_sender_now(const struct notify_sender *s);

int notify_run(const struct notify_options *o);
int notify_check(const struct notify_options *o);
int notify_routes(const struct notify_options *o);
int notify_alerts(const struct notify_options *o);
int notify_render_cmd(const struct notify_options *o);

#endif
