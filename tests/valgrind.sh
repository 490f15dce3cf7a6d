#!/bin/sh
# Unit tests and a small flow under valgrind: any error or lost block fails.
set -eu
cd "$(dirname "$0")/.."
b=${MF_BUILD:-build}
mkdir -p "$b/valgrind"
vg="valgrind -q --error-exitcode=99 --leak-check=full
	--errors-for-leak-kinds=definite --suppressions=tests/valgrind.supp"
fails=0
ran=0
run() {
	ran=$((ran + 1))
	# shellcheck disable=SC2086
	if ! $vg "$@" >"$b/valgrind/${1##*/}" 2>&1; then
		echo "valgrind: $*"
		grep -vE '^ok ' "$b/valgrind/${1##*/}" | tail -n 30
		fails=$((fails + 1))
	fi
}
if [ $# -gt 0 ]; then # one unit test, for the loop below
	run "$1"
	exit $fails
fi
# The tests that feed every byte or fork servers take too long here; the
# sanitizers run them.
slow=" store-crash store-compact store-seal store-sealed promql-eval base-re base-re-rows metric-expo net-httpd net-fetch net-fetch_plain "
for t in "$b"/unit/*; do
	case $t in *.o | *.d) continue ;; esac
	[ -f "$t" ] || continue
	case $slow in *" ${t##*/} "*) continue ;; esac
	echo "$t"
done >"$b/valgrind/tests"
ran=$(wc -l <"$b/valgrind/tests")
xargs -P2 -n1 sh tests/valgrind.sh <"$b/valgrind/tests" || fails=1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
printf 'up{job="a"} 1 1700000000000\nup{job="b"} 0 1700000015000\n' >"$tmp/in"
run "$b/mf-store" append -d "$tmp/d" "$tmp/in"
run "$b/mf-store" select -d "$tmp/d"
run "$b/mf-eval" -d "$tmp/d" --now 1700000015 'sum(up)'
run "$b/mf-plot" --in "$tmp/in"
run "$b/mf-scrape" -1 -n "file:$tmp/in"
cat >"$tmp/am.yml" <<-EOF
route: {receiver: hook, group_by: [alertname], group_wait: 1s}
receivers:
- {name: hook, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}
EOF
{
	echo '# BATCH {} 1700000000000'
	printf '# ALERT {alertname="A"} {} 1700000000000 state=firing'
	printf ' activeAt=1700000000000 startsAt=1700000000000'
	echo ' endsAt=1700000240000 value=1'
	echo '# EOF'
} >"$tmp/alerts"
deliver() {
	"$@" <"$tmp/alerts"
}
deliver run "$b/mf-notify" -n --replay -e 1700000060 -c "$tmp/am.yml" \
    -d "$tmp/d"

# mf-serve lives until it is told to end; meanwhile it is asked, and scraped.
# shellcheck disable=SC2086
$vg "$b/mf-serve" -l 127.0.0.1:0 -d "$tmp/d" -g /hello=x \
    2>"$tmp/serve" >&2 </dev/null &
server=$!
address=
for _ in $(seq 200); do
	address=$(sed -n 's/^.*listening on //p' "$tmp/serve" | head -n 1)
	[ -z "$address" ] || break
	sleep 0.1
done
run "$b/mf-scrape" -1 -n "http://$address/metrics"
for path in hello graph 'graph?expr=up&now=1' nowhere \
    'api/v1/query?query=up&time=1700000015' \
    'api/v1/query_range?query=up&start=1700000000&end=1700000060&step=15'; do
	curl -s -o "$tmp/answer" "http://$address/$path" || :
done
kill "$server"
ran=$((ran + 1))
if ! wait "$server"; then
	echo "valgrind: mf-serve"
	tail -n 30 "$tmp/serve"
	fails=$((fails + 1))
fi
echo "valgrind: $((ran - fails)) passed, $fails failed"
[ $fails = 0 ]
