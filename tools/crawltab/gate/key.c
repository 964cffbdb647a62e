#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/clock.h"
#include "server/agent/key_file.h"

#include <errno.h>
#include <unistd.h>

static void print_key(const struct key_ring_key *key, int64_t now)
{
    char text[SHOW_INSTANT_MAX];
    printf("%s  %-9s  ", key->keyid, key_ring_state_name(key_ring_state(key, now)));
    printf("%.10s  ", show_instant(key->not_before * 1000, text));
    printf("%.10s\n", show_instant(key->expires * 1000, text));
}

static void print_ring(const struct key_ring *ring, int64_t now)
{
    printf("%-43s  %-9s  %-10s  %s\n", "KEYID", "STATE", "SIGNS FROM", "UNTIL");
    for (size_t i = 0; i < ring->count; i++)
        print_key(&ring->keys[i], now);
}

static json_t *ring_json(const struct key_ring *ring, int64_t now)
{
    json_t *keys = json_array();
    for (size_t i = 0; i < ring->count; i++) {
        const struct key_ring_key *key = &ring->keys[i];
        json_array_append_new(keys, json_pack("{s:s,s:s,s:I,s:I}", "keyid", key->keyid, "state",
                                              key_ring_state_name(key_ring_state(key, now)), "nbf",
                                              (json_int_t)key->not_before, "exp", (json_int_t)key->expires));
    }
    return keys;
}

static enum exit_status list(const struct config *config, int64_t now, bool json)
{
    struct key_ring ring;
    bool ok = true;
    if (access(config->identity_key_file, F_OK) != 0 && errno == ENOENT) {
        LOG(ERROR, "there are no keys yet", {"file", config->identity_key_file},
            {"hint", "the first start of crawltabd makes one, and so does crawltab key rotate"});
        return EXIT_FAILED;
    }
    if (!key_file_read(config->identity_key_file, &ring, NULL))
        return EXIT_FAILED;
    if (json)
        ok = show_json(json_pack("{s:o}", "keys", ring_json(&ring, now)), JSON_INDENT(2));
    else
        print_ring(&ring, now);
    key_ring_forget(&ring);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static void print_rotation(const struct key_file_rotation *rotation, const char *path, int64_t now)
{
    char text[SHOW_INSTANT_MAX];
    const struct key_ring_key *added = &rotation->ring.keys[0];
    if (rotation->made)
        printf("Made %s with a first key.\n\n", path);
    else if (added->not_before > now)
        printf("Added a key. It is listed at once and signs from %s on.\n",
               show_instant(added->not_before * 1000, text));
    else
        puts("Added a key. It signs at once.");
    if (rotation->dropped > 0)
        printf("Dropped %zu expired key%s.\n", rotation->dropped, rotation->dropped == 1 ? "" : "s");
    if (!rotation->made)
        puts("Running gates notice by themselves.\n");
    print_ring(&rotation->ring, now);
}

static enum exit_status rotate(const struct config *config, int64_t now, bool json)
{
    struct key_file_rotation rotation;
    struct key_ring_timing timing = key_file_timing(config, now);
    bool ok = true;
    if (!key_file_rotate(config->identity_key_file, &timing, &rotation))
        return EXIT_FAILED;
    if (json)
        ok = show_json(json_pack("{s:s,s:I,s:o}", "added", rotation.ring.keys[0].keyid, "dropped",
                                 (json_int_t)rotation.dropped, "keys", ring_json(&rotation.ring, now)),
                       JSON_INDENT(2));
    else
        print_rotation(&rotation, config->identity_key_file, now);
    key_ring_forget(&rotation.ring);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status manage_keys(const char *config_path, int argc, char **argv)
{
    bool json = false;
    const struct command_option options[] = {{"--json", NULL, &json}, {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    bool listing = words.count == 1 && strcmp(words.items[0], "list") == 0;
    bool rotating = words.count == 1 && strcmp(words.items[0], "rotate") == 0;
    if (!listing && !rotating)
        return command_misused("use: crawltab key list, or crawltab key rotate", NULL,
                               "see crawltab key --help");
    struct config *config = command_config(config_path);
    enum exit_status status = EXIT_FAILED;
    int64_t now = clock_now_ms() / 1000;
    if (config)
        status = listing ? list(config, now, json) : rotate(config, now, json);
    config_free(config);
    return status;
}

const struct command key_command = {
    "key", "list the gate's own keys, or add a new one",
    "usage: crawltab key list [--json]\n"
    "       crawltab key rotate [--json]\n"
    "\n"
    "The gate lists its own keys, for whoever wants to check what it signs, at\n"
    "/.well-known/http-message-signatures-directory of every site.\n"
    "\n"
    "rotate adds a key to identity.key_file. It is listed at once and signs after\n"
    "identity.publish_seconds, when all who cache the list know it. Older keys stay\n"
    "until they expire; those that have expired are dropped.\n"
    "\n"
    "options:\n"
    "  --json         for programs: times in seconds since 1970\n"
    "  --config FILE  the configuration (default: config.yaml)\n",
    "  crawltab key list\n"
    "  crawltab key rotate\n",
    manage_keys};
