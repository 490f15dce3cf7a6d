#!/bin/sh
# Unit tests and a small flow under valgrind: any error or lost block fails.
set -eu
cd "$(dirname "$0")/.."
b=${MF_BUILD:-build}
vg="valgrind -q --error-exitcode=99 --leak-check=full
	--errors-for-leak-kinds=definite --suppressions=tests/valgrind.supp"
fails=0
ran=0
run() {
	ran=$((ran + 1))
	# shellcheck disable=SC2086
	if ! $vg "$@" >"$b/valgrind.out" 2>&1; then
		echo "valgrind: $*"
		grep -vE '^ok ' "$b/valgrind.out" | tail -n 30
		fails=$((fails + 1))
	fi
}
# The tests that feed every byte or fork servers take too long here; the
# sanitizers run them.
slow=" store-crash promql-eval base-re metric-expo net-httpd "
for t in "$b"/unit/*; do
	case $t in *.o | *.d) continue ;; esac
	[ -f "$t" ] || continue
	case $slow in *" ${t##*/} "*) continue ;; esac
	run "$t"
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
printf 'up{job="a"} 1 1700000000000\nup{job="b"} 0 1700000015000\n' >"$tmp/in"
run "$b/mf-store" append -d "$tmp/d" --in "$tmp/in"
run "$b/mf-store" select -d "$tmp/d"
run "$b/mf-eval" -d "$tmp/d" --now 1700000015 'sum(up)'
run "$b/mf-plot" --in "$tmp/in"
echo "valgrind: $((ran - fails)) passed, $fails failed"
[ $fails = 0 ]
