# Outpost - targets
#
#   make               build everything for release (build/release/)
#   make demo          build, start broker, devices, office and city; show events arriving.
#                      DURATION=20 ends by itself after 20 s, without it Ctrl-C ends it
#   make test          unit (small bounds), lua-test, sim (2,000 seeds) and its mutants, stories and
#                      the quick faults (release programs)
#   make unit          only the C unit tests          make lua-test   only the Lua and plugin tests
#   make stories       only the end-to-end tests      make asan       unit tests under ASan and UBSan
#   make sim           the simulation of sync under SEEDS (default 10000) fault schedules;
#                      SEED=12345 replays that one, step by step; SIM_FLAVOUR=asan|release
#   make sim-mutants   engines broken on purpose, each of which the simulation must catch
#   make faults        break things on purpose (kills, syscalls, network, brokers); about an hour
#   make faults-long   the same and what takes longer (brokers that lie for 10 minutes, 20 kills of one)
#   make fuzz          every fuzzer for SECONDS (default 20) each
#   make bench         ratios against a limit in the same run; writes tests/bench/RESULTS.md
#   make bench-peers   one outage through Outpost, a mosquitto bridge and Node-RED; tests/bench/PEERS.md
#   make lint          format, walls between rooms, names, sizes, luacheck
#   make check         lint + test + asan, with gcc and with clang
#   make format        reformat the C sources in place
#   make docs          write what is generated: tables in the plugins' READMEs, docs/asyncapi.yaml,
#                      docs/schemas; check the manual pages
#   make docs-check    the same, only looking; AsyncAPI's own parser reads the result (npm)
#   make install       DESTDIR= PREFIX=/usr/local
#   make packages      install the Debian packages of etc/packages.debian
#   make clean         remove build/
#   make help          this text
#
# Every target that tests or shows something first installs the packages that are missing.
#
# Variables: CC=gcc|clang and FLAVOUR=release|test|asan|fuzz; each pair has its own folder under
# BUILD: build/test for gcc, build/test-clang for clang. STORY_FLAVOUR chooses the programs that
# demo, stories and faults run (release, as shipped; test and asan work too). V=1 shows commands.

CC       ?= gcc
ifeq ($(origin CC),default)
CC       := gcc
endif
FLAVOUR  ?= release
PREFIX   ?= /usr/local
DESTDIR  ?=
DURATION ?=
SECONDS  ?= 20
SEEDS    ?= 10000
SEED     ?=
STORY_FLAVOUR ?= release
VERSION  := 0.1.0
COMMA    := ,
JOBS     := $(shell nproc)

.DEFAULT_GOAL := all
BUILD ?= build
OUT   := $(BUILD)/$(FLAVOUR)$(if $(findstring clang,$(CC)),-clang)
LIBEXEC = $(PREFIX)/libexec/outpost
SHARE   = $(PREFIX)/share/outpost

# ---- Rooms: base, wire, proof and mqtt are libraries; each other room is one program of its own.
# Only the rooms that say so in NEEDS_ link mqtt; rehearse is the host in an office of doubles.
FLOOR    := base wire proof mqtt
PROGRAMS := keeper host rehearse uplink courier city cli
ROOMS    := $(FLOOR) $(PROGRAMS)

PKG_base   := libevent_core libcjson
PKG_wire   :=
PKG_proof  := libcrypto libzstd
PKG_keeper := sqlite3
PKG_host   := lua5.4 libmodbus libseccomp
PKG_rehearse := lua5.4
PKG_mqtt   := libmosquitto libssl libcrypto
PKG_uplink :=
PKG_courier := libcurl libssl
PKG_city   := sqlite3
PKG_cli    := sqlite3
PKG_bench  := lua5.4-cjson

# Annexes: what a plugin may need that brings a big library, as a shared object beside the program
# that loads it and in which it finds the rest of the room.
ANNEXES_host := http serve
ANNEX_http   := $(addprefix bind/,bind_http bind_stream bind_form bind_ftp bind_ftpstream patience) \
                $(addprefix web/,transfer transfer_fault challenge wires multipart headers) \
                $(addprefix files/,fetch fetch_sockets listing) \
                tap/ftptap
ANNEX_serve  := bind/bind_serve \
                $(addprefix web/,visit server serveurl cidr)
PKG_http     := libcurl
PKG_serve    := libmicrohttpd
EXPORT_host  := -rdynamic -Wl,-u,random_bytes,-u,webtap_head # what only an annex calls

LIBS_host := -lm
# Its files of the names loop, log, fieldbus ... stand in for those of base and host; its clock too.
# Linked whole, in front of the others: so the linker takes them, and complains where both would be.
LIBS_rehearse := -Wl,--wrap=now_mono_us,--wrap=now_utc_us
WHOLE := rehearse

NEEDS_rehearse := host
NEEDS_uplink := mqtt
NEEDS_city   := mqtt

BIN_keeper := libexec/outpost/keeper
BIN_host   := libexec/outpost/host
BIN_rehearse := libexec/outpost/rehearse
BIN_uplink := libexec/outpost/uplink
BIN_courier := libexec/outpost/courier
BIN_city   := bin/outpost-city
BIN_cli    := bin/outpost

# ---- Flags. Hardening as in the OpenSSF guide for C, as far as gcc 12 and clang 14 know it.
WARN  := -Wall -Wextra -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
         -Wvla -Wformat=2 -Wimplicit-fallthrough -Werror
ifneq (,$(findstring clang,$(CC)))
WARN  += -Wno-string-concatenation # tables hold texts of two lines
endif
HARD  := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
         -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing -fPIE
ifeq ($(shell uname -m),x86_64)
HARD  += -fcf-protection=full
else
HARD  += -mbranch-protection=standard
endif
ifneq (,$(findstring gcc,$(CC)))
HARD  += -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr
endif
HARDLINK := -pie -Wl,-z,relro,-z,now,-z,noexecstack

CFLAGS_release := $(HARD) -g
LINK_release   := $(HARDLINK)
CFLAGS_test    := -O1 -g -DSMALL_BOUNDS
LINK_test      :=
CFLAGS_asan    := -O1 -g -DSMALL_BOUNDS -fsanitize=address,undefined -fno-sanitize-recover=all \
                  -fno-omit-frame-pointer
LINK_asan      := -fsanitize=address,undefined
CFLAGS_sim     := -O2 -g -DSMALL_BOUNDS
LINK_sim       :=
CFLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LINK_fuzz      := -fsanitize=fuzzer,address,undefined
ifeq ($(FLAVOUR),fuzz)
override CC := clang
endif

CPPFLAGS += -Icore -D_GNU_SOURCE -DOUTPOST_VERSION='"$(VERSION)"' -DOUTPOST_PREFIX='"$(PREFIX)"'
CFLAGS   += -std=c11 $(WARN) $(CFLAGS_$(FLAVOUR)) -MMD -MP
cflags_of = $(if $(strip $(PKG_$(1))),$(shell pkg-config --cflags $(PKG_$(1)) 2>/dev/null))
libs_of   = $(foreach r,$(1),$(if $(strip $(PKG_$(r))),$(shell pkg-config --libs $(PKG_$(r)) 2>/dev/null)) $(LIBS_$(r)))
archives  = $(foreach r,$(1),$(OUT)/lib/lib$(r).a)
whole_of  = $(patsubst %,-Wl$(COMMA)--whole-archive $(OUT)/lib/lib%.a -Wl$(COMMA)--no-whole-archive,$(filter $(WHOLE),$(1)))

# A room's archive: everything but main.c, also of the room's parts. A program: main.c, its archive and
# the ground floor.
sources_of = $(filter-out core/$(1)/main.c,$(wildcard core/$(1)/*.c core/$(1)/*/*.c))
define room
$(OUT)/lib/lib$(1).a: $(patsubst %.c,$(OUT)/%.o,$(call sources_of,$(1)))
	@mkdir -p $$(@D) && rm -f $$@
	$$(QUIET)ar rcs $$@ $$^
$(OUT)/core/$(1)/%.o: CFLAGS += $(call cflags_of,$(1))
$(OUT)/tests/core/$(1)/%.o: CFLAGS += -Itests/core $(call cflags_of,$(1))
endef
$(foreach r,$(ROOMS),$(eval $(call room,$(r))))

define program
$(OUT)/$(BIN_$(1)): $(OUT)/core/$(1)/main.o $(call archives,$(1) $(NEEDS_$(1)) proof wire base)
	@mkdir -p $$(@D)
	$$(say) LINK $$@
	$$(QUIET)$$(CC) -o $$@ $(OUT)/core/$(1)/main.o $(call whole_of,$(1)) $(call archives,$(1) $(NEEDS_$(1)) proof wire base) \
	  -Wl,--as-needed $(call libs_of,$(1) $(NEEDS_$(1)) proof wire base) $(EXPORT_$(1)) $$(LINK_$$(FLAVOUR))
endef
BUILT := $(foreach p,$(PROGRAMS),$(if $(wildcard core/$(p)/main.c),$(p)))
$(foreach p,$(BUILT),$(eval $(call program,$(p))))

annex_file = libexec/outpost/$(1)-$(2).so
define annex
$(patsubst %,$(OUT)/core/$(1)/%.o,$(ANNEX_$(2))): CFLAGS += -fPIC $(call cflags_of,$(2))
$(OUT)/$(call annex_file,$(1),$(2)): $(patsubst %,$(OUT)/core/$(1)/%.o,$(ANNEX_$(2)))
	@mkdir -p $$(@D)
	$$(say) LINK $$@
	$$(QUIET)$$(CC) -shared -o $$@ $$^ -Wl,--as-needed $(call libs_of,$(2)) \
	  $$(filter-out -pie,$$(LINK_$$(FLAVOUR)))
endef
$(foreach p,$(BUILT),$(foreach m,$(ANNEXES_$(p)),$(eval $(call annex,$(p),$(m)))))
ANNEX_FILES := $(foreach p,$(BUILT),$(foreach m,$(ANNEXES_$(p)),$(call annex_file,$(p),$(m))))

# How old this is at least: a clock that shows less is not set (base/now.c). The day of the commit, or
# SOURCE_DATE_EPOCH, so that the same sources give the same bytes; now.c is compiled anew on a new day.
BUILT_AT := $(or $(SOURCE_DATE_EPOCH),$(shell day=$$(git log -1 --format=%ct 2>/dev/null) && \
              [ -n "$$day" ] && echo $$((day / 86400 * 86400))))
$(OUT)/core/base/now.o: CPPFLAGS += $(if $(BUILT_AT),-DOUTPOST_BUILT=$(BUILT_AT))
$(OUT)/core/base/now.o: $(OUT)/built-at
$(OUT)/built-at: again
	@mkdir -p $(@D)
	@echo '$(BUILT_AT)' | cmp -s - $@ || echo '$(BUILT_AT)' >$@
.PHONY: again
PROGRAM_FILES := $(foreach p,$(BUILT),$(OUT)/$(BIN_$(p))) $(addprefix $(OUT)/,$(ANNEX_FILES))

QUIET := $(if $(V),,@)
say   := @echo " "

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(QUIET)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

.PHONY: all
SHARED_FOLDERS := $(foreach f,plugins lua etc,$(OUT)/share/outpost/$f)
all: $(PROGRAM_FILES) $(SHARED_FOLDERS)

# plugins/, lua/ and etc/ are used in place: the build tree looks like an installed one.
$(SHARED_FOLDERS):
	@mkdir -p $(@D)
	@ln -sfn $(CURDIR)/$(@F) $@

# ---- Unit tests mirror the tree: tests/core/ROOM/PART/FILE_test.c tests core/ROOM/PART/FILE.c.
UNIT_SOURCES := $(wildcard tests/core/*/*_test.c tests/core/*/*/*_test.c)
UNIT_PROGRAMS := $(patsubst %.c,$(OUT)/%,$(UNIT_SOURCES))
define unit
$(OUT)/tests/core/$(1)/%_test: $(OUT)/tests/core/$(1)/%_test.o $(call archives,$(1) $(NEEDS_$(1)) proof wire base)
	@mkdir -p $$(@D)
	$$(say) LINK $$@
	$$(QUIET)$$(CC) -o $$@ $$< $(call whole_of,$(1)) $(call archives,$(1) $(NEEDS_$(1)) proof wire base) \
	  $(call libs_of,$(1) $(NEEDS_$(1)) $(ANNEXES_$(1)) proof wire base) -lcmocka $$(LINK_$$(FLAVOUR))
endef
$(foreach r,$(ROOMS),$(eval $(call unit,$(r))))

# ---- Fuzzers: tests/fuzz/ROOM/FILE_fuzz.c feeds the parser of that name in core/ROOM.
FUZZ_SOURCES := $(wildcard tests/fuzz/*/*_fuzz.c)
FUZZ_PROGRAMS := $(patsubst %.c,$(OUT)/%,$(FUZZ_SOURCES))
define fuzz
$(OUT)/tests/fuzz/$(1)/%_fuzz: $(OUT)/tests/fuzz/$(1)/%_fuzz.o $(call archives,$(1) $(NEEDS_$(1)) proof wire base)
	@mkdir -p $$(@D)
	$$(say) LINK $$@
	$$(QUIET)$$(CC) -o $$@ $$< $(call archives,$(1) $(NEEDS_$(1)) proof wire base) \
	  $(call libs_of,$(1) $(NEEDS_$(1)) proof wire base) $$(LINK_$$(FLAVOUR))
$(OUT)/tests/fuzz/$(1)/%.o: CFLAGS += $(call cflags_of,$(1))
endef
$(foreach r,$(ROOMS),$(eval $(call fuzz,$(r))))
.SECONDARY:

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)

# ---- Targets that test or show something: install what is missing, then make run-TARGET anew in
# the flavour it needs. Anew, because pkg-config is asked while the Makefile is read.
FLAVOUR_unit    := test
FLAVOUR_asan    := asan
FLAVOUR_fuzz    := fuzz
FLAVOUR_demo    := $(STORY_FLAVOUR)
FLAVOUR_stories := $(STORY_FLAVOUR)
SIM_FLAVOUR ?= sim
FLAVOUR_sim     := $(SIM_FLAVOUR)
FLAVOUR_sim-mutants := sim
FLAVOUR_quick   := $(STORY_FLAVOUR)
FLAVOUR_faults  := $(STORY_FLAVOUR)
FLAVOUR_faults-long := $(STORY_FLAVOUR)
TESTING := demo unit asan sim sim-mutants lua-test stories quick faults faults-long fuzz bench bench-peers lint docs docs-check
PYTEST  := OUTPOST_BUILD=$(abspath $(OUT)) /usr/bin/python3 -B -m pytest -q -p no:cacheprovider

define testing
.PHONY: $(1) run-$(1)
$(1):
	@etc/packages.sh
	@$$(MAKE) --no-print-directory -j$$(JOBS) FLAVOUR=$(or $(FLAVOUR_$(1)),release) run-$(1)
endef
$(foreach t,$(TESTING),$(eval $(call testing,$(t))))

run-demo: all
	@OUTPOST_BUILD=$(abspath $(OUT)) tests/sim/demo.py $(if $(DURATION),--duration $(DURATION))

run-unit run-asan: $(UNIT_PROGRAMS)
	@tests/unit.py $(FLAVOUR) $(UNIT_PROGRAMS)

# What fails on the disk must leak nothing either.
run-asan: asan-nth
.PHONY: asan-nth
asan-nth: $(OUT)/tests/faults/powercut/nth
	@$< --step 41

run-lua-test: all
	@OUTPOST_BUILD=$(abspath $(OUT)) tests/lua.sh

run-stories: all
	@OUTPOST_BUILD=$(abspath $(OUT)) tests/together.py stories tests/stories

# quick: the part of the faults that make test has time for.
run-quick: all powercut hostile $(OUT)/tests/bench/flood
	@OUTPOST_BUILD=$(abspath $(OUT)) tests/together.py quick tests/faults -m "not slow and not long"

run-faults: all powercut hostile $(OUT)/tests/bench/flood
	@$(PYTEST) -s -m "not long" tests/faults

run-faults-long: all powercut hostile $(OUT)/tests/bench/flood
	@$(PYTEST) -s tests/faults

# powercut: programs that cut the power under a room's own libraries.
POWERCUT := keeper city blobs
POWERCUT_PARTS := trace disk sweep
POWERCUT_PARTS_keeper := office ledger inspect
POWERCUT_PARTS_blobs := office ledger book
POWERCUT_ROOM_blobs := keeper
POWERCUT_WRAPS_blobs := -Wl,--wrap=scribe_write
POWERCUT_OBJECTS := $(foreach p,$(POWERCUT_PARTS),$(OUT)/tests/faults/powercut/$(p).o)
define powercut
$(OUT)/tests/faults/powercut/$(1): $(OUT)/tests/faults/powercut/$(1)_powercut.o $(POWERCUT_OBJECTS) \
  $(foreach p,$(POWERCUT_PARTS_$(1)),$(OUT)/tests/faults/powercut/$(p).o) \
  $(call archives,$(or $(POWERCUT_ROOM_$(1)),$(1)) $(NEEDS_$(1)) proof wire base)
	$$(say) LINK $$@
	$$(QUIET)$$(CC) -o $$@ $$^ $(POWERCUT_WRAPS_$(1)) \
	  $(call libs_of,$(or $(POWERCUT_ROOM_$(1)),$(1)) $(NEEDS_$(1)) proof wire base) -ldl $$(LINK_$$(FLAVOUR))
endef
$(foreach r,$(POWERCUT),$(eval $(call powercut,$(r))))
$(OUT)/tests/faults/powercut/%.o: CFLAGS += $(call cflags_of,keeper)
NTH_PARTS := nth trace disk office ledger inspect $(if $(filter asan,$(FLAVOUR)),,memory)
$(OUT)/tests/faults/powercut/nth: $(foreach p,$(NTH_PARTS),$(OUT)/tests/faults/powercut/$(p).o) \
  $(call archives,keeper proof wire base)
	$(say) LINK $@
	$(QUIET)$(CC) -o $@ $^ -Wl,--wrap=journal_commit $(call libs_of,keeper proof wire base) -ldl \
	  $(LINK_$(FLAVOUR))
.PHONY: powercut
powercut: $(foreach r,$(POWERCUT) nth,$(OUT)/tests/faults/powercut/$(r))

# hostile: native attacks, preloaded into the real host; and a host without its boundary, against which
# they must succeed.
HOSTILE := $(OUT)/tests/faults/hostile
$(HOSTILE)/attacks.so: tests/faults/hostile/attacks.c
	@mkdir -p $(@D)
	$(QUIET)$(CC) -std=c11 -O1 -D_GNU_SOURCE $(WARN) -shared -fPIC -o $@ $<
$(HOSTILE)/host: $(OUT)/core/host/main.o $(HOSTILE)/unconfined.o $(call archives,host proof wire base)
	$(say) LINK $@
	$(QUIET)$(CC) -o $@ $^ -Wl,--as-needed $(call libs_of,host proof wire base) $(EXPORT_host) \
	  $(LINK_$(FLAVOUR))
.PHONY: hostile
hostile: $(HOSTILE)/attacks.so $(HOSTILE)/host

# sim: tests/sim/sync/README.md. Each of the three programs becomes one object that shows only its
# door, because rooms may use the same names; what they touch the world with is linked anew.
SIM_DOORS  := keeper uplink city
SIM_keeper := office disk
SIM_uplink := uplink
SIM_city   := city store shelf
SHOWN_keeper := office_*
SHOWN_uplink := uplink_*
SHOWN_city   := city_* shelf_*
SIM_ALL    := $(patsubst tests/sim/sync/%.c,%,$(wildcard tests/sim/sync/*.c))
SIM_WORLD  := $(filter-out $(foreach d,$(SIM_DOORS),$(SIM_$(d))),$(SIM_ALL))
# A mutant (mutants.py) is one of a room's sources, changed, in the place of the real one.
MUTANT        ?=
MUTANT_ROOM   ?=
MUTANT_SOURCE ?=
SIM_OUT    := $(if $(MUTANT),$(OUT)/mutants/$(MUTANT),$(OUT)/tests/sim/sync)
SIM        := $(SIM_OUT)/sim
sim_objects = $(patsubst %,$(OUT)/tests/sim/sync/%.o,$(1))
$(call sim_objects,$(SIM_ALL)): CFLAGS += -Itests/sim/sync
define sim
$(SIM_OUT)/$(1).room: $(call sim_objects,$(SIM_$(1))) \
  $(if $(filter $(1),$(MUTANT_ROOM)),$(SIM_OUT)/$(MUTANT_SOURCE:.c=.o)) $(call archives,$(1))
	$$(QUIET)$$(CC) -r -nostdlib -o $$@ $$^
	$$(QUIET)objcopy --wildcard $(patsubst %,--keep-global-symbol='%',$(SHOWN_$(1))) $$@
endef
$(foreach d,$(SIM_DOORS),$(eval $(call sim,$(d))))
SIM_ROOMS := $(patsubst %,$(SIM_OUT)/%.room,$(SIM_DOORS))
SIM_PARTS := $(call sim_objects,$(SIM_WORLD)) $(SIM_ROOMS) $(call archives,mqtt proof wire base)
$(SIM): $(SIM_PARTS)
	$(say) LINK $@
	$(QUIET)$(CC) -o $@ $^ -Wl,--wrap=now_mono_us,--wrap=now_utc_us -Wl,--as-needed \
	  $(call libs_of,proof wire base) $(LINK_$(FLAVOUR))

$(OUT)/mutants/%.o: $(OUT)/mutants/%.c
	$(QUIET)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

sim-program: $(SIM)

run-sim: $(SIM)
	@$(SIM) $(if $(SEED),--seed $(SEED),$(SEEDS))

run-sim-mutants: $(SIM)
	@MAKE="$(MAKE) CC=$(CC)" tests/sim/sync/mutants.py $(OUT)/mutants

run-fuzz: $(FUZZ_PROGRAMS)
	@tests/fuzz.sh $(SECONDS) $(FUZZ_PROGRAMS)

# bench: what is measured against, and what loads the keeper.
BENCH := $(patsubst tests/bench/%.c,$(OUT)/tests/bench/%,$(wildcard tests/bench/*.c))
$(OUT)/tests/bench/%: $(OUT)/tests/bench/%.o $(call archives,wire base)
	$(say) LINK $@
	$(QUIET)$(CC) -o $@ $< $(call archives,wire base) $(call libs_of,keeper host mqtt proof base bench) -lssl -ldl \
	  $(LINK_$(FLAVOUR))
$(OUT)/tests/bench/%.o: CFLAGS += $(call cflags_of,keeper) $(call cflags_of,host) $(call cflags_of,mqtt) \
  $(call cflags_of,bench)
$(OUT)/tests/bench/slowdisk: tests/bench/slowdisk.c
	@mkdir -p $(@D)
	$(QUIET)$(CC) -std=c11 -O2 -D_GNU_SOURCE $(WARN) -shared -fPIC -o $@ $< -ldl

run-bench: all powercut $(BENCH)
	@OUTPOST_BUILD=$(abspath $(OUT)) tests/bench/run

# The same outage through Outpost, a mosquitto bridge and Node-RED (from npm); about 8 minutes.
run-bench-peers: all
	@OUTPOST_BUILD=$(abspath $(OUT)) tests/bench/peers/run

run-lint:
	@tests/lint/run

run-docs:
	@lua5.4 docs/generate/main.lua
	@docs/man/check

run-docs-check:
	@lua5.4 docs/generate/main.lua --check
	@docs/man/check
	@docs/check/run $(BUILD)/docs-check

.PHONY: test check
test:
	@bad=; for part in unit lua-test sim sim-mutants stories quick; do \
	  $(MAKE) --no-print-directory SEEDS=2000 $$part || bad="$$bad $$part"; \
	done; [ -z "$$bad" ] || { echo "test: failed:$$bad ($(CC))"; exit 1; }
	@echo "test: all passed ($(CC))"

check: lint
	@for cc in gcc clang; do \
	  $(MAKE) --no-print-directory CC=$$cc test asan || exit 1; \
	done; echo "check: all passed (gcc and clang)"

# ---- Everything else.
.PHONY: format install packages clean help
format:
	@clang-format -i $$(git ls-files '*.c' '*.h')

# What an office needs: programs, the Lua parts and their tests (outpost test, outpost new), configuration,
# manual.
SHARED := $(shell find lua plugins -type f 2>/dev/null)
CONFIG := $(filter-out %README.md etc/systemd/outpost.%,$(wildcard etc/*.lua etc/*/*))
MANUAL := $(notdir $(wildcard docs/man/*.1))
install: all
	@for f in $(foreach p,$(BUILT),$(BIN_$(p))) $(ANNEX_FILES); do \
	  install -D -m 755 $(OUT)/$$f $(DESTDIR)$(PREFIX)/$$f || exit 1; done
	@for f in $(SHARED); do install -D -m 644 $$f $(DESTDIR)$(SHARE)/$$f || exit 1; done
	@for f in $(CONFIG); do install -D -m 644 $$f $(DESTDIR)$(SHARE)/$$f || exit 1; done
	@$(MAKE) --no-print-directory install-manual install-service

# Each command is found by its own name too: man outpost-run.
.PHONY: install-manual
MAN1 = $(DESTDIR)$(PREFIX)/share/man/man1
install-manual:
	@for f in $(MANUAL); do install -D -m 644 docs/man/$$f $(MAN1)/$$f || exit 1; \
	  for command in $$(sed -n 's/^.fBoutpost[^ ]* .fB\([a-z]*\).*/\1/p' docs/man/$$f); do \
	    echo ".so man1/$$f" >$(MAN1)/$${f%.1}-$$command.1; done; done

# The unit names the program by its whole path.
.PHONY: install-service
SYSTEM = $(DESTDIR)$(PREFIX)/lib
install-service:
	@install -d $(SYSTEM)/systemd/system
	@sed 's|@PREFIX@|$(PREFIX)|' etc/systemd/outpost.service >$(SYSTEM)/systemd/system/outpost.service
	@install -D -m 644 etc/systemd/outpost.sysusers $(SYSTEM)/sysusers.d/outpost.conf

packages:
	@etc/packages.sh

clean:
	rm -rf $(BUILD)

help:
	@sed -n '2,/^$$/{s/^# \{0,1\}//p}' Makefile
