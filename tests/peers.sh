#!/bin/sh
# Unpack real peers from Debian's packages below a directory, for the tests
# that compare with them.  Nothing is installed: no service starts.
#
#	peers.sh build/peers
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:?directory}
mkdir -p "$dir/deb"
cd "$dir"

fetch() {
	[ -e "deb/$1.done" ] && return
	echo "unpacking $1"
	# As root apt drops to a user who may not write here; that is only
	# a warning, and it says so on stderr.
	(cd deb && apt-get -qq download "$1" 2>/dev/null) || {
		apt-get -qq update && (cd deb && apt-get -qq download "$1")
	}
	dpkg -x deb/"$1"_*.deb .
	rm -f deb/"$1"_*.deb
	: >"deb/$1.done"
}

for p in prometheus prometheus-alertmanager prometheus-node-exporter \
	golang-1.19-go golang-1.19-src \
	golang-github-labstack-echo-dev golang-github-labstack-gommon-dev \
	golang-github-prometheus-client-golang-dev \
	golang-github-prometheus-client-model-dev \
	golang-github-prometheus-common-dev \
	golang-github-prometheus-procfs-dev golang-github-beorn7-perks-dev \
	golang-github-cespare-xxhash-dev golang-github-golang-protobuf-1-5-dev \
	golang-google-protobuf-dev golang-github-mattn-go-colorable-dev \
	golang-github-mattn-go-isatty-dev golang-github-valyala-fasttemplate-dev \
	golang-github-valyala-bytebufferpool-dev golang-golang-x-crypto-dev \
	golang-golang-x-net-dev golang-golang-x-sys-dev golang-golang-x-text-dev \
	golang-golang-x-time-dev golang-github-dgrijalva-jwt-go-dev \
	golang-github-golang-jwt-jwt-dev \
	golang-protobuf-extensions-dev \
	golang-github-davecgh-go-spew-dev golang-github-pmezard-go-difflib-dev \
	golang-github-stretchr-testify-dev golang-gopkg-yaml.v3-dev; do
	fetch "$p" || echo "no package $p: its tests will skip" >&2
done

# The article's application in Go.  echo's sources name themselves echo/v4,
# which GOPATH mode resolves by a link.
if [ ! -e echo ] && [ -x usr/lib/go-1.19/bin/go ]; then
	echo "building the article's Go application"
	src=usr/share/gocode/src
	[ -e $src/github.com/labstack/echo/v4 ] ||
	    ln -s . $src/github.com/labstack/echo/v4
	env HOME="$PWD" GOROOT="$PWD/usr/lib/go-1.19" GO111MODULE=off \
	    GOPATH="$PWD/usr/share/gocode" GOCACHE="$PWD/cache" GOFLAGS= \
	    usr/lib/go-1.19/bin/go build -o echo "$here/peers/echo.go" ||
	    echo "the Go application does not build: its test will skip" >&2
fi
