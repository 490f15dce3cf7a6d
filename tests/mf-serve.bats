#!/usr/bin/env bats
# mf-serve: options, exits, and each thing it serves.

bats_require_minimum_version 1.5.0
load helpers

setup() {
	cd "$BATS_TEST_TMPDIR"
	umask 022
}
teardown() { stop_all; }

# status PATH [CURL-OPTION...]: the status of a GET.
status() {
	local path=$1
	shift
	curl -s -o /dev/null -w '%{http_code}' "$@" "http://$address$path"
}

@test "help, version, and wrong options" {
	run -0 --separate-stderr mf-serve -h
	[[ ${lines[0]} == usage:* && $stderr = "" ]]
	run -0 mf-serve --version
	[[ $output == "mf-serve "* ]]
	run -2 --separate-stderr mf-serve --nonsense
	[ "$output" = "" ]
	run -2 mf-serve -g /=x operand
	run -2 --separate-stderr mf-serve -g x
	[[ $stderr == "mf-serve: -g: bad route 'x': must be /PATH=TEXT" ]]
	run -2 --separate-stderr mf-serve -g /a=x --counter 'n=/b=help'
	[[ $stderr == *"there is no route '/b'"* ]]
	run -2 --separate-stderr mf-serve -g /a=x --users /nonexistent
	[[ $stderr == *"/nonexistent"* ]]
	echo 'basic_auth_users: {joe: secret}' >web.yml
	run -2 --separate-stderr mf-serve -g /a=x --web-config web.yml
	[[ $stderr == "mf-serve: web.yml:1:25: the password of 'joe' is not a bcrypt hash" ]]
	run -2 mf-serve </dev/null
}

@test "an address in use, or none" {
	start app mf-serve -l 127.0.0.1:0 -g /=x
	run -1 --separate-stderr mf-serve -l "$address" -g /=x
	[ "$stderr" = "mf-serve: cannot listen on $address: Address already in use" ]
	run -2 --separate-stderr mf-serve -l nonsense -g /=x
	[[ $stderr == *"bad address 'nonsense'"* ]]
	run -2 mf-serve -l 127.0.0.1:99999 -g /=x
}

@test "the application of the article, and SIGTERM" {
	start app mf-serve -l 127.0.0.1:0 -g '/hello=Hello, World!' \
	    --counter 'api_request_total=/hello=The total number of api called'
	[ "$(head -n 1 app.err)" = "listening on $address" ]
	curl -s "http://$address/hello" | cmp - <(echo 'Hello, World!')
	curl -s "http://$address/hello" >/dev/null
	[ "$(status /nothing)" = 404 ]
	curl -s "http://$address/metrics" >page
	grep -qx '# HELP api_request_total The total number of api called' page
	grep -qx '# TYPE api_request_total counter' page
	grep -qx 'api_request_total 2' page
	grep -q 'echo_requests_total{code="200",host="'"$address"'",method="GET",url="/hello"} 2' page
	grep -q '^process_resident_memory_bytes [0-9]' page
	curl -s --compressed "http://$address/metrics" | grep -qx 'api_request_total 2'
	[ "$(status /graph)" = 404 ]
	kill "$pid_app"
	wait "$pid_app"
	[ "$(wc -l <app.err)" -eq 1 ]
}

@test "a request at work is finished before the end" {
	start sink mf-serve -l 127.0.0.1:0 --sink
	fds() { ls "/proc/$pid_sink/fd" | wc -l; }
	before=$(fds)
	exec 6<>"/dev/tcp/${address%:*}/${address##*:}"
	printf 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc' >&6
	accepted() { [ "$(fds)" -gt "$before" ]; }
	until_ok 2 accepted
	sleep 0.2
	kill "$pid_sink"
	sleep 0.2
	printf 'def' >&6
	timeout 30 cat <&6 >answer
	exec 6>&-
	wait "$pid_sink"
	grep -q '200 OK' answer
	[ "$(cat sink.out)" = abcdef ]
}

@test "-v tells each request, and nothing that moves a cursor" {
	start app mf-serve -v -l 127.0.0.1:0 -g /a=x
	curl -s "http://$address/a?secret=1" "http://$address/%c2%9b31m" >/dev/null
	[ "$(head -n 1 app.err)" = "listening on $address" ]
	grep -qx 'mf-serve: 127.0.0.1 GET /a: 200, 2 bytes' app.err
	grep -qF 'GET /\xc2\x9b31m: 404' app.err
	run ! grep -q secret app.err
}

@test "files at /metrics, read again when they change" {
	printf '# HELP a_total A.\n# TYPE a_total counter\na_total{x="1"} 1\n' >a.prom
	start files mf-serve -l 127.0.0.1:0 -m a.prom
	curl -s "http://$address/metrics" | grep -qx 'a_total{x="1"} 1'
	printf '# TYPE a_total counter\na_total{x="1"} 22\n' >a.prom
	curl -s "http://$address/metrics" | grep -qx 'a_total{x="1"} 22'
	rm a.prom
	curl -s "http://$address/metrics" >page
	run ! grep -q a_total page
	grep -q 'mf_serve_file_up{file="a.prom"} 0' page
	run -1 --separate-stderr mf-serve -l 127.0.0.1:0 -m a.prom
	[[ $stderr == *"a.prom: No such file or directory" ]]
	mkfifo fifo
	run -1 mf-serve -l 127.0.0.1:0 -m fifo
	printf 'good 1\nbad bad bad\n' >b.prom
	start bad mf-serve -l 127.0.0.1:0 -m b.prom
	curl -s "http://$address/metrics" | grep -qx 'good 1'
	grep -q '^mf-serve: b.prom:2:' bad.err
}

@test "a stream on stdin, regrouped; its end is the end" {
	mkfifo in
	mf-serve -l 127.0.0.1:0 <in >out 2>err 3>&- &
	pid=$!
	echo "$pid" >>pids
	exec 4>in
	until_ok 2 listening err
	cat >&4 <<-EOF
	# BATCH {instance="a"} 1637582400000
	# TYPE up gauge
	up{instance="a"} 1 1637582400000
	# EOF
	# BATCH {instance="b"} 1637582400000
	# TYPE up gauge
	up{instance="b"} 0 1637582400000
	# EOF
	EOF
	page() { curl -s "http://$address/metrics" | tee page | grep -q '^up{instance="b"} 0$'; }
	until_ok 3 page
	[ "$(grep -c '^# TYPE up gauge' page)" -eq 1 ]
	grep -qx 'up{instance="a"} 1' page
	exec 4>&-
	wait "$pid"
}

@test "a page on stdin as a file stays" {
	printf 'x 1\n' >page
	mf-serve -l 127.0.0.1:0 <page >out 2>err 3>&- &
	echo $! >>pids
	until_ok 2 listening err
	sleep 0.1
	curl -s "http://$address/metrics" | grep -qx 'x 1'
}

@test "--sink prints each body as one line and answers ok" {
	start sink mf-serve -l 127.0.0.1:0 --sink
	[ "$(curl -s --data-binary '{"a":1}' "http://$address/hook")" = ok ]
	printf 'two\nlines\r\033[31m' |
	    curl -s --data-binary @- "http://$address/x/y" >/dev/null
	[ "$(status /hook)" = 405 ]
	printf '%s\n' '{"a":1}' 'two\nlines\r\x1b[31m' | diff - sink.out
}

@test "--sink on a full disk fails, and says so" {
	mf-serve -l 127.0.0.1:0 --sink >/dev/full 2>err </dev/null 3>&- &
	pid=$!
	until_ok 2 listening err
	run curl -s -d x "http://$address/"
	[ "$output" != ok ]
	rc=0
	wait "$pid" || rc=$?
	[ "$rc" -eq 1 ]
	grep -q 'mf-serve: stdout: No space left on device' err
}

fill() {
	mf-store append -d data <<-EOF
	# BATCH {instance="h:1",job="a"} 1637582385000
	# HELP up Up.
	# TYPE up gauge
	up{instance="h:1",job="a"} 0 1637582385000
	# EOF
	# BATCH {instance="h:1",job="a"} 1637582400000
	up{instance="h:1",job="a"} 1 1637582400000
	# EOF
	EOF
}

@test "the API over a store that comes later" {
	start face mf-serve -l 127.0.0.1:0 -d data --now 2021-11-22T12:00:00Z
	api() { curl -s "http://$address/api/v1/$1"; }
	[ ! -e data ]
	[ "$(api 'query?query=up')" = '{"status":"success","data":{"resultType":"vector","result":[]}}' ]
	fill
	[ "$(api 'query?query=up')" = '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","instance":"h:1","job":"a"},"value":[1637582400,"1"]}]}}' ]
	[ "$(api 'query_range?query=up&start=1637582385&end=1637582400&step=15')" = '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","instance":"h:1","job":"a"},"values":[[1637582385,"0"],[1637582400,"1"]]}]}}' ]
	[ "$(api labels)" = '{"status":"success","data":["__name__","instance","job"]}' ]
	[ "$(api label/job/values)" = '{"status":"success","data":["a"]}' ]
	[ "$(api 'series?match[]=up')" = '{"status":"success","data":[{"__name__":"up","instance":"h:1","job":"a"}]}' ]
	[ "$(api metadata)" = '{"status":"success","data":{"up":[{"type":"gauge","help":"Up.","unit":""}]}}' ]
	[ "$(curl -s -d 'query=up{job="a"}' "http://$address/api/v1/query" | grep -c '"1"')" -eq 1 ]
	[ "$(status '/api/v1/query?query=up(')" = 400 ]
	[ "$(status /-/ready)" = 200 ]
	curl -s "http://$address/metrics" | grep -q '^mf_serve_http_requests_total{code="400",handler="/api/v1"} 1'
}

@test "a directory that is not ours" {
	mkdir other
	touch other/file
	run -1 --separate-stderr mf-serve -l 127.0.0.1:0 -d other
	[[ $stderr == *"other: not an mf directory"* ]]
}

@test "the page, and its user from a Secret's manifest" {
	fill
	cat >secret.yaml <<-EOF
	apiVersion: v1
	kind: Secret
	metadata:
	  name: grafana-secret
	type: Opaque
	data:
	  username: YWRtaW4=
	  password: YWRtaW4=
	EOF
	start face mf-serve -l 127.0.0.1:0 -d data --users secret.yaml \
	    --now 2021-11-22T12:00:00Z
	[ "$(status '/graph?g0.expr=up')" = 401 ]
	[ "$(status / -u admin:wrong)" = 401 ]
	[ "$(status / -u admin:admin)" = 302 ]
	for p in /metrics /-/ready /-/healthy '/api/v1/query?query=up'; do
		[ "$(status "$p")" = 200 ]
	done
	curl -s -u admin:admin "http://$address/graph?g0.expr=up" >page
	grep -q '<svg ' page
	grep -q '<td>up{instance=&quot;h:1&quot;, job=&quot;a&quot;}</td><td>1</td>' page
	run ! grep -qE 'src=|href="http|<script|@import|url\(' page
}

@test "a web-config file closes everything" {
	cat >web.yml <<-'EOF'
	basic_auth_users:
	  joe: $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW
	http_server_config:
	  headers:
	    X-Frame-Options: deny
	EOF
	start app mf-serve -l 127.0.0.1:0 -g /=x --web-config web.yml
	[ "$(status /)" = 401 ]
	[ "$(status /-/ready)" = 401 ]
	[ "$(status /metrics -u joe:wrong)" = 401 ]
	[ "$(status /metrics -u joe:secret)" = 200 ]
	curl -si -u joe:secret "http://$address/" | grep -qi '^x-frame-options: deny'
}

@test "TLS by a web-config file" {
	command -v openssl >/dev/null || skip "no openssl"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout k.pem -out c.pem -days 2 -subj /CN=localhost \
	    -addext subjectAltName=IP:127.0.0.1 2>/dev/null
	echo 'tls_server_config: {cert_file: c.pem, key_file: k.pem}' >web.yml
	start app mf-serve -l 127.0.0.1:0 -g /=secure --web-config web.yml
	[ "$(curl -s --cacert c.pem "https://$address/")" = secure ]
	run ! curl -s --cacert c.pem --tls-max 1.1 "https://$address/"
	run ! curl -s --max-time 2 "http://$address/"
	cp c.pem k.pem
	run -1 --separate-stderr mf-serve -l 127.0.0.1:0 -g /=x --web-config web.yml
	[[ $stderr == *"bad certificate or key"* ]]
}

@test "mf-scrape believes the right certificate and name only" {
	command -v openssl >/dev/null || skip "no openssl"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout k.pem -out c.pem -days 2 -subj /CN=in.example \
	    -addext subjectAltName=DNS:in.example 2>/dev/null
	cat >web.yml <<-'EOF'
	tls_server_config: {cert_file: c.pem, key_file: k.pem}
	basic_auth_users:
	  joe: $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW
	EOF
	start app mf-serve -l 127.0.0.1:0 -g /a=x --web-config web.yml
	printf secret >password
	cat >p.yml <<-EOF
	scrape_configs:
	- job_name: good
	  scheme: https
	  basic_auth: {username: joe, password_file: password}
	  tls_config: {ca_file: c.pem, server_name: in.example}
	  static_configs: [{targets: ['$address']}]
	- job_name: name
	  scheme: https
	  tls_config: {ca_file: c.pem}
	  static_configs: [{targets: ['$address']}]
	- job_name: ca
	  scheme: https
	  static_configs: [{targets: ['$address']}]
	- job_name: password
	  scheme: https
	  basic_auth: {username: joe, password: wrong}
	  tls_config: {insecure_skip_verify: true}
	  static_configs: [{targets: ['$address']}]
	EOF
	mf-scrape -1 -c p.yml >out 2>errors || :
	grep -q '^up{.*job="good"} 1 ' out
	[ "$(grep -c '^up{.*} 0 ' out)" -eq 3 ]
	grep -q 'job="name".*SSL' errors
	grep -q 'job="ca".*certificate' errors
	grep -q 'job="password".*401' errors
}

@test "a unix socket, and a prefix" {
	start app mf-serve -l "unix:$PWD/s" -g /a=x -d data \
	    --external-url http://example.org/mon
	[ "$address" = "unix:$PWD/s" ]
	[ "$(curl -s --unix-socket s http://h/mon/a)" = x ]
	curl -si --unix-socket s http://h/mon/ | grep -qi '^location: /mon/graph'
	kill "$pid_app"
	wait "$pid_app"
	[ ! -e s ]
}

@test "starting is quick and idling is small" {
	start app mf-serve -l 127.0.0.1:0 -g /=x
	curl -s "http://$address/" >/dev/null
	rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid_app/status")
	echo "RSS $rss KiB"
	[[ ${MF_BUILD:-} == *-san ]] || [ "$rss" -le 8192 ]
	[ "$(ls "/proc/$pid_app/task" | wc -l)" -eq 1 ]
}
