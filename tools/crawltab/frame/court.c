#include "tools/crawltab/frame/court.h"

#include "ledger/base/clock.h"

enum err court_open(struct pg *pg, const struct config *config, struct court *court)
{
    *court = (struct court){.pg = pg, .config = config};
    /* Keys that cannot be read, which not everybody may, keep nothing from being seen but whose the ids are.
     */
    if (!offer_keys_read(config, &court->keys))
        return ERR_OVERLOADED;
    return evidence_book_open(pg, config, &court->keys, &court->book);
}

void court_close(struct court *court)
{
    evidence_book_close(&court->book);
    offer_keys_free(&court->keys);
}

enum err court_rule(struct court *court, int64_t site_id, const char *site, ruling_tell *tell, void *context)
{
    const struct config_site *configured = config_site_called(court->config, site);
    struct dispute_court judges = {
        .pg = court->pg, .site = configured, .site_id = site_id, .book = &court->book};
    const struct dispute_caps caps = {configured ? configured->dispute_share : 0,
                                      configured ? configured->dispute_limit : 0};
    return ruling_on_pending(&judges, &caps, clock_now_ms(), tell, context);
}
