#!/usr/bin/env bats
# mf-store over parts that are not what was written, and what readers of
# damaged files say.
bats_require_minimum_version 1.5.0

load helpers
load helpers/faults
load helpers/damage

@test "a bit flips in a part, or it is cut" {
	can_compact || skip "no mf-store compact here"
	judged=0
	part=$day/000001-000001.part
	mf-store compact --seal -d base
	size=$(stat -c %s base/${part#d/})
	for ((o = 0; o < size; o += size / 24)); do
		bits $part 1000 1 $o
	done
	bits $part 1000 1 8 12 16 20 100 $((size - 1))
	for n in 0 8 104 $((size / 2)) $((size - 1)); do
		fresh
		truncate -s $n $part
		judge "a part of $n bytes" 1000 1
	done
	fresh
	echo more >>$part
	judge "a part and something" 1000 1
	echo "# $judged places" >&3
}

# Two frames of m1's rows and a head: it is said once, by all who read.
@test "every reader says what it could not read, and gives the rest" {
	slots >s
	for i in 3 5; do
		read -r off _ < <(awk '$3 == 2' s | sed -n ${i}p)
		flip $seg $((off + 8)) 1
	done
	f=20211122/000001.seg
	for c in select series labels export; do
		says $f mf-store $c -d d
		[ $status = 1 ]
		[ -s out ]
	done
	says $f mf-store select --by-series -d d
	[ $status = 1 ]
	says $f mf-eval -d d -s 1637582400 -e 1637600000 --step 5m m1
	[ $status = 1 ]
	[ "$(grep -c '^m1' out)" -ge 3 ]
	says $f mf-plot -d d -s 1637582400 -e 1637600000 m1
	[ $status = 1 ]
	mf-serve -l 127.0.0.1:0 -d d 2>serve.err </dev/null 3>&- &
	p=$!
	until grep -q 'listening on' serve.err; do sleep 0.05; done
	a=$(sed -n 's/^.*listening on //p' serve.err)
	for k in 1 2; do
		curl -sgf "http://$a/api/v1/query?query=m1[6h]&time=1637600000" |
		    grep -q '"values":\[\['
	done
	kill $p
	wait $p || :
	[ "$(grep -c "store/$f: damaged" serve.err)" = 1 ]
	# What writes has nothing to say of it, and a repair ends it.
	run -0 mf-store append -d d next
	[ "$output" = "" ]
	run -0 mf-store check --repair -d d
	for c in select series export; do
		mf-store $c -d d >/dev/null 2>err || :
		run -1 grep damaged err
	done
}

# Queries need no slots of a part, and select needs them only for what is no
# row: all rows are there, and all who read say that the file is damaged.
@test "the slots of a part are damaged" {
	can_compact || skip "no mf-store compact here"
	part=20211122/000001-000001.part
	stream a 0 20 | grep -v -e HIST -e EXEMPLAR -e ^late >rows
	rm -rf base
	mf-store append -d base rows
	mf-store compact --seal -d base
	fresh
	f=d/store/$part
	# The directory: stripes of 56 bytes, layouts of 32, then pages.
	read -r dir < <(od -An -tu8 -j 64 -N 8 $f)
	read -r stripes layouts pages < <(od -An -tu4 -j 72 -N 12 $f)
	[ "$pages" = 1 ]
	read -r at < <(od -An -tu8 -N 8 -j $((dir + stripes * 56 +
	    layouts * 32)) $f)
	flip $f $((at + 3)) 16
	says $part mf-store select -d d
	[ $status = 1 ]
	samples <out | cmp - <(samples <rows)
	says $part mf-store select --by-series -d d m1
	[ $status = 1 ]
	says $part mf-eval -d d --now 1637582400 m1
	[ $status = 1 ]
	[ "$(grep -c '^m1' out)" = 1 ]
	says $part mf-eval -d d -s 1637582400 -e 1637600000 --step 5m m1
	[ $status = 1 ]
	# What would lose them is refused, and a repair loses none.
	run -1 mf-store delete -d d m2
	run -0 mf-store check --repair -d d
	[[ $output == *"$part: slots 0 to "*" are damaged"* ]]
	[[ $output == *": "[1-9]*" samples are kept, 0 given up"* ]]
	run -0 --separate-stderr mf-store select -d d
	[ "$stderr" = "" ]
	samples <<<"$output" | cmp - <(samples <rows)
	run -0 mf-store check -d d
	run -0 mf-store delete -d d m2
	mf-store select -d d | samples | cmp - <(samples <rows | grep -v '^m2{')
}
