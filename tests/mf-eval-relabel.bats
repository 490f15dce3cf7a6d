#!/usr/bin/env bats
# mf-eval: alert_relabel_configs, applied to alerts and to nothing else.
bats_require_minimum_version 1.5.0

load helpers
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cat >r.yml <<-'E'
	groups:
	- name: g
	  interval: 15s
	  rules:
	  - alert: Down
	    expr: up == 0
	    labels: {severity: page}
	E
	for job in node db test; do
		echo "# BATCH {instance=\"$job:1\",job=\"$job\"} 1700000000000"
		echo "up{instance=\"$job:1\",job=\"$job\"} 0 1700000000000"
		echo '# EOF'
	done >in
	echo '# BATCH {x="y"} 1700000060000' >>in
	echo '# EOF' >>in
}

config() {
	cat >p.yml
	mf-eval --replay -n -c p.yml <in >out 2>err
}

alerts() { sed -n 's/^# ALERT \({[^}]*}\).*/\1/p' out | sort -u; }

@test "external labels first, then the rules in order" {
	config <<-'E'
	global: {external_labels: {replica: b, site: hq, severity: low}}
	rule_files: [r.yml]
	alerting:
	  alert_relabel_configs:
	  - {source_labels: [site, job], regex: hq;test, action: drop}
	  - {regex: replica, action: labeldrop}
	  - {source_labels: [instance], regex: '(.*):\d+', target_label: host}
	  - {source_labels: [severity], target_label: severity, action: Uppercase}
	E
	[ ! -s err ]
	[ "$(alerts)" = '{alertname="Down",host="db",instance="db:1",job="db",severity="PAGE",site="hq"}
{alertname="Down",host="node",instance="node:1",job="node",severity="PAGE",site="hq"}' ]
	# The samples are what they were.
	[ "$(grep -c '^ALERTS{alertname="Down",alertstate="firing",instance="test:1",job="test",severity="page"} 1 ' out)" -ge 1 ]
	run ! grep -q '^ALERTS.*host=' out
}

@test "all are dropped: the batches are there, alerts are not" {
	config <<-'E'
	rule_files: [r.yml]
	alerting: {alert_relabel_configs: [{action: drop}]}
	E
	grep -q '^# BATCH {rule_file="r.yml",rule_group="g"}' out
	grep -q '^ALERTS{' out
	run ! grep -q '^# ALERT' out
}

@test "an entry's own rules are not ours" {
	config <<-'E'
	rule_files: [r.yml]
	alerting:
	  alertmanagers:
	  - static_configs: [{targets: ['a:9093']}]
	    alert_relabel_configs: [{action: drop}]
	E
	[ "$(alerts | wc -l)" -eq 3 ]
}

@test "a bad rule is refused, with its place" {
	cat >p.yml <<-'E'
	rule_files: [r.yml]
	alerting:
	  alert_relabel_configs:
	  - source_labels: [a]
	    regex: 'a(b'
	    action: drop
	E
	run -2 mf-eval check -c p.yml
	[[ $output == *"mf-eval: p.yml:5:12: error parsing regexp: missing closing ): "* ]]
	[[ $output != *"not applied"* ]]
}

@test "HUP takes changed rules; a bad file leaves the old ones" {
	cat >p.yml <<-'E'
	global: {evaluation_interval: 200ms}
	rule_files: [s.yml]
	alerting: {alert_relabel_configs: [{target_label: v, replacement: one}]}
	E
	cat >s.yml <<-'E'
	groups:
	- name: g
	  rules: [{alert: A, expr: vector(1)}]
	E
	mf-eval -w --resend-delay 200ms -c p.yml -d d >out 2>err </dev/null 3>&- &
	p=$!
	echo $p >>pids
	until_ok 5 grep -q '^# ALERT {alertname="A",v="one"}' out
	sed -i 's/one/two/' p.yml
	kill -HUP $p
	until_ok 5 grep -q '^# ALERT {alertname="A",v="two"}' out
	echo 'alerting: {alert_relabel_configs: [{action: nope}]}' >p.yml
	kill -HUP $p
	until_ok 5 grep -q 'unknown relabel action "nope"' err
	n=$(grep -c '^# ALERT {alertname="A",v="two"}' out)
	more() { [ "$(grep -c '^# ALERT {alertname="A",v="two"}' out)" -gt "$n" ]; }
	until_ok 5 more
	kill $p
	wait $p
}

teardown() { stop_all; }
