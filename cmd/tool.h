/*
 * What every tool does the same way: its name in messages, clocks, the mf
 * directory, and an end that notices a full disk.  Linked into all six; nothing
 * of lib knows it.
 */
#ifndef TOOL_H
#define TOOL_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/error.h"
#include "base/str.h"

/* Exit statuses (DESIGN 3). */
enum tool_exit {
	TOOL_OK = 0,
	TOOL_FAILED = 1, /* data, network, a full disk */
	TOOL_USAGE = 2,  /* usage, configuration, expression */
	TOOL_ANSWER = 3, /* --exit-status: empty, or a threshold crossed */
};

/* First thing in main(): name for messages, signals, journal prefixes. */
void tool_init(const char *name);
extern const char *tool_name;

/*
 * Messages on stderr: "tool: ...", or "<3>..." under systemd (when stderr is
 * the journal's, by JOURNAL_STREAM).  tool_warn() is for what went wrong,
 * tool_note() for what -v wants to know; tool_die() exits with status.
 */
void tool_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void tool_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void tool_die(int status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
extern int tool_verbose; /* -v counts up, -q is -1 */

/*
 * Add text to b as a terminal may have it: control characters (of a label, of
 * a page) and bytes that are no UTF-8 as \x and two digits.
 */
void tool_show(struct buf *b, str s);

/*
 * Usage: text to stdout with status 0 (-h) or the first line of it to stderr
 * with a hint and status 2.
 */
_Noreturn void tool_help(const char *usage);
_Noreturn void tool_usage(const char *usage);
_Noreturn void tool_version(void);

/* Last thing: flush stdout, notice what failed, exit with status or 1. */
_Noreturn void tool_done(int status);

/*
 * Write to stdout now, whole; exits 1 with a message on an error, quietly with
 * 0 when the reader has gone (EPIPE).
 */
void tool_write(str s);

/* tool_write() of all that b holds, and the end of b. */
void tool_print(struct buf *b);

/*
 * tool_warn() of a fault in a line of the input, "NAME:LINE:COL: ...".  What
 * is no text at all has thousands: of more than 20 in a second the rest is
 * counted, and the count is told after it or at the end.
 */
void tool_fault(const char *name, const char *msg);

/*
 * How far the reading of a file is, as a line on stderr that is written over:
 * call it after each block.  It is seen from the second second on, five times
 * a second at most, when stderr is a terminal and fd a regular file (a stream
 * may never end), and not with -q; the next message and the end clear it.
 */
void tool_progress(const char *name, int fd);

/* The wall clock in ms, unless --now fixed it; and the struct clock for lib. */
int64_t tool_now(void);
void tool_set_now(int64_t now);
bool tool_now_fixed(void);
const struct clock *tool_clock(void);

/* A time or duration of the command line; exits 2 naming the option. */
int64_t tool_time(const char *option, const char *text);
int64_t tool_dur(const char *option, const char *text);
/* A duration above 0, or a number of seconds, as the HTTP API takes a step. */
int64_t tool_seconds(const char *option, const char *text);

/* -d, else $STATE_DIRECTORY, $MF_DIR, ./mf-data. */
const char *tool_dir(const char *given);

/*
 * Take the directory's own part (scrape, rules, notify) for this process, as
 * its one owner: makes DIR/PART, locks DIR/PART/lock.  Exits 1 naming the pid
 * if another has it, and if DIR is something else than an mf directory (it
 * exists, is not empty, and has none of ours in it).
 */
void tool_own(const char *dir, const char *part);

/* DIR checked as tool_own() does and made if missing, without owning. */
void tool_use(const char *dir);

/* A state file's path, DIR/PART/NAME, in a static buffer's turn of four. */
const char *tool_path(const char *dir, const char *part, const char *name);

/* --set and --env of tools that read configuration. */
struct conf_opts *tool_conf_opts(void);
void tool_conf_set(const char *name_value);
void tool_conf_env(void);

/*
 * Signals: after tool_signals(), SIGTERM and SIGINT make tool_stopping() true
 * and tool_wake_fd() readable; SIGHUP makes tool_reloading() true once.
 */
void tool_signals(void);
bool tool_stopping(void);
bool tool_reloading(void);
int tool_wake_fd(void);

#endif
