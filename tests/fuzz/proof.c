/* The reader of proofs, which takes files from whoever disputes something: any bytes, as crawltab verify has
 * them. Signatures are taken for good, so that what stands behind them is reached. */
#include "tests/fuzz/support.h"

#include "ledger/bundle/bundle.h"
#include "ledger/base/crypto/digest.h"

static bool verifies(const uint8_t public_key[NOTE_KEY_SIZE], struct slice text, const uint8_t *signature)
{
    (void)public_key;
    (void)text;
    (void)signature;
    return true;
}

static bool directory(const struct bundle_answer *answer, const struct jwk *jwk,
                      const struct signature_key *key)
{
    HOLDS(answer->url.data && answer->body.data && jwk && key);
    return answer->signature.len > 0;
}

/* How many sentences, and what of them speaks against it. */
static size_t check(const json_t *bundle, size_t *wrong)
{
    const struct bundle_order order = {.verifies = verifies, .directory = directory};
    struct bundle_report report = {.items = NULL};
    size_t count = 0;
    if (bundle_check(bundle, &order, &report)) {
        count = report.count;
        *wrong = 0;
        for (size_t i = 0; i < report.count; i++) {
            HOLDS(report.items[i].sentence && *report.items[i].sentence);
            *wrong += report.items[i].verdict == BUNDLE_WRONG;
        }
        HOLDS(*wrong == (size_t)report.wrong);
        HOLDS(count > 0);
    }
    bundle_report_free(&report);
    HOLDS(report.count == 0);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t wrong = 0, again = 0;
    json_t *bundle = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (!bundle)
        return 0;
    size_t count = check(bundle, &wrong);
    /* A check changes nothing of what it checks, and says the same of it twice. */
    if (wrong == 0)
        HOLDS(check(bundle, &again) == count && wrong == again);
    json_decref(bundle);
    return 0;
}
