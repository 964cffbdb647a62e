/* What was delivered for a payment, as the gate saw it: recorded after the entry, when its answer has ended.
 * It is the publisher's own word, and of a gate that was killed the last second may be missing. */
#ifndef LEDGER_DELIVERY_DELIVERY_H
#define LEDGER_DELIVERY_DELIVERY_H

#include "ledger/base/crypto/digest.h"
#include "ledger/base/identifier/uuid.h"
#include "ledger/delivery/client_tag.h"
#include "ledger/delivery/file_digests.h"

#include <stdbool.h>

#define DELIVERY_AGENT_MAX 256 /* bytes of a User-Agent that are kept */

/* X(end, its name in the ledger, what it says) */
#define DELIVERY_ENDS(X)                                                                                     \
    X(DELIVERY_WHOLE, "whole", "all of it was handed to the network")                                        \
    X(DELIVERY_CUT, "cut", "the connection ended before all of it was handed to the network")                \
    X(DELIVERY_BROKEN, "broken", "the site's own server broke off")                                          \
    X(DELIVERY_HANDED, "handed", "a front that was told yes delivers: what came of it is not known here")

enum delivery_end {
#define DELIVERY_ENUM(end, name, what) end,
    DELIVERY_ENDS(DELIVERY_ENUM)
#undef DELIVERY_ENUM
        DELIVERY_ENDS_COUNT
};

const char *delivery_end_name(enum delivery_end end);
/* What the ledger's name of it says; static. */
const char *delivery_end_sentence(const char *name);

struct delivery {
    uint8_t payment_id[UUID_SIZE];
    bool repeated; /* for an entry that was there before */
    int64_t ended_ms;
    enum delivery_end end;
    unsigned status;    /* 0: not known */
    int64_t sent_bytes; /* -1: not known */
    bool digested;
    uint8_t digest[DIGEST_SIZE]; /* of what was sent, where digested */
    uint8_t client[CLIENT_TAG_SIZE];
    struct file_version
        file; /* what it was sent from, where that is still to be read; fd is -1: nothing is */
    int fd;   /* owned */
    struct slice site, user_agent;
};

#endif
