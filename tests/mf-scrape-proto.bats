#!/usr/bin/env bats
# The protobuf form of a page of a real Prometheus: the same series as text.
load helpers

setup() {
	cd "$BATS_TEST_TMPDIR"
	peers=$(realpath "${MF_BUILD:-$BATS_TEST_DIRNAME/../build}/peers" \
	    2>/dev/null) || peers=/nonexistent
	[ -x "$peers/usr/bin/prometheus" ] || skip "no prometheus: make peers"
}

teardown() {
	stop_all
}

up() {
	free_port
	echo 'scrape_configs: []' >p.yml
	"$peers/usr/bin/prometheus" --config.file=p.yml \
	    --storage.tsdb.path=tsdb --web.console.templates=. \
	    --web.console.libraries=. --log.level=error \
	    --web.listen-address="127.0.0.1:$port" >p.out 2>&1 3>&- &
	echo "$!" >>pids
	until_ok 20 page text
	# its own series of this page are there from the second time on
	page text
}

# page FORM...: scraped in the forms of those names, into the file FORM.
page() {
	local form=$1
	case $form in
	text) protocols=PrometheusText0.0.4 ;;
	om) protocols=OpenMetricsText1.0.0 ;;
	*) protocols=PrometheusProto ;;
	esac
	cat >"$form.yml" <<-!
	scrape_configs:
	- job_name: p
	  scrape_protocols: [$protocols]
	  $2
	  static_configs: [{targets: ['127.0.0.1:$port']}]
	!
	mf-scrape -1 -n -c "$form.yml" >"$form"
}

# The names of the series, without the report's.
series() {
	sed -n 's/^\([a-z][^ ]*\) .*/\1/p' "$1" | grep -v '^up{\|^scrape_' |
	    sort
}

@test "text, OpenMetrics and protobuf: the same series" {
	up
	page text
	page om
	page proto
	[ "$(series text | wc -l)" -gt 200 ]
	diff <(series text) <(series proto)
	diff <(series text) <(series om | grep -v '_created{')
	# and the same of what they are
	diff <(grep '^# TYPE' text | sort) <(grep '^# TYPE' proto | sort)
}

@test "classic histograms become native ones with bounds" {
	up
	page classic
	page nhcb 'convert_classic_histograms_to_nhcb: true'
	n=$(series classic | grep -c '_bucket{.*le="+Inf"')
	[ "$n" -gt 5 ]
	[ "$(grep -c '^# HIST .*schema:-53' nhcb)" = "$n" ]
	[ -z "$(series nhcb | grep '_bucket{')" ]
	# Every one of them is read back, and has as many observations.
	grep '^# HIST' nhcb |
	    sed 's/^# HIST \([^{ ]*\)\(.*\) {count:\([0-9]*\),.*/\1_count\2 \3/' |
	    sort >counts
	sed -n 's/^\([a-z_]*_count{[^ ]*\) \([0-9]*\) .*/\1 \2/p' classic |
	    cut -d ' ' -f 1 | sort >all
	cut -d ' ' -f 1 counts | while read -r s; do
		grep -qxF "$s" all || { echo "no $s"; exit 1; }
	done
}
