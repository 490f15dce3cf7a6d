#!/usr/bin/env bats
# mf-store check --repair: it may fail or be killed at any call, and does its
# work when it is run again; what is whole is there all the time.
#
#	MF_EVERY=N	kill before every N-th call, 3 if not said
bats_require_minimum_version 1.5.0

load helpers
load helpers/faults

setup_file() { build_failcall; }

setup() {
	enter_memory
	# Source a is whole, in parts; of c, in segments, a row and a head are not.
	stream a 0 40 >want
	stream c 0 40 >c
	mf-store append -d base want
	mf-store compact --seal -d base
	mf-store append -d base c
	seg=20211122/000002.seg
	head=20211123/000002.seg
	at=$(od -An -v -w64 -tu8 -j 4096 -N 8192 base/store/$seg |
	    awk '$1 == 0 { exit } { at = $1 } END { print at }')
	printf '\377\377\377' | dd of=base/store/$seg bs=1 seek=$((at + 20)) \
	    conv=notrunc status=none
	printf '\377' | dd of=base/store/$head bs=1 seek=20 conv=notrunc \
	    status=none
	# Some labels of c are not, and what a killed writer leaves is there.
	log=20211122/series.log
	printf '\377' | dd of=base/store/$log bs=1 conv=notrunc status=none \
	    seek=$(($(stat -c %s base/store/$log) - 20))
	printf 'torn' >>base/store/$log
	printf 'torn' >>base/store/meta.log
}

teardown() { leave_memory; }

# What there is of source a, whatever else may be said.
mine() { mf-store select -d d '{job="a"}' 2>/dev/null || [ $? = 1 ]; }

# It is sound, has all of a, and is compacted and thinned as ever.
mended() {
	mf-store check --repair -d d 2>/dev/null
	run -0 mf-store check -d d
	[ "$output" = "" ]
	mine | cmp - want
	run -0 mf-store compact --seal -d d
	[ "$output" = "" ]
	mine | cmp - want
}

@test "what is lost is told, and what is done about it" {
	cp -r base d
	run -1 mf-store check -d d
	told=$output
	[[ $told == *"$head: not a segment, or damaged"* ]]
	[[ $told == *"$seg: slot "*": wrong checksum, "*" lost"* ]]
	run -1 mf-store delete -d d '{job="c"}'
	run -0 mf-store check --repair -d d
	[[ $output == "$told"* ]]
	[[ $output == *"$head: set aside, nothing of it can be read"* ]]
	[[ $output == *"$seg: made anew without what is damaged"* ]]
	[[ $output =~ "$seg.damaged: "[0-9]+" samples are kept, "[1-9] ]]
	[[ $output == *"meta.log: what is no record is taken out at 1 places"* ]]
	[[ $output == *"$log: what is no record is taken out at "[12]" places"* ]]
	for f in $head $seg $log meta.log; do
		[ -s d/store/$f.damaged ]
	done
	cmp d/store/$head.damaged base/store/$head
	cmp d/store/$log.damaged base/store/$log
	run -0 --separate-stderr mf-store select -d d
	[ "$stderr" = "" ]
	# Batches of c but for the one, of the day that is left.
	n=$(mf-store select -d d '{job="c"}' | grep -c '^# BATCH')
	[ "$n" -gt 15 ]
	run -0 mf-store check --repair -d d
	[ "$output" = "" ]
	run -0 mf-store delete -d d '{job="c"}'
	mended
	# What is damaged once more has a name of its own.
	mf-store append -d d c
	printf '\377' | dd of=d/store/20211123/000003.seg bs=1 seek=20 \
	    conv=notrunc status=none
	cp d/store/20211123/000003.seg d/store/20211123/000003.seg.damaged
	run -0 mf-store check --repair -d d
	[ -s d/store/20211123/000003.seg.damaged1 ]
}

@test "any call may fail in a repair" {
	calls=0
	for f in pwrite:full fsync:EIO fdatasync:EIO renameat:EIO openat:EIO \
	    linkat:EIO ftruncate:EIO flock:EIO; do
		for ((n = 1; n < 200; n++)); do
			rm -rf d
			cp -r base d
			rc=0
			failing "$f:$n" map mf-store check --repair -d d \
			    >/dev/null 2>err || rc=$?
			read -r _ _ _ _ hit <map
			[ "$hit" = hit ] || break
			calls=$((calls + 1))
			echo "$f $n: status $rc: $(cat err)"
			[ $rc -le 1 ]
			[ -s err ]
			mine | cmp - want
			mended
		done
		[ $rc = 0 ]
	done
	echo "# $calls calls failed" >&3
	[ $calls -gt 30 ]
}

@test "kill -9 before the calls of a repair" {
	for ((n = 1; n < 300; n += ${MF_EVERY:-3})); do
		rm -rf d
		cp -r base d
		rc=0
		failing any:kill:$n map mf-store check --repair -d d \
		    >/dev/null 2>&1 || rc=$?
		[ $rc = 137 ] || break
		mine | cmp - want
		mended
	done
	[ $rc = 0 ]
	echo "# killed before calls up to $((n - 1))" >&3
	[ $n -gt 50 ]
}
