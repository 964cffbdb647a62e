#include "tools/crawltab/entries/answer.h"
#include "tools/crawltab/frame/show.h"

#include "sql/rows/archive.h"
#include "sql/rows/bill.h"

#include <inttypes.h>
#include <stdlib.h>

#define LABEL 12 /* columns of what stands on the left */
#define WIDTH 80

static void print_fact(const char *name, const char *value)
{
    printf("%-12s", name);
    show_text(stdout, value ? value : "(unknown)");
    fputc('\n', stdout);
}

static void print_instant(const char *name, int64_t ms)
{
    char text[SHOW_INSTANT_MAX];
    printf("%-12s%s (unix %" PRId64 ")\n", name, show_instant(ms, text), ms / 1000);
}

static void print_bytes(const char *name, struct pg_hex bytes, char *(*encode)(struct pg_hex))
{
    char *text = encode(bytes);
    print_fact(name, text);
    free(text);
}

static void print_agreement(int64_t version, bool none)
{
    if (none)
        print_fact("Agreement", "none");
    else
        printf("%-12sversion %" PRId64 "\n", "Agreement", version);
}

static void print_invoice(const struct charge_lookup_row *entry)
{
    const char *day = entry->local_date ? entry->local_date : "";
    if (entry->unproven) {
        enum evidence_check reason = evidence_check_called(entry->unproven);
        print_fact("Invoice", "none: it is not proven, and never billed");
        print_fact("Reason",
                   reason < EVIDENCE_CHECKS ? evidence_check_sentence(reason, false) : entry->unproven);
    } else if (entry->invoice) {
        bool carried = strcmp(entry->invoiced_to, day) != 0;
        printf("%-12s%s of %s%s%s\n", "Invoice", entry->invoice, entry->invoice_date,
               carried ? ", carried from " : "", carried ? day : "");
    } else if (entry->closed) {
        printf("%-12snot yet invoiced: %s is closed and was carried forward\n", "Invoice", day);
    } else {
        printf("%-12snot yet invoiced: %s is open\n", "Invoice", day);
    }
}

/* The base has a line per component; each is set off from ours. */
static void print_base(struct pg_hex bytes)
{
    size_t len;
    char *base = show_raw(bytes, &len);
    puts("Signed");
    for (char *line = base; line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        fputs("  | ", stdout);
        show_text(stdout, line);
        fputc('\n', stdout);
        line = end ? end + 1 : NULL;
    }
    free(base);
}

static void print_entry(const struct charge_lookup_row *entry, const struct entry_checks *checks)
{
    char money[SHOW_MONEY_MAX];
    print_fact("Payment", entry->payment_id);
    print_fact("URL", entry->resource);
    print_fact("Price", show_micros(entry->amount_micros, entry->currency, money));
    if (checks->id[0] && checks->price_micros > entry->amount_micros)
        print_fact("Signed for", show_micros(checks->price_micros, entry->currency, money));
    if (entry->repeats)
        print_fact("Repeats", entry->repeats);
    print_fact("Rule", entry->rule);
    print_agreement(entry->agreement_version, entry->agreement_version_null);
    print_fact("Site", entry->site);
    print_fact("Network", entry->network);
    print_instant("Offered", entry->offered_ms);
    print_instant("Receipt", entry->recorded_ms);
    print_invoice(entry);
    print_fact("Signer", entry->agent);
    print_fact("Directory", entry->directory_url);
    print_bytes("Key", entry->thumbprint, show_base64url);
    print_fact("Public key", entry->public_key);
    print_bytes("Signature", entry->signature, show_base64);
    print_base(entry->signature_base);
}

static void print_taken(const struct adjustment_lookup_row *taken, const char *currency)
{
    char money[SHOW_MONEY_MAX], at[SHOW_INSTANT_MAX];
    printf("\nTaken back  %s, %s on %s\n", show_micros(taken->amount_micros, currency, money), taken->kind,
           show_instant(taken->recorded_ms, at));
    print_fact("Reason", taken->reason);
    print_fact("By", taken->actor);
    print_fact("Stands on", taken->number ? taken->number : "nothing yet: its day is not closed, or carried");
}

static void print_conflict(const struct conflict_lookup_row *conflict)
{
    char money[SHOW_MONEY_MAX];
    print_fact("URL", conflict->resource);
    print_fact("Price", show_micros(conflict->amount_micros, conflict->currency, money));
    print_fact("Rule", conflict->rule);
    print_agreement(conflict->agreement_version, conflict->agreement_version_null);
    print_fact("Site", conflict->site);
    print_instant("Received", conflict->recorded_ms);
    print_fact("Signer", conflict->agent);
    print_bytes("Key", conflict->thumbprint, show_base64url);
    print_bytes("Signature", conflict->signature, show_base64);
    print_base(conflict->signature_base);
}

/* Of whom more attempts were counted than are kept. */
static void print_count(const struct conflict_counts_row *count)
{
    int64_t rest = count->attempts - count->kept;
    if (rest <= 0)
        return;
    printf("\nFurther     %" PRId64 " attempt%s refused, counted and not kept\n", rest,
           rest == 1 ? " was" : "s were");
    print_fact("Signer", count->agent);
}

/* A sentence from column `left` on, broken where it would leave the terminal. */
static void print_from(int left, const char *text)
{
    while (strlen(text) > (size_t)(WIDTH - left)) {
        int len = WIDTH - left;
        while (len > 1 && text[len] != ' ')
            len--;
        printf("%.*s\n%*s", len, text, left, "");
        text += len + 1;
    }
    puts(text);
}

static void print_sentence(const char *name, const char *text)
{
    printf("%-*s", LABEL, name);
    print_from(LABEL, text);
}

static void print_undelivered(const struct undelivered_read_row *lost, const char *currency)
{
    char at[SHOW_INSTANT_MAX], money[SHOW_MONEY_MAX], of[32] = "";
    if (!lost->final_micros_null) {
        printf("\n%-*s%s, told by the %s on %s\n", LABEL, "Final",
               show_micros(lost->final_micros, currency, money), lost->told_by,
               show_instant(lost->recorded_ms, at));
        print_sentence("", "the close of its day takes back what was paid above that");
        return;
    }
    if (!lost->length_bytes_null)
        snprintf(of, sizeof(of), " of %" PRId64, lost->length_bytes);
    printf("\nUndelivered %" PRId64 "%s bytes, status %" PRId64 ", told by the %s on\n%-*s%s\n",
           lost->sent_bytes, of, lost->status, lost->told_by, LABEL, "", show_instant(lost->recorded_ms, at));
    print_sentence("", "the close of its day takes back what was paid for it");
}

static void print_checks(const struct entry_checks *checks)
{
    static const char *const results[] = {
        [ENTRY_GOOD] = "holds", [ENTRY_BAD] = "FAILS", [ENTRY_UNKNOWN] = "unknown"};
    for (size_t i = 0; i < checks->count; i++) {
        const struct entry_check *check = &checks->items[i];
        printf("%-*s%-11s%-8s", LABEL, i == 0 ? "Checked" : "", check->name, results[check->result]);
        print_from(LABEL + 11 + 8, check->detail);
    }
}

static void print_whole_entry(const struct answer *answer)
{
    const struct charge_lookup_row entry = charge_lookup_row(&answer->entry, 0);
    print_entry(&entry, &answer->checks);
    print_checks(&answer->checks);
    const struct delivered delivered = answer_delivered(answer, entry.payment_id);
    delivered_print(&delivered);
    if (answer->undelivered.count > 0) {
        const struct undelivered_read_row lost = undelivered_read_row(&answer->undelivered, 0);
        print_undelivered(&lost, entry.currency);
    }
    for (int i = 0; i < answer->taken.count; i++) {
        const struct adjustment_lookup_row taken = adjustment_lookup_row(&answer->taken, i);
        print_taken(&taken, entry.currency);
    }
    for (int i = 0; i < answer->conflicts.count; i++) {
        const struct conflict_lookup_row conflict = conflict_lookup_row(&answer->conflicts, i);
        printf("\nConflict %d of %d: refused and not charged\n", i + 1, answer->conflicts.count);
        print_conflict(&conflict);
    }
    for (int i = 0; i < answer->counts.count; i++) {
        const struct conflict_counts_row count = conflict_counts_row(&answer->counts, i);
        print_count(&count);
    }
}

static void print_offer(const struct answer *answer)
{
    char money[SHOW_MONEY_MAX];
    const uint8_t *raw = answer->given.raw;
    int64_t offered_ms = uuid_ms(raw);
    print_fact("Site", answer->site->name);
    print_fact("Network", answer->site->network);
    if (answer->url)
        print_fact("URL", answer->url);
    else
        print_sentence("URL", "the id holds only its hash, and it is none of the site's files, rules and "
                              "paid pages; --url URL compares");
    print_fact("Price", show_micros(payment_id_price(raw), answer->site->currency, money));
    print_instant("Offered", offered_ms);
    print_instant(answer->status == ANSWER_OFFERED ? "Holds until" : "Expired",
                  offered_ms + answer->opener->ttl_seconds * 1000);
    print_checks(&answer->checks);
}

static void print_meant(const struct mistyped_meant *meant)
{
    char money[SHOW_MONEY_MAX];
    puts("");
    print_fact("Meant?", meant->id[0] ? meant->id : meant->payment_id);
    print_fact("", meant->paid ? "paid" : "offered and not paid");
    print_fact("Site", meant->site);
    if (meant->resource)
        print_fact("URL", meant->resource);
    print_fact("Price", show_micros(meant->amount_micros, meant->currency ? meant->currency : "", money));
}

static void print_archive(const struct answer *answer)
{
    const struct archive_find_row file = archive_find_row(&answer->archived, 0);
    print_fact("File", file.file);
    print_fact("SHA-256", file.sha256);
    print_sentence("Hint", "crawltab archive restore FILE brings them back, or look for the id in the file");
}

static const char *sentence_of(const struct answer *answer)
{
    static const char *const sentences[] = {
#define ANSWER_SENTENCE(status, name, sentence) sentence,
        ANSWER_STATUS(ANSWER_SENTENCE)
#undef ANSWER_SENTENCE
    };
    if (answer->checks.bad && answer->status != ANSWER_UNPROVEN)
        return answer->status == ANSWER_PAID
                   ? "paid, but the ENTRY WAS CHANGED, or never signed so: see what fails below"
                   : "no entry has this payment id, but ENTRIES WERE CHANGED OR REMOVED around it: run "
                     "crawltab audit";
    return sentences[answer->status];
}

/* Why more is not known. */
static void print_limits(const struct answer *answer)
{
    const struct opener *opener = answer->opener;
    if (answer->status != ANSWER_UNKNOWN)
        return;
    if (answer->given.is_uuid) {
        print_sentence("Offered?", "a UUID does not tell; the 64 characters of the offer would");
    } else if (opener->problem) {
        print_sentence("Offered?", "the offer key would tell, and it is not at hand:");
        printf("%-*s", LABEL, "");
        show_text(stdout, opener->key_file);
        printf(": %s\n", opener->problem);
    }
}

void answer_print(const struct answer *answer)
{
    print_sentence("Answer", sentence_of(answer));
    if (answer_has_entry(answer)) {
        print_whole_entry(answer);
        return;
    }
    print_fact("Given", answer->given.text);
    if (answer->site)
        print_offer(answer);
    else
        print_checks(&answer->checks);
    if (answer->status == ANSWER_ARCHIVED)
        print_archive(answer);
    print_limits(answer);
    for (size_t i = 0; i < answer->meant.count; i++)
        print_meant(&answer->meant.items[i]);
}
