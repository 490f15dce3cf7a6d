/*
 * mf-plot: pictures of series.  It reads the text the other tools write, or
 * asks a store or an engine, and draws: once, or with -f again and again.
 */
#include <limits.h>
#include <poll.h>
#include <stdlib.h>

#include "plot_ask.h"
#include "plot_feed.h"
#include "plot_opts.h"
#include "plot_term.h"
#include "tool.h"
#include "zone.h"

/* -f without -s: how much of a stream of samples is kept. */
#define FOLLOW_MS INT64_C(3600000)

/* A tall terminal is not filled, but with -f. */
#define LINES 30

struct app {
	struct opts o;
	struct input *in;
	struct feed *feed;      /* a stream that is drawn as it is */
	struct ask *ask;        /* or expressions, */
	struct series_set *set; /* over the samples of a stream */
	int64_t step;           /* of the last answer */
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
	if (!a->o.follow && a->text.height > LINES && a->o.form == OPTS_TEXT)
		a->text.height = LINES;
	if (a->o.width > 0)
		a->text.width = a->o.width;
	if (a->o.height > 0)
		a->text.height = a->o.height;
}

/* What is to be drawn, as it stands now. */
static enum tool_exit
chart(struct app *a, struct arena *mem, struct plot *p, struct error *e)
{
	int dots =
	    a->o.form == OPTS_TEXT ? 2 * a->text.width : a->text.width / 2;
	enum tool_exit status;
	int64_t from, to;

	a->o.view.now = tool_now();
	if (a->feed != NULL && a->o.input.replay)
		a->o.view.now = feed_now(a->feed);
	else if (a->o.input.replay && series_range(a->set, &from, &to))
		a->o.view.now = to;
	if (a->feed != NULL)
		return feed_plot(a->feed, &a->o.view, mem, p, e) == -1
		    ? TOOL_USAGE
		    : TOOL_OK;
	status = ask_plot(a->ask, a->in, a->set, &a->o.view, dots, mem, p, e);
	if (status == TOOL_OK)
		a->step = p->step;
	return status;
}

static void
render(const struct app *a, const struct plot *p, struct buf *b)
{
	switch (a->o.form) {
	case OPTS_TEXT:
		plot_text(b, p, &a->text);
		break;
	case OPTS_SVG:
		plot_svg(b, p, a->text.width, a->text.height);
		break;
	case OPTS_HTML:
		plot_html(b, p, a->text.width, a->text.height);
		break;
	}
}

/* A frame, in one write; the next one may succeed where this could not. */
static void
draw(struct app *a)
{
	struct arena mem = { 0 };
	struct buf b = { 0 }, out = { 0 };
	struct plot p = a->o.plot;
	enum tool_exit status;
	struct error e;

	if ((status = chart(a, &mem, &p, &e)) != TOOL_OK) {
		if (!a->o.follow || a->frames == 0)
			tool_die((int)status, "%s", e.msg);
		tool_warn("%s", e.msg);
		arena_fini(&mem);
		return;
	}
	if (a->o.plot.title.n > 0)
		p.title = a->o.plot.title;
	if (a->o.plot.unit.p != NULL)
		p.unit = a->o.plot.unit;
	if (a->frames > 0 && !a->in_place && a->o.form == OPTS_TEXT)
		buf_byte(&b, '\n');
	render(a, &p, &b);
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

static void
add(struct app *a, const struct batch *b)
{
	int64_t from, to;

	if (a->feed != NULL) {
		feed_add(a->feed, b);
		if (a->o.follow && a->o.view.from == NULL)
			feed_drop(a->feed, feed_now(a->feed) - FOLLOW_MS);
		return;
	}
	series_apply(a->set, b);
	if (a->o.follow && a->o.view.from == NULL &&
	    series_range(a->set, &from, &to))
		series_drop(a->set, to - FOLLOW_MS - ask_reach(a->ask));
}

/* Whole batches that are there; with -f each is a frame, or the last is. */
static void
take(struct app *a)
{
	struct batch b;
	bool fresh = false;

	while (input_next(a->in, &b) > 0) {
		add(a, &b);
		fresh = true;
		if (a->o.follow && !a->in_place)
			draw(a);
	}
	if (fresh && a->in_place)
		draw(a);
}

/*
 * Wait for input (fd -1: for ms alone) while the window may change its size;
 * false: stop.
 */
static bool
wait_input(struct app *a, int fd, int ms)
{
	struct pollfd p[] = { { fd, POLLIN, 0 },
		{ tool_wake_fd(), POLLIN, 0 } };

	while (!tool_stopping()) {
		int n = poll(p, 2, ms);

		if (a->in_place && term_resized()) {
			page_size(a);
			draw(a);
		}
		if (n == 0 || (n > 0 && p[0].revents != 0))
			return true;
	}
	return false;
}

/* A stream: to its end, or with -f a frame a batch. */
static void
read_all(struct app *a)
{
	while (!a->o.follow || wait_input(a, input_fd(a->in), -1)) {
		bool more = input_read(a->in);

		take(a);
		if (!more)
			break;
	}
	if (!a->o.follow || a->frames == 0)
		draw(a);
}

/* A store or an engine: now, or with -f again and again. */
static void
ask_all(struct app *a)
{
	int64_t ms;

	do {
		draw(a);
		ms = a->o.interval > 0 ? a->o.interval
		    : a->step > 0      ? a->step
				       : 1000;
	} while (
	    a->o.follow && wait_input(a, -1, ms > INT_MAX ? INT_MAX : (int)ms));
}

/* The machine's own zone has the name that its times have. */
static void
set_zone(struct app *a)
{
	a->zone = zone_of(a->o.zone);
	if (!zone_is_local(a->o.zone))
		a->o.plot.zone_name = str_of(a->o.zone);
	a->o.plot.zone = a->zone;
	a->o.view.zone = a->zone;
}

/* Where samples come from, and what is made of them. */
static void
open_all(struct app *a)
{
	struct error e;

	if (a->o.nexprs > 0 &&
	    (a->ask = ask_new(a->o.exprs, a->o.nexprs, &a->o.view, &e)) == NULL)
		tool_die(TOOL_USAGE, "%s", e.msg);
	a->in = input_open(&a->o.input);
	if (a->ask != NULL) {
		a->set = series_new();
		return;
	}
	if (input_kind(a->in) != INPUT_STREAM)
		tool_die(
		    TOOL_USAGE, "no expression, and nothing to read on stdin");
	a->feed = feed_new();
}

int
main(int argc, char **argv)
{
	struct app a = { 0 };
	int status;

	tool_init("mf-plot");
	opts_read(&a.o, argc, argv);
	set_zone(&a);
	view_check(&a.o.view);
	page_size(&a);
	if (a.o.form == OPTS_TEXT) {
		a.text.ascii = !term_utf8();
		a.text.color = term_color(a.o.color);
		a.in_place = a.o.follow && term_moves();
	}
	open_all(&a);
	if (a.o.follow) {
		tool_signals();
		term_watch();
	}
	if (input_kind(a.in) == INPUT_STREAM)
		read_all(&a);
	else
		ask_all(&a);
	if (a.in_place && a.frames > 0)
		tool_write(STR(TERM_END));
	status = input_bad(a.in) > 0 ? TOOL_FAILED : TOOL_OK;
	if (status == TOOL_OK && a.o.exit_status)
		status = a.answer;
	input_close(a.in);
	feed_free(a.feed);
	ask_free(a.ask);
	if (a.set != NULL)
		series_free(a.set);
	date_zone_free(a.zone);
	opt_list_fini(&a.o.marks);
	opt_list_fini(&a.o.input.connect);
	tool_done(status);
}
