#!/usr/bin/env bats
# mf-store: what is late, too old, too new or too many, by option and by what
# the store keeps.
bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	t=1637582400000
}

# batch SECONDS LINE...: a round at t + SECONDS; a line may hold @, its time.
batch() {
	local s=$((t + $1 * 1000)) line
	shift
	echo "# BATCH {job=\"j\"} $s"
	for line; do
		echo "${line/@/$s}"
	done
	echo "# EOF"
}

@test "out of order and late: everything is taken unless there is a window" {
	{ batch 3600 'm 2 @'; batch 0 'm 1 @'; batch 60 'm 9 @'; } >in
	run -0 mf-store append -d a in
	[ -z "$output" ]
	[ "$(mf-store select --by-series -d a m | grep -c '^m ')" = 3 ]
	# A window of the option: one second too late, and just within.
	{ batch 3600 'm 2 @'; batch 2999 'm 1 @'; batch 3000 'm 9 @'; } >in
	run -1 mf-store append -d b --ooo-window 10m in
	[ "${lines[0]}" = "mf-store: in:5:1: m: older than the newest sample by\
 more than the out-of-order window of 10m" ]
	[ "${lines[1]}" = "mf-store: 1 sample was refused: 1 behind the\
 out-of-order window" ]
	[ "${#lines[@]}" = 2 ]
	[ "$(mf-store select -d b | grep '^m ')" = "m 9 $((t + 3000000))
m 2 $((t + 3600000))" ]
	# Another process, another source: the newest is the store's.
	echo "n 1 $((t + 2999000))" | run -1 mf-store append -d b --ooo-window 10m
	echo "n 1 $((t + 3000000))" | mf-store append -d b --ooo-window 10m
	# None at all: only what is newest, or as old as that.
	echo "n 1 $((t + 3599999))" | run -1 mf-store append -d b --ooo-window 0s
	echo "n 1 $((t + 3600000))" | mf-store append -d b --ooo-window 0s
}

@test "a window reaches over midnight, and the order within a batch counts" {
	batch 86400 'm 1 @' | mf-store append -d a
	batch 43200 'm 2 @' | run -1 mf-store append -d a --ooo-window 11h
	batch 43200 'm 2 @' | mf-store append -d a --ooo-window 12h
	printf 'm %d %d\n' 1 $((t + 9000)) 2 $((t + 5000)) 3 $((t + 4999)) >in
	run -1 mf-store append -d b --ooo-window 4s <in
	[[ $output == *"stdin:3:1: m: older"* ]]
	[ "$(mf-store select -d b --by-series | grep -c '^m ')" = 2 ]
	# Ends of series and comments too.
	batch 10 '# STALE m @' "# STALE m $((t + 1000))" |
	    run -1 mf-store append -d b --ooo-window 4s
	[ "$(mf-store select -d b | grep -c STALE)" = 1 ]
}

@test "a backfill of old days, below what is there, with and without values" {
	for s in 172800 0 86400 43200; do
		batch $s "m $s @" "n{a=\"b\"} 1 @"
	done >in
	mf-store append -d a in
	run -0 mf-store info -d a
	[[ $output == *"days 3"* ]]
	# In time order again; all known when it comes again.
	[ "$(mf-store select -d a m | grep '^m ' | cut -d' ' -f2 | tr '\n' ' ')" \
	    = "0 43200 86400 172800 " ]
	run -0 mf-store append -v -d a in
	[[ $output == *" 0 samples,"*" 8 already there" ]]
	[ "$(mf-store select -d a | grep -c '^[mn]')" = 8 ]
}

@test "the same again is silent, another value is counted, or replaces" {
	batch 0 'm 1 @' 'n 1 @' >one
	batch 0 'm 1 @' 'n 2 @' >two
	mf-store append -d a one
	run -0 mf-store append -d a one
	[ -z "$output" ]
	run -0 mf-store append -d a two
	[ "$output" = "mf-store: 1 samples had another value at the same time;\
 the first was kept" ]
	[ "$(mf-store select --by-series -d a n | grep -o '^n [0-9]')" = "n 1" ]
	run -0 mf-store append --replace -d a two
	[ "$(mf-store select --by-series -d a n | grep -o '^n [0-9]')" = "n 2" ]
	[ "$(mf-store select --by-series -d a | grep -c '^[mn]')" = 2 ]
}

@test "too old and too new by the clock" {
	batch 0 'm 1 @' >in
	now=$((t / 1000))
	run -1 mf-store append -d a --now $((now + 3601)) --max-age 1h in
	[[ $output == *"in:2:1: m: older than the limit of 1h"* ]]
	mf-store append -d a --now $((now + 3600)) --max-age 1h in
	run -1 mf-store append -d b --now $((now - 61)) --max-future 1m in
	[[ $output == *"ahead of the clock by more than the limit of 1m"* ]]
	[[ $output == *"1 sample was refused: 1 too old or too new"* ]]
	mf-store append -d b --now $((now - 60)) --max-future 1m in
	# The short way of a page that is as it was keeps to it, too.
	for k in 1 2; do
		batch $((60 * k)) 'm 1 @' | mf-store append -d a --max-age 1h \
		    --now $((now + 60 * k))
	done
	batch 180 'm 1 @' | run -1 mf-store append -d a --max-age 1h \
	    --now $((now + 9999))
	batch 61 'm 1 @' | run -1 mf-store append -d a --ooo-window 58s
	batch 240 'm 1 @' | mf-store append -d a --ooo-window 58s
	[ "$(mf-store select -d a | grep -c '^m ')" = 4 ]
}

@test "series and labels: what is there goes on, what is new is refused" {
	batch 0 'm{i="1"} 1 @' 'm{i="2"} 1 @' >in
	mf-store append -d a in
	batch 60 'm{i="1"} 2 @' 'm{i="3"} 2 @' "m{i=\"3\"} 3 $t" \
	    'm{i="4"} 2 @' 'm{i="2"} 2 @' >in
	run -1 mf-store append -d a --max-series 3 in
	[ "${lines[0]}" = 'mf-store: in:5:1: m{i="4"}: it is new, and the day'\
' has max-series already' ]
	[[ ${lines[1]} == *"1 sample was refused: 1 of series beyond a limit" ]]
	[ "$(mf-store series -d a | tr '\n' ' ')" = \
	    'm{i="1"} m{i="2"} m{i="3"} ' ]
	# Those of an index count, whether the log still has them or not.
	mf-store compact -d a --seal
	batch 80 'm{i="5"} 1 @' 'm{i="3"} 4 @' >in
	run -1 mf-store append -d a --max-series 3 in
	[[ ${lines[0]} == *'m{i="5"}: it is new, and the day has max-series'* ]]
	batch 90 'm{i="5"} 1 @' | mf-store append -d a --max-series 4
	rm a/store/2*/series.hash
	batch 95 'm{i="6"} 1 @' | run -1 mf-store append -d a --max-series 4
	[ "$(mf-store series -d a | wc -l)" = 4 ]
	# Of a day: another one has room.
	batch 86400 'm{i="7"} 1 @' | mf-store append -d a --max-series 3
	batch 0 'm{a="1",b="2"} 1 @' 'm{a="1",b="2",c="3"} 1 @' \
	    'm{a="12345"} 1 @' 'm{a="123456"} 1 @' 'm{abcdef="1"} 1 @' >in
	run -1 mf-store append -v -d b --max-labels 2 --max-label-length 5 in
	[[ $output == *"in:3:1: "*"it has more labels than max-labels"* ]]
	[[ $output == *"3 samples were refused: 3 of series beyond a limit"* ]]
	[ "$(mf-store series -d b | wc -l)" = 2 ]
}

@test "limits are kept for all who write, an option lifts them" {
	run -1 mf-store limits -d a
	mf-store limits -d a --ooo-window 1h --max-series 2
	run -0 mf-store limits -d a
	[ "$output" = "ooo-window 1h
max-series 2" ]
	mf-store limits -d a --max-age 30d --max-series none
	[ "$(mf-store limits -d a)" = "ooo-window 1h
max-age 30d" ]
	batch 7200 'm 1 @' | run -1 mf-store append -d a
	mf-store limits -d a --max-age none
	batch 7200 'm 1 @' | mf-store append -d a
	batch 0 'm 2 @' >in
	run -1 mf-store append -d a <in
	[[ $output == *"out-of-order window of 1h"* ]]
	batch 0 'm 2 @' | mf-store append -d a --ooo-window none
	run -0 mf-store check -d a
	run -2 mf-store limits -d a --max-series many
	[[ $output == *"--max-series: 'many' is not a number"* ]]
	run -2 mf-store append -d a --ooo-window 5
	run -2 mf-store limits -d a one
	# One that does not parse stops all, rather than nothing being limited.
	echo 'max-series lots' >>a/store/limits
	batch 9000 'm 3 @' >in
	run -1 mf-store append -d a in
	[[ $output == *"limits:2: 'lots' is not a number"* ]]
	[ "$(mf-store select -d a | grep -c '^m ')" = 2 ]
}

@test "a process that stays sees new limits with its next batch" {
	mkfifo pipe
	mf-store append -d a <pipe 2>err &
	pid=$!
	exec 9>pipe
	batch 0 'm{i="1"} 1 @' >&9
	for _ in $(seq 2000); do
		[ "$(mf-store series -d a 2>/dev/null | wc -l)" = 1 ] && break
		sleep 0.02
	done
	mf-store limits -d a --max-series 1
	batch 15 'm{i="1"} 1 @' 'm{i="2"} 1 @' >&9
	exec 9>&-
	rc=0
	wait $pid || rc=$?
	[ "$rc" = 1 ]
	grep -q 'it is new, and the day has max-series already' err
	[ "$(mf-store series -d a)" = 'm{i="1"}' ]
}
