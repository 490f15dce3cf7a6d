#!/usr/bin/env bats
# mf-scrape under faults that come from beside: commands that get away, signals
# in the middle, what the kernel refuses.
bats_require_minimum_version 1.5.0

load helpers

setup() { cd "$BATS_TEST_TMPDIR"; }
teardown() { stop_all; }

@test "a command that leaves its process group is killed all the same" {
	# Waiting for it would hold up all others.
	cat >p.yml <<-'END'
	global: {scrape_interval: 1s, scrape_timeout: 500ms}
	scrape_configs:
	- job_name: away
	  static_configs: [{targets: ['exec:exec perl -e "setpgrp(0, getpgrp(getppid())); sleep 8"']}]
	- {job_name: ok, static_configs: [{targets: ['exec:echo a 1']}]}
	END
	command -v perl >/dev/null || skip "no perl"
	mf-scrape -n -c p.yml >out 2>err 3>&- &
	pid=$!
	echo $pid >>pids
	until_ok 6 eval '[ "$(grep -c "^up{.*job=.ok.} 1" out)" -ge 3 ]'
	grep -q '^up{.*job="away"} 0' out
	kill $pid
	wait $pid
	[ "$(tail -n 1 out)" = '# EOF' ]
}

@test "a single run that a signal ends has failed" {
	mf-scrape -1 'exec:echo a 1' 'exec:sleep 8' >out 2>err 3>&- &
	pid=$!
	echo $pid >>pids
	until_ok 5 grep -q '^# EOF' out
	kill $pid
	status=0
	wait $pid || status=$?
	[ "$status" = 1 ]
	grep -q 'ended before all targets had answered' err
	[ "$(grep -c '^# BATCH' out)" = 1 ]
	[ "$(tail -n 1 out)" = '# EOF' ]
}

@test "a SIGHUP while it starts is no end" {
	# Nobody knows when it has begun to listen: the log is long.
	{
		for i in $(seq 40000); do
			echo "a{instance=\"h:1\",job=\"j\",n=\"$i\"} 1 1637582400000"
		done
	} >series
	mkdir -p data/scrape
	{
		echo '# BATCH {instance="h:1",job="j"} 1637582400000'
		cat series
		echo '# EOF'
	} >data/scrape/series
	echo 'scrape_configs: [{job_name: j, static_configs: [{targets: ["exec:echo a 1"]}], scrape_interval: 1s}]' >p.yml
	mf-scrape -c p.yml -d data >out 2>err 3>&- &
	pid=$!
	echo $pid >>pids
	# The lock is taken, the log is being read.
	until_ok 5 grep -q . data/scrape/lock
	for i in $(seq 20); do kill -HUP $pid; done
	until_ok 5 grep -q '^up' out
	kill $pid
	wait $pid
}

@test "a series that gets or loses its time is ended all the same" {
	cat >p.yml <<-END
	scrape_configs:
	- job_name: j
	  track_timestamps_staleness: true
	  static_configs: [{targets: ['file:$PWD/page']}]
	END
	now=$(date +%s)000
	round() {
		printf "$1" >page
		mf-scrape -q -1 -d data -c p.yml || :
	}
	# "# STALE *" does not speak of what had a time in the last good round.
	round 'a 1\n' >out
	round "a 1 $now\n" >out
	round 'bad{\n' >out
	grep -q '^# STALE a{' out
	# What a page in error says of it is not what it was.
	round "a 1 $now\n" >out
	round 'a 1\nbad{\n' >out
	grep -q '^# STALE a{' out
	round 'a 1\n' >out
	round "a 1 $now\nbad{\n" >out
	! grep -q '^# STALE a{' out
	grep -q '^# STALE \*' out
}

@test "the limit of a body holds for commands and files" {
	seq 100 | sed 's/^/a /' >page
	mkfifo fifo
	truncate -s 300M huge
	cat >p.yml <<-END
	scrape_configs:
	- job_name: few
	  body_size_limit: 100B
	  static_configs: [{targets: ['exec:cat page', 'file:$PWD/page']}]
	- {job_name: all, static_configs: [{targets: ['exec:cat page', 'file:$PWD/page']}]}
	- {job_name: huge, static_configs: [{targets: ['exec:cat huge', 'file:$PWD/huge']}]}
	- {job_name: fifo, static_configs: [{targets: ['file:$PWD/fifo']}]}
	END
	run -1 --separate-stderr mf-scrape -1 -n -c p.yml
	[ "$(grep -c '^up{.*job="few"} 0 ' <<<"$output")" = 2 ]
	[ "$(grep -c '^up{.*job="all"} 1 ' <<<"$output")" = 2 ]
	[ "$(grep -c '^up{.*job="huge"} 0 ' <<<"$output")" = 2 ]
	[ "$(grep -c 'body size limit exceeded' <<<"$stderr")" = 4 ]
	[[ $stderr == *'fifo: not a file'* ]]
}
