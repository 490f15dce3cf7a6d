# Make completions for bash, zsh or fish (-v shell=) from man/mf-*.1.
#
# Options are the items of the first list after "The options are as follows:",
#	.It Fl c Ar file , Fl Fl config Ns = Ns Ar file
# subcommands those of the list after "The subcommands are as follows:",
#	.It Cm check Ar file ...
# The first sentence below an item describes it, and the name of its argument
# says what completes it: file or dir.
FNR == 1 { tool = ""; want = list = "" }
$1 == ".Nm" && tool == "" { tool = $2; tools[++nt] = tool }
/options are as follows/ { want = "o" }
/subcommands are as follows/ { want = "s" }
$1 == ".Bl" && want != "" { list = want; want = ""; depth = 0; next }
$1 == ".Bl" && list != "" { depth++; next }
$1 == ".El" && list != "" && depth-- == 0 { list = ""; open = 0; next }
list == "o" && !depth && $1 == ".It" { option(); next }
list == "s" && !depth && $1 == ".It" { subcommand(); next }
open && !depth { describe() }

function option(	i) {
	k = ++n[tool]; open = 1; kind = "o"
	for (i = 2; i <= NF; i++) {
		if ($i == "Fl" && $(i + 1) == "Fl") { long[tool, k] = word($(i += 2)); continue }
		if ($i == "Fl" && $(i + 1) ~ /^\\-/) { long[tool, k] = word(substr($(++i), 3)); continue }
		if ($i == "Fl") { short[tool, k] = word($(++i)); continue }
		if ($i == "Ar") arg[tool, k] = word($(++i))
	}
}
function subcommand() { k = ++m[tool]; open = 1; kind = "s"; sub_[tool, k] = word($3) }
function word(w) { gsub(/[=,]/, "", w); return w }
function describe(	line) {
	line = $0
	if (line ~ /^\.(Pp|Bd|Ed|Dl|It)/) { open = 0; return }
	if (line ~ /^\.[A-Z]/) {
		sub(/^\.(Ar|Pa|Fl|Xr|Ev|Dv|Sy|Em|Ql|Li|Nm|Cm|Dq|Sq|Qq|Va|No) ?/, "", line)
		gsub(/ (Ns|Ar|Fl|Pa|Ev|No|Ql|Cm|Dq|Sq) /, " ", line); sub(/ \.$/, ".", line); sub(/ ,$/, ",", line)
	}
	if (line == "") return
	if (kind == "o") desc[tool, k] = desc[tool, k] (desc[tool, k] == "" ? "" : " ") line
	else sdesc[tool, k] = sdesc[tool, k] (sdesc[tool, k] == "" ? "" : " ") line
	if (line ~ /[.:;]$/) open = 0
}
function clean(s) {
	gsub(/\\&|\\-/, "", s); gsub(/[\047"\[\]:`$\\]/, "", s); sub(/ ?[.;]$/, "", s)
	return s
}
function files(a) { return a == "file" }
function dirs(a) { return a == "dir" }
# Each spelling of option j of tool t, with prefix and suffix, by blanks.
function names(t, j,	r) {
	r = ""
	if ((t, j) in short) r = "-" short[t, j]
	if ((t, j) in long) r = r (r == "" ? "" : " ") "--" long[t, j]
	return r
}
function bash(t,	j, fn, w, d, f, x) {
	fn = "_" t; gsub(/-/, "_", fn); w = d = f = x = ""
	for (j = 1; j <= n[t]; j++) {
		w = w " " names(t, j)
		opt = names(t, j); gsub(/ /, "|", opt)
		if (dirs(arg[t, j])) d = d (d == "" ? "" : "|") opt
		else if (files(arg[t, j])) f = f (f == "" ? "" : "|") opt
		else if (arg[t, j] != "") x = x (x == "" ? "" : "|") opt
	}
	printf "%s() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n\tcase $prev in\n", fn
	if (d != "") printf "\t%s) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); return ;;\n", d
	if (f != "") printf "\t%s) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;\n", f
	if (x != "") printf "\t%s) COMPREPLY=(); return ;;\n", x
	printf "\tesac\n\tcase $cur in\n\t-*) mapfile -t COMPREPLY < <(compgen -W \"%s\" -- \"$cur\") ;;\n\t*)", substr(w, 2)
	w = ""
	for (j = 1; j <= m[t]; j++) w = w " " sub_[t, j]
	printf " mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	if (w != "") printf "\t\t[ \"$COMP_CWORD\" -gt 1 ] || mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -W \"%s\" -- \"$cur\") ;;\n", substr(w, 2)
	else printf "\t\t;;\n"
	printf "\tesac\n}\ncomplete -o filenames -F %s %s\n", fn, t
}
function zsh(t,	j, a, d, r) {
	printf "%s)\n\t_arguments -s", t
	for (j = 1; j <= n[t]; j++) {
		a = arg[t, j]; d = clean(desc[t, j])
		a = files(a) ? ":file:_files" : dirs(a) ? ":directory:_directories" : a != "" ? ":" a ":" : ""
		if ((t, j) in short) printf " \\\n\t\t\047-%s[%s]%s\047", short[t, j], d, a
		if ((t, j) in long) printf " \\\n\t\t\047--%s%s[%s]%s\047", long[t, j], a == "" ? "" : "=", d, a
	}
	r = ""
	for (j = 1; j <= m[t]; j++) r = r " " sub_[t, j]
	if (r != "") printf " \\\n\t\t\0471: :{_alternative \"subcommands:subcommand:(%s)\" \"files:file:_files\"}\047", substr(r, 2)
	printf " \\\n\t\t\047*:file:_files\047\n\t;;\n"
}
function fish(t,	j, a) {
	for (j = 1; j <= n[t]; j++) {
		a = arg[t, j]
		printf "complete -c %s%s%s%s -d \047%s\047\n", t,
		    (t, j) in short ? " -s " short[t, j] : "", (t, j) in long ? " -l " long[t, j] : "",
		    files(a) ? " -rF" : dirs(a) ? " -xa \047(__fish_complete_directories)\047" : a != "" ? " -x" : "",
		    clean(desc[t, j])
	}
	for (j = 1; j <= m[t]; j++)
		printf "complete -c %s -n __fish_is_first_token -a %s -d \047%s\047\n", t, sub_[t, j], clean(sdesc[t, j])
}
END {
	if (shell == "zsh") {
		printf "#compdef"
		for (i = 1; i <= nt; i++) printf " %s", tools[i]
		print "\ncase $service in"
	}
	for (i = 1; i <= nt; i++) {
		if (shell == "bash") bash(tools[i])
		if (shell == "zsh") zsh(tools[i])
		if (shell == "fish") fish(tools[i])
	}
	if (shell == "zsh") print "esac"
}
