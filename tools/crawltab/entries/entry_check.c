#include "tools/crawltab/entries/entry_check.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/proof/day_seal.h"
#include "ledger/verify/jwk.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const names[] = {
#define ENTRY_CHECK_TEXT(check, name) name,
    ENTRY_CHECKS(ENTRY_CHECK_TEXT)
#undef ENTRY_CHECK_TEXT
};

static void tell(struct entry_checks *checks, enum entry_check_name name, enum entry_check_result result,
                 const char *detail)
{
    checks->items[checks->count++] = (struct entry_check){names[name], result, detail};
    checks->bad |= result == ENTRY_BAD;
}

static void judge(struct entry_checks *checks, enum entry_check_name name, bool good, const char *if_good,
                  const char *if_bad)
{
    tell(checks, name, good ? ENTRY_GOOD : ENTRY_BAD, good ? if_good : if_bad);
}

/* --- the id --- */

static void check_id(const struct opener *opener, const struct charge_lookup_row *entry,
                     struct entry_checks *checks)
{
    uint8_t raw[PAYMENT_ID_SIZE];
    struct payment_offer offer;
    bool named = checks->id[0] && payment_id_bytes(slice_of(checks->id), raw);
    judge(checks, ENTRY_CHECK_ID, named, "what was signed names this payment id",
          "what was signed does not name this payment id");
    if (!named)
        return;
    checks->price_micros = payment_id_price(raw);
    judge(checks, ENTRY_CHECK_PRICE, payment_id_price(raw) >= entry->amount_micros,
          payment_id_price(raw) == entry->amount_micros
              ? "the id names the entry's price"
              : "the id names a higher price: the site has lowered it",
          "the id names a lower price than the entry");
    judge(checks, ENTRY_CHECK_URL,
          opener_bind(entry->site, entry->resource, &offer) && payment_id_is_for(&offer, raw),
          "the id names the entry's site and URL", "the id names another site or URL than the entry");
    if (opener->problem)
        tell(checks, ENTRY_CHECK_OFFER, ENTRY_UNKNOWN, "no offer key is at hand");
    else if (opener_open(opener, raw))
        tell(checks, ENTRY_CHECK_OFFER, ENTRY_GOOD, "an offer key of this ledger made the id");
    else
        tell(checks, ENTRY_CHECK_OFFER, ENTRY_UNKNOWN,
             "of an offer key or of terms that are no longer in use");
}

/* --- the signature --- */

/* The stored key, if it has the entry's thumbprint. */
static struct signature_key *key_of(const struct charge_lookup_row *entry)
{
    char why[JWK_WHY_MAX];
    uint8_t thumbprint[DIGEST_SIZE];
    struct jwk jwk;
    struct signature_key *key = NULL;
    json_t *json = json_loads(entry->public_key, JSON_REJECT_DUPLICATES, NULL);
    if (json && jwk_read(json, &jwk, why) == JWK_MAY_SIGN &&
        pg_hex_bytes(entry->thumbprint, thumbprint, sizeof(thumbprint)) == sizeof(thumbprint) &&
        memcmp(thumbprint, jwk.thumbprint, sizeof(thumbprint)) == 0)
        key = signature_key_from_jwk(&jwk);
    json_decref(json);
    return key;
}

static void check_signature(const struct charge_lookup_row *entry, struct slice base,
                            struct entry_checks *checks)
{
    size_t len;
    if (!entry->public_key) {
        tell(checks, ENTRY_CHECK_KEY, ENTRY_UNKNOWN, "the ledger does not have the public key");
        tell(checks, ENTRY_CHECK_SIGNATURE, ENTRY_UNKNOWN, "without the key nothing can be said");
        return;
    }
    struct signature_key *key = key_of(entry);
    judge(checks, ENTRY_CHECK_KEY, key != NULL, "the public key has the entry's thumbprint",
          "the public key does not have the entry's thumbprint");
    if (!key)
        return;
    char *signature = show_raw(entry->signature, &len);
    judge(checks, ENTRY_CHECK_SIGNATURE,
          signature && signature_verify(key, base, (struct slice){signature, len}) == ERR_OK,
          "the signature is the key's over what was signed",
          "the signature is not the key's over what was signed");
    free(signature);
    signature_key_free(key);
}

/* --- the day --- */

static enum err check_seal(struct pg *pg, const struct log_trust *trust, int64_t site_id,
                           const uint8_t uuid[UUID_SIZE], bool there, struct entry_checks *checks)
{
    struct day_seal seal;
    enum err err;
    TRY(day_seal_check(pg, site_id, uuid, trust, &seal));
    memcpy(checks->date, seal.date, sizeof(checks->date));
    switch (seal.state) {
    case DAY_SEAL_OPEN:
        tell(checks, ENTRY_CHECK_SEALED, ENTRY_UNKNOWN, "its day is not closed yet, nothing is sealed");
        break;
    case DAY_SEAL_NONE:
        tell(checks, ENTRY_CHECK_SEALED, ENTRY_UNKNOWN, "its day was closed without a checkpoint");
        break;
    case DAY_SEAL_AWAY:
        tell(checks, ENTRY_CHECK_SEALED, ENTRY_UNKNOWN, "other entries of its day are archived");
        break;
    case DAY_SEAL_BY_WHOM:
        tell(checks, ENTRY_CHECK_SEALED, ENTRY_UNKNOWN,
             "the sealed day agrees; the log's signature is not checked, its key is not at hand");
        break;
    case DAY_SEAL_HOLDS:
        tell(checks, ENTRY_CHECK_SEALED, ENTRY_GOOD,
             there ? "the sealed day and its signed log have the entry" : "the sealed day has no such entry");
        break;
    case DAY_SEAL_BROKEN:
        tell(checks, ENTRY_CHECK_SEALED, ENTRY_BAD, seal.problem);
        break;
    }
out:
    return err;
}

enum err entry_check_all(struct pg *pg, const struct log_trust *trust, const struct opener *opener,
                         const struct charge_lookup_row *entry, struct entry_checks *checks)
{
    uint8_t uuid[UUID_SIZE];
    size_t len;
    *checks = (struct entry_checks){.count = 0};
    char *text = show_raw(entry->signature_base, &len);
    if (!text || !uuid_parse(slice_of(entry->payment_id), uuid)) {
        free(text);
        return ERR_INTERNAL;
    }
    const struct slice base = {text, len};
    mistyped_signed_id(base, uuid, checks->id);
    check_id(opener, entry, checks);
    check_signature(entry, base, checks);
    free(text);
    return check_seal(pg, trust, entry->site_id, uuid, true, checks);
}

enum err entry_check_absent(struct pg *pg, const struct log_trust *trust, int64_t site_id,
                            const uint8_t uuid[UUID_SIZE], struct entry_checks *checks)
{
    *checks = (struct entry_checks){.count = 0};
    return check_seal(pg, trust, site_id, uuid, false, checks);
}
