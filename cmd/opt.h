/*
 * Options as rows: a tool says by which letter and name an option goes and
 * where its argument is put, and opt_read() does the rest.  What every tool
 * takes stands in no table: -h, -V, -q and -v are always there, others by the
 * mask.  Rows are read once; what they point to is the caller's.
 */
#ifndef OPT_H
#define OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The arguments of an option that may be given several times. */
struct opt_list {
	const char **v;
	size_t n, cap;
};

/* Exactly one of the pointers says what the option takes. */
struct opt {
	char letter; /* 0: long only */
	const char *name;
	bool *flag;               /* true; there is no argument */
	const char **text;        /* any; the last one given */
	struct opt_list *list;    /* any, all of them */
	struct opt_list *connect; /* HOST:PORT:HOST:PORT, all of them */
	int64_t *time;            /* relative ones count from --now */
	int64_t *span;            /* a duration above 0 */
	int64_t *seconds;         /* the same, or a number of seconds */
	int *word;                /* the place in words, which NULL ends */
	const char *const *words;
	const struct opt *more; /* other rows, in this one's place */
	/* Anything else: option is how it was called, for messages. */
	void (*call)(void *arg, const char *option, const char *text);
	void *arg;
};

/* Options that more than one tool has, and that need no row. */
#define OPT_NOW 1U  /* --now: the time of tool_now() */
#define OPT_CONF 2U /* --set, --env: for tool_conf_opts() */

/*
 * Read the options of argv up to the first operand, at argv[optind] then.
 * Rows end with one that is empty.  Exits: 0 for -h and -V, 2 with what is
 * wrong, under the tool's name whatever argv[0] is.
 */
void opt_read(int argc, char **argv, const struct opt *rows, unsigned with,
    const char *usage);

/*
 * After it: exits 2 if an operand looks like an option that came too late: one
 * that begins with '-' needs "--" before the operands.
 */
void opt_operands(int argc, char **argv);

/*
 * A subcommand as the first word is taken out of argv; its place among names,
 * which NULL ends, or the place of that NULL.
 */
size_t opt_command(int *argc, char ***argv, const char *const *names);

void opt_list_add(struct opt_list *l, const char *text);
void opt_list_fini(struct opt_list *l);

#endif
