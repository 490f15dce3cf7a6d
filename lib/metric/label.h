/*
 * Label sets: names and values sorted bytewise by name, no name twice, no
 * empty values.  The metric's name is the label __name__.  A struct labels is
 * a borrowed view, as str is; whoever hands it out says until when.
 */
#ifndef METRIC_LABEL_H
#define METRIC_LABEL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"

#define LABEL_NAME STR("__name__")

struct label {
	str name, value;
};

struct labels {
	const struct label *v;
	size_t n;
};

/* The value of name, or the empty string. */
str label_find(struct labels ls, str name);

/* Bytewise by name, value, name, value, ...: the order of every output. */
int label_cmp(struct labels a, struct labels b);
bool label_eq(struct labels a, struct labels b);

/*
 * The identity of a set as bytes, "name\0value\0..." in order: the key of
 * hash tables.  Added to b.  (A NUL in a value, legal but never seen, is 0xff
 * in the key, which no UTF-8 has.)
 */
void label_key(struct buf *b, struct labels ls);

/* XXH3 of the key. */
uint64_t label_hash(struct labels ls);

/* FNV-1a over name 0xff value 0xff ...: Alertmanager's fingerprint. */
uint64_t label_fingerprint(struct labels ls);

/* A deep copy in a. */
struct labels label_dup(struct arena *a, struct labels ls);

/*
 * A set being made: any order, any number of changes.  label_set() of an empty
 * value removes.  The strs are borrowed until label_done(), which copies them
 * into a.  All zero is an empty set.
 */
struct label_set {
	struct label *v;
	size_t n, cap;
};

void label_init(struct label_set *s, struct labels from);
void label_fini(struct label_set *s);
void label_set(struct label_set *s, str name, str value);
void label_unset(struct label_set *s, str name);
str label_get(const struct label_set *s, str name);
struct labels label_done(const struct label_set *s, struct arena *a);

/* The sorted set as it stands, borrowed until the next change. */
struct labels label_view(const struct label_set *s);

/*
 * As the stream prints a series: name{a="b",c="d"}; no braces without labels;
 * a name that is not of the classic form stands quoted first in the braces;
 * no name at all prints as "_" (DESIGN 2), which expo reads back as none.
 */
void label_print(struct buf *b, struct labels ls);

/* All labels in braces, __name__ as one of them: {a="b"}; {} if none. */
void label_print_set(struct buf *b, struct labels ls);

/* As PromQL prints a series: name{a="b", c="d"}, or {a="b"}, or {}. */
void label_print_metric(struct buf *b, struct labels ls);

/* As a JSON object, in order. */
void label_json(struct json_writer *w, struct labels ls);

/* One quoted value with the stream's escapes: \\ \" \n. */
void label_print_value(struct buf *b, str value);

/*
 * Read a series or a set, the whole of s: name{...}, {...}.  Lenient as
 * Prometheus's text parser is (blanks, optional and trailing commas).  The
 * result lives in a.  An error says the column: "col 7: ...".
 */
int label_parse(str s, struct arena *a, struct labels *out, struct error *e);

/* Is it a classic name: [a-zA-Z_:][a-zA-Z0-9_:]* (labels: without ':')? */
bool label_metric_valid(str name);
bool label_name_valid(str name);

#endif
