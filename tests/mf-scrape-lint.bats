#!/usr/bin/env bats
# mf-scrape check-metrics, by itself and beside promtool.
load helpers

promtool=${MF_BUILD:-build}/peers/usr/bin/promtool

page() {
	printf '%b' "$1" >"$BATS_TEST_TMPDIR/page"
}

# Do both find the same in the page, in the same words, with one status?
both() {
	local a=0 b=0
	mf-scrape check-metrics "$1" >"$BATS_TEST_TMPDIR/mine" 2>/dev/null ||
	    a=$?
	"$promtool" check metrics <"$1" 2>"$BATS_TEST_TMPDIR/its" >/dev/null ||
	    b=$?
	[ $a = $b ] || {
		echo "$1: mf-scrape $a, promtool $b"
		cat "$1"
		return 1
	}
	[ $a = 1 ] || diff "$BATS_TEST_TMPDIR/mine" "$BATS_TEST_TMPDIR/its"
}

@test "a good page: nothing, status 0" {
	page '# HELP a_bytes x\n# TYPE a_bytes gauge\na_bytes 1\n'
	run mf-scrape check-metrics "$BATS_TEST_TMPDIR/page"
	[ "$status" = 0 ] && [ -z "$output" ]
	run mf-scrape check-metrics <"$BATS_TEST_TMPDIR/page"
	[ "$status" = 0 ] && [ -z "$output" ]
}

@test "findings are the output, status 3" {
	page 'fooBar_ms 1\n'
	run mf-scrape check-metrics - <"$BATS_TEST_TMPDIR/page"
	[ "$status" = 3 ]
	[ "${lines[0]}" = "fooBar_ms metric names should be written in 'snake_case' not 'camelCase'" ]
	[ "${lines[1]}" = "fooBar_ms metric names should not contain abbreviated units" ]
	[ "${lines[2]}" = "fooBar_ms no help text" ]
	[ "${#lines[@]}" = 3 ]
}

@test "what is no page has its place, status 1" {
	page 'a 1\nb one\n'
	run mf-scrape check-metrics "$BATS_TEST_TMPDIR/page"
	[ "$status" = 1 ]
	[ "$output" = "mf-scrape: $BATS_TEST_TMPDIR/page:2:3: bad value 'one'" ]
	page 'a 1\n# TYPE a gauge\n'
	run mf-scrape check-metrics <"$BATS_TEST_TMPDIR/page"
	[ "$status" = 1 ]
	[ "$output" = "mf-scrape: stdin:2:1: second TYPE line of a, or one behind its samples" ]
	page 'a 1\nb{c="d\n"} 1\n'
	run mf-scrape check-metrics <"$BATS_TEST_TMPDIR/page"
	[ "$status" = 1 ]
	[ "$output" = "mf-scrape: stdin:2:1: a line end in a string is not escaped" ]
	run mf-scrape check-metrics "$BATS_TEST_TMPDIR/none"
	[ "$status" = 1 ]
	run mf-scrape check-metrics "$BATS_TEST_TMPDIR"
	[ "$status" = 1 ]
	head -c 100000 /dev/urandom >"$BATS_TEST_TMPDIR/page"
	run mf-scrape check-metrics "$BATS_TEST_TMPDIR/page"
	[ "$status" = 1 ]
}

@test "usage" {
	run mf-scrape check-metrics a b
	[ "$status" = 2 ]
	run mf-scrape check-metrics -c x
	[ "$status" = 2 ]
	run sh -c 'printf "# HELP a h\na 1\n" |
	    mf-scrape check-metrics --extended >/dev/full'
	[ "$status" = 1 ]
}

@test "--extended: how many series" {
	page '# HELP zoo_long h\nzoo_long 1\n# HELP c h\nc{a="b"} 1\nc 2\n'
	run mf-scrape check-metrics --extended "$BATS_TEST_TMPDIR/page"
	[ "$status" = 0 ]
	[ "${lines[0]}" = "Metric      Cardinality    Percentage    " ]
	[ "${lines[1]}" = "c           2              66.67%        " ]
	[ "${lines[2]}" = "zoo_long    1              33.33%        " ]
	[ "${lines[3]}" = "Total       3              100%          " ]
	[ -x "$promtool" ] || return 0
	[ "$output" = "$("$promtool" check metrics --extended \
	    <"$BATS_TEST_TMPDIR/page")" ]
}

@test "the same as promtool" {
	[ -x "$promtool" ] || skip "no promtool: make peers"
	for f in tests/data/expo/*.page tests/data/expo/*.om \
	    tests/data/expo/*.mf tests/data/expo/lint/*; do
		case $f in *.lenient | *.strict) continue ;; esac
		both "$f"
	done
}

# What it takes and a scrape does not is refused here, and the other way round.
@test "other than promtool: as a scrape has it" {
	for f in tests/data/expo/lint/*.strict; do
		run mf-scrape check-metrics "$f"
		[ "$status" = 1 ]
	done
	for f in tests/data/expo/lint/*.lenient; do
		run mf-scrape check-metrics "$f"
		[ "$status" = 3 ]
	done
	[ -x "$promtool" ] || skip "no promtool: make peers"
	for f in tests/data/expo/lint/*.strict; do
		run "$promtool" check metrics <"$f"
		[ "$status" = 3 ]
	done
	for f in tests/data/expo/lint/*.lenient; do
		run "$promtool" check metrics <"$f"
		[ "$status" = 1 ]
	done
}
