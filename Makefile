# crawltab. `make run` and `make test` are the two commands that matter; see README.md.
CC       = gcc
BUILD   ?= build
PKGS     = libpq libmicrohttpd libcrypto jansson yaml-0.1 libcurl
WARNINGS = -Wall -Wextra -Wconversion -Wshadow -Wformat=2 -Wvla -Wwrite-strings -Wcast-qual
HARDEN   = -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2
OPTIMISE = -O2 -g
LINK     = -pie -Wl,-z,relro,-z,now
ifdef SANITIZE
BUILD    = build-sanitize
HARDEN   = -fPIE -fstack-protector-strong
OPTIMISE = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
LINK     = -pie -Wl,-z,relro,-z,now -fsanitize=address,undefined
endif
CFLAGS   = -std=gnu11 $(WARNINGS) $(OPTIMISE) $(HARDEN) -pthread -I. $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS     = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm -pthread

ROOMS    = ledger/base ledger server/http server/verify server/agent server/gate server/admin
PROGRAMS = $(BUILD)/crawltabd $(BUILD)/crawltab $(BUILD)/crawler
objects  = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(addsuffix /*.c,$(1))))

.PHONY: all clean
all: $(PROGRAMS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

# The SQL statements, one a file, become strings of the program.
$(BUILD)/ledger/sql.c: sql/embed.awk $(wildcard sql/*.sql sql/statements/*.sql)
	@mkdir -p $(@D)
	awk -f sql/embed.awk $(filter %.sql,$^) > $@.new && mv $@.new $@
$(BUILD)/ledger/sql.o: $(BUILD)/ledger/sql.c
	$(CC) $(CFLAGS) -c $< -o $@

$(BUILD)/libledger.a: $(call objects,ledger/base ledger) $(BUILD)/ledger/sql.o
	rm -f $@ && ar rcs $@ $^
$(BUILD)/libserver.a: $(call objects,server/http server/verify server/agent server/gate server/admin)
	rm -f $@ && ar rcs $@ $^
LIBRARIES = $(BUILD)/libserver.a $(BUILD)/libledger.a

$(BUILD)/crawltabd: $(call objects,server) $(LIBRARIES)
	$(CC) $(LINK) $^ $(LIBS) -o $@
$(BUILD)/crawltab: $(call objects,tools/crawltab) $(LIBRARIES)
	$(CC) $(LINK) $^ $(LIBS) -o $@
$(BUILD)/crawler: $(call objects,tools/crawler) $(LIBRARIES)
	$(CC) $(LINK) $^ $(LIBS) -o $@

clean:
	rm -rf build build-sanitize

-include $(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d)
