# The driver for conformance data of structured fields that is not in this repository.
all: $(BUILD)/sf-driver
$(BUILD)/sf-driver: $(BUILD)/tests/conformance/sf_driver.o $(LIBRARIES)
	$(CC) $(LINK) $(filter %.o,$^) $(LIBRARIES) $(LIBS) -o $@
