#!/usr/bin/env bats
# mf-notify: options, exit statuses, the three ways to run, state that survives.
bats_require_minimum_version 1.5.0

load helpers

setup() {
	cd "$BATS_TEST_TMPDIR"
	config 0s
}
teardown() { stop_all; }

# config GROUP_WAIT [PORT]: one webhook.
config() {
	cat >am.yml <<-EOF
	route:
	  receiver: hook
	  group_by: [alertname]
	  group_wait: $1
	  group_interval: 1m
	receivers:
	- name: hook
	  webhook_configs: [{url: 'http://${2:-127.0.0.1:1}/x'}]
	EOF
}

# batch T NAME STATE STARTS ENDS: one alert, times in seconds.
batch() {
	printf '# BATCH {rule_file="r",rule_group="g"} %s000\n' "$1"
	printf '# ALERT {alertname="%s",i="1"} {summary="s"} %s000 state=%s activeAt=%s000' \
	    "$2" "$1" "$3" "$4"
	[ "$3" = pending ] || printf ' startsAt=%s000 endsAt=%s000' "$4" "$5"
	printf ' value=1 generatorURL="http://p/g"\n# EOF\n'
}

@test "usage errors are status 2 and make nothing" {
	run -2 --separate-stderr mf-notify </dev/null
	[[ $stderr == *"give -c FILE"* ]]
	run -2 --separate-stderr mf-notify -c am.yml --now 5 </dev/null
	[[ $stderr == *"--now goes with -1"* ]]
	run -2 --separate-stderr mf-notify -c am.yml -1 --replay </dev/null
	[[ $stderr == *"do not go together"* ]]
	run -2 --separate-stderr mf-notify -c am.yml -e 5 </dev/null
	[[ $stderr == *"-e goes with --replay"* ]]
	run -2 --separate-stderr mf-notify -c am.yml nonsense </dev/null
	[[ $stderr == *"not a subcommand"* ]]
	run -2 --separate-stderr mf-notify -c nowhere.yml </dev/null
	[[ $stderr == *nowhere.yml* ]]
	run -2 mf-notify --nonsense
	run -0 mf-notify --help
	[[ $output == *--replay* ]]
	run -0 mf-notify -V
	[ ! -e mf-data ]
}

@test "faults of the configuration have a place" {
	fault() { # TEXT WHERE WHAT
		printf '%b' "$1" >bad.yml
		run -2 --separate-stderr mf-notify check bad.yml
		echo "$stderr"
		[[ $stderr == *"bad.yml:$2: "*"$3"* ]]
	}
	local r='receivers: [{name: a}]\n'
	fault "$r" 1:1 'no routes provided'
	fault 'route: {}\n'"$r" 1:8 'root route must specify a default receiver'
	fault 'route: {receiver: b}\n'"$r" 1:19 'undefined receiver "b" used in route'
	fault 'route: {receiver: a, matchers: [x=y]}\n'"$r" 1:32 'must not have any matchers'
	fault 'route: {receiver: a, group_interval: 0s}\n'"$r" 1:38 'group_interval cannot be zero'
	fault 'route: {receiver: a, group_wait: 30}\n'"$r" 1:34 'not a valid duration'
	fault 'route: {receiver: a, routes: [{matchers: ["x=~("]}]}\n'"$r" 1:43 'missing closing )'
	fault 'route: {receiver: a, routes: [{mute_time_intervals: [t]}]}\n'"$r" 1:54 'undefined time interval "t"'
	fault 'route: {receiver: a}\nreceivers: [{name: a}, {name: a}]\n' 2:24 'is not unique'
	fault 'route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{}]}]\n' 2:41 'one of url or url_file'
	fault 'route: {receiver: a}\nreceivers: [{name: a, slack_configs: [{channel: c}]}]\n' 2:39 'no Slack API URL'
	fault 'route: {receiver: a}\nreceivers: [{name: a, slack_configs: [{api_url: "ftp://x"}]}]\n' 2:49 'unsupported scheme "ftp" for URL'
	fault 'route: {receiver: a}\nreceivers: [{name: a, slack_configs: [{api_url: "http://x", title: "{{ .A"}]}]\n' 2:68 'unclosed action'
	fault 'route: {receiver: a}\nreceivers: [{name: a, pagerduty_configs: [{}]}]\n' 2:23 'receivers of kind pagerduty are not supported yet'
	fault 'route: {receiver: a}\nreceivers: [{name: a, pager_configs: [{}]}]\n' 2:23 pager_configs
	fault 'foo: 1\nroute: {receiver: a}\n'"$r" 1:1 foo
	fault 'route: {receiver: a}\ntracing: {endpoint: x}\n'"$r" 2:1 tracing
	echo '{{ define "x" }}{{ nofunc }}{{ end }}' >x.tmpl
	fault 'route: {receiver: a}\ntemplates: ["*.tmpl"]\n'"$r" 2:13 'x.tmpl:1: function "nofunc" not defined'
}

@test "resolved within group_wait: nothing is sent" {
	{
		batch 1700000030 Down pending 1700000030
		batch 1700000060 Down firing 1700000060 1700000300
		batch 1700000075 Down resolved 1700000060 1700000075
	} >in
	config 30s
	run -0 mf-notify --replay -n -e 1700000200 -c am.yml <in
	[ -z "$output" ]
	[ ! -e mf-data ]
}

@test "replay: every timer at its own time" {
	{
		batch 1700000060 Down firing 1700000060 1700000300
		batch 1700000075 Down resolved 1700000060 1700000075
	} >in
	config 10s
	mf-notify --replay -n -e 1700000200 --external-url http://am/ -c am.yml <in >out
	[ "$(sed 's/^{"t":\([0-9]*\),.*"reason":"\([^"]*\)".*/\1 \2/' out)" = \
	    "1700000070000 first notification
1700000130000 all alerts resolved" ]
	grep -q '"externalURL":"http://am","version":"4","groupKey":"{}:{alertname=\\"Down\\"}"' out
	[ ! -e mf-data ]
	# Without -e the clock stops with the input.
	mf-notify --replay -n -c am.yml <in | wc -l | grep -qx 1
}

@test "from cron: group_wait and repeats carry over, nothing is sent twice" {
	start sink mf-serve -l 127.0.0.1:0 --sink
	config 30s "$address"
	once() { mf-notify -1 --now "$1" -d d -c am.yml; }
	batch 1700000060 Down firing 1700000060 1700000300 | once 1700000060
	once 1700000089 </dev/null
	[ ! -s sink.out ]
	once 1700000090 </dev/null
	[ "$(wc -l <sink.out)" -eq 1 ]
	grep -q '"notification_reason":"first notification"' sink.out
	batch 1700000120 Down firing 1700000060 1700000400 | once 1700000160
	[ "$(wc -l <sink.out)" -eq 1 ]
	batch 1700000200 Down resolved 1700000060 1700000190 | once 1700000230
	[ "$(wc -l <sink.out)" -eq 2 ]
	sed -n 2p sink.out | grep -q '"status":"resolved".*"endsAt":"2023-11-14T22:16:30Z"'
	batch 1700000300 Down resolved 1700000060 1700000190 | once 1700000300
	once 1700003000 </dev/null
	[ "$(wc -l <sink.out)" -eq 2 ]
	[ "$(grep -c '^# SENT ' d/notify/log)" -eq 2 ]
	run ! grep -q '^# ALERT' d/notify/alerts
}

@test "live: sends, ends with its input, tells a second one apart" {
	start sink mf-serve -l 127.0.0.1:0 --sink
	config 0s "$address"
	mkfifo in
	mf-notify -d d -c am.yml <in 2>err 3>&- &
	pid=$!
	echo $pid >>pids
	exec 5>in
	now=$(date +%s)
	batch "$now" Down firing "$now" $((now + 300)) >&5
	until_ok 5 test -s sink.out
	run -1 --separate-stderr mf-notify -1 -d d -c am.yml </dev/null
	[[ $stderr == *"$pid"* ]]
	exec 5>&-
	wait $pid
	[ ! -s err ]
	# What was sent is known to the next one.
	batch "$now" Down firing "$now" $((now + 300)) | mf-notify -1 -d d -c am.yml
	[ "$(wc -l <sink.out)" -eq 1 ]
}

@test "kill -9 loses nothing that was acknowledged" {
	start sink mf-serve -l 127.0.0.1:0 --sink
	config 0s "$address"
	mkfifo in
	mf-notify -d d -c am.yml <in 3>&- &
	pid=$!
	exec 5>in
	now=$(date +%s)
	batch "$now" Down firing "$now" $((now + 300)) >&5
	until_ok 5 grep -q SENT d/notify/log
	kill -9 $pid
	wait $pid || :
	exec 5>&-
	printf '# ALERT {alertname="cut' >>d/notify/alerts
	mf-notify -1 -d d -c am.yml --now $((now + 100)) </dev/null
	[ "$(wc -l <sink.out)" -eq 1 ]
	mf-notify alerts -d d -c am.yml >out
	grep -q '^# ALERT {alertname="Down",i="1"} .*state=firing' out
	[ "$(wc -l <out)" -eq 1 ]
}

@test "SIGHUP takes a new file and keeps the old one if it is bad; SIGTERM ends" {
	start sink mf-serve -l 127.0.0.1:0 --sink
	config 0s 127.0.0.1:1
	mkfifo in
	mf-notify -v -d d -c am.yml <in 2>err 3>&- &
	pid=$!
	echo $pid >>pids
	exec 5>in
	until_ok 5 test -s d/notify/lock
	echo 'route: {' >am.yml
	kill -HUP $pid
	until_ok 5 grep -q 'am.yml:.*the old configuration stays' err
	config 0s "$address"
	kill -HUP $pid
	until_ok 5 grep -q reloaded err
	now=$(date +%s)
	batch "$now" Down firing "$now" $((now + 300)) >&5
	until_ok 5 test -s sink.out
	kill $pid
	wait $pid
	exec 5>&-
}

@test "SIGHUP takes over although the old receiver does not answer" {
	start sink mf-serve -l 127.0.0.1:0 --sink
	config 0s 127.0.0.1:1
	sed -i 's/group_interval: 1m/group_interval: 1s/' am.yml
	mkfifo in
	mf-notify -v -d d -c am.yml <in 2>err 3>&- &
	pid=$!
	echo $pid >>pids
	exec 5>in
	now=$(date +%s)
	batch "$now" Down firing "$now" $((now + 300)) >&5
	until_ok 5 grep -q 'will be tried again' err
	sed -i "s/127.0.0.1:1/$address/" am.yml
	kill -HUP $pid
	until_ok 5 test -s sink.out
	grep -q 'given up after' err
	exec 5>&-
	wait $pid || [ $? -eq 1 ]
}

@test "a receiver that is away: status 1, sent later, its URL not told" {
	start sink mf-serve -l 127.0.0.1:0 --sink
	config 0s 127.0.0.1:1
	batch 1700000060 Down firing 1700000060 1700000400 >in
	run -1 --separate-stderr mf-notify -1 --now 1700000060 -d d -c am.yml <in
	echo "$stderr"
	[[ $stderr == *"receiver hook, webhook[0]: given up after 1 attempt:"* ]]
	config 0s "$address"
	mf-notify -1 --now 1700000110 -d d -c am.yml </dev/null
	[ ! -s sink.out ]
	mf-notify -1 --now 1700000120 -d d -c am.yml </dev/null
	[ "$(wc -l <sink.out)" -eq 1 ]
}

@test "silences are obeyed as soon as they stand in the file" {
	start sink mf-serve -l 127.0.0.1:0 --sink
	config 0s "$address"
	mkdir -p d/notify
	echo '# SILENCE {id="1",createdBy="me",comment="x"} 1700000000000 matchers="alertname=\"Down\"" startsAt=1700000000000 endsAt=1700000100000' \
	    >d/notify/silences
	batch 1700000060 Down firing 1700000060 1700000400 |
	    mf-notify -1 --now 1700000060 -d d -c am.yml
	[ ! -s sink.out ]
	mf-notify -1 --now 1700000120 -d d -c am.yml </dev/null
	[ "$(wc -l <sink.out)" -eq 1 ]
}

@test "bad lines are said and cost themselves; other lines are passed over" {
	{
		batch 1700000060 Up firing 1700000060 1700000400 |
		    sed '2i this is = no line'
		echo 'up{job="x"} 1'
		echo '# ALERT {} {} 1700000061000 state=firing startsAt=1'
	} >in
	run -1 --separate-stderr mf-notify --replay -n -c am.yml <in
	echo "$output$stderr"
	[[ $stderr == *stdin:2:* ]]
	[[ $stderr == *"at least one label pair required"* ]]
	[ "${#lines[@]}" -eq 1 ]
}

@test "a closed stdout is noticed" {
	batch 1700000060 Up firing 1700000060 1700000400 >in
	run -1 --separate-stderr bash -c 'mf-notify --replay -n -c am.yml <in >/dev/full'
	[[ $stderr == *"No space left"* ]]
}

@test "a Secret's key, base64 and placeholders are read" {
	start sink mf-serve -l 127.0.0.1:0 --sink
	cat >plain.yml <<-'EOF'
	global: {slack_api_url: '${the hook}'}
	route: {receiver: s, group_wait: 0s}
	receivers: [{name: s, slack_configs: [{channel: '${chan}'}]}]
	EOF
	cat >secret.yaml <<-EOF
	apiVersion: v1
	kind: Secret
	metadata: {name: s}
	data:
	  am.yaml: $(base64 -w0 plain.yml)
	EOF
	batch 1700000060 Down firing 1700000060 1700000400 |
	    mf-notify -1 --now 1700000060 -d d -c secret.yaml:am.yaml \
	        --set "the hook=http://slack.test/hook" --set 'chan=#a' \
	        --connect-to "slack.test:80:$address" \
	        --external-url http://am.example.org:9093
	echo '{"channel":"#a","username":"Alertmanager","attachments":[{"title":"[FIRING:1]  (Down 1)","title_link":"http://am.example.org:9093/#/alerts?receiver=s","text":"","fallback":"[FIRING:1]  (Down 1) | http://am.example.org:9093/#/alerts?receiver=s","callback_id":"","footer":"","color":"danger","mrkdwn_in":["fallback","pretext","text"]}]}' |
	    diff - sink.out
}

@test "routes and render" {
	cat >am.yml <<-'EOF'
	route:
	  receiver: all
	  routes:
	  - {receiver: db, matchers: ['team=~"db|sql"'], continue: true}
	  - {receiver: crit, matchers: [severity=critical], group_by: ['...']}
	receivers: [{name: all}, {name: db}, {name: crit}]
	EOF
	run -0 mf-notify routes -c am.yml
	[ "${lines[0]}" = '{} receiver=all group_by=[] group_wait=30s group_interval=5m repeat_interval=4h' ]
	[ "${lines[1]}" = '  {team=~"db|sql"} receiver=db group_by=[] group_wait=30s group_interval=5m repeat_interval=4h continue' ]
	run -0 mf-notify routes -c am.yml team=sql severity=critical
	[ "$output" = $'db\ncrit' ]
	run -0 mf-notify routes -c am.yml team=web
	[ "$output" = all ]
	data='{"receiver":"r","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"X"}}]}'
	[ "$(echo "$data" | mf-notify render -c am.yml '{{ range .Alerts }}{{ .Labels.alertname | toLower }}{{ end }}')" = x ]
	run -2 --separate-stderr mf-notify render -c am.yml '{{ .Nope }}' <<<"$data"
	[[ $stderr == *"can't evaluate field Nope in type template.Data"* ]]
	run -2 --separate-stderr mf-notify render -c am.yml '{{ if }}' <<<"$data"
	[[ $stderr == "mf-notify: "*"missing value for if"* ]]
	run -1 --separate-stderr mf-notify render -c am.yml '{{ .Status }}' <<<'{"al'
	[ "$output" = "" ]
}

@test "what is no text is refused in a few lines, a place in each" {
	yes '}{' | head -n 1000 >junk
	run -1 --separate-stderr mf-notify -1 -n -c am.yml <junk
	[ "${#stderr_lines[@]}" -eq 21 ]
	[[ ${stderr_lines[0]} == "mf-notify: stdin:1:1: "* ]]
	[[ ${stderr_lines[20]} == *": 980 more lines like these" ]]
}

@test "template files: globs beside the configuration, later ones win" {
	mkdir -p etc/t
	echo '{{ define "slack.default.title" }}one{{ end }}' >etc/t/1.tmpl
	echo '{{ define "slack.default.title" }}two {{ .Status }}{{ end }}' >etc/t/2.tmpl
	cat >etc/am.yml <<-'EOF'
	templates: ['t/*.tmpl', nothing/*.tmpl]
	route: {receiver: s, group_wait: 0s}
	receivers: [{name: s, slack_configs: [{api_url: 'http://x/', text: t}]}]
	EOF
	batch 1700000060 Down firing 1700000060 1700000400 |
	    mf-notify --replay -n -c etc/am.yml >out
	grep -q '"title":"two firing"' out
	# In a manifest a template is another key.
	cat >m.yaml <<-'EOF'
	apiVersion: v1
	kind: ConfigMap
	metadata: {name: m}
	data:
	  am.yml: |
	    templates: [/etc/am/x.tmpl]
	    route: {receiver: s, group_wait: 0s}
	    receivers: [{name: s, slack_configs: [{api_url: 'http://x/'}]}]
	  x.tmpl: |
	    {{ define "slack.default.title" }}three{{ end }}
	EOF
	batch 1700000060 Down firing 1700000060 1700000400 |
	    mf-notify --replay -n -c m.yaml:am.yml >out
	grep -q '"title":"three"' out
}

@test "many groups at once take no square of time" {
	{
		echo '# BATCH {} 1700000000000'
		awk 'BEGIN { for (i = 0; i < 12000; i++)
			printf "# ALERT {alertname=\"A%d\"} {} 1700000000000" \
			    " state=firing activeAt=1 startsAt=1" \
			    " endsAt=1700000900000 value=1\n", i }'
		echo '# EOF'
	} >many
	time timeout 30 mf-notify --replay -n -c am.yml -d n <many >out
	[ "$(wc -l <out)" -eq 12000 ]
}
