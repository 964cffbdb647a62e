# The tests of the operator's command run the real one.
$(filter $(BUILD)/tests/pg/%,$(TESTS)): | $(BUILD)/crawltab
