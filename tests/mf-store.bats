#!/usr/bin/env bats
# mf-store: flags, messages, what comes out again, and what a kill leaves.

bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# batch SOURCE SECONDS N: a round of N series, all with the value SECONDS
batch() {
	awk -v s="$1" -v t="$2" -v n="$3" 'BEGIN {
		printf "# BATCH {job=\"%s\"} %.0f\n", s, 1637582400000 + t * 1000
		for (i = 0; i < n; i++)
			printf "m%d{job=\"%s\"} %d %.0f\n", i, s, t, 1637582400000 + t * 1000
		print "# EOF" }'
}

@test "help, version, usage" {
	run -0 mf-store --help
	[[ $output == "usage: mf-store append"* ]]
	run -0 mf-store append -h
	run -0 mf-store -V
	run -2 mf-store
	run -2 mf-store frobnicate
	[[ $output == *"no subcommand 'frobnicate'"* ]]
	run -2 mf-store append --frobnicate
	run -2 mf-store select -d x a b
	run -2 mf-store append --input xml
	run -2 mf-store select -s tomorrowish
	run -2 mf-store select -s 10 -e 5
}

@test "one by one, each by a new process, or all in one stream: the same" {
	for t in 0 15 30 45; do
		batch a $t 500 >a$t
		batch b $t 20 >b$t
		mf-store append -d one a$t
		mf-store append -d one <b$t
		cat a$t b$t
	done >all
	mf-store append -d two <all
	mf-store select -d one | cmp - all
	mf-store select -d two | cmp - all
	# A series less, one more, and a line that does not parse.
	{ batch a 60 500 | grep -v '^m7{'; batch b 60 21; } >next
	mf-store append -d one next
	mf-store select -d one -s 1637582460 | cmp - next
	batch a 75 500 | grep -v '^m7{' >next
	batch b 75 21 | sed 's/^m3{/m3{{/' >>next
	run -1 mf-store append -d one next
	[[ $output == *"next:506:"* ]]
	[ "$(mf-store select -d one -s 1637582475 | grep -c '^m')" = 519 ]
	run -0 mf-store check -d one
}

@test "a selector that does not parse" {
	batch a 0 1 | mf-store append -d d
	run -2 mf-store select -d d 'up{'
	[ -n "$output" ]
	run -2 mf-store select -d d 'rate(up[1m])'
}

@test "batches come out as they went in" {
	{ batch a 0 3; batch b 0 2; batch a 15 3; batch b 15 2; } >in
	mf-store append -d d <in
	mf-store select -d d >out
	cmp in out
	mf-store append -d e out
	mf-store select -d e | cmp in -
	[ "$(mf-store select -d d 'm1{job="b"}' | grep -c '^m1')" = 2 ]
	[ "$(mf-store select -d d -s 1637582410 | grep -c '^m')" = 5 ]
	[ "$(mf-store select -d d -e 1637582410 '{job=~"a|c"}' | grep -c '^m')" = 3 ]
	run -0 mf-store check -v -d d
	[[ $output == *sound* ]]
}

@test "by series" {
	{ batch a 0 2; batch a 15 2; } | mf-store append -d d
	run -0 mf-store select -d d --by-series m1
	[ "${lines[0]}" = '# BATCH {expr="m1"} 1637582415000 from=1637582400000 to=1637582415000' ]
	[ "${lines[1]}" = 'm1{job="a"} 0 1637582400000' ]
	[ "${lines[2]}" = 'm1{job="a"} 15 1637582415000' ]
	[ "${lines[3]}" = '# EOF' ]
}

@test "series, labels, values, info" {
	{ batch a 0 2; batch b 0 1; } | mf-store append -d d
	[ "$(mf-store series -d d | tr '\n' ' ')" = 'm0{job="a"} m0{job="b"} m1{job="a"} ' ]
	[ "$(mf-store series -d d m1)" = 'm1{job="a"}' ]
	[ "$(mf-store labels -d d | tr '\n' ' ')" = '__name__ job ' ]
	[ "$(mf-store values -d d job | tr '\n' ' ')" = 'a b ' ]
	run -0 mf-store info -d d
	[[ $output == *"series 3"*"samples 3"*"from 2021-11-22T12:00:00.000Z"* ]]
	run -3 mf-store series -d d --exit-status nothing
	run -0 mf-store series -d d nothing
}

@test "metadata stands in the first batch" {
	printf '# BATCH {job="a"} 1637582400000\n# HELP m0 Zero.\n# TYPE m0 gauge\n# UNIT m0 volts\nm0 1 1637582400000\n# EOF\n' >in
	mf-store append -d d <in
	batch a 15 1 | sed 's/{job="a"} 15/ 15/' | mf-store append -d d
	mf-store select -d d >out
	head -n 6 out | cmp - in
	[ "$(grep -c '^# HELP' out)" = 1 ]
}

@test "a page without batches, and OpenMetrics" {
	printf 'up 1\nx 2 1637582400000\n' | mf-store append -d d --now 1637582401
	[ "$(mf-store select -d d up)" = "$(printf '# BATCH {} 1637582401000\nup 1 1637582401000\n# EOF')" ]
	printf '# TYPE a gauge\na 1 1637582400.5\n# EOF\n' >p.om
	mf-store append -d e p.om
	[ "$(mf-store select -d e a | grep -v '^#')" = 'a 1 1637582400500' ]
	mf-store append -d f --input om <p.om
	[ "$(mf-store select -d f a | grep -v '^#')" = 'a 1 1637582400500' ]
}

@test "seconds are refused" {
	run -1 mf-store append -d d <<<'up 1 1637582400'
	[[ $output == *"stdin:1:1: "*"looks like seconds; use --input om"* ]]
	run -0 mf-store append -d d --any-time <<<'up 1 1637582400'
	[ "$(mf-store select -d d | grep -c '^up 1 1637582400$')" = 1 ]
}

@test "bad lines, results without a name, a batch cut off" {
	run -1 mf-store append -d d <<<'# BATCH {job="a"} 1637582400000
up 1 1637582400000
up{ 1
_ 3 1637582400000
# EOF
# BATCH {job="a"} 1637582401000
up 2'
	[[ $output == *"stdin:3:"* ]]
	[[ $output == *"without a name"* ]]
	[[ $output == *"stdin:6:1: the batch opened here is not closed, dropped"* ]]
	[ "$(mf-store select -d d | grep -c ^up)" = 1 ]
	run -1 mf-store append --strict -d e <<<'# BATCH {job="a"} 1637582400000
up 1 1637582400000
up{ 1
# EOF'
	[ "$(mf-store select -d e | wc -l)" = 0 ]
	run -1 mf-store append -d d nowhere.txt
	[[ $output == *"nowhere.txt: No such file"* ]]
}

@test "again is nothing, another value is counted" {
	batch a 0 3 >in
	mf-store append -d d in
	run -0 mf-store append -v -d d in
	[[ $output == *"0 samples, 0 ends of series, 3 already there"* ]]
	sed 's/ 0 / 7 /' in >other
	run -0 mf-store append -d d other
	[[ $output == *"3 samples had another value at the same time; the first was kept"* ]]
	mf-store select -d d | cmp - in
	run -0 mf-store append --replace -d d other
	[ "$(mf-store select -d d --by-series | grep -c ' 7 ')" = 3 ]
}

@test "directories that are not ours, missing, or read-only" {
	mkdir -p foreign/store other
	echo hello >foreign/store/letter
	echo hello >other/letter
	run -1 mf-store append -d foreign <<<'up 1'
	[[ $output == *"not a store"* ]]
	run -1 mf-store append -d other <<<'up 1'
	[ "$(ls other)" = letter ]
	run -1 mf-store select -d foreign
	run -1 mf-store select -d nowhere
	[[ $output == *"no store here"* ]]
	[ ! -e nowhere ]
	run -1 mf-store append -d /proc/mf <<<'up 1'
	batch a 0 3 | mf-store append -d d
	chmod -R a-w d
	mf-store select -d d | grep -c '^m' >n
	chmod -R u+w d
	[ "$(cat n)" = 3 ]
}

@test "a file that can't be read makes no store, and stops no other" {
	cd "$BATS_TEST_TMPDIR"
	run -1 --separate-stderr mf-store append -d nostore nofile
	[[ $stderr == *"nofile: No such file"* ]]
	run -1 --separate-stderr mf-store append -d nostore .
	[[ $stderr == *".: Is a directory"* ]]
	[ ! -e nostore ]
	echo 'a 1 1637582400000' >good
	run -1 mf-store append -d nostore nofile good
	[ "$(mf-store series -d nostore)" = a ]
	# A day is its midnight in UTC, for both ends.
	run -0 mf-store select -d nostore -s 2021-11-22 -e 2021-11-23
	[[ $output == *"a 1 1637582400000"* ]]
	run -3 mf-store select -d nostore -s 2021-11-23 --exit-status
	run -3 mf-store select -d nostore -e 2021-11-22 --exit-status
	# Relative times count from --now, wherever it stands.
	run -0 mf-store select -d nostore -s -1s --now 1637582401 --exit-status
}

@test "a full disk shows nothing in part" {
	batch a 0 10 | mf-store append -d d
	# A file may not grow beyond what it has now: the write fails.
	size=$(stat -c %s d/store/20211122/000001.seg)
	run -1 bash -c "trap '' XFSZ; ulimit -f $((size / 1024)); $(declare -f batch); batch a 15 2000 | mf-store append -d d"
	[[ $output == *"File too large"* ]]
	[ "$(mf-store select -d d | grep -c ^m)" = 10 ]
	batch a 15 2000 | mf-store append -d d
	[ "$(mf-store select -d d | grep -c ^m)" = 2010 ]
	run -0 mf-store check -d d
	run -1 bash -c 'mf-store select -d d >/dev/full'
	[[ $output == *"No space left"* ]]
}

@test "every call may fail: an error, and the batch whole or not there" {
	strace -qq -o /dev/null true || skip "strace cannot trace here"
	batch a 0 50 | mf-store append -d d
	batch b 15 60 >in
	for call in pwrite64 openat fallocate renameat fdatasync fsync \
	    ftruncate mkdirat flock; do
		for n in {1..16}; do
			rm -rf e
			cp -r d e
			[ $call != fallocate ] || rm e/store/*/series.hash
			[ $call != ftruncate ] || rm e/store/*/*.seg
			was=$(mf-store select -d e | grep -c '^m') || true
			rc=0
			# Leaks cannot be looked for where strace looks on.
			ASAN_OPTIONS=detect_leaks=0 strace -qq -o /dev/null \
			    -e inject=$call:error=EIO:when=$n \
			    mf-store append -S -d e in 2>err || rc=$?
			# The loader's own calls are not ours to answer for.
			! grep -q 'shared' err || continue
			now=$(mf-store select -d e | grep -c '^m') || true
			echo "$call $n: $rc $was $now $(cat err)"
			[ "$now" = $((was + 60)) ] || [ "$rc $now" = "1 $was" ]
			[ $rc = 0 ] || [ -s err ]
			mf-store check -d e
			mf-store append -d e in
			[ "$(mf-store select -d e | grep -c '^m')" = $((was + 60)) ]
			# No such call was made any more.
			[ $rc = 1 ] || [ $call = openat ] || break
		done
	done
}

@test "damage is found, and read around" {
	{ batch a 0 10; batch a 15 10; } | mf-store append -d d
	seg=d/store/20211122/000001.seg
	printf X | dd of=$seg bs=1 seek=$(($(stat -c %s $seg) - 20)) conv=notrunc status=none
	run -1 mf-store check -d d
	[[ $output == *"20211122/000001.seg: slot 2: wrong checksum"* ]]
	[ "$(mf-store select -d d | grep -c ^m)" = 10 ]
}

# Every batch in a stream is whole: 40 samples, all with one value.
whole() {
	awk '/^# BATCH/ { n = 0; v = "" }
	/^m/ { n++; if (v != "" && v != $2) exit 1; v = $2 }
	/^# EOF/ { if (n != 40) exit 1 }
	END { if (NR && $0 != "# EOF") exit 1 }'
}

@test "kill -9 at any moment, three writers, a reader" {
	# One append takes this many ms here (a sanitizer's build many); a
	# writer is killed at any moment of six times that: three run at once.
	batch x 0 40 >inx
	began=$(date +%s%N)
	for _ in 1 2 3 4 5; do mf-store append -d d inx; done
	ms=$((($(date +%s%N) - began) / 5000000 + 1))
	began=$SECONDS
	# Four seconds, and on a busy machine until enough were done.
	on() {
		[ $SECONDS -lt $((began + 4)) ] ||
		    { [ $SECONDS -lt $((began + 60)) ] &&
			[ "$(cat ack? 2>/dev/null | wc -l)" -le 9 ]; }
	}
	writer() {
		local k us

		for ((k = 0; 1; k++)); do
			on || break
			batch "$1" $k 40 >"in$1"
			us=$((RANDOM * 1000 % (ms * 6000) + 1000))
			timeout -s KILL "$(printf '%d.%06d' \
			    $((us / 1000000)) $((us % 1000000)))" \
			    mf-store append -d d "in$1" && echo $k >>"ack$1"
		done 2>/dev/null
		return 0
	}
	reader() {
		while on; do
			[ -d d/store/20211122 ] || continue
			mf-store select -d d >got || return 1
			whole <got || return 1
		done
	}
	writer a & a=$!
	writer b & b=$!
	writer c & c=$!
	reader
	wait $a $b $c
	run -0 mf-store check -d d
	mf-store select -d d >got
	whole <got
	n=0
	for w in a b c; do
		[ -e ack$w ] || continue
		while read -r k; do
			grep -q "^m39{job=\"$w\"} $k " got
			n=$((n + 1))
		done <ack$w
	done
	[ $n -gt 5 ]
}

@test "many begin a store at once" {
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		batch s$i 0 30 >in$i
	done
	for round in 1 2 3 4 5; do
		pids=
		for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
			mf-store append -d d$round in$i & pids="$pids $!"
		done
		for p in $pids; do wait "$p"; done
		[ "$(mf-store select -d d$round | grep -c '^m')" = 360 ]
		mf-store check -d d$round
	done
}

@test "a reader that goes away is no failure" {
	batch a 0 20000 | mf-store append -d d
	bash -c 'set -o pipefail; mf-store select -d d | head -n 1'
}
