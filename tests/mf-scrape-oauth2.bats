#!/usr/bin/env bats
# oauth2's grant of a signed assertion (RFC 7523), against a token server that
# looks; the unit tests of net/fetch_token and net/jwt have the rest.
bats_require_minimum_version 1.5.0

load helpers
load helpers/round

setup() { cd "$BATS_TEST_TMPDIR"; }
teardown() { stop_all; }

# A token server: the assertion must be signed by our key, for it, now, and
# be a new one each time; and the page is for the newest token alone.
token_server() {
	cat >app <<-'END'
	#!/bin/bash
	say() { printf 'HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s' \
	    "$1" "${3:-application/json}" ${#2} "$2"; }
	refuse() { echo "$1" >>faults; say '400 x' "{\"error\":\"invalid_grant\",\"error_description\":\"$1\"}"; exit; }
	part() { tr _- /+ <<<"$1===" | base64 -di 2>/dev/null; }
	if [[ $HEAD == 'GET /metrics'* ]]; then
		[[ $HEAD == *"Authorization: Bearer tok-$(wc -l <ids)"* ]] &&
		    say '200 OK' $'a 1\n' text/plain || say '401 x' no
		exit
	fi
	IFS='&=' read -r _ grant _ token rest
	[ "$grant$rest" = urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer ] || refuse form
	IFS=. read -r head claims signature <<<"$token"
	part "$signature" >"sig.$$"
	printf %s "$head.$claims" | openssl dgst "-$(cat digest)" -verify key.pub \
	    -signature "sig.$$" >/dev/null 2>&1 || refuse signature
	part "$claims" >claims
	jq -e --argjson now "$(date +%s)" --arg aud "$(cat url)" '.iss == "me" and
	    .sub == "us" and .aud == $aud and .scope == "a b" and .tenant == 7 and
	    .exp == .iat + 600 and ($now - .iat | . >= 0 and . < 60)' claims >/dev/null ||
	    refuse claims
	[ "$(part "$head" | jq -c .)" = "$(cat head)" ] || refuse header
	grep -qx "$(jq -r .jti claims)" ids && refuse again
	jq -r .jti claims >>ids
	good=$(cat good)
	say '200 OK' "{\"access_token\":\"tok-$(wc -l <ids)\",\"token_type\":\"bearer\",\"expires_in\":$good}"
	echo "$good" >>lives
	END
	chmod +x app
	: >ids
	: >faults
	echo 3600 >good
	"${CC:-cc}" -o handle "$BATS_TEST_DIRNAME/helpers/handle.c"
	start tokens ./handle ./app
	echo "http://$address/token" >url
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out key.pem 2>/dev/null
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out other.pem 2>/dev/null
	openssl pkey -in key.pem -pubout -out key.pub
}

# jwt KEYS: the lines of a grant, with the keys given besides.
jwt() {
	echo "oauth2: {grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',"
	echo "  client_id: us, iss: me, scopes: [a, b], token_url: '$(cat url)',"
	echo "  claims: {tenant: 7}, $1}"
}

@test "oauth2: a signed assertion is granted a token, by the right key alone" {
	command -v openssl >/dev/null && command -v jq >/dev/null ||
	    skip "no openssl or no jq"
	token_server
	scheme=http
	for a in 256 384 512; do
		echo "sha$a" >digest
		echo "{\"alg\":\"RS$a\",\"kid\":\"k1\",\"typ\":\"JWT\"}" >head
		up "$(jwt "signature_algorithm: RS$a, client_certificate_key_id: k1, client_certificate_key_file: key.pem")"
	done
	echo sha256 >digest
	echo '{"alg":"RS256","typ":"JWT"}' >head
	up "$(jwt "client_certificate_key: \"$(awk '{ printf "%s\\n", $0 }' key.pem)\"")"
	[ "$(sort -u ids | wc -l)" -eq 4 ]
	down "$(jwt 'client_certificate_key_file: other.pem')" \
	    'oauth2: cannot fetch token: server returned HTTP status 400: invalid_grant$'
	grep -x signature faults
	down "$(jwt 'client_certificate_key_file: key.pem, audience: elsewhere')" \
	    'HTTP status 400: invalid_grant$'
	grep -x claims faults
	down "$(jwt 'client_certificate_key_file: key.pub')" \
	    'client_certificate_key: not a private key in PEM'
	down "$(jwt 'client_certificate_key_file: gone.pem')" \
	    'client_certificate_key: .*gone.pem: No such file'
	down "$(jwt 'client_certificate_key: s3cret')" 'not a private key in PEM'
	run ! grep -r s3cret err d
	[ "$(wc -l <ids)" -eq 4 ]
}

@test "oauth2: a token is used until it is about to expire, or refused" {
	command -v openssl >/dev/null && command -v jq >/dev/null ||
	    skip "no openssl or no jq"
	token_server
	scheme=http
	echo sha256 >digest
	echo '{"alg":"RS256","typ":"JWT"}' >head
	scrape "$(jwt 'client_certificate_key_file: key.pem')"
	ups() { [ "$(grep -c '^up{.*} 1 ' out)" -ge "$1" ]; }
	# 10 s before its end: at once
	echo 10 >good
	: >ids
	: >lives
	mf-scrape -i 1s -c p.yml -d d >out 2>err 3>&- &
	echo $! >>pids
	until_ok 30 ups 2
	[ "$(wc -l <ids)" -ge 2 ]
	echo 3600 >good.new
	mv good.new good
	until_ok 30 grep -qx 3600 lives
	n=$(wc -l <ids)
	rounds=$(grep -c '^up{.*} 1 ' out)
	until_ok 30 ups $((rounds + 2))
	[ "$(wc -l <ids)" -eq "$n" ]
	# another has taken its place: the one that is refused is asked for anew
	echo x >>ids
	rounds=$(grep -c '^up{.*} 1 ' out)
	until_ok 30 ups $((rounds + 2))
	[ "$(wc -l <ids)" -eq $((n + 2)) ]
}
