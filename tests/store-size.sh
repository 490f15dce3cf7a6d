#!/bin/bash
# What does a sample cost on disk, and to bring it there?  mf-store,
# Prometheus's blocks (promtool tsdb create-blocks-from openmetrics) and
# VictoriaMetrics (after a forced merge) get the same samples in the same run.
#
#	PATH=build:$PATH bash tests/store-size.sh [SET ...]
#
# Sets: node and prom, real pages of node_exporter and Prometheus of 61 minutes
# at 15 s; node24 and prom24, the same repeated to 24 hours, times moved on;
# m, TARGETS (100) times 700 series of the generator for STEPS (480) rounds.
#
# BENCH (../shared/bench) has the data, PEERS (build/peers) promtool, VM the
# program victoria-metrics; what is not there is left out and said so.
#
# Columns: bytes a sample of values and times (mf: its parts, with all that
# stands in them; Prometheus: the files in chunks/; VictoriaMetrics: what it
# says of storage/), of everything (the blocks the disk gives the directory,
# labels and index in it; of VictoriaMetrics without its cache/), and seconds of
# the way in (mf: append and compact --seal).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
bench=${BENCH:-$here/../../shared/bench}
peers=${PEERS:-$here/../build/peers}
vm=${VM:-$(command -v victoria-metrics || echo /tmp/newest/root/usr/bin/victoria-metrics)}
promtool=$(command -v promtool || echo "$peers/usr/bin/promtool")
start=${START:-1763769600} # a midnight; the day is over
dir=$(mktemp -d "${TMPDIR:-/tmp}/store-size.XXXXXX")
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; wait; rm -rf "$dir"' EXIT

[ -e "$bench/scrapes.tar.zst" ] || { echo "no data in $bench: skipped"; exit; }

bytes() { du -s --block-size=1 "$@" | awk '{ n += $1 } END { print n }'; }
apparent() { cat "$@" | wc -c; }
now() { date +%s.%N; }

# pages KIND ROUNDS: every 15th page, as often as need be, a batch each.
pages() {
	find "$dir/scrapes/$1" -type f | sort | awk 'NR % 15 == 1' |
	    awk -v rounds="$2" -v start="$start" -v kind="$1" '
		{ file[NR - 1] = $0 }
		END {
			for (i = 0; i < rounds; i++) {
				f = file[i % NR]
				print "# BATCH {instance=\"h:1\",job=\"" kind \
				    "\"} " sprintf("%.0f", (start + 15 * i) * 1000)
				while ((getline line <f) > 0)
					print line
				close(f)
				print "# EOF"
			}
		}'
}

# The generator, without remote write, so that snappy is not needed.
generator() {
	[ ! -x "$dir/gen" ] || return 0
	mkdir "$dir/stub"
	cat >"$dir/stub/snappy-c.h" <<-'EOT'
	#include <stddef.h>
	#define snappy_max_compressed_length(n) (n)
	#define snappy_compress(a, n, b, m) ((void)(n))
	EOT
	"${CC:-cc}" -O2 -w -I"$dir/stub" -o "$dir/gen" "$bench/gen.c"
}

# generated: its text as what mf-scrape would make of it, a batch a target.
generated() {
	"$dir/gen" prom "$bench/spec700.tsv" "${TARGETS:-100}" "$start" 15 \
	    "${STEPS:-480}" | awk '
		$NF != t {
			if (t != "")
				print "# EOF"
			t = $NF
			match($0, /instance="[^"]*"/)
			print "# BATCH {" substr($0, RSTART, RLENGTH) "} " t
		}
		{ print }
		END { print "# EOF" }'
}

row() { # NAME VALUES-AND-TIMES EVERYTHING SECONDS
	printf '%-8s %10d  %-22s %8.3f %8.3f %8.1f\n' "$set" "$n" "$1" \
	    "$(echo "$2 $n" | awk '{ print $1 / $2 }')" \
	    "$(echo "$3 $n" | awk '{ print $1 / $2 }')" "$4"
}

mf() {
	t=$(now)
	"$@" | mf-store append -d "$dir/mf"
	mf-store compact -q --seal -d "$dir/mf" 2>/dev/null
	t=$(echo "$(now) $t" | awk '{ print $1 - $2 }')
	n=$(mf-store info --top 0 -d "$dir/mf" | sed -n 's/^samples //p')
	row mf "$(apparent "$dir"/mf/store/*/*.part)" "$(bytes "$dir/mf")" "$t"
}

prometheus() {
	[ -x "$promtool" ] || { echo "no promtool: make peers"; return; }
	mf-store export -d "$dir/mf" >"$dir/in.om"
	t=$(now)
	"$promtool" tsdb create-blocks-from openmetrics -q "$dir/in.om" \
	    "$dir/tsdb"
	t=$(echo "$(now) $t" | awk '{ print $1 - $2 }')
	row "$("$promtool" --version 2>&1 | sed -n '1s/.*version \([0-9.]*\).*/promtool \1/p')" \
	    "$(apparent "$dir"/tsdb/*/chunks/*)" "$(bytes "$dir/tsdb")" "$t"
	from_om
	rm "$dir/in.om"
}

# The same text into a store, a series after the other as it stands there.
from_om() {
	t=$(now)
	mf-store append -d "$dir/om" "$dir/in.om"
	mf-store compact -q --seal -d "$dir/om" 2>/dev/null
	t=$(echo "$(now) $t" | awk '{ print $1 - $2 }')
	row "mf, of that text" "$(apparent "$dir"/om/store/*/*.part)" \
	    "$(bytes "$dir/om")" "$t"
	rm -r "$dir/om"
}

vm_says() {
	curl -sf "$url/metrics" | awk -v re="$1" '$0 ~ re { n += $NF }
	    END { print n + 0 }'
}

victoria() {
	[ -x "$vm" ] || { echo "no victoria-metrics"; return; }
	"$vm" -storageDataPath="$dir/vm" -httpListenAddr=127.0.0.1:0 \
	    -retentionPeriod=100y -loggerLevel=INFO >"$dir/vm.log" 2>&1 &
	pid=$!
	url=
	for _ in $(seq 100); do
		url=$(sed -n 's|.*server at \(http://127.0.0.1:[0-9]*\)/.*|\1|p' \
		    "$dir/vm.log" | head -n 1)
		[ -n "$url" ] && curl -sf -o "$dir/ok" "$url/health" && break
		sleep 0.1
	done
	t=$(now)
	mf-store select -d "$dir/mf" | grep -v '^#' |
	    curl -sf -T - "$url/api/v1/import/prometheus"
	t=$(echo "$(now) $t" | awk '{ print $1 - $2 }')
	curl -sf "$url/internal/force_flush"
	curl -sf "$url/internal/force_merge"
	sleep 2
	until [ "$(vm_says '^vm_active_force_merges')" = 0 ]; do sleep 1; done
	sleep 3
	v=$(vm_says '^vm_data_size_bytes{type="storage')
	rows=$(vm_says '^vm_rows{type="storage')
	kill "$pid"
	wait "$pid" || :
	pid=
	rm -rf "$dir/vm/cache"
	n=$rows # it has no NaN
	row VictoriaMetrics "$v" "$(bytes "$dir/vm")" "$t"
}

echo "set         samples  system                 val+time    total  seconds"
tar --zstd -xf "$bench/scrapes.tar.zst" -C "$dir"
[ $# -gt 0 ] || set -- node prom node24 prom24 m
for set; do
	case $set in
	node | prom) mf pages "$set" 244 ;;
	node24 | prom24) mf pages "${set%24}" 5760 ;;
	m) generator && mf generated ;;
	*) echo "no set $set" >&2 && exit 2 ;;
	esac
	prometheus
	victoria
	rm -rf "$dir/mf" "$dir/tsdb" "$dir/vm"
done
