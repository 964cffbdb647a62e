/* The configuration: one table per level yields the structure, the parser, config.yaml.example, the help text
 * and the defaults. A key that stands in no table is an error with file, line and a suggestion. */
#ifndef LEDGER_BASE_CONFIG_CONFIG_H
#define LEDGER_BASE_CONFIG_CONFIG_H

#include "ledger/base/places.h"
#include "ledger/base/text/amount.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The most times of a day in one list. */
#define CONFIG_TIMES_MAX 24

struct config_list {
    const char **items;
    size_t count;
};

/* Where a structure and its settings stand in the file. 0: nowhere. */
struct config_where {
    size_t line;
    const size_t *fields; /* lines, by position in the table; NULL: what stands there is no such structure */
};

/* Where $CREDENTIALS_DIRECTORY in a path leads when systemd has not set it. */
#define CONFIG_NO_CREDENTIALS "/nonexistent/$CREDENTIALS_DIRECTORY"

/* C types of the table's kinds. TEXT: any scalar. CODE: a text that people group with spaces, such as an
 * IBAN: without them, and in capitals. PATH: relative ones are taken from the folder of the file, empty stays
 * empty; a default is a name in the folder places_state. $CREDENTIALS_DIRECTORY
 * at its beginning is systemd's folder of LoadCredential=. NUMBER: whole, between min and max. FLAG: true or
 * false. AMOUNT: decimal to micro-units, at most max. Number and amount are -1 when not given and without
 * default. RATE: percent to millionths. LIST: a sequence of scalars. */
typedef const char *CONFIG_TEXT;
typedef const char *CONFIG_CODE;
typedef const char *CONFIG_PATH;
typedef int64_t CONFIG_NUMBER;
typedef bool CONFIG_FLAG;
typedef int64_t CONFIG_AMOUNT;
typedef int64_t CONFIG_RATE;
typedef struct config_list CONFIG_LIST;

/* X(member, key, kind, default, min, max, what it is) */
#define CONFIG_GATE(X)                                                                                       \
    X(listen, "listen", TEXT, "127.0.0.1:8402", 0, 0,                                                        \
      "Address and port of the gate, port 0 takes a free one; or unix:/run/crawltab/gate.sock.")             \
    X(threads, "threads", NUMBER, "0", 0, 64, "HTTP threads; 0 means one per core.")                         \
    X(http_header_seconds, "http.header_seconds", NUMBER, "10", 1, 300,                                      \
      "How long a client may take from connecting to the end of its request's fields.")                      \
    X(http_idle_seconds, "http.idle_seconds", NUMBER, "30", 1, 3600,                                         \
      "How long a connection may wait for its next request.")                                                \
    X(http_send_seconds, "http.send_seconds", NUMBER, "30", 1, 3600,                                         \
      "How long a client may take to read a reply ...")                                                      \
    X(http_send_bytes_per_second, "http.send_bytes_per_second", NUMBER, "4096", 1, 1000000000,               \
      "... and a second more for each so many bytes of it.")                                                 \
    X(http_drain_seconds, "http.drain_seconds", NUMBER, "30", 1, 600,                                        \
      "The longest that SIGTERM waits for the requests under way.")                                          \
    X(http_connections, "http.connections", NUMBER, "0", 0, 1000000,                                         \
      "The most connections at once; more wait until one closes. 0 means as many as the limit of open\n"     \
      "files allows.")                                                                                       \
    X(http_client_connections, "http.client_connections", NUMBER, "-1", -1, 1000000,                         \
      "The most connections of one client (IPv6: /64), and requests of one behind a trusted proxy; 0: "      \
      "any.\n"                                                                                               \
      "-1: 256, but any number from this machine, where a front may be that is not in trusted_proxies.")     \
    X(trusted_proxies, "trusted_proxies", LIST, "", 0, 0,                                                    \
      "Proxies in front of the gate, by address or network (127.0.0.1, 10.0.0.0/8), and unix for whoever\n"  \
      "connects to a unix socket. From them alone X-Forwarded-For and Forwarded are believed; the client\n"  \
      "is the right-most address that is not in this list.")                                                 \
    X(origin_connect_seconds, "origin.connect_seconds", NUMBER, "5", 1, 300,                                 \
      "How long a site's own server may take to accept a connection ...")                                    \
    X(origin_head_seconds, "origin.head_seconds", NUMBER, "30", 1, 3600, "... to begin its answer ...")      \
    X(origin_gap_seconds, "origin.gap_seconds", NUMBER, "30", 1, 3600, "... and to go on with it.")          \
    X(origin_body_bytes, "origin.body_bytes", NUMBER, "1048576", 1, 67108864,                                \
      "The largest body of a request that is handed on, where a site takes such `methods`.")                 \
    X(mcp_calls_file, "mcp.calls_file", PATH, "mcp.calls", 0, 0,                                             \
      "Where a site has `tools`: which paid calls are under way, so that they are taken back if the gate\n"  \
      "is killed meanwhile.")                                                                                \
    X(mcp_result_bytes, "mcp.result_bytes", NUMBER, "4194304", 1024, 67108864,                               \
      "The largest result of a paid call ...")                                                               \
    X(mcp_kept_bytes, "mcp.kept_bytes", NUMBER, "67108864", 1048576, INT64_C(68719476736),                   \
      "... and the memory for results, which who has paid gets again for some minutes.")                     \
    X(decisions_listen, "decisions.listen", TEXT, "", 0, 0,                                                  \
      "Where fronts that deliver by themselves ask whether they may (server/WIRE.md, section 6):\n"          \
      "unix:/path or an address and port that only they reach. Empty: nowhere.")                             \
    X(decisions_prefix, "decisions.path_prefix", TEXT, "", 0, 0,                                             \
      "What such a front puts before the path that it was asked for, as Envoy does; else it says the path "  \
      "in\n"                                                                                                 \
      "X-Original-URI, X-Forwarded-Uri or X-Original-URL.")                                                  \
    X(decisions_accel, "decisions.accel_redirect", TEXT, "", 0, 0,                                           \
      "For nginx: yes is answered with X-Accel-Redirect to this location, such as @origin.")                 \
    X(facilitator_listen, "facilitator.listen", TEXT, "", 0, 0,                                              \
      "Where resource servers bill what they have sold (x402 facilitator, server/WIRE.md, section 9), "      \
      "with\n"                                                                                               \
      "keys of `crawltab token`: unix:/path or an address that a front with TLS or only they reach.\n"       \
      "Empty: nowhere.")                                                                                     \
    X(monitor_listen, "monitor.listen", TEXT, "", 0, 0,                                                      \
      "Where whoever watches the gate finds /metrics (Prometheus), /healthz and /readyz, such as\n"          \
      "127.0.0.1:9402 or unix:/path. There is no password: leave it on loopback. Empty: nowhere.")           \
    X(console_listen, "console.listen", TEXT, "127.0.0.1:8404", 0, 0,                                        \
      "Where `crawltab console` serves the operator's pages and API: loopback, or unix:/path. Keys are of\n" \
      "`crawltab token`; a proxy in front brings TLS.")                                                      \
    X(log_decisions, "log.decisions", FLAG, "true", 0, 0,                                                    \
      "A line in the log for each request of a crawler: who, what, and what came of it. A payer who is\n"    \
      "sent away with 503 has one in any case.")                                                             \
    X(log_format, "log.format", TEXT, "logfmt", 0, 0, "logfmt, or json: one object a line.")                 \
    X(log_level, "log_level", TEXT, "info", 0, 0, "debug, info, warn or error.")                             \
    X(offer_key_file, "offer.key_file", PATH, "offer.key", 0, 0,                                             \
      "Secret that makes payment ids genuine: one key a line in hex, the newest first; the second is\n"      \
      "still accepted. Made on first start. Gates that share a ledger share it.")                            \
    X(offer_history_file, "offer.history_file", PATH, "offer.history", 0, 0,                                 \
      "Every offer key that nights have seen: they add to it, so that ids of former keys can still be\n"     \
      "opened. As secret as the key; only crawltab uses it.")                                                \
    X(offer_ttl_seconds, "offer.ttl_seconds", NUMBER, "300", 10, 3600, "How long an offer holds.")           \
    X(identity_key_file, "identity.key_file", PATH, "identity.key", 0, 0,                                    \
      "The gate's own keys, listed at /.well-known/http-message-signatures-directory of every site.\n"       \
      "Made on first start; `crawltab key rotate` adds a key.")                                              \
    X(identity_publish_seconds, "identity.publish_seconds", NUMBER, "86400", 0, 2592000,                     \
      "How long a new key is listed before it signs, so that whoever caches the list knows it.")             \
    X(identity_key_days, "identity.key_days", NUMBER, "365", 1, 3650, "How long a key signs.")               \
    X(identity_sign_offers, "identity.sign_offers", FLAG, "false", 0, 0,                                     \
      "Sign offers and receipts of x402 (its extension offer-receipt) by that key. /.well-known/did.json\n"  \
      "is then the gate's, on every site. Each offer costs a signature more.")                               \
    X(crawlers_extra, "crawlers.extra", LIST, "", 0, 0,                                                      \
      "Words of User-Agent that make an AI crawler too, beside the list that the gate has.")                 \
    X(crawlers_except, "crawlers.except", LIST, "", 0, 0,                                                    \
      "Names in that list that are nobody special here, such as facebookexternalhit.")                       \
    X(signature_clock_skew_seconds, "signature.clock_skew_seconds", NUMBER, "30", 0, 300,                    \
      "How far ahead of ours a crawler's clock may be.")                                                     \
    X(signature_max_lifetime_seconds, "signature.max_lifetime_seconds", NUMBER, "86400", 60, 86400,          \
      "The longest time between created and expires.")                                                       \
    X(signature_identity_seconds, "signature.identity_seconds", NUMBER, "300", 10, 86400,                    \
      "How long after created a signature opens pages that are free for one crawler, whatever its own\n"     \
      "expires says.")                                                                                       \
    X(signature_algorithms, "signature.algorithms", LIST, "ed25519", 0, 0,                                   \
      "Algorithms that crawlers may sign with: ed25519, ecdsa-p256-sha256, rsa-pss-sha512.")                 \
    X(signature_allow_test_keys, "signature.allow_test_keys", FLAG, "false", 0, 0,                           \
      "Accept the key pairs printed in RFC 9421, whose private keys everybody has.")                         \
    X(directory_insecure_hosts, "directory.insecure_hosts", LIST, "", 0, 0,                                  \
      "Hosts (with port) of key directories that may use http, any port and private addresses.\n"            \
      "For a demonstration on loopback; empty in production.")                                               \
    X(directory_ca_file, "directory.ca_file", PATH, "", 0, 0,                                                \
      "Certificates to trust for key directories, in PEM; empty means the system's.")                        \
    X(directory_timeout_seconds, "directory.timeout_seconds", NUMBER, "5", 1, 60,                            \
      "The longest a fetch may take from start to end.")                                                     \
    X(directory_max_bytes, "directory.max_bytes", NUMBER, "262144", 1024, 16777216,                          \
      "The largest key directory that is read.")                                                             \
    X(directory_cache_bytes, "directory.cache_bytes", NUMBER, "67108864", 1048576, 68719476736,              \
      "The most memory that fetched directories take; those used longest ago make room.")                    \
    X(directory_min_fresh_seconds, "directory.min_fresh_seconds", NUMBER, "60", 1, 86400,                    \
      "The shortest time that fetched keys are used, whatever the directory's Cache-Control says.")          \
    X(directory_max_fresh_seconds, "directory.max_fresh_seconds", NUMBER, "86400", 1, 604800,                \
      "The longest time before keys are fetched again: how long a withdrawn key may live on.")               \
    X(directory_stale_seconds, "directory.stale_seconds", NUMBER, "86400", 0, 604800,                        \
      "How long beyond that keys are still used while their directory cannot be read.")                      \
    X(directory_retry_seconds, "directory.retry_seconds", NUMBER, "30", 1, 300,                              \
      "How long after a failed fetch before the next one, give or take a fifth.")                            \
    X(directory_unknown_key_seconds, "directory.unknown_key_seconds", NUMBER, "60", 1, 3600,                 \
      "A key that a directory did not list makes it be fetched early, at most this often.")                  \
    X(directory_require_proof, "directory.require_proof", FLAG, "false", 0, 0,                               \
      "Take only keys that have signed their directory's answer (its Content-Digest and @authority).")       \
    X(directory_client_fetches, "directory.client_fetches", NUMBER, "60", 0, 100000,                         \
      "Fetches that the requests of one client network (IPv4 /24, IPv6 /64) may cause in a minute;\n"        \
      "0 means any number. Behind a proxy set trusted_proxies, or all clients share this.")                  \
    X(account_requests, "account.requests_per_minute", NUMBER, "120", 0, 100000,                             \
      "How often in a minute a crawler, and a client network, may ask for the crawler's own account:\n"      \
      "/.well-known/crawltab/account. 0: there is no such page.")                                            \
    X(nightly_at, "nightly.at", LIST, "", 0, 0,                                                              \
      "Local times of this machine, such as \"02:30\", at which the gate runs `crawltab nightly` by "        \
      "itself.\n"                                                                                            \
      "Empty: a timer does. Several gates may: one of them closes the days.")                                \
    X(nightly_verify, "nightly.verify", TEXT, "all", 0, 0,                                                   \
      "all: before a day is closed each entry is judged by what its crawler signed, and what is not\n"       \
      "proven is not billed. none: what the gate recorded is billed as it stands.")                          \
    X(ledger_connection, "ledger.connection", TEXT, places_connection, 0, 0,                                 \
      "PostgreSQL, as a libpq connection string without the user. A host with a slash is the folder of\n"    \
      "the unix socket and may be relative to this file.")                                                   \
    X(ledger_password_file, "ledger.password_file", PATH, "", 0, 0,                                          \
      "File with the password of the role that connects, on one line. A path may begin with\n"               \
      "$CREDENTIALS_DIRECTORY, for LoadCredential= of systemd; this one is then left alone by commands "     \
      "that\n"                                                                                               \
      "run elsewhere. Empty: by libpq's own means, such as ~/.pgpass.")                                      \
    X(ledger_pooler, "ledger.pooler", TEXT, "none", 0, 0,                                                    \
      "transaction if the connection leads to PgBouncer, in whatever pool_mode: statements are then not\n"   \
      "prepared, and every transaction makes its own settings. none: PostgreSQL itself.")                    \
    X(ledger_gate_role, "ledger.gate_role", TEXT, "crawltab_gate", 0, 0,                                     \
      "Role of the gate: may add and read, never change.")                                                   \
    X(ledger_operator_role, "ledger.operator_role", TEXT, "crawltab_operator", 0, 0,                         \
      "Role of the crawltab command and the nightly job.")                                                   \
    X(ledger_auditor_role, "ledger.auditor_role", TEXT, "crawltab_auditor", 0, 0,                            \
      "Role that reads all and changes nothing.")                                                            \
    X(ledger_command_role, "ledger.command_role", TEXT, "operator", 0, 0,                                    \
      "operator or auditor: as which of the two roles the crawltab command works. As an auditor it "         \
      "reads\n"                                                                                              \
      "(audit, export, lookup, checkpoint check and the like), and whatever would write is refused.")        \
    X(ledger_owner_role, "ledger.owner_role", TEXT, "crawltab_owner", 0, 0,                                  \
      "Role that owns the tables; only `crawltab migrate` uses it.")                                         \
    X(ledger_checkpoint_key_file, "ledger.checkpoint_key_file", PATH, "checkpoint.key", 0, 0,                \
      "Ed25519 key that signs a checkpoint for each closed day: its seed in hex. Made by the first\n"        \
      "`crawltab nightly`; only crawltab uses it.")                                                          \
    X(ledger_timeout_seconds, "ledger.timeout_seconds", NUMBER, "5", 1, 60,                                  \
      "The longest a commit may take before the crawler is told to try again.")                              \
    X(ledger_queue_entries, "ledger.queue_entries", NUMBER, "8192", 1, 1000000,                              \
      "Entries that may wait for the ledger; beyond that crawlers are told to try again.")                   \
    X(ledger_replay_entries, "ledger.replay_entries", NUMBER, "65536", 0, 16777216,                          \
      "Receipts that are kept in memory, 80 bytes each: the same request again is then answered without\n"   \
      "asking the database.")                                                                                \
    X(ledger_writers, "ledger.writers", NUMBER, "1", 1, 8,                                                   \
      "Connections that commit entries. One commits all that queued meanwhile; more help where a commit\n"   \
      "takes long, such as with a synchronous standby.")                                                     \
    X(ledger_batch_entries, "ledger.batch_entries", NUMBER, "1024", 1, 10000,                                \
      "The most entries in one transaction.")                                                                \
    X(ledger_refresh_seconds, "ledger.refresh_seconds", NUMBER, "2", 1, 60,                                  \
      "How often agreements, and what crawlers spent at other gates, are read.")                             \
    X(ledger_audit_allows, "ledger.audit_allows", LIST, "", 0, 0,                                            \
      "What `crawltab audit` finds beside the ledger but is there on purpose, in the audit's words, such "   \
      "as\n"                                                                                                 \
      "\"publication NAME\", \"extension NAME\", \"event trigger NAME\" or \"view NAME\".")                  \
    X(delivery_record, "delivery.record", FLAG, "true", 0, 0,                                                \
      "Record what was delivered for each payment: status, bytes, SHA-256 of the body, whether it ended\n"   \
      "whole, User-Agent, and the client's address as a keyed hash.")                                        \
    X(seal_interim_minutes, "seal.interim_minutes", NUMBER, "10", 0, 1440,                                   \
      "How often a gate that runs the night (nightly.at) signs the open days as well, by\n"                  \
      "`crawltab checkpoint interim`. 0: never, or a timer does.")                                           \
    X(seal_publish_folder, "seal.publish_folder", PATH, "", 0, 0,                                            \
      "Folder for each checkpoint that is made, to be copied to where nobody who can change the ledger "     \
      "has\n"                                                                                                \
      "rights. Empty: none.")                                                                                \
    X(seal_publish_webhook, "seal.publish_webhook", FLAG, "false", 0, 0,                                     \
      "Send each checkpoint to the webhook.url of its site, too.")                                           \
    X(seal_witnesses, "seal.witnesses", LIST, "", 0, 0,                                                      \
      "Witnesses that cosign each checkpoint (c2sp.org/tlog-witness): of each its verifier key, a space "    \
      "and\n"                                                                                                \
      "its URL.")                                                                                            \
    X(traffic_write_seconds, "traffic.write_seconds", NUMBER, "5", 1, 60,                                    \
      "How often what was counted for `crawltab traffic` is written: so much of it is lost when the gate\n"  \
      "is killed.")

/* The seller on invoices: texts, and the logo's file. */
#define CONFIG_BILLING(X)                                                                                    \
    X(billing_street, "billing.street", TEXT, "", 0, 0,                                                      \
      "Street and number of the seller, as printed on invoices.")                                            \
    X(billing_city, "billing.city", TEXT, "", 0, 0, "City.")                                                 \
    X(billing_postal_code, "billing.postal_code", TEXT, "", 0, 0, "Postal code.")                            \
    X(billing_region, "billing.region", TEXT, "", 0, 0, "State or province.")                                \
    X(billing_country, "billing.country", TEXT, "", 0, 0, "Country, two letters of ISO 3166-1.")             \
    X(billing_tax_id, "billing.tax_id", TEXT, "", 0, 0,                                                      \
      "The seller's number for value added tax, with its country's prefix.")                                 \
    X(billing_registration, "billing.registration", TEXT, "", 0, 0, "Number in the register of companies.")  \
    X(billing_registration_scheme, "billing.registration_scheme", TEXT, "", 0, 0,                            \
      "ICD code of that register (ISO/IEC 6523), such as 0208; empty: the country's usual one, if the\n"     \
      "number fits it.")                                                                                     \
    X(billing_tax_registration, "billing.tax_registration", TEXT, "", 0, 0,                                  \
      "A second tax number, or the statement that takes its place on e-invoices, such as\n"                  \
      "\"Foretaksregisteret\" or \"Godkänd för F-skatt\".")                                                  \
    X(billing_contact, "billing.contact", TEXT, "", 0, 0,                                                    \
      "Person or department to ask about invoices; e-invoices within Germany need it, and phone.")           \
    X(billing_phone, "billing.phone", TEXT, "", 0, 0, "Its telephone number.")                               \
    X(billing_email, "billing.email", TEXT, "", 0, 0, "Its e-mail address.")                                 \
    X(billing_website, "billing.website", TEXT, "", 0, 0, "The seller's page.")                              \
    X(billing_endpoint, "billing.endpoint", TEXT, "", 0, 0,                                                  \
      "Electronic address (Peppol), as SCHEME:ID, e.g. 0088:7300010000001.")                                 \
    X(billing_iban, "billing.iban", CODE, "", 0, 0, "Account to pay into.")                                  \
    X(billing_bic, "billing.bic", CODE, "", 0, 0, "Its bank.")                                               \
    X(billing_creditor_id, "billing.creditor_id", CODE, "", 0, 0,                                            \
      "SEPA creditor identifier, for direct debits.")                                                        \
    X(billing_ach_destination, "billing.ach_destination", TEXT, "", 0, 0,                                    \
      "Routing number of the seller's bank, for ACH files.")                                                 \
    X(billing_ach_destination_name, "billing.ach_destination_name", TEXT, "", 0, 0, "The bank's name.")      \
    X(billing_ach_origin, "billing.ach_origin", TEXT, "", 0, 0,                                              \
      "Immediate origin that the bank assigned, ten characters.")                                            \
    X(billing_ach_company_id, "billing.ach_company_id", TEXT, "", 0, 0,                                      \
      "Company identification that the bank assigned.")                                                      \
    X(billing_logo, "billing.logo", PATH, "", 0, 0,                                                          \
      "Picture for invoices: PNG, JPEG or SVG of at most 256 KiB.")

#define CONFIG_SITE(X)                                                                                       \
    X(name, "name", TEXT, NULL, 0, 0, "Name of the site in the ledger. Never changes.")                      \
    X(hosts, "hosts", LIST, NULL, 0, 0, "Host names, as in the Host field (with a port unless 80 or 443).")  \
    X(scheme, "scheme", TEXT, "https", 0, 0, "https or http: how crawlers reach the site.")                  \
    X(origin, "origin", TEXT, "", 0, 0,                                                                      \
      "The site's own server, which is asked for what may be given: http://127.0.0.1:8080, https://… or\n" \
      "unix:/run/site.sock. Never taken from a request.")                                                    \
    X(root, "root", PATH, "", 0, 0,                                                                          \
      "Folder with files that the gate serves itself; instead of an origin, or before it is asked.")         \
    X(methods, "methods", LIST, "", 0, 0,                                                                    \
      "What the origin takes besides GET and HEAD: POST, PUT, PATCH, DELETE. Paid ones are signed over\n"    \
      "content-digest or, without a body, @method.")                                                         \
    X(seller, "seller", TEXT, "", 0, 0, "Who bills, as printed on invoices; empty means the site's name.")   \
    X(currency, "currency", TEXT, "USD", 0, 0, "ISO 4217 code of all prices of the site. Never changes.")    \
    X(time_zone, "time_zone", TEXT, "UTC", 0, 0, "Zone whose midnights end the billing days.")               \
    X(mode, "mode", TEXT, "charge", 0, 0,                                                                    \
      "charge; or observe: every request is judged and counted, for `crawltab traffic`, but everybody "      \
      "gets\n"                                                                                               \
      "the pages as people do, and nothing is charged. A rule may say otherwise.")                           \
    X(network, "network", TEXT, NULL, 0, 0, "The site's x402 network, namespace:reference.")                 \
    X(pay_to, "pay_to", TEXT, "merchant", 0, 0, "x402 payTo: a role or an account.")                         \
    X(terms_url, "terms_url", TEXT, NULL, 0, 0, "The terms that a crawler accepts by paying.")               \
    X(registration_url, "registration_url", TEXT, "", 0, 0,                                                  \
      "Where crawler operators may register; optional.")                                                     \
    X(licence_rsl, "licence.rsl", FLAG, "true", 0, 0,                                                        \
      "Tell prices and terms in public, made from the rules that hold for every crawler: /rsl.xml (RSL\n"    \
      "1.0), which every offer links to. Nobody pays for it.")                                               \
    X(licence_x402, "licence.x402", FLAG, "true", 0, 0, "The same as /.well-known/x402.json.")               \
    X(licence_tdmrep, "licence.tdmrep", FLAG, "false", 0, 0,                                                 \
      "The reservation of text and data mining (TDMRep): /.well-known/tdmrep.json, and tdm-reservation "     \
      "and\n"                                                                                                \
      "tdm-policy with what crawlers pay for.")                                                              \
    X(licence_content_usage, "licence.content_usage", TEXT, "", 0, 0,                                        \
      "Content-Usage of what the gate gives to crawlers (IETF AIPREF), e.g. train-ai=n, search=y; empty\n"   \
      "means none.")                                                                                         \
    X(require_target, "signature.require_target", FLAG, "true", 0, 0,                                        \
      "Demand that signatures cover @authority or @target-uri, and the whole URL for pages that are free\n"  \
      "for one crawler. Without it (the literal profile of the proposal) another site can hand your offer\n" \
      "to a crawler, which then pays for what it never asked for.")                                          \
    X(require_path, "signature.require_path", FLAG, "false", 0, 0,                                           \
      "Demand that the signature itself names the page: @target-uri, or @authority with @path and, where\n"  \
      "there is one, @query.")                                                                               \
    X(agents_allow, "agents.allow", LIST, "", 0, 0,                                                          \
      "Crawlers that may pay, e.g. https://chatgpt.com; only matters with agents.unknown: refuse.")          \
    X(agents_deny, "agents.deny", LIST, "", 0, 0,                                                            \
      "Crawlers whose commitments are refused, whatever else is said. An origin stands for all its URLs.")   \
    X(agents_unknown, "agents.unknown", TEXT, "charge", 0, 0,                                                \
      "charge or refuse: what happens to crawlers in neither list.")                                         \
    X(agents_shared_origins, "agents.shared_origins", LIST, "", 0, 0,                                        \
      "Origins such as https://hosting.example, where every path is somebody else. Of any other, all "       \
      "paths\n"                                                                                              \
      "are one crawler to a denied or suspended origin and to the limits below.")                            \
    X(agents_day_limit, "agents.day_limit", AMOUNT, "", 0, INT64_MAX,                                        \
      "The most that a crawler, and an origin with all its paths, may spend in a billing day, unless an\n"   \
      "agreement says otherwise; empty: any.")                                                               \
    X(agents_balance_limit, "agents.balance_limit", AMOUNT, "", 0, INT64_MAX,                                \
      "The most that a crawler may owe in entries and unpaid invoices, likewise.")                           \
    X(webhook_url, "webhook.url", TEXT, "", 0, 0,                                                            \
      "Where the publisher's own system hears of invoices (Standard Webhooks); empty means nowhere.")        \
    X(webhook_secret_file, "webhook.secret_file", PATH, "webhook.secret", 0, 0,                              \
      "Secret that messages are signed with; made on first use, shown by `crawltab webhook secret`.")        \
    X(invoice_number, "invoice.number", TEXT, "INV-{year}-{number:6}", 0, 0,                                 \
      "Pattern of invoices' numbers; each text of what is not the number counts for itself.")                \
    X(invoice_credit_number, "invoice.credit_note_number", TEXT, "CN-{year}-{number:6}", 0, 0,               \
      "The same for credit notes.")                                                                          \
    X(invoice_without_agreement, "invoice.without_agreement", TEXT, "bill", 0, 0,                            \
      "bill, or hold: what crawlers without an agreement owe is carried until they have one. These and\n"    \
      "the terms below are those of such crawlers, from the oldest day that is not closed yet.")             \
    X(invoice_cadence, "invoice.cadence", TEXT, "daily", 0, 0,                                               \
      "How often an invoice is made: daily, weekly (Sunday) or monthly.")                                    \
    X(invoice_minimum, "invoice.minimum", AMOUNT, "0", 0, INT64_C(100000000000000000),                       \
      "Less than this is carried forward to the next period.")                                               \
    X(invoice_due_days, "invoice.due_days", NUMBER, "30", 0, 366, "Days to pay an invoice.")                 \
    X(invoice_tax_treatment, "invoice.tax_treatment", TEXT, "none", 0, 0,                                    \
      "none (outside the scope of tax), standard, zero or exempt.")                                          \
    X(invoice_tax_rate, "invoice.tax_rate", RATE, "0", 0, 0, "In percent; with treatment standard only.")    \
    X(dispute_window, "disputes.window_days", NUMBER, "60", 0, 3650,                                         \
      "How long after a crawl, or its invoice, it can be disputed. An agreement may say something else\n"    \
      "than this and the next three.")                                                                       \
    X(dispute_answer, "disputes.answer_days", NUMBER, "14", 1, 366,                                          \
      "How long the operator has to decide a dispute.")                                                      \
    X(dispute_share, "disputes.share", RATE, "100", 0, 0,                                                    \
      "What the rules of `crawltab dispute rules` give back to a crawler without a person: at most this\n"   \
      "share of what it was charged within 30 days, in percent ...")                                         \
    X(dispute_limit, "disputes.limit", AMOUNT, "100", 0, INT64_C(100000000000000000),                        \
      "... and at most this amount. What is beyond waits for a person.")                                     \
    CONFIG_BILLING(X)

#define CONFIG_RULE(X)                                                                                       \
    X(name, "name", TEXT, "", 0, 0, "Shown on invoices; empty means \"rule N\".")                            \
    X(paths, "paths", LIST, "/**", 0, 0,                                                                     \
      "Globs over the path: * stops at a slash, ** does not. /a/ is also /a/index.html.")                    \
    X(query, "query", LIST, "", 0, 0,                                                                        \
      "What the query must have, any one: \"name\", or \"name=glob\" over its value; with & between,\n"      \
      "all. As PHP reads it, in any order and beside others. Where it can be read in two ways, or rules\n"   \
      "fit that look at other names, the dearest holds.")                                                    \
    X(methods, "methods", LIST, "", 0, 0, "Methods, any one; GET is HEAD too. Empty: any.")                  \
    X(user_agents, "user_agents", LIST, "", 0, 0,                                                            \
      "Words in User-Agent, any one of them. Without it and without agents: every AI crawler.")              \
    X(agents, "agents", LIST, "", 0, 0, "Signature-Agent identities, e.g. https://chatgpt.com, any one.")    \
    X(action, "action", TEXT, NULL, 0, 0, "allow, charge or block.")                                         \
    X(mode, "mode", TEXT, "", 0, 0, "charge or observe; empty means the site's.")                            \
    X(price, "price", AMOUNT, "", 0, AMOUNT_PRICE_MAX,                                                       \
      "Price of one crawl, in the site's currency; with charge only.")                                       \
    X(free_recrawl, "free_recrawl", TEXT, "", 0, 0,                                                          \
      "For so long, such as 24h, a crawler that has paid a page gets it again for nothing, as long as\n"     \
      "its ETag is the same: 1m to 7d, with charge only.")

#define CONFIG_TOOL(X)                                                                                       \
    X(tool, "tool", TEXT, "", 0, 0,                                                                          \
      "Name of an MCP tool, or a glob over it; or instead of it a resource or a prompt.")                    \
    X(resource, "resource", TEXT, "", 0, 0, "URI of what resources/read reads, or a glob over it.")          \
    X(prompt, "prompt", TEXT, "", 0, 0, "Name of what prompts/get gets, or a glob over it.")                 \
    X(price, "price", AMOUNT, NULL, 0, AMOUNT_PRICE_MAX,                                                     \
      "Price of one call, in the site's currency; 0: nothing, whatever stands below.")

#define CONFIG_MEMBER(member, key, kind, initial, min, max, what) CONFIG_##kind member;

struct config_rule {
    CONFIG_RULE(CONFIG_MEMBER)
    struct config_where where;
};

/* A price of what an MCP server offers. */
struct config_tool {
    CONFIG_TOOL(CONFIG_MEMBER)
    struct config_where where;
};

struct config_site {
    CONFIG_SITE(CONFIG_MEMBER)
    struct config_rule *rules;
    size_t rule_count;
    struct config_tool *tools;
    size_t tool_count;
    struct config_where where;
};

struct config {
    CONFIG_GATE(CONFIG_MEMBER)
    struct config_site *sites;
    size_t site_count;
    struct config_where where;
    const char *folder; /* of the file: what relative paths are relative to */
};

/* True for a zone of this machine's tz database; where there is none, for whatever may be its name. */
bool config_zone_known(const char *zone);

/* Reads and checks the file. Every error is written to `errors` as "file:line: what, why, hint", one a
 * line; warnings go to `warnings` (NULL: dropped) in the same form. NULL if there was any error. The
 * caller frees with config_free. */
struct config *config_load(const char *path, FILE *errors, FILE *warnings);

/* The same for --check-config: warns too of what stands in the way of a gate just now, such as a port
 * that another program listens on. */
struct config *config_examine(const char *path, FILE *errors, FILE *warnings);

/* The defaults, and those of one site, which has no name: for what runs without a file. Freed with
 * config_free as well. */
struct config *config_defaults(void);
void config_free(struct config *config);

/* How long a page that was paid under the rule costs nothing again, in milliseconds; 0: it does cost.
 * -1 for what is no time from a minute to a week, which a configuration that was read has not. */
int64_t config_recrawl_ms(const struct config_rule *rule);

/* The site of this name, or NULL. */
const struct config_site *config_site_called(const struct config *config, const char *name);

/* `threads`, or one for each core that this process may use. */
size_t config_threads(const struct config *config);

/* True if the gate listens on loopback alone: what is for demonstrations is allowed then. */
bool config_on_loopback(const struct config *config);

/* Called with the name of a key that differs: "offer.ttl_seconds", or "sites.NAME" for anything in a
 * site. */
typedef void config_difference(void *context, const char *key);

/* Tells each key whose value differs between two readings, and each site that came or went. */
void config_compare(const struct config *before, const struct config *after, config_difference *tell,
                    void *context);

/* Writes config.yaml.example. */
void config_write_example(FILE *out);

#endif
