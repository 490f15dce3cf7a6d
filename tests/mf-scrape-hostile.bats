#!/usr/bin/env bats
# mf-scrape against targets that mean harm.  What Prometheus refuses is refused
# with a reason, what it takes is taken; within the timeout, in bounded memory,
# and the good target beside them is scraped as ever.
bats_require_minimum_version 1.5.0

load helpers

setup_file() {
	local h
	for h in hostile maxrss; do
		"${CC:-cc}" -o "$BATS_FILE_TMPDIR/$h" \
		    "$BATS_TEST_DIRNAME/helpers/$h.c"
	done
	cd "$BATS_FILE_TMPDIR"
	mkdir gz
	head -c 300000000 /dev/zero | gzip -1 >gz/bomb
	printf 'a 1\nb 2\n' | gzip >gz/page
	printf 'a 1\nb 2\n' | gzip | head -c 20 >gz/cut
	echo 'a 1' >gz/junk
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	PATH=$PATH:$BATS_FILE_TMPDIR
}
teardown() { stop_all; }

# scrape LINES PATH...: a round of these paths of the hostile server, each a
# job, and of a good one; LINES go into global.
scrape() {
	local p
	start hostile hostile "$BATS_FILE_TMPDIR/gz"
	{
		echo "global: {scrape_interval: 30s," \
		    "scrape_timeout: ${timeout:-30s}, $1}"
		echo 'scrape_configs:'
		shift
		for p in good "$@"; do
			echo "- job_name: $p"
			echo "  metrics_path: /$p"
			echo "  static_configs: [{targets: ['$address']}]"
		done
	} >p.yml
	maxrss mf-scrape -1 -c p.yml -d d >out 2>err || :
	grep -qx "a{instance=\"$address\",job=\"good\"} 1 [0-9]*" out
	grep -qx "up{instance=\"$address\",job=\"good\"} 1 [0-9]*" out
	[ "$(grep -ac '^up' out)" = $(($# + 1)) ]
	rss=$(sed -n 's/^maxrss \([0-9]*\) .*/\1/p' err)
	ms=$(sed -n 's/^maxrss .* ms //p' err)
	! sanitized || rss=0 ms=0 # not its own figures
}

# refused PATH TEXT: up 0, and TEXT on stderr and among the targets.
refused() {
	grep -q "^up{instance=\"$address\",job=\"$1\"} 0 " out
	grep -F "job=\"$1\"}: " err | grep -F "$2"
	grep -F "job=\"$1\"}" d/scrape/targets | grep -F "error=\"" |
	    grep -F "$2"
}

# taken PATH: up 1, and the second series of the page.
taken() {
	grep -aq "^up{instance=\"$address\",job=\"$1\"} 1 " out
	grep -aq "^b{instance=\"$address\",job=\"$1\"} 2 " out
	run ! grep -aF "job=\"$1\"}: " err
}

@test "bodies without end, and those that grow when uncompressed" {
	scrape 'body_size_limit: 1MB' endless gz/bomb
	refused endless 'body size limit exceeded'
	refused gz/bomb 'body size limit exceeded'
	[ "$rss" -lt 40000 ] # KiB
	[ "$ms" -lt 25000 ] # no timeout
}

@test "256 MiB are the limit when none is set" {
	scrape '' endless gz/bomb
	refused endless 'body size limit exceeded'
	refused gz/bomb 'body size limit exceeded'
	[ "$rss" -lt 600000 ]
}

@test "a byte a second, and nothing at all: the timeout holds" {
	timeout=3s scrape 'body_size_limit: 30MB' slow slow-head hang chunks
	refused chunks exceeded # the time, or on a fast machine the size
	refused slow 'context deadline exceeded'
	refused slow-head 'context deadline exceeded'
	refused hang 'context deadline exceeded'
	[ "$ms" -lt 12000 ] # 3 s each, at once, and the machine is busy
	[ "$rss" -lt 90000 ] # the chunks are small, but add up
}

@test "headers: 64 KiB are taken, more than libcurl's limit and no end not" {
	scrape '' head65536 head400000 head0 trailers continues
	grep -q "^up{instance=\"$address\",job=\"head65536\"} 1 " out
	grep -q "^a{instance=\"$address\",job=\"head65536\"} 1 " out
	refused head400000 'response headers'
	refused head0 'response headers'
	refused trailers 'response headers'
	refused continues 'response headers'
	[ "$rss" -lt 30000 ]
}

@test "redirects: a loop, a file, another protocol" {
	scrape '' loop to-file to-gopher
	refused loop 'stopped after 10 redirects'
	refused to-file "unsupported scheme 'file'"
	refused to-gopher "unsupported scheme 'gopher'"
	run ! grep root: out
}

@test "what is no answer, or half of one" {
	scrape '' half garbage html untyped gz/cut gz/junk busy
	refused half 'bytes remaining to read'
	refused garbage 'not HTTP'
	refused html 'text/html'
	refused untyped 'blank Content-Type'
	refused gz/cut 'the compressed body ends too early'
	refused gz/junk 'the body is no gzip stream'
	refused busy 'server returned HTTP status 503 Service Unavailable'
}

@test "bytes that no page has" {
	scrape '' latin1 nul nul-name nuls
	refused latin1 UTF-8
	refused nul-name ''
	refused nuls 'expected a metric name'
	taken nul
	grep -aqP "^a\{instance=\"$address\",job=\"nul\",x=\"b\x00c\"\} 1 " out
}

@test "forged comments, and the same series twice" {
	scrape '' forge twice gz/page
	run ! grep -E '^# (ALERT|HIST|START|EXEMPLAR|KIND) ' out
	run ! grep '^# STALE \* 2$' out
	[ "$(grep -c '^# BATCH ' out)" = 4 ]
	[ "$(grep -c '^# EOF$' out)" = 4 ]
	grep -q "^up{instance=\"$address\",job=\"forge\"} 1 " out
	grep -q "^a{exported_job=\"x\",instance=\"$address\",job=\"forge\"} 1 " out
	grep -q "^a{instance=\"$address\",job=\"forge\"} 2 " out
	grep -q "^up{instance=\"$address\",job=\"twice\"} 1 " out
	grep -qx "a{instance=\"$address\",job=\"twice\"} 1 [0-9]*" out
	[ "$(grep -c '^a{.*job="twice"} ' out)" = 1 ]
	grep -qx "b{instance=\"$address\",job=\"twice\"} 3 [0-9]*" out
	taken gz/page
}

@test "a line of 10 MB and a million labels" {
	scrape '' line labels
	taken line
	taken labels
	[ "$(grep -a '^a{.*job="line"' out | wc -c)" -gt 10485760 ]
	[ "$(grep -a '^a{.*job="labels"' out | tr , '\n' | wc -l)" = 1000002 ]
	[ "$rss" -lt 400000 ]
}

@test "the same with limits of its own is refused" {
	scrape 'label_limit: 100, label_value_length_limit: 1000' line labels
	refused line label_value_length_limit
	refused labels label_limit
}

@test "a certificate that has expired" {
	command -v openssl >/dev/null || skip "no openssl"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout key -out ca -days 2 -subj /CN=ca 2>/dev/null
	openssl req -new -key key -out csr -subj /CN=x 2>/dev/null
	openssl x509 -req -in csr -CA ca -CAkey key -days -1 -out cert \
	    -CAcreateserial 2>/dev/null \
	    -extfile <(echo subjectAltName=IP:127.0.0.1)
	printf 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\na 1\n' >metrics
	openssl s_server -accept 127.0.0.1:0 -cert cert -key key -HTTP \
	    >tls.out 2>&1 </dev/null 3>&- &
	echo $! >>pids
	until_ok 5 grep -q ^ACCEPT tls.out
	tls=$(sed -n 's/^ACCEPT //p' tls.out)
	start good hostile
	cat >p.yml <<-END
	global: {scrape_interval: 5s, scrape_timeout: 3s}
	scrape_configs:
	- {job_name: good, static_configs: [{targets: ['$address']}]}
	- {job_name: old, scheme: https, static_configs: [{targets: ['$tls']}],
	   tls_config: {ca_file: ca}}
	END
	mf-scrape -1 -c p.yml -d d >out 2>err || :
	grep -q "^up{instance=\"$address\",job=\"good\"} 1 " out
	address=$tls
	refused old 'certificate has expired'
}
