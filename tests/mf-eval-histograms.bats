#!/usr/bin/env bats
# Native histograms through the tools: a stream, a store, rules, an engine.

bats_require_minimum_version 1.5.0
load helpers

setup() {
	cd "$BATS_TEST_TMPDIR"
	cat >in.mf <<'END'
# BATCH {job="a"} 1637582400000
# HIST lat{job="a"} {count:4,sum:5,schema:0,positive_spans:[0:3],positive_buckets:[1,2,1]} 1637582400000
up{job="a"} 1 1637582400000
# EOF
# BATCH {job="a"} 1637582460000
# HIST lat{job="a"} {count:8,sum:9,schema:0,positive_spans:[0:3],positive_buckets:[2,4,2]} 1637582460000
up{job="a"} 1 1637582460000
# EOF
END
	rate='{count:0.06666666666666667,sum:0.06666666666666667,schema:0,'
	rate+='positive_spans:[0:3],positive_buckets:[0.016666666666666666,'
	rate+='0.03333333333333333,0.016666666666666666],hint:gauge}'
	json='{"count":"8","sum":"9","buckets":'
	json+='[[0,"0.5","1","2"],[0,"1","2","4"],[0,"2","4","2"]]}'
}
teardown() { stop_all; }

@test "a histogram is a HIST line, and mf-eval reads it again" {
	run -0 mf-eval --in in.mf --now 1637582460 'rate(lat[2m])'
	[ "${lines[1]}" = "# HIST _{job=\"a\"} $rate 1637582460000" ]
	mf-eval --in in.mf --now 1637582460 -- '-lat' >minus.mf
	grep -q 'count:-8.0,.*hint:gauge}' minus.mf
	run -0 mf-eval --in minus.mf --now 1637582460 \
	    'histogram_count({job="a"})' 'histogram_sum(-{job="a"})'
	[[ $output == *'_{job="a"} -8 1637582460000'* ]]
	[[ $output == *'_{job="a"} 9 1637582460000'* ]]
}

@test "json as the API has it, csv and tsv as text" {
	run -0 mf-eval --in in.mf --now 1637582460 -o json lat
	[[ $output == *"\"histogram\":[1637582460,$json]"* ]]
	[[ $output != *'"value"'* ]]
	run -0 mf-eval --in in.mf -s 1637582400 -e 1637582460 --step 60s \
	    -o json '{job="a"}'
	[[ $output == *"\"histograms\":[[1637582400,"*",[1637582460,$json]]"* ]]
	[[ $output == *'"values":[[1637582400,"1"],[1637582460,"1"]]'* ]]
	run -0 mf-eval --in in.mf --now 1637582460 -o csv 'rate(lat[2m])'
	[ "${lines[1]}" = "2021-11-22T12:01:00Z,\"{job=\"\"a\"\"}\",\"$rate\"" ]
	run -0 mf-eval --in in.mf --now 1637582460 -o tsv 'rate(lat[2m])'
	[[ ${lines[1]} == *$'\t'"$rate" ]]
}

@test "what histograms are not for is told on stderr" {
	run -0 --separate-stderr mf-eval --in in.mf --now 1637582460 \
	    'sum({job="a"})'
	[ "${#lines[@]}" -eq 2 ]
	[[ $stderr == *"encountered a mix of histograms and floats for aggregation (1:5)"* ]]
}

@test "recording rules write HIST lines, and later rules see them" {
	cat >rules.yml <<'END'
groups:
- name: g
  rules:
  - record: all:lat
    expr: sum(lat)
  - record: all:lat:count
    expr: histogram_count(all:lat)
END
	run -0 mf-eval -r rules.yml -d data --replay --in in.mf -e 1637582520
	[[ $output == *'# HIST all:lat {count:8,sum:9,'* ]]
	[[ $output == *$'\nall:lat:count 8 '* ]]
}

@test "a store, mf-serve's API, and mf-eval asking it" {
	mf-store append -d data <in.mf
	run -0 mf-eval -d data --now 1637582460 'histogram_quantile(0.5, lat)'
	[[ $output == *'_{job="a"} 1.414213562373095'*' 1637582460000'* ]]
	start api mf-serve -d data -l 127.0.0.1:0
	run -0 curl -s "http://$address/api/v1/query?query=lat&time=1637582460"
	[[ $output == *"\"histogram\":[1637582460,$json]"* ]]
	run -0 mf-eval -u "http://$address" --now 1637582460 lat
	[[ ${lines[1]} == '# HIST lat{job="a"} {count:8.0,sum:9,schema:0,positive_spans:[0:3],positive_buckets:[2,4,2]} 1637582460000' ]]
}
