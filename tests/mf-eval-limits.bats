#!/usr/bin/env bats
# What ends a query before its answer: an interrupt, time, too many samples.

setup() {
	load helpers
	cd "$BATS_TEST_TMPDIR"
	awk 'BEGIN { for (i = 0; i < 1000; i++)
		printf "x{i=\"1\"} %d %.0f\n", i, 1637582400000 + i * 15000 }' |
	    mf-store append -q -d data
	LONG='deriv(x[1h:10ms])'
}

@test "SIGINT ends a query with a message" {
	run timeout -s INT --preserve-status -k 60 2 mf-eval -d data \
	    -s 1637586000 -e 1637597000 --step 1s "$LONG"
	[ "$status" -eq 1 ]
	[ "$output" = "mf-eval: '$LONG': query was canceled in expression evaluation" ]
}

@test "too many samples are refused with upstream's words" {
	run mf-eval -d data -s 1637586000 -e 1637597000 --step 1s \
	    'count_over_time(x[4000h:1ms])'
	[ "$status" -eq 1 ]
	[[ "$output" == *"query processing would load too many samples into memory in query execution" ]]
}

@test "mf-serve: a query that takes longer than timeout= gets 503" {
	mf-serve -d data -l 127.0.0.1:0 2>err &
	pid=$!
	for _ in $(seq 800); do
		grep -q 'listening on' err && break
		sleep 0.05
	done
	addr=$(sed -n 's/.*listening on //p' err | head -n1)
	run curl -s -w '%{http_code}' -G "http://${addr#http://}/api/v1/query_range" \
	    --data-urlencode "query=$LONG" -d start=1637586000 \
	    -d end=1637597000 -d step=2 -d timeout=100ms
	kill "$pid"
	wait "$pid" || :
	[ "$output" = '{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}503' ]
}
