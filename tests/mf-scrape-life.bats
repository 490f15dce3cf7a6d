#!/usr/bin/env bats
# mf-scrape while it lives: signals, reloads, slow readers, full disks.
bats_require_minimum_version 1.5.0

load helpers

setup_file() {
	"${CC:-cc}" -o "$BATS_FILE_TMPDIR/hostile" \
	    "$BATS_TEST_DIRNAME/helpers/hostile.c"
	"${CC:-cc}" -O2 -o "$BATS_FILE_TMPDIR/pages" \
	    "$BATS_TEST_DIRNAME/helpers/pages.c" -lz
}

setup() { cd "$BATS_TEST_TMPDIR"; }
teardown() { stop_all; }

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

@test "it stays, one owner a directory, and ends on SIGTERM with whole batches" {
	hostile
	cat >p.yml <<-END
	scrape_configs:
	- job_name: j
	  scrape_interval: 200ms
	  static_configs: [{targets: ['$address']}]
	END
	mf-scrape -c p.yml -d data >out 2>err 3>&- &
	pid=$!
	echo $pid >>pids
	until_ok 5 grep -q '^# EOF' out
	run -1 --separate-stderr mf-scrape -1 -c p.yml -d data
	[[ $stderr == *"held by process $pid"* ]]
	# A reload with a bad file keeps the old one; with a good one, it counts.
	cp p.yml good.yml
	echo 'nonsense: 1' >>p.yml
	kill -HUP $pid
	until_ok 5 grep -q 'the old configuration stays' err
	sed 's/job_name: j/job_name: k/' good.yml >p.yml
	kill -HUP $pid
	until_ok 5 grep -q '^up{.*job="k"} 1 ' out
	# The job that went has had the time to come back: it is ended, once.
	until_ok 5 ended j
	kill $pid
	wait $pid
	[ "$(grep -c '^# BATCH' out)" = "$(grep -c '^# EOF' out)" ]
	[ "$(tail -n 1 out)" = '# EOF' ]
	[ "$(grep -A1 '^# BATCH.*job="j"' out | grep -c '^# STALE \*')" = 1 ]
	# Metadata was said once a target.
	[ "$(grep -c '^# TYPE a gauge' out)" = 2 ]
	! grep -q 'job="j"' <(mf-scrape -1 -c p.yml -d data)
}

@test "kill -9 loses nothing of what was shown" {
	printf 'a 1\nb 2\n' >page
	mf-scrape -i 20ms -d data "file:$PWD/page" >out 3>&- &
	pid=$!
	until_ok 5 grep -q '^b{' out
	kill -9 $pid
	wait $pid || :
	printf 'a 1\n' >page
	run -0 --separate-stderr mf-scrape -1 -d data "file:$PWD/page"
	[[ $output == *'# STALE b{'* ]]
	run -0 --separate-stderr mf-scrape -1 -d data "file:$PWD/page"
	[[ $output != *'# STALE '* ]]
}

@test "SIGTERM ends it although nobody reads" {
	seq 20000 | sed 's/.*/a_metric_with_a_name{number="&"} &/' >page
	mkfifo pipe
	sleep 30 <pipe 3>&- &
	echo $! >>pids
	mf-scrape -i 10ms "file:$PWD/page" >pipe 2>err 3>&- &
	pid=$!
	echo $pid >>pids
	sleep 0.3
	kill $pid
	wait $pid
	grep -q 'takes nothing: [0-9]* bytes dropped' err
}

@test "a reader that takes nothing makes rounds be skipped, and counted" {
	seq 20000 | sed 's/.*/a_metric_with_a_name{number="&"} &/' >page
	mkfifo pipe
	(exec 9<pipe; sleep 2; cat <&9 >got) 3>&- &
	reader=$!
	mf-scrape -i 10ms "file:$PWD/page" >pipe 2>err 3>&- &
	pid=$!
	echo $pid >>pids
	until_ok 10 grep -q 'too slow: rounds are skipped' err
	until_ok 10 grep -q '[0-9] rounds were skipped' err
	kill $pid
	wait $pid
	wait $reader
	[ "$(tail -n 1 got)" = '# EOF' ]
	[ "$(grep -c '^# BATCH' got)" = "$(grep -c '^# EOF' got)" ]
	[ "$(($(grep -c '^a_metric' got) % 20000))" = 0 ]
}

@test "a reader that goes away ends it quietly" {
	printf 'a 1\n' >page
	mf-scrape -i 20ms "file:$PWD/page" 2>err | head -n 1 >one
	grep -q '^# BATCH' one
	[ ! -s err ]
}

@test "a full disk and a closed stdout are noticed" {
	hostile
	run -1 --separate-stderr bash -c "mf-scrape -1 http://$address/good >/dev/full"
	[[ $stderr == *"No space left"* ]]
	run -1 --separate-stderr bash -c "mf-scrape -1 http://$address/good >&-"
	[[ $stderr == *stdout* ]]
	mkdir other
	touch other/file
	run -1 --separate-stderr mf-scrape -1 -d other "http://$address/good"
	[[ $stderr == *"not an mf directory"* ]]
	[ -z "$output" ]
}
