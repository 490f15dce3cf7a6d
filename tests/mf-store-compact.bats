#!/usr/bin/env bats
# mf-store compact and delete: what they say, what they leave, and kills while
# others write and read.

bats_require_minimum_version 1.5.0
load helpers

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# rounds SOURCE SECONDS N: N rounds of 50 series, 15 s apart from then on
rounds() {
	awk -v s="$1" -v t="$2" -v n="$3" 'BEGIN {
		for (r = 0; r < n; r++) {
			ms = sprintf("%.0f", 1637582400000 + (t + 15 * r) * 1000)
			printf "# BATCH {job=\"%s\"} %s\n", s, ms
			for (i = 0; i < 50; i++)
				printf "m%d{job=\"%s\"} %d %s\n", i, s, r * i, ms
			print "# EOF" } }'
}

@test "usage" {
	run -2 mf-store compact -d d extra
	run -2 mf-store compact -d d --keep soon
	run -2 mf-store compact -d d --keep '{job=}=1d'
	run -2 mf-store compact -d d --keep '{job="a"}=never'
	for s in '' x -1 0 10XB 10GBB 1e40; do
		run -2 mf-store compact -d d --max-size "$s"
	done
	run -1 mf-store compact -d d
	[[ $output == *"no store here"* ]]
	[ ! -e d ]
	run -1 mf-store delete -d d up
	rounds a 0 1 | mf-store append -d d
	run -2 mf-store delete -d d
	run -2 mf-store delete -d d '{}'
}

@test "sealed, it says the same in a tenth of the bytes" {
	rounds a 0 200 >in
	mf-store append -d d in
	before=$(mf-store info -d d | sed -n 's/^bytes //p')
	run -0 --separate-stderr mf-store compact -v --seal -d d
	[ "$stderr" = "mf-store: 10000 samples sealed, 1 parts made, 1 indexes made, 0 days removed" ]
	[ "$output" = "" ]
	mf-store select -d d | cmp - in
	run -0 mf-store info -d d
	[[ $output == *"segments 0"*"parts 1"*"batches 200"*"samples 10000"* ]]
	after=$(mf-store info -d d | sed -n 's/^bytes //p')
	[ $((after * 5)) -lt "$before" ]
	run -0 mf-store check -d d
	# By series too, and what is there already is still known.
	[ "$(mf-store select -d d --by-series m7 | grep -c '^m7{')" = 200 ]
	run -0 mf-store append -d d in
	[ "$(mf-store select -d d | md5sum)" = "$(md5sum <in)" ]
	# Nothing new, nothing to do.
	run -0 --separate-stderr mf-store compact -v --seal -d d
	[[ $stderr == *" 0 parts made"* ]]
}

@test "retention by age, by matcher and by size" {
	for day in 0 1 2 3; do
		rounds a $((day * 86400)) 3
		rounds b $((day * 86400)) 3
	done | mf-store append -d d
	now=2021-11-25T12:00:00Z
	mf-store compact -d d --now $now --keep 1d12h --keep '{job="b"}=1w'
	[ "$(mf-store values -d d job)" = "$(printf 'a\nb')" ]
	[ "$(mf-store select -d d 'm1{job="a"}' | grep -c ^m1)" = 6 ]
	[ "$(mf-store select -d d 'm1{job="b"}' | grep -c ^m1)" = 12 ]
	run -0 mf-store check -d d
	mf-store compact -d d --now $now --keep 1d12h
	[ "$(ls -d d/store/2021* | wc -l)" = 2 ]
	mf-store compact -d d --now $now --max-size 1KB
	[ "$(ls -d d/store/2021*)" = d/store/20211125 ]
	# Nothing is removed unasked.
	mf-store compact -d d --now 2031-01-01
	[ "$(ls -d d/store/2021*)" = d/store/20211125 ]
}

@test "delete by matcher and range" {
	{ rounds a 0 8; rounds b 0 8; } | mf-store append -d d
	mf-store delete -d d '{job="a",__name__=~"m1."}'
	[ "$(mf-store select -d d | grep -c '^m1[0-9]{job="a"}')" = 0 ]
	[ "$(mf-store select -d d | grep -c '^m1[0-9]{job="b"}')" = 80 ]
	run -0 --separate-stderr mf-store delete -v -d d -s 1637582430 -e 1637582445 'm1'
	[ "$stderr" = "mf-store: 1 days made anew" ]
	[ "$(mf-store select -d d m1 | grep -c ^m1)" = 12 ]
	run -0 mf-store check -d d
	# What was deleted may come again.
	rounds a 0 8 | mf-store append -d d
	[ "$(mf-store select -d d m1 | grep -c ^m1)" = 14 ]
}

@test "what is damaged is told and left as it is" {
	rounds a 0 50 | mf-store append -d d
	size=$(stat -c %s d/store/20211122/000001.seg)
	printf 'x' | dd of=d/store/20211122/000001.seg bs=1 seek=$((size - 3000)) conv=notrunc 2>/dev/null
	mf-store select -d d >before || :
	run -1 mf-store compact --seal -d d
	[[ $output == *"000001.seg: damaged, left as it is (see check --repair)" ]]
	mf-store select -d d 2>/dev/null | cmp - before
	# Out of the way, with what is lost told.
	run -0 mf-store check --repair -d d
	[[ $output == *"wrong checksum"*"made anew without what is damaged"* ]]
	mf-store select -d d | cmp - before
	run -0 mf-store compact --seal -d d
	run -0 mf-store delete -d d '{job="b"}'
	run -0 mf-store check -d d
	[ "$output" = "" ]
}

@test "one at a time" {
	rounds a 0 5 | mf-store append -d d
	mf-store compact -d d
	exec 9<>d/store/compact.lock
	flock 9
	run -1 mf-store compact -d d
	[[ $output == *"compact.lock: held"* ]]
	exec 9>&-
	run -0 mf-store compact -d d
}

@test "-i stays until it is told" {
	rounds a 0 5 | mf-store append -d d
	mf-store compact --seal -i 100ms -d d &
	pid=$!
	until_ok 5 test -e d/store/20211122/000001-000001.part
	rounds a 3600 5 | mf-store append -d d
	until_ok 5 test -e d/store/20211122/000001-000002.part
	kill $pid
	wait $pid
}

@test "kill -9 again and again, while others write and read" {
	rounds a 0 20 | mf-store append -d d
	: >told
	for w in x y; do
		for i in $(seq 40); do
			rounds $w $((i * 20)) 1 >in-$w
			mf-store append -d d in-$w && echo "$w $i" >>told
		done &
		pids+=" $!"
	done
	for _ in $(seq 15); do
		mf-store select -d d >seen 2>>faults || echo failed >>faults
		# Batches are whole: 50 samples each.
		awk '/^# BATCH/ { n = 0 } /^m/ { n++ } /^# EOF/ && n != 50 { bad = 1 }
		    END { exit bad }' seen || echo torn >>faults
		sleep 0.05
	done &
	pids+=" $!"
	for i in $(seq 30); do
		mf-store compact --seal -d d 2>>faults &
		p=$!
		sleep 0.00$((i % 10))$((i * 7 % 10))
		kill -9 $p 2>/dev/null || :
		wait $p 2>/dev/null || :
	done 2>/dev/null
	for p in $pids; do wait "$p"; done
	[ ! -s faults ]
	run -0 mf-store check -d d
	mf-store compact --seal -d d
	run -0 mf-store check -d d
	while read -r w i; do
		ms=$((1637582400000 + i * 20000))
		echo "m7{job=\"$w\"} 0 $ms"
	done <told | sort >want
	[ "$(wc -l <want)" = 80 ]
	mf-store select -d d '{__name__="m7",job=~"x|y"}' | grep ^m7 | sort | cmp - want
	ls d/store/20211122 >left
	[ "$(grep -c '\.part$' left)" -ge 1 ]
	[ "$(grep -vc '\.part$' left)" = 1 ] # series.log
}
