#!/usr/bin/env bats
# What select prints is what a query sees: of samples of one series and time
# the one that counts, in each of its forms; and so it can be appended anew.
bats_require_minimum_version 1.5.0

load helpers
load helpers/faults

setup() {
	enter_memory
	stream a 0 30 >a
	stream b 0 30 >b
	mf-store append -d d a b
}

teardown() { leave_memory; }

# as_queried: each sample once, and as --by-series has it, which is a query.
as_queried() {
	mf-store select --by-series -d d >q
	grep -v -e '^# [BE]' q | sort >want
	mf-store select -d d >got
	grep -v -e '^# [BE]' got | sort | cmp - want
	# Again from what was printed, with all that a query can ask.
	rm -rf e
	mf-store append -d e got
	mf-store select --by-series -d e | cmp - q
	mf-store select -d e | cmp - got
	for x in 'm1' 'sum(m3)' 'rate(m7[2h])' 'histogram_count(lat)'; do
		for s in d e; do
			mf-eval -d $s -s 1637582400 -e 1637640000 --step 30m \
			    "$x" >ans.$s
		done
		cmp ans.d ans.e
		mf-eval --replay -s 1637582400 -e 1637640000 --step 30m "$x" \
		    <got | grep -v '^#' | sort >ans.r
		grep -v '^#' ans.d | sort | cmp - ans.r
	done
}

@test "what was replaced is in no batch that is printed" {
	# Some rows, one series of all, one batch of two, twice, and histograms.
	mf-store select -d d 'm3{job="a"}' | sed '/^m3/s/} /} 7/' |
	    mf-store append -q --replace -d d
	as_queried
	mf-store select -d d -s 1637600000 -e 1637620000 |
	    sed '/^m[12]*{/s/} /} 9/' | mf-store append -q --replace -d d
	mf-store select -d d -s 1637600000 -e 1637610000 '{job="b"}' |
	    sed '/^m1{/s/} /} 5/' | mf-store append -q --replace -d d
	mf-store select -d d '{__name__="lat",job="b"}' |
	    sed 's/zero_threshold:0.001/zero_threshold:0.002/' |
	    mf-store append -q --replace -d d
	as_queried
	[ "$(grep -c '^m3{job="a"}' got)" = 30 ]
	run -1 grep -E '^m3{job="a"} [^7]' got
	# Sealed too, some of it and all.
	mf-store compact --seal -d d
	as_queried
	mf-store select --by-series -d d 'm4' | sed '/^m4/s/} /} 3/' |
	    mf-store append -q --replace -d d
	as_queried
	mf-store compact --seal -d d
	as_queried
	mf-store check -d d
}

@test "a range, and what comes after a time, of what was replaced" {
	mf-store select -d d 'm3' | sed '/^m3/s/} /} 7/' |
	    mf-store append -q --replace -d d
	mf-store select -d d -s 1637600000 -e 1637620000 m3 >got
	[ "$(grep -c '^m3' got)" -gt 10 ]
	run -1 grep -E '^m3{.*} [^7]' got
	mf-store select -d d --after 1637600000000 m3 >got
	[ "$(grep -c '^m3' got)" -gt 20 ]
	run -1 grep -E '^m3{.*} [^7]' got
	# The new value's batch stands where the old one did.
	mf-store select -d d -e 1637582407 >got
	[ "$(grep -c '^# BATCH' got)" = 4 ]
}

@test "memory does not grow with what was replaced" {
	sanitized && skip "bounds on memory are not those of a sanitizer"
	awk 'BEGIN {
		for (k = 0; k < 2000; k++) {
			t = sprintf("%.0f", 1637582400000 + k * 15000)
			print "# BATCH {job=\"x\"} " t
			for (i = 0; i < 300; i++)
				print "x{i=\"" i "\",job=\"x\"} " k % 9 " " t
			print "# EOF"
		}
	}' >x
	mf-store append -d big x
	sed 's/} \([0-9]\) /} 1\1 /' x | mf-store append -q --replace -d big
	sed 's/} \([0-9]\) /} 1\1 /' x >want
	for seal in no yes; do
		[ $seal = no ] || mf-store compact --seal -d big
		"$(command -v bash)" -c 'ulimit -v 400000
			exec mf-store select -d big' >got
		cmp got want
	done
}
