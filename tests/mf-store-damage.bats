#!/usr/bin/env bats
# mf-store over files that are not what was written: a bit that flipped, a file
# cut short or gone, at every kind of place in every file.  What is shown is
# true and once; what is lost, mf-store check tells; who appends goes on, and
# destroys no more.
#
#	MF_FLIP=STEP	every STEP-th byte of every file too, as make soak does
bats_require_minimum_version 1.5.0

load helpers
load helpers/faults
load helpers/damage

@test "a bit flips in the log of series" {
	judged=0
	# What follows the head is whole, and the next writer mends it.
	bits $day/series.log 0 1 0 7 8 12 15
	run -0 mf-store check -d d
	# Nothing of it can be believed: it is set aside, and the day goes on.
	fresh
	printf '%0512d' 0 | dd of=$day/series.log conv=notrunc status=none
	judge "series.log begins with 512 wrong bytes" 1000 1
	grep 'series.log.damaged: could not be read and was set aside' err.append
	[ -s $day/series.log.damaged ]
	mf-store select -d d | samples | cmp - <(samples <next)
	run -0 mf-store append -d d want
	[ "$output" = "" ]
	mf-store select -d d | samples | cmp - <(samples <all)
	# The first record is the source's, the second m0's, the last e's.
	bits $day/series.log 0 1 16 18 20 25 32 37
	bits $day/series.log 12 1 40 43 44 48 56 60 65
	fresh
	bits $day/series.log 1000 1 $(($(stat -c %s $day/series.log) - 30))
	bits $day/series.log 0 0 39
	echo "# $judged places" >&3
}

@test "a bit flips in the hash, which can be made anew" {
	judged=0
	bits $day/series.hash 0 0 0 7 8 12 16 31 32 39 40 47 48 52 56
	# Pairs: of what is there, and free ones.
	used=$(od -An -v -w16 -tu8 -j 64 $day/series.hash |
	    awk '$2 != 0 { print 64 + (NR - 1) * 16; if (++n == 3) exit }')
	for o in $used; do
		bits $day/series.hash 0 0 "$o" $((o + 8)) $((o + 15))
	done
	bits $day/series.hash 0 0 4150 4159
	echo "# $judged places" >&3
}

@test "a bit flips in a segment's head and slots" {
	judged=0
	bits $seg 1000 1 0 8 12 16 31 32 36 40 44
	bits $seg 0 0 48 60 4000
	slots >s
	[ "$(awk '{ print $3 }' s | sort -u | tr -d '\n')" = 12345 ]
	# Every field of a row's slot, and of one of each other type.
	at=$((4096 + 3 * 64))
	for o in 0 7 8 16 20 24 28 32 36 40 44 48 49 50 52 56 60; do
		bits $seg 63 1 $((at + o))
	done
	for type in 1 3 4 5; do
		i=$(awk -v t=$type '$3 == t { print NR - 1; exit }' s)
		at=$((4096 + i * 64))
		bits $seg 63 1 $at $((at + 16)) $((at + 48)) $((at + 63))
	done
	echo "# $judged places" >&3
}

# Where the next frame goes must not be read from a slot that is damaged: it
# would be lost, or destroy what is there.
@test "a bit flips in the last slot, and in a free one" {
	judged=0
	slots >s
	at=$((4096 + ($(wc -l <s) - 1) * 64))
	for o in 0 1 2 3 6 7 16 17 18 19; do
		bits $seg 63 1 $((at + o))
	done
	at=$((at + 64))
	for o in 0 1 2 3 4 6 7; do
		bits $seg 0 1 $((at + o))
	done
	bits $seg 0 '' $((at + 8)) $((at + 16)) $((at + 48)) $((at + 63))
	echo "# $judged places" >&3
}

@test "a bit flips in a segment's frames" {
	judged=0
	slots >s
	for type in 1 2 3 4 5; do
		read -r off len _ < <(awk -v t=$type '$3 == t' s | tail -n 1)
		end=$((off + (len + 7) / 8 * 8))
		# First, middle, last byte; first checksum.
		bits $seg 84 1 "$off" $((off + len / 2)) $((off + len - 1)) $end
	done
	echo "# $judged places" >&3
}

@test "a bit flips in metadata, in a cache, in format" {
	judged=0
	bits d/store/meta.log 0 1 0 9 16 20 24 35 78
	bits d/store/meta.log 0 1 12
	fresh
	cache=$(echo d/store/cache/*)
	bits "$cache" 0 0 0 8 12 16 20 24 28 32 36 40 \
	    $(($(stat -c %s "$cache") - 1))
	for o in 0 8 9 10; do
		fresh
		flip d/store/format $o 1
		judge "format at $o" 1000 1
		grep -q 'store' err.select
	done
	echo "# $judged places" >&3
}

@test "a file is cut short, or gone" {
	judged=0
	size=$(stat -c %s $seg)
	cuts="series.log:0 series.log:8 series.log:16 series.log:17 series.log:40
	    series.log:56 series.log:500 series.hash:0 series.hash:32
	    series.hash:64 series.hash:2000 000001.seg:0 000001.seg:40
	    000001.seg:4160 000001.seg:4500 000001.seg:5000 000001.seg:100000
	    000001.seg:4198400 000001.seg:4198500 000001.seg:4200000
	    000001.seg:$((size - 8)) 000001.seg:$((size - 1)) ../meta.log:0
	    ../meta.log:8 ../meta.log:24 ../meta.log:79 ../format:0 ../format:5"
	for c in $cuts; do
		[ $((place++ % step)) = 0 ] || continue
		fresh
		truncate -s "${c#*:}" $day/"${c%:*}"
		judge "cut to $c"
	done
	for f in $day/series.log $day/series.hash d/store/format d/store/lock \
	    d/store/cache/*; do
		fresh
		rm "$f"
		judge "without $f"
	done
	echo "# $judged places" >&3
}

@test "every byte of every file" {
	[ -n "${MF_FLIP:-}" ] || skip "MF_FLIP=STEP asks for it (make soak)"
	judged=0
	slots >s
	used=$((4096 + $(wc -l <s) * 64))
	for f in $day/series.log $day/series.hash d/store/meta.log \
	    d/store/cache/* d/store/format $seg; do
		fresh # the one before has grown by an append
		size=$(stat -c %s "$f")
		for ((o = RANDOM % MF_FLIP; o < size; o += MF_FLIP)); do
			[ "$f" != $seg ] || [ $o -lt $used ] ||
			    [ $o -ge 4198400 ] || continue
			bits "$f" 1000 '' $o
		done
	done
	echo "# $judged places" >&3
}
