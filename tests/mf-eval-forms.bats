#!/usr/bin/env bats
# mf-eval: the forms of an answer, time zones, names of -D, features, and the
# subcommands that look at expressions: explain, fmt, parse, test.
bats_require_minimum_version 1.5.0

load helpers
setup() { cd "$BATS_TEST_TMPDIR" || return 1; }
teardown() { stop_all; }

# Two series of one metric, one of another; a label that is no plain text.
data() {
	printf '%s\n' '# BATCH {job="x"} 1700000000000' \
	    'up{instance="a:1",job="x"} 1' \
	    'up{instance="b\n\"1\"",job="yé"} 0.5' \
	    'load{instance="a:1"} 1e9' '# EOF'
}

@test "a table: columns for labels, nothing that moves a cursor" {
	data >in
	run -0 mf-eval --in in --replay -o table up
	[ "$output" = 'METRIC  instance  job  VALUE
up      a:1       x        1
up      b\x0a"1"  yé     0.5' ]
	run -0 mf-eval --in in --replay -o table 'sum(up)' nope '"a"' 'up[1m]'
	[ "$output" = 'sum(up)
VALUE
  1.5

nope
(no series)

"a"
VALUE
a

up[1m]
TIME                  METRIC  instance  job  VALUE
2023-11-14T22:13:20Z  up      a:1       x        1
2023-11-14T22:13:20Z  up      b\x0a"1"  yé     0.5' ]
	run -0 mf-eval --in in --replay -o table "$(
		printf 'label_replace(up, "e", "\033[2J\u009b", "", "")'
	)"
	[[ $output == *'\x1b[2J\x9b'* ]]
	run -0 mf-eval --now 1 -o table \
	    "$(printf 'label_replace('%.0s {1..13}) vector(1) $(
		for i in {1..13}; do printf ', "l%s", "v", "", "")' "$i"; done
	)"
	[[ ${lines[0]} == SERIES*VALUE ]]
}

@test "the default is a stream on a pipe and a table on a terminal" {
	data >in
	run -0 mf-eval --in in --replay up
	[[ ${lines[0]} == '# BATCH {expr="up"} 1700000000000' ]]
	run -0 mf-eval --in in --replay -o text up
	[[ ${lines[0]} == '# BATCH {expr="up"} 1700000000000' ]]
	command -v script >/dev/null || skip "no script(1)"
	run -0 script -qec "mf-eval --in in --replay up" /dev/null
	[[ ${lines[0]} == METRIC* ]]
}

@test "ndjson, csv and tsv: a line a sample, told apart" {
	data >in
	run -0 mf-eval --in in --replay -o ndjson up 'up > bool 1/0' '"a"' NaN
	[ "${#lines[@]}" -eq 6 ]
	[ "${lines[1]}" = '{"expr":"up","metric":{"__name__":"up","instance":"b\n\"1\"","job":"yé"},"t":1700000000000,"value":0.5}' ]
	[ "${lines[4]}" = '{"expr":"\"a\"","metric":{},"t":1700000000000,"string":"a"}' ]
	[ "${lines[5]}" = '{"expr":"NaN","metric":{},"t":1700000000000,"value":"NaN"}' ]
	run -0 mf-eval --in in --replay -o csv up
	[ "${lines[0]}" = time,series,value ]
	[ "${lines[2]}" = '2023-11-14T22:13:20Z,"up{instance=""b\n\""1\"""", job=""yé""}",0.5' ]
	run -0 mf-eval --in in --replay -o tsv -- up -Inf
	[ "${lines[0]}" = $'expr\ttime\tseries\tvalue' ]
	[ "${lines[3]}" = $'-Inf\t2023-11-14T22:13:20Z\t{}\t-Inf' ]
	printf '# BATCH {} 5\n# HIST h {count:2,sum:3,schema:0,zero_threshold:0,zero_count:0,positive_spans:[0:2],positive_buckets:[1,1]} 5\n# EOF\n' >hist
	run -0 mf-eval --in hist --replay -o ndjson h
	[[ $output == *'"t":5,"histogram":{"count":"2","sum":"3","buckets":'* ]]
	run -0 mf-eval --in hist --replay -o table h
	[[ ${lines[1]} == 'h       {count:2,sum:3,'* ]]
}

@test "an order that an expression asks for stays, else labels decide" {
	printf '# BATCH {} 5\n%s\n%s\n%s\n# EOF\n' 'x{i="2"} 1' 'x{i="1"} 3' \
	    'x{i="3"} 2' >in
	order() { mf-eval --in in --replay "$@" | sed -n 's/^x{i="\(.\)"}.*/\1/p' | tr -d '\n'; }
	[ "$(order x)" = 123 ]
	[ "$(order 'sort(x)')" = 231 ]
	[ "$(order 'sort_desc(x)')" = 132 ]
	[ "$(order 'topk(2, x)')" = 13 ]
	[ "$(order --enable-feature promql-experimental-functions \
	    'sort_by_label_desc(x, "i")')" = 321 ]
	mf-store append -q -d d --any-time <in
	start engine mf-serve -l 127.0.0.1:0 -d d
	remote() { mf-eval -u "http://$address" --now 0.005 "$@" | sed -n 's/^x{i="\(.\)"}.*/\1/p' | tr -d '\n'; }
	[ "$(remote x)" = 123 ]
	[ "$(remote 'sort(x)')" = 231 ]
}

@test "steps, zones and times" {
	data >in
	run -0 mf-eval --now 3600 -o csv --tz Europe/Berlin 1
	[ "${lines[1]}" = '1970-01-01T02:00:00+01:00,{},1' ]
	TZ=America/New_York run -0 mf-eval --now 0.25 -o csv --tz local 1
	[ "${lines[1]}" = '1969-12-31T19:00:00.25-05:00,{},1' ]
	# midnight there, not here
	run -0 mf-eval --now 1700000000 --tz Pacific/Auckland -e today 'time()'
	[[ $output == *'_ 1699959600 1699959600000'* ]]
	run -2 --separate-stderr mf-eval --tz Nowhere/Else 1
	[[ $stderr == *--tz:*Nowhere/Else* ]]
	run -0 mf-eval --enable-feature promql-experimental-functions \
	    --now 1000000 -s -250000s --step auto -o csv 'step()'
	[ "${#lines[@]}" -eq 252 ]
	[[ ${lines[251]} == *,1000 ]]
	run -2 --separate-stderr mf-eval -s -1h --step -5m 1
	run -2 --separate-stderr mf-eval -s -1h --step never 1
	[[ $stderr == *--step:* ]]
}

@test "-D: names for expressions" {
	data >in
	run -0 mf-eval --in in --replay -D 'half=up / 2' -D w=5m \
	    -D 'both=half + half' -o csv 'sum(both)' \
	    'count_over_time(up[w]) * on(instance) group_left half{job="x"} or on() sum by (half) (up)'
	[ "${lines[1]}" = 'sum(both),2023-11-14T22:13:20Z,{},1.5' ]
	[[ ${lines[2]} == *',{},1.5' ]]
	run -2 --separate-stderr mf-eval -D 'a=sum(' a
	[[ $stderr == *"-D a: 'sum(': 1:5: parse error: "* ]]
	run -2 --separate-stderr mf-eval -D 'a' a
	[[ $stderr == *"-D: 'a' is not NAME=EXPR"* ]]
	run -2 --separate-stderr mf-eval -D '1=a' a
	run -2 --separate-stderr mf-eval -D 'a=b+b' 'a + +'
	[[ $stderr == *"'a + +': as '(b+b) + +': 1:10: parse error: unexpected end of input"* ]]
	# a name in a name, each twice: an end is put to it
	d=(-D 'a0=x')
	for i in {1..40}; do d+=(-D "a$i=a$((i - 1))+a$((i - 1))"); done
	run -2 --separate-stderr mf-eval "${d[@]}" a40
	[[ $stderr == *"more than 1048576 bytes"* ]]
}

@test "what needs a feature is refused without it, with upstream's words" {
	f=--enable-feature
	run -2 --separate-stderr mf-eval --now 1 'mad_over_time(x[5m])' </dev/null
	[[ $stderr == *'1:1: parse error: function "mad_over_time" is not enabled' ]]
	run -2 --separate-stderr mf-eval --now 1 '1 + min_of(1, 2)'
	[[ $stderr == *'1:5: parse error: function "min_of" is not enabled' ]]
	run -2 --separate-stderr mf-eval --now 1 'limitk(1, x)'
	[[ $stderr == *'1:1: parse error: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions' ]]
	run -2 --separate-stderr mf-eval 'rate(x[5m] anchored)'
	[[ $stderr == *'anchored modifier is experimental and not enabled' ]]
	run -2 --separate-stderr mf-eval 'a + fill(0) b'
	[[ $stderr == *'binop fill modifiers are experimental and not enabled' ]]
	run -0 mf-eval --now 1 $f promql-experimental-functions -o csv '1 + min_of(1, 2)'
	[[ ${lines[1]} == *,2 ]]
	run -0 mf-eval --now 1 -o csv \
	    $f promql-binop-fill-modifiers,exemplar-storage \
	    'vector(1) + on(a) fill(3) label_replace(vector(1), "a", "b", "", "")'
	[ "${#lines[@]}" -eq 3 ]
	run -2 --separate-stderr mf-eval $f nope 1
	[[ $stderr == *"$f: unknown feature 'nope'" ]]
	# names that go at once collide, names that go late do not
	printf '# BATCH {} 5\na 1\nb 2\n# EOF\n' >in
	run -1 mf-eval --in in --replay 'sum(abs({__name__=~"a|b"}))'
	run -0 mf-eval --in in --replay $f promql-delayed-name-removal \
	    'sum(abs({__name__=~"a|b"}))'
	[[ $output == *$'\n_ 3 5\n'* ]]
	# rules, and the server
	cat >r.yml <<-'E'
	groups: [{name: g, rules: [{record: r, expr: 'max_of(1, 2)'}]}]
	E
	run -2 --separate-stderr mf-eval check r.yml
	[[ $stderr == *'function "max_of" is not enabled'* ]]
	run -0 mf-eval check $f promql-experimental-functions r.yml
	start off mf-serve -l 127.0.0.1:0 -d d
	run -2 --separate-stderr mf-eval -u "http://$address" 'vector(pi() + max_of(1, 2))'
	[[ $stderr == *'function "max_of" is not enabled'* ]]
	start on mf-serve -l 127.0.0.1:0 -d d $f promql-experimental-functions
	run -0 mf-eval -u "http://$address" -o csv 'max_of(1, 2)'
	[[ ${lines[1]} == *,2 ]]
}

@test "fmt and parse" {
	run -0 mf-eval fmt 'sum(rate(x{b="1",a=~"2"}[5m]))by(job)' '1+2'
	[ "$output" = 'sum by (job) (rate(x{a=~"2",b="1"}[5m]))
1 + 2' ]
	{
		echo 'histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket{job="api"}[5m])))'
		echo ' > on() group_left() scalar_of_something_long # why'
	} >expr
	run -0 mf-eval fmt <expr
	[ "$output" = '  histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket{job="api"}[5m])))
> on () group_left ()
  scalar_of_something_long' ]
	mf-eval fmt <expr | mf-eval fmt >again
	diff again <(mf-eval fmt <expr)
	run -0 mf-eval parse -o json 'x[5m]'
	[ "$output" = '{"status":"success","data":{"anchored":false,"matchers":[{"name":"__name__","type":"=","value":"x"}],"name":"x","offset":0,"range":300000,"smoothed":false,"startOrEnd":null,"timestamp":null,"type":"matrixSelector"}}' ]
	run -0 mf-eval parse -D 'e=up[5m] offset 1m' 'rate(x[5m])' < /dev/null
	[ "$output" = 'rate(x[5m])' ]
	printf 'sum(\n  x{a="b}\n)' >bad
	run -2 --separate-stderr mf-eval fmt <bad
	[[ $stderr == 'mf-eval: stdin:2:7: parse error: '* ]]
	run -2 mf-eval fmt '1 +' '2 + 2'
	[[ $output == *'2 + 2'* ]]
	run -2 mf-eval parse -o csv 1
	run -1 bash -c 'mf-eval fmt 1 >/dev/full'
	start engine mf-serve -l 127.0.0.1:0 -d d
	command -v curl >/dev/null || skip "no curl"
	run -0 curl -s "http://$address/api/v1/parse_query?query=1"
	[ "$output" = '{"status":"success","data":{"type":"numberLiteral","val":"1"}}' ]
}

@test "explain: what each part did" {
	data >in
	run -0 mf-eval explain --in in --replay 'sum(up) + max(up) + vector(pi())'
	[ "${lines[0]}" = 'sum(up) + max(up) + vector(pi())' ]
	[[ $output == *'binary +: sum(up) + max(up) + vector(pi())'* ]]
	[[ $output == *'aggregation sum: sum(up)'* ]]
	[[ $output == *'vector selector'*': up'* ]]
	[[ $output == *'call vector, once: vector(pi())'* ]]
	[[ ${lines[-1]} == *'in all' ]]
	run -0 mf-eval explain -o json --in in --replay 'sum(up)'
	[[ $output == *'"kind":"vector selector","name":"","text":"up","fixed":false,"runs":1,"reused":0,"read":2,"samples":2,"series":2,"points":2,'* ]]
	run -2 --separate-stderr mf-eval explain
	run -2 --separate-stderr mf-eval explain -u http://127.0.0.1:1 up
	[[ $stderr == *"is not known"* ]]
	run -2 mf-eval explain -o csv 1
	run -2 --separate-stderr mf-eval explain 'sum('
	[[ $stderr == *"'sum(': 1:5: parse error: "* ]]
}

@test "test: a verdict for each file, a diff for each failure" {
	cat >good.test <<-'E'
	load 1m
	  x{i="0"} 0+1x10
	  x{i="1"} 5x10

	eval instant at 5m sum(x)
	  {} 10
	E
	sed 's/{} 10/{} 11/' good.test >bad.test
	printf 'load 1m\n  x 1 2 y\n' >broken.test
	run -0 mf-eval test good.test
	[ "$output" = 'good.test: SUCCESS: 1 evaluations' ]
	run -0 mf-eval test -q good.test
	[ -z "$output" ]
	run -0 mf-eval test -v - <good.test
	[ "${lines[0]}" = 'stdin:5: passed: eval instant at 5m sum(x)' ]
	run -1 mf-eval test good.test bad.test
	[ "$output" = 'good.test: SUCCESS: 1 evaluations
bad.test:5: FAILED: eval instant at 5m sum(x)
    the result differs (- expected, + got):
    - {} 11
    + {} 10
bad.test: FAILED: 1 of 1 evaluations' ]
	run -2 --separate-stderr mf-eval test bad.test broken.test
	[[ $stderr == 'mf-eval: broken.test:2:9: a value is wanted' ]]
	[[ $output == *'broken.test: FAILED: 1 fault' ]]
	run -2 mf-eval test
	run -2 --separate-stderr mf-eval test nowhere.test
	[[ $stderr == *nowhere.test* ]]
	head -c 100000 /dev/urandom >noise.test
	run -2 mf-eval test noise.test
	run -1 bash -c 'mf-eval test good.test >/dev/full'
	# what has no end is not read to it
	run -2 --separate-stderr mf-eval test - < <(yes '# nothing')
	[[ $stderr == 'mf-eval: stdin: longer than 67108864 bytes' ]]
	run -1 --separate-stderr mf-eval fmt </dev/zero
	[[ $stderr == *stdin* ]]
	run -1 --separate-stderr mf-eval parse < <(yes '1 +')
	[[ $stderr == 'mf-eval: stdin: longer than 1048576 bytes' ]]
}

@test "test: our own files of the language" {
	run -0 mf-eval test "$BATS_TEST_DIRNAME"/promql/*.test
	[[ $output != *FAILED* ]]
}
