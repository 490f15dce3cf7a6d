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

day=d/store/20211122
seg=$day/000001.seg

setup_file() {
	# Rows, rows with times, loose samples, comments, metadata, layouts.
	cd "$BATS_FILE_TMPDIR"
	{
		echo '# BATCH {job="a"} 1637582300000'
		echo '# HELP m0 Zero.'
		echo '# TYPE m0 gauge'
		echo 'm0{job="a"} 1 1637582300000'
		echo '# EOF'
		stream a 0 8
		echo '# BATCH {job="a"} 1637599000000'
		echo 'm3{job="a"} 1 1637599000000'
		echo 'm5{job="a"} 1 1637599000000'
		echo '# EOF'
		stream a 10 1
	} >want
	stream a 11 1 >next
	cat want next >all
	mf-store append -d base want
	mf-store select -d base | cmp - want
}

setup() {
	enter_memory
	cp -r "$BATS_FILE_TMPDIR/"{want,next,all,base} .
	place=0
	fresh
}

teardown() { leave_memory; }

fresh() {
	rm -rf d
	cp -r base d
}

# flip FILE OFFSET MASK: these bits of the byte.
flip() {
	local b

	b=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf -v b '\\x%02x' $(((b ^ $3) & 255))
	printf '%b' "$b" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# lines_of WANT <GOT: only lines of WANT, no sample twice; prints how many
# samples are missing.  A batch whose source is not known any more has none.
lines_of() {
	awk -v want="$1" 'BEGIN {
		while ((getline l <want) > 0) {
			is[l] = 0
			n += l !~ /^# (BATCH|EOF|HELP|TYPE)/
		}
	}
	/^# BATCH {} / { next }
	!($0 in is) { print "not written: " $0; exit bad = 1 }
	/^# (BATCH|EOF)/ { next }
	is[$0]++ { print "twice: " $0; exit bad = 1 }
	!/^# (HELP|TYPE)/ { n-- }
	END { if (!bad) print n }'
}

# samples: of a stream, in an order of their own.
samples() { grep -v '^# ' | sort; }

# tool SUBCOMMAND [ARG]: ends, with a status we know, 1 if not 0, and then it
# says something.  Its output is in out.SUBCOMMAND, its status in $status.
tool() {
	local c=$1

	shift
	status=0
	timeout 60 mf-store "$c" -d d "$@" >"out.$c" 2>"err.$c" || status=$?
	[ $status -le 1 ] || {
		echo "$what: $c: status $status: $(cat "err.$c")"
		return 1
	}
	[ $status = 0 ] || [ -s "err.$c" ] || {
		echo "$what: $c failed and said nothing"
		return 1
	}
}

# judge WHAT [MOST [CHECK]]: the store d, which was damaged: at most MOST
# samples are lost, and check finds something (1) or not (0).
judge() {
	local what=$1 most=${2:-1000} lost after found c

	for c in select series info labels values; do
		if [ $c = values ]; then tool $c job; else tool $c; fi
	done
	lost=$(lines_of want <out.select)
	case $lost in *[!0-9]*) echo "$what: select: $lost"; return 1 ;; esac
	# What was left out was told, of the file and once.
	tool select
	[ "$lost" = 0 ] || { [ $status = 1 ] && [ -s err.select ]; } || {
		echo "$what: $lost lost, and select said nothing: $(cat err.select)"
		return 1
	}
	[ -z "$(sort err.select | uniq -d)" ]
	tool check
	found=$status
	[ $found = "${3:-$found}" ] || {
		echo "$what: check: $found: $(cat err.check)"
		return 1
	}
	[ "$lost" -le "$most" ] && { [ "$lost" = 0 ] || [ $found = 1 ]; } || {
		echo "$what: $lost lost: $(cat err.check)"
		return 1
	}
	tool append next
	gave_up=$status
	tool select
	after=$(lines_of all <out.select)
	case $after in *[!0-9]*) echo "$what: then: $after"; return 1 ;; esac
	# A writer that had to give up has added nothing, and has not broken more.
	[ $gave_up = 0 ] || lost=$((lost + $(grep -cv '^# [BE]' next)))
	[ "$after" -le "$lost" ] || {
		echo "$what: $lost lost, $after after an append"
		return 1
	}
	mended
	judged=$((judged + 1))
}

# A repair makes an end of it, and tells what it did; it takes nothing more.
mended() {
	local was

	[ -e d/store/format ] && mf-store info -d d >/dev/null 2>&1 || return 0
	tool select
	grep -v '^# BATCH' out.select | sort >was
	tool check --repair
	tool check
	[ $status = 0 ] || {
		echo "$what: after a repair: $(cat err.check)"
		return 1
	}
	tool select
	[ $status = 0 ] && [ ! -s err.select ] || {
		echo "$what: select after a repair: $(cat err.select)"
		return 1
	}
	was=$(grep -v '^# BATCH' out.select | sort | comm -23 was - |
	    grep -cv '^# [EHTU]' || :)
	[ "$was" = 0 ] || {
		echo "$what: a repair has lost $was samples"
		return 1
	}
}

# bits FILE MOST CHECK OFFSET...: a bit of each, the lowest or the highest.
bits() {
	local file=$1 most=$2 check=$3 o m=1

	shift 3
	for o; do
		[ $((place++ % step)) = 0 ] || continue
		fresh
		flip "$file" "$o" $m
		judge "$file at $o ^ $m" "$most" "$check"
		m=$((129 - m))
	done
}

# The slots of the segment, and where frames lie: "OFFSET LEN TYPE".
slots() {
	od -An -v -w64 -tu8 -j 4096 -N 8192 $seg | awk '$1 == 0 { exit } { print $1 }' >offs
	od -An -v -w64 -tu4 -j 4096 -N 8192 $seg | awk '$1 == 0 { exit } { print $5 }' >lens
	od -An -v -w64 -tu1 -j 4096 -N 8192 $seg | awk '$49 == 0 { exit } { print $49 }' >types
	paste -d ' ' offs lens types
}

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

# says FILE COMMAND...: one line on stderr tells of the file.
says() {
	local file=$1

	shift
	status=0
	"$@" >out 2>err || status=$?
	[ "$(grep damaged err)" = "${1}: store/$file: damaged, what cannot be read of it\
 is left out (see mf-store check)" ] || {
		echo "$*: $(cat err)"
		return 1
	}
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
