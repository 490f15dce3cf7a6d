/*
 * The environment decides in this order: the option, NO_COLOR, CLICOLOR_FORCE
 * and FORCE_COLOR, the terminal, COLORTERM, TERM.
 */
#include "plot_term.h"

#include <sys/ioctl.h>

#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t resized;

/* A variable of the environment, or "". */
static const char *
env(const char *name)
{
	const char *v = getenv(name);

	return v != NULL ? v : "";
}

static bool
set(const char *name)
{
	return env(name)[0] != '\0';
}

static bool
forced(const char *name)
{
	return set(name) && strcmp(env(name), "0") != 0;
}

bool
term_utf8(void)
{
	(void)setlocale(LC_CTYPE, "");
	if (isatty(STDOUT_FILENO) && strcmp(env("TERM"), "dumb") == 0)
		return false;
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* How many colours, once there shall be any. */
static enum plot_color
depth(void)
{
	const char *c = env("COLORTERM");

	if (strcmp(c, "truecolor") == 0 || strcmp(c, "24bit") == 0 ||
	    str_ends(str_of(env("TERM")), STR("-direct")))
		return PLOT_RGB;
	return strstr(env("TERM"), "256color") != NULL ? PLOT_256 : PLOT_16;
}

enum plot_color
term_color(enum term_when when)
{
	if (when == TERM_NEVER)
		return PLOT_MONO;
	if (when == TERM_ALWAYS)
		return depth();
	if (set("NO_COLOR"))
		return PLOT_MONO;
	if (forced("CLICOLOR_FORCE") || forced("FORCE_COLOR"))
		return depth();
	if (!isatty(STDOUT_FILENO) || strcmp(env("TERM"), "dumb") == 0)
		return PLOT_MONO;
	return depth();
}

bool
term_moves(void)
{
	return isatty(STDOUT_FILENO) && strcmp(env("TERM"), "dumb") != 0;
}

static int
number(const char *name, int otherwise)
{
	const char *error = NULL;
	int n = 0;

	if (set(name))
		n = (int)strtonum(env(name), 1, 10000, &error);
	return n > 0 && error == NULL ? n : otherwise;
}

void
term_size(int *width, int *height)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 &&
	    w.ws_row > 1) {
		*width = w.ws_col;
		*height = w.ws_row - 1; /* a line for the prompt */
		return;
	}
	*width = number("COLUMNS", 80);
	*height = number("LINES", 24);
}

static void
on_resize(int sig)
{
	(void)sig;
	resized = 1;
}

void
term_watch(void)
{
	struct sigaction sa = { .sa_handler = on_resize };

	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGWINCH, &sa, NULL);
}

bool
term_resized(void)
{
	bool r = resized;

	resized = 0;
	return r;
}

/*
 * Each line is cleared before it is written, since behind its last column the
 * cursor still stands on it; terminals that know synchronised updates (mode
 * 2026) show the frame at once.
 */
void
term_frame(struct buf *b, str text, bool first)
{
	buf_z(b, first ? "\033[?25l\033[2J\033[H" : "\033[?2026h\033[H");
	while (text.n > 0) {
		buf_z(b, "\033[K");
		buf_add(b, str_cut(&text, '\n'));
		buf_byte(b, '\n');
	}
	buf_z(b, first ? "\033[J" : "\033[J\033[?2026l");
}
