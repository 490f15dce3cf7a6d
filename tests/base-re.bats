#!/usr/bin/env bats
# base/re against the Go that is installed, on patterns made up from a seed.
bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/.." || return 1
	command -v go >/dev/null || skip "no Go here: golang-go"
	export GOCACHE=$BATS_TEST_TMPDIR/cache GOPATH=$BATS_TEST_TMPDIR/go \
	    GO111MODULE=off GOFLAGS=
}

# oracle ARGUMENTS: build and run it.
oracle() { (cd tests/data/re && go run oracle.go families.go "$@"); }

@test "random patterns, subjects and replacements are as Go has them" {
	for seed in 1 2 3; do
		oracle random $seed 10000
	done >"$BATS_TEST_TMPDIR/rows"
	run "${MF_BUILD:-build}/unit/base-re-rows" "$BATS_TEST_TMPDIR/rows"
	echo "$output" | head -n 40
	[ "$status" = 0 ]
	echo "$output" | grep -E '^# .*: [0-9]{5,} rows, 0 differ$'
}

@test "the rows that are kept are what Go writes now" {
	case $(go version) in
	*go1.19.*) ;;
	*) skip "the rows are Go 1.19's: $(go version)" ;;
	esac
	oracle rows >"$BATS_TEST_TMPDIR/rows"
	cmp tests/data/re/rows "$BATS_TEST_TMPDIR/rows"
}
