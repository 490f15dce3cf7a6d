#!/usr/bin/env bats
# http_config as mf-scrape does it, against servers that look: users, TLS with
# certificates of every kind, HTTP/2, what may be forwarded, what is refused.
# The unit tests of net/fetch look at each byte that is sent.
bats_require_minimum_version 1.5.0

load helpers
load helpers/round

# cert NAME ALTNAMES DAYS: signed by the ca.
cert() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" 2>/dev/null
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key \
	    -CAcreateserial -days "$3" -out "$1.pem" \
	    -extfile <(echo "subjectAltName=$2") 2>/dev/null
}

setup_file() {
	cd "$BATS_FILE_TMPDIR"
	command -v openssl >/dev/null || return 0
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout ca.key -out ca.pem -days 2 -subj /CN=ca 2>/dev/null
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout other-ca.key -out other-ca.pem -days 2 -subj /CN=oca \
	    2>/dev/null
	cert here IP:127.0.0.1 2
	cert named DNS:other.test 2
	cert client DNS:client 2
	printf 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\na 1\n' >metrics
}

setup() { cd "$BATS_TEST_TMPDIR"; }
teardown() { stop_all; }

need_openssl() {
	command -v openssl >/dev/null || skip "no openssl"
	cp "$BATS_FILE_TMPDIR"/* .
}

# tls OPTION...: a TLS server of the page "metrics"; sets $address.
tls() {
	rm -f tls.out # the address of the one before
	openssl s_server -accept 127.0.0.1:0 -HTTP "$@" >tls.out 2>&1 \
	    </dev/null 3>&- &
	echo $! >>pids
	until_ok 5 grep -qs ^ACCEPT tls.out
	address=$(sed -n 's/^ACCEPT //p' tls.out)
}

@test "the certificate: who signed it, for which name, or never mind" {
	need_openssl
	tls -cert here.pem -key here.key
	up 'tls_config: {ca_file: ca.pem}'
	up "tls_config: {ca: \"$(awk '{ printf "%s\\n", $0 }' ca.pem)\"}"
	# relative to the configuration, wherever mf-scrape is started
	up 'tls_config: {ca_file: ./ca.pem}'
	(cd / && mf-scrape -1 -c "$BATS_TEST_TMPDIR/p.yml" -n) | grep '^up{.*} 1 '
	up 'tls_config: {insecure_skip_verify: true}'
	down '' 'certificate'
	down 'tls_config: {ca_file: other-ca.pem}' 'certificate'
	down 'tls_config: {ca_file: nothing.pem}' 'tls_config: ca: .*nothing.pem'
	down 'tls_config: {ca_file: metrics}' 'cert'
	down 'tls_config: {ca_file: ca.pem, server_name: other.test}' \
	    'other.test'
}

@test "server_name is the name that is asked for and looked for" {
	need_openssl
	tls -cert named.pem -key named.key -servername other.test \
	    -cert2 named.pem -key2 named.key -servername_fatal
	up 'tls_config: {ca_file: ca.pem, server_name: other.test}'
	down 'tls_config: {ca_file: ca.pem}' .
	down 'tls_config: {ca_file: ca.pem, server_name: "no name"}' \
	    'server_name'
}

@test "a client's certificate" {
	need_openssl
	tls -cert here.pem -key here.key -CAfile ca.pem -Verify 1 \
	    -verify_return_error -tls1_2
	up 'tls_config: {ca_file: ca.pem, cert_file: client.pem, key_file: client.key}'
	down 'tls_config: {ca_file: ca.pem}' 'handshake failure\|alert'
	down 'tls_config: {ca_file: ca.pem, cert_file: client.pem, key_file: here.key}' .
	down 'tls_config: {ca_file: ca.pem, cert_file: other-ca.pem, key_file: other-ca.key}' .
	# the files are read by each request
	cp other-ca.pem c.pem
	cp other-ca.key c.key
	down 'tls_config: {ca_file: ca.pem, cert_file: c.pem, key_file: c.key}' .
	cp client.pem c.pem
	cp client.key c.key
	up 'tls_config: {ca_file: ca.pem, cert_file: c.pem, key_file: c.key}'
}

@test "min_version and max_version" {
	need_openssl
	tls -cert here.pem -key here.key -tls1_2
	up 'tls_config: {ca_file: ca.pem, min_version: TLS12}'
	up 'tls_config: {ca_file: ca.pem, max_version: TLS12}'
	down 'tls_config: {ca_file: ca.pem, min_version: TLS13}' 'version'
	tls -cert here.pem -key here.key -tls1_3
	up 'tls_config: {ca_file: ca.pem, min_version: TLS13}'
	down 'tls_config: {ca_file: ca.pem, max_version: TLS12}' 'version'
	tls -cert here.pem -key here.key -tls1_1 -cipher DEFAULT@SECLEVEL=0
	up 'tls_config: {ca_file: ca.pem, min_version: TLS10}'
	down 'tls_config: {ca_file: ca.pem}' 'SSL'
}

@test "HTTP/2 is offered unless enable_http2 is off" {
	need_openssl
	tls -cert here.pem -key here.key -alpn http/1.1 -trace
	up 'tls_config: {ca_file: ca.pem}'
	grep 'ALPN protocols advertised by the client: h2, http/1.1' tls.out
	up "$(printf 'enable_http2: false\ntls_config: {ca_file: ca.pem}')"
	[ "$(grep -c 'advertised by the client: h2' tls.out)" = 1 ]
	grep 'ALPN protocols advertised by the client: http/1.1' tls.out
}

@test "a real peer: TLS, HTTP/2, users" {
	need_openssl
	peers=$(cd "${MF_PEERS:-$BATS_TEST_DIRNAME/../build/peers}" \
	    2>/dev/null && pwd) || skip "no peers here: make peers"
	PATH=$peers/usr/bin:$PATH
	command -v prometheus-node-exporter >/dev/null ||
	    skip "prometheus-node-exporter was not unpacked: make peers"
	# the password is "secret"
	cat >web.yml <<-'END'
	tls_server_config: {cert_file: here.pem, key_file: here.key}
	basic_auth_users:
	  joe: $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW
	END
	free_port
	GODEBUG=http2debug=1 prometheus-node-exporter --web.config.file=web.yml \
	    --web.listen-address="127.0.0.1:$port" >>peer.out 2>&1 3>&- &
	echo $! >>pids
	address=127.0.0.1:$port
	until_ok 10 curl -sk --http1.1 -o /dev/null "https://$address/"
	echo secret >password
	ca='tls_config: {ca_file: ca.pem}'
	down "$ca" 'HTTP status 401 Unauthorized'
	down "$(printf '%s\nbasic_auth: {username: joe, password: s3cret}' \
	    "$ca")" 'HTTP status 401 Unauthorized'
	run ! grep -r s3cret out err d
	scrape "$(printf '%s\nbasic_auth: {username: joe, password_file: password}' \
	    "$ca")"
	grep '^up{.*} 1 ' out
	grep -q '^node_cpu_seconds_total{' out
	requests=$(grep -c 'http2: server read frame HEADERS' peer.out)
	[ "$requests" -gt 0 ]
	scrape "$(printf '%s\nbasic_auth: {username: joe, password: secret}\nenable_http2: false' \
	    "$ca")"
	grep '^up{.*} 1 ' out
	[ "$(grep -c 'http2: server read frame HEADERS' peer.out)" = "$requests" ]
}

@test "credentials follow a redirect from port 80 to 443 of a host alone" {
	need_openssl
	"${CC:-cc}" -o hostile "$BATS_TEST_DIRNAME/helpers/hostile.c"
	start hostile ./hostile
	plain=$address
	cert named DNS:a.test,DNS:b.test 2
	# the password is "secret"
	cat >web.yml <<-'END'
	tls_server_config: {cert_file: named.pem, key_file: named.key}
	basic_auth_users:
	  joe: $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW
	END
	printf 'a 1\n' >page
	start serve mf-serve -l 127.0.0.1:0 --web-config web.yml -m page
	tls=$address
	follow() { # FROM TO STATUS
		cat >p.yml <<-END
		global: {scrape_interval: 40s, scrape_timeout: 40s}
		scrape_configs:
		- job_name: x
		  metrics_path: /to/$2
		  static_configs: [{targets: ['$1']}]
		  tls_config: {ca_file: ca.pem}
		  basic_auth: {username: joe, password: secret}
		END
		mf-scrape -1 -c p.yml --connect-to "a.test:80:$plain" \
		    --connect-to "a.test:8080:$plain" \
		    --connect-to "a.test:443:$tls" \
		    --connect-to "b.test:443:$tls" >out 2>err || :
		grep "^up{.*} $3 " out
	}
	follow a.test:80 https://a.test/metrics 1
	follow a.test:80 https://a.test:443/metrics 1
	follow a.test:80 https://b.test/metrics 0
	grep 'HTTP status 401' err
	follow a.test:8080 https://a.test/metrics 0
	grep 'HTTP status 401' err
}

@test "credentials do not follow a redirect out of TLS" {
	need_openssl
	cert named DNS:a.test 2
	"${CC:-cc}" -o handle "$BATS_TEST_DIRNAME/helpers/handle.c"
	# /up leads to TLS; all else says whether credentials came
	cat >app <<-'END'
	#!/bin/bash
	say() { printf 'HTTP/1.1 %s\r\nContent-Length: 4\r\n\r\na 1\n' "$1"; }
	case $HEAD in
	'GET /up '*) say $'302 x\r\nLocation: https://a.test/down' ;;
	*'Authorization: Basic '*) say $'200 OK\r\nContent-Type: text/plain' ;;
	*) say '401 x' ;;
	esac
	END
	chmod +x app
	start plain ./handle ./app
	plain=$address
	printf 'HTTP/1.1 302 Found\r\nLocation: http://a.test/metrics\r\nContent-Length: 0\r\n\r\n' >down
	tls -cert named.pem -key named.key
	ask() { # SCHEME PATH UP
		cat >p.yml <<-END
		global: {scrape_interval: 5s, scrape_timeout: 3s}
		scrape_configs:
		- job_name: x
		  scheme: $1
		  metrics_path: $2
		  static_configs: [{targets: ['a.test']}]
		  tls_config: {ca_file: ca.pem}
		  basic_auth: {username: joe, password: secret}
		END
		mf-scrape -1 -n -c p.yml --connect-to "a.test:80:$plain" \
		    --connect-to "a.test:443:$address" >out 2>err || :
		grep "^up{.*} $3 " out
	}
	ask http /metrics 1
	ask https /down 0
	grep 'HTTP status 401' err
	# there and back is no way either
	ask http /up 0
	grep 'HTTP status 401' err
}

@test "what upstream refuses is refused, in its words, at its place" {
	address=127.0.0.1:1
	refused() {
		scrape "$1"
		grep -E "^mf-scrape: p.yml:[0-9]+:[0-9]+: .*$2" err
		[ ! -s out ]
		run -2 mf-scrape -1 -c p.yml -d d
		run ! grep -r s3cret err
	}
	refused $'bearer_token: s3cret\nbearer_token_file: x' \
	    'at most one of bearer_token & bearer_token_file must be configured'
	refused $'basic_auth: {username: x, password: s3cret}\noauth2: {client_id: x, token_url: y}' \
	    'at most one of basic_auth, oauth2 & authorization must be configured'
	refused 'http_headers: {Host: {secrets: [s3cret]}}' \
	    'setting header "Host" is not allowed'
	refused 'no_proxy: x' 'if no_proxy is configured, proxy_url must also'
	refused 'tls_config: {min_version: TLS9}' 'unknown TLS version: TLS9'
	refused 'oauth2: {client_id: x, token_url: y, grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", signature_algorithm: HS256}' \
	    'signature_algorithm must be RS256, RS384 or RS512'
}
