/* The checks share no state but what was read of the signed bytes, so that each says for itself what is
 * wrong. What the gate's role may write into the ledger is all that an entry is made of, and none of it is
 * believed before the signature and the id's MAC, which it cannot make. */
#include "ledger/evidence/judge.h"

#include "ledger/evidence/signed.h"
#include "ledger/verify/jwk.h"

#include <assert.h>
#include <stdlib.h>

#define MEMORY_BYTES 1048576 /* a signed base is as long as the fields of a request, some 64 KB */
/* Between taking a payment and recording it a gate's clock may be set, forth or back: an entry's time may be
 * so far from that of its id and signature, beside what gates allow anyway. */
#define SET_MS        (2 * 3600000)
#define SIGNED_AT_MAX ((INT64_C(1) << 48) / 1000 - 1) /* seconds that an id can carry */
/* A gate whose clock was ahead when it read a directory may have had it set back since. The body is the
 * evidence, and when it was read is only what the gate said: so much earlier entries may rely on it. */
#define STEPPED_MS  86400000
#define JUDGE_MAGIC 0x3b94e6d7

static const struct {
    const char *name, *good, *bad;
} checks[] = {
#define EVIDENCE_TEXT(check, name, good, bad) {name, good, bad},
    EVIDENCE_CHECK_LIST(EVIDENCE_TEXT)
#undef EVIDENCE_TEXT
};

const char *evidence_check_name(enum evidence_check check)
{
    assert(check < EVIDENCE_CHECKS);
    return checks[check].name;
}

const char *evidence_check_sentence(enum evidence_check check, bool good)
{
    assert(check < EVIDENCE_CHECKS);
    return good ? checks[check].good : checks[check].bad;
}

enum evidence_check evidence_check_called(const char *name)
{
    int check = 0;
    while (check < EVIDENCE_CHECKS && strcmp(checks[check].name, name) != 0)
        check++;
    return (enum evidence_check)check;
}

struct evidence_judge {
    uint32_t magic;
    const struct evidence_book *book;
    struct hmac **macs; /* of the offer keys, in their order */
    size_t mac_count;
    size_t last_mac, last_terms; /* that opened an id: the next one is probably of the same */
    char *memory;
};

struct evidence_judge *evidence_judge_new(const struct evidence_book *book)
{
    struct evidence_judge *judge = calloc(1, sizeof(*judge));
    size_t count = book->offer_keys->count;
    OBJECT_CHECK(book, EVIDENCE_BOOK_MAGIC);
    if (!judge)
        return NULL;
    OBJECT_MAKE(judge, JUDGE_MAGIC);
    judge->book = book;
    judge->memory = malloc(MEMORY_BYTES);
    judge->macs = calloc(count + 1, sizeof(*judge->macs));
    bool ok = judge->memory && judge->macs;
    while (ok && judge->mac_count < count) {
        struct hmac *mac = hmac_new(book->offer_keys->items[judge->mac_count], OFFER_KEY_SIZE);
        ok = mac != NULL;
        if (ok)
            judge->macs[judge->mac_count++] = mac;
    }
    if (ok)
        return judge;
    evidence_judge_free(judge);
    return NULL;
}

void evidence_judge_free(struct evidence_judge *judge)
{
    if (!judge)
        return;
    for (size_t i = 0; i < judge->mac_count; i++)
        hmac_free(judge->macs[i]);
    free(judge->macs);
    free(judge->memory);
    OBJECT_END(judge, JUDGE_MAGIC);
    free(judge);
}

/* --- the case --- */

struct trial {
    struct evidence_judge *judge;
    struct arena arena;
    const struct evidence_entry *entry;
    struct evidence_verdict *verdict;
    bool all;
    struct signed_text text;
    uint8_t id[PAYMENT_ID_SIZE];    /* that was signed; of one that comes from the signature the time alone */
    const struct evidence_key *key; /* NULL: the ledger has none that can be used */
    const char *host[1];            /* of the crawler, for `insecure` */
    struct config_list insecure;
};

/* True if the trial goes on. The reason is the first check that fails in the order of the list, and not of
 * the calls: it is kept with the entry, and must not change when the code is put in another order. */
static bool find(struct trial *trial, enum evidence_check check, bool good)
{
    struct evidence_verdict *verdict = trial->verdict;
    assert(check < EVIDENCE_CHECKS && verdict->results[check] == EVIDENCE_NOT_SEEN);
    verdict->results[check] = good ? EVIDENCE_GOOD : EVIDENCE_BAD;
    if (!good && check < verdict->failed)
        verdict->failed = check;
    return good || trial->all;
}

/* --- the id --- */

/* One MAC. */
static bool opens(struct trial *trial, const struct evidence_site *site, size_t mac, size_t terms)
{
    assert(mac < trial->judge->mac_count && terms < site->terms_count);
    const struct payment_keys keys = {.current = trial->judge->macs[mac]};
    const struct payment_offer offer = {.site = slice_of(site->name),
                                        .network = slice_of(site->network),
                                        .terms_url = slice_of(site->terms[terms])};
    return payment_id_is_ours(&keys, &offer, trial->id);
}

static bool opens_of_site(struct trial *trial, const struct evidence_site *site)
{
    struct evidence_judge *judge = trial->judge;
    bool own = site == judge->book->site;
    /* Nearly all ids of a day are of one key and one set of terms, so that one MAC each is enough. */
    if (own && judge->last_mac < judge->mac_count && judge->last_terms < site->terms_count &&
        opens(trial, site, judge->last_mac, judge->last_terms))
        return true;
    for (size_t mac = 0; mac < judge->mac_count; mac++)
        for (size_t terms = 0; terms < site->terms_count; terms++) {
            if (!opens(trial, site, mac, terms))
                continue;
            if (own) {
                judge->last_mac = mac;
                judge->last_terms = terms;
            }
            return true;
        }
    return false;
}

/* By the other sites only when it is not this one's: what of it is wrong is worth knowing, and costs as many
 * MACs as there are sites, keys and terms. */
static bool judge_maker(struct trial *trial)
{
    const struct evidence_book *book = trial->judge->book;
    /* Neither good nor bad: whoever looks an entry up need not have the keys, which are secrets. */
    if (trial->judge->mac_count == 0)
        return true;
    if (opens_of_site(trial, book->site))
        return find(trial, EVIDENCE_SITE, true) && find(trial, EVIDENCE_OFFER, true);
    for (size_t i = 0; i < book->site_count; i++)
        if (&book->sites[i] != book->site && opens_of_site(trial, &book->sites[i]))
            return find(trial, EVIDENCE_SITE, false);
    return find(trial, EVIDENCE_OFFER, false);
}

static bool judge_url(struct trial *trial, bool offered)
{
    const struct evidence_site *site = trial->judge->book->site;
    struct message target = {.target = SLICE("")};
    bool is_url = signed_split_url(trial->entry->resource, &target);
    const struct payment_offer offer = {
        .site = slice_of(site->name), .authority = target.authority, .target = target.target};
    /* An id that was offered binds the host; without one the signature has to. */
    return (!offered || find(trial, EVIDENCE_URL, is_url && payment_id_is_for(&offer, trial->id))) &&
           find(trial, EVIDENCE_TARGET,
                is_url && signed_is_for(&trial->arena, &trial->text, trial->entry->resource) &&
                    (offered || signed_names_host(&trial->text)));
}

static bool judge_times(struct trial *trial)
{
    const struct evidence_book *book = trial->judge->book;
    const struct signed_text *text = &trial->text;
    int64_t recorded_ms = trial->entry->recorded_ms;
    int64_t age_ms = recorded_ms - uuid_ms(trial->id);
    bool signature_held = text->expires_seconds > text->created_seconds &&
                          text->created_seconds * 1000 <= recorded_ms + SET_MS &&
                          text->expires_seconds * 1000 + book->late_ms + SET_MS >= recorded_ms;
    return find(trial, EVIDENCE_OFFERED,
                age_ms >= -SET_MS && age_ms <= book->site->ttl_seconds * 1000 + book->late_ms + SET_MS) &&
           find(trial, EVIDENCE_SIGNED, signature_held);
}

/* The id that a signature without one stands for (WIRE.md section 2). */
static bool comes_from_signature(struct trial *trial)
{
    const struct evidence_entry *entry = trial->entry;
    uint8_t uuid[UUID_SIZE];
    if (trial->text.id.len > 0 || !trial->key || entry->signature.len == 0 ||
        trial->text.created_seconds < 0 || trial->text.created_seconds > SIGNED_AT_MAX)
        return false;
    payment_id_derive(trial->text.created_seconds,
                      signature_fixed_part(signature_key_algorithm(trial->key->key), entry->signature), uuid);
    memcpy(trial->id, uuid, UUID_SIZE);
    return memcmp(uuid, entry->payment_id, UUID_SIZE) == 0;
}

static bool judge_id(struct trial *trial)
{
    const struct evidence_entry *entry = trial->entry;
    const struct signed_text *text = &trial->text;
    bool offered = payment_id_bytes(text->id, trial->id);
    assert(!offered || text->id.len == PAYMENT_ID_TEXT);
    if (offered)
        memcpy(trial->verdict->id, text->id.data, PAYMENT_ID_TEXT);
    bool named = offered ? memcmp(trial->id, entry->payment_id, UUID_SIZE) == 0 : comes_from_signature(trial);
    /* Of another id nothing more is to be known. */
    if (!find(trial, EVIDENCE_ID, named) || !named)
        return trial->all;
    bool ours =
        text->network.len == 0 || slice_eq(text->network, slice_of(trial->judge->book->site->network));
    /* An amount that is signed beside the id can only lower what the id says: both were agreed to. */
    int64_t most = offered ? payment_id_price(trial->id) : text->amount_micros;
    if (text->amount_micros >= 0 && text->amount_micros < most)
        most = text->amount_micros;
    return (!offered || judge_maker(trial)) && find(trial, EVIDENCE_NETWORK, ours) &&
           find(trial, EVIDENCE_PRICE, entry->amount_micros >= 0 && entry->amount_micros <= most) &&
           judge_url(trial, offered) && judge_times(trial);
}

/* --- the key --- */

static bool is_named(const struct trial *trial)
{
    uint8_t thumbprint[DIGEST_SIZE];
    size_t len;
    return encoding_unbase64url(trial->text.keyid, thumbprint, sizeof(thumbprint), &len) &&
           len == sizeof(thumbprint) && memcmp(thumbprint, trial->entry->thumbprint, DIGEST_SIZE) == 0;
}

static bool judge_key(struct trial *trial)
{
    const struct evidence_entry *entry = trial->entry;
    const struct evidence_book *book = trial->judge->book;
    enum signature_algorithm algorithm;
    const struct evidence_key *key = trial->key;
    if (!find(trial, EVIDENCE_KEY, key != NULL) || !key)
        return trial->all;
    assert(key->key);
    struct slice alg = trial->text.alg;
    bool same = alg.len == 0 || (signature_algorithm_parse(alg, &algorithm) &&
                                 algorithm == signature_key_algorithm(key->key));
    /* As verify/web_bot_auth.c judges a request, with what the ledger has in place of what a directory says
     * just now: a key that was withdrawn since was good then. */
    return find(trial, EVIDENCE_THUMBPRINT, key->fits) && find(trial, EVIDENCE_KEYID, is_named(trial)) &&
           find(trial, EVIDENCE_ALG, same) &&
           find(trial, EVIDENCE_TEST_KEY,
                book->allow_test_keys || !jwk_is_published_test_key(entry->thumbprint)) &&
           find(trial, EVIDENCE_AGENT,
                key->agent && signed_names_agent(&trial->arena, &trial->text, slice_of(key->agent))) &&
           find(trial, EVIDENCE_DIRECTORY,
                key->relied_ms != INT64_MAX && key->relied_ms <= entry->recorded_ms + STEPPED_MS);
}

/* Beside the id's check, since a signature that stands for one is cut by its key's algorithm. */
static void find_key(struct trial *trial)
{
    const struct evidence_key *key =
        evidence_book_key(trial->judge->book, trial->entry->crawler_id, trial->entry->thumbprint);
    trial->key = key && key->key ? key : NULL;
}

static bool read_commitment(struct trial *trial)
{
    const struct evidence_site *site = trial->judge->book->site;
    struct message target = {.target = SLICE("")};
    const char *agent = trial->key ? trial->key->agent : NULL;
    if (!signed_split_url(trial->entry->resource, &target) && trial->text.kind != SIGNED_PAYMENT)
        return false;
    if (agent && !signed_hosts_of(&trial->arena, slice_of(agent), trial->host, &trial->insecure))
        return false;
    const struct dialect_place place = {.network = slice_of(site->network),
                                        .currency = slice_of(site->currency),
                                        .authority = target.authority,
                                        .url = trial->entry->resource,
                                        .insecure_hosts = &trial->insecure};
    return signed_read_commitment(&trial->arena, &place, &trial->text);
}

void evidence_judge(struct evidence_judge *judge, const struct evidence_entry *entry, bool all,
                    struct evidence_verdict *verdict)
{
    struct trial trial = {.judge = judge, .entry = entry, .verdict = verdict, .all = all};
    OBJECT_CHECK(judge, JUDGE_MAGIC);
    OBJECT_CHECK(judge->book, EVIDENCE_BOOK_MAGIC);
    assert(judge->book->site && entry->payment_id && entry->thumbprint);
    *verdict = (struct evidence_verdict){.failed = EVIDENCE_CHECKS};
    arena_init(&trial.arena, judge->memory, MEMORY_BYTES);
    bool read = signed_read(&trial.arena, entry->signature_base, &trial.text) && !trial.text.problem;
    if (!find(&trial, EVIDENCE_FORM, read) || !read)
        return;
    find_key(&trial);
    read = read_commitment(&trial);
    if (!find(&trial, EVIDENCE_COMMITMENT, read) || !read)
        return;
    /* The signature last, which costs more than all the others together. */
    if (judge_id(&trial) && judge_key(&trial) && trial.key)
        (void)find(&trial, EVIDENCE_SIGNATURE,
                   signature_verify(trial.key->key, entry->signature_base, entry->signature) == ERR_OK);
    /* Whoever is believed has been seen in every respect. */
    assert(verdict->failed < EVIDENCE_CHECKS || verdict->results[EVIDENCE_SIGNATURE] == EVIDENCE_GOOD);
}
