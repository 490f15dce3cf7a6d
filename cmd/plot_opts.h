/*
 * The command line of mf-plot.
 */
#ifndef PLOT_OPTS_H
#define PLOT_OPTS_H

#include "input.h"
#include "plot_gather.h"
#include "plot_term.h"

enum opts_form {
	OPTS_TEXT,
	OPTS_SVG,
	OPTS_HTML,
};

struct opts {
	struct input_opts input;
	struct view view; /* its marks are below */
	struct plot plot; /* what the options say of it */
	struct opt_list marks;
	const char *zone;
	const char *const *exprs;
	size_t nexprs;
	int64_t interval; /* -i, 0: the step */
	enum opts_form form;
	enum term_when color;
	int width, height; /* 0: as large as there is room */
	bool follow, exit_status;
};

/* Read argv; ends the process on -h, -V and errors. */
void opts_read(struct opts *o, int argc, char **argv);

#endif
