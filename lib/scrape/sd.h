/*
 * Inside of scrape: service discovery.  Each *_sd_config (and the
 * static_configs) of a job is a discovery, which knows target groups; a group
 * is replaced by the next one of its source, an error keeps what was known.
 *
 * What runs it is in scrape.h: scrape_sd_new(), scrape_sd_step() ...
 */
#ifndef SCRAPE_SD_H
#define SCRAPE_SD_H

#include "scrape/scrape.h"

/* Targets found together. */
struct sd_group {
	str source; /* its identity within the discovery */
	/* each with __address__ and what is the target's alone */
	const struct labels *targets;
	size_t ntargets;
	struct labels labels; /* of all of them; the target's own win */
	/*
	 * It was written on this machine: its addresses may be exec:, file:
	 * and unix:, which would let a stranger run commands here.
	 */
	bool local;
};

/*
 * Are the *_sd_configs and static_configs of a scrape_config right?  Names of
 * discoveries that mf does not have are an error that says so.
 */
int sd_check(const struct scrape_job *j, struct error *e);

/* Is key one that sd_check() reads, or knows as not part of mf? */
bool sd_key(str key);

/*
 * The groups a job's discoveries know now, in the order of the file; borrowed
 * until the next scrape_sd_step() or fetch_step().
 */
size_t sd_groups(const struct scrape_sd *sd, const struct scrape_job *j,
    const struct sd_group *const **v);

#endif
