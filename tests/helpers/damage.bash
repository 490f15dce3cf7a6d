#!/usr/bin/env bash
# shellcheck shell=bash disable=SC2154,SC2164,SC2034
# Shared by the tests of damaged files: a store of every kind of frame, ways to
# damage it, and what must be true then.  helpers.bash and faults.bash come
# before it.

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
