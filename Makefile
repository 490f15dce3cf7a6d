# mf - monitoring flow: scrape, store, rule, alert, graph as small Unix tools.
# GNU make; one file, no recursion but into itself, no configure.
#
#	make		build/mf-*		make check	install, build, test
#	make demo	the whole flow, live	make lint	all checkers
#	make bench	speed of parts		make SAN=1 ...	asan + ubsan
#	make fuzz	FUZZ_S=20 each		make soak	SOAK_S=600
#	make peers	build/peers/*		make conformance CORPUS=DIR
#	make install	DESTDIR, PREFIX		make uninstall

VERSION	= 0.1.0
PREFIX	= /usr/local
BINDIR	= $(PREFIX)/bin
MANDIR	= $(PREFIX)/share/man
BASHDIR	= $(PREFIX)/share/bash-completion/completions
ZSHDIR	= $(PREFIX)/share/zsh/site-functions
FISHDIR	= $(PREFIX)/share/fish/vendor_completions.d
UNITDIR	= $(PREFIX)/lib/systemd/system
PKGS	= libbsd-overlay libmd yaml-0.1 jansson libzstd zlib

# CFLAGS, CPPFLAGS and LDFLAGS are the user's; what the code needs is below.
CFLAGS	= -O2 -g
PKGC	:= $(shell pkg-config --cflags $(PKGS) libcurl libcrypto libmicrohttpd libcares 2>/dev/null)
PKGL	:= $(shell pkg-config --libs $(PKGS) 2>/dev/null)
# The two or three functions of libbsd and libmd that a tool has go into it:
# as shared libraries they would cost 0.15 ms of every start.
INTO	= $(wildcard $(shell $(CC) -print-file-name=lib$1.a))
PKGL	:= $(foreach l,$(PKGL),$(or $(if $(filter -lbsd -lmd,$l),\
	    $(call INTO,$(l:-l%=%))),$l))
LANG_C	= -std=c17 -D_GNU_SOURCE -Ilib -Icmd -DVERSION='"$(VERSION)"' $(PKGC)
LINK	= -pie -Wl,-z,relro,-z,now -Wl,--as-needed
LDLIBS	= $(PKGL) -lcrypt -lm

WARN	= -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow \
	  -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	  -Wwrite-strings -Wcast-qual -Wundef -Wvla -Wformat=2 -Wswitch-enum
HARD	= -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	  -fstack-clash-protection -fPIE
B	= build
ifdef SAN
B	= build-san
CFLAGS	= -O1 -g
HARD	= -fsanitize=address,undefined -fno-sanitize-recover=all \
	  -fno-omit-frame-pointer
LINK	= -fsanitize=address,undefined
endif
ifdef FUZZING
B	= build-fuzz
CC	= clang
CFLAGS	= -O1 -g
HARD	= -fsanitize=fuzzer-no-link,address,undefined \
	  -fno-sanitize-recover=all
LINK	= -fsanitize=fuzzer,address,undefined
endif

# The folders of lib; name fewer to build a part of the house alone.
DIRS	= base metric net wire promql tmpl scrape store rule notify plot serve
LIBC	= $(wildcard $(DIRS:%=lib/%/*.c))
TOOLS	= $(patsubst cmd/%.c,$B/%,$(wildcard cmd/mf-*.c))
UNIT	= $(patsubst tests/%.c,$B/%,$(wildcard tests/unit/*.c))
BENCH	= $(patsubst tests/%.c,$B/%,$(wildcard tests/bench/*.c))
FUZZ	= $(patsubst tests/%.c,$B/%,$(wildcard tests/fuzz/*.c))
# What takes longest begins first, so that at the end nobody waits for it.
LONG	= $(wildcard $(patsubst %,tests/%.bats,mf-store-kill mf-store-faults \
	    mf-store-damage mf-scrape-life mf-scrape-discovery peers-scrape \
	    peers-relabel demo mf-scrape-faults mf-store mf-store-disk \
	    mf-scrape-hostile peers mf-scrape-auth))
BATS	= $(LONG) $(filter-out $(LONG),$(wildcard tests/*.bats))

# cmd/x_*.c are subcommands of mf-x; the other files of cmd serve all tools.
TOOLW	= $(patsubst cmd/mf-%.c,%,$(wildcard cmd/mf-*.c))
SUBS	= $(foreach t,$(TOOLW),$(wildcard cmd/$t_*.c))
CMDC	= $(filter-out $(SUBS) $(wildcard cmd/mf-*.c),$(wildcard cmd/*.c))

all: $(TOOLS)

.SECONDEXPANSION:
$(TOOLS): $B/mf-%: $B/cmd/mf-%.o \
    $$(addprefix $B/,$$(addsuffix .o,$$(basename $$(wildcard cmd/$$*_*.c)))) \
    $B/libcmd.a $B/libmf.a
	$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$B/mf-serve $B/unit/net-httpd: LDLIBS += -lmicrohttpd
$B/mf-scrape $(UNIT) $(BENCH) $(FUZZ): LDLIBS += -lcares
$(UNIT) $(BENCH) $(FUZZ): $B/%: $B/tests/%.o $B/libmf.a
	@mkdir -p $(@D)
	$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$B/libmf.a: $(LIBC:%.c=$B/%.o)
	@rm -f $@
	$(AR) rcs $@ $^
$B/libcmd.a: $(CMDC:%.c=$B/%.o)
	@rm -f $@
	$(AR) rcs $@ $^
$B/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(LANG_C) $(WARN) $(HARD) -MMD -MP $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# Fuzzers: clang, everything they reach instrumented, in a build of their own.
# FUZZ_SEED other than 0 begins from the same number every time, as CI does.
FUZZ_S	= 20
FUZZ_SEED = 0
fuzz:
	@$(MAKE) --no-print-directory FUZZING=1 fuzz-run
fuzz-run: $(FUZZ)
	@printf '%s\n' $(notdir $(FUZZ)) | xargs -P2 -I@ \
	    sh tests/fuzz-one.sh $B @ $(FUZZ_S) $(FUZZ_SEED)

# Many tests wait more than they work: three at once for two cores.  One that
# hangs is ended after TEST_S seconds, and has failed.
TEST_S	= 400

# check and demo may begin on a bare machine: they install what is missing,
# then start over, so that pkg-config is asked again.
check: deps
	@$(MAKE) --no-print-directory check-run
check-run: all $(UNIT)
	PATH="$(CURDIR)/$B:$$PATH" MF_BUILD="$(CURDIR)/$B" \
	    BATS_TEST_TIMEOUT=$(TEST_S) prove -j3 -e '' $(BATS) $(UNIT)
demo: deps
	@$(MAKE) --no-print-directory all
	@PATH="$(CURDIR)/$B:$$PATH" sh tests/demo.sh
deps:
	@sh tests/deps.sh
bench: $(BENCH)
	@for b in $(BENCH); do $$b || exit 1; done
peers:
	sh tests/peers.sh $(B)/peers
soak: all
	PATH="$(CURDIR)/$B:$$PATH" sh tests/soak.sh
	PATH="$(CURDIR)/$B:$$PATH" MF_PEERS_S=$${SOAK_S:-600} \
	    bats tests/peers-scrape.bats
CORPUS	= ../shared/conformance
conformance: all $(patsubst tests/%.c,$B/%,$(wildcard tests/conform/*.c))
	PATH="$(CURDIR)/$B:$$PATH" MF_BUILD="$(CURDIR)/$B" \
	    CORPUS="$(abspath $(CORPUS))" prove -e '' tests/conform/*.bats
	@cat $B/conform/*.note 2>/dev/null || :
$(patsubst tests/%.c,$B/%,$(wildcard tests/conform/*.c)): $B/%: $B/tests/%.o $B/libmf.a
	@mkdir -p $(@D)
	$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(LDLIBS)

LINTF	= $(filter-out -DVERSION=%,$(LANG_C)) -DVERSION=\"$(VERSION)\"
LINTC	= $(wildcard lib/*/*.c cmd/*.c)
# As far as the analyzer goes into one function: a third of its own 225,000
# takes half of the time.
TIDYF	= -Xclang -analyzer-config -Xclang max-nodes=75000
lint: all
	sh tests/layers.sh
	@size -A $B/libmf.a | awk '/:$$/ { f = $$1 } \
	    /^\.(data|bss)/ && !/^\.data\.rel\.ro/ && $$2 { print f, "has globals"; r = 1 } \
	    END { exit r }'
	mandoc -Tlint -Wwarning man/*.[157]
	shellcheck tests/*.sh .ci/run
	cppcheck -q --std=c11 --enable=warning,portability --error-exitcode=1 \
	    --inline-suppr --suppressions-list=tests/cppcheck -Ilib -Icmd -j2 lib cmd
	clang-format --dry-run -Werror lib/*/*.[ch] cmd/*.[ch] tests/*/*.[ch]
	printf '%s\n' $(LINTC) | xargs -P2 -n4 sh -c \
	    'clang-tidy --quiet "$$@" -- $(LINTF) $(TIDYF) 2>/dev/null' sh
	sh tests/completions.sh

COMPL	= completions/mf.bash completions/_mf completions/mf.fish
completions: $(COMPL)
completions/mf.bash: SHELLNAME = bash
completions/_mf: SHELLNAME = zsh
completions/mf.fish: SHELLNAME = fish
$(COMPL): completions/gen.awk $(wildcard man/mf-*.1)
	awk -v shell=$(SHELLNAME) -f completions/gen.awk man/mf-*.1 >$@

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 \
	    $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7 \
	    $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR) \
	    $(DESTDIR)$(UNITDIR)
	install -m755 $(TOOLS) $(DESTDIR)$(BINDIR)
	for s in 1 5 7; do for f in man/*.$$s; do [ ! -e $$f ] || \
	    install -m644 $$f $(DESTDIR)$(MANDIR)/man$$s || exit 1; done; done
	for t in $(notdir $(TOOLS)); do \
	    install -m644 completions/mf.bash $(DESTDIR)$(BASHDIR)/$$t || exit 1; \
	    install -m644 completions/mf.fish $(DESTDIR)$(FISHDIR)/$$t.fish || exit 1; done
	install -m644 completions/_mf $(DESTDIR)$(ZSHDIR)/_mf
	for f in cmd/*.service cmd/*.timer; do sed 's,/usr/local/bin,$(BINDIR),g' $$f \
	    >$(DESTDIR)$(UNITDIR)/$${f##*/} || exit 1; done
uninstall:
	cd $(DESTDIR)$(BINDIR) && rm -f $(notdir $(TOOLS))
	cd $(DESTDIR)$(MANDIR) && rm -f $(foreach s,1 5 7,$(patsubst man/%,man$s/%,$(wildcard man/*.$s)))
	rm -f $(foreach t,$(notdir $(TOOLS)),$(DESTDIR)$(BASHDIR)/$t $(DESTDIR)$(FISHDIR)/$t.fish)
	rm -f $(DESTDIR)$(ZSHDIR)/_mf
	cd $(DESTDIR)$(UNITDIR) && rm -f $(notdir $(wildcard cmd/*.service cmd/*.timer))
clean:
	rm -rf build build-san build-fuzz build-clang

.PHONY: all check check-run demo deps bench fuzz fuzz-run soak peers conformance lint \
	completions install uninstall clean
.DELETE_ON_ERROR:
.SECONDARY:
-include $(shell find $B -name peers -prune -o -name '*.d' -type f -print 2>/dev/null)
