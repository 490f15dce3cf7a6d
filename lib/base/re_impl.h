/*
 * What the files of re share: the tree a pattern is parsed into (re_parse.c),
 * the sets of code points in it (re_class.c, re_category.c, re_script.c,
 * re_fold.c), the program the tree is compiled to (re_compile.c), and what can
 * answer: comparing bytes (re_short.c), a deterministic machine made while it
 * runs (re_dfa.c), trying one way after the other (re_track.c), and the
 * machine that always can (re_exec.c).
 */
#ifndef BASE_RE_IMPL_H
#define BASE_RE_IMPL_H

#include "base/arena.h"
#include "base/re.h"

#define RE_MAX_RUNE 0x10ffff
#define RE_MAX_REPEAT 1000
#define RE_MAX_DEPTH 1000
#define RE_MAX_SIZE ((128 << 20) / 40) /* Go's, of the tree */
#define RE_MAX_PROG (1 << 20)          /* ours, 12 MiB */
#define RE_MAX_RANGES (1 << 20)        /* of all sets, 8 MiB */
#define RE_MAX_CAPS (1 << 23)          /* threads times captures, 128 MiB */

struct re_range {
	uint32_t lo, hi;
};

/* A set of code points being made; re_class_sort() brings it into order. */
struct re_class {
	struct re_range *v; /* heap */
	size_t n, cap;
};

void re_class_add(struct re_class *c, uint32_t lo, uint32_t hi);
void re_class_join(struct re_class *c, const struct re_class *other);
void re_class_sort(struct re_class *c);
void re_class_negate(struct re_class *c);

/* Add what the members become when case does not count. */
void re_class_fold(struct re_class *c);
void re_class_fini(struct re_class *c);

/* Add a general category ("L", "Lu") or script ("Greek"); false: no such. */
bool re_category_add(struct re_class *c, str name);
bool re_script_add(struct re_class *c, str name);

/* The category of a code point, "Lu"; NULL if it has none. */
const char *re_category_of(uint32_t r);

/* The next code point that differs from r by case alone; r if there is none. */
uint32_t re_fold(uint32_t r);

/* Add what lo to hi become when case does not count. */
void re_fold_range(struct re_class *c, uint32_t lo, uint32_t hi);

enum re_kind {
	RE_EMPTY,
	RE_CHAR,
	RE_CLASS,
	RE_ANY, /* but not \n */
	RE_ANY_NL,
	RE_LINE_START,
	RE_LINE_END,
	RE_TEXT_START,
	RE_TEXT_END,
	RE_WORD,     /* \b */
	RE_NOT_WORD, /* \B */
	RE_GROUP,    /* a capture */
	RE_REPEAT,   /* min to max times, max -1: no end */
	RE_CAT,
	RE_ALT,
};

struct re_node {
	enum re_kind kind;
	uint32_t rune;
	size_t class; /* in struct re_tree */
	int min, max;
	bool lazy;
	size_t group;
	bool fold;          /* a literal for which case does not count */
	int height;         /* of the tree from here, as Go counts: leaf 1 */
	int64_t size;       /* of its program, as Go estimates it */
	struct re_node **v; /* children */
	size_t n, cap;
};

/* A set in final form, with the ASCII part as bits. */
struct re_set {
	uint64_t ascii[2];
	struct re_range *v;
	size_t n;
};

struct re_tree {
	struct arena nodes; /* until the program is made */
	struct arena arena; /* sets, names and pieces */
	str pattern;
	struct re_node *root;
	struct re_set *sets;
	size_t nsets, sets_cap;
	size_t nranges;            /* in all sets */
	str *names;                /* of groups, by number */
	size_t ngroups, names_cap; /* the whole match is group 0 */
};

int re_parse(struct re_tree *t, str pattern, bool dot_nl, struct error *e);
void re_tree_fini(struct re_tree *t);

/* Let go of the nodes. */
void re_tree_trim(struct re_tree *t);

/* Set the height and the size of a node whose children are complete. */
void re_node_measure(struct re_node *n);

/* Do nested counts multiply to no more than n? */
bool re_node_fits(const struct re_node *x, int n);

/* Can it match the empty string?  Does every match begin with \A? */
bool re_node_nullable(const struct re_node *x);
bool re_node_anchored(const struct re_node *x);

enum re_op {
	RE_OP_CHAR,
	RE_OP_SET,
	RE_OP_ANY,
	RE_OP_ANY_NL,
	RE_OP_SPLIT, /* x is preferred to y */
	RE_OP_JUMP,
	RE_OP_SAVE,
	RE_OP_ASSERT,
	RE_OP_MATCH,
};

struct re_inst {
	enum re_op op;
	uint32_t x, y; /* x: rune, set, place, or kind of assertion */
};

/*
 * When the pattern is literals with ".*" or ".+" between them, or a choice of
 * literals, bytes are compared and no machine runs.
 */
enum re_short {
	RE_SHORT_NONE,
	RE_SHORT_GLOB,   /* pieces in order; gaps between and around them */
	RE_SHORT_CHOICE, /* one of the pieces, which are in order */
};

/* A bound of a group that is so far from the subject's start, or its end. */
struct re_bound {
	size_t off;
	bool back;
};

struct re {
	struct re_tree tree;
	unsigned flags;
	struct re_inst *prog;
	size_t n, cap;
	bool anchored; /* it can only match at the subject's start */
	enum re_short shortcut;
	str *pieces;
	unsigned *gaps; /* least bytes before piece i; RE_NO_GAP: none */
	size_t npieces;
	struct re_bound *bounds; /* of all groups, or NULL: not so simple */
	str prefix;              /* if anchored: what a match begins with */
	struct re_dfa *dfa;
};

#define RE_NO_GAP (~0u)
#define RE_NOWHERE ((size_t)-1)
#define RE_END UINT32_MAX /* no code point: the end of the subject */

int re_compile(struct re *re, struct error *e);

/* Does an instruction read a character; does it take this one? */
bool re_consumes(enum re_op op);
bool re_takes(const struct re *re, const struct re_inst *in, uint32_t r);

/* Does an assertion (enum re_kind) hold at a byte? */
bool re_holds(str s, size_t at, uint32_t kind);

/* Find out what can be had by comparing bytes; ask it. */
void re_short_find(struct re *re);
bool re_short_match(const struct re *re, str s);

/* The captures of a subject that matches, where re->bounds are. */
void re_short_bounds(const struct re *re, str s, size_t *cap);

/*
 * The leftmost-first match at or after from, with the first ncap captures: the
 * answer that the others must give.  With ncap 0 the first match found ends it.
 */
bool re_exec(const struct re *re, str s, size_t from, size_t *cap, size_t ncap);

/*
 * The same with all captures, 1 or 0, for subjects that are short as compared
 * to the program; -1 for others, with nothing done.
 */
int re_track(const struct re *re, str s, size_t from, size_t *cap);

/*
 * Is there a match?  1, 0, or -1: it cannot say, since another thread is at
 * it, or since so many states are needed that making them is in vain.
 */
struct re_dfa;
struct re_dfa *re_dfa_new(void);
void re_dfa_free(struct re_dfa *d);
int re_dfa_match(const struct re *re, str s);

#endif
