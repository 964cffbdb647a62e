#include "server/gate/settlement.h"

#include "server/gate/crawl.h"

#include "ledger/base/clock.h"

#include <assert.h>

/* The entry may be of less than the price: the rest was let off, as by a site's own server. */
static enum err lower(struct charge *charge, int64_t amount_micros)
{
    if (amount_micros > charge->amount_micros)
        return ERR_PRICE_NOT_ACCEPTABLE;
    if (amount_micros >= 0) {
        charge->let_off_micros = charge->amount_micros - amount_micros;
        charge->amount_micros = amount_micros;
    }
    return ERR_OK;
}

/* As far as that is known without asking the ledger: whoever wants to know it settles. */
static enum err verify(const struct crawl *crawl)
{
    struct charge_outcome outcome;
    const struct charge *charge = &crawl->charge;
    if (charge->unless_repeat == ERR_OK || writer_recall(crawl->gate->parts.writer, charge, &outcome))
        return ERR_OK;
    return charge->unless_repeat;
}

bool settlement_goes_on(struct crawl *crawl, enum err *err)
{
    const struct settlement *settlement = crawl->settlement;
    if (!settlement || *err != ERR_OK)
        return *err == ERR_OK;
    if (settlement->only_verify) {
        *err = verify(crawl);
        return false;
    }
    *err = lower(&crawl->charge, settlement->amount_micros);
    return *err == ERR_OK;
}

void settlement_answer(struct crawl *crawl, enum err outcome)
{
    struct settlement *settlement = crawl->settlement;
    const struct charge_outcome *recorded = &crawl->submission.outcome;
    bool in_ledger = crawl->stage == CRAWL_RECORDING;
    assert(settlement && (!in_ledger || !settlement->only_verify));
    settlement->err = outcome;
    settlement->charged =
        outcome == ERR_OK &&
        (in_ledger || (settlement->only_verify && crawl->redeeming && !crawl->decision.observed));
    settlement->id = crawl->id_text;
    memcpy(settlement->uuid, crawl->id.uuid, UUID_SIZE);
    settlement->payer = crawl->key.key ? crawl->candidate->agent->account : SLICE("");
    if (outcome == ERR_OK && in_ledger)
        settlement->paid_micros = recorded->amount_micros;
    if (in_ledger)
        settlement->recorded_at = recorded->recorded_at_ms / 1000;
    crawl->exchange->reply.status = err_status(outcome);
}

bool settlement_is_question(const struct crawl *crawl)
{
    return crawl->settlement && (crawl->settlement->only_verify || crawl->late != ERR_OK);
}

void gate_make_offer(void *context, struct exchange *exchange, struct gate_offer *offer)
{
    struct gate_thread *thread = context;
    /* By this field who asks is a crawler, and nobody who could have terms of his own. */
    const struct message_field crawler = {SLICE("authorization"), SLICE("License offer")};
    struct crawl crawl = {
        .exchange = exchange, .gate = thread->gate, .thread = thread, .now_ms = clock_now_ms()};
    assert(thread->decides && !exchange->state);
    exchange->message.fields = &crawler;
    exchange->message.field_count = 1;
    *offer = (struct gate_offer){.err = crawl_arrive(&crawl)};
    offer->charged =
        offer->err == ERR_OK && crawl.decision.action == RULES_CHARGE && !crawl.decision.observed;
    if (offer->charged) {
        offer->price_micros = crawl.decision.price_micros;
        crawl_mint(&crawl, offer->id);
    }
    agreements_free(crawl.view);
    exchange->message.fields = NULL;
    exchange->message.field_count = 0;
}

bool gate_find_site(const struct gate *gate, struct slice authority, size_t *index)
{
    struct slice host;
    return rules_find_site(gate->rules, authority, index, &host);
}
