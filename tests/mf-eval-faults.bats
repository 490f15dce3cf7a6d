#!/usr/bin/env bats
# mf-eval over what is odd, torn, empty, growing or too large.
bats_require_minimum_version 1.5.0

load helpers
setup() { cd "$BATS_TEST_TMPDIR" || return 1; }
teardown() { stop_all; }

value() { # the values of the answers
	mf-eval -o tsv "$@" 2>err | awk -F'\t' 'NR > 1 { print $NF }' | tr '\n' ' '
}

@test "NaN and infinities are values as others" {
	printf '# BATCH {} %s\nn{i="0"} NaN\np{i="0"} +Inf\nm{i="0"} -Inf\none{i="0"} 1\n# EOF\n' \
	    60000 120000 >in
	e() { value --in in --replay "$1"; }
	[ "$(e n)" = 'NaN ' ]
	[ "$(e p)" = '+Inf ' ]
	[ "$(e 'p - p')" = 'NaN ' ]
	[ "$(e 'p + on(i) m')" = 'NaN ' ]
	[ "$(e 'max({i="0"})')" = '+Inf ' ]
	[ "$(e 'min({i="0"})')" = '-Inf ' ]
	[ "$(e 'max(n)')" = 'NaN ' ]
	[ "$(e 'max({__name__=~"n|one"})')" = '1 ' ]
	[ "$(e 'sum({__name__=~"n|one"})')" = 'NaN ' ]
	[ "$(e 'count({i="0"})')" = '4 ' ]
	[ "$(e 'count({i="0"} == {i="0"})')" = '' ] # a match needs a label more
	[ "$(e 'n == n')" = '' ]
	[ "$(e 'n != bool n')" = '1 ' ]
	[ "$(e 'quantile(0, {__name__=~"n|one"})')" = 'NaN ' ]
	[ "$(e 'topk(1, {__name__=~"n|one"})')" = '1 ' ]
	[ "$(e 'changes(n[2m])')" = '0 ' ]
	[ "$(e 'delta(p[2m])')" = 'NaN ' ]
	[ "$(e 'avg_over_time(p[2m])')" = '+Inf ' ]
	[ "$(e 'one / 0')" = '+Inf ' ]
	[ "$(e 'sgn(m)')" = '-1 ' ]
	mf-eval --in in --replay -o json p | grep -q '"value":\[120,"+Inf"\]'
}

@test "floats and native histograms in one series" {
	h='{count:2,sum:3,schema:0,zero_threshold:0,zero_count:0,positive_spans:[0:2],positive_buckets:[1,1]}'
	{
		printf '# BATCH {} 60000\n# HIST h %s 60000\nf 1\n# EOF\n' "$h"
		printf '# BATCH {} 90000\nh 5\n# HIST f %s 90000\n# EOF\n' "$h"
	} >in
	e() { value --in in --replay "$1"; }
	[ "$(e h)" = '5 ' ]
	[[ $(e f) == '{count:2,sum:3,'* ]]
	[ "$(e 'count_over_time(h[2m])')" = '2 ' ]
	[ "$(e 'rate(h[2m])')" = '' ]
	grep -q 'encountered a mix of histograms and floats for metric name "h" (1:6)' err
	[ "$(e 'sum_over_time(h[2m])')" = '' ]
	grep -q 'mix of histograms and floats' err
	[ "$(e 'sum({__name__=~"h|f"})')" = '' ]
	grep -q 'mix' err
	[ "$(e 'histogram_count(f) + histogram_sum(f)')" = '5 ' ]
	[ "$(e 'f + h')" = '' ] || [ "$(e 'f + ignoring() h')" = '' ]
	# the same from a store
	mf-store append -q -d d --any-time <in
	[ "$(value -d d --now 90 h)" = '5 ' ]
	[ "$(value -d d --now 90 'count_over_time(f[2m])')" = '2 ' ]
}

@test "no store, an empty one, one without what is asked for" {
	run -1 --separate-stderr mf-eval -d nowhere up
	[[ $stderr == *"nowhere/store: no store here"* ]]
	[ ! -e nowhere ]
	printf '# BATCH {} 1700000000000\n# EOF\n' | mf-store append -q -d d
	run -0 mf-eval -d d up
	[ "${#lines[@]}" -eq 2 ]
	run -0 mf-eval -d d -s -1h 'sum(rate(up[5m]))' 'absent(up)'
	[ "$(grep -c '^_ 1 ' <<<"$output")" -ge 200 ]
	run -0 mf-eval -o json -d d up
	[ "$output" = '{"status":"success","data":{"resultType":"vector","result":[]}}' ]
	run -3 mf-eval --exit-status -d d up
	: >empty
	run -0 mf-eval --in empty --replay up
	run -0 mf-eval up < <(:)
}

@test "a store that is written meanwhile: whole batches, in order" {
	printf '# BATCH {} 1700000000000\na 0\nb 0\n# EOF\n' | mf-store append -q -d d
	(
		for i in $(seq 1 60); do
			printf '# BATCH {} %s\na %s\nb %s\n# EOF\n' \
			    $((1700000000000 + i * 1000)) "$i" "$i"
			sleep 0.01
		done | mf-store append -q -d d
		touch written
	) 3>&- &
	echo $! >>pids
	n=0
	until [ -e written ] && [ $n -gt 3 ]; do
		# both or none of a round, and no gap before the newest
		run -0 mf-eval -d d --now 1700000060 -o tsv \
		    'count(count_values("v", {__name__=~"a|b"}))'
		[ "${lines[1]##*$'\t'}" = 1 ]
		mf-eval -d d --now 1700000060 'a[2m]' >now
		awk '/^a / && $2 != n++ { bad = 1 } END { exit bad || !n }' now
		n=$((n + 1))
	done
	[ "$(value -d d --now 1700000060 a)" = '60 ' ]
}

@test "torn batches of a stream are dropped, and told" {
	good='# BATCH {} 60000
a 1
# EOF'
	printf '%s\n# BATCH {} 90000\na 2\n' "$good" >cut
	run -1 --separate-stderr mf-eval --in cut --replay a
	[[ $output == *$'\na 1 60000\n'* ]]
	[[ $stderr == *"cut:4:1: the batch opened here is not closed, dropped"* ]]
	printf '%s\n# BATCH {} 90000\na 2\n# BATCH {} 120000\na 3\n# EOF\n' "$good" >torn
	run -1 --separate-stderr mf-eval --in torn --replay a
	[[ $output == *$'\na 3 120000\n'* ]]
	[[ $stderr == *"torn:4:1:"* ]]
	[ "$(mf-eval --in torn --replay -o csv 'count_over_time(a[5m])' 2>/dev/null |
	    tail -n 1)" = '1970-01-01T00:02:00Z,{},2' ]
	# half a line at the end, and a byte that is no text
	printf '%s\n# BATCH {} 90000\na 2 9' "$good" >half
	run -1 --separate-stderr mf-eval --in half --replay a
	[[ $output == *$'\na 1 60000\n'* ]]
	printf '%s\n# BATCH {} 90000\na{b="\xff"} 2\na 5\n# EOF\n' "$good" >byte
	run -1 --separate-stderr mf-eval --in byte --replay a
	[[ $stderr == *"byte:5:"* ]]
	[[ $output == *$'\na 5 90000\n'* ]]
}

@test "what is wrong is told with its line and column" {
	for x in '1:5:sum(' '1:1:)' '2:3:up
+ )' '1:4:up{a="b' '1:1:nope(1)' '1:3:up[5z]' '1:10:label_set(' \
	    '1:1:{a=~".*"}' '1:6:rate(up)' '3:1:1 +
2 + # and

)'; do
		expr=${x#*:*:}
		run -2 --separate-stderr mf-eval --now 1 -- "$expr" </dev/null
		[[ $stderr =~ :\ [1-9][0-9]*:[1-9][0-9]*:\ parse\ error: ]]
	done
	run -2 --separate-stderr mf-eval --now 1 -- 'up
+ )'
	[[ $stderr == *': 2:3: parse error: '* ]]
	# annotations, too
	run -0 --separate-stderr mf-eval --now 1 'quantile(
 2, vector(1))'
	[[ $stderr == *'got 2 (2:2)' ]]
}

@test "too large, too deep, too long: said at once, by the limit's name" {
	run -1 --separate-stderr mf-eval --now 1700000000 \
	    'sum_over_time(vector(1)[1y:1ms])'
	[[ $stderr == *'query processing would load too many samples into memory in query execution' ]]
	run -1 --separate-stderr mf-eval --max-samples 5 -s 0 -e 9 --step 1s \
	    'sum(vector(1)) + vector(time())'
	[[ $stderr == *'too many samples'* ]]
	for i in 1 2 3; do printf 'x{i="%s"} 1 1000\n' $i; done >in
	run -1 --separate-stderr mf-eval --now 1 --in in --max-series 2 x
	[[ $stderr == *series* ]]
	run -0 mf-eval --now 1 --in in --max-series 3 x
	run -2 --separate-stderr mf-eval -s 0 -e 11001 --step 1s 1
	[[ $stderr == *'--step: more than 11000 points'* ]]
	run -2 --separate-stderr mf-eval --max-samples 0 1
	[[ $stderr == *"--max-samples: '0' is too small"* ]]
	run -2 mf-eval --max-series many 1
	run -2 mf-eval --timeout 0s 1
	deep=$(printf '(%.0s' {1..5000})
	run -2 --separate-stderr mf-eval "${deep}1"
	[[ $stderr == *'1:1001: parse error: expression is nested too deeply'* ]]
	run -2 --separate-stderr mf-eval -- "$(printf -- '-%.0s' {1..5000})1"
	[[ $stderr == *'nested too deeply' ]]
	run -2 --separate-stderr mf-eval 'x{a=~"((a{1,1000}){1,1000}){1,1000}"}'
	[[ $stderr == *'1:3: parse error: '* ]]
	run -1 --separate-stderr mf-eval --timeout 1ms --now 1700000000 \
	    'count_over_time(vector(1)[40000000s:1s])'
	[[ $stderr == *'query timed out'* || $stderr == *'too many samples'* ]]
}

@test "rules of a group that say the same: what one wrote the next sees" {
	cat >r.yml <<-'E'
	groups:
	- name: g
	  interval: 1s
	  rules:
	  - {record: before, expr: sum(made)}
	  - {record: made, expr: sum(x)}
	  - {record: after, expr: sum(made)}
	  - {record: both, expr: sum(made) + sum(x)}
	  - {record: again, expr: sum(x)}
	E
	for i in 1 2 3; do
		printf '# BATCH {} %s\nx{i="1"} %s\nx{i="2"} 1\n# EOF\n' \
		    $((1637582400000 + i * 1000)) $i
	done >in
	run -0 mf-eval --replay -n -r r.yml --in in
	[ "$(sed -n 's/^\([a-z].*\) [0-9]*$/\1/p' <<<"$output" | tr '\n' ,)" = \
	    'made 2,after 2,both 4,again 2,before 2,made 3,after 3,both 6,again 3,' ]
}
