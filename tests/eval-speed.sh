#!/bin/bash
# eval-speed.sh WORK [N]: mf-eval as a cold process and mf-serve's API beside
# Prometheus and VictoriaMetrics over HTTP, on the same data in the same run;
# medians of N (7) in turns, in ms, and ratios.  Run by hand: it wants a quiet
# machine (on a busy one the columns of CPU are the ones to read), 2 GB of disk
# under WORK, ../shared/bench, and the peers (make peers)
# in PATH or under PEERS.  What it makes under WORK is used again next time.
#
#	PATH=build:$PATH tests/eval-speed.sh /tmp/eval-speed
#
# MEMORY=1 prints the peaks instead, SIZES=1 mf-eval at three sizes of range
# and step, ONLY='q04 q06' runs those alone.
set -eu
cd "$(dirname "$0")/.."
work=${1:?a directory to work in} n=${2:-7}
bench=${BENCH:-../shared/bench}
T0=1795341600 T=$((1795341600 + 7000)) FROM=$((1795341600 + 3400))
PATH=$PATH:${PEERS:-build/peers/usr/bin}:/tmp/newest/root/usr/bin
mkdir -p "$work"
pids='' p=''
trap 'for p in $pids; do kill "$p" 2>/dev/null || :; done' EXIT

H='instance="host-042.dc0.example:9100"'
B=http_request_duration_seconds_bucket
NET=node_network_receive_bytes_total
# name, step in s (0: an instant query), expression
queries() {
	cat <<-END
	q01	0	node_load1{$H}
	q02	15	rate(node_cpu_seconds_total{$H,cpu="0",mode="user"}[5m])
	q03	0	sum by (mode) (rate(node_cpu_seconds_total[5m]))
	q04	15	sum by (mode) (rate(node_cpu_seconds_total[5m]))
	q05	15	topk(10, rate(${NET}[5m]))
	q06	15	histogram_quantile(0.99, sum by (le) (rate(${B}[5m])))
	q07	0	count({__name__=~".+"})
	q08	0	count by (__name__) ({__name__=~"node_(cpu|disk)_.*",instance=~"host-0[0-4].*"})
	q09	15	sum by (host) (label_replace(node_load1, "host", "\$1", "instance", "([^.]+)[.].*"))
	q10	0	max_over_time(rate(${NET}[5m])[1h:1m])
	q11	15	node_memory_MemAvailable_bytes * on (instance) group_left (nodename) node_uname_info
	q12	0	{__name__=~"node_cpu_.*|node_softnet_.*"}
	q13	60	node_cpu_seconds_total
	q14	0	quantile_over_time(0.9, node_load5[1h])
	q15	0	sum(increase(node_cpu_seconds_total[1h]))
	q16	15	100 * node_filesystem_avail_bytes / node_filesystem_size_bytes < 10
	q17	0	sum(resets(node_cpu_seconds_total[2h]))
	q18	15	avg by (instance) (irate(node_cpu_seconds_total{mode="idle"}[5m]))
	END
}

# The generator with a batch a scrape; snappy is for what is not used here.
generator() {
	[ -x "$work/gen" ] && return
	[ -r "$bench/gen.c" ] || {
		echo "no $bench: nothing to measure on" >&2
		exit 0
	}
	mkdir -p "$work/stub"
	cat > "$work/stub/snappy-c.h" <<-'END'
	#include <stddef.h>
	#define snappy_max_compressed_length(n) (n)
	#define snappy_compress(a, b, c, d) abort()
	END
	sed '/^static void cmd_text/,/^}/{
	s|^        for (int i = 0; i < nsp; i++) {$|        if (!om) o += sprintf(o, "# BATCH {target=\\"%03d\\"} %lld\\n", t, (long long)ts);\n&|
	s|^        }$|&\n        if (!om) o += sprintf(o, "# EOF\\n");|
	}' "$bench/gen.c" > "$work/gen.c"
	cc -O2 -w "-I$work/stub" -o "$work/gen" "$work/gen.c"
}

# Set M: 100 targets, 700 series each, two hours: 33.6 M samples.
text() { # spec700.tsv says what a target's page looks like
	"$work/gen" prom "$bench/spec700.tsv" 100 $T0 15 480
}

listening() { # LOG: the address it says
	local i
	for i in $(seq 500); do
		sed -n 's/.*listening on //p' "$1" | head -n1 | grep . && return
		sleep 0.01
	done
	echo "$1: nobody listens" >&2
	return 1
}

ready() { # URL
	local i
	for i in $(seq 3000); do
		curl -fs -o /dev/null "$1" && return
		sleep 0.01
	done
	echo "$1: not ready" >&2
	return 1
}

start_prom() {
	echo 'global: {scrape_interval: 15s}' > "$work/prom.yml"
	prometheus --config.file="$work/prom.yml" \
	    --storage.tsdb.path="$work/prom" --web.listen-address=127.0.0.1:39191 \
	    --storage.tsdb.retention.time=10y 2> "$work/prom.log" &
	prom=$!
	pids="$pids $prom"
	P=http://127.0.0.1:39191
	ready $P/-/ready
}

start_vm() {
	victoria-metrics -storageDataPath="$work/vm" \
	    -httpListenAddr=127.0.0.1:38428 -retentionPeriod=10y \
	    -search.maxUniqueTimeseries=1000000 -search.maxSeries=1000000 \
	    2> "$work/vm.log" &
	vm=$!
	pids="$pids $vm"
	V=http://127.0.0.1:38428
	ready $V/health
}

start_serve() { # sealed|open
	mf-serve -d "$work/$1" -l 127.0.0.1:0 2> "$work/serve.log" &
	serve=$!
	pids="$pids $serve"
	S=http://$(listening "$work/serve.log")
	S=${S#http://http://}
	S=http://${S#http://}
}

stop() {
	kill "$1"
	wait "$1" 2>/dev/null || :
}

load() {
	generator
	[ -d "$work/open" ] || { text | mf-store append -q -d "$work/open.new"
		mv "$work/open.new" "$work/open"; }
	[ -d "$work/sealed" ] || { rm -rf "$work/sealed.new"
		cp -r "$work/open" "$work/sealed.new"
		mf-store compact -q --seal -d "$work/sealed.new"
		mv "$work/sealed.new" "$work/sealed"; }
	if [ ! -d "$work/prom" ] && command -v prometheus >/dev/null; then
		rm -rf "$work/prom.new"
		mf-store export --tsdb "$work/prom.new" -d "$work/sealed"
		mv "$work/prom.new" "$work/prom"
	fi
	[ ! -d "$work/vm" ] && command -v victoria-metrics >/dev/null || return 0
	start_vm
	text | curl -fs -T - -X POST $V/api/v1/import/prometheus
	curl -fs $V/internal/force_flush
	sleep 1
	curl -fs $V/internal/force_merge
	sleep 20
	stop $vm
}

median() {
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

url() { # BASE STEP EXPR
	local e
	e=$(printf '%s' "$3" | jq -sRr @uri)
	if [ "$2" = 0 ]; then
		echo "$1/api/v1/query?query=$e&time=$T&nocache=1"
	else
		echo "$1/api/v1/query_range?query=$e&start=$FROM&end=$T&step=$2&nocache=1"
	fi
}

http() { # URL: ms, one request of a connection that is open
	curl -s -o /dev/null "$1" --next -s -o /dev/null \
	    -w '%{time_total}\n' "$1" | awk '{ print $1 * 1000 }'
}

range() { # STEP: the options of mf-eval
	if [ "$1" = 0 ]; then
		echo "--now $T"
	else
		echo "-s $FROM -e $T --step $1s"
	fi
}

cold() { # DIR STEP EXPR: ms of the whole process, and of CPU
	local TIMEFORMAT='%R %U %S'
	# shellcheck disable=SC2046
	{ time mf-eval -o json -d "$1" $(range "$2") "$3" \
	    > "$work/out"; } 2>&1 |
	    awk 'NF == 3 { print $1 * 1000, ($2 + $3) * 1000 }'
}

cpu() { # [PID]: CPU of a server in ms
	[ -n "${1-}" ] || { echo nan; return; }
	awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, "")
		print ($12 + $13) * 1000 / hz }' "/proc/$1/stat"
}

row() { # NAME STEP EXPR
	local i p0 v0 s0
	rm -f "$work"/t.*
	p0=$(cpu "${prom-}") v0=$(cpu "${vm-}") s0=$(cpu "$serve")
	for i in $(seq "$n"); do
		[ -z "${P-}" ] || http "$(url "$P" "$2" "$3")" >> "$work/t.p"
		[ -z "${V-}" ] || http "$(url "$V" "$2" "$3")" >> "$work/t.v"
		cold "$work/sealed" "$2" "$3" >> "$work/t.c"
		cold "$work/open" "$2" "$3" >> "$work/t.o"
		http "$(url "$S" "$2" "$3")" >> "$work/t.s"
	done
	for i in p v c o s; do
		[ -f "$work/t.$i" ] || echo nan > "$work/t.$i"
	done
	echo "$1 $(median < "$work/t.p") $(median < "$work/t.v") \
$(median < "$work/t.c") $(median < "$work/t.o") $(median < "$work/t.s") \
$(cpu "${prom-}") $p0 $(cpu "${vm-}") $v0 $(cpu "$serve") $s0 $n \
$(cut -d' ' -f2 "$work/t.c" | median)" | awk '{
		n = 2 * $13; p = ($7 - $8) / n; v = ($9 - $10) / n
		printf "%-4s %8.2f %8.2f %8.2f %8.2f %8.2f | %6.3f %6.3f %6.3f %6.3f", \
		    $1, $2, $3, $4, $5, $6, $4 / $2, $4 / $3, $6 / $2, $6 / $3
		printf " | %7.1f %7.1f %7.1f %7.1f | %6.3f %6.3f\n", p, v, $14,
		    ($11 - $12) / n, (p > 0 ? $14 / p : 0), (v > 0 ? $14 / v : 0) }'
}

wanted() {
	[ -z "${ONLY-}" ] || case " $ONLY " in *" $1 "*) ;; *) return 1;; esac
}

speed() {
	! command -v prometheus >/dev/null || start_prom
	! command -v victoria-metrics >/dev/null || start_vm
	start_serve sealed
	printf '%-4s %8s %8s %8s %8s %8s | %6s %6s %6s %6s' ms P VM sealed open \
	    serve cold/P /VM serve/P /VM
	printf ' | %7s %7s %7s %7s | %6s %6s\n' CPU:P VM sealed serve cold/P /VM
	queries | while IFS="$(printf '\t')" read -r name step expr; do
		wanted "$name" || continue
		row "$name" "$step" "$expr"
	done
}

status() { # PID FIELD: kB
	awk -v f="$2:" '$1 == f { print $2 }' "/proc/$1/status"
}

# What one query makes a fresh server grow by, and mf-eval in all, in MiB.
memory() {
	printf '%-4s %10s %10s %10s\n' MiB 'P growth' mf-eval ratio
	queries | while IFS="$(printf '\t')" read -r name step expr; do
		wanted "$name" || continue
		start_prom
		before=$(status $prom VmRSS)
		curl -s -o /dev/null "$(url "$P" "$step" "$expr")"
		after=$(status $prom VmHWM)
		stop $prom
		# shellcheck disable=SC2046
		mine=$(/usr/bin/env time -f %M mf-eval -o json -d "$work/sealed" \
		    $(range "$step") "$expr" 2>&1 >/dev/null | tail -n1)
		echo "$name $((after - before)) $mine" | awk '{
			printf "%-4s %10.1f %10.1f %10.3f\n", $1, $2 / 1024,
			    $3 / 1024, ($2 > 0 ? $3 / $2 : 0) }'
	done
}

# The same query over ranges, then over steps, that double.
sizes() {
	local q='sum by (mode) (rate(node_cpu_seconds_total[5m]))' i span step
	for span in 1750 3500 7000; do
		for i in $(seq "$n"); do
			FROM=$((T - span))
			cold "$work/sealed" 15 "$q"
		done | cut -d' ' -f2 | median | sed "s/^/CPU ms, range $span s, step 15 s: /"
	done
	for step in 20 10 5; do
		for i in $(seq "$n"); do
			FROM=$((T - 3600))
			cold "$work/sealed" "$step" "$q"
		done | cut -d' ' -f2 | median | sed "s/^/CPU ms, range 3600 s, step $step s: /"
	done
}

load
if [ -n "${MEMORY-}" ]; then
	memory
elif [ -n "${SIZES-}" ]; then
	sizes
else
	speed
fi
