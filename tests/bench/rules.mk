# The load generator of the benchmarks.
$(BUILD)/tests/bench/load: $(BUILD)/tests/bench/load.o $(LIBRARIES)
	$(CC) $(LINK) $(filter %.o,$^) $(LIBRARIES) $(LIBS) -o $@

# What each step of verifying one request costs, and that none of ours allocates.
.PHONY: bench-stages
bench-stages: $(BUILD)/tests/bench/stages
	@$<
$(BUILD)/tests/bench/stages: $(BUILD)/tests/bench/stages.o $(LIBRARIES)
	$(CC) $(LINK) $(filter %.o,$^) $(LIBRARIES) $(LIBS) -o $@
