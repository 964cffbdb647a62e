# What the fault tests put before a program: the clock that they move, and the journal of what it does.
PRELOADED = $(BUILD)/tests/fault/clock.so $(BUILD)/tests/fault/journal.so
.PHONY: clock later
clock: $(PRELOADED)
tests: $(PRELOADED)
$(PRELOADED): $(BUILD)/%.so: %.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(WARNINGS) -O2 -fPIC -shared $< -o $@

# The programs as they would be after one more migration, for the test of an upgrade.
LATER = $(BUILD)/tests/fault/later
LATEST := $(patsubst 0%,%,$(patsubst 00%,%,$(firstword $(subst -, ,$(notdir $(lastword \
	$(sort $(wildcard sql/migrations/*.sql))))))))
$(LATER)/sql.c: tests/fault/later.sql sql/embed.awk $(SQL)
	@rm -rf $(LATER)/migrations && mkdir -p $(LATER)/migrations
	sed 's/@version@/$(LATEST)/' $< > $(LATER)/migrations/$$(printf '%04d' $$(($(LATEST) + 1)))-later.sql
	awk -f sql/embed.awk $(SQL) $(LATER)/migrations/*.sql > $@.new && mv $@.new $@
$(LATER)/sql.o: $(LATER)/sql.c
	$(CC) $(CFLAGS) -c $< -o $@
# This one's texts of sql/ are found before those in the library.
$(LATER)/crawltabd: $(BUILD)/server/main.o $(LATER)/sql.o $(LIBRARIES)
	$(CC) $(LINK) $^ $(LIBS) -o $@
$(LATER)/crawltab: $(call objects,tools/crawltab) $(LATER)/sql.o $(LIBRARIES)
	$(CC) $(LINK) $^ $(LIBS) -o $@
later: $(LATER)/crawltabd $(LATER)/crawltab
tests: later
