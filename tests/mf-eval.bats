#!/usr/bin/env bats
# mf-eval: expressions and rules over text, stores and engines; what is wrong.
bats_require_minimum_version 1.5.0

load helpers
setup() { cd "$BATS_TEST_TMPDIR" || return 1; }
teardown() { stop_all; }

rules() {
	cat >rules.yml <<-'E'
	groups:
	- name: g
	  interval: 15s
	  rules:
	  - record: job:requests:rate
	    expr: sum by (job) (rate(requests_total[1m]))
	  - alert: Down
	    expr: up == 0
	    for: 15s
	    labels: {severity: page}
	    annotations: {summary: '{{ $labels.instance }} is down'}
	E
}

@test "help, version, usage" {
	run -0 mf-eval --help
	[[ ${lines[0]} == "usage: mf-eval "* ]]
	run -0 mf-eval -V
	run -2 mf-eval
	run -2 mf-eval --nope
	run -2 mf-eval -o xml 1
	run -2 mf-eval -i 0s 1
	run -2 mf-eval --step 0s -s -1h 1
	run -2 mf-eval -s now -e -1h 1
	run -2 mf-eval -s yester 1
	run -2 mf-eval -r rules.yml up
}

@test "an instant answer is a batch" {
	run -0 mf-eval --now 5 '1 + 1' '"a\nb"' 'vector(1)'
	[ "$output" = '# BATCH {expr="1 + 1"} 5000
_ 2 5000
# EOF
# BATCH {expr="\"a\\nb\""} 5000
# STRING "a\nb" 5000
# EOF
# BATCH {expr="vector(1)"} 5000
_ 1 5000
# EOF' ]
}

@test "a range goes series by series" {
	rounds >in
	run -0 mf-eval --in in --now 1700000030 -s -15s --step 15s \
	    '{__name__=~"up|requests_total"}'
	[ "$output" = '# BATCH {expr="{__name__=~\"up|requests_total\"}"} 1700000030000 from=1700000015000 to=1700000030000 step=15000
requests_total{instance="a:1",job="x"} 30 1700000015000
requests_total{instance="a:1",job="x"} 60 1700000030000
up{instance="a:1",job="x"} 1 1700000015000
up{instance="a:1",job="x"} 0 1700000030000
# EOF' ]
}

@test "input: a pipe, a file, a replay, a store" {
	rounds >in
	mf-store append -d d <in
	rounds | mf-eval --now 1700000045 up >a
	mf-eval --now 1700000045 up <in >b
	mf-eval --in in --replay up >c
	mf-eval -d d --now 1700000045 up </dev/null >d.out
	mkdir e
	MF_DIR=$PWD/d mf-eval --now 1700000045 up </dev/null >f
	for i in b c d.out f; do diff a $i; done
	grep -qx 'up{instance="a:1",job="x"} 0 1700000045000' a
	# In replay -i ticks with the stream, at multiples of the interval.
	run -0 mf-eval --in in --replay -i 20s up
	[[ $output == *'x"} 1 1700000000000
'*'x"} 1 1700000020000
'*'x"} 0 1700000040000
'* ]]
	printf '# TYPE up gauge\nup 1 1700000045.5\n# EOF\n' >page.om
	run -0 mf-eval --in page.om --now 1700000046 up
	[[ $output == *'up 1 1700000046000'* ]]
}

@test "answers go into the store with -w, if they have a name" {
	rounds >in
	mf-store append -d d <in
	mf-eval -w -d d --now 1700000045 \
	    'label_replace(sum(up), "__name__", "up:sum", "", "")' >out
	grep -qx 'up:sum 0 1700000045000' out
	run -0 mf-eval -d d --now 1700000050 up:sum
	[[ $output == *'up:sum 0 1700000050000'* ]]
	run -1 --separate-stderr mf-eval -w -d d --now 1700000045 'sum(up)'
	[[ $stderr == *"not stored"* ]]
	# A dry run writes nothing.
	mf-eval -w -n -d d --now 1700000045 'label_replace(up, "__name__", "no", "", "")'
	run -3 mf-eval --exit-status -d d --now 1700000045 no
	# Rules over a stream write there, and make what is missing.
	rules
	mf-eval --replay -w -r rules.yml -d e <in >out
	mf-store select -d e | grep -E '^(# STALE|[a-zA-Z_])' |
	    diff <(grep -E '^(# STALE|[a-zA-Z_])' out) -
}

@test "the time of an expression" {
	rounds >in
	mf-store append -d d <in
	run -0 mf-eval -d d -e 1700000015 up
	[[ $output == *'x"} 1 1700000015000'* ]]
	run -3 mf-eval -d d --exit-status -e 1700000400 up
	run -0 mf-eval -d d --exit-status --lookback 10m -e 1700000400 up
	run -0 mf-eval -d d --now 1700000400 -s -7m -e -6m --step 30s 'count(up)'
	[ "$(grep -c '^_ 1' <<<"$output")" -eq 2 ]
	mf-eval -d d -i 100ms 'time()' >out &
	p=$!
	echo $p >>pids
	until_ok 5 eval '[ "$(grep -c ^_ out)" -ge 3 ]'
	kill -TERM $p
	wait $p
}

@test "more than 11,000 points are too many, before anything is read" {
	run -2 --separate-stderr mf-eval -s 0 -e 11001 --step 1s 'vector(1)'
	[[ $stderr == *"--step: more than 11000 points"* ]]
	run -0 mf-eval -s 0 -e 11000 --step 1s 'vector(1)'
	run -2 --separate-stderr mf-eval -s -8e15 -e 8e15 'vector(1)'
	[[ $stderr == *"too far from the end"* ]]
	run -2 --separate-stderr mf-eval --step 0s -s 0 -e 9 'vector(1)'
	[[ $stderr == *"--step: must not be 0"* ]]
	run -2 --separate-stderr mf-eval -u http://x --connect-to a:1 up
	[[ $stderr == *"HOST:PORT:HOST:PORT"* ]]
}

@test "other forms of an answer" {
	rounds >in
	run -0 mf-eval --in in --replay -o json up
	[ "$output" = '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","instance":"a:1","job":"x"},"value":[1700000045,"0"]}]}}' ]
	run -0 mf-eval --now 1.5 -o json 2.5
	[ "$output" = '{"status":"success","data":{"resultType":"scalar","result":[1.5,"2.5"]}}' ]
	run -0 mf-eval --in in --replay -o json -s -15s --step 15s up
	[[ $output == *'"resultType":"matrix"'*'"values":[[1700000030,"0"],[1700000045,"0"]]'* ]]
	run -0 mf-eval --in in --replay -o csv up 1
	[ "$output" = 'expr,time,series,value
up,2023-11-14T22:14:05Z,"up{instance=""a:1"", job=""x""}",0
1,2023-11-14T22:14:05Z,{},1' ]
	run -0 mf-eval --in in --replay -o tsv up
	[ "${lines[1]}" = "$(printf '2023-11-14T22:14:05Z\tup{instance="a:1", job="x"}\t0')" ]
}

@test "an engine somewhere else is asked" {
	rounds >in
	mf-store append -d d <in
	start engine mf-serve -l 127.0.0.1:0 -d d
	mf-eval -u "http://$address" --now 1700000045 'rate(requests_total[1m])' >a
	mf-eval -d d --now 1700000045 'rate(requests_total[1m])' >b
	diff a b
	cat >ds.yml <<-E
	apiVersion: 1
	datasources:
	- name: p
	  type: prometheus
	  url: http://prom.test:9090
	E
	mf-eval -u ds.yml --connect-to "prom.test:9090:$address" \
	    -s 1700000000 -e 1700000045 --step 15s up >a
	mf-eval -d d -s 1700000000 -e 1700000045 --step 15s up >b
	diff a b
	run -1 mf-eval -u http://127.0.0.1:1 up
	run -2 mf-eval -u nowhere.yml up
	rules
	run -2 --separate-stderr mf-eval -1 -r rules.yml -u "http://$address"
	[[ $stderr == *"rules need samples"* ]]
}

@test "bad input and its status" {
	rounds >in
	run -2 --separate-stderr mf-eval 'sum(' </dev/null
	[[ $stderr == "mf-eval: 'sum(': 1:5: parse error: "* ]]
	run -1 mf-eval --in nowhere up
	run -1 --separate-stderr mf-eval -d nowhere up
	[[ $stderr == *nowhere/store* ]]
	[ ! -e nowhere ] && [ ! -e mf-data ]
	sed '3i bad = line' in >bad
	run -1 --separate-stderr mf-eval --in bad --replay up
	[[ $stderr == *bad:3:* ]]
	[[ $output == *'x"} 0 1700000045000'* ]]
	run -1 mf-eval --strict --in bad --replay up
	[[ $output != *EOF* ]]
	head -n -1 in >cut
	run -1 --separate-stderr mf-eval --in cut --replay up
	[[ $output == *1700000030000* ]]
	run -1 --separate-stderr mf-eval --in in --replay \
	    'up * on (job) group_left up * on (nope) {job="x"}'
	[[ $stderr == *"many-to-many"* || $stderr == *"duplicate series"* ]]
	run -3 mf-eval --exit-status --in in --replay nope
	run -0 mf-eval --exit-status --in in --replay nope up
	run -1 bash -c 'mf-eval 1 >/dev/full'
}

@test "rules in replay: pending, firing, resolved, recorded" {
	rules
	{
		rounds
		t=1700000060000
		printf '# BATCH {instance="a:1",job="x"} %s\n' $t
		printf 'up{instance="a:1",job="x"} 1 %s\n# EOF\n' $t
	} | mf-eval --replay -r rules.yml -e 1700000090 \
	    --external-url http://p/ >out
	[ ! -e mf-data/store ]
	grep '^# ALERT' out >alerts
	[ "$(grep -o 'state=[a-z]*' alerts)" = 'state=pending
state=firing
state=resolved' ]
	grep -q '^# ALERT {alertname="Down",instance="a:1",job="x",severity="page"} {summary="a:1 is down"} [0-9]* state=firing activeAt=[0-9]* startsAt=[0-9]* endsAt=[0-9]* value=0 generatorURL="http://p/graph?g0.expr=up+%3D%3D+0&g0.tab=1"$' alerts
	grep -q '^job:requests:rate{job="x"} ' out
	grep -q '^# STALE ALERTS{alertname="Down",alertstate="firing",' out
	grep -qx '# TYPE ALERTS gauge' out
	[ "$(grep -c '^# BATCH {rule_file="rules.yml",rule_group="g"}' out)" -eq 6 ]
}

@test "cron and a rule that is taken away" {
	rules
	rounds | mf-store append -d d
	t=1700000030
	for i in 0 15 15 30 45; do
		mf-eval -1 -w -r rules.yml -d d --now $((t + i)) >>out
	done
	[ "$(grep -c '^# BATCH' out)" -eq 4 ]
	[ "$(grep '^# ALERT' out | grep -o 'state=[a-z]*')" = 'state=pending
state=firing' ]
	mf-eval -d d --now $((t + 30)) ALERTS | grep -q 'alertstate="firing"'
	sed -i '/alert: Down/,$d' rules.yml
	mf-eval -1 -w -r rules.yml -d d --now $((t + 60)) >gone
	grep -q '^# ALERT .*state=resolved' gone
	mf-eval -1 -w -r rules.yml -d d --now $((t + 75)) >gone
	run ! grep -q '^# ALERT' gone
	run ! grep -q Down d/rules/state
	mf-eval -d d --now $((t + 75)) ALERTS >a
	run ! grep -q '^ALERTS' a
}

@test "a stream and no clock: -1 reads to the end" {
	rules
	rounds | mf-eval -1 -n -r rules.yml --now 1700000050 >out
	grep -q '^# ALERT .*state=pending' out
	[ ! -e mf-data ]
}

@test "for goes on over kill -9; HUP reloads; TERM ends" {
	cat >p.yml <<-'E'
	global: {evaluation_interval: 200ms, external_labels: {site: s}}
	rule_files: [r*.yml]
	E
	cat >r.yml <<-'E'
	groups:
	- name: g
	  rules:
	  - record: one
	    expr: 1
	  - alert: A
	    expr: vector(1)
	    for: 1s
	E
	mf-eval -w -c p.yml -d d >out 2>err </dev/null 3>&- &
	p=$!
	echo $p >>pids
	until_ok 5 grep -q state=pending out
	# What is printed is remembered a moment later.
	until_ok 5 grep -qs 'alertname="A"' d/rules/state
	kill -9 $p
	wait $p || :
	mf-eval -w -c p.yml -d d >out2 2>err </dev/null 3>&- &
	p=$!
	echo $p >>pids
	until_ok 5 grep -q state=firing out2
	a=$(grep -o 'activeAt=[0-9]*' out | tail -n 1)
	grep -q "^# ALERT {alertname=\"A\",site=\"s\"} {} .*state=firing $a " out2
	run -1 --separate-stderr mf-eval -1 -c p.yml -d d
	[[ $stderr == *"process $p"* ]]
	sed -i '/alert: A/,$d' r.yml
	kill -HUP $p
	until_ok 5 grep -q state=resolved out2
	echo oops >>r.yml
	kill -HUP $p
	until_ok 5 grep -q 'stay as they were' err
	kill -TERM $p
	wait $p
	mf-eval -d d --now now 'count_over_time(one[5s])' | grep -q '^_ '
}

@test "a live stream: a slot comes with the first batch behind it" {
	cat >r.yml <<-'E'
	groups:
	- name: g
	  interval: 1s
	  rules:
	  - record: twice
	    expr: 2 * a
	E
	now=$(date +%s)
	{
		for i in 0 1 2 3; do
			printf '# BATCH {job="x"} %s000\na %s\n# EOF\n' \
			    $((now + i)) $i
			sleep 0.1
		done
	} | mf-eval -n -r r.yml >out
	[ "$(grep -c '^twice' out)" -ge 2 ]
}

@test "check: a verdict for each file, every fault with its place" {
	rules
	cp "$BATS_TEST_DIRNAME/data/seed/prometheus-config.yaml" m.yaml
	run -0 mf-eval check rules.yml
	[ "$output" = 'rules.yml: SUCCESS: 2 rules in 1 groups found' ]
	run -0 mf-eval check -c m.yaml:prometheus.yaml \
	    --set __severity__=critical m.yaml:rules.yaml
	[ "${lines[0]}" = 'm.yaml:prometheus.yaml: SUCCESS: 1 rules in 1 groups found' ]
	cat >bad.yml <<-'E'
	groups:
	- name: g
	  rules:
	  - alert: A
	    expr: sum(
	    annotations: {a: '{{ nope }}'}
	  - record: r
	    expr: 1
	    for: 1m
	E
	run -2 --separate-stderr mf-eval check rules.yml bad.yml nowhere.yml
	[ "$output" = 'rules.yml: SUCCESS: 2 rules in 1 groups found
bad.yml: FAILED: 3 faults
nowhere.yml: FAILED' ]
	[[ $stderr == *'bad.yml:5:11: group "g": rule 1, "A": could not parse expression: 1:5: '* ]]
	[[ $stderr == *'bad.yml:6:22: '*'function "nope" not defined'* ]]
	[[ $stderr == *"bad.yml:9:10: group \"g\": rule 2, \"r\": invalid field 'for' in recording rule"* ]]
	[[ $stderr == *nowhere.yml* ]]
	run -2 mf-eval check
	run -2 mf-eval -1 -r bad.yml -d d
	[ ! -e d ]
}

@test "a foreign directory, a broken state, a state that is newer" {
	rules
	mkdir foreign
	touch foreign/letter
	run -1 --separate-stderr mf-eval --replay -r rules.yml -d foreign < <(rounds)
	[[ $stderr == *"not an mf directory"* ]]
	rounds | mf-eval --replay -r rules.yml -d d >/dev/null
	echo 'nonsense = 1' >>d/rules/state
	rounds | mf-eval --replay -r rules.yml -d d -e 1700000075 >out 2>err
	grep -q 'd/rules/state:.*' err
	run ! grep -q 17000000[0-3].* <(grep '^# BATCH' out)
	grep -q '^# ALERT .*state=firing' out
}
