/* A request in observe mode goes the way of a paid one up to its signature, so that what is told would really
 * have come of it, and is then turned into one that anybody might have sent. */
#include "server/gate/observe.h"

#include <assert.h>

bool observe_is(const struct crawl *crawl, enum err arrived)
{
    return crawl->decision.observed && (arrived == ERR_OK || arrived == ERR_BLOCKED);
}

/* Nothing that the site's own server or the reply looks at may tell this request from a person's. */
static void free_it(struct crawl *crawl)
{
    crawl->decision.action = RULES_ALLOW;
    crawl->decision.account = NULL;
    crawl->redeeming = false;
}

bool observe_begin(struct crawl *crawl, enum err arrived)
{
    enum err err = arrived;
    assert(crawl->decision.observed && crawl->site);
    if (err == ERR_OK)
        err = crawl->decision.action == RULES_CHARGE ? crawl_redeem(crawl) : crawl_identify(crawl);
    crawl->observed = err == ERR_OK ? crawl->late : err; /* nothing was recorded that it could repeat */
    if (err == ERR_OK)
        return true;
    /* It is decided; a signature without a payment may yet tell whose request it is. Before that it is free:
     * the policy asks for no payment then. */
    free_it(crawl);
    return crawl_identify(crawl) == ERR_OK;
}

void observe_end(struct crawl *crawl, enum err err)
{
    assert(crawl->decision.observed && !crawl->claim.account); /* nothing was reserved: nobody pays */
    /* The first failure is the one that a crawler would have heard. */
    if (crawl->observed == ERR_OK)
        crawl->observed = err;
    free_it(crawl);
}

static bool has_price(const struct crawl *crawl)
{
    return crawl->decision.price_micros > 0;
}

const char *observe_name(const struct crawl *crawl)
{
    if (crawl->observed == ERR_PAYMENT_REQUIRED)
        return "offered";
    if (crawl->observed != ERR_OK)
        return err_code(crawl->observed);
    return has_price(crawl) ? "paid" : "free";
}

/* A front that asks delivers it by itself. */
static bool gives_content(const struct crawl *crawl)
{
    const struct exchange *exchange = crawl->exchange;
    const struct exchange_reply *reply = &exchange->reply;
    bool content = reply->status == 200 || reply->status == 203 || reply->status == 206;
    uint64_t size = reply->fd >= 0 || (reply->stream && !reply->body.data) ? reply->length : reply->body.len;
    return content && (size > 0 || crawl->thread->decides) &&
           slice_eq(exchange->message.method, SLICE("GET"));
}

int64_t observe_amount(const struct crawl *crawl)
{
    bool may_pay = crawl->observed == ERR_OK || err_status(crawl->observed) == 402;
    return may_pay && has_price(crawl) && gives_content(crawl) ? crawl->decision.price_micros : 0;
}
