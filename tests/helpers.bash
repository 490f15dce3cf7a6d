# Shared by the bats files: start a server, learn where it listens, stop it by
# its pid; and a stream that several look at.

# What is waited for comes in a moment, or never: the seconds that tell are so
# many that no machine, however busy, takes them for never.
patience=40

# start NAME COMMAND...: runs it in the background with its stderr in NAME.err
# and its stdout in NAME.out below $BATS_TEST_TMPDIR; sets $address.
start() {
	local name=$1
	shift
	: >"$BATS_TEST_TMPDIR/$name.err" # of one before, an address of old
	"$@" >"$BATS_TEST_TMPDIR/$name.out" 2>"$BATS_TEST_TMPDIR/$name.err" \
	    </dev/null 3>&- &
	echo "$!" >>"$BATS_TEST_TMPDIR/pids"
	eval "pid_$name=$!"
	local end=$((SECONDS + patience))
	until listening "$BATS_TEST_TMPDIR/$name.err"; do
		[ $SECONDS -lt "$end" ] || break
		kill -0 "$(tail -n 1 "$BATS_TEST_TMPDIR/pids")" 2>/dev/null || break
		sleep 0.02
	done
	[ -z "$address" ] || return 0
	cat "$BATS_TEST_TMPDIR/$name.err" >&2
	return 1
}

# listening FILE: has a server said there where it listens?  Sets $address.
listening() {
	address=$(sed -n 's/^.*listening on //p' "$1" | head -n 1)
	[ -n "$address" ]
}

# A port of 127.0.0.1 that was free a moment ago, for peers that take no :0.
free_port() {
	start probe mf-serve -l 127.0.0.1:0 -g /=x || return 1
	port=${address##*:}
	kill "$pid_probe"
	wait "$pid_probe" 2>/dev/null || :
}

stop_all() {
	[ -e "$BATS_TEST_TMPDIR/pids" ] || return 0
	while read -r p; do
		# It may be stopped.  CONT first: after TERM it would take away
		# the stop with which LeakSanitizer looks at what ends.
		kill -CONT "$p" 2>/dev/null || :
		kill "$p" 2>/dev/null || :
		wait "$p" 2>/dev/null || :
	done <"$BATS_TEST_TMPDIR/pids"
}

# until_ok SECONDS COMMAND...: again and again until it succeeds.  The seconds
# say how long that may take here; it is waited $patience at least.
until_ok() {
	local end=$((SECONDS + ($1 > patience ? $1 : patience)))
	shift
	until "$@"; do
		[ $SECONDS -lt "$end" ] || {
			echo "waited in vain for: $*" >&2
			return 1
		}
		sleep 0.05
	done
}

# A minute of one target that is down in the last two of four rounds, as
# mf-scrape prints them.
rounds() {
	for i in 0 1 2 3; do
		t=$((1700000000000 + i * 15000))
		echo "# BATCH {instance=\"a:1\",job=\"x\"} $t"
		[ $i != 0 ] || echo '# TYPE requests_total counter'
		echo "requests_total{instance=\"a:1\",job=\"x\"} $((i * 30)) $t"
		echo "up{instance=\"a:1\",job=\"x\"} $((i < 2)) $t"
		echo '# EOF'
	done
}

# Were the tools built with a sanitizer?  Then all takes longer and more memory.
sanitized() { grep -qa __asan_init "$(command -v mf-store)"; }
