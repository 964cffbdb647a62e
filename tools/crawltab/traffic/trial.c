/* A request is made anew of what was counted: its path, and who asked. Of a query, or another method than
 * GET, nothing is known. */
#include "tools/crawltab/traffic/trial.h"

#include "ledger/base/clock.h"
#include "ledger/base/log.h"
#include "server/rules/tariff.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

enum err trial_sets_make(struct pg *pg, const struct config *now, const struct config *tried,
                         struct trial_sets *sets)
{
    *sets = (struct trial_sets){.configs = {now, tried}, .now_ms = clock_now_ms()};
    for (int i = 0; i < TRIAL_SETS; i++) {
        sets->rules[i] = rules_new(sets->configs[i]);
        if (!sets->rules[i])
            return ERR_INTERNAL;
    }
    return agreements_read(pg, sets->now_ms, &sets->agreements);
}

void trial_sets_free(struct trial_sets *sets)
{
    for (int i = 0; i < TRIAL_SETS; i++)
        rules_free(sets->rules[i]);
    agreements_free(sets->agreements);
    *sets = (struct trial_sets){.agreements = NULL};
}

bool trial_fits(const struct trial_sets *sets, const char *site)
{
    const struct config_site *now = config_site_called(sets->configs[TRIAL_NOW], site);
    const struct config_site *tried = config_site_called(sets->configs[TRIAL_TRIED], site);
    if (!now || !tried) {
        LOG(ERROR, "the rules cannot be tried", {"site", site},
            {"detail", now ? "the configuration to try has no such site"
                           : "the present configuration has no such site"},
            {"hint", "sites are known by their name; --site takes one of them"});
        return false;
    }
    if (!is(now->currency, tried->currency)) {
        LOG(ERROR, "the rules cannot be tried", {"site", site},
            {"detail", "the configuration to try has another currency for it"});
        return false;
    }
    return true;
}

/* --- Deciding --- */

static const char *action_of(const struct rules_decision *decision)
{
    return decision->action == RULES_CHARGE ? "charge" : decision->action == RULES_BLOCK ? "block" : "allow";
}

/* As the gate decides: the rule, the agreement's price, and whether the site takes anything from who asks. */
static struct trial_decision decide(const struct trial_sets *sets, enum trial_set set,
                                    const struct config_site *site, const struct traffic_trial_row *row)
{
    const struct rules *rules = sets->rules[set];
    size_t index = (size_t)(site - sets->configs[set]->sites);
    struct slice who = slice_of(row->crawler), path = slice_of(row->path);
    const struct message_field field = {row->verified ? SLICE("signature-agent") : SLICE("user-agent"), who};
    const struct message message = {
        .method = SLICE("GET"), .target = path, .fields = &field, .field_count = 1};
    const struct signature_agent agent = {.account = who, .err = ERR_OK};
    const struct signature_agent *agents = row->verified ? &agent : NULL;
    const struct tariff_place place = {sets->agreements, site, path, sets->now_ms};
    struct rules_decision decision = rules_decide(rules, index, &message, path, agents);
    if (decision.action == RULES_CHARGE)
        tariff_apply(&place, agents, &decision);
    struct trial_decision found = {decision.rule ? decision.rule : "", action_of(&decision),
                                   decision.action == RULES_CHARGE ? decision.price_micros : 0};
    const struct tariff_agent payer = {who, rules_share_origin(rules, index, who)};
    if (found.price_micros > 0 && agents &&
        tariff_admits(&place, &payer, rules_admit(rules, index, &agent)) != ERR_OK)
        found = (struct trial_decision){found.rule, "refuse", 0};
    return found;
}

/* What the row would have paid, and what it would if every offer had been paid. What was given again for
 * nothing, or refused, pays nothing. */
static struct trial_sums sums_of(const struct traffic_trial_row *row, int64_t price_micros)
{
    struct trial_sums sums = {.requests = row->requests};
    bool paid = is(row->outcome, "paid");
    /* Of what is observed, only what would have been charged has an amount. */
    if (!paid && !is(row->outcome, "offered") && !(is(row->outcome, "observed") && row->amount_micros > 0))
        return sums;
    if (__builtin_mul_overflow(row->requests, price_micros, &sums.all_micros))
        sums.all_micros = INT64_MAX;
    sums.paid_micros = paid ? sums.all_micros : 0;
    return sums;
}

/* Without its path it stays what it was. */
static struct trial_sums sums_as_counted(const struct traffic_trial_row *row)
{
    bool paid = is(row->outcome, "paid"), refused = is(row->outcome, "refused");
    return (struct trial_sums){row->requests, paid ? row->amount_micros : 0,
                               refused ? 0 : row->amount_micros};
}

/* --- Adding up --- */

static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static void add(struct trial_sums *sums, const struct trial_sums *more)
{
    sums->requests = plus(sums->requests, more->requests);
    sums->paid_micros = plus(sums->paid_micros, more->paid_micros);
    sums->all_micros = plus(sums->all_micros, more->all_micros);
}

static struct trial_rule *rule_called(struct trial *trial, const char *name)
{
    for (size_t i = 0; i < trial->rule_count; i++)
        if (is(trial->rules[i].name, name))
            return &trial->rules[i];
    trial->rules[trial->rule_count] = (struct trial_rule){.name = name};
    return &trial->rules[trial->rule_count++];
}

static void add_to_rule(struct trial *trial, enum trial_set set, const char *rule,
                        const struct trial_sums *sums)
{
    add(&rule_called(trial, rule)->sums[set], sums);
    add(&trial->sums[set], sums);
}

static bool same(const struct trial_decision *a, const struct trial_decision *b)
{
    return is(a->rule, b->rule) && is(a->action, b->action) && a->price_micros == b->price_micros;
}

/* A path has a move for each pair of decisions: crawlers may have prices of their own. Rows of a path stand
 * together. */
static struct trial_move *move_of(struct trial *trial, const char *path,
                                  const struct trial_decision decisions[TRIAL_SETS])
{
    for (size_t i = trial->move_count; i > 0 && is(trial->moves[i - 1].path, path); i--) {
        struct trial_move *move = &trial->moves[i - 1];
        if (same(&move->decisions[TRIAL_NOW], &decisions[TRIAL_NOW]) &&
            same(&move->decisions[TRIAL_TRIED], &decisions[TRIAL_TRIED]))
            return move;
    }
    struct trial_move *move = &trial->moves[trial->move_count++];
    *move = (struct trial_move){.path = path, .decisions = {decisions[TRIAL_NOW], decisions[TRIAL_TRIED]}};
    return move;
}

static void take_row(struct trial *trial, const struct trial_sets *sets, const struct traffic_trial_row *row)
{
    struct trial_decision decisions[TRIAL_SETS];
    struct trial_sums sums[TRIAL_SETS];
    bool by_path = *row->path == '/'; /* what is called has a name, and no rules */
    trial->counted_micros = plus(trial->counted_micros, is(row->outcome, "paid") ? row->amount_micros : 0);
    for (int i = 0; i < TRIAL_SETS; i++) {
        if (by_path) {
            decisions[i] = decide(sets, i, trial->sites[i], row);
            sums[i] = sums_of(row, decisions[i].price_micros);
        } else {
            decisions[i] = (struct trial_decision){.rule = row->rule};
            sums[i] = sums_as_counted(row);
        }
        add_to_rule(trial, i, decisions[i].rule, &sums[i]);
    }
    trial->unknown += by_path ? 0 : row->requests;
    if (is(decisions[TRIAL_NOW].rule, decisions[TRIAL_TRIED].rule))
        return;
    struct trial_move *move = move_of(trial, row->path, decisions);
    for (int i = 0; i < TRIAL_SETS; i++)
        add(&move->sums[i], &sums[i]);
}

static int64_t weight(const struct trial_move *move)
{
    return llabs(move->sums[TRIAL_TRIED].all_micros - move->sums[TRIAL_NOW].all_micros);
}

static int by_weight(const void *a, const void *b)
{
    const struct trial_move *one = a, *other = b;
    if (weight(one) != weight(other))
        return weight(one) > weight(other) ? -1 : 1;
    if (one->sums[TRIAL_NOW].requests != other->sums[TRIAL_NOW].requests)
        return one->sums[TRIAL_NOW].requests > other->sums[TRIAL_NOW].requests ? -1 : 1;
    return strcmp(one->path, other->path);
}

static enum err read_rows(struct pg *pg, struct trial *trial)
{
    struct pg_params params = {0};
    pg_params_number(&params, trial->span->site_id);
    pg_params_text(&params, trial->span->first_date);
    pg_params_text(&params, trial->span->last_date);
    return pg_run(pg, "traffic_trial", &params, &trial->rows);
}

enum err trial_read(struct pg *pg, const struct trial_sets *sets, const struct traffic_spans_row *span,
                    struct trial *trial)
{
    enum err err;
    *trial = (struct trial){.span = span};
    for (int i = 0; i < TRIAL_SETS; i++) {
        trial->sites[i] = config_site_called(sets->configs[i], span->site);
        assert(trial->sites[i]); /* trial_fits */
    }
    const struct config_site *site = trial->sites[TRIAL_TRIED];
    TRY(read_rows(pg, trial));
    size_t rows = (size_t)trial->rows.count;
    trial->rules = calloc(site->rule_count + 2 * rows + 1, sizeof(*trial->rules));
    trial->moves = calloc(rows + 1, sizeof(*trial->moves));
    if (!trial->rules || !trial->moves)
        return ERR_INTERNAL;
    for (size_t i = 0; i < site->rule_count; i++)
        rule_called(trial, site->rules[i].name);
    for (int i = 0; i < trial->rows.count; i++) {
        const struct traffic_trial_row row = traffic_trial_row(&trial->rows, i);
        take_row(trial, sets, &row);
    }
    qsort(trial->moves, trial->move_count, sizeof(*trial->moves), by_weight);
out:
    return err;
}

void trial_free(struct trial *trial)
{
    free(trial->rules);
    free(trial->moves);
    pg_rows_free(&trial->rows);
    *trial = (struct trial){.rules = NULL};
}
