# Every tests/fuzz/*.c but the parts below is a libFuzzer target: `make FUZZ=1 fuzzers` builds them with
# clang, tools/dev/fuzz.sh runs them.
FUZZ_PARTS = support gate_world
FUZZERS = $(patsubst %.c,$(BUILD)/%,$(filter-out $(FUZZ_PARTS:%=tests/fuzz/%.c),$(wildcard tests/fuzz/*.c)))
.PHONY: fuzzers
fuzzers: $(FUZZERS)
$(FUZZERS): %: %.o $(BUILD)/tests/fuzz/support.o $(LIBRARIES)
	$(CC) $(LINK) $(filter %.o,$^) $(LIBRARIES) $(LIBS) -o $@
$(BUILD)/tests/fuzz/raw_request $(BUILD)/tests/fuzz/gate: $(BUILD)/tools/crawltab/gate/raw_request.o
$(BUILD)/tests/fuzz/gate $(BUILD)/tests/fuzz/facilitator: $(BUILD)/tests/fuzz/gate_world.o
