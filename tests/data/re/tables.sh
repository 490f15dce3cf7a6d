#!/bin/sh
# tables.sh FILE: put the tables on stdin in the place of those FILE has, from
# its first "static const" table to the last "};" of one.  See tables.go.
set -eu

cat >"$1.new"
awk -v new="$1.new" '
	FNR == NR { if (/^static const .*\[\] =/) in_table = 1
		if (in_table && /};$/) { last = FNR; in_table = 0 }
		next }
	/^static const .*\[\] =/ && !done { done = 1
		while ((getline line < new) > 0) print line
		skip = 1 }
	!skip { print }
	FNR == last { skip = 0 }' "$1" "$1" >"$1.out"
mv "$1.out" "$1"
rm "$1.new"
clang-format -i "$1"
