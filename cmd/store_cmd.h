/*
 * The subcommands of mf-store: each gets argv from its own name on, and gives
 * the exit status.
 */
#ifndef STORE_CMD_H
#define STORE_CMD_H

#include "metric/match.h"
#include "opt.h"
#include "store/store.h"

int store_cmd_append(int argc, char **argv);
int store_cmd_select(int argc, char **argv);
int store_cmd_series(int argc, char **argv);
int store_cmd_labels(int argc, char **argv);
int store_cmd_values(int argc, char **argv);
int store_cmd_info(int argc, char **argv);
int store_cmd_check(int argc, char **argv);
int store_cmd_compact(int argc, char **argv);
int store_cmd_delete(int argc, char **argv);
int store_cmd_export(int argc, char **argv);
int store_cmd_import(int argc, char **argv);
int store_cmd_limits(int argc, char **argv);
int store_cmd_metadata(int argc, char **argv);

/* The usage of mf-store, for errors. */
extern const char store_cmd_usage[];

/*
 * What the reading subcommands share: -d, -s, -e, --exit-status, -q, -v, and a
 * selector as the one operand.
 */
struct store_cmd_read {
	const char *dir;
	struct store *s;
	struct arena a;
	const char *expr; /* the selector's text; NULL: none */
	struct match *m;
	size_t nm;
	int64_t from, to; /* INT64_MIN, INT64_MAX: not given */
	bool by_series;
	bool exit_status;
};

/* Read options; nfixed operands stand before the selector. */
void store_cmd_open(
    struct store_cmd_read *r, int argc, char **argv, int nfixed);
/* The same with options that are the subcommand's own. */
void store_cmd_open_more(struct store_cmd_read *r, int argc, char **argv,
    int nfixed, const struct opt *more);
/* Tells of damage that was come upon: the exit status then. */
int store_cmd_close(struct store_cmd_read *r);

/* The options that put limits into l. */
void store_cmd_limits_rows(
    struct opt rows[STORE_LIMITS + 1], struct store_limits *l);

/* Tell what was not stored as it came. */
void store_cmd_tell(const struct store_counts *n, bool replace);

/* Exit on a usage of another kind than was asked for. */
struct store *store_cmd_store(const char *dir, enum store_mode mode);

#endif
