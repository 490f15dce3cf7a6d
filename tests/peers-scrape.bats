#!/usr/bin/env bats
# Debian's Prometheus and mf-scrape are given one configuration and the same
# targets, once a second for MF_PEERS_S seconds (10; make soak: 600), and must
# have the same series with the same labels, the same values of pages that stay
# as they are, and the same opinion of what has ended.
bats_require_minimum_version 1.5.0

load helpers

setup() {
	peers=${MF_PEERS:-$BATS_TEST_DIRNAME/../build/peers}
	peers=$(cd "$peers" 2>/dev/null && pwd) ||
	    skip "no peers here: make peers"
	PATH=$peers/usr/bin:$PATH
	command -v prometheus >/dev/null ||
	    skip "prometheus was not unpacked: make peers"
	cd "$BATS_TEST_TMPDIR" || return 1
	seconds=${MF_PEERS_S:-10}
}
teardown() { stop_all; }

plain='# HELP a_total What it is.
# TYPE a_total counter
a_total{b="c",d="e\\f\"g\nh"} 1027
a_total{b=""} 3
# TYPE h histogram
h_bucket{le="0.5"} 1
h_bucket{le="1"} 2
h_bucket{le="+Inf"} 3
h_sum 4.25
h_count 3
# TYPE s summary
s{quantile="0.5"} 1
s{quantile="1"} NaN
s_sum -0
s_count 1e+22
g -Inf
g 5
'
labels='x{job="own",instance="",exported_job="was"} 1
x{env="own",exported_env="1",exported_exported_env="2"} 2
x{instance="other",zone="z"} 3
'
noisy='go_threads 7
http_requests{code="200",pod="a"} 1
http_requests{code="200",pod="b"} 2
http_requests{code="404",pod="a"} 3
old_name{keep="me"} 4
tmp_x 5
'

pages() {
	local now=$(($(date +%s) * 1000))
	start app mf-serve -l 127.0.0.1:0 -g "/plain=$plain" \
	    -g "/labels=$labels" -g "/noisy=$noisy" -g "/empty=" \
	    -g "/stamped=t1 1 $now
t1{u=\"v\"} 2 $((now - 1000))
t2 3" -g "/long=aaaaaaaaaaaaaaaa{bbbbbbbbbbbbbbbbbbbb=\"c\"} 1
b 1" -g "/wide=a 1
b{a=\"1\",b=\"2\",c=\"3\",d=\"4\"} 1
c 1" -g "/value=a{b=\"0123456789abcdefghijklmnopqrstuvwxyz\"} 1" \
	    -g "/bad=a 1
b one"
	app=$address
}

# vanishing PAGE: a server that can be replaced by another on the same port.
vanishing() {
	start later mf-serve -l "127.0.0.1:${later_port:-0}" -g "/v=$1"
	later_port=${address##*:}
}

config() {
	free_port
	down=$port
	cat >p.yml <<-END
	global: {scrape_interval: 1s, scrape_timeout: 1s,
	  external_labels: {cluster: c}}
	scrape_configs:
	- job_name: plain
	  metrics_path: /plain
	  static_configs:
	  - {targets: ['$app'], labels: {env: prod, zone: eu}}
	- job_name: empty
	  metrics_path: /empty
	  static_configs: [{targets: ['$app']}]
	- job_name: bad
	  metrics_path: /bad
	  static_configs: [{targets: ['$app']}]
	- job_name: down
	  static_configs: [{targets: ['127.0.0.1:$down']}]
	- job_name: honor
	  honor_labels: true
	  metrics_path: /labels
	  static_configs:
	  - {targets: ['$app'], labels: {env: prod, zone: eu}}
	- job_name: clash
	  metrics_path: /labels
	  static_configs:
	  - {targets: ['$app'], labels: {env: prod, zone: eu}}
	- job_name: params
	  params: {a: ['1', '2'], 'b c': ['x y&z']}
	  metrics_path: /plain
	  static_configs: [{targets: ['$app']}]
	  relabel_configs:
	  - {source_labels: [__param_a, __scheme__], target_label: a}
	  - {target_label: __param_d, replacement: e}
	  - {source_labels: [__scrape_interval__], target_label: every}
	- job_name: relabel
	  static_configs:
	  - targets: ['$app', 'drop.example:1', 'odd.example:1']
	    labels: {__meta_service_name: Web, __meta_service_tier: front, team: ops}
	  - {targets: ['$app'], labels: {team: dev, second: 'yes'}}
	  relabel_configs:
	  - {source_labels: [__address__], regex: 'drop.*', action: drop}
	  - {source_labels: [__address__], regex: '127.*', action: keep}
	  - {regex: '__meta_service_(.+)', replacement: 'svc_\$1', action: labelmap}
	  - {source_labels: [svc_name], target_label: svc_name, action: lowercase}
	  - {source_labels: [svc_tier], target_label: svc_tier, action: uppercase}
	  - {source_labels: [team, job], separator: '/', target_label: path}
	  - {source_labels: [path], regex: '(.)(.*)/(?P<j>.*)', target_label: 'x_\${j}', replacement: '\$2-\$1'}
	  - {source_labels: [__address__], modulus: 7, target_label: shard, action: hashmod}
	  - {regex: second, action: labeldrop}
	  - {target_label: __metrics_path__, replacement: /noisy}
	- job_name: metrics
	  metrics_path: /noisy
	  static_configs: [{targets: ['$app'], labels: {team: ops}}]
	  metric_relabel_configs:
	  - {source_labels: [__name__], regex: 'go_.*', action: drop}
	  - {source_labels: [__name__], regex: 'old_(.*)', target_label: __name__, replacement: 'new_\$1'}
	  - {source_labels: [__name__, code], regex: 'http_requests;4..', target_label: class, replacement: client}
	  - {regex: pod, action: labeldrop}
	  - {source_labels: [team], regex: ops, target_label: empty}
	  - {source_labels: [team], target_label: __tmp_team}
	  - {source_labels: [__tmp_team], target_label: squad}
	- job_name: bare
	  metrics_path: /noisy
	  static_configs: [{targets: ['$app']}]
	  metric_relabel_configs:
	  - {regex: __name__, action: labeldrop}
	- job_name: stamped
	  metrics_path: /stamped
	  static_configs: [{targets: ['$app']}]
	- job_name: unstamped
	  honor_timestamps: false
	  metrics_path: /stamped
	  static_configs: [{targets: ['$app']}]
	- job_name: samples
	  sample_limit: 5
	  metrics_path: /noisy
	  static_configs: [{targets: ['$app']}]
	- job_name: samples_after
	  sample_limit: 5
	  metrics_path: /noisy
	  static_configs: [{targets: ['$app']}]
	  metric_relabel_configs:
	  - {source_labels: [__name__], regex: tmp_x, action: drop}
	- job_name: body
	  body_size_limit: 64B
	  metrics_path: /noisy
	  static_configs: [{targets: ['$app']}]
	- job_name: names
	  label_name_length_limit: 15
	  metrics_path: /long
	  static_configs: [{targets: ['$app']}]
	- job_name: values
	  label_value_length_limit: 30
	  metrics_path: /value
	  static_configs: [{targets: ['$app']}]
	- job_name: labels
	  label_limit: 6
	  metrics_path: /wide
	  static_configs: [{targets: ['$app']}]
	- job_name: crowd
	  target_limit: 1
	  metrics_path: /plain
	  static_configs: [{targets: ['$app', '$app', 'localhost:${app##*:}']}]
	- job_name: vanishing
	  metrics_path: /v
	  static_configs: [{targets: ['127.0.0.1:$later_port']}]
	- job_name: found
	  metrics_path: /noisy
	  file_sd_configs: [{files: ['sd.json']}]
	  relabel_configs:
	  - {source_labels: [__meta_filepath], regex: '.*/(.*)', target_label: file}
	END
	found 1 2
}

# found N...: what file discovery finds.
found() {
	local n
	for n; do
		printf '{"targets": ["%s"], "labels": {"n": "%s"}},' "$app" "$n"
	done | sed 's/^/[/; s/,$/]/' >sd.tmp
	mv sd.tmp sd.json
}

node() {
	command -v prometheus-node-exporter >/dev/null || return 0
	free_port
	prometheus-node-exporter --web.listen-address="127.0.0.1:$port" \
	    >node.out 2>&1 3>&- &
	echo $! >>pids
	until_ok 10 curl -sf -o /dev/null "http://127.0.0.1:$port/metrics"
	cat >>p.yml <<-END
	- job_name: node
	  params: {'collect[]': [cpu, meminfo, loadavg, filesystem]}
	  static_configs: [{targets: ['127.0.0.1:$port']}]
	END
}

# has EXPR: does Prometheus have an answer?
has() {
	curl -sfG "http://127.0.0.1:$prom/api/v1/query" \
	    --data-urlencode "query=$1" | grep -q '"metric"'
}

# same EXPR OPTION...: what both have, in a form that can be compared.
same() {
	local expr=$1
	shift
	mf-eval -u "http://127.0.0.1:$prom" --now "$now" "$expr" >prom.raw
	mf-eval --in stream --now "$now" "$expr" >mf.raw
	for f in prom mf; do
		awk "$@" -f "$BATS_TEST_DIRNAME/same-series.awk" $f.raw |
		    LC_ALL=C sort -u >$f.series
	done
	[ "$(wc -l <mf.series)" -gt 150 ]
	echo "# $(wc -l <mf.series) series of $expr" >&3
	diff prom.series mf.series
}

@test "Prometheus and mf-scrape make the same of the same targets" {
	pages
	vanishing 'v1 1
v2{a="b"} 2'
	config
	node
	promtool check config p.yml
	free_port
	prom=$port
	prometheus --config.file=p.yml --storage.tsdb.path=tsdb \
	    --web.listen-address="127.0.0.1:$prom" >prom.out 2>&1 3>&- &
	echo $! >>pids
	mf-scrape -c p.yml -d data >stream 2>scrape.err 3>&- &
	scrape=$!
	echo $! >>pids
	# Its discovery tells what it has found every 5 s, at first too.
	until_ok 20 has 'up{job="vanishing"} == 1'
	until_ok 20 has 'up{job="found",n="1"} == 1'
	sleep $(((seconds - 6) / 2))
	kill "$pid_later"
	wait "$pid_later" || :
	vanishing 'v2{a="b"} 3
v3 4'
	found 2 3
	until_ok 20 has 'up{job="found",n="3"} == 1'
	until_ok 20 has 'absent(up{job="found",n="1"})'
	sleep $(((seconds - 6) / 2))
	now=$(date +%s)
	sleep 1
	kill "$scrape"
	wait "$scrape"
	# All that were ever seen, and what of that lives, with its values.
	same 'last_over_time({__name__=~".+"}[20m])'
	same '{__name__=~".+"}' -v values=1 -v 'live=job="node"'
	grep -q '^v3' mf.series
	run -1 grep '^v1' mf.series
	grep -q 'job="found",n="3"' mf.series
	run -1 grep 'job="found",n="1"' mf.series
}
