#!/usr/bin/env bats
# mf-eval: what it says when something is wrong, and with which status it ends.
bats_require_minimum_version 1.5.0

load helpers
setup() { cd "$BATS_TEST_TMPDIR" || return 1; }
teardown() { stop_all; }

@test "fmt and parse of the standard input: its name, line and column" {
	run -2 --separate-stderr mf-eval fmt </dev/null
	[ "$stderr" = 'mf-eval: stdin:1:1: parse error: no expression found in input' ]
	run -2 --separate-stderr mf-eval parse < <(printf 'up\n + )')
	[[ $stderr == 'mf-eval: stdin:2:4: parse error: unexpected '* ]]
	# what was parsed is not what stands there
	run -2 --separate-stderr mf-eval fmt -D q=up < <(printf 'sum(q')
	[[ $stderr == "mf-eval: stdin: as 'sum(up': 1:7: parse error: "* ]]
}

@test "what no terminal may have is escaped" {
	run -2 --separate-stderr mf-eval $'up{a="\xff\x01\x1b[2J\xc2\x9b\xc3\xa4\n\t'
	[[ $stderr == *"'up{a=\"\\xff\\x01\\x1b[2J\\x9bä \\x09': 1:6: parse error: "* ]]
	printf '# BATCH {} 5\nx \xff\x01\n# EOF\n' >in
	run -1 --separate-stderr mf-eval --in in --replay x
	[[ $stderr == *'in:2:'*'\xff\x01'* ]]
	printf 'eval instant at 0 vector(1)\n  {a="\x1b[2J\xc2\x9b"} 1\n' >t.test
	run -1 mf-eval test t.test
	LC_ALL=C grep -q '[^[:print:]]' <<<"$output" && false
	[[ $output == *'\x1b[2J\u009b'* ]]
	run -0 mf-eval explain $'vector(1) + # \x1b[2J\xc2\x9b\n vector(2)'
	LC_ALL=C grep -q '[^[:print:]]' <<<"$output" && false
	[[ $output == *'\x1b[2J\x9b'* ]]
}

@test "test: what is no test file is told twenty times, not endlessly" {
	printf 'load x\n\n%.0s' {1..3000} >noise.test
	run -2 --separate-stderr mf-eval test noise.test
	[ "$(grep -c '^mf-eval: noise.test:[0-9]*:[0-9]*: ' <<<"$stderr")" -lt 60 ]
	[[ $stderr =~ [0-9]+\ more\ lines\ like\ these ]]
	[ "$output" = 'noise.test: FAILED: 3000 faults' ]
}

@test "--step, --lookback and --timeout: seconds, as the API takes them" {
	run -0 mf-eval -s 0 -e 100.5 --step 50.25 'time()'
	[ "$output" = '# BATCH {expr="time()"} 100500 from=0 to=100500 step=50250
_ 0 0
_ 50.25 50250
_ 100.5 100500
# EOF' ]
	run -0 mf-eval -s 0 -e 1 --step 1e-1 'time()'
	[ "${#lines[@]}" -eq 13 ]
	printf '# BATCH {} 1000\nx 1\n# EOF\n' >in
	run -0 mf-eval --in in --now 3 --lookback 1.5 -o csv x
	[ "${#lines[@]}" -eq 1 ]
	run -0 mf-eval --in in --now 3 --lookback 2.5 --timeout 10 -o csv x
	[ "${#lines[@]}" -eq 2 ]
	for bad in 0 0s -5 -5s 0.0001 NaN Inf 1e300 5x '' 1m30; do
		run -2 --separate-stderr mf-eval -s 0 -e 1 --step="$bad" 1
		[[ $stderr == 'mf-eval: --step: '* ]]
	done
	run -2 --separate-stderr mf-eval --timeout 0 1
	[[ $stderr == 'mf-eval: --timeout: must not be 0' ]]
}

@test "-u: what the engine refuses is a fault of the expression" {
	run -2 --separate-stderr mf-eval -u '' 1
	[ "$stderr" = 'mf-eval: -u: the URL is empty' ]
	printf 'x 1 1700000000000\n' | mf-store append -q -d d
	start engine mf-serve -l 127.0.0.1:0 -d d
	u=http://$address
	run -0 mf-eval -u "$u" --now 1700000000 x
	# features are the engine's affair: it has none
	run -2 --separate-stderr mf-eval -u "$u" --now 1700000000 'mad_over_time(x[5m])'
	[[ $stderr == *"'mad_over_time(x[5m])': $u: bad_data: "*'1:1: parse error: '* ]]
	run -2 mf-eval -u "$u" -s 0 -e 100000 --step 1 'vector(1)'
	# one that fails over the data is another thing, and weighs more
	run -1 mf-eval -u "$u" --now 1700000000 "label_replace(x, 'y', '', 'x', '(')"
	run -1 mf-eval -u "$u" --now 1700000000 'mad_over_time(x[5m])' \
	    "label_replace(x, 'y', '', 'x', '(')" 'mad_over_time(x[5m])'
	run -1 mf-eval -u "$u/nothing" x
	run -1 mf-eval -u http://127.0.0.1:1 x
}

@test "-w: what has no name is not stored, and no store made for it" {
	run -1 --separate-stderr mf-eval -w -d new --now 1700000000 'vector(1)' '"a"' 1
	[ "${stderr_lines[0]}" = "mf-eval: 'vector(1)': not stored: the answer has no name" ]
	[ "${#stderr_lines[@]}" -eq 3 ]
	[ "$(grep -c '^_ 1 ' <<<"$output")" -eq 2 ]
	[ ! -e new ]
	run -1 --separate-stderr mf-eval -w -d new --now 1700000000 up
	[[ $stderr == *'new/store: no store here'* ]]
	[ ! -e new ]
	run -0 mf-eval -w -d new --now 1700000000 \
	    'label_replace(vector(1), "__name__", "one", "", "")'
	run -0 mf-eval -d new --now 1700000000 -o csv one
	[[ ${lines[1]} == *,one,1 ]]
	# some have one
	run -1 --separate-stderr mf-eval -w -d new --now 1700000001 \
	    'label_replace(one, "__name__", "two", "", "") or on(x) vector(0) or label_replace(vector(2), "x", "y", "", "")'
	[[ $stderr == 'mf-eval: 1 sample not stored: '* ]]
	[ "$(mf-eval -d new --now 1700000001 -o csv two | wc -l)" -eq 2 ]
	# said before anything is read
	mkdir other && touch other/file
	run -1 --separate-stderr mf-eval -w -d other --in /dev/null --now 1 x
	[[ $stderr == *'not an mf directory'* ]]
}

@test "explain: what was taken, and what was not evaluated" {
	printf '# BATCH {} 5\nx{i="0"} 1\n# EOF\n' >in
	run -0 mf-eval explain --in in --now 0.005 'sum(x) / sum(x) + sum(x)'
	[ "$(grep -c 'aggregation sum: sum(x)' <<<"$output")" -eq 1 ]
	[ "$(grep -c 'aggregation sum, taken: sum(x)' <<<"$output")" -eq 2 ]
	[ "$(grep -c 'vector selector' <<<"$output")" -eq 1 ]
	[[ $output != *times* ]]
	# a subcommand behind options is none
	run -0 --separate-stderr mf-eval --in in --now 0.005 -o csv explain x
	[ "$stderr" = "mf-eval: 'explain' is taken for an expression: a subcommand stands before the options" ]
	[ "${#lines[@]}" -eq 2 ]
	run -0 --separate-stderr mf-eval --in in --now 0.005 -o csv explain
	[ -z "$stderr" ]
}

@test "a length of time that is none: its place, and a fault of the expression" {
	printf '# BATCH {} 5\nx 1\n# EOF\n' >in
	for x in '1:3:x[1m-5m]' '1:3:x[1m/0]' '1:6:x[5m:1m%0]' '1:3:x[step()]' \
	    '1:10:x offset (1/0)' '1:17:sum_over_time(x[9e9*2])'; do
		run -2 --separate-stderr mf-eval --now 1 --in in "${x#*:*:}"
		[[ $stderr == "mf-eval: '${x#*:*:}': ${x%"${x#*:*:}"} "* ]]
	done
	mf-store append -q -d d --any-time <in
	start engine mf-serve -l 127.0.0.1:0 -d d
	run -2 --separate-stderr mf-eval -u "http://$address" --now 1 'x[1m/0]'
	[[ $stderr == *'bad_data: invalid parameter "query": 1:3: division by zero' ]]
}

@test "what 3.14 takes without a feature, so do we" {
	printf '# BATCH {} 5000\nx 1\n# EOF\n' >in
	for x in 'x[5m + 1m]' 'first_over_time(x[5m])' 'count_over_time(x[2*(1m)])' \
	    'x offset (1m * 0)' 'x[1h / 2:1m % 7]' 'x[max_of(1m, 5m)]'; do
		run -0 mf-eval --now 9 --in in -o csv "$x"
		[ "${#lines[@]}" -ge 2 ]
	done
	# and refuses what it refuses
	for x in 'mad_over_time(x[5m])' 'limitk(1, x)' 'max_of(1, 2)' 'step()' \
	    'x anchored' 'x + fill(0) x' 'info(x)' 'sort_by_label(x, "a")' \
	    'ts_of_last_over_time(x[5m])'; do
		run -2 mf-eval --now 5 --in in "$x"
	done
}

@test "a regex that is too large, by its limit's name" {
	{
		printf 'x{a=~"host0'
		seq -f '|host%.0f' 99999 | tr -d '\n'
		printf '"}'
	} >q
	run -2 --separate-stderr mf-eval fmt <q
	[[ $stderr == 'mf-eval: stdin:1:3: parse error: error parsing regexp: expression too large: `host0|host1|'* ]]
	[ "${#stderr}" -lt 1000 ]
	run -2 --separate-stderr mf-eval --now 1 -D "q=$(printf 'x{a=~"(?:a{1000}){1000}"}')" q
	[[ $stderr == *'1:3: parse error: error parsing regexp: '* ]]
}

@test "json is the API's to the byte" {
	printf '%s\n' '# BATCH {} 1637582400500' 'x{a="é<\"\\\n&"} 1e21' 'y NaN' \
	    '# HIST h {count:7,sum:4.5,schema:0,zero_threshold:0.001,zero_count:1,positive_spans:[0:2],positive_buckets:[1,3],negative_spans:[0:1],negative_buckets:[2]} 1637582400500' \
	    'z 1 1637582440500' 'z 2 1637582400500' '# EOF' >in
	j() {
		run -0 --separate-stderr mf-eval --in in -e 1637582470.5 -o json -- "$1"
		[ "$output" = "{\"status\":\"success\",\"data\":{\"resultType\":$2}" ]
	}
	# what Prometheus 3.5.3 answers to the same samples
	j '1e21' '"scalar","result":[1637582470.5,"1000000000000000000000"]}'
	j '"é<>&\u2028\x01"' \
	    '"string","result":[1637582470.5,"é\u003c\u003e\u0026\u2028\u0001"]}'
	j x '"vector","result":[{"metric":{"__name__":"x","a":"é<\"\\\n&"},"value":[1637582470.500,"1e+21"]}]}'
	j 'y[5m]' '"matrix","result":[{"metric":{"__name__":"y"},"values":[[1637582400.500,"NaN"]]}]}'
	j h '"vector","result":[{"metric":{"__name__":"h"},"histogram":[1637582470.500,{"count":"7","sum":"4.5","buckets":[[1,"-1","-0.5","2"],[3,"-0.001","0.001","1"],[0,"0.5","1","1"],[0,"1","2","3"]]}]}]}'
	j -h '"vector","result":[{"metric":{},"histogram":[1637582470.500,{"count":"-7","sum":"-4.5","buckets":[[1,"-1","-0.5","-2"],[0,"0.5","1","-1"],[0,"1","2","-3"]]}]}]}'
	j 'quantile(2, x)' '"vector","result":[{"metric":{},"value":[1637582470.500,"+Inf"]}]},"warnings":["PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)"]'
	j 'x + h' '"vector","result":[]}'
	j 'rate(z[5m]) * 0' '"vector","result":[{"metric":{},"value":[1637582470.500,"0"]}]},"infos":["PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"z\" (1:6)"]'
}
