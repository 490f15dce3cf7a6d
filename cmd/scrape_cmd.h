/*
 * What the parts of mf-scrape share: the options, what they name, the way out,
 * and what is kept in DIR/scrape.  The loop's own is in scrape_flow.h.
 */
#ifndef SCRAPE_CMD_H
#define SCRAPE_CMD_H

#include "opt.h"
#include "scrape/scrape.h"
#include "tool.h"

/* -o of "targets" */
enum scrape_form { SCRAPE_TABLE, SCRAPE_JSON };

struct scrape_options {
	const char *config;     /* -c, or NULL */
	const char *dir;        /* -d, or NULL */
	const char *dns_server; /* --dns-server, or NULL */
	int64_t every;          /* -i, ms, or 0 */
	bool once, dry;
	bool keep_known;        /* --keep-known */
	bool self;              /* --self */
	int form;               /* enum scrape_form; -1: none was given */
	bool explain;           /* --explain */
	uint32_t shard, shards; /* --shard I/N, or 0 */
	struct opt_list connect;
	char **operands;
	size_t noperands;
	bool extended; /* check-metrics: --extended */
};

/* What the options name: a configuration's jobs, or operands. */
struct scrape_plan {
	struct promconf *conf;      /* NULL for operands */
	struct scrape_config *jobs; /* NULL for operands */
	struct scrape_set *set;     /* of operands, else NULL */
	struct scrape_spread spread;
};

/* Load what the options name; -1 with the message. */
int scrape_plan_load(
    struct scrape_plan *p, const struct scrape_options *o, struct error *e);
void scrape_plan_free(struct scrape_plan *p);

/* Its warnings to stderr. */
void scrape_plan_warn(const struct scrape_plan *p);

/* The client for both targets and discoveries, as the options say. */
struct fetch *scrape_plan_fetch(const struct scrape_options *o);

/*
 * How long, in ms, a single round waits for its discoveries: as long as the
 * most patient of its jobs for a target.
 */
int64_t scrape_plan_patience(const struct scrape_plan *p);

/*
 * For subcommands: let every discovery answer once, tell fault of those that
 * fail, and make a set, which borrows from p.
 */
struct scrape_set *scrape_plan_find(const struct scrape_plan *p,
    const struct scrape_options *o, void (*fault)(void *arg, str job, str what),
    void *arg);

/* scrape_out.c: stdout, which may be a pipe that nobody empties. */
struct scrape_out {
	int fd;    /* of its own and non-blocking, or -1: plain writes */
	bool gone; /* the reader has */
	struct buf q;
	size_t at;        /* bytes of q written */
	struct buf after; /* for the log, once mark bytes are written */
	uint64_t put, written, mark; /* bytes, ever */
};

void scrape_out_open(struct scrape_out *o);

/* Queue a batch, empty then, and what is to be logged behind it. */
void scrape_out_put(struct scrape_out *o, struct buf *batch, str after);

/* Write what can be written now; ends the process on an error. */
void scrape_out_step(struct scrape_out *o);
size_t scrape_out_waiting(const struct scrape_out *o);

/* Write all of it; once we are to stop, for 5 s at most. */
void scrape_out_finish(struct scrape_out *o);

/* What is due to the log because what stands before it is out; or empty. */
str scrape_out_after(const struct scrape_out *o);

/* scrape_state.c: the log of series, and the states of targets. */
struct scrape_state {
	const char *dir; /* NULL: nothing is kept */
	int fd;
	size_t size, saved; /* bytes of the log now, and when last rewritten */
	bool failed;        /* said so */
	bool lost;          /* something could not be written, ever */
};

/* The state of one target, as others may read it. */
struct scrape_status {
	const struct scrape_target *t;
	int64_t at; /* 0: never */
	int64_t took;
	size_t samples;
	str error; /* empty: up */
};

void scrape_state_open(
    struct scrape_state *s, const char *dir, struct scrape_memory *m);
void scrape_state_append(
    struct scrape_state *s, struct scrape_memory *m, str log);

/*
 * Write "targets": the states of v, what set has dropped, and the discoveries
 * that fail now (sd may be NULL); before it the log, if that has been removed.
 */
void scrape_state_targets(struct scrape_state *s, struct scrape_memory *m,
    const struct scrape_status *v, size_t n, const struct scrape_set *set,
    const struct scrape_sd *sd, int64_t now);

/* scrape_exec.c: a command under way, whose output is a page. */
struct scrape_exec;

/*
 * A page that is no answer of the network is no larger than one is: it has
 * fewer bytes than body_size_limit, or than this.
 */
#define SCRAPE_PAGE ((size_t)256 << 20)

/*
 * Start one that prints fewer bytes than max; done is called from
 * scrape_exec_step().  NULL: it can't be.
 */
struct scrape_exec *scrape_exec_start(const char *command, int64_t timeout,
    size_t max, void (*done)(void *arg, const struct scrape_answer *a),
    void *arg, struct error *e);

/* To be polled for input (-1: not), and after how many ms to look anyway. */
int scrape_exec_fd(const struct scrape_exec *x);
int64_t scrape_exec_wake(const struct scrape_exec *x);

/* Go on with it; true: it is over, done has been called, and it is freed. */
bool scrape_exec_step(struct scrape_exec *x);

/* End it, and forget it. */
void scrape_exec_kill(struct scrape_exec *x);

/* scrape_run.c: scrape until stopped, or once; the exit status. */
int scrape_run(const struct scrape_options *o);

/* The subcommands "targets" and "check"; the exit status. */
int scrape_show(const struct scrape_options *o);
int scrape_check(const struct scrape_options *o);
int scrape_lint(const struct scrape_options *o);

#endif
