#!/usr/bin/env bats
# mf-scrape: what a scrape_config makes of targets and of their pages.
bats_require_minimum_version 1.5.0

load helpers

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }
teardown() { stop_all; }

# once OPTION...: a round; the samples but those of the report to got.
once() {
	mf-scrape -1 -c p.yml -d data "$@" >out 2>err || rc=$?
	grep -vE '^(# (HELP|TYPE) )?scrape_|^# (HELP|TYPE) up ' out |
	    sed 's/ [0-9]*$//' >got
	return "${rc:-0}"
}

@test "addresses of this machine: a socket, its label, a file, a command" {
	echo 'f 1' >page
	start app mf-serve -l "unix:$PWD/s" -g '/probe=p 2'
	cat >p.yml <<-END
	scrape_configs:
	- job_name: a
	  metrics_path: /probe
	  params: {target: ['http://x/']}
	  static_configs:
	  - {targets: ['h:1'], labels: {__unix_socket__: '$PWD/s'}}
	  - targets: ['unix:$PWD/s', 'file:$PWD/page', 'exec:echo c 3; exit 0']
	- job_name: b
	  static_configs: [{targets: ['unix:$PWD/s:/probe']}]
	END
	once
	LC_ALL=C sort got | grep '^[cfp]' >sorted
	diff - sorted <<-END
	c{instance="exec:echo c 3; exit 0",job="a"} 3
	f{instance="file:$PWD/page",job="a"} 1
	p{instance="h:1",job="a"} 2
	p{instance="unix:$PWD/s",job="a"} 2
	p{instance="unix:$PWD/s:/probe",job="b"} 2
	END
	run -0 mf-scrape targets -c p.yml --explain
	[[ $output == *"unix:$PWD/s:http://h:1/probe?target=http%3A%2F%2Fx%2F"* ]]
	[[ $output == *'target: {instance="h:1",job="a"}'* ]]
}

@test "other rules, from one run to the next: what they hide has ended" {
	printf 'a{x="1"} 1\nb{x="2"} 2\nc 3\n' >page
	cat >p.yml <<-END
	scrape_configs:
	- job_name: j
	  static_configs: [{targets: ['file:$PWD/page']}]
	  relabel_configs: [{target_label: instance, replacement: i}]
	END
	once
	grep -q '^a{instance="i",job="j",x="1"} 1' got
	cat >>p.yml <<-END
	  metric_relabel_configs:
	  - {source_labels: [__name__], regex: c, action: drop}
	  - {source_labels: [x], regex: '2', target_label: __name__, replacement: a}
	  - {regex: x, action: labeldrop}
	END
	once
	grep -v '^# BATCH' got >rest
	diff - rest <<-END
	a{instance="i",job="j"} 1
	up{instance="i",job="j"} 1
	# STALE a{instance="i",job="j",x="1"}
	# STALE b{instance="i",job="j",x="2"}
	# STALE c{instance="i",job="j"}
	# EOF
	END
	grep -q '^scrape_samples_scraped{.*} 3 ' out
	grep -q '^scrape_samples_post_metric_relabeling{.*} 2 ' out
}

@test "past sample_limit: the round fails, or what was there stays" {
	printf 'a 1\nb 1\n' >page
	cat >p.yml <<-END
	scrape_configs:
	- job_name: j
	  sample_limit: 2
	  extra_scrape_metrics: true
	  static_configs: [{targets: ['file:$PWD/page']}]
	  relabel_configs: [{target_label: instance, replacement: i}]
	END
	once
	printf 'n 1\na 2\nb 2\n' >page
	once --keep-known
	grep -q '^a{.*} 2' got
	grep -q '^b{.*} 2' got
	grep -q '^up{.*} 1' got
	run -1 grep '^n' got
	grep -q '^scrape_sample_limit{.*} 2 ' out
	run -1 once
	grep -q '^# BATCH .*error="sample limit exceeded"' out
	grep -q '^up{.*} 0' got
	grep -qx '# STALE \*' got
	run -1 grep '^[abn]{' got
	# The same, said of one target by a label that Prometheus ignores.
	sed -i 's/^  relabel_configs: \[/&{target_label: __mf_keep_known__, replacement: "true"}, /' p.yml
	once
	grep -q '^b{.*} 2' got
	run -1 grep '^n' got
}

@test "a limit that is passed is told in the batch, and nothing of the page" {
	start app mf-serve -l 127.0.0.1:0 -g '/a=a{b="cdef"} 1
a{b="c"} 2'
	for limit in 'body_size_limit: 16B' 'label_limit: 3' \
	    'label_name_length_limit: 7' 'label_value_length_limit: 3' \
	    'target_limit: 1'; do
		cat >p.yml <<-END
		global: {extra_scrape_metrics: true}
		scrape_configs:
		- job_name: j
		  metrics_path: /a
		  $limit
		  static_configs: [{targets: ['$address', 'localhost:${address##*:}']}]
		  relabel_configs:
		  - {source_labels: [__address__], regex: '(.).*', target_label: instance}
		END
		run -1 once
		sed -n 's/^# BATCH .*error="\(.*\)"$/\1/p' out >>errors
		run -1 grep '^a{' got
		sed -n 's/^\(scrape_body_size_bytes{.*\) .*/\1/p' out >>sizes
	done
	LC_ALL=C sort -u errors >sorted
	diff - sorted <<-'END'
	body size limit exceeded
	line 1: label_limit exceeded (metric: a, number of labels: 4, limit: 3)
	line 1: label_name_length_limit exceeded (metric: a, label name: __name__, length: 8, limit: 7)
	line 1: label_value_length_limit exceeded (metric: a, label name: b, value: \"cdef\", length: 4, limit: 3)
	target_limit exceeded (number of targets: 2, limit: 1)
	END
	grep -q ' -1$' sizes
}

@test "a configuration that is wrong is refused before anything is done" {
	cat >p.yml <<-END
	scrape_configs:
	- job_name: j
	  scrape_timeout: 2m
	END
	run -2 --separate-stderr mf-scrape -1 -c p.yml -d data
	[ -z "$output" ] && [ ! -e data ]
	[[ $stderr == *'p.yml:2:3: scrape timeout greater than scrape interval for scrape config with job name "j"' ]]
	sed -i 's/scrape_timeout.*/static_configs: [{targets: ["http:\/\/h\/"]}]/' p.yml
	run -2 --separate-stderr mf-scrape -1 -c p.yml -d data
	[[ $stderr == *'p.yml:3:31: "http://h/" is not a valid hostname' ]]
	# With relabelling it is what a blackbox exporter's job looks like.
	echo '  relabel_configs: [{source_labels: [__address__], target_label: __param_target}, {target_label: __address__, replacement: "127.0.0.1:1"}]' >>p.yml
	run -0 mf-scrape check -c p.yml
	run -0 mf-scrape targets -c p.yml --explain
	[[ $output == *'http://127.0.0.1:1/metrics?target=http%3A%2F%2Fh%2F'* ]]
}

@test "check: files that a configuration names are there" {
	mkdir conf
	cat >conf/p.yml <<-'END'
	scrape_configs:
	- job_name: j
	  basic_auth: {username: u, password_file: pw}
	  tls_config: {ca_file: ca}
	  http_headers: {X-A: {files: [header]}}
	  static_configs: [{targets: ['127.0.0.1:1'], labels: {log_file: x}}]
	  file_sd_configs:
	  - files: [t.json, 'more/*.json']
	  http_sd_configs:
	  - url: http://127.0.0.1:1/
	    authorization: {credentials_file: token}
	END
	run -1 --separate-stderr mf-scrape check conf/p.yml
	for at in '3:44: password_file: conf/pw' '4:25: ca_file: conf/ca' \
	    '5:32: files: conf/header' '11:39: credentials_file: conf/token'; do
		[[ $stderr == *"mf-scrape: conf/p.yml:$at: No such file or directory"* ]]
	done
	[[ $stderr == *'conf/p.yml:8:13: t.json does not exist (yet)'* ]]
	[ "$(wc -l <<<"$stderr")" = 5 ]
	[[ $output == *' 1 warning, 4 errors' ]]
	touch conf/pw conf/ca conf/header conf/token
	echo '[]' >conf/t.json
	run -0 --separate-stderr mf-scrape check conf/p.yml
	[ -z "$stderr" ]
}
