# Two hours of native histograms as mf text, for the comparison of PromQL
# answers: counters with resets in two resolutions and with custom bounds, a
# gauge, and a series that is a float now and then.
#
#	awk -f promql-hist.awk >hist.mf

function rnd() {
	seed = seed * 16807 % 2147483647
	return seed / 2147483647
}

# n buckets of the histogram i, each with some more observations than before
function grow(i, n,    b, more, s) {
	for (b = 1; b <= n; b++) {
		more = int(rnd() * 9 / b)
		bucket[i, b] += more
		count[i] += more
		sum[i] += more * 0.37 * b
		s = s (b > 1 ? "," : "") bucket[i, b]
	}
	return s
}
function forget(i,    b) {
	for (b = 1; b <= 9; b++)
		bucket[i, b] = 0
	count[i] = sum[i] = 0
}

function put(name, i, value) {
	printf "# HIST %s{i=\"%s\"} %s %.0f\n", name, i, value, t
}

BEGIN {
	seed = 11
	for (k = 0; k < 480; k++) {
		t = (1767225600 + k * 15) * 1000 + 137
		if (k % 97 == 96)
			forget(k % 4)
		printf "# BATCH {job=\"h\"} %.0f\n", t
		s = grow(0, 6)
		put("nh", 0, sprintf("{count:%d,sum:%.17g,schema:0,positive_spans:[-2:6],positive_buckets:[%s]}", count[0], sum[0], s))
		s = grow(1, 7)
		zeros += int(rnd() * 3)
		put("nh", 1, sprintf("{count:%d,sum:%.17g,schema:2,zero_threshold:0.001,zero_count:%d,negative_spans:[1:2],negative_buckets:[1,2],positive_spans:[-3:4,2:3],positive_buckets:[%s]}", count[1] + zeros + 3, sum[1], zeros, s))
		s = grow(2, 5)
		put("nb", 2, sprintf("{count:%d,sum:%.17g,schema:-53,positive_spans:[0:5],positive_buckets:[%s],custom_values:[0.1,0.5,1,5]}", count[2], sum[2], s))
		s = grow(3, 5)
		put("nb", 3, sprintf("{count:%d,sum:%.17g,schema:-53,positive_spans:[0:5],positive_buckets:[%s],custom_values:[0.1,1,2.5,5]}", count[3], sum[3], s))
		v = int(rnd() * 20); w = int(rnd() * 20)
		put("gh", 4, sprintf("{count:%d.0,sum:%.17g,schema:1,positive_spans:[0:2],positive_buckets:[%d,%d],hint:gauge}", v + w, v * 1.2 + w * 1.7, v, w))
		if (k % 60 < 20)
			printf "mixed{i=\"5\"} %d %.0f\n", k, t
		else if (k % 60 < 50)
			put("mixed", 5, sprintf("{count:%d,sum:%d,schema:0,positive_spans:[0:1],positive_buckets:[%d]}", k, k, k))
		print "# EOF"
	}
}
