#!/usr/bin/env bats
# mf-store beside Prometheus: blocks both ways, served by a running one, and
# tests/store-size.sh, which compares sizes.
bats_require_minimum_version 1.5.0

load helpers

setup() {
	peers=${MF_PEERS:-$BATS_TEST_DIRNAME/../build/peers}
	peers=$(cd "$peers" 2>/dev/null && pwd) ||
	    skip "no peers here: make peers"
	PATH=$peers/usr/bin:$PATH
	command -v promtool >/dev/null || skip "no promtool: make peers"
	cd "$BATS_TEST_TMPDIR" || return 1
	t=1637582400000
}
teardown() { stop_all; }

# Five hours of counters, gauges that take any bits, one that ends and comes
# again, and native histograms.
flow() {
	awk -v t0="$t" -v hists="$1" 'BEGIN {
		h = "{count:%d,sum:%d.5,schema:0,zero_threshold:0.001," \
		    "zero_count:%d,positive_spans:[0:1],positive_buckets:[%d]}"
		srand(7)
		for (i = 0; i < 1200; i++) {
			t = sprintf("%.0f", t0 + i * 15000)
			print "# BATCH {instance=\"h:1\",job=\"j\"} " t
			if (i == 0)
				print "# TYPE hits_total counter\n# TYPE temp gauge"
			for (k = 0; k < 10; k++)
				printf "hits_total{code=\"%d\",job=\"j\"} %d %s\n", \
				    k, i * k, t
			printf "temp{job=\"j\",l=\"a\\\"b\\\\\"} %.17g %s\n", \
			    rand() * exp(50 * rand() - 25), t
			printf "odd{job=\"j\"} %s %s\n", \
			    i % 3 ? (i % 5 ? "-0" : "+Inf") : "NaN", t
			if (i % 200 < 100)
				printf "comes{job=\"j\"} %d %s\n", i, t
			else if (i % 200 == 100)
				print "# STALE comes{job=\"j\"} " t
			if (hists)
				printf "# HIST lat{job=\"j\"} " h " %s\n", \
				    2 * i, i, i, i, t
			print "# EOF"
		}
	}'
}

# Samples alone, a series after the other.
plain() { mf-store select --by-series -d "$1" | grep -vE '^# [BEHT]'; }

# Ranges are no multiples of the step: the newer one leaves their start out.
# ask QUERY: a running Prometheus's answer at the end, as "labels value" lines.
ask() {
	mf-eval -u "http://127.0.0.1:$port" --now $((t / 1000 + 17985)) "$1" |
	    grep -v '^#' | sort
}

@test "a running Prometheus serves the blocks that mf-store writes" {
	command -v prometheus >/dev/null || skip "no prometheus: make peers"
	flow 1 | mf-store append -d a
	mf-store compact -q -d a --seal
	mf-store export -d a --tsdb tsdb
	run -0 promtool tsdb list tsdb
	[ "${#lines[@]}" = 4 ]
	run -0 promtool tsdb analyze tsdb
	[[ $output == *"Series: 14"* ]]
	free_port
	echo 'global: {}' >p.yml
	prometheus --config.file=p.yml --storage.tsdb.path=tsdb \
	    --storage.tsdb.retention.time=100y --enable-feature=native-histograms \
	    --web.listen-address="127.0.0.1:$port" >prom.out 2>&1 3>&- &
	echo $! >>pids
	until_ok 30 curl -sf -o /dev/null "http://127.0.0.1:$port/-/ready"
	for q in 'sum by (code) (hits_total)' 'odd' 'comes' \
	    'max_over_time(temp[1h59m50s])' 'count_over_time(comes[5h])' \
	    'count({job="j"})' 'changes(odd[2h59m50s])' \
	    'histogram_count(lat)' 'histogram_sum(lat)'; do
		ask "$q" >theirs
		mf-eval -d a --now $((t / 1000 + 17985)) "$q" | grep -v '^#' |
		    sort >ours
		echo "$q"
		[ -s ours ] || [ "$q" = comes ]
		diff ours theirs
	done
	grep -q 'level=error' prom.out && return 1
	true
}

@test "a round trip through blocks is the same to the bit" {
	flow 1 >in
	mf-store append -d a in
	mf-store export -d a --tsdb one
	mf-store import -d b one
	plain a | grep -v '^# HIST' >want
	plain b | grep -v '^# HIST' | cmp - want
	[ "$(wc -l <want)" = 15006 ]
	# And once more: the blocks are those of before, to the byte.
	mf-store export -d b --tsdb two
	cat one/*/chunks/* | cmp - <(cat two/*/chunks/*)
	cat one/*/index | cmp - <(cat two/*/index)
	diff <(promtool tsdb dump one) <(promtool tsdb dump two)
}

@test "promtool's blocks of our OpenMetrics are what we have" {
	flow 0 | mf-store append -d a
	mf-store export -d a >page.om
	promtool tsdb create-blocks-from openmetrics -q page.om theirs
	mf-store import -d b theirs
	plain a | grep -v '^# STALE' >want
	plain b | cmp - want
	# Ours and theirs of the same samples, as promtool has them.
	mf-store export -d b --tsdb ours
	diff <(promtool tsdb dump ours | sort) <(promtool tsdb dump theirs | sort)
	# And OpenMetrics into a store directly.
	mf-store append -d c page.om
	plain c | cmp - want
}

@test "sizes side by side" {
	[ -e "$BATS_TEST_DIRNAME/../../shared/bench/scrapes.tar.zst" ] ||
	    skip "no scrapes here"
	sanitized && skip "speed is no question for a sanitizer"
	run -0 bash "$BATS_TEST_DIRNAME/store-size.sh" node
	echo "$output"
	# values and times: the goal, and less than a half of Prometheus's
	awk '$3 == "mf" { mf = $4 } $3 == "promtool" { prom = $5 }
	    END { exit !(mf <= 0.65 && mf < prom / 2) }' <<<"$output"
}
