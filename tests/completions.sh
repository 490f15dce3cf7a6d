#!/bin/sh
# The completions are what the man pages say, and the shells can read them.
cd "$(dirname "$0")/.." || exit 1
rc=0
for s in bash:mf.bash zsh:_mf fish:mf.fish; do
	awk -v shell="${s%%:*}" -f completions/gen.awk man/mf-*.1 |
	    cmp -s - "completions/${s#*:}" || {
		echo "completions/${s#*:} is not what the man pages say: make completions" >&2
		rc=1
	}
	if command -v "${s%%:*}" >/dev/null 2>&1; then
		"${s%%:*}" -n "completions/${s#*:}" || rc=1
	else
		echo "completions/${s#*:}: no ${s%%:*} here to read it" >&2
	fi
done
exit $rc
