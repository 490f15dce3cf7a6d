#!/usr/bin/env bats
# Upstream's configurations: each is taken or refused as its name says, and the
# refused ones for the reason they are bad for (prometheus-config.expected).
# Those of discoveries that mf does not have are counted, not judged.
bats_require_minimum_version 1.5.0

setup() {
	MF_BUILD=${MF_BUILD:-$BATS_TEST_DIRNAME/../../build}
	mkdir -p "$MF_BUILD/conform"
	EXPECTED=$BATS_TEST_DIRNAME/prometheus-config.expected
	[ -d "$CORPUS/prometheus-config" ] ||
	    skip "no corpus at ${CORPUS:-unset}/prometheus-config"
	cp -r "$CORPUS/prometheus-config" "$BATS_TEST_TMPDIR/c"
	chmod -R u+w "$BATS_TEST_TMPDIR/c"
	cd "$BATS_TEST_TMPDIR/c" || return 1
}

# What is not in the corpus and is needed to see why a file is bad: the files
# that others import, a job's name, a whole around a target group.
complete() {
	cat >scrape_config_files.good.yml <<-'E'
	scrape_configs:
	- job_name: prometheus
	  static_configs: [{targets: ['localhost:8080']}]
	E
	sed 's/prometheus/alertmanager/' scrape_config_files.good.yml \
	    >scrape_config_files2.good.yml
	for f in *.yml; do
		[ "$f" = jobname.bad.yml ] || grep -q job_name "$f" ||
		    sed -i 's/^\( *\)- \([a-z]*_sd_configs:\)/\1- job_name: j\n\1  \2/' "$f"
	done
	{
		echo 'scrape_configs: [{job_name: j, static_configs: ['
		sed 's/!!binary "\(.*\)": bar/? !!binary "\1"\n  : bar/' \
		    static_config.bad.yml | yaml_flow
		echo ']}]'
	} >group.yml
	mv group.yml static_config.bad.yml
}

# A map of two keys, one of them a map, in flow style.
yaml_flow() {
	awk '/^targets/ { print "{" $0 "," } /^labels/ { print "labels: {" }
	    /^  valid/ { print $0 "," } /^  [?:]/ { print } END { print "}}" }'
}

verdict() { # FILE
	local out
	out=$(mf-scrape check -c "$1" 2>&1) && { echo taken; return; }
	case $out in
	*"this discovery is not part of mf"*)
		echo "absent	${out#*: }" ;;
	*)
		echo "refused	$out" ;;
	esac
}

@test "each file as its name says, for the right reason" {
	complete
	for f in *.yml; do
		case $f in
		scrape_config_files.good.yml | scrape_config_files2.good.yml) ;;
		*) printf '%s\t%s\n' "$f" "$(verdict "$f" | tr '\n' ' ')" ;;
		esac
	done >"$BATS_TEST_TMPDIR/got"
	awk -F '\t' '
	/^#/ { next }
	NR == FNR { want[$1] = $2; why[$1] = $3; next }
	{
		seen[$1] = 1
		sub(/ +$/, "", $2)
		if (!($1 in want)) {
			print $1 ": not in prometheus-config.expected"
			bad = 1
		} else if ($2 != want[$1]) {
			print $1 ": " $2 ", not " want[$1] ": " $3
			bad = 1
		} else if (index($3, why[$1]) == 0) {
			print $1 ": for another reason: " $3
			bad = 1
		} else if ($2 == "absent") {
			absent = absent " " $1
			na++
		} else if ($2 == "taken" && $1 ~ /\.bad\./ ||
		    $2 == "refused" && $1 ~ /\.good\./) {
			print $1 ": the list contradicts its name"
			bad = 1
		} else
			n++
	}
	END {
		for (f in want)
			if (!(f in seen)) { print f ": missing"; bad = 1 }
		print "prometheus-config: " n " files as expected; " na \
		    " not applicable, for discoveries that mf does not have:" \
		    absent
		exit bad
	}' "$EXPECTED" "$BATS_TEST_TMPDIR/got" >"$BATS_TEST_TMPDIR/verdict" || {
		cat "$BATS_TEST_TMPDIR/verdict"
		return 1
	}
	# "make conformance" prints it at the end.
	fold -s -w 80 "$BATS_TEST_TMPDIR/verdict" \
	    >"$MF_BUILD/conform/prometheus-config.note"
}

# The largest file, but for the jobs of discoveries that are absent: every
# other key of it is known and right.
@test "conf.good.yml without the discoveries that mf does not have" {
	awk '
	function flush() {
		if (job !~ /(^|\n)    [a-z0-9]+_sd_configs:/ ||
		    job ~ /(^|\n)    (file|http|dns)_sd_configs:/)
			printf "%s", job
		job = ""
	}
	/^scrape_configs:/ { inside = 1; print; next }
	inside && /^[a-z]/ { flush(); inside = 0 }
	inside && /^  - / { flush() }
	inside { job = job $0 "\n"; next }
	{ print }
	END { flush() }' conf.good.yml >part.yml
	[ "$(grep -c job_name part.yml)" -ge 7 ]
	# A file of credentials that is not there is an error of its own.
	touch valid_password_file valid_token_file valid_cert_file \
	    valid_key_file
	run mf-scrape check -c part.yml
	echo "$output"
	[[ $output == *"part.yml: ok, "* ]]
	[ "$status" -eq 0 ]
}
