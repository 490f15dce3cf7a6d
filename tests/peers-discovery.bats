#!/usr/bin/env bats
# Debian's Prometheus and mf-scrape are given one configuration of static, file,
# http and dns discovery, and must find the same targets with the same labels.
# The name server is dnsmasq on port 53 of a network of the test's own, where
# resolv.conf names it.
bats_require_minimum_version 1.5.0

setup() {
	peers=${MF_PEERS:-$BATS_TEST_DIRNAME/../build/peers}
	peers=$(cd "$peers" 2>/dev/null && pwd) ||
	    skip "no peers here: make peers"
	PATH=$peers/usr/bin:$PATH:/usr/sbin:/sbin
	for w in prometheus dnsmasq unshare ip curl; do
		command -v "$w" >/dev/null || skip "no $w here"
	done
	unshare -mn true 2>/dev/null || skip "no namespaces for this user"
	cd "$BATS_TEST_TMPDIR" || return 1
	"${CC:-cc}" -o answer "$BATS_TEST_DIRNAME/helpers/answer.c"
}

inside() {
	cat <<'END'
ip link set lo up
printf 'search x.test mf.test\nnameserver 127.0.0.1\n' >resolv
mount --bind resolv /etc/resolv.conf
dnsmasq -k -C /dev/null -p 53 -a 127.0.0.1 -z -R -h -u "$(id -un)" \
    --pid-file= --local=/test/ --cname=alias.mf.test,web1.mf.test \
    --srv-host=_m._tcp.mf.test,web1.mf.test,8080 \
    --srv-host=_m._tcp.mf.test,web2.mf.test,8081 \
    --host-record=web1.mf.test,127.0.0.1,::1 \
    --mx-host=mf.test,mail.mf.test,5 \
    --dns-rr=web6.mf.test,28,00000000000000000000ffff0a000001 2>dnsmasq.err &
pids=$!
./answer . 2>answer.err &
pids="$pids $!"
for _ in $(seq 200); do
	sleep 0.1
	address=$(sed -n 's/.*listening on //p' answer.err)
	[ -z "$address" ] || break
done
sed "s/ADDRESS/$address/" p.in >p.yml
prometheus --config.file=p.yml --storage.tsdb.path=prom \
    --web.listen-address=127.0.0.1:9090 >prom.log 2>&1 &
pids="$pids $!"
for _ in $(seq 80); do
	sleep 0.5
	curl -s http://127.0.0.1:9090/api/v1/targets >prom.json || continue
	[ "$(grep -o '"scrapeUrl"' prom.json | wc -l)" -lt 12 ] || break
done
mf-scrape targets -c p.yml -d d -o json >mf.json
kill $pids
END
}

# A line a target: its job and the labels it was found with.  What 3.x adds
# (__scrape_native_histograms__ ...) 2.42 does not know.
found() {
	perl -MJSON::PP -ne 'BEGIN { $/ = undef }
	    my @t = /^\{"status"/ ? @{decode_json($_)->{data}{activeTargets}}
		: grep { $_->{state} eq "active" } map { decode_json($_) } split /\n/;
	    for my $t (@t) {
		my $l = $t->{discoveredLabels};
		print join(",", $t->{scrapePool}, map { "$_=$l->{$_}" }
		    grep { !/^__(scrape_native|convert|always)/ } sort keys %$l), "\n";
	    }' "$1" | sort
}

@test "static, file, http and dns discovery find what Prometheus finds" {
	mkdir t
	echo '[{"targets":["f:1"],"labels":{"a":"b"}}]' >t/a.json
	printf -- "- targets: [g:1, 'h:2']\n  labels: {n: 1}\n" >t/.b.yml
	printf 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n%s' \
	    '[{"targets":["h:1","\u0061:2"],"labels":{"x":"y","__meta_url":"no","e":""}},
	    {"Labels":{"q":"r"},"targets":["h:3"]}]' >sd
	cat >p.in <<-'END'
	global: {scrape_interval: 1h}
	scrape_configs:
	- job_name: d
	  dns_sd_configs:
	  - {names: [_m._tcp]}
	  - {names: [web1, alias.mf.test., no.mf.test], type: A, port: 1}
	  - {names: [web1.mf.test, web6], type: AAAA, port: 2}
	  - {names: [mf.test], type: mx, port: 3}
	  relabel_configs:
	  - {source_labels: [__meta_dns_name], target_label: name}
	- job_name: h
	  http_sd_configs: [{url: 'http://ADDRESS/sd'}]
	- job_name: f
	  file_sd_configs: [{files: ['./t/*.json', t/*.yml]}]
	- job_name: s
	  static_configs: [{targets: ['s:1', 'S:2'], labels: {__scheme__: https, l: m}}]
	END
	inside >inside.sh
	timeout 120 unshare -mn sh inside.sh
	found prom.json >want
	found mf.json >got
	diff want got
	[ "$(wc -l <got)" -ge 14 ]
}
