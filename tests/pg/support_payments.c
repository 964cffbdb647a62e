/* Payments, and the writer that they go to. */
#include "tests/pg/support.h"

#include "ledger/base/clock.h"
#include "ledger/base/crypto/random.h"
#include "ledger/base/text/amount.h"
#include "ledger/entry/payment_id.h"
#include "ledger/entry/snapshot.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define WAIT_MAX_MS   60000
#define SNAPSHOTS_MAX 4096
#define RESOURCE_MAX  4096

/* What a payment has before it is signed. */
static const char no_signature[] = "\x01\x02\xff", no_base[] = "not signed yet";

static void done(struct submission *submission)
{
    struct payment *payment =
        (struct payment *)(void *)((char *)submission - offsetof(struct payment, submission));
    atomic_fetch_add(&payment->answers, 1);
}

struct payment payment_make(int64_t ms, const char *agent, int64_t amount_micros, const char *resource)
{
    uint8_t chance[10];
    struct payment payment = {
        .charge = {.amount_micros = amount_micros,
                   .agent = slice_of(agent),
                   .directory_url = slice_of(agent),
                   .public_key = SLICE("{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"AA\"}"),
                   .rule = SLICE("all"),
                   .resource = slice_of(resource),
                   .signature = {no_signature, sizeof(no_signature) - 1},
                   .signature_base = {no_base, sizeof(no_base) - 1}}};
    random_bytes(chance, sizeof(chance));
    uuid_make(ms, chance, payment.charge.payment_id);
    memset(payment.charge.thumbprint, 0x5a, DIGEST_SIZE);
    return payment;
}

/* --- what makes them honest --- */

const uint8_t payment_offer_key[OFFER_KEY_SIZE] = "the offer key of the tests, 32 b";

/* As the gate does it: an id of the same UUID that names URL and price. */
static void name_id(const struct payment *payment, const struct config_site *site, char text[PAYMENT_ID_TEXT])
{
    struct payment_keys keys = {hmac_new(payment_offer_key, OFFER_KEY_SIZE), NULL};
    const struct charge *charge = &payment->charge;
    const char *authority = strstr(charge->resource.data, "://") + 3;
    size_t len = strcspn(authority, "/?");
    const struct payment_offer offer = {.site = slice_of(site->name),
                                        .network = slice_of(site->network),
                                        .terms_url = slice_of(site->terms_url),
                                        .authority = {authority, len},
                                        .target = slice_of(authority + len)};
    uint8_t raw[PAYMENT_ID_SIZE];
    /* The last ten bytes are the chance that it was made with. */
    payment_id_mint(&keys, &offer, uuid_ms(charge->payment_id), charge->amount_micros, charge->payment_id + 6,
                    text);
    hmac_free(keys.current);
    assert_true(payment_id_bytes(slice_bytes(text, PAYMENT_ID_TEXT), raw));
    assert_memory_equal(raw, charge->payment_id, UUID_SIZE);
}

/* What the agent's directory says, the same for as long as the program runs. */
static const struct snapshot *directory_of(struct slice url, const char *key)
{
    static struct snapshot *known[SNAPSHOTS_MAX];
    char body[JWK_TEXT_MAX + 16];
    size_t at = 0;
    while (at < SNAPSHOTS_MAX && known[at] && !slice_eq(known[at]->url, url))
        at++;
    assert_true(at < SNAPSHOTS_MAX);
    if (known[at])
        return known[at];
    snprintf(body, sizeof(body), "{\"keys\":[%s]}", key);
    const struct snapshot snapshot = {.fetched_at_ms = 1,
                                      .url = url,
                                      .body = slice_of(body),
                                      .content_type = SLICE("application/json"),
                                      .content_digest = SLICE(""),
                                      .signature_input = SLICE(""),
                                      .signature = SLICE("")};
    known[at] = snapshot_new(&snapshot);
    assert_non_null(known[at]);
    return known[at];
}

void payment_sign_as(struct payment *payment, uint8_t number)
{
    const uint8_t seed[SIGNATURE_ED25519_KEY_SIZE] = {number};
    struct charge *charge = &payment->charge;
    const struct config_site *site = &ledger_config()->sites[charge->site];
    char id[PAYMENT_ID_TEXT], keyid[JWK_KEYID_CHARS + 1];
    const char *authority = strstr(charge->resource.data, "://") + 3;
    long long created = (long long)(uuid_ms(charge->payment_id) / 1000);
    struct jwk jwk = {.algorithm = SIGNATURE_ED25519};
    name_id(payment, site, id);
    assert_true(signature_public_ed25519(seed, jwk.raw));
    jwk_complete(&jwk);
    keyid[encoding_base64url(jwk.thumbprint, DIGEST_SIZE, keyid)] = '\0';
    snprintf(payment->own.key, sizeof(payment->own.key), "%s", jwk.canonical);
    int len = snprintf(payment->own.base, sizeof(payment->own.base),
                       "\"@authority\": %.*s\n"
                       "\"payment\": scheme=\"deferred\", network=\"%s\", id=\"%.*s\"\n"
                       "\"signature-agent\": \"%.*s\"\n"
                       "\"@signature-params\": (\"@authority\" \"payment\" \"signature-agent\");created=%lld"
                       ";expires=%lld;keyid=\"%s\";tag=\"web-bot-auth\"",
                       (int)strcspn(authority, "/?"), authority, site->network, PAYMENT_ID_TEXT, id,
                       (int)charge->agent.len, charge->agent.data, created, created + 3600, keyid);
    assert_true(len > 0 && (size_t)len < sizeof(payment->own.base));
    charge->signature_base = slice_of(payment->own.base);
    assert_true(signature_sign_ed25519(seed, charge->signature_base, payment->own.signature));
    charge->signature = slice_bytes(payment->own.signature, sizeof(payment->own.signature));
    charge->public_key = slice_of(payment->own.key);
    charge->snapshot = directory_of(charge->directory_url, payment->own.key);
    memcpy(charge->thumbprint, jwk.thumbprint, DIGEST_SIZE);
}

void payment_sign(struct payment *payment)
{
    payment_sign_as(payment, 7);
}

/* Of a payment that a test has made dishonest nothing is mended, nor of one that no gate would take. */
static bool is_unsigned(const struct payment *payment)
{
    const struct charge *charge = &payment->charge;
    return charge->signature.data == no_signature && charge->signature_base.data == no_base &&
           charge->amount_micros >= 0 && charge->amount_micros <= AMOUNT_PRICE_MAX &&
           uuid_is_v7(charge->payment_id) && slice_starts(charge->agent, SLICE("http")) &&
           memchr(charge->agent.data, ':', charge->agent.len) && charge->resource.len < RESOURCE_MAX &&
           strlen(charge->resource.data) == charge->resource.len && strstr(charge->resource.data, "://");
}

const char *payment_sql(const struct payment *payment)
{
    static char text[512];
    char id[UUID_TEXT_MAX];
    uuid_format(payment->charge.payment_id, id);
    snprintf(
        text, sizeof(text),
        "INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource, "
        "recorded_at,"
        " thumbprint, signature, signature_base) VALUES ('%s', get_byte(uuid_send('%s'), 15), 1, 1, 1, 'x',"
        " 'x', now(), sha256(''), '', '');",
        id, id);
    return text;
}

void payment_bind(struct payment *payment)
{
    if (is_unsigned(payment))
        payment_sign(payment);
    payment->submission = submission_of(&payment->charge, done);
}

enum err payment_submit(struct writer *writer, struct payment *payment)
{
    atomic_store(&payment->answers, 0);
    payment_bind(payment);
    return writer_submit(writer, &payment->submission);
}

void payment_wait(struct payment *payment)
{
    int64_t give_up = clock_monotonic_ms() + WAIT_MAX_MS;
    while (atomic_load(&payment->answers) == 0) {
        assert_true(clock_monotonic_ms() < give_up);
        poll(NULL, 0, 1);
    }
}

enum err payment_pay(struct writer *writer, struct payment *payment)
{
    enum err err = payment_submit(writer, payment);
    if (err != ERR_OK)
        return err;
    payment_wait(payment);
    assert_int_equal(atomic_load(&payment->answers), 1);
    return payment->submission.outcome.err;
}

void writer_wait_ready(const struct writer *writer, bool ready)
{
    int64_t give_up = clock_monotonic_ms() + WAIT_MAX_MS;
    while (writer_ready(writer) != ready) {
        assert_true(clock_monotonic_ms() < give_up);
        poll(NULL, 0, 5);
    }
}

struct writer *writer_start_ready(void)
{
    struct writer *writer = writer_start(ledger_config());
    assert_non_null(writer);
    writer_wait_ready(writer, true);
    return writer;
}
