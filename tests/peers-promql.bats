#!/usr/bin/env bats
# PromQL answers side by side with a running Prometheus ("make peers"): the same
# samples, a thousand expressions, each at an instant and over a range.  With
# MF_PROMETHEUS another Prometheus can be asked, with MF_RANDOM more of the
# composed expressions:
#
#	MF_PROMETHEUS=/opt/prometheus MF_RANDOM=8000 bats tests/peers-promql.bats
bats_require_minimum_version 1.5.0

load helpers

setup() {
	peers=${MF_PEERS:-$BATS_TEST_DIRNAME/../build/peers}
	peers=$(cd "$peers" 2>/dev/null && pwd) ||
	    skip "no peers here: make peers"
	PATH=$peers/usr/bin:$PATH
	command -v prometheus >/dev/null && command -v promtool >/dev/null ||
	    skip "prometheus was not unpacked: make peers"
	command -v jq >/dev/null || skip "no jq here"
	lib=$BATS_TEST_DIRNAME/peers
	cd "$BATS_TEST_TMPDIR" || return 1
}
teardown() { stop_all; }

# What changed on the way from Prometheus 2 to 3, mf being like the latter: the
# version with the change, the expressions that may show it (an extended
# regular expression), and its entry in Prometheus's changelog or its pull
# request.
changes() {
	cat <<-'E'
	3.0.0	^holt_winters	holt_winters is now double_exponential_smoothing, experimental. #14930
	3.0.0	aligned	Range selectors and the lookback delta are now left-open. #13904
	3.0.1	\[[0-9a-z]+:	Make subqueries left open. #15431
	3.0.0	signed\{host	regexp . now matches all characters. #14505
	3.0.0	std(dev|var) (by|without)	Fix stddev+stdvar aggregations to treat Infinity consistently. #14941
	2.47.0	atan2	Drop metric name for "atan2" binary operator. #12595
	2.52.0	(rate|increase)\(	Fix limiting of extrapolation to negative values. #13725
	3.0.0	offset 5$	Float literals and time durations being the same is now a stable feature. #15111
	3.0.0	^count_values\("a b"	Enable UTF-8 support by default. #14705
	3.0.0	^label_join\(mem, "a-b"	Enable UTF-8 support by default. #14705
	3.3.0	^label_replace\(mem, "a b"	Allow UTF-8 labels in label_replace(). #15974
	E
}

# The same of native histograms, which 2.42 had as an experiment.
native_changes() {
	cat <<-'E'
	3.6.0	(rate|increase)\((gh|nh)	Fix extrapolation for native counter histograms. #16828
	3.8.0	(sum|avg)( without \(i\) )?\((rate\()?nb	Reconcile mismatched NHCB bounds. #17278
	E
}

# ask NAME ADDRESS: all answers, into NAME.i and NAME.r.
ask() {
	mkdir "$1"
	awk -v to="$2/api/v1/query" -v dir="$1" '{
		gsub(/\\/, "\\\\")
		gsub(/"/, "\\\"")
		at = "data = \"time=1767229207\""
		over = "data = \"start=1767226507&end=1767231907&step=90\""
		for (range = 0; range < 2; range++) {
			if (NR > 1 || range)
				print "next"
			printf "url = \"http://%s%s\"\n", to, range ? "_range" : ""
			printf "data-urlencode = \"query=%s\"\n", $0
			print range ? over : at
			printf "output = \"%s/%06d%s\"\n", dir, NR, range ? "r" : "i"
		} }' exprs >"$1.urls"
	curl -sS -K "$1.urls"
	for k in i r; do
		# an answer each: a line each
		awk 'FNR == 1 && NR > 1 { print "" } { printf "%s", $0 }
		    END { print "" }' "$1"/*$k >"$1.$k"
		[ "$(wc -l <"$1.$k")" = "$(wc -l <exprs)" ]
	done
}

# serve_both STORE BLOCKS OPTION...: both servers; sets $theirs, $ours, $version.
serve_both() {
	local store=$1 blocks=$2
	shift 2
	echo 'global: {}' >p.yml
	free_port
	"${MF_PROMETHEUS:-prometheus}" --config.file=p.yml \
	    --storage.tsdb.path="$blocks" --storage.tsdb.retention.time=100y \
	    --web.listen-address="127.0.0.1:$port" "$@" >prom.log 2>&1 \
	    </dev/null 3>&- &
	echo $! >>pids
	theirs=127.0.0.1:$port
	until_ok 20 curl -sf -o /dev/null "http://$theirs/-/ready"
	version=$(curl -s "http://$theirs/api/v1/status/buildinfo" |
	    jq -r .data.version)
	start serve mf-serve -d "$store" -l 127.0.0.1:0
	ours=$address
}

# What the servers differ in, into "differ".
compare() {
	ask theirs "$theirs"
	ask ours "$ours"
	jq -R . exprs >quoted
	for k in i r; do
		paste -d '\n' quoted theirs.$k ours.$k |
		    jq -cn '[inputs] | range(0; length; 3) as $i | .[$i:$i + 3]' |
		    jq -r -f "$lib/promql.jq"
	done >differ
}

# before VERSION: is Prometheus older?
before() {
	[ "$version" != "$1" ] &&
	    [ "$(printf '%s\n' "$1" "$version" | sort -V | head -n 1)" != "$1" ]
}

# Is all that differs explained by the table on stdin, and all of it needed?
explain() {
	while IFS='	' read -r since pattern entry; do
		before "$since" || continue
		cut -f 2 differ | grep -qE -- "$pattern" ||
		    echo "unseen: $pattern: $entry" >>unseen
		printf '%s\n' "$pattern"
	done >known
	# what they differ in stands before the expression
	awk -F '\t' 'FILENAME == "known" { known[$0]; next }
	    { for (p in known) if ($2 ~ p) next; print }' known differ |
	    tee unknown
	[ ! -s unknown ]
	[ ! -e unseen ] || cat unseen
	[ ! -e unseen ]
}

@test "a thousand expressions have Prometheus's answers" {
	awk -f "$lib/promql-data.awk" >data.om
	awk -v random="${MF_RANDOM:-250}" -f "$lib/promql-exprs.awk" >exprs
	[ "$(wc -l <exprs)" -ge 1000 ]
	promtool tsdb create-blocks-from openmetrics data.om tsdb >blocks.out
	mf-store append -d mf --input om <data.om
	serve_both mf tsdb
	compare

	changes | explain
}

@test "native histograms give Prometheus's answers" {
	awk -f "$lib/promql-hist.awk" | mf-store append -d mf
	mf-store export -d mf --tsdb tsdb
	awk -v random="${MF_RANDOM:-0}" -v histograms=1 \
	    -f "$lib/promql-exprs.awk" >exprs
	serve_both mf tsdb
	! before 3.5.0 || skip "Prometheus $version had them as an experiment"
	compare
	native_changes | explain
}
