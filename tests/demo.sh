#!/bin/sh
# make demo: the whole flow, live, from the article's own files.
#
#	DEMO_S=60		end by itself after that many seconds, after a
#				resolved message (the rule is taken away in time)
#	DEMO_FILES=article	the article's real times (15 s, 1 m, 30 s)
#
# On a terminal the graph is redrawn in place; elsewhere frames are printed.
# Everything it starts is a child of this script and stopped by it.
set -u
cd "$(dirname "$0")/data/seed" || exit 1
seed=$PWD
tmp=$(mktemp -d "${TMPDIR:-/tmp}/mf-demo.XXXXXX") || exit 1
data=$tmp/data
pids=
esc=$(printf '\033')

finish() {
	trap '' INT TERM EXIT
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill $pids 2>/dev/null
	wait 2>/dev/null
	[ ! -t 1 ] || printf '%s[?25h' "$esc"
	rm -rf "$tmp"
	exit "${1:-0}"
}
trap 'finish 0' INT TERM
trap 'finish 1' EXIT

fail() {
	echo "demo: $*" >&2
	for f in "$tmp"/*.err; do
		[ ! -s "$f" ] || { echo "--- ${f##*/}"; tail -n 5 "$f"; } >&2
	done
	finish 1
}

# Wait until a server has said where it listens: its first line on stderr.
address() {
	n=0
	until a=$(sed -n '1s/^.*listening on //p' "$1") && [ -n "$a" ]; do
		n=$((n + 1))
		[ $n -lt 100 ] || fail "$1: nobody listens"
		sleep 0.05
	done
	echo "$a"
}

# The article's files, with the times shortened unless the real are wanted.
if [ "${DEMO_FILES-}" = article ]; then
	cp "$seed"/*.yaml "$tmp"
	echo "demo: the article's files and times as they are; free ports"
	mind=240
else
	sed -e 's/scrape_interval: *15s/scrape_interval: 1s/' \
	    -e 's/evaluation_interval: *15s/evaluation_interval: 1s/' \
	    -e 's/for: 1m/for: 10s/' \
	    "$seed/prometheus-config.yaml" >"$tmp/prometheus-config.yaml"
	sed -e 's/^  group_interval: 5s/&\n  group_wait: 5s/' \
	    "$seed/alertmanager.yaml" >"$tmp/alertmanager.yaml"
	cp "$seed/alertmanager-secret.yaml" "$seed/grafana-config.yaml" \
	    "$seed/grafana-secret.yaml" "$tmp"
	cat <<-EOF
	demo: the article's files, but for these lines, and free ports:
	EOF
	for f in prometheus-config.yaml alertmanager.yaml; do
		diff "$seed/$f" "$tmp/$f" | sed -n "s/^> */    $f: /p"
	done
	mind=60
fi
end=${DEMO_S:-0}
[ "$end" = 0 ] || [ "$end" -ge "$mind" ] ||
    echo "demo: in less than $mind s the resolved message may not come"
cd "$tmp" || exit 1

mf-serve -l 127.0.0.1:0 -g '/hello=Hello, World!' \
    --counter 'api_request_total=/hello=The total number of api called' \
    2>app.err </dev/null &
pids="$pids $!"
mf-serve -l 127.0.0.1:0 --sink 2>sink.err >slack </dev/null &
pids="$pids $!"
mf-serve -l 127.0.0.1:0 -d "$data" --users grafana-secret.yaml \
    2>serve.err </dev/null &
pids="$pids $!"
app=$(address app.err) sink=$(address sink.err) serve=$(address serve.err)

mkfifo collect alert || exit 1
mf-scrape -c prometheus-config.yaml:prometheus.yaml -d "$data" \
    --connect-to "echo-service:80:$app" --connect-to "localhost:9090:$serve" \
    2>scrape.err </dev/null >collect &
pids="$pids $!"
mf-store append -d "$data" 2>store.err <collect &
pids="$pids $!"
mf-eval -w -c prometheus-config.yaml:prometheus.yaml -d "$data" \
    --set __severity__=critical --external-url http://localhost:9090 \
    2>eval.err </dev/null >alert &
eval=$!
pids="$pids $eval"
mf-notify -c alertmanager-secret.yaml:alertmanager.yaml -d "$data" \
    --set "Base64 エンコードされた文字列=$(base64 -w0 alertmanager.yaml)" \
    --set "通知先 Slack チャンネルの Incoming Webhook URL=http://$sink/hook" \
    --set '通知先の Slack チャンネル名=#alerts' 2>notify.err <alert &
pids="$pids $!"

cat <<EOF
    application   http://$app/hello   http://$app/metrics
    API and page  http://$serve/graph   (user admin, password admin)
    Slack         http://$sink/hook, what arrives is printed here
EOF

# Requests to /hello, a few a second, coming and going in waves.
(
	i=0
	while :; do
		i=$((i + 1))
		curl -s -o /dev/null "http://$app/hello" || sleep 1
		case $((i / 40 % 3)) in
		0) sleep 0.02 ;;
		1) sleep 0.1 ;;
		2) sleep 0.2 ;;
		esac
	done
) &
pids="$pids $!"

# The rule goes away 22 s (of the real times: 100 s) before the end, so that
# the resolved message is seen: the rules' file changes, mf-eval is told.
drop_at=0
[ "$end" = 0 ] || drop_at=$((end - 22))
[ "${DEMO_FILES-}" != article ] || drop_at=$((end > 100 ? end - 40 : 0))

frame() {
	mf-plot -d "$data" -s -2m --step 1s --width "$width" --height 14 \
	    --color="$color" --title 'rate(api_request_total[1m])' \
	    'rate(api_request_total[1m])' 2>plot.err || :
}
slack() {
	# The message as Slack would show it: title and text of the JSON body.
	sed -e 's/.*"title":"\([^"]*\)".*"text":"\(.*\)","fallback".*/\1\\n\2/' \
	    -e 's/\\n/\n/g' -e 's/\\u003e/>/g' -e 's/\\u003c/</g'
}

began=$(date +%s) seen=0 color=never width=80
if [ -t 1 ]; then
	color=auto
	[ -n "${NO_COLOR-}" ] || color=always
	printf '%s[2J%s[?25l' "$esc" "$esc"
fi
while :; do
	now=$(($(date +%s) - began))
	for p in $pids; do
		kill -0 "$p" 2>/dev/null || fail "a program of the flow ended"
	done
	if [ "$drop_at" -gt 0 ] && [ $now -ge "$drop_at" ]; then
		drop_at=0
		sed -i '/- alert:/,$d; s/^        rules:.*/        rules: []/' \
		    prometheus-config.yaml
		kill -HUP "$eval"
		echo "demo: the rule was taken away at $now s"
	fi
	have=$(wc -l <slack)
	if [ -t 1 ]; then
		size=$(stty size 2>/dev/null </dev/tty) || size='24 80'
		width=${size#* }
		{
			printf '%s[H' "$esc"
			frame
			echo "$now s, $have message(s) to Slack; Ctrl-C ends"
			tail -n 1 slack | slack | head -n 12
		} | sed "s/\$/${esc}[K/"
		printf '%s[J' "$esc"
		nap=1
	else
		if [ "$have" -gt "$seen" ]; then
			sed -n "$((seen + 1)),${have}p" slack | while read -r m; do
				echo "--- to Slack at $now s:"
				echo "$m"
			done
			seen=$have
		fi
		case $now in
		*[05]) [ "$now" = 0 ] || { echo "--- the graph at $now s:"; frame; } ;;
		esac
		nap=1
	fi
	if [ "$end" -gt 0 ] && [ $now -ge "$end" ]; then
		[ "$have" -ge 2 ] || fail "only $have message(s) came to Slack"
		echo "demo: $have messages came to Slack, the last one resolved"
		finish 0
	fi
	sleep $nap
done
