/*
 * "mf-scrape targets" for people.  What comes from outside (labels, errors)
 * is printed with its control characters escaped: a page must not write on
 * the terminal of who looks at it.
 */
#include "base/dur.h"
#include "base/quote.h"
#include "scrape_rows.h"

#define COLUMNS 6
#define INDENT "  "
#define GAP 2

/* Text that is folded: at is the column, indent where a new line begins. */
struct fold {
	struct buf *b;
	size_t width, indent, at;
};

static size_t
runes(str s)
{
	size_t n = 0, len;

	for (; s.n > 0; s = str_skip(s, len), n++)
		(void)str_rune(s, &len);
	return n;
}

static void
new_line(struct fold *f)
{
	buf_byte(f->b, '\n');
	for (f->at = 0; f->at < f->indent; f->at++)
		buf_byte(f->b, ' ');
}

static void
put(struct fold *f, str piece)
{
	size_t n = runes(piece);

	if (f->width > 0 && f->at > f->indent && f->at + n > f->width)
		new_line(f);
	buf_add(f->b, piece);
	f->at += n;
}

/* A line of its own that begins with what it is. */
static void
begin(struct fold *f, const char *what)
{
	f->indent = sizeof(INDENT) - 1 + strlen(what) + 1;
	f->at = f->indent;
	buf_printf(f->b, INDENT "%s ", what);
}

static void
put_labels(struct fold *f, const char *what, struct labels ls)
{
	struct buf piece = { 0 };

	begin(f, what);
	put(f, STR("{"));
	f->indent++;
	for (size_t i = 0; i < ls.n; i++) {
		buf_reset(&piece);
		if (label_name_valid(ls.v[i].name))
			buf_add(&piece, ls.v[i].name);
		else
			quote_add(&piece, ls.v[i].name);
		buf_byte(&piece, '=');
		quote_add(&piece, ls.v[i].value);
		buf_byte(&piece, i + 1 < ls.n ? ',' : '}');
		put(f, buf_str(&piece));
	}
	if (ls.n == 0)
		put(f, STR("}"));
	buf_byte(f->b, '\n');
	buf_fini(&piece);
}

/* Escaped where it must be, without quotes around it. */
static void
clean(struct buf *b, str s)
{
	size_t len;

	for (; s.n > 0; s = str_skip(s, len)) {
		uint32_t r = str_rune(s, &len);

		if (r == '"' || r == '\\')
			buf_byte(b, (char)r);
		else
			quote_rune(b, r, '\0', false);
	}
}

static void
put_error(struct fold *f, str error)
{
	struct buf b = { 0 };
	str s, word;

	clean(&b, error);
	begin(f, "error");
	for (s = buf_str(&b); s.p != NULL;) {
		word = str_cut(&s, ' ');
		if (f->at > f->indent && f->width > 0 &&
		    f->at + 1 + runes(word) > f->width)
			new_line(f);
		else if (f->at > f->indent)
			put(f, STR(" "));
		put(f, word);
	}
	buf_byte(f->b, '\n');
	buf_fini(&b);
}

/* "3s ago", of the two largest units at most. */
static void
ago(struct buf *b, int64_t t, int64_t now)
{
	int64_t d = now >= t ? now - t : t - now, unit = 1;

	if (d >= 86400000)
		unit = 3600000;
	else if (d >= 3600000)
		unit = 60000;
	else if (d >= 1000)
		unit = 1000;
	if (now < t)
		buf_z(b, "in ");
	dur_print(b, d / unit * unit);
	if (now >= t)
		buf_z(b, " ago");
}

static void
cells(const struct scrape_row *r, int64_t now, struct buf cell[COLUMNS])
{
	for (size_t i = 0; i < COLUMNS; i++)
		buf_reset(&cell[i]);
	buf_z(&cell[0], scrape_rows_health(r));
	clean(&cell[1], r->pool);
	if (r->kind != SCRAPE_ROW_ACTIVE)
		return;
	dur_print(&cell[2], r->interval);
	if (r->at == 0)
		return;
	ago(&cell[3], r->at, now);
	dur_print(&cell[4], r->took);
	buf_printf(&cell[5], "%lld", (long long)r->samples);
}

static const bool right[COLUMNS] = { false, false, true, true, true, true };

/* The cells in their columns, and url behind them. */
static void
put_row(struct buf *b, const struct buf cell[COLUMNS],
    const size_t width[COLUMNS], str url)
{
	size_t end;

	for (size_t i = 0; i < COLUMNS; i++) {
		size_t pad = width[i] - runes(buf_str(&cell[i]));

		for (size_t k = 0; right[i] && k < pad; k++)
			buf_byte(b, ' ');
		buf_add(b, buf_str(&cell[i]));
		for (size_t k = 0; k < (right[i] ? 0 : pad) + GAP; k++)
			buf_byte(b, ' ');
	}
	clean(b, url);
	for (end = b->n; end > 0 && b->p[end - 1] == ' ';)
		end--;
	b->n = end;
	buf_byte(b, '\n');
}

static void
summary(const struct scrape_rows *r, struct buf *b)
{
	size_t kinds[3] = { 0 }, up = 0, down = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct scrape_row *row = &r->v[i];

		kinds[row->kind]++;
		if (row->kind != SCRAPE_ROW_ACTIVE || row->at == 0)
			continue;
		up += row->error.n == 0;
		down += row->error.n > 0;
	}
	buf_printf(b,
	    "%zu target%s: %zu up, %zu down, %zu unknown; %zu "
	    "dropped\n",
	    kinds[0], kinds[0] == 1 ? "" : "s", up, down, kinds[0] - up - down,
	    kinds[1]);
	if (kinds[2] > 0)
		buf_printf(b, "%zu discover%s\n", kinds[2],
		    kinds[2] == 1 ? "y fails" : "ies fail");
}

void
scrape_rows_table(const struct scrape_rows *r, struct buf *b, int64_t now,
    size_t width, bool brief)
{
	static const char *const heads[COLUMNS] = { "HEALTH", "JOB", "EVERY",
		"LAST", "TOOK", "SAMPLES" };
	struct buf cell[COLUMNS] = { { 0 } };
	struct fold f = { .b = b, .width = width };
	size_t w[COLUMNS], all = 0, longest = 0;
	bool below;

	for (size_t i = 0; i < COLUMNS; i++)
		w[i] = strlen(heads[i]);
	for (size_t i = 0; i < r->n; i++) {
		if (runes(r->v[i].url) > longest)
			longest = runes(r->v[i].url);
		cells(&r->v[i], now, cell);
		for (size_t k = 0; k < COLUMNS; k++)
			if (runes(buf_str(&cell[k])) > w[k])
				w[k] = runes(buf_str(&cell[k]));
	}
	for (size_t i = 0; i < COLUMNS; i++) {
		buf_reset(&cell[i]);
		buf_z(&cell[i], heads[i]);
		all += w[i] + GAP;
	}
	below = !brief && width > 0 && all + longest > width;
	put_row(b, cell, w, below ? STR_NONE : STR("URL"));
	for (size_t i = 0; i < r->n; i++) {
		const struct scrape_row *row = &r->v[i];

		cells(row, now, cell);
		put_row(b, cell, w, below ? STR_NONE : row->url);
		if (below && row->kind == SCRAPE_ROW_ACTIVE) {
			begin(&f, "url   ");
			clean(b, row->url);
			buf_byte(b, '\n');
		}
		if (brief)
			continue;
		if (row->kind == SCRAPE_ROW_ACTIVE)
			put_labels(&f, "labels", row->labels);
		if (row->kind != SCRAPE_ROW_DISCOVERY)
			put_labels(&f, "found ", row->discovered);
		if (row->error.n > 0)
			put_error(&f, row->error);
	}
	if (!brief)
		summary(r, b);
	for (size_t i = 0; i < COLUMNS; i++)
		buf_fini(&cell[i]);
}
