/* The steps up to the ledger: who asks for what, and whether the commitment and its signature hold. */
#include "server/gate/crawl.h"

#include "server/published/attest.h"

#include "ledger/base/clock.h"
#include "ledger/base/crypto/random.h"
#include "ledger/base/instant.h"
#include "ledger/base/metrics/metrics.h"
#include "ledger/base/text/text.h"
#include "ledger/dialect/claims.h"
#include "server/gate/account.h"
#include "server/gate/allow.h"
#include "server/gate/forward.h"
#include "server/gate/tool.h"

#include <assert.h>

/* An answer that was lost can be had again for so long after the offer or, where the id is made of what was
 * signed, after that: the writer looks for nothing that is older. */
#define LATE_SECONDS 3600

/* Of the arena, at most: the receipt's fields with a network of 64 characters, and so much for each of the
 * payer's, which x402 has in JSON and in base64. */
#define RECEIPT_BYTES       2048
#define RECEIPT_PAYER_BYTES 5

static enum err find_site(struct crawl *crawl)
{
    const struct gate *gate = crawl->gate;
    struct message *message = &crawl->exchange->message;
    if (message->authority.len == 0)
        message->authority = rules_only_host(gate->rules);
    if (!rules_find_site(gate->rules, message->authority, &crawl->site_index, &message->authority))
        return ERR_MISDIRECTED;
    assert(crawl->site_index < gate->parts.config->site_count);
    crawl->site = &gate->parts.config->sites[crawl->site_index];
    message->scheme = slice_of(crawl->site->scheme);
    struct text url = text_begin(&crawl->exchange->arena);
    text_add(&url, message->scheme);
    text_add(&url, SLICE("://"));
    text_add(&url, message->authority);
    text_add(&url, message->target);
    crawl->url = text_end(&url);
    return crawl->url.data ? ERR_OK : ERR_REQUEST_TOO_LARGE;
}

struct payment_offer crawl_offer(const struct crawl *crawl)
{
    assert(crawl->site);
    const struct message *message = &crawl->exchange->message;
    return (struct payment_offer){
        .site = slice_of(crawl->site->name),
        .network = slice_of(crawl->site->network),
        .terms_url = slice_of(crawl->site->terms_url),
        .authority = message->authority,
        .target = tool_costs(crawl) ? crawl->tool->rpc.target : message->target,
    };
}

void crawl_mint(const struct crawl *crawl, char id[PAYMENT_ID_TEXT])
{
    uint8_t random[10];
    struct payment_offer offer = crawl_offer(crawl);
    random_bytes(random, sizeof(random));
    random[sizeof(random) - 1] = payment_id_lane(crawl->gate->lane, crawl->now_ms);
    payment_id_mint(&crawl->thread->keys, &offer, crawl->now_ms, crawl->decision.price_micros, random, id);
}

static struct tariff_place place_at(const struct crawl *crawl, struct slice path)
{
    return (struct tariff_place){crawl->view, crawl->site, path, crawl->now_ms};
}

static struct tariff_place place_of(const struct crawl *crawl)
{
    return place_at(crawl, crawl->path);
}

static struct rules_decision decide_at(struct crawl *crawl, struct slice path,
                                       const struct signature_agent *agents)
{
    struct rules_decision decision =
        rules_decide(crawl->gate->rules, crawl->site_index, &crawl->exchange->message, path, agents);
    if (tool_costs(crawl)) {
        decision = tool_decide(crawl, &decision);
        path = crawl->tool->rpc.item;
    }
    /* Agreements are looked at only for who says who he is, or pays: a person's request takes no lock. */
    if (decision.action != RULES_CHARGE || (!agents && !crawl->commitment.dialect))
        return decision;
    if (!crawl->view)
        crawl->view = refresh_take_agreements(crawl->gate->parts.accounts);
    if (crawl->view) {
        struct tariff_place place = place_at(crawl, path);
        tariff_apply(&place, agents, &decision);
    }
    return decision;
}

/* A page has one place, and may have other names that are links: whoever knows one of them gets it for no
 * less than where it is. */
static enum err judge_place(struct crawl *crawl, const struct signature_agent *agents)
{
    struct slice led;
    enum err err = content_follow(&crawl->thread->view, crawl->gate->roots[crawl->site_index],
                                  &crawl->exchange->arena, crawl->path, &led);
    if (err != ERR_OK || !led.data)
        return err;
    struct rules_decision there = decide_at(crawl, rules_page(led), agents);
    if (rules_dearer(&there, &crawl->decision))
        crawl->decision = there;
    return ERR_OK;
}

bool crawl_takes_method(const struct config_site *site, struct slice method)
{
    bool takes = slice_eq(method, SLICE("GET")) || slice_eq(method, SLICE("HEAD"));
    for (size_t i = 0; i < site->methods.count && !takes; i++)
        takes = slice_eq(method, slice_of(site->methods.items[i]));
    return takes;
}

/* Who the request claims to be, by its commitment first and then by its signatures. A field that does not
 * parse names nobody; it is refused where a signature or a commitment is asked for. */
static const struct signature_agent *read_claimed(struct crawl *crawl)
{
    const struct config *config = crawl->gate->parts.config;
    const struct message *message = &crawl->exchange->message;
    struct arena *arena = &crawl->exchange->arena;
    const struct dialect_place place = {.network = slice_of(crawl->site->network),
                                        .currency = slice_of(crawl->site->currency),
                                        .pay_to = slice_of(crawl->site->pay_to),
                                        .authority = message->authority,
                                        .url = crawl->url,
                                        .insecure_hosts = &config->directory_insecure_hosts};
    const struct signature_agent *agents = NULL;
    if (signature_agent_parse(arena, message, place.insecure_hosts, &crawl->agents) == ERR_OK)
        agents = crawl->agents.first;
    crawl->committed = dialect_read(arena, message, &place, &crawl->commitment);
    if (crawl->committed != ERR_OK || !crawl->commitment.claims)
        return agents;
    struct signature_agent *issuer = arena_alloc(arena, sizeof(*issuer));
    if (!issuer) {
        crawl->committed = ERR_REQUEST_TOO_LARGE;
        return agents;
    }
    *issuer = crawl->commitment.claims->agent;
    /* First, as it is who pays; a rule may still be for somebody who has signed the request. */
    issuer->next = crawl->agents.first && agents ? crawl->agents.first : NULL;
    return issuer;
}

enum err crawl_arrive(struct crawl *crawl)
{
    assert(!crawl->view && !crawl->site);
    enum err err;
    struct exchange *exchange = crawl->exchange;
    const struct gate *gate = crawl->gate;
    /* The host first: which rules hold, and what an error may offer, are the site's. */
    TRY(find_site(crawl));
    if (account_asked(crawl))
        return account_arrive(crawl);
    if (!crawl->thread->decides && !crawl_takes_method(crawl->site, exchange->message.method))
        return ERR_METHOD_NOT_ALLOWED;
    TRY(rules_path(&exchange->arena, message_path(&exchange->message), &crawl->path, &crawl->plain));
    TRY(tool_arrive(crawl));
    const struct signature_agent *agents = read_claimed(crawl);
    crawl->decision = decide_at(crawl, crawl->path, agents);
    /* Not where all is free anyway: to follow a path costs system calls. */
    if (gate->roots[crawl->site_index] && crawl->plain && !tool_costs(crawl) &&
        !rules_free_for_all(crawl->path))
        TRY(judge_place(crawl, agents));
    if (crawl->decision.action == RULES_BLOCK)
        err = ERR_BLOCKED;
out:
    return err;
}

struct web_bot_auth_policy crawl_policy(struct crawl *crawl)
{
    if (crawl->inquiry)
        return account_policy(crawl);
    const struct config *config = crawl->gate->parts.config;
    const struct commitment *commitment = &crawl->commitment;
    bool charged = crawl->decision.action == RULES_CHARGE;
    struct slice field =
        commitment->dialect && commitment->dialect->write_receipt ? commitment->field : SLICE("payment");
    struct web_bot_auth_policy policy = web_bot_auth_policy(config, crawl->site, charged ? field : SLICE(""));
    if (charged && commitment->dialect && commitment->id.len == 0) {
        /* The time that is signed will be the id's, and must be one that an offer could have. */
        policy.max_age = crawl->late != ERR_OK ? LATE_SECONDS : config->offer_ttl_seconds;
        /* No id binds the payment to this host: the signature must, whatever the site asks for else. */
        if (policy.target == WEB_BOT_AUTH_NO_TARGET)
            policy.target = WEB_BOT_AUTH_AUTHORITY;
        if (policy.clock_skew > PAYMENT_ID_AHEAD_SECONDS)
            policy.clock_skew = PAYMENT_ID_AHEAD_SECONDS;
    }
    policy.expired_taken = crawl->late != ERR_OK;
    policy.now = crawl->now_ms / 1000; /* of arrival: a wait for a directory makes no signature too old */
    policy.agents = &crawl->agents;
    policy.body_elsewhere = crawl->thread->decides;
    policy.changes_taken = policy.changes_taken || crawl->thread->decides; /* the front's business */
    policy.trace = &crawl->trace;
    return policy;
}

static enum err select_signatures(struct crawl *crawl)
{
    struct web_bot_auth_policy policy = crawl_policy(crawl);
    return web_bot_auth_select(&crawl->exchange->arena, &crawl->exchange->message, &policy,
                               &crawl->candidate);
}

/* The commitment must be for this site, this URL, at the price that this agent has now or, if it was recorded
 * then, had once. */
static enum err open_commitment(struct crawl *crawl)
{
    enum err err;
    struct payment_offer offer = crawl_offer(crawl);
    const struct commitment *commitment = &crawl->commitment;
    const struct config *config = crawl->gate->parts.config;
    int64_t price = crawl->decision.price_micros;
    int64_t ttl_seconds = crawl->late != ERR_OK ? LATE_SECONDS : config->offer_ttl_seconds;
    TRY(crawl->committed);
    /* The id is opened before any signature is looked at: it costs a hash, and without it nothing is owed. */
    if (commitment->id.len > 0) {
        TRY(payment_id_open(&crawl->thread->keys, &offer, commitment->id, crawl->now_ms, ttl_seconds,
                            &crawl->id));
        crawl->id_text = commitment->id;
        if (commitment->amount_micros >= 0 && commitment->amount_micros != crawl->id.price_micros)
            return ERR_OFFER_MISMATCH;
    } else {
        bool less = commitment->at_most && price < commitment->amount_micros;
        crawl->id.price_micros = less ? price : commitment->amount_micros;
    }
    assert(crawl->id.price_micros >= 0 && crawl->id.price_micros <= AMOUNT_PRICE_MAX);
    crawl->at_other_price = crawl->view && crawl->id.price_micros != price;
out:
    return err;
}

/* Without an id of an offer, the one that comes from what was signed. */
static enum err complete_id(struct crawl *crawl)
{
    char *text = arena_bytes(&crawl->exchange->arena, UUID_TEXT_MAX);
    if (crawl->id_text.len > 0)
        return ERR_OK;
    if (!text)
        return ERR_REQUEST_TOO_LARGE;
    payment_id_derive(crawl->candidate->created,
                      signature_fixed_part(crawl->key.jwk.algorithm, crawl->candidate->signature),
                      crawl->id.uuid);
    crawl->id_text = slice_of(uuid_format(crawl->id.uuid, text));
    return ERR_OK;
}

/* Claims count by themselves: what else is signed in the request is not looked at. */
static enum err select_claims(struct crawl *crawl)
{
    struct web_bot_auth_policy policy = crawl_policy(crawl);
    return claims_select(&crawl->exchange->arena, &policy, crawl->commitment.claims, &crawl->candidate);
}

static enum err open_signed(struct crawl *crawl)
{
    enum err err;
    TRY(open_commitment(crawl));
    /* Nobody signs a field for each call of a tool; and no signature of a request would name this URL. */
    if (tool_costs(crawl) && !crawl->commitment.claims)
        return ERR_MALFORMED_COMMITMENT;
    TRY(crawl->commitment.claims ? select_claims(crawl) : select_signatures(crawl));
out:
    return err;
}

enum err crawl_redeem(struct crawl *crawl)
{
    if (slice_eq(crawl->exchange->message.method, SLICE("HEAD")))
        return ERR_PAYMENT_REQUIRED; /* it gives no content away, so it takes no money */
    enum err err = open_signed(crawl);
    bool over = err == ERR_OFFER_EXPIRED || err == ERR_SIGNATURE_EXPIRED;
    /* In x402 whoever lost an answer sends the same payment again, when its times may be over: it gets what
     * it has paid for, once its signature holds and the ledger has it. */
    if (over && crawl->commitment.dialect == &dialect_x402) {
        crawl->late = err;
        if (open_signed(crawl) == ERR_OK)
            err = ERR_OK;
    }
    crawl->redeeming = err == ERR_OK;
    return err;
}

enum err crawl_identify(struct crawl *crawl)
{
    return select_signatures(crawl);
}

struct tariff_agent crawl_payer(const struct crawl *crawl)
{
    assert(crawl->candidate && crawl->candidate->agent->err == ERR_OK);
    struct slice account = crawl->candidate->agent->account;
    return (struct tariff_agent){account, rules_share_origin(crawl->gate->rules, crawl->site_index, account)};
}

/* A payment is charged once however often it is sent, and gets the page again. For a page that is free the
 * nonce says that nobody else has sent the request before. */
static enum err use_nonce(struct crawl *crawl, const struct web_bot_auth_policy *policy)
{
    const struct web_bot_auth_candidate *candidate = crawl->candidate;
    struct web_bot_auth_checked checked = {.check = CHECK_NONCE, .label = candidate->label, .ok = true};
    if (candidate->nonce.len > 0)
        checked.ok = nonces_take(crawl->gate->parts.nonces, candidate->thumbprint, candidate->nonce,
                                 policy->now, candidate->until);
    return web_bot_auth_tell(policy, &crawl->exchange->arena, &checked, "%s",
                             checked.ok ? "new, or not given" : "used before")
               ? ERR_OK
               : ERR_SIGNATURE_EXPIRED;
}

/* One candidate whose agent may be asked for: the rule may be for one account alone. */
static enum err try_candidate(struct crawl *crawl, bool *asked)
{
    const struct web_bot_auth_candidate *candidate = crawl->candidate;
    if (crawl->decision.account && !slice_eq(*crawl->decision.account, candidate->agent->account))
        return ERR_SIGNATURE_REQUIRED;
    enum err err = ERR_OK;
    if (crawl->redeeming && !crawl->view)
        return ERR_LEDGER_UNAVAILABLE; /* what the page costs this crawler is not known yet */
    if (crawl->redeeming) {
        struct tariff_place place = place_of(crawl);
        struct tariff_agent agent = crawl_payer(crawl);
        TRY(tariff_admits(&place, &agent,
                          rules_admit(crawl->gate->rules, crawl->site_index, candidate->agent)));
    }
    /* Only now is a directory asked for: whoever may not pay here anyway makes the gate fetch nothing. */
    crawl->trace.failed = CHECK_KEY;
    switch (directory_find(crawl->gate->parts.directory, candidate->agent->directory_url,
                           candidate->thumbprint, crawl->now_ms, crawl->waited, &crawl->key)) {
    case DIRECTORY_ASK:
        crawl->waited = true;
        err = directory_await(crawl->gate->parts.directory, candidate->agent->directory_url, &crawl->wait);
        *asked = err == ERR_OK;
        return err;
    case DIRECTORY_NO_KEY:
        return ERR_KEY_UNKNOWN;
    case DIRECTORY_UNAVAILABLE:
        return ERR_DIRECTORY_UNAVAILABLE;
    case DIRECTORY_KEY:
        break;
    }
    assert(crawl->key.key);
    struct web_bot_auth_policy policy = crawl_policy(crawl);
    int64_t begun_ns = clock_monotonic_ns();
    err = web_bot_auth_verify(&crawl->exchange->arena, &policy, candidate, crawl->key.key);
    metrics_observe(HISTOGRAM_VERIFY, clock_monotonic_ns() - begun_ns);
    if (err == ERR_OK && !crawl->redeeming && !crawl->decision.observed)
        err = use_nonce(crawl, &policy);
    if (err == ERR_OK && crawl->redeeming)
        err = complete_id(crawl);
    if (err != ERR_OK)
        directory_key_clear(&crawl->key);
    else
        crawl->trace.failed = CHECK_COUNT;
out:
    return err;
}

/* True for what says nothing about the signature. */
static bool may_pass(enum err failure)
{
    return err_status(failure) == 503 || failure == ERR_RATE_LIMITED;
}

enum err crawl_authenticate(struct crawl *crawl, bool *asked)
{
    enum err err = ERR_SIGNATURE_REQUIRED;
    *asked = false;
    while (crawl->candidate) {
        err = try_candidate(crawl, asked);
        if (err == ERR_OK)
            return ERR_OK;
        if (!may_pass(crawl->failure))
            crawl->failure = err; /* "try again" is the kinder answer when one could not be judged */
        crawl->candidate = crawl->candidate->next;
        crawl->waited = false; /* each candidate's directory may be waited for once */
    }
    assert(err != ERR_OK);
    return crawl->failure != ERR_OK ? crawl->failure : err;
}

enum err crawl_deliver(struct crawl *crawl)
{
    assert(crawl->site && crawl->path.len > 0);
    const struct gate *gate = crawl->gate;
    if (crawl->settlement)
        return ERR_OK;
    if (crawl->thread->decides)
        return allow_write(crawl);
    if (!crawl->plain)
        return ERR_NOT_FOUND;
    crawl->asks = tool_costs(crawl);
    if (crawl->asks)
        return ERR_OK;
    bool changes = web_bot_auth_changes(&crawl->exchange->message);
    if (!changes && own_directory_is_at(crawl->path))
        return own_directory_reply(gate->own_directory, crawl->exchange, crawl->now_ms);
    if (!changes && gate->parts.config->identity_sign_offers && attest_is_at(crawl->path))
        return attest_reply(gate->own_directory, crawl->exchange, crawl->now_ms);
    if (!changes && own_licence_reply(gate->own_licence, crawl->site_index, crawl->path, crawl->exchange))
        return ERR_OK;
    const struct content_root *root = gate->roots[crawl->site_index];
    enum err err = ERR_NOT_FOUND;
    if (root && !changes)
        err = content_find(&crawl->thread->view, root, &crawl->exchange->arena, crawl->path, &crawl->content);
    /* What was paid for, or is one crawler's, no cache may give to others. */
    crawl->content.shared = !crawl->redeeming && !crawl->decision.account;
    if (err == ERR_OK)
        return content_answer(&crawl->content, crawl->exchange, crawl->path, crawl->now_ms);
    crawl->asks = err == ERR_NOT_FOUND && *crawl->site->origin;
    return crawl->asks ? ERR_OK : err;
}

enum err crawl_ask(struct crawl *crawl, void (*ready)(void *crawl, struct origin_answer *answer))
{
    struct origin_request request;
    assert(crawl->asks && !crawl->answer && *crawl->site->origin);
    if (!forward_request(crawl, &request))
        return ERR_REQUEST_TOO_LARGE;
    crawl->answer = origin_ask(crawl->exchange->upstream, &request, crawl->exchange);
    if (!crawl->answer)
        return ERR_OVERLOADED;
    crawl->answer->ready = ready;
    crawl->answer->ready_context = crawl;
    crawl->stage = CRAWL_ASKING;
    return ERR_OK;
}

/* Until the day is over nobody can pay, and only who sees the clocks can tell why. */
static void tell_sealed(const struct crawl *crawl, struct credit *credit)
{
    char until[INSTANT_TEXT_MAX];
    int64_t until_ms =
        credit_sealed_until(credit, slice_of(crawl->site->name), uuid_ms(crawl->charge.payment_id));
    if (until_ms == 0)
        return;
    LOG(ERROR, "payment_day_sealed", {"site", crawl->site->name}, {"until", instant_format(until_ms, until)},
        {"detail", "a payment was refused: its billing day is sealed, and takes no entry any more"},
        {"hint",
         "a crawltab nightly whose clock was ahead has closed the day, or the clock here is behind: set"
         " them right; a sealed day stays so, payments are taken from its end on"});
}

struct credit_limits crawl_limits(const struct crawl *crawl)
{
    struct tariff_place place = place_of(crawl);
    struct tariff_agent agent = crawl_payer(crawl);
    return tariff_limits(&place, &agent);
}

/* Only the signature proves whose credit it is. */
static enum err reserve(struct crawl *crawl)
{
    struct tariff_place place = place_of(crawl);
    const struct agreements_terms *terms = tariff_terms(&place, crawl->charge.agent);
    struct credit_limits limits = crawl_limits(crawl);
    crawl->charge.agreement_id = terms ? terms->agreement_id : 0;
    /* Reserved before the entry is written and given back if it is not: between the two others pay, too. */
    struct credit *credit = refresh_credit(crawl->gate->parts.accounts);
    enum err err =
        credit_reserve(credit, slice_of(crawl->site->name), &crawl->charge, &limits, &crawl->claim);
    crawl->charge.doubtful = crawl->claim.doubtful;
    if (crawl->claim.pressing)
        refresh_press(crawl->gate->parts.accounts);
    if (err == ERR_LEDGER_UNAVAILABLE)
        tell_sealed(crawl, credit);
    assert((err == ERR_OK) == (crawl->claim.account != NULL));
    if (err != ERR_CREDIT_LIMIT_REACHED)
        return err;
    /* A crawler at its limit may still ask for what it has paid for: the writer looks whether it is a
     * repeat. */
    crawl->charge.unless_repeat = err;
    return ERR_OK;
}

void crawl_settle(struct crawl *crawl)
{
    credit_settle(refresh_credit(crawl->gate->parts.accounts), &crawl->claim, &crawl->charge,
                  &crawl->submission.outcome);
    crawl->claim.account = NULL;
}

void crawl_release(struct crawl *crawl)
{
    const struct charge_outcome none = {.err = ERR_NOT_FOUND};
    credit_settle(refresh_credit(crawl->gate->parts.accounts), &crawl->claim, &crawl->charge, &none);
    crawl->claim.account = NULL;
}

/* The reply's strong validator (RFC 9110 section 8.8.1), or nothing. Of two nobody knows which one holds. */
static struct slice validator_of(const struct exchange_reply *reply)
{
    struct slice found = SLICE("");
    size_t count = 0;
    for (const struct exchange_header *header = reply->headers; header; header = header->next)
        if (slice_eq_nocase(slice_of(header->name), SLICE("etag"))) {
            found = slice_trim(slice_of(header->value));
            count++;
        }
    bool strong = count == 1 && found.len > 2 && found.data[0] == '"' && found.data[found.len - 1] == '"';
    return strong ? found : SLICE("");
}

void crawl_note_copy(struct crawl *crawl)
{
    const struct exchange_reply *reply = &crawl->exchange->reply;
    struct charge *charge = &crawl->charge;
    if (crawl->decision.recrawl_ms == 0 || crawl->thread->decides ||
        web_bot_auth_changes(&crawl->exchange->message))
        return;
    struct slice validator = validator_of(reply);
    const uint64_t length = crawl->url.len;
    const struct slice parts[] = {slice_bytes((const uint8_t *)&length, sizeof(length)), crawl->url,
                                  validator};
    charge->recrawl_ms = crawl->decision.recrawl_ms;
    charge->validated = validator.len > 0 && (reply->status == 200 || reply->status == 206);
    charge->whole = reply->status == 200;
    if (charge->validated)
        digest_sha256(parts, sizeof(parts) / sizeof(*parts), charge->copy);
}

enum err crawl_prepare_charge(struct crawl *crawl)
{
    assert(crawl->redeeming && crawl->key.key && crawl->candidate);
    const struct web_bot_auth_candidate *candidate = crawl->candidate;
    const struct arena *arena = &crawl->exchange->arena;
    size_t attested = crawl->gate->parts.config->identity_sign_offers ? ATTEST_RECEIPT_BYTES : 0;
    char *canonical = arena_copy(&crawl->exchange->arena, slice_of(crawl->key.jwk.canonical));
    /* Who is charged must get the receipt. */
    if (!canonical || arena->size - arena->used <
                          RECEIPT_BYTES + attested + RECEIPT_PAYER_BYTES * candidate->agent->account.len)
        return ERR_REQUEST_TOO_LARGE;
    crawl->charge = (struct charge){
        .site = crawl->site_index,
        .amount_micros = crawl->id.price_micros,
        .agent = candidate->agent->account,
        .directory_url = candidate->agent->directory_url,
        .snapshot = crawl->key.snapshot,
        .public_key = slice_of(canonical),
        .rule = tool_costs(crawl) ? crawl->tool->rpc.item : slice_of(crawl->decision.rule),
        .resource = crawl->url,
        .signature = candidate->signature,
        .signature_base = candidate->base,
        .identifier = crawl->commitment.identifier,
    };
    memcpy(crawl->charge.payment_id, crawl->id.uuid, UUID_SIZE);
    memcpy(crawl->charge.thumbprint, candidate->thumbprint, DIGEST_SIZE);
    memcpy(crawl->charge.payload, crawl->commitment.payload, DIGEST_SIZE);
    crawl->charge.unless_repeat = crawl->late;
    if (crawl->late != ERR_OK)
        return ERR_OK;
    if (!crawl->at_other_price)
        return reserve(crawl);
    /* The price has changed since the offer was made: then only what was paid before is given again. */
    crawl->charge.unless_repeat =
        crawl->commitment.id.len > 0 ? ERR_OFFER_MISMATCH : ERR_PRICE_NOT_ACCEPTABLE;
    return ERR_OK;
}
