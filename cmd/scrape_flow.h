/*
 * Inside of mf-scrape's loop: targets in time.
 *
 * A set never changes; when there is news the next one is made, and each slot
 * moves to the target of the same labels and URL in it, so that its phase and
 * its request under way go on.  A request borrows from the set it was made
 * with: sets, and the configurations they borrow from, go when nobody uses
 * them any more.
 */
#ifndef SCRAPE_FLOW_H
#define SCRAPE_FLOW_H

#include <sys/queue.h>

#include "base/map.h"
#include "net/fetch.h"
#include "scrape_cmd.h"

#define FLOW_BACKLOG ((size_t)64 << 20) /* bytes that may wait for stdout */

struct flow;

/* A configuration in force, or once so. */
struct flow_conf {
	struct scrape_plan plan;
	size_t refs; /* sets, and the flow */
};

/* The targets of one moment. */
struct flow_set {
	struct scrape_set *set;
	struct flow_conf *conf;
	size_t refs; /* slots, requests, and the flow */
};

struct slot {
	struct flow *f;
	struct scrape_target *t;
	struct flow_set *of;      /* what t is in; NULL: the process itself */
	struct flow_set *asked;   /* what the request under way borrows from */
	STAILQ_ENTRY(slot) entry; /* of those that wait in turn */
	size_t place;             /* in the heap, from 1; 0: not there */
	int64_t due; /* the next round's time, or that of its end */
	int64_t at;  /* the time of the round under way */
	bool busy, was_down;
	bool met, gone; /* in the newest set; not any more */
	struct buf key, error;
	struct buf seconds; /* the value of the second header */
	struct fetch_header headers[2];
	struct scrape_status status;
};

STAILQ_HEAD(slot_queue, slot);

/* A place in the heap; the time stands there, too, for the cache's sake. */
struct slot_due {
	int64_t due;
	struct slot *slot;
};

/* What --self tells: all of it counted since the start. */
struct flow_counts {
	size_t rounds, failed, skipped;
	size_t samples, stale, fetched, printed; /* the last two in bytes */
	size_t gone, updates, sd_failures;
	size_t reloads, bad_reloads;
	int64_t reloaded; /* when the configuration in force was loaded */
	bool reload_ok;   /* the last one was */
};

struct flow {
	const struct scrape_options *o;
	struct flow_conf *conf;
	struct flow_set *set;
	struct scrape_sd *sd; /* NULL for operands */
	bool found;      /* each discovery of the configuration has answered */
	bool orphans;    /* the log may know targets that have left meanwhile */
	struct slot **v; /* in the order of the set, then those that go */
	size_t n, cap;
	struct map by_key;
	struct slot_due *heap; /* the first due is in front */
	size_t nheap, heap_cap;
	struct slot_queue waiting;
	size_t under_way, room; /* requests, and how many may be */
	struct slot *self;
	struct scrape_memory *m;
	struct fetch *fetch;
	bool watched; /* by it: the wake-up descriptor, and stdout's reader */
	struct scrape_out out;
	struct scrape_state state;
	struct scrape_text x;
	struct scrape_exec **exec; /* commands under way */
	size_t nexec, exec_cap;
	struct pollfd *fds;
	size_t fds_cap;
	struct scrape_faillog *faillog;
	bool full;       /* too much waits for stdout: rounds are skipped */
	size_t missed;   /* rounds, meanwhile */
	int64_t clock;   /* what tool_now() said last */
	int64_t written; /* when "targets" was */
	int64_t trimmed; /* when memory was */
	bool changed;
	int64_t started;
	struct flow_counts sum;
};

/* scrape_slot.c */
struct flow_conf *flow_conf_new(struct scrape_plan plan);
void flow_conf_drop(struct flow_conf *c);
void flow_set_drop(struct flow_set *s);

/*
 * Go over to the set, which the flow takes; keep: targets that are not in it
 * stay (it is not known to be whole yet).
 */
void flow_adopt(struct flow *f, struct scrape_set *set, bool keep, int64_t now);

/* Begin rounds at another time; the slot is in the heap afterwards. */
void slot_schedule(struct slot *s, int64_t due);

/* The slot that is due first, or NULL. */
struct slot *slot_first(struct flow *f);

/* The clock was set back: nobody waits longer than an interval. */
void flow_reschedule(struct flow *f, int64_t now);

/*
 * End the series of targets that have left long enough ago (orphans: also of
 * those that only the log knows), and forget their slots.
 */
void flow_sweep(struct flow *f, int64_t now, bool orphans);

void slot_free(struct slot *s);
void flow_slots_free(struct flow *f);

/* scrape_ask.c: a round of a slot, from its question to its batch. */
void slot_begin(struct slot *s, int64_t t);

/* Go on with those that wait in turn, for a descriptor or for stdout. */
void slot_pump(struct flow *f);

/* What f->x holds to the log and to stdout, in the order that forgets none. */
void flow_print(struct flow *f);

/* scrape_self.c: the process as one of its targets; NULL: no --self. */
struct slot *slot_self(struct flow *f);
void slot_self_free(struct slot *s);

/* Its page at now. */
void flow_page(const struct flow *f, struct buf *b);

/* scrape_faillog.c: files that say why scrapes have failed. */
struct scrape_faillog *scrape_faillog_new(void);
void scrape_faillog_free(struct scrape_faillog *l);
void scrape_faillog_add(struct scrape_faillog *l, const struct scrape_target *t,
    const char *error, int64_t now);

/* SIGHUP: the files are opened anew at their next line. */
void scrape_faillog_reopen(struct scrape_faillog *l);

#endif
