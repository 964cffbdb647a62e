#include "tools/crawltab/frame/proof.h"
#include "tools/crawltab/frame/show.h"

#include "ledger/base/file/file.h"
#include "ledger/evidence/signed.h"
#include "server/agent/proof.h"

#include <inttypes.h>
#include <stdlib.h>

#define MEMORY_BYTES 1048576 /* for the fields of one answer */

static bool proves(const struct bundle_answer *answer, const struct jwk *jwk, const struct signature_key *key)
{
    const struct message_field fields[] = {{SLICE("content-digest"), answer->content_digest},
                                           {SLICE("signature-input"), answer->signature_input},
                                           {SLICE("signature"), answer->signature}};
    const struct message response = {.fields = fields, .field_count = 3};
    struct message request = {.method = SLICE("GET")};
    const struct proof_answer asked = {.request = &request,
                                       .response = &response,
                                       .body = answer->body,
                                       .content = answer->body,
                                       .now = answer->fetched_seconds};
    char *memory = malloc(MEMORY_BYTES);
    struct arena arena;
    bool good = false;
    if (memory && answer->signature.len > 0 && signed_split_url(answer->url, &request)) {
        arena_init(&arena, memory, MEMORY_BYTES);
        good = proof_of(&arena, &asked, jwk, key).good;
    }
    free(memory);
    return good;
}

bool proof_check(const json_t *bundle, const struct proof_trust *trust, struct bundle_report *report)
{
    const struct bundle_order order = {.verifies = signature_verify_ed25519,
                                       .directory = proves,
                                       .verifier = trust->verifier,
                                       .witness = trust->witness,
                                       .kept = trust->kept};
    if (bundle_check(bundle, &order, report))
        return true;
    LOG(ERROR, "the proof cannot be checked", {"detail", "out of memory"});
    return false;
}

/* --- on paper --- */

#define COLUMNS 80

/* A sentence in lines of at most 80 columns, the first behind "- ". What is longer than a line, a key or a
 * URL, is left whole. */
static void print_wrapped(const char *sentence)
{
    size_t column = 0;
    fputs("- ", stdout);
    for (column = 2; *sentence;) {
        char word[2048];
        size_t len = strcspn(sentence, " ");
        snprintf(word, sizeof(word), "%.*s", (int)len, sentence);
        if (column > 2 && column + 1 + len > COLUMNS) {
            fputs("\n  ", stdout);
            column = 2;
        } else if (column > 2) {
            putchar(' ');
            column++;
        }
        show_text(stdout, word);
        column += len;
        sentence += len + (sentence[len] == ' ');
    }
    putchar('\n');
}

static void print_list(const struct bundle_report *report, enum bundle_verdict verdict, const char *title)
{
    bool any = false;
    for (size_t i = 0; i < report->count; i++) {
        if (report->items[i].verdict != verdict)
            continue;
        if (!any)
            puts(title);
        any = true;
        print_wrapped(report->items[i].sentence);
    }
}

void proof_print(const struct bundle_report *report)
{
    if (report->wrong > 0) {
        puts("This proof does not hold.");
        print_list(report, BUNDLE_WRONG, "Wrong:");
        return;
    }
    puts("This proof holds.");
    print_list(report, BUNDLE_PROVEN, "Proven:");
    print_list(report, BUNDLE_UNPROVEN, "Not proven by it:");
}

/* --- as a file --- */

bool proof_write(const char *path, const json_t *bundle)
{
    struct bundle_report report = {.items = NULL};
    char *text = json_dumps(bundle, JSON_INDENT(1) | JSON_ENSURE_ASCII);
    const char *problem = text ? file_replace(path, text, strlen(text), FILE_PUBLIC) : "out of memory";
    free(text);
    if (problem)
        LOG(ERROR, "the proof cannot be written", {"file", path}, {"detail", problem});
    bool holds = !problem && proof_check(bundle, &(struct proof_trust){0}, &report) && report.wrong == 0;
    if (report.wrong > 0)
        LOG(ERROR, "the proof does not hold: the ledger is not what it was when the day was closed",
            {"file", path}, {"detail", report.items[report.count - 1].sentence},
            {"hint", "crawltab audit names what was changed"});
    bundle_report_free(&report);
    return holds;
}
