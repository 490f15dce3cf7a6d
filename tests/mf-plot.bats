#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
load helpers
# mf-plot: charts against goldens, options, terminals, bad input.

D="$BATS_TEST_DIRNAME/data/plot"

# To add a case, drop into data/plot: NAME.args, the words behind "mf-plot";
# NAME.in, its stdin, if --in in them does not name another; and what it must
# print, NAME.txt or NAME.svg.  Look at that before you believe it.
#
# run_case NAME: what NAME.args says, words NAME=VALUE being environment, with
# NAME.in on stdin.
run_case() {
	local env=() args=() in=/dev/null

	eval "set -- $(cat "$1.args") --in-name $1"
	while [ "$1" != --in-name ]; do
		case $1 in
		[A-Z]*=*) env+=("$1") ;;
		*) args+=("$1") ;;
		esac
		shift
	done
	[ ! -e "$2.in" ] || in=$2.in
	env LC_ALL=C.UTF-8 TZ=UTC "${env[@]}" mf-plot "${args[@]}" <"$in"
}

@test "charts are as their goldens" {
	cd "$D"
	for a in *.args; do
		n=${a%.args}
		for want in "$n.txt" "$n.svg"; do
			[ -e "$want" ] || continue
			run_case "$n" >"$BATS_TEST_TMPDIR/out"
			diff -u "$want" "$BATS_TEST_TMPDIR/out"
		done
		[ -e "$n.txt" ] || [ -e "$n.svg" ]
	done
}

@test "no line is wider than asked, at any size" {
	export LC_ALL=C.UTF-8
	for w in 5 6 7 19 20 21 29 30 33 47 80 200; do
		for h in 1 3 4 5 6 7 8 9 11 13 24 60; do
			mf-plot --in "$D/three.in" --unit s --warn .4 --width $w \
			    --height $h >"$BATS_TEST_TMPDIR/out"
			[ "$(wc -L <"$BATS_TEST_TMPDIR/out")" -le $w ]
			[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -le $h ]
		done
	done
}

@test "C locale gives ASCII alone" {
	run env LC_ALL=C mf-plot --in "$D/three.in" --unit s --warn .4
	[ "$status" -eq 0 ]
	[ "$(printf '%s' "$output" | LC_ALL=C grep -c '[^ -~]')" -eq 0 ]
}

@test "colour: never, always, NO_COLOR, a pipe" {
	local esc=$'\033'
	run mf-plot --in "$D/rate.in"
	[[ $output != *"$esc"* ]]
	run env TERM=xterm-256color COLORTERM= mf-plot --in "$D/rate.in" --color=always
	[[ $output == *"${esc}[38;5;107m"* ]]
	run env COLORTERM=truecolor mf-plot --in "$D/rate.in" --color=always
	[[ $output == *"${esc}[38;2;126;178;109m"* ]]
	run env TERM=xterm COLORTERM= FORCE_COLOR=1 mf-plot --in "$D/rate.in"
	[[ $output == *"${esc}[32m"* ]]
	run env FORCE_COLOR=1 NO_COLOR=1 mf-plot --in "$D/rate.in"
	[[ $output != *"$esc"* ]]
	run env NO_COLOR=1 mf-plot --in "$D/rate.in" --color=never
	[[ $output != *"$esc"* ]]
}

@test "a title cannot send escapes to the terminal" {
	run mf-plot --in "$D/rate.in" --title $'a\033[31mb\007\xe2\x80\xaec'
	[[ $output == *'a?[31mb?c'* ]]
}

@test "SVG is well-formed whatever the labels are" {
	command -v xmllint >/dev/null || skip "no xmllint"
	printf '%s\n' 'm{a="<&>\"\\ \u0001 x"} 1 1637582400000' \
	    'm{a="]]>"} 2 1637582400000' |
		mf-plot -o svg --title $'<x> & "\001\xff' >"$BATS_TEST_TMPDIR/a.svg"
	xmllint --noout "$BATS_TEST_TMPDIR/a.svg"
	mf-plot -o svg --in "$D/three.in" --unit s --warn .4 --mark deploy_info |
		xmllint --noout -
}

@test "SVG and HTML stay small and fetch nothing" {
	mf-plot -o html --in "$D/three.in" --unit s >"$BATS_TEST_TMPDIR/a.html"
	grep -q '<title>' "$BATS_TEST_TMPDIR/a.html"
	sed 's,http://www.w3.org/2000/svg,,' "$BATS_TEST_TMPDIR/a.html" \
	    >"$BATS_TEST_TMPDIR/b.html"
	[ "$(grep -Ec 'https?://|url\(|<script' "$BATS_TEST_TMPDIR/b.html")" -eq 0 ]
	awk 'BEGIN { for (s = 0; s < 10; s++) for (t = 0; t < 480; t++)
	    printf "m{s=\"%d\"} %f %.0f\n", s, s + sin(t / 40 + s) + rand(),
	    1637582400000 + t * 15000 }' |
		mf-plot -o svg >"$BATS_TEST_TMPDIR/ten.svg"
	[ "$(wc -c <"$BATS_TEST_TMPDIR/ten.svg")" -le 61440 ]
}

@test "the last value beyond a threshold is status 3" {
	run mf-plot --in "$D/low.in" --warn 20 --crit 10 --exit-status
	[ "$status" -eq 3 ]
	[[ $output == *"under crit"* ]]
	run mf-plot --in "$D/low.in" --warn 90 --exit-status
	[ "$status" -eq 0 ]
	run mf-plot --exit-status --in /dev/null
	[ "$status" -eq 3 ]
	[[ $output == *"no data"* ]]
	run mf-plot --in /dev/null
	[ "$status" -eq 0 ]
	run mf-plot </dev/null
	[ "$status" -eq 2 ]
	[[ $output == *"nothing to read"* ]]
}

@test "-s and -e cut, --replay takes the present from the input" {
	run mf-plot --in "$D/three.in" --tz UTC --replay -s -30m -e now
	[[ $output == *"2021-11-22 13:30–14:00 UTC"* ]]
	run mf-plot --in "$D/three.in" --tz UTC -s 2021-11-22T13:10:00Z \
	    -e 2021-11-22T13:20:00Z
	[[ $output == *"13:10–13:20"* ]]
	run mf-plot --in "$D/three.in" --tz UTC --now 1637589600 -s -15m
	[[ $output == *"13:45–14:00"* ]]
}

@test "-f prints a frame a batch when not on a terminal" {
	{
		printf '# BATCH {job="a"} 1637582400000\nm 1 1637582400000\n# EOF\n'
		printf '# BATCH {job="a"} 1637582415000\nm 2 1637582415000\n# EOF\n'
	} | mf-plot -f --width 40 --height 8 --tz UTC >"$BATS_TEST_TMPDIR/out"
	[ "$(grep -c '^m ' "$BATS_TEST_TMPDIR/out")" -eq 2 ]
	[ "$(grep -c $'\033' "$BATS_TEST_TMPDIR/out")" -eq 0 ]
}

@test "-f draws in place on a terminal and gives the cursor back" {
	command -v script >/dev/null || skip "no script"
	printf '# BATCH {job="a"} 1637582400000\nm 1 1637582400000\n# EOF\n' \
	    >"$BATS_TEST_TMPDIR/in"
	TERM=xterm script -qec "mf-plot -f --in $BATS_TEST_TMPDIR/in" /dev/null \
	    >"$BATS_TEST_TMPDIR/out" </dev/null
	grep -q $'\033\[?25l' "$BATS_TEST_TMPDIR/out"
	grep -q $'\033\[H' "$BATS_TEST_TMPDIR/out"
	tail -c 20 "$BATS_TEST_TMPDIR/out" | grep -q $'\033\[?25h'
}

@test "the answer to a range query replaces the one before" {
	cat "$D/rate.in" "$D/rate.in" | mf-plot --unit reqps --tz UTC --width 72 \
	    --height 16 | diff - "$D/rate.txt"
}

@test "several expressions are told apart" {
	{
		echo '# BATCH {expr="a+b"} 2000 from=1000 to=2000 step=500'
		printf '_ 1 1000\n_ 2 1500\n_ 3 2000\n# EOF\n'
		echo '# BATCH {expr="c"} 2000 from=1000 to=2000 step=500'
		printf '_ 4 1000\n_ 5 1500\n_ 6 2000\n# EOF\n'
	} >"$BATS_TEST_TMPDIR/in"
	run mf-plot --in "$BATS_TEST_TMPDIR/in"
	[[ $output == *"A a+b"* && $output == *"B c"* ]]
}

@test "expressions are evaluated over a stream" {
	run mf-plot --tz UTC --unit reqps --mark 'changes(api_request_total[30s])' \
	    'rate(api_request_total[1m])' <"$D/raw.in"
	[ "$status" -eq 0 ]
	[[ $output == "rate(api_request_total[1m])"*"step 5s"* ]]
	[[ $output == *"0.4 req/s"* && $output == *"╎▾"* ]]
	run mf-plot --in "$D/raw.in" 'api_request_total' '2 * api_request_total'
	[[ $output == *"A api_request_total"*"B 2 * api_request_total"* ]]
	run mf-plot --in "$D/raw.in" --exit-status 'nothing'
	[ "$status" -eq 3 ]
}

@test "expressions are asked of a store, once and again" {
	mf-store append -d "$BATS_TEST_TMPDIR/data" <"$D/raw.in"
	run mf-plot -d "$BATS_TEST_TMPDIR/data" --tz UTC --now 1637586600 \
	    -s -10m 'rate(api_request_total[1m])'
	[ "$status" -eq 0 ]
	[[ $output == *"13:00–13:10 UTC · step 5s"* && $output == *"last 0."* ]]
	mf-plot -d "$BATS_TEST_TMPDIR/data" -f -i 50ms --now 1637586600 \
	    --width 30 --height 6 up >"$BATS_TEST_TMPDIR/out" &
	frames() { [ "$(grep -c '^up' "$BATS_TEST_TMPDIR/out")" -ge 2 ]; }
	until_ok 2 frames
	kill $!
	wait $!
	run mf-plot -d "$BATS_TEST_TMPDIR/none" up
	[ "$status" -eq 1 ]
	[[ $output == *"no store here"* ]]
}

@test "a bad expression is status 2 with its place" {
	run mf-plot -d "$BATS_TEST_TMPDIR" 'rate(x[1m]'
	[ "$status" -eq 2 ]
	[[ $output == *"1:11: parse error: unclosed left parenthesis"* ]]
	run mf-plot -d "$BATS_TEST_TMPDIR" up --width 30
	[ "$status" -eq 2 ]
	[[ $output == *"options come first"* ]]
	run mf-plot -d "$BATS_TEST_TMPDIR" 'up[5m]'
	[ "$status" -eq 2 ]
	[[ $output == *"a chart needs numbers"* ]]
	run mf-plot -u http://127.0.0.1:1 up
	[ "$status" -eq 1 ]
}

@test "bad lines are named and cost status 1, the rest is drawn" {
	printf 'm 1 1637582400000\nm{ 2\nm 3 1637582415000\n' \
	    >"$BATS_TEST_TMPDIR/bad"
	run mf-plot --in "$BATS_TEST_TMPDIR/bad"
	[ "$status" -eq 1 ]
	[[ $output == *"mf-plot: $BATS_TEST_TMPDIR/bad:2:"* ]]
	[[ $output == *"last 3"* ]]
	run mf-plot --strict --in "$BATS_TEST_TMPDIR/bad"
	[ "$status" -eq 1 ]
	[[ $output != *"last"* ]]
}

@test "usage errors are status 2 and say why" {
	for o in '--unit parsecs' '--warn x' '--crit NaN' '--width 0' '--tz Mars' \
	    '--color blue' '-o png' '-s yesteryear' '--step 3' '--bogus'; do
		# shellcheck disable=SC2086
		run mf-plot $o </dev/null
		[ "$status" -eq 2 ]
		[[ $output == *mf-plot* ]]
	done
	run mf-plot --mark 'x{' --in "$D/three.in"
	[ "$status" -eq 2 ]
	run mf-plot --in /nonexistent
	[ "$status" -eq 1 ]
	[[ $output == *"/nonexistent: No such file"* ]]
}

@test "too narrow, too many points, a day" {
	cd "$BATS_TEST_TMPDIR"
	mf-eval -s 0 -e 1000 --now 1000 'sin(vector(time() / 100))' >s.mf
	run -2 --separate-stderr mf-plot --width 4 --in s.mf
	[[ $stderr == *"--width: '4' is too small" ]]
	run -0 mf-plot --width 5 --in s.mf
	[ "${#lines[@]}" -eq 1 ]
	run -0 bash -c 'mf-plot --width 7 --height 9 --in /dev/null | wc -l'
	[ "$output" -eq 1 ]
	run -2 --separate-stderr mf-plot -d . --step 1s -s 0 -e 1d 'vector(1)'
	[[ $stderr == *"bad time"* ]]
	run -2 --separate-stderr mf-plot -d . --step 1s -s 0 -e 20000 'vector(1)'
	[[ $stderr == *"more than 11000 points"* ]]
	# A day begins at midnight in the chart's zone.
	mf-eval -s 1637500000 -e 1637600000 --step 1000s 'vector(1)' >d.mf
	run -0 mf-plot --in d.mf -s 2021-11-22 --tz Asia/Tokyo --height 8
	[[ $output == *"2021-11-22 00:00"* ]]
}

@test "help, version, a full disk" {
	run mf-plot --help
	[ "$status" -eq 0 ]
	[[ $output == usage:* ]]
	run mf-plot -V
	[ "$status" -eq 0 ]
	run bash -c "mf-plot --in $D/rate.in >/dev/full"
	[ "$status" -eq 1 ]
	[[ $output == *"No space left"* ]]
}

@test "many series, and a series of many labels, take no square of time" {
	awk 'BEGIN { for (i = 0; i < 30000; i++)
		printf "# BATCH {a=\"%d\"} 1700000000000\n" \
		    "m{a=\"%d\"} 1 1700000000000\n# EOF\n", i, i }' |
		timeout 20 mf-plot >/dev/null
	awk 'BEGIN { printf "m{"; for (i = 0; i < 300000; i++)
		printf "l%d=\"v\",", i; print "} 1 1700000000000" }' |
		timeout 20 mf-plot >/dev/null
}
