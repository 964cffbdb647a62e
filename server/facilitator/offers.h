/* POST /offers (WIRE.md section 9): ids for pages, ahead of whoever will pay them. */
#ifndef SERVER_FACILITATOR_OFFERS_H
#define SERVER_FACILITATOR_OFFERS_H

#include "server/facilitator/answer.h"
#include "server/gate/gate.h"

struct offers_call {
    const struct config *config;
    const struct gate *gate;
    void *door; /* the gate's thread */
    const struct config_site *site;
    size_t site_index;
};

/* Fills the reply: an offer, or why there is none, for each resource of the body. */
void offers_answer(const struct offers_call *call, struct exchange *exchange);

#endif
