#!/usr/bin/env bats
# mf-scrape finds its targets: files, http and the domain name system, the last
# against dnsmasq.
bats_require_minimum_version 1.5.0

load helpers

setup_file() {
	"${CC:-cc}" -o "$BATS_FILE_TMPDIR/hostile" \
	    "$BATS_TEST_DIRNAME/helpers/hostile.c"
	"${CC:-cc}" -o "$BATS_FILE_TMPDIR/answer" \
	    "$BATS_TEST_DIRNAME/helpers/answer.c"
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	PATH=$PATH:/usr/sbin
}
teardown() { stop_all; }

# scrape NAME OPTION...: runs it behind NAME.out and NAME.err; sets $pid.
scrape() {
	local name=$1
	shift
	mf-scrape "$@" >"$name.out" 2>"$name.err" 3>&- &
	pid=$!
	echo "$pid" >>pids
}

# Is the target up? How many batches has it? More than N? Has it ended?
up() { grep -q "^up{instance=\"$1\",job=\"j\"} 1 " "${2:-s.out}"; }
batches() { grep -c "^# BATCH {instance=\"$1\"" "${2:-s.out}" || :; }
more() { [ "$(batches "$1")" -gt "$2" ]; }
ended() { grep -A1 "^# BATCH {instance=\"$1\"" s.out | grep -q '^# STALE'; }
shown() { mf-scrape targets -d d | grep -qF "$1"; }

# A name server that knows some names below mf.test, and that there are no
# others; sets $dns.
dnsmasq_start() {
	for _ in 1 2 3; do
		free_port
		dns=127.0.0.1:$port
		dnsmasq -k -C /dev/null -p "$port" -a 127.0.0.1 -z -R -h \
		    -u "$(id -un)" --pid-file= --local=/mf.test/ "$@" \
		    2>dnsmasq.err </dev/null 3>&- &
		dnsmasq_pid=$!
		echo "$dnsmasq_pid" >>pids
		until_ok 2 grep -qi " [0-9A-F]*:$(printf %04X "$port") " \
		    /proc/net/udp && return 0
	done
	cat dnsmasq.err >&2
	return 1
}

# The addresses of all targets, sorted.
addresses() {
	mf-scrape targets -c p.yml -d d -o json "$@" |
	    sed -n 's/.*"__address__":"\([^"]*\)".*/\1/p' | sort
}

json() { # NAME BODY: what the helper server answers at /NAME
	{ printf 'HTTP/1.1 %s\r\nContent-Type: %s\r\nConnection: close\r\n\r\n%s' \
	    "${3:-200 OK}" "${4:-application/json}" "$2"; } >"$1.new"
	mv "$1.new" "$1"
}

@test "files: a change is seen within a second, a bad file keeps the last" {
	start a mf-serve -l 127.0.0.1:0 -g /=x
	a=$address
	start b mf-serve -l 127.0.0.1:0 -g /=x
	b=$address
	cat >p.yml <<-END
	scrape_configs:
	- job_name: j
	  scrape_interval: 100ms
	  file_sd_configs: [{files: ['t/*.json', u/v.yml]}]
	END
	mkdir t
	echo "[{\"targets\":[\"$a\"]}]" >t/a.json
	scrape s -c p.yml -d d
	until_ok 3 up "$a"
	# another file, in a directory that was not there
	mkdir u
	printf -- "- targets: ['%s']\n" "$b" >u/v.yml
	until_ok 7 up "$b"
	# half written: told once, and what was known is scraped on
	echo "[{\"targets\":[\"$a\"]}" >t/a.json
	until_ok 2 grep -q '^mf-scrape: j: t/a.json:[0-9]*:[0-9]*: ' s.err
	n=$(batches "$a")
	until_ok 2 more "$a" $((n + 3))
	[ "$(grep -c 't/a.json' s.err)" -eq 1 ]
	until_ok 7 shown 't/a.json:'
	# gone: its series end
	rm t/a.json
	until_ok 8 ended "$a"
}

@test "files: labels, patterns and -1; a missing file is no error" {
	start a mf-serve -l 127.0.0.1:0 -g /=x
	mkdir -p etc/t
	cat >etc/p.yml <<-END
	scrape_configs:
	- job_name: j
	  file_sd_configs: [{files: [./t/a*.yaml, none.json]}]
	  relabel_configs:
	  - {source_labels: [__meta_filepath], target_label: f}
	END
	printf -- "- targets: ['%s']\n  labels: {x: y}\n" "$address" >etc/t/a1.yaml
	printf -- "- targets: ['file:%s/page']\n" "$PWD" >etc/t/a2.yaml
	printf -- "- targets: ['c:1']\n" >etc/t/b.yaml
	echo 'm 1' >page
	run -0 mf-scrape -1 -c etc/p.yml -d d
	[[ $output == *"up{f=\"etc/t/a1.yaml\",instance=\"$address\",job=\"j\",x=\"y\"} 1 "* ]]
	[[ $output == *'m{f="etc/t/a2.yaml",'* ]]
	[[ $output != *c:1* ]]
}

@test "dns: every type of record, as a real server says them" {
	command -v dnsmasq || skip "no dnsmasq"
	dnsmasq_start --srv-host=_m._tcp.mf.test,web1.mf.test,8080 \
	    --srv-host=_m._tcp.mf.test,web2.mf.test,8081 \
	    --host-record=web1.mf.test,127.0.0.1,::1 \
	    --mx-host=mf.test,mail.mf.test,5 --local-ttl=1 \
	    --dns-rr=mf.test,2,036e7331026d66047465737400 \
	    --cname=alias.mf.test,web1.mf.test
	cat >p.yml <<-END
	scrape_configs:
	- job_name: j
	  dns_sd_configs:
	  - {names: [_m._tcp.mf.test]}
	  - {names: [web1.mf.test, alias.mf.test., no.mf.test], type: A, port: 1}
	  - {names: [web1.mf.test], type: AAAA, port: 2}
	  - {names: [mf.test], type: MX, port: 3}
	  - {names: [mf.test], type: NS, port: 4}
	END
	run -0 addresses --dns-server "$dns"
	[ "$output" = "127.0.0.1:1
[::1]:2
mail.mf.test:3
ns1.mf.test:4
web1.mf.test:8080
web2.mf.test:8081" ]
	run -0 mf-scrape targets -c p.yml -d d -o json --dns-server "$dns"
	[[ $output == *'"__meta_dns_name":"_m._tcp.mf.test"'* ]]
	[[ $output == *'"__meta_dns_srv_record_port":"8081"'* ]]
	[[ $output == *'"__meta_dns_srv_record_target":"web2.mf.test."'* ]]
	[[ $output == *'"__meta_dns_mx_record_target":"mail.mf.test."'* ]]
}

@test "dns: an answer too long for a datagram comes over TCP" {
	command -v dnsmasq || skip "no dnsmasq"
	for i in $(seq 300); do
		echo "srv-host=_big._tcp.mf.test,host$i.mf.test,$i"
	done >big.conf
	dnsmasq_start --conf-file=big.conf
	cat >p.yml <<-END
	scrape_configs:
	- job_name: j
	  dns_sd_configs: [{names: [_big._tcp.mf.test]}]
	END
	addresses --dns-server "$dns" >got
	[ "$(wc -l <got)" -eq 300 ]
	[ "$(uniq got | wc -l)" -eq 300 ]
}

@test "dns: what was known stays when the server has gone" {
	command -v dnsmasq || skip "no dnsmasq"
	dnsmasq_start --host-record=app.mf.test,127.0.0.1
	start a mf-serve -l 127.0.0.1:0 -g /=x
	cat >p.yml <<-END
	scrape_configs:
	- job_name: j
	  scrape_interval: 100ms
	  dns_sd_configs:
	  - {names: [app.mf.test], type: A, port: ${address##*:},
	     refresh_interval: 200ms}
	END
	scrape s -c p.yml -d d --dns-server "$dns"
	until_ok 3 up "$address"
	kill "$dnsmasq_pid"
	wait "$dnsmasq_pid" || :
	until_ok 9 grep -q 'could not resolve "app.mf.test" (A)' s.err
	n=$(batches "$address")
	until_ok 2 more "$address" $((n + 5))
	[ "$(grep -c 'could not resolve' s.err)" -eq 1 ]
	# but for the one of its first round
	[ "$(grep -c '^# STALE' s.out)" -le 1 ]
}

@test "http: groups come, fail and go; commands are not taken from a stranger" {
	start srv "$BATS_FILE_TMPDIR/answer" .
	url=http://$address/sd
	start a mf-serve -l 127.0.0.1:0 -g /=x
	cat >p.yml <<-END
	scrape_configs:
	- job_name: j
	  scrape_interval: 100ms
	  http_sd_configs:
	  - url: $url
	    refresh_interval: 200ms
	    authorization: {credentials: token}
	END
	json sd "[{\"targets\":[\"$address\",\"exec:touch $PWD/bad\"],
	    \"labels\":{\"x\":\"y\"}}]"
	scrape s -c p.yml -d d
	until_ok 3 grep -q "^up{instance=\"$address\",job=\"j\",x=\"y\"} 1 " s.out
	grep -q '^X-Prometheus-Refresh-Interval-Seconds: 0.2' srv.err
	grep -q '^Authorization: Bearer token' srv.err
	grep -q '^User-Agent: mf-scrape/' srv.err
	json sd '[]' '503 Busy'
	until_ok 2 grep -qF "j: $url: server returned HTTP status 503" s.err
	json sd '<html>' '200 OK' text/html
	until_ok 2 grep -qF "j: $url: unsupported content type \"text/html\"" s.err
	json sd '[{"targets":['
	until_ok 2 grep -qE "j: $url:[0-9]+:[0-9]+: " s.err
	n=$(batches "$address")
	until_ok 2 more "$address" $((n + 3))
	[ ! -e bad ]
	! grep -q 'instance="exec' s.out
	json sd '[]'
	until_ok 9 ended "$address"
}

@test "http: a server that never answers holds nothing up" {
	start hang "$BATS_FILE_TMPDIR/answer" .
	url=http://$address/sd
	mkfifo sd
	start a mf-serve -l 127.0.0.1:0 -g /=x
	cat >p.yml <<-END
	scrape_configs:
	- job_name: j
	  scrape_interval: 100ms
	  static_configs: [{targets: ['$address']}]
	  http_sd_configs: [{url: '$url', refresh_interval: 2s}]
	END
	scrape s -c p.yml -d d
	until_ok 1 up "$address"
	until_ok 2 more "$address" 8
	# nor does it matter that a reload drops the question under way
	for _ in 1 2 3; do
		kill -HUP "$pid"
		sleep 0.1
	done
	n=$(batches "$address")
	until_ok 2 more "$address" $((n + 3))
	# the first answer ends as a timeout, after which -1 would go on
	until_ok 4 grep -qF "j: $url: " s.err
	kill "$pid"
	wait "$pid"
}

@test "http: hostile servers grow no memory and hold nothing up" {
	start hostile "$BATS_FILE_TMPDIR/hostile"
	url=http://$address
	start a mf-serve -l 127.0.0.1:0 -g /=x
	cat >p.yml <<-END
	scrape_configs:
	- job_name: j
	  scrape_interval: 100ms
	  static_configs: [{targets: ['$address']}]
	  http_sd_configs:
	  - {url: '$url/endless', refresh_interval: 2s}
	  - {url: '$url/slow', refresh_interval: 2s}
	  - {url: '$url/loop', refresh_interval: 2s}
	  - {url: '$url/to-file', refresh_interval: 2s}
	  - {url: '$url/hang', refresh_interval: 2s}
	END
	scrape s -c p.yml -d d
	until_ok 1 up "$address"
	for what in 'endless: the body is larger than' 'slow: context deadline' \
	    'loop: stopped after 10 redirects' 'hang: context deadline' \
	    'to-file: redirect: '; do
		until_ok 5 grep -qF "mf-scrape: j: $url/$what" s.err
	done
	until_ok 2 more "$address" 15
	hwm=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
	echo "VmHWM $hwm kB"
	! sanitized || hwm=0
	[ "$hwm" -lt 81920 ]
}

@test "discoveries mf does not have are named, unknown ones unknown" {
	p() { printf 'scrape_configs:\n- job_name: j\n  %s\n' "$1" >p.yml; }
	p 'consul_sd_configs: [{server: "a:1"}]'
	run -2 mf-scrape -1 -c p.yml
	[[ $output == *'p.yml:3:3: consul_sd_configs: this discovery is not part of mf (it has static, file, http and dns)'* ]]
	p 'consul_sd_configs: []'
	run -0 mf-scrape check -c p.yml
	p 'consult_sd_configs: []'
	run -2 mf-scrape -1 -c p.yml
	[[ $output == *consult_sd_configs* ]]
	[[ $output != *'not part of mf'* ]]
	p 'file_sd_configs: [{files: [a.txt]}]'
	run -2 mf-scrape check -c p.yml
	[[ $output == *'p.yml:3:30: path name "a.txt" is not valid for file discovery'* ]]
	p 'dns_sd_configs: [{names: [a]}]'
	for bad in nowhere:53 127.0.0.1:99999 '[::1]:0'; do
		run -2 mf-scrape -1 -c p.yml --dns-server "$bad"
		[[ $output == *"DNS server '$bad': expected ADDRESS or ADDRESS:PORT"* ]]
	done
}
