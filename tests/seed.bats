#!/usr/bin/env bats
# The flow of the seed article, end to end, from its own files, in replayed
# time: every program is given its clock, so two minutes take seconds.
bats_require_minimum_version 1.5.0

load helpers
teardown() { stop_all; }

seed=$BATS_TEST_DIRNAME/data/seed

at() { echo "$(((t0 + $1 * 1000) / 1000)).$(printf %03d $(((t0 + $1 * 1000) % 1000)))"; }

scrape() {
	mf-scrape -1 --now "$(at "$1")" -d data \
	    -c "$seed/prometheus-config.yaml:prometheus.yaml" \
	    --connect-to "echo-service:80:$app" \
	    --connect-to "localhost:9090:$serve" | mf-store append -d data
}

evaluate() {
	mf-eval -1 -w --now "$(at "$1")" -d data \
	    -c "$config:prometheus.yaml" --set __severity__=critical \
	    --external-url http://prom.example.org:9090
}

notify() {
	mf-notify -1 --now "$(at "$1")" -d data \
	    -c "$seed/alertmanager-secret.yaml:alertmanager.yaml" \
	    --set "Base64 エンコードされた文字列=$(base64 -w0 "$seed/alertmanager.yaml")" \
	    --set "通知先 Slack チャンネルの Incoming Webhook URL=http://$sink/hook" \
	    --set '通知先の Slack チャンネル名=#alerts' \
	    --external-url http://am.example.org:9093
}

@test "the article's flow: counter, targets, alert, message, graph" {
	cd "$BATS_TEST_TMPDIR"
	start app mf-serve -l 127.0.0.1:0 -g '/hello=Hello, World!' \
	    --counter 'api_request_total=/hello=The total number of api called'
	app=$address
	start sink mf-serve -l 127.0.0.1:0 --sink
	sink=$address
	mkdir -p data
	start serve mf-serve -l 127.0.0.1:0 -d data \
	    --users "$seed/grafana-secret.yaml"
	serve=$address

	# The application answers with the article's newline, and counts.
	[ "$(curl -s "http://$app/hello" | od -c | head -n 1)" = \
	    "$(printf 'Hello, World!\n' | od -c | head -n 1)" ]
	curl -s "http://$app/hello" >/dev/null
	curl -s "http://$app/metrics" >page
	grep -qx '# HELP api_request_total The total number of api called' page
	grep -qx '# TYPE api_request_total counter' page
	grep -qx 'api_request_total 2' page

	# T0 is the first slot of the rule's group before 12:00.
	config=$seed/prometheus-config.yaml
	t0=1637582400000
	evaluate 0 >out
	t0=$(sed -n 's/.*activeAt=\([0-9]*\).*/\1/p' out | head -n 1)
	[ "$t0" -gt 1637582385000 ] && [ "$t0" -le 1637582400000 ]
	grep -q '^# ALERT {alertname="DeadMansSwitch",severity="critical"} .*state=pending' out
	grep -q 'summary="テストアラート"' out

	for s in 15 30 45 60 75; do
		curl -s "http://$app/hello" >/dev/null
		scrape $s
		evaluate $s >out.$s
		notify $s <out.$s
	done
	grep -q '^ALERTS{.*alertstate="pending".*} 1 ' out.45
	run ! grep 'state=firing' out.45
	grep -q "state=firing activeAt=$t0 startsAt=$((t0 + 60000))" out.60
	[ ! -s sink.out ]

	# Both targets are up.
	mf-eval -d data --now "$(at 75)" up >up
	grep -q '^up{instance="echo-service:80",job="echo"} 1 ' up
	grep -q '^up{instance="localhost:9090",job="prometheus"} 1 ' up

	# Not a second before group_wait is over, and then Alertmanager's body.
	evaluate 75 | notify 89
	[ ! -s sink.out ]
	scrape 90
	evaluate 90 | notify 90
	diff "$seed/firing.json" sink.out

	# The rule is taken away: one resolved message at the next tick.
	sed '/- alert:/,$d; s/^        rules:.*/        rules: []/' \
	    "$config" >no-rule.yaml
	config=$PWD/no-rule.yaml
	evaluate 105 >out.105
	grep -q "state=resolved .*endsAt=$((t0 + 105000))" out.105
	notify 105 <out.105
	sed -n 2p sink.out | diff "$seed/resolved.json" -
	evaluate 120 | notify 120
	[ "$(wc -l <sink.out)" -eq 2 ]

	# The graph, from the store and through the article's datasource.
	mf-plot -d data -s "$(at 15)" -e "$(at 90)" --step 15s \
	    --width 80 --height 16 api_request_total >graph
	cat graph
	grep -q api_request_total graph
	grep -q 'last 7 .*api_request_total' graph
	mf-plot -u "$seed/grafana-config.yaml" --connect-to "localhost:9090:$serve" \
	    -s "$(at 15)" -e "$(at 90)" --step 15s --width 80 --height 16 \
	    api_request_total >graph2
	diff graph graph2

	# The page asks for the Secret's user and password; the API is open.
	[ "$(curl -s -o /dev/null -w '%{http_code}' "http://$serve/graph")" = 401 ]
	curl -sf -u admin:admin "http://$serve/graph" | grep -q '<form'
	curl -sf "http://$serve/api/v1/query?query=api_request_total&time=$(at 90)" |
	    grep -q '"value":\[.*,"7"\]'
}
