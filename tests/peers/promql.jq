# Compare answers of two servers of the Prometheus API: on stdin, one array a
# line, [expression, their answer, ours].  Prints a line for each that differs.
# Floats that are not the same text may differ by rounding alone: servers sum
# in different orders.

def number: if . == "+Inf" then infinite elif . == "-Inf" then -infinite
    else tonumber end;
def size: if . < 0 then -. else . end;
def near($a; $b):
    $a == $b or ($a != "NaN" and $b != "NaN" and
	($a | number) as $x | ($b | number) as $y |
	($x | size) as $p | ($y | size) as $q |
	(($x - $y) | size) <= 1e-9 * ([$p, $q] | max) + 1e-12);

# [[time, value]...] alike?
def points($a; $b):
    ($a | length) == ($b | length) and
    all(range($a | length); $a[.][0] == $b[.][0] and near($a[.][1]; $b[.][1]));

# [[time, {count, sum, buckets: [[how bounded, from, to, count]...]}]...]
def histograms($a; $b):
    ($a | length) == ($b | length) and
    all(range($a | length); $a[.][0] == $b[.][0] and
	($a[.][1] as $x | $b[.][1] as $y |
	near($x.count; $y.count) and near($x.sum; $y.sum) and
	(($x.buckets // []) | length) == (($y.buckets // []) | length) and
	all(range(($x.buckets // []) | length);
	    $x.buckets[.] as $p | $y.buckets[.] as $q |
	    $p[0] == $q[0] and all(range(1; 4); near($p[.]; $q[.])))));

def series: map({key: (.metric | tojson),
    value: (.values // [.value | values]),
    native: (.histograms // [.histogram | values])}) | sort_by(.key);

def alike($a; $b; $ordered):
    if $a.status != $b.status then "status"
    elif $a.status == "error" then
	if $a.errorType == $b.errorType then empty else "errorType" end
    elif $a.data.resultType != $b.data.resultType then "resultType"
    elif $a.data.resultType == "string" then
	if $a.data.result == $b.data.result then empty else "string" end
    elif $a.data.resultType == "scalar" then
	if points([$a.data.result]; [$b.data.result]) then empty
	else "scalar" end
    else ($a.data.result | series) as $x | ($b.data.result | series) as $y |
	if ($x | map(.key)) != ($y | map(.key)) then "labels"
	elif all(range($x | length); points($x[.].value; $y[.].value) and
	    histograms($x[.].native; $y[.].native)) | not
	then "values"
	elif $ordered and $a.data.resultType == "vector" and
	    (points($a.data.result | map(.value);
		$b.data.result | map(.value)) | not)
	then "order" else empty end
    end;

. as [$expr, $a, $b] |
alike($a; $b; $expr | test("^(sort|sort_desc|topk|bottomk)\\b")) |
"\(.)\t\($expr)"
