/*
 * getopt_long(3) wants the letters, the names and a switch over both; here
 * they are made from the tool's rows, which are therefore the only place that
 * an option stands in.
 */
#include "opt.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tool.h"

#define MAX 48

/* What getopt_long() gives for an option without a letter. */
enum {
	NOW = 256,
	SET,
	ENV,
	ROW, /* and on: by its place */
};

struct table {
	const struct opt *rows[MAX];
	const char *times[MAX]; /* given, for rows of a time */
	size_t nrows;
	struct option longs[MAX + 8];
	size_t nlongs;
	char shorts[2 * MAX + 8];
	const char *usage;
};

static void
add_name(struct table *t, const char *name, bool argument, int c)
{
	size_t n = strlen(t->shorts);

	t->longs[t->nlongs++] = (struct option){ name,
		argument ? required_argument : no_argument, NULL, c };
	if (c >= NOW)
		return;
	t->shorts[n] = (char)c;
	t->shorts[n + 1] = argument ? ':' : '\0';
}

static void
add_rows(struct table *t, const struct opt *rows)
{
	for (const struct opt *o = rows; o->name != NULL || o->more != NULL;
	     o++) {
		if (o->more != NULL) {
			add_rows(t, o->more);
			continue;
		}
		assert(t->nrows < MAX);
		add_name(t, o->name, o->flag == NULL,
		    o->letter != 0 ? o->letter : ROW + (int)t->nrows);
		t->rows[t->nrows++] = o;
	}
}

static void
add_common(struct table *t, unsigned with)
{
	add_name(t, "quiet", false, 'q');
	add_name(t, "verbose", false, 'v');
	add_name(t, "help", false, 'h');
	add_name(t, "version", false, 'V');
	if (with & OPT_NOW)
		add_name(t, "now", true, NOW);
	if (with & OPT_CONF) {
		add_name(t, "set", true, SET);
		add_name(t, "env", false, ENV);
	}
}

void
opt_list_add(struct opt_list *l, const char *text)
{
	l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = text;
}

/* Four parts; an IPv6 address stands in brackets. */
static void
check_connect(const char *option, const char *text)
{
	size_t colons = 0;
	bool inside = false;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '[' || *p == ']')
			inside = *p == '[';
		colons += *p == ':' && !inside;
	}
	if (colons != 3)
		tool_die(TOOL_USAGE, "%s: '%s' is not HOST:PORT:HOST:PORT",
		    option, text);
}

static int64_t
span(const char *option, const char *text)
{
	int64_t ms = tool_dur(option, text);

	if (ms == 0)
		tool_die(TOOL_USAGE, "%s: must not be 0", option);
	return ms;
}

static int
word(const char *option, const char *text, const char *const *words)
{
	struct buf all = { 0 };

	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	for (size_t i = 0; words[i] != NULL; i++)
		buf_printf(&all, "%s%s", i > 0 ? ", " : "", words[i]);
	tool_die(TOOL_USAGE, "%s: '%s' is not one of %.*s", option, text,
	    (int)all.n, all.p);
}

/* As messages call it: by the letter if there is one. */
static void
option_name(const struct opt *o, char name[static 64])
{
	if (o->letter != 0)
		snprintf(name, 64, "-%c", o->letter);
	else
		snprintf(name, 64, "--%s", o->name);
}

static void
take(struct table *t, size_t i, const char *text)
{
	const struct opt *o = t->rows[i];
	char name[64];

	option_name(o, name);
	if (o->flag != NULL)
		*o->flag = true;
	else if (o->text != NULL)
		*o->text = text;
	else if (o->list != NULL)
		opt_list_add(o->list, text);
	else if (o->connect != NULL) {
		check_connect(name, text);
		opt_list_add(o->connect, text);
	} else if (o->time != NULL)
		t->times[i] = text;
	else if (o->span != NULL)
		*o->span = span(name, text);
	else if (o->seconds != NULL)
		*o->seconds = tool_seconds(name, text);
	else if (o->word != NULL)
		*o->word = word(name, text, o->words);
	else
		o->call(o->arg, name, text);
}

/* One that all tools have; else it is in the rows. */
static bool
take_common(const struct table *t, int c)
{
	switch (c) {
	case 'q':
		tool_verbose = -1;
		return true;
	case 'v':
		tool_verbose++;
		return true;
	case 'h':
		tool_help(t->usage);
	case 'V':
		tool_version();
	case NOW:
		tool_set_now(tool_time("--now", optarg));
		return true;
	case SET:
		tool_conf_set(optarg);
		return true;
	case ENV:
		tool_conf_env();
		return true;
	}
	return false;
}

static void
take_own(struct table *t, int c)
{
	for (size_t i = 0; i < t->nrows; i++)
		if (c == t->rows[i]->letter || c == ROW + (int)i) {
			take(t, i, optarg);
			return;
		}
	tool_usage(t->usage);
}

void
opt_read(int argc, char **argv, const struct opt *rows, unsigned with,
    const char *usage)
{
	struct table t = { .shorts = "+", .usage = usage };
	char *called = argv[0], name[64];
	int c;

	add_rows(&t, rows);
	add_common(&t, with);
	argv[0] = (char *)(uintptr_t)tool_name;
	while ((c = getopt_long(argc, argv, t.shorts, t.longs, NULL)) != -1)
		if (!take_common(&t, c))
			take_own(&t, c);
	argv[0] = called;
	for (size_t i = 0; i < t.nrows; i++)
		if (t.times[i] != NULL) {
			option_name(t.rows[i], name);
			*t.rows[i]->time = tool_time(name, t.times[i]);
		}
}

void
opt_operands(int argc, char **argv)
{
	if (strcmp(argv[optind - 1], "--") == 0)
		return;
	for (int i = optind; i < argc; i++)
		if (argv[i][0] == '-' && argv[i][1] != '\0')
			tool_die(TOOL_USAGE,
			    "'%s' behind '%s': options come first, and -- "
			    "before an operand that begins so",
			    argv[i], argv[optind]);
}

size_t
opt_command(int *argc, char ***argv, const char *const *names)
{
	size_t i = 0;

	while (names[i] != NULL &&
	    (*argc < 2 || strcmp((*argv)[1], names[i]) != 0))
		i++;
	if (names[i] != NULL) {
		(*argc)--;
		(*argv)++;
	}
	return i;
}

void
opt_list_fini(struct opt_list *l)
{
	free(l->v);
	*l = (struct opt_list){ 0 };
}
