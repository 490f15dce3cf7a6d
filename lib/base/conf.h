/*
 * Configuration text: YAML (libyaml's events) as a tree that knows lines and
 * columns, and strict getters.  Duplicate keys, unknown keys, wrong types and
 * alias bombs are errors "file:line:col: ...".  Anchors and "<<" merges work.
 *
 * A file may be a Kubernetes manifest: FILE:KEY takes the text under that key
 * of a ConfigMap's data or a Secret's data (base64) or stringData.  Positions
 * in errors are then the manifest's own (for a base64 value, the line the
 * value begins on, and the place inside it).
 *
 * The tree lives in the struct conf until conf_free(); every str and node is
 * borrowed from it.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum conf_kind {
	CONF_NULL, /* nothing, ~ or null, unquoted */
	CONF_SCALAR,
	CONF_LIST,
	CONF_MAP,
};

struct conf_node {
	enum conf_kind kind;
	str key;       /* the key it stands under in a map, else empty */
	str value;     /* of a scalar */
	bool quoted;   /* a scalar in quotes or a block: always a string */
	int line, col; /* of the value, from 1 */
	int key_line, key_col;      /* of the key */
	const struct conf_node **v; /* children of a list or map, in order */
	size_t n;
	const struct conf *conf; /* whose tree it is: for messages */
};

/*
 * How the text is expanded (DESIGN 7, "Configuration text").  set holds
 * "NAME=VALUE" of --set; env looks names up (NULL: not there) and is asked
 * only if env_on or the text comes from a manifest.
 */
struct conf_opts {
	const char *const *set;
	size_t nset;
	bool env_on;
	const char *(*env)(const char *name);
};

struct conf;

/*
 * Load FILE or FILE:KEY ("-" is stdin, named so in messages).  NULL and the
 * message, with file:line:col in it, if it can't be read or parsed.
 */
struct conf *conf_load(
    const char *path, const struct conf_opts *o, struct error *e);

/* The same of text in memory, all copied; name stands in messages. */
struct conf *conf_parse(
    str text, const char *name, const struct conf_opts *o, struct error *e);
void conf_free(struct conf *c);

/*
 * The first document of the text; others are read only in manifests.  Never
 * NULL: an empty document is a CONF_NULL.  A manifest loaded without KEY is
 * its own tree, as it stands: nothing in it is expanded or decoded.
 */
const struct conf_node *conf_root(const struct conf *c);

/* The file's name as given, without KEY; and KEY, or empty. */
str conf_name(const struct conf *c);
str conf_key(const struct conf *c);

/* Is it a Kubernetes object, loaded without KEY? */
bool conf_is_manifest(const struct conf *c);

/* The keys of the manifest c comes from (or is), in order; 0 if from none. */
int conf_keys(struct conf *c, const str **v, size_t *n, struct error *e);

/*
 * Load what a configuration names by a path: relative to the directory of
 * this file; in a manifest a path whose last component is a key of the same
 * manifest means that key.
 */
struct conf *conf_load_from(const struct conf *c, str path, struct error *e);

/*
 * The raw text under a path named by a configuration, found the same way, and
 * added to out.  Of a manifest it is decoded and its placeholders are filled
 * in, so this also reads a value of a manifest loaded without KEY.
 */
int conf_read_from(
    const struct conf *c, str path, struct buf *out, struct error *e);

/*
 * Placeholders are filled in when the tree is made: --set in every scalar
 * (${NAME} in keys too, the bare NAME in values alone), the environment
 * wherever the text has no use of $ itself: not under external_labels,
 * replacement, target_label, not in rule files (groups, tests), nor in a
 * scalar with "{{".  Once any of them is asked for, a ${...} in such a place
 * that nothing fills is an error; ${1} and the like are left alone everywhere.
 */

/* A child of a map by key; NULL if there is none (or node is no map). */
const struct conf_node *conf_find(const struct conf_node *map, const char *key);

/* Do two nodes say the same?  Keys in the same order, scalars as written. */
bool conf_same(const struct conf_node *a, const struct conf_node *b);

/* error_set with "name:line:col: " of the node before it; returns -1. */
int conf_error(const struct conf_node *n, struct error *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with the position of the node's key. */
int conf_error_key(const struct conf_node *n, struct error *e, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/*
 * Typed values of one node; -1 and a message with its position if not such.
 * Any scalar is a string, and null the empty one; numbers and booleans (YAML
 * 1.1: yes, on, ...) must not be quoted; durations and sizes may be.
 */
int conf_str(const struct conf_node *n, str *out, struct error *e);
int conf_bool(const struct conf_node *n, bool *out, struct error *e);
int conf_int(const struct conf_node *n, int64_t *out, struct error *e);
int conf_float(const struct conf_node *n, double *out, struct error *e);
int conf_dur(const struct conf_node *n, int64_t *ms, struct error *e);
int conf_godur(const struct conf_node *n, int64_t *ms, struct error *e);
int conf_size(const struct conf_node *n, int64_t *bytes, struct error *e);

/*
 * A map read into a struct by a table: every key must be in the table, each at
 * most once; a key that is absent or null leaves its member alone.  A
 * CONF_T_NODE member gets the node itself, for lists and maps of one's own.
 */
enum conf_type {
	CONF_T_STR,   /* str */
	CONF_T_BOOL,  /* bool */
	CONF_T_INT,   /* int64_t */
	CONF_T_FLOAT, /* double */
	CONF_T_DUR,   /* int64_t, ms */
	CONF_T_GODUR, /* int64_t, ms */
	CONF_T_SIZE,  /* int64_t, bytes */
	CONF_T_NODE,  /* const struct conf_node * */
};

struct conf_field {
	const char *name;
	enum conf_type type;
	size_t offset;
	bool required;
};

int conf_read(const struct conf_node *map, const struct conf_field *f,
    size_t nf, void *out, struct error *e);

#endif
