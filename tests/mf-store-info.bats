#!/usr/bin/env bats
# mf-store info: what takes the room, for people and as JSON.
bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	t=1637582400000
}

# Two days of rounds of 20 series; on the second one 5 others.
flow() {
	awk -v t0="$t" 'BEGIN {
		for (d = 0; d < 2; d++)
			for (r = 0; r < 20; r++) {
				t = sprintf("%.0f", t0 + d * 864e5 + r * 15e3)
				print "# BATCH {job=\"j\"} " t
				for (i = d * 5; i < 20 + d * 5; i++)
					printf "big{i=\"%d\",job=\"j\"} %d\n", i, r
				printf "noise{job=\"j\"} %.15g\n", rand()
				print "# EOF"
			}
	}'
}

@test "tables: days with their churn, metrics, labels, pairs" {
	flow | mf-store append -d d
	run -0 mf-store info -d d
	[ "${lines[0]}" = "days 2" ]
	grep -qx 'series 26' <<<"$output"
	grep -qx 'samples 840' <<<"$output"
	# day series new gone samples
	grep -Eqx '2021-11-22 +21 +21 +0 +420 +[0-9]+' <<<"$output"
	grep -Eqx '2021-11-23 +21 +5 +5 +420 +[0-9]+' <<<"$output"
	[ "$(grep -Ecx ' +25 +800 +6400  big' <<<"$output")" = 2 ]
	grep -Eqx ' +25  i' <<<"$output"
	grep -Eqx ' +26  job="j"' <<<"$output"
	mf-store compact -q -d d --seal
	# Sealed, noise takes more than what only counts up.
	run -0 mf-store info -d d --top 1
	[ "$(grep -A2 'MOST BYTES' <<<"$output" | tail -n 1 |
	    grep -Eo '[a-z]+$')" = noise ]
	[ "$(grep -A2 'MOST SERIES' <<<"$output" | grep -Eo 'big$')" = big ]
	[ "$(grep -c '^2021-' <<<"$output")" = 1 ]
	run -0 mf-store info -d d --top 0
	[ "${#lines[@]}" = 10 ]
	run -2 mf-store info -d d --top few
	run -2 mf-store info -d d -o xml
	run -2 mf-store info -d d up
}

@test "JSON: the same numbers" {
	flow | mf-store append -d d
	run -0 mf-store info -d d -o json
	[[ $output == '{"days":2,"segments":2,"parts":0,"batches":40,"series":26,'* ]]
	[[ $output == *'"daily":[{"day":"2021-11-22","series":21,"new":21,"gone":0,"samples":420,'* ]]
	[[ $output == *'"metrics":[{"name":"big","series":25,"samples":800,"bytes":6400},'* ]]
	[[ $output == *'"labels":[{"name":"i","values":25},'* ]]
	[[ $output == *'"pairs":[{"name":"job","value":"j","series":26},'* ]]
	run -0 mf-store info -d d -o json --top 0
	[[ $output == *',"to":1637669085000}' ]]
}

@test "names and values that look like nothing" {
	printf '# BATCH {} %s\n{"a b",x="l\\n\\"2"} 1\n# EOF\n' $t |
	    mf-store append -d d
	run -0 mf-store info -d d
	grep -qF 'x="l\n\"2"' <<<"$output"
	run -0 mf-store info -d d -o json
	[[ $output == *'"name":"a b"'*'"value":"l\n\"2"'* ]]
}
