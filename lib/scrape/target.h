/*
 * Inside of scrape: what was discovered, made into a target.  Everything made
 * lives in the arena given and borrows from the job.
 */
#ifndef SCRAPE_TARGET_H
#define SCRAPE_TARGET_H

#include "scrape/scrape.h"

/*
 * The labels before relabelling, in upstream's order of precedence: the
 * target's own, those of its group, what the job says.
 */
struct labels target_discovered(struct arena *a, const struct scrape_job *j,
    struct labels own, struct labels group);

/* Is it an address of a command, a file or a socket of this machine? */
bool target_is_local(str address);

enum target_fate {
	TARGET_MADE,
	TARGET_DROPPED, /* by relabelling */
	TARGET_BAD,     /* the error says why */
};

/*
 * Relabel and check; t gets all members but offset.  step is told each step of
 * relabelling, unless it is NULL.
 */
enum target_fate target_make(struct scrape_target *t,
    const struct scrape_job *j, struct labels discovered, bool local,
    struct arena *a, void (*step)(void *arg, const struct relabel_step *s),
    void *arg, struct error *e);

/* An operand: its URL, and the name of its instance. */
int target_operand(
    struct arena *a, str s, str *url, str *instance, struct error *e);

/*
 * Labels that samples get (without "__", with an instance), and their text;
 * of the target's labels and address.
 */
void target_name(struct scrape_target *t, struct arena *a);

/* When it is due within its interval: by its labels, its URL and a seed. */
int64_t target_offset(const struct scrape_target *t, uint64_t seed);

#endif
