/*
 * Inside of promconf: the sections that no tool of ours acts on yet.  They are
 * held against what upstream takes, so that a file which it refuses is not
 * believed here.
 */
#ifndef WIRE_PROMCONF_SECTIONS_H
#define WIRE_PROMCONF_SECTIONS_H

#include "base/conf.h"

/*
 * runtime, storage, tracing, otlp, remote_write and remote_read of a
 * configuration; legacy: its metric names are not UTF-8.
 */
int promconf_sections_check(
    const struct conf_node *root, bool legacy, struct error *e);

/* Is each key of a map one of names (or, with http, one of http_config)? */
int promconf_sections_keys(const struct conf_node *n, const char *const *names,
    bool http, struct error *e);

/*
 * A list of things of one kind, of which none is null, what says which; a
 * missing list has no items.
 */
int promconf_sections_list(const struct conf_node *n, enum conf_kind kind,
    const char *what, const struct conf_node *const **v, size_t *len,
    struct error *e);

#endif
