#!/usr/bin/env bats
# Template expressions as Alertmanager 0.33.1 renders them, in text mode.  Four
# name default templates of receivers that are not built yet.
bats_require_minimum_version 1.5.0

setup() {
	MF_BUILD=${MF_BUILD:-$BATS_TEST_DIRNAME/../../build}
	[ -d "$CORPUS/alertmanager" ] || skip "no corpus at ${CORPUS:-unset}"
}

@test "template expressions: at least 251 of 255" {
	run -0 "$MF_BUILD/conform/tmpl" "$CORPUS/alertmanager/_templates"
	echo "$output"
	n=$(sed -n 's/^passed \([0-9]*\) of .*/\1/p' <<<"$output")
	[ "$n" -ge 251 ]
}
