#!/usr/bin/env bats
# mf-scrape while it lives: signals, reloads, slow readers, full disks.
bats_require_minimum_version 1.5.0

load helpers
load helpers/life

setup_file() {
	"${CC:-cc}" -o "$BATS_FILE_TMPDIR/hostile" \
	    "$BATS_TEST_DIRNAME/helpers/hostile.c"
	"${CC:-cc}" -O2 -o "$BATS_FILE_TMPDIR/pages" \
	    "$BATS_TEST_DIRNAME/helpers/pages.c" -lz
}

setup() { cd "$BATS_TEST_TMPDIR"; }
teardown() { stop_all; }

@test "it stays, one owner a directory, and ends on SIGTERM with whole batches" {
	hostile
	cat >p.yml <<-END
	scrape_configs:
	- job_name: j
	  scrape_interval: 1s
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
	filled() { # the pipe
		[ "$(awk '/^wchar/ { print $2 }' "/proc/$pid/io")" -ge 65536 ]
	}
	until_ok 2 filled
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

@test "ten reloads under load lose no answer, and a phase stays" {
	cat >p.yml <<-END
	global: {scrape_interval: 1s}
	scrape_configs:
	- job_name: j
	  static_configs:
	  - targets: ['exec:echo >>runs; sleep 0.2; echo a 1']
	END
	scrape s -v -n -c p.yml
	until_ok 5 grep -q '^# EOF' s.out
	for i in $(seq 10); do
		echo "# $i" >>p.yml
		kill -HUP $pid
		sleep 0.3
	done
	until_ok 5 seen 10 'reloaded: 1 target$' s.err
	kill $pid
	wait $pid
	whole s.out
	# Only the one that was under way at the end has no batch.
	runs=$(wc -l <runs)
	batches=$(grep -c '^# BATCH' s.out)
	[ $((runs - batches)) -le 1 ]
	[ "$(grep -c '^a{' s.out)" = "$batches" ]
	[ "$(grep -c 'STALE \*' s.out)" = 1 ] # of the first round
	# Every round at its own time, none twice: no phase has moved.
	sed -n 's/^# BATCH .*} \([0-9]*\)$/\1/p' s.out >times
	awk 'NR > 1 && $1 - t < 900 { bad = 1 } { t = $1 } END { exit bad }' times
}

@test "a target that comes back in time has not left" {
	printf 'a 1\n' >page
	conf() {
		printf '%s\n' 'global: {scrape_interval: 1s}' 'scrape_configs:' \
		    "- {job_name: j, file_sd_configs: [{files: [t.json]}]}" >p.yml
		echo "[{\"targets\": [$1]}]" >t.new
		mv t.new t.json
	}
	hostile
	conf "\"$address\""
	scrape s -n -c p.yml
	until_ok 5 grep -q '^up{.* 1 ' s.out
	conf ''
	kill -HUP $pid
	sleep 0.1
	conf "\"$address\""
	kill -HUP $pid
	n=$(grep -c '^up{' s.out)
	until_ok 5 seen $((n + 3)) '^up{' s.out
	[ "$(grep -c 'STALE \*' s.out)" = 1 ]
	conf ''
	kill -HUP $pid
	until_ok 5 seen 2 'STALE \*' s.out
	kill $pid
	wait $pid
	whole s.out
}

@test "a configuration that is gone, or bad, leaves the old one in force" {
	printf 'a 1\n' >page
	cat >p.yml <<-END
	scrape_configs:
	- {job_name: j, scrape_interval: 100ms, static_configs: [{targets: ['file:$PWD/page']}]}
	END
	scrape s --self -i 100ms -n -c p.yml
	until_ok 5 grep -q '^a{' s.out
	mv p.yml away
	kill -HUP $pid
	until_ok 5 grep -q 'p.yml: No such file .*; the old configuration stays' s.err
	sed 's/100ms/never/' away >p.yml
	kill -HUP $pid
	until_ok 5 grep -q 'p.yml:2:.*; the old configuration stays' s.err
	n=$(grep -c '^a{' s.out)
	until_ok 5 seen $((n + 3)) '^a{' s.out
	until_ok 5 grep -q '^mf_scrape_config_last_reload_successful{.*} 0 ' s.out
	until_ok 5 grep -q '^mf_scrape_config_reload_failures_total{.*} 2 ' s.out
	mv away p.yml
	kill -HUP $pid
	until_ok 5 grep -q '^mf_scrape_config_reloads_total{.*} 1 ' s.out
	kill $pid
	wait $pid
}

@test "a reader that stops costs a bounded memory, and sees whole batches" {
	pages 700 1
	{
		echo 'global: {scrape_interval: 50ms}'
		echo 'scrape_configs: [{job_name: j, static_configs: ['
		for i in $(seq 50); do
			echo "{targets: ['$address'], labels: {__metrics_path__: /t/$i, instance: h$i}},"
		done
		echo ']}]'
	} >p.yml
	mkfifo pipe
	cat <pipe >got 3>&- &
	reader=$!
	echo $reader >>pids
	mf-scrape -q -n -c p.yml >pipe 2>err 3>&- &
	pid=$!
	echo $pid >>pids
	until_ok 5 grep -q '^# EOF' got
	kill -STOP $reader
	until_ok 20 grep -q 'too slow: rounds are skipped' err
	sleep 0.5
	rss=$(awk '$1 == "VmHWM:" { print $2 }' /proc/$pid/status)
	# 64 MiB that wait, what was added to find that out, and the rest.
	[ "$rss" -lt $((192 * 1024)) ] || sanitized
	kill -CONT $reader
	until_ok 10 grep -q '[0-9] rounds were skipped' err
	kill $pid
	wait $pid
	wait $reader
	whole got
}

@test "descriptors are few: requests wait in turn" {
	pages 10 1
	{
		echo 'scrape_configs: [{job_name: j, static_configs: ['
		for i in $(seq 600); do
			echo "{targets: ['$address'], labels: {__metrics_path__: /t/$i, instance: h$i}},"
		done
		echo ']}]'
	} >p.yml
	run -0 --separate-stderr bash -c 'ulimit -n 128; mf-scrape -1 -n -c p.yml'
	[ -z "$stderr" ]
	[ "$(grep -c '^up{.* 1 ' <<<"$output")" = 600 ]
}
