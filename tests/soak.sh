#!/bin/sh
# make soak: the live flow at a hundred times its usual pace for SOAK_S
# seconds.  No program may end, and none may go on growing: its resident
# memory at the end is at most a quarter and 1 MiB above that at one fifth.
# Then the store's faults at length: SOAK_KILLS kills, SOAK_CUTS power cuts of
# each kind, and a bit of every SOAK_FLIP-th byte of every file.
set -u
cd "$(dirname "$0")" || exit 1
tests=$PWD
cd data/seed || exit 1
seed=$PWD
secs=${SOAK_S:-600}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/mf-soak.XXXXXX") || exit 1
cd "$tmp" || exit 1
pids=
finish() {
	trap '' INT TERM EXIT
	# shellcheck disable=SC2086
	kill $pids 2>/dev/null
	wait 2>/dev/null
	rm -rf "$tmp"
	exit "$1"
}
trap 'finish 1' INT TERM EXIT

address() {
	until a=$(sed -n '1s/^.*listening on //p' "$1") && [ -n "$a" ]; do
		sleep 0.05
	done
	echo "$a"
}
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status" 2>/dev/null; }

sed -e 's/_interval: *15s/_interval: 150ms/' -e 's/for: 1m/for: 600ms/' \
    "$seed/prometheus-config.yaml" >p.yaml
sed -e 's,^  slack_api_url:.*,  slack_api_url: http://SINK/hook,' \
    -e 's/channel:.*/channel: soak/' \
    -e 's/^  group_interval: 5s/&\n  group_wait: 1s\n  repeat_interval: 5s/' \
    "$seed/alertmanager.yaml" >am.yaml
mf-serve -l 127.0.0.1:0 -g '/hello=Hello, World!' \
    --counter 'api_request_total=/hello=calls' 2>app.err </dev/null &
app=$!
mf-serve -l 127.0.0.1:0 --sink 2>sink.err >slack </dev/null &
sink=$!
mf-serve -l 127.0.0.1:0 -d data 2>serve.err </dev/null &
serve=$!
pids="$app $sink $serve"
a=$(address app.err) k=$(address sink.err) s=$(address serve.err)
sed -i "s/SINK/$k/" am.yaml
mkfifo one two
mf-scrape -c p.yaml:prometheus.yaml -d data --connect-to "echo-service:80:$a" \
    --connect-to "localhost:9090:$s" >one 2>scrape.err &
scrape=$!
mf-store append -d data <one 2>store.err &
store=$!
mf-eval -w -c p.yaml:prometheus.yaml -d data --set __severity__=page \
    >two 2>eval.err &
eval=$!
mf-notify -c am.yaml -d data <two 2>notify.err &
notify=$!
pids="$pids $scrape $store $eval $notify"

rc=0 p='' e=''
i=0
while [ $i -lt "$secs" ]; do
	sleep 1
	i=$((i + 1))
	curl -s -o /dev/null "http://$a/hello"
	curl -s -o /dev/null "http://$s/api/v1/query?query=rate(api_request_total[1m])"
	for n in app sink serve scrape store eval notify; do
		eval "p=\$$n"
		if ! kill -0 "$p" 2>/dev/null; then
			echo "soak: $n ended after $i s"
			cat "$n.err"
			finish 1
		fi
		[ $i != $((secs / 5)) ] || eval "early_$n=$(rss "$p")"
	done
	[ ! -t 2 ] || printf '\r%s of %s s' $i "$secs" >&2
done
[ ! -t 2 ] || echo >&2
for n in app sink serve scrape store eval notify; do
	eval "p=\$$n e=\$early_$n"
	r=$(rss "$p")
	echo "mf_soak_resident_kilobytes{program=\"$n\",at=\"early\"} $e"
	echo "mf_soak_resident_kilobytes{program=\"$n\",at=\"end\"} $r"
	[ "$r" -le $((e + e / 4 + 1024)) ] || {
		echo "soak: $n grew from $e to $r KiB"
		rc=1
	}
done
echo "mf_soak_messages_total $(wc -l <slack)"
MF_EVERY=1 MF_KILLS=${SOAK_KILLS:-2000} MF_CUTS=${SOAK_CUTS:-25} \
    MF_FLIP=${SOAK_FLIP:-5} bats "$tests/mf-store-kill.bats" \
    "$tests/mf-store-disk.bats" "$tests/mf-store-damage.bats" \
    "$tests/mf-store-damage-part.bats" \
    "$tests/mf-store-repair.bats" || rc=1
finish $rc
