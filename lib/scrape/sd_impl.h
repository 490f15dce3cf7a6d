/*
 * Inside of discovery: what sd.c and the kinds (sd_static.c, sd_file.c, ...)
 * share.  A kind is a row of a table; each entry of its list in a
 * scrape_config is a find; what a find hears from (a file, a URL, a name) is a
 * source, whose groups come, change and go together.
 */
#ifndef SCRAPE_SD_IMPL_H
#define SCRAPE_SD_IMPL_H

#include "base/arena.h"
#include "base/clock.h"
#include "net/dns.h"
#include "scrape/sd.h"

/* The groups of a source, and all they point at. */
struct sd_part {
	struct arena a;
	struct sd_group *v;
	size_t n, cap;
};

struct sd_part *sd_part_new(void);
void sd_part_free(struct sd_part *p);
struct sd_group *sd_part_add(struct sd_part *p);

/*
 * sd_build.c: groups of a part, made one after the other from the targets and
 * labels that a text has, whatever its syntax.  All strings are in the part's
 * arena.  All zero but for p (and meta, a label that each has above its own).
 */
struct sd_build {
	struct sd_part *p;
	struct label meta;
	struct sd_pair *labels;
	size_t nlabels, labels_cap;
	struct labels *targets;
	size_t ntargets, targets_cap;
};

void sd_build_begin(struct sd_build *b);
void sd_build_target(struct sd_build *b, str address);

/* Of two of one name the last counts; an empty one is none. */
void sd_build_label(struct sd_build *b, str name, str value);
struct sd_group *sd_build_end(struct sd_build *b);
void sd_build_fini(struct sd_build *b);

/*
 * Add the group of one entry of a list; where names the list in messages.
 * check, if not NULL, is asked about each target.
 */
int sd_group_yaml(struct sd_build *b, const struct conf_node *n,
    const char *where,
    int (*check)(const struct conf_node *target, struct error *e),
    struct error *e);

/* sd_json.c: add the groups of a JSON text; "line:col: ..." */
int sd_json(struct sd_build *b, str s, struct error *e);

/*
 * The groups of a text, JSON or YAML, each with the label meta="value" and a
 * source VALUE:INDEX.  NULL and "name:line:col: ...".
 */
struct sd_part *sd_part_parse(str text, bool json, const char *name, str meta,
    str value, struct error *e);

struct sd_source {
	str name;             /* in its own memory */
	struct sd_part *part; /* what is known; NULL: nothing yet */
	uint64_t seen;        /* the kind's: a hash of the text last read */
	bool bad;             /* the kind's: that text was no good */
	char *fault;          /* why there is no newer one, or NULL */
	bool told;            /* the fault has been */
	bool mark;            /* the kind's */
	bool fixed;           /* it stays as long as its find */
};

struct sd_find {
	const struct sd_kind *kind;
	struct scrape_sd *sd;
	const struct scrape_job *job;
	const struct conf_node *node;
	struct sd_source **v;
	size_t n, cap;
	int64_t due; /* ms, when to step next; INT64_MAX: never */
	bool ready;  /* it has answered, well or not */
	void *own;   /* the kind's */
};

struct sd_kind {
	str key;    /* in a scrape_config */
	bool whole; /* one find for the list, not one for each entry */
	/* is the entry (the list, if whole) right? */
	int (*check)(const struct conf_node *n, struct error *e);
	int (*open)(struct sd_find *f, struct error *e);
	void (*close)(struct sd_find *f); /* may be NULL */
	/* do what is due, and set due; may be NULL */
	void (*step)(struct sd_find *f, int64_t now);
};

extern const struct sd_kind sd_static, sd_file, sd_http, sd_dns;

/* A job's finds are a run of all, its groups are listed when asked for. */
struct sd_job {
	const struct scrape_job *job;
	size_t first, n;
	bool stale;
	const struct sd_group **v;
	size_t nv, cap;
};

#define SD_CLOSED (-2)

struct scrape_sd {
	const struct clock *clock;
	struct fetch *fetch;
	char *dns_server; /* or NULL */
	int inotify;      /* SD_CLOSED, or -1 where it can't be had */
	struct dns *dns;  /* NULL until a find needs it */
	struct sd_job *jobs;
	size_t njobs;
	struct sd_find **v;
	size_t n, cap;
	bool begun; /* the first step has been */
	bool news;  /* to be told at news_due */
	bool told;  /* some were, at told_at */
	int64_t news_due, told_at;
};

/* Read what inotify has to say: finds of files become due. */
void sd_file_events(struct scrape_sd *sd, int64_t now);

/* A source with a name of its own; freed with its find, or dropped. */
struct sd_source *sd_source_add(struct sd_find *f, str name);
void sd_source_drop(struct sd_find *f, struct sd_source *s);

/*
 * It has answered: p (owned from here) takes the place of what was known, and
 * is news unless it says the same.
 */
void sd_source_set(struct sd_find *f, struct sd_source *s, struct sd_part *p);

/* It has not: what was known stays, the error is told once. */
void sd_source_fail(struct sd_source *s, const struct error *e);

/* A fault of getting at a text: the next one is read, be it the same. */
void sd_source_lost(struct sd_source *s, const struct error *e);

/*
 * It has sent a text (JSON or YAML): its groups, or why there are none, unless
 * it is the one read last.  meta is the label that says the source's name.
 */
void sd_source_text(struct sd_find *f, struct sd_source *s, str text, bool json,
    str meta, bool local);

#endif
