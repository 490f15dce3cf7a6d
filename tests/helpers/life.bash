# Shared by the bats files that run mf-scrape for a while: its servers, and what
# it has printed.

# seen N PATTERN FILE: that many lines of it at least.
seen() { [ "$(cat "$3" 2>/dev/null | grep -c "$2")" -ge "$1" ]; }

hostile() { start hostile "$BATS_FILE_TMPDIR/hostile"; }
pages() { start pages "$BATS_FILE_TMPDIR/pages" "$@"; }

# scrape NAME OPTION...: runs it behind NAME.out and NAME.err; sets $pid.
scrape() {
	local name=$1
	shift
	mf-scrape "$@" >"$name.out" 2>"$name.err" 3>&- &
	pid=$!
	echo "$pid" >>pids
}

# Has a batch of the job ended all its series?
ended() { grep -A1 "^# BATCH.*job=\"$1\"" "${2:-out}" | grep -q '^# STALE \*'; }

# Each batch is whole: BATCH and EOF in turn, and nothing behind the last.
whole() {
	awk '/^# BATCH / { if (open) exit 1; open = 1 }
	    /^# EOF$/ { if (!open) exit 1; open = 0; n++ }
	    !/^# (BATCH|EOF)/ { if (!open) exit 1 }
	    END { exit open || n == 0 }' "$1"
}
