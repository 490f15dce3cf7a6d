#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# The house itself: units, completions, installing, what links with what.

setup() {
	cd "$BATS_TEST_DIRNAME/.." || return 1
	root=$PWD
}

@test "make install puts everything in its place, uninstall takes it away" {
	d=$BATS_TEST_TMPDIR/d
	make -s install DESTDIR="$d" PREFIX=/opt/mf
	for t in serve scrape store eval notify plot; do
		[ -x "$d/opt/mf/bin/mf-$t" ]
		[ -e "$d/opt/mf/share/man/man1/mf-$t.1" ]
		[ -e "$d/opt/mf/share/bash-completion/completions/mf-$t" ]
	done
	[ -e "$d/opt/mf/share/man/man7/mf.7" ]
	[ -e "$d/opt/mf/share/man/man5/mf-format.5" ]
	grep -q /opt/mf/bin/mf-store "$d/opt/mf/lib/systemd/system/mf-collect.service"
	make -s uninstall DESTDIR="$d" PREFIX=/opt/mf
	run find "$d" -type f
	[ "$output" = "" ]
}

@test "the user's CFLAGS keep ours" {
	run make -n B="$BATS_TEST_TMPDIR/b" CFLAGS=-O3 "$BATS_TEST_TMPDIR/b/lib/base/str.o"
	[ "$status" -eq 0 ]
	[[ $output == *-Ilib*-O3* ]]
}

@test "unit files are sound" {
	command -v systemd-analyze >/dev/null || skip "no systemd-analyze here"
	u=$BATS_TEST_TMPDIR/u
	mkdir "$u"
	for f in cmd/*.service cmd/*.timer; do
		sed "s,/usr/local/bin,${MF_BUILD:-$root/build},g" "$f" >"$u/${f##*/}"
	done
	run systemd-analyze verify --man=no "$u"/*
	[ "$status" -eq 0 ]
	[ "$output" = "" ]
}

@test "unit files are hardened: exposure 1.5 at most" {
	command -v systemd-analyze >/dev/null || skip "no systemd-analyze here"
	for f in cmd/*.service; do
		run systemd-analyze security --offline=true --threshold=15 "$f"
		[ "$status" -eq 0 ] || { echo "$f: ${lines[-1]}"; return 1; }
	done
}

@test "completions are what the man pages say" {
	run sh tests/completions.sh
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "every tool has a man page, and it lints" {
	for t in cmd/mf-*.c; do
		[ -e "man/$(basename "$t" .c).1" ]
	done
	run mandoc -Tlint -Wwarning man/*.[157]
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "every option of --help is in the man page, and the other way round" {
	for t in serve scrape store eval notify plot; do
		help=$("mf-$t" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u)
		page=$(mandoc -Tascii "man/mf-$t.1" | sed 's/.\x08//g' |
		    grep -oE -- '--[a-z][a-z-]+' | sort -u)
		for o in $help; do
			grep -qx -- "$o" <<<"$page" || { echo "mf-$t: man page lacks $o"; return 1; }
		done
		for o in $(sed -n 's/^\.It Fl .*Fl Fl \([a-z-]*\).*/--\1/p' "man/mf-$t.1"); do
			grep -qx -- "$o" <<<"$help" || { echo "mf-$t: --help lacks $o"; return 1; }
		done
	done
}

@test "libcurl and libcrypto are loaded on first use only, libmicrohttpd and libcares by one tool" {
	for t in serve scrape store eval notify plot; do
		run readelf -d "$(command -v "mf-$t")"
		[ "$status" -eq 0 ]
		[[ $output != *libcurl* ]]
		[[ $output != *libcrypto* ]]
		[[ $output != *libstdc++* ]]
		[ "$t" = serve ] || [[ $output != *libmicrohttpd* ]]
		[ "$t" = scrape ] || [[ $output != *libcares* ]]
	done
}

@test "version, help and a wrong option, in every tool" {
	for t in serve scrape store eval notify plot; do
		run -0 "mf-$t" --version
		[[ $output == "mf-$t "[0-9]* ]]
		run -0 "mf-$t" --help
		[[ $output == usage:* ]]
		run -2 "mf-$t" --no-such-option
		[[ $output == *no-such-option* ]]
		run -1 bash -c "mf-$t --help >/dev/full"
		[[ $output == *"No space left"* ]]
	done
}

@test "a wrong option is told under the tool's name, by whatever path it ran" {
	for t in serve scrape store eval notify plot; do
		run -2 --separate-stderr "$(command -v "mf-$t")" --no-such-option
		[[ $stderr == "mf-$t: "* ]]
	done
	run -2 --separate-stderr mf-store append --no-such-option
	[[ $stderr == "mf-store: "* ]]
}

@test "an option behind an operand is refused, not taken for one" {
	late() {
		run -2 --separate-stderr "$@" </dev/null
		[[ $stderr == *"behind"*"options come first"* ]] ||
		    { echo "$*: $stderr"; return 1; }
		[ "$output" = "" ]
	}
	cd "$BATS_TEST_TMPDIR"
	late mf-scrape localhost:1 -1
	late mf-eval up -s -1h
	late mf-plot up --height 6
	late mf-store append file -d d
	late mf-store select up -d d
	late mf-notify routes a=b -c am.yml
	run -2 --separate-stderr mf-serve /metrics -l :0
	[[ $stderr == *"/metrics"*"no operands"* ]]
	# Behind -- it is an operand.
	run -0 mf-eval --in /dev/null -- -1
	[[ $output == *"_ -1 "* ]]
	[ ! -e d ] && [ ! -e mf-data ]
}

@test "what a newcomer gets wrong is told by name, with status 2" {
	cd "$BATS_TEST_TMPDIR"
	wrong() {
		local words=$1
		shift
		run -2 --separate-stderr "$@" </dev/null
		[[ $stderr == *"$words"* ]] || { echo "$*: $stderr"; return 1; }
		[ "$output" = "" ]
	}
	seed=$root/tests/data/seed
	wrong "nothing to evaluate" mf-eval
	wrong "'up{': 1:4:" mf-store select 'up{'
	wrong "one selector" mf-store select up down
	wrong "no label's name" mf-store values
	wrong "name is empty" mf-eval -d '' up
	wrong "start is after the end" mf-plot -d . -s now -e -1h up
	wrong "text, svg, html" mf-plot -o pdf up
	wrong "always" mf-plot --color blue up
	wrong "begins with http://" mf-eval -u localhost:9090 up
	wrong "FILE:KEY" mf-eval -r "$seed/prometheus-config.yaml"
	wrong "FILE:KEY" mf-notify -c "$seed/alertmanager-secret.yaml"
	wrong "bad address 'foo'" mf-serve -l foo -g /=x
	# The article's file with its blanks not filled in.
	wrong "nothing fills" mf-notify -c "$seed/alertmanager.yaml"
	printf 'route: {receiver: a}\nreceivers: [{name: a}]\n' >am.yml
	wrong "one configuration" mf-notify check am.yml b.yml
	wrong "2021-11-22T12:00:00Z" mf-store select -s 2021-11-22T12
	run -0 mf-scrape check "$seed/prometheus-config.yaml:prometheus.yaml"
	[[ $output == *"ok, "*", 2 targets" ]]
}

@test "what is no text is refused in a few lines, with a count" {
	cd "$BATS_TEST_TMPDIR"
	yes '}{' | head -n 1000 >junk
	for c in "mf-store append -d d junk" "mf-plot --in junk" \
	    "mf-eval --in junk up"; do
		run -1 --separate-stderr $c
		[ "${#stderr_lines[@]}" -eq 21 ]
		[[ ${stderr_lines[0]} == *"junk:1:1: "* ]]
		[[ ${stderr_lines[20]} == *": 980 more lines like these" ]]
	done
}

@test "a directory that may not be made says so" {
	nobody="setpriv --reuid 65534 --clear-groups"
	[ "$(id -u)" = 0 ] && $nobody mf-store -V >/dev/null ||
	    skip "needs to be root to become somebody else"
	run -1 $nobody mf-store append -d /mf-house-no </dev/null
	[[ $output == *"/mf-house-no: Permission denied (the mf directory: -d names another)" ]]
}
