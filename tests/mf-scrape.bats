#!/usr/bin/env bats
# mf-scrape: options, exit statuses, what a page becomes, targets that lie.
bats_require_minimum_version 1.5.0

load helpers

setup_file() {
	"${CC:-cc}" -o "$BATS_FILE_TMPDIR/hostile" \
	    "$BATS_TEST_DIRNAME/helpers/hostile.c"
}

setup() { cd "$BATS_TEST_TMPDIR"; }
teardown() { stop_all; }

hostile() { start hostile "$BATS_FILE_TMPDIR/hostile"; }

# A batch without the report series and their metadata.
bare() { grep -vE '^(# (HELP|TYPE) )?(up|scrape_)'; }

# Dead, or a zombie that nobody has taken yet.
dead() { ! grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$1/status"; }

@test "usage: no target, two kinds of them, a time without -1" {
	run -2 --separate-stderr mf-scrape
	[[ $stderr == *"nothing to scrape"* ]]
	run -2 --separate-stderr mf-scrape -c p.yml http://localhost/
	[[ $stderr == *"do not go together"* ]]
	run -2 --separate-stderr mf-scrape --now 5 -i 1s localhost:1
	[[ $stderr == *"--now goes with -1"* ]]
	run -2 --separate-stderr mf-scrape --connect-to a:1 -1 localhost:1
	[[ $stderr == *"HOST:PORT:HOST:PORT"* ]]
	run -2 --separate-stderr mf-scrape -1 ftp://x/
	[[ $stderr == *"unsupported scheme"* ]]
	run -2 --separate-stderr mf-scrape -i 0 x:1
	run -2 --separate-stderr mf-scrape --nothing
	[[ $stderr == *"usage: mf-scrape"* ]]
	run -0 mf-scrape --help
	[[ $output == usage:* ]]
	run -0 mf-scrape -V
	[ ! -e mf-data ]
}

@test "a page becomes a batch; what it forges does not" {
	hostile
	run -0 --separate-stderr mf-scrape -1 --now 1000 "http://$address/forge"
	[ -z "$stderr" ]
	echo "$output" | bare >got
	diff - got <<-END
	# BATCH {instance="$address",job="mf-scrape"} 1000000
	# HELP a help
	a{exported_job="x",instance="$address",job="mf-scrape"} 1 1000000
	a{instance="$address",job="mf-scrape"} 2 1000000
	# STALE * 1000000
	# EOF
	END
	echo "$output" | grep -qx "up{instance=\"$address\",job=\"mf-scrape\"} 1 1000000"
	[ "$(echo "$output" | grep -c '^scrape_.*} .* 1000000$')" = 4 ]
	[ "$(echo "$output" | grep -c '^# TYPE .* gauge$')" = 5 ]
	[ ! -e mf-data ]
}

@test "OpenMetrics by its Content-Type, whole or not at all" {
	hostile
	run -0 --separate-stderr mf-scrape -1 "http://$address/om"
	[[ $output == *'# TYPE a_total counter'*'a_total{'* ]]
	run -1 --separate-stderr mf-scrape -1 "http://$address/om-cut"
	[[ $output != *'a_total{'* ]]
	[[ $output == *'up{'*'} 0 '* ]]
}

@test "a target that hangs, refuses, lies or breaks off costs others nothing" {
	hostile
	cat >p.yml <<-END
	global: {scrape_interval: 3s, scrape_timeout: 3s}
	scrape_configs:
	END
	for p in hang half html untyped busy om-cut lies garbage endless good; do
		cat >>p.yml <<-END
		- job_name: $p
		  metrics_path: /$p
		  body_size_limit: 1MB
		  static_configs: [{targets: ['$address']}]
		END
	done
	cat >>p.yml <<-END
	- job_name: refused
	  static_configs: [{targets: ['127.0.0.1:1']}]
	END
	run -1 --separate-stderr mf-scrape -1 -c p.yml
	echo "$output" >out
	[ "$(grep -c '^# BATCH' out)" = 11 ]
	[ "$(grep -c '^# EOF' out)" = 11 ]
	grep -q '^up{.*job="good"} 1 ' out
	grep -q '^a{.*job="good"} 1 ' out
	[ "$(grep -c '^up{.*} 0 ' out)" = 10 ]
	! grep -qE '^[ab]\{.*job="(h|u|om|l|e|ga|r)' out
	[[ $stderr == *'job="hang"}: '*'deadline exceeded'* ]]
	[[ $stderr == *'job="html"}: received unsupported Content-Type "text/html"'* ]]
	[[ $stderr == *'job="busy"}: server returned HTTP status 503 Service Unavailable'* ]]
	[[ $stderr == *'job="endless"}: '*limit* ]]
	grep -q '^# BATCH .*job="half"} [0-9]* error="' out
	run -1 --separate-stderr mf-scrape -q -1 -c p.yml
	[ -z "$stderr" ]
}

@test "cron: each run tells what has ended since the one before" {
	printf 'a 1\nb{x="1"} 2\n' >page
	mf-scrape -1 -d data --now 1000 "file:$PWD/page" | bare >one
	grep -q '^# STALE \* 1000000$' one
	printf 'a 1\n' >page
	mf-scrape -1 -d data --now 1060 "file:$PWD/page" >all
	bare <all >two
	diff - two <<-END
	# BATCH {instance="file:$PWD/page",job="mf-scrape"} 1060000
	a{instance="file:$PWD/page",job="mf-scrape"} 1 1060000
	# STALE b{instance="file:$PWD/page",job="mf-scrape",x="1"} 1060000
	# EOF
	END
	grep -q '^scrape_series_added{.*} 0 1060000$' all
	mv page gone
	run -1 mf-scrape -q -1 -d data --now 1120 "file:$PWD/page"
	[[ $output == *'error="'*'No such file'*'# STALE * 1120000'* ]]
	mv gone page
	mf-scrape -1 -d data --now 1180 "file:$PWD/page" | bare >four
	[ "$(grep -c STALE four)" = 0 ]
	# A log that was cut off in the middle of a batch still serves.
	printf '# BATCH {instance="x",job="mf-scrape"} 5\na{' >>data/scrape/series
	mf-scrape -1 -d data --now 1240 "file:$PWD/page" | bare >five
	[ "$(grep -c STALE five)" = 0 ]
	! grep -q 'instance="x"' data/scrape/series
	# A dry run remembers nothing.
	cp data/scrape/series before
	echo 'c 1' >page
	mf-scrape -1 -n -d data "file:$PWD/page" >/dev/null
	cmp before data/scrape/series
}

@test "a target that left the configuration is ended once" {
	hostile
	conf() { echo "scrape_configs: [{job_name: j, static_configs: [{targets: [$1]}]}]" >p.yml; }
	conf "'$address'"
	mf-scrape -1 -c p.yml -d data --now 1000 >/dev/null
	conf ""
	run -0 --separate-stderr mf-scrape -1 -c p.yml -d data --now 1060
	[ "$output" = "# BATCH {instance=\"$address\",job=\"j\"} 1060000
# STALE * 1060000
# EOF" ]
	run -0 --separate-stderr mf-scrape -1 -c p.yml -d data --now 1120
	[ -z "$output" ]
}

@test "what mf-scrape does not do is an error, not passed over" {
	printf 'scrape_configs:\n- job_name: a\n  %s\n' \
	    'kubernetes_sd_configs: [{role: pod}]' >p.yml
	run -2 --separate-stderr mf-scrape -1 -c p.yml
	[[ $stderr == "mf-scrape: p.yml:3:3: kubernetes_sd_configs: "* ]]
	printf 'scrape_configs:\n- job_name: a\n  scrape_intervall: 1s\n' >p.yml
	run -2 --separate-stderr mf-scrape -1 -c p.yml
	[[ $stderr == *'p.yml:3:3: unknown key "scrape_intervall"' ]]
	printf 'scrape_configs:\n- job_name: a\n  scrape_interval: 1s\n  scrape_timeout: 2s\n' >p.yml
	run -2 --separate-stderr mf-scrape check -c p.yml
	[[ $stderr == *'scrape timeout greater than scrape interval'* ]]
	[ ! -e mf-data ]
}

@test "the state of each target is left for others" {
	hostile
	cat >p.yml <<-END
	global: {scrape_interval: 30s}
	scrape_configs:
	- job_name: j
	  params: {q: ['x y', z]}
	  static_configs:
	  - targets: ['$address', 'down.invalid:1', '$address']
	    labels: {env: test, __metrics_path__: /good}
	END
	run -1 --separate-stderr mf-scrape -1 -c p.yml -d data
	run -0 --separate-stderr mf-scrape targets -q -c p.yml -d data
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[1]} == "up "*"  http://$address/good?q=x+y&q=z" ]]
	[[ ${lines[2]} == "down "* ]]
	grep -q '^# BATCH {env="test",.*} [0-9]* state="active" url="http://.*" interval=30000 timeout=10000 .*error="' data/scrape/targets
}

@test "manifests, --set and --connect-to" {
	hostile
	cat >m.yaml <<-'END'
	apiVersion: v1
	kind: ConfigMap
	data:
	  p.yaml: |
	    scrape_configs:
	    - job_name: ${ Name of it }
	      metrics_path: /good
	      static_configs: [{targets: ['echo-service:80']}]
	END
	run -2 --separate-stderr mf-scrape -1 -c m.yaml:p.yaml
	[[ $stderr == *"m.yaml:6:17: nothing fills"* ]]
	run -0 --separate-stderr mf-scrape -1 -c m.yaml:p.yaml \
	    --set 'Name of it=echo' --connect-to "echo-service:80:$address"
	[[ $output == *'a{instance="echo-service:80",job="echo"} 1 '* ]]
	run -2 --separate-stderr mf-scrape -1 -c m.yaml
	[[ $stderr == *"m.yaml:KEY"* ]]
}

@test "a command's output is a page; its failure and its time are told" {
	run -0 --separate-stderr mf-scrape -1 'exec:echo a 1; echo "b{x=\"$PPID\"} 2"'
	[[ $output == *'a{instance="exec:echo a 1; '*'} 1 '* ]]
	run -1 --separate-stderr mf-scrape -1 'exec:echo a 1; exit 3' 'exec:echo c 1'
	[[ $output == *'error="the command exited with status 3"'* ]]
	[[ $output != *'a{'* ]]
	[[ $output == *'c{instance="exec:echo c 1",job="mf-scrape"} 1 '* ]]
	run -1 --separate-stderr mf-scrape -1 'exec:kill -TERM $$'
	[[ $output == *'killed by signal 15'* ]]
	run -0 --separate-stderr mf-scrape -1 -d data \
	    'exec:ls /proc/self/fd | sed "s/.*/fd{n=\"&\"} 1/"'
	[ "$(grep -c '^fd{' <<<"$output")" -le 4 ]
	# A command that hangs is killed, and what it started.
	mf-scrape -i 300ms "exec:sleep 77 & echo \$! >>sleeps; cat; wait" \
	    "exec:echo good 1" >out 2>err 3>&- &
	pid=$!
	echo $pid >>pids
	until_ok 5 grep -q '^# BATCH .*sleep.* error="context deadline exceeded"' out
	[ "$(grep -c '^good' out)" -ge 1 ]
	kill $pid
	wait $pid
	while read -r p; do
		until_ok 5 dead "$p"
	done <sleeps
}

@test "a page served by mf-serve" {
	printf 'a 1\n' >page
	start page mf-serve -l 127.0.0.1:0 -m page
	run -0 --separate-stderr mf-scrape -1 "$address"
	[[ $output == *"a{instance=\"$address\",job=\"mf-scrape\"} 1 "* ]]
}
