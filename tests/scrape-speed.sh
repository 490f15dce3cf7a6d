#!/bin/bash
# What does it cost mf-scrape to scrape a fleet?  TARGETS live targets of
# SERIES series each, every INTERVAL seconds, stdout drained by cat; a server
# beside it (tests/helpers/pages.c) answers on PORTS ports.  Prints exposition
# text: CPU of mf-scrape alone, user and system, in a window of two intervals
# after the second round, and its memory then.
#
#	PATH=build:$PATH bash tests/scrape-speed.sh [gzip]
set -eu

targets=${TARGETS:-1000} series=${SERIES:-700} every=${INTERVAL:-15}
ports=${PORTS:-$targets} packed=${1:-}
here=$(dirname "$0")
dir=$(mktemp -d)
pids=
# shellcheck disable=SC2086 # a list of pids
trap 'kill $pids 2>/dev/null; wait; rm -rf "$dir"' EXIT
ulimit -n "$(ulimit -Hn)"

"${CC:-cc}" -O2 -o "$dir/pages" "$here/helpers/pages.c" -lz
"$dir/pages" "$series" "$ports" ${packed:+"$packed"} 2>"$dir/ports" &
pids=$!
until grep -q ready "$dir/ports"; do sleep 0.1; done

sed -n 's/^port //p' "$dir/ports" | awk -v n="$targets" -v every="$every" '
    { port[NR - 1] = $1 }
    END {
	print "global: {scrape_interval: " every "s, scrape_timeout: " every "s}"
	print "scrape_configs:\n- job_name: fleet\n  static_configs:"
	for (i = 0; i < n; i++)
		printf "  - {targets: [\"127.0.0.1:%d\"], labels: " \
		    "{__metrics_path__: /t/%d, instance: \"host%d:9100\"}}\n", \
		    port[i % NR], i, i
    }' >"$dir/p.yml"

mkfifo "$dir/pipe"
cat <"$dir/pipe" >/dev/null &
pids="$pids $!"
mf-scrape -c "$dir/p.yml" -d "$dir/data" >"$dir/pipe" &
scrape=$!
pids="$pids $scrape"

# On a processor so far, in ns.
cpu() { cut -d" " -f1 "/proc/$scrape/schedstat"; }
kb() { awk -v k="$1:" '$1 == k { print $2 }' "/proc/$scrape/status"; }

sleep $((2 * every + 1))
begin=$(cpu)
sleep $((2 * every))
spent=$(($(cpu) - begin))
awk -v ns="$spent" -v n="$targets" -v s="$series" -v rss="$(kb VmRSS)" \
    -v hwm="$(kb VmHWM)" -v enc="${packed:-identity}" 'BEGIN {
	l = sprintf("{bench=\"scrape\",targets=\"%d\",series=\"%d\",encoding=\"%s\"}", n, s, enc)
	printf "mf_bench_cpu_us_per_sample%s %.4f\n", l, ns / 1e3 / (2 * n * s)
	printf "mf_bench_rss_bytes%s %d\n", l, rss * 1024
	printf "mf_bench_rss_max_bytes%s %d\n", l, hwm * 1024
	printf "mf_bench_rss_bytes_per_series%s %.1f\n", l, rss * 1024 / (n * s)
    }'
