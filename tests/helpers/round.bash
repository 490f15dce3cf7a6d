# Shared by the bats files that look at one round of one target.

# scrape LINES: one round of $address with these lines in its scrape_config.
scrape() {
	cat >p.yml <<-END
	global: {scrape_interval: 40s, scrape_timeout: 40s}
	scrape_configs:
	- job_name: x
	  scheme: ${scheme:-https}
	  static_configs: [{targets: ['$address']}]
	END
	sed 's/^/  /' <<<"$1" >>p.yml
	mf-scrape -1 -c p.yml -d d >out 2>err || :
}

up() {
	scrape "$1"
	grep "^up{.*} 1 " out
	grep "^a{.*} 1 " out
}

# down LINES TEXT: it fails with TEXT.
down() {
	scrape "$1"
	grep "^up{.*} 0 " out
	grep -i "$2" err
}
