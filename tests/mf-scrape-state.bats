#!/usr/bin/env bats
# mf-scrape: what it remembers over reloads, kills and removals, and how long a
# single run waits for what it does not know yet.
bats_require_minimum_version 1.5.0

load helpers
load helpers/life

setup_file() {
	"${CC:-cc}" -o "$BATS_FILE_TMPDIR/hostile" \
	    "$BATS_TEST_DIRNAME/helpers/hostile.c"
}

setup() { cd "$BATS_TEST_TMPDIR"; }
teardown() { stop_all; }

@test "one run waits for its discoveries" {
	hostile
	mkdir sd
	cat >p.yml <<-END
	scrape_configs:
	- {job_name: f, metrics_path: /good, file_sd_configs: [{files: [sd/*.yml]}]}
	- {job_name: s, static_configs: [{targets: ['$address'], labels: {__metrics_path__: /good}}]}
	- {job_name: h, http_sd_configs: [{url: 'http://$address/hang', refresh_interval: 1s}]}
	END
	echo "[{targets: ['$address']}]" >sd/a.yml
	# What failed may have known more targets: that is no success.
	run -1 --separate-stderr mf-scrape -1 -d data -c p.yml
	[ "$(grep -c '^up{.* 1 ' <<<"$output")" = 2 ]
	[[ $stderr == *'mf-scrape: h: '* ]]
	grep -q '^# BATCH {job="h"} [0-9]* state="discovery" error="' data/scrape/targets
	[ "$(grep -c 'state="active"' data/scrape/targets)" = 2 ]
}

@test "one run waits for its discoveries as long as for a target" {
	printf 'a 1\n' >page
	hostile
	cat >p.yml <<-END
	global: {scrape_timeout: 500ms}
	scrape_configs:
	- {job_name: s, static_configs: [{targets: ['file:$PWD/page']}]}
	- {job_name: d, dns_sd_configs: [{names: [a.test., b.test.], type: A, port: 1}]}
	- {job_name: h, http_sd_configs: [{url: 'http://$address/hang'}]}
	END
	# a server of names that takes questions and says nothing
	start names perl -MIO::Socket::INET -e '
	    $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Proto => "udp");
	    print STDERR "listening on 127.0.0.1:", $s->sockport, "\n";
	    sleep 60'
	run -1 --separate-stderr mf-scrape -1 -n --dns-server "$address" -c p.yml
	[ "$(grep -c '^up{.* 1 ' <<<"$output")" = 1 ]
	for n in a.test. b.test. 'http://[0-9.:]*/hang'; do
		grep -q ": $n: no answer within 0.5s$" <<<"$stderr"
	done
	run -1 --separate-stderr mf-scrape targets -q -d none \
	    --dns-server "$address" -c p.yml
	[ "$(grep -c '^failing' <<<"$output")" = 3 ]
}

@test "a directory that cannot be written is told before anything is done" {
	printf 'a 1\n' >page
	touch file
	run -1 --separate-stderr mf-scrape -1 -d file "file:$PWD/page"
	[[ $stderr == *"file: Not a directory"* ]]
	[ -z "$output" ]
	run -1 --separate-stderr mf-scrape -1 -d /proc/none "file:$PWD/page"
	[[ $stderr == *"/proc/none"* ]]
	[ -z "$output" ]
}

@test "a state that is removed is written anew, and still has one owner" {
	hostile
	cat >p.yml <<-END
	scrape_configs:
	- job_name: j
	  scrape_interval: 200ms
	  static_configs: [{targets: ['$address']}]
	END
	scrape s -c p.yml -d data
	until_ok 20 seen 2 '^# EOF' s.out
	# it writes nothing while it is removed
	kill -STOP "$pid"
	rm -r data
	kill -CONT "$pid"
	until_ok 40 test -e data/scrape/targets
	until_ok 40 grep -qs '^# BATCH .*job="j"' data/scrape/series
	until_ok 40 grep -q 'data/scrape/series: was removed, and is written anew' s.err
	run -1 --separate-stderr mf-scrape -1 -c p.yml -d data
	[[ $stderr == *"held by process $pid"* ]]
	# somebody else has taken it meanwhile: it is not ours to write
	mkdir -p other/scrape
	sh -c 'exec 9>other/scrape/lock; flock 9; echo $$ >&9; exec sleep 60' 3>&- &
	echo $! >>pids
	until_ok 20 test -s other/scrape/lock
	holder=$!
	kill -STOP "$pid"
	rm -r data
	mv other data
	kill -CONT "$pid"
	until_ok 40 grep -q "data/scrape/lock: held by process $holder" s.err
	[ ! -e data/scrape/series ]
	n=$(grep -c '^# EOF' s.out)
	until_ok 20 seen $((n + 2)) '^# EOF' s.out
}

@test "a reload leaves a discovery that fails what it knew" {
	"${CC:-cc}" -o answer "$BATS_TEST_DIRNAME/helpers/answer.c"
	mkdir www
	printf 'HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n[{"targets":["file.test:1"]}]' >www/sd
	start answer ./answer www
	config() { # REFRESH
		cat >p.yml <<-END
		scrape_configs:
		- job_name: j
		  scrape_interval: 200ms
		  http_sd_configs: [{url: 'http://$address/sd', refresh_interval: $1}]
		END
	}
	config 1h
	scrape s -c p.yml -n -v --connect-to file.test:1:127.0.0.1:1
	until_ok 20 seen 2 '^# BATCH .*instance="file.test:1"' s.out
	rm www/sd
	kill -HUP "$pid"
	until_ok 20 grep -q 'j: http://.*: Empty reply' s.err
	n=$(grep -c '^# BATCH' s.out)
	until_ok 20 seen $((n + 3)) '^# BATCH .*instance="file.test:1"' s.out
	# asked otherwise, it has nothing to go on with
	config 59m
	kill -HUP "$pid"
	until_ok 30 ended j s.out
}

@test "the end of a series counts once its reader has it" {
	# a batch larger than a pipe, which nobody empties
	awk 'BEGIN { for (i = 0; i < 40000; i++) print "big{n=\"" i "\"} 1" }' >small
	{ cat small; echo 'x 1'; } >page
	cat >p.yml <<-END
	scrape_configs:
	- job_name: j
	  scrape_interval: 100ms
	  static_configs: [{targets: ['file:$PWD/page']}]
	END
	mkfifo pipe
	sleep 60 <pipe 3>&- &
	echo $! >>pids
	mf-scrape -c p.yml -d data >pipe 2>err 3>&- &
	pid=$!
	echo $pid >>pids
	until_ok 30 grep -q '^x{' data/scrape/series
	mv small page
	until_ok 40 grep -q 'samples=40000' data/scrape/targets
	kill -9 "$pid"
	wait "$pid" 2>/dev/null || :
	mf-scrape -1 -c p.yml -d data >out
	grep -q '^# STALE x{' out
	# it has been told now, and is not again
	mf-scrape -1 -c p.yml -d data >out
	run ! grep '^# STALE x{' out
}
