/* From nothing to a gate that observes: a configuration, the ledger with its roles, the keys, and what is to
 * be done next. Nothing that is there is changed: a configuration that exists ends it at once. */
#include "tools/crawltab/frame/command.h"
#include "tools/crawltab/setup/question.h"

#include "ledger/base/clock.h"
#include "ledger/base/file/file.h"
#include "ledger/base/places.h"
#include "ledger/base/text/amount.h"
#include "ledger/entry/offer_key.h"
#include "ledger/pg/schema.h"
#include "server/agent/key_file.h"

#include <assert.h>
#include <errno.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCRIPT  "tools/dev/postgres.sh" /* a checkout's private PostgreSQL */
#define PRIVATE "var/postgres"

extern char **environ;

struct setup {
    char site[QUESTION_MAX], source[QUESTION_MAX], currency[QUESTION_MAX], zone[QUESTION_MAX],
        contact[QUESTION_MAX];
    char connection[QUESTION_MAX];
    const char *superuser; /* of PostgreSQL; NULL: libpq's default */
    uid_t as;              /* whom PostgreSQL takes for it, when root asks; 0: nobody else */
};

/* --- The five questions --- */

static const char *judge_site(char answer[QUESTION_MAX])
{
    bool plain = strncmp(answer, "http://", 7) == 0;
    char *host = answer + (plain ? 7 : strncmp(answer, "https://", 8) == 0 ? 8 : 0);
    host[strcspn(host, "/")] = '\0';
    for (char *c = host; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    if (!*host || host[strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:")] || strchr(".-:", *host))
        return "a host name is wanted: gazette.example, or, without TLS, http://gazette.example";
    if (!plain)
        memmove(answer, host, strlen(host) + 1);
    return NULL;
}

static bool is_address(const char *source)
{
    return strncmp(source, "http://", 7) == 0 || strncmp(source, "https://", 8) == 0 ||
           strncmp(source, "unix:/", 6) == 0;
}

static const char *judge_source(char answer[QUESTION_MAX])
{
    struct stat status;
    if (is_address(answer))
        return NULL;
    if (answer[0] != '/')
        return "an address is wanted, like http://127.0.0.1:8080, or a folder, like /srv/www";
    return stat(answer, &status) == 0 && S_ISDIR(status.st_mode) ? NULL : "there is no such folder";
}

static const char *judge_currency(char answer[QUESTION_MAX])
{
    for (char *c = answer; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    return amount_exponent(slice_of(answer)) >= 0 ? NULL
                                                  : "three letters of ISO 4217 are wanted, such as EUR";
}

static const char *judge_zone(char answer[QUESTION_MAX])
{
    return config_zone_known(answer) ? NULL : "a zone of the tz database is wanted, such as Europe/Paris";
}

static const char *judge_contact(char answer[QUESTION_MAX])
{
    return !*answer || strchr(answer, '@') ? NULL : "an e-mail address is wanted, or nothing";
}

/* This machine's zone. */
static const char *local_zone(char zone[QUESTION_MAX])
{
    char target[QUESTION_MAX];
    ssize_t len = readlink("/etc/localtime", target, sizeof(target) - 1);
    target[len > 0 ? len : 0] = '\0';
    const char *named = strstr(target, "zoneinfo/");
    snprintf(zone, QUESTION_MAX, "%s", named ? named + strlen("zoneinfo/") : "UTC");
    return zone;
}

/* Each question has the option that answers it, for scripts. */
static bool ask(struct setup *setup, const struct question given[5], bool silent)
{
    char *const answers[] = {setup->site, setup->source, setup->currency, setup->zone, setup->contact};
    for (size_t i = 0; i < 5; i++)
        if (!question_ask(&given[i], silent, answers[i]))
            return false;
    return true;
}

/* --- PostgreSQL --- */

static bool answers_in(const char *folder, struct stat *status)
{
    char path[QUESTION_MAX];
    const char *port = getenv("PGPORT");
    int len = snprintf(path, sizeof(path), "%s/.s.PGSQL.%s", folder, port && *port ? port : "5432");
    return len < (int)sizeof(path) && stat(path, status) == 0 && S_ISSOCK(status->st_mode);
}

static bool start_private(void)
{
    char script[] = SCRIPT, verb[] = "start", folder[] = PRIVATE;
    char *words[] = {script, verb, folder, NULL};
    pid_t child;
    int status = -1;
    return posix_spawn(&child, script, NULL, NULL, words, environ) == 0 &&
           waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool use_private(struct setup *setup)
{
    snprintf(setup->connection, QUESTION_MAX, "%s", places_connection);
    setup->superuser = "postgres";
    return true;
}

/* The one of this machine, or a private one of the checkout, which only the checkout's own command knows of:
 * an installed one must not run what lies in the folder that it happens to be called in. */
static bool find_server(struct setup *setup, const char *folder, const char *connection, bool silent)
{
    bool checkout = places_state[0] != '/' && strcmp(folder, ".") == 0 && access(SCRIPT, X_OK) == 0;
    const char *places[] = {getenv("PGHOST"), "/var/run/postgresql", "/tmp"};
    struct stat status;
    char answer[QUESTION_MAX];
    const struct question named = {"PostgreSQL", "--connection", connection, NULL, NULL};
    if (connection)
        return question_ask(&named, silent, setup->connection);
    if (checkout && answers_in(PRIVATE, &status))
        return use_private(setup);
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        if (!places[i] || places[i][0] != '/' || !answers_in(places[i], &status))
            continue;
        snprintf(setup->connection, QUESTION_MAX, "host=%s dbname=crawltab", places[i]);
        /* Debian's PostgreSQL knows people by the users that they are, and root is none of its. */
        if (geteuid() == 0 && !setup->superuser && status.st_uid != 0) {
            setup->as = status.st_uid;
            setup->superuser = "postgres";
        }
        return true;
    }
    const struct question offer = {"No PostgreSQL answers here. Start a private one in " PRIVATE
                                   "? yes or no",
                                   "--connection", NULL, "yes", NULL};
    if (checkout && question_ask(&offer, silent, answer) && (answer[0] == 'y' || answer[0] == 'Y') &&
        start_private())
        return use_private(setup);
    LOG(ERROR, "no PostgreSQL answers on this machine", {"looked in", "/var/run/postgresql and /tmp"},
        {"hint", "apt install postgresql, or say where it is: --connection 'host=db1 dbname=crawltab'"});
    return false;
}

/* --- What is made --- */

/* The first part of the host, without www. */
static void name_of(const char *site, char name[QUESTION_MAX])
{
    const char *host = strncmp(site, "http://", 7) == 0 ? site + 7 : site;
    if (strncmp(host, "www.", 4) == 0 && strcspn(host + 4, ".:") > 0)
        host += 4;
    snprintf(name, QUESTION_MAX, "%.*s", (int)strcspn(host, ".:"), host);
    assert(*name);
}

static bool write_config(const struct setup *setup, const char *path)
{
    char name[QUESTION_MAX], contact[QUESTION_MAX + 64] = "";
    bool plain = strncmp(setup->site, "http://", 7) == 0;
    const char *host = setup->site + (plain ? 7 : 0), *scheme = plain ? "http" : "https";
    name_of(setup->site, name);
    if (*setup->contact)
        snprintf(contact, sizeof(contact), "    billing:\n      email: \"%s\"\n", setup->contact);
    char text[12 * QUESTION_MAX];
    enum file_named named = FILE_OTHER;
    int len = snprintf(
        text, sizeof(text),
        "# Made by crawltab init. Every other key: crawltabd --print-config-example\n"
        "listen: \"127.0.0.1:8402\"\n"
        "trusted_proxies: [\"127.0.0.1\"]   # the web server in front\n"
        "\n"
        "ledger:\n"
        "  connection: \"%s\"\n"
        "\n"
        "sites:\n"
        "  - name: \"%s\"            # in the ledger; never changes\n"
        "    hosts: [\"%s\"]\n"
        "    scheme: %s\n"
        "    %s: \"%s\"\n"
        "    currency: %s\n"
        "    time_zone: \"%s\"       # whose midnights end the billing days\n"
        "    network: \"%s:402\"\n"
        "    terms_url: \"%s://%s/terms\"   # your terms for crawlers; write them before you charge\n"
        "    # All is decided and counted, nothing is charged, nobody notices: see crawltab traffic.\n"
        "    # Then: mode: charge\n"
        "    mode: observe\n"
        "%s"
        "    rules:\n"
        "      - name: everything\n"
        "        action: charge\n"
        "        price: \"%s\"\n",
        setup->connection, name, host, scheme, is_address(setup->source) ? "origin" : "root", setup->source,
        setup->currency, setup->zone, name, scheme, host, contact,
        amount_exponent(slice_of(setup->currency)) == 0 ? "1" : "0.01");
    assert(len > 0 && len < (int)sizeof(text)); /* nine answers and the rest, which is of less than three */
    const char *wrong = file_make(path, text, (size_t)len, &named);
    if (!wrong && named == FILE_OTHER)
        wrong = "another program has just made it";
    if (wrong)
        LOG(ERROR, "cannot write the configuration", {"file", path}, {"detail", wrong});
    return !wrong;
}

/* True if what follows runs as that user: keys have to be the service's. 0: nobody else. */
static bool become(uid_t user)
{
    /* cppcheck-suppress getpwuidCalled ; one thread */
    const struct passwd *entry = user ? getpwuid(user) : NULL;
    if (!user)
        return true;
    if (entry && setegid(entry->pw_gid) == 0 && seteuid(user) == 0)
        return true;
    LOG(ERROR, "cannot act as another user", {"detail", strerror(errno)});
    return false;
}

static void become_root_again(void)
{
    bool back = seteuid(0) == 0 && setegid(0) == 0;
    assert(back); /* the saved ids are root's */
    (void)back;
}

static void tell(const char *what, const char *name)
{
    printf("%s %s\n", what, name);
    fflush(stdout);
}

static bool make_ledger(const struct setup *setup, const struct config *config, const char *path)
{
    bool made = become(setup->as) && schema_bootstrap(config, setup->superuser, tell) == ERR_OK;
    if (setup->as)
        become_root_again();
    return made && migrate_command.run(path, 0, NULL) == EXIT_DONE;
}

static const struct passwd *service_user(void)
{
    /* cppcheck-suppress getpwnamCalled ; one thread */
    return places_state[0] == '/' && geteuid() == 0 ? getpwnam("crawltab") : NULL;
}

/* The service has to read it, and nobody else: the connection may have a password. */
static bool share_config(const char *path)
{
    const struct passwd *service = service_user();
    if (!service || (chown(path, 0, service->pw_gid) == 0 && chmod(path, 0640) == 0))
        return true;
    LOG(ERROR, "cannot let the service read the configuration", {"file", path}, {"detail", strerror(errno)});
    return false;
}

/* Keys of what has been installed are the service's own. */
static uid_t owner_of_keys(void)
{
    const struct passwd *service = service_user();
    if (service && (mkdir(places_state, 0700) == 0 || errno == EEXIST) &&
        chown(places_state, service->pw_uid, service->pw_gid) == 0)
        return service->pw_uid;
    return 0;
}

static bool make_keys(const struct config *config)
{
    struct offer_key offer;
    struct key_ring ring;
    struct key_ring_timing timing = key_file_timing(config, clock_now_ms() / 1000);
    uid_t owner = owner_of_keys();
    /* Keys from before, of a gate that ran, stay as they are. */
    bool made = become(owner) && offer_key_load(config->offer_key_file, &offer) &&
                key_file_make(config->identity_key_file, &timing, &ring, NULL);
    explicit_bzero(&offer, sizeof(offer));
    if (made)
        key_ring_forget(&ring);
    if (owner)
        become_root_again();
    if (made)
        printf("keys: %s, %s\n", config->offer_key_file, config->identity_key_file);
    return made;
}

/* --- What comes next --- */

/* The one that is given, else the first that is installed. NULL after a message: there is no such front. */
static const char *front_of(const char *given)
{
    static const char *const names[] = {"nginx", "caddy", "apache", "haproxy", "varnish", NULL};
    static const char *const folders[] = {"/etc/nginx", "/etc/caddy", "/etc/apache2", "/etc/haproxy",
                                          "/etc/varnish"};
    for (size_t i = 0; names[i]; i++)
        if (given ? strcmp(given, names[i]) == 0 : access(folders[i], F_OK) == 0)
            return names[i];
    if (given)
        command_unknown("unknown front", given, names, "see crawltab init --help");
    return given ? NULL : names[0];
}

/* Debian's PostgreSQL takes a role only from the user of its name, and the three roles are no users. */
static void tell_logins(const struct setup *setup, const char *option)
{
    const char *user = service_user() ? "crawltab" : command_actor();
    puts("\nThe ledger has no tables yet, see above: its roles must be able to log in. For\n"
         "users of this machine these lines of PostgreSQL's configuration do, in\n"
         "pg_ident.conf\n");
    printf("    crawltab  %s  crawltab_gate\n    crawltab  %s  crawltab_operator\n", user, user);
    printf("    crawltab  %s  crawltab_owner\n", command_actor());
    if (strcmp(user, command_actor()) != 0)
        printf("    crawltab  %s  crawltab_operator\n", command_actor());
    puts("\nand in pg_hba.conf, above all others that begin with local\n\n"
         "    local  crawltab  all  peer map=crawltab\n\n"
         "After a reload of PostgreSQL\n");
    printf("    crawltab %smigrate%s\n\nmakes them.\n", option, setup->as ? "" : " --bootstrap");
}

static void tell_next(const struct setup *setup, const char *path, const char *front, bool ledger)
{
    bool plain = strncmp(setup->site, "http://", 7) == 0, usual = strcmp(path, places_config) == 0;
    char option[QUESTION_MAX] = "";
    if (!usual)
        snprintf(option, sizeof(option), "--config %s ", path);
    if (!ledger)
        tell_logins(setup, option);
    printf("\nThe lines above are for %s (crawltab %sfront %s prints them again). Then\n\n", front, option,
           front);
    if (places_state[0] == '/')
        puts("    systemctl enable --now crawltabd crawltab-nightly.timer");
    else
        printf("    crawltabd %s&\n", option);
    printf("    crawltab %sfront --check %s%s/\n"
           "    crawltab %straffic\n"
           "\nOnce you like what traffic shows, write mode: charge into %s and send\n"
           "crawltabd a SIGHUP.\n",
           option, plain ? "" : "https://", setup->site, option, path);
}

static enum exit_status set_up(struct setup *setup, const char *path, const char *front)
{
    struct config *config = NULL;
    if (!write_config(setup, path) || !share_config(path))
        return EXIT_FAILED;
    config = command_config(path);
    if (!config) {
        unlink(path); /* ours, and of use to nobody */
        return EXIT_FAILED;
    }
    printf("configuration: %s\n", path);
    bool keys = make_keys(config);
    bool ledger = keys && make_ledger(setup, config, path);
    config_free(config);
    if (!keys)
        return EXIT_FAILED;
    char name[QUESTION_MAX];
    snprintf(name, sizeof(name), "%s", front);
    char *words[] = {name, NULL};
    putchar('\n');
    fflush(stdout);
    if (front_command.run(path, 1, words) != EXIT_DONE)
        return EXIT_FAILED;
    tell_next(setup, path, front, ledger);
    return ledger ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status init(const char *config_path, int argc, char **argv)
{
    struct setup setup = {0};
    const char *connection = NULL, *front = NULL;
    bool silent = false;
    char zone[QUESTION_MAX], folder[QUESTION_MAX];
    struct question questions[] = {
        {"Host name of the site, as in its addresses", "--site", NULL, NULL, judge_site},
        {"Where the site is now: its server's address, or the folder of its files", "--source", NULL, NULL,
         judge_source},
        {"Currency", "--currency", NULL, "USD", judge_currency},
        {"Time zone, whose midnights end the billing days", "--time-zone", NULL, local_zone(zone),
         judge_zone},
        {"E-mail address for questions about invoices (may be empty)", "--contact", NULL, "", judge_contact}};
    const struct command_option options[] = {{"--site", &questions[0].given, NULL},
                                             {"--source", &questions[1].given, NULL},
                                             {"--currency", &questions[2].given, NULL},
                                             {"--time-zone", &questions[3].given, NULL},
                                             {"--contact", &questions[4].given, NULL},
                                             {"--connection", &connection, NULL},
                                             {"--superuser", &setup.superuser, NULL},
                                             {"--front", &front, NULL},
                                             {"--yes", NULL, &silent},
                                             {NULL, NULL, NULL}};
    struct command_words words;
    if (!command_parse(argc, argv, options, &words))
        return EXIT_USAGE;
    if (words.count > 0)
        return command_misused("init takes no arguments", words.items[0], "see crawltab init --help");
    const char *slash = strrchr(config_path, '/');
    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - config_path) : 1,
             slash ? config_path : ".");
    if (access(config_path, F_OK) == 0) {
        LOG(ERROR, "there is a configuration", {"file", config_path},
            {"hint", "edit it; init begins where there is none, and --config names another file"});
        return EXIT_FAILED;
    }
    front = front_of(front);
    if (!front)
        return EXIT_USAGE;
    if (!ask(&setup, questions, silent) || !find_server(&setup, folder, connection, silent))
        return EXIT_FAILED;
    return set_up(&setup, config_path, front);
}

const struct command init_command = {
    "init", "begin: five questions, then a configuration, a ledger and keys",
    "usage: crawltab init [--yes] [--site HOST] [--source ADDRESS|FOLDER]\n"
    "                     [--currency CODE] [--time-zone ZONE] [--contact E-MAIL]\n"
    "                     [--connection TEXT] [--superuser NAME] [--front NAME]\n"
    "\n"
    "Asks what the site is called, where it is, its currency and time zone, and whom\n"
    "to ask about invoices. Finds PostgreSQL, writes a configuration that observes\n"
    "and charges nothing, makes the keys and the ledger with its roles, and prints\n"
    "what your web server needs and the next three commands. What is there already\n"
    "is not changed.\n"
    "\n"
    "options:\n"
    "  --site HOST        each of the first five answers a question\n"
    "  --source WHERE     the site's own server, http://127.0.0.1:8080, or the folder\n"
    "                     of its files, /srv/www\n"
    "  --currency CODE    of the prices (USD)\n"
    "  --time-zone ZONE   whose midnights end the billing days (this machine's)\n"
    "  --contact E-MAIL   on invoices\n"
    "  --yes              ask nothing: site and source have to be given\n"
    "  --connection TEXT  PostgreSQL, as for libpq (the one of this machine)\n"
    "  --superuser NAME   its superuser (as root: postgres; else your own name)\n"
    "  --front NAME       nginx, caddy, haproxy, apache or varnish (what is there)\n"
    "  --config FILE      the configuration to make (default: config.yaml)\n",
    "  crawltab init\n"
    "  crawltab init --yes --site gazette.example --source http://127.0.0.1:8080\n",
    init};
