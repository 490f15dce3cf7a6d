#!/usr/bin/env bats
# mf-store when calls fail, and when files are not what was written: no sample
# that was told to be there is lost, nothing is half there, nothing crashes.
bats_require_minimum_version 1.5.0

load helpers
load helpers/faults

setup_file() { build_failcall; }

setup() {
	enter_memory
	from=0
}

teardown() { leave_memory; }

# fail_each CALL:HOW BASE ADD COMMAND...: the command on a copy of the store
# BASE, of the stream BASE.want, with its first, second, ... such call failing,
# until none is left (each $step-th, beginning with another for each kind).  It
# fails and says why, and has done all of ADD or whole batches of it; or it does
# it all.  Then once more, without faults.
fail_each() {
	local what=$1 base=$2 add=$3 n rc call file off size hit

	shift 3
	cat "$base.want" "$add" >all
	for ((n = from = 1 + from % step; n < 300; n += step)); do
		rm -rf d
		[ ! -d "$base" ] || cp -r "$base" d
		rc=0
		failing "$what:$n" map "$@" >out 2>err || rc=$?
		read -r call file off size hit <map
		[ "$hit" = hit ] || break
		calls=$((calls + 1))
		echo "$what $n: status $rc: $(cat err)"
		: >got
		[ ! -e d/store/format ] || mine >got
		if [ $rc = 0 ]; then
			cmp all got
		else
			[ $rc = 1 ]
			[ -s err ]
			batches_of all <got
			head -c "$(stat -c %s "$base.want")" got |
			    cmp - "$base.want"
		fi
		"$@"
		mine | cmp - all
		mf-store check -d d
	done
	[ "$rc" = 0 ]
	mine | cmp - all
}

# Every call that may fail of those that append makes, and how.
faults="pwrite:EIO pwrite:ENOSPC pwrite:full pwrite:half write:EIO write:full
    write:half fsync:EIO fdatasync:EIO renameat:EIO renameat:ENOSPC
    ftruncate:ENOSPC posix_fallocate:ENOSPC posix_fallocate:EIO mmap:ENOMEM
    openat:EMFILE openat:EIO mkdirat:ENOSPC unlinkat:EIO flock:EIO open:EIO
    mkdir:ENOSPC pread:EIO pread:half read:half"

@test "any call may fail when a store is made" {
	calls=0
	: >none.want
	stream a 0 2 >first
	for f in $faults; do
		fail_each $f none first mf-store append -S -d d first
	done
	echo "# $calls calls failed" >&3
	[ $((calls * step)) -gt 60 ]
}

@test "any call may fail when a store grows" {
	calls=0
	stream a 0 20 >base.want
	mf-store append -d base base.want
	stream a 20 6 >next
	for f in $faults; do
		fail_each $f base next mf-store append -S -d d next
	done
	echo "# $calls calls failed" >&3
	[ $((calls * step)) -gt 80 ]
}

@test "any call may fail when a store is compacted" {
	can_compact || skip "no mf-store compact here"
	calls=0
	two_days
	for f in $faults; do
		fail_each $f base /dev/null mf-store compact --seal \
		    --keep '{job="c"}=1d' -d d
		[ "$(mf-store series -d d '{job="c"}' | wc -l)" = 0 ]
	done
	echo "# $calls calls failed" >&3
	[ $((calls * step)) -gt 60 ]
}

# What an export leaves: whole blocks, or nothing at all.
@test "any call may fail in an export, and in an import of blocks" {
	calls=0
	stream a 0 9 >base.want
	mf-store append -d base base.want
	for f in $faults; do
		for ((n = from = 1 + from % step; n < 300; n += step)); do
			rm -rf out
			rc=0
			failing "$f:$n" map mf-store export -d base \
			    --tsdb out >/dev/null 2>err || rc=$?
			read -r _ _ _ _ hit <map
			[ "$hit" = hit ] || break
			calls=$((calls + 1))
			echo "export: $f $n: status $rc: $(cat err)"
			[ $rc = 0 ] || { [ $rc = 1 ] && [ -s err ]; }
			for dir in out/*; do
				[ -e "$dir" ] || continue
				[ -s "$dir/meta.json" ]
				[ -s "$dir/index" ]
			done
		done
		[ $rc = 0 ]
	done
	# A sample is not lost when the import that brings it is done again.
	mf-store import -d whole out
	mf-store select -d whole --by-series >want
	for f in $faults; do
		for ((n = from = 1 + from % step; n < 300; n += step)); do
			rm -rf d
			rc=0
			failing "$f:$n" map mf-store import -d d out 2>err ||
			    rc=$?
			read -r _ _ _ _ hit <map
			[ "$hit" = hit ] || break
			calls=$((calls + 1))
			echo "import: $f $n: status $rc: $(cat err)"
			[ $rc = 0 ] || { [ $rc = 1 ] && [ -s err ]; }
			[ $rc = 1 ] ||
			    mf-store select -d d --by-series | cmp - want
			mf-store import -d d out
			mf-store select -d d --by-series | cmp - want
			mf-store check -d d
		done
	done
	echo "# $calls calls failed" >&3
}

@test "a clock that goes back" {
	append() { mf-store append -d d --now "$@"; }
	append 1637582500 <<<'up 1'
	append 1637582400 <<<'up 2'
	append 1637539100 <<<'up 3'
	append 1637582500 <<<'up 1'
	run -0 append 1637582400 <<<'up 7'
	[[ $output == *"another value at the same time"* ]]
	append 1637582501 <<<'up 4'
	run -0 mf-store select -d d --by-series -e 1637600000
	[ "$(grep -c '^up' <<<"$output")" = 4 ]
	printf 'up %s\n' '3 1637539100000' '2 1637582400000' \
	    '1 1637582500000' '4 1637582501000' >want
	grep '^up' <<<"$output" | cmp - want
	mf-store select -d d | grep '^up' | cmp - want
	[ "$(mf-eval -d d --now 1637582499 up | grep -v '^#')" = \
	    'up 2 1637582499000' ]
	# Batches too, in one process and by one each, over midnight.
	for k in 26 3 25 0 24 1 2; do stream a $k 1; done >back
	stream a 0 4 >sorted
	stream a 24 3 >>sorted
	mf-store append -d one back
	mine() { mf-store select -d "$1" '{job="a"}'; }
	mine one | cmp - sorted
	for k in 26 3 25 0 24 1 2; do
		stream a $k 1 | mf-store append -d each
	done
	mine each | cmp - sorted
	if can_compact; then
		mf-store compact --seal -d each
		mine each | cmp - sorted
	fi
	mf-store check -d each
}

@test "two hosts' stores become one" {
	stream a 0 30 >a
	stream b 0 30 >b
	# Each has something of the other, and they overlap.
	{ stream a 0 20; stream b 12 18; } >in1
	{ stream b 0 20; stream a 10 20; } >in2
	mf-store append -d one in1
	mf-store append -d two in2
	if can_compact; then
		mf-store compact --seal -d two
	fi
	for s in one two; do
		mf-store select -d $s | mf-store append -d text
		mf-store export -d $s --tsdb blocks-$s
		mf-store import -d blocks blocks-$s
	done
	for j in a b; do
		mf-store select -d text "{job=\"$j\"}" | cmp - $j
		mf-store select --by-series -d text "{job=\"$j\"}" |
		    grep -v '^#' >want
		mf-store select --by-series -d blocks "{job=\"$j\"}" |
		    grep -v '^#' | cmp - want
		# A hint of no reset may make two of one histogram.
		for s in blocks text; do
			mf-store select -d $s "{job=\"$j\"}" |
			    sed -n 's/^# HIST.*} //p' | sort -u >hists
			sed -n 's/^# HIST.*} //p' $j | sort -u | cmp - hists
		done
	done
	mf-store check -d text
	mf-store check -d blocks
	# Once more is nothing more.
	run -0 --separate-stderr mf-store import -v -d blocks blocks-two
	[[ $stderr == *" 0 samples, "* ]]
}

@test "what comes again with more beside it is there once" {
	stream a 0 12 >a
	# The same batches with one series more in each, and overlapping pieces.
	awk '/^# EOF/ { print "more{job=\"a\"} 1 " t } /^# BATCH/ { t = $NF }
		{ print }' a >more
	stream a 0 9 | mf-store append -d d
	stream a 4 8 | mf-store append -d d
	run -0 --separate-stderr mf-store append -d d more
	[ "$stderr" = "" ]
	mf-store append -d d a
	mf-store select -d d >got
	grep -E '^# (HIST|EXEMPLAR)' got | cmp - <(grep -E '^# (HIST|EXEMPLAR)' a)
	[ "$(grep -c ^more got)" = 12 ]
	# From a part, too, and in a process that stays.
	if can_compact; then
		mf-store compact --seal -d d
	fi
	sed -e 's/more/most/' more | mf-store append -d d
	cat more a | mf-store append -d e
	for s in d e; do
		mf-store select -d $s | grep -E '^# (HIST|EXEMPLAR)' |
		    cmp - <(grep -E '^# (HIST|EXEMPLAR)' a)
	done
	# Another histogram at the time: the first stays, and that is said.
	sed 's/sum:1.5,/sum:2.5,/' a >other
	run -0 mf-store append -d d other
	[[ $output == *"1 samples had another value at the same time"* ]]
	mf-store select -d d | grep -c 'sum:1.5,'
	run -0 mf-store append --replace -d d other
	mf-store append --replace -d d other
	[ "$(mf-store select -d d | grep -c 'sum:2.5,')" = 1 ]
}

@test "what a name stands for is on the disk before the name is" {
	# at COMMAND...: which file's data it syncs first.
	at() {
		local call file

		run -137 failing fdatasync:kill:1 map "$@"
		read -r call file _ <map
		echo "$call $file"
	}
	stream a 0 2 >first
	[ "$(at mf-store append -d d first)" = "fdatasync segment.tmp" ]
	run -2 ls d/store/20211122/000001.seg
	mf-store append -d d first
	can_compact || return 0
	[ "$(at mf-store compact --seal -d d)" = "fdatasync series.log" ]
	run -2 ls d/store/20211122/000001-000001.part
	mf-store compact --seal -d d
	mine | cmp - first
}
