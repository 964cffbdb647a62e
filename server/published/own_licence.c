#include "server/published/own_licence.h"

#include "ledger/base/object.h"
#include "ledger/licence/licence.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LICENCE_MAGIC 0x1c3a70d5u

struct pages {
    char *text[LICENCE_FORMS]; /* NULL: not published */
};

struct own_licence {
    uint32_t magic;
    size_t count;
    struct pages sites[];
};

struct own_licence *own_licence_new(const struct config *config, int64_t now_ms)
{
    struct own_licence *own = calloc(1, sizeof(*own) + config->site_count * sizeof(*own->sites));
    if (!own)
        return NULL;
    OBJECT_MAKE(own, LICENCE_MAGIC);
    own->count = config->site_count;
    for (size_t i = 0; i < own->count; i++)
        for (enum licence_form form = 0; form < LICENCE_FORMS; form++) {
            if (!licence_published(&config->sites[i], form))
                continue;
            char *text = licence_write(form, &config->sites[i], config->offer_ttl_seconds, now_ms);
            if (!text) {
                own_licence_free(own);
                return NULL;
            }
            own->sites[i].text[form] = text;
        }
    return own;
}

void own_licence_free(struct own_licence *own)
{
    if (!own)
        return;
    OBJECT_END(own, LICENCE_MAGIC);
    for (size_t i = 0; i < own->count; i++)
        for (enum licence_form form = 0; form < LICENCE_FORMS; form++)
            free(own->sites[i].text[form]);
    free(own);
}

bool own_licence_reply(const struct own_licence *own, size_t site, struct slice path,
                       struct exchange *exchange)
{
    OBJECT_CHECK(own, LICENCE_MAGIC);
    assert(site < own->count);
    for (enum licence_form form = 0; form < LICENCE_FORMS; form++) {
        const char *text = own->sites[site].text[form];
        if (!text || !slice_eq(path, slice_of(licence_path(form))))
            continue;
        exchange->reply.status = 200;
        exchange->reply.fd = -1;
        exchange->reply.body = slice_of(text); /* outlives the request, as all of the gate does */
        return exchange_header(exchange, "Content-Type", licence_media_type(form)) &&
               exchange_header(exchange, "Cache-Control", "max-age=3600");
    }
    return false;
}
