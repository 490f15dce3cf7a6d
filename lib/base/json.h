/*
 * JSON.  Out: a streaming writer into a struct buf, as Go's encoding/json
 * writes (no blanks; <, > and & escaped as \u003c if asked for).  In: a strict
 * reader over jansson that makes a tree in an arena.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

/*
 * The writer puts commas by itself.  { json_open(&w, '{'); json_key(&w,
 * STR("a")); json_int(&w, 1); json_close(&w, '}'); }  Depth is at most 64.
 */
struct json_writer {
	struct buf *out;
	bool html;    /* escape < > & U+2028 U+2029, as Go does by default */
	bool pending; /* a comma is due before the next value */
};

void json_init(struct json_writer *w, struct buf *out, bool html);
void json_open(struct json_writer *w, char bracket);
void json_close(struct json_writer *w, char bracket);
void json_key(struct json_writer *w, str key);
void json_str(struct json_writer *w, str s); /* bad UTF-8 -> U+FFFD */
void json_int(struct json_writer *w, int64_t v);
void json_num(struct json_writer *w, double v); /* shortest; finite */
void json_bool(struct json_writer *w, bool v);
void json_nil(struct json_writer *w); /* null; json_null is jansson's */
void json_raw(struct json_writer *w, str json); /* a value made elsewhere */

enum json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_value {
	enum json_kind kind;
	str key; /* in an object */
	bool boolean;
	double number;
	int64_t integer; /* of a number written without fraction */
	bool is_int;
	str string;
	const struct json_value *v; /* n children, in order of the text */
	size_t n;
};

/* NULL and "line:col: ..." if it is not exactly one JSON value. */
const struct json_value *json_parse(struct arena *a, str text, struct error *e);

/* A member of an object, or NULL (also if o is NULL or no object). */
const struct json_value *json_find(const struct json_value *o, const char *key);

/* The string of a member, or the empty string. */
str json_find_str(const struct json_value *o, const char *key);

#endif
