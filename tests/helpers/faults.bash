#!/usr/bin/env bash
# Shared by the tests of what a store must survive: streams whose every byte
# is known, and calls that fail (failcall.c).  helpers.bash comes before it.

# What is done at every place in the plain build is done at every fifth under a
# sanitizer, whose programs take so much longer to start.
step=1
! sanitized || step=5

# stream JOB FROM N: batches FROM..FROM+N-1 of a source, half an hour apart, as
# mf-store select prints them: series that come and go, times of their own,
# exemplars, native histograms.  A store of them gives the same text back.
stream() {
	awk -v job="$1" -v from="$2" -v n="$3" 'BEGIN {
		h = "{count:%d,sum:%d.5,schema:0,zero_threshold:0.001," \
		    "zero_count:%d,positive_spans:[0:1],positive_buckets:[%d]}"
		l = "{job=\"" job "\"}"
		for (k = from; k < from + n; k++) {
			t = 1637582400000 + k * 1800000 + (job == "a" ? 0 : 7000)
			printf "# BATCH %s %.0f\n", l, t
			for (i = 0; i < 20; i++)
				printf "m%d%s %d %.0f\n", i, l, k * 20 + i, t
			if (k % 5 == 3)
				printf "new%d%s %d %.0f\n", k, l, k, t
			if (k % 7 == 2)
				printf "late%s %d %.0f\n", l, k, t + 500
			if (k % 11 == 5)
				printf "e%s 1 %.0f\n# EXEMPLAR e%s {id=\"%d\"}" \
				    " 1 %.0f\n", l, t, l, k, t
			if (k % 3 == 1)
				printf "# HIST lat%s " h " %.0f\n", \
				    l, 2 * k, k, k, k, t
			print "# EOF"
		}
	}'
}

# batches_of WANT <GOT: every batch of GOT stands in WANT just so, and once;
# prints how many, fails and says which if not.
batches_of() {
	awk -v want="$1" 'BEGIN {
		while ((getline line <want) > 0) {
			b = b line "\n"
			if (line == "# EOF") {
				is[b] = 1
				b = ""
			}
		}
	}
	{ b = b $0 "\n" }
	/^# EOF/ {
		if (!(b in is) || is[b]++ != 1) {
			printf "not a batch that was written, or twice: %s", b
			bad = 1
			exit 1
		}
		n++
		b = ""
	}
	END {
		if (!bad && b != "")
			print "an open batch at the end: " b
		if (!bad)
			print n + 0
		exit bad || b != ""
	}'
}

# mine: what the store d has of source a.
mine() {
	mf-store select -d d '{job="a"}'
}

# A store of two days with a part, more segments, and a source c too: base,
# and base.want of source a.
two_days() {
	stream a 0 40 >base.want
	stream c 0 40 >c
	head -n 400 base.want | mf-store append -d base 2>/dev/null || :
	mf-store append -d base c
	mf-store compact --seal -d base
	mf-store append -d base base.want
}

# The library for failing(), below $BATS_FILE_TMPDIR.
build_failcall() {
	"${CC:-cc}" -O1 -shared -fPIC -o "$BATS_FILE_TMPDIR/failcall.so" \
	    "$BATS_TEST_DIRNAME/helpers/failcall.c" -ldl
}

# failing SPEC MAP COMMAND...: with SPEC as failcall.c has it ("" for none);
# what was the last call it made is in the file MAP.
failing() {
	local spec=$1 map=$2

	shift 2
	printf '%256s' '' >"$map"
	ASAN_OPTIONS=verify_asan_link_order=0 FAILCALL=$spec FAILCALL_MAP=$map \
	    LD_PRELOAD=$BATS_FILE_TMPDIR/failcall.so "$@"
}

# Is there a mf-store compact?
can_compact() {
	mf-store compact --help >/dev/null 2>&1
}

# Go to a directory in memory, if there is one, for tests that make hundreds
# of stores: what is tested there is what a process does, not the disk.
enter_memory() {
	cd "$(mktemp -d /dev/shm/mf-faults.XXXXXX 2>/dev/null ||
	    mktemp -d "$BATS_TEST_TMPDIR/XXXXXX")" || return 1
	echo "$PWD" >"$BATS_TEST_TMPDIR/memory"
}

leave_memory() {
	[ ! -s "$BATS_TEST_TMPDIR/memory" ] || {
		cd / && rm -rf "$(cat "$BATS_TEST_TMPDIR/memory")"
	}
}
