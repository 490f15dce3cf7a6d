/*
 * The inside of promapi: what its files share.
 */
#ifndef WIRE_PROMAPI_IMPL_H
#define WIRE_PROMAPI_IMPL_H

#include "base/json.h"
#include "wire/promapi.h"

/* {"count":"2","sum":"3","buckets":[[0,"1","2","2"]]}, in a. */
int promapi_histogram(const struct json_value *j, struct arena *a,
    struct histogram *h, struct error *e);

#endif
