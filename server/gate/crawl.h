/* One request on its way through the gate. The steps are pure decisions over what is in here; the coordinator
 * in gate_passage.c parks and replies. */
#ifndef SERVER_GATE_CRAWL_H
#define SERVER_GATE_CRAWL_H

#include "server/content/content.h"
#include "server/gate/gate.h"
#include "ledger/entry/offer_key.h"
#include "server/published/own_directory.h"
#include "server/published/own_licence.h"
#include "ledger/entry/payment_id.h"
#include "server/rules/rules.h"
#include "server/rules/tariff.h"
#include "server/origin/origin.h"
#include "ledger/dialect/dialect.h"
#include "ledger/verify/web_bot_auth.h"

#define GATE_MAGIC        0x2b7f5e90u
#define GATE_THREAD_MAGIC 0xe4d8136bu

struct gate {
    uint32_t magic;
    struct gate_parts parts;
    struct rules *rules;
    struct own_directory *own_directory;
    struct own_licence *own_licence;
    struct content_root **roots;           /* per site */
    struct account_limits *account_limits; /* NULL: crawlers' accounts are not shown */
    struct offer_key offer_key;
    uint8_t lane; /* the first of its ids, see payment_id_lane */
};

/* What one HTTP thread owns. */
struct gate_thread {
    uint32_t magic;
    struct gate *gate;
    struct payment_keys keys;
    struct tally *tally;        /* NULL: nothing is counted */
    struct hmac *client_tags;   /* NULL: what is delivered is not recorded */
    bool decides;               /* says whether, and lets others deliver */
    int64_t told_ms;            /* when it last said that a site's amount does not count */
    struct content_view view;   /* of the site's folder, in one turn */
    struct crawl *first, *last; /* whose signatures are to be verified, in the order of their coming */
};

enum crawl_stage {
    CRAWL_ARRIVED,
    CRAWL_AUTHENTICATING, /* parked: in the thread's list, or until its directory is fetched */
    CRAWL_CHECKING,       /* whether its payment id was used before, which the ledger knows; parked */
    CRAWL_CHECKED,        /* it was not, and is to be recorded */
    CRAWL_ASKING,         /* the site's own server; parked */
    CRAWL_JOINED,         /* the same call of a tool is being made; parked */
    CRAWL_READING,        /* its own account, by the reader; parked */
    CRAWL_DECIDED,        /* without the ledger: the outcome is the crawl's */
    CRAWL_RECORDING,      /* the outcome is the submission's */
};

#define CRAWL_MAGIC 0xc4a71e5d

/* In the request's arena, from arrival to reply. The fetch thread and the writer's give it back by its wait
 * and its submission, which are members. */
struct crawl {
    uint32_t magic;
    struct exchange *exchange;
    struct gate *gate;
    struct gate_thread *thread; /* where it came in; not to be used while parked: it may outlive it */
    enum crawl_stage stage;
    enum err outcome;   /* when decided */
    struct crawl *next; /* in the thread's list */
    int64_t now_ms;     /* of arrival: one time for the whole request */
    int64_t begun_ms;   /* the same, monotonic */
    bool noted;         /* for the log of decisions */

    size_t site_index;
    const struct config_site *site; /* NULL until the host is known */
    struct slice path;
    bool plain; /* the path, see rules_path */
    struct slice url;
    struct inquiry *inquiry;        /* about its own account (account.h); NULL: it asks for a page */
    struct reading *reading;        /* of the account, once that is being read */
    struct tool *tool;              /* a message of MCP to do something about (tool.h); NULL: none */
    struct content content;         /* the page, while it is looked at */
    bool asks;                      /* the page is the site's own server's to give */
    struct origin_answer *answer;   /* its answer, until the reply has it */
    struct reporter *reporter;      /* told if that breaks off, when the gate may be gone */
    struct signature_agents agents; /* who the request says has signed, read once on arrival */
    struct commitment commitment;   /* read on arrival too, as it may say who pays; */
    enum err committed;             /* what its reading returned */
    struct rules_decision decision;
    struct agreements *view; /* agreements, for who signs or pays; NULL: not read yet */
    enum err observed;       /* where decision.observed: what would have come of it */
    bool redeeming;          /* a charged page with a commitment that holds; else free, or refused */
    struct payment_id
        id; /* with a price as soon as it is redeeming, with the rest when its signature holds */
    struct slice id_text;
    bool at_other_price; /* the id's: it may only be a repeat, and then gets its receipt */
    enum err late; /* likewise: why it was refused if it is none, as its times are over; ERR_OK: they hold */

    struct web_bot_auth_candidate *candidate; /* that is being tried */
    struct directory_key key;                 /* of the candidate, once found */
    bool waited;                              /* for this candidate's directory */
    enum err failure;                         /* of the candidates so far */
    struct web_bot_auth_trace trace;          /* keeps the name of the check that failed */
    struct directory_wait wait;
    struct charge charge;
    struct submission submission;  /* of the charge, once it is recording */
    struct credit_claim claim;     /* the price, until it is settled */
    struct settlement *settlement; /* that it is about; NULL: who asks wants the page */
};

/* True if the site takes requests of this method, GET and HEAD among them. */
bool crawl_takes_method(const struct config_site *site, struct slice method);

/* Finds site, path and rule. ERR_OK with crawl->decision. */
enum err crawl_arrive(struct crawl *crawl) MUST_USE;

/* What a payment id for this request is bound to. */
struct payment_offer crawl_offer(const struct crawl *crawl);

/* A new id for this request, at the price that was decided on. */
void crawl_mint(const struct crawl *crawl, char id[PAYMENT_ID_TEXT]);

/* What a signature must satisfy for the page as it was decided on. */
struct web_bot_auth_policy crawl_policy(struct crawl *crawl);

/* For a charged page: opens the commitment and the signatures. ERR_OK with crawl->candidate. Nothing is told
 * about the content: not even whether it is there. */
enum err crawl_redeem(struct crawl *crawl) MUST_USE;

/* For a page that is free for one account: the signatures that may prove it. */
enum err crawl_identify(struct crawl *crawl) MUST_USE;

/* The terms that hold for the agent whose signature does, once crawl->view is there. */
struct tariff_agent crawl_payer(const struct crawl *crawl);
struct credit_limits crawl_limits(const struct crawl *crawl);

/* Tries the candidates. *asked: the directory of one is being fetched, which resumes the exchange; it may
 * have done so already. ERR_OK otherwise: crawl->candidate verified. Else why the last one did not. */
enum err crawl_authenticate(struct crawl *crawl, bool *asked) MUST_USE;

/* Prepares the content as the reply, for who may have it: only then is anything told about it. ERR_OK with
 * crawl->asks: the site's own server is to be asked for it. Where others deliver, the reply says yes. */
enum err crawl_deliver(struct crawl *crawl) MUST_USE;

/* Asks it. After ERR_OK `ready` is called once, on the crawl's thread, with the crawl. */
enum err crawl_ask(struct crawl *crawl, void (*ready)(void *crawl, struct origin_answer *answer)) MUST_USE;

/* Fills in crawl->charge for the writer, and reserves its price. Above the crawler's limit, and at
 * another price than the present one, it may only be a repeat. After ERR_OK crawl_settle must be called once,
 * with the submission's outcome. */
enum err crawl_prepare_charge(struct crawl *crawl) MUST_USE;
void crawl_settle(struct crawl *crawl);

/* Notes in crawl->charge which copy of the page the reply gives, where a rule lets it be had again for
 * nothing: to be called when the reply is there, before the charge is handed in. */
void crawl_note_copy(struct crawl *crawl);

/* Gives back what was reserved, if anything was: nothing is recorded. */
void crawl_release(struct crawl *crawl);

/* Fills the reply for the outcome; of a settlement, its answer. */
void crawl_reply(struct crawl *crawl, enum err outcome);

#endif
