/*
 * Inside of promconf: what promconf_load() makes, and who reads what of it.
 * Only promconf*.c include this.
 *
 *	promconf.c		the top level
 *	promconf_alerting.c	alerting
 *	promconf_global.c	global, with its external labels
 *	promconf_files.c	what rule_files and scrape_config_files name
 *	promconf_sections.c	runtime, storage, tracing, otlp
 *	promconf_remote.c	remote_write, remote_read
 *	promconf_dir.c		a directory of such files
 */
#ifndef WIRE_PROMCONF_ALL_H
#define WIRE_PROMCONF_ALL_H

#include "base/arena.h"
#include "base/map.h"
#include "wire/promconf.h"

struct promconf_all {
	struct promconf pub; /* what callers see */
	struct arena a;
	struct conf_opts o;
	str *warnings;
	size_t warnings_cap;
	struct promconf_rule_file *rules;
	size_t nrules, rules_cap;
	bool rules_done;
	struct conf **files; /* of scrape_config_files */
	size_t nfiles, files_cap;
	const struct conf_node **scrapes;
	size_t nscrapes, scrapes_cap;
	bool scrapes_done;
	struct promconf **joined; /* whose scrapes are ours, too */
	size_t njoined, joined_cap;
};

/* Read global (NULL: every default). */
int promconf_all_global(
    struct promconf_all *p, const struct conf_node *n, struct error *e);

/* Read alerting. */
int promconf_all_alerting(struct promconf_all *p, const struct conf_node *n,
    bool legacy, struct error *e);

/* Read the scrape_configs of the file itself. */
int promconf_all_jobs(
    struct promconf_all *p, const struct conf_node *n, struct error *e);

/*
 * Check the sections that no tool of ours acts on yet, so that a file which
 * upstream refuses is not believed here.
 */
int promconf_all_sections(
    const struct conf_node *root, bool legacy, struct error *e);
int promconf_all_remotes(
    const struct conf_node *root, bool legacy, struct error *e);

/* Headers: none that upstream sets itself; authorization is its message. */
int promconf_all_headers(
    const struct conf_node *n, const char *authorization, struct error *e);

/* Is each key of a map one of names, or one that more (or NULL) knows? */
int promconf_all_keys(const struct conf_node *n, const char *const *names,
    bool (*more)(str key), struct error *e);

/* Is n absent, or one of the words?  If not: "what, but got ...". */
int promconf_all_word(const struct conf_node *n, const char *const *words,
    const char *what, struct error *e);

/*
 * A list of things of one kind, of which none is null, what says which; a
 * missing list has no items.
 */
int promconf_all_list(const struct conf_node *n, enum conf_kind kind,
    const char *what, const struct conf_node *const **v, size_t *len,
    struct error *e);

/* Is it there, and not null? */
bool promconf_all_there(const struct conf_node *n);

/* conf_read() of some keys of a map; the others are left alone. */
int promconf_all_some(const struct conf_node *n, const struct conf_field *f,
    size_t nf, void *out, struct error *e);

/* How many of basic_auth, authorization and oauth2 a map has. */
size_t promconf_all_credentials(const struct conf_node *n);

/* Is it a sigv4 section? */
int promconf_all_sigv4(const struct conf_node *n, struct error *e);

/* Are these relabelling rules (key as relabel_load() takes it)? */
int promconf_all_rules(
    const struct conf_node *n, const char *key, bool legacy, struct error *e);

#endif
