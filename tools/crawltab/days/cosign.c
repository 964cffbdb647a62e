/* Where a witness stands is taken from what it has cosigned here, and from its own word if it knows better:
 * so a cosignature that was lost on its way, or with a database, does no harm. */
#include "tools/crawltab/days/cosign.h"
#include "tools/crawltab/frame/post.h"

#include "ledger/verify/signature.h"
#include "ledger/witness/witness.h"
#include "sql/rows/site.h"

#include <inttypes.h>
#include <stdlib.h>

/* Where it stands may change between two requests, if another run asks it, too. */
#define TRIES 3

/* One witness and one log. */
struct asking {
    struct pg *pg;
    const char *site;
    const struct witness *witness;
    const struct witness_log *log;
};

static bool tell(const struct asking *asking, const char *problem, const char *hint)
{
    LOG(ERROR, "a checkpoint is not cosigned", {"site", asking->site}, {"witness", asking->witness->name},
        {"url", asking->witness->url}, {"detail", problem}, {"hint", hint});
    return false;
}

/* ERR_INTERNAL after telling that there was no answer. */
static enum err send(const struct asking *asking, uint64_t old, char reply[WITNESS_REPLY_MAX], long *status)
{
    char detail[POST_DETAIL_MAX];
    char *body = witness_request(asking->log, old);
    const struct post post = {.url = asking->witness->url,
                              .type = "text/plain; charset=utf-8",
                              .body = slice_of(body),
                              .reply = reply,
                              .reply_room = WITNESS_REPLY_MAX};
    if (!body)
        return ERR_OVERLOADED;
    *status = post_send(&post, detail);
    free(body);
    if (*status != 0)
        return ERR_OK;
    tell(asking, detail, "the next run asks again");
    return ERR_INTERNAL;
}

/* *made: it has cosigned the checkpoint now. */
static enum err ask(const struct asking *asking, bool *made)
{
    char text[WITNESS_REPLY_MAX];
    struct witness_answer answer;
    enum witness_verdict verdict = WITNESS_ELSEWHERE;
    uint64_t old;
    enum err err;
    *made = false;
    TRY(witness_newest(asking->pg, asking->log->site_id, asking->witness, &old));
    if (old >= asking->log->size)
        goto out;
    for (int i = 0; i < TRIES && verdict == WITNESS_ELSEWHERE; i++) {
        struct witness_reply reply = {.old = old};
        TRY(send(asking, old, text, &reply.status));
        reply.body = slice_of(text);
        verdict = witness_judge(asking->witness, asking->log, &reply, signature_verify_ed25519, &answer);
        old = answer.old;
    }
    if (verdict == WITNESS_COSIGNED)
        TRY(witness_keep(asking->pg, asking->witness, asking->log, &answer));
    else if (verdict == WITNESS_ELSEWHERE)
        tell(asking, "it names another number of days each time", "the next run asks again");
    else
        tell(asking, answer.problem, answer.hint);
    *made = verdict == WITNESS_COSIGNED;
    err = *made ? ERR_OK : ERR_INTERNAL;
out:
    return err;
}

bool cosign_site(struct pg *pg, const struct config *config, int64_t site_id, const char *site, int64_t *made)
{
    struct witness_log log = {.size = 0};
    bool all = true;
    *made = 0;
    if (config->seal_witnesses.count == 0)
        return true;
    if (witness_log_read(pg, site_id, &log) != ERR_OK) {
        witness_log_free(&log);
        return false;
    }
    for (size_t i = 0; log.size > 0 && i < config->seal_witnesses.count; i++) {
        struct witness witness;
        const struct asking asking = {pg, site, &witness, &log};
        const char *problem = witness_parse(config->seal_witnesses.items[i], &witness);
        bool one = false;
        if (problem)
            LOG(ERROR, "seal.witnesses has one that cannot be asked",
                {"value", config->seal_witnesses.items[i]}, {"detail", problem},
                {"hint", "\"witness.example+5bd1f6a2+BASE64 https://witness.example/\""});
        all = !problem && ask(&asking, &one) == ERR_OK && all;
        *made += one;
    }
    witness_log_free(&log);
    return all;
}

enum exit_status cosign_run(struct pg *pg, const struct config *config, const char *site)
{
    struct pg_params params = {0};
    struct pg_rows sites = {0};
    enum exit_status status = EXIT_FAILED;
    if (config->seal_witnesses.count == 0) {
        LOG(ERROR, "there are no witnesses", {"hint", "seal.witnesses in the configuration names them"});
        return EXIT_FAILED;
    }
    pg_params_text(&params, site);
    if (pg_run(pg, "site_list", &params, &sites) != ERR_OK)
        goto out;
    if (sites.count == 0)
        LOG(ERROR, "the ledger has no such site", {"site", site}, {"hint", "see crawltab site list"});
    status = sites.count > 0 ? EXIT_DONE : EXIT_FAILED;
    for (int i = 0; i < sites.count; i++) {
        const struct site_list_row row = site_list_row(&sites, i);
        int64_t made;
        if (!site && !config_site_called(config, row.name))
            continue;
        if (!cosign_site(pg, config, row.site_id, row.name, &made))
            status = EXIT_FAILED;
        printf("%s: %" PRId64 " cosignature%s of its newest checkpoint\n", row.name, made,
               made == 1 ? "" : "s");
    }
out:
    pg_rows_free(&sites);
    return status;
}
