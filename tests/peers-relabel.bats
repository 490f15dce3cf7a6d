#!/usr/bin/env bats
# Relabelling side by side with promtool and Prometheus ("make peers"): which
# rules are ones, and what becomes of targets.  Debian's version knows classic
# label names only, so mf is told to do the same.
bats_require_minimum_version 1.5.0

load helpers

setup() {
	peers=${MF_PEERS:-$BATS_TEST_DIRNAME/../build/peers}
	peers=$(cd "$peers" 2>/dev/null && pwd) ||
	    skip "no peers here: make peers"
	PATH=$peers/usr/bin:$PATH
	command -v prometheus >/dev/null && command -v promtool >/dev/null ||
	    skip "prometheus was not unpacked: make peers"
	grep -v '^#' "$BATS_TEST_DIRNAME/data/relabel/rules" \
	    >"$BATS_TEST_TMPDIR/rules"
	cd "$BATS_TEST_TMPDIR" || return 1
}
teardown() { stop_all; }

# job NAME RULES
job() {
	cat <<-E
	- job_name: "$1"
	  static_configs:
	  - targets: ['127.0.0.1:1', '127.0.0.2:2', '127.0.0.3:3']
	    labels: {env: prod, dup: prod, team: Ops, num: "17", uni: Äß,
	      __meta_dc: fra, __meta_zone: fra-1}
	  relabel_configs: [$2]
	E
}

heads() {
	printf 'scrape_configs:\n' >theirs.yml
	printf 'global: {metric_name_validation_scheme: legacy}\nscrape_configs:\n' >ours.yml
}

@test "the same rules are taken and refused" {
	i=0 wrong=0
	while IFS= read -r rules; do
		i=$((i + 1))
		heads
		job j "$rules" | tee -a theirs.yml >>ours.yml
		a=0 b=0
		promtool check config theirs.yml >theirs 2>&1 || a=1
		mf-scrape check ours.yml >ours 2>&1 || b=1
		[ $a -eq $b ] || {
			wrong=$((wrong + 1))
			echo "$rules: promtool $a, mf-scrape $b"
			cat theirs ours
		}
	done <rules
	[ $i -ge 130 ]
	[ $wrong -eq 0 ]
}

# Labels that later versions add before relabelling are not theirs to have.
known='with_entries(select(.key | test("^__(scrape_native|convert_classic|always_scrape)") | not))'

@test "the same targets come of them" {
	command -v jq >/dev/null || skip "no jq here"
	heads
	i=0
	while IFS= read -r rules; do
		i=$((i + 1))
		printf 'scrape_configs:\n' >one.yml
		job "c$i" "$rules" >>one.yml
		promtool check config one.yml >/dev/null 2>&1 || continue
		job "c$i" "$rules" | tee -a theirs.yml >>ours.yml
	done <rules
	[ "$(grep -c job_name theirs.yml)" -ge 80 ]
	# Nothing is scraped meanwhile.
	sed -i '1i global: {scrape_interval: 7d}' theirs.yml
	sed -i '1s/{/{scrape_interval: 7d, /' ours.yml
	free_port
	prometheus --config.file=theirs.yml --storage.tsdb.path=tsdb \
	    --web.listen-address=127.0.0.1:$port >prom.log 2>&1 </dev/null 3>&- &
	echo $! >>pids
	until_ok 20 curl -sf "http://127.0.0.1:$port/-/ready" -o /dev/null
	all() {
		curl -sf "http://127.0.0.1:$port/api/v1/targets" >api.json &&
		    n=$(jq '.data | (.activeTargets + .droppedTargets) | length' api.json) &&
		    [ "$n" -ge "$(grep -c . got)" ]
	}
	mf-scrape targets -o json -c ours.yml -d none >got 2>got.err
	until_ok 20 all
	jq -r ".data | (.activeTargets[] | [\"active\", .scrapePool, .scrapeUrl,
	    .scrapeInterval, .scrapeTimeout, (.labels | tojson)] | @tsv),
	    (.droppedTargets[] | [\"dropped\", .discoveredLabels.job, (.discoveredLabels |
	    $known | tojson)] | @tsv)" api.json | sort >want
	jq -r "if .state == \"active\" then [\"active\", .scrapePool, .scrapeUrl,
	    .scrapeInterval, .scrapeTimeout, (.labels | tojson)]
	    else [\"dropped\", .discoveredLabels.job, (.discoveredLabels |
	    $known | tojson)] end | @tsv" got | sort >have
	[ "$(wc -l <want)" -ge 200 ]
	diff want have
}

@test "the same series come of a page" {
	command -v jq >/dev/null || skip "no jq here"
	data=$BATS_TEST_DIRNAME/data/relabel
	start page mf-serve -l 127.0.0.1:0 -m "$data/page"
	printf 'global: {scrape_interval: 1s}\nscrape_configs:\n' >p.yml
	i=0
	grep -v '^#' "$data/metric-rules" | while IFS= read -r rules; do
		i=$((i + 1))
		cat <<-E
		- job_name: m$i
		  static_configs: [{targets: ['$address'], labels: {rule: "$i", device: d}}]
		  metric_relabel_configs: [$rules]
		E
	done >>p.yml
	free_port
	prometheus --config.file=p.yml --storage.tsdb.path=tsdb \
	    --web.listen-address=127.0.0.1:$port >prom.log 2>&1 </dev/null 3>&- &
	echo $! >>pids
	sets() {
		jq -cS '.data.result[].metric' |
		    grep -v '"__name__":"\(up\|scrape_[a-z_]*\)"' | sort
	}
	# One of them loses every name, and fails in both.
	run -1 --separate-stderr mf-scrape -1 -c p.yml
	[[ $stderr == *'rule="29"}: '*'missing metric name'* ]]
	mf-eval --in - -o json '{__name__!=""}' <<<"$output" | sets >have
	[ "$(wc -l <have)" -ge 400 ]
	same() {
		curl -sf -G "http://127.0.0.1:$port/api/v1/query" \
		    --data-urlencode 'query={__name__!=""}' | sets >want &&
		    cmp -s want have
	}
	until_ok 20 same || {
		diff want have
		return 1
	}
}
