#!/usr/bin/env bats
# mf-scrape: what its options change: shards, itself, directories, limits, logs.
bats_require_minimum_version 1.5.0

load helpers

setup() {
	cd "$BATS_TEST_TMPDIR"
	printf 'a 1\nb 2\n' >page
}
teardown() { stop_all; }

# seen N PATTERN FILE: that many lines of it at least.
seen() { [ "$(cat "$3" 2>/dev/null | grep -c "$2")" -ge "$1" ]; }

# job NAME [MORE]: a scrape_config of one file.
job() { echo "- {job_name: $1, static_configs: [{targets: ['file:$PWD/page']}]${2:+, $2}}"; }

@test "shards: each target is in one of them" {
	{
		echo 'scrape_configs: [{job_name: j, static_configs: ['
		for i in $(seq 40); do
			cp page "page$i"
			echo "{targets: ['file:$PWD/page$i']},"
		done
		echo ']}]'
	} >p.yml
	for i in 0 1 2; do
		mf-scrape -1 -n -c p.yml --shard $i/3 | grep '^# BATCH' >"shard$i"
		[ -s "shard$i" ]
	done
	[ "$(cat shard? | sed 's/} .*//' | sort -u | wc -l)" = 40 ]
	[ "$(cat shard? | wc -l)" = 40 ]
	for bad in 3/3 1 /3 a/3 1/0 -1/3 1/3x 1/; do
		run -2 --separate-stderr mf-scrape -1 -c p.yml --shard "$bad"
		[[ $stderr == *"--shard: '$bad' is not I/N"* ]]
	done
}

@test "itself, as one more target" {
	run -0 --separate-stderr mf-scrape -1 --self "file:$PWD/page"
	me="instance=\"$(hostname)\",job=\"mf-scrape\""
	[ "$(grep -c '^# BATCH' <<<"$output")" = 2 ]
	for m in 'mf_scrape_rounds_total' 'mf_scrape_samples_total'; do
		grep -q "^# TYPE $m counter" <<<"$output"
		grep -q "^# HELP $m " <<<"$output"
	done
	grep -q "^mf_scrape_rounds_total{$me} 1 " <<<"$output"
	grep -q "^mf_scrape_samples_total{$me} 2 " <<<"$output"
	grep -q "^mf_scrape_targets{$me,state=\"up\"} 1 " <<<"$output"
	grep -q "^up{$me} 1 " <<<"$output"
	grep -q "^process_resident_memory_bytes{$me} [0-9]\{6,\} " <<<"$output"
	now=$(date +%s)
	start=$(sed -n "s/^process_start_time_seconds{$me} \([0-9.e+]*\) .*/\1/p" <<<"$output")
	awk -v s="$start" -v n="$now" 'BEGIN { exit !(n - s >= -1 && n - s < 60) }'
	# Every line of it is a page's.
	sed '/^# BATCH\|^# EOF\|^# STALE/d; s/ [0-9]*$//' <<<"$output" >/dev/null
	{ echo 'scrape_configs:'; job j; } >p.yml
	run -0 --separate-stderr mf-scrape -1 -n --self --shard 0/1 -c p.yml
	[[ $output == *"up{config=\"$PWD/p.yml\",$me,shard=\"0\"} "* ]]
	# two with a state each are two instances, the same ones every time
	for d in one two one; do
		mf-scrape -1 -d $d --self -c p.yml | grep '^up{.*"mf-scrape"' |
		    sed 's/} .*/}/' >>ups
	done
	[ "$(sort -u ups)" = "up{dir=\"$PWD/one\",$me}
up{dir=\"$PWD/two\",$me}" ]
}

@test "a directory of configurations: one holds, the jobs of all count" {
	mkdir c
	{ echo 'global: {scrape_interval: 20s, scrape_timeout: 5s}'; echo 'scrape_configs:'; job main; } >c/prometheus.yml
	{ echo 'scrape_configs:'; job a; } >c/a.yml
	{ echo 'global: {scrape_interval: 7s}'; echo 'scrape_configs:'; job b; } >c/b.yaml
	echo 'groups: []' >c/rules.yml
	echo 'nonsense' >c/notes.txt
	echo 'nonsense: 1' >c/.hidden.yml
	run -0 --separate-stderr mf-scrape -1 -d data -c c
	for j in main a b; do
		grep -q "^up{.*job=\"$j\"} 1 " <<<"$output"
	done
	[ "$(grep -c '^# BATCH' <<<"$output")" = 3 ]
	[ "$(grep -c 'interval=20000 timeout=5000' data/scrape/targets)" = 3 ]
	[[ $stderr == *"c/b.yaml:1:1: not used: the global of c/prometheus.yml holds"* ]]
	[[ $stderr == *"c/rules.yml: no scrape_configs in it: passed over"* ]]
	{ echo 'scrape_configs:'; job a; } >c/d.yml
	run -2 --separate-stderr mf-scrape -1 -c c
	[[ $stderr == *"c/d.yml:2:"*'"a"'* ]]
	echo 'scrape_confix: []' >c/d.yml
	rm c/prometheus.yml c/rules.yml
	mv c/d.yml c/0.yml
	run -2 --separate-stderr mf-scrape -1 -c c
	[[ $stderr == *"c/0.yml:1:1: "*scrape_confix* ]]
	rm c/0.yml
	run -0 --separate-stderr mf-scrape -1 -n -c c
	[ "$(grep -c '^# BATCH' <<<"$output")" = 2 ]
	mkdir empty
	run -2 --separate-stderr mf-scrape -1 -c empty
	[[ $stderr == *"empty: no *.yml or *.yaml in it" ]]
}

@test "failure log: a line of JSON for each round that failed" {
	mkdir sub
	cat >p.yml <<-END
	global: {scrape_interval: 100ms, scrape_failure_log_file: fail.log}
	scrape_config_files: [sub/*.yml]
	scrape_configs:
	- {job_name: j, static_configs: [{targets: ['file:$PWD/none']}]}
	- {job_name: k, static_configs: [{targets: ['file:$PWD/none']}]}
	- {job_name: good, static_configs: [{targets: ['file:$PWD/page']}]}
	END
	cat >sub/own.yml <<-END
	scrape_configs:
	- {job_name: o, scrape_failure_log_file: own.log, static_configs: [{targets: ['file:$PWD/none']}]}
	END
	mf-scrape -q -n -c p.yml >out 2>err 3>&- &
	pid=$!
	echo $pid >>pids
	until_ok 5 seen 2 . sub/own.log
	mv fail.log old.log
	kill -HUP $pid
	until_ok 5 seen 1 '"job_name":"k"' fail.log
	kill $pid
	wait $pid
	grep -Eqx '\{"time":"20[-0-9T:.]*Z","level":"ERROR","msg":"[^"]*none: No such file or directory","job_name":"j","target":"file:[^"]*/none"\}' old.log
	! grep -q good old.log fail.log
	[ "$(sort -u sub/own.log | grep -c '"job_name":"o"')" = "$(wc -l <sub/own.log)" ]
	# One that can't be written is told, and holds up nothing.
	sed -i 's,fail.log,/proc/none/x,' p.yml
	run -1 --separate-stderr mf-scrape -1 -n -c p.yml
	[[ $stderr == *"/proc/none/x: No such file"* ]]
	[ "$(grep -c '^# BATCH' <<<"$output")" = 4 ]
}

@test "past sample_limit: all or nothing, or what was known" {
	{ echo 'scrape_configs:'; job j 'sample_limit: 2'; } >p.yml
	run -0 mf-scrape -1 -d data --now 1000 -c p.yml
	printf 'new 5\na 1\nb 2\n' >page
	run -0 mf-scrape -1 -d data --now 1060 --keep-known -c p.yml
	grep -q '^a{.*} 1 1060000' <<<"$output"
	grep -q '^b{.*} 2 1060000' <<<"$output"
	! grep -q '^new{' <<<"$output"
	grep -q '^up{.*} 1 ' <<<"$output"
	run -1 mf-scrape -1 -d data --now 1120 -c p.yml
	[[ $output == *'error="sample limit exceeded"'* ]]
	! grep -q '^a{' <<<"$output"
}

@test "--env: the environment in a configuration, and what stays out of it" {
	cat >p.yml <<-END
	scrape_configs:
	- job_name: \${MF_TEST_JOB}
	  static_configs: [{targets: ['file:$PWD/page']}]
	  relabel_configs:
	  - {source_labels: [job], regex: '(.*)', target_label: copy, replacement: '\${1}-x'}
	END
	MF_TEST_JOB=web run -0 --separate-stderr mf-scrape -1 -n --env -c p.yml
	[[ $output == *'a{copy="web-x",'*'job="web"} 1 '* ]]
	run -2 --separate-stderr mf-scrape -1 -n --env -c p.yml
	[[ $stderr == *"p.yml:2:13: "*MF_TEST_JOB* ]]
	run -0 --separate-stderr mf-scrape -1 -n -c p.yml
	[[ $output == *'job="${MF_TEST_JOB}"} 1 '* ]]
}

@test "operands that were meant as something else" {
	run -2 --separate-stderr mf-scrape -d d targets
	[[ $stderr == *"targets: a subcommand stands before the options" ]]
	run -2 --separate-stderr mf-scrape -c p.yml check
	[[ $stderr == *"check: a subcommand stands before the options" ]]
	run -2 --separate-stderr mf-scrape -1 page
	[[ $stderr == *"page: a file: -c page if it is a configuration, file:page if a page, http://page for the host" ]]
	run -0 mf-scrape -1 file:page
	[ ! -e d ]
}

@test "an option that would be passed over is refused" {
	touch p.yml
	for o in --env '--set a=b' --keep-known '--shard 0/2' \
	    '--dns-server 127.0.0.1:53'; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr mf-scrape -1 $o file:page
		[ "$stderr" = "mf-scrape: ${o%% *} goes with -c only" ]
		# shellcheck disable=SC2086
		run -2 --separate-stderr mf-scrape targets -d d $o
		[ "$stderr" = "mf-scrape: ${o%% *} goes with -c only" ]
	done
	for o in '-o json' --explain; do
		for with in file:page '-c p.yml'; do
			# shellcheck disable=SC2086
			run -2 --separate-stderr mf-scrape -1 $o $with
			[[ $stderr == "mf-scrape: --"*" goes with targets only" ]]
		done
	done
	run -2 --separate-stderr mf-scrape -1 --extended file:page
	[ "$stderr" = "mf-scrape: --extended goes with check-metrics only" ]
	[ -z "$output" ]
}

@test "few descriptors: requests wait in turn" {
	start web mf-serve -l 127.0.0.1:0 -g '/v=a 1
'
	{
		echo 'scrape_configs: [{job_name: j, metrics_path: /v, static_configs: ['
		for i in $(seq 120); do
			echo "{targets: ['$address'], labels: {n: '$i'}},"
		done
		echo ']}]'
	} >p.yml
	for n in 64 32; do
		(
			ulimit -n $n
			mf-scrape -1 -n -c p.yml >out 2>err
		)
		[ "$(grep -c '^up{.*} 1 ' out)" = 120 ]
	done
}

@test "a target that cannot be reached: why" {
	for url in http://127.0.0.1:1/ https://127.0.0.1:1/; do
		run -1 --separate-stderr mf-scrape -1 $url
		[[ $stderr == *"Failed to connect to 127.0.0.1"*": Connection refused" ]]
		[[ $stderr != *" ms"* ]]
	done
	run -1 --separate-stderr mf-scrape -1 localhost:http
	[[ $stderr == *": invalid URL: Port number was not a decimal number between 0 and 65535" ]]
}
