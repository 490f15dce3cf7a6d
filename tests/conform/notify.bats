#!/usr/bin/env bats
# Cases of Alertmanager 0.33.1 replayed through the pure step: what is sent,
# when, byte for byte.  Not held, and why: dedup-restart-kill9 (nothing is lost
# here), inhibit-two-sources* (a fault of that version), timing-group-wait-zero
# and webhook-old-alerts (the alerts of one request race there),
# timing-repeat-multiple (jitter decides there), slack-template-error (an empty
# message there), webhook-retry (jitter; a port that refuses is not recorded),
# resolve-timeout-refresh (its times are not recorded), alerts-api-validation
# (the API's), webhook-http-headers (refused by name).
bats_require_minimum_version 1.5.0

setup() {
	MF_BUILD=${MF_BUILD:-$BATS_TEST_DIRNAME/../../build}
	[ -d "$CORPUS/alertmanager" ] || skip "no corpus at ${CORPUS:-unset}"
}

cases='
alert-order
annotations-change
dedup-restart-resolved
dedup-restart
flap-new-alert-fires-and-resolves
group-by-all
group-by-none
group-key-quoting
inhibit-chain
inhibit-late
inhibit-self
match-re-key
mute-time-intervals
reload-bad
reload-keeps-dedup
resolve-before-group-wait-mixed
resolve-before-group-wait
resolved-retry-next-flush
route-continue
route-same-receiver-twice
send-resolved-false-partial
send-resolved-false
severity-label-change
silence-expires-by-time
silenced-source-inhibits
slack-200-not-ok
slack-basic-old-alert
slack-basic
slack-full
slack-retry-5xx
slow-blocks-fast
timing-join
timing-repeat-interval
timing-repeat-lt-group
utf8-labels
webhook-basic
webhook-max-alerts
webhook-payload
webhook-template-error-url
'

@test "deliveries of the recorded cases" {
	failed=
	for c in $cases; do
		"$MF_BUILD/conform/notify" "$CORPUS/alertmanager/$c" ||
		    failed="$failed $c"
	done
	echo "failed:$failed"
	[ -z "$failed" ]
}

# template-bad needs a file that is not recorded; template-inline-bad is taken
# there and fails when it is sent, and is refused here.
@test "configurations and matchers: what is taken and what is not" {
	run -0 "$MF_BUILD/conform/notify-config" "$CORPUS/alertmanager"
	echo "$output"
	[[ $output == *"configurations: passed 64 of 66"* ]]
	[[ $output == *"matchers: passed 116 of 116"* ]]
}
