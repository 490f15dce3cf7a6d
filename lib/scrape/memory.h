/*
 * Inside of scrape: what is remembered of each target.
 *
 * A source is a target by its labels.  Its series are kept as they are printed,
 * so that a sample of a known one is these bytes and a number; the page's
 * reader leads to them by its marks, and else their text does.
 */
#ifndef SCRAPE_MEMORY_H
#define SCRAPE_MEMORY_H

#include "base/map.h"
#include "metric/expo.h"
#include "scrape/scrape.h"

struct memory_series {
	const char *text; /* as it is printed, target labels in it */
	uint32_t len;
	uint32_t seen;    /* the round it was last met in */
	uint32_t known;   /* the last good round it was in */
	uint16_t cut;     /* where the source's middle was taken out, or 0 */
	bool live : 1;    /* a reader has it as not ended */
	bool stamped : 1; /* has a time of its own on the page in hand */
	bool own : 1;     /* had one on the last good page */
};

/*
 * How the text of a series comes of the line on the page: by the source's
 * middle being put in.  Then what is kept need not be read, which for a
 * thousand targets is never in a cache.
 */
enum memory_way {
	MEMORY_UNKNOWN, /* it has not been cut yet */
	MEMORY_BRACES,  /* there are no labels on the page */
	MEMORY_BEFORE,  /* it goes before a label */
	MEMORY_BEHIND,  /* it goes behind the last one */
	MEMORY_KEPT,    /* it does not: the kept text is printed */
};

/* A family's metadata, as last printed. */
enum memory_meta {
	MEMORY_HELP,
	MEMORY_TYPE,
	MEMORY_UNIT,
	MEMORY_KIND,
	MEMORY_METAS,
};

struct memory_family {
	str name;
	uint64_t text[MEMORY_METAS]; /* their hashes */
	uint32_t said[MEMORY_METAS]; /* in which round; 0: never */
};

/* So many bytes behind a source's middle may be read. */
#define MEMORY_SLACK 64

struct memory_source {
	str text; /* its labels as printed */
	struct labels labels;
	str middle; /* a part of text that most of its series have */
	char *name; /* of these three, and SLACK */
	struct memory_series *v;
	size_t n, cap, nlive;
	int64_t *starts; /* what START said of the first nstarts, or 0 */
	size_t nstarts;
	char *packed; /* texts of series; those that came later are in a */
	struct arena a;
	struct map by_text; /* empty while nothing new comes */
	size_t looked;      /* how often it was used in this round */
	struct arena words; /* names of families */
	struct memory_family *families;
	size_t nfamilies, families_cap;
	uint32_t turn;        /* how often a text said of one became another */
	struct map by_family; /* empty at rest, as by_text is */
	struct expo_reader *page, *om, *proto;
	bool lean;            /* they do not keep labels */
	uint32_t round, good; /* counted; the last one that was up */
	int64_t t;            /* of the last round */
	bool operand;
	bool logged;    /* the log knows of it */
	bool described; /* the page's metadata has been printed */
	bool reported;  /* that of the report series has */
	bool fresh;     /* nothing was known of it before this round */
};

struct scrape_memory {
	struct memory_source **v;
	size_t n, cap;
	struct map by_text;
	struct buf head, body; /* a round's metadata and samples */
	struct map named;      /* metrics that the round has had, in a */
	struct buf scratch;
	struct arena a;   /* of one round */
	struct arena tmp; /* of one series */
};

/* Find or make. */
struct memory_source *memory_source(
    struct scrape_memory *m, str text, struct labels ls);
struct memory_series *memory_series(struct memory_source *s, str text);
struct memory_family *memory_family(struct memory_source *s, str name);

/* The series as it is printed, at p, where there is room; and behind b. */
size_t memory_copy(
    char *p, const struct memory_source *s, const struct memory_series *x);
void memory_put(struct buf *b, const struct memory_source *s,
    const struct memory_series *x);

/* x on its source's page */
enum memory_way memory_way(const struct memory_series *x, str page);

/*
 * A round is over: forget series and readers when most of them are gone from
 * the page; and let go what is only needed when something new comes.
 */
void memory_tidy(struct memory_source *s);

/* Where START of a series is kept. */
int64_t *memory_start(struct memory_source *s, size_t i);

/* Has a page of this form been read before? */
bool memory_has_reader(const struct memory_source *s, enum expo_form form);

/* The reader of a form, made at the first use; and the end of all. */
struct expo_reader *memory_reader(struct memory_source *s, enum expo_form form);
void memory_readers_free(struct memory_source *s);

/*
 * A line of the log for one series: its time, or 0 if it has times of its own;
 * the value is 1, or 2 if it is tracked in spite of them.
 */
void memory_log_series(struct buf *b, const struct memory_source *s,
    const struct memory_series *x, int64_t t);

/* A round's lines of the log, between BATCH and EOF; body may be empty. */
void memory_log(
    struct buf *b, const struct memory_source *s, int64_t t, str body);

#endif
