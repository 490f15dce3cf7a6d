#!/bin/sh
# One fuzzer for some seconds: what it found is kept, a fault is shown.
#
#	fuzz-one.sh BUILD NAME SECONDS SEED
set -u
b=$1 n=$2 secs=$3 seed=$4
cd "$(dirname "$0")/.." || exit 1
mkdir -p "$b/corpus/$n"
known=tests/fuzz/corpus/$n
[ -d "$known" ] || known=
# shellcheck disable=SC2086 # no corpus is no word
"$b/fuzz/$n" -seed="$seed" -max_total_time="$secs" -rss_limit_mb=1024 \
    -timeout=20 -close_fd_mask=1 -artifact_prefix="$b/fault-$n-" \
    "$b/corpus/$n" $known >"$b/$n.log" 2>&1 || {
	tail -n 40 "$b/$n.log"
	echo "fuzz $n: FAULT, the input is $b/fault-$n-*"
	exit 1
}
echo "fuzz $n: $secs s, no fault"
