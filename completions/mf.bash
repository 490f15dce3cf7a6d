_mf_eval() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	case $prev in
	-d|--dir) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
	-c|--config|--in|-r|--rules) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	--connect-to|-D|--define|--datasource|-e|--end|--enable-feature|--external-url|-i|--interval|--input|--lookback|--max-samples|--max-series|--now|-o|--output|--resend-delay|-s|--start|--set|--step|--timeout|--tz|-u|--url) COMPREPLY=(); return ;;
	esac
	case $cur in
	-*) mapfile -t COMPREPLY < <(compgen -W "-1 --once -c --config --connect-to -D --define -d --dir --datasource -e --end --enable-feature --env --exit-status --external-url -h --help -i --interval --in --input --lookback --max-samples --max-series -n --dry-run --now -o --output -q --quiet -r --rules --replay --resend-delay -s --start --set --step --strict --timeout --tz -u --url -V --version -v --verbose -w --write" -- "$cur") ;;
	*) mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		[ "$COMP_CWORD" -gt 1 ] || mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "check explain fmt parse test" -- "$cur") ;;
	esac
}
complete -o filenames -F _mf_eval mf-eval
_mf_notify() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	case $prev in
	-d|--dir) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
	-c|--config) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	-e|--end|--connect-to|--external-url|--now|--set) COMPREPLY=(); return ;;
	esac
	case $cur in
	-*) mapfile -t COMPREPLY < <(compgen -W "-1 --once -c --config -d --dir -e --end -n --dry-run -q --quiet -v --verbose -h --help -V --version --connect-to --env --external-url --now --replay --set --strict" -- "$cur") ;;
	*) mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		[ "$COMP_CWORD" -gt 1 ] || mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "alerts check render routes" -- "$cur") ;;
	esac
}
complete -o filenames -F _mf_notify mf-notify
_mf_plot() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	case $prev in
	-d|--dir) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
	--in) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	--color|--connect-to|--crit|--datasource|-e|--end|--enable-feature|--height|-i|--interval|--input|--mark|--now|-o|--output|-s|--start|--step|--title|--tz|-u|--url|--unit|--warn|--width) COMPREPLY=(); return ;;
	esac
	case $cur in
	-*) mapfile -t COMPREPLY < <(compgen -W "--color --connect-to --crit -d --dir --datasource -e --end --enable-feature --exit-status -f --follow --height -h --help -i --interval --in --input --mark --now -o --output -q --quiet --replay -s --start --step --strict --title --tz -u --url --unit -V --version -v --verbose --warn --width" -- "$cur") ;;
	*) mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	esac
}
complete -o filenames -F _mf_plot mf-plot
_mf_scrape() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	case $prev in
	-d|--dir) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
	-c|--config) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	--connect-to|--dns-server|-i|--interval|--now|-o|--output|--set|--shard) COMPREPLY=(); return ;;
	esac
	case $cur in
	-*) mapfile -t COMPREPLY < <(compgen -W "-1 --once -c --config --connect-to -d --dir --dns-server --env --extended --explain -h --help -i --interval --keep-known -n --dry-run --now -o --output -q --quiet --self --set --shard -V --version -v --verbose" -- "$cur") ;;
	*) mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		[ "$COMP_CWORD" -gt 1 ] || mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "check check-metrics targets" -- "$cur") ;;
	esac
}
complete -o filenames -F _mf_scrape mf-scrape
_mf_serve() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	case $prev in
	-d|--dir) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
	-m|--metrics|--users|--web-config) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	-g|--get|-l|--listen|--counter|--enable-feature|--external-url|--now|--set) COMPREPLY=(); return ;;
	esac
	case $cur in
	-*) mapfile -t COMPREPLY < <(compgen -W "-d --dir -g --get -h --help -l --listen -m --metrics -q --quiet -V --version -v --verbose --counter --enable-feature --env --external-url --now --set --sink --users --web-config" -- "$cur") ;;
	*) mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	esac
}
complete -o filenames -F _mf_serve mf-serve
_mf_store() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	case $prev in
	-d|--dir|--tsdb) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
	--after|-e|--end|-i|--interval|--input|--keep|--max-age|--max-future|--max-label-length|--max-labels|--max-series|--max-size|--now|--ooo-window|-o|--output|-s|--start|--top) COMPREPLY=(); return ;;
	esac
	case $cur in
	-*) mapfile -t COMPREPLY < <(compgen -W "--after --any-time --by-day --by-series -d --dir -e --end --exit-status -h --help -i --interval --input --keep --max-age --max-future --max-label-length --max-labels --max-series --max-size -n --dry-run --now --ooo-window -o --output -q --quiet --repair --replace --seal -s --start --strict -S --sync --top --tsdb -v --verbose -V --version" -- "$cur") ;;
	*) mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		[ "$COMP_CWORD" -gt 1 ] || mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "append select series labels values metadata info check limits compact delete export import" -- "$cur") ;;
	esac
}
complete -o filenames -F _mf_store mf-store
