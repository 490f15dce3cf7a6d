/*
 * Inside of scrape: is an answer a page, and of which form?
 */
#ifndef SCRAPE_ANSWER_H
#define SCRAPE_ANSWER_H

#include "metric/expo.h"
#include "scrape/scrape.h"

/*
 * 0 and the form, or -1 and why the scrape has failed.  EXPO_MF stands for the
 * protobuf form, which becomes that (native.h).
 */
int answer_form(const struct scrape_answer *a, const struct scrape_job *j,
    enum expo_form *form, struct error *e);

#endif
