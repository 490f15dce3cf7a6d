# One line a series of mf text, for comparing what two scrapers have stored:
# without the time, and with values=1 with the value, but of what took time and
# of series that match live.  The values of le and quantile are brought to one
# form, since Prometheus 3 writes 1.0 where 2.42 keeps the page's 1.
#
#	awk -v values=1 -v live='job="node"' -f same-series.awk FILE | sort -u

# The number in a label, as %.17g has it; text that is none stays.
function number(s) {
	return s ~ /^[-+]?[0-9.]+(e[-+]?[0-9]+)?$/ ? sprintf("%.17g", s) : s
}

function normal(s, name,    i, from, to) {
	i = index(s, name "=\"")
	if (i == 0 || substr(s, i - 1, 1) !~ /[{,]/)
		return s
	from = i + length(name) + 2
	to = from + index(substr(s, from), "\"") - 1
	return substr(s, 1, from - 1) number(substr(s, from, to - from)) \
	    substr(s, to)
}

BEGIN { live = live == "" ? "^$" : live }
/^#/ { next }
{
	t = match($0, / [0-9]+$/)
	line = substr($0, 1, t - 1)
	v = match(line, / [^ ]+$/)
	series = normal(normal(substr(line, 1, v - 1), "le"), "quantile")
	name = substr(series, 1, index(series "{", "{") - 1)
	if (!values || name == "scrape_duration_seconds" || series ~ live)
		print series
	else
		print series substr(line, v)
}
