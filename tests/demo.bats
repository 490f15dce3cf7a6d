#!/usr/bin/env bats
# make demo: what it starts it shows soon, and takes away again.
bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export TMPDIR=$BATS_TEST_TMPDIR
}

# Processes that work below this test's directory, by their arguments.
left() { pgrep -f "$BATS_TEST_TMPDIR/mf-demo" || :; }

@test "a graph within 5 s, and an interrupt stops all that was started" {
	setsid sh "$BATS_TEST_DIRNAME/demo.sh" >out 2>err </dev/null 3>&- &
	pid=$!
	for _ in $(seq 400); do
		! grep -q 'last .* max ' out || break
		sleep 0.1
	done
	grep -q 'scrape_interval: 1s' out
	grep -q 'last .* max .*instance="echo-service:80"' out
	[ -n "$(left)" ]
	kill -TERM "$pid"
	wait "$pid" || :
	[ "$(left)" = "" ]
	run ls -d mf-demo.*
	[ "$status" -ne 0 ]
	[ ! -s err ]
}

@test "a reader that goes away leaves nothing running" {
	timeout 60 sh "$BATS_TEST_DIRNAME/demo.sh" 2>/dev/null </dev/null 3>&- |
	    head -n 9 >out || :
	for _ in $(seq 300); do
		[ -n "$(left)" ] || break
		sleep 0.1
	done
	[ "$(left)" = "" ]
}

@test "a time that is none" {
	run -2 env DEMO_S=1m sh "$BATS_TEST_DIRNAME/demo.sh"
	[[ $output == *"DEMO_S=1m"* ]]
}
