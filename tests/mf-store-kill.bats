#!/usr/bin/env bats
# mf-store under kill -9: before every single call, and at any moment, with two
# writers, a reader that checks all the time, compaction, and repairs of days
# that are damaged again and again.
#
#	MF_KILLS=N	kills of the storm, 200 if not said (40 under a
#			sanitizer); from 500 on, on the disk
#	MF_SEED=N	of the moments
bats_require_minimum_version 1.5.0

load helpers
load helpers/faults

setup_file() { build_failcall; }

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	kills=${MF_KILLS:-$((200 / step))}
	seconds=$((kills * step / 3 + 60)) # it ends when all are killed
	RANDOM=${MF_SEED:-1}
}

teardown() {
	touch stop
	# Not for all: bats has a clock of its own running.
	[ -z "${storming:-}" ] || wait $storming || :
	leave_memory
}

# Where a killed process was, by the last call it had begun.
phase() {
	local call=$1 file=$2 off=${3:-0}

	case "$call $file" in
	" ") echo start ;;
	"read "*) echo input ;;
	"flock lock") echo lock ;;
	"flock unlock") echo committed ;;
	"pwrite meta.log") echo metadata ;;
	"pwrite series.log") echo names ;;
	"pwrite "*.seg)
		if [ "$off" -lt 4096 ]; then
			echo head
		elif [ "$off" -lt 4198400 ]; then
			echo slots
		else
			echo frames
		fi ;;
	"pwrite "*.part* | "write "*.part*) echo part ;;
	*sync\ *) echo sync ;;
	mmap\ *) echo map ;;
	*) echo files ;;
	esac
}

# Kill the command at a random moment between $low and $low + $span (us); its
# status.  Both follow: half of the runs are to be killed, and few of them
# before their first call.
try() {
	local who=$1 us=$(((RANDOM * 32768 + RANDOM) % span + low)) s rc=0
	local call file off rest at

	shift
	printf -v s '%d.%06d' $((us / 1000000)) $((us % 1000000))
	failing "" "map.$who" timeout --foreground --preserve-status \
	    -s KILL "$s" "$@" 2>"err.$who" || rc=$?
	if [ $rc = 137 ]; then
		span=$((span + span / 16))
		read -r call file off rest <"map.$who" || :
		at=$(phase "$call" "$file" "$off")
		echo "$at" >>"kills.$who"
		if [ "$at" = start ]; then
			low=$((low + low / 16 + 16))
		else
			low=$((low - low / 16))
		fi
	else
		span=$((span - span / 16))
		low=$((low - low / 8))
	fi
	return $rc
}

# writer JOB KILLS: its pieces one after the other, each until it is told that
# it is there.
writer() {
	local job=$1 i=0 n=0 rc low=$low span=$span sync told=0

	: >"kills.$job"
	while [ $n -lt "$2" ] && [ ! -e stop ] && [ -e "in.$job/$i" ]; do
		sync=
		[ $((RANDOM % 4)) != 0 ] || sync=-S
		rc=0
		try "$job" mf-store append $sync -d d "in.$job/$i" || rc=$?
		case $rc in
		0)	told=$((told + $(stat -c %s "in.$job/$i")))
			echo $told >"ack.$job.new"
			mv "ack.$job.new" "ack.$job"
			i=$((i + 1)) ;;
		137)	n=$((n + 1)) ;;
		*)	echo "writer $job: status $rc: $(cat "err.$job")" >wrong
			return 1 ;;
		esac
	done
}

# compactor KILLS: seals and merges, and takes out again a source that keeps
# coming, so that days are made anew in which the others stand.
compactor() {
	local n=0 k=0 rc low=$low span=$span

	: >kills.c
	until [ -e d/store/format ] || [ -e stop ]; do sleep 0.01; done
	while [ $n -lt "$1" ] && [ ! -e stop ]; do
		rc=0
		case $((k++ % 3)) in
		0)	try c mf-store append -d d want.c || rc=$? ;;
		1)	try c mf-store compact --seal -d d || rc=$? ;;
		2)	try c mf-store compact --seal --keep '{job="c"}=1d' \
			    -d d || rc=$? ;;
		esac
		case $rc in
		0) ;;
		137)	n=$((n + 1)) ;;
		*)	[ $rc != 1 ] || ! expected err.c || continue
			echo "compact: status $rc: $(cat err.c)" >wrong
			return 1 ;;
		esac
	done
}

# Days that source e alone has, and that are damaged.
hurt='2021111[78]'

# expected FILE: what is said in it is of those days, or of who compacts.
expected() { ! grep -v -e "$hurt" -e compact.lock "$1"; }

# mender KILLS: source e comes again, a byte of it goes, it is mended.
mender() {
	local n=0 k=0 rc low=$low span=$span files f size

	: >kills.r
	until [ -e d/store/format ] || [ -e stop ]; do sleep 0.01; done
	while [ $n -lt "$1" ] && [ ! -e stop ]; do
		rc=0
		case $((k++ % 3)) in
		0)	try r mf-store append -d d want.e || rc=$?
			files=(d/store/$hurt/*)
			f=${files[RANDOM % ${#files[@]}]}
			size=$(stat -c %s "$f" 2>/dev/null) || size=0
			[ "$size" = 0 ] || [ ! -e "$f" ] ||
			    printf "\\x$((RANDOM % 10))a" | dd of="$f" bs=1 \
				seek=$((RANDOM * 7 % size)) conv=notrunc \
				status=none ;;
		*)	try r mf-store check --repair -d d || rc=$? ;;
		esac
		case $rc in
		0 | 1) ;;
		137)	n=$((n + 1)) ;;
		*)	echo "repair: status $rc: $(cat err.r)" >wrong
			return 1 ;;
		esac
		rm -f d/store/$hurt/*.damaged*
	done
}

# What there is of each source is whole batches as they were written; all that
# its writer had been told before; and all that was seen before.  (A day after
# the other is read: what comes meanwhile may be seen of the later one alone.)
reader() {
	local job told n=0

	for job in a b; do : >seen.$job; done
	until [ -e d/store/format ] || [ -e stop ]; do sleep 0.01; done
	while [ ! -e stop ]; do
		for job in a b; do
			told=$(cat ack.$job)
			mf-store select -d d "{job=\"$job\"}" >got 2>err || :
			if ! expected err ||
			    ! batches_of want.$job <got >err ||
			    ! batches_of got <seen.$job >err ||
			    ! cmp -n "$told" want.$job got >err 2>&1; then
				echo "reader: $job: $told bytes were told to" \
				    "be there: $(cat err)" >wrong
				return 1
			fi
			mv got seen.$job
			n=$((n + 1))
		done
		mf-store select -d d '{job="c"}' >got 2>err || :
		if ! expected err || ! batches_of want.c <got >err; then
			echo "reader: c: $(cat err)" >wrong
			return 1
		fi
	done
	echo $n >reads
}

# Kill the writers (and who compacts) that often in all.
storm() {
	local p pids='' each=$((kills / 2)) job at k i

	for job in a b; do
		at=0
		mkdir in.$job
		: >want.$job
		for ((i = 0; i < each * 2 + 20; i++)); do
			echo $at $((k = 1 + RANDOM % 4))
			at=$((at + k))
		done >pieces
		stream $job 0 $at >want.$job
		awk -v dir=in.$job 'NR == FNR { n[FNR - 1] = $2; next }
			{ print >(dir "/" (i + 0)) }
			/^# EOF/ && ++k == n[i + 0] {
				close(dir "/" (i + 0)); i++; k = 0
			}' pieces want.$job
	done
	stream c 0 60 >want.c
	stream e -240 60 >want.e
	for job in a b; do echo 0 >ack.$job; done
	# An append takes about that here, half of it to start under a sanitizer.
	began=$(date +%s%N)
	for i in 1 2 3; do mf-store append -d scratch in.a/$i; done
	span=$((($(date +%s%N) - began) / 3000 + 1000))
	low=$((span / 2))
	if can_compact; then
		each=$((kills / 4 + 1))
		compactor $each & pids=$!
		mender $each & pids="$pids $!"
	fi
	reader & reader=$!
	writer a $each & pids="$pids $!"
	writer b $each & pids="$pids $!"
	(
		for ((i = 0; i < seconds * 10; i++)); do
			[ ! -e done ] || exit 0
			sleep 0.1
		done
		touch stop
	) &
	clock=$!
	storming="$pids $reader $clock"
	for p in $pids; do wait "$p" || touch stop; done
	# Who reads has seen something before it ends.
	until_ok 9 test -s seen.b || :
	touch stop done
	wait $reader $clock
	[ ! -e wrong ] || cat wrong
	[ ! -e wrong ]
}

# Say how many kills there were in which phase, for who reads the test.
tell() {
	local w n=0 late=0

	for w in a b c r; do
		[ -s kills.$w ] || continue
		n=$((n + $(wc -l <kills.$w)))
		late=$((late + $(grep -vc start kills.$w || :)))
		echo "# kills of $w: $(sort kills.$w | uniq -c | sort -rn |
		    awk '{ printf "%s%s %d", s, $2, $1; s = ", " }')" >&3
	done
	echo "# $n kills, $late at work, $(cat reads) reads, ${SECONDS} s" >&3
	killed=$n
	at_work=$late
}

@test "kill -9 at any moment: two writers, a reader, compaction, repairs" {
	[ "$kills" -gt 500 ] || enter_memory
	storm
	tell
	[ "$(cat reads)" -ge 2 ]
	# A machine that is busy otherwise kills fewer in the time there is.
	[ "$killed" -ge $((kills / 2 / step)) ]
	[ "$at_work" -ge $((killed / 6)) ]
	mf-store check --repair -d d >&2 || :
	run -0 mf-store check -d d
	# What was damaged comes back whole.  (When the labels of its source were
	# lost, some of it is there twice: of another source, which is not looked
	# through.)
	mf-store append -d d want.e
	mf-store select -d d '{job="e"}' | grep -v '^# [BE][AO]' | sort -u >got
	grep -v '^# [BE][AO]' want.e | sort | cmp - got
	# What was told to be there is there, all of it and once.
	for job in a b; do
		mf-store select -d d "{job=\"$job\"}" >got
		cmp -n "$(cat ack.$job)" want.$job got
		mf-store append -d d want.$job
		mf-store select -d d "{job=\"$job\"}" | cmp - want.$job
	done
	run -0 mf-store check -d d
	can_compact || echo "# no mf-store compact here: writers alone" >&3
}

# killed_at_each_call BASE ADD COMMAND...: the command on a copy of the store
# BASE, which is the stream of file BASE.want, killed before its first, second,
# ... call; then again, whole.  ADD is what it adds, - for nothing.
killed_at_each_call() {
	local base=$1 add=$2 n rc now

	shift 2
	cat "$base.want" "$add" >all 2>/dev/null || cp "$base.want" all
	for ((n = 1; n < 500; n += ${every:-1} * step)); do
		rm -rf d
		[ ! -d "$base" ] || cp -r "$base" d
		rc=0
		failing any:kill:$n map "$@" >err 2>&1 || rc=$?
		read -r now <map
		echo "$n: $rc $now $(cat err)"
		[ $rc = 137 ] || break
		: >got
		[ ! -e d/store/format ] || mine >got
		batches_of all <got
		# Nothing that was there before is gone.
		head -c "$(stat -c %s "$base.want")" got | cmp - "$base.want"
		"$@"
		mine | cmp - all
		mf-store check -d d
	done
	[ "$rc" = 0 ]
	mine | cmp - all
	[ $n -gt 10 ]
	echo "# killed before calls up to $((n - 1)), $step: ${*:1:3}" >&3
}

@test "kill -9 before every call of an append" {
	enter_memory
	: >none.want
	stream a 0 3 >first
	killed_at_each_call none first mf-store append -S -d d first
	stream a 0 20 >base.want
	mf-store append -d base base.want
	# Two days, a layout after the other, times of their own.
	stream a 20 8 >next
	killed_at_each_call base next mf-store append -d d next
	# The short way of a cold process: no new series, one row.
	stream a 22 1 >>base.want
	mf-store append -d base base.want
	stream a 24 1 | grep -v new >next
	killed_at_each_call base next mf-store append -S -d d next
}

@test "kill -9 before every call of compact and delete" {
	can_compact || skip "no mf-store compact here"
	enter_memory
	two_days
	killed_at_each_call base /dev/null mf-store compact --seal -d d
	killed_at_each_call base /dev/null mf-store compact --seal \
	    --keep '{job="c"}=1d' -d d
	[ "$(mf-store series -d d '{job="c"}' | wc -l)" = 0 ]
	every=4
	killed_at_each_call base /dev/null mf-store delete -d d '{job="c"}'
	[ "$(mf-store series -d d '{job="c"}' | wc -l)" = 0 ]
}
