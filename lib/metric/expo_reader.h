/*
 * The insides of the reader, shared by expo_*.c and batch.c and nobody else.
 */
#ifndef METRIC_EXPO_READER_H
#define METRIC_EXPO_READER_H

#include "base/map.h"
#include "metric/expo.h"
#include "metric/scan.h"

/*
 * A line seen before: a sample's series, or a whole HELP, TYPE, UNIT or KIND.
 * They stand in a list in the order of the page: where the last line was hit,
 * the next one is expected.  Bytes are known by their 64-bit hash and length.
 */
struct expo_seen {
	struct expo_seen *next;
	size_t mark;
	uint64_t hash;
	uint32_t len;       /* bytes that were hashed */
	uint16_t n;         /* labels; of a comment, bytes of the name */
	unsigned char kind; /* enum expo_kind */
	unsigned char type; /* what TYPE said when le was normalised, or says */
	union expo_more {
		const struct label *v;
		struct {
			uint32_t name, text; /* where they are in the line */
		} at;
	} more[]; /* one; a lean reader's samples have none */
};

/* What is remembered of one source: one batch's labels, or one page. */
struct expo_source {
	struct arena keys, labels;
	char *place; /* in keys, for the next lines */
	size_t room;
	struct expo_seen *first;
	struct expo_seen *at;   /* the last one met */
	struct expo_seen *next; /* the one expected */
	struct map by_key;      /* made at the first miss of a second pass */
	size_t n, lines, bytes;
	size_t had;    /* lines of the pass before */
	size_t passes; /* the one being read is the last of them */
	size_t born;   /* in which first was set */
	str head;      /* of plain: the first series of the first pass */
	size_t used;   /* the reader's passes when it was opened */
	bool churned;  /* most of it was not met in the last pass */
};

struct expo_memory {
	struct map sources;        /* by the text of the batch's labels */
	struct expo_source *plain; /* what stands outside of batches */
	struct expo_source *now;
	str before; /* the series of the line before, in what was fed */
	size_t bytes, max;
	size_t passes, swept, sweep_at; /* when sources are looked over */
	bool lean;                      /* labels are not kept */
};

struct expo_om; /* OpenMetrics: the family being read */

enum expo_type {
	EXPO_T_NONE,
	EXPO_T_HISTOGRAM,
	EXPO_T_SUMMARY,
	EXPO_T_OTHER,
};

struct expo_reader {
	enum expo_form form;
	unsigned char type; /* enum expo_type of the last TYPE line */
	bool verbatim;
	int64_t default_t;
	int64_t t;        /* of a sample without time, here */
	str in;           /* what is left of what was fed */
	const char *safe; /* behind its last line end */
	size_t line;
	struct scan scan;
	struct arena scratch; /* what the item points at */
	struct arena *keep;   /* the same, but kept: batch's */
	struct expo_key *keys;
	size_t nkeys, keycap;
	struct expo_memory memory;
	struct expo_om *om;
};

/*
 * Let what items point at (beside the lines fed) live in a until the caller
 * resets it, instead of until the next expo_next().
 */
void expo_keep(struct expo_reader *r, struct arena *a);

/* A pass over what a BATCH line names, or over what nothing names, begins. */
void expo_pass(struct expo_reader *r, str labels);

/* Where items may put what they point at. */
struct arena *expo_arena(struct expo_reader *r);

/* expo_read.c: pieces of lines.  All read at scan.p, -1 with the message. */
int expo_value(struct expo_reader *r, double *v, struct error *e);
int expo_end_of_line(struct expo_reader *r, struct error *e);
struct labels expo_labels(struct expo_reader *r);

/* A sample's series has been scanned: remember it, set its labels and mark. */
void expo_learn(struct expo_reader *r, struct expo_item *item);
void expo_normalise(struct expo_reader *r);

/* Text between HELP's name and the end of line, escapes taken off. */
int expo_help_text(struct expo_reader *r, str *out, struct error *e);

/* expo_text.c: one line that is not a predicted one; 1, 0 (no item), -1. */
int expo_text_line(
    struct expo_reader *r, struct expo_item *item, struct error *e);

/* expo_read.c: of the bytes that a line begins with; and may it be k? */
uint64_t expo_hash(const char *p, size_t n);
bool expo_fits(
    const char *line, size_t n, unsigned char type, const struct expo_seen *k);

/* What stands behind a series, value and time: 0, -1.  OM queues the item. */
int expo_text_rest(
    struct expo_reader *r, struct expo_item *item, struct error *e);
int expo_om_rest(
    struct expo_reader *r, struct expo_item *item, struct error *e);

/* expo_om.c: the same; what a line gives is in the queue, popped first. */
struct expo_om *expo_om_new(void);
void expo_om_free(struct expo_om *om);
void expo_om_reset(struct expo_om *om);
int expo_om_line(
    struct expo_reader *r, struct expo_item *item, struct error *e);
bool expo_om_pop(struct expo_om *om, struct expo_item *item);
bool expo_om_ended(const struct expo_om *om);

/* May a predicted key be taken, or has metadata to come out before? */
bool expo_om_quiet(const struct expo_om *om);

/* expo_seen.c */
void expo_seen_init(struct expo_memory *m);
void expo_seen_fini(struct expo_memory *m);

/* A pass over a source begins: labels is its text, or empty. */
void expo_seen_open(struct expo_memory *m, str labels);

/* No item read so far is in use: forget what should be forgotten. */
void expo_seen_tidy(struct expo_memory *m);

/*
 * What is remembered of a line that is not the one expected, if it is one near
 * it; n bytes are there.  Moves on.
 */
struct expo_seen *expo_seen_other(
    struct expo_memory *m, const char *line, size_t n, unsigned char type);

/* Take down what was parsed the long way; NULL if there is no room. */
struct expo_seen *expo_seen_learn(
    struct expo_memory *m, str key, struct labels ls, unsigned char type);

/* The same of a comment; type is what holds behind it. */
struct expo_seen *expo_seen_learn_comment(
    struct expo_memory *m, const struct expo_item *item, unsigned char type);

#endif
