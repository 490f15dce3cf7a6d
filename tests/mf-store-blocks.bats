#!/usr/bin/env bats
# mf-store export and import: OpenMetrics out, blocks of Prometheus both ways.
bats_require_minimum_version 1.5.0

load helpers

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	t=1637582400000
}

# Two hours and a bit of a counter, a gauge that ends, and a histogram.
flow() {
	awk -v t0="$t" 'BEGIN {
		h = "{count:%d,sum:%d.5,schema:0,zero_threshold:0.001," \
		    "zero_count:%d,positive_spans:[0:1],positive_buckets:[%d]}"
		for (i = 0; i < 500; i++) {
			t = sprintf("%.0f", t0 + i * 15000)
			print "# BATCH {job=\"j\"} " t
			if (i == 0) {
				print "# HELP hits_total Hits \\\\ \"all\""
				print "# TYPE hits_total counter"
				print "# TYPE temp gauge"
			}
			printf "hits_total{job=\"j\"} %d %s\n", i * 3, t
			if (i < 100)
				printf "temp{job=\"j\",l=\"a\\\"b\"} %s %s\n", \
				    (i * 7 % 13) / 8, t
			if (i == 100)
				print "# STALE temp{job=\"j\",l=\"a\\\"b\"} " t
			printf "# HIST lat{job=\"j\"} " h " %s\n", \
			    2 * i, i, i, i, t
			print "# EOF"
		}
	}'
}

# One series after the other, without what the way in has left: a chunk tells
# that there was no reset between its histograms.
plain() {
	mf-store select --by-series -d "$1" |
	    sed -E '/^# (BATCH|EOF|HELP|TYPE)/d; /^# HIST/s/,hint:not_reset//'
}

@test "blocks out and in again: the same to the bit, histograms too" {
	flow | mf-store append -d a
	run -0 mf-store export -v -d a --tsdb blocks
	[ "$(find blocks -name meta.json | wc -l)" = 2 ]
	[ "$(grep -ho '"numSamples":[0-9]*' blocks/*/meta.json |
	    awk -F: '{ n += $2 } END { print n }')" = 1101 ]
	mf-store import -d b blocks
	plain a >want
	plain b >got
	cmp want got
	[ "$(grep -c '^# HIST' got)" = 500 ]
	# Again: nothing new.
	run -0 --separate-stderr mf-store import -v -d b blocks
	[[ $stderr == *" 0 samples, "* ]]
	run -0 mf-store export -d a --tsdb days --by-day -e $((t / 1000 + 60))
	[ "$(find days -name meta.json | wc -l)" = 1 ]
	run -0 mf-store export -d a --tsdb some temp
	run -0 cat some/*/meta.json
	[[ $output == *'"numSeries":1'* ]]
}

@test "OpenMetrics out and in again" {
	flow | grep -v '^# HIST' | mf-store append -d a
	mf-store export -d a >page.om
	[ "$(sed -n 1p page.om)" = '# HELP hits Hits \\ \"all\"' ]
	[ "$(sed -n 2p page.om)" = '# TYPE hits counter' ]
	[ "$(tail -n 1 page.om)" = '# EOF' ]
	mf-store append -d b page.om
	plain b >got
	plain a | grep -v STALE >want
	cmp want got
}

@test "native histograms do not go into OpenMetrics unsaid" {
	flow | mf-store append -d a
	run -1 --separate-stderr mf-store export -d a
	[[ $stderr == *"500 native histograms were left out"* ]]
}

@test "what is no block, or is broken, is told; the rest is taken" {
	flow | mf-store append -d a
	mf-store export -d a --tsdb blocks
	run -2 mf-store import -d b
	run -1 mf-store import -d b nowhere
	mkdir empty
	run -1 mf-store import -d b empty
	[[ $output == *"empty: no block"* ]]
	set -- blocks/*
	printf x >>"$1/index"
	run -1 mf-store import -d b blocks
	[[ $output == *"index: "* ]]
	[ "$(mf-store select -d b | grep -c '^hits_total')" -gt 10 ]
	run -1 mf-store export -d a --tsdb /dev/null/x
	run ! ls -d blocks/*.tmp-for-creation
}

@test "a directory that can't be written to leaves nothing behind" {
	flow | mf-store append -d a
	[ "$(id -u)" != 0 ] || skip "root may write everywhere"
	mkdir -m 500 ro
	run -1 mf-store export -d a --tsdb ro
	[ -z "$(ls ro)" ]
}

@test "promtool lists, analyses and dumps what is exported" {
	peers=${MF_PEERS:-$BATS_TEST_DIRNAME/../build/peers}
	promtool=$peers/usr/bin/promtool
	[ -x "$promtool" ] || skip "no peers here: make peers"
	flow | mf-store append -d a
	mf-store export -d a --tsdb blocks
	mkdir blocks/wal
	run -0 "$promtool" tsdb list blocks
	[ "${#lines[@]}" = 3 ]
	run -0 "$promtool" tsdb analyze blocks
	[[ $output == *"Series: "* ]]
	"$promtool" tsdb dump blocks >dump
	[ "$(grep -c hits_total dump)" = 500 ]
	grep -q '{__name__="temp", job="j", l="a\\"b"} 0.875 1637582415000' dump
	# And what promtool makes of our OpenMetrics, we read.
	flow | grep -v '^# HIST' | mf-store append -d c
	mf-store export -d c >page.om
	"$promtool" tsdb create-blocks-from openmetrics page.om theirs >/dev/null
	mf-store import -d d theirs
	plain d >got
	plain c | grep -v STALE >want
	cmp want got
}
