/* What the PostgreSQL tests share: a private server per test program, a fresh database per test, programs run
 * with their output caught, and payments to submit. Run from the top of the checkout. */
#ifndef TESTS_PG_SUPPORT_H
#define TESTS_PG_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/base/config/config.h"
#include "ledger/entry/offer_key.h"
#include "ledger/entry/writer.h"
#include "ledger/verify/jwk.h"

#include <stdatomic.h>

#define OUTPUT_MAX 65536

/* cmocka group fixtures: start and stop the server in a folder of its own under var/. */
int server_start(void **state);
int server_stop(void **state);

/* The same without --fast: a server that can have standbys. */
int server_start_whole(void **state);

/* The server's folder: its socket is in it, and there is room for files. */
const char *server_path(void);

/* LEDGER=citus in the environment: the server is the coordinator of a Citus cluster, the test's ledger is
 * spread over it and a worker. For the others here: `administer` runs a command about databases on both. */
bool citus_wanted(void);
void citus_start(void);
void citus_stop(void);
void citus_spread(const char *database);
void citus_administer(const char *command);

/* Makes a streaming standby of the server in the folder `name` beside it, `host=./NAME` in ledger.connection,
 * and makes the server wait for it with each commit. */
void standby_start(const char *name);
/* Lets what the primary sends lie, or reads on. */
void standby_pause(const char *name, bool pause);
void standby_stop(const char *name);
/* Makes the standby a server of its own, and the one that the other functions are about. */
void standby_promote(const char *name);

/* Ends the server as a power cut would: SIGKILL to all its processes. */
void server_kill(void);

/* Stops the server as a crash would (SIGQUIT: no shutdown checkpoint), and starts it again. */
void server_crash(void);
void server_restart(void);

/* Starts a PgBouncer in transaction mode in front of the server, `host=./pool` in ledger.connection, that
 * spreads transactions over three connections. pooler_stop is fine in any state; SIGKILL: as a crash would.
 */
void pooler_start(void);
void pooler_stop(int signal);

/* What configurations say from now on: host of ledger.connection, and ledger.pooler. */
void ledger_through(const char *host, const char *pooler);

/* Whether nights judge entries, from the next configuration on: for tests that make theirs by SQL, without
 * signatures, because they are about many or about what is billed for them. */
void ledger_judged(bool judged);

/* cmocka fixtures of a test: a migrated database with the site "example" of zone UTC, and its configuration.
 * It is a copy of one that is migrated for the first test. */
int ledger_setup(void **state);
int ledger_teardown(void **state);

/* A database without tables yet, and the configuration for it; `zone` is the site's time zone. */
void ledger_empty(const char *zone);
/* Makes the tables in it. */
void ledger_migrate(void);

/* Name of the test's database, and a fresh copy of any as the test's database, with the same configuration.
 */
const char *ledger_database(void);
/* Copies of long ago are removed. */
void ledger_copy(const char *original);

/* The test's configuration, and the file it was read from. */
struct config *ledger_config(void);
const char *ledger_config_path(void);

/* Runs a program, `arguments` ending with NULL, and returns its exit status, or 128 and more after a signal.
 * `output` gets standard output and standard error. */
int run_program(const char *const *arguments, char output[OUTPUT_MAX]);

/* Starts `crawltab --config … ARGUMENTS`, for running beside others; returns its pid. run_wait gets the
 * status. */
int crawltab_spawn(const char *const *arguments);
int run_wait(int pid);

/* The command that was built with this test. */
const char *crawltab_path(void);

/* Runs crawltab with up to twelve arguments; returns its exit status. */
int crawltab(char output[OUTPUT_MAX], const char *const *arguments);
#define CRAWLTAB(output, ...) crawltab(output, (const char *const[]){__VA_ARGS__, NULL})

/* Runs SQL as a role in the test's database. False if it fails; the output is then PostgreSQL's message. */
bool sql_as(const char *role, const char *text, char output[OUTPUT_MAX]);

/* Runs SQL as superuser and returns its rows, columns separated by |. Fails the test if SQL fails. Static. */
const char *sql(const char *text);

/* Adds rows as the ledger's own programs do: the audit names those of a superuser. Fails the test if it is
 * refused. */
void sql_own(const char *text);

/* Ends the connection that sql() keeps to the test's database; the next call makes it anew. */
void sql_leave(void);

/* The server's process for the one connection of the one gate. */
int gate_backend(void);

/* Waits until the SQL, as superuser, returns t; fails the test after a minute. */
void wait_for_sql(const char *text);

/* Starts psql with SQL as superuser, for running beside others; returns its pid. */
int sql_spawn(const char *text);

/* A payment with storage of its own. */
struct payment {
    struct charge charge;
    struct {
        char base[1024], key[JWK_TEXT_MAX];
        uint8_t signature[64];
    } own;                        /* what payment_sign has made */
    struct submission submission; /* as of the last time that it was submitted */
    atomic_int answers;
};

/* A payment offered at `ms`. The texts must outlive it. */
struct payment payment_make(int64_t ms, const char *agent, int64_t amount_micros, const char *resource);

/* Gives it what the night wants to see: an id that names URL and price, a key, that key's signature over what
 * commits to the id, and a directory that has the key. Done when it is submitted, unless a test has put
 * something else in its place; from then on it must stay where it is. The same for a key of another number.
 */
void payment_sign(struct payment *payment);
void payment_sign_as(struct payment *payment, uint8_t number);

/* What made the ids; it is in offer.key_file of the tests' configurations. */
extern const uint8_t payment_offer_key[OFFER_KEY_SIZE];

/* Submits it and waits for the answer. */
enum err payment_pay(struct writer *writer, struct payment *payment);

/* SQL that inserts an entry with the payment's id, as another gate would. */
const char *payment_sql(const struct payment *payment);

/* Makes its submission anew, as payment_submit does. */
void payment_bind(struct payment *payment);

/* Submits it; payment_wait waits for its answer. */
enum err payment_submit(struct writer *writer, struct payment *payment);
void payment_wait(struct payment *payment);

/* Starts a writer and waits until it is ready. */
struct writer *writer_start_ready(void);

/* Waits until the writer is as said; fails after a minute. */
void writer_wait_ready(const struct writer *writer, bool ready);

#endif
