/* A reading of a crawler's account, on its way from the thread of its request to the reader's and back. */
#ifndef LEDGER_ACCOUNT_READING_H
#define LEDGER_ACCOUNT_READING_H

#include "ledger/account/inquiry.h"
#include "ledger/base/config/config.h"

#include <stdlib.h>

/* What the gate knows of the account's credit, in micro-units; limits: -1 for none. */
struct reading_credit {
    int64_t spent_today, owed;
    int64_t day_limit, balance_limit;
    int64_t left; /* -1: any amount */
};

/* The request as it was signed, for what a crawler does with it. */
struct reading_request {
    struct slice body, base, signature, thumbprint; /* as in struct dispute_request */
};

#define READING_MAGIC 0x5d20c9e3u

/* Lives with its request. All but `next` is the reader's from reader_submit until `done`. */
struct reading {
    uint32_t magic;
    const struct inquiry *inquiry;
    const struct config_site *site;
    struct slice agent; /* whose signature holds */
    struct reading_credit credit;
    const struct config_rule *const *rules; /* that charge this agent, in their order */
    size_t rule_count;
    struct reading_request request;

    enum err err; /* as in reader.h; ERR_OK with: */
    char *body;   /* the caller's to free */
    size_t len;
    const char *media_type; /* static */
    enum err refusal;       /* that the body tells more of; ERR_OK: none */
    bool created;           /* there is something now that was not there */

    void (*done)(struct reading *reading); /* on the reader's thread; the reading may end in it */
    void *owner;                           /* of `done` */
    struct reading *next;                  /* in the queue */
    int64_t deadline_ms;                   /* monotonic */
};

#endif
