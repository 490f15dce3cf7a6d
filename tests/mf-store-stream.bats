#!/usr/bin/env bats
# mf-store: what comes out of a store goes into others and into other tools:
# metadata, going on after a position, editing, replay.
bats_require_minimum_version 1.5.0

load helpers

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	t=1637582400000
}

# Rounds of two sources with all that a batch may have.
flow() {
	awk -v t0="$t" 'BEGIN {
		h = "{count:%d,sum:%d.5,schema:0,zero_threshold:0.001," \
		    "zero_count:%d,positive_spans:[0:1],positive_buckets:[%d]}"
		for (i = 0; i < 60; i++) {
			t = sprintf("%.0f", t0 + i * 15000)
			print "# BATCH {instance=\"h:1\",job=\"j\"} " t
			if (i == 0) {
				print "# HELP hits_total All\\nhits"
				print "# TYPE hits_total counter"
				print "# TYPE lat histogram"
				print "# UNIT lat seconds"
			}
			printf "hits_total{job=\"j\"} %d %s\n", i * 3, t
			if (i == 30)
				print "# STALE temp{job=\"j\"} " t
			else if (i < 30)
				printf "temp{job=\"j\"} %s %s\n", i / 8, t
			printf "# HIST lat{job=\"j\"} " h " %s\n", \
			    2 * i, i, i, i, t
			if (i % 10 == 0) {
				printf "# EXEMPLAR hits_total{job=\"j\"} " \
				    "{trace=\"%d\"} 1 %s\n", i, t
				printf "# START hits_total{job=\"j\"} %s %s\n", \
				    t0, t
			}
			print "# EOF"
			print "# BATCH {job=\"k\"} " t " error=\"no \\\"way\\\"\""
			if (i == 0) {
				print "# HELP up Is it up"
				print "# TYPE up gauge"
			}
			printf "up{job=\"k\"} 0 %s\n", t
			printf "own{job=\"k\"} %d %.0f\n", i, t - 1234 - i
			print "# EOF"
		}
	}'
}

@test "select | append is the same store again, frame by frame" {
	flow >in
	mf-store append -d a in
	mf-store select -d a | tee out | mf-store append -d b
	[ "$(grep -c '^# HIST' out)" = 60 ]
	[ "$(grep -c '^# EXEMPLAR' out)" = 6 ]
	[ "$(grep -c '^# START' out)" = 6 ]
	[ "$(grep -c 'error="no \\"way\\""' out)" = 60 ]
	mf-store select -d b | cmp - out
	# The same segments but for the boot, the order of layouts and all.
	cmp a/store/20211122/000001.seg b/store/20211122/000001.seg
	cmp a/store/20211122/series.log b/store/20211122/series.log
	mf-store compact -d b --seal
	mf-store select -d b | cmp - out
	mf-store select -d b | mf-store append -d c
	mf-store select -d c | cmp - out
}

@test "metadata, by metric and by job" {
	flow | mf-store append -d a
	run -0 mf-store metadata -d a --now $((t / 1000))
	[ "$output" = '# BATCH {job="j"} '$t'
# HELP hits_total All\nhits
# TYPE hits_total counter
# TYPE lat histogram
# UNIT lat seconds
# EOF
# BATCH {job="k"} '$t'
# HELP up Is it up
# TYPE up gauge
# EOF' ]
	run -0 mf-store metadata -d a up
	[ "${#lines[@]}" = 4 ]
	run -0 mf-store metadata -d a '{job=~"j|x",__name__=~"l.*"}'
	[ "$(grep -c '^# [HTU]' <<<"$output")" = 2 ]
	run -3 mf-store metadata -d a --exit-status nothing
	# Into another store: it has it, though no samples.
	mf-store metadata -d a | mf-store append -d b
	diff <(mf-store metadata -d a --now 0) <(mf-store metadata -d b --now 0)
	# The last word holds, for its job alone.
	printf '# BATCH {job="j"} %s\n# TYPE up counter\n# EOF\n' $t |
	    mf-store append -d b
	[ "$(mf-store metadata -d b up | grep -c TYPE)" = 2 ]
	run -0 mf-store metadata -d b '{job="k"}'
	[[ $output == *"# TYPE up gauge"* ]]
}

@test "--after goes on behind a batch, and misses nothing with what came since" {
	flow >in
	n=$(grep -n '^# EOF' in | sed -n 60p | cut -d: -f1)
	head -n "$n" in | mf-store append -d a
	mf-store select -d a >one
	last=$(sed -n 's/^# BATCH.*} \([0-9]*\).*/\1/p' one | tail -n 1)
	run -3 mf-store select -d a --exit-status --after "$last"
	tail -n +$((n + 1)) in | mf-store append -d a
	mf-store select -d a --after "$last" >two
	mf-store select -d a >all
	[ "$(cat one two | grep -c '^# BATCH')" = 120 ]
	cat one two | grep -v '^# [HTU][EYN]' | cmp - <(grep -v '^# [HTU][EYN]' all)
	# The same moment said as other times are.
	s=$((last / 1000)).$(printf %03d $((last % 1000)))
	mf-store select -d a --after "$s" | cmp - two
	run -2 mf-store select -d a --after soon
}

@test "select | mf-eval --replay says what the stream said" {
	flow >in
	mf-store append -d a in
	cat >rules.yml <<-'EOT'
	groups:
	- name: g
	  interval: 15s
	  rules:
	  - record: rate:hits
	    expr: rate(hits_total[1m])
	  - alert: Up
	    expr: up == 0
	    for: 1m
	EOT
	mf-eval --replay -d s1 -r rules.yml <in | grep -v '^# BATCH' >want
	mf-store select -d a | mf-eval --replay -d s2 -r rules.yml |
	    grep -v '^# BATCH' >got
	[ "$(grep -c '^rate:hits' want)" -gt 40 ]
	grep -q '^# ALERT' want
	cmp want got
}

@test "editing: a label renamed in all of history, into a new store" {
	flow | mf-store append -d a
	mf-store select -d a | sed 's/job="j"/job="web"/g' |
	    mf-store append -d new
	run -0 mf-store series -d new '{job="j"}'
	[ -z "$output" ]
	[ "$(mf-store series -d new '{job="web"}' | wc -l)" = 3 ]
	diff <(mf-store select -d a | grep -v job=.k) \
	    <(mf-store select -d new | sed 's/job="web"/job="j"/g' |
		grep -v job=.k)
	mf-store metadata -d new '{job="web"}' | grep -q '^# UNIT lat seconds'
}

@test "editing: values put right in their place, with --replace" {
	flow | mf-store append -d a
	mf-store select -d a -s $((t / 1000)) -e $((t / 1000 + 60)) temp |
	    awk '/^temp/ { $2 = $2 * 2 } { print }' |
	    mf-store append --replace -d a
	[ "$(mf-store select --by-series -d a temp | awk '/^temp/ { print $2 }' |
	    head -n 7 | tr '\n' ' ')" = "0 0.25 0.5 0.75 1 0.625 0.75 " ]
	run -0 mf-store check -d a
	# Sealed, they are the same.
	mf-store compact -d a --seal
	[ "$(mf-store select --by-series -d a temp | awk '/^temp/ { print $2 }' |
	    head -n 7 | tr '\n' ' ')" = "0 0.25 0.5 0.75 1 0.625 0.75 " ]
	# A copy has the same values, if it is told that they replace.
	mf-store select -d a | mf-store append -q --replace -d copy
	diff <(mf-store select --by-series -d a) \
	    <(mf-store select --by-series -d copy)
}

# rss FILE COMMAND...: the most memory it had, in KiB, into FILE
rss() {
	local file=$1
	shift
	"$@" >/dev/null &
	local p=$! now
	: >"$file"
	while now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' /proc/$p/status \
	    2>/dev/null) && [ -n "$now" ]; do
		echo "$now" >"$file"
		sleep 0.01
	done
	wait $p
}

@test "memory goes with what is read at once, not with the range" {
	sanitized && skip "memory is no question for a sanitizer"
	awk -v t0="$t" 'BEGIN {
		for (i = 0; i < 3000; i++) {
			t = sprintf("%.0f", t0 + i * 15000)
			print "# BATCH {job=\"j\"} " t
			for (k = 0; k < 2000; k++)
				printf "m{k=\"%d\",job=\"j\"} %d\n", k, i * k
			print "# EOF"
		}
	}' | mf-store append -d a
	# 48 MB of values as doubles.
	[ "$(stat -c %s a/store/20211122/000001.seg)" -gt 45000000 ]
	rss head mf-store select -d a
	mf-store compact -q --seal -d a
	rss sealed mf-store select -d a
	rss series mf-store select --by-series -d a
	echo "head $(cat head) sealed $(cat sealed) series $(cat series) KiB"
	[ "$(cat head)" -lt 40000 ]
	[ "$(cat sealed)" -lt 90000 ]
	[ "$(cat series)" -lt 40000 ]
}

@test "delete by matcher and range: those and nothing else" {
	flow | mf-store append -d a
	mf-store select -d a >all
	mf-store delete -d a -s $((t / 1000 + 150)) -e $((t / 1000 + 300)) \
	    '{__name__=~"hits_total|lat"}'
	mf-store select -d a >left
	awk -v from=$((t + 150000)) -v to=$((t + 300000)) '
	    /^(hits_total|# (HIST lat|EXEMPLAR hits|START hits))/ &&
		$NF >= from && $NF <= to { next }
	    { print }' all | cmp - left
	run -0 mf-store check -d a
	mf-store delete -d a lat
	run -0 mf-store select -d a lat
	[ -z "$output" ]
}
