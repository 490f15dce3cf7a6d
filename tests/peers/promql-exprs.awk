# Expressions for the comparison of PromQL answers, one a line: what Prometheus
# 2.42 has of functions, aggregations, operators and modifiers, over the data of
# promql-data.awk; then combinations of them, the same at every run; then what
# is wrong with expressions.
#
#	awk -v random=250 -f promql-exprs.awk
#	awk -v random=250 -v histograms=1 -f promql-exprs.awk	over promql-hist.awk

function rnd() {
	seed = seed * 16807 % 2147483647 # Park and Miller, exact in a double
	return seed / 2147483647
}
function pick(list,    a, n) {
	n = split(list, a, ";")
	return a[1 + int(rnd() * n)]
}
# each FORMAT LIST: the format with each item of the list in place of its $
function each(format, list,    a, n, i, s) {
	n = split(list, a, ";")
	for (i = 1; i <= n; i++) {
		s = format
		gsub(/\$/, a[i], s)
		print s
	}
}

function windows() {
	each("$(reqs_total[5m])", rates ";" over)
	each("$(temp[7m])", rates ";" over)
	each("$(mem[10m])", rates ";" over)
	each("$(signed[1m])", rates ";" over)
	each("$(brief[20m])", rates ";" over)
	each("$(mem[5m] offset 20m)", rates ";" over)
	each("$(reqs_total[5m] offset -3m)", rates ";" over)
	each("$(temp[10m] @ 1767229201)", rates ";" over)
	each("$(reqs_total[10m] @ end())", rates ";" over)
	each("$(mem[10m] @ start() offset 1m)", rates ";" over)
	each("$(mem[20m:1m])", rates ";" over)
	each("$(rate(reqs_total[2m])[10m:30s])", over ";deriv;changes")
	each("$(mem[15m:] offset 2m)", "max_over_time;deriv;rate")
	each("$(nothing[5m])", rates ";" over)
	each("quantile_over_time($, temp[9m])", "0;0.1;0.5;0.99;1;-1;2;NaN")
	each("predict_linear(mem[20m], $)", "0;3600;-600;1e9")
	each("holt_winters(temp[15m], $)", "0.5, 0.5;0.1, 0.9;0.9, 0.1")
}

function instants() {
	math = "abs;ceil;floor;exp;ln;log2;log10;sqrt;sgn;sin;cos;tan;asin;" \
	    "acos;atan;sinh;cosh;tanh;asinh;acosh;atanh;deg;rad;round"
	each("$(temp)", math)
	each("$(signed / 3)", math)
	each("$(mem - 3e9)", "abs;ceil;floor;sqrt;sgn;round")
	each("round(temp, $)", "0.1;5;-2;0;1e-9")
	each("clamp(temp, $)", "0, 10;10, 0;-5, 5;NaN, 3")
	each("clamp_min(temp, $)", "0;NaN;30")
	each("clamp_max(temp, $)", "0;NaN;30")
	each("$(temp)", "timestamp;absent;count;group;scalar;sort;sort_desc")
	each("scalar($)", "signed;nothing;mem")
	each("vector($)", "1;time();scalar(signed)")
	each("absent($)", "nothing;nothing{a=\"b\"};nothing{a=~\"b\"};" \
	    "nothing{a=\"b\",a=\"c\"};sum(nothing);mem{x=\"y\",z!=\"\"}")
	each("absent_over_time($[5m])", "nothing{a=\"b\"};mem{job=\"none\"}")
	each("histogram_quantile($, rate(lat_bucket[5m]))", \
	    "0;0.1;0.5;0.9;0.99;1;-1;2;NaN")
	each("histogram_quantile(0.9, $)", "lat_bucket;" \
	    "sum by (le) (rate(lat_bucket[10m]));" \
	    "sum by (le, job) (rate(lat_bucket[10m]));lat_bucket{le!=\"+Inf\"};mem")
	each("$()", "time;pi;minute;hour;month;year;day_of_month;" \
	    "day_of_week;day_of_year;days_in_month")
	each("$(vector(1767229199 + 86400 * 59))", "minute;hour;month;year;" \
	    "day_of_month;day_of_week;day_of_year;days_in_month")
	each("$(mem)", "minute;hour;month;year;day_of_month;day_of_week")
}

function labels() {
	print "label_replace(mem, \"n\", \"$1\", \"instance\", \"(.*):.*\")"
	print "label_replace(mem, \"n\", \"${h}-x\", \"instance\", \"(?P<h>h.).*\")"
	print "label_replace(mem, \"job\", \"\", \"job\", \".*\")"
	print "label_replace(mem, \"n\", \"v\", \"nothing\", \"\")"
	print "label_replace(mem, \"n\", \"v\", \"job\", \"no match\")"
	print "label_replace(signed, \"n\", \"$1\", \"host\", \"(?s)(.*)\")"
	print "label_join(mem, \"n\", \"-\", \"job\", \"dc\", \"instance\")"
	print "label_join(mem, \"n\", \"\")"
	print "label_join(mem, \"job\", \",\", \"nothing\")"
	print "label_replace(rate(reqs_total[5m]), \"__name__\", \"x\", \"\", \"\")"
	each("{__name__=~\"$\"}", "mem;temp;m.*;.*d;reqs_.*;(temp|mem)")
	each("mem{$}", "job=\"api\";job!=\"api\";job=~\"a.*\";job!~\"a.*\";" \
	    "nothing=\"\";nothing!=\"\";job=~\"api|web\";dc=\"east\",job!=\"web\";" \
	    "instance=~\"h[0-2]:80\";instance!~\"h[0-2].*\";job=~\".+\"")
	each("temp $", "offset 1m;offset -1m;@ 1767227000;@ 1767227000.5 offset 30s;" \
	    "@ start();@ end();offset 1h @ end();@ 0;@ 1e9")
}

function aggregations() {
	each("$(temp)", kinds)
	each("$ by (job) (mem)", kinds)
	each("$ without (instance) (mem)", kinds)
	each("$ by (job, code) (rate(reqs_total[5m]))", kinds)
	each("$ by () (mem)", kinds)
	each("$ without () (temp)", kinds)
	each("$ by (nothing) (signed)", kinds)
	each("$ (nothing)", kinds)
	each("$(mem) by (dc)", kinds)
	each("topk($, mem)", "0;1;3;100;-1;2.7")
	each("bottomk($, temp)", "0;1;3;100")
	each("topk by (job) ($, mem)", "1;2")
	each("bottomk without (instance, dc) ($, mem)", "1;2")
	each("quantile($, mem)", "0;0.3;0.5;1;-1;2;NaN")
	each("quantile by (job) ($, mem)", "0.25;0.75")
	each("quantile without (floor) ($, temp)", "0.5")
	each("count_values(\"v\", $)", "signed;round(temp);mem > bool 3e9;temp{room=\"r3\"}")
	each("count_values by (job) (\"v\", $)", "round(mem / 1e9)")
	each("count_values without (code) (\"code\", $)", "floor(reqs_total / 500)")
}

function operators() {
	each("temp $ 3", ops ";" compare)
	each("3 $ temp", ops ";" compare)
	each("7 $ 3", ops)
	each("-7.5 $ 3", ops)
	each("0 $ 0", ops)
	each("1 $ 0", ops)
	each("7 $ bool 3", compare)
	each("temp $ bool 20", compare)
	each("20 $ bool temp", compare)
	each("mem $ mem", ops ";" compare)
	each("mem $ bool mem offset 1m", compare)
	each("mem $ on (instance) group_left node_meta", ops ";" compare)
	each("mem $ on (instance) group_left (os, rack) node_meta", ops)
	each("node_meta $ on (instance) group_right (os) mem", ops)
	each("sum by (job) (mem) $ on (job) sum by (job) (lat_count)", ops ";" compare)
	each("mem $ ignoring (dc, job) group_left node_meta", "*;+")
	each("reqs_total $ ignoring (code) group_left sum without (code) (reqs_total)", "/;-")
	each("reqs_total{code=\"500\"} $ ignoring (code) reqs_total{code=\"200\"}", ops ";" compare)
	each("mem $ mem{job=\"api\"}", "and;or;unless")
	each("mem $ on (instance) node_meta{os=\"bsd\"}", "and;or;unless")
	each("mem $ ignoring (job, dc, os, rack) node_meta{os=\"bsd\"}", "and;or;unless")
	each("mem $ on () vector(1)", "and;or;unless")
	each("$temp", "-;+;- -;-2 ^ ;1 - ")
	print "2 ^ 3 ^ 2"; print "-2 ^ 2"; print "1 + 2 * 3 % 4 - 5 / 6"
	print "temp > 10 < 20"; print "temp > 10 and temp < 20"
	print "mem > 2e9 or temp > 20 unless mem > 5e9"
	print "1 == bool 1 == bool 1"; print "NaN"; print "+Inf"; print "-Inf"
	print "NaN == bool NaN"; print "0x1F"; print "1e-3"; print ".5"; print "1e400"
	print "\"a string\""; print "'it''s'"; print "`raw\\n`"; print "\"\\u00e9\\x41\\n\""
}

# What Prometheus 3 answers differently: samples on the edges of windows, a
# window that begins before its counter, a line's end for ".".
function edges() {
	each("$(lat_count[20m] @ 1767226507)", "rate;increase;delta")
	each("$(aligned[1m] @ 1767229200)", "count_over_time;sum_over_time;rate")
	each("aligned offset $ @ 1767229200", "0s;15s;-15s")
	print "aligned @ 1767233085"
	print "count_over_time(mem[10m:1m] @ 1767229200)"
	print "signed{host=~\"h.*\"}"
	print "signed{host!~\"h 1.+\"}"
}

function wrong() {
	each("$", "sum(;mem{;mem};mem[5m;mem[5m];mem[];mem[0s];mem offset;" \
	    "rate(mem);rate(mem[5m], 2);rate();sum by job (mem);sum(1);" \
	    "foo(mem);mem + ;+ + ;mem @ foo;mem offset 5;mem[5m][5m];" \
	    "mem[5m:1m:1m];1[5m];1 offset 5m;(mem)[5m];mem{job=api};" \
	    "mem{job=~\"(\"};mem{=\"a\"};mem{job=\"a\";{};{a=\"\"};{a=~\".*\"};" \
	    "mem{__name__=\"x\"};1 and 2;mem and 1;\"a\" + 1;mem == bool;" \
	    "1 == 2;mem + bool mem;mem + on (a) group_left (a) mem;" \
	    "mem and on (a) group_left mem;sum(mem[5m]);topk(mem);topk(1);" \
	    "topk(mem, mem);quantile(\"a\", mem);count_values(1, mem);" \
	    "count_values(\"a b\", mem);label_replace(mem, \"a b\", \"\", \"\", \"\");" \
	    "label_replace(mem, \"a\", \"\", \"b\", \"(\");label_join(mem, \"a-b\", \"\");" \
	    "mem + on (job) mem;mem * on (instance) group_left reqs_total;" \
	    "reqs_total * on (job) lat_count;mem * ignoring (dc) group_left temp{x=\"\"};" \
	    "'unclosed;\"unclosed;`unclosed;\"\\q\";1x;0xZ;1..2;mem $;#;; ;mem # c;" \
	    "label_replace({__name__=~\"mem|temp\"}, \"__name__\", \"x\", \"\", \"\");" \
	    "rate({__name__=~\"lat_count|lat_sum\"}[5m]);-{__name__=~\"mem|node_meta\"};" \
	    "mem[5m] offset 1m offset 1m;mem @ 1 @ 2;mem offset 1m @ 1 offset 1m;" \
	    "rate(mem[5m] @ start() offset 1m);sum without (mem);" \
	    "clamp(mem, 1);day_of_week(1);vector(mem);scalar(1);time(1);" \
	    "histogram_quantile(mem, mem);absent(mem[5m]);on(mem);by;sum by (by) (mem);" \
	    "mem[1h:];mem[1h:0s];max_over_time(1[5m:1m]);max_over_time((1)[5m:1m])")
}

function number() { return pick("0.5;1;2;3.25;10;-4;100;1e3;0;time();pi()") }
function range() { return pick("1m;2m;5m;7m30s;10m;20m") }
# Native histograms, for Prometheus 3.
function native(    all) {
	all = "nh;nb;gh;mixed;nh{i=\"1\"};nb{i=\"2\"};rate(nh[5m]);rate(nb[5m]);" \
	    "rate(mixed[9m]);sum(rate(nh[5m]));sum(rate(nb[5m]));avg(gh);" \
	    "sum_over_time(gh[3m]);nh + nh;nh * 2;nb / 4"
	each("$", all)
	each("histogram_count($)", all)
	each("histogram_sum($)", all)
	each("histogram_avg($)", all)
	each("histogram_stddev($)", all)
	each("histogram_stdvar($)", all)
	each("histogram_quantile(0.9, $)", all)
	each("histogram_quantile(0.01, $)", all)
	each("histogram_fraction(0.2, 2.5, $)", all)
	each("histogram_fraction(-Inf, 1, $)", all)
	each("histogram_quantile($, nh)", "0;1;-1;2;NaN;0.5")
	each("histogram_fraction($, nh)", "0, 0;-1, 1;1, -1;NaN, 1;0, +Inf")
	each("$(nh[5m])", rates ";" over)
	each("$(nb[5m])", rates ";" over)
	each("$(gh[7m])", rates ";" over)
	each("$(mixed[11m])", rates ";" over)
	each("$(nh[10m:30s])", rates ";" over)
	each("$(rate(mixed[2m])[10m:30s])", "avg_over_time;sum_over_time;last_over_time")
	each("$(nh)", kinds); each("$(nb)", kinds); each("$({__name__=~\"nh|mixed\"})", kinds)
	each("$ by (i) (gh)", kinds)
	each("nh $ 2", ops ";" compare); each("2 $ nh", ops ";" compare)
	each("nh $ nh", ops ";" compare); each("nb $ nb offset 2m", ops ";" compare)
	each("nh $ bool nh", compare); each("gh $ on () group_left mixed", ops ";" compare)
	each("nh $ nh{i=\"1\"}", "and;or;unless")
	each("$(nh)", "abs;ceil;timestamp;absent;sort;sgn;round;minute;exp;scalar;count")
	each("$(2, {__name__=~\".h|mixed\"})", "topk;bottomk;quantile")
	print "count_values(\"v\", nb)"; print "clamp(mixed, 1, 5)"
	print "label_replace(nh, \"i\", \"x\", \"\", \"\")"
}
function native_vec(depth,    r) {
	r = rnd()
	if (depth == 0 || r < 0.1)
		return pick("nh;nb;gh;mixed;nh{i=\"1\"};nb{i=\"2\"}") modifier()
	if (r < 0.4)
		return pick(rates ";" over) "(" (depth > 1 && rnd() < 0.4 ? \
		    "(" native_vec(depth - 1) ")[" range() ":" pick("30s;1m") "]" : \
		    pick("nh;nb;gh;mixed") "[" range() "]") modifier() ")"
	if (r < 0.6)
		return pick(kinds) " " pick("by (i);by ();without (i)") " (" native_vec(depth - 1) ")"
	if (r < 0.8)
		return "(" native_vec(depth - 1) " " pick("+;-;*;/;==;!=;and;or;unless") " " \
		    (rnd() < 0.5 ? number() : native_vec(depth - 1)) ")"
	return pick("histogram_count;histogram_sum;histogram_avg;histogram_stddev") \
	    "(" native_vec(depth - 1) ")"
}

function metric() {
	return pick("reqs_total;mem;temp;signed;lat_count;lat_sum;lat_bucket;" \
	    "node_meta;brief;mem{job=\"api\"};reqs_total{code=~\"4..|5..\"};" \
	    "temp{floor=\"0\"};lat_bucket{le=\"0.5\"}")
}
function modifier() {
	return rnd() < 0.75 ? "" : " " pick("offset 3m;offset -90s;@ 1767228005;" \
	    "@ start();@ end();@ end() offset 7m")
}
function matrix(depth) {
	if (depth > 0 && rnd() < 0.4)
		return "(" vec(depth - 1) ")[" range() ":" pick("30s;1m;2m30s;") "]" modifier()
	return metric() "[" range() "]" modifier()
}
function group() {
	return pick("by;without") " (" pick("job;instance;code;job, instance;le, job;dc;room") ")"
}
# a vector, of the given depth at most
function vec(depth,    r) {
	r = rnd()
	if (depth == 0 || r < 0.1)
		return metric() modifier()
	if (r < 0.3)
		return pick(rates ";" over) "(" matrix(depth - 1) ")"
	if (r < 0.5)
		return pick(kinds) " " group() " (" vec(depth - 1) ")"
	if (r < 0.6)
		return pick("abs;ceil;floor;sqrt;sgn;round;deg;sort;ln") \
		    "(" vec(depth - 1) ")"
	if (r < 0.75)
		return "(" vec(depth - 1) " " pick(ops ";" compare) " " number() ")"
	if (r < 0.85)
		return "(" vec(depth - 1) " " pick("and;or;unless") " " vec(depth - 1) ")"
	if (r < 0.95)
		return "(" sprintf("%s by (job) (%s) %s on (job) %s by (job) (%s)", \
		    pick(kinds), vec(depth - 1), pick(ops ";" compare), \
		    pick(kinds), vec(depth - 1)) ")"
	# what ties there are is decided by the order of series, which is nobody's
	return pick("topk;bottomk") "(" pick("1;2;3") ", mem)"
}

BEGIN {
	seed = 7
	over = "avg_over_time;min_over_time;max_over_time;sum_over_time;" \
	    "count_over_time;stddev_over_time;stdvar_over_time;" \
	    "last_over_time;present_over_time;absent_over_time"
	rates = "rate;irate;increase;delta;idelta;deriv;changes;resets"
	kinds = "sum;avg;min;max;count;group;stddev;stdvar"
	ops = "+;-;*;/;%;^;atan2"
	compare = "==;!=;>;<;>=;<="
	if (histograms) {
		native()
	} else {
		windows(); instants(); labels(); aggregations(); operators()
		edges(); wrong()
	}
	for (i = 0; i < random; i++)
		print histograms ? native_vec(3) : vec(3)
}
