#!/bin/sh
# Install what building and testing need and is missing, with apt, as root or
# through sudo.  Nothing is installed when all is there; peers never are, since
# their packages start services (see peers.sh).
#
#	deps.sh		to build and test
#	deps.sh lint	and for every checker
set -eu

want="gcc:gcc make:make pkg-config:pkg-config bats:bats prove:perl
	mandoc:mandoc curl:curl pgrep:procps jq:jq
	openssl:openssl"
[ "${1-}" != lint ] || want="$want clang:clang clang-format:clang-format
	clang-tidy:clang-tidy cppcheck:cppcheck shellcheck:shellcheck
	valgrind:valgrind fish:fish zsh:zsh strace:strace
	systemd-analyze:systemd"

missing=
add() {
	case " $missing " in
	*" $1 "*) ;;
	*) missing="$missing $1" ;;
	esac
}

for w in $want; do
	command -v "${w%%:*}" >/dev/null 2>&1 || add "${w#*:}"
done
# A library is there when pkg-config (or its header) says so.
lib() {
	pkg-config --exists "$1" 2>/dev/null || add "$2"
}
lib libbsd-overlay libbsd-dev
lib libmd libmd-dev
lib yaml-0.1 libyaml-dev
lib jansson libjansson-dev
lib libzstd libzstd-dev
lib zlib zlib1g-dev
lib libcurl libcurl4-openssl-dev
lib libcrypto libssl-dev
lib libmicrohttpd libmicrohttpd-dev
lib libcares libc-ares-dev
[ -e /usr/include/stdio.h ] || add libc6-dev
[ -e /usr/include/xxhash.h ] || add libxxhash-dev
[ -e /usr/share/zoneinfo/Europe/Berlin ] || add tzdata
[ -x /usr/sbin/dnsmasq ] || add dnsmasq-base # the program alone, no service
if [ "${1-}" = lint ]; then
	[ -n "$(find /usr/lib/llvm-*/lib/clang/*/lib/linux \
	    -name 'libclang_rt.fuzzer-*.a' 2>/dev/null)" ] || add libclang-rt-14-dev
fi
[ -n "$missing" ] || exit 0

echo "installing with apt:$missing"
if ! command -v apt-get >/dev/null 2>&1; then
	echo "this is no Debian: please install the packages above" >&2
	exit 1
fi
as=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "not root and no sudo: please run as root:" \
		    "apt-get install$missing" >&2
		exit 1
	fi
	as=sudo
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
install() {
	$as apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends \
	    $missing >/dev/null
}
install 2>/dev/null || { $as apt-get -qq update && install; } || {
	echo "apt could not install:$missing" >&2
	exit 1
}
