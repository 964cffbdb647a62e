# What the fault tests put before a program: the clock that they move, and the journal of what it does.
PRELOADED = $(BUILD)/tests/fault/clock.so $(BUILD)/tests/fault/journal.so
.PHONY: clock
clock: $(PRELOADED)
tests: $(PRELOADED)
$(PRELOADED): $(BUILD)/%.so: %.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(WARNINGS) -O2 -fPIC -shared $< -o $@
