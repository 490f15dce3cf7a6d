#!/usr/bin/env bats
# Side by side with real peers, unpacked (never installed) by "make peers".
bats_require_minimum_version 1.5.0

load helpers

setup() {
	peers=${MF_PEERS:-$BATS_TEST_DIRNAME/../build/peers}
	peers=$(cd "$peers" 2>/dev/null && pwd) ||
	    skip "no peers here: make peers"
	PATH=$peers/usr/bin:$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
}
teardown() { stop_all; }

need() {
	command -v "$1" >/dev/null || [ -x "$peers/$1" ] ||
	    skip "$1 was not unpacked: make peers"
}

# The samples of a page, as many as lines that are neither comment nor empty.
samples() { grep -cvE '^(#|$)' "$1"; }

# scrape_like URL: what mf-scrape makes of a page has the same samples and the
# same lint as the page itself.
scrape_like() {
	curl -sf "$1" >page
	mf-scrape -1 "$1" >scraped
	grep -q '^up{.*} 1 ' scraped
	n=$(sed -n 's/^scrape_samples_scraped{.*} \([0-9]*\) .*/\1/p' scraped)
	# Pages that describe themselves may grow a series between two looks.
	[ "$n" -ge "$(($(samples page) - 3))" ] && [ "$n" -le "$(($(samples page) + 25))" ]
	promtool check metrics <page >lint.page 2>&1 || :
	# The report series are the scraper's and carry its own lint.
	promtool check metrics <scraped >lint.scraped 2>&1 || :
	diff lint.page lint.scraped
}

@test "mf-scrape reads node_exporter as it stands" {
	need prometheus-node-exporter
	free_port
	prometheus-node-exporter --web.listen-address="127.0.0.1:$port" \
	    >node.out 2>&1 3>&- &
	echo $! >>pids
	until_ok 10 curl -sf -o /dev/null "http://127.0.0.1:$port/metrics"
	scrape_like "http://127.0.0.1:$port/metrics"
}

@test "mf-scrape reads Prometheus as it stands" {
	need prometheus
	free_port
	echo 'global: {}' >p.yml
	prometheus --config.file=p.yml --storage.tsdb.path=tsdb \
	    --web.listen-address="127.0.0.1:$port" >prom.out 2>&1 3>&- &
	echo $! >>pids
	until_ok 10 curl -sf -o /dev/null "http://127.0.0.1:$port/-/ready"
	scrape_like "http://127.0.0.1:$port/metrics"
}

@test "mf-scrape reads the article's Go application" {
	need echo
	[ -x "$peers/echo" ] || skip "the Go application was not built: make peers"
	start app "$peers/echo" 127.0.0.1:0
	[ "$(curl -sf "http://$address/hello")" = 'Hello, World!' ]
	scrape_like "http://$address/metrics"
	grep -q '^api_request_total{.*} 1 ' scraped
	grep -q '^echo_requests_total{code="200",host=' scraped
}

@test "promtool finds nothing to say about mf-serve's own pages" {
	need promtool
	start app mf-serve -l 127.0.0.1:0 -g '/hello=Hello, World!' \
	    --counter 'api_request_total=/hello=The total number of api called'
	curl -sf "http://$address/hello" >/dev/null
	curl -sf "http://$address/nothing" >/dev/null || :
	curl -sf "http://$address/metrics" >page
	run -0 promtool check metrics <page
	[ "$output" = "" ]
	start face mf-serve -l 127.0.0.1:0 -d data
	curl -sf "http://$address/metrics" >page
	run -0 promtool check metrics <page
	[ "$output" = "" ]
}

# ask EXPR: Prometheus's answer to an instant query, on $prom.
ask() { curl -sf --data-urlencode "query=$1" "http://$prom/api/v1/query"; }
has() { ask "$1" | grep -q "$2"; }

@test "Prometheus scrapes mf-serve, and a file of a whole stream" {
	need prometheus
	[ -x "$peers/echo" ] || skip "the Go application was not built: make peers"
	start app mf-serve -l 127.0.0.1:0 -g '/hello=Hello, World!' \
	    --counter 'api_request_total=/hello=The total number of api called'
	app=$address
	for _ in 1 2 3; do curl -sf "http://$app/hello" >/dev/null; done
	# Two rounds of two targets, one of them down, in one file.  Prometheus
	# takes no times an hour old, and knows a stream's comments for such.
	for _ in 1 2; do
		mf-scrape -1 "http://$app/metrics" "http://127.0.0.1:1/metrics" \
		    >>stream || :
		sleep 0.01
	done
	grep -q '^# BATCH' stream
	start files "$peers/echo" 127.0.0.1:0 "$PWD/stream"
	files=$address
	free_port
	prom=127.0.0.1:$port
	cat >p.yml <<-EOF
	global: {scrape_interval: 1s}
	scrape_configs:
	- job_name: direct
	  static_configs: [{targets: ['$app']}]
	- job_name: stream
	  honor_labels: true
	  metrics_path: /file
	  static_configs: [{targets: ['$files']}]
	EOF
	prometheus --config.file=p.yml --storage.tsdb.path=tsdb \
	    --web.listen-address="$prom" >prom.out 2>&1 3>&- &
	echo $! >>pids
	until_ok 10 curl -sf -o /dev/null "http://$prom/-/ready"
	until_ok 15 has 'api_request_total{job="direct"}' '"3"'
	until_ok 15 has "up{job=\"stream\"}" ',"1"\]'
	until_ok 5 has 'count({__name__="api_request_total"})' '"2"'
}

@test "Alertmanager sends the article's message as mf-notify does" {
	need prometheus-alertmanager
	start sink mf-serve -l 127.0.0.1:0 --sink
	sink=$address
	sed -e "s,\${通知先 Slack チャンネルの Incoming Webhook URL },http://$sink/hook," \
	    -e 's,${通知先の Slack チャンネル名},#alerts,' \
	    -e 's/^  group_interval: 5s/&\n  group_wait: 1s/' \
	    "$BATS_TEST_DIRNAME/data/seed/alertmanager.yaml" >am.yml
	sed -i "s,^templates:.*,," am.yml
	free_port
	# Debian's reads its default templates from a path of the package: give
	# it that path in a mount namespace of its own.
	unshare -m true 2>/dev/null || skip "no mount namespaces here (not root)"
	cat >am.sh <<-EOF
	mkdir -p /usr/share/prometheus &&
	mount --bind "$peers/usr/share/prometheus" /usr/share/prometheus &&
	exec prometheus-alertmanager --config.file=am.yml --storage.path=am \\
	    --web.listen-address="127.0.0.1:$port" --cluster.listen-address= \\
	    --web.external-url=http://am.example.org:9093 --web.route-prefix=/
	EOF
	unshare -m sh am.sh >am.out 2>&1 3>&- &
	echo $! >>pids
	until_ok 10 curl -sf -o /dev/null "http://127.0.0.1:$port/-/ready"
	curl -sf -H 'Content-Type: application/json' -d '[{"labels":
	    {"alertname":"DeadMansSwitch","severity":"critical"},"annotations":
	    {"summary":"テストアラート","description":"このアラートは常に発生します"}}]' \
	    "http://127.0.0.1:$port/api/v2/alerts"
	until_ok 10 test -s sink.out
	diff "$BATS_TEST_DIRNAME/data/seed/firing.json" sink.out
}
