# The programs of the benchmarks: one source each, linked with what the gate is made of.
BENCH = $(addprefix $(BUILD)/tests/bench/,load stages ceiling hold lookup entries)
tests: $(BENCH)
$(BENCH): %: %.o $(LIBRARIES)
	$(CC) $(LINK) $(filter %.o,$^) $(LIBRARIES) $(LIBS) -o $@

# What each step of verifying one request costs, and that none of ours allocates.
.PHONY: bench-stages
bench-stages: $(BUILD)/tests/bench/stages
	@$<
