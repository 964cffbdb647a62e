/* Needs nothing but the file: no configuration, no ledger, no network. */
#include "tools/crawltab/entries/export_check.h"
#include "tools/crawltab/frame/proof.h"
#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/frame/trust.h"

#include "ledger/base/file/file.h"

#include <errno.h>
#include <stdlib.h>

static json_t *read_bundle(const char *path)
{
    size_t len = 0;
    char *text = file_read(path, BUNDLE_BYTES_MAX, &len, NULL);
    json_error_t error;
    if (!text) {
        LOG(ERROR, "the proof cannot be read", {"file", path}, {"detail", strerror(errno)});
        return NULL;
    }
    json_t *bundle = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (!bundle)
        LOG(ERROR, "the file is no JSON", {"file", path}, {"detail", error.text},
            {"hint", "it is what crawltab lookup --proof has written, or export --out, with its manifest"});
    return bundle;
}

static enum exit_status verify(const char *path, const struct proof_trust *trust)
{
    if (export_check_is(path) && !trust->witness)
        return export_check(path, trust->verifier, trust->kept);
    if (export_check_is(path)) {
        LOG(ERROR, "an export has no cosignatures", {"file", path},
            {"hint", "--witness is for proofs; an export's checkpoint is compared with --checkpoint"});
        return EXIT_FAILED;
    }
    struct bundle_report report = {.items = NULL};
    json_t *bundle = read_bundle(path);
    bool checked = bundle && proof_check(bundle, trust, &report);
    bool holds = checked && report.wrong == 0;
    if (checked)
        proof_print(&report);
    bundle_report_free(&report);
    json_decref(bundle);
    return holds ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status verify_file(const char *config_path, int argc, char **argv)
{
    const char *kept_file = NULL;
    struct proof_trust proof = {.verifier = NULL};
    const struct command_option options[] = {{"--vkey", &proof.verifier, NULL},
                                             {"--witness", &proof.witness, NULL},
                                             {"--checkpoint", &kept_file, NULL},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    struct trust trust = {.note = NULL};
    (void)config_path;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    if (words.count == 0)
        return command_misused("use: crawltab verify FILE", NULL, "see crawltab verify --help");
    if (proof.witness && !note_is_witness(proof.witness))
        return command_misused("--witness is no verifier key of a witness", proof.witness,
                               "it is NAME+ID+KEY, of type 4, as the witness publishes it");
    bool given = trust_given(proof.verifier, kept_file, &trust);
    proof.kept = trust_kept(&trust);
    enum exit_status status = given ? EXIT_DONE : EXIT_FAILED;
    for (int i = 0; given && i < words.count; i++) {
        if (words.count > 1)
            printf("%s%s:\n", i > 0 ? "\n" : "", words.items[i]);
        if (verify(words.items[i], &proof) != EXIT_DONE)
            status = EXIT_FAILED;
    }
    trust_free(&trust);
    return status;
}

const struct command verify_command = {
    "verify", "check what lookup --proof and export --out have written",
    "usage: crawltab verify FILE... [--checkpoint NOTE] [--vkey KEY] [--witness KEY]\n"
    "\n"
    "Checks a proof of one payment, or that there is none, and says in sentences what\n"
    "is proven, by whom, and what is not; several files one after the other. Needs\n"
    "nothing but the file: no ledger, no configuration, no network. Whoever gets a\n"
    "proof can check it, also with other tools: PROOF.md describes the format.\n"
    "\n"
    "Checks an exported file by FILE.manifest and FILE.index beside it: is it what\n"
    "was exported, to the last byte? If not, it names each row that was changed,\n"
    "removed, added or moved, up to a thousand of them.\n"
    "\n"
    "exit status: 0 every file holds, 1 one does not\n"
    "\n"
    "options:\n"
    "  --vkey KEY         the log's public key, from the publisher's crawltab\n"
    "                     checkpoint key; without it the file names the key itself,\n"
    "                     which proves nothing about whose it is\n"
    "  --witness KEY      the public key of a witness (c2sp.org/tlog-witness): has it\n"
    "                     cosigned every day that the proof names?\n"
    "  --checkpoint NOTE  a checkpoint of the log that was kept elsewhere: has the\n"
    "                     log of the proof grown from it? of an export: is it the one\n"
    "                     of the export's last day?\n",
    "  crawltab verify proof.json --checkpoint kept.checkpoint\n"
    "  crawltab verify november.csv.zst --vkey 'gazette:402/gazette+5bd1f6a2+Ab…'\n",
    verify_file};
