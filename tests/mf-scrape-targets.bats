#!/usr/bin/env bats
# mf-scrape check and targets: what is wrong with a configuration, what it
# would scrape and why, and how that went.
bats_require_minimum_version 1.5.0

load helpers
setup() { cd "$BATS_TEST_TMPDIR" || return 1; }
teardown() { stop_all; }

config() {
	mkdir -p sd
	echo '[{"targets": ["h:1"], "labels": {"a": "b"}}]' >sd/a.json
	cat >p.yml <<-'E'
	global: {scrape_interval: 15s, scrape_timeout: 5s}
	scrape_configs:
	- job_name: node
	  params: {q: ['x y', z]}
	  static_configs:
	  - targets: ['127.0.0.1:1', 'drop:1']
	    labels: {env: test, __meta_x: "\e[31mred"}
	  relabel_configs:
	  - {source_labels: [__address__], regex: 'drop.*', action: Drop}
	  - source_labels: [__address__]
	    regex: '(.*):(\d+)'
	    target_label: port
	    replacement: $2
	- job_name: files
	  file_sd_configs: [{files: [sd/*.json]}]
	- job_name: bad
	  static_configs: [{targets: ['a:1']}]
	  relabel_configs: [{regex: __address__, action: labeldrop}]
	E
}

# A state file as a running mf-scrape leaves it.
state() {
	mkdir -p data/scrape
	cat >data/scrape/targets <<-'E'
	# BATCH {env="test",instance="127.0.0.1:1",job="node",port="1"} 1700000000250 state="active" url="http://127.0.0.1:1/metrics?q=x+y&q=z" interval=15000 timeout=5000 took=12 samples=742 discovered="{__address__=\"127.0.0.1:1\",job=\"node\"}"
	# EOF
	# BATCH {instance="b:1",job="other"} 1700000000000 state="active" url="http://b:1/metrics" interval=60000 timeout=10000 took=5 samples=0 discovered="{__address__=\"b:1\",job=\"pool\"}" error="no route \u001b[31mto \"b\""
	# EOF
	# BATCH {instance="c:1",job="other"} 0 state="active" url="http://c:1/metrics" interval=60000 timeout=10000 took=0 samples=0 discovered="{__address__=\"c:1\",job=\"other\"}"
	# EOF
	# BATCH {__address__="drop:1",job="node"} 1700000000000 state="dropped" job="node"
	# EOF
	# BATCH {job="files"} 1700000000000 state="discovery" error="sd/x.json: no such file"
	# EOF
	E
}

@test "check: jobs, targets, warnings; 1 when a target is none" {
	config
	sed -i '1s/}/, external_labels: {a: "$NOT_SET_ANYWHERE"}}/' p.yml
	run -1 --separate-stderr mf-scrape check -c p.yml
	[ "$output" = "p.yml: FAILED, 3 jobs, 2 targets, 1 dropped, 1 warning, 1 error" ]
	[ "${stderr_lines[0]}" = 'mf-scrape: p.yml:1:73: external label "a": $NOT_SET_ANYWHERE is not set' ]
	[ "${stderr_lines[1]}" = 'mf-scrape: job bad: target "a:1" is left out: no address' ]
	sed -i '/job_name: bad/,$d' p.yml
	run -0 --separate-stderr mf-scrape check -c p.yml
	[ "$output" = "p.yml: ok, 2 jobs, 2 targets, 1 dropped, 1 warning" ]
	run -0 --separate-stderr mf-scrape check -q p.yml
	[ -z "$output" ]
	[ ! -e mf-data ]
}

@test "check: what is wrong and where; exit 2" {
	bad() {
		printf 'scrape_configs:\n- job_name: a\n  %s\n' "$1" >bad.yml
		run -2 --separate-stderr mf-scrape check -c bad.yml
		[ -z "$output" ]
		[ "$stderr" = "mf-scrape: bad.yml:$2" ] || {
			echo "$stderr"
			return 1
		}
	}
	bad 'relabel_configs: [{action: nope}]' \
	    '3:30: unknown relabel action "nope"'
	bad 'relabel_configs: [{action: keep, regex: "a(b"}]' \
	    '3:43: error parsing regexp: missing closing ): `a(b`'
	bad 'metric_relabel_configs: [{target_label: a-b}, ~]' \
	    '3:49: empty or null metric relabeling rule'
	bad 'relabel_configs: [{modulus: 3, action: hashmod}]' \
	    "3:21: relabel configuration for hashmod action requires 'target_label' value"
	bad 'scrape_intervall: 1s' '3:3: unknown key "scrape_intervall"'
	bad 'static_configs: [{targets: ["http://a"]}]' \
	    '3:31: "http://a" is not a valid hostname'
	run -2 --separate-stderr mf-scrape check -c none.yml
	[[ $stderr == *none.yml* ]]
	run -2 mf-scrape check
}

@test "check: files of targets are read, nobody is asked" {
	config
	echo '[{"targets": "h:1"}]' >sd/b.json
	run -1 --separate-stderr mf-scrape check p.yml
	[[ $output == "p.yml: FAILED, 3 jobs, 2 targets, 1 dropped, 2 errors" ]]
	[[ ${stderr_lines[0]} == "mf-scrape: files: "*b.json* ]]
	cat >net.yml <<-'E'
	scrape_configs:
	- job_name: net
	  http_sd_configs: [{url: 'http://127.0.0.1:1/'}]
	  dns_sd_configs: [{names: [a.invalid]}]
	  static_configs: [{targets: ['a:1', 'b:1']}]
	E
	run -0 --separate-stderr mf-scrape check net.yml
	[ "$output" = "net.yml: ok, 1 job, 2 targets and those that 1 job finds over the network" ]
	[ -z "$stderr" ]
}

@test "scrape_config_files: relative, one job_name over all, own places" {
	mkdir more
	echo "scrape_configs: [{job_name: b, static_configs: [{targets: ['b:1']}]}]" >more/b.yml
	echo "scrape_configs: [{job_name: c, file_sd_configs: [{files: [t.json]}]}]" >more/c.yml
	echo '[{"targets": ["c:1"]}]' >more/t.json
	cat >p.yml <<-'E'
	scrape_configs: [{job_name: a}]
	scrape_config_files: ['more/*.yml']
	E
	(cd / && mf-scrape check "$BATS_TEST_TMPDIR/p.yml") >out
	grep -q 'ok, 3 jobs, 2 targets$' out
	echo "scrape_configs: [{job_name: a}]" >more/d.yml
	run -2 --separate-stderr mf-scrape check p.yml
	[[ $stderr == *'more/d.yml:1:29: found multiple scrape configs with job name "a", first found in p.yml:1' ]]
	echo "global: {}" >more/d.yml
	run -2 --separate-stderr mf-scrape check p.yml
	[[ $stderr == *'more/d.yml:1:1: unknown key "global"' ]]
	rm more/d.yml
	sed -i 's,more/,*/,' p.yml
	run -2 --separate-stderr mf-scrape check p.yml
	[[ $stderr == *'p.yml:2:23: invalid scrape config file path "*/*.yml"' ]]
}

@test "targets of the running one: a table" {
	state
	run -0 --separate-stderr mf-scrape targets -d data
	[[ ${lines[0]} =~ ^"HEALTH   JOB    EVERY "\ +"LAST  TOOK  SAMPLES  URL"$ ]]
	[[ ${lines[1]} =~ ^"up       node     15s  "[0-9ydh]+" ago  12ms      742  http://127.0.0.1:1/metrics?q=x+y&q=z"$ ]]
	[ "${lines[2]}" = '  labels {env="test",instance="127.0.0.1:1",job="node",port="1"}' ]
	[ "${lines[3]}" = '  found  {__address__="127.0.0.1:1",job="node"}' ]
	[[ ${lines[4]} == "down     pool "* ]]
	[ "${lines[7]}" = '  error no route \u001b[31mto "b"' ]
	[[ ${lines[8]} =~ ^"unknown  other     1m "\ +"http://c:1/metrics"$ ]]
	[ "${lines[11]}" = "dropped  node" ]
	[ "${lines[13]}" = "failing  files" ]
	[ "${lines[14]}" = "  error sd/x.json: no such file" ]
	[ "${lines[15]}" = "3 targets: 1 up, 1 down, 1 unknown; 1 dropped" ]
	[ "${lines[16]}" = "1 discovery fails" ]
	[ "${#lines[@]}" -eq 17 ]
	run -0 mf-scrape targets -q -d data
	[ "${#lines[@]}" -eq 6 ]
	MF_DIR=data run -0 mf-scrape targets -q
	[ "${#lines[@]}" -eq 6 ]
}

@test "targets of the running one: an object a line" {
	state
	run -0 --separate-stderr mf-scrape targets -o json -d data
	[ "${#lines[@]}" -eq 5 ]
	[ "${lines[0]}" = '{"state":"active","discoveredLabels":{"__address__":"127.0.0.1:1","job":"node"},"labels":{"env":"test","instance":"127.0.0.1:1","job":"node","port":"1"},"scrapePool":"node","scrapeUrl":"http://127.0.0.1:1/metrics?q=x+y&q=z","lastError":"","lastScrape":"2023-11-14T22:13:20.250Z","lastScrapeDuration":0.012,"health":"up","scrapeInterval":"15s","scrapeTimeout":"5s","samples":742}' ]
	[[ ${lines[1]} == *'"scrapePool":"pool"'*'"health":"down"'* ]]
	[[ ${lines[2]} == *'"lastScrape":"0001-01-01T00:00:00Z","lastScrapeDuration":0,"health":"unknown"'* ]]
	[ "${lines[3]}" = '{"state":"dropped","discoveredLabels":{"__address__":"drop:1","job":"node"},"scrapePool":"node"}' ]
	[ "${lines[4]}" = '{"state":"discovery","scrapePool":"files","lastError":"sd/x.json: no such file"}' ]
}

@test "targets of a configuration, with how they went" {
	config
	state
	run -0 --separate-stderr mf-scrape targets -o json -c p.yml -d data
	[ "${#lines[@]}" -eq 4 ]
	[[ ${lines[0]} == *'"__meta_x":"\u001b[31mred"'*'"labels":{"env":"test","instance":"127.0.0.1:1","job":"node","port":"1"}'*'"lastScrapeDuration":0.012,"health":"up"'*'"samples":742}' ]]
	[[ ${lines[1]} == *'"__meta_filepath":"sd/a.json"'*'"scrapePool":"files"'*'"health":"unknown"'* ]]
	[[ ${lines[2]} == '{"state":"dropped",'*'"__address__":"drop:1"'*'"scrapePool":"node"}' ]]
	[[ ${lines[3]} == '{"state":"dropped",'*'"scrapePool":"bad","lastError":"no address"}' ]]
	# A discovery that fails has a row, too, and the status says it.
	echo '[{' >sd/x.json
	run -1 --separate-stderr mf-scrape targets -o json -c p.yml -d data
	[ "${#lines[@]}" -eq 5 ]
	[[ ${lines[4]} == '{"state":"discovery","scrapePool":"files","lastError":"sd/x.json:'* ]]
	[[ $stderr == *'mf-scrape: files: sd/x.json:'* ]]
	rm sd/x.json
	# Nothing has been scraped yet.
	run -0 --separate-stderr mf-scrape targets -c p.yml -d none
	[[ ${lines[1]} =~ ^"unknown  node     15s "\ +"http://127.0.0.1:1/metrics?q=x+y&q=z"$ ]]
	[ ! -e none ]
	# A real round, one target down.
	run -1 mf-scrape -q -1 -c p.yml -d real
	run -0 --separate-stderr mf-scrape targets -c p.yml -d real
	[[ ${lines[1]} == "down     node "* ]]
	[[ ${lines[4]} == "  error "* ]]
}

@test "the table folds, and does not let labels write on the terminal" {
	config
	COLUMNS=60 run -0 --separate-stderr mf-scrape targets -c p.yml -d none
	while IFS= read -r line; do
		[[ $line == *http* ]] || [ "${#line}" -le 60 ]
	done <<<"$output"
	[[ $output == *'
          __meta_x="\x1b[31mred",'* ]]
	[[ $output != *$'\e'* ]]
	# Where a URL has no room beside its row, all stand below theirs.
	[[ ${lines[0]} == *SAMPLES ]]
	[[ ${lines[2]} == "  url    http://"* ]]
	COLUMNS=60 run -0 --separate-stderr mf-scrape targets -q -c p.yml -d none
	[[ ${lines[0]} == *"SAMPLES  URL" ]]
	# An error folds between words, and leaves no blank at the end of a line.
	run -1 mf-scrape -q -1 -c p.yml -d real
	COLUMNS=60 run -0 --separate-stderr mf-scrape targets -c p.yml -d real
	[[ $output == *"  error "* && $output != *$' \n'* ]]
}

@test "targets --explain: each rule, and what it did" {
	config
	run -0 --separate-stderr mf-scrape targets --explain -c p.yml
	[[ $output == *'rule 1: {source_labels: [__address__], regex: "drop.*", action: Drop}
    "127.0.0.1:1": does not match
rule 2: {source_labels: [__address__], regex: "(.*):(\\d+)", target_label: port, replacement: $2}
    "127.0.0.1:1": matches
    + port="1"
target: {env="test",instance="127.0.0.1:1",job="node",port="1"}'* ]]
	[[ $output == *'    "drop:1": matches, so the target is dropped
dropped by rule 1 of 2'* ]]
	[[ $output == *'rule 1: {regex: __address__, action: labeldrop}
    some names match
    - __address__="a:1"
left out: no address' ]]
	[[ $output != *$'\e'* ]]
	[ "$(grep -c '^discovered by job' <<<"$output")" -eq 4 ]
}

@test "targets of operands" {
	run -0 mf-scrape targets -q -d none http://a/x file:/tmp/x
	[[ ${lines[1]} == "unknown  mf-scrape "*"  http://a/x" ]]
	[[ ${lines[2]} == "unknown  mf-scrape "*"  file:/tmp/x" ]]
}

@test "usage, no state, a state that is cut off, a full disk" {
	config
	run -2 mf-scrape targets -o xml -c p.yml
	run -2 mf-scrape targets --explain -d data
	run -2 mf-scrape targets --explain -o json -c p.yml
	run -1 --separate-stderr mf-scrape targets -d none
	[[ $stderr == "mf-scrape: none/scrape/targets: no mf-scrape has written it"* ]]
	state
	printf '# BATCH {x="' >>data/scrape/targets
	run -1 --separate-stderr mf-scrape targets -d data
	[[ $output == *"3 targets"* ]]
	[[ $stderr == *data/scrape/targets:11:* ]]
	run -1 sh -c 'mf-scrape targets -c p.yml >/dev/full'
	[[ $output == *"No space left"* ]]
}

@test "who looks soon after a start sees how the first rounds went" {
	echo 'a 1' >page
	printf 'scrape_configs: [{job_name: j, static_configs: [{targets: ["file:%s/page"]}]}]' \
	    "$PWD" >p.yml
	mf-scrape -i 500ms -c p.yml -d d >out 2>err 3>&- &
	echo $! >>pids
	until_ok 5 eval "mf-scrape targets -q -d d 2>err | grep -q '^up '"
}
