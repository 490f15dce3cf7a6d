/*
 * Widths of text in cells, cutting, and what ASCII makes of it.
 */
#include "check.h"
#include "plot/width.h"

static void
widths(void)
{
	CHECK(plot_rune_width('a') == 1);
	CHECK(plot_rune_width('\n') == -1);
	CHECK(plot_rune_width(0x1b) == -1);
	CHECK(plot_rune_width(0x9b) == -1);
	CHECK(plot_rune_width(0x301) == 0);
	CHECK(plot_rune_width(0x202e) == 0);
	CHECK(plot_rune_width(0x3042) == 2);
	CHECK(plot_rune_width(0xff21) == 2);
	CHECK(plot_rune_width(0xac00) == 2);
	CHECK(plot_rune_width(0x1f600) == 2);
	CHECK(plot_rune_width(0x2588) == 1);
	CHECK(plot_rune_width(0x28ff) == 1);
	CHECK(plot_width(STR("東京-web1")) == 9);
	CHECK(plot_width(STR("cafe\314\201")) == 4);
	CHECK(plot_width(STR("a\tb\377")) == 4);
	CHECK(plot_width(STR_NONE) == 0);
}

static void
cuts(void)
{
	struct arena a = { 0 };

	CHECK_STR(plot_cut(&a, STR("abcdef"), 6, false), "abcdef");
	CHECK_STR(plot_cut(&a, STR("abcdef"), 5, false), "abcd…");
	CHECK_STR(plot_cut(&a, STR("abcdef"), 5, true), "abc..");
	CHECK_STR(plot_cut(&a, STR("東京大阪"), 6, false), "東京…");
	CHECK_STR(plot_cut(&a, STR("東京大阪"), 7, false), "東京大…");
	CHECK_STR(plot_cut(&a, STR("abc"), 0, false), "");
	CHECK_STR(plot_cut(&a, STR("abc"), 1, true), "");
	CHECK(plot_cut(&a, STR("abc"), -5, false).n == 0);
	arena_fini(&a);
}

static void
plain(void)
{
	struct arena a = { 0 };

	CHECK_STR(
	    plot_plain(&a, STR("13:00–14:00 · 5 µs")), "13:00-14:00 - 5 us");
	CHECK_STR(plot_plain(&a, STR("▲ 東 é 21 °C ∞")), "! ?? ? 21 C Inf");
	CHECK_STR(plot_plain(&a, STR("a\033[1m\377")), "a?[1m?");
	arena_fini(&a);
}

int
main(void)
{
	widths();
	cuts();
	plain();
	return done();
}
