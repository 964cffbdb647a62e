# The load generator of the benchmarks.
$(BUILD)/tests/bench/load: $(BUILD)/tests/bench/load.o $(LIBRARIES)
	$(CC) $(LINK) $(filter %.o,$^) $(LIBRARIES) $(LIBS) -o $@
