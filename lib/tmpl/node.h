/*
 * Private to tmpl/: tokens, the tree of a template, the set and a run.  Tokens
 * and nodes live in the arena of the set they were parsed into and point into
 * its copy of the text.
 */
#ifndef TMPL_NODE_H
#define TMPL_NODE_H

#include "base/map.h"
#include "tmpl/tmpl.h"

#define TMPL_MAX_NEST 200         /* parentheses and blocks in a template */
#define TMPL_MAX_DEPTH 500        /* templates that call templates */
#define TMPL_MAX_WALK 1500        /* nodes in nodes at run time */
#define TMPL_MAX_STEPS 4000000    /* nodes walked in one run */
#define TMPL_MAX_WORK (16u << 20) /* bytes of output and results in one run */

enum tmpl_item {
	ITEM_ERROR, /* val is the message */
	ITEM_EOF,
	ITEM_TEXT,
	ITEM_LEFT, /* {{ */
	ITEM_RIGHT,
	ITEM_SPACE,
	ITEM_ASSIGN,  /* = */
	ITEM_DECLARE, /* := */
	ITEM_PIPE,
	ITEM_OPEN, /* ( */
	ITEM_CLOSE,
	ITEM_CHAR, /* any other, as a comma */
	ITEM_BOOL,
	ITEM_CHARCONST,
	ITEM_NUMBER,
	ITEM_STRING,
	ITEM_RAW,
	ITEM_FIELD, /* .name */
	ITEM_IDENT,
	ITEM_VAR,
	ITEM_DOT, /* from here on: keywords */
	ITEM_NIL,
	ITEM_BLOCK,
	ITEM_BREAK,
	ITEM_CONTINUE,
	ITEM_DEFINE,
	ITEM_ELSE,
	ITEM_END,
	ITEM_IF,
	ITEM_RANGE,
	ITEM_TEMPLATE,
	ITEM_WITH,
};

struct tmpl_token {
	enum tmpl_item type;
	int line;
	size_t pos;
	str val;
};

/* The text as tokens; the last is ITEM_EOF or ITEM_ERROR. */
struct tmpl_token *tmpl_scan(struct arena *a, str text, size_t *n);

enum tmpl_type_of_node {
	NODE_LIST,
	NODE_TEXT,
	NODE_ACTION,
	NODE_PIPE,
	NODE_COMMAND,
	NODE_FIELD,
	NODE_CHAIN,
	NODE_VAR,
	NODE_IDENT,
	NODE_BOOL,
	NODE_NIL,
	NODE_DOT,
	NODE_NUMBER,
	NODE_STRING,
	NODE_IF,
	NODE_RANGE,
	NODE_WITH,
	NODE_TEMPLATE,
	NODE_BREAK,
	NODE_CONTINUE,
	NODE_END,
	NODE_ELSE,
};

/* One shape for all; which members are used depends on the type. */
struct tmpl_node {
	enum tmpl_type_of_node type;
	bool assign;     /* pipe: "=" and not ":=" */
	bool fits_float; /* number: may stand for a float argument */
	int line;
	size_t pos;
	str text; /* text, identifier, literal's source, template's name */
	struct tmpl_value value; /* of a literal */
	double number;           /* a number as a float */
	const struct tmpl_func *func;
	str *names; /* of a field, chain or variable */
	size_t nnames;
	struct tmpl_node **v; /* of a list, pipe or command */
	size_t n, cap;
	struct tmpl_node *decl[2]; /* of a pipe */
	size_t ndecl;
	struct tmpl_node *pipe; /* of an action, control, template; of a chain
				   what stands before the names */
	struct tmpl_node *list, *orelse;
};

/* The value of a literal token, into n.  -1 and Go's message. */
int tmpl_literal(struct arena *a, const struct tmpl_token *t,
    struct tmpl_node *n, struct error *e);

struct tmpl_tree {
	str name;
	str parsed_as; /* what messages call the text */
	str text;
	struct tmpl_node *root;
};

struct tmpl {
	struct arena arena;
	struct map trees; /* name: struct tmpl_tree */
	const struct tmpl_func *const *funcs;
	size_t ntables;
	const struct tmpl *below; /* the set this one lies over */
	int64_t now;
};

const struct tmpl_tree *tmpl_lookup(const struct tmpl *t, str name);
const struct tmpl_func *tmpl_func_find(const struct tmpl *t, str name);

/* The node as source text, as messages show it. */
void tmpl_node_print(struct buf *b, const struct tmpl_node *n);

struct tmpl_var {
	str name;
	struct tmpl_value value;
};

struct tmpl_run {
	const struct tmpl *set;
	const struct tmpl_tree *tree;
	const struct tmpl_node *at; /* what a message is about */
	struct arena *arena;
	void *user;
	struct buf *out;
	struct error *e;
	struct tmpl_var *vars;
	size_t nvars, cap, base; /* base: where this template's begin */
	int depth, walks;
	size_t steps, work;
	struct date_zone **zones;
	str *zone_names;
	size_t nzones;
};

/* Go's own functions; and/or are taken by exec.c, which short-circuits. */
extern const struct tmpl_func tmpl_builtins[];

/* Parameter checks: the value for a parameter of this letter, or -1. */
const char *tmpl_sig_type(char letter);
int tmpl_sig_take(char letter, struct tmpl_value *v, struct error *e);

/* What range, len and index see of an object that is a list or map. */
struct tmpl_value tmpl_elems(struct tmpl_run *r, struct tmpl_value v);

/* Parameters of a method of a time or a duration; and calling one. */
const char *tmpl_time_method(struct tmpl_value v, str name);
int tmpl_time_call(struct tmpl_run *r, struct tmpl_value v, str name,
    const struct tmpl_value *args, struct tmpl_value *out, struct error *e);

/* fmt.Sprint, Sprintln and Sprintf. */
void tmpl_sprint(struct buf *b, const struct tmpl_value *v, size_t n);
void tmpl_sprintln(struct buf *b, const struct tmpl_value *v, size_t n);
int tmpl_sprintf(struct tmpl_run *r, struct buf *b, str fmt,
    const struct tmpl_value *v, size_t n, struct error *e);

#endif
