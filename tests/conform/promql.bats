#!/usr/bin/env bats
# Upstream's PromQL test files: each must pass at least as many evaluations as
# promql.expected records.  Raise a number there when more pass.

setup() {
	DIR=$BATS_TEST_DIRNAME
	MF_BUILD=${MF_BUILD:-$DIR/../../build}
	[ -d "$CORPUS/promql" ] || skip "no corpus at ${CORPUS:-unset}/promql"
}

@test "promql: upstream's evaluations" {
	"$MF_BUILD/conform/promql" "$CORPUS"/promql/*.test \
	    >"$BATS_TEST_TMPDIR/got"
	awk 'NR == FNR { if ($1 !~ /^#/) min[$1] = $2; next }
	{
		print $1 ": " $2 " of " $3 " passed"
		seen[$1] = 1
		if (!($1 in min)) { print $1 ": not in promql.expected"; bad = 1 }
		else if ($2 < min[$1]) {
			print $1 ": " $2 " passed, " min[$1] " did before"
			bad = 1
		}
	}
	END {
		for (f in min)
			if (!(f in seen)) { print f ": missing"; bad = 1 }
		exit bad
	}' "$DIR/promql.expected" "$BATS_TEST_TMPDIR/got" \
	    >"$BATS_TEST_TMPDIR/verdict" || {
		cat "$BATS_TEST_TMPDIR/verdict"
		false
	}
	sed 's/^/# /' "$BATS_TEST_TMPDIR/verdict" >&3
}
