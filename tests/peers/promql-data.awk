# Two hours of OpenMetrics text for the comparison of PromQL answers: counters
# with resets, gauges with holes, NaN and infinities, a classic histogram, and
# information to join with.  Times never fall on a whole second, so that the
# edges of windows, which Prometheus 3 moved, do not matter; the family
# "aligned" is for those who ask about the edges.  The same at every run.
#
#	awk -f promql-data.awk >data.om

# 0 <= x < 1, the same on every machine
function rnd() {
	seed = seed * 16807 % 2147483647 # Park and Miller, exact in a double
	return seed / 2147483647
}

function put(series, value, t) { printf "%s %s %.3f\n", series, value, t }

function counters(    i, j, k, n, c, t, series) {
	print "# TYPE reqs counter"
	for (i = 0; i < 3; i++)
		for (j = 0; j < 4; j++) {
			split("200 404 500 503", code, " ")
			series = sprintf("reqs_total{job=\"%s\",instance=\"h%d:80\",code=\"%s\"}", \
			    i < 2 ? "api" : "web", i, code[j + 1])
			c = j * 100
			for (k = 0; k < n_samples; k++) {
				c += int(rnd() * (20 - j * 4))
				if (k % 151 == 150 && j == i)
					c = 0
				put(series, c, start + k * 15 + 0.137 + i * 0.2)
			}
		}
}

function gauges(    i, k, v, t, series) {
	print "# TYPE mem gauge"
	for (i = 0; i < 6; i++) {
		series = sprintf("mem{job=\"%s\",instance=\"h%d:80\",dc=\"%s\"}", \
		    i % 3 < 2 ? "api" : "web", i, i % 2 ? "east" : "west")
		v = 1e9 * (i + 1)
		for (k = 0; k < n_samples; k++) {
			v += (rnd() - 0.5) * 1e7
			if (i == 4 && k > 100 && k < 160)
				continue
			put(series, sprintf("%.0f", v), start + k * 15 + 0.411)
		}
	}
	print "# TYPE temp gauge"
	for (i = 0; i < 4; i++)
		for (k = 0; k < n_samples; k++) {
			v = 20 + 15 * sin(k / 20 + i) + rnd()
			if (i == 3)
				v = k % 40 == 0 ? "NaN" : k % 41 == 0 ? "+Inf" : \
				    k % 43 == 0 ? "-Inf" : -v / 7
			put(sprintf("temp{room=\"r%d\",floor=\"%d\"}", i, i / 2), \
			    v "", start + k * 15 + 0.703)
		}
	print "# TYPE signed gauge"
	for (k = 0; k < n_samples; k++)
		put("signed{host=\"h 1\\n\\\"q\\\"\"}", k % 7 - 3, start + k * 15 + 0.25)
	print "# TYPE aligned gauge"
	for (k = 0; k < n_samples; k++)
		put("aligned{a=\"1\"}", k * k % 97, start + k * 15)
}

function histogram(    i, k, b, n, sum, le, count, series) {
	print "# TYPE lat histogram"
	split("0.1 0.25 0.5 1.0 2.5 +Inf", le, " ")
	for (i = 0; i < 3; i++) {
		series = sprintf("job=\"%s\",instance=\"h%d:80\"", \
		    i < 2 ? "api" : "web", i)
		for (b = 1; b <= 6; b++)
			count[b] = 0
		sum = 0
		for (k = 0; k < n_samples; k++) {
			n = 0
			for (b = 1; b <= 6; b++) {
				n += int(rnd() * (8 - b) / (i + 1))
				count[b] += n
				put(sprintf("lat_bucket{%s,le=\"%s\"}", series, le[b]), \
				    count[b], start + k * 15 + 0.5)
			}
			sum += n * 0.31
			put(sprintf("lat_sum{%s}", series), sum, start + k * 15 + 0.5)
			put(sprintf("lat_count{%s}", series), count[6], \
			    start + k * 15 + 0.5)
		}
	}
}

function others(    i, k) {
	print "# TYPE node_meta gauge"
	for (i = 0; i < 6; i++)
		for (k = 0; k < n_samples; k++)
			put(sprintf("node_meta{instance=\"h%d:80\",os=\"%s\",rack=\"k%d\"}", \
			    i, i % 2 ? "linux" : "bsd", i / 3), 1, \
			    start + k * 15 + 0.6)
	print "# TYPE brief gauge"
	for (k = 200; k < 220; k++)
		put("brief{x=\"y\"}", k, start + k * 15 + 0.9)
}

BEGIN {
	seed = 42
	start = 1767225600 # 2026-01-01T00:00:00Z
	n_samples = 480
	counters(); gauges(); histogram(); others()
	print "# EOF"
}
