# The tests of the crawler's pure parts are linked with those.
CRAWLER_PARTS = key purse quote receipt say sign store target account/compare
$(filter $(BUILD)/tests/unit/crawler_%,$(TESTS)): $(CRAWLER_PARTS:%=$(BUILD)/tools/crawler/%.o)

# The operator's command reads raw requests with a part of its own.
$(BUILD)/tests/unit/raw_request_test: $(BUILD)/tools/crawltab/gate/raw_request.o

# Compares what the two libraries say, whichever of them the programs are built with.
$(BUILD)/tests/unit/ed25519_test: $(BUILD)/ledger/base/crypto/ed25519_sodium.o
$(BUILD)/tests/unit/ed25519_test: LIBS += -lsodium
