/*
 * Colours: Grafana's classic palette in RGB and its nearest of the 256; the 16
 * begin with green and end with red, since red means trouble.
 */
#include "plot/grid.h"

#include "plot/width.h"

void
plot_grid_init(struct plot_grid *g, struct arena *a, int w, int h, bool ascii)
{
	*g = (struct plot_grid){ w, h, ascii,
		arena_array(a, (size_t)w * (size_t)h, struct plot_cell), a };
}

static struct plot_cell *
cell(const struct plot_grid *g, int x, int y)
{
	if (x < 0 || y < 0 || x >= g->w || y >= g->h)
		return NULL;
	return &g->v[(size_t)y * (size_t)g->w + (size_t)x];
}

void
plot_grid_put(struct plot_grid *g, int x, int y, uint32_t rune, int pen)
{
	struct plot_cell *c = cell(g, x, y);

	if (c != NULL)
		*c = (struct plot_cell){ rune, 0, (uint16_t)pen, false };
}

int
plot_grid_text(struct plot_grid *g, int x, int y, str s, int pen)
{
	size_t len;

	if (g->ascii)
		s = plot_plain(g->a, s);
	for (; s.n > 0; s = str_skip(s, len)) {
		uint32_t r = str_rune(s, &len);
		int w = plot_rune_width(r);
		struct plot_cell *c;

		if (w < 0) {
			r = '?';
			w = 1;
		}
		if (w == 0) {
			/* Format characters (bidi, joiners) are dropped. */
			c = cell(g, x - 1, y);
			if (c != NULL && c->tail)
				c = cell(g, x - 2, y);
			if (c != NULL && (r < 0x200b || r > 0x206f) &&
			    r != 0xad && r != 0xfeff && r < 0xe0000)
				c->comb = r;
			continue;
		}
		if (x + w > g->w)
			break;
		plot_grid_put(g, x, y, r, pen);
		if (w == 2 && (c = cell(g, x + 1, y)) != NULL)
			*c = (struct plot_cell){ 0, 0, (uint16_t)pen, true };
		x += w;
	}
	return x;
}

bool
plot_grid_free(const struct plot_grid *g, int x, int y, int w, int pen)
{
	for (int i = x; i < x + w; i++) {
		const struct plot_cell *c = cell(g, i, y);

		if (c == NULL || (c->rune != 0 && c->pen != pen) || c->tail)
			return false;
	}
	return true;
}

static void
set_pen(struct buf *b, int pen, enum plot_color color)
{
	static const uint8_t ansi[] = { 32, 33, 34, 35, 36, 31, 92, 94 };
	static const uint8_t of256[] = { 107, 179, 80, 209, 167, 31, 133, 61 };
	static const uint32_t rgb[] = { 0x7eb26d, 0xeab839, 0x6ed0e0, 0xef843c,
		0xe24d42, 0x1f78c1, 0xba43a9, 0x705da0 };
	static const char *const fixed[] = { "\033[0m", "\033[1m", "\033[2m",
		"\033[33m", "\033[31m", "\033[36m" };
	int i = (pen - PLOT_PEN_SERIES) % PLOT_PALETTE;

	if (pen <= PLOT_PEN_MARK) {
		buf_z(b, fixed[pen]);
		return;
	}
	switch (color) {
	case PLOT_MONO:
		break;
	case PLOT_16:
		buf_printf(b, "\033[%dm", ansi[i]);
		break;
	case PLOT_256:
		buf_printf(b, "\033[38;5;%dm", of256[i]);
		break;
	case PLOT_RGB:
		buf_printf(b, "\033[38;2;%u;%u;%um", rgb[i] >> 16,
		    rgb[i] >> 8 & 0xff, rgb[i] & 0xff);
		break;
	}
}

static bool
blank(const struct plot_cell *c)
{
	return (c->rune == 0 || c->rune == ' ') && !c->tail;
}

static void
print_row(
    struct buf *b, const struct plot_grid *g, int y, enum plot_color color)
{
	int end = g->w, pen = PLOT_PEN_NONE;
	char utf8[4] = "";

	while (end > 0 && blank(cell(g, end - 1, y)))
		end--;
	for (int x = 0; x < end; x++) {
		const struct plot_cell *c = cell(g, x, y);

		if (c->tail)
			continue;
		if (color != PLOT_MONO && c->rune != 0 && c->pen != pen) {
			if (pen != PLOT_PEN_NONE)
				set_pen(b, PLOT_PEN_NONE, color);
			pen = c->pen;
			if (pen != PLOT_PEN_NONE)
				set_pen(b, pen, color);
		}
		buf_add(b,
		    (str){
			utf8, str_encode(c->rune != 0 ? c->rune : ' ', utf8) });
		if (c->comb != 0)
			buf_add(b, (str){ utf8, str_encode(c->comb, utf8) });
	}
	if (pen != PLOT_PEN_NONE)
		set_pen(b, PLOT_PEN_NONE, color);
	buf_byte(b, '\n');
}

void
plot_grid_print(struct buf *b, const struct plot_grid *g, enum plot_color color)
{
	for (int y = 0; y < g->h; y++)
		print_row(b, g, y, color);
}
