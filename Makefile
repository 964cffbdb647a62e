# crawltab. `make run` and `make test` are the two commands that matter; `make help` lists the others.
CC       = gcc
BUILD   ?= build
# The one place of the version is the newest heading of the change log.
VERSION := $(shell sed -n 's/^\#\# \([0-9][^ ]*\).*/\1/p;T;q' tools/deploy/CHANGELOG.md)
PKGS     = libpq libmicrohttpd libcrypto jansson yaml-0.1 libcurl libxml-2.0 icu-i18n zlib libzstd libsystemd
WARNINGS = -Wall -Wextra -Wconversion -Wshadow -Wformat=2 -Wvla -Wwrite-strings -Wcast-qual
HARDEN   = -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2
OPTIMISE = -O2 -g
LINK     = -pie -Wl,-z,relro,-z,now,--as-needed
ifeq ($(SANITIZE),thread)
BUILD    = build-thread
HARDEN   = -fPIE
OPTIMISE = -O1 -g -fno-omit-frame-pointer -fsanitize=thread
LINK     = -pie -Wl,-z,relro,-z,now -fsanitize=thread
else ifdef SANITIZE
BUILD    = build-sanitize
HARDEN   = -fPIE -fstack-protector-strong
OPTIMISE = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
LINK     = -pie -Wl,-z,relro,-z,now -fsanitize=address,undefined
endif
ifdef FUZZ
CC       = clang
override BUILD = build-fuzz
WARNINGS = -Wall -Wextra
HARDEN   = -fPIE
OPTIMISE = -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
           -fno-sanitize-recover=undefined
LINK     = -pie -fsanitize=fuzzer,address,undefined
endif
# Loaded by those who need them: ledger/format/paper/pdf_library.h.
LATER    = pangocairo
# Who verifies Ed25519: OpenSSL, or libsodium, which takes some 0.6 of the time (ED25519=sodium).
ifeq ($(ED25519),sodium)
BUILD   := $(patsubst %-sodium,%,$(BUILD))-sodium
PKGS    += libsodium
CHOSEN   = -DED25519_SODIUM
else
LEFT_OUT = %/ed25519_sodium.o
endif
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) $(LATER) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
CFLAGS   = -std=gnu11 $(WARNINGS) $(OPTIMISE) $(HARDEN) $(CHOSEN) -pthread -I. -I$(BUILD) $(PKG_CFLAGS)
LIBS     = $(PKG_LIBS) -lm -pthread

PROGRAMS = $(BUILD)/crawltabd $(BUILD)/crawltab $(BUILD)/crawler
MADE     = $(BUILD)/ledger/base/version.h \
           $(patsubst sql/statements/%,$(BUILD)/sql/rows/%.h,$(wildcard sql/statements/*))
objects  = $(patsubst %.c,$(BUILD)/%.o,$(sort $(shell find $(1) -name '*.c')))

# What a person calls first installs what is missing, and only then lets a second make look around.
NEEDS    = @tools/dev/install.sh
JOBS     = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 1))
export BUILD

.PHONY: all help run demo test check mutants streaming ed25519 fault fault-front fault-settle fault-mcp \
	test-citus x402-mutations console-pages fuzz lint bench coverage format clean distclean install-deps \
	newcomer libraries tests
all: $(PROGRAMS) ## builds the programs (SANITIZE=1: with ASan and UBSan; SANITIZE=thread: with TSan)

run: ## sets everything up, shows a paid crawl from offer to invoice, and stays up
	$(NEEDS) run
	@$(MAKE) -s $(JOBS) all
	@tools/dev/run.sh

demo: ## the same, but ends when the story has been told
	$(NEEDS) run
	@$(MAKE) -s $(JOBS) all
	@tools/dev/run.sh --once

test: ## every suite, closing with one line of totals (SANITIZE=1 or thread: under ASan and UBSan, or TSan)
	$(NEEDS) test
	@$(MAKE) -s $(JOBS) all tests
	@$(MAKE) -s $(JOBS) FUZZ=1 fuzzers
	@tools/dev/test.sh

check: ## the quick round while working: house rules, unit tests, one paid crawl (90 seconds)
	$(NEEDS) test
	@$(MAKE) -s $(JOBS) all tests
	@tools/dev/test.sh house config.yaml lock unit/ e2e/paid

SEEDS ?= 10
kills: ## the night killed after each of its statements; after every fifth in make test (5 minutes)
	$(NEEDS) test
	@$(MAKE) -s $(JOBS) all $(BUILD)/tests/pg/kill_test
	@KILL_EVERY=1 $(BUILD)/tests/pg/kill_test

nights: ## a simulated month of nights with random histories, SEEDS=10 times; a short one is in make test
	$(NEEDS) test
	@$(MAKE) -s $(JOBS) all
	@cd tests/e2e && for seed in $$(seq $(SEEDS)); do \
		SEED=$$seed NIGHTS=31 node --test --test-reporter=spec money/billing.test.js || exit 1; done

mutants: ## makes each mistake of tests/mutants in a copy, and tells which no test notices (WORDS=…: some)
	$(NEEDS) test
	@$(MAKE) -s $(JOBS) all tests
	@node tests/mutants/run.js $(WORDS)

TIME ?= 60
fuzz: ## libFuzzer on every parser, TIME=60 seconds each; what it finds stays in build-fuzz/finds
	$(NEEDS) fuzz
	@$(MAKE) -s $(JOBS) FUZZ=1 fuzzers
	@tools/dev/fuzz.sh $(TIME)

ed25519: ## whether the two libraries agree on ten million signatures, half an hour (ROUNDS=…, SEED=…)
	$(NEEDS) test
	@$(MAKE) -s $(JOBS) $(BUILD)/tests/unit/ed25519_test
	@ED25519_ROUNDS=$(or $(ROUNDS),10000000) $(if $(SEED),ED25519_SEED=$(SEED)) $(BUILD)/tests/unit/ed25519_test

console-pages: ## every page of the console in Chromium, with pictures in build/screens (minutes)
	$(NEEDS) test
	@$(MAKE) -s $(JOBS) all
	@mkdir -p $(BUILD)/screens
	@[ -d tests/e2e/node_modules ] || (cd tests/e2e && npm ci --ignore-scripts --no-audit --no-fund)
	@cd tests/e2e && SCREENS=$(abspath $(BUILD))/screens node --test --test-reporter=spec \
		console/browser.test.js

fault: ## kills, cuts and stalls under load, POINTS=1000; SEED=… runs the same choices again
	$(NEEDS) test
	@$(MAKE) -s $(JOBS) all clock
	@FAULT=full POINTS=$(or $(POINTS),1000) SEED=$(SEED) NODE_SECONDS=10800 tools/dev/test.sh fault
	@grep -h '^ℹ .*points' $(BUILD)/logs/fault.log

fault-front: ## 20 kills of gate, site and nginx before both, under load (KILLS=…, SEED=…)
	$(NEEDS) test
	@$(MAKE) -s $(JOBS) all clock
	@cd tests/fault && FAULT=full KILLS=$(KILLS) SEED=$(SEED) node --test --test-reporter=spec front.test.js

fault-settle: ## 60 kills around a server's two settlements of a page (POINTS=…, SEED=…)
	$(NEEDS) test
	@$(MAKE) -s $(JOBS) all clock
	@cd tests/fault && FAULT=full POINTS=$(POINTS) SEED=$(SEED) \
	    node --test --test-reporter=spec settle.test.js

fault-mcp: ## 1,000 calls of tools with 40 kills, and a stream of 10 minutes (CALLS=…, SECONDS=…)
	$(NEEDS) test
	@$(MAKE) -s $(JOBS) all
	@cd tests/fault && FAULT=full MCP_CALLS=$(CALLS) MCP_SECONDS=$(SECONDS) \
	    node --test --test-reporter=spec mcp.test.js

test-citus: ## a ledger on a Citus cluster through 200 kills (KILLS=…, SEED=…; PGBIN=… where Citus is)
	$(NEEDS) test
	@$(MAKE) -s $(JOBS) all clock
	@cd tests/fault && FAULT=full KILLS=$(KILLS) SEED=$(SEED) \
	    node --test --test-reporter=spec cluster.test.js

x402-mutations: ## 10,000 changed payments of x402 against a running gate (ROUNDS=…, SEED=…)
	$(NEEDS) test
	@$(MAKE) -s $(JOBS) all
	@cd tests/e2e && ROUNDS=$(or $(ROUNDS),10000) SEED=$(SEED) \
	    node --test --test-reporter=spec gate/x402-mutations.test.js

streaming: ## a body of 4 GiB and 1,000 slow readers, in bounded memory; a short one is in make test
	$(NEEDS) test
	@$(MAKE) -s $(JOBS) all
	@cd tests/e2e && STREAM_MIB=4096 STREAM_CROWD=1000 node --test --test-reporter=spec http/streaming.test.js

lint: ## the limits and include rules of the house, clang-format, cppcheck, clang-tidy, shellcheck
	$(NEEDS) lint
	@$(MAKE) -s $(JOBS) $(BUILD)/libledger.a
	@tools/dev/lint.sh

bench: ## offers and payments a second, beside the limits of this machine and the peers (8 minutes)
	$(NEEDS) bench
	@$(MAKE) -s $(JOBS) all $(BENCH)
	@$(BUILD)/tests/bench/stages
	@node tests/bench/bench.js

bench-scale: ## payments and look-ups beside 10 million entries; a gate's start after three years (20 minutes)
	$(NEEDS) bench
	@$(MAKE) -s $(JOBS) all $(BENCH)
	@node tests/bench/scale.js
	@node tests/bench/history.js
	@node tests/bench/traffic.js

bench-entries: ## processor time of one entry by the size of its batch, PostgreSQL's and the gate's
	$(NEEDS) bench
	@$(MAKE) -s $(JOBS) all $(BENCH)
	@node tests/bench/entries.js
	@node tests/bench/delivery.js

bench-gates: ## several gates on one ledger, and a gate that is a tenth of a second away from it (5 minutes)
	$(NEEDS) bench
	@$(MAKE) -s $(JOBS) all $(BENCH)
	@node tests/bench/gates.js

bench-growth: ## what grows with entries, crawlers, sites, rules, agreements (an hour; GROWTH=…)
	$(NEEDS) bench
	@$(MAKE) -s $(JOBS) all $(BENCH)
	@node tests/bench/growth.js $(GROWTH)

bench-citus: ## payments and batches on a Citus cluster, beside plain PostgreSQL (10 minutes; PGBIN=…)
	$(NEEDS) bench
	@$(MAKE) -s $(JOBS) all $(BENCH)
	@node tests/bench/citus.js

bench-night: ## closing days of up to 10 million entries, and how fast a night judges signatures (15 minutes)
	$(NEEDS) bench
	@$(MAKE) -s $(JOBS) all $(BENCH)
	@node tests/bench/night.js
	@node tests/bench/judging.js

bench-migrations: ## how long each migration keeps entries out, beside 10 million entries (10 minutes)
	$(NEEDS) bench
	@$(MAKE) -s $(JOBS) all
	@node tests/bench/migrations.js

bench-lists: ## pages of the console's lists, with ten thousand rows and with a million (5 minutes)
	$(NEEDS) bench
	@$(MAKE) -s $(JOBS) all
	@node tests/bench/lists.js

bench-people: ## people's pages through nginx, with the lines of `crawltab front` and without (a minute)
	$(NEEDS) bench
	@$(MAKE) -s $(JOBS) all $(BENCH)
	@node tests/bench/people.js

bench-export: ## exporting a million entries, beside COPY of the same (5 minutes)
	$(NEEDS) bench
	@$(MAKE) -s $(JOBS) all
	@node tests/bench/export.js

coverage: ## lines and branches that the tests reach, file by file, and what rooms must have (ROOM=…)
	$(NEEDS) test
	@tools/dev/coverage.sh $(ROOM)

format: ## lets clang-format write the C sources
	$(NEEDS) lint
	clang-format -i $$(git ls-files '*.c' '*.h')

install-deps: ## installs the packages that any of the above may need
	$(NEEDS) run
	$(NEEDS) test
	$(NEEDS) lint
	$(NEEDS) bench

newcomer: ## make demo and make test in a fresh minimal Debian 12 (as root; needs debootstrap)
	@tools/dev/newcomer.sh

clean: ## removes what was built
	rm -rf build build-sodium build-sanitize build-thread build-fuzz build-coverage build-mutants

distclean: clean ## removes the private PostgreSQL and its ledger too
	@if [ -e var/postgres ]; then tools/dev/postgres.sh stop var/postgres; fi
	rm -rf var tests/e2e/node_modules

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' Makefile tools/deploy/rules.mk | \
		while read -r a b; do printf '  make %-15s%s\n' $$a "$$b"; done

# Without this, a missing library would be reported as the first of a hundred errors of the compiler.
libraries:
	@pkg-config --exists $(PKGS) || \
		{ echo "libraries are missing ($(PKGS)): tools/dev/install.sh run installs them" >&2; exit 1; }

$(BUILD)/%.o: %.c | libraries $(MADE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

# Written only when it changes, for what is compiled with it.
$(BUILD)/ledger/base/version.h: tools/deploy/CHANGELOG.md
	@mkdir -p $(@D)
	@echo '#define CRAWLTAB_VERSION "$(VERSION)"' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# The SQL statements, one a file, become strings of the program, and the columns that they declare a header
# for each room of them. What is renamed or removed changes its folder.
SQL = $(sort $(shell find sql -name '*.sql'))
SQL_FOLDERS = $(shell find sql -type d)
.SECONDEXPANSION:
$(BUILD)/sql/rows/%.h: sql/embed.awk sql/statements/$$* \
		$$(wildcard sql/statements/$$*/* sql/statements/$$*/*/*.sql)
	@mkdir -p $(@D)
	awk -v rows=$* -f sql/embed.awk $(filter %.sql,$^) > $@.new && mv $@.new $@
$(BUILD)/ledger/pg/sql.c: sql/embed.awk $(SQL) $(SQL_FOLDERS)
	@mkdir -p $(@D)
	awk -f sql/embed.awk $(filter %.sql,$^) > $@.new && mv $@.new $@
$(BUILD)/ledger/pg/sql.o: $(BUILD)/ledger/pg/sql.c
	$(CC) $(CFLAGS) -c $< -o $@

$(BUILD)/libledger.a: $(filter-out $(LEFT_OUT),$(call objects,ledger)) $(BUILD)/ledger/pg/sql.o
	rm -f $@ && ar rcs $@ $^
$(BUILD)/libserver.a: $(filter-out $(BUILD)/server/main.o,$(call objects,server))
	rm -f $@ && ar rcs $@ $^
LIBRARIES = $(BUILD)/libserver.a $(BUILD)/libledger.a

$(BUILD)/crawltabd: $(BUILD)/server/main.o $(LIBRARIES)
	$(CC) $(LINK) $^ $(LIBS) -o $@
$(BUILD)/crawltab: $(call objects,tools/crawltab) $(LIBRARIES)
	$(CC) $(LINK) $^ $(LIBS) -o $@
$(BUILD)/crawler: $(call objects,tools/crawler) $(LIBRARIES)
	$(CC) $(LINK) $^ $(LIBS) -o $@

# Every tests/unit/ROOM/foo_test.c is a cmocka program build/tests/unit/foo_test, those of tests/pg alike,
# linked with the support*.c of tests/unit or tests/pg.
TEST_OBJECTS = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(foreach suite,unit pg,tests/$(suite)/*_test.c \
	tests/$(suite)/*/*_test.c)))
TESTS = $(foreach suite,unit pg,$(addprefix $(BUILD)/tests/$(suite)/,$(basename \
	$(notdir $(filter $(BUILD)/tests/$(suite)/%,$(TEST_OBJECTS))))))
tests: $(TESTS)
$(filter $(BUILD)/tests/unit/%,$(TESTS)): $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/unit/support*.c))
$(filter $(BUILD)/tests/pg/%,$(TESTS)): $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/pg/support*.c))
$(TESTS): $$(filter $$@.o $$(@D)/%/$$(@F).o,$(TEST_OBJECTS)) $(LIBRARIES)
	$(CC) $(LINK) $(filter %.o,$^) $(LIBRARIES) -lcmocka $(LIBS) -o $@

include tools/deploy/rules.mk
-include $(wildcard tests/*/rules.mk)
-include $(shell find $(BUILD) -path $(BUILD)/deb -prune -o -name '*.d' -type f -print 2>/dev/null)
