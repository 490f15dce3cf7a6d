/*
 * Inside of scrape: one scrape_config.  What is read borrows from the node's
 * configuration and lives in the arena.
 */
#ifndef SCRAPE_JOB_H
#define SCRAPE_JOB_H

#include "scrape/scrape.h"

/* Read a scrape_config; scrape_job_fini() when it has been. */
int scrape_job_load(struct scrape_job *j, const struct conf_node *n,
    const struct promconf *p, struct arena *a, struct error *e);
void scrape_job_fini(struct scrape_job *j);

/* The job of operands: every default. */
void scrape_job_default(struct scrape_job *j, struct arena *a);

#endif
