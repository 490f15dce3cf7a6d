/*
 * mf-plot: pictures of series.  It reads the text the other tools write and
 * draws it: once at the end of its input, or after each batch with -f.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "plot_opts.h"
#include "tool.h"

/* -f without -s: how much of a stream of samples is kept. */
#define FOLLOW_MS INT64_C(3600000)

struct app {
	struct opts o;
	struct feed *feed;
	struct batch_reader *reader;
	struct plot_text_opts text;
	struct date_zone *zone;
	bool in_place; /* frames are drawn over each other */
	size_t frames;
	int answer; /* of the last frame, for --exit-status */
};

/* As large as the options say, else as there is room. */
static void
page_size(struct app *a)
{
	a->text.width = 800;
	a->text.height = 360;
	if (a->o.form == OPTS_TEXT)
		term_size(&a->text.width, &a->text.height);
	if (a->o.width > 0)
		a->text.width = a->o.width;
	if (a->o.height > 0)
		a->text.height = a->o.height;
}

static void
report(void *arg, const char *msg)
{
	const struct app *a = arg;

	tool_warn("%s:%s", a->o.in != NULL ? a->o.in : "stdin", msg);
}

/* The chart as it stands now, in one write. */
static void
draw(struct app *a)
{
	struct arena mem = { 0 };
	struct buf b = { 0 }, out = { 0 };
	struct plot p = a->o.plot;
	struct error e;

	a->o.view.now = a->o.replay ? feed_now(a->feed) : tool_now();
	if (feed_plot(a->feed, &a->o.view, &mem, &p, &e) == -1)
		tool_die(TOOL_USAGE, "%s", e.msg);
	if (a->o.plot.title.n > 0)
		p.title = a->o.plot.title;
	if (a->o.plot.unit.p != NULL)
		p.unit = a->o.plot.unit;
	switch (a->o.form) {
	case OPTS_TEXT:
		plot_text(&b, &p, &a->text);
		break;
	case OPTS_SVG:
		plot_svg(&b, &p, a->text.width, a->text.height);
		break;
	case OPTS_HTML:
		plot_html(&b, &p, a->text.width, a->text.height);
		break;
	}
	if (a->in_place)
		term_frame(&out, buf_str(&b), a->frames == 0);
	tool_write(a->in_place ? buf_str(&out) : buf_str(&b));
	a->frames++;
	a->answer =
	    plot_empty(&p) || plot_crossed(&p) > 0 ? TOOL_ANSWER : TOOL_OK;
	buf_fini(&b);
	buf_fini(&out);
	arena_fini(&mem);
}

/* Whole batches that are there; with -f each is a frame, or the last is. */
static void
take(struct app *a)
{
	struct batch b;
	bool fresh = false;

	while (batch_next(a->reader, &b) > 0) {
		if (a->o.strict && batch_bad(a->reader) > 0)
			return;
		feed_add(a->feed, &b);
		fresh = true;
		if (a->o.follow && a->o.view.from == NULL)
			feed_drop(a->feed, feed_now(a->feed) - FOLLOW_MS);
		if (a->o.follow && !a->in_place)
			draw(a);
	}
	if (fresh && a->in_place)
		draw(a);
}

/* Wait for input while the window may change its size; false: stop. */
static bool
wait_input(struct app *a, int fd)
{
	struct pollfd p[] = { { fd, POLLIN, 0 },
		{ tool_wake_fd(), POLLIN, 0 } };

	while (!tool_stopping()) {
		int n = poll(p, 2, -1);

		if (a->in_place && term_resized()) {
			page_size(a);
			draw(a);
		}
		if (n > 0 && p[0].revents != 0)
			return true;
	}
	return false;
}

static void
read_all(struct app *a)
{
	const char *name = a->o.in != NULL ? a->o.in : "stdin";
	int fd = STDIN_FILENO, r = 1;
	struct file_lines l;
	struct error e;
	str lines;

	if (a->o.in != NULL && strcmp(a->o.in, "-") != 0 &&
	    (fd = open(a->o.in, O_RDONLY | O_CLOEXEC)) == -1)
		tool_die(TOOL_FAILED, "%s: %m", a->o.in);
	a->reader = batch_new(a->o.input, tool_now(), a->o.strict, report, a);
	file_lines_init(&l, fd);
	while (!a->o.follow || wait_input(a, fd)) {
		if ((r = file_lines_next(&l, &lines, &e)) == -1)
			tool_die(TOOL_FAILED, "%s: %s", name, e.msg);
		if (r == 0)
			break;
		if (r == 2)
			continue;
		batch_feed(a->reader, lines);
		take(a);
		if (a->o.strict && batch_bad(a->reader) > 0)
			break;
	}
	if (r == 0)
		batch_end(a->reader);
	take(a);
	file_lines_fini(&l);
	if (fd != STDIN_FILENO)
		(void)close(fd);
}

/* "local" is $TZ, else /etc/localtime; its name is the zone's own. */
static void
set_zone(struct app *a)
{
	const char *name = a->o.zone, *tz = getenv("TZ");
	struct error e;

	if (strcmp(name, "local") == 0 || strcmp(name, "Local") == 0) {
		tz = tz != NULL && tz[0] == ':' ? tz + 1 : tz;
		name = tz != NULL && tz[0] != '\0' ? tz : "Local";
		a->zone = date_zone_load(name, NULL, NULL);
	} else if ((a->zone = date_zone_load(name, NULL, &e)) == NULL &&
	    strcmp(name, "UTC") != 0) {
		tool_die(TOOL_USAGE, "--tz: %s", e.msg);
	} else {
		a->o.plot.zone_name = str_of(name);
	}
	a->o.plot.zone = a->zone;
	a->o.view.zone = a->zone;
}

int
main(int argc, char **argv)
{
	struct app a = { 0 };
	int status = TOOL_OK;

	tool_init("mf-plot");
	opts_read(&a.o, argc, argv);
	set_zone(&a);
	a.feed = feed_new();
	page_size(&a);
	if (a.o.form == OPTS_TEXT) {
		a.text.ascii = !term_utf8();
		a.text.color = term_color(a.o.color);
		a.in_place = a.o.follow && term_moves();
	}
	if (a.o.follow) {
		tool_signals();
		term_watch();
	}
	read_all(&a);
	if (batch_bad(a.reader) > 0)
		status = TOOL_FAILED;
	if (!(a.o.strict && status != TOOL_OK) &&
	    (!a.o.follow || a.frames == 0))
		draw(&a);
	if (a.in_place && a.frames > 0)
		tool_write(STR(TERM_END));
	if (status == TOOL_OK && a.o.exit_status)
		status = a.answer;
	batch_free(a.reader);
	feed_free(a.feed);
	date_zone_free(a.zone);
	tool_done(status);
}
