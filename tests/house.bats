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
		page=$(mandoc -Tascii "man/mf-$t.1" | col -b |
		    grep -oE -- '--[a-z][a-z-]+' | sort -u)
		for o in $help; do
			grep -qx -- "$o" <<<"$page" || { echo "mf-$t: man page lacks $o"; return 1; }
		done
	done
}

@test "libcurl is loaded on first use only, libmicrohttpd by mf-serve alone" {
	for t in serve scrape store eval notify plot; do
		run readelf -d "$(command -v "mf-$t")"
		[ "$status" -eq 0 ]
		[[ $output != *libcurl* ]]
		[[ $output != *libstdc++* ]]
		[ "$t" = serve ] || [[ $output != *libmicrohttpd* ]]
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
