/*
 * Inside of scrape: one scrape_config.  What is read borrows from the node's
 * configuration and lives in the arena.
 */
#ifndef SCRAPE_JOB_H
#define SCRAPE_JOB_H

#include "scrape/scrape.h"

/* Read a scrape_config; *statics gets its static_configs, or NULL. */
int scrape_job_load(struct scrape_job *j, const struct conf_node **statics,
    const struct conf_node *n, const struct promconf_global *g, struct arena *a,
    struct error *e);

/* The job of operands: every default. */
void scrape_job_default(struct scrape_job *j, struct arena *a);

/* Does global ask for what mf-scrape does not do yet? */
int scrape_job_global(const struct promconf *p, struct error *e);

#endif
