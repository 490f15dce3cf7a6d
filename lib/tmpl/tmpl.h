/*
 * Go's text/template: scan, parse, execute.  Prometheus's rules and
 * Alertmanager's notifications use it with other functions and data; both are
 * plugged in here, nothing of either is known to this folder but the functions
 * that both have (tmpl_funcs in funcs.c).
 *
 * Values are immutable; their memory is the arena of the run or the caller's.
 * Syntax and printing: pkg.go.dev/text/template, pkg.go.dev/fmt.
 */
#ifndef TMPL_TMPL_H
#define TMPL_TMPL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/error.h"
#include "base/json.h"

enum tmpl_kind {
	TMPL_NIL,
	TMPL_BOOL,
	TMPL_INT,
	TMPL_FLOAT,
	TMPL_STRING,
	TMPL_LIST,    /* list.v, list.n */
	TMPL_MAP,     /* sorted by key: range walks it in this order */
	TMPL_OBJECT,  /* a struct with fields and methods: obj */
	TMPL_TIME,    /* t in ms, ns the rest below */
	TMPL_DUR,     /* i, in ns */
	TMPL_MISSING, /* no such key: prints <no value> */
};

struct tmpl_value {
	enum tmpl_kind kind;
	union {
		bool b;
		int64_t i;
		double f;
		str s;
		struct {
			const struct tmpl_value *v;
			size_t n;
			const char *type; /* NULL: "[]interface {}" */
			unsigned depth;   /* of lists and maps in it */
		} list;
		struct {
			const struct tmpl_pair *v;
			size_t n;
			const char *type; /* NULL: "map[string]interface {}";
			    of a "map[string]string" a missing key is "" */
			unsigned depth;
		} map;
		const struct tmpl_object *obj;
		struct {
			int64_t ms;
			int32_t ns;
			const struct date_zone *zone; /* NULL: UTC */
		} time;
	};
};

struct tmpl_pair {
	str key;
	struct tmpl_value value;
};

struct tmpl_run; /* one execution: its arena, funcs and variables */

/*
 * Parameters of a function or method, for Go's checks and wording: a letter
 * each, 's' string, 'S' []string, 'i' int, 'f' float64, 't' time.Time,
 * 'd' time.Duration, 'v' any; a '*' behind the last: any number of it.
 *
 * A type with fields and methods.  field fills *out: 1, 0 if there is no such
 * field or method, -1 with the message.  method (may be NULL: then field sees
 * what arguments there are) gives the parameters of a method and NULL for a
 * field.  print (may be NULL) is what {{ . }} shows; elems (may be NULL) makes
 * it a list or map for range, len and index; json (may be NULL) writes it for
 * toJson; type is its name in messages.
 */
struct tmpl_type {
	const char *type;
	int (*field)(struct tmpl_run *r, const void *self, str name,
	    const struct tmpl_value *args, size_t nargs, struct tmpl_value *out,
	    struct error *e);
	void (*print)(const void *self, struct buf *b);
	struct tmpl_value (*elems)(struct tmpl_run *r, const void *self);
	bool missing_zero; /* a map[string]string: a missing key is "" */
	const char *(*method)(str name);
	void (*json)(const void *self, struct json_writer *w);
};

struct tmpl_object {
	const struct tmpl_type *type;
	const void *self;
};

typedef int tmpl_fn(struct tmpl_run *r, const struct tmpl_value *args,
    size_t nargs, struct tmpl_value *out, struct error *e);

/* max_args -1: any number.  sig may be NULL: every argument is any. */
struct tmpl_func {
	const char *name;
	int min_args, max_args;
	tmpl_fn *fn;
	const char *sig;
};

/*
 * Functions that rules and notifications have alike (text, time, JSON), to be
 * named among the tables of tmpl_new(); Go's own are always there.
 */
extern const struct tmpl_func tmpl_funcs[];

/*
 * From inside a function: the arena for results, the caller's own pointer, the
 * time that tmpl_set_now() fixed, and a zone by name that lives until the end
 * of the run.
 */
struct arena *tmpl_arena(struct tmpl_run *r);
void *tmpl_user(struct tmpl_run *r);
int64_t tmpl_now(const struct tmpl_run *r);
const struct date_zone *tmpl_zone(
    struct tmpl_run *r, str name, struct error *e);

/*
 * Counts n bytes of results; -1 and a message when one run makes too much of
 * them.  A function whose result can be much larger than its arguments calls
 * this while it makes it.
 */
int tmpl_charge(struct tmpl_run *r, size_t n, struct error *e);

/* A set of named templates, as Go's Template is; functions must be known. */
struct tmpl;

/*
 * funcs are ntables tables, each ended by a row whose name is NULL, and are
 * borrowed; of two functions with one name the one in the later table is
 * taken.
 */
struct tmpl *tmpl_new(const struct tmpl_func *const *funcs, size_t ntables);
void tmpl_free(struct tmpl *t);

/* What now and since count from, in ms; 0 at first. */
void tmpl_set_now(struct tmpl *t, int64_t now);

/*
 * Parse text into the set under name; its {{define}}s join or replace those of
 * the set.  -1 and "template: NAME:LINE: ..." worded as Go words it.
 */
int tmpl_parse(struct tmpl *t, const char *name, str text, struct error *e);

/*
 * Execute the template of that name; the output is added to out, which is left
 * as it was on error.  Everything made on the way lives in a.
 */
int tmpl_exec(const struct tmpl *t, const char *name, struct tmpl_value dot,
    struct arena *a, void *user, struct buf *out, struct error *e);

/*
 * Parse and execute text over the templates of the set, which stays as it is.
 * A run ends with an error when it goes too deep, takes too many steps or
 * makes too much.
 */
int tmpl_text(const struct tmpl *t, const char *name, str text,
    struct tmpl_value dot, struct arena *a, void *user, struct buf *out,
    struct error *e);

/* Values. */
struct tmpl_value tmpl_nil(void);
struct tmpl_value tmpl_bool(bool b);
struct tmpl_value tmpl_int(int64_t i);
struct tmpl_value tmpl_float(double f);
struct tmpl_value tmpl_string(str s);
struct tmpl_value tmpl_list(const struct tmpl_value *v, size_t n);
struct tmpl_value tmpl_strings(struct arena *a, const str *v, size_t n);
struct tmpl_value tmpl_object(
    struct arena *a, const struct tmpl_type *type, const void *self);
struct tmpl_value tmpl_time(int64_t ms, int32_t ns);
struct tmpl_value tmpl_dur(int64_t ns);

bool tmpl_truth(struct tmpl_run *r, struct tmpl_value v);

/* A member of a map by its key, or NULL. */
const struct tmpl_value *tmpl_find(struct tmpl_value map, str key);

/* As fmt's %v prints it. */
void tmpl_print(struct buf *b, struct tmpl_value v);

/*
 * A number from what templates have at hand: also text that is one; seconds
 * of a duration.
 */
int tmpl_number(struct tmpl_value v, double *out, struct error *e);

/* As encoding/json writes it. */
void tmpl_json(struct json_writer *w, struct tmpl_value v);

/* Go's strconv.Unquote of "..." or `...`, quotes included. */
int tmpl_unquote(struct arena *a, str quoted, str *out, struct error *e);

/* What Go calls its type, for messages. */
const char *tmpl_type_name(struct tmpl_value v);

#endif
