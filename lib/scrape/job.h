/*
 * Inside of scrape: the job that no scrape_config names.  Those of a file are
 * scrape_load()'s.
 */
#ifndef SCRAPE_JOB_H
#define SCRAPE_JOB_H

#include "scrape/scrape.h"

/* The job of operands: every default; its texts live in a. */
void scrape_job_default(struct scrape_job *j, struct arena *a);

#endif
