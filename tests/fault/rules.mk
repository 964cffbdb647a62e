# The clock that the fault tests move.
CLOCK = $(BUILD)/tests/fault/clock.so
.PHONY: clock
clock: $(CLOCK)
tests: $(CLOCK)
$(CLOCK): tests/fault/clock.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(WARNINGS) -O2 -fPIC -shared $< -o $@
