/* Nothing of the manifest is believed before its signature has been looked at, and nothing of the index: it
 * only says how rows are called. */
#include "tools/crawltab/entries/export_check.h"

#include "ledger/base/file/file.h"
#include "ledger/base/text/encoding.h"
#include "ledger/export/manifest.h"
#include "ledger/export/row_check.h"
#include "ledger/verify/signature.h"
#include "tools/crawltab/frame/show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_ROOM 4096

/* The exported file and what stands beside it. */
struct names {
    char file[PATH_ROOM], index[PATH_ROOM], manifest[PATH_ROOM];
};

static bool name_files(const char *path, struct names *names)
{
    size_t len = strlen(path), suffix = strlen(MANIFEST_SUFFIX);
    if (len > suffix && strcmp(path + len - suffix, MANIFEST_SUFFIX) == 0)
        len -= suffix;
    if (len + suffix >= PATH_ROOM)
        return false;
    snprintf(names->file, PATH_ROOM, "%.*s", (int)len, path);
    snprintf(names->index, PATH_ROOM, "%.*s" MANIFEST_INDEX, (int)len, path);
    snprintf(names->manifest, PATH_ROOM, "%.*s" MANIFEST_SUFFIX, (int)len, path);
    return true;
}

bool export_check_is(const char *path)
{
    struct names names;
    return name_files(path, &names) && access(names.manifest, F_OK) == 0;
}

static void say(const char *before, struct slice text, const char *after)
{
    char *copy = strndup(text.data, text.len);
    fputs(before, stdout);
    show_text(stdout, copy ? copy : "?");
    puts(after);
    free(copy);
}

/* --- Who signed it --- */

static bool signed_by(struct slice note, const char *verifier)
{
    struct slice text;
    return note_open(note, verifier, signature_verify_ed25519, &text) && slice_eq(text, manifest_text(note));
}

static bool check_given(struct slice note, const char *verifier)
{
    bool good = signed_by(note, verifier);
    say(good ? "  ok: the manifest is signed by the key that you gave, of "
             : "  WRONG: the manifest is not signed by the key that you gave, of ",
        (struct slice){verifier, slice_find(slice_of(verifier), '+')}, "");
    return good;
}

/* Those that the manifest itself names. */
static bool check_named(struct slice note, const struct manifest *manifest)
{
    struct slice rest = manifest->text, word, value;
    int good = 0, bad = 0;
    while (manifest_next(&rest, &word, &value)) {
        char *verifier = slice_eq(word, SLICE("key")) ? strndup(value.data, value.len) : NULL;
        bool holds = verifier && signed_by(note, verifier);
        good += holds;
        bad += verifier && !holds;
        if (verifier && !holds)
            say("  WRONG: the manifest is not what this key has signed: ", value, "");
        free(verifier);
    }
    if (good > 0 && bad == 0)
        puts("  ok: the manifest is signed by the keys that it names itself; whose they are says --vkey");
    if (good == 0 && bad == 0)
        puts("  not proven: the manifest is not signed; whoever changed the file may have changed it, too");
    return bad == 0;
}

/* --- The checkpoint that was kept --- */

static bool same_checkpoint(struct slice value, const struct log_kept *kept, bool *named)
{
    char line[LEAF_ORIGIN_MAX + 64], root[ENCODING_BASE64_LEN(DIGEST_SIZE) + 1];
    int len = snprintf(line, sizeof(line), "%s %" PRIu64 " ", kept->origin, kept->size);
    root[encoding_base64(kept->root, DIGEST_SIZE, root)] = '\0';
    *named = slice_starts(value, slice_bytes(line, (size_t)len));
    return *named && slice_eq((struct slice){value.data + len, value.len - (size_t)len}, slice_of(root));
}

static bool check_kept(const struct manifest *manifest, const struct log_kept *kept)
{
    struct slice rest = manifest->text, word, value;
    bool named = false, same = false;
    while (!named && manifest_next(&rest, &word, &value))
        if (slice_eq(word, SLICE("checkpoint")))
            same = same_checkpoint(value, kept, &named);
    if (same)
        puts("  ok: the export's last day is in the log of the checkpoint that you gave");
    else if (named)
        puts("  WRONG: the log that the export names has another root than the checkpoint that you gave");
    else
        printf("  not compared: the export names no checkpoint of %s with %" PRIu64 " days\n", kept->origin,
               kept->size);
    return same || !named;
}

/* --- The file --- */

static void tell(void *context, const char *sentence)
{
    (void)context;
    fputs("  WRONG: ", stdout);
    show_text(stdout, sentence);
    putchar('\n');
}

static bool check_index(const struct manifest *manifest, const struct row_check_result *result)
{
    bool same = memcmp(result->index.sha256, manifest->index_sha256, DIGEST_SIZE) == 0;
    if (!same)
        puts("  WRONG: the index is not the one that was made with the file: names of rows are of it, and "
             "not of what was exported");
    return same;
}

static bool check_file(const struct names *names, const struct manifest *manifest)
{
    struct row_check_result result;
    const struct row_check_order order = {.file = names->file,
                                          .index = names->index,
                                          .packing = manifest->packing,
                                          .csv = manifest->csv,
                                          .tell = tell};
    if (!row_check_run(&order, &result))
        return false;
    bool same = memcmp(result.file.sha256, manifest->sha256, DIGEST_SIZE) == 0;
    bool index = check_index(manifest, &result);
    if (same)
        printf("  ok: the file's %" PRId64 " bytes, with %" PRId64 " rows, are those that were exported\n",
               manifest->bytes, manifest->rows);
    if (same && result.findings > 0 && index)
        puts("  WRONG: the index does not fit the file, though both are what was exported");
    if (!same && result.file_broken)
        puts("  WRONG: the file does not unpack to its end");
    if (!same)
        printf("  WRONG: the file is not what was exported: %" PRId64 " bytes in place of %" PRId64 "%s\n",
               result.file.bytes, manifest->bytes,
               result.findings > 0 || result.file_broken ? ""
               : index                                   ? "; its rows are the same, packed in another way"
                                                         : "");
    if (result.stopped)
        printf("  more than %d rows differ: the rest was not compared\n", ROW_CHECK_FINDINGS_MAX);
    return same && index && result.findings == 0;
}

static enum exit_status check(const struct names *names, struct slice note, const char *verifier,
                              const struct log_kept *kept)
{
    struct manifest manifest;
    const char *problem = manifest_read(manifest_text(note), &manifest);
    if (problem) {
        LOG(ERROR, "the manifest cannot be read", {"file", names->manifest}, {"detail", problem});
        return EXIT_FAILED;
    }
    say("an export of ", manifest.kind, ":");
    bool trusted = verifier ? check_given(note, verifier) : check_named(note, &manifest);
    bool grown = !kept || check_kept(&manifest, kept);
    bool whole = check_file(names, &manifest);
    return trusted && grown && whole ? EXIT_DONE : EXIT_FAILED;
}

enum exit_status export_check(const char *path, const char *verifier, const struct log_kept *kept)
{
    struct names names;
    size_t len = 0;
    bool named = name_files(path, &names);
    char *note = named ? file_read(names.manifest, MANIFEST_BYTES_MAX, &len, NULL) : NULL;
    if (!note) {
        LOG(ERROR, "the manifest cannot be read", {"file", path},
            {"detail", named ? strerror(errno) : "its name is too long"});
        return EXIT_FAILED;
    }
    enum exit_status status = check(&names, (struct slice){note, len}, verifier, kept);
    free(note);
    return status;
}
