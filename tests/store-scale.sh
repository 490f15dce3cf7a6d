#!/bin/bash
# How does a store grow with the number of series?  A day of the generator's
# series, thinned to ROUNDS (24) rounds, for each size: append, the first
# answers of fresh processes while the day is open, compaction, the first
# answers when it is sealed.
#
#	PATH=build:$PATH bash tests/store-scale.sh [SERIES ...]
#
# SERIES are 10000 100000 1000000 if none are given.  BENCH (../shared/bench)
# has the generator; TMPDIR takes about 3 GB for a million series.
#
# Columns: series; append, M samples a second of CPU, of text that is there; RSS
# of it, MiB; compact, ns of CPU a sample, and its RSS; bytes a series of series.log, and of
# the index that takes its place; bytes a sample of all; ms of CPU of a fresh
# mf-eval, its start in it (the median of 9), for one series of one metric, of
# the open day before compaction, of the open day with its index, and sealed;
# then, sealed, for all series of a metric (1 in 700).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
bench=${BENCH:-$here/../../shared/bench}
start=${START:-1795219200} # 2026-11-21, a midnight
rounds=${ROUNDS:-24}
dir=$(mktemp -d "${TMPDIR:-/tmp}/store-scale.XXXXXX")
trap 'rm -rf "$dir"' EXIT

[ -e "$bench/gen.c" ] || { echo "no generator in $bench: skipped"; exit; }

# Without remote write, so that snappy is not needed.
mkdir "$dir/stub"
cat >"$dir/stub/snappy-c.h" <<-'EOT'
	#include <stddef.h>
	#define snappy_max_compressed_length(n) (n)
	#define snappy_compress(a, n, b, m) ((void)(n))
EOT
"${CC:-cc}" -O2 -w -I"$dir/stub" -o "$dir/gen" "$bench/gen.c"

# generated TARGETS: a batch a target a round.
generated() {
	"$dir/gen" prom "$bench/spec700.tsv" "$1" "$start" \
	    $((86400 / rounds)) "$rounds" | awk '
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

# timed NAME COMMAND...: seconds of CPU and MiB in NAME_s and NAME_mb.
append_s='' append_mb='' some_s='' rest_s='' rest_mb=''
timed() {
	local name=$1 u s m

	shift
	command time -f '%U %S %M' -o "$dir/time" "$@"
	read -r u s m <<<"$(tail -n 1 "$dir/time")"
	printf -v "${name}_s" '%s' "$(echo "$u $s" | awk '{ print $1 + $2 }')"
	printf -v "${name}_mb" '%d' $((m / 1024))
}

# first EXPR: ms of CPU of a fresh process, the median of 9.
first() {
	local TIMEFORMAT='%U %S'

	for _ in 1 2 3 4 5 6 7 8 9; do
		{ time mf-eval -d "$dir/mf" --now $((start + 86399)) \
		    "last_over_time($1[2h])" >"$dir/out"; } 2>&1
	done | awk '{ print ($1 + $2) * 1000 }' | sort -n |
	    awk 'NR == 5 { printf "%.1f", $1 }'
	grep -q '^node_load1' "$dir/out" || { echo "no answer: $1" >&2; exit 1; }
}

printf '%8s %7s %5s %7s %5s %6s %6s %6s %7s %7s %7s %7s\n' series 'append' \
    'MiB' 'compact' 'MiB' 'log' 'index' 'all' 'open' 'indexed' 'sealed' metric
[ $# -gt 0 ] || set -- 10000 100000 1000000
for series; do
	targets=$(((series + 699) / 700))
	rm -rf "$dir/mf"
	generated "$targets" >"$dir/in"
	timed append mf-store append -d "$dir/mf" "$dir/in"
	rm "$dir/in"
	day=$(echo "$dir"/mf/store/2*)
	one='node_load1{instance="host-007.dc1.example:9100"}'
	log=$(stat -c %s "$day/series.log")
	open=$(first "$one")
	# As it is while the day lasts.
	timed some mf-store compact -q --now $((start + 86399)) -d "$dir/mf"
	indexed=$(first "$one")
	timed rest mf-store compact -q --seal -d "$dir/mf"
	index=$(stat -c %s "$day/index")
	sealed=$(first "$one")
	metric=$(first 'node_load1')
	n=$((targets * 700))
	awk -v n="$n" -v r="$rounds" -v a="$append_s" -v am="$append_mb" \
	    -v c="$some_s" -v d="$rest_s" -v cm="$rest_mb" -v l="$log" \
	    -v x="$index" -v b="$(du -s --block-size=1 "$dir/mf" | cut -f 1)" \
	    -v o="$open" -v i="$indexed" -v s="$sealed" -v m="$metric" 'BEGIN {
		printf "%8d %7.2f %5d %7.1f %5d %6.1f %6.2f %6.2f %7s %7s %7s %7s\n",
		    n, n * r / a / 1e6, am, (c + d) * 1e9 / n / r, cm, l / n,
		    x / n, b / n / r, o, i, s, m }'
done
