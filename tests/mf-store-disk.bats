#!/usr/bin/env bats
# mf-store on disks of its own: power cuts, full disks, media that can't be
# written to.  An ext4 image on a loop device is copied while writers run: what
# the copy has when it is mounted is what a power cut leaves.
#
#	MF_CUTS=N	power cuts of each kind, 5 if not said (2 under a sanitizer)
bats_require_minimum_version 1.5.0

load helpers
load helpers/faults

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir m
}

teardown() { stop_all; }

# Mounts are made in a name space of their own, and go with it.
need_disks() {
	[ "$(id -u)" = 0 ] || skip "only root may mount"
	truncate -s 8M probe
	mkfs.ext4 -q -F probe 2>/dev/null || skip "no mkfs.ext4 here"
	unshare -m mount -o loop probe m 2>/dev/null ||
	    skip "no loop devices here"
}

# on IMAGE [OPTION] -- COMMAND...: in a name space where it is mounted on m,
# after a boot of its own if $boot is set.
on() {
	local image=$1 option=loop

	shift
	[ "$1" = -- ] || {
		option=loop,$1
		shift
	}
	shift
	boot=${boot:-} unshare -m bash -c '
		set -e
		mount -o "$1" "$2" m
		if [ -n "$boot" ]; then
			echo "$boot" >boot
			mount --bind boot /proc/sys/kernel/random/boot_id
		fi
		shift 2
		"$@"' on "$option" "$image" "$@"
}

export -f stream batches_of

# Runs where the image is mounted: batches of two sources, and of a third that
# is sealed at times, until the file stop is there; what was told to be there
# stands in ack.a and ack.b.  Arguments: -S or nothing.
feed() {
	local job k

	for job in a b; do
		(
			for ((k = 0; k < 3000; k++)); do
				[ ! -e stop ] || exit 0
				stream $job $k 1 >in.$job
				mf-store append $1 -d m/d in.$job || exit 1
				echo $k >>ack.$job
			done
		) &
	done
	while [ -n "$compact" ] && [ ! -e stop ]; do
		sleep 0.1
		mf-store compact --seal -d m/d || exit 1
	done &
	if [ -z "$1" ]; then
		sleep 0.4
		# What was told before is on the disk after this.
		cat ack.a >synced.a
		cat ack.b >synced.b
		sync -f m
		touch synced
	fi
	wait
	umount m
}

# Runs after the cut: what is there, what check says, and all of it again; then
# nothing is in the way any more.
look() {
	local rc=0 job

	for job in a b; do
		mf-store select -d m/d "{job=\"$job\"}" >got.$job 2>>said ||
		    [ $? = 1 ]
	done
	mf-store check -d m/d >check 2>&1 || rc=$?
	echo $rc >check.rc
	for job in a b; do
		mf-store append -d m/d want.$job
		mf-store select -d m/d "{job=\"$job\"}" >again.$job 2>>said ||
		    [ $? = 1 ]
	done
	mf-store check --repair -d m/d >>check 2>&1
	mf-store check -d m/d
	[ -z "$compact" ] || mf-store compact --seal -d m/d
	mf-store delete -d m/d '{job="none"}'
	for job in a b; do
		mf-store select -d m/d "{job=\"$job\"}" | cmp - again.$job
	done
	umount m
}
export -f feed look

# samples: of a stream, in an order of their own.  Where a series' name was
# lost its sample comes again by itself, in a batch with the rest's comments.
samples() { grep -v '^# ' | sort; }

# cut N [-S]: mount, write for a while, copy, mount the copy.
cut() {
	local n=$1 sync=${2:-} job last p wait

	rm -f stop ack.* synced* got.* in.* said
	: >ack.a
	: >ack.b
	cp --sparse=always empty disk
	on disk -- feed "$sync" 3>&- &
	p=$!
	[ -n "$sync" ] || until_ok 20 test -e synced
	until_ok 20 test -s ack.a
	until_ok 20 test -s ack.b
	wait=$((RANDOM % 400))
	sleep "$(printf '0.%03d' $wait)"
	for job in a b; do
		cp ack.$job then.$job
		[ -n "$sync" ] || cp synced.$job then.$job
	done
	cp --sparse=always disk copy
	touch stop
	wait $p
	last=$(cat ack.a ack.b | sort -n | tail -n 1)
	for job in a b; do stream $job 0 $((last + 2)) >want.$job; done
	boot=$(printf '%08d-1111-2222-3333-444444444444' "$n") on copy -- look
	for job in a b; do
		# Whole batches, each once; all that had to be there.
		batches_of want.$job <got.$job
		last=$(tail -n 1 then.$job)
		stream $job 0 $((last + 1)) >must
		batches_of got.$job <must
		# And again: all is there then, no sample twice.
		samples <want.$job >all
		samples <again.$job | cmp - all
		echo "# cut $n$sync: $job: $((last + 1)) must be there," \
		    "$(grep -c '^# EOF' got.$job) are, check $(cat check.rc)" >&3
	done
	# check is content, or says what is not there.
	[ "$(cat check.rc)" -le 1 ]
	[ "$(cat check.rc)" = 0 ] || [ -s check ]
	# Who reads is told what check tells.
	[ ! -s said ] || [ "$(cat check.rc)" = 1 ]
}

power_cuts() {
	need_disks
	RANDOM=${MF_SEED:-1}
	truncate -s 48M empty
	mkfs.ext4 -q -F empty
	can_compact && export compact=1 || export compact=
	for ((i = 0; i < ${MF_CUTS:-$((step > 1 ? 2 : 5))}; i++)); do
		cut $i "$@"
	done
}

@test "power cuts: with -S all that was told to be there is there" {
	power_cuts -S
}

@test "power cuts: without, what was synced, and no batch in part" {
	power_cuts
}

# Fills a disk of 8 MB by one append after the other, then room is made.
fill() {
	local k rc=0

	# What may be given back.
	head -c 1000000 /dev/urandom >m/ballast
	mf-store append -d m/d base
	[ -z "$compact" ] || {
		mf-store compact --seal -d m/d
		mf-store append -d m/d more
	}
	cat base more 2>/dev/null >all
	for ((k = 1000; k < 100000; k += 100)); do
		stream b $k 100 >next
		mf-store append -d m/d next 2>err || rc=$?
		[ $rc = 0 ] || break
		cat next >>all.b
	done
	[ $rc = 1 ]
	grep 'No space left' err
	mf-store select -d m/d '{job="a"}' | cmp - all
	# What was told to be there is, of the last piece whole batches.
	mf-store select -d m/d '{job="b"}' >got
	head -c "$(stat -c %s all.b)" got | cmp - all.b
	cat all.b next >all.next
	batches_of all.next <got
	mf-store series -d m/d '{job="a"}' | grep -c .
	[ -z "$compact" ] || {
		# No room to seal: it fails and says so, and nothing is lost.
		rc=0
		mf-store compact --seal -d m/d 2>err || rc=$?
		cat err
		[ $rc = 1 ]
		grep 'No space left' err
		mf-store select -d m/d '{job="a"}' | cmp - all
		mf-store select -d m/d '{job="b"}' | cmp - got
	}
	rm m/ballast
	mf-store append -d m/d next
	mf-store select -d m/d '{job="b"}' | cmp - all.next
	[ -z "$compact" ] || mf-store compact --seal -d m/d
	mf-store select -d m/d '{job="a"}' | cmp - all
	mf-store select -d m/d '{job="b"}' | cmp - all.next
	mf-store check -d m/d
	umount m
}
export -f fill

@test "a disk fills up, in an append and in a compaction" {
	need_disks
	can_compact && export compact=1 || export compact=
	truncate -s 8M disk
	mkfs.ext4 -q -F -m 0 disk
	stream a 0 40 >base
	stream a 40 20 >more
	: >all.b
	on disk -- fill
}

# Room for less and less of a batch whose thousands of series are new: it is
# there, or not and that is said; nothing is killed by a page without room.
squeeze() {
	local room rc=0 failed=0

	awk 'BEGIN {
		print "# BATCH {job=\"n\"} 1637600000000"
		for (i = 0; i < 2000; i++)
			printf "n%d{job=\"n\"} %d 1637600000000\n", i, i
		print "# EOF"
	}' >many
	for ((room = 0; room <= 260; room += 13)); do
		rm -rf m/*
		mf-store append -d m/d base
		dd if=/dev/zero of=m/ballast bs=64k status=none 2>/dev/null || :
		dd if=/dev/zero of=m/more bs=1k status=none 2>/dev/null || :
		truncate -s -${room}k m/ballast
		rc=0
		mf-store append -d m/d many 2>err || rc=$?
		echo "$room KB: status $rc: $(cat err)"
		mf-store select -d m/d '{job="n"}' >got
		case $rc in
		0)	cmp got many ;;
		1)	[ -s err ]
			[ ! -s got ]
			failed=$((failed + 1)) ;;
		*)	exit 1 ;;
		esac
		mf-store select -d m/d '{job="a"}' | cmp - base
		rm m/ballast
		mf-store append -d m/d many
		mf-store select -d m/d '{job="n"}' | cmp - many
		mf-store check -d m/d
	done
	[ $failed -ge 5 ]
	[ $rc = 0 ]
	umount m
}
export -f squeeze

@test "a disk that has room for a part of a batch" {
	need_disks
	truncate -s 8M disk
	mkfs.ext4 -q -F -m 0 disk
	stream a 0 5 >base
	on disk -- squeeze
}

# Every way to read, of a store that can't be written to.
readable() {
	mf-store select -d "$1" | cmp - want
	[ "$(mf-store series -d "$1" 'm1')" = 'm1{job="a"}' ]
	mf-store labels -d "$1" | grep -qx job
	mf-store values -d "$1" job | grep -qx a
	mf-store info -d "$1" | grep -qx 'batches 60'
	mf-store check -d "$1"
	mf-store export -d "$1" --tsdb blocks
	mf-eval -d "$1" --now 1637582400 m1 | grep -q "^m1{"
	mf-serve -l 127.0.0.1:0 -d "$1" 2>serve.err </dev/null 3>&- &
	p=$!
	trap 'kill $p 2>/dev/null || :' EXIT
	until grep -q 'listening on' serve.err; do sleep 0.05; done
	a=$(sed -n 's/^.*listening on //p' serve.err)
	curl -sf "http://$a/api/v1/query?query=m1&time=1637582400" |
	    grep -q '"value":\[1637582400,"1"\]'
	kill $p
	wait $p || :
	# And it says why nothing comes into it.
	rc=0
	stream a 100 1 | mf-store append -d "$1" 2>err || rc=$?
	[ $rc = 1 ]
	grep -Ei 'read-only|denied' err
	[ -z "$compact" ] || {
		rc=0
		mf-store compact --seal -d "$1" 2>err || rc=$?
		[ $rc = 1 ]
		grep -Ei 'read-only|denied' err
	}
	umount m 2>/dev/null || :
}
export -f readable

@test "a store on a disk mounted read-only" {
	need_disks
	can_compact && export compact=1 || export compact=
	stream a 0 60 >want
	truncate -s 16M disk
	mkfs.ext4 -q -F disk
	on disk -- sh -c 'head -n 400 want | mf-store append -d m/d 2>/dev/null
		[ -z "$compact" ] || mf-store compact --seal -d m/d
		mf-store append -d m/d want; umount m'
	on disk ro -- readable m/d
}

@test "a store of someone else" {
	can_compact && export compact=1 || export compact=
	stream a 0 60 >want
	mf-store append -d d want
	chmod -R a-w,a+rX d
	if [ "$(id -u)" = 0 ]; then
		chmod 755 "$BATS_RUN_TMPDIR" 2>/dev/null || :
		mkdir work
		chmod 777 work
		cp want work
		cd work
		# Not all that lies above may be open to others.
		setpriv --reuid 65534 --clear-groups test -r ../d/store/format ||
		    skip "$PWD cannot be seen by others"
		setpriv --reuid 65534 --clear-groups bash -ec 'readable ../d'
	else
		readable d
	fi
}
