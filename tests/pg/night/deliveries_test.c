/* What was delivered for payments: it comes into the ledger once, by a connection that no payment waits for;
 * what somebody with all rights does to it after its day is closed has a name; it leaves and comes back with
 * its entries.
 * Tests ledger/delivery/journal.c, ledger/delivery/day_deliveries.c, ledger/delivery/file_digests.c,
 * ledger/delivery/client_tag.c, ledger/delivery/delivery.c */
#include "tests/pg/support_days.h"

#include "ledger/base/clock.h"
#include "ledger/base/text/encoding.h"
#include "ledger/delivery/journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AGENT "https://crawler.example"

static char output[OUTPUT_MAX];

/* --- The journal --- */

/* A payment of now, in the ledger. */
static struct delivery paid(const char *resource, const char *user_agent)
{
    struct payment payment = payment_make(clock_now_ms(), AGENT, 2500, resource);
    struct delivery delivery = {.ended_ms = 1764500000123,
                                .end = DELIVERY_WHOLE,
                                .status = 200,
                                .sent_bytes = 5,
                                .digested = true,
                                .fd = -1,
                                .site = SLICE("example"),
                                .user_agent = slice_of(user_agent)};
    struct writer *writer = writer_start_ready();
    assert_int_equal(payment_pay(writer, &payment), ERR_OK);
    writer_stop(writer);
    memcpy(delivery.payment_id, payment.charge.payment_id, UUID_SIZE);
    digest_sha256(&(struct slice){"hello", 5}, 1, delivery.digest);
    memset(delivery.client, 7, CLIENT_TAG_SIZE);
    return delivery;
}

static void what_was_delivered_is_written_once(void **state)
{
    (void)state;
    struct delivery whole = paid("https://example.org/1", "GPTBot/1.2");
    struct delivery cut = paid("https://example.org/2", "");
    struct journal *journal = journal_start(ledger_config());
    assert_non_null(journal);
    cut.end = DELIVERY_CUT;
    cut.sent_bytes = -1;
    cut.digested = false;
    journal_add(journal, &whole);
    journal_add(journal, &cut);
    wait_for_sql("SELECT count(*) = 2 FROM delivery");
    journal_add(journal, &whole); /* as after a connection that was lost at the commit */
    whole.repeated = true;
    journal_add(journal, &whole);
    journal_take(journal); /* an answer that takes longer than the gate */
    journal_stop(journal);
    journal_add(journal, &cut);
    journal_release(journal);
    assert_string_equal(
        sql("SELECT resource, repeated, ended, d.status, sent_bytes, body_digest = sha256('hello'),"
            " instant_ms(ended_at), encode(client, 'hex'), user_agent"
            " FROM delivery d JOIN charge USING (payment_id, site_id) ORDER BY resource, repeated"),
        "https://example.org/1|f|whole|200|5|t|1764500000123|07070707070707070707070707070707|GPTBot/1.2\n"
        "https://example.org/1|t|whole|200|5|t|1764500000123|07070707070707070707070707070707|GPTBot/1.2\n"
        "https://example.org/2|f|cut|200|||1764500000123|07070707070707070707070707070707|");
}

static int64_t ns_of(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static struct file_version version_of(int fd, uint64_t offset, uint64_t length)
{
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    return (struct file_version){(uint64_t)status.st_dev,
                                 (uint64_t)status.st_ino,
                                 (uint64_t)status.st_size,
                                 ns_of(status.st_mtim),
                                 ns_of(status.st_ctim),
                                 offset,
                                 length};
}

/* A long file is read by the journal, the part of it that was sent, unless somebody has written into it. */
static void a_file_is_read_by_the_journal(void **state)
{
    static char page[200000];
    char path[512];
    uint8_t digest[DIGEST_SIZE];
    (void)state;
    snprintf(path, sizeof(path), "%s/page", ledger_config()->folder);
    memset(page, 'p', sizeof(page));
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, page, sizeof(page)), sizeof(page));
    struct delivery part = paid("https://example.org/part", "A");
    struct delivery changed = paid("https://example.org/changed", "A");
    part.digested = changed.digested = false;
    part.file = changed.file = version_of(fd, 70000, 100000);
    changed.file.changed_ns--;
    part.fd = dup(fd);
    changed.fd = dup(fd);
    const struct file_version version = part.file;
    struct journal *journal = journal_start(ledger_config());
    assert_false(file_digests_find(journal_files(journal), &version, digest));
    journal_add(journal, &part);
    journal_add(journal, &changed);
    wait_for_sql("SELECT count(*) = 2 FROM delivery");
    assert_true(file_digests_find(journal_files(journal), &version, digest));
    journal_stop(journal);
    assert_string_equal(sql("SELECT resource, body_digest = sha256(repeat('p', 100000)::bytea) FROM delivery"
                            " JOIN charge USING (payment_id) ORDER BY resource"),
                        "https://example.org/changed|\nhttps://example.org/part|t");
    assert_int_equal(write(fd, "q", 1), 1);
    assert_false(file_digest_read(fd, &version, digest));
    close(fd);
}

/* What the specification of the tag says, made by PostgreSQL. */
static void an_address_is_a_keyed_hash(void **state)
{
    static const uint8_t id[UUID_SIZE] = {1, 2, 3}, address[16] = {[10] = 255, 255, 192, 0, 2, 1};
    uint8_t tag[CLIENT_TAG_SIZE];
    char hex[2 * CLIENT_TAG_SIZE + 1];
    (void)state;
    struct hmac *key = client_tag_key("Jefe", 4);
    client_tag(key, id, address, tag);
    hmac_free(key);
    encoding_hex(tag, sizeof(tag), hex);
    sql("CREATE EXTENSION pgcrypto");
    assert_string_equal(
        sql("SELECT encode(substr(hmac('\\x01020300000000000000000000000000'::bytea ||"
            " '\\x00000000000000000000ffffc0000201'::bytea,"
            " hmac('crawltab client address/1', 'Jefe', 'sha256'), 'sha256'), 1, 16), 'hex')"),
        hex);
}

/* --- Closed days --- */

/* Every entry's page was given away, as a gate writes it; the first one's twice. */
static void deliver_all(void)
{
    static const char text[] =
        "INSERT INTO delivery (payment_id, repeated, site_id, ended_at, ended, status, sent_bytes,"
        " body_digest, client, user_agent)"
        " SELECT payment_id, false, site_id, recorded_at, 'whole', 200, 5, sha256('hello'),"
        " substr(sha256(uuid_send(payment_id)), 1, 16), 'Bot/1' FROM charge;"
        "INSERT INTO delivery (payment_id, repeated, site_id, ended_at, ended)"
        " SELECT payment_id, true, site_id, recorded_at, 'whole' FROM charge ORDER BY payment_id LIMIT 1";
    if (!sql_as("crawltab_gate", text, output))
        fail_msg("%s", output);
}

/* As somebody who may do anything, and leaves the triggers as they were. */
static void tamper(const char *change)
{
    static char text[2048];
    snprintf(
        text, sizeof(text),
        "SET session_replication_role = 'origin'; DO $do$ DECLARE t regclass; BEGIN"
        " FOR t IN SELECT oid FROM pg_class WHERE relname ~ '^(day_)?delivery' AND relkind IN ('r', 'p')"
        " LOOP EXECUTE format('ALTER TABLE %%s DISABLE TRIGGER USER', t); END LOOP; %s;"
        " FOR t IN SELECT DISTINCT tgrelid FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid"
        " WHERE relname ~ '^(day_)?delivery' AND NOT tgisinternal LOOP"
        " EXECUTE (SELECT string_agg(format('ALTER TABLE %%s ENABLE ALWAYS TRIGGER %%I', t, tgname), ';')"
        " FROM pg_trigger WHERE tgrelid = t AND NOT tgisinternal); END LOOP; END $do$",
        change);
    sql(text);
}

static bool audit_names(const char *id, const char *problem)
{
    char line[256];
    snprintf(line, sizeof(line), "delivery %s: %s", id, problem);
    return strstr(output, line) != NULL;
}

/* Of a day with several tiles: the first payment, which has two rows, and those around the tiles' ends. */
static void proofs_have_them(void)
{
    static const int numbers[] = {0, 1, 254, 255, 256, 511, 599, 600};
    char path[512], query[128];
    snprintf(path, sizeof(path), "%s/proof.json", ledger_config()->folder);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        snprintf(query, sizeof(query), "SELECT payment_id FROM charge ORDER BY payment_id OFFSET %d LIMIT 1",
                 numbers[i]);
        CRAWLTAB(output, "lookup", sql(query), "--proof", path);
        if (CRAWLTAB(output, "verify", path) != 0 || !strstr(output, "recorded of the delivery: all") ||
            !strstr(output, "delivery, once more: all") != (i > 0))
            fail_msg("%d: %s", numbers[i], output);
    }
}

static void what_is_done_to_closed_days_is_named(void **state)
{
    char ids[3][UUID_TEXT_MAX];
    (void)state;
    days_charge(5, AGENT, 2500, 600);
    days_charge(4, AGENT, 2500, 2);
    deliver_all();
    if (CRAWLTAB(output, "nightly") != 0 || CRAWLTAB(output, "audit") != 0)
        fail_msg("%s", output);
    assert_string_equal(sql("SELECT deliveries FROM day_delivery ORDER BY local_date"), "601\n2");
    assert_string_equal(sql("SELECT count(*), max(octet_length(deliveries)) FROM delivery_tile"), "4|12288");
    for (int i = 0; i < 3; i++) {
        char query[128];
        snprintf(query, sizeof(query), "SELECT payment_id FROM charge ORDER BY payment_id OFFSET %d LIMIT 1",
                 200 * i + 100);
        snprintf(ids[i], sizeof(ids[i]), "%s", sql(query));
    }
    proofs_have_them();
    /* The gate's own role can add nothing to a day that is sealed. */
    assert_false(sql_as("crawltab_gate",
                        "INSERT INTO delivery (payment_id, repeated, site_id, ended_at, ended)"
                        " SELECT payment_id, true, site_id, now(), 'whole' FROM charge LIMIT 5",
                        output));
    char change[1024];
    snprintf(change, sizeof(change),
             "UPDATE delivery SET ended = 'cut' WHERE payment_id = '%s';"
             " DELETE FROM delivery WHERE payment_id = '%s';"
             " INSERT INTO delivery (payment_id, repeated, site_id, ended_at, ended)"
             " SELECT payment_id, true, site_id, now(), 'whole' FROM charge WHERE payment_id = '%s'",
             ids[0], ids[1], ids[2]);
    tamper(change);
    assert_int_not_equal(CRAWLTAB(output, "audit"), 0);
    if (!audit_names(ids[0], "was changed") || !audit_names(ids[1], "was removed") ||
        !audit_names(ids[2], "was added"))
        fail_msg("%s", output);
    /* Who changes the list as well has to change what was signed. */
    tamper("DELETE FROM delivery_tile; INSERT INTO delivery_tile SELECT b.site_id, b.local_date, t.* FROM"
           " day_delivery b, billing_day(b.site_id, b.local_date) d,"
           " delivery_tiles(b.site_id, d.first_id, d.end_id) t");
    assert_int_not_equal(CRAWLTAB(output, "audit"), 0);
    snprintf(change, sizeof(change), "deliveries of %s: the list of them is not what was sealed",
             days_date(5));
    if (!strstr(output, change) || audit_names(ids[0], "was changed"))
        fail_msg("%s", output);
}

/* Row by row and tile by tile. */
static void they_leave_and_come_back_with_their_entries(void **state)
{
    static const char all[] = "SELECT md5(string_agg(to_jsonb(d)::text, ';' ORDER BY payment_id, repeated))"
                              " || (SELECT md5(string_agg(t::text, ';' ORDER BY first_id)) FROM delivery_tile"
                              " t) FROM delivery d";
    char before[128], path[512];
    (void)state;
    days_charge(5, AGENT, 2500, 300);
    days_charge_at(days_base_ms() - 5 * DAY_MS + 23 * 3600000 + 1800000, AGENT, 2500, 3);
    days_charge(4, AGENT, 2500, 300);
    deliver_all();
    assert_int_equal(CRAWLTAB(output, "nightly"), 0);
    snprintf(before, sizeof(before), "%s", sql(all));
    if (CRAWLTAB(output, "archive", days_date(5), "--to", ledger_config()->folder) != 0)
        fail_msg("%s", output);
    assert_string_equal(sql("SELECT count(*), (SELECT count(*) FROM delivery_tile) FROM delivery"), "300|2");
    assert_int_equal(CRAWLTAB(output, "audit"), 0);
    snprintf(path, sizeof(path), "%s/entries-%s.jsonl", ledger_config()->folder, days_date(5));
    if (CRAWLTAB(output, "archive", "restore", path) != 0 || CRAWLTAB(output, "audit") != 0)
        fail_msg("%s", output);
    assert_string_equal(sql(all), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_delivered_is_written_once, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(a_file_is_read_by_the_journal, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(an_address_is_a_keyed_hash, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(what_is_done_to_closed_days_is_named, ledger_setup, ledger_teardown),
        cmocka_unit_test_setup_teardown(they_leave_and_come_back_with_their_entries, ledger_setup,
                                        ledger_teardown),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
