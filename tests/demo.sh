#!/bin/sh
# make demo: the whole flow, live, from the article's own files.
#
#	DEMO_S=60		end by itself after that many seconds, after a
#				resolved message (the rule is taken away in time)
#	DEMO_FILES=article	the article's real times (15 s, 1 m, 30 s)
#
# On a terminal the graph is redrawn in place, with the latest message to Slack
# under it; elsewhere frames are printed.  Everything it starts is a child of
# this script and stopped by it.
set -u
end=${DEMO_S:-0}
case $end in
*[!0-9]*)
	echo "demo: DEMO_S=$end is not a number of seconds" >&2
	exit 2
	;;
esac
cd "$(dirname "$0")/data/seed" || exit 1
seed=$PWD
tmp=$(mktemp -d "${TMPDIR:-/tmp}/mf-demo.XXXXXX") || exit 1
data=$tmp/data
pids=
esc=$(printf '\033')
screen=
[ ! -t 1 ] || [ "${TERM:-dumb}" = dumb ] || screen=yes

finish() {
	trap '' HUP INT PIPE TERM EXIT
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill $pids 2>/dev/null
	wait 2>/dev/null
	rm -rf "$tmp"
	exit "${1:-0}"
}
trap 'restore; finish 0' HUP INT PIPE TERM
trap 'restore; finish 1' EXIT

# The terminal as it was: cursor, wrapping, and a line of its own.
restore() {
	[ -z "${drawn-}" ] || printf '%s[?25h%s[?7h%s[%d;1H\n' \
	    "$esc" "$esc" "$esc" "${rows:-24}"
	drawn=
}

fail() {
	restore
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
		[ $n -lt 600 ] || fail "$1: nobody listens"
		sleep 0.05
	done
	echo "$a"
}

# The article's files, with the times shortened unless the real are wanted.
if [ "${DEMO_FILES-}" = article ]; then
	cp "$seed"/*.yaml "$tmp"
	echo "demo: the article's files and times as they are; free ports"
	mind=240 every=15 span=600
	times='the article as it is'
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
	mind=60 every=5 span=120
	times='scrape and evaluation 1 s, for 10 s, group_wait 5 s'
fi
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

# The window grows with what there is to see.
frame() {
	[ "$now" -ge "$span" ] || set -- "$((now > 15 ? now : 15))"
	mf-plot -d "$data" -s "-${1:-$span}s" --step 1s --width "$width" \
	    --height "$height" --color="$color" \
	    --title 'rate(api_request_total[1m])' \
	    'rate(api_request_total[1m])' 2>plot.err || :
}

# Message number $1 as Slack shows it: its colour, title and text.
slack() {
	sed -n "$1p" slack | sed -e \
	    's/.*"title":"\([^"]*\)".*"text":"\(.*\)","fallback".*"color":"\([a-z]*\)".*/\3\\n\1\\n\2/' \
	    -e 's/\\n/\n/g' -e 's/\\u003e/>/g' -e 's/\\u003c/</g' \
	    -e 's/\\u0026/\&/g' -e 's/\\"/"/g' | sed '/^ *$/d'
}

print_slack() {
	echo "--- to Slack at $now s:"
	slack "$1" | sed -e 1d -e 's/^/    | /'
}

draw_slack() {
	slack "$have" >message
	case $(head -n 1 message) in
	danger) paint='31' ;;
	*) paint='32' ;;
	esac
	[ "$color" = always ] || paint=0
	sed -e 1d -e "2s/.*/*&*/" message | head -n "$box" | sed -e \
	    "s/\*\([^*]*\)\*/${esc}[1m\1${esc}[0m/g" \
	    -e "s/^/${esc}[${paint}m$bar${esc}[0m /"
}

# Two lines of heading, the graph, a line, and the message below it.
draw() {
	size=$(stty size 2>/dev/null </dev/tty) || size='24 80'
	rows=${size% *} width=${size#* }
	[ "$rows" -ge 20 ] || rows=20
	box=7
	height=$((rows - box - 4))
	printf '%s[H' "$esc"
	{
		echo "mf demo, $now s: $times; Ctrl-C ends"
		echo "http://$app/hello  http://$serve/graph (admin, admin)"
		frame
	} | sed "s/^/${esc}[K/"
	printf '%s[J%s[%d;1H' "$esc" "$esc" $((height + 3))
	if [ "$have" = 0 ]; then
		echo "Slack: nothing yet"
	else
		echo "Slack: message $have, at $came s$dropped"
		draw_slack
	fi
}

began=$(date +%s) seen=0 color=never width=80 height=14 next=$every dropped=
case ${LC_ALL:-${LC_CTYPE:-${LANG-}}} in
*[Uu][Tt][Ff]*) bar='┃' ;;
*) bar='|' ;;
esac
[ -z "$screen" ] || [ -n "${NO_COLOR-}" ] || color=always
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
		dropped="; the rule was taken away at $now s"
		[ -n "$screen" ] || echo "demo${dropped}"
	fi
	have=$(wc -l <slack)
	# What was said at the start stays to be read until there is a graph.
	if [ -n "$screen" ] && [ $now -ge 3 ]; then
		[ -n "${drawn-}" ] ||
		    printf '%s[2J%s[?25l%s[?7l' "$esc" "$esc" "$esc"
		drawn=yes
		[ "$have" -le "$seen" ] || came=$now
		draw
	elif [ -z "$screen" ]; then
		while [ "$have" -gt "$seen" ]; do
			seen=$((seen + 1))
			print_slack "$seen"
		done
		if [ $now -ge $next ]; then
			next=$((now - now % every + every))
			echo "--- the graph at $now s:"
			frame
		fi
	fi
	seen=$have
	if [ "$end" -gt 0 ] && [ $now -ge "$end" ]; then
		restore
		[ "$have" -ge 2 ] || fail "only $have message(s) came to Slack"
		sed -n '$p' slack | grep -q '"title":"\[RESOLVED\]' ||
		    fail "the last message to Slack is not a resolved one"
		echo "demo: $have messages came to Slack, the last one resolved"
		finish 0
	fi
	sleep 1
done
