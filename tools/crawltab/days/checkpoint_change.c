#include "tools/crawltab/days/checkpoint_change.h"

#include "ledger/base/clock.h"
#include "ledger/proof/key_change.h"
#include "tools/crawltab/frame/checkpoint_key.h"
#include "tools/crawltab/frame/show.h"
#include "sql/rows/proof.h"
#include "sql/rows/site.h"

#include <inttypes.h>

static const char *instant_of(int64_t ms, bool none, char out[SHOW_INSTANT_MAX])
{
    return none ? NULL : show_instant(ms, out);
}

static json_t *key_json(const struct key_list_row *key)
{
    char from[SHOW_INSTANT_MAX], until[SHOW_INSTANT_MAX];
    return json_pack("{s:s,s:s,s:s?,s:s?,s:I,s:s?,s:s?,s:s,s:s,s:b}", "site", key->site, "verifier_key",
                     key->verifier_key, "from", instant_of(key->from_ms, key->from_ms_null, from), "until",
                     instant_of(key->until_ms, key->until_ms_null, until), "checkpoints", key->checkpoints,
                     "first_day", key->first_date, "last_day", key->last_date, "actor", key->actor, "reason",
                     key->reason, "old_key_lost", key->lost);
}

static void print_key(const struct key_list_row *key)
{
    char from[SHOW_INSTANT_MAX], until[SHOW_INSTANT_MAX];
    const char *since = instant_of(key->from_ms, key->from_ms_null, from),
               *to = instant_of(key->until_ms, key->until_ms_null, until);
    puts(key->verifier_key);
    printf("  from %s until %s\n", since ? since : "the first checkpoint", to ? to : "now");
    if (key->first_date && key->last_date)
        printf("  signed %" PRId64 " checkpoint%s, of %s to %s\n", key->checkpoints,
               key->checkpoints == 1 ? "" : "s", key->first_date, key->last_date);
    if (!since)
        return;
    fputs(key->lost ? "  the key before it was lost: " : "  signed for by the key before it: ", stdout);
    show_text(stdout, key->reason);
    fputs(" (", stdout);
    show_text(stdout, key->actor);
    puts(")");
}

enum exit_status checkpoint_change_list(struct pg *pg, const char *site, bool json)
{
    struct pg_params params = {0};
    struct pg_rows rows = {0};
    enum exit_status status = EXIT_FAILED;
    pg_params_text(&params, site);
    if (pg_run(pg, "key_list", &params, &rows) != ERR_OK)
        goto out;
    json_t *list = json_array();
    for (int i = 0; i < rows.count; i++) {
        const struct key_list_row key = key_list_row(&rows, i);
        if (json)
            json_array_append_new(list, key_json(&key));
        else
            print_key(&key);
    }
    status = EXIT_DONE;
    if (json && !show_json(json_incref(list), JSON_INDENT(2)))
        status = EXIT_FAILED;
    json_decref(list);
    if (!json && rows.count == 0)
        puts("nothing was signed yet");
out:
    pg_rows_free(&rows);
    return status;
}

/* True if the newest key of the file signs nothing yet, in a ledger that has logs: an earlier run was killed
 * after it had made that key, or a new file was put in the place of a lost one. */
static enum err newest_is_unused(struct pg *pg, const struct pg_rows *sites,
                                 const struct checkpoint_keys *keys, bool *unused)
{
    char current[NOTE_VERIFIER_MAX];
    enum err err = ERR_OK;
    *unused = false;
    for (int i = 0; i < sites->count && keys->count > 0; i++) {
        TRY(key_change_current(pg, site_list_row(sites, i).site_id, current));
        *unused = *unused || (current[0] && !key_change_is(current, &keys->items[0]));
    }
out:
    return err;
}

static enum err record(struct pg *pg, int64_t site_id, const struct checkpoint_keys *keys,
                       struct key_change change, bool lost)
{
    char current[NOTE_VERIFIER_MAX];
    enum err err;
    TRY(key_change_current(pg, site_id, current));
    change.site_id = site_id;
    change.new_key = &keys->items[0];
    /* Which of the old ones, if it is there; another is refused by name. */
    change.old_key = lost ? NULL : &keys->items[keys->count > 1];
    for (size_t i = 1; i < keys->count; i++)
        if (key_change_is(current, &keys->items[i]))
            change.old_key = &keys->items[i];
    TRY(key_change_record(pg, &change));
out:
    return err;
}

static enum err log_action(struct pg *pg, const struct key_change *change, bool lost)
{
    struct pg_params action = {0};
    pg_params_number(&action, change->now_ms);
    pg_params_text(&action, change->actor);
    pg_params_text(&action, lost ? "checkpoint key rotate --lost" : "checkpoint key rotate");
    pg_params_text(&action, change->reason);
    return pg_run(pg, "operator_action_insert", &action, NULL);
}

static enum err rotate(struct pg *pg, const struct config *config, struct checkpoint_keys *keys,
                       const struct key_change *change, bool lost)
{
    struct pg_params all = {0};
    struct pg_rows sites = {0};
    bool unused = false;
    enum err err;
    TRY(pg_begin(pg));
    pg_params_text(&all, NULL);
    TRY(pg_run(pg, "site_list", &all, &sites));
    TRY(newest_is_unused(pg, &sites, keys, &unused));
    /* The file first: a change that is recorded for a key that nobody has could not be undone. */
    TRY(unused || checkpoint_keys_add(config, keys) ? ERR_OK : ERR_INTERNAL);
    for (int i = 0; i < sites.count; i++)
        TRY(record(pg, site_list_row(&sites, i).site_id, keys, *change, lost));
    TRY(log_action(pg, change, lost));
    TRY(pg_commit(pg));
out:
    pg_rollback(pg);
    pg_rows_free(&sites);
    return err;
}

enum exit_status checkpoint_change_rotate(struct pg *pg, const struct config *config, const char *reason,
                                          bool lost)
{
    const struct key_change change = {.actor = command_actor(), .reason = reason, .now_ms = clock_now_ms()};
    struct checkpoint_keys keys;
    if (!checkpoint_keys_load(config, &keys))
        return EXIT_FAILED;
    bool ok = rotate(pg, config, &keys, &change, lost) == ERR_OK;
    checkpoint_keys_clear(&keys);
    return ok ? checkpoint_change_list(pg, NULL, false) : EXIT_FAILED;
}
