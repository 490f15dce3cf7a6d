/*
 * The command line of mf-plot.
 */
#ifndef PLOT_OPTS_H
#define PLOT_OPTS_H

#include "plot_feed.h"
#include "plot_term.h"

enum opts_form {
	OPTS_TEXT,
	OPTS_SVG,
	OPTS_HTML,
};

struct opts {
	struct feed_view view; /* its marks are below */
	struct plot plot;      /* what the options say of it */
	const char *in, *zone, *marks[32];
	enum opts_form form;
	enum expo_form input;
	enum term_when color;
	int width, height; /* 0: as large as there is room */
	bool follow, replay, strict, exit_status;
};

/* Read argv; ends the process on -h, -V and errors. */
void opts_read(struct opts *o, int argc, char **argv);

#endif
